//! The venues' side: request pools, the sockets that tell marks, the accounts' private streams.

//! Making a data folder: keys, certificates, the first administrator.

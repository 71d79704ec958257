//! Where everything is in the data folder.

use std::path::{Path, PathBuf};

/// The data folder, by the names in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataFolder(PathBuf);

macro_rules! places {
    ($($(#[$doc:meta])+ $name:ident = $path:literal;)+) => {$(
        $(#[$doc])+
        pub fn $name(&self) -> PathBuf {
            self.0.join($path)
        }
    )+};
}

impl DataFolder {
    /// The data folder at `path`.
    pub fn new(path: impl Into<PathBuf>) -> DataFolder {
        DataFolder(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    places! {
        /// The configuration.
        config = "tidegate.toml";
        /// The journal's folder.
        journal = "journal";
        /// The state that the journal's records led to some time ago, to start from.
        saved_state = "state";
        /// The key that signs the journal's checkpoints.
        checkpoint_key = "journal.key";
        /// The sealed venue keys.
        vault = "vault";
        /// The key file that unlocks the vault, where there is one.
        vault_key = "vault.key";
        /// The sealed secrets of virtual keys.
        callers = "callers";
        /// The certificate of the private authority, for callers to trust.
        ca = "ca.pem";
        /// The authority's private key.
        ca_key = "ca.key";
        /// The listeners' certificate chain.
        chain = "tls.pem";
        /// The listeners' private key.
        tls_key = "tls.key";
        /// The socket of the administration.
        admin_socket = "admin.sock";
        /// The token of the administration over HTTPS.
        admin_token = "admin-token";
        /// While this file is there, everything is halted.
        halt_file = "HALT";
        /// What went without a record while the journal could not be written.
        emergency = "emergency";
        /// The clients' assertions that the gateway before this one had seen when it stopped.
        seen = "seen";
        /// What venues forbade, and until when.
        stops = "stops";
        /// Where the folder belongs: a copy of it is another file.
        place = "place";
        /// Held by the gateway that runs on the folder.
        lock = "gateway.lock";
    }
}

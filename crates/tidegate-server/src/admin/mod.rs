//! Administration: status, halts, accounts, keys, grants, limits. One service behind three doors:
//! the local socket, HTTPS with a token, and the halt file.

pub(crate) mod alarms;
mod apps;
mod breakers;
mod grants;
mod halt_file;
mod halts;
mod https;
mod keys;
mod margin;
mod options;
mod people;
mod policy;
pub mod protocol;
mod rights;
mod sealed;
mod service;
mod socket;
mod standing;
mod status;
mod view;

pub use breakers::spec as breaker_spec;
pub(crate) use grants::{ORDER_TYPES, SIDES};
pub use halt_file::write as write_halt_file;
pub(crate) use margin::told as margin_told;
pub(crate) use options::standing as options_standing;
pub(crate) use people::word;
pub(crate) use policy::told as policy_told;
pub(crate) use service::bytes_of;
pub use service::{Administration, Parts, Reload};
pub(crate) use standing::Loss;

use std::sync::Arc;
use std::thread;
use tidegate_types::approval::{Factor, Showing};
use tidegate_types::ids::PersonName;

/// Who administers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Administrator {
    /// Who.
    pub person: PersonName,
    /// It owns the data folder, and sets the desk up until that has an administrator.
    pub full: bool,
    /// By what it approves, if it can: who comes by browser shows a passkey for each approval.
    pub factor: Option<Factor>,
    /// How it shows that it is who asks.
    pub showing: Showing,
}

/// Starts the thread that serves the local socket and watches for the halt file. It has a runtime
/// of its own, so that it works while the event loop is busy.
pub fn start(admin: Arc<Administration>) -> std::io::Result<thread::JoinHandle<()>> {
    let listener = socket::bind(&admin.folder().admin_socket())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("admin".to_owned()).spawn(move || {
        runtime.block_on(async {
            let Ok(listener) = tokio::net::UnixListener::from_std(listener) else { return };
            tokio::select! {
                () = socket::serve(listener, Arc::clone(&admin)) => {}
                () = halt_file::watch(&admin) => {}
                () = admin.keep_sealed() => {}
                () = admin.stopped() => {}
            }
        });
    })
}

#[cfg(test)]
pub(crate) mod tests;

//! Administration: status, halts, accounts, keys, grants, limits. One service behind three doors:
//! the local socket, HTTPS with a token, and the halt file.

pub(crate) mod alarms;
mod grants;
mod halt_file;
mod halts;
mod https;
pub mod protocol;
mod service;
mod socket;
mod status;

pub use halt_file::write as write_halt_file;
pub use service::{Administration, Parts, Reload};

use std::sync::Arc;
use std::thread;
use tidegate_types::ids::PersonName;

/// Who administers, and what that person may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Administrator {
    /// Who.
    pub person: PersonName,
    /// Everything; otherwise status and halt alone.
    pub full: bool,
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
                () = admin.stopped() => {}
            }
        });
    })
}

#[cfg(test)]
pub(crate) mod tests;

//! The local socket: one request a line, one answer a line. Who connects is known by the user id
//! that the kernel vouches for.

use super::Administrator;
use super::protocol::{Failure, Response};
use super::service::{Administration, parse};
use crate::config::OWNER;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener as StdListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tidegate_types::approval::{Factor, Showing};
use tidegate_types::ids::PersonName;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

/// Most connections at once.
const MAX_CONNECTIONS: usize = 32;
/// Longest request.
const MAX_LINE: u64 = 64 * 1024;
/// How long a connection may be silent.
const IDLE: Duration = Duration::from_secs(300);

/// Binds the socket, readable by its owner alone. One that is left of a gateway that died is
/// replaced: only the holder of the folder's lock comes here.
pub(super) fn bind(path: &Path) -> io::Result<StdListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = StdListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

pub(super) async fn serve(listener: UnixListener, admin: Arc<Administration>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let admin = Arc::clone(&admin);
            tokio::spawn(async move {
                // A peer that goes away needs no answer.
                let _ = converse(stream, &admin).await;
                drop(place);
            });
        }
    }
}

async fn converse(mut stream: UnixStream, admin: &Administration) -> io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut read).take(MAX_LINE);
        let got = tokio::time::timeout(IDLE, limited.read_until(b'\n', &mut line));
        match got.await {
            Ok(Ok(1..)) if line.last() == Some(&b'\n') => {}
            _ => return Ok(()),
        }
        // Who that is changes while the desk is set up.
        let response = match (administrator(admin, uid), parse(&line)) {
            (Some(by), Ok(request)) => admin.carry_out(&by, request).await,
            (_, Err(failure)) => Response::Error(failure),
            (None, Ok(_)) => Response::Error(Failure::new(
                "forbidden",
                "the user has no name here",
                "name the user id under `people` in tidegate.toml",
            )),
        };
        write.write_all(format!("{}\n", response.to_json()).as_bytes()).await?;
    }
}

/// Who a user of the machine is. Until there is an administrator the folder's owner sets the desk up, as
/// nobody of it: one who is mapped to a person of the desk would be held to that person's roles.
pub(super) fn administrator(admin: &Administration, uid: u32) -> Option<Administrator> {
    let full = uid == admin.parts.owner_uid;
    let of_desk = |person: &PersonName| {
        admin.parts.desk.look(|state| !state.has_admin() && state.people().contains_key(person))
    };
    let mapped = admin.parts.config.person(uid).filter(|person| !(full && of_desk(person)));
    let person = match (mapped, full) {
        (Some(person), _) => person,
        (None, true) => PersonName::new(OWNER).ok()?,
        (None, false) => PersonName::new(&format!("uid-{uid}")).ok()?,
    };
    Some(Administrator { person, full, factor: Some(Factor::LocalSocket), showing: Showing::Door })
}

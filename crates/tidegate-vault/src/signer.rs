//! The signer: a child process that alone opens the venue keys.
//!
//! It starts with its socket as standard input and what unlocks the vault (the open key file, or a
//! pipe with the passphrase) in the place of standard output, so that no secret passes the gateway, an
//! argument or the environment. It opens the vault, gives up every right it does not need, and only
//! then reads a secret. After that it answers batches of intents with signed requests until the
//! socket closes.

pub mod harden;
mod key;
pub mod protocol;
mod rules;
mod selftest;

use crate::error::VaultError;
use crate::file::{is_private, read_all};
use crate::keys::Unlock;
use crate::store::VenueKeys;
use nix::unistd::dup2_stdout;
use protocol::{FromSigner, Hello, Ready, ToSigner, UnlockKind, next_frame, put_frame};
use rules::{Ledger, Rules};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{SystemTime, UNIX_EPOCH};
use tidegate_types::codec::from_bytes;
use tidegate_types::time::Time;
use tidegate_venues::registry;
use zeroize::Zeroize;

/// The hidden argument that makes the program a signer.
pub const ARGUMENT: &str = "signer";

/// Longest passphrase line or key file.
const MAX_UNLOCK_BYTES: u64 = 4096;

/// Most that is read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// What came over the socket. No secret does.
struct Inbox {
    unread: Vec<u8>,
    chunk: Vec<u8>,
}

/// Runs the signer until its socket closes. The whole process is the signer's: nothing else may run in
/// it, and `main` must come here before it starts a thread.
pub fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(_) => std::process::ExitCode::FAILURE,
    }
}

fn run() -> std::io::Result<()> {
    let mut limits = harden::first();
    let mut socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let unlock = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    dup2_stdout(File::options().write(true).open("/dev/null")?)?;
    let mut inbox = Inbox { unread: Vec::new(), chunk: vec![0; CHUNK_BYTES] };
    let hello = match read_frame(&mut socket, &mut inbox)? {
        Some(ToSigner::Hello { hello }) => hello,
        Some(_) | None => return Err(std::io::ErrorKind::InvalidData.into()),
    };
    // Opened while files can be, read once nothing else can be opened.
    let vault = File::open(&hello.vault);
    let hardened = harden::last(&mut limits);
    let opened = hardened
        .map_err(|why| why.to_owned())
        .and_then(|()| open_vault(&hello, vault, unlock).map_err(|error| error.to_string()));
    let (keys, callers_key) = match opened {
        Ok(opened) => opened,
        Err(why) => {
            return send(&mut socket, &FromSigner::Failed { why });
        }
    };
    let infos = keys.iter().map(|key| key.info().clone()).collect();
    let ready = Ready { pid: std::process::id(), limits, keys: infos, callers_key };
    let greeting = FromSigner::Ready { ready };
    send(&mut socket, &greeting)?;
    drop(greeting);
    let find = |name: &_| {
        registry::find(name).map(|venue| venue as &dyn tidegate_venues::upstream::Upstream)
    };
    let mut rules = Rules::new(keys, &find, Ledger::starting_at(hello.next_seq));
    serve(&mut socket, &mut inbox, &mut rules)
}

/// Answers requests until the socket closes.
fn serve(socket: &mut UnixStream, inbox: &mut Inbox, rules: &mut Rules<'_>) -> std::io::Result<()> {
    let mut out = Vec::new();
    loop {
        let mut used = 0;
        while let Some((frame, length)) = next_frame(inbox.unread.get(used..).unwrap_or_default())?
        {
            let answer = match from_bytes::<ToSigner>(frame) {
                Ok(ToSigner::Sign { requests }) => {
                    let now = now();
                    let answers = requests.iter().map(|request| rules.sign(request, now)).collect();
                    FromSigner::Answers { answers }
                }
                Ok(ToSigner::SelfTest { test }) => {
                    FromSigner::SelfTested { outcome: selftest::attempt(test) }
                }
                Ok(ToSigner::Hello { .. }) => FromSigner::Unreadable,
                Err(_) => FromSigner::Unreadable,
            };
            put_frame(&answer, &mut out);
            used += length;
        }
        inbox.unread.drain(..used);
        if !out.is_empty() {
            socket.write_all(&out)?;
            out.clear();
        }
        if !inbox.fill(socket)? {
            return Ok(());
        }
    }
}

type Opened = (Vec<key::SigningKey>, [u8; 32]);

fn open_vault(
    hello: &Hello,
    vault: std::io::Result<File>,
    unlock: File,
) -> Result<Opened, VaultError> {
    let path = std::path::Path::new(&hello.vault);
    let io = |source| VaultError::io(path, source);
    let vault = vault.map_err(io)?;
    if !is_private(&vault).map_err(io)? {
        return Err(VaultError::Exposed { path: path.to_owned() });
    }
    let unlock = match hello.unlock {
        UnlockKind::KeyFile => {
            let unlock_io = |source| VaultError::io(std::path::Path::new("the key file"), source);
            if !is_private(&unlock).map_err(unlock_io)? {
                return Err(VaultError::Exposed { path: "the key file".into() });
            }
            Unlock::key_file(&read_all(unlock).map_err(unlock_io)?)?
        }
        UnlockKind::Passphrase => Unlock::passphrase(&read_line(unlock)?),
    };
    let bytes = read_all(vault).map_err(io)?;
    let store = VenueKeys::from_bytes(bytes.expose(), &unlock)?;
    let keys = store.all()?.into_iter().map(key::SigningKey::open).collect::<Result<_, _>>()?;
    let callers = store.callers_key()?;
    let callers = callers.0.expose().try_into().map_err(|_| VaultError::Tampered)?;
    Ok((keys, callers))
}

/// One line off a pipe or terminal, without waiting for its end.
fn read_line(file: File) -> Result<tidegate_types::secret::Secret, VaultError> {
    let mut line = Vec::with_capacity(4096);
    let mut byte = [0];
    let mut file = file.take(MAX_UNLOCK_BYTES);
    let read = loop {
        match file.read(&mut byte) {
            Ok(0) => break Ok(()),
            Ok(_) => {
                line.extend_from_slice(&byte);
                if byte == *b"\n" {
                    break Ok(());
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    byte.zeroize();
    let line = tidegate_types::secret::Secret::new(line);
    read.map_err(|source| VaultError::io(std::path::Path::new("the passphrase"), source))?;
    Ok(line)
}

fn read_frame(socket: &mut UnixStream, inbox: &mut Inbox) -> std::io::Result<Option<ToSigner>> {
    loop {
        if let Some((frame, length)) = next_frame(&inbox.unread)? {
            let message = from_bytes(frame).map_err(|_| std::io::ErrorKind::InvalidData)?;
            inbox.unread.drain(..length);
            return Ok(Some(message));
        }
        if !inbox.fill(socket)? {
            return Ok(None);
        }
    }
}

impl Inbox {
    /// Reads what there is; `false` at the end.
    fn fill(&mut self, socket: &mut UnixStream) -> std::io::Result<bool> {
        loop {
            match socket.read(&mut self.chunk) {
                Ok(0) => return Ok(false),
                Ok(length) => {
                    self.unread.extend_from_slice(self.chunk.get(..length).unwrap_or_default());
                    return Ok(true);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn send(socket: &mut UnixStream, message: &FromSigner) -> std::io::Result<()> {
    let mut out = Vec::new();
    put_frame(message, &mut out);
    let sent = socket.write_all(&out);
    out.zeroize();
    sent
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

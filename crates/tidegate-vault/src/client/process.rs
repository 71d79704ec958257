//! Starting a signer and shaking hands with it.

use crate::error::VaultError;
use crate::file::open_private;
use crate::signer::ARGUMENT;
use crate::signer::protocol::{
    FromSigner, Hello, Ready, ToSigner, UnlockKind, next_frame, put_frame,
};
use std::fmt;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tidegate_types::codec::from_bytes;
use tidegate_types::ids::Seq;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use zeroize::Zeroize;

/// How long a signer may take to open a vault by itself.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How long it may take to end once its socket is closed.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// How to start a signer.
#[derive(Debug)]
pub struct SignerConfig {
    /// The program, which becomes a signer by the argument `signer`.
    pub program: PathBuf,
    /// The file of the venue keys.
    pub vault: PathBuf,
    /// What unlocks it.
    pub unlock: UnlockSource,
}

/// What unlocks the vault. The gateway hands it on unread.
#[derive(Debug)]
pub enum UnlockSource {
    /// A key file; the signer can be started anew with it.
    KeyFile(PathBuf),
    /// A pipe or terminal with the passphrase on one line, good for one start.
    Passphrase(Option<OwnedFd>),
}

/// Why a signer did not start.
#[derive(Debug)]
pub enum SignerError {
    /// The program could not be run.
    Program(std::io::Error),
    /// What unlocks the vault could not be used.
    Unlock(VaultError),
    /// It ended or fell silent before the vault was open.
    Silent,
    /// It could not open the vault.
    Vault(String),
}

/// A signer that is ready.
pub(super) struct Connection {
    pub(super) child: Child,
    pub(super) stream: UnixStream,
}

impl SignerConfig {
    /// A signer that is this same program, unlocked by a key file.
    ///
    /// # Errors
    /// When the program's own path is not known.
    pub fn this_program(vault: PathBuf, unlock: UnlockSource) -> std::io::Result<SignerConfig> {
        Ok(SignerConfig { program: std::env::current_exe()?, vault, unlock })
    }
}

impl UnlockSource {
    /// Whether it is good for another start.
    pub(super) fn lasts(&self) -> bool {
        match self {
            UnlockSource::KeyFile(_) => true,
            UnlockSource::Passphrase(_) => false,
        }
    }

    fn open(&mut self) -> Result<(Stdio, UnlockKind, Option<Duration>), VaultError> {
        match self {
            UnlockSource::KeyFile(path) => {
                Ok((open_private(path)?.into(), UnlockKind::KeyFile, Some(START_TIMEOUT)))
            }
            // A person may take any time to type it.
            UnlockSource::Passphrase(fd) => {
                let fd = fd.take().ok_or(VaultError::System("the passphrase was used already"))?;
                Ok((fd.into(), UnlockKind::Passphrase, None))
            }
        }
    }
}

/// Starts a signer and waits until the vault is open.
pub(super) async fn start(
    config: &mut SignerConfig,
    next_seq: Seq,
) -> Result<(Connection, Ready), SignerError> {
    let (unlock, kind, patience) = config.unlock.open().map_err(SignerError::Unlock)?;
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(SignerError::Program)?;
    ours.set_nonblocking(true).map_err(SignerError::Program)?;
    let child = Command::new(&config.program)
        .arg(ARGUMENT)
        .env_clear()
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(unlock)
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(SignerError::Program)?;
    let mut stream = UnixStream::from_std(ours).map_err(SignerError::Program)?;
    let vault = config.vault.to_string_lossy().into_owned();
    let hello = Hello { vault, unlock: kind, next_seq };
    let greet = greet(&mut stream, hello);
    let ready = match patience {
        Some(patience) => {
            tokio::time::timeout(patience, greet).await.unwrap_or(Err(SignerError::Silent))?
        }
        None => greet.await?,
    };
    Ok((Connection { child, stream }, ready))
}

/// Waits for a signer whose socket is closed, and ends it if it does not end by itself.
pub(super) async fn stop(mut child: Child) {
    if tokio::time::timeout(STOP_TIMEOUT, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

async fn greet(stream: &mut UnixStream, hello: Hello) -> Result<Ready, SignerError> {
    let silent = |_| SignerError::Silent;
    let mut out = Vec::new();
    put_frame(&ToSigner::Hello { hello }, &mut out);
    stream.write_all(&out).await.map_err(silent)?;
    let mut buffer = Vec::with_capacity(64 * 1024);
    let message = loop {
        if stream.read_buf(&mut buffer).await.map_err(silent)? == 0 {
            return Err(SignerError::Silent);
        }
        if let Some((frame, _)) = next_frame(&buffer).map_err(silent)? {
            break from_bytes(frame);
        }
    };
    buffer.zeroize();
    match message {
        Ok(FromSigner::Ready { ready }) => Ok(ready),
        Ok(FromSigner::Failed { why }) => Err(SignerError::Vault(why)),
        Ok(FromSigner::Answers { .. } | FromSigner::SelfTested { .. } | FromSigner::Unreadable)
        | Err(_) => Err(SignerError::Silent),
    }
}

impl fmt::Display for SignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SignerError::Program(error) => write!(f, "cannot start the signer: {error}"),
            SignerError::Unlock(error) => write!(f, "cannot unlock the vault: {error}"),
            SignerError::Silent => f.write_str("the signer ended before the vault was open"),
            SignerError::Vault(why) => write!(f, "the signer cannot open the vault: {why}"),
        }
    }
}

impl std::error::Error for SignerError {}

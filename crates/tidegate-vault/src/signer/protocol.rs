//! What gateway and signer say to each other: frames of a length (4 bytes, little endian) and a
//! message in the common byte form.

use crate::keys::CallersKey;
use crate::store::VenueKeyInfo;
use std::fmt;
use tidegate_types::call::{Call, Warrant, WireRequest};
use tidegate_types::codec::{Codec, to_bytes};
use tidegate_types::ids::{CallId, Seq};
use tidegate_types::time::Time;
use tidegate_types::{codec_enum, codec_struct};
use zeroize::Zeroize;

/// Longest frame either side takes.
pub const MAX_FRAME_BYTES: usize = 8 * 1024 * 1024;

/// The first message to a signer.
#[derive(Debug)]
pub struct Hello {
    /// The file of the venue keys.
    pub vault: String,
    /// What the descriptor in the place of standard output gives.
    pub unlock: UnlockKind,
    /// The journal's next number: records below it are signed no more.
    pub next_seq: Seq,
}
codec_struct!(Hello { vault, unlock, next_seq });

/// What unlocks the vault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnlockKind {
    /// A key file.
    KeyFile,
    /// A line with the passphrase.
    Passphrase,
}
codec_enum!(UnlockKind { 0 => KeyFile, 1 => Passphrase });

/// How a request is to be signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignAs {
    /// The public id of the account's key that is to sign.
    pub key: String,
    /// What the venue's clock shows, as far as the gateway knows: the request's time stamp. The signer takes it while
    /// it is near its own clock.
    pub at: Time,
}
codec_struct!(SignAs { key, at });

/// An intent to sign, and why it may be signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignRequest {
    /// Why.
    pub warrant: Warrant,
    /// By which key, and at what time.
    pub by: SignAs,
    /// What.
    pub call: Call,
}
codec_struct!(SignRequest { warrant, by, call });

/// To the signer.
#[derive(Debug)]
pub enum ToSigner {
    /// Once, first.
    Hello {
        /// What it needs to start.
        hello: Hello,
    },
    /// Sign these, in order.
    Sign {
        /// The intents.
        requests: Vec<SignRequest>,
    },
    /// Try what the signer must not be able to do.
    SelfTest {
        /// What.
        test: SelfTest,
    },
}
codec_enum!(ToSigner { 0 => Hello { hello }, 1 => Sign { requests }, 2 => SelfTest { test } });

/// Something that the signer must not be able to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SelfTest {
    /// Open a file.
    OpenFile,
    /// Make a socket. This ends the signer.
    MakeSocket,
    /// Run a program. This ends the signer.
    RunProgram,
}
codec_enum!(SelfTest { 0 => OpenFile, 1 => MakeSocket, 2 => RunProgram });

/// From the signer.
#[derive(Debug)]
pub enum FromSigner {
    /// The vault is open.
    Ready {
        /// What the gateway must know.
        ready: Ready,
    },
    /// The vault cannot be opened; the signer ends.
    Failed {
        /// Why.
        why: String,
    },
    /// The answers to one `Sign`, in order.
    Answers {
        /// One for each intent.
        answers: Vec<SignAnswer>,
    },
    /// What a self-test came to.
    SelfTested {
        /// `None`: it was possible, which it must not be; otherwise the system's refusal.
        outcome: Option<String>,
    },
    /// A frame could not be read or came out of turn; nothing of it was signed.
    Unreadable,
}
codec_enum!(FromSigner {
    0 => Ready { ready }, 1 => Failed { why }, 2 => Answers { answers },
    3 => SelfTested { outcome }, 4 => Unreadable,
});

/// The answer to one intent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SignAnswer {
    /// The request, signed.
    Signed {
        /// Which call.
        call: CallId,
        /// The request.
        request: WireRequest,
    },
    /// The signer does not sign it.
    Refused {
        /// Which call.
        call: CallId,
        /// Why.
        why: String,
    },
}
codec_enum!(SignAnswer { 0 => Signed { call, request }, 1 => Refused { call, why } });

/// What a signer says once the vault is open.
pub struct Ready {
    /// Its process.
    pub pid: u32,
    /// What it gave up.
    pub limits: Limits,
    /// The keys it holds.
    pub keys: Vec<VenueKeyInfo>,
    pub(crate) callers_key: [u8; 32],
}
codec_struct!(Ready { pid, limits, keys, callers_key });

/// What the signer gave up before it read a secret.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// No debugger of the same user, no core dump.
    pub not_dumpable: bool,
    /// No core dump by resource limit either.
    pub no_core: bool,
    /// It ends with the gateway.
    pub dies_with_parent: bool,
    /// No program gives it new rights.
    pub no_new_privileges: bool,
    /// Its memory is never written to swap.
    pub memory_locked: bool,
    /// How far the kernel enforces Landlock: no file, no port.
    pub landlock: String,
    /// System calls are filtered.
    pub seccomp: bool,
}
codec_struct!(Limits {
    not_dumpable,
    no_core,
    dies_with_parent,
    no_new_privileges,
    memory_locked,
    landlock,
    seccomp,
});

impl Limits {
    /// What is not in force on this machine, in words; empty when everything is.
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        let mut note = |there: bool, what: &str| {
            if !there {
                missing.push(what.to_owned());
            }
        };
        note(self.not_dumpable && self.no_core, "the signer's memory may be dumped");
        note(self.dies_with_parent, "the signer may outlive the gateway");
        note(self.no_new_privileges, "the signer may gain rights");
        note(
            self.memory_locked,
            "the signer's memory may be written to swap: raise the limit on locked memory \
             (`LimitMEMLOCK=infinity`) or turn swap off",
        );
        note(self.landlock == harden_full(), &format!("Landlock: {}", self.landlock));
        note(self.seccomp, "the signer's system calls are not filtered");
        missing
    }
}

/// What `Limits::landlock` says when all that is asked for is enforced.
pub(crate) const fn harden_full() -> &'static str {
    "enforced"
}

impl Ready {
    /// What seals the secrets of virtual keys.
    pub fn callers_key(&self) -> CallersKey {
        CallersKey::from_bytes(self.callers_key.to_vec())
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        self.callers_key.zeroize();
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ready({}, {:?}, {:?})", self.pid, self.limits, self.keys)
    }
}

/// Appends a message as a frame.
pub fn put_frame<T: Codec>(message: &T, out: &mut Vec<u8>) {
    let mut bytes = to_bytes(message);
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&bytes);
    bytes.zeroize();
}

/// The first frame in `input` and how many bytes it takes with its length, if all of it is there.
///
/// # Errors
/// When it is longer than a frame may be: the two sides do not understand each other.
pub fn next_frame(input: &[u8]) -> std::io::Result<Option<(&[u8], usize)>> {
    let Some((length, rest)) = input.split_first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if length > MAX_FRAME_BYTES {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    Ok(rest.get(..length).map(|frame| (frame, length + 4)))
}

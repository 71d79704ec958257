//! Signed checkpoints: C2SP `tlog-checkpoint` and `signed-note`, with Ed25519 keys.

use crate::error::{Damage, JournalError};
use crate::merkle::{Hash, sha256};
use crate::storage::Storage;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::fmt::{self, Write as _};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// The newest checkpoint, in the journal's folder.
pub const CHECKPOINT_FILE: &str = "checkpoint";
/// The public key that checks it, in the journal's folder.
pub const VERIFIER_KEY_FILE: &str = "verifier-key";

const ED25519_ALGORITHM: u8 = 1;
const PRIVATE: &str = "PRIVATE+KEY+";
const DASH: &str = "\u{2014} ";
/// No signed note is longer; a witness's signature takes about a hundred bytes.
const MAX_NOTE_BYTES: usize = 16 * 1024;

/// The public key of a journal, with its origin line as name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: String,
    public: [u8; 32],
}

/// The key that signs a journal's checkpoints.
pub struct CheckpointKey {
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

/// What a checkpoint says: this journal began with this tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Which journal.
    pub origin: String,
    /// How many records.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

/// A text and the signatures under it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// What is signed.
    pub text: String,
    /// Who signed.
    pub signatures: Vec<NoteSignature>,
}

/// One signature of a note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteSignature {
    /// The key's name.
    pub name: String,
    /// The key's hash.
    pub key_id: u32,
    /// The signature.
    pub signature: Vec<u8>,
}

/// An origin line for a new journal: `tidegate.local/<desk>/<random>`.
pub fn new_origin(desk: &str) -> Result<String, JournalError> {
    let mut random = [0; 8];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| JournalError::BadKey("there is no randomness".to_owned()))?;
    Ok(format!("tidegate.local/{desk}/{:016x}", u64::from_be_bytes(random)))
}

impl VerifierKey {
    /// Reads `name+hash+base64`, exactly as [`VerifierKey::to_string`] writes it.
    pub fn parse(text: &str) -> Result<VerifierKey, JournalError> {
        let bad = |why: &str| JournalError::BadKey(format!("`{text}` {why}"));
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad("is not `name+hash+key`"));
        };
        let key = BASE64.decode(key).map_err(|_| bad("is not base64 in its last part"))?;
        let Some((&ED25519_ALGORITHM, public)) = key.split_first() else {
            return Err(bad("is not an Ed25519 key"));
        };
        let public = public.try_into().map_err(|_| bad("is not an Ed25519 key"))?;
        let verifier = VerifierKey { name: name.to_owned(), public };
        if !is_key_name(name) || verifier.to_string() != text {
            return Err(bad("does not agree with its own hash"));
        }
        Ok(verifier)
    }

    /// Reads the verifier key that lies in a journal's folder.
    pub fn load(storage: &dyn Storage, path: &str) -> Result<VerifierKey, JournalError> {
        let bytes = storage.read(path).map_err(JournalError::io("read", path))?;
        std::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| text.strip_suffix('\n'))
            .and_then(|line| VerifierKey::parse(line).ok())
            .ok_or_else(|| Damage::of_file(path, "this is not a verifier key").into())
    }

    /// The key's name, which is the journal's origin line.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of the hash of name and key, as signatures carry it.
    pub fn key_id(&self) -> u32 {
        let mut named = self.name.clone().into_bytes();
        named.extend([b'\n', ED25519_ALGORITHM]);
        named.extend(self.public);
        sha256(&named).first_chunk().map_or(0, |head| u32::from_be_bytes(*head))
    }

    /// SHA-256 of the origin line, as segments carry it.
    pub fn origin_hash(&self) -> Hash {
        sha256(self.name.as_bytes())
    }

    /// Reads a checkpoint of this journal, checking this key's signature. Takes any bytes.
    pub fn open(&self, note: &[u8]) -> Result<Checkpoint, &'static str> {
        let note = parse_note(note)?;
        let (name, key_id) = (self.name(), self.key_id());
        let signature = note
            .signatures
            .iter()
            .find(|one| one.name == name && one.key_id == key_id)
            .ok_or("the checkpoint is not signed by the journal's key")?;
        UnparsedPublicKey::new(&ED25519, &self.public)
            .verify(note.text.as_bytes(), &signature.signature)
            .map_err(|_| "the checkpoint's signature does not match")?;
        let checkpoint = parse_checkpoint(&note.text)?;
        if checkpoint.origin != self.name {
            return Err("the checkpoint is of another journal");
        }
        Ok(checkpoint)
    }
}

impl CheckpointKey {
    /// The key with this name (the journal's origin line) and seed.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<CheckpointKey, JournalError> {
        if !is_key_name(name) {
            return Err(JournalError::BadKey(format!(
                "`{name}` cannot be an origin: it is empty or has a space or a plus sign"
            )));
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)
            .map_err(|_| JournalError::BadKey("the seed is not a key".to_owned()))?;
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| JournalError::BadKey("the seed is not a key".to_owned()))?;
        let verifier = VerifierKey { name: name.to_owned(), public };
        Ok(CheckpointKey { pair, verifier })
    }

    /// Makes a key and writes it to a new file that its owner alone may read.
    pub fn create(path: &Path, name: &str) -> Result<CheckpointKey, JournalError> {
        let mut seed = Zeroizing::new([0_u8; 32]);
        aws_lc_rs::rand::fill(seed.as_mut_slice())
            .map_err(|_| JournalError::BadKey("there is no randomness".to_owned()))?;
        let key = CheckpointKey::new(name, &seed)?;
        let mut secret = Zeroizing::new(vec![ED25519_ALGORITHM]);
        secret.extend(seed.as_slice());
        let secret = Zeroizing::new(BASE64.encode(secret.as_slice()));
        let line =
            Zeroizing::new(format!("{PRIVATE}{name}+{:08x}+{}\n", key.verifier.key_id(), *secret));
        let write = || -> io::Result<()> {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(line.as_bytes())?;
            file.sync_all()?;
            fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(JournalError::io("write", path.display()))?;
        Ok(key)
    }

    /// Reads the key from the file that [`CheckpointKey::create`] made.
    pub fn load(path: &Path) -> Result<CheckpointKey, JournalError> {
        let bytes = fs::read(path).map_err(JournalError::io("read", path.display()))?;
        let bytes = Zeroizing::new(bytes);
        let bad = || JournalError::BadKey(format!("`{}` is not a key file", path.display()));
        let text = std::str::from_utf8(&bytes).map_err(|_| bad())?;
        let mut parts = text.trim_end().strip_prefix(PRIVATE).ok_or_else(bad)?.splitn(3, '+');
        let (Some(name), Some(hash), Some(secret)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(bad());
        };
        let secret = Zeroizing::new(BASE64.decode(secret).map_err(|_| bad())?);
        let Some((&ED25519_ALGORITHM, seed)) = secret.split_first() else { return Err(bad()) };
        let key = CheckpointKey::new(name, seed.try_into().map_err(|_| bad())?)?;
        if format!("{:08x}", key.verifier.key_id()) == hash { Ok(key) } else { Err(bad()) }
    }

    /// The key in `path`, made for `origin()` if there is no such file.
    pub fn load_or_create(
        path: &Path,
        origin: impl FnOnce() -> Result<String, JournalError>,
    ) -> Result<CheckpointKey, JournalError> {
        if path.exists() {
            CheckpointKey::load(path)
        } else {
            CheckpointKey::create(path, &origin()?)
        }
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signed checkpoint of the first `size` records.
    pub fn sign(&self, size: u64, root: &Hash) -> Vec<u8> {
        let name = self.verifier.name();
        let text = format!("{name}\n{size}\n{}\n", BASE64.encode(root));
        let mut signed = self.verifier.key_id().to_be_bytes().to_vec();
        signed.extend(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n{DASH}{name} {}\n", BASE64.encode(signed)).into_bytes()
    }
}

/// Reads a signed note without checking any signature. Takes any bytes.
pub fn parse_note(bytes: &[u8]) -> Result<Note, &'static str> {
    const NOT_A_NOTE: &str = "this is not a signed note";
    if bytes.len() > MAX_NOTE_BYTES {
        return Err("the note is too long");
    }
    let whole = std::str::from_utf8(bytes).map_err(|_| NOT_A_NOTE)?;
    if whole.chars().any(|c| c < ' ' && c != '\n') {
        return Err(NOT_A_NOTE);
    }
    let split = whole.rfind("\n\n").ok_or(NOT_A_NOTE)?;
    let (text, lines) = whole.split_at_checked(split + 1).ok_or(NOT_A_NOTE)?;
    let lines = lines.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
    let mut signatures = Vec::new();
    for line in lines.ok_or(NOT_A_NOTE)?.split('\n') {
        let (name, signed) =
            line.strip_prefix(DASH).and_then(|rest| rest.split_once(' ')).ok_or(NOT_A_NOTE)?;
        let signed = BASE64.decode(signed).map_err(|_| NOT_A_NOTE)?;
        let (key_id, signature) = signed.split_first_chunk::<4>().ok_or(NOT_A_NOTE)?;
        if !is_key_name(name) || signature.is_empty() {
            return Err(NOT_A_NOTE);
        }
        signatures.push(NoteSignature {
            name: name.to_owned(),
            key_id: u32::from_be_bytes(*key_id),
            signature: signature.to_vec(),
        });
    }
    Ok(Note { text: text.to_owned(), signatures })
}

/// Reads the text of a checkpoint; lines after the root are ignored, as the format asks.
pub fn parse_checkpoint(text: &str) -> Result<Checkpoint, &'static str> {
    const NOT_A_CHECKPOINT: &str = "this is not a checkpoint";
    let mut lines = text.strip_suffix('\n').ok_or(NOT_A_CHECKPOINT)?.split('\n');
    let (Some(origin), Some(digits), Some(root)) = (lines.next(), lines.next(), lines.next())
    else {
        return Err(NOT_A_CHECKPOINT);
    };
    let size: u64 = digits.parse().map_err(|_| NOT_A_CHECKPOINT)?;
    if size.to_string() != digits || origin.is_empty() || lines.any(str::is_empty) {
        return Err(NOT_A_CHECKPOINT);
    }
    let root = BASE64.decode(root).map_err(|_| NOT_A_CHECKPOINT)?;
    let root = root.try_into().map_err(|_| NOT_A_CHECKPOINT)?;
    Ok(Checkpoint { origin: origin.to_owned(), size, root })
}

/// Lower-case hexadecimal, for people.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519_ALGORITHM];
        key.extend(self.public);
        write!(f, "{}+{:08x}+{}", self.name, self.key_id(), BASE64.encode(key))
    }
}

impl fmt::Debug for CheckpointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckpointKey({})", self.verifier)
    }
}

#[cfg(test)]
mod tests;

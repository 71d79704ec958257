//! AES-256-GCM over single values, and a file of values that are sealed one by one.
//!
//! The file is a line that names the format, then in the common byte form: what the file is for, a
//! header, what says which key it is under, how many seals that key made, the entries, and a seal over all of
//! that. An entry's seal covers its name and the file's purpose too, so entries can be neither exchanged nor
//! moved between files; the seal of the whole shows entries left out and changes of the header.
//!
//! The cipher alone does not say which key a text is under: one can be made that opens under two. So the file
//! carries a digest of its key, which is looked at before anything is opened. Nonces are random, so a key
//! may seal so often and no more.

use crate::error::VaultError;
use crate::keys::expand;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::collections::BTreeMap;
use tidegate_types::codec::{Codec, CodecError, decode_bytes, encode_bytes};
use tidegate_types::codec_struct;
use tidegate_types::secret::Secret;

const MAGIC: &[u8] = b"tidegate sealed 2\n";
/// The format before: without the digest of its key, and nothing counted. It is read, and written anew as
/// the one of now.
const FIRST: &[u8] = b"tidegate sealed 1\n";
/// What the seals of entries cover first; the same in both formats, so that entries stay as they are.
const ENTRY: &[u8] = FIRST;
/// Most seals under one key: half of what NIST SP 800-38D (8.3) allows where nonces are random, because a file
/// that was put back from a backup has forgotten those since.
pub(crate) const MAX_SEALS: u64 = 1 << 31;
/// What a file of the first format counts as, which is more than any of them saw.
const UNCOUNTED: u64 = 1 << 24;

/// Bytes with one length before them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Blob(pub(crate) Vec<u8>);

/// A sealed value.
#[derive(Clone)]
pub(crate) struct Sealed {
    nonce: [u8; 12],
    text: Blob,
}
codec_struct!(Sealed { nonce, text });

/// A file of sealed values.
#[derive(Clone)]
pub(crate) struct SealedFile {
    pub(crate) purpose: String,
    pub(crate) header: Vec<u8>,
    /// How many seals were made under its key.
    pub(crate) seals: u64,
    entries: BTreeMap<String, Sealed>,
}

struct Contents {
    purpose: String,
    header: Blob,
    commitment: [u8; 32],
    seals: u64,
    entries: BTreeMap<String, Sealed>,
}
codec_struct!(Contents { purpose, header, commitment, seals, entries });

struct FirstContents {
    purpose: String,
    header: Blob,
    entries: BTreeMap<String, Sealed>,
}
codec_struct!(FirstContents { purpose, header, entries });

/// A file, taken apart and not opened.
struct Parts<'a> {
    purpose: String,
    header: Blob,
    /// None in the first format.
    commitment: Option<[u8; 32]>,
    seals: u64,
    entries: BTreeMap<String, Sealed>,
    covered: &'a [u8],
    whole: Sealed,
}

/// Seals `plain` under `key`; `about` is covered and not hidden.
pub(crate) fn seal(key: &Secret, about: &[u8], plain: &[u8]) -> Result<Sealed, VaultError> {
    let mut nonce = [0; 12];
    random(&mut nonce)?;
    let mut text = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
    text.extend_from_slice(plain);
    aes(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(about), &mut text)
        .map_err(|_| VaultError::System("sealing"))?;
    Ok(Sealed { nonce, text: Blob(text) })
}

/// Opens what was sealed under `key` about `about`; `None` when key, text or `about` differ.
pub(crate) fn open(key: &Secret, about: &[u8], sealed: &Sealed) -> Option<Secret> {
    let mut text = sealed.text.0.clone();
    let nonce = Nonce::assume_unique_for_key(sealed.nonce);
    let length = aes(key).ok()?.open_in_place(nonce, Aad::from(about), &mut text).ok()?.len();
    text.truncate(length);
    Some(Secret::new(text))
}

/// Fills `bytes` from the system's generator.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), VaultError> {
    getrandom::fill(bytes).map_err(|_| VaultError::System("no random bytes"))
}

impl SealedFile {
    /// A file without entries, under a key that sealed nothing yet.
    pub(crate) fn new(purpose: &str, header: Vec<u8>) -> SealedFile {
        SealedFile { purpose: purpose.to_owned(), header, seals: 0, entries: BTreeMap::new() }
    }

    /// The header of a file, before anything of it is checked.
    pub(crate) fn peek_header(bytes: &[u8], purpose: &str) -> Result<Vec<u8>, VaultError> {
        split(bytes, purpose).map(|parts| parts.header.0)
    }

    /// Reads a file and checks that it is under this key, and its seal.
    pub(crate) fn parse(
        bytes: &[u8],
        purpose: &str,
        key: &Secret,
    ) -> Result<SealedFile, VaultError> {
        let parts = split(bytes, purpose)?;
        let own = commitment(key, purpose)?;
        if parts.commitment.is_some_and(|committed| committed != own) {
            return Err(VaultError::Tampered);
        }
        open(key, parts.covered, &parts.whole).ok_or(VaultError::Tampered)?;
        let Parts { purpose, header, seals, entries, .. } = parts;
        Ok(SealedFile { purpose, header: header.0, seals, entries })
    }

    /// The bytes of the file, sealed anew.
    pub(crate) fn seal(&mut self, key: &Secret) -> Result<Vec<u8>, VaultError> {
        self.count()?;
        let mut out = MAGIC.to_vec();
        self.purpose.encode(&mut out);
        encode_bytes(&self.header, &mut out);
        commitment(key, &self.purpose)?.encode(&mut out);
        self.seals.encode(&mut out);
        self.entries.encode(&mut out);
        let whole = seal(key, &out, &[])?;
        whole.encode(&mut out);
        Ok(out)
    }

    /// The names of the entries.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Seals an entry, in place of the one of that name if there is one.
    pub(crate) fn put(&mut self, key: &Secret, name: &str, plain: &[u8]) -> Result<(), VaultError> {
        self.count()?;
        let sealed = seal(key, &self.about(name), plain)?;
        self.entries.insert(name.to_owned(), sealed);
        Ok(())
    }

    /// Opens an entry, if there is one of that name.
    pub(crate) fn get(&self, key: &Secret, name: &str) -> Result<Option<Secret>, VaultError> {
        let Some(sealed) = self.entries.get(name) else { return Ok(None) };
        open(key, &self.about(name), sealed).map(Some).ok_or(VaultError::Tampered)
    }

    /// Removes an entry; whether there was one.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        self.entries.remove(name).is_some()
    }

    /// Counts one more seal under the file's key.
    fn count(&mut self) -> Result<(), VaultError> {
        if self.seals >= MAX_SEALS {
            return Err(VaultError::WornOut);
        }
        self.seals += 1;
        Ok(())
    }

    fn about(&self, name: &str) -> Vec<u8> {
        let mut about = ENTRY.to_vec();
        encode_bytes(self.purpose.as_bytes(), &mut about);
        encode_bytes(name.as_bytes(), &mut about);
        about
    }
}

fn split<'a>(bytes: &'a [u8], purpose: &str) -> Result<Parts<'a>, VaultError> {
    let unknown = VaultError::Format("it does not begin with a version that this program reads");
    let (mut rest, contents) = match (bytes.strip_prefix(MAGIC), bytes.strip_prefix(FIRST)) {
        (Some(mut rest), _) => {
            let Contents { purpose, header, commitment, seals, entries } =
                Contents::decode(&mut rest).map_err(|_| VaultError::Tampered)?;
            (rest, (purpose, header, Some(commitment), seals, entries))
        }
        (None, Some(mut rest)) => {
            let FirstContents { purpose, header, entries } =
                FirstContents::decode(&mut rest).map_err(|_| VaultError::Tampered)?;
            (rest, (purpose, header, None, UNCOUNTED, entries))
        }
        (None, None) => return Err(unknown),
    };
    let covered = bytes.get(..bytes.len() - rest.len()).unwrap_or_default();
    let whole = Sealed::decode(&mut rest).map_err(|_| VaultError::Tampered)?;
    if !rest.is_empty() {
        return Err(VaultError::Tampered);
    }
    let (found, header, commitment, seals, entries) = contents;
    if found != purpose {
        return Err(VaultError::Format("it is a store for something else"));
    }
    Ok(Parts { purpose: found, header, commitment, seals, entries, covered, whole })
}

/// What says which key a file is under, and nothing else of it: whoever has two keys finds no file for both.
fn commitment(key: &Secret, purpose: &str) -> Result<[u8; 32], VaultError> {
    let derived = expand(key, b"tidegate key commitment", purpose)?;
    derived.expose().try_into().map_err(|_| VaultError::System("deriving a key"))
}

fn aes(key: &Secret) -> Result<LessSafeKey, VaultError> {
    UnboundKey::new(&AES_256_GCM, key.expose())
        .map(LessSafeKey::new)
        .map_err(|_| VaultError::System("the key has the wrong length"))
}

impl Codec for Blob {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_bytes(&self.0, out);
    }

    fn decode(input: &mut &[u8]) -> Result<Blob, CodecError> {
        decode_bytes(input).map(|bytes| Blob(bytes.to_vec()))
    }

    fn show(&self, out: &mut String) {
        out.push_str("\"[bytes]\"");
    }
}

#[cfg(test)]
mod tests;

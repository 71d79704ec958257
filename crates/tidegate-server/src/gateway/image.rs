//! The bytes of a saved state, and when they are believed. Without files, so that a simulation
//! follows the same rule.

use aws_lc_rs::digest::{SHA256, digest};
use tidegate_core::{Core, CoreSettings};
use tidegate_identity::Ledger;
use tidegate_journal::{JournalError, Reader};
use tidegate_types::codec::{Codec, CodecError, decode_bytes, encode_bytes, from_bytes};
use tidegate_types::ids::Seq;
use tidegate_types::record::{Body, Record};

pub(super) const MAGIC: &[u8; 16] = b"tidegate state 1";
pub(super) const HEAD: usize = MAGIC.len() + 32 + 8;

/// A digest by SHA-256.
pub type Digest = [u8; 32];

/// Reads the journal from a record on.
pub type Journal<'a> = &'a dyn Fn(Seq) -> Result<Reader, JournalError>;

/// A state and where the journal goes on from it.
#[derive(Debug)]
pub struct Saved {
    /// The core with that state.
    pub core: Core,
    /// Who is calling, as the same records tell.
    pub ledger: Ledger,
    /// The first record that is not in it.
    pub next: Seq,
}

/// The state after the records below `end`, or below what is written of them, from the journal
/// itself and the state saved before; and the first record that is not in it.
///
/// # Errors
/// When the journal cannot be read.
pub fn make(
    saved: Option<Saved>,
    settings: CoreSettings,
    end: Seq,
    journal: Journal<'_>,
) -> Result<(Seq, Vec<u8>), JournalError> {
    let (mut core, mut ledger, from) = match saved {
        Some(saved) => (saved.core, saved.ledger, saved.next),
        None => (Core::new(settings), Ledger::default(), Seq(0)),
    };
    let mut reader = journal(from)?;
    while reader.next_seq() < end {
        let Some((seq, record)) = reader.next_record()? else { break };
        core.replay(seq, &record);
        ledger.replay(&record.body);
    }
    let mut state = Vec::new();
    encode_bytes(&core.state_bytes(), &mut state);
    ledger.encode(&mut state);
    Ok((core.next_seq(), state))
}

/// What stands before the state's own bytes. What a record changes, and so what a state holds, is
/// known to the program that made it alone: `program` is its digest.
pub fn head(program: &Digest, next: Seq) -> Vec<u8> {
    let next = next.0.to_le_bytes();
    [MAGIC.as_slice(), program.as_slice(), next.as_slice()].concat()
}

/// The state that these bytes hold, if this program made them and the journal bears them out.
///
/// # Errors
/// Why they are not believed.
pub fn take_up(
    bytes: &[u8],
    program: &Digest,
    settings: &CoreSettings,
    journal: Journal<'_>,
) -> Result<Saved, String> {
    let (head, state) = bytes.split_at_checked(HEAD).ok_or("the file is cut")?;
    let (magic, head) = head.split_at(MAGIC.len());
    let (made_by, next) = head.split_at(32);
    if magic != MAGIC {
        return Err("it is not a saved state of this version".to_owned());
    }
    if made_by != program {
        return Err("another version of the program made it".to_owned());
    }
    let next = Seq(next.try_into().map(u64::from_le_bytes).unwrap_or_default());
    if !is_recorded(journal, next, &sha256(state)).map_err(|e| e.to_string())? {
        return Err("the journal has no record of it".to_owned());
    }
    let unread = |error: CodecError| format!("it cannot be read: {error}");
    let mut ledger = state;
    let core = decode_bytes(&mut ledger).map_err(unread)?;
    let core = Core::restored(settings.clone(), next, core).map_err(unread)?;
    let ledger = from_bytes(ledger).map_err(unread)?;
    Ok(Saved { core, ledger, next })
}

/// Whether the journal says that the state before `next` had this digest.
fn is_recorded(journal: Journal<'_>, next: Seq, digest: &Digest) -> Result<bool, JournalError> {
    let mut reader = journal(next)?;
    while let Some((_, Record { body, .. })) = reader.next_record()? {
        if let Body::StateSaved { next: of, digest: told } = body
            && of == next
        {
            return Ok(told == *digest);
        }
    }
    Ok(false)
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> Digest {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest(&SHA256, bytes).as_ref());
    sum
}

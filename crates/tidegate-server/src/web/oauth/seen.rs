//! The clients' assertions that were seen, kept over a restart.
//!
//! A stop in good order writes them to a file of the data folder, with the number of the record that
//! comes next. A start takes them up only where no record came since: after a crash, or beside a
//! folder that was restored, everything stamped before the start and as far ahead of it as a
//! stamp may be counts as seen. Proofs need none of it: their nonces are good for one start alone.

use super::Handle;
use crate::folder::DataFolder;
use crate::oplog;
use tidegate_identity::oauth::client::authenticate::MAX_AHEAD;
use tidegate_identity::oauth::once::Once;
use tidegate_types::codec::{Octets, from_bytes, to_bytes};
use tidegate_types::codec_struct;
use tidegate_types::ids::Seq;
use tidegate_types::time::Time;
use tidegate_vault::{read_private, write_private};

/// Most assertions remembered: each for five minutes at most.
const MAX_ASSERTIONS: usize = 100_000;

/// The file.
pub struct Seen {
    next: Seq,
    assertions: Octets,
}
codec_struct!(Seen { next, assertions });

impl Seen {
    /// What a gateway starts from that began at `started`, the journal's next record being `next` and
    /// its last one of `last_record`. In a folder that is a copy the file tells of another time.
    pub fn load(
        folder: &DataFolder,
        (next, is_copy): (Seq, bool),
        started: Time,
        last_record: Option<Time>,
    ) -> Once {
        let kept = read_private(&folder.seen()).ok();
        let kept = kept.and_then(|bytes| from_bytes::<Seen>(bytes.expose()).ok());
        let whole = kept.filter(|kept| kept.next == next && !is_copy);
        let restored = whole.and_then(|kept| Once::restore(MAX_ASSERTIONS, &kept.assertions.0));
        restored.unwrap_or_else(|| {
            // Before the first record there was no gateway to see any.
            let begun = last_record.map(|at| started.max(at).plus(MAX_AHEAD));
            Once::new(MAX_ASSERTIONS, begun.unwrap_or_default())
        })
    }

    /// Keeps what was seen; after the last record.
    pub fn save(handle: &Handle, folder: &DataFolder, next: Seq) {
        let Some(assertions) = handle.look(|authority| Octets(authority.seen().1.save())) else {
            return;
        };
        if let Err(error) = write_private(&folder.seen(), &to_bytes(&Seen { next, assertions })) {
            oplog::warn("oauth-seen-not-kept", &[("why", &error)]);
        }
    }
}

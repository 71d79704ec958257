use super::report::Report;
use super::tree::TreeCheck;
use crate::error::{Damage, JournalError};
use crate::merkle::Hash;
use crate::reader::{Position, Tail, judge};
use crate::segment::{self, Found, HEADER_BYTES};
use crate::storage::Storage;
use std::time::Duration;
use tidegate_types::ids::Seq;

/// How often and how long to wait for a write that is under way beside us.
const WRITE_ATTEMPTS: usize = 50;
const WRITE_WAIT: Duration = Duration::from_millis(1);

/// Walks the segments from the front.
pub(super) struct Scan<'a> {
    pub(super) storage: &'a dyn Storage,
    pub(super) origin: Option<Hash>,
    pub(super) next: Seq,
    /// No later segment has a record that was there when this one was read.
    pub(super) at_end: bool,
}

impl Scan<'_> {
    /// Checks segment `index`, giving every record to `tree`.
    pub(super) fn segment(
        &mut self,
        index: u64,
        tree: &mut TreeCheck<'_>,
        report: &mut Report,
    ) -> Result<(), JournalError> {
        let path = segment::path(index);
        // A gateway beside us goes on in the next segment only when this one is finished, so
        // what is read after a record was seen there is all of it.
        let mut followed = has_record(self.storage, index + 1);
        let mut bytes = self.read(&path)?;
        let capacity = self.header(index, &bytes, report);
        let mut offset = HEADER_BYTES;
        if self.at_end && self.came_later(index, &mut bytes)? {
            return Ok(());
        }
        loop {
            offset = self.walk(&path, &mut bytes, offset, tree, report)?;
            if followed {
                break;
            }
            followed = has_record(self.storage, index + 1);
            bytes = self.read(&path)?;
            let more = segment::read_frame(bytes.get(offset..).unwrap_or_default());
            if !followed && !matches!(more, Found::Frame(_)) {
                break;
            }
        }
        self.at_end |= !followed;
        self.end(index, offset, &bytes, (!followed, capacity), report)
    }

    /// Takes the records from `offset` on; gives where they end.
    fn walk(
        &mut self,
        path: &str,
        bytes: &mut Vec<u8>,
        mut offset: usize,
        tree: &mut TreeCheck<'_>,
        report: &mut Report,
    ) -> Result<usize, JournalError> {
        loop {
            match segment::read_frame(bytes.get(offset..).unwrap_or_default()) {
                Found::Frame(frame) if frame.seq < self.next => {
                    let what = "a record that belongs earlier stands here";
                    report.add(Damage::at(path, offset as u64, what).of_record(frame.seq));
                    offset += frame.stride;
                }
                Found::Frame(frame) => {
                    self.miss(path, offset, frame.seq, tree, report)?;
                    tree.record(frame.record, report)?;
                    self.next = frame.seq.next();
                    offset += frame.stride;
                }
                Found::Nothing | Found::Broken(_) => {
                    let rest = bytes.get(offset..).unwrap_or_default();
                    if segment::witness(rest, self.next).is_none() {
                        return Ok(offset);
                    }
                    // This may have been written between the reading of it and of its witness.
                    *bytes = self.read(path)?;
                    match self.hole(bytes, offset, path, report) {
                        Some(resume) => offset = resume,
                        None => return Ok(offset),
                    }
                }
            }
        }
    }

    /// Whether a segment that had no record when the end was seen has one now, waiting for a
    /// write that is under way.
    fn came_later(&self, index: u64, bytes: &mut Vec<u8>) -> Result<bool, JournalError> {
        for _ in 0..WRITE_ATTEMPTS {
            if bytes.iter().skip(HEADER_BYTES).all(|&byte| byte == 0) {
                return Ok(false);
            }
            if has_record(self.storage, index) {
                return Ok(true);
            }
            std::thread::sleep(WRITE_WAIT);
            *bytes = self.read(&segment::path(index))?;
        }
        Ok(false)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, JournalError> {
        self.storage.read(path).map_err(JournalError::io("read", path))
    }

    /// Checks the header; gives the size that it says the file has until it is sealed.
    fn header(&self, index: u64, bytes: &[u8], report: &mut Report) -> Option<u64> {
        match segment::read_header(bytes) {
            Ok(header) => {
                let wrong = |origin| segment::check_header(header, index, &origin).err();
                if let Some(damage) = self.origin.and_then(wrong) {
                    report.add(damage);
                }
                Some(header.capacity)
            }
            Err(what) => {
                report.add(Damage::at(segment::path(index), 0, what));
                None
            }
        }
    }

    /// Reports records `self.next..until` as missing.
    fn miss(
        &mut self,
        path: &str,
        offset: usize,
        until: Seq,
        tree: &mut TreeCheck<'_>,
        report: &mut Report,
    ) -> Result<(), JournalError> {
        if self.next < until {
            let what = format!("records {} to {} are not here", self.next, until.0 - 1);
            report.add(Damage::at(path, offset as u64, what).of_record(self.next));
            while self.next < until {
                if !tree.missing(self.next, report)? {
                    self.next = until;
                }
                self.next = self.next.next().min(until);
            }
        }
        Ok(())
    }

    /// Where frames go on at or after `offset`; reports what is there instead of one.
    fn hole(&self, bytes: &[u8], offset: usize, path: &str, report: &mut Report) -> Option<usize> {
        let what = match segment::read_frame(bytes.get(offset..)?) {
            Found::Frame(_) => return Some(offset),
            Found::Broken(what) => what,
            Found::Nothing => "the record is gone, later ones are there",
        };
        report.add(Damage::at(path, offset as u64, what).of_record(self.next));
        let is_frame = |at: &usize| {
            let rest = bytes.get(*at..).unwrap_or_default();
            matches!(segment::read_frame(rest), Found::Frame(_))
        };
        (offset..bytes.len()).step_by(segment::ALIGN).find(is_frame)
    }

    /// Checks what lies after the last record of a segment.
    fn end(
        &self,
        index: u64,
        offset: usize,
        bytes: &[u8],
        (last, capacity): (bool, Option<u64>),
        report: &mut Report,
    ) -> Result<(), JournalError> {
        let path = segment::path(index);
        let rest = bytes.get(offset..).unwrap_or_default();
        let size = bytes.len() as u64;
        if size != offset as u64 && capacity.is_some_and(|capacity| capacity != size) {
            // A segment that was just sealed is short for a good reason.
            let handle =
                self.storage.open(&path, false).map_err(JournalError::io("open", &path))?;
            let now = handle.size().map_err(JournalError::io("read", &path))?;
            if now == size {
                report.add(Damage::at(&path, size, "the file does not end where it should"));
            }
        }
        if rest.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        if !last {
            let what = "what is there is not a record";
            report.add(Damage::at(&path, offset as u64, what).of_record(self.next));
            return Ok(());
        }
        let Some(origin) = self.origin else { return Ok(()) };
        let position = Position { index, offset: offset as u64 };
        match judge(self.storage, position, self.next, &origin) {
            Ok(Tail { suspect: Some(what), .. }) => {
                report.add(Damage::at(&path, offset as u64, what));
            }
            Ok(tail) if tail.torn > 0 => report.note(format!(
                "{path} ends with {} bytes of a batch that was not finished, which is normal \
                 while the gateway runs and after a crash",
                tail.torn
            )),
            Ok(_) => {}
            Err(JournalError::Damaged(damage)) => report.add(damage),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Whether a segment begins with a whole record.
fn has_record(storage: &dyn Storage, index: u64) -> bool {
    let mut front = vec![0; HEADER_BYTES + segment::MAX_FRAME_BYTES];
    let count = storage
        .open(&segment::path(index), false)
        .and_then(|handle| handle.read_at(0, &mut front))
        .unwrap_or(0);
    let frame = front.get(HEADER_BYTES..count).unwrap_or_default();
    matches!(segment::read_frame(frame), Found::Frame(_))
}

use super::report::Report;
use super::tree::TreeCheck;
use crate::error::{Damage, JournalError};
use crate::merkle::Hash;
use crate::reader::{Position, Tail, judge};
use crate::segment::{self, Found, HEADER_BYTES};
use crate::storage::Storage;
use tidegate_types::ids::Seq;

/// Walks the segments from the front.
pub(super) struct Scan<'a> {
    pub(super) storage: &'a dyn Storage,
    pub(super) origin: Option<Hash>,
    pub(super) next: Seq,
}

impl Scan<'_> {
    /// Checks segment `index`, giving every record to `tree`. `last` says that no later segment
    /// has a record.
    pub(super) fn segment(
        &mut self,
        index: u64,
        last: bool,
        tree: &mut TreeCheck<'_>,
        report: &mut Report,
    ) -> Result<(), JournalError> {
        let path = segment::path(index);
        let mut bytes = self.storage.read(&path).map_err(JournalError::io("read", &path))?;
        let capacity = match segment::read_header(&bytes) {
            Ok(header) => {
                if let Some(damage) = self
                    .origin
                    .and_then(|origin| segment::check_header(header, index, &origin).err())
                {
                    report.add(damage);
                }
                Some(header.capacity)
            }
            Err(what) => {
                report.add(Damage::at(&path, 0, what));
                None
            }
        };
        let mut offset = HEADER_BYTES;
        loop {
            match segment::read_frame(bytes.get(offset..).unwrap_or_default()) {
                Found::Frame(frame) => {
                    if frame.seq < self.next {
                        let what = "a record that belongs earlier stands here";
                        report.add(Damage::at(&path, offset as u64, what).of_record(frame.seq));
                    } else {
                        self.miss(&path, offset, frame.seq, tree, report)?;
                        tree.record(frame.record, report)?;
                        self.next = frame.seq.next();
                    }
                    offset += frame.stride;
                }
                found => {
                    // What is broken may have been half written when it was read.
                    let again =
                        self.storage.read(&path).map_err(JournalError::io("read", &path))?;
                    let rest = again.get(offset..).unwrap_or_default();
                    if let Found::Frame(_) = segment::read_frame(rest) {
                        bytes = again;
                        continue;
                    }
                    let Some(resume) = self.hole(&again, offset, found, &path, report) else {
                        bytes = again;
                        break;
                    };
                    offset = resume;
                    bytes = again;
                }
            }
        }
        self.end(index, offset, &bytes, (last, capacity), report)
    }

    /// Reports records `self.next..until` as missing.
    pub(super) fn miss(
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

    /// Where frames go on after something that is none; reports what is there instead.
    fn hole(
        &self,
        bytes: &[u8],
        offset: usize,
        found: Found<'_>,
        path: &str,
        report: &mut Report,
    ) -> Option<usize> {
        let rest = bytes.get(offset..)?;
        segment::witness(rest, self.next)?;
        let what = match found {
            Found::Broken(what) => what,
            Found::Nothing | Found::Frame(_) => "the record is gone, later ones are there",
        };
        report.add(Damage::at(path, offset as u64, what).of_record(self.next));
        let mut at = offset + segment::ALIGN;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if let Found::Frame(_) = segment::read_frame(rest) {
                return Some(at);
            }
            at += segment::ALIGN;
        }
        None
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

use super::report::Report;
use super::tree::TreeCheck;
use super::window::{Rest, Window};
use crate::error::{Damage, JournalError};
use crate::merkle::Hash;
use crate::reader::suspect;
use crate::segment::{self, Found, HEADER_BYTES};
use crate::storage::Storage;
use std::io;
use std::time::Duration;
use tidegate_types::ids::Seq;

/// How often and how long to wait for a write that is under way beside us.
const WRITE_ATTEMPTS: usize = 50;
const WRITE_WAIT: Duration = Duration::from_millis(1);

const FRONT: u64 = HEADER_BYTES as u64;

/// Walks the segments once, from the front.
pub(super) struct Scan<'a> {
    storage: &'a dyn Storage,
    origin: Option<Hash>,
    /// The segments there were at the beginning, in order.
    segments: &'a [u64],
    /// The first that is to be there.
    first: u64,
    /// The last segment seen to begin with a record. A gateway beside us goes on in the next one
    /// only when this one is finished, so those before it do not change any more.
    newest: u64,
    /// Records below this were on disk when we began.
    covered: Seq,
    next: Seq,
    /// The end of the newest segment was seen.
    at_end: bool,
}

/// What is found where no record stands.
enum Gap {
    /// A record, written since.
    Frame,
    /// Damage; where frames go on.
    Hole(&'static str, Option<u64>),
    /// The end of the segment's records.
    End,
}

impl<'a> Scan<'a> {
    /// Over `segments`; records below `covered` are on disk.
    pub(super) fn new(
        storage: &'a dyn Storage,
        origin: Option<Hash>,
        segments: &'a [u64],
        covered: Seq,
    ) -> Scan<'a> {
        let newest = segments.iter().rfind(|&&index| has_record(storage, index));
        let newest = newest.copied().unwrap_or_default();
        Scan { storage, origin, segments, first: 0, newest, covered, next: Seq(0), at_end: false }
    }

    /// Leaves out the segments before `index`, whose records up to `next` were archived.
    pub(super) fn skip(&mut self, index: u64, next: Seq) {
        self.segments = self
            .segments
            .iter()
            .position(|have| *have >= index)
            .map_or(&[], |place| self.segments.get(place..).unwrap_or_default());
        (self.first, self.next) = (index, next);
    }

    /// Checks every segment, giving every record to `tree`; gives how many records there are.
    pub(super) fn run(
        mut self,
        tree: &mut TreeCheck<'_>,
        report: &mut Report,
    ) -> Result<u64, JournalError> {
        for (place, &index) in (self.first..).zip(self.segments) {
            if index != place {
                report.add(Damage::of_file(segment::path(place), "the segment is missing"));
            }
            self.segment(index, tree, report)?;
        }
        if self.segments.is_empty() {
            report.add(Damage::of_file(segment::path(self.first), "the segment is missing"));
        }
        Ok(self.next.0)
    }

    fn segment(
        &mut self,
        index: u64,
        tree: &mut TreeCheck<'_>,
        report: &mut Report,
    ) -> Result<(), JournalError> {
        let path = segment::path(index);
        let mut window = match Window::open(self.storage, &path) {
            Ok(window) => window,
            Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                // A gateway that starts makes the spare segment anew.
                if !self.at_end {
                    report.add(Damage::of_file(path, "the segment is missing"));
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let capacity = self.header(index, window.at(0)?, report);
        if self.at_end && self.came_later(index, &mut window)? {
            return Ok(());
        }
        let mut offset = FRONT;
        loop {
            match window.frame(offset)? {
                Found::Frame(frame) if frame.seq < self.next => {
                    let what = "a record that belongs earlier stands here";
                    report.add(Damage::at(&path, offset, what).of_record(frame.seq));
                    offset += frame.stride as u64;
                }
                Found::Frame(frame) => {
                    self.miss(&path, offset, frame.seq, tree, report)?;
                    tree.record(frame.record, report)?;
                    self.next = frame.seq.next();
                    offset += frame.stride as u64;
                }
                Found::Nothing | Found::Broken(_) => {
                    match self.gap(&path, (index, offset, capacity), &mut window, report)? {
                        Gap::Frame => {}
                        Gap::Hole(what, resume) => {
                            report.add(Damage::at(&path, offset, what).of_record(self.next));
                            let Some(resume) = resume else { return Ok(()) };
                            offset = resume;
                        }
                        Gap::End => return Ok(()),
                    }
                }
            }
        }
    }

    /// What it means that no record was seen at `offset` of segment `index`.
    fn gap(
        &mut self,
        path: &str,
        (index, offset, capacity): (u64, u64, Option<u64>),
        window: &mut Window,
        report: &mut Report,
    ) -> Result<Gap, JournalError> {
        let mut attempt = 0;
        loop {
            // What these tell was so before the place is looked at again: if a later record was
            // seen there must be one now, and the file was cut only where it is full.
            let followed = self.followed(index);
            let size = window.size()?;
            let clear = window.find_set(offset)?.is_none();
            // Everything that was there at the beginning has been read; what comes now is newer.
            let enough = clear && !followed && self.next >= self.covered;
            if !enough && broken(window, offset)?.is_none() {
                return Ok(Gap::Frame);
            }
            let mut rest = Rest::default();
            if !clear {
                let next = self.next;
                let lost = followed
                    || next < self.covered
                    || window.find(offset, |frame| frame.synced > next)?.is_some();
                let Some(what) = broken(window, offset)? else { return Ok(Gap::Frame) };
                if lost {
                    let resume = window.find(offset, |frame| frame.seq >= next)?;
                    return Ok(Gap::Hole(what, resume));
                }
                rest = window.rest(offset)?;
            }
            let wrong = suspect(&rest.front, (rest.length, rest.bits), offset, self.next);
            if wrong.is_some() && attempt < WRITE_ATTEMPTS {
                attempt += 1;
                std::thread::sleep(WRITE_WAIT);
                continue;
            }
            let odd = size != offset && capacity.is_some_and(|capacity| capacity != size);
            if odd && broken(window, offset)?.is_some() {
                report.add(Damage::at(path, size, "the file does not end where it should"));
            }
            self.at_end |= !followed;
            match wrong {
                Some(what) => report.add(Damage::at(path, offset, what)),
                None if rest.length > 0 => report.note(format!(
                    "{path} ends with {} bytes of a batch that was not finished, which is normal \
                     while the gateway runs and after a crash",
                    rest.length
                )),
                None => {}
            }
            return Ok(Gap::End);
        }
    }

    /// Whether a later segment begins with a record.
    fn followed(&mut self, index: u64) -> bool {
        if index >= self.newest {
            let mut later = self.segments.iter().filter(|&&later| later > index);
            let found = later.find(|&&later| has_record(self.storage, later));
            self.newest = found.copied().unwrap_or(self.newest);
        }
        index < self.newest
    }

    /// Whether a segment that had no record when the end was seen has one now, waiting for a
    /// write that is under way.
    fn came_later(&self, index: u64, window: &mut Window) -> Result<bool, JournalError> {
        if window.find_set(FRONT)?.is_none() {
            return Ok(false);
        }
        for _ in 0..WRITE_ATTEMPTS {
            if has_record(self.storage, index) {
                return Ok(true);
            }
            std::thread::sleep(WRITE_WAIT);
        }
        Ok(false)
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
        offset: u64,
        until: Seq,
        tree: &mut TreeCheck<'_>,
        report: &mut Report,
    ) -> Result<(), JournalError> {
        if self.next < until {
            let what = format!("records {} to {} are not here", self.next, until.0 - 1);
            report.add(Damage::at(path, offset, what).of_record(self.next));
            while self.next < until {
                if !tree.missing(self.next, report)? {
                    self.next = until;
                }
                self.next = self.next.next().min(until);
            }
        }
        Ok(())
    }
}

/// What is wrong at `offset`, read anew; `None` when a record stands there.
fn broken(window: &mut Window, offset: u64) -> Result<Option<&'static str>, JournalError> {
    window.forget();
    Ok(match window.frame(offset)? {
        Found::Frame(_) => None,
        Found::Broken(what) => Some(what),
        Found::Nothing => Some("the record is gone, later ones are there"),
    })
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

//! The file for what goes without a record while the journal cannot be written: halts and cancels.
//! It is made at its full size while there is room, is written in place by a thread of its own, and
//! is put on record at the next start.

use crate::desk::{Desk, Kept};
use crate::folder::DataFolder;
use crate::oplog::{self, Repeated};
use aws_lc_rs::digest::{SHA256, digest};
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use tidegate_core::event::Event;
use tidegate_types::codec::{from_bytes, to_bytes};
use tidegate_types::emergency::Emergency;
use tidegate_types::record::{Body, Record};
use tidegate_types::time::Time;

/// The size of the file: some ten thousand cancels.
const SIZE: usize = 2 << 20;
/// What stands before each entry: its length, and the first bytes of its digest.
const HEAD: usize = 12;

/// How soon an entry that could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Puts on record what was kept of the gateway before; has the desk's own kept from then on.
pub(super) fn begin(desk: &Desk, folder: &DataFolder, last: Option<Time>) {
    let path = folder.emergency();
    let (kept, end) = entries(&std::fs::read(&path).unwrap_or_default());
    let acts: Vec<(Time, Emergency)> =
        // What is not newer than the journal's last record was taken up by the journal itself.
        kept.into_iter().filter(|(at, _)| last.is_none_or(|last| *at > last)).collect();
    // What is there stays until it is on record.
    let end = if acts.is_empty() { 0 } else { end };
    let began = prepare(&path).and_then(|file| {
        let (keep, kept) = mpsc::channel();
        std::thread::Builder::new()
            .name("emergency".to_owned())
            .spawn(move || write(Pages::after(file, end), &kept))?;
        Ok(keep)
    });
    match began {
        Ok(keep) => desk.set_keeper(Box::new(move |kept| {
            // The thread is gone only when the process ends.
            let _ = keep.send(kept);
        })),
        Err(error) => {
            let path = path.display();
            oplog::warn("emergency-file", &[("path", &path), ("why", &error)]);
        }
    }
    if !acts.is_empty() {
        oplog::warn("unrecorded-acts", &[("count", &acts.len())]);
        desk.event(Event::Kept { acts });
    }
}

/// The file, at its full size on the disk.
fn prepare(path: &std::path::Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file =
        options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if file.metadata()?.len() < SIZE as u64 {
        file.write_all_at(&vec![0; SIZE], 0)?;
        file.sync_all()?;
    }
    Ok(file)
}

/// What entries are written to.
trait Place {
    fn write(&self, bytes: &[u8], at: usize) -> io::Result<()>;
    fn sync(&self) -> io::Result<()>;
}

impl Place for File {
    fn write(&self, bytes: &[u8], at: usize) -> io::Result<()> {
        self.write_all_at(bytes, at as u64)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// The file as it is written: whole entries one after the other, without a hole.
struct Pages<P> {
    place: P,
    /// Where the entries that count end.
    end: usize,
    /// Nothing is behind the end.
    wiped: bool,
    /// Entries that are not written yet, the oldest first.
    waiting: VecDeque<Vec<u8>>,
}

impl<P: Place> Pages<P> {
    fn after(place: P, end: usize) -> Pages<P> {
        Pages { place, end, wiped: false, waiting: VecDeque::new() }
    }

    fn take(&mut self, kept: Kept) {
        match kept {
            Kept::Act { at, act } => self.waiting.push_back(entry(at, act)),
            Kept::OnRecord => {
                self.waiting.clear();
                (self.end, self.wiped) = (0, false);
            }
        }
    }

    /// Writes what waits. What cannot be written is tried again in the same place, or what comes
    /// after it would not be found.
    fn write(&mut self) -> io::Result<()> {
        let (mut bytes, mut count) = (Vec::new(), 0);
        for entry in &self.waiting {
            if self.end + bytes.len() + entry.len() > SIZE {
                break;
            }
            bytes.extend(entry);
            count += 1;
        }
        if count > 0 {
            if !self.wiped {
                self.place.write(&vec![0; SIZE.saturating_sub(self.end)], self.end)?;
                self.wiped = true;
            }
            self.place.write(&bytes, self.end)?;
            self.place.sync()?;
            self.end += bytes.len();
            self.waiting.drain(..count);
        }
        if self.waiting.is_empty() {
            return Ok(());
        }
        Err(io::Error::other("the file for acts without a record is full"))
    }
}

fn write(mut pages: Pages<File>, kept: &mpsc::Receiver<Kept>) {
    let mut said = Repeated::default();
    loop {
        let first = match pages.waiting.is_empty() {
            true => kept.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => kept.recv_timeout(AGAIN),
        };
        if matches!(first, Err(RecvTimeoutError::Disconnected)) {
            return;
        }
        for kept in first.into_iter().chain(kept.try_iter()) {
            pages.take(kept);
        }
        match pages.write() {
            Err(error) if said.is_news(&error.to_string()) => {
                oplog::alarm("not-kept", &[("why", &error)]);
            }
            Err(_) => {}
            Ok(()) => drop(said.over()),
        }
    }
}

/// An entry: its length, its digest's first bytes, and the record that it will be.
fn entry(at: Time, act: Emergency) -> Vec<u8> {
    let bytes = to_bytes(&Record { at, body: Body::Unrecorded { at, act } });
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut out = length.to_vec();
    out.extend(digest(&SHA256, &bytes).as_ref().iter().take(HEAD - length.len()));
    out.extend(bytes);
    out
}

/// The whole entries, up to the first that is none, and where they end.
fn entries(mut bytes: &[u8]) -> (Vec<(Time, Emergency)>, usize) {
    let (mut found, all) = (Vec::new(), bytes.len());
    while let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() {
        let (length, sum) = head.split_at(4);
        let length = length.try_into().map_or(0, u32::from_le_bytes) as usize;
        let Some((body, rest)) = rest.split_at_checked(length).filter(|_| length > 0) else {
            break;
        };
        if !digest(&SHA256, body).as_ref().starts_with(sum) {
            break;
        }
        match from_bytes::<Record>(body) {
            Ok(Record { body: Body::Unrecorded { at, act }, .. }) => found.push((at, act)),
            _ => break,
        }
        bytes = rest;
    }
    (found, all - bytes.len())
}

#[cfg(test)]
mod tests;

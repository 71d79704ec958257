//! The file for what goes without a record while the journal cannot be written: halts and cancels.
//! It is made at its full size while there is room, is written in place by a thread of its own, and
//! is put on record at the next start.

use crate::desk::Desk;
use crate::folder::DataFolder;
use crate::oplog::{self, Repeated};
use aws_lc_rs::digest::{SHA256, digest};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::mpsc;
use tidegate_core::event::Event;
use tidegate_types::codec::{from_bytes, to_bytes};
use tidegate_types::emergency::Emergency;
use tidegate_types::record::{Body, Record};
use tidegate_types::time::Time;

/// The size of the file: some ten thousand cancels.
const SIZE: usize = 2 << 20;
/// What stands before each entry: its length, and the first bytes of its digest.
const HEAD: usize = 12;

/// Puts on record what was kept of the gateway before; has the desk's own kept from then on.
pub(super) fn begin(desk: &Desk, folder: &DataFolder, last: Option<Time>) {
    let path = folder.emergency();
    let kept = std::fs::read(&path).unwrap_or_default();
    let acts: Vec<(Time, Emergency)> =
        // What is not newer than the journal's last record was taken up by the journal itself.
        entries(&kept).into_iter().filter(|(at, _)| last.is_none_or(|last| *at > last)).collect();
    if !acts.is_empty() {
        oplog::warn("unrecorded-acts", &[("count", &acts.len())]);
        desk.event(Event::Kept { acts });
    }
    let began = prepare(&path).and_then(|file| {
        let (keep, kept) = mpsc::channel();
        std::thread::Builder::new()
            .name("emergency".to_owned())
            .spawn(move || write(&file, &kept))?;
        Ok(keep)
    });
    match began {
        Ok(keep) => desk.set_keeper(Box::new(move |at, act| {
            // The thread is gone only when the process ends.
            let _ = keep.send((at, act));
        })),
        Err(error) => {
            let path = path.display();
            oplog::warn("emergency-file", &[("path", &path), ("why", &error)]);
        }
    }
}

/// The file, at its full size on the disk. What is in it stays until the first act replaces it: it
/// goes on record meanwhile, and is older than that.
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

fn write(file: &File, acts: &mpsc::Receiver<(Time, Emergency)>) {
    let (mut end, mut said) = (0, Repeated::default());
    while let Ok(first) = acts.recv() {
        let mut bytes = Vec::new();
        for (at, act) in std::iter::once(first).chain(acts.try_iter()) {
            bytes.extend(entry(at, act));
        }
        let written = put(file, &bytes, end);
        end += bytes.len();
        if let Err(error) = written {
            let why = error.to_string();
            if said.is_news(&why) {
                oplog::alarm("not-kept", &[("why", &why)]);
            }
        }
    }
}

/// Writes entries after those that are there; what an earlier life left behind them goes.
fn put(file: &File, bytes: &[u8], at: usize) -> io::Result<()> {
    let room = SIZE.saturating_sub(at);
    if bytes.len() > room {
        return Err(io::Error::other("the file for acts without a record is full"));
    }
    if at == 0 {
        file.write_all_at(&vec![0; SIZE], 0)?;
    }
    file.write_all_at(bytes, at as u64)?;
    file.sync_data()
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

/// The whole entries, up to the first that is none.
fn entries(mut bytes: &[u8]) -> Vec<(Time, Emergency)> {
    let mut found = Vec::new();
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
    found
}

#[cfg(test)]
mod tests;

use crate::error::{Damage, JournalError};
use crate::merkle::TILE_WIDTH;
use crate::storage::Storage;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use tidegate_types::ids::Seq;

/// What was archived, and where to: a file in the journal's folder, there once something was.
pub const ARCHIVED_FILE: &str = "archived";

/// What the folder says was moved away, from the front of the journal on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Archived {
    parts: Vec<Part>,
}

/// Segments that were moved to one place.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Part {
    /// The first segment, and the one after the last.
    segments: (u64, u64),
    /// The first record, and the one after the last.
    records: (u64, u64),
    place: PathBuf,
}

impl Archived {
    /// What the folder says; nothing when there is no such file.
    pub fn read(storage: &dyn Storage) -> Result<Archived, JournalError> {
        let bytes = match storage.read(ARCHIVED_FILE) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Archived::default());
            }
            Err(error) => return Err(JournalError::io("read", ARCHIVED_FILE)(error)),
        };
        Archived::parse(&bytes).ok_or_else(|| {
            Damage::of_file(ARCHIVED_FILE, "it does not tell what was archived, and where to")
                .into()
        })
    }

    /// Reads the file's bytes. Takes any bytes.
    pub fn parse(bytes: &[u8]) -> Option<Archived> {
        let mut archived = Archived::default();
        for line in std::str::from_utf8(bytes).ok()?.lines() {
            let mut words = line.splitn(5, ' ');
            let mut number = || words.next()?.parse::<u64>().ok();
            let (segments, records) = ((number()?, number()?), (number()?, number()?));
            let place = PathBuf::from(words.next()?);
            let follows = segments.0 == archived.next_segment() && records.0 == archived.next().0;
            if !follows || segments.1 <= segments.0 || records.1 <= records.0 {
                return None;
            }
            archived.parts.push(Part { segments, records, place });
        }
        Some(archived)
    }

    /// Nothing was.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The first segment that was not.
    pub fn next_segment(&self) -> u64 {
        self.parts.last().map_or(0, |part| part.segments.1)
    }

    /// The first record that was not.
    pub fn next(&self) -> Seq {
        Seq(self.parts.last().map_or(0, |part| part.records.1))
    }

    /// How many bundles of records were.
    pub(super) fn bundles(&self) -> u64 {
        self.next().0 / TILE_WIDTH as u64
    }

    /// Where to.
    pub fn places(&self) -> Vec<&Path> {
        let mut places: Vec<&Path> = Vec::new();
        for part in &self.parts {
            if !places.contains(&part.place.as_path()) {
                places.push(&part.place);
            }
        }
        places
    }

    /// The places, for people.
    pub fn places_text(&self) -> String {
        let places = self.places();
        places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Notes that segment `index`, up to record `next`, lies in `place` now.
    pub(super) fn add(&mut self, index: u64, next: Seq, place: &Path) {
        let first = self.next().0;
        match self.parts.last_mut().filter(|part| part.place == place) {
            Some(part) => (part.segments.1, part.records.1) = (index + 1, next.0),
            None => self.parts.push(Part {
                segments: (index, index + 1),
                records: (first, next.0),
                place: place.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Archived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Part { segments, records, place } in &self.parts {
            let (place, (a, b), (c, d)) = (place.display(), *segments, *records);
            writeln!(f, "{a} {b} {c} {d} {place}")?;
        }
        Ok(())
    }
}

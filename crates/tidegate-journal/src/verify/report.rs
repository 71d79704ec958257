use crate::checkpoint::{Checkpoint, hex};
use crate::error::Damage;
use std::fmt;
use std::fmt::Write as _;
use tidegate_types::codec::show_text;

/// More damage than this is counted, not listed.
const MAX_LISTED: usize = 100;

/// What a verification found.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Report {
    /// The journal's origin line, if it could be read.
    pub origin: Option<String>,
    /// How many records there are.
    pub records: u64,
    /// How many segments.
    pub segments: u64,
    /// How many tile files.
    pub tiles: u64,
    /// The newest checkpoint in the folder, if it is signed by the journal's key.
    pub checkpoint: Option<Checkpoint>,
    /// The checkpoint given from outside, if it is signed by the journal's key.
    pub outside: Option<Checkpoint>,
    /// So many records, from the front, were archived and not read, and where they were moved to: their
    /// hashes alone are proved.
    pub archived: Option<(u64, String)>,
    /// The verifier key came from outside.
    pub outside_key: bool,
    /// What is normal but worth knowing.
    pub notes: Vec<String>,
    /// What is not as it was written.
    pub damage: Vec<Damage>,
    /// How much more damage there is than is listed.
    pub more_damage: u64,
}

impl Report {
    /// Nothing is damaged.
    pub fn is_whole(&self) -> bool {
        self.damage.is_empty()
    }

    /// How many records are newer than the checkpoint, so that only their own checksums vouch
    /// for them.
    pub fn after_checkpoint(&self) -> u64 {
        self.records.saturating_sub(self.checkpoint.as_ref().map_or(0, |one| one.size))
    }

    /// The report as one JSON object.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{\"whole\":");
        let _ = write!(out, "{},\"origin\":", self.is_whole());
        match &self.origin {
            Some(origin) => show_text(origin, &mut out),
            None => out.push_str("null"),
        }
        let _ = write!(
            out,
            ",\"records\":{},\"segments\":{},\"tiles\":{},\"after_checkpoint\":{}",
            self.records,
            self.segments,
            self.tiles,
            self.after_checkpoint()
        );
        for (name, checkpoint) in [("checkpoint", &self.checkpoint), ("outside", &self.outside)] {
            match checkpoint {
                Some(Checkpoint { size, root, .. }) => {
                    let root = hex(root);
                    let _ = write!(out, ",\"{name}\":{{\"size\":{size},\"root\":\"{root}\"}}");
                }
                None => {
                    let _ = write!(out, ",\"{name}\":null");
                }
            }
        }
        match &self.archived {
            Some((records, place)) => {
                let _ = write!(out, ",\"archived\":{{\"records\":{records},\"place\":");
                show_text(place, &mut out);
                out.push('}');
            }
            None => out.push_str(",\"archived\":null"),
        }
        let _ = write!(out, ",\"outside_key\":{},\"notes\":[", self.outside_key);
        for (note, place) in self.notes.iter().zip(0..) {
            out.push_str(if place == 0 { "" } else { "," });
            show_text(note, &mut out);
        }
        out.push_str("],\"damage\":[");
        for (damage, place) in self.damage.iter().zip(0..) {
            out.push_str(if place == 0 { "{\"file\":" } else { ",{\"file\":" });
            show_text(&damage.file, &mut out);
            for (name, value) in [("offset", damage.offset), ("record", damage.record.map(|s| s.0))]
            {
                let value = value.map_or("null".to_owned(), |value| value.to_string());
                let _ = write!(out, ",\"{name}\":{value}");
            }
            out.push_str(",\"what\":");
            show_text(&damage.what, &mut out);
            out.push('}');
        }
        let _ = write!(out, "],\"more_damage\":{}}}", self.more_damage);
        out
    }

    pub(super) fn add(&mut self, damage: Damage) {
        if self.damage.len() < MAX_LISTED {
            self.damage.push(damage);
        } else {
            self.more_damage += 1;
        }
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.origin.as_deref().unwrap_or("of unknown origin");
        writeln!(f, "journal {origin}")?;
        let Report { records, segments, tiles, .. } = self;
        writeln!(f, "  {records} records in {segments} segments, {tiles} tile files")?;
        for (name, checkpoint) in [("newest", &self.checkpoint), ("given", &self.outside)] {
            if let Some(Checkpoint { size, root, .. }) = checkpoint {
                writeln!(f, "  {name} checkpoint: {size} records, root {}", hex(root))?;
            }
        }
        writeln!(f, "  {} records after the newest checkpoint", self.after_checkpoint())?;
        if let Some((records, place)) = &self.archived {
            writeln!(
                f,
                "  records 0 to {} were archived in {place}: their hashes lead to the checkpoint, \
                 what they say is proved with `--archive {place}`",
                records.saturating_sub(1)
            )?;
        }
        if !self.outside_key {
            let hint = "the key is the folder's own; compare it with one kept elsewhere (--key)";
            writeln!(f, "  note: {hint}")?;
        }
        for note in &self.notes {
            writeln!(f, "  note: {note}")?;
        }
        for damage in &self.damage {
            writeln!(f, "  DAMAGED {damage}")?;
        }
        if self.more_damage > 0 {
            writeln!(f, "  and {} more", self.more_damage)?;
        }
        f.write_str(if self.is_whole() {
            "whole: everything agrees"
        } else {
            "damaged: `tidegate journal repair` mends segments, docs/recovery.md tells the rest"
        })
    }
}

//! The public socket that tells marks.

use super::wire::{decimal, text, time};
use crate::front::Instruments;
use crate::raw::Raw;
use crate::upstream::PublicFeed;
use tidegate_types::ids::InstrumentName;
use tidegate_types::instrument::{Mark, Price};
use tidegate_types::time::Time;

/// Marks of all instruments, once a second, and each that is halted, settled or listed.
pub(crate) fn feed() -> PublicFeed {
    let target = "/market/stream?streams=!markPrice@arr@1s/!contractInfo".to_owned();
    PublicFeed { target, hello: Vec::new() }
}

/// The marks that a message tells about known instruments.
pub(crate) fn marks(message: &str, instruments: &Instruments, now: Time) -> Vec<Mark> {
    let Ok(message) = Raw::read(message.as_bytes()) else { return Vec::new() };
    let data = message.fields().and_then(|message| message.get("data")).unwrap_or(message);
    let rows = data.items().unwrap_or_else(|| vec![data]);
    rows.into_iter().filter_map(|row| mark(row, instruments, now)).collect()
}

fn mark(row: Raw<'_>, instruments: &Instruments, now: Time) -> Option<Mark> {
    let row = &row.fields()?;
    if text(row, "e").ok()? != "markPriceUpdate" {
        return None;
    }
    let name = InstrumentName::new(&text(row, "s").ok()?).ok()?;
    let instrument = instruments.get(&name)?;
    let mark = decimal(row, "p").ok().filter(|mark| mark.is_positive())?;
    // Some have no index of their own; the mark stands for it then.
    let index = decimal(row, "i").ok().filter(|index| index.is_positive()).unwrap_or(mark);
    // The venue's clock may run ahead of ours; a mark is never newer than its arrival.
    let at = time(row, "E").ok()?.min(now);
    Some(Mark { instrument: instrument.id.clone(), mark: Price(mark), index: Price(index), at })
}

#[cfg(test)]
mod tests;

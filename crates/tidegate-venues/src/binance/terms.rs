//! What `exchangeInfo` tells of halts and bands of prices: each symbol's `status` and `PERCENT_PRICE`. A change of status
//! comes by the stream `!contractInfo` at once.

use super::instruments::filter;
use super::snapshot;
use super::wire::{decimal, text};
use crate::raw::{Fields, Raw};
use tidegate_types::ids::{InstrumentId, InstrumentName, VenueName};
use tidegate_types::request::Reply;
use tidegate_types::time::Time;
use tidegate_types::venue_terms::{PriceBand, Trading, VenueTerms};

/// The states and bands in the answer to `GET /fapi/v1/exchangeInfo`; nothing of what cannot be read.
pub(crate) fn read(venue: &VenueName, replies: &[Reply], now: Time) -> Vec<VenueTerms> {
    let Some(info) = replies.first().and_then(|reply| snapshot::object(reply).ok()) else {
        return Vec::new();
    };
    let symbols = info.get("symbols").and_then(Raw::items).unwrap_or_default();
    symbols.iter().filter_map(|symbol| of(venue, &symbol.fields()?, now)).collect()
}

/// The state that a message of `!contractInfo` tells.
pub(crate) fn told(venue: &VenueName, message: &str, now: Time) -> Option<VenueTerms> {
    let message = Raw::read(message.as_bytes()).ok()?.fields()?;
    let data = message.get("data").and_then(Raw::fields).unwrap_or(message);
    if text(&data, "e").ok()? != "contractInfo" {
        return None;
    }
    let name = InstrumentName::new(&text(&data, "s").ok()?).ok()?;
    let trading = Some(trading(&text(&data, "cs").ok()?));
    let instrument = InstrumentId { venue: venue.clone(), name };
    Some(VenueTerms { instrument, trading, band: None, at: now })
}

fn of(venue: &VenueName, symbol: &Fields<'_>, now: Time) -> Option<VenueTerms> {
    let name = InstrumentName::new(&text(symbol, "symbol").ok()?).ok()?;
    Some(VenueTerms {
        instrument: InstrumentId { venue: venue.clone(), name },
        trading: Some(trading(&text(symbol, "status").ok()?)),
        band: Some(band(symbol).unwrap_or_default()),
        at: now,
    })
}

fn trading(status: &str) -> Trading {
    match status {
        "TRADING" => Trading::Open,
        "PRE_SETTLE" | "SETTLING" | "PRE_DELIVERING" | "DELIVERING" => Trading::Settling,
        "DELIVERED" | "CLOSE" => Trading::Closed,
        // Not traded yet, or a state that is new.
        _ => Trading::Halted,
    }
}

/// A buy is at most the mark times one, a sell at least the mark times the other.
fn band(symbol: &Fields<'_>) -> Option<PriceBand> {
    let band = filter(symbol, "PERCENT_PRICE")?;
    let multiple = |name| decimal(&band, name).ok().filter(|value| value.is_positive());
    Some(PriceBand::OfMark { down: multiple("multiplierDown")?, up: multiple("multiplierUp")? })
}

#[cfg(test)]
mod tests;

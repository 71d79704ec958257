//! What the venue tells of halts and bands of prices: each instrument's `state`, and `min_price` and
//! `max_price` of its ticker.

use super::{names, rows, snapshot};
use serde_json::Value;
use tidegate_types::instrument::Price;
use tidegate_types::request::Reply;
use tidegate_types::time::Time;
use tidegate_types::venue_terms::{PriceBand, Trading, VenueTerms};

/// The states in the answers to `public/get_instruments`; nothing of what cannot be read.
pub(crate) fn read(replies: &[Reply], now: Time) -> Vec<VenueTerms> {
    let lists = replies.iter().filter_map(|reply| snapshot::list(reply).ok());
    lists.flatten().filter_map(|row| of_instrument(&row, now)).collect()
}

fn of_instrument(row: &Value, now: Time) -> Option<VenueTerms> {
    let trading = Some(trading(row.get("state")?.as_str()?));
    Some(VenueTerms { instrument: rows::instrument(row).ok()?, trading, band: None, at: now })
}

/// What a ticker tells.
pub(crate) fn told(text: &str, now: Time) -> Vec<VenueTerms> {
    let Ok(message) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    message.pointer("/params/data").and_then(|ticker| of_ticker(ticker, now)).into_iter().collect()
}

fn of_ticker(ticker: &Value, now: Time) -> Option<VenueTerms> {
    let instrument = names::instrument_id(ticker.get("instrument_name")?.as_str()?)?;
    let trading = ticker.get("state").and_then(Value::as_str).map(trading);
    let price = |name| rows::rounded(ticker, name).map(Price);
    let band = price("min_price").zip(price("max_price"));
    let band = band.filter(|(lowest, highest)| lowest <= highest && highest.0.is_positive());
    let band = band.map(|(lowest, highest)| PriceBand::Prices { lowest, highest });
    Some(VenueTerms { instrument, trading, band, at: now })
}

/// The venue's words of today, and `closed`, which tickers said before.
fn trading(state: &str) -> Trading {
    match state {
        "open" => Trading::Open,
        "settlement" => Trading::Settling,
        "delivered" | "archivized" => Trading::Closed,
        // Halted, locked, inactive, closed, or a state that is new.
        _ => Trading::Halted,
    }
}

#[cfg(test)]
mod tests;

//! What a ticker says that an option is to be valued by: the forward (`underlying_price`), the mark's volatility
//! in percent, and the venue's own greeks.

use super::instruments::Message;
use super::{names, rows};
use crate::front::Instruments;
use serde_json::Value;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::instrument::Price;
use tidegate_types::options::{OptionQuote, VenueGreeks};
use tidegate_types::time::Time;

const PERCENT: Decimal = Decimal::new(100, 0);

/// The quote that a message tells, if it is an option's ticker.
pub(super) fn read(text: &str, instruments: &Instruments) -> Vec<OptionQuote> {
    // Most tickers are of futures: they are not read twice.
    if !text.contains("\"mark_iv\"") {
        return Vec::new();
    }
    let Ok(message) = serde_json::from_str::<Message>(text) else { return Vec::new() };
    if message.method != "subscription" || !message.params.channel.starts_with("ticker.") {
        return Vec::new();
    }
    quote(&message.params.data, instruments).into_iter().collect()
}

fn quote(ticker: &Value, instruments: &Instruments) -> Option<OptionQuote> {
    let instrument = names::instrument_id(ticker.get("instrument_name")?.as_str()?)?;
    instruments.get(&instrument.name)?;
    let forward = rows::rounded(ticker, "underlying_price")?;
    let percent = rows::rounded(ticker, "mark_iv")?;
    let volatility = percent.div(PERCENT, Rounding::Nearest).ok()?;
    let at = Time::from_millis(ticker.get("timestamp")?.as_u64()?);
    let greeks = ticker.get("greeks").and_then(greeks);
    let sound = forward.is_positive() && volatility.is_positive();
    sound.then_some(OptionQuote { instrument, forward: Price(forward), volatility, greeks, at })
}

fn greeks(row: &Value) -> Option<VenueGreeks> {
    Some(VenueGreeks {
        delta: rows::rounded(row, "delta")?,
        vega: rows::rounded(row, "vega")?,
        theta: rows::rounded(row, "theta")?,
    })
}

#[cfg(test)]
mod tests;

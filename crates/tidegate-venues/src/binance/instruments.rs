//! The instruments of `exchangeInfo`; those whose terms are not understood are left out.

use super::snapshot;
use super::wire::{decimal, text, time};
use crate::raw::{Fields, Raw};
use crate::upstream::Unreadable;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{Currency, IndexName, InstrumentId, InstrumentName, VenueName};
use tidegate_types::instrument::{Instrument, Kind, Price, Qty, Unit};
use tidegate_types::request::Reply;

/// Coins that count as one dollar.
const DOLLARS: &[&str] = &["USDT", "USDC", "FDUSD", "BUSD", "USD1"];

/// The instruments in the answer to `GET /fapi/v1/exchangeInfo`.
pub(crate) fn instruments(
    venue: &VenueName,
    replies: &[Reply],
) -> Result<Vec<Instrument>, Unreadable> {
    let [reply] = replies else {
        return Err(Unreadable(format!("{} answers instead of one", replies.len())));
    };
    let info = snapshot::object(reply)?;
    let symbols = info.get("symbols").and_then(Raw::items);
    let symbols = symbols.ok_or_else(|| Unreadable("no `symbols`".to_owned()))?;
    Ok(symbols.iter().filter_map(|symbol| instrument(venue, &symbol.fields()?)).collect())
}

fn instrument(venue: &VenueName, symbol: &Fields<'_>) -> Option<Instrument> {
    let quote = text(symbol, "quoteAsset").ok()?;
    if !DOLLARS.contains(&&*quote) {
        return None;
    }
    let kind = match &*text(symbol, "contractType").ok()? {
        "PERPETUAL" | "TRADIFI_PERPETUAL" => Kind::Perpetual,
        "CURRENT_QUARTER" | "NEXT_QUARTER" | "CURRENT_MONTH" | "NEXT_MONTH" => {
            Kind::Future { expiry: time(symbol, "deliveryDate").ok()? }
        }
        _ => return None,
    };
    let price = filter(symbol, "PRICE_FILTER")?;
    let lot = filter(symbol, "LOT_SIZE")?;
    let tick = positive(&price, "tickSize")?;
    let step = positive(&lot, "stepSize")?;
    Some(Instrument {
        id: InstrumentId {
            venue: venue.clone(),
            name: InstrumentName::new(&text(symbol, "symbol").ok()?).ok()?,
        },
        kind,
        unit: Unit::Linear,
        base: Currency::new(&text(symbol, "baseAsset").ok()?).ok()?,
        settlement: Currency::new(&text(symbol, "marginAsset").ok()?).ok()?,
        index: IndexName::new(&text(symbol, "pair").ok()?).ok()?,
        contract_size: Qty(Decimal::ONE),
        tick: Price(tick),
        tick_steps: Vec::new(),
        lot: Qty(step),
        min_qty: Qty(positive(&lot, "minQty")?),
        max_qty: positive(&lot, "maxQty").map(Qty),
        open: text(symbol, "status").ok()? == "TRADING",
    })
}

pub(crate) fn filter<'a>(symbol: &Fields<'a>, kind: &str) -> Option<Fields<'a>> {
    let filters = symbol.get("filters")?.items()?;
    let mut filters = filters.into_iter().filter_map(Raw::fields);
    filters.find(|filter| filter.text("filterType").as_deref() == Some(kind))
}

fn positive(filter: &Fields<'_>, name: &str) -> Option<Decimal> {
    decimal(filter, name).ok().filter(|value| value.is_positive())
}

#[cfg(test)]
mod tests;

//! What the venue's objects look like in JSON, made from the exchange's state.

pub(crate) mod account;
pub(crate) mod instrument;
pub(crate) mod order;
pub(crate) mod ticker;
pub(crate) mod trade;

use crate::engine::universe::{Kind, Listing, Unit};
use crate::engine::{Exchange, Market, Venue};
use std::borrow::Cow;
use tidegate_types::decimal::Decimal;

/// The venue's coarse kind: perpetuals are futures.
pub(crate) const fn kind_word(listing: &Listing) -> &'static str {
    match listing.kind {
        Kind::Perpetual | Kind::Future { .. } => "future",
        Kind::Option { .. } => "option",
    }
}

/// The index an instrument follows.
pub(crate) fn index_name(listing: &Listing) -> String {
    let coin = listing.coin.to_ascii_lowercase();
    match listing.unit {
        Unit::Linear => format!("{coin}_usdc"),
        Unit::Inverse | Unit::CoinOption => format!("{coin}_usd"),
    }
}

/// Whether an instrument belongs to a currency as the venue groups them: by what it settles in.
pub(crate) fn of_currency(listing: &Listing, currency: &str) -> bool {
    currency == "any" || &*listing.settle == currency
}

/// The forward that prices an option: the future of the same expiry, else the index.
pub(crate) fn underlying<'a>(
    exchange: &'a Exchange,
    market: &'a Market,
) -> (Cow<'a, str>, Decimal) {
    let listing = &market.listing;
    let synthetic = || (Cow::Borrowed("index_price"), market.index);
    let Some(expiry) = listing.expiry() else { return synthetic() };
    let name = format!("{}-{}", listing.coin, super::universe::date_code(expiry));
    let future = exchange.instrument(Venue::Deribit, &name).and_then(|ix| exchange.market(ix));
    future.map_or_else(synthetic, |future| (Cow::Owned(name), future.mark))
}

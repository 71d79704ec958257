//! What Deribit lists.

use crate::engine::universe::{Kind, Listing, Unit, Venue};
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::time::{Span, Time};

/// The listings due at `now`.
pub(crate) fn due(now: Time, _index: &dyn Fn(&str) -> Decimal) -> Vec<Listing> {
    vec![perpetual("BTC", now), perpetual("ETH", now)]
}

fn perpetual(coin: &str, now: Time) -> Listing {
    let bitcoin = coin == "BTC";
    let contract_size = Decimal::new(if bitcoin { 10 } else { 1 }, 0);
    Listing {
        venue: Venue::Deribit,
        symbol: Arc::from(format!("{coin}-PERPETUAL").as_str()),
        kind: Kind::Perpetual,
        unit: Unit::Inverse,
        coin: Arc::from(coin),
        quote: Arc::from("USD"),
        settle: Arc::from(coin),
        tick: if bitcoin { Decimal::new(5, 1) } else { Decimal::new(5, 2) },
        tick_steps: Vec::new(),
        step: contract_size,
        min_quantity: contract_size,
        max_quantity: Decimal::new(100_000_000, 0),
        max_market_quantity: Decimal::new(100_000_000, 0),
        min_notional: Decimal::ZERO,
        contract_size,
        maker_fee: Decimal::ZERO,
        taker_fee: Decimal::new(5, 4),
        max_leverage: 50,
        band: Decimal::new(15, 3),
        funding_every: Span::from_secs(60),
        listed: now,
    }
}

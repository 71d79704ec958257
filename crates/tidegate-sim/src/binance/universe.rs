//! What Binance lists: two perpetuals and the quarterly futures.

use crate::engine::universe::{Kind, Listing, Unit, Venue};
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::time::{Span, Time};

/// The listings due at `now`.
pub(crate) fn due(now: Time, _index: &dyn Fn(&str) -> Decimal) -> Vec<Listing> {
    let eight_hours = Span::from_secs(8 * 3_600);
    let mut all = vec![
        contract("BTCUSDT", "BTC", Kind::Perpetual, eight_hours, now),
        contract("ETHUSDT", "ETH", Kind::Perpetual, eight_hours, now),
    ];
    for expiry in crate::calendar::quarters(now).into_iter().take(2) {
        let date = crate::calendar::civil(expiry);
        let symbol = format!("BTCUSDT_{:02}{:02}{:02}", date.0 % 100, date.1, date.2);
        all.push(contract(&symbol, "BTC", Kind::Future { expiry }, Span::ZERO, now));
    }
    all
}

fn contract(symbol: &str, coin: &str, kind: Kind, funding_every: Span, now: Time) -> Listing {
    let bitcoin = coin == "BTC";
    let thousandth = Decimal::new(1, 3);
    Listing {
        venue: Venue::Binance,
        symbol: Arc::from(symbol),
        kind,
        unit: Unit::Linear,
        coin: Arc::from(coin),
        quote: Arc::from("USDT"),
        settle: Arc::from("USDT"),
        tick: if bitcoin { Decimal::new(1, 1) } else { Decimal::new(1, 2) },
        tick_steps: Vec::new(),
        step: thousandth,
        min_quantity: thousandth,
        max_quantity: Decimal::new(if bitcoin { 1_000 } else { 10_000 }, 0),
        max_market_quantity: Decimal::new(if bitcoin { 120 } else { 2_000 }, 0),
        min_notional: Decimal::new(if bitcoin { 100 } else { 20 }, 0),
        contract_size: Decimal::ONE,
        maker_fee: Decimal::new(2, 4),
        taker_fee: Decimal::new(5, 4),
        max_leverage: 125,
        band: Decimal::new(5, 2),
        funding_every,
        listed: now,
    }
}

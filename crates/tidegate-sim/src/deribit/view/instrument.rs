//! Instruments and currencies.

use super::{index_name, kind_word};
use crate::deribit::num::Num;
use crate::engine::InstrumentIx;
use crate::engine::market::{Market, Phase};
use crate::engine::universe::{Kind, Unit};
use serde::Serialize;
use tidegate_types::decimal::Decimal;

/// When a perpetual expires.
const NEVER: u64 = 32_503_708_800_000;

#[derive(Serialize)]
struct TickStep {
    above_price: Num,
    tick_size: Num,
}

/// The terms of an instrument.
#[derive(Serialize)]
pub(crate) struct Instrument<'a> {
    price_index: String,
    underlying_type: &'static str,
    kind: &'static str,
    instrument_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    option_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strike: Option<Num>,
    max_leverage: u32,
    maker_commission: Num,
    taker_commission: Num,
    instrument_type: &'static str,
    expiration_timestamp: u64,
    creation_timestamp: u64,
    is_active: bool,
    state: &'static str,
    tick_size: Num,
    contract_size: Num,
    instrument_id: u32,
    min_trade_amount: Num,
    #[serde(skip_serializing_if = "Option::is_none")]
    future_type: Option<&'static str>,
    max_liquidation_commission: Num,
    block_trade_commission: Num,
    block_trade_min_trade_amount: Num,
    block_trade_tick_size: Num,
    settlement_currency: &'a str,
    settlement_period: &'static str,
    base_currency: &'a str,
    counter_currency: &'a str,
    quote_currency: &'a str,
    tick_size_steps: Vec<TickStep>,
}

/// The word for an instrument's state.
pub(crate) const fn state_word(market: &Market) -> &'static str {
    match market.phase {
        Phase::Trading => "open",
        Phase::Delivered => "delivered",
    }
}

impl<'a> Instrument<'a> {
    /// The view of an instrument.
    pub(crate) fn of(ix: InstrumentIx, market: &'a Market) -> Instrument<'a> {
        let terms = &market.listing;
        let option = match terms.kind {
            Kind::Option { strike, call, .. } => Some((Num(strike), call)),
            Kind::Perpetual | Kind::Future { .. } => None,
        };
        let direction = if terms.unit == Unit::Linear { "linear" } else { "reversed" };
        let steps = terms.tick_steps.iter();
        Instrument {
            price_index: index_name(terms),
            underlying_type: "crypto",
            kind: kind_word(terms),
            instrument_name: &terms.symbol,
            option_type: option.map(|(_, call)| if call { "call" } else { "put" }),
            strike: option.map(|(strike, _)| strike),
            max_leverage: terms.max_leverage,
            maker_commission: Num(terms.maker_fee),
            taker_commission: Num(terms.taker_fee),
            instrument_type: direction,
            expiration_timestamp: terms.expiry().map_or(NEVER, tidegate_types::time::Time::millis),
            creation_timestamp: terms.listed.millis(),
            is_active: market.phase == Phase::Trading,
            state: state_word(market),
            tick_size: Num(terms.tick),
            contract_size: Num(terms.contract_size),
            instrument_id: 100_000 + ix.0,
            min_trade_amount: Num(terms.min_quantity),
            future_type: option.is_none().then_some(direction),
            max_liquidation_commission: Num(Decimal::new(75, 4)),
            block_trade_commission: Num(Decimal::new(25, 5)),
            block_trade_min_trade_amount: Num(terms.max_quantity),
            block_trade_tick_size: Num(terms.tick),
            settlement_currency: &terms.settle,
            settlement_period: period(market),
            base_currency: &terms.coin,
            counter_currency: if terms.unit == Unit::Linear { "USDC" } else { "USD" },
            quote_currency: &terms.quote,
            tick_size_steps: steps
                .map(|(above, tick)| TickStep { above_price: Num(*above), tick_size: Num(*tick) })
                .collect(),
        }
    }
}

fn period(market: &Market) -> &'static str {
    let Some(expiry) = market.listing.expiry() else { return "perpetual" };
    match expiry.since(market.listing.listed).micros() / 86_400_000_000 {
        0..=1 => "day",
        2..=8 => "week",
        _ => "month",
    }
}

#[derive(Serialize)]
struct Priority {
    name: &'static str,
    value: Num,
}

/// A currency.
#[derive(Serialize)]
pub(crate) struct Currency {
    coin_type: &'static str,
    currency: &'static str,
    currency_long: &'static str,
    min_confirmations: u32,
    min_withdrawal_fee: Num,
    withdrawal_fee: Num,
    withdrawal_priorities: Vec<Priority>,
    network_fee: Num,
    network_currency: &'static str,
    decimals: u32,
    apr: Num,
    in_cross_collateral_pool: bool,
}

/// The currencies accounts are held in.
pub(crate) const CURRENCIES: [&str; 3] = ["BTC", "ETH", "USDC"];

/// Every currency.
pub(crate) fn currencies() -> Vec<Currency> {
    let currency = |currency, long, kind, decimals, fee| Currency {
        coin_type: kind,
        currency,
        currency_long: long,
        min_confirmations: 1,
        min_withdrawal_fee: Num(fee),
        withdrawal_fee: Num(fee),
        withdrawal_priorities: Vec::new(),
        network_fee: Num(fee),
        network_currency: if currency == "USDC" { "ETH" } else { currency },
        decimals,
        apr: Num::ZERO,
        in_cross_collateral_pool: false,
    };
    vec![
        currency("BTC", "Bitcoin", "BITCOIN", 8, Decimal::new(1, 4)),
        currency("ETH", "Ethereum", "ETHER", 6, Decimal::new(1, 3)),
        currency("USDC", "USD Coin", "USDC", 6, Decimal::new(5, 0)),
    ]
}

//! What anyone may ask about the venue itself.

use super::fault::Fault;
use super::lookup;
use super::methods::Context;
use super::num::Num;
use super::rpc::{Answer, answer};
use super::view::instrument::{Instrument, currencies as all_currencies};
use super::view::{index_name, kind_word, of_currency};
use crate::engine::market::Phase;
use crate::engine::universe::Kind;
use crate::engine::{Market, Venue};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::decimal::Decimal;
use tidegate_types::time::Time;

/// The version that `public/test` and `public/hello` tell.
const VERSION: &str = "1.2.26";
/// The indexes there are.
pub(crate) const INDEXES: [&str; 4] = ["btc_usd", "btc_usdc", "eth_usd", "eth_usdc"];
const KINDS: [(&str, &str); 6] = [
    ("future", "future"),
    ("option", "option"),
    ("spot", "spot"),
    ("future_combo", "future_combo"),
    ("option_combo", "option_combo"),
    ("any", "any"),
];

/// The kind that is asked for; any when none is.
pub(crate) fn wanted_kind(context: &Context<'_>) -> Result<&'static str, Fault> {
    Ok(context.params.choice("kind", &KINDS)?.unwrap_or("any"))
}

/// Whether a market is of a kind.
pub(crate) fn of_kind(market: &Market, kind: &str) -> bool {
    kind == "any" || kind_word(&market.listing) == kind
}

/// The coin of an index name.
pub(crate) fn index_coin(name: &str) -> Option<&'static str> {
    let known = INDEXES.iter().find(|index| **index == name)?;
    Some(if known.starts_with("btc") { "BTC" } else { "ETH" })
}

pub(crate) fn hello(context: &mut Context<'_>) -> Answer {
    context.params.need_text("client_name")?;
    context.params.need_text("client_version")?;
    answer(&json!({ "version": VERSION }))
}

pub(crate) fn test(context: &mut Context<'_>) -> Answer {
    match context.params.text("expected_result")? {
        Some("exception") => Err(Fault::INTERNAL),
        _ => answer(&json!({ "version": VERSION })),
    }
}

pub(crate) fn time(context: &mut Context<'_>) -> Answer {
    answer(&context.now.millis())
}

pub(crate) fn status(_: &mut Context<'_>) -> Answer {
    answer(&json!({ "locked": "false", "locked_indices": [] }))
}

pub(crate) fn currencies(_: &mut Context<'_>) -> Answer {
    answer(&all_currencies())
}

pub(crate) fn instruments(context: &mut Context<'_>) -> Answer {
    let currency = context.params.text("currency")?.unwrap_or("any");
    let kind = wanted_kind(context)?;
    let phase = if context.params.flag("expired")? { Phase::Delivered } else { Phase::Trading };
    let wanted = |market: &Market| {
        market.phase == phase && of_kind(market, kind) && of_currency(&market.listing, currency)
    };
    let markets = context.exchange().markets(Venue::Deribit).filter(|(_, market)| wanted(market));
    answer(&markets.map(|(ix, market)| Instrument::of(ix, market)).collect::<Vec<_>>())
}

pub(crate) fn instrument(context: &mut Context<'_>) -> Answer {
    let name = context.params.need_text("instrument_name")?;
    let (ix, market) = lookup(context.exchange(), name).map_err(|_| Fault::NOT_FOUND)?;
    answer(&Instrument::of(ix, market))
}

pub(crate) fn contract_size(context: &mut Context<'_>) -> Answer {
    let (_, market) = context.instrument()?;
    answer(&json!({ "contract_size": Num(market.listing.contract_size) }))
}

pub(crate) fn index_price(context: &mut Context<'_>) -> Answer {
    let coin = index_coin(context.params.need_text("index_name")?);
    let price = context.exchange().index(coin.ok_or_else(|| Fault::param("index_name"))?);
    let price = Num::rounded(price, 4);
    answer(&json!({ "index_price": price, "estimated_delivery_price": price }))
}

pub(crate) fn index_price_names(context: &mut Context<'_>) -> Answer {
    if !context.params.flag("extended")? {
        return answer(&INDEXES);
    }
    let detail = |name: &&str| {
        json!({
            "name": name,
            "future_combo_creation_enabled": false,
            "option_combo_creation_enabled": false,
        })
    };
    answer(&INDEXES.iter().map(detail).collect::<Vec<_>>())
}

/// There are no combos: the list is empty for every currency there is.
pub(crate) fn combos(context: &mut Context<'_>) -> Answer {
    context.params.need_text("currency")?;
    answer(&[(); 0])
}

pub(crate) fn expirations(context: &mut Context<'_>) -> Answer {
    let currency = context.params.need_text("currency")?.to_owned();
    let kind = wanted_kind(context)?;
    let mut dates: BTreeMap<String, BTreeMap<&str, BTreeSet<Option<Time>>>> = BTreeMap::new();
    for (_, market) in context.exchange().markets(Venue::Deribit) {
        let terms = &market.listing;
        let group = match currency.as_str() {
            "any" => String::new(),
            "grouped" => terms.settle.to_lowercase(),
            other if of_currency(terms, other) => other.to_lowercase(),
            _ => continue,
        };
        if market.phase == Phase::Trading && of_kind(market, kind) {
            let kinds = dates.entry(group).or_default();
            kinds.entry(kind_word(terms)).or_default().insert(terms.expiry());
        }
    }
    let name =
        |expiry: &Option<Time>| expiry.map_or("PERPETUAL".to_owned(), super::universe::date_code);
    let words = |expiries: &BTreeSet<Option<Time>>| {
        // Perpetuals come last although they have no date.
        let dated = expiries.iter().filter(|expiry| expiry.is_some());
        let perpetual = expiries.iter().filter(|expiry| expiry.is_none());
        Value::from(dated.chain(perpetual).map(name).collect::<Vec<_>>())
    };
    let grouped = dates.iter().map(|(group, kinds)| {
        let kinds = kinds.iter().map(|(kind, expiries)| ((*kind).to_owned(), words(expiries)));
        (group.clone(), Value::Object(kinds.collect()))
    });
    match currency.as_str() {
        "any" => answer(&grouped.map(|(_, kinds)| kinds).next().unwrap_or_else(|| json!({}))),
        _ => answer(&Value::Object(grouped.collect())),
    }
}

pub(crate) fn delivery_prices(context: &mut Context<'_>) -> Answer {
    let index = context.params.need_text("index_name")?;
    index_coin(index).ok_or_else(|| Fault::param("index_name"))?;
    let offset = usize::try_from(context.params.int("offset")?.unwrap_or(0)).unwrap_or(usize::MAX);
    let count = context.params.count(10, 1000)?;
    let mut prices = BTreeMap::new();
    for (_, market) in context.exchange().markets(Venue::Deribit) {
        if let (Some(price), Kind::Future { expiry }) = (market.delivered_at, market.listing.kind)
            && index_name(&market.listing) == index
        {
            prices.insert(expiry, price);
        }
    }
    let row = |(expiry, price): (&Time, &Decimal)| {
        let (year, month, day) = crate::calendar::civil(*expiry);
        json!({ "date": format!("{year}-{month:02}-{day:02}"), "delivery_price": Num(*price) })
    };
    let data: Vec<Value> = prices.iter().rev().skip(offset).take(count).map(row).collect();
    answer(&json!({ "records_total": prices.len(), "data": data }))
}

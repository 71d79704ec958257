//! Positions, money, keys and what keys of this simulator may never do.

use super::auth::Proof;
use super::fault::Fault;
use super::methods::Context;
use super::num::Num;
use super::public::{of_kind, wanted_kind};
use super::rpc::{Answer, answer};
use super::view::account::{
    PositionView, SELF_TRADE_MODE, limits, order_margin, positions as held, summary as one_summary,
    user,
};
use super::view::instrument::CURRENCIES;
use super::view::of_currency;
use super::view::order::user_id;
use crate::engine::account::Entry;
use crate::engine::input::Input;
use serde_json::{Value, json};
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;

pub(crate) fn positions(context: &mut Context<'_>) -> Answer {
    let currency = context.params.text("currency")?.unwrap_or("any");
    let kind = wanted_kind(context)?;
    let (exchange, account) = (context.exchange(), context.account()?);
    let wanted = held(exchange, account)
        .filter(|(_, market)| of_kind(market, kind) && of_currency(&market.listing, currency));
    let views =
        wanted.map(|(ix, market)| PositionView::of(exchange, account, ix, market, context.now));
    answer(&views.collect::<Vec<_>>())
}

pub(crate) fn position(context: &mut Context<'_>) -> Answer {
    let (ix, market) = context.instrument()?;
    let account = context.account()?;
    answer(&PositionView::of(context.exchange(), account, ix, market, context.now))
}

pub(crate) fn margins(context: &mut Context<'_>) -> Answer {
    let (_, market) = context.instrument()?;
    let need = |name| context.params.decimal(name)?.ok_or_else(|| Fault::param(name));
    let (amount, price): (Decimal, Decimal) = (need("amount")?, need("price")?);
    let (low, high) = market.price_limits();
    answer(&json!({
        "buy": Num(order_margin(market, Side::Buy, amount, price)),
        "sell": Num(order_margin(market, Side::Sell, amount, price)),
        "min_price": Num(low),
        "max_price": Num(high),
    }))
}

fn known_currency<'a>(context: &Context<'a>) -> Result<&'a str, Fault> {
    let currency = context.params.need_text("currency")?;
    if CURRENCIES.contains(&currency) { Ok(currency) } else { Err(Fault::param("currency")) }
}

pub(crate) fn summary(context: &mut Context<'_>) -> Answer {
    let (currency, extended) = (known_currency(context)?, context.params.flag("extended")?);
    let (exchange, account) = (context.exchange(), context.account()?);
    let mut view = one_summary(exchange, account, currency, extended, context.now);
    tell_limits(&mut view, context.credit_scale);
    if extended
        && let (Some(view), Value::Object(user)) = (view.as_object_mut(), user(exchange, account))
    {
        view.extend(user);
    }
    answer(&view)
}

pub(crate) fn summaries(context: &mut Context<'_>) -> Answer {
    let extended = context.params.flag("extended")?;
    let (exchange, account) = (context.exchange(), context.account()?);
    let each = CURRENCIES.map(|c| {
        let mut view = one_summary(exchange, account, c, extended, context.now);
        tell_limits(&mut view, context.credit_scale);
        view
    });
    let mut view = user(exchange, account);
    if let Some(view) = view.as_object_mut() {
        view.insert("summaries".to_owned(), Value::from(each.to_vec()));
    }
    answer(&view)
}

/// Says how much may be asked: as much as is enforced.
fn tell_limits(view: &mut Value, credit_scale: u64) {
    if let Some(fields) = view.as_object_mut() {
        fields.insert("limits".to_owned(), limits(credit_scale));
    }
}

pub(crate) fn transaction_log(context: &mut Context<'_>) -> Answer {
    let params = context.params;
    let currency = known_currency(context)?;
    let from = params.need_time("start_timestamp")?;
    let to = params.need_time("end_timestamp")?;
    let count = params.count(100, 250)?;
    let before = params.int("continuation")?.unwrap_or(u64::MAX);
    let account = context.account()?;
    let owner = context.exchange().account(account).ok_or(Fault::NOT_FOUND)?;
    let wanted = owner.ledger.iter().rev().filter(|entry| {
        &*entry.asset == currency && entry.id < before && from <= entry.time && entry.time <= to
    });
    let mut entries: Vec<&Entry> = wanted.take(count + 1).collect();
    let more = entries.len() > count;
    entries.truncate(count);
    let next = entries.last().filter(|_| more).map(|entry| entry.id);
    let logs: Vec<Value> = entries.into_iter().map(|entry| log_entry(context, entry)).collect();
    answer(&json!({ "logs": logs, "continuation": next }))
}

fn log_entry(context: &Context<'_>, entry: &Entry) -> Value {
    let account = context.caller.map(|caller| user_id(caller.account));
    let market = entry.instrument.and_then(|ix| context.exchange().market(ix));
    let (kind, fee) = match &*entry.kind {
        "COMMISSION" => ("trade", entry.amount.neg()),
        "REALIZED_PNL" => ("trade", Decimal::ZERO),
        "FUNDING_FEE" => ("settlement", Decimal::ZERO),
        "TRANSFER" => ("transfer", Decimal::ZERO),
        _ => ("correction", Decimal::ZERO),
    };
    let trade = entry.trade.zip(market).map(|(id, m)| super::view::trade::trade_id(m, id));
    json!({
        "id": entry.id,
        "user_seq": entry.id,
        "user_id": account,
        "timestamp": entry.time.millis(),
        "type": kind,
        "currency": &*entry.asset,
        "change": Num(entry.amount),
        "cashflow": Num(if fee.is_zero() { entry.amount } else { Decimal::ZERO }),
        "commission": Num(fee),
        "balance": Num(entry.balance),
        "instrument_name": market.map(|market| &*market.listing.symbol),
        "trade_id": trade,
        "info": { "kind": &*entry.kind },
    })
}

/// The keys of the caller's account, without their secrets.
pub(crate) fn list_api_keys(context: &mut Context<'_>) -> Answer {
    let account = context.account()?;
    let keys = context.auth.keys_of(account).map(|key| {
        let mut view = json!({
            "id": key.id,
            "timestamp": 1_687_352_432_143_u64,
            "client_id": key.client_id,
            "client_secret": "",
            "name": key.name,
            "max_scope": key.max_scope,
            "enabled": true,
            "default": key.id == 1,
            "enabled_features": [],
        });
        if let (Proof::Ed25519(_), Some(view)) = (&key.proof, view.as_object_mut()) {
            view.insert("public_key".to_owned(), key.public_pem().into());
        }
        view
    });
    answer(&keys.collect::<Vec<_>>())
}

pub(crate) fn set_self_trading_config(context: &mut Context<'_>) -> Answer {
    let modes = [("reject_taker", "reject_taker"), ("cancel_maker", "cancel_maker")];
    let mode = context.params.choice("mode", &modes)?.ok_or_else(|| Fault::param("mode"))?;
    let account = context.account()?;
    context.apply(Input::SetFlag {
        account,
        name: Arc::from(SELF_TRADE_MODE),
        value: Arc::from(mode),
    });
    answer("ok")
}

/// Money does not leave the simulator, whatever the key's rights.
pub(crate) fn forbidden(_: &mut Context<'_>) -> Answer {
    Err(Fault::FORBIDDEN)
}

/// Keys are changed with a second factor, and accounts of the simulator have none.
pub(crate) fn needs_second_factor(_: &mut Context<'_>) -> Answer {
    Err(Fault::SECOND_FACTOR_REQUIRED)
}

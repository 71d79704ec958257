//! Placing, editing and cancelling.

use super::fault::Fault;
use super::history::{Filter, live, named, wanted_type};
use super::methods::Context;
use super::public::wanted_kind;
use super::rpc::{Answer, answer};
use super::view::account::{SELF_TRADE_MODE, net};
use super::view::order::OrderView;
use super::view::trade::UserTradeView;
use crate::engine::input::{Amendment, Input, OrderRef, Refusal, Reply};
use crate::engine::order::{
    EndReason, Fill, NewOrder, Order, OrderId, OrderType, PosSide, PostOnly, SelfTrade, Tif,
    Trigger, TriggerBy, TriggerKind,
};
use crate::engine::{InstrumentIx, Market};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::Time;

/// The longest label, in characters.
const LABEL_MAX: usize = 64;

/// An order type's word, how it meets the book, and the direction of its trigger.
#[derive(Clone, Copy)]
enum Waits {
    No,
    Stop,
    Take,
    Trailing,
}

#[rustfmt::skip]
const TYPES: [(&str, (OrderType, Waits)); 8] = [
    ("limit", (OrderType::Limit, Waits::No)),
    ("market", (OrderType::Market, Waits::No)),
    ("market_limit", (OrderType::MarketLimit, Waits::No)),
    ("stop_limit", (OrderType::Limit, Waits::Stop)),
    ("stop_market", (OrderType::Market, Waits::Stop)),
    ("take_limit", (OrderType::Limit, Waits::Take)),
    ("take_market", (OrderType::Market, Waits::Take)),
    ("trailing_stop", (OrderType::Market, Waits::Trailing)),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum TifWord {
    Gtc,
    Day,
    Fok,
    Ioc,
}

pub(crate) fn buy(context: &mut Context<'_>) -> Answer {
    place(context, Side::Buy)
}

pub(crate) fn sell(context: &mut Context<'_>) -> Answer {
    place(context, Side::Sell)
}

fn place(context: &mut Context<'_>, side: Side) -> Answer {
    in_time(context)?;
    let (ix, market) = context.instrument()?;
    let order = read_order(context, ix, market, side)?;
    submit(context, order)
}

fn submit(context: &mut Context<'_>, order: NewOrder) -> Answer {
    let account = context.account()?;
    let instrument = order.instrument;
    let ask = order.clone();
    match context.apply(Input::Place { account, order: Box::new(order) }) {
        Reply::Order(order, fills) => {
            if let Some(session) = &mut context.session {
                session.placed(order.id, context.desk.exchange());
            }
            placed(context, &order, &fills)
        }
        Reply::Refused(refusal) => Err(refused(context, refusal, Some((instrument, &ask)))),
        Reply::Cancelled(_) | Reply::Done => Err(Fault::INTERNAL),
    }
}

#[derive(Serialize)]
struct Placed<'a> {
    order: OrderView,
    trades: Vec<UserTradeView<'a>>,
}

fn placed(context: &Context<'_>, order: &Order, fills: &[Fill]) -> Answer {
    let exchange = context.exchange();
    let market = exchange.market(order.ask.instrument).ok_or(Fault::INTERNAL)?;
    let trades = fills.iter().map(|fill| UserTradeView::of(exchange, market, fill)).collect();
    answer(&Placed { order: OrderView::of(exchange, order), trades })
}

/// Refuses a call that came after the time its caller gave it.
fn in_time(context: &Context<'_>) -> Result<(), Fault> {
    match context.params.time("valid_until")? {
        Some(until) if until <= context.now => Err(Fault::TIMED_OUT),
        _ => Ok(()),
    }
}

fn read_order(
    context: &Context<'_>,
    instrument: InstrumentIx,
    market: &Market,
    side: Side,
) -> Result<NewOrder, Fault> {
    let params = context.params;
    refuse_unsupported(context, market)?;
    let (kind, waits) = params.choice("type", &TYPES)?.unwrap_or((OrderType::Limit, Waits::No));
    let label = params.text("label")?.unwrap_or("");
    if label.chars().count() > LABEL_MAX {
        return Err(Fault::param("label"));
    }
    let price = if kind == OrderType::Limit {
        Some(params.decimal("price")?.ok_or_else(|| Fault::param("price"))?)
    } else {
        None
    };
    let tif = read_tif(context, kind)?;
    Ok(NewOrder {
        kind,
        price,
        tif,
        quantity: read_amount(context, market)?.ok_or_else(|| Fault::param("amount"))?,
        post_only: read_post_only(context, kind, tif)?,
        reduce_only: params.flag("reduce_only")?,
        pos_side: PosSide::Both,
        self_trade: self_trade(context)?,
        trigger: read_trigger(context, waits)?,
        client_id: Arc::from(label),
        ..NewOrder::limit(instrument, side, Decimal::ZERO, Decimal::ZERO)
    })
}

/// Refuses what real orders may carry and these may not, rather than passing it over.
fn refuse_unsupported(context: &Context<'_>, market: &Market) -> Result<(), Fault> {
    let params = context.params;
    if params.has("advanced") {
        let option = market.listing.is_option();
        return Err(if option { Fault::NOT_IMPLEMENTED } else { Fault::NO_ADVANCED_FOR_FUTURES });
    }
    if params.flag("mmp")? {
        return Err(Fault::MMP_REQUIRED);
    }
    for name in ["linked_order_type", "otoco_config", "display_amount", "max_show"] {
        if params.has(name) {
            return Err(Fault::NOT_IMPLEMENTED);
        }
    }
    Ok(())
}

/// The amount, given as such or in contracts; both must agree.
fn read_amount(context: &Context<'_>, market: &Market) -> Result<Option<Decimal>, Fault> {
    let (amount, contracts) =
        (context.params.decimal("amount")?, context.params.decimal("contracts")?);
    let size = market.listing.contract_size;
    let of_contracts = match contracts {
        None => None,
        Some(contracts) => Some(
            contracts
                .mul(size, tidegate_types::decimal::Rounding::Nearest)
                .map_err(|_| Fault::param("contracts"))?,
        ),
    };
    if amount.is_some() && of_contracts.is_some() && amount != of_contracts {
        return Err(Fault::INVALID_AMOUNT);
    }
    let amount = amount.or(of_contracts);
    let whole = amount.is_none_or(|amount| amount.is_multiple_of(size));
    if !whole && !market.listing.is_option() && amount >= Some(market.listing.min_quantity) {
        return Err(Fault::NON_INTEGER_CONTRACTS);
    }
    Ok(amount)
}

fn read_tif(context: &Context<'_>, kind: OrderType) -> Result<Tif, Fault> {
    let words = [
        ("good_til_cancelled", TifWord::Gtc),
        ("good_til_day", TifWord::Day),
        ("fill_or_kill", TifWord::Fok),
        ("immediate_or_cancel", TifWord::Ioc),
    ];
    let word = context.params.choice("time_in_force", &words)?;
    if kind == OrderType::Market && word.is_some_and(|word| word != TifWord::Gtc) {
        return Err(Fault::param("time_in_force"));
    }
    Ok(match word.unwrap_or(TifWord::Gtc) {
        TifWord::Gtc => Tif::Gtc,
        TifWord::Ioc => Tif::Ioc,
        TifWord::Fok => Tif::Fok,
        TifWord::Day => Tif::Gtd { until: end_of_day(context.now) },
    })
}

/// The next 08:00 UTC, when a day ends at the venue.
fn end_of_day(now: Time) -> Time {
    const DAY: u64 = 86_400_000;
    const EIGHT: u64 = 8 * 3_600_000;
    Time::from_millis((now.millis() + DAY - EIGHT) / DAY * DAY + EIGHT)
}

fn read_post_only(context: &Context<'_>, kind: OrderType, tif: Tif) -> Result<PostOnly, Fault> {
    if !context.params.flag("post_only")? {
        return Ok(PostOnly::No);
    }
    if kind != OrderType::Limit || tif != Tif::Gtc {
        return Err(Fault::POST_ONLY_NOT_ALLOWED);
    }
    let reject = context.params.flag("reject_post_only")?;
    Ok(if reject { PostOnly::Reject } else { PostOnly::Slide })
}

fn read_trigger(context: &Context<'_>, waits: Waits) -> Result<Option<Trigger>, Fault> {
    let params = context.params;
    let need = |name| params.decimal(name)?.ok_or_else(|| Fault::param(name));
    let kind = match waits {
        Waits::No => return Ok(None),
        Waits::Stop => TriggerKind::Stop,
        Waits::Take => TriggerKind::Take,
        Waits::Trailing => TriggerKind::Trailing {
            offset: need("trigger_offset")?,
            relative: false,
            activation: None,
        },
    };
    let words = [
        ("mark_price", TriggerBy::Mark),
        ("index_price", TriggerBy::Index),
        ("last_price", TriggerBy::Last),
    ];
    let by = params.choice("trigger", &words)?.ok_or_else(|| Fault::param("trigger"))?;
    let price =
        if matches!(waits, Waits::Trailing) { Decimal::ZERO } else { need("trigger_price")? };
    Ok(Some(Trigger { kind, by, price }))
}

fn self_trade(context: &Context<'_>) -> Result<SelfTrade, Fault> {
    let account = context.exchange().account(context.account()?).ok_or(Fault::NOT_FOUND)?;
    Ok(match account.flags.get(SELF_TRADE_MODE).map(|mode| &**mode) {
        Some("reject_taker") => SelfTrade::RejectTaker,
        _ => SelfTrade::ExpireMaker,
    })
}

pub(crate) fn close_position(context: &mut Context<'_>) -> Answer {
    let (instrument, _) = context.instrument()?;
    let kinds = [("limit", OrderType::Limit), ("market", OrderType::Market)];
    let kind = context.params.choice("type", &kinds)?.ok_or_else(|| Fault::param("type"))?;
    let price = match kind {
        OrderType::Limit => {
            Some(context.params.decimal("price")?.ok_or_else(|| Fault::param("price"))?)
        }
        OrderType::Market | OrderType::MarketLimit => None,
    };
    let size = net(context.exchange(), context.account()?, instrument).size;
    if size.is_zero() {
        return Err(Fault::OTHER_REJECT.limit("no_open_position"));
    }
    let side = if size.is_positive() { Side::Sell } else { Side::Buy };
    let order = NewOrder {
        kind,
        price,
        reduce_only: true,
        self_trade: self_trade(context)?,
        ..NewOrder::limit(instrument, side, size.abs(), Decimal::ZERO)
    };
    submit(context, order)
}

pub(crate) fn edit(context: &mut Context<'_>) -> Answer {
    in_time(context)?;
    let id = named(context)?.id;
    amend(context, id)
}

pub(crate) fn edit_by_label(context: &mut Context<'_>) -> Answer {
    in_time(context)?;
    let label = context.params.text("label")?.unwrap_or("");
    let instrument = Some(context.instrument()?.0);
    let filter = Filter { instrument, label: Some(label), ..Filter::ALL };
    let ids: Vec<OrderId> = live(context, filter)?.map(|order| order.id).collect();
    match ids.as_slice() {
        [] => Err(Fault::ORDER_NOT_FOUND),
        [id] => amend(context, *id),
        _ => Err(Fault::NON_UNIQUE_LABEL),
    }
}

fn amend(context: &mut Context<'_>, id: OrderId) -> Answer {
    let params = context.params;
    let account = context.account()?;
    let order = context.exchange().order(id).ok_or(Fault::ORDER_NOT_FOUND)?;
    if !order.is_live() {
        return Err(Fault::ALREADY_CLOSED);
    }
    let instrument = order.ask.instrument;
    let ask = order.ask.clone();
    let market = context.exchange().market(instrument).ok_or(Fault::INTERNAL)?;
    refuse_unsupported(context, market)?;
    let post_only = match (params.has("post_only"), params.flag("post_only")?) {
        (false, _) if params.flag("reject_post_only")? && ask.post_only != PostOnly::No => {
            Some(PostOnly::Reject)
        }
        (false, _) => None,
        (true, false) => Some(PostOnly::No),
        (true, true) if params.flag("reject_post_only")? => Some(PostOnly::Reject),
        (true, true) => Some(PostOnly::Slide),
    };
    let change = Amendment {
        quantity: read_amount(context, market)?,
        price: params.decimal("price")?,
        trigger_price: params.decimal("trigger_price")?,
        post_only,
        reduce_only: params.has("reduce_only").then_some(params.flag("reduce_only")?),
    };
    match context.apply(Input::Amend { account, target: OrderRef::Id { id }, change }) {
        Reply::Order(order, fills) => placed(context, &order, &fills),
        Reply::Refused(Refusal::SameOrder) => {
            let order = context.exchange().order(id).ok_or(Fault::ORDER_NOT_FOUND)?;
            placed(context, order, &[])
        }
        Reply::Refused(Refusal::NotOpen) => Err(Fault::ALREADY_CLOSED),
        Reply::Refused(refusal) => Err(refused(context, refusal, Some((instrument, &ask)))),
        Reply::Cancelled(_) | Reply::Done => Err(Fault::INTERNAL),
    }
}

pub(crate) fn cancel(context: &mut Context<'_>) -> Answer {
    let id = named(context)?.id;
    let account = context.account()?;
    match context.apply(Input::Cancel { account, target: OrderRef::Id { id } }) {
        Reply::Order(order, _) => answer(&OrderView::of(context.exchange(), &order)),
        Reply::Cancelled(orders) => {
            let order = orders.first().ok_or(Fault::INTERNAL)?;
            answer(&OrderView::of(context.exchange(), order))
        }
        Reply::Refused(refusal) => Err(refused(context, refusal, None)),
        Reply::Done => Err(Fault::INTERNAL),
    }
}

pub(crate) fn cancel_all(context: &mut Context<'_>) -> Answer {
    cancel_many(context, Filter::ALL)
}

pub(crate) fn cancel_all_by_currency(context: &mut Context<'_>) -> Answer {
    let filter = Filter {
        currencies: &[context.params.need_text("currency")?],
        kind: wanted_kind(context)?,
        order_type: wanted_type(context)?,
        ..Filter::ALL
    };
    cancel_many(context, filter)
}

pub(crate) fn cancel_all_by_instrument(context: &mut Context<'_>) -> Answer {
    let filter = Filter {
        instrument: Some(context.instrument()?.0),
        order_type: wanted_type(context)?,
        ..Filter::ALL
    };
    cancel_many(context, filter)
}

pub(crate) fn cancel_all_by_kind_or_type(context: &mut Context<'_>) -> Answer {
    let currencies = context.params.list("currency")?;
    let filter = Filter {
        currencies: &currencies,
        kind: wanted_kind(context)?,
        order_type: wanted_type(context)?,
        ..Filter::ALL
    };
    cancel_many(context, filter)
}

pub(crate) fn cancel_by_label(context: &mut Context<'_>) -> Answer {
    let currency = context.params.text("currency")?.unwrap_or("any");
    let filter = Filter {
        currencies: &[currency],
        label: Some(context.params.need_text("label")?),
        ..Filter::ALL
    };
    cancel_many(context, filter)
}

/// Cancels and answers how many, or with `detailed` which.
fn cancel_many(context: &mut Context<'_>, filter: Filter<'_>) -> Answer {
    let orders: Vec<OrderId> = live(context, filter)?.map(|order| order.id).collect();
    let account = context.account()?;
    let reply = context.apply(Input::CancelMany { account, orders, reason: EndReason::User });
    let Reply::Cancelled(orders) = reply else { return Err(Fault::INTERNAL) };
    if !context.params.flag("detailed")? {
        return answer(&orders.len());
    }
    let exchange = context.exchange();
    let mut groups: BTreeMap<(String, &str), Vec<OrderView>> = BTreeMap::new();
    for order in &orders {
        if let Some(market) = exchange.market(order.ask.instrument) {
            let kind = super::view::kind_word(&market.listing);
            let group = groups.entry((market.listing.settle.to_string(), kind)).or_default();
            group.push(OrderView::of(exchange, order));
        }
    }
    let rows = groups.into_iter().map(|((currency, kind), orders)| {
        json!({ "currency": currency, "type": kind, "result": orders })
    });
    answer(&rows.collect::<Vec<_>>())
}

/// The venue's error for what the exchange refused.
fn refused(
    context: &Context<'_>,
    refusal: Refusal,
    about: Option<(InstrumentIx, &NewOrder)>,
) -> Fault {
    match refusal {
        Refusal::UnknownInstrument => Fault::INVALID_INSTRUMENT,
        Refusal::NotTrading => Fault::BOOK_CLOSED,
        Refusal::BadPrice => Fault::INVALID_PRICE,
        Refusal::OffTick => Fault::PRICE_WRONG_TICK,
        Refusal::PriceTooHigh(limit) => Fault::PRICE_TOO_HIGH.limit(limit),
        Refusal::PriceTooLow(limit) => Fault::PRICE_TOO_LOW.limit(limit),
        Refusal::BadQuantity | Refusal::TooLarge | Refusal::OffStep => Fault::INVALID_AMOUNT,
        Refusal::TooSmall | Refusal::MinNotional(_) => Fault::QTY_TOO_LOW,
        Refusal::Margin | Refusal::Balance | Refusal::Leverage => Fault::NOT_ENOUGH_FUNDS,
        Refusal::WouldTake => Fault::POST_ONLY_REJECT,
        Refusal::CannotFill => Fault::OTHER_REJECT.limit("fill_or_kill"),
        Refusal::NoLiquidity => Fault::OTHER_REJECT.limit("no_liquidity"),
        Refusal::ReduceOnly => Fault::OTHER_REJECT.limit("invalid_reduce_only_order"),
        Refusal::UnknownOrder => Fault::ORDER_NOT_FOUND,
        Refusal::NotOpen => Fault::NOT_OPEN_ORDER,
        Refusal::TooManyOrders => Fault::OTHER_REJECT.limit("max_open_orders"),
        Refusal::TooManyTriggers => Fault::NO_MORE_TRIGGERS,
        Refusal::WouldTrigger => about.map_or(Fault::INVALID_TRIGGER_PRICE, passed),
        Refusal::BadTrigger => bad_trigger(context, about),
        Refusal::SelfTrade => Fault::ORDER_OVERLAP,
        Refusal::BadGoodTill => Fault::TIMED_OUT,
        Refusal::Unavailable => Fault::TEMPORARILY_UNAVAILABLE,
        Refusal::CannotAmend
        | Refusal::SameOrder
        | Refusal::PositionSide
        | Refusal::DuplicateClientId
        | Refusal::HasOrders
        | Refusal::HasPosition
        | Refusal::NoChange
        | Refusal::NoListenKey => Fault::INVALID_ARGUMENTS,
    }
}

/// A trigger the market has passed already: below it for one that waits for a rise.
fn passed((_, order): (InstrumentIx, &NewOrder)) -> Fault {
    let waits_for_rise = match order.trigger.map(|trigger| trigger.kind) {
        Some(TriggerKind::Take) => order.side == Side::Sell,
        _ => order.side == Side::Buy,
    };
    if waits_for_rise { Fault::TRIGGER_TOO_LOW } else { Fault::TRIGGER_TOO_HIGH }
}

fn bad_trigger(context: &Context<'_>, about: Option<(InstrumentIx, &NewOrder)>) -> Fault {
    let off_tick = about.is_some_and(|(ix, order)| {
        let price = order.trigger.map_or(Decimal::ZERO, |trigger| trigger.price);
        let market = context.exchange().market(ix);
        let fits = |m: &Market| price.is_multiple_of(m.listing.tick_at(price));
        price.is_positive() && !market.is_some_and(fits)
    });
    if off_tick { Fault::TRIGGER_PRICE_WRONG_TICK } else { Fault::INVALID_TRIGGER_PRICE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_end_at_eight() {
        let at = |hours: u64| Time::from_millis(hours * 3_600_000);
        assert_eq!(end_of_day(at(7)), at(8));
        assert_eq!(end_of_day(at(8)), at(32));
        assert_eq!(end_of_day(at(24)), at(32));
    }
}

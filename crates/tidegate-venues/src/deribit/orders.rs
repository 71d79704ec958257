//! Orders and their changes, from the parameters of `buy`, `sell`, `edit` and `edit_by_label`.

use super::names;
use super::parse::caller_id;
use super::rpc::{Params, bad};
use crate::front::Instruments;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::instrument::{Instrument, Kind, Price, Qty};
use tidegate_types::order::{
    AmendOrder, NewOrder, OrderName, OrderType, PostOnly, Side, TimeInForce, Trigger, TriggerBy,
};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// Parameters of the venue that would make an order whose worst price or quantity the gateway
/// cannot compute, or several orders at once.
pub(crate) const UNSUPPORTED: &[&str] = &[
    "advanced",
    "linked_order_type",
    "otoco_config",
    "trigger_fill_condition",
    "trigger_offset",
    "display_amount",
    "refresh_amount",
    "max_show",
    "mmp",
    "mmp_group",
];

/// What a refusal says of an amount below the instrument's minimum.
pub(crate) const TOO_LOW: &str = "`amount` is below the minimum";
/// What a refusal says of a future's amount that is not a whole number of contracts.
pub(crate) const NOT_WHOLE: &str = "`amount` is not a whole number of contracts";
/// What a refusal says of a deadline of the caller's own that has passed.
pub(crate) const TOO_LATE: &str = "`valid_until` has passed";

const TYPES: &[(&str, OrderType)] = &[
    ("limit", OrderType::Limit),
    ("market", OrderType::Market),
    ("market_limit", OrderType::MarketLimit),
    ("stop_limit", OrderType::StopLimit),
    ("stop_market", OrderType::StopMarket),
    ("take_limit", OrderType::TakeLimit),
    ("take_market", OrderType::TakeMarket),
];
const TIMES: &[(&str, TimeInForce)] = &[
    ("good_til_cancelled", TimeInForce::GoodTilCancelled),
    ("good_til_day", TimeInForce::GoodTilDay),
    ("immediate_or_cancel", TimeInForce::ImmediateOrCancel),
    ("fill_or_kill", TimeInForce::FillOrKill),
];
const TRIGGERS: &[(&str, TriggerBy)] = &[
    ("mark_price", TriggerBy::Mark),
    ("index_price", TriggerBy::Index),
    ("last_price", TriggerBy::Last),
];

/// The venue's word for an order type.
pub(crate) fn type_word(order_type: OrderType) -> &'static str {
    word(TYPES, order_type)
}

/// The order type of the venue's word.
pub(crate) fn type_of(word: &str) -> Option<OrderType> {
    TYPES.iter().find(|(text, _)| *text == word).map(|(_, value)| *value)
}

/// The venue's word for a time in force; the venue has none for a date.
pub(crate) fn time_word(time: TimeInForce) -> Option<&'static str> {
    TIMES.iter().find(|(_, value)| *value == time).map(|(text, _)| *text)
}

/// The venue's word for a trigger.
pub(crate) fn trigger_word(by: TriggerBy) -> &'static str {
    word(TRIGGERS, by)
}

/// The order that `buy` or `sell` describes.
pub(crate) fn new(
    side: Side,
    params: &Params,
    instruments: &Instruments,
) -> Result<NewOrder, Reject> {
    let instrument = names::known(params.need_text("instrument_name")?, instruments)?;
    let order_type = match params.text("type")? {
        None => OrderType::Limit,
        Some("trailing_stop") => {
            return Err(bad(Code::UnsupportedParameter, "type", "trailing_stop is not served"));
        }
        Some(text) => {
            type_of(text).ok_or_else(|| bad(Code::BadParameter, "type", "is not known"))?
        }
    };
    if params.flag("mmp")?.unwrap_or_default() {
        return Err(bad(Code::UnsupportedParameter, "mmp", "is not served"));
    }
    let qty = qty(params, Some(instrument))?
        .ok_or_else(|| bad(Code::MissingParameter, "amount", "is missing"))?;
    sized(qty, instrument)?;
    Ok(NewOrder {
        instrument: instrument.id.clone(),
        side,
        order_type,
        qty,
        price: order_price(params, order_type)?,
        trigger: trigger(params, order_type)?,
        time_in_force: choice(params, "time_in_force", TIMES)?
            .unwrap_or(TimeInForce::GoodTilCancelled),
        post_only: post_only(params)?.unwrap_or(PostOnly::No),
        reduce_only: params.flag("reduce_only")?.unwrap_or_default(),
        self_trade: None,
        caller_id: caller_id(params.text("label")?.unwrap_or_default())?,
        valid_until: params.whole("valid_until")?.map(Time::from_millis),
        full_answer: false,
    })
}

/// The change that `edit` or `edit_by_label` describes. `instrument` is known for the latter.
pub(crate) fn amend(
    order: OrderName,
    params: &Params,
    instrument: Option<&Instrument>,
) -> Result<AmendOrder, Reject> {
    Ok(AmendOrder {
        order,
        instrument: instrument.map(|instrument| instrument.id.clone()),
        side: None,
        qty: qty(params, instrument)?,
        price: positive(params, "price")?.map(Price),
        trigger_price: positive(params, "trigger_price")?.map(Price),
        post_only: post_only(params)?,
        reduce_only: params.flag("reduce_only")?,
        valid_until: params.whole("valid_until")?.map(Time::from_millis),
    })
}

/// The quantity: `amount`, or `contracts` times the contract size; both must agree.
fn qty(params: &Params, instrument: Option<&Instrument>) -> Result<Option<Qty>, Reject> {
    let amount = positive(params, "amount")?;
    let Some(contracts) = positive(params, "contracts")? else {
        return Ok(amount.map(Qty));
    };
    let Some(instrument) = instrument else {
        return Err(bad(Code::UnsupportedParameter, "contracts", "needs the instrument"));
    };
    let out_of_range = |_| bad(Code::OutOfRange, "contracts", "is out of range");
    let size = instrument.contract_size.0;
    let counted = contracts.mul(size, Rounding::Floor).map_err(out_of_range)?;
    let exact = counted.div(size, Rounding::Floor).is_ok_and(|back| back == contracts);
    if !exact || amount.is_some_and(|amount| amount != counted) {
        return Err(bad(Code::BadQuantityStep, "contracts", "does not match the amount"));
    }
    Ok(Some(Qty(counted)))
}

/// The venue has words of its own for two wrong sizes, and the core one code for all.
fn sized(qty: Qty, instrument: &Instrument) -> Result<(), Reject> {
    let wrong = |why: &str| Err(Reject::new(Code::BadQuantityStep, why));
    let option = matches!(instrument.kind, Kind::Option { .. });
    if qty < instrument.min_qty {
        return wrong(TOO_LOW);
    }
    if !option && !qty.0.is_multiple_of(instrument.contract_size.0) {
        return wrong(NOT_WHOLE);
    }
    Ok(())
}

fn order_price(params: &Params, order_type: OrderType) -> Result<Option<Price>, Reject> {
    match (positive(params, "price")?, order_type.has_price()) {
        (Some(price), true) => Ok(Some(Price(price))),
        (None, false) => Ok(None),
        (None, true) => Err(bad(Code::MissingParameter, "price", "is missing")),
        (Some(_), false) => Err(bad(Code::BadParameter, "price", "is not for this order type")),
    }
}

fn trigger(params: &Params, order_type: OrderType) -> Result<Option<Trigger>, Reject> {
    let price = positive(params, "trigger_price")?;
    let by = choice(params, "trigger", TRIGGERS)?;
    match (order_type.is_conditional(), price, by) {
        (true, Some(price), Some(by)) => Ok(Some(Trigger { price: Price(price), by })),
        (true, None, _) => Err(bad(Code::MissingParameter, "trigger_price", "is missing")),
        (true, _, None) => Err(bad(Code::MissingParameter, "trigger", "is missing")),
        (false, None, None) => Ok(None),
        (false, Some(_), _) => {
            Err(bad(Code::BadParameter, "trigger_price", "is not for this order type"))
        }
        (false, _, Some(_)) => {
            Err(bad(Code::BadParameter, "trigger", "is not for this order type"))
        }
    }
}

fn post_only(params: &Params) -> Result<Option<PostOnly>, Reject> {
    let reject = params.flag("reject_post_only")?.unwrap_or_default();
    Ok(params.flag("post_only")?.map(|only| match (only, reject) {
        (true, true) => PostOnly::Reject,
        (true, false) => PostOnly::Slide,
        (false, _) => PostOnly::No,
    }))
}

fn positive(params: &Params, name: &str) -> Result<Option<Decimal>, Reject> {
    match params.decimal(name)? {
        Some(number) if !number.is_positive() => {
            Err(bad(Code::BadParameter, name, "is not above zero"))
        }
        number => Ok(number),
    }
}

fn choice<T: Copy>(
    params: &Params,
    name: &str,
    words: &[(&'static str, T)],
) -> Result<Option<T>, Reject> {
    let Some(text) = params.text(name)? else { return Ok(None) };
    let found = words.iter().find(|(word, _)| *word == text);
    found
        .map(|(_, value)| Some(*value))
        .ok_or_else(|| bad(Code::BadParameter, name, "is not known"))
}

fn word<T: PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, known)| *known == value).map_or("", |(text, _)| *text)
}

//! Orders: placing, amending, cancelling, asking.

use super::fail::Fail;
use super::params::Params;
use super::render::{self, Tag};
use super::routes::{Call, Outcome};
use crate::engine::input::Amendment;
use crate::engine::order::{EndReason, OrderId, OrderType, PosSide, PostOnly, SelfTrade, Tif};
use crate::engine::{
    AccountIx, Exchange, Input, InstrumentIx, Market, NewOrder, Order, OrderRef, Refusal, Reply,
    Status,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::Time;

/// What a new order is read from.
pub(crate) struct Reading<'a> {
    /// The parameters.
    pub(crate) params: &'a Params,
    /// The instrument.
    pub(crate) instrument: InstrumentIx,
    /// Its market.
    pub(crate) market: &'a Market,
    /// Whether the account keeps long and short apart.
    pub(crate) hedge: bool,
    /// The venue's clock.
    pub(crate) now: Time,
}

pub(crate) fn place(call: &mut Call<'_>) -> Outcome {
    let account = call.account()?;
    let params = call.params.clone();
    place_one(call, account, &params)
}

pub(crate) fn test(call: &mut Call<'_>) -> Outcome {
    let account = call.account()?;
    let params = call.params.clone();
    read_new(call, account, &params).map(|_| json!({}))
}

fn read_new(call: &Call<'_>, account: AccountIx, params: &Params) -> Result<NewOrder, Fail> {
    let instrument = call.instrument(params.need("symbol")?)?;
    let exchange = &call.world.exchange;
    let market = exchange.market(instrument).ok_or(Fail::SYMBOL)?;
    let hedge = exchange.account(account).is_some_and(|owner| owner.hedge);
    Reading { params, instrument, market, hedge, now: call.now }.order()
}

fn place_one(call: &mut Call<'_>, account: AccountIx, params: &Params) -> Outcome {
    let order = read_new(call, account, params)?;
    let full = match params.get("newOrderRespType") {
        None | Some("ACK") => false,
        Some("RESULT") => true,
        Some(_) => return Err(Fail::RESP_TYPE),
    };
    let instrument = order.instrument;
    match call.apply(&Input::Place { account, order: Box::new(order) }) {
        Reply::Order(mut order, _) => {
            if !full {
                order.status = Status::Open;
                order.filled = Decimal::ZERO;
                order.paid = Decimal::ZERO;
            }
            Ok(render::order(call.listing(instrument)?, &order, false))
        }
        Reply::Refused(refusal) => Err(Fail::of_order(refusal)),
        Reply::Cancelled(_) | Reply::Done => Err(Fail::UNKNOWN),
    }
}

impl Reading<'_> {
    fn order(&self) -> Result<NewOrder, Fail> {
        let side = self.side()?;
        let kind = self.params.need("type")?;
        let mut order = match kind {
            "LIMIT" => NewOrder::limit(self.instrument, side, Decimal::ZERO, Decimal::ZERO),
            "MARKET" => NewOrder::market(self.instrument, side, Decimal::ZERO),
            "STOP"
            | "STOP_MARKET"
            | "TAKE_PROFIT"
            | "TAKE_PROFIT_MARKET"
            | "TRAILING_STOP_MARKET" => return Err(Fail::USE_ALGO),
            _ => return Err(Fail::TYPE),
        };
        let price_match = self.params.get("priceMatch").filter(|name| *name != "NONE");
        if kind == "LIMIT" {
            (order.tif, order.post_only) = self.time_in_force(None)?;
            order.price = Some(self.limit_price(side, price_match)?);
        } else {
            for name in ["timeInForce", "price"] {
                if self.params.get(name).is_some() {
                    return Err(Fail::unneeded(name));
                }
            }
            if price_match.is_some() {
                return Err(Fail::PRICE_MATCH_TYPE);
            }
        }
        order.quantity = self.quantity()?.ok_or_else(|| Fail::missing("quantity"))?;
        self.finish(&mut order, "newClientOrderId", "EXPIRE_MAKER")?;
        let tag = Tag {
            price_match: price_match.unwrap_or("NONE"),
            working_type: "CONTRACT_PRICE",
            protect: false,
            placed_as: kind,
        };
        order.tag = tag.write();
        Ok(order)
    }

    pub(crate) fn side(&self) -> Result<Side, Fail> {
        match self.params.need("side")? {
            "BUY" => Ok(Side::Buy),
            "SELL" => Ok(Side::Sell),
            _ => Err(Fail::SIDE),
        }
    }

    /// Reduce-only, position side, self-trade mode and client id, which all orders have.
    pub(crate) fn finish(
        &self,
        order: &mut NewOrder,
        id_name: &str,
        mode: &str,
    ) -> Result<(), Fail> {
        order.reduce_only = self.params.flag("reduceOnly")?.unwrap_or(false);
        if order.reduce_only && self.hedge {
            return Err(Fail::CLOSE_AND_REDUCE);
        }
        order.pos_side = match self.params.get("positionSide") {
            None | Some("BOTH") => PosSide::Both,
            Some("LONG") => PosSide::Long,
            Some("SHORT") => PosSide::Short,
            Some(_) => return Err(Fail::POSITION_SIDE_NAME),
        };
        order.self_trade = match self.params.get("selfTradePreventionMode").unwrap_or(mode) {
            "NONE" => SelfTrade::Allow,
            "EXPIRE_TAKER" => SelfTrade::ExpireTaker,
            "EXPIRE_MAKER" => SelfTrade::ExpireMaker,
            "EXPIRE_BOTH" => SelfTrade::ExpireBoth,
            _ => return Err(Fail::SELF_TRADE),
        };
        order.client_id = match self.params.get(id_name) {
            Some(id) if is_client_id(id) => Arc::from(id),
            Some(_) => return Err(Fail::CLIENT_ID),
            None => made_up_id(self.now, order),
        };
        order.unique = true;
        Ok(())
    }

    pub(crate) fn time_in_force(&self, usual: Option<&str>) -> Result<(Tif, PostOnly), Fail> {
        let name = match self.params.get("timeInForce").or(usual) {
            Some(name) => name,
            None => return Err(Fail::missing("timeInForce")),
        };
        Ok(match name {
            "GTC" | "RPI" => (Tif::Gtc, PostOnly::No),
            "GTX" => (Tif::Gtc, PostOnly::Reject),
            "IOC" => (Tif::Ioc, PostOnly::No),
            "FOK" => (Tif::Fok, PostOnly::No),
            "GTD" => {
                let until = self.params.time("goodTillDate")?;
                let until = until.ok_or_else(|| Fail::missing("goodTillDate"))?;
                if until <= self.now.millis() + 600_000 || until >= 253_402_300_799_000 {
                    return Err(Fail::GOOD_TILL);
                }
                (Tif::Gtd { until: Time::from_millis(until / 1_000 * 1_000) }, PostOnly::No)
            }
            _ => return Err(Fail::TIF),
        })
    }

    pub(crate) fn limit_price(
        &self,
        side: Side,
        price_match: Option<&str>,
    ) -> Result<Decimal, Fail> {
        let given = self.price("price")?;
        match (given, price_match) {
            (Some(_), Some(_)) => Err(Fail::PRICE_MATCH),
            (Some(price), None) => Ok(price),
            (None, None) => Err(Fail::missing("price")),
            (None, Some(name)) => self.matched_price(side, name),
        }
    }

    /// The price a queue position stands for now.
    fn matched_price(&self, side: Side, name: &str) -> Result<Decimal, Fail> {
        let (from, level) = match name {
            "OPPONENT" => (side.opposite(), 1),
            "OPPONENT_5" => (side.opposite(), 5),
            "OPPONENT_10" => (side.opposite(), 10),
            "OPPONENT_20" => (side.opposite(), 20),
            "QUEUE" => (side, 1),
            "QUEUE_5" => (side, 5),
            "QUEUE_10" => (side, 10),
            "QUEUE_20" => (side, 20),
            _ => return Err(Fail::PRICE_MATCH),
        };
        let found = self.market.book.levels(from).nth(level - 1);
        found.map(|(price, _)| price).ok_or(Fail::of_order(Refusal::NoLiquidity))
    }

    /// A price within the instrument's precision.
    pub(crate) fn price(&self, name: &str) -> Result<Option<Decimal>, Fail> {
        let finest = render::places(self.market.listing.tick) + 1;
        self.within(name, finest)
    }

    /// The quantity within the instrument's precision.
    pub(crate) fn quantity(&self) -> Result<Option<Decimal>, Fail> {
        self.within("quantity", render::places(self.market.listing.step))
    }

    fn within(&self, name: &str, places: usize) -> Result<Option<Decimal>, Fail> {
        let value = self.params.decimal(name)?;
        match value {
            Some(value) if render::places(value) > places => Err(Fail::PRECISION),
            value => Ok(value),
        }
    }
}

fn is_client_id(id: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".:/_-".contains(c);
    id.len() <= 36 && id.chars().all(fits)
}

/// An id for an order that came without one.
fn made_up_id(now: Time, order: &NewOrder) -> Arc<str> {
    let text = format!("{}{now:?}{:?}", order.instrument.0, order.quantity);
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let hex: String = hash.as_ref().iter().take(11).map(|byte| format!("{byte:02x}")).collect();
    Arc::from(hex.as_str())
}

/// The order a request names; conditional ones are none here.
pub(crate) fn target(
    exchange: &Exchange,
    account: AccountIx,
    params: &Params,
) -> Result<Option<Order>, Fail> {
    let plain = |order: &&Order| order.ask.trigger.is_none();
    if let Some(id) = params.int("orderId")? {
        return Ok(exchange.find_order(account, &OrderRef::Id { id }).filter(plain).cloned());
    }
    let Some(id) = params.get("origClientOrderId") else {
        return Err(Fail {
            status: 400,
            code: -1102,
            text: "Either 'orderId' or 'origClientOrderId' must be sent.".into(),
        });
    };
    let newest = exchange.find_order(account, &OrderRef::Client { id: Arc::from(id) });
    let named = |order: &&Order| plain(order) && &*order.ask.client_id == id;
    Ok(newest
        .filter(plain)
        .or_else(|| exchange.open_orders(account).find(named))
        .or_else(|| exchange.closed_orders(account).rev().find(named))
        .cloned())
}

fn target_on(call: &Call<'_>, account: AccountIx, params: &Params) -> Result<Option<Order>, Fail> {
    let instrument = call.instrument(params.need("symbol")?)?;
    let found = target(&call.world.exchange, account, params)?;
    Ok(found.filter(|order| order.ask.instrument == instrument))
}

pub(crate) fn cancel(call: &mut Call<'_>) -> Outcome {
    let account = call.account()?;
    let params = call.params.clone();
    cancel_one(call, account, &params)
}

fn cancel_one(call: &mut Call<'_>, account: AccountIx, params: &Params) -> Outcome {
    let order = target_on(call, account, params)?.ok_or(Fail::NO_CANCEL)?;
    let target = OrderRef::Id { id: order.id };
    match call.apply(&Input::Cancel { account, target }) {
        Reply::Order(order, _) => {
            Ok(render::order(call.listing(order.ask.instrument)?, &order, false))
        }
        Reply::Refused(Refusal::Unavailable) => Err(Fail::of_order(Refusal::Unavailable)),
        _ => Err(Fail::NO_CANCEL),
    }
}

pub(crate) fn modify(call: &mut Call<'_>) -> Outcome {
    let account = call.account()?;
    let params = call.params.clone();
    modify_one(call, account, &params)
}

fn modify_one(call: &mut Call<'_>, account: AccountIx, params: &Params) -> Outcome {
    let order = target_on(call, account, params)?.filter(Order::is_live).ok_or(Fail::NO_ORDER)?;
    let market = call.world.exchange.market(order.ask.instrument).ok_or(Fail::SYMBOL)?;
    let reading =
        Reading { params, instrument: order.ask.instrument, market, hedge: false, now: call.now };
    let side = reading.side()?;
    if side != order.ask.side || order.ask.kind != OrderType::Limit {
        return Err(Fail::LIMIT_ONLY);
    }
    if params.flag("reduceOnly")?.is_some_and(|reduce| reduce != order.ask.reduce_only) {
        return Err(Fail::REDUCE_MISMATCH);
    }
    let price_match = params.get("priceMatch").filter(|name| *name != "NONE");
    let change = Amendment {
        quantity: Some(reading.quantity()?.ok_or_else(|| Fail::missing("quantity"))?),
        price: Some(reading.limit_price(side, price_match)?),
        ..Amendment::default()
    };
    let target = OrderRef::Id { id: order.id };
    match call.apply(&Input::Amend { account, target, change }) {
        Reply::Order(order, _) => {
            Ok(render::order(call.listing(order.ask.instrument)?, &order, false))
        }
        Reply::Refused(refusal) => Err(Fail::of_order(refusal)),
        Reply::Cancelled(_) | Reply::Done => Err(Fail::UNKNOWN),
    }
}

/// The orders of a batch, each as if it had come alone.
fn batch(call: &mut Call<'_>, one: fn(&mut Call<'_>, AccountIx, &Params) -> Outcome) -> Outcome {
    let account = call.account()?;
    let text = call.params.need("batchOrders")?;
    let legs: Vec<Map<String, Value>> =
        serde_json::from_str(text).map_err(|_| Fail::missing("batchOrders"))?;
    if legs.is_empty() || legs.len() > 5 {
        return Err(Fail::BATCH);
    }
    let each = legs.iter().map(|leg| {
        let params = Params::of_object(leg);
        one(call, account, &params).unwrap_or_else(|fail| fail.body())
    });
    Ok(Value::Array(each.collect()))
}

pub(crate) fn place_batch(call: &mut Call<'_>) -> Outcome {
    batch(call, place_one)
}

pub(crate) fn modify_batch(call: &mut Call<'_>) -> Outcome {
    batch(call, modify_one)
}

pub(crate) fn cancel_batch(call: &mut Call<'_>) -> Outcome {
    let account = call.account()?;
    let symbol = call.params.need("symbol")?.to_owned();
    call.instrument(&symbol)?;
    let find = |names: [&str; 2]| names.into_iter().find_map(|name| call.params.get(name));
    let list = |text: Option<&str>| -> Result<Vec<Value>, Fail> {
        let read = text.map(serde_json::from_str).transpose();
        Ok(read.map_err(|_| Fail::missing("orderIdList"))?.unwrap_or_default())
    };
    let ids = list(find(["orderIdList", "orderidlist"]))?;
    let names = list(find(["origClientOrderIdList", "origclientorderidlist"]))?;
    let (field, listed) =
        if ids.is_empty() { ("origClientOrderId", names) } else { ("orderId", ids) };
    if listed.is_empty() {
        return Err(Fail::missing("orderIdList"));
    }
    if listed.len() > 10 {
        return Err(Fail::BATCH_CANCEL);
    }
    let each = listed.iter().map(|value| {
        let mut params = Params::default();
        params.set("symbol", &symbol);
        params.set(field, &super::params::lexeme(value));
        cancel_one(call, account, &params).unwrap_or_else(|fail| fail.body())
    });
    Ok(Value::Array(each.collect()))
}

pub(crate) fn cancel_all(call: &mut Call<'_>) -> Outcome {
    let (account, instrument) = (call.account()?, call.symbol()?);
    let open = call.world.exchange.open_orders(account);
    let fits = |o: &&Order| o.ask.instrument == instrument && o.ask.trigger.is_none();
    let orders: Vec<OrderId> = open.filter(fits).map(|order| order.id).collect();
    call.apply(&Input::CancelMany { account, orders, reason: EndReason::User });
    Ok(json!({"code": 200, "msg": "The operation of cancel all open order is done."}))
}

pub(crate) fn query(call: &mut Call<'_>) -> Outcome {
    let order = target_on(call, call.account()?, &call.params)?.ok_or(Fail::NO_ORDER)?;
    Ok(render::order(call.listing(order.ask.instrument)?, &order, true))
}

pub(crate) fn query_open(call: &mut Call<'_>) -> Outcome {
    let order = target_on(call, call.account()?, &call.params)?;
    let order = order.filter(Order::is_live).ok_or(Fail::NO_ORDER)?;
    Ok(render::order(call.listing(order.ask.instrument)?, &order, true))
}

pub(crate) fn open(call: &mut Call<'_>) -> Outcome {
    let (account, wanted) = (call.account()?, call.maybe_symbol()?);
    let mut told = Vec::new();
    for order in call.world.exchange.open_orders(account) {
        if order.ask.trigger.is_none() && wanted.is_none_or(|ix| ix == order.ask.instrument) {
            told.push(render::order(call.listing(order.ask.instrument)?, order, true));
        }
    }
    Ok(Value::Array(told))
}

/// `startTime` and `endTime`, in ms.
pub(crate) fn span(params: &Params) -> Result<(u64, u64), Fail> {
    let from = params.time("startTime")?.unwrap_or(0);
    let to = params.time("endTime")?.unwrap_or(u64::MAX);
    if from > to { Err(Fail::SPAN) } else { Ok((from, to)) }
}

/// Orders of an account, ended ones too, by number.
pub(crate) fn every(exchange: &Exchange, account: AccountIx) -> Vec<&Order> {
    let mut all: Vec<&Order> =
        exchange.closed_orders(account).chain(exchange.open_orders(account)).collect();
    all.sort_unstable_by_key(|order| order.id);
    all
}

pub(crate) fn all(call: &mut Call<'_>) -> Outcome {
    let (account, wanted) = (call.account()?, call.maybe_symbol()?);
    let (from, to) = span(&call.params)?;
    let first = call.params.int("orderId")?.unwrap_or(0);
    let limit = call.params.limit(500, 1_000)?;
    let mut told = Vec::new();
    for order in every(&call.world.exchange, account) {
        let time = order.created.millis();
        if order.ask.trigger.is_none()
            && wanted.is_none_or(|ix| ix == order.ask.instrument)
            && order.id >= first
            && (from..=to).contains(&time)
        {
            told.push(render::order(call.listing(order.ask.instrument)?, order, true));
        }
    }
    let by_id = call.params.get("orderId").is_some() || call.params.get("startTime").is_some();
    Ok(Value::Array(cut(told, limit, by_id)))
}

/// The first or the last `limit` of a list.
pub(crate) fn cut(mut list: Vec<Value>, limit: usize, first: bool) -> Vec<Value> {
    if first {
        list.truncate(limit);
    } else {
        list.drain(..list.len().saturating_sub(limit));
    }
    list
}

pub(crate) fn user_trades(call: &mut Call<'_>) -> Outcome {
    let (account, wanted) = (call.account()?, call.maybe_symbol()?);
    let (from, to) = span(&call.params)?;
    let first = call.params.int("fromId")?;
    let order = call.params.int("orderId")?;
    let limit = call.params.limit(500, 1_000)?;
    let owner = call.world.exchange.account(account).ok_or(Fail::KEY)?;
    let mut told = Vec::new();
    for fill in &owner.fills {
        if wanted.is_none_or(|ix| ix == fill.instrument)
            && first.is_none_or(|first| fill.trade >= first)
            && order.is_none_or(|id| fill.order == id)
            && (from..=to).contains(&fill.time.millis())
        {
            told.push(render::fill(call.listing(fill.instrument)?, fill));
        }
    }
    Ok(Value::Array(cut(told, limit, first.is_some() || from > 0)))
}

pub(crate) fn force_orders(call: &mut Call<'_>) -> Outcome {
    let (account, wanted) = (call.account()?, call.maybe_symbol()?);
    let mut told = Vec::new();
    for order in call.world.exchange.closed_orders(account) {
        if order.liquidation && wanted.is_none_or(|ix| ix == order.ask.instrument) {
            told.push(render::order(call.listing(order.ask.instrument)?, order, true));
        }
    }
    Ok(Value::Array(told))
}

pub(crate) fn countdown(call: &mut Call<'_>) -> Outcome {
    let (account, instrument) = (call.account()?, call.symbol()?);
    let millis = call.params.time("countdownTime")?;
    let millis = millis.ok_or_else(|| Fail::missing("countdownTime"))?;
    let at = (millis > 0).then(|| Time::from_millis(call.now.millis() + millis));
    call.apply(&Input::Countdown { account, instrument, at });
    let symbol = call.listing(instrument)?.symbol.to_string();
    Ok(json!({"symbol": symbol, "countdownTime": millis.to_string()}))
}

//! Orders and fills in pages, the newest first.

use super::orders::Order;
use super::page::{Page, Wanted, cursor};
use super::problem::Problem;
use super::vocabulary::{Amount, SideWord, When};
use schemars::JsonSchema;
use serde::Serialize;
use tidegate_core::orders::{Order as Known, Trade, TradePlace};
use tidegate_core::state::State as CoreState;
use tidegate_identity::Named;
use tidegate_types::ids::{CallerOrderId, OrderId, TradeId};
use tidegate_types::reject::Code;
use tidegate_types::time::Time;

/// Most orders or trades looked at for one page.
const MOST_LOOKED_AT: usize = 2_000;
/// What their cursors begin with.
pub(super) const ORDERS: &str = "orders";
pub(super) const FILLS: &str = "fills";

/// A trade of an order.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Fill {
    /// The venue's id of the trade.
    pub(super) id: String,
    /// Tidegate's number of the order.
    pub(super) order: String,
    /// The caller's own id of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_order_id: Option<String>,
    /// Whose order; absent for one that was not placed through Tidegate, or is Tidegate's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) caller: Option<String>,
    /// On which account.
    pub(super) account: String,
    /// Of what, as `venue/name`.
    pub(super) instrument: String,
    /// Buy or sell.
    pub(super) side: SideWord,
    /// How much, in the instrument's unit.
    pub(super) quantity: Amount,
    /// At which price.
    pub(super) price: Amount,
    /// The fee paid; below zero when received.
    pub(super) fee: Amount,
    /// In which currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fee_currency: Option<String>,
    /// Whether the order rested.
    pub(super) maker: bool,
    /// When, on the venue's clock.
    pub(super) at: When,
}

impl Fill {
    pub(super) fn of(order: &Known, id: &TradeId, trade: &Trade) -> Fill {
        Fill {
            id: id.to_string(),
            order: order.id.to_string(),
            client_order_id: order.request.caller_id.as_ref().map(ToString::to_string),
            caller: order.caller.as_ref().map(ToString::to_string),
            account: order.account.to_string(),
            instrument: order.request.instrument.to_string(),
            side: order.request.side.into(),
            quantity: Amount(trade.qty.0),
            price: Amount(trade.price.0),
            fee: Amount(trade.fee),
            fee_currency: trade.fee_currency.as_ref().map(ToString::to_string),
            maker: trade.maker,
            at: When(trade.at),
        }
    }
}

/// The trades of orders that a caller may see, the newest first.
pub(super) fn fills(
    state: &CoreState,
    who: &Named,
    wide: bool,
    instrument: Option<&str>,
    page: &Wanted,
) -> Result<Page<Fill>, Problem> {
    let wrong = || Problem::new(Code::BadParameter, "cursor");
    let before = page.after.as_deref().map(|text| place(text).ok_or_else(wrong)).transpose()?;
    let visible = |order: &Known| wide || order.caller.as_ref() == Some(who.caller());
    let wanted = |order: &Known| instrument.is_none_or(|name| is_of(order, name));
    let (mut items, mut last) = (Vec::new(), None);
    let trades = state.orders().trades_of(who.account(), before.as_ref());
    for (looked_at, (place, order, trade)) in trades.enumerate() {
        if items.len() == page.limit || looked_at == MOST_LOOKED_AT {
            let row = |(heard, order, id): &TradePlace| format!("{}.{order}.{id}", heard.micros());
            return Ok(Page { items, next: last.map(|place| cursor(FILLS, &row(place))) });
        }
        last = Some(place);
        if visible(order) && wanted(order) {
            items.push(Fill::of(order, &place.2, trade));
        }
    }
    Ok(Page { items, next: None })
}

/// The place of a trade that a cursor names.
fn place(text: &str) -> Option<TradePlace> {
    let mut parts = text.splitn(3, '.');
    let heard = Time::from_micros(parts.next()?.parse().ok()?);
    let order = OrderId(parts.next()?.parse().ok()?);
    Some((heard, order, TradeId::new(parts.next()?).ok()?))
}

/// Which orders are asked for.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct OrderFilter {
    pub(super) open: Option<bool>,
    pub(super) instrument: Option<String>,
    pub(super) client_order_id: Option<String>,
}

impl OrderFilter {
    fn wants(&self, order: &Known) -> bool {
        let id = order.request.caller_id.as_ref().map(|id| id.as_str());
        self.open.is_none_or(|open| order.is_open() == open)
            && self.client_order_id.as_deref().is_none_or(|wanted| id == Some(wanted))
            && self.instrument.as_deref().is_none_or(|wanted| is_of(order, wanted))
    }
}

/// Whether an order is of the instrument that is called so.
fn is_of(order: &Known, instrument: &str) -> bool {
    let id = &order.request.instrument;
    instrument.split_once('/') == Some((id.venue.as_str(), id.name.as_str()))
}

/// The orders that a caller may see, the newest first.
pub(super) fn orders(
    state: &CoreState,
    who: &Named,
    wide: bool,
    filter: &OrderFilter,
    page: &Wanted,
) -> Result<Page<Order>, Problem> {
    let number = |text: &String| text.parse().map(OrderId);
    let before = page.after.as_ref().map(number).transpose();
    let before = before.map_err(|_| Problem::new(Code::BadParameter, "cursor"))?;
    let before = before.unwrap_or(OrderId(u64::MAX));
    let visible = |order: &Known| {
        order.account == *who.account() && (wide || order.caller.as_ref() == Some(who.caller()))
    };
    let id = filter.client_order_id.as_deref().and_then(|id| CallerOrderId::new(id).ok());
    if let (false, Some(id)) = (wide, id) {
        let named = state.orders().by_caller(who.caller(), who.account(), &id);
        return Ok(walk(named.filter(|o| o.id < before), visible, filter, page.limit));
    }
    // Open orders are found by themselves; the others are walked down from the newest.
    if filter.open == Some(true) {
        let open = state.orders().open_of(who.account()).filter(|order| order.id < before);
        let mut open: Vec<&Known> = open.collect();
        open.sort_by_key(|order| std::cmp::Reverse(order.id));
        Ok(walk(open.into_iter(), visible, filter, page.limit))
    } else {
        Ok(walk(state.orders().before(before), visible, filter, page.limit))
    }
}

/// A page of what is wanted of these orders. It ends early when many were passed over.
fn walk<'a>(
    orders: impl Iterator<Item = &'a Known>,
    visible: impl Fn(&Known) -> bool,
    filter: &OrderFilter,
    limit: usize,
) -> Page<Order> {
    let (mut items, mut last) = (Vec::new(), None);
    for (looked_at, order) in orders.enumerate() {
        if items.len() == limit || looked_at == MOST_LOOKED_AT {
            let next = last.map(|id: OrderId| cursor(ORDERS, &id.to_string()));
            return Page { items, next };
        }
        last = Some(order.id);
        if visible(order) && filter.wants(order) {
            items.push(Order::from(order));
        }
    }
    Page { items, next: None }
}

//! A caller's orders and trades, open and past.

use super::fault::Fault;
use super::market_data::{Page, trades_answer};
use super::methods::Context;
use super::public::{of_kind, wanted_kind};
use super::rpc::{Answer, answer};
use super::view::of_currency;
use super::view::order::{OrderView, id_text, read_id};
use super::view::trade::UserTradeView;
use crate::engine::order::{Fill, Order, OrderType, Trigger, TriggerKind};
use crate::engine::{InstrumentIx, Market};

/// The types by which open orders are picked.
const TYPES: [&str; 14] = [
    "all",
    "limit",
    "trigger_all",
    "stop_all",
    "stop_limit",
    "stop_market",
    "take_all",
    "take_limit",
    "take_market",
    "trailing_all",
    "trailing_stop",
    "stop",
    "take",
    "market",
];

/// Which orders or trades a call is about.
#[derive(Clone, Copy)]
pub(crate) struct Filter<'a> {
    /// Of one instrument.
    pub(crate) instrument: Option<InstrumentIx>,
    /// Of some currencies; any when empty.
    pub(crate) currencies: &'a [&'a str],
    /// Of a kind of instrument.
    pub(crate) kind: &'static str,
    /// Of a type.
    pub(crate) order_type: &'static str,
    /// With a label.
    pub(crate) label: Option<&'a str>,
}

impl Filter<'_> {
    /// Everything.
    pub(crate) const ALL: Filter<'static> =
        Filter { instrument: None, currencies: &[], kind: "any", order_type: "all", label: None };

    fn holds_market(&self, ix: InstrumentIx, market: &Market) -> bool {
        self.instrument.is_none_or(|wanted| wanted == ix)
            && of_kind(market, self.kind)
            && (self.currencies.is_empty()
                || self.currencies.iter().any(|currency| of_currency(&market.listing, currency)))
    }

    /// Whether an order is one of them.
    pub(crate) fn holds(&self, order: &Order, market: &Market) -> bool {
        self.holds_market(order.ask.instrument, market)
            && self.label.is_none_or(|label| &*order.ask.client_id == label)
            && of_type(order, self.order_type)
    }
}

/// The type that is asked for under a name; all when none is.
pub(crate) fn wanted_type(context: &Context<'_>) -> Result<&'static str, Fault> {
    Ok(context.params.choice("type", &TYPES.map(|word| (word, word)))?.unwrap_or("all"))
}

fn of_type(order: &Order, wanted: &str) -> bool {
    let limit = order.ask.kind == OrderType::Limit;
    match (wanted, &order.ask.trigger) {
        ("all", _) => true,
        ("limit", None) => limit,
        ("market", None) => !limit,
        ("trigger_all", Some(_)) => true,
        ("stop_all" | "stop", Some(Trigger { kind: TriggerKind::Stop, .. }))
        | ("take_all" | "take", Some(Trigger { kind: TriggerKind::Take, .. })) => true,
        ("stop_limit", Some(Trigger { kind: TriggerKind::Stop, .. }))
        | ("take_limit", Some(Trigger { kind: TriggerKind::Take, .. })) => limit,
        ("stop_market", Some(Trigger { kind: TriggerKind::Stop, .. }))
        | ("take_market", Some(Trigger { kind: TriggerKind::Take, .. })) => !limit,
        (
            "trailing_all" | "trailing_stop",
            Some(Trigger { kind: TriggerKind::Trailing { .. }, .. }),
        ) => true,
        _ => false,
    }
}

/// The caller's live orders that a filter holds.
pub(crate) fn live<'a>(
    context: &'a Context<'_>,
    filter: Filter<'a>,
) -> Result<impl Iterator<Item = &'a Order>, Fault> {
    let exchange = context.exchange();
    Ok(exchange.open_orders(context.account()?).filter(move |order| {
        exchange.market(order.ask.instrument).is_some_and(|market| filter.holds(order, market))
    }))
}

fn views<'a>(context: &Context<'_>, orders: impl Iterator<Item = &'a Order>) -> Answer {
    answer(&orders.map(|order| OrderView::of(context.exchange(), order)).collect::<Vec<_>>())
}

pub(crate) fn open_orders(context: &mut Context<'_>) -> Answer {
    let filter =
        Filter { kind: wanted_kind(context)?, order_type: wanted_type(context)?, ..Filter::ALL };
    views(context, live(context, filter)?)
}

pub(crate) fn open_orders_by_currency(context: &mut Context<'_>) -> Answer {
    let filter = Filter {
        currencies: &[context.params.need_text("currency")?],
        kind: wanted_kind(context)?,
        order_type: wanted_type(context)?,
        ..Filter::ALL
    };
    views(context, live(context, filter)?)
}

pub(crate) fn open_orders_by_instrument(context: &mut Context<'_>) -> Answer {
    let filter = Filter {
        instrument: Some(context.instrument()?.0),
        order_type: wanted_type(context)?,
        ..Filter::ALL
    };
    views(context, live(context, filter)?)
}

pub(crate) fn open_orders_by_label(context: &mut Context<'_>) -> Answer {
    let filter = Filter {
        currencies: &[context.params.need_text("currency")?],
        label: context.params.text("label")?,
        ..Filter::ALL
    };
    views(context, live(context, filter)?)
}

/// The caller's order that `order_id` names.
pub(crate) fn named<'a>(context: &'a Context<'_>) -> Result<&'a Order, Fault> {
    let text = context.params.need_text("order_id")?;
    let account = context.account()?;
    let exchange = context.exchange();
    let order = read_id(text).and_then(|id| exchange.order(id));
    let own = order.filter(|order| order.account == account && id_text(exchange, order) == text);
    own.ok_or(Fault::ORDER_NOT_FOUND)
}

pub(crate) fn order_state(context: &mut Context<'_>) -> Answer {
    answer(&OrderView::of(context.exchange(), named(context)?))
}

/// Every order with a label, ended ones too, newest first.
pub(crate) fn order_state_by_label(context: &mut Context<'_>) -> Answer {
    let filter = Filter {
        currencies: &[context.params.need_text("currency")?],
        label: context.params.text("label")?,
        ..Filter::ALL
    };
    let mut orders: Vec<&Order> = past(context, filter)?.chain(live(context, filter)?).collect();
    orders.sort_by_key(|order| std::cmp::Reverse(order.id));
    views(context, orders.into_iter())
}

fn past<'a>(
    context: &'a Context<'_>,
    filter: Filter<'a>,
) -> Result<impl Iterator<Item = &'a Order>, Fault> {
    let exchange = context.exchange();
    Ok(exchange.closed_orders(context.account()?).rev().filter(move |order| {
        exchange.market(order.ask.instrument).is_some_and(|market| filter.holds(order, market))
    }))
}

pub(crate) fn orders_by_currency(context: &mut Context<'_>) -> Answer {
    let filter = Filter {
        currencies: &[context.params.need_text("currency")?],
        kind: wanted_kind(context)?,
        ..Filter::ALL
    };
    order_history(context, filter)
}

pub(crate) fn orders_by_instrument(context: &mut Context<'_>) -> Answer {
    let filter = Filter { instrument: Some(context.instrument()?.0), ..Filter::ALL };
    order_history(context, filter)
}

fn order_history(context: &Context<'_>, filter: Filter<'_>) -> Answer {
    let params = context.params;
    let count = params.count(20, 1000)?;
    let offset = usize::try_from(params.int("offset")?.unwrap_or(0)).unwrap_or(usize::MAX);
    let unfilled = params.flag("include_unfilled")?;
    let orders = past(context, filter)?.filter(|order| unfilled || order.filled.is_positive());
    views(context, orders.skip(offset).take(count))
}

fn user_trades(context: &Context<'_>, filter: Filter<'_>) -> Answer {
    let page = Page::read(context)?;
    let exchange = context.exchange();
    let account = exchange.account(context.account()?).ok_or(Fault::NOT_FOUND)?;
    let mut rows: Vec<(&Market, &Fill)> = Vec::new();
    for fill in &account.fills {
        if let Some(market) = exchange.market(fill.instrument)
            && filter.holds_market(fill.instrument, market)
            && page.holds(fill.time, fill.seq)
        {
            rows.push((market, fill));
        }
    }
    let (rows, more) = page.cut(rows);
    let views = rows.into_iter().map(|(market, fill)| UserTradeView::of(exchange, market, fill));
    trades_answer((views.collect(), more))
}

pub(crate) fn trades_by_currency(context: &mut Context<'_>) -> Answer {
    let filter = Filter {
        currencies: &[context.params.need_text("currency")?],
        kind: wanted_kind(context)?,
        ..Filter::ALL
    };
    user_trades(context, filter)
}

pub(crate) fn trades_by_currency_and_time(context: &mut Context<'_>) -> Answer {
    context.params.need_time("start_timestamp")?;
    trades_by_currency(context)
}

pub(crate) fn trades_by_instrument(context: &mut Context<'_>) -> Answer {
    let filter = Filter { instrument: Some(context.instrument()?.0), ..Filter::ALL };
    user_trades(context, filter)
}

pub(crate) fn trades_by_instrument_and_time(context: &mut Context<'_>) -> Answer {
    context.params.need_time("start_timestamp")?;
    trades_by_instrument(context)
}

/// The trades of one order, as a bare list.
pub(crate) fn trades_by_order(context: &mut Context<'_>) -> Answer {
    let order = named(context)?.id;
    let exchange = context.exchange();
    let account = exchange.account(context.account()?).ok_or(Fault::NOT_FOUND)?;
    let fills = account.fills.iter().filter(|fill| fill.order == order);
    let views = fills.filter_map(|fill| {
        exchange.market(fill.instrument).map(|market| UserTradeView::of(exchange, market, fill))
    });
    answer(&views.collect::<Vec<_>>())
}

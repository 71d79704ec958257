//! The messages of each channel.

use super::{Feed, Gathered, Shadow, side_key};
use crate::deribit::channel::{Channel, Pace};
use crate::deribit::market_data::{volatility_of, volume_and_cost};
use crate::deribit::num::Num;
use crate::deribit::public::index_coin;
use crate::deribit::rpc::notify;
use crate::deribit::view::account::{PositionView, summary};
use crate::deribit::view::index_name;
use crate::deribit::view::instrument::CURRENCIES;
use crate::deribit::view::order::OrderView;
use crate::deribit::view::ticker::{Ticker, best, levels};
use crate::deribit::view::trade::{TradeView, UserTradeView};
use crate::engine::market::Phase;
use crate::engine::{AccountIx, Exchange, InstrumentIx, Market, Venue, calc};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::order::Side;
use tidegate_types::time::{Span, Time};

/// An entry of a book message: what happened to a level, its price and its amount.
type Row = (&'static str, Num, Num);

#[derive(Serialize)]
struct BookMessage<'a> {
    r#type: &'static str,
    timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev_change_id: Option<u64>,
    instrument_name: &'a str,
    change_id: u64,
    bids: Vec<Row>,
    asks: Vec<Row>,
}

impl Feed {
    /// Takes the book over as it stands.
    pub(super) fn copy_book(&mut self, exchange: &Exchange) {
        let Channel::Book(ix) = self.channel else { return };
        let Some(market) = exchange.market(ix) else { return };
        let both = [Side::Buy, Side::Sell].into_iter();
        let all = both.flat_map(|side| {
            market.book.levels(side).map(move |(price, amount)| ((side_key(side), price), amount))
        });
        self.shadow = Shadow { levels: all.collect(), change: market.book.update };
    }

    /// What a new listener is sent first.
    pub(super) fn first(&self, exchange: &Exchange, now: Time) -> Option<String> {
        match &self.channel {
            Channel::Book(ix) => {
                let market = exchange.market(*ix)?;
                let side = |key: u8| {
                    let held = self.shadow.levels.range((key, Decimal::ZERO)..=(key, Decimal::MAX));
                    let mut rows: Vec<Row> = held
                        .map(|((_, price), amount)| ("new", Num(*price), Num(*amount)))
                        .collect();
                    if key == 0 {
                        rows.reverse();
                    }
                    rows
                };
                Some(self.notify(&BookMessage {
                    r#type: "snapshot",
                    timestamp: now.millis(),
                    prev_change_id: None,
                    instrument_name: &market.listing.symbol,
                    change_id: self.shadow.change,
                    bids: side(0),
                    asks: side(1),
                }))
            }
            Channel::Window { ix, group, depth } => {
                Some(self.window(exchange.market(*ix)?, *group, *depth, now))
            }
            Channel::Ticker(ix) => {
                Some(self.notify(&Ticker::of(exchange, exchange.market(*ix)?, now)))
            }
            Channel::Quote(ix) => Some(self.quote(exchange.market(*ix)?, now)),
            Channel::Perpetual(ix) => Some(self.perpetual(exchange.market(*ix)?, now)),
            Channel::Index(name) => self.index(exchange, name, now),
            Channel::OptionMarks(name) => Some(self.option_marks(exchange, name, now)),
            Channel::Volatility(name) => self.volatility(exchange, name, now),
            Channel::Portfolio(currency) => self.portfolio(exchange, *currency, now).pop(),
            _ => None,
        }
    }

    /// What there is to tell since last time.
    pub(super) fn publish(&mut self, exchange: &Exchange, now: Time) -> Vec<String> {
        let gathered = std::mem::take(&mut self.gathered);
        let channel = self.channel.clone();
        let market = channel.instrument().and_then(|ix| exchange.market(ix));
        let one = match (&channel, market) {
            (Channel::Book(_), Some(market)) => self.book_change(market, &gathered, now),
            (Channel::Window { group, depth, .. }, Some(market)) => {
                Some(self.window(market, *group, *depth, now))
            }
            (Channel::Ticker(_), Some(market)) => {
                Some(self.notify(&Ticker::of(exchange, market, now)))
            }
            (Channel::Quote(_), Some(market)) => self.quote_change(market, now),
            (Channel::Perpetual(_), Some(market)) => Some(self.perpetual(market, now)),
            (Channel::Chart(_, minutes), Some(market)) => self.candle(market, *minutes),
            (Channel::Trades(_), _) => self.trades(exchange, &gathered),
            (Channel::Index(name), _) => self.index(exchange, name, now),
            (Channel::OptionMarks(name), _) => Some(self.option_marks(exchange, name, now)),
            (Channel::Volatility(name), _) => self.volatility(exchange, name, now),
            (Channel::UserTrades(_), _) => self.user_trades(exchange, &gathered),
            (Channel::Orders(_), _) => return self.orders(exchange, &gathered),
            (Channel::Changes(_), _) => return self.changes(exchange, &gathered, now),
            (Channel::Portfolio(currency), _) => return self.portfolio(exchange, *currency, now),
            (Channel::InstrumentState(_), _) => return self.states(exchange, &gathered, now),
            _ => None,
        };
        one.into_iter().collect()
    }

    fn notify<T: Serialize>(&self, data: &T) -> String {
        notify(&self.name, data)
    }

    fn book_change(&mut self, market: &Market, gathered: &Gathered, now: Time) -> Option<String> {
        let mut rows: [Vec<Row>; 2] = Default::default();
        for (key, price) in &gathered.levels {
            let side = if *key == 0 { Side::Buy } else { Side::Sell };
            let amount = market.book.at(side, *price);
            let before = if amount.is_positive() {
                self.shadow.levels.insert((*key, *price), amount)
            } else {
                self.shadow.levels.remove(&(*key, *price))
            };
            let word = match before {
                None if amount.is_zero() => continue,
                None => "new",
                Some(_) if amount.is_zero() => "delete",
                Some(before) if before == amount => continue,
                Some(_) => "change",
            };
            if let Some(rows) = rows.get_mut(usize::from(*key)) {
                rows.push((word, Num(*price), Num(amount)));
            }
        }
        let [mut bids, asks] = rows;
        if bids.is_empty() && asks.is_empty() {
            return None;
        }
        bids.reverse();
        let previous = std::mem::replace(&mut self.shadow.change, market.book.update);
        Some(self.notify(&BookMessage {
            r#type: "change",
            timestamp: now.millis(),
            prev_change_id: Some(previous),
            instrument_name: &market.listing.symbol,
            change_id: self.shadow.change,
            bids,
            asks,
        }))
    }

    fn window(&self, market: &Market, group: Option<Decimal>, depth: usize, now: Time) -> String {
        let side = |side| match group {
            None => levels(market, side, depth),
            Some(step) => grouped(market, side, step, depth),
        };
        self.notify(&json!({
            "timestamp": now.millis(),
            "instrument_name": &*market.listing.symbol,
            "change_id": market.book.update,
            "bids": side(Side::Buy),
            "asks": side(Side::Sell),
        }))
    }

    fn quote(&self, market: &Market, now: Time) -> String {
        let ((bid, bid_amount), (ask, ask_amount)) =
            (best(market, Side::Buy), best(market, Side::Sell));
        self.notify(&json!({
            "timestamp": now.millis(),
            "instrument_name": &*market.listing.symbol,
            "best_bid_price": bid,
            "best_bid_amount": bid_amount,
            "best_ask_price": ask,
            "best_ask_amount": ask_amount,
        }))
    }

    fn quote_change(&mut self, market: &Market, now: Time) -> Option<String> {
        let ends = [best(market, Side::Buy), best(market, Side::Sell)];
        let seen = format!("{ends:?}");
        if seen == self.last {
            return None;
        }
        self.last = seen;
        Some(self.quote(market, now))
    }

    fn perpetual(&self, market: &Market, now: Time) -> String {
        self.notify(&json!({
            "timestamp": now.millis(),
            "interest": Num(market.funding_rate()),
            "index_price": Num::rounded(market.index, 4),
        }))
    }

    fn candle(&self, market: &Market, minutes: u64) -> Option<String> {
        let candles = market.candles(Span::from_secs(minutes * 60));
        let candle = candles.last()?;
        let (volume, cost) = volume_and_cost(market, candle);
        Some(self.notify(&json!({
            "tick": candle.open_time.millis(),
            "open": Num(candle.open),
            "high": Num(candle.high),
            "low": Num(candle.low),
            "close": Num(candle.close),
            "volume": volume,
            "cost": cost,
        })))
    }

    fn index(&self, exchange: &Exchange, name: &str, now: Time) -> Option<String> {
        let price = Num::rounded(exchange.index(index_coin(name)?), 4);
        let data = json!({ "timestamp": now.millis(), "price": price, "index_name": name });
        Some(self.notify(&data))
    }

    fn volatility(&self, exchange: &Exchange, name: &str, now: Time) -> Option<String> {
        let volatility = Num::rounded(volatility_of(exchange, index_coin(name)?)?, 2);
        let data =
            json!({ "timestamp": now.millis(), "volatility": volatility, "index_name": name });
        Some(self.notify(&data))
    }

    fn option_marks(&self, exchange: &Exchange, name: &str, now: Time) -> String {
        let options = exchange.markets(Venue::Deribit).map(|(_, market)| market).filter(|market| {
            market.listing.is_option()
                && market.phase == Phase::Trading
                && index_name(&market.listing) == name
        });
        let rows = options.map(|market| {
            json!({
                "timestamp": now.millis(),
                "instrument_name": &*market.listing.symbol,
                "mark_price": Num(market.mark),
                "iv": Num::rounded(market.vol, 4),
            })
        });
        self.notify(&rows.collect::<Vec<_>>())
    }

    fn trades(&self, exchange: &Exchange, gathered: &Gathered) -> Option<String> {
        let views = gathered.trades.iter().filter_map(|trade| {
            let market = exchange.market(trade.instrument)?;
            Some(TradeView::of(exchange, market, trade))
        });
        let views: Vec<TradeView<'_>> = views.collect();
        (!views.is_empty()).then(|| self.notify(&views))
    }

    /// At the raw pace one order a message, else a list.
    fn orders(&self, exchange: &Exchange, gathered: &Gathered) -> Vec<String> {
        let views = gathered.orders.iter().map(|order| OrderView::of(exchange, order));
        if self.pace == Pace::Raw {
            return views.map(|view| self.notify(&view)).collect();
        }
        let views: Vec<OrderView> = views.collect();
        if views.is_empty() { Vec::new() } else { vec![self.notify(&views)] }
    }

    fn user_trades(&self, exchange: &Exchange, gathered: &Gathered) -> Option<String> {
        let views = gathered.fills.iter().filter_map(|fill| {
            Some(UserTradeView::of(exchange, exchange.market(fill.instrument)?, fill))
        });
        let views: Vec<UserTradeView<'_>> = views.collect();
        (!views.is_empty()).then(|| self.notify(&views))
    }

    /// One message for each instrument on which something changed.
    fn changes(&self, exchange: &Exchange, gathered: &Gathered, now: Time) -> Vec<String> {
        let Some(account) = self.account else { return Vec::new() };
        let mut touched: BTreeSet<InstrumentIx> =
            gathered.orders.iter().map(|order| order.ask.instrument).collect();
        touched.extend(gathered.fills.iter().map(|fill| fill.instrument));
        let message = |ix: InstrumentIx| {
            let market = exchange.market(ix)?;
            let orders = gathered.orders.iter().filter(|order| order.ask.instrument == ix);
            let fills = gathered.fills.iter().filter(|fill| fill.instrument == ix);
            let trades: Vec<_> =
                fills.map(|fill| UserTradeView::of(exchange, market, fill)).collect();
            let positions: Vec<_> = if trades.is_empty() {
                Vec::new()
            } else {
                vec![PositionView::of(exchange, account, ix, market, now)]
            };
            Some(self.notify(&json!({
                "instrument_name": &*market.listing.symbol,
                "orders": orders.map(|order| OrderView::of(exchange, order)).collect::<Vec<_>>(),
                "trades": trades,
                "positions": positions,
            })))
        };
        touched.into_iter().filter_map(message).collect()
    }

    /// The money in one currency, or a message for each.
    fn portfolio(&self, exchange: &Exchange, currency: Option<&str>, now: Time) -> Vec<String> {
        let Some(account) = self.account else { return Vec::new() };
        let wanted = CURRENCIES.iter().filter(|known| currency.is_none_or(|one| one == **known));
        wanted.map(|known| self.notify(&portfolio(exchange, account, known, now))).collect()
    }

    fn states(&self, exchange: &Exchange, gathered: &Gathered, now: Time) -> Vec<String> {
        let message = |(ix, state): &(InstrumentIx, &str)| {
            let market = exchange.market(*ix)?;
            Some(self.notify(&json!({
                "timestamp": now.millis(),
                "state": state,
                "instrument_name": &*market.listing.symbol,
            })))
        };
        gathered.states.iter().filter_map(message).collect()
    }
}

fn portfolio(
    exchange: &Exchange,
    account: AccountIx,
    currency: &str,
    now: Time,
) -> serde_json::Value {
    let mut view = summary(exchange, account, currency, false, now);
    if let Some(view) = view.as_object_mut() {
        view.shift_remove("limits");
    }
    view
}

/// The best levels of a side with prices put together in steps, away from the middle.
fn grouped(market: &Market, side: Side, step: Decimal, depth: usize) -> Vec<(Num, Num)> {
    let rounding = if side == Side::Buy { Rounding::Floor } else { Rounding::Ceil };
    let mut groups: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    for (price, amount) in market.book.levels(side) {
        let price = calc::round(price, step.max(market.listing.tick), rounding);
        if groups.len() == depth && !groups.contains_key(&price) {
            break;
        }
        let group = groups.entry(price).or_default();
        *group = calc::add(*group, amount);
    }
    let mut rows: Vec<(Num, Num)> =
        groups.into_iter().map(|(price, amount)| (Num(price), Num(amount))).collect();
    if side == Side::Buy {
        rows.reverse();
    }
    rows
}

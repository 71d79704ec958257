//! Subscriptions: what happened is gathered per channel and told at the channel's pace.

mod publish;

use super::Out;
use super::channel::{Channel, Pace};
use crate::engine::effect::{Effect, OrderEvent, PublicTrade};
use crate::engine::order::{Fill, Order};
use crate::engine::{AccountIx, Exchange, InstrumentIx};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::{Span, Time};

type FeedId = u64;

/// One channel with those who listen to it.
#[derive(Debug)]
struct Feed {
    name: String,
    channel: Channel,
    pace: Pace,
    /// Whose private channel it is.
    account: Option<AccountIx>,
    listeners: BTreeSet<u64>,
    /// Whether there is anything to tell.
    dirty: bool,
    /// What gathered since it was last told.
    gathered: Gathered,
    /// The book as its listeners know it.
    shadow: Shadow,
    /// The last message, for channels that tell only changes.
    last: String,
}

#[derive(Debug, Default)]
struct Gathered {
    levels: BTreeSet<(u8, Decimal)>,
    trades: Vec<PublicTrade>,
    orders: Vec<Arc<Order>>,
    fills: Vec<Fill>,
    states: Vec<(InstrumentIx, &'static str)>,
}

#[derive(Debug, Default)]
struct Shadow {
    levels: BTreeMap<(u8, Decimal), Decimal>,
    change: u64,
}

const fn side_key(side: Side) -> u8 {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

/// Every channel that someone listens to.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    feeds: BTreeMap<FeedId, Feed>,
    names: HashMap<(Option<AccountIx>, String), FeedId>,
    /// Feeds about one instrument.
    narrow: HashMap<InstrumentIx, BTreeSet<FeedId>>,
    /// Feeds about several.
    wide: BTreeSet<FeedId>,
    /// Feeds to be told at once.
    ready: BTreeSet<FeedId>,
    next_id: FeedId,
    fast_due: Time,
    slow_due: Time,
    out: Vec<Out>,
}

impl Hub {
    /// Adds a listener; books and portfolios are sent whole at once.
    pub(crate) fn subscribe(
        &mut self,
        exchange: &Exchange,
        connection: u64,
        name: &str,
        (channel, pace, account): (Channel, Pace, Option<AccountIx>),
        now: Time,
    ) {
        let id = self.find_or_open(exchange, name, channel, pace, account);
        let Some(feed) = self.feeds.get_mut(&id) else { return };
        feed.listeners.insert(connection);
        if let Some(first) = feed.first(exchange, now) {
            self.out.push(Out::Text(connection, Arc::from(first)));
        }
    }

    fn find_or_open(
        &mut self,
        exchange: &Exchange,
        name: &str,
        channel: Channel,
        pace: Pace,
        account: Option<AccountIx>,
    ) -> FeedId {
        if let Some(id) = self.names.get(&(account, name.to_owned())) {
            return *id;
        }
        let id = self.next_id;
        self.next_id += 1;
        self.names.insert((account, name.to_owned()), id);
        match channel.instrument() {
            Some(ix) => self.narrow.entry(ix).or_default().insert(id),
            None => self.wide.insert(id),
        };
        let mut feed = Feed {
            name: name.to_owned(),
            channel,
            pace,
            account,
            listeners: BTreeSet::new(),
            dirty: false,
            gathered: Gathered::default(),
            shadow: Shadow::default(),
            last: String::new(),
        };
        feed.copy_book(exchange);
        self.feeds.insert(id, feed);
        id
    }

    /// Takes a listener off a channel.
    pub(crate) fn unsubscribe(&mut self, connection: u64, name: &str) {
        self.drop_where(connection, |feed| feed.name == name);
    }

    /// Takes a listener off every channel.
    pub(crate) fn forget(&mut self, connection: u64) {
        self.drop_where(connection, |_| true);
    }

    fn drop_where(&mut self, connection: u64, wanted: impl Fn(&Feed) -> bool) {
        let mut empty = Vec::new();
        for (id, feed) in &mut self.feeds {
            if wanted(feed) && feed.listeners.remove(&connection) && feed.listeners.is_empty() {
                empty.push(*id);
            }
        }
        for id in empty {
            let Some(feed) = self.feeds.remove(&id) else { continue };
            self.names.remove(&(feed.account, feed.name));
            self.wide.remove(&id);
            self.ready.remove(&id);
            if let Some(feeds) = feed.channel.instrument().and_then(|ix| self.narrow.get_mut(&ix)) {
                feeds.remove(&id);
            }
        }
    }

    /// Gathers what happened, and tells those who want to know at once.
    pub(crate) fn effects(&mut self, exchange: &Exchange, effects: &[Effect], now: Time) {
        if self.feeds.is_empty() {
            return;
        }
        for effect in effects {
            match effect {
                Effect::Prices => self.note_all(exchange, effect),
                _ => match touched(effect) {
                    Some(ix) => self.note_about(exchange, ix, effect),
                    None => self.note_all(exchange, effect),
                },
            }
        }
        let ready = std::mem::take(&mut self.ready);
        for id in ready {
            self.tell(id, exchange, now);
        }
    }

    fn note_about(&mut self, exchange: &Exchange, ix: InstrumentIx, effect: &Effect) {
        let narrow = self.narrow.get(&ix).into_iter().flatten();
        for id in narrow.chain(&self.wide) {
            if let Some(feed) = self.feeds.get_mut(id)
                && feed.note(exchange, effect)
                && feed.pace == Pace::Raw
            {
                self.ready.insert(*id);
            }
        }
    }

    fn note_all(&mut self, exchange: &Exchange, effect: &Effect) {
        for (id, feed) in &mut self.feeds {
            if feed.note(exchange, effect) && feed.pace == Pace::Raw {
                self.ready.insert(*id);
            }
        }
    }

    /// Tells what is due at `now`.
    pub(crate) fn tick(&mut self, exchange: &Exchange, now: Time) {
        let fast = now >= self.fast_due;
        let slow = now >= self.slow_due;
        if fast {
            self.fast_due = now.plus(Span::from_millis(95));
        }
        if slow {
            self.slow_due = now.plus(Span::from_millis(995));
        }
        let due = |feed: &Feed| {
            feed.dirty
                && match feed.pace {
                    Pace::Raw => false,
                    Pace::Fast => fast,
                    Pace::Slow => slow,
                }
        };
        let ids: Vec<FeedId> =
            self.feeds.iter().filter(|(_, feed)| due(feed)).map(|(id, _)| *id).collect();
        for id in ids {
            self.tell(id, exchange, now);
        }
    }

    fn tell(&mut self, id: FeedId, exchange: &Exchange, now: Time) {
        let Some(feed) = self.feeds.get_mut(&id) else { return };
        feed.dirty = false;
        for message in feed.publish(exchange, now) {
            let message: Arc<str> = Arc::from(message);
            let listeners = feed.listeners.iter();
            self.out.extend(listeners.map(|to| Out::Text(*to, message.clone())));
        }
    }

    /// What is to be sent.
    pub(crate) fn drain(&mut self) -> std::vec::Drain<'_, Out> {
        self.out.drain(..)
    }
}

/// The instrument an effect is about.
fn touched(effect: &Effect) -> Option<InstrumentIx> {
    match effect {
        Effect::Order { order, .. } | Effect::Liquidated { order, .. } => {
            Some(order.ask.instrument)
        }
        Effect::Trade(trade) => Some(trade.instrument),
        Effect::Level { instrument, .. } => Some(*instrument),
        Effect::Listed(ix) | Effect::Delivered(ix) => Some(*ix),
        Effect::Account { .. }
        | Effect::Setting { .. }
        | Effect::Prices
        | Effect::ListenExpired { .. } => None,
    }
}

impl Feed {
    /// Takes in what happened; true when it is to be told.
    fn note(&mut self, exchange: &Exchange, effect: &Effect) -> bool {
        let noted = match effect {
            Effect::Level { instrument, side, price, .. } => {
                self.note_level(*instrument, *side, *price)
            }
            Effect::Trade(trade) => self.note_trade(exchange, trade),
            Effect::Order { order, event } => self.note_order(exchange, order, event),
            Effect::Account { account, .. } => {
                matches!(self.channel, Channel::Portfolio(_)) && self.account == Some(*account)
            }
            Effect::Prices => matches!(
                self.channel,
                Channel::Ticker(_)
                    | Channel::Perpetual(_)
                    | Channel::Index(_)
                    | Channel::OptionMarks(_)
                    | Channel::Volatility(_)
            ),
            Effect::Listed(ix) => self.note_state(exchange, *ix, "created"),
            Effect::Delivered(ix) => self.note_state(exchange, *ix, "settled"),
            Effect::Setting { .. } | Effect::ListenExpired { .. } | Effect::Liquidated { .. } => {
                false
            }
        };
        self.dirty |= noted;
        noted
    }

    fn note_level(&mut self, of: InstrumentIx, side: Side, price: Decimal) -> bool {
        match &self.channel {
            Channel::Book(ix) if *ix == of => {
                self.gathered.levels.insert((side_key(side), price));
                true
            }
            Channel::Window { ix, .. } | Channel::Ticker(ix) | Channel::Quote(ix) => *ix == of,
            _ => false,
        }
    }

    fn note_trade(&mut self, exchange: &Exchange, trade: &PublicTrade) -> bool {
        match &self.channel {
            Channel::Trades(which) => {
                let market = exchange.market(trade.instrument);
                let wanted = market.is_some_and(|market| which.holds(trade.instrument, market));
                if wanted {
                    self.gathered.trades.push(trade.clone());
                }
                wanted
            }
            Channel::Ticker(ix) | Channel::Chart(ix, _) => *ix == trade.instrument,
            _ => false,
        }
    }

    fn note_order(&mut self, exchange: &Exchange, order: &Arc<Order>, event: &OrderEvent) -> bool {
        if self.account != Some(order.account) {
            return false;
        }
        let (which, orders, trades) = match &self.channel {
            Channel::Orders(which) => (which, true, false),
            Channel::UserTrades(which) => (which, false, true),
            Channel::Changes(which) => (which, true, true),
            Channel::Portfolio(_) => return true,
            _ => return false,
        };
        let market = exchange.market(order.ask.instrument);
        if !market.is_some_and(|market| which.holds(order.ask.instrument, market)) {
            return false;
        }
        if orders {
            self.gathered.orders.push(order.clone());
        }
        match event {
            OrderEvent::Traded(fill) if trades => {
                self.gathered.fills.push((**fill).clone());
                true
            }
            _ => orders,
        }
    }

    fn note_state(&mut self, exchange: &Exchange, ix: InstrumentIx, word: &'static str) -> bool {
        let Channel::InstrumentState(which) = &self.channel else { return false };
        let wanted = exchange.market(ix).is_some_and(|market| which.holds(ix, market));
        if wanted {
            self.gathered.states.push((ix, word));
        }
        wanted
    }
}

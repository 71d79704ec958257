//! The exchange: its state, its one entry and its look-ups.

use super::account::{Account, AccountIx, Entry};
use super::calc;
use super::effect::{Effect, OrderEvent};
use super::input::{Input, OrderRef, Refusal, Reply};
use super::keep::Queue;
use super::market::{InstrumentIx, Market};
use super::order::{Order, OrderId};
use super::price::Index;
use super::rng::Rng;
use super::universe::{Listing, Venue};
use std::collections::BTreeMap;
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::time::Time;

/// What an exchange is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What its chance comes from.
    pub seed: u64,
    /// The venues it has.
    pub venues: Vec<Venue>,
    /// The accounts of callers: venue, name, money by asset.
    pub accounts: Vec<(Venue, String, Money)>,
    /// A few instruments of each kind are listed once, and no more: for simulations that cannot
    /// carry whole chains. Not for an exchange whose state is kept.
    pub few: bool,
}

/// Amounts by asset.
pub type Money = Vec<(String, Decimal)>;

/// The exchange.
#[derive(Debug)]
pub struct Exchange {
    pub(crate) seed: u64,
    pub(crate) venues: Vec<Venue>,
    pub(crate) few: bool,
    pub(crate) rng: Rng,
    /// When the last input came.
    pub(crate) now: Time,
    pub(crate) ticks: u64,
    pub(crate) next_order: OrderId,
    pub(crate) next_trade: i64,
    pub(crate) next_priority: u64,
    pub(crate) next_entry: u64,
    pub(crate) markets: Vec<Market>,
    pub(crate) symbols: BTreeMap<(Venue, Arc<str>), InstrumentIx>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) orders: BTreeMap<OrderId, Order>,
    pub(crate) indexes: BTreeMap<Arc<str>, Index>,
    /// How often an order came by client id, of the newest ids.
    pub(crate) arrivals: BTreeMap<(AccountIx, Arc<str>), u32>,
    pub(crate) arrival_order: Queue<(AccountIx, Arc<str>)>,
    pub(crate) effects: Vec<Effect>,
}

/// Orders of a caller's account that are remembered after they ended.
pub(crate) const CLOSED_KEPT: usize = 5_000;
/// Fills and ledger entries remembered per caller's account.
pub(crate) const HISTORY_KEPT: usize = 5_000;
/// Client ids whose arrivals are counted.
pub(crate) const ARRIVALS_KEPT: usize = 100_000;

impl Exchange {
    /// A new exchange that opens at `now`.
    pub fn new(setup: &Setup, now: Time) -> Exchange {
        let mut exchange = Exchange {
            seed: setup.seed,
            venues: setup.venues.clone(),
            few: setup.few,
            rng: Rng::new(setup.seed),
            now,
            ticks: 0,
            next_order: 4_100_000_001,
            next_trade: 380_000_001,
            next_priority: 1,
            next_entry: 1,
            markets: Vec::new(),
            symbols: BTreeMap::new(),
            accounts: Vec::new(),
            orders: BTreeMap::new(),
            indexes: super::price::openings(),
            arrivals: BTreeMap::new(),
            arrival_order: Queue::default(),
            effects: Vec::new(),
        };
        for venue in &setup.venues {
            for name in super::traders::NAMES {
                exchange.accounts.push(Account::new(*venue, name, true));
            }
        }
        for (venue, name, money) in &setup.accounts {
            let mut account = Account::new(*venue, name, false);
            for (asset, amount) in money {
                account.wallets.insert(Arc::from(asset.as_str()), *amount);
            }
            exchange.accounts.push(account);
        }
        exchange.list_due(now);
        exchange.reprice(now);
        for _ in 0..super::traders::WARM_UP {
            exchange.ticks += 1;
            exchange.trade_background(now);
        }
        exchange.effects.clear();
        exchange
    }

    /// Does what `input` asks at `now`, and appends what happened to `effects`. Time never goes
    /// back: an earlier `now` counts as the last one.
    pub fn apply(&mut self, input: &Input, now: Time, effects: &mut Vec<Effect>) -> Reply {
        self.now = self.now.max(now);
        let now = self.now;
        let outcome = match input {
            Input::Tick => {
                self.tick(now);
                Ok(Reply::Done)
            }
            Input::Place { account, order } => {
                self.count_arrival(*account, &order.client_id);
                self.place(*account, (**order).clone(), now)
            }
            Input::Cancel { account, target } => self.cancel(*account, target, now),
            Input::CancelMany { account, orders, reason } => {
                Ok(self.cancel_many(*account, orders, *reason, now))
            }
            Input::Amend { account, target, change } => self.amend(*account, target, change, now),
            Input::SetLeverage { account, instrument, leverage } => {
                self.set_leverage(*account, *instrument, *leverage)
            }
            Input::SetIsolated { account, instrument, isolated } => {
                self.set_isolated(*account, *instrument, *isolated)
            }
            Input::SetHedge { account, hedge } => self.set_hedge(*account, *hedge),
            Input::SetFlag { account, name, value } => self.set_flag(*account, name, value),
            Input::MoveMargin { account, instrument, amount } => {
                self.move_margin(*account, *instrument, *amount)
            }
            Input::Transfer { account, asset, amount, kind } => {
                self.transfer(*account, asset, *amount, kind, now)
            }
            Input::Countdown { account, instrument, at } => {
                self.set_countdown(*account, *instrument, *at)
            }
            Input::Listen { account, op } => self.listen(*account, *op, now),
        };
        effects.append(&mut self.effects);
        outcome.unwrap_or_else(Reply::Refused)
    }

    fn tick(&mut self, now: Time) {
        self.ticks += 1;
        self.settle_due(now);
        self.list_due(now);
        self.reprice(now);
        self.fund_due(now);
        self.run_timers(now);
        self.run_triggers(now);
        self.liquidate_due(now);
        self.trade_background(now);
        self.run_triggers(now);
        self.effects.push(Effect::Prices);
    }

    /// The instrument of that name.
    pub fn instrument(&self, venue: Venue, symbol: &str) -> Option<InstrumentIx> {
        self.symbols.get(&(venue, Arc::from(symbol))).copied()
    }

    /// An instrument.
    pub fn market(&self, instrument: InstrumentIx) -> Option<&Market> {
        self.markets.get(instrument.0 as usize)
    }

    /// Every instrument of a venue, delivered ones too.
    pub fn markets(&self, venue: Venue) -> impl Iterator<Item = (InstrumentIx, &Market)> {
        (0_u32..)
            .map(InstrumentIx)
            .zip(&self.markets)
            .filter(move |(_, m)| m.listing.venue == venue)
    }

    /// An account.
    pub fn account(&self, account: AccountIx) -> Option<&Account> {
        self.accounts.get(account.0 as usize)
    }

    /// The account of that name.
    pub fn find_account(&self, venue: Venue, name: &str) -> Option<AccountIx> {
        let found = |a: &Account| a.venue == venue && &*a.name == name && !a.background;
        let place = self.accounts.iter().position(found)?;
        u32::try_from(place).ok().map(AccountIx)
    }

    /// An order by its number, as long as it is remembered.
    pub fn order(&self, id: OrderId) -> Option<&Order> {
        self.orders.get(&id)
    }

    /// An order of an account.
    pub fn find_order(&self, account: AccountIx, target: &OrderRef) -> Option<&Order> {
        let id = match target {
            OrderRef::Id { id } => *id,
            OrderRef::Client { id } => *self.account(account)?.clients.get(id)?,
        };
        self.orders.get(&id).filter(|order| order.account == account)
    }

    /// The live orders of an account, oldest first; conditional ones too.
    pub fn open_orders(&self, account: AccountIx) -> impl Iterator<Item = &Order> {
        self.account(account).into_iter().flat_map(|a| &a.open).filter_map(|id| self.order(*id))
    }

    /// The orders of an account that ended and are remembered, in the order they ended.
    pub fn closed_orders(&self, account: AccountIx) -> impl DoubleEndedIterator<Item = &Order> {
        self.account(account).into_iter().flat_map(|a| &a.closed).filter_map(|id| self.order(*id))
    }

    /// The index of a coin.
    pub fn index(&self, coin: &str) -> Decimal {
        self.indexes.get(coin).map_or(Decimal::ZERO, |index| index.price)
    }

    /// How often an order with that client id came to an account.
    pub fn arrivals(&self, account: AccountIx, client_id: &str) -> u32 {
        self.arrivals.get(&(account, Arc::from(client_id))).copied().unwrap_or(0)
    }

    /// Every counted client id of an account.
    pub fn all_arrivals(&self, account: AccountIx) -> impl Iterator<Item = (&str, u32)> {
        let counted = self.arrivals.iter().filter(move |((of, _), _)| *of == account);
        counted.map(|((_, id), count)| (&**id, *count))
    }

    /// When the last input came.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// The seed it was made with.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    fn count_arrival(&mut self, account: AccountIx, client_id: &Arc<str>) {
        if client_id.is_empty() {
            return;
        }
        let key = (account, client_id.clone());
        let count = self.arrivals.entry(key.clone()).or_default();
        *count += 1;
        if *count > 1 {
            return;
        }
        self.arrival_order.push_back(key);
        if self.arrival_order.len() > ARRIVALS_KEPT
            && let Some(oldest) = self.arrival_order.pop_front()
        {
            self.arrivals.remove(&oldest);
        }
    }

    pub(crate) fn listing(&self, instrument: InstrumentIx) -> Result<&Market, Refusal> {
        self.market(instrument).ok_or(Refusal::UnknownInstrument)
    }

    pub(crate) fn market_mut(&mut self, instrument: InstrumentIx) -> Option<&mut Market> {
        self.markets.get_mut(instrument.0 as usize)
    }

    pub(crate) fn account_mut(&mut self, account: AccountIx) -> Option<&mut Account> {
        self.accounts.get_mut(account.0 as usize)
    }

    pub(crate) fn emit(&mut self, id: OrderId, event: OrderEvent) {
        if let Some(order) = self.orders.get(&id)
            && self.account(order.account).is_some_and(|account| !account.background)
        {
            self.effects.push(Effect::Order { order: Arc::new(order.clone()), event });
        }
    }

    /// Moves money and remembers it.
    pub(crate) fn book_entry(
        &mut self,
        account: AccountIx,
        kind: &str,
        asset: &Arc<str>,
        amount: Decimal,
        about: (Option<InstrumentIx>, Option<i64>),
        now: Time,
    ) {
        let id = self.next_entry;
        let Some(owner) = self.account_mut(account) else { return };
        let balance = owner.pay(asset, amount);
        if matches!(kind, "REALIZED_PNL" | "FUNDING_FEE") {
            owner.realize(asset, amount, now);
        }
        if owner.background || amount.is_zero() {
            return;
        }
        if owner.ledger.len() == HISTORY_KEPT {
            owner.ledger.pop_front();
        }
        owner.ledger.push_back(Entry {
            id,
            kind: Arc::from(kind),
            asset: asset.clone(),
            amount,
            balance,
            instrument: about.0,
            trade: about.1,
            time: now,
        });
        self.next_entry += 1;
    }

    /// Lists what is due and not there yet.
    fn list_due(&mut self, now: Time) {
        let minute = 600;
        if !self.markets.is_empty() && (self.few || !self.ticks.is_multiple_of(minute)) {
            return;
        }
        for venue in self.venues.clone() {
            let indexes = &self.indexes;
            let index = |coin: &str| indexes.get(coin).map_or(Decimal::ZERO, |index| index.price);
            let mut due = super::universe::due(venue, now, &index);
            if self.few {
                super::universe::thin(&mut due, &index);
            }
            for listing in due {
                self.list(listing, now);
            }
        }
    }

    fn list(&mut self, listing: Listing, now: Time) {
        let key = (listing.venue, listing.symbol.clone());
        let Ok(place) = u32::try_from(self.markets.len()) else { return };
        if self.symbols.contains_key(&key) {
            return;
        }
        let instrument = InstrumentIx(place);
        let index = self.index(&listing.coin);
        let market = Market::open(listing, index, now);
        self.markets.push(market);
        self.symbols.insert(key, instrument);
        self.effects.push(Effect::Listed(instrument));
    }

    /// All money of an asset at a venue, background traders included: trades only move it.
    pub fn money(&self, venue: Venue, asset: &str) -> Decimal {
        let of = self.accounts.iter().filter(|account| account.venue == venue);
        of.fold(Decimal::ZERO, |sum, account| calc::add(sum, account.wallet(asset)))
    }
}

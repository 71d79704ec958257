//! All that the journal says is so: the fold of its records. `apply` alone changes it.

use crate::alarms::Alarms;
use crate::approvals::Approvals as Requests;
use crate::attributed::Attributed;
use crate::balances::Balances;
use crate::books::LostBook;
use crate::breakers::{Breakers, Place};
use crate::clocks::Clock;
use crate::daily::{self, Daily};
use crate::exposure::{Exposures, at_mark};
use crate::gains::{self, Gains};
use crate::guards::Guards;
use crate::options::Portfolios;
use crate::orders::{Order, Orders, Shift};
use crate::people::Invitation;
use crate::policy::{Coins, Entries, Policies};
use crate::positions::{Positions, usd};
use crate::repeat::Recent;
use crate::self_trade::{Resting, SelfTrades};
use crate::settlements::Settlements;
use crate::shape::TokenBucket;
use crate::venue_margin::VenueMargins;
use crate::venue_terms::TermsInForce;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::app::App;
use tidegate_types::grant::{AccountLimits, Grant, Scope, VirtualKey};
use tidegate_types::ids::{
    AccountName, CallId, CallerName, ClientId, DeskName, InstrumentId, KeyId, OrderId, PersonName,
    RuleId, VenueName,
};
use tidegate_types::instrument::{Instrument, Mark, Price, SignedQty, Unit, Usd};
use tidegate_types::limits::MAX_HALTERS;
use tidegate_types::options::{OptionLimits, OptionQuote};
use tidegate_types::order::OrderName;
use tidegate_types::person::Person;
use tidegate_types::policy::Liquidity;
use tidegate_types::proof::Authenticated;
use tidegate_types::record::{Approvals, ApproveBy};
use tidegate_types::reject::Code;
use tidegate_types::report::FillReport;
use tidegate_types::time::Time;
use tidegate_types::{codec_enum, codec_struct};

/// An account at a venue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Where.
    pub venue: VenueName,
    /// The public id of its venue key, once imported.
    pub key: Option<String>,
    /// What that key may do, in the venue's words.
    pub rights: Vec<String>,
    /// It takes new orders; otherwise cancels and orders that reduce a position only.
    pub open: bool,
    /// Why it is closed.
    pub why: String,
    /// When it was open for the first time: what it held then was taken over.
    pub taken_over: Option<Time>,
    /// The newest trade known of each instrument, on the venue's clock.
    pub traded: BTreeMap<InstrumentId, Time>,
    /// The newest trade of each instrument of orders that are in the table no more, on the venue's clock.
    pub forgotten: BTreeMap<InstrumentId, Time>,
}
codec_struct!(Account { venue, key, rights, open, why, taken_over, traded, forgotten });

/// A virtual key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// Its public part.
    pub key: VirtualKey,
    /// It is not valid any more.
    pub revoked: bool,
}
codec_struct!(Key { key, revoked });

/// An app.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegisteredApp {
    /// What was registered last.
    pub app: App,
    /// It is no more.
    pub revoked: bool,
}
codec_struct!(RegisteredApp { app, revoked });

/// A halt in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Halt {
    /// Which: no other halt ever has the same.
    pub id: u64,
    /// Who was the first to halt it.
    pub by: PersonName,
    /// Why.
    pub reason: String,
    /// Who halted it since then, or again for another reason, with what each said last.
    pub too: BTreeMap<PersonName, (String, Time)>,
    /// Orders that reduce a position still pass.
    pub allow_reduce: bool,
    /// Since when.
    pub since: Time,
    /// The first order cleared after it.
    pub from: OrderId,
    /// The venue showed no live order of the scope.
    pub proven: bool,
    /// When it was pulled last, counted over all halts: the newest has the highest.
    pub number: u64,
    /// Whether its positions are closed too.
    pub flatten: Option<Flatten>,
}
codec_struct!(Halt { id, by, reason, too, allow_reduce, since, from, proven, number, flatten });

impl Halt {
    /// Takes note of who halts it again and why; what was said first stays.
    pub(crate) fn again(&mut self, by: &PersonName, reason: &str, at: Time) {
        let known = self.too.get(by).is_some_and(|(said, _)| said == reason);
        let first = self.by == *by && self.reason == reason;
        let room = self.too.len() < MAX_HALTERS || self.too.contains_key(by);
        if !known && !first && room {
            self.too.insert(by.clone(), (reason.to_owned(), at));
        }
    }
}

/// How far the closing of a halt's positions has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flatten {
    /// Once the halt is proven they are closed.
    Closing,
    /// The venue showed none.
    Flat,
}
codec_enum!(Flatten { 0 => Closing, 1 => Flat });

/// What a recorded request, not answered yet, is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// Places this order.
    Place { order: OrderId },
    /// Amends this order.
    Amend { order: OrderId },
    /// Cancels this order.
    Cancel { order: OrderId },
    /// Changes a setting.
    Set,
    /// Asks after this order; never recorded.
    Query { order: OrderId },
    /// Sets the venue's dead-man timer.
    DeadMan,
}
codec_enum!(Purpose {
    0 => Place { order }, 1 => Amend { order }, 2 => Cancel { order }, 3 => Set,
    4 => Query { order }, 5 => DeadMan,
});

impl Purpose {
    /// The order it is about.
    pub(crate) fn order(self) -> Option<OrderId> {
        match self {
            Purpose::Place { order }
            | Purpose::Amend { order }
            | Purpose::Cancel { order }
            | Purpose::Query { order } => Some(order),
            Purpose::Set | Purpose::DeadMan => None,
        }
    }
}

/// The folded state.
#[derive(Debug, Default)]
pub struct State {
    pub(crate) desk: Option<(DeskName, Approvals)>,
    pub(crate) epoch: String,
    pub(crate) accounts: BTreeMap<AccountName, Account>,
    pub(crate) callers: BTreeMap<CallerName, Time>,
    pub(crate) keys: BTreeMap<KeyId, Key>,
    pub(crate) grants: BTreeMap<CallerName, BTreeMap<AccountName, Grant>>,
    /// Every account that a caller ever had a grant or a key for, and where it is.
    pub(crate) ever_on: BTreeMap<CallerName, BTreeMap<AccountName, VenueName>>,
    pub(crate) limits: BTreeMap<AccountName, AccountLimits>,
    pub(crate) instruments: BTreeMap<InstrumentId, Instrument>,
    pub(crate) marks: BTreeMap<InstrumentId, Mark>,
    pub(crate) liquidity: BTreeMap<InstrumentId, Liquidity>,
    pub(crate) halts: BTreeMap<Scope, Halt>,
    /// How often anything was halted.
    pub(crate) halts_pulled: u64,
    pub(crate) caller_buckets: BTreeMap<CallerName, BTreeMap<AccountName, TokenBucket>>,
    pub(crate) account_buckets: BTreeMap<AccountName, TokenBucket>,
    pub(crate) refusals: BTreeMap<Code, u64>,
    pub(crate) calls: BTreeMap<CallId, Purpose>,
    pub(crate) next_order: OrderId,
    pub(crate) next_call: CallId,
    pub(crate) guards: Guards,
    pub(crate) orders: Orders,
    pub(crate) positions: Positions,
    pub(crate) exposures: Exposures,
    pub(crate) recent: Recent,
    pub(crate) alarms: Alarms,
    pub(crate) balances: Balances,
    pub(crate) lost_books: BTreeMap<InstrumentId, LostBook>,
    pub(crate) people: BTreeMap<PersonName, Person>,
    pub(crate) approvals: Requests,
    pub(crate) approve_by: ApproveBy,
    pub(crate) apps: BTreeMap<CallerName, RegisteredApp>,
    pub(crate) invitations: BTreeMap<PersonName, Invitation>,
    pub(crate) daily: Daily,
    pub(crate) self_trades: SelfTrades,
    pub(crate) resting: Resting,
    pub(crate) venue_terms: BTreeMap<InstrumentId, TermsInForce>,
    pub(crate) breakers: Breakers,
    /// What accounts and callers gained, where something is held against that.
    pub(crate) gains: Gains,
    pub(crate) clocks: BTreeMap<VenueName, Clock>,
    /// Breakers that measured something since they were last looked at; no part of what is saved.
    pub(crate) touched: BTreeSet<Place>,
    /// Rules on repeated executions that stopped a strategy just now.
    pub(crate) throttled: BTreeSet<RuleId>,
    pub(crate) option_limits: BTreeMap<AccountName, OptionLimits>,
    pub(crate) option_quotes: BTreeMap<InstrumentId, OptionQuote>,
    pub(crate) portfolios: Portfolios,
    pub(crate) policies: Policies,
    pub(crate) entries: Entries,
    pub(crate) attributed: Attributed,
    pub(crate) venue_margins: VenueMargins,
    pub(crate) settlements: Settlements,
    /// By which perpetual each coin is priced; it follows from the instruments.
    pub(crate) coins: Coins,
    /// When the newest record was made.
    pub(crate) at: Time,
}

impl State {
    /// The desk, and how many people a loosening takes.
    pub fn desk(&self) -> Option<&(DeskName, Approvals)> {
        self.desk.as_ref()
    }

    /// What tells the gateway's runs apart: another for each start.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The accounts.
    pub fn accounts(&self) -> &BTreeMap<AccountName, Account> {
        &self.accounts
    }

    /// The callers, and since when there are.
    pub fn callers(&self) -> &BTreeMap<CallerName, Time> {
        &self.callers
    }

    /// The virtual keys, revoked ones too.
    pub fn keys(&self) -> &BTreeMap<KeyId, Key> {
        &self.keys
    }

    /// Every app there ever was, by the caller that it is.
    pub fn apps(&self) -> &BTreeMap<CallerName, RegisteredApp> {
        &self.apps
    }

    /// Every grant.
    pub fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.grants.values().flat_map(BTreeMap::values)
    }

    /// The grant of a caller on an account, expired or not.
    pub fn grant(&self, caller: &CallerName, account: &AccountName) -> Option<&Grant> {
        self.grants.get(caller)?.get(account)
    }

    /// The limits of the accounts.
    pub fn limits(&self) -> &BTreeMap<AccountName, AccountLimits> {
        &self.limits
    }

    /// The instruments.
    pub fn instruments(&self) -> &BTreeMap<InstrumentId, Instrument> {
        &self.instruments
    }

    /// The last mark of each instrument.
    pub fn marks(&self) -> &BTreeMap<InstrumentId, Mark> {
        &self.marks
    }

    /// What the market of each instrument last showed of itself.
    pub fn liquidity(&self) -> &BTreeMap<InstrumentId, Liquidity> {
        &self.liquidity
    }

    /// The halts in force.
    pub fn halts(&self) -> &BTreeMap<Scope, Halt> {
        &self.halts
    }

    /// The circuit breakers.
    pub fn breakers(&self) -> &Breakers {
        &self.breakers
    }

    /// The venues' clocks, as last compared.
    pub fn clocks(&self) -> &BTreeMap<VenueName, Clock> {
        &self.clocks
    }

    /// When callers' orders are cancelled without their asking.
    pub fn guards(&self) -> &Guards {
        &self.guards
    }

    /// The positions, and what open orders reserve.
    pub fn positions(&self) -> &Positions {
        &self.positions
    }

    /// The orders.
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    /// Whether this number was given to an order already.
    pub fn has_numbered(&self, order: OrderId) -> bool {
        order < self.next_order
    }

    /// Whether a trade that is of no order in the table may be one of an order that was dropped: it was counted then.
    /// Where it was not after all, the position differs from the venue's and is corrected.
    pub(crate) fn has_forgotten(&self, account: &AccountName, fill: &FillReport) -> bool {
        let account = self.accounts.get(account);
        let until = account.and_then(|account| account.forgotten.get(&fill.instrument));
        until.is_some_and(|until| fill.at <= *until)
    }

    /// What a caller traded on an account on the day (UTC) of `now`, in dollars at worst.
    pub fn traded_today(&self, caller: &CallerName, account: &AccountName, now: Time) -> Usd {
        daily::traded(&self.daily, caller, account, now)
    }

    /// Open orders that Tidegate did not place: each is an alarm.
    pub fn foreign(&self) -> impl Iterator<Item = &Order> {
        self.orders.open().filter(|order| order.is_foreign())
    }

    /// The accounts' balances.
    pub fn balances(&self) -> &Balances {
        &self.balances
    }

    /// What somebody has to look at.
    pub fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// How many requests were refused, by code.
    pub fn refusals(&self) -> &BTreeMap<Code, u64> {
        &self.refusals
    }

    /// The order that `who` means, if it may see it; live ones before done ones, new before old.
    pub fn find(
        &self,
        who: &Authenticated,
        name: &OrderName,
        instrument: Option<&InstrumentId>,
    ) -> Option<&Order> {
        // A token never sees the whole account.
        let wide = who.token().is_none()
            && self.grant(who.caller(), who.account()).is_some_and(|g| g.account_wide);
        let visible = |order: &&Order| {
            order.account == *who.account()
                && (wide || order.caller.as_ref() == Some(who.caller()))
                && instrument.is_none_or(|i| order.request.instrument == *i)
        };
        match name {
            OrderName::Own { id } => self.orders.get(*id).filter(visible),
            OrderName::Venue { id } => {
                let found: Vec<_> =
                    self.orders.by_venue(who.account(), id).filter(visible).collect();
                found.iter().rev().find(|o| o.is_open()).or(found.last()).copied()
            }
            OrderName::Caller { id } => {
                let mut found =
                    self.orders.by_caller(who.caller(), who.account(), id).filter(visible);
                let newest = found.next()?;
                if newest.is_open() {
                    return Some(newest);
                }
                found.find(|order| order.is_open()).or(Some(newest))
            }
        }
    }

    /// The orders that an operator means by a name: Tidegate's id for one, or an account and, after a
    /// slash, the venue's id or the caller's own. Open ones, or else those that ended.
    pub fn orders_named(&self, name: &str) -> Vec<&Order> {
        let is = |id: Option<&str>, text: &str| id == Some(text);
        let meant = |order: &&Order| match name.split_once('/') {
            None => is(order.client_id.as_ref().map(ClientId::as_str), name),
            Some((account, id)) => {
                let caller_id = order.request.caller_id.as_ref().map(|id| id.as_str());
                let venue_ids = [&order.venue_id, &order.triggered_as];
                order.account.as_str() == account
                    && (is(caller_id, id)
                        || venue_ids.iter().any(|v| is(v.as_ref().map(|v| v.as_str()), id)))
            }
        };
        let open: Vec<_> = self.orders.open().filter(meant).collect();
        if open.is_empty() { self.orders.iter().filter(meant).collect() } else { open }
    }

    /// The order that an id in a venue's answer means: by Tidegate's id, else by the venue's,
    /// unless that could mean orders of two callers.
    pub fn owner(
        &self,
        account: &AccountName,
        client_id: Option<&str>,
        venue_id: Option<&str>,
    ) -> Option<&Order> {
        let by_client = client_id.and_then(|id| ClientId::new(id).ok());
        let found = by_client.and_then(|id| self.orders.by_client(&id));
        if let Some(order) = found.filter(|order| order.account == *account) {
            return Some(order);
        }
        let id = venue_id?.parse().ok()?;
        let mut found = self.orders.by_venue(account, &id);
        let first = found.next()?;
        found.all(|other| other.caller == first.caller).then_some(first)
    }

    pub(crate) fn change(&mut self, id: OrderId, f: impl FnOnce(&mut Order)) {
        if let Some(shift) = self.orders.change(id, f) {
            self.shift(&shift);
        }
    }

    /// Changes an order by what the venue tells of it. One that somebody made dearer past Tidegate is worth more from then
    /// on.
    pub(crate) fn hear_of(&mut self, id: OrderId, f: impl FnOnce(&mut Order)) {
        let Some(order) = self.orders.get(id) else { return };
        let is_linear = unit_of(&self.instruments, &order.request.instrument) == Unit::Linear;
        self.change(id, |order| {
            let before = order.dearest();
            f(order);
            if let Some(now) = order.dearest().filter(|now| is_linear && before < Some(*now)) {
                order.unit_value = order.unit_value.max(now);
            }
        });
    }

    pub(crate) fn insert(&mut self, order: Order) {
        let shift = self.orders.insert(order);
        self.shift(&shift);
    }

    fn shift(&mut self, shift: &Shift) {
        let Some(order) = self.orders.get(shift.id) else { return };
        self.resting.follow(order);
        crate::halt::turned_up(&mut self.halts, order);
        daily::count(&mut self.daily, order, shift.traded, self.at);
        let (account, instrument) = (&order.account, &order.request.instrument);
        let held = self.positions.book(account, instrument).position;
        if self.positions.shift(order, shift) {
            let unit = unit_value(&self.instruments, &self.marks, instrument);
            let book = self.positions.book(account, instrument);
            self.attributed.shift(order, shift, (held, book.position));
            self.exposures.set(account, instrument, book, unit);
            if shift.filled != 0 {
                let mark = self.marks.get(instrument).map(|mark| mark.mark);
                let unit = unit_of(&self.instruments, instrument);
                let price = shift.price_or(order, unit, mark);
                let of = (instrument, unit);
                self.entries.moved(account, of, (held, book.position), price);
            }
            let (account, instrument) = (account.clone(), instrument.clone());
            self.hold(&account, &instrument);
        }
        gains::traded(self, shift);
        self.count_for_policies(shift);
    }

    /// Sets a position to the venue's; what it differs by came at `price`, where that is known.
    pub(crate) fn correct(
        &mut self,
        account: &AccountName,
        instrument: &InstrumentId,
        qty: SignedQty,
        price: Option<Price>,
    ) {
        let held = self.positions.book(account, instrument).position;
        self.positions.correct(account, instrument, qty);
        self.attributed.changed(account, instrument, (held, qty.0.raw()));
        gains::corrected(self, account, instrument, (qty, price));
        let unit = unit_value(&self.instruments, &self.marks, instrument);
        let book = self.positions.book(account, instrument);
        self.exposures.set(account, instrument, book, unit);
        let price = price.or(self.marks.get(instrument).map(|mark| mark.mark));
        let of = (instrument, unit_of(&self.instruments, instrument));
        self.entries.moved(account, of, (held, book.position), price);
        self.revalue_for_policies(account, instrument);
        self.hold(account, instrument);
    }

    /// Of what has expired, and the account holds no more, no caller has a part.
    pub(crate) fn forget_expired_parts(&mut self) {
        let State { attributed, instruments, positions, at, .. } = self;
        attributed.forget(|account, id| {
            let expired = instruments.get(id).is_some_and(|terms| terms.has_expired(*at));
            expired && positions.book(account, id).position == 0
        });
        gains::parted(self);
    }

    /// The venue tells at which price a position was entered.
    pub(crate) fn entered(&mut self, account: &AccountName, instrument: &InstrumentId, at: Price) {
        self.entries.set(account, instrument, Some(at));
        self.revalue_for_policies(account, instrument);
    }

    /// Takes a mark, and values what is held by it.
    pub(crate) fn mark(&mut self, mark: &Mark) {
        self.book_counts_from(mark);
        let first = self.marks.insert(mark.instrument.clone(), mark.clone()).is_none();
        self.index_moved(mark);
        if first {
            crate::told::first_mark(self, &mark.instrument);
        }
        self.revalue(&mark.instrument);
        gains::marked(self, mark);
        self.mark_for_policies(&mark.instrument);
    }

    /// Values what is held of an instrument by its mark and terms as they are now.
    pub(crate) fn revalue(&mut self, instrument: &InstrumentId) {
        let unit = unit_value(&self.instruments, &self.marks, instrument);
        for (account, book) in self.positions.holders(instrument) {
            self.exposures.set(account, instrument, book, unit);
        }
        self.revalue_portfolios(instrument);
    }

    /// Callers' parts, with what is open counted anew.
    #[cfg(test)]
    pub(crate) fn counted_parts(&self) -> Attributed {
        use tidegate_types::codec::{Codec, to_bytes};
        let bytes = to_bytes(&self.attributed);
        let mut fresh = Attributed::decode(&mut bytes.as_slice()).unwrap_or_default();
        fresh.rest(&self.orders);
        fresh
    }

    /// Every exposure, valued anew.
    pub(crate) fn counted_exposures(&self) -> Exposures {
        let mut fresh = Exposures::default();
        for account in self.accounts.keys() {
            for (instrument, book) in self.positions.books(account) {
                let unit = unit_value(&self.instruments, &self.marks, instrument);
                fresh.set(account, instrument, *book, unit);
            }
        }
        fresh
    }

    /// What an account's positions and open orders may come to be worth together.
    pub fn exposure(&self, account: &AccountName) -> Usd {
        usd(self.exposures.total(account))
    }
}

/// What one unit of an instrument is worth at its mark, if both are known.
/// In what an instrument is counted; one that is not known is taken as linear.
fn unit_of(instruments: &BTreeMap<InstrumentId, Instrument>, instrument: &InstrumentId) -> Unit {
    instruments.get(instrument).map_or(Unit::Linear, |terms| terms.unit)
}

fn unit_value(
    instruments: &BTreeMap<InstrumentId, Instrument>,
    marks: &BTreeMap<InstrumentId, Mark>,
    instrument: &InstrumentId,
) -> Option<(Price, Time)> {
    let mark = marks.get(instrument)?;
    Some((at_mark(instruments.get(instrument)?, mark), mark.at))
}

//! What accounts and callers gained and lost: what they hold is valued at each mark, what they trade at the
//! price it traded at. Counted from the moment that a breaker asks for it. Fees in dollars, stablecoins and
//! coins that have a price are taken off, and funding counts of accounts, where the venue tells it by itself.
//!
//! What callers hold adds up to what the account holds, less what is nobody's: taken over, traded past Tidegate.

use super::Place;
use super::measure::cut;
use crate::attributed::shares;
use crate::orders::Shift;
use crate::profit::won;
use crate::state::State;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::breaker::{BreakerId, BreakerKind, Facet};
use tidegate_types::codec_enum;
use tidegate_types::codec_struct;
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::Scope;
use tidegate_types::hours::day;
use tidegate_types::ids::{AccountName, CallerName, Currency, InstrumentId, OrderId, VenueName};
use tidegate_types::instrument::{Instrument, Mark, Price, SignedQty, Unit};
use tidegate_types::order::Side;
use tidegate_types::report::BalanceReport;
use tidegate_types::time::Time;

/// One in the steps of a decimal.
const ONE: i128 = 100_000_000;

/// Whose gain.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Owner {
    /// An account's, whoever trades on it.
    Account { venue: VenueName, name: AccountName },
    /// A caller's own trades on an account.
    Caller { name: CallerName, account: AccountName },
}
codec_enum!(Owner { 0 => Account { venue, name }, 1 => Caller { name, account } });

/// What is held of an instrument, and what it is valued at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Held {
    qty: i64,
    price: i64,
}
codec_struct!(Held { qty, price });

/// From where a loss is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Base {
    day: u64,
    start: i64,
    peak: i64,
}
codec_struct!(Base { day, start, peak });

/// Gains and losses, in dollars of 10⁻⁸, below zero for losses.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Money {
    on: bool,
    held: BTreeMap<InstrumentId, BTreeMap<Owner, Held>>,
    gained: BTreeMap<Owner, i64>,
    /// The fees of orders that may still tell more of them.
    paid: BTreeMap<OrderId, i64>,
    bases: BTreeMap<Place, Base>,
}
codec_struct!(Money { on, held, gained, paid, bases });

impl Money {
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.bases.keys()
    }

    pub(super) fn measure_anew(&mut self, place: &Place) {
        self.bases.remove(place);
    }

    pub(super) fn forget(&mut self, breaker: &BreakerId) {
        self.bases.retain(|place, _| place.breaker != *breaker);
    }

    /// What was lost since the day began, or since it was first counted on it.
    pub(super) fn loss(&self, place: &Place, now: Time) -> Option<Decimal> {
        let base = self.bases.get(place)?;
        let lost = base.start.saturating_sub(self.total(&place.scope)).max(0);
        Some(Decimal::from_raw(if day(now) > base.day { 0 } else { lost }))
    }

    /// What was lost since the highest point.
    pub(super) fn drawdown(&self, place: &Place) -> Option<Decimal> {
        let base = self.bases.get(place)?;
        Some(Decimal::from_raw(base.peak.saturating_sub(self.total(&place.scope))))
    }

    fn total(&self, scope: &Scope) -> i64 {
        let own = |owner: &Owner| match (scope, owner) {
            (Scope::All | Scope::Desk { .. }, Owner::Account { .. }) => true,
            (Scope::Venue { name }, Owner::Account { venue, .. }) => name == venue,
            (Scope::Account { name: one }, Owner::Account { name, .. }) => one == name,
            (Scope::Caller { name: one }, Owner::Caller { name, .. }) => one == name,
            _ => false,
        };
        let gained = self.gained.iter().filter(|(owner, _)| own(owner));
        gained.fold(0, |sum: i64, (_, gain)| sum.saturating_add(*gain))
    }

    /// By how much everybody's part changes when an account's position changes by `change`, ordered by this
    /// caller or by none.
    fn parts(
        &self,
        instrument: &InstrumentId,
        (account, caller): (&AccountName, Option<&CallerName>),
        change: i64,
    ) -> Vec<(Owner, i64)> {
        let whole = Owner::Account { venue: instrument.venue.clone(), name: account.clone() };
        if let Some(name) = caller {
            let own = Owner::Caller { name: name.clone(), account: account.clone() };
            return vec![(whole, change), (own, change)];
        }
        let held = self.held.get(instrument).into_iter().flatten();
        let callers = held.filter(|(owner, _)| is_part(owner, account));
        let (owners, parts): (Vec<Owner>, Vec<i64>) =
            callers.map(|(owner, held)| (owner.clone(), held.qty)).unzip();
        let total = self.held.get(instrument).and_then(|of| of.get(&whole));
        let less = shares(total.map_or(0, |held| held.qty), &parts, change);
        let mut all = vec![(whole, change)];
        all.extend(owners.into_iter().zip(less).filter(|(_, less)| *less != 0));
        all
    }
}

impl Money {
    /// What the callers of an account that holds nothing of an instrument have of it is nobody's any more, unless it
    /// adds up to nothing: then they hold against each other.
    fn clear_where_flat(&mut self, instrument: &InstrumentId, account: &AccountName) {
        let whole = |owner: &Owner| matches!(owner, Owner::Account { name, .. } if name == account);
        let Some(holders) = self.held.get(instrument) else { return };
        let parts = holders.iter().filter(|(owner, _)| is_part(owner, account));
        let sum: i128 = parts.map(|(_, held)| i128::from(held.qty)).sum();
        if sum != 0 && !holders.keys().any(whole) {
            self.take_parts(instrument, account);
        }
    }

    fn take_parts(&mut self, instrument: &InstrumentId, account: &AccountName) {
        let Some(holders) = self.held.get_mut(instrument) else { return };
        holders.retain(|owner, _| !is_part(owner, account));
        if holders.is_empty() {
            self.held.remove(instrument);
        }
    }
}

/// Whether somebody is a caller on an account.
fn is_part(owner: &Owner, account: &AccountName) -> bool {
    matches!(owner, Owner::Caller { account: on, .. } if on == account)
}

/// A halt closed all positions of its scope: no caller holds anything there, not even against another.
pub(crate) fn flattened(state: &mut State, scope: &Scope) {
    let held = state.breakers.money.held.iter().flat_map(|(instrument, holders)| {
        let accounts = holders.keys().filter_map(|owner| match owner {
            Owner::Caller { account, .. } => Some(account.clone()),
            Owner::Account { .. } => None,
        });
        accounts.map(|account| (instrument.clone(), account))
    });
    let meant = |(instrument, account): &(InstrumentId, AccountName)| {
        let facet = Facet {
            venue: Some(&instrument.venue),
            account: Some(account),
            instrument: Some(instrument),
            ..Facet::default()
        };
        facet.is_in(scope)
    };
    for (instrument, account) in held.filter(meant).collect::<BTreeSet<_>>() {
        state.breakers.money.take_parts(&instrument, &account);
    }
}

/// From now on gains are counted: of what is held, from its mark on.
pub(super) fn begin(state: &mut State) {
    state.breakers.money = Money { on: true, ..Money::default() };
    for (account, instrument, SignedQty(qty)) in state.positions.iter() {
        let price = state.marks.get(instrument).map_or(0, |mark| mark.mark.0.raw());
        let owner = Owner::Account { venue: instrument.venue.clone(), name: account.clone() };
        let held = Held { qty: qty.raw(), price };
        state.breakers.money.held.entry(instrument.clone()).or_default().insert(owner, held);
    }
}

/// A mark came: what is held gained or lost by it.
pub(crate) fn marked(state: &mut State, mark: &Mark) {
    let money = &mut state.breakers.money;
    let Some(holders) = money.held.get_mut(&mark.instrument).filter(|_| money.on) else { return };
    let Some(terms) = state.instruments.get(&mark.instrument) else { return };
    let mut gains = Vec::new();
    for (owner, held) in holders {
        let from = Price(Decimal::from_raw(held.price));
        let moved = if held.price == 0 { 0 } else { gain(terms, mark, held.qty, from) };
        held.price = mark.mark.0.raw();
        gains.push((owner.clone(), moved));
    }
    for (owner, moved) in gains.into_iter().filter(|(_, moved)| *moved != 0) {
        earn(state, &owner, moved);
    }
}

/// An order traded.
pub(crate) fn traded(state: &mut State, shift: &Shift) {
    let money = &state.breakers.money;
    if !money.on || (shift.filled == 0 && !money.paid.contains_key(&shift.id)) {
        return;
    }
    let Some(order) = state.orders.get(shift.id) else { return };
    let (account, instrument) = (order.account.clone(), order.request.instrument.clone());
    let mark = state.marks.get(&instrument);
    let unit = state.instruments.get(&instrument).map_or(Unit::Linear, |terms| terms.unit);
    let price = shift.price_or(order, unit, mark.map(|mark| mark.mark));
    let signed = match shift.side {
        Side::Buy => shift.filled,
        Side::Sell => shift.filled.saturating_neg(),
    };
    let before = money.paid.get(&shift.id).copied().unwrap_or(0);
    let fees = order.trades.values().fold(0_i64, |sum, trade| {
        sum.saturating_add(in_dollars(state, trade.fee, trade.fee_currency.as_ref()))
    });
    let parts = money.parts(&instrument, (&account, order.caller.as_ref()), signed);
    let ordered = order.caller.is_some();
    let over = !order.is_open() && !order.lacks_trades();
    let money = &mut state.breakers.money;
    match over {
        true => drop(money.paid.remove(&shift.id)),
        false => drop(money.paid.insert(shift.id, fees)),
    }
    for (owner, part) in parts {
        // What no caller ordered costs no caller a fee.
        let pays = ordered || matches!(owner, Owner::Account { .. });
        let fee = if pays { fees.saturating_sub(before) } else { 0 };
        took(state, &instrument, (&owner, part), price, fee);
    }
    state.breakers.money.clear_where_flat(&instrument, &account);
}

/// A position is the venue's from now on: what it differed by came at this price, or at the mark.
pub(crate) fn corrected(
    state: &mut State,
    account: &AccountName,
    instrument: &InstrumentId,
    (qty, price): (SignedQty, Option<Price>),
) {
    let money = &state.breakers.money;
    if !money.on {
        return;
    }
    let owner = Owner::Account { venue: instrument.venue.clone(), name: account.clone() };
    let held = money.held.get(instrument).and_then(|of| of.get(&owner)).copied();
    let differs = qty.0.raw().saturating_sub(held.unwrap_or_default().qty);
    for (owner, part) in money.parts(instrument, (account, None), differs) {
        took(state, instrument, (&owner, part), price, 0);
    }
}

/// An account received funding, or paid it. No venue tells for which caller's position.
pub(crate) fn funded(state: &mut State, account: &AccountName, more: &BalanceReport) {
    let Some(venue) = state.accounts.get(account).map(|account| account.venue.clone()) else {
        return;
    };
    if state.breakers.money.on {
        let moved = in_dollars(state, more.amount, Some(&more.asset));
        earn(state, &Owner::Account { venue, name: account.clone() }, moved);
    }
}

/// Somebody's part changed at a price, for a fee: what that is worth at the mark is won or lost at once.
fn took(
    state: &mut State,
    instrument: &InstrumentId,
    (owner, part): (&Owner, i64),
    price: Option<Price>,
    fee: i64,
) {
    let price = price.unwrap_or_default();
    let mark = state.marks.get(instrument).cloned();
    let mark = mark.unwrap_or_else(|| bare_mark(instrument, price));
    let terms = state.instruments.get(instrument);
    let moved = match terms {
        Some(terms) if price != Price::default() => gain(terms, &mark, part, price),
        _ => 0,
    };
    hold(&mut state.breakers.money, instrument, owner, part, mark.mark.0.raw());
    earn(state, owner, moved.saturating_sub(fee));
}

fn hold(money: &mut Money, instrument: &InstrumentId, owner: &Owner, more: i64, price: i64) {
    let holders = money.held.entry(instrument.clone()).or_default();
    let held = holders.entry(owner.clone()).or_insert(Held { qty: 0, price });
    held.qty = held.qty.saturating_add(more);
    if held.price == 0 {
        held.price = price;
    }
    if held.qty == 0 {
        holders.remove(owner);
    }
    if holders.is_empty() {
        money.held.remove(instrument);
    }
}

/// Adds to what somebody gained, with the points from where breakers measure kept up.
fn earn(state: &mut State, owner: &Owner, moved: i64) {
    let facet = match owner {
        Owner::Account { venue, name } => {
            Facet { venue: Some(venue), account: Some(name), ..Facet::default() }
        }
        Owner::Caller { name, .. } => Facet { caller: Some(name), ..Facet::default() },
    };
    let today = day(state.at);
    let breakers = &state.breakers;
    let rules = [BreakerKind::Loss, BreakerKind::Drawdown].map(|kind| breakers.of_kind(kind));
    let places = rules.into_iter().flatten().filter_map(|rule| {
        let scope = rule.id.over.place(&facet)?;
        // A caller's gains are in its accounts' already.
        let of_caller = matches!(owner, Owner::Caller { .. });
        let counts = of_caller == matches!(scope, Scope::Caller { .. });
        counts.then(|| Place { breaker: rule.id.clone(), scope })
    });
    let places: BTreeSet<Place> = places.collect();
    let money = &mut state.breakers.money;
    for place in &places {
        let total = money.total(&place.scope);
        let fresh = Base { day: today, start: total, peak: total };
        let base = money.bases.entry(place.clone()).or_insert(fresh);
        if today > base.day {
            (base.day, base.start) = (today, total);
        }
    }
    let gained = money.gained.entry(owner.clone()).or_default();
    *gained = gained.saturating_add(moved);
    for place in &places {
        let total = money.total(&place.scope);
        if let Some(base) = money.bases.get_mut(place) {
            base.peak = base.peak.max(total);
        }
    }
    state.touched.extend(places);
}

/// What somebody gains, in dollars, on what it holds since that was worth `from`. A stablecoin is a dollar.
fn gain(terms: &Instrument, mark: &Mark, qty: i64, from: Price) -> i64 {
    cut(won(terms, mark, qty, from)).raw()
}

/// An amount of a coin in dollars; none of a coin without a price.
fn in_dollars(state: &State, amount: Decimal, coin: Option<&Currency>) -> i64 {
    let Some(coin) = coin else { return 0 };
    if ["USD", "USDT", "USDC"].contains(&coin.as_str()) {
        return amount.raw();
    }
    let mark = state.coins.get(coin).and_then(|id| state.marks.get(id));
    let index = mark.map_or(0, |mark| i128::from(mark.index.0.raw()));
    cut((i128::from(amount.raw()) * index).div_euclid(ONE)).raw()
}

fn bare_mark(instrument: &InstrumentId, price: Price) -> Mark {
    Mark { instrument: instrument.clone(), mark: price, index: price, at: Time::default() }
}

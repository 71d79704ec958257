//! What accounts and callers gained and lost: what they hold is valued at each mark, what they trade at the
//! price it traded at. Counted from the moment that a breaker asks for it. Fees in dollars, stablecoins and
//! the traded coin are taken off; funding is not known to the journal and not counted.

use super::Place;
use super::measure::cut;
use crate::orders::{Order, Shift};
use crate::state::State;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::breaker::{BreakerId, BreakerKind, Facet};
use tidegate_types::codec_enum;
use tidegate_types::codec_struct;
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::Scope;
use tidegate_types::hours::day;
use tidegate_types::ids::{AccountName, CallerName, Currency, InstrumentId, OrderId, VenueName};
use tidegate_types::instrument::{Instrument, Mark, SignedQty, Unit};
use tidegate_types::order::Side;
use tidegate_types::time::Time;

/// One in the steps of a decimal.
const ONE: i128 = 100_000_000;

/// Whose gain.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Owner {
    /// An account's, whoever trades on it.
    Account { venue: VenueName, name: AccountName },
    /// A caller's own trades.
    Caller { name: CallerName },
}
codec_enum!(Owner { 0 => Account { venue, name }, 1 => Caller { name } });

/// What is held of an instrument, and what it is valued at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Held {
    qty: i64,
    price: i64,
}
codec_struct!(Held { qty, price });

/// What of an order is counted already.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Paid {
    /// For what was filled, at the average of it.
    average: i64,
    filled: i64,
    fees: i64,
}
codec_struct!(Paid { average, filled, fees });

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
    paid: BTreeMap<OrderId, Paid>,
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
            (Scope::Caller { name: one }, Owner::Caller { name }) => one == name,
            _ => false,
        };
        let gained = self.gained.iter().filter(|(owner, _)| own(owner));
        gained.fold(0, |sum: i64, (_, gain)| sum.saturating_add(*gain))
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
    let (price, mut gains) = (mark.mark.0.raw(), Vec::new());
    for (owner, held) in holders {
        let moved = if held.price == 0 { 0 } else { gain(terms, mark, *held, price) };
        held.price = price;
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
    let instrument = order.request.instrument.clone();
    let Some(terms) = state.instruments.get(&instrument) else { return };
    let mark = state.marks.get(&instrument).cloned();
    let before = money.paid.get(&shift.id).copied().unwrap_or_default();
    let now = paid(order, terms, mark.as_ref());
    let price = price_of(before, now, shift.filled);
    let mark = mark.unwrap_or_else(|| bare_mark(&instrument, price));
    let signed = match shift.side {
        Side::Buy => shift.filled,
        Side::Sell => shift.filled.saturating_neg(),
    };
    let fees = now.fees.saturating_sub(before.fees);
    let at = mark.mark.0.raw();
    let moved = gain(terms, &mark, Held { qty: signed, price }, at).saturating_sub(fees);
    let account = Owner::Account { venue: instrument.venue.clone(), name: order.account.clone() };
    let caller = order.caller.clone().map(|name| Owner::Caller { name });
    let over = !order.is_open() && !order.lacks_trades();
    let money = &mut state.breakers.money;
    match over {
        true => drop(money.paid.remove(&shift.id)),
        false => drop(money.paid.insert(shift.id, now)),
    }
    for owner in [Some(account), caller].into_iter().flatten() {
        hold(&mut state.breakers.money, &instrument, &owner, signed, at);
        earn(state, &owner, moved);
    }
}

/// A position is the venue's from now on: what it differed by came at the mark.
pub(crate) fn corrected(
    state: &mut State,
    account: &AccountName,
    instrument: &InstrumentId,
    qty: SignedQty,
) {
    let price = state.marks.get(instrument).map_or(0, |mark| mark.mark.0.raw());
    let money = &mut state.breakers.money;
    if !money.on {
        return;
    }
    let owner = Owner::Account { venue: instrument.venue.clone(), name: account.clone() };
    let held = money.held.get(instrument).and_then(|of| of.get(&owner)).copied();
    let differs = qty.0.raw().saturating_sub(held.unwrap_or_default().qty);
    hold(money, instrument, &owner, differs, price);
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
        Owner::Caller { name } => Facet { caller: Some(name), ..Facet::default() },
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

/// What somebody gains, in dollars, when what it holds moves from its price to another one. Cut towards loss.
fn gain(terms: &Instrument, mark: &Mark, held: Held, to: i64) -> i64 {
    let (qty, from) = (i128::from(held.qty), i128::from(held.price));
    let moved = i128::from(to) - from;
    let dollars = match terms.unit {
        Unit::Linear => (qty * moved).div_euclid(ONE),
        // In coin it gains the difference of what its dollars buy; valued at the new price.
        Unit::Inverse if from > 0 => (qty * moved).div_euclid(from),
        Unit::Inverse => 0,
        Unit::CoinOption => (qty * moved)
            .div_euclid(ONE)
            .saturating_mul(i128::from(mark.index.0.raw()))
            .div_euclid(ONE),
    };
    cut(dollars).raw()
}

/// What of an order was filled at which average, and for which fees, as far as is told.
fn paid(order: &Order, terms: &Instrument, mark: Option<&Mark>) -> Paid {
    let filled = order.filled.0.raw();
    let whole = !order.trades.is_empty() && !order.lacks_trades();
    let average = if whole {
        let sums = order.trades.values().fold((0_i128, 0_i128), |(worth, qty), trade| {
            let more = i128::from(trade.qty.0.raw());
            (worth + more * i128::from(trade.price.0.raw()), qty + more)
        });
        sums.0.checked_div(sums.1).map(|average| cut(average).raw())
    } else {
        None
    };
    let told = order.average.or(order.request.price).or(mark.map(|mark| mark.mark));
    let average = average.or(told.map(|price| price.0.raw())).unwrap_or(0);
    let fee = |sum: i64, trade: &crate::orders::Trade| {
        sum.saturating_add(fee_in_dollars(trade.fee, trade.fee_currency.as_ref(), terms, mark))
    };
    Paid { average, filled, fees: order.trades.values().fold(0, fee) }
}

/// The price of what was filled since: what the averages before and after come to.
fn price_of(before: Paid, now: Paid, filled: i64) -> i64 {
    let sum = |paid: Paid| i128::from(paid.average) * i128::from(paid.filled);
    let known = now.filled.saturating_sub(before.filled) == filled && filled > 0;
    let price = (sum(now) - sum(before)).checked_div(i128::from(filled));
    match price {
        Some(price) if known && price > 0 => cut(price).raw(),
        _ => now.average,
    }
}

fn fee_in_dollars(
    fee: Decimal,
    currency: Option<&Currency>,
    terms: &Instrument,
    mark: Option<&Mark>,
) -> i64 {
    let raw = i128::from(fee.raw());
    match currency {
        Some(paid) if ["USD", "USDT", "USDC"].contains(&paid.as_str()) => fee.raw(),
        Some(paid) if *paid == terms.base => {
            let index = mark.map_or(0, |mark| i128::from(mark.index.0.raw()));
            cut((raw * index).div_euclid(ONE)).raw()
        }
        _ => 0,
    }
}

fn bare_mark(instrument: &InstrumentId, price: i64) -> Mark {
    let price = tidegate_types::instrument::Price(Decimal::from_raw(price));
    Mark { instrument: instrument.clone(), mark: price, index: price, at: Time::default() }
}

//! What accounts and callers gained and lost: what they hold is valued at each mark, what they trade at the
//! price it traded at. Counted from the moment that a breaker or a policy's rule asks for it. Fees in dollars,
//! stablecoins and coins that have a price are taken off, and funding counts of accounts, where the venue tells it
//! by itself.
//!
//! What callers hold is what [`crate::attributed`] has.

use crate::breakers;
use crate::orders::Shift;
use crate::profit::won;
use crate::state::State;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{AccountName, CallerName, Currency, InstrumentId, OrderId, VenueName};
use tidegate_types::instrument::{Instrument, Mark, Price, SignedQty, Unit};
use tidegate_types::order::Side;
use tidegate_types::report::BalanceReport;
use tidegate_types::time::Time;
use tidegate_types::{codec_enum, codec_struct};

/// One in the steps of a decimal.
const ONE: i128 = 100_000_000;

/// Whose gain.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Owner {
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

/// Gains and losses, in dollars of 10⁻⁸, below zero for losses.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Gains {
    on: bool,
    held: BTreeMap<InstrumentId, BTreeMap<Owner, Held>>,
    gained: BTreeMap<Owner, i64>,
    /// The fees of orders that may still tell more of them.
    paid: BTreeMap<OrderId, i64>,
}
codec_struct!(Gains { on, held, gained, paid });

impl Gains {
    /// What those meant gained together since it is counted.
    pub(crate) fn of(&self, meant: impl Fn(&Owner) -> bool) -> i64 {
        let gained = self.gained.iter().filter(|(owner, _)| meant(owner));
        gained.fold(0, |sum: i64, (_, gain)| sum.saturating_add(*gain))
    }

    /// The callers that hold a part of an account's.
    fn callers(&self, instrument: &InstrumentId, account: &AccountName) -> BTreeSet<CallerName> {
        let holders = self.held.get(instrument).into_iter().flat_map(BTreeMap::keys);
        let callers = holders.filter_map(|owner| match owner {
            Owner::Caller { name, account: on } if on == account => Some(name.clone()),
            _ => None,
        });
        callers.collect()
    }

    /// What callers hold, as it is valued here.
    #[cfg(test)]
    pub(crate) fn parts(
        &self,
    ) -> impl Iterator<Item = ((&AccountName, &InstrumentId, &CallerName), i64)> {
        self.held.iter().flat_map(|(instrument, holders)| {
            holders.iter().filter_map(move |(owner, held)| match owner {
                Owner::Caller { name, account } => Some(((account, instrument, name), held.qty)),
                Owner::Account { .. } => None,
            })
        })
    }

    /// Whether it is counted.
    #[cfg(test)]
    pub(crate) fn are_counted(&self) -> bool {
        self.on
    }

    fn hold(&mut self, instrument: &InstrumentId, owner: &Owner, more: i64, price: i64) {
        let holders = self.held.entry(instrument.clone()).or_default();
        let held = holders.entry(owner.clone()).or_insert(Held { qty: 0, price });
        held.qty = held.qty.saturating_add(more);
        if held.price == 0 {
            held.price = price;
        }
        if held.qty == 0 {
            holders.remove(owner);
        }
        if holders.is_empty() {
            self.held.remove(instrument);
        }
    }
}

/// Counts from now on where something is held against it, of what is held from its mark on; forgets all where nothing
/// is any more.
pub(crate) fn count_where_due(state: &mut State) {
    let due = state.breakers.are_over_gains() || state.policies.are_over_gains();
    if due == state.gains.on {
        return;
    }
    state.gains = Gains { on: due, ..Gains::default() };
    if !due {
        return;
    }
    let State { gains, positions, attributed, marks, .. } = state;
    let price = |id| marks.get(id).map_or(0, |mark: &Mark| mark.mark.0.raw());
    for (name, id, SignedQty(qty)) in positions.iter() {
        let owner = Owner::Account { venue: id.venue.clone(), name: name.clone() };
        gains.hold(id, &owner, qty.raw(), price(id));
    }
    for (account, id, caller) in attributed.all() {
        let owner = Owner::Caller { name: caller.clone(), account: account.clone() };
        gains.hold(id, &owner, attributed.book(account, caller, id).position, price(id));
    }
}

/// A mark came: what is held gained or lost by it.
pub(crate) fn marked(state: &mut State, mark: &Mark) {
    let Some(holders) = state.gains.held.get_mut(&mark.instrument) else { return };
    let Some(terms) = state.instruments.get(&mark.instrument) else { return };
    let mut moves = Vec::new();
    for (owner, held) in holders {
        let from = Price(Decimal::from_raw(held.price));
        let moved = if held.price == 0 { 0 } else { gain(terms, mark, held.qty, from) };
        held.price = mark.mark.0.raw();
        moves.push((owner.clone(), moved));
    }
    let id = mark.instrument.clone();
    for (owner, moved) in moves.into_iter().filter(|(_, moved)| *moved != 0) {
        earn(state, &owner, Some(&id), moved);
    }
}

/// An order traded, and what callers hold is told.
pub(crate) fn traded(state: &mut State, shift: &Shift) {
    let gains = &state.gains;
    if !gains.on || (shift.filled == 0 && !gains.paid.contains_key(&shift.id)) {
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
    let before = gains.paid.get(&shift.id).copied().unwrap_or(0);
    let fees = order.trades.values().fold(0_i64, |sum, trade| {
        sum.saturating_add(in_dollars(state, trade.fee, trade.fee_currency.as_ref()))
    });
    let caller = order.caller.clone();
    let over = !order.is_open() && !order.lacks_trades();
    match over {
        true => drop(state.gains.paid.remove(&shift.id)),
        false => drop(state.gains.paid.insert(shift.id, fees)),
    }
    let fee = fees.saturating_sub(before);
    let whole = Owner::Account { venue: instrument.venue.clone(), name: account.clone() };
    took(state, &instrument, (&whole, signed), price, fee);
    // What no caller ordered costs no caller a fee.
    let rest_at = match caller {
        Some(name) => {
            let own = Owner::Caller { name, account: account.clone() };
            took(state, &instrument, (&own, signed), price, fee);
            None
        }
        None => price,
    };
    divided(state, &account, &instrument, rest_at);
}

/// A position is the venue's from now on: what it differed by came at this price, or at the mark.
pub(crate) fn corrected(
    state: &mut State,
    account: &AccountName,
    instrument: &InstrumentId,
    (qty, price): (SignedQty, Option<Price>),
) {
    if !state.gains.on {
        return;
    }
    let owner = Owner::Account { venue: instrument.venue.clone(), name: account.clone() };
    let held = state.gains.held.get(instrument).and_then(|of| of.get(&owner)).copied();
    let differs = qty.0.raw().saturating_sub(held.unwrap_or_default().qty);
    took(state, instrument, (&owner, differs), price, 0);
    divided(state, account, instrument, price);
}

/// Callers' parts changed by no trade of theirs: a halt closed all positions, or an instrument expired.
pub(crate) fn parted(state: &mut State) {
    if !state.gains.on {
        return;
    }
    let held = state.gains.held.iter().flat_map(|(instrument, holders)| {
        let accounts = holders.keys().filter_map(|owner| match owner {
            Owner::Caller { account, .. } => Some(account.clone()),
            Owner::Account { .. } => None,
        });
        accounts.map(|account| (account, instrument.clone()))
    });
    for (account, instrument) in held.collect::<BTreeSet<_>>() {
        divided(state, &account, &instrument, None);
    }
}

/// An account received funding, or paid it. No venue tells for which caller's position.
pub(crate) fn funded(state: &mut State, account: &AccountName, more: &BalanceReport) {
    let Some(venue) = state.accounts.get(account).map(|account| account.venue.clone()) else {
        return;
    };
    if state.gains.on {
        let moved = in_dollars(state, more.amount, Some(&more.asset));
        earn(state, &Owner::Account { venue, name: account.clone() }, None, moved);
    }
}

/// Each caller holds what it has of the account's from now on; what that differs by came at a price, or for nothing.
fn divided(
    state: &mut State,
    account: &AccountName,
    instrument: &InstrumentId,
    price: Option<Price>,
) {
    let mut callers = state.gains.callers(instrument, account);
    callers.extend(state.attributed.callers(account, instrument).cloned());
    for name in callers {
        let part = state.attributed.book(account, &name, instrument).position;
        let owner = Owner::Caller { name, account: account.clone() };
        let held = state.gains.held.get(instrument).and_then(|of| of.get(&owner)).copied();
        let differs = part.saturating_sub(held.unwrap_or_default().qty);
        if differs != 0 {
            took(state, instrument, (&owner, differs), price, 0);
        }
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
    state.gains.hold(instrument, owner, part, mark.mark.0.raw());
    earn(state, owner, Some(instrument), moved.saturating_sub(fee));
}

/// Adds to what somebody gained, on an instrument where it is known on which, with the points from where losses are
/// measured kept up.
fn earn(state: &mut State, owner: &Owner, on: Option<&InstrumentId>, moved: i64) {
    let places = breakers::before_gain(state, owner);
    state.stand_for_policies(owner);
    let gained = state.gains.gained.entry(owner.clone()).or_default();
    *gained = gained.saturating_add(moved);
    breakers::after_gain(state, places);
    state.stand_for_policies(owner);
    if let Some(id) = on {
        state.gain_for_policies(owner, id, moved);
    }
}

/// What somebody gains, in dollars, on what it holds since that was worth `from`. A stablecoin is a dollar.
fn gain(terms: &Instrument, mark: &Mark, qty: i64, from: Price) -> i64 {
    cut(won(terms, mark, qty, from))
}

/// An amount of a coin in dollars; none of a coin without a price.
fn in_dollars(state: &State, amount: Decimal, coin: Option<&Currency>) -> i64 {
    let Some(coin) = coin else { return 0 };
    if ["USD", "USDT", "USDC"].contains(&coin.as_str()) {
        return amount.raw();
    }
    let mark = state.coins.get(coin).and_then(|id| state.marks.get(id));
    let index = mark.map_or(0, |mark| i128::from(mark.index.0.raw()));
    cut((i128::from(amount.raw()) * index).div_euclid(ONE))
}

fn cut(raw: i128) -> i64 {
    i64::try_from(raw).unwrap_or(if raw < 0 { i64::MIN } else { i64::MAX })
}

fn bare_mark(instrument: &InstrumentId, price: Price) -> Mark {
    Mark { instrument: instrument.clone(), mark: price, index: price, at: Time::default() }
}

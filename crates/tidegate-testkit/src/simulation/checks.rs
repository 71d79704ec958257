//! What must hold: at the venue after every step, and of everything once it is quiet.

use super::operator::positions_are_closed;
use super::setup::{ACCOUNT_OPEN, CALLER_OPEN, ORDER, POSITION, SEATS};
use super::venue::{ACCOUNTS, VENUES, account_place, venue_of};
use super::world::{Asker, Simulation};
use std::collections::{BTreeMap, VecDeque};
use tidegate_core::orders::{Order as Known, Stage};
use tidegate_core::state::Flatten;
use tidegate_sim::engine::order::PostOnly as MakerOnly;
use tidegate_sim::engine::{Order, Unit};
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::Scope;
use tidegate_types::ids::AccountName;
use tidegate_types::order::{OrderType, PostOnly, Side};
use tidegate_types::time::{Span, Time};

/// Dollars and quantities are in 10⁻⁸.
const UNIT: i128 = 100_000_000;
/// How far back the mark may lie that an order at the venue was cleared by: it may have been stale,
/// the order may have waited for the journal, and the network may have held it back.
const MARK_AGE: Span = Span::from_secs(40);
/// Orders placed past the gateway so shortly before are no part of a proof.
const RACE: Span = Span::from_secs(30);
/// The longest any question may wait for its answer.
const ANSWER: Span = Span::from_secs(60);

/// What is remembered from step to step to see limits kept.
#[derive(Debug, Default)]
pub(super) struct Limits {
    marks: BTreeMap<String, VecDeque<(Time, i128)>>,
    /// The lowest that a unit of an option order was worth since it was first seen.
    options: BTreeMap<i64, i128>,
    /// The farthest that a position may come, by account, symbol and side.
    worst: BTreeMap<(usize, String, Side), i128>,
}

impl Limits {
    fn value(&mut self, symbol: &str, mark: Decimal, now: Time) {
        let marks = match self.marks.get_mut(symbol) {
            Some(marks) => marks,
            None => self.marks.entry(symbol.to_owned()).or_default(),
        };
        let mark = i128::from(mark.raw());
        if marks.back().is_none_or(|(_, last)| *last != mark) {
            marks.push_back((now, mark));
        }
        // The newest of the old ones was still in force then.
        while marks.get(1).is_some_and(|(at, _)| at.plus(MARK_AGE) < now) {
            marks.pop_front();
        }
    }

    /// What a unit of an order counts for, at least. An option is cleared by the index of that time,
    /// which is taken for the lowest since it was first seen.
    fn unit_value(&mut self, order: &Order, (symbol, unit): (&str, Unit)) -> i128 {
        match unit {
            Unit::Linear => i128::from(order.ask.price.unwrap_or_default().raw()),
            Unit::Inverse => UNIT,
            Unit::CoinOption => {
                let now = self.lowest(symbol);
                let seen = self.options.entry(order.id).or_insert(now);
                *seen = now.min(*seen);
                *seen
            }
        }
    }

    fn lowest(&self, symbol: &str) -> i128 {
        let marks = self.marks.get(symbol).into_iter().flatten();
        marks.map(|(_, mark)| *mark).min().unwrap_or(0)
    }
}

/// Whether an order may do the same here and there.
fn terms_agree(ours: &Known, order: &Order) -> bool {
    let post_only = match ours.request.post_only {
        PostOnly::No => MakerOnly::No,
        PostOnly::Slide => MakerOnly::Slide,
        PostOnly::Reject => MakerOnly::Reject,
    };
    // What a conditional order became waits for no trigger.
    let trigger = ours.request.trigger.as_ref().map(|trigger| trigger.price.0);
    let waits = order.ask.trigger.map(|trigger| trigger.price);
    ours.request.reduce_only == order.ask.reduce_only
        && post_only == order.ask.post_only
        && (waits.is_none() || trigger == waits)
        && (ours.request.reduce_only || !ours.reducing)
}

fn is_ours(order: &Order) -> bool {
    order.ask.client_id.starts_with("tg")
}

fn left(order: &Order) -> i128 {
    i128::from(order.left().raw())
}

impl Simulation {
    /// Something may have changed at the venue: what it says goes on its way, and what holds there
    /// is checked.
    pub(super) fn venue_moved(&mut self) {
        self.said();
        for (symbol, unit) in self.venue.units() {
            self.limits.value(symbol, unit, self.now);
        }
        let held = (0..ACCOUNTS.len()).try_for_each(|account| {
            self.open_within_limits(account)?;
            self.positions_within_limits(account)?;
            self.halts_hold(account)
        });
        self.hold(held);
    }

    /// What our orders that are open at the venue are worth at their own prices.
    fn open_within_limits(&mut self, account: usize) -> Result<(), String> {
        let Simulation { venue, limits, reference, .. } = self;
        let mut callers: BTreeMap<&str, i128> = BTreeMap::new();
        let mut sum = 0;
        for order in venue.open_orders(account).filter(|order| is_ours(order)) {
            let id = &*order.ask.client_id;
            let arrivals = venue.arrivals(id);
            if arrivals > 1 {
                return Err(format!("{id} arrived {arrivals} times"));
            }
            let owner = reference.owner(id).ok_or_else(|| format!("{id} is on no record"))?;
            let worth = left(order) * limits.unit_value(order, venue.market(order)) / UNIT;
            if order.ask.reduce_only {
                continue;
            }
            if worth > i128::from(ORDER) * UNIT {
                return Err(format!("{id} is worth {} dollars", worth / UNIT));
            }
            sum += worth;
            *callers.entry(owner.as_str()).or_default() += worth;
        }
        if sum > i128::from(ACCOUNT_OPEN) * UNIT {
            return Err(format!("{} dollars are open on account {account}", sum / UNIT));
        }
        match callers.into_iter().find(|(_, sum)| *sum > i128::from(CALLER_OPEN) * UNIT) {
            Some((caller, sum)) => Err(format!("{caller} has {} dollars open", sum / UNIT)),
            None => Ok(()),
        }
    }

    /// Where a position may come to with every order that is open at the venue. Others who trade on
    /// the account may move it anywhere, so this holds without them only.
    fn positions_within_limits(&mut self, account: usize) -> Result<(), String> {
        if self.profile.outsider_every.is_some() {
            return Ok(());
        }
        let mut worst: BTreeMap<(String, Side), i128> = BTreeMap::new();
        for (symbol, size) in self.venue.positions(account) {
            let size = i128::from(size.raw());
            worst.insert((symbol.clone(), Side::Buy), size);
            worst.insert((symbol, Side::Sell), -size);
        }
        for order in self.venue.open_orders(account).filter(|order| !order.ask.reduce_only) {
            let (symbol, _) = self.venue.market(order);
            *worst.entry((symbol.to_owned(), order.ask.side)).or_default() += left(order);
        }
        for ((symbol, side), quantity) in worst {
            let lowest = self.limits.lowest(&symbol);
            let key = (account, symbol, side);
            let before = self.limits.worst.insert(key.clone(), quantity).unwrap_or(0);
            let worth = quantity * lowest / UNIT;
            if quantity > before && worth > i128::from(POSITION) * UNIT {
                let (_, symbol, side) = key;
                let worth = worth / UNIT;
                let held = self.venue.positions(account);
                let open = self
                    .venue
                    .open_orders(account)
                    .map(|order| (order.ask.client_id.clone(), order.ask.side, order.left()));
                let open: Vec<_> = open.collect();
                return Err(format!(
                    "{symbol} may come to {worth} dollars by {side:?} orders: {held:?}, {open:?}"
                ));
            }
        }
        Ok(())
    }

    /// Nothing of ours is open under a halt that is proven, nor was when it was proven.
    fn halts_hold(&self, account: usize) -> Result<(), String> {
        let proven = self.reference.halts().iter().filter(|(_, halt)| halt.proven);
        for (scope, halt) in proven {
            for order in self.venue.open_orders(account) {
                let spared = halt.allow_reduce && order.ask.reduce_only;
                // The gateway's clock may be wrong by two seconds.
                let raced = !is_ours(order) && order.created.plus(RACE) > halt.since;
                if self.covers(scope, account, order) && !spared && !raced {
                    let id = &order.ask.client_id;
                    return Err(format!("{id} is open although {scope} is halted and proven"));
                }
            }
        }
        Ok(())
    }

    fn covers(&self, scope: &Scope, account: usize, order: &Order) -> bool {
        let (symbol, _) = self.venue.market(order);
        let ours = ACCOUNTS.get(account).map_or("", |(ours, ..)| ours);
        let at = VENUES.get(venue_of(account)).map_or("", |venue| venue.name());
        match scope {
            Scope::All | Scope::Desk { .. } => true,
            Scope::Venue { name } => name.as_str() == at,
            Scope::Account { name } => name.as_str() == ours,
            Scope::Caller { name } => self.reference.owner(&order.ask.client_id) == Some(name),
            Scope::Instrument { id } => id.name.as_str() == symbol && id.venue.as_str() == at,
            Scope::Order { id } => self.reference.is_order(*id, &order.ask.client_id),
        }
    }

    /// After a while in which nothing went wrong, everything is known and agrees.
    pub(super) fn check_quiet(&mut self) {
        let held = self.agrees();
        self.hold(held);
        self.check_journal();
        self.counts.add("quiet times");
    }

    fn agrees(&self) -> Result<(), String> {
        let gate = self.gate.as_ref().ok_or("the gateway is down on a quiet day")?;
        self.reference.equals(&gate.core)?;
        // A halt whose closing a later halt forbids is answered when that is lifted.
        let closing = gate.core.state().halts().values();
        let forbidden = closing.into_iter().any(|halt| halt.flatten == Some(Flatten::Closing));
        let waits = self.asked.iter().find(|(_, asked)| {
            let may_wait = match asked.by {
                Asker::LastHalt => true,
                Asker::Operator => forbidden,
                _ => false,
            };
            asked.at.plus(ANSWER) < self.now && !may_wait
        });
        if let Some((ticket, asked)) = waits {
            return Err(format!("{ticket} of {:?} is not answered", asked.by));
        }
        let state = gate.core.state();
        if gate.core.requests_in_flight() > 0 {
            return Err("requests are in flight on a quiet day".to_owned());
        }
        if let Some((scope, _)) = state.halts().iter().find(|(_, halt)| !halt.proven) {
            return Err(format!("the halt of {scope} is not proven on a quiet day"));
        }
        positions_are_closed(&gate.core)?;
        for (account, (name, ..)) in ACCOUNTS.iter().enumerate() {
            let name = AccountName::new(name).map_err(|_| "a bad account name".to_owned())?;
            if let Some(closed) = state.accounts().get(&name).filter(|known| !known.open) {
                return Err(format!("{name} is closed on a quiet day: {}", closed.why));
            }
            self.orders_agree(account, &name)?;
            self.positions_agree(account, &name)?;
            self.balances_agree(account, &name)?;
        }
        self.retries_made_one_order()?;
        self.gone
            .iter()
            .chain(&self.lapses)
            .try_for_each(|(seat, at)| self.left_nothing(*seat, *at))
    }

    /// A caller that left, and had asked for it, has none of the orders open that it had then.
    fn left_nothing(&self, seat: usize, at: Time) -> Result<(), String> {
        let Some((caller, name)) = SEATS.get(seat) else { return Ok(()) };
        let account = account_place(name);
        let mut open = self.venue.open_orders(account).filter(|order| {
            let owner = self.reference.owner(&order.ask.client_id);
            owner.is_some_and(|owner| owner.as_str() == *caller) && order.created < at
        });
        match open.next() {
            Some(order) => Err(format!("{} is open, and {caller} is gone", order.ask.client_id)),
            None => Ok(()),
        }
    }

    fn orders_agree(&self, account: usize, name: &AccountName) -> Result<(), String> {
        let Some(gate) = &self.gate else { return Ok(()) };
        let mut known: BTreeMap<String, &Known> = BTreeMap::new();
        for order in gate.core.state().orders().open_of(name) {
            if order.stage != Stage::Live || order.amend.is_some() {
                return Err(format!("{} is {:?} on a quiet day", order.id, order.stage));
            }
            let id = order.triggered_as.as_ref().or(order.venue_id.as_ref());
            let id = id.ok_or_else(|| format!("{} is live without an id", order.id))?;
            // Venues put words before an order's number.
            let number = id.as_str().rsplit('-').next().unwrap_or_default();
            known.insert(number.to_owned(), order);
        }
        for order in self.venue.open_orders(account) {
            let id = order.id.to_string();
            let Some(ours) = known.remove(&id) else {
                return Err(format!("{id} is open on {name}, and we do not know it"));
            };
            let price = ours.request.price.map(|price| price.0);
            // What such an order becomes has a price that the venue gave it.
            let order_type = ours.request.order_type;
            let priced_there = order_type.is_conditional() || order_type == OrderType::MarketLimit;
            let same = ours.request.qty.0 == order.ask.quantity
                && ours.filled.0 == order.filled
                && (price == order.ask.price || priced_there)
                && ours.request.side == order.ask.side
                && terms_agree(ours, order);
            if !same {
                return Err(format!("{id} on {name} is {order:?} there and {ours:?} here"));
            }
        }
        match known.pop_first() {
            Some((id, _)) => Err(format!("{id} is open on {name} here, and not there")),
            None => Ok(()),
        }
    }

    fn positions_agree(&self, account: usize, name: &AccountName) -> Result<(), String> {
        let Some(gate) = &self.gate else { return Ok(()) };
        let theirs: BTreeMap<String, Decimal> = self.venue.positions(account).into_iter().collect();
        let held = gate.core.state().positions().iter().filter(|(of, ..)| *of == name);
        let ours: BTreeMap<String, Decimal> =
            held.map(|(_, instrument, qty)| (instrument.name.to_string(), qty.0)).collect();
        if ours == theirs {
            return Ok(());
        }
        Err(format!("the positions of {name} are {theirs:?} there and {ours:?} here"))
    }

    fn balances_agree(&self, account: usize, name: &AccountName) -> Result<(), String> {
        let Some(gate) = &self.gate else { return Ok(()) };
        let theirs: BTreeMap<String, Decimal> = self.venue.balances(account).into_iter().collect();
        let held = gate.core.state().balances().of(name);
        let ours: BTreeMap<String, Decimal> =
            held.map(|(asset, held)| (asset.to_string(), held)).collect();
        if ours == theirs {
            return Ok(());
        }
        Err(format!("the balances of {name} are {theirs:?} there and {ours:?} here"))
    }

    /// After the halt of everything nothing is open, whoever placed it.
    pub(super) fn check_halted(&mut self) {
        let open = (0..ACCOUNTS.len()).flat_map(|account| self.venue.open_orders(account)).next();
        let held = match open {
            Some(order) => Err(format!("{} is open after the halt of everything", order.id)),
            None if self.counts.of("halts proven at the end") == 0 => {
                Err("the halt of everything is not proven".to_owned())
            }
            None => Ok(()),
        };
        self.hold(held);
        if let (Some((id, count)), true) = (self.venue.most_arrivals(), self.failure.is_none())
            && count > 1
        {
            self.fail(format!("{id} arrived {count} times"));
        }
    }
}

//! What is open, by account, instrument, side and price. What is in doubt counts as open, and so does
//! what a cancel is on its way for.

use super::reach::{anywhere, fires_above, price_of};
use crate::amends::nearer;
use crate::orders::{Order, Stage};
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::ids::{AccountName, InstrumentId, OrderId};
use tidegate_types::instrument::{Mark, Price};
use tidegate_types::order::{Side, TriggerBy};

/// Every open order that may trade with what comes. It follows from the table of orders.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Resting {
    sides: BTreeMap<AccountName, BTreeMap<InstrumentId, Sides>>,
    at: BTreeMap<OrderId, Place>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Sides {
    buys: Orders,
    sells: Orders,
}

/// The orders of one side: those in the market by price, and those that wait outside it by trigger.
#[derive(Debug, Default, PartialEq, Eq)]
struct Orders {
    open: BTreeSet<(Price, OrderId)>,
    waiting: BTreeSet<(Trigger, Price, OrderId)>,
}

/// Where an order stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// In the market, at this price.
    Open(Price),
    /// Outside of it until it fires, then at this price.
    Waiting(Trigger, Price),
}

/// When an order fires; in this order of fields, so that those that a price fires are beside each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Trigger {
    by: TriggerBy,
    above: bool,
    price: Price,
}

impl Sides {
    const fn of(&self, side: Side) -> &Orders {
        match side {
            Side::Buy => &self.buys,
            Side::Sell => &self.sells,
        }
    }

    const fn of_mut(&mut self, side: Side) -> &mut Orders {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }
}

impl Orders {
    fn insert(&mut self, id: OrderId, place: Place) {
        match place {
            Place::Open(price) => self.open.insert((price, id)),
            Place::Waiting(trigger, price) => self.waiting.insert((trigger, price, id)),
        };
    }

    fn remove(&mut self, id: OrderId, place: Place) {
        match place {
            Place::Open(price) => self.open.remove(&(price, id)),
            Place::Waiting(trigger, price) => self.waiting.remove(&(trigger, price, id)),
        };
    }

    /// Those whose trigger is passed by what is known of prices, so that the venue may have them in the market
    /// before it has told so.
    fn fired(&self, mark: &Mark) -> impl Iterator<Item = (Price, OrderId)> {
        let kinds = [TriggerBy::Mark, TriggerBy::Index, TriggerBy::Last];
        let ranges = kinds.into_iter().flat_map(|by| {
            let now = price_of(mark, by);
            let (least, most) = (anywhere(Side::Sell), anywhere(Side::Buy));
            let at = move |above, price| Trigger { by, above, price };
            [at(true, least)..=at(true, now), at(false, now)..=at(false, most)]
        });
        // A range that ends before it begins is a panic of the set's.
        ranges.filter(|range| !range.is_empty()).flat_map(|range| {
            let (first, last) = range.into_inner();
            let first = (first, anywhere(Side::Sell), OrderId(0));
            let last = (last, anywhere(Side::Buy), OrderId(u64::MAX));
            self.waiting.range(first..=last).map(|(_, price, id)| (*price, *id))
        })
    }
}

impl Resting {
    /// Takes an order as it is now.
    pub(crate) fn follow(&mut self, order: &Order) {
        let (before, now) = (self.at.get(&order.id).copied(), place(order));
        if before == now {
            return;
        }
        let Order { id, account, request, .. } = order;
        let of_account = self.sides.entry(account.clone()).or_default();
        let sides = of_account.entry(request.instrument.clone()).or_default();
        if let Some(place) = before {
            sides.of_mut(request.side).remove(*id, place);
        }
        if let Some(place) = now {
            sides.of_mut(request.side).insert(*id, place);
            self.at.insert(*id, place);
            return;
        }
        self.at.remove(id);
        if *sides == Sides::default() {
            of_account.remove(&request.instrument);
        }
        if of_account.is_empty() {
            self.sides.remove(account);
        }
    }

    /// The orders of an account that one of this side and reach would trade with, each with how far it is
    /// from being met first. Conditional ones count whose trigger the mark is past.
    pub(super) fn met(
        &self,
        account: &AccountName,
        instrument: &InstrumentId,
        (side, reach): (Side, Price),
        mark: Option<&Mark>,
    ) -> Vec<(i64, OrderId)> {
        let sides = self.sides.get(account).and_then(|all| all.get(instrument));
        let Some(sides) = sides else { return Vec::new() };
        let orders = sides.of(side.opposite());
        let fired = mark.into_iter().flat_map(|mark| orders.fired(mark));
        match side {
            Side::Buy => {
                let within = orders.open.range(..=(reach, OrderId(u64::MAX))).copied();
                let fired = fired.filter(|(price, _)| *price <= reach);
                within.chain(fired).map(|(price, id)| (price.0.raw(), id)).collect()
            }
            Side::Sell => {
                let within = orders.open.range((reach, OrderId(0))..).copied();
                let fired = fired.filter(|(price, _)| *price >= reach);
                within
                    .chain(fired)
                    .map(|(price, id)| (price.0.raw().saturating_neg(), id))
                    .collect()
            }
        }
    }
}

/// Where an order may trade with what comes: of an unanswered amend at the price that more reaches. A conditional
/// one is not in the market before it has triggered. Nobody here knows when last trades have one fire that the venue
/// tells to be waiting: it is nowhere then.
fn place(order: &Order) -> Option<Place> {
    if !order.is_open() {
        return None;
    }
    let (side, order_type) = (order.request.side, order.request.order_type);
    let price = match &order.amend {
        Some(amend) => nearer(side, order.request.price, amend.price),
        None => order.request.price,
    };
    let price = price.unwrap_or(anywhere(side));
    if !order_type.is_conditional() || order.triggered_as.is_some() {
        return Some(Place::Open(price));
    }
    let trigger = order.request.trigger.as_ref()?;
    if trigger.by == TriggerBy::Last && order.stage == Stage::Live {
        return None;
    }
    let above = fires_above(order_type, side);
    let amended = order.amend.as_ref().and_then(|amend| amend.trigger_price);
    let sooner = amended.map_or(trigger.price, |amended| match above {
        true => trigger.price.min(amended),
        false => trigger.price.max(amended),
    });
    Some(Place::Waiting(Trigger { by: trigger.by, above, price: sooner }, price))
}

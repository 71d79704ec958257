//! Callers: they place, change, cancel, repeat themselves, and leave without a word.

use super::broken::Broken;
use super::clients::speaks;
use super::rng::Rng;
use super::setup;
use super::venue::Terms;
use super::world::{Asker, Due, Simulation};
use tidegate_core::action::Answer;
use tidegate_core::event::Event;
use tidegate_types::ids::{CallerOrderId, InstrumentId, InstrumentName, OrderId, SessionId};
use tidegate_types::instrument::{Price, Qty};
use tidegate_types::order::{
    AmendOrder, CancelFilter, CancelOrder, Guard, GuardScope, Intent, NewOrder, OrderName,
    OrderType, PostOnly, Side, TimeInForce, Trigger, TriggerBy,
};
use tidegate_types::time::Span;

/// Orders a caller remembers.
const REMEMBERED: usize = 40;

/// One caller at one account.
#[derive(Debug)]
pub(super) struct Trader {
    seat: usize,
    rng: Rng,
    orders: Vec<Mine>,
    count: u64,
    /// Whether it wants its orders cancelled when it is gone.
    careful: bool,
    /// It places conditional orders near the mark above all.
    stops: bool,
    /// Its session, and whether the gateway has said that it is guarded.
    session: Option<(SessionId, bool)>,
}

/// An order as its caller knows it.
#[derive(Clone, Debug)]
struct Mine {
    order: NewOrder,
    own: Option<OrderId>,
}

impl Trader {
    pub(super) fn new(seat: usize, stops: bool, mut rng: Rng) -> Trader {
        // A client's sessions are the server's, and not here.
        let careful = rng.chance(500) && !speaks(seat);
        Trader { seat, rng, orders: Vec::new(), count: 0, careful, stops, session: None }
    }

    /// The gateway is gone: what was asked of it will not be answered, and sessions are over.
    /// Whether this one's was guarded.
    pub(super) fn forget(&mut self) -> bool {
        let from = self.orders.len().saturating_sub(REMEMBERED);
        self.orders.drain(..from);
        self.session.take().is_some_and(|(_, guarded)| guarded)
    }

    /// What it asks for next, and about which of its orders.
    fn wants(&mut self, terms: &[Terms]) -> Option<(Intent, Option<usize>)> {
        let back = usize::try_from(self.rng.below(12)).unwrap_or(0);
        // Mostly one of those it knows the gateway to have.
        let known = self.rng.chance(800);
        let orders = self.orders.iter().enumerate().rev();
        let mut orders = orders.filter(|(_, mine)| !known || mine.own.is_some());
        let (at, mine) = orders.nth(back).map(|(at, mine)| (at, mine.clone())).unzip();
        match (self.rng.below(100), mine) {
            (0..=14, Some(mine)) => Some((self.amend(&mine, terms)?, None)),
            (15..=34, Some(mine)) => {
                let order = self.name(&mine)?;
                let cancel = CancelOrder { order, instrument: Some(mine.order.instrument) };
                Some((Intent::Cancel { cancel }, None))
            }
            (35..=38, _) => {
                let filter = CancelFilter::default();
                Some((Intent::CancelMany { filter }, None))
            }
            // A client's repetitions are those of what was not answered.
            (39..=42, Some(mine)) if !speaks(self.seat) => {
                Some((Intent::New { order: mine.order }, at))
            }
            _ => {
                let order = self.order(terms)?;
                self.orders.push(Mine { order: order.clone(), own: None });
                Some((Intent::New { order }, Some(self.orders.len() - 1)))
            }
        }
    }

    fn name(&mut self, mine: &Mine) -> Option<OrderName> {
        match (mine.own, &mine.order.caller_id) {
            (Some(id), Some(_)) if !speaks(self.seat) && self.rng.chance(500) => {
                Some(OrderName::Own { id })
            }
            (_, Some(id)) => Some(OrderName::Caller { id: id.clone() }),
            (own, None) => own.map(|id| OrderName::Own { id }),
        }
    }

    fn amend(&mut self, mine: &Mine, terms: &[Terms]) -> Option<Intent> {
        let name = mine.order.instrument.name.as_str();
        let terms = terms.iter().find(|terms| terms.symbol == name)?;
        let percent = i64::try_from(self.rng.between(50, 150)).ok()?;
        let qty = terms.sized(mine.order.qty.0.raw() / 100 * percent);
        let (moved, moved_too) = (self.rng.between(990, 1010), self.rng.between(990, 1010));
        let move_by = |price: Price, per_mille: u64| {
            let per_mille = i64::try_from(per_mille).ok()?;
            Some(Price(terms.on_grid(price.0.raw() / 1000 * per_mille)))
        };
        // The first venue changes quantities and prices alone, and both at once.
        let second = setup::seat_venue(self.seat) == 1;
        if !second && mine.order.price.is_none() {
            return None;
        }
        let parts = if second { self.rng.below(64) } else { 3 };
        let trigger = mine.order.trigger.as_ref().filter(|_| parts & 4 != 0);
        let resting = !mine.order.order_type.is_conditional();
        Some(Intent::Amend {
            amend: AmendOrder {
                order: self.name(mine)?,
                instrument: Some(mine.order.instrument.clone()),
                side: Some(mine.order.side),
                qty: (parts & 1 != 0).then_some(Qty(qty)),
                price: mine.order.price.filter(|_| parts & 2 != 0).and_then(|p| move_by(p, moved)),
                trigger_price: trigger.and_then(|trigger| move_by(trigger.price, moved_too)),
                post_only: (resting && parts & 24 == 8).then(|| self.maker_only()),
                reduce_only: (parts & 48 == 32).then(|| self.rng.chance(500)),
                valid_until: None,
            },
        })
    }

    fn maker_only(&mut self) -> PostOnly {
        match self.rng.below(3) {
            0 => PostOnly::No,
            1 => PostOnly::Slide,
            _ => PostOnly::Reject,
        }
    }

    fn order(&mut self, terms: &[Terms]) -> Option<NewOrder> {
        let terms = self.rng.pick(terms)?;
        let mark = terms.mark;
        let worth = i128::from(self.rng.between(100, 70_000)) * 10_000_000_000_000_000;
        let qty = terms.sized(i64::try_from(worth / i128::from(terms.unit.raw().max(1))).ok()?);
        let side = if self.rng.chance(500) { Side::Buy } else { Side::Sell };
        // Most rest near the mark, so that prices come to them; some take.
        let off = i64::try_from(self.rng.between(0, 24)).ok()? - 5;
        let toward = if side == Side::Buy { -off } else { off };
        let price = terms.on_grid(mark.raw() / 1000 * (1000 + toward));
        self.count += 1;
        let second = setup::seat_venue(self.seat) == 1;
        let conditional = self.stops && self.rng.chance(600);
        let drawn = match (terms.option, conditional) {
            (true, _) => self.rng.below(30),
            (false, true) => self.rng.between(30, 40),
            (false, false) => self.rng.below(100),
        };
        let (order_type, time_in_force, post_only) = match drawn {
            0..=4 if second => (OrderType::Limit, TimeInForce::GoodTilCancelled, PostOnly::Slide),
            23..=26 if second => {
                (OrderType::MarketLimit, TimeInForce::GoodTilCancelled, PostOnly::No)
            }
            0..=9 => (OrderType::Limit, TimeInForce::GoodTilCancelled, PostOnly::Reject),
            10..=19 => (OrderType::Limit, TimeInForce::ImmediateOrCancel, PostOnly::No),
            20..=22 => (OrderType::Limit, TimeInForce::FillOrKill, PostOnly::No),
            23..=29 => (OrderType::Market, TimeInForce::GoodTilCancelled, PostOnly::No),
            30..=33 => (OrderType::StopMarket, TimeInForce::GoodTilCancelled, PostOnly::No),
            38..=40 => (OrderType::StopLimit, TimeInForce::GoodTilCancelled, PostOnly::No),
            34..=37 => (OrderType::TakeLimit, TimeInForce::GoodTilCancelled, PostOnly::No),
            _ => (OrderType::Limit, TimeInForce::GoodTilCancelled, PostOnly::No),
        };
        let far = if conditional { 1 } else { 4 };
        let near = i64::try_from(self.rng.between(0, 2 * far)).ok()? - i64::try_from(far).ok()?;
        let trigger = order_type.is_conditional().then(|| Trigger {
            price: Price(terms.on_grid(mark.raw() / 1000 * (1000 + near))),
            by: if second && near % 2 == 0 { TriggerBy::Index } else { TriggerBy::Mark },
        });
        Some(NewOrder {
            instrument: InstrumentId {
                venue: setup::venue(setup::seat_venue(self.seat)).ok()?,
                name: InstrumentName::new(&terms.symbol).ok()?,
            },
            side,
            order_type,
            qty: Qty(qty),
            price: order_type.has_price().then_some(Price(price)),
            trigger,
            time_in_force,
            post_only,
            reduce_only: self.rng.chance(if conditional { 500 } else { 100 }),
            self_trade: None,
            caller_id: CallerOrderId::new(&format!("c{}-{}", self.seat, self.count)).ok(),
            valid_until: None,
            full_answer: self.rng.chance(500),
        })
    }
}

impl Simulation {
    /// A caller's turn.
    pub(super) fn caller(&mut self, at: usize) {
        let pace = self.profile.pace;
        let Some(trader) = self.traders.get_mut(at) else { return };
        let wait = trader.rng.around(pace);
        self.queue.push(self.now.plus(wait.max(Span::from_millis(1))), Due::Caller(at));
        if self.quiet || self.gate.is_none() {
            return;
        }
        let terms = self.venue.terms(setup::seat_venue(at));
        let (drawn, careful, session) = (trader.rng.below(1000), trader.careful, trader.session);
        let over = session.filter(|(_, guarded)| *guarded).map(|(session, _)| session);
        match (careful, session) {
            (true, None) => return self.comes(at),
            // It trades once it knows that the gateway will clear up behind it.
            (true, Some((_, false))) => return,
            (true, Some(_)) if drawn < 15 => return self.leaves(at),
            (false, _) if drawn < 10 => return self.counts_down(at),
            _ => {}
        }
        let Some(trader) = self.traders.get_mut(at) else { return };
        if speaks(at) && drawn >= 900 {
            return self.client_reads(at);
        }
        let Some((intent, order)) = trader.wants(&terms) else { return };
        let Ok(who) = setup::who(at) else { return };
        self.counts.add(match &intent {
            Intent::New { .. } => "orders asked for",
            Intent::Amend { .. } => "amends asked for",
            Intent::Cancel { .. } => "cancels asked for",
            Intent::CancelMany { .. } => "mass cancels asked for",
            Intent::Set { .. } | Intent::Guard { .. } => "other requests",
        });
        if speaks(at) {
            return self.client_wants(at, intent, order);
        }
        let ticket = self.ticket(Asker::Trader { trader: at, order });
        self.give(Event::Submit { ticket, who, session: over, intent });
    }

    /// A caller opens a session and asks for its orders to be cancelled when that ends.
    fn comes(&mut self, at: usize) {
        let session = SessionId(self.number());
        let Some(trader) = self.traders.get_mut(at) else { return };
        trader.session = Some((session, false));
        let guard = Guard::Disconnect { scope: GuardScope::Session, on: true };
        let ticket = self.ticket(Asker::Guarded { trader: at, session });
        let Ok(who) = setup::who(at) else { return };
        let intent = Intent::Guard { guard };
        self.give(Event::Submit { ticket, who, session: Some(session), intent });
    }

    /// A caller's session breaks.
    fn leaves(&mut self, at: usize) {
        let Some(trader) = self.traders.get_mut(at) else { return };
        if let Some((session, _)) = trader.session.take() {
            self.counts.add("sessions lost");
            self.gone.insert(at, self.now);
            if self.broken(Broken::ForgetsSessions) {
                return;
            }
            self.give(Event::Disconnected { session, lost: true });
        }
    }

    /// A caller sets its dead-man timer, and forgets about it.
    fn counts_down(&mut self, at: usize) {
        let after = self.rng.millis(10_000, 60_000);
        // The gateway's clock may jump in between.
        let until = self.now.plus(after).minus(Span::from_secs(6));
        self.lapses.remove(&at);
        self.counts.add("dead-man timers");
        let guard = Guard::Countdown { instrument: None, after: Some(after) };
        let ticket = self.ticket(Asker::Countdown { trader: at, until });
        let Ok(who) = setup::who(at) else { return };
        let intent = Intent::Guard { guard };
        self.give(Event::Submit { ticket, who, session: None, intent });
    }

    /// The gateway's word on a session's guard.
    pub(super) fn guarded(&mut self, at: usize, session: SessionId, answer: &Answer) {
        let Some(trader) = self.traders.get_mut(at) else { return };
        if trader.session == Some((session, false)) {
            trader.session = matches!(answer, Answer::Done).then_some((session, true));
        }
    }

    /// A client heard of the order at this place of its list.
    pub(super) fn client_knows(&mut self, at: usize, order: Option<usize>) {
        let orders = self.traders.get_mut(at).map(|trader| &mut trader.orders);
        if let (Some(orders), Some(place)) = (orders, order)
            && let Some(mine) = orders.get_mut(place)
        {
            mine.own = Some(OrderId(0));
        }
    }

    /// Whether the order that a caller names waits for a trigger, as far as the caller knows.
    pub(super) fn trader_waits(&self, at: usize, name: &OrderName) -> bool {
        let OrderName::Caller { id } = name else { return false };
        let orders = self.traders.get(at).map(|trader| trader.orders.as_slice());
        let mut named = orders.unwrap_or_default().iter().rev();
        let found = named.find(|mine| mine.order.caller_id.as_ref() == Some(id));
        found.is_some_and(|mine| mine.order.order_type.is_conditional())
    }

    pub(super) fn trader_hears(&mut self, at: usize, order: Option<usize>, answer: &Answer) {
        let Some(trader) = self.traders.get_mut(at) else { return };
        let mine = order.and_then(|place| trader.orders.get_mut(place));
        match answer {
            Answer::Venue { order: id, placed, .. } => {
                self.counts.add("answers of the venue");
                let lost = *placed && trader.rng.chance(50);
                if let (true, Some(order)) = (lost, *id) {
                    self.counts.add("answers that found nobody");
                    return self.give(Event::Unheard { order });
                }
                if let Some(mine) = mine {
                    mine.own = mine.own.or(*id);
                }
            }
            Answer::Refused { .. } => self.counts.add("refusals"),
            Answer::Cancelled { .. } => self.counts.add("mass cancels done"),
            Answer::Done | Answer::Halted { .. } | Answer::Flattened { .. } => {}
            Answer::Pending { .. } | Answer::Denied { .. } => {
                self.fail(format!("a caller is answered like an administrator: {answer:?}"));
            }
        }
    }
}

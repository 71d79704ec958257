//! A small exchange to test against: it knows nothing of the core.

use std::collections::BTreeMap;
use tidegate_types::call::{CallBody, OrderRef};
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{ClientId, InstrumentId, TradeId, VenueOrderId};
use tidegate_types::instrument::{Price, Qty, SignedQty};
use tidegate_types::order::{OrderType, PostOnly, Side, TimeInForce};
use tidegate_types::report::{
    AccountEvent, AccountSnapshot, BalanceReport, FillReport, OrderReport, Outcome, PositionReport,
    Settlement, VenueState,
};
use tidegate_types::time::{Span, Time};
use tidegate_types::venue_margin::VenueMargin;

#[derive(Debug, Default)]
pub(super) struct Venue {
    pub(super) orders: BTreeMap<u64, OrderReport>,
    pub(super) positions: BTreeMap<InstrumentId, i64>,
    pub(super) balances: Vec<BalanceReport>,
    /// What it says of the margin.
    pub(super) margins: Vec<VenueMargin>,
    /// The settlements that positions were held over.
    pub(super) settlements: Vec<Settlement>,
    pub(super) arrivals: BTreeMap<ClientId, u32>,
    /// What the private stream has to tell.
    pub(super) stream: Vec<AccountEvent>,
    /// It refuses the next order.
    pub(super) refuse: bool,
    /// It ignores cancels (they are accepted, nothing happens), so many times.
    pub(super) deaf: u32,
    /// How much of an immediate order finds somebody to trade with; everything if none is said.
    pub(super) depth: Option<i64>,
    /// When it cancels every order of an instrument.
    pub(super) dead_man: BTreeMap<InstrumentId, Time>,
    /// Every trade there was; none of before a while is told any more.
    pub(super) traded: Vec<FillReport>,
    /// It does not tell its trades.
    pub(super) mute: bool,
    /// What its clock shows.
    pub(super) now: Time,
    clock: u64,
    trades: u64,
}

impl Venue {
    pub(super) fn open(&self) -> impl Iterator<Item = (&u64, &OrderReport)> {
        self.orders.iter().filter(|(_, order)| order.state.is_live())
    }

    pub(super) fn position(&self, instrument: &InstrumentId) -> SignedQty {
        SignedQty(Decimal::from_raw(self.positions.get(instrument).copied().unwrap_or(0)))
    }

    /// What the venue makes of a call that arrives now.
    pub(super) fn arrive(&mut self, body: &CallBody, now: Time) -> Outcome {
        match body {
            CallBody::Place { order, client_id, deadline } => {
                *self.arrivals.entry(client_id.clone()).or_default() += 1;
                if now > *deadline || std::mem::take(&mut self.refuse) {
                    return refused(false);
                }
                let at = self.tick();
                let id = self.place(order.instrument.clone(), order.side, order.qty, order.price);
                let report = self.orders.get_mut(&id).unwrap();
                report.client_id = Some(client_id.clone());
                report.order_type = order.order_type;
                report.trigger_price = order.trigger.as_ref().map(|trigger| trigger.price);
                report.post_only = Some(order.post_only);
                report.reduce_only = Some(order.reduce_only);
                report.at = at;
                if order.time_in_force == TimeInForce::ImmediateOrCancel {
                    self.trade_at_once(id);
                }
                let report = self.orders[&id].clone();
                self.stream.push(AccountEvent::Order { report: report.clone() });
                Outcome::Accepted { report, fills: Vec::new() }
            }
            CallBody::Amend {
                order,
                side: _,
                qty,
                price,
                trigger_price,
                post_only,
                reduce_only,
                deadline,
            } => {
                let at = self.tick();
                let Some(found) = self.find(order).filter(|_| now <= *deadline) else {
                    return refused(true);
                };
                if *qty <= found.filled {
                    return refused(false);
                }
                (found.qty, found.at) = (*qty, at);
                found.price = *price;
                found.trigger_price = *trigger_price;
                found.post_only = post_only.or(found.post_only);
                found.reduce_only = reduce_only.or(found.reduce_only);
                let report = found.clone();
                self.stream.push(AccountEvent::Order { report: report.clone() });
                Outcome::Accepted { report, fills: Vec::new() }
            }
            CallBody::Cancel { order } => {
                let at = self.tick();
                if self.deaf > 0 {
                    self.deaf -= 1;
                    return Outcome::Unknown { why: "deaf".to_owned() };
                }
                let Some(found) = self.find(order) else { return refused(true) };
                (found.state, found.at) = (VenueState::Cancelled, at);
                let report = found.clone();
                self.stream.push(AccountEvent::Order { report: report.clone() });
                Outcome::Accepted { report, fills: Vec::new() }
            }
            CallBody::QueryOrder { order } => {
                let found = self.orders.values().find(|report| meant(order, report));
                found
                    .cloned()
                    .map_or(refused(true), |report| Outcome::Accepted { report, fills: Vec::new() })
            }
            CallBody::DeadMan { instrument, after } => {
                if *after == Span::ZERO {
                    self.dead_man.remove(instrument);
                } else {
                    self.dead_man.insert(instrument.clone(), now.plus(*after));
                }
                Outcome::Done
            }
            _ => Outcome::Done,
        }
    }

    /// Trades what it can of an immediate order.
    fn trade_at_once(&mut self, id: u64) {
        self.fill(id, self.depth.unwrap_or(i64::MAX));
        let order = self.orders.get_mut(&id).unwrap();
        if order.state.is_live() {
            order.state = VenueState::Cancelled;
        }
    }

    /// Cancels what the dead-man timers are for that have lapsed; whether there were any.
    pub(super) fn lapse(&mut self, now: Time) -> bool {
        let due = |(of, at): (&InstrumentId, &Time)| (*at <= now).then(|| of.clone());
        let lapsed: Vec<InstrumentId> = self.dead_man.iter().filter_map(due).collect();
        for instrument in &lapsed {
            self.dead_man.remove(instrument);
            let live = |o: &&mut OrderReport| o.state.is_live() && o.instrument == *instrument;
            for order in self.orders.values_mut().filter(live) {
                order.state = VenueState::Cancelled;
            }
        }
        !lapsed.is_empty()
    }

    /// Somebody else places an order by hand.
    pub(super) fn place(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        qty: Qty,
        price: Option<Price>,
    ) -> u64 {
        let at = self.tick();
        let id = self.orders.len() as u64 + 1;
        let report = OrderReport {
            instrument,
            client_id: None,
            venue_id: VenueOrderId::new(&format!("v{id}")).unwrap(),
            triggered_as: None,
            side,
            order_type: OrderType::Limit,
            state: VenueState::Open,
            qty,
            filled: Qty::default(),
            price,
            average: None,
            trigger_price: None,
            post_only: Some(PostOnly::No),
            reduce_only: Some(false),
            at,
        };
        self.orders.insert(id, report);
        id
    }

    /// Trades a part of an order, of a reduce-only one no more than there is to reduce; the stream tells it twice
    /// over.
    pub(super) fn fill(&mut self, id: u64, qty: i64) {
        let at = self.tick();
        self.trades += 1;
        let trade_id = TradeId::new(&format!("t{}", self.trades)).unwrap();
        let Some(order) = self.orders.get_mut(&id).filter(|o| o.state.is_live()) else { return };
        let held = self.positions.get(&order.instrument).copied().unwrap_or_default();
        let most = match order.side {
            _ if order.reduce_only != Some(true) => i64::MAX,
            Side::Buy => (-held).max(0),
            Side::Sell => held.max(0),
        };
        let qty = qty.min(order.qty.0.raw() - order.filled.0.raw()).min(most);
        if most == 0 {
            return;
        }
        order.filled = Qty(Decimal::from_raw(order.filled.0.raw() + qty));
        order.at = at;
        if order.filled == order.qty {
            order.state = VenueState::Filled;
        }
        let signed = if order.side == Side::Buy { qty } else { -qty };
        *self.positions.entry(order.instrument.clone()).or_default() += signed;
        let fill = FillReport {
            instrument: order.instrument.clone(),
            trade_id,
            client_id: order.client_id.clone(),
            venue_id: order.venue_id.clone(),
            side: order.side,
            qty: Qty(Decimal::from_raw(qty)),
            price: order.price.unwrap_or_default(),
            fee: Decimal::ZERO,
            fee_currency: None,
            maker: true,
            at,
        };
        let report = order.clone();
        self.traded.push(fill.clone());
        self.stream.push(AccountEvent::Fill { fill });
        self.stream.push(AccountEvent::Order { report });
    }

    /// The client ids of the orders that only reduce, ended ones too.
    pub(super) fn reduce_only(&self) -> impl Iterator<Item = Option<ClientId>> {
        let reduce = self.orders.values().filter(|order| order.reduce_only == Some(true));
        reduce.map(|order| order.client_id.clone())
    }

    /// Every trade there was.
    pub(super) fn traded(&self) -> &[FillReport] {
        &self.traded
    }

    /// The trades of an instrument since then, a few at a time and without the orders' client ids.
    pub(super) fn trades(
        &self,
        instrument: &InstrumentId,
        since: Time,
    ) -> Result<Vec<FillReport>, String> {
        if self.mute {
            return Err("503".to_owned());
        }
        let of = |t: &&FillReport| t.instrument == *instrument && t.at >= since;
        let told = self.traded.iter().filter(of).take(2).cloned();
        Ok(told.map(|fill| FillReport { client_id: None, ..fill }).collect())
    }

    pub(super) fn snapshot(&self) -> AccountSnapshot {
        let held = self.positions.iter().filter(|(_, qty)| **qty != 0);
        AccountSnapshot {
            orders: self.open().map(|(_, order)| order.clone()).collect(),
            positions: held
                .map(|(instrument, _)| PositionReport {
                    instrument: instrument.clone(),
                    qty: self.position(instrument),
                    entry: None,
                })
                .collect(),
            balances: self.balances.clone(),
            margins: self.margins.clone(),
            settlements: self.settlements.clone(),
        }
    }

    fn find(&mut self, order: &OrderRef) -> Option<&mut OrderReport> {
        self.orders.values_mut().find(|report| report.state.is_live() && meant(order, report))
    }

    /// A moment on its clock, after all that were.
    pub(super) fn tick(&mut self) -> Time {
        self.clock = self.now.micros().max(self.clock + 1);
        Time::from_micros(self.clock)
    }
}

fn meant(order: &OrderRef, report: &OrderReport) -> bool {
    order.venue_id.as_ref() == Some(&report.venue_id)
        || (order.client_id.is_some() && order.client_id == report.client_id)
}

fn refused(no_such_order: bool) -> Outcome {
    Outcome::Rejected { code: -1, message: "no".to_owned(), no_such_order }
}

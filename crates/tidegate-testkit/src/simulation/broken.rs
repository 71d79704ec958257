//! Gateways that are broken on purpose, each in one way: so that every check is seen to fail.

use super::world::Simulation;
use tidegate_core::event::Event;
use tidegate_types::call::{Call, CallBody, CallClass, WireRequest};
use tidegate_types::ids::{AccountName, CallId};
use tidegate_types::record::Body;
use tidegate_types::report::{AccountSnapshot, OrderReport, Outcome, VenueState};

/// What a gateway does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// It sends what it has signed, whether the record is on disk or not.
    SendsEarly,
    /// It sends an order again that was not answered.
    SendsTwice,
    /// Its transport repeats a request whose connection broke, and nobody is told.
    RepeatsRequests,
    /// It knows of limits that are a hundred times as wide.
    ForgetsLimits,
    /// Under a halt it takes cancels for done, and orders for gone.
    SkipsCancels,
    /// What its disk has said to keep is lost in a crash.
    LosesRecords,
    /// A start passes over what the private streams told.
    ReplaysWrongly,
    /// It reads snapshots without their positions.
    IgnoresPositions,
    /// It reads snapshots without their balances.
    IgnoresBalances,
    /// It takes each snapshot for the answer to the question after.
    TakesOldAnswers,
    /// It takes the trades of a gap for read, and asks nobody.
    ReadsNoTrades,
    /// It reads snapshots without their orders, and its private streams not at all.
    IgnoresOrders,
    /// Somebody changes its journal behind its back.
    TampersWithJournal,
    /// It leaves questions unanswered.
    LeavesUnanswered,
    /// It does not notice that sessions end.
    ForgetsSessions,
    /// It shows its callers what the venue says as it is.
    ShowsRowsOfOthers,
    /// It forgets which requests it has taken.
    TakesReplays,
    /// It asks the signer under numbers that do not grow.
    SignsBackwards,
    /// What waits for a connection leaves, whatever has come since.
    CallsNothingBack,
}

impl Broken {
    /// Each, and what the check says that finds it.
    pub const ALL: [(Broken, &str); 19] = [
        (Broken::SendsEarly, "is on disk"),
        (Broken::SendsTwice, "leaves a second time"),
        (Broken::RepeatsRequests, "arrived 2 times"),
        (Broken::ForgetsLimits, "dollars"),
        (Broken::SkipsCancels, "halted and proven"),
        (Broken::LosesRecords, "are left"),
        (Broken::ReplaysWrongly, "not the fold of the records"),
        (Broken::IgnoresPositions, "the positions of"),
        (Broken::IgnoresBalances, "the balances of"),
        (Broken::TakesOldAnswers, "before its stream came"),
        (Broken::ReadsNoTrades, "nobody read the trades"),
        (Broken::IgnoresOrders, "quiet day"),
        (Broken::TampersWithJournal, "verif"),
        (Broken::LeavesUnanswered, "is not answered"),
        (Broken::ForgetsSessions, "is gone"),
        (Broken::ShowsRowsOfOthers, "reads an"),
        (Broken::TakesReplays, "is taken twice"),
        (Broken::SignsBackwards, "not above the last one"),
        (Broken::CallsNothingBack, "which was pulled before it left"),
    ];
}

impl Simulation {
    /// Whether the gateway is broken in this way.
    pub(super) fn broken(&self, how: Broken) -> bool {
        self.broken == Some(how)
    }

    /// Whether a cancel is only said to be done.
    pub(super) fn skips(&self, body: &CallBody) -> bool {
        let halted = !self.reference.halts().is_empty();
        self.broken(Broken::SkipsCancels) && halted && body.class() == CallClass::Cancel
    }

    /// A cancel that is not sent, and said to have ended its order.
    pub(super) fn pretend(&mut self, call: CallId, body: &CallBody) {
        let ended = |report| Outcome::Accepted { report, fills: Vec::new() };
        let outcome = self.ended(body).map_or(Outcome::Done, ended);
        self.give(Event::Sent { call });
        self.give(Event::Replied { call, outcome, reply: None });
    }

    fn ended(&self, body: &CallBody) -> Option<OrderReport> {
        let CallBody::Cancel { order } = body else { return None };
        let orders = self.gate.as_ref()?.core.state().orders();
        let known = orders.by_client(order.client_id.as_ref()?)?;
        let request = &known.request;
        Some(OrderReport {
            instrument: request.instrument.clone(),
            client_id: known.client_id.clone(),
            venue_id: known.venue_id.clone()?,
            triggered_as: known.triggered_as.clone(),
            side: request.side,
            order_type: request.order_type,
            state: VenueState::Cancelled,
            qty: request.qty,
            filled: known.filled,
            price: request.price,
            average: known.average,
            trigger_price: request.trigger.as_ref().map(|trigger| trigger.price),
            post_only: None,
            reduce_only: None,
            at: known.told,
        })
    }

    /// What a broken gateway reads in a snapshot.
    pub(super) fn misread(&self, snapshot: &mut AccountSnapshot) {
        match self.broken {
            Some(Broken::IgnoresPositions) => snapshot.positions.clear(),
            Some(Broken::IgnoresBalances) => snapshot.balances.clear(),
            Some(Broken::IgnoresOrders) => snapshot.orders.clear(),
            Some(Broken::SkipsCancels) if !self.reference.halts().is_empty() => {
                snapshot.orders.clear();
            }
            _ => {}
        }
    }

    /// Whether a start passes over a record.
    pub(super) fn passes_over(broken: Option<Broken>, body: &Body) -> bool {
        broken == Some(Broken::ReplaysWrongly) && matches!(body, Body::Streamed { .. })
    }

    /// The request of an order that was not answered, worded anew, for a gateway that sends it again.
    pub(super) fn again_for(
        &mut self,
        id: CallId,
        account: &AccountName,
        body: &CallBody,
    ) -> Option<WireRequest> {
        if body.class() != CallClass::New {
            return None;
        }
        self.build(&Call { id, account: account.clone(), body: body.clone() }).ok()
    }
}

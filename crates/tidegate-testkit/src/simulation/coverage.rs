//! Which rows of the order table were hit, seen from outside: where an order stood before a record,
//! and what the record says was heard of it.

use std::collections::BTreeMap;
use tidegate_core::orders::Stage;
use tidegate_core::state::State;
use tidegate_types::ids::{AccountName, CallId, InstrumentId, OrderId, VenueOrderId};
use tidegate_types::record::{Body, Record};
use tidegate_types::report::{AccountEvent, OrderReport, Outcome, VenueState};

/// What an order's stage may be.
pub const STAGES: [&str; 10] = [
    "Pending",
    "Sent",
    "Unknown",
    "Live",
    "Filled",
    "Cancelled",
    "Rejected",
    "NotSent",
    "NeverArrived",
    "Gone",
];

/// What may be heard.
pub const HEARD: [&str; 10] = [
    "Left",
    "DidNotLeave",
    "NoWord",
    "Refused",
    "NotThere",
    "Untriggered",
    "Open",
    "Filled",
    "Cancelled",
    "Rejected",
];

/// Why an order that stood so cannot hear that; `None` for what it may hear. A run in which it does
/// fails.
pub fn unreachable(stage: &str, heard: &str) -> Option<&'static str> {
    match (stage, heard) {
        ("Pending", "Left" | "DidNotLeave" | "NoWord") => None,
        ("Pending", _) => Some(
            "a request is noted as sent before its first byte leaves; what the gateway before \
                  this one sent is Unknown",
        ),
        (_, "Left" | "DidNotLeave") => Some("each is told once, first, and never both"),
        ("Gone", _) => Some("what was live is remembered for longer than it takes to ask"),
        ("NotSent", _) => Some("what did not leave is not there, and nobody asks for it"),
        // Asked after twice: for itself, and because its caller sent it again.
        ("NeverArrived", "NotThere") => None,
        ("NeverArrived", _) => {
            Some("an order counts as never arrived only after the exchange must refuse it")
        }
        ("Sent", "Refused") => None,
        (_, "Refused") => {
            Some("a refusal answers the placement, and an answer after its time is not taken")
        }
        ("Unknown", "NotThere") => None,
        (_, "NotThere") => Some(
            "it counts of an order in doubt alone, and what was live is remembered for longer \
                  than it takes to ask",
        ),
        ("Filled" | "Cancelled", "Rejected") => Some("an order ends once at the exchange"),
        ("Rejected", "Open" | "Filled" | "Cancelled") => {
            Some("an order that was refused, or refused as it triggered, trades no more")
        }
        _ => None,
    }
}

/// What a call is about.
#[derive(Clone, Copy, Debug)]
enum About {
    Place(OrderId),
    Amend(OrderId),
    Cancel(OrderId),
}

/// How often each row was hit.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    rows: BTreeMap<(&'static str, &'static str), u64>,
    calls: BTreeMap<CallId, About>,
    /// A row that was hit and cannot be.
    wrong: Option<String>,
}

impl Coverage {
    /// Takes note of a record before it is folded in.
    pub fn note(&mut self, state: &State, record: &Record) {
        match &record.body {
            Body::Started { .. } => {
                state.orders().open().for_each(|order| self.hit(order.stage, "NoWord"));
            }
            Body::Cleared { order, call, .. } | Body::ClosingCleared { order, call, .. } => {
                self.calls.insert(*call, About::Place(*order));
            }
            Body::AmendCleared { order, call, .. } | Body::ShrinkCleared { order, call, .. } => {
                self.calls.insert(*call, About::Amend(*order));
            }
            Body::CancelCleared { order, call, .. } => {
                self.calls.insert(*call, About::Cancel(*order));
            }
            Body::Sent { call } => self.placed(state, *call, "Left"),
            Body::NotSent { call, .. } => {
                self.placed(state, *call, "DidNotLeave");
                self.calls.remove(call);
            }
            Body::Replied { call, outcome } => self.replied(state, *call, outcome),
            Body::Resolved { order, outcome, .. } => match outcome {
                Outcome::Accepted { report, .. } => self.order(state, *order, told(report.state)),
                Outcome::Rejected { .. } => self.order(state, *order, "NotThere"),
                Outcome::Done | Outcome::Unknown { .. } => {}
            },
            Body::Streamed { account, event } => match event {
                AccountEvent::Order { report } => self.reported(state, account, report),
                AccountEvent::Fill { .. }
                | AccountEvent::Position { .. }
                | AccountEvent::Balance { .. }
                | AccountEvent::Funding { .. }
                | AccountEvent::Payment { .. } => {}
            },
            Body::Reconciled { account, snapshot, .. } => {
                snapshot.orders.iter().for_each(|row| self.reported(state, account, row));
            }
            _ => {}
        }
    }

    /// Whether only rows were hit that can be.
    pub fn holds(&self) -> Result<(), String> {
        self.wrong.clone().map_or(Ok(()), Err)
    }

    /// The rows that can be hit and were not.
    pub fn missing(&self) -> Vec<(&'static str, &'static str)> {
        let all = STAGES.into_iter().flat_map(|stage| HEARD.map(|heard| (stage, heard)));
        let missing = |row: &(&'static str, &'static str)| {
            !self.rows.contains_key(row) && unreachable(row.0, row.1).is_none()
        };
        all.filter(missing).collect()
    }

    /// Calls in flight are forgotten.
    pub fn restarted(&mut self) {
        self.calls.clear();
    }

    /// Adds another run's rows.
    pub fn merge(&mut self, other: &Coverage) {
        for (row, count) in &other.rows {
            *self.rows.entry(*row).or_default() += count;
        }
    }

    /// How often a row was hit.
    pub fn of(&self, stage: &'static str, heard: &'static str) -> u64 {
        self.rows.get(&(stage, heard)).copied().unwrap_or(0)
    }

    /// How many rows were hit at all.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    fn replied(&mut self, state: &State, call: CallId, outcome: &Outcome) {
        let Some(about) = self.calls.remove(&call) else { return };
        match (about, outcome) {
            (
                About::Place(order) | About::Amend(order) | About::Cancel(order),
                Outcome::Accepted { report, .. },
            ) => self.order(state, order, told(report.state)),
            (About::Place(order), Outcome::Done) => self.order(state, order, "Open"),
            (About::Place(order), Outcome::Rejected { .. }) => self.order(state, order, "Refused"),
            (About::Place(order), Outcome::Unknown { .. }) => self.order(state, order, "NoWord"),
            (About::Cancel(order), Outcome::Done) => self.order(state, order, "Cancelled"),
            (About::Amend(_) | About::Cancel(_), _) => {}
        }
    }

    fn placed(&mut self, state: &State, call: CallId, heard: &'static str) {
        if let Some(About::Place(order)) = self.calls.get(&call).copied() {
            self.order(state, order, heard);
        }
    }

    fn reported(&mut self, state: &State, account: &AccountName, report: &OrderReport) {
        let by_client = report.client_id.as_ref().and_then(|id| state.orders().by_client(id));
        let known =
            by_client.or_else(|| find(state, account, &report.venue_id, &report.instrument));
        if let Some(order) = known {
            self.hit(order.stage, told(report.state));
        }
    }

    fn order(&mut self, state: &State, order: OrderId, heard: &'static str) {
        if let Some(order) = state.orders().get(order) {
            self.hit(order.stage, heard);
        }
    }

    fn hit(&mut self, stage: Stage, heard: &'static str) {
        let stage = name(stage);
        *self.rows.entry((stage, heard)).or_default() += 1;
        if let Some(why) = unreachable(stage, heard) {
            self.wrong = Some(format!("an order that is {stage} hears {heard}: {why}"));
        }
    }
}

fn find<'a>(
    state: &'a State,
    account: &AccountName,
    id: &VenueOrderId,
    instrument: &InstrumentId,
) -> Option<&'a tidegate_core::orders::Order> {
    state.orders().by_venue(account, id).find(|order| order.request.instrument == *instrument)
}

fn name(stage: Stage) -> &'static str {
    use tidegate_core::orders::Ending;
    match stage {
        Stage::Pending => "Pending",
        Stage::Sent => "Sent",
        Stage::Unknown => "Unknown",
        Stage::Live => "Live",
        Stage::Done { how: Ending::Filled } => "Filled",
        Stage::Done { how: Ending::Cancelled } => "Cancelled",
        Stage::Done { how: Ending::Rejected } => "Rejected",
        Stage::Done { how: Ending::NotSent } => "NotSent",
        Stage::Done { how: Ending::NeverArrived } => "NeverArrived",
        Stage::Done { how: Ending::Gone } => "Gone",
    }
}

const fn told(state: VenueState) -> &'static str {
    match state {
        VenueState::Untriggered => "Untriggered",
        VenueState::Open => "Open",
        VenueState::Filled => "Filled",
        VenueState::Cancelled | VenueState::Expired => "Cancelled",
        VenueState::Rejected => "Rejected",
    }
}

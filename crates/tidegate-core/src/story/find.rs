//! Which order or refusal is meant: what people type, looked for in the records.

use crate::journal::number_in;
use std::collections::BTreeMap;
use tidegate_types::ids::{CallId, CallerName, OrderId, Seq, VenueOrderId};
use tidegate_types::record::{Body, Record};
use tidegate_types::report::{AccountEvent, OrderReport, Outcome};

/// What somebody looks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sought {
    /// An order by Tidegate's number, by the id it was sent with, or by the venue's id.
    Named(String),
    /// An order by its caller's own id for it.
    Own(CallerName, String),
    /// What was refused to a caller last.
    LastRefusal(CallerName),
}

/// Looks through records.
#[derive(Debug)]
pub struct Finder {
    sought: Sought,
    /// Placements that are not answered yet.
    placing: BTreeMap<CallId, OrderId>,
    found: BTreeMap<OrderId, &'static str>,
    refusal: Option<Seq>,
}

impl Finder {
    /// One that has seen nothing.
    pub fn new(sought: Sought) -> Finder {
        Finder { sought, placing: BTreeMap::new(), found: BTreeMap::new(), refusal: None }
    }

    /// Looks at a record.
    pub fn look(&mut self, seq: Seq, record: &Record) {
        match &record.body {
            Body::Cleared { order, call, caller, client_id, request, .. } => {
                let own = request.caller_id.as_ref().map(|id| id.as_str());
                self.cleared((*order, *call), client_id.as_str(), Some((caller, own)));
            }
            Body::ClosingCleared { order, call, client_id, .. } => {
                self.cleared((*order, *call), client_id.as_str(), None);
            }
            Body::Replied { call, outcome } => {
                let order = self.placing.remove(call);
                self.outcome(outcome, order);
            }
            Body::NotSent { call, .. } => drop(self.placing.remove(call)),
            Body::Resolved { order, outcome, .. } => self.outcome(outcome, Some(*order)),
            Body::Streamed { event: AccountEvent::Order { report }, .. } => {
                self.report(report, None);
            }
            Body::Reconciled { snapshot, .. } => {
                snapshot.orders.iter().for_each(|report| self.report(report, None));
            }
            Body::Refused { caller: Some(caller), .. }
                if self.sought == Sought::LastRefusal(caller.clone()) =>
            {
                self.refusal = Some(seq);
            }
            // No call outlives the gateway that made it.
            Body::Started { .. } => self.placing.clear(),
            _ => {}
        }
    }

    /// The orders that are meant, each with what names it so, the newest last.
    pub fn orders(&self) -> impl Iterator<Item = (OrderId, &'static str)> {
        self.found.iter().map(|(order, by)| (*order, *by))
    }

    /// The refusal that is meant.
    pub fn refusal(&self) -> Option<Seq> {
        self.refusal
    }

    fn cleared(
        &mut self,
        (order, call): (OrderId, CallId),
        client_id: &str,
        of: Option<(&CallerName, Option<&str>)>,
    ) {
        self.placing.insert(call, order);
        let by = match (&self.sought, of) {
            (Sought::Named(name), _) if *name == order.to_string() => "Tidegate's number",
            (Sought::Named(name), _) if name == client_id => "the id it was sent with",
            (Sought::Own(who, id), Some((caller, Some(own)))) if who == caller && id == own => {
                "the caller's own id"
            }
            _ => return,
        };
        self.found.insert(order, by);
    }

    fn outcome(&mut self, outcome: &Outcome, order: Option<OrderId>) {
        if let Outcome::Accepted { report, .. } = outcome {
            self.report(report, order);
        }
    }

    fn report(&mut self, report: &OrderReport, order: Option<OrderId>) {
        let Sought::Named(name) = &self.sought else { return };
        let ids = [Some(&report.venue_id), report.triggered_as.as_ref()];
        if !ids.into_iter().flatten().any(|id: &VenueOrderId| id.as_str() == name) {
            return;
        }
        let named = report.client_id.as_ref().and_then(number_in);
        if let Some(order) = order.or(named) {
            self.found.entry(order).or_insert("the venue's id");
        }
    }
}

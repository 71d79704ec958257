//! What happened to an order after it was decided.

use super::passages::{measured, rules};
use super::{Happening, Held, Story, beside, words};
use crate::orders::Stage;
use crate::state::State;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::call::CallBody;
use tidegate_types::ids::{AccountName, CallId, CallerName, OrderId, Seq, TradeId, VenueOrderId};
use tidegate_types::options::OptionFigures;
use tidegate_types::order::{Intent, OrderName};
use tidegate_types::record::{Body, Record};
use tidegate_types::reject::Code;
use tidegate_types::report::{AccountEvent, FillReport, OrderReport, Outcome};
use tidegate_types::time::{Span, Time};

/// How long more refusals of a kind may follow the first.
const WINDOW: Span = Span::from_secs(2);

/// What is known of the order's requests and trades so far.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// Requests on their way, by what they do.
    calls: BTreeMap<CallId, &'static str>,
    venue_ids: BTreeSet<VenueOrderId>,
    trades: BTreeSet<TradeId>,
    /// How the venue showed it last.
    shown: String,
    /// What its account's options came to with the amend that is cleared next.
    weighed: Option<OptionFigures>,
    /// Of a refusal: what may be counted after it.
    refused: Option<(Option<CallerName>, Code)>,
    known: bool,
    over: bool,
}

impl Life {
    /// Of what this record decided.
    pub(super) fn of(body: &Body) -> Life {
        let mut life = Life::default();
        match body {
            Body::Cleared { call, .. } | Body::ClosingCleared { call, .. } => {
                life.calls.insert(*call, "the order");
            }
            Body::Refused { caller, reject, .. } => {
                life.refused = Some((caller.clone(), reject.code));
            }
            _ => {}
        }
        life
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes in what a record tells of it, before the record is folded in.
    pub(super) fn hear(&mut self, story: &mut Story, state: &State, seq: Seq, record: &Record) {
        let Some(order) = story.order else { return self.more(story, seq, record) };
        let told = |what, said| Some((what, said, Vec::new()));
        let happened = match &record.body {
            Body::OptionsWeighed { order: of, figures } if *of == order => {
                self.weighed = Some(*figures);
                None
            }
            Body::AmendCleared { order: of, call, caller, body, decision } if *of == order => {
                self.calls.insert(*call, "the amend");
                let (what, said, mut held) = amended(state, order, caller, body, decision);
                if let (Some(figures), Some(of)) = (self.weighed.take(), state.orders.get(order)) {
                    let version = rules(decision);
                    held.extend(beside::of_options(state, &of.account, &figures, &version));
                }
                Some((what, said, held))
            }
            Body::ShrinkCleared { order: of, call, caller, body, .. } if *of == order => {
                self.calls.insert(*call, "the amend");
                told("amend", words::shrunk(caller, body))
            }
            Body::CancelCleared { order: of, call, by } if *of == order => {
                self.calls.insert(*call, "the cancel");
                told("cancel", words::canceller(by))
            }
            Body::Sent { call } => {
                let what = self.calls.get(call);
                what.and_then(|what| told("sent", format!("{what} was signed and left")))
            }
            Body::NotSent { call, reject } => {
                let what = self.calls.remove(call);
                what.and_then(|what| told("not sent", format!("{what}: {reject}")))
            }
            Body::Replied { call, outcome } => match self.calls.remove(call) {
                Some(what) => self.answered(story, (seq, record.at), what, outcome),
                None => None,
            },
            Body::Resolved { order: of, outcome, .. } if *of == order => {
                self.note(outcome);
                told("asked after", words::outcome(outcome))
            }
            Body::Streamed { account, event } if story.account.as_ref() == Some(account) => {
                self.streamed(story, event)
            }
            Body::Reconciled { account, snapshot, .. } => {
                let mine = |report: &&OrderReport| self.is_mine(story, account, report);
                let report = snapshot.orders.iter().find(mine);
                report.and_then(|report| self.shown("compared", report))
            }
            Body::Refused { caller, intent: Some(intent), reject, .. } => {
                let mine = self.names(story, state, caller.as_ref(), intent);
                mine.then(|| format!("{}: {reject}", words::intent(intent)))
                    .and_then(|said| told("refused", said))
            }
            Body::Warned { order: of, reject } if *of == order => {
                told("warned", reject.to_string())
            }
            Body::Started { .. } => {
                self.calls.clear();
                let open = state.orders.get(order).is_some_and(|order| order.is_open());
                let said = "the gateway started anew; the venue is asked what became of it";
                open.then(|| said.to_owned()).and_then(|said| told("restart", said))
            }
            _ => None,
        };
        if let Some((what, said, held)) = happened {
            story.life.push(Happening { seq, at: record.at, what, said, held });
        }
    }

    /// Where it stands once a record is folded in.
    pub(super) fn look(&mut self, story: &mut Story, state: &State) {
        let Some(id) = story.order else { return };
        let Some(order) = state.orders.get(id) else {
            // It ended long ago and was dropped from the table: nothing is heard of it any more.
            self.over = self.known;
            return;
        };
        self.known = true;
        self.venue_ids.extend(order.venue_id.iter().chain(&order.triggered_as).cloned());
        let stage = match order.stage {
            Stage::Done { how } => format!("{how:?}"),
            stage => format!("{stage:?}"),
        };
        let average = order.average.map(|average| format!(" at {average}")).unwrap_or_default();
        let (filled, qty) = (order.filled, order.request.qty);
        story.standing = format!("{}, {filled} of {qty} filled{average}", stage.to_lowercase());
    }

    /// More refusals of the kind, which are counts.
    fn more(&mut self, story: &mut Story, seq: Seq, record: &Record) {
        let Some((caller, code)) = &self.refused else { return };
        if record.at > story.at.plus(WINDOW) {
            self.over = true;
            return;
        }
        if let Body::RefusedMore { caller: of, code: same, count } = &record.body
            && (of, same) == (caller, code)
        {
            let said = format!("{count} more of TG{}", code.number());
            let held = Vec::new();
            story.life.push(Happening { seq, at: record.at, what: "again", said, held });
            self.over = true;
        }
    }

    fn answered(
        &mut self,
        story: &mut Story,
        (seq, at): (Seq, Time),
        what: &'static str,
        outcome: &Outcome,
    ) -> Option<(&'static str, String, Vec<Held>)> {
        self.note(outcome);
        let said = format!("{what}: {}", words::outcome(outcome));
        story.life.push(Happening { seq, at, what: "answered", said, held: Vec::new() });
        if let Outcome::Accepted { fills, .. } = outcome {
            for fill in fills {
                if let Some((what, said, held)) = self.traded(fill) {
                    story.life.push(Happening { seq, at, what, said, held });
                }
            }
        }
        None
    }

    /// Remembers how the venue shows it, so that it is not told twice.
    fn note(&mut self, outcome: &Outcome) {
        if let Outcome::Accepted { report, .. } = outcome {
            self.venue_ids.insert(report.venue_id.clone());
            self.shown = words::report(report);
        }
    }

    fn streamed(
        &mut self,
        story: &Story,
        event: &AccountEvent,
    ) -> Option<(&'static str, String, Vec<Held>)> {
        match event {
            AccountEvent::Order { report } => {
                let account = story.account.as_ref()?;
                let mine = self.is_mine(story, account, report);
                mine.then_some(report).and_then(|report| self.shown("told", report))
            }
            AccountEvent::Fill { fill } => {
                let by_client = fill.client_id.is_some() && fill.client_id == story.client_id;
                let mine = by_client || self.venue_ids.contains(&fill.venue_id);
                mine.then_some(fill).and_then(|fill| self.traded(fill))
            }
            AccountEvent::Position { .. }
            | AccountEvent::Balance { .. }
            | AccountEvent::Funding { .. }
            | AccountEvent::Payment { .. } => None,
        }
    }

    fn is_mine(&self, story: &Story, account: &AccountName, report: &OrderReport) -> bool {
        let by_client = report.client_id.is_some() && report.client_id == story.client_id;
        story.account.as_ref() == Some(account)
            && (by_client || self.venue_ids.contains(&report.venue_id))
    }

    fn shown(
        &mut self,
        what: &'static str,
        report: &OrderReport,
    ) -> Option<(&'static str, String, Vec<Held>)> {
        let said = words::report(report);
        let new = said != self.shown;
        self.shown.clone_from(&said);
        new.then_some((what, said, Vec::new()))
    }

    fn traded(&mut self, fill: &FillReport) -> Option<(&'static str, String, Vec<Held>)> {
        let new = self.trades.insert(fill.trade_id.clone());
        new.then(|| ("filled", words::fill(fill), Vec::new()))
    }

    /// Whether a request names this order.
    fn names(
        &self,
        story: &Story,
        state: &State,
        caller: Option<&CallerName>,
        intent: &Intent,
    ) -> bool {
        let name = match intent {
            Intent::Amend { amend } => &amend.order,
            Intent::Cancel { cancel } => &cancel.order,
            _ => return false,
        };
        match name {
            OrderName::Own { id } => Some(*id) == story.order,
            OrderName::Venue { id } => self.venue_ids.contains(id),
            OrderName::Caller { id } => {
                let order = story.order.and_then(|order| state.orders.get(order));
                let own = order.and_then(|order| order.request.caller_id.as_ref());
                caller == story.caller.as_ref() && own == Some(id)
            }
        }
    }
}

fn amended(
    state: &State,
    order: OrderId,
    caller: &CallerName,
    body: &CallBody,
    decision: &tidegate_types::record::Decision,
) -> (&'static str, String, Vec<Held>) {
    let mut said = format!("by {caller}");
    let mut held = Vec::new();
    if let (Some(known), CallBody::Amend { qty, price, trigger_price, .. }) =
        (state.orders.get(order), body)
    {
        let mut becomes = known.request.clone();
        becomes.qty = *qty;
        becomes.price = *price;
        if let (Some(trigger), Some(price)) = (&mut becomes.trigger, trigger_price) {
            trigger.price = *price;
        }
        said = format!("{said}, to {}", words::order(&becomes));
        held = measured(state, caller, &known.account, &becomes, decision);
    }
    ("amend", said, held)
}

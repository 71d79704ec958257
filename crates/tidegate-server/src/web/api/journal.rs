//! The journal as far as it is about one caller: read from disk, beside the gateway that writes it.

use super::ask::Ask;
use super::page::{Page, Wanted, cursor};
use super::problem::Problem;
use super::vocabulary::When;
use super::{Api, json};
use crate::aside::aside_within;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;
use std::time::Duration;
use tidegate_core::state::State;
use tidegate_identity::Named;
use tidegate_journal::reader::Reader;
use tidegate_types::codec::Codec;
use tidegate_types::ids::{CallerName, ClientId, OrderId, Seq};
use tidegate_types::proof::Authenticated;
use tidegate_types::record::{Body, Canceller, Record};
use tidegate_types::reject::Code;
use tidegate_types::report::{AccountEvent, Outcome};
use tidegate_types::request::Reply;
use tidegate_types::time::Time;

/// Most records looked at for one page.
const MOST_LOOKED_AT: usize = 20_000;
/// How long the disk may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Requests that read the journal at once.
pub(super) const READERS: usize = 2;
const RECORDS: &str = "records";

/// A record.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Entry {
    /// Its place in the journal.
    pub(super) seq: String,
    /// When it was written.
    pub(super) at: When,
    /// What it says, in the journal's own words, which are no form to be parsed.
    #[schemars(length(max = 1_000_000))]
    pub(super) text: String,
}

/// Whom a record is about.
enum Subject<'a> {
    Caller(&'a CallerName),
    Order(OrderId),
    Sent(&'a ClientId),
    Nobody,
}

impl Api {
    /// A page of the records about a caller.
    pub(super) async fn journal(
        &self,
        who: &Authenticated,
        ask: &Ask,
        now: Time,
    ) -> Result<Reply, Problem> {
        let named = Named::from(who);
        self.desk.may_read(named.caller(), named.account(), now)?;
        let page = Wanted::read(RECORDS, ask.query("limit"), ask.query("cursor"))?;
        let number = |text: &String| text.parse().map(Seq);
        let from = page.after.as_ref().map(number).transpose();
        let from = from.map_err(|_| Problem::new(Code::BadParameter, "cursor"))?;
        let (from, records) = (from.unwrap_or(Seq(0)), self.records.clone());
        let unreadable = |why: String| Problem::new(Code::JournalUnavailable, why);
        let busy = |_| Problem::new(Code::TooManyInFlight, "others read the journal just now");
        let turn = self.readers.try_acquire().map_err(busy)?;
        let read = aside_within(PATIENCE, "records", move || read(&records, from)).await;
        drop(turn);
        let read = read.map_err(|e| unreadable(e.to_string()))?.map_err(unreadable)?;
        let (read, mut next) = read;
        let mut items = Vec::new();
        self.look(|state| {
            for (seq, record) in &read {
                if items.len() == page.limit {
                    next = *seq;
                    break;
                }
                if is_about(state, record, &named) {
                    let mut text = String::new();
                    record.body.show(&mut text);
                    items.push(Entry { seq: seq.to_string(), at: When(record.at), text });
                }
            }
        });
        json(200, &Page { items, next: Some(cursor(RECORDS, &next.to_string())) })
    }
}

/// The records about somebody from a place on, and where to go on after those that were looked at.
fn read(folder: &Path, from: Seq) -> Result<(Vec<(Seq, Record)>, Seq), String> {
    let mut reader = Reader::open(folder, from).map_err(|e| e.to_string())?;
    let (mut records, mut next) = (Vec::new(), from);
    for _ in 0..MOST_LOOKED_AT {
        let Some((seq, record)) = reader.next_record().map_err(|e| e.to_string())? else { break };
        next = next.max(seq.next());
        if seq >= from && !matches!(subject(&record.body), Subject::Nobody) {
            records.push((seq, record));
        }
    }
    Ok((records, next))
}

fn is_about(state: &State, record: &Record, who: &Named) -> bool {
    let order = match subject(&record.body) {
        Subject::Caller(caller) => return caller == who.caller(),
        Subject::Order(id) => state.orders().get(id),
        Subject::Sent(id) => state.orders().by_client(id),
        Subject::Nobody => None,
    };
    order.is_some_and(|order| order.caller.as_ref() == Some(who.caller()))
}

fn subject(body: &Body) -> Subject<'_> {
    match body {
        Body::Cleared { caller, .. }
        | Body::AmendCleared { caller, .. }
        | Body::SettingCleared { caller, .. }
        | Body::LoggedIn { caller, .. }
        | Body::ByToken { caller, .. }
        | Body::Guarded { caller, .. }
        | Body::GuardedEver { caller, .. }
        | Body::CountdownSet { caller, .. }
        | Body::CountdownLapsed { caller, .. }
        | Body::CancelCleared {
            by:
                Canceller::Caller { caller }
                | Canceller::Disconnect { caller }
                | Canceller::Countdown { caller },
            ..
        }
        | Body::Refused { caller: Some(caller), .. }
        | Body::RefusedMore { caller: Some(caller), .. } => Subject::Caller(caller),
        Body::CancelCleared { order, .. }
        | Body::Resolved { order, .. }
        | Body::Through { order, .. }
        | Body::Warned { order, .. } => Subject::Order(*order),
        Body::Replied { outcome: Outcome::Accepted { report, .. }, .. }
        | Body::Streamed { event: AccountEvent::Order { report }, .. } => {
            report.client_id.as_ref().map_or(Subject::Nobody, Subject::Sent)
        }
        Body::Streamed { event: AccountEvent::Fill { fill }, .. } => {
            fill.client_id.as_ref().map_or(Subject::Nobody, Subject::Sent)
        }
        _ => Subject::Nobody,
    }
}

//! The journal as far as it is about one caller on one account: read from disk, beside the gateway that writes it.

use super::ask::Ask;
use super::page::{Page, Wanted, cursor};
use super::problem::Problem;
use super::vocabulary::When;
use super::{Api, json};
use crate::aside::aside_within;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tidegate_core::state::State;
use tidegate_identity::Named;
use tidegate_journal::reader::Reader;
use tidegate_types::codec::Codec;
use tidegate_types::ids::{AccountName, CallerName, ClientId, KeyId, OrderId, Seq};
use tidegate_types::proof::Authenticated;
use tidegate_types::record::{Body, Canceller, Decision, Record};
use tidegate_types::reject::Code;
use tidegate_types::report::{AccountEvent, Outcome};
use tidegate_types::request::Reply;
use tidegate_types::time::Time;

/// Most records looked at for one page.
const MOST_LOOKED_AT: usize = 2_000;
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
    /// A caller on an account.
    On(&'a CallerName, &'a AccountName),
    /// A caller, by a key of its.
    With(&'a CallerName, &'a KeyId),
    /// A caller, by an order on an account.
    For(&'a CallerName, OrderId),
    /// A caller, and the record names no account.
    Caller(&'a CallerName),
    /// The caller of an order.
    Order(OrderId),
    /// The caller of what was sent under this id.
    Sent(&'a ClientId),
    Nobody,
}

impl Api {
    /// A page of the records about a caller on an account.
    pub(super) async fn journal(
        &self,
        who: &Authenticated,
        ask: &Ask,
        now: Time,
    ) -> Result<Reply, Problem> {
        let named = Named::from(who);
        let wide = self.desk.may_read(named.caller(), named.account(), now)?;
        let page = Wanted::read(RECORDS, ask.query("limit"), ask.query("cursor"))?;
        let number = |text: &String| text.parse().map(Seq);
        let from = page.after.as_ref().map(number).transpose();
        let from = from.map_err(|_| Problem::new(Code::BadParameter, "cursor"))?;
        let (from, records) = (from.unwrap_or(Seq(0)), self.records.clone());
        let unreadable = |why: String| Problem::new(Code::JournalUnavailable, why);
        let busy = |_| Problem::new(Code::TooManyInFlight, "others read the journal just now");
        // A read that nobody waits for any more has its turn until it ends.
        let turn = Arc::clone(&self.readers).try_acquire_owned().map_err(busy)?;
        let read = move || {
            let _turn = turn;
            read(&records, from)
        };
        let read = aside_within(PATIENCE, "records", read).await;
        let read = read.map_err(|e| unreadable(e.to_string()))?.map_err(unreadable)?;
        let (mut read, mut next) = read;
        let told = |state: &State, record: &Record| {
            is_about(state, record, &named) && may_name(&record.body, &named, wide)
        };
        self.look(|state| read.retain(|(_, record)| told(state, record)));
        if let Some((seq, _)) = read.get(page.limit) {
            next = *seq;
            read.truncate(page.limit);
        }
        let items = read.into_iter().map(|(seq, record)| entry(seq, record, wide)).collect();
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

/// A record as it is told. The numbers of a decision are sums over all callers of the account: who does not see
/// the whole account sees none of them.
fn entry(seq: Seq, record: Record, wide: bool) -> Entry {
    let Record { at, mut body } = record;
    match &mut body {
        Body::Cleared { decision, .. }
        | Body::AmendCleared { decision, .. }
        | Body::Refused { decision, .. }
            if !wide =>
        {
            *decision = Decision::default();
        }
        _ => {}
    }
    let mut text = String::new();
    body.show(&mut text);
    Entry { seq: seq.to_string(), at: When(at), text }
}

/// Whether those that a record names are the caller, or others on an account that it sees all of. Who asked for
/// the newer of two orders that met is nothing to the older one's caller.
fn may_name(body: &Body, who: &Named, wide: bool) -> bool {
    match body {
        Body::ShrinkCleared { caller, account, .. }
        | Body::CancelCleared { by: Canceller::Newer { caller, account }, .. } => {
            account == who.account() && (wide || caller == who.caller())
        }
        _ => true,
    }
}

fn is_about(state: &State, record: &Record, who: &Named) -> bool {
    let (me, here) = (who.caller(), who.account());
    let order = match subject(&record.body) {
        Subject::On(caller, account) => return caller == me && account == here,
        Subject::With(caller, key) => {
            let of = state.keys().get(key).map(|key| &key.key.account);
            return caller == me && of.map_or_else(|| has_one_account(state, who), |of| of == here);
        }
        Subject::For(caller, order) => {
            let of = state.orders().get(order).map(|order| &order.account);
            return caller == me && of.map_or_else(|| has_one_account(state, who), |of| of == here);
        }
        Subject::Caller(caller) => return caller == me && has_one_account(state, who),
        Subject::Order(id) => state.orders().get(id),
        Subject::Sent(id) => state.orders().by_client(id),
        Subject::Nobody => None,
    };
    order.is_some_and(|order| order.caller.as_ref() == Some(me) && order.account == *here)
}

/// Whether what is a caller's is of this account, since it has no other.
fn has_one_account(state: &State, who: &Named) -> bool {
    let mut grants = state.grants().filter(|grant| grant.caller == *who.caller());
    grants.all(|grant| grant.account == *who.account())
}

fn subject(body: &Body) -> Subject<'_> {
    match body {
        Body::Cleared { caller, account, .. }
        | Body::SettingCleared { caller, account, .. }
        | Body::GuardedEver { caller, account, .. }
        | Body::CountdownSet { caller, account, .. }
        | Body::CountdownLapsed { caller, account, .. }
        | Body::Refused { caller: Some(caller), account: Some(account), .. } => {
            Subject::On(caller, account)
        }
        Body::LoggedIn { caller, key } => Subject::With(caller, key),
        Body::AmendCleared { caller, order, .. }
        | Body::CancelCleared {
            order,
            by:
                Canceller::Caller { caller }
                | Canceller::Disconnect { caller }
                | Canceller::Countdown { caller }
                | Canceller::Token { caller, .. },
            ..
        } => Subject::For(caller, *order),
        Body::Guarded { caller, .. }
        | Body::ByToken { caller, .. }
        | Body::BySignature { caller, .. }
        | Body::RefusedByToken { caller, .. }
        | Body::Refused { caller: Some(caller), .. }
        | Body::RefusedMore { caller: Some(caller), .. } => Subject::Caller(caller),
        Body::CancelCleared { order, .. }
        | Body::ShrinkCleared { order, .. }
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

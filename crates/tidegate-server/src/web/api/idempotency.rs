//! The same request again, told by its `Idempotency-Key`: answered as it was before. What was refused is
//! not kept, since nothing was done; it may come again under its key.

use super::problem::{Problem, Retry};
use aws_lc_rs::digest;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tidegate_types::ids::{AccountName, CallerName};
use tidegate_types::limits::{IDEMPOTENCY_LIFETIME, MAX_IDEMPOTENCY_KEYS};
use tidegate_types::request::{RawRequest, Reply};
use tidegate_types::time::Time;

/// The header.
pub(super) const HEADER: &str = "idempotency-key";
/// The kinds of problem that it brings.
pub(super) const IN_FLIGHT: &str = "idempotency-key-in-flight";
pub(super) const REUSED: &str = "idempotency-key-reused";

type Digest = [u8; 32];

/// Who asks, on which account: a key names both.
pub(super) type Seat = (CallerName, AccountName);

/// The answers of the last day to requests that had a key, per caller and account, since the start.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    tables: Arc<Mutex<HashMap<Seat, Table>>>,
    since: Time,
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<String, Entry>,
    /// Keys in the order they came.
    order: VecDeque<(Time, String)>,
}

#[derive(Debug)]
struct Entry {
    digest: Digest,
    /// None while it is being worked on.
    reply: Option<Reply>,
}

/// What is known of a request.
#[derive(Debug)]
pub(super) enum Begun {
    /// It is new; to be ended with its answer.
    New(Begin),
    /// It was answered so.
    Before(Reply),
}

/// A request being worked on; forgotten unless it is ended.
#[derive(Debug)]
pub(super) struct Begin {
    answers: Answers,
    seat: Seat,
    key: String,
}

impl Answers {
    /// None yet.
    pub(super) fn since(now: Time) -> Answers {
        Answers { tables: Arc::default(), since: now }
    }

    /// Whether a request of that time may have had any key: the answers of before the start are forgotten.
    pub(super) fn is_before(&self, at: Time) -> bool {
        at < self.since
    }

    /// A request comes under a key.
    pub(super) fn begin(
        &self,
        seat: &Seat,
        key: &str,
        request: &RawRequest,
        now: Time,
    ) -> Result<Begun, Problem> {
        let mut tables = self.tables();
        let table = tables.entry(seat.clone()).or_default();
        table.forget(now);
        let digest = digest_of(request);
        match table.entries.get(key) {
            Some(entry) if entry.digest != digest => return Err(reused()),
            Some(Entry { reply: Some(reply), .. }) => return Ok(Begun::Before(reply.clone())),
            Some(Entry { reply: None, .. }) => {
                let kind = Problem::plain(IN_FLIGHT, "the same request is being worked on", 409);
                return Err(Problem { retry: Retry::Later, ..kind });
            }
            None => {}
        }
        table.entries.insert(key.to_owned(), Entry { digest, reply: None });
        table.order.push_back((now, key.to_owned()));
        let (answers, seat, key) = (self.clone(), seat.clone(), key.to_owned());
        Ok(Begun::New(Begin { answers, seat, key }))
    }

    fn tables(&self) -> MutexGuard<'_, HashMap<Seat, Table>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begin {
    /// Keeps the answer.
    pub(super) fn end(self, reply: &Reply) {
        let mut tables = self.answers.tables();
        let entry = tables.get_mut(&self.seat).and_then(|t| t.entries.get_mut(&self.key));
        if let Some(entry) = entry {
            entry.reply = Some(reply.clone());
        }
    }
}

impl Drop for Begin {
    fn drop(&mut self) {
        let mut tables = self.answers.tables();
        let Some(table) = tables.get_mut(&self.seat) else { return };
        if table.entries.get(&self.key).is_some_and(|entry| entry.reply.is_none()) {
            table.entries.remove(&self.key);
            table.order.retain(|(_, key)| *key != self.key);
        }
    }
}

impl Table {
    /// Forgets what is too old, and the oldest of what is too much.
    fn forget(&mut self, now: Time) {
        while let Some((came, key)) = self.order.front() {
            let old = now.since(*came) > IDEMPOTENCY_LIFETIME;
            if !old && self.order.len() < MAX_IDEMPOTENCY_KEYS {
                return;
            }
            self.entries.remove(key);
            self.order.pop_front();
        }
    }
}

/// The problem of a key that came with another request before.
pub(super) fn reused() -> Problem {
    Problem::plain(REUSED, "the idempotency key came with another request before", 422)
}

/// For how many hours answers are kept.
pub(super) const fn hours() -> u64 {
    IDEMPOTENCY_LIFETIME.millis() / 3_600_000
}

fn digest_of(request: &RawRequest) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [request.method.as_str().as_bytes(), request.path.as_bytes()] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.update(&request.body);
    let mut out = Digest::default();
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests;

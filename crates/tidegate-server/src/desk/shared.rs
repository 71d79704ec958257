//! One fetch of a public resource for everybody who asks for it at about the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tidegate_types::limits::PUBLIC_AGE;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;
use tokio::time::Instant;

/// Most resources that are kept. Each is kept for a fraction of a second only.
const MAX_KEPT: usize = 1024;
/// From so many on, those that are too old are let go of with each new one.
const ENOUGH: usize = 32;

/// What was fetched last, by resource.
#[derive(Default)]
pub(super) struct Shared(Mutex<HashMap<String, Slot>>);

/// Whoever holds it fetches; the others wait for that.
type Slot = Arc<tokio::sync::Mutex<Option<Fetched>>>;

struct Fetched {
    began: Instant,
    came: Instant,
    outcome: Result<Reply, Reject>,
}

impl Fetched {
    /// Whether it answers somebody who asked at that time: it was on its way then, or is young enough. A
    /// refusal is for those who waited for it, but for those of the asker's own share and place.
    fn answers(&self, asked: Instant) -> bool {
        let own = [Code::VenueBudget, Code::WaitedTooLong, Code::TooManyInFlight];
        let shared_refusal = |reject: &Reject| !own.contains(&reject.code);
        match &self.outcome {
            Ok(_) => self.came >= asked || asked.duration_since(self.came) <= age(),
            Err(reject) => self.came >= asked && self.began <= asked && shared_refusal(reject),
        }
    }
}

impl Shared {
    /// The answer that is there or on its way, or the one that `fetch` gets. Nobody waits for others' fetches
    /// longer than `patience`; a fetch that began goes on for the others when whoever began it is gone.
    pub(super) async fn get<F>(
        &self,
        resource: String,
        patience: Duration,
        fetch: impl FnOnce() -> F,
    ) -> Result<Reply, Reject>
    where
        F: Future<Output = Result<Reply, Reject>> + Send + 'static,
    {
        let asked = Instant::now();
        let Some(slot) = self.slot(resource, asked) else { return fetch().await };
        let turn = tokio::time::timeout(patience, slot.lock_owned()).await;
        let mut held = turn.map_err(|_| waited(patience))?;
        if let Some(fetched) = held.as_ref().filter(|fetched| fetched.answers(asked)) {
            return fetched.outcome.clone();
        }
        let (began, fetch) = (Instant::now(), fetch());
        let fetching = tokio::spawn(async move {
            let outcome = fetch.await;
            *held = Some(Fetched { began, came: Instant::now(), outcome: outcome.clone() });
            outcome
        });
        let gone = |_| Reject::new(Code::VenueUnreachable, "the fetch ended without an answer");
        fetching.await.map_err(gone)?
    }

    fn slot(&self, resource: String, now: Instant) -> Option<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= ENOUGH && !slots.contains_key(&resource) {
            slots.retain(|_, slot| is_wanted(slot, now));
            if slots.len() >= MAX_KEPT {
                return None;
            }
        }
        Some(Arc::clone(slots.entry(resource).or_default()))
    }
}

fn waited(patience: Duration) -> Reject {
    let detail = format!("{} ms for others who ask for the same; ask again", patience.as_millis());
    Reject::new(Code::WaitedTooLong, detail)
}

/// Whether somebody fetches or waits, or what came is young enough.
fn is_wanted(slot: &Slot, now: Instant) -> bool {
    let young = |fetched: &Fetched| now.duration_since(fetched.came) <= age();
    Arc::strong_count(slot) > 1
        || slot.try_lock().map_or(true, |held| held.as_ref().is_some_and(young))
}

fn age() -> Duration {
    Duration::from_micros(PUBLIC_AGE.micros())
}

#[cfg(test)]
mod tests;

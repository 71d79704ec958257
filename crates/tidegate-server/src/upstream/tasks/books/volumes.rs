//! What was traded lately of the instruments whose books are followed: asked for in the rank of what the gateway keeps up,
//! so that no caller's reads hold it up, and now and then only, since a day's volume changes slowly.

use super::LOOK;
use crate::desk::{Errand, Link, Sink};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tidegate_types::ids::InstrumentName;
use tidegate_types::instrument::Usd;

/// How often a volume is asked for, and when it was not told.
const EVERY: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(5);
/// An older one is not known any more.
const KNOWN: Duration = Duration::from_secs(300);

/// Volumes by instrument.
#[derive(Default)]
pub(super) struct Volumes(Mutex<BTreeMap<InstrumentName, Volume>>);

#[derive(Clone, Copy)]
struct Volume {
    asked: Instant,
    told: Option<(Usd, Instant)>,
}

impl Volume {
    fn is_due(&self, now: Instant) -> bool {
        let fresh = self.told.is_some_and(|(_, at)| at >= self.asked);
        now.duration_since(self.asked) >= if fresh { EVERY } else { AGAIN }
    }
}

impl Volumes {
    /// What was traded of it in the last 24 hours, as told in the last minutes.
    pub(super) fn of(&self, name: &InstrumentName) -> Option<Usd> {
        let (volume, at) = self.lock().get(name)?.told?;
        (at.elapsed() < KNOWN).then_some(volume)
    }

    /// Asks, for ever, for those of the books that are wanted.
    pub(super) async fn follow(&self, sink: &Arc<dyn Sink>, link: &Link) {
        loop {
            let wanted = sink.books_wanted(&link.venue().name());
            let wanted: Vec<InstrumentName> = wanted.into_iter().map(|id| id.name).collect();
            self.lock().retain(|name, _| wanted.contains(name));
            for name in wanted {
                if self.is_due(&name, Instant::now()) {
                    let asked = link.venue().volume_request(&name);
                    let reply = link.fetch(Errand::Upkeep(None), asked).await.ok();
                    let told = reply.and_then(|reply| link.venue().read_volume(&reply));
                    self.told(name, told, Instant::now());
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn is_due(&self, name: &InstrumentName, now: Instant) -> bool {
        self.lock().get(name).is_none_or(|volume| volume.is_due(now))
    }

    fn told(&self, name: InstrumentName, volume: Option<Usd>, now: Instant) {
        let mut all = self.lock();
        let before = all.get(&name).and_then(|known| known.told);
        let told = volume.map(|volume| (volume, now)).or(before);
        all.insert(name, Volume { asked: now, told });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<InstrumentName, Volume>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

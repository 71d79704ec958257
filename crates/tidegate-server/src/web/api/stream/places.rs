//! How many streams are open for whom.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tidegate_types::ids::CallerName;
use tidegate_types::limits::MAX_STREAMS_PER_CALLER;

/// The open streams of each caller.
#[derive(Debug, Default)]
pub(in crate::web::api) struct Places(Mutex<BTreeMap<CallerName, usize>>);

/// The place of an open stream, until dropped.
#[derive(Debug)]
pub(super) struct Place {
    caller: CallerName,
    places: Arc<Places>,
}

impl Places {
    /// A place for one more stream of a caller's; none when it has as many as it may.
    pub(super) fn enter(self: &Arc<Self>, caller: &CallerName) -> Option<Place> {
        let mut open = self.open();
        let here = open.entry(caller.clone()).or_insert(0);
        if *here >= MAX_STREAMS_PER_CALLER {
            return None;
        }
        *here += 1;
        Some(Place { caller: caller.clone(), places: Arc::clone(self) })
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<CallerName, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.open();
        let here = open.get_mut(&self.caller);
        if here.is_none_or(|here| {
            *here = here.saturating_sub(1);
            *here == 0
        }) {
            open.remove(&self.caller);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_so_many_and_another_its_own() {
        let places = Arc::new(Places::default());
        let (bot, other) = ("bot".parse().unwrap(), "other".parse().unwrap());
        let mut taken: Vec<Place> =
            (0..MAX_STREAMS_PER_CALLER).map(|_| places.enter(&bot).unwrap()).collect();
        assert!(places.enter(&bot).is_none());
        assert!(places.enter(&other).is_some());
        taken.pop();
        assert!(places.enter(&bot).is_some());
        taken.clear();
        assert!(places.open().is_empty());
    }
}

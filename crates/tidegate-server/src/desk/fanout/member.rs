//! A session, as a hub sees it.

use super::Follower;
use serde_json::Value;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, OnceLock};
use tidegate_types::reject::Reject;
use tidegate_venues::fanout::Said;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Most wishes of one member that wait.
const MAX_WISHES: usize = 256;

/// A member.
pub(super) struct Member {
    pub(super) follower: Follower,
    told: mpsc::Sender<Arc<str>>,
    ended: Arc<OnceLock<Reject>>,
    /// What it said and what was not taken up yet, in order.
    wishes: VecDeque<Said>,
    /// The wish that the venue has not answered yet.
    pub(super) waits: Option<Wait>,
    /// What it is told.
    pub(super) streams: BTreeSet<String>,
    /// Until when its next wish must wait: the venue's rate limit, or a line's pace.
    pub(super) due: Option<Instant>,
    /// The number of what was asked of the venue last for it: who was served longest ago goes first.
    pub(super) served: u64,
}

/// A wish to be told streams of which some are not there yet.
pub(super) struct Wait {
    pub(super) id: Value,
    /// Those asked for, without those that the venue left out.
    pub(super) streams: Vec<String>,
    /// Those that the venue has not answered for.
    pub(super) missing: BTreeSet<String>,
    /// The venue's error.
    pub(super) error: Option<Arc<str>>,
}

impl Member {
    pub(super) fn new(
        follower: Follower,
        told: mpsc::Sender<Arc<str>>,
        ended: Arc<OnceLock<Reject>>,
    ) -> Member {
        let (wishes, streams) = (VecDeque::new(), BTreeSet::new());
        Member { follower, told, ended, wishes, waits: None, streams, due: None, served: 0 }
    }

    /// Whether it did not log in.
    pub(super) fn is_stranger(&self) -> bool {
        matches!(self.follower, Follower::Peer(_))
    }

    /// What it is told, and what it waits for.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &String> {
        let waits = self.waits.iter().flat_map(|wait| &wait.streams);
        self.streams.iter().chain(waits)
    }

    /// Takes up a wish; false when too many wait.
    pub(super) fn wish(&mut self, said: Said) -> bool {
        self.wishes.push_back(said);
        self.wishes.len() <= MAX_WISHES
    }

    /// The wish that comes next, unless one before it must be answered first or it must wait.
    pub(super) fn next_wish(&mut self, now: Instant) -> Option<Said> {
        if self.waits.is_some() || self.due.is_some_and(|due| due > now) {
            return None;
        }
        self.due = None;
        self.wishes.pop_front()
    }

    /// Puts a wish back until a time.
    pub(super) fn put_off(&mut self, said: Said, until: Instant) {
        self.wishes.push_front(said);
        self.due = Some(until);
    }

    /// Tells it something; false when it does not keep up, or is gone.
    pub(super) fn tell(&self, text: Arc<str>) -> bool {
        self.told.try_send(text).is_ok()
    }

    /// Whether nobody hears it any more.
    pub(super) fn is_gone(&self) -> bool {
        self.told.is_closed()
    }

    /// Says why it ends. What was told before is still heard.
    pub(super) fn end(&self, why: Reject) {
        // The first reason counts.
        let _ = self.ended.set(why);
    }
}

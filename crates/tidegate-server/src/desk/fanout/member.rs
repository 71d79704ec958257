//! A session, as a hub sees it.

use super::super::weir::Fare;
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
/// Most bytes of them: those of four messages of a thousand names.
const MAX_WISHED_BYTES: usize = 256 * 1024;

/// A member.
pub(super) struct Member {
    pub(super) follower: Follower,
    told: mpsc::Sender<Arc<str>>,
    ended: Arc<OnceLock<Reject>>,
    /// What it said and what was not taken up yet, in order.
    wishes: VecDeque<Said>,
    wished_bytes: usize,
    /// The wish that the venue has not answered yet.
    pub(super) waits: Option<Wait>,
    /// What it is told.
    pub(super) streams: BTreeSet<String>,
    /// Until when its next wish must wait: the venue's rate limit, or a line's pace.
    pub(super) due: Option<Instant>,
    /// What it has paid for the next thing that is said to the venue for it, or will have.
    pub(super) toll: Toll,
    /// The number of what was asked of the venue last for it: who was served longest ago goes first.
    pub(super) served: u64,
}

/// What is paid for what a member has said to the venue.
#[derive(Default)]
pub(super) enum Toll {
    /// Nothing.
    #[default]
    None,
    /// It waits in line for it.
    InLine,
    /// It is paid.
    Paid(Fare),
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

impl Drop for Member {
    /// What it paid for was not said.
    fn drop(&mut self) {
        if let Toll::Paid(fare) = std::mem::take(&mut self.toll) {
            fare.give_back();
        }
    }
}

impl Member {
    pub(super) fn new(
        follower: Follower,
        told: mpsc::Sender<Arc<str>>,
        ended: Arc<OnceLock<Reject>>,
    ) -> Member {
        let (wishes, streams) = (VecDeque::new(), BTreeSet::new());
        let (waits, due, toll) = (None, None, Toll::None);
        let wished_bytes = 0;
        Member { follower, told, ended, wishes, wished_bytes, waits, streams, due, toll, served: 0 }
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

    /// What it has paid, taken from it; it stays in line if it is there.
    pub(super) fn take_paid(&mut self) -> Toll {
        match self.toll {
            Toll::Paid(_) => std::mem::take(&mut self.toll),
            Toll::None | Toll::InLine => Toll::None,
        }
    }

    /// Takes up a wish; false when too many wait.
    pub(super) fn wish(&mut self, said: Said) -> bool {
        self.wished_bytes += said.bytes();
        self.wishes.push_back(said);
        self.wishes.len() <= MAX_WISHES && self.wished_bytes <= MAX_WISHED_BYTES
    }

    /// The wish that comes next, unless one before it must be answered first or it must wait.
    pub(super) fn next_wish(&mut self, now: Instant) -> Option<Said> {
        if self.waits.is_some() || self.due.is_some_and(|due| due > now) {
            return None;
        }
        self.due = None;
        let next = self.wishes.pop_front()?;
        self.wished_bytes = self.wished_bytes.saturating_sub(next.bytes());
        Some(next)
    }

    /// Puts a wish back until a time.
    pub(super) fn put_off(&mut self, said: Said, until: Instant) {
        self.wished_bytes += said.bytes();
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

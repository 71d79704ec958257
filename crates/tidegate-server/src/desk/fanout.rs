//! Public streams that many sessions share: one subscription at the venue serves everybody who asks for
//! the same, so that fifty bots cost the venue as much as one.
//!
//! For each public socket of the venue's that sessions would open there is a hub: a task that owns the
//! members (sessions), the streams and the lines (sockets to the venue). A member speaks to it as it
//! would to the venue, and hears what it would hear.

mod depths;
mod hub;
mod line;
mod member;

use super::links::{Errand, Link};
pub(super) use depths::Depths;
use hub::Hub;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use tidegate_types::ids::{AccountName, CallerName};
use tidegate_types::limits::MAX_WS_BACKLOG;
use tidegate_types::reject::{Code, Reject};
use tokio::sync::mpsc;

/// Most things that members said and that a hub has not heard yet.
const MAX_UNHEARD: usize = 4096;

/// Who follows public streams, and pays for what is said to the venue.
#[derive(Clone, Debug)]
pub enum Follower {
    /// A caller that logged in.
    Caller(CallerName, AccountName),
    /// Somebody at this address.
    Peer(IpAddr),
}

impl Follower {
    fn errand(&self) -> Errand<'_> {
        match self {
            Follower::Caller(caller, account) => Errand::Read { caller, account },
            Follower::Peer(peer) => Errand::Public { peer: *peer },
        }
    }
}

/// A session's part in the streams of one public socket. Dropping it leaves them.
#[derive(Debug)]
pub struct Membership {
    number: u64,
    hub: mpsc::Sender<Command>,
    heard: mpsc::Receiver<Arc<str>>,
    ended: Arc<OnceLock<Reject>>,
}

impl Membership {
    /// Says a text to the venue; false when no more is taken.
    pub fn say(&self, text: String) -> bool {
        self.hub.try_send(Command::Said { member: self.number, text }).is_ok()
    }

    /// The next text of the venue's; `None` at the end.
    pub async fn next(&mut self) -> Option<Arc<str>> {
        self.heard.recv().await
    }

    /// What the venue said, if it is there already.
    pub fn ready(&mut self) -> Option<Arc<str>> {
        self.heard.try_recv().ok()
    }

    /// Why it ended.
    pub fn why(&self) -> Reject {
        let closed =
            || Reject::new(Code::VenueUnreachable, "the venue's socket closed; connect again");
        self.ended.get().cloned().unwrap_or_else(closed)
    }
}

/// What is said to a hub.
enum Command {
    Enter {
        number: u64,
        follower: Follower,
        told: mpsc::Sender<Arc<str>>,
        ended: Arc<OnceLock<Reject>>,
    },
    Said {
        member: u64,
        text: String,
    },
}

/// The hubs of one venue, by the socket that they stand for.
#[derive(Default)]
pub(super) struct Hubs {
    hubs: Mutex<BTreeMap<String, mpsc::Sender<Command>>>,
    members: AtomicU64,
}

impl Hubs {
    /// Makes a session a member of the hub for `target`, which begins if there is none.
    pub(super) fn enter(
        &self,
        link: Weak<Link>,
        target: &str,
        follower: Follower,
    ) -> Result<Membership, Reject> {
        let mut hubs = self.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        let hub = hubs.entry(target.to_owned()).or_insert_with(|| {
            let (hub, commands) = mpsc::channel(MAX_UNHEARD);
            tokio::spawn(Hub::new(link, target.to_owned()).run(commands));
            hub
        });
        let number = self.members.fetch_add(1, Ordering::Relaxed);
        let (told, heard) = mpsc::channel(MAX_WS_BACKLOG);
        let ended = Arc::new(OnceLock::new());
        let enter = Command::Enter { number, follower, told, ended: Arc::clone(&ended) };
        hub.try_send(enter).map_err(|_| {
            Reject::new(Code::TooManyInFlight, "too many sockets ask for public streams; try again")
        })?;
        Ok(Membership { number, hub: hub.clone(), heard, ended })
    }
}

#[cfg(test)]
mod tests;

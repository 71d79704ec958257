//! Which connections to a venue a request may take, so that no kind of request can keep another out.

mod room;

use super::Errand;
use room::{Connection, Queues, Room};
use std::sync::Arc;
use tidegate_shaping::Payer;
use tidegate_types::limits::{MAX_IN_FLIGHT, MAX_QUEUED_READS};
use tidegate_types::reject::{Code, Reject};
use tidegate_venues::upstream::Connections;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// A venue's connections, by what they are for.
pub(super) struct Rooms {
    cancels: Arc<Room>,
    orders: Arc<Room>,
    reads: Arc<Room>,
    public: Arc<Room>,
    sockets: Arc<Semaphore>,
    own_sockets: Arc<Semaphore>,
}

/// A request's connection, and with it its place in the venue's queue of its account.
pub(super) struct Place {
    _connection: Connection,
}

/// A socket's place at the venue.
#[derive(Debug)]
pub(super) struct SocketPlace {
    _place: OwnedSemaphorePermit,
    /// From which of the desk's addresses.
    pub(super) from: usize,
}

impl Rooms {
    pub(super) fn new(most: Connections) -> Rooms {
        let queues = most.of_account.map(|most| Arc::new(Queues::new(most)));
        let queued = |room: Room| Arc::new(room.with_queues(queues.as_ref()));
        let rooms = Rooms {
            // The core bounds how many orders and cancels are under way.
            cancels: queued(Room::new(most.cancels, 4 * MAX_IN_FLIGHT).with_spare()),
            orders: queued(Room::new(most.orders, 4 * MAX_IN_FLIGHT).with_spare()),
            reads: queued(Room::new(most.reads, MAX_QUEUED_READS)),
            public: Arc::new(Room::new(most.public, MAX_QUEUED_READS)),
            sockets: Arc::new(Semaphore::new(most.sockets)),
            own_sockets: Arc::new(Semaphore::new(most.own_sockets)),
        };
        if let Some(queues) = queues {
            queues.are_of(&[&rooms.cancels, &rooms.orders, &rooms.reads]);
        }
        rooms
    }

    /// Waits for a connection; refused at once when too many wait already. A cancel that becomes a halt's meanwhile
    /// goes before those that are not.
    pub(super) async fn enter(
        &self,
        errand: &Errand<'_>,
        kill: Option<watch::Receiver<bool>>,
    ) -> Result<Place, Reject> {
        let (room, what) = self.room(errand);
        let killer = errand.account().map_or(Payer::Gateway, |of| Errand::Kill(of).line().1);
        let full = || Reject::new(Code::TooManyInFlight, format!("{what} of this venue"));
        let account = errand.account();
        let entered = room.enter(errand.line(), account, kill, killer).await;
        entered.map(|connection| Place { _connection: connection }).ok_or_else(full)
    }

    fn room(&self, errand: &Errand<'_>) -> (&Arc<Room>, &'static str) {
        match errand {
            Errand::Kill(_) | Errand::Cancel { .. } => (&self.cancels, "cancels"),
            Errand::Order { .. } | Errand::Upkeep(_) => (&self.orders, "orders"),
            Errand::Read { .. } => (&self.reads, "reads"),
            Errand::Public { .. } => (&self.public, "public reads"),
        }
    }

    /// How many more sockets of callers' there is a place for.
    pub(super) fn free_sockets(&self) -> usize {
        self.sockets.available_permits()
    }

    /// How many more of the gateway's own.
    pub(super) fn free_own_sockets(&self) -> usize {
        self.own_sockets.available_permits() + self.free_sockets()
    }

    /// A place for one more socket that callers share from this of the desk's addresses, if there is one.
    pub(super) fn socket(&self, from: usize) -> Result<SocketPlace, Reject> {
        place(&self.sockets, from).ok_or_else(|| {
            let detail = "the connections that the venue allows for public streams are in use";
            Reject::new(Code::TooManyInFlight, detail)
        })
    }

    /// A place for one more of the gateway's own: of those that are kept for it, or else of callers'.
    pub(super) fn own_socket(&self, from: usize) -> Option<SocketPlace> {
        place(&self.own_sockets, from).or_else(|| place(&self.sockets, from))
    }
}

fn place(sockets: &Arc<Semaphore>, from: usize) -> Option<SocketPlace> {
    let place = Arc::clone(sockets).try_acquire_owned().ok()?;
    Some(SocketPlace { _place: place, from })
}

#[cfg(test)]
mod tests;

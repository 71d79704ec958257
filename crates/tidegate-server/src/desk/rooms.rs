//! Which connections to a venue a request may take, so that no kind of request can keep another out.

use super::Errand;
use std::sync::Arc;
use tidegate_types::limits::{MAX_IN_FLIGHT, MAX_QUEUED_READS};
use tidegate_types::reject::{Code, Reject};
use tidegate_venues::upstream::Connections;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// A venue's connections, by what they are for.
pub(super) struct Rooms {
    cancels: Room,
    orders: Room,
    reads: Room,
    public: Room,
    sockets: Arc<Semaphore>,
}

struct Room {
    connections: Semaphore,
    /// One that the most urgent of them alone may take, beside the others.
    spare: Semaphore,
    /// Those that have a connection, and those that may wait for one.
    queue: Semaphore,
}

/// A request's connection.
pub(super) struct Place<'a> {
    _connection: SemaphorePermit<'a>,
    _queued: SemaphorePermit<'a>,
}

/// A public socket at the venue.
#[derive(Debug)]
pub(super) struct SocketPlace {
    _place: OwnedSemaphorePermit,
    /// From which of the desk's addresses.
    pub(super) from: usize,
}

impl Rooms {
    pub(super) fn new(most: Connections) -> Rooms {
        Rooms {
            // The core bounds how many orders and cancels are under way.
            cancels: Room::new(most.cancels, 4 * MAX_IN_FLIGHT),
            orders: Room::new(most.orders, 4 * MAX_IN_FLIGHT),
            reads: Room::of_equals(most.reads, MAX_QUEUED_READS),
            public: Room::of_equals(most.public, MAX_QUEUED_READS),
            sockets: Arc::new(Semaphore::new(most.sockets)),
        }
    }

    /// Waits for a connection; refused at once when too many wait already.
    pub(super) async fn enter(&self, errand: &Errand<'_>) -> Result<Place<'_>, Reject> {
        let (room, what) = self.room(errand);
        let urgent = matches!(errand, Errand::Kill(_) | Errand::Order { reduces: true, .. });
        let full = |_| Reject::new(Code::TooManyInFlight, format!("{what} of this venue"));
        let queued = room.queue.try_acquire().map_err(full)?;
        let closed = |_| Reject::new(Code::VenueUnreachable, "closed");
        let connection = tokio::select! {
            biased;
            connection = room.connections.acquire() => connection,
            connection = room.spare.acquire(), if urgent => connection,
        };
        let connection = connection.map_err(closed)?;
        Ok(Place { _connection: connection, _queued: queued })
    }

    fn room(&self, errand: &Errand<'_>) -> (&Room, &'static str) {
        match errand {
            Errand::Kill(_) | Errand::Cancel { .. } => (&self.cancels, "cancels"),
            Errand::Order { .. } | Errand::Upkeep(_) => (&self.orders, "orders"),
            Errand::Read { .. } => (&self.reads, "reads"),
            Errand::Public { .. } => (&self.public, "public reads"),
        }
    }

    /// How many more public sockets there is a place for.
    pub(super) fn free_sockets(&self) -> usize {
        self.sockets.available_permits()
    }

    /// A place for one more public socket from this of the desk's addresses, if there is one.
    pub(super) fn socket(&self, from: usize) -> Result<SocketPlace, Reject> {
        let full = |_| {
            let detail = "the connections that the venue allows for public streams are in use";
            Reject::new(Code::TooManyInFlight, detail)
        };
        let place = Arc::clone(&self.sockets).try_acquire_owned().map_err(full)?;
        Ok(SocketPlace { _place: place, from })
    }
}

impl Room {
    /// One where nobody is more urgent than others.
    fn of_equals(connections: usize, waiting: usize) -> Room {
        Room {
            connections: Semaphore::new(connections),
            spare: Semaphore::new(0),
            queue: Semaphore::new(connections + waiting),
        }
    }

    /// One where a connection is kept for the most urgent.
    fn new(connections: usize, waiting: usize) -> Room {
        let spare = usize::from(connections > 1);
        Room {
            connections: Semaphore::new(connections.saturating_sub(spare)),
            spare: Semaphore::new(spare),
            queue: Semaphore::new(connections + waiting),
        }
    }
}

#[cfg(test)]
mod tests;

//! Connections of one kind: the next that is free is the most urgent request's, and payers of the same rank take
//! turns.

use super::super::weir::killed;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tidegate_shaping::{Payer, Rank};
use tokio::sync::{oneshot, watch};

/// Some connections, and those that wait for one.
pub(super) struct Room {
    connections: usize,
    /// How many of them only the most urgent may take.
    spare: usize,
    /// How many may have one or wait for one.
    most: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    taken: usize,
    waiting: BTreeMap<Turn, Waiter>,
    /// The turn that each payer took last.
    last: BTreeMap<(Rank, Payer), u64>,
    /// The turn that was served last, by rank.
    served: BTreeMap<Rank, u64>,
    next: u64,
}

/// The least goes first: by rank, by how many turns its payer had, and by who came first.
type Turn = (Rank, u64, u64);

struct Waiter {
    payer: Payer,
    tell: oneshot::Sender<()>,
}

/// A connection, or a turn in the line for one. Dropped, it waits no more, or is free again.
pub(super) struct Connection {
    room: Arc<Room>,
    turn: Turn,
}

impl Room {
    /// So many connections, for which so many may wait.
    pub(super) fn new(connections: usize, waiting: usize) -> Room {
        Room { connections, spare: 0, most: connections + waiting, inner: Mutex::default() }
    }

    /// With one of them kept for the most urgent, where there are several: there is always one for the next of them
    /// until they have all.
    pub(super) fn with_spare(self) -> Room {
        Room { spare: usize::from(self.connections > 1), ..self }
    }

    /// Waits for a connection; none at once when too many wait already. A cancel that becomes a halt's while it waits
    /// waits as one from then on.
    pub(super) async fn enter(
        self: &Arc<Room>,
        (rank, payer): (Rank, Payer),
        kill: Option<watch::Receiver<bool>>,
        killer: Payer,
    ) -> Option<Connection> {
        let (mut connection, mut told) = {
            let mut inner = self.lock();
            if rank != Rank::Kill && inner.taken + inner.waiting.len() >= self.most {
                return None;
            }
            let (tell, told) = oneshot::channel();
            let turn = inner.line_up(rank, Waiter { payer, tell });
            self.serve(&mut inner);
            (Connection { room: Arc::clone(self), turn }, told)
        };
        tokio::select! {
            biased;
            _ = &mut told => {}
            () = killed(kill), if rank != Rank::Kill => {
                connection.hasten(killer);
                let _ = told.await;
            }
        }
        Some(connection)
    }

    /// Gives what is free to those whose turn it is.
    fn serve(&self, inner: &mut Inner) {
        while let Some((turn, _)) = inner.waiting.first_key_value() {
            let (rank, start, _) = *turn;
            let kept = if is_urgent(rank) { 0 } else { self.spare };
            if inner.taken + kept >= self.connections {
                return;
            }
            let Some((_, waiter)) = inner.waiting.pop_first() else { return };
            inner.served.insert(rank, start);
            inner.taken += 1;
            let _ = waiter.tell.send(());
        }
        // Who does not wait is not behind or ahead of anybody.
        (inner.last, inner.served) = Default::default();
    }

    fn free(&self, inner: &mut Inner) {
        inner.taken = inner.taken.saturating_sub(1);
        self.serve(inner);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn line_up(&mut self, rank: Rank, waiter: Waiter) -> Turn {
        let served = self.served.get(&rank).copied().unwrap_or(0);
        let last = self.last.entry((rank, waiter.payer.clone())).or_default();
        *last = served.max(*last) + 1;
        self.next += 1;
        let turn = (rank, *last, self.next);
        self.waiting.insert(turn, waiter);
        turn
    }
}

impl Connection {
    /// It is a halt's from now on, unless it was given a connection already.
    fn hasten(&mut self, payer: Payer) {
        let mut inner = self.room.lock();
        if let Some(waiter) = inner.waiting.remove(&self.turn) {
            self.turn = inner.line_up(Rank::Kill, Waiter { payer, ..waiter });
            self.room.serve(&mut inner);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut inner = self.room.lock();
        if inner.waiting.remove(&self.turn).is_none() {
            self.room.free(&mut inner);
        }
    }
}

/// Whether it may take what is spared for the most urgent: halts among cancels, what reduces among orders.
fn is_urgent(rank: Rank) -> bool {
    matches!(rank, Rank::Kill | Rank::Reduce)
}

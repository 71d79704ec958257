//! Connections of one kind: the next that is free is the most urgent request's, and payers of the same rank take
//! turns.

use super::super::weir::killed;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use tidegate_shaping::{Payer, Rank};
use tidegate_types::ids::AccountName;
use tokio::sync::{oneshot, watch};

/// How many requests of each account are unanswered, at a venue that queues no more than so many of one.
pub(super) struct Queues {
    most: usize,
    taken: Mutex<BTreeMap<AccountName, usize>>,
    /// In which those wait that take a place, the most urgent first.
    rooms: OnceLock<Vec<Weak<Room>>>,
}

impl Queues {
    pub(super) fn new(most: usize) -> Queues {
        Queues { most, taken: Mutex::default(), rooms: OnceLock::new() }
    }

    /// In these rooms, the most urgent first, they wait for a place.
    pub(super) fn are_of(&self, rooms: &[&Arc<Room>]) {
        let _ = self.rooms.set(rooms.iter().map(|room| Arc::downgrade(room)).collect());
    }

    /// Looks whether somebody who waits may go on.
    fn look(&self) {
        let rooms = self.rooms.get().into_iter().flatten().filter_map(Weak::upgrade);
        rooms.for_each(|room| room.look());
    }

    /// Takes a place in an account's queue, if there is one; whether there was.
    fn enter(&self, account: &AccountName) -> bool {
        let mut taken = self.lock();
        let there_is = taken.get(account).is_none_or(|here| *here < self.most);
        if there_is {
            *taken.entry(account.clone()).or_default() += 1;
        }
        there_is
    }

    fn leave(&self, account: &AccountName) {
        let mut taken = self.lock();
        if let Some(here) = taken.get_mut(account) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                taken.remove(account);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AccountName, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Some connections, and those that wait for one.
pub(super) struct Room {
    connections: usize,
    /// How many of them only the most urgent may take.
    spare: usize,
    /// How many may have one or wait for one.
    most: usize,
    /// Besides a connection a request needs a place in its account's queue.
    queues: Option<Arc<Queues>>,
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
    account: Option<AccountName>,
    tell: oneshot::Sender<()>,
}

/// A connection, or a turn in the line for one. Dropped, it waits no more, or is free again.
pub(super) struct Connection {
    room: Arc<Room>,
    account: Option<AccountName>,
    turn: Turn,
}

impl Room {
    /// So many connections, for which so many may wait.
    pub(super) fn new(connections: usize, waiting: usize) -> Room {
        let (spare, most, inner) = (0, connections + waiting, Mutex::default());
        Room { connections, spare, most, queues: None, inner }
    }

    /// With one of them kept for the most urgent, where there are several: there is always one for the next of them
    /// until they have all.
    pub(super) fn with_spare(self) -> Room {
        Room { spare: usize::from(self.connections > 1), ..self }
    }

    /// Where a venue queues no more than so many of an account, over all its rooms.
    pub(super) fn with_queues(self, queues: Option<&Arc<Queues>>) -> Room {
        Room { queues: queues.cloned(), ..self }
    }

    /// Waits for a connection; none at once when too many wait already. A cancel that becomes a halt's while it waits
    /// waits as one from then on.
    pub(super) async fn enter(
        self: &Arc<Room>,
        (rank, payer): (Rank, Payer),
        account: Option<&AccountName>,
        kill: Option<watch::Receiver<bool>>,
        killer: Payer,
    ) -> Option<Connection> {
        let (mut connection, mut told) = {
            let mut inner = self.lock();
            if rank != Rank::Kill && inner.taken + inner.waiting.len() >= self.most {
                return None;
            }
            let (tell, told) = oneshot::channel();
            let account = account.cloned();
            let waiter = Waiter { payer, account: account.clone(), tell };
            let turn = inner.line_up(rank, waiter);
            self.serve(&mut inner);
            (Connection { room: Arc::clone(self), account, turn }, told)
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

    /// Gives what is free to those whose turn it is. Whose account's queue is full is passed over.
    fn serve(&self, inner: &mut Inner) {
        while let Some(turn) = self.next(inner) {
            let Some(waiter) = inner.waiting.remove(&turn) else { return };
            let (rank, start, _) = turn;
            inner.served.insert(rank, start);
            inner.taken += 1;
            let _ = waiter.tell.send(());
        }
        if inner.waiting.is_empty() {
            // Who does not wait is not behind or ahead of anybody.
            (inner.last, inner.served) = Default::default();
        }
    }

    /// The first that a connection is free for, with a place in its account's queue taken.
    fn next(&self, inner: &Inner) -> Option<Turn> {
        let free =
            |rank| inner.taken + if is_urgent(rank) { 0 } else { self.spare } < self.connections;
        let mut may = inner.waiting.iter().take_while(|((rank, ..), _)| free(*rank));
        may.find(|(_, waiter)| self.queued(waiter.account.as_ref())).map(|(turn, _)| *turn)
    }

    fn queued(&self, account: Option<&AccountName>) -> bool {
        let queue = self.queues.as_ref().zip(account);
        queue.is_none_or(|(queues, account)| queues.enter(account))
    }

    /// Looks whether somebody who waits may go on.
    fn look(&self) {
        self.serve(&mut self.lock());
    }

    /// A connection is free again, and with it its account's place.
    fn free(&self, account: Option<&AccountName>) {
        {
            let mut inner = self.lock();
            inner.taken = inner.taken.saturating_sub(1);
        }
        match self.queues.as_ref().zip(account) {
            Some((queues, account)) => {
                queues.leave(account);
                queues.look();
            }
            None => self.look(),
        }
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
        let waits = self.room.lock().waiting.remove(&self.turn).is_some();
        if !waits {
            self.room.free(self.account.as_ref());
        }
    }
}

/// Whether it may take what is spared for the most urgent: halts among cancels, what reduces among orders.
fn is_urgent(rank: Rank) -> bool {
    matches!(rank, Rank::Kill | Rank::Reduce)
}

//! What waits to be written to all callers' sockets together. Where it is too much, whoever has let most of it pile
//! up is cut off, and nobody else.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// All callers' sockets.
#[derive(Debug)]
pub(super) struct Unsent {
    most: usize,
    /// What all of them owe, but for those that are cut off.
    total: AtomicUsize,
    debtors: Mutex<BTreeMap<u64, Arc<Debtor>>>,
    next: AtomicU64,
}

#[derive(Default, Debug)]
struct Debtor {
    bytes: AtomicUsize,
    cut_off: AtomicBool,
}

/// What waits to be written to one socket, until dropped.
#[derive(Debug)]
pub(super) struct Debt {
    unsent: Arc<Unsent>,
    number: u64,
    debtor: Arc<Debtor>,
}

impl Unsent {
    /// So many bytes at most.
    pub(super) fn new(most: usize) -> Arc<Unsent> {
        Arc::new(Unsent {
            most,
            total: AtomicUsize::new(0),
            debtors: Mutex::default(),
            next: AtomicU64::new(0),
        })
    }

    /// One more socket.
    pub(super) fn enter(self: &Arc<Unsent>) -> Debt {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let debtor = Arc::new(Debtor::default());
        let mut debtors = self.debtors.lock().unwrap_or_else(PoisonError::into_inner);
        debtors.insert(number, Arc::clone(&debtor));
        Debt { unsent: Arc::clone(self), number, debtor }
    }

    /// Cuts off the largest until the others owe no more than they may.
    fn cut_largest(&self) {
        let debtors = self.debtors.lock().unwrap_or_else(PoisonError::into_inner);
        while self.total.load(Ordering::Acquire) > self.most {
            let going = debtors.values().filter(|debtor| !debtor.is_cut_off());
            let owed = |debtor: &&Arc<Debtor>| debtor.bytes.load(Ordering::Acquire);
            let Some(largest) = going.max_by_key(owed) else { return };
            largest.cut_off.store(true, Ordering::Release);
            self.forgive(largest);
        }
    }

    fn forgive(&self, debtor: &Debtor) {
        let bytes = debtor.bytes.swap(0, Ordering::AcqRel);
        self.total.fetch_sub(bytes, Ordering::AcqRel);
    }
}

impl Debtor {
    fn is_cut_off(&self) -> bool {
        self.cut_off.load(Ordering::Acquire)
    }
}

impl Debt {
    /// So many more bytes wait.
    pub(super) fn owe(&self, bytes: usize) {
        self.debtor.bytes.fetch_add(bytes, Ordering::AcqRel);
        let total = self.unsent.total.fetch_add(bytes, Ordering::AcqRel).saturating_add(bytes);
        if self.is_cut_off() {
            self.unsent.forgive(&self.debtor);
        } else if total > self.unsent.most {
            self.unsent.cut_largest();
        }
    }

    /// So many do not wait any more.
    pub(super) fn pay(&self, bytes: usize) {
        let less = |owed: usize| Some(owed.saturating_sub(bytes));
        let owed = self.debtor.bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        let paid = owed.unwrap_or(0).min(bytes);
        self.unsent.total.fetch_sub(paid, Ordering::AcqRel);
    }

    /// None wait any more.
    pub(super) fn clear(&self) {
        self.unsent.forgive(&self.debtor);
    }

    /// Whether the socket is to be closed, because all together owe too much and this one owed most.
    pub(super) fn is_cut_off(&self) -> bool {
        self.debtor.is_cut_off()
    }
}

impl Drop for Debt {
    fn drop(&mut self) {
        self.clear();
        let mut debtors = self.unsent.debtors.lock().unwrap_or_else(PoisonError::into_inner);
        debtors.remove(&self.number);
    }
}

#[cfg(test)]
mod tests;

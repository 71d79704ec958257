//! What must be known of an account before it opens, seen from outside: the venue was asked for
//! everything, and for the trades of what was held or ordered, after the account's stream came.

use super::broken::Broken;
use super::world::Simulation;
use std::collections::BTreeMap;
use tidegate_core::event::Event;
use tidegate_core::state::State;
use tidegate_types::ids::{AccountName, InstrumentId};
use tidegate_types::report::{AccountSnapshot, FillReport};

/// How often an answer about trades may fail before the account opens without.
const TRIES: u32 = 5;

/// Of one life of the gateway.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    moment: u64,
    accounts: BTreeMap<AccountName, Gap>,
    /// When each question left.
    snapshots: BTreeMap<(AccountName, u64), u64>,
    trades: BTreeMap<(AccountName, u64), u64>,
    /// Whose snapshot is being handed over, and when it was asked for.
    hearing: Option<(AccountName, u64)>,
    before: BTreeMap<AccountName, Answer>,
}

/// A snapshot, and when it was asked for.
type Answer = (Option<u64>, AccountSnapshot);

#[derive(Debug, Default)]
struct Gap {
    /// When the stream came, if it is there.
    up: Option<u64>,
    /// Whose trades are to be read since, and how often that failed.
    owed: BTreeMap<InstrumentId, u32>,
}

impl Gaps {
    fn now(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }

    pub(super) fn asks_snapshot(&mut self, account: &AccountName, question: u64) {
        let now = self.now();
        self.snapshots.insert((account.clone(), question), now);
    }

    pub(super) fn asks_trades(&mut self, account: &AccountName, question: u64) {
        let now = self.now();
        self.trades.insert((account.clone(), question), now);
    }

    /// The answer before this one, for a gateway that takes that for it.
    fn one_before(&mut self, account: &AccountName, answer: Answer) -> Answer {
        self.before.insert(account.clone(), answer.clone()).unwrap_or(answer)
    }

    /// The core is about to take an event.
    pub(super) fn takes(&mut self, event: &Event, state: &State) {
        let now = self.now();
        match event {
            Event::StreamUp { account } => {
                let known = state.accounts().get(account);
                let begun = known.is_some_and(|known| known.taken_over.is_some());
                let books = state.positions().books(account).filter(|_| begun);
                let owed = books.map(|(instrument, _)| (instrument.clone(), 0)).collect();
                self.accounts.insert(account.clone(), Gap { up: Some(now), owed });
            }
            Event::StreamDown { account, .. } => {
                self.accounts.remove(account);
            }
            _ => {}
        }
    }

    fn trades_read(
        &mut self,
        account: &AccountName,
        question: u64,
        instrument: &InstrumentId,
        read: bool,
    ) {
        let asked = self.trades.remove(&(account.clone(), question));
        let Some(gap) = self.accounts.get_mut(account) else { return };
        if asked.is_none() || asked <= gap.up {
            return;
        }
        if let Some(failed) = gap.owed.get_mut(instrument) {
            *failed += 1;
            if read || *failed >= TRIES {
                gap.owed.remove(instrument);
            }
        }
    }

    /// Whether an account may open now.
    pub(super) fn opens(&self, account: &AccountName) -> Result<(), String> {
        let gap = self.accounts.get(account);
        let gap = gap.ok_or_else(|| format!("{account} opens without its stream"))?;
        let asked = self.hearing.as_ref().filter(|(of, _)| of == account).map(|(_, asked)| *asked);
        if asked.is_none() || asked <= gap.up {
            return Err(format!("{account} opens on what was asked before its stream came"));
        }
        match gap.owed.keys().next() {
            Some(instrument) => {
                Err(format!("{account} opens, and nobody read the trades of {instrument}"))
            }
            None => Ok(()),
        }
    }
}

impl Simulation {
    /// A snapshot is there, or cannot be had.
    pub(super) fn snapshot_is_read(
        &mut self,
        account: AccountName,
        question: u64,
        result: Result<AccountSnapshot, String>,
    ) {
        let asked = self.gaps.snapshots.get(&(account.clone(), question)).copied();
        let (asked, result) = match result {
            Ok(snapshot) if self.broken(Broken::TakesOldAnswers) => {
                let (asked, snapshot) = self.gaps.one_before(&account, (asked, snapshot));
                (asked, Ok(snapshot))
            }
            other => (asked, other),
        };
        self.gaps.hearing = asked.filter(|_| result.is_ok()).map(|asked| (account.clone(), asked));
        self.give(Event::Snapshot { account, question, result });
        self.gaps.hearing = None;
    }

    /// An instrument's trades are read, or cannot be.
    pub(super) fn trades_are_read(
        &mut self,
        account: AccountName,
        question: u64,
        instrument: InstrumentId,
        result: Result<Vec<FillReport>, String>,
    ) {
        self.gaps.trades_read(&account, question, &instrument, result.is_ok());
        self.give(Event::Trades { account, question, instrument, result });
    }
}

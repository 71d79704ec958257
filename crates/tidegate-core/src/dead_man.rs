//! The venues' own dead-man timers, for Tidegate's own death: while an account has open orders that
//! Tidegate placed, the venue is told to cancel everything of their instruments after a while, and
//! told so again before that. Off unless the account's limits say how long.

use crate::Core;
use crate::action::Action;
use crate::timers::Timer;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::grant::AccountLimits;
use tidegate_types::ids::{AccountName, InstrumentId};
use tidegate_types::limits::{MAX_DEAD_MAN, MIN_DEAD_MAN};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};

/// Feedings in the time after which the venue cancels: two may fail.
const FEEDINGS: u64 = 3;

/// The timers that the venues were told to start; forgotten at a restart and started anew.
#[derive(Debug, Default)]
pub(crate) struct DeadMan {
    started: BTreeMap<AccountName, BTreeSet<InstrumentId>>,
}

impl Core {
    /// Whether the venue of an account can do what its limits say.
    pub(crate) fn may_have_dead_man(&self, limits: &AccountLimits) -> Result<(), Reject> {
        let (dead_man, account) = (limits.dead_man, &limits.account);
        if dead_man == Span::ZERO {
            return Ok(());
        }
        let venue = self.state.accounts.get(account).map(|account| &account.venue);
        if !venue.is_some_and(|venue| self.settings.dead_man_venues.contains(venue)) {
            let detail = format!("the venue of {account} has no timer that cancels all orders");
            return Err(Reject::new(Code::BadParameter, detail));
        }
        if dead_man < MIN_DEAD_MAN || dead_man > MAX_DEAD_MAN {
            let (least, most) = (MIN_DEAD_MAN.millis() / 1000, MAX_DEAD_MAN.millis() / 1000);
            let detail = format!("a dead-man timer below {least} s or above {most} s");
            return Err(Reject::new(Code::OutOfRange, detail));
        }
        Ok(())
    }

    /// An order is about to be placed: a timer that does not run yet starts with it.
    pub(crate) fn start_dead_man(
        &mut self,
        account: &AccountName,
        instrument: &InstrumentId,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let after = self.dead_man_of(account);
        if after == Span::ZERO {
            return;
        }
        let started = self.dead_man.started.get(account);
        if started.is_some_and(|started| started.contains(instrument)) {
            return;
        }
        self.tell_dead_man(account, instrument.clone(), after, now, out);
        self.timers.set_if_sooner(Timer::DeadMan(account.clone()), now.plus(third(after)));
    }

    /// Feeds the timers of the instruments that still have open orders, and stops the others.
    pub(crate) fn feed_dead_man(
        &mut self,
        account: &AccountName,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let after = self.dead_man_of(account);
        let wanted: BTreeSet<InstrumentId> = if after == Span::ZERO {
            BTreeSet::new()
        } else {
            let own = self.state.orders.open_of(account).filter(|order| !order.is_foreign());
            own.map(|order| order.request.instrument.clone()).collect()
        };
        let started = self.dead_man.started.remove(account).unwrap_or_default();
        for instrument in started.difference(&wanted) {
            self.tell_dead_man(account, instrument.clone(), Span::ZERO, now, out);
        }
        if wanted.is_empty() {
            return self.timers.clear(&Timer::DeadMan(account.clone()));
        }
        for instrument in wanted {
            self.tell_dead_man(account, instrument, after, now, out);
        }
        self.timers.set(Timer::DeadMan(account.clone()), now.plus(third(after)));
    }

    /// A feeding did not arrive, as far as is known: it is tried again in a quarter of the time.
    pub(crate) fn dead_man_unfed(&mut self, account: AccountName, now: Time) {
        if self.dead_man.started.contains_key(&account) {
            let wait = third(self.dead_man_of(&account)).micros() / 4;
            let at = now.plus(Span::from_micros(wait));
            self.timers.set_if_sooner(Timer::DeadMan(account), at);
        }
    }

    /// After a restart: the orders that are open are watched over at once.
    pub(crate) fn dead_man_again(&mut self, now: Time) {
        let wanting = self.state.limits.values().filter(|limits| limits.dead_man != Span::ZERO);
        for account in wanting.map(|limits| limits.account.clone()).collect::<Vec<_>>() {
            self.timers.set(Timer::DeadMan(account), now);
        }
    }

    fn dead_man_of(&self, account: &AccountName) -> Span {
        self.state.limits.get(account).map_or(Span::ZERO, |limits| limits.dead_man)
    }

    fn tell_dead_man(
        &mut self,
        account: &AccountName,
        instrument: InstrumentId,
        after: Span,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        if after != Span::ZERO {
            let started = self.dead_man.started.entry(account.clone()).or_default();
            started.insert(instrument.clone());
        }
        let journalled = self.journal_dead_man(account.clone(), instrument, after, now, out);
        self.sign(journalled, None, now, out);
    }
}

fn third(after: Span) -> Span {
    Span::from_micros(after.micros() / FEEDINGS)
}

//! Trades that the stream did not tell: read from the venue after a gap, where a position differs, and
//! for orders of which more is known to have traded than trades are known. They are recorded like those of
//! the stream, each once.

use crate::Core;
use crate::action::Action;
use crate::told::find_filled;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::ids::{AccountName, InstrumentId, OrderId};
use tidegate_types::report::{AccountEvent, FillReport};
use tidegate_types::time::{Span, Time};

/// Instruments whose trades are read at once, at most: each costs some of the venue's rate limit.
const MOST: usize = 20;
/// Orders without trades that are remembered until the next comparison.
const MOST_ORDERS: usize = 1_000;
/// How often an answer that does not come is asked for before the account goes on without.
const TRIES: u32 = 5;
/// A trade's own message may take this long.
const STREAM_DELAY: Span = Span::from_secs(2);
/// How far the venue's clock may differ.
const CLOCKS: Span = Span::from_secs(10);
/// How far back a venue answers such a question in one go.
const REACH: Span = Span::from_secs(6 * 24 * 3600);

/// Whose trades are to be read.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    /// What was held or ordered when the stream went, and from when on trades there may be unknown.
    gap: BTreeMap<InstrumentId, Time>,
    owed: BTreeMap<InstrumentId, Owed>,
    /// Of these, those that are being read: the number of the question, and from when on it asks.
    reading: BTreeMap<InstrumentId, (u64, Time)>,
    /// How many questions there were.
    asked: u64,
    /// The first of them since the stream came: an answer to an earlier one may lack what happened in
    /// the gap.
    up: u64,
    /// Ended orders that may lack trades.
    short: BTreeSet<OrderId>,
}

/// Trades of an instrument that are wanted.
#[derive(Debug)]
struct Owed {
    since: Time,
    /// How often they could not be read.
    tries: u32,
    /// They could not be read just now, and are asked for again at the next comparison.
    waits: bool,
}

impl Readings {
    /// Whether there is nothing to be read any more.
    pub(crate) fn are_done(&self) -> bool {
        self.owed.is_empty()
    }

    /// Whether the trades of an instrument are still to be read.
    pub(crate) fn owe(&self, instrument: &InstrumentId) -> bool {
        self.owed.contains_key(instrument)
    }

    /// How many instruments' trades are still to be read.
    pub(crate) fn left(&self) -> usize {
        self.owed.len()
    }

    /// A position is the venue's from now on: what was traded before is in it, and an answer that is on
    /// its way does not add it again.
    pub(crate) fn corrected(&mut self, instrument: &InstrumentId, now: Time) {
        self.gap.remove(instrument);
        self.reading.remove(instrument);
        if let Some(owed) = self.owed.get_mut(instrument) {
            (owed.since, owed.waits) = (now, true);
        }
    }

    fn want(&mut self, instrument: &InstrumentId, since: Time) {
        let fresh = || Owed { since, tries: 0, waits: false };
        let owed = self.owed.entry(instrument.clone()).or_insert_with(fresh);
        (owed.since, owed.waits) = (owed.since.min(since), false);
    }

    /// The next question, if one is due and not too many are out.
    fn next(&mut self) -> Option<(InstrumentId, u64, Time)> {
        if self.reading.len() >= MOST {
            return None;
        }
        let mut due = self.owed.iter().filter(|(_, owed)| !owed.waits);
        let (instrument, owed) = due.find(|(id, _)| !self.reading.contains_key(*id))?;
        let (instrument, question, since) = (instrument.clone(), self.asked, owed.since);
        self.asked += 1;
        self.reading.insert(instrument.clone(), (question, since));
        Some((instrument, question, since))
    }

    /// A question is answered, or cannot be. Whether it was asked since the stream is there, and from when on it
    /// asked; `None` when nobody waits for it any more.
    fn answered(
        &mut self,
        instrument: &InstrumentId,
        question: u64,
        failed: bool,
    ) -> Option<(bool, Time)> {
        let (_, since) = *self.reading.get(instrument).filter(|(number, _)| *number == question)?;
        self.reading.remove(instrument);
        let counts = question >= self.up;
        if let Some(owed) = self.owed.get_mut(instrument).filter(|_| counts) {
            (owed.tries, owed.waits) = (owed.tries + 1, true);
            if !failed || owed.tries >= TRIES {
                self.owed.remove(instrument);
            }
        }
        Some((counts, since))
    }
}

impl Core {
    /// The stream is gone, or was not there before the start: notes which trades it may not tell.
    pub(crate) fn gap_begins(&mut self, account: &AccountName, now: Time) {
        let books = self.state.positions.books(account);
        let since = |id: &InstrumentId| Some((id.clone(), self.trades_since(account, id, now)?));
        let unsure: Vec<_> = books.filter_map(|(instrument, _)| since(instrument)).collect();
        let watch = self.watches.entry(account.clone()).or_default();
        for (instrument, since) in unsure {
            let first = watch.readings.gap.entry(instrument).or_insert(since);
            *first = since.min(*first);
        }
    }

    /// There was a gap: the trades are wanted of all that is or was held or ordered there.
    pub(crate) fn read_after_gap(
        &mut self,
        account: &AccountName,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        self.gap_begins(account, now);
        let Some(watch) = self.watches.get_mut(account) else { return };
        let readings = &mut watch.readings;
        readings.up = readings.asked;
        for (instrument, since) in std::mem::take(&mut readings.gap) {
            readings.want(&instrument, since);
        }
        // What could not be read of an earlier gap says nothing about this one.
        readings.owed.values_mut().for_each(|owed| owed.tries = 0);
        self.read_wanted(account, now, out);
    }

    /// Reads an instrument's trades, unless that is under way; after others when too much is.
    pub(crate) fn want_trades(
        &mut self,
        account: &AccountName,
        instrument: &InstrumentId,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(since) = self.trades_since(account, instrument, now) else { return };
        if let Some(watch) = self.watches.get_mut(account) {
            watch.readings.want(instrument, since);
        }
        self.read_wanted(account, now, out);
    }

    /// Asks as much as may be asked at once.
    fn read_wanted(&mut self, account: &AccountName, now: Time, out: &mut Vec<Action>) {
        let Some(watch) = self.watches.get_mut(account) else { return };
        while let Some((instrument, question, since)) = watch.readings.next() {
            let (account, since) = (account.clone(), since.max(now.minus(REACH)));
            out.push(Action::ReadTrades { account, question, instrument, since });
        }
    }

    /// From when on trades may be unknown; nothing of before the account was taken over counts.
    fn trades_since(
        &self,
        account: &AccountName,
        instrument: &InstrumentId,
        now: Time,
    ) -> Option<Time> {
        let known = self.state.accounts.get(account)?;
        let begun = known.taken_over?;
        let last = known.traded.get(instrument).copied().unwrap_or(begun.minus(CLOCKS));
        let short = self.watches.get(account).into_iter().flat_map(|w| &w.readings.short);
        let ended = short.filter_map(|id| self.state.orders.get(*id));
        let lacking = self.state.orders.open_of(account).chain(ended);
        let lacking = lacking.filter(|o| o.request.instrument == *instrument && o.lacks_trades());
        let first = lacking.map(|order| order.placed.minus(CLOCKS)).min();
        Some(first.map_or(last, |first| first.min(last)).max(now.minus(REACH)))
    }

    /// An order ended: if trades of it are not known, they will be asked for.
    pub(crate) fn note_short(&mut self, id: OrderId) {
        let Some(order) = self.state.orders.get(id).filter(|order| order.lacks_trades()) else {
            return;
        };
        if let Some(watch) = self.watches.get_mut(&order.account)
            && watch.readings.short.len() < MOST_ORDERS
        {
            watch.readings.short.insert(id);
        }
    }

    /// Before two are compared: reads what orders lack that are told of for a while, and what could
    /// not be read before.
    pub(crate) fn read_short(&mut self, account: &AccountName, now: Time, out: &mut Vec<Action>) {
        let Some(watch) = self.watches.get(account) else { return };
        let ended = watch.readings.short.iter().filter_map(|id| self.state.orders.get(*id));
        let lacking = self.state.orders.open_of(account).chain(ended);
        let late = lacking.filter(|o| o.lacks_trades() && now > o.changed.plus(STREAM_DELAY));
        let late = late.map(|order| &order.request.instrument);
        let wanted: BTreeSet<InstrumentId> =
            late.chain(watch.readings.owed.keys()).cloned().collect();
        for instrument in wanted {
            self.want_trades(account, &instrument, now, out);
        }
    }

    pub(crate) fn on_trades(
        &mut self,
        account: &AccountName,
        question: u64,
        instrument: &InstrumentId,
        result: Result<Vec<FillReport>, String>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(watch) = self.watches.get_mut(account) else { return };
        let failed = result.is_err();
        let Some((counts, since)) = watch.readings.answered(instrument, question, failed) else {
            return;
        };
        let fills = result.unwrap_or_default();
        let last = fills.iter().map(|fill| fill.at).max();
        let found = self.take_in(account, fills, now, out);
        if let Some(last) = last.filter(|last| (found || *last > since) && counts) {
            // There may be more than one answer holds, known ones first, and what came meanwhile.
            if let Some(watch) = self.watches.get_mut(account) {
                watch.readings.want(instrument, last);
            }
        } else if !failed && counts {
            self.forget_short(account, instrument);
        }
        self.read_wanted(account, now, out);
        // A position that differs is looked at again in its own time.
        if self.watches.get(account).is_some_and(|watch| watch.suspects.is_empty()) {
            self.may_open(account, now, out);
        }
    }

    /// Records the trades that are news; whether there were any.
    fn take_in(
        &mut self,
        account: &AccountName,
        fills: Vec<FillReport>,
        now: Time,
        out: &mut Vec<Action>,
    ) -> bool {
        let mut found = false;
        for fill in fills {
            // It may be of an order whose id the venue has not told yet: that is found out first.
            let nameless = find_filled(&self.state, account, &fill).is_none()
                && self.state.orders.open_of(account).any(|o| o.may_have(&fill.instrument));
            if !nameless {
                found |= self.streamed(account.clone(), AccountEvent::Fill { fill }, now, out);
            }
        }
        found
    }

    /// The venue has no more trades of an instrument than are known.
    fn forget_short(&mut self, account: &AccountName, instrument: &InstrumentId) {
        let of = |id: &OrderId| {
            let order = self.state.orders.get(*id);
            order.is_some_and(|order| order.request.instrument != *instrument)
        };
        if let Some(watch) = self.watches.get_mut(account) {
            watch.readings.short.retain(of);
        }
    }
}

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
    /// Instruments whose trades are wanted, and how often that failed.
    owed: BTreeMap<InstrumentId, u32>,
    /// Of these, those that are being read.
    reading: BTreeSet<InstrumentId>,
    /// Ended orders that may lack trades.
    short: BTreeSet<OrderId>,
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
}

impl Core {
    /// There was a gap: reads the trades of what is held and ordered there.
    pub(crate) fn read_after_gap(
        &mut self,
        account: &AccountName,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let books = self.state.positions.books(account).take(MOST);
        let held: Vec<InstrumentId> = books.map(|(instrument, _)| instrument.clone()).collect();
        for instrument in held {
            self.want_trades(account, &instrument, now, out);
        }
    }

    /// Reads an instrument's trades, unless that is under way or too much is.
    pub(crate) fn want_trades(
        &mut self,
        account: &AccountName,
        instrument: &InstrumentId,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        if let Some(since) = self.trades_since(account, instrument, now) {
            self.read_trades(account, instrument, since, out);
        }
    }

    fn read_trades(
        &mut self,
        account: &AccountName,
        instrument: &InstrumentId,
        since: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(watch) = self.watches.get_mut(account) else { return };
        let readings = &mut watch.readings;
        readings.owed.entry(instrument.clone()).or_default();
        if readings.reading.len() >= MOST || !readings.reading.insert(instrument.clone()) {
            return;
        }
        let (account, instrument) = (account.clone(), instrument.clone());
        out.push(Action::ReadTrades { account, instrument, since });
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
        instrument: &InstrumentId,
        result: Result<Vec<FillReport>, String>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(watch) = self.watches.get_mut(account) else { return };
        let readings = &mut watch.readings;
        if !readings.reading.remove(instrument) {
            return;
        }
        let failed = result.is_err();
        if let Some(tries) = readings.owed.get_mut(instrument) {
            *tries += 1;
            if !failed || *tries >= TRIES {
                readings.owed.remove(instrument);
            }
        }
        let fills = result.unwrap_or_default();
        let last = fills.iter().map(|fill| fill.at).max();
        let found = self.take_in(account, fills, now, out);
        if let Some(last) = last.filter(|_| found) {
            // There may be more than one answer holds, and what came meanwhile.
            self.read_trades(account, instrument, last, out);
        } else if !failed {
            self.forget_short(account, instrument);
        }
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

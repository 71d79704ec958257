//! Accounts: closed until what the venue shows and what the journal says agree, and compared again
//! now and then.
//!
//! A snapshot is made of several requests and crosses what is in flight, so it proves little on its
//! own: an order that is missing from it is asked for by itself, and a position that differs is
//! corrected only when a second snapshot, a second later, shows the same difference.
//!
//! Questions are numbered. When the stream comes back, what was asked before is asked anew, and the
//! earlier answer is passed over: it may be from before the gap, and would open an account on it.

use crate::Core;
use crate::action::Action;
use crate::balances::{Look, Uneven};
use crate::orders::Stage;
use crate::timers::{Backoff, Timer};
use crate::told::{find_filled, find_reported};
use crate::trades::Readings;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_types::ids::{AccountName, InstrumentId, OrderId};
use tidegate_types::instrument::SignedQty;
use tidegate_types::record::Body;
use tidegate_types::report::{AccountEvent, AccountSnapshot, PositionReport, Shown};
use tidegate_types::time::{Span, Time};

const EVERY: Span = Span::from_secs(30);
const SOON: Span = Span::from_secs(1);
/// Snapshots are dear at a venue: what the stream tells in passing starts one this often at most.
const OFTEN: Span = Span::from_secs(5);
const LOST: Span = Span::from_secs(60);
/// An account that could not be compared for so long is closed: what the stream left out, nobody would know.
const UNCOMPARED: Span = Span::from_secs(120);
/// Rows in one record, so that it stays below the longest a record may be.
pub(crate) const ROWS: usize = 100;

/// A position that differed in a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Suspect {
    shown: SignedQty,
    counted: SignedQty,
    since: Time,
}

/// What is known of an account besides its records.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    up: bool,
    /// When a snapshot was asked for that has not come, and its number. While the stream is there, that
    /// was after it came.
    asked: Option<(Time, u64)>,
    again: bool,
    last: Time,
    /// When a snapshot was last compared.
    compared: Option<Time>,
    backoff: Backoff,
    /// Waits between snapshots that do not agree with what is known.
    patience: Backoff,
    pub(crate) suspects: BTreeMap<InstrumentId, Suspect>,
    /// Balances that differed in a snapshot.
    pub(crate) uneven: Uneven,
    /// Why the last question was not answered.
    pub(crate) failed: Option<String>,
    pub(crate) readings: Readings,
}

impl Watch {
    /// Whether the account's private stream is there.
    pub(crate) fn is_up(&self) -> bool {
        self.up
    }
}

impl Core {
    pub(crate) fn stream_up(&mut self, account: &AccountName, now: Time, out: &mut Vec<Action>) {
        self.watches.entry(account.clone()).or_default().up = true;
        self.read_after_gap(account, now, out);
        self.ask_anew(account, now, out);
    }

    pub(crate) fn stream_down(
        &mut self,
        account: &AccountName,
        why: String,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        self.watches.entry(account.clone()).or_default().up = false;
        self.gap_begins(account, now);
        if self.state.accounts.get(account).is_some_and(|account| account.open) {
            self.append(Body::Closed { account: account.clone(), why }, now, out);
        }
    }

    /// Asks for a snapshot that begins now.
    pub(crate) fn ask(&mut self, account: &AccountName, now: Time, out: &mut Vec<Action>) {
        let watch = self.watches.entry(account.clone()).or_default();
        if watch.asked.is_some() {
            watch.again = true;
            return;
        }
        let question = self.snapshots_asked;
        watch.asked = Some((now, question));
        self.snapshots_asked += 1;
        watch.last = now;
        self.timers.set(Timer::Account(account.clone()), now.plus(LOST));
        out.push(Action::Reconcile { account: account.clone(), question });
    }

    /// Asks also when an earlier question is not answered; its answer is passed over should it come.
    pub(crate) fn ask_anew(&mut self, account: &AccountName, now: Time, out: &mut Vec<Action>) {
        if let Some(watch) = self.watches.get_mut(account) {
            (watch.asked, watch.again) = (None, false);
        }
        self.close_uncompared(account, now, out);
        self.ask(account, now, out);
    }

    pub(crate) fn on_snapshot(
        &mut self,
        account: &AccountName,
        question: u64,
        result: Result<AccountSnapshot, String>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(watch) = self.watches.get_mut(account) else { return };
        let Some((asked, _)) = watch.asked.take_if(|(_, number)| *number == question) else {
            return;
        };
        let again = std::mem::take(&mut watch.again);
        match result {
            Err(why) => {
                watch.failed = Some(why);
                let at = now.plus(watch.backoff.step());
                self.timers.set(Timer::Account(account.clone()), at);
                self.close_uncompared(account, now, out);
            }
            Ok(snapshot) => {
                watch.backoff = Backoff::default();
                (watch.failed, watch.compared) = (None, Some(now));
                self.compare(account, &snapshot, asked, now, out);
                self.halts_saw(account, &snapshot, question, now);
                self.flattenings_saw(account, &snapshot, question, now);
                if again {
                    self.ask(account, now, out);
                }
            }
        }
    }

    /// Closes an account of which no snapshot could be compared for too long. It opens as after a break of its stream.
    fn close_uncompared(&mut self, account: &AccountName, now: Time, out: &mut Vec<Action>) {
        let Some(watch) = self.watches.get(account) else { return };
        let since = watch.compared.map_or(Span::ZERO, |compared| now.since(compared));
        let open = self.state.accounts.get(account).is_some_and(|account| account.open);
        if open && watch.up && since > UNCOMPARED {
            let why = watch.failed.as_deref().unwrap_or("the venue does not answer");
            let (account, seconds) = (account.clone(), since.millis() / 1_000);
            let why = format!("not compared with the venue for {seconds} s: {why}");
            self.append(Body::Closed { account, why }, now, out);
        }
    }

    fn compare(
        &mut self,
        account: &AccountName,
        snapshot: &AccountSnapshot,
        asked: Time,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Some(known) = self.state.accounts.get(account) else { return };
        let closed = !known.open;
        let missing = self.missing(account, snapshot, asked);
        for id in &missing {
            self.doubt(*id, now);
        }
        let corrected = self.corrections(account, snapshot, asked, now);
        let suspects = self.watches.get(account).into_iter().flat_map(|w| w.suspects.keys());
        for instrument in suspects.cloned().collect::<Vec<_>>() {
            self.want_trades(account, &instrument, now, out);
        }
        self.record_snapshot(account, snapshot, corrected, closed, now, out);
        self.read_short(account, now, out);
        let unsure = self.is_unsure(account);
        let look = Look { asked, now, after_gap: closed, unsure };
        self.compare_balances(account, &snapshot.balances, look, out);
        self.margins_shown(account, &snapshot.margins, now, out);
        self.settlements_shown(account, &snapshot.settlements, now, out);
        let Some(watch) = self.watches.get_mut(account) else { return };
        let same = watch.suspects.is_empty() && watch.uneven.is_empty();
        let agreed = same && watch.readings.are_done() && !unsure;
        let up = watch.up;
        let wait = if agreed { EVERY } else { watch.patience.step().max(SOON) };
        if agreed {
            watch.patience = Backoff::default();
        }
        if closed && up && agreed {
            self.append(Body::Opened { account: account.clone() }, now, out);
        }
        if up {
            self.timers.set(Timer::Account(account.clone()), now.plus(wait));
        } else {
            self.timers.clear(&Timer::Account(account.clone()));
        }
    }

    /// Whether there is an order of the account that the venue has not been heard about. One that it
    /// does not have may still arrive until its deadline has passed; that keeps what it reserves,
    /// and keeps nobody waiting.
    pub(crate) fn is_unsure(&self, account: &AccountName) -> bool {
        self.state.orders.open_of(account).any(|order| {
            (order.stage == Stage::Unknown || self.doubts.contains(order.id))
                && !self.doubts.was_not_there(order.id)
        })
    }

    /// Asks for the snapshot that may open an account, once it waits for no order any more.
    pub(crate) fn may_open(&mut self, account: &AccountName, now: Time, out: &mut Vec<Action>) {
        let closed = self.state.accounts.get(account).is_some_and(|known| !known.open);
        let waits = |w: &Watch| w.up && w.asked.is_none() && w.readings.are_done();
        let waits = self.watches.get(account).is_some_and(waits);
        if closed && waits && !self.is_unsure(account) {
            self.ask(account, now, out);
        }
    }

    /// Orders that were live before the venue was asked, and that it does not show.
    fn missing(
        &self,
        account: &AccountName,
        snapshot: &AccountSnapshot,
        asked: Time,
    ) -> Vec<OrderId> {
        let rows = snapshot.orders.iter();
        let shown: BTreeSet<OrderId> =
            rows.filter_map(|row| find_reported(&self.state, account, row)).collect();
        let live = self.state.orders.open_of(account);
        let live = live.filter(|order| order.stage == Stage::Live && order.changed < asked);
        live.map(|order| order.id).filter(|id| !shown.contains(id)).collect()
    }

    /// Positions that differ as they did before, while no order there is in doubt.
    fn corrections(
        &mut self,
        account: &AccountName,
        snapshot: &AccountSnapshot,
        asked: Time,
        now: Time,
    ) -> Vec<PositionReport> {
        let shown = snapshot.positions.iter().map(|p| (p.instrument.clone(), p.qty));
        let mut differ: BTreeMap<InstrumentId, SignedQty> = shown.collect();
        let entries = snapshot.positions.iter().map(|p| (&p.instrument, p.entry));
        let mut entries: BTreeMap<_, _> = entries.collect();
        // What was made until a settlement is in the wallet.
        entries.extend(snapshot.settlements.iter().map(|s| (&s.instrument, Some(s.price))));
        for (instrument, _) in self.state.positions.books(account) {
            differ.entry(instrument.clone()).or_default();
        }
        let in_doubt: BTreeSet<&InstrumentId> = self
            .state
            .orders
            .open_of(account)
            .filter(|order| order.stage != Stage::Live || self.doubts.contains(order.id))
            .map(|order| &order.request.instrument)
            .collect();
        let Some(watch) = self.watches.get_mut(account) else { return Vec::new() };
        let before = std::mem::take(&mut watch.suspects);
        let mut corrected = Vec::new();
        for (instrument, shown) in differ {
            let counted = self.state.positions.book(account, &instrument).position();
            if counted == shown {
                continue;
            }
            let earlier =
                before.get(&instrument).filter(|s| s.shown == shown && s.counted == counted);
            let same = earlier.is_some_and(|s| asked >= s.since.plus(SOON));
            // Trades may explain it; the account does not wait for them for ever.
            let patient = earlier.is_some_and(|s| now < s.since.plus(LOST));
            let read = !watch.readings.owe(&instrument) || !patient;
            if same && read && !in_doubt.contains(&instrument) {
                watch.readings.corrected(&instrument, now);
                let entry = entries.get(&instrument).copied().flatten();
                corrected.push(PositionReport { instrument, qty: shown, entry });
            } else {
                let since = earlier.map_or(now, |s| s.since);
                watch.suspects.insert(instrument, Suspect { shown, counted, since });
            }
        }
        corrected
    }

    /// Records what the venue shows: all of it before an account opens, later only what is new.
    fn record_snapshot(
        &mut self,
        account: &AccountName,
        snapshot: &AccountSnapshot,
        corrected: Vec<PositionReport>,
        closed: bool,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let news = |row: &&tidegate_types::report::OrderReport| {
            closed
                || match find_reported(&self.state, account, row) {
                    Some(id) => self.state.orders.get(id).is_some_and(|order| order.news_in(row)),
                    None => row.state.is_live(),
                }
        };
        let rows: Vec<_> = snapshot.orders.iter().filter(news).cloned().collect();
        let positions = if closed { snapshot.positions.clone() } else { Vec::new() };
        if !closed && rows.is_empty() && corrected.is_empty() {
            return;
        }
        let parts = rows.len().max(positions.len()).max(corrected.len()).div_ceil(ROWS).max(1);
        for part in 0..parts {
            let body = Body::Reconciled {
                account: account.clone(),
                snapshot: Shown { orders: nth(&rows, part), positions: nth(&positions, part) },
                corrected: nth(&corrected, part),
            };
            self.append(body, now, out);
        }
        for id in rows
            .iter()
            .filter_map(|row| find_reported(&self.state, account, row))
            .collect::<Vec<_>>()
        {
            self.settled(id, now, out);
        }
    }

    /// Records what the stream told; whether it was news.
    pub(crate) fn streamed(
        &mut self,
        account: AccountName,
        event: AccountEvent,
        now: Time,
        out: &mut Vec<Action>,
    ) -> bool {
        let (order, news) = match &event {
            AccountEvent::Order { report } => {
                let id = find_reported(&self.state, &account, report);
                let known = id.and_then(|id| self.state.orders.get(id));
                (id, known.map_or(report.state.is_live(), |order| order.news_in(report)))
            }
            AccountEvent::Fill { fill } => {
                let id = find_filled(&self.state, &account, fill);
                let known = id.and_then(|id| self.state.orders.get(id));
                let news = match known {
                    Some(order) => !order.trades.contains_key(&fill.trade_id),
                    None => {
                        !self.state.alarms.knows(&account, fill)
                            && !self.state.has_forgotten(&account, fill)
                    }
                };
                (id, news)
            }
            AccountEvent::Position { position } => {
                let counted = self.state.positions.book(&account, &position.instrument).position();
                if counted != position.qty {
                    self.compare_soon(&account, now);
                }
                return false;
            }
            AccountEvent::Balance { balance } => {
                let news = self.state.balances.amount(&account, &balance.asset) != balance.amount;
                if news {
                    self.append(Body::Streamed { account, event }, now, out);
                }
                return news;
            }
            AccountEvent::Funding { .. } | AccountEvent::Payment { .. } => {
                self.append(Body::Streamed { account, event }, now, out);
                return true;
            }
        };
        if order.is_none() {
            self.compare_soon(&account, now);
        }
        if news {
            self.append(Body::Streamed { account, event }, now, out);
            if let Some(order) = order {
                self.settled(order, now, out);
            }
        }
        news
    }

    fn compare_soon(&mut self, account: &AccountName, now: Time) {
        if let Some(watch) = self.watches.get(account).filter(|w| w.up && w.asked.is_none()) {
            let at = now.plus(SOON).max(watch.last.plus(OFTEN));
            self.timers.set_if_sooner(Timer::Account(account.clone()), at);
        }
    }
}

fn nth<T: Clone>(rows: &[T], part: usize) -> Vec<T> {
    rows.chunks(ROWS).nth(part).map(<[T]>::to_vec).unwrap_or_default()
}

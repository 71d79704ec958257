//! Which part of an account's position each caller traded, and what its open orders there may add.
//!
//! Callers that share an account may hold against each other. What an account's position changes by without a
//! caller's order (a flattening, somebody at the venue's own screen, a settlement) is taken off them as
//! [`shares`] has it, so that nobody holds what the account does not.

mod shares;

use crate::orders::{Order, Orders, Share, Shift};
use crate::positions::Book;
use std::collections::BTreeMap;
use tidegate_types::breaker::Facet;
use tidegate_types::codec::{Codec, CodecError};
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{AccountName, CallerName, InstrumentId};
use tidegate_types::instrument::SignedQty;

pub(crate) use shares::shares;

type Books = BTreeMap<CallerName, Book>;

/// What callers hold and have ordered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Attributed(BTreeMap<AccountName, BTreeMap<InstrumentId, Books>>);

impl Attributed {
    /// A caller's part, with its open orders as they may add to it: one that reduces the account's position reduces
    /// the caller's as far as that has one on the other side, and opens one beyond.
    pub(crate) fn book(
        &self,
        account: &AccountName,
        caller: &CallerName,
        instrument: &InstrumentId,
    ) -> Book {
        let book = self.books(account, instrument).and_then(|books| books.get(caller));
        let Some(book) = book.copied() else { return Book::default() };
        let position = i128::from(book.position);
        let (short, long) = ((-position).max(0), position.max(0));
        Book {
            position: book.position,
            buys: book.buys + (book.reducing_buys - short).max(0),
            sells: book.sells + (book.reducing_sells - long).max(0),
            reducing_buys: book.reducing_buys.min(short),
            reducing_sells: book.reducing_sells.min(long),
        }
    }

    /// Who has a part of an account's in an instrument, or an open order there.
    pub(crate) fn callers(
        &self,
        account: &AccountName,
        instrument: &InstrumentId,
    ) -> impl Iterator<Item = &CallerName> {
        self.books(account, instrument).into_iter().flat_map(BTreeMap::keys)
    }

    /// Whether a caller has a part of anything of an account's, or an open order there.
    pub(crate) fn has(&self, account: &AccountName, caller: &CallerName) -> bool {
        let instruments = self.0.get(account).into_iter().flat_map(BTreeMap::values);
        instruments.into_iter().any(|books| books.contains_key(caller))
    }

    /// The same of every account and instrument.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&AccountName, &InstrumentId, &CallerName)> {
        self.0.iter().flat_map(|(account, instruments)| {
            instruments.iter().flat_map(move |(instrument, books)| {
                books.keys().map(move |caller| (account, instrument, caller))
            })
        })
    }

    /// Takes a change of one order in. The account's position was `before` and is `after`.
    pub(crate) fn shift(&mut self, order: &Order, shift: &Shift, (before, after): (i64, i64)) {
        let (account, instrument) = (&order.account, &order.request.instrument);
        match &order.caller {
            Some(caller) => {
                let books = self.0.entry(account.clone()).or_default();
                let books = books.entry(instrument.clone()).or_default();
                books.entry(caller.clone()).or_default().take(shift);
            }
            None => self.changed(account, instrument, (before, after)),
        }
        let parts = self.books(account, instrument).into_iter().flat_map(BTreeMap::values);
        let sum: i128 = parts.map(|book| i128::from(book.position)).sum();
        if shift.filled != 0 && after == 0 && sum != 0 {
            self.edit(account, instrument, |book| book.position = 0);
        }
        self.edit(account, instrument, |_| ());
    }

    /// An account's position went from one to the other by no caller's order.
    pub(crate) fn changed(
        &mut self,
        account: &AccountName,
        instrument: &InstrumentId,
        (before, after): (i64, i64),
    ) {
        let Some(books) = self.books(account, instrument).filter(|_| before != after) else {
            return;
        };
        let parts: Vec<i64> = books.values().map(|book| book.position).collect();
        let less = shares(before, &parts, after.saturating_sub(before));
        let mut less = less.into_iter();
        self.edit(account, instrument, |book| {
            book.position = book.position.saturating_add(less.next().unwrap_or(0));
        });
    }

    /// A halt closed all positions of its scope: no caller holds anything there, not even against another.
    pub(crate) fn flattened(&mut self, scope: &Scope) {
        let meant = |account: &AccountName, instrument: &InstrumentId| {
            let (venue, account) = (Some(&instrument.venue), Some(account));
            Facet { venue, account, instrument: Some(instrument), ..Facet::default() }.is_in(scope)
        };
        self.forget(meant);
    }

    /// Nobody has a part of any such position any more.
    pub(crate) fn forget(&mut self, gone: impl Fn(&AccountName, &InstrumentId) -> bool) {
        let all = self.0.iter().flat_map(|(account, instruments)| {
            instruments.keys().map(move |instrument| (account.clone(), instrument.clone()))
        });
        let all: Vec<_> = all.filter(|(account, instrument)| gone(account, instrument)).collect();
        for (account, instrument) in all {
            self.edit(&account, &instrument, |book| book.position = 0);
        }
    }

    /// Counts what is open, beside what is held.
    pub(crate) fn rest(&mut self, orders: &Orders) {
        for order in orders.open() {
            let (before, after) = (Share::default(), order.share());
            let side = order.request.side;
            let shift = Shift {
                id: order.id,
                before,
                after,
                filled: 0,
                executions: 0,
                traded: 0,
                price: None,
                side,
            };
            self.shift(order, &shift, (0, 0));
        }
    }

    fn books(&self, account: &AccountName, instrument: &InstrumentId) -> Option<&Books> {
        self.0.get(account)?.get(instrument)
    }

    fn edit(&mut self, account: &AccountName, id: &InstrumentId, mut edit: impl FnMut(&mut Book)) {
        let Some(instruments) = self.0.get_mut(account) else { return };
        let Some(books) = instruments.get_mut(id) else { return };
        books.values_mut().for_each(&mut edit);
        books.retain(|_, book| *book != Book::default());
        if books.is_empty() {
            instruments.remove(id);
        }
        if instruments.is_empty() {
            self.0.remove(account);
        }
    }
}

impl Codec for Attributed {
    /// What is held; what is open follows from orders.
    fn encode(&self, out: &mut Vec<u8>) {
        let held: Vec<_> = self
            .0
            .iter()
            .flat_map(|(account, instruments)| {
                instruments.iter().flat_map(move |(instrument, books)| {
                    let held = books.iter().filter(|(_, book)| book.position != 0);
                    held.map(move |(caller, book)| (account, instrument, caller, book.position()))
                })
            })
            .collect();
        (held.len() as u64).encode(out);
        for (account, instrument, caller, qty) in held {
            account.encode(out);
            instrument.encode(out);
            caller.encode(out);
            qty.encode(out);
        }
    }

    fn decode(input: &mut &[u8]) -> Result<Attributed, CodecError> {
        let mut fresh = Attributed::default();
        for _ in 0..u64::decode(input)? {
            let account = AccountName::decode(input)?;
            let instrument = InstrumentId::decode(input)?;
            let caller = CallerName::decode(input)?;
            let SignedQty(qty) = SignedQty::decode(input)?;
            let books = fresh.0.entry(account).or_default().entry(instrument).or_default();
            books.entry(caller).or_default().position = qty.raw();
        }
        Ok(fresh)
    }

    fn show(&self, out: &mut String) {
        let held = self.all().map(|(account, instrument, caller)| {
            let book = self.book(account, caller, instrument);
            format!("{caller} on {account}: {} {instrument}", Decimal::from_raw(book.position))
        });
        held.collect::<Vec<_>>().show(out);
    }
}

#[cfg(test)]
mod tests;

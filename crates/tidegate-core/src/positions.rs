//! Positions and what open orders reserve, summed over all callers of an account.

use crate::orders::{Order, Orders, Share, Shift};
use std::collections::BTreeMap;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{AccountName, CallerName, InstrumentId};
use tidegate_types::instrument::{SignedQty, Usd};
use tidegate_types::order::Side;

/// An account's position in one instrument and its open orders there, in 10⁻⁸ of the
/// instrument's unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Book {
    /// The position, signed.
    pub position: i64,
    /// What open buys may add.
    pub buys: i128,
    /// What open sells may take.
    pub sells: i128,
    /// What resting buys that reduce a short position may add.
    pub reducing_buys: i128,
    /// What resting sells that reduce a long position may take.
    pub reducing_sells: i128,
}

impl Book {
    /// The position.
    pub fn position(&self) -> SignedQty {
        SignedQty(Decimal::from_raw(self.position))
    }

    /// The farthest from zero that the position may come to on this side, `extra` included. What is held on the
    /// other side makes no room: orders that reduce it reserve nothing, always pass, and may trade before these.
    pub(crate) fn worst(&self, side: Side, extra: i128) -> i128 {
        let position = i128::from(self.position);
        match side {
            Side::Buy => (position.max(0) + self.buys + extra).max(0),
            Side::Sell => (self.sells + extra - position.min(0)).max(0),
        }
    }

    /// The highest that the position may come to, signed: every buy trades, and no sell.
    pub(crate) fn highest(&self) -> i128 {
        let position = i128::from(self.position);
        position + self.buys + self.reducing_buys.min((-position).max(0))
    }

    /// The lowest that the position may come to, signed: every sell trades, and no buy.
    pub(crate) fn lowest(&self) -> i128 {
        let position = i128::from(self.position);
        position - self.sells - self.reducing_sells.min(position.max(0))
    }

    /// How much an order of this side may still reduce the position by.
    pub(crate) fn room(&self, side: Side) -> i128 {
        let position = i128::from(self.position);
        match side {
            Side::Buy => -position - self.reducing_buys,
            Side::Sell => position - self.reducing_sells,
        }
    }

    /// Takes a change of one order in.
    pub(crate) fn take(&mut self, shift: &Shift) {
        *self.resting(shift.side, shift.before.reducing) -= i128::from(shift.before.qty);
        *self.resting(shift.side, shift.after.reducing) += i128::from(shift.after.qty);
        self.position = match shift.side {
            Side::Buy => self.position.saturating_add(shift.filled),
            Side::Sell => self.position.saturating_sub(shift.filled),
        };
    }

    fn resting(&mut self, side: Side, reducing: bool) -> &mut i128 {
        match (side, reducing) {
            (Side::Buy, false) => &mut self.buys,
            (Side::Sell, false) => &mut self.sells,
            (Side::Buy, true) => &mut self.reducing_buys,
            (Side::Sell, true) => &mut self.reducing_sells,
        }
    }
}

/// All positions and sums. Kept running, so that no check walks the orders.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Positions {
    books: BTreeMap<AccountName, BTreeMap<InstrumentId, Book>>,
    accounts: BTreeMap<AccountName, i128>,
    /// What open orders lose together where they trade at their worst prices.
    slips: BTreeMap<AccountName, i128>,
    callers: BTreeMap<CallerName, BTreeMap<AccountName, i128>>,
}

impl Positions {
    /// The position and open orders in one instrument.
    pub fn book(&self, account: &AccountName, instrument: &InstrumentId) -> Book {
        self.books.get(account).and_then(|b| b.get(instrument)).copied().unwrap_or_default()
    }

    /// Every instrument of an account in which there is a position or an open order.
    pub fn books(&self, account: &AccountName) -> impl Iterator<Item = (&InstrumentId, &Book)> {
        self.books.get(account).into_iter().flatten()
    }

    /// Every position that is not zero.
    pub fn iter(&self) -> impl Iterator<Item = (&AccountName, &InstrumentId, SignedQty)> {
        self.books.iter().flat_map(|(account, books)| {
            let held = books.iter().filter(|(_, book)| book.position != 0);
            held.map(move |(instrument, book)| (account, instrument, book.position()))
        })
    }

    /// What the open orders of an account are worth together.
    pub fn account_open(&self, account: &AccountName) -> Usd {
        usd(self.account_raw(account))
    }

    /// What a caller's open orders on an account are worth together.
    pub fn caller_open(&self, caller: &CallerName, account: &AccountName) -> Usd {
        usd(self.caller_raw(caller, account))
    }

    pub(crate) fn account_raw(&self, account: &AccountName) -> i128 {
        self.accounts.get(account).copied().unwrap_or(0)
    }

    /// What the open orders of an account lose where they trade at their worst prices, in dollars of 10⁻⁸.
    pub(crate) fn slips(&self, account: &AccountName) -> i128 {
        self.slips.get(account).copied().unwrap_or(0)
    }

    pub(crate) fn caller_raw(&self, caller: &CallerName, account: &AccountName) -> i128 {
        self.callers.get(caller).and_then(|c| c.get(account)).copied().unwrap_or(0)
    }

    /// Every account that holds an instrument or has orders in it.
    pub(crate) fn holders(
        &self,
        instrument: &InstrumentId,
    ) -> impl Iterator<Item = (&AccountName, Book)> {
        let of = |books: &BTreeMap<InstrumentId, Book>| books.get(instrument).copied();
        self.books.iter().filter_map(move |(account, books)| Some((account, of(books)?)))
    }

    /// Takes a change of one order in; whether it changed anything.
    pub(crate) fn shift(&mut self, order: &Order, shift: &Shift) -> bool {
        if shift.before == shift.after && shift.filled == 0 {
            return false;
        }
        let instruments = self.books.entry(order.account.clone()).or_default();
        let book = instruments.entry(order.request.instrument.clone()).or_default();
        book.take(shift);
        if *book == Book::default() {
            instruments.remove(&order.request.instrument);
        }
        let slip = shift.after.slip - shift.before.slip;
        if slip != 0 {
            *self.slips.entry(order.account.clone()).or_default() += slip;
        }
        let value = shift.after.value - shift.before.value;
        if value != 0 {
            *self.accounts.entry(order.account.clone()).or_default() += value;
            if let Some(caller) = &order.caller {
                let sums = self.callers.entry(caller.clone()).or_default();
                *sums.entry(order.account.clone()).or_default() += value;
            }
        }
        true
    }

    /// Sets a position to the venue's.
    pub(crate) fn correct(
        &mut self,
        account: &AccountName,
        instrument: &InstrumentId,
        qty: SignedQty,
    ) {
        let books = self.books.entry(account.clone()).or_default();
        let book = books.entry(instrument.clone()).or_default();
        book.position = qty.0.raw();
        if *book == Book::default() {
            books.remove(instrument);
        }
    }

    /// The sums of these orders, beside these positions.
    pub(crate) fn counted<'a>(
        held: impl Iterator<Item = (&'a AccountName, &'a InstrumentId, SignedQty)>,
        orders: &Orders,
    ) -> Positions {
        let mut fresh = Positions::default();
        for (account, instrument, qty) in held {
            fresh.correct(account, instrument, qty);
        }
        for order in orders.open() {
            let before = Share::default();
            let after = order.share();
            let side = order.request.side;
            fresh.shift(
                order,
                &Shift {
                    id: order.id,
                    before,
                    after,
                    filled: 0,
                    executions: 0,
                    traded: 0,
                    price: None,
                    side,
                },
            );
        }
        fresh
    }

    /// Whether two hold the same sums, zeros aside.
    #[cfg(test)]
    pub(crate) fn same(&self, other: &Positions) -> bool {
        let flat = |p: &Positions| {
            let books = p.books.clone().into_iter().flat_map(|(a, books)| {
                books.into_iter().map(move |(i, book)| ((a.clone(), i), book))
            });
            let accounts = p.accounts.clone().into_iter().filter(|(_, v)| *v != 0);
            let slips = p.slips.clone().into_iter().filter(|(_, v)| *v != 0);
            let accounts = accounts.chain(slips);
            let callers = p.callers.clone().into_iter().flat_map(|(c, sums)| {
                sums.into_iter().map(move |(a, v)| ((c.clone(), a), v)).filter(|(_, v)| *v != 0)
            });
            (books.collect::<Vec<_>>(), accounts.collect::<Vec<_>>(), callers.collect::<Vec<_>>())
        };
        flat(self) == flat(other)
    }
}

/// Dollars from a sum in 10⁻⁸, the largest amount when it is beyond.
pub(crate) fn usd(raw: i128) -> Usd {
    Usd(Decimal::from_raw(i64::try_from(raw).unwrap_or(i64::MAX)))
}

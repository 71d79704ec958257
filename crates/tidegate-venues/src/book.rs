//! An order book that is kept from changes, and knows when one is missing. No venue's own: each
//! dialect says what its messages are, and the rule is one.
//!
//! A change says after which state of the book it comes and to which it leads. The snapshot is joined
//! by the first change that leads past it and begins at it or before, because quantities are whole
//! and not differences; from then on each change begins where the last one ended.

use std::collections::BTreeMap;
use std::fmt;
use tidegate_types::decimal::Decimal;
use tidegate_types::instrument::{Price, Qty};
use tidegate_types::limits::{MAX_BOOK_LEVELS, MAX_KEPT_CHANGES};

/// A price and what rests there now; nothing if zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// All that rests there, not what was added.
    pub qty: Qty,
}

/// A message about a book.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Update {
    /// The state it begins at; `None`: it is the whole book.
    pub after: Option<u64>,
    /// The state it leads to.
    pub number: u64,
    /// The bids it tells.
    pub bids: Vec<Level>,
    /// The asks it tells.
    pub asks: Vec<Level>,
}

/// Why a book was dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gap {
    /// A change begins at another state than the book is in.
    Missing {
        /// The book's state.
        at: u64,
        /// Where the change begins.
        after: u64,
    },
    /// The best bid is not below the best ask.
    Crossed {
        /// The best bid.
        bid: Price,
        /// The best ask.
        ask: Price,
    },
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gap::Missing { at, after } => {
                write!(f, "changes are missing between {at} and {after}")
            }
            Gap::Crossed { bid, ask } => {
                write!(f, "the book is crossed: bid {bid}, ask {ask}")
            }
        }
    }
}

/// The best levels of a book, or nothing while it is not whole.
#[derive(Debug, Default)]
pub struct Book {
    bids: BTreeMap<Price, Qty>,
    asks: BTreeMap<Price, Qty>,
    stands: Stands,
    kept: Vec<Update>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Stands {
    /// There is no snapshot.
    #[default]
    Empty,
    /// As in a snapshot, which no change has joined yet.
    Snapshot { at: u64 },
    /// The last change led from `after` to `at`.
    Joined { after: u64, at: u64 },
}

impl Book {
    /// Takes a message. Changes that come before the snapshot are kept and made then.
    ///
    /// # Errors
    /// When it does not fit: the book is dropped then, and a change that did not is kept.
    pub fn apply(&mut self, update: Update) -> Result<(), Gap> {
        let made = match update.after {
            None => self.begin(&update),
            Some(after) => self.change(after, update),
        };
        if made.is_err() {
            self.drop_levels();
        }
        made
    }

    /// Whether the book stands as the venue's does.
    pub fn is_whole(&self) -> bool {
        self.stands != Stands::Empty
    }

    /// Whether changes came that have no snapshot to be made in.
    pub fn lacks_snapshot(&self) -> bool {
        !self.is_whole() && !self.kept.is_empty()
    }

    /// The highest price at which somebody buys.
    pub fn best_bid(&self) -> Option<Level> {
        self.bids.last_key_value().map(level)
    }

    /// The lowest price at which somebody sells.
    pub fn best_ask(&self) -> Option<Level> {
        self.asks.first_key_value().map(level)
    }

    /// The bids that are at most so many basis points below the best one.
    pub fn bids_within(&self, bps: u32) -> impl Iterator<Item = Level> {
        let best = self.best_bid().map_or(0, |best| best.price.0.raw());
        let least = Price(Decimal::from_raw(best.saturating_sub(part(best, bps))));
        self.bids.range(least..).map(level)
    }

    /// The asks that are at most so many basis points above the best one.
    pub fn asks_within(&self, bps: u32) -> impl Iterator<Item = Level> {
        let best = self.best_ask().map_or(0, |best| best.price.0.raw());
        let most = Price(Decimal::from_raw(best.saturating_add(part(best, bps))));
        self.asks.range(..=most).map(level)
    }

    fn begin(&mut self, whole: &Update) -> Result<(), Gap> {
        self.drop_levels();
        self.stands = Stands::Snapshot { at: whole.number };
        self.set(whole)?;
        for update in std::mem::take(&mut self.kept) {
            if let Some(after) = update.after {
                // One that does not join is not kept for the next snapshot: should the venue have
                // begun to count anew, it would fit none.
                self.change(after, update).inspect_err(|_| self.kept.clear())?;
            }
        }
        Ok(())
    }

    fn change(&mut self, after: u64, update: Update) -> Result<(), Gap> {
        let (at, fits) = match self.stands {
            Stands::Empty => {
                // So many wait in vain: the snapshot that is asked for next is newer than these.
                if self.kept.len() >= MAX_KEPT_CHANGES {
                    self.kept.clear();
                }
                self.kept.push(update);
                return Ok(());
            }
            // It is in the snapshot already.
            Stands::Snapshot { at } if update.number < at => return Ok(()),
            Stands::Snapshot { at } => (at, after <= at),
            // The last one came twice.
            Stands::Joined { after: last, at } if (last, at) == (after, update.number) => {
                return Ok(());
            }
            Stands::Joined { at, .. } => (at, after == at),
        };
        if !fits {
            self.kept = vec![update];
            return Err(Gap::Missing { at, after });
        }
        self.stands = Stands::Joined { after, at: update.number };
        self.set(&update).inspect_err(|_| self.kept = vec![update])
    }

    fn set(&mut self, update: &Update) -> Result<(), Gap> {
        for (side, levels) in [(&mut self.bids, &update.bids), (&mut self.asks, &update.asks)] {
            for Level { price, qty } in levels {
                if qty.0.is_zero() {
                    side.remove(price);
                } else {
                    side.insert(*price, *qty);
                }
            }
        }
        while self.bids.len() > MAX_BOOK_LEVELS {
            self.bids.pop_first();
        }
        while self.asks.len() > MAX_BOOK_LEVELS {
            self.asks.pop_last();
        }
        match (self.best_bid(), self.best_ask()) {
            (Some(bid), Some(ask)) if bid.price >= ask.price => {
                Err(Gap::Crossed { bid: bid.price, ask: ask.price })
            }
            _ => Ok(()),
        }
    }

    fn drop_levels(&mut self) {
        self.bids.clear();
        self.asks.clear();
        self.stands = Stands::Empty;
    }
}

/// So many basis points of an amount.
fn part(of: i64, bps: u32) -> i64 {
    i64::try_from(i128::from(of.unsigned_abs()) * i128::from(bps) / 10_000).unwrap_or(i64::MAX)
}

fn level((price, qty): (&Price, &Qty)) -> Level {
    Level { price: *price, qty: *qty }
}

/// A level from its two numbers, if it can be one: a price may be below zero, a quantity may not.
pub(crate) fn read(price: &str, qty: &str) -> Option<Level> {
    let (price, qty): (Decimal, Decimal) = (price.parse().ok()?, qty.parse().ok()?);
    (!qty.is_negative()).then_some(Level { price: Price(price), qty: Qty(qty) })
}

#[cfg(test)]
mod tests;

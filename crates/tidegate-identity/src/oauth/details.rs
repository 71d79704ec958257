//! What a token allows: `authorization_details` (RFC 9396) of the one type `tidegate_trading`.
//!
//! The text is described by `details/tidegate_trading.schema.json`. What is not named is not allowed.
//! A set holds at most one item for each account of a venue: two would add up their limits.

pub mod read;
pub mod show;

pub use read::parse;

use std::collections::BTreeSet;
use tidegate_types::codec_struct;
use tidegate_types::grant::{Grant, Pattern};
use tidegate_types::hours::Window;
use tidegate_types::ids::{AccountName, CallerName, VenueName};
use tidegate_types::instrument::{Qty, Usd};
use tidegate_types::order::{OrderType, Side};
use tidegate_types::time::Time;

/// The type, as it is sent.
pub const TYPE: &str = "tidegate_trading";
/// The schema of one item, to be published.
pub const SCHEMA: &str = include_str!("details/tidegate_trading.schema.json");
/// Most items of one request.
pub const MAX_ITEMS: usize = 16;
/// Most patterns of instruments in one item.
pub const MAX_PATTERNS: usize = 32;
/// Most bytes of a list of items as it is written: what a token holds beside the rest that it says.
pub const MAX_BYTES: usize = 4096;

/// What may be done on one account of a venue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trading {
    /// Where.
    pub venue: VenueName,
    /// On which account.
    pub account: AccountName,
    /// Which instruments; sorted, none meant by another.
    pub instruments: Vec<Pattern>,
    /// From when on.
    pub from: Option<Time>,
    /// Until when.
    pub until: Option<Time>,
    /// What it may trade; none: it may read only.
    pub trade: Option<Terms>,
}
codec_struct!(Trading { venue, account, instruments, from, until, trade });

/// What orders may be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Which sides; sorted.
    pub sides: Vec<Side>,
    /// Which types; sorted.
    pub order_types: Vec<OrderType>,
    /// Only orders that reduce the account's position.
    pub reduce_only: bool,
    /// Largest order in the instrument's own unit, if limited.
    pub max_order_qty: Option<Qty>,
    /// Largest order in dollars.
    pub max_order_notional: Usd,
    /// Most that the open orders may be worth together.
    pub max_open_notional: Usd,
    /// Most that may be traded in a day (UTC), if limited.
    pub max_daily_notional: Option<Usd>,
    /// At which hours of which days.
    pub window: Window,
    /// In a person's name, lifting halts that stand in the way, as far as that person may.
    pub lift_halts: bool,
}
codec_struct!(Terms {
    sides,
    order_types,
    reduce_only,
    max_order_qty,
    max_order_notional,
    max_open_notional,
    max_daily_notional,
    window,
    lift_halts,
});

/// It begins later: a core's grant has no word for that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotYet;

impl Trading {
    /// Whether all that this allows, `other` allows too. A partial order.
    pub fn is_within(&self, other: &Trading) -> bool {
        let covered = |pattern: &Pattern| other.instruments.iter().any(|by| by.covers(pattern));
        let trade = match (&self.trade, &other.trade) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(terms), Some(by)) => terms.is_within(by),
        };
        self.venue == other.venue
            && self.account == other.account
            && self.instruments.iter().all(covered)
            && other.from.is_none_or(|from| self.from.is_some_and(|own| own >= from))
            && at_most(self.until, other.until)
            && trade
    }

    /// The grant that a core holds `caller` to, at `rate` orders a second and twice that at once.
    ///
    /// # Errors
    /// When it has not begun.
    pub fn to_grant(&self, caller: &CallerName, rate: u32, now: Time) -> Result<Grant, NotYet> {
        if self.from.is_some_and(|from| from > now) {
            return Err(NotYet);
        }
        let terms = self.trade.as_ref();
        Ok(Grant {
            caller: caller.clone(),
            venue: self.venue.clone(),
            account: self.account.clone(),
            trade: terms.is_some(),
            instruments: self.instruments.clone(),
            sides: terms.map(|terms| terms.sides.clone()).unwrap_or_default(),
            order_types: terms.map(|terms| terms.order_types.clone()).unwrap_or_default(),
            reduce_only: terms.is_none_or(|terms| terms.reduce_only),
            max_order_qty: terms.and_then(|terms| terms.max_order_qty),
            max_order_notional: terms.map(|terms| terms.max_order_notional).unwrap_or_default(),
            max_open_notional: terms.map(|terms| terms.max_open_notional).unwrap_or_default(),
            max_daily_notional: terms.and_then(|terms| terms.max_daily_notional),
            orders_per_second: rate,
            burst: rate.saturating_mul(2),
            settings: false,
            account_wide: false,
            window: terms.map_or(Window::ALWAYS, |terms| terms.window),
            until: self.until,
        })
    }

    /// The part of a caller's own grant on the account that this allows: each figure the smaller, of the
    /// patterns those that the other means too.
    ///
    /// # Errors
    /// As `to_grant`.
    pub fn narrowing(&self, grant: &Grant, now: Time) -> Result<Grant, NotYet> {
        let asked = self.to_grant(&grant.caller, grant.orders_per_second, now)?;
        let both = |a: &[Pattern], b: &[Pattern]| -> Vec<Pattern> {
            a.iter().filter(|p| b.iter().any(|by| by.covers(p))).cloned().collect()
        };
        let mut instruments = both(&asked.instruments, &grant.instruments);
        instruments.extend(both(&grant.instruments, &asked.instruments));
        let window = asked.window.and(&grant.window);
        Ok(Grant {
            trade: asked.trade && grant.trade && !window.is_never(),
            instruments: least(instruments),
            sides: kept(asked.sides, &grant.sides),
            order_types: kept(asked.order_types, &grant.order_types),
            reduce_only: asked.reduce_only || grant.reduce_only,
            max_order_qty: smaller(asked.max_order_qty, grant.max_order_qty),
            max_order_notional: asked.max_order_notional.min(grant.max_order_notional),
            max_open_notional: asked.max_open_notional.min(grant.max_open_notional),
            max_daily_notional: smaller(asked.max_daily_notional, grant.max_daily_notional),
            burst: grant.burst,
            window,
            until: smaller(asked.until, grant.until),
            ..asked
        })
    }

    /// What a grant's owner may hand on of it: everything that has a word here. A caller's grant lifts no halt:
    /// that is a person's right.
    pub fn of_grant(grant: &Grant) -> Trading {
        let terms = grant.trade.then(|| Terms {
            sides: sorted(&grant.sides),
            order_types: sorted(&grant.order_types),
            reduce_only: grant.reduce_only,
            max_order_qty: grant.max_order_qty,
            max_order_notional: grant.max_order_notional,
            max_open_notional: grant.max_open_notional,
            max_daily_notional: grant.max_daily_notional,
            window: grant.window,
            lift_halts: false,
        });
        Trading {
            venue: grant.venue.clone(),
            account: grant.account.clone(),
            instruments: least(grant.instruments.clone()),
            from: None,
            until: grant.until,
            trade: terms,
        }
    }
}

impl Terms {
    fn is_within(&self, other: &Terms) -> bool {
        self.sides.iter().all(|side| other.sides.contains(side))
            && self.order_types.iter().all(|kind| other.order_types.contains(kind))
            && (self.reduce_only || !other.reduce_only)
            && at_most(self.max_order_qty, other.max_order_qty)
            && self.max_order_notional <= other.max_order_notional
            && self.max_open_notional <= other.max_open_notional
            && at_most(self.max_daily_notional, other.max_daily_notional)
            && self.window.is_within(&other.window)
            && (!self.lift_halts || other.lift_halts)
    }
}

/// Whether each of `set` is within one of `other`. Sets have one item for each account, so that no
/// limit of `other` is used twice.
pub fn all_within(set: &[Trading], other: &[Trading]) -> bool {
    set.iter().all(|item| other.iter().any(|by| item.is_within(by)))
}

/// Whether `limit` is no wider than `other`; none is no limit.
fn at_most<T: PartialOrd>(limit: Option<T>, other: Option<T>) -> bool {
    match (limit, other) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(limit), Some(other)) => limit <= other,
    }
}

/// The smaller of two limits; none is no limit.
fn smaller<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn kept<T: PartialEq>(mut values: Vec<T>, of: &[T]) -> Vec<T> {
    values.retain(|value| of.contains(value));
    values
}

fn sorted<T: Ord + Copy>(values: &[T]) -> Vec<T> {
    values.iter().copied().collect::<BTreeSet<T>>().into_iter().collect()
}

/// `patterns` sorted, without those that another one means already. Of two that mean the same, the
/// first in order stays.
fn least(mut patterns: Vec<Pattern>) -> Vec<Pattern> {
    patterns.sort();
    patterns.dedup();
    let mut kept: Vec<Pattern> = Vec::new();
    for pattern in patterns {
        if !kept.iter().any(|by| by.covers(&pattern)) {
            kept.retain(|old| !pattern.covers(old));
            kept.push(pattern);
        }
    }
    kept.sort();
    kept
}

#[cfg(test)]
mod tests;

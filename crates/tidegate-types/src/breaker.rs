//! Circuit breakers as data: what is measured, over what, from which value on orders stop.
//!
//! A breaker is closed until what it measures reaches its limit; then it trips, and stays so. A person
//! half-opens it, so that few orders pass, and closes it; it never does so by itself.

mod kind;
mod standard;

use crate::decimal::Decimal;
use crate::grant::Scope;
use crate::ids::{AccountName, BadName, CallerName, InstrumentId, VenueName};
use crate::time::Span;
use crate::{codec_enum, codec_struct};
use std::fmt;
use std::str::FromStr;

pub use kind::{BreakerKind, Measure};
pub use standard::{Standard, standard};

/// What a breaker is for: one thing, or each of a sort by itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Over {
    /// This alone, all that it covers measured together.
    One {
        /// What.
        scope: Scope,
    },
    /// Each of a sort, measured and stopped by itself, those that come later too.
    Each {
        /// Of which sort.
        sort: Sort,
    },
}
codec_enum!(Over { 0 => One { scope }, 1 => Each { sort } });

/// A sort of things that a breaker is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Sort {
    /// The whole desk; there is one, so it is never each of them.
    Desk,
    /// Venues.
    Venue,
    /// Accounts.
    Account,
    /// Callers.
    Caller,
    /// Instruments.
    Instrument,
}
codec_enum!(Sort { 0 => Desk, 1 => Venue, 2 => Account, 3 => Caller, 4 => Instrument });

impl Sort {
    const EACH: [(Sort, &'static str); 4] = [
        (Sort::Venue, "each-venue"),
        (Sort::Account, "each-account"),
        (Sort::Caller, "each-caller"),
        (Sort::Instrument, "each-instrument"),
    ];

    /// The sort of a scope; an order is of none.
    pub fn of(scope: &Scope) -> Option<Sort> {
        match scope {
            Scope::All | Scope::Desk { .. } => Some(Sort::Desk),
            Scope::Venue { .. } => Some(Sort::Venue),
            Scope::Account { .. } => Some(Sort::Account),
            Scope::Caller { .. } => Some(Sort::Caller),
            Scope::Instrument { .. } => Some(Sort::Instrument),
            Scope::Order { .. } => None,
        }
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Sort::Desk => "desk",
            Sort::Venue => "venue",
            Sort::Account => "account",
            Sort::Caller => "caller",
            Sort::Instrument => "instrument",
        }
    }
}

/// Whose something is, as far as that is known: where it is measured, and what is in a breaker's way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facet<'a> {
    /// The venue.
    pub venue: Option<&'a VenueName>,
    /// The account.
    pub account: Option<&'a AccountName>,
    /// The caller.
    pub caller: Option<&'a CallerName>,
    /// The instrument.
    pub instrument: Option<&'a InstrumentId>,
}

impl Facet<'_> {
    /// Whether a scope covers it.
    pub fn is_in(&self, scope: &Scope) -> bool {
        match scope {
            Scope::All | Scope::Desk { .. } => true,
            Scope::Venue { name } => self.venue == Some(name),
            Scope::Account { name } => self.account == Some(name),
            Scope::Caller { name } => self.caller == Some(name),
            Scope::Instrument { id } => self.instrument == Some(id),
            Scope::Order { .. } => false,
        }
    }
}

impl Over {
    /// The sort of what it is for.
    pub fn sort(&self) -> Option<Sort> {
        match self {
            Over::One { scope } => Sort::of(scope),
            Over::Each { sort } => Some(*sort),
        }
    }

    /// Where something is measured, if it is covered.
    pub fn place(&self, facet: &Facet<'_>) -> Option<Scope> {
        match self {
            Over::One { scope } => facet.is_in(scope).then(|| scope.clone()),
            Over::Each { sort } => Some(match sort {
                Sort::Desk => Scope::All,
                Sort::Venue => Scope::Venue { name: facet.venue?.clone() },
                Sort::Account => Scope::Account { name: facet.account?.clone() },
                Sort::Caller => Scope::Caller { name: facet.caller?.clone() },
                Sort::Instrument => Scope::Instrument { id: facet.instrument?.clone() },
            }),
        }
    }

    /// Whether it may be measured at this scope.
    pub fn has(&self, scope: &Scope) -> bool {
        match self {
            Over::One { scope: one } => one == scope,
            Over::Each { sort } => Sort::of(scope) == Some(*sort),
        }
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Over::One { scope } => fmt::Display::fmt(scope, f),
            Over::Each { sort } => write!(f, "each-{}", sort.word()),
        }
    }
}

impl FromStr for Over {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Over, BadName> {
        match Sort::EACH.iter().find(|(_, word)| *word == text) {
            Some((sort, _)) => Ok(Over::Each { sort: *sort }),
            None => Ok(Over::One { scope: text.parse()? }),
        }
    }
}

/// What tells breakers apart: there is one of a kind over the same. Written `loss@account:main`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct BreakerId {
    /// What it measures.
    pub kind: BreakerKind,
    /// Over what.
    pub over: Over,
}
codec_struct!(BreakerId { kind, over });

impl fmt::Display for BreakerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.kind.word(), self.over)
    }
}

impl FromStr for BreakerId {
    type Err = BadName;

    fn from_str(text: &str) -> Result<BreakerId, BadName> {
        let (kind, over) = text.split_once('@').ok_or(BadName)?;
        let kind = BreakerKind::ALL.iter().find(|known| known.word() == kind).ok_or(BadName)?;
        Ok(BreakerId { kind: *kind, over: over.parse()? })
    }
}

/// What a tripped breaker stops.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stops {
    /// Every order but those that reduce a position.
    Increases,
    /// Every order.
    All,
}
codec_enum!(Stops { 0 => Increases, 1 => All });

impl Stops {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Stops::Increases => "increases",
            Stops::All => "all",
        }
    }
}

/// A breaker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breaker {
    /// Which.
    pub id: BreakerId,
    /// The value at which it trips, in the kind's unit.
    pub limit: Decimal,
    /// What is older than this is not measured. Without meaning for kinds that have no window.
    pub window: Span,
    /// It does not trip by fewer than this many measurements in the window.
    pub least: u64,
    /// What it stops.
    pub stops: Stops,
    /// A trip cancels the open orders of the callers within its scope; where orders that reduce pass, not those.
    pub cancel: bool,
    /// How many orders pass within a minute while it is half-open.
    pub trial: u64,
}
codec_struct!(Breaker { id, limit, window, least, stops, cancel, trial });

impl Breaker {
    /// Whether a measured value trips it.
    pub fn trips_at(&self, measured: Decimal) -> bool {
        match self.id.kind.trips_low() {
            true => measured <= self.limit,
            false => measured >= self.limit,
        }
    }

    /// Whether it stops at least whatever `old` does: what cannot be compared does not.
    pub fn is_tighter(&self, old: &Breaker) -> bool {
        let limit = match self.id.kind.trips_low() {
            true => self.limit >= old.limit,
            false => self.limit <= old.limit,
        };
        // More time counts more; of a ratio or a median it may be either.
        let window = match self.id.kind.measure() {
            Measure::Count => self.window >= old.window,
            Measure::Usd => true,
            _ => self.window == old.window,
        };
        self.id == old.id
            && limit
            && window
            && self.least <= old.least
            && self.stops >= old.stops
            && self.cancel >= old.cancel
            && self.trial <= old.trial
    }

    /// What is wrong with it, if something is.
    ///
    /// # Errors
    /// What, in words for who set it.
    pub fn check(&self) -> Result<(), String> {
        let kind = self.id.kind;
        let sort = self.id.over.sort().filter(|sort| kind.sorts().contains(sort));
        if sort.is_none() {
            let sorts = kind.sorts().iter().map(|sort| sort.word()).collect::<Vec<_>>().join(", ");
            return Err(format!("{} is measured over: {sorts}", kind.word()));
        }
        if !self.limit.is_positive() {
            return Err("a breaker's limit is above zero".to_owned());
        }
        if kind.has_window() && !(MIN_WINDOW..=MAX_WINDOW).contains(&self.window) {
            return Err(format!(
                "a window is {} to {} s",
                MIN_WINDOW.millis() / 1000,
                MAX_WINDOW.millis() / 1000
            ));
        }
        if self.least == 0 || self.least > MAX_SAMPLES as u64 {
            return Err(format!("the least count is 1 to {MAX_SAMPLES}"));
        }
        if self.trial > MAX_TRIAL {
            return Err(format!("at most {MAX_TRIAL} orders a minute pass a half-open breaker"));
        }
        let count = kind.measure() == Measure::Count;
        if count && self.limit > Decimal::new(MAX_SAMPLES as i64, 0) {
            return Err(format!("no more than {MAX_SAMPLES} are counted"));
        }
        Ok(())
    }
}

/// The shortest window.
pub const MIN_WINDOW: Span = Span::from_secs(1);
/// The longest.
pub const MAX_WINDOW: Span = Span::from_secs(24 * 3600);
/// Most measurements kept in one window; the oldest go first.
pub const MAX_SAMPLES: usize = 512;
/// Most orders that pass a half-open breaker within a minute.
pub const MAX_TRIAL: u64 = 60;
/// Most breakers of a desk.
pub const MAX_BREAKERS: usize = 200;

#[cfg(test)]
mod tests;

//! What is asked of a shaper, and what it answers.

use crate::freeze::Frozen;
use crate::pace::Half;
use crate::queue::Ticket;
use crate::rank::{Payer, Rank};
use tidegate_types::ids::AccountName;
use tidegate_types::time::{Span, Time};
use tidegate_venues::upstream::Units;

/// Whose requests a venue counts together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Whose {
    /// All that leave from one of the desk's addresses, counted from 0.
    Address(usize),
    /// All on one account, from wherever they leave; those on none together.
    Account(Option<AccountName>),
}

/// One allowance of one address or account.
pub(crate) type Key = (usize, Whose);

/// May this leave?
#[derive(Clone, Debug)]
pub struct Ask {
    /// How urgent it is.
    pub rank: Rank,
    /// For whom.
    pub payer: Payer,
    /// On which account.
    pub account: Option<AccountName>,
    /// From which of the desk's addresses, counted from 0.
    pub from: usize,
    /// What it costs.
    pub costs: Vec<Units>,
    /// The payer's share in proportion to others', from 1.
    pub weight: u32,
    /// Until when it may wait.
    pub deadline: Time,
}

/// What was counted for a request that may leave. It must be given to `settle` or `give_back`.
#[must_use]
#[derive(PartialEq, Eq, Debug)]
pub struct Paid {
    pub(crate) counted: Vec<(Key, u64)>,
    pub(crate) paced: Option<(Key, Half, Payer, u64)>,
    /// Whose share of what may not wait it was taken from.
    pub(crate) urgent: Option<Payer>,
}

/// Whether a request may leave.
#[derive(PartialEq, Eq, Debug)]
pub enum Answer {
    /// It may.
    Go(Paid),
    /// It waits; `turn` will tell.
    Waits(Ticket),
    /// It may not.
    Refused(Refusal),
}

/// Why a request may not leave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The venue forbade it for a while.
    Frozen(Frozen),
    /// There is no room, and none in the time it may wait.
    NoRoom {
        /// The allowance.
        name: &'static str,
        /// How much of it is used.
        used: u64,
        /// How much of it a request of this rank may leave used.
        most: u64,
        /// How long until there is room, at the earliest.
        wait: Span,
    },
    /// It waited for as long as it may.
    TooOld {
        /// For how long.
        waited: Span,
    },
    /// Too many wait already, and none of them has more places than this one's payer would have.
    Crowded,
}

/// What came of one that waited.
#[derive(Debug)]
pub struct Served {
    /// Which.
    pub ticket: Ticket,
    /// It may leave, or why not.
    pub outcome: Result<Paid, Refusal>,
}

/// How much of an allowance is used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Use {
    /// The allowance.
    pub name: &'static str,
    /// Whose.
    pub whose: Whose,
    /// Units used, at most.
    pub used: u64,
    /// The venue's limit.
    pub limit: u64,
    /// How much of it is kept for cancels and for orders that reduce.
    pub reserved: u64,
    /// How long until the limit is reached at the present rate of what is not held back.
    pub reaches_limit: Option<Span>,
}

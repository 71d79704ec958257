//! What the core wants done.

use crate::approvals::Denial;
use crate::send::Sendable;
use tidegate_types::call::{Call, Warrant};
use tidegate_types::emergency::Emergency;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{AccountName, ApprovalId, CallId, InstrumentId, OrderId, Seq, Ticket};
use tidegate_types::record::Record;
use tidegate_types::reject::Reject;
use tidegate_types::report::PositionReport;
use tidegate_types::request::Reply;
use tidegate_types::time::Time;

/// Something for the server to carry out, in the order given.
#[derive(Debug)]
pub enum Action {
    /// Append this record; its number is the next one of the journal.
    Append {
        /// The number.
        seq: Seq,
        /// The record.
        record: Box<Record>,
    },
    /// Keep this where the journal is not, to be told at the next start: it goes without a record.
    Keep {
        /// When.
        at: Time,
        /// What.
        act: Emergency,
    },
    /// Have the signer sign this call; answered by `Event::Signed` or `Event::NotSent`.
    Sign {
        /// The call.
        call: Call,
        /// Why it may.
        warrant: Warrant,
    },
    /// Send this; answered by `Event::Sent` and `Event::Replied`, or by `Event::NotSent`.
    Send {
        /// The request.
        request: Sendable,
    },
    /// A cancel on its way is a halt's or a breaker's from now on: wherever it waits, nothing goes before it.
    Hasten {
        /// Which.
        call: CallId,
    },
    /// Answer a question.
    Answer {
        /// Which.
        ticket: Ticket,
        /// With what.
        answer: Answer,
    },
    /// Read the account's trades of an instrument; answered by `Event::Trades`.
    ReadTrades {
        /// Which account.
        account: AccountName,
        /// The number of the question, told again with the answer.
        question: u64,
        /// Of which instrument.
        instrument: InstrumentId,
        /// From this time of the venue's on.
        since: Time,
    },
    /// Read the account's open orders and positions; answered by `Event::Snapshot`.
    Reconcile {
        /// Which account.
        account: AccountName,
        /// The number of the question, told again with the answer.
        question: u64,
    },
}

/// The core's answer to a question.
#[derive(Debug)]
pub enum Answer {
    /// The venue's own answer, accepting or refusing.
    Venue {
        /// The answer, with Tidegate's ids in it.
        reply: Reply,
        /// The order it is about.
        order: Option<OrderId>,
        /// It answers the request that placed the order.
        placed: bool,
    },
    /// So many of the caller's orders were cancelled.
    Cancelled {
        /// How many.
        orders: Vec<OrderId>,
        /// How many could not be, or are not known to be.
        failed: Vec<OrderId>,
    },
    /// The administration's change is durable.
    Done,
    /// The halt is in force and proven.
    Halted {
        /// Of what.
        scope: Scope,
        /// How many orders it cancelled.
        cancelled: u64,
    },
    /// The halt is in force and proven, and the venue shows no position of the scope.
    Flattened {
        /// Of what.
        scope: Scope,
        /// How many orders the halt cancelled.
        cancelled: u64,
        /// What was bought or, below zero, sold to close the positions.
        closed: Vec<PositionReport>,
    },
    /// It waits for a second person.
    Pending {
        /// As this request.
        id: ApprovalId,
    },
    /// Whoever asked may not, or the request for approval cannot be had so.
    Denied {
        /// Why.
        denial: Denial,
    },
    /// Refused.
    Refused {
        /// Why.
        reject: Reject,
    },
}

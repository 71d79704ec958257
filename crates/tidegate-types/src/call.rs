//! Requests that Tidegate makes of a venue: the intent, never bytes, until the signer builds them.

use crate::ids::{AccountName, CallId, ClientId, InstrumentId, Seq, VenueOrderId};
use crate::instrument::{Price, Qty};
use crate::limits::MAX_CLOCK_OFFSET;
use crate::order::{NewOrder, PostOnly, Side};
use crate::time::{Span, Time};
use crate::{codec_enum, codec_struct};

/// What a call can do, by which the signer decides what it signs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CallClass {
    /// Places an order.
    New,
    /// Changes an order.
    Amend,
    /// Cancels; never needs a record first.
    Cancel,
    /// Changes account settings.
    Setting,
    /// Reads the account.
    Read,
    /// Opens or keeps a private stream.
    Session,
}
codec_enum!(CallClass { 0 => New, 1 => Amend, 2 => Cancel, 3 => Setting, 4 => Read, 5 => Session });

/// An order at the venue: by Tidegate's own id, and by the venue's once known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderRef {
    /// Of what.
    pub instrument: InstrumentId,
    /// Tidegate's own id; `None` for orders Tidegate did not place.
    pub client_id: Option<ClientId>,
    /// The venue's id; `None` until it answered.
    pub venue_id: Option<VenueOrderId>,
    /// Whether it waits for a trigger (some venues keep those apart).
    pub conditional: bool,
}
codec_struct!(OrderRef { instrument, client_id, venue_id, conditional });

/// What to ask of the venue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallBody {
    /// Place an order under Tidegate's own id.
    Place {
        /// The order; its `caller_id` is never sent.
        order: NewOrder,
        /// The id to send.
        client_id: ClientId,
        /// The venue must refuse it after this time.
        deadline: Time,
    },
    /// Change an order to what it becomes.
    Amend {
        /// Which.
        order: OrderRef,
        /// Its side (some venues ask).
        side: Side,
        /// The new total quantity.
        qty: Qty,
        /// The new price.
        price: Option<Price>,
        /// The new trigger price.
        trigger_price: Option<Price>,
        /// Maker only from now on.
        post_only: Option<PostOnly>,
        /// Reduce-only from now on.
        reduce_only: Option<bool>,
        /// The venue must refuse it after this time.
        deadline: Time,
    },
    /// Cancel an order.
    Cancel {
        /// Which.
        order: OrderRef,
    },
    /// Change a setting, by the venue's table.
    Set {
        /// The route.
        route: String,
        /// Its parameters.
        params: Vec<(String, String)>,
    },
    /// Read something for a caller, by the venue's table.
    Read {
        /// The route.
        route: String,
        /// Its parameters.
        params: Vec<(String, String)>,
    },
    /// Ask what became of one order.
    QueryOrder {
        /// Which.
        order: OrderRef,
    },
    /// Ask for the account's state; `part` counts from 0 over the requests the venue needs.
    Snapshot {
        /// Which of the requests.
        part: u32,
    },
    /// Ask for the account's trades of an instrument, the oldest first, as many as one answer holds.
    Trades {
        /// Of which instrument.
        instrument: InstrumentId,
        /// From this time of the venue's on, it included.
        since: Time,
    },
    /// Open or keep the private stream; `step` is the venue's own (0 opens).
    Session {
        /// Which step.
        step: u32,
    },
    /// Have the venue cancel every order of an instrument, unless told anew before.
    DeadMan {
        /// Of which instrument.
        instrument: InstrumentId,
        /// After how long; zero: not at all.
        after: Span,
    },
}
codec_enum!(CallBody {
    0 => Place { order, client_id, deadline },
    1 => Amend { order, side, qty, price, trigger_price, post_only, reduce_only, deadline },
    2 => Cancel { order },
    3 => Set { route, params },
    4 => Read { route, params },
    5 => QueryOrder { order },
    6 => Snapshot { part },
    7 => Session { step },
    8 => DeadMan { instrument, after },
    9 => Trades { instrument, since },
});

impl CallBody {
    /// What the call can do.
    pub const fn class(&self) -> CallClass {
        match self {
            CallBody::Place { .. } => CallClass::New,
            CallBody::Amend { .. } => CallClass::Amend,
            CallBody::Cancel { .. } | CallBody::DeadMan { .. } => CallClass::Cancel,
            CallBody::Set { .. } => CallClass::Setting,
            CallBody::Read { .. }
            | CallBody::QueryOrder { .. }
            | CallBody::Snapshot { .. }
            | CallBody::Trades { .. } => CallClass::Read,
            CallBody::Session { .. } => CallClass::Session,
        }
    }
}

/// A request to make of a venue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Its number.
    pub id: CallId,
    /// On which account, and so with which key.
    pub account: AccountName,
    /// What to ask.
    pub body: CallBody,
}
codec_struct!(Call { id, account, body });

impl Call {
    /// The same with its deadline on a clock that is so many microseconds ahead of the one that it was made on;
    /// behind below zero. By no more than `MAX_CLOCK_OFFSET`, which is the most that a request's time stamp follows.
    #[must_use]
    pub fn on_clock(mut self, ahead: i64) -> Call {
        let by = Span::from_micros(ahead.unsigned_abs().min(MAX_CLOCK_OFFSET.micros()));
        if let CallBody::Place { deadline, .. } | CallBody::Amend { deadline, .. } = &mut self.body
        {
            *deadline = if ahead < 0 { deadline.minus(by) } else { deadline.plus(by) };
        }
        self
    }
}

/// Why the signer may sign: the journal holds it, or it needs no record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Warrant {
    /// The record with this number was appended for it. Numbers must grow.
    Journalled {
        /// The number.
        seq: Seq,
    },
    /// A cancel in an emergency: the class `Cancel` alone.
    Emergency,
    /// A read or session, which changes nothing at the venue.
    Unrecorded,
}
codec_enum!(Warrant { 0 => Journalled { seq }, 1 => Emergency, 2 => Unrecorded });

/// A signed request, ready for the wire. It carries a signature good for one minute at most and
/// the venue key's id, never the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct WireRequest {
    /// The HTTP method (`WS` for a message on the venue's socket).
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body, or the message.
    pub body: String,
}
codec_struct!(WireRequest { method, target, headers, body });

impl std::fmt::Debug for WireRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Query and headers hold a signature or a key id.
        let path = self.target.split('?').next().unwrap_or_default();
        write!(f, "WireRequest({} {path})", self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_told_by_the_clock_of_who_reads_it() {
        let made = Time::from_millis(100_000);
        let call = Call {
            id: CallId(1),
            account: AccountName::new("main").unwrap(),
            body: CallBody::Amend {
                order: OrderRef {
                    instrument: InstrumentId {
                        venue: "v".parse().unwrap(),
                        name: "BTC".parse().unwrap(),
                    },
                    client_id: None,
                    venue_id: None,
                    conditional: false,
                },
                side: Side::Buy,
                qty: Qty::default(),
                price: None,
                trigger_price: None,
                post_only: None,
                reduce_only: None,
                deadline: made,
            },
        };
        let deadline = |ahead: i64| match call.clone().on_clock(ahead).body {
            CallBody::Amend { deadline, .. } => deadline.millis(),
            other => panic!("{other:?}"),
        };
        let told = [0, 300_000, -300_000, 60_000_000, -60_000_000].map(deadline);
        assert_eq!(told, [100_000, 100_300, 99_700, 110_000, 90_000]);
    }
}

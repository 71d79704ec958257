//! An order: where it stands, what was heard of it, and what it reserves.

pub use crate::table::{Orders, TradePlace};

use crate::profit::Average;
use std::collections::BTreeMap;
use tidegate_types::call::OrderRef;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::grant::Scope;
use tidegate_types::ids::{
    AccountName, CallId, CallerName, ClientId, Currency, InstrumentId, OrderId, SessionId, TradeId,
    VenueOrderId,
};
use tidegate_types::instrument::{Price, Qty, Unit};
use tidegate_types::order::{NewOrder, PostOnly, Side};
use tidegate_types::record::Canceller;
use tidegate_types::report::{FillReport, OrderReport, VenueState};
use tidegate_types::time::Time;
use tidegate_types::{codec_enum, codec_struct};

/// How an order ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ending {
    /// All of it traded.
    Filled,
    /// Cancelled or expired, maybe after trading in part.
    Cancelled,
    /// The venue refused it.
    Rejected,
    /// It never left.
    NotSent,
    /// It left, and the venue never had it.
    NeverArrived,
    /// The venue had it, and asked for it, does not have it any more: cancelled, unless the venue shows it again.
    Gone,
}
codec_enum!(Ending {
    0 => Filled, 1 => Cancelled, 2 => Rejected, 3 => NotSent, 4 => NeverArrived, 5 => Gone,
});

impl Ending {
    /// Whether it was cancelled, as far as is known.
    pub const fn is_cancelled(self) -> bool {
        matches!(self, Ending::Cancelled | Ending::Gone)
    }
}

/// Where an order stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// Cleared, not known to have left.
    Pending,
    /// It left; no answer yet.
    Sent,
    /// It may or may not be live: the venue is being asked.
    Unknown,
    /// Live at the venue.
    Live,
    /// Ended.
    Done {
        /// How.
        how: Ending,
    },
}
codec_enum!(Stage { 0 => Pending, 1 => Sent, 2 => Unknown, 3 => Live, 4 => Done { how } });

/// What was heard about an order's whereabouts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Heard {
    /// The request left.
    Left,
    /// The request did not leave.
    DidNotLeave,
    /// No answer came, or none that tells.
    NoWord,
    /// The venue refused the order.
    Refused,
    /// The venue, asked late enough, does not have it.
    NotThere,
    /// The venue shows it so.
    Told(VenueState),
}

/// Where an order stands after something was heard: the whole life of an order.
pub(crate) fn next(stage: Stage, heard: Heard) -> Stage {
    use Ending::{Cancelled, Filled, Gone, NeverArrived, NotSent, Rejected};
    use Stage::{Done, Live, Pending, Sent, Unknown};
    match (stage, heard) {
        // News that comes late about an order that traded or was cancelled changes nothing ...
        (Done { how: Filled | Cancelled }, _) => stage,
        // ... and whatever else the venue shows is believed, also of orders taken for dead.
        (_, Heard::Told(VenueState::Untriggered | VenueState::Open)) => Live,
        (_, Heard::Told(VenueState::Filled)) => Done { how: Filled },
        (_, Heard::Told(VenueState::Cancelled | VenueState::Expired)) => Done { how: Cancelled },
        (_, Heard::Told(VenueState::Rejected)) => Done { how: Rejected },
        (Done { .. }, _) => stage,
        (Pending, Heard::Left) => Sent,
        (_, Heard::Left) => stage,
        (Pending, Heard::DidNotLeave) => Done { how: NotSent },
        // Two reports that contradict each other: ask the venue.
        (Sent | Unknown, Heard::DidNotLeave) => Unknown,
        (Pending | Sent | Unknown, Heard::NoWord) => Unknown,
        (Pending | Sent | Unknown, Heard::Refused) => Done { how: Rejected },
        (Pending | Sent | Unknown, Heard::NotThere) => Done { how: NeverArrived },
        (Live, Heard::DidNotLeave | Heard::NoWord | Heard::Refused) => Live,
        (Live, Heard::NotThere) => Done { how: Gone },
    }
}

/// A change of an order that the venue has not answered yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingAmend {
    /// The request.
    pub call: CallId,
    /// The new total quantity.
    pub qty: Qty,
    /// The new limit price.
    pub price: Option<Price>,
    /// The new trigger price.
    pub trigger_price: Option<Price>,
    /// Maker only.
    pub post_only: PostOnly,
    /// Reduce-only.
    pub reduce_only: bool,
    /// What one unit is worth then.
    pub unit_value: Price,
    /// What one unit loses then by its worst price.
    pub slip: Price,
    /// It counts as reducing the position then.
    pub reducing: bool,
    /// The venue must refuse it after this time.
    pub deadline: Time,
    /// No answer came.
    pub unknown: bool,
}
codec_struct!(PendingAmend {
    call,
    qty,
    price,
    trigger_price,
    post_only,
    reduce_only,
    unit_value,
    slip,
    reducing,
    deadline,
    unknown,
});

/// What of an order may change after it was placed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The total quantity.
    pub qty: Qty,
    /// The limit price.
    pub price: Option<Price>,
    /// The trigger price.
    pub trigger_price: Option<Price>,
    /// Maker only.
    pub post_only: PostOnly,
    /// Reduce-only.
    pub reduce_only: bool,
}
codec_struct!(Terms { qty, price, trigger_price, post_only, reduce_only });

impl Terms {
    /// Those of a request.
    pub fn of(order: &NewOrder) -> Terms {
        Terms {
            qty: order.qty,
            price: order.price,
            trigger_price: order.trigger.as_ref().map(|trigger| trigger.price),
            post_only: order.post_only,
            reduce_only: order.reduce_only,
        }
    }
}

/// A trade of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trade {
    /// How much.
    pub qty: Qty,
    /// At which price.
    pub price: Price,
    /// The fee paid (negative: received).
    pub fee: Decimal,
    /// In which currency.
    pub fee_currency: Option<Currency>,
    /// Whether the order rested.
    pub maker: bool,
    /// When, on the venue's clock.
    pub at: Time,
    /// When it was heard of first, on the gateway's clock.
    pub heard: Time,
}
codec_struct!(Trade { qty, price, fee, fee_currency, maker, at, heard });

/// An order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// Its number.
    pub id: OrderId,
    /// Whose it is; `None`: Tidegate's own, or foreign, which the venue shows and Tidegate did not
    /// place.
    pub caller: Option<CallerName>,
    /// On which account.
    pub account: AccountName,
    /// The id it was sent with.
    pub client_id: Option<ClientId>,
    /// The venue's id.
    pub venue_id: Option<VenueOrderId>,
    /// The venue's id of what a conditional order became.
    pub triggered_as: Option<VenueOrderId>,
    /// What it became was shown by itself, so that the quantity is known from there: the venue may have
    /// triggered less than was placed.
    pub shown_as: bool,
    /// What was asked for, as amended since.
    pub request: NewOrder,
    /// What of it was asked for at first.
    pub asked: Terms,
    /// Where it stands.
    pub stage: Stage,
    /// When it was cleared or first seen.
    pub placed: Time,
    /// The venue must refuse its placement after this time.
    pub deadline: Time,
    /// When the venue made the newest report heard of.
    pub told: Time,
    /// When it last changed, on the gateway's clock.
    pub changed: Time,
    /// Filled so far: the most that any report or the trades together tell.
    pub filled: Qty,
    /// Average fill price, if told.
    pub average: Option<Price>,
    /// The trades heard of.
    pub trades: BTreeMap<TradeId, Trade>,
    /// What one unit is worth at worst, in dollars.
    pub unit_value: Price,
    /// What one unit loses by trading at its worst price instead of the mark that it was cleared by, in dollars.
    pub slip: Price,
    /// It was cleared as reducing the position, so that it reserves nothing.
    pub reducing: bool,
    /// A change the venue has not answered.
    pub amend: Option<PendingAmend>,
    /// Its place among the done orders, from the oldest.
    pub done_no: Option<u64>,
    /// Its caller was not told what became of it, as far as the journal knows.
    pub untold: bool,
    /// The session it was placed over, where that is on record.
    pub session: Option<SessionId>,
    /// It is to be cancelled until it has ended, by this.
    pub doom: Option<Canceller>,
    /// Cancels of Tidegate's that may have ended it.
    pub cancels: u64,
    /// It is Tidegate's own, and closes a position for the halt of this.
    pub closes: Option<Scope>,
}
codec_struct!(Order {
    id,
    caller,
    account,
    client_id,
    venue_id,
    triggered_as,
    shown_as,
    request,
    asked,
    stage,
    placed,
    deadline,
    told,
    changed,
    filled,
    average,
    trades,
    unit_value,
    slip,
    reducing,
    amend,
    done_no,
    untold,
    session,
    doom,
    cancels,
    closes,
});

impl Stage {
    /// Whether an order that stands so was cancelled, as far as is known.
    pub const fn is_cancelled(self) -> bool {
        matches!(self, Stage::Done { how } if how.is_cancelled())
    }
}

impl Order {
    /// Whether it may still trade, as far as is known.
    pub fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Done { .. })
    }

    /// Whether Tidegate did not place it.
    pub fn is_foreign(&self) -> bool {
        self.caller.is_none() && self.closes.is_none()
    }

    /// Whether less of it is known in trades than is known to have traded.
    pub(crate) fn lacks_trades(&self) -> bool {
        !self.is_foreign() && self.traded() < self.filled
    }

    /// Whether one more trade makes its trades come to more than was ever asked for, counting an unanswered amend
    /// at its larger side.
    pub(crate) fn is_exceeded_by(&self, more: Qty) -> bool {
        let total = self.amend.as_ref().map_or(self.request.qty, |a| a.qty.max(self.request.qty));
        self.traded().0.raw().saturating_add(more.0.raw()) > total.0.raw()
    }

    /// How many trades of it are known, where what is filled beyond them counts as one.
    pub(crate) fn executions(&self) -> u64 {
        self.trades.len() as u64 + u64::from(self.traded() < self.filled)
    }

    /// What the trades heard of come to.
    fn traded(&self) -> Qty {
        let sum = |sum: i64, trade: &Trade| sum.saturating_add(trade.qty.0.raw());
        Qty(Decimal::from_raw(self.trades.values().fold(0, sum)))
    }

    /// Whether a trade that the venue tells by its own ids alone may be of this order.
    pub(crate) fn may_have(&self, instrument: &InstrumentId) -> bool {
        let nameless = self.venue_id.is_none()
            || (self.request.order_type.is_conditional() && self.triggered_as.is_none());
        nameless && !self.is_foreign() && self.request.instrument == *instrument
    }

    /// How requests to the venue name it: a conditional order that triggered by what it became,
    /// because the venue has the other no more.
    pub fn reference(&self) -> OrderRef {
        let triggered = self.triggered_as.is_some();
        OrderRef {
            instrument: self.request.instrument.clone(),
            client_id: self.client_id.clone(),
            venue_id: self.triggered_as.as_ref().or(self.venue_id.as_ref()).cloned(),
            conditional: self.request.order_type.is_conditional() && !triggered,
        }
    }

    /// What may still trade, counting an unanswered amend at its larger side.
    pub fn remaining(&self) -> Qty {
        let total = self.amend.as_ref().map_or(self.request.qty, |a| a.qty.max(self.request.qty));
        self.left_of(total)
    }

    /// What the order reserves now: of an unanswered amend, the larger of before and after.
    pub(crate) fn share(&self) -> Share {
        if !self.is_open() {
            return Share::default();
        }
        let of = |reducing: bool, qty: Qty, unit: Price| match reducing {
            true => 0,
            false => worth(self.left_of(qty), unit),
        };
        let qty = self.request.qty;
        let now = Share {
            qty: self.remaining().0.raw(),
            value: of(self.reducing, qty, self.unit_value),
            slip: of(self.reducing, qty, self.slip),
            reducing: self.reducing,
        };
        let Some(amend) = &self.amend else { return now };
        Share {
            value: now.value.max(of(amend.reducing, amend.qty, amend.unit_value)),
            slip: now.slip.max(of(amend.reducing, amend.qty, amend.slip)),
            reducing: now.reducing && amend.reducing,
            ..now
        }
    }

    fn left_of(&self, total: Qty) -> Qty {
        Qty(Decimal::from_raw(total.0.raw().saturating_sub(self.filled.0.raw()).max(0)))
    }

    /// What one unit is worth at worst, before and after an unanswered amend.
    pub(crate) fn worst_value(&self) -> Price {
        self.amend.as_ref().map_or(self.unit_value, |amend| amend.unit_value.max(self.unit_value))
    }

    /// The highest price that it has, its trigger's among them.
    pub(crate) fn dearest(&self) -> Option<Price> {
        self.request.price.max(self.request.trigger.as_ref().map(|trigger| trigger.price))
    }

    /// Whether this report would change anything.
    pub(crate) fn news_in(&self, report: &OrderReport) -> bool {
        let mut heard = self.clone();
        heard.hear_report(report);
        heard != *self
    }

    /// Takes the venue's word in. Reports may come twice and in any order.
    pub(crate) fn hear_report(&mut self, report: &OrderReport) {
        if report.triggered_as.is_some() {
            self.triggered_as.clone_from(&report.triggered_as);
        } else if self.is_child(report) {
            // The venue shows what it became under the same client id, and not that it did.
            self.triggered_as = Some(report.venue_id.clone());
        }
        if self.triggered_as.as_ref() != Some(&report.venue_id) {
            self.venue_id.get_or_insert_with(|| report.venue_id.clone());
        }
        self.shown_as |= self.triggered_as.as_ref() == Some(&report.venue_id);
        self.fill_to(report.filled);
        if report.at >= self.told {
            self.told = report.at;
            self.average = report.average.or(self.average);
            let of_what_was_placed = self.shown_as && report.triggered_as.is_some();
            if report.qty.0.is_positive() && !of_what_was_placed {
                self.request.qty = report.qty;
            }
            if let Some(price) = report.price.filter(|p| p.0.is_positive()) {
                self.request.price = self.request.price.map(|_| price);
            }
            if let (Some(trigger), Some(price)) = (&mut self.request.trigger, report.trigger_price)
            {
                trigger.price = price;
            }
            self.request.post_only = report.post_only.unwrap_or(self.request.post_only);
            self.request.reduce_only = report.reduce_only.unwrap_or(self.request.reduce_only);
            // What is not reduce-only at the venue may trade in full, however it was cleared.
            self.reducing &= self.request.reduce_only;
        }
        // A snapshot that was made before the end and comes after it revives nothing.
        if self.is_open() || report.at >= self.told {
            self.stage = match self.is_larger_than_filled(report) {
                true => Stage::Live,
                false => next(self.stage, Heard::Told(report.state)),
            };
        }
    }

    /// Whether an order that traded all that was known of it turns out to rest with more: somebody made it larger at
    /// the venue, and its trades were told before that.
    fn is_larger_than_filled(&self, report: &OrderReport) -> bool {
        let is_filled = self.stage == Stage::Done { how: Ending::Filled };
        is_filled && report.state.is_live() && report.at >= self.told && self.filled < report.qty
    }

    /// Whether a report is of what this conditional order became.
    fn is_child(&self, report: &OrderReport) -> bool {
        let other = self.venue_id.as_ref().is_some_and(|id| *id != report.venue_id);
        self.request.order_type.is_conditional() && (other || !report.order_type.is_conditional())
    }

    /// Takes a trade in; one already heard of changes nothing.
    pub(crate) fn hear_fill(&mut self, fill: &FillReport, now: Time) {
        if self.trades.contains_key(&fill.trade_id) {
            return;
        }
        let trade = Trade {
            qty: fill.qty,
            price: fill.price,
            fee: fill.fee,
            fee_currency: fill.fee_currency.clone(),
            maker: fill.maker,
            at: fill.at,
            heard: now,
        };
        self.trades.insert(fill.trade_id.clone(), trade);
        self.fill_to(self.traded());
        if self.filled >= self.request.qty && self.amend.is_none() {
            self.stage = next(self.stage, Heard::Told(VenueState::Filled));
        }
    }

    /// The pending amend is now in force.
    pub(crate) fn amended(&mut self) {
        if let Some(amend) = self.amend.take() {
            self.request.qty = amend.qty;
            self.request.price = amend.price;
            if let (Some(trigger), Some(price)) = (&mut self.request.trigger, amend.trigger_price) {
                trigger.price = price;
            }
            self.request.post_only = amend.post_only;
            self.request.reduce_only = amend.reduce_only;
            self.unit_value = amend.unit_value;
            self.slip = amend.slip;
            self.reducing = amend.reducing;
        }
    }

    /// The pending amend was made at `at`, on the venue's clock. What it told before this answer of a later moment
    /// (somebody changed the order once more) stays.
    pub(crate) fn amended_at(&mut self, at: Time) {
        let (later, worth) = (self.request.clone(), self.unit_value);
        let is_late = at < self.told && self.amend.is_some();
        self.amended();
        if is_late {
            (self.request, self.unit_value) = (later, worth.max(self.unit_value));
        }
    }

    fn fill_to(&mut self, filled: Qty) {
        self.filled = self.filled.max(filled);
    }
}

/// What `qty` is worth in dollars of 10⁻⁸, rounded up.
pub(crate) fn worth(qty: Qty, unit_value: Price) -> i128 {
    match qty.0.mul(unit_value.0, Rounding::Ceil) {
        Ok(usd) => i128::from(usd.raw()),
        Err(_) => i128::from(i64::MAX),
    }
}

/// What an order reserves: quantity and dollars in 10⁻⁸.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Share {
    pub(crate) qty: i64,
    pub(crate) value: i128,
    /// What it loses where it trades at its worst price, in dollars of 10⁻⁸.
    pub(crate) slip: i128,
    pub(crate) reducing: bool,
}

/// How one order's part in the sums changed.
#[derive(Debug)]
pub(crate) struct Shift {
    pub(crate) id: OrderId,
    pub(crate) before: Share,
    pub(crate) after: Share,
    pub(crate) filled: i64,
    /// How many more trades of it are known; what was filled without one being told counts as one.
    pub(crate) executions: u64,
    /// What the filled is worth at worst, in dollars of 10⁻⁸.
    pub(crate) traded: i128,
    /// At which price the filled was filled, where the venue told.
    pub(crate) price: Option<Average>,
    pub(crate) side: Side,
}

impl Shift {
    /// The price of what was filled: told, or that of the order, or the mark.
    pub(crate) fn price_or(&self, order: &Order, unit: Unit, mark: Option<Price>) -> Option<Price> {
        self.price.map(|average| average.of(unit)).or(order.request.price).or(mark)
    }
}

//! What can happen to the exchange, and what it answers.

use super::account::AccountIx;
use super::market::InstrumentIx;
use super::order::{EndReason, Fill, NewOrder, Order, OrderId};
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::time::Time;
use tidegate_types::{codec_enum, codec_struct};

/// Everything that changes the exchange. Reads do not pass here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// Time passes: prices move, background traders trade, timers fire. Ten times a second.
    Tick,
    /// A new order.
    Place {
        /// Whose.
        account: AccountIx,
        /// The order.
        order: Box<NewOrder>,
    },
    /// A cancel.
    Cancel {
        /// Whose.
        account: AccountIx,
        /// Which order.
        target: OrderRef,
    },
    /// Cancels of many orders; those no longer live are passed over.
    CancelMany {
        /// Whose.
        account: AccountIx,
        /// Which orders.
        orders: Vec<OrderId>,
        /// Why.
        reason: EndReason,
    },
    /// A change of a resting order.
    Amend {
        /// Whose.
        account: AccountIx,
        /// Which order.
        target: OrderRef,
        /// What it becomes.
        change: Amendment,
    },
    /// The leverage of an instrument.
    SetLeverage {
        /// Whose.
        account: AccountIx,
        /// Of which instrument.
        instrument: InstrumentIx,
        /// How much.
        leverage: u32,
    },
    /// Isolated or cross margin of an instrument.
    SetIsolated {
        /// Whose.
        account: AccountIx,
        /// Of which instrument.
        instrument: InstrumentIx,
        /// Whether isolated.
        isolated: bool,
    },
    /// One net position or a long and a short one.
    SetHedge {
        /// Whose.
        account: AccountIx,
        /// Whether two.
        hedge: bool,
    },
    /// A named switch of the dialect (`multiAssetsMargin`, `feeBurn`, self-trade mode, …).
    SetFlag {
        /// Whose.
        account: AccountIx,
        /// Which.
        name: Arc<str>,
        /// To what.
        value: Arc<str>,
    },
    /// Money moved into or out of an isolated position.
    MoveMargin {
        /// Whose.
        account: AccountIx,
        /// Of which instrument.
        instrument: InstrumentIx,
        /// How much; negative takes out.
        amount: Decimal,
    },
    /// Money into (positive) or out of (negative) the account.
    Transfer {
        /// Whose.
        account: AccountIx,
        /// Which asset.
        asset: Arc<str>,
        /// How much.
        amount: Decimal,
        /// What the ledger calls it: `TRANSFER`, `WITHDRAW`, ….
        kind: Arc<str>,
    },
    /// A dead-man timer for all orders of an instrument; no time switches it off.
    Countdown {
        /// Whose.
        account: AccountIx,
        /// Of which instrument.
        instrument: InstrumentIx,
        /// When it fires.
        at: Option<Time>,
    },
    /// A key to listen to the account's stream.
    Listen {
        /// Whose.
        account: AccountIx,
        /// What to do with it.
        op: ListenOp,
    },
}
codec_enum!(Input {
    0 => Tick,
    1 => Place { account, order },
    2 => Cancel { account, target },
    3 => CancelMany { account, orders, reason },
    4 => Amend { account, target, change },
    5 => SetLeverage { account, instrument, leverage },
    6 => SetIsolated { account, instrument, isolated },
    7 => SetHedge { account, hedge },
    8 => SetFlag { account, name, value },
    9 => MoveMargin { account, instrument, amount },
    10 => Transfer { account, asset, amount, kind },
    11 => Countdown { account, instrument, at },
    12 => Listen { account, op },
});

/// Names an order of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OrderRef {
    /// By the exchange's number.
    Id {
        /// The number.
        id: OrderId,
    },
    /// By the client's id: the live one, else the newest.
    Client {
        /// The id.
        id: Arc<str>,
    },
}
codec_enum!(OrderRef { 0 => Id { id }, 1 => Client { id } });

/// What a resting order becomes; what is none stays.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Amendment {
    /// The new total quantity, filled part included.
    pub quantity: Option<Decimal>,
    /// The new price.
    pub price: Option<Decimal>,
    /// The new trigger price of an untriggered order.
    pub trigger_price: Option<Decimal>,
    /// What a post-only order that would now take does: by itself as it was placed.
    pub post_only: Option<super::order::PostOnly>,
    /// Reduce-only from now on, or no longer.
    pub reduce_only: Option<bool>,
}
codec_struct!(Amendment { quantity, price, trigger_price, post_only, reduce_only });

/// What to do with a listen key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListenOp {
    /// Make one or prolong the present one.
    Start,
    /// Prolong it.
    Keep,
    /// End it.
    Stop,
}
codec_enum!(ListenOp { 0 => Start, 1 => Keep, 2 => Stop });

/// The answer to an input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Nothing happened, and why.
    Refused(Refusal),
    /// The order as it stands now and what it traded at once.
    Order(Box<Order>, Vec<Fill>),
    /// The orders that were cancelled.
    Cancelled(Vec<Order>),
    /// Done, and nothing to tell.
    Done,
}

/// Why the exchange does not do what it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// No such instrument.
    UnknownInstrument,
    /// The instrument does not trade (any more).
    NotTrading,
    /// A limit order without a price, or a price of zero or below.
    BadPrice,
    /// The price is not on a tick.
    OffTick,
    /// The price is above what is allowed now.
    PriceTooHigh(Decimal),
    /// The price is below what is allowed now.
    PriceTooLow(Decimal),
    /// The quantity is zero or below.
    BadQuantity,
    /// The quantity is below the smallest.
    TooSmall,
    /// The quantity is above the largest.
    TooLarge,
    /// The quantity is not a whole number of steps.
    OffStep,
    /// The value is below the smallest.
    MinNotional(Decimal),
    /// Not enough money for the margin or premium.
    Margin,
    /// A post-only order would have taken.
    WouldTake,
    /// A fill-or-kill order cannot be filled.
    CannotFill,
    /// Nothing to reduce.
    ReduceOnly,
    /// The position side does not fit the account's position mode.
    PositionSide,
    /// The client id is in use by an open order.
    DuplicateClientId,
    /// No such order.
    UnknownOrder,
    /// The order has ended.
    NotOpen,
    /// Too many open orders.
    TooManyOrders,
    /// Too many conditional orders.
    TooManyTriggers,
    /// The trigger would fire at once.
    WouldTrigger,
    /// The trigger price is missing or off tick.
    BadTrigger,
    /// It would trade with the same account.
    SelfTrade,
    /// There is no one to trade with.
    NoLiquidity,
    /// The order's end is in the past.
    BadGoodTill,
    /// The order kind cannot be amended.
    CannotAmend,
    /// The amendment changes nothing.
    SameOrder,
    /// Leverage out of range, or too high for the position.
    Leverage,
    /// Not while there are open orders.
    HasOrders,
    /// Not while there is a position.
    HasPosition,
    /// It is already so.
    NoChange,
    /// The account has less than that.
    Balance,
    /// The listen key does not exist.
    NoListenKey,
    /// The exchange itself is out of order.
    Unavailable,
}

//! Orders and fills.

use super::account::AccountIx;
use super::market::InstrumentIx;
use super::universe::Unit;
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::Time;
use tidegate_types::{codec_enum, codec_struct};

/// The number of an order, growing.
pub type OrderId = i64;

/// How an order meets the book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderType {
    /// At its price or better.
    Limit,
    /// At the best prices there are, what is left expires.
    Market,
    /// At the best opposite price; what is left rests at that price.
    MarketLimit,
}
codec_enum!(OrderType { 0 => Limit, 1 => Market, 2 => MarketLimit });

/// How long an order stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tif {
    /// Until cancelled.
    Gtc,
    /// What does not fill at once expires.
    Ioc,
    /// All at once or nothing.
    Fok,
    /// Until a time.
    Gtd {
        /// When it expires.
        until: Time,
    },
}
codec_enum!(Tif { 0 => Gtc, 1 => Ioc, 2 => Fok, 3 => Gtd { until } });

/// What a post-only order that would take does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PostOnly {
    /// It is not post-only: it takes.
    No,
    /// It is refused.
    Reject,
    /// It moves to one tick before the opposite best price.
    Slide,
}
codec_enum!(PostOnly { 0 => No, 1 => Reject, 2 => Slide });

/// Which side of a hedged position an order is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PosSide {
    /// The one net position.
    Both,
    /// The long position of an account in hedge mode.
    Long,
    /// The short position of an account in hedge mode.
    Short,
}
codec_enum!(PosSide { 0 => Both, 1 => Long, 2 => Short });

/// What happens when an order would meet another of the same account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SelfTrade {
    /// They trade.
    Allow,
    /// The incoming order ends.
    ExpireTaker,
    /// The resting order ends.
    ExpireMaker,
    /// Both end.
    ExpireBoth,
    /// The incoming order is refused as a whole, before it trades.
    RejectTaker,
}
codec_enum!(SelfTrade {
    0 => Allow, 1 => ExpireTaker, 2 => ExpireMaker, 3 => ExpireBoth, 4 => RejectTaker
});

/// Which way a trigger fires.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TriggerKind {
    /// A buy when the price rises to it, a sell when it falls to it.
    Stop,
    /// A buy when the price falls to it, a sell when it rises to it.
    Take,
    /// A stop that follows the best price at a distance: a fraction when `relative`.
    Trailing {
        /// The distance.
        offset: Decimal,
        /// Whether the distance is a fraction of the price.
        relative: bool,
        /// The price from which it follows.
        activation: Option<Decimal>,
    },
}
codec_enum!(TriggerKind { 0 => Stop, 1 => Take, 2 => Trailing { offset, relative, activation } });

/// Which price a trigger watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TriggerBy {
    /// The mark price.
    Mark,
    /// The index.
    Index,
    /// The last trade.
    Last,
}
codec_enum!(TriggerBy { 0 => Mark, 1 => Index, 2 => Last });

/// What an order waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trigger {
    /// Which way.
    pub kind: TriggerKind,
    /// Which price.
    pub by: TriggerBy,
    /// The trigger price; for a trailing one, where it stands now (zero before it is armed).
    pub price: Decimal,
}
codec_struct!(Trigger { kind, by, price });

/// An order as asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewOrder {
    /// What to trade.
    pub instrument: InstrumentIx,
    /// Which way.
    pub side: Side,
    /// How.
    pub kind: OrderType,
    /// How much, in the instrument's unit. Zero with `close_position`.
    pub quantity: Decimal,
    /// The limit price.
    pub price: Option<Decimal>,
    /// How long.
    pub tif: Tif,
    /// Whether it must not take.
    pub post_only: PostOnly,
    /// Whether it may only reduce the position.
    pub reduce_only: bool,
    /// A trigger that closes the whole position.
    pub close_position: bool,
    /// Which hedged position.
    pub pos_side: PosSide,
    /// Against itself.
    pub self_trade: SelfTrade,
    /// What it waits for.
    pub trigger: Option<Trigger>,
    /// The client order id or label; may be empty.
    pub client_id: Arc<str>,
    /// Whether `client_id` must be unique among the account's open orders.
    pub unique: bool,
    /// Text of the dialect, kept with the order and never read here.
    pub tag: Arc<str>,
}
codec_struct!(NewOrder {
    instrument,
    side,
    kind,
    quantity,
    price,
    tif,
    post_only,
    reduce_only,
    close_position,
    pos_side,
    self_trade,
    trigger,
    client_id,
    unique,
    tag
});

impl NewOrder {
    /// A plain limit order, good until cancelled.
    pub fn limit(
        instrument: InstrumentIx,
        side: Side,
        quantity: Decimal,
        price: Decimal,
    ) -> NewOrder {
        NewOrder {
            instrument,
            side,
            kind: OrderType::Limit,
            quantity,
            price: Some(price),
            tif: Tif::Gtc,
            post_only: PostOnly::No,
            reduce_only: false,
            close_position: false,
            pos_side: PosSide::Both,
            self_trade: SelfTrade::Allow,
            trigger: None,
            client_id: Arc::from(""),
            unique: false,
            tag: Arc::from(""),
        }
    }

    /// A plain market order.
    pub fn market(instrument: InstrumentIx, side: Side, quantity: Decimal) -> NewOrder {
        NewOrder {
            kind: OrderType::Market,
            price: None,
            ..NewOrder::limit(instrument, side, quantity, Decimal::ZERO)
        }
    }
}

/// Why an order ended without being filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndReason {
    /// Its owner cancelled it.
    User,
    /// What an IOC, FOK or market order could not fill.
    Immediate,
    /// Its time came.
    Expired,
    /// Self-trade prevention.
    SelfTrade,
    /// The account was liquidated.
    Liquidation,
    /// The instrument was delivered.
    Settlement,
    /// A reduce-only order with nothing left to reduce.
    ReduceOnly,
    /// A post-only amendment that would have taken, or one below what had filled.
    Amend,
    /// A dead-man timer ran out.
    Countdown,
    /// The connection it came by was lost.
    Disconnect,
    /// The triggered order was refused.
    TriggerRefused,
}
codec_enum!(EndReason {
    0 => User, 1 => Immediate, 2 => Expired, 3 => SelfTrade, 4 => Liquidation, 5 => Settlement,
    6 => ReduceOnly, 7 => Amend, 8 => Countdown, 9 => Disconnect, 10 => TriggerRefused
});

/// Where an order stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Waits for its trigger.
    Untriggered,
    /// Its trigger fired and another order was made of it.
    Triggered,
    /// On the book, maybe filled in part.
    Open,
    /// Filled.
    Filled,
    /// Over.
    Ended {
        /// Why.
        reason: EndReason,
    },
}
codec_enum!(Status { 0 => Untriggered, 1 => Triggered, 2 => Open, 3 => Filled, 4 => Ended { reason } });

/// An order the exchange has taken on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// Its number.
    pub id: OrderId,
    /// Whose.
    pub account: AccountIx,
    /// As asked for, with amendments; `price` of a market order is none.
    pub ask: NewOrder,
    /// Where it stands.
    pub status: Status,
    /// How much has filled.
    pub filled: Decimal,
    /// Sum of the fills' worth: price × quantity, for inverse quantity ÷ price.
    pub paid: Decimal,
    /// Its place in the queue of its price: lower goes first.
    pub priority: u64,
    /// When it came.
    pub created: Time,
    /// When it last changed.
    pub updated: Time,
    /// When its trigger fired.
    pub triggered: Option<Time>,
    /// The conditional order it was made of.
    pub parent: Option<OrderId>,
    /// The order made of it.
    pub child: Option<OrderId>,
    /// How often it was amended.
    pub amended: u32,
    /// Whether the exchange itself placed it to liquidate.
    pub liquidation: bool,
}
codec_struct!(Order {
    id,
    account,
    ask,
    status,
    filled,
    paid,
    priority,
    created,
    updated,
    triggered,
    parent,
    child,
    amended,
    liquidation
});

impl Order {
    /// What has not filled.
    pub fn left(&self) -> Decimal {
        super::calc::sub(self.ask.quantity, self.filled)
    }

    /// Whether it can still do something.
    pub const fn is_live(&self) -> bool {
        matches!(self.status, Status::Open | Status::Untriggered)
    }

    /// The average fill price; zero before the first fill.
    pub fn average(&self, unit: Unit) -> Decimal {
        match unit {
            Unit::Inverse => super::calc::div(self.filled, self.paid),
            Unit::Linear | Unit::CoinOption => super::calc::div(self.paid, self.filled),
        }
    }
}

/// One account's side of a trade.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fill {
    /// The trade.
    pub trade: i64,
    /// The trade's place in the instrument's own count.
    pub seq: u64,
    /// The order.
    pub order: OrderId,
    /// Whose.
    pub account: AccountIx,
    /// The instrument.
    pub instrument: InstrumentIx,
    /// Which way.
    pub side: Side,
    /// Which hedged position.
    pub pos_side: PosSide,
    /// At which price.
    pub price: Decimal,
    /// How much.
    pub quantity: Decimal,
    /// Fee paid, in `fee_asset`; negative is a rebate.
    pub fee: Decimal,
    /// The asset of fee and profit.
    pub fee_asset: Arc<str>,
    /// Profit realized by it.
    pub realized: Decimal,
    /// Whether the order rested.
    pub maker: bool,
    /// The mark price then.
    pub mark: Decimal,
    /// The index then.
    pub index: Decimal,
    /// When.
    pub time: Time,
    /// The order's client id.
    pub client_id: Arc<str>,
    /// The order's type.
    pub kind: OrderType,
    /// The order's dialect text.
    pub tag: Arc<str>,
}
codec_struct!(Fill {
    trade,
    seq,
    order,
    account,
    instrument,
    side,
    pos_side,
    price,
    quantity,
    fee,
    fee_asset,
    realized,
    maker,
    mark,
    index,
    time,
    client_id,
    kind,
    tag
});

//! What a venue says about orders, trades and positions, whichever words it used.

use crate::decimal::Decimal;
use crate::ids::{ClientId, Currency, InstrumentId, TradeId, VenueOrderId};
use crate::instrument::{Price, Qty, SignedQty};
use crate::order::{OrderType, PostOnly, Side};
use crate::time::Time;
use crate::venue_margin::VenueMargin;
use crate::{codec_enum, codec_struct};

/// Where an order stands at the venue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum VenueState {
    /// Conditional, not triggered.
    Untriggered,
    /// On the book.
    Open,
    /// Done: all filled.
    Filled,
    /// Done: cancelled, as far as is told because somebody asked for it.
    Cancelled,
    /// Done: never accepted.
    Rejected,
    /// Done: ended by the venue's own rules (time in force, self-trade prevention, liquidation …).
    Expired,
}
codec_enum!(VenueState {
    0 => Untriggered, 1 => Open, 2 => Filled, 3 => Cancelled, 4 => Rejected, 5 => Expired,
});

impl VenueState {
    /// Whether the order can still trade.
    pub const fn is_live(self) -> bool {
        match self {
            VenueState::Untriggered | VenueState::Open => true,
            VenueState::Filled
            | VenueState::Cancelled
            | VenueState::Rejected
            | VenueState::Expired => false,
        }
    }
}

/// The venue's word on an order: an answer, a stream message or a row of a query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderReport {
    /// Of what.
    pub instrument: InstrumentId,
    /// The client id it was sent with, if the venue shows it.
    pub client_id: Option<ClientId>,
    /// The venue's id.
    pub venue_id: VenueOrderId,
    /// A second id: of the order that a conditional one became.
    pub triggered_as: Option<VenueOrderId>,
    /// Buy or sell.
    pub side: Side,
    /// How it meets the market.
    pub order_type: OrderType,
    /// Where it stands.
    pub state: VenueState,
    /// Total quantity.
    pub qty: Qty,
    /// Filled so far, in all.
    pub filled: Qty,
    /// Its limit price, after any move by the venue.
    pub price: Option<Price>,
    /// Average fill price.
    pub average: Option<Price>,
    /// Its trigger price, if the venue tells it.
    pub trigger_price: Option<Price>,
    /// Maker only, if the venue tells it.
    pub post_only: Option<PostOnly>,
    /// Reduce-only, if the venue tells it.
    pub reduce_only: Option<bool>,
    /// When the venue last changed it.
    pub at: Time,
}
codec_struct!(OrderReport {
    instrument,
    client_id,
    venue_id,
    triggered_as,
    side,
    order_type,
    state,
    qty,
    filled,
    price,
    average,
    trigger_price,
    post_only,
    reduce_only,
    at,
});

/// One trade of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FillReport {
    /// Of what.
    pub instrument: InstrumentId,
    /// The venue's id of the trade.
    pub trade_id: TradeId,
    /// The client id of the order, if the venue shows it.
    pub client_id: Option<ClientId>,
    /// The venue's id of the order.
    pub venue_id: VenueOrderId,
    /// Buy or sell.
    pub side: Side,
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
    /// When.
    pub at: Time,
}
codec_struct!(FillReport {
    instrument,
    trade_id,
    client_id,
    venue_id,
    side,
    qty,
    price,
    fee,
    fee_currency,
    maker,
    at,
});

/// The account's position in one instrument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PositionReport {
    /// In what.
    pub instrument: InstrumentId,
    /// How much, signed.
    pub qty: SignedQty,
    /// Average entry price, if there is a position.
    pub entry: Option<Price>,
}
codec_struct!(PositionReport { instrument, qty, entry });

/// A settlement that a position was held over: what it made until then is in the wallet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settlement {
    /// In what.
    pub instrument: InstrumentId,
    /// At which price.
    pub price: Price,
}
codec_struct!(Settlement { instrument, price });

/// What the account's wallet holds of an asset. Profit that is not realized yet is not in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BalanceReport {
    /// Of what.
    pub asset: Currency,
    /// How much; negative when it is owed.
    pub amount: Decimal,
}
codec_struct!(BalanceReport { asset, amount });

/// What an answer to a request that places, amends or cancels says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Done; the order now stands so. Trades that came with the answer are listed.
    Accepted {
        /// Where the order stands.
        report: OrderReport,
        /// Its trades so far, as far as the answer shows them.
        fills: Vec<FillReport>,
    },
    /// Done; there is no order to report (a setting, a bare acknowledgement).
    Done,
    /// The venue refused; nothing changed there.
    Rejected {
        /// The venue's code.
        code: i64,
        /// The venue's words.
        message: String,
        /// The venue says that it has no such live order.
        no_such_order: bool,
    },
    /// The answer does not tell: time-out, broken connection, 5xx, unreadable.
    Unknown {
        /// What was seen.
        why: String,
    },
}
codec_enum!(Outcome {
    0 => Accepted { report, fills }, 1 => Done, 2 => Rejected { code, message, no_such_order },
    3 => Unknown { why },
});

/// News from an account's private stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccountEvent {
    /// An order changed.
    Order {
        /// How it stands now.
        report: OrderReport,
    },
    /// A trade.
    Fill {
        /// The trade.
        fill: FillReport,
    },
    /// A position as the venue counts it.
    Position {
        /// The position.
        position: PositionReport,
    },
    /// A balance changed: by a trade, a fee, funding, a settlement, a transfer.
    Balance {
        /// What it is now.
        balance: BalanceReport,
    },
    /// Funding was paid or received; the balance that it makes is told besides.
    Funding {
        /// By how much it changed a balance; negative when it was paid.
        change: BalanceReport,
    },
    /// Money was paid in or out, which was neither won nor lost; the balance that it makes is told besides, after what
    /// is paid in and before what is paid out.
    Payment {
        /// By how much it changed a balance; negative when it was paid out.
        change: BalanceReport,
    },
}
codec_enum!(AccountEvent {
    0 => Order { report }, 1 => Fill { fill }, 2 => Position { position },
    3 => Balance { balance }, 4 => Funding { change }, 5 => Payment { change },
});

/// The account as the venue shows it: the answer to a reconciliation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AccountSnapshot {
    /// Every live order, conditional ones too.
    pub orders: Vec<OrderReport>,
    /// Every position that is not zero.
    pub positions: Vec<PositionReport>,
    /// The balances; an asset that is not among them is not held.
    pub balances: Vec<BalanceReport>,
    /// What the venue says of the account's margin, as far as it tells.
    pub margins: Vec<VenueMargin>,
    /// The last settlements that positions were held over, where the venue has such and tells them.
    pub settlements: Vec<Settlement>,
}

/// Orders and positions of a snapshot, as far as they are put on record together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shown {
    /// Orders.
    pub orders: Vec<OrderReport>,
    /// Positions.
    pub positions: Vec<PositionReport>,
}
codec_struct!(Shown { orders, positions });

//! What the exchange tells the world: everything streams are made of.

use super::account::AccountIx;
use super::market::InstrumentIx;
use super::order::{Fill, Order, PosSide};
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::Time;

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Effect {
    /// An order changed; conditional orders too. `order` is as it stood after it.
    Order {
        /// The order.
        order: Arc<Order>,
        /// What happened to it.
        event: OrderEvent,
    },
    /// A trade was made.
    Trade(PublicTrade),
    /// The quantity at a price of a book changed; the book knows it now.
    Level {
        /// Which book.
        instrument: InstrumentIx,
        /// Which side.
        side: Side,
        /// At which price.
        price: Decimal,
        /// The book's count of changes after this one.
        update: u64,
    },
    /// Balances or positions of an account changed.
    Account {
        /// Whose.
        account: AccountIx,
        /// Why.
        cause: Cause,
        /// The assets whose balance changed, and by how much without trading.
        assets: Vec<(Arc<str>, Decimal)>,
        /// The positions that changed.
        positions: Vec<(InstrumentIx, PosSide)>,
    },
    /// A setting of an account changed.
    Setting {
        /// Whose.
        account: AccountIx,
        /// The instrument and its leverage, or a switch and its value.
        setting: Setting,
    },
    /// Marks and indexes moved (once per tick).
    Prices,
    /// An instrument was listed.
    Listed(InstrumentIx),
    /// An instrument was delivered.
    Delivered(InstrumentIx),
    /// A listen key expired.
    ListenExpired {
        /// Whose.
        account: AccountIx,
        /// The key.
        key: String,
    },
    /// An order of the exchange liquidated a position.
    Liquidated {
        /// The order's last state.
        order: Arc<Order>,
        /// The last price.
        price: Decimal,
    },
}

/// What happened to an order.
#[derive(Clone, Debug)]
pub enum OrderEvent {
    /// It was taken on.
    New,
    /// It traded.
    Traded(Box<Fill>),
    /// It was amended.
    Amended,
    /// Its trigger fired.
    Triggered,
    /// It ended; its status says why.
    Ended,
}

/// Why an account changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// An order traded.
    Order,
    /// Funding was exchanged.
    Funding,
    /// An instrument was delivered.
    Settlement,
    /// Money came or went.
    Transfer,
    /// Margin of an isolated position moved, or its margin type changed.
    Margin,
    /// The exchange covered a loss.
    Insurance,
}

/// A setting.
#[derive(Clone, Debug)]
pub enum Setting {
    /// The leverage of an instrument.
    Leverage(InstrumentIx, u32),
    /// A switch.
    Flag(Arc<str>, Arc<str>),
}

/// A trade as everyone sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicTrade {
    /// Its number at the exchange.
    pub id: i64,
    /// Its place in the instrument's own count, from 1.
    pub seq: u64,
    /// The instrument.
    pub instrument: InstrumentIx,
    /// The price.
    pub price: Decimal,
    /// The quantity.
    pub quantity: Decimal,
    /// The side of the order that came second.
    pub taker: Side,
    /// The mark price then.
    pub mark: Decimal,
    /// The index then.
    pub index: Decimal,
    /// How the price moved: 0 plus, 1 zero-plus, 2 minus, 3 zero-minus tick.
    pub direction: u8,
    /// Whether the incoming order was a liquidation.
    pub liquidation: bool,
    /// When.
    pub time: Time,
}
tidegate_types::codec_struct!(PublicTrade {
    id,
    seq,
    instrument,
    price,
    quantity,
    taker,
    mark,
    index,
    direction,
    liquidation,
    time
});

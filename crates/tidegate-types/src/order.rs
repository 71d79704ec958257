//! What a caller wants done with orders, whichever venue's words it used.

use crate::ids::{CallerOrderId, InstrumentId, OrderId, VenueOrderId};
use crate::instrument::{Price, Qty};
use crate::time::{Span, Time};
use crate::{codec_enum, codec_struct};

/// Buy or sell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// Buy.
    Buy,
    /// Sell.
    Sell,
}
codec_enum!(Side { 0 => Buy, 1 => Sell });

impl Side {
    /// The other side.
    pub const fn opposite(self) -> Side {
        match self {
            Side::Buy => Side::Sell,
            Side::Sell => Side::Buy,
        }
    }
}

/// How an order meets the market.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OrderType {
    /// At its price or better.
    Limit,
    /// At the best prices there are.
    Market,
    /// At the best opposite price; the rest stays as a limit order at that price.
    MarketLimit,
    /// A market order once the trigger is reached against the position.
    StopMarket,
    /// A limit order once the trigger is reached against the position.
    StopLimit,
    /// A market order once the trigger is reached in favour.
    TakeMarket,
    /// A limit order once the trigger is reached in favour.
    TakeLimit,
}
codec_enum!(OrderType {
    0 => Limit, 1 => Market, 2 => MarketLimit, 3 => StopMarket, 4 => StopLimit, 5 => TakeMarket,
    6 => TakeLimit,
});

impl OrderType {
    /// Whether the order waits for a trigger.
    pub const fn is_conditional(self) -> bool {
        match self {
            OrderType::Limit | OrderType::Market | OrderType::MarketLimit => false,
            OrderType::StopMarket
            | OrderType::StopLimit
            | OrderType::TakeMarket
            | OrderType::TakeLimit => true,
        }
    }

    /// Whether the order carries a limit price of its own.
    pub const fn has_price(self) -> bool {
        match self {
            OrderType::Limit | OrderType::StopLimit | OrderType::TakeLimit => true,
            OrderType::Market
            | OrderType::MarketLimit
            | OrderType::StopMarket
            | OrderType::TakeMarket => false,
        }
    }
}

/// How long an order stays.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TimeInForce {
    /// Until cancelled.
    GoodTilCancelled,
    /// Until the end of the venue's day.
    GoodTilDay,
    /// Until a time.
    GoodTilDate {
        /// When it lapses.
        until: Time,
    },
    /// What fills at once; the rest is cancelled.
    ImmediateOrCancel,
    /// All at once or nothing.
    FillOrKill,
}
codec_enum!(TimeInForce {
    0 => GoodTilCancelled, 1 => GoodTilDay, 2 => GoodTilDate { until }, 3 => ImmediateOrCancel,
    4 => FillOrKill,
});

/// What a maker-only order does when it would take.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PostOnly {
    /// It may take.
    No,
    /// The venue moves its price so that it makes.
    Slide,
    /// The venue rejects it.
    Reject,
}
codec_enum!(PostOnly { 0 => No, 1 => Slide, 2 => Reject });

/// Which price a trigger watches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TriggerBy {
    /// The mark price.
    Mark,
    /// The index price.
    Index,
    /// The last traded price.
    Last,
}
codec_enum!(TriggerBy { 0 => Mark, 1 => Index, 2 => Last });

/// When a conditional order becomes live.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trigger {
    /// At which price.
    pub price: Price,
    /// Of which kind.
    pub by: TriggerBy,
}
codec_struct!(Trigger { price, by });

/// What the venue does when an order would meet one of the same account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SelfTrade {
    /// The new one goes.
    ExpireTaker,
    /// The resting one goes.
    ExpireMaker,
    /// Both go.
    ExpireBoth,
}
codec_enum!(SelfTrade { 0 => ExpireTaker, 1 => ExpireMaker, 2 => ExpireBoth });

/// A new order. `price` is there exactly when the type has one, `trigger` exactly when it is
/// conditional: the parsers refuse anything else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewOrder {
    /// Of what.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// How it meets the market.
    pub order_type: OrderType,
    /// How much, in the instrument's unit.
    pub qty: Qty,
    /// The limit price.
    pub price: Option<Price>,
    /// When a conditional order becomes live.
    pub trigger: Option<Trigger>,
    /// How long it stays.
    pub time_in_force: TimeInForce,
    /// Maker only.
    pub post_only: PostOnly,
    /// It may only bring the position nearer to zero.
    pub reduce_only: bool,
    /// Asked-for self-trade prevention.
    pub self_trade: Option<SelfTrade>,
    /// The caller's own id for it, or label.
    pub caller_id: Option<CallerOrderId>,
    /// The caller wants it refused by the venue after this time.
    pub valid_until: Option<Time>,
    /// Whether the caller asked for the full answer form where the venue has two.
    pub full_answer: bool,
}
codec_struct!(NewOrder {
    instrument,
    side,
    order_type,
    qty,
    price,
    trigger,
    time_in_force,
    post_only,
    reduce_only,
    self_trade,
    caller_id,
    valid_until,
    full_answer,
});

impl NewOrder {
    /// Whether it is what `old` was, with no more quantity. Until when the venue may take the change is no part of that.
    pub fn only_lessens(&self, old: &NewOrder) -> bool {
        let as_large = NewOrder { qty: old.qty, valid_until: old.valid_until, ..self.clone() };
        self.qty <= old.qty && as_large == *old
    }
}

/// How a caller names one of its orders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OrderName {
    /// By the id the venue gave it.
    Venue {
        /// That id.
        id: VenueOrderId,
    },
    /// By the id the caller gave it.
    Caller {
        /// That id.
        id: CallerOrderId,
    },
    /// By Tidegate's own number (the unified API and Tidegate itself).
    Own {
        /// That number.
        id: OrderId,
    },
}
codec_enum!(OrderName { 0 => Venue { id }, 1 => Caller { id }, 2 => Own { id } });

/// A change of a live order; what is `None` stays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AmendOrder {
    /// Which order.
    pub order: OrderName,
    /// Its instrument, where the venue's request names it.
    pub instrument: Option<InstrumentId>,
    /// Its side, where the venue's request names it.
    pub side: Option<Side>,
    /// The new total quantity, filled part included.
    pub qty: Option<Qty>,
    /// The new limit price.
    pub price: Option<Price>,
    /// The new trigger price.
    pub trigger_price: Option<Price>,
    /// Maker only from now on.
    pub post_only: Option<PostOnly>,
    /// Reduce-only from now on.
    pub reduce_only: Option<bool>,
    /// The caller wants it refused by the venue after this time.
    pub valid_until: Option<Time>,
}
codec_struct!(AmendOrder {
    order,
    instrument,
    side,
    qty,
    price,
    trigger_price,
    post_only,
    reduce_only,
    valid_until,
});

impl AmendOrder {
    /// What it makes of an order.
    pub fn applied_to(&self, order: &NewOrder) -> NewOrder {
        let mut becomes = order.clone();
        becomes.qty = self.qty.unwrap_or(becomes.qty);
        becomes.price = self.price.or(becomes.price);
        if let (Some(trigger), Some(price)) = (&mut becomes.trigger, self.trigger_price) {
            trigger.price = price;
        }
        becomes.post_only = self.post_only.unwrap_or(becomes.post_only);
        becomes.reduce_only = self.reduce_only.unwrap_or(becomes.reduce_only);
        becomes.valid_until = self.valid_until;
        becomes
    }
}

/// A cancel of one order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CancelOrder {
    /// Which order.
    pub order: OrderName,
    /// Its instrument, where the venue's request names it.
    pub instrument: Option<InstrumentId>,
}
codec_struct!(CancelOrder { order, instrument });

/// Which of the caller's live orders a mass cancel means; every condition given must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CancelFilter {
    /// Of this instrument only.
    pub instrument: Option<InstrumentId>,
    /// With this label only.
    pub caller_id: Option<CallerOrderId>,
    /// Of these instruments only, when the list is not empty (a currency, a kind).
    pub instruments: Vec<InstrumentId>,
    /// Conditional orders only, or others only.
    pub conditional: Option<bool>,
}
codec_struct!(CancelFilter { instrument, caller_id, instruments, conditional });

/// A change of the account's settings for an instrument or as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Which route of the venue changes it.
    pub route: String,
    /// Its parameters, checked by the venue's table.
    pub params: Vec<(String, String)>,
}
codec_struct!(Setting { route, params });

/// Which sessions a cancel-on-disconnect is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum GuardScope {
    /// The one that asks, from now on.
    Session,
    /// Every later one of the caller's on the account, from its login on.
    Account,
}
codec_enum!(GuardScope { 0 => Session, 1 => Account });

/// When a caller wants its own orders cancelled without asking again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Guard {
    /// When a session ends, those placed over it.
    Disconnect {
        /// Which sessions.
        scope: GuardScope,
        /// Or not any more.
        on: bool,
    },
    /// When a time has passed, unless this is asked anew before; then once.
    Countdown {
        /// Of this instrument only.
        instrument: Option<InstrumentId>,
        /// How long from now; `None` takes the timer back.
        after: Option<Span>,
    },
}
codec_enum!(Guard { 0 => Disconnect { scope, on }, 1 => Countdown { instrument, after } });

/// What a caller wants changed. Reads are not intents: they change nothing and pass no core.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Intent {
    /// A new order.
    New {
        /// The order.
        order: NewOrder,
    },
    /// A change of a live order.
    Amend {
        /// The change.
        amend: AmendOrder,
    },
    /// The cancel of one order.
    Cancel {
        /// Which.
        cancel: CancelOrder,
    },
    /// The cancel of several of the caller's own orders.
    CancelMany {
        /// Which.
        filter: CancelFilter,
    },
    /// A change of account settings.
    Set {
        /// The change.
        setting: Setting,
    },
    /// A cancel of the caller's own orders, later and on a condition.
    Guard {
        /// Which.
        guard: Guard,
    },
}
impl Intent {
    /// Whether it only takes orders back, now or on a condition.
    pub const fn is_cancel(&self) -> bool {
        match self {
            Intent::Cancel { .. } | Intent::CancelMany { .. } | Intent::Guard { .. } => true,
            Intent::New { .. } | Intent::Amend { .. } | Intent::Set { .. } => false,
        }
    }
}
codec_enum!(Intent {
    0 => New { order }, 1 => Amend { amend }, 2 => Cancel { cancel }, 3 => CancelMany { filter },
    4 => Set { setting }, 5 => Guard { guard },
});

//! What a rule may limit: a closed set.

use super::Wrong;
use crate::codec_enum;
use crate::decimal::Decimal;
use crate::grant::Pattern;
use crate::instrument::{Qty, Usd};
use crate::limits::{MAX_LISTED_INSTRUMENTS, MAX_RATE_WINDOW};
use crate::time::Span;

/// How orders are set against trades (Commission Delegated Regulation (EU) 2017/566, the RTS 9).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Form {
    /// By count: messages, weighted as the annex has it, over trades.
    Count,
    /// By volume: quantity ordered over quantity traded, in dollars at the worst price of each.
    Volume,
}
codec_enum!(Form { 0 => Count, 1 => Volume });

/// What a rule limits, and to what. Amounts are in US dollars, ratios plain numbers, days are UTC days.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Limit {
    /// Orders that the rule is over are allowed, as far as the other rules let them.
    Allow,
    /// Of the instruments that the rule is over, orders of these alone are allowed.
    Only {
        /// By name.
        names: Vec<Pattern>,
    },
    /// Largest order, in the instrument's own unit.
    OrderQuantity {
        /// At most.
        max: Qty,
    },
    /// Largest order at its worst price.
    OrderNotional {
        /// At most.
        max: Usd,
    },
    /// How far from the mark, or its trigger, an order's limit price may be, on the side that costs. Orders without
    /// one are refused, unless they reduce a position: they would trade at any price.
    Collar {
        /// Basis points of the mark, at most.
        bps: u32,
    },
    /// How far a resting price or a trigger keeps from the mark; what takes or fires at once has no distance.
    Distance {
        /// Basis points of the mark, at least.
        bps: u32,
    },
    /// Sum of all positions' worth, each on its worse side with its open orders.
    GrossPosition {
        /// At most.
        max: Usd,
    },
    /// Worth of long positions less that of short ones, whichever sign, with the open orders of the worse side.
    NetPosition {
        /// At most.
        max: Usd,
    },
    /// How many orders are open.
    OpenOrders {
        /// At most.
        max: u32,
    },
    /// What open orders are worth at their worst prices.
    OpenNotional {
        /// At most.
        max: Usd,
    },
    /// Gross position over equity.
    Leverage {
        /// At most.
        max: Decimal,
    },
    /// Share of one underlying in the gross position.
    Concentration {
        /// Basis points of the gross position, at most.
        bps: u32,
        /// It binds where the underlying's own gross position is above this.
        above: Usd,
    },
    /// What was traded today, with what open orders may trade.
    DailyTraded {
        /// At most.
        max: Usd,
    },
    /// Equity at the day's begin, less equity now. What a venue tells to be a payment is neither won nor lost; where it
    /// does not say why a wallet changed, what is withdrawn counts as lost and what is paid in as won.
    DailyLoss {
        /// At most.
        max: Usd,
    },
    /// The highest equity since the rule is in force, less equity now; money in and out counts as in `DailyLoss`.
    Drawdown {
        /// At most.
        max: Usd,
    },
    /// Orders and amends (cancels count and pass).
    MessageRate {
        /// At most so many …
        max: u32,
        /// … within this.
        window: Span,
    },
    /// Orders over trades of the day, less one.
    OrderToTrade {
        /// By count or by volume.
        form: Form,
        /// At most.
        max: Decimal,
        /// It binds once more than this was ordered in the day: weighted messages, or dollars.
        after: u32,
    },
    /// Executions of one caller, instrument and side. Once reached it stays so until a person lets it go.
    RepeatedExecutions {
        /// At most so many …
        max: u32,
        /// … within this.
        window: Span,
    },
    /// Dollars by which accounts that trade options follow their coins, everything that is open at its worst.
    OptionDelta {
        /// At most.
        max: Usd,
    },
    /// Dollars by which that changes when every price moves by one percent.
    OptionGamma {
        /// At most.
        max: Usd,
    },
    /// Dollars gained or lost by one point of volatility.
    OptionVega {
        /// At most.
        max: Usd,
    },
    /// Dollars gained or lost by a day.
    OptionTheta {
        /// At most.
        max: Usd,
    },
    /// Coins of one expiry sold more than bought, calls and puts each for themselves, added.
    NetShortOptions {
        /// At most.
        max: Qty,
    },
    /// Loss of the worst scenario, with what is added for options sold, over what the account has.
    ScenarioMargin {
        /// Basis points of the equity, at most.
        bps: u32,
    },
    /// The market must bear a trade: what it shows of itself must be on record and not too old.
    ThinMarket {
        /// Least worth of either side of the book near its best prices (`DEPTH_BPS`).
        depth: Usd,
        /// Least that was traded there in 24 hours.
        volume: Usd,
        /// How old what is on record may be.
        max_age: Span,
    },
}
codec_enum!(Limit {
    0 => Allow,
    1 => Only { names },
    2 => OrderQuantity { max },
    3 => OrderNotional { max },
    4 => Collar { bps },
    5 => Distance { bps },
    6 => GrossPosition { max },
    7 => NetPosition { max },
    8 => OpenOrders { max },
    9 => OpenNotional { max },
    10 => Leverage { max },
    11 => Concentration { bps, above },
    12 => DailyTraded { max },
    13 => DailyLoss { max },
    14 => Drawdown { max },
    15 => MessageRate { max, window },
    16 => OrderToTrade { form, max, after },
    17 => RepeatedExecutions { max, window },
    18 => ThinMarket { depth, volume, max_age },
    19 => OptionDelta { max },
    20 => OptionGamma { max },
    21 => OptionVega { max },
    22 => OptionTheta { max },
    23 => NetShortOptions { max },
    24 => ScenarioMargin { bps },
});

macro_rules! kinds {
    ($($tag:literal $name:ident $word:literal;)*) => {
        /// Which limit, without its numbers.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum LimitKind {
            $(#[doc = $word] $name,)*
        }
        codec_enum!(LimitKind { $($tag => $name,)* });

        impl LimitKind {
            /// Every kind.
            pub const ALL: &'static [LimitKind] = &[$(LimitKind::$name),*];

            /// The words for it, as refusals and policy files have them.
            pub const fn word(self) -> &'static str {
                match self { $(LimitKind::$name => $word),* }
            }
        }

        impl Limit {
            /// Which limit this is.
            pub const fn kind(&self) -> LimitKind {
                match self { $(Limit::$name { .. } => LimitKind::$name),* }
            }
        }
    };
}

kinds! {
    0 Allow "allow";
    1 Only "only";
    2 OrderQuantity "order quantity";
    3 OrderNotional "order notional";
    4 Collar "collar";
    5 Distance "distance";
    6 GrossPosition "gross position";
    7 NetPosition "net position";
    8 OpenOrders "open orders";
    9 OpenNotional "open notional";
    10 Leverage "leverage";
    11 Concentration "concentration";
    12 DailyTraded "daily traded";
    13 DailyLoss "daily loss";
    14 Drawdown "drawdown";
    15 MessageRate "message rate";
    16 OrderToTrade "order to trade";
    17 RepeatedExecutions "repeated executions";
    18 ThinMarket "thin market";
    19 OptionDelta "option delta";
    20 OptionGamma "option gamma";
    21 OptionVega "option vega";
    22 OptionTheta "option theta";
    23 NetShortOptions "net short options";
    24 ScenarioMargin "scenario margin";
}

impl LimitKind {
    /// Whether callers have a part of what it counts: what they traded of positions, and what they lost on that.
    pub const fn is_of_parts(self) -> bool {
        use LimitKind::{Concentration, GrossPosition, NetPosition};
        matches!(self, GrossPosition | NetPosition | Concentration) || self.is_of_equity()
    }

    /// Whether it is about all that an account holds, unless the rule is over callers or instruments.
    pub const fn is_of_whole_accounts(self) -> bool {
        self.is_of_equity() || self.is_of_options()
    }

    /// Whether it is about the options of accounts, with everything else they hold of the same coins.
    pub const fn is_of_options(self) -> bool {
        use LimitKind::{
            NetShortOptions, OptionDelta, OptionGamma, OptionTheta, OptionVega, ScenarioMargin,
        };
        matches!(
            self,
            OptionDelta | OptionGamma | OptionVega | OptionTheta | NetShortOptions | ScenarioMargin
        )
    }

    /// Whether it is about equity: what there is of it, or what was lost of it.
    pub const fn is_of_equity(self) -> bool {
        matches!(self, LimitKind::Leverage | LimitKind::DailyLoss | LimitKind::Drawdown)
    }
}

impl Limit {
    /// Whether the numbers make sense. Nothing (zero) is a limit too: nothing may be traded.
    pub(super) fn check(&self) -> Result<(), Wrong> {
        let right = match self {
            Limit::Only { names } => names.len() <= MAX_LISTED_INSTRUMENTS,
            Limit::OrderQuantity { max } | Limit::NetShortOptions { max } => !max.0.is_negative(),
            Limit::OrderNotional { max }
            | Limit::GrossPosition { max }
            | Limit::NetPosition { max }
            | Limit::OpenNotional { max }
            | Limit::DailyTraded { max }
            | Limit::DailyLoss { max }
            | Limit::Drawdown { max }
            | Limit::OptionDelta { max }
            | Limit::OptionGamma { max }
            | Limit::OptionVega { max }
            | Limit::OptionTheta { max } => !max.0.is_negative(),
            Limit::Leverage { max } | Limit::OrderToTrade { max, .. } => !max.is_negative(),
            Limit::Collar { bps } | Limit::Distance { bps } | Limit::ScenarioMargin { bps } => {
                *bps <= 1_000_000
            }
            Limit::Concentration { bps, above } => *bps <= 10_000 && !above.0.is_negative(),
            Limit::MessageRate { window, .. } | Limit::RepeatedExecutions { window, .. } => {
                *window > Span::ZERO && *window <= MAX_RATE_WINDOW
            }
            Limit::ThinMarket { depth, volume, max_age } => {
                !depth.0.is_negative() && !volume.0.is_negative() && *max_age > Span::ZERO
            }
            Limit::Allow | Limit::OpenOrders { .. } => true,
        };
        if right { Ok(()) } else { Err(Wrong::Number) }
    }
}

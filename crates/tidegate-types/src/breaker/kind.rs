//! What breakers measure.

use super::Sort;
use crate::codec_enum;

/// The unit of what is measured, and how it adds up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// Dollars, of gain and loss.
    Usd,
    /// Hundredths of what was counted.
    Percent,
    /// How many.
    Count,
    /// How many times the usual deviation.
    Deviations,
    /// Hundredths of a percent.
    BasisPoints,
    /// Milliseconds.
    Millis,
    /// Dollars, of what a book holds.
    Depth,
}

impl Measure {
    /// The unit as it is written behind a number.
    pub const fn unit(self) -> &'static str {
        match self {
            Measure::Usd | Measure::Depth => "USD",
            Measure::Percent => "%",
            Measure::Count => "times",
            Measure::Deviations => "deviations",
            Measure::BasisPoints => "bp",
            Measure::Millis => "ms",
        }
    }
}

macro_rules! kinds {
    ($($tag:literal $name:ident $word:literal $measure:ident [$($sort:ident)+] $doc:literal;)+) => {
        /// What a breaker measures.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum BreakerKind {
            $(#[doc = $doc] $name,)+
        }
        codec_enum!(BreakerKind { $($tag => $name,)+ });

        impl BreakerKind {
            /// Every kind.
            pub const ALL: &'static [BreakerKind] = &[$(BreakerKind::$name,)+];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self { $(BreakerKind::$name => $word,)+ }
            }

            /// What is measured, for people.
            pub const fn what(self) -> &'static str {
                match self { $(BreakerKind::$name => $doc,)+ }
            }

            /// In which unit.
            pub const fn measure(self) -> Measure {
                match self { $(BreakerKind::$name => Measure::$measure,)+ }
            }

            /// Over which sorts of things it may be measured.
            pub const fn sorts(self) -> &'static [Sort] {
                match self { $(BreakerKind::$name => &[$(Sort::$sort,)+],)+ }
            }
        }
    };
}
kinds! {
    0 Loss "loss" Usd [Desk Venue Account Caller] "what was lost since the day (UTC) began";
    1 Drawdown "drawdown" Usd [Desk Venue Account Caller] "what was lost since the highest point";
    2 Rejects "rejects" Percent [Desk Venue Account Caller Instrument] "share of orders and amends that the exchange refused";
    3 Errors "errors" Percent [Desk Caller] "share of orders and amends that Tidegate refused";
    4 StrayFills "stray-fills" Count [Desk Venue Account Instrument] "trades that no order of Tidegate's explains";
    5 MarkJump "mark-jump" Deviations [Instrument] "distance of the mark from its median, in usual deviations";
    6 Spread "spread" BasisPoints [Instrument] "median distance of the best prices from each other";
    7 Depth "depth" Depth [Instrument] "median worth of the book's thinner side near the best price";
    8 DataAge "data-age" Millis [Venue Instrument] "age of the oldest mark of what is held or ordered";
    9 Latency "latency" Millis [Venue Account] "time within which nine of ten answers came";
    10 VenueErrors "venue-errors" Percent [Venue Account] "share of requests that the exchange did not answer";
    11 ClockSkew "clock-skew" Millis [Venue] "how far the clock is off the exchange's for certain";
    12 Repeats "repeats" Count [Desk Account Caller Instrument] "the same order again and again";
}

impl BreakerKind {
    /// Whether it trips when what is measured falls to the limit, instead of rising to it.
    pub const fn trips_low(self) -> bool {
        matches!(self, BreakerKind::Depth)
    }

    /// Whether it measures over a window of time.
    pub const fn has_window(self) -> bool {
        !matches!(self, BreakerKind::Loss | BreakerKind::Drawdown | BreakerKind::DataAge)
    }
}

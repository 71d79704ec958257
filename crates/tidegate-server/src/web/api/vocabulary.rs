//! The words of the unified API: one for each thing, whichever venue it is at. Amounts are decimal
//! strings, times are RFC 3339 in UTC.

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::{OrderType, PostOnly, SelfTrade, Side, TriggerBy};
use tidegate_types::time::Time;

/// An amount of money or of an instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Amount(pub Decimal);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        false
    }

    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A decimal number as a string: never a JSON number, so that nothing is rounded.",
            "pattern": "^-?[0-9]{1,11}(\\.[0-9]{1,8})?$",
            "maxLength": 21,
            "examples": ["0.001", "64250.5"],
        })
    }
}

/// An amount above zero, as callers give it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Positive(pub Decimal);

impl<'de> Deserialize<'de> for Positive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Positive, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let amount = text.parse::<Decimal>().ok().filter(|amount| amount.is_positive());
        let wrong = "an amount is a string of digits, with 8 after the point at most, above zero";
        amount.map(Positive).ok_or_else(|| serde::de::Error::custom(wrong))
    }
}

impl JsonSchema for Positive {
    fn inline_schema() -> bool {
        false
    }

    fn schema_name() -> Cow<'static, str> {
        "PositiveAmount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A decimal number above zero, as a string.",
            "pattern": "^([1-9][0-9]{0,9}(\\.[0-9]{1,8})?|0\\.[0-9]{0,7}[1-9])$",
            "maxLength": 19,
            "examples": ["0.001", "64250.5"],
        })
    }
}

/// A time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct When(pub Time);

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let micros = i64::try_from(self.0.micros()).ok();
        match micros.and_then(|micros| Timestamp::from_microsecond(micros).ok()) {
            Some(time) => serializer.collect_str(&format_args!("{time:.6}")),
            None => Err(serde::ser::Error::custom("a time beyond the calendar")),
        }
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<When, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let micros = text.parse::<Timestamp>().ok().map(|time| time.as_microsecond());
        let time = micros.and_then(|micros| u64::try_from(micros).ok());
        let wrong = "a time is like 2026-01-31T12:00:00Z, since 1970";
        time.map(|micros| When(Time::from_micros(micros)))
            .ok_or_else(|| serde::de::Error::custom(wrong))
    }
}

impl JsonSchema for When {
    fn inline_schema() -> bool {
        false
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "maxLength": 40,
            "description": "RFC 3339 in UTC, to the microsecond.",
            "examples": ["2026-01-31T12:00:00.000000Z"],
        })
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident is $inner:ident { $($(#[$what:meta])* $word:ident,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Debug)]
        #[serde(rename_all = "snake_case")]
        pub(super) enum $name { $($(#[$what])* $word,)* }

        impl From<$inner> for $name {
            fn from(value: $inner) -> $name {
                match value { $($inner::$word => $name::$word,)* }
            }
        }

        impl From<$name> for $inner {
            fn from(value: $name) -> $inner {
                match value { $($name::$word => $inner::$word,)* }
            }
        }
    )*};
}

words! {
    /// Buy or sell.
    SideWord is Side {
        /// Buy.
        Buy,
        /// Sell.
        Sell,
    }
    /// How an order meets the market.
    TypeWord is OrderType {
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
    /// What a maker-only order does when it would take.
    PostOnlyWord is PostOnly {
        /// It may take.
        No,
        /// The venue moves its price so that it makes.
        Slide,
        /// The venue rejects it.
        Reject,
    }
    /// Which price a trigger watches.
    TriggerWord is TriggerBy {
        /// The mark price.
        Mark,
        /// The index price.
        Index,
        /// The last traded price.
        Last,
    }
}

/// Which goes when an order would meet one of the same account.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum SelfTradeWord {
    /// The new one.
    Taker,
    /// The resting one.
    Maker,
    /// Both.
    Both,
}

impl From<SelfTrade> for SelfTradeWord {
    fn from(value: SelfTrade) -> SelfTradeWord {
        match value {
            SelfTrade::ExpireTaker => SelfTradeWord::Taker,
            SelfTrade::ExpireMaker => SelfTradeWord::Maker,
            SelfTrade::ExpireBoth => SelfTradeWord::Both,
        }
    }
}

impl From<SelfTradeWord> for SelfTrade {
    fn from(value: SelfTradeWord) -> SelfTrade {
        match value {
            SelfTradeWord::Taker => SelfTrade::ExpireTaker,
            SelfTradeWord::Maker => SelfTrade::ExpireMaker,
            SelfTradeWord::Both => SelfTrade::ExpireBoth,
        }
    }
}

/// How long an order stays.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Debug, Default)]
#[serde(rename_all = "snake_case")]
pub(super) enum ForceWord {
    /// Until cancelled.
    #[default]
    Gtc,
    /// Until the end of the venue's day.
    Day,
    /// Until `good_until`.
    Gtd,
    /// What fills at once; the rest is cancelled.
    Ioc,
    /// All at once or nothing.
    Fok,
}

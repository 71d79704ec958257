//! What callers may do and what accounts may bear.

use crate::codec::{Codec, CodecError};
use crate::hours::Window;
use crate::ids::{
    AccountName, BadName, CallerName, DeskName, InstrumentId, InstrumentName, OrderId, VenueName,
};
use crate::instrument::{Qty, Usd};
use crate::order::{OrderType, Side};
use crate::time::{Span, Time};
use crate::{codec_enum, codec_struct};
use std::fmt;
use std::str::FromStr;

pub use crate::key::{KeyScheme, VirtualKey};

/// A name of instruments in which `*` stands for any run of characters: `BTC-*`, `*USDT`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pattern(InstrumentName);

impl Pattern {
    /// The pattern that `text` is.
    pub fn new(text: &str) -> Result<Pattern, BadName> {
        InstrumentName::new(text).map(Pattern)
    }

    /// Whether `name` is one of those meant.
    pub fn matches(&self, name: &InstrumentName) -> bool {
        self.means(name.as_str())
    }

    /// Whether every name that `other` means is meant by this.
    pub fn covers(&self, other: &Pattern) -> bool {
        // A character that no name has stands for "any run": only a star can mean it.
        self.means(&other.0.as_str().replace('*', "\u{1}"))
    }

    fn means(&self, text: &str) -> bool {
        let mut parts = self.0.as_str().split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        true
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Codec for Pattern {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Pattern, CodecError> {
        InstrumentName::decode(input).map(Pattern)
    }

    fn show(&self, out: &mut String) {
        self.0.show(out);
    }
}

/// What a caller may do on an account. What is not named is not allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// Who.
    pub caller: CallerName,
    /// Where.
    pub venue: VenueName,
    /// On which account.
    pub account: AccountName,
    /// It may trade; otherwise it may only read.
    pub trade: bool,
    /// Which instruments.
    pub instruments: Vec<Pattern>,
    /// Which sides.
    pub sides: Vec<Side>,
    /// Which order types.
    pub order_types: Vec<OrderType>,
    /// Only orders that reduce the account's position.
    pub reduce_only: bool,
    /// Largest order in the instrument's own unit, if limited.
    pub max_order_qty: Option<Qty>,
    /// Largest order in dollars.
    pub max_order_notional: Usd,
    /// Most that the caller's open orders may be worth together.
    pub max_open_notional: Usd,
    /// Most that the caller may trade in a day (UTC), its open orders included, if limited.
    pub max_daily_notional: Option<Usd>,
    /// Orders and amends a second, sustained.
    pub orders_per_second: u32,
    /// Orders and amends at once.
    pub burst: u32,
    /// It may change account settings.
    pub settings: bool,
    /// It sees and cancels every order of the account, not only its own.
    pub account_wide: bool,
    /// When it may place and amend orders and change settings; it reads and cancels at any time.
    pub window: Window,
    /// When it ends.
    pub until: Option<Time>,
}
codec_struct!(Grant {
    caller,
    venue,
    account,
    trade,
    instruments,
    sides,
    order_types,
    reduce_only,
    max_order_qty,
    max_order_notional,
    max_open_notional,
    max_daily_notional,
    orders_per_second,
    burst,
    settings,
    account_wide,
    window,
    until,
});

/// What becomes of an order that is the same as one moments before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnRepeat {
    /// It is refused.
    Refuse,
    /// It passes, and the operator is told.
    Warn,
}
codec_enum!(OnRepeat { 0 => Refuse, 1 => Warn });

/// What an account may bear over all its callers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountLimits {
    /// Which account.
    pub account: AccountName,
    /// Largest order in the instrument's own unit, by pattern; the first that matches holds.
    pub max_order_qty: Vec<(Pattern, Qty)>,
    /// Largest order in dollars.
    pub max_order_notional: Usd,
    /// Most that all open orders may be worth together.
    pub max_open_notional: Usd,
    /// Most that the position in one instrument may be worth, its open orders of the worse side
    /// included.
    pub max_position_notional: Usd,
    /// Most that all positions with their open orders may come to be worth together, each
    /// instrument's at its mark and on its worse side.
    pub max_exposure: Usd,
    /// How far from the mark a price may be, in basis points of the mark, on the side that costs.
    pub collar_bps: u32,
    /// The same for options, whose premiums move more.
    pub option_collar_bps: u32,
    /// How old a mark may be.
    pub max_mark_age: Span,
    /// Orders and amends a second, sustained, all callers together.
    pub orders_per_second: u32,
    /// Orders and amends at once.
    pub burst: u32,
    /// For how long an order of the same instrument, side, type, quantity and price from the same
    /// caller is a repeat; zero: never.
    pub repeat_window: Span,
    /// What becomes of a repeat.
    pub on_repeat: OnRepeat,
    /// After how long without Tidegate the venue cancels every order of the account itself, where
    /// it has such a timer; zero: never.
    pub dead_man: Span,
}
codec_struct!(AccountLimits {
    account,
    max_order_qty,
    max_order_notional,
    max_open_notional,
    max_position_notional,
    max_exposure,
    collar_bps,
    option_collar_bps,
    max_mark_age,
    orders_per_second,
    burst,
    repeat_window,
    on_repeat,
    dead_man,
});

/// What a halt covers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scope {
    /// Everything.
    All,
    /// A desk.
    Desk {
        /// Which.
        name: DeskName,
    },
    /// A venue.
    Venue {
        /// Which.
        name: VenueName,
    },
    /// An account.
    Account {
        /// Which.
        name: AccountName,
    },
    /// A caller.
    Caller {
        /// Which.
        name: CallerName,
    },
    /// An instrument.
    Instrument {
        /// Which.
        id: InstrumentId,
    },
    /// An order, by Tidegate's own number.
    Order {
        /// Which.
        id: OrderId,
    },
}
codec_enum!(Scope {
    0 => All, 1 => Desk { name }, 2 => Venue { name }, 3 => Account { name }, 4 => Caller { name },
    5 => Instrument { id }, 6 => Order { id },
});

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::All => f.write_str("all"),
            Scope::Desk { name } => write!(f, "desk:{name}"),
            Scope::Venue { name } => write!(f, "venue:{name}"),
            Scope::Account { name } => write!(f, "account:{name}"),
            Scope::Caller { name } => write!(f, "caller:{name}"),
            Scope::Instrument { id } => write!(f, "instrument:{id}"),
            Scope::Order { id } => write!(f, "order:{id}"),
        }
    }
}

impl FromStr for Scope {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Scope, BadName> {
        if text == "all" {
            return Ok(Scope::All);
        }
        let (kind, name) = text.split_once(':').ok_or(BadName)?;
        Ok(match kind {
            "desk" => Scope::Desk { name: DeskName::new(name)? },
            "venue" => Scope::Venue { name: VenueName::new(name)? },
            "account" => Scope::Account { name: AccountName::new(name)? },
            "caller" => Scope::Caller { name: CallerName::new(name)? },
            "instrument" => {
                let (venue, name) = name.split_once('/').ok_or(BadName)?;
                let id = InstrumentId {
                    venue: VenueName::new(venue)?,
                    name: InstrumentName::new(name)?,
                };
                Scope::Instrument { id }
            }
            "order" => Scope::Order { id: OrderId(number(name)?) },
            _ => return Err(BadName),
        })
    }
}

/// A number as it is written everywhere: digits, without a sign or zeroes before them.
fn number(text: &str) -> Result<u64, BadName> {
    let number = text.parse::<u64>().map_err(|_| BadName)?;
    if number.to_string() == text { Ok(number) } else { Err(BadName) }
}

#[cfg(test)]
mod tests;

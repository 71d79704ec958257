//! What happens to an order that would trade with another one of the same owner.

use crate::codec_enum;
use std::fmt;
use std::str::FromStr;

/// What an account does with an order that would meet an open one of the same owner.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum SelfTradeMode {
    /// Nothing: the venue may trade one against the other.
    #[default]
    Off,
    /// The new one is refused.
    Refuse,
    /// The open one is cancelled, and the new one sent once the venue has confirmed that.
    CancelOld,
    /// Both become smaller by the smaller quantity.
    Decrement,
}
codec_enum!(SelfTradeMode { 0 => Off, 1 => Refuse, 2 => CancelOld, 3 => Decrement });

impl SelfTradeMode {
    /// Every mode, with the word for it.
    pub const ALL: [SelfTradeMode; 4] = [
        SelfTradeMode::Off,
        SelfTradeMode::Refuse,
        SelfTradeMode::CancelOld,
        SelfTradeMode::Decrement,
    ];

    /// The word for it in commands and requests.
    pub const fn word(self) -> &'static str {
        match self {
            SelfTradeMode::Off => "off",
            SelfTradeMode::Refuse => "refuse",
            SelfTradeMode::CancelOld => "cancel-old",
            SelfTradeMode::Decrement => "decrement",
        }
    }

    /// Whether it lets through, or takes away of other orders, nothing that `other` does not.
    pub const fn is_as_strict_as(self, other: SelfTradeMode) -> bool {
        matches!(
            (self, other),
            (_, SelfTradeMode::Off)
                | (SelfTradeMode::Refuse, _)
                | (SelfTradeMode::CancelOld, SelfTradeMode::CancelOld)
                | (SelfTradeMode::Decrement, SelfTradeMode::Decrement)
        )
    }
}

impl fmt::Display for SelfTradeMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that is no mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSuchMode;

impl fmt::Display for NoSuchMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("use off, refuse, cancel-old or decrement")
    }
}

impl std::error::Error for NoSuchMode {}

impl FromStr for SelfTradeMode {
    type Err = NoSuchMode;

    fn from_str(text: &str) -> Result<SelfTradeMode, NoSuchMode> {
        SelfTradeMode::ALL.into_iter().find(|mode| mode.word() == text).ok_or(NoSuchMode)
    }
}

#[cfg(test)]
mod tests;

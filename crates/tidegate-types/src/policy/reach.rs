//! What a rule is over: desk → account → caller → instruments. What is not named is any.

use crate::grant::Pattern;
use crate::ids::{AccountName, CallerName, Currency, VenueName};
use crate::instrument::{Instrument, Kind};
use crate::{codec_enum, codec_struct};
use std::fmt;

/// What kind of instrument, without its terms.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// Perpetual futures.
    Perpetual,
    /// Futures with an expiry.
    Future,
    /// Options.
    Option,
}
codec_enum!(Class { 0 => Perpetual, 1 => Future, 2 => Option });

impl Class {
    /// The class of a kind.
    pub const fn of(kind: &Kind) -> Class {
        match kind {
            Kind::Perpetual => Class::Perpetual,
            Kind::Future { .. } => Class::Future,
            Kind::Option { .. } => Class::Option,
        }
    }

    /// The word for it, as policy files and refusals have it.
    pub const fn word(self) -> &'static str {
        match self {
            Class::Perpetual => "perpetual",
            Class::Future => "future",
            Class::Option => "option",
        }
    }
}

/// Which instruments; every condition given must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Instruments {
    /// Of this venue only.
    pub venue: Option<VenueName>,
    /// Of this class only.
    pub class: Option<Class>,
    /// On this coin only.
    pub base: Option<Currency>,
    /// With such a name only.
    pub name: Option<Pattern>,
}
codec_struct!(Instruments { venue, class, base, name });

impl Instruments {
    /// Whether an instrument is meant.
    pub fn covers(&self, instrument: &Instrument) -> bool {
        self.venue.as_ref().is_none_or(|venue| *venue == instrument.id.venue)
            && self.class.is_none_or(|class| class == Class::of(&instrument.kind))
            && self.base.as_ref().is_none_or(|base| *base == instrument.base)
            && self.name.as_ref().is_none_or(|name| name.matches(&instrument.id.name))
    }

    /// Whether all instruments that `other` means are meant by this.
    pub fn contains(&self, other: &Instruments) -> bool {
        same_or_any(self.venue.as_ref(), other.venue.as_ref())
            && same_or_any(self.class.as_ref(), other.class.as_ref())
            && same_or_any(self.base.as_ref(), other.base.as_ref())
            && match (&self.name, &other.name) {
                (None, _) => true,
                (Some(name), Some(other)) => name.covers(other),
                (Some(name), None) => name.to_string() == "*",
            }
    }
}

/// What a rule is over.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reach {
    /// This account only.
    pub account: Option<AccountName>,
    /// This caller only.
    pub caller: Option<CallerName>,
    /// These instruments only.
    pub instruments: Instruments,
}
codec_struct!(Reach { account, caller, instruments });

impl Reach {
    /// Whether an order of a caller on an account in an instrument is meant.
    pub fn covers(
        &self,
        account: &AccountName,
        caller: &CallerName,
        instrument: &Instrument,
    ) -> bool {
        self.account.as_ref().is_none_or(|name| name == account)
            && self.caller.as_ref().is_none_or(|name| name == caller)
            && self.instruments.covers(instrument)
    }

    /// Whether all that `other` is over is covered by this.
    pub fn contains(&self, other: &Reach) -> bool {
        same_or_any(self.account.as_ref(), other.account.as_ref())
            && same_or_any(self.caller.as_ref(), other.caller.as_ref())
            && self.instruments.contains(&other.instruments)
    }
}

impl fmt::Display for Reach {
    /// `account main, caller mm-1, perpetual BTC-*`; `desk` for everything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Instruments { venue, class, base, name } = &self.instruments;
        let parts = [
            self.account.as_ref().map(|account| format!("account {account}")),
            self.caller.as_ref().map(|caller| format!("caller {caller}")),
            venue.as_ref().map(|venue| format!("venue {venue}")),
            class.map(|class| class.word().to_owned()),
            base.as_ref().map(|base| format!("on {base}")),
            name.as_ref().map(|name| name.to_string()),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { f.write_str("desk") } else { f.write_str(&parts.join(", ")) }
    }
}

/// Whether everything that a rule is over counts together, or each part of it by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Each {
    /// Together.
    #[default]
    All,
    /// Each account by itself.
    Account,
    /// Each caller by itself.
    Caller,
    /// Each instrument by itself, over all accounts.
    Instrument,
}
codec_enum!(Each { 0 => All, 1 => Account, 2 => Caller, 3 => Instrument });

impl Each {
    /// The word for it, as policy files have it.
    pub const fn word(self) -> &'static str {
        match self {
            Each::All => "all",
            Each::Account => "account",
            Each::Caller => "caller",
            Each::Instrument => "instrument",
        }
    }
}

fn same_or_any<T: PartialEq>(mine: Option<&T>, other: Option<&T>) -> bool {
    mine.is_none_or(|mine| other == Some(mine))
}

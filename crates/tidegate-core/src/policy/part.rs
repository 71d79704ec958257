//! Whose an order, a position or a trade is to a rule, and which part of it is counted by itself.

use std::sync::Arc;
use tidegate_types::codec_enum;
use tidegate_types::ids::{AccountName, CallerName, InstrumentId};
use tidegate_types::instrument::Instrument;
use tidegate_types::order::Side;
use tidegate_types::policy::{Each, Reach, Rule};

/// On which account, by whom, in what. Positions are nobody's: they are the account's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who<'a> {
    pub(crate) account: &'a AccountName,
    pub(crate) caller: Option<&'a CallerName>,
    pub(crate) terms: &'a Instrument,
}

impl Who<'_> {
    pub(crate) fn is_in(&self, reach: &Reach) -> bool {
        let named = |name: &CallerName| Some(name) == self.caller;
        reach.account.as_ref().is_none_or(|name| name == self.account)
            && reach.caller.as_ref().is_none_or(named)
            && reach.instruments.covers(self.terms)
    }
}

/// What is counted by itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Part {
    /// Everything that the rule is over.
    All,
    /// An account.
    Account { name: AccountName },
    /// A caller.
    Caller { name: CallerName },
    /// An instrument.
    Instrument { id: InstrumentId },
    /// What one caller does on one side of an instrument.
    Strategy { caller: CallerName, instrument: InstrumentId, side: Side },
}
codec_enum!(Part {
    0 => All, 1 => Account { name }, 2 => Caller { name }, 3 => Instrument { id },
    4 => Strategy { caller, instrument, side },
});

impl Part {
    /// The part that this is of, if the rule is over it.
    pub(crate) fn of(rule: &Rule, who: Who<'_>) -> Option<Part> {
        if !who.is_in(&rule.reach) {
            return None;
        }
        Some(match rule.each {
            Each::All => Part::All,
            Each::Account => Part::Account { name: who.account.clone() },
            Each::Caller => Part::Caller { name: who.caller?.clone() },
            Each::Instrument => Part::Instrument { id: who.terms.id.clone() },
        })
    }

    /// The part of a strategy, if the rule is over it and it is somebody's.
    pub(crate) fn strategy(rule: &Rule, who: Who<'_>, side: Side) -> Option<Part> {
        let caller = who.caller.filter(|_| who.is_in(&rule.reach))?.clone();
        Some(Part::Strategy { caller, instrument: who.terms.id.clone(), side })
    }

    /// The account that it is, if it is one.
    pub(crate) fn account(&self) -> Option<&AccountName> {
        match self {
            Part::Account { name } => Some(name),
            _ => None,
        }
    }

    /// What it is, for people: `reach` is what the rule is over.
    pub(crate) fn words(&self, reach: &Arc<str>) -> Arc<str> {
        let text = match self {
            Part::All => return reach.clone(),
            Part::Account { name } => format!("account {name}"),
            Part::Caller { name } => format!("caller {name}"),
            Part::Instrument { id } => id.to_string(),
            Part::Strategy { caller, instrument, side } => {
                let side = if *side == Side::Buy { "buys" } else { "sells" };
                format!("{caller} in {instrument}, {side}")
            }
        };
        Arc::from(text)
    }
}

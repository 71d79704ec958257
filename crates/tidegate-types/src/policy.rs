//! Limits as data: a policy is a named, versioned list of rules, each over a part of the desk's trading.
//!
//! A rule binds what its reach covers; of all that bind the tightest wins, and an order that no rule of the
//! kind `Allow` covers is refused. What a limit measures, in which unit, and when it starts anew stands at
//! each limit. A policy that exists is well-formed: `Policy::new` is the only way to one.

mod compare;
mod exception;
mod flaw;
mod limit;
mod liquidity;
mod measure;
mod reach;

use crate::codec::{self, Codec, CodecError};
use crate::codec_struct;
use crate::ids::{Currency, PolicyName, RuleId};
use crate::instrument::Price;
use crate::limits::{MAX_POLICY_BYTES, MAX_POLICY_RULES};
use crate::time::Span;
use std::collections::BTreeSet;

pub use exception::Exception;
pub use flaw::{Flaw, Wrong};
pub use limit::{Form, Limit, LimitKind};
pub use liquidity::{DEPTH_BPS, Liquidity};
pub use measure::{Measure, PolicyVersion, Unit};
pub use reach::{Class, Each, Instruments, Reach};

/// Whether a rule may be passed by for once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strength {
    /// Nobody passes it.
    Hard,
    /// A person with the right to may let a single trade pass, with a reason (`Exception`).
    Soft,
}
crate::codec_enum!(Strength { 0 => Hard, 1 => Soft });

/// One limit over a part of the trading.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// What people and refusals call it; unique within the policy.
    pub id: RuleId,
    /// What it is over.
    pub reach: Reach,
    /// Whether everything it is over counts together, or each part of it by itself.
    pub each: Each,
    /// Whether it may be passed by for once.
    pub strength: Strength,
    /// What it limits, and to what.
    pub limit: Limit,
}
codec_struct!(Rule { id, reach, each, strength, limit });

/// What a coin that stands for dollars counts, where no perpetual or index on it is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peg {
    /// Which coin.
    pub currency: Currency,
    /// Dollars for one of it.
    pub price: Price,
}
codec_struct!(Peg { currency, price });

/// The limits of a desk. Its fields are read by `name()`, `rules()` and so on; it cannot be malformed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    name: PolicyName,
    version: u32,
    max_mark_age: Span,
    pegs: Vec<Peg>,
    rules: Vec<Rule>,
}

impl Policy {
    /// The policy of these rules, unless something is wrong with it. `max_mark_age` is how old a mark may be
    /// that a position or a coin is valued by.
    pub fn new(
        name: PolicyName,
        version: u32,
        max_mark_age: Span,
        pegs: Vec<Peg>,
        rules: Vec<Rule>,
    ) -> Result<Policy, Flaw> {
        let policy = Policy { name, version, max_mark_age, pegs, rules };
        policy.check()?;
        Ok(policy)
    }

    /// What people call it.
    pub const fn name(&self) -> &PolicyName {
        &self.name
    }

    /// Which one of that name; a later one has a higher number.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// How old a mark may be that a position or a coin is valued by.
    pub const fn max_mark_age(&self) -> Span {
        self.max_mark_age
    }

    /// What coins that stand for dollars count.
    pub fn pegs(&self) -> &[Peg] {
        &self.pegs
    }

    /// Whether coins count as they do in another policy, in whatever order it names them.
    pub fn has_pegs_of(&self, other: &Policy) -> bool {
        let all_of = |some: &[Peg], all: &[Peg]| some.iter().all(|peg| all.contains(peg));
        all_of(&self.pegs, &other.pegs) && all_of(&other.pegs, &self.pegs)
    }

    /// Its rules, in the order they were written.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of that name.
    pub fn rule(&self, id: &RuleId) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == *id)
    }

    /// Its name and version, as refusals and records give them.
    pub fn stamp(&self) -> PolicyVersion {
        PolicyVersion { name: self.name.clone(), version: self.version }
    }

    fn check(&self) -> Result<(), Flaw> {
        let whole = |wrong| Err(Flaw { rule: None, wrong });
        if self.version == 0 {
            return whole(Wrong::Version);
        }
        if self.max_mark_age == Span::ZERO {
            return whole(Wrong::NoMarkAge);
        }
        if self.rules.is_empty() || self.rules.len() > MAX_POLICY_RULES {
            return whole(Wrong::RuleCount);
        }
        if self.pegs.iter().any(|peg| !peg.price.0.is_positive()) {
            return whole(Wrong::Peg);
        }
        let coins: BTreeSet<&Currency> = self.pegs.iter().map(|peg| &peg.currency).collect();
        if coins.len() < self.pegs.len() {
            return whole(Wrong::Peg);
        }
        let mut ids = BTreeSet::new();
        for rule in &self.rules {
            let of_rule = |wrong| Flaw { rule: Some(rule.id.clone()), wrong };
            if !ids.insert(&rule.id) {
                return Err(of_rule(Wrong::SameId));
            }
            rule.check().map_err(of_rule)?;
        }
        if codec::to_bytes(self).len() > MAX_POLICY_BYTES {
            return whole(Wrong::TooLong);
        }
        Ok(())
    }
}

impl Rule {
    /// Whether it is over some instruments, or counts each by itself.
    pub fn is_of_instruments(&self) -> bool {
        self.reach.instruments != Instruments::default() || self.each == Each::Instrument
    }

    /// Whether it is over a caller, or counts each by itself.
    pub fn is_of_callers(&self) -> bool {
        self.reach.caller.is_some() || self.each == Each::Caller
    }

    fn check(&self) -> Result<(), Wrong> {
        self.limit.check()?;
        if self.limit.kind() == LimitKind::Allow && self.strength == Strength::Soft {
            return Err(Wrong::SoftAllow);
        }
        let kind = self.limit.kind();
        if kind.is_of_whole_accounts() {
            if kind.is_of_options() && self.is_of_callers() {
                return Err(Wrong::OfAccountsOnly);
            }
            if kind.is_of_options() && self.is_of_instruments() {
                return Err(Wrong::OfWholeAccountsOnly);
            }
            let one = self.each == Each::Account || self.reach.account.is_some();
            if kind == LimitKind::ScenarioMargin && !one {
                return Err(Wrong::OfEachAccountOnly);
            }
        }
        Ok(())
    }
}

impl Codec for Policy {
    fn encode(&self, out: &mut Vec<u8>) {
        self.name.encode(out);
        self.version.encode(out);
        self.max_mark_age.encode(out);
        self.pegs.encode(out);
        self.rules.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Policy, CodecError> {
        let name = PolicyName::decode(input)?;
        let version = u32::decode(input)?;
        let max_mark_age = Span::decode(input)?;
        let pegs = Vec::decode(input)?;
        let rules = Vec::decode(input)?;
        Policy::new(name, version, max_mark_age, pegs, rules).map_err(|_| CodecError::Malformed)
    }

    fn show(&self, out: &mut String) {
        let Policy { name, version, max_mark_age, pegs, rules } = self;
        out.push_str("{\"name\":");
        name.show(out);
        out.push_str(",\"version\":");
        version.show(out);
        out.push_str(",\"max_mark_age\":");
        max_mark_age.show(out);
        out.push_str(",\"pegs\":");
        pegs.show(out);
        out.push_str(",\"rules\":");
        rules.show(out);
        out.push('}');
    }
}

#[cfg(test)]
mod tests;

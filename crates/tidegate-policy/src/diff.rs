//! What changes from one policy to another, rule by rule.

use crate::canonical::rule_text;
use crate::measure::write_span;
use tidegate_types::policy::{LimitKind, Policy, Rule};

/// Which way a change goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// It lets less pass.
    Tighter,
    /// It lets more pass, or cannot be shown to let no more pass.
    Looser,
    /// It lets the same pass.
    Same,
}

impl Turn {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Turn::Tighter => "tighter",
            Turn::Looser => "looser",
            Turn::Same => "same",
        }
    }
}

/// One thing that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The rule's id, or `mark_age`, or `pegs`.
    pub what: String,
    /// How it was; none where it is new.
    pub before: Option<String>,
    /// How it is to be; none where it goes.
    pub after: Option<String>,
    /// Which way that goes.
    pub turn: Turn,
}

impl Difference {
    /// The word for what happened: `added`, `removed`, `tighter`, `looser` or `same`.
    pub const fn word(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => self.turn.word(),
        }
    }
}

/// All that differs: first what is about the whole, then the rules in the order of the new policy, then
/// those that go. Without an old policy every rule is new. Something is looser exactly where the core takes
/// the new policy for a loosening.
pub fn diff(old: Option<&Policy>, new: &Policy) -> Vec<Difference> {
    let before = old.map(Policy::rules).unwrap_or_default();
    let mut found = old.map(|old| whole(old, new)).unwrap_or_default();
    for rule in new.rules() {
        let known = before.iter().find(|known| known.id == rule.id);
        if known == Some(rule) {
            continue;
        }
        // With no policy before everything was allowed that nothing else refused.
        let freed = allows(rule) && old.is_some() && !is_allowed(before, rule);
        let lost = known.is_some_and(|known| is_lost(new.rules(), known));
        let same = known.is_some_and(|known| binds_as(known, rule)) || allows(rule);
        found.push(Difference {
            what: rule.id.to_string(),
            before: known.map(rule_text),
            after: Some(rule_text(rule)),
            turn: match freed || lost {
                true => Turn::Looser,
                false if same && !known.is_some_and(|known| narrows(known, rule)) => Turn::Same,
                false => Turn::Tighter,
            },
        });
    }
    for rule in before.iter().filter(|rule| new.rule(&rule.id).is_none()) {
        let turn = match (allows(rule), is_lost(new.rules(), rule)) {
            (true, _) => Turn::Tighter,
            (false, true) => Turn::Looser,
            (false, false) => Turn::Same,
        };
        let (what, before) = (rule.id.to_string(), Some(rule_text(rule)));
        found.push(Difference { what, before, after: None, turn });
    }
    found
}

fn allows(rule: &Rule) -> bool {
    rule.limit.kind() == LimitKind::Allow
}

/// Whether what an allow rule is over was allowed by one rule before.
fn is_allowed(before: &[Rule], rule: &Rule) -> bool {
    before.iter().any(|old| allows(old) && old.reach.contains(&rule.reach))
}

/// Whether no rule refuses any more what a limit refused.
fn is_lost(new: &[Rule], limit: &Rule) -> bool {
    !allows(limit) && !new.iter().any(|rule| !allows(rule) && rule.holds_for(limit))
}

/// Whether a limit refuses whatever another one does.
fn binds_as(limit: &Rule, other: &Rule) -> bool {
    !allows(limit) && !allows(other) && limit.holds_for(other)
}

/// Whether an allow rule is over less than it was.
fn narrows(before: &Rule, after: &Rule) -> bool {
    allows(before) && !after.reach.contains(&before.reach)
}

fn whole(old: &Policy, new: &Policy) -> Vec<Difference> {
    let mut found = Vec::new();
    let (before, after) = (old.max_mark_age(), new.max_mark_age());
    if before != after {
        found.push(Difference {
            what: "mark_age".to_owned(),
            before: Some(write_span(before)),
            after: Some(write_span(after)),
            turn: if after < before { Turn::Tighter } else { Turn::Looser },
        });
    }
    let pegs = |policy: &Policy| {
        let pegs = policy.pegs().iter();
        let pegs: Vec<String> = pegs.map(|peg| format!("{} {}", peg.currency, peg.price)).collect();
        if pegs.is_empty() { "none".to_owned() } else { pegs.join(", ") }
    };
    // What a coin counts moves every exposure in it, one way or the other.
    if !old.has_pegs_of(new) {
        found.push(Difference {
            what: "pegs".to_owned(),
            before: Some(pegs(old)),
            after: Some(pegs(new)),
            turn: Turn::Looser,
        });
    }
    found
}

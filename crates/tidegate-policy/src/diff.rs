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

    /// Which way it is from one rule to another of its name. An allow rule over less is the tighter, any
    /// other limit the one that refuses whatever the other does.
    fn between(before: &Rule, after: &Rule) -> Turn {
        let (as_tight, as_loose) = match (allows(before), allows(after)) {
            (true, true) => {
                (before.reach.contains(&after.reach), after.reach.contains(&before.reach))
            }
            (false, false) => (after.holds_for(before), before.holds_for(after)),
            _ => (false, false),
        };
        match (as_tight, as_loose) {
            (true, true) => Turn::Same,
            (true, false) => Turn::Tighter,
            (false, _) => Turn::Looser,
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
/// those that go. Without an old policy every rule is new. The core decides by itself whether a policy loosens; this tells people where.
pub fn diff(old: Option<&Policy>, new: &Policy) -> Vec<Difference> {
    let mut found = old.map(|old| whole(old, new)).unwrap_or_default();
    for rule in new.rules() {
        match old.and_then(|old| old.rule(&rule.id)) {
            Some(before) if before == rule => {}
            Some(before) => found.push(Difference {
                what: rule.id.to_string(),
                before: Some(rule_text(before)),
                after: Some(rule_text(rule)),
                turn: Turn::between(before, rule),
            }),
            None => found.push(Difference {
                what: rule.id.to_string(),
                before: None,
                after: Some(rule_text(rule)),
                turn: if allows(rule) { Turn::Looser } else { Turn::Tighter },
            }),
        }
    }
    let before = old.map(Policy::rules).unwrap_or_default();
    for rule in before.iter().filter(|rule| new.rule(&rule.id).is_none()) {
        found.push(Difference {
            what: rule.id.to_string(),
            before: Some(rule_text(rule)),
            after: None,
            turn: if allows(rule) { Turn::Tighter } else { Turn::Looser },
        });
    }
    found
}

fn allows(rule: &Rule) -> bool {
    rule.limit.kind() == LimitKind::Allow
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
    if old.pegs() != new.pegs() {
        // What a coin counts moves every exposure in it, one way or the other.
        let less = new.pegs().iter().all(|peg| old.pegs().contains(peg));
        found.push(Difference {
            what: "pegs".to_owned(),
            before: Some(pegs(old)),
            after: Some(pegs(new)),
            turn: if less { Turn::Tighter } else { Turn::Looser },
        });
    }
    found
}

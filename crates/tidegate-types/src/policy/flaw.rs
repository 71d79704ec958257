//! Why a policy is none.

use crate::ids::RuleId;
use crate::limits::{MAX_LISTED_INSTRUMENTS, MAX_POLICY_BYTES, MAX_POLICY_RULES};
use std::fmt;

/// Why a policy is none, and by which of its rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flaw {
    /// Which rule; nobody's where it is the whole.
    pub rule: Option<RuleId>,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is wrong with a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// Versions begin with 1.
    Version,
    /// No age of marks is given.
    NoMarkAge,
    /// There is no rule, or there are too many.
    RuleCount,
    /// A coin is pegged twice, or at nothing.
    Peg,
    /// Two rules have one id.
    SameId,
    /// A number is negative or out of range, or a list too long.
    Number,
    /// An allow rule cannot be soft: there is nothing to pass by.
    SoftAllow,
    /// What options come to is an account's: the rule cannot be over a caller.
    OfAccountsOnly,
    /// What options come to is a whole account's: the rule cannot be over instruments.
    OfWholeAccountsOnly,
    /// A margin is each account's own: no other account pays it.
    OfEachAccountOnly,
    /// It takes too many bytes.
    TooLong,
}

impl fmt::Display for Flaw {
    /// One line: what is wrong, and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(rule) = &self.rule {
            write!(f, "rule {rule}: ")?;
        }
        match self.wrong {
            Wrong::Version => f.write_str("the version is 0; versions begin with 1"),
            Wrong::NoMarkAge => {
                f.write_str("marks may be of no age; say how old a mark may be, for example 5 s")
            }
            Wrong::RuleCount => write!(f, "a policy has between 1 and {MAX_POLICY_RULES} rules"),
            Wrong::Peg => f.write_str("a coin is pegged twice or at nothing; give each one price"),
            Wrong::SameId => f.write_str("two rules have this id; give each its own"),
            Wrong::Number => write!(
                f,
                "a number is out of range; amounts are not negative, windows above 0 and at most \
                 an hour, shares at most 10000 bp, lists at most {MAX_LISTED_INSTRUMENTS} long"
            ),
            Wrong::SoftAllow => f.write_str("an allow rule cannot be soft; leave that out"),
            Wrong::OfAccountsOnly => f.write_str(
                "what options come to is an account's; let the rule be over accounts, not callers",
            ),
            Wrong::OfWholeAccountsOnly => f.write_str(
                "what options come to is a whole account's; let the rule be over accounts, not \
                 instruments",
            ),
            Wrong::OfEachAccountOnly => f.write_str(
                "a margin is paid by one account alone; write `each = \"account\"`, or name the account",
            ),
            Wrong::TooLong => write!(
                f,
                "the policy takes more than {MAX_POLICY_BYTES} bytes; shorten names and lists"
            ),
        }
    }
}

impl std::error::Error for Flaw {}

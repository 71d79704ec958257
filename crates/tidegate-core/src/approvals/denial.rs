//! Why a request for approval, or what one asks for, was turned down.

use super::Stage;
use crate::roles::Refusal;
use std::fmt;
use tidegate_types::ids::ApprovalId;

/// The word for what somebody may not do.
pub const FORBIDDEN: &str = "forbidden";

/// Why something about approvals, or about what one may do, was not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Denial {
    /// The person may not.
    Forbidden {
        /// What is missing.
        why: String,
    },
    /// There is no such request, or not for this person.
    NoRequest {
        /// Which.
        id: ApprovalId,
    },
    /// It does not wait any more.
    Ended {
        /// Which.
        id: ApprovalId,
        /// What became of it.
        stage: Stage,
    },
    /// The digest is not the request's.
    WrongDigest {
        /// Tries that are left.
        left: u64,
    },
    /// What it was asked against is not so any more: it is void.
    Outdated {
        /// What.
        why: String,
    },
    /// This desk approves by passkey, and that was none.
    NeedsPasskey {
        /// Which request.
        id: ApprovalId,
    },
    /// Who asked has not confirmed it by a passkey yet.
    Unconfirmed {
        /// Which request.
        id: ApprovalId,
    },
    /// There are too many requests, or this one is too long.
    TooMany {
        /// Of what.
        why: String,
    },
}

impl Denial {
    /// The stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Denial::Forbidden { .. } => FORBIDDEN,
            Denial::NoRequest { .. } => "no_such_approval",
            Denial::Ended { .. } => "approval_ended",
            Denial::WrongDigest { .. } => "wrong_digest",
            Denial::Outdated { .. } => "approval_outdated",
            Denial::NeedsPasskey { .. } => "needs_passkey",
            Denial::Unconfirmed { .. } => "not_confirmed",
            Denial::TooMany { .. } => "too_many_approvals",
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denial::Forbidden { why } | Denial::TooMany { why } => f.write_str(why),
            Denial::NoRequest { id } => write!(f, "there is no request {id} for approval"),
            Denial::Ended { id, stage } => {
                write!(f, "request {id} does not wait for approval any more: {}", stage.word())
            }
            Denial::WrongDigest { left: 0 } => {
                f.write_str("the digest is not the request's; it is void after so many tries")
            }
            Denial::WrongDigest { left } => {
                write!(f, "the digest is not the request's; {left} tries are left")
            }
            Denial::NeedsPasskey { id } => write!(f, "request {id} takes a passkey"),
            Denial::Unconfirmed { id } => {
                write!(f, "who asked for request {id} has not confirmed it by passkey yet")
            }
            Denial::Outdated { why } => write!(f, "the request is void: {why}"),
        }
    }
}

impl From<Refusal> for Denial {
    fn from(refusal: Refusal) -> Denial {
        Denial::Forbidden { why: refusal.to_string() }
    }
}

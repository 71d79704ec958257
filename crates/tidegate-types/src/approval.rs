//! Four eyes: what one person asks and a second one approves.

use crate::grant::Scope;
use crate::ids::{ApprovalId, PersonName};
use crate::record::Change;
use crate::time::Time;
use crate::{codec_enum, codec_struct};

/// What a person asks the core to do, in the one form that is signed, recorded and carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Change something.
    Change {
        /// What.
        change: Change,
    },
    /// Lift a halt.
    Resume {
        /// Of what.
        scope: Scope,
        /// Why.
        reason: String,
    },
}
codec_enum!(Act { 0 => Change { change }, 1 => Resume { scope, reason } });

/// A request that waits for a second person. Its digest, which the second person approves, is over
/// the byte form of all of this.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approval {
    /// Its number.
    pub id: ApprovalId,
    /// Who asks.
    pub by: PersonName,
    /// What is to be done.
    pub act: Act,
    /// The same for people, made from the state it was asked in.
    pub statement: String,
    /// SHA-256 of the part of the state that it is about, as it was.
    pub against: [u8; 32],
    /// It cannot be approved after this.
    pub until: Time,
    /// Who asked has to confirm it by a passkey.
    pub confirm: bool,
}
codec_struct!(Approval { id, by, act, statement, against, until, confirm });

/// How somebody who asks for something shows that it is them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Showing {
    /// By the door they come through: a user of the machine, or a token.
    Door,
    /// By a passkey's signature over the statement, once it is made: what loosens waits for that.
    Later,
}

/// By what a person showed that it approves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Factor {
    /// By being the user of the machine whom the kernel vouches for at the local socket. No second
    /// factor, and no signature over the digest.
    LocalSocket,
    /// By a passkey's signature over the digest of the request, which stands in the journal with the
    /// credential, known by SHA-256 of its id.
    Passkey {
        /// Which passkey.
        credential: [u8; 32],
    },
}
impl Factor {
    /// Whether somebody in between cannot have had it made.
    pub const fn resists_phishing(self) -> bool {
        matches!(self, Factor::Passkey { .. })
    }
}
codec_enum!(Factor { 0 => LocalSocket, 2 => Passkey { credential } });

/// What became of a request for approval.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It was approved and is carried out by this very record.
    CarriedOut {
        /// Who approved it.
        by: PersonName,
        /// Shown by what.
        factor: Factor,
    },
    /// It was denied, or taken back by who had asked.
    Denied {
        /// Who.
        by: PersonName,
    },
    /// Nobody approved it in time.
    Expired,
    /// What it was asked against is not so any more.
    Outdated {
        /// What.
        why: String,
    },
    /// It was approved with a wrong digest too often.
    Spoiled,
}
codec_enum!(Verdict {
    0 => CarriedOut { by, factor }, 1 => Denied { by }, 2 => Expired, 3 => Outdated { why },
    4 => Spoiled,
});

//! Who had an order cancelled.

use crate::breaker::BreakerId;
use crate::codec_enum;
use crate::grant::Scope;
use crate::ids::{AccountName, CallerName, KeyId, RuleId};

/// Who had an order cancelled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Canceller {
    /// The caller whose order it is, or one whose grant is account-wide.
    Caller {
        /// Who.
        caller: CallerName,
    },
    /// A halt.
    Halt {
        /// Of what.
        scope: Scope,
    },
    /// Tidegate, because the caller's session ended and it had asked for that.
    Disconnect {
        /// Whose.
        caller: CallerName,
    },
    /// Tidegate, because the caller's dead-man timer lapsed.
    Countdown {
        /// Whose.
        caller: CallerName,
    },
    /// An app whose order it is, by a token.
    Token {
        /// Which app.
        caller: CallerName,
        /// The word `token:` and the token's id.
        token: KeyId,
        /// In whose name: a person's opaque id, or the app's own.
        subject: String,
    },
    /// Tidegate, because a newer order of the same owner would have traded with it. Read from older
    /// journals, which did not say whose that was; now `Newer` is written.
    SelfTrade {
        /// The newer one's account.
        account: AccountName,
    },
    /// Tidegate, because a newer order of the same owner would have traded with it. Who asked for that one
    /// pays for the cancel.
    Newer {
        /// Who asked for the newer one.
        caller: CallerName,
        /// On which account.
        account: AccountName,
    },
    /// A circuit breaker that tripped.
    Breaker {
        /// Which.
        breaker: BreakerId,
        /// Where.
        scope: Scope,
    },
    /// A policy's rule on repeated executions, which its caller's strategy reached.
    Throttle {
        /// Which rule.
        rule: RuleId,
    },
}
codec_enum!(Canceller {
    0 => Caller { caller }, 1 => Halt { scope }, 2 => Disconnect { caller },
    3 => Countdown { caller }, 4 => Token { caller, token, subject }, 70 => Breaker { breaker, scope },
    80 => SelfTrade { account }, 195 => Newer { caller, account }, 196 => Throttle { rule },
});

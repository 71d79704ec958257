//! Refusals: one stable code each, in ranges by gate.

use crate::time::Span;
use crate::{codec_enum, codec_struct};
use std::fmt;

/// Who has to act for the next try to succeed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The caller.
    Caller,
    /// The desk: a limit, a grant, a halt.
    Desk,
    /// The venue.
    Venue,
    /// Tidegate or its machine.
    Gateway,
}

macro_rules! codes {
    ($($tag:literal $number:literal $name:ident $fault:ident $text:literal;)*) => {
        /// Why a request was refused. The number is for ever.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code {
            $(#[doc = $text] $name,)*
        }

        codec_enum!(Code { $($tag => $name,)* });

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The number, as callers see it: `TG` and three digits.
            pub const fn number(self) -> u16 {
                match self { $(Code::$name => $number),* }
            }

            /// Who has to act.
            pub const fn fault(self) -> Fault {
                match self { $(Code::$name => Fault::$fault),* }
            }

            /// What it means, in a few words.
            pub const fn meaning(self) -> &'static str {
                match self { $(Code::$name => $text),* }
            }
        }
    };
}

codes! {
    0 101 MissingCredentials Caller "no credentials in a request that needs them";
    1 102 UnknownKey Caller "the key is unknown or revoked";
    2 103 BadSignature Caller "the signature or secret does not match the key";
    3 104 StaleTimestamp Caller "the timestamp is outside the window";
    4 105 Replayed Caller "the same signed request came before";
    5 106 WrongVenue Caller "the key is for another venue";
    6 107 BadToken Caller "the token is unknown, expired or revoked";
    7 108 KeyExpired Caller "the key has expired";
    8 109 KeyNotFromHere Caller "the key is not good from where the request comes";
    9 110 NotAllowed Desk "the person's role does not allow it";
    21 111 WeakLogin Caller "the credentials are shown in a way that is not taken here";
    10 201 UnknownRoute Caller "the route is not served";
    11 202 ForbiddenRoute Desk "withdrawals, transfers and key administration are not served";
    12 203 Malformed Caller "the request cannot be read";
    13 204 DuplicateParameter Caller "a parameter is given twice";
    14 205 UnknownParameter Caller "a parameter is not known";
    15 206 MissingParameter Caller "a parameter is missing";
    16 207 BadParameter Caller "a parameter has a bad value";
    17 208 UnsupportedParameter Desk "a parameter asks for what is not allowed here";
    18 209 TooLarge Caller "the request is too large or too deep";
    19 210 UnknownInstrument Caller "the instrument is not known";
    20 211 NeedsWebSocket Caller "the method needs a WebSocket";
    30 301 NoGrant Desk "the caller has no grant for this account";
    31 302 InstrumentNotGranted Desk "the grant does not cover the instrument";
    32 303 SideNotGranted Desk "the grant does not cover the side";
    33 304 OrderTypeNotGranted Desk "the grant does not cover the order type";
    34 305 ReduceOnlyGrant Desk "the grant covers orders that reduce a position only";
    35 306 SettingsNotGranted Desk "the grant does not cover account settings";
    36 307 OrderNotFound Caller "the caller has no such live order";
    37 308 GrantExpired Desk "the grant has expired";
    38 309 OrderEnded Caller "the order is no longer live";
    39 310 OutsideHours Desk "the grant does not cover this time of the day or day of the week";
    40 401 CallerRate Caller "the caller sends orders faster than its grant allows";
    41 402 AccountRate Desk "the account's order budget is used up";
    42 403 TooManyInFlight Gateway "too many requests are waiting";
    43 404 RequestRate Caller "the caller sends requests faster than allowed";
    50 501 OrderQuantity Desk "the order is larger than the quantity limit";
    51 502 OrderNotional Desk "the order is larger than the notional limit";
    52 503 PriceCollar Desk "the price is outside the collar around the mark";
    53 504 StaleMark Gateway "the mark price is too old";
    54 505 NoMark Gateway "there is no mark price";
    55 506 NoLimit Desk "no limit is set for the account";
    56 507 OpenNotional Desk "open orders would exceed the limit";
    57 508 PositionNotional Desk "the position with all open orders would exceed the limit";
    58 509 Halted Desk "a halt is in force";
    59 510 AccountClosed Gateway "the account is closed until it is reconciled";
    60 511 Uncomputable Desk "the worst price or quantity of the order cannot be computed";
    61 512 BadPriceStep Caller "the price is not a multiple of the tick";
    62 513 BadQuantityStep Caller "the quantity is not a multiple of the lot, or below the minimum";
    63 514 DuplicateOrderId Caller "the caller has a live order with that id";
    64 515 NotReducing Caller "the order would not reduce the position";
    65 516 OutOfRange Caller "a number is out of range";
    66 517 GrantOpenNotional Desk "the caller's open orders would exceed its grant";
    67 518 Exposure Desk "the account's positions and open orders together would exceed the limit";
    68 519 RepeatedOrder Caller "the same order was placed moments before";
    69 520 DailyNotional Desk "what the caller traded today, with its open orders, would exceed its grant";
    100 521 NotInPolicy Desk "no rule of the policy allows the order";
    101 522 PolicyLimit Desk "a limit of the policy would not be kept";
    102 523 SoftLimit Desk "a soft limit of the policy would not be kept; with a reason, a person may let this trade pass";
    103 524 PolicyUnmeasured Gateway "what the policy limits cannot be measured now";
    104 525 PolicyRate Caller "the policy allows fewer messages";
    105 526 RepeatedExecutions Desk "it executed too often; a person must let it go on";
    70 601 JournalUnavailable Gateway "the journal cannot be written";
    80 701 SignerUnavailable Gateway "the signer does not answer";
    81 702 SignerRefused Gateway "the signer refused";
    90 801 VenueUnreachable Venue "the venue cannot be reached; nothing was sent";
    91 802 OutcomeUnknown Venue "the venue did not answer; the order may or may not be live";
    92 803 VenueBudget Venue "the venue's rate limit allows no more for now";
}

const LATER: &str = ", for another ";
const LATER_UNIT: &str = " ms";

/// A refusal: the code, and the numbers it was made from in one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reject {
    /// Why.
    pub code: Code,
    /// The numbers, the limit, the rule; no secrets, no line breaks.
    pub detail: String,
}
codec_struct!(Reject { code, detail });

impl Reject {
    /// A refusal.
    pub fn new(code: Code, detail: impl Into<String>) -> Reject {
        Reject { code, detail: detail.into() }
    }

    /// A refusal that ends by itself after a while.
    pub fn later(code: Code, why: &str, wait: Span) -> Reject {
        Reject { code, detail: format!("{why}{LATER}{}{LATER_UNIT}", wait.millis().max(1)) }
    }

    /// How long until the next try, of a refusal made with `later`.
    pub fn wait(&self) -> Option<Span> {
        let told = self.detail.strip_suffix(LATER_UNIT)?.rsplit_once(LATER)?.1;
        told.parse().ok().map(Span::from_millis)
    }
}

impl fmt::Display for Reject {
    /// One line for a caller: `TG503 the price is outside the collar around the mark: …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TG{} {}", self.code.number(), self.code.meaning())?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl std::error::Error for Reject {}

#[cfg(test)]
mod tests;

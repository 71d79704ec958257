//! How a person proves who they are: passkeys first, a password and a one-time code second; or an outside
//! provider that the desk trusts says so (`oidc`).
//!
//! Everything here is a value and functions over it: bytes, what the store keeps, the time and fresh
//! randomness are handed in. Each check that passes gives a `Shown`, which nothing else can make; a
//! login is an `Assurance` of what was shown and when.
//!
//! Errors tell the operator what went wrong. A person reads the same refusal for all of them.

mod actor;
pub mod assurance;
mod base32;
pub mod enrolment;
pub mod facts;
pub mod hidden;
mod member;
pub mod notices;
pub mod oidc;
pub mod passkey;
pub mod password;
pub mod recovery;
pub mod sessions;
pub mod throttle;
pub mod totp;

pub use actor::Actor;
pub use assurance::{Assurance, Factor, Level, Shown, methods};
pub use enrolment::{LINK_LIFETIME, LinkKey, fresh_link, link_key};
pub use facts::{Fact, MAX_PASSKEYS, Signature, State};
pub use hidden::{Hidden, OneTimeText};
pub use member::{Member, Password, Sealed};
pub use oidc::{Linked, OutsideIdentity};
pub use passkey::{
    Asserted, Assertion, Challenge, Challenges, LogIns, Passkey, PasskeyError, Purpose,
    Registration, RelyingParty,
};
pub use password::{Cost, PasswordError, Pepper, Slot, Slots, StoredPassword, Unfit};
pub use recovery::{FreshCodes, RecoveryCodes};
pub use sessions::{Begun, Session, SessionError, SessionKey, Sessions};
pub use throttle::{Attempt, Refused, Throttle, range_of};
pub use totp::{Totp, TotpError};

use tidegate_types::codec_newtype;

/// Who a person is to credentials and sessions: 16 random bytes that say nothing about them. It is
/// WebAuthn's user handle too, which authenticators keep and show to whoever asks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PersonHandle(pub [u8; 16]);
codec_newtype!(PersonHandle);

//! An outside OpenID provider that people may log in through (OpenID Connect Core 1.0, Discovery 1.0,
//! Back-Channel Logout 1.0; RFC 7636, 9126, 9207).
//!
//! The provider says who somebody is by an identifier (`sub`) and nothing else is believed of it: no
//! mail address, no name, no group. Whose the identifier is was said here before, by the person. What
//! the login is worth is what the desk's configuration trusts the provider with.

pub mod id_token;
pub mod keys;
pub mod logout_token;
pub mod metadata;
pub mod request;

pub use id_token::{Expected, Login, Trust};
pub use keys::ProviderKeys;
pub use logout_token::{LoggedOut, SeenLogouts};
pub use metadata::Metadata;
pub use request::{Flow, client_assertion};

use std::fmt;
use tidegate_types::codec_struct;
use tidegate_types::time::{Span, Time};

/// Longest identifier of somebody at a provider (OpenID Connect Core, section 2).
pub const MAX_SUBJECT_BYTES: usize = 255;
/// How far the provider's clock may be from ours.
const SKEW: Span = Span::from_secs(60);
/// Longest value of `acr` or of one `amr` that is put on record.
const MAX_WORD_BYTES: usize = 255;

/// Who somebody is to an outside provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutsideIdentity {
    /// The provider.
    pub issuer: String,
    /// Its identifier for them, which it gives to nobody else.
    pub subject: String,
}
codec_struct!(OutsideIdentity { issuer, subject });

/// An outside identity by which a person may log in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linked {
    /// Which.
    pub identity: OutsideIdentity,
    /// Since when.
    pub since: Time,
    /// When they logged in by it last.
    pub last_used: Option<Time>,
}
codec_struct!(Linked { identity, since, last_used });

/// Why what a provider says is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OidcError {
    /// Its metadata does not do: what is wrong with it.
    Metadata(&'static str),
    /// Not a compact signature over JSON, encrypted, or too long.
    Malformed,
    /// Signed by an algorithm that is not taken.
    Algorithm,
    /// A critical extension: none is known here.
    Critical,
    /// A token of another type.
    Type,
    /// No key of the provider's fits, or more than one does.
    NoKey,
    /// The signature is not by the provider's key.
    Signature,
    /// Another issuer.
    Issuer,
    /// Not for us, or not for us alone.
    Audience,
    /// Given to another client (`azp`).
    AuthorizedParty,
    /// Its time is over.
    Expired,
    /// Its time is to come.
    NotYet,
    /// It does not say when it was made, or that was too long ago.
    IssuedAt,
    /// Not for the login that was begun here.
    Nonce,
    /// It does not say when the person showed who they are.
    AuthTime,
    /// The person showed who they are too long ago.
    TooOld,
    /// It does not say that the login was of a required kind (`acr`).
    Acr,
    /// It does not say that everything required was shown (`amr`).
    Amr,
    /// It does not say who, or not in a form that an identifier has.
    Subject,
    /// Not about a logout, or it might be something else too.
    Event,
    /// It came before.
    Repeated,
    /// An answer by another issuer than was asked (RFC 9207).
    OtherIssuer,
    /// The provider does not take the code that came back: it is used, over, or not its own.
    Code,
}

impl fmt::Display for OidcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OidcError::Metadata(why) => why,
            OidcError::Malformed => "the token is no compact signature over JSON, or too long",
            OidcError::Algorithm => {
                "the token is signed by an algorithm other than PS256, ES256, EdDSA and RS256"
            }
            OidcError::Critical => "the token names a critical extension, and none is known",
            OidcError::Type => "the token is of another type",
            OidcError::NoKey => "no single key of the provider's fits the token",
            OidcError::Signature => "the token's signature is not the provider's",
            OidcError::Issuer => "the token is of another issuer",
            OidcError::Audience => "the token is not for this client, or not for it alone",
            OidcError::AuthorizedParty => "the token was given to another client",
            OidcError::Expired => "the token is over",
            OidcError::NotYet => "the token is not good yet",
            OidcError::IssuedAt => "the token was not made just now",
            OidcError::Nonce => "the token is not for the login that was begun here",
            OidcError::AuthTime => "the token does not say when the person logged in",
            OidcError::TooOld => "the person's login at the provider is too old",
            OidcError::Acr => "the login is of none of the required kinds (acr)",
            OidcError::Amr => "not everything that is required was shown (amr)",
            OidcError::Subject => "the token does not say who, or not in a usable form",
            OidcError::Event => "the token is not about a logout",
            OidcError::Repeated => "the token came before",
            OidcError::OtherIssuer => "the answer is of another issuer than was asked",
            OidcError::Code => "the provider does not take the code that came back",
        })
    }
}

impl std::error::Error for OidcError {}

#[cfg(test)]
mod testing;

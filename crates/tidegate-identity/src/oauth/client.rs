//! Registered clients: programs and apps that may ask for tokens, and how they prove who they are.

pub mod authenticate;
mod summary;

pub use authenticate::{Credentials, PeerCertificate};

use super::details::{Trading, read, show};
use super::error::{ErrorCode, OAuthError};
use super::event::State;
use super::jose::jws::{Compact, Typ};
use super::jose::{ClientKeys, JoseError, Thumbprint};
use super::json::Object;
use crate::rsa::RsaBits;
use std::fmt;
use std::sync::Arc;
use tidegate_types::codec::{Codec, CodecError};
use tidegate_types::{codec_enum, codec_struct};

/// A client's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(Arc<str>);

/// What an administrator registers: nothing in it is secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Its name.
    pub id: ClientId,
    /// What people read when they are asked for consent.
    pub title: String,
    /// How it proves who it is.
    pub method: Method,
    /// What its tokens are bound to.
    pub bound_to: Binding,
    /// Which grants it may use.
    pub grants: Vec<GrantType>,
    /// Where people may be sent back to, compared letter by letter.
    pub redirect_uris: Vec<String>,
    /// The most that any token of it allows.
    pub allowed: Vec<Trading>,
    /// The client that may act in the name of this one's tokens' subjects.
    pub delegate: Option<ClientId>,
    /// It may ask about every token, as a resource server does.
    pub introspects: bool,
    /// What it pushes must be a signed request object: `require_signed_request_object` (RFC 9101 §10.5).
    pub signs_requests: bool,
}
codec_struct!(Terms {
    id,
    title,
    method,
    bound_to,
    grants,
    redirect_uris,
    allowed,
    delegate,
    introspects,
    signs_requests,
});

/// How a client proves who it is (FAPI 2.0 5.3.2.1): by a key of its own, never by a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Method {
    /// RFC 7523: a JWT signed by one of the keys of this JWK set.
    PrivateKeyJwt {
        /// The set's text; public members only.
        jwks: String,
    },
    /// RFC 8705 §2.2: one of these very certificates, by SHA-256.
    SelfSignedTls {
        /// The certificates' digests.
        certificates: Vec<Thumbprint>,
    },
    /// RFC 8705 §2.1: a certificate of a trusted issuer with this name.
    Tls {
        /// The name.
        name: CertificateName,
    },
}
codec_enum!(Method {
    0 => PrivateKeyJwt { jwks }, 1 => SelfSignedTls { certificates }, 2 => Tls { name },
});

/// A name in a certificate. A client is known by exactly one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CertificateName {
    /// The subject's distinguished name, as RFC 4514 writes it.
    SubjectDn {
        /// The name.
        text: String,
    },
    /// A DNS name.
    Dns {
        /// The name.
        text: String,
    },
    /// A URI.
    Uri {
        /// The URI.
        text: String,
    },
    /// An address.
    Ip {
        /// The address.
        text: String,
    },
    /// A mail address.
    Email {
        /// The address.
        text: String,
    },
}
codec_enum!(CertificateName {
    0 => SubjectDn { text }, 1 => Dns { text }, 2 => Uri { text }, 3 => Ip { text },
    4 => Email { text },
});

/// What a client's tokens are bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// A key that signs each request (RFC 9449).
    Dpop,
    /// The certificate of the connection (RFC 8705 §3).
    Certificate,
}
codec_enum!(Binding { 0 => Dpop, 1 => Certificate });

/// How a token may be asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum GrantType {
    /// With a person's consent, through a browser.
    AuthorizationCode,
    /// In the client's own name.
    ClientCredentials,
    /// Again, for the same grant.
    RefreshToken,
    /// With a person's consent, from a device without a browser (RFC 8628).
    DeviceCode,
    /// In the name of another's token (RFC 8693).
    TokenExchange,
}
codec_enum!(GrantType {
    0 => AuthorizationCode, 1 => ClientCredentials, 2 => RefreshToken, 3 => DeviceCode,
    4 => TokenExchange,
});

impl GrantType {
    /// Every one, by its registered name.
    pub const NAMES: &'static [(&'static str, GrantType)] = &[
        ("authorization_code", GrantType::AuthorizationCode),
        ("client_credentials", GrantType::ClientCredentials),
        ("refresh_token", GrantType::RefreshToken),
        ("urn:ietf:params:oauth:grant-type:device_code", GrantType::DeviceCode),
        ("urn:ietf:params:oauth:grant-type:token-exchange", GrantType::TokenExchange),
    ];

    /// The one that a request names.
    pub fn named(name: &str) -> Option<GrantType> {
        GrantType::NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }
}

/// A registered client, ready to be asked.
#[derive(Clone, Debug)]
pub struct Client {
    terms: Terms,
    keys: Option<ClientKeys>,
}

/// Why a client is not registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadTerms(
    /// What is wrong.
    pub &'static str,
);

/// Most certificates of one client: the one in use, and those that follow it.
const MAX_CERTIFICATES: usize = 8;
/// Most addresses to send people back to.
const MAX_REDIRECTS: usize = 16;

impl Client {
    /// The client that `terms` describe.
    ///
    /// # Errors
    /// When its keys are weak or none, an address is not to be sent back to, or a grant lacks what it needs.
    pub fn new(terms: Terms) -> Result<Client, BadTerms> {
        let keys = match &terms.method {
            Method::PrivateKeyJwt { jwks } => {
                let keys = ClientKeys::parse(jwks);
                Some(keys.map_err(|_| BadTerms("its JWK set has a bad key, or none"))?)
            }
            Method::SelfSignedTls { certificates }
                if !(1..=MAX_CERTIFICATES).contains(&certificates.len()) =>
            {
                return Err(BadTerms("it has no certificate, or more than eight"));
            }
            Method::SelfSignedTls { .. } | Method::Tls { .. } => None,
        };
        if terms.redirect_uris.len() > MAX_REDIRECTS
            || !terms.redirect_uris.iter().all(|uri| is_redirect(uri))
        {
            return Err(BadTerms("an address to be sent back to is not https or loopback http"));
        }
        if terms.grants.contains(&GrantType::AuthorizationCode) && terms.redirect_uris.is_empty() {
            return Err(BadTerms("authorization_code needs an address to be sent back to"));
        }
        if terms.signs_requests && keys.is_none() {
            return Err(BadTerms("it has no keys to sign requests by"));
        }
        if terms.title.is_empty()
            || terms.title.len() > 64
            || terms.title.contains(char::is_control)
        {
            return Err(BadTerms("its title is empty, too long, or has control characters"));
        }
        if terms.allowed.is_empty() {
            return Err(BadTerms("it is allowed nothing"));
        }
        // A grant of the desk may be wider than the words of tokens: nobody could use a token by it.
        if read::from_value(&show::to_value(&terms.allowed)).is_err() {
            return Err(BadTerms(
                "no token can say what it is allowed: limits above zero, 1 to 32 instruments for each of at \
                 most 16 accounts, 4096 bytes; name less with `details`",
            ));
        }
        Ok(Client { terms, keys })
    }

    /// What was registered.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Asks for RSA keys of as many bits and more.
    ///
    /// # Errors
    /// When one of the client's has fewer.
    pub fn check_keys(&self, fewest: RsaBits) -> Result<(), BadTerms> {
        let mut keys = self.keys.iter().flat_map(ClientKeys::iter);
        if keys.all(|key| key.is_as_long_as(fewest)) {
            return Ok(());
        }
        Err(BadTerms("an RSA key has fewer bits than the desk asks for (keys.rsa_bits)"))
    }

    /// The claims of `compact`, signed by a key of the client's that is in force and, being of RSA, has
    /// `fewest` bits; and that key.
    ///
    /// # Errors
    /// When it is not, or is of another type.
    pub(super) fn verify(
        &self,
        known: &State,
        compact: &Compact<'_>,
        typ: Typ,
        fewest: RsaBits,
    ) -> Result<(Object, Thumbprint), JoseError> {
        let key = self.keys.as_ref().ok_or(JoseError::NoKey)?.find(compact)?;
        let print = key.thumbprint();
        if known.is_key_revoked(&print) || !key.is_as_long_as(fewest) {
            return Err(JoseError::NoKey);
        }
        compact.verify(key, typ).map(|claims| (claims, print))
    }

    /// Whether it may use `grant`.
    ///
    /// # Errors
    /// `unauthorized_client` when it may not.
    pub fn may_use(&self, grant: GrantType) -> Result<(), OAuthError> {
        if self.terms.grants.contains(&grant) {
            return Ok(());
        }
        let text = "the client is not registered for this grant";
        Err(OAuthError::new(ErrorCode::UnauthorizedClient, text))
    }

    /// Whether people may be sent back to `uri`. Of a loopback address the port may differ (OAuth 2.1
    /// §8.4.2), nothing else.
    pub fn redirects_to(&self, uri: &str) -> bool {
        let same = |registered: &String| {
            registered == uri
                || matches!((portless(registered), portless(uri)), (Some(a), Some(b)) if a == b)
        };
        self.terms.redirect_uris.iter().any(same)
    }
}

/// Whether `uri` may be registered: absolute, without a fragment, https or http to this machine.
fn is_redirect(uri: &str) -> bool {
    let https = uri.strip_prefix("https://");
    let host = https.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', ':']));
    let plain = uri.bytes().all(|b| b.is_ascii_graphic()) && !uri.contains(['#', '\\', '@']);
    plain && uri.len() <= 512 && (host || portless(uri).is_some())
}

/// A loopback http address with its port left out. None for any other.
fn portless(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]"].into_iter().find(|host| rest.starts_with(host))?;
    let after = rest.strip_prefix(host)?;
    let path = match after.strip_prefix(':') {
        Some(port) => {
            let end = port.find(|c: char| !c.is_ascii_digit()).unwrap_or(port.len());
            port.get(..end)?.parse::<u16>().ok()?;
            port.get(end..)?
        }
        None => after,
    };
    (path.is_empty() || path.starts_with(['/', '?'])).then_some((host, path))
}

impl ClientId {
    /// The name that `text` is: 1 to 64 letters, digits, `_`, `-`, `.`.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(text: &str) -> Result<ClientId, BadTerms> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if text.is_empty() || text.len() > 64 || !text.chars().all(legal) {
            return Err(BadTerms("a client's name is 1 to 64 letters, digits, _ - ."));
        }
        Ok(ClientId(Arc::from(text)))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Codec for ClientId {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<ClientId, CodecError> {
        let text = <Arc<str> as Codec>::decode(input)?;
        ClientId::new(&text).map_err(|_| CodecError::Malformed)
    }

    fn show(&self, out: &mut String) {
        self.0.show(out);
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for BadTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadTerms {}

#[cfg(test)]
mod tests;

//! The check of a client's proof: an assertion for this server alone, or its certificate.

use super::{CertificateName, Client, ClientId, Method};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::event::State;
use crate::oauth::jose::jws::{Compact, Typ};
use crate::oauth::jose::{JoseError, Thumbprint};
use crate::oauth::json::{Members, Object};
use crate::oauth::once::{NotOnce, Once};
use crate::oauth::params::Params;
use crate::rsa::RsaBits;
use tidegate_types::time::{Span, Time};

/// How far ahead `iat` and `nbf` may be: FAPI 2.0 wants 10 s taken and more than 60 s refused.
pub const MAX_AHEAD: Span = Span::from_secs(15);
/// How far ahead `exp` may be.
pub(crate) const MAX_LIFETIME: Span = Span::from_secs(5 * 60);
/// Longest identifier of an assertion.
const MAX_JTI_BYTES: usize = 128;
/// RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What the TLS layer says of the caller's certificate. Never made from a header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerCertificate {
    /// The SHA-256 of its DER form: `x5t#S256`.
    pub thumbprint: Thumbprint,
    /// Whether it was found good against the trusted issuers, with its time, use and revocation.
    pub trusted: bool,
    /// The names in it.
    pub names: Vec<CertificateName>,
}

/// Everything a request shows of who sends it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Credentials<'a> {
    /// Its `Authorization` header, if there is one.
    pub authorization: Option<&'a str>,
    /// The certificate of its connection, if there is one.
    pub certificate: Option<&'a PeerCertificate>,
}

/// The client that sends the request, and the key or certificate that proves it; one that has RSA
/// keys shows one of `rsa` bits or more.
///
/// # Errors
/// `invalid_client` when it does not prove who it is, `invalid_request` when it shows two proofs.
pub fn authenticate<'c>(
    known: &'c State,
    (issuer, rsa): (&str, RsaBits),
    assertions: &mut Once,
    params: &Params,
    shown: Credentials<'_>,
    now: Time,
) -> Result<(&'c Client, Thumbprint), OAuthError> {
    if shown.authorization.is_some() || params.get("client_secret").is_some() {
        return Err(refused("clients prove themselves by private_key_jwt or mutual TLS"));
    }
    match (params.get("client_assertion"), params.get("client_assertion_type")) {
        (Some(text), Some(ASSERTION_TYPE)) => {
            let claimed = params.get("client_id");
            let (client, key) = by_assertion(known, (issuer, rsa), assertions, text, now)?;
            if claimed.is_some_and(|claimed| claimed != client.terms.id.as_str()) {
                return Err(refused("client_id is not the assertion's"));
            }
            Ok((client, key))
        }
        (None, None) => {
            let id = params.get("client_id").ok_or_else(|| refused("no client is named"))?;
            let certificate = shown.certificate.ok_or_else(|| refused("no proof is shown"))?;
            Ok((by_certificate(known, id, certificate)?, certificate.thumbprint))
        }
        (Some(_), Some(_)) => Err(refused("that type of client_assertion is not taken")),
        _ => Err(OAuthError::request("client_assertion and client_assertion_type go together")),
    }
}

fn by_assertion<'c>(
    known: &'c State,
    (issuer, rsa): (&str, RsaBits),
    assertions: &mut Once,
    text: &str,
    now: Time,
) -> Result<(&'c Client, Thumbprint), OAuthError> {
    let compact = Compact::parse(text).map_err(of_jose)?;
    let id = compact.unverified_subject().ok_or_else(|| refused("the assertion names nobody"))?;
    let client = find(known, &id)?;
    let verified = client.verify(known, &compact, Typ::ClientAssertion, rsa);
    let (claims, key) = verified.map_err(of_jose)?;
    if claims.text("iss") != Some(&id) || claims.text("sub") != Some(&id) {
        return Err(refused("the assertion's iss and sub are not the client"));
    }
    // A list, the token endpoint's address or any other form is what a hostile server would have a
    // client sign for us.
    if claims.text("aud") != Some(issuer) {
        return Err(refused("the assertion's aud is not the issuer, as one string"));
    }
    let (stamped, until) = times(&claims, now)?;
    let jti = claims.text("jti").filter(|jti| !jti.is_empty() && jti.len() <= MAX_JTI_BYTES);
    let jti = jti.ok_or_else(|| refused("the assertion needs a jti of 1 to 128 bytes"))?;
    match assertions.admit(&id, id.as_bytes(), jti, stamped, until, now) {
        Ok(()) => Ok((client, key)),
        Err(NotOnce::Seen) => Err(refused(
            "the assertion was used before, or may have been before the restart; make a new one",
        )),
        Err(NotOnce::Full) => {
            let text = "too many assertions at once; try again in minutes";
            Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, text))
        }
    }
}

/// When the assertion was made, at the latest, and until when it is good.
fn times(claims: &Object, now: Time) -> Result<(Time, Time), OAuthError> {
    let time = |name| claims.time(name).map_err(|_| refused("a time is not in whole seconds"));
    let until = time("exp")?.ok_or_else(|| refused("the assertion has no exp"))?;
    if until <= now {
        return Err(refused("the assertion is over"));
    }
    if until > now.plus(MAX_LIFETIME).plus(MAX_AHEAD) {
        return Err(refused("the assertion's exp is more than 5 minutes ahead"));
    }
    let (made, from) = (time("iat")?, time("nbf")?);
    if made.max(from).is_some_and(|latest| latest > now.plus(MAX_AHEAD)) {
        return Err(refused("the assertion is not good yet"));
    }
    Ok((made.or(from).unwrap_or(until.minus(MAX_LIFETIME)), until))
}

fn by_certificate<'c>(
    known: &'c State,
    id: &str,
    shown: &PeerCertificate,
) -> Result<&'c Client, OAuthError> {
    let client = find(known, id)?;
    let good = match &client.terms.method {
        Method::PrivateKeyJwt { .. } => false,
        Method::SelfSignedTls { certificates } => certificates.contains(&shown.thumbprint),
        Method::Tls { name } => shown.trusted && shown.names.contains(name),
    };
    let good = good && !known.is_key_revoked(&shown.thumbprint);
    if good { Ok(client) } else { Err(refused("the certificate is not the client's")) }
}

fn find<'c>(known: &'c State, id: &str) -> Result<&'c Client, OAuthError> {
    let id = ClientId::new(id).ok();
    id.and_then(|id| known.clients().get(&id))
        .ok_or_else(|| refused("the client is unknown or revoked"))
}

const fn refused(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, description)
}

fn of_jose(error: JoseError) -> OAuthError {
    refused(match error {
        JoseError::Malformed => "the assertion is not a compact JWT, or too long",
        JoseError::Algorithm => "the assertion is not signed by PS256, ES256 or EdDSA",
        JoseError::Critical => "the assertion names a critical extension",
        JoseError::Type => "the assertion's typ is another's",
        JoseError::Key | JoseError::NoKey => {
            "no single key of the client, in force and long enough, fits the assertion"
        }
        JoseError::Signature => "the assertion's signature does not fit",
    })
}

//! HTTP Message Signatures (RFC 9421) over requests, with the digest of the content (RFC 9530): a
//! request that a virtual key signed by itself.
//!
//! Taken are `hmac-sha256` and `ed25519`, one signature to a request, and of what may be covered the
//! derived components without parameters and whole header fields.

mod base;
mod fields;
mod receipt;

pub use base::Message;
pub use receipt::{Receipt, TAG};

use aws_lc_rs::digest;
use fields::{Bare, Member, dictionary};
use tidegate_types::limits::MAX_SIGNATURE_WINDOW;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Method, Presented, RawRequest, Signature};

use crate::constant_time::equal;

/// Most components that one signature covers.
const MAX_COMPONENTS: usize = 32;
/// Longest nonce.
const MAX_NONCE_BYTES: usize = 128;
/// Headers that a signature must cover where they are sent, because they change what is asked.
const WEIGHTY: &[&str] = &["content-digest", "idempotency-key"];

/// A signature as its headers tell it, before anything of it is believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    components: Vec<String>,
    /// Components and parameters as the signature covers them.
    params: String,
    created: Option<i64>,
    expires: Option<i64>,
    nonce: Option<String>,
    keyid: Option<String>,
    alg: Option<String>,
    signature: Vec<u8>,
}

impl Signed {
    /// Reads the signature of a request from its headers; none when it has no such headers.
    ///
    /// # Errors
    /// When they cannot be read, or hold several signatures.
    pub fn read(headers: &[(String, String)]) -> Result<Option<Signed>, Reject> {
        let (input, signature) = (one(headers, "signature-input")?, one(headers, "signature")?);
        let (input, signature) = match (input, signature) {
            (None, None) => return Ok(None),
            (Some(input), Some(signature)) => (input, signature),
            _ => return Err(malformed("Signature-Input and Signature come together")),
        };
        let inputs = dictionary(input).ok_or_else(|| malformed("Signature-Input"))?;
        let signatures = dictionary(signature).ok_or_else(|| malformed("Signature"))?;
        let ([(label, Member::List(list))], [(of, Member::Item(Bare::Bytes(bytes)))]) =
            (inputs.as_slice(), signatures.as_slice())
        else {
            return Err(malformed("there must be one signature"));
        };
        if label != of {
            return Err(malformed("Signature-Input and Signature are of different signatures"));
        }
        let components = list.texts().ok_or_else(|| malformed("a component"))?;
        let doubled = components
            .iter()
            .enumerate()
            .any(|(at, name)| components.iter().take(at).any(|before| before == name));
        if doubled || components.len() > MAX_COMPONENTS {
            return Err(malformed("components are covered once each, and not too many"));
        }
        let text = |name: &str| match list.param(name) {
            None => Ok(None),
            Some(Bare::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(malformed("a parameter of the signature")),
        };
        let number = |name: &str| match list.param(name) {
            None => Ok(None),
            Some(Bare::Integer(number)) => Ok(Some(*number)),
            Some(_) => Err(malformed("a parameter of the signature")),
        };
        Ok(Some(Signed {
            params: list.to_string(),
            created: number("created")?,
            expires: number("expires")?,
            nonce: text("nonce")?,
            keyid: text("keyid")?,
            alg: text("alg")?,
            signature: bytes.clone(),
            components,
        }))
    }

    /// The key it is said to be made with.
    pub fn keyid(&self) -> Option<&str> {
        self.keyid.as_deref()
    }

    /// The algorithm it names, if it names one.
    pub fn alg(&self) -> Option<&str> {
        self.alg.as_deref()
    }

    /// Whether it covers this component.
    pub fn covers(&self, name: &str) -> bool {
        self.components.iter().any(|component| component == name)
    }

    /// The bytes that are signed, of this message.
    ///
    /// # Errors
    /// When it covers what the message has not, or what is not known here.
    pub fn base(&self, message: &Message<'_>) -> Result<Vec<u8>, Reject> {
        base::base(&self.components, &self.params, message).map_err(|name| {
            Reject::new(Code::BadSignature, format!("it covers {name:?}, which is not there"))
        })
    }
}

/// What a signed request shows for its key: none when it bears no signature. It must cover method,
/// address, digest of the content and idempotency key, and say who, when and once.
///
/// # Errors
/// When the signature cannot be read, covers too little, or the content is not what it says.
pub fn presented(request: &RawRequest) -> Result<Option<Shown>, Reject> {
    let Some(signed) = Signed::read(&request.headers)? else { return Ok(None) };
    covers_enough(&signed, request)?;
    check_content(request)?;
    let lacks = |what: &str| Reject::new(Code::BadSignature, format!("it has no {what}"));
    let created = signed.created.ok_or_else(|| lacks("created"))?;
    let created = u64::try_from(created).map_err(|_| malformed("created"))?;
    let window_ms = match signed.expires {
        None => MAX_SIGNATURE_WINDOW.millis(),
        Some(until) => u64::try_from(until)
            .ok()
            .and_then(|until| until.checked_sub(created)?.checked_mul(1000))
            .ok_or_else(|| malformed("expires"))?,
    };
    let nonce = signed.nonce.clone().ok_or_else(|| lacks("nonce"))?;
    if nonce.is_empty() || nonce.len() > MAX_NONCE_BYTES {
        return Err(malformed("the nonce is empty or too long"));
    }
    let key = signed.keyid.clone().ok_or_else(|| lacks("keyid"))?;
    let host = request.header("host").unwrap_or_default();
    // Which of both the caller's address began with is not seen behind a proxy that ends TLS.
    let schemes = ["https", "http"].iter();
    let payloads = schemes
        .map(|scheme| signed.base(&Message::of(request, scheme, host)))
        .collect::<Result<_, _>>()?;
    let signature = Signature {
        key,
        payloads,
        candidates: vec![signed.signature],
        timestamp_ms: created.checked_mul(1000).ok_or_else(|| malformed("created"))?,
        window_ms,
        nonce: nonce.into_bytes(),
        once: request.method != Method::Get,
    };
    Ok(Some(Shown { presented: Presented::Signature(signature), alg: signed.alg }))
}

/// What a signed request shows.
#[derive(Debug)]
pub struct Shown {
    /// The signature, for `authenticate`.
    pub presented: Presented,
    /// The algorithm it names: it must be the key's own.
    pub alg: Option<String>,
}

fn covers_enough(signed: &Signed, request: &RawRequest) -> Result<(), Reject> {
    let address = signed.covers("@target-uri")
        || (signed.covers("@authority") && signed.covers("@path") && signed.covers("@query"));
    let sent = |name: &str| request.headers.iter().any(|(n, _)| n == name);
    let bare = WEIGHTY.iter().find(|name| sent(name) && !signed.covers(name));
    let lacking = match (signed.covers("@method"), address, bare) {
        (false, ..) => "@method",
        (_, false, _) => "@target-uri, or @authority, @path and @query",
        (_, _, Some(name)) => name,
        _ if !request.body.is_empty() && !signed.covers("content-digest") => "content-digest",
        _ => return Ok(()),
    };
    Err(Reject::new(Code::BadSignature, format!("it must cover {lacking}")))
}

/// Whether the content is what `Content-Digest` says, where that is sent.
///
/// # Errors
/// When it is not, or the header cannot be read.
pub fn check_content(request: &RawRequest) -> Result<(), Reject> {
    let Some(told) = one(&request.headers, "content-digest")? else { return Ok(()) };
    let told = dictionary(told).ok_or_else(|| malformed("Content-Digest"))?;
    let mut known = 0;
    for (name, member) in &told {
        let algorithm = match name.as_str() {
            "sha-256" => &digest::SHA256,
            "sha-512" => &digest::SHA512,
            _ => continue,
        };
        known += 1;
        let made = digest::digest(algorithm, &request.body);
        let Member::Item(Bare::Bytes(bytes)) = member else {
            return Err(malformed("Content-Digest"));
        };
        if !equal(made.as_ref(), bytes) {
            return Err(Reject::new(Code::BadSignature, "the content is not of its digest"));
        }
    }
    if known == 0 {
        return Err(Reject::new(Code::BadSignature, "digests are sha-256 and sha-512"));
    }
    Ok(())
}

/// The value of a header that may be there once.
fn one<'a>(headers: &'a [(String, String)], name: &str) -> Result<Option<&'a str>, Reject> {
    let mut found = headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str());
    match (found.next(), found.next()) {
        (value, None) => Ok(value),
        _ => Err(malformed(&format!("{name} is there twice"))),
    }
}

fn malformed(what: &str) -> Reject {
    Reject::new(Code::BadSignature, format!("it cannot be read: {what}"))
}

#[cfg(test)]
mod tests;

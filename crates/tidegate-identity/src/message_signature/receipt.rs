//! Signatures over answers (RFC 9421 §2.4, §5): what was answered to which request, by whom, for good.

use super::base::{self, Message};
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tidegate_types::request::RawRequest;
use tidegate_types::time::Time;

/// What receipts are tagged with, so that they are signatures of nothing else (FAPI 2.0 HTTP Signatures).
pub const TAG: &str = "fapi-2-response";
/// The header by which a receipt is asked for.
const ASKS: &str = "accept-signature";
/// Longest name of a signature.
const MAX_LABEL: usize = 64;
/// What is covered of the headers of a request that a key signed, as far as it has them: what it was proven by.
const SIGNED: &[&str] = &["content-digest", "idempotency-key", "signature-input", "signature"];
/// The same for a request with a token. A signature beside that is looked at by nobody, and covered by nothing.
const WITH_TOKEN: &[&str] = &["content-digest", "idempotency-key", "authorization", "dpop"];

/// A receipt that is to be signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    label: String,
    params: String,
    content_digest: String,
    base: Vec<u8>,
}

impl Receipt {
    /// The receipt for an answer, if the request asks for one: `key` is to sign it, an Ed25519 key by this name.
    /// The request is good: it came to `issuer`, our address, by a caller who proved it, and its content is of its
    /// digest. None for content without a digest, which no receipt could tell.
    pub fn asked(
        request: &RawRequest,
        issuer: &str,
        by_token: bool,
        (status, content): (u16, &[u8]),
        key: &str,
        now: Time,
    ) -> Option<Receipt> {
        let label = label(request.header(ASKS)?)?;
        if !request.body.is_empty() && request.header("content-digest").is_none() {
            return None;
        }
        let digest = STANDARD.encode(digest::digest(&digest::SHA256, content));
        let content_digest = format!("sha-256=:{digest}:");
        let sent = |name: &&&str| request.headers.iter().any(|(known, _)| known == **name);
        let proofs = if by_token { WITH_TOKEN } else { SIGNED };
        let of_request = ["@method", "@target-uri"].iter().chain(proofs.iter().filter(sent));
        let of_request: Vec<String> = of_request.map(|name| (*name).to_owned()).collect();
        // What `Host` says is the sender's word.
        let host = issuer.strip_prefix("https://")?;
        let lines = base::lines(&of_request, ";req", &Message::of(request, "https", host)).ok()?;
        let names: Vec<String> = of_request.iter().map(|name| format!("\"{name}\";req")).collect();
        let created = now.millis() / 1000;
        let params = format!(
            "(\"@status\" \"content-digest\" {});created={created};keyid=\"{key}\";alg=\"ed25519\";tag=\"{TAG}\"",
            names.join(" ")
        );
        let base = format!(
            "\"@status\": {status}\n\"content-digest\": {content_digest}\n{lines}\"@signature-params\": {params}"
        );
        Some(Receipt { label, params, content_digest, base: base.into_bytes() })
    }

    /// The bytes to sign.
    pub fn base(&self) -> &[u8] {
        &self.base
    }

    /// The headers of the answer, with the signature.
    pub fn headers(self, signature: &[u8]) -> [(String, String); 3] {
        let Receipt { label, params, content_digest, .. } = self;
        let signature = STANDARD.encode(signature);
        [
            ("content-digest".to_owned(), content_digest),
            ("signature-input".to_owned(), format!("{label}={params}")),
            ("signature".to_owned(), format!("{label}=:{signature}:")),
        ]
    }
}

/// The name that the asker gives the signature. What it wishes to have covered is not looked at: a receipt covers
/// the same always.
fn label(asks: &str) -> Option<String> {
    let (label, list) = asks.trim().split_once('=')?;
    let first = label.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'*');
    let legal = |b: u8| {
        b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.' | b'*')
    };
    let good = first && label.bytes().all(legal) && label.len() <= MAX_LABEL;
    (good && list.starts_with('(')).then(|| label.to_owned())
}

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
/// What is covered of the request: its method and address, and of these headers what it has. They are what
/// the request was proven by.
const OF_REQUEST: &[&str] =
    &["content-digest", "idempotency-key", "signature-input", "signature", "authorization", "dpop"];

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
    pub fn asked(
        request: &RawRequest,
        status: u16,
        content: &[u8],
        key: &str,
        now: Time,
    ) -> Option<Receipt> {
        let label = label(request.header(ASKS)?)?;
        let digest = STANDARD.encode(digest::digest(&digest::SHA256, content));
        let content_digest = format!("sha-256=:{digest}:");
        let sent = |name: &&&str| request.headers.iter().any(|(known, _)| known == **name);
        let of_request = ["@method", "@target-uri"].iter().chain(OF_REQUEST.iter().filter(sent));
        let of_request: Vec<String> = of_request.map(|name| (*name).to_owned()).collect();
        let host = request.header("host").unwrap_or_default();
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

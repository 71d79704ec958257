//! Reading a venue key from the text that a person has: a file or standard input.

use crate::error::VaultError;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use tidegate_types::secret::Secret;

/// The secret part of a venue key.
#[derive(Debug)]
pub enum Material {
    /// A shared secret, as text.
    Hmac(Secret),
    /// An Ed25519 seed of 32 bytes.
    Ed25519(Secret),
}

/// A venue key as it was given.
#[derive(Debug)]
pub struct GivenKey {
    /// Its public id.
    pub id: String,
    /// Its secret.
    pub material: Material,
}

/// What a PKCS#8 Ed25519 key without attributes begins with (RFC 8410); the seed follows.
const PKCS8_ED25519: &[u8] = &[
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Reads a key: as JSON, `{"key": …, "secret": …}` or `{"key": …, "private_key": PEM}`, or its id on
/// the first line and the secret or PEM below. The PEM is an Ed25519 private key (PKCS#8). Spaces
/// around a part do not count.
///
/// # Errors
/// When a part is missing or the PEM is something else. The error repeats nothing of the text.
pub fn parse(text: &Secret) -> Result<GivenKey, VaultError> {
    let text = std::str::from_utf8(text.expose())
        .map_err(|_| VaultError::NotAKey("it is not text"))?
        .trim();
    if text.starts_with('{') {
        return parse_json(text);
    }
    let (id, rest) = text
        .split_once('\n')
        .ok_or(VaultError::NotAKey("expected the key's id on one line and the secret below it"))?;
    given(id, rest)
}

fn parse_json(text: &str) -> Result<GivenKey, VaultError> {
    let wrong = || {
        VaultError::NotAKey(
            "expected {\"key\": …, \"secret\": …} or {\"key\": …, \"private_key\": PEM}",
        )
    };
    let fields: BTreeMap<String, String> = serde_json::from_str(text).map_err(|_| wrong())?;
    let fields: BTreeMap<String, Secret> =
        fields.into_iter().map(|(name, value)| (name, Secret::new(value.into_bytes()))).collect();
    let (Some(id), 2) = (fields.get("key"), fields.len()) else { return Err(wrong()) };
    let id = std::str::from_utf8(id.expose()).map_err(|_| wrong())?;
    let (secret, pem) = (fields.get("secret"), fields.get("private_key"));
    let part = secret.or(pem).ok_or_else(wrong)?;
    let part = std::str::from_utf8(part.expose()).map_err(|_| wrong())?;
    if part.trim().starts_with("-----BEGIN") == secret.is_some() {
        return Err(wrong());
    }
    given(id, part)
}

fn given(id: &str, rest: &str) -> Result<GivenKey, VaultError> {
    let (id, rest) = (id.trim(), rest.trim());
    if id.is_empty() || id.len() > 128 || !id.chars().all(|c| c.is_ascii_graphic()) {
        return Err(VaultError::NotAKey("the first line is not a key id"));
    }
    let material = if rest.starts_with("-----BEGIN") {
        Material::Ed25519(seed_of_pem(rest)?)
    } else if rest.is_empty() || !rest.chars().all(|c| c.is_ascii_graphic()) {
        return Err(VaultError::NotAKey("the secret is not one line of printable characters"));
    } else {
        Material::Hmac(Secret::new(rest.as_bytes().to_vec()))
    };
    Ok(GivenKey { id: id.to_owned(), material })
}

fn seed_of_pem(pem: &str) -> Result<Secret, VaultError> {
    let wrong = || VaultError::NotAKey("the PEM is not an Ed25519 private key (PKCS#8)");
    let body = pem
        .strip_prefix("-----BEGIN PRIVATE KEY-----")
        .and_then(|rest| rest.trim_end().strip_suffix("-----END PRIVATE KEY-----"))
        .ok_or_else(wrong)?;
    let mut packed = Vec::with_capacity(body.len());
    packed.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let packed = Secret::new(packed);
    let der = Secret::new(STANDARD.decode(packed.expose()).map_err(|_| wrong())?);
    let seed = der.expose().strip_prefix(PKCS8_ED25519).ok_or_else(wrong)?;
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| wrong())?;
    Ok(Secret::new(seed.to_vec()))
}

#[cfg(test)]
mod tests;

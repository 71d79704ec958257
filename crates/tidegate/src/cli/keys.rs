//! Keys that people bring along, and the list of those there are.

use super::args::Common;
use super::manage::PATIENCE;
use super::output::{Failure, print};
use super::reach::ask;
use super::status::{now_ms, span};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use tidegate_server::admin::protocol::{KeyStatus, Request};

/// The public key in a PEM file, a `SubjectPublicKeyInfo` in DER, in hex.
pub fn public_key_hex(path: &Path) -> Result<String, Failure> {
    let der = SubjectPublicKeyInfoDer::from_pem_file(path).map_err(|e| {
        let hint = "give the public key as `openssl pkey -in KEY -pubout` writes it";
        Failure::new("bad-key", format!("{}: {e}", path.display()), hint)
    })?;
    Ok(hex(&der))
}

/// SHA-256 of the first certificate in a PEM file, in its DER form, in hex.
pub fn certificate_digest(path: &Path) -> Result<String, Failure> {
    let der = CertificateDer::from_pem_file(path).map_err(|e| {
        let hint = "give the certificate that the client shows, in PEM";
        Failure::new("bad-certificate", format!("{}: {e}", path.display()), hint)
    })?;
    Ok(hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der).as_ref()))
}

/// `tidegate caller keys`
pub fn list(common: &Common) -> Result<(), Failure> {
    let told = ask(common, &Request::Keys {}, PATIENCE)?;
    let keys = told.get("keys").cloned().unwrap_or(Value::Array(Vec::new()));
    let keys: Vec<KeyStatus> = serde_json::from_value(keys).map_err(|e| {
        Failure::new("protocol", format!("the answer cannot be read: {e}"), "use one version")
    })?;
    print(common.json, &told, table(&keys, now_ms()).trim_end());
    Ok(())
}

fn table(keys: &[KeyStatus], now: u64) -> String {
    if keys.is_empty() {
        return "there is no virtual key; `tidegate caller key CALLER --account ACCOUNT` makes one"
            .into();
    }
    let mut out = String::new();
    for key in keys {
        let used = match key.last_used_ms {
            Some(at) => format!("used {} ago", span(now.saturating_sub(at) / 1000)),
            None => "never used".to_owned(),
        };
        let seat = format!("{} on {} at {}", key.caller, key.account, key.venue);
        let _ = writeln!(out, "{}  {seat}, {}, {used}", key.id, key.scheme);
        let mut bounds = Vec::new();
        if !key.terms.from.is_empty() {
            bounds.push(format!("from {}", key.terms.from.join(", ")));
        }
        if let Some(digest) = &key.terms.certificate {
            bounds.push(format!("with certificate {}…", digest.get(..16).unwrap_or(digest)));
        }
        match key.terms.until_ms {
            Some(_) if key.ended => bounds.push("ENDED".to_owned()),
            Some(at) => bounds.push(format!("ends in {}", span(at.saturating_sub(now) / 1000))),
            None => {}
        }
        if !bounds.is_empty() {
            let _ = writeln!(out, "    {}", bounds.join("; "));
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

//! As much of Deribit's API as the bots use.

use super::{Desk, Trouble};
use crate::http::Client;
use aws_lc_rs::hmac;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// The API with a key.
pub(super) struct Api {
    client: Client,
    key: String,
    signer: hmac::Key,
    count: u64,
}

impl Api {
    pub(super) fn new(client: Client, desk: &Desk) -> Api {
        let signer = hmac::Key::new(hmac::HMAC_SHA256, desk.secret.as_bytes());
        Api { client, key: desk.key.clone(), signer, count: 0 }
    }

    /// Calls a public method.
    pub(super) async fn public(&mut self, call: &str) -> Result<Value, Trouble> {
        let target = format!("/api/v2/public/{call}");
        let (status, body) = self.client.send("GET", &target, &[], String::new()).await?;
        read(status, &body)
    }

    /// Calls a private method, `buy?instrument_name=…`, signed.
    pub(super) async fn private(&mut self, call: &str) -> Result<Value, Trouble> {
        let target = format!("/api/v2/private/{call}");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
        self.count += 1;
        let nonce = format!("{now}-{}", self.count);
        let text = format!("{now}\n{nonce}\nGET\n{target}\n\n");
        let mut signature = String::new();
        for byte in hmac::sign(&self.signer, text.as_bytes()).as_ref() {
            let _ = write!(signature, "{byte:02x}");
        }
        let authorization =
            format!("deri-hmac-sha256 id={},ts={now},sig={signature},nonce={nonce}", self.key);
        let headers = [("authorization", authorization)];
        let (status, body) = self.client.send("GET", &target, &headers, String::new()).await?;
        read(status, &body)
    }
}

fn read(status: u16, body: &str) -> Result<Value, Trouble> {
    let mut value: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    if let Some(error) = value.get("error") {
        let code = error.get("code").and_then(Value::as_i64).unwrap_or(i64::from(status));
        let message = error.get("message").and_then(Value::as_str).unwrap_or(body);
        return Err(Trouble::Refused(code, message.to_owned()));
    }
    Ok(value.get_mut("result").map(Value::take).unwrap_or(Value::Null))
}

/// A number of an answer, by its path of field names.
pub(super) fn number(value: &Value, path: &[&str]) -> f64 {
    let found = path.iter().try_fold(value, |value, name| value.get(name));
    found.and_then(Value::as_f64).unwrap_or(0.0)
}

//! As much of Binance's USDⓈ-M API as the bots use.

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
}

impl Api {
    pub(super) fn new(client: Client, desk: &Desk) -> Api {
        let signer = hmac::Key::new(hmac::HMAC_SHA256, desk.secret.as_bytes());
        Api { client, key: desk.key.clone(), signer }
    }

    /// Best bid and ask.
    pub(super) async fn top(&mut self, symbol: &str) -> Result<(f64, f64), Trouble> {
        let target = format!("/fapi/v1/ticker/bookTicker?symbol={symbol}");
        let (status, body) = self.client.send("GET", &target, &[], String::new()).await?;
        let value = read(status, &body)?;
        Ok((number(&value, "bidPrice"), number(&value, "askPrice")))
    }

    /// The position in an instrument, signed.
    pub(super) async fn position(&mut self, symbol: &str) -> Result<f64, Trouble> {
        let rows = self.signed("GET", "/fapi/v3/positionRisk", &format!("symbol={symbol}")).await?;
        let amounts = rows.as_array().into_iter().flatten().map(|row| number(row, "positionAmt"));
        Ok(amounts.sum())
    }

    /// Places an order, given as the venue's own parameters.
    pub(super) async fn order(&mut self, params: &str) -> Result<Value, Trouble> {
        self.signed("POST", "/fapi/v1/order", params).await
    }

    /// Cancels every order of ours in an instrument.
    pub(super) async fn cancel_all(&mut self, symbol: &str) -> Result<Value, Trouble> {
        self.signed("DELETE", "/fapi/v1/allOpenOrders", &format!("symbol={symbol}")).await
    }

    async fn signed(&mut self, method: &str, path: &str, params: &str) -> Result<Value, Trouble> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
        let mut query = format!("{params}&recvWindow=5000&timestamp={now}");
        let tag = hmac::sign(&self.signer, query.as_bytes());
        query.push_str("&signature=");
        for byte in tag.as_ref() {
            let _ = write!(query, "{byte:02x}");
        }
        let headers = [("x-mbx-apikey", self.key.clone())];
        let target = format!("{path}?{query}");
        let (status, body) = self.client.send(method, &target, &headers, String::new()).await?;
        read(status, &body)
    }
}

fn read(status: u16, body: &str) -> Result<Value, Trouble> {
    let value: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    if status == 200 {
        return Ok(value);
    }
    let code = value.get("code").and_then(Value::as_i64).unwrap_or(i64::from(status));
    let message = value.get("msg").and_then(Value::as_str).unwrap_or(body);
    Err(Trouble::Refused(code, message.to_owned()))
}

fn number(value: &Value, name: &str) -> f64 {
    value.get(name).and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

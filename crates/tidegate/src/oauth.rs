//! An app as the gateway's authorization server knows it, from the app's side: it proves who it is by one key, and
//! that its tokens are its own by another.

use crate::cli::status::now_ms;
use crate::http::Client;
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::http::response::Parts;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::io;
use tidegate_identity::oauth::dpop::ath;
use tidegate_identity::oauth::jose::SigningKey;
use tidegate_identity::oauth::jose::jws::Typ;

/// How long an assertion is good, in seconds.
const ASSERTION: u64 = 60;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// What is said to a proof without the nonce that comes with the answer (RFC 9449 §8, §9).
const NONCE: &str = "use_dpop_nonce";

/// The keys of an app.
pub struct Keys {
    /// What it proves itself by.
    pub own: SigningKey,
    /// What its tokens are bound to.
    pub bound: SigningKey,
}

/// An app at a gateway.
pub struct App {
    name: String,
    issuer: String,
    keys: Keys,
    client: Client,
    /// The nonce of the last answer.
    nonce: Option<String>,
}

/// An access token, bound to its app's key.
pub struct Token {
    text: String,
    digest: String,
}

impl Token {
    /// The token that a token endpoint gave as `text`.
    pub fn new(text: &str) -> Token {
        Token { text: text.to_owned(), digest: ath(text) }
    }
}

impl App {
    /// The app `name` at the gateway that is `issuer`, where `client` leads to.
    pub fn new(name: &str, issuer: &str, keys: Keys, client: Client) -> App {
        App { name: name.to_owned(), issuer: issuer.to_owned(), keys, client, nonce: None }
    }

    /// Asks an endpoint of the authorization server: the status, and what it says.
    ///
    /// # Errors
    /// When there is no answer in JSON; it may have been taken.
    pub async fn ask(&mut self, path: &str, fields: &[(&str, &str)]) -> io::Result<(u16, Value)> {
        let answer = self.ask_once(path, fields).await?;
        match answer.1.get("error").and_then(Value::as_str) {
            // Nothing was done yet.
            Some(NONCE) => self.ask_once(path, fields).await,
            _ => Ok(answer),
        }
    }

    /// What is published at a path.
    ///
    /// # Errors
    /// When there is no answer in JSON.
    pub async fn published(&mut self, path: &str) -> io::Result<Value> {
        let (_, body) = self.exchange("GET", path, &[], String::new()).await?;
        Ok(serde_json::from_str(&body)?)
    }

    /// Sends a request with a token; `target` is path and query.
    ///
    /// # Errors
    /// When there is no answer; it may have been taken.
    pub async fn send(
        &mut self,
        token: &Token,
        (method, target): (&str, &str),
        headers: &[(&str, String)],
        body: &str,
    ) -> io::Result<(Parts, String)> {
        let answer = self.send_once(token, (method, target), headers, body).await?;
        let wants_nonce = answer.0.status == 401
            && challenges(&answer.0).any(|challenge| challenge.contains(NONCE));
        match wants_nonce {
            // Nothing was done yet.
            true => self.send_once(token, (method, target), headers, body).await,
            false => Ok(answer),
        }
    }

    /// A proof for one request (RFC 9449 §4.2) to `uri`, without its query.
    ///
    /// # Errors
    /// When the key does not sign, or there is no chance to be had.
    pub fn proof(&self, method: &str, uri: &str, token: Option<&Token>) -> io::Result<String> {
        let mut claims =
            json!({ "jti": unique()?, "htm": method, "htu": uri, "iat": now_ms() / 1000 });
        if let Some(claims) = claims.as_object_mut() {
            let known = [
                ("nonce", self.nonce.as_deref()),
                ("ath", token.map(|token| token.digest.as_str())),
            ];
            let known = known.into_iter().filter_map(|(name, value)| Some((name, value?)));
            claims.extend(known.map(|(name, value)| (name.to_owned(), value.into())));
        }
        self.keys.bound.prove(&claims).map_err(io::Error::other)
    }

    /// The two headers of a request with a token.
    ///
    /// # Errors
    /// As for a proof.
    pub fn headers(
        &self,
        token: &Token,
        method: &str,
        uri: &str,
    ) -> io::Result<[(&'static str, String); 2]> {
        let proof = self.proof(method, uri, Some(token))?;
        Ok([("authorization", format!("DPoP {}", token.text)), ("dpop", proof)])
    }

    async fn send_once(
        &mut self,
        token: &Token,
        (method, target): (&str, &str),
        headers: &[(&str, String)],
        body: &str,
    ) -> io::Result<(Parts, String)> {
        let path = target.split('?').next().unwrap_or_default();
        let shown = self.headers(token, method, &format!("{}{path}", self.issuer))?;
        let headers = [&shown[..], headers].concat();
        self.exchange(method, target, &headers, body.to_owned()).await
    }

    async fn ask_once(&mut self, path: &str, fields: &[(&str, &str)]) -> io::Result<(u16, Value)> {
        let assertion = self.assertion()?;
        let own =
            [("client_assertion", assertion.as_str()), ("client_assertion_type", ASSERTION_TYPE)];
        let headers = [
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("dpop", self.proof("POST", &format!("{}{path}", self.issuer), None)?),
        ];
        let (head, body) =
            self.exchange("POST", path, &headers, form(&[fields, &own].concat())).await?;
        let said = if body.is_empty() { Value::Null } else { serde_json::from_str(&body)? };
        Ok((head.status.as_u16(), said))
    }

    /// The nonce that comes with an answer is the next one.
    async fn exchange(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, String)],
        body: String,
    ) -> io::Result<(Parts, String)> {
        let (head, body) = self.client.exchange(method, target, headers, body).await?;
        if let Some(nonce) = head.headers.get("dpop-nonce").and_then(|nonce| nonce.to_str().ok()) {
            self.nonce = Some(nonce.to_owned());
        }
        Ok((head, body))
    }

    /// Who asks (RFC 7523).
    fn assertion(&self) -> io::Result<String> {
        let now = now_ms() / 1000;
        let claims = json!({
            "iss": self.name, "sub": self.name, "aud": self.issuer, "jti": unique()?, "iat": now,
            "exp": now + ASSERTION,
        });
        self.keys.own.sign(Typ::ClientAssertion, &claims).map_err(io::Error::other)
    }
}

/// What an answer asks for (RFC 9110 §11.6.1).
pub fn challenges(head: &Parts) -> impl Iterator<Item = &str> {
    head.headers.get_all("www-authenticate").iter().filter_map(|value| value.to_str().ok())
}

fn form(fields: &[(&str, &str)]) -> String {
    let escaped = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// An identifier that is never the same again.
fn unique() -> io::Result<String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| io::Error::other("there is no chance to be had"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

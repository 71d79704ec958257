//! An app with a token, as the benchmark's callers hold it.

use super::stage::{self, Gateway, failed, word};
use crate::cli::output::Failure;
use crate::http::Client;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use tidegate_identity::oauth::dpop::ath;
use tidegate_identity::oauth::jose::SigningKey;
use tidegate_identity::oauth::jose::jws::Typ;
use tidegate_server::admin::protocol::{AppSpec, Request};
use tidegate_types::secret::Secret;

const TOKEN: &str = "/oauth/token";
const LIMITS: &str = "/v1/limits";

/// A token and the key that it is bound to.
pub struct App {
    key: SigningKey,
    token: String,
    digest: String,
    nonce: String,
}

impl App {
    /// Registers an app on the gateway's account and gets a token for it, bound to `key`.
    pub async fn register(gateway: &Gateway, name: &str, key: SigningKey) -> Result<App, Failure> {
        stage::granted(&gateway.dir, name)?;
        let own = SigningKey::from_seed(&Secret::new(vec![7; 32])).map_err(text)?;
        let spec = AppSpec {
            app: name.to_owned(),
            title: "The benchmark".to_owned(),
            jwks: Some(json!({ "keys": [own.public().to_json()] })),
            certificates: Vec::new(),
            grants: vec!["client_credentials".to_owned()],
            redirect_uris: Vec::new(),
            details: None,
            delegate: None,
            introspects: false,
        };
        stage::administer(&gateway.dir, &Request::AppSet(spec))?;
        let mut client = Client::new(&gateway.url, Some(&gateway.ca)).map_err(text)?;
        let mut app =
            App { key, token: String::new(), digest: String::new(), nonce: String::new() };
        // The first answer is the nonce, the second the token.
        app.ask(&mut client, &own, name, gateway).await?;
        let said = app.ask(&mut client, &own, name, gateway).await?;
        let said: Value = serde_json::from_str(&said).map_err(text)?;
        app.token =
            word(&said, "/access_token").map_err(|_| failed(&format!("no token: {said}")))?;
        app.digest = ath(&app.token);
        // The resources give nonces of their own.
        let proof = app.key.prove(&app.claims("GET", &format!("{}{LIMITS}", gateway.url), name));
        let headers =
            [("authorization", format!("DPoP {}", app.token)), ("dpop", proof.map_err(text)?)];
        app.sent(&mut client, ("GET", LIMITS), &headers, String::new()).await?;
        Ok(app)
    }

    async fn ask(
        &mut self,
        client: &mut Client,
        own: &SigningKey,
        name: &str,
        gateway: &Gateway,
    ) -> Result<String, Failure> {
        let jti = format!("{name} {}", self.nonce);
        let proof = self.key.prove(&self.claims("POST", &format!("{}{TOKEN}", gateway.url), &jti));
        let headers = [
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("dpop", proof.map_err(text)?),
        ];
        self.sent(client, ("POST", TOKEN), &headers, form(own, name, &gateway.url, &jti)?).await
    }

    /// What is answered; the nonce that came with it is the next one.
    async fn sent(
        &mut self,
        client: &mut Client,
        (method, path): (&str, &str),
        headers: &[(&str, String)],
        body: String,
    ) -> Result<String, Failure> {
        let (head, body) = client.exchange(method, path, headers, body).await.map_err(text)?;
        if let Some(nonce) = head.headers.get("dpop-nonce").and_then(|n| n.to_str().ok()) {
            nonce.clone_into(&mut self.nonce);
        }
        Ok(body)
    }

    fn claims(&self, method: &str, uri: &str, jti: &str) -> Value {
        let mut claims = json!({ "jti": jti, "htm": method, "htu": uri, "iat": now_ms() / 1000 });
        if let Some(claims) = claims.as_object_mut() {
            let known = [("nonce", &self.nonce), ("ath", &self.digest)];
            let known = known.into_iter().filter(|(_, value)| !value.is_empty());
            claims.extend(known.map(|(name, value)| (name.to_owned(), value.as_str().into())));
        }
        claims
    }

    /// The two headers of a request with a proof of its own.
    pub fn headers(&self, method: &str, uri: &str, number: usize) -> Result<String, Failure> {
        let claims = self.claims(method, uri, &format!("{number:032}"));
        let proof = self.key.prove(&claims).map_err(text)?;
        Ok(format!("authorization: DPoP {}\r\ndpop: {proof}\r\n", self.token))
    }
}

/// The question for a token.
fn form(own: &SigningKey, name: &str, issuer: &str, jti: &str) -> Result<String, Failure> {
    let now = now_ms() / 1000;
    let claims = json!({
        "iss": name, "sub": name, "aud": issuer, "jti": jti, "iat": now, "exp": now + 60,
    });
    let assertion = own.sign(Typ::ClientAssertion, &claims).map_err(text)?;
    Ok(format!(
        "grant_type=client_credentials&client_assertion={assertion}&client_assertion_type=\
         urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    ))
}

/// Now, in ms since 1970.
pub fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

fn text(error: impl std::fmt::Display) -> Failure {
    failed(&error.to_string())
}

//! Apps with tokens, as the benchmark's callers hold them.

use super::stage::{self, Gateway, failed, word};
use crate::cli::output::Failure;
use crate::http::{Client, trust_as};
use crate::oauth::{self, Keys, Token};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use std::sync::Arc;
use tidegate_identity::oauth::jose::{SigningKey, Thumbprint};
use tidegate_identity::oauth::metadata::path;
use tidegate_server::admin::protocol::{AppSpec, Request};
use tidegate_types::secret::Secret;

const LIMITS: &str = "/v1/limits";

/// An app and its token.
pub struct App {
    app: oauth::App,
    token: Token,
}

impl App {
    /// Registers an app on the gateway's account and gets a token for it, bound to `key`.
    pub async fn register(gateway: &Gateway, name: &str, key: SigningKey) -> Result<App, Failure> {
        stage::granted(&gateway.dir, name)?;
        let own = SigningKey::from_seed(&Secret::new(vec![7; 32])).map_err(text)?;
        let jwks = json!({ "keys": [own.public().to_json()] });
        let spec = AppSpec { jwks: Some(jwks), ..spec(name) };
        stage::administer(&gateway.dir, &Request::AppSet(spec))?;
        let client = Client::new(&gateway.url, Some(&gateway.ca)).map_err(text)?;
        let mut app = oauth::App::new(name, &gateway.url, Keys { own, bound: key }, client);
        let fields = [("grant_type", "client_credentials")];
        let (_, said) = app.ask(path::TOKEN, &fields).await.map_err(text)?;
        let token =
            word(&said, "/access_token").map_err(|_| failed(&format!("no token: {said}")))?;
        let token = Token::new(&token);
        // The resources give nonces of their own.
        app.send(&token, ("GET", LIMITS), &[], "").await.map_err(text)?;
        Ok(App { app, token })
    }

    /// The two headers of a request with a proof of its own.
    pub fn headers(&self, method: &str, uri: &str) -> Result<String, Failure> {
        let headers = self.app.headers(&self.token, method, uri).map_err(text)?;
        Ok(headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect())
    }
}

/// A token that is bound to a TLS client certificate (RFC 8705).
pub struct Certified {
    token: String,
    /// Shows the certificate.
    pub tls: Arc<rustls::ClientConfig>,
}

impl Certified {
    /// Registers an app by a certificate of its own and gets a token for it.
    pub async fn register(gateway: &Gateway, name: &str) -> Result<Certified, Failure> {
        stage::granted(&gateway.dir, name)?;
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).map_err(text)?;
        let certificate = made.cert.der().clone();
        let digest = Thumbprint::of(&certificate).0;
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let spec = AppSpec { certificates: vec![digest], ..spec(name) };
        stage::administer(&gateway.dir, &Request::AppSet(spec))?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let tls = Arc::new(trust_as(Some(&gateway.ca), certificate, key).map_err(text)?);
        let mut client = Client::with(&gateway.url, Arc::clone(&tls)).map_err(text)?;
        let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
        let form = format!("grant_type=client_credentials&client_id={name}");
        let (_, said) = client.send("POST", path::TOKEN, &headers, form).await.map_err(text)?;
        let token = serde_json::from_str(&said).map_err(text)?;
        let token =
            word(&token, "/access_token").map_err(|_| failed(&format!("no token: {said}")))?;
        Ok(Certified { token, tls })
    }

    /// The header of a request.
    pub fn header(&self) -> String {
        format!("authorization: Bearer {}\r\n", self.token)
    }
}

/// An app that may do what its caller may; how it shows itself is left to say.
fn spec(name: &str) -> AppSpec {
    AppSpec {
        app: name.to_owned(),
        title: "The benchmark".to_owned(),
        jwks: None,
        certificates: Vec::new(),
        grants: vec!["client_credentials".to_owned()],
        redirect_uris: Vec::new(),
        details: None,
        delegate: None,
        introspects: false,
        signs_requests: false,
    }
}

fn text(error: impl std::fmt::Display) -> Failure {
    failed(&error.to_string())
}

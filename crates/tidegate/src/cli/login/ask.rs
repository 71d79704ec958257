//! Asking a gateway as the app that this machine is there.

use super::place::{Granted, Known, Place, not_logged_in};
use crate::cli::output::Failure;
use crate::cli::status::now_ms;
use crate::http::Client;
use crate::oauth::{App, Token};
use serde_json::Value;
use std::io;
use tidegate_identity::oauth::metadata::{path, well_known};

/// A token that ends within this time is renewed first.
const DUE_MS: u64 = 15_000;

/// This machine at a gateway.
pub struct Session {
    /// The app that it is there.
    pub app: App,
    gateway: String,
}

impl Session {
    /// Opens one; nothing is sent yet.
    pub fn open(place: &Place, known: &Known) -> Result<Session, Failure> {
        let gateway = known.gateway.clone();
        let client = Client::new(&gateway, place.ca().as_deref());
        let client = client.map_err(|error| trouble(&gateway, &error))?;
        Ok(Session { app: App::new(&known.app, &gateway, place.keys()?, client), gateway })
    }

    /// Whether the gateway goes by the address that was typed: it is what proofs and assertions name.
    pub async fn check_address(&mut self) -> Result<(), Failure> {
        let document = well_known(&self.gateway, "oauth-authorization-server");
        let path = document.strip_prefix(&self.gateway).unwrap_or_default();
        let said =
            self.app.published(path).await.map_err(|error| trouble(&self.gateway, &error))?;
        match said.get("issuer").and_then(Value::as_str) {
            Some(issuer) if issuer == self.gateway => Ok(()),
            Some(issuer) => Err(Failure::usage(
                format!("{} calls itself {issuer}", self.gateway),
                format!("log in there: `tidegate login {issuer}`"),
            )),
            None => Err(Failure::new(
                "no-tokens",
                format!("{} gives no tokens", self.gateway),
                "check the address; the gateway needs TLS, or `public_url`",
            )),
        }
    }

    /// The access token, renewed if it is due.
    pub async fn token(&mut self, place: &Place, known: &mut Known) -> Result<Token, Failure> {
        match &known.granted {
            Some(granted) if granted.until_ms > now_ms() + DUE_MS => {
                Ok(Token::new(&granted.access))
            }
            _ => self.renewed(place, known).await,
        }
    }

    /// A new access token, for the refresh token.
    pub async fn renewed(&mut self, place: &Place, known: &mut Known) -> Result<Token, Failure> {
        let refresh = known.granted.as_ref().and_then(|granted| granted.refresh.clone());
        let Some(refresh) = refresh else { return Err(not_logged_in(Some(&self.gateway))) };
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        let asked = self.app.ask(path::TOKEN, &fields).await;
        let (status, said) = asked.map_err(|error| trouble(&self.gateway, &error))?;
        if status != 200 {
            let error = said.get("error").and_then(Value::as_str);
            if error == Some("invalid_grant") {
                known.granted = None;
                place.keep(known)?;
                return Err(not_logged_in(Some(&self.gateway)));
            }
            return Err(oauth_error(&said, &self.gateway));
        }
        let granted = Granted::read(&said, Some(refresh));
        let granted = granted.ok_or_else(|| oauth_error(&said, &self.gateway))?;
        let token = Token::new(&granted.access);
        known.granted = Some(granted);
        // The refresh token stays the same, so that nothing is lost where this is not kept: another command may be at
        // it.
        let _ = place.keep(known);
        Ok(token)
    }

    /// Whether the gateway takes the access token for one that is in force.
    pub async fn is_in_force(&mut self, known: &Known) -> Result<bool, Failure> {
        let Some(granted) = &known.granted else { return Ok(false) };
        let asked = self.app.ask(path::INTROSPECT, &[("token", &granted.access)]).await;
        match asked.map_err(|error| trouble(&self.gateway, &error))? {
            (200, said) => Ok(said.get("active").and_then(Value::as_bool) == Some(true)),
            (_, said) => Err(oauth_error(&said, &self.gateway)),
        }
    }
}

/// There was no answer.
pub fn trouble(gateway: &str, error: &io::Error) -> Failure {
    let text = error.to_string();
    let hint = match text.contains("certificate") {
        true => {
            "name the gateway's certificate authority, its `ca.pem`, with `tidegate login --ca`"
        }
        false => "check the address, and whether the gateway runs",
    };
    Failure::new("unreachable", format!("{gateway}: {text}"), hint)
}

/// The authorization server said no (RFC 6749 §5.2).
pub fn oauth_error(said: &Value, gateway: &str) -> Failure {
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    let code = text("error").unwrap_or("unreadable").to_owned();
    let hint = match code.as_str() {
        "access_denied" => "the person said no; log in again if that was by mistake",
        "expired_token" => "nobody said yes in time; log in again",
        "invalid_authorization_details" => {
            "ask for what the app is registered for: --account, --instruments, --max-order, or --details"
        }
        "invalid_client" => {
            "the key of this machine is not the app's: `tidegate login` says what to run"
        }
        "invalid_dpop_proof" => "check this machine's clock",
        "unauthorized_client" => "the app needs `--grants device_code,refresh_token`",
        _ => "",
    };
    let why = text("error_description").map(|why| format!(": {why}")).unwrap_or_default();
    // The words are the server's; scripts read them from the JSON object.
    Failure::new(code.clone().leak(), format!("{gateway} says {code}{why}"), hint)
}

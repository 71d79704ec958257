//! Apps that ask for tokens.

use super::args::{App, AppAdd, Common};
use super::keys::certificate_digest;
use super::manage::done;
use super::output::{Failure, print};
use super::people::read;
use super::reach::ask;
use super::status::{now_ms, span};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use tidegate_server::admin::protocol::{AppGrantStatus, AppSpec, AppStatus, Request};

/// How long a gateway may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// `tidegate app …`
pub fn app(common: &Common, command: App) -> Result<(), Failure> {
    match command {
        App::Add(args) => add(common, args),
        App::Revoke { app } => {
            let text = format!("revoked app {app}");
            done(common, &Request::AppRevoke { app }, &text)
        }
        App::List => list(common),
        App::Grants => grants(common),
        App::RevokeGrant { grant } => {
            let text = format!("took grant {grant} back");
            done(common, &Request::AppRevokeGrant { grant }, &text)
        }
        App::RevokeKey { thumbprint: key } => {
            let text = format!("put key {key} out of force");
            done(common, &Request::AppRevokeKey { key }, &text)
        }
    }
}

fn add(common: &Common, args: AppAdd) -> Result<(), Failure> {
    let text = format!("registered app {}", args.app);
    let spec = AppSpec {
        app: args.app,
        title: args.title,
        jwks: args.jwks.as_deref().map(json).transpose()?,
        certificates: args
            .certificates
            .iter()
            .map(|it| certificate_digest(it))
            .collect::<Result<_, _>>()?,
        grants: args.grants,
        redirect_uris: args.redirect_uris,
        details: args.details.as_deref().map(json).transpose()?,
        delegate: args.delegate,
        introspects: args.introspects,
        signs_requests: args.signs_requests,
    };
    done(common, &Request::AppSet(spec), &text)
}

fn list(common: &Common) -> Result<(), Failure> {
    let value = ask(common, &Request::Apps {}, PATIENCE)?;
    let apps: Vec<AppStatus> = read(&value, "apps")?;
    let mut text = String::new();
    for app in &apps {
        let separator = if text.is_empty() { "" } else { "\n" };
        let revoked = if app.revoked { " (revoked)" } else { "" };
        let _ = write!(text, "{separator}{}{revoked}", app.app);
        for (what, says) in &app.terms {
            let _ = write!(text, "\n  {what}: {says}");
        }
    }
    print(common.json, &value, if text.is_empty() { "no apps" } else { &text });
    Ok(())
}

fn grants(common: &Common) -> Result<(), Failure> {
    let value = ask(common, &Request::AppGrants {}, PATIENCE)?;
    let grants: Vec<AppGrantStatus> = read(&value, "grants")?;
    let shown = |it: &AppGrantStatus| {
        let ends = span(it.until_ms.saturating_sub(now_ms()) / 1000);
        let person = it.person.as_deref().unwrap_or(&it.subject);
        let (grant, app, bound_to) = (&it.grant, &it.app, &it.bound_to);
        let head = format!("{grant}  {person} to {app}, ends in {ends}");
        format!("{head}\n    bound to {bound_to}\n    {}", it.details)
    };
    let text: Vec<String> = grants.iter().map(shown).collect();
    let text = if text.is_empty() { "nothing is granted".to_owned() } else { text.join("\n") };
    print(common.json, &value, &text);
    Ok(())
}

/// What a file of JSON says.
pub fn json(path: &Path) -> Result<Value, Failure> {
    let bad = |what: String| {
        let message = format!("{}: {what}", path.display());
        Failure::new("bad-file", message, "give a file with JSON in it")
    };
    let text = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
    serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))
}

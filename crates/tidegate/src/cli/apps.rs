//! Apps that ask for tokens.

use super::args::{App, AppAdd, Common};
use super::manage::done;
use super::output::{Failure, print};
use super::people::read;
use super::reach::ask;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use tidegate_server::admin::protocol::{AppSpec, AppStatus, Request};

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
    }
}

fn add(common: &Common, args: AppAdd) -> Result<(), Failure> {
    let text = format!("registered app {}", args.app);
    let spec = AppSpec {
        app: args.app,
        title: args.title,
        jwks: json(&args.jwks)?,
        grants: args.grants,
        redirect_uris: args.redirect_uris,
        details: args.details.as_deref().map(json).transpose()?,
        delegate: args.delegate,
        introspects: args.introspects,
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

fn json(path: &Path) -> Result<Value, Failure> {
    let bad = |what: String| {
        let message = format!("{}: {what}", path.display());
        Failure::new("bad-file", message, "give a file with JSON in it")
    };
    let text = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
    serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))
}

//! Methods about the connection: subscriptions, heartbeats, cancel-on-disconnect, logout.

use super::channel::{Channel, Pace};
use super::fault::Fault;
use super::methods::Context;
use super::rpc::{Answer, answer};
use super::scope::Level;
use super::session::Session;
use crate::engine::input::Input;
use serde_json::json;
use std::sync::Arc;
use tidegate_types::time::Span;

/// The account switch that covers new connections.
pub(crate) const COVER_ACCOUNT: &str = "cancel_on_disconnect";

fn session<'b>(context: &'b mut Context<'_>) -> Result<&'b mut Session, Fault> {
    context.session.as_deref_mut().ok_or(Fault::MUST_BE_WEBSOCKET)
}

/// Subscribes to what there is of the channels; those there are not are left out.
pub(crate) fn subscribe(context: &mut Context<'_>) -> Answer {
    let mut wanted = Vec::new();
    for name in context.params.list("channels")? {
        let Some((channel, pace)) = Channel::read(context.exchange(), name) else { continue };
        let account = match (channel.area(), context.caller) {
            (None, Some(_)) => None,
            (None, None) if pace == Pace::Raw => return Err(Fault::RAW_NEEDS_AUTH),
            (None, None) => None,
            (Some(_), None) => continue,
            (Some(area), Some(caller)) if caller.rights.level(area) < Level::Read => {
                return Err(Fault::SCOPE_EXCEEDED);
            }
            (Some(_), Some(caller)) => Some(caller.account),
        };
        wanted.push((name.to_owned(), channel, pace, account));
    }
    let mut held = Vec::new();
    for (name, channel, pace, account) in wanted {
        let session = session(context)?;
        if session.channels.insert(name.clone()) {
            let id = session.id;
            let exchange = context.desk.exchange();
            context.hub.subscribe(exchange, id, &name, (channel, pace, account), context.now);
        }
        if !held.contains(&name) {
            held.push(name);
        }
    }
    answer(&held)
}

pub(crate) fn unsubscribe(context: &mut Context<'_>) -> Answer {
    let mut dropped = Vec::new();
    for name in context.params.list("channels")? {
        let session = session(context)?;
        let id = session.id;
        if session.channels.remove(name) {
            context.hub.unsubscribe(id, name);
            dropped.push(name);
        }
    }
    answer(&dropped)
}

pub(crate) fn unsubscribe_all(context: &mut Context<'_>) -> Answer {
    let session = session(context)?;
    session.channels.clear();
    let id = session.id;
    context.hub.forget(id);
    answer("ok")
}

pub(crate) fn set_heartbeat(context: &mut Context<'_>) -> Answer {
    let seconds = context.params.need_int("interval")?;
    if !(10..=86_400).contains(&seconds) {
        return Err(Fault::param("interval"));
    }
    let now = context.now;
    session(context)?.beat(Some(Span::from_secs(seconds)), now);
    answer("ok")
}

pub(crate) fn disable_heartbeat(context: &mut Context<'_>) -> Answer {
    let now = context.now;
    session(context)?.beat(None, now);
    answer("ok")
}

#[derive(Clone, Copy)]
enum Cover {
    Connection,
    Account,
}

fn cover_scope(context: &Context<'_>) -> Result<Cover, Fault> {
    let scopes = [("connection", Cover::Connection), ("account", Cover::Account)];
    Ok(context.params.choice("scope", &scopes)?.unwrap_or(Cover::Connection))
}

pub(crate) fn enable_cancel_on_disconnect(context: &mut Context<'_>) -> Answer {
    set_cover(context, true)
}

pub(crate) fn disable_cancel_on_disconnect(context: &mut Context<'_>) -> Answer {
    set_cover(context, false)
}

/// For the account it is what connections begin with.
fn set_cover(context: &mut Context<'_>, on: bool) -> Answer {
    match cover_scope(context)? {
        Cover::Connection => session(context)?.covered = on,
        Cover::Account => {
            let account = context.account()?;
            let value = Arc::from(if on { "true" } else { "false" });
            context.apply(Input::SetFlag { account, name: Arc::from(COVER_ACCOUNT), value });
        }
    }
    answer("ok")
}

pub(crate) fn get_cancel_on_disconnect(context: &mut Context<'_>) -> Answer {
    let (scope, enabled) = match cover_scope(context)? {
        Cover::Connection => ("connection", session(context)?.covered),
        Cover::Account => {
            let account = context.exchange().account(context.account()?);
            let flag = account.and_then(|account| account.flags.get(COVER_ACCOUNT));
            ("account", flag.is_some_and(|on| &**on == "true"))
        }
    };
    answer(&json!({ "scope": scope, "enabled": enabled }))
}

/// Ends the connection without an answer and without cancelling its orders.
pub(crate) fn logout(context: &mut Context<'_>) -> Answer {
    let keep =
        context.params.has("invalidate_token") && !context.params.flag("invalidate_token")?;
    let session = session(context)?;
    session.left = true;
    session.ending = Some((1000, "logout"));
    let token = session.token.take();
    if let Some(token) = token.filter(|_| !keep) {
        context.auth.tokens().end(&token);
    }
    answer("ok")
}

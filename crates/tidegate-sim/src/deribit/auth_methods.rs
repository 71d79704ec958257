//! Signing in and renewing.

use super::fault::Fault;
use super::methods::Context;
use super::rpc::{Answer, answer};
use super::tokens::{Bond, Issued};
use serde::Serialize;

#[derive(Serialize)]
struct Tokens {
    access_token: String,
    expires_in: u64,
    refresh_token: String,
    scope: String,
    token_type: &'static str,
    enabled_features: [&'static str; 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

fn tokens(issued: &Issued, state: Option<&str>) -> Answer {
    let bond = match &issued.bond {
        Bond::Session(name) => format!("session:{name}"),
        Bond::Connection(_) | Bond::Http => "connection".to_owned(),
    };
    let rights = issued.grant.rights.to_string();
    answer(&Tokens {
        access_token: issued.access.clone(),
        expires_in: issued.life.micros() / 1_000_000,
        refresh_token: issued.refresh.clone(),
        scope: if rights.is_empty() { bond.clone() } else { format!("{rights} {bond}") },
        token_type: "bearer",
        enabled_features: [],
        sid: matches!(issued.bond, Bond::Session(_)).then_some(bond),
        state: state.map(str::to_owned),
    })
}

/// `public/auth`: on a connection, it is signed in from then on.
pub(crate) fn auth(context: &mut Context<'_>) -> Answer {
    let connection = context.session.as_ref().map(|session| session.id);
    let (caller, issued) = context.auth.auth(context.params, connection, context.now)?;
    let covered = context.desk.exchange().account(caller.account).is_some_and(|account| {
        account.flags.get(super::session_methods::COVER_ACCOUNT).is_some_and(|on| &**on == "true")
    });
    if let Some(session) = &mut context.session {
        session.sign_in(issued.access.clone(), caller.account, covered);
    }
    tokens(&issued, context.params.text("state")?)
}

/// `public/fork_token`: another named session with the same rights.
pub(crate) fn fork_token(context: &mut Context<'_>) -> Answer {
    let name = context.params.need_text("session_name")?.to_owned();
    let refresh = context.params.need_text("refresh_token")?;
    let held = context.auth.tokens().of_refresh(refresh, context.now).cloned();
    let held = held.ok_or_else(Fault::invalid_token)?;
    if !matches!(held.bond, Bond::Session(_)) {
        return Err(Fault::FORBIDDEN);
    }
    let life = held.life.micros() / 1_000_000;
    let bond = Bond::Session(name);
    tokens(&context.auth.tokens().issue(held.grant, bond, Some(life), context.now), None)
}

/// `public/exchange_token`: there are no subaccounts to change to.
pub(crate) fn exchange_token(context: &mut Context<'_>) -> Answer {
    let refresh = context.params.need_text("refresh_token")?;
    context.params.need_int("subject_id")?;
    let held = context.auth.tokens().of_refresh(refresh, context.now);
    held.map_or_else(|| Err(Fault::invalid_token()), |_| Err(Fault::FORBIDDEN))
}

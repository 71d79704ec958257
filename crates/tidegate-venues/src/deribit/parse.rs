//! What a call asks for, in the vocabulary of the core.

use super::auth::{self, Login};
use super::methods::{IGNORED, Kind};
use super::rpc::{Params, Rpc, bad, target};
use super::{cancels, context, errors, orders, paging};
use crate::front::{Asked, Instruments, Local, Parsed, Read};
use serde_json::Value;
use tidegate_types::call::WireRequest;
use tidegate_types::ids::{CallerOrderId, VenueOrderId};
use tidegate_types::order::{AmendOrder, CancelOrder, Guard, GuardScope, Intent, OrderName};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// Longest value of a parameter that is passed on.
const MAX_VALUE: usize = 1024;

/// What an HTTP call asks for.
pub(crate) fn of_http(rpc: &Rpc, instruments: &Instruments, now: Time) -> Result<Parsed, Reject> {
    let asked = match rpc.method.kind {
        Kind::Public => Asked::Public(public(rpc)?),
        Kind::Socket(_) => return Err(Reject::new(Code::NeedsWebSocket, rpc.method.name)),
        Kind::CancelOnDisconnect(_) => {
            if guard_scope(&rpc.params)? == GuardScope::Session {
                return Err(Reject::new(Code::NeedsWebSocket, rpc.method.name));
            }
            private(rpc, instruments, now)?
        }
        Kind::Auth => login(&rpc.params)?,
        Kind::New(_)
        | Kind::Edit
        | Kind::EditByLabel
        | Kind::Cancel
        | Kind::CancelMany
        | Kind::Read
        | Kind::ReadOrder
        | Kind::ReadLabel
        | Kind::Own
        | Kind::Forbidden
        | Kind::Uncomputable => private(rpc, instruments, now)?,
    };
    Ok(Parsed { asked, context: context::of(rpc, now) })
}

/// What `public/auth` asks for.
pub(crate) fn login(params: &Params) -> Result<Asked, Reject> {
    Ok(Asked::Local(match auth::login(params)? {
        Login::With(_) => Local::Login { lifetime: auth::lifetime(params)? },
        Login::Refresh(token) => Local::Refresh { token },
    }))
}

/// What a private call over either transport asks for.
pub(crate) fn private(rpc: &Rpc, instruments: &Instruments, now: Time) -> Result<Asked, Reject> {
    let params = &rpc.params;
    let until = params.whole("valid_until")?.map(Time::from_millis);
    if rpc.method.changes_state() && until.is_some_and(|until| until <= now) {
        return Err(Reject::new(Code::OutOfRange, orders::TOO_LATE));
    }
    let trade = |intent| Ok(Asked::Trade(intent));
    match rpc.method.kind {
        Kind::New(side) => {
            only_known(rpc)?;
            trade(Intent::New { order: orders::new(side, params, instruments)? })
        }
        Kind::Edit => {
            only_known(rpc)?;
            let order = venue_order(params)?;
            trade(Intent::Amend { amend: orders::amend(order, params, None)? })
        }
        Kind::EditByLabel => {
            only_known(rpc)?;
            trade(Intent::Amend { amend: edit_by_label(params, instruments)? })
        }
        Kind::Cancel => {
            only_known(rpc)?;
            let cancel = CancelOrder { order: venue_order(params)?, instrument: None };
            trade(Intent::Cancel { cancel })
        }
        Kind::CancelMany => {
            only_known(rpc)?;
            match cancels::filter(rpc.method.name, params, instruments)? {
                Some(filter) => trade(Intent::CancelMany { filter }),
                // An empty list of instruments would mean all of them to the core.
                None => Ok(Asked::Local(Local::Fixed(errors::result(rpc, 0.into(), now)))),
            }
        }
        Kind::Read => Ok(Asked::Read(read(rpc, None)?)),
        Kind::ReadOrder => Ok(Asked::Read(read(rpc, Some(venue_order(params)?))?)),
        Kind::ReadLabel => by_label(rpc),
        Kind::Uncomputable => Err(Reject::new(Code::Uncomputable, rpc.method.name)),
        Kind::Forbidden | Kind::Own => Err(Reject::new(Code::ForbiddenRoute, rpc.method.name)),
        Kind::CancelOnDisconnect(set) => {
            only_known(rpc)?;
            let scope = guard_scope(params)?;
            match set {
                Some(on) => trade(Intent::Guard { guard: Guard::Disconnect { scope, on } }),
                None => Ok(Asked::Local(Local::CancelOnDisconnect { scope })),
            }
        }
        Kind::Public | Kind::Auth | Kind::Socket(_) => {
            Err(Reject::new(Code::UnknownRoute, rpc.method.name))
        }
    }
}

/// Which connections a cancel-on-disconnect is about: the one that asks, or later ones.
fn guard_scope(params: &Params) -> Result<GuardScope, Reject> {
    match params.text("scope")? {
        None | Some("connection") => Ok(GuardScope::Session),
        Some("account") => Ok(GuardScope::Account),
        Some(_) => Err(bad(Code::BadParameter, "scope", "is not known")),
    }
}

/// The order with a label is not looked up for the open ones: they are read as a whole and those
/// with the caller's label are left.
fn by_label(rpc: &Rpc) -> Result<Asked, Reject> {
    let label = rpc.params.text("label")?.unwrap_or_default();
    if rpc.method.name == "private/get_open_orders_by_label" {
        return Ok(Asked::Read(read(rpc, None)?));
    }
    let id = caller_id(label)?.ok_or_else(|| bad(Code::MissingParameter, "label", "is missing"))?;
    Ok(Asked::Read(read(rpc, Some(OrderName::Caller { id }))?))
}

/// A read, rebuilt from the parameters that the table knows; the venue checks their values.
fn read(rpc: &Rpc, order: Option<OrderName>) -> Result<Read, Reject> {
    let open_by_label = "private/get_open_orders_by_label";
    let (route, left_out) = match rpc.method.name {
        name if name == open_by_label => ("private/get_open_orders_by_currency", Some("label")),
        name => (name, None),
    };
    let mut params = known_values(rpc)?;
    params.retain(|(name, _)| Some(name.as_str()) != left_out);
    paging::widen(rpc, &mut params);
    Ok(Read { route: route.into(), params, order })
}

/// A public request, rebuilt.
pub(crate) fn public(rpc: &Rpc) -> Result<WireRequest, Reject> {
    let params = known_values(rpc)?;
    let pairs = params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Ok(WireRequest {
        method: "GET".into(),
        target: target(rpc.method.name, pairs),
        headers: Vec::new(),
        body: String::new(),
    })
}

fn known_values(rpc: &Rpc) -> Result<Vec<(String, String)>, Reject> {
    let mut values = Vec::new();
    for &name in rpc.method.params {
        let text = match rpc.params.get(name) {
            None => continue,
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(flag)) => flag.to_string(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(bad(Code::BadParameter, name, "is not a plain value")),
        };
        if text.len() > MAX_VALUE {
            return Err(bad(Code::BadParameter, name, "is too long"));
        }
        values.push((name.to_owned(), text));
    }
    Ok(values)
}

/// Refuses a parameter that the table does not know, and one that cannot be carried out.
fn only_known(rpc: &Rpc) -> Result<(), Reject> {
    for name in rpc.params.0.keys().map(String::as_str) {
        if rpc.method.params.contains(&name) || IGNORED.contains(&name) || name == "access_token" {
            continue;
        }
        return Err(match orders::UNSUPPORTED.iter().find(|unsupported| **unsupported == name) {
            Some(name) => bad(Code::UnsupportedParameter, name, "is not served"),
            None if name.len() <= 64 && name.chars().all(|c| c.is_ascii_graphic() && c != '`') => {
                bad(Code::UnknownParameter, name, "is not known")
            }
            None => Reject::new(Code::UnknownParameter, ""),
        });
    }
    Ok(())
}

fn venue_order(params: &Params) -> Result<OrderName, Reject> {
    let id = params.need_text("order_id")?;
    let id = VenueOrderId::new(id);
    let id = id.map_err(|_| bad(Code::BadParameter, "order_id", "is not an order id"))?;
    Ok(OrderName::Venue { id })
}

fn edit_by_label(params: &Params, instruments: &Instruments) -> Result<AmendOrder, Reject> {
    let instrument = super::names::known(params.need_text("instrument_name")?, instruments)?;
    let id = caller_id(params.text("label")?.unwrap_or_default())?
        .ok_or_else(|| bad(Code::MissingParameter, "label", "is missing"))?;
    orders::amend(OrderName::Caller { id }, params, Some(instrument))
}

/// The caller's own id that a label is; none when it is empty.
pub(crate) fn caller_id(label: &str) -> Result<Option<CallerOrderId>, Reject> {
    if label.is_empty() {
        return Ok(None);
    }
    let wrong = |_| bad(Code::BadParameter, "label", "is longer than 64 or has control characters");
    CallerOrderId::new(label).map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests;

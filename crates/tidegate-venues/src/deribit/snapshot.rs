//! The account as the venue shows it, and what a key may do.

use super::{build, margin, rows, settlements};
use crate::upstream::Unreadable;
use serde_json::Value;
use std::collections::BTreeMap;
use tidegate_types::report::{AccountSnapshot, FillReport};
use tidegate_types::request::Reply;

/// Rights that a key may have and still open sessions: it trades and reads, and can neither move
/// money nor manage keys and users.
const HARMLESS: &[&str] = &[
    "account:read",
    "account:none",
    "trade:read",
    "trade:read_write",
    "trade:none",
    "wallet:read",
    "wallet:none",
    "block_trade:read",
    "block_trade:none",
    "block_rfq:read",
    "block_rfq:none",
    "custody:none",
    "connection",
    "mainaccount",
];

/// The open orders, positions and balances that the answers list.
pub(crate) fn snapshot(replies: &[Reply]) -> Result<AccountSnapshot, Unreadable> {
    if replies.len() != build::SNAPSHOT.len() {
        return Err(Unreadable("the snapshot has not all its parts".into()));
    }
    let (mut orders, mut positions, mut balances) = (BTreeMap::new(), Vec::new(), Vec::new());
    let (mut margins, mut settled) = (Vec::new(), Vec::new());
    for (reply, (route, _)) in replies.iter().zip(build::SNAPSHOT) {
        if *route == "private/get_account_summaries" {
            let rows = listed(reply, |result| result.get_mut("summaries").map(Value::take))?;
            for row in &rows {
                balances.push(rows::balance(row)?);
            }
            margins = margin::margins(&rows);
            continue;
        }
        for row in list(reply)? {
            if *route == "private/get_positions" {
                positions.push(rows::position(&row)?);
                settled.extend(settlements::settlement(&row));
            } else if let Some(order) = rows::order(&row)? {
                orders.insert(order.venue_id.clone(), order);
            }
        }
    }
    positions.retain(|position| !position.qty.0.is_zero());
    let orders = orders.into_values().filter(|order| order.state.is_live()).collect();
    Ok(AccountSnapshot { orders, positions, balances, margins, settlements: settled })
}

/// The rights of the key with that id, from the list of the account's keys: the words of its
/// `max_scope`.
pub(crate) fn rights(key_id: &str, reply: &Reply) -> Result<Vec<String>, Unreadable> {
    let keys = list(reply)?;
    let of = |key: &&Value| key.get("client_id").and_then(Value::as_str) == Some(key_id);
    let key = keys.iter().find(of).ok_or_else(|| Unreadable("the key is not listed".into()))?;
    let words = match key.get("max_scope") {
        Some(Value::String(scope)) => scope.split_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(scopes)) => scopes
            .iter()
            .filter_map(Value::as_str)
            .flat_map(str::split_whitespace)
            .map(str::to_owned)
            .collect(),
        _ => return Err(Unreadable("the key's scope is not told".into())),
    };
    Ok(words)
}

/// Whether keys with these rights may open sessions. A right that is not known may be anything.
pub(crate) fn may_open_session(rights: &[String]) -> bool {
    !rights.is_empty() && rights.iter().all(|right| HARMLESS.contains(&right.as_str()))
}

/// The account's trades of an instrument.
pub(crate) fn trades(reply: &Reply) -> Result<Vec<FillReport>, Unreadable> {
    listed(reply, |result| result.get_mut("trades").map(Value::take))?
        .iter()
        .map(rows::fill)
        .collect()
}

/// The list that an answer is.
pub(crate) fn list(reply: &Reply) -> Result<Vec<Value>, Unreadable> {
    listed(reply, |result| Some(result.take()))
}

fn listed(
    reply: &Reply,
    list: impl FnOnce(&mut Value) -> Option<Value>,
) -> Result<Vec<Value>, Unreadable> {
    let mut answer: Value = serde_json::from_slice(&reply.body)
        .map_err(|_| Unreadable(format!("HTTP status {}, not JSON", reply.status)))?;
    match (reply.status, answer.get_mut("result").and_then(list)) {
        (200, Some(Value::Array(rows))) => Ok(rows),
        (status, _) => {
            let error = answer.get("error").and_then(|error| error.get("message"));
            let said = error.and_then(Value::as_str).unwrap_or("no list");
            Err(Unreadable(format!("HTTP status {status}: {said}")))
        }
    }
}

#[cfg(test)]
mod tests;

//! The account as the venue shows it: open orders, open conditional orders, positions.

use super::outcome::refusal;
use super::wire;
use crate::upstream::Unreadable;
use serde_json::Value;
use tidegate_types::ids::VenueName;
use tidegate_types::report::AccountSnapshot;
use tidegate_types::request::Reply;

const PATHS: [&str; 3] =
    ["/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders", "/fapi/v3/positionRisk"];

/// How many requests a snapshot takes.
pub(crate) const PARTS: u32 = 3;

/// The path of a request.
pub(crate) fn path(part: u32) -> Option<&'static str> {
    PATHS.get(usize::try_from(part).ok()?).copied()
}

/// The snapshot, from the answers in order.
pub(crate) fn snapshot(
    venue: &VenueName,
    replies: &[Reply],
) -> Result<AccountSnapshot, Unreadable> {
    let [orders, algos, positions] = replies else {
        return Err(Unreadable(format!("{} answers instead of {PARTS}", replies.len())));
    };
    let mut snapshot = AccountSnapshot::default();
    for row in rows(orders)? {
        snapshot.orders.push(wire::order(venue, &row)?);
    }
    for row in rows(algos)? {
        snapshot.orders.push(wire::algo(venue, &row)?);
    }
    for row in rows(positions)? {
        let position = wire::position(venue, &row)?;
        snapshot.positions.extend(position.filter(|position| !position.qty.0.is_zero()));
    }
    snapshot.orders.retain(|order| order.state.is_live());
    Ok(snapshot)
}

/// The rows of an answer.
pub(crate) fn rows(reply: &Reply) -> Result<Vec<Value>, Unreadable> {
    match serde_json::from_slice(&reply.body) {
        Ok(Value::Array(rows)) if reply.status == 200 => Ok(rows),
        Ok(answer) => Err(Unreadable(match refusal(&answer) {
            Some((code, message)) => format!("http {}: {code} {message}", reply.status),
            None => format!("http {}: not a list", reply.status),
        })),
        Err(_) => Err(Unreadable(format!("http {}: not json", reply.status))),
    }
}

/// The answer as an object, if the request succeeded.
pub(crate) fn object(reply: &Reply) -> Result<Value, Unreadable> {
    match serde_json::from_slice::<Value>(&reply.body) {
        Ok(answer) if reply.status == 200 && answer.is_object() => Ok(answer),
        Ok(answer) => Err(Unreadable(match refusal(&answer) {
            Some((code, message)) => format!("http {}: {code} {message}", reply.status),
            None => format!("http {}: not an object", reply.status),
        })),
        Err(_) => Err(Unreadable(format!("http {}: not json", reply.status))),
    }
}

#[cfg(test)]
mod tests;

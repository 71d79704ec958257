//! The account as the venue shows it: open orders, open conditional orders, positions, balances and margin.

use super::outcome::refusal;
use super::{margin, wire};
use crate::raw::{Fields, Raw};
use crate::upstream::Unreadable;
use tidegate_types::ids::VenueName;
use tidegate_types::report::{AccountSnapshot, FillReport};
use tidegate_types::request::Reply;

const PATHS: [&str; 4] =
    ["/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders", "/fapi/v3/positionRisk", "/fapi/v3/account"];

/// How many requests a snapshot takes.
pub(crate) const PARTS: u32 = 4;

/// The path of a request.
pub(crate) fn path(part: u32) -> Option<&'static str> {
    PATHS.get(usize::try_from(part).ok()?).copied()
}

/// The snapshot, from the answers in order.
pub(crate) fn snapshot(
    venue: &VenueName,
    replies: &[Reply],
) -> Result<AccountSnapshot, Unreadable> {
    let [orders, algos, positions, money] = replies else {
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
    let account = object(money)?;
    let assets = assets(&account)?;
    for row in &assets {
        snapshot.balances.extend(wire::balance(row)?);
    }
    snapshot.margins = margin::margins(&account, &assets);
    snapshot.orders.retain(|order| order.state.is_live());
    Ok(snapshot)
}

/// The account's trades of an instrument.
pub(crate) fn trades(venue: &VenueName, reply: &Reply) -> Result<Vec<FillReport>, Unreadable> {
    rows(reply)?.iter().map(|row| wire::user_trade(venue, row)).collect()
}

/// The rows of an answer; what is no object there has no fields.
pub(crate) fn rows(reply: &Reply) -> Result<Vec<Fields<'_>>, Unreadable> {
    let answer = answer(reply)?;
    let rows = answer.items().filter(|_| reply.status == 200);
    let rows = rows.ok_or_else(|| failed(reply, answer, "not a list"))?;
    Ok(rows.into_iter().map(|row| row.fields().unwrap_or_default()).collect())
}

/// The answer as an object, if the request succeeded.
pub(crate) fn object(reply: &Reply) -> Result<Fields<'_>, Unreadable> {
    let answer = answer(reply)?;
    let fields = answer.fields().filter(|_| reply.status == 200);
    fields.ok_or_else(|| failed(reply, answer, "not an object"))
}

/// The wallets of an account; an answer without them is not the one that was asked for.
fn assets<'a>(account: &Fields<'a>) -> Result<Vec<Fields<'a>>, Unreadable> {
    let rows = account.get("assets").and_then(Raw::items);
    let rows = rows.ok_or_else(|| Unreadable("no `assets` in the account".to_owned()))?;
    Ok(rows.into_iter().map(|row| row.fields().unwrap_or_default()).collect())
}

fn answer(reply: &Reply) -> Result<Raw<'_>, Unreadable> {
    let read = Raw::read(&reply.body);
    read.map_err(|_| Unreadable(format!("http {}: not json", reply.status)))
}

fn failed(reply: &Reply, answer: Raw<'_>, what: &str) -> Unreadable {
    Unreadable(match answer.fields().as_ref().and_then(refusal) {
        Some((code, message)) => format!("http {}: {code} {message}", reply.status),
        None => format!("http {}: {what}", reply.status),
    })
}

#[cfg(test)]
mod tests;

//! What the venue's answer to a call means.

use super::rows;
use crate::upstream::{BackOff, Stops, Unreadable};
use serde_json::Value;
use tidegate_types::call::CallBody;
use tidegate_types::report::{OrderReport, Outcome};
use tidegate_types::request::Reply;
use tidegate_types::time::Span;

/// The venue has no such live order: not found, closed, filled, or not open.
const NO_SUCH_ORDER: &[i64] = &[10004, 10010, 11008, 11044];
/// The venue answered, but may have begun: it does not say that nothing happened.
const UNDECIDED: &[i64] = &[10040, 11094, 13028, 13503, 10050];
/// The venue's budget is used up.
const TOO_MANY_REQUESTS: i64 = 10028;

/// What the answer means.
pub(crate) fn outcome(body: &CallBody, reply: &Reply) -> Outcome {
    let answer: Option<Value> = serde_json::from_slice(&reply.body).ok();
    if let Some(error) = answer.as_ref().and_then(|answer| answer.get("error")) {
        return refused(reply.status, error);
    }
    match (reply.status, answer.as_ref().and_then(|answer| answer.get("result"))) {
        (200, Some(result)) => {
            accepted(body, result).unwrap_or_else(|Unreadable(why)| unknown(why))
        }
        (200, None) => unknown("the answer has neither result nor error".into()),
        (status @ (401 | 403 | 404 | 405 | 413 | 414 | 429 | 431), None) => Outcome::Rejected {
            code: status.into(),
            message: "refused before it was read".into(),
            no_such_order: false,
        },
        (status, _) => unknown(format!("HTTP status {status}")),
    }
}

/// How long to wait, when the answer to an order or a cancel (`orders`), or to anything else, says that there were
/// too many requests. Credits come back at 10 000 a second and a plain request costs 500.
pub(crate) fn back_off(reply: &Reply, orders: bool) -> Option<BackOff> {
    let told = reply.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    let told = told.and_then(|(_, value)| value.parse::<u16>().ok());
    let code = told_code(&reply.body);
    // Credits are an account's, where a request was on one; others at the address are not concerned. Orders and
    // cancels have credits of their own, which say nothing of those of reads.
    let (stops, seconds) = match (reply.status, code) {
        (429, _) => (Stops::Requests, told.unwrap_or(10)),
        (_, Some(TOO_MANY_REQUESTS)) if orders => (Stops::Orders, told.unwrap_or(1)),
        (_, Some(TOO_MANY_REQUESTS)) => (Stops::Reads, told.unwrap_or(1)),
        _ => return None,
    };
    Some(BackOff { stops, wait: Span::from_secs(seconds.into()), until: None })
}

/// How long to wait after this text on a socket of streams. The venue ends the socket after it.
pub(crate) fn socket_back_off(text: &str) -> Option<BackOff> {
    let is_it = text.contains("10028") && told_code(text.as_bytes()) == Some(TOO_MANY_REQUESTS);
    is_it.then_some(BackOff { stops: Stops::Reads, wait: Span::from_secs(1), until: None })
}

/// The code of the error that an answer tells.
fn told_code(answer: &[u8]) -> Option<i64> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    code(answer.get("error")?)
}

fn refused(status: u16, error: &Value) -> Outcome {
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
    let message: String = message.chars().filter(|c| !c.is_control()).take(200).collect();
    match code(error) {
        Some(code) if UNDECIDED.contains(&code) => unknown(format!("{code} {message}")),
        Some(code) if status < 500 => {
            Outcome::Rejected { code, message, no_such_order: NO_SUCH_ORDER.contains(&code) }
        }
        _ => unknown(format!("HTTP status {status}: {message}")),
    }
}

fn code(error: &Value) -> Option<i64> {
    error.get("code").and_then(Value::as_i64)
}

fn accepted(body: &CallBody, result: &Value) -> Result<Outcome, Unreadable> {
    match body {
        CallBody::Place { .. } | CallBody::Amend { .. } => {
            let order = result.get("order").ok_or_else(|| Unreadable("no order is told".into()))?;
            let trades = result.get("trades").and_then(Value::as_array);
            let fills = trades.into_iter().flatten().map(rows::fill).collect::<Result<_, _>>()?;
            Ok(rows::order(order)?
                .map_or(Outcome::Done, |report| Outcome::Accepted { report, fills }))
        }
        CallBody::Cancel { .. } => match result {
            // By label the venue counts what it cancelled.
            Value::Number(count) if count.as_u64() == Some(0) => Ok(no_such_order()),
            Value::Number(_) => Ok(Outcome::Done),
            order => Ok(rows::order(order)?
                .map_or(Outcome::Done, |report| Outcome::Accepted { report, fills: Vec::new() })),
        },
        CallBody::QueryOrder { .. } => {
            let rows = match result {
                Value::Array(rows) => rows.as_slice(),
                row => std::slice::from_ref(row),
            };
            Ok(latest(rows)?.map_or_else(no_such_order, |report| Outcome::Accepted {
                report,
                fills: Vec::new(),
            }))
        }
        CallBody::Set { .. }
        | CallBody::DeadMan { .. }
        | CallBody::Read { .. }
        | CallBody::Snapshot { .. }
        | CallBody::Trades { .. }
        | CallBody::Session { .. } => Ok(Outcome::Done),
    }
}

/// Of the orders that carry one label (a trigger order and what it became), the one to go by: a
/// live one, else the last changed.
fn latest(rows: &[Value]) -> Result<Option<OrderReport>, Unreadable> {
    let mut best: Option<OrderReport> = None;
    for row in rows {
        let Some(report) = rows::order(row)? else { continue };
        let rank = |report: &OrderReport| (report.state.is_live(), report.at);
        if best.as_ref().is_none_or(|best| rank(&report) >= rank(best)) {
            best = Some(report);
        }
    }
    Ok(best)
}

fn no_such_order() -> Outcome {
    Outcome::Rejected { code: 10004, message: "order_not_found".into(), no_such_order: true }
}

fn unknown(why: String) -> Outcome {
    Outcome::Unknown { why }
}

#[cfg(test)]
mod tests;

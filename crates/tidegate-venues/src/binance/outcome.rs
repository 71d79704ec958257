//! What the venue's answers mean for an order.

use super::wire;
use crate::raw::Fields;
use crate::upstream::{BackOff, Stops};
use tidegate_types::call::CallBody;
use tidegate_types::ids::VenueName;
use tidegate_types::report::Outcome;
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};

/// Numbers that do not tell whether the request was carried out.
const UNKNOWN: &[i64] = &[-1000, -1001, -1006, -1007];
/// The number by which the venue, overloaded, turns a request away; the one answer of a server error
/// that says nothing was done.
const OVERLOADED: i64 = -1008;
/// The number of a time stamp that is refused.
const WRONG_TIME: i64 = -1021;
/// Numbers that say there is no such live order.
const NO_SUCH_ORDER: &[i64] = &[-2011, -2013];
/// The number of "too many requests".
const TOO_MANY_REQUESTS: i64 = -1003;
const TOO_MANY_ORDERS: i64 = -1015;
/// How long to wait when the venue asks but does not say how long.
const DEFAULT_BACK_OFF: Span = Span::from_secs(60);
const ORDERS_BACK_OFF: Span = Span::from_secs(10);
/// The longest wait that is believed (the venue's longest ban).
const MAX_BACK_OFF: Span = Span::from_secs(3 * 24 * 3600);

/// What the answer to a call means.
pub(crate) fn outcome(venue: &VenueName, body: &CallBody, reply: &Reply) -> Outcome {
    let unknown = |why: String| Outcome::Unknown { why };
    if is_turned_away(reply) {
        return turned_away(reply);
    }
    let Ok(answer) = Fields::read(&reply.body) else {
        return unknown(format!("http {} with an unreadable body", reply.status));
    };
    if let Some(refusal) = refusal(&answer) {
        return match refusal {
            (code, message) if UNKNOWN.contains(&code) => unknown(format!("{code} {message}")),
            // A server error may come after the request was carried out, whatever its body says.
            (code, message) if reply.status >= 500 && code != OVERLOADED => {
                unknown(format!("http {}: {code} {message}", reply.status))
            }
            (code, message) => {
                let no_such_order = NO_SUCH_ORDER.contains(&code);
                Outcome::Rejected { code, message, no_such_order }
            }
        };
    }
    if !(200..300).contains(&reply.status) {
        return unknown(format!("http {} without a code", reply.status));
    }
    let report = match body {
        CallBody::Place { order, .. } if order.order_type.is_conditional() => {
            wire::algo(venue, &answer)
        }
        CallBody::Place { .. } | CallBody::Amend { .. } => wire::order(venue, &answer),
        CallBody::Cancel { order } if order.conditional => {
            return if answer.text("code").as_deref() == Some("200") {
                Outcome::Done
            } else {
                unknown("an unreadable answer to a cancel".to_owned())
            };
        }
        CallBody::QueryOrder { order } if order.conditional => wire::algo(venue, &answer),
        CallBody::Cancel { .. } | CallBody::QueryOrder { .. } => wire::order(venue, &answer),
        CallBody::Set { .. }
        | CallBody::DeadMan { .. }
        | CallBody::Read { .. }
        | CallBody::Snapshot { .. }
        | CallBody::Trades { .. }
        | CallBody::Session { .. } => return Outcome::Done,
    };
    match report {
        Ok(report) => Outcome::Accepted { report, fills: Vec::new() },
        Err(error) => unknown(error.0),
    }
}

/// Whether the venue took the request for one too many: it did not look into it, let alone carry it
/// out, whatever the body says.
fn is_turned_away(reply: &Reply) -> bool {
    matches!(reply.status, 418 | 429)
}

fn turned_away(reply: &Reply) -> Outcome {
    let said = Fields::read(&reply.body).ok();
    let (code, message) = said
        .and_then(|answer| refusal(&answer))
        .unwrap_or_else(|| (TOO_MANY_REQUESTS, format!("http {}", reply.status)));
    Outcome::Rejected { code, message, no_such_order: false }
}

/// The number and words of a refusal, if the answer is one: refusals are negative numbers.
pub(crate) fn refusal(answer: &Fields<'_>) -> Option<(i64, String)> {
    let code = answer.whole("code").filter(|code: &i64| *code < 0)?;
    let message = answer.text("msg").unwrap_or_default();
    Some((code, message.chars().filter(|c| !c.is_control()).take(300).collect()))
}

/// What the venue asks us to stop and for how long, if it does. It answers 418 to an address that it has
/// banned, and bans that for longer which goes on.
pub(crate) fn back_off(reply: &Reply) -> Option<BackOff> {
    if !is_turned_away(reply) {
        return None;
    }
    let said = Fields::read(&reply.body).ok();
    let (code, words) = said.and_then(|answer| refusal(&answer)).unwrap_or_default();
    let stops = match (reply.status, code) {
        (418, _) => Stops::Everything,
        (_, TOO_MANY_ORDERS) => Stops::Orders,
        _ => Stops::Requests,
    };
    let header = reply.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    let seconds = header.and_then(|(_, value)| value.trim().parse::<u64>().ok());
    // Too many orders of an account are those of ten seconds, or of a minute.
    let default = if stops == Stops::Orders { ORDERS_BACK_OFF } else { DEFAULT_BACK_OFF };
    let asked = seconds.map_or(default, Span::from_secs);
    let wait = asked.clamp(Span::from_secs(1), MAX_BACK_OFF);
    Some(BackOff { stops, wait, until: banned_until(&words) })
}

/// Whether the time stamp was ahead of the venue's clock, or outside the window.
pub(crate) fn refuses_time(reply: &Reply) -> bool {
    let told = || Fields::read(&reply.body).ok().and_then(|answer| refusal(&answer));
    reply.status == 400 && told().is_some_and(|(code, _)| code == WRONG_TIME)
}

/// The time that the words of a ban name: `… banned until 1700000000000 …`.
fn banned_until(words: &str) -> Option<Time> {
    let (_, after) = words.split_once("banned until ")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Time::from_millis)
}

#[cfg(test)]
mod tests;

//! Faults that tests inject, and what they may look at.

use super::http::{Answer, Request};
use super::world::World;
use crate::engine::Venue;
use serde::Deserialize;
use serde_json::json;

/// Faults that wait for their moment.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Vec<Rule>,
}

/// A fault and where it strikes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// Which venue; every one when absent.
    venue: Option<String>,
    /// Text that the path (or the WebSocket method or stream) must contain.
    #[serde(default)]
    path: String,
    /// What goes wrong.
    fault: Fault,
    /// How often.
    #[serde(default = "once")]
    count: u32,
}

/// A clock that is wrong: Binance's, by which it judges time stamps and which it tells.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shift {
    /// By how many milliseconds it is ahead.
    ahead_ms: i64,
}

const fn once() -> u32 {
    1
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The answer comes this many milliseconds late.
    Delay(u64),
    /// The request is carried out, but the connection closes without an answer.
    DropAnswer,
    /// The connection closes before the request is carried out.
    Close,
    /// This status with the venue's words, nothing carried out.
    Status(u16),
    /// This status although the request was carried out.
    StatusAfter(u16),
    /// A stream message comes twice.
    Duplicate,
    /// A stream message is left out.
    Gap,
}

impl Faults {
    /// The fault that strikes a request now, if any; it is used up.
    pub fn strike(&mut self, venue: Venue, path: &str, stream: bool) -> Option<Fault> {
        let fits = |rule: &Rule| {
            let of_stream = matches!(rule.fault, Fault::Duplicate | Fault::Gap);
            rule.count > 0
                && of_stream == stream
                && rule.venue.as_deref().is_none_or(|name| name == venue.name())
                && path.contains(&rule.path)
        };
        let rule = self.rules.iter_mut().find(|rule| fits(rule))?;
        rule.count -= 1;
        let fault = rule.fault;
        self.rules.retain(|rule| rule.count > 0);
        Some(fault)
    }
}

/// Answers `/sim/…`.
pub(super) fn control(world: &mut World, request: &Request) -> Answer {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/sim/state") => Answer::json(
            200,
            &json!({
                "digest": world.exchange.digest(),
                "time": world.exchange.now().millis(),
                "seed": world.exchange.seed(),
            }),
        ),
        ("GET", "/sim/arrivals") => arrivals(world, request),
        ("POST", "/sim/faults") => match serde_json::from_slice::<Rule>(&request.body) {
            Ok(rule) => {
                world.faults.rules.push(rule);
                Answer::json(200, &json!({"ok": true}))
            }
            Err(error) => Answer::json(400, &json!({"error": error.to_string()})),
        },
        ("DELETE", "/sim/faults") => {
            world.faults.rules.clear();
            Answer::json(200, &json!({"ok": true}))
        }
        ("POST", "/sim/clock") => match serde_json::from_slice::<Shift>(&request.body) {
            Ok(shift) => {
                world.binance.ahead_ms = shift.ahead_ms;
                Answer::json(200, &json!({"ok": true}))
            }
            Err(error) => Answer::json(400, &json!({"error": error.to_string()})),
        },
        _ => Answer::json(404, &json!({"error": "no such control"})),
    }
}

/// Arrivals per client order id: `?venue=binance[&account=desk][&id=…]`.
fn arrivals(world: &World, request: &Request) -> Answer {
    let find = |name: &str| {
        let pairs = request.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
    };
    let venue = find("venue").and_then(|name| Venue::find(&name));
    let name = find("account").unwrap_or_else(|| "desk".to_owned());
    let Some(account) = venue.and_then(|venue| world.exchange.find_account(venue, &name)) else {
        return Answer::json(404, &json!({"error": "no such venue or account"}));
    };
    let wanted = find("id");
    let counted = world
        .exchange
        .all_arrivals(account)
        .filter(|(id, _)| wanted.as_deref().is_none_or(|wanted| wanted == *id))
        .map(|(id, count)| (id.to_owned(), json!(count)));
    Answer::json(200, &serde_json::Value::Object(counted.collect()))
}

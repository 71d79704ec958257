//! The server side of the Binance USDⓈ-M dialect.

mod account;
mod algo;
mod auth;
mod events;
mod fail;
mod limits;
mod market;
mod orders;
mod params;
mod render;
mod routes;
mod settings;
mod sockets;
mod streams;
pub(crate) mod universe;
mod wallet;
mod wsapi;

pub use sockets::Reader;

use crate::serve::http::{Answer, Request, Socket};
use crate::serve::world::{Shared, World};
use fail::Fail;
use params::{Params, unsigned};
use routes::{Call, Route, Security};
use serde_json::{Value, json};
use tidegate_types::time::Time;

/// What the dialect keeps between requests.
#[derive(Debug, Default)]
pub struct State {
    counters: limits::Counters,
    /// By how many milliseconds the clock that callers are held to is ahead of the exchange's own.
    pub ahead_ms: i64,
}

impl State {
    /// What that clock shows.
    fn shown(&self, now: Time) -> Time {
        Time::from_millis(now.millis().saturating_add_signed(self.ahead_ms))
    }
}

/// Answers a request.
pub fn rest(world: &mut World, request: &Request) -> Answer {
    let now = world.now();
    let found = routes::find(request.method.as_str(), &request.path);
    let outcome = match &found {
        Ok(route) => run(world, request, route, now),
        Err(fail) => Err(fail.clone()),
    };
    let mut answer = match &outcome {
        Ok((body, _)) => Answer::json(200, body),
        Err(fail) => Answer::json(fail.status, &fail.body()),
    };
    let used = world.binance.counters.used(request.peer.ip());
    answer.headers.push(("x-mbx-used-weight-1m", used.to_string()));
    if let (Ok(route), Ok((_, Some(account)))) = (found, &outcome)
        && route.orders > 0
    {
        let orders = world.binance.counters.orders(*account);
        answer.headers.push(("x-mbx-order-count-10s", orders.in_10s.to_string()));
        answer.headers.push(("x-mbx-order-count-1m", orders.in_minute.to_string()));
    }
    if let Some(until) = world.binance.counters.banned_until(request.peer.ip(), now) {
        let left = until.since(now).millis().div_ceil(1000);
        answer.headers.push(("retry-after", left.to_string()));
    } else if answer.status == 429 {
        let left = 60 - now.millis() / 1_000 % 60;
        answer.headers.push(("retry-after", left.to_string()));
    }
    answer
}

type Done = (Value, Option<crate::engine::AccountIx>);

fn run(world: &mut World, request: &Request, route: &Route, now: Time) -> Result<Done, Fail> {
    let limits = world.limits;
    let body = std::str::from_utf8(&request.body).map_err(|_| Fail::illegal("body"))?;
    let params = Params::of_form(&request.query, body);
    let weight = (route.weight)(&params);
    world.binance.counters.weigh(request.peer.ip(), weight, &limits, now)?;
    let mut key = None;
    if route.security != Security::None {
        let header = request.headers.get("x-mbx-apikey").and_then(|value| value.to_str().ok());
        key = Some(auth::find_key(world, header)?);
    }
    if let Some(key) = key.as_ref().filter(|_| route.security.is_signed()) {
        let given = params.need("signature")?;
        auth::check_time(&params, world.binance.shown(now))?;
        let payload = format!("{}{}", unsigned(&request.query), unsigned(body));
        auth::check_signature(key, &payload, given)?;
    }
    let mut call = Call { world, params, key, now };
    call.permitted(route.security)?;
    let account = call.key.as_ref().map(|key| key.account);
    call.count_orders(route, &limits)?;
    (route.run)(&mut call).map(|body| (body, account))
}

/// Serves a WebSocket to its end.
pub async fn socket(world: Shared, request: Request, socket: Socket) {
    if request.path.starts_with("/ws-fapi/") {
        wsapi::serve(world, &request, socket).await;
    } else {
        sockets::serve(world, &request, socket).await;
    }
}

/// What Binance says when its machinery fails.
pub fn unknown_error() -> Value {
    json!({"code": -1000, "msg": "Unknown error, please check your request or try again later."})
}

#[cfg(test)]
mod tests;

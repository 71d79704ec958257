//! What the venue counts: request weight by the minute and address.

use super::routes::{self, Weight};
use crate::upstream::{Allowance, Connections, Per, Units};
use serde::Deserialize;
use tidegate_types::call::WireRequest;
use tidegate_types::request::{Method, Reply};

/// The venue publishes no limit on open connections.
pub(crate) const CONNECTIONS: Connections =
    Connections { cancels: 32, orders: 64, reads: 16, public: 8, sockets: 256 };

/// The venue's limit is 2400 a minute. A quarter of it is enough to cancel hundreds of orders and
/// take several snapshots of the account at once.
pub(crate) const ALLOWANCES: &[Allowance] = &[Allowance {
    name: "request weight",
    per: Per::Address,
    units: 2_300,
    per_minute: 2_300,
    reserved: 600,
}];

/// What a request weighs that is not in the table: the gateway's own.
const UNLISTED: Weight = Weight::Flat(1);
/// What an answer says is used of the present minute's weight.
const USED: &str = "x-mbx-used-weight-1m";

pub(crate) fn cost(request: &WireRequest) -> Option<Units> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let methods = [Method::Get, Method::Post, Method::Put, Method::Delete];
    let method = methods.into_iter().find(|method| method.as_str() == request.method);
    let route = method.and_then(|method| routes::find(method, path).ok());
    // The query is of this folder's own making: each name once, nothing encoded that need not be.
    let param = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(n, _)| *n == name).map(|(_, value)| value)
    };
    let weight = route.map_or(UNLISTED, |route| route.weight);
    weigh(weight.of(param))
}

/// Whether one answer to a public read serves everybody: what tells the time, or whether the venue is there, is
/// asked for to measure just that.
pub(crate) fn is_shareable(request: &WireRequest) -> bool {
    let path = request.target.split_once('?').map_or(request.target.as_str(), |(path, _)| path);
    request.method == "GET" && !path.ends_with("/time") && !path.ends_with("/ping")
}

pub(crate) fn used(reply: &Reply) -> Option<Units> {
    let told = reply.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(USED));
    told.and_then(|(_, value)| value.trim().parse().ok()).and_then(weigh)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    rate_limits: Vec<Limit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Limit {
    rate_limit_type: String,
    interval: String,
    interval_num: u32,
    limit: u32,
}

/// The limit on weight a minute, with the same margin as the one in the table.
pub(crate) fn published(replies: &[Reply]) -> Option<Units> {
    let told: Published = serde_json::from_slice(&replies.first()?.body).ok()?;
    let a_minute = |limit: &&Limit| {
        limit.rate_limit_type == "REQUEST_WEIGHT"
            && (limit.interval.as_str(), limit.interval_num) == ("MINUTE", 1)
    };
    let limit = told.rate_limits.iter().find(a_minute)?.limit;
    weigh(limit - limit / 24)
}

fn weigh(count: u32) -> Option<Units> {
    Some(Units { allowance: 0, count }).filter(|units| units.count > 0)
}

#[cfg(test)]
mod tests;

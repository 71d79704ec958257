//! What the venue counts: request weight by the minute and address, and orders by ten seconds, by the
//! minute and account. Each begins anew with the next minute or ten seconds of its clock.

use super::routes::{self, Use, Weight};
use crate::upstream::{Allowance, Connections, Counting, Per, Units};
use serde::Deserialize;
use tidegate_types::call::WireRequest;
use tidegate_types::request::{Method, Reply};
use tidegate_types::time::Span;

/// The venue publishes no limit on open connections.
pub(crate) const CONNECTIONS: Connections = Connections {
    cancels: 32,
    orders: 64,
    reads: 16,
    public: 8,
    sockets: 256,
    own_sockets: 256,
    of_account: None,
};

const WEIGHT: usize = 0;
const ORDERS_10S: usize = 1;
const ORDERS_1M: usize = 2;

/// The part of a limit that is left to the venue, as one in so many.
const MARGIN: u32 = 100;

const fn allowance(name: &'static str, per: Per, seconds: u64, limit: u32) -> Allowance {
    let units = within(limit);
    let counting = Counting::Within(Span::from_secs(seconds));
    // Cancels weigh, and count as no orders.
    let cancels = matches!(per, Per::Address);
    Allowance { name, per, counting, units, reserved: limit.div_ceil(5), cancels }
}

const fn within(limit: u32) -> u32 {
    limit - limit.div_ceil(MARGIN)
}

/// The venue's limits. A fifth of its weight is enough to cancel hundreds of orders and take several
/// snapshots of the account at once.
pub(crate) const ALLOWANCES: &[Allowance] = &[
    allowance("request weight", Per::Address, 60, 2_400),
    allowance("orders in 10 s", Per::Account, 10, 300),
    allowance("orders in 1 min", Per::Account, 60, 1_200),
];

/// What a request weighs that is not in the table: the gateway's own.
const UNLISTED: Weight = Weight::Flat(1);
/// What an answer says is used of each, of the present minute and ten seconds.
const USED: &[(&str, usize)] = &[
    ("x-mbx-used-weight-1m", WEIGHT),
    ("x-mbx-order-count-10s", ORDERS_10S),
    ("x-mbx-order-count-1m", ORDERS_1M),
];

pub(crate) fn cost(request: &WireRequest) -> Vec<Units> {
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
    let order =
        |route: &routes::Route| matches!(route.purpose, Use::Place | Use::Amend | Use::PlaceAlgo);
    let orders = u32::from(route.is_some_and(order));
    let all = [(WEIGHT, weight.of(param)), (ORDERS_10S, orders), (ORDERS_1M, orders)];
    let units = all.map(|(allowance, count)| Units { allowance, count });
    units.into_iter().filter(|units| units.count > 0).collect()
}

/// Whether the futures' own host answers it; other products' hosts have weights and bans of their own.
pub(crate) fn is_counted(request: &WireRequest) -> bool {
    ["/fapi/", "/futures/"].iter().any(|own| request.target.starts_with(own))
}

/// Whether one answer to a public read serves everybody: what tells the time, or whether the venue is there, is
/// asked for to measure just that.
pub(crate) fn is_shareable(request: &WireRequest) -> bool {
    let path = request.target.split_once('?').map_or(request.target.as_str(), |(path, _)| path);
    request.method == "GET" && !path.ends_with("/time") && !path.ends_with("/ping")
}

pub(crate) fn used(reply: &Reply) -> Vec<Units> {
    let told = reply.headers.iter().filter_map(|(name, value)| {
        let (_, allowance) = USED.iter().find(|(used, _)| name.eq_ignore_ascii_case(used))?;
        Some(Units { allowance: *allowance, count: value.trim().parse().ok()? })
    });
    told.collect()
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

/// The limits as the venue publishes them, each with the margin that those in the table have.
pub(crate) fn published(replies: &[Reply]) -> Vec<Units> {
    let told = replies.first().and_then(|reply| serde_json::from_slice(&reply.body).ok());
    let told = told.map_or_else(Vec::new, |told: Published| told.rate_limits);
    told.iter().filter_map(Limit::units).collect()
}

impl Limit {
    fn units(&self) -> Option<Units> {
        let interval = (self.interval.as_str(), self.interval_num);
        let allowance = match (self.rate_limit_type.as_str(), interval) {
            ("REQUEST_WEIGHT", ("MINUTE", 1)) => WEIGHT,
            ("ORDERS", ("SECOND", 10)) => ORDERS_10S,
            ("ORDERS", ("MINUTE", 1)) => ORDERS_1M,
            _ => return None,
        };
        Some(Units { allowance, count: within(self.limit) })
    }
}

#[cfg(test)]
mod tests;

//! What the venue counts: credits, which each request costs and which come back all the time. Calls
//! without a key are counted by address, those with one by account. Orders and cancels have credits
//! of their own, which reads do not touch: how many depends on the account's volume, and its summary tells.

use super::build;
use super::methods::{self, Kind};
use crate::upstream::{AccountLimit, Allowance, Connections, Counting, Per, UNTOLD, Units};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use tidegate_types::call::WireRequest;
use tidegate_types::request::Reply;

/// The venue takes 32 from one address, of which eight sockets are the marks', the books' and six accounts'. An
/// account's private calls queue for it there, eight at the most: the next is refused (10047).
pub(crate) const CONNECTIONS: Connections = Connections {
    cancels: 6,
    orders: 4,
    reads: 2,
    public: 2,
    sockets: 10,
    own_sockets: 8,
    of_account: Some(8),
};

/// The venue gives back 10,000 credits a second in each.
const PER_MINUTE: u32 = 600_000;

const fn allowance(name: &'static str, per: Per, units: u32, reserved: u32) -> Allowance {
    let counting = Counting::Refill { per_minute: PER_MINUTE };
    Allowance { name, per, counting, units, reserved, cancels: reserved > 0 }
}

const PUBLIC: usize = 0;
const INSTRUMENTS: usize = 1;
const SUBSCRIPTIONS: usize = 2;
const PRIVATE: usize = 3;
const TRANSACTIONS: usize = 4;
const MATCHING: usize = 5;

/// The venue saves up 50,000 for public and for private calls, 500,000 for lists of instruments,
/// 30,000 for subscriptions and 80,000 for the log of transactions. No cancel is paid from those without
/// a reserve.
pub(crate) const ALLOWANCES: &[Allowance] = &[
    allowance("public credits", Per::Address, 46_000, 0),
    allowance("instrument credits", Per::Address, 460_000, 0),
    allowance("subscription credits", Per::Address, 27_000, 0),
    allowance("private credits", Per::Account, 46_000, 12_000),
    allowance("transaction log credits", Per::Account, 70_000, 0),
    Allowance {
        name: "matching engine requests",
        per: Per::Account,
        counting: Counting::Refill { per_minute: UNTOLD },
        units: UNTOLD,
        reserved: 0,
        cancels: true,
    },
];

pub(crate) fn cost(request: &WireRequest) -> Vec<Units> {
    let path = request.target.split('?').next().unwrap_or_default();
    let name = path.strip_prefix(super::rpc::ROOT).and_then(|path| path.strip_prefix('/'));
    name.and_then(of).into_iter().collect()
}

/// Whether it is paid from what orders and cancels are paid from.
pub(crate) fn are_orders(costs: &[Units]) -> bool {
    costs.iter().any(|cost| cost.allowance == MATCHING)
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
}

pub(crate) fn socket_cost(text: &str) -> Option<Units> {
    let call: Call<'_> = serde_json::from_str(text).ok()?;
    of(&call.method)
}

fn of(name: &str) -> Option<Units> {
    let units = |allowance, count| Some(Units { allowance, count });
    let method = methods::find(name)?;
    match (method.name, method.kind) {
        ("public/get_instruments", _) => units(INSTRUMENTS, 10_000),
        ("private/get_transaction_log", _) => units(TRANSACTIONS, 10_000),
        (_, Kind::New(_) | Kind::Edit | Kind::EditByLabel | Kind::Cancel) => units(MATCHING, 1),
        // Counted apart, and never held back.
        (_, Kind::CancelMany) => None,
        (_, Kind::Socket(socket)) if socket.subscribes() => units(SUBSCRIPTIONS, 3_000),
        _ if method.is_private() => units(PRIVATE, 500),
        _ => units(PUBLIC, 500),
    }
}

/// How many orders and single cancels the account's summaries allow, a little below what they say; of several the
/// least.
pub(crate) fn account_limits(replies: &[Reply]) -> Vec<AccountLimit> {
    let mut told = Vec::new();
    for (reply, (route, _)) in replies.iter().zip(build::SNAPSHOT) {
        if *route != "private/get_account_summaries" {
            continue;
        }
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let summaries = answer.pointer("/result/summaries").and_then(Value::as_array);
        for summary in summaries.into_iter().flatten() {
            rates(summary.pointer("/limits/matching_engine/trading"), &mut told);
        }
    }
    let least = told.into_iter().reduce(|a: Rate, b| (a.0.min(b.0), a.1.min(b.1)));
    let limit = least.and_then(|(burst, rate)| {
        let (units, per_minute) = (burst - (burst / 20).max(1), rate.saturating_mul(60));
        let both = u32::try_from(units).ok().zip(u32::try_from(per_minute).ok());
        let (units, per_minute) = both.filter(|(units, back)| *units > 0 && *back > 0)?;
        Some(AccountLimit { allowance: MATCHING, units, per_minute })
    });
    limit.into_iter().collect()
}

/// So many at once, and so many a second.
type Rate = (u64, u64);

/// The rates under `trading`: one in all, or one for each kind of instrument or currency.
fn rates(trading: Option<&Value>, told: &mut Vec<Rate>) {
    let rate = |it: &Value| {
        let (burst, rate) = (it.get("burst")?.as_u64()?, it.get("rate")?.as_u64()?);
        (burst > 0).then_some((burst, rate))
    };
    let Some(fields) = trading.and_then(Value::as_object) else { return };
    match fields.get("total").and_then(rate) {
        Some(total) => told.push(total),
        None => told.extend(fields.values().filter_map(rate)),
    }
}

/// Whether one answer to a public read serves everybody: what tells the time, or whether the venue is there, is
/// asked for to measure just that.
pub(crate) fn is_shareable(request: &WireRequest) -> bool {
    let path = request.target.split_once('?').map_or(request.target.as_str(), |(path, _)| path);
    let alone = ["/get_time", "/test", "/hello", "/status"];
    request.method == "GET" && !alone.iter().any(|name| path.ends_with(name))
}

#[cfg(test)]
mod tests;

//! Lists of which the venue sends a page. Other callers' rows are taken out of a page afterwards, so
//! the longest page is asked for, and what is left is cut to the length that the caller asked for.

use super::routes::Route;
use crate::front::Context;
use serde_json::{Value, json};

/// A route that sends pages.
struct Paged {
    path: &'static str,
    /// Rows where the caller gives no `limit`, and the most.
    rows: (usize, usize),
    /// With one of these the venue keeps the oldest rows; else the newest.
    from: &'static [&'static str],
}

const PAGED: &[Paged] = &[
    Paged { path: "/fapi/v1/allOrders", rows: (500, 1000), from: &["orderId", "startTime"] },
    Paged { path: "/fapi/v1/allAlgoOrders", rows: (500, 1000), from: &["algoId", "startTime"] },
    Paged { path: "/fapi/v1/userTrades", rows: (500, 1000), from: &["fromId", "startTime"] },
    Paged { path: "/fapi/v1/forceOrders", rows: (50, 100), from: &["startTime"] },
];

/// Asks for the longest page, and remembers in the context what the caller asked for.
pub(crate) fn widen(route: &Route, params: &mut Vec<(String, String)>, context: &mut Context) {
    let Some(paged) = PAGED.iter().find(|paged| paged.path == route.path) else { return };
    let (usual, most) = paged.rows;
    let asked = params.iter().find(|(name, _)| name == "limit").map(|(_, limit)| limit.parse());
    // A limit that is none, and one that is too large, the venue answers itself.
    let keep = match asked {
        None => usual,
        Some(Ok(limit)) if (1..most).contains(&limit) => limit,
        Some(_) => return,
    };
    let oldest = params.iter().any(|(name, _)| paged.from.contains(&name.as_str()));
    params.retain(|(name, _)| name != "limit");
    params.push(("limit".to_owned(), most.to_string()));
    if let Some(context) = context.0.as_object_mut() {
        context.insert("page".to_owned(), json!({"keep": keep, "oldest": oldest}));
    }
}

/// Cuts the rows that a caller may see to the length that it asked for.
pub(crate) fn cut<T>(rows: &mut Vec<T>, context: &Context) {
    let Some(page) = context.0.get("page") else { return };
    let keep = page.get("keep").and_then(Value::as_u64).and_then(|keep| usize::try_from(keep).ok());
    let Some(keep) = keep else { return };
    if page.get("oldest").and_then(Value::as_bool) == Some(true) {
        rows.truncate(keep);
    } else {
        rows.drain(..rows.len().saturating_sub(keep));
    }
}

#[cfg(test)]
mod tests;

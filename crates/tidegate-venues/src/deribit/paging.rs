//! Lists of which the venue sends a page. Other callers' rows are taken out of a page afterwards, so
//! the longest page is asked for, and what is left is cut to the one that the caller asked for.

use super::rpc::Rpc;
use crate::front::Context;
use serde_json::{Value, json};

/// The longest page.
const MOST: u64 = 1000;
const KEEP: &str = "keep";
const SKIP: &str = "skip";

/// The page that a caller asks for: rows to skip and rows to keep. None for other methods, for a
/// page that is no shorter than the longest, and for one that goes on where another ended: those
/// may come with fewer rows, and the caller goes on with the next.
fn asked(rpc: &Rpc) -> Option<(u64, u64)> {
    let usual = match rpc.method.name {
        "private/get_user_trades_by_currency"
        | "private/get_user_trades_by_currency_and_time"
        | "private/get_user_trades_by_instrument"
        | "private/get_user_trades_by_instrument_and_time" => 10,
        "private/get_order_history_by_currency" | "private/get_order_history_by_instrument" => 20,
        _ => return None,
    };
    if rpc.params.get("with_continuation").is_some() || rpc.params.get("continuation").is_some() {
        return None;
    }
    let keep = rpc.params.whole("count").ok()?.unwrap_or(usual);
    let skip = rpc.params.whole("offset").ok()?.unwrap_or(0);
    (keep > 0 && skip.saturating_add(keep) < MOST).then_some((skip, keep))
}

/// Asks for the longest page.
pub(crate) fn widen(rpc: &Rpc, params: &mut Vec<(String, String)>) {
    if asked(rpc).is_some() {
        params.retain(|(name, _)| name != "count" && name != "offset");
        params.push(("count".to_owned(), MOST.to_string()));
    }
}

/// What the answer's context must hold of it.
pub(crate) fn context(rpc: &Rpc) -> Option<Value> {
    asked(rpc).map(|(skip, keep)| json!({SKIP: skip, KEEP: keep}))
}

/// Cuts the rows that a caller may see to the page that it asked for.
pub(crate) fn cut(result: &mut Value, context: &Context) {
    let Some(page) = super::context::page(context) else { return };
    let number = |name: &str| page.get(name).and_then(Value::as_u64);
    let (Some(skip), Some(keep)) = (number(SKIP), number(KEEP)) else { return };
    let (Ok(skip), Ok(keep)) = (usize::try_from(skip), usize::try_from(keep)) else { return };
    let rows = match result {
        Value::Array(rows) => rows,
        Value::Object(fields) => match fields.get_mut("trades") {
            Some(Value::Array(rows)) => rows,
            _ => return,
        },
        _ => return,
    };
    rows.drain(..skip.min(rows.len()));
    let more = rows.len() > keep;
    rows.truncate(keep);
    if more && let Some(has_more) = result.get_mut("has_more") {
        *has_more = true.into();
    }
}

#[cfg(test)]
mod tests;

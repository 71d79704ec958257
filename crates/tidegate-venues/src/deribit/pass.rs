//! The venue's answers and messages as one caller may see them.

use super::{context, errors, paging, rpc};
use crate::front::{Context, Shown, Viewer};
use serde_json::Value;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;

/// The answer with the caller's labels and id, without other callers' orders and trades.
pub(crate) fn reply(context: &Context, mut reply: Reply, viewer: &Viewer<'_>) -> Reply {
    let Ok(Value::Object(mut answer)) = serde_json::from_slice::<Value>(&reply.body) else {
        // What is not JSON-RPC may hold anything of anybody's.
        let reject = Reject::new(Code::OutcomeUnknown, "the venue's answer cannot be read");
        let came = context::came(context);
        return errors::refusal(
            context::id(context),
            context::method(context),
            &reject,
            came,
            came,
        );
    };
    rpc::restore_id(&mut answer, context::id(context));
    let method = context::method(context);
    let own = matches!(
        method,
        "private/buy"
            | "private/sell"
            | "private/edit"
            | "private/edit_by_label"
            | "private/cancel"
    );
    // Public answers hold nobody's orders.
    let private = !method.starts_with("public/");
    if let Some(result) = answer.get_mut("result").filter(|_| private) {
        let visible = restore(result, viewer, own);
        if method == "private/get_open_orders_by_label" {
            keep_label(result, context::label(context).unwrap_or_default());
        }
        paging::cut(result, context);
        if !visible {
            let reject = Reject::new(Code::OrderNotFound, "");
            answer.shift_remove("result");
            let at = answer.len().min(1 + usize::from(context::id(context).is_some()));
            answer.shift_insert(at, "error".into(), errors::error(method, &reject));
            reply.status = 400;
        }
    }
    reply.body = Value::Object(answer).to_string().into_bytes();
    reply.headers.retain(|(name, _)| name == "content-type");
    reply
}

/// Puts the caller's labels in and takes rows of others out, at any depth. False when the value
/// itself is another's order or trade. `own`: it is the caller's for sure.
pub(crate) fn restore(value: &mut Value, viewer: &Viewer<'_>, own: bool) -> bool {
    match value {
        Value::Array(items) => {
            items.retain_mut(|item| restore(item, viewer, own));
            true
        }
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str);
            let order = text("order_id").or_else(|| text("trigger_order_id"));
            if let Some(order) = order {
                let label = text("label").filter(|label| !label.is_empty());
                match viewer.shown(label, Some(order)) {
                    Shown::Visible(id) => relabel(fields, id.as_ref().map(|id| id.as_str())),
                    Shown::Hidden if own => relabel(fields, None),
                    Shown::Hidden => return false,
                }
                return true;
            }
            fields.values_mut().filter(|field| field.is_array() || field.is_object()).for_each(
                |field| {
                    if !restore(field, viewer, own) {
                        *field = Value::Null;
                    }
                },
            );
            true
        }
        _ => true,
    }
}

/// The venue says `"label":""` of an order without one, and nothing of such an order's trade.
fn relabel(fields: &mut serde_json::Map<String, Value>, label: Option<&str>) {
    match label {
        Some(label) => drop(fields.insert("label".into(), label.into())),
        None if fields.contains_key("trade_id") => drop(fields.shift_remove("label")),
        None if fields.contains_key("label") => drop(fields.insert("label".into(), "".into())),
        None => {}
    }
}

fn keep_label(result: &mut Value, label: &str) {
    if let Value::Array(orders) = result {
        let of =
            |order: &Value| order.get("label").and_then(Value::as_str).unwrap_or_default() == label;
        orders.retain(of);
    }
}

#[cfg(test)]
mod tests;

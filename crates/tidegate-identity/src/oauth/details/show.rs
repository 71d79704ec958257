//! Writing `authorization_details`, as tokens and answers carry them.

use super::read::{ORDER_TYPES, SIDES};
use super::{TYPE, Terms, Trading};
use crate::oauth::json::{Object, seconds};
use serde_json::{Value, json};
use tidegate_types::hours::{Days, Hours, Window};

/// The items as a JSON array. What `read` makes of it is the same again.
pub fn to_value(items: &[Trading]) -> Value {
    Value::Array(items.iter().map(|item| Value::Object(trading(item))).collect())
}

fn trading(item: &Trading) -> Object {
    let mut out = Object::new();
    let mut put = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    put("type", TYPE.into());
    put("venue", item.venue.as_str().into());
    put("account", item.account.as_str().into());
    put("instruments", item.instruments.iter().map(ToString::to_string).collect());
    if let Some(from) = item.from {
        put("from", seconds(from).into());
    }
    if let Some(until) = item.until {
        put("until", seconds(until).into());
    }
    match &item.trade {
        None => put("read_only", true.into()),
        Some(terms) => terms_of(terms, put),
    }
    out
}

fn terms_of(terms: &Terms, mut put: impl FnMut(&str, Value)) {
    put("sides", words(&terms.sides, SIDES));
    put("order_types", words(&terms.order_types, ORDER_TYPES));
    if terms.reduce_only {
        put("reduce_only", true.into());
    }
    let mut order = json!({});
    if let Some(order) = order.as_object_mut() {
        if let Some(qty) = terms.max_order_qty {
            order.insert("quantity".into(), qty.to_string().into());
        }
        order.insert("notional".into(), terms.max_order_notional.to_string().into());
    }
    put("max_order", order);
    put("max_open_notional", terms.max_open_notional.to_string().into());
    if let Some(daily) = terms.max_daily_notional {
        put("max_daily_notional", daily.to_string().into());
    }
    let Window { hours, days } = terms.window;
    if hours != Hours::ALL {
        put("hours", hours.to_string().into());
    }
    if days != Days::ALL {
        put("days", days.to_string().into());
    }
    if terms.lift_halts {
        put("lift_halts", true.into());
    }
}

fn words<T: PartialEq>(values: &[T], table: &[(&str, T)]) -> Value {
    table.iter().filter(|(_, v)| values.contains(v)).map(|(word, _)| Value::from(*word)).collect()
}

//! What an answer needs to know of its request.

use super::paging;
use super::rpc::Rpc;
use crate::front::Context;
use serde_json::{Map, Value};
use tidegate_types::time::Time;

const ID: &str = "id";
const METHOD: &str = "method";
const CAME: &str = "came";
const LABEL: &str = "label";
const SCOPE: &str = "scope";
const STATE: &str = "state";
const PAGE: &str = "page";

/// Made from the call: its id, its method, when it came, and what a login or a read by label asks
/// to have repeated.
pub(crate) fn of(rpc: &Rpc, now: Time) -> Context {
    let mut fields = Map::new();
    if let Some(id) = &rpc.id {
        fields.insert(ID.into(), id.clone());
    }
    fields.insert(METHOD.into(), rpc.method.name.into());
    fields.insert(CAME.into(), now.micros().into());
    for name in [LABEL, SCOPE, STATE] {
        if let Some(value @ Value::String(_)) = rpc.params.get(name) {
            fields.insert(name.into(), value.clone());
        }
    }
    if let Some(page) = paging::context(rpc) {
        fields.insert(PAGE.into(), page);
    }
    Context(Value::Object(fields))
}

/// The caller's id of the request.
pub(crate) fn id(context: &Context) -> Option<&Value> {
    context.0.get(ID)
}

/// The method asked for.
pub(crate) fn method(context: &Context) -> &str {
    text(context, METHOD).unwrap_or_default()
}

/// When the request came.
pub(crate) fn came(context: &Context) -> Time {
    Time::from_micros(context.0.get(CAME).and_then(Value::as_u64).unwrap_or_default())
}

/// The label asked for.
pub(crate) fn label(context: &Context) -> Option<&str> {
    text(context, LABEL)
}

/// The scope asked for.
pub(crate) fn scope(context: &Context) -> Option<&str> {
    text(context, SCOPE)
}

/// The state to repeat in the answer to a login.
pub(crate) fn state(context: &Context) -> Option<&str> {
    text(context, STATE)
}

/// The page asked for, of a list whose rows are filtered.
pub(crate) fn page(context: &Context) -> Option<&Value> {
    context.0.get(PAGE)
}

fn text<'a>(context: &'a Context, name: &str) -> Option<&'a str> {
    context.0.get(name).and_then(Value::as_str)
}

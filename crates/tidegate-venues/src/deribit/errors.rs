//! Refusals and the gateway's own answers in the venue's words.

use super::context;
use super::orders;
use super::rpc::{Rpc, envelope};
use crate::front::{Context, LocalAnswer};
use serde_json::{Map, Value};
use tidegate_types::order::GuardScope;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;
use tidegate_types::time::Time;

/// Longest message of a refusal.
const MAX_MESSAGE: usize = 240;

const INVALID_PARAMS: (i64, &str) = (-32602, "Invalid params");
const OTHER_REJECT: (i64, &str) = (11030, "other_reject");
const PERMISSION: (i64, &str) = (11042, "permission_denied");
const TOO_MANY: (i64, &str) = (10028, "too_many_requests");
const CREDENTIALS: (i64, &str) = (13004, "invalid_credentials");
const UNAVAILABLE: (i64, &str) = (13503, "unavailable");
const NOT_FOUND: (i64, &str) = (10004, "order_not_found");

/// The venue's number and word for a refusal. Refusals by risk must not use those that stock
/// clients retry; those of rate must, because clients wait then.
pub(crate) const fn word(code: Code) -> (i64, &'static str) {
    match code {
        Code::MissingCredentials => (10000, "authorization_required"),
        Code::UnknownKey
        | Code::KeyExpired
        | Code::KeyNotFromHere
        | Code::WeakLogin
        | Code::BadSignature
        | Code::StaleTimestamp
        | Code::Replayed
        | Code::WrongVenue => CREDENTIALS,
        Code::BadToken => (13009, "unauthorized"),
        Code::UnknownRoute => (-32601, "Method not found"),
        Code::NotAllowed | Code::ForbiddenRoute => (13021, "forbidden"),
        Code::Malformed => (11050, "bad_request"),
        Code::DuplicateParameter
        | Code::UnknownParameter
        | Code::MissingParameter
        | Code::BadParameter
        | Code::OutOfRange => INVALID_PARAMS,
        Code::UnsupportedParameter => (11047, "unsupported_arg_combination"),
        Code::TooLarge => (-32600, "request entity too large"),
        Code::UnknownInstrument => (10020, "invalid_or_unsupported_instrument"),
        Code::NeedsWebSocket => (10030, "must_be_websocket_request"),
        Code::NoGrant
        | Code::InstrumentNotGranted
        | Code::SideNotGranted
        | Code::OrderTypeNotGranted
        | Code::ReduceOnlyGrant
        | Code::SettingsNotGranted
        | Code::GrantExpired
        | Code::OutsideHours => PERMISSION,
        Code::OrderNotFound => NOT_FOUND,
        Code::OrderEnded => (11044, "not_open_order"),
        Code::CallerRate | Code::PolicyRate | Code::AccountRate | Code::RequestRate | Code::VenueBudget => TOO_MANY,
        Code::TooManyInFlight => (10066, "too_many_concurrent_requests"),
        Code::OrderQuantity
        | Code::OrderNotional
        | Code::PriceCollar
        | Code::StaleMark
        | Code::NoMark
        | Code::NoLimit
        | Code::OpenNotional
        | Code::PositionNotional
        | Code::Exposure
        | Code::GrantOpenNotional
        | Code::DailyNotional
        | Code::NotInPolicy
        | Code::PolicyLimit
        | Code::SoftLimit
        | Code::PolicyUnmeasured
        | Code::RepeatedExecutions
        | Code::Uncomputable
        | Code::DuplicateOrderId
        | Code::RepeatedOrder
        | Code::NotReducing => OTHER_REJECT,
        Code::Halted | Code::AccountClosed => (10019, "locked_by_admin"),
        Code::BadPriceStep => (10043, "price_wrong_tick"),
        Code::BadQuantityStep => (10021, "invalid_amount"),
        Code::JournalUnavailable
        | Code::SignerUnavailable
        | Code::SignerRefused
        | Code::VenueUnreachable => UNAVAILABLE,
        Code::OutcomeUnknown => (11031, "other_error"),
    }
}

/// A refusal as an answer.
pub(crate) fn refusal(
    id: Option<&Value>,
    method: &str,
    reject: &Reject,
    came: Time,
    now: Time,
) -> Reply {
    if reject.code == Code::OrderNotFound && method == "private/get_order_state_by_label" {
        // The venue lists what carries a label; of nothing it lists nothing.
        return reply(200, envelope(id, ("result", Value::Array(Vec::new())), came, now));
    }
    reply(400, envelope(id, ("error", error(method, reject)), came, now))
}

/// A refusal under another number of the venue's.
pub(crate) fn refusal_as(
    context: &Context,
    code: i64,
    word: &str,
    reject: &Reject,
    now: Time,
) -> Reply {
    let mut fields = Map::new();
    fields.insert("code".into(), code.into());
    fields.insert("message".into(), format!("{word} {}", short(&reject.to_string())).into());
    let error = ("error", Value::Object(fields));
    reply(400, envelope(context::id(context), error, context::came(context), now))
}

/// The `error` of a refusal.
pub(crate) fn error(method: &str, reject: &Reject) -> Value {
    let (code, word) = match (reject.code, reject.detail.as_str()) {
        (Code::OrderNotFound | Code::OrderEnded, _) if method == "private/edit_by_label" => {
            (13032, "non_unique_order_label")
        }
        (Code::BadQuantityStep, orders::TOO_LOW) => (10002, "qty_too_low"),
        (Code::BadQuantityStep, orders::NOT_WHOLE) => (10027, "non_integer_contract_amount"),
        (Code::OutOfRange, orders::TOO_LATE) => (13888, "timed_out"),
        (code, _) => word(code),
    };
    let told = short(&reject.to_string());
    let mut fields = Map::new();
    if code == INVALID_PARAMS.0 {
        fields.insert("code".into(), code.into());
        fields.insert("message".into(), word.into());
        fields.insert("data".into(), invalid_param(reject, &told));
        return Value::Object(fields);
    }
    fields.insert("code".into(), code.into());
    fields.insert("message".into(), format!("{word} {told}").into());
    if reject.code == Code::BadToken {
        fields.insert("data".into(), one("reason", "invalid_token"));
    }
    Value::Object(fields)
}

/// `{"reason":"wrong format","param":…}` as the venue has it; the parsers name the parameter
/// first in backticks.
fn invalid_param(reject: &Reject, told: &str) -> Value {
    let mut data = Map::new();
    data.insert("reason".into(), "wrong format".into());
    if let Some(name) = reject.detail.strip_prefix('`').and_then(|rest| rest.split('`').next()) {
        data.insert("param".into(), name.into());
    }
    data.insert("detail".into(), told.into());
    Value::Object(data)
}

fn one(key: &str, value: &str) -> Value {
    let mut fields = Map::new();
    fields.insert(key.into(), value.into());
    Value::Object(fields)
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect()
}

/// The gateway's own answer.
pub(crate) fn answer(context: &Context, answer: &LocalAnswer, now: Time) -> Reply {
    let result = match answer {
        LocalAnswer::Cancelled { done, failed: 0 } => (*done).into(),
        LocalAnswer::Cancelled { done, failed } => {
            let detail = format!("{done} orders were cancelled, {failed} are not known to be");
            let reject = Reject::new(Code::OutcomeUnknown, detail);
            let (came, id) = (context::came(context), context::id(context));
            return refusal(id, context::method(context), &reject, came, now);
        }
        LocalAnswer::Done => "ok".into(),
        LocalAnswer::Login { access, refresh, lifetime } => {
            login(context, access, refresh, lifetime.micros() / 1_000_000)
        }
        LocalAnswer::CancelOnDisconnect { scope, enabled } => {
            let scope = match scope {
                GuardScope::Session => "connection",
                GuardScope::Account => "account",
            };
            let mut fields = Map::new();
            fields.insert("scope".into(), scope.into());
            fields.insert("enabled".into(), (*enabled).into());
            Value::Object(fields)
        }
        // The venue has neither batches nor stream keys; nothing that `parse` makes asks for one.
        LocalAnswer::Batch(_) | LocalAnswer::StreamKey(_) => Value::Null,
    };
    reply(200, envelope(context::id(context), ("result", result), context::came(context), now))
}

/// The venue's words for what a virtual key may do here: reads, and orders within its grants.
const GRANTED: &str = "account:read trade:read_write wallet:none";

fn login(context: &Context, access: &str, refresh: &str, seconds: u64) -> Value {
    let asked = context::scope(context).unwrap_or_default();
    let session = asked.split(' ').find(|word| word.starts_with("session:"));
    let mut fields = Map::new();
    fields.insert("access_token".into(), access.into());
    fields.insert("enabled_features".into(), Value::Array(Vec::new()));
    fields.insert("expires_in".into(), seconds.into());
    fields.insert("refresh_token".into(), refresh.into());
    fields.insert("scope".into(), format!("{GRANTED} {}", session.unwrap_or("connection")).into());
    if let Some(state) = context::state(context) {
        fields.insert("state".into(), state.into());
    }
    fields.insert("token_type".into(), "bearer".into());
    Value::Object(fields)
}

/// A result of the gateway's own.
pub(crate) fn result(rpc: &Rpc, result: Value, now: Time) -> Reply {
    reply(200, envelope(rpc.id.as_ref(), ("result", result), now, now))
}

/// An HTTP answer.
pub(crate) fn reply(status: u16, body: Map<String, Value>) -> Reply {
    Reply {
        status,
        headers: vec![("content-type".into(), "application/json".into())],
        body: Value::Object(body).to_string().into_bytes(),
    }
}

#[cfg(test)]
mod tests;

//! The dialect's errors: a number, its fixed word, and sometimes data.

use serde_json::{Value, json};
use std::borrow::Cow;

/// What a call is answered with when it fails.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Fault {
    /// The venue's number.
    pub(crate) code: i32,
    /// The venue's word for it, with a limit appended where the venue does.
    pub(crate) message: Cow<'static, str>,
    /// More, for programs.
    pub(crate) data: Option<Value>,
}

macro_rules! faults {
    ($($name:ident = $code:literal $message:literal;)*) => {
        impl Fault {
            $(pub(crate) const $name: Fault =
                Fault { code: $code, message: Cow::Borrowed($message), data: None };)*

            /// Every fault that the simulator answers with.
            #[cfg(test)]
            pub(crate) const ALL: &[Fault] = &[$(Fault::$name),*];
        }
    };
}

faults! {
    AUTHORIZATION_REQUIRED = 10000 "authorization_required";
    QTY_TOO_LOW = 10002 "qty_too_low";
    ORDER_OVERLAP = 10003 "order_overlap";
    ORDER_NOT_FOUND = 10004 "order_not_found";
    PRICE_TOO_LOW = 10005 "price_too_low";
    PRICE_TOO_HIGH = 10007 "price_too_high";
    NOT_ENOUGH_FUNDS = 10009 "not_enough_funds";
    ALREADY_CLOSED = 10010 "already_closed";
    BOOK_CLOSED = 10012 "book_closed";
    INVALID_INSTRUMENT = 10020 "invalid_or_unsupported_instrument";
    INVALID_AMOUNT = 10021 "invalid_amount";
    INVALID_PRICE = 10023 "invalid_price";
    PRICE_PRECISION = 10026 "price_precision_exceeded";
    NON_INTEGER_CONTRACTS = 10027 "non_integer_contract_amount";
    TOO_MANY_REQUESTS = 10028 "too_many_requests";
    MUST_BE_WEBSOCKET = 10030 "must_be_websocket_request";
    NOT_IMPLEMENTED = 10033 "not_implemented";
    TRIGGER_TOO_HIGH = 10034 "trigger_price_too_high";
    TRIGGER_TOO_LOW = 10035 "trigger_price_too_low";
    PRICE_WRONG_TICK = 10043 "price_wrong_tick";
    TRIGGER_PRICE_WRONG_TICK = 10044 "trigger_price_wrong_tick";
    INVALID_ARGUMENTS = 11029 "invalid_arguments";
    OTHER_REJECT = 11030 "other_reject";
    NO_MORE_TRIGGERS = 11035 "no_more_triggers";
    INVALID_TRIGGER_PRICE = 11036 "invalid_trigger_price";
    NO_ADVANCED_FOR_FUTURES = 11038 "no_adv_for_futures";
    NOT_OPEN_ORDER = 11044 "not_open_order";
    BAD_REQUEST = 11050 "bad_request";
    POST_ONLY_REJECT = 11054 "post_only_reject";
    POST_ONLY_NOT_ALLOWED = 11055 "post_only_not_allowed";
    INTERNAL = 11094 "internal_server_error";
    INVALID_CREDENTIALS = 13004 "invalid_credentials";
    UNAUTHORIZED = 13009 "unauthorized";
    NOT_FOUND = 13020 "not_found";
    FORBIDDEN = 13021 "forbidden";
    TEMPORARILY_UNAVAILABLE = 13028 "temporarily_unavailable";
    MMP_REQUIRED = 13040 "mmp_required";
    NON_UNIQUE_LABEL = 13032 "non_unique_order_label";
    SCOPE_EXCEEDED = 13403 "scope_exceeded";
    RAW_NEEDS_AUTH = 13778 "raw_subscriptions_not_available_for_unauthorized";
    TIMED_OUT = 13888 "timed_out";
    SECOND_FACTOR_REQUIRED = 13904 "security_key_setup_required";
    TOO_LARGE = -32600 "request entity too large";
    NO_SUCH_METHOD = -32601 "Method not found";
    INVALID_PARAMS = -32602 "Invalid params";
}

impl Fault {
    /// The same with data.
    pub(crate) fn with(mut self, data: Value) -> Fault {
        self.data = Some(data);
        self
    }

    /// The same with a limit behind the word, as in `price_too_high 43666.4`.
    pub(crate) fn limit(mut self, limit: impl std::fmt::Display) -> Fault {
        self.message = Cow::Owned(format!("{} {limit}", self.message));
        self
    }

    /// A parameter that is missing or of the wrong type.
    pub(crate) fn param(name: &str) -> Fault {
        Fault::INVALID_PARAMS.with(json!({ "reason": "wrong format", "param": name }))
    }

    /// A token that is unknown, expired or revoked.
    pub(crate) fn invalid_token() -> Fault {
        Fault::UNAUTHORIZED.with(json!({ "reason": "invalid_token" }))
    }

    /// A body or a frame that is not JSON.
    pub(crate) fn invalid_json() -> Fault {
        Fault::BAD_REQUEST.with(json!("invalid json"))
    }
}

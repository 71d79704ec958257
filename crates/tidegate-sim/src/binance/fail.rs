//! Errors in Binance's words.

use crate::engine::Refusal;
use serde_json::{Value, json};
use std::borrow::Cow;
use tidegate_types::time::Time;

/// An error as the venue tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fail {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The code.
    pub(crate) code: i32,
    /// The words.
    pub(crate) text: Cow<'static, str>,
}

const fn fail(code: i32, text: &'static str) -> Fail {
    failing(400, code, text)
}

const fn failing(status: u16, code: i32, text: &'static str) -> Fail {
    Fail { status, code, text: Cow::Borrowed(text) }
}

impl Fail {
    pub(crate) const UNKNOWN: Fail =
        fail(-1000, "An unknown error occurred while processing the request.");
    pub(crate) const KEY_FORMAT: Fail = failing(401, -2014, "API-key format invalid.");
    pub(crate) const KEY: Fail =
        failing(401, -2015, "Invalid API-key, IP, or permissions for action.");
    pub(crate) const SIGNATURE: Fail = fail(-1022, "Signature for this request is not valid.");
    pub(crate) const LATE: Fail =
        fail(-1021, "Timestamp for this request is outside of the recvWindow.");
    pub(crate) const EARLY: Fail =
        fail(-1021, "Timestamp for this request was 1000ms ahead of the server's time.");
    pub(crate) const WINDOW: Fail = fail(-1131, "recvWindow must be less than 60000");
    pub(crate) const SYMBOL: Fail = fail(-1121, "Invalid symbol.");
    pub(crate) const SIDE: Fail = fail(-1117, "Invalid side.");
    pub(crate) const TYPE: Fail = fail(-1116, "Invalid orderType.");
    pub(crate) const TIF: Fail = fail(-1115, "Invalid timeInForce.");
    pub(crate) const INTERVAL: Fail = fail(-1120, "Invalid interval.");
    pub(crate) const PRECISION: Fail =
        fail(-1111, "Precision is over the maximum defined for this asset.");
    pub(crate) const CLIENT_ID: Fail = fail(-4015, "Client order id is not valid.");
    pub(crate) const USE_ALGO: Fail = fail(
        -4120,
        "Order type not supported for this endpoint. Please use the Algo Order API endpoints \
         instead.",
    );
    pub(crate) const NO_ORDER: Fail = fail(-2013, "Order does not exist.");
    pub(crate) const NO_CANCEL: Fail = fail(-2011, "Unknown order sent.");
    pub(crate) const LISTEN_KEY: Fail = fail(-1125, "This listenKey does not exist.");
    pub(crate) const POSITION_SIDE: Fail =
        fail(-4061, "Order's position side does not match user's setting.");
    pub(crate) const POSITION_SIDE_NAME: Fail = fail(-4060, "Invalid position side.");
    pub(crate) const PRICE_MATCH: Fail = fail(-5037, "Invalid price match");
    pub(crate) const PRICE_MATCH_TYPE: Fail =
        fail(-5038, "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT");
    pub(crate) const SELF_TRADE: Fail = fail(-5039, "Invalid self trade prevention mode");
    pub(crate) const GOOD_TILL: Fail = fail(
        -5040,
        "The goodTillDate timestamp must be greater than the current time plus 600 seconds and \
         smaller than 253402300799000",
    );
    pub(crate) const LIMIT_ONLY: Fail = fail(-5025, "Only limit order is supported.");
    pub(crate) const REDUCE_MISMATCH: Fail =
        fail(-5047, "ReduceOnly does not match the original order.");
    pub(crate) const BATCH: Fail = fail(-4082, "Invalid number of batch place orders.");
    pub(crate) const BATCH_CANCEL: Fail = fail(-4032, "Exceed maximum cancel order size.");
    pub(crate) const CLOSE_WITH_QUANTITY: Fail =
        fail(-4137, "Quantity must be zero with closePosition equals true");
    pub(crate) const CLOSE_AND_REDUCE: Fail =
        fail(-1106, "Parameter 'reduceonly' sent when not required.");
    pub(crate) const WORKING_TYPE: Fail = fail(-4031, "Invalid workingType.");
    pub(crate) const LEVERAGE: Fail = fail(-4028, "Leverage is not valid.");
    pub(crate) const CALLBACK: Fail = fail(-2007, "Invalid callBack rate.");
    pub(crate) const RESP_TYPE: Fail = fail(-1136, "Invalid newOrderRespType.");
    pub(crate) const SPAN: Fail = fail(-1023, "Start time is greater than end time.");
    pub(crate) const NOT_FOUND: Fail = failing(404, -5000, "Path or method is not supported.");
    pub(crate) const METHOD: Fail = fail(-1020, "This operation is not supported.");

    pub(crate) fn missing(name: &str) -> Fail {
        let text =
            format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed.");
        Fail { status: 400, code: -1102, text: text.into() }
    }

    pub(crate) fn illegal(name: &str) -> Fail {
        let text = format!(
            "Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'."
        );
        Fail { status: 400, code: -1100, text: text.into() }
    }

    pub(crate) fn unneeded(name: &str) -> Fail {
        let text = format!("Parameter '{name}' sent when not required.");
        Fail { status: 400, code: -1106, text: text.into() }
    }

    pub(crate) fn depth_limit(limit: &str) -> Fail {
        Fail { status: 400, code: -4021, text: format!("Invalid depth limit: {limit}").into() }
    }

    pub(crate) fn weight(peer: &str, limit: u32) -> Fail {
        let text = format!(
            "Too many requests; current limit of IP({peer}) is {limit} requests per minute. Please \
             use the websocket for live updates to avoid polling the API."
        );
        Fail { status: 429, code: -1003, text: text.into() }
    }

    pub(crate) fn banned(peer: &str, until: Time) -> Fail {
        let text = format!(
            "Way too many requests; IP({peer}) banned until {}. Please use the websocket for live \
             updates to avoid bans.",
            until.millis()
        );
        Fail { status: 418, code: -1003, text: text.into() }
    }

    pub(crate) fn orders(limit: u32, interval: &str) -> Fail {
        let text = format!("Too many new orders; current limit is {limit} orders per {interval}.");
        Fail { status: 429, code: -1015, text: text.into() }
    }

    pub(crate) fn body(&self) -> Value {
        json!({"code": self.code, "msg": self.text})
    }

    /// Why an order was not taken on.
    pub(crate) fn of_order(refusal: Refusal) -> Fail {
        let told = |code, text: String| Fail { status: 400, code, text: text.into() };
        match refusal {
            Refusal::UnknownInstrument => Fail::SYMBOL,
            Refusal::NotTrading => fail(-1122, "Invalid symbol status."),
            Refusal::BadPrice => fail(-4001, "Price less than or equal to zero."),
            Refusal::OffTick => fail(-4014, "Price not increased by tick size."),
            Refusal::PriceTooHigh(limit) => {
                told(-4016, format!("Limit price can't be higher than {limit}."))
            }
            Refusal::PriceTooLow(limit) => {
                told(-4024, format!("Limit price can't be lower than {limit}."))
            }
            Refusal::BadQuantity => fail(-4003, "Quantity less than or equal to zero."),
            Refusal::TooSmall => fail(-4004, "Quantity less than min quantity."),
            Refusal::TooLarge => fail(-4005, "Quantity greater than max quantity."),
            Refusal::OffStep => fail(-4023, "Quantity not increased by step size."),
            Refusal::MinNotional(least) => told(
                -4164,
                format!(
                    "Order's notional must be no smaller than {least} (unless you choose reduce \
                     only)."
                ),
            ),
            Refusal::Margin | Refusal::Balance => fail(-2019, "Margin is insufficient."),
            Refusal::WouldTake => fail(
                -5022,
                "Due to the order could not be executed as maker, the Post Only order will be \
                 rejected. The order will not be recorded in the order history",
            ),
            Refusal::CannotFill => fail(
                -5021,
                "Due to the order could not be filled immediately, the FOK order has been \
                 rejected. The order will not be recorded in the order history",
            ),
            Refusal::ReduceOnly => fail(-2022, "ReduceOnly Order is rejected."),
            Refusal::PositionSide => Fail::POSITION_SIDE,
            Refusal::DuplicateClientId => fail(-4116, "ClientOrderId is duplicated."),
            Refusal::UnknownOrder | Refusal::NotOpen => Fail::NO_ORDER,
            Refusal::TooManyOrders => fail(-2025, "Reach max open order limit."),
            Refusal::TooManyTriggers => fail(-4045, "Reach max stop order limit."),
            Refusal::WouldTrigger => fail(-2021, "Order would immediately trigger."),
            Refusal::BadTrigger => fail(-4006, "Stop price less than zero."),
            Refusal::NoLiquidity => fail(-2020, "Unable to fill."),
            Refusal::BadGoodTill => Fail::GOOD_TILL,
            Refusal::CannotAmend => Fail::LIMIT_ONLY,
            Refusal::SameOrder => fail(-5027, "No need to modify the order."),
            Refusal::Leverage => {
                fail(-2027, "Exceeded the maximum allowable position at current leverage.")
            }
            Refusal::SelfTrade => Fail::SELF_TRADE,
            Refusal::NoListenKey => Fail::LISTEN_KEY,
            Refusal::HasOrders => {
                fail(-4047, "Margin type cannot be changed if there exists open orders.")
            }
            Refusal::HasPosition => {
                fail(-4048, "Margin type cannot be changed if there exists position.")
            }
            Refusal::NoChange => fail(-4046, "No need to change margin type."),
            Refusal::Unavailable => failing(503, -1016, "This service is no longer available."),
        }
    }

    /// Why the position mode was not changed.
    pub(crate) fn of_position_mode(refusal: Refusal) -> Fail {
        match refusal {
            Refusal::HasOrders => {
                fail(-4067, "Position side cannot be changed if there exists open orders.")
            }
            Refusal::HasPosition => {
                fail(-4068, "Position side cannot be changed if there exists position.")
            }
            Refusal::NoChange => fail(-4059, "No need to change position side."),
            other => Fail::of_order(other),
        }
    }

    pub(crate) const JOINT_UNCHANGED: Fail = fail(-4171, "No need to change joint margin.");
    pub(crate) const AMOUNT: Fail = fail(-4055, "Amount must be positive.");
    pub(crate) const ISOLATED_ONLY: Fail =
        fail(-4054, "Cannot add position margin: position is 0.");
    pub(crate) const ISOLATED_MARGIN: Fail = fail(-4051, "Isolated balance insufficient.");
    pub(crate) const FUNDS: Fail = fail(-4026, "The user has insufficient balance available.");
}

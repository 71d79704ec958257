//! Refusals in Binance's words: a number, a text and an HTTP status for every code.
//!
//! Where the venue would refuse the same request itself, the words are the venue's own, so that a
//! program sees no difference. Where Tidegate alone refuses, the number is the nearest of the
//! venue's and the text begins with `TGnnn`.

use super::routes::{self, Use};
use serde_json::{Value, json};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;

/// How long a caller is asked to wait when it is too fast, in seconds, unless more is known.
const RETRY_AFTER: u64 = 1;

/// The codes of the checks made in this folder, whose details may be the venue's own words.
const CHECKED_HERE: &[Code] = &[
    Code::MissingCredentials,
    Code::Malformed,
    Code::UnknownParameter,
    Code::MissingParameter,
    Code::BadParameter,
    Code::UnsupportedParameter,
    Code::BadPriceStep,
    Code::BadQuantityStep,
];

/// A refusal that the venue would make itself, in its number and words.
pub(crate) fn said(code: Code, number: i64, words: impl AsRef<str>) -> Reject {
    Reject::new(code, format!("{number} {}", words.as_ref()))
}

/// The venue's refusal of a request that lacks a parameter or has it unreadable.
pub(crate) fn missing(name: &str) -> Reject {
    let words = format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed.");
    said(Code::MissingParameter, -1102, words)
}

/// The venue's refusal of a parameter with characters it may not have.
pub(crate) fn illegal(name: &str, legal: &str) -> Reject {
    let words =
        format!("Illegal characters found in parameter '{name}'; legal range is '{legal}'.");
    said(Code::BadParameter, -1100, words)
}

/// The venue's refusal of a parameter that does not go with the others.
pub(crate) fn not_required(name: &str) -> Reject {
    said(Code::BadParameter, -1106, format!("Parameter '{name}' sent when not required."))
}

/// What is known of the request that is refused.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct About {
    /// What its route is for.
    pub(crate) purpose: Option<Use>,
    /// Whether it sells.
    pub(crate) sells: bool,
    /// Whether its timestamp is ahead of our clock.
    pub(crate) ahead: bool,
}

impl About {
    /// What a context tells.
    pub(crate) fn context(context: &Value) -> About {
        let route = context.get("route").and_then(Value::as_str).and_then(routes::named);
        let sells = context.get("side").and_then(Value::as_str) == Some("SELL");
        About { purpose: route.map(|route| route.purpose), sells, ahead: false }
    }
}

/// A refusal as the venue would send it.
pub(crate) fn reply(reject: &Reject, about: About) -> Reply {
    let (status, number, words) = worded(reject, about);
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if status == 429 {
        let seconds = reject.wait().map_or(RETRY_AFTER, |wait| wait.millis().div_ceil(1000));
        headers.push(("retry-after".to_owned(), seconds.to_string()));
    }
    Reply { status, headers, body: json!({"code": number, "msg": words}).to_string().into_bytes() }
}

/// HTTP status, number and words of a refusal.
pub(crate) fn worded(reject: &Reject, about: About) -> (u16, i64, String) {
    let (status, number, own_words) = table(reject.code, about);
    if let Some((number, words)) = verbatim(reject) {
        return (status, number, words.to_owned());
    }
    (status, number, own_words.map_or_else(|| reject.to_string(), str::to_owned))
}

/// The number and words of a refusal made with `said`.
fn verbatim(reject: &Reject) -> Option<(i64, &str)> {
    if !CHECKED_HERE.contains(&reject.code) {
        return None;
    }
    let (number, words) = reject.detail.split_once(' ')?;
    let digits = number.strip_prefix('-')?;
    let plain = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { Some((number.parse().ok()?, words)) } else { None }
}

/// The venue's answer when it does not have the order, which depends on the question.
fn no_such_order(purpose: Option<Use>) -> (i64, &'static str) {
    match purpose {
        Some(Use::Cancel | Use::CancelAlgo | Use::BatchCancel) => (-2011, "Unknown order sent."),
        _ => (-2013, "Order does not exist."),
    }
}

const STALE: &str = "Timestamp for this request is outside of the recvWindow.";
const AHEAD: &str = "Timestamp for this request was 1000ms ahead of the server's time.";

/// Every code's HTTP status, the venue's number, and the venue's words where they serve.
fn table(code: Code, about: About) -> (u16, i64, Option<&'static str>) {
    match code {
        Code::MissingCredentials => (401, -2014, Some("API-key format invalid.")),
        Code::UnknownKey => (401, -2015, Some("Invalid API-key, IP, or permissions for action.")),
        Code::BadSignature => (400, -1022, Some("Signature for this request is not valid.")),
        Code::StaleTimestamp => (400, -1021, Some(if about.ahead { AHEAD } else { STALE })),
        Code::Replayed => (400, -1022, None),
        Code::WrongVenue
        | Code::KeyExpired
        | Code::KeyNotFromHere
        | Code::WeakLogin
        | Code::NoGrant
        | Code::GrantExpired
        | Code::OutsideHours
        | Code::SettingsNotGranted => (401, -2015, None),
        Code::BadToken => (400, -1125, Some("This listenKey does not exist.")),
        Code::UnknownRoute | Code::UnsupportedParameter | Code::NeedsWebSocket => {
            (400, -1020, None)
        }
        Code::NotAllowed | Code::ForbiddenRoute => (401, -1002, None),
        Code::Malformed | Code::BadParameter | Code::OutOfRange => (400, -1130, None),
        Code::DuplicateParameter | Code::TooLarge => (400, -1101, None),
        Code::UnknownParameter => (400, -1104, None),
        Code::MissingParameter => (400, -1102, None),
        Code::UnknownInstrument => (400, -1121, Some("Invalid symbol.")),
        Code::InstrumentNotGranted
        | Code::SideNotGranted
        | Code::OrderTypeNotGranted
        | Code::NoLimit => (400, -4088, None),
        Code::ReduceOnlyGrant => (400, -4087, None),
        Code::OrderNotFound | Code::OrderEnded => {
            let (number, words) = no_such_order(about.purpose);
            (400, number, Some(words))
        }
        Code::CallerRate | Code::PolicyRate | Code::AccountRate => (429, -1015, None),
        Code::RequestRate | Code::VenueBudget => (429, -1003, None),
        Code::OrderQuantity => (400, -4005, None),
        Code::OrderNotional
        | Code::OpenNotional
        | Code::PositionNotional
        | Code::Exposure
        | Code::GrantOpenNotional
        | Code::DailyNotional
        | Code::NotInPolicy
        | Code::PolicyLimit
        | Code::SoftLimit
        | Code::PolicyUnmeasured
        | Code::RepeatedExecutions => (400, -2027, None),
        Code::PriceCollar => (400, if about.sells { -4024 } else { -4016 }, None),
        Code::Halted | Code::AccountClosed => (400, -4400, None),
        Code::Uncomputable | Code::SignerRefused | Code::RepeatedOrder => (400, -2010, None),
        Code::BadPriceStep => (400, -4014, Some("Price not increased by tick size.")),
        Code::BadQuantityStep => (400, -4023, Some("Qty not increased by step size.")),
        Code::DuplicateOrderId => (400, -4116, Some("ClientOrderId is duplicated.")),
        Code::NotReducing => (400, -2022, Some("ReduceOnly Order is rejected.")),
        // Nothing was sent: the venue's word for a definite failure that may pass.
        Code::StaleMark
        | Code::NoMark
        | Code::TooManyInFlight
        | Code::JournalUnavailable
        | Code::SignerUnavailable
        | Code::VenueUnreachable => (503, -1008, None),
        // The venue's word for an order that may or may not be live.
        Code::OutcomeUnknown => (408, -1007, None),
    }
}

#[cfg(test)]
mod tests;

//! Refusals as RFC 9457 has them: one table from Tidegate's codes to HTTP.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use tidegate_identity::oauth::resource::Challenge;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;

use super::idempotency::{IN_FLIGHT, REUSED};
use super::orders::Order;

/// Where problems are described.
pub(super) const PROBLEMS: &str = "/v1/problems/";

/// Whether the same request may be sent again.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum Retry {
    /// Not before something has changed: the request, a limit, a grant, a halt.
    Never,
    /// Later; nothing was done.
    Later,
    /// At once, signed anew.
    SignAnew,
    /// Never: it may have been done. Ask what became of it.
    Ask,
    /// With a token that the person grants after logging in as `login` says.
    LogInAnew,
}

/// A code as callers read it: `TG` and three digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tg(pub Code);

impl Serialize for Tg {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("TG{}", self.0.number()))
    }
}

impl JsonSchema for Tg {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes = Code::ALL.iter().map(|code| format!("TG{}", code.number()));
        json_schema!({
            "type": "string",
            "description": "A refusal of Tidegate's own.",
            "enum": codes.collect::<Vec<_>>(),
        })
    }
}

/// What went wrong (RFC 9457, `application/problem+json`).
#[derive(Clone, PartialEq, Serialize, JsonSchema, Debug)]
pub(super) struct Problem {
    /// Which kind, as an address below which it is described.
    #[serde(rename = "type")]
    pub kind: Box<str>,
    /// The kind in a few words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The numbers, the limit, the rule.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Tidegate's code, `TG` and three digits, where Tidegate refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Tg>,
    /// Whether to send it again.
    pub retry: Retry,
    /// For how long to wait, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
    /// The venue's own words, where the venue refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub venue: Option<Box<VenueWords>>,
    /// How the person has to log in, where that is what is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<Box<Login>>,
    /// The order it is about, as it stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Box<Order>>,
    /// Methods that there are.
    #[serde(skip)]
    pub allow: Option<Box<str>>,
    /// What OAuth says of a token that is not let in.
    #[serde(skip)]
    pub challenge: Option<Box<Challenge>>,
}

/// A login that is needed, in the words of the authorization request that asks for it (RFC 9470).
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Login {
    /// How well the person has to show who they are.
    #[schemars(regex(pattern = r"^[a-z]{1,8}$"), length(max = 8))]
    pub acr_values: &'static str,
    /// How long ago that may be, in seconds.
    pub max_age: u64,
}

/// A venue's refusal.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct VenueWords {
    /// The venue's code.
    pub code: i64,
    /// The venue's words.
    pub message: String,
}

impl Problem {
    /// The problem that a refusal is.
    pub(super) fn of(reject: &Reject) -> Problem {
        Problem {
            code: Some(Tg(reject.code)),
            detail: reject.detail.clone(),
            retry: retry(reject.code),
            retry_after_ms: reject
                .wait()
                .map(|wait| u32::try_from(wait.millis()).unwrap_or(u32::MAX)),
            ..Problem::plain(
                &format!("TG{}", reject.code.number()),
                reject.code.meaning(),
                status(reject.code),
            )
        }
    }

    /// A refusal of a code.
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Problem {
        Problem::of(&Reject::new(code, detail))
    }

    /// One that none of the codes is for.
    pub(super) fn plain(kind: &str, title: &'static str, status: u16) -> Problem {
        Problem {
            kind: format!("{PROBLEMS}{kind}").into_boxed_str(),
            title,
            status,
            detail: String::new(),
            code: None,
            retry: Retry::Never,
            retry_after_ms: None,
            venue: None,
            login: None,
            order: None,
            allow: None,
            challenge: None,
        }
    }

    /// The venue refused.
    pub(super) fn refused_by_venue(words: VenueWords, order: Option<Order>) -> Problem {
        Problem {
            detail: words.message.clone(),
            venue: Some(Box::new(words)),
            order: order.map(Box::new),
            ..Problem::plain(VENUE_REFUSED, "the venue refused", 422)
        }
    }

    /// The answer, with the challenge to sign.
    pub(super) fn into_reply(self) -> Reply {
        let mut headers = vec![("content-type".to_owned(), "application/problem+json".to_owned())];
        // What OAuth says to a token is added to this.
        if self.status == 401 && self.challenge.is_none() {
            for way in CHALLENGES {
                headers.push(("www-authenticate".to_owned(), (*way).to_owned()));
            }
        }
        if let Some(allow) = &self.allow {
            headers.push(("allow".to_owned(), allow.to_string()));
        }
        if let Some(wait) = self.retry_after_ms.filter(|_| self.retry == Retry::Later) {
            headers.push(("retry-after".to_owned(), wait.div_ceil(1000).max(1).to_string()));
        }
        let body = serde_json::to_vec(&self).unwrap_or_default();
        Reply { status: self.status, headers, body }
    }
}

/// The kind of problem that a venue's refusal is.
pub(super) const VENUE_REFUSED: &str = "venue-refused";
/// The kinds of problem that come of lifting halts and of requests for approval.
pub(super) const STEP_UP: &str = "insufficient-user-authentication";
pub(super) const HALT_FILE: &str = "halt-file";
pub(super) const TOO_MANY: &str = "too-many-approvals";
pub(super) const NOT_WAITING: &str = "approval-ended";
/// What is asked of who shows nothing.
const CHALLENGES: &[&str] = &["Signature realm=\"tidegate\""];

impl From<Reject> for Problem {
    fn from(reject: Reject) -> Problem {
        Problem::of(&reject)
    }
}

/// The kinds of problem without a code.
pub(super) const OTHERS: &[(&str, &str, u16)] = &[
    (VENUE_REFUSED, "the venue refused", 422),
    (IN_FLIGHT, "the same request is being worked on", 409),
    (REUSED, "the idempotency key came with another request before", 422),
    ("method-not-allowed", "the method is not served here", 405),
    ("unsupported-media-type", "the content is JSON", 415),
    ("not-found", "there is no such thing", 404),
    (STEP_UP, "the person has to log in anew", 401),
    (HALT_FILE, "the halt file is there", 409),
    (TOO_MANY, "too many requests wait for approval", 409),
    (NOT_WAITING, "the request does not wait any more", 409),
];

/// The HTTP status of a refusal.
pub(super) const fn status(code: Code) -> u16 {
    use Code::*;
    match code {
        MissingCredentials | UnknownKey | BadSignature | StaleTimestamp | Replayed | WrongVenue
        | BadToken | KeyExpired | KeyNotFromHere | WeakLogin => 401,
        Malformed | DuplicateParameter | UnknownParameter | MissingParameter | BadParameter
        | UnsupportedParameter | NeedsWebSocket => 400,
        NotAllowed | ForbiddenRoute | NoGrant | InstrumentNotGranted | SideNotGranted
        | OrderTypeNotGranted | ReduceOnlyGrant | SettingsNotGranted | GrantExpired
        | OutsideHours => 403,
        UnknownRoute | UnknownInstrument | OrderNotFound => 404,
        OrderEnded | Halted | DuplicateOrderId | RepeatedOrder => 409,
        TooLarge => 413,
        OrderQuantity | OrderNotional | PriceCollar | NoLimit | OpenNotional | PositionNotional
        | Uncomputable | BadPriceStep | BadQuantityStep | NotReducing | OutOfRange
        | GrantOpenNotional | DailyNotional | Exposure | NotInPolicy | PolicyLimit | SoftLimit
        | RepeatedExecutions => 422,
        CallerRate | AccountRate | RequestRate | PolicyRate => 429,
        SignerRefused | VenueUnreachable => 502,
        TooManyInFlight | StaleMark | NoMark | AccountClosed | JournalUnavailable
        | SignerUnavailable | VenueBudget | PolicyUnmeasured => 503,
        OutcomeUnknown => 504,
    }
}

/// Whether what was refused so may be sent again.
pub(super) const fn retry(code: Code) -> Retry {
    use Code::*;
    match code {
        StaleTimestamp | Replayed => Retry::SignAnew,
        CallerRate | AccountRate | RequestRate | PolicyRate | TooManyInFlight | StaleMark | NoMark
        | PolicyUnmeasured
        | AccountClosed | JournalUnavailable | SignerUnavailable | VenueUnreachable
        | VenueBudget => Retry::Later,
        OutcomeUnknown => Retry::Ask,
        _ => Retry::Never,
    }
}

/// The description of a kind of problem.
#[derive(Serialize, JsonSchema, Debug)]
pub(super) struct ProblemKind {
    /// Its address.
    #[serde(rename = "type")]
    kind: String,
    /// What it means.
    title: String,
    /// The HTTP status that it comes with.
    status: u16,
    /// Who has to act for the next try to succeed: `caller`, `desk`, `venue` or `gateway`.
    fault: String,
    /// Whether to send the request again.
    retry: Retry,
}

/// The kind of problem of that name.
pub(super) fn kind(name: &str) -> Option<ProblemKind> {
    let code = Code::ALL.iter().find(|code| format!("TG{}", code.number()) == name);
    let described = |problem: Problem, fault: &str| ProblemKind {
        kind: problem.kind.into_string(),
        title: problem.title.to_owned(),
        status: problem.status,
        fault: fault.to_owned(),
        retry: problem.retry,
    };
    match code {
        Some(code) => {
            let fault = format!("{:?}", code.fault()).to_ascii_lowercase();
            Some(described(Problem::new(*code, ""), &fault))
        }
        None => OTHERS.iter().find(|(kind, ..)| *kind == name).map(|(kind, title, status)| {
            let fault = if *kind == VENUE_REFUSED { "venue" } else { "caller" };
            described(Problem::plain(kind, title, *status), fault)
        }),
    }
}

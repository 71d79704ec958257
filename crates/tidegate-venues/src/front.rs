//! The caller's side of a venue: what a request means, and how an answer is worded.

use serde_json::Value;
use std::collections::BTreeMap;
use tidegate_types::call::{OrderRef, WireRequest};
use tidegate_types::ids::{CallerName, CallerOrderId, InstrumentName};
use tidegate_types::instrument::Instrument;
use tidegate_types::order::{GuardScope, Intent, OrderName};
use tidegate_types::reject::Reject;
use tidegate_types::request::{Method, Presented, RawRequest, Reply};
use tidegate_types::secret::Secret;
use tidegate_types::time::{Span, Time};

/// The instruments of one venue.
#[derive(Clone, Debug, Default)]
pub struct Instruments(pub BTreeMap<InstrumentName, Instrument>);

impl Instruments {
    /// The instrument of that name.
    pub fn get(&self, name: &InstrumentName) -> Option<&Instrument> {
        self.0.get(name)
    }
}

/// What of a request must come back in its answer (a JSON-RPC id, a route, the time it came):
/// made by `parse`, meaningful to the same venue only.
#[derive(Clone, Debug)]
pub struct Context(pub Value);

/// Whether a route needs to know who asks.
#[derive(Debug)]
pub enum Need {
    /// Nobody in particular.
    Nothing,
    /// These credentials must be good.
    Credentials(Presented),
}

/// What a request asks for.
#[derive(Debug)]
pub enum Asked {
    /// Something for the core.
    Trade(Intent),
    /// Several things for the core, each answered on its own, in order.
    Batch(Vec<Result<Intent, Reject>>),
    /// Something to read with the account's key.
    Read(Read),
    /// Something to read that is public.
    Public(WireRequest),
    /// Something the gateway answers itself.
    Local(Local),
}

impl Asked {
    /// Whether it only takes orders back, or has that done when the caller is gone.
    pub fn is_cancel(&self) -> bool {
        match self {
            Asked::Trade(intent) => intent.is_cancel(),
            Asked::Batch(legs) => legs.iter().all(|leg| leg.as_ref().is_ok_and(Intent::is_cancel)),
            Asked::Read(_) | Asked::Public(_) | Asked::Local(_) => false,
        }
    }
}

/// A private read, checked against the venue's table of routes.
#[derive(Clone, Debug)]
pub struct Read {
    /// The route.
    pub route: String,
    /// Its parameters, checked.
    pub params: Vec<(String, String)>,
    /// The order it names: looked up among the caller's own and put back by `with_order`.
    pub order: Option<OrderName>,
}

/// What the gateway answers itself, because the venue's own would hand the caller a real key.
#[derive(Debug)]
pub enum Local {
    /// An answer that is always the same.
    Fixed(Reply),
    /// A key for the private stream.
    StreamKey(StreamKey),
    /// Log in with the credentials of the request.
    Login {
        /// How long the caller asks the token to live.
        lifetime: Option<Span>,
    },
    /// Log in anew with a refresh token.
    Refresh {
        /// The token.
        token: Secret,
    },
    /// End the session.
    Logout,
    /// Read whether the caller's orders are cancelled when its connection ends.
    CancelOnDisconnect {
        /// This connection, or later ones.
        scope: GuardScope,
    },
}

/// What to do with a key for the private stream.
#[derive(Debug)]
pub enum StreamKey {
    /// Make one, or give the one there is.
    Start,
    /// Keep it alive.
    Keep,
    /// End it.
    Stop,
}

/// The gateway's own answers.
#[derive(Debug)]
pub enum LocalAnswer {
    /// So many orders were cancelled; so many were not.
    Cancelled {
        /// How many were.
        done: u64,
        /// How many were not.
        failed: u64,
    },
    /// The answers to a batch, in order.
    Batch(Vec<Reply>),
    /// A key for the private stream.
    StreamKey(String),
    /// It was done.
    Done,
    /// A login.
    Login {
        /// The token to show from now on.
        access: String,
        /// The token to get a new one with.
        refresh: String,
        /// How long it lives.
        lifetime: Span,
    },
    /// Whether orders are cancelled on disconnect.
    CancelOnDisconnect {
        /// Of this connection, or of later ones.
        scope: GuardScope,
        /// Whether they are.
        enabled: bool,
    },
}

/// A route in the list of all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
    /// What a request must show.
    pub shows: Shows,
    /// Whether it changes something.
    pub changes: bool,
}

/// What a request to a route must show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shows {
    /// Nothing.
    Nothing,
    /// The id of a key, as the venue's own protocol has it.
    KeyId,
    /// Credentials.
    Credentials,
    /// Whatever it shows, it is refused.
    Refused,
}

/// What is weak about a way to show who asks that the venue's own protocol has: a desk may refuse it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weakness {
    /// A secret or a token in the address of a request, which proxies write down.
    SecretInAddress,
    /// A key for the private stream in the address of a request or of a socket.
    StreamKeyInAddress,
}

/// A parsed request.
#[derive(Debug)]
pub struct Parsed {
    /// What it asks for.
    pub asked: Asked,
    /// What its answer must carry.
    pub context: Context,
}

/// Whose an order is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owned {
    /// Who placed it.
    pub caller: CallerName,
    /// Under which id of its own, if it gave one.
    pub caller_id: Option<CallerOrderId>,
}

/// Finds whose an order is, by either id. `None`: not placed through Tidegate.
pub trait Owners {
    /// The owner, by Tidegate's id or else by the venue's.
    fn owner(&self, client_id: Option<&str>, venue_id: Option<&str>) -> Option<Owned>;
}

/// Who reads an answer.
pub struct Viewer<'a> {
    /// The caller.
    pub caller: &'a CallerName,
    /// It may see everybody's orders on the account.
    pub account_wide: bool,
    /// Whose orders are whose.
    pub owners: &'a dyn Owners,
}

/// What a viewer sees of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// Nothing.
    Hidden,
    /// The order, under its owner's id for it, if its owner gave one.
    Visible(Option<CallerOrderId>),
}

impl Viewer<'_> {
    /// What the viewer sees of the order with these ids.
    pub fn shown(&self, client_id: Option<&str>, venue_id: Option<&str>) -> Shown {
        match self.owners.owner(client_id, venue_id) {
            Some(owned) if owned.caller == *self.caller || self.account_wide => {
                Shown::Visible(owned.caller_id)
            }
            None if self.account_wide => Shown::Visible(None),
            Some(_) | None => Shown::Hidden,
        }
    }
}

/// The caller's side of a venue.
pub trait Front {
    /// Every route that is served over HTTP, or refused by name: what goes over all of them forgets none.
    fn routes(&self) -> Vec<Listed>;

    /// What the route needs to know about who asks, before anything but the envelope is read. An
    /// unknown or forbidden route is refused here.
    fn credentials(&self, request: &RawRequest) -> Result<Need, Reject>;

    /// What is weak about how a request, or the request for a socket, shows who asks.
    fn weakness(&self, request: &RawRequest) -> Option<Weakness>;

    /// What the request asks for. Everything in it is modelled, known to be ignorable, or refused.
    fn parse(
        &self,
        request: &RawRequest,
        instruments: &Instruments,
        now: Time,
    ) -> Result<Parsed, Reject>;

    /// Puts the order that a read names into the read, by ids the venue knows.
    fn with_order(&self, read: Read, order: &OrderRef) -> Read;

    /// The venue's own answer as this viewer may see it: Tidegate's ids replaced by the caller's,
    /// other callers' rows left out, the request's id restored.
    fn pass(&self, context: &Context, reply: Reply, viewer: &Viewer<'_>) -> Reply;

    /// The gateway's own answer in the venue's words.
    fn answer(&self, context: &Context, answer: &LocalAnswer, now: Time) -> Reply;

    /// A refusal in the venue's words, with `TGnnn` in its message, in a form that makes no client
    /// retry for ever. Without a context the request could not be read; what can be found of its
    /// id is in `request`.
    fn refuse(
        &self,
        request: Option<&RawRequest>,
        context: Option<&Context>,
        reject: &Reject,
        now: Time,
    ) -> Reply;

    /// Opens a WebSocket session at this path and query (mount prefix stripped), or refuses.
    fn open(&self, request: &RawRequest, now: Time) -> Result<Box<dyn Session>, Reject>;
}

/// Which waiting question of a session an answer belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Tag(pub u64);

/// Who a session's question comes from.
#[derive(Debug)]
pub enum From {
    /// Nobody in particular.
    Nobody,
    /// Whoever these credentials belong to; remembered for the session when `remember`.
    Credentials {
        /// What was shown.
        presented: Presented,
        /// Whether later questions may come from the same caller without showing it again.
        remember: bool,
    },
    /// The caller that the session remembers; refused when there is none.
    Session,
    /// The stream key in the session's address.
    StreamKey {
        /// The key.
        key: String,
    },
}

/// What a session wants done.
#[derive(Debug)]
pub enum Step {
    /// Send this text to the caller.
    Send(String),
    /// Close the socket.
    Close {
        /// The WebSocket close code.
        code: u16,
        /// Why.
        reason: String,
    },
    /// Ask the pipeline; answered by `on_reply` with the tag.
    Ask {
        /// Which question.
        tag: Tag,
        /// From whom.
        from: From,
        /// For what.
        parsed: Box<Parsed>,
    },
    /// Say who this is, without asking anything; answered by `on_identity`.
    Identify {
        /// Which question.
        tag: Tag,
        /// Who it is said to be.
        from: From,
    },
    /// Send this to the venue's public socket that belongs to this session, opening it first if
    /// need be (at `relay_target`). What it says comes to `on_public`.
    Relay(String),
}

/// One caller's WebSocket, without the socket.
pub trait Session: Send {
    /// The path and query of the venue's public socket that this session relays, if it does.
    fn relay_target(&self) -> Option<String>;

    /// Who asks was known when the socket was opened, and is called `name`: questions may come from
    /// the session at once. Comes before `on_open`.
    fn identified(&mut self, _name: &str, _now: Time) {}

    /// The socket is open.
    fn on_open(&mut self, now: Time) -> Vec<Step>;

    /// The caller sent a text.
    fn on_text(&mut self, text: &str, instruments: &Instruments, now: Time) -> Vec<Step>;

    /// The pipeline's answer to a question, in the venue's HTTP words.
    fn on_reply(&mut self, tag: Tag, reply: Reply, now: Time) -> Vec<Step>;

    /// Whether the credentials of an `Identify` were good.
    fn on_identity(&mut self, tag: Tag, result: Result<(), Reject>, now: Time) -> Vec<Step>;

    /// A question was refused before it had an answer in HTTP words.
    fn on_reject(&mut self, tag: Tag, reject: &Reject, now: Time) -> Vec<Step>;

    /// The venue's private stream of this caller's account said something.
    fn on_private(&mut self, frame: &Value, viewer: &Viewer<'_>, now: Time) -> Vec<Step>;

    /// The venue's public socket said something.
    fn on_public(&mut self, text: &str, now: Time) -> Vec<Step>;

    /// The time `timer` named has come.
    fn on_timer(&mut self, now: Time) -> Vec<Step>;

    /// When `on_timer` is due.
    fn timer(&self) -> Option<Time>;

    /// Whether the caller logged out: such an end is no loss of the connection, and cancels nothing.
    fn left(&self) -> bool;
}

//! The venue's side: how a call is worded and signed, and what its answer means.

use crate::book::Update;
use crate::front::Instruments;
use tidegate_types::call::{Call, CallBody, WireRequest};
use tidegate_types::ids::InstrumentName;
use tidegate_types::instrument::{Instrument, Mark, Usd};
use tidegate_types::options::OptionQuote;
use tidegate_types::report::{AccountEvent, AccountSnapshot, FillReport, Outcome};
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};
use tidegate_types::venue_terms::VenueTerms;

/// Why a call could not be built.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BuildError {
    /// The venue's table has no such route for this class.
    UnknownRoute(String),
    /// The venue has no way to say this.
    Unsupported(&'static str),
    /// The key cannot make the signature the venue wants.
    Key(&'static str),
}

/// Signs for one account; the key stays behind it.
pub trait KeySigner {
    /// The key's public id.
    fn key_id(&self) -> &str;
    /// HMAC-SHA256 with the secret; `None` for an asymmetric key.
    fn hmac_sha256(&self, message: &[u8]) -> Option<[u8; 32]>;
    /// Ed25519; `None` for an HMAC key.
    fn ed25519(&self, message: &[u8]) -> Option<[u8; 64]>;
    /// A word that was never used before, for nonces.
    fn nonce(&self) -> String;
}

/// An answer or message of the venue's that is not what it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable(pub String);

/// A public socket that the gateway itself listens to.
#[derive(Clone, Debug)]
pub struct PublicFeed {
    /// Path and query.
    pub target: String,
    /// What to send when it is open.
    pub hello: Vec<String>,
}

/// What a message on the socket of books told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BookNews {
    /// Of which instrument, and what.
    pub update: Option<(InstrumentName, Update)>,
    /// What to answer (heartbeats).
    pub answer: Option<String>,
}

/// What a private stream needs next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StreamStep {
    /// Make this call over HTTP and give its answer to `on_reply`.
    Call(CallBody),
    /// Open the socket at this path and query, then call `on_open`.
    Connect(String),
    /// Have this call signed and send its body on the socket.
    SendCall(CallBody),
    /// Send this on the socket.
    SendText(String),
    /// It is up: everything that happens from now on will be told.
    Up,
    /// Close the socket and begin anew.
    Restart(String),
}

/// What a private stream told.
#[derive(Clone, Debug)]
pub enum StreamNews {
    /// Something for the core.
    Event(AccountEvent),
    /// Something for the callers' sessions: a JSON value as the venue wrote it.
    Frame(String),
}

/// An account's private stream, without the socket.
pub trait AccountStream: Send {
    /// Where it begins.
    fn start(&mut self, now: Time) -> Vec<StreamStep>;
    /// The answer to a `Call`.
    fn on_reply(&mut self, reply: &Reply, now: Time) -> Vec<StreamStep>;
    /// The socket is open.
    fn on_open(&mut self, now: Time) -> Vec<StreamStep>;
    /// The venue said something.
    fn on_text(
        &mut self,
        text: &str,
        instruments: &Instruments,
        now: Time,
    ) -> (Vec<StreamNews>, Vec<StreamStep>);
    /// The time `timer` named has come.
    fn on_timer(&mut self, now: Time) -> Vec<StreamStep>;
    /// When `on_timer` is due.
    fn timer(&self) -> Option<Time>;
}

/// The most connections to a venue at once, by what they are for. Together with the gateway's own
/// sockets (one for marks, one for books, one for each account) they stay below what the venue takes
/// from one address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connections {
    /// For cancels, and the queries and snapshots that prove them.
    pub cancels: usize,
    /// For orders, and for what the gateway asks for itself.
    pub orders: usize,
    /// For private reads of callers'.
    pub reads: usize,
    /// For public reads.
    pub public: usize,
    /// Public sockets of callers' sessions.
    pub sockets: usize,
    /// Sockets of the gateway's own: accounts' streams, marks and books.
    pub own_sockets: usize,
    /// How many requests of one account may be unanswered, where the venue says: it refuses what comes beyond.
    pub of_account: Option<usize>,
}

/// Whose requests a venue counts together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Per {
    /// All from one address.
    Address,
    /// Those under one account's key.
    Account,
}

/// How a venue counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counting {
    /// So many units in each span of its clock, counted from nothing in the next one.
    Within(Span),
    /// So many units at once, which come back all the time.
    Refill {
        /// How many come back in a minute.
        per_minute: u32,
    },
}

/// A rate limit of a venue's. What units are is the venue's own (weight, orders, credits).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// Its name, for operators.
    pub name: &'static str,
    /// Whose requests count together.
    pub per: Per,
    /// How they are counted.
    pub counting: Counting,
    /// The most units, a little below the venue's own limit.
    pub units: u32,
    /// How many are kept for cancels and for orders that reduce: at least a fifth, where those are paid
    /// from it.
    pub reserved: u32,
    /// Whether cancels are paid from it, and questions that prove them; where not, no halt needs any of it.
    pub cancels: bool,
}

/// What a venue stops for a while.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stops {
    /// New orders and changes of the account that asked; what is asked on none stops as `Requests` does.
    Orders,
    /// Reads of the account that asked, its cancels' proofs not among them; on none as `Requests`.
    Reads,
    /// Requests from this address. Cancels are still worth a try.
    Requests,
    /// This address: nothing passes, and each try makes it longer.
    Everything,
}

/// A venue's wish that we wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BackOff {
    /// What it stops.
    pub stops: Stops,
    /// For how long.
    pub wait: Span,
    /// Until when, if it says so: counts if it is later.
    pub until: Option<Time>,
}

/// Units of one of a venue's allowances.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Units {
    /// Which, counted from 0 over `Upstream::allowances`.
    pub allowance: usize,
    /// How many.
    pub count: u32,
}

/// The units of an allowance that limits nobody until the venue tells what an account has.
pub const UNTOLD: u32 = u32::MAX;

/// What a venue tells that an account has of an allowance whose units come back all the time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountLimit {
    /// Which, counted from 0 over `Upstream::allowances`.
    pub allowance: usize,
    /// The most units at once.
    pub units: u32,
    /// How many come back in a minute.
    pub per_minute: u32,
}

/// The venue's side.
pub trait Upstream {
    /// How many connections it may have.
    fn connections(&self) -> Connections;

    /// Its rate limits.
    fn allowances(&self) -> &'static [Allowance];

    /// What a request costs: nothing when no rate limit kept here counts it.
    fn cost(&self, request: &WireRequest) -> Vec<Units>;

    /// What a text on a public socket costs.
    fn socket_cost(&self, text: &str) -> Option<Units>;

    /// Whether one answer to a public read serves everybody who asks for the same at about the same time.
    fn is_shareable(&self, request: &WireRequest) -> bool;

    /// What an answer says is used already of allowances.
    fn used(&self, reply: &Reply) -> Vec<Units>;

    /// The limits that the answers about instruments publish.
    fn published_limits(&self, replies: &[Reply]) -> Vec<Units>;

    /// Words and signs a call. Everything comes from the call itself.
    fn build(
        &self,
        call: &Call,
        signer: &dyn KeySigner,
        now: Time,
    ) -> Result<WireRequest, BuildError>;

    /// What the answer to a call means.
    fn outcome(&self, body: &CallBody, reply: &Reply, instruments: &Instruments) -> Outcome;

    /// Whether the venue counts such a request with all others: not where it is another product's, at another host
    /// with limits of its own, whose answers tell nothing of these.
    fn is_counted(&self, _request: &WireRequest) -> bool {
        true
    }

    /// What the venue asks us to stop and for how long, if the answer says so (429, 418 and the like), to what
    /// costs this.
    fn back_off(&self, reply: &Reply, costs: &[Units]) -> Option<BackOff>;

    /// The same of what the venue says on a socket that carries streams. It is asked of every text: nothing is read
    /// twice to find that there is no such word in it.
    fn socket_back_off(&self, _text: &str) -> Option<BackOff> {
        None
    }

    /// Whether the venue refused a request because of its time stamp, so that the clocks are to be compared anew.
    fn refuses_time(&self, _reply: &Reply) -> bool {
        false
    }

    /// How many requests a snapshot of the account takes.
    fn snapshot_parts(&self) -> u32;

    /// The snapshot, from the answers in order.
    fn snapshot(
        &self,
        replies: &[Reply],
        instruments: &Instruments,
    ) -> Result<AccountSnapshot, Unreadable>;

    /// The limits of the account that the answers of a snapshot tell.
    fn account_limits(&self, _replies: &[Reply]) -> Vec<AccountLimit> {
        Vec::new()
    }

    /// The account's trades, from the answer to `CallBody::Trades`.
    fn trades(
        &self,
        reply: &Reply,
        instruments: &Instruments,
    ) -> Result<Vec<FillReport>, Unreadable>;

    /// The call that tells what a key may do, and what it tells: the venue's words for its rights.
    fn rights_call(&self) -> CallBody;

    /// The rights that the answer names for the key with this public id.
    fn rights(&self, key_id: &str, reply: &Reply) -> Result<Vec<String>, Unreadable>;

    /// Whether keys with these rights may open sessions: none withdraws, transfers or manages keys.
    fn may_open_session(&self, rights: &[String]) -> bool;

    /// The public request that tells the venue's time.
    fn time_request(&self) -> WireRequest;

    /// The venue's time, from the answer, in whole milliseconds.
    fn server_time(&self, reply: &Reply) -> Option<Time>;

    /// The public requests that tell the instruments.
    fn instrument_requests(&self) -> Vec<WireRequest>;

    /// The instruments, from the answers in order. Those whose terms are not understood are left
    /// out, so that they cannot be traded.
    fn instruments(&self, replies: &[Reply]) -> Result<Vec<Instrument>, Unreadable>;

    /// What those answers tell of halts and bands of prices at `now`.
    fn venue_terms(&self, replies: &[Reply], now: Time) -> Vec<VenueTerms>;

    /// What a message of the socket that tells marks tells of halts and bands of prices.
    fn told_terms(&self, text: &str, now: Time) -> Vec<VenueTerms>;

    /// The public socket that tells marks.
    fn mark_feed(&self, instruments: &Instruments) -> PublicFeed;

    /// The marks that a message tells, and what to answer it (heartbeats).
    fn marks(
        &self,
        text: &str,
        instruments: &Instruments,
        now: Time,
    ) -> (Vec<Mark>, Option<String>);

    /// What a message on the same socket says that options are to be valued by; nothing where the venue has none.
    fn option_quotes(&self, _text: &str, _instruments: &Instruments) -> Vec<OptionQuote> {
        Vec::new()
    }

    /// The public socket that tells books, of no instrument yet.
    fn book_feed(&self) -> PublicFeed;

    /// What to send on it so that the books of these instruments are told, or not any more.
    fn book_subscription(&self, instruments: &[InstrumentName], on: bool) -> String;

    /// The request for a snapshot of a book; none where each new subscription begins with one.
    fn book_snapshot(&self, instrument: &InstrumentName) -> Option<WireRequest>;

    /// The snapshot, from the answer.
    fn read_book_snapshot(&self, reply: &Reply) -> Result<Update, Unreadable>;

    /// The public request for what was traded of an instrument in the last 24 hours.
    fn volume_request(&self, instrument: &InstrumentName) -> WireRequest;

    /// That in dollars, from the answer; a stablecoin counts as one.
    fn read_volume(&self, reply: &Reply) -> Option<Usd>;

    /// What a message on that socket tells. One that cannot be read tells nothing: the next one shows
    /// that it is missing.
    fn book_news(&self, text: &str) -> BookNews;

    /// A new private stream for an account.
    fn account_stream(&self) -> Box<dyn AccountStream>;
}

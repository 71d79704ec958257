//! Every bound in one place, each with its reason.

use crate::time::Span;

/// Largest request body; the venues' own limit is 32 kB.
pub const MAX_BODY_BYTES: usize = 32 * 1024;
/// Largest request line and headers together.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Largest WebSocket message from a caller.
pub const MAX_WS_MESSAGE_BYTES: usize = 32 * 1024;
/// Largest WebSocket message or answer from a venue (exchange information is long).
pub const MAX_VENUE_BODY_BYTES: usize = 16 * 1024 * 1024;
/// Deepest nesting of JSON from a caller.
pub const MAX_JSON_DEPTH: usize = 16;
/// Most parameters in one request.
pub const MAX_PARAMS: usize = 64;
/// A caller must send its whole head within this.
pub const HEAD_TIMEOUT: Span = Span::from_secs(10);
/// A caller must send its whole body within this.
pub const BODY_TIMEOUT: Span = Span::from_secs(10);
/// A TLS handshake must end within this.
pub const HANDSHAKE_TIMEOUT: Span = Span::from_secs(10);
/// The fewest bytes a second that a caller sends, or takes, while it owes some: a tenth of the slowest modem's.
pub const SLOWEST_CALLER: u32 = 256;
/// Over how long the bytes of a head or a body are counted for that.
pub const PACE_WINDOW: Span = Span::from_secs(5);
/// Most bytes waiting to be written to one caller's WebSocket that has not taken any for `BACKLOG_PATIENCE`.
pub const MAX_WS_BACKLOG_BYTES: usize = 4 * 1024 * 1024;
/// Most bytes waiting to be written to one caller's WebSocket, however fast it reads.
pub const MAX_WS_UNSENT_BYTES: usize = 64 * 1024 * 1024;
/// Most bytes waiting to be written to all callers' WebSockets together; beyond that whoever has most is cut off.
pub const MAX_UNSENT_BYTES: usize = 512 * 1024 * 1024;
/// How long a caller's WebSocket may leave more than `MAX_WS_BACKLOG_BYTES` unread.
pub const BACKLOG_PATIENCE: Span = Span::from_secs(2);
/// How long what a refused caller still sends is taken and thrown away, so that it can read why.
pub const LINGER: Span = Span::from_secs(1);
/// Most bytes that are taken so.
pub const MAX_LINGER_BYTES: usize = 1024 * 1024;
/// A kept-alive connection is closed when idle for this long.
pub const IDLE_TIMEOUT: Span = Span::from_secs(75);
/// Most connections at once, all listeners together.
pub const MAX_CONNECTIONS: usize = 4096;
/// Most connections at once from one address.
pub const MAX_CONNECTIONS_PER_PEER: usize = 512;
/// A caller's WebSocket on which nobody logged in, and nothing was subscribed to or asked, is closed
/// after this. Some clients open theirs well before they use it.
pub const UNUSED_SOCKET_TIMEOUT: Span = Span::from_secs(600);
/// Most messages waiting to be written to one caller's WebSocket; a slower reader is cut off.
pub const MAX_WS_BACKLOG: usize = 1024;
/// How old an answer to a public read may be that was fetched for another caller.
pub const PUBLIC_AGE: Span = Span::from_millis(250);
/// Most public streams of one socket of a venue's that are followed for all sessions together; half of them
/// for those that did not log in.
pub const MAX_SHARED_STREAMS: usize = 4000;
/// Most streams of the unified API that one caller has open.
pub const MAX_STREAMS_PER_CALLER: usize = 64;
/// An answer from a venue must come within this, else the outcome is unknown.
pub const VENUE_TIMEOUT: Span = Span::from_secs(10);
/// A request must begin to leave within this of being handed over, waiting for a connection and
/// opening one included: later its signature might be stale when it arrives.
pub const SEND_TIMEOUT: Span = Span::from_secs(3);
/// A read for which the venue's rate limit has room again within this waits for it; for later room
/// its caller is told how long it takes. A part of `SEND_TIMEOUT`.
pub const READ_PATIENCE: Span = Span::from_secs(2);
/// Most private reads, and as many public ones, that wait for a connection to a venue, and as many
/// again that wait for its rate limit.
pub const MAX_QUEUED_READS: usize = 64;
/// An order that waits for room under a venue's rate limit is refused after this, unless the desk set another
/// time for its caller.
pub const ORDER_PATIENCE: Span = Span::from_secs(1);
/// Most requests of one rank that wait for room under a venue's rate limits.
pub const MAX_QUEUED_REQUESTS: usize = 512;
/// Most of those that are one caller's, account's or address's.
pub const MAX_QUEUED_OF_ONE: usize = 64;
/// Most callers and addresses whose share of a venue's rate limits is remembered.
pub const MAX_BUDGET_SHARES: usize = 4096;
/// An order must reach the venue's engine within this of being signed (the venues' own windows).
pub const ORDER_DEADLINE: Span = Span::from_secs(5);
/// What a venue's clock may be apart from the machine's for signed requests to follow it: twice what most orders
/// have until their deadline, and well below what a signature stays good for.
pub const MAX_CLOCK_OFFSET: Span = Span::from_secs(10);
/// What a caller's clock may be ahead of ours.
pub const MAX_CLOCK_AHEAD: Span = Span::from_secs(1);
/// The longest a caller's signature may say it is good for.
pub const MAX_SIGNATURE_WINDOW: Span = Span::from_secs(60);
/// Most signatures remembered against replay; beyond it requests that change state are refused.
pub const MAX_REPLAY_ENTRIES: usize = 1_000_000;
/// How long a login's token is good for unless the caller asks for less.
pub const TOKEN_LIFETIME: Span = Span::from_secs(24 * 3600);
/// The longest a login's token is good for.
pub const MAX_TOKEN_LIFETIME: Span = Span::from_secs(24 * 3600);
/// How long a login can be renewed after its last renewal.
pub const REFRESH_LIFETIME: Span = Span::from_secs(7 * 24 * 3600);
/// Most logins of one virtual key at once; the oldest ends when there is one more.
pub const MAX_LOGINS_PER_KEY: usize = 256;
/// How long a key for a private stream is good for unless it is kept.
pub const STREAM_KEY_LIFETIME: Span = Span::from_secs(3600);
/// The longest time in which the same order again can be taken for a repeat.
pub const MAX_REPEAT_WINDOW: Span = Span::from_secs(60);
/// The shortest time after which a venue may be told to cancel everything without Tidegate, which
/// tells it anew every third of that.
pub const MIN_DEAD_MAN: Span = Span::from_secs(10);
/// The longest.
pub const MAX_DEAD_MAN: Span = Span::from_secs(24 * 3600);
/// How long an order waits for open ones of the same owner to be cancelled before it.
pub const SELF_TRADE_WAIT: Span = Span::from_secs(2);
/// Most orders that wait so at once.
pub const MAX_SELF_TRADE_WAITS: usize = 256;
/// Most open orders that are cancelled for one new order.
pub const MAX_SELF_TRADE_CANCELS: usize = 16;
/// A venue's band of prices that is older than this is not held against orders: it moves with the market.
pub const MAX_BAND_AGE: Span = Span::from_secs(60);
/// The same band of prices is read anew, or a moved one taken, this often at most.
pub const BAND_INTERVAL: Span = Span::from_secs(10);
/// Most requests waiting inside the gateway; cancels have as many again to themselves.
pub const MAX_IN_FLIGHT: usize = 4096;
/// Most alarms kept that nobody has seen; the same again is counted, not kept.
pub const MAX_ALARMS: usize = 100;
/// Most trades of orders that are not in the table, remembered for each account so that none counts
/// twice.
pub const MAX_STRAY_TRADES: usize = 2_000;
/// Most orders kept in the table after they are done.
pub const MAX_DONE_ORDERS: usize = 200_000;
/// Longest record of the journal.
pub const MAX_RECORD_BYTES: usize = 60 * 1024;
/// Longest evidence of what a caller signed that is kept whole, its content included: several times what an
/// order of any client has, and little enough that nobody fills the disk by padding its orders.
pub const MAX_EVIDENCE_BYTES: usize = 4 * 1024;
/// The folded state is saved after so many records, so that a start replays fewer than twice as many.
pub const STATE_SAVED_EVERY: u64 = 500_000;
/// Most books followed at a venue: each costs it messages, and us requests against its limits.
pub const MAX_BOOKS: usize = 20;
/// Most books followed at a venue besides, because a policy's rule reads what they show: those ordered last.
pub const MAX_MARKETS_ASKED: usize = 20;
/// For how long after the last order for it such a book is followed.
pub const MARKET_FOLLOWED: Span = Span::from_secs(3600);
/// Most levels kept of each side of a book; the best ones are.
pub const MAX_BOOK_LEVELS: usize = 1_000;
/// Most changes of a book kept until it is there to make them in.
pub const MAX_KEPT_CHANGES: usize = 1_000;
/// Marks enter the core, and the journal, at most this often per instrument: they are most of what
/// is written on a quiet day.
pub const MARK_INTERVAL: Span = Span::from_secs(1);
/// How long the answer to a request with an idempotency key is kept.
pub const IDEMPOTENCY_LIFETIME: Span = Span::from_secs(24 * 3600);
/// Most such answers kept of one caller; the oldest goes when there is one more.
pub const MAX_IDEMPOTENCY_KEYS: usize = 1_000;

/// How long a second person has to approve what somebody asked.
pub const APPROVAL_LIFETIME: Span = Span::from_secs(15 * 60);
/// Most requests that wait for a second person.
pub const MAX_APPROVALS_WAITING: usize = 64;
/// Most requests of one person that wait for a second one.
pub const MAX_APPROVALS_OF_ONE: usize = 16;
/// Wrong digests after which a request is void.
pub const MAX_APPROVAL_MISSES: u64 = 3;
/// Most requests kept after they ended, to be looked at.
pub const MAX_APPROVALS_KEPT: usize = 200;
/// Most names that a halt keeps besides the first one's.
pub const MAX_HALTERS: usize = 16;
/// Most people of a desk.
pub const MAX_PEOPLE: usize = 1000;
/// Longest an app's terms and their summary may be together: a request to register one holds both, and the
/// summary twice.
pub const MAX_APP_BYTES: usize = 16 * 1024;
/// Most apps of a desk, revoked ones included.
pub const MAX_APPS: usize = 1000;
/// The longest that a virtual key is good beside the one that takes its place.
pub const MAX_KEY_OVERLAP: Span = Span::from_secs(30 * 86_400);
/// Most virtual keys that a caller ever has, revoked ones included: each stays on record. One a day for eleven
/// years; a new caller begins anew.
pub const MAX_KEYS_OF_CALLER: usize = 4096;
/// Most networks that a virtual key is bound to.
pub const MAX_KEY_NETWORKS: usize = 32;
/// Most rules of a policy: each that covers an order is measured before it is sent.
pub const MAX_POLICY_RULES: usize = 200;
/// Longest a policy may be: a request to put one in force holds it and its summary.
pub const MAX_POLICY_BYTES: usize = 16 * 1024;
/// Most instruments that one rule lists.
pub const MAX_LISTED_INSTRUMENTS: usize = 100;
/// The longest window in which messages or executions are counted.
pub const MAX_RATE_WINDOW: Span = Span::from_secs(3600);
/// Liquidity enters the core, and the journal, at most this often per instrument.
pub const LIQUIDITY_INTERVAL: Span = Span::from_secs(5);

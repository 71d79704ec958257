//! What the administration can ask, and what it reads: one JSON object a line on the local
//! socket, one as the body of `POST /admin/v1`.
//!
//! `{"op": "halt", "scope": "all", "reason": "…"}` is answered by `{"ok": {…}}` or by
//! `{"error": {"code": …, "message": …, "hint": …}}`. Amounts are decimal texts.

mod apps;
mod keys;
mod people;

use crate::desk::{Counts, Quantiles, RecentRefusal};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub use apps::{AppSpec, AppStatus};
pub use keys::{KeyStatus, MadeKey, TermsSpec};
pub use people::{ApprovalStatus, Invitation, PersonSpec, SessionStatus};

/// What to do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Tell what runs.
    Status {},
    /// Halt a scope, and answer when that is proven or the time is over.
    Halt {
        /// What: `all`, `desk:NAME`, `venue:NAME`, `account:NAME`, `caller:NAME`,
        /// `instrument:VENUE/NAME` or `order:N`, where `N` is Tidegate's number, its id at the venue
        /// (`tg…`), or `ACCOUNT/ID` with the venue's id or the caller's own.
        scope: String,
        /// Why.
        reason: String,
        /// How long to wait for the proof, in seconds.
        #[serde(default = "thirty")]
        timeout_s: u64,
        /// Orders that reduce a position still pass.
        #[serde(default)]
        allow_reduce: bool,
        /// Close the scope's positions once the halt is proven, and answer when the venue shows none.
        #[serde(default)]
        flatten: bool,
    },
    /// Lift a halt.
    Resume {
        /// Of what.
        scope: String,
        /// Why.
        reason: String,
    },
    /// Add an account at a venue.
    AccountAdd {
        /// Where.
        venue: String,
        /// What to call it.
        account: String,
    },
    /// Take up the venue key that was imported for an account: read what it may do and start to
    /// use it.
    VenueKeyReload {
        /// Which account.
        account: String,
    },
    /// Add a caller.
    CallerAdd {
        /// Its name.
        caller: String,
    },
    /// Make a virtual key for a caller.
    KeyAdd {
        /// For whom.
        caller: String,
        /// For which account.
        account: String,
        /// The caller's own public key in hex, instead of a shared secret: 32 bytes of Ed25519, or a
        /// `SubjectPublicKeyInfo` in DER of Ed25519 or RSA.
        #[serde(default)]
        public: Option<String>,
        /// From where and until when it is good.
        #[serde(default)]
        terms: TermsSpec,
    },
    /// Make a virtual key that takes the place of another one, with the same terms.
    KeyRotate {
        /// Which is replaced.
        id: String,
        /// For how long it is still good, in seconds.
        overlap_s: u64,
        /// When the new one ends, in ms since 1970; needed where the old one does.
        #[serde(default)]
        until_ms: Option<u64>,
        /// The caller's own new public key, instead of a shared secret.
        #[serde(default)]
        public: Option<String>,
    },
    /// Tell the virtual keys that are not revoked.
    Keys {},
    /// Revoke a virtual key.
    KeyRevoke {
        /// Which.
        id: String,
    },
    /// Give or replace a grant.
    GrantSet(GrantSpec),
    /// Take a grant back.
    GrantRemove {
        /// Whose.
        caller: String,
        /// On which account.
        account: String,
    },
    /// Set an account's limits.
    LimitsSet(LimitsSpec),
    /// Take the alarms off the list that were raised last at this time or before.
    AlarmsSeen {
        /// In ms since 1970: `last_ms` of the newest one that was seen.
        until_ms: u64,
    },
    /// Add a person, or set its roles and callers anew.
    PersonSet(PersonSpec),
    /// Remove a person.
    PersonRemove {
        /// Who.
        person: String,
    },
    /// Register an app, or set its terms anew.
    AppSet(AppSpec),
    /// Revoke an app for good, and with it its tokens.
    AppRevoke {
        /// Which.
        app: String,
    },
    /// Tell the apps.
    Apps {},
    /// Make a link by which a person enrols credentials. Those that the person had before are void
    /// once it is used.
    PersonInvite {
        /// Who.
        person: String,
    },
    /// Tell a person's sessions in the console.
    Sessions {
        /// Whose.
        person: String,
    },
    /// End a person's sessions in the console.
    SessionsEnd {
        /// Whose.
        person: String,
        /// Which one, by its number; without one all of them.
        #[serde(default)]
        number: Option<u64>,
    },
    /// Tell the people.
    People {},
    /// Tell the requests for approval.
    Approvals {},
    /// Have a loosening take so many people from now on.
    ApprovalsSet {
        /// `one` or `two`.
        approvals: String,
    },
    /// Approve what somebody else asked.
    Approve {
        /// Which request.
        id: u64,
        /// Its digest as it was shown, in hex.
        digest: String,
    },
    /// Deny what somebody asked, or take one's own request back.
    Deny {
        /// Which request.
        id: u64,
    },
    /// Stop the gateway in good order.
    Shutdown {},
}

fn thirty() -> u64 {
    30
}

/// A grant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantSpec {
    /// Who.
    pub caller: String,
    /// On which account.
    pub account: String,
    /// It may trade; otherwise it may only read.
    #[serde(default)]
    pub trade: bool,
    /// Which instruments: names, `*` for any run of characters.
    #[serde(default)]
    pub instruments: Vec<String>,
    /// `buy`, `sell`; both when empty.
    #[serde(default)]
    pub sides: Vec<String>,
    /// `limit`, `market`, `market_limit`, `stop_market`, `stop_limit`, `take_market`,
    /// `take_limit`; all when empty.
    #[serde(default)]
    pub order_types: Vec<String>,
    /// Only orders that reduce the account's position.
    #[serde(default)]
    pub reduce_only: bool,
    /// Largest order in the instrument's own unit.
    #[serde(default)]
    pub max_order_qty: Option<String>,
    /// Largest order in dollars.
    pub max_order_notional: String,
    /// Most that the caller's open orders may be worth together, in dollars.
    pub max_open_notional: String,
    /// Orders and amends a second, sustained.
    pub orders_per_second: u32,
    /// Orders and amends at once.
    pub burst: u32,
    /// It may change account settings.
    #[serde(default)]
    pub settings: bool,
    /// It sees and cancels every order of the account.
    #[serde(default)]
    pub account_wide: bool,
    /// When it ends, in ms since 1970.
    #[serde(default)]
    pub until_ms: Option<u64>,
}

/// An account's limits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsSpec {
    /// Which account.
    pub account: String,
    /// Largest order in the instrument's own unit, by pattern; the first that matches holds.
    #[serde(default)]
    pub max_order_qty: Vec<(String, String)>,
    /// Largest order in dollars.
    pub max_order_notional: String,
    /// Most that all open orders may be worth together, in dollars.
    pub max_open_notional: String,
    /// Most that the position in one instrument may be worth, in dollars.
    pub max_position_notional: String,
    /// Most that all positions with their open orders may be worth together, in dollars.
    pub max_exposure: String,
    /// How far from the mark a price may be, in basis points.
    pub collar_bps: u32,
    /// The same for options.
    pub option_collar_bps: u32,
    /// How old a mark may be, in ms.
    pub max_mark_age_ms: u64,
    /// Orders and amends a second, all callers together.
    pub orders_per_second: u32,
    /// Orders and amends at once.
    pub burst: u32,
    /// For how long the same order from the same caller is a repeat, in ms; zero: never.
    #[serde(default)]
    pub repeat_window_ms: u64,
    /// What becomes of a repeat.
    #[serde(default)]
    pub on_repeat: RepeatSpec,
    /// After how long without Tidegate the venue cancels every order, in seconds; zero: never.
    #[serde(default)]
    pub dead_man_s: u64,
}

/// What becomes of an order that is the same as one moments before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RepeatSpec {
    /// It is refused.
    #[default]
    Refuse,
    /// It passes, and the operator is told.
    Warn,
}

/// An answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Response {
    /// It was done; what there is to tell.
    Ok(Value),
    /// It was not.
    Error(Failure),
}

/// Why something was not done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// A stable word, or `TG` and a number.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// What is left of a halt that is not proven or not flat.
    #[serde(flatten, default)]
    pub remains: Box<Remains>,
}

/// What a halt still waits for, and what it did.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Remains {
    /// Orders that are not known to have ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<OpenOrder>,
    /// Accounts whose venue has not shown yet that nothing of the scope is open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_shown: Vec<NotShown>,
    /// Positions that are to be closed and are not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub positions: Vec<StillHeld>,
    /// What was bought or, below zero, sold to close positions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Closed>,
}

/// An account of which it is not known what is open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NotShown {
    /// The account.
    pub account: String,
    /// Why it is not known.
    pub why: String,
}

/// A position that is to be closed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StillHeld {
    /// The account.
    pub account: String,
    /// The instrument.
    pub instrument: String,
    /// How much, signed.
    pub qty: String,
    /// Why it is not closed yet.
    pub why: String,
}

/// What was traded of an instrument to close positions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Closed {
    /// The instrument.
    pub instrument: String,
    /// How much, below zero when it was sold.
    pub qty: String,
}

/// An order that is still open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenOrder {
    /// Tidegate's number.
    pub order: u64,
    /// The account.
    pub account: String,
    /// The instrument.
    pub instrument: String,
    /// Whose it is, if Tidegate placed it.
    pub caller: Option<String>,
    /// Tidegate's id for it, if Tidegate placed it.
    pub client_id: Option<String>,
    /// The venue's id, once known.
    pub venue_id: Option<String>,
    /// Why a halt has not ended it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What `status` tells.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The desk.
    pub desk: String,
    /// Since when it runs, in ms since 1970.
    pub started_ms: u64,
    /// `disk` or `os`.
    pub durability: String,
    /// `one` or `two`: how many people a loosening takes.
    pub approvals: String,
    /// The desk has an administrator; before, the owner of the data folder acts alone.
    #[serde(default)]
    pub has_admin: bool,
    /// Requests that wait for a second person.
    #[serde(default)]
    pub approvals_waiting: usize,
    /// The journal cannot be written, and why, in one line that says what to do.
    pub journal_failed: Option<String>,
    /// It goes on without something (the next segment, tiles, checkpoints), and why.
    #[serde(default)]
    pub journal_degraded: Option<String>,
    /// The journal.
    pub journal: JournalStatus,
    /// The protections that the signer lacks on this machine.
    pub signer_lacks: Vec<String>,
    /// The processes.
    pub pids: Pids,
    /// The listeners' addresses, by venue; `""` is the one for all.
    pub listeners: BTreeMap<String, String>,
    /// Connections of callers.
    pub connections: usize,
    /// The accounts.
    pub accounts: Vec<AccountStatus>,
    /// The callers that have a grant, by account.
    pub callers: Vec<CallerStatus>,
    /// Open orders that Tidegate did not place: each is an alarm.
    pub foreign: Vec<OpenOrder>,
    /// What somebody has to look at and nobody has seen yet, the newest last.
    pub alarms: Vec<AlarmStatus>,
    /// How many alarms were raised since the journal began.
    pub alarms_raised: u64,
    /// The instruments whose books were dropped: only orders that reduce pass there.
    #[serde(default)]
    pub lost_books: Vec<LostBookStatus>,
    /// The halts in force.
    pub halts: Vec<HaltStatus>,
    /// Refusals since the journal began, by code.
    pub refusals: BTreeMap<String, u64>,
    /// The newest kinds of refusal since the start, the newest last.
    pub recent_refusals: Vec<RecentRefusal>,
    /// How much there was of what since the start.
    pub counts: Counts,
    /// How long the stages take.
    pub latency: BTreeMap<String, Quantiles>,
}

/// The journal as `status` tells it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JournalStatus {
    /// The number of the record that comes next.
    pub next: u64,
    /// How many records the newest checkpoint covers.
    pub checkpointed: u64,
    /// The size of its segments on the disk, in bytes; they are made before they are filled.
    pub bytes: u64,
    /// How much room is left on the disk, in bytes, if the system tells.
    pub free_bytes: Option<u64>,
}

/// A caller on an account as `status` tells it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CallerStatus {
    /// Who.
    pub caller: String,
    /// On which account.
    pub account: String,
    /// It may trade; otherwise it may only read.
    pub trade: bool,
    /// How many of its orders are open.
    pub open_orders: usize,
    /// What they are worth together, in dollars.
    pub open_notional: String,
    /// Most that they may be worth.
    pub max_open_notional: String,
    /// Its virtual keys there that are not revoked.
    pub keys: Vec<String>,
}

/// Process ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pids {
    /// The gateway's.
    pub gateway: u32,
    /// The signer's.
    pub signer: Option<u32>,
}

/// An account as `status` tells it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccountStatus {
    /// Its name.
    pub account: String,
    /// Its venue.
    pub venue: String,
    /// It takes new orders.
    pub open: bool,
    /// Why not.
    pub why: String,
    /// The public id of its venue key.
    pub key: Option<String>,
    /// What the venue said that key may do.
    pub rights: Vec<String>,
    /// How many orders are open.
    pub open_orders: usize,
    /// How many of them Tidegate did not place.
    pub foreign_orders: usize,
    /// What they are worth together, in dollars.
    pub open_notional: String,
    /// Most that they may be worth, if the account has limits.
    pub max_open_notional: Option<String>,
    /// What all positions with their open orders may come to be worth, in dollars.
    pub exposure: String,
    /// Most that it may be, if the account has limits.
    pub max_exposure: Option<String>,
    /// The positions that are not zero.
    pub positions: BTreeMap<String, String>,
    /// The balances that are not zero, by asset: what is in the wallet.
    pub balances: BTreeMap<String, String>,
}

/// An alarm as `status` tells it: something at the venue that Tidegate did not cause, or that was
/// counted otherwise there. The same again is counted; figures are those of the newest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AlarmStatus {
    /// `foreign-order`, `foreign-fill`, `foreign-cancel`, `foreign-amend`, `position-differed` or
    /// `balance-differed`.
    pub kind: String,
    /// On which account.
    pub account: String,
    /// Of which instrument.
    pub instrument: Option<String>,
    /// Of which asset.
    pub asset: Option<String>,
    /// Whose order it was.
    pub caller: Option<String>,
    /// Tidegate's number of the order, if it has one.
    pub order: Option<u64>,
    /// The venue's id of the order.
    pub venue_id: Option<String>,
    /// `buy` or `sell`.
    pub side: Option<String>,
    /// Of an order what was left of it, of a trade its quantity, else what the venue shows.
    pub qty: String,
    /// What had been counted, of a position or a balance.
    pub counted: Option<String>,
    /// When it happened first, in ms since 1970.
    pub first_ms: u64,
    /// When it happened last.
    pub last_ms: u64,
    /// How often.
    pub count: u64,
}

impl AlarmStatus {
    /// What makes two alarms the same.
    pub fn key(&self) -> String {
        let parts = [&self.instrument, &self.asset, &self.caller];
        let parts = parts.map(|part| part.as_deref().unwrap_or_default());
        format!("{}/{}/{}", self.kind, self.account, parts.join("/"))
    }
}

/// An instrument whose book was dropped, so that its mark counts as stale.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LostBookStatus {
    /// Which, with its venue.
    pub instrument: String,
    /// Since when, in ms since 1970.
    pub since_ms: u64,
    /// Why.
    pub why: String,
    /// The book is whole again, and a newer mark is waited for.
    pub whole: bool,
}

/// A halt as `status` tells it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HaltStatus {
    /// Of what.
    pub scope: String,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when, in ms since 1970.
    pub since_ms: u64,
    /// The venue showed no live order of the scope.
    pub proven: bool,
    /// Orders that reduce a position still pass.
    pub allow_reduce: bool,
    /// Whether its positions are closed: `closing`, or `flat` once the venue showed none.
    pub flatten: Option<String>,
    /// How many orders are left.
    pub left_count: usize,
    /// What it still waits for; of many orders the first few.
    #[serde(flatten)]
    pub remains: Remains,
}

impl Failure {
    /// A failure of which nothing is left.
    pub fn new(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure {
            code: code.to_owned(),
            message: message.into(),
            hint: hint.into(),
            remains: Box::default(),
        }
    }
}

impl Response {
    /// The answer as one line of JSON, without the line break.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| {
            r#"{"error":{"code":"internal","message":"the answer cannot be written","hint":""}}"#
                .to_owned()
        })
    }
}

//! What `status` tells.

use super::OpenOrder;
use super::Remains;
use super::{BreakerStatus, ClockStatus};
use super::{MarginStatus, OptionsStatus};
use crate::desk::Counts;
use crate::desk::Quantiles;
use crate::desk::RecentRefusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// By which exchange key each account is used, to the owner of the data folder, who holds the vault; to
    /// nobody else. What else there is of accounts depends on who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_keys: Option<BTreeMap<String, String>>,
    /// The desk has an administrator; before, the owner of the data folder acts alone.
    #[serde(default)]
    pub has_admin: bool,
    /// Requests that wait for a second person.
    #[serde(default)]
    pub approvals_waiting: usize,
    /// `any` or `passkey`: by what people approve, and ask for what loosens.
    #[serde(default)]
    pub approve_by: String,
    /// How many people the desk has.
    #[serde(default)]
    pub people: usize,
    /// The policy in force, as `NAME vVERSION`; the limits of accounts and grants hold besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
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
    /// The circuit breakers.
    #[serde(default)]
    pub breakers: Vec<BreakerStatus>,
    /// The venues' clocks, as last compared.
    #[serde(default)]
    pub clocks: Vec<ClockStatus>,
    /// The venues' rate limits.
    #[serde(default)]
    pub limits: Vec<VenueLimits>,
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

/// What is used of a venue's rate limits, and what it stopped.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VenueLimits {
    /// Which venue.
    pub venue: String,
    /// How many requests wait for room.
    pub waiting: usize,
    /// Its limits, as far as something was used of them.
    pub limits: Vec<VenueLimit>,
    /// What it stopped.
    pub frozen: Vec<VenueFrozen>,
}

/// What is used of one limit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VenueLimit {
    /// Its name.
    pub name: String,
    /// Whose, where the venue counts by account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Of which of the desk's addresses, where the venue counts by address and several are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Units used, at most.
    pub used: u64,
    /// The most units that may be used.
    pub limit: u64,
    /// How many of them are kept for cancels and for orders that reduce.
    pub reserved: u64,
    /// In how many ms it is reached at the present rate of cancels and of others at the same address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached_in_ms: Option<u64>,
}

/// What a venue stopped for a while.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VenueFrozen {
    /// `orders`, `requests` (all but cancels) or `everything`.
    pub stops: String,
    /// Of which account, where it is one's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// At which of the desk's addresses, where several are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Until when, in ms since 1970.
    pub until_ms: u64,
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
    /// The people it is shared with, for who may end that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read_by: Vec<String>,
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
    /// What it traded today (UTC), in dollars at worst.
    pub traded_today: String,
    /// Most that this and its open orders may be worth, if limited.
    pub max_daily_notional: Option<String>,
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
    /// What it does with orders that would trade with one of the same owner.
    pub self_trade: String,
    /// Whom it belongs to, where that is said.
    pub owner: Option<String>,
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
    /// How its options stand, if it trades any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<OptionsStatus>,
    /// What its venue says of its margin, if it told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venue_margin: Option<MarginStatus>,
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

/// Who halted what was halted already.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HaltedToo {
    /// Who.
    pub by: String,
    /// Why, as said last.
    pub reason: String,
    /// When, in ms since 1970.
    pub at_ms: u64,
}

/// A halt as `status` tells it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HaltStatus {
    /// Of what.
    pub scope: String,
    /// Who was the first.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when, in ms since 1970.
    pub since_ms: u64,
    /// Who halted it again, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub too: Vec<HaltedToo>,
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

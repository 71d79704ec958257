//! People and requests for approval, as they are told.

use serde::{Deserialize, Serialize};

/// A person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonSpec {
    /// Who.
    pub person: String,
    /// `trader`, `risk`, `approver`, `admin`, `auditor`.
    pub roles: Vec<String>,
    /// The callers that are its own.
    #[serde(default)]
    pub owns: Vec<String>,
    /// Callers of others that it may look at.
    #[serde(default)]
    pub reads: Vec<String>,
}

/// A link by which a person enrols. It is shown this once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Invitation {
    /// Whom it lets in.
    pub person: String,
    /// The link.
    pub link: String,
    /// When it lapses, in ms since 1970.
    pub until_ms: u64,
    /// The request that it waits for, if it is not in force yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<u64>,
}

/// A session in the console.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SessionStatus {
    /// Its number.
    pub number: u64,
    /// Where it came from: address and browser, as they said.
    pub origin: String,
    /// When it began, in ms since 1970.
    pub since_ms: u64,
    /// When it was used last, to the minute.
    pub last_seen_ms: u64,
}

/// An outside login that is linked with a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LinkedStatus {
    /// The provider.
    pub issuer: String,
    /// Who the person is there.
    pub subject: String,
    /// Since when, in ms since 1970.
    pub since_ms: u64,
    /// When it was used last.
    pub last_used_ms: Option<u64>,
}

/// A passkey of a person's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PasskeyStatus {
    /// The beginning of SHA-256 of its id, in hex.
    pub passkey: String,
    /// What its person calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// It is synced between devices.
    pub synced: bool,
    /// When it was made, in ms since 1970.
    pub made_ms: u64,
    /// When it was used last.
    pub last_used_ms: u64,
}

/// Something that happened to what a person logs in by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoticeStatus {
    /// When, in ms since 1970.
    pub at_ms: u64,
    /// What.
    pub what: String,
}

/// A person as it is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PersonStatus {
    /// Who.
    pub person: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// The callers that are its own.
    pub owns: Vec<String>,
    /// Callers of others that it may look at.
    pub reads: Vec<String>,
    /// When it enrolled, in ms since 1970, if it did.
    #[serde(default)]
    pub enrolled_ms: Option<u64>,
    /// Until when the link is good that was given out and not used yet.
    #[serde(default)]
    pub link_until_ms: Option<u64>,
}

/// A request for approval as it is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApprovalStatus {
    /// Its number.
    pub id: u64,
    /// Who asked.
    pub by: String,
    /// Whoever reads this asked it, or gains by it, and does not approve it.
    #[serde(default)]
    pub yours: bool,
    /// Whoever reads this asked it.
    #[serde(default)]
    pub asked_by_you: bool,
    /// It waits for who asked, to confirm it by a passkey in the console.
    #[serde(default)]
    pub to_confirm: bool,
    /// By what who asked confirmed it.
    #[serde(default)]
    pub confirmed_by: Option<String>,
    /// What is to be done.
    pub statement: String,
    /// SHA-256 of exactly that, in hex: what a second person approves.
    pub digest: String,
    /// When it was asked, in ms since 1970.
    pub asked_ms: u64,
    /// Until when it can be approved.
    pub until_ms: u64,
    /// `waiting`, `carried-out`, `denied`, `expired`, `outdated` or `spoiled`.
    pub stage: String,
    /// When it ended.
    pub ended_ms: Option<u64>,
    /// Who approved or denied it.
    pub ended_by: Option<String>,
    /// By what the approval was shown: `local-socket` or `passkey`.
    pub factor: Option<String>,
    /// Why it is void.
    pub why: Option<String>,
    /// How often it was approved with a wrong digest.
    pub misses: u64,
}

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

/// A request for approval as it is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApprovalStatus {
    /// Its number.
    pub id: u64,
    /// Who asked.
    pub by: String,
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
    /// By what the approval was shown: `local-socket` or `admin-token`.
    pub factor: Option<String>,
    /// Why it is void.
    pub why: Option<String>,
    /// How often it was approved with a wrong digest.
    pub misses: u64,
}

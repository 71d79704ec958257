//! What the administration answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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

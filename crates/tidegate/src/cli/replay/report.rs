//! What came of deciding again, as text and as objects.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tidegate_core::rehearsal::{Difference, Verdict};
use tidegate_types::codec::to_json;
use tidegate_types::ids::Seq;
use tidegate_types::record::{Body, Record};

/// What was decided again, and how.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) records: u64,
    pub(super) from: Option<Seq>,
    pub(super) to: Option<Seq>,
    /// Decisions that were the same.
    pub(super) same: u64,
    /// Decisions that were made from what no record holds, by what that is.
    pub(super) unknowable: BTreeMap<&'static str, u64>,
    /// Decisions that are counts on record, and no more.
    pub(super) counts: u64,
    /// Bytes at the journal's end that are no whole record.
    pub(super) torn: u64,
    pub(super) differences: Vec<Difference>,
}

impl Tally {
    /// Takes note of refusals that are on record as a count.
    pub(super) fn counted(&mut self, record: &Record) {
        if let Body::RefusedMore { count, .. } = &record.body {
            self.counts += count;
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "records": self.records,
            "from": self.from.map(|seq| seq.0),
            "to": self.to.map(|seq| seq.0),
            "same_decisions": self.same,
            "unknowable": self.unknowable,
            "only_counted": self.counts,
            "torn_bytes": self.torn,
            "differences": self.differences.iter().map(difference).collect::<Vec<_>>(),
        })
    }

    /// What is said where nothing differs.
    pub(super) fn text(&self) -> String {
        let mut out = format!(
            "{} records decided again: {} decisions, each the same bit for bit",
            self.records, self.same
        );
        self.left_out(&mut out);
        out
    }

    pub(super) fn left_out(&self, out: &mut String) {
        for (why, count) in &self.unknowable {
            let _ = write!(out, "\n{count} could not be decided again: {why}");
        }
        if self.counts > 0 {
            let _ = write!(out, "\n{} refusals are on record as counts only", self.counts);
        }
        if self.torn > 0 {
            let _ = write!(
                out,
                "\nthe journal's last {} bytes are no whole record and are left out: one is being written, or a \
                 crash cut it short",
                self.torn
            );
        }
    }
}

/// The first difference, in a line.
pub(super) fn first(difference: &Difference, all: usize) -> String {
    let Difference { seq, caller, account, was, now, .. } = difference;
    let (was, now) = (verdict(was), verdict(now));
    format!("record {seq}, {caller} on {account}: was {was}, is {now} ({all} decisions differ)")
}

fn verdict(verdict: &Verdict) -> String {
    let numbers = to_json(verdict.decision());
    match verdict.reject() {
        None => format!("cleared by {numbers}"),
        Some(reject) => format!("refused, {reject}, by {numbers}"),
    }
}

fn difference(difference: &Difference) -> Value {
    let Difference { seq, at, caller, account, was, now } = difference;
    let told = |verdict: &Verdict| {
        json!({
            "passed": verdict.reject().is_none(),
            "refusal": verdict.reject().map(ToString::to_string),
            "notional": verdict.decision().notional.map(|usd| usd.to_string()),
        })
    };
    json!({
        "record": seq.0,
        "at_ms": at.millis(),
        "caller": caller.as_str(),
        "account": account.as_str(),
        "was": told(was),
        "now": told(now),
    })
}

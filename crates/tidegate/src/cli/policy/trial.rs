//! `tidegate policy test`: orders held against a policy by the gateway's own core. Each case has a desk of its
//! own, whose other limits are as wide as can be, so that what refuses is the policy.

mod desk;

use super::{came_out_otherwise, given, text_of, unreadable};
use crate::cli::args::Common;
use crate::cli::output::{Failure, print};
use desk::Desk;
use serde_json::{Value, json};
use std::path::Path;
use tidegate_core::rehearsal::Verdict;
use tidegate_policy::cases::{self, Case, Cases};
use tidegate_types::policy::Policy;
use tidegate_types::reject::Code;

/// What is expected of an order that no rule refuses, and of one that no rule allows.
const PASS: &str = "pass";
const NOT_ALLOWED: &str = "not-allowed";

/// How a case came out.
struct Outcome<'c> {
    case: &'c Case,
    /// The rule that refused it, `pass`, or `not-allowed`.
    came: String,
    /// The refusal, for people.
    said: String,
}

impl Outcome<'_> {
    fn expected(&self) -> &str {
        self.case.expect.as_ref().map_or(PASS, |rule| rule.as_str())
    }

    fn is_right(&self) -> bool {
        self.came == self.expected()
    }

    fn row(&self) -> Value {
        json!({
            "name": self.case.name, "line": self.case.line, "expected": self.expected(),
            "came": self.came, "said": self.said, "right": self.is_right(),
        })
    }

    fn line(&self, file: &Path) -> String {
        let (name, came) = (&self.case.name, &self.came);
        let said =
            if self.said.is_empty() { String::new() } else { format!("\n      {}", self.said) };
        match self.is_right() {
            true => format!("ok    {name}: {came}{said}"),
            false => {
                let (place, line) = (file.display(), self.case.line);
                format!("WRONG {name}: {came}, expected {} ({place}:{line}){said}", self.expected())
            }
        }
    }
}

/// Holds each case against the policy.
pub(super) fn test(common: &Common, file: &Path, cases: &Path) -> Result<(), Failure> {
    let policy = given(file)?.policy;
    let text = text_of(cases)?;
    let read = cases::read(&cases.display().to_string(), &text).map_err(unreadable)?;
    let outcomes = outcomes(&policy, &read).map_err(|why| {
        Failure::new("bad-cases", format!("{}: {why}", cases.display()), "correct it")
    })?;
    let wrong = outcomes.iter().filter(|outcome| !outcome.is_right()).count();
    let rows: Vec<Value> = outcomes.iter().map(Outcome::row).collect();
    let value = json!({ "cases": rows, "wrong": wrong });
    let mut lines: Vec<String> = outcomes.iter().map(|outcome| outcome.line(cases)).collect();
    if wrong == 0 {
        lines.push(format!("all {} cases came out as expected", outcomes.len()));
        print(common.json, &value, &lines.join("\n"));
        return Ok(());
    }
    if !common.json {
        print(false, &value, &lines.join("\n"));
    }
    let count = outcomes.len();
    Err(came_out_otherwise(format!("{wrong} of {count} cases came out otherwise"), value))
}

/// What the core makes of each case.
///
/// # Errors
/// When a case describes a desk that cannot be.
fn outcomes<'c>(policy: &Policy, cases: &'c Cases) -> Result<Vec<Outcome<'c>>, String> {
    let outcome = |case: &'c Case| -> Result<Outcome<'c>, String> {
        let within = |why: String| format!("case {:?}: {why}", case.name);
        let mut desk = Desk::new(policy, &cases.markets, case).map_err(within)?;
        for traded in &case.traded {
            let verdict = desk.decide(traded).map_err(within)?;
            desk.trade(traded, verdict).map_err(within)?;
        }
        for open in &case.open {
            let verdict = desk.decide(open).map_err(within)?;
            desk.take(open, verdict).map_err(within)?;
        }
        desk.go_on_to(&case.then);
        let verdict = desk.decide(&case.order).map_err(within)?;
        let (came, said) = told(policy, &verdict);
        Ok(Outcome { case, came, said })
    };
    cases.cases.iter().map(outcome).collect()
}

/// Which rule refused, and how that is said.
fn told(policy: &Policy, verdict: &Verdict) -> (String, String) {
    let Verdict::Refused { reject, decision } = verdict else {
        return (PASS.to_owned(), String::new());
    };
    let over = decision.measures.iter().find(|measure| measure.is_over());
    let named = policy.rules().iter().map(|rule| &rule.id).find(|id| {
        reject.detail.strip_prefix(id.as_str()).is_some_and(|rest| rest.starts_with([' ', ':']))
    });
    let came = match (reject.code, named.or(over.map(|measure| &measure.rule))) {
        (Code::NotInPolicy, _) => NOT_ALLOWED.to_owned(),
        (_, Some(rule)) => rule.to_string(),
        (code, None) => format!("TG{}", code.number()),
    };
    (came, reject.to_string())
}

#[cfg(test)]
mod tests;

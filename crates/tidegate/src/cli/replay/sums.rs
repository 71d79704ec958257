//! What another policy would decide otherwise, summed by rule, caller and account.

use super::report::Tally;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tidegate_core::rehearsal::Difference;
use tidegate_types::decimal::Decimal;

/// Which differences are summed together: whether they are refused now, by which rule, whose, where.
type Kind = (bool, String, String, String);

/// How many, and what they are worth in dollars.
type Sum = (u64, Decimal);

fn sums(tally: &Tally) -> BTreeMap<Kind, Sum> {
    let mut sums: BTreeMap<Kind, Sum> = BTreeMap::new();
    for difference in &tally.differences {
        let Difference { caller, account, was, now, .. } = difference;
        let refused = now.reject().is_some();
        let kind = (refused, rule(difference), caller.to_string(), account.to_string());
        let (count, worth) = sums.entry(kind).or_default();
        *count += 1;
        let notional = [now, was].into_iter().find_map(|verdict| verdict.decision().notional);
        let more = notional.map_or(Decimal::ZERO, |notional| notional.0);
        *worth = worth.add(more).unwrap_or(Decimal::MAX);
    }
    sums
}

/// What refuses: a policy's rule, or the code where none of its rules measured.
fn rule(difference: &Difference) -> String {
    let refusal = [&difference.now, &difference.was].into_iter().find(|v| v.reject().is_some());
    let Some((refusal, reject)) = refusal.and_then(|v| Some((v, v.reject()?))) else {
        return String::new();
    };
    let over = refusal.decision().measures.iter().find(|measure| measure.is_over());
    over.map_or_else(|| format!("TG{}", reject.code.number()), |measure| measure.rule.to_string())
}

/// The sums as an object, with each difference.
pub(super) fn json(tally: &Tally, policy: &str) -> Value {
    let rows = |refused: bool| {
        let sums = sums(tally).into_iter().filter(|((now, ..), _)| *now == refused);
        let rows = sums.map(|((_, rule, caller, account), (orders, worth))| {
            json!({
                "rule": rule,
                "caller": caller,
                "account": account,
                "orders": orders,
                "notional": worth.to_string(),
            })
        });
        rows.collect::<Vec<_>>()
    };
    let mut object = tally.json();
    if let Some(fields) = object.as_object_mut() {
        fields.insert("policy".to_owned(), json!(policy));
        fields.insert("would_be_refused".to_owned(), json!(rows(true)));
        fields.insert("would_pass".to_owned(), json!(rows(false)));
    }
    object
}

/// The sums as lines.
pub(super) fn text(tally: &Tally, policy: &str) -> String {
    let mut out = format!(
        "{} records decided by {policy}: {} decisions the same, {} otherwise",
        tally.records,
        tally.same,
        tally.differences.len()
    );
    for ((refused, rule, caller, account), (orders, worth)) in sums(tally) {
        let what = if refused { "would be refused" } else { "would pass" };
        let _ = write!(out, "\n  {what}: {orders} of {caller} on {account} by {rule}, {worth} USD");
    }
    tally.left_out(&mut out);
    out
}

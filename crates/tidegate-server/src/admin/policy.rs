//! Policies: what is in force, putting another one in force or beside it, and single orders past soft rules.

use super::Administrator;
use super::grants::{SIDES, name};
use super::protocol::{
    Failure, HoldingStatus, InForce, OverrideSpec, OverrideStatus, PolicyChecked, PolicyStatus,
    ReleaseSpec, RuleStatus, Shadow, ShadowCount, UseStatus,
};
use super::service::{Administration, internal};
use super::view::View;
use crate::{clock, oplog};
use serde_json::{Value, json};
use std::fmt::Display;
use tidegate_core::policy::{Holding, Usage};
use tidegate_core::roles;
use tidegate_core::state::State;
use tidegate_policy::{canonical, digest, rule_text};
use tidegate_types::approval::Act;
use tidegate_types::ids::{
    CallerName, ExceptionId, InstrumentId, InstrumentName, PersonName, RuleId, VenueName,
};
use tidegate_types::instrument::Qty;
use tidegate_types::order::Side;
use tidegate_types::policy::{Exception, Policy, Reach, Rule, Strength};
use tidegate_types::record::Change;
use tidegate_types::text::one_line;
use tidegate_types::time::{Span, Time};

/// How errors call a policy that came over the line: its sender names the file.
const SENT: &str = "policy";
/// What stands for the rule where none allows an order.
const NOT_ALLOWED: &str = "not-allowed";
/// Longest that an override may be good.
const MAX_VALID: u64 = 24 * 3600;

impl Administration {
    /// The policies and overrides, with what of them is used.
    pub(super) fn policy(&self, by: &Administrator) -> Result<Value, Failure> {
        let told = self.parts.desk.look(|state| match View::of(state, by) {
            Some(view) if view.is_stranger() => PolicyStatus::default(),
            _ => told(state, &by.person, clock::now()),
        });
        serde_json::to_value(told).map_err(|e| internal(&e))
    }

    /// What a policy would change.
    pub(super) fn check_policy(&self, by: &Administrator, text: &str) -> Result<Value, Failure> {
        let policy = read(text)?;
        if !self.parts.desk.look(|state| roles::sees_all(state, &by.person)) {
            let hint = "ask somebody with the role risk, approver, admin or auditor";
            return Err(Failure::new("not_yours", "the whole policy is not yours to see", hint));
        }
        let told = self.parts.desk.look(|state| {
            let change = Change::PolicySet { policy: Box::new(policy.clone()) };
            PolicyChecked {
                name: policy.name().to_string(),
                version: policy.version(),
                digest: digest(&policy),
                loosens: roles::loosens(state, &change),
                takes_two: state.takes_two(&Act::Change { change }),
                unknown: unknown(state, by, &policy),
            }
        });
        serde_json::to_value(told).map_err(|e| internal(&e))
    }

    /// Puts a policy in force.
    pub(super) async fn set_policy(
        &self,
        by: &Administrator,
        text: &str,
        reason: &str,
    ) -> Result<Value, Failure> {
        let (policy, reason) = (read(text)?, reason_of(reason)?);
        let told = stamp(&policy);
        let (stamp, digest) = (policy.stamp(), digest(&policy));
        let change = Change::PolicyPut { policy: Box::new(policy), reason: reason.clone() };
        let answer = self.change(by, change).await?;
        let fields: [(&str, &dyn Display); 4] =
            [("by", &by.person), ("policy", &stamp), ("digest", &digest), ("reason", &reason)];
        oplog::info("policy-asked", &fields);
        Ok(with(answer, told))
    }

    /// Takes the policy in force away.
    pub(super) async fn remove_policy(
        &self,
        by: &Administrator,
        reason: &str,
    ) -> Result<Value, Failure> {
        let reason = reason_of(reason)?;
        let change = Change::PolicyTaken { reason: reason.clone() };
        let answer = self.change(by, change).await?;
        oplog::info("policy-removal-asked", &[("by", &by.person), ("reason", &reason)]);
        Ok(answer)
    }

    /// Runs a policy beside the one in force.
    pub(super) async fn set_shadow(
        &self,
        by: &Administrator,
        text: &str,
        reason: &str,
    ) -> Result<Value, Failure> {
        let (policy, reason) = (read(text)?, reason_of(reason)?);
        let told = stamp(&policy);
        let change = Change::ShadowPut { policy: Box::new(policy), reason };
        Ok(with(self.change(by, change).await?, told))
    }

    /// Runs no policy beside any more.
    pub(super) async fn remove_shadow(
        &self,
        by: &Administrator,
        reason: &str,
    ) -> Result<Value, Failure> {
        self.change(by, Change::ShadowTaken { reason: reason_of(reason)? }).await
    }

    /// Lets one order pass soft rules.
    pub(super) async fn give_override(
        &self,
        by: &Administrator,
        spec: OverrideSpec,
    ) -> Result<Value, Failure> {
        let exception = exception(spec, clock::now())?;
        let id = exception.id.to_string();
        let answer = self.change(by, Change::OverrideSet { exception }).await?;
        Ok(with(answer, json!({ "override": id })))
    }

    /// Takes an override back.
    pub(super) async fn take_back_override(
        &self,
        by: &Administrator,
        id: &str,
    ) -> Result<Value, Failure> {
        self.change(by, Change::OverrideRemoved { id: name("override", id)? }).await
    }

    /// Lets executions go on that a rule stopped.
    pub(super) async fn release(
        &self,
        by: &Administrator,
        spec: &ReleaseSpec,
    ) -> Result<Value, Failure> {
        let (rule, caller) = (name("rule", &spec.rule)?, name("caller", &spec.caller)?);
        let (instrument, side) = (instrument(&spec.instrument)?, side(&spec.side)?);
        let reason = reason_of(&spec.reason)?;
        self.change(by, Change::ThrottleFreed { rule, caller, instrument, side, reason }).await
    }
}

/// The policies and overrides, as far as a person may see them: who sees its own callers only is told the
/// rules that are over them, without what others use.
pub(crate) fn told(state: &State, person: &PersonName, now: Time) -> PolicyStatus {
    let all = roles::sees_all(state, person);
    let seen = |reach: &Reach| {
        reach.caller.as_ref().is_none_or(|caller| roles::sees(state, person, caller))
            && reach.account.as_ref().is_none_or(|name| roles::sees_account(state, person, name))
    };
    let file = |policy: &Policy| if all { canonical(policy) } else { String::new() };
    let policies = state.policies();
    let usage = if all { state.policy_usage(now) } else { Vec::new() };
    let in_force = policies.in_force().map(|policy| InForce {
        name: policy.name().to_string(),
        version: policy.version(),
        digest: digest(policy),
        reason: policies.reason().filter(|_| all).map(str::to_owned),
        file: file(policy),
        rules: policy
            .rules()
            .iter()
            .filter(|rule| seen(&rule.reach))
            .map(|rule| rule_status(rule, &usage))
            .collect(),
    });
    let shadow = policies.shadow().filter(|_| all).map(|policy| Shadow {
        name: policy.name().to_string(),
        version: policy.version(),
        digest: digest(policy),
        file: file(policy),
        refused: policies.shadowed().iter().map(shadow_count).collect(),
    });
    let good = policies.exceptions().values().filter(|it| it.expires > now);
    let good = good.filter(|it| roles::sees(state, person, &it.caller));
    let overrides = good.map(override_status).collect();
    let holdings = if all { state.holdings(now) } else { Vec::new() };
    let holdings = holdings.iter().map(holding_status).collect();
    PolicyStatus { in_force, shadow, overrides, holdings }
}

fn rule_status(rule: &Rule, usage: &[Usage]) -> RuleStatus {
    let used = usage.iter().filter(|used| used.measure.rule == rule.id);
    RuleStatus {
        rule: rule.id.to_string(),
        text: rule_text(rule),
        kind: rule.limit.kind().word().to_owned(),
        soft: rule.strength == Strength::Soft,
        used: used.map(use_status).collect(),
    }
}

fn use_status(Usage { measure, tripped }: &Usage) -> UseStatus {
    let stopped = if *tripped { "; stopped, `tidegate policy release` lets it go on" } else { "" };
    UseStatus {
        of: measure.of.to_string(),
        measured: measure.measured.to_string(),
        limit: measure.limit.to_string(),
        unit: measure.unit.word().trim().to_owned(),
        stopped: *tripped,
        text: format!("{measure}{stopped}"),
    }
}

fn shadow_count((rule, count): (&Option<RuleId>, &u64)) -> ShadowCount {
    let rule = rule.as_ref().map_or_else(|| NOT_ALLOWED.to_owned(), ToString::to_string);
    ShadowCount { rule, count: *count }
}

fn holding_status(of: &Holding) -> HoldingStatus {
    HoldingStatus {
        account: of.account.to_string(),
        what: of.what.clone(),
        amount: of.amount.to_string(),
        price: of.price.map(|price| price.to_string()),
        source: of.source.as_ref().map(ToString::to_string),
        age_ms: of.age.map(Span::millis),
        worth: of.worth.map(|worth| worth.to_string()),
    }
}

fn override_status(of: &Exception) -> OverrideStatus {
    OverrideStatus {
        id: of.id.to_string(),
        caller: of.caller.to_string(),
        account: of.account.to_string(),
        instrument: of.instrument.to_string(),
        side: side_word(of.side),
        max_quantity: of.max_qty.to_string(),
        rules: of.rules.iter().map(ToString::to_string).collect(),
        reason: of.why.clone(),
        expires_ms: of.expires.millis(),
    }
}

/// The policy that was sent.
fn read(text: &str) -> Result<Policy, Failure> {
    tidegate_policy::read(SENT, text).map_err(|faults| {
        let hint = "read the file with `tidegate policy check`, and correct it";
        Failure::new("bad_policy", faults.to_string(), hint)
    })
}

fn reason_of(text: &str) -> Result<String, Failure> {
    let reason = one_line(text.trim());
    match reason.is_empty() {
        true => Err(bad("the reason is empty".to_owned())),
        false => Ok(reason),
    }
}

fn stamp(policy: &Policy) -> Value {
    json!({
        "policy": policy.name().as_str(),
        "version": policy.version(),
        "digest": digest(policy),
    })
}

/// An answer with more fields.
fn with(mut answer: Value, more: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (answer.as_object_mut(), more) {
        fields.extend(more);
    }
    answer
}

fn exception(spec: OverrideSpec, now: Time) -> Result<Exception, Failure> {
    if spec.valid_s == 0 || spec.valid_s > MAX_VALID {
        return Err(bad(format!("valid_s {}: from 1 to {MAX_VALID}", spec.valid_s)));
    }
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|e| internal(&e))?;
    let id = random.iter().fold("ov-".to_owned(), |id, byte| format!("{id}{byte:02x}"));
    let rules = spec.rules.iter().map(|rule| name::<RuleId>("rules", rule));
    Ok(Exception {
        id: name::<ExceptionId>("override", &id)?,
        caller: name("caller", &spec.caller)?,
        account: name("account", &spec.account)?,
        instrument: instrument(&spec.instrument)?,
        side: side(&spec.side)?,
        max_qty: quantity(&spec.max_quantity)?,
        rules: rules.collect::<Result<_, _>>()?,
        why: reason_of(&spec.reason)?,
        expires: now.plus(Span::from_secs(spec.valid_s)),
    })
}

fn instrument(text: &str) -> Result<InstrumentId, Failure> {
    let id = text.split_once('/').and_then(|(venue, name)| {
        let (venue, name) = (VenueName::new(venue).ok()?, InstrumentName::new(name).ok()?);
        Some(InstrumentId { venue, name })
    });
    id.ok_or_else(|| bad(format!("instrument {text:?}: write it as VENUE/NAME")))
}

fn side(text: &str) -> Result<Side, Failure> {
    let found = SIDES.iter().find(|(word, _)| *word == text);
    found.map(|(_, side)| *side).ok_or_else(|| bad(format!("side {text:?}: buy or sell")))
}

fn side_word(side: Side) -> String {
    SIDES.iter().find(|(_, of)| *of == side).map_or("", |(word, _)| word).to_owned()
}

fn quantity(text: &str) -> Result<Qty, Failure> {
    let qty: Result<tidegate_types::Decimal, _> = text.replace('_', "").parse();
    let qty = qty.ok().filter(|qty| qty.is_positive());
    qty.map(Qty).ok_or_else(|| bad(format!("max_quantity {text:?}: a number above zero")))
}

fn bad(message: String) -> Failure {
    Failure::new("bad_request", message, "correct it and ask again")
}

/// Names of accounts, callers, venues, coins and instruments that a person sees none of here. A name may be of
/// something yet to come, so that this is a warning.
fn unknown(state: &State, by: &Administrator, policy: &Policy) -> Vec<String> {
    let mut found = Vec::new();
    for rule in policy.rules() {
        let Reach { account, caller, instruments } = &rule.reach;
        let mut tell = |what: &str, name: &str| {
            found.push(format!("rule {}: the desk has no {what} {name}", rule.id));
        };
        if let Some(account) =
            account.as_ref().filter(|a| !roles::sees_account(state, &by.person, a))
        {
            tell("account", account.as_str());
        }
        let known = |caller: &CallerName| {
            state.callers().contains_key(caller) && roles::sees(state, &by.person, caller)
        };
        if let Some(caller) = caller.as_ref().filter(|caller| !known(caller)) {
            tell("caller", caller.as_str());
        }
        let venue = |venue: &&VenueName| !state.accounts().values().any(|a| a.venue == **venue);
        if let Some(venue) = instruments.venue.as_ref().filter(venue) {
            tell("account at venue", venue.as_str());
        } else if !state.instruments().values().any(|terms| instruments.covers(terms)) {
            tell("instrument of", &rule.reach.to_string());
        }
    }
    found
}

//! The policy in force, after all other limits; and what the one beside it would have said.

use super::exposure::added;
use super::{collar, worst};
use crate::authorize::{Ask, Authorized};
use crate::options::Asked;
use crate::orders::Order;
use crate::policy::{Breach, Case, Finding, Judgement, Tested};
use crate::state::State;
use tidegate_types::ids::ExceptionId;
use tidegate_types::instrument::{Mark, Usd};
use tidegate_types::policy::{Exception, Measure, Strength};
use tidegate_types::record::Decision;
use tidegate_types::reject::Reject;
use tidegate_types::time::Time;

/// What goes beside a cleared order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aside {
    /// The exception by which it passed soft rules.
    pub(crate) exception: Option<ExceptionId>,
    /// What the policy beside would have said.
    pub(crate) shadow: Option<Finding>,
}

/// What the gates before found of an order.
#[derive(Clone, Copy)]
struct Found<'a> {
    mark: &'a Mark,
    worst: worst::Worst,
    notional: Usd,
    options: Option<&'a Tested<'a>>,
}

/// Refuses what the policy in force does not let pass. `whole` is told what a refusal is about, where its caller is
/// not.
pub(super) fn check(
    state: &State,
    authorized: &mut Authorized<'_>,
    (mark, worst, notional): (&Mark, worst::Worst, Usd),
    decision: &mut Decision,
    whole: &mut Option<String>,
    now: Time,
) -> Result<Aside, Reject> {
    let mut aside = Aside::default();
    let tested = tested(state, authorized, worst, now);
    let found = Found { mark, worst, notional, options: tested.as_ref() };
    let (Some(ruling), beside) = (state.policies().ruling(), state.policies().beside()) else {
        aside.shadow = shadow(state, authorized, found, now);
        return Ok(aside);
    };
    decision.policy = Some(ruling.policy.stamp());
    let ground = state.ground(now);
    let said = case(authorized, found).map(|case| ruling.judge(&ground, &case));
    let Judgement { breaches, nearest } = said.unwrap_or_default();
    decision.measures = nearest;
    if let Some(soft) = soft_only(&breaches) {
        match exception(state, authorized, &breaches, now) {
            Some(exception) => {
                aside.exception = Some(exception.id.clone());
                decision.measures = breaches.into_iter().filter_map(|b| b.measure).collect();
            }
            None => refuse(authorized, (decision, whole), &breaches, soft)?,
        }
    } else if let Some(hard) = foremost(&breaches) {
        refuse(authorized, (decision, whole), &breaches, hard)?;
    }
    if beside.is_some() {
        aside.shadow = shadow(state, authorized, found, now);
    }
    Ok(aside)
}

/// Refuses, unless the order can go as one that reduces the position.
fn refuse(
    authorized: &mut Authorized<'_>,
    (decision, whole): (&mut Decision, &mut Option<String>),
    breaches: &[Breach],
    foremost: &Breach,
) -> Result<(), Reject> {
    let measures: Vec<Measure> = breaches.iter().filter_map(|b| b.measure.clone()).collect();
    let spared = breaches.iter().all(|breach| breach.spares);
    let refused = match spared {
        true => authorized.spare(foremost.reject.clone()),
        false => Err(foremost.reject.clone()),
    };
    if refused.is_err() {
        decision.measures = measures;
        whole.clone_from(&foremost.whole);
    }
    refused
}

/// The breach to tell of: one that no reducing passes, then a hard one, then the first.
fn foremost(breaches: &[Breach]) -> Option<&Breach> {
    let rank = |breach: &&Breach| (breach.spares, breach.strength == Strength::Soft);
    breaches.iter().min_by_key(rank)
}

/// The first breach, if all of them are of soft rules.
fn soft_only(breaches: &[Breach]) -> Option<&Breach> {
    let soft = breaches.iter().all(|breach| breach.strength == Strength::Soft);
    breaches.first().filter(|_| soft)
}

/// The exception that lets an order pass all these rules.
fn exception<'a>(
    state: &'a State,
    authorized: &Authorized<'_>,
    breaches: &[Breach],
    now: Time,
) -> Option<&'a Exception> {
    let ask = authorized.ask()?;
    if breaches.iter().any(|breach| breach.unknown) {
        return None;
    }
    let passes = |exception: &&Exception| {
        now < exception.expires
            && exception.caller == *authorized.who().caller()
            && exception.account == *authorized.who().account()
            && exception.instrument == ask.instrument.id
            && exception.side == ask.order.side
            && ask.order.qty <= exception.max_qty
            && breaches.iter().all(|breach| {
                breach.rule.as_ref().is_some_and(|rule| exception.rules.contains(rule))
            })
    };
    state.policies().exceptions().values().find(passes)
}

/// What the policy beside would have said of an order that passes.
fn shadow(
    state: &State,
    authorized: &Authorized<'_>,
    found: Found<'_>,
    now: Time,
) -> Option<Finding> {
    let ruling = state.policies().beside()?;
    let said = ruling.judge(&state.ground(now), &case(authorized, found)?);
    // In force, it would go as one that reduces.
    let could_reduce = authorized.ask().is_some_and(Ask::could_reduce);
    if could_reduce && said.breaches.iter().all(|breach| breach.spares) {
        return None;
    }
    let breach = foremost(&said.breaches)?;
    Some(Finding {
        policy: ruling.policy.stamp(),
        rule: breach.rule.clone(),
        detail: breach.whole.as_ref().unwrap_or(&breach.reject.detail).clone(),
    })
}

/// What the order would make of the account's options, if a rule is over those.
fn tested<'s>(
    state: &'s State,
    authorized: &Authorized<'s>,
    worst: worst::Worst,
    now: Time,
) -> Option<Tested<'s>> {
    let ask = authorized.ask().filter(|ask| !ask.is_reducing())?;
    let held = ask.replaces.map(Order::share).unwrap_or_default();
    let order = Asked::of(ask.order.side, ask.remaining(), Some(worst.price), held);
    Tested::of(state, authorized.who().account(), ask.instrument, order, now)
}

fn case<'b>(authorized: &'b Authorized<'_>, found: Found<'b>) -> Option<Case<'b>> {
    let Found { mark, worst, notional, options } = found;
    let ask = authorized.ask()?;
    let who = authorized.who();
    let held = ask.replaces.map(Order::share).unwrap_or_default();
    Some(Case {
        account: who.account(),
        caller: ask.replaces.and_then(|order| order.caller.as_ref()).unwrap_or(who.caller()),
        terms: ask.instrument,
        mark,
        order: &ask.order,
        reference: collar::reference(&ask.order, mark.mark),
        unit_value: worst.unit_value,
        notional,
        added: added(ask, held, worst.unit_value),
        is_new: ask.replaces.is_none(),
        lessens: ask.replaces.is_some_and(|old| ask.order.only_lessens(&old.request)),
        reducing: ask.is_reducing(),
        options,
    })
}

//! What a request for approval says to people, and the part of the state that it is about.

use crate::breakers::{self, Place, Trip, figures};
use crate::state::{Halt, State};
use std::fmt::{Display, Write as _};
use tidegate_types::app::App;
use tidegate_types::approval::Act;
use tidegate_types::codec::{Codec, to_json};
use tidegate_types::grant::{AccountLimits, Grant, OnRepeat};
use tidegate_types::ids::PersonName;
use tidegate_types::key::{KeyScheme, Replaced, VirtualKey};
use tidegate_types::options::OptionLimits;
use tidegate_types::person::Person;
use tidegate_types::policy::{Exception, Policy, Rule};
use tidegate_types::record::{Approvals, ApproveBy, Change};
use tidegate_types::text::whole_line;
use tidegate_types::time::{Span, Time};

/// What is asked, by whom, and what changes: a line for each figure, before and after. Nothing that
/// somebody else wrote ends a line of it.
pub(super) fn of(state: &State, by: &PersonName, act: &Act) -> String {
    let desk = state.desk.as_ref().map(|(desk, _)| desk.as_str()).unwrap_or_default();
    let mut text = whole_line(&format!("desk {desk}: {by} asks to {}", title(act)));
    for (what, before, after) in rows(state, act) {
        let (what, after) = (whole_line(&what), whole_line(&after));
        let _ = match before.map(|before| whole_line(&before)) {
            Some(before) if before == after => continue,
            Some(before) => write!(text, "\n  {what}: {before} -> {after}"),
            None => write!(text, "\n  {what}: {after}"),
        };
    }
    text
}

/// The byte form of what an act is about: while that is the same, so is what the act does.
pub(super) fn touched(state: &State, act: &Act) -> Vec<u8> {
    let mut out = Vec::new();
    match act {
        Act::Resume { scope, .. } => {
            let halt = state.halts.get(scope);
            // Who halts it again says why it should stay; that one's further words change nothing.
            let stated = halt.map(|halt| {
                let strict = (halt.allow_reduce, halt.flatten.is_some());
                (halt.id, (strict, halt.too.keys().cloned().collect::<Vec<_>>()))
            });
            stated.encode(&mut out);
        }
        Act::Change { change } => match change {
            Change::DeskSet { .. } | Change::ApprovalsSet { .. } => state.desk.encode(&mut out),
            Change::AccountAdded { account, .. } => {
                state.accounts.contains_key(account).encode(&mut out);
            }
            Change::VenueKeyImported { account, .. } => {
                let key = state.accounts.get(account).and_then(|known| known.key.clone());
                let rights = state.accounts.get(account).map(|known| known.rights.clone());
                (key, rights).encode(&mut out);
            }
            Change::CallerAdded { caller } => state.callers.get(caller).copied().encode(&mut out),
            Change::KeyAdded { key, replaces } => {
                let old = replaces.as_ref().and_then(|replaced| state.keys.get(&replaced.key));
                old.cloned().encode(&mut out);
                // A key is worth what its caller's grant is.
                state.keys.get(&key.id).cloned().encode(&mut out);
                state.grant(&key.caller, &key.account).cloned().encode(&mut out);
            }
            Change::KeyRevoked { id } => state.keys.get(id).cloned().encode(&mut out),
            Change::GrantSet { grant } => {
                state.grant(&grant.caller, &grant.account).cloned().encode(&mut out);
            }
            Change::GrantRemoved { caller, account } => {
                state.grant(caller, account).cloned().encode(&mut out);
            }
            Change::LimitsSet { limits } => {
                state.limits.get(&limits.account).cloned().encode(&mut out);
            }
            Change::OwnerSet { account, .. } | Change::SelfTradeSet { account, .. } => {
                state.self_trades.owner(account).cloned().encode(&mut out);
                state.self_trades.mode(account).encode(&mut out);
            }
            Change::BreakerSet { .. }
            | Change::BreakerRemoved { .. }
            | Change::BreakerHalfOpened { .. }
            | Change::BreakerClosed { .. }
            | Change::BreakerReset { .. } => breakers::about(state, change).encode(&mut out),
            Change::OptionLimitsSet { limits } => {
                state.option_limits.get(&limits.account).cloned().encode(&mut out);
            }
            Change::OptionLimitsRemoved { account } => {
                state.option_limits.get(account).cloned().encode(&mut out);
            }
            // Policies are compared with the one in force: another one, and the request is void.
            Change::PolicySet { .. }
            | Change::PolicyRemoved
            | Change::PolicyPut { .. }
            | Change::PolicyTaken { .. } => {
                state.policies.in_force().cloned().encode(&mut out);
            }
            Change::ShadowSet { .. }
            | Change::ShadowRemoved
            | Change::ShadowPut { .. }
            | Change::ShadowTaken { .. } => {
                state.policies.shadow().map(Policy::stamp).encode(&mut out);
            }
            Change::OverrideSet { exception: Exception { id, .. } }
            | Change::OverrideRemoved { id } => {
                state.policies.exceptions().get(id).cloned().encode(&mut out);
                state.policies.in_force().map(Policy::stamp).encode(&mut out);
            }
            Change::ThrottleReleased { .. } | Change::ThrottleFreed { .. } => {
                state.policies.in_force().map(Policy::stamp).encode(&mut out);
            }
            Change::AlarmsSeen { .. } => {}
            Change::ApproveBySet { .. } => state.approve_by.encode(&mut out),
            Change::AppSet { app: App { caller, .. } } | Change::AppRevoked { app: caller } => {
                state.apps.get(caller).cloned().encode(&mut out);
            }
            Change::PersonSet { person } => {
                state.people.get(&person.name).cloned().encode(&mut out);
            }
            Change::PersonRemoved { person }
            | Change::PersonInvited { person, .. }
            | Change::CallerShared { person, .. }
            | Change::CallerUnshared { person, .. } => {
                state.people.get(person).cloned().encode(&mut out);
            }
        },
    }
    out
}

fn title(act: &Act) -> String {
    match act {
        Act::Resume { scope, reason } => format!("lift the halt of {scope}: {reason:?}"),
        Act::Change { change } => match change {
            Change::DeskSet { desk, .. } => format!("name the desk {desk}"),
            Change::AccountAdded { venue, account } => format!("add account {account} at {venue}"),
            Change::VenueKeyImported { account, key, .. } => {
                format!("use exchange key {key:?} for account {account}")
            }
            Change::CallerAdded { caller } => format!("add caller {caller}"),
            Change::KeyAdded { key, .. } => {
                format!("make virtual key {} for {} on {}", key.id, key.caller, key.account)
            }
            Change::KeyRevoked { id } => format!("revoke virtual key {id}"),
            Change::GrantSet { grant } => {
                format!("set the grant of {} on {}", grant.caller, grant.account)
            }
            Change::GrantRemoved { caller, account } => {
                format!("take back the grant of {caller} on {account}")
            }
            Change::LimitsSet { limits } => format!("set the limits of {}", limits.account),
            Change::OptionLimitsSet { limits } => {
                format!("set the limits of the options of {}", limits.account)
            }
            Change::OptionLimitsRemoved { account } => {
                format!("take the limits of the options of {account} away")
            }
            Change::AppSet { app } => format!("register app {}, a caller of the desk", app.caller),
            Change::AppRevoked { app } => format!("revoke app {app}"),
            Change::OwnerSet { account, owner: Some(owner) } => {
                format!("have account {account} belong to {owner}")
            }
            Change::OwnerSet { account, owner: None } => {
                format!("have account {account} belong to nobody who has others")
            }
            Change::SelfTradeSet { account, .. } => {
                format!("set what {account} does with orders that would meet each other")
            }
            Change::BreakerSet { breaker } => format!("set breaker {}", breaker.id),
            Change::BreakerRemoved { breaker } => format!("remove breaker {breaker}"),
            Change::BreakerHalfOpened { breaker, scope, reason } => {
                format!("half-open breaker {breaker} for {scope}: {reason:?}")
            }
            Change::BreakerClosed { breaker, scope, reason } => {
                format!("close breaker {breaker} for {scope}: {reason:?}")
            }
            Change::BreakerReset { breaker, scope } => {
                format!("have breaker {breaker} measure {scope} anew")
            }
            change @ (Change::PolicySet { .. }
            | Change::PolicyRemoved
            | Change::PolicyPut { .. }
            | Change::PolicyTaken { .. }
            | Change::ShadowSet { .. }
            | Change::ShadowRemoved
            | Change::ShadowPut { .. }
            | Change::ShadowTaken { .. }
            | Change::OverrideSet { .. }
            | Change::OverrideRemoved { .. }
            | Change::ThrottleReleased { .. }
            | Change::ThrottleFreed { .. }) => title_of_policy(change),
            Change::AlarmsSeen { .. } => "take alarms off the list".to_owned(),
            Change::PersonSet { person } => format!("set person {}", person.name),
            Change::PersonRemoved { person } => format!("remove person {person}"),
            Change::PersonInvited { person, .. } => {
                format!("let {person} enrol new credentials by a link")
            }
            Change::CallerShared { caller, person } => {
                format!("let {person} read all of caller {caller}")
            }
            Change::CallerUnshared { caller, person } => {
                format!("have {person} read caller {caller} no more")
            }
            Change::ApproveBySet { approve_by: ApproveBy::Any } => {
                "ask for no passkeys any more, neither of who asks nor of who approves".to_owned()
            }
            Change::ApproveBySet { approve_by: ApproveBy::Passkey } => {
                "ask for a passkey of who asks for what loosens, and of who approves".to_owned()
            }
            Change::ApprovalsSet { approvals: Approvals::One } => {
                "let one person alone loosen from now on".to_owned()
            }
            Change::ApprovalsSet { approvals: Approvals::Two } => {
                "have two people loosen from now on".to_owned()
            }
        },
    }
}

fn title_of_policy(change: &Change) -> String {
    match change {
        Change::PolicySet { policy } => format!("put policy {} in force", policy.stamp()),
        Change::PolicyPut { policy, reason } => {
            format!("put policy {} in force: {reason:?}", policy.stamp())
        }
        Change::PolicyRemoved => "have no policy in force any more".to_owned(),
        Change::PolicyTaken { reason } => format!("have no policy in force: {reason:?}"),
        Change::ShadowSet { policy } => {
            format!("run policy {} beside the one in force", policy.stamp())
        }
        Change::ShadowPut { policy, reason } => {
            format!("run policy {} beside the one in force: {reason:?}", policy.stamp())
        }
        Change::ShadowRemoved => "run no policy beside any more".to_owned(),
        Change::ShadowTaken { reason } => format!("run no policy beside: {reason:?}"),
        Change::OverrideSet { exception } => format!(
            "let one order of {} on {} pass: {:?}",
            exception.caller, exception.account, exception.why
        ),
        Change::OverrideRemoved { id } => format!("take override {id} back"),
        Change::ThrottleReleased { rule, caller, instrument, side } => {
            format!("let {caller} {side:?} {instrument} again, which {rule} stopped")
        }
        Change::ThrottleFreed { rule, caller, instrument, side, reason } => {
            format!("let {caller} {side:?} {instrument} again, which {rule} stopped: {reason:?}")
        }
        _ => String::new(),
    }
}

type Row = (String, Option<String>, String);

fn rows(state: &State, act: &Act) -> Vec<Row> {
    let change = match act {
        Act::Resume { scope, .. } => {
            return compared(None, state.halts.get(scope).map(of_halt).unwrap_or_default());
        }
        Act::Change { change } => change,
    };
    match change {
        Change::GrantSet { grant } => {
            compared(state.grant(&grant.caller, &grant.account).map(of_grant), of_grant(grant))
        }
        Change::LimitsSet { limits } => {
            compared(state.limits.get(&limits.account).map(of_limits), of_limits(limits))
        }
        Change::OwnerSet { account, owner } => {
            let before = state.self_trades.owner(account);
            let before = vec![("owner", optional(before))];
            compared(Some(before), vec![("owner", optional(owner.as_ref()))])
        }
        Change::SelfTradeSet { account, mode } => {
            let before = vec![("orders that meet", state.self_trades.mode(account).to_string())];
            compared(Some(before), vec![("orders that meet", mode.to_string())])
        }
        Change::BreakerSet { breaker } => {
            let before = state.breakers.rules().get(&breaker.id).map(figures);
            compared(before, figures(breaker))
        }
        Change::BreakerHalfOpened { breaker, scope, .. }
        | Change::BreakerClosed { breaker, scope, .. } => {
            let place = Place { breaker: breaker.clone(), scope: scope.clone() };
            compared(None, state.breakers.trips().get(&place).map(of_trip).unwrap_or_default())
        }
        Change::OptionLimitsSet { limits } => compared(
            state.option_limits.get(&limits.account).map(of_option_limits),
            of_option_limits(limits),
        ),
        Change::OptionLimitsRemoved { account } => {
            compared(state.option_limits.get(account).map(of_option_limits), Vec::new())
        }
        Change::PersonSet { person } => {
            compared(state.people.get(&person.name).map(of_person), of_person(person))
        }
        Change::PersonInvited { person, until, .. } => {
            let known = state.people.get(person).map(of_person).unwrap_or_default();
            let until = ("link good until, ms since 1970", until.millis().to_string());
            compared(None, known.into_iter().chain([until]).collect())
        }
        Change::VenueKeyImported { account, rights, .. } => {
            let known = state.accounts.get(account).filter(|known| known.key.is_some());
            let before = known.map(|known| vec![("rights", list(&known.rights))]);
            compared(before, vec![("rights", list(rights))])
        }
        Change::KeyAdded { key, replaces } => {
            let granted = state.grant(&key.caller, &key.account).map(of_grant);
            let granted = granted.unwrap_or_else(|| vec![("grant", "none yet".to_owned())]);
            compared(None, of_key(key, replaces.as_ref()).into_iter().chain(granted).collect())
        }
        Change::PolicySet { policy } | Change::PolicyPut { policy, .. } => {
            compared(state.policies.in_force().map(of_policy), of_policy(policy))
        }
        Change::PolicyRemoved | Change::PolicyTaken { .. } => {
            compared(state.policies.in_force().map(of_policy), Vec::new())
        }
        Change::OverrideSet { exception } => compared(None, of_exception(exception)),
        Change::AppSet { app } => {
            let before = state.apps.get(&app.caller).map(|known| known.app.summary.clone());
            compared(before, app.summary.clone())
        }
        _ => Vec::new(),
    }
}

fn compared<T: AsRef<str>>(before: Option<Vec<(T, String)>>, after: Vec<(T, String)>) -> Vec<Row> {
    let of = |what: &str| {
        let rows = before.as_ref()?;
        Some(
            rows.iter()
                .find(|(name, _)| name.as_ref() == what)
                .map(|(_, v)| v.clone())
                .unwrap_or_default(),
        )
    };
    let gone = before
        .iter()
        .flatten()
        .filter(|(what, _)| !after.iter().any(|(other, _)| other.as_ref() == what.as_ref()));
    let gone: Vec<Row> = gone
        .map(|(what, v)| (what.as_ref().to_owned(), Some(v.clone()), "gone".to_owned()))
        .collect();
    let rows = after.into_iter();
    let rows = rows.map(|(what, v)| (what.as_ref().to_owned(), of(what.as_ref()), v));
    rows.chain(gone).collect()
}

/// Everybody who halted it, and why.
fn of_halt(halt: &Halt) -> Vec<(String, String)> {
    let said = |by: &PersonName, reason: &str| (format!("halted by {by}"), format!("{reason:?}"));
    let too = halt.too.iter().map(|(by, (reason, _))| said(by, reason));
    std::iter::once(said(&halt.by, &halt.reason)).chain(too).collect()
}

fn of_trip(trip: &Trip) -> Vec<(&'static str, String)> {
    vec![
        ("measured", trip.measured.to_string()),
        ("limit", trip.limit.to_string()),
        ("tripped, times", trip.times.to_string()),
        ("stopped", trip.stopped.to_string()),
    ]
}

fn of_grant(grant: &Grant) -> Vec<(&'static str, String)> {
    vec![
        ("trade", grant.trade.to_string()),
        ("instruments", list(&grant.instruments)),
        ("sides", shown(&grant.sides)),
        ("order types", shown(&grant.order_types)),
        ("reduce only", grant.reduce_only.to_string()),
        ("largest order, in the instrument's unit", optional(grant.max_order_qty.as_ref())),
        ("largest order, USD", grant.max_order_notional.to_string()),
        ("most open, USD", grant.max_open_notional.to_string()),
        ("most a day, USD", optional(grant.max_daily_notional.as_ref())),
        ("orders a second", grant.orders_per_second.to_string()),
        ("orders at once", grant.burst.to_string()),
        ("account settings", grant.settings.to_string()),
        ("whole account", grant.account_wide.to_string()),
        ("orders", grant.window.to_string()),
        ("until, ms since 1970", optional(grant.until.map(Time::millis).as_ref())),
    ]
}

/// The figures of limits, each with what it is called.
pub fn of_limits(limits: &AccountLimits) -> Vec<(&'static str, String)> {
    let by_pattern = limits.max_order_qty.iter().map(|(of, most)| format!("{of}={most}"));
    let repeat = match limits.on_repeat {
        OnRepeat::Refuse => "refused",
        OnRepeat::Warn => "warned of",
    };
    vec![
        ("largest order by pattern", list(&by_pattern.collect::<Vec<_>>())),
        ("largest order, USD", limits.max_order_notional.to_string()),
        ("most open, USD", limits.max_open_notional.to_string()),
        ("largest position, USD", limits.max_position_notional.to_string()),
        ("most exposure, USD", limits.max_exposure.to_string()),
        ("collar, bp", limits.collar_bps.to_string()),
        ("collar for options, bp", limits.option_collar_bps.to_string()),
        ("oldest mark, ms", limits.max_mark_age.millis().to_string()),
        ("orders a second", limits.orders_per_second.to_string()),
        ("orders at once", limits.burst.to_string()),
        ("repeats within, ms", never_at_zero(limits.repeat_window)),
        ("repeats are", repeat.to_owned()),
        ("exchange cancels without us after, ms", never_at_zero(limits.dead_man)),
    ]
}

/// The figures of an account's options, each with what it is called.
fn of_option_limits(limits: &OptionLimits) -> Vec<(&'static str, String)> {
    let stress = &limits.stress;
    vec![
        ("most delta, USD", optional(limits.max_delta.as_ref())),
        ("most gamma, USD for one percent", optional(limits.max_gamma.as_ref())),
        ("most vega, USD for one point", optional(limits.max_vega.as_ref())),
        ("most theta, USD a day", optional(limits.max_theta.as_ref())),
        ("most sold of an expiry, coins", optional(limits.max_net_short.as_ref())),
        ("most margin, bp of the equity", limits.max_margin_bps.to_string()),
        ("price moves by, bp", stress.range_bps.to_string()),
        ("volatility rises by, bp", stress.vol_up_bps.to_string()),
        ("volatility falls by, bp", stress.vol_down_bps.to_string()),
        ("for options sold, bp", stress.short_bps.to_string()),
        ("in their last day, bp more", stress.expiry_bps.to_string()),
        ("concentrated above, USD", stress.concentrated_above.to_string()),
        ("for what is above, bp", stress.concentration_bps.to_string()),
    ]
}

fn of_person(person: &Person) -> Vec<(&'static str, String)> {
    vec![
        ("roles", list(&person.roles)),
        ("owns callers", list(&person.owns)),
        ("reads callers", list(&person.reads)),
    ]
}

/// A line for each rule; one that is gone says so.
fn of_policy(policy: &Policy) -> Vec<(String, String)> {
    let rule = |rule: &Rule| {
        let Rule { id, reach, each, strength, limit } = rule;
        let what = to_json(limit).replace('"', "");
        (format!("rule {id}"), format!("{strength:?}, {reach}, each {}: {what}", each.word()))
    };
    let pegs = policy.pegs().iter().map(|peg| format!("{} = {} USD", peg.currency, peg.price));
    let whole = [
        ("policy".to_owned(), policy.stamp().to_string()),
        ("coins".to_owned(), list(&pegs.collect::<Vec<_>>())),
        ("oldest mark, ms".to_owned(), policy.max_mark_age().millis().to_string()),
    ];
    whole.into_iter().chain(policy.rules().iter().map(rule)).collect()
}

fn of_exception(exception: &Exception) -> Vec<(&'static str, String)> {
    vec![
        ("instrument", exception.instrument.to_string()),
        ("side", shown(&[exception.side])),
        ("at most", exception.max_qty.to_string()),
        ("passes rules", list(&exception.rules)),
        ("until, ms since 1970", exception.expires.millis().to_string()),
    ]
}

fn list<T: Display>(values: &[T]) -> String {
    if values.is_empty() {
        return "none".to_owned();
    }
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn shown<T: Codec>(values: &[T]) -> String {
    list(&values.iter().map(|value| to_json(value).replace('"', "")).collect::<Vec<_>>())
}

fn optional<T: Display>(value: Option<&T>) -> String {
    value.map_or_else(|| "without".to_owned(), ToString::to_string)
}

fn never_at_zero(span: Span) -> String {
    if span == Span::ZERO { "never".to_owned() } else { span.millis().to_string() }
}

fn of_key(key: &VirtualKey, replaces: Option<&Replaced>) -> Vec<(&'static str, String)> {
    let VirtualKey { scheme, terms, .. } = key;
    let scheme = match scheme {
        KeyScheme::Hmac => "a shared secret".to_owned(),
        scheme @ (KeyScheme::Ed25519 { .. } | KeyScheme::Rsa { .. }) => to_json(scheme),
    };
    let from = match terms.from.is_empty() {
        true => "anywhere".to_owned(),
        false => terms.from.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let mut rows = vec![("scheme", scheme), ("from", from)];
    rows.extend(terms.certificate.map(|digest| ("certificate", to_json(&digest))));
    rows.extend(terms.until.map(|until| ("key until, ms since 1970", until.millis().to_string())));
    rows.extend(replaces.map(|old| {
        let hours = old.overlap.millis().div_ceil(3_600_000);
        ("replaces", format!("{}, good for {hours} hours more", old.key))
    }));
    rows
}

#[cfg(test)]
mod tests;

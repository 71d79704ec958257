//! What the operator is told of records as they are made, and what is kept of them for the status.

use crate::oplog;
use crate::syslog;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;
use tidegate_types::approval::Verdict;
use tidegate_types::ids::{CallerName, InstrumentId};
use tidegate_types::policy::Exception;
use tidegate_types::record::{Body, Change, Record};
use tidegate_types::reject::Code;
use tidegate_types::report::{AccountEvent, Outcome};
use tidegate_types::time::Time;

/// Most kinds of refusal that are kept.
const KEPT: usize = 32;

/// A kind of refusal, by caller and code, and the newest of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RecentRefusal {
    /// When, in ms since 1970.
    pub at_ms: u64,
    /// Who asked, if that was known.
    pub caller: Option<String>,
    /// On which account, if that was known.
    pub account: Option<String>,
    /// `TG` and a number.
    pub code: String,
    /// Why, with the numbers.
    pub reason: String,
    /// How many of this kind there were.
    pub count: u64,
}

/// What there was since the start.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Orders that were cleared.
    pub orders: u64,
    /// Amends that were cleared.
    pub amends: u64,
    /// Cancels that were cleared.
    pub cancels: u64,
    /// Trades that the accounts' private streams told of.
    pub fills: u64,
    /// Requests that were refused.
    pub refusals: u64,
    /// Answers of a venue that did not tell what became of a request.
    pub unknown: u64,
}

/// Reads every record as it is made.
#[derive(Default)]
pub(super) struct Notices {
    pub(super) counts: Counts,
    /// The newest last.
    pub(super) refusals: VecDeque<RecentRefusal>,
    not_sent: oplog::Repeated,
    books: BTreeMap<InstrumentId, BookLines>,
}

/// What the operator was told of a book.
#[derive(Default)]
struct BookLines {
    told: oplog::Repeated,
    /// That it was lost, and not yet that it is back.
    open: bool,
}

impl Notices {
    /// Takes note of a record.
    pub(super) fn note(&mut self, record: &Record) {
        syslog::tell_record(&record.body);
        let counts = &mut self.counts;
        match &record.body {
            Body::Cleared { .. } => counts.orders += 1,
            Body::ClosingCleared { .. } => {
                counts.orders += 1;
                tell(&record.body);
            }
            Body::AmendCleared { .. } | Body::ShrinkCleared { .. } => counts.amends += 1,
            Body::CancelCleared { .. } => counts.cancels += 1,
            Body::Streamed { event: AccountEvent::Fill { .. }, .. } => counts.fills += 1,
            Body::Refused { caller, account, reject, .. } => {
                let account = account.as_ref().map(ToString::to_string);
                self.refused(record.at, caller.as_ref(), account, reject.code, &reject, 1);
            }
            Body::RefusedMore { caller, code, count } => {
                self.refused(record.at, caller.as_ref(), None, *code, &"", *count);
            }
            Body::RefusedMoreOf { code, count, .. } => {
                self.refused(record.at, None, None, *code, &"", *count);
            }
            Body::NotSent { reject, .. } => {
                let why = reject.to_string();
                if self.not_sent.is_news(&why) {
                    oplog::warn("not-sent", &[("why", &why)]);
                }
            }
            Body::Replied { call, outcome: Outcome::Unknown { why } } => {
                counts.unknown += 1;
                oplog::warn("outcome-unknown", &[("call", &call.0), ("why", why)]);
            }
            Body::Resolved { order, .. } => {
                oplog::info("outcome-resolved", &[("order", &order.0)]);
            }
            Body::BookLost { instrument, why } => {
                let lines = self.books.entry(instrument.clone()).or_default();
                lines.open = lines.told.is_news("lost");
                if lines.open {
                    oplog::warn("book-lost", &[("instrument", instrument), ("why", why)]);
                }
            }
            Body::BookWhole { instrument } => {
                let lines = self.books.get_mut(instrument);
                if lines.is_some_and(|lines| std::mem::take(&mut lines.open)) {
                    oplog::info("book-whole", &[("instrument", instrument)]);
                }
            }
            body => tell(body),
        }
    }

    fn refused(
        &mut self,
        at: Time,
        caller: Option<&CallerName>,
        account: Option<String>,
        code: Code,
        reason: &dyn Display,
        count: u64,
    ) {
        self.counts.refusals += count;
        let (caller, code) = (caller.map(ToString::to_string), format!("TG{}", code.number()));
        let same = |kept: &RecentRefusal| kept.caller == caller && kept.code == code;
        let before = self.refusals.iter().position(same).and_then(|at| self.refusals.remove(at));
        let mut kept = before.unwrap_or_else(|| RecentRefusal {
            at_ms: 0,
            caller,
            account: None,
            code,
            reason: String::new(),
            count: 0,
        });
        kept.at_ms = at.millis();
        kept.count += count;
        kept.account = account.or(kept.account);
        let reason = reason.to_string();
        if !reason.is_empty() {
            kept.reason = reason;
        }
        self.refusals.push_back(kept);
        if self.refusals.len() > KEPT {
            self.refusals.pop_front();
        }
    }
}

/// The records that an operator hears of as they are made.
fn tell(body: &Body) {
    match body {
        Body::Closed { account, why } => {
            oplog::warn("account-closed", &[("account", account), ("why", why)]);
        }
        Body::Opened { account } => oplog::info("account-open", &[("account", account)]),
        Body::Halted { by, scope, reason, allow_reduce } => oplog::warn(
            "halted",
            &[("scope", scope), ("by", by), ("reason", reason), ("allow_reduce", allow_reduce)],
        ),
        Body::Flattening { by, scope } => {
            oplog::warn("flattening", &[("scope", scope), ("by", by)]);
        }
        Body::Flattened { scope } => oplog::info("flat", &[("scope", scope)]),
        Body::ClosingCleared { account, request, .. } => {
            let (instrument, qty) = (&request.instrument, &request.qty);
            oplog::warn(
                "closing",
                &[("account", account), ("instrument", instrument), ("qty", qty)],
            );
        }
        Body::BreakerTripped { breaker, scope, measured, limit, .. } => {
            let unit = breaker.kind.measure().unit();
            let fields: [(&str, &dyn Display); 5] = [
                ("breaker", breaker),
                ("scope", scope),
                ("measured", measured),
                ("limit", limit),
                ("unit", &unit),
            ];
            oplog::alarm("breaker-tripped", &fields);
        }
        Body::BreakerStopped { breaker, scope, count } => {
            let fields: [(&str, &dyn Display); 3] =
                [("breaker", breaker), ("scope", scope), ("count", count)];
            oplog::warn("breaker-stopped", &fields);
        }
        Body::HaltProven { scope } => oplog::info("halt-proven", &[("scope", scope)]),
        Body::CountdownLapsed { caller, account, .. } => {
            oplog::warn("countdown-lapsed", &[("caller", caller), ("account", account)]);
        }
        Body::SessionEnded { session, lost: true } => {
            oplog::warn("session-lost", &[("session", session)]);
        }
        Body::Warned { order, reject } => {
            oplog::warn("order-warned", &[("order", order), ("why", reject)]);
        }
        Body::Resumed { by, scope, reason } => {
            oplog::warn("resumed", &[("scope", scope), ("by", by), ("reason", reason)]);
        }
        Body::Changed { by, change } => changed(by, change),
        Body::ApprovalAsked { approval, .. } => {
            let what = approval.statement.lines().next().unwrap_or_default();
            oplog::warn("approval-asked", &[("id", &approval.id), ("what", &what)]);
        }
        Body::ApprovalMissed { id, by } => {
            oplog::warn("approval-missed", &[("id", id), ("by", by)]);
        }
        Body::ApprovalConfirmed { id, by, .. } => {
            oplog::warn("approval-confirmed", &[("id", id), ("by", by)]);
        }
        Body::ApprovalEnded { id, how } => ended(id, how),
        _ => {}
    }
}

fn ended(id: &dyn Display, how: &Verdict) {
    let (what, by): (&str, Option<&dyn Display>) = match how {
        Verdict::CarriedOut { by, .. } => ("approval-carried-out", Some(by)),
        Verdict::Denied { by } => ("approval-denied", Some(by)),
        Verdict::Expired => ("approval-expired", None),
        Verdict::Outdated { .. } => ("approval-outdated", None),
        Verdict::Spoiled => ("approval-spoiled", None),
    };
    let by = by.map(|by| ("by", by));
    oplog::warn(what, &std::iter::once(("id", id)).chain(by).collect::<Vec<_>>());
}

fn changed(by: &dyn Display, change: &Change) {
    let (what, of): (&str, Vec<(&str, &dyn Display)>) = match change {
        Change::DeskSet { desk, .. } => ("desk-set", vec![("desk", desk)]),
        Change::AccountAdded { venue, account } => {
            ("account-added", vec![("venue", venue), ("account", account)])
        }
        Change::VenueKeyImported { account, .. } => ("venue-key", vec![("account", account)]),
        Change::CallerAdded { caller } => ("caller-added", vec![("caller", caller)]),
        Change::KeyAdded { key, .. } => {
            ("key-added", vec![("caller", &key.caller), ("account", &key.account)])
        }
        Change::KeyRevoked { id } => ("key-revoked", vec![("key", id)]),
        Change::GrantSet { grant } => {
            ("grant-set", vec![("caller", &grant.caller), ("account", &grant.account)])
        }
        Change::GrantRemoved { caller, account } => {
            ("grant-removed", vec![("caller", caller), ("account", account)])
        }
        Change::PersonSet { person } => ("person-set", vec![("person", &person.name)]),
        Change::PersonRemoved { person } => ("person-removed", vec![("person", person)]),
        Change::PersonInvited { person, .. } => ("person-invited", vec![("person", person)]),
        Change::CallerShared { caller, person } => {
            ("caller-shared", vec![("caller", caller), ("person", person)])
        }
        Change::CallerUnshared { caller, person } => {
            ("caller-unshared", vec![("caller", caller), ("person", person)])
        }
        Change::ApprovalsSet { .. } => ("approvals-set", Vec::new()),
        Change::ApproveBySet { .. } => ("approve-by-set", Vec::new()),
        Change::AppSet { app } => ("app-set", vec![("app", &app.caller)]),
        Change::AppRevoked { app } => ("app-revoked", vec![("app", app)]),
        Change::OwnerSet { account, .. } => ("owner-set", vec![("account", account)]),
        Change::SelfTradeSet { account, mode } => {
            ("self-trade-set", vec![("account", account), ("mode", mode)])
        }
        Change::BreakerSet { breaker } => {
            ("breaker-set", vec![("breaker", &breaker.id), ("limit", &breaker.limit)])
        }
        Change::BreakerRemoved { breaker } => ("breaker-removed", vec![("breaker", breaker)]),
        Change::BreakerHalfOpened { breaker, scope, reason } => (
            "breaker-half-opened",
            vec![("breaker", breaker), ("scope", scope), ("reason", reason)],
        ),
        Change::BreakerClosed { breaker, scope, reason } => {
            ("breaker-closed", vec![("breaker", breaker), ("scope", scope), ("reason", reason)])
        }
        Change::BreakerReset { breaker, scope } => {
            ("breaker-reset", vec![("breaker", breaker), ("scope", scope)])
        }
        Change::AlarmsSeen { .. } => ("alarms-seen", Vec::new()),
        Change::PolicySet { policy } => ("policy-set", vec![("policy", policy.name())]),
        Change::PolicyRemoved => ("policy-removed", Vec::new()),
        Change::PolicyPut { policy, reason } => {
            ("policy-set", vec![("policy", policy.name()), ("reason", reason)])
        }
        Change::PolicyTaken { reason } => ("policy-removed", vec![("reason", reason)]),
        Change::ShadowSet { policy } => ("policy-shadow-set", vec![("policy", policy.name())]),
        Change::ShadowRemoved => ("policy-shadow-removed", Vec::new()),
        Change::ShadowPut { policy, reason } => {
            ("policy-shadow-set", vec![("policy", policy.name()), ("reason", reason)])
        }
        Change::ShadowTaken { reason } => ("policy-shadow-removed", vec![("reason", reason)]),
        Change::OverrideSet { exception } => {
            let Exception { id, caller, .. } = exception;
            ("override-set", vec![("override", id), ("caller", caller)])
        }
        Change::OverrideRemoved { id } => ("override-removed", vec![("override", id)]),
        Change::ThrottleReleased { rule, caller, instrument, .. } => (
            "throttle-released",
            vec![("rule", rule), ("caller", caller), ("instrument", instrument)],
        ),
        Change::ThrottleFreed { rule, caller, instrument, reason, .. } => (
            "throttle-released",
            vec![
                ("rule", rule),
                ("caller", caller),
                ("instrument", instrument),
                ("reason", reason),
            ],
        ),
        Change::LimitsSet { limits } => ("limits-set", vec![("account", &limits.account)]),
        Change::OptionLimitsSet { limits } => {
            ("option-limits-set", vec![("account", &limits.account)])
        }
        Change::OptionLimitsRemoved { account } => {
            ("option-limits-removed", vec![("account", account)])
        }
    };
    let fields: Vec<(&str, &dyn Display)> = std::iter::once(("by", by)).chain(of).collect();
    oplog::info(what, &fields);
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_types::reject::Reject;

    fn refused(caller: &str, code: Code, detail: &str) -> Body {
        Body::Refused {
            caller: Some(CallerName::new(caller).unwrap()),
            account: None,
            intent: None,
            reject: Reject::new(code, detail),
            decision: tidegate_types::record::Decision::default(),
        }
    }

    #[test]
    fn refusals_are_kept_by_kind_with_the_newest_reason() {
        let mut notices = Notices::default();
        let more = Body::RefusedMore {
            caller: Some(CallerName::new("ann").unwrap()),
            code: Code::NoGrant,
            count: 7,
        };
        let bodies = [
            refused("ann", Code::NoGrant, "first"),
            refused("bob", Code::NoGrant, "his"),
            refused("ann", Code::NoGrant, "second"),
            more,
        ];
        for (body, ms) in bodies.into_iter().zip(1..) {
            notices.note(&Record { at: Time::from_millis(ms), body });
        }
        let kept: Vec<_> = notices
            .refusals
            .iter()
            .map(|kept| (kept.caller.as_deref(), kept.at_ms, kept.count))
            .collect();
        assert_eq!(kept, [(Some("bob"), 2, 1), (Some("ann"), 4, 9)]);
        assert!(notices.refusals[1].reason.contains("second"));
        assert_eq!(notices.counts.refusals, 10);
        for n in 0..100 {
            let body = refused(&format!("c{n}"), Code::NoGrant, "");
            notices.note(&Record { at: Time::from_millis(9), body });
        }
        assert_eq!(notices.refusals.len(), KEPT);
    }
}

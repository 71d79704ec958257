//! Refusals are records too, but cannot fill the disk: the first of a caller and code within a
//! second is one of its own, the rest are counted.

use crate::Core;
use crate::action::{Action, Answer};
use crate::timers::Timer;
use std::collections::BTreeMap;
use tidegate_types::ids::{AccountName, CallerName, Ticket};
use tidegate_types::order::Intent;
use tidegate_types::proof::Authenticated;
use tidegate_types::record::{Body, Decision, RULES};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};

const WINDOW: Span = Span::from_secs(1);

/// A refusal with the numbers it was made from, as far as they were reached.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reject: Reject,
    pub(crate) decision: Box<Decision>,
}

impl From<Reject> for Refusal {
    fn from(reject: Reject) -> Refusal {
        Refusal { reject, decision: Box::new(Decision { rules: RULES, ..Decision::default() }) }
    }
}

/// Since when a kind of refusal is counted, and how many came after the first.
#[derive(Debug)]
struct Window {
    until: Time,
    more: u64,
}

/// The kinds of refusals seen within the last second.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    kinds: BTreeMap<(Option<CallerName>, Code), Window>,
}

impl Core {
    /// Refuses a question: a record or a count, and the answer.
    pub(crate) fn refuse(
        &mut self,
        ticket: Ticket,
        who: &Authenticated,
        intent: Intent,
        refusal: Refusal,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Refusal { reject, decision } = refusal;
        let (caller, account) = (who.caller().clone(), who.account().clone());
        let body = || Body::Refused {
            caller: Some(caller.clone()),
            account: Some(account),
            intent: Some(intent),
            reject: reject.clone(),
            decision: *decision,
        };
        self.count_refusal(Some(caller.clone()), reject.code, body, now, out);
        out.push(Action::Answer { ticket, answer: Answer::Refused { reject } });
    }

    /// Records a refusal that was made before the core.
    pub(crate) fn refused_earlier(
        &mut self,
        caller: Option<CallerName>,
        account: Option<AccountName>,
        reject: Reject,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let code = reject.code;
        let decision = Decision { rules: RULES, ..Decision::default() };
        let by = caller.clone();
        let body = || Body::Refused { caller, account, intent: None, reject, decision };
        self.count_refusal(by, code, body, now, out);
    }

    fn count_refusal(
        &mut self,
        caller: Option<CallerName>,
        code: Code,
        body: impl FnOnce() -> Body,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        match self.windows.kinds.get_mut(&(caller.clone(), code)) {
            Some(window) => window.more += 1,
            None => {
                let window = Window { until: now.plus(WINDOW), more: 0 };
                self.windows.kinds.insert((caller, code), window);
                self.timers.set_if_sooner(Timer::Refusals, now.plus(WINDOW));
                self.append(body(), now, out);
            }
        }
    }

    /// Writes the counts of the windows that are over, or of all of them.
    pub(crate) fn close_windows(&mut self, now: Time, all: bool, out: &mut Vec<Action>) {
        let over = self.windows.kinds.iter().filter(|(_, w)| all || w.until <= now);
        let over: Vec<_> = over.map(|(kind, w)| (kind.clone(), w.more)).collect();
        for (kind, count) in over {
            if count == 0 {
                self.windows.kinds.remove(&kind);
                continue;
            }
            if let Some(window) = self.windows.kinds.get_mut(&kind) {
                *window = Window { until: now.plus(WINDOW), more: 0 };
            }
            let (caller, code) = kind;
            self.append(Body::RefusedMore { caller, code, count }, now, out);
        }
        if let Some(next) = self.windows.kinds.values().map(|w| w.until).min() {
            self.timers.set(Timer::Refusals, next);
        }
    }
}

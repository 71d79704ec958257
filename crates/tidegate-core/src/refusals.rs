//! Refusals are records too, but cannot fill the disk: of a caller or person, code, account and policy's rule,
//! the first in each second is one of its own, the rest of that second are counted; by tokens, for each in whose
//! name they are. What strangers send hides no caller's and no person's.

use crate::Core;
use crate::action::{Action, Answer};
use crate::timers::Timer;
use std::collections::BTreeMap;
use std::sync::Arc;
use tidegate_types::ids::{AccountName, CallerName, KeyId, PersonName, RuleId, Ticket};
use tidegate_types::order::Intent;
use tidegate_types::proof::{Authenticated, TokenShown};
use tidegate_types::record::{Body, Decision, RULES};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};

const WINDOW: Span = Span::from_secs(1);
/// Most windows at a time of people; those beyond share the one of nobody.
const MAX_PEOPLE: usize = 256;
/// Most windows at a time of one code; refusals beyond are told apart by whose they are alone.
const MAX_OF_CODE: usize = 256;

/// A refusal with the numbers it was made from, as far as they were reached.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reject: Reject,
    pub(crate) decision: Box<Decision>,
    /// What it is about, where that names what its caller is not to be told.
    pub(crate) whole: Option<String>,
}

impl From<Reject> for Refusal {
    fn from(reject: Reject) -> Refusal {
        let decision = Box::new(Decision { rules: RULES, ..Decision::default() });
        Refusal { reject, decision, whole: None }
    }
}

/// Since when a kind of refusal is counted, and how many came after the first.
#[derive(Debug)]
struct Window {
    until: Time,
    more: u64,
    /// The first one's token, if it was asked by one.
    token: Option<KeyId>,
}

/// Whose refusals are counted together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Whose {
    Caller(CallerName),
    /// Who asks by tokens, and in whose name.
    Token(CallerName, Arc<str>),
    Person(PersonName),
    Nobody,
}

/// Refusals that are counted together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Kind {
    code: Code,
    whose: Whose,
    account: Option<AccountName>,
    /// The first rule of a policy whose number was past its limit.
    rule: Option<RuleId>,
}

/// The kinds of refusals seen within the last second.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    kinds: BTreeMap<Kind, Window>,
}

impl Kind {
    fn new(code: Code, whose: Whose) -> Kind {
        Kind { code, whose, account: None, rule: None }
    }
}

impl Whose {
    /// A caller, by a key of its own or by a token; and that token.
    fn caller(caller: Option<CallerName>, shown: Option<TokenShown>) -> (Whose, Option<KeyId>) {
        match (caller, shown) {
            (Some(caller), Some(shown)) => (Whose::Token(caller, shown.subject), Some(shown.token)),
            (Some(caller), None) => (Whose::Caller(caller), None),
            (None, _) => (Whose::Nobody, None),
        }
    }

    fn more(self, code: Code, count: u64) -> Body {
        match self {
            Whose::Caller(caller) | Whose::Token(caller, _) => {
                Body::RefusedMore { caller: Some(caller), code, count }
            }
            Whose::Person(person) => Body::RefusedMoreOf { person, code, count },
            Whose::Nobody => Body::RefusedMore { caller: None, code, count },
        }
    }
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
        let Refusal { reject, decision, whole } = refusal;
        self.count_stopped(who, &intent, &reject, now);
        let (caller, account) = (who.caller().clone(), who.account().clone());
        let by = Whose::caller(Some(caller.clone()), who.shown());
        let over = decision.measures.iter().find(|measure| measure.is_over());
        let rule = over.map(|measure| measure.rule.clone());
        let kind = Kind { account: Some(account.clone()), rule, ..Kind::new(reject.code, by.0) };
        let body = || Body::Refused {
            caller: Some(caller),
            account: Some(account),
            intent: Some(intent),
            reject: reject.clone(),
            decision: *decision,
        };
        self.count_refusal((kind, by.1), (whole, body), now, out);
        out.push(Action::Answer { ticket, answer: Answer::Refused { reject } });
    }

    /// Records a refusal that was made before the core.
    pub(crate) fn refused_earlier(
        &mut self,
        (caller, account, shown): (Option<CallerName>, Option<AccountName>, Option<TokenShown>),
        reject: Reject,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let decision = Decision { rules: RULES, ..Decision::default() };
        let (whose, token) = Whose::caller(caller.clone(), shown);
        // Which account strangers name tells them apart no more than anything else they send.
        let of = caller.is_some().then(|| account.clone()).flatten();
        let kind = Kind { account: of, ..Kind::new(reject.code, whose) };
        let body = || Body::Refused { caller, account, intent: None, reject, decision };
        self.count_refusal((kind, token), (None, body), now, out);
    }

    /// Records that the console or the administration turned a person down.
    pub(crate) fn person_refused(
        &mut self,
        person: PersonName,
        reject: Reject,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let code = reject.code;
        let people =
            self.windows.kinds.keys().filter(|kind| matches!(kind.whose, Whose::Person(_)));
        let room = people.count() < MAX_PEOPLE;
        let kind = Kind::new(code, Whose::Person(person));
        let known = self.windows.kinds.contains_key(&kind);
        let kind = if room || known { kind } else { Kind::new(code, Whose::Nobody) };
        let decision = Decision { rules: RULES, ..Decision::default() };
        let body = || Body::Refused { caller: None, account: None, intent: None, reject, decision };
        self.count_refusal((kind, None), (None, body), now, out);
    }

    fn count_refusal(
        &mut self,
        (kind, token): (Kind, Option<KeyId>),
        (whole, body): (Option<String>, impl FnOnce() -> Body),
        now: Time,
        out: &mut Vec<Action>,
    ) {
        // Time has passed, even if nothing has looked at the clock yet.
        self.close_windows(now, false, out);
        let of_code = self.windows.kinds.keys().filter(|other| other.code == kind.code);
        let full = of_code.count() >= MAX_OF_CODE && !self.windows.kinds.contains_key(&kind);
        let kind = if full { Kind::new(kind.code, kind.whose) } else { kind };
        match self.windows.kinds.get_mut(&kind) {
            Some(window) => window.more += 1,
            None => {
                self.note_refused_token(&kind.whose, token.clone(), now, out);
                let window = Window { until: now.plus(WINDOW), more: 0, token };
                self.windows.kinds.insert(kind, window);
                self.timers.set_if_sooner(Timer::Refusals, now.plus(WINDOW));
                if let Some(detail) = whole {
                    self.append(Body::RefusedBecause { detail }, now, out);
                }
                self.append(body(), now, out);
            }
        }
    }

    /// Says by which token, and in whose name, what is refused next was asked.
    fn note_refused_token(
        &mut self,
        whose: &Whose,
        token: Option<KeyId>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        if let (Whose::Token(caller, subject), Some(token)) = (whose, token) {
            let (caller, subject) = (caller.clone(), subject.to_string());
            self.append(Body::RefusedByToken { caller, token, subject }, now, out);
        }
    }

    /// Closes the windows that are over, or all of them, and writes their counts: what comes next is a record
    /// again.
    pub(crate) fn close_windows(&mut self, now: Time, all: bool, out: &mut Vec<Action>) {
        let over = self.windows.kinds.iter().filter(|(_, w)| all || w.until <= now);
        let over: Vec<_> = over.map(|(kind, _)| kind.clone()).collect();
        for kind in over {
            let Some(Window { more, token, .. }) = self.windows.kinds.remove(&kind) else {
                continue;
            };
            if more > 0 {
                self.note_refused_token(&kind.whose, token, now, out);
                self.append(kind.whose.more(kind.code, more), now, out);
            }
        }
        if let Some(next) = self.windows.kinds.values().map(|w| w.until).min() {
            self.timers.set(Timer::Refusals, next);
        }
    }
}

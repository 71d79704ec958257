//! Refusals are records too, but cannot fill the disk: the first of a caller or person and code within
//! a second is one of its own, the rest are counted; by tokens, for each in whose name they are. What
//! strangers send hides no caller's and no person's.

use crate::Core;
use crate::action::{Action, Answer};
use crate::timers::Timer;
use std::collections::BTreeMap;
use std::sync::Arc;
use tidegate_types::ids::{AccountName, CallerName, KeyId, PersonName, Ticket};
use tidegate_types::order::Intent;
use tidegate_types::proof::{Authenticated, TokenShown};
use tidegate_types::record::{Body, Decision, RULES};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};

const WINDOW: Span = Span::from_secs(1);
/// Most windows at a time of people; those beyond share the one of nobody.
const MAX_PEOPLE: usize = 256;

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

/// The kinds of refusals seen within the last second.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    kinds: BTreeMap<(Whose, Code), Window>,
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
        let body = || Body::Refused {
            caller: Some(caller.clone()),
            account: Some(account),
            intent: Some(intent),
            reject: reject.clone(),
            decision: *decision,
        };
        let by = Whose::caller(Some(caller.clone()), who.shown());
        self.count_refusal(by, reject.code, (whole, body), now, out);
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
        let code = reject.code;
        let decision = Decision { rules: RULES, ..Decision::default() };
        let by = Whose::caller(caller.clone(), shown);
        let body = || Body::Refused { caller, account, intent: None, reject, decision };
        self.count_refusal(by, code, (None, body), now, out);
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
            self.windows.kinds.keys().filter(|(whose, _)| matches!(whose, Whose::Person(_)));
        let room = people.count() < MAX_PEOPLE;
        let by = Whose::Person(person);
        let known = self.windows.kinds.contains_key(&(by.clone(), code));
        let by = if room || known { by } else { Whose::Nobody };
        let decision = Decision { rules: RULES, ..Decision::default() };
        let body = || Body::Refused { caller: None, account: None, intent: None, reject, decision };
        self.count_refusal((by, None), code, (None, body), now, out);
    }

    fn count_refusal(
        &mut self,
        (whose, token): (Whose, Option<KeyId>),
        code: Code,
        (whole, body): (Option<String>, impl FnOnce() -> Body),
        now: Time,
        out: &mut Vec<Action>,
    ) {
        match self.windows.kinds.get_mut(&(whose.clone(), code)) {
            Some(window) => window.more += 1,
            None => {
                self.note_refused_token(&whose, token.clone(), now, out);
                let window = Window { until: now.plus(WINDOW), more: 0, token };
                self.windows.kinds.insert((whose, code), window);
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

    /// Writes the counts of the windows that are over, or of all of them.
    pub(crate) fn close_windows(&mut self, now: Time, all: bool, out: &mut Vec<Action>) {
        let over = self.windows.kinds.iter().filter(|(_, w)| all || w.until <= now);
        let over: Vec<_> = over.map(|(kind, w)| (kind.clone(), w.more, w.token.clone())).collect();
        for (kind, count, token) in over {
            if count == 0 {
                self.windows.kinds.remove(&kind);
                continue;
            }
            if let Some(window) = self.windows.kinds.get_mut(&kind) {
                (window.until, window.more) = (now.plus(WINDOW), 0);
            }
            let (whose, code) = kind;
            self.note_refused_token(&whose, token, now, out);
            self.append(whose.more(code, count), now, out);
        }
        if let Some(next) = self.windows.kinds.values().map(|w| w.until).min() {
            self.timers.set(Timer::Refusals, next);
        }
    }
}

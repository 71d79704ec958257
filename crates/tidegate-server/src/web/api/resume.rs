//! Lifting a halt: a person's act, through an app that holds a token of theirs. It goes the way that the console
//! and the command line go; beyond that, the token must say that it may, and the person must have logged in just
//! now (RFC 9470), or confirm it afterwards by passkey.

use super::approvals::{Behind, missing, number};
use super::ask::{Ask, content};
use super::halts::binds;
use super::problem::{HALT_FILE, Login, NOT_WAITING, Problem, Retry, STEP_UP, TOO_MANY};
use super::{Api, Change, json};
use crate::admin::Administrator;
use crate::admin::protocol::{Failure, Request, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_core::approvals::FORBIDDEN;
use tidegate_core::roles;
use tidegate_core::state::State;
use tidegate_identity::Named;
use tidegate_identity::oauth::TokenBearer;
use tidegate_identity::oauth::acr::Acr;
use tidegate_identity::oauth::resource::{Challenge, Problem as Trouble, step_up};
use tidegate_types::approval::{Act, Showing};
use tidegate_types::grant::Scope;
use tidegate_types::ids::{ApprovalId, PersonName};
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};

/// How well who lifts a halt must be known: by a factor that no false page can ask for.
const LEAST: Acr = Acr::PhishingResistant;
/// How long ago they may have logged in.
pub(super) const FRESH: Span = Span::from_secs(300);

/// A wish to lift a halt.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Resume {
    /// Why it can be lifted. It is on record, and read by who approves it.
    #[schemars(length(min = 1, max = 120), regex(pattern = r"^[ -~]+$"))]
    pub(super) reason: String,
    /// For apps that cannot send the person to log in: the request waits, and nothing is done before the
    /// person has confirmed it by passkey on its page.
    #[serde(default)]
    pub(super) confirm_later: bool,
}

/// A halt that is lifted.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Lifted {
    /// What it covered.
    scope: String,
}

impl Api {
    /// Lifts a halt that stands in the caller's way, in the name of the person whose token it shows.
    pub(super) async fn resume(
        &self,
        asked: Change<'_>,
        bearer: Option<&TokenBearer>,
        ask: &Ask,
    ) -> Result<Reply, Problem> {
        let Change { ref who, ref named, request, now } = asked;
        let read = || {
            self.desk.may_read(named.caller(), named.account(), now)?;
            let asked = content::<Resume>(request)?;
            let printable = asked.reason.chars().all(|c| (' '..='~').contains(&c));
            if asked.reason.is_empty() || asked.reason.len() > 120 || !printable {
                let what = "reason is 1 to 120 printable characters";
                return Err(Problem::new(Code::BadParameter, what));
            }
            Ok::<_, Problem>((super::trade::key_of(request)?, asked))
        };
        let (key, wish) = read().inspect_err(|problem| self.note(named, problem))?;
        let behind = self.behind(bearer);
        let (person, bearer) = self.person(named, &behind, bearer)?;
        let scope = self.halt_in_the_way(named, who, ask.part(0))?;
        let reason = format!("{} (asked through app {})", wish.reason, named.caller());
        let act = Act::Resume { scope: scope.clone(), reason: reason.clone() };
        self.may_lift(named, who, bearer, &person, &act)?;
        if !wish.confirm_later {
            self.fresh(named, bearer, now)?;
        }
        let showing = if wish.confirm_later { Showing::Later } else { Showing::Door };
        let lift = async {
            let request = Request::Resume { scope: scope.to_string(), reason };
            let told = self.administer(&person, showing, request).await?;
            match told.get("pending").and_then(Value::as_u64) {
                Some(id) => json(202, &self.asked(&behind, ApprovalId(id))?),
                None => json(200, &Lifted { scope: scope.to_string() }),
            }
        };
        // Another person's app of the same name asks for itself.
        let key = key.map(|key| format!("{person} {key}"));
        self.once(named, key, request, now, lift).await
    }

    /// Takes a request for approval back that the person asked for whose token is shown.
    pub(super) async fn withdraw(
        &self,
        asked: Change<'_>,
        bearer: Option<&TokenBearer>,
        ask: &Ask,
    ) -> Result<Reply, Problem> {
        let Change { ref who, ref named, now, .. } = asked;
        let may = self.desk.may_read(named.caller(), named.account(), now);
        may.map_err(Problem::from).inspect_err(|problem| self.note(named, problem))?;
        let behind = self.behind(bearer);
        let (person, _) = self.person(named, &behind, bearer)?;
        let id = number(ask.part(0)).filter(|id| {
            self.look(|state| {
                let request = state.approvals().get(*id);
                request.is_some_and(|request| behind.sees(state, who, request))
            })
        });
        let Some(id) = id else {
            self.turned_down(named, "there is no such request");
            return Err(missing());
        };
        let own =
            |state: &State| state.approvals().get(id).is_some_and(|r| r.approval.by == person);
        if !self.look(own) {
            return Err(self.turned_down(named, "who asked takes a request back; others deny it"));
        }
        self.administer(&person, Showing::Door, Request::Deny { id: id.0 }).await?;
        json(200, &self.asked(&behind, id)?)
    }

    /// The person whose token is shown: what is done so is done by a person, and by nobody else's rights.
    fn person<'a>(
        &self,
        named: &Named,
        behind: &Behind,
        bearer: Option<&'a TokenBearer>,
    ) -> Result<(PersonName, &'a TokenBearer), Problem> {
        match (behind, bearer) {
            (Behind::Person(person), Some(bearer)) => Ok((person.clone(), bearer)),
            _ => {
                let at = self.people.origin();
                let why = format!(
                    "this is done by a person: with a token that one granted, or at {at}/console/"
                );
                Err(self.turned_down(named, &why))
            }
        }
    }

    /// The halt of that name, if it stands in the caller's way.
    fn halt_in_the_way(
        &self,
        named: &Named,
        who: &Authenticated,
        text: &str,
    ) -> Result<Scope, Problem> {
        let stands = |state: &State, scope: &Scope| {
            state.halts().contains_key(scope) && binds(state, scope, who)
        };
        match text.parse::<Scope>() {
            Ok(scope) if self.look(|state| stands(state, &scope)) => Ok(scope),
            _ => {
                self.turned_down(named, "there is no such halt");
                Err(missing())
            }
        }
    }

    /// Whether the token says so, and the person may.
    fn may_lift(
        &self,
        named: &Named,
        who: &Authenticated,
        bearer: &TokenBearer,
        person: &PersonName,
        act: &Act,
    ) -> Result<(), Problem> {
        let of = |terms: &tidegate_identity::oauth::details::Terms| terms.lift_halts;
        let mut there = bearer.details.iter().filter(|item| item.account == *who.account());
        // What was handed on to another app is for its orders.
        let granted = bearer.act.is_empty()
            && there.any(|item| item.venue == *who.venue() && item.trade.as_ref().is_some_and(of));
        if !granted {
            let reject = Reject::new(Code::NoGrant, "the token does not say lift_halts");
            let problem = self.refused(Some(named), &reject);
            return Err(Problem {
                challenge: Some(Box::new(Challenge::of(Trouble::Scope))),
                ..problem
            });
        }
        let may = self.look(|state| roles::may_act(state, person, act));
        may.map_err(|refusal| self.turned_down(named, &refusal.to_string()))
    }

    /// Whether the person logged in lately and well enough; otherwise what the app has them do.
    fn fresh(&self, named: &Named, bearer: &TokenBearer, now: Time) -> Result<(), Problem> {
        step_up(bearer, Some(LEAST), Some(FRESH), now).map_err(|challenge| {
            self.turned_down(named, "the person has to log in anew");
            let detail = "have the person log in anew, and come back with that token";
            Problem {
                detail: detail.to_owned(),
                retry: Retry::LogInAnew,
                login: Some(Box::new(Login {
                    acr_values: LEAST.name(),
                    max_age: FRESH.millis() / 1000,
                })),
                challenge: Some(Box::new(challenge)),
                ..Problem::plain(STEP_UP, "the person has to log in anew", challenge.status())
            }
        })
    }

    /// Has the administration do something in a person's name: its rights, records and approvals.
    async fn administer(
        &self,
        person: &PersonName,
        showing: Showing,
        request: Request,
    ) -> Result<Value, Problem> {
        let by = Administrator { person: person.clone(), full: false, factor: None, showing };
        match self.admin.carry_out(&by, request).await {
            Response::Ok(told) => Ok(told),
            Response::Error(failure) => Err(failed(&failure)),
        }
    }

    /// Puts on record that something was turned down that is for people of other rights.
    fn turned_down(&self, named: &Named, why: &str) -> Problem {
        self.refused(Some(named), &Reject::new(Code::NotAllowed, why))
    }
}

/// A failure of the administration's as a problem.
fn failed(failure: &Failure) -> Problem {
    let code = Code::ALL.iter().find(|code| failure.code == format!("TG{}", code.number()));
    let plain = |kind, title| Problem {
        detail: format!("{}: {}", failure.message, failure.hint),
        ..Problem::plain(kind, title, 409)
    };
    match (failure.code.as_str(), code) {
        (_, Some(code)) => Problem::new(*code, failure.message.clone()),
        (FORBIDDEN, _) => Problem::new(Code::NotAllowed, failure.message.clone()),
        ("halt_file", _) => plain(HALT_FILE, "the halt file is there"),
        ("too_many_approvals", _) => plain(TOO_MANY, "too many requests wait for approval"),
        _ => plain(NOT_WAITING, "the request does not wait any more"),
    }
}

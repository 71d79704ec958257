//! The unified API: one vocabulary for every venue, over the same pipeline as the venues' own routes.
//!
//! `routes.rs` is the table of what is served; `openapi.rs` makes the documents from it.

mod approvals;
mod ask;
mod halts;
mod idempotency;
mod journal;
mod lists;
mod openapi;
mod orders;
mod page;
mod problem;
mod reads;
mod resume;
mod routes;
mod stream;
mod trade;
mod vocabulary;

pub use openapi::{asyncapi, openapi, reference};
pub use stream::Stream;

use crate::admin::Administration;
use crate::clock;
use crate::desk::Desk;
use crate::edge::Class;
use crate::front::Callers;
use crate::people::People;
use crate::web::oauth;
use ask::Ask;
use idempotency::Answers;
use lists::OrderFilter;
use page::{Page, Wanted};
use problem::{Problem, Retry, Tg};
use routes::{ACCOUNT, Access, Op, Route};
use serde::Serialize;
use serde_json::Value;
use std::ops::Bound::{Excluded, Unbounded};
use std::path::PathBuf;
use std::sync::Arc;
use tidegate_core::event::Event;
use tidegate_core::state::State;
use tidegate_identity::oauth::TokenBearer;
use tidegate_identity::oauth::resource::{Challenge, Problem as Trouble};
use tidegate_identity::{Named, message_signature};
use tidegate_types::ids::{InstrumentName, OrderId};
use tidegate_types::order::OrderName;
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Presented, RawRequest, Reply};
use tidegate_types::time::Time;
use tokio::sync::Semaphore;

/// What the unified API stands on.
pub struct Api {
    desk: Arc<Desk>,
    callers: Arc<Callers>,
    oauth: Arc<oauth::Handle>,
    streams: Arc<stream::Places>,
    people: Arc<People>,
    admin: Arc<Administration>,
    answers: Answers,
    /// Where the journal is.
    records: PathBuf,
    readers: Arc<Semaphore>,
}

/// What a request is for, with what its path names, and who sends it where that is asked.
type Entered<'r> = (&'static Route, Vec<&'r str>, Option<Caller>);

/// Who sends a request, by a token if it shows one.
type Caller = (Authenticated, Option<Arc<TokenBearer>>);

/// A request that changes something, and whose it is.
struct Change<'a> {
    who: Authenticated,
    named: Named,
    request: &'a RawRequest,
    now: Time,
}

impl Api {
    /// The API before this desk, for these callers; the journal's folder is `records`.
    pub fn new(
        desk: Arc<Desk>,
        callers: Arc<Callers>,
        oauth: Arc<oauth::Handle>,
        people: Arc<People>,
        admin: Arc<Administration>,
        records: PathBuf,
    ) -> Api {
        let readers = Arc::new(Semaphore::new(journal::READERS));
        Api {
            desk,
            callers,
            oauth,
            people,
            admin,
            answers: Answers::since(clock::now()),
            streams: Arc::default(),
            records,
            readers,
        }
    }

    /// The answer to a request below `/v1`.
    pub async fn answer(&self, request: RawRequest) -> Reply {
        let now = clock::now();
        let entered = self.enter(&request, now);
        let known = matches!(entered, Ok((.., Some(_))));
        let served = match entered {
            Ok((route, caught, Some(who))) => self.serve(route, &caught, who, &request, now).await,
            Ok((route, caught, None)) => {
                Ask::read(route, &caught, &request).and_then(|ask| public(route, &ask))
            }
            Err(problem) => Err(problem),
        };
        let mut reply = match served {
            Ok(mut reply) => {
                if oauth::shows_token(&request) {
                    reply.headers.extend(self.oauth.headers(None));
                }
                reply
            }
            Err(problem) => self.refusal(&request, problem),
        };
        // Nothing is signed for strangers, nor of what nobody checked.
        if known {
            let receipt = self.oauth.receipt(&request, reply.status, &reply.body, clock::now());
            reply.headers.extend(receipt.into_iter().flatten());
        }
        reply
    }

    /// The answer to a request that is refused, with what OAuth says to it.
    fn refusal(&self, request: &RawRequest, mut problem: Problem) -> Reply {
        let asked = (problem.status == 401).then_some(Challenge::of(Trouble::None));
        let challenge = problem.challenge.take().map(|challenge| *challenge).or(asked);
        let mut reply = problem.into_reply();
        if challenge.is_some() || oauth::shows_token(request) {
            reply.headers.extend(self.oauth.headers(challenge.as_ref()));
        }
        reply
    }

    /// What a request is for, and who sends it where that is asked: nobody at a public route.
    fn enter<'r>(&self, request: &'r RawRequest, now: Time) -> Result<Entered<'r>, Problem> {
        let (route, caught) = routes::find(request.method, &request.path)?;
        if route.access == Access::Public {
            return Ok((route, caught, None));
        }
        let (who, bearer) = self.who(route, request, now)?;
        message_signature::check_content(request).map_err(|reject| {
            let reject = Reject::new(Code::Malformed, format!("Content-Digest: {}", reject.detail));
            self.refused(Some(&Named::from(&who)), &reject)
        })?;
        Ok((route, caught, Some((who, bearer))))
    }

    async fn serve(
        &self,
        route: &Route,
        caught: &[&str],
        (who, bearer): Caller,
        request: &RawRequest,
        now: Time,
    ) -> Result<Reply, Problem> {
        let named = Named::from(&who);
        if let Some(reject) = beyond_token(route, &who, now) {
            let problem = self.refused(Some(&named), &reject);
            return Err(Problem {
                challenge: Some(Box::new(Challenge::of(Trouble::Scope))),
                ..problem
            });
        }
        let asked = Ask::read(route, caught, request);
        let asked = asked.inspect_err(|problem| self.note(&named, problem));
        self.act(route, (who, bearer.as_deref()), &asked?, request, now).await
    }

    /// Who sends a request: the virtual key that it is signed with, which names venue and account, or
    /// the app whose token it shows, with that.
    fn who(&self, route: &Route, request: &RawRequest, now: Time) -> Result<Caller, Problem> {
        if oauth::shows_token(request) {
            let (who, bearer) = self.app(route, request, now)?;
            return Ok((who, Some(bearer)));
        }
        let signed = message_signature::presented(request).and_then(|shown| match shown {
            Some(mut shown) => {
                // What opens a connection is good once, reads being so or not.
                if let (Op::Stream, Presented::Signature(signature)) =
                    (route.op, &mut shown.presented)
                {
                    signature.once = true;
                }
                self.callers.authenticate_signed(&shown, &request.origin(), now)
            }
            None => {
                let how = "show a token, or sign the request (RFC 9421)";
                Err(Reject::new(Code::MissingCredentials, how))
            }
        });
        let who = signed.map_err(|reject| self.refused(None, &reject))?;
        self.callers.note_use(&self.desk, who.key(), now);
        match named_account(route, request) {
            Some(account) if account != who.account().as_str() => {
                let reject = Reject::new(Code::NoGrant, "account: the key is for another one");
                Err(self.refused(Some(&Named::from(&who)), &reject))
            }
            _ => Ok((who.over(&request.body), None)),
        }
    }

    /// The app that shows a token. The first use of each is on record, by the token's id.
    fn app(
        &self,
        route: &Route,
        request: &RawRequest,
        now: Time,
    ) -> Result<(Authenticated, Arc<TokenBearer>), Problem> {
        let shown = self.oauth.app_for(
            &self.callers,
            request,
            |request| named_account(route, request),
            now,
        );
        let oauth::Let { who, bearer, first } = shown.map_err(|refused| {
            let oauth::Refused { reject, challenge } = refused;
            let problem = self.refused(None, &reject);
            let Some(challenge) = challenge else { return problem };
            let retry = match challenge.problem {
                Trouble::Nonce => Retry::SignAnew,
                _ => problem.retry,
            };
            Problem {
                status: challenge.status(),
                challenge: Some(Box::new(challenge)),
                retry,
                ..problem
            }
        })?;
        let named = Named::from(&who);
        if first {
            let (caller, key) = (named.caller().clone(), named.key().clone());
            self.desk.event(Event::LoggedIn { caller, key, session: None });
        }
        Ok((who, bearer))
    }

    async fn act(
        &self,
        route: &Route,
        (who, bearer): (Authenticated, Option<&TokenBearer>),
        ask: &Ask,
        request: &RawRequest,
        now: Time,
    ) -> Result<Reply, Problem> {
        let named = Named::from(&who);
        let turn = self.callers.turn(Some(who.caller()), request.peer, class(route.op), now);
        let _turn = turn.await.map_err(|reject| self.refused(Some(&named), &reject))?;
        match route.op {
            Op::Place => self.place(Change { who, named, request, now }).await,
            Op::Amend => self.amend(Change { who, named, request, now }, ask).await,
            Op::Cancel => self.cancel(who, ask).await,
            Op::CancelAll => self.cancel_all(Change { who, named, request, now }).await,
            Op::Halt => self.halt(Change { who, named, request, now }).await,
            Op::Resume => self.resume(Change { who, named, request, now }, bearer, ask).await,
            Op::Withdraw => self.withdraw(Change { who, named, request, now }, bearer, ask).await,
            Op::Approvals | Op::Approval => {
                let read = self.read_approvals(route, &who, bearer, ask, now);
                read.inspect_err(|problem| self.note(&named, problem))
            }
            Op::Journal => {
                let page = self.journal(&who, ask, now).await;
                page.inspect_err(|problem| self.note(&named, problem))
            }
            _ => self.read(route, &who, ask, now).inspect_err(|problem| self.note(&named, problem)),
        }
    }

    /// Reads change nothing; they take the same key and grant.
    fn read(
        &self,
        route: &Route,
        who: &Authenticated,
        ask: &Ask,
        now: Time,
    ) -> Result<Reply, Problem> {
        let named = Named::from(who);
        let wide = self.desk.may_read(named.caller(), named.account(), now)?;
        // A token never sees the whole account.
        let wide = wide && who.token().is_none();
        let page = |list| Wanted::read(list, ask.query("limit"), ask.query("cursor"));
        match route.op {
            Op::Instruments => self.instruments(who, &page(reads::INSTRUMENTS)?),
            Op::Instrument => self.instrument(who, ask),
            Op::Orders => {
                let page = page(lists::ORDERS)?;
                let filter = OrderFilter {
                    open: match ask.query("state") {
                        None | Some("open") => Some(true),
                        Some("done") => Some(false),
                        Some(_) => None,
                    },
                    instrument: instrument(ask)?,
                    client_order_id: ask
                        .query("client_order_id")
                        .map(|id| orders::caller_order_id(id).map(|id| id.to_string()))
                        .transpose()?,
                };
                json(200, &self.look(|s| lists::orders(s, &named, wide, &filter, &page))?)
            }
            Op::Fills => {
                let page = page(lists::FILLS)?;
                let of = instrument(ask)?;
                let of = of.as_deref();
                json(200, &self.look(|state| lists::fills(state, &named, wide, of, &page))?)
            }
            Op::Halts => json(200, &self.look(|state| halts::halts(state, who))),
            Op::Order => json(200, &self.find(who, ask.part(0))?),
            Op::Positions => {
                let page = page(reads::POSITIONS)?;
                json(200, &self.look(|state| reads::positions(state, &named, &page)))
            }
            Op::Balances => {
                let page = page(reads::BALANCES)?;
                json(200, &self.look(|state| reads::balances(state, &named, &page)))
            }
            Op::Limits => json(200, &self.look(|state| reads::limits(state, who, clock::now()))?),
            Op::OpenApi
            | Op::AsyncApi
            | Op::Problem
            | Op::Stream
            | Op::Place
            | Op::Amend
            | Op::Cancel
            | Op::CancelAll
            | Op::Halt
            | Op::Resume
            | Op::Approvals
            | Op::Approval
            | Op::Withdraw
            | Op::Journal => Err(Problem::new(Code::UnknownRoute, "")),
        }
    }

    fn read_approvals(
        &self,
        route: &Route,
        who: &Authenticated,
        bearer: Option<&TokenBearer>,
        ask: &Ask,
        now: Time,
    ) -> Result<Reply, Problem> {
        self.desk.may_read(who.caller(), who.account(), now)?;
        match route.op {
            Op::Approval => self.approval(who, bearer, ask.part(0)),
            _ => self.approvals(who, bearer, ask),
        }
    }

    fn instruments(&self, who: &Authenticated, page: &Wanted) -> Result<Reply, Problem> {
        let book = self.desk.book(who.venue());
        let after = page.after.as_deref().map(InstrumentName::new).transpose();
        let after = after.map_err(|_| Problem::new(Code::BadParameter, "cursor"))?;
        let rest = match &after {
            Some(name) => book.0.range((Excluded(name), Unbounded)),
            None => book.0.range::<InstrumentName, _>(..),
        };
        let page: Page<reads::Instrument> = self.look(|state| {
            let row =
                |(name, terms): (&InstrumentName, &tidegate_types::instrument::Instrument)| {
                    let view = reads::Instrument::of(terms, state.marks().get(&terms.id));
                    (name.to_string(), view)
                };
            page.of(reads::INSTRUMENTS, rest.map(row))
        });
        json(200, &page)
    }

    fn instrument(&self, who: &Authenticated, ask: &Ask) -> Result<Reply, Problem> {
        let name = format!("{}/{}", ask.part(0), ask.part(1));
        let id = orders::instrument_id(&name)?;
        let book = self.desk.book(who.venue());
        let terms = book.get(&id.name).filter(|terms| terms.id == id);
        let terms = terms.ok_or_else(|| {
            Problem::new(Code::UnknownInstrument, name.escape_default().to_string())
        })?;
        json(200, &self.look(|state| reads::Instrument::of(terms, state.marks().get(&id))))
    }

    /// An order that the caller may see, by Tidegate's number. Another's is not there.
    fn find(&self, who: &Authenticated, text: &str) -> Result<orders::Order, Problem> {
        let name = order_name(text)?;
        let found = self.look(|state| state.find(who, &name, None).map(orders::Order::from));
        found.ok_or_else(|| Problem::new(Code::OrderNotFound, ""))
    }

    fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.desk.look(look)
    }

    /// Puts a refusal on record that the core has not seen.
    fn note(&self, who: &Named, problem: &Problem) {
        if let Some(Tg(code)) = problem.code {
            self.refused(Some(who), &Reject::new(code, problem.detail.clone()));
        }
    }

    fn refused(&self, who: Option<&Named>, reject: &Reject) -> Problem {
        self.desk.event(Event::RefusedEarlier {
            caller: who.map(|who| who.caller().clone()),
            account: who.map(|who| who.account().clone()),
            shown: who.and_then(Named::shown),
            reject: reject.clone(),
        });
        Problem::of(reject)
    }
}

/// Why a token is not enough for a route, whatever it is for.
fn beyond_token(route: &Route, who: &Authenticated, now: Time) -> Option<Reject> {
    let token = who.token()?;
    let no = |why: &str| Some(Reject::new(Code::NoGrant, why));
    match route.op {
        Op::Journal => no("records are of all the caller's accounts, and a token is of one"),
        _ if route.changes && !token.trade => no("the token only reads"),
        // What changes something is held against this by the core; cancels pass.
        _ if !route.changes && token.until.is_some_and(|until| until <= now) => {
            Some(Reject::new(Code::GrantExpired, "what the token allows on the account is over"))
        }
        _ => None,
    }
}

/// The account that a request names: in the query, or in the order that it places.
fn named_account(route: &Route, request: &RawRequest) -> Option<String> {
    match route.op {
        Op::Place => {
            let order: Value = serde_json::from_slice(&request.body).ok()?;
            order.get("account")?.as_str().map(str::to_owned)
        }
        _ => ask::parameter(request, ACCOUNT.name),
    }
}

/// The instrument that a list is asked of.
fn instrument(ask: &Ask) -> Result<Option<String>, Problem> {
    let Some(name) = ask.query("instrument") else { return Ok(None) };
    match orders::instrument_id(name) {
        Ok(id) => Ok(Some(id.to_string())),
        Err(_) => Err(Problem::new(Code::BadParameter, "instrument is VENUE/NAME")),
    }
}

/// What an operation is to a gateway that is short of room.
fn class(op: Op) -> Class {
    match op {
        Op::Cancel | Op::CancelAll | Op::Halt => Class::Cancel,
        Op::Place | Op::Amend => Class::Order { legs: 1 },
        _ => Class::Read,
    }
}

/// What anybody may read.
fn public(route: &Route, ask: &Ask) -> Result<Reply, Problem> {
    match route.op {
        Op::OpenApi => json(200, &openapi()),
        Op::AsyncApi => json(200, &asyncapi()),
        Op::Problem => match problem::kind(ask.part(0)) {
            Some(kind) => json(200, &kind),
            None => Err(Problem::plain("not-found", "there is no such thing", 404)),
        },
        _ => Err(Problem::new(Code::UnknownRoute, "")),
    }
}

/// The order that a part of a path means.
fn order_name(text: &str) -> Result<OrderName, Problem> {
    let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
    let missing = || Problem::new(Code::OrderNotFound, "");
    number.map(|number| OrderName::Own { id: OrderId(number) }).ok_or_else(missing)
}

fn json<T: Serialize>(status: u16, value: &T) -> Result<Reply, Problem> {
    match serde_json::to_vec(value) {
        Ok(body) => Ok(Reply { status, headers: Vec::new(), body }),
        Err(error) => Err(Problem::new(Code::OutOfRange, error.to_string())),
    }
}

#[cfg(test)]
pub(super) mod tests;

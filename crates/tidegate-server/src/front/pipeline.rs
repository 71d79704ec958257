//! The life of a request, gate by gate: HTTP requests and the questions of WebSocket sessions go
//! the same way. What the core decides (authorize, shape, risk, journal, sign, send, order table)
//! happens behind `Desk::submit`.

use super::{Gate, Who};
use crate::clock;
use crate::desk::Errand;
use crate::edge::Class;
use crate::web::oauth;
use std::sync::Arc;
use std::time::Instant;
use tidegate_core::action::Answer;
use tidegate_identity::oauth::TokenBearer;
use tidegate_identity::oauth::resource::Challenge;
use tidegate_identity::{Named, Remembered};
use tidegate_types::call::CallBody;
use tidegate_types::ids::{CallerName, SessionId};
use tidegate_types::key::Origin;
use tidegate_types::order::Intent;
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{RawRequest, Reply};
use tidegate_types::time::Time;
use tidegate_venues::Venue;
use tidegate_venues::front::{Asked, Context, LocalAnswer, Need, Owners, Parsed, Read, Viewer};

type Leg = Result<Intent, Reject>;

impl Gate {
    /// Answers an HTTP request.
    pub async fn serve(&self, venue: &'static dyn Venue, request: RawRequest) -> Reply {
        let began = Instant::now();
        let now = clock::now();
        let token = oauth::shows_token(&request);
        let mut reply = match self.enter(venue, &request, now) {
            Ok((who, parsed)) => self.ask(venue, request.origin(), who, None, parsed).await,
            Err(turned) => self.turn_away(venue, &request, &turned, now),
        };
        if token && !reply.headers.iter().any(|(name, _)| name == "dpop-nonce") {
            reply.headers.extend(self.web.oauth().headers(None));
        }
        self.desk.measures().gateway.record(began.elapsed());
        reply
    }

    /// Credentials first; nothing past the envelope is parsed of a stranger's request.
    fn enter(
        &self,
        venue: &dyn Venue,
        request: &RawRequest,
        now: Time,
    ) -> Result<(Who, Parsed), Turned> {
        if is_of_another_site(request) {
            return Err(Reject::new(Code::ForbiddenRoute, "a page of another site asks").into());
        }
        self.address_is_clean(venue, request)?;
        let who = if oauth::shows_token(request) {
            Who::Proven(self.app_at(venue, request, now)?)
        } else {
            match venue.credentials(request)? {
                Need::Nothing => Who::Nobody,
                Need::Credentials(shown) => {
                    self.authenticate(venue, &shown, &request.origin(), now)?
                }
            }
        };
        match venue.parse(request, &self.desk.book(&venue.name()), now) {
            Ok(parsed) => Ok((who, parsed)),
            Err(reject) => Err(Turned { who: who.named(), reject, challenge: None }),
        }
    }

    /// The token that opens a socket: the proof that comes with it is good for as long as that is open.
    pub(super) fn opener(
        &self,
        venue: &dyn Venue,
        request: &RawRequest,
        now: Time,
    ) -> Result<Arc<TokenBearer>, Reply> {
        let opened = || -> Result<Arc<TokenBearer>, Turned> {
            let oauth = self.web.oauth();
            let path = format!("/{}{}", venue.name(), request.path);
            let bearer = oauth.bearer(&self.callers, request, &path, now)?;
            oauth.app_of(&venue.name(), &bearer, now)?;
            Ok(bearer)
        };
        opened().map_err(|turned| self.turn_away(venue, request, &turned, now))
    }

    fn turn_away(
        &self,
        venue: &dyn Venue,
        request: &RawRequest,
        turned: &Turned,
        now: Time,
    ) -> Reply {
        let Turned { who, reject, challenge } = turned;
        self.note_refusal(who.as_ref(), reject);
        let mut reply = venue.refuse(Some(request), None, reject, now);
        if let Some(challenge) = challenge {
            reply.status = challenge.status();
            reply.headers.extend(self.web.oauth().headers(Some(challenge)));
        }
        reply
    }

    /// The app that shows a token. The first use of each is on record, by the token's id.
    fn app_at(
        &self,
        venue: &dyn Venue,
        request: &RawRequest,
        now: Time,
    ) -> Result<Authenticated, Turned> {
        let oauth = self.web.oauth();
        let oauth::Let { who, first, .. } =
            oauth.app_at(&self.callers, &venue.name(), request, now)?;
        if first {
            self.note_login(&who, None);
        }
        Ok(who)
    }

    /// Answers a parsed question from `origin`, asked over a session or in a request of its own.
    pub async fn ask(
        &self,
        venue: &'static dyn Venue,
        origin: Origin,
        who: Who,
        session: Option<SessionId>,
        parsed: Parsed,
    ) -> Reply {
        let Parsed { asked, context } = parsed;
        let named = who.named();
        let caller = named.as_ref().map(Named::caller);
        let (class, came, at) = (class(&asked), Instant::now(), clock::now());
        let turn = self.callers.turn(caller, origin.peer, class, clock::now()).await;
        let turn = turn.and_then(|turn| self.in_time(venue, caller, class, came).map(|()| turn));
        let _turn = match turn {
            Ok(turn) => turn,
            Err(reject) => {
                self.note_refusal(named.as_ref(), &reject);
                return venue.refuse(None, Some(&context), &reject, clock::now());
            }
        };
        let answered = match (asked, who) {
            (Asked::Trade(intent), Who::Proven(who)) => {
                self.trade(venue, (who.came_at(at), session), intent, &context).await
            }
            (Asked::Batch(legs), Who::Proven(who)) => {
                Ok(self.batch(venue, (who.came_at(at), session), legs, &context).await)
            }
            (Asked::Read(read), Who::Proven(who)) => self.read(venue, who, read, &context).await,
            (Asked::Public(request), _) => self.public(venue, origin.peer, request, &context).await,
            (Asked::Local(local), who) => {
                self.local(venue, (who, session), local, &origin, &context).await
            }
            (Asked::Trade(_) | Asked::Batch(_) | Asked::Read(_), Who::Nobody | Who::Named(_)) => {
                Err(Reject::new(Code::MissingCredentials, "the request must be signed"))
            }
        };
        answered.unwrap_or_else(|reject| {
            self.note_refusal(named.as_ref(), &reject);
            venue.refuse(None, Some(&context), &reject, clock::now())
        })
    }

    /// An order that waited for longer here than its caller lets it wait for the venue is not sent late.
    fn in_time(
        &self,
        venue: &dyn Venue,
        caller: Option<&CallerName>,
        class: Class,
        came: Instant,
    ) -> Result<(), Reject> {
        if !matches!(class, Class::Order { .. }) {
            return Ok(());
        }
        let (waited, patience) = (came.elapsed(), self.link(venue)?.order_patience(caller));
        if waited <= patience {
            return Ok(());
        }
        let (waited, most) = (waited.as_millis(), patience.as_millis());
        let detail = format!("{waited} ms for its turn here, at most {most} ms; send it again");
        Err(Reject::new(Code::WaitedTooLong, detail))
    }

    /// Where an order's id tells what a caller means, a request that was held up and comes after the
    /// caller's next one is no wish for another order.
    fn place_in_time(
        &self,
        venue: &dyn Venue,
        who: Authenticated,
        intent: &Intent,
        signed_at: Option<Time>,
    ) -> Result<Authenticated, Reject> {
        match intent {
            Intent::New { order } if !venue.repeats_order_ids() => {
                self.callers.place_in_time(who, order, signed_at, clock::now())
            }
            _ => Ok(who),
        }
    }

    /// One order, amend, cancel or setting, through the core.
    async fn trade(
        &self,
        venue: &dyn Venue,
        (who, session): (Authenticated, Option<SessionId>),
        intent: Intent,
        context: &Context,
    ) -> Result<Reply, Reject> {
        let (named, signed_at) = (Named::from(&who), who.signed_at());
        let who = self.place_in_time(venue, who, &intent, signed_at)?;
        let answer = self.desk.submit(who, session, intent).await;
        Ok(self.render(venue, &named, answer, context))
    }

    /// Several intents, each through every gate on its own, in the order given.
    async fn batch(
        &self,
        venue: &dyn Venue,
        (who, session): (Authenticated, Option<SessionId>),
        legs: Vec<Leg>,
        context: &Context,
    ) -> Reply {
        let (named, remembered) = (Named::from(&who), Remembered::from(&who));
        let (signed_at, came, evidence) =
            (who.signed_at(), who.came(), who.evidence().map(Arc::clone));
        let submit = |leg: Leg| {
            let who = leg.and_then(|intent| {
                let who = self.callers.recall(&remembered, clock::now())?;
                let who = match came {
                    Some(came) => who.came_at(came),
                    None => who,
                };
                // One signature asks for all of them.
                let who = match &evidence {
                    Some(evidence) => who.evident(Arc::clone(evidence)),
                    None => who,
                };
                Ok((self.place_in_time(venue, who, &intent, signed_at)?, intent))
            });
            who.map(|(who, intent)| self.desk.submit(who, session, intent)).inspect_err(|reject| {
                self.note_refusal(Some(&named), reject);
            })
        };
        let waiting: Vec<_> = legs.into_iter().map(submit).collect();
        let mut replies = Vec::with_capacity(waiting.len());
        for leg in waiting {
            replies.push(match leg {
                Ok(answer) => self.render(venue, &named, answer.await, context),
                Err(reject) => venue.refuse(None, Some(context), &reject, clock::now()),
            });
        }
        venue.answer(context, &LocalAnswer::Batch(replies), clock::now())
    }

    /// A private read: it changes nothing, so it needs no record, but the same key and grant.
    async fn read(
        &self,
        venue: &dyn Venue,
        who: Authenticated,
        read: Read,
        context: &Context,
    ) -> Result<Reply, Reject> {
        let allowed = self.desk.allow_read(&who, read, venue, clock::now())?;
        let Read { route, params, .. } = allowed.read;
        let request = self.desk.sign_read(who.account(), CallBody::Read { route, params }).await?;
        let errand = Errand::Read { caller: who.caller(), account: who.account() };
        let reply = self.link(venue)?.fetch(errand, request.into_request()).await?;
        let owners = self.desk.owners(who.account());
        Ok(venue.pass(context, reply, &viewer(who.caller(), allowed.account_wide, &owners)))
    }

    /// The core's answer in the venue's words.
    fn render(&self, venue: &dyn Venue, who: &Named, answer: Answer, context: &Context) -> Reply {
        let now = clock::now();
        match answer {
            Answer::Venue { reply, .. } => {
                let wide = self.desk.may_read(who.caller(), who.account(), now).unwrap_or(false);
                let owners = self.desk.owners(who.account());
                venue.pass(context, reply, &viewer(who.caller(), wide, &owners))
            }
            Answer::Cancelled { orders, failed } => {
                let (done, failed) = (orders.len() as u64, failed.len() as u64);
                venue.answer(context, &LocalAnswer::Cancelled { done, failed }, now)
            }
            Answer::Done | Answer::Halted { .. } | Answer::Flattened { .. } => {
                venue.answer(context, &LocalAnswer::Done, now)
            }
            Answer::Refused { reject } => venue.refuse(None, Some(context), &reject, now),
            // What callers ask waits for nobody.
            Answer::Pending { .. } | Answer::Denied { .. } => {
                let reject = Reject::new(Code::BadParameter, "this is for the administration");
                venue.refuse(None, Some(context), &reject, now)
            }
        }
    }
}

/// What a question is to a gateway that is short of room.
fn class(asked: &Asked) -> Class {
    match asked {
        asked if asked.is_cancel() => Class::Cancel,
        Asked::Trade(_) => Class::Order { legs: 1 },
        Asked::Batch(legs) => Class::Order { legs: u32::try_from(legs.len()).unwrap_or(u32::MAX) },
        Asked::Public(_) => Class::Public,
        Asked::Read(_) | Asked::Local(_) => Class::Read,
    }
}

/// Whether a browser sends this for a page of another site. Deribit's own protocol places orders by GET, which a
/// link would do as well; browsers always say so, and nothing else does.
fn is_of_another_site(request: &RawRequest) -> bool {
    request.header("sec-fetch-site").is_some_and(|site| matches!(site, "cross-site" | "same-site"))
}

/// A request that is not let in.
struct Turned {
    who: Option<Named>,
    reject: Reject,
    challenge: Option<Challenge>,
}

impl From<Reject> for Turned {
    fn from(reject: Reject) -> Turned {
        Turned { who: None, reject, challenge: None }
    }
}

impl From<oauth::Refused> for Turned {
    fn from(refused: oauth::Refused) -> Turned {
        let oauth::Refused { reject, challenge } = refused;
        Turned { who: None, reject, challenge }
    }
}

fn viewer<'a>(caller: &'a CallerName, account_wide: bool, owners: &'a dyn Owners) -> Viewer<'a> {
    Viewer { caller, account_wide, owners }
}

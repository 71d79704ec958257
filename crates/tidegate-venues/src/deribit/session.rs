//! One caller's WebSocket: what it asks goes to the pipeline, its public subscriptions to the venue's
//! public socket, and the rest is answered here (heartbeats, private subscriptions,
//! cancel-on-disconnect).

mod answers;

use super::auth::{self, Login};
use super::channels::Private;
use super::methods::{Kind, Socket};
use super::rpc::{self, Rpc, Unread, bad};
use super::subscriptions::{Subscriptions, Wanted};
use super::{context, errors, parse};
use crate::front::{
    Asked, Context, From, Instruments, Local, Parsed, Read, Session, Step, Tag, Viewer,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Presented, Reply};
use tidegate_types::secret::Secret;
use tidegate_types::time::{Span, Time};

/// Most questions and relayed calls that wait for answers.
const MAX_WAITING: usize = 512;
/// How long a test request may stay unanswered.
const TEST_REQUEST_PATIENCE: Span = Span::from_secs(10);
/// Shortest interval of heartbeats.
const MIN_HEARTBEAT: u64 = 10;
/// Longest interval of heartbeats.
const MAX_HEARTBEAT: u64 = 86_400;
/// Seconds between the heartbeats that keep the venue's public socket open.
const RELAY_HEARTBEAT: u64 = 30;

/// A session.
#[derive(Default)]
pub(crate) struct DeribitSession {
    /// The last number given to a question or a relayed call.
    last: u64,
    asked: BTreeMap<Tag, Waiting>,
    relayed: BTreeMap<u64, Relayed>,
    relay_open: bool,
    subscriptions: Subscriptions,
    heartbeat: Option<Heartbeat>,
    heard: Time,
    /// The caller logged out.
    left: bool,
}

/// What happens when a question is answered.
enum Waiting {
    /// The answer goes to the caller.
    Pass(Context),
    /// A renewed login: the session is its caller's from now on.
    Renew(Context),
    /// The session knows its caller now; then the answer goes out.
    Renewed(Reply),
    /// A subscription that needs a login.
    Subscribe(Context, Wanted),
    /// The state for new portfolio channels.
    Portfolio(Vec<Private>),
    /// An end to subscriptions that needs a login; `None` ends all.
    Unsubscribe(Context, Option<Wanted>),
    /// The last answer there is.
    Logout,
}

/// What happens when the venue's public socket answers.
enum Relayed {
    /// The public half of a subscription.
    Subscribe(Context, Wanted),
    /// Nothing: the gateway asked for itself.
    Ignore,
}

struct Heartbeat {
    interval: Span,
    next: Time,
    /// When the caller must have answered the test request.
    answer_by: Option<Time>,
}

impl Session for DeribitSession {
    fn relay_target(&self) -> Option<String> {
        Some(rpc::SOCKET.into())
    }

    fn on_open(&mut self, now: Time) -> Vec<Step> {
        self.heard = now;
        Vec::new()
    }

    fn on_text(&mut self, text: &str, instruments: &Instruments, now: Time) -> Vec<Step> {
        self.heard = now;
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.answer_by = None;
        }
        let rpc = match rpc::from_frame(text) {
            Ok(rpc) => rpc,
            Err(Unread { id, reject }) => {
                return vec![frame(errors::refusal(id.as_ref(), "", &reject, now, now))];
            }
        };
        let context = context::of(&rpc, now);
        if self.asked.len() + self.relayed.len() >= MAX_WAITING {
            let reject = Reject::new(Code::TooManyInFlight, "on this connection");
            return vec![refusal(&context, &reject, now)];
        }
        self.called(&rpc, context.clone(), instruments, now)
            .unwrap_or_else(|reject| vec![refusal(&context, &reject, now)])
    }

    fn on_reply(&mut self, tag: Tag, reply: Reply, _now: Time) -> Vec<Step> {
        self.replied(tag, reply)
    }

    fn on_identity(&mut self, tag: Tag, result: Result<(), Reject>, now: Time) -> Vec<Step> {
        self.identified(tag, result, now)
    }

    fn on_reject(&mut self, tag: Tag, reject: &Reject, now: Time) -> Vec<Step> {
        self.rejected(tag, reject, now)
    }

    fn on_private(&mut self, frame: &Value, viewer: &Viewer<'_>, _now: Time) -> Vec<Step> {
        self.subscriptions.told(frame, viewer).into_iter().map(Step::Send).collect()
    }

    fn on_public(&mut self, text: &str, now: Time) -> Vec<Step> {
        self.public_said(text, now)
    }

    fn on_timer(&mut self, now: Time) -> Vec<Step> {
        let heard = self.heard;
        let Some(heartbeat) = &mut self.heartbeat else { return Vec::new() };
        if heartbeat.answer_by.is_some_and(|by| by <= now) {
            self.heartbeat = None;
            return vec![Step::Close { code: 4000, reason: "heartbeat close".into() }];
        }
        if heartbeat.next > now {
            return Vec::new();
        }
        heartbeat.next = now.plus(heartbeat.interval);
        let silent = now.since(heard) >= heartbeat.interval;
        let mut steps = vec![Step::Send(beat("heartbeat"))];
        if silent && heartbeat.answer_by.is_none() {
            heartbeat.answer_by = Some(now.plus(TEST_REQUEST_PATIENCE));
            steps.push(Step::Send(beat("test_request")));
        }
        steps
    }

    fn timer(&self) -> Option<Time> {
        let heartbeat = self.heartbeat.as_ref()?;
        Some(heartbeat.answer_by.map_or(heartbeat.next, |by| by.min(heartbeat.next)))
    }

    fn left(&self) -> bool {
        self.left
    }
}

impl DeribitSession {
    /// Begins to carry out a call.
    fn called(
        &mut self,
        rpc: &Rpc,
        context: Context,
        instruments: &Instruments,
        now: Time,
    ) -> Result<Vec<Step>, Reject> {
        match rpc.method.kind {
            Kind::Public => {
                let asked = Asked::Public(parse::public(rpc)?);
                Ok(vec![self.ask(From::Nobody, asked, context.clone(), Waiting::Pass(context))])
            }
            Kind::Auth => self.auth(rpc, context),
            Kind::Socket(socket) => self.socket(socket, rpc, context, now),
            Kind::Forbidden | Kind::Own => Err(Reject::new(Code::ForbiddenRoute, rpc.method.name)),
            Kind::New(_)
            | Kind::Edit
            | Kind::EditByLabel
            | Kind::Cancel
            | Kind::CancelMany
            | Kind::Read
            | Kind::ReadOrder
            | Kind::ReadLabel
            | Kind::CancelOnDisconnect(_)
            | Kind::Uncomputable => {
                let from = asker(rpc, false)?;
                let asked = parse::private(rpc, instruments, now)?;
                Ok(vec![self.ask(from, asked, context.clone(), Waiting::Pass(context))])
            }
        }
    }

    fn auth(&mut self, rpc: &Rpc, context: Context) -> Result<Vec<Step>, Reject> {
        let asked = parse::login(&rpc.params)?;
        Ok(vec![match auth::login(&rpc.params)? {
            Login::With(presented) => {
                let from = From::Credentials { presented, remember: true };
                self.ask(from, asked, context.clone(), Waiting::Pass(context))
            }
            Login::Refresh(_) => {
                self.ask(From::Nobody, asked, context.clone(), Waiting::Renew(context))
            }
        }])
    }

    fn socket(
        &mut self,
        socket: Socket,
        rpc: &Rpc,
        context: Context,
        now: Time,
    ) -> Result<Vec<Step>, Reject> {
        match socket {
            Socket::SetHeartbeat => {
                let wrong = || bad(Code::BadParameter, "interval", "is not 10 to 86400 seconds");
                let seconds = rpc.params.whole("interval")?.ok_or_else(wrong)?;
                if !(MIN_HEARTBEAT..=MAX_HEARTBEAT).contains(&seconds) {
                    return Err(wrong());
                }
                let interval = Span::from_secs(seconds);
                let next = now.plus(interval);
                self.heartbeat = Some(Heartbeat { interval, next, answer_by: None });
                Ok(vec![frame(errors::result(rpc, "ok".into(), now))])
            }
            Socket::DisableHeartbeat => {
                self.heartbeat = None;
                Ok(vec![frame(errors::result(rpc, "ok".into(), now))])
            }
            Socket::Subscribe(private) => {
                let mut wanted = Wanted::new(&rpc.params.texts("channels")?);
                if !self.subscriptions.fits(&wanted) {
                    return Err(bad(Code::TooLarge, "channels", "are too many"));
                }
                if !private {
                    wanted = wanted.public_only();
                }
                if !private && !wanted.raw {
                    return Ok(self.subscribe(context, wanted, now));
                }
                let from = asker(rpc, true)?;
                Ok(vec![self.identify(from, Waiting::Subscribe(context, wanted))])
            }
            Socket::Unsubscribe(private) => {
                let mut wanted = Wanted::new(&rpc.params.texts("channels")?);
                if private {
                    let from = asker(rpc, false)?;
                    return Ok(vec![
                        self.identify(from, Waiting::Unsubscribe(context, Some(wanted))),
                    ]);
                }
                wanted = wanted.public_only();
                Ok(self.unsubscribe(&context, Some(&wanted), now))
            }
            Socket::UnsubscribeAll(true) => {
                let from = asker(rpc, false)?;
                Ok(vec![self.identify(from, Waiting::Unsubscribe(context, None))])
            }
            Socket::UnsubscribeAll(false) => Ok(self.unsubscribe(&context, None, now)),
            Socket::Logout => {
                let from = asker(rpc, false)?;
                self.left = true;
                if rpc.params.flag("invalidate_token")? == Some(false) {
                    return Ok(vec![self.identify(from, Waiting::Logout)]);
                }
                let asked = Asked::Local(Local::Logout);
                Ok(vec![self.ask(from, asked, context, Waiting::Logout)])
            }
        }
    }

    /// Subscribes to the public channels at the venue, if there are any.
    fn subscribe(&mut self, context: Context, wanted: Wanted, now: Time) -> Vec<Step> {
        let upstream = wanted.upstream();
        if upstream.is_empty() {
            return self.subscribed(&context, wanted, &[], now);
        }
        let mut steps = Vec::new();
        let renew = self.subscriptions.to_renew(&wanted);
        if !renew.is_empty() {
            steps.extend(self.relay("public/unsubscribe", channels(renew), Relayed::Ignore));
        }
        let waiting = Relayed::Subscribe(context, wanted);
        steps.extend(self.relay("public/subscribe", channels(upstream), waiting));
        steps
    }

    /// Answers a subscription, and asks for the state that new portfolio channels begin with.
    fn subscribed(
        &mut self,
        context: &Context,
        wanted: Wanted,
        confirmed: &[String],
        now: Time,
    ) -> Vec<Step> {
        let (names, portfolios) = self.subscriptions.add(wanted, confirmed);
        let mut steps = vec![result(context, names, now)];
        if !portfolios.is_empty() {
            let read = Read {
                route: "private/get_account_summaries".into(),
                params: Vec::new(),
                order: None,
            };
            let own = Context(Value::Object(Map::new()));
            let waiting = Waiting::Portfolio(portfolios);
            steps.push(self.ask(From::Session, Asked::Read(read), own, waiting));
        }
        steps
    }

    /// Ends subscriptions; `None` ends all.
    fn unsubscribe(&mut self, context: &Context, wanted: Option<&Wanted>, now: Time) -> Vec<Step> {
        let (answer, gone) = match wanted {
            Some(wanted) => self.subscriptions.remove(wanted),
            None => {
                self.subscriptions.clear();
                ("ok".into(), Vec::new())
            }
        };
        let mut steps = vec![result(context, answer, now)];
        if wanted.is_none() && self.relay_open {
            steps.extend(self.relay("public/unsubscribe_all", Map::new(), Relayed::Ignore));
        } else if !gone.is_empty() {
            steps.extend(self.relay("public/unsubscribe", channels(gone), Relayed::Ignore));
        }
        steps
    }

    fn relay(&mut self, method: &str, params: Map<String, Value>, then: Relayed) -> Vec<Step> {
        let mut steps = Vec::new();
        if !std::mem::replace(&mut self.relay_open, true) {
            // Without heartbeats the venue closes a socket that is silent for a minute.
            let mut interval = Map::new();
            interval.insert("interval".into(), RELAY_HEARTBEAT.into());
            steps.extend(self.relay("public/set_heartbeat", interval, Relayed::Ignore));
        }
        self.last += 1;
        if !matches!(then, Relayed::Ignore) {
            self.relayed.insert(self.last, then);
        }
        steps.push(Step::Relay(rpc::call(self.last, method, params)));
        steps
    }

    fn ask(&mut self, from: From, asked: Asked, context: Context, then: Waiting) -> Step {
        let tag = self.tag(then);
        Step::Ask { tag, from, parsed: Box::new(Parsed { asked, context }) }
    }

    fn identify(&mut self, from: From, then: Waiting) -> Step {
        let tag = self.tag(then);
        Step::Identify { tag, from }
    }

    fn tag(&mut self, waiting: Waiting) -> Tag {
        self.last += 1;
        let tag = Tag(self.last);
        self.asked.insert(tag, waiting);
        tag
    }
}

/// Who a private call comes from: the token among its parameters, or the session's login.
fn asker(rpc: &Rpc, remember: bool) -> Result<From, Reject> {
    Ok(match auth::access_token(&rpc.params)? {
        Some(presented) => From::Credentials { presented, remember },
        None => From::Session,
    })
}

fn token(text: &str) -> Presented {
    Presented::Token { token: Secret::new(text.as_bytes().to_vec()) }
}

fn channels(names: Vec<String>) -> Map<String, Value> {
    let mut params = Map::new();
    params.insert("channels".into(), names.into_iter().map(Value::from).collect());
    params
}

fn frame(reply: Reply) -> Step {
    Step::Send(String::from_utf8_lossy(&reply.body).into_owned())
}

fn refusal(context: &Context, reject: &Reject, now: Time) -> Step {
    let (id, method) = (context::id(context), context::method(context));
    frame(errors::refusal(id, method, reject, context::came(context), now))
}

fn result(context: &Context, result: Value, now: Time) -> Step {
    let came = context::came(context);
    let body = rpc::envelope(context::id(context), ("result", result), came, now);
    Step::Send(Value::Object(body).to_string())
}

fn beat(kind: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"heartbeat","params":{{"type":"{kind}"}}}}"#)
}

#[cfg(test)]
mod tests;

//! The stream: a caller's socket on which it is told what happens to its orders and its account.
//!
//! What happened is read from the core's own news, the same for every follower, so that a slow one holds
//! nobody up: who falls behind what is kept is cut off, and told so.

mod messages;
mod places;
mod rows;

pub(super) use messages::{Channel, Message, Request};
pub(super) use places::Places;

use super::ask::{Ask, read_json};
use super::problem::Problem;
use super::routes::STREAM;
use super::{Api, beyond_token};
use crate::clock;
use crate::edge::{
    CallerSocket, FAREWELL, FAREWELL_OF_REVOKED, Heard, LOOK_EVERY, Messages, PING_INTERVAL,
    PINGS_UNANSWERED, Wire,
};
use places::Place;
use rows::{Viewer, substance};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tidegate_core::event::Event;
use tidegate_identity::Named;
use tidegate_identity::oauth::TokenBearer;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{RawRequest, Reply};
use tidegate_types::time::Time;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_tungstenite::tungstenite::Message as Frame;

/// A message comes at least as often.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Most messages that wait to be written before no more is told: the rest is read from the core's news once there
/// is room.
const WAITING: usize = 16;
/// What happens within this time is told together.
const TOGETHER: Duration = Duration::from_millis(5);
/// What is told as a whole is looked at no more often.
const WHOLE_EVERY: Duration = Duration::from_millis(100);

/// A socket that was let in: whose it is, and by what.
pub struct Stream {
    api: Arc<Api>,
    viewer: Viewer,
    /// The token that it was opened with; otherwise a key.
    bearer: Option<Arc<TokenBearer>>,
    /// Counts it among its caller's.
    _place: Place,
}

impl Api {
    /// The stream that a request asks for, or why it is not let in; `None` when it asks for something else.
    /// Who it is is shown once: the connection is bound to the key or token, and ends with it.
    pub fn upgrade(self: &Arc<Api>, request: &RawRequest) -> Option<Result<Stream, Reply>> {
        if request.path != STREAM.path {
            return None;
        }
        let opened = self.open(request, clock::now());
        Some(opened.map_err(|problem| self.refusal(request, problem)))
    }

    fn open(self: &Arc<Api>, request: &RawRequest, now: Time) -> Result<Stream, Problem> {
        let (who, bearer) = self.who(&STREAM, request, now)?;
        let named = Named::from(&who);
        if let Some(reject) = beyond_token(&STREAM, &who, now) {
            return Err(self.refused(Some(&named), &reject));
        }
        let read = || {
            Ask::read(&STREAM, &[], request)?;
            Ok::<_, Problem>(self.desk.may_read(named.caller(), named.account(), now)?)
        };
        let wide = read().inspect_err(|problem| self.note(&named, problem))?;
        let place = self.streams.enter(named.caller()).ok_or_else(|| {
            let reject = Reject::new(Code::TooManyInFlight, "the caller's streams; close one");
            self.refused(Some(&named), &reject)
        })?;
        if bearer.is_none() {
            let (caller, key) = (named.caller().clone(), named.key().clone());
            self.desk.event(Event::LoggedIn { caller, key, session: None });
        }
        let wide = wide && who.token().is_none();
        let behind = self.behind(bearer.as_deref());
        let viewer = Viewer { who, behind, wide };
        Ok(Stream { api: Arc::clone(self), viewer, bearer, _place: place })
    }
}

impl Stream {
    /// Serves the socket until it closes, breaks, reads too slowly, may be no more, or `stopping` returns.
    pub async fn serve(
        self,
        socket: CallerSocket,
        messages: Messages,
        stopping: impl Future<Output = ()> + Send,
    ) {
        let at = self.api.look(|state| state.orders().news().next());
        let mut session = Session {
            stream: self,
            wire: Wire::new(socket),
            messages,
            at,
            told: BTreeMap::new(),
            looked: None,
            farewell: FAREWELL,
            open: true,
        };
        session.hello();
        session.run(stopping).await;
        let _ = tokio::time::timeout(session.farewell, session.wire.finish()).await;
    }

    /// Why it may be no more, if so; otherwise it is known from then on how much it sees.
    fn over(&mut self, now: Time) -> Option<&'static str> {
        let who = &self.viewer.who;
        let in_force = match &self.bearer {
            Some(bearer) => self.api.oauth.remains(bearer, now),
            None => self.api.callers.is_in_force(who.key(), now),
        };
        match beyond_token(&STREAM, who, now) {
            _ if !in_force && self.bearer.is_some() => {
                Some("TG107 the token is over or was revoked")
            }
            _ if !in_force => Some("TG102 the key was revoked or has ended"),
            Some(_) => Some("TG308 what the token allows on the account is over"),
            None => match self.api.desk.may_read(who.caller(), who.account(), now) {
                Ok(wide) => {
                    self.viewer.wide = wide && who.token().is_none();
                    None
                }
                Err(_) => Some("TG301 the grant was taken back or is over"),
            },
        }
    }
}

struct Session {
    stream: Stream,
    wire: Wire,
    messages: Messages,
    /// The piece of news that comes next.
    at: u64,
    /// What is followed, with what was told of it last where it is told as a whole.
    told: BTreeMap<Channel, Vec<Value>>,
    /// When it was looked last how those stand.
    looked: Option<Instant>,
    /// How long the last words may take.
    farewell: Duration,
    open: bool,
}

/// What can happen to a session.
enum Happened {
    Heard(Heard),
    News,
    Look,
    Ping,
    Stopping,
}

impl Session {
    async fn run(&mut self, stopping: impl Future<Output = ()> + Send) {
        let mut pulse = self.stream.api.desk.pulse();
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pings = interval(PING_INTERVAL);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.reset();
        let (mut told, mut spoke, mut silent_pings) = (Instant::now(), Instant::now(), 0);
        tokio::pin!(stopping);
        while self.open {
            let happened = tokio::select! {
                heard = self.wire.next() => Happened::Heard(heard),
                () = async {
                    // What was not told yet is told once the time has passed.
                    sleep_until(told + TOGETHER).await;
                    let _ = pulse.changed().await;
                } => Happened::News,
                _ = looks.tick() => Happened::Look,
                _ = pings.tick() => Happened::Ping,
                () = &mut stopping => Happened::Stopping,
            };
            let now = clock::now();
            match happened {
                Happened::Heard(heard) => {
                    silent_pings = 0;
                    self.heard(heard, now);
                }
                Happened::News | Happened::Look => {
                    if let Some(why) = self.stream.over(now) {
                        // What was to be told before is told no more.
                        self.wire.forget();
                        self.farewell = FAREWELL_OF_REVOKED;
                        self.close(1008, why);
                    } else if self.tell() {
                        spoke = Instant::now();
                    } else if spoke.elapsed() >= HEARTBEAT {
                        let seq = self.at.to_string();
                        self.say(&Message::Heartbeat { seq, at: super::vocabulary::When(now) });
                        spoke = Instant::now();
                    }
                    told = Instant::now();
                }
                Happened::Ping => {
                    silent_pings += 1;
                    let api = &self.stream.api;
                    api.callers.note_use(&api.desk, self.stream.viewer.who.key(), now);
                    self.open &= silent_pings <= PINGS_UNANSWERED;
                    self.wire.send(Frame::Ping(bytes::Bytes::new()));
                }
                Happened::Stopping => self.close(1001, "the gateway stops"),
            }
            self.open &= !self.wire.overflows();
        }
    }

    fn hello(&mut self) {
        let (api, who) = (&self.stream.api, &self.stream.viewer.who);
        let hello = Message::Hello {
            epoch: api.look(|state| state.epoch().to_owned()),
            caller: who.caller().to_string(),
            account: who.account().to_string(),
            heartbeat_ms: u64::try_from(HEARTBEAT.as_millis()).unwrap_or(u64::MAX),
        };
        self.say(&hello);
    }

    fn heard(&mut self, heard: Heard, now: Time) {
        match heard {
            Heard::Text(text) => {
                let named = Named::from(&self.stream.viewer.who);
                if let Err(reject) = self.messages.take(now) {
                    self.stream.api.refused(Some(&named), &reject);
                    let code = reject.code.number();
                    return self.close(1008, &format!("TG{code} too many messages a second"));
                }
                match read_json::<Request>(text.as_bytes()) {
                    Ok(request) => self.asked(request),
                    Err(problem) => {
                        self.stream.api.note(&named, &problem);
                        self.say(&Message::Refused { problem });
                    }
                }
            }
            Heard::Other => {}
            Heard::Binary => self.close(1003, "text only"),
            Heard::End => self.open = false,
        }
    }

    fn asked(&mut self, request: Request) {
        match request {
            Request::Ping { id } => self.say(&Message::Pong { id }),
            Request::Unsubscribe { channels, id } => {
                self.told.retain(|channel, _| !channels.contains(channel));
                self.subscribed(true, id);
            }
            Request::Subscribe { channels, after, epoch, id } => {
                // Those that are followed already are brought to the same point first.
                self.tell();
                let new = channels.into_iter().filter(|new| !self.told.contains_key(new));
                let new: Vec<Channel> = new.collect();
                let from = after.and_then(|after| after.parse().ok());
                let from = from.filter(|_| self.is_of_now(epoch.as_deref()));
                let missed = from.and_then(|from| self.missed(from, &new));
                self.told.extend(new.iter().map(|channel| (*channel, Vec::new())));
                self.looked = None;
                self.subscribed(missed.is_some(), id);
                match missed {
                    Some(missed) => missed.iter().for_each(|message| self.say(message)),
                    None if new.contains(&Channel::Orders) => self.open_orders(),
                    None => {}
                }
                self.tell();
            }
        }
    }

    fn subscribed(&mut self, resumed: bool, id: Option<String>) {
        let channels = self.told.keys().copied().collect();
        self.say(&Message::Subscribed { channels, resumed, id });
    }

    fn is_of_now(&self, epoch: Option<&str>) -> bool {
        self.stream.api.look(|state| Some(state.epoch()) == epoch)
    }

    /// What happened from a piece of news up to where this session is; `None` when that is not known.
    fn missed(&self, mut from: u64, new: &[Channel]) -> Option<Vec<Message>> {
        let (viewer, at, mut missed) = (&self.stream.viewer, self.at, Vec::new());
        while from < at {
            let happened = self.stream.api.look(|state| viewer.since(state, from, at))?;
            from = happened.next;
            missed.extend(happened.told(viewer, |channel| new.contains(&channel)));
        }
        (from == at).then_some(missed)
    }

    fn open_orders(&mut self) {
        let mut cursor = None;
        loop {
            let viewer = &self.stream.viewer;
            let page = self.stream.api.look(|state| viewer.open(state, cursor.as_deref()));
            let Ok(page) = page else { return };
            let mut news = viewer.news(self.at, true, page.items);
            news.more = page.next.is_some();
            self.say(&Message::Orders(news));
            cursor = page.next;
            if cursor.is_none() {
                return;
            }
        }
    }

    /// Tells what happened since, as far as it is read; whether there was something to tell.
    fn tell(&mut self) -> bool {
        let mut spoke = false;
        loop {
            if self.wire.waiting() >= WAITING {
                return true;
            }
            let (viewer, at) = (&self.stream.viewer, self.at);
            let Some(happened) = self.stream.api.look(|state| viewer.since(state, at, u64::MAX))
            else {
                self.close(1008, "TG403 what is sent is read too slowly");
                return true;
            };
            self.at = happened.next;
            let more = happened.more;
            for message in happened.told(viewer, |channel| self.told.contains_key(&channel)) {
                self.say(&message);
                spoke = true;
            }
            if !more {
                break;
            }
        }
        // A follower of what is told as a whole makes work for the desk: news of a moment ago wait for the next look.
        if self.looked.is_some_and(|last| last.elapsed() < WHOLE_EVERY) {
            return spoke;
        }
        self.looked = Some(Instant::now());
        let followed: Vec<Channel> = self.told.keys().copied().collect();
        for channel in followed {
            let whole = self.whole(channel);
            let substance: Vec<Value> = whole.iter().map(substance).collect();
            if !whole.is_empty() && self.told.get(&channel) != Some(&substance) {
                self.told.insert(channel, substance);
                whole.iter().for_each(|message| self.say(message));
                spoke = true;
            }
        }
        spoke
    }

    /// All rows of a channel that is told as a whole, in pages; none of another.
    fn whole(&self, channel: Channel) -> Vec<Message> {
        let (viewer, mut pages, mut after) = (&self.stream.viewer, Vec::new(), None);
        loop {
            let page = self.stream.api.look(|state| viewer.whole(state, channel, after.as_deref()));
            let Some((message, next)) = page else { return pages };
            pages.push(message);
            if next.is_none() {
                return pages;
            }
            after = next;
        }
    }

    fn say(&mut self, message: &Message) {
        if let Ok(text) = serde_json::to_string(message) {
            self.wire.send(Frame::text(text));
        }
    }

    fn close(&mut self, code: u16, reason: &str) {
        self.wire.close(code, reason);
        self.open = false;
    }
}

//! The accounts' private streams and the marks: sockets that break, go silent, repeat themselves
//! and leave things out.

use super::broken::Broken;
use super::venue::{ACCOUNTS, venue_of};
use super::wire::Purpose;
use super::world::{Due, Simulation};
use std::collections::VecDeque;
use std::time::Duration;
use tidegate_core::event::Event;
use tidegate_server::upstream::tasks::Pause;
use tidegate_types::ids::AccountName;
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};
use tidegate_venues::front::Instruments;
use tidegate_venues::upstream::{AccountStream, StreamNews, StreamStep};

/// How long the server follows a stream that says nothing and answers no ping.
const SILENCE: Span = Span::from_secs(40);

/// A socket, as the network sees it.
#[derive(Debug)]
pub(super) struct Socket {
    /// Whose private stream; of the marks when nobody's.
    account: Option<usize>,
    /// The place of the venue.
    venue: usize,
    /// When the last message arrives: later ones do not overtake it.
    last: Time,
    /// The same the other way.
    last_said: Time,
    /// Nothing comes through any more, and nobody is told.
    silent: bool,
    /// Kept back to change places with the next one.
    held: Option<String>,
}

/// Follows one account's private stream.
pub(super) struct Follower {
    account: AccountName,
    stream: Box<dyn AccountStream>,
    left: VecDeque<StreamStep>,
    /// A step is under way; messages wait.
    waiting: bool,
    socket: Option<u64>,
    inbox: VecDeque<String>,
    began: Time,
    /// Which opening this is; what belongs to an earlier one is passed over.
    attempt: u64,
    pause: Pause,
}

impl Follower {
    /// A follower of an account that has not begun.
    pub(super) fn new(account: AccountName, stream: Box<dyn AccountStream>) -> Follower {
        Follower {
            account,
            stream,
            left: VecDeque::new(),
            waiting: false,
            socket: None,
            inbox: VecDeque::new(),
            began: Time::default(),
            attempt: 0,
            pause: Pause::default(),
        }
    }
}

impl Simulation {
    fn follower(&mut self, account: usize, attempt: u64) -> Option<&mut Follower> {
        let follower = self.gate.as_mut()?.followers.get_mut(account)?;
        (follower.attempt == attempt).then_some(follower)
    }

    /// Opens an account's stream anew.
    pub(super) fn stream_start(&mut self, account: usize) {
        let attempt = self.number();
        let (now, shown) = (self.now, self.clock.shows(self.now));
        let stream = self.dialect(venue_of(account)).account_stream();
        let Some(gate) = &mut self.gate else { return };
        let Some(follower) = gate.followers.get_mut(account) else { return };
        follower.stream = stream;
        (follower.attempt, follower.began) = (attempt, now);
        follower.inbox.clear();
        follower.waiting = false;
        follower.left = follower.stream.start(shown).into();
        self.stream_steps(account, attempt);
    }

    /// Takes the steps that wait, until one has to be waited for.
    fn stream_steps(&mut self, account: usize, attempt: u64) {
        loop {
            let Some(follower) = self.follower(account, attempt) else { return };
            if follower.waiting {
                return;
            }
            let name = follower.account.clone();
            match follower.left.pop_front() {
                None => match follower.inbox.pop_front() {
                    Some(text) => self.stream_hears(account, attempt, &text),
                    None => return self.stream_rests(account, attempt),
                },
                Some(StreamStep::Call(body)) => {
                    follower.waiting = true;
                    let purpose = Purpose::Stream { account, attempt };
                    if let Err(why) = self.fetch(&name, body, purpose) {
                        return self.stream_fails(account, attempt, why);
                    }
                }
                Some(StreamStep::Connect(target)) => {
                    follower.waiting = true;
                    let (life, wait) = (self.life, self.rng.millis(2, 150));
                    self.after(wait, Due::StreamConnect { life, account, attempt, target });
                }
                Some(StreamStep::Up) => self.give(Event::StreamUp { account: name }),
                Some(StreamStep::Restart(why)) => return self.stream_fails(account, attempt, why),
                Some(StreamStep::SendText(text)) => {
                    let socket = follower.socket;
                    self.gateway_says(socket, text);
                }
                Some(StreamStep::SendCall(body)) => {
                    let socket = follower.socket;
                    match self.unrecorded(&name, body) {
                        Ok(request) => {
                            let text = request.map(|request| request.body).unwrap_or_default();
                            self.gateway_says(socket, text);
                        }
                        Err(why) => return self.stream_fails(account, attempt, why),
                    }
                }
            }
        }
    }

    /// Nothing is left to do but to listen, and to keep the listen key.
    fn stream_rests(&mut self, account: usize, attempt: u64) {
        let Some(due) = self.follower(account, attempt).and_then(|f| f.stream.timer()) else {
            return;
        };
        let at = self.clock.when(due).max(self.now.plus(Span::from_millis(1)));
        let life = self.life;
        self.queue.push(at, Due::StreamTimer { life, account, attempt });
    }

    pub(super) fn stream_timer(&mut self, account: usize, attempt: u64) {
        let shown = self.clock.shows(self.now);
        let Some(follower) = self.follower(account, attempt) else { return };
        if follower.waiting || follower.stream.timer().is_none_or(|due| due > shown) {
            return;
        }
        let steps = follower.stream.on_timer(shown);
        follower.left.extend(steps);
        self.stream_steps(account, attempt);
    }

    pub(super) fn stream_reply(&mut self, account: usize, attempt: u64, reply: &Reply) {
        let shown = self.clock.shows(self.now);
        let Some(follower) = self.follower(account, attempt) else { return };
        follower.waiting = false;
        let steps = follower.stream.on_reply(reply, shown);
        follower.left.extend(steps);
        self.stream_steps(account, attempt);
    }

    /// The opening of a socket reaches the venue.
    pub(super) fn stream_connect(&mut self, account: usize, attempt: u64, target: &str) {
        if self.follower(account, attempt).is_none() {
            return;
        }
        if self.outage() {
            return self.stream_fails(account, attempt, "no connection".to_owned());
        }
        let socket = self.number();
        let venue = venue_of(account);
        if let Err(why) = self.venue.connect(venue, socket, target) {
            return self.stream_fails(account, attempt, why);
        }
        let wait = self.rng.millis(1, 80);
        let last = self.now.plus(wait);
        let wire = Socket {
            account: Some(account),
            venue,
            last,
            last_said: self.now,
            silent: false,
            held: None,
        };
        self.sockets.insert(socket, wire);
        if let Some(follower) = self.follower(account, attempt) {
            follower.socket = Some(socket);
        }
        let life = self.life;
        self.after(wait, Due::StreamOpened { life, account, attempt });
    }

    pub(super) fn stream_opened(&mut self, account: usize, attempt: u64) {
        let shown = self.clock.shows(self.now);
        let Some(follower) = self.follower(account, attempt) else { return };
        follower.waiting = false;
        let steps = follower.stream.on_open(shown);
        follower.left.extend(steps);
        self.stream_steps(account, attempt);
    }

    fn stream_hears(&mut self, account: usize, attempt: u64, text: &str) {
        let shown = self.clock.shows(self.now);
        let Some(gate) = &mut self.gate else { return };
        let Some(follower) = gate.followers.get_mut(account) else { return };
        if follower.attempt != attempt {
            return;
        }
        let none = Instruments::default();
        let known = gate.instruments.get(venue_of(account)).unwrap_or(&none);
        let (news, steps) = follower.stream.on_text(text, known, shown);
        follower.left.extend(steps);
        let name = follower.account.clone();
        if self.broken(Broken::IgnoresOrders) {
            return;
        }
        for news in news {
            if let StreamNews::Event(event) = news {
                self.give(Event::Streamed { account: name.clone(), event });
            }
        }
    }

    /// A stream is down, and opened anew after a pause that grows.
    pub(super) fn stream_fails(&mut self, account: usize, attempt: u64, why: String) {
        let (now, jitter) = (self.now, self.rng.below(1000));
        let fresh = self.number();
        let Some(follower) = self.follower(account, attempt) else { return };
        follower.attempt = fresh;
        let up = Duration::from_micros(now.since(follower.began).micros());
        let wait = follower.pause.next(up, u32::try_from(jitter).unwrap_or(0)).as_micros();
        let wait = Span::from_micros(u64::try_from(wait).unwrap_or(0));
        let (name, socket) = (follower.account.clone(), follower.socket.take());
        if let Some(socket) = socket {
            self.sockets.remove(&socket);
            self.venue.hang_up(socket);
        }
        self.counts.add("private streams down");
        self.give(Event::StreamDown { account: name, why });
        let life = self.life;
        self.after(wait, Due::StreamStart { life, account });
    }

    /// Opens a venue's socket for marks.
    pub(super) fn marks_start(&mut self, venue: usize) {
        let (socket, life) = (self.number(), self.life);
        let Some(known) = self.gate.as_ref().and_then(|gate| gate.instruments.get(venue)) else {
            return;
        };
        let feed = self.dialect(venue).mark_feed(known);
        let down = known.0.is_empty() || self.outage();
        if down || self.venue.connect(venue, socket, &feed.target).is_err() {
            return self.after(Span::from_millis(300), Due::MarksStart { life, venue });
        }
        let wire = Socket {
            account: None,
            venue,
            last: self.now,
            last_said: self.now,
            silent: false,
            held: None,
        };
        self.sockets.insert(socket, wire);
        for text in feed.hello {
            self.gateway_says(Some(socket), text);
        }
    }

    /// The gateway says something on a socket.
    fn gateway_says(&mut self, socket: Option<u64>, text: String) {
        let wait = self.rng.millis(1, 80);
        let begin = self.now.max(self.outage_until).plus(wait);
        let Some((number, wire)) = socket.and_then(|n| Some((n, self.sockets.get_mut(&n)?))) else {
            return;
        };
        if wire.silent {
            return;
        }
        wire.last_said = wire.last_said.plus(Span::from_micros(1)).max(begin);
        let at = wire.last_said;
        self.queue.push(at, Due::Say { socket: number, text });
    }

    /// What the gateway said on a socket reaches the venue.
    pub(super) fn venue_hears(&mut self, socket: u64, text: &str) {
        self.digest.add(text.as_bytes());
        self.venue.hear(socket, text);
        self.venue_moved();
    }

    /// Sockets that went silent break at last, and what was kept back comes through.
    pub(super) fn sockets_recover(&mut self) {
        let life = self.life;
        for (number, socket) in &mut self.sockets {
            let at = socket.last.max(self.now).plus(Span::from_secs(1));
            if socket.silent {
                self.venue.hang_up(*number);
                self.queue.push(at, Due::Closed { life, socket: *number });
            } else if let Some(text) = socket.held.take() {
                self.queue.push(at, Due::Text { life, socket: *number, text });
            }
        }
    }

    /// Takes what the venue has said on its sockets and sends it on its way.
    pub(super) fn said(&mut self) {
        let (said, closed) = self.venue.said();
        for (socket, texts) in said {
            for text in texts {
                self.carry(socket, text);
            }
        }
        for socket in closed {
            self.venue.hang_up(socket);
            let (life, wait) = (self.life, self.rng.millis(1, 120));
            let Some(wire) = self.sockets.get(&socket) else { continue };
            let at = wire.last.max(self.now).plus(wait);
            self.counts.add("sockets closed by the venue");
            self.queue.push(at, Due::Closed { life, socket });
        }
    }

    fn carry(&mut self, number: u64, text: String) {
        let Some(mut socket) = self.sockets.remove(&number) else { return };
        let bad = !self.quiet;
        let private = socket.account.is_some();
        let mut draw = |rate: u64| bad && self.rng.chance(rate);
        let profile = &self.profile;
        let breaks = draw(profile.socket) || (bad && self.now < self.outage_until && draw(300));
        let silent = private && draw(profile.half_open);
        let gap = private && draw(profile.gap);
        let twice = private && draw(profile.twice);
        let swapped = private && draw(profile.swapped);
        if silent && !socket.silent {
            self.counts.add("sockets half open");
            socket.silent = true;
            // The server asks for a sign of life, and gives up when none comes.
            let (life, at) = (self.life, socket.last.max(self.now).plus(SILENCE));
            self.queue.push(at, Due::Closed { life, socket: number });
        }
        if breaks {
            self.counts.add("sockets broken");
            self.venue.hang_up(number);
            let (life, wait) = (self.life, self.rng.millis(1, 5_000));
            self.queue
                .push(socket.last.max(self.now).plus(wait), Due::Closed { life, socket: number });
        } else if gap && !socket.silent {
            self.counts.add("messages left out");
        } else if !socket.silent {
            let mut texts = vec![text];
            if twice {
                self.counts.add("messages twice");
                texts.extend(texts.first().cloned());
            }
            if swapped && socket.held.is_none() {
                self.counts.add("messages out of order");
                socket.held = texts.pop();
            } else {
                texts.extend(socket.held.take());
            }
            let begin = self.now.max(if private { self.outage_until } else { self.now });
            for text in texts {
                let wait = self.rng.millis(1, 120);
                socket.last = socket.last.plus(Span::from_micros(1)).max(begin.plus(wait));
                let due = Due::Text { life: self.life, socket: number, text };
                self.queue.push(socket.last, due);
            }
        }
        self.sockets.insert(number, socket);
    }

    /// A message reaches the gateway.
    pub(super) fn text(&mut self, socket: u64, text: &str) {
        let shown = self.clock.shows(self.now);
        let (account, venue) = match self.sockets.get(&socket) {
            Some(wire) => (wire.account, wire.venue),
            None => return,
        };
        let dialect = self.dialect(venue);
        let Some(gate) = &mut self.gate else { return };
        let Some(account) = account else {
            let none = Instruments::default();
            let known = gate.instruments.get(venue).unwrap_or(&none);
            let (marks, answer) = dialect.marks(text, known, shown);
            let quotes = dialect.option_quotes(text, known);
            if !marks.is_empty() {
                self.give(Event::Marks { marks });
            }
            if !quotes.is_empty() {
                self.give(Event::OptionQuotes { quotes });
            }
            if let Some(answer) = answer {
                self.gateway_says(Some(socket), answer);
            }
            return;
        };
        let Some(follower) = gate.followers.get_mut(account) else { return };
        if follower.socket == Some(socket) {
            follower.inbox.push_back(text.to_owned());
            let attempt = follower.attempt;
            self.stream_steps(account, attempt);
        }
    }

    /// The gateway hears that a socket is closed.
    pub(super) fn closed(&mut self, socket: u64) {
        let Some(wire) = self.sockets.remove(&socket) else { return };
        self.venue.hang_up(socket);
        match wire.account {
            None => {
                let (life, venue) = (self.life, wire.venue);
                self.after(Span::from_millis(300), Due::MarksStart { life, venue });
            }
            Some(account) => {
                let Some(gate) = &self.gate else { return };
                let Some(follower) = gate.followers.get(account) else { return };
                if follower.socket == Some(socket) {
                    let attempt = follower.attempt;
                    self.stream_fails(account, attempt, "the socket closed".to_owned());
                }
            }
        }
    }

    /// The followers of a new gateway.
    pub(super) fn followers(&self) -> Result<Vec<Follower>, String> {
        let of = |(name, _, venue): (&str, &str, usize)| {
            let name = AccountName::new(name).map_err(|_| "a bad account name".to_owned())?;
            Ok(Follower::new(name, self.dialect(venue).account_stream()))
        };
        ACCOUNTS.into_iter().map(of).collect()
    }
}

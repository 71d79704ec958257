//! Everything in one place and under one queue: what happens next, and to whom.

use super::broken::Broken;
use super::callers::Trader;
use super::checks::Limits;
use super::clients::{Question, client_keys};
use super::clock::Clock;
use super::digest::Digest;
use super::faults::{Counts, Profile};
use super::gaps::Gaps;
use super::gate::Gate;
use super::keys::Key;
use super::operator::Operator;
use super::queue::Queue;
use super::reference::Reference;
use super::rng::Rng;
use super::saved::Image;
use super::streams::Socket;
use super::venue::{VENUES, Venue};
use super::wire::{Fate, Purpose};
use super::{Settings, setup};
use std::collections::{BTreeMap, BTreeSet};
use tidegate_journal::storage::Memory;
use tidegate_types::call::{Call, Warrant, WireRequest};
use tidegate_types::emergency::Emergency;
use tidegate_types::ids::{Seq, SessionId, Ticket};
use tidegate_types::order::NewOrder;
use tidegate_types::proof::Durable;
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};
use tidegate_venues::{Venue as Dialect, registry};

/// How each venue speaks, by place.
pub(super) type Dialects = [&'static dyn Dialect; VENUES.len()];

/// When every run begins.
const START: Time = Time::from_millis(1_790_000_000_000);
/// How often the venue's prices move.
const TICK: Span = Span::from_secs(1);
/// How long it takes until everything is known again once nothing goes wrong any more.
const QUIET: Span = Span::from_secs(200);
/// How long a halt of everything may take on a quiet day.
const HALT: Span = Span::from_secs(100);

/// Something that is to happen. `life` is the gateway process it belongs to; another one's is
/// passed over.
#[derive(Debug)]
pub(super) enum Due {
    Tick,
    Clock,
    Outage,
    SignerDies,
    Outsider,
    Caller(usize),
    AskAgain { seat: usize, place: Option<usize>, order: Box<NewOrder>, tries: u32 },
    Operator,
    Crash,
    Save,
    Start,
    Keep { life: u32 },
    Silent { life: u32, until: Time },
    Flush { life: u32 },
    Durable { life: u32, proof: Durable },
    Signed { life: u32, call: Box<Call>, warrant: Warrant },
    Depart { life: u32, venue: usize, purpose: Box<Purpose>, wire: Box<WireRequest> },
    Arrive { life: u32, venue: usize, number: u64, wire: Box<WireRequest>, fate: Fate },
    Answer { life: u32, number: u64, reply: Reply },
    Failed { life: u32, number: u64, left: bool, why: &'static str },
    Instruments { life: u32, venue: usize },
    StreamStart { life: u32, account: usize },
    StreamConnect { life: u32, account: usize, attempt: u64, target: String },
    StreamOpened { life: u32, account: usize, attempt: u64 },
    StreamTimer { life: u32, account: usize, attempt: u64 },
    MarksStart { life: u32, venue: usize },
    Say { socket: u64, text: String },
    Text { life: u32, socket: u64, text: String },
    Closed { life: u32, socket: u64 },
    Quiet,
    QuietCheck,
    LastHalt,
    LastCheck,
}

/// One run.
pub(super) struct Simulation {
    pub(super) profile: Profile,
    pub(super) rng: Rng,
    pub(super) now: Time,
    pub(super) queue: Queue<Due>,
    pub(super) clock: Clock,
    pub(super) venue: Venue,
    pub(super) dialects: Dialects,
    pub(super) keys: Vec<Key>,
    /// The virtual keys, by seat.
    pub(super) client_keys: Vec<Key>,
    /// What was asked for again under its id: by seat.
    pub(super) retried: BTreeSet<(usize, String)>,
    pub(super) disk: Memory,
    pub(super) image: Image,
    /// What went without a record, in a file of its own.
    pub(super) kept: Vec<(Time, Emergency)>,
    /// Once the journal is whole up to here, that is on record.
    pub(super) kept_until: Seq,
    pub(super) gate: Option<Gate>,
    pub(super) life: u32,
    pub(super) sockets: BTreeMap<u64, Socket>,
    pub(super) numbers: u64,
    pub(super) outage_until: Time,
    pub(super) signer_until: Time,
    pub(super) traders: Vec<Trader>,
    pub(super) operator: Operator,
    /// Callers whose guarded sessions ended, and when.
    pub(super) gone: BTreeMap<usize, Time>,
    /// Callers whose dead-man timers lapse, and when.
    pub(super) lapses: BTreeMap<usize, Time>,
    pub(super) asked: BTreeMap<Ticket, Asked>,
    pub(super) tickets: u64,
    pub(super) reference: Reference,
    pub(super) limits: Limits,
    pub(super) gaps: Gaps,
    pub(super) counts: Counts,
    pub(super) digest: Digest,
    /// Nothing goes wrong, and nobody wants anything.
    pub(super) quiet: bool,
    pub(super) end: Time,
    pub(super) failure: Option<String>,
    pub(super) log: Option<Vec<String>>,
    pub(super) broken: Option<Broken>,
    /// The disk as it was some time ago, for a gateway that loses what it wrote.
    pub(super) old_disk: Memory,
    done: bool,
}

/// Who waits for an answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) by: Asker,
    pub(super) at: Time,
}

/// Someone who asks.
#[derive(Debug)]
pub(super) enum Asker {
    /// A caller, about the order at this place of its own list.
    Trader { trader: usize, order: Option<usize> },
    /// A client that speaks the venue's bytes.
    Client { question: Question },
    /// A caller that wants its session guarded.
    Guarded { trader: usize, session: SessionId },
    /// A caller that set its dead-man timer.
    Countdown { trader: usize, until: Time },
    /// The administration.
    Operator,
    /// The thread that saves the state.
    Saved { bytes: Vec<u8> },
    /// The halt of everything at the end.
    LastHalt,
}

impl std::fmt::Debug for Simulation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Simulation")
    }
}

impl Simulation {
    /// A run that has not begun.
    pub(super) fn new(settings: &Settings) -> Result<Simulation, String> {
        let mut rng = Rng::new(settings.seed);
        let profile = if settings.calm { Profile::calm() } else { Profile::of(&mut rng) };
        let (mut venue, keys) = Venue::open(rng.number(), START)?;
        if profile.tight {
            venue.tighten();
        }
        let dialect = |place| {
            let name = setup::venue(place).map_err(|_| "a bad venue name")?;
            registry::find(&name).ok_or("there is no such venue")
        };
        let dialects = [dialect(0)?, dialect(1)?];
        let traders = (0..setup::SEATS.len())
            .map(|seat| Trader::new(seat, profile.stops, rng.fork()))
            .collect();
        Ok(Simulation {
            profile,
            now: START,
            queue: Queue::default(),
            clock: Clock::right(),
            venue,
            dialects,
            keys,
            client_keys: client_keys()?,
            retried: BTreeSet::new(),
            disk: Memory::default(),
            image: Image::default(),
            kept: Vec::new(),
            kept_until: Seq(0),
            gate: None,
            life: 0,
            sockets: BTreeMap::new(),
            numbers: 0,
            outage_until: START,
            signer_until: START,
            traders,
            operator: Operator::new(rng.fork()),
            gone: BTreeMap::new(),
            lapses: BTreeMap::new(),
            asked: BTreeMap::new(),
            tickets: 0,
            reference: Reference::default(),
            limits: Limits::default(),
            gaps: Gaps::default(),
            counts: Counts::default(),
            digest: Digest::default(),
            quiet: false,
            end: START.plus(settings.span),
            failure: None,
            log: settings.log.then(Vec::new),
            broken: settings.broken,
            old_disk: Memory::default(),
            done: false,
            rng,
        })
    }

    /// Runs to the end, or to the first thing that is not as it ought to be.
    pub(super) fn run(&mut self) {
        self.begin();
        while self.failure.is_none() && !self.done {
            let timer = self.gate.as_ref().and_then(|gate| gate.core.poll_timeout());
            let timer = timer.map(|shown| self.clock.when(shown).max(self.now));
            match (self.queue.next_at(), timer) {
                (Some(next), Some(timer)) if timer < next => {
                    self.now = timer;
                    self.venue.world.set_time(timer);
                    self.timers();
                }
                (Some(_), _) => {
                    if let Some((at, due)) = self.queue.pop() {
                        self.now = self.now.max(at);
                        self.venue.world.set_time(self.now);
                        self.happen(due);
                    }
                }
                (None, _) => self.fail("nothing is to happen any more".to_owned()),
            }
        }
    }

    fn begin(&mut self) {
        self.start();
        self.after(TICK, Due::Tick);
        for seat in 0..self.traders.len() {
            self.after(Span::from_secs(5), Due::Caller(seat));
        }
        for (every, due) in [
            (self.profile.jump_every, Due::Clock),
            (self.profile.outage_every, Due::Outage),
            (self.profile.signer_every, Due::SignerDies),
            (self.profile.outsider_every, Due::Outsider),
            (self.profile.halt_every, Due::Operator),
            (self.profile.crash_every, Due::Crash),
            (self.profile.save_every, Due::Save),
        ] {
            if let Some(every) = every {
                let wait = self.rng.around(every);
                self.after(wait, due);
            }
        }
        let first = START.plus(Span::from_secs(3600)).min(self.end);
        self.queue.push(first, Due::Quiet);
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Tick => {
                if let Err(why) = self.venue.tick() {
                    self.fail(why);
                }
                self.after(TICK, Due::Tick);
                self.venue_moved();
            }
            Due::Clock => {
                if !self.quiet {
                    self.counts.add("clock jumps");
                    self.clock.jump(&mut self.rng);
                }
                self.again(self.profile.jump_every, Due::Clock);
            }
            Due::Outage => {
                if !self.quiet {
                    self.counts.add("network outages");
                    let wait = self.rng.millis(200, 40_000);
                    self.outage_until = self.now.plus(wait);
                }
                self.again(self.profile.outage_every, Due::Outage);
            }
            Due::SignerDies => {
                if !self.quiet {
                    self.counts.add("signer deaths");
                    let wait = self.rng.millis(100, 10_000);
                    self.signer_until = self.now.plus(wait);
                }
                self.again(self.profile.signer_every, Due::SignerDies);
            }
            Due::Outsider => {
                if !self.quiet {
                    self.counts.add("orders past the gateway");
                    self.venue.outsider(&mut self.rng);
                    self.venue_moved();
                }
                self.again(self.profile.outsider_every, Due::Outsider);
            }
            Due::Caller(trader) => self.caller(trader),
            Due::AskAgain { seat, place, order, tries } => {
                self.client_asks_again(seat, place, *order, tries);
            }
            Due::Operator => self.operate(),
            Due::Crash => {
                if !self.quiet {
                    self.crash();
                }
                self.again(self.profile.crash_every, Due::Crash);
            }
            Due::Save => self.save(),
            Due::Start => self.start(),
            Due::Quiet | Due::QuietCheck | Due::LastHalt | Due::LastCheck => self.phase(&due),
            of_the_gateway => self.gateway_happens(of_the_gateway),
        }
    }

    fn gateway_happens(&mut self, due: Due) {
        match due {
            Due::Arrive { life, venue, number, wire, fate } => {
                self.arrive(life, venue, number, &wire, fate);
            }
            Due::Say { socket, text } => self.venue_hears(socket, &text),
            Due::Keep { life } if life == self.life => self.keep(),
            Due::Silent { life, until } if life == self.life => self.disk_is_silent(until),
            Due::Flush { life } if life == self.life => self.flush(),
            Due::Durable { life, proof } if life == self.life => self.durable(proof),
            Due::Signed { life, call, warrant } if life == self.life => self.signed(*call, warrant),
            Due::Depart { life, venue, purpose, wire } if life == self.life => {
                self.leave(venue, *purpose, *wire);
            }
            Due::Answer { life, number, reply } if life == self.life => self.answer(number, reply),
            Due::Failed { life, number, left, why } if life == self.life => {
                self.gave_up(number, left, why);
            }
            Due::Instruments { life, venue } if life == self.life => self.ask_instruments(venue),
            Due::StreamStart { life, account } if life == self.life => self.stream_start(account),
            Due::StreamConnect { life, account, attempt, target } if life == self.life => {
                self.stream_connect(account, attempt, &target);
            }
            Due::StreamOpened { life, account, attempt } if life == self.life => {
                self.stream_opened(account, attempt);
            }
            Due::StreamTimer { life, account, attempt } if life == self.life => {
                self.stream_timer(account, attempt);
            }
            Due::MarksStart { life, venue } if life == self.life => self.marks_start(venue),
            Due::Text { life, socket, text } if life == self.life => self.text(socket, &text),
            Due::Closed { life, socket } if life == self.life => self.closed(socket),
            // Of a gateway that is no more.
            _ => {}
        }
    }

    /// Quiet days, on which everything must become known, and the halt at the end.
    fn phase(&mut self, due: &Due) {
        match due {
            Due::Quiet => {
                self.quiet = true;
                self.clock = Clock::right();
                self.disk.set_fault(None);
                self.sockets_recover();
                self.outage_until = self.now;
                self.signer_until = self.now;
                if self.gate.as_ref().is_none_or(|gate| gate.journal_failed) {
                    self.crash();
                }
                self.after(QUIET, Due::QuietCheck);
            }
            Due::QuietCheck => {
                self.check_quiet();
                if self.now < self.end {
                    self.quiet = false;
                    let next = self.now.plus(Span::from_secs(3600)).min(self.end);
                    self.queue.push(next.max(self.now.plus(TICK)), Due::Quiet);
                } else {
                    self.after(TICK, Due::LastHalt);
                }
            }
            Due::LastHalt => {
                self.halt_everything();
                self.after(HALT, Due::LastCheck);
            }
            _ => {
                self.check_halted();
                self.check_journal();
                self.done = true;
            }
        }
    }

    pub(super) fn after(&mut self, wait: Span, due: Due) {
        self.queue.push(self.now.plus(wait), due);
    }

    pub(super) fn again(&mut self, every: Option<Span>, due: Due) {
        if let Some(every) = every {
            let wait = self.rng.around(every);
            self.after(wait, due);
        }
    }

    /// The first failure ends the run.
    pub(super) fn fail(&mut self, why: String) {
        let since = self.now.since(START).micros();
        self.failure.get_or_insert(format!(
            "{}.{:06} s: {why}",
            since / 1_000_000,
            since % 1_000_000
        ));
    }

    /// Fails unless all is well.
    pub(super) fn hold(&mut self, held: Result<(), String>) {
        if let Err(why) = held {
            self.fail(why);
        }
    }

    /// Writes a line of the story, if anybody wants to read it.
    pub(super) fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            let since = self.now.since(START).micros();
            log.push(format!("{}.{:06} {}", since / 1_000_000, since % 1_000_000, line()));
        }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn ticket(&mut self, by: Asker) -> Ticket {
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        self.asked.insert(ticket, Asked { by, at: self.now });
        ticket
    }

    /// How a venue speaks.
    pub(super) fn dialect(&self, venue: usize) -> &'static dyn Dialect {
        let [first, second] = self.dialects;
        if venue == 0 { first } else { second }
    }

    pub(super) fn outage(&self) -> bool {
        self.now < self.outage_until
    }
}

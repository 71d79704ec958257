//! Who is told which stream over which line.

mod begin;
mod heard;

use super::super::links::Link;
use super::super::weir::Fare;
use super::Command;
use super::line::{Heard, Line, LineNumber};
use super::member::{Member, Wait};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tidegate_types::reject::{Code, Reject};
use tidegate_venues::fanout::{Memory, Said};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// How long a stream that nobody is told any more is kept, and a line without streams: most who leave
/// come back.
const LINGER: Duration = Duration::from_secs(5);
/// How often it is looked who is gone and what is idle.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// How long the venue may take to answer a subscription.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Between two wishes of one member that cost the venue nothing: each may be told where its streams stand.
const WISH_PACE: Duration = Duration::from_millis(50);
/// How soon a member whose turn did not come in time stands in line again.
const TRY_AGAIN: Duration = Duration::from_millis(250);
/// How soon a line is opened after another was lost, and after many.
const REDIAL: Duration = Duration::from_secs(1);
const LONGEST_REDIAL: Duration = Duration::from_secs(30);
/// How long a line must have been there to have been of use.
const OF_USE: Duration = Duration::from_secs(60);
/// Most messages of lines that wait to be handed on.
const MAX_UNTOLD: usize = 1024;

/// A hub.
pub(super) struct Hub {
    link: Weak<Link>,
    target: String,
    members: BTreeMap<u64, Member>,
    streams: BTreeMap<String, Stream>,
    lines: BTreeMap<LineNumber, Line>,
    /// What the venue has not answered yet, by id.
    asked: BTreeMap<u64, (Instant, Vec<String>)>,
    last: u64,
    told: mpsc::Sender<Heard>,
    heard: Option<mpsc::Receiver<Heard>>,
    pays: mpsc::Sender<Payment>,
    paid: Option<mpsc::Receiver<Payment>>,
    redial: Redial,
}

/// A member's turn to have something said to the venue, or why it is not.
type Payment = (u64, Result<Fare, Reject>);

/// A stream at the venue.
struct Stream {
    line: LineNumber,
    members: BTreeSet<u64>,
    /// The venue said that it is there.
    there: bool,
    memory: Option<Box<dyn Memory>>,
    idle_since: Option<Instant>,
}

/// Why a wish cannot be carried out now.
enum Not {
    /// It can, later.
    Until(Instant),
    /// It cannot.
    Ever(Reject),
}

/// When the next line may be opened: venues count attempts to connect, and ban an address for too many.
struct Redial {
    at: Instant,
    wait: Duration,
}

impl Redial {
    /// A line is over that began to open then. One that was of use is opened again soon; after others each
    /// wait is twice the one before.
    fn note(&mut self, opened: Instant, now: Instant) {
        let of_use = now.duration_since(opened) >= OF_USE;
        self.wait = if of_use { REDIAL } else { (self.wait * 2).min(LONGEST_REDIAL) };
        self.at = now + self.wait;
    }
}

impl Hub {
    pub(super) fn new(link: Weak<Link>, target: String) -> Hub {
        let (told, heard) = mpsc::channel(MAX_UNTOLD);
        let (pays, paid) = mpsc::channel(MAX_UNTOLD);
        Hub {
            link,
            target,
            members: BTreeMap::new(),
            streams: BTreeMap::new(),
            lines: BTreeMap::new(),
            asked: BTreeMap::new(),
            last: 0,
            told,
            heard: Some(heard),
            pays,
            paid: Some(paid),
            redial: Redial { at: Instant::now(), wait: REDIAL },
        }
    }

    /// Serves its members until nobody can become one any more.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let (Some(mut heard), Some(mut paid)) = (self.heard.take(), self.paid.take()) else {
            return;
        };
        let mut sweep = Instant::now() + SWEEP_EVERY;
        loop {
            let due = self.members.values().filter_map(|member| member.due).min();
            let wake = due.map_or(sweep, |due| due.min(sweep));
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => return,
                },
                Some((line, text)) = heard.recv() => match text {
                    Some(text) => self.heard(line, &text),
                    None => self.line_closed(line),
                },
                Some((member, paid)) = paid.recv() => self.paid(member, paid),
                () = sleep_until(wake) => {
                    let now = Instant::now();
                    self.advance_due(now);
                    if now >= sweep {
                        self.sweep(now);
                        sweep = now + SWEEP_EVERY;
                    }
                }
            }
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Enter { number, follower, told, ended } => {
                let mut member = Member::new(follower, told, ended);
                member.served = self.last;
                self.members.insert(number, member);
            }
            Command::Said { member: number, text } => {
                let Some(link) = self.link.upgrade() else { return };
                let (Some(member), Some(said)) =
                    (self.members.get_mut(&number), link.venue().said(&text))
                else {
                    return;
                };
                if member.wish(said) {
                    self.advance(number, Instant::now());
                } else {
                    let why = "too many subscriptions wait on this socket";
                    self.dismiss(number, Reject::new(Code::TooManyInFlight, why));
                }
            }
        }
    }

    fn advance_due(&mut self, now: Instant) {
        let is_due = |member: &Member| member.due.is_some_and(|due| due <= now);
        let mut due: Vec<((bool, u64), u64)> = self
            .members
            .iter()
            .filter(|(_, member)| is_due(member))
            .map(|(number, member)| ((member.is_stranger(), member.served), *number))
            .collect();
        due.sort_unstable();
        for (_, number) in due {
            self.advance(number, now);
        }
    }

    /// Takes up what a member wishes, as far as it goes now.
    fn advance(&mut self, number: u64, now: Instant) {
        let Some(link) = self.link.upgrade() else { return };
        while let Some(member) = self.members.get_mut(&number) {
            let Some(said) = member.next_wish(now) else { return };
            match said {
                Said::Here(answer) => self.tell(number, answer.into()),
                Said::Leave { id, streams } => {
                    self.leave(number, streams.as_deref(), now);
                    self.tell(number, link.venue().left(&id).into());
                }
                Said::Join { id, streams } => match self.ask_for(&link, number, &streams, now) {
                    Ok(()) => {
                        member_of(&mut self.members, number, |member| {
                            member.due = Some(now + WISH_PACE);
                        });
                        self.wait(&link, number, id, streams);
                    }
                    Err(Not::Until(due)) => {
                        member_of(&mut self.members, number, |member| {
                            member.put_off(Said::Join { id, streams }, due);
                        });
                        return;
                    }
                    Err(Not::Ever(reject)) => {
                        self.tell(number, link.venue().turned_away(&id, &reject).into());
                    }
                },
            }
        }
    }

    /// Has a member wait for the streams that the venue has not answered for.
    fn wait(&mut self, link: &Arc<Link>, number: u64, id: Value, streams: Vec<String>) {
        let there = |name: &&String| !self.streams.get(*name).is_some_and(|stream| stream.there);
        let missing: BTreeSet<String> = streams.iter().filter(there).cloned().collect();
        if let Some(member) = self.members.get_mut(&number) {
            member.waits = Some(Wait { id, streams, missing, error: None });
        }
        self.complete(link, number);
    }

    /// Answers a member whose streams are all answered for, and tells it where they stand.
    fn complete(&mut self, link: &Arc<Link>, number: u64) {
        let Some(member) = self.members.get_mut(&number) else { return };
        let Some(wait) = member.waits.take_if(|wait| wait.missing.is_empty()) else { return };
        if let Some(error) = wait.error {
            let denied = link.venue().denied(&wait.id, &error);
            return self.tell(number, denied.into());
        }
        let mut texts: Vec<Arc<str>> = vec![link.venue().joined(&wait.id, &wait.streams).into()];
        for name in wait.streams {
            let Some(stream) = self.streams.get_mut(&name) else { continue };
            stream.members.insert(number);
            stream.idle_since = None;
            texts.extend(stream.memory.as_ref().and_then(|memory| memory.state()).map(Arc::from));
            member.streams.insert(name);
        }
        for text in texts {
            self.tell(number, text);
        }
    }

    fn leave(&mut self, number: u64, streams: Option<&[String]>, now: Instant) {
        let Some(member) = self.members.get_mut(&number) else { return };
        let gone: Vec<String> = match streams {
            Some(names) => {
                names.iter().filter(|name| member.streams.remove(*name)).cloned().collect()
            }
            None => std::mem::take(&mut member.streams).into_iter().collect(),
        };
        for name in gone {
            let Some(stream) = self.streams.get_mut(&name) else { continue };
            stream.members.remove(&number);
            stream.idle_since = stream.members.is_empty().then_some(now);
        }
    }

    fn tell(&mut self, number: u64, text: Arc<str>) {
        if self.members.get(&number).is_some_and(|member| !member.tell(text)) {
            self.dismiss(number, too_slow());
        }
    }

    fn dismiss(&mut self, number: u64, why: Reject) {
        self.leave(number, None, Instant::now());
        if let Some(member) = self.members.remove(&number) {
            member.end(why);
        }
    }

    /// Lets go of members that are gone, streams that nobody is told, and lines that carry none.
    fn sweep(&mut self, now: Instant) {
        self.give_up(now);
        let gone: Vec<u64> =
            self.members.iter().filter(|(_, member)| member.is_gone()).map(|(n, _)| *n).collect();
        for number in gone {
            self.leave(number, None, now);
            self.members.remove(&number);
        }
        let waited_for: BTreeSet<&String> = self
            .members
            .values()
            .filter_map(|member| member.waits.as_ref())
            .flat_map(|wait| &wait.streams)
            .collect();
        let mut ended: BTreeMap<LineNumber, Vec<String>> = BTreeMap::new();
        for (name, stream) in &mut self.streams {
            if !stream.there || !stream.members.is_empty() || waited_for.contains(name) {
                continue;
            }
            if now.duration_since(*stream.idle_since.get_or_insert(now)) >= LINGER {
                ended.entry(stream.line).or_default().push(name.clone());
            }
        }
        for (line, names) in ended {
            self.end(line, &names, now);
        }
        self.lines.retain(|_, line| {
            let idle = line.carries == 0
                && now.duration_since(*line.idle_since.get_or_insert(now)) >= LINGER;
            !idle
        });
    }

    fn end(&mut self, number: LineNumber, names: &[String], now: Instant) {
        let Some(link) = self.link.upgrade() else { return };
        let Some(line) = self.lines.get_mut(&number).filter(|line| line.free_at <= now) else {
            return;
        };
        self.last += 1;
        let text = link.venue().end(self.last, names);
        link.charge_from(line.from, &text);
        line.say(text);
        for name in names {
            self.forget(name);
        }
    }
}

fn member_of(members: &mut BTreeMap<u64, Member>, number: u64, f: impl FnOnce(&mut Member)) {
    if let Some(member) = members.get_mut(&number) {
        f(member);
    }
}

fn too_slow() -> Reject {
    Reject::new(
        Code::TooManyInFlight,
        "too slow for the public streams; connect again and ask for less",
    )
}

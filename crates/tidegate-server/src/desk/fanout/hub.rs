//! Who is told which stream over which line.

use super::super::links::Link;
use super::super::weir::Fare;
use super::line::{Heard, Line, LineNumber};
use super::member::{Member, Toll, Wait};
use super::{Command, Follower};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tidegate_types::limits::MAX_SHARED_STREAMS;
use tidegate_types::reject::{Code, Reject};
use tidegate_venues::fanout::{Fit, Memory, Said, Taken, Told};
use tidegate_venues::upstream::Units;
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

    /// Begins those of the streams that are not there, all on one line.
    fn ask_for(
        &mut self,
        link: &Arc<Link>,
        number: u64,
        streams: &[String],
        now: Instant,
    ) -> Result<(), Not> {
        let fresh: BTreeSet<&String> =
            streams.iter().filter(|name| !self.streams.contains_key(*name)).collect();
        if fresh.is_empty() {
            // Somebody else's wish began them.
            if let Some(Toll::Paid(fare)) = self.members.get_mut(&number).map(Member::take_paid) {
                fare.give_back();
            }
            return Ok(());
        }
        let Some(follower) = self.members.get(&number).map(|member| member.follower.clone()) else {
            return Ok(());
        };
        self.has_room(&follower, fresh.len(), link.venue().streams_per_socket())?;
        let line_number = self.line_for(link, fresh.len(), now)?;
        let fresh: Vec<String> = fresh.into_iter().cloned().collect();
        let Some(line) = self.lines.get_mut(&line_number) else { return Ok(()) };
        if line.free_at > now {
            return Err(Not::Until(line.free_at));
        }
        self.last += 1;
        let text = link.venue().begin(self.last, &fresh);
        if let Some(cost) = link.venue().socket_cost(&text) {
            let from = line.from;
            self.pay(link, (number, follower), cost, from, now)?;
        }
        let Some(line) = self.lines.get_mut(&line_number) else { return Ok(()) };
        if !line.say(text) {
            return Err(Not::Until(line.free_at));
        }
        (line.carries, line.idle_since) = (line.carries + fresh.len(), None);
        for name in &fresh {
            let memory = link.venue().memory(name);
            let (members, idle_since) = (BTreeSet::new(), None);
            let stream = Stream { line: line_number, members, there: false, memory, idle_since };
            self.streams.insert(name.clone(), stream);
        }
        self.asked.insert(self.last, (now, fresh));
        member_of(&mut self.members, number, |member| member.served = self.last);
        Ok(())
    }

    /// Takes what a member has paid for what is said on a line from this address; until then it waits in line.
    fn pay(
        &mut self,
        link: &Arc<Link>,
        (number, follower): (u64, Follower),
        cost: Units,
        from: usize,
        now: Instant,
    ) -> Result<(), Not> {
        let Some(member) = self.members.get_mut(&number) else { return Ok(()) };
        match std::mem::take(&mut member.toll) {
            // What left may have arrived.
            Toll::Paid(fare) if fare.from() == from => {
                drop(fare);
                return Ok(());
            }
            Toll::Paid(fare) => fare.give_back(),
            Toll::InLine => {
                member.toll = Toll::InLine;
                return Err(Not::Until(now + ANSWER_WITHIN));
            }
            Toll::None => {}
        }
        member.toll = Toll::InLine;
        let (link, pays) = (Arc::clone(link), self.pays.clone());
        tokio::spawn(async move {
            let paid = link.pay(follower.errand(), cost, from).await;
            // A fare that nobody takes counts as used.
            let _ = pays.send((number, paid)).await;
        });
        Err(Not::Until(now + ANSWER_WITHIN))
    }

    /// A member's turn has come, or it is to try again.
    fn paid(&mut self, number: u64, paid: Result<Fare, Reject>) {
        let now = Instant::now();
        let Some(member) = self.members.get_mut(&number) else {
            // It left meanwhile.
            return paid.map_or((), Fare::give_back);
        };
        match paid {
            Ok(fare) => {
                member.toll = Toll::Paid(fare);
                member.due = None;
                self.advance(number, now);
            }
            Err(_) => {
                member.toll = Toll::None;
                member.due = Some(now + TRY_AGAIN);
            }
        }
    }

    /// Strangers together may have half of all streams begun, so that those who log in find room.
    fn has_room(&self, follower: &Follower, more: usize, a_line_s: usize) -> Result<(), Not> {
        let most = match follower {
            Follower::Caller(..) => MAX_SHARED_STREAMS,
            Follower::Peer(_) => MAX_SHARED_STREAMS / 2,
        };
        if self.streams.len() + more > most || more > a_line_s {
            let why = format!("{} public streams are followed, at most {most}", self.streams.len());
            return Err(Not::Ever(Reject::new(Code::TooManyInFlight, why)));
        }
        let (own, most) = (self.followed_by(follower), most / 2);
        if own + more > most {
            let why = format!("{own} public streams are followed from there, at most {most}");
            return Err(Not::Ever(Reject::new(Code::TooManyInFlight, why)));
        }
        Ok(())
    }

    /// How many streams are followed by one caller, or from one network.
    fn followed_by(&self, follower: &Follower) -> usize {
        let payer = follower.errand().line().1;
        let same = |member: &&Member| member.follower.errand().line().1 == payer;
        let streams: BTreeSet<&String> =
            self.members.values().filter(same).flat_map(Member::wanted).collect();
        streams.len()
    }

    /// A line with room for so many more.
    fn line_for(&mut self, link: &Arc<Link>, more: usize, now: Instant) -> Result<LineNumber, Not> {
        let most = link.venue().streams_per_socket();
        let roomy = self.lines.iter().find(|(_, line)| line.carries + more <= most);
        if let Some((number, _)) = roomy {
            return Ok(*number);
        }
        let place = link.reserve_socket().map_err(Not::Ever)?;
        self.last += 1;
        let (number, told) = (self.last, self.told.clone());
        let mut line = Line::open(number, Arc::clone(link), self.target.clone(), place, told, now);
        for hello in link.venue().line_hello() {
            line.say(hello);
        }
        line.free_at = now;
        self.lines.insert(number, line);
        Ok(number)
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

    fn heard(&mut self, line: LineNumber, text: &str) {
        let Some(link) = self.link.upgrade() else { return };
        match link.venue().told(text) {
            Told::News { stream } => self.news(&link, &stream, text),
            Told::Answer { id, taken } => self.answered(&link, id, &taken, text),
            Told::Say(answer) => {
                if let Some(line) = self.lines.get_mut(&line) {
                    line.say(answer);
                }
            }
            Told::Nothing => {}
        }
    }

    fn news(&mut self, link: &Arc<Link>, name: &str, text: &str) {
        let Some(stream) = self.streams.get_mut(name) else { return };
        match stream.memory.as_mut().map_or(Fit::Good, |memory| memory.take(text)) {
            Fit::Good => {}
            Fit::Early => return,
            Fit::Gap => return self.renew(link, name),
        }
        let text: Arc<str> = text.into();
        let slow: Vec<u64> = stream
            .members
            .iter()
            .filter(|number| {
                self.members.get(number).is_some_and(|member| !member.tell(Arc::clone(&text)))
            })
            .copied()
            .collect();
        for number in slow {
            self.dismiss(number, too_slow());
        }
    }

    /// Subscribes to a stream anew: it begins with its state then, for everybody.
    fn renew(&mut self, link: &Arc<Link>, name: &str) {
        let names = [name.to_owned()];
        self.last += 2;
        let Some(stream) = self.streams.get_mut(name) else { return };
        let Some(line) = self.lines.get_mut(&stream.line) else { return };
        stream.memory = link.venue().memory(name);
        let (end, begin) = (self.last - 1, self.last);
        for text in [link.venue().end(end, &names), link.venue().begin(begin, &names)] {
            if let Some(cost) = link.venue().socket_cost(&text) {
                // Counted whatever is left: those who are told it are owed it.
                link.charge_from(line.from, cost);
            }
            line.say(text);
        }
    }

    fn answered(&mut self, link: &Arc<Link>, id: u64, taken: &Taken, text: &str) {
        let Some((_, names)) = self.asked.remove(&id) else { return };
        let error: Option<Arc<str>> = (*taken == Taken::None).then(|| text.into());
        let is_taken = |name: &String| match taken {
            Taken::All => true,
            Taken::These(these) => these.contains(name),
            Taken::None => false,
        };
        for name in names.iter().filter(|name| !is_taken(name)) {
            self.forget(name);
        }
        for name in names.iter().filter(|name| is_taken(name)) {
            if let Some(stream) = self.streams.get_mut(name) {
                stream.there = true;
            }
        }
        let mut answered = Vec::new();
        for (number, member) in &mut self.members {
            let Some(wait) = &mut member.waits else { continue };
            for name in &names {
                if wait.missing.remove(name) && !is_taken(name) {
                    wait.streams.retain(|asked| asked != name);
                    wait.error = wait.error.take().or_else(|| error.clone());
                }
            }
            answered.push(*number);
        }
        for number in answered {
            self.complete(link, number);
            self.advance(number, Instant::now());
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

    /// Whoever was told something over this line connects again, as to the venue itself: what it missed
    /// meanwhile could not be told in order.
    fn line_closed(&mut self, number: LineNumber) {
        if self.lines.remove(&number).is_none() {
            return;
        }
        let lost: BTreeSet<String> = self
            .streams
            .iter()
            .filter(|(_, stream)| stream.line == number)
            .map(|(name, _)| name.clone())
            .collect();
        let hit = |member: &Member| {
            let waits = member.waits.as_ref().is_some_and(|wait| !wait.missing.is_disjoint(&lost));
            waits || !member.streams.is_disjoint(&lost)
        };
        let members: Vec<u64> =
            self.members.iter().filter(|(_, member)| hit(member)).map(|(n, _)| *n).collect();
        for member in members {
            let why = "the venue's socket closed; connect again";
            self.dismiss(member, Reject::new(Code::VenueUnreachable, why));
        }
        self.streams.retain(|name, _| !lost.contains(name));
        self.asked.retain(|_, (_, names)| names.iter().all(|name| !lost.contains(name)));
    }

    /// What the venue does not answer for is not there, and who waits for it connects again.
    fn give_up(&mut self, now: Instant) {
        let late = |(_, (since, _)): &(&u64, &(Instant, Vec<String>))| {
            now.duration_since(*since) >= ANSWER_WITHIN
        };
        let late: Vec<u64> = self.asked.iter().filter(late).map(|(id, _)| *id).collect();
        for id in late {
            let Some((_, names)) = self.asked.remove(&id) else { continue };
            let waits = |member: &Member| {
                let waits = member.waits.as_ref();
                waits.is_some_and(|wait| names.iter().any(|name| wait.missing.contains(name)))
            };
            let members: Vec<u64> =
                self.members.iter().filter(|(_, member)| waits(member)).map(|(n, _)| *n).collect();
            for member in members {
                let why = "the venue does not answer a subscription; connect again";
                self.dismiss(member, Reject::new(Code::VenueUnreachable, why));
            }
            for name in &names {
                self.forget(name);
            }
        }
    }

    fn forget(&mut self, name: &str) {
        let Some(stream) = self.streams.remove(name) else { return };
        if let Some(line) = self.lines.get_mut(&stream.line) {
            line.carries = line.carries.saturating_sub(1);
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
        line.say(link.venue().end(self.last, names));
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

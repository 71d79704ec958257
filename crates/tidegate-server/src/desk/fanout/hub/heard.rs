//! What the venue says on a line, and what it stops saying.

use super::{ANSWER_WITHIN, Hub, too_slow};
use crate::desk::fanout::line::LineNumber;
use crate::desk::fanout::member::Member;
use crate::desk::links::Link;
use std::collections::BTreeSet;
use std::sync::Arc;
use tidegate_types::reject::{Code, Reject};
use tidegate_venues::fanout::{Fit, Taken, Told};
use tokio::time::Instant;

impl Hub {
    pub(super) fn heard(&mut self, line: LineNumber, text: &str) {
        let Some(link) = self.link.upgrade() else { return };
        match link.venue().told(text) {
            Told::News { stream } => self.news(&link, &stream, text),
            Told::Answer { id, taken } => {
                if let Some(line) = self.lines.get(&line).filter(|_| taken == Taken::None) {
                    link.heed_from(line.from, text);
                }
                self.answered(&link, id, &taken, text);
            }
            Told::Say(answer) => {
                if let Some(line) = self.lines.get_mut(&line) {
                    link.charge_from(line.from, &answer);
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
        link.depths().heard(link.venue(), name, text);
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
        let mut said = true;
        for text in [link.venue().end(end, &names), link.venue().begin(begin, &names)] {
            // Counted whatever is left: those who are told it are owed it.
            link.charge_from(line.from, &text);
            said &= line.say(text);
        }
        if said {
            // Where the venue does not begin it again, those who are told it learn that.
            self.asked.insert(begin, (Instant::now(), names.into()));
        } else {
            self.lose(name);
        }
    }

    /// A stream is not there any more: whoever was told it connects again, as to the venue itself.
    fn lose(&mut self, name: &str) {
        let told = self.streams.get(name).map(|stream| stream.members.clone()).unwrap_or_default();
        for number in told {
            let why = "the venue does not go on with a stream; connect again";
            self.dismiss(number, Reject::new(Code::VenueUnreachable, why));
        }
        self.forget(name);
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
            self.lose(name);
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

    /// Whoever was told something over this line connects again, as to the venue itself: what it missed
    /// meanwhile could not be told in order.
    pub(super) fn line_closed(&mut self, number: LineNumber) {
        let Some(line) = self.lines.remove(&number) else { return };
        self.redial.note(line.opened, Instant::now());
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
        if let Some(link) = self.link.upgrade() {
            lost.iter().for_each(|name| link.depths().forget(name));
        }
        self.asked.retain(|_, (_, names)| names.iter().all(|name| !lost.contains(name)));
    }

    /// What the venue does not answer for is not there, and who waits for it connects again.
    pub(super) fn give_up(&mut self, now: Instant) {
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
            self.unsay(&names);
            for name in &names {
                self.lose(name);
            }
        }
    }

    /// A late answer would begin streams that nobody knows of: whoever subscribed next would hear nothing of them.
    fn unsay(&mut self, names: &[String]) {
        let line = names.first().and_then(|name| self.streams.get(name)).map(|stream| stream.line);
        let line = line.and_then(|line| self.lines.get_mut(&line));
        let Some((link, line)) = self.link.upgrade().zip(line) else { return };
        self.last += 1;
        let text = link.venue().end(self.last, names);
        link.charge_from(line.from, &text);
        line.say(text);
    }

    pub(super) fn forget(&mut self, name: &str) {
        let Some(stream) = self.streams.remove(name) else { return };
        if let Some(link) = self.link.upgrade() {
            link.depths().forget(name);
        }
        if let Some(line) = self.lines.get_mut(&stream.line) {
            line.carries = line.carries.saturating_sub(1);
        }
    }
}

//! How streams are begun: whether there is room for them, over which line, and who pays.

use super::{ANSWER_WITHIN, Hub, Not, Stream, TRY_AGAIN, member_of};
use crate::desk::fanout::Follower;
use crate::desk::fanout::line::{Line, LineNumber};
use crate::desk::fanout::member::{Member, Toll};
use crate::desk::links::Link;
use crate::desk::weir::Fare;
use std::collections::BTreeSet;
use std::sync::Arc;
use tidegate_types::limits::MAX_SHARED_STREAMS;
use tidegate_types::reject::{Code, Reject};
use tidegate_venues::upstream::Units;
use tokio::time::Instant;

impl Hub {
    /// Begins those of the streams that are not there, all on one line.
    pub(super) fn ask_for(
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
    pub(super) fn paid(&mut self, number: u64, paid: Result<Fare, Reject>) {
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
        if self.redial.at > now {
            return Err(Not::Until(self.redial.at));
        }
        let place = link.reserve_socket().map_err(Not::Ever)?;
        self.last += 1;
        let (number, told) = (self.last, self.told.clone());
        let mut line = Line::open(number, Arc::clone(link), self.target.clone(), place, told, now);
        for hello in link.venue().line_hello() {
            link.charge_from(line.from, &hello);
            line.say(hello);
        }
        line.free_at = now;
        self.lines.insert(number, line);
        Ok(number)
    }
}

//! What becomes of what somebody asks: carried out, waiting for a second person, or turned down.

use super::{Denial, Request, Stage, Word, against, digest_of, sees_request, statement};
use crate::Core;
use crate::action::{Action, Answer};
use crate::roles::{self, Refusal};
use crate::timers::Timer;
use tidegate_types::approval::{Act, Approval, Showing, Verdict};
use tidegate_types::codec::to_bytes;
use tidegate_types::ids::{ApprovalId, PersonName, Seq, Ticket};
use tidegate_types::limits::{
    APPROVAL_LIFETIME, MAX_APPROVAL_MISSES, MAX_APPROVALS_OF_ONE, MAX_APPROVALS_WAITING,
    MAX_RECORD_BYTES,
};
use tidegate_types::record::{ApproveBy, Body, Change};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::text::one_line;
use tidegate_types::time::Time;

/// Longest request: its record holds it with the statement.
const MAX_BYTES: usize = MAX_RECORD_BYTES - 1024;

impl Core {
    /// Does what somebody asks if that takes one person, or has it wait for a second one. Answered
    /// once durable.
    pub(crate) fn propose(
        &mut self,
        (ticket, by, showing): (Ticket, PersonName, Showing),
        act: Act,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let act = match act {
            Act::Resume { scope, reason } => Act::Resume { scope, reason: one_line(&reason) },
            change @ Act::Change { .. } => change,
        };
        let confirm = self.state.takes_confirming(&act, showing);
        let answer = match self.weigh(&by, &act) {
            Err(answer) => answer,
            Ok(()) if confirm || self.state.takes_two(&act) => {
                match self.have_approved(&by, act, confirm, now, out) {
                    Ok((Some(seq), answer)) => {
                        return self.answer_when_durable(seq, ticket, answer);
                    }
                    Ok((None, answer)) => answer,
                    Err(denial) => Answer::Denied { denial },
                }
            }
            Ok(()) => {
                let body = match &act {
                    Act::Change { change } => Body::Changed { by, change: change.clone() },
                    Act::Resume { scope, reason } => {
                        let (scope, reason) = (scope.clone(), reason.clone());
                        Body::Resumed { by, scope, reason }
                    }
                };
                let seq = self.carry_out(&act, body, now, out);
                return self.answer_when_durable(seq, ticket, Answer::Done);
            }
        };
        out.push(Action::Answer { ticket, answer });
    }

    /// A second person approves a request, or who asked confirms it.
    pub(crate) fn approve(&mut self, ticket: Ticket, word: Word, now: Time, out: &mut Vec<Action>) {
        let answer = match self.judge(&word, now, out) {
            Ok(Judged::Confirmed) => {
                let Word { by, id, factor, .. } = word;
                let seq = self.append(Body::ApprovalConfirmed { id, by, factor }, now, out);
                return self.answer_when_durable(seq, ticket, Answer::Pending { id });
            }
            Ok(Judged::Approved(act)) => {
                let how = Verdict::CarriedOut { by: word.by, factor: word.factor };
                self.timers.clear(&Timer::Approval(word.id));
                let body = Body::ApprovalEnded { id: word.id, how };
                let seq = self.carry_out(&act, body, now, out);
                return self.answer_when_durable(seq, ticket, Answer::Done);
            }
            Err(answer) => answer,
        };
        out.push(Action::Answer { ticket, answer });
    }

    /// Somebody denies a request, or takes its own back.
    pub(crate) fn deny(
        &mut self,
        ticket: Ticket,
        (by, id): (PersonName, ApprovalId),
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let allowed = self.seen_request(&by, id).and_then(|request| {
            let own = request.approval.by == by;
            roles::may(&self.state, &by, roles::Action::Deny, own)?;
            waits(request)
        });
        let answer = match self.can_write().map_err(|refusal| refusal.reject) {
            Err(reject) => Answer::Refused { reject },
            Ok(()) => match allowed {
                Err(denial) => Answer::Denied { denial },
                Ok(()) => {
                    let seq = self.end(id, Verdict::Denied { by }, now, out);
                    return self.answer_when_durable(seq, ticket, Answer::Done);
                }
            },
        };
        out.push(Action::Answer { ticket, answer });
    }

    /// The time for a request is over.
    pub(crate) fn lapse_approval(&mut self, id: ApprovalId, now: Time, out: &mut Vec<Action>) {
        if self.state.approvals.get(id).is_some_and(|request| request.stage == Stage::Waiting) {
            self.end(id, Verdict::Expired, now, out);
        }
    }

    /// After a restart: what waits goes on waiting, as long as before.
    pub(crate) fn wait_again(&mut self) {
        for request in self.state.approvals.waiting() {
            self.timers.set(Timer::Approval(request.approval.id), request.approval.until);
        }
    }

    fn weigh(&self, by: &PersonName, act: &Act) -> Result<(), Answer> {
        let refused = |reject| Answer::Refused { reject };
        self.can_write().map_err(|refusal| refused(refusal.reject))?;
        if to_bytes(act).len() > MAX_BYTES {
            return Err(refused(Reject::new(Code::TooLarge, "no record holds so much")));
        }
        match roles::may_act(&self.state, by, act) {
            Ok(()) => self.makes_sense(act).map_err(refused),
            Err(Refusal::Forbidden(why)) => {
                Err(Answer::Denied { denial: Denial::Forbidden { why } })
            }
            Err(Refusal::Unseen(what)) => Err(refused(crate::admin::absent_to(&what))),
        }
    }

    /// A request that waits; the same again is the one that waits already.
    fn have_approved(
        &mut self,
        by: &PersonName,
        act: Act,
        confirm: bool,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<(Option<Seq>, Answer), Denial> {
        let against = against(&self.state, &act);
        let approvals = &self.state.approvals;
        let mine = || approvals.waiting().filter(|request| request.approval.by == *by);
        let same = |r: &&Request| {
            let approval = &r.approval;
            approval.act == act && approval.against == against && approval.confirm == confirm
        };
        if let Some(same) = mine().find(same) {
            return Ok((None, Answer::Pending { id: same.approval.id }));
        }
        let too_many = |why: &str| Err(Denial::TooMany { why: why.to_owned() });
        if mine().count() >= MAX_APPROVALS_OF_ONE {
            return too_many("too many of your requests wait for approval: take some back");
        }
        if approvals.waiting().count() >= MAX_APPROVALS_WAITING {
            return too_many("too many requests wait for approval");
        }
        let id = approvals.next;
        let statement = statement::of(&self.state, by, &act);
        let until = now.plus(APPROVAL_LIFETIME);
        let by = by.clone();
        let approval = Approval { id, by, act, statement, against, until, confirm };
        if to_bytes(&approval).len() > MAX_BYTES {
            return too_many("the request is too long to be approved as one");
        }
        let digest = digest_of(&approval);
        let seq = self.append(Body::ApprovalAsked { approval, digest }, now, out);
        self.timers.set(Timer::Approval(id), until);
        Ok((Some(seq), Answer::Pending { id }))
    }

    /// Whether the word of a second person, or of who asked, is good; what comes of it then.
    fn judge(&mut self, word: &Word, now: Time, out: &mut Vec<Action>) -> Result<Judged, Answer> {
        self.can_write().map_err(|refusal| Answer::Refused { reject: refusal.reject })?;
        let denied = |denial| Answer::Denied { denial };
        let request = self.seen_request(&word.by, word.id).map_err(denied)?;
        let Approval { by, act, .. } = &request.approval;
        let (id, to_confirm) = (word.id, request.is_to_confirm(&self.state));
        let confirms = to_confirm && word.by == *by;
        if !confirms {
            let own = roles::is_own(&self.state, &word.by, by, act);
            roles::may(&self.state, &word.by, roles::Action::Approve, own)
                .map_err(|refusal| denied(refusal.into()))?;
        }
        waits(request).map_err(denied)?;
        let by_passkey = confirms || self.state.approve_by == ApproveBy::Passkey;
        if by_passkey && !word.factor.resists_phishing() {
            return Err(denied(Denial::NeedsPasskey { id }));
        }
        if to_confirm && !confirms {
            return Err(denied(Denial::Unconfirmed { id }));
        }
        let Request { approval, digest, misses, .. } = request.clone();
        if now > approval.until {
            self.end(word.id, Verdict::Expired, now, out);
            return Err(denied(Denial::Ended { id: word.id, stage: Stage::Expired }));
        }
        if digest != word.digest {
            self.append(Body::ApprovalMissed { id: word.id, by: word.by.clone() }, now, out);
            let left = MAX_APPROVAL_MISSES.saturating_sub(misses + 1);
            if left == 0 {
                self.end(word.id, Verdict::Spoiled, now, out);
            }
            return Err(denied(Denial::WrongDigest { left }));
        }
        if let Err(why) = self.still_stands(&approval) {
            self.end(word.id, Verdict::Outdated { why: why.clone() }, now, out);
            return Err(denied(Denial::Outdated { why }));
        }
        if confirms && self.state.takes_two(&approval.act) {
            return Ok(Judged::Confirmed);
        }
        Ok(Judged::Approved(approval.act))
    }

    /// Whether what was asked could be asked just so now.
    fn still_stands(&self, approval: &Approval) -> Result<(), String> {
        if against(&self.state, &approval.act) != approval.against {
            return Err("what it is about was changed since it was asked".to_owned());
        }
        roles::may_act(&self.state, &approval.by, &approval.act).map_err(|e| e.to_string())?;
        self.makes_sense(&approval.act).map_err(|reject| reject.to_string())
    }

    /// A request that this person may see.
    fn seen_request(&self, by: &PersonName, id: ApprovalId) -> Result<&Request, Denial> {
        let request = self.state.approvals.get(id);
        let seen = |request: &&Request| sees_request(&self.state, by, request);
        request.filter(seen).ok_or(Denial::NoRequest { id })
    }

    fn end(&mut self, id: ApprovalId, how: Verdict, now: Time, out: &mut Vec<Action>) -> Seq {
        self.timers.clear(&Timer::Approval(id));
        self.append(Body::ApprovalEnded { id, how }, now, out)
    }

    /// Appends the record that makes an act so, with what goes before and after it.
    fn carry_out(&mut self, act: &Act, body: Body, now: Time, out: &mut Vec<Action>) -> Seq {
        if let Act::Resume { scope, .. } = act {
            self.end_proof(scope, now, out);
        }
        let seq = self.append(body, now, out);
        if let Act::Resume { scope, .. } = act {
            self.forget_proof(scope);
        }
        if let Act::Change { change: Change::LimitsSet { limits } } = act {
            self.feed_dead_man(&limits.account, now, out);
        }
        seq
    }
}

/// What comes of a good word for a request.
enum Judged {
    /// It is carried out.
    Approved(Act),
    /// Who asked confirmed it; a second person is still to approve.
    Confirmed,
}

fn waits(request: &Request) -> Result<(), Denial> {
    match request.stage {
        Stage::Waiting => Ok(()),
        stage => Err(Denial::Ended { id: request.approval.id, stage }),
    }
}

//! Four eyes: in mode `two` what loosens waits for a second person, who approves the digest of
//! exactly that, once, within minutes, and only while what it is about is as it was.
//!
//! Where the desk asks for passkeys, or who asks comes by the console, what loosens waits in either mode until who
//! asked has signed the same digest by a passkey; in mode `one` that carries it out.
//!
//! A request is a record, and so is its end; the record of an approval carries the act out, so that
//! no crash can come between the two.

mod decide;
mod denial;
mod statement;

use crate::roles;
use crate::state::State;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use tidegate_types::approval::{Act, Approval, Factor, Showing, Verdict};
use tidegate_types::codec::Codec;
use tidegate_types::ids::{ApprovalId, PersonName};
use tidegate_types::limits::MAX_APPROVALS_KEPT;
use tidegate_types::record::{Approvals as Mode, ApproveBy, Body};
use tidegate_types::time::Time;
use tidegate_types::{codec_enum, codec_struct};

pub use denial::{Denial, FORBIDDEN};
pub use statement::of_limits;

/// What the digest of a request begins with, so that it is the digest of nothing else.
const DOMAIN: &[u8] = b"tidegate approval 1\n";
/// How far a request for approval has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// It waits for a second person.
    Waiting,
    /// It was approved and carried out.
    CarriedOut,
    /// It was denied or taken back.
    Denied,
    /// Nobody approved it in time.
    Expired,
    /// What it was asked against was not so any more.
    Outdated,
    /// It was approved with a wrong digest too often.
    Spoiled,
}
codec_enum!(Stage {
    0 => Waiting, 1 => CarriedOut, 2 => Denied, 3 => Expired, 4 => Outdated, 5 => Spoiled,
});

impl Stage {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Stage::Waiting => "waiting",
            Stage::CarriedOut => "carried-out",
            Stage::Denied => "denied",
            Stage::Expired => "expired",
            Stage::Outdated => "outdated",
            Stage::Spoiled => "spoiled",
        }
    }
}

/// The whole life of a request: it waits, and ends once.
pub(crate) fn next(stage: Stage, verdict: &Verdict) -> Option<Stage> {
    match (stage, verdict) {
        (Stage::Waiting, Verdict::CarriedOut { .. }) => Some(Stage::CarriedOut),
        (Stage::Waiting, Verdict::Denied { .. }) => Some(Stage::Denied),
        (Stage::Waiting, Verdict::Expired) => Some(Stage::Expired),
        (Stage::Waiting, Verdict::Outdated { .. }) => Some(Stage::Outdated),
        (Stage::Waiting, Verdict::Spoiled) => Some(Stage::Spoiled),
        (
            Stage::CarriedOut | Stage::Denied | Stage::Expired | Stage::Outdated | Stage::Spoiled,
            _,
        ) => None,
    }
}

/// A request for approval, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// What was asked.
    pub approval: Approval,
    /// What a second person approves.
    pub digest: [u8; 32],
    /// When it was asked.
    pub asked: Time,
    /// How often it was approved with a wrong digest.
    pub misses: u64,
    /// By what who asked confirmed it.
    pub confirmed: Option<Factor>,
    /// How far it has come.
    pub stage: Stage,
    /// How and when it ended.
    pub ended: Option<(Verdict, Time)>,
}
codec_struct!(Request { approval, digest, asked, misses, confirmed, stage, ended });

impl Request {
    /// Whether it waits for who asked, to confirm it by a passkey.
    pub fn is_to_confirm(&self, state: &State) -> bool {
        let wanted = self.approval.confirm || state.approve_by == ApproveBy::Passkey;
        wanted && self.confirmed.is_none() && self.stage == Stage::Waiting
    }
}

/// The requests for approval: those that wait, and the newest of those that ended.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Approvals {
    requests: BTreeMap<ApprovalId, Request>,
    next: ApprovalId,
}
codec_struct!(Approvals { requests, next });

impl Approvals {
    /// All that are kept, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Request> {
        self.requests.values()
    }

    /// One of them.
    pub fn get(&self, id: ApprovalId) -> Option<&Request> {
        self.requests.get(&id)
    }

    /// Those that wait for a second person.
    pub fn waiting(&self) -> impl Iterator<Item = &Request> {
        self.iter().filter(|request| request.stage == Stage::Waiting)
    }

    fn ask(&mut self, approval: &Approval, digest: [u8; 32], asked: Time) {
        self.next = approval.id.next();
        let approval = approval.clone();
        let (id, stage) = (approval.id, Stage::Waiting);
        let (misses, confirmed, ended) = (0, None, None);
        let request = Request { approval, digest, asked, misses, confirmed, stage, ended };
        self.requests.insert(id, request);
        let ended = self.iter().filter(|r| r.stage != Stage::Waiting).map(|r| r.approval.id);
        let ended: Vec<ApprovalId> = ended.collect();
        for id in ended.iter().take(ended.len().saturating_sub(MAX_APPROVALS_KEPT)) {
            self.requests.remove(id);
        }
    }

    /// Ends a request; what is to be carried out, if it was approved.
    fn end(&mut self, id: ApprovalId, how: &Verdict, now: Time) -> Option<Act> {
        let request = self.requests.get_mut(&id)?;
        request.stage = next(request.stage, how)?;
        request.ended = Some((how.clone(), now));
        (request.stage == Stage::CarriedOut).then(|| request.approval.act.clone())
    }
}

/// Folds a record of an approval in; what it carries out, if it does.
pub(crate) fn apply(state: &mut State, body: &Body, now: Time) -> Option<Act> {
    let approvals = &mut state.approvals;
    match body {
        Body::ApprovalAsked { approval, digest } => approvals.ask(approval, *digest, now),
        Body::ApprovalMissed { id, .. } => {
            if let Some(request) = approvals.requests.get_mut(id) {
                request.misses += 1;
            }
        }
        Body::ApprovalConfirmed { id, factor, .. } => {
            if let Some(request) = approvals.requests.get_mut(id) {
                request.confirmed = Some(*factor);
            }
        }
        Body::ApprovalEnded { id, how } => return approvals.end(*id, how, now),
        _ => {}
    }
    None
}

/// A second person's word for a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// Who.
    pub by: PersonName,
    /// For which request.
    pub id: ApprovalId,
    /// The digest that was shown to the person.
    pub digest: [u8; 32],
    /// By what the person showed that it approves.
    pub factor: Factor,
}

/// SHA-256 of a request's byte form.
fn digest_of(approval: &Approval) -> [u8; 32] {
    let mut bytes = DOMAIN.to_vec();
    approval.encode(&mut bytes);
    Sha256::digest(bytes).into()
}

/// SHA-256 of what an act is about, as it is now.
fn against(state: &State, act: &Act) -> [u8; 32] {
    Sha256::digest(statement::touched(state, act)).into()
}

impl State {
    /// How many people a loosening takes.
    pub fn approvals_needed(&self) -> Mode {
        self.desk.as_ref().map_or(Mode::One, |(_, mode)| *mode)
    }

    /// The requests for approval.
    pub fn approvals(&self) -> &Approvals {
        &self.approvals
    }

    /// By what people show that they approve, and that they ask for what loosens.
    pub fn approve_by(&self) -> ApproveBy {
        self.approve_by
    }

    /// Whether an act takes a second person.
    pub fn takes_two(&self, act: &Act) -> bool {
        self.is_guarded(act) && self.approvals_needed() == Mode::Two
    }

    /// Whether who asks for an act has to confirm it by a passkey.
    pub(crate) fn takes_confirming(&self, act: &Act, showing: Showing) -> bool {
        let wanted = showing == Showing::Later || self.approve_by == ApproveBy::Passkey;
        wanted && self.is_guarded(act)
    }

    /// Whether an act loosens. Until the desk has an administrator there is nobody to ask, and who owns the
    /// data folder sets it up alone.
    fn is_guarded(&self, act: &Act) -> bool {
        let loose = match act {
            Act::Change { change } => roles::loosens(self, change),
            Act::Resume { .. } => true,
        };
        loose && self.has_admin()
    }
}

/// Whether a request is there for this person.
pub fn sees_request(state: &State, by: &PersonName, request: &Request) -> bool {
    roles::may(state, by, roles::Action::Approvals, request.approval.by == *by).is_ok()
}

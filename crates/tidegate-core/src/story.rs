//! The story of an order, gate by gate, as the journal tells it: who asked by what, which terms held, what
//! was measured against which limit, and what became of it. Of a refusal the same, up to the gate that
//! refused.

mod beside;
mod find;
mod held;
mod life;
mod passages;
mod words;

pub use find::{Finder, Sought};
pub use held::Held;
pub(crate) use passages::numbers;

use crate::Core;
use life::Life;
use tidegate_types::ids::{AccountName, CallerName, ClientId, OrderId, Seq};
use tidegate_types::record::{Body, Record};
use tidegate_types::time::Time;

/// What a story is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// An order that was cleared.
    Order(OrderId),
    /// The record of a refusal.
    Refusal(Seq),
}

/// A step of an order's way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Gate {
    /// Who asks.
    Authenticate,
    /// What is asked.
    Parse,
    /// Whether the grant covers it.
    Authorize,
    /// Whether it comes in its turn.
    Shape,
    /// What may be lost.
    Risk,
    /// It is written.
    Journal,
    /// It is signed and leaves.
    Send,
}

impl Gate {
    /// What people call it.
    pub const fn word(self) -> &'static str {
        match self {
            Gate::Authenticate => "authenticate",
            Gate::Parse => "parse",
            Gate::Authorize => "authorize",
            Gate::Shape => "shape",
            Gate::Risk => "risk",
            Gate::Journal => "journal",
            Gate::Send => "send",
        }
    }
}

/// What happened at one gate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passage {
    /// Which.
    pub gate: Gate,
    /// Whether the order came through.
    pub passed: bool,
    /// What is to be said, a line each.
    pub said: Vec<String>,
    /// What was held against what.
    pub held: Vec<Held>,
}

/// Something that happened to the order later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Happening {
    /// The record that tells it.
    pub seq: Seq,
    /// When it was put on record.
    pub at: Time,
    /// A word for it: `sent`, `answered`, `filled`, `amend`, `cancel` …
    pub what: &'static str,
    /// What, in a line.
    pub said: String,
    /// What an amend was held against.
    pub held: Vec<Held>,
}

/// The story of an order or of a refusal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Story {
    /// The record of the decision.
    pub seq: Seq,
    /// When it was decided.
    pub at: Time,
    /// Tidegate's number of the order; none of a refusal.
    pub order: Option<OrderId>,
    /// The id it was sent with.
    pub client_id: Option<ClientId>,
    /// Who asked; none of an order of Tidegate's own.
    pub caller: Option<CallerName>,
    /// On which account.
    pub account: Option<AccountName>,
    /// What was asked, in a line.
    pub asked: String,
    /// The gates it came to, in order.
    pub gates: Vec<Passage>,
    /// What happened then.
    pub life: Vec<Happening>,
    /// Where it stands, in a line; of a refusal that it was refused.
    pub standing: String,
}

/// Tells one story, from a fold of the records.
#[derive(Debug)]
pub struct Teller {
    core: Core,
    subject: Subject,
    /// Records that belong to the one that follows.
    before: Vec<(Seq, Record)>,
    story: Option<Story>,
    life: Life,
}

impl Teller {
    /// One that goes on from where a core is: before the record of the decision.
    pub fn new(core: Core, subject: Subject) -> Teller {
        Teller { core, subject, before: Vec::new(), story: None, life: Life::default() }
    }

    /// Takes in the next record.
    pub fn hear(&mut self, seq: Seq, record: &Record) {
        if let Some(story) = &mut self.story {
            self.life.hear(story, self.core.state(), seq, record);
            self.core.replay(seq, record);
            self.life.look(story, self.core.state());
            return;
        }
        if self.is_meant(seq, &record.body) {
            self.story = passages::begin(self.core.state(), &self.before, seq, record);
            self.life = Life::of(&record.body);
        }
        self.core.replay(seq, record);
        if belongs_to_next(&record.body) {
            self.before.push((seq, record.clone()));
        } else {
            self.before.clear();
        }
        if let Some(story) = &mut self.story {
            self.life.look(story, self.core.state());
        }
    }

    /// Whether no later record can add to it.
    pub fn is_over(&self) -> bool {
        self.story.is_some() && self.life.is_over()
    }

    /// The story, if its beginning was among the records.
    pub fn end(self) -> Option<Story> {
        self.story
    }

    fn is_meant(&self, seq: Seq, body: &Body) -> bool {
        match (self.subject, body) {
            (
                Subject::Order(id),
                Body::Cleared { order, .. } | Body::ClosingCleared { order, .. },
            ) => id == *order,
            (Subject::Refusal(meant), Body::Refused { .. }) => meant == seq,
            _ => false,
        }
    }
}

/// Whether a record tells of the one that follows, which was decided before both. Of these only the use of an
/// override changes what a gate looks at.
pub(crate) fn belongs_to_next(body: &Body) -> bool {
    matches!(
        body,
        Body::Through { .. }
            | Body::ByToken { .. }
            | Body::BySignature { .. }
            | Body::RefusedByToken { .. }
            | Body::RefusedBecause { .. }
            | Body::OverrideUsed { .. }
            | Body::ShadowRefused { .. }
            | Body::OptionsWeighed { .. }
    )
}

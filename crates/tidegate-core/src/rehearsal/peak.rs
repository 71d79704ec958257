//! Which minute had the most messages.

use tidegate_types::ids::Seq;
use tidegate_types::record::{Body, Canceller, Record};
use tidegate_types::time::{Span, Time};

/// How long a peak is.
pub(super) const MINUTE: Span = Span::from_secs(60);

/// A minute of the clock and how many messages callers sent in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peak {
    /// Its begin.
    pub start: Time,
    /// Its first record.
    pub first: Seq,
    /// New orders, amends and cancels, refused ones too.
    pub messages: u64,
}

impl Peak {
    /// Whether a time is in it.
    pub fn has(&self, at: Time) -> bool {
        at >= self.start && at < self.start.plus(MINUTE)
    }
}

/// Looks for the busiest minute.
#[derive(Debug, Default)]
pub struct Busiest {
    now: Option<Peak>,
    most: Option<Peak>,
}

impl Busiest {
    /// Looks at a record.
    pub fn look(&mut self, seq: Seq, record: &Record) {
        let more = messages(&record.body);
        match &mut self.now {
            Some(peak) if peak.has(record.at) => peak.messages += more,
            _ => {
                let into = record.at.micros() % MINUTE.micros();
                let start = record.at.minus(Span::from_micros(into));
                self.now = Some(Peak { start, first: seq, messages: more });
            }
        }
        let least = self.most.map_or(0, |most| most.messages);
        self.most = self.now.filter(|now| now.messages > least).or(self.most);
    }

    /// The minute with the most; none if nobody asked for anything.
    pub fn peak(&self) -> Option<Peak> {
        self.most
    }
}

/// How many messages of callers a record stands for.
fn messages(body: &Body) -> u64 {
    match body {
        Body::Cleared { .. }
        | Body::AmendCleared { .. }
        | Body::CancelCleared { by: Canceller::Caller { .. } | Canceller::Token { .. }, .. }
        | Body::Refused { intent: Some(_), .. } => 1,
        Body::RefusedMore { caller: Some(_), count, .. } => *count,
        _ => 0,
    }
}

//! What the tasks that talk to venues need of the desk.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use tidegate_core::event::Event;
use tidegate_core::send::Sendable;
use tidegate_types::call::CallBody;
use tidegate_types::ids::{AccountName, InstrumentId, VenueName};
use tidegate_types::instrument::{Mark, Price};
use tidegate_types::options::OptionQuote;
use tidegate_types::reject::Reject;
use tidegate_venues::front::Instruments;

/// A signature on its way.
pub type Signing<'a> = Pin<Box<dyn Future<Output = Result<Sendable, Reject>> + Send + 'a>>;

/// Where news of venues goes, and where their tasks get what they need. Nothing here blocks, and
/// it may be called from any thread.
pub trait Sink: Send + Sync {
    /// Hands an event to the core.
    fn event(&self, event: Event);

    /// Takes marks as they come; the core sees each instrument's newest at most once per
    /// `MARK_INTERVAL`.
    fn marks(&self, marks: Vec<Mark>);

    /// Takes what options are valued by, as it comes; the core sees it as it sees marks.
    fn option_quotes(&self, quotes: Vec<OptionQuote>);

    /// Hands a message of an account's private stream to the sessions of its callers.
    fn frame(&self, account: &AccountName, frame: &str);

    /// The instruments of a venue as last read; empty before that.
    fn instruments(&self, venue: &VenueName) -> Arc<Instruments>;

    /// The instruments of a venue whose books are to be followed now.
    fn books_wanted(&self, venue: &VenueName) -> BTreeSet<InstrumentId>;

    /// The index of an instrument's newest mark.
    fn index(&self, instrument: &InstrumentId) -> Option<Price>;

    /// Has a read or session call signed with the account's key.
    fn sign<'a>(&'a self, account: &'a AccountName, body: CallBody) -> Signing<'a>;
}

impl Sink for super::Desk {
    fn event(&self, event: Event) {
        super::Desk::event(self, event);
    }

    fn marks(&self, marks: Vec<Mark>) {
        if self.hold_marks(marks) {
            self.expect_marks();
        }
    }

    fn option_quotes(&self, quotes: Vec<OptionQuote>) {
        if self.hold_quotes(quotes) {
            self.expect_marks();
        }
    }

    fn frame(&self, account: &AccountName, frame: &str) {
        self.broadcast(account, frame);
    }

    fn instruments(&self, venue: &VenueName) -> Arc<Instruments> {
        self.book(venue)
    }

    fn books_wanted(&self, venue: &VenueName) -> BTreeSet<InstrumentId> {
        let mut wanted = self.look(|state| state.books_wanted(venue));
        wanted.extend(self.markets.asked(venue));
        wanted
    }

    fn index(&self, instrument: &InstrumentId) -> Option<Price> {
        self.look(|state| state.marks().get(instrument).map(|mark| mark.index))
    }

    fn sign<'a>(&'a self, account: &'a AccountName, body: CallBody) -> Signing<'a> {
        Box::pin(self.sign_read(account, body))
    }
}

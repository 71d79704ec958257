//! Books that were followed and dropped: until such a book is whole again, and a mark came that is
//! newer than that, the instrument's mark counts as stale. The books themselves are the server's.

use crate::Core;
use crate::action::Action;
use crate::state::State;
use std::collections::BTreeSet;
use tidegate_types::codec_struct;
use tidegate_types::ids::{InstrumentId, VenueName};
use tidegate_types::instrument::Mark;
use tidegate_types::limits::MAX_BOOKS;
use tidegate_types::record::Body;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// A book that was dropped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LostBook {
    /// When.
    pub since: Time,
    /// Why.
    pub why: String,
    /// Since when it is whole again, without a newer mark yet.
    pub whole: Option<Time>,
}
codec_struct!(LostBook { since, why, whole });

impl Core {
    /// Records that a book was dropped, unless that is known.
    pub(crate) fn book_lost(
        &mut self,
        instrument: InstrumentId,
        why: String,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let known = self.state.instruments.contains_key(&instrument);
        let lost = self.state.lost_books.get(&instrument);
        if known && lost.is_none_or(|lost| lost.whole.is_some()) {
            self.append(Body::BookLost { instrument, why }, now, out);
        }
    }

    /// Records that a book is whole again, if it was dropped.
    pub(crate) fn book_whole(
        &mut self,
        instrument: InstrumentId,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        if self.state.lost_books.get(&instrument).is_some_and(|lost| lost.whole.is_none()) {
            self.append(Body::BookWhole { instrument }, now, out);
        }
    }
}

/// Folds in that a book was lost, or came back.
pub(crate) fn apply(state: &mut State, body: &Body, now: Time) {
    match body {
        Body::BookLost { instrument, why } => {
            let lost = LostBook { since: now, why: why.clone(), whole: None };
            state.lost_books.insert(instrument.clone(), lost);
        }
        Body::BookWhole { instrument } => {
            if let Some(lost) = state.lost_books.get_mut(instrument) {
                lost.whole = Some(now);
            }
        }
        _ => {}
    }
}

impl State {
    /// The instruments whose books were dropped and do not count yet.
    pub fn lost_books(&self) -> impl Iterator<Item = (&InstrumentId, &LostBook)> {
        self.lost_books.iter()
    }

    /// The instruments of a venue whose books are to be followed: those whose book was dropped, so
    /// that it comes back, then those in which any account has a position or an open order.
    pub fn books_wanted(&self, venue: &VenueName) -> BTreeSet<InstrumentId> {
        let lost = self.lost_books.keys();
        let held = self.positions.iter().filter(|(_, _, qty)| !qty.0.is_zero());
        let held = held.map(|(_, instrument, _)| instrument);
        let ordered = self.orders.open().map(|order| &order.request.instrument);
        let open = |id: &InstrumentId| self.instruments.get(id).is_some_and(|terms| terms.open);
        let mut wanted = BTreeSet::new();
        for instrument in lost.chain(held).chain(ordered) {
            if wanted.len() == MAX_BOOKS {
                break;
            }
            if instrument.venue == *venue && !wanted.contains(instrument) && open(instrument) {
                wanted.insert(instrument.clone());
            }
        }
        wanted
    }

    /// Refuses what a stale mark refuses, while there is no whole book.
    pub(crate) fn check_book(&self, instrument: &InstrumentId) -> Result<(), Reject> {
        let Some(lost) = self.lost_books.get(instrument) else { return Ok(()) };
        let what = match lost.whole {
            None => "no whole book",
            Some(_) => "no mark since the book is whole again",
        };
        Err(Reject::new(Code::StaleMark, format!("{instrument}: {what}: {}", lost.why)))
    }

    /// A mark came: it counts if it is newer than the whole book.
    pub(crate) fn book_counts_from(&mut self, mark: &Mark) {
        let lost = self.lost_books.get(&mark.instrument);
        if lost.and_then(|lost| lost.whole).is_some_and(|whole| mark.at > whole) {
            self.lost_books.remove(&mark.instrument);
        }
    }
}

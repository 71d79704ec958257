//! Books that were dropped make marks stale.

use super::world::*;
use crate::event::Event;
use tidegate_types::instrument::{Mark, Price};
use tidegate_types::order::NewOrder;
use tidegate_types::reject::Code;
use tidegate_types::time::{Span, Time};

impl World {
    fn book_lost(&mut self, why: &str) {
        self.event(Event::BookLost { instrument: instrument(PERP), why: why.to_owned() });
    }

    fn book_whole(&mut self) {
        self.event(Event::BookWhole { instrument: instrument(PERP) });
    }

    fn marked(&mut self, at: Time) {
        let (mark, index) = (Price(d("100")), Price(d("100")));
        let marks = vec![Mark { instrument: instrument(PERP), mark, index, at }];
        self.event(Event::Marks { marks });
    }

    fn buys(&mut self) -> Option<Code> {
        let ticket = self.place("ann", buy("1", "100"));
        self.settle();
        self.code(ticket)
    }

    fn wanted(&self) -> Vec<String> {
        let wanted = self.core.state().books_wanted(&name(VENUE));
        wanted.iter().map(|id| id.name.to_string()).collect()
    }
}

#[test]
fn a_gap_makes_the_mark_stale_until_the_book_is_whole_and_a_newer_mark_came() {
    let mut world = World::new();
    world.event(Event::BookWhole { instrument: instrument(PERP) });
    assert_eq!(world.buys(), None, "a book that was never lost is no news");
    let records = world.journal.len();
    world.book_lost("a change is missing");
    world.book_lost("again");
    assert_eq!(world.journal.len(), records + 1, "the same is recorded once");
    // A newer mark alone does not help.
    world.pass(1000);
    assert_eq!(world.buys(), Some(Code::StaleMark));
    let other = NewOrder { instrument: instrument(INVERSE), ..buy("10", "100") };
    let other = world.place("ann", other);
    world.settle();
    assert_eq!(world.code(other), None, "other instruments go on");
    world.book_whole();
    world.book_whole();
    assert_eq!(world.buys(), Some(Code::StaleMark), "the mark is older than the whole book");
    let whole = world.now;
    world.marked(whole);
    assert_eq!(world.buys(), Some(Code::StaleMark), "as old as the whole book");
    world.check_replay();
    world.now = whole.plus(Span::from_millis(1));
    world.marked(world.now);
    assert_eq!(world.buys(), None);
    assert_eq!(world.core.state().lost_books().count(), 0);
    world.check_replay();
}

#[test]
fn an_order_that_reduces_passes_without_a_book() {
    let mut world = World::new();
    world.live("ann", buy("2", "100"));
    world.venue.fill(1, d("2").raw());
    world.settle();
    world.book_lost("a change is missing");
    assert_eq!(world.buys(), Some(Code::StaleMark));
    let too_much = world.place("bob", sell("2.001", "100"));
    assert_eq!(world.code(too_much), Some(Code::StaleMark));
    let id = world.live("bob", sell("2", "100"));
    assert!(world.core.state().orders().get(id).unwrap().reducing);
}

#[test]
fn a_start_forgets_what_the_gateway_before_it_had_lost() {
    let mut world = World::new();
    world.book_lost("a change is missing");
    world.flush();
    world.kill(false);
    world.up();
    world.mark();
    assert_eq!(world.core.state().lost_books().count(), 0);
    assert_eq!(world.buys(), None);
    world.check_replay();
}

#[test]
fn a_book_lost_again_before_a_newer_mark_stays_lost() {
    let mut world = World::new();
    world.book_lost("once");
    world.book_whole();
    world.book_lost("twice");
    world.pass(1000);
    assert_eq!(world.buys(), Some(Code::StaleMark));
    let lost: Vec<_> = world.core.state().lost_books().map(|(_, lost)| lost.clone()).collect();
    assert_eq!((lost[0].why.as_str(), lost[0].whole), ("twice", None));
}

#[test]
fn books_are_wanted_of_what_is_held_ordered_or_lost() {
    let mut world = World::new();
    assert!(world.wanted().is_empty());
    world.live("ann", buy("1", "99"));
    assert_eq!(world.wanted(), [PERP]);
    let mut other = World::new();
    other.live("ann", buy("1", "100"));
    other.venue.fill(1, d("1").raw());
    other.settle();
    assert_eq!(other.wanted(), [PERP], "a position");
    let mut lost = World::new();
    lost.book_lost("a change is missing");
    assert_eq!(lost.wanted(), [PERP], "or it would never come back");
    assert!(lost.core.state().books_wanted(&name("other")).is_empty());
}

//! The venue's own timer for Tidegate's death: fed while there are orders, and only then.

use super::world::*;
use crate::action::Answer;
use crate::event::Event;
use tidegate_types::approval::Showing;
use tidegate_types::call::{CallBody, CallClass, Warrant};
use tidegate_types::grant::AccountLimits;
use tidegate_types::record::Change;
use tidegate_types::reject::Code;
use tidegate_types::time::Span;

fn of(seconds: u64) -> Change {
    let limits = AccountLimits { dead_man: Span::from_secs(seconds), ..limits() };
    Change::LimitsSet { limits }
}

fn world() -> World {
    let mut world = World::new();
    world.core.settings.dead_man_venues.insert(name(VENUE));
    world.change(of(30));
    world
}

impl World {
    /// Time passes with everything working; whether the venue's timer lapsed.
    fn lapses_within(&mut self, seconds: u64) -> bool {
        let lapsed = (0..seconds).any(|_| {
            self.pass(1_000);
            self.settle();
            self.venue.lapse(self.now)
        });
        self.settle();
        lapsed
    }
}

#[test]
fn it_runs_while_there_are_orders() {
    let mut world = world();
    assert!(!world.lapses_within(5) && world.venue.dead_man.is_empty());
    let first = world.live("ann", buy("1", "100"));
    let second = world.live("bob", buy("1", "99"));
    assert_eq!(world.venue.dead_man.keys().collect::<Vec<_>>(), [&instrument(PERP)]);
    let records = world.journal.len();
    assert!(!world.lapses_within(120), "it is fed");
    assert!(world.journal.len() - records < 200);
    for (caller, id) in [("ann", first), ("bob", second)] {
        world.cancel(caller, own(id));
        world.settle();
    }
    assert!(!world.lapses_within(15));
    assert!(world.venue.dead_man.is_empty(), "it was stopped");
    world.live("ann", buy("1", "100"));
    assert!(!world.venue.dead_man.is_empty(), "and starts with the next order");
    world.check_replay();
}

#[test]
fn it_lapses_without_tidegate_and_starts_anew_with_it() {
    let mut world = world();
    world.live("ann", buy("1", "100"));
    world.flush();
    world.now = world.now.plus(Span::from_secs(31));
    assert!(world.venue.lapse(world.now));
    assert_eq!(world.venue.open().count(), 0);
    let mut world = self::world();
    let id = world.live("ann", buy("1", "100"));
    world.flush();
    world.now = world.now.plus(Span::from_secs(29));
    world.kill(true);
    world.core.settings.dead_man_venues.insert(name(VENUE));
    world.timers();
    world.settle();
    assert!(!world.venue.lapse(world.now.plus(Span::from_secs(29))));
    world.mark();
    world.up();
    assert!(!world.lapses_within(60));
    assert!(world.core.state().orders().get(id).unwrap().is_open());
    world.check_replay();
}

#[test]
fn two_feedings_may_fail() {
    let mut world = world();
    world.live("ann", buy("1", "100"));
    for fails in 1..=2 {
        world.pass(11_000);
        assert!(matches!(&world.to_sign[0].0.body, CallBody::DeadMan { .. }), "{fails}");
        world.not_sent(0);
        world.to_sign.clear();
    }
    world.pass(3_000);
    world.settle();
    assert!(!world.venue.lapse(world.now));
    assert!(!world.lapses_within(40));
}

#[test]
fn it_is_fed_without_a_journal() {
    let mut world = world();
    world.live("ann", buy("1", "100"));
    world.event(Event::JournalFailed { why: "disk full".to_owned() });
    world.pass(10_000);
    let (call, warrant) = world.to_sign[0].clone();
    assert_eq!((call.body.class(), warrant), (CallClass::Cancel, Warrant::Emergency));
}

#[test]
fn limits_switch_it_on_and_off() {
    let mut world = world();
    world.change(of(0));
    let id = world.live("ann", buy("1", "100"));
    assert!(world.venue.dead_man.is_empty());
    world.change(of(60));
    world.settle();
    let until = world.venue.dead_man.values().next().copied();
    assert_eq!(until, Some(world.now.plus(Span::from_secs(60))));
    world.change(of(0));
    world.settle();
    assert!(world.venue.dead_man.is_empty());
    assert!(!world.lapses_within(90));
    assert!(world.core.state().orders().get(id).unwrap().is_open());
    world.check_replay();
}

#[test]
fn it_takes_a_venue_that_can_and_a_time_that_makes_sense() {
    let mut world = world();
    let mut refused = |seconds| {
        let ticket = world.ticket();
        let (by, change) = (name("root"), of(seconds));
        world.event(Event::Administer { ticket, by, showing: Showing::Door, change });
        world.flush();
        match &world.answers[&ticket] {
            Answer::Refused { reject } => Some(reject.code),
            _ => None,
        }
    };
    assert_eq!(
        [9, 10, 86_400, 86_401].map(&mut refused),
        [Some(Code::OutOfRange), None, None, Some(Code::OutOfRange)]
    );
    world.core.settings.dead_man_venues.clear();
    let ticket = world.ticket();
    world.event(Event::Administer {
        ticket,
        by: name("root"),
        showing: Showing::Door,
        change: of(30),
    });
    assert_eq!(world.code(ticket), Some(Code::BadParameter));
}

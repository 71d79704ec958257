//! Orders that are cancelled without being asked for: when a session ends, when a dead-man timer
//! lapses, and over a restart.

use super::world::*;
use crate::action::Answer;
use crate::event::Event;
use crate::orders::{Ending, Stage};
use tidegate_types::ids::{OrderId, SessionId, Ticket};
use tidegate_types::order::{Guard, GuardScope, Intent};
use tidegate_types::record::{Body, Canceller, Change};
use tidegate_types::reject::Code;
use tidegate_types::time::Span;

const ONE: SessionId = SessionId(1);
const TWO: SessionId = SessionId(2);

impl World {
    fn live_over(&mut self, session: SessionId, caller: &str) -> OrderId {
        let intent = Intent::New { order: buy("1", "100") };
        let ticket = self.submit_over(Some(session), caller, intent);
        self.settle();
        match &self.answers[&ticket] {
            Answer::Venue { order: Some(id), .. } => *id,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn on_disconnect(
        &mut self,
        session: Option<SessionId>,
        caller: &str,
        scope: GuardScope,
        on: bool,
    ) -> Ticket {
        let guard = Guard::Disconnect { scope, on };
        self.submit_over(session, caller, Intent::Guard { guard })
    }

    pub(super) fn countdown(&mut self, caller: &str, of: Option<&str>, ms: u64) -> Ticket {
        let after = (ms > 0).then(|| Span::from_millis(ms));
        let guard = Guard::Countdown { instrument: of.map(instrument), after };
        self.submit(caller, Intent::Guard { guard })
    }

    fn ends(&mut self, session: SessionId, lost: bool) {
        self.event(Event::Disconnected { session, lost });
    }

    fn logs_in(&mut self, session: SessionId, caller: &str) {
        let (caller, key) = (name(caller), name(caller));
        self.event(Event::LoggedIn { caller, key, session: Some(session) });
    }

    fn open_ids(&self) -> Vec<OrderId> {
        self.core.state().orders().open().map(|order| order.id).collect()
    }

    fn cancelled_by(&self, id: OrderId) -> Canceller {
        let mut by = self.journal.iter().filter_map(|record| match &record.body {
            Body::CancelCleared { order, by, .. } if *order == id => Some(by.clone()),
            _ => None,
        });
        by.next().unwrap()
    }
}

#[test]
fn a_lost_session_takes_its_own_orders_along() {
    let mut world = World::new();
    let before = world.live_over(ONE, "ann");
    let done = world.on_disconnect(Some(ONE), "ann", GuardScope::Session, true);
    assert!(!world.answers.contains_key(&done), "not before it is durable");
    world.settle();
    assert!(matches!(world.answers[&done], Answer::Done));
    let after = world.live_over(ONE, "ann");
    let others = [world.live_over(TWO, "ann"), world.live("ann", buy("1", "99"))];
    let bob = world.live_over(TWO, "bob");
    world.ends(ONE, true);
    world.settle();
    assert_eq!(world.open_ids(), [others[0], others[1], bob]);
    let by = Canceller::Disconnect { caller: name("ann") };
    assert_eq!([before, after].map(|id| world.cancelled_by(id)), [by.clone(), by]);
    world.ends(TWO, true);
    world.settle();
    assert_eq!(world.open_ids(), [others[0], others[1], bob], "nobody asked for that");
    world.check_replay();
}

#[test]
fn a_logout_or_a_change_of_mind_cancels_nothing() {
    let mut world = World::new();
    world.on_disconnect(Some(ONE), "ann", GuardScope::Session, true);
    world.on_disconnect(Some(TWO), "ann", GuardScope::Session, true);
    let kept = [world.live_over(ONE, "ann"), world.live_over(TWO, "ann")];
    world.on_disconnect(Some(TWO), "ann", GuardScope::Session, false);
    let late = world.live_over(TWO, "ann");
    world.ends(ONE, false);
    world.ends(TWO, true);
    world.settle_for(3);
    assert_eq!(world.open_ids(), [kept[0], kept[1], late]);
    world.check_replay();
}

#[test]
fn what_was_placed_between_two_minds_is_covered_by_the_second() {
    let mut world = World::new();
    for on in [true, false] {
        world.on_disconnect(Some(ONE), "ann", GuardScope::Session, on);
        world.live_over(ONE, "ann");
    }
    world.on_disconnect(Some(ONE), "ann", GuardScope::Session, true);
    let again = world.on_disconnect(Some(ONE), "ann", GuardScope::Session, true);
    assert!(matches!(world.answers[&again], Answer::Done), "nothing to write");
    world.ends(ONE, true);
    world.settle();
    assert!(world.open_ids().is_empty());
    world.check_replay();
}

#[test]
fn the_accounts_scope_is_for_later_logins_of_the_caller() {
    let mut world = World::new();
    world.logs_in(ONE, "ann");
    let set = world.on_disconnect(None, "ann", GuardScope::Account, true);
    world.settle();
    assert!(matches!(world.answers[&set], Answer::Done));
    world.logs_in(TWO, "ann");
    let bobs = SessionId(3);
    world.logs_in(bobs, "bob");
    let kept = world.live_over(ONE, "ann");
    let gone = world.live_over(TWO, "ann");
    let bob = world.live_over(bobs, "bob");
    for session in [ONE, TWO, bobs] {
        world.ends(session, true);
    }
    world.settle();
    assert_eq!(world.open_ids(), [kept, bob]);
    assert!(matches!(world.cancelled_by(gone), Canceller::Disconnect { .. }));
    world.kill(true);
    world.mark();
    world.up();
    world.logs_in(ONE, "ann");
    let gone = world.live_over(ONE, "ann");
    world.ends(ONE, true);
    world.settle();
    assert!(!world.open_ids().contains(&gone), "the wish outlives a restart");
    world.check_replay();
}

#[test]
fn a_restart_ends_every_session() {
    let mut world = World::new();
    let early = world.live_over(ONE, "ann");
    world.on_disconnect(Some(ONE), "ann", GuardScope::Session, true);
    let late = world.live_over(ONE, "ann");
    let kept = world.live_over(TWO, "ann");
    let intent = Intent::New { order: buy("1", "98") };
    world.submit_over(Some(ONE), "ann", intent);
    world.sign(0);
    world.flush();
    assert_eq!(world.to_send.len(), 1, "it has left when the gateway dies");
    world.kill(true);
    world.mark();
    world.up();
    world.settle_for(20);
    assert_eq!(world.open_ids(), [kept]);
    assert_eq!(world.venue.open().count(), 1);
    for id in [early, late] {
        assert!(matches!(world.cancelled_by(id), Canceller::Disconnect { .. }));
    }
    // The same number is another session now.
    world.on_disconnect(Some(TWO), "bob", GuardScope::Session, true);
    world.settle();
    world.ends(TWO, true);
    world.settle();
    assert_eq!(world.open_ids(), [kept]);
    world.check_replay();
}

#[test]
fn cancels_that_fail_are_tried_again_and_by_the_next_gateway_too() {
    let mut world = World::new();
    world.on_disconnect(Some(ONE), "ann", GuardScope::Session, true);
    let id = world.live_over(ONE, "ann");
    world.ends(ONE, true);
    for _ in 0..3 {
        world.not_sent(0);
        world.pass(4_000);
    }
    assert_eq!(world.open_ids(), [id]);
    world.flush();
    world.kill(false);
    world.mark();
    world.up();
    world.settle_for(3);
    assert!(world.open_ids().is_empty());
    assert_eq!(world.venue.open().count(), 0);
    world.check_replay();
}

#[test]
fn what_is_in_doubt_goes_once_it_is_found() {
    let mut world = World::new();
    world.on_disconnect(Some(ONE), "ann", GuardScope::Session, true);
    let intent = Intent::New { order: buy("1", "100") };
    world.submit_over(Some(ONE), "ann", intent);
    world.sign(0);
    world.flush();
    world.lose(0, true);
    world.venue.stream.clear();
    world.ends(ONE, true);
    world.settle_for(10);
    assert!(world.open_ids().is_empty());
    assert_eq!(world.venue.open().count(), 0);
}

#[test]
fn only_a_session_has_a_disconnect_and_only_who_may_trade_guards() {
    let mut world = World::new();
    let none = world.on_disconnect(None, "ann", GuardScope::Session, true);
    assert_eq!(world.code(none), Some(Code::NeedsWebSocket));
    let mut reader = grant("ann");
    reader.trade = false;
    world.change(Change::GrantSet { grant: reader });
    let disconnect = world.on_disconnect(Some(ONE), "ann", GuardScope::Session, true);
    let countdown = world.countdown("ann", Some(PERP), 1000);
    assert_eq!(
        [world.code(disconnect), world.code(countdown)],
        [Some(Code::NoGrant), Some(Code::NoGrant)]
    );
    let unknown = world.countdown("bob", Some("NONE"), 1000);
    assert_eq!(world.code(unknown), Some(Code::UnknownInstrument));
}

#[test]
fn a_countdown_takes_the_callers_orders_of_its_instrument_once() {
    let mut world = World::new();
    let mine = world.live("ann", buy("1", "100"));
    let mut inverse = buy("10", "99.5");
    inverse.instrument = instrument(INVERSE);
    let other = world.live("ann", inverse);
    let bob = world.live("bob", buy("1", "99"));
    let set = world.countdown("ann", Some(PERP), 3_000);
    assert!(!world.answers.contains_key(&set), "not before it is durable");
    world.settle();
    assert!(matches!(world.answers[&set], Answer::Done));
    world.pass(2_000);
    world.countdown("ann", Some(PERP), 3_000);
    world.pass(2_900);
    world.settle();
    assert_eq!(world.open_ids(), [mine, other, bob], "it was fed");
    world.pass(200);
    world.settle();
    assert_eq!(world.open_ids(), [other, bob]);
    let by = Canceller::Countdown { caller: name("ann") };
    assert_eq!(world.cancelled_by(mine), by);
    let next = world.live("ann", buy("1", "100"));
    world.settle_for(10);
    assert_eq!(world.open_ids(), [other, bob, next], "it lapses once");
    world.check_replay();
}

#[test]
fn a_countdown_is_taken_back_and_may_be_for_every_instrument() {
    let mut world = World::new();
    world.live("ann", buy("1", "100"));
    let bob = world.live("bob", buy("1", "99"));
    world.countdown("ann", Some(PERP), 1_000);
    world.countdown("ann", Some(PERP), 0);
    world.settle_for(3);
    assert_eq!(world.open_ids().len(), 2);
    world.countdown("ann", None, 1_000);
    world.settle_for(3);
    assert_eq!(world.open_ids(), [bob]);
    world.check_replay();
}

#[test]
fn a_countdown_runs_on_while_the_gateway_is_down() {
    for (down, gone) in [(1_000, false), (10_000, true)] {
        let mut world = World::new();
        let id = world.live("ann", buy("1", "100"));
        world.countdown("ann", Some(PERP), 5_000);
        world.flush();
        world.now = world.now.plus(Span::from_millis(down));
        world.kill(false);
        world.mark();
        world.timers();
        world.up();
        world.settle();
        let stage = world.core.state().orders().get(id).unwrap().stage;
        assert_eq!(stage == Stage::Done { how: Ending::Cancelled }, gone, "{down}");
        world.settle_for(6);
        assert!(world.open_ids().is_empty());
        world.check_replay();
    }
}

#[test]
fn with_a_broken_journal_nothing_is_promised_and_what_was_is_kept() {
    let mut world = World::new();
    world.live("ann", buy("1", "100"));
    world.countdown("ann", Some(PERP), 2_000);
    world.settle();
    world.event(Event::JournalFailed { why: "disk full".to_owned() });
    let refused = world.countdown("ann", Some(PERP), 60_000);
    assert_eq!(world.code(refused), Some(Code::JournalUnavailable));
    world.pass(2_000);
    world.sign(0);
    world.deliver(0);
    assert_eq!(world.venue.open().count(), 0);
}

#[test]
fn long_lists_of_orders_take_several_records() {
    let mut world = World::new();
    let mut wide = limits();
    (wide.orders_per_second, wide.burst) = (100_000, 100_000);
    world.change(Change::LimitsSet { limits: wide });
    let mut fast = grant("ann");
    (fast.orders_per_second, fast.burst) = (100_000, 100_000);
    world.change(Change::GrantSet { grant: fast });
    for _ in 0..2_500 {
        let intent = Intent::New { order: buy("0.001", "100") };
        world.submit_over(Some(ONE), "ann", intent);
        world.settle();
    }
    world.on_disconnect(Some(ONE), "ann", GuardScope::Session, true);
    let guarded = world.journal.iter().filter(|r| matches!(r.body, Body::Guarded { .. })).count();
    assert_eq!(guarded, 3);
    world.ends(ONE, true);
    world.settle();
    assert!(world.open_ids().is_empty());
}

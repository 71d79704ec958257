//! What a caller may trade in a day, and at which hours.

use super::world::*;
use tidegate_types::grant::Grant;
use tidegate_types::hours::Window;
use tidegate_types::instrument::Usd;
use tidegate_types::order::{Intent, NewOrder, Setting};
use tidegate_types::record::{Body, Change};
use tidegate_types::reject::Code;
use tidegate_types::time::{Span, Time};

/// Tuesday, 2023-11-14, 22:13:20 UTC.
const NOW: Time = Time::from_millis(1_700_000_000_000);

fn limited(most: &str) -> World {
    let mut world = World::new();
    let grant = Grant { max_daily_notional: Some(Usd(d(most))), ..grant("ann") };
    world.change(Change::GrantSet { grant });
    world
}

fn today(world: &World, caller: &str) -> Usd {
    world.core.state().traded_today(&name(caller), &name(MAIN), world.now)
}

fn refused(world: &mut World, order: NewOrder) -> Option<Code> {
    let ticket = world.place("ann", order);
    world.code(ticket)
}

#[test]
fn a_day_holds_what_traded_and_what_is_open() {
    let mut world = limited("1000");
    world.live("ann", buy("4", "100"));
    world.venue.fill(1, d("3").raw());
    world.settle();
    assert_eq!((today(&world, "ann"), today(&world, "bob")), (Usd(d("300")), Usd(d("0"))));
    // 300 traded, 100 open, and 600 more are all there is.
    assert_eq!(refused(&mut world, buy("6.001", "100")), Some(Code::DailyNotional));
    let tried = world.journal.iter().rev().find_map(|record| match &record.body {
        Body::Refused { decision, .. } => decision.caller_day,
        _ => None,
    });
    assert_eq!(tried, Some(Usd(d("1000.1"))), "the figure that decided is on record");
    let last = world.live("ann", buy("6", "100"));
    assert_eq!(refused(&mut world, buy("0.001", "100")), Some(Code::DailyNotional));
    let other = world.place("bob", buy("1", "100"));
    assert_eq!(world.code(other), None, "each caller has its own day");
    // What is cancelled has not traded.
    world.cancel("ann", own(last));
    world.settle();
    assert_eq!(refused(&mut world, buy("6", "100")), None);
    world.settle();
    world.check_replay();
}

#[test]
fn what_reduces_passes_and_counts() {
    let mut world = limited("250");
    world.live("ann", buy("2", "100"));
    world.venue.fill(1, d("2").raw());
    world.settle();
    assert_eq!(refused(&mut world, buy("1", "100")), Some(Code::DailyNotional));
    let id = world.live("ann", sell("2", "100"));
    assert!(world.core.state().orders().get(id).unwrap().reducing);
    world.venue.fill(2, d("2").raw());
    world.settle();
    assert_eq!(today(&world, "ann"), Usd(d("400")));
}

#[test]
fn the_same_trade_told_twice_counts_once() {
    let mut world = limited("1000");
    world.live("ann", buy("2", "100"));
    world.venue.fill(1, d("1").raw());
    let told = world.venue.stream.clone();
    world.settle();
    world.venue.stream.extend(told);
    world.settle();
    assert_eq!(today(&world, "ann"), Usd(d("100")));
}

#[test]
fn a_new_day_begins_at_midnight_utc_and_a_restart_begins_none() {
    let mut world = limited("500");
    world.live("ann", buy("5", "100"));
    world.venue.fill(1, d("4").raw());
    world.settle();
    world.kill(true);
    world.up();
    assert_eq!(today(&world, "ann"), Usd(d("400")), "kept over a restart");
    assert_eq!(refused(&mut world, buy("1", "100")), Some(Code::DailyNotional));
    let midnight = Time::from_millis(1_700_006_400_000);
    world.live_through(midnight.since(world.now).millis() - 1);
    assert_eq!(refused(&mut world, buy("1", "100")), Some(Code::DailyNotional));
    world.pass(1);
    // What is still open counts on the new day too.
    assert_eq!(today(&world, "ann"), Usd(d("0")));
    assert_eq!(refused(&mut world, buy("4.001", "100")), Some(Code::DailyNotional));
    assert_eq!(refused(&mut world, buy("4", "100")), None);
    world.settle();
    world.check_replay();
}

#[test]
fn an_amend_is_held_to_the_day_too() {
    let mut world = limited("300");
    let id = world.live("ann", buy("2", "100"));
    let more = world.amend("ann", id, Some("4"), None);
    assert_eq!(world.code(more), Some(Code::DailyNotional));
    world.change(Change::GrantSet {
        grant: Grant { max_daily_notional: Some(Usd(d("100"))), ..grant("ann") },
    });
    let less = world.amend("ann", id, Some("1.5"), None);
    assert_eq!(world.code(less), None, "what adds nothing passes");
}

#[test]
fn outside_its_hours_a_grant_lets_cancels_and_reading_pass() {
    let window = |hours: &str, days: &str| Window {
        hours: hours.parse().unwrap(),
        days: days.parse().unwrap(),
    };
    let mut world = World::new();
    assert_eq!(world.now, NOW);
    let id = world.live("ann", buy("1", "100"));
    world.live("ann", buy("1", "100"));
    world.venue.fill(2, d("1").raw());
    world.settle();
    for outside in [window("08:00-22:00", "mon-sun"), window("00:00-24:00", "wed-mon")] {
        world.change(Change::GrantSet {
            grant: Grant { window: outside, settings: true, ..grant("ann") },
        });
        assert_eq!(refused(&mut world, buy("1", "100")), Some(Code::OutsideHours));
        let reducing = NewOrder { reduce_only: true, ..sell("1", "100") };
        assert_eq!(refused(&mut world, reducing), Some(Code::OutsideHours));
        let amend = world.amend("ann", id, Some("0.5"), None);
        assert_eq!(world.code(amend), Some(Code::OutsideHours));
        let setting = Setting { route: "leverage".to_owned(), params: Vec::new() };
        let set = world.submit("ann", Intent::Set { setting });
        assert_eq!(world.code(set), Some(Code::OutsideHours));
        assert!(world.core.authorize_read(&who("ann"), world.now).is_ok());
    }
    let cancel = world.cancel("ann", own(id));
    world.settle();
    assert_eq!(world.code(cancel), None);
    assert!(!world.core.state().orders().get(id).unwrap().is_open());
    let inside = Grant { window: window("22:00-06:00", "tue"), ..grant("ann") };
    world.change(Change::GrantSet { grant: inside });
    assert_eq!(refused(&mut world, buy("1", "100")), None);
    world.settle();
    world.pass(Span::from_secs(2 * 3600).millis());
    assert_eq!(refused(&mut world, buy("1", "100")), Some(Code::OutsideHours), "it is Wednesday");
}

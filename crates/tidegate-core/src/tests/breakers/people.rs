//! Who may do what with breakers: tightening is one person's, loosening is somebody else's of risk.

use super::*;
use crate::roles::loosens;
use tidegate_types::person::{Person, Role};
use tidegate_types::record::Approvals;

fn person(name_of: &str, role: Role, owns: &[&str]) -> Change {
    let owns = owns.iter().map(|caller| name(caller)).collect();
    let person = Person { name: name(name_of), roles: vec![role], owns, reads: Vec::new() };
    Change::PersonSet { person }
}

#[test]
fn tightening_is_at_once_and_loosening_takes_two() {
    let mut world = World::new();
    world.change(person("eve", Role::Admin, &[]));
    world.change_by("eve", person("app", Role::Approver, &[]));
    world.change_by("eve", person("rick", Role::Risk, &[]));
    world.change_by("eve", Change::ApprovalsSet { approvals: Approvals::Two });
    let (id, scope) = ("loss@all", "all");
    world.change_by("rick", Change::BreakerSet { breaker: breaker(id, "100") });
    world.change_by("eve", Change::BreakerSet { breaker: breaker(id, "90") });
    let asks = |world: &mut World, change: Change| {
        let ticket = world.ticket();
        let showing = tidegate_types::approval::Showing::Door;
        world.event(Event::Administer { ticket, by: name("rick"), showing, change });
        world.flush();
        matches!(world.answers[&ticket], Answer::Pending { .. })
    };
    assert!(asks(&mut world, Change::BreakerSet { breaker: breaker(id, "91") }));
    world.bought("ann", "10");
    world.priced("90");
    assert_eq!(world.breaker_stage(id, scope), Some(Stage::Tripped));
    let Place { breaker, scope: at } = place(id, scope);
    let reason = "mended".to_owned();
    let half = Change::BreakerHalfOpened { breaker: breaker.clone(), scope: at, reason };
    assert!(asks(&mut world, half));
    assert_eq!(world.breaker_stage(id, scope), Some(Stage::Tripped), "it waits");
    assert!(asks(&mut world, Change::BreakerRemoved { breaker }));
    let refused = world.refused_by("eve", Change::BreakerRemoved { breaker: id.parse().unwrap() });
    assert!(refused.contains("eve may not loosen, half-open or close a breaker"), "{refused}");
    world.check_replay();
}

#[test]
fn who_trades_there_does_not_let_itself_trade() {
    let mut world = World::with([breaker("loss@each-account", "100")]);
    world.bought("ann", "10");
    world.priced("90");
    world.change(person("eve", Role::Admin, &[]));
    world.change_by("eve", person("rick", Role::Risk, &["ann"]));
    world.change_by("eve", person("ria", Role::Risk, &[]));
    let Place { breaker, scope } = place("loss@each-account", "account:main");
    let half = |reason: &str| Change::BreakerHalfOpened {
        breaker: breaker.clone(),
        scope: scope.clone(),
        reason: reason.to_owned(),
    };
    let refused = world.refused_by("rick", half("please"));
    assert!(refused.contains("for itself"), "{refused}");
    world.change_by("ria", half("looked at it"));
    world.check_replay();
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (id, scope) = ("loss@each-account", "account:main");
    let mut world = World::with([breaker(id, "100")]);
    let Place { breaker: known, scope: at } = place(id, scope);
    let half = |breaker: &str, scope: &str| Change::BreakerHalfOpened {
        breaker: breaker.parse().unwrap(),
        scope: scope.parse().unwrap(),
        reason: "test".to_owned(),
    };
    let closed = Change::BreakerClosed {
        breaker: known.clone(),
        scope: at.clone(),
        reason: "test".to_owned(),
    };
    let cases = [
        (half("loss@all", "all"), "there is no breaker loss@all"),
        (half(id, scope), "has not tripped"),
        (closed.clone(), "has not tripped"),
        (Change::BreakerSet { breaker: breaker("clock-skew@all", "1") }, "measured over: venue"),
        (Change::BreakerRemoved { breaker: "errors@all".parse().unwrap() }, "there is no breaker"),
    ];
    for (change, what) in cases {
        let refused = world.refused_by("root", change);
        assert!(refused.contains(what), "{refused}");
    }
    world.bought("ann", "10");
    world.priced("90");
    assert!(world.refused_by("root", closed).contains("half-open"));
    let reset = Change::BreakerReset { breaker: known, scope: at };
    assert!(world.refused_by("root", reset).contains("is not closed"));
}

#[test]
fn what_is_removed_stops_nothing_and_a_reset_measures_anew() {
    let id = "drawdown@each-account";
    let mut world = World::with([breaker(id, "100")]);
    world.bought("ann", "10");
    world.priced("95");
    let Place { breaker: known, scope } = place(id, "account:main");
    let reset = Change::BreakerReset { breaker: known.clone(), scope };
    assert!(loosens(world.core.state(), &reset));
    world.change(reset);
    world.priced("86");
    assert_eq!(world.tripped(), Vec::<String>::new(), "fourteen, nine of them since");
    world.priced("85");
    assert_eq!(world.tripped().len(), 1);
    world.change(Change::BreakerRemoved { breaker: known });
    assert_eq!(world.refused_to("ann", buy("1", "85")), None);
    world.check_replay();
}

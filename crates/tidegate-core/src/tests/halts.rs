//! Halts leave nothing open, and say so only when the venue does.

use super::world::*;
use crate::action::Answer;
use crate::event::Event;
use tidegate_types::call::{Call, CallBody, CallClass, Warrant};
use tidegate_types::emergency::Emergency;
use tidegate_types::ids::OrderId;
use tidegate_types::order::Side;
use tidegate_types::record::{Body, Canceller, Change};
use tidegate_types::reject::Code;
use tidegate_types::report::Outcome;

fn cancelled(world: &World, ticket: tidegate_types::ids::Ticket) -> Option<u64> {
    match world.answers.get(&ticket) {
        Some(Answer::Halted { cancelled, .. }) => Some(*cancelled),
        _ => None,
    }
}

#[test]
fn each_scope_takes_its_own() {
    for (scope, left) in [
        ("all", 0),
        ("desk:desk", 0),
        ("venue:paper", 0),
        ("account:main", 0),
        ("caller:ann", 1),
        ("instrument:paper/BTC-PERP", 0),
        ("instrument:paper/BTC-INV", 2),
    ] {
        let mut world = World::new();
        world.live("ann", buy("1", "100"));
        world.live("bob", buy("1", "99"));
        let ticket = world.halt(scope, false);
        assert_eq!(cancelled(&world, ticket), None);
        world.settle_for(5);
        assert_eq!(cancelled(&world, ticket), Some(2 - left), "{scope}");
        assert_eq!(world.venue.open().count() as u64, left, "{scope}");
        let ann = world.place("ann", buy("1", "100"));
        let blocked = !scope.ends_with("INV");
        assert_eq!(world.code(ann) == Some(Code::Halted), blocked, "{scope}");
        world.check_replay();
    }
}

#[test]
fn one_order_is_halted_alone() {
    let mut world = World::new();
    let (one, other) = (world.live("ann", buy("1", "100")), world.live("ann", buy("1", "99")));
    world.venue.deaf = 1;
    let halt = world.halt(&format!("order:{one}"), false);
    let blocked = world.amend("ann", one, Some("0.5"), None);
    assert_eq!(world.code(blocked), Some(Code::Halted));
    world.settle_for(10);
    assert_eq!(cancelled(&world, halt), Some(1));
    assert_eq!(world.venue.open().count(), 1);
    let passes = [world.amend("ann", other, Some("0.5"), None), world.place("ann", buy("1", "98"))];
    assert_eq!(passes.map(|ticket| world.code(ticket)), [None, None]);
    let mild = world.halt(&format!("order:{other}"), true);
    assert_eq!(world.code(mild), Some(Code::BadParameter), "it has nothing to let pass");
    world.settle();
    world.resume(&format!("order:{one}"));
    world.flush();
    assert!(world.core.state().halts().is_empty());
    world.check_replay();
}

#[test]
fn what_is_cleared_but_not_sent_never_leaves() {
    let mut world = World::new();
    let ticket = world.place("ann", buy("1", "100"));
    world.sign(0);
    let halt = world.halt("all", false);
    assert_eq!(world.code(ticket), Some(Code::Halted));
    world.settle_for(5);
    assert!(world.venue.arrivals.is_empty());
    assert_eq!(cancelled(&world, halt), Some(0));
}

#[test]
fn what_is_in_flight_is_waited_for_and_cancelled() {
    let mut world = World::new();
    world.place("ann", buy("1", "100"));
    world.sign(0);
    world.flush();
    let call = world.to_send.remove(0);
    world.event(Event::Sent { call: call.id });
    let halt = world.halt("all", false);
    world.pass(2000);
    assert_eq!(cancelled(&world, halt), None);
    let _ = world.venue.arrive(&call.body, world.now);
    world.reply(call.id, Outcome::Unknown { why: "time-out".to_owned() });
    world.venue.stream.clear();
    world.settle_for(4);
    assert_eq!(cancelled(&world, halt), Some(1));
    assert_eq!(world.venue.open().count(), 0);
}

#[test]
fn a_deaf_venue_is_asked_until_it_hears() {
    let mut world = World::new();
    world.live("ann", buy("1", "100"));
    world.venue.deaf = 3;
    let halt = world.halt("all", false);
    world.settle();
    assert_eq!(cancelled(&world, halt), None);
    world.settle_for(60);
    assert_eq!(cancelled(&world, halt), Some(1));
}

#[test]
fn a_snapshot_from_before_proves_nothing() {
    let mut world = World::new();
    world.pass(30_000);
    let early = world.venue.snapshot();
    assert_eq!(world.to_read.len(), 1);
    world.live_without_reading("ann");
    let halt = world.halt("all", false);
    world.flush();
    world.sign(0);
    world.deliver(0);
    world.pass(10);
    world.answer_read(Ok(early));
    world.pass(10);
    assert_eq!(cancelled(&world, halt), None);
    world.settle_for(2);
    assert_eq!(cancelled(&world, halt), Some(1));
}

#[test]
fn foreign_orders_go_too() {
    let mut world = World::new();
    world.venue.place(instrument(PERP), Side::Buy, buy("1", "90").qty, buy("1", "90").price);
    let halt = world.halt("account:main", false);
    world.settle_for(10);
    assert_eq!(cancelled(&world, halt), Some(1));
    assert_eq!(world.venue.open().count(), 0);
}

#[test]
fn a_halt_holds_over_a_restart_and_is_proven_then() {
    let mut world = World::new();
    world.live("ann", buy("1", "100"));
    world.halt("all", false);
    world.flush();
    world.kill(false);
    assert!(!world.core.state().halts().values().next().unwrap().proven);
    world.up();
    world.settle_for(10);
    assert!(world.core.state().halts().values().next().unwrap().proven);
    assert_eq!(world.venue.open().count(), 0);
    let blocked = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(blocked), Some(Code::Halted));
    let unknown = world.resume("caller:ann");
    assert_eq!(world.code(unknown), Some(Code::BadParameter));
    let lifted = world.resume("all");
    assert!(!world.answers.contains_key(&lifted));
    world.flush();
    assert!(matches!(world.answers[&lifted], Answer::Done));
    let passes = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(passes), None);
}

#[test]
fn what_went_without_a_record_is_on_record_after_the_restart() {
    let mut world = World::new();
    let order = world.live("ann", buy("1", "100"));
    world.live("bob", buy("1", "99"));
    world.flush();
    world.event(Event::JournalFailed { why: "full".to_owned() });
    let proof = world.halt("caller:ann", false);
    world.settle_for(5);
    assert_eq!(cancelled(&world, proof), Some(1), "it is proven without a journal");
    let kept = std::mem::take(&mut world.kept);
    assert!(matches!(&kept[0].1, Emergency::Halted { .. }), "{kept:?}");
    let client = world.core.state().orders().get(order).unwrap().client_id.clone();
    assert!(
        kept.iter().any(|(_, act)| matches!(act, Emergency::Cancelled { order, by, .. }
            if order.client_id == client && matches!(by, Canceller::Halt { .. }))),
        "{kept:?}"
    );
    world.kill(false);
    assert!(world.core.state().halts().is_empty(), "the journal does not know of it");
    let count = kept.len();
    world.event(Event::Kept { acts: kept });
    let blocked = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(blocked), Some(Code::Halted));
    world.up();
    world.settle_for(10);
    assert!(world.core.state().halts().values().all(|halt| halt.proven));
    let told = world.journal.iter().filter(|r| matches!(r.body, Body::Unrecorded { .. })).count();
    assert_eq!(told, count);
    world.check_replay();

    // A halt that was on record stays as it was; one that is stricter holds.
    let since = world.core.state().halts().values().next().unwrap().since;
    let again = |allow_reduce| Emergency::Halted {
        by: name("root"),
        scope: "caller:ann".parse().unwrap(),
        reason: "again".to_owned(),
        allow_reduce,
    };
    world.event(Event::Kept { acts: vec![(world.now, again(true)), (world.now, again(false))] });
    assert_eq!(world.core.state().halts().values().next().unwrap().since, since);
}

#[test]
fn cancels_under_way_when_the_journal_fails_are_kept_too() {
    let mut world = World::new();
    world.live("ann", buy("1", "100"));
    world.halt("all", false);
    world.event(Event::JournalFailed { why: "full".to_owned() });
    let acts: Vec<_> = world.kept.iter().map(|(_, act)| act).collect();
    assert!(
        matches!(acts.as_slice(), [Emergency::Halted { .. }, Emergency::Cancelled { .. }]),
        "{acts:?}"
    );
}

#[test]
fn nothing_but_a_resume_lifts_a_halt() {
    let mut world = World::new();
    world.live("ann", buy("1", "100"));
    let halt = world.halt("all", false);
    world.settle_for(5);
    assert!(cancelled(&world, halt).is_some());
    let held = |world: &mut World, when: &str| {
        let ticket = world.place("ann", buy("1", "100"));
        assert_eq!(world.code(ticket), Some(Code::Halted), "{when}");
    };
    world.kill(false);
    held(&mut world, "after a restart");
    world.up();
    world.settle_for(40);
    assert!(world.is_open(), "the account was reconciled and opened again");
    held(&mut world, "after a reconciliation");
    world.event(Event::StreamDown { account: name(MAIN), why: "test".to_owned() });
    world.up();
    held(&mut world, "after a reconnection");
    world.change(Change::LimitsSet { limits: limits() });
    world.change(Change::GrantSet { grant: grant("ann") });
    held(&mut world, "after its limits and grants were set anew");
    world.halt("caller:ann", true);
    world.resume("caller:ann");
    held(&mut world, "after another halt was lifted");
    world.settle_for(3600);
    held(&mut world, "after an hour");
    world.resume("all");
    let ticket = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(ticket), None);
}

#[test]
fn with_a_dead_signer_it_says_so_holds_and_goes_on_when_that_is_back() {
    let mut world = World::new();
    let order = world.live("ann", buy("1", "100"));
    let halt = world.halt("all", false);
    for _ in 0..4 {
        world.flush();
        while !world.to_sign.is_empty() {
            world.not_sent(0);
        }
        world.pass(2_000);
        let blocked = world.place("ann", buy("1", "100"));
        assert_eq!(world.code(blocked), Some(Code::Halted));
    }
    assert_eq!(cancelled(&world, halt), None);
    let left = world.core.outstanding(&tidegate_types::grant::Scope::All);
    let [(id, why)] = left.orders.as_slice() else { panic!("{left:?}") };
    assert_eq!(*id, order);
    assert!(why.contains("not sent") && why.contains("TG701"), "{why}");
    world.settle_for(30);
    assert_eq!(cancelled(&world, halt), Some(1));
}

#[test]
fn a_venue_that_refuses_or_is_silent_is_told_of() {
    let mut world = World::new();
    world.live("ann", buy("1", "100"));
    world.venue.deaf = 2;
    let halt = world.halt("all", false);
    world.settle();
    let left = world.core.outstanding(&tidegate_types::grant::Scope::All);
    assert!(left.orders[0].1.contains("the venue's answer is missing: deaf"), "{left:?}");
    world.settle_for(60);
    assert!(cancelled(&world, halt).is_some());
    let left = world.core.outstanding(&tidegate_types::grant::Scope::All);
    assert_eq!(left, crate::Outstanding::default());

    // Nothing is open, and the venue does not show that.
    let mut world = World::new();
    world.to_read.clear();
    world.pass(30_000);
    let halt = world.halt("all", false);
    let silent = Err("HTTP 418".to_owned());
    world.answer_read(silent);
    let left = world.core.outstanding(&tidegate_types::grant::Scope::All);
    let [(account, why)] = left.accounts.as_slice() else { panic!("{left:?}") };
    assert_eq!(account.as_str(), MAIN);
    assert!(why.contains("does not show its open orders: HTTP 418"), "{why}");
    world.to_read.clear();
    world.settle_for(60);
    assert_eq!(cancelled(&world, halt), Some(0));
}

#[test]
fn reducing_orders_pass_when_allowed() {
    for allowed in [true, false] {
        let mut world = World::new();
        world.live("ann", buy("5", "100"));
        world.venue.fill(1, d("5").raw());
        world.settle();
        let halt = world.halt("all", allowed);
        world.settle_for(5);
        assert!(cancelled(&world, halt).is_some());
        let reduce = world.place("ann", sell("5", "100"));
        assert_eq!(world.code(reduce), (!allowed).then_some(Code::Halted));
        let grow = world.place("ann", sell("6", "100"));
        assert_eq!(world.code(grow), Some(Code::Halted));
    }
}

#[test]
fn a_scope_that_is_not_there_is_refused() {
    let mut world = World::new();
    for scope in
        ["account:typo", "caller:typo", "venue:typo", "desk:typo", "instrument:paper/X", "order:99"]
    {
        let ticket = world.halt(scope, false);
        assert_eq!(world.code(ticket), Some(Code::BadParameter), "{scope}");
    }
}

#[test]
fn a_stop_tells_who_asked_for_it() {
    let mut world = World::new();
    for by in [None, Some(name("ada"))] {
        world.event(Event::Stopping { by: by.clone() });
        let last = world.journal.last().map(|record| record.body.clone());
        assert_eq!(last, Some(Body::StoppedBy { by }));
        world.check_replay();
    }
}

#[test]
fn what_a_halt_cancels_goes_before_what_callers_do() {
    let mut world = World::new();
    let (own_first, halted) =
        (world.live("ann", buy("1", "99")), world.live("bob", buy("1", "98")));
    world.cancel("ann", own(own_first));
    world.flush();
    let callers = world.to_sign.iter().map(|(call, _)| call.id).collect::<Vec<_>>();
    assert_eq!(callers.len(), 1);
    assert!(!world.core.is_kill(callers[0]), "a caller's own cancel is none");
    world.halt("all", false);
    world.flush();
    let kills = world.to_sign.iter().map(|(call, _)| call.id);
    let kills: Vec<_> = kills.filter(|id| !callers.contains(id)).collect();
    assert_eq!(kills.len(), 1, "ann's is on its way already");
    assert!(world.core.is_kill(kills[0]));
    world.settle();
    for id in [own_first, halted] {
        assert!(!world.core.state().orders().get(id).unwrap().is_open());
    }
}

#[test]
fn a_cancel_that_waits_becomes_the_halt_s_where_one_comes() {
    let mut world = World::new();
    world.place("ann", buy("1", "99"));
    let id = world.core.state().orders().open().next().unwrap().id;
    world.flush();
    world.sign(0);
    let call = world.to_send.remove(0);
    world.event(Event::Sent { call: call.id });
    // It waits until the venue has answered the order itself.
    world.cancel("ann", own(id));
    world.halt("all", false);
    let outcome = world.venue.arrive(&call.body, world.now);
    world.reply(call.id, outcome);
    world.flush();
    let cancel = world.to_sign.iter().find(|(call, _)| call.body.class() == CallClass::Cancel);
    assert!(world.core.is_kill(cancel.unwrap().0.id));
    world.settle();
    assert!(!world.core.state().orders().get(id).unwrap().is_open());
}

#[test]
fn a_cancel_on_its_way_is_hastened_where_a_halt_wants_it_too() {
    let mut world = World::new();
    let id = world.live("ann", buy("1", "99"));
    world.cancel("ann", own(id));
    world.flush();
    world.sign(0);
    let call = world.to_send[0].id;
    assert!(!world.core.is_kill(call), "it waits in line as a caller's");
    world.halt("all", false);
    assert!(world.core.is_kill(call));
    assert_eq!(world.hastened, [call]);
    world.halt("account:main", false);
    assert_eq!(world.hastened, [call], "told once");
    let cancels = world.journal.iter().filter(|r| matches!(r.body, Body::CancelCleared { .. }));
    assert_eq!(cancels.count(), 1, "and no second cancel is sent beside it");
    world.settle();
    world.check_replay();
}

#[test]
fn a_halt_of_a_caller_s_hurries_what_is_that_caller_s_alone() {
    let mut world = World::new();
    let [first, second] = ["99", "98"].map(|price| world.live("ann", buy("1", price)));
    let [gone, stays] = ["97", "96"].map(|price| world.live("bob", buy("1", price)));
    for (caller, id) in [("ann", first), ("bob", gone)] {
        world.cancel(caller, own(id));
    }
    world.flush();
    world.halt("caller:ann", false);
    world.flush();
    let about = |world: &World, id: OrderId| {
        let order = world.core.state().orders().get(id).unwrap().reference();
        let of = |call: &&(Call, Warrant)| matches!(&call.0.body, CallBody::Cancel { order: o } if *o == order);
        world.to_sign.iter().find(of).map(|(call, _)| call.id)
    };
    let calls = [first, second, gone, stays].map(|id| about(&world, id));
    let kills = calls.map(|call| call.map(|call| world.core.is_kill(call)));
    assert_eq!(kills, [Some(true), Some(true), Some(false), None]);
    assert_eq!(world.hastened, [calls[0].unwrap()]);
    world.settle();
    assert!(world.core.state().orders().get(stays).unwrap().is_open(), "bob trades on");
    let more = world.place("bob", buy("1", "95"));
    assert_eq!(world.code(more), None);
    world.check_replay();
}

#[test]
fn what_a_newer_order_has_cancelled_is_no_halt_s() {
    let mut world = World::new();
    let account = name(MAIN);
    let mode = tidegate_types::self_trade::SelfTradeMode::CancelOld;
    world.change(Change::SelfTradeSet { account, mode });
    world.live("ann", buy("1", "99"));
    world.place("bob", limit(Side::Sell, "1", "99"));
    world.flush();
    let call = world.to_sign[0].0.id;
    assert!(!world.core.is_kill(call));
    // A halt of bob's takes its new order back, and ann's is nobody's to hurry.
    world.halt("caller:bob", false);
    assert!(!world.core.is_kill(call));
    world.halt("caller:ann", false);
    assert!(world.core.is_kill(call));
    assert_eq!(world.hastened, [call]);
}

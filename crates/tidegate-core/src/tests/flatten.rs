//! Positions are closed once a halt is proven, by orders of Tidegate's own, and that is said only when
//! the venue shows none.

use super::world::*;
use crate::action::Answer;
use crate::state::Flatten;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{OrderId, Ticket};
use tidegate_types::order::{NewOrder, Side, TimeInForce};
use tidegate_types::record::{Body, Change};
use tidegate_types::reject::Code;
use tidegate_types::self_trade::SelfTradeMode;
use tidegate_types::time::Span;

/// Buys (or sells) so much of an instrument.
fn hold(world: &mut World, of: &str, side: Side, qty: &str) {
    let price = if of == OPTION { "0.05" } else { "100" };
    let order = NewOrder { instrument: instrument(of), ..limit(side, qty, price) };
    world.live("ann", order);
    let id = *world.venue.open().last().unwrap().0;
    world.venue.fill(id, i64::MAX);
    world.settle();
}

fn flat(world: &World, ticket: Ticket) -> Option<Vec<(String, String)>> {
    match world.answers.get(&ticket)? {
        Answer::Flattened { closed, .. } => {
            let told = |p: &tidegate_types::report::PositionReport| {
                (p.instrument.name.to_string(), p.qty.0.to_string())
            };
            Some(closed.iter().map(told).collect())
        }
        other => panic!("{other:?}"),
    }
}

fn closings(world: &World) -> Vec<NewOrder> {
    let bodies = world.journal.iter().map(|record| &record.body);
    let closing = |body: &Body| match body {
        Body::ClosingCleared { request, .. } => Some(request.clone()),
        _ => None,
    };
    bodies.filter_map(closing).collect()
}

/// Until an order that closes a position is on record, and no further.
fn until_closing(world: &mut World) {
    while closings(world).is_empty() {
        match world.to_read.is_empty() {
            true => world.pass(50),
            false => world.read(),
        }
    }
}

fn status(world: &World, scope: &str) -> Option<Flatten> {
    world.core.state().halts()[&scope.parse::<Scope>().unwrap()].flatten
}

fn why(world: &World, scope: &str) -> String {
    let left = world.core.outstanding(&scope.parse().unwrap());
    left.positions.into_iter().map(|held| held.why).collect::<Vec<_>>().join("; ")
}

#[test]
fn positions_are_closed_after_the_halt_is_proven() {
    for (scope, closes) in [
        ("all", 2),
        ("desk:desk", 2),
        ("venue:paper", 2),
        ("account:main", 2),
        ("instrument:paper/BTC-PERP", 1),
    ] {
        let mut world = World::new();
        hold(&mut world, PERP, Side::Buy, "5");
        hold(&mut world, INVERSE, Side::Sell, "300");
        world.live("bob", buy("1", "99"));
        let ticket = world.flatten(scope);
        world.flush();
        assert!(closings(&world).is_empty(), "the order of bob's is open");
        world.settle_for(10);
        let mut expected = vec![("BTC-PERP".to_owned(), "-5".to_owned())];
        expected.extend((closes == 2).then(|| ("BTC-INV".to_owned(), "300".to_owned())));
        expected.sort();
        assert_eq!(flat(&world, ticket), Some(expected), "{scope}");
        assert_eq!(status(&world, scope), Some(Flatten::Flat));
        let orders = closings(&world);
        assert_eq!(orders.len(), closes);
        for order in &orders {
            assert!(order.reduce_only && order.time_in_force == TimeInForce::ImmediateOrCancel);
            let edge = if order.side == Side::Buy { "105" } else { "95" };
            assert_eq!(order.price.unwrap().0, d(edge), "five percent off the mark");
        }
        assert_eq!(world.core.state().foreign().count(), 0, "they are our own");
        let left = world.core.outstanding(&scope.parse().unwrap());
        assert!(left.orders.is_empty() && left.accounts.is_empty() && left.positions.is_empty());
        world.check();
        world.check_replay();
    }
}

#[test]
fn a_scope_without_positions_of_its_own_is_refused() {
    let mut world = World::new();
    let order = world.live("ann", buy("1", "100"));
    for scope in ["caller:ann".to_owned(), format!("order:{order}")] {
        let ticket = world.flatten(&scope);
        assert_eq!(world.code(ticket), Some(Code::BadParameter), "{scope}");
    }
    let both = world.pull("all", true, true);
    assert_eq!(world.code(both), Some(Code::BadParameter));
    assert!(world.core.state().halts().is_empty(), "nothing was halted by mistake");
}

#[test]
fn a_large_position_goes_in_pieces_and_a_thin_market_is_asked_again() {
    let mut world = World::new();
    hold(&mut world, PERP, Side::Buy, "7");
    let tight = vec![(tidegate_types::grant::Pattern::new("*").unwrap(), buy("3", "1").qty)];
    let limits = tidegate_types::grant::AccountLimits { max_order_qty: tight, ..limits() };
    world.change(Change::LimitsSet { limits });
    world.venue.depth = Some(d("2").raw());
    let ticket = world.flatten("all");
    world.settle_for(10);
    assert_eq!(flat(&world, ticket), Some(vec![("BTC-PERP".to_owned(), "-7".to_owned())]));
    let sizes: Vec<_> = closings(&world).iter().map(|o| o.qty.0.to_string()).collect();
    assert_eq!(sizes, ["3", "3", "3", "1"]);
}

#[test]
fn what_cannot_be_closed_is_said_and_tried_again() {
    let mut world = World::new();
    hold(&mut world, PERP, Side::Buy, "5");
    world.venue.depth = Some(0);
    let ticket = world.flatten("account:main");
    world.settle_for(5);
    assert!(
        why(&world, "account:main").contains("nobody trades"),
        "{}",
        why(&world, "account:main")
    );
    let tries = closings(&world).len();
    assert!((2..=5).contains(&tries), "{tries} tries in five seconds");

    world.venue.refuse = true;
    world.settle_for(12);
    assert_eq!(flat(&world, ticket), None);
    let prices: Vec<_> = closings(&world).iter().map(|o| o.price.unwrap().0).collect();
    assert!(prices.contains(&d("97.5")), "nearer to the mark after a refusal: {prices:?}");

    world.venue.depth = None;
    world.settle_for(40);
    assert_eq!(flat(&world, ticket), Some(vec![("BTC-PERP".to_owned(), "-5".to_owned())]));
}

#[test]
fn nothing_is_closed_at_a_stale_mark() {
    let mut world = World::new();
    hold(&mut world, PERP, Side::Buy, "5");
    world.now = world.now.plus(tidegate_types::time::Span::from_secs(20));
    let ticket = world.flatten("all");
    world.settle();
    while world.core.outstanding(&Scope::All).positions.iter().all(|p| !p.why.contains("TG504")) {
        world.now = world.core.poll_timeout().unwrap().max(world.now);
        world.timers();
        world.settle();
    }
    assert!(closings(&world).is_empty(), "{}", why(&world, "all"));
    world.mark();
    world.settle_for(30);
    assert!(flat(&world, ticket).is_some());
}

#[test]
fn the_venue_shows_none_before_it_is_said() {
    let mut world = World::new();
    let ticket = world.flatten("all");
    // Somebody else trades on the account, and no stream tells us.
    world.venue.positions.insert(instrument(PERP), d("2").raw());
    world.settle_for(2);
    assert_eq!(flat(&world, ticket), None, "the venue shows a position");
    world.settle_for(60);
    assert_eq!(flat(&world, ticket), Some(vec![("BTC-PERP".to_owned(), "-2".to_owned())]));
}

#[test]
fn a_resume_stops_it_at_once() {
    let mut world = World::new();
    hold(&mut world, PERP, Side::Buy, "5");
    let ticket = world.flatten("all");
    let arrived = world.venue.arrivals.len();
    until_closing(&mut world);
    // It is on record and not signed yet.
    world.resume("all");
    assert_eq!(world.code(ticket), Some(Code::Halted));
    world.settle_for(60);
    assert_eq!(world.venue.arrivals.len(), arrived, "no order left");
    assert_eq!(closings(&world).len(), 1);
    assert!(world.core.state().positions().iter().next().is_some());
    assert!(world.core.state().calls.is_empty());
    world.check_replay();
}

#[test]
fn it_goes_on_after_a_restart() {
    for lost in [false, true] {
        let mut world = World::new();
        hold(&mut world, PERP, Side::Buy, "5");
        world.venue.depth = Some(d("2").raw());
        world.flatten("all");
        until_closing(&mut world);
        world.flush();
        world.sign(0);
        world.kill(lost);
        assert_eq!(status(&world, "all"), Some(Flatten::Closing));
        world.up();
        world.settle_for(30);
        assert_eq!(status(&world, "all"), Some(Flatten::Flat), "lost {lost}");
        assert_eq!(world.venue.position(&instrument(PERP)).0, d("0"));
        world.check();
        world.check_replay();
    }
}

#[test]
fn of_two_halts_the_later_word_holds() {
    // A halt that was there before does not keep a position from being closed.
    let mut world = World::new();
    hold(&mut world, PERP, Side::Buy, "5");
    let first = world.halt("account:main", false);
    world.settle_for(5);
    assert!(world.answers.contains_key(&first));
    let flatten = world.flatten("all");
    world.settle_for(5);
    assert!(flat(&world, flatten).is_some());

    // One that comes later does.
    let mut world = World::new();
    hold(&mut world, PERP, Side::Buy, "5");
    world.venue.depth = Some(d("1").raw());
    world.flatten("account:main");
    let later = world.halt("all", false);
    world.settle_for(20);
    assert!(world.answers.contains_key(&later), "it is proven");
    assert!(closings(&world).is_empty());
    assert!(why(&world, "account:main").contains("all was halted after account:main"));
    world.resume("all");
    world.settle_for(40);
    assert_eq!(status(&world, "account:main"), Some(Flatten::Flat));
}

#[test]
fn a_bought_option_goes_after_what_it_may_cover() {
    let mut world = World::new();
    hold(&mut world, OPTION, Side::Buy, "1");
    hold(&mut world, PERP, Side::Sell, "5");
    world.venue.depth = Some(d("3").raw());
    let ticket = world.flatten("all");
    world.settle_for(20);
    assert!(flat(&world, ticket).is_some(), "{}", why(&world, "all"));
    let order: Vec<_> = closings(&world).iter().map(|o| o.instrument.name.to_string()).collect();
    assert_eq!(order, [PERP, PERP, OPTION]);
}

#[test]
fn a_closing_order_without_an_answer_is_not_sent_again() {
    let mut world = World::new();
    hold(&mut world, PERP, Side::Buy, "5");
    let ticket = world.flatten("all");
    until_closing(&mut world);
    world.flush();
    world.sign(0);
    world.venue.depth = Some(d("3").raw());
    world.lose(0, true);
    world.venue.stream.clear();
    world.settle_for(40);
    assert_eq!(flat(&world, ticket), Some(vec![("BTC-PERP".to_owned(), "-5".to_owned())]));
    let sizes: Vec<_> = closings(&world).iter().map(|o| o.qty.0.to_string()).collect();
    assert_eq!(sizes, ["5", "2"], "the first one's trade was found out before the second");
}

/// Main is long 5, and eve of the owner's other account bids at `bid`.
fn beside_a_bid(mode: SelfTradeMode, bid: &str) -> (World, OrderId) {
    let mut world = World::with_other(mode);
    hold(&mut world, PERP, Side::Buy, "5");
    world.same_owner();
    world.place_on_other(buy("1", bid));
    world.settle();
    let order = world.core.state().orders().open().next().unwrap().id;
    (world, order)
}

/// Until an order that closes a position is on record, with all that happens meanwhile.
fn settle_until_closing(world: &mut World) {
    while closings(world).is_empty() {
        if !world.step() {
            world.pass(50);
        }
    }
}

#[test]
fn what_the_owner_s_other_account_bids_is_cancelled_before() {
    let (mut world, bid) = beside_a_bid(SelfTradeMode::Refuse, "99");
    let ticket = world.flatten("account:main");
    settle_until_closing(&mut world);
    assert!(!world.core.state().orders().get(bid).unwrap().is_open(), "it ended first");
    world.settle_for(10);
    assert_eq!(flat(&world, ticket), Some(vec![("BTC-PERP".to_owned(), "-5".to_owned())]));
    world.check();
    world.check_replay();
}

#[test]
fn a_bid_that_is_out_of_reach_or_of_an_account_that_may_trade_with_itself_stays() {
    for (mode, price) in [(SelfTradeMode::Refuse, "94"), (SelfTradeMode::Off, "99")] {
        let (mut world, bid) = beside_a_bid(mode, price);
        world.flatten("account:main");
        settle_until_closing(&mut world);
        assert!(world.core.state().orders().get(bid).unwrap().is_open(), "{mode:?} {price}");
    }
}

#[test]
fn no_position_stays_open_for_a_cancel_that_nobody_confirms() {
    let (mut world, bid) = beside_a_bid(SelfTradeMode::Refuse, "99");
    world.venue.deaf = 100;
    world.flatten("account:main");
    world.settle();
    while !why(&world, "account:main").contains("1 of its owner's orders") {
        world.pass(10);
        world.settle();
    }
    let began = world.now;
    world.pass(1_900);
    world.settle();
    assert!(closings(&world).is_empty());
    world.pass(200);
    assert_eq!(closings(&world).len(), 1);
    assert!(world.core.state().orders().get(bid).unwrap().is_open());
    assert!(world.now.since(began) <= Span::from_millis(2_100));
}

//! Each kind trips exactly at its limit.

use super::*;
use tidegate_types::ids::{TradeId, VenueOrderId};
use tidegate_types::instrument::{Qty, Usd};
use tidegate_types::policy::Liquidity;
use tidegate_types::report::{AccountEvent, FillReport};

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn loss_of_the_day() {
    let mut world = World::with([breaker("loss@all", "100")]);
    world.bought("ann", "10");
    world.priced("90.01");
    assert_eq!(world.tripped(), none());
    world.priced("90");
    assert_eq!(world.tripped(), ["loss@all all"]);
    assert_eq!(world.trips(), [(d("100"), d("100"))]);
    world.check_replay();
}

#[test]
fn the_price_that_it_traded_at_counts_and_so_does_yesterday_no_more() {
    let mut world = World::with([breaker("loss@each-account", "45")]);
    // Bought at 104 where the mark is 100: 4 are lost at once.
    world.live("ann", buy("10", "104"));
    world.venue.fill(1, d("10").raw());
    world.settle();
    let at = place("loss@each-account", "account:main");
    let lost = |world: &World| {
        world.core.state().breaker_measures(&at, world.now).map(|found| found.measured)
    };
    assert_eq!(lost(&world), Some(d("40")));
    let day = Span::from_secs(24 * 3600);
    world.now = world.now.plus(day);
    world.priced("99.6");
    assert_eq!(lost(&world), Some(d("4")), "the day before is over");
    assert_eq!(world.tripped(), none());
    world.check_replay();
}

#[test]
fn drawdown_from_the_highest_point() {
    let mut world = World::with([breaker("drawdown@each-caller", "100")]);
    world.bought("ann", "10");
    world.bought("bob", "1");
    world.priced("120");
    world.priced("110.01");
    assert_eq!(world.tripped(), none());
    world.priced("110");
    assert_eq!(world.tripped(), ["drawdown@each-caller caller:ann"]);
    assert_eq!(world.refused_to("ann", buy("1", "110")), Some(Code::BreakerTripped));
    assert_eq!(world.refused_to("bob", buy("1", "110")), None);
    world.check_replay();
}

#[test]
fn inverse_contracts_gain_in_dollars() {
    let mut world = World::with([breaker("loss@each-account", "100")]);
    world.live("ann", NewOrder { instrument: instrument(INVERSE), ..buy("1000", "100") });
    world.venue.fill(1, d("1000").raw());
    world.settle();
    let mark = |world: &mut World, price: &str| {
        world.now = world.now.plus(Span::from_millis(1000));
        let (mark, index) = (Price(d(price)), Price(d(price)));
        let marks = vec![Mark { instrument: instrument(INVERSE), mark, index, at: world.now }];
        world.event(Event::Marks { marks });
    };
    mark(&mut world, "90.5");
    assert_eq!(world.tripped(), none());
    mark(&mut world, "90");
    // A thousand dollars of it: 95 lost at first, 5.52… of the rest.
    assert_eq!(world.tripped(), ["loss@each-account account:main"]);
    world.check_replay();
}

#[test]
fn refusals_of_the_venue() {
    let mut world = World::with([Breaker { least: 4, ..breaker("rejects@each-caller", "50") }]);
    for refuse in [true, false, true] {
        world.venue.refuse = refuse;
        world.refused_to("ann", buy("1", "100"));
        assert_eq!(world.tripped(), none(), "too few");
    }
    world.venue.refuse = false;
    world.refused_to("ann", buy("1", "100"));
    assert_eq!(world.tripped(), ["rejects@each-caller caller:ann"]);
    assert_eq!(world.trips(), [(d("50"), d("50"))]);
    assert_eq!(world.refused_to("bob", buy("1", "100")), None);
    world.check_replay();
}

#[test]
fn refusals_of_the_gate() {
    let mut world = World::with([Breaker { least: 4, ..breaker("errors@each-caller", "75") }]);
    for price in ["200", "200", "100"] {
        world.refused_to("ann", buy("1", price));
    }
    assert_eq!(world.tripped(), none());
    // Further refusals of a kind are counted by the second.
    world.refused_to("ann", buy("1", "200"));
    world.pass(1500);
    assert_eq!(world.tripped(), ["errors@each-caller caller:ann"]);
    world.check_replay();
}

#[test]
fn what_is_refused_of_cancels_is_no_error() {
    let mut world = World::with([Breaker { least: 4, ..breaker("errors@each-caller", "50") }]);
    world.refused_to("ann", buy("1", "100"));
    for n in 0..20 {
        let ticket = world.cancel("ann", own(tidegate_types::ids::OrderId(1_000 + n)));
        world.settle();
        assert!(world.code(ticket).is_some(), "there is no such order");
    }
    world.pass(1500);
    assert_eq!(world.tripped(), none());
    for price in ["200"; 3] {
        world.refused_to("ann", buy("1", price));
    }
    world.pass(1500);
    assert_eq!(world.tripped(), ["errors@each-caller caller:ann"]);
    world.check_replay();
}

#[test]
fn trades_that_no_order_explains() {
    let mut world = World::with([breaker("stray-fills@each-account", "2")]);
    let stray = |world: &mut World, trade: &str| {
        let fill = FillReport {
            instrument: instrument(PERP),
            trade_id: TradeId::new(trade).unwrap(),
            client_id: None,
            venue_id: VenueOrderId::new("nobody's").unwrap(),
            side: Side::Buy,
            qty: Qty(d("1")),
            price: Price(d("100")),
            fee: Decimal::ZERO,
            fee_currency: None,
            maker: false,
            at: world.now,
        };
        world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Fill { fill } });
    };
    world.bought("ann", "1");
    stray(&mut world, "one");
    stray(&mut world, "one");
    assert_eq!(world.tripped(), none(), "the same trade counts once");
    stray(&mut world, "two");
    assert_eq!(world.tripped(), ["stray-fills@each-account account:main"]);
    world.check_replay();
}

#[test]
fn a_mark_that_jumps() {
    let jumps = Breaker { least: 10, ..breaker("mark-jump@each-instrument", "20") };
    let mut world = World::with([jumps]);
    for _ in 0..10 {
        world.priced("100");
    }
    // It stood still, so that its usual deviation counts as a thousandth of it.
    world.priced("101.9");
    assert_eq!(world.tripped(), none());
    world.priced("100");
    world.priced("102");
    assert_eq!(world.tripped(), ["mark-jump@each-instrument instrument:paper/BTC-PERP"]);
    assert_eq!(world.trips(), [(d("20"), d("20"))]);
    assert_eq!(world.refused_to("ann", buy("1", "100")), Some(Code::BreakerTripped));
    let other = NewOrder { instrument: instrument(INVERSE), ..buy("10", "100") };
    world.mark();
    assert_eq!(world.refused_to("ann", other), None, "other instruments go on");
    world.check_replay();
}

#[test]
fn a_mark_that_is_restless_jumps_farther() {
    let jumps = Breaker { least: 10, ..breaker("mark-jump@each-instrument", "3") };
    let mut world = World::with([jumps]);
    for n in 0..20 {
        world.priced(["99", "100", "101"][n % 3]);
    }
    world.priced("104.4");
    assert_eq!(world.tripped(), none(), "one is its usual distance: 4.4 are 2.96 deviations");
    world.priced("104.5");
    assert_eq!(world.tripped().len(), 1);
}

fn show(world: &mut World, bid: &str, ask: &str, depth: &str) {
    world.now = world.now.plus(Span::from_secs(5));
    let fact = Liquidity {
        instrument: instrument(PERP),
        bid: Some(Price(d(bid))),
        ask: Some(Price(d(ask))),
        bid_depth: Some(Usd(d("1000000"))),
        ask_depth: Some(Usd(d(depth))),
        volume: None,
        at: world.now,
    };
    world.event(Event::Liquidity { facts: vec![fact] });
}

#[test]
fn a_spread_that_stays_wide() {
    let wide = Breaker { least: 3, ..breaker("spread@each-instrument", "100") };
    let mut world = World::with([wide]);
    show(&mut world, "99", "101", "500");
    show(&mut world, "99.6", "100.4", "500");
    show(&mut world, "99.6", "100.4", "500");
    assert_eq!(world.tripped(), none(), "wide for a moment: the median is 80 bp");
    let mut world = World::with([Breaker { least: 3, ..breaker("spread@each-instrument", "100") }]);
    for _ in 0..2 {
        show(&mut world, "99.5", "100.5", "500");
        assert_eq!(world.tripped(), none(), "too few");
    }
    show(&mut world, "99.6", "100.4", "500");
    assert_eq!(world.tripped(), ["spread@each-instrument instrument:paper/BTC-PERP"]);
    assert_eq!(world.trips(), [(d("100"), d("100"))]);
    world.check_replay();
}

#[test]
fn a_book_that_is_thin() {
    let mut world = World::with([breaker("depth@each-instrument", "500")]);
    show(&mut world, "99", "101", "500.01");
    assert_eq!(world.tripped(), none());
    let mut world = World::with([breaker("depth@each-instrument", "500")]);
    show(&mut world, "99", "101", "500");
    assert_eq!(world.tripped(), ["depth@each-instrument instrument:paper/BTC-PERP"]);
}

#[test]
fn data_that_grows_old_without_a_word() {
    let mut world = World::with([breaker("data-age@each-venue", "15000")]);
    let wait = |world: &mut World, ms: u64| {
        let end = world.now.plus(Span::from_millis(ms));
        while let Some(due) = world.core.poll_timeout().filter(|due| *due <= end) {
            world.now = world.now.max(due);
            world.timers();
            world.settle();
        }
        world.now = end;
    };
    wait(&mut world, 60_000);
    assert_eq!(world.tripped(), none(), "nothing is held or ordered");
    world.mark();
    world.live("ann", buy("1", "100"));
    let marked = world.now;
    wait(&mut world, 14_900);
    assert_eq!(world.tripped(), none());
    wait(&mut world, 2_000);
    assert_eq!(world.tripped(), ["data-age@each-venue venue:paper"]);
    let (measured, _) = world.trips()[0];
    assert!(measured >= d("15000") && world.now.since(marked).millis() < 17_000, "{measured}");
    world.check_replay();
}

#[test]
fn an_option_may_be_quoted_seldom() {
    let mut world = World::with([breaker("data-age@each-venue", "15000")]);
    let option = NewOrder { instrument: instrument(OPTION), ..buy("1", "0.05") };
    world.live("ann", option);
    let marked = world.now;
    let place = place("data-age@each-venue", "venue:paper");
    for (after, age) in [(59_000, "0"), (74_000, "14000"), (75_000, "15000")] {
        let now = marked.plus(Span::from_millis(after));
        let found = world.core.state().breaker_measures(&place, now).unwrap();
        assert_eq!(found.measured, d(age), "after {after} ms");
    }
    let expiry = tidegate_types::time::Time::from_millis(1_800_000_000_000);
    let found = world.core.state().breaker_measures(&place, expiry.plus(Span::from_secs(1)));
    assert!(found.is_none(), "what has expired has no marks");
}

#[test]
fn answers_that_take_long() {
    let slow = Breaker { least: 2, ..breaker("latency@each-venue", "3000") };
    let mut world = World::with([slow]);
    let answered_after = |world: &mut World, ms: u64| {
        world.place("ann", buy("1", "100"));
        world.flush();
        world.sign(0);
        let call = world.to_send.remove(0);
        world.event(Event::Sent { call: call.id });
        let outcome = world.venue.arrive(&call.body, world.now);
        world.now = world.now.plus(Span::from_millis(ms));
        world.reply(call.id, outcome);
        world.settle();
        world.mark();
    };
    answered_after(&mut world, 2000);
    answered_after(&mut world, 2999);
    assert_eq!(world.tripped(), none());
    answered_after(&mut world, 3000);
    assert_eq!(world.tripped(), ["latency@each-venue venue:paper"]);
    assert_eq!(world.trips(), [(d("3000"), d("3000"))]);
    world.check_replay();
}

#[test]
fn answers_that_do_not_come() {
    let silent = Breaker { least: 3, ..breaker("venue-errors@each-account", "60") };
    let mut world = World::with([silent]);
    for lost in [true, false] {
        world.place("ann", buy("1", "100"));
        world.flush();
        world.sign(0);
        if lost {
            world.lose(0, false);
        } else {
            world.deliver(0);
        }
    }
    assert_eq!(world.tripped(), none());
    world.place("ann", buy("1", "100"));
    world.flush();
    world.sign(0);
    world.lose(0, true);
    assert_eq!(world.tripped(), ["venue-errors@each-account account:main"]);
    assert_eq!(world.journal.iter().filter(|r| matches!(r.body, Body::Sent { .. })).count(), 3);
    world.check_replay();
}

#[test]
fn a_clock_that_is_off_for_certain() {
    let mut world = World::with([breaker("clock-skew@each-venue", "500")]);
    let measured = |world: &mut World, ahead: i64, give: u64| {
        world.now = world.now.plus(Span::from_secs(61));
        let (venue, give) = (name(VENUE), Span::from_millis(give));
        world.event(Event::ClockMeasured { venue, ahead, give });
    };
    measured(&mut world, 999_999, 500);
    measured(&mut world, -549_999, 50);
    assert_eq!(world.tripped(), none(), "it may be less");
    measured(&mut world, -550_000, 50);
    assert_eq!(world.tripped(), ["clock-skew@each-venue venue:paper"]);
    assert_eq!(world.trips(), [(d("500"), d("500"))]);
    let clock = world.core.state().clocks()[&name(VENUE)];
    assert_eq!((clock.ahead, clock.apart()), (-550_000, Span::from_millis(600)));
    world.check_replay();
}

#[test]
fn the_same_order_again_and_again() {
    let mut world = World::with([breaker("repeats@each-caller", "3")]);
    let tried = ["1", "2", "1", "2", "1"].map(|qty| world.refused_to("ann", buy(qty, "200")));
    assert_eq!(tried, [Some(Code::PriceCollar); 5], "what was refused is no repeat");
    let tried = ["1", "2", "1", "2", "1"].map(|qty| world.refused_to("ann", buy(qty, "99")));
    // The third of one trips it, and has not left by then.
    assert_eq!(tried, [None, None, None, None, Some(Code::BreakerTripped)]);
    assert_eq!(world.tripped(), ["repeats@each-caller caller:ann"]);
    assert_eq!(world.refused_to("ann", buy("3", "99")), Some(Code::BreakerTripped));
    assert_eq!(world.refused_to("bob", buy("1", "99")), None);
    world.check_replay();
}

#[test]
fn options_leap_and_are_not_measured_by_that() {
    let jumps = Breaker { least: 3, ..breaker("mark-jump@each-instrument", "20") };
    let mut world = World::with([jumps]);
    for premium in ["0.05", "0.05", "0.05", "0.05", "0.5"] {
        world.now = world.now.plus(Span::from_millis(1000));
        let (mark, index) = (Price(d(premium)), Price(d("100")));
        let marks = vec![Mark { instrument: instrument(OPTION), mark, index, at: world.now }];
        world.event(Event::Marks { marks });
    }
    assert_eq!(world.tripped(), none());
    let measured =
        world.core.state().breakers().places(&"mark-jump@each-instrument".parse().unwrap());
    let of_option = measured.iter().filter(|place| place.scope.to_string().contains(OPTION));
    assert_eq!(of_option.count(), 0);
}

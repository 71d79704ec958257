//! What covers sold options is not taken off past their limits, collateral falls with its coin, and refusals tell
//! whose limit it is and by how much.

use super::*;
use crate::action::Answer;
use tidegate_types::grant::AccountLimits;
use tidegate_types::record::RULES;

const COVERED: &str = "300";

/// Twelve futures bought as cover of 24 calls sold, which have a limit on their delta.
fn covered() -> World {
    let mut world = World::with_options("1000", |limits| limits.max_delta = most(COVERED));
    let limits = AccountLimits {
        max_open_notional: Usd(d("100000")),
        max_position_notional: Usd(d("100000")),
        max_exposure: Usd(d("100000")),
        ..limits()
    };
    world.change(Change::LimitsSet { limits });
    world.pass(1_000);
    world.quote("0.1");
    for _ in 0..6 {
        world.trades(buy("2", "100"));
        world.trades(of(OPTION, Side::Sell, "4", "0.05"));
    }
    world
}

fn text(world: &World, ticket: tidegate_types::ids::Ticket) -> String {
    match &world.answers[&ticket] {
        Answer::Refused { reject } => reject.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_futures_that_cover_sold_options_are_not_taken_off_past_their_limits() {
    let mut world = covered();
    let delta = |world: &World| world.core.state().options_of(&name(MAIN)).unwrap().weighed.delta;
    assert!(delta(&world) <= Usd(d(COVERED)), "{:?}", delta(&world));
    assert_eq!(world.tries(sell("12", "100")), Some(Code::OptionDelta));
    let reducing = NewOrder { reduce_only: true, ..sell("12", "100") };
    assert_eq!(world.tries(reducing), Some(Code::OptionDelta));
    // What was sold may be bought back, whatever it covers.
    assert_eq!(world.tries(of(OPTION, Side::Buy, "24", "0.05")), None);
}

#[test]
fn futures_that_cover_nothing_are_taken_off_whatever_the_limits() {
    let mut world = World::with_options("1000", |_| {});
    world.trades(buy("2", "100"));
    let mut tight = open();
    tight.max_delta = most("1");
    tight.max_margin_bps = 1;
    world.change(Change::OptionLimitsSet { limits: tight });
    assert_eq!(world.tries(buy("1", "100")), Some(Code::OptionDelta));
    assert_eq!(world.tries(sell("2", "100")), None);
}

#[test]
fn coins_that_stand_for_what_is_settled_in_dollars_fall_along() {
    // A future of 100 dollars loses 16 where what stands for it has lost 16 of a hundred.
    let mut world = World::with_options("0.191", |_| {});
    world.trades(buy("1", "100"));
    world.now = world.now.plus(Span::from_secs(1));
    let (mark, index) = (Price(d("84")), Price(d("84")));
    let fallen = Mark { instrument: instrument(PERP), mark, index, at: world.now };
    world.event(Event::Marks { marks: vec![fallen] });
    let equity = world.core.state().options_of(&name(MAIN)).unwrap().equity.unwrap();
    assert!(Usd::default() <= equity && equity < Usd(d("0.1")), "{equity}");
    assert_eq!(tried("0.19", |_| {}, buy("1", "100")), Some(Code::ScenarioMargin));
}

#[test]
fn refusals_tell_the_limit_whose_it_is_and_by_how_much_it_is_passed() {
    let mut world = World::with_options("0.15", |limits| limits.max_delta = most("150"));
    let delta = world.place("ann", buy("2", "100"));
    let margin = world.place("ann", buy("1", "100"));
    world.settle();
    let told = text(&world, delta);
    let of = format!("option delta of account main, rules v{RULES}");
    let full = format!("{of}: 200 > 150 USD (over by 50); 0 before this order");
    assert!(told.ends_with(&full), "{told}");
    let told = text(&world, margin);
    assert!(told.ends_with("USD (over by 3.4); 0 before this order, 10000 bp of 12.6"), "{told}");
}

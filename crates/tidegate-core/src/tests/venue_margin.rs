//! What a venue says of an account's margin: when it is put on record, what it comes to in dollars, and when it
//! is above ours.

use super::options;
use super::world::*;
use tidegate_types::instrument::Usd;
use tidegate_types::record::{Body, Change};
use tidegate_types::report::BalanceReport;
use tidegate_types::time::Span;
use tidegate_types::venue_margin::VenueMargin;

fn margin(asset: &str, equity: &str, initial: &str, maintenance: &str) -> VenueMargin {
    VenueMargin {
        asset: name(asset),
        model: Some("segregated_sm".to_owned()),
        equity: d(equity),
        initial: d(initial),
        maintenance: d(maintenance),
        available: None,
        projected_initial: None,
        projected_maintenance: None,
        greeks: None,
    }
}

impl World {
    /// The venue shows this at the next look; how many records that makes.
    fn shows(&mut self, margins: Vec<VenueMargin>) -> usize {
        self.venue.margins = margins;
        let before = self.margins_told();
        self.looks();
        self.margins_told() - before
    }

    /// Has the account looked at once more.
    fn looks(&mut self) {
        let mut out = Vec::new();
        self.core.ask_anew(&name(MAIN), self.now, &mut out);
        self.carry_out(out);
        self.settle();
    }

    fn margins_told(&self) -> usize {
        let told = |body: &Body| matches!(body, Body::MarginTold { .. });
        self.journal.iter().filter(|record| told(&record.body)).count()
    }
}

#[test]
fn it_is_on_record_when_it_moved_or_after_a_minute() {
    let mut world = World::new();
    assert_eq!(world.shows(Vec::new()), 0, "nothing is told");
    assert_eq!(world.shows(vec![margin("USD", "1000", "100", "50")]), 1);
    assert_eq!(world.shows(vec![margin("USD", "1009", "101", "50.5")]), 0, "by a hundredth");
    assert_eq!(world.shows(vec![margin("USD", "1009", "101", "50.6")]), 1);
    assert_eq!(world.shows(vec![margin("USD", "990", "101", "50.6")]), 1);
    world.now = world.now.plus(Span::from_secs(60));
    assert_eq!(world.shows(vec![margin("USD", "990", "101", "50.6")]), 1, "its age is known");
    assert_eq!(world.core.state().venue_margin_of(&name(MAIN)).unwrap().at, world.now);
    assert_eq!(world.shows(Vec::new()), 1);
    assert_eq!(world.core.state().venue_margin_of(&name(MAIN)), None);
    world.check_replay();
}

#[test]
fn what_is_told_in_coin_is_added_up_in_dollars_against_the_account() {
    let mut world = World::new();
    // A coin is worth 100 dollars.
    world.shows(vec![margin("BTC", "2", "0.5", "0.25"), margin("USDC", "10", "4", "3")]);
    let standing = world.core.state().venue_margin_of(&name(MAIN)).unwrap();
    let total = standing.total.unwrap();
    assert_eq!(total.equity, Usd(d("210")));
    assert_eq!((total.initial, total.maintenance), (Usd(d("54")), Usd(d("28"))));
    assert_eq!(standing.margins.len(), 2);
    assert_eq!(standing.above, None, "nothing is counted here to compare with");
    world.shows(vec![margin("BTC", "2", "0.5", "0.25"), margin("DOGE", "10", "4", "3")]);
    let standing = world.core.state().venue_margin_of(&name(MAIN)).unwrap();
    assert_eq!((standing.total, standing.margins.len()), (None, 2), "a coin of no known price");
}

#[test]
fn more_than_a_tenth_above_ours_is_told() {
    let mut world = World::new();
    let limits = options::open();
    world.change(Change::OptionLimitsSet { limits });
    let above = |world: &mut World, maintenance: &str| {
        world.shows(vec![margin("USD", "1000", "1000", maintenance)]);
        world.core.state().venue_margin_of(&name(MAIN)).unwrap().above
    };
    // Nothing is held: a dollar is let pass.
    assert_eq!(above(&mut world, "1"), None);
    assert_eq!(above(&mut world, "1.5"), Some(Usd(d("1.5"))));
    let balances = vec![BalanceReport { asset: name("BTC"), amount: d("9") }];
    world.venue.balances.clone_from(&balances);
    let taken = Body::BalancesTaken { account: name(MAIN), balances, untold: false };
    let mut out = Vec::new();
    world.core.append(taken, world.now, &mut out);
    world.carry_out(out);
    world.live("ann", buy("1", "100"));
    let ours = world.core.state().options_of(&name(MAIN)).unwrap().weighed.margin.0;
    assert!(
        ours >= d("16") && ours < d("16.1"),
        "a future of 100 dollars may lose 16 of them: {ours}"
    );
    assert_eq!(above(&mut world, "17.6"), None);
    assert_eq!(above(&mut world, "18"), Some(Usd(d("18").sub(ours).unwrap())));
    world.check_replay();
}

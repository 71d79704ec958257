//! The venue's own halts and bands of prices, obeyed before anything is sent.

use super::world::*;
use crate::event::Event;
use tidegate_types::instrument::Price;
use tidegate_types::order::{NewOrder, OrderType, Side};
use tidegate_types::record::Body;
use tidegate_types::reject::Code;
use tidegate_types::venue_terms::{PriceBand, Trading, VenueTerms};

impl World {
    fn told(&mut self, trading: Option<Trading>, band: Option<PriceBand>) {
        let at = self.now;
        let terms = vec![VenueTerms { instrument: instrument(PERP), trading, band, at }];
        self.event(Event::VenueTerms { terms });
    }

    fn readings(&self) -> usize {
        self.journal.iter().filter(|r| matches!(r.body, Body::VenueTermsRead { .. })).count()
    }
}

fn prices(lowest: &str, highest: &str) -> Option<PriceBand> {
    Some(PriceBand::Prices { lowest: Price(d(lowest)), highest: Price(d(highest)) })
}

#[test]
fn a_venue_s_halt_refuses_orders_and_lets_cancels_pass() {
    for trading in [Trading::Halted, Trading::Settling, Trading::Closed] {
        let mut world = World::new();
        let open = world.live("ann", buy("1", "100"));
        world.told(Some(trading), None);
        let new = world.place("bob", buy("1", "100"));
        assert_eq!(world.code(new), Some(Code::VenueHalt));
        let change = world.amend("ann", open, Some("2"), None);
        assert_eq!(world.code(change), Some(Code::VenueHalt));
        let elsewhere =
            world.place("bob", NewOrder { instrument: instrument(INVERSE), ..buy("10", "100") });
        assert_eq!(world.code(elsewhere), None);
        world.cancel("ann", own(open));
        world.settle();
        assert!(!world.core.state().orders().get(open).unwrap().is_open());
        world.told(Some(Trading::Open), None);
        let again = world.place("bob", buy("1", "100"));
        assert_eq!(world.code(again), None);
        world.check_replay();
    }
}

#[test]
fn a_band_binds_the_side_that_costs() {
    let mut world = World::new();
    world.told(None, prices("99", "101"));
    let code = |world: &mut World, order| {
        let ticket = world.place("ann", order);
        world.code(ticket)
    };
    assert_eq!(code(&mut world, buy("1", "101")), None);
    assert_eq!(code(&mut world, buy("1", "101.1")), Some(Code::VenueBand));
    assert_eq!(code(&mut world, sell("1", "99")), None);
    assert_eq!(code(&mut world, sell("1", "98.9")), Some(Code::VenueBand));
    assert_eq!(code(&mut world, buy("1", "50")), None);
    let market = NewOrder { order_type: OrderType::Market, price: None, ..buy("1", "100") };
    assert_eq!(code(&mut world, market), None);
    // A band that nobody told anew for a minute is not known any more.
    world.pass(61_000);
    assert_eq!(code(&mut world, buy("1", "101.1")), None);
    world.check_replay();
}

#[test]
fn a_band_of_the_mark_moves_with_it() {
    let mut world = World::new();
    world.told(Some(Trading::Open), Some(PriceBand::OfMark { down: d("0.97"), up: d("1.03") }));
    world.live_through(600_000);
    let up = world.place("ann", buy("1", "103"));
    assert_eq!(world.code(up), None);
    let over = world.place("ann", buy("1", "103.1"));
    assert_eq!(world.code(over), Some(Code::VenueBand));
    let down = world.place("bob", sell("1", "96.9"));
    assert_eq!(world.code(down), Some(Code::VenueBand));
}

#[test]
fn readings_are_records_when_they_are_news() {
    let mut world = World::new();
    let of_mark = Some(PriceBand::OfMark { down: d("0.9"), up: d("1.1") });
    world.told(Some(Trading::Open), of_mark);
    world.told(Some(Trading::Open), of_mark);
    assert_eq!(world.readings(), 1);
    world.told(Some(Trading::Halted), of_mark);
    assert_eq!(world.readings(), 2, "a halt is news at once");
    world.told(None, prices("99", "101"));
    for _ in 0..20 {
        world.pass(1000);
        world.told(None, prices("99", "101.5"));
    }
    // The first, and one each ten seconds.
    assert_eq!(world.readings(), 5);
    let unknown = VenueTerms {
        instrument: instrument("NONE"),
        trading: Some(Trading::Halted),
        band: None,
        at: world.now,
    };
    world.event(Event::VenueTerms { terms: vec![unknown] });
    assert_eq!(world.readings(), 5);
    let sells = NewOrder { side: Side::Sell, ..buy("1", "100") };
    let halted = world.place("ann", sells);
    assert_eq!(world.code(halted), Some(Code::VenueHalt));
}

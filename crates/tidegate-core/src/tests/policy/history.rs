//! Random histories against what the venue itself shows.

use super::*;

/// What the venue shows of plain orders: how many, what they are worth at worst, and to what the position
/// may come on each side.
fn at_venue(world: &World) -> (usize, Decimal, Decimal) {
    let plain = || world.venue.open().filter(|(_, o)| o.reduce_only == Some(false));
    let mut worth = Decimal::ZERO;
    for (_, order) in plain() {
        let left = order.qty.0.raw() - order.filled.0.raw();
        let price = order.price.unwrap_or_default();
        let unit = if order.side == Side::Buy { price } else { price.max(Price(d("100"))) };
        let value = Decimal::from_raw(left).mul(unit.0, tidegate_types::Rounding::Ceil).unwrap();
        worth = worth.add(value).unwrap();
    }
    let most = worst_at_venue(world, Side::Buy).max(worst_at_venue(world, Side::Sell));
    (plain().count(), worth, most)
}

fn history(steps: &[Step]) {
    let rules = || {
        vec![
            hard("count", Limit::OpenOrders { max: 6 }),
            hard("open", Limit::OpenNotional { max: usd("1500") }),
            Rule { each: Each::Caller, ..hard("own", Limit::OpenNotional { max: usd("900") }) },
            hard("gross", Limit::GrossPosition { max: usd("2000") }),
            hard("net", Limit::NetPosition { max: usd("1800") }),
            Rule { each: Each::Account, ..hard("day", Limit::DailyTraded { max: usd("9000") }) },
            hard("rate", Limit::MessageRate { max: 40, window: Span::from_secs(1) }),
        ]
    };
    let mut world = world(rules());
    let beside = policy(1, vec![hard("tight", Limit::OpenOrders { max: 2 })]);
    world.change(Change::ShadowSet { policy: beside });
    for what in steps {
        step(&mut world, *what);
        world.check();
        let (count, worth, most) = at_venue(&world);
        assert!(count <= 6, "{count} plain orders are open at the venue");
        assert!(worth <= d("1500"), "orders worth {worth} are open at the venue");
        // Net is the tighter of the two; marks stay at 100, prices may be 104.
        assert!(most <= d("18"), "the position may come to {most}");
    }
    world.check_replay();
    world.venue.refuse = false;
    world.settle_for(90);
    world.halt("all", false);
    world.settle_for(90);
    assert_eq!(world.venue.open().count(), 0);
    world.check();
    world.check_replay();
    let left = world.core.state().policy_usage(world.now);
    let position = world.core.state().positions().book(&name(MAIN), &instrument(PERP)).position();
    let held = Usd(position.0.abs().mul(d("100"), tidegate_types::Rounding::Ceil).unwrap());
    for usage in left {
        let expected = match usage.measure.rule.as_str() {
            "count" | "open" | "own" => Decimal::ZERO,
            "gross" | "net" => held.0,
            _ => continue,
        };
        assert_eq!(usage.measure.measured, expected, "{} leaks", usage.measure);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..Default::default() })]
    #[test]
    fn no_interleaving_exceeds_a_limit_or_leaks(
        steps in prop::collection::vec((0_u8..59, any::<u8>(), any::<u8>()), 1..200)
    ) {
        history(&steps);
    }
}

//! Random histories against what the venue itself shows.

use super::*;

/// How many plain orders the venue shows.
fn count_at_venue(world: &World) -> usize {
    world.venue.open().filter(|(_, order)| order.reduce_only == Some(false)).count()
}

/// To what positions may come on a side, summed over both venues.
fn net(world: &World, side: Side) -> Decimal {
    let [here, there] = [instrument(PERP), away_perp()].map(|of| worst_at_venue(world, &of, side));
    here.add(there).unwrap()
}

/// The same, each venue with its worse side.
fn gross(world: &World) -> Decimal {
    let [here, there] = [instrument(PERP), away_perp()].map(|of| {
        let [buys, sells] = [Side::Buy, Side::Sell].map(|side| worst_at_venue(world, &of, side));
        buys.max(sells)
    });
    here.add(there).unwrap()
}

/// A history at one venue, or with accounts at two that share every limit.
fn history(steps: &[Step], is_away: bool) {
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
    if is_away {
        world.go_away();
    }
    for what in steps {
        step(&mut world, *what);
        world.check();
        let (count, worth) = (count_at_venue(&world), worth_at_venue(&world));
        assert!(count <= 6, "{count} plain orders are open");
        assert!(worth <= d("1500"), "orders worth {worth} are open");
        // Marks stay at 100, prices may be 104.
        for side in [Side::Buy, Side::Sell] {
            let net = net(&world, side);
            assert!(net <= d("18"), "the position may come to {net}");
        }
        let gross = gross(&world);
        assert!(gross <= d("20"), "positions may come to {gross}");
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
    let books = world.core.state().positions();
    let here = books.book(&name(MAIN), &instrument(PERP)).position().0;
    let there = books.book(&name(AWAY), &away_perp()).position().0;
    let usd = |qty: Decimal| qty.mul(d("100"), tidegate_types::Rounding::Ceil).unwrap();
    let gross = usd(here.abs().add(there.abs()).unwrap());
    let net = usd(here.add(there).unwrap().abs());
    for usage in left {
        let expected = match usage.measure.rule.as_str() {
            "count" | "open" | "own" => Decimal::ZERO,
            "gross" => gross,
            "net" => net,
            _ => continue,
        };
        assert_eq!(usage.measure.measured, expected, "{} leaks", usage.measure);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..Default::default() })]
    #[test]
    fn no_interleaving_exceeds_a_limit_or_leaks(
        steps in prop::collection::vec((0_u8..61, any::<u8>(), any::<u8>()), 1..200)
    ) {
        history(&steps, false);
    }

    #[test]
    fn accounts_at_two_venues_share_a_limit(
        steps in prop::collection::vec((0_u8..61, any::<u8>(), any::<u8>()), 1..200)
    ) {
        history(&steps, true);
    }
}

//! What limits of options let through and what they refuse, and that a portfolio is counted alike however it came
//! about.

use super::world::*;
use crate::event::Event;
use proptest::prelude::*;
use tidegate_types::Decimal;
use tidegate_types::instrument::*;
use tidegate_types::options::{OptionLimits, OptionQuote, Stress};
use tidegate_types::order::{NewOrder, Side};
use tidegate_types::record::{Body, Change};
use tidegate_types::reject::Code;
use tidegate_types::report::BalanceReport;
use tidegate_types::time::{Span, Time};

mod cover;

/// Wide open: only what a test narrows refuses.
pub(in crate::tests) fn open() -> OptionLimits {
    OptionLimits {
        account: name(MAIN),
        max_delta: None,
        max_gamma: None,
        max_vega: None,
        max_theta: None,
        max_net_short: None,
        max_margin_bps: 10_000,
        stress: Stress::STANDARD,
    }
}

pub(in crate::tests) fn of(text: &str, side: Side, qty: &str, price: &str) -> NewOrder {
    NewOrder { instrument: instrument(text), ..limit(side, qty, price) }
}

impl World {
    /// An account with so many coins of 100 dollars and these limits for its options.
    pub(in crate::tests) fn with_options(
        coins: &str,
        limits: impl FnOnce(&mut OptionLimits),
    ) -> World {
        let mut world = World::new();
        let balances = vec![BalanceReport { asset: name("BTC"), amount: d(coins) }];
        let taken = Body::BalancesTaken { account: name(MAIN), balances, untold: false };
        let mut out = Vec::new();
        world.core.append(taken, world.now, &mut out);
        world.carry_out(out);
        let mut set = open();
        limits(&mut set);
        world.change(Change::OptionLimitsSet { limits: set });
        world.quote("0.6");
        world
    }

    pub(in crate::tests) fn quote(&mut self, volatility: &str) {
        let quote = OptionQuote {
            instrument: instrument(OPTION),
            forward: Price(d("100")),
            volatility: d(volatility),
            greeks: None,
            at: self.now,
        };
        self.event(Event::OptionQuotes { quotes: vec![quote] });
    }

    pub(in crate::tests) fn tries(&mut self, order: NewOrder) -> Option<Code> {
        let ticket = self.place("ann", order);
        self.code(ticket)
    }

    /// Has the newest order traded in full.
    pub(in crate::tests) fn trades(&mut self, order: NewOrder) {
        let qty = order.qty.0.raw();
        self.live("ann", order);
        let newest = *self.venue.open().map(|(id, _)| id).max().unwrap();
        self.venue.fill(newest, qty);
        self.settle();
    }
}

fn tried(coins: &str, limits: impl FnOnce(&mut OptionLimits), order: NewOrder) -> Option<Code> {
    World::with_options(coins, limits).tries(order)
}

fn most(most: &str) -> Option<Usd> {
    Some(Usd(d(most)))
}

#[test]
fn sensitivities_are_limited() {
    let sells = || of(OPTION, Side::Sell, "1", "0.05");
    assert_eq!(tried("100", |_| {}, sells()), None);
    // A call at the money with three years to go and 60 %: delta 0.7, less the premium of 0.4, of 100 dollars.
    assert_eq!(tried("100", |l| l.max_delta = most("29"), sells()), Some(Code::OptionDelta));
    assert_eq!(tried("100", |l| l.max_delta = most("31"), sells()), None);
    assert_eq!(tried("100", |l| l.max_gamma = most("0"), sells()), Some(Code::OptionGamma));
    assert_eq!(tried("100", |l| l.max_vega = most("0.5"), sells()), Some(Code::OptionVega));
    assert_eq!(tried("100", |l| l.max_vega = most("0.7"), sells()), None);
    assert_eq!(tried("100", |l| l.max_theta = most("0.001"), sells()), Some(Code::OptionTheta));
    // A future has a delta, too, and nothing else.
    assert_eq!(
        tried("100", |l| l.max_delta = most("99"), buy("1", "100")),
        Some(Code::OptionDelta)
    );
    assert_eq!(tried("100", |l| l.max_vega = most("0"), buy("1", "100")), None);
}

#[test]
fn what_is_sold_of_an_expiry_is_limited() {
    let mut world = World::with_options("100", |l| l.max_net_short = Some(Qty(d("2"))));
    world.trades(of(OPTION, Side::Buy, "1", "0.05"));
    assert_eq!(world.tries(of(OPTION, Side::Sell, "3", "0.05")), None);
    assert_eq!(world.tries(of(OPTION, Side::Sell, "0.1", "0.05")), Some(Code::NetShortOptions));
    assert_eq!(world.tries(of(OPTION, Side::Buy, "0.1", "0.05")), None);
}

#[test]
fn what_is_sold_beside_resting_orders_that_reduce_is_sold_short() {
    // Only what is added for options sold differs: a tenth of what lies under them.
    let margin = |short_bps, sold: &str| {
        let mut world = World::with_options("1000", |limits| limits.stress.short_bps = short_bps);
        world.trades(of(OPTION, Side::Buy, "5", "0.05"));
        let reducing = NewOrder { reduce_only: true, ..of(OPTION, Side::Sell, "5", "0.06") };
        assert_eq!(world.tries(reducing), None);
        if sold != "0" {
            assert_eq!(world.tries(of(OPTION, Side::Sell, sold, "0.06")), None);
        }
        world.check();
        world.core.state().options_of(&name(MAIN)).unwrap().weighed.margin.0
    };
    for (sold, added) in [("0", "0"), ("2", "20"), ("5", "50")] {
        let more = margin(1_000, sold).sub(margin(0, sold)).unwrap();
        assert_eq!(more, d(added), "with {sold} sold beside");
    }
}

#[test]
fn the_worst_scenario_may_take_a_part_of_the_equity() {
    // A future of 100 dollars may lose 16 of them, and what stands for it falls by as much.
    assert_eq!(tried("0.2", |_| {}, buy("1", "100")), None);
    assert_eq!(tried("0.15", |_| {}, buy("1", "100")), Some(Code::ScenarioMargin));
    assert_eq!(
        tried("0.2", |l| l.max_margin_bps = 5_000, buy("1", "100")),
        Some(Code::ScenarioMargin)
    );
    assert_eq!(tried("0.39", |l| l.max_margin_bps = 5_000, buy("1", "100")), None);
    // What is paid beyond the mark is lost at once.
    assert_eq!(tried("0.2", |_| {}, buy("1", "105")), Some(Code::ScenarioMargin));
    assert_eq!(tried("0", |_| {}, of(OPTION, Side::Sell, "1", "0.05")), Some(Code::ScenarioMargin));
}

#[test]
fn open_orders_count_at_their_worst_fill() {
    let mut world = World::with_options("0.39", |_| {});
    assert_eq!(world.tries(buy("1", "100")), None);
    // Selling as much hedges only if both trade: one alone is what both may come to.
    assert_eq!(world.tries(sell("2", "100")), None);
    assert_eq!(world.tries(buy("2", "100")), Some(Code::ScenarioMargin));
}

#[test]
fn what_a_resting_order_pays_beyond_the_mark_counts_for_as_long_as_it_rests() {
    // Fifty dollars in coin count as 42 after the fall.
    let mut world = World::with_options("0.5", |_| {});
    let margin = |world: &World| world.core.state().options_of(&name(MAIN)).unwrap().weighed.margin;
    let resting = world.live("ann", buy("1", "103"));
    assert_eq!(margin(&world), Usd(d("19")), "16, and 3 of the price");
    assert_eq!(world.tries(buy("1.5", "100")), Some(Code::ScenarioMargin), "24 and 19");
    assert_eq!(world.tries(buy("1.4", "100")), None, "22.4 and 19");
    let higher = world.amend("ann", resting, None, Some("104"));
    assert_eq!(world.code(higher), Some(Code::ScenarioMargin), "one more");
    world.amend("ann", resting, None, Some("100"));
    world.settle();
    assert_eq!(margin(&world), Usd(d("38.4")));
    world.cancel("ann", own(resting));
    world.settle();
    assert_eq!(margin(&world), Usd(d("22.4")));
    world.check();
    world.check_replay();
}

#[test]
fn what_has_no_fresh_figures_is_added_to_by_nothing() {
    let mut world = World::with_options("100", |_| {});
    world.trades(of(OPTION, Side::Buy, "2", "0.05"));
    world.pass(59_000);
    assert_eq!(world.tries(buy("1", "100")), None);
    // Marks go on, and stand in for the quote that does not.
    world.pass(60_000);
    assert_eq!(world.tries(buy("1", "100")), None);
    let perp = world.core.state().marks()[&instrument(PERP)].clone();
    world.now = world.now.plus(Span::from_secs(61));
    world.event(Event::Marks { marks: vec![Mark { at: world.now, ..perp }] });
    assert_eq!(world.tries(buy("1", "100")), Some(Code::StaleMark), "exposure counts it, too");
    assert_eq!(world.tries(of(OPTION, Side::Sell, "1", "0.05")), None, "it reduces");
}

#[test]
fn selling_a_bought_option_reduces_unless_the_margin_rises() {
    let mut world = World::with_options("100", |_| {});
    world.now = world.now.plus(Span::from_secs(1));
    world.quote("0.1");
    world.trades(of(OPTION, Side::Buy, "4", "0.05"));
    let mut none = limits();
    none.max_order_notional = Usd::default();
    world.change(Change::LimitsSet { limits: none.clone() });
    assert_eq!(world.tries(of(OPTION, Side::Sell, "1", "0.05")), None, "alone it reduces");
    world.change(Change::LimitsSet { limits: limits() });
    let open: Vec<_> = world.core.state().orders().open().map(|order| order.id).collect();
    for id in open {
        world.cancel("ann", own(id));
    }
    world.settle();
    // Two coins sold: the calls cover what a rise would cost.
    world.trades(sell("2", "100"));
    world.change(Change::LimitsSet { limits: none });
    assert_eq!(
        world.tries(of(OPTION, Side::Sell, "4", "0.05")),
        Some(Code::OrderNotional),
        "it would bare the coins that are sold"
    );
}

#[test]
fn what_futures_lost_is_taken_off_the_equity_and_what_they_won_is_not_added() {
    let mut world = World::with_options("0.5", |_| {});
    world.trades(buy("1", "100"));
    let mut equity_at = |mark: &str| {
        world.now = world.now.plus(Span::from_secs(1));
        let perp = world.core.state().marks()[&instrument(PERP)].clone();
        let mark = Mark { mark: Price(d(mark)), at: world.now, ..perp };
        world.event(Event::Marks { marks: vec![mark] });
        world.core.state().options_of(&name(MAIN)).unwrap().equity
    };
    assert_eq!(equity_at("100"), most("50"));
    assert_eq!(equity_at("80"), most("30"));
    assert_eq!(equity_at("120"), most("50"));
    assert_eq!(equity_at("60"), most("10"));
    assert_eq!(world.tries(buy("0.5", "60")), Some(Code::ScenarioMargin));
    world.check_replay();
}

#[test]
fn without_limits_for_options_nothing_is_asked_and_no_quote_is_kept() {
    let mut world = World::new();
    world.quote("0.6");
    assert!(world.core.state().option_quotes.is_empty());
    assert_eq!(world.tries(of(OPTION, Side::Sell, "10", "0.05")), None);
    world.check_replay();
}

#[test]
fn the_numbers_are_on_record_before_the_order() {
    let mut world = World::with_options("100", |_| {});
    world.trades(of(OPTION, Side::Sell, "1", "0.05"));
    let bodies: Vec<_> = world.journal.iter().map(|record| &record.body).collect();
    let at = bodies.iter().position(|body| matches!(body, Body::Cleared { .. })).unwrap();
    let Body::OptionsWeighed { order, figures } = bodies[at - 1] else {
        panic!("{:?}", bodies[at - 1]);
    };
    assert!(matches!(bodies[at], Body::Cleared { order: cleared, .. } if cleared == order));
    assert_eq!(figures.equity, Usd(d("10000")));
    assert!(figures.margin > Usd(d("10")) && figures.delta > Usd(d("29")), "{figures:?}");
    let standing = world.core.state().options_of(&name(MAIN)).unwrap();
    assert_eq!(standing.weighed.margin, figures.margin, "a fill at the mark changes nothing");
    world.check_replay();
}

#[test]
fn quotes_without_sense_and_older_ones_change_nothing() {
    let mut world = World::with_options("100", |_| {});
    let records = world.journal.len();
    world.quote("0.7");
    world.quote("0");
    world.now = world.now.plus(Span::from_secs(1));
    world.quote("-1");
    assert_eq!(world.journal.len(), records);
    world.quote("0.7");
    assert_eq!(world.journal.len(), records + 1);
}

#[test]
fn every_figure_loosens_one_way_only() {
    let tight = OptionLimits {
        max_delta: most("100"),
        max_gamma: most("10"),
        max_vega: most("20"),
        max_theta: most("30"),
        max_net_short: Some(Qty(d("5"))),
        max_margin_bps: 5_000,
        ..open()
    };
    type Edit = fn(&mut OptionLimits);
    let looser: &[Edit] = &[
        |l| l.max_delta = None,
        |l| l.max_delta = most("101"),
        |l| l.max_gamma = most("11"),
        |l| l.max_vega = most("21"),
        |l| l.max_theta = most("31"),
        |l| l.max_net_short = Some(Qty(d("6"))),
        |l| l.max_margin_bps += 1,
        |l| l.stress.range_bps -= 1,
        |l| l.stress.vol_up_bps -= 1,
        |l| l.stress.vol_down_bps -= 1,
        // The worst of a portfolio may fall between points that lie farther apart.
        |l| l.stress.range_bps += 1,
        |l| l.stress.vol_up_bps += 1,
        |l| l.stress.vol_down_bps += 1,
        |l| l.stress.short_bps -= 1,
        |l| l.stress.expiry_bps -= 1,
        |l| l.stress.concentrated_above = Usd(d("10000001")),
        |l| l.stress.concentration_bps -= 1,
    ];
    let tighter: &[Edit] = &[
        |_| (),
        |l| l.max_delta = most("99"),
        |l| l.max_margin_bps -= 1,
        |l| l.stress.short_bps += 1,
        |l| l.stress.concentrated_above = Usd(d("1")),
    ];
    let mut world = World::new();
    let change = |limits: OptionLimits| Change::OptionLimitsSet { limits };
    let loosens = |world: &World, edit: &Edit| {
        let mut limits = tight.clone();
        edit(&mut limits);
        crate::roles::loosen::loosens(world.core.state(), &change(limits))
    };
    assert!(looser.iter().all(|edit| !loosens(&world, edit)), "there were none before");
    world.change(change(tight.clone()));
    for (at, edit) in looser.iter().enumerate() {
        assert!(loosens(&world, edit), "{at}");
    }
    assert!(tighter.iter().all(|edit| !loosens(&world, edit)));
}

#[test]
fn limits_without_sense_are_refused() {
    let mut world = World::new();
    for limits in [
        OptionLimits { max_delta: most("-1"), ..open() },
        OptionLimits { stress: Stress { range_bps: 9_001, ..Stress::STANDARD }, ..open() },
        OptionLimits { account: name("nobody"), ..open() },
    ] {
        let refused = world.refused_by("root", Change::OptionLimitsSet { limits });
        assert!(refused.starts_with("TG"), "{refused}");
    }
}

#[test]
fn limits_that_are_taken_away_limit_nothing_any_more() {
    let mut world = World::with_options("100", |limits| limits.max_net_short = Some(Qty(d("1"))));
    let short = || of(OPTION, Side::Sell, "2", "0.05");
    assert_eq!(world.tries(short()), Some(Code::NetShortOptions));
    let change = Change::OptionLimitsRemoved { account: name(MAIN) };
    assert!(crate::roles::loosen::loosens(world.core.state(), &change));
    world.change(change.clone());
    assert_eq!(world.tries(short()), None);
    let refused = world.refused_by("root", change);
    assert!(refused.contains("there is no limits of options"), "{refused}");
}

#[test]
fn an_expired_option_stands_in_nobodys_way() {
    let mut world = World::with_options("100", |_| {});
    world.trades(of(OPTION, Side::Buy, "2", "0.05"));
    world.now = Time::from_millis(1_800_000_000_000).plus(Span::from_secs(3600));
    world.mark();
    assert_eq!(world.tries(buy("1", "100")), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]
    #[test]
    fn a_portfolio_is_the_same_step_by_step_and_anew(
        steps in prop::collection::vec((0_u8..12, any::<u8>()), 1..60),
    ) {
        let mut world = World::with_options("1000", |_| {});
        for (what, size) in steps {
            let qty = format!("{}", 1 + size % 5);
            match what {
                0 => drop(world.place("ann", buy(&qty, "100"))),
                1 => drop(world.place("bob", sell(&qty, "100"))),
                2 => drop(world.place("ann", of(OPTION, Side::Buy, &qty, "0.05"))),
                3 => drop(world.place("bob", of(OPTION, Side::Sell, &qty, "0.05"))),
                4 => world.settle(),
                5 => world.pass(u64::from(size) * 100),
                6 => world.quote(&format!("0.{}", 40 + size % 50)),
                7 => {
                    let open: Vec<u64> = world.venue.open().map(|(id, _)| *id).collect();
                    if let Some(id) = open.get(usize::from(size) % open.len().max(1)) {
                        world.venue.fill(*id, Decimal::ONE.raw());
                    }
                }
                8 => {
                    let account = name(MAIN);
                    if world.core.state().option_limits().contains_key(&account) {
                        world.change(Change::OptionLimitsRemoved { account });
                    }
                }
                9 => world.policy_over_options(u32::from(size)),
                10 => {
                    if world.core.state().policies().in_force().is_some() {
                        world.change(Change::PolicyRemoved);
                    }
                }
                _ => {
                    let mut set = open();
                    set.stress.range_bps = 1000 + u32::from(size);
                    world.change(Change::OptionLimitsSet { limits: set });
                }
            }
            let state = world.core.state();
            prop_assert_eq!(&state.portfolios, &state.counted_portfolios());
        }
        world.settle();
        world.check();
    }
}

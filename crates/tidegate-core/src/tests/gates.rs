//! One row per refusal.

use super::world::*;
use crate::event::Event;
use tidegate_types::grant::{AccountLimits, Grant, Pattern};
use tidegate_types::instrument::{Mark, Price, Qty, Usd};
use tidegate_types::order::*;
use tidegate_types::record::{Body, Change, Record};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Span;

fn refused(grant: impl FnOnce(&mut Grant), order: NewOrder) -> Option<Code> {
    let mut world = World::new();
    let mut given = super::world::grant("ann");
    grant(&mut given);
    world.change(Change::GrantSet { grant: given });
    let ticket = world.place("ann", order);
    world.code(ticket)
}

fn limited(limits: impl FnOnce(&mut AccountLimits), order: NewOrder) -> Option<Code> {
    let mut world = World::new();
    let mut set = super::world::limits();
    limits(&mut set);
    world.change(Change::LimitsSet { limits: set });
    let ticket = world.place("ann", order);
    world.code(ticket)
}

pub(super) fn of(text: &str, side: Side, qty: &str, price: &str) -> NewOrder {
    NewOrder { instrument: instrument(text), ..limit(side, qty, price) }
}

fn market(side: Side, qty: &str) -> NewOrder {
    NewOrder { order_type: OrderType::Market, price: None, ..limit(side, qty, "1") }
}

fn triggered(order_type: OrderType, side: Side, price: Option<&str>, trigger: &str) -> NewOrder {
    let trigger = Trigger { price: Price(d(trigger)), by: TriggerBy::Mark };
    let price = price.map(|p| Price(d(p)));
    NewOrder { order_type, price, trigger: Some(trigger), ..limit(side, "1", "1") }
}

#[test]
fn grants() {
    let order = || buy("1", "100");
    assert_eq!(refused(|_| {}, order()), None);
    assert_eq!(refused(|g| g.trade = false, order()), Some(Code::NoGrant));
    let eth = |g: &mut Grant| g.instruments = vec![Pattern::new("ETH-*").unwrap()];
    assert_eq!(refused(eth, order()), Some(Code::InstrumentNotGranted));
    assert_eq!(refused(|g| g.sides = vec![Side::Sell], order()), Some(Code::SideNotGranted));
    let market = |g: &mut Grant| g.order_types = vec![OrderType::Market];
    assert_eq!(refused(market, order()), Some(Code::OrderTypeNotGranted));
    assert_eq!(refused(|g| g.reduce_only = true, order()), Some(Code::ReduceOnlyGrant));
    let now = World::new().now;
    assert_eq!(refused(|g| g.until = Some(now), order()), Some(Code::GrantExpired));
    let later = now.plus(Span::from_secs(1));
    assert_eq!(refused(|g| g.until = Some(later), order()), None);
    let qty = |g: &mut Grant| g.max_order_qty = Some(Qty(d("0.5")));
    assert_eq!(refused(qty, order()), Some(Code::OrderQuantity));
    let notional = |g: &mut Grant| g.max_order_notional = Usd(d("99"));
    assert_eq!(refused(notional, order()), Some(Code::OrderNotional));
    let open = |g: &mut Grant| g.max_open_notional = Usd(d("99"));
    assert_eq!(refused(open, order()), Some(Code::GrantOpenNotional));
    assert_eq!(refused(|g| g.burst = 0, order()), Some(Code::CallerRate));
    let mut world = World::new();
    let stranger = world.place("eve", order());
    assert_eq!(world.code(stranger), Some(Code::UnknownKey));
    let id = world.live("ann", order());
    world.change(Change::GrantRemoved { caller: name("ann"), account: name(MAIN) });
    let ungranted = world.place("ann", order());
    assert_eq!(world.code(ungranted), Some(Code::NoGrant));
    assert!(world.core.authorize_read(&who("ann"), world.now).is_err());
    let cancel = world.cancel("ann", own(id));
    assert_eq!(world.code(cancel), None);
    world.change(Change::KeyRevoked { id: name("bob") });
    let revoked = world.place("bob", order());
    assert_eq!(world.code(revoked), Some(Code::UnknownKey));
}

#[test]
fn account_limits() {
    let order = || buy("1", "100");
    let qty = |l: &mut AccountLimits| l.max_order_qty[0].1 = Qty(d("0.999"));
    assert_eq!(limited(qty, order()), Some(Code::OrderQuantity));
    let notional = |l: &mut AccountLimits| l.max_order_notional = Usd(d("99.99"));
    assert_eq!(limited(notional, order()), Some(Code::OrderNotional));
    let open = |l: &mut AccountLimits| l.max_open_notional = Usd(d("99.99"));
    assert_eq!(limited(open, order()), Some(Code::OpenNotional));
    let position = |l: &mut AccountLimits| l.max_position_notional = Usd(d("99.99"));
    assert_eq!(limited(position, order()), Some(Code::PositionNotional));
    let exposure = |l: &mut AccountLimits| l.max_exposure = Usd(d("99.99"));
    assert_eq!(limited(exposure, order()), Some(Code::Exposure));
    assert_eq!(limited(|l| l.burst = 0, order()), Some(Code::AccountRate));
    assert_eq!(limited(|l| l.max_open_notional = Usd(d("100")), order()), None);
    // Inverse contracts are worth their quantity, options their index.
    let most = |usd: &'static str| move |l: &mut AccountLimits| l.max_order_notional = Usd(d(usd));
    assert_eq!(
        limited(most("990"), of(INVERSE, Side::Buy, "1000", "100")),
        Some(Code::OrderNotional)
    );
    assert_eq!(limited(most("1000"), of(INVERSE, Side::Buy, "1000", "100")), None);
    assert_eq!(limited(most("99"), of(OPTION, Side::Buy, "1", "0.05")), Some(Code::OrderNotional));
    assert_eq!(limited(most("100"), of(OPTION, Side::Buy, "1", "0.05")), None);
    // A market buy is worth the edge of the collar; a cheap sell is worth the mark.
    assert_eq!(limited(most("104.99"), market(Side::Buy, "1")), Some(Code::OrderNotional));
    assert_eq!(limited(most("105"), market(Side::Buy, "1")), None);
    assert_eq!(limited(most("99"), sell("1", "96")), Some(Code::OrderNotional));
    let stop = || triggered(OrderType::StopMarket, Side::Buy, None, "200");
    assert_eq!(limited(most("209"), stop()), Some(Code::OrderNotional));
    assert_eq!(limited(most("210"), stop()), None);
    // A stop whose trigger is past already fires at once, at the mark.
    let stop = || triggered(OrderType::StopMarket, Side::Buy, None, "1");
    assert_eq!(limited(most("104.99"), stop()), Some(Code::OrderNotional));
    assert_eq!(limited(most("105"), stop()), None);
}

#[test]
fn collars() {
    let any = |_: &mut Grant| {};
    let collar = Some(Code::PriceCollar);
    assert_eq!(refused(any, buy("1", "105")), None);
    assert_eq!(refused(any, buy("1", "105.1")), collar);
    assert_eq!(refused(any, buy("1", "1")), None);
    assert_eq!(refused(any, sell("1", "95")), None);
    assert_eq!(refused(any, sell("1", "94.9")), collar);
    assert_eq!(refused(any, of(OPTION, Side::Buy, "1", "0.055")), None);
    assert_eq!(refused(any, of(OPTION, Side::Buy, "1", "0.0555")), collar);
    let stop = |limit| triggered(OrderType::StopLimit, Side::Buy, Some(limit), "120");
    assert_eq!(refused(any, stop("126")), None);
    assert_eq!(refused(any, stop("126.1")), collar);
    // A trigger that is reached already fires at once, around the mark.
    let take = |limit| triggered(OrderType::TakeLimit, Side::Buy, Some(limit), "150");
    assert_eq!(refused(any, take("105")), None);
    assert_eq!(refused(any, take("150")), collar);
}

#[test]
fn sanity() {
    let any = |_: &mut Grant| {};
    assert_eq!(refused(any, buy("1", "100.05")), Some(Code::BadPriceStep));
    assert_eq!(refused(any, buy("1.0005", "100")), Some(Code::BadQuantityStep));
    assert_eq!(refused(any, buy("0", "100")), Some(Code::OutOfRange));
    assert_eq!(refused(any, buy("1", "0")), Some(Code::OutOfRange));
    assert_eq!(refused(any, buy("100001", "100")), Some(Code::OutOfRange));
    let bare = NewOrder { price: None, ..buy("1", "100") };
    assert_eq!(refused(any, bare), Some(Code::Uncomputable));
    let unknown = of("DOGE", Side::Buy, "1", "100");
    assert_eq!(refused(any, unknown), Some(Code::UnknownInstrument));
    let late = NewOrder { valid_until: Some(Default::default()), ..buy("1", "100") };
    assert_eq!(refused(any, late), Some(Code::OutOfRange));
}

#[test]
fn marks_must_be_there_and_fresh() {
    let mut world = World::new();
    world.now = world.now.plus(Span::from_millis(5001));
    let stale = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(stale), Some(Code::StaleMark));
    world.mark();
    let fresh = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(fresh), None);
    // A venue whose clock runs ahead does not make a mark fresh for longer, nor hold off later ones.
    let ahead = world.now.plus(Span::from_secs(3600));
    let mark = |at| Mark {
        instrument: instrument(PERP),
        mark: Price(d("100")),
        index: Price(d("100")),
        at,
    };
    world.now = world.now.plus(Span::from_millis(1));
    world.event(Event::Marks { marks: vec![mark(ahead)] });
    world.now = world.now.plus(Span::from_millis(5001));
    let stale = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(stale), Some(Code::StaleMark));
    world.event(Event::Marks { marks: vec![mark(world.now)] });
    let fresh = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(fresh), None);
    let mut world = World::new();
    world.core.state.marks.clear();
    let none = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(none), Some(Code::NoMark));
    let mut world = World::new();
    world.core.state.limits.clear();
    let none = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(none), Some(Code::NoLimit));
}

#[test]
fn caller_ids_are_unique_where_the_venue_says_so() {
    let labelled = || NewOrder { caller_id: Some(name("mine")), ..buy("1", "100") };
    let mut world = World::new();
    let first = world.live("ann", labelled());
    let second = world.place("ann", NewOrder { side: Side::Sell, ..labelled() });
    assert_eq!(world.code(second), Some(Code::DuplicateOrderId));
    let other = world.place("bob", labelled());
    assert_eq!(world.code(other), None);
    world.settle();
    world.cancel("ann", own(first));
    world.settle();
    let again = world.place("ann", labelled());
    assert_eq!(world.code(again), None);
    world.core.settings.label_venues.insert(name(VENUE));
    let twin = world.place("ann", labelled());
    assert_eq!(world.code(twin), None);
}

#[test]
fn exposure_is_summed_over_callers_and_released() {
    let mut world = World::new();
    world.live("ann", buy("90", "100"));
    let over = world.place("bob", buy("61", "100"));
    assert_eq!(world.code(over), Some(Code::PositionNotional));
    let sells = world.live("bob", sell("100", "100"));
    let over = world.place("ann", sell("11", "100"));
    assert_eq!(world.code(over), Some(Code::OpenNotional));
    world.cancel("bob", own(sells));
    world.settle();
    let fits = world.place("ann", sell("11", "100"));
    assert_eq!(world.code(fits), None);
}

#[test]
fn exposure_is_summed_over_instruments_and_outlives_fills() {
    let mut world = World::new();
    let mut tight = limits();
    tight.max_exposure = Usd(d("15000"));
    tight.max_order_qty.clear();
    world.change(Change::LimitsSet { limits: tight });
    world.live("ann", buy("90", "100"));
    world.venue.fill(1, d("90").raw());
    world.settle();
    let exposure = |world: &World| world.core.state().exposure(&name(MAIN)).0;
    assert_eq!(exposure(&world), d("9000"));
    let inverse = |qty: &str| of(INVERSE, Side::Sell, qty, "100");
    let over = world.place("bob", inverse("6010"));
    assert_eq!(world.code(over), Some(Code::Exposure));
    let fits = world.live("bob", inverse("6000"));
    assert_eq!(exposure(&world), d("15000"));
    // The other side of a position already counted adds nothing until it is larger.
    let turns = world.place("ann", sell("90", "100"));
    assert_eq!(world.code(turns), None);
    world.settle();
    assert_eq!(exposure(&world), d("15000"));
    world.cancel("bob", own(fits));
    world.settle();
    assert_eq!(exposure(&world), d("9000"));
    // A higher mark makes the same position worth more.
    world.core.state.marks.get_mut(&instrument(PERP)).unwrap().mark = Price(d("200"));
    world.core.state.revalue(&instrument(PERP));
    assert_eq!(exposure(&world), d("18000"));
    let more = world.place("bob", inverse("10"));
    assert_eq!(world.code(more), Some(Code::Exposure));
}

#[test]
fn nothing_is_added_beside_what_cannot_be_valued() {
    let mut world = World::new();
    world.live("ann", of(INVERSE, Side::Buy, "10", "100"));
    world.core.state.marks.remove(&instrument(INVERSE));
    world.core.state.revalue(&instrument(INVERSE));
    let blind = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(blind), Some(Code::NoMark));
    world.mark();
    let seen = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(seen), None);
}

#[test]
fn a_bought_option_beside_other_positions_is_not_reduced_past_limits() {
    let mut world = World::new();
    world.live("ann", of(OPTION, Side::Buy, "2", "0.05"));
    world.venue.fill(1, d("2").raw());
    world.settle();
    let mut none = limits();
    none.max_order_notional = Usd::default();
    world.change(Change::LimitsSet { limits: none.clone() });
    let alone = world.place("ann", of(OPTION, Side::Sell, "1", "0.05"));
    assert_eq!(world.code(alone), None);
    world.change(Change::LimitsSet { limits: limits() });
    world.live("ann", sell("1", "100"));
    world.venue.fill(3, d("1").raw());
    world.settle();
    world.change(Change::LimitsSet { limits: none });
    let covers = world.place("ann", of(OPTION, Side::Sell, "1", "0.05"));
    assert_eq!(world.code(covers), Some(Code::OrderNotional));
}

#[test]
fn reducing_orders_pass_every_limit_within_the_position() {
    let mut world = World::new();
    world.live("ann", buy("50", "100"));
    world.venue.fill(1, d("50").raw());
    world.settle();
    let mut none = limits();
    none.max_order_notional = Usd::default();
    none.max_open_notional = Usd::default();
    none.max_position_notional = Usd::default();
    none.max_exposure = Usd::default();
    none.burst = 0;
    world.change(Change::LimitsSet { limits: none });
    let grows = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(grows), Some(Code::AccountRate));
    let first = world.live("bob", sell("30", "100"));
    let order = world.core.state().orders().get(first).unwrap();
    assert!(order.reducing && order.request.reduce_only);
    let too_much = world.place("bob", sell("20.001", "100"));
    assert_eq!(world.code(too_much), Some(Code::AccountRate));
    let rest = world.place("bob", sell("20", "100"));
    assert_eq!(world.code(rest), None);
    let silly = world.place("bob", sell("0.001", "90"));
    assert!(world.code(silly).is_some());
    // A stale mark does not trap a position, a price far from it is refused still.
    world.settle();
    world.cancel("bob", own(first));
    world.settle();
    world.now = world.now.plus(Span::from_secs(60));
    let collar = world.place("bob", sell("30", "94"));
    assert_eq!(world.code(collar), Some(Code::PriceCollar));
    let stale = world.place("bob", sell("30", "95"));
    assert_eq!(world.code(stale), None);
}

#[test]
fn reduce_only_grants_reduce() {
    let mut world = World::new();
    world.live("bob", buy("5", "100"));
    world.venue.fill(1, d("5").raw());
    world.settle();
    world.change(Change::GrantSet { grant: Grant { reduce_only: true, ..grant("ann") } });
    let large = world.place("ann", sell("6", "100"));
    assert_eq!(world.code(large), Some(Code::NotReducing));
    let wrong = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(wrong), Some(Code::ReduceOnlyGrant));
    let fits = world.place("ann", sell("5", "100"));
    assert_eq!(world.code(fits), None);
}

#[test]
fn settings_need_the_right() {
    let setting = || Setting { route: "leverage".to_owned(), params: Vec::new() };
    let mut world = World::new();
    let no = world.submit("ann", Intent::Set { setting: setting() });
    assert_eq!(world.code(no), Some(Code::SettingsNotGranted));
    world.change(Change::GrantSet { grant: Grant { settings: true, ..grant("ann") } });
    let yes = world.submit("ann", Intent::Set { setting: setting() });
    world.settle();
    assert!(matches!(world.answers[&yes], crate::action::Answer::Venue { .. }));
}

#[test]
fn tokens_come_back_with_time() {
    let mut world = World::new();
    let slow = Grant { orders_per_second: 2, burst: 2, ..grant("ann") };
    world.change(Change::GrantSet { grant: slow });
    let codes: Vec<_> = (0..3)
        .map(|_| {
            let ticket = world.place("ann", buy("0.001", "100"));
            world.code(ticket)
        })
        .collect();
    assert_eq!(codes, [None, None, Some(Code::CallerRate)]);
    world.now = world.now.plus(Span::from_millis(500));
    let again = world.place("ann", buy("0.001", "100"));
    assert_eq!(world.code(again), None);
}

#[test]
fn what_strangers_send_hides_no_person_s_refusals() {
    let mut world = World::new();
    let reject = |text: &str| Reject::new(Code::NotAllowed, text);
    let nobody = |text: &str| Event::RefusedEarlier {
        caller: None,
        account: None,
        shown: None,
        reject: reject(text),
    };
    let person = |who: &str| {
        let reject = reject(&format!("{who} asks"));
        Event::PersonRefused { person: name(who), reject }
    };
    for second in 0..3 {
        for _ in 0..5 {
            world.event(nobody("a wrong origin"));
        }
        if second == 1 {
            world.event(person("ray"));
            world.event(person("ray"));
            world.event(person("tom"));
        }
        world.pass(1100);
    }
    world.pass(3000);
    let told = |world: &World, text: &str| {
        let said = |record: &&Record| matches!(&record.body, Body::Refused { reject, .. } if reject.to_string().contains(text));
        world.journal.iter().filter(said).count()
    };
    for (text, seconds) in [("ray asks", 1), ("tom asks", 1), ("a wrong origin", 3)] {
        assert_eq!(told(&world, text), seconds, "{text}");
    }
    let more = world.journal.iter().filter_map(|record| match &record.body {
        Body::RefusedMoreOf { person, count, .. } => Some((person.to_string(), *count)),
        _ => None,
    });
    assert_eq!(more.collect::<Vec<_>>(), [("ray".to_owned(), 1)]);
    assert_eq!(world.core.state().refusals()[&Code::NotAllowed], 18);
    // However many names there are, the windows are bounded.
    for n in 0..2000 {
        world.event(person(&format!("p{n}")));
    }
    assert!(told(&world, "p1") < 300);
    world.check_replay();
}

#[test]
fn refusals_are_recorded_once_and_then_counted() {
    let mut world = World::new();
    for _ in 0..10 {
        world.place("ann", buy("1", "200"));
    }
    world.pass(1500);
    let bodies: Vec<_> = world.journal.iter().map(|record| &record.body).collect();
    let first = bodies.iter().filter(|body| matches!(body, Body::Refused { .. })).count();
    let more = bodies.iter().find_map(|body| match body {
        Body::RefusedMore { code, count, .. } => Some((*code, *count)),
        _ => None,
    });
    assert_eq!((first, more), (1, Some((Code::PriceCollar, 9))));
    let decision = bodies.iter().find_map(|body| match body {
        Body::Refused { decision, .. } => Some(decision),
        _ => None,
    });
    assert_eq!(decision.unwrap().mark, Some(Price(d("100"))));
    assert_eq!(world.core.state().refusals()[&Code::PriceCollar], 10);
}

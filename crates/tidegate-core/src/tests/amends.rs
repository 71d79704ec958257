//! Changes of orders whose answers are lost: what the venue tells of them, part by part, and what is
//! reserved until it does.

use super::world::*;
use crate::action::Answer;
use crate::alarms::AlarmKind;
use crate::amends::Told;
use crate::event::Event;
use crate::orders::{Order, Stage, Terms};
use tidegate_types::call::{Call, CallBody};
use tidegate_types::grant::{AccountLimits, Grant};
use tidegate_types::ids::{OrderId, Ticket};
use tidegate_types::instrument::{Price, Qty, Usd};
use tidegate_types::order::{
    AmendOrder, CancelFilter, Intent, NewOrder, OrderType, PostOnly, Side, Trigger, TriggerBy,
};
use tidegate_types::record::Change;
use tidegate_types::reject::Code;
use tidegate_types::report::{AccountEvent, OrderReport, Outcome, VenueState};
use tidegate_types::time::{Span, Time};

/// An amend that changes nothing yet.
pub(super) fn unchanged(id: OrderId) -> AmendOrder {
    AmendOrder {
        order: own(id),
        instrument: None,
        side: None,
        qty: None,
        price: None,
        trigger_price: None,
        post_only: None,
        reduce_only: None,
        valid_until: None,
    }
}

impl World {
    pub(super) fn amend_to(&mut self, caller: &str, amend: AmendOrder) -> Ticket {
        self.submit(caller, Intent::Amend { amend })
    }

    /// An account that holds `held`, and a live order of ann's.
    fn holding(held: &str, order: NewOrder) -> (World, OrderId) {
        let mut world = World::new();
        let base = world.live("bob", buy(held, "100"));
        world.venue.fill(base.0.max(1), d(held).raw());
        world.settle();
        let id = world.live("ann", order);
        (world, id)
    }

    /// Sends an amend whose answer is lost; it may have arrived.
    fn lose_amend(&mut self, amend: AmendOrder, arrives: bool) {
        let ticket = self.amend_to("ann", amend);
        self.flush();
        assert_eq!(self.code(ticket), None);
        self.sign(0);
        self.lose(0, arrives);
    }

    fn order(&self, id: OrderId) -> &Order {
        self.core.state().orders().get(id).unwrap()
    }

    fn there(&self) -> OrderReport {
        self.venue.open().next().unwrap().1.clone()
    }

    fn open_worth(&self) -> tidegate_types::Decimal {
        self.core.state().positions().account_open(&name(MAIN)).0
    }
}

fn stop(trigger: &str) -> NewOrder {
    NewOrder {
        order_type: OrderType::StopMarket,
        price: None,
        trigger: Some(Trigger { price: Price(d(trigger)), by: TriggerBy::Mark }),
        ..buy("5", "100")
    }
}

fn trigger(order: &Order) -> Price {
    order.request.trigger.as_ref().unwrap().price
}

#[test]
fn a_lost_change_to_reduce_only_is_not_taken_for_made() {
    let (mut world, id) = World::holding("5", sell("5", "101"));
    world.lose_amend(AmendOrder { reduce_only: Some(true), ..unchanged(id) }, false);
    world.settle_for(60);
    assert_eq!(world.there().reduce_only, Some(false));
    let order = world.order(id);
    assert!(order.amend.is_none() && !order.reducing && !order.request.reduce_only);
    assert_eq!(world.open_worth(), d("505"), "a plain sell of 5 at 101");
}

#[test]
fn a_lost_change_from_reduce_only_that_arrived_is_found() {
    let reducing = NewOrder { reduce_only: true, ..sell("5", "101") };
    let (mut world, id) = World::holding("5", reducing);
    assert!(world.order(id).reducing);
    world.lose_amend(AmendOrder { reduce_only: Some(false), ..unchanged(id) }, true);
    world.settle_for(60);
    let order = world.order(id);
    assert!(order.amend.is_none() && !order.reducing && !order.request.reduce_only);
    assert_eq!(world.open_worth(), d("505"));
}

#[test]
fn a_lost_change_to_reduce_only_lets_no_more_through() {
    let (mut world, id) = World::holding("100", sell("99", "100"));
    world.lose_amend(AmendOrder { reduce_only: Some(true), ..unchanged(id) }, false);
    world.settle_for(60);
    for _ in 0..3 {
        world.place("bob", sell("100", "100"));
        world.settle();
    }
    let plain = world.venue.open().filter(|(_, order)| order.reduce_only == Some(false));
    let sells: i64 = plain.map(|(_, order)| order.qty.0.raw()).sum();
    let short = sells - world.venue.position(&instrument(PERP)).0.raw();
    assert!(short <= d("150").raw(), "150 at 100 dollars is the limit");
}

#[test]
fn a_lost_change_of_a_trigger_is_told_by_the_trigger() {
    for (arrives, stands) in [(false, "104"), (true, "101")] {
        let (mut world, id) = World::holding("5", stop("104"));
        let trigger_price = Some(Price(d("101")));
        world.lose_amend(AmendOrder { trigger_price, ..unchanged(id) }, arrives);
        world.settle_for(60);
        assert!(world.order(id).amend.is_none());
        assert_eq!(trigger(world.order(id)), Price(d(stands)));
    }
}

#[test]
fn a_lost_change_to_maker_only_is_told_by_the_order() {
    for (arrives, stands) in [(false, PostOnly::No), (true, PostOnly::Slide)] {
        let (mut world, id) = World::holding("5", sell("5", "101"));
        let post_only = Some(PostOnly::Slide);
        world.lose_amend(AmendOrder { post_only, ..unchanged(id) }, arrives);
        world.settle_for(60);
        assert!(world.order(id).amend.is_none());
        assert_eq!(world.order(id).request.post_only, stands);
    }
}

/// Nothing tells: no report says whether the order is reduce-only.
#[test]
fn what_is_never_told_is_reserved_at_the_worse_of_both() {
    for reduce_only in [true, false] {
        let (mut world, id) =
            World::holding("5", NewOrder { reduce_only: !reduce_only, ..sell("5", "101") });
        world.lose_amend(AmendOrder { reduce_only: Some(reduce_only), ..unchanged(id) }, true);
        world.venue.stream.clear();
        let there = world.venue.orders.values_mut().find(|order| order.state.is_live()).unwrap();
        there.reduce_only = None;
        assert_eq!(world.open_worth(), d("505"));
        world.settle_for(60);
        assert!(world.order(id).amend.is_none(), "nobody waits for what will not be told");
        assert_eq!(world.open_worth(), d("505"));
    }
}

/// The venue was asked before the amend arrived, and answers after it must have refused it.
#[test]
fn a_slow_answer_does_not_end_an_amend_that_arrived_meanwhile() {
    let mut world = World::new();
    let id = world.live("ann", buy("1", "100"));
    world.amend("ann", id, Some("100"), Some("100"));
    world.flush();
    world.sign(0);
    let amend = world.to_send.remove(0);
    world.event(Event::Sent { call: amend.id });
    world.reply(amend.id, Outcome::Unknown { why: "reset".to_owned() });
    let mut slow = None;
    for _ in 0..46 {
        world.pass(100);
        while !world.to_sign.is_empty() {
            world.sign(0);
            let query = world.to_send.remove(0);
            let outcome = world.venue.arrive(&query.body, world.now);
            let late = world.now.plus(Span::from_secs(2)) > deadline(&amend);
            if slow.is_none() && late {
                slow = Some((query.id, outcome));
            } else {
                world.reply(query.id, outcome);
            }
        }
    }
    let (query, outcome) = slow.unwrap();
    let _ = world.venue.arrive(&amend.body, world.now);
    world.venue.stream.clear();
    world.pass(3_000);
    world.reply(query, outcome);
    assert!(world.order(id).remaining() >= world.there().qty, "less is reserved than is open");
    world.settle_for(60);
    assert_eq!(world.order(id).request.qty, world.there().qty);
    assert!(world.order(id).amend.is_none());
}

fn deadline(call: &Call) -> Time {
    match &call.body {
        CallBody::Amend { deadline, .. } => *deadline,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_venue_tells_of_an_order_is_believed_part_by_part() {
    let (mut world, id) = World::holding("5", NewOrder { reduce_only: true, ..sell("5", "101") });
    assert_eq!(world.open_worth(), d("0"));
    let tell = |world: &mut World, change: &dyn Fn(&mut OrderReport)| {
        let order = world.venue.orders.values_mut().find(|order| order.state.is_live()).unwrap();
        change(order);
        order.at = order.at.plus(Span::from_secs(1));
        let report = order.clone();
        world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Order { report } });
    };
    tell(&mut world, &|report| report.reduce_only = Some(false));
    assert!(!world.order(id).request.reduce_only);
    assert_eq!(world.open_worth(), d("505"), "it may trade in full now");
    let kinds = |world: &World| -> Vec<(AlarmKind, u64)> {
        let unseen = world.core.state().alarms().unseen().iter();
        unseen.map(|alarm| (alarm.kind, alarm.count)).collect()
    };
    assert_eq!(kinds(&world), [(AlarmKind::ForeignAmend, 1)], "nobody here asked for that");
    tell(&mut world, &|report| report.reduce_only = None);
    assert!(!world.order(id).request.reduce_only, "what is not told stays");

    let (mut world, id) = World::holding("5", stop("104"));
    tell(&mut world, &|report| report.trigger_price = Some(Price(d("102"))));
    assert_eq!(trigger(world.order(id)), Price(d("102")));
    assert_eq!(kinds(&world), [(AlarmKind::ForeignAmend, 1)]);
}

/// A caller that may only reduce asks for a plain order: what was cleared is what leaves.
#[test]
fn an_amend_that_passes_as_reducing_says_so_to_the_venue() {
    let (mut world, id) = World::holding("5", sell("1", "101"));
    world.change(Change::GrantSet { grant: Grant { reduce_only: true, ..grant("ann") } });
    world.amend_to("ann", AmendOrder { reduce_only: Some(false), ..unchanged(id) });
    world.settle();
    assert!(world.order(id).reducing);
    assert_eq!(world.there().reduce_only, Some(true), "what reserves nothing can only reduce");
}

#[test]
fn one_part_tells_of_a_whole_change() {
    let (world, id) = World::holding("5", sell("5", "101"));
    let (plain, report) = (Terms::of(&world.order(id).request), world.there());
    let told = |asked: &Terms, change: &dyn Fn(&mut OrderReport)| {
        let mut report = report.clone();
        change(&mut report);
        Told::of(&plain, asked, &report)
    };
    assert_eq!(told(&plain, &|_| ()), Told::Made, "nothing was to change");
    let asked = Terms { qty: buy("7", "1").qty, reduce_only: true, ..plain };
    assert_eq!(told(&asked, &|_| ()), Told::NotMade);
    assert_eq!(told(&asked, &|report| report.reduce_only = None), Told::NotMade);
    assert_eq!(told(&asked, &|report| report.qty = asked.qty), Told::Nothing, "half of it");
    let made = |report: &mut OrderReport| {
        (report.qty, report.reduce_only) = (asked.qty, None);
    };
    assert_eq!(told(&asked, &made), Told::Made);
    let moved = Terms { price: Some(Price(d("103"))), post_only: PostOnly::Slide, ..plain };
    let slid = |report: &mut OrderReport| {
        (report.price, report.post_only) = (Some(Price(d("103.5"))), Some(PostOnly::Slide));
    };
    assert_eq!(told(&moved, &slid), Told::Made, "the venue moved its price");
    let only_price = Terms { price: Some(Price(d("103"))), ..plain };
    let elsewhere = |report: &mut OrderReport| report.price = Some(Price(d("103.5")));
    assert_eq!(told(&only_price, &elsewhere), Told::Nothing);
    assert_eq!(report.side, Side::Sell);
}

#[test]
fn what_somebody_else_placed_is_made_smaller_at_most() {
    for of_nobody in [true, false] {
        smaller_at_most(of_nobody);
    }
}

fn smaller_at_most(of_nobody: bool) {
    let mut world = World::new();
    let grant = Grant { account_wide: true, ..grant("ann") };
    world.change(Change::GrantSet { grant });
    if of_nobody {
        world.venue.place(instrument(PERP), Side::Buy, Qty(d("5")), Some(Price(d("99"))));
        world.event(Event::StreamDown { account: name(MAIN), why: "test".to_owned() });
        world.up();
    } else {
        world.live("bob", buy("5", "99"));
    }
    let id = world.core.state().orders().open().next().unwrap().id;
    for (qty, price, code) in
        [("6", "99", Some(Code::NoGrant)), ("5", "99.5", Some(Code::NoGrant)), ("4", "99", None)]
    {
        let ticket = world.amend("ann", id, Some(qty), Some(price));
        assert_eq!(world.code(ticket), code, "{qty} at {price}");
        world.settle();
    }
    let cancel = world.cancel("ann", own(id));
    world.settle();
    assert_eq!(world.code(cancel), None);
    assert_eq!(world.venue.open().count(), 0);
}

#[test]
fn what_is_made_dearer_past_tidegate_reserves_what_it_is_worth() {
    let mut world = World::new();
    let id = world.live("ann", buy("5", "60"));
    let open = |world: &World| world.core.state().positions.account_open(&name(MAIN));
    assert_eq!(open(&world), Usd(d("300")));
    let report = world.venue.orders.get_mut(&1).unwrap();
    (report.price, report.at) = (Some(Price(d("90"))), report.at.plus(Span::from_secs(1)));
    let told = report.clone();
    world.event(Event::Streamed {
        account: name(MAIN),
        event: AccountEvent::Order { report: told.clone() },
    });
    let order = world.core.state().orders().get(id).unwrap();
    assert_eq!((order.unit_value, open(&world)), (Price(d("90")), Usd(d("450"))));
    // Cheaper again it may be dearer at the next moment: it is left as it is.
    let cheaper =
        OrderReport { price: Some(Price(d("50"))), at: told.at.plus(Span::from_secs(1)), ..told };
    world.event(Event::Streamed {
        account: name(MAIN),
        event: AccountEvent::Order { report: cheaper },
    });
    assert_eq!(world.core.state().orders().get(id).unwrap().unit_value, Price(d("90")));
    world.check_replay();
}

#[test]
fn a_cancel_that_tells_nothing_of_what_traded_ends_nothing() {
    let mut world = World::new();
    world.place("ann", buy("10", "100"));
    world.flush();
    world.sign(0);
    world.lose(0, true);
    let order = world.core.state().orders().open().next().unwrap();
    let id = order.id;
    assert_eq!(order.stage, Stage::Unknown);
    // It trades in part, and nobody hears of it yet.
    world.venue.fill(1, d("6").raw());
    world.venue.stream.clear();
    world.venue.orders.get_mut(&1).unwrap().state = VenueState::Cancelled;
    world.cancel("ann", own(id));
    world.flush();
    while world.to_sign.iter().all(|(call, _)| !matches!(call.body, CallBody::Cancel { .. })) {
        world.sign(0);
        world.to_send.clear();
    }
    world.sign(0);
    let cancel = world.to_send.pop().unwrap();
    assert!(matches!(cancel.body, CallBody::Cancel { .. }));
    world.event(Event::Sent { call: cancel.id });
    world.reply(cancel.id, Outcome::Done);
    assert!(world.core.state().orders().get(id).unwrap().is_open(), "six of it may be held");
    world.settle_for(3);
    let order = world.core.state().orders().get(id).unwrap();
    assert_eq!((order.stage.is_cancelled(), order.filled), (true, Qty(d("6"))));
}

#[test]
fn a_mass_cancel_counts_what_the_venue_cancelled_and_did_not_show() {
    let mut world = World::new();
    world.place("ann", buy("10", "100"));
    world.flush();
    world.sign(0);
    world.lose(0, true);
    let id = world.core.state().orders().open().next().unwrap().id;
    let filter = CancelFilter::default();
    let ticket = world.submit("ann", Intent::CancelMany { filter });
    world.flush();
    let cancel = |(call, _): &(Call, _)| matches!(call.body, CallBody::Cancel { .. });
    world.sign(world.to_sign.iter().position(cancel).unwrap());
    let cancel = world.to_send.pop().unwrap();
    world.event(Event::Sent { call: cancel.id });
    let _ = world.venue.arrive(&cancel.body, world.now);
    world.venue.stream.clear();
    world.reply(cancel.id, Outcome::Done);
    let Some(Answer::Cancelled { orders, failed }) = world.answers.get(&ticket) else {
        panic!("{:?}", world.answers.get(&ticket))
    };
    assert_eq!((orders.as_slice(), failed.len()), ([id].as_slice(), 0));
}

#[test]
fn what_was_told_of_after_a_change_stays_when_the_changes_answer_comes_late() {
    let mut world = World::new();
    let id = world.live("ann", buy("10", "100"));
    world.amend("ann", id, Some("5"), Some("99"));
    world.flush();
    world.sign(0);
    let amend = world.to_send.pop().unwrap();
    world.event(Event::Sent { call: amend.id });
    let answer = world.venue.arrive(&amend.body, world.now);
    // Somebody makes it larger at the venue's own screen, which is told before the answer.
    let order = world.venue.orders.get_mut(&1).unwrap();
    (order.qty, order.price) = (Qty(d("8")), Some(Price(d("101"))));
    order.at = order.at.plus(Span::from_secs(1));
    let report = order.clone();
    world.venue.stream.clear();
    world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Order { report } });
    world.reply(amend.id, answer);
    let order = world.order(id);
    assert_eq!((order.request.qty, order.request.price), (Qty(d("8")), Some(Price(d("101")))));
    assert!(order.amend.is_none());
    assert_eq!(world.core.state().positions().account_open(&name(MAIN)).0, d("808"));
    world.check_replay();
}

#[test]
fn a_dearer_price_alone_is_held_to_the_position_limit_too() {
    let mut world = World::new();
    let limits = AccountLimits { max_position_notional: Usd(d("1000")), ..limits() };
    world.change(Change::LimitsSet { limits });
    let over = world.place("ann", buy("10", "104"));
    assert_eq!(world.code(over), Some(Code::PositionNotional));
    let id = world.live("ann", buy("10", "96"));
    for (price, code) in [("100", None), ("104", Some(Code::PositionNotional)), ("98", None)] {
        let ticket = world.amend("ann", id, None, Some(price));
        assert_eq!(world.code(ticket), code, "{price}");
        world.settle();
    }
}

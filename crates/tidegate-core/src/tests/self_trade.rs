//! Orders of one owner that would trade with each other: every mode, over callers and accounts.

mod hung;
mod paid;
mod reducing;
mod restart;

use super::amends::unchanged;
use super::gates::of;
use super::world::*;
use crate::action::Answer;
use crate::event::Event;
use crate::orders::{Ending, Order, Stage};
use tidegate_types::grant::{AccountLimits, Grant, KeyScheme, VirtualKey};
use tidegate_types::ids::{OrderId, SessionId, Ticket};
use tidegate_types::instrument::{Mark, Price, Qty, Usd};
use tidegate_types::key::KeyTerms;
use tidegate_types::order::{
    AmendOrder, CancelFilter, Intent, NewOrder, OrderType, Side, Trigger, TriggerBy,
};
use tidegate_types::policy::Liquidity;
use tidegate_types::proof::Authenticated;
use tidegate_types::record::{Body, Canceller, Change};
use tidegate_types::reject::Code;
use tidegate_types::report::{AccountSnapshot, Outcome};
use tidegate_types::self_trade::SelfTradeMode::{self, CancelOld, Decrement, Refuse};
use tidegate_types::time::Span;

const OTHER: &str = "other";

impl World {
    pub(super) fn with_mode(mode: SelfTradeMode) -> World {
        let mut world = World::new();
        world.set_mode(MAIN, mode);
        world
    }

    fn set_mode(&mut self, account: &str, mode: SelfTradeMode) {
        self.change(Change::SelfTradeSet { account: name(account), mode });
    }

    /// A second account at the venue, on which eve trades.
    pub(super) fn with_other(mode: SelfTradeMode) -> World {
        let mut world = World::with_mode(mode);
        world.change(Change::AccountAdded { venue: name(VENUE), account: name(OTHER) });
        world.set_mode(OTHER, mode);
        world.change(Change::CallerAdded { caller: name("eve") });
        let key = VirtualKey {
            id: name("eve"),
            caller: name("eve"),
            venue: name(VENUE),
            account: name(OTHER),
            scheme: KeyScheme::Hmac,
            terms: KeyTerms::default(),
        };
        world.change(Change::KeyAdded { key, replaces: None });
        world.change(Change::GrantSet { grant: Grant { account: name(OTHER), ..grant("eve") } });
        let limits = AccountLimits { account: name(OTHER), ..limits() };
        world.change(Change::LimitsSet { limits });
        world.event(Event::StreamUp { account: name(OTHER) });
        let question = world.to_read.remove(0);
        let shown = AccountSnapshot::default();
        world.event(Event::Snapshot { account: name(OTHER), question, result: Ok(shown) });
        world
    }

    pub(super) fn place_on_other(&mut self, order: NewOrder) -> Ticket {
        let ticket = self.ticket();
        let who = Authenticated::vouch(name("eve"), name("eve"), name(VENUE), name(OTHER));
        self.event(Event::Submit { ticket, who, session: None, intent: Intent::New { order } });
        ticket
    }

    pub(super) fn same_owner(&mut self) {
        for account in [MAIN, OTHER] {
            let owner = Some(name("fund"));
            self.change(Change::OwnerSet { account: name(account), owner });
        }
    }

    fn stage_of(&self, id: OrderId) -> Stage {
        self.core.state().orders().get(id).unwrap().stage
    }

    fn answered_by_venue(&self, ticket: Ticket) -> &Order {
        match &self.answers[&ticket] {
            Answer::Venue { order: Some(id), .. } => self.core.state().orders().get(*id).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

fn market(side: Side, qty: &str) -> NewOrder {
    NewOrder { order_type: OrderType::Market, price: None, ..limit(side, qty, "100") }
}

const CANCELLED: Stage = Stage::Done { how: Ending::Cancelled };

#[test]
fn off_lets_everything_through() {
    let mut world = World::new();
    world.live("ann", sell("1", "101"));
    let meets = world.place("bob", buy("1", "102"));
    assert_eq!(world.code(meets), None);
}

#[test]
fn refuse_holds_over_callers_and_at_the_very_price() {
    let mut world = World::with_mode(Refuse);
    let old = world.live("ann", sell("1", "101"));
    for price in ["101", "102"] {
        for who in ["ann", "bob"] {
            let meets = world.place(who, buy("1", price));
            assert_eq!(world.code(meets), Some(Code::SelfTrade));
        }
    }
    let below = world.place("bob", buy("1", "100.9"));
    assert_eq!(world.code(below), None);
    let other = world.place("bob", of(INVERSE, Side::Buy, "10", "102"));
    assert_eq!(world.code(other), None, "another instrument is another market");
    world.settle();
    // The other way round: a sell down to what is bid.
    let meets = world.place("ann", sell("1", "100.9"));
    assert_eq!(world.code(meets), Some(Code::SelfTrade));
    world.cancel("ann", own(old));
    world.settle();
    let free = world.place("bob", buy("1", "101"));
    assert_eq!(world.code(free), None);
    world.check_replay();
}

#[test]
fn another_caller_s_order_is_not_told() {
    let mut world = World::with_mode(Refuse);
    let old = world.live("ann", sell("1", "101"));
    let said = |world: &World, ticket| match &world.answers[&ticket] {
        Answer::Refused { reject } => reject.to_string(),
        other => panic!("{other:?}"),
    };
    let own = world.place("ann", buy("1", "101"));
    assert!(said(&world, own).contains(&format!("order {old} of its own caller")));
    let other = world.place("bob", buy("1", "101"));
    assert!(!said(&world, other).contains("ann") && said(&world, other).contains("another caller"));
}

#[test]
fn what_is_on_its_way_or_in_doubt_counts_as_open() {
    let mut world = World::with_mode(Refuse);
    world.place("ann", sell("1", "101"));
    let pending = world.place("bob", buy("1", "101"));
    assert_eq!(world.code(pending), Some(Code::SelfTrade));
    world.flush();
    world.sign(0);
    world.lose(0, false);
    let unknown = world.place("bob", buy("1", "101"));
    assert_eq!(world.code(unknown), Some(Code::SelfTrade));
    world.settle_for(20);
    let gone = world.place("bob", buy("1", "101"));
    assert_eq!(world.code(gone), None, "the venue never had it");
    world.settle();
    // A cancel that is on its way changes nothing before the venue has confirmed it.
    let id = world.core.state().orders().open().next().unwrap().id;
    world.cancel("bob", own(id));
    let early = world.place("ann", sell("1", "101"));
    assert_eq!(world.code(early), Some(Code::SelfTrade));
    world.settle();
    let late = world.place("ann", sell("1", "101"));
    assert_eq!(world.code(late), None);
}

#[test]
fn both_prices_of_an_amend_on_its_way_count() {
    let mut world = World::with_mode(Refuse);
    let old = world.live("ann", sell("1", "103"));
    world.amend("ann", old, None, Some("101"));
    let down = world.place("bob", buy("1", "101"));
    assert_eq!(world.code(down), Some(Code::SelfTrade));
    world.settle();
    world.amend("ann", old, None, Some("103"));
    let up = world.place("bob", buy("1", "101"));
    assert_eq!(world.code(up), Some(Code::SelfTrade));
    world.settle();
    let free = world.place("bob", buy("1", "101"));
    assert_eq!(world.code(free), None);
    world.check_replay();
}

#[test]
fn an_amend_into_a_cross_is_held_like_an_order() {
    for (mode, code) in [(Refuse, Code::SelfTrade), (Decrement, Code::SelfTrade)] {
        let mut world = World::with_mode(mode);
        world.live("ann", sell("1", "101"));
        let mine = world.live("bob", buy("1", "99"));
        let ticket = world.amend("bob", mine, None, Some("101"));
        assert_eq!(world.code(ticket), Some(code));
    }
    let mut world = World::with_mode(CancelOld);
    let old = world.live("ann", sell("1", "101"));
    let mine = world.live("bob", buy("1", "99"));
    let ticket = world.amend("bob", mine, None, Some("101"));
    world.settle();
    assert_eq!(world.stage_of(old), CANCELLED);
    assert_eq!(world.answered_by_venue(ticket).request.price, Some(Price(d("101"))));
    // An amend that takes nothing nearer passes, whatever else it changes.
    let only_less = AmendOrder { qty: Some(Qty(d("0.5"))), ..unchanged(mine) };
    let ticket = world.amend_to("bob", only_less);
    assert_eq!(world.code(ticket), None);
}

#[test]
fn legs_of_a_batch_do_not_meet_each_other() {
    let mut world = World::with_mode(Refuse);
    let legs = [buy("1", "100"), sell("1", "100"), sell("1", "100.1")];
    let tickets = legs.map(|leg| world.place("ann", leg));
    let codes = tickets.map(|ticket| world.code(ticket));
    assert_eq!(codes, [None, Some(Code::SelfTrade), None]);
}

#[test]
fn the_old_one_is_cancelled_first_and_the_new_one_sent_then() {
    let mut world = World::with_mode(CancelOld);
    let far = world.live("ann", sell("1", "103"));
    let old = [world.live("ann", sell("1", "101")), world.live("bob", sell("2", "102"))];
    let ticket = world.place("bob", buy("1", "102"));
    assert_eq!(world.code(ticket), None);
    let placed = |world: &World| {
        world.journal.iter().filter(|r| matches!(r.body, Body::Cleared { .. })).count()
    };
    assert_eq!(placed(&world), 3, "nothing of it is on record before it goes");
    world.flush();
    world.sign(0);
    world.deliver(0);
    assert_eq!(placed(&world), 3, "one of the two is still open");
    world.settle();
    assert_eq!(old.map(|id| world.stage_of(id)), [CANCELLED; 2]);
    assert_eq!(world.stage_of(far), Stage::Live);
    assert_eq!(world.answered_by_venue(ticket).request.qty, Qty(d("1")));
    let by = world.journal.iter().filter_map(|record| match &record.body {
        Body::CancelCleared { by, .. } => Some(by.clone()),
        _ => None,
    });
    let newer = Canceller::Newer { caller: name("bob"), account: name(MAIN) };
    assert_eq!(by.collect::<Vec<_>>(), [newer.clone(), newer]);
    world.check_replay();
    world.check();
}

#[test]
fn it_is_refused_when_the_cancel_is_not_confirmed_in_time() {
    let mut world = World::with_mode(CancelOld);
    world.live("ann", sell("1", "101"));
    world.venue.deaf = 100;
    let ticket = world.place("bob", buy("1", "101"));
    world.settle();
    assert!(!world.answers.contains_key(&ticket));
    world.pass(2100);
    assert_eq!(world.code(ticket), Some(Code::SelfTradeWait));
    // What ends later sends nothing more.
    world.venue.deaf = 0;
    world.settle_for(10);
    assert_eq!(world.venue.orders.len(), 1);
}

#[test]
fn what_waited_for_a_cancel_is_as_old_as_its_request() {
    let mut world = World::with_mode(CancelOld);
    world.live("ann", sell("1", "101"));
    let (ticket, came) = (world.ticket(), world.now);
    let intent = Intent::New { order: buy("1", "101") };
    let who = who("bob").came_at(came);
    world.event(Event::Submit { ticket, who, session: None, intent });
    world.flush();
    world.pass(800);
    let of_bob = |world: &World| {
        world.core.state().orders().open().any(|order| order.caller == Some(name("bob")))
    };
    while !of_bob(&world) {
        assert!(world.step());
    }
    world.flush();
    let call = world.to_sign.last().unwrap().0.id;
    assert_eq!(world.core.asked_by(call).unwrap().came, Some(came));
}

#[test]
fn gates_are_passed_anew_after_the_wait() {
    let mut world = World::with_mode(CancelOld);
    world.live("ann", sell("1", "101"));
    let ticket = world.place("bob", buy("1", "101"));
    world.halt("all", false);
    world.settle();
    assert_eq!(world.code(ticket), Some(Code::Halted));
    assert_eq!(world.venue.open().count(), 0);
}

#[test]
fn what_waits_ends_with_its_session_and_with_the_gateway() {
    let mut world = World::with_mode(CancelOld);
    world.live("ann", sell("1", "101"));
    let intent = || Intent::New { order: buy("1", "101") };
    let ticket = world.submit_over(Some(SessionId(7)), "bob", intent());
    world.event(Event::Disconnected { session: SessionId(7), lost: true });
    assert_eq!(world.code(ticket), Some(Code::SelfTradeWait));
    world.settle();
    assert_eq!(world.venue.orders.len(), 1);

    world.live("ann", sell("1", "101"));
    world.submit("bob", intent());
    world.flush();
    world.kill(true);
    world.up();
    world.settle_for(20);
    assert_eq!(world.venue.orders.len(), 2, "what waited was never sent");
    assert!(world.is_open());
}

#[test]
fn a_restart_forgets_no_order_and_no_mode() {
    let mut world = World::with_mode(Refuse);
    world.live("ann", sell("1", "101"));
    world.flush();
    world.kill(true);
    world.up();
    world.mark();
    let meets = world.place("bob", buy("1", "101"));
    assert_eq!(world.code(meets), Some(Code::SelfTrade));
}

#[test]
fn decrement_takes_the_smaller_quantity_off_both() {
    // The new one is larger: what is open goes, and the rest of the new one is sent.
    let mut world = World::with_mode(Decrement);
    let old = [world.live("ann", sell("1", "101")), world.live("ann", sell("2", "101.5"))];
    let ticket = world.place("bob", buy("5", "102"));
    world.settle();
    assert_eq!(old.map(|id| world.stage_of(id)), [CANCELLED; 2]);
    assert_eq!(world.answered_by_venue(ticket).request.qty, Qty(d("2")));

    // The open one is larger: it becomes smaller, and nothing is sent.
    let mut world = World::with_mode(Decrement);
    let old = world.live("ann", sell("5", "101"));
    let ticket = world.place("bob", buy("2", "102"));
    assert_eq!(world.code(ticket), Some(Code::SelfTradeCut));
    world.settle();
    let order = world.core.state().orders().get(old).unwrap();
    assert_eq!((order.stage, order.remaining()), (Stage::Live, Qty(d("3"))));
    assert_eq!(world.venue.open().next().unwrap().1.qty, Qty(d("3")));

    // Both are the same: nothing is left of either.
    let ticket = world.place("bob", buy("3", "102"));
    world.settle();
    assert_eq!(world.code(ticket), Some(Code::SelfTradeCut));
    assert_eq!((world.stage_of(old), world.venue.open().count()), (CANCELLED, 0));
    world.check_replay();
    world.check();
}

#[test]
fn decrement_counts_what_was_really_left() {
    let mut world = World::with_mode(Decrement);
    world.live("ann", sell("2", "101"));
    let ticket = world.place("bob", buy("5", "102"));
    // Somebody else trades with a part of it before the cancel arrives.
    world.venue.fill(1, d("1.5").raw());
    world.settle();
    assert_eq!(world.answered_by_venue(ticket).request.qty, Qty(d("4.5")));
    // Two more in a row: the first goes, the second becomes smaller, nothing is sent.
    let mut world = World::with_mode(Decrement);
    let first = world.live("ann", sell("1", "101"));
    let second = world.live("ann", sell("4", "102"));
    let ticket = world.place("bob", buy("3", "102"));
    world.settle();
    assert_eq!(world.code(ticket), Some(Code::SelfTradeCut));
    assert_eq!(world.stage_of(first), CANCELLED);
    assert_eq!(world.core.state().orders().get(second).unwrap().remaining(), Qty(d("2")));
}

#[test]
fn accounts_of_one_owner_belong_together() {
    let mut world = World::with_other(Refuse);
    world.live("ann", sell("1", "101"));
    let apart = world.place_on_other(buy("1", "101"));
    assert_eq!(
        world.code(apart),
        None,
        "accounts belong to themselves until somebody says otherwise"
    );
    world.same_owner();
    let meets = world.place_on_other(buy("1", "101"));
    assert_eq!(world.code(meets), Some(Code::SelfTrade));
    let meets = world.place("ann", sell("1", "100"));
    assert_eq!(world.code(meets), Some(Code::SelfTrade));
    world.change(Change::OwnerSet { account: name(OTHER), owner: None });
    let apart = world.place_on_other(buy("1", "101"));
    assert_eq!(world.code(apart), None);
    world.check_replay();
}

#[test]
fn the_other_account_s_order_is_cancelled_too() {
    let mut world = World::with_other(CancelOld);
    world.same_owner();
    let old = world.live("ann", sell("1", "101"));
    let ticket = world.place_on_other(buy("1", "101"));
    world.settle();
    assert_eq!(world.stage_of(old), CANCELLED);
    assert_eq!(world.answered_by_venue(ticket).account, name(OTHER));
}

#[test]
fn an_order_that_reduces_is_not_refused_for_what_can_be_cancelled() {
    for (mode, code) in [(Refuse, Code::SelfTrade), (Decrement, Code::SelfTradeCut)] {
        let mut world = World::with_mode(mode);
        world.live("bob", buy("5", "100"));
        world.venue.fill(1, d("5").raw());
        world.settle();
        let in_the_way = world.live("ann", buy("9", "100"));
        let grows = world.place("bob", sell("6", "100"));
        assert_eq!(world.code(grows), Some(code));
        world.settle();
        let closes = world.place("bob", NewOrder { reduce_only: true, ..sell("5", "100") });
        world.settle();
        assert_eq!(world.stage_of(in_the_way), CANCELLED);
        let closes = world.answered_by_venue(closes);
        assert!(closes.reducing && closes.request.qty == Qty(d("5")));
    }
}

#[test]
fn a_market_order_goes_as_far_as_the_market() {
    let mut world = World::with_mode(Refuse);
    world.live("ann", sell("1", "100.2"));
    let near = |world: &mut World| {
        let ticket = world.place("bob", market(Side::Buy, "0.001"));
        let code = world.code(ticket);
        world.settle();
        world.core.state().orders().open().map(|o| o.id).collect::<Vec<_>>().into_iter().for_each(
            |id| {
                if world.core.state().orders().get(id).unwrap().caller == Some(name("bob")) {
                    world.cancel("bob", own(id));
                }
            },
        );
        world.settle();
        code
    };
    // The mark is 100, and 10 basis points beyond it 100.1.
    assert_eq!(near(&mut world), None);
    let facts = vec![shown(&world, "100.1", None)];
    world.event(Event::Liquidity { facts });
    assert_eq!(
        near(&mut world),
        Some(Code::SelfTrade),
        "100.1 and 10 basis points are beyond 100.2"
    );
    world.pass(11_000);
    assert_eq!(near(&mut world), None, "that was long ago");
}

/// What the book shows around the mark of 100.
fn shown(world: &World, ask: &str, ask_depth: Option<&str>) -> Liquidity {
    Liquidity {
        instrument: instrument(PERP),
        bid: Some(Price(d("99.9"))),
        ask: Some(Price(d(ask))),
        bid_depth: None,
        ask_depth: ask_depth.map(|depth| Usd(d(depth))),
        volume: None,
        at: world.now,
    }
}

#[test]
fn a_market_order_reaches_farther_on_the_owner_s_other_accounts() {
    // How deep the book is within 50 basis points, where the owner's other account offers, and whether a buy of
    // 100 dollars' worth meets it there.
    for (depth, offer, meets) in [
        (Some("200"), "100.4", true),
        (Some("200"), "100.6", false),
        (Some("199"), "100.6", true),
        (Some("199"), "104", true),
        (None, "104", true),
    ] {
        let mut world = World::with_other(Refuse);
        world.same_owner();
        let facts = vec![shown(&world, "100", depth)];
        world.event(Event::Liquidity { facts });
        world.live("ann", sell("1", offer));
        let own = world.place("bob", market(Side::Buy, "1"));
        assert_eq!(world.code(own), None, "within an account the venue's own prevention is behind");
        let other = world.place_on_other(market(Side::Buy, "1"));
        let expected = meets.then_some(Code::SelfTrade);
        assert_eq!(world.code(other), expected, "{depth:?} {offer}");
    }
}

#[test]
fn a_market_order_on_its_way_meets_whatever_comes() {
    let mut world = World::with_mode(Refuse);
    world.place("ann", market(Side::Buy, "1"));
    let far = world.place("bob", sell("1", "104"));
    assert_eq!(world.code(far), Some(Code::SelfTrade));
    world.settle();
    let id = world.core.state().orders().open().next().unwrap().id;
    world.venue.fill(id.0.max(1), d("1").raw());
    world.settle();
    let free = world.place("bob", sell("1", "104"));
    assert_eq!(world.code(free), None);
}

/// A buy that is to fire at a price, and then goes up to 102.
fn stop(price: &str, by: TriggerBy) -> NewOrder {
    NewOrder {
        order_type: OrderType::StopLimit,
        trigger: Some(Trigger { price: Price(d(price)), by }),
        ..buy("1", "102")
    }
}

#[test]
fn a_conditional_order_whose_trigger_is_passed_may_be_in_the_market() {
    use TriggerBy::{Index, Last, Mark};
    // The mark is 100 and the index 100. Whether a sell at 101 meets one that is on its way, and one that the venue
    // has told to wait.
    for (by, trigger, on_its_way, live) in [
        (Mark, "100", true, true),
        (Mark, "100.5", false, false),
        (Index, "100", true, true),
        (Last, "100", true, false),
        (Last, "100.5", false, false),
    ] {
        let mut world = World::with_mode(Refuse);
        world.place("bob", stop(trigger, by));
        let meets = world.place("ann", sell("1", "101"));
        let expected = on_its_way.then_some(Code::SelfTrade);
        assert_eq!(world.code(meets), expected, "{by:?} {trigger}, on its way");
        let mut world = World::with_mode(Refuse);
        world.live("bob", stop(trigger, by));
        let meets = world.place("ann", sell("1", "101"));
        assert_eq!(world.code(meets), live.then_some(Code::SelfTrade), "{by:?} {trigger}, live");
        let beyond = world.place("ann", sell("1", "102.1"));
        assert_eq!(world.code(beyond), None, "{by:?} {trigger}");
    }
}

#[test]
fn a_mark_that_passes_a_trigger_has_it_in_the_market() {
    let mut world = World::with_mode(Refuse);
    world.live("bob", stop("103", TriggerBy::Mark));
    let before = world.place("ann", sell("1", "101.9"));
    assert_eq!(world.code(before), None);
    let perp = world.core.state().marks()[&instrument(PERP)].clone();
    world.now = world.now.plus(Span::from_secs(2));
    let mark = Mark { mark: Price(d("103")), at: world.now, ..perp };
    world.event(Event::Marks { marks: vec![mark] });
    let after = world.place("ann", sell("1", "102"));
    assert_eq!(world.code(after), Some(Code::SelfTrade));
}

#[test]
fn conditional_orders_wait_outside_the_market() {
    let mut world = World::with_mode(Refuse);
    world.live("ann", sell("1", "101"));
    let waits = world.place("bob", stop("101", TriggerBy::Mark));
    assert_eq!(world.code(waits), None);
    let fires = world.place("bob", stop("100", TriggerBy::Mark));
    assert_eq!(world.code(fires), Some(Code::SelfTrade), "its trigger is reached already");
    world.settle();
    let beside = world.place("ann", sell("1", "101"));
    assert_eq!(world.code(beside), None);
}

#[test]
fn a_foreign_order_is_not_cancelled_for_a_caller_s() {
    let mut world = World::with_mode(CancelOld);
    world.venue.place(instrument(PERP), Side::Sell, Qty(d("1")), Some(Price(d("101"))));
    let account = name(MAIN);
    world.event(Event::StreamDown { account, why: "test".to_owned() });
    world.up();
    let meets = world.place("bob", buy("1", "101"));
    assert_eq!(world.code(meets), Some(Code::SelfTrade));
}

#[test]
fn a_refused_shrink_leaves_the_open_order_as_it_was() {
    let mut world = World::with_mode(Decrement);
    let old = world.live("ann", sell("5", "101"));
    world.place("bob", buy("2", "102"));
    world.flush();
    world.sign(0);
    let call = world.to_send.remove(0);
    world.event(Event::Sent { call: call.id });
    let no = Outcome::Rejected { code: -1, message: "no".to_owned(), no_such_order: false };
    world.reply(call.id, no);
    let order = world.core.state().orders().get(old).unwrap();
    assert_eq!((order.remaining(), order.amend.is_none()), (Qty(d("5")), true));
    assert_eq!(world.venue.orders.len(), 1, "the newer one was not sent");
}

#[test]
fn what_waits_is_not_sent_once_its_caller_cancelled_everything() {
    let mut world = World::with_mode(CancelOld);
    world.live("ann", sell("1", "101"));
    world.venue.deaf = 100;
    let ticket = world.place("bob", buy("1", "101"));
    world.settle();
    assert!(!world.answers.contains_key(&ticket), "it waits");
    let filter = CancelFilter::default();
    world.submit("bob", Intent::CancelMany { filter });
    assert_eq!(world.code(ticket), Some(Code::SelfTradeWait));
    world.venue.deaf = 0;
    world.settle_for(10);
    assert_eq!(world.venue.orders.len(), 1, "ann's alone");
}

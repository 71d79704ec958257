//! What is counted over time: messages, orders against trades, executions, a day's trading.

use super::*;

#[test]
fn a_day_is_traded_to_its_limit_and_begins_anew() {
    let mut w = world(vec![hard("day", Limit::DailyTraded { max: usd("300") })]);
    let id = w.live("bob", buy("2", "100"));
    w.venue.fill(venue_id(&w, id), d("2").raw());
    w.settle();
    let text = "day v1: 300.1 > 300 USD daily traded of desk (over by 0.1)";
    edge(&mut w, buy("1", "100"), buy("0.001", "100"), Code::PolicyLimit, text);
    w.live_through(86_400_000);
    let tomorrow = w_place(&mut w);
    assert_eq!(w.code(tomorrow), None);
}

#[test]
fn messages_come_as_fast_as_the_window_has_them() {
    let window = Span::from_secs(1);
    let mut w = world(vec![hard("rate", Limit::MessageRate { max: 2, window })]);
    let id = w.live("ann", buy("1", "99"));
    w.amend("ann", id, Some("2"), None);
    w.settle();
    let third = w.place("ann", buy("1", "99"));
    assert_eq!(w.code(third), Some(Code::PolicyRate));
    assert!(refused(&w, third).ends_with("rate v1: 3 > 2 message rate of desk (over by 1)"));
    let cancel = w.cancel("ann", own(id));
    w.settle();
    assert_eq!(w.code(cancel), None, "cancels always pass");
    w.pass(1_100);
    w.mark();
    let later = w_place(&mut w);
    assert_eq!(w.code(later), None);
    w.check_replay();
}

#[test]
fn orders_are_set_against_trades() {
    let limit = Limit::OrderToTrade { form: Form::Count, max: d("3"), after: 3 };
    let mut w = world(vec![hard("otr", limit)]);
    let id = w.live("ann", buy("1", "99"));
    w.amend("ann", id, Some("2"), None);
    w.settle();
    // One placed (1), one changed (2): a fourth message is 4 / 1 - 1 = 3, a fifth is 4.
    let text = "otr v1: 4 > 3 times order to trade of desk (over by 1)";
    edge(&mut w, buy("1", "99"), buy("1", "99"), Code::PolicyLimit, text);
    w.venue.fill(venue_id(&w, id), d("1").raw());
    w.settle();
    w.venue.fill(venue_id(&w, id), d("1").raw());
    w.settle();
    let after_trades = w_place(&mut w);
    assert_eq!(w.code(after_trades), None, "5 / 2 - 1 = 1.5");
}

#[test]
fn what_a_stopped_strategy_has_open_is_cancelled() {
    let window = Span::from_secs(10);
    let mut w = world(vec![hard("again", Limit::RepeatedExecutions { max: 2, window })]);
    let held = w.live("bob", sell("9", "101"));
    w.venue.fill(venue_id(&w, held), i64::MAX);
    w.settle();
    let first = w.live("ann", buy("1", "100"));
    let rests: Vec<OrderId> =
        ["99", "98", "97"].map(|price| w.live("ann", buy("1", price))).to_vec();
    let others = [w.live("ann", sell("1", "103")), w.live("bob", buy("1", "96"))];
    let reduces = w.live("ann", NewOrder { reduce_only: true, ..buy("1", "95") });
    let on_its_way = w.place("ann", buy("1", "94"));
    w.venue.fill(venue_id(&w, first), i64::MAX);
    w.venue.fill(venue_id(&w, rests[0]), i64::MAX);
    while !w.venue.stream.is_empty() {
        w.tell(0);
    }
    w.settle();
    assert_eq!(w.code(on_its_way), Some(Code::RepeatedExecutions), "it had not left");
    let open = |id: OrderId| w.core.state().orders().get(id).unwrap().is_open();
    assert_eq!(rests.iter().map(|id| open(*id)).collect::<Vec<_>>(), [false; 3]);
    assert!(others.iter().all(|id| open(*id)) && open(reduces));
    assert_eq!(w.venue.open().count(), 3);
    w.check_replay();
}

#[test]
fn a_restart_goes_on_cancelling_what_was_stopped() {
    let window = Span::from_secs(10);
    let mut w = world(vec![hard("again", Limit::RepeatedExecutions { max: 1, window })]);
    let first = w.live("ann", buy("1", "100"));
    let rests = w.live("ann", buy("1", "99"));
    w.venue.deaf = 100;
    w.venue.fill(venue_id(&w, first), i64::MAX);
    w.settle();
    assert!(w.core.state().orders().get(rests).unwrap().is_open());
    w.kill(false);
    w.venue.deaf = 0;
    w.up();
    w.settle_for(5);
    assert!(!w.core.state().orders().get(rests).unwrap().is_open());
    assert_eq!(w.venue.open().count(), 0);
}

#[test]
fn each_trade_of_an_order_is_an_execution_however_it_is_told() {
    let window = Span::from_secs(600);
    let rule = || hard("again", Limit::RepeatedExecutions { max: 3, window });
    for trades in [2, 3] {
        let mut w = world(vec![rule()]);
        let id = w.live("ann", buy("3", "100"));
        for _ in 0..trades {
            w.venue.fill(venue_id(&w, id), d("1").raw());
        }
        w.settle();
        let next = w.place("ann", buy("1", "100"));
        let expected = (trades == 3).then_some(Code::RepeatedExecutions);
        assert_eq!(w.code(next), expected, "{trades} trades of one order");
    }
    // What is told as filled in one piece, and trade by trade later, is no more than there are trades.
    let mut w = world(vec![rule()]);
    let id = w.live("ann", buy("2", "100"));
    for _ in 0..2 {
        w.venue.fill(venue_id(&w, id), d("1").raw());
    }
    while w.venue.stream.len() > 1 {
        w.venue.stream.remove(0);
    }
    w.settle();
    w.settle_for(60);
    let order = w.core.state().orders().get(id).unwrap();
    assert_eq!((order.filled, order.trades.len()), (Qty(d("2")), 2), "read later");
    let next = w.place("ann", buy("1", "100"));
    assert_eq!(w.code(next), None, "two executions");
    w.check_replay();
}

#[test]
fn what_executes_too_often_stops_until_a_person_lets_it_go_on() {
    let window = Span::from_secs(10);
    let mut w = world(vec![hard("again", Limit::RepeatedExecutions { max: 2, window })]);
    for _ in 0..2 {
        let id = w.live("ann", buy("1", "100"));
        w.venue.fill(venue_id(&w, id), d("1").raw());
        w.settle();
    }
    let third = w.place("ann", buy("1", "100"));
    assert_eq!(w.code(third), Some(Code::RepeatedExecutions));
    let text = "again v1: 3 > 2 repeated executions of ann in paper/BTC-PERP, buys (over by 1)";
    assert!(refused(&w, third).ends_with(text), "{}", refused(&w, third));
    let other = w.place("bob", buy("1", "100"));
    assert_eq!(w.code(other), None, "it is another strategy");
    w.pass(60_000);
    let later = w.place("ann", buy("1", "100"));
    assert_eq!(w.code(later), Some(Code::RepeatedExecutions), "time alone does not lift it");
    let out = w.place("ann", sell("1", "100"));
    assert_eq!(w.code(out), None, "the other side goes on");
    w.settle();
    w.check_replay();
    let release = Change::ThrottleFreed {
        rule: name_rule("again"),
        caller: name("ann"),
        instrument: instrument(PERP),
        side: Side::Buy,
        reason: "looked at".to_owned(),
    };
    assert!(loosens(w.core.state(), &release));
    w.change(release.clone());
    assert!(w.refused_by("root", release).contains("stopped no such strategy"));
    let again = w.place("ann", buy("1", "100"));
    assert_eq!(w.code(again), None);
}

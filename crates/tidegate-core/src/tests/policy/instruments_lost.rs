//! What was lost on instruments, and how far they lever what there is.

use super::*;
use tidegate_types::hours::day;
use tidegate_types::policy::Instruments;

/// The instruments of this name alone.
fn over(pattern: &str) -> Reach {
    let name = Some(Pattern::new(pattern).unwrap());
    Reach { instruments: Instruments { name, ..Instruments::default() }, ..Reach::default() }
}

fn loss(max: &str) -> Rule {
    Rule { each: Each::Instrument, ..hard("loss", Limit::DailyLoss { max: usd(max) }) }
}

fn inverse(qty: &str) -> NewOrder {
    NewOrder { instrument: instrument(INVERSE), ..buy(qty, "100") }
}

#[test]
fn each_instrument_loses_its_own() {
    let mut w = world(vec![loss("60")]);
    w.has_traded("ann", buy("5", "100"));
    w.has_traded("bob", buy("1", "100"));
    w.marks_at("90");
    assert_eq!(w.used_of("loss"), Some(d("60")), "whoever traded it");
    assert_eq!(w.says("ann", buy("0.1", "90")), None, "at the limit");
    w.marks_at("89.9");
    let refused_now = w.place("bob", buy("0.1", "89.9"));
    let text = "loss v1: 60.6 > 60 USD daily loss of paper/BTC-PERP (over by 0.6)";
    assert!(refused(&w, refused_now).ends_with(text), "{}", refused(&w, refused_now));
    assert_eq!(w.says("bob", inverse("10")), None, "nothing is lost there");
    let reduces = NewOrder { reduce_only: true, ..sell("1", "89.9") };
    assert_eq!(w.says("ann", reduces), None);
    w.check();
    w.check_replay();
    let today = day(w.now);
    while day(w.now) == today {
        w.now = w.now.plus(Span::from_secs(3600));
    }
    w.mark();
    w.marks_at("89.9");
    assert_eq!(w.used_of("loss"), Some(d("0")), "a new day");
    assert_eq!(w.says("ann", buy("0.1", "89.9")), None);
    w.check_replay();
}

#[test]
fn a_rule_over_other_instruments_counts_none_of_these() {
    let peak = Rule { reach: over("*-INV"), ..hard("peak", Limit::Drawdown { max: usd("0") }) };
    let mut w = world(vec![peak]);
    w.has_traded("ann", buy("5", "100"));
    w.marks_at("90");
    assert_eq!(w.says("ann", buy("0.1", "90")), None);
    assert_eq!(w.says("ann", inverse("10")), None);
    w.check();
    w.check_replay();
}

#[test]
fn a_caller_loses_on_some_instruments() {
    let reach = Reach { caller: Some(name("ann")), ..over("BTC-P*") };
    let rule = Rule { reach, ..hard("ann", Limit::DailyLoss { max: usd("10") }) };
    let mut w = world(vec![rule]);
    w.has_traded("bob", buy("5", "100"));
    w.has_traded("ann", buy("1", "100"));
    w.marks_at("90");
    assert_eq!(w.says("ann", buy("0.1", "90")), None);
    w.marks_at("89.9");
    assert_eq!(w.says("ann", buy("0.1", "89.9")), Some(Code::PolicyLimit));
    assert_eq!(w.says("ann", inverse("10")), None);
    assert_eq!(w.says("bob", buy("0.1", "89.9")), None);
    w.check();
    w.check_replay();
}

#[test]
fn what_is_held_by_an_old_mark_or_on_a_closed_account_refuses_more() {
    let mut w = world(vec![loss("60")]);
    w.has_traded("ann", buy("5", "100"));
    w.event(Event::StreamDown { account: name(MAIN), why: "test".to_owned() });
    assert_eq!(w.says("ann", buy("0.1", "100")), Some(Code::AccountClosed));
    w.up();
    assert_eq!(w.says("ann", buy("0.1", "100")), None);
    w.now = w.now.plus(Span::from_millis(5_001));
    assert_eq!(w.says("ann", buy("0.1", "100")), Some(Code::StaleMark));
    w.check_replay();
}

#[test]
fn some_instruments_lever_the_equity_so_far() {
    let mut w = World::closed();
    let rule = Rule { reach: over("BTC-P*"), ..hard("lever", Limit::Leverage { max: d("2") }) };
    w.change(Change::PolicySet { policy: policy(1, vec![rule]) });
    w.venue.balances = vec![BalanceReport { asset: name("USDT"), amount: d("100") }];
    w.up();
    assert_eq!(w.says("ann", inverse("300")), None, "not over that");
    assert_eq!(w.says("ann", buy("2", "100")), None);
    let over = w.place("ann", buy("0.1", "100"));
    let text = "lever v1: 2.1 > 2 times leverage of BTC-P* (over by 0.1)";
    assert!(refused(&w, over).ends_with(text), "{}", refused(&w, over));
    w.check();
    w.check_replay();
}

#[test]
fn the_next_version_and_a_restart_go_on_from_there() {
    let mut w = world(vec![loss("60")]);
    w.has_traded("ann", buy("5", "100"));
    w.marks_at("92");
    w.change(Change::PolicySet { policy: policy(2, vec![loss("30")]) });
    assert_eq!(w.used_of("loss"), Some(d("40")));
    assert_eq!(w.says("ann", buy("0.1", "92")), Some(Code::PolicyLimit));
    w.kill(true);
    w.up();
    w.marks_at("92");
    assert_eq!(w.used_of("loss"), Some(d("40")));
    w.check();
    w.check_replay();
}

//! A rule over the desk refuses without telling a caller what other accounts hold; the journal has it whole.

use super::*;
use tidegate_types::self_trade::SelfTradeMode::Refuse;

fn stale_on_the_other_account() -> World {
    let mut w = World::with_other(Refuse);
    let rules = vec![hard("gross", Limit::GrossPosition { max: usd("9999") })];
    w.change(Change::PolicySet { policy: policy(1, rules) });
    // Cleared, so that it counts; what this venue then shows would be the main account's.
    w.place_on_other(buy("3", "100"));
    // Only the inverse is marked from now on: the linear one that the other account may hold grows stale.
    w.now = w.now.plus(Span::from_millis(5_001));
    let fresh = tidegate_types::instrument::Mark {
        instrument: instrument(INVERSE),
        mark: Price(d("100")),
        index: Price(d("100")),
        at: w.now,
    };
    w.event(Event::Marks { marks: vec![fresh] });
    w
}

#[test]
fn what_another_account_holds_is_not_named_and_on_record() {
    let mut w = stale_on_the_other_account();
    let inverse = || NewOrder { instrument: instrument(INVERSE), ..buy("10", "100") };
    let more = w.place("ann", inverse());
    assert_eq!(w.code(more), Some(Code::PolicyUnmeasured));
    let told = "gross v1: the mark of what another account holds is 5001 ms old, at most 5000 ms";
    assert!(refused(&w, more).ends_with(told), "{}", refused(&w, more));
    let [.., because, refusal] = w.journal.as_slice() else { panic!("nothing on record") };
    let whole = "the mark of paper/BTC-PERP is 5001 ms old, at most 5000 ms";
    assert_eq!(because.body, Body::RefusedBecause { detail: whole.to_owned() });
    assert!(matches!(&refusal.body, Body::Refused { reject, .. } if reject.detail.ends_with(told)));
    // Whoever holds it is told which it is.
    let own = w.place_on_other(inverse());
    assert!(refused(&w, own).ends_with(whole), "{}", refused(&w, own));
    w.check_replay();
}

#[test]
fn a_coin_of_another_account_s_is_not_named_nor_is_the_account() {
    let mut w = World::with_other(Refuse);
    let rules = vec![hard("loss", Limit::DailyLoss { max: usd("100") })];
    w.change(Change::PolicySet { policy: policy(1, rules) });
    let balance = BalanceReport { asset: name("XYZ"), amount: d("5") };
    w.event(Event::Streamed { account: name("other"), event: AccountEvent::Balance { balance } });
    let rest = "which has no price; peg it in the policy";
    let told = w.place("ann", buy("1", "99"));
    assert_eq!(w.code(told), Some(Code::PolicyUnmeasured));
    let veiled = format!("loss v1: another account holds a coin {rest}");
    assert!(refused(&w, told).ends_with(&veiled), "{}", refused(&w, told));
    let whole = format!("other holds XYZ, {rest}");
    let because = Body::RefusedBecause { detail: whole.clone() };
    assert!(w.journal.iter().any(|record| record.body == because));
    let own = w.place_on_other(buy("1", "99"));
    assert!(refused(&w, own).ends_with(&whole), "{}", refused(&w, own));
    w.check_replay();
}

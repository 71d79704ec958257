//! A policy's rule reads what a market shows that nobody followed: an order has it followed.

use super::clocks::at_simulator;
use super::*;
use crate::upstream::{follow_books, follow_clock};
use tidegate_types::policy::{Each, Limit, Peg, Policy, Reach, Rule, Strength};

fn rule(id: &str, limit: Limit) -> Rule {
    Rule { id: name(id), strength: Strength::Hard, reach: Reach::default(), each: Each::All, limit }
}

#[tokio::test]
async fn an_order_under_a_rule_on_depth_and_volume_is_soon_let_pass() {
    let at = at_simulator(0).await;
    tokio::spawn(follow_clock(at.desk.clone(), Arc::clone(&at.link)));
    tokio::spawn(follow_books(at.desk.clone(), Arc::clone(&at.link)));
    at.until("an open account", |state| state.accounts()[&name::<AccountName>("main")].open).await;
    let one = || Usd(d("1"));
    let thin = Limit::ThinMarket { depth: one(), volume: one(), max_age: Span::from_secs(60) };
    let rules = vec![rule("allow", Limit::Allow), rule("thin", thin)];
    let pegs = vec![Peg { currency: name("USDT"), price: Price(d("1")) }];
    let policy = Policy::new(name("test"), 1, Span::from_secs(60), pegs, rules).unwrap();
    let change = Change::PolicySet { policy: Box::new(policy) };
    let answer = at.desk.administer(name("owner"), change).await;
    assert!(matches!(answer, Answer::Done), "{answer:?}");

    let refused = at.place().await;
    let Answer::Refused { reject } = &refused else { panic!("{refused:?}") };
    assert_eq!(reject.code, Code::PolicyUnmeasured);
    assert!(reject.detail.contains("it was asked for; try again in 10 s"), "{reject}");
    let known = |state: &State| {
        state
            .liquidity()
            .get(&terms().id)
            .is_some_and(|f| f.depth().is_some() && f.volume.is_some())
    };
    at.until("depth and volume", known).await;
    let passes = at.place().await;
    assert!(matches!(&passes, Answer::Venue { reply, .. } if reply.status == 200), "{passes:?}");
}

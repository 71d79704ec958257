//! A market must show something of itself.

use super::*;

#[test]
fn a_market_must_show_depth_and_volume() {
    let limit =
        Limit::ThinMarket { depth: usd("1000"), volume: usd("5000"), max_age: Span::from_secs(20) };
    let mut w = world(vec![hard("thin", limit)]);
    let blind = w.place("ann", buy("1", "99"));
    assert_eq!(w.code(blind), Some(Code::PolicyUnmeasured));
    let told = refused(&w, blind);
    assert!(told.contains("it was asked for; try again in 10 s"), "{told}");
    assert_eq!(w.markets_asked, [instrument(PERP)]);
    let show = |w: &mut World, depth: &str, volume: &str| {
        w.pass(6_000);
        let fact = Liquidity {
            instrument: instrument(PERP),
            bid: Some(Price(d("99"))),
            ask: Some(Price(d("101"))),
            bid_depth: Some(usd("9000")),
            ask_depth: Some(usd(depth)),
            volume: Some(usd(volume)),
            at: w.now,
        };
        w.event(Event::Liquidity { facts: vec![fact] });
    };
    show(&mut w, "1000", "5000");
    let passes = w_place(&mut w);
    assert_eq!(w.code(passes), None);
    show(&mut w, "999", "5000");
    let thin = w.place("ann", buy("1", "99"));
    let text = "thin v1: 999 < 1,000 USD thin market of paper/BTC-PERP (short by 1)";
    assert!(refused(&w, thin).ends_with(text), "{}", refused(&w, thin));
    show(&mut w, "1000", "4999");
    assert!({
        let t = w.place("ann", buy("1", "99"));
        refused(&w, t).contains("4,999 < 5,000")
    });
    show(&mut w, "1000", "5000");
    w.pass(20_001);
    let old = w.place("ann", buy("1", "99"));
    assert_eq!(w.code(old), Some(Code::PolicyUnmeasured));
    w.check_replay();
}

#[test]
fn what_a_market_shows_is_asked_for_where_a_rule_reads_it_and_one_may_trade() {
    let limit = Limit::ThinMarket {
        depth: usd("1000"),
        volume: Usd::default(),
        max_age: Span::from_secs(20),
    };
    let mut w = world(vec![hard("thin", limit)]);
    let stranger = w.place("bob", buy("1", "200"));
    assert_eq!(w.code(stranger), Some(Code::PriceCollar));
    assert_eq!(w.markets_asked, [], "it was refused before");
    let shown = |volume: Option<Usd>, at| Liquidity {
        instrument: instrument(PERP),
        bid: Some(Price(d("99"))),
        ask: Some(Price(d("101"))),
        bid_depth: Some(usd("9000")),
        ask_depth: Some(usd("1000")),
        volume,
        at,
    };
    w.pass(6_000);
    let at = w.now;
    w.event(Event::Liquidity { facts: vec![shown(None, at)] });
    let passes = w_place(&mut w);
    assert_eq!(w.code(passes), None, "no volume is asked for, so none must be known");
    assert_eq!(w.markets_asked, [instrument(PERP)], "it is followed for as long as it is traded");
    w.pass(100);
    let at = w.now;
    w.event(Event::Liquidity { facts: vec![shown(Some(usd("7")), at)] });
    let known = w.core.state().liquidity()[&instrument(PERP)].volume;
    assert_eq!(known, Some(usd("7")), "what tells more is taken at once");
    w.check_replay();
}

//! Options: prices, greeks and margin as they are shown.

use super::*;

fn ticker(town: &mut Town, name: &str) -> Value {
    town.ok("", "public/ticker", json!({ "instrument_name": name }))
}

#[test]
fn option_tickers_agree_with_each_other() {
    let mut town = Town::new();
    town.pass(30);
    let call_name = an_option(&mut town, true);
    let put_name = format!("{}P", call_name.strip_suffix('C').unwrap());
    let (call, put) = (ticker(&mut town, &call_name), ticker(&mut town, &put_name));
    let forward = decimal(&call["underlying_price"]).to_f64();
    let strike: f64 = call_name.split('-').nth(2).unwrap().parse().unwrap();
    let gap = decimal(&call["mark_price"]).to_f64() - decimal(&put["mark_price"]).to_f64();
    assert!((gap - (1.0 - strike / forward)).abs() < 1e-5, "put-call parity in coin: {gap}");
    assert_eq!(call["mark_iv"], put["mark_iv"]);
    let delta = |ticker: &Value| decimal(&ticker["greeks"]["delta"]).to_f64();
    assert!((delta(&call) - delta(&put) - 1.0).abs() < 1e-4);
    let (bid, ask) = (decimal(&call["bid_iv"]), decimal(&call["ask_iv"]));
    let mark = decimal(&call["mark_iv"]);
    assert!(bid <= mark && mark <= ask, "{bid} {mark} {ask}");
    assert!(call["underlying_index"].as_str().unwrap().starts_with("BTC-"));
}

#[test]
fn what_futures_realize_comes_into_the_balance_at_eight_and_not_before() {
    let mut town = Town::new();
    let summary = |town: &mut Town| {
        let money = town.ok("alice", "private/get_account_summary", json!({"currency": "BTC"}));
        ["balance", "futures_session_rpl", "futures_session_upl", "options_value", "equity"]
            .map(|field| decimal(&money[field]))
    };
    let add = |parts: &[Decimal]| parts.iter().fold(Decimal::ZERO, |sum, p| sum.add(*p).unwrap());
    let [before, none, ..] = summary(&mut town);
    assert_eq!(none, Decimal::ZERO);
    let mut fees = Decimal::ZERO;
    for side in ["buy", "sell"] {
        let order =
            json!({"instrument_name": "BTC-PERPETUAL", "amount": 100_000, "type": "market"});
        for trade in town.place("alice", side, order)["trades"].as_array().unwrap() {
            fees = fees.add(decimal(&trade["fee"])).unwrap();
        }
        town.pass(2);
    }
    let [balance, realized, floating, options, equity] = summary(&mut town);
    assert!(realized.is_negative(), "the spread was paid twice");
    assert_eq!(balance, before.sub(fees).unwrap(), "only fees are taken at once");
    assert_eq!(equity, add(&[balance, realized, floating, options]));
}

#[test]
fn a_bought_option_costs_its_premium_and_a_written_one_its_margin() {
    let mut town = Town::new();
    let name = an_option(&mut town, true);
    let balance = |town: &mut Town| {
        let money = town.ok("alice", "private/get_account_summary", json!({"currency": "BTC"}));
        (decimal(&money["balance"]), decimal(&money["initial_margin"]))
    };
    let (before, _) = balance(&mut town);
    let bought = town.place(
        "alice",
        "buy",
        json!({
            "instrument_name": name, "amount": 0.1, "type": "market",
        }),
    );
    let trade = &bought["trades"][0];
    let premium = decimal(&trade["price"])
        .mul(decimal(&trade["amount"]), tidegate_types::decimal::Rounding::Nearest)
        .unwrap();
    let (after, margin) = balance(&mut town);
    let paid = premium.add(decimal(&trade["fee"])).unwrap();
    assert_eq!(before.sub(after).unwrap(), paid);
    assert_eq!(margin, Decimal::ZERO, "a bought option needs no margin");
    let position = town.ok("alice", "private/get_position", json!({ "instrument_name": name }));
    assert!(decimal(&position["delta"]).is_positive());
    town.place(
        "alice",
        "sell",
        json!({
            "instrument_name": name, "amount": 1.1, "type": "market",
        }),
    );
    let (_, margin) = balance(&mut town);
    let ticker = ticker(&mut town, &name);
    let least = Decimal::new(1, 1).add(decimal(&ticker["mark_price"])).unwrap();
    assert!(margin >= least, "a coin of a written option needs a tenth of a coin and its mark");
    let wanted = json!({"instrument_name": name, "amount": 2000, "price": 0.5});
    let margins = town.ok("alice", "private/get_margins", wanted);
    assert_eq!(decimal(&margins["buy"]), Decimal::new(1000, 0));
    let far = json!({"instrument_name": name, "amount": 4000, "type": "market"});
    assert_eq!(town.code("alice", "private/sell", far), 10009);
}

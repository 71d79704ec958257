//! Who may do what, and what is said when it fails.

use super::*;
use crate::deribit::fault::Fault;
use std::collections::BTreeSet;

#[test]
fn faults_have_one_number_and_one_word_each() {
    let codes: BTreeSet<i32> = Fault::ALL.iter().map(|fault| fault.code).collect();
    assert_eq!(codes.len(), Fault::ALL.len());
    let words: BTreeSet<&str> = Fault::ALL.iter().map(|fault| &*fault.message).collect();
    assert_eq!(words.len(), Fault::ALL.len());
}

#[test]
fn orders_are_refused_with_the_venue_s_numbers() {
    let mut town = Town::new();
    let option = an_option(&mut town, true);
    let (bid, ask) = town.best("BTC-PERPETUAL");
    let base = |changes: Value| {
        let mut order = json!({
            "instrument_name": "BTC-PERPETUAL", "amount": 10, "type": "limit",
            "price": number(less(bid, 100, 0)),
        });
        for (name, value) in changes.as_object().unwrap() {
            order[name] = value.clone();
        }
        order
    };
    let stop = |price: i64| {
        base(json!({"type": "stop_market", "trigger": "mark_price", "trigger_price": price}))
    };
    for (code, order) in [
        (10002, base(json!({"amount": 1}))),
        (10005, base(json!({"price": 10_000}))),
        (10007, base(json!({"price": 1_000_000}))),
        (10009, base(json!({"amount": 20_000_000}))),
        (10020, base(json!({"instrument_name": "BTC-NONSENSE"}))),
        (10021, base(json!({"amount": 20, "contracts": 1}))),
        (10021, base(json!({"instrument_name": option, "amount": 0.15, "price": 0.05}))),
        (10023, base(json!({"price": -1}))),
        (10026, base(json!({"price": 0.000_000_001}))),
        (10027, base(json!({"amount": 15}))),
        (10033, base(json!({"instrument_name": option, "amount": 0.1, "advanced": "implv"}))),
        (10033, base(json!({"display_amount": 10}))),
        (10033, base(json!({"linked_order_type": "one_cancels_other"}))),
        (10035, stop(1_000)),
        (10043, base(json!({"price": number(less(bid, 1_003, 1))}))),
        (
            10044,
            base(json!({
                "type": "stop_market", "trigger": "mark_price", "trigger_price": 500_000.3,
            })),
        ),
        (11036, stop(-5)),
        (11038, base(json!({"advanced": "usd"}))),
        (
            11054,
            base(json!({
                "price": number(ask), "post_only": true, "reject_post_only": true,
            })),
        ),
        (11055, base(json!({"post_only": true, "time_in_force": "immediate_or_cancel"}))),
        (13040, base(json!({"mmp": true}))),
        (13888, base(json!({"valid_until": 1}))),
        (-32602, base(json!({"type": "best"}))),
        (-32602, base(json!({"amount": "10"}))),
        (-32602, base(json!({"price": null}))),
        (-32602, base(json!({"label": "x".repeat(65)}))),
        (-32602, base(json!({"type": "market", "time_in_force": "fill_or_kill"}))),
        (-32602, base(json!({"type": "stop_limit", "trigger_price": 500_000}))),
        (11030, base(json!({"reduce_only": true}))),
    ] {
        assert_eq!(town.code("alice", "private/buy", order.clone()), code, "{order}");
    }
    let open = town.ok("alice", "private/get_open_orders", json!({}));
    assert_eq!(open, json!([]), "nothing that was refused rests");
    let answer = town.http("alice", "private/buy", base(json!({"price": 1_000_000})));
    let words = answer["error"]["message"].as_str().unwrap();
    assert!(words.starts_with("price_too_high "), "the limit follows: {words}");
    let answer = town.http("alice", "private/buy", base(json!({"type": 5})));
    assert_eq!(answer["error"]["data"], json!({"reason": "wrong format", "param": "type"}));
}

#[test]
fn orders_that_are_not_there_or_not_yours() {
    let mut town = Town::new();
    let (bid, _) = town.best("BTC-PERPETUAL");
    let placed = town.place(
        "alice",
        "buy",
        json!({
            "instrument_name": "BTC-PERPETUAL", "amount": 10, "price": number(less(bid, 100, 0)),
            "label": "twice",
        }),
    );
    let id = placed["order"]["order_id"].as_str().unwrap().to_owned();
    for text in ["", "nonsense", "1", "ETH-1", &format!("ETH-{id}"), &format!("0{id}")] {
        assert_eq!(town.code("alice", "private/cancel", json!({ "order_id": text })), 10004);
    }
    for method in ["private/cancel", "private/get_order_state"] {
        assert_eq!(town.code("bob", method, json!({ "order_id": id })), 10004, "not his");
    }
    let edit = json!({"order_id": id, "amount": 20, "price": number(less(bid, 200, 0))});
    assert_eq!(town.code("bob", "private/edit", edit.clone()), 10004);
    town.ok("alice", "private/cancel", json!({ "order_id": id }));
    assert_eq!(town.code("alice", "private/cancel", json!({ "order_id": id })), 11044);
    assert_eq!(town.code("alice", "private/edit", edit), 10010);
    let by_label = json!({
        "label": "twice", "instrument_name": "BTC-PERPETUAL", "amount": 10,
        "price": number(less(bid, 100, 0)),
    });
    assert_eq!(town.code("alice", "private/edit_by_label", by_label.clone()), 10004);
    for _ in 0..2 {
        town.place("alice", "buy", by_label.clone());
    }
    assert_eq!(town.code("alice", "private/edit_by_label", by_label), 13032);
    let cancelled = town.ok("alice", "private/cancel_by_label", json!({"label": "twice"}));
    assert_eq!(cancelled, json!(2));
}

#[test]
fn rights_are_held() {
    let mut town = Town::new();
    let order = json!({"instrument_name": "BTC-PERPETUAL", "amount": 10, "type": "market"});
    let address = json!({"currency": "BTC", "address": "x", "amount": 1});
    for (who, method, params, code) in [
        ("", "private/buy", order.clone(), 10000),
        ("mallory", "private/buy", order.clone(), 13004),
        ("mallory", "public/test", json!({}), 13004),
        ("reader", "private/buy", order.clone(), 13403),
        ("reader", "private/cancel_all", json!({}), 13403),
        ("alice", "private/withdraw", address.clone(), 13403),
        ("alice", "private/submit_transfer_to_user", address.clone(), 13403),
        ("banker", "private/withdraw", address, 13021),
        ("banker", "private/create_api_key", json!({"max_scope": "trade:read"}), 13904),
        ("bob", "private/create_api_key", json!({"max_scope": "trade:read"}), 13403),
        ("alice", "private/nothing", json!({}), -32601),
        ("alice", "private/subscribe", json!({"channels": []}), 10030),
        ("alice", "private/logout", json!({}), 10030),
        ("alice", "private/enable_cancel_on_disconnect", json!({}), 10030),
        ("", "public/hello", json!({}), 10030),
        ("", "public/get_instrument", json!({"instrument_name": "NO"}), 13020),
        ("", "public/ticker", json!({}), -32602),
        (
            "",
            "public/get_order_book",
            json!({"instrument_name": "BTC-PERPETUAL", "depth": 7}),
            -32602,
        ),
        ("", "public/test", json!({"expected_result": "exception"}), 11094),
        ("", "public/exchange_token", json!({"refresh_token": "x", "subject_id": 1}), 13009),
    ] {
        assert_eq!(town.code(who, method, params), code, "{who} {method}");
    }
}

#[test]
fn a_token_works_wherever_it_is_put_and_no_further_than_it_goes() {
    let mut town = Town::new();
    let login = json!({
        "grant_type": "client_credentials", "client_id": "alice", "client_secret": "secret",
        "scope": "trade:read session:one", "state": "abc",
    });
    let answer = town.ok("", "public/auth", login);
    assert_eq!(answer["scope"], "account:read_write trade:read mainaccount session:one");
    assert_eq!(answer["state"], "abc");
    let token = answer["access_token"].as_str().unwrap().to_owned();
    let call = json!({ "access_token": token });
    assert!(town.http("", "private/get_open_orders", call).get("result").is_some());
    let order = json!({
        "access_token": token, "instrument_name": "BTC-PERPETUAL", "amount": 10, "type": "market",
    });
    assert_eq!(town.code("", "private/buy", order), 13403);
    let refresh = answer["refresh_token"].as_str().unwrap();
    let fork = json!({"refresh_token": refresh, "session_name": "two"});
    let forked = town.ok("", "public/fork_token", fork);
    assert_eq!(forked["sid"], "session:two");
    let exchange = json!({"refresh_token": refresh, "subject_id": 5});
    assert_eq!(town.code("", "public/exchange_token", exchange), 13021);
    let refresh = json!({"grant_type": "refresh_token", "refresh_token": refresh});
    town.ok("", "public/auth", refresh);
    assert_eq!(town.code("", "private/get_open_orders", json!({ "access_token": token })), 13009);
    let link = town.link();
    let fresh = forked["access_token"].clone();
    let answer = town.ask(link, "private/get_open_orders", json!({ "access_token": fresh }));
    assert!(answer.get("result").is_some(), "on a connection too");
}

#[test]
fn credits_run_out() {
    let mut town = Town::with_credits(1);
    let order = json!({"instrument_name": "BTC-NONSENSE", "amount": 10, "type": "market"});
    let codes: Vec<i64> =
        (0..25).map(|_| town.code("alice", "private/buy", order.clone())).collect();
    assert_eq!(codes.iter().filter(|code| **code == 10020).count(), 20);
    assert_eq!(codes.last(), Some(&10028));
    let link = town.link();
    let mut last = Vec::new();
    for _ in 0..101 {
        last = town.frame(link, r#"{"id":1,"method":"public/test"}"#);
    }
    assert_eq!(last[0]["error"]["code"], 10028);
    assert_eq!(last[1]["closed"], 1008, "and the session ends");
}

//! Connections: subscriptions, heartbeats, cancel-on-disconnect.

use super::*;
use std::collections::BTreeMap;

const PERPETUAL: &str = "BTC-PERPETUAL";

fn subscribe(town: &mut Town, link: u64, method: &str, channels: Value) -> Vec<Value> {
    let call = json!({"id": 5, "method": method, "params": {"channels": channels}});
    town.frame(link, &call.to_string())
}

type Side = BTreeMap<Decimal, Decimal>;

/// Takes a book message in.
fn take(book: &mut (Side, Side), message: &Value) {
    for (side, name) in [(&mut book.0, "bids"), (&mut book.1, "asks")] {
        for row in message[name].as_array().unwrap() {
            let (price, amount) = (decimal(&row[1]), decimal(&row[2]));
            match row[0].as_str().unwrap() {
                "new" => assert_eq!(side.insert(price, amount), None, "{row} was there"),
                "change" => assert!(side.insert(price, amount).is_some(), "{row} was not there"),
                "delete" => {
                    assert!(amount.is_zero());
                    assert!(side.remove(&price).is_some(), "{row} was not there");
                }
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn book_changes_rebuild_the_book() {
    for pace in ["raw", "100ms", "agg2"] {
        let mut town = Town::new();
        let link = town.signed_in("alice");
        let name = format!("book.{PERPETUAL}.{pace}");
        let messages = subscribe(&mut town, link, "public/subscribe", json!([name]));
        assert_eq!(messages[0]["result"], json!([name]), "the answer comes first");
        let first = &messages[1]["params"]["data"];
        assert_eq!(first["type"], "snapshot");
        assert!(first.get("prev_change_id").is_none());
        let mut book = (Side::new(), Side::new());
        take(&mut book, first);
        let mut last = first["change_id"].as_u64().unwrap();
        let mut changes = 0;
        for step in 0..50 {
            if step % 10 == 0 {
                let (bid, _) = town.best(PERPETUAL);
                town.place(
                    "bob",
                    "buy",
                    json!({
                        "instrument_name": PERPETUAL, "amount": 10,
                        "price": number(less(bid, 70, 0)),
                    }),
                );
            }
            town.pass(1);
            for change in town.news(link) {
                assert_eq!(change["type"], "change");
                assert_eq!(change["prev_change_id"], json!(last), "no gap");
                last = change["change_id"].as_u64().unwrap();
                take(&mut book, &change);
                changes += 1;
            }
        }
        assert!(changes >= 4, "{pace}: {changes}");
        if pace != "agg2" {
            let whole = json!({"instrument_name": PERPETUAL, "depth": 10_000});
            let whole = town.ok("", "public/get_order_book", whole);
            let side = |name: &str| -> Side {
                let rows = whole[name].as_array().unwrap().iter();
                rows.map(|row| (decimal(&row[0]), decimal(&row[1]))).collect()
            };
            assert_eq!(book, (side("bids"), side("asks")), "{pace}");
        }
    }
}

#[test]
fn a_second_listener_gets_the_book_its_changes_continue() {
    let mut town = Town::new();
    let first = town.link();
    subscribe(&mut town, first, "public/subscribe", json!([format!("book.{PERPETUAL}.agg2")]));
    town.pass(13);
    town.news(first);
    let second = town.link();
    let messages =
        subscribe(&mut town, second, "public/subscribe", json!([format!("book.{PERPETUAL}.agg2")]));
    let known = messages[1]["params"]["data"]["change_id"].clone();
    town.pass(15);
    let news = town.news(second);
    assert_eq!(news[0]["prev_change_id"], known);
}

#[test]
fn unknown_channels_are_left_out_and_repeats_are_quiet() {
    let mut town = Town::new();
    let link = town.link();
    let names = json!([
        "nonsense",
        "book.NOTHING.100ms",
        "ticker.BTC-PERPETUAL.1s",
        "user.orders.any.any.raw",
        "book.BTC-PERPETUAL.none.7.100ms",
        "quote.BTC-PERPETUAL",
    ]);
    let messages = subscribe(&mut town, link, "public/subscribe", names);
    assert_eq!(messages[0]["result"], json!(["quote.BTC-PERPETUAL"]));
    let messages = subscribe(&mut town, link, "public/subscribe", json!(["quote.BTC-PERPETUAL"]));
    assert_eq!(messages.len(), 1, "no second snapshot");
    assert_eq!(messages[0]["result"], json!(["quote.BTC-PERPETUAL"]));
    let raw = json!(["book.BTC-PERPETUAL.raw"]);
    let messages = subscribe(&mut town, link, "public/subscribe", raw);
    assert_eq!(messages[0]["error"]["code"], 13778);
    let private = json!(["user.orders.any.any.raw"]);
    let messages = subscribe(&mut town, link, "private/subscribe", private);
    assert_eq!(messages[0]["error"]["code"], 13009);
    let messages =
        subscribe(&mut town, link, "public/unsubscribe", json!(["quote.BTC-PERPETUAL", "x"]));
    assert_eq!(messages[0]["result"], json!(["quote.BTC-PERPETUAL"]));
    town.pass(20);
    assert_eq!(town.heard(link), Vec::<Value>::new());
}

#[test]
fn every_public_channel_speaks() {
    let mut town = Town::new();
    let option = an_option(&mut town, true);
    let link = town.link();
    let wanted = [
        ("ticker.BTC-PERPETUAL.100ms".to_owned(), "mark_price"),
        (format!("ticker.{option}.100ms"), "greeks"),
        ("quote.BTC-PERPETUAL".to_owned(), "best_bid_price"),
        ("book.BTC-PERPETUAL.none.10.100ms".to_owned(), "bids"),
        ("book.BTC-PERPETUAL.10.20.agg2".to_owned(), "asks"),
        ("perpetual.BTC-PERPETUAL.100ms".to_owned(), "interest"),
        ("chart.trades.BTC-PERPETUAL.1".to_owned(), "tick"),
        ("deribit_price_index.btc_usd".to_owned(), "price"),
        ("deribit_volatility_index.btc_usd".to_owned(), "volatility"),
        ("markprice.options.btc_usd".to_owned(), ""),
        ("trades.BTC-PERPETUAL.100ms".to_owned(), ""),
        ("trades.option.any.agg2".to_owned(), ""),
    ];
    let names: Vec<&String> = wanted.iter().map(|(name, _)| name).collect();
    let mut messages = subscribe(&mut town, link, "public/subscribe", json!(names));
    assert_eq!(messages[0]["result"].as_array().unwrap().len(), wanted.len());
    town.pass(300);
    messages.extend(town.heard(link));
    for (name, field) in wanted {
        let found = messages.iter().find(|message| message["params"]["channel"] == json!(name));
        let found = found.unwrap_or_else(|| panic!("{name} is silent"));
        assert_eq!(found["method"], "subscription");
        let data = &found["params"]["data"];
        assert!(data.is_array() || data.get(field).is_some(), "{name}: {data}");
    }
}

#[test]
fn a_callers_own_channels() {
    let mut town = Town::new();
    let alice = town.signed_in("alice");
    let bob = town.signed_in("bob");
    let names = json!([
        "user.orders.any.any.raw",
        "user.trades.any.any.raw",
        "user.changes.future.BTC.raw",
        "user.portfolio.btc",
        "user.orders.BTC-PERPETUAL.100ms",
    ]);
    for link in [alice, bob] {
        let messages = subscribe(&mut town, link, "private/subscribe", names.clone());
        assert_eq!(messages[0]["result"].as_array().unwrap().len(), 5);
        let at_once = messages.iter().filter(|m| m["params"]["channel"] == "user.portfolio.btc");
        assert_eq!(at_once.count(), 1, "the portfolio is sent at once");
    }
    let order = json!({"instrument_name": PERPETUAL, "amount": 10, "type": "market"});
    let answer = town.ask(alice, "private/buy", order);
    assert_eq!(answer["result"]["order"]["order_state"], "filled");
    town.pass(2);
    let mut heard = town.heard(alice);
    let order = json!({"instrument_name": PERPETUAL, "amount": 10, "type": "market"});
    let call = json!({"id": 6, "method": "private/sell", "params": order});
    heard.extend(town.frame(alice, &call.to_string()));
    town.pass(2);
    heard.extend(town.heard(alice));
    let of = |channel: &str| -> Vec<&Value> {
        let mine = heard.iter().filter(|m| m["params"]["channel"] == channel);
        mine.map(|m| &m["params"]["data"]).collect()
    };
    assert!(of("user.orders.any.any.raw").iter().all(|data| data.is_object()), "one at a time");
    assert!(of("user.orders.any.any.raw").iter().any(|data| data["order_state"] == "filled"));
    assert!(of("user.orders.BTC-PERPETUAL.100ms").iter().all(|data| data.is_array()));
    assert_eq!(of("user.trades.any.any.raw")[0][0]["liquidity"], "T");
    let changes = of("user.changes.future.BTC.raw");
    let traded = changes.iter().find(|data| data["trades"][0].is_object()).unwrap();
    assert_eq!(traded["positions"][0]["instrument_name"], PERPETUAL);
    assert!(!of("user.portfolio.btc").is_empty());
    let others = town.heard(bob);
    assert_eq!(others, Vec::<Value>::new(), "nobody else hears of it");
    let reader = town.signed_in("reader");
    let messages = subscribe(&mut town, reader, "private/subscribe", names);
    assert_eq!(messages[0]["result"].as_array().unwrap().len(), 5, "reading is enough");
}

#[test]
fn frames_are_answered_by_id_or_without_one() {
    let mut town = Town::new();
    let link = town.link();
    let bad = town.frame(link, "{nonsense");
    assert_eq!(
        bad[0]["error"],
        json!({
            "code": 11050, "message": "bad_request", "data": "invalid json",
        })
    );
    assert!(bad[0].get("id").is_none());
    let none = town.frame(link, r#"{"jsonrpc":"2.0","method":"public/test"}"#);
    assert!(none[0].get("id").is_none() && none[0]["result"].is_object());
    let text = town.frame(link, r#"{"id":"a","method":"public/test","params":{}}"#);
    assert_eq!(text[0]["id"], "a");
    let large =
        format!(r#"{{"id":1,"method":"public/test","params":{{"x":"{}"}}}}"#, "y".repeat(40_000));
    assert_eq!(town.frame(link, &large)[0]["error"]["code"], -32600);
    let hello = json!({"client_name": "test", "client_version": "1"});
    assert!(town.ask(link, "public/hello", hello)["result"]["version"].is_string());
}

#[test]
fn a_lost_connection_cancels_its_orders_if_asked_to() {
    let mut town = Town::new();
    let (bid, _) = town.best(PERPETUAL);
    let order =
        json!({"instrument_name": PERPETUAL, "amount": 10, "price": number(less(bid, 100, 0))});
    town.place("alice", "buy", order.clone());
    let covered = town.signed_in("alice");
    let answer = town.ask(covered, "private/enable_cancel_on_disconnect", json!({}));
    assert_eq!(answer["result"], "ok");
    let state = town.ask(covered, "private/get_cancel_on_disconnect", json!({}));
    assert_eq!(state["result"], json!({"scope": "connection", "enabled": true}));
    let placed = town.ask(covered, "private/buy", order.clone());
    let id = placed["result"]["order"]["order_id"].clone();
    town.venue.disconnect(&mut town.host, covered);
    town.settle();
    let gone = town.ok("alice", "private/get_order_state", json!({ "order_id": id }));
    assert_eq!(gone["cancel_reason"], "cancel_on_disconnect");
    let open = town.ok("alice", "private/get_open_orders", json!({}));
    assert_eq!(open.as_array().unwrap().len(), 1, "the one that came another way stays");
    let uncovered = town.signed_in("alice");
    town.ask(uncovered, "private/buy", order.clone());
    town.venue.disconnect(&mut town.host, uncovered);
    let account = json!({"scope": "account"});
    town.ok("alice", "private/enable_cancel_on_disconnect", account);
    let leaving = town.signed_in("alice");
    town.ask(leaving, "private/buy", order);
    let messages = town.frame(leaving, r#"{"id":1,"method":"private/logout","params":{}}"#);
    assert_eq!(messages, [json!({"closed": 1000})], "no answer, and the end");
    let open = town.ok("alice", "private/get_open_orders", json!({}));
    assert_eq!(open.as_array().unwrap().len(), 3, "a goodbye cancels nothing");
}

#[test]
fn heartbeats_and_idle_ends() {
    let mut town = Town::new();
    let (beating, idle, listening) = (town.link(), town.link(), town.link());
    assert_eq!(town.ask(beating, "public/set_heartbeat", json!({"interval": 10}))["result"], "ok");
    let answer = town.ask(beating, "public/set_heartbeat", json!({"interval": 9}));
    assert_eq!(answer["error"]["code"], -32602);
    subscribe(&mut town, listening, "public/subscribe", json!(["platform_state"]));
    town.pass(101);
    let all: Vec<Out> = town.venue.drain().collect();
    let words =
        |link: u64| all.iter().filter(|out| matches!(out, Out::Text(to, _) if *to == link)).count();
    assert_eq!((words(beating), words(idle)), (2, 0), "a heartbeat and a test request");
    town.pass(101);
    assert!(town.venue.drain().any(|out| out == Out::Close(beating, 4000, "heartbeat close")));
    town.pass(400);
    let all: Vec<Out> = town.venue.drain().collect();
    assert!(all.contains(&Out::Close(idle, 1001, "idle")));
    assert!(!all.iter().any(|out| matches!(out, Out::Close(to, ..) if *to == listening)));
}

#[test]
fn tokens_of_a_connection_end_with_it() {
    let mut town = Town::new();
    let link = town.link();
    let login = json!({
        "grant_type": "client_credentials", "client_id": "alice", "client_secret": "secret",
    });
    let answer = town.ask(link, "public/auth", login);
    let token = answer["result"]["access_token"].clone();
    let call = json!({ "access_token": token });
    assert!(town.http("", "private/get_positions", call.clone()).get("result").is_some());
    town.venue.disconnect(&mut town.host, link);
    assert_eq!(town.code("", "private/get_positions", call), 13009);
}

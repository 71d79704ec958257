use super::*;
use crate::fanout::Fit;

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn what_sessions_and_the_venue_say_is_taken_apart() {
    let streams = list(&["book.BTC-PERPETUAL.100ms", "ticker.ETH-PERPETUAL.100ms"]);
    let join = said(&begin(7, &streams));
    assert_eq!(join, Some(Said::Join { id: 7.into(), streams: streams.clone() }));
    let leave = said(&end(8, &streams));
    assert_eq!(leave, Some(Said::Leave { id: 8.into(), streams: Some(streams.clone()) }));
    let all = rpc::call(9, "public/unsubscribe_all", Map::new());
    assert_eq!(said(&all), Some(Said::Leave { id: 9.into(), streams: None }));
    let heartbeat = said(&rpc::call(3, "public/test", Map::new()));
    assert_eq!(heartbeat, Some(Said::Here(r#"{"jsonrpc":"2.0","id":3,"result":"ok"}"#.to_owned())));
    assert_eq!(said(&rpc::call(3, "private/buy", Map::new())), None);

    let news = rpc::notification("ticker.ETH-PERPETUAL.100ms", json!({"last_price": 1}));
    assert_eq!(told(&news), Told::News { stream: streams[1].clone() });
    let answer = joined(&7.into(), &streams[..1]);
    let taken = Taken::These(list(&["book.BTC-PERPETUAL.100ms"]));
    assert_eq!(told(&answer), Told::Answer { id: 7, taken });
    let error = r#"{"jsonrpc":"2.0","id":7,"error":{"code":11050,"message":"bad_request"}}"#;
    assert_eq!(told(error), Told::Answer { id: 7, taken: Taken::None });
    let passed_on: Value = serde_json::from_str(&denied(&4.into(), error)).unwrap();
    assert_eq!((&passed_on["id"], &passed_on["error"]["code"]), (&4.into(), &11050.into()));
    let test = r#"{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}"#;
    assert!(matches!(told(test), Told::Say(text) if text.contains("public/test")));
    for text in ["", "[]", "{}", r#"{"id":0,"result":"ok"}"#] {
        assert_eq!(told(text), Told::Nothing, "{text}");
    }
}

fn book(kind: &str, after: Option<u64>, change: u64, bids: Value, asks: Value) -> String {
    let mut data = json!({
        "type": kind, "timestamp": 1_700_000_000_000_u64 + change, "instrument_name": "BTC-PERPETUAL",
        "change_id": change, "bids": bids, "asks": asks,
    });
    if let Some(after) = after {
        data["prev_change_id"] = after.into();
    }
    rpc::notification("book.BTC-PERPETUAL.100ms", data)
}

#[test]
fn a_newcomer_is_told_the_book_as_it_stands() {
    let mut memory = memory("book.BTC-PERPETUAL.100ms").unwrap();
    let early = book("change", Some(4), 5, json!([["new", 59_999.5, 10]]), json!([]));
    assert_eq!((memory.take(&early), memory.state()), (Fit::Early, None));
    let bids = json!([["new", 60_000.0, 10], ["new", 59_999.5, 20]]);
    let snapshot = book("snapshot", None, 7, bids, json!([["new", 60_000.5, 30]]));
    assert_eq!(memory.take(&snapshot), Fit::Good);
    let bids = json!([["delete", 60_000.0, 0], ["new", 59_000, 5], ["change", 59_999.5, 25]]);
    assert_eq!(memory.take(&book("change", Some(7), 9, bids, json!([]))), Fit::Good);
    let state: Value = serde_json::from_str(&memory.state().unwrap()).unwrap();
    let data = &state["params"]["data"];
    assert_eq!(state["params"]["channel"], json!("book.BTC-PERPETUAL.100ms"));
    assert_eq!((&data["type"], &data["change_id"]), (&json!("snapshot"), &json!(9)));
    assert_eq!(data["bids"].to_string(), r#"[["new",59999.5,25],["new",59000,5]]"#);
    assert_eq!(data["asks"].to_string(), r#"[["new",60000.5,30]]"#);
    // A change is missing: nobody may be told a book that the venue has not.
    let late = book("change", Some(11), 12, json!([]), json!([]));
    assert_eq!((memory.take(&late), memory.state()), (Fit::Gap, None));
}

#[test]
fn a_newcomer_is_told_the_whole_ticker_and_the_last_message_of_channels_that_tell_all() {
    let name = "incremental_ticker.BTC-PERPETUAL";
    let mut ticker = memory(name).unwrap();
    let told = |data: Value| rpc::notification(name, data);
    assert_eq!(ticker.take(&told(json!({"type": "change", "last_price": 1}))), Fit::Early);
    ticker.take(&told(json!({"type": "snapshot", "last_price": 1, "mark_price": 2})));
    ticker.take(&told(json!({"type": "change", "last_price": 3})));
    let state: Value = serde_json::from_str(&ticker.state().unwrap()).unwrap();
    let whole = json!({"type": "snapshot", "last_price": 3, "mark_price": 2});
    assert_eq!(state["params"]["data"], whole);

    for name in
        ["book.BTC-PERPETUAL.none.10.100ms", "ticker.BTC-PERPETUAL.100ms", "quote.BTC-PERPETUAL"]
    {
        let mut memory = memory(name).unwrap();
        assert_eq!((memory.take("one"), memory.take("two")), (Fit::Good, Fit::Good));
        assert_eq!(memory.state().as_deref(), Some("two"));
    }
    for name in ["trades.BTC-PERPETUAL.100ms", "instrument.state.any.any", "announcements"] {
        assert!(memory(name).is_none(), "{name}: what happened is told once");
    }
}

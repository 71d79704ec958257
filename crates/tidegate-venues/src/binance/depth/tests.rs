use super::*;
use serde_json::{Value, json};

fn request(query: &str) -> WireRequest {
    WireRequest {
        method: "GET".to_owned(),
        target: format!("/fapi/v1/depth?{query}"),
        headers: Vec::new(),
        body: String::new(),
    }
}

fn reply(body: &Value) -> Reply {
    Reply { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() }
}

/// A change from `first` to `last` after `before`: bids and asks as prices and quantities.
fn told(
    (before, first, last): (u64, u64, u64),
    bids: &[(&str, &str)],
    asks: &[(&str, &str)],
) -> String {
    json!({"stream": "btcusdt@depth@100ms", "data": {"e": "depthUpdate", "E": last + 1000, "T": last + 900,
        "s": "BTCUSDT", "U": first, "u": last, "pu": before, "b": bids, "a": asks}})
    .to_string()
}

fn snapshot(at: u64, bids: &[(&str, &str)], asks: &[(&str, &str)]) -> Reply {
    reply(&json!({"lastUpdateId": at, "E": 5, "T": 4, "bids": bids, "asks": asks}))
}

fn answer(book: &Kept, query: &str) -> Option<Value> {
    let reply = book.answer(&request(query))?;
    Some(serde_json::from_slice(&reply.body).unwrap())
}

const FIVE: &str = "symbol=BTCUSDT&limit=5";

/// A book at 20, of five bids and two asks.
fn kept() -> Kept {
    let mut book = Kept::default();
    book.take(&told((5, 6, 10), &[("1.0", "9")], &[]));
    book.take(&told((10, 11, 20), &[("9.50", "2")], &[]));
    let bids = [("9.9", "1"), ("9.8", "1"), ("9.7", "1"), ("9.6", "1"), ("9.5", "1")];
    book.learn(&request(FIVE), &snapshot(15, &bids, &[("10.0", "3"), ("10.1", "4")]));
    book
}

#[test]
fn which_streams_and_requests_belong_together() {
    let all = ["btcusdt@depth@0ms", "btcusdt@depth@100ms", "btcusdt@depth", "btcusdt@depth@500ms"];
    assert_eq!(streams(&request(FIVE)), all);
    assert_eq!(streams(&request("limit=1000&symbol=BTCUSDT")), all);
    assert_eq!(streams(&request("symbol=BTCUSDT")), all);
    for other in ["symbol=BTCUSDT&limit=7", "limit=5", "symbol=BTCUSDT&limit=x"] {
        assert!(streams(&request(other)).is_empty(), "{other}");
    }
    assert!(all.iter().all(|stream| empty(stream).is_some()));
    for other in ["btcusdt@depth5", "btcusdt@depth20@100ms", "btcusdt@trade", "!bookTicker"] {
        assert!(empty(other).is_none(), "{other}");
    }
}

#[test]
fn a_snapshot_is_joined_by_changes_that_came_before_it() {
    let book = kept();
    let expected = json!({"lastUpdateId": 20, "E": 1020, "T": 920,
        "bids": [["9.9", "1"], ["9.8", "1"], ["9.7", "1"], ["9.6", "1"], ["9.50", "2"]],
        "asks": [["10.0", "3"], ["10.1", "4"]]});
    assert_eq!(answer(&book, FIVE), Some(expected));
    assert_eq!(answer(&book, "symbol=BTCUSDT&limit=10"), None, "more bids than are known");
}

#[test]
fn it_goes_on_with_each_change_and_answers_what_it_knows() {
    let mut book = kept();
    // What is beyond the snapshot's end may have a hole before it; the asks were all there is.
    book.take(&told(
        (20, 21, 30),
        &[("9.9", "0.000"), ("9.4", "5")],
        &[("12", "1"), ("10.1", "0")],
    ));
    assert_eq!(answer(&book, FIVE), None, "four bids of five");
    book.take(&told((30, 31, 31), &[("9.95", "7")], &[]));
    let now = answer(&book, FIVE).unwrap();
    assert_eq!((&now["lastUpdateId"], &now["bids"][0]), (&json!(31), &json!(["9.95", "7"])));
    assert_eq!(now["asks"], json!([["10.0", "3"], ["12", "1"]]));
}

#[test]
fn a_missing_change_ends_it_until_the_next_snapshot() {
    let mut book = kept();
    book.take(&told((21, 22, 30), &[], &[]));
    assert_eq!(answer(&book, FIVE), None);
    // A snapshot from before the gap joins nothing.
    book.learn(&request(FIVE), &snapshot(20, &[("9.9", "1")], &[("10.0", "3")]));
    assert_eq!(answer(&book, FIVE), None);
    book.learn(&request(FIVE), &snapshot(30, &[("9.9", "1")], &[("10.0", "3")]));
    assert_eq!(answer(&book, FIVE).unwrap()["lastUpdateId"], 30);
}

#[test]
fn a_change_that_is_told_twice_is_made_once() {
    let mut book = kept();
    for _ in 0..3 {
        book.take(&told((20, 21, 30), &[("9.95", "7")], &[]));
    }
    book.take(&told((30, 31, 40), &[("9.95", "0")], &[]));
    let now = answer(&book, FIVE).unwrap();
    assert_eq!((&now["lastUpdateId"], &now["bids"][0]), (&json!(40), &json!(["9.9", "1"])));
    // Numbers that begin anew are another matter.
    for n in 0..9 {
        assert!(answer(&book, FIVE).is_some(), "{n}");
        book.take(&told((n, n + 1, n + 1), &[], &[]));
    }
    assert_eq!(answer(&book, FIVE), None);
}

#[test]
fn a_snapshot_newer_than_all_changes_waits_for_one() {
    let mut book = Kept::default();
    book.learn(&request(FIVE), &snapshot(50, &[("9.9", "1")], &[("10.0", "3")]));
    assert_eq!(answer(&book, FIVE), None);
    book.take(&told((40, 41, 45), &[("1", "1")], &[]));
    assert_eq!(answer(&book, FIVE), None);
    book.take(&told((45, 46, 55), &[], &[("10.0", "4")]));
    let now = answer(&book, FIVE).unwrap();
    assert_eq!((&now["lastUpdateId"], &now["asks"]), (&json!(55), &json!([["10.0", "4"]])));
}

#[test]
fn nonsense_is_no_book() {
    let mut book = kept();
    book.take(r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","u":"x"}}"#);
    assert_eq!(answer(&book, FIVE), None);
    let mut book = kept();
    let busy = Reply { status: 429, headers: Vec::new(), body: Vec::new() };
    book.learn(&request(FIVE), &busy);
    book.learn(&request(FIVE), &reply(&json!({"lastUpdateId": 20})));
    book.learn(&request(FIVE), &snapshot(20, &[("\"],[", "1")], &[]));
    assert!(answer(&book, FIVE).is_some(), "the one before it stays");
}

use super::*;
use serde_json::json;

#[test]
fn the_three_http_forms_are_one_call() {
    let query = read_http("GET", "/api/v2/public/ticker?instrument_name=BTC-PERPETUAL", b"");
    let body = br#"{"jsonrpc":"2.0","id":7,"method":"public/ticker","params":{"instrument_name":"BTC-PERPETUAL"}}"#;
    let path = read_http("POST", "/api/v2/public/ticker", body);
    let root = read_http("POST", "/api/v2", body);
    for (call, id) in [(query, None), (path, Some(json!(7))), (root, Some(json!(7)))] {
        let call = call.unwrap();
        assert_eq!(call.method, "public/ticker");
        assert_eq!(call.params.text("instrument_name"), Ok(Some("BTC-PERPETUAL")));
        assert_eq!(call.id, id);
    }
}

#[test]
fn unreadable_calls_say_why() {
    let code = |call: Result<Call, Box<Unreadable>>| call.unwrap_err().1.code;
    assert_eq!(code(read_json(b"{")), 11050);
    assert_eq!(code(read_json(b"[]")), 11050);
    assert_eq!(code(read_json(b"{}")), -32601);
    assert_eq!(code(read_json(br#"{"method":"public/test","params":[1]}"#)), -32602);
    assert_eq!(code(read_json(&vec![b' '; MAX_REQUEST + 1])), -32600);
    assert_eq!(code(read_http("GET", "/other", b"")), -32601);
    assert_eq!(code(read_http("PUT", "/api/v2/public/test", b"")), 11050);
    let other = br#"{"method":"public/test"}"#;
    assert_eq!(code(read_http("POST", "/api/v2/public/ticker", other)), 11050);
    let deep = "[".repeat(30_000);
    assert_eq!(code(read_json(deep.as_bytes())), 11050, "nesting is bounded");
}

#[test]
fn responses_have_the_venue_s_envelope() {
    let (came, left) = (Time::from_micros(1_000), Time::from_micros(1_250));
    let good = respond(Some(&json!("a")), &answer(&json!({"x": 1})), came, left);
    assert_eq!(
        good,
        r#"{"jsonrpc":"2.0","id":"a","result":{"x":1},"usIn":1000,"usOut":1250,"usDiff":250,"testnet":true}"#
    );
    let bad = respond(None, &Err(Fault::invalid_json()), came, left);
    assert_eq!(
        bad,
        r#"{"jsonrpc":"2.0","error":{"code":11050,"message":"bad_request","data":"invalid json"},"usIn":1000,"usOut":1250,"usDiff":250,"testnet":true}"#
    );
    assert_eq!(
        heartbeat("test_request"),
        r#"{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}"#
    );
    assert_eq!(
        notify("quote.X", &1),
        r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.X","data":1}}"#
    );
}

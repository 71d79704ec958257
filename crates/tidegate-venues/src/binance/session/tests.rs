use super::*;
use crate::binance::tests::{
    KEY, NOW, SECRET, as_viewer, hmac_hex, instruments, reply, request, verifies,
};
use crate::front::{Asked, From, Local, Step, StreamKey, Tag};
use serde_json::{Value, json};
use tidegate_types::order::Intent;
use tidegate_types::request::{Method, Presented};

fn at(target: &str) -> Result<Box<dyn Session>, Reject> {
    open(&request(Method::Get, target, ""))
}

fn sent(steps: &[Step]) -> Value {
    match steps {
        [Step::Send(text)] => serde_json::from_str(text).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn relayed(steps: &[Step]) -> Value {
    match steps {
        [Step::Relay(text)] => serde_json::from_str(text).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn sockets_keep_the_class_of_their_path() {
    for (target, relay) in [
        ("/public/ws/0", "/public/stream"),
        ("/market/ws/2", "/market/stream"),
        ("/public/ws/btcusdt@depth", "/public/stream"),
        ("/market/stream?streams=btcusdt@aggTrade/!ticker@arr", "/market/stream"),
        ("/ws/btcusdt@depth@100ms", "/stream"),
        ("/stream", "/stream"),
    ] {
        assert_eq!(at(target).unwrap().relay_target().as_deref(), Some(relay), "{target}");
    }
    for target in
        ["/private/ws?listenKey=abc", "/private/ws/abc", "/private/stream?listenKey=abc", "/ws/abc"]
    {
        assert_eq!(at(target).unwrap().relay_target(), None, "{target}");
    }
    for target in [
        "/",
        "/ws2",
        "/private/ws/btcusdt@depth",
        "/private/stream?listenKey=abc&listenKey=def",
        // A listen key on a public socket would open somebody's private stream.
        "/public/ws/abcdefabcdef",
        "/market/stream?streams=btcusdt@depth/abcdefabcdef",
        "/public/ws/btcusdt%40depth",
        "/public/ws?colour=red",
        "/ws-fapi/v1?x=1",
        "/ws-fapi/v2",
    ] {
        assert!(at(target).is_err(), "{target}");
    }
}

#[test]
fn the_streams_of_the_path_are_subscribed_and_the_answer_is_not_shown() {
    let mut session = at("/market/stream?streams=btcusdt@aggTrade/0/!ticker@arr").unwrap();
    let hello = relayed(&session.on_open(NOW));
    assert_eq!(hello["params"], json!(["btcusdt@aggTrade", "!ticker@arr"]));
    let data = r#"{"stream":"btcusdt@aggTrade","data":{"p":"1.50"}}"#;
    assert!(matches!(session.on_public(data, NOW).as_slice(), [Step::Send(text)] if text == data));
    let answer = json!({"result": null, "id": hello["id"]}).to_string();
    assert!(session.on_public(&answer, NOW).is_empty());
    assert!(matches!(session.on_public(data, NOW).as_slice(), [Step::Send(text)] if text == data));
    assert!(at("/public/ws/0").unwrap().on_open(NOW).is_empty());
    // A socket whose streams cannot be had is closed with the reason.
    let mut session = at("/ws/btcusdt@trade").unwrap();
    let id = relayed(&session.on_open(NOW))["id"].clone();
    let error = json!({"error": {"code": 4, "msg": "TG403 too many"}, "id": id}).to_string();
    let steps = session.on_public(&error, NOW);
    assert!(
        matches!(steps.as_slice(), [Step::Close { code: 1008, reason }] if reason.contains("TG403")),
        "{steps:?}"
    );
}

#[test]
fn frames_are_checked_and_rebuilt() {
    let mut session = at("/public/ws/0").unwrap();
    let mut on = |text: &str| session.on_text(text, &instruments(), NOW);
    let good = [
        r#"{"method":"SUBSCRIBE","params":["btcusdt@depth@100ms"],"id":1}"#,
        r#"{"method":"UNSUBSCRIBE","params":["btcusdt@trade","!bookTicker"],"id":"a"}"#,
    ];
    for text in good {
        assert_eq!(relayed(&on(text)), serde_json::from_str::<Value>(text).unwrap());
    }
    let spaced = r#"{ "id" : 7, "params" : [ "btcusdt@trade" ], "method" : "SUBSCRIBE" }"#;
    assert_eq!(
        relayed(&on(spaced)).to_string(),
        r#"{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":7}"#
    );
    for (text, code) in [
        ("", 3),
        ("{", 3),
        (r#"{"method":"SUBSCRIBE","method":"UNSUBSCRIBE","params":["a@b"],"id":1}"#, 3),
        (r#"{"method":"SUBSCRIBE","params":["abcdefabcdef"],"id":1}"#, 2),
        (r#"{"method":"SUBSCRIBE","params":[],"id":1}"#, 2),
        (r#"{"method":"SUBSCRIBE","params":"a@b","id":1}"#, 2),
        (r#"{"method":"SUBSCRIBE","params":["a@b"],"id":1,"x":1}"#, 2),
        (r#"{"method":"SUBSCRIBE","params":["a@b"],"id":4294967291}"#, 2),
        (r#"{"method":"SUBSCRIBE","params":["a@b"],"id":[1]}"#, 2),
        (r#"{"method":"SET_PROPERTY","params":["combined",1],"id":1}"#, 2),
        (r#"{"method":"ORDER","params":[],"id":1}"#, 2),
        ("[]", 2),
    ] {
        assert_eq!(sent(&on(text))["error"]["code"], json!(code), "{text}");
    }
}

#[test]
fn what_one_socket_is_set_to_is_its_own() {
    let mut session = at("/ws/btcusdt@trade").unwrap();
    session.on_open(NOW);
    let news = r#"{"stream":"btcusdt@trade","data":{"p":"1.50"}}"#;
    let shown = |steps: Vec<Step>| match steps.as_slice() {
        [Step::Send(text)] => text.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(shown(session.on_public(news, NOW)), r#"{"p":"1.50"}"#, "payloads as they are");
    let mut on = |text: &str| shown(session.on_text(text, &instruments(), NOW));
    let list = on(r#"{"method":"LIST_SUBSCRIPTIONS","id":3}"#);
    assert_eq!(list, r#"{"result":["btcusdt@trade"],"id":3}"#);
    let combined = on(r#"{"method":"SET_PROPERTY","params":["combined",true],"id":null}"#);
    assert_eq!(combined, r#"{"result":null,"id":null}"#);
    let asked = on(r#"{"method":"GET_PROPERTY","params":["combined"],"id":4}"#);
    assert_eq!(asked, r#"{"result":true,"id":4}"#);
    assert_eq!(shown(session.on_public(news, NOW)), news, "in the envelope that names the stream");
    let leave = r#"{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":5}"#;
    assert_eq!(relayed(&session.on_text(leave, &instruments(), NOW))["id"], json!(5));
    let list =
        shown(session.on_text(r#"{"method":"LIST_SUBSCRIPTIONS","id":6}"#, &instruments(), NOW));
    assert_eq!(list, r#"{"result":[],"id":6}"#);
}

#[test]
fn a_private_socket_shows_nothing_until_its_key_is_good() {
    let own = json!({"e": "ORDER_TRADE_UPDATE", "o": {"c": "tg-a1", "i": 5}});
    let other = json!({"e": "ORDER_TRADE_UPDATE", "o": {"c": "tg-b1", "i": 6}});
    let mut session = at("/private/ws?listenKey=abc").unwrap();
    let steps = session.on_open(NOW);
    let [Step::Identify { tag, from: From::StreamKey { key } }] = steps.as_slice() else {
        panic!("{steps:?}")
    };
    assert_eq!(key, "abc");
    as_viewer("alice", false, |viewer| {
        assert!(session.on_private(&own, viewer, NOW).is_empty());
        assert!(session.on_identity(*tag, Ok(()), NOW).is_empty());
        let shown = sent(&session.on_private(&own, viewer, NOW));
        assert_eq!(shown["o"]["c"], json!("mine"));
        assert!(session.on_private(&other, viewer, NOW).is_empty());
    });
    let reject = Reject::new(Code::BadToken, "");
    let mut session = at("/private/ws/abc").unwrap();
    session.on_open(NOW);
    let steps = session.on_identity(Tag(0), Err(reject), NOW);
    assert!(matches!(steps.as_slice(), [Step::Close { code: 1008, .. }]));
}

#[test]
fn a_listen_key_may_come_in_a_subscription() {
    let own = json!({"e": "ORDER_TRADE_UPDATE", "o": {"c": "tg-a1", "i": 5}});
    let ask =
        |method: &str, key: &str| json!({"method": method, "params": [key], "id": 7}).to_string();
    let mut session = at("/private/stream").unwrap();
    assert!(session.on_open(NOW).is_empty());
    let known = instruments();
    let say = |session: &mut Box<dyn Session>, text: String| session.on_text(&text, &known, NOW);
    let steps = say(&mut session, ask("SUBSCRIBE", "bad"));
    assert!(matches!(steps.as_slice(), [Step::Identify { .. }]));
    let refused = session.on_identity(Tag(0), Err(Reject::new(Code::BadToken, "")), NOW);
    assert_eq!(sent(&refused)["error"]["code"], json!(2));
    let steps = say(&mut session, ask("SUBSCRIBE", "abc"));
    let [Step::Identify { tag, from: From::StreamKey { key } }] = steps.as_slice() else {
        panic!("{steps:?}")
    };
    assert_eq!(key, "abc");
    as_viewer("alice", false, |viewer| {
        assert!(session.on_private(&own, viewer, NOW).is_empty());
        let answer = sent(&session.on_identity(*tag, Ok(()), NOW));
        assert_eq!(answer, json!({"result": null, "id": 7}));
        assert_eq!(sent(&session.on_private(&own, viewer, NOW))["stream"], json!("abc"));
        assert_eq!(sent(&say(&mut session, ask("SUBSCRIBE", "def")))["error"]["code"], json!(2));
        assert_eq!(sent(&say(&mut session, ask("UNSUBSCRIBE", "abc")))["result"], json!(null));
        assert!(session.on_private(&own, viewer, NOW).is_empty());
    });
}

#[test]
fn private_frames_come_in_the_form_and_selection_asked_for() {
    let order = json!({"e": "ORDER_TRADE_UPDATE", "o": {"c": "tg-a1", "i": 5}});
    let account = json!({"e": "ACCOUNT_UPDATE", "a": {}});
    let mut session = at("/private/stream?listenKey=abc&events=ACCOUNT_UPDATE").unwrap();
    session.on_open(NOW);
    session.on_identity(Tag(0), Ok(()), NOW);
    as_viewer("alice", false, |viewer| {
        assert!(session.on_private(&order, viewer, NOW).is_empty());
        let shown = sent(&session.on_private(&account, viewer, NOW));
        assert_eq!(shown, json!({"stream": "abc", "data": account}));
    });
    let list = session.on_text(r#"{"method":"LIST_SUBSCRIPTIONS","id":1}"#, &instruments(), NOW);
    assert_eq!(sent(&list), json!({"result": ["abc"], "id": 1}));
    let more = r#"{"method":"SUBSCRIBE","params":["a@b"],"id":1}"#;
    assert_eq!(sent(&session.on_text(more, &instruments(), NOW))["error"]["code"], json!(2));
}

/// A signed frame of the WebSocket API.
fn frame(method: &str, mut params: Value) -> String {
    params["apiKey"] = json!(KEY);
    params["timestamp"] = json!(NOW.millis());
    let mut pairs: Vec<String> = params
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| {
            format!("{name}={}", value.as_str().map_or(value.to_string(), str::to_owned))
        })
        .collect();
    pairs.sort();
    params["signature"] = json!(hmac_hex(SECRET, pairs.join("&").as_bytes()));
    json!({"id": "q1", "method": method, "params": params}).to_string()
}

fn api() -> Box<dyn Session> {
    let mut session = at("/ws-fapi/v1").unwrap();
    session.on_open(NOW);
    session
}

fn limit_order() -> Value {
    json!({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
           "quantity": "1", "price": 9000.50, "returnRateLimits": true})
}

#[test]
fn an_order_over_the_socket_is_asked_and_answered_by_its_id() {
    let mut session = api();
    let steps = session.on_text(&frame("order.place", limit_order()), &instruments(), NOW);
    let [Step::Ask { tag, from, parsed }] = steps.as_slice() else { panic!("{steps:?}") };
    let From::Credentials { presented: Presented::Signature(signature), remember: false } = from
    else {
        panic!("{from:?}")
    };
    assert!(signature.once && verifies(signature, SECRET));
    assert!(matches!(&parsed.asked, Asked::Trade(Intent::New { .. })));
    assert_eq!(parsed.context.0["route"], json!("POST /fapi/v1/order"));
    let mut answer = reply(200, &json!({"orderId": 5}));
    answer.headers.push(("x-mbx-order-count-10s".to_owned(), "3".to_owned()));
    let tag = *tag;
    assert_eq!(
        sent(&session.on_reply(tag, answer.clone(), NOW)),
        json!({"id": "q1", "status": 200, "result": {"orderId": 5}, "rateLimits": [
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300, "count": 3},
        ]})
    );
    assert!(session.on_reply(tag, answer, NOW).is_empty());
}

#[test]
fn refusals_come_in_the_envelope() {
    let mut session = api();
    let mut on = |text: &str| session.on_text(text, &instruments(), NOW);
    let error = |steps: &[Step]| {
        let frame = sent(steps);
        (frame["id"].clone(), frame["status"].clone(), frame["error"]["code"].clone())
    };
    let stop = json!({"symbol": "BTCUSDT", "side": "BUY", "type": "STOP", "quantity": 1});
    assert_eq!(error(&on(&frame("order.place", stop))), (json!("q1"), json!(400), json!(-4120)));
    let cases = [
        (r#"{"id":1,"method":"order.place","params":{"symbol":"BTCUSDT"}}"#, json!(1), 401, -2014),
        (r#"{"id":2,"method":"account.withdraw","params":{}}"#, json!(2), 400, -1020),
        (r#"{"id":3,"params":{}}"#, json!(3), 400, -1102),
        (r#"{"id":4,"method":"depth","params":{}}"#, json!(4), 400, -1102),
        (r#"{"id":5,"method":"depth","params":[]}"#, json!(5), 400, -1130),
        (r#"{"id":{},"method":"depth"}"#, Value::Null, 400, -1130),
        (r#"{"id":6,"id":7,"method":"depth"}"#, Value::Null, 400, -1101),
        ("nonsense", Value::Null, 400, -1130),
    ];
    for (text, id, status, code) in cases {
        assert_eq!(error(&on(text)), (id, json!(status), json!(code)), "{text}");
    }
}

#[test]
fn a_question_refused_later_is_worded_by_its_route() {
    let mut session = api();
    let cancel = frame("order.cancel", json!({"symbol": "BTCUSDT", "orderId": "22"}));
    let steps = session.on_text(&cancel, &instruments(), NOW);
    let [Step::Ask { tag, .. }] = steps.as_slice() else { panic!("{steps:?}") };
    let refused = session.on_reject(*tag, &Reject::new(Code::OrderNotFound, ""), NOW);
    assert_eq!(
        sent(&refused),
        json!({"id": "q1", "status": 400, "error": {"code": -2011, "msg": "Unknown order sent."}})
    );
}

#[test]
fn only_ed25519_keys_log_on_and_then_need_no_signature() {
    let mut session = api();
    let hmac = session.on_text(&frame("session.logon", json!({})), &instruments(), NOW);
    assert_eq!(sent(&hmac)["error"]["code"], json!(-4056));
    let logon = json!({"id": 9, "method": "session.logon", "params": {
        "apiKey": "EDKEY", "timestamp": NOW.millis(), "signature":
        "O5RSwzNQYugJHAGVW/+E3TKkjJ4VhemU2O21NHtB/GwzvXGr1HHW+rJ20hCQEHRIgPCvHwSG4dn3Yx8kaqjICw==",
    }});
    let steps = session.on_text(&logon.to_string(), &instruments(), NOW);
    let [Step::Identify { tag, from: From::Credentials { remember: true, .. } }] = steps.as_slice()
    else {
        panic!("{steps:?}")
    };
    let order = |timestamp: u64| {
        let mut params = limit_order();
        params["timestamp"] = json!(timestamp);
        json!({"id": 1, "method": "order.place", "params": params}).to_string()
    };
    // Not before the login is good.
    let early = session.on_text(&order(NOW.millis()), &instruments(), NOW);
    assert_eq!(sent(&early)["error"]["code"], json!(-2014));
    let done = sent(&session.on_identity(*tag, Ok(()), NOW));
    assert_eq!(done["result"]["apiKey"], json!("EDKEY"));
    assert_eq!(done["result"]["authorizedSince"], json!(NOW.millis()));
    let steps = session.on_text(&order(NOW.millis()), &instruments(), NOW);
    assert!(matches!(steps.as_slice(), [Step::Ask { from: From::Session, .. }]), "{steps:?}");
    for stale in [NOW.millis() - 5001, NOW.millis() + 1001] {
        let steps = session.on_text(&order(stale), &instruments(), NOW);
        assert_eq!(sent(&steps)["error"]["code"], json!(-1021));
    }
    let out = session.on_text(r#"{"id":2,"method":"session.logout"}"#, &instruments(), NOW);
    assert_eq!(sent(&out)["result"]["apiKey"], Value::Null);
    let late = session.on_text(&order(NOW.millis()), &instruments(), NOW);
    assert_eq!(sent(&late)["error"]["code"], json!(-2014));
}

#[test]
fn a_refused_login_stays_out() {
    let mut session = api();
    let logon = json!({"id": 9, "method": "session.logon", "params": {
        "apiKey": "EDKEY", "timestamp": NOW.millis(), "signature":
        "O5RSwzNQYugJHAGVW/+E3TKkjJ4VhemU2O21NHtB/GwzvXGr1HHW+rJ20hCQEHRIgPCvHwSG4dn3Yx8kaqjICw==",
    }});
    session.on_text(&logon.to_string(), &instruments(), NOW);
    let refused = session.on_identity(Tag(0), Err(Reject::new(Code::BadSignature, "")), NOW);
    assert_eq!(sent(&refused)["error"]["code"], json!(-1022));
    let status = session.on_text(r#"{"id":2,"method":"session.status"}"#, &instruments(), NOW);
    assert_eq!(sent(&status)["result"]["apiKey"], Value::Null);
}

#[test]
fn listen_keys_need_the_key_alone() {
    let mut session = api();
    let text = json!({"id": 1, "method": "userDataStream.start", "params": {"apiKey": KEY}});
    let steps = session.on_text(&text.to_string(), &instruments(), NOW);
    let [Step::Ask { from, parsed, .. }] = steps.as_slice() else { panic!("{steps:?}") };
    assert!(matches!(
        from,
        From::Credentials { presented: Presented::KeyOnly { key }, remember: false } if key == KEY
    ));
    assert!(matches!(parsed.asked, Asked::Local(Local::StreamKey(StreamKey::Start))));
    let public = r#"{"id":1,"method":"ticker.price","params":{"symbol":"BTCUSDT"}}"#;
    let steps = session.on_text(public, &instruments(), NOW);
    assert!(matches!(steps.as_slice(), [Step::Ask { from: From::Nobody, .. }]));
}

#[test]
fn questions_that_wait_are_bounded() {
    let mut session = api();
    let ask = r#"{"id":1,"method":"depth","params":{"symbol":"BTCUSDT"}}"#;
    for _ in 0..256 {
        assert!(matches!(session.on_text(ask, &instruments(), NOW).as_slice(), [Step::Ask { .. }]));
    }
    let steps = session.on_text(ask, &instruments(), NOW);
    assert_eq!(sent(&steps)["error"]["code"], json!(-1003));
    session.on_reply(Tag(7), reply(200, &json!({})), NOW);
    assert!(matches!(session.on_text(ask, &instruments(), NOW).as_slice(), [Step::Ask { .. }]));
}

//! What the tests of this folder share, and tests of the whole: clients' requests, fuzzing.

use super::*;
use crate::front::{Asked, Owned, Owners};
use aws_lc_rs::hmac;
use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate_types::ids::{CallerName, CallerOrderId};
use tidegate_types::order::Intent;
use tidegate_types::request::{Method, Presented, Signature};

pub(crate) const KEY: &str = "dbefbc809e3e83c283a984c3a1459732ea7db1360ca80c5c2c8867408d28cc83";
pub(crate) const SECRET: &str = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9";
/// When the recorded requests were made.
pub(crate) const NOW: Time = Time::from_millis(1_591_702_613_950);

pub(crate) fn venue() -> Binance {
    Binance::new().unwrap()
}

pub(crate) fn instruments() -> Instruments {
    let symbol = |name: &str, tick: &str, contract: &str| {
        json!({
            "symbol": name, "pair": "BTCUSDT", "contractType": contract, "status": "TRADING",
            "deliveryDate": 4_133_404_800_000_u64, "baseAsset": "BTC", "quoteAsset": "USDT",
            "marginAsset": "USDT",
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "999999", "tickSize": tick},
                {"filterType": "LOT_SIZE", "minQty": "0.002", "maxQty": "1000", "stepSize": "0.001"},
            ],
        })
    };
    let info = json!({"symbols": [
        symbol("BTCUSDT", "0.10", "PERPETUAL"),
        symbol("BTCUSDT_261225", "0.1", "CURRENT_QUARTER"),
    ]});
    let list = venue().instruments(&[reply(200, &info)]).unwrap();
    Instruments(list.into_iter().map(|i| (i.id.name.clone(), i)).collect())
}

pub(crate) fn reply(status: u16, body: &Value) -> Reply {
    Reply { status, headers: Vec::new(), body: body.to_string().into_bytes() }
}

pub(crate) fn request(method: Method, target: &str, body: &str) -> RawRequest {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    RawRequest {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: vec![("x-mbx-apikey".to_owned(), KEY.to_owned())],
        body: body.as_bytes().to_vec(),
        peer: [127, 0, 0, 1].into(),
        certificate: None,
    }
}

pub(crate) fn hmac_hex(secret: &str, message: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::sign(&key, message).as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

/// Whether one of the texts a signature may be over gives it.
pub(crate) fn verifies(signature: &Signature, secret: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    signature.payloads.iter().any(|payload| {
        signature.candidates.iter().any(|tag| hmac::verify(&key, payload, tag).is_ok())
    })
}

pub(crate) fn signature(request: &RawRequest) -> Signature {
    match venue().credentials(request).unwrap() {
        Need::Credentials(Presented::Signature(signature)) => signature,
        other => panic!("{other:?}"),
    }
}

/// `alice` owns what begins with `tg-a`, `bob` what begins with `tg-b`; venue id 77 is alice's.
pub(crate) struct Desk;

impl Owners for Desk {
    fn owner(&self, client_id: Option<&str>, venue_id: Option<&str>) -> Option<Owned> {
        let (name, id) = match (client_id.unwrap_or_default(), venue_id.unwrap_or_default()) {
            (id, _) if id.starts_with("tg-a") => ("alice", Some("mine")),
            (id, _) if id.starts_with("tg-b") => ("bob", Some("his")),
            (_, "77") => ("alice", None),
            _ => return None,
        };
        let caller_id = id.map(|id| CallerOrderId::new(id).unwrap());
        Some(Owned { caller: CallerName::new(name).unwrap(), caller_id })
    }
}

pub(crate) fn as_viewer<T>(
    name: &str,
    account_wide: bool,
    test: impl FnOnce(&Viewer<'_>) -> T,
) -> T {
    let caller = CallerName::new(name).unwrap();
    test(&Viewer { caller: &caller, account_wide, owners: &Desk })
}

#[test]
fn a_stock_client_s_order_is_understood_and_its_signature_verifies() {
    let sent = "timestamp=1591702613943&symbol=BTCUSDT&side=BUY&newClientOrderId=x-cvBPrNm9test&newOrderRespType=RESULT&type=LIMIT&quantity=1&price=9000&timeInForce=GTX&recvWindow=10000";
    let body = format!(
        "{sent}&signature=bfcf1d74c3ea02bf0b0b5a39a02a644b26111601217ca14bac60eed591701021"
    );
    let request = request(Method::Post, "/fapi/v1/order", &body);
    let shown = signature(&request);
    assert!(verifies(&shown, SECRET) && !verifies(&shown, "another"));
    assert!(shown.once);
    assert_eq!((shown.timestamp_ms, shown.window_ms), (1_591_702_613_943, 10_000));
    let parsed = venue().parse(&request, &instruments(), NOW).unwrap();
    let Asked::Trade(Intent::New { order }) = parsed.asked else { panic!() };
    assert_eq!(order.caller_id.unwrap().as_str(), "x-cvBPrNm9test");
    assert_eq!(parsed.context.0, json!({"route": "POST /fapi/v1/order", "side": "BUY"}));
}

#[test]
fn virtual_keys_look_like_the_venue_s_and_differ() {
    let one = venue().virtual_key(&[7; 64]);
    assert_eq!(one.id.as_str(), "07".repeat(32));
    assert_eq!(one.secret.expose().len(), 64);
    let two = venue().virtual_key(&std::array::from_fn(|i| u8::try_from(i).unwrap()));
    assert_ne!(two.id.as_str().as_bytes(), two.secret.expose());
}

#[test]
fn a_read_names_the_order_as_the_venue_knows_it() {
    let order = |venue_id: Option<&str>, conditional| OrderRef {
        instrument: instruments().0.values().next().unwrap().id.clone(),
        client_id: Some(tidegate_types::ids::ClientId::new("tg1-1").unwrap()),
        venue_id: venue_id.map(|id| tidegate_types::ids::VenueOrderId::new(id).unwrap()),
        conditional,
    };
    let check = |target: &str, order: &OrderRef, expect: &[(&str, &str)]| {
        let request = request(Method::Get, target, "");
        let parsed = venue().parse(&request, &instruments(), NOW).unwrap();
        let Asked::Read(read) = parsed.asked else { panic!() };
        let read = venue().with_order(read, order);
        let got: Vec<_> = read.params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(got, expect, "{target}");
    };
    let by_name = "/fapi/v1/order?symbol=BTCUSDT&origClientOrderId=a&timestamp=1";
    check(by_name, &order(Some("5"), false), &[("symbol", "BTCUSDT"), ("orderId", "5")]);
    check(by_name, &order(None, false), &[("symbol", "BTCUSDT"), ("origClientOrderId", "tg1-1")]);
    // Once triggered, the plain order has an id of its own.
    check(
        by_name,
        &order(Some("9"), true),
        &[("symbol", "BTCUSDT"), ("origClientOrderId", "tg1-1")],
    );
    let by_id = "/fapi/v1/order?symbol=BTCUSDT&orderId=88&timestamp=1";
    check(by_id, &order(Some("9"), true), &[("symbol", "BTCUSDT"), ("orderId", "88")]);
    let algo = "/fapi/v1/algoOrder?clientAlgoId=a&timestamp=1";
    check(algo, &order(Some("9"), true), &[("algoId", "9")]);
    check(algo, &order(None, true), &[("clientAlgoId", "tg1-1")]);
}

#[test]
fn the_rights_of_a_key_are_the_flags_that_are_set() {
    let answer = json!({
        "ipRestrict": false, "createTime": 1, "enableReading": true, "enableFutures": true,
        "enableWithdrawals": false, "permitsUniversalTransfer": false,
    });
    let rights = venue().rights(KEY, &reply(200, &answer)).unwrap();
    assert_eq!(rights, ["enableReading", "enableFutures"]);
    assert!(venue().may_open_session(&rights));
    for bad in ["enableWithdrawals", "permitsUniversalTransfer", "enableInternalTransfer", "new"] {
        assert!(!venue().may_open_session(&[bad.to_owned()]), "{bad}");
    }
    assert!(venue().rights(KEY, &reply(200, &json!({"code": 1}))).is_err());
    assert!(venue().rights(KEY, &reply(401, &json!({"code": -2015, "msg": "no"}))).is_err());
}

/// Texts near to what clients and the venue send, so that fuzzing comes past the first check.
fn near_json() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "e",
        "o",
        "a",
        "P",
        "s",
        "x",
        "X",
        "data",
        "stream",
        "code",
        "msg",
        "id",
        "method",
        "params",
        "symbol",
        "SUBSCRIBE",
        "order.place",
        "ORDER_TRADE_UPDATE",
        "ALGO_UPDATE",
        "ACCOUNT_UPDATE",
        "markPriceUpdate",
        "BTCUSDT",
        "timestamp",
        "apiKey",
        "signature",
        "-1",
        "1e9",
        "99999999999999999999",
        "BOTH",
        "NEW",
        "TRADE",
        "orderId",
        "quantity",
        "price",
    ]);
    let leaf = prop_oneof![
        word.clone().prop_map(|w| json!(w)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<bool>().prop_map(|b| json!(b)),
        Just(Value::Null),
        ".{0,8}".prop_map(|s| json!(s)),
    ];
    let value = leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((word.clone(), inner), 0..8).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            }),
        ]
    });
    prop_oneof![3 => value.prop_map(|v| v.to_string()), 1 => ".{0,80}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_request_panics(
        at in 0..routes::ROUTES.len(),
        query in "([a-zA-Z]{1,12}=[ -~]{0,12}&?){0,6}",
        body in prop_oneof![near_json().prop_map(|j| format!("batchOrders={j}&timestamp=1")), ".{0,60}"],
        extra in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let route = &routes::ROUTES[at];
        let mut request = request(route.method, &format!("{}?{query}", route.path), &body);
        request.body.extend(extra);
        let _ = venue().credentials(&request);
        if let Err(reject) = venue().parse(&request, &instruments(), NOW) {
            let said = venue().refuse(Some(&request), None, &reject, NOW);
            let said: Value = serde_json::from_slice(&said.body).unwrap();
            prop_assert!(said["code"].as_i64().unwrap() < 0);
        }
    }

    #[test]
    fn no_frame_of_a_caller_panics(text in near_json(), at in 0..3_usize) {
        let target = ["/public/ws/0", "/private/ws?listenKey=abcdef", "/ws-fapi/v1"][at];
        let mut session = venue().open(&request(Method::Get, target, ""), NOW).unwrap();
        session.on_open(NOW);
        for step in session.on_text(&text, &instruments(), NOW) {
            if let crate::front::Step::Send(text) = step {
                prop_assert!(serde_json::from_str::<Value>(&text).is_ok());
            }
        }
    }

    #[test]
    fn no_word_of_the_venue_panics(text in near_json(), status in 100..600_u16) {
        let reply = Reply { status, headers: Vec::new(), body: text.clone().into_bytes() };
        let order = OrderRef {
            instrument: instruments().0.values().next().unwrap().id.clone(),
            client_id: None,
            venue_id: None,
            conditional: false,
        };
        let _ = venue().outcome(&CallBody::QueryOrder { order }, &reply, &instruments());
        let _ = venue().snapshot(&[reply.clone(), reply.clone(), reply.clone()], &instruments());
        let _ = venue().instruments(std::slice::from_ref(&reply));
        let _ = venue().rights(KEY, &reply);
        let _ = venue().back_off(&reply, &[]);
        let _ = venue().marks(&text, &instruments(), NOW);
        let mut stream = venue().account_stream();
        stream.start(NOW);
        stream.on_reply(&reply, NOW);
        stream.on_open(NOW);
        let _ = stream.on_text(&text, &instruments(), NOW);
        for route in routes::ROUTES {
            let context = Context(json!({"route": route.name()}));
            as_viewer("alice", false, |viewer| venue().pass(&context, reply.clone(), viewer));
        }
        if let Ok(frame) = serde_json::from_str::<Value>(&text) {
            as_viewer("alice", true, |viewer| pass::frame(&frame, viewer));
        }
    }
}

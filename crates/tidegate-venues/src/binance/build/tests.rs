use super::*;
use crate::binance::tests::{
    KEY, NOW, SECRET, hmac_hex, instruments, request, signature, verifies,
};
use crate::binance::{order, params::Params};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use tidegate_types::ids::{AccountName, CallId, VenueOrderId};
use tidegate_types::request::Method;
use tidegate_types::time::Span;

struct Hmac;

impl KeySigner for Hmac {
    fn key_id(&self) -> &str {
        KEY
    }
    fn hmac_sha256(&self, message: &[u8]) -> Option<[u8; 32]> {
        use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
        sign(&Key::new(HMAC_SHA256, SECRET.as_bytes()), message).as_ref().try_into().ok()
    }
    fn ed25519(&self, _message: &[u8]) -> Option<[u8; 64]> {
        None
    }
    fn nonce(&self) -> String {
        String::new()
    }
}

struct Ed(Ed25519KeyPair);

impl KeySigner for Ed {
    fn key_id(&self) -> &str {
        "EDKEY"
    }
    fn hmac_sha256(&self, _message: &[u8]) -> Option<[u8; 32]> {
        None
    }
    fn ed25519(&self, message: &[u8]) -> Option<[u8; 64]> {
        self.0.sign(message).as_ref().try_into().ok()
    }
    fn nonce(&self) -> String {
        String::new()
    }
}

fn call(body: CallBody) -> Call {
    Call { id: CallId(1), account: AccountName::new("main").unwrap(), body }
}

fn built(body: CallBody) -> Result<WireRequest, BuildError> {
    build(&call(body), &Hmac, NOW)
}

/// Method, path and parameters of a request whose signature is good; timestamp and signature cut.
fn told(body: CallBody) -> String {
    let wire = built(body).unwrap();
    assert_eq!(wire.headers, [("x-mbx-apikey".to_owned(), KEY.to_owned())]);
    assert!(wire.body.is_empty());
    let (target, signature) = wire.target.split_once("&signature=").unwrap();
    let (path, query) = target.split_once('?').unwrap();
    assert_eq!(signature, hmac_hex(SECRET, query.as_bytes()));
    let stamp = format!("timestamp={}", NOW.millis());
    let query = query.strip_suffix(&stamp).unwrap().trim_end_matches('&');
    format!("{} {path} {query}", wire.method)
}

fn new_order(object: Value) -> NewOrder {
    let params = Params::of_object(&object).unwrap();
    if object.get("algoType").is_some() {
        order::conditional(&params, &instruments()).unwrap()
    } else {
        order::plain(&params, &instruments()).unwrap()
    }
}

fn place(object: Value) -> CallBody {
    CallBody::Place {
        order: new_order(object),
        client_id: ClientId::new("tg1-1").unwrap(),
        deadline: NOW.plus(Span::from_millis(2500)),
    }
}

fn reference(venue_id: Option<&str>, conditional: bool) -> OrderRef {
    OrderRef {
        instrument: instruments().0.values().next().unwrap().id.clone(),
        client_id: Some(ClientId::new("tg1-1").unwrap()),
        venue_id: venue_id.map(|id| VenueOrderId::new(id).unwrap()),
        conditional,
    }
}

#[test]
fn the_dead_man_timer_is_the_venue_s_own() {
    let instrument = reference(None, false).instrument;
    for (seconds, time) in [(120, "120000"), (0, "0")] {
        let after = Span::from_secs(seconds);
        let body = CallBody::DeadMan { instrument: instrument.clone(), after };
        assert_eq!(body.class(), tidegate_types::call::CallClass::Cancel);
        assert_eq!(
            told(body),
            format!(
                "POST /fapi/v1/countdownCancelAll symbol=BTCUSDT&countdownTime={time}&recvWindow=5000"
            )
        );
    }
}

#[test]
fn orders_are_worded_from_the_intent() {
    let limit = json!({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTX",
        "quantity": "1.000", "price": "9000.50", "newOrderRespType": "RESULT",
        "newClientOrderId": "callers-own", "selfTradePreventionMode": "EXPIRE_TAKER"});
    assert_eq!(
        told(place(limit)),
        "POST /fapi/v1/order symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTX&quantity=1&price=9000.5&selfTradePreventionMode=EXPIRE_TAKER&newClientOrderId=tg1-1&newOrderRespType=RESULT&recvWindow=2500"
    );
    let market = json!({"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": 1,
        "reduceOnly": true});
    assert_eq!(
        told(place(market)),
        "POST /fapi/v1/order symbol=BTCUSDT&side=SELL&type=MARKET&quantity=1&reduceOnly=true&newClientOrderId=tg1-1&newOrderRespType=ACK&recvWindow=2500"
    );
    let dated = json!({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTD",
        "goodTillDate": 1_693_207_680_000_u64, "quantity": 1, "price": 9000});
    assert!(told(place(dated)).contains("&timeInForce=GTD&goodTillDate=1693207680000&"));
    let stop = json!({"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL",
        "type": "STOP_MARKET", "quantity": "0.01", "triggerPrice": "8000",
        "workingType": "MARK_PRICE", "clientAlgoId": "callers-own"});
    assert_eq!(
        told(place(stop)),
        "POST /fapi/v1/algoOrder algoType=CONDITIONAL&symbol=BTCUSDT&side=SELL&type=STOP_MARKET&timeInForce=GTC&quantity=0.01&triggerPrice=8000&workingType=MARK_PRICE&clientAlgoId=tg1-1&newOrderRespType=ACK&recvWindow=2500"
    );
}

#[test]
fn what_is_built_is_what_would_be_read() {
    let stop = json!({"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL",
        "type": "TAKE_PROFIT", "quantity": "0.01", "price": "7999.9", "triggerPrice": "8000",
        "timeInForce": "IOC", "reduceOnly": "true", "newOrderRespType": "RESULT"});
    let CallBody::Place { order: meant, .. } = place(stop.clone()) else { panic!() };
    let wire = built(place(stop)).unwrap();
    let shown = signature(&request(Method::Post, &wire.target, ""));
    assert!(verifies(&shown, SECRET));
    let sent = Params::read(wire.target.split_once('?').unwrap().1, "").unwrap();
    let mut read = order::conditional(&sent, &instruments()).unwrap();
    assert_eq!(read.caller_id.take().unwrap().as_str(), "tg1-1");
    assert_eq!(read, meant);
}

#[test]
fn the_deadline_bounds_the_window() {
    let limit = json!({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": 1, "price": 9000});
    let with_deadline = |deadline: Time| {
        let CallBody::Place { order, client_id, .. } = place(limit.clone()) else { panic!() };
        CallBody::Place { order, client_id, deadline }
    };
    assert!(told(with_deadline(NOW.plus(Span::from_secs(60)))).contains("recvWindow=5000"));
    assert!(told(with_deadline(NOW.plus(Span::from_millis(7)))).contains("recvWindow=7"));
    for late in [NOW, NOW.minus(Span::from_secs(1))] {
        assert!(matches!(built(with_deadline(late)), Err(BuildError::Unsupported(_))));
    }
}

#[test]
fn orders_are_named_by_the_best_id() {
    let cancel = |order| told(CallBody::Cancel { order });
    let window = "recvWindow=5000";
    assert_eq!(
        cancel(reference(Some("22"), false)),
        format!("DELETE /fapi/v1/order symbol=BTCUSDT&orderId=22&{window}")
    );
    assert_eq!(
        cancel(reference(None, false)),
        format!("DELETE /fapi/v1/order symbol=BTCUSDT&origClientOrderId=tg1-1&{window}")
    );
    assert_eq!(
        cancel(reference(Some("5"), true)),
        format!("DELETE /fapi/v1/algoOrder algoId=5&{window}")
    );
    assert_eq!(
        told(CallBody::QueryOrder { order: reference(None, true) }),
        format!("GET /fapi/v1/algoOrder clientAlgoId=tg1-1&{window}")
    );
    let nameless = OrderRef { client_id: None, ..reference(None, false) };
    assert!(built(CallBody::Cancel { order: nameless }).is_err());
}

#[test]
fn amends_say_everything_the_venue_asks() {
    let amend = |order: OrderRef, price, post_only| CallBody::Amend {
        order,
        side: Side::Sell,
        qty: Qty("2.5".parse().unwrap()),
        price,
        trigger_price: None,
        post_only,
        reduce_only: None,
        deadline: NOW.plus(Span::from_secs(1)),
    };
    let price = Some(Price("9001".parse().unwrap()));
    assert_eq!(
        told(amend(reference(Some("22"), false), price, None)),
        "PUT /fapi/v1/order symbol=BTCUSDT&orderId=22&side=SELL&quantity=2.5&price=9001&recvWindow=1000"
    );
    assert!(built(amend(reference(Some("22"), false), None, None)).is_err());
    assert!(built(amend(reference(Some("22"), true), price, None)).is_err());
    assert!(built(amend(reference(Some("2"), false), price, Some(PostOnly::Reject))).is_err());
}

#[test]
fn reads_and_settings_keep_to_the_table() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let set = |route: &str, params: &[(String, String)]| {
        built(CallBody::Set { route: route.to_owned(), params: params.to_vec() })
    };
    let read = |route: &str, params: &[(String, String)]| {
        built(CallBody::Read { route: route.to_owned(), params: params.to_vec() })
    };
    let symbol = pair("symbol", "BTCUSDT");
    assert_eq!(
        told(CallBody::Set {
            route: "POST /fapi/v1/leverage".to_owned(),
            params: vec![symbol.clone(), pair("leverage", "5")],
        }),
        "POST /fapi/v1/leverage symbol=BTCUSDT&leverage=5&recvWindow=5000"
    );
    assert!(read("GET /fapi/v1/userTrades", std::slice::from_ref(&symbol)).is_ok());
    assert!(read(RIGHTS_ROUTE, &[]).is_ok());
    // A setting by the name of a read, an order by the name of a setting, and what is not listed.
    for route in [
        "GET /fapi/v3/account",
        "POST /fapi/v1/order",
        "DELETE /fapi/v1/allOpenOrders",
        "POST /sapi/v1/capital/withdraw/apply",
        "POST /fapi/v1/listenKey",
    ] {
        assert_eq!(set(route, &[]), Err(BuildError::UnknownRoute(route.to_owned())));
    }
    for route in ["POST /fapi/v1/leverage", "GET /sapi/v1/capital/withdraw/history"] {
        assert_eq!(read(route, &[]), Err(BuildError::UnknownRoute(route.to_owned())));
    }
    for params in [
        vec![pair("timestamp", "1")],
        vec![pair("signature", "1")],
        vec![pair("colour", "red")],
        vec![symbol.clone(), symbol.clone()],
    ] {
        assert!(set("POST /fapi/v1/leverage", &params).is_err(), "{params:?}");
    }
    // A value cannot bring a parameter of its own along.
    let sly = [pair("symbol", "BTCUSDT&leverage=125")];
    let wire = set("POST /fapi/v1/leverage", &sly).unwrap();
    assert!(wire.target.contains("symbol=BTCUSDT%26leverage%3D125&"), "{}", wire.target);
}

#[test]
fn snapshots_and_listen_keys() {
    for (part, path) in [
        (0, "/fapi/v1/openOrders"),
        (1, "/fapi/v1/openAlgoOrders"),
        (2, "/fapi/v3/positionRisk"),
        (3, "/fapi/v3/account"),
    ] {
        assert_eq!(told(CallBody::Snapshot { part }), format!("GET {path} recvWindow=5000"));
    }
    assert!(built(CallBody::Snapshot { part: 4 }).is_err());
    for (step, method) in [(0, "POST"), (1, "PUT")] {
        let wire = built(CallBody::Session { step }).unwrap();
        assert_eq!((wire.method.as_str(), wire.target.as_str()), (method, "/fapi/v1/listenKey"));
    }
    assert!(built(CallBody::Session { step: 2 }).is_err());
}

#[test]
fn an_ed25519_key_signs_in_base64() {
    let pair = Ed25519KeyPair::generate().unwrap();
    let public = pair.public_key().as_ref().to_vec();
    let cancel = call(CallBody::Cancel { order: reference(Some("22"), false) });
    let wire = build(&cancel, &Ed(pair), NOW).unwrap();
    let shown = signature(&request(Method::Delete, &wire.target, ""));
    let key = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, public);
    key.verify(&shown.payloads[0], &shown.candidates[0]).unwrap();
}

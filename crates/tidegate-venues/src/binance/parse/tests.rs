use super::*;
use crate::binance::errors::{About, worded};
use crate::binance::tests::{NOW, instruments, request, venue};
use crate::front::Front;
use tidegate_types::ids::InstrumentName;
use tidegate_types::order::Side;
use tidegate_types::request::Method;
use tidegate_types::request::Method::{Delete, Get, Post, Put};

fn read(method: Method, target: &str, body: &str) -> Result<Asked, Reject> {
    let request = request(method, target, body);
    venue().parse(&request, &instruments(), NOW).map(|parsed| parsed.asked)
}

fn intent(method: Method, target: &str) -> Intent {
    match read(method, target, "") {
        Ok(Asked::Trade(intent)) => intent,
        other => panic!("{other:?}"),
    }
}

fn refused(method: Method, target: &str, body: &str) -> i64 {
    worded(&read(method, target, body).expect_err(target), About::default()).1
}

#[test]
fn cancels_name_the_order_by_either_id() {
    let Intent::Cancel { cancel } = intent(Delete, "/fapi/v1/order?symbol=BTCUSDT&orderId=22")
    else {
        panic!()
    };
    assert_eq!(cancel.order, OrderName::Venue { id: VenueOrderId::new("22").unwrap() });
    assert_eq!(cancel.instrument.unwrap().name.as_str(), "BTCUSDT");
    let Intent::Cancel { cancel } = intent(Delete, "/fapi/v1/algoOrder?clientAlgoId=a") else {
        panic!()
    };
    assert_eq!(cancel.order, OrderName::Caller { id: CallerOrderId::new("a").unwrap() });
    let order = "/fapi/v1/order?symbol=BTCUSDT";
    assert_eq!(refused(Delete, order, ""), -1102);
    assert_eq!(refused(Delete, &format!("{order}&orderId=x"), ""), -1100);
    assert_eq!(refused(Delete, &format!("{order}&orderId=1&origClientOrderId=a"), ""), -1128);
    assert_eq!(refused(Delete, "/fapi/v1/order?symbol=NOPE&orderId=1", ""), -1121);
    assert_eq!(refused(Delete, "/fapi/v1/order?orderId=1", ""), -1102);
}

#[test]
fn mass_cancels_keep_to_their_kind() {
    for (path, conditional) in
        [("/fapi/v1/allOpenOrders", false), ("/fapi/v1/algoOpenOrders", true)]
    {
        let Intent::CancelMany { filter } = intent(Delete, &format!("{path}?symbol=BTCUSDT"))
        else {
            panic!()
        };
        assert_eq!(filter.conditional, Some(conditional));
        assert_eq!(filter.instrument.unwrap().name.as_str(), "BTCUSDT");
        assert_eq!(refused(Delete, path, ""), -1102);
    }
}

#[test]
fn amends_say_what_the_order_becomes() {
    let amend = "/fapi/v1/order?symbol=BTCUSDT&side=BUY&orderId=22&quantity=2&price=9001";
    let Intent::Amend { amend: read } = intent(Put, amend) else { panic!() };
    assert_eq!(read.qty.unwrap().to_string(), "2");
    assert_eq!(read.price.unwrap().to_string(), "9001");
    assert_eq!((read.side, read.reduce_only), (Some(Side::Buy), None));
    assert_eq!(refused(Put, &amend.replace("&price=9001", ""), ""), -1102);
    assert_eq!(refused(Put, &amend.replace("price=9001", "priceMatch=QUEUE"), ""), -2010);
    assert_eq!(refused(Put, &amend.replace("quantity=2", "quantity=0.0001"), ""), -1111);
    assert_eq!(refused(Put, &format!("{amend}&modifyId=1"), ""), -1020);
}

#[test]
fn batches_are_taken_leg_by_leg() {
    let good = r#"{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","quantity":"1","price":"9000","timeInForce":"GTC"}"#;
    let bad =
        r#"{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","quantity":"1","timeInForce":"GTC"}"#;
    let odd = r#"{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":"1","colour":"red"}"#;
    let body = format!("batchOrders=[{good},{bad},{odd},7]&timestamp=1");
    let Ok(Asked::Batch(legs)) = read(Post, "/fapi/v1/batchOrders", &body) else { panic!() };
    let numbers: Vec<_> = legs
        .iter()
        .map(|leg| leg.as_ref().err().map(|reject| worded(reject, About::default()).1))
        .collect();
    assert_eq!(numbers, [None, Some(-1102), Some(-1104), Some(-1130)]);
    let list = |legs: &[&str]| format!("batchOrders=[{}]", legs.join(","));
    assert_eq!(refused(Post, "/fapi/v1/batchOrders", &list(&[])), -4082);
    assert_eq!(refused(Post, "/fapi/v1/batchOrders", &list(&[good; 6])), -4082);
    assert_eq!(refused(Post, "/fapi/v1/batchOrders", "batchOrders={}"), -1102);
    assert_eq!(refused(Post, "/fapi/v1/batchOrders", "batchOrders=[{"), -1102);
    let twice = r#"batchOrders=[{"symbol":"BTCUSDT","symbol":"ETHUSDT"}]"#;
    assert_eq!(refused(Post, "/fapi/v1/batchOrders", twice), -1101);
}

#[test]
fn batch_cancels_take_both_spellings_and_both_kinds_of_ids() {
    let legs = |query: &str| match read(Delete, &format!("/fapi/v1/batchOrders?{query}"), "") {
        Ok(Asked::Batch(legs)) => legs.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(legs("symbol=BTCUSDT&orderidlist=%5B1%2C2%5D"), 2);
    assert_eq!(legs("symbol=BTCUSDT&orderIdList=%5B%221%22%5D"), 1);
    assert_eq!(legs("symbol=BTCUSDT&origclientorderidlist=%5B%22a%22%2C%22b%22%5D"), 2);
    let many = format!("[{}]", ["1"; 11].join(","));
    let path = "/fapi/v1/batchOrders?symbol=BTCUSDT";
    assert_eq!(refused(Delete, &format!("{path}&orderIdList={many}"), ""), -4032);
    assert_eq!(refused(Delete, path, ""), -1102);
}

#[test]
fn settings_pass_checked_and_hedge_mode_does_not() {
    let Intent::Set { setting } =
        intent(Post, "/fapi/v1/leverage?symbol=BTCUSDT&leverage=20&timestamp=5&recvWindow=6")
    else {
        panic!()
    };
    assert_eq!(setting.route, "POST /fapi/v1/leverage");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(setting.params, [pair("symbol", "BTCUSDT"), pair("leverage", "20")]);
    assert_eq!(refused(Post, "/fapi/v1/positionSide/dual?dualSidePosition=true", ""), -1020);
    intent(Post, "/fapi/v1/positionSide/dual?dualSidePosition=false");
    assert_eq!(refused(Post, "/fapi/v1/leverage?symbol=NOPE&leverage=1", ""), -1121);
    assert_eq!(refused(Post, "/fapi/v1/leverage?symbol=BTCUSDT&leverage=1&x=1", ""), -1104);
}

#[test]
fn a_countdown_is_for_the_callers_orders_of_the_symbol() {
    let path = "/fapi/v1/countdownCancelAll";
    let symbol = InstrumentName::new("BTCUSDT").unwrap();
    let instrument = instruments().get(&symbol).map(|instrument| instrument.id.clone());
    for (time, after) in [("100000", Some(Span::from_secs(100))), ("0", None)] {
        let asked = intent(Post, &format!("{path}?symbol=BTCUSDT&countdownTime={time}"));
        let guard = Guard::Countdown { instrument: instrument.clone(), after };
        assert_eq!(asked, Intent::Guard { guard });
    }
    assert_eq!(refused(Post, &format!("{path}?symbol=BTCUSDT"), ""), -1102);
    assert_eq!(refused(Post, &format!("{path}?countdownTime=1000"), ""), -1102);
    assert_eq!(refused(Post, &format!("{path}?symbol=NOPE&countdownTime=1000"), ""), -1121);
    assert_eq!(refused(Post, &format!("{path}?symbol=BTCUSDT&countdownTime=-1"), ""), -1100);
}

#[test]
fn reads_are_rebuilt_without_the_envelope() {
    let asked = read(
        Get,
        "/fapi/v1/income?timestamp=1&symbol=BTCUSDT&limit=5&recvWindow=5&signature=ab",
        "",
    );
    let Ok(Asked::Read(asked)) = asked else { panic!() };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(asked.route, "GET /fapi/v1/income");
    assert_eq!(asked.params, [pair("symbol", "BTCUSDT"), pair("limit", "5")]);
    let public = read(Get, "/fapi/v1/depth?limit=100&symbol=BTC%2FUSDT", "");
    let Ok(Asked::Public(wire)) = public else { panic!() };
    assert_eq!(wire.target, "/fapi/v1/depth?limit=100&symbol=BTC%2FUSDT");
    assert!(wire.headers.is_empty());
    assert_eq!(refused(Get, "/fapi/v1/depth?symbol=BTCUSDT&foo=1", ""), -1104);
}

#[test]
fn wallet_lists_are_empty_and_listen_keys_are_ours() {
    let asked = read(Get, "/sapi/v1/capital/config/getall?timestamp=1", "");
    let Ok(Asked::Local(Local::Fixed(reply))) = asked else { panic!() };
    assert_eq!(reply.body, b"[]");
    let key = |method| read(method, "/fapi/v1/listenKey", "listenKey=abc").unwrap();
    assert!(matches!(key(Post), Asked::Local(Local::StreamKey(StreamKey::Start))));
    assert!(matches!(key(Put), Asked::Local(Local::StreamKey(StreamKey::Keep))));
    assert!(matches!(key(Delete), Asked::Local(Local::StreamKey(StreamKey::Stop))));
}

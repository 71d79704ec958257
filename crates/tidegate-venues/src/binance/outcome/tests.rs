use super::*;
use crate::binance::tests::{instruments, reply, venue};
use crate::upstream::Upstream;
use serde_json::{Value, json};
use tidegate_types::call::OrderRef;
use tidegate_types::order::PostOnly;
use tidegate_types::report::VenueState;

fn cancel(conditional: bool) -> CallBody {
    let instrument = instruments().0.values().next().unwrap().id.clone();
    CallBody::Cancel {
        order: OrderRef { instrument, client_id: None, venue_id: None, conditional },
    }
}

fn query(conditional: bool) -> CallBody {
    let CallBody::Cancel { order } = cancel(conditional) else { panic!() };
    CallBody::QueryOrder { order }
}

fn of(body: &CallBody, status: u16, answer: &Value) -> Outcome {
    venue().outcome(body, &reply(status, answer), &instruments())
}

fn order(status: &str) -> Value {
    json!({
        "clientOrderId": "tg1-1", "executedQty": "0.4", "orderId": 22542179, "origQty": "1",
        "price": "9000.0", "avgPrice": "8999.5", "reduceOnly": true, "side": "SELL",
        "status": status, "symbol": "BTCUSDT", "type": "LIMIT", "updateTime": 1566818724722_u64,
    })
}

#[test]
fn an_order_in_the_answer_is_reported() {
    let Outcome::Accepted { report, fills } = of(&query(false), 200, &order("PARTIALLY_FILLED"))
    else {
        panic!()
    };
    assert!(fills.is_empty());
    assert_eq!(report.venue_id.as_str(), "22542179");
    assert_eq!(report.client_id.unwrap().as_str(), "tg1-1");
    assert_eq!((report.qty.to_string(), report.filled.to_string()), ("1".into(), "0.4".into()));
    assert_eq!(report.price.unwrap().to_string(), "9000");
    assert_eq!(report.average.unwrap().to_string(), "8999.5");
    assert_eq!((report.reduce_only, report.post_only), (Some(true), None));
    let mut maker = order("NEW");
    maker["timeInForce"] = json!("GTX");
    maker.as_object_mut().unwrap().remove("reduceOnly");
    let Outcome::Accepted { report, .. } = of(&query(false), 200, &maker) else { panic!() };
    assert_eq!((report.reduce_only, report.post_only), (None, Some(PostOnly::Reject)));
    assert_eq!(report.trigger_price, None);
    for (status, state) in [
        ("NEW", VenueState::Open),
        ("FILLED", VenueState::Filled),
        ("CANCELED", VenueState::Cancelled),
        ("EXPIRED", VenueState::Expired),
        ("EXPIRED_IN_MATCH", VenueState::Expired),
        ("REJECTED", VenueState::Rejected),
    ] {
        let Outcome::Accepted { report, .. } = of(&cancel(false), 200, &order(status)) else {
            panic!()
        };
        assert_eq!(report.state, state, "{status}");
    }
}

#[test]
fn conditional_orders_have_answers_of_their_own() {
    let done = json!({"algoId": 1, "clientAlgoId": "a", "code": "200", "msg": "success"});
    assert_eq!(of(&cancel(true), 200, &done), Outcome::Done);
    let odd = json!({"algoId": 1, "code": "500", "msg": "?"});
    assert!(matches!(of(&cancel(true), 200, &odd), Outcome::Unknown { .. }));
    let algo = json!({
        "algoId": 2146760, "clientAlgoId": "tg1-2", "orderType": "TAKE_PROFIT", "symbol": "BTCUSDT",
        "side": "SELL", "quantity": "0.01", "algoStatus": "TRIGGERED", "actualOrderId": "991",
        "actualPrice": "0.00", "actualQty": "0", "price": "750.000", "reduceOnly": false,
        "triggerPrice": "760.000", "timeInForce": "GTC",
        "updateTime": 1750514545091_u64,
    });
    let Outcome::Accepted { report, .. } = of(&query(true), 200, &algo) else { panic!() };
    assert_eq!(report.state, VenueState::Open);
    assert_eq!(report.triggered_as.unwrap().as_str(), "991");
    assert_eq!(report.venue_id.as_str(), "2146760");
    assert_eq!(report.trigger_price.unwrap().to_string(), "760");
    assert_eq!((report.reduce_only, report.post_only), (Some(false), Some(PostOnly::No)));
    let mut over = algo;
    over["algoStatus"] = json!("FINISHED");
    let state = |answer: &Value| match of(&query(true), 200, answer) {
        Outcome::Accepted { report, .. } => report.state,
        other => panic!("{other:?}"),
    };
    assert_eq!(state(&over), VenueState::Expired);
    over["actualQty"] = json!("0.01");
    assert_eq!(state(&over), VenueState::Filled);
    over.as_object_mut().unwrap().remove("actualQty");
    assert_eq!(state(&over), VenueState::Open);
}

#[test]
fn refusals_are_final_and_tell_whether_there_is_such_an_order() {
    for (status, code, missing) in [
        (400, -2011, true),
        (400, -2013, true),
        (400, -2019, false),
        (400, -1021, false),
        (400, -5028, false),
        (401, -2015, false),
        (429, -1015, false),
        (418, -1003, false),
        (503, -1008, false),
    ] {
        let outcome = of(&cancel(false), status, &json!({"code": code, "msg": "why\n"}));
        let message = "why".to_owned();
        assert_eq!(outcome, Outcome::Rejected { code, message, no_such_order: missing });
    }
}

#[test]
fn a_request_too_many_was_not_carried_out_whatever_the_body_says() {
    let limit = -1003;
    for (status, body, code) in [
        (429, r#"{"code": -1000, "msg": "Unknown error"}"#, -1000),
        (418, r#"{"code": -1007, "msg": "Timeout"}"#, -1007),
        (429, r#"{"code": -1015, "msg": "Too many new orders."}"#, -1015),
        // It cannot tell what it did not look for.
        (429, r#"{"code": -2011, "msg": "Unknown order sent."}"#, -2011),
        (429, "{}", limit),
        (418, "<html>", limit),
        (429, "", limit),
    ] {
        let reply = Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        let outcome = outcome(&venue_name(), &cancel(false), &reply);
        let Outcome::Rejected { code: told, no_such_order, .. } = outcome else {
            panic!("{status} {body}: {outcome:?}")
        };
        assert_eq!((told, no_such_order), (code, false), "{status} {body}");
    }
}

#[test]
fn after_a_server_error_nothing_is_certain_but_that_the_venue_was_overloaded() {
    for (status, code) in [(500, -2011), (502, -2013), (503, -1015), (503, -2019), (504, -4164)] {
        let answer = json!({"code": code, "msg": "why"});
        let outcome = of(&cancel(false), status, &answer);
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{status} {code}: {outcome:?}");
    }
}

#[test]
fn what_does_not_tell_is_unknown() {
    for (status, answer) in [
        (
            503,
            json!({"code": -1000, "msg": "Unknown error, please check your request or try again later."}),
        ),
        (500, json!({"code": -1001, "msg": "Internal error"})),
        (400, json!({"code": -1006, "msg": "?"})),
        (408, json!({"code": -1007, "msg": "Timeout"})),
        (502, json!({})),
        (200, json!({})),
        (200, json!([])),
        (200, order("SOMETHING_NEW")),
        (302, order("NEW")),
        (404, json!("gone")),
    ] {
        let outcome = of(&query(false), status, &answer);
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{status} {answer}: {outcome:?}");
    }
    let html = Reply { status: 403, headers: Vec::new(), body: b"<html>".to_vec() };
    assert!(matches!(outcome(&venue_name(), &query(false), &html), Outcome::Unknown { .. }));
}

fn venue_name() -> VenueName {
    VenueName::new("binance").unwrap()
}

#[test]
fn settings_are_done_when_the_venue_says_so() {
    let set = CallBody::Set { route: "POST /fapi/v1/marginType".to_owned(), params: Vec::new() };
    assert_eq!(of(&set, 200, &json!({"code": 200, "msg": "success"})), Outcome::Done);
    let unchanged = json!({"code": -4046, "msg": "No need to change margin type."});
    assert!(matches!(of(&set, 400, &unchanged), Outcome::Rejected { code: -4046, .. }));
}

#[test]
fn waits_are_believed_within_bounds() {
    let asked = |status: u16, header: Option<&str>| {
        let mut reply = reply(status, &json!({}));
        reply.headers.extend(header.map(|value| ("Retry-After".to_owned(), value.to_owned())));
        back_off(&reply).map(|told| told.wait)
    };
    assert_eq!(asked(200, Some("5")), None);
    assert_eq!(asked(429, Some("5")), Some(Span::from_secs(5)));
    assert_eq!(asked(418, None), Some(Span::from_secs(60)));
    assert_eq!(asked(429, Some("soon")), Some(Span::from_secs(60)));
    assert_eq!(asked(429, Some("0")), Some(Span::from_secs(1)));
    assert_eq!(asked(429, Some("99999999999")), Some(MAX_BACK_OFF));
}

#[test]
fn a_ban_stops_everything_until_the_time_it_names() {
    let stops = |status, body| back_off(&reply(status, &body)).unwrap();
    let words = "Way too many requests; IP(1.2.3.4) banned until 1700000000000. Please use …";
    let ban = stops(418, json!({"code": -1003, "msg": words}));
    assert_eq!(ban.stops, Stops::Everything);
    assert_eq!(ban.until, Some(Time::from_millis(1_700_000_000_000)));
    let slow = stops(429, json!({"code": -1003, "msg": "Too many requests."}));
    assert_eq!((slow.stops, slow.until), (Stops::Requests, None));
    let orders = stops(429, json!({"code": -1015, "msg": "Too many new orders."}));
    assert_eq!((orders.stops, orders.wait), (Stops::Orders, Span::from_secs(10)));
}

#[test]
fn a_time_stamp_that_is_refused_is_told_from_other_refusals() {
    let told = |status, body: &str| {
        refuses_time(&Reply { status, headers: Vec::new(), body: body.into() })
    };
    assert!(told(400, r#"{"code":-1021,"msg":"Timestamp for this request is outside."}"#));
    assert!(!told(400, r#"{"code":-1022,"msg":"Signature is not valid."}"#));
    assert!(!told(200, r#"{"code":-1021,"msg":""}"#) && !told(400, "x"));
}

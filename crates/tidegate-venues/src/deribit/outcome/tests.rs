use super::*;
use crate::deribit::names::instrument_id;
use crate::deribit::testkit::{order, reply, trade};
use tidegate_types::call::OrderRef;

fn cancel() -> CallBody {
    let order = OrderRef {
        instrument: instrument_id("BTC-PERPETUAL").unwrap(),
        client_id: None,
        venue_id: None,
        conditional: false,
    };
    CallBody::Cancel { order }
}

fn query() -> CallBody {
    let CallBody::Cancel { order } = cancel() else { panic!("a cancel") };
    CallBody::QueryOrder { order }
}

fn place() -> CallBody {
    let CallBody::Cancel { order } = cancel() else { panic!("a cancel") };
    CallBody::Amend {
        order,
        side: tidegate_types::order::Side::Buy,
        qty: tidegate_types::instrument::Qty::default(),
        price: None,
        trigger_price: None,
        post_only: None,
        reduce_only: None,
        deadline: tidegate_types::time::Time::default(),
    }
}

/// `accepted STATE FILLS`, `done`, `rejected CODE GONE` or `unknown`.
fn told(body: &CallBody, status: u16, answer: &str) -> String {
    match outcome(body, &reply(status, answer)) {
        Outcome::Accepted { report, fills } => {
            format!("accepted {:?} {} {}", report.state, report.venue_id, fills.len())
        }
        Outcome::Done => "done".into(),
        Outcome::Rejected { code, no_such_order, .. } => format!("rejected {code} {no_such_order}"),
        Outcome::Unknown { .. } => "unknown".into(),
    }
}

fn result(result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#)
}

fn error(code: i64) -> String {
    format!(r#"{{"jsonrpc":"2.0","error":{{"code":{code},"message":"m"}}}}"#)
}

#[test]
fn answers_to_orders() {
    let filled = format!(
        r#"{{"order":{},"trades":[{},{}]}}"#,
        order("tg1-0", "8", "filled"),
        trade("tg1-0", "8"),
        trade("tg1-0", "8")
    );
    let table = [
        (place(), 200, result(&filled), "accepted Filled 8 2"),
        (place(), 200, result("{}"), "unknown"),
        (place(), 200, result(&filled.replace("\"amount\":30.0", "\"amount\":null")), "unknown"),
        (place(), 200, "{}".into(), "unknown"),
        (place(), 200, "nonsense".into(), "unknown"),
        (place(), 400, error(10009), "rejected 10009 false"),
        (place(), 400, error(13888), "rejected 13888 false"),
        (place(), 400, error(10028), "rejected 10028 false"),
        (place(), 400, error(11094), "unknown"),
        (place(), 400, error(13028), "unknown"),
        (place(), 400, error(10040), "unknown"),
        (place(), 500, error(10009), "unknown"),
        (place(), 400, "nonsense".into(), "unknown"),
        (place(), 502, "<html>".into(), "unknown"),
        (place(), 429, "slow down".into(), "rejected 429 false"),
        (place(), 401, "no".into(), "rejected 401 false"),
        (cancel(), 200, result(&order("tg1-0", "8", "cancelled")), "accepted Cancelled 8 0"),
        (cancel(), 200, result("0"), "rejected 10004 true"),
        (cancel(), 200, result("2"), "done"),
        (cancel(), 400, error(10004), "rejected 10004 true"),
        (cancel(), 400, error(10010), "rejected 10010 true"),
        (cancel(), 400, error(11044), "rejected 11044 true"),
        (query(), 200, result("[]"), "rejected 10004 true"),
        (query(), 200, result(&order("tg1-0", "8", "open")), "accepted Open 8 0"),
    ];
    for (body, status, answer, expect) in table {
        assert_eq!(told(&body, status, &answer), expect, "{status} {answer}");
    }
}

#[test]
fn of_several_with_one_label_the_live_one_counts() {
    let rows = [
        order("tg1-0", "1", "cancelled"),
        order("tg1-0", "2", "open"),
        order("tg1-0", "3", "filled"),
        order("tg1-0", "4", "triggered"),
    ];
    assert_eq!(told(&query(), 200, &result(&format!("[{}]", rows.join(",")))), "accepted Open 2 0");
}

#[test]
fn waits_when_the_venue_says_so() {
    let mut limited = reply(429, "");
    let asked = |reply: &Reply| back_off(reply, true).map(|told| told.wait);
    assert_eq!(asked(&limited), Some(Span::from_secs(10)));
    limited.headers.push(("Retry-After".into(), "3".into()));
    assert_eq!(asked(&limited), Some(Span::from_secs(3)));
    assert_eq!(asked(&reply(400, &error(10028))), Some(Span::from_secs(1)));
    for (orders, credits) in [(true, Stops::Orders), (false, Stops::Reads)] {
        let stops = |reply: &Reply| back_off(reply, orders).map(|told| told.stops);
        assert_eq!(stops(&limited), Some(Stops::Requests));
        assert_eq!(stops(&reply(400, &error(10028))), Some(credits), "those it was paid from");
        assert_eq!(stops(&reply(400, &error(10009))), None);
        assert_eq!(stops(&reply(200, "{}")), None);
    }
}

#[test]
fn too_many_requests_are_heard_of_on_sockets_too() {
    let stops = |text: &str| socket_back_off(text).map(|told| (told.stops, told.wait));
    let one = Some((Stops::Reads, Span::from_secs(1)));
    assert_eq!(stops(&error(10028)), one);
    assert_eq!(stops(&error(10009)), None);
    assert_eq!(stops(r#"{"id": 10028, "result": {"error": {"code": 10028}}}"#), None);
    assert_eq!(stops("10028"), None);
}

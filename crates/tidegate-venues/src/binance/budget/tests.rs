use super::*;

fn weight(method: &str, target: &str) -> Option<u32> {
    let request = WireRequest {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: Vec::new(),
        body: String::new(),
    };
    cost(&request).iter().find(|units| units.allowance == WEIGHT).map(|units| units.count)
}

#[test]
fn weights_follow_symbol_and_limit() {
    for (target, expected) in [
        ("/fapi/v1/time", 1),
        ("/fapi/v1/depth?symbol=BTCUSDT&limit=5", 2),
        ("/fapi/v1/depth?symbol=BTCUSDT&limit=100", 5),
        ("/fapi/v1/depth?symbol=BTCUSDT", 10),
        ("/fapi/v1/depth?symbol=BTCUSDT&limit=1000", 20),
        ("/fapi/v1/depth?symbol=BTCUSDT&limit=junk", 20),
        ("/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=99", 1),
        ("/fapi/v1/klines?symbol=BTCUSDT&interval=1m", 5),
        ("/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=1500", 10),
        ("/fapi/v1/ticker/24hr?symbol=BTCUSDT", 1),
        ("/fapi/v1/ticker/24hr", 40),
        ("/fapi/v1/openOrders?timestamp=1&signature=ab", 40),
        ("/sapi/v1/account/apiRestrictions?timestamp=1", 1),
    ] {
        assert_eq!(weight("GET", target), Some(expected), "{target}");
    }
    assert_eq!(weight("POST", "/fapi/v1/order?symbol=BTCUSDT"), None, "orders weigh nothing");
    assert_eq!(weight("DELETE", "/fapi/v1/order?symbol=BTCUSDT"), Some(1));
}

#[test]
fn orders_and_changes_of_orders_are_counted_twice() {
    let costs = |method: &str, target: &str| {
        let request = WireRequest {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: String::new(),
        };
        cost(&request)
    };
    let one = |allowance| Units { allowance, count: 1 };
    for (method, path) in [("POST", "order"), ("PUT", "order"), ("POST", "algoOrder")] {
        let told = costs(method, &format!("/fapi/v1/{path}?symbol=BTCUSDT"));
        assert!(told.ends_with(&[one(ORDERS_10S), one(ORDERS_1M)]), "{method} {path}: {told:?}");
    }
    assert_eq!(costs("DELETE", "/fapi/v1/order?symbol=BTCUSDT"), [one(WEIGHT)]);
}

fn reply(headers: &[(&str, &str)], body: &str) -> Reply {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Reply { status: 200, headers, body: body.into() }
}

#[test]
fn the_venue_s_own_count_and_limit_are_read() {
    let units = |allowance, count| Units { allowance, count };
    let told = [("X-MBX-USED-WEIGHT-1M", "1700"), ("x-mbx-order-count-10s", " 7")];
    assert_eq!(used(&reply(&told, "")), [units(WEIGHT, 1700), units(ORDERS_10S, 7)]);
    assert_eq!(used(&reply(&[("x-mbx-used-weight-1m", "soon")], "")), []);
    assert_eq!(used(&reply(&[], "")), []);
    let told = r#"{"rateLimits":[
        {"rateLimitType":"ORDERS","interval":"MINUTE","intervalNum":1,"limit":1200},
        {"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":9},
        {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":2400}],
        "symbols":[]}"#;
    let expected = [units(ORDERS_1M, 1188), units(WEIGHT, 2376)];
    assert_eq!(published(&[reply(&[], told)]), expected);
    assert_eq!(published(&[reply(&[], "{}")]), []);
    assert_eq!(published(&[]), []);
}

#[test]
fn a_fifth_of_each_of_the_venue_s_limits_is_kept() {
    for (allowance, limit) in ALLOWANCES.iter().zip([2_400, 300, 1_200]) {
        assert!(allowance.units < limit && allowance.reserved * 5 >= limit, "{allowance:?}");
    }
}

#[test]
fn all_that_the_futures_host_answers_is_counted_and_nothing_else() {
    for (target, counted) in [
        ("/fapi/v1/order", true),
        ("/futures/data/openInterestHist?symbol=BTCUSDT&period=5m", true),
        ("/api/v3/ping", false),
        ("/dapi/v1/exchangeInfo", false),
        ("/sapi/v1/account/apiRestrictions", false),
    ] {
        let (method, target) = ("GET".into(), target.to_owned());
        let request = WireRequest { method, target, headers: Vec::new(), body: String::new() };
        assert_eq!(is_counted(&request), counted, "{}", request.target);
    }
}

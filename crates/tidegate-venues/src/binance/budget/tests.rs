use super::*;

fn weight(method: &str, target: &str) -> Option<u32> {
    let request = WireRequest {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: Vec::new(),
        body: String::new(),
    };
    cost(&request).map(|units| units.count)
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

fn reply(headers: &[(&str, &str)], body: &str) -> Reply {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Reply { status: 200, headers, body: body.into() }
}

#[test]
fn the_venue_s_own_count_and_limit_are_read() {
    assert_eq!(used(&reply(&[("X-MBX-USED-WEIGHT-1M", "1700")], "")).unwrap().count, 1700);
    assert_eq!(used(&reply(&[("x-mbx-used-weight-1m", "soon")], "")), None);
    assert_eq!(used(&reply(&[], "")), None);
    let told = r#"{"rateLimits":[
        {"rateLimitType":"ORDERS","interval":"MINUTE","intervalNum":1,"limit":1200},
        {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":2400}],
        "symbols":[]}"#;
    assert_eq!(published(&[reply(&[], told)]).unwrap().count, 2300);
    assert_eq!(published(&[reply(&[], "{}")]), None);
    assert_eq!(published(&[]), None);
}

use super::*;
use crate::binance::tests::{NOW, request, venue};
use crate::front::{Context, Front};
use tidegate_types::request::Method;

fn body(reply: &Reply) -> (u16, i64, String) {
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 2);
    (reply.status, body["code"].as_i64().unwrap(), body["msg"].as_str().unwrap().to_owned())
}

#[test]
fn every_code_has_the_venue_s_shape() {
    for code in Code::ALL {
        let reply = reply(&Reject::new(*code, "the numbers"), About::default());
        let (status, number, words) = body(&reply);
        assert!((400..=503).contains(&status), "{code:?}");
        assert!((-5999..=-1000).contains(&number), "{code:?}");
        // Either the venue's own words, or ours with the code and the numbers.
        let tagged = words == format!("TG{} {}: the numbers", code.number(), code.meaning());
        assert_eq!(words.starts_with("TG"), tagged, "{code:?}: {words}");
        let asks_to_wait = reply.headers.iter().any(|(name, _)| name == "retry-after");
        let rate = matches!(
            code,
            Code::CallerRate
                | Code::AccountRate
                | Code::PolicyRate
                | Code::RequestRate
                | Code::VenueBudget
                | Code::VenueFrozen
                | Code::AddressRate
                | Code::TooManyFailures
        );
        assert_eq!((status == 429, asks_to_wait), (rate, rate), "{code:?}");
    }
}

#[test]
fn refusals_of_the_desk_s_are_tagged() {
    for code in Code::ALL.iter().filter(|code| (401..=600).contains(&code.number())) {
        let venues_own = matches!(
            code,
            Code::BadPriceStep | Code::BadQuantityStep | Code::DuplicateOrderId | Code::NotReducing
        );
        let (_, _, words) = worded(&Reject::new(*code, ""), About::default());
        assert_eq!(words.starts_with(&format!("TG{}", code.number())), !venues_own, "{code:?}");
    }
}

#[test]
fn numbers_that_clients_know() {
    let cases = [
        (Code::MissingCredentials, 401, -2014),
        (Code::UnknownKey, 401, -2015),
        (Code::BadSignature, 400, -1022),
        (Code::StaleTimestamp, 400, -1021),
        (Code::UnknownInstrument, 400, -1121),
        (Code::CallerRate, 429, -1015),
        (Code::RequestRate, 429, -1003),
        (Code::OrderQuantity, 400, -4005),
        (Code::OrderNotional, 400, -2027),
        (Code::PriceCollar, 400, -4016),
        (Code::Halted, 400, -4400),
        (Code::BadPriceStep, 400, -4014),
        (Code::BadQuantityStep, 400, -4023),
        (Code::DuplicateOrderId, 400, -4116),
        (Code::NotReducing, 400, -2022),
        (Code::OutcomeUnknown, 408, -1007),
        (Code::ForbiddenRoute, 401, -1002),
    ];
    for (code, status, number) in cases {
        let (got_status, got, _) = worded(&Reject::new(code, ""), About::default());
        assert_eq!((got_status, got), (status, number), "{code:?}");
    }
}

#[test]
fn an_unknown_order_is_worded_by_the_question() {
    let words = |name: &str| {
        let context = Context(json!({"route": name}));
        let reject = Reject::new(Code::OrderNotFound, "");
        let (_, number, words) = body(&venue().refuse(None, Some(&context), &reject, NOW));
        (number, words)
    };
    let unknown = (-2011, "Unknown order sent.".to_owned());
    let missing = (-2013, "Order does not exist.".to_owned());
    assert_eq!(words("DELETE /fapi/v1/order"), unknown);
    assert_eq!(words("DELETE /fapi/v1/algoOrder"), unknown);
    assert_eq!(words("DELETE /fapi/v1/batchOrders"), unknown);
    assert_eq!(words("GET /fapi/v1/order"), missing);
    assert_eq!(words("PUT /fapi/v1/order"), missing);
    assert_eq!(words("PUT /fapi/v1/batchOrders"), missing);
}

#[test]
fn the_collar_is_worded_by_the_side() {
    let number = |side: &str| {
        let context = Context(json!({"route": "POST /fapi/v1/order", "side": side}));
        let reject = Reject::new(Code::PriceCollar, "9000");
        body(&venue().refuse(None, Some(&context), &reject, NOW)).1
    };
    assert_eq!((number("BUY"), number("SELL")), (-4016, -4024));
}

#[test]
fn a_clock_ahead_is_worded_so() {
    let words = |ms: u64| {
        let request =
            request(Method::Get, &format!("/fapi/v3/account?timestamp={ms}&signature=0"), "");
        let reject = Reject::new(Code::StaleTimestamp, "");
        body(&venue().refuse(Some(&request), None, &reject, NOW)).2
    };
    assert_eq!(words(NOW.millis() + 5000), AHEAD);
    assert_eq!(words(NOW.millis() - 50_000), STALE);
}

#[test]
fn only_checks_made_here_speak_for_the_venue() {
    let spoken = Reject::new(Code::BadParameter, "-1117 Invalid side.");
    assert_eq!(worded(&spoken, About::default()).1, -1117);
    let core = Reject::new(Code::OrderQuantity, "-1117 is not a quantity");
    assert_eq!(worded(&core, About::default()).1, -4005);
    let plain = Reject::new(Code::BadParameter, "-5 apples");
    assert_eq!(worded(&plain, About::default()).1, -1130);
}

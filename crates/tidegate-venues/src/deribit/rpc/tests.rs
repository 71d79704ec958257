use super::*;
use crate::deribit::testkit::{get, request};
use serde_json::json;

fn code(request: &RawRequest) -> Code {
    from_http(request).unwrap_err().reject.code
}

#[test]
fn three_http_forms_mean_the_same() {
    let body =
        r#"{"jsonrpc":"2.0","id":7,"method":"private/buy","params":{"amount":"10","label":"a b"}}"#;
    let of_get = from_http(&get("/api/v2/private/buy?amount=10&label=a%20b")).unwrap();
    let of_plus = from_http(&get("/api/v2/private/buy?amount=10&label=a+b")).unwrap();
    let of_path = from_http(&request(Verb::Post, "/api/v2/private/buy", &[], body)).unwrap();
    let of_root = from_http(&request(Verb::Post, "/api/v2", &[], body)).unwrap();
    for rpc in [&of_get, &of_plus, &of_path, &of_root] {
        assert_eq!(rpc.method.name, "private/buy");
        assert_eq!(Value::Object(rpc.params.0.clone()), json!({"amount":"10","label":"a b"}));
    }
    assert_eq!((of_get.id, of_root.id), (None, Some(json!(7))));
}

#[test]
fn lists_are_bracketed_and_nothing_else_repeats() {
    let rpc =
        from_http(&get("/api/v2/private/cancel_all_by_kind_or_type?currency[]=BTC&currency[]=ETH"));
    assert_eq!(rpc.unwrap().params.texts("currency").unwrap(), ["BTC", "ETH"]);
    assert_eq!(code(&get("/api/v2/private/buy?amount=1&amount=2")), Code::DuplicateParameter);
    assert_eq!(code(&get("/api/v2/private/buy?a=1&a[]=2")), Code::DuplicateParameter);
}

#[test]
fn refuses_what_two_readers_may_take_differently() {
    let post = |target: &str, body: &str| request(Verb::Post, target, &[], body);
    let buy = r#"{"id":1,"method":"private/buy","params":{}}"#;
    let table = [
        (post("/api/v2/private/sell", buy), Code::Malformed),
        (post("/api/v2/private/buy?amount=1", buy), Code::Malformed),
        (request(Verb::Get, "/api/v2/private/buy", &[], buy), Code::Malformed),
        (
            post("/api/v2", r#"{"method":"private/buy","params":{"a":1,"a":2}}"#),
            Code::DuplicateParameter,
        ),
        (
            post("/api/v2", r#"{"method":"private/buy","method":"private/sell"}"#),
            Code::DuplicateParameter,
        ),
        (post("/api/v2", r#"[{"method":"private/buy"}]"#), Code::Malformed),
        (post("/api/v2", r#"{"method":"private/buy","params":[1]}"#), Code::BadParameter),
        (post("/api/v2", r#"{"method":5}"#), Code::UnknownRoute),
        (post("/api/v2", "{"), Code::Malformed),
        (
            post("/api/v2", &format!("{{\"x\":{}{}}}", "[".repeat(40), "]".repeat(40))),
            Code::TooLarge,
        ),
        (post("/api/v2", &" ".repeat(40_000)), Code::TooLarge),
        (request(Verb::Put, "/api/v2/private/buy", &[], ""), Code::UnknownRoute),
        (get("/api/v2/private/teleport"), Code::UnknownRoute),
        (get("/api/v1/private/buy"), Code::UnknownRoute),
        (get("/api/v2x/private/buy"), Code::UnknownRoute),
        (get("/api/v2/private/buy?a=%ff"), Code::Malformed),
    ];
    for (request, expect) in table {
        assert_eq!(code(&request), expect, "{request:?}");
    }
}

#[test]
fn the_id_survives_a_refusal() {
    let unread = from_frame(r#"{"id":{"a":[1]},"method":"no/such"}"#).unwrap_err();
    assert_eq!(unread.id, Some(json!({"a":[1]})));
}

#[test]
fn numbers_come_as_numbers_or_text() {
    let params = Params::from_query("a=10.5&b=1e-4&c=1700000000000.0&d=x&e=true").unwrap();
    assert_eq!(params.decimal("a").unwrap(), Some(Decimal::new(105, 1)));
    assert_eq!(params.decimal("b").unwrap(), Some(Decimal::new(1, 4)));
    assert_eq!(params.whole("c").unwrap(), Some(1_700_000_000_000));
    assert_eq!(params.decimal("d").unwrap_err().code, Code::BadParameter);
    for text in [".01", "1.", "%2B1", "1e", "01", "%201", "1%0A", "0x1", "NaN", "1_0"] {
        let params = Params::from_query(&format!("n={text}")).unwrap();
        assert_eq!(params.decimal("n").unwrap_err().code, Code::BadParameter, "{text}");
        assert_eq!(params.whole("n").unwrap_err().code, Code::BadParameter, "{text}");
    }
    for (text, expect) in [("-0.5", -5), ("1E-1", 1), ("1e+1", 100), ("0.10", 1)] {
        let params = Params::from_query(&format!("n={}", text.replace('+', "%2B"))).unwrap();
        assert_eq!(params.decimal("n").unwrap(), Some(Decimal::new(expect, 1)), "{text}");
    }
    assert_eq!(params.flag("e").unwrap(), Some(true));
    assert_eq!(params.flag("a").unwrap_err().code, Code::BadParameter);
}

#[test]
fn targets_are_encoded() {
    let target =
        target("private/get_order_state_by_label", [("currency", "BTC"), ("label", "a&b=ü")]);
    assert_eq!(
        target,
        "/api/v2/private/get_order_state_by_label?currency=BTC&label=a%26b%3D%C3%BC"
    );
}

use super::*;
use crate::deribit::testkit::{NOW, get, json, request, venue};
use crate::front::Front;
use serde_json::json as value;
use tidegate_types::request::{Method, RawRequest};
use tidegate_types::time::Span;

#[test]
fn every_code_has_a_number_of_the_venue_and_shows_its_own() {
    for code in Code::ALL {
        let told = json(&venue().refuse(None, None, &Reject::new(*code, "7 of 5"), NOW));
        let error = &told["error"];
        let number = error["code"].as_i64().unwrap();
        let known = (10000..14000).contains(&number) || (-32700..=-32000).contains(&number);
        assert!(known, "{code:?} is {number}");
        assert!(error.to_string().contains(&format!("TG{}", code.number())), "{code:?}: {error}");
        assert!(told.get("id").is_none() && told["jsonrpc"] == "2.0", "{told}");
    }
}

/// Numbers on which stock clients try again by themselves.
const RETRIED: &[i64] = &[10040, 10041, 10047, 10066, 11051, 11094, 13028, 13888, 10028];

#[test]
fn refusals_by_risk_and_right_are_not_retried() {
    for code in Code::ALL {
        let retried = RETRIED.contains(&word(*code).0);
        let may = matches!(
            code,
            Code::CallerRate
                | Code::AccountRate
                | Code::PolicyRate
                | Code::RequestRate
                | Code::VenueBudget
                | Code::VenueFrozen
                | Code::WaitedTooLong
                | Code::TooManyInFlight
                | Code::AddressRate
                | Code::TooManyFailures
                | Code::GatewayFull
                | Code::OwnQueue
        );
        assert_eq!(retried, may, "{code:?}");
    }
}

#[test]
fn refusals_read_as_the_venue_writes_them() {
    let refuse = |method: &str, code, detail: &str| {
        let rpc = json(&refusal(Some(&value!("x")), method, &Reject::new(code, detail), NOW, NOW));
        rpc["error"].clone()
    };
    let table = [
        (
            "",
            Code::PriceCollar,
            "70000 > 62000",
            11030,
            "other_reject TG503 the price is outside the collar around the mark: 70000 > 62000",
        ),
        (
            "",
            Code::UnknownKey,
            "",
            13004,
            "invalid_credentials TG102 the key is unknown or revoked",
        ),
        ("", Code::Halted, "", 10019, "locked_by_admin TG509 a halt is in force"),
        ("", Code::UnknownRoute, "", -32601, "Method not found TG201 the route is not served"),
        (
            "private/edit_by_label",
            Code::OrderNotFound,
            "",
            13032,
            "non_unique_order_label TG307 the caller has no such live order",
        ),
        (
            "private/cancel",
            Code::OrderNotFound,
            "",
            10004,
            "order_not_found TG307 the caller has no such live order",
        ),
        ("", Code::BadParameter, "`price` is not known", -32602, "Invalid params"),
        (
            "",
            Code::BadQuantityStep,
            orders::TOO_LOW,
            10002,
            "qty_too_low TG513 the quantity is not a multiple of the lot, or below the minimum: `amount` is below the minimum",
        ),
        (
            "",
            Code::OutOfRange,
            orders::TOO_LATE,
            13888,
            "timed_out TG516 a number is out of range: `valid_until` has passed",
        ),
    ];
    for (method, code, detail, number, message) in table {
        let error = refuse(method, code, detail);
        assert_eq!(
            (error["code"].as_i64(), error["message"].as_str()),
            (Some(number), Some(message))
        );
    }
    let bad = refuse("", Code::BadParameter, "`price` is not known");
    assert_eq!(
        (&bad["data"]["param"], &bad["data"]["reason"]),
        (&value!("price"), &value!("wrong format"))
    );
    assert_eq!(refuse("", Code::BadToken, "")["data"], value!({"reason":"invalid_token"}));
    let long = refuse("", Code::NoLimit, &"x".repeat(5000));
    assert!(long["message"].as_str().unwrap().len() < 300);
}

#[test]
fn the_id_of_a_refused_request_comes_back() {
    let body = r#"{"jsonrpc":"2.0","id":"a-1","method":"private/nope","params":{}}"#;
    let reject = Reject::new(Code::UnknownRoute, "");
    let of = |request: RawRequest| json(&venue().refuse(Some(&request), None, &reject, NOW));
    assert_eq!(of(request(Method::Post, "/api/v2", &[], body))["id"], "a-1");
    assert!(of(get("/api/v2/private/nope")).get("id").is_none());
}

#[test]
fn an_unknown_label_has_no_orders() {
    let reject = Reject::new(Code::OrderNotFound, "");
    let told = refusal(None, "private/get_order_state_by_label", &reject, NOW, NOW);
    assert_eq!((told.status, json(&told)["result"].clone()), (200, value!([])));
}

#[test]
fn own_answers() {
    let context = |fields: serde_json::Value| Context(fields);
    let came = NOW.micros();
    let of = |fields: serde_json::Value, local: &LocalAnswer| {
        let told = answer(&context(fields), local, NOW.plus(Span::from_micros(9)));
        (told.status, json(&told))
    };
    let (status, told) =
        of(value!({"id":5,"came":came}), &LocalAnswer::Cancelled { done: 3, failed: 0 });
    assert_eq!(
        (status, &told["result"], &told["id"], &told["usDiff"]),
        (200, &value!(3), &value!(5), &value!(9))
    );
    let (status, told) = of(value!({}), &LocalAnswer::Cancelled { done: 3, failed: 1 });
    assert_eq!((status, &told["error"]["code"]), (400, &value!(11031)));
    let login = LocalAnswer::Login {
        access: "A".into(),
        refresh: "R".into(),
        lifetime: Span::from_secs(900),
    };
    let (_, told) = of(value!({"scope":"session:bot trade:read_write","state":"s"}), &login);
    assert_eq!(
        told["result"],
        value!({
            "access_token": "A", "enabled_features": [], "expires_in": 900, "refresh_token": "R",
            "scope": "account:read trade:read_write wallet:none session:bot", "state": "s",
            "token_type": "bearer",
        })
    );
    let (_, told) = of(
        value!({"method":"private/get_cancel_on_disconnect"}),
        &LocalAnswer::CancelOnDisconnect { scope: GuardScope::Session, enabled: true },
    );
    assert_eq!(told["result"], value!({"scope":"connection","enabled":true}));
}

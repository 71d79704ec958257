//! Apps with tokens at the unified API.

use super::super::routes::{Access, ROUTES};
use super::routes::filled;
use super::*;
use crate::web::oauth::tests::{App, ISSUER, key};
use tidegate_identity::oauth::dpop::ath;

fn item(account: &str) -> Value {
    json!({"type": "tidegate_trading", "venue": "binance", "account": account,
        "instruments": ["BTC*"], "sides": ["buy"], "order_types": ["limit"],
        "max_order": {"notional": "500"}, "max_open_notional": "1000"})
}

pub(super) async fn app(desk: &super::Desk, accounts: &[&str]) -> App {
    app_with(desk, accounts.iter().map(|account| item(account)).collect()).await
}

async fn app_with(desk: &super::Desk, details: Vec<Value>) -> App {
    let keys = json!({"keys": [key(1).public().to_json()]});
    let set = json!({"op": "app-set", "app": "ann", "title": "Ann's bot", "jwks": keys,
        "grants": ["client_credentials"], "details": details});
    desk.office.ask(set).await.unwrap();
    App::of(desk.office.oauth())
}

pub(super) fn shown(
    app: &App,
    method: Method,
    target: &str,
    body: &Value,
    token: &str,
) -> RawRequest {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut request = plain(method, target, &body);
    let headers = app.handle.headers(None);
    let (_, nonce) = headers.iter().find(|(name, _)| name == "dpop-nonce").unwrap();
    let uri = format!("{ISSUER}{}", request.path);
    let proof = app.proof(&uri, method.as_str(), Some(nonce), Some(&ath(token)));
    request.headers.push(("authorization".to_owned(), format!("DPoP {token}")));
    request.headers.push(("dpop".to_owned(), proof));
    request
}

pub(super) fn small() -> Value {
    let mut small = order(None);
    small["quantity"] = json!("0.1");
    small["price"] = json!("100");
    small
}

#[tokio::test]
async fn an_app_trades_and_reads_as_far_as_its_token_allows() {
    let desk = desk().await;
    let app = app(&desk, &["main"]).await;
    let token = app.token().await;
    let ask = async |method, target: &str, body: Value| {
        desk.answer(shown(&app, method, target, &body, &token)).await
    };
    let (status, placed) = ask(Method::Post, "/v1/orders", small()).await;
    assert_eq!((status, &placed["state"]), (201, &json!("open")), "{placed}");
    let (status, list) = ask(Method::Get, "/v1/orders?account=main", Value::Null).await;
    assert_eq!((status, &list["items"][0]["id"]), (200, &placed["id"]), "{list}");
    // The caller's own grant would allow each of these.
    let mut large = small();
    large["quantity"] = json!("6");
    let mut sell = small();
    sell["side"] = json!("sell");
    for (body, status, code) in [(large, 422, "TG502"), (sell, 403, "TG303")] {
        let (got, problem) = ask(Method::Post, "/v1/orders", body).await;
        assert_eq!((got, &problem["code"]), (status, &json!(code)), "{problem}");
    }
    let (status, problem) = ask(Method::Get, "/v1/orders?account=other", Value::Null).await;
    assert_eq!((status, &problem["code"]), (403, &json!("TG301")), "{problem}");
    desk.office.ask(json!({"op": "app-revoke", "app": "ann"})).await.unwrap();
    assert_eq!(ask(Method::Get, "/v1/orders", Value::Null).await.0, 401);
}

#[tokio::test]
async fn a_token_shown_wrongly_opens_no_route_and_is_told_how() {
    let desk = desk().await;
    let app = app(&desk, &["main"]).await;
    let token = app.token().await;
    let header = |reply: &Reply, wanted: &str| -> Vec<String> {
        let found = reply.headers.iter().filter(|(name, _)| name == wanted);
        found.map(|(_, value)| value.clone()).collect()
    };
    for route in ROUTES.iter().filter(|route| route.access == Access::Caller) {
        let target = filled(route.path, "1");
        let good = || shown(&app, route.method, &target, &Value::Null, &token);
        let changed = |change: fn(&mut Vec<(String, String)>)| {
            let mut request = good();
            change(&mut request.headers);
            request
        };
        let mut other = shown(&app, route.method, "/v1/elsewhere", &Value::Null, &token);
        other.path.clone_from(&target);
        for (request, error) in [
            (changed(|headers| drop(headers.pop())), "invalid_dpop_proof"),
            (changed(|headers| headers.retain(|(name, _)| name != "authorization")), "algs="),
            (changed(|headers| headers[2].1.insert(20, 'x')), "invalid_token"),
            (other, "invalid_dpop_proof"),
            (plain(route.method, &target, ""), "algs="),
        ] {
            let reply = desk.api.answer(request).await;
            assert_eq!(reply.status, 401, "{target} {error}");
            let told = header(&reply, "www-authenticate");
            let dpop = |told: &String| told.starts_with("DPoP") && told.contains(error);
            assert!(told.iter().any(dpop), "{target} {error}: {told:?}");
            assert_eq!(header(&reply, "dpop-nonce").len(), 1, "{target} {error}");
            assert_eq!(header(&reply, "content-type"), ["application/problem+json"]);
        }
    }
    assert_eq!(desk.arrived("place"), 0);
    let once = shown(&app, Method::Get, "/v1/orders", &Value::Null, &token);
    assert_eq!(desk.answer(once.clone()).await.0, 200);
    assert_eq!(desk.answer(once).await.0, 401);
}

#[tokio::test]
async fn a_token_that_reads_changes_nothing_and_none_reads_the_journal() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let (_, placed) = desk.ask(&ann, Method::Post, "/v1/orders", order(None)).await;
    let details = json!([{"type": "tidegate_trading", "venue": "binance", "account": "main",
        "instruments": ["*"], "read_only": true}]);
    let keys = json!({"keys": [key(1).public().to_json()]});
    let set = json!({"op": "app-set", "app": "ann", "title": "Ann's eye", "jwks": keys,
        "grants": ["client_credentials"], "details": details});
    desk.office.ask(set).await.unwrap();
    let app = App::of(desk.office.oauth());
    let token = app.token().await;
    let before = desk.office.world.told.arrived.lock().unwrap().len();
    let id = placed["id"].as_str().unwrap();
    for route in ROUTES.iter().filter(|route| route.access == Access::Caller) {
        let target = filled(route.path, id);
        let body = if route.body.is_some() { small() } else { Value::Null };
        let (status, told) = desk.answer(shown(&app, route.method, &target, &body, &token)).await;
        match route.changes || route.op == Op::Journal {
            true => assert_eq!((status, &told["code"]), (403, &json!("TG301")), "{target}: {told}"),
            // There is none.
            false if route.op == Op::Approval => assert_eq!(status, 404, "{target}: {told}"),
            false => assert_eq!(status, 200, "{target}: {told}"),
        }
    }
    assert_eq!(desk.office.world.told.arrived.lock().unwrap().len(), before);
    let (_, still) = desk.ask(&ann, Method::Get, &format!("/v1/orders/{id}"), Value::Null).await;
    assert_eq!(still["state"], "open", "{still}");
}

#[tokio::test]
async fn a_token_is_held_to_its_day_and_tells_its_hours() {
    let desk = desk().await;
    let mut day = item("main");
    day["max_daily_notional"] = json!("15");
    day["days"] = json!("sat-mon,tue-fri");
    day["hours"] = json!("00:00-12:00,12:00-24:00");
    let app = app_with(&desk, vec![day]).await;
    let token = app.token().await;
    let ask = async |method, target: &str, body: Value| {
        desk.answer(shown(&app, method, target, &body, &token)).await
    };
    let (status, placed) = ask(Method::Post, "/v1/orders", small()).await;
    assert_eq!(status, 201, "{placed}");
    let (status, problem) = ask(Method::Post, "/v1/orders", small()).await;
    assert_eq!((status, &problem["code"]), (422, &json!("TG520")), "{problem}");
    let (_, limits) = ask(Method::Get, "/v1/limits", Value::Null).await;
    assert_eq!(limits["grant"]["max_daily_notional"], "15", "{limits}");
    assert_eq!(limits["caller_traded_today"], "0", "{limits}");
    let told = (&limits["grant"]["hours"], &limits["grant"]["days"]);
    assert_eq!(told, (&json!("00:00-24:00"), &json!("mon-sun")));
}

#[tokio::test]
async fn with_several_accounts_a_request_names_one() {
    let desk = desk().await;
    let add = json!({"op": "account-add", "venue": "binance", "account": "two"});
    desk.office.ask(add).await.unwrap();
    let grant = json!({"op": "grant-set", "caller": "ann", "account": "two", "trade": true,
        "instruments": ["*"], "max_order_notional": "5000", "max_open_notional": "9000",
        "orders_per_second": 50, "burst": 50});
    desk.office.ask(grant).await.unwrap();
    let app = app(&desk, &["main", "two"]).await;
    let token = app.token().await;
    let ask = async |method, target: &str, body: Value| {
        desk.answer(shown(&app, method, target, &body, &token)).await
    };
    for (method, target, body) in [
        (Method::Get, "/v1/limits", Value::Null),
        (Method::Post, "/v1/orders/cancel", json!({})),
        (Method::Post, "/v1/orders", small()),
    ] {
        let (status, problem) = ask(method, target, body).await;
        assert_eq!((status, &problem["code"]), (400, &json!("TG206")), "{target}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains("main, two"), "{problem}");
    }
    for account in ["main", "two"] {
        let target = format!("/v1/limits?account={account}");
        let (status, limits) = ask(Method::Get, &target, Value::Null).await;
        assert_eq!((status, &limits["account"]), (200, &json!(account)), "{limits}");
        assert_eq!(limits["grant"]["max_order_notional"], "500", "what the token leaves of it");
    }
    let mut named = small();
    named["account"] = json!("main");
    let (status, placed) = ask(Method::Post, "/v1/orders", named).await;
    assert_eq!((status, &placed["account"]), (201, &json!("main")), "{placed}");
    // A key is for one account; to name another is a mistake.
    let ann = desk.key("ann").await;
    let (status, problem) =
        desk.ask(&ann, Method::Get, "/v1/limits?account=two", Value::Null).await;
    assert_eq!((status, &problem["code"]), (403, &json!("TG301")), "{problem}");
    assert_eq!(desk.ask(&ann, Method::Get, "/v1/limits?account=main", Value::Null).await.0, 200);
}

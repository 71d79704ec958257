use super::*;
use crate::binance::tests::{as_viewer, reply};
use crate::front::Front;

fn context(route: &str) -> Context {
    Context(json!({"route": route}))
}

fn shown(route: &str, viewer: (&str, bool), body: &Value) -> (u16, String) {
    as_viewer(viewer.0, viewer.1, |viewer| {
        let reply = pass(&context(route), reply(200, body), viewer);
        (reply.status, String::from_utf8(reply.body).unwrap())
    })
}

const ALICE: (&str, bool) = ("alice", false);

#[test]
fn an_order_comes_back_under_the_caller_s_id_with_nothing_else_changed() {
    let order: Value = serde_json::from_str(
        r#"{"orderId":325078477,"symbol":"BTCUSDT","clientOrderId":"tg-a1","price":"43187.00","updateTime":1702555534435}"#,
    )
    .unwrap();
    let (_, body) = shown("POST /fapi/v1/order", ALICE, &order);
    assert_eq!(body, order.to_string().replace("tg-a1", "mine"));
    let algo = json!({"algoId": 5, "clientAlgoId": "tg-a2", "actualOrderId": ""});
    let (_, body) = shown("POST /fapi/v1/algoOrder", ALICE, &algo);
    assert_eq!(body, algo.to_string().replace("tg-a2", "mine"));
    // Without an id of its own the caller sees Tidegate's.
    let order = json!({"orderId": 77, "clientOrderId": "tg-x"});
    assert_eq!(shown("GET /fapi/v1/order", ALICE, &order).1, order.to_string());
}

#[test]
fn rows_of_others_are_left_out() {
    let rows = json!([
        {"orderId": 1, "clientOrderId": "tg-a1"},
        {"orderId": 2, "clientOrderId": "tg-b1"},
        {"orderId": 3, "clientOrderId": "from-the-website"},
    ]);
    for path in ["openOrders", "allOrders"] {
        let route = format!("GET /fapi/v1/{path}");
        let (_, body) = shown(&route, ALICE, &rows);
        assert_eq!(body, r#"[{"orderId":1,"clientOrderId":"mine"}]"#);
        let (_, body) = shown(&route, ("alice", true), &rows);
        assert_eq!(body, rows.to_string().replace("tg-a1", "mine").replace("tg-b1", "his"));
    }
    let trades = json!([{"id": 1, "orderId": 77}, {"id": 2, "orderId": 78}]);
    assert_eq!(shown("GET /fapi/v1/userTrades", ALICE, &trades).1, r#"[{"id":1,"orderId":77}]"#);
    let algos = json!([{"algoId": 1, "clientAlgoId": "tg-a1"}, {"algoId": 2, "clientAlgoId": "x"}]);
    assert_eq!(
        shown("GET /fapi/v1/openAlgoOrders", ALICE, &algos).1,
        r#"[{"algoId":1,"clientAlgoId":"mine"}]"#
    );
}

#[test]
fn a_page_is_cut_after_other_callers_rows_are_out() {
    // Of the newest three rows none is the caller's.
    let trades: Vec<Value> = [77, 77, 78, 77, 78, 78, 78]
        .into_iter()
        .enumerate()
        .map(|(id, order)| json!({"id": id, "orderId": order}))
        .collect();
    let context = Context(json!({"route": "GET /fapi/v1/userTrades",
        "page": {"keep": 2, "oldest": false}}));
    let body =
        as_viewer("alice", false, |viewer| pass(&context, reply(200, &trades.into()), viewer).body);
    let seen: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(seen, json!([{"id": 1, "orderId": 77}, {"id": 3, "orderId": 77}]));
}

#[test]
fn income_of_trades_is_for_those_who_may_see_every_trade() {
    let funding =
        json!({"symbol": "BTCUSDT", "incomeType": "FUNDING_FEE", "income": "-0.1", "tradeId": ""});
    let transfer = json!({"incomeType": "TRANSFER", "income": "5"});
    let fee = json!({"symbol": "BTCUSDT", "incomeType": "COMMISSION", "tradeId": "2059192"});
    let profit = json!({"symbol": "BTCUSDT", "incomeType": "REALIZED_PNL", "tradeId": 2_059_192});
    let all = json!([fee, funding, profit, transfer]);
    let route = "GET /fapi/v1/income";
    assert_eq!(shown(route, ALICE, &all).1, json!([funding, transfer]).to_string());
    assert_eq!(shown(route, ("alice", true), &all).1, all.to_string());
    assert_eq!(shown(route, ALICE, &json!({"rows": all})).0, 400);
}

#[test]
fn somebody_else_s_order_does_not_exist() {
    let order = json!({"orderId": 2, "clientOrderId": "tg-b1"});
    for route in ["GET /fapi/v1/order", "GET /fapi/v1/openOrder"] {
        let (status, body) = shown(route, ALICE, &order);
        assert_eq!(status, 400);
        assert_eq!(body, r#"{"code":-2013,"msg":"Order does not exist."}"#);
    }
    // A list where an object belongs, or no JSON at all, shows nothing either.
    let (status, _) = shown("GET /fapi/v1/openOrders", ALICE, &json!({"orderId": 2}));
    assert_eq!(status, 400);
}

#[test]
fn refusals_and_account_answers_pass_unchanged() {
    as_viewer("alice", false, |viewer| {
        let refusal = reply(400, &json!({"code": -2019, "msg": "Margin is insufficient."}));
        assert_eq!(pass(&context("POST /fapi/v1/order"), refusal.clone(), viewer), refusal);
        let account = reply(200, &json!({"assets": [], "clientOrderId": "tg-b1"}));
        assert_eq!(pass(&context("GET /fapi/v3/account"), account.clone(), viewer), account);
    });
}

#[test]
fn only_headers_about_limits_pass() {
    let header = |name: &str| (name.to_owned(), "1".to_owned());
    let mut answer = reply(200, &json!([]));
    answer.headers =
        ["x-mbx-used-weight-1m", "set-cookie", "retry-after", "server"].map(header).to_vec();
    let passed = as_viewer("alice", false, |viewer| {
        pass(&context("GET /fapi/v1/openOrders"), answer, viewer)
    });
    let names: Vec<_> = passed.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["x-mbx-used-weight-1m", "retry-after"]);
}

#[test]
fn frames_of_others_are_left_out() {
    let order =
        |id: &str| json!({"e": "ORDER_TRADE_UPDATE", "E": 1, "o": {"s": "B", "c": id, "i": 5}});
    let seen = |value: &Value| as_viewer("alice", false, |viewer| frame(value, viewer));
    assert_eq!(seen(&order("tg-a1")), Some(order("mine")));
    assert_eq!(seen(&order("tg-b1")), None);
    assert_eq!(seen(&order("autoclose-1")), None);
    // A triggered order has whatever client id; its venue id tells.
    let triggered = json!({"e": "ORDER_TRADE_UPDATE", "o": {"c": "venue-made", "i": 77}});
    assert_eq!(seen(&triggered), Some(triggered.clone()));
    let algo = |id: &str| json!({"e": "ALGO_UPDATE", "o": {"caid": id, "aid": 5}});
    assert_eq!(seen(&algo("tg-a1")), Some(algo("mine")));
    assert_eq!(seen(&algo("tg-b1")), None);
    let lite = |id: &str| json!({"e": "TRADE_LITE", "s": "B", "c": id, "i": 5});
    assert_eq!(seen(&lite("tg-a1")), Some(lite("mine")));
    assert_eq!(seen(&lite("tg-b1")), None);
    for event in ["ACCOUNT_UPDATE", "ACCOUNT_CONFIG_UPDATE", "MARGIN_CALL"] {
        let account = json!({"e": event, "a": {}});
        assert_eq!(seen(&account), Some(account.clone()), "{event}");
    }
    for other in [json!({"e": "listenKeyExpired", "listenKey": "real"}), json!({"x": 1}), json!(1)]
    {
        assert_eq!(seen(&other), None, "{other}");
    }
}

#[test]
fn the_gateway_s_own_answers() {
    let said = |route: &str, local: LocalAnswer| {
        let reply = answer(&context(route), &local);
        (reply.status, String::from_utf8(reply.body).unwrap())
    };
    let all = "DELETE /fapi/v1/allOpenOrders";
    assert_eq!(
        said(all, LocalAnswer::Cancelled { done: 3, failed: 0 }),
        (200, r#"{"code":200,"msg":"The operation of cancel all open order is done."}"#.to_owned())
    );
    let (status, body) = said(all, LocalAnswer::Cancelled { done: 1, failed: 2 });
    assert!(status == 400 && body.contains("-2012"), "{body}");
    let legs = vec![
        reply(200, &json!({"orderId": 1})),
        reply(400, &json!({"code": -2022, "msg": "ReduceOnly Order is rejected."})),
    ];
    assert_eq!(
        said("POST /fapi/v1/batchOrders", LocalAnswer::Batch(legs)),
        (200, r#"[{"orderId":1},{"code":-2022,"msg":"ReduceOnly Order is rejected."}]"#.to_owned())
    );
    let key = "POST /fapi/v1/listenKey";
    assert_eq!(said(key, LocalAnswer::StreamKey("k".to_owned())).1, r#"{"listenKey":"k"}"#);
    assert_eq!(said("DELETE /fapi/v1/listenKey", LocalAnswer::Done).1, "{}");
    assert_eq!(
        said("POST /fapi/v1/leverage", LocalAnswer::Done).1,
        r#"{"code":200,"msg":"success"}"#
    );
    let asked = crate::binance::tests::request(
        tidegate_types::request::Method::Post,
        "/fapi/v1/countdownCancelAll?symbol=BTCUSDT&countdownTime=100000.0",
        "",
    );
    let venue = crate::binance::tests::venue();
    let instruments = crate::binance::tests::instruments();
    let parsed = venue.parse(&asked, &instruments, crate::binance::tests::NOW).unwrap();
    assert_eq!(
        String::from_utf8(answer(&parsed.context, &LocalAnswer::Done).body).unwrap(),
        r#"{"symbol":"BTCUSDT","countdownTime":"100000"}"#
    );
}

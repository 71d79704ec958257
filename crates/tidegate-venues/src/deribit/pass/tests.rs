use crate::deribit::testkit::{as_ann, json, order, reply, trade, venue};
use crate::front::{Context, Front};
use serde_json::{Value, json as value};

fn passed(method: &str, body: &str, account_wide: bool) -> (u16, String) {
    let context = Context(value!({"id": "q", "method": method, "came": 0, "label": "mine"}));
    let told = as_ann(account_wide, |viewer| venue().pass(&context, reply(200, body), viewer));
    (told.status, String::from_utf8(told.body).unwrap())
}

fn answer(result: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":77,"result":{result},"usIn":1,"usOut":3,"usDiff":2,"testnet":true}}"#
    )
}

#[test]
fn an_answer_keeps_all_but_id_and_label() {
    let result = format!(
        r#"{{"order":{},"trades":[{}]}}"#,
        order("tg1-0", "1", "open"),
        trade("tg1-0", "1")
    );
    let (status, told) = passed("private/buy", &answer(&result), false);
    let expect = answer(&result).replace("77", "\"q\"").replace("tg1-0", "mine");
    assert_eq!((status, told), (200, expect), "digits and order of keys stay");
}

#[test]
fn a_caller_without_a_label_reads_none() {
    let result = format!(
        r#"{{"order":{},"trades":[{}]}}"#,
        order("tg1-2", "1", "open"),
        trade("tg1-2", "1")
    );
    let (_, told) = passed("private/buy", &answer(&result), false);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["result"]["order"]["label"], "");
    assert!(told["result"]["trades"][0].get("label").is_none());
}

#[test]
fn rows_of_others_are_left_out() {
    let rows = [order("tg1-0", "1", "open"), order("tg1-1", "2", "open"), order("", "3", "open")];
    let body = answer(&format!("[{}]", rows.join(",")));
    let labels = |account_wide: bool| {
        let (_, told) = passed("private/get_open_orders", &body, account_wide);
        let told: Value = serde_json::from_str(&told).unwrap();
        let rows = told["result"].as_array().unwrap().clone();
        rows.iter().map(|row| row["label"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(labels(false), ["mine"]);
    assert_eq!(labels(true), ["mine", "his", ""]);
}

#[test]
fn wrapped_rows_are_filtered_too() {
    let trades = format!(
        r#"{{"trades":[{},{}],"has_more":false}}"#,
        trade("tg1-1", "2"),
        trade("tg1-0", "1")
    );
    let (_, told) = passed("private/get_user_trades_by_currency", &answer(&trades), false);
    assert!(
        told.contains("\"t-1\"") && !told.contains("\"t-2\"") && !told.contains("tg1"),
        "{told}"
    );
    let log = r#"{"logs":[{"id":1,"order_id":"2","trade_id":"9"},{"id":2,"type":"settlement"}],"continuation":null}"#;
    let (_, told) = passed("private/get_transaction_log", &answer(log), false);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["result"]["logs"], value!([{"id":2,"type":"settlement"}]));
}

#[test]
fn one_order_of_another_is_not_there() {
    let (status, told) =
        passed("private/get_order_state", &answer(&order("tg1-1", "2", "open")), false);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((status, told["error"]["code"].as_i64()), (400, Some(10004)));
    assert!(told.get("result").is_none() && told["id"] == "q");
}

#[test]
fn open_orders_by_label_are_those_with_the_callers_label() {
    let rows = [order("tg1-0", "1", "open"), order("tg1-2", "4", "open")];
    let (_, told) = passed(
        "private/get_open_orders_by_label",
        &answer(&format!("[{}]", rows.join(","))),
        false,
    );
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["result"].as_array().unwrap().len(), 1);
    assert_eq!(told["result"][0]["label"], "mine");
}

#[test]
fn account_data_stays() {
    let positions = r#"[{"instrument_name":"BTC-PERPETUAL","size":-10.0,"average_price":1.50}]"#;
    assert_eq!(
        passed("private/get_positions", &answer(positions), false).1,
        answer(positions).replace("77", "\"q\"")
    );
}

#[test]
fn an_error_is_passed_on_with_the_id() {
    let body = r#"{"jsonrpc":"2.0","id":77,"error":{"message":"not_enough_funds","code":10009},"testnet":true}"#;
    assert_eq!(passed("private/buy", body, false).1, body.replace("77", "\"q\""));
}

#[test]
fn what_is_not_json_is_not_passed_on() {
    let context = Context(value!({"method": "private/buy"}));
    let told =
        as_ann(false, |viewer| venue().pass(&context, reply(502, "<html>tg1-1</html>"), viewer));
    assert_eq!(json(&told)["error"]["code"], 11031);
}

#[test]
fn headers_of_the_venue_stay_behind() {
    let context = Context(value!({"method": "private/get_positions"}));
    let mut body = reply(200, &answer("[]"));
    body.headers =
        vec![("set-cookie".into(), "x".into()), ("content-type".into(), "application/json".into())];
    let told = as_ann(false, |viewer| venue().pass(&context, body, viewer));
    assert_eq!(told.headers.len(), 1);
}

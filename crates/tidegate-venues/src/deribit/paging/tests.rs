use crate::deribit::testkit::{NOW, as_ann, get, instruments, json, reply, trade, venue};
use crate::front::{Asked, Front};
use serde_json::json;

/// What is asked of the venue, and what of its answer the caller sees.
fn asked_and_seen(target: &str, result: &str) -> (Vec<(String, String)>, serde_json::Value) {
    let parsed = venue().parse(&get(target), &instruments(), NOW).unwrap();
    let Asked::Read(read) = parsed.asked else { panic!("{target}") };
    let body = format!(r#"{{"jsonrpc":"2.0","result":{result}}}"#);
    let passed = as_ann(false, |viewer| venue().pass(&parsed.context, reply(200, &body), viewer));
    let page = |(name, _): &(String, String)| name == "count" || name == "offset";
    (read.params.into_iter().filter(page).collect(), json(&passed)["result"].take())
}

fn longest() -> Vec<(String, String)> {
    vec![("count".into(), "1000".into())]
}

#[test]
fn a_page_is_cut_after_other_callers_rows_are_out() {
    let (mine, other) = (trade("tg1-0", "1"), trade("tg1-1", "2"));
    let rows =
        format!(r#"{{"trades":[{other},{other},{mine},{other},{mine},{mine}],"has_more":false}}"#);
    let by = "/api/v2/private/get_user_trades_by_instrument?instrument_name=BTC-PERPETUAL";
    let (asked, seen) = asked_and_seen(&format!("{by}&count=2"), &rows);
    assert_eq!(asked, longest());
    assert_eq!(seen["trades"].as_array().unwrap().len(), 2);
    assert_eq!(seen["has_more"], json!(true), "the third is left");
    let (asked, seen) = asked_and_seen(by, &rows);
    assert_eq!(asked, longest());
    assert_eq!(seen["trades"].as_array().unwrap().len(), 3);
    assert_eq!(seen["has_more"], json!(false));
}

#[test]
fn an_offset_counts_the_caller_s_own_rows() {
    let row = |label: &str, id: &str| crate::deribit::testkit::order(label, id, "filled");
    let rows = format!("[{},{},{}]", row("tg1-1", "9"), row("tg1-0", "1"), row("tg1-0", "2"));
    let by = "/api/v2/private/get_order_history_by_instrument?instrument_name=BTC-PERPETUAL";
    let (asked, seen) = asked_and_seen(&format!("{by}&offset=1&count=5"), &rows);
    assert_eq!(asked, longest());
    assert_eq!(seen.as_array().unwrap().len(), 1, "{seen}");
    assert_eq!(seen[0]["order_id"], json!("2"));
}

#[test]
fn pages_that_go_on_elsewhere_are_left_as_they_are() {
    let by = "/api/v2/private/get_order_history_by_instrument?instrument_name=BTC-PERPETUAL";
    let told = |query: &str| asked_and_seen(&format!("{by}&{query}"), "[]").0;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(told("count=5&continuation=x"), [pair("count", "5")]);
    assert_eq!(told("count=1000"), [pair("count", "1000")]);
    assert_eq!(told("count=5&offset=999"), [pair("count", "5"), pair("offset", "999")]);
    assert_eq!(told("count=nonsense"), [pair("count", "nonsense")]);
}

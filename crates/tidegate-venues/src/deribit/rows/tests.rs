use super::*;
use crate::deribit::testkit;
use tidegate_types::codec::to_json;

fn row(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn orders_are_read_exactly() {
    let report = order(&row(&testkit::order("tg1-0", "USDC-1", "open"))).unwrap().unwrap();
    let told = to_json(&report);
    for part in [
        r#""client_id":"tg1-0""#,
        r#""venue_id":"USDC-1""#,
        r#""qty":"30""#,
        r#""filled":"10""#,
        r#""price":"61234.5""#,
        r#""average":"61200.12345678""#,
        r#""state":"Open""#,
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn trigger_orders_and_what_they_become_are_one() {
    let untriggered = r#"{"label":"tg1-0","price":"market_price","amount":10.0,"direction":"sell","instrument_name":"BTC-PERPETUAL","order_id":"SLMB-9","last_update_timestamp":5,"reduce_only":true,"trigger_price":2228.0,"trigger":"mark_price","order_state":"untriggered","order_type":"stop_market"}"#;
    let report = order(&row(untriggered)).unwrap().unwrap();
    assert_eq!(
        (report.state, report.price, report.order_type),
        (VenueState::Untriggered, None, OrderType::StopMarket)
    );
    assert!(report.filled.0.is_zero() && report.average.is_none());
    assert_eq!(report.trigger_price.unwrap().to_string(), "2228");
    assert_eq!((report.reduce_only, report.post_only), (Some(true), None));
    let gone = untriggered.replace("untriggered", "triggered");
    assert_eq!(order(&row(&gone)).unwrap(), None);
    let child = untriggered
        .replace("untriggered", "filled")
        .replace(r#""order_id":"SLMB-9""#, r#""order_id":"77","trigger_order_id":"SLMB-9""#);
    let report = order(&row(&child)).unwrap().unwrap();
    assert_eq!(report.venue_id.as_str(), "SLMB-9");
    assert_eq!(report.triggered_as.unwrap().as_str(), "77");
}

#[test]
fn what_an_order_may_do_is_told_or_not() {
    let told = |flags: &str| {
        let whole = testkit::order("tg1-0", "1", "open");
        let mut row = row(&whole);
        let fields = row.as_object_mut().unwrap();
        fields.retain(|name, _| !name.ends_with("_only"));
        fields.extend(serde_json::from_str::<serde_json::Map<_, _>>(flags).unwrap());
        let report = order(&row).unwrap().unwrap();
        (report.reduce_only, report.post_only)
    };
    assert_eq!(told("{}"), (None, None));
    assert_eq!(
        told(r#"{"reduce_only":false,"post_only":false}"#),
        (Some(false), Some(PostOnly::No))
    );
    let maker =
        |reject: bool| told(&format!(r#"{{"post_only":true,"reject_post_only":{reject}}}"#));
    assert_eq!(maker(true), (None, Some(PostOnly::Reject)));
    assert_eq!(maker(false), (None, Some(PostOnly::Slide)));
    assert_eq!(told(r#"{"post_only":true}"#), (None, None), "of which kind is not told");
}

#[test]
fn fills_and_positions() {
    let fill = fill(&row(&testkit::trade("tg1-0", "1"))).unwrap();
    assert_eq!(
        (fill.fee.to_string(), fill.maker),
        ("0.00000014".into(), false),
        "below a satoshi is cut"
    );
    let at = |text: &str| position(&row(text)).unwrap();
    let sold = at(
        r#"{"instrument_name":"BTC-PERPETUAL","size":-30.0,"direction":"sell","average_price":61000.123456789}"#,
    );
    assert_eq!(
        (sold.qty.0.to_string(), sold.entry.unwrap().to_string()),
        ("-30".into(), "61000.12345678".into())
    );
    let unsigned = at(
        r#"{"instrument_name":"BTC-PERPETUAL","size":30.0,"direction":"sell","average_price":1}"#,
    );
    assert_eq!(unsigned.qty, sold.qty);
    let none = at(
        r#"{"instrument_name":"BTC-PERPETUAL","size":0.0,"direction":"zero","average_price":1}"#,
    );
    assert!(none.entry.is_none());
}

#[test]
fn what_cannot_be_read_is_said() {
    let whole = testkit::order("tg1-0", "1", "open");
    for (from, to) in [
        ("\"amount\":30.0", "\"amount\":1e-9"),
        ("\"amount\":30.0", "\"amount\":\"30\""),
        ("\"direction\":\"buy\"", "\"direction\":\"up\""),
        ("\"open\"", "\"melted\""),
        ("\"order_type\":\"limit\"", "\"order_type\":\"hope\""),
        ("BTC-PERPETUAL", "BTC PERPETUAL"),
        ("last_update_timestamp", "x"),
    ] {
        let broken = whole.replace(from, to);
        assert_ne!(broken, whole);
        assert!(order(&row(&broken)).is_err(), "{to}");
    }
}

#[test]
fn computed_numbers_are_cut_not_refused() {
    let cut = |text: &str| rounded(&row(&format!(r#"{{"x":{text}}}"#)), "x").map(|n| n.to_string());
    let table = [
        ("0.0028213400122472977", Some("0.00282134")),
        ("1.742e-05", Some("0.00001742")),
        ("1.2345e-9", Some("0")),
        (
            "-61234.123456789012345678901234567890123456789012345678901234567890",
            Some("-61234.12345678"),
        ),
        ("12", Some("12")),
        ("1e300", None),
    ];
    for (text, expect) in table {
        assert_eq!(cut(text).as_deref(), expect, "{text}");
    }
}

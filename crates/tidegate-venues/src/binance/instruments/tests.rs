use super::*;
use crate::binance::tests;
use serde_json::{Value, json};

fn one(changes: &Value) -> Option<Instrument> {
    let mut symbol = json!({
        "symbol": "BTCUSDT", "pair": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING",
        "deliveryDate": 1, "baseAsset": "BTC", "quoteAsset": "USDT", "marginAsset": "USDT",
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120", "stepSize": "0.001"},
        ],
    });
    for (name, value) in changes.as_object().unwrap() {
        symbol[name] = value.clone();
    }
    let symbol = symbol.to_string();
    let symbol = Fields::read(symbol.as_bytes()).unwrap();
    instrument(&VenueName::new("binance").unwrap(), &symbol)
}

#[test]
fn terms_are_read() {
    let perpetual = one(&json!({})).unwrap();
    assert_eq!((perpetual.kind, perpetual.unit), (Kind::Perpetual, Unit::Linear));
    assert_eq!(
        (perpetual.tick.to_string(), perpetual.lot.to_string()),
        ("0.1".into(), "0.001".into())
    );
    assert_eq!(perpetual.max_qty.unwrap().to_string(), "1000");
    assert!(perpetual.open);
    assert!(!one(&json!({"status": "SETTLING"})).unwrap().open);
    let future =
        one(&json!({"contractType": "NEXT_QUARTER", "deliveryDate": 1_766_649_600_000_u64}));
    let expiry = tidegate_types::time::Time::from_millis(1_766_649_600_000);
    assert_eq!(future.unwrap().kind, Kind::Future { expiry });
}

#[test]
fn what_is_not_understood_is_left_out() {
    for changes in [
        json!({"quoteAsset": "BTC"}),
        json!({"contractType": ""}),
        json!({"contractType": "CURRENT_QUARTER DELIVERING"}),
        json!({"filters": []}),
        json!({"filters": [{"filterType": "PRICE_FILTER", "tickSize": "0"}]}),
        json!({"symbol": "币安"}),
    ] {
        assert_eq!(one(&changes), None, "{changes}");
    }
}

#[test]
fn an_answer_that_is_not_a_list_of_instruments_is_an_error() {
    let venue = VenueName::new("binance").unwrap();
    assert!(instruments(&venue, &[]).is_err());
    assert!(instruments(&venue, &[tests::reply(200, &json!({}))]).is_err());
    assert!(instruments(&venue, &[tests::reply(500, &json!({"symbols": []}))]).is_err());
    assert_eq!(instruments(&venue, &[tests::reply(200, &json!({"symbols": []}))]), Ok(Vec::new()));
}

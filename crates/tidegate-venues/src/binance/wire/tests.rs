use super::*;
use serde_json::{Value, json};

/// Gives `read` the fields of an object.
fn with<T>(object: &Value, read: impl FnOnce(&Fields<'_>) -> T) -> T {
    read(&Fields::read(object.to_string().as_bytes()).unwrap())
}

fn order_update(venue: &VenueName, object: &Value) -> Read<OrderReport> {
    with(object, |object| super::order_update(venue, object))
}

fn fill_update(venue: &VenueName, object: &Value) -> Read<Option<FillReport>> {
    with(object, |object| super::fill_update(venue, object))
}

fn venue() -> VenueName {
    VenueName::new("binance").unwrap()
}

fn update(changes: &Value) -> Value {
    let mut order = json!({
        "s": "BTCUSDT", "c": "tg1-1", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.002",
        "p": "7100.50", "ap": "7100.5", "sp": "0", "x": "TRADE", "X": "PARTIALLY_FILLED",
        "i": 8886774, "l": "0.001", "z": "0.001", "L": "7100.50", "N": "USDT", "n": "-0.01",
        "T": 1568879465651_u64, "t": 12345678, "m": true, "R": false,
    });
    for (name, value) in changes.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

#[test]
fn a_trade_is_told_once_with_its_fee() {
    let fill = fill_update(&venue(), &update(&json!({}))).unwrap().unwrap();
    assert_eq!(fill.trade_id.as_str(), "12345678");
    assert_eq!((fill.qty.to_string(), fill.price.to_string()), ("0.001".into(), "7100.5".into()));
    assert_eq!(fill.fee, Decimal::new(-1, 2));
    assert_eq!(fill.fee_currency.unwrap().as_str(), "USDT");
    assert!(fill.maker);
    assert_eq!(fill.at, Time::from_millis(1_568_879_465_651));
    for other in [
        json!({"x": "NEW", "l": "0"}),
        json!({"x": "CANCELED", "l": "0"}),
        json!({"x": "CALCULATED", "l": "0", "t": 0, "n": null, "N": null}),
    ] {
        assert_eq!(fill_update(&venue(), &update(&other)), Ok(None), "{other}");
    }
    let forced = json!({"x": "CALCULATED", "X": "NEW_ADL", "c": "adl_autoclose_1", "l": "0.002", "z": "0.002"});
    assert!(fill_update(&venue(), &update(&forced)).unwrap().is_some());
    assert_eq!(order_update(&venue(), &update(&forced)).unwrap().state, VenueState::Filled);
    let unfee = json!({"n": null, "N": null});
    let fill = fill_update(&venue(), &update(&unfee)).unwrap().unwrap();
    assert_eq!((fill.fee, fill.fee_currency), (Decimal::ZERO, None));
}

#[test]
fn an_order_that_cannot_be_read_is_an_error_not_a_guess() {
    for change in [
        json!({"X": "MAYBE"}),
        json!({"S": "HOLD"}),
        json!({"o": "ICEBERG"}),
        json!({"q": "x"}),
        json!({"i": null}),
        json!({"i": 0}),
        json!({"T": "now"}),
        json!({"s": ""}),
    ] {
        assert!(order_update(&venue(), &update(&change)).is_err(), "{change}");
    }
}

#[test]
fn conditional_updates() {
    let algo = |changes: &Value| {
        let mut order = json!({
            "caid": "tg1-2", "aid": 2148719, "at": "CONDITIONAL", "o": "TAKE_PROFIT",
            "s": "BNBUSDT", "S": "SELL", "ps": "BOTH", "f": "GTC", "q": "0.01", "X": "NEW",
            "ai": "", "ap": "0.00000", "aq": "0.01", "tp": "750", "p": "750", "R": true,
        });
        for (name, value) in changes.as_object().unwrap() {
            order[name] = value.clone();
        }
        with(&order, |order| algo_update(&venue(), order, Time::from_millis(7))).unwrap()
    };
    let waiting = algo(&json!({}));
    assert_eq!(waiting.state, VenueState::Untriggered);
    assert_eq!((waiting.filled, waiting.triggered_as), (Qty::default(), None));
    assert_eq!(algo(&json!({"X": "TRIGGERING"})).state, VenueState::Untriggered);
    let live = algo(&json!({"X": "TRIGGERED", "ai": 991, "aq": "0"}));
    assert_eq!(live.state, VenueState::Open);
    assert_eq!(live.triggered_as.unwrap().as_str(), "991");
    assert_eq!(algo(&json!({"X": "FINISHED", "ai": "991"})).state, VenueState::Filled);
    assert_eq!(algo(&json!({"X": "FINISHED", "ai": "991", "aq": "0"})).state, VenueState::Expired);
    assert_eq!(algo(&json!({"X": "EXPIRED"})).state, VenueState::Expired);
    assert_eq!(algo(&json!({"X": "REJECTED"})).state, VenueState::Rejected);
}

#[test]
fn positions_of_hedge_mode_are_not_served() {
    let row = |amount: &str, side: &str| {
        let row = json!({"s": "BTCUSDT", "pa": amount, "ep": "6563.6", "ps": side});
        with(&row, |row| position_update(&venue(), row))
    };
    let position = row("-10", "BOTH").unwrap().unwrap();
    assert_eq!(position.qty.to_string(), "-10");
    assert_eq!(position.entry.unwrap().to_string(), "6563.6");
    assert_eq!(row("0", "LONG"), Ok(None));
    assert!(row("1", "LONG").is_err());
}

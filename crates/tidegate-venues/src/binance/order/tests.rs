use super::*;
use crate::binance::errors::{About, worded};
use crate::binance::tests::instruments;
use serde_json::{Value, json};

const LIMIT: &str = r#"{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","quantity":"1","price":"9000"}"#;
const STOP: &str = r#"{"algoType":"CONDITIONAL","symbol":"BTCUSDT","side":"SELL","type":"STOP","timeInForce":"GTC","quantity":0.01,"price":7990,"triggerPrice":8000.5}"#;

/// The order in `base` with fields set, or removed by null.
fn with(base: &str, changes: &Value) -> Result<NewOrder, Reject> {
    let mut object: Value = serde_json::from_str(base).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
    let params = Params::of_object(&object).unwrap();
    if base == STOP { conditional(&params, &instruments()) } else { plain(&params, &instruments()) }
}

fn refused(base: &str, changes: &Value) -> (i64, String) {
    let reject = with(base, changes).expect_err(&changes.to_string());
    let (_, number, words) = worded(&reject, About::default());
    (number, words)
}

#[test]
fn a_limit_order_is_read_whole() {
    let order = with(
        LIMIT,
        &json!({
            "positionSide": "BOTH", "reduceOnly": "TRUE", "newClientOrderId": "a:b/c.d",
            "newOrderRespType": "RESULT", "selfTradePreventionMode": "EXPIRE_BOTH",
            "closePosition": "false", "priceMatch": "NONE", "price": 9000.5, "quantity": 1.0,
        }),
    )
    .unwrap();
    assert_eq!(order.instrument.to_string(), "binance/BTCUSDT");
    assert_eq!((order.side, order.order_type), (Side::Buy, OrderType::Limit));
    assert_eq!(order.qty, Qty(Decimal::ONE));
    assert_eq!(order.price, Some(Price(Decimal::new(90_005, 1))));
    assert_eq!(order.time_in_force, TimeInForce::GoodTilCancelled);
    assert_eq!(order.post_only, PostOnly::No);
    assert_eq!(order.self_trade, Some(SelfTrade::ExpireBoth));
    assert_eq!(order.caller_id.unwrap().as_str(), "a:b/c.d");
    assert!(order.reduce_only && order.full_answer && order.trigger.is_none());
}

#[test]
fn times_in_force() {
    let read = |changes: Value| {
        let order = with(LIMIT, &changes).unwrap();
        (order.time_in_force, order.post_only)
    };
    assert_eq!(read(json!({"timeInForce": "IOC"})).0, TimeInForce::ImmediateOrCancel);
    assert_eq!(read(json!({"timeInForce": "FOK"})).0, TimeInForce::FillOrKill);
    let maker = read(json!({"timeInForce": "GTX"}));
    assert_eq!(maker, (TimeInForce::GoodTilCancelled, PostOnly::Reject));
    let until = Time::from_millis(1_700_000_000_000);
    let dated = read(json!({"timeInForce": "GTD", "goodTillDate": 1_700_000_000_123_u64}));
    assert_eq!(dated.0, TimeInForce::GoodTilDate { until });
    assert_eq!(refused(LIMIT, &json!({"timeInForce": "GTD"})).0, -1102);
    assert_eq!(refused(LIMIT, &json!({"goodTillDate": 1_700_000_000_000_u64})).0, -1106);
    assert_eq!(refused(LIMIT, &json!({"timeInForce": "RPI"})).0, -1020);
    assert_eq!(refused(LIMIT, &json!({"timeInForce": "DAY"})).0, -1115);
    assert_eq!(refused(LIMIT, &json!({"timeInForce": null})).0, -1102);
}

#[test]
fn market_orders_have_neither_price_nor_time_in_force() {
    let market = json!({"type": "MARKET", "price": null, "timeInForce": null});
    let order = with(LIMIT, &market).unwrap();
    assert_eq!((order.order_type, order.price), (OrderType::Market, None));
    let (number, words) = refused(LIMIT, &json!({"type": "MARKET", "timeInForce": null}));
    assert_eq!((number, words.as_str()), (-1106, "Parameter 'price' sent when not required."));
    assert_eq!(refused(LIMIT, &json!({"type": "MARKET", "price": null})).0, -1106);
}

#[test]
fn conditional_orders() {
    let order = with(STOP, &json!({"workingType": "MARK_PRICE", "clientAlgoId": "x"})).unwrap();
    let trigger = order.trigger.unwrap();
    assert_eq!((trigger.price, trigger.by), (Price(Decimal::new(80_005, 1)), TriggerBy::Mark));
    assert_eq!(order.order_type, OrderType::StopLimit);
    assert_eq!(order.caller_id.unwrap().as_str(), "x");
    for (word, expect) in
        [("STOP_MARKET", OrderType::StopMarket), ("TAKE_PROFIT_MARKET", OrderType::TakeMarket)]
    {
        let order = with(STOP, &json!({"type": word, "price": null})).unwrap();
        assert_eq!(order.order_type, expect);
        assert_eq!(order.trigger.unwrap().by, TriggerBy::Last);
    }
    assert_eq!(
        with(STOP, &json!({"type": "TAKE_PROFIT"})).unwrap().order_type,
        OrderType::TakeLimit
    );
    assert_eq!(refused(STOP, &json!({"triggerPrice": null})).0, -1102);
    assert_eq!(refused(STOP, &json!({"triggerPrice": 0})).0, -4006);
    assert_eq!(refused(STOP, &json!({"price": null})).0, -1102);
    assert_eq!(refused(STOP, &json!({"type": "STOP_MARKET"})).0, -1106);
    assert_eq!(refused(STOP, &json!({"type": "LIMIT"})).0, -1116);
    assert_eq!(refused(STOP, &json!({"algoType": "VP"})).0, -1100);
    assert_eq!(refused(STOP, &json!({"workingType": "INDEX"})).0, -4031);
    assert_eq!(refused(STOP, &json!({"callbackRate": "1"})).0, -1106);
}

#[test]
fn stops_are_sent_to_the_other_route_as_the_venue_does() {
    for kind in ["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]
    {
        let (number, words) = refused(LIMIT, &json!({"type": kind, "stopPrice": "1"}));
        assert_eq!((number, words.as_str()), (-4120, USE_ALGO), "{kind}");
    }
}

#[test]
fn what_cannot_be_computed_is_refused() {
    let code = |base, changes: Value| with(base, &changes).unwrap_err().code;
    assert_eq!(code(LIMIT, json!({"closePosition": "true"})), Code::Uncomputable);
    assert_eq!(code(LIMIT, json!({"closePosition": true})), Code::Uncomputable);
    assert_eq!(code(LIMIT, json!({"priceMatch": "QUEUE", "price": null})), Code::Uncomputable);
    assert_eq!(code(STOP, json!({"closePosition": true, "quantity": null})), Code::Uncomputable);
    assert_eq!(code(STOP, json!({"priceMatch": "OPPONENT"})), Code::Uncomputable);
    assert_eq!(
        code(STOP, json!({"type": "TRAILING_STOP_MARKET", "callbackRate": 1})),
        Code::Uncomputable
    );
    assert_eq!(code(STOP, json!({"priceProtect": "TRUE"})), Code::UnsupportedParameter);
}

#[test]
fn bad_values_are_refused_in_the_venue_s_words() {
    let cases = [
        (json!({"symbol": "NOPE"}), -1121, "Invalid symbol."),
        (json!({"symbol": "btcusdt"}), -1121, "Invalid symbol."),
        (json!({"side": "HOLD"}), -1117, "Invalid side."),
        (json!({"type": "BEST"}), -1116, "Invalid orderType."),
        (
            json!({"positionSide": "LONG"}),
            -4061,
            "Order's position side does not match user's setting.",
        ),
        (json!({"positionSide": "UP"}), -4060, "Invalid position side."),
        (json!({"quantity": "0"}), -4003, "Quantity less than or equal to zero."),
        (json!({"quantity": "0.0005"}), -1111, PRECISION),
        (json!({"quantity": "0.001"}), -4004, "Quantity less than min quantity."),
        (json!({"quantity": "1000.001"}), -4005, "Quantity greater than max quantity."),
        (json!({"price": "0"}), -4001, "Price less than or equal to zero."),
        (json!({"price": "9000.051"}), -1111, PRECISION),
        (json!({"newOrderRespType": "FULL"}), -1136, "Invalid newOrderRespType."),
        (json!({"selfTradePreventionMode": "NONE"}), -5039, "Invalid self trade prevention mode"),
        (json!({"stopPrice": "1"}), -1106, "Parameter 'stopPrice' sent when not required."),
    ];
    for (changes, number, words) in cases {
        assert_eq!(refused(LIMIT, &changes), (number, words.to_owned()), "{changes}");
    }
    // Within the precision, the tick is held by the core.
    assert!(with(LIMIT, &json!({"price": "9000.05"})).is_ok());
    assert_eq!(refused(LIMIT, &json!({"quantity": "abc"})).0, -1100);
    assert_eq!(refused(LIMIT, &json!({"quantity": null})).0, -1102);
    assert_eq!(refused(LIMIT, &json!({"price": null})).0, -1102);
    assert_eq!(refused(LIMIT, &json!({"newClientOrderId": "a".repeat(37)})).0, -4015);
    assert_eq!(refused(LIMIT, &json!({"newClientOrderId": "a b"})).0, -4015);
    assert_eq!(refused(LIMIT, &json!({"reduceOnly": "yes"})).0, -1100);
}

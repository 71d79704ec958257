use super::*;
use serde_json::json;

#[test]
fn states_and_bands_are_read() {
    let band = json!({"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500",
        "multiplierDown": "0.9500", "multiplierDecimal": "4"});
    let symbol = |name: &str, status: &str, filters: serde_json::Value| json!({"symbol": name, "status": status, "filters": filters});
    let info = json!({"symbols": [
        symbol("BTCUSDT", "TRADING", json!([band])),
        symbol("ETHUSDT", "SETTLING", json!([])),
        symbol("OLDUSDT", "CLOSE", json!([])),
        symbol("NEWUSDT", "PENDING_TRADING", json!([])),
        {"status": "TRADING"},
    ]});
    let body = serde_json::to_vec(&info).unwrap();
    let reply = Reply { status: 200, headers: Vec::new(), body };
    let venue = VenueName::new("binance").unwrap();
    let terms = read(&venue, &[reply], Time::from_millis(5));
    let told: Vec<_> =
        terms.iter().map(|t| (t.instrument.name.as_str(), t.trading, t.band)).collect();
    let (down, up) = ("0.95".parse().unwrap(), "1.05".parse().unwrap());
    assert_eq!(
        told,
        [
            ("BTCUSDT", Some(Trading::Open), Some(PriceBand::OfMark { down, up })),
            ("ETHUSDT", Some(Trading::Settling), Some(PriceBand::None)),
            ("OLDUSDT", Some(Trading::Closed), Some(PriceBand::None)),
            ("NEWUSDT", Some(Trading::Halted), Some(PriceBand::None)),
        ]
    );
    assert!(read(&venue, &[], Time::default()).is_empty());
}

#[test]
fn a_change_of_state_comes_by_the_stream() {
    let venue = VenueName::new("binance").unwrap();
    let data = |status: &str| {
        json!({"e": "contractInfo", "E": 1_669_356_423_908_u64, "s": "IOTAUSDT", "ct": "PERPETUAL",
            "dt": 4_133_404_800_000_u64, "ot": 1_569_398_400_000_u64, "cs": status, "st": 1})
    };
    for (status, trading) in [
        ("TRADING", Trading::Open),
        ("SETTLING", Trading::Settling),
        ("CLOSE", Trading::Closed),
        ("BREAK", Trading::Halted),
    ] {
        for message in [data(status), json!({"stream": "!contractInfo", "data": data(status)})] {
            let terms = told(&venue, &message.to_string(), Time::from_millis(5)).unwrap();
            assert_eq!((terms.trading, terms.band), (Some(trading), None));
            assert_eq!(terms.instrument.to_string(), "binance/IOTAUSDT");
        }
    }
    for other in [
        "nonsense",
        "{}",
        r#"{"e":"contractInfo","s":"IOTAUSDT"}"#,
        r#"{"e":"markPriceUpdate","s":"X"}"#,
    ] {
        assert_eq!(told(&venue, other, Time::default()), None, "{other}");
    }
}

use super::*;
use crate::binance::tests::{NOW, instruments};
use serde_json::json;

#[test]
fn marks_of_known_instruments_are_told() {
    let row = |symbol: &str, mark: &str, index: &str, at: u64| json!({"e": "markPriceUpdate", "E": at, "s": symbol, "p": mark, "i": index, "r": "0.0001"});
    let early = NOW.millis() - 500;
    let message = json!({"stream": "!markPrice@arr@1s", "data": [
        row("BTCUSDT", "11794.15000000", "11784.62659091", early),
        row("UNKNOWN", "1", "1", early),
        row("BTCUSDT_261225", "11800", "", NOW.millis() + 9_000),
        row("BTCUSDT", "0.00000000", "1", early),
    ]});
    let marks = marks(&message.to_string(), &instruments(), NOW);
    let told: Vec<_> =
        marks.iter().map(|m| (m.mark.to_string(), m.index.to_string(), m.at)).collect();
    assert_eq!(
        told,
        [
            ("11794.15".into(), "11784.62659091".into(), Time::from_millis(early)),
            ("11800".into(), "11800".into(), NOW),
        ]
    );
}

#[test]
fn one_instrument_s_own_stream_is_read_too() {
    let message = json!({"e": "markPriceUpdate", "E": 5, "s": "BTCUSDT", "p": "1", "i": "2"});
    assert_eq!(marks(&message.to_string(), &instruments(), NOW).len(), 1);
    for other in ["", "{}", "[]", r#"{"result":null,"id":1}"#, r#"{"e":"kline","s":"BTCUSDT"}"#] {
        assert!(marks(other, &instruments(), NOW).is_empty(), "{other}");
    }
}

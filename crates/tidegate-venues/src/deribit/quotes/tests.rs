use super::*;
use crate::deribit::testkit::instruments;

const OPTION: &str = "BTC-25DEC26-100000-C";

/// A ticker as the venue sends it, shortened.
fn ticker(name: &str, underlying: &str, iv: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"ticker.{name}.100ms","data":{{"timestamp":1700000000123,"instrument_name":"{name}","mark_price":0.0541,"index_price":87000.5,"underlying_index":"SYN.{name}","underlying_price":{underlying},"mark_iv":{iv},"bid_iv":45.1,"ask_iv":46.2,"interest_rate":0.0,"greeks":{{"delta":0.41234,"gamma":0.00002,"vega":101.5,"theta":-44.25,"rho":12.3}}}}}}}}"#
    )
}

#[test]
fn an_options_ticker_tells_forward_volatility_and_greeks() {
    let quotes = read(&ticker(OPTION, "87654.321", "45.67"), &instruments());
    let [quote] = quotes.as_slice() else { panic!("{quotes:?}") };
    assert_eq!(quote.instrument.name.as_str(), OPTION);
    assert_eq!(quote.forward.to_string(), "87654.321");
    assert_eq!(quote.volatility.to_string(), "0.4567");
    assert_eq!(quote.at, Time::from_millis(1_700_000_000_123));
    let greeks = quote.greeks.unwrap();
    assert_eq!(
        [greeks.delta, greeks.vega, greeks.theta].map(|greek| greek.to_string()),
        ["0.41234", "101.5", "-44.25"]
    );
}

#[test]
fn what_is_no_options_ticker_tells_nothing() {
    let none = |text: &str| assert!(read(text, &instruments()).is_empty(), "{text}");
    none(&ticker("BTC-25DEC26-1-C", "87654.3", "45.6"));
    none(&ticker(OPTION, "0.0", "45.6"));
    none(&ticker(OPTION, "87654.3", "0.0"));
    none(&ticker(OPTION, "null", "45.6"));
    none(&ticker(OPTION, "87654.3", "45.6").replace("ticker.", "other."));
    none(
        r#"{"method":"subscription","params":{"channel":"ticker.X.100ms","data":{"mark_price":1}}}"#,
    );
    none(r#"{"mark_iv":"mark_iv""mark_iv"}"#);
}

#[test]
fn without_greeks_the_rest_counts() {
    let text = ticker(OPTION, "87654.3", "45.6").replace("\"delta\"", "\"other\"");
    assert_eq!(read(&text, &instruments())[0].greeks, None);
}

use super::*;
use serde_json::json;

#[test]
fn a_ticker_tells_state_and_band() {
    let ticker = |state: &str, low: f64, high: f64| {
        json!({"method": "subscription", "params": {"channel": "ticker.BTC-PERPETUAL.100ms", "data": {
            "instrument_name": "BTC-PERPETUAL", "state": state, "min_price": low, "max_price": high}}})
        .to_string()
    };
    let terms = told(&ticker("open", 85701.0, 88311.5), Time::from_millis(5));
    let (lowest, highest) = (Price("85701".parse().unwrap()), Price("88311.5".parse().unwrap()));
    assert_eq!(terms.len(), 1);
    assert_eq!(terms[0].trading, Some(Trading::Open));
    assert_eq!(terms[0].band, Some(PriceBand::Prices { lowest, highest }));
    assert_eq!(terms[0].at, Time::from_millis(5));
    for (state, trading) in [
        ("halted", Trading::Halted),
        ("locked", Trading::Halted),
        ("closed", Trading::Halted),
        ("settlement", Trading::Settling),
        ("delivered", Trading::Closed),
    ] {
        assert_eq!(told(&ticker(state, 1.0, 2.0), Time::default())[0].trading, Some(trading));
    }
    // A band that makes no sense is none.
    assert_eq!(told(&ticker("open", 2.0, 1.0), Time::default())[0].band, None);
    assert!(told("{}", Time::default()).is_empty() && told("no", Time::default()).is_empty());
}

#[test]
fn the_list_of_instruments_tells_states() {
    let rows = json!({"jsonrpc": "2.0", "result": [
        {"instrument_name": "BTC-PERPETUAL", "state": "open"},
        {"instrument_name": "ETH-PERPETUAL", "state": "halted"},
        {"instrument_name": "SOL_USDC-PERPETUAL"},
    ]});
    let body = serde_json::to_vec(&rows).unwrap();
    let reply = Reply { status: 200, headers: Vec::new(), body };
    let terms = read(&[reply], Time::default());
    let told: Vec<_> = terms.iter().map(|t| (t.instrument.name.as_str(), t.trading)).collect();
    let open = ("BTC-PERPETUAL", Some(Trading::Open));
    assert_eq!(told, [open, ("ETH-PERPETUAL", Some(Trading::Halted))]);
    assert!(terms.iter().all(|t| t.band.is_none()));
}

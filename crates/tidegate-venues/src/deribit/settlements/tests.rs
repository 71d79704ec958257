use super::*;

/// A position of this shape: what it is in, how much, average, settlement, mark and the profit not paid yet.
fn told(name: &str, size: &str, prices: [&str; 3], floating: &str) -> Option<String> {
    let [average, settled, mark] = prices;
    let direction = if size.starts_with('-') { "sell" } else { "buy" };
    let row = format!(
        r#"{{"instrument_name":"{name}","kind":"future","size":{size},"direction":"{direction}",
            "average_price":{average},"settlement_price":{settled},"mark_price":{mark},
            "floating_profit_loss":{floating},"total_profit_loss":0.000032781,"leverage":34}}"#
    );
    let row = serde_json::from_str(&row).unwrap();
    settlement(&row).map(|settlement| settlement.price.to_string())
}

#[test]
fn a_position_that_was_held_over_a_settlement_counts_from_there() {
    // Settled at the mark: nothing is unpaid, though the average is below.
    let held = ["7440.18", "7476.65", "7476.65"];
    assert_eq!(told("BTC-PERPETUAL", "50.0", held, "0.0").as_deref(), Some("7476.65"));
    // 10,000 dollars from 50,000 to 40,000 are 0.05 coins lost.
    let fell = ["62500.0", "50000.0", "40000.0"];
    assert_eq!(told("BTC-25SEP26", "10000.0", fell, "-0.05").as_deref(), Some("50000"));
    assert_eq!(told("BTC-25SEP26", "-10000.0", fell, "0.05").as_deref(), Some("50000"));
    let linear = ["100.0", "120.0", "121.0"];
    assert_eq!(told("SOL_USDC-PERPETUAL", "2.0", linear, "2.0").as_deref(), Some("120"));
}

#[test]
fn one_that_was_opened_since_counts_from_its_entry() {
    let since = ["50000.0", "62500.0", "40000.0"];
    assert_eq!(told("BTC-PERPETUAL", "10000.0", since, "-0.05"), None);
    assert_eq!(told("SOL_USDC-PERPETUAL", "2.0", ["100.0", "120.0", "121.0"], "42.0"), None);
}

#[test]
fn what_the_venue_does_not_tell_is_not_guessed() {
    let never = ["50000.0", "0", "40000.0"];
    assert_eq!(told("BTC-PERPETUAL", "10000.0", never, "0.0"), None, "not settled yet");
    let held = ["7440.18", "7476.65", "7476.65"];
    assert_eq!(told("BTC-PERPETUAL", "0.0", held, "0.0"), None, "no position");
    assert_eq!(
        told("BTC-25SEP26-7000-C", "1.0", held, "0.0"),
        None,
        "options are not settled daily"
    );
    assert_eq!(told("BTC-PERPETUAL", "50.0", held, "null"), None);
}

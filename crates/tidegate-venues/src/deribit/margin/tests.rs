use super::*;

fn read(rows: &str) -> Vec<VenueMargin> {
    let rows: Vec<Value> = serde_json::from_str(rows).unwrap();
    margins(&rows)
}

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// What a summary of currencies that stand alone looks like, as far as it is about margin.
const ALONE: &str = r#"{"currency":"BTC","balance":3.2,"equity":3.1,"margin_balance":3.05,
    "available_funds":2.55,"initial_margin":0.5,"maintenance_margin":0.4000000012,
    "projected_initial_margin":0.3,"projected_maintenance_margin":0.2,"delta_total":1.25,
    "options_gamma":-0.00002,"options_vega":-152.8,"options_theta":88.3,
    "margin_model":"segregated_sm","cross_collateral_enabled":false}"#;

/// The same where BTC and ETH are collateral for each other.
fn crossed(currency: &str, maintenance: &str) -> String {
    format!(
        r#"{{"currency":"{currency}","margin_balance":9.0,"initial_margin":2.0,
            "maintenance_margin":{maintenance},"available_funds":7.0,"margin_model":"cross_pm",
            "cross_collateral_enabled":true,"total_equity_usd":901000.5,
            "total_margin_balance_usd":900000.5,"total_initial_margin_usd":200000.0,
            "total_maintenance_margin_usd":150000.25}}"#
    )
}

#[test]
fn a_currency_that_stands_alone_is_told_in_its_coin() {
    let empty =
        r#"{"currency":"SOL","margin_balance":0.0,"initial_margin":0.0,"maintenance_margin":0.0}"#;
    let told = read(&format!("[{ALONE},{empty}]"));
    let [margin] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((margin.asset.as_str(), margin.model.as_deref()), ("BTC", Some("segregated_sm")));
    assert_eq!((margin.equity, margin.initial), (d("3.05"), d("0.5")));
    assert_eq!(margin.maintenance, d("0.4"), "cut to eight digits");
    assert_eq!(margin.available, Some(d("2.55")));
    assert_eq!(margin.projected_initial, Some(d("0.3")));
    assert_eq!(margin.projected_maintenance, Some(d("0.2")));
    let greeks = margin.greeks.unwrap();
    assert_eq!((greeks.delta, greeks.vega), (d("1.25"), d("-152.8")));
    assert_eq!((greeks.gamma, greeks.theta), (d("-0.00002"), d("88.3")));
}

#[test]
fn what_is_collateral_for_each_other_is_told_once_and_in_dollars() {
    let rows = [crossed("BTC", "1.5"), crossed("ETH", "40.0"), ALONE.replace("BTC", "USDC")];
    let told = read(&format!("[{}]", rows.join(",")));
    let [whole, alone] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((whole.asset.as_str(), whole.model.as_deref()), ("USD", Some("cross_pm")));
    assert_eq!((whole.initial, whole.maintenance), (d("200000"), d("150000.25")));
    assert_eq!((whole.equity, whole.available), (d("900000.5"), None));
    assert_eq!(alone.asset.as_str(), "USDC");
}

#[test]
fn what_is_missing_is_left_out() {
    assert!(read(r#"[{"currency":"BTC","balance":1.0,"equity":1.0}]"#).is_empty());
    let untold = crossed("BTC", "1.5").replace("total_maintenance_margin_usd", "another");
    assert!(read(&format!("[{untold}]")).is_empty(), "its own figures are the whole account's");
}

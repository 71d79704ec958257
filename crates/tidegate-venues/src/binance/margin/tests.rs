use super::*;
use crate::raw::Raw;

fn told(answer: &str) -> Vec<String> {
    let account = Fields::read(answer.as_bytes()).unwrap();
    let assets = account.get("assets").and_then(Raw::items).unwrap_or_default();
    let assets: Vec<Fields<'_>> = assets.into_iter().filter_map(Raw::fields).collect();
    let rows = margins(&account, &assets);
    let row = |m: &VenueMargin| {
        format!("{} {} {} {} {:?}", m.asset, m.equity, m.initial, m.maintenance, m.available)
    };
    rows.iter().map(row).collect()
}

fn account(initial: &str, maintenance: &str, assets: &str) -> String {
    format!(
        r#"{{"totalInitialMargin":"{initial}","totalMaintMargin":"{maintenance}",
            "totalWalletBalance":"126.72","totalMarginBalance":"120.50000000",
            "availableBalance":"100.00000000","assets":[{assets}],"positions":[]}}"#
    )
}

fn asset(name: &str, initial: &str, maintenance: &str) -> String {
    format!(
        r#"{{"asset":"{name}","walletBalance":"23.7","marginBalance":"23.5",
            "initialMargin":"{initial}","maintMargin":"{maintenance}","availableBalance":"9"}}"#
    )
}

#[test]
fn totals_are_in_dollars() {
    let usdt = asset("USDT", "20.50000000", "8.25000000");
    let rows = told(&account("20.50000000", "8.25000000", &usdt));
    assert_eq!(rows, [format!("USD 120.5 20.5 8.25 {:?}", Some(d("100")))]);
}

#[test]
fn an_asset_that_the_totals_leave_out_stands_for_itself() {
    let assets = [asset("USDT", "20", "8"), asset("USDC", "5", "2"), asset("BNB", "0", "0")];
    // Single-asset mode: the totals are USDT's.
    let single = told(&account("20", "8", &assets.join(",")));
    assert_eq!(single.len(), 2);
    assert_eq!(single[1], format!("USDC 23.5 5 2 {:?}", Some(d("9"))));
    // Multi-assets mode: they are of all.
    assert_eq!(told(&account("25", "10", &assets.join(","))).len(), 1);
    // Only USDC is traded, and the totals do not know.
    assert_eq!(told(&account("0", "0", &asset("USDC", "5", "2"))).len(), 2);
}

#[test]
fn what_is_missing_or_nothing_is_left_out() {
    assert!(told(r#"{"assets":[]}"#).is_empty());
    let nothing = account("0", "0", "").replace("120.50000000", "0.00000000");
    assert!(told(&nothing).is_empty());
}

fn d(text: &str) -> tidegate_types::Decimal {
    text.parse().unwrap()
}

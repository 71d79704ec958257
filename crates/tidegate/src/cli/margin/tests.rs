use super::*;
use serde_json::{Value, json};

fn account(margin: Value) -> AccountStatus {
    serde_json::from_value(json!({
        "self_trade": "refuse", "owner": null, "account": "main", "venue": "deribit", "open": true, "why": "",
        "key": null, "rights": [], "open_orders": 0, "foreign_orders": 0, "open_notional": "0",
        "max_open_notional": null, "exposure": "0", "max_exposure": null, "positions": {}, "balances": {},
        "options": {
            "margin": "16", "equity": "900", "delta": "1", "gamma": "2", "vega": "3", "theta": "4",
        },
        "venue_margin": margin,
    }))
    .unwrap()
}

fn told(above: Option<&str>) -> Value {
    json!({
        "source": "deribit", "told_ms": now_ms() - 90_000, "equity": "900", "initial": "30",
        "maintenance": "18", "above_ours": above,
        "rows": [{
            "asset": "BTC", "model": "segregated_sm", "equity": "9", "initial": "0.3",
            "maintenance": "0.18", "available": "8.7", "delta": "1.5",
        }],
    })
}

#[test]
fn the_venues_word_is_shown_with_its_age_and_its_own_figures() {
    let account = account(told(None));
    let shown = line(account.venue_margin.as_ref().unwrap());
    let dollars =
        " by deribit, 1 min ago · maintenance USD 18, initial 30, of 900 · BTC (segregated_sm)";
    assert!(shown.starts_with(dollars), "{shown}");
    let own = " maintenance 0.18 initial 0.3 of 9 left 8.7 delta 1.5";
    assert!(shown.ends_with(own), "what is not told is not there: {shown}");
    assert_eq!(warning(&account), None);
}

#[test]
fn ours_and_theirs_stand_one_below_the_other() {
    let both = both(&account(told(None)));
    let [ours, theirs] = both.as_slice() else { panic!("{both:?}") };
    assert!(ours.starts_with("options · scenario margin USD 16"), "{ours}");
    assert!(theirs.starts_with("margin by deribit"), "{theirs}");
    assert_eq!(super::both(&account(Value::Null)).len(), 1);
}

#[test]
fn what_is_above_ours_has_a_line_of_its_own() {
    let warned = warning(&account(told(Some("2")))).unwrap();
    let says =
        "MARGIN of main: deribit wants USD 18 for maintenance, 2 more than our worst scenario, 16";
    assert!(warned.starts_with(says), "{warned}");
}

#[test]
fn a_coin_without_a_price_leaves_the_venues_own_figures() {
    let mut margin = told(None);
    for total in ["equity", "initial", "maintenance"] {
        margin[total] = Value::Null;
    }
    let shown = line(account(margin).venue_margin.as_ref().unwrap());
    assert!(shown.contains("cannot be valued") && shown.contains("maintenance 0.18"), "{shown}");
}

use super::*;
use crate::deribit::testkit::{order, reply};

fn list_of(rows: &[String]) -> Reply {
    reply(200, &format!(r#"{{"jsonrpc":"2.0","result":[{}]}}"#, rows.join(",")))
}

fn summaries(rows: &str) -> Reply {
    reply(200, &format!(r#"{{"jsonrpc":"2.0","result":{{"id":10,"summaries":[{rows}]}}}}"#))
}

#[test]
fn orders_are_counted_once_positions_when_not_zero_and_balances() {
    let position = |name: &str, size: &str| {
        format!(
            r#"{{"instrument_name":"{name}","size":{size},"direction":"buy","average_price":5.0}}"#
        )
    };
    let stop = order("tg1-2", "SLMB-1", "untriggered");
    let open = list_of(&[order("tg1-0", "1", "open"), stop.clone(), order("", "3", "open")]);
    let held = list_of(&[position("BTC-PERPETUAL", "20.0"), position("ETH-PERPETUAL", "0.0")]);
    // Equity and the rest move with the mark.
    let money = summaries(
        r#"{"currency":"BTC","balance":302.60065765,"equity":302.61869214,"session_upl":0.0005},
           {"currency":"ETH","balance":1.5e-7,"equity":0.0}"#,
    );
    let read = snapshot(&[open, list_of(&[stop]), held, money]).unwrap();
    let held = read.balances.iter().map(|b| format!("{} {}", b.asset, b.amount));
    assert_eq!(held.collect::<Vec<_>>(), ["BTC 302.60065765", "ETH 0.00000015"]);
    let ids: Vec<&str> = read.orders.iter().map(|order| order.venue_id.as_str()).collect();
    assert_eq!(ids, ["1", "3", "SLMB-1"]);
    assert_eq!(read.orders[1].client_id, None, "an order without a label is not Tidegate's");
    assert_eq!(read.positions.len(), 1);
}

#[test]
fn margins_and_settlements_come_along() {
    let held = list_of(&[r#"{"instrument_name":"BTC-PERPETUAL","size":50.0,"direction":"buy",
        "average_price":7440.18,"settlement_price":7476.65,"mark_price":7476.65,
        "floating_profit_loss":0.0}"#
        .to_owned()]);
    let money = summaries(
        r#"{"currency":"BTC","balance":3.0,"margin_balance":3.0,"initial_margin":0.5,
            "maintenance_margin":0.4,"margin_model":"segregated_pm"}"#,
    );
    let read = snapshot(&[list_of(&[]), list_of(&[]), held, money]).unwrap();
    let [margin] = read.margins.as_slice() else { panic!("{:?}", read.margins) };
    assert_eq!(margin.maintenance.to_string(), "0.4");
    let [settlement] = read.settlements.as_slice() else { panic!("{:?}", read.settlements) };
    assert_eq!(settlement.price.to_string(), "7476.65");
}

#[test]
fn half_a_snapshot_is_none() {
    let (empty, poor) = (|| list_of(&[]), || summaries(""));
    assert!(snapshot(&[empty(), empty(), empty(), poor()]).is_ok());
    assert!(snapshot(&[empty(), empty(), empty()]).is_err());
    assert!(snapshot(&[empty(), empty(), empty(), empty()]).is_err());
    let nameless = summaries(r#"{"balance":1.0}"#);
    assert!(snapshot(&[empty(), empty(), empty(), nameless]).is_err());
    assert!(
        snapshot(&[
            empty(),
            empty(),
            reply(400, r#"{"error":{"code":10028,"message":"too_many_requests"}}"#),
            poor(),
        ])
        .is_err()
    );
    assert!(snapshot(&[empty(), reply(502, "<html>"), empty(), poor()]).is_err());
    assert!(snapshot(&[empty(), list_of(&["{}".into()]), empty(), poor()]).is_err());
}

#[test]
fn rights_are_the_keys_own() {
    let key = |id: &str, scope: &str| format!(r#"{{"client_id":"{id}","max_scope":{scope}}}"#);
    let keys = list_of(&[
        key("A", r#""account:read trade:read_write wallet:none""#),
        key("B", r#"["account:read_write","wallet:read_write trade:read"]"#),
    ]);
    assert_eq!(rights("A", &keys).unwrap(), ["account:read", "trade:read_write", "wallet:none"]);
    assert_eq!(
        rights("B", &keys).unwrap(),
        ["account:read_write", "wallet:read_write", "trade:read"]
    );
    assert!(rights("C", &keys).is_err());
    let challenge = reply(200, r#"{"result":{"security_key_authorization_required":true}}"#);
    assert!(rights("A", &challenge).is_err());
}

#[test]
fn a_key_that_can_do_more_than_trade_opens_no_session() {
    let may = |scope: &str| {
        let rights: Vec<String> = scope.split_whitespace().map(str::to_owned).collect();
        may_open_session(&rights)
    };
    assert!(may("account:read trade:read_write wallet:read mainaccount"));
    for scope in [
        "",
        "wallet:read_write trade:read_write",
        "account:read_write",
        "custody:read_write",
        "block_trade:read_write",
        "something:new",
        "trade:read_write wallet:read_write",
    ] {
        assert!(!may(scope), "{scope}");
    }
}

#[test]
fn trades_come_in_a_list_of_their_own() {
    let row = r#"{"trade_id":"ETH-34066","order_id":"ETH-584827850","instrument_name":"ETH-PERPETUAL",
        "direction":"buy","amount":20.0,"price":203.8,"fee":0.00004907,"fee_currency":"ETH",
        "liquidity":"T","label":"tg1-0","timestamp":1550219749176}"#;
    let told = |result: &str| reply(200, &format!(r#"{{"jsonrpc":"2.0","result":{result}}}"#));
    let fills = trades(&told(&format!(r#"{{"trades":[{row}],"has_more":false}}"#))).unwrap();
    assert_eq!(fills.len(), 1);
    assert_eq!((fills[0].trade_id.as_str(), fills[0].maker), ("ETH-34066", false));
    assert_eq!(fills[0].client_id.as_ref().map(|id| id.as_str()), Some("tg1-0"));
    assert!(trades(&told("[]")).is_err());
    assert!(trades(&reply(502, "<html>")).is_err());
}

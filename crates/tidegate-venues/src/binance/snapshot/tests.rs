use super::*;
use crate::binance::tests::{instruments, reply, venue};
use crate::upstream::Upstream;
use serde_json::{Value, json};
use tidegate_types::report::VenueState;

fn parts() -> [Value; 4] {
    let order = |id: u64, status: &str| {
        json!({"clientOrderId": "c", "executedQty": "0", "orderId": id, "origQty": "1",
               "price": "9000", "reduceOnly": false, "side": "BUY", "status": status,
               "symbol": "BTCUSDT", "type": "LIMIT", "updateTime": 5})
    };
    [
        json!([order(1, "NEW"), order(2, "CANCELED")]),
        json!([{"algoId": 7, "clientAlgoId": "tg1-7", "orderType": "STOP_MARKET", "symbol": "BTCUSDT",
                "side": "BUY", "quantity": "0.001", "algoStatus": "NEW", "actualOrderId": "",
                "price": "0", "updateTime": 5}]),
        json!([{"symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": "-0.5", "entryPrice": "9000.123456789"},
               {"symbol": "BTCUSDT_261225", "positionSide": "BOTH", "positionAmt": "0", "entryPrice": "0"}]),
        json!({"totalInitialMargin": "40.00000000", "totalMaintMargin": "20.00000000",
               "totalMarginBalance": "122600.00000000", "availableBalance": "122560.00000000",
               "assets": [{"asset": "USDT", "walletBalance": "122607.35137903", "unrealizedProfit": "-7.35137903",
                           "marginBalance": "122600.00000000", "maintMargin": "20.00000000",
                           "initialMargin": "40.00000000", "availableBalance": "122560.00000000",
                           "updateTime": 5},
                          {"asset": "BNB", "walletBalance": "0.00000000"}],
               "positions": []}),
    ]
}

fn taken(parts: &[Value]) -> Result<AccountSnapshot, Unreadable> {
    let replies: Vec<Reply> = parts.iter().map(|part| reply(200, part)).collect();
    venue().snapshot(&replies, &instruments())
}

#[test]
fn live_orders_of_both_kinds_positions_and_balances() {
    let snapshot = taken(&parts()).unwrap();
    let orders: Vec<_> = snapshot.orders.iter().map(|o| (o.venue_id.as_str(), o.state)).collect();
    assert_eq!(orders, [("1", VenueState::Open), ("7", VenueState::Untriggered)]);
    assert_eq!(snapshot.positions.len(), 1);
    assert_eq!(snapshot.positions[0].qty.to_string(), "-0.5");
    // An average finer than what is kept is left out rather than rounded.
    assert_eq!(snapshot.positions[0].entry, None);
    let held = snapshot.balances.iter().map(|b| format!("{} {}", b.asset, b.amount));
    assert_eq!(held.collect::<Vec<_>>(), ["USDT 122607.35137903", "BNB 0"]);
    assert_eq!(snapshot.margins.len(), 1);
    assert_eq!(venue().snapshot_parts(), PARTS);
}

#[test]
fn a_snapshot_is_whole_or_not_at_all() {
    assert!(taken(&parts()[..3]).is_err());
    for at in 0..4 {
        let mut broken = parts();
        broken[at] = json!([{"symbol": "BTCUSDT"}]);
        assert!(taken(&broken).is_err(), "{at}");
        let mut replies = parts().map(|part| reply(200, &part));
        replies[at] = reply(429, &json!({"code": -1003, "msg": "Too many requests."}));
        let error = venue().snapshot(&replies, &instruments()).unwrap_err();
        assert!(error.0.contains("-1003"), "{error:?}");
    }
}

#[test]
fn trades_are_told_by_the_venues_ids_alone() {
    let row = json!({"buyer": false, "commission": "0.07819010", "commissionAsset": "USDT", "id": 698759,
        "maker": true, "orderId": 25851813, "price": "7819.01", "qty": "0.002", "quoteQty": "15.63802",
        "realizedPnl": "-0.91539999", "side": "SELL", "positionSide": "SHORT", "symbol": "BTCUSDT",
        "time": 1569514978020_u64});
    let fills = venue().trades(&reply(200, &json!([row])), &instruments()).unwrap();
    let [fill] = fills.as_slice() else { panic!("{fills:?}") };
    assert_eq!((fill.trade_id.as_str(), fill.venue_id.as_str()), ("698759", "25851813"));
    assert_eq!(
        (fill.qty.0.to_string(), fill.price.0.to_string()),
        ("0.002".into(), "7819.01".into())
    );
    assert_eq!((fill.fee.to_string(), fill.maker), ("0.0781901".into(), true));
    assert_eq!((fill.client_id.as_ref(), fill.at.millis()), (None, 1569514978020));
    assert!(venue().trades(&reply(200, &json!([{}])), &instruments()).is_err());
    assert!(venue().trades(&reply(503, &json!([])), &instruments()).is_err());
}

//! Orders through their life.

use super::*;

const PERPETUAL: &str = "BTC-PERPETUAL";

#[test]
fn a_limit_order_rests_is_edited_and_cancelled() {
    let mut town = Town::new();
    let (bid, _) = town.best(PERPETUAL);
    let placed = town.place(
        "alice",
        "buy",
        json!({
            "instrument_name": PERPETUAL, "amount": 10, "price": number(less(bid, 200, 0)),
            "label": "mine", "ignored": "clientOrderId is passed on by clients",
        }),
    );
    let order = &placed["order"];
    assert_eq!(order["order_state"], "open");
    assert_eq!(order["label"], "mine");
    let id = order["order_id"].clone();
    let open = town.ok(
        "alice",
        "private/get_open_orders_by_instrument",
        json!({
            "instrument_name": PERPETUAL,
        }),
    );
    assert_eq!(open[0], *order);
    assert_eq!(town.ok("bob", "private/get_open_orders", json!({})), json!([]));
    let edited = town.ok(
        "alice",
        "private/edit",
        json!({
            "order_id": id, "amount": 30, "price": number(less(bid, 150, 0)),
        }),
    );
    assert_eq!(edited["order"]["replaced"], true);
    assert_eq!(decimal(&edited["order"]["amount"]), Decimal::new(30, 0));
    assert_eq!(decimal(&edited["order"]["price"]), less(bid, 150, 0));
    let by_label = json!({"currency": "BTC", "label": "mine"});
    let found = town.ok("alice", "private/get_order_state_by_label", by_label.clone());
    assert_eq!(found[0]["order_id"], id);
    town.ok("alice", "private/cancel", json!({ "order_id": id }));
    let found = town.ok("alice", "private/get_order_state_by_label", by_label);
    assert_eq!(found[0]["order_state"], "cancelled");
    let wanted = json!({"instrument_name": PERPETUAL});
    assert_eq!(town.ok("alice", "private/get_order_history_by_instrument", wanted), json!([]));
    let wanted = json!({"currency": "BTC", "include_unfilled": true});
    let history = town.ok("alice", "private/get_order_history_by_currency", wanted);
    assert_eq!(history[0]["order_id"], id);
}

#[test]
fn post_only_slides_or_is_refused() {
    let mut town = Town::new();
    let (_, ask) = town.best(PERPETUAL);
    let order = |reject: bool| {
        json!({
            "instrument_name": PERPETUAL, "amount": 10, "price": number(ask), "post_only": true,
            "reject_post_only": reject,
        })
    };
    let slid = town.place("alice", "buy", order(false));
    assert_eq!(decimal(&slid["order"]["price"]), less(ask, 5, 1), "one tick below the best offer");
    assert_eq!(slid["order"]["order_state"], "open");
    assert_eq!(town.code("alice", "private/buy", order(true)), 11054);
}

#[test]
fn trades_change_position_and_money() {
    let mut town = Town::new();
    let bought = town.place(
        "alice",
        "buy",
        json!({
            "instrument_name": PERPETUAL, "amount": 1000, "type": "market",
        }),
    );
    let id = bought["order"]["order_id"].clone();
    let amounts =
        bought["trades"].as_array().unwrap().iter().map(|trade| decimal(&trade["amount"]));
    let sum = amounts.fold(Decimal::ZERO, |sum, amount| sum.add(amount).unwrap());
    assert_eq!(sum, Decimal::new(1000, 0));
    let position = town.ok("alice", "private/get_positions", json!({"currency": "BTC"}));
    assert_eq!(decimal(&position[0]["size"]), sum);
    assert_eq!(position[0]["direction"], "buy");
    let fee = decimal(&bought["trades"][0]["fee"]);
    assert!(fee.is_positive(), "takers pay in coin");
    let mine = json!({"instrument_name": PERPETUAL, "count": 1000});
    let trades = town.ok("alice", "private/get_user_trades_by_instrument", mine);
    assert_eq!(
        trades["trades"].as_array().unwrap().len(),
        bought["trades"].as_array().unwrap().len()
    );
    let by_order = town.ok("alice", "private/get_user_trades_by_order", json!({ "order_id": id }));
    assert_eq!(by_order.as_array().unwrap().len(), trades["trades"].as_array().unwrap().len());
    let too_much = json!({
        "instrument_name": PERPETUAL, "amount": 500, "type": "market", "reduce_only": true,
    });
    town.place("alice", "sell", too_much);
    let closing = json!({"instrument_name": PERPETUAL, "type": "market"});
    let closed = town.ok("alice", "private/close_position", closing.clone());
    assert_eq!(closed["order"]["reduce_only"], true);
    assert_eq!(decimal(&closed["order"]["amount"]), Decimal::new(500, 0));
    let flat = json!({"instrument_name": PERPETUAL});
    assert_eq!(town.ok("alice", "private/get_position", flat)["direction"], "zero");
    assert_eq!(town.code("alice", "private/close_position", closing), 11030);
    assert_eq!(town.ok("alice", "private/get_positions", json!({})), json!([]));
    let money = town.ok("alice", "private/get_account_summary", json!({"currency": "BTC"}));
    assert!(decimal(&money["equity"]) < Decimal::new(5, 0), "spread and fees were paid");
}

#[test]
fn two_callers_trade_with_each_other() {
    let mut town = Town::new();
    let (bid, ask) = town.best(PERPETUAL);
    let inside = less(ask, 5, 1);
    assert!(inside > bid, "the spread is wider than a tick");
    let offer = town.place(
        "bob",
        "sell",
        json!({
            "instrument_name": PERPETUAL, "amount": 50, "price": number(inside), "post_only": true,
        }),
    );
    let taken = town.place(
        "alice",
        "buy",
        json!({
            "instrument_name": PERPETUAL, "amount": 50, "price": number(inside),
            "time_in_force": "immediate_or_cancel",
        }),
    );
    assert_eq!(taken["order"]["order_state"], "filled");
    let state = json!({ "order_id": offer["order"]["order_id"] });
    let sold = town.ok("bob", "private/get_order_state", state);
    assert_eq!(sold["order_state"], "filled");
    let wanted = json!({"instrument_name": PERPETUAL});
    let his = town.ok("bob", "private/get_user_trades_by_instrument", wanted);
    assert_eq!(his["trades"][0]["liquidity"], "M");
    assert_eq!(his["trades"][0]["trade_id"], taken["trades"][0]["trade_id"]);
}

#[test]
fn cancels_of_many_count_what_they_cancelled() {
    let mut town = Town::new();
    for (name, back) in [(PERPETUAL, 100), (PERPETUAL, 120), ("ETH-PERPETUAL", 5)] {
        let (bid, _) = town.best(name);
        town.place(
            "alice",
            "buy",
            json!({
                "instrument_name": name, "amount": 10, "price": number(less(bid, back, 0)),
            }),
        );
    }
    town.place(
        "alice",
        "sell",
        json!({
            "instrument_name": PERPETUAL, "amount": 10, "type": "stop_market",
            "trigger": "index_price", "trigger_price": 50_000,
        }),
    );
    let stops = json!({"currency": "BTC", "type": "trigger_all"});
    let stops = town.ok("alice", "private/get_open_orders_by_currency", stops);
    assert_eq!(stops.as_array().unwrap().len(), 1);
    assert!(stops[0]["order_id"].as_str().unwrap().starts_with("SLIS-"));
    assert_eq!(town.ok("bob", "private/cancel_all", json!({})), json!(0), "others' stay");
    let wanted = json!({"currency": "ETH"});
    assert_eq!(town.ok("alice", "private/cancel_all_by_currency", wanted), json!(1));
    let wanted = json!({"instrument_name": PERPETUAL, "type": "limit", "detailed": true});
    let detailed = town.ok("alice", "private/cancel_all_by_instrument", wanted);
    assert_eq!(detailed[0]["currency"], "BTC");
    assert_eq!(detailed[0]["result"].as_array().unwrap().len(), 2);
    let wanted = json!({"currency": ["BTC", "ETH"], "kind": "future"});
    assert_eq!(town.ok("alice", "private/cancel_all_by_kind_or_type", wanted), json!(1));
    assert_eq!(town.ok("alice", "private/cancel_all", json!({})), json!(0));
}

#[test]
fn a_stop_fires_and_becomes_another_order() {
    let mut town = Town::new();
    town.place(
        "alice",
        "buy",
        json!({
            "instrument_name": PERPETUAL, "amount": 10, "type": "market",
        }),
    );
    let ticker = town.ok("", "public/ticker", json!({"instrument_name": PERPETUAL}));
    let mark = decimal(&ticker["mark_price"]);
    let near = mark.round_to(Decimal::new(5, 1), tidegate_types::decimal::Rounding::Floor).unwrap();
    let stop = town.place(
        "alice",
        "sell",
        json!({
            "instrument_name": PERPETUAL, "amount": 10, "type": "stop_market", "label": "guard",
            "trigger": "mark_price", "trigger_price": number(less(near, 5, 1)), "reduce_only": true,
        }),
    );
    let id = stop["order"]["order_id"].clone();
    for _ in 0..600 {
        town.pass(1);
        let now = town.ok("alice", "private/get_order_state", json!({ "order_id": id }));
        if now["order_state"] != "untriggered" {
            assert_eq!(now["order_state"], "triggered");
            break;
        }
    }
    let wanted = json!({"currency": "BTC", "label": "guard"});
    let found = town.ok("alice", "private/get_order_state_by_label", wanted);
    let made = found.as_array().unwrap().iter().find(|order| order["order_state"] == "filled");
    let made = made.expect("the stop has fired within a minute");
    assert_eq!(made["trigger_order_id"], id);
    assert_eq!(made["order_type"], "market");
}

#[test]
fn self_trades_cancel_the_resting_order_or_are_refused() {
    let mut town = Town::new();
    let (_, ask) = town.best(PERPETUAL);
    let inside = number(less(ask, 5, 1));
    let order = || json!({"instrument_name": PERPETUAL, "amount": 10, "price": inside.clone()});
    let resting = town.place("alice", "sell", order());
    let id = resting["order"]["order_id"].clone();
    town.place("alice", "buy", order());
    let state = town.ok("alice", "private/get_order_state", json!({ "order_id": id }));
    assert_eq!(state["cancel_reason"], "order_overlap");
    town.ok("alice", "private/cancel_all", json!({}));
    let mode = json!({"mode": "reject_taker", "extended_to_subaccounts": false});
    assert_eq!(town.ok("alice", "private/set_self_trading_config", mode), json!("ok"));
    town.place("alice", "sell", order());
    assert_eq!(town.code("alice", "private/buy", order()), 10003);
}

//! Which fields answers have and of which JSON type, as messages recorded from the venue have them.

use super::*;
use std::collections::BTreeSet;

/// `name:type` of each field: s text, n number, b truth, a list, o object, z null.
fn shape(value: &Value) -> BTreeSet<String> {
    let letter = |value: &Value| match value {
        Value::Null => 'z',
        Value::Bool(_) => 'b',
        Value::Number(_) => 'n',
        Value::String(_) => 's',
        Value::Array(_) => 'a',
        Value::Object(_) => 'o',
    };
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    object.iter().map(|(name, value)| format!("{name}:{}", letter(value))).collect()
}

/// Checks that a value has all these fields, with these types.
#[track_caller]
fn has(value: &Value, fields: &str) {
    let found = shape(value);
    for field in fields.split_ascii_whitespace() {
        assert!(found.contains(field), "{field} is missing or of another type: {value}");
    }
}

/// Checks that a value has these fields and no others.
#[track_caller]
fn is(value: &Value, fields: &str) {
    has(value, fields);
    let wanted: BTreeSet<String> = fields.split_ascii_whitespace().map(str::to_owned).collect();
    let more: Vec<_> = shape(value).difference(&wanted).cloned().collect();
    assert!(more.is_empty(), "unexpected {more:?}");
}

const INSTRUMENT: &str = "price_index:s underlying_type:s kind:s instrument_name:s max_leverage:n maker_commission:n \
    taker_commission:n instrument_type:s expiration_timestamp:n creation_timestamp:n is_active:b \
    tick_size:n contract_size:n instrument_id:n min_trade_amount:n max_liquidation_commission:n \
    block_trade_commission:n block_trade_min_trade_amount:n block_trade_tick_size:n \
    settlement_currency:s settlement_period:s base_currency:s counter_currency:s quote_currency:s \
    tick_size_steps:a";
const TICKER: &str = "timestamp:n state:s stats:o index_price:n instrument_name:s last_price:n \
    settlement_price:n min_price:n max_price:n open_interest:n mark_price:n best_ask_price:n \
    best_bid_price:n estimated_delivery_price:n best_ask_amount:n best_bid_amount:n";
const ORDER: &str = "label:s user_id:n amount:n direction:s time_in_force:s instrument_name:s \
    web:b api:b order_id:s creation_timestamp:n replaced:b last_update_timestamp:n post_only:b \
    reduce_only:b mmp:b contracts:n reject_post_only:b order_state:s order_type:s \
    is_liquidation:b risk_reducing:b";
const USER_TRADE: &str = "trade_id:s trade_seq:n instrument_name:s timestamp:n order_id:s \
    order_type:s direction:s price:n amount:n contracts:n fee:n fee_currency:s liquidity:s \
    index_price:n mark_price:n tick_direction:n state:s profit_loss:n post_only:b reduce_only:b \
    self_trade:b mmp:b api:b matching_id:z";
const TRADE: &str = "timestamp:n price:n amount:n direction:s index_price:n instrument_name:s \
    trade_seq:n mark_price:n tick_direction:n contracts:n trade_id:s";
const SUMMARY: &str = "currency:s balance:n equity:n margin_balance:n available_funds:n \
    available_withdrawal_funds:n initial_margin:n maintenance_margin:n projected_initial_margin:n \
    projected_maintenance_margin:n total_pl:n session_upl:n session_rpl:n futures_pl:n \
    futures_session_upl:n futures_session_rpl:n options_pl:n options_session_upl:n \
    options_session_rpl:n options_value:n options_delta:n options_gamma:n options_vega:n \
    options_theta:n options_gamma_map:o options_vega_map:o options_theta_map:o delta_total:n \
    delta_total_map:o projected_delta_total:n spot_reserve:n additional_reserve:n fee_balance:n \
    margin_model:s portfolio_margining_enabled:b cross_collateral_enabled:b";
const POSITION: &str = "instrument_name:s kind:s direction:s size:n average_price:n mark_price:n \
    index_price:n settlement_price:n initial_margin:n maintenance_margin:n open_orders_margin:n \
    floating_profit_loss:n realized_profit_loss:n total_profit_loss:n delta:n";

#[test]
fn instruments() {
    let mut town = Town::new();
    let future = town.ok("", "public/get_instrument", json!({"instrument_name": "BTC-PERPETUAL"}));
    is(&future, &format!("{INSTRUMENT} future_type:s state:s"));
    assert_eq!(future["settlement_period"], "perpetual");
    assert_eq!(future["expiration_timestamp"], json!(32_503_708_800_000_u64));
    assert_eq!(future["instrument_type"], "reversed");
    assert_eq!(future["contract_size"].to_string(), "10.0");
    let name = an_option(&mut town, true);
    let option = town.ok("", "public/get_instrument", json!({ "instrument_name": name }));
    is(&option, &format!("{INSTRUMENT} option_type:s strike:n state:s"));
    assert_eq!(option["quote_currency"], "BTC", "options are quoted in coin");
    has(&option["tick_size_steps"][0], "above_price:n tick_size:n");
    let linear = json!({"instrument_name": "ETH_USDC-PERPETUAL"});
    assert_eq!(town.ok("", "public/get_instrument", linear)["instrument_type"], "linear");
    let all = town.ok("", "public/get_instruments", json!({}));
    assert_eq!(all.as_array().unwrap().len(), 156);
    let few = town.ok("", "public/get_instruments", json!({"currency": "USDC", "kind": "future"}));
    assert_eq!(few.as_array().unwrap().len(), 2);
    assert_eq!(town.ok("", "public/get_instruments", json!({"kind": "spot"})), json!([]));
    let currencies = town.ok("", "public/get_currencies", json!({}));
    has(
        &currencies[0],
        "currency:s currency_long:s coin_type:s min_confirmations:n \
        withdrawal_fee:n min_withdrawal_fee:n in_cross_collateral_pool:b apr:n decimals:n",
    );
}

#[test]
fn market_data() {
    let mut town = Town::new();
    town.pass(100);
    let name = |name: &str| json!({ "instrument_name": name });
    let ticker = town.ok("", "public/ticker", name("BTC-PERPETUAL"));
    is(&ticker, &format!("{TICKER} current_funding:n funding_8h:n interest_value:n"));
    is(&ticker["stats"], "high:n low:n price_change:n volume:n volume_usd:n volume_notional:n");
    let option = an_option(&mut town, true);
    let ticker = town.ok("", "public/ticker", name(&option));
    has(
        &ticker,
        "greeks:o mark_iv:n bid_iv:n ask_iv:n underlying_price:n underlying_index:s \
        interest_rate:n mark_price:n best_bid_price:n best_ask_price:n",
    );
    is(&ticker["greeks"], "delta:n gamma:n vega:n theta:n rho:n");
    let book = json!({"instrument_name": "BTC-PERPETUAL", "depth": 20});
    let book = town.ok("", "public/get_order_book", book);
    has(&book, &format!("{TICKER} change_id:n bids:a asks:a current_funding:n funding_8h:n"));
    assert!(book["bids"][0][0].is_number() && book["bids"][0][1].is_number());
    let summary = town.ok("", "public/get_book_summary_by_instrument", name("BTC-PERPETUAL"));
    has(
        &summary[0],
        "instrument_name:s high:n low:n base_currency:s quote_currency:s volume:n \
        bid_price:n ask_price:n mid_price:n mark_price:n last:n open_interest:n \
        creation_timestamp:n estimated_delivery_price:n volume_usd:n funding_8h:n",
    );
    let chain = json!({"currency": "BTC", "kind": "option"});
    let chain = town.ok("", "public/get_book_summary_by_currency", chain);
    has(&chain[0], "mark_iv:n underlying_price:n underlying_index:s interest_rate:n");
    let trades = json!({"instrument_name": "BTC-PERPETUAL", "count": 3});
    let trades = town.ok("", "public/get_last_trades_by_instrument", trades);
    is(&trades, "trades:a has_more:b");
    is(&trades["trades"][0], TRADE);
    let trades = json!({"currency": "BTC", "kind": "option", "count": 1});
    let trades = town.ok("", "public/get_last_trades_by_currency", trades);
    if let Some(trade) = trades["trades"].as_array().unwrap().first() {
        is(trade, &format!("{TRADE} iv:n"));
    }
}

#[test]
fn history_and_reference() {
    let mut town = Town::new();
    town.pass(700);
    let (from, to) = (START.millis() - 7_200_000, town.host.now.millis());
    let span = |mut params: Value| {
        params["start_timestamp"] = json!(from);
        params["end_timestamp"] = json!(to);
        params
    };
    let perpetual = || json!({"instrument_name": "BTC-PERPETUAL"});
    let mut chart = span(perpetual());
    chart["resolution"] = json!("1");
    let chart = town.ok("", "public/get_tradingview_chart_data", chart);
    is(&chart, "ticks:a open:a high:a low:a close:a volume:a cost:a status:s");
    assert_eq!(chart["status"], "ok");
    assert_eq!(chart["ticks"].as_array().unwrap().len(), chart["cost"].as_array().unwrap().len());
    assert!(town.ok("", "public/get_funding_rate_value", span(perpetual())).is_number());
    let rates = town.ok("", "public/get_funding_rate_history", span(perpetual()));
    assert!(rates.is_array());
    assert!(town.ok("", "public/get_mark_price_history", span(perpetual()))[0][1].is_number());
    let mut index = span(json!({"currency": "BTC"}));
    index["resolution"] = json!("60");
    let index = town.ok("", "public/get_volatility_index_data", index);
    assert_eq!(index["data"][0].as_array().unwrap().len(), 5);
    let one = town.ok("", "public/get_index_price", json!({"index_name": "eth_usd"}));
    is(&one, "index_price:n estimated_delivery_price:n");
    assert!(town.ok("", "public/get_historical_volatility", json!({"currency": "ETH"})).is_array());
    let dates = json!({"currency": "any", "kind": "any"});
    let dates = town.ok("", "public/get_expirations", dates);
    is(&dates, "future:a option:a");
    assert_eq!(dates["future"].as_array().unwrap().last().unwrap(), "PERPETUAL");
    let dates = json!({"currency": "BTC", "kind": "option"});
    is(&town.ok("", "public/get_expirations", dates)["btc"], "option:a");
    let prices = json!({"index_name": "btc_usd"});
    is(&town.ok("", "public/get_delivery_prices", prices), "records_total:n data:a");
    is(&town.ok("", "public/get_contract_size", perpetual()), "contract_size:n");
    is(&town.ok("", "public/status", json!({})), "locked:s locked_indices:a");
    is(&town.ok("", "public/test", json!({})), "version:s");
    assert!(town.ok("", "public/get_time", json!({})).is_u64());
    assert_eq!(town.ok("", "public/get_combos", json!({"currency": "any"})), json!([]));
    let names = town.ok("", "public/get_index_price_names", json!({"extended": true}));
    has(&names[0], "name:s future_combo_creation_enabled:b option_combo_creation_enabled:b");
}

#[test]
fn orders_and_trades() {
    let mut town = Town::new();
    let (bid, _) = town.best("ETH_USDC-PERPETUAL");
    let resting = town.place(
        "alice",
        "buy",
        json!({
            "instrument_name": "ETH_USDC-PERPETUAL", "amount": 0.001, "type": "limit",
            "price": number(less(bid, 1, 0)), "post_only": true, "label": "mine",
        }),
    );
    is(&resting, "order:o trades:a");
    is(&resting["order"], &format!("{ORDER} price:n filled_amount:n average_price:n"));
    assert_eq!(resting["order"]["contracts"].to_string(), "1.0");
    let id = resting["order"]["order_id"].as_str().unwrap();
    assert!(id.starts_with("USDC-"));
    let gone = town.ok("alice", "private/cancel", json!({ "order_id": id }));
    is(&gone, &format!("{ORDER} price:n filled_amount:n average_price:n cancel_reason:s"));
    assert_eq!(gone["cancel_reason"], "user_request");
    let stop = town.place(
        "alice",
        "sell",
        json!({
            "instrument_name": "BTC-PERPETUAL", "amount": 10, "type": "stop_market",
            "trigger": "mark_price", "trigger_price": 50_000,
        }),
    );
    is(&stop["order"], &format!("{ORDER} price:s trigger_price:n trigger:s triggered:b"));
    assert_eq!(stop["order"]["price"], "market_price");
    assert_eq!(stop["order"]["order_state"], "untriggered");
    let taken = town.place(
        "alice",
        "buy",
        json!({
            "instrument_name": "BTC-PERPETUAL", "amount": 10, "type": "market", "label": "now",
        }),
    );
    is(&taken["order"], &format!("{ORDER} price:s filled_amount:n average_price:n"));
    assert_eq!(taken["order"]["order_state"], "filled");
    let id = taken["order"]["order_id"].as_str().unwrap();
    assert!(id.bytes().all(|digit| digit.is_ascii_digit()), "bitcoin's orders have digits only");
    let trade = &taken["trades"][0];
    is(trade, &format!("{USER_TRADE} label:s risk_reducing:b"));
    assert_eq!((&trade["liquidity"], &trade["fee_currency"]), (&json!("T"), &json!("BTC")));
    let position = json!({"instrument_name": "BTC-PERPETUAL"});
    let position = town.ok("alice", "private/get_position", position);
    has(
        &position,
        &format!(
            "{POSITION} leverage:n size_currency:n realized_funding:n estimated_liquidation_price:n"
        ),
    );
    let name = an_option(&mut town, true);
    let bought = town.place(
        "alice",
        "buy",
        json!({
            "instrument_name": name, "amount": 0.1, "type": "market",
        }),
    );
    has(&bought["trades"][0], "iv:n underlying_price:n");
    let position = town.ok("alice", "private/get_position", json!({ "instrument_name": name }));
    has(&position, &format!("{POSITION} gamma:n vega:n theta:n average_price_usd:n"));
}

#[test]
fn money() {
    let mut town = Town::new();
    let one = town.ok("alice", "private/get_account_summary", json!({"currency": "BTC"}));
    has(&one, &format!("{SUMMARY} limits:o"));
    has(&one["limits"], "limits_per_currency:b non_matching_engine:o matching_engine:o");
    let all = town.ok("alice", "private/get_account_summaries", json!({"extended": true}));
    has(
        &all,
        "id:n email:s system_name:s username:s creation_timestamp:n type:s referrer_id:z \
        login_enabled:b security_keys_enabled:b mmp_enabled:b interuser_transfers_enabled:b \
        self_trading_reject_mode:s self_trading_extended_to_subaccounts:b summaries:a \
        block_rfq_self_match_prevention:b",
    );
    assert_eq!(all["summaries"].as_array().unwrap().len(), 3);
    has(&all["summaries"][0], &format!("{SUMMARY} fees:a limits:o"));
    has(&all["summaries"][0]["fees"][0], "index_name:s kind:s value:o");
    let margins = json!({"instrument_name": "BTC-PERPETUAL", "amount": 1000, "price": 90_000});
    is(&town.ok("alice", "private/get_margins", margins), "buy:n sell:n min_price:n max_price:n");
    let keys = town.ok("alice", "private/list_api_keys", json!({}));
    has(&keys[0], "id:n client_id:s client_secret:s max_scope:s enabled:b default:b timestamp:n");
    assert!(!keys.to_string().contains("\"secret\""), "secrets are never shown");
    town.place(
        "alice",
        "buy",
        json!({
            "instrument_name": "BTC-PERPETUAL", "amount": 1000, "type": "market",
        }),
    );
    let log = json!({
        "currency": "BTC", "start_timestamp": 0, "end_timestamp": town.host.now.millis() + 1000,
    });
    let log = town.ok("alice", "private/get_transaction_log", log);
    has(
        &log["logs"][0],
        "id:n currency:s timestamp:n user_id:n change:n balance:n cashflow:n \
        commission:n type:s user_seq:n instrument_name:s",
    );
}

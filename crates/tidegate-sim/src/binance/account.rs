//! Account, positions, settings, listen keys.

use super::fail::Fail;
use super::orders::{cut, span};
use super::render::{amount, places, position_side, price, quantity};
use super::routes::{Call, Outcome};
use crate::engine::account::value;
use crate::engine::margin::{BRACKETS, Summary, bracket_of};
use crate::engine::market::Phase;
use crate::engine::order::PosSide;
use crate::engine::{Account, AccountIx, Exchange, InstrumentIx, Market, Position, Venue, calc};
use serde_json::{Value, json};
use tidegate_types::decimal::Decimal;

/// The settlement asset of everything here.
const USDT: &str = "USDT";

/// One position with what it needs.
struct Held<'a> {
    instrument: InstrumentIx,
    market: &'a Market,
    side: PosSide,
    position: Position,
    initial: Decimal,
    orders: Decimal,
    maintenance: Decimal,
}

/// Positions of an account: the open ones and those with orders, or every one.
fn held(exchange: &Exchange, account: AccountIx, every: bool) -> Vec<Held<'_>> {
    let Some(owner) = exchange.account(account) else { return Vec::new() };
    let sides: &[PosSide] =
        if owner.hedge { &[PosSide::Long, PosSide::Short] } else { &[PosSide::Both] };
    let mut all = Vec::new();
    for (instrument, market) in exchange.markets(Venue::Binance) {
        if market.phase != Phase::Trading {
            continue;
        }
        let resting = owner.resting.get(&instrument).is_some_and(|resting| resting.count > 0);
        for side in sides {
            let position = owner.position(instrument, *side);
            if !every && position.size.is_zero() && !resting {
                continue;
            }
            let (initial, orders) = exchange.instrument_margin(account, instrument);
            let flat = position.size.is_zero();
            all.push(Held {
                instrument,
                market,
                side: *side,
                position,
                initial: if flat { Decimal::ZERO } else { initial },
                orders,
                maintenance: market.maintenance(position.size),
            });
        }
    }
    all
}

impl Held<'_> {
    fn notional(&self) -> Decimal {
        value(&self.market.listing, self.position.size, self.market.mark)
    }

    fn profit(&self) -> Decimal {
        self.position.profit(&self.market.listing, self.market.mark)
    }

    fn entry(&self) -> String {
        let terms = &self.market.listing;
        self.position.entry(terms).to_fixed(places(terms.tick) + 1)
    }

    /// The entry price with the fee of closing in it.
    fn break_even(&self) -> String {
        let entry = self.position.entry(&self.market.listing);
        let fee = calc::mul(entry, self.market.listing.taker_fee);
        let even = match self.position.size {
            size if size.is_positive() => calc::add(entry, fee),
            size if size.is_negative() => calc::sub(entry, fee),
            _ => Decimal::ZERO,
        };
        even.to_string()
    }

    /// Where the account would be liquidated, everything else unchanged; 0 when it would not.
    fn liquidation(&self, owner: &Account, sum: &Summary) -> String {
        let size = self.position.size;
        if size.is_zero() {
            return "0".to_owned();
        }
        let (_, step) = bracket_of(self.notional().abs());
        let rest = if owner.is_isolated(self.instrument) {
            self.position.isolated_margin
        } else {
            let free = calc::sub(sum.wallet, sum.isolated);
            let others = calc::sub(calc::sub(sum.profit, sum.isolated_profit), self.profit());
            let needs = calc::sub(sum.maintenance, self.maintenance);
            calc::sub(calc::add(free, others), needs)
        };
        let above = calc::sub(calc::add(rest, calc::int(step.off)), self.position.cost);
        let below = calc::sub(calc::mul(size.abs(), step.maintenance), size);
        let at = calc::div(above, below);
        if at.is_positive() { price(&self.market.listing, at) } else { "0".to_owned() }
    }

    fn isolated_wallet(&self) -> Decimal {
        self.position.isolated_margin
    }

    fn isolated_margin(&self) -> Decimal {
        if self.position.isolated_margin.is_zero() {
            return Decimal::ZERO;
        }
        calc::add(self.position.isolated_margin, self.profit())
    }
}

fn summary(call: &Call<'_>) -> Result<(AccountIx, Summary), Fail> {
    let account = call.account()?;
    Ok((account, call.world.exchange.summary(account, USDT)))
}

/// Totals, as they stand for the account and, under other names, for its asset.
fn totals(sum: &Summary) -> Value {
    let initial = calc::add(sum.positions, sum.orders);
    let cross = calc::sub(sum.profit, sum.isolated_profit);
    let free = sum.available().max(Decimal::ZERO);
    json!({
        "totalInitialMargin": amount(calc::add(initial, sum.isolated)),
        "totalMaintMargin": amount(sum.maintenance),
        "totalWalletBalance": amount(sum.wallet),
        "totalUnrealizedProfit": amount(sum.profit),
        "totalMarginBalance": amount(sum.equity()),
        "totalPositionInitialMargin": amount(calc::add(sum.positions, sum.isolated)),
        "totalOpenOrderInitialMargin": amount(sum.orders),
        "totalCrossWalletBalance": amount(calc::sub(sum.wallet, sum.isolated)),
        "totalCrossUnPnl": amount(cross),
        "availableBalance": amount(free),
        "maxWithdrawAmount": amount(free.min(sum.wallet)),
    })
}

fn asset(sum: &Summary, name: &str, updated: u64, older: bool) -> Value {
    let free = sum.available().max(Decimal::ZERO);
    let mut told = json!({
        "asset": name,
        "walletBalance": amount(sum.wallet),
        "unrealizedProfit": amount(sum.profit),
        "marginBalance": amount(sum.equity()),
        "maintMargin": amount(sum.maintenance),
        "initialMargin": amount(calc::add(calc::add(sum.positions, sum.orders), sum.isolated)),
        "positionInitialMargin": amount(calc::add(sum.positions, sum.isolated)),
        "openOrderInitialMargin": amount(sum.orders),
        "crossWalletBalance": amount(calc::sub(sum.wallet, sum.isolated)),
        "crossUnPnl": amount(calc::sub(sum.profit, sum.isolated_profit)),
        "availableBalance": amount(free),
        "maxWithdrawAmount": amount(free.min(sum.wallet)),
    });
    if let Some(fields) = told.as_object_mut() {
        if older {
            fields.insert("marginAvailable".to_owned(), json!(true));
        }
        fields.insert("updateTime".to_owned(), json!(updated));
    }
    told
}

/// When the account's money last moved, in ms: never before its exchange opened.
fn updated(exchange: &Exchange, account: AccountIx) -> u64 {
    let owner = exchange.account(account);
    let opened = exchange.markets(Venue::Binance).next().map(|(_, market)| market.listing.listed);
    let moved = owner.and_then(|owner| owner.ledger.back()).map(|entry| entry.time);
    moved.or(opened).unwrap_or_default().millis()
}

fn with_lists(mut told: Value, assets: Vec<Value>, positions: Vec<Value>) -> Value {
    if let Some(fields) = told.as_object_mut() {
        fields.insert("assets".to_owned(), Value::Array(assets));
        fields.insert("positions".to_owned(), Value::Array(positions));
    }
    told
}

pub(crate) fn account_v3(call: &mut Call<'_>) -> Outcome {
    let (account, sum) = summary(call)?;
    let exchange = &call.world.exchange;
    let all = held(exchange, account, false);
    let positions = all.iter().map(|held| {
        let terms = &held.market.listing;
        json!({
            "symbol": &*terms.symbol,
            "positionSide": position_side(held.side),
            "positionAmt": quantity(terms, held.position.size),
            "unrealizedProfit": amount(held.profit()),
            "isolatedMargin": amount(held.isolated_margin()),
            "notional": held.notional().to_string(),
            "isolatedWallet": held.isolated_wallet().to_string(),
            "initialMargin": held.initial.to_string(),
            "maintMargin": held.maintenance.to_string(),
            "updateTime": held.position.updated.millis(),
        })
    });
    let assets = vec![asset(&sum, USDT, updated(exchange, account), false)];
    Ok(with_lists(totals(&sum), assets, positions.collect()))
}

pub(crate) fn account_v2(call: &mut Call<'_>) -> Outcome {
    let (account, sum) = summary(call)?;
    let exchange = &call.world.exchange;
    let owner = exchange.account(account).ok_or(Fail::KEY)?;
    let all = held(exchange, account, true);
    let positions = all.iter().map(|held| {
        let terms = &held.market.listing;
        let resting = owner.resting.get(&held.instrument).copied().unwrap_or_default();
        json!({
            "symbol": &*terms.symbol,
            "initialMargin": calc::add(held.initial, held.orders).to_string(),
            "maintMargin": held.maintenance.to_string(),
            "unrealizedProfit": amount(held.profit()),
            "positionInitialMargin": held.initial.to_string(),
            "openOrderInitialMargin": held.orders.to_string(),
            "leverage": owner.leverage_of(held.instrument, terms).to_string(),
            "isolated": owner.is_isolated(held.instrument),
            "entryPrice": held.entry(),
            "breakEvenPrice": held.break_even(),
            "maxNotional": max_notional(owner.leverage_of(held.instrument, terms)),
            "bidNotional": resting.bid_value.to_string(),
            "askNotional": resting.ask_value.to_string(),
            "positionSide": position_side(held.side),
            "positionAmt": quantity(terms, held.position.size),
            "notional": held.notional().to_string(),
            "isolatedWallet": held.isolated_wallet().to_string(),
            "updateTime": held.position.updated.millis(),
        })
    });
    let assets = vec![asset(&sum, USDT, updated(exchange, account), true)];
    let mut told = json!({
        "feeTier": 0,
        "feeBurn": flag(owner, "feeBurn"),
        "canTrade": true,
        "canDeposit": true,
        "canWithdraw": true,
        "updateTime": 0,
        "multiAssetsMargin": flag(owner, "multiAssetsMargin"),
        "tradeGroupId": -1,
    });
    if let (Some(fields), Value::Object(more)) = (told.as_object_mut(), totals(&sum)) {
        fields.extend(more);
    }
    Ok(with_lists(told, assets, positions.collect()))
}

pub(crate) fn balance(call: &mut Call<'_>) -> Outcome {
    let (account, sum) = summary(call)?;
    let free = sum.available().max(Decimal::ZERO);
    Ok(json!([{
        "accountAlias": format!("Sim{}", account.0),
        "asset": USDT,
        "balance": amount(sum.wallet),
        "crossWalletBalance": amount(calc::sub(sum.wallet, sum.isolated)),
        "crossUnPnl": amount(calc::sub(sum.profit, sum.isolated_profit)),
        "availableBalance": amount(free),
        "maxWithdrawAmount": amount(free.min(sum.wallet)),
        "marginAvailable": true,
        "updateTime": updated(&call.world.exchange, account),
    }]))
}

pub(crate) fn position_risk_v3(call: &mut Call<'_>) -> Outcome {
    let (account, sum) = summary(call)?;
    let wanted = call.maybe_symbol()?;
    let exchange = &call.world.exchange;
    let owner = exchange.account(account).ok_or(Fail::KEY)?;
    let all = held(exchange, account, false);
    let all = all.iter().filter(|held| wanted.is_none_or(|ix| ix == held.instrument));
    let told = all.map(|held| {
        let terms = &held.market.listing;
        let resting = owner.resting.get(&held.instrument).copied().unwrap_or_default();
        json!({
            "symbol": &*terms.symbol,
            "positionSide": position_side(held.side),
            "positionAmt": quantity(terms, held.position.size),
            "entryPrice": held.entry(),
            "breakEvenPrice": held.break_even(),
            "markPrice": amount(held.market.mark),
            "unRealizedProfit": amount(held.profit()),
            "liquidationPrice": held.liquidation(owner, &sum),
            "isolatedMargin": held.isolated_margin().to_string(),
            "notional": held.notional().to_string(),
            "marginAsset": USDT,
            "isolatedWallet": held.isolated_wallet().to_string(),
            "initialMargin": calc::add(held.initial, held.orders).to_string(),
            "maintMargin": held.maintenance.to_string(),
            "positionInitialMargin": held.initial.to_string(),
            "openOrderInitialMargin": held.orders.to_string(),
            "adl": if held.position.size.is_zero() { 0 } else { 1 },
            "bidNotional": resting.bid_value.to_string(),
            "askNotional": resting.ask_value.to_string(),
            "updateTime": held.position.updated.millis(),
        })
    });
    Ok(Value::Array(told.collect()))
}

pub(crate) fn position_risk_v2(call: &mut Call<'_>) -> Outcome {
    let (account, sum) = summary(call)?;
    let wanted = call.maybe_symbol()?;
    let exchange = &call.world.exchange;
    let owner = exchange.account(account).ok_or(Fail::KEY)?;
    let all = held(exchange, account, true);
    let all = all.iter().filter(|held| wanted.is_none_or(|ix| ix == held.instrument));
    let told = all.map(|held| {
        let terms = &held.market.listing;
        let leverage = owner.leverage_of(held.instrument, terms);
        json!({
            "symbol": &*terms.symbol,
            "positionAmt": quantity(terms, held.position.size),
            "entryPrice": held.entry(),
            "breakEvenPrice": held.break_even(),
            "markPrice": amount(held.market.mark),
            "unRealizedProfit": amount(held.profit()),
            "liquidationPrice": held.liquidation(owner, &sum),
            "leverage": leverage.to_string(),
            "maxNotionalValue": max_notional(leverage),
            "marginType": margin_type(owner, held.instrument).to_lowercase().replace("crossed", "cross"),
            "isolatedMargin": amount(held.isolated_margin()),
            "isAutoAddMargin": "false",
            "positionSide": position_side(held.side),
            "notional": held.notional().to_string(),
            "isolatedWallet": held.isolated_wallet().to_string(),
            "updateTime": held.position.updated.millis(),
        })
    });
    Ok(Value::Array(told.collect()))
}

fn margin_type(owner: &Account, instrument: InstrumentIx) -> &'static str {
    if owner.is_isolated(instrument) { "ISOLATED" } else { "CROSSED" }
}

pub(super) fn flag(owner: &Account, name: &str) -> bool {
    owner.flags.get(name).is_some_and(|value| &**value == "true")
}

/// The largest position value at a leverage.
pub(super) fn max_notional(leverage: u32) -> String {
    let fits = BRACKETS.iter().rev().find(|step| step.leverage >= leverage);
    fits.map_or(0, |step| step.cap).to_string()
}

pub(crate) fn config(call: &mut Call<'_>) -> Outcome {
    let owner = call.world.exchange.account(call.account()?).ok_or(Fail::KEY)?;
    Ok(json!({
        "feeTier": 0,
        "canTrade": true,
        "canDeposit": true,
        "canWithdraw": true,
        "dualSidePosition": owner.hedge,
        "updateTime": 0,
        "multiAssetsMargin": flag(owner, "multiAssetsMargin"),
        "tradeGroupId": -1,
    }))
}

pub(crate) fn symbol_config(call: &mut Call<'_>) -> Outcome {
    let owner = call.world.exchange.account(call.account()?).ok_or(Fail::KEY)?;
    let wanted = call.maybe_symbol()?;
    let markets = call.world.exchange.markets(Venue::Binance);
    let told = markets
        .filter(|(ix, m)| m.phase == Phase::Trading && wanted.is_none_or(|w| w == *ix))
        .map(|(ix, market)| {
            let leverage = owner.leverage_of(ix, &market.listing);
            json!({
                "symbol": &*market.listing.symbol,
                "marginType": margin_type(owner, ix),
                "isAutoAddMargin": false,
                "leverage": leverage,
                "maxNotionalValue": max_notional(leverage),
            })
        });
    Ok(Value::Array(told.collect()))
}

pub(crate) fn leverage_bracket(call: &mut Call<'_>) -> Outcome {
    let wanted = call.maybe_symbol()?;
    let mut floor = 0;
    let mut brackets = Vec::new();
    for (place, step) in BRACKETS.iter().enumerate() {
        let ratio: serde_json::Number =
            step.maintenance.to_string().parse().map_err(|_| Fail::UNKNOWN)?;
        brackets.push(json!({
            "bracket": place + 1,
            "initialLeverage": step.leverage,
            "notionalCap": step.cap,
            "notionalFloor": floor,
            "maintMarginRatio": ratio,
            "cum": step.off,
        }));
        floor = step.cap;
    }
    let markets = call.world.exchange.markets(Venue::Binance);
    let told = markets
        .filter(|(ix, m)| m.phase == Phase::Trading && wanted.is_none_or(|w| w == *ix))
        .map(|(_, market)| {
            json!({
                "symbol": &*market.listing.symbol,
                "notionalCoef": 1.0,
                "brackets": brackets,
            })
        });
    Ok(Value::Array(told.collect()))
}

pub(crate) fn commission_rate(call: &mut Call<'_>) -> Outcome {
    let terms = call.listing(call.symbol()?)?;
    Ok(json!({
        "symbol": &*terms.symbol,
        "makerCommissionRate": terms.maker_fee.to_fixed(6),
        "takerCommissionRate": terms.taker_fee.to_fixed(6),
        "rpiCommissionRate": terms.maker_fee.to_fixed(6),
    }))
}

pub(crate) fn income(call: &mut Call<'_>) -> Outcome {
    let wanted = call.maybe_symbol()?;
    let kind = call.params.get("incomeType");
    let (from, to) = span(&call.params)?;
    let limit = call.params.limit(100, 1_000)?;
    let exchange = &call.world.exchange;
    let owner = exchange.account(call.account()?).ok_or(Fail::KEY)?;
    let mut told = Vec::new();
    for entry in &owner.ledger {
        if kind.is_some_and(|kind| kind != &*entry.kind)
            || wanted.is_some() && wanted != entry.instrument
            || !(from..=to).contains(&entry.time.millis())
        {
            continue;
        }
        let market = entry.instrument.and_then(|ix| exchange.market(ix));
        let symbol = market.map(|market| market.listing.symbol.to_string());
        told.push(json!({
            "symbol": symbol.unwrap_or_default(),
            "incomeType": &*entry.kind,
            "income": amount(entry.amount),
            "asset": &*entry.asset,
            "info": entry.trade.map_or_else(|| entry.kind.to_string(), |id| id.to_string()),
            "time": entry.time.millis(),
            "tranId": entry.id,
            "tradeId": entry.trade.map(|id| id.to_string()).unwrap_or_default(),
        }));
    }
    Ok(Value::Array(cut(told, limit, from > 0)))
}

pub(crate) fn rate_limit(call: &mut Call<'_>) -> Outcome {
    let limits = call.world.limits;
    Ok(json!([
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10,
         "limit": limits.orders_per_10s},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1,
         "limit": limits.orders_per_minute},
    ]))
}

pub(crate) fn adl_quantile(call: &mut Call<'_>) -> Outcome {
    let all = held(&call.world.exchange, call.account()?, false);
    let told = all.iter().filter(|held| !held.position.size.is_zero()).map(|held| {
        json!({
            "symbol": &*held.market.listing.symbol,
            "adlQuantile": {(position_side(held.side)): 1},
        })
    });
    Ok(Value::Array(told.collect()))
}

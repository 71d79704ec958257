//! Market data over REST.

use super::fail::Fail;
use super::orders::span;
use super::render::{amount, places, price, quantity};
use super::routes::{Call, Outcome};
use crate::engine::effect::PublicTrade;
use crate::engine::market::{Candle, Phase};
use crate::engine::{Exchange, InstrumentIx, Kind, Market, Venue, calc};
use serde_json::{Value, json};
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::{Span, Time};

pub(crate) fn ping(_: &mut Call<'_>) -> Outcome {
    Ok(super::wallet::empty())
}

pub(crate) fn time(call: &mut Call<'_>) -> Outcome {
    Ok(json!({"serverTime": call.world.binance.shown(call.now).millis()}))
}

pub(crate) fn exchange_info(call: &mut Call<'_>) -> Outcome {
    let limits = call.world.limits;
    let exchange = &call.world.exchange;
    let symbols: Vec<Value> = exchange
        .markets(Venue::Binance)
        .filter(|(_, m)| m.phase == Phase::Trading)
        .map(|(_, m)| symbol(m, exchange))
        .collect();
    Ok(json!({
        "timezone": "UTC",
        "serverTime": call.now.millis(),
        "futuresType": "U_MARGINED",
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1,
             "limit": limits.weight_per_minute},
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1,
             "limit": limits.orders_per_minute},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10,
             "limit": limits.orders_per_10s},
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": true, "autoAssetExchange": "-10000"}],
        "symbols": symbols,
    }))
}

/// `PERPETUAL`, or which quarter a future ends.
pub(crate) fn contract_type(market: &Market, exchange: &Exchange) -> &'static str {
    let Kind::Future { expiry } = market.listing.kind else { return "PERPETUAL" };
    let sooner = exchange.markets(Venue::Binance).any(|(_, other)| {
        other.phase == Phase::Trading
            && other.listing.coin == market.listing.coin
            && other.listing.expiry().is_some_and(|other| other < expiry)
    });
    if sooner { "NEXT_QUARTER" } else { "CURRENT_QUARTER" }
}

/// `BTCUSDT` of `BTCUSDT_261225`.
pub(crate) fn pair(market: &Market) -> String {
    format!("{}{}", market.listing.coin, market.listing.quote)
}

fn symbol(market: &Market, exchange: &Exchange) -> Value {
    let terms = &market.listing;
    let most = calc::mul(market.mark, Decimal::new(50, 0)).to_fixed(0);
    let up = calc::add(Decimal::ONE, terms.band).to_fixed(4);
    let down = calc::sub(Decimal::ONE, terms.band).to_fixed(4);
    json!({
        "symbol": &*terms.symbol,
        "pair": pair(market),
        "contractType": contract_type(market, exchange),
        "deliveryDate": terms.expiry().map_or(4_133_404_800_000, Time::millis),
        "onboardDate": terms.listed.millis(),
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": &*terms.coin,
        "quoteAsset": &*terms.quote,
        "marginAsset": &*terms.settle,
        "pricePrecision": places(terms.tick) + 1,
        "quantityPrecision": places(terms.step),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "settlePlan": 0,
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": terms.band.to_fixed(2),
        "maxMoveOrderLimit": 10_000,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": terms.tick.to_string(), "maxPrice": most,
             "tickSize": price(terms, terms.tick)},
            {"filterType": "LOT_SIZE", "minQty": terms.min_quantity.to_string(),
             "maxQty": terms.max_quantity.to_string(), "stepSize": terms.step.to_string()},
            {"filterType": "MARKET_LOT_SIZE", "minQty": terms.min_quantity.to_string(),
             "maxQty": terms.max_market_quantity.to_string(), "stepSize": terms.step.to_string()},
            {"filterType": "MAX_NUM_ORDERS", "limit": 10_000},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 200},
            {"filterType": "MIN_NOTIONAL", "notional": terms.min_notional.to_string()},
            {"filterType": "PERCENT_PRICE", "multiplierUp": up, "multiplierDown": down,
             "multiplierDecimal": "4"},
        ],
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT",
                       "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "permissionSets": ["GRID", "COPY"],
    })
}

/// Levels as `[[price, quantity], …]`, best first.
pub(crate) fn levels(market: &Market, side: Side, limit: usize) -> Value {
    let terms = &market.listing;
    let level = |(at, total)| json!([price(terms, at), quantity(terms, total)]);
    Value::Array(market.book.levels(side).take(limit).map(level).collect())
}

pub(crate) fn depth(call: &mut Call<'_>) -> Outcome {
    let instrument = call.symbol()?;
    let text = call.params.get("limit").unwrap_or("500");
    let limit = match text.parse::<usize>() {
        Ok(limit @ (5 | 10 | 20 | 50 | 100 | 500 | 1_000)) => limit,
        _ => return Err(Fail::depth_limit(text)),
    };
    let market = call.world.exchange.market(instrument).ok_or(Fail::SYMBOL)?;
    Ok(json!({
        "lastUpdateId": market.book.update,
        "E": call.now.millis(),
        "T": call.world.exchange.now().millis(),
        "bids": levels(market, Side::Buy, limit),
        "asks": levels(market, Side::Sell, limit),
    }))
}

pub(crate) fn trades(call: &mut Call<'_>) -> Outcome {
    let instrument = call.symbol()?;
    let limit = call.params.limit(500, 1_000)?;
    let from = call.params.int("fromId")?;
    let market = call.world.exchange.market(instrument).ok_or(Fail::SYMBOL)?;
    let terms = &market.listing;
    let chosen = market.trades.iter().filter(|t| from.is_none_or(|from| t.id >= from));
    let chosen: Vec<&PublicTrade> = chosen.collect();
    let skip = if from.is_some() { 0 } else { chosen.len().saturating_sub(limit) };
    let told = chosen.into_iter().skip(skip).take(limit).map(|trade| {
        json!({
            "id": trade.id,
            "price": price(terms, trade.price),
            "qty": quantity(terms, trade.quantity),
            "quoteQty": calc::mul(trade.price, trade.quantity).to_string(),
            "time": trade.time.millis(),
            "isBuyerMaker": trade.taker == Side::Sell,
            "isRPITrade": false,
        })
    });
    Ok(Value::Array(told.collect()))
}

pub(crate) fn agg_trades(call: &mut Call<'_>) -> Outcome {
    let instrument = call.symbol()?;
    let limit = call.params.limit(500, 1_000)?;
    let from = call.params.time("fromId")?;
    let (start, end) = span(&call.params)?;
    let market = call.world.exchange.market(instrument).ok_or(Fail::SYMBOL)?;
    let fits = |trade: &&PublicTrade| {
        from.is_none_or(|from| trade.seq >= from) && (start..=end).contains(&trade.time.millis())
    };
    let chosen: Vec<&PublicTrade> = market.trades.iter().filter(fits).collect();
    let first = from.is_some() || start > 0;
    let skip = if first { 0 } else { chosen.len().saturating_sub(limit) };
    let told = chosen.into_iter().skip(skip).take(limit).map(|trade| {
        json!({
            "a": trade.seq,
            "p": price(&market.listing, trade.price),
            "q": quantity(&market.listing, trade.quantity),
            "nq": quantity(&market.listing, trade.quantity),
            "f": trade.id,
            "l": trade.id,
            "T": trade.time.millis(),
            "m": trade.taker == Side::Sell,
        })
    });
    Ok(Value::Array(told.collect()))
}

/// The length of a candle by its name.
pub(crate) fn interval(name: &str) -> Result<Span, Fail> {
    let minutes = match name {
        "1m" => 1,
        "3m" => 3,
        "5m" => 5,
        "15m" => 15,
        "30m" => 30,
        "1h" => 60,
        "2h" => 120,
        "4h" => 240,
        "6h" => 360,
        "8h" => 480,
        "12h" => 720,
        "1d" => 1_440,
        "3d" => 4_320,
        "1w" => 10_080,
        "1M" => 43_200,
        _ => return Err(Fail::INTERVAL),
    };
    Ok(Span::from_secs(minutes * 60))
}

pub(crate) fn klines(call: &mut Call<'_>) -> Outcome {
    let instrument = call.symbol()?;
    candles(call, instrument)
}

pub(crate) fn continuous_klines(call: &mut Call<'_>) -> Outcome {
    let (wanted_pair, wanted) = (call.params.need("pair")?, call.params.need("contractType")?);
    let exchange = &call.world.exchange;
    let found = exchange.markets(Venue::Binance).find(|(_, market)| {
        market.phase == Phase::Trading
            && pair(market) == wanted_pair
            && contract_type(market, exchange) == wanted
    });
    let instrument = found.map(|(instrument, _)| instrument).ok_or(Fail::SYMBOL)?;
    candles(call, instrument)
}

fn candles(call: &Call<'_>, instrument: InstrumentIx) -> Outcome {
    let length = interval(call.params.need("interval")?)?;
    let limit = call.params.limit(500, 1_500)?;
    let (start, end) = span(&call.params)?;
    let market = call.world.exchange.market(instrument).ok_or(Fail::SYMBOL)?;
    let fits = |candle: &Candle| (start..=end).contains(&candle.open_time.millis());
    let chosen: Vec<Candle> = market.candles(length).into_iter().filter(fits).collect();
    let skip = if start > 0 { 0 } else { chosen.len().saturating_sub(limit) };
    let told = chosen.into_iter().skip(skip).take(limit).map(|candle| {
        json!([
            candle.open_time.millis(),
            price(&market.listing, candle.open),
            price(&market.listing, candle.high),
            price(&market.listing, candle.low),
            price(&market.listing, candle.close),
            quantity(&market.listing, candle.volume),
            candle.open_time.plus(length).millis() - 1,
            candle.turnover.to_string(),
            candle.trades,
            quantity(&market.listing, candle.taker_volume),
            candle.taker_turnover.to_string(),
            "0",
        ])
    });
    Ok(Value::Array(told.collect()))
}

/// One answer for one symbol, a list without one.
fn each(call: &Call<'_>, tell: fn(&Market, Time) -> Value) -> Outcome {
    let exchange = &call.world.exchange;
    if let Some(instrument) = call.maybe_symbol()? {
        return exchange.market(instrument).map(|m| tell(m, call.now)).ok_or(Fail::SYMBOL);
    }
    let trading = exchange.markets(Venue::Binance).filter(|(_, m)| m.phase == Phase::Trading);
    Ok(Value::Array(trading.map(|(_, market)| tell(market, call.now)).collect()))
}

pub(crate) fn premium_index(call: &mut Call<'_>) -> Outcome {
    each(call, |market, now| {
        let perpetual = market.listing.kind == Kind::Perpetual;
        let rate = if perpetual { amount(market.funding_rate()) } else { String::new() };
        json!({
            "symbol": &*market.listing.symbol,
            "markPrice": amount(market.mark),
            "indexPrice": amount(market.index),
            "estimatedSettlePrice": amount(market.index),
            "lastFundingRate": rate,
            "interestRate": if perpetual { "0.00010000" } else { "" },
            "nextFundingTime": if perpetual { market.next_funding.millis() } else { 0 },
            "time": now.millis(),
        })
    })
}

pub(crate) fn funding_rate(call: &mut Call<'_>) -> Outcome {
    let wanted = call.maybe_symbol()?;
    let limit = call.params.limit(100, 1_000)?;
    let (start, end) = span(&call.params)?;
    let mut told = Vec::new();
    for (instrument, market) in call.world.exchange.markets(Venue::Binance) {
        if wanted.is_some_and(|wanted| wanted != instrument) {
            continue;
        }
        for funding in &market.fundings {
            if (start..=end).contains(&funding.time.millis()) {
                told.push(json!({
                    "symbol": &*market.listing.symbol,
                    "fundingTime": funding.time.millis(),
                    "fundingRate": amount(funding.rate),
                    "markPrice": amount(funding.mark),
                    "rateType": "Regular",
                }));
            }
        }
    }
    Ok(Value::Array(super::orders::cut(told, limit, start > 0)))
}

pub(crate) fn funding_info(call: &mut Call<'_>) -> Outcome {
    let perpetual = |m: &Market| m.listing.kind == Kind::Perpetual;
    let all = call.world.exchange.markets(Venue::Binance).filter(|(_, m)| perpetual(m));
    let told = all.map(|(_, market)| {
        json!({
            "symbol": &*market.listing.symbol,
            "adjustedFundingRateCap": "0.00300000",
            "adjustedFundingRateFloor": "-0.00300000",
            "fundingIntervalHours": 8,
            "disclaimer": false,
        })
    });
    Ok(Value::Array(told.collect()))
}

pub(crate) fn open_interest(call: &mut Call<'_>) -> Outcome {
    let instrument = call.symbol()?;
    let market = call.world.exchange.market(instrument).ok_or(Fail::SYMBOL)?;
    Ok(json!({
        "symbol": &*market.listing.symbol,
        "openInterest": quantity(&market.listing, market.open_interest),
        "time": call.now.millis(),
    }))
}

/// Change, average and volume of a day.
pub(crate) struct Day {
    pub(crate) candle: Candle,
    pub(crate) change: Decimal,
    pub(crate) percent: Decimal,
    pub(crate) average: Decimal,
    pub(crate) last_quantity: Decimal,
    pub(crate) first_id: i64,
    pub(crate) last_id: i64,
}

pub(crate) fn day(market: &Market, now: Time) -> Day {
    let candle = market.day(now).candle;
    let change = calc::sub(candle.close, candle.open);
    let average = calc::div(candle.turnover, candle.volume);
    let last = market.trades.back();
    let first = market.trades.front().map_or(0, |trade| trade.id);
    Day {
        candle,
        change,
        percent: calc::mul_div(change, Decimal::new(100, 0), candle.open),
        average: if average.is_zero() { candle.close } else { average },
        last_quantity: last.map(|trade| trade.quantity).unwrap_or_default(),
        first_id: first,
        last_id: last.map_or(0, |trade| trade.id),
    }
}

pub(crate) fn ticker(call: &mut Call<'_>) -> Outcome {
    each(call, |market, now| {
        let (terms, day) = (&market.listing, day(market, now));
        json!({
            "symbol": &*terms.symbol,
            "priceChange": price(terms, day.change),
            "priceChangePercent": day.percent.to_fixed(3),
            "weightedAvgPrice": price(terms, day.average),
            "lastPrice": price(terms, market.last),
            "lastQty": quantity(terms, day.last_quantity),
            "openPrice": price(terms, day.candle.open),
            "highPrice": price(terms, day.candle.high),
            "lowPrice": price(terms, day.candle.low),
            "volume": quantity(terms, day.candle.volume),
            "quoteVolume": day.candle.turnover.to_fixed(2),
            "openTime": now.minus(Span::from_secs(86_400)).millis(),
            "closeTime": now.millis(),
            "firstId": day.first_id,
            "lastId": day.last_id,
            "count": day.candle.trades,
        })
    })
}

pub(crate) fn ticker_price(call: &mut Call<'_>) -> Outcome {
    each(call, |market, now| {
        json!({
            "symbol": &*market.listing.symbol,
            "price": price(&market.listing, market.last),
            "time": now.millis(),
        })
    })
}

/// Best price and quantity of a side, zero when it is empty.
pub(crate) fn best(market: &Market, side: Side) -> (String, String) {
    let (at, total) = market.book.levels(side).next().unwrap_or_default();
    (price(&market.listing, at), quantity(&market.listing, total))
}

pub(crate) fn book_ticker(call: &mut Call<'_>) -> Outcome {
    each(call, |market, now| {
        let (bid, ask) = (best(market, Side::Buy), best(market, Side::Sell));
        json!({
            "symbol": &*market.listing.symbol,
            "bidPrice": bid.0,
            "bidQty": bid.1,
            "askPrice": ask.0,
            "askQty": ask.1,
            "time": now.millis(),
            "lastUpdateId": market.book.update,
        })
    })
}

pub(crate) fn delivery_price(call: &mut Call<'_>) -> Outcome {
    let wanted = call.params.need("pair")?;
    let markets = call.world.exchange.markets(Venue::Binance);
    let told = markets.filter(|(_, market)| pair(market) == wanted).filter_map(|(_, market)| {
        let (at, expiry) = (market.delivered_at?, market.listing.expiry()?);
        let number: serde_json::Number = at.to_string().parse().ok()?;
        Some(json!({"deliveryTime": expiry.millis(), "deliveryPrice": number}))
    });
    Ok(Value::Array(told.collect()))
}

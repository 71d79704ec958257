//! Every route: its security, its weight, and what answers it.

use super::fail::Fail;
use super::params::Params;
use super::{account, algo, market, orders, settings, wallet};
use crate::config::Limits;
use crate::engine::{AccountIx, Input, InstrumentIx, Listing, Reply, Venue};
use crate::serve::world::{Key, World};
use serde_json::Value;
use tidegate_types::time::Time;

/// What a caller must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    /// Nothing.
    None,
    /// A key in the header.
    Key,
    /// A signature.
    Read,
    /// A signature by a key that may trade.
    Trade,
    /// A signature by a key that may withdraw.
    Withdraw,
}

impl Security {
    pub(crate) const fn is_signed(self) -> bool {
        matches!(self, Security::Read | Security::Trade | Security::Withdraw)
    }
}

/// One request under way.
pub(crate) struct Call<'a> {
    /// The exchange.
    pub(crate) world: &'a mut World,
    /// The parameters.
    pub(crate) params: Params,
    /// The key, where the route needs one.
    pub(crate) key: Option<Key>,
    /// The venue's clock.
    pub(crate) now: Time,
}

pub(crate) type Outcome = Result<Value, Fail>;

impl Call<'_> {
    /// Whose call it is.
    pub(crate) fn account(&self) -> Result<AccountIx, Fail> {
        self.key.as_ref().map(|key| key.account).ok_or(Fail::KEY_FORMAT)
    }

    pub(crate) fn permitted(&self, security: Security) -> Result<(), Fail> {
        let Some(key) = &self.key else { return Ok(()) };
        match security {
            Security::Trade if !key.config.trade => Err(Fail::KEY),
            Security::Withdraw if !key.config.withdraw => Err(Fail::KEY),
            _ => Ok(()),
        }
    }

    pub(crate) fn count_orders(&mut self, route: &Route, limits: &Limits) -> Result<(), Fail> {
        if route.orders == 0 {
            return Ok(());
        }
        let account = self.account()?;
        self.world.binance.counters.count(account, route.orders, limits, self.now)
    }

    /// The instrument that `symbol` names.
    pub(crate) fn symbol(&self) -> Result<InstrumentIx, Fail> {
        self.instrument(self.params.need("symbol")?)
    }

    /// The instrument that `symbol` names, if it is there.
    pub(crate) fn maybe_symbol(&self) -> Result<Option<InstrumentIx>, Fail> {
        self.params.get("symbol").map(|name| self.instrument(name)).transpose()
    }

    pub(crate) fn instrument(&self, name: &str) -> Result<InstrumentIx, Fail> {
        self.world.exchange.instrument(Venue::Binance, name).ok_or(Fail::SYMBOL)
    }

    pub(crate) fn listing(&self, instrument: InstrumentIx) -> Result<&Listing, Fail> {
        let market = self.world.exchange.market(instrument).ok_or(Fail::SYMBOL)?;
        Ok(&market.listing)
    }

    pub(crate) fn apply(&mut self, input: &Input) -> Reply {
        self.world.apply(input)
    }
}

/// A route.
pub(crate) struct Route {
    method: &'static str,
    path: &'static str,
    /// What the caller must show.
    pub(crate) security: Security,
    /// What it weighs.
    pub(crate) weight: fn(&Params) -> u32,
    /// As how many orders it counts.
    pub(crate) orders: u32,
    /// What answers it.
    pub(crate) run: fn(&mut Call<'_>) -> Outcome,
}

const fn route(
    method: &'static str,
    path: &'static str,
    security: Security,
    weight: fn(&Params) -> u32,
    run: fn(&mut Call<'_>) -> Outcome,
) -> Route {
    Route { method, path, security, weight, orders: 0, run }
}

const fn ordering(
    method: &'static str,
    path: &'static str,
    orders: u32,
    run: fn(&mut Call<'_>) -> Outcome,
) -> Route {
    let weight = if orders > 1 { five } else { free };
    Route { method, path, security: Security::Trade, weight, orders, run }
}

fn free(_: &Params) -> u32 {
    0
}
fn one(_: &Params) -> u32 {
    1
}
fn five(_: &Params) -> u32 {
    5
}
fn ten(_: &Params) -> u32 {
    10
}
fn twenty(_: &Params) -> u32 {
    20
}
fn thirty(_: &Params) -> u32 {
    30
}
fn by_symbol(params: &Params) -> u32 {
    if params.get("symbol").is_some() { 1 } else { 40 }
}
fn by_symbol_ten(params: &Params) -> u32 {
    if params.get("symbol").is_some() { 1 } else { 10 }
}
fn by_symbol_two(params: &Params) -> u32 {
    if params.get("symbol").is_some() { 2 } else { 5 }
}
fn by_depth(params: &Params) -> u32 {
    match params.get("limit").and_then(|limit| limit.parse::<u32>().ok()).unwrap_or(500) {
        0..=50 => 2,
        51..=100 => 5,
        101..=500 => 10,
        _ => 20,
    }
}
fn by_candles(params: &Params) -> u32 {
    match params.get("limit").and_then(|limit| limit.parse::<u32>().ok()).unwrap_or(500) {
        0..=99 => 1,
        100..=499 => 2,
        500..=1_000 => 5,
        _ => 10,
    }
}

use Security::{Key as WithKey, None as Public, Read, Trade, Withdraw};

/// Every route there is.
static ROUTES: &[Route] = &[
    route("GET", "/fapi/v1/ping", Public, one, market::ping),
    route("GET", "/fapi/v1/time", Public, one, market::time),
    route("GET", "/fapi/v1/exchangeInfo", Public, one, market::exchange_info),
    route("GET", "/fapi/v1/depth", Public, by_depth, market::depth),
    route("GET", "/fapi/v1/rpiDepth", Public, by_depth, market::depth),
    route("GET", "/fapi/v1/trades", Public, five, market::trades),
    route("GET", "/fapi/v1/historicalTrades", WithKey, twenty, market::trades),
    route("GET", "/fapi/v1/aggTrades", Public, twenty, market::agg_trades),
    route("GET", "/fapi/v1/klines", Public, by_candles, market::klines),
    route("GET", "/fapi/v1/continuousKlines", Public, by_candles, market::continuous_klines),
    route("GET", "/fapi/v1/premiumIndex", Public, by_symbol_ten, market::premium_index),
    route("GET", "/fapi/v1/fundingRate", Public, one, market::funding_rate),
    route("GET", "/fapi/v1/fundingInfo", Public, free, market::funding_info),
    route("GET", "/fapi/v1/openInterest", Public, one, market::open_interest),
    route("GET", "/fapi/v1/ticker/24hr", Public, by_symbol, market::ticker),
    route("GET", "/fapi/v1/ticker/price", Public, by_symbol_two, market::ticker_price),
    route("GET", "/fapi/v2/ticker/price", Public, by_symbol_two, market::ticker_price),
    route("GET", "/fapi/v1/ticker/bookTicker", Public, by_symbol_two, market::book_ticker),
    route("GET", "/futures/data/delivery-price", Public, free, market::delivery_price),
    route("GET", "/fapi/v2/account", Read, five, account::account_v2),
    route("GET", "/fapi/v3/account", Read, five, account::account_v3),
    route("GET", "/fapi/v2/balance", Read, five, account::balance),
    route("GET", "/fapi/v3/balance", Read, five, account::balance),
    route("GET", "/fapi/v2/positionRisk", Read, five, account::position_risk_v2),
    route("GET", "/fapi/v3/positionRisk", Read, five, account::position_risk_v3),
    route("GET", "/fapi/v1/accountConfig", Read, five, account::config),
    route("GET", "/fapi/v1/symbolConfig", Read, five, account::symbol_config),
    route("GET", "/fapi/v1/leverageBracket", Read, one, account::leverage_bracket),
    route("GET", "/fapi/v1/commissionRate", Read, twenty, account::commission_rate),
    route("GET", "/fapi/v1/income", Read, thirty, account::income),
    route("GET", "/fapi/v1/rateLimit/order", Read, one, account::rate_limit),
    route("GET", "/fapi/v1/adlQuantile", Read, five, account::adl_quantile),
    route("GET", "/fapi/v1/forceOrders", Read, twenty, orders::force_orders),
    route("GET", "/fapi/v1/positionSide/dual", Read, thirty, settings::dual),
    route("POST", "/fapi/v1/positionSide/dual", Trade, one, settings::set_dual),
    route("GET", "/fapi/v1/multiAssetsMargin", Read, thirty, settings::multi_assets),
    route("POST", "/fapi/v1/multiAssetsMargin", Trade, one, settings::set_multi_assets),
    route("GET", "/fapi/v1/feeBurn", Read, thirty, settings::fee_burn),
    route("POST", "/fapi/v1/feeBurn", Trade, one, settings::set_fee_burn),
    route("POST", "/fapi/v1/leverage", Trade, one, settings::set_leverage),
    route("POST", "/fapi/v1/marginType", Trade, one, settings::set_margin_type),
    route("POST", "/fapi/v1/positionMargin", Trade, one, settings::move_margin),
    ordering("POST", "/fapi/v1/order", 1, orders::place),
    ordering("POST", "/fapi/v1/order/test", 1, orders::test),
    ordering("PUT", "/fapi/v1/order", 1, orders::modify),
    route("DELETE", "/fapi/v1/order", Trade, one, orders::cancel),
    route("GET", "/fapi/v1/order", Read, one, orders::query),
    ordering("POST", "/fapi/v1/batchOrders", 5, orders::place_batch),
    ordering("PUT", "/fapi/v1/batchOrders", 5, orders::modify_batch),
    route("DELETE", "/fapi/v1/batchOrders", Trade, one, orders::cancel_batch),
    route("DELETE", "/fapi/v1/allOpenOrders", Trade, one, orders::cancel_all),
    route("GET", "/fapi/v1/openOrder", Read, one, orders::query_open),
    route("GET", "/fapi/v1/openOrders", Read, by_symbol, orders::open),
    route("GET", "/fapi/v1/allOrders", Read, five, orders::all),
    route("GET", "/fapi/v1/userTrades", Read, five, orders::user_trades),
    route("POST", "/fapi/v1/countdownCancelAll", Trade, ten, orders::countdown),
    ordering("POST", "/fapi/v1/algoOrder", 1, algo::place),
    route("DELETE", "/fapi/v1/algoOrder", Trade, one, algo::cancel),
    route("GET", "/fapi/v1/algoOrder", Read, one, algo::query),
    route("DELETE", "/fapi/v1/algoOpenOrders", Trade, one, algo::cancel_all),
    route("GET", "/fapi/v1/openAlgoOrders", Read, by_symbol, algo::open),
    route("GET", "/fapi/v1/allAlgoOrders", Read, five, algo::all),
    route("POST", "/fapi/v1/listenKey", WithKey, one, settings::listen_start),
    route("PUT", "/fapi/v1/listenKey", WithKey, one, settings::listen_keep),
    route("DELETE", "/fapi/v1/listenKey", WithKey, one, settings::listen_stop),
    route("GET", "/sapi/v1/account/apiRestrictions", Read, one, wallet::restrictions),
    route("GET", "/sapi/v1/capital/config/getall", Read, ten, wallet::nothing),
    route("GET", "/sapi/v1/margin/allPairs", Read, one, wallet::nothing),
    route("GET", "/sapi/v1/margin/isolated/allPairs", Read, ten, wallet::nothing),
    route("POST", "/sapi/v1/asset/transfer", Withdraw, one, wallet::transfer),
    route("POST", "/sapi/v1/capital/withdraw/apply", Withdraw, one, wallet::withdraw),
    route("GET", "/api/v3/ping", Public, one, market::ping),
    route("GET", "/api/v3/time", Public, one, market::time),
    route("GET", "/api/v3/exchangeInfo", Public, one, wallet::no_symbols),
    route("GET", "/dapi/v1/exchangeInfo", Public, one, wallet::no_symbols),
    route("GET", "/eapi/v1/exchangeInfo", Public, one, wallet::no_options),
];

/// The route of a request.
pub(crate) fn find(method: &str, path: &str) -> Result<&'static Route, Fail> {
    let mut known = false;
    for route in ROUTES {
        if route.path == path {
            if route.method == method {
                return Ok(route);
            }
            known = true;
        }
    }
    Err(if known { Fail::METHOD } else { Fail::NOT_FOUND })
}

//! Every route that is served, forbidden or answered here, as one table. What is not in it is
//! refused.

use crate::front::{Listed, Shows};
use Weight::{Flat, Symbol};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Method;
use tidegate_types::request::Method::{Delete, Get, Post, Put};

/// What a caller must show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Nothing.
    Public,
    /// The key's id alone.
    Key,
    /// A signature.
    Signed,
}

/// What a route is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// Public market data, passed through.
    Public,
    /// Public text of another product's, passed through.
    Foreign,
    /// A new order.
    Place,
    /// A change of an order.
    Amend,
    /// The cancel of an order.
    Cancel,
    /// A new conditional order.
    PlaceAlgo,
    /// The cancel of a conditional order.
    CancelAlgo,
    /// Several new orders.
    BatchPlace,
    /// Changes of several orders.
    BatchAmend,
    /// Cancels of several orders.
    BatchCancel,
    /// The cancel of every plain order of an instrument.
    CancelAll,
    /// The cancel of every conditional order of an instrument.
    CancelAllAlgo,
    /// A change of account settings.
    Set,
    /// A private read.
    Read,
    /// A private read of one order, named by the caller.
    ReadOrder,
    /// A private read of one conditional order, named by the caller.
    ReadAlgo,
    /// A list that is always empty here; stock clients ask for it before they trade.
    Empty,
    /// A new listen key.
    StreamStart,
    /// A longer life for a listen key.
    StreamKeep,
    /// The end of a listen key.
    StreamStop,
    /// The dead-man timer for an instrument: here for the caller's own orders.
    Countdown,
}

/// A route.
#[derive(Debug)]
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: &'static str,
    /// What a caller must show.
    pub access: Access,
    /// What it is for.
    pub purpose: Use,
    /// What it weighs at the venue.
    pub weight: Weight,
    /// The parameters it takes, besides those of the envelope. `*` marks a mandatory one.
    pub params: &'static [&'static str],
}

/// What requests to a route weigh at the venue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    /// Always the same.
    Flat(u32),
    /// With a `symbol`, and without.
    Symbol(u32, u32),
    /// By `limit`: what those weigh that are not above each step, and those above all of them.
    Limit(&'static [(u32, u32)], u32),
}

impl Weight {
    /// The weight of a request with these parameters.
    pub fn of<'a>(self, param: impl Fn(&str) -> Option<&'a str>) -> u32 {
        match self {
            Weight::Flat(weight) => weight,
            Weight::Symbol(with, without) => param("symbol").map_or(without, |_| with),
            Weight::Limit(steps, most) => {
                let limit = param("limit").map_or(Some(DEFAULT_LIMIT), |limit| limit.parse().ok());
                let step = steps.iter().find(|(up_to, _)| limit.is_some_and(|l| l <= *up_to));
                step.map_or(most, |(_, weight)| *weight)
            }
        }
    }
}

/// Rows where no `limit` is given, on every route whose weight depends on it.
const DEFAULT_LIMIT: u32 = 500;

/// The parameters of the envelope: checked with the signature, never sent on.
pub const ENVELOPE: &[&str] =
    &["timestamp", "recvWindow", "signature", "apiKey", "returnRateLimits"];

impl Route {
    /// Its name in calls and contexts: method and path.
    pub fn name(&self) -> String {
        format!("{} {}", self.method.as_str(), self.path)
    }

    /// Whether a second arrival of the same request must be refused.
    pub fn changes_state(&self) -> bool {
        match self.purpose {
            Use::Place
            | Use::Amend
            | Use::Cancel
            | Use::PlaceAlgo
            | Use::CancelAlgo
            | Use::BatchPlace
            | Use::BatchAmend
            | Use::BatchCancel
            | Use::CancelAll
            | Use::CancelAllAlgo
            | Use::Set
            | Use::Countdown => true,
            Use::Public
            | Use::Foreign
            | Use::Read
            | Use::ReadOrder
            | Use::ReadAlgo
            | Use::Empty
            | Use::StreamStart
            | Use::StreamKeep
            | Use::StreamStop => false,
        }
    }

    /// It as the list of all routes tells it.
    pub fn listed(&self) -> Listed {
        let shows = match self.access {
            Access::Public => Shows::Nothing,
            Access::Key => Shows::KeyId,
            Access::Signed => Shows::Credentials,
        };
        let changes = self.changes_state();
        Listed { method: self.method, path: self.path.to_owned(), shows, changes }
    }

    /// Whether it takes a parameter of that name.
    pub fn takes(&self, name: &str) -> bool {
        self.params.iter().any(|param| param.trim_end_matches('*') == name)
    }

    /// The parameters it must have.
    pub fn mandatory(&self) -> impl Iterator<Item = &'static str> {
        self.params.iter().filter_map(|param| param.strip_suffix('*'))
    }
}

/// The route of that method and path.
///
/// # Errors
/// `ForbiddenRoute` for what moves money or manages keys, `UnknownRoute` for what is not listed.
pub fn find(method: Method, path: &str) -> Result<&'static Route, Reject> {
    if let Some(route) = ROUTES.iter().find(|r| r.method == method && r.path == path) {
        return Ok(route);
    }
    let forbidden = FORBIDDEN.iter().any(|prefix| path.starts_with(prefix));
    let code = if forbidden { Code::ForbiddenRoute } else { Code::UnknownRoute };
    let shown: String = path.chars().filter(char::is_ascii_graphic).take(80).collect();
    Err(Reject::new(code, format!("{} {shown}", method.as_str())))
}

/// The route of that name (`Route::name`).
pub fn named(name: &str) -> Option<&'static Route> {
    let (method, path) = name.split_once(' ')?;
    ROUTES.iter().find(|r| r.method.as_str() == method && r.path == path)
}

/// Paths below which money moves or keys are managed.
const FORBIDDEN: &[&str] = &[
    "/sapi/v1/asset/",
    "/sapi/v1/apiKey",
    "/sapi/v1/broker/",
    "/sapi/v1/capital/withdraw",
    "/sapi/v1/capital/deposit",
    "/sapi/v1/futures/transfer",
    "/sapi/v1/localentity/",
    "/sapi/v1/managed-subaccount/",
    "/sapi/v1/margin/transfer",
    "/sapi/v1/sub-account/",
    "/sapi/v2/sub-account/",
    "/sapi/v1/account/apiRestrictions/",
    "/fapi/v1/convert/",
    "/wapi/",
];

const fn route(
    method: Method,
    path: &'static str,
    access: Access,
    purpose: Use,
    weight: Weight,
    params: &'static [&'static str],
) -> Route {
    Route { method, path, access, purpose, weight, params }
}

const fn public(path: &'static str, weight: Weight, params: &'static [&'static str]) -> Route {
    route(Get, path, Access::Public, Use::Public, weight, params)
}

const fn read(path: &'static str, weight: Weight, params: &'static [&'static str]) -> Route {
    route(Get, path, Access::Signed, Use::Read, weight, params)
}

const fn trade(
    method: Method,
    path: &'static str,
    purpose: Use,
    weight: Weight,
    params: &'static [&'static str],
) -> Route {
    route(method, path, Access::Signed, purpose, weight, params)
}

/// Order books.
const BOOK: Weight = Weight::Limit(&[(50, 2), (100, 5), (500, 10)], 20);
/// Candles.
const BARS: Weight = Weight::Limit(&[(99, 1), (499, 2), (1_000, 5)], 10);
/// Routes with limits of their own, of 500 and 1000 requests in five minutes, and next to no weight:
/// they weigh so much here that the limit on weight holds those as well.
const FUNDING: Weight = Flat(26);
const STATISTICS: Weight = Flat(13);

const SYMBOL: &[&str] = &["symbol"];
const ORDER_NAME: &[&str] = &["symbol*", "orderId", "origClientOrderId"];
const ALGO_NAME: &[&str] = &["algoId", "clientAlgoId", "symbol"];
const HISTORY: &[&str] = &["symbol*", "orderId", "startTime", "endTime", "fromId", "limit"];
const CANDLES: &[&str] = &["symbol*", "interval*", "startTime", "endTime", "limit"];
const PAIR_CANDLES: &[&str] =
    &["pair*", "interval*", "contractType", "startTime", "endTime", "limit"];
const RATIO: &[&str] = &["symbol*", "period*", "limit", "startTime", "endTime"];

/// The fields of a new order; also of one in a batch.
pub const NEW_ORDER: &[&str] = &[
    "symbol*",
    "side*",
    "type*",
    "positionSide",
    "timeInForce",
    "quantity",
    "reduceOnly",
    "price",
    "newClientOrderId",
    "newOrderRespType",
    "priceMatch",
    "selfTradePreventionMode",
    "goodTillDate",
    "closePosition",
    "stopPrice",
    "activationPrice",
    "callbackRate",
    "workingType",
    "priceProtect",
];

/// The fields of a new conditional order.
pub const NEW_ALGO: &[&str] = &[
    "algoType*",
    "symbol*",
    "side*",
    "type*",
    "positionSide",
    "timeInForce",
    "quantity",
    "price",
    "triggerPrice",
    "workingType",
    "priceMatch",
    "closePosition",
    "priceProtect",
    "reduceOnly",
    "activatePrice",
    "callbackRate",
    "clientAlgoId",
    "newOrderRespType",
    "selfTradePreventionMode",
    "goodTillDate",
];

/// The fields of a change; also of one in a batch.
pub const AMEND: &[&str] = &[
    "symbol*",
    "side*",
    "quantity*",
    "price",
    "orderId",
    "origClientOrderId",
    "priceMatch",
    "modifyId",
    "reduceOnly",
    "positionSide",
];

/// The routes.
pub const ROUTES: &[Route] = &[
    public("/fapi/v1/ping", Flat(1), &[]),
    public("/fapi/v1/time", Flat(1), &[]),
    public("/fapi/v1/exchangeInfo", Flat(1), SYMBOL),
    public("/fapi/v1/depth", BOOK, &["symbol*", "limit"]),
    public("/fapi/v1/trades", Flat(5), &["symbol*", "limit"]),
    public("/fapi/v1/aggTrades", Flat(20), &["symbol*", "fromId", "startTime", "endTime", "limit"]),
    public("/fapi/v1/klines", BARS, CANDLES),
    public("/fapi/v1/markPriceKlines", BARS, CANDLES),
    public("/fapi/v1/premiumIndexKlines", BARS, CANDLES),
    public("/fapi/v1/indexPriceKlines", BARS, PAIR_CANDLES),
    public("/fapi/v1/continuousKlines", BARS, PAIR_CANDLES),
    public("/fapi/v1/premiumIndex", Symbol(1, 10), SYMBOL),
    public("/fapi/v1/fundingRate", FUNDING, &["symbol", "startTime", "endTime", "limit"]),
    public("/fapi/v1/fundingInfo", FUNDING, &[]),
    public("/fapi/v1/ticker/24hr", Symbol(1, 40), SYMBOL),
    public("/fapi/v1/ticker/price", Symbol(1, 2), SYMBOL),
    public("/fapi/v2/ticker/price", Symbol(1, 2), SYMBOL),
    public("/fapi/v1/ticker/bookTicker", Symbol(2, 5), SYMBOL),
    public("/fapi/v1/openInterest", Flat(1), &["symbol*"]),
    public("/fapi/v1/indexInfo", Flat(1), SYMBOL),
    public("/fapi/v1/assetIndex", Symbol(1, 10), SYMBOL),
    public("/futures/data/openInterestHist", STATISTICS, RATIO),
    public("/futures/data/topLongShortAccountRatio", STATISTICS, RATIO),
    public("/futures/data/topLongShortPositionRatio", STATISTICS, RATIO),
    public("/futures/data/globalLongShortAccountRatio", STATISTICS, RATIO),
    public("/futures/data/takerlongshortRatio", STATISTICS, RATIO),
    public("/futures/data/delivery-price", STATISTICS, &["pair*"]),
    route(Get, "/api/v3/ping", Access::Public, Use::Foreign, Flat(1), &[]),
    route(Get, "/api/v3/time", Access::Public, Use::Foreign, Flat(1), &[]),
    route(Get, "/api/v3/exchangeInfo", Access::Public, Use::Foreign, Flat(20), FOREIGN_INFO),
    route(Get, "/dapi/v1/exchangeInfo", Access::Public, Use::Foreign, Flat(1), &[]),
    trade(Post, "/fapi/v1/order", Use::Place, Flat(0), NEW_ORDER),
    trade(Put, "/fapi/v1/order", Use::Amend, Flat(0), AMEND),
    trade(Delete, "/fapi/v1/order", Use::Cancel, Flat(1), ORDER_NAME),
    trade(Get, "/fapi/v1/order", Use::ReadOrder, Flat(1), ORDER_NAME),
    trade(Get, "/fapi/v1/openOrder", Use::ReadOrder, Flat(1), ORDER_NAME),
    trade(Post, "/fapi/v1/batchOrders", Use::BatchPlace, Flat(5), &["batchOrders*"]),
    trade(Put, "/fapi/v1/batchOrders", Use::BatchAmend, Flat(5), &["batchOrders*"]),
    trade(Delete, "/fapi/v1/batchOrders", Use::BatchCancel, Flat(1), BATCH_CANCEL),
    trade(Delete, "/fapi/v1/allOpenOrders", Use::CancelAll, Flat(1), &["symbol*"]),
    trade(Post, "/fapi/v1/algoOrder", Use::PlaceAlgo, Flat(0), NEW_ALGO),
    trade(Delete, "/fapi/v1/algoOrder", Use::CancelAlgo, Flat(1), ALGO_NAME),
    trade(Get, "/fapi/v1/algoOrder", Use::ReadAlgo, Flat(1), ALGO_NAME),
    trade(Delete, "/fapi/v1/algoOpenOrders", Use::CancelAllAlgo, Flat(1), &["symbol*"]),
    trade(
        Post,
        "/fapi/v1/countdownCancelAll",
        Use::Countdown,
        Flat(10),
        &["symbol*", "countdownTime*"],
    ),
    read("/fapi/v1/openAlgoOrders", Symbol(1, 40), &["algoType", "symbol", "algoId"]),
    read(
        "/fapi/v1/allAlgoOrders",
        Flat(5),
        &["symbol*", "algoId", "startTime", "endTime", "limit"],
    ),
    read("/fapi/v1/openOrders", Symbol(1, 40), SYMBOL),
    read("/fapi/v1/allOrders", Flat(5), &["symbol*", "orderId", "startTime", "endTime", "limit"]),
    read("/fapi/v1/userTrades", Flat(5), HISTORY),
    read(
        "/fapi/v1/forceOrders",
        Symbol(20, 50),
        &["symbol", "autoCloseType", "startTime", "endTime", "limit"],
    ),
    read("/fapi/v2/account", Flat(5), &[]),
    read("/fapi/v3/account", Flat(5), &[]),
    read("/fapi/v2/balance", Flat(5), &[]),
    read("/fapi/v3/balance", Flat(5), &[]),
    read("/fapi/v2/positionRisk", Flat(5), SYMBOL),
    read("/fapi/v3/positionRisk", Flat(5), SYMBOL),
    read("/fapi/v1/adlQuantile", Flat(5), SYMBOL),
    read("/fapi/v1/leverageBracket", Flat(1), SYMBOL),
    read("/fapi/v1/symbolConfig", Flat(5), SYMBOL),
    read("/fapi/v1/accountConfig", Flat(5), &[]),
    read("/fapi/v1/commissionRate", Flat(20), &["symbol*"]),
    read(
        "/fapi/v1/income",
        Flat(30),
        &["symbol", "incomeType", "startTime", "endTime", "page", "limit"],
    ),
    read("/fapi/v1/rateLimit/order", Flat(1), &[]),
    read("/fapi/v1/positionSide/dual", Flat(30), &[]),
    read("/fapi/v1/multiAssetsMargin", Flat(30), &[]),
    read("/fapi/v1/feeBurn", Flat(30), &[]),
    read("/fapi/v1/apiTradingStatus", Symbol(1, 10), SYMBOL),
    trade(Post, "/fapi/v1/leverage", Use::Set, Flat(1), &["symbol*", "leverage*"]),
    trade(Post, "/fapi/v1/marginType", Use::Set, Flat(1), &["symbol*", "marginType*"]),
    trade(Post, "/fapi/v1/positionSide/dual", Use::Set, Flat(1), &["dualSidePosition*"]),
    trade(Post, "/fapi/v1/multiAssetsMargin", Use::Set, Flat(1), &["multiAssetsMargin*"]),
    trade(Get, "/sapi/v1/capital/config/getall", Use::Empty, Flat(10), &[]),
    trade(Get, "/sapi/v1/margin/allPairs", Use::Empty, Flat(1), SYMBOL),
    trade(Get, "/sapi/v1/margin/isolated/allPairs", Use::Empty, Flat(10), SYMBOL),
    route(Post, "/fapi/v1/listenKey", Access::Key, Use::StreamStart, Flat(1), &["listenKey"]),
    route(Put, "/fapi/v1/listenKey", Access::Key, Use::StreamKeep, Flat(1), &["listenKey"]),
    route(Delete, "/fapi/v1/listenKey", Access::Key, Use::StreamStop, Flat(1), &["listenKey"]),
];

const FOREIGN_INFO: &[&str] = &["symbol", "symbols", "permissions", "showPermissionSets"];
const BATCH_CANCEL: &[&str] = &["symbol*", "orderIdList", "origClientOrderIdList"];

#[cfg(test)]
mod tests;

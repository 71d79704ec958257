//! What the targets of the venues share: instruments, owners of orders, requests as text.

use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;
use tidegate_types::ids::{CallerName, CallerOrderId, VenueName};
use tidegate_types::request::{Method, RawRequest, Reply};
use tidegate_types::time::Time;
use tidegate_venues::front::{Context, Instruments, Owned, Owners, Viewer};
use tidegate_venues::{Venue, registry};

/// When everything happens.
pub(super) const NOW: Time = Time::from_millis(1_700_000_000_000);

/// A venue with a small market, made once.
pub(super) struct World {
    pub(super) venue: &'static dyn Venue,
    pub(super) market: Instruments,
    /// What the answers to the usual requests carry.
    pub(super) contexts: Vec<Context>,
}

const BINANCE_MARKET: &str = include_str!("../../../../fuzz/corpus/binance_instruments/market");
const DERIBIT_MARKET: &str = include_str!("../../../../fuzz/corpus/deribit_instruments/market");

/// Requests whose answers the targets read.
const BINANCE_REQUESTS: &[&str] = &[
    "GET /fapi/v1/openOrders?symbol=BTCUSDT&timestamp=1",
    "GET /fapi/v1/userTrades?symbol=BTCUSDT&timestamp=1",
    "GET /fapi/v3/positionRisk?timestamp=1",
    "GET /fapi/v3/balance?timestamp=1",
    "GET /fapi/v1/depth?symbol=BTCUSDT",
    "POST /fapi/v1/order?symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=9000&newClientOrderId=mine&timestamp=1",
    "DELETE /fapi/v1/order?symbol=BTCUSDT&origClientOrderId=mine&timestamp=1",
];
const DERIBIT_REQUESTS: &[&str] = &[
    "GET /api/v2/private/get_open_orders?kind=any",
    "GET /api/v2/private/get_user_trades_by_currency?currency=BTC",
    "GET /api/v2/private/get_positions?currency=BTC",
    "GET /api/v2/private/get_account_summaries",
    "GET /api/v2/public/get_order_book?instrument_name=BTC-PERPETUAL",
    "GET /api/v2/private/buy?instrument_name=BTC-PERPETUAL&amount=10&price=9000&label=mine",
    "GET /api/v2/private/cancel?order_id=1",
];

/// The world of Binance, if the venue is registered.
pub(super) fn binance() -> Option<&'static World> {
    static WORLD: OnceLock<Option<World>> = OnceLock::new();
    WORLD.get_or_init(|| World::new("binance", BINANCE_MARKET, BINANCE_REQUESTS)).as_ref()
}

/// The world of Deribit, if the venue is registered.
pub(super) fn deribit() -> Option<&'static World> {
    static WORLD: OnceLock<Option<World>> = OnceLock::new();
    WORLD.get_or_init(|| World::new("deribit", DERIBIT_MARKET, DERIBIT_REQUESTS)).as_ref()
}

impl World {
    fn new(name: &str, market: &str, requests: &[&str]) -> Option<World> {
        let venue = registry::find(&VenueName::new(name).ok()?)?;
        let list = venue.instruments(&[reply(200, market.as_bytes())]).ok()?;
        let market = Instruments(list.into_iter().map(|i| (i.id.name.clone(), i)).collect());
        assert!(!market.0.is_empty(), "the market of {name} could not be read");
        let parse = |text: &&str| {
            let request = request(text.as_bytes())?;
            let parsed = venue.parse(&request, &market, NOW);
            assert!(parsed.is_ok(), "{text}: {parsed:?}");
            parsed.ok().map(|parsed| parsed.context)
        };
        let contexts = requests.iter().filter_map(parse).collect();
        Some(World { venue, market, contexts })
    }

    /// Shows an answer to a caller that sees its own orders only, and to one that sees all.
    pub(super) fn shown(&self, reply: &Reply) {
        for context in &self.contexts {
            for account_wide in [false, true] {
                as_ann(account_wide, |viewer| {
                    self.venue.pass(context, reply.clone(), viewer);
                });
            }
        }
    }
}

/// An answer without headers.
pub(super) fn reply(status: u16, body: &[u8]) -> Reply {
    Reply { status, headers: Vec::new(), body: body.to_vec() }
}

/// A JSON body, or null.
pub(super) fn json(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_default()
}

/// Reads a request written as `METHOD target`, headers, an empty line and the body.
pub(super) fn request(data: &[u8]) -> Option<RawRequest> {
    let (head, body) = match data.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (data.get(..at)?, data.get(at + 2..)?),
        None => (data, &[][..]),
    };
    // The socket admits text without control characters only, so nothing else is asked here.
    let mut lines = std::str::from_utf8(head).ok()?.lines();
    let (method, target) = lines.next()?.split_once(' ')?;
    let method = match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        _ => return None,
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Some(RawRequest {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: body.to_vec(),
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        certificate: None,
    })
}

/// `ann` owns what ends with an even digit, `bob` what ends with an odd one.
struct Book;

impl Owners for Book {
    fn owner(&self, client_id: Option<&str>, venue_id: Option<&str>) -> Option<Owned> {
        let last = client_id.or(venue_id)?.bytes().last()?;
        let (caller, id) = match last {
            b'0' | b'2' => ("ann", Some("mine")),
            b'4' | b'6' | b'8' => ("ann", None),
            b'1' | b'3' | b'5' | b'7' | b'9' => ("bob", Some("his")),
            _ => return None,
        };
        let caller_id = id.and_then(|id| CallerOrderId::new(id).ok());
        CallerName::new(caller).ok().map(|caller| Owned { caller, caller_id })
    }
}

/// Does something as the caller `ann`.
pub(super) fn as_ann(account_wide: bool, see: impl FnOnce(&Viewer<'_>)) {
    if let Ok(caller) = CallerName::new("ann") {
        see(&Viewer { caller: &caller, account_wide, owners: &Book });
    }
}

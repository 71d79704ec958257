//! Binance USDⓈ-M futures.

mod auth;
mod books;
mod budget;
mod build;
mod depth;
mod errors;
mod fanout;
mod instruments;
mod margin;
mod market;
mod order;
mod outcome;
mod paging;
mod params;
mod parse;
mod pass;
pub mod routes;
mod session;
mod snapshot;
mod stream;
mod terms;
mod wire;

use crate::book::Update;
use crate::fanout::{Depth, Fanout, Memory, Said, Told};
use crate::front::{
    Context, Front, Instruments, Listed, LocalAnswer, Need, Parsed, Read, Session, Viewer, Weakness,
};
use crate::raw::Raw;
use crate::upstream::{
    AccountStream, Allowance, BackOff, BookNews, BuildError, Connections, KeySigner, PublicFeed,
    Units, Unreadable, Upstream,
};
use crate::{NewKey, Venue};
use errors::About;
use params::Params;
use serde_json::Value;
use tidegate_types::call::{Call, CallBody, OrderRef, WireRequest};
use tidegate_types::ids::{BadName, InstrumentName, KeyId, VenueName};
use tidegate_types::instrument::{Instrument, Mark, Usd};
use tidegate_types::limits::MAX_CLOCK_AHEAD;
use tidegate_types::order::OrderName;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::report::{AccountSnapshot, FillReport, Outcome};
use tidegate_types::request::{RawRequest, Reply};
use tidegate_types::secret::Secret;
use tidegate_types::time::Time;
use tidegate_types::venue_terms::VenueTerms;

/// The name in the registry.
const NAME: &str = "binance";

/// Binance USDⓈ-M futures.
#[derive(Debug)]
pub struct Binance {
    name: VenueName,
}

impl Binance {
    /// The venue, if its name is one.
    pub fn new() -> Result<Binance, BadName> {
        VenueName::new(NAME).map(|name| Binance { name })
    }
}

impl Venue for Binance {
    fn name(&self) -> VenueName {
        self.name.clone()
    }

    fn virtual_key(&self, random: &[u8; 64]) -> NewKey {
        let (id, secret) = random.split_at(32);
        let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        NewKey { id: KeyId::hex(id), secret: Secret::new(secret.into_bytes()) }
    }

    fn has_dead_man(&self) -> bool {
        true
    }
}

impl Front for Binance {
    fn routes(&self) -> Vec<Listed> {
        routes::ROUTES.iter().map(routes::Route::listed).collect()
    }

    fn credentials(&self, request: &RawRequest) -> Result<Need, Reject> {
        auth::need(routes::find(request.method, &request.path)?, request)
    }

    fn weakness(&self, request: &RawRequest) -> Option<Weakness> {
        session::key_in_address(request).then_some(Weakness::StreamKeyInAddress)
    }

    fn parse(
        &self,
        request: &RawRequest,
        instruments: &Instruments,
        _now: Time,
    ) -> Result<Parsed, Reject> {
        let route = routes::find(request.method, &request.path)?;
        parse::parse(route, &Params::of(request)?, instruments)
    }

    fn with_order(&self, mut read: Read, order: &OrderRef) -> Read {
        let algo = read.route.ends_with("/algoOrder");
        let (venue, client) =
            if algo { ("algoId", "clientAlgoId") } else { ("orderId", "origClientOrderId") };
        // An order that was conditional has another venue id once it is triggered; asked for by a
        // venue id, that one is meant, and asked for by name, the client id serves for both.
        let named = match &read.order {
            Some(OrderName::Venue { id }) => Some((venue, id.to_string())),
            _ if order.conditional == algo => {
                order.venue_id.as_ref().map(|id| (venue, id.to_string()))
            }
            _ => None,
        };
        let by_client = || order.client_id.as_ref().map(|id| (client, id.to_string()));
        if let Some((name, id)) = named.or_else(by_client) {
            read.params.push((name.to_owned(), id));
        }
        read
    }

    fn pass(&self, context: &Context, reply: Reply, viewer: &Viewer<'_>) -> Reply {
        pass::pass(context, reply, viewer)
    }

    fn answer(&self, context: &Context, answer: &LocalAnswer, _now: Time) -> Reply {
        pass::answer(context, answer)
    }

    fn refuse(
        &self,
        request: Option<&RawRequest>,
        context: Option<&Context>,
        reject: &Reject,
        now: Time,
    ) -> Reply {
        let mut about = context.map(|context| About::context(&context.0)).unwrap_or_default();
        if let Some(request) = request {
            let route = routes::find(request.method, &request.path).ok();
            about.purpose = about.purpose.or(route.map(|route| route.purpose));
            if reject.code == Code::StaleTimestamp {
                about.ahead = is_ahead(request, now);
            }
        }
        errors::reply(reject, about)
    }

    fn open(&self, request: &RawRequest, _now: Time) -> Result<Box<dyn Session>, Reject> {
        session::open(request)
    }
}

fn is_ahead(request: &RawRequest, now: Time) -> bool {
    let sent = Params::of(request).and_then(|sent| sent.whole("timestamp")).ok().flatten();
    sent.is_some_and(|timestamp| timestamp > now.plus(MAX_CLOCK_AHEAD).millis())
}

impl Fanout for Binance {
    fn streams_per_socket(&self) -> usize {
        fanout::STREAMS_PER_SOCKET
    }

    fn line_hello(&self) -> Vec<String> {
        Vec::new()
    }

    fn said(&self, text: &str) -> Option<Said> {
        fanout::said(text)
    }

    fn told(&self, text: &str) -> Told {
        fanout::told(text)
    }

    fn begin(&self, id: u64, streams: &[String]) -> String {
        fanout::begin(id, streams)
    }

    fn end(&self, id: u64, streams: &[String]) -> String {
        fanout::end(id, streams)
    }

    fn joined(&self, id: &Value, _streams: &[String]) -> String {
        fanout::done(id)
    }

    fn left(&self, id: &Value) -> String {
        fanout::done(id)
    }

    fn denied(&self, id: &Value, error: &str) -> String {
        fanout::denied(id, error)
    }

    fn turned_away(&self, id: &Value, reject: &Reject) -> String {
        fanout::turned_away(id, reject)
    }

    fn memory(&self, _stream: &str) -> Option<Box<dyn Memory>> {
        None
    }

    fn depth(&self, stream: &str) -> Option<Box<dyn Depth>> {
        depth::empty(stream)
    }

    fn depth_streams(&self, request: &WireRequest) -> Vec<String> {
        depth::streams(request)
    }
}

impl Upstream for Binance {
    fn connections(&self) -> Connections {
        budget::CONNECTIONS
    }

    fn allowances(&self) -> &'static [Allowance] {
        budget::ALLOWANCES
    }

    fn cost(&self, request: &WireRequest) -> Vec<Units> {
        budget::cost(request)
    }

    fn socket_cost(&self, _text: &str) -> Option<Units> {
        // What is said on its sockets is counted by connection.
        None
    }

    fn is_shareable(&self, request: &WireRequest) -> bool {
        budget::is_shareable(request)
    }

    fn used(&self, reply: &Reply) -> Vec<Units> {
        budget::used(reply)
    }

    fn published_limits(&self, replies: &[Reply]) -> Vec<Units> {
        budget::published(replies)
    }

    fn build(
        &self,
        call: &Call,
        signer: &dyn KeySigner,
        now: Time,
    ) -> Result<WireRequest, BuildError> {
        build::build(call, signer, now)
    }

    fn outcome(&self, body: &CallBody, reply: &Reply, _instruments: &Instruments) -> Outcome {
        outcome::outcome(&self.name, body, reply)
    }

    fn is_counted(&self, request: &WireRequest) -> bool {
        budget::is_counted(request)
    }

    fn back_off(&self, reply: &Reply, _costs: &[Units]) -> Option<BackOff> {
        outcome::back_off(reply)
    }

    fn refuses_time(&self, reply: &Reply) -> bool {
        outcome::refuses_time(reply)
    }

    fn snapshot_parts(&self) -> u32 {
        snapshot::PARTS
    }

    fn snapshot(
        &self,
        replies: &[Reply],
        _instruments: &Instruments,
    ) -> Result<AccountSnapshot, Unreadable> {
        snapshot::snapshot(&self.name, replies)
    }

    fn trades(
        &self,
        reply: &Reply,
        _instruments: &Instruments,
    ) -> Result<Vec<FillReport>, Unreadable> {
        snapshot::trades(&self.name, reply)
    }

    fn rights_call(&self) -> CallBody {
        CallBody::Read { route: build::RIGHTS_ROUTE.to_owned(), params: Vec::new() }
    }

    fn rights(&self, _key_id: &str, reply: &Reply) -> Result<Vec<String>, Unreadable> {
        let answer = snapshot::object(reply)?;
        let granted = answer.iter().filter(|(_, value)| value.truth() == Some(true));
        let granted = granted.map(|(name, _)| name.to_owned()).collect();
        // An answer without the flag for withdrawals is not the one that was asked for.
        match answer.get("enableWithdrawals").and_then(Raw::truth) {
            Some(_) => Ok(granted),
            None => Err(Unreadable("no `enableWithdrawals` among the rights".to_owned())),
        }
    }

    fn may_open_session(&self, rights: &[String]) -> bool {
        rights.iter().all(|right| HARMLESS_RIGHTS.contains(&right.as_str()))
    }

    fn time_request(&self) -> WireRequest {
        WireRequest {
            method: "GET".to_owned(),
            target: "/fapi/v1/time".to_owned(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    fn server_time(&self, reply: &Reply) -> Option<Time> {
        snapshot::object(reply).ok()?.whole("serverTime").map(Time::from_millis)
    }

    fn instrument_requests(&self) -> Vec<WireRequest> {
        vec![WireRequest {
            method: "GET".to_owned(),
            target: "/fapi/v1/exchangeInfo".to_owned(),
            headers: Vec::new(),
            body: String::new(),
        }]
    }

    fn instruments(&self, replies: &[Reply]) -> Result<Vec<Instrument>, Unreadable> {
        instruments::instruments(&self.name, replies)
    }

    fn venue_terms(&self, replies: &[Reply], now: Time) -> Vec<VenueTerms> {
        terms::read(&self.name, replies, now)
    }

    fn told_terms(&self, text: &str, now: Time) -> Vec<VenueTerms> {
        terms::told(&self.name, text, now).into_iter().collect()
    }

    fn mark_feed(&self, _instruments: &Instruments) -> PublicFeed {
        market::feed()
    }

    fn marks(
        &self,
        text: &str,
        instruments: &Instruments,
        now: Time,
    ) -> (Vec<Mark>, Option<String>) {
        (market::marks(text, instruments, now), None)
    }

    fn book_feed(&self) -> PublicFeed {
        books::feed()
    }

    fn book_subscription(&self, instruments: &[InstrumentName], on: bool) -> String {
        books::subscription(instruments, on)
    }

    fn book_snapshot(&self, instrument: &InstrumentName) -> Option<WireRequest> {
        Some(books::request(instrument))
    }

    fn read_book_snapshot(&self, reply: &Reply) -> Result<Update, Unreadable> {
        books::snapshot(reply)
    }

    fn volume_request(&self, instrument: &InstrumentName) -> WireRequest {
        books::volume_request(instrument)
    }

    fn read_volume(&self, reply: &Reply) -> Option<Usd> {
        books::volume(reply)
    }

    fn book_news(&self, text: &str) -> BookNews {
        BookNews { update: books::change(text), answer: None }
    }

    fn account_stream(&self) -> Box<dyn AccountStream> {
        Box::new(stream::UserStream::new(self.name.clone()))
    }
}

/// Rights that neither withdraw nor transfer nor manage keys; any other bars sessions.
const HARMLESS_RIGHTS: &[&str] = &[
    "ipRestrict",
    "enableReading",
    "enableFutures",
    "enableSpotAndMarginTrading",
    "enableMargin",
    "enableVanillaOptions",
    "enableFixApiTrade",
    "enableFixReadOnly",
    "enablePortfolioMarginTrading",
];

#[cfg(test)]
mod tests;

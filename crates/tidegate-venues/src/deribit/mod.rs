//! Deribit: JSON-RPC 2.0 over HTTP and WebSocket. Perpetuals, futures and options.

mod auth;
mod books;
mod budget;
mod build;
mod cancels;
mod channels;
mod context;
mod errors;
mod fanout;
mod instruments;
mod margin;
mod methods;
mod names;
mod orders;
mod outcome;
mod paging;
mod parse;
mod pass;
mod quotes;
mod rows;
mod rpc;
mod session;
mod settlements;
mod snapshot;
mod stream;
mod subscriptions;
mod terms;
#[cfg(test)]
mod testkit;

use crate::book::Update;
use crate::fanout::{Depth, Fanout, Memory, Said, Told};
use crate::front::{
    Context, Front, Instruments, Listed, LocalAnswer, Need, Parsed, Read, Session, Viewer, Weakness,
};
use crate::upstream::{
    AccountLimit, AccountStream, Allowance, BackOff, BookNews, BuildError, Connections, KeySigner,
    PublicFeed, Units, Unreadable, Upstream,
};
use crate::{NewKey, Venue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tidegate_types::call::{Call, CallBody, OrderRef, WireRequest};
use tidegate_types::ids::{BadName, InstrumentName, KeyId, VenueName};
use tidegate_types::instrument::{Instrument, Mark, Usd};
use tidegate_types::options::OptionQuote;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::report::{AccountSnapshot, FillReport, Outcome};
use tidegate_types::request::{Method, RawRequest, Reply};
use tidegate_types::secret::Secret;
use tidegate_types::time::Time;
use tidegate_types::venue_terms::VenueTerms;

/// Deribit.
#[derive(Debug)]
pub struct Deribit {
    name: VenueName,
}

impl Deribit {
    /// The venue, if its name is one.
    pub fn new() -> Result<Deribit, BadName> {
        VenueName::new(names::VENUE).map(|name| Deribit { name })
    }
}

impl Venue for Deribit {
    fn name(&self) -> VenueName {
        self.name.clone()
    }

    fn virtual_key(&self, random: &[u8; 64]) -> NewKey {
        let (id, secret) = random.split_at(32);
        let id: Vec<u8> = id.iter().copied().take(12).collect();
        NewKey {
            id: KeyId::hex(&id),
            secret: Secret::new(URL_SAFE_NO_PAD.encode(secret).into_bytes()),
        }
    }

    fn repeats_order_ids(&self) -> bool {
        true
    }
}

impl Front for Deribit {
    fn routes(&self) -> Vec<Listed> {
        methods::METHODS.iter().map(methods::Method::listed).collect()
    }

    fn credentials(&self, request: &RawRequest) -> Result<Need, Reject> {
        let rpc = rpc::from_http(request).map_err(|unread| unread.reject)?;
        Ok(auth::needed(request, &rpc)?.map_or(Need::Nothing, Need::Credentials))
    }

    fn weakness(&self, request: &RawRequest) -> Option<Weakness> {
        auth::weakness(request)
    }

    fn parse(
        &self,
        request: &RawRequest,
        instruments: &Instruments,
        now: Time,
    ) -> Result<Parsed, Reject> {
        let rpc = rpc::from_http(request).map_err(|unread| unread.reject)?;
        parse::of_http(&rpc, instruments, now)
    }

    fn with_order(&self, mut read: Read, order: &OrderRef) -> Read {
        // Named by the venue's id, the order stays named so: a trigger order has two of them.
        let label = read.params.iter_mut().find(|(name, _)| name == "label");
        if let (Some((_, value)), Some(id)) = (label, &order.client_id) {
            id.as_str().clone_into(value);
        }
        read
    }

    fn pass(&self, context: &Context, reply: Reply, viewer: &Viewer<'_>) -> Reply {
        pass::reply(context, reply, viewer)
    }

    fn answer(&self, context: &Context, answer: &LocalAnswer, now: Time) -> Reply {
        errors::answer(context, answer, now)
    }

    fn refuse(
        &self,
        request: Option<&RawRequest>,
        context: Option<&Context>,
        reject: &Reject,
        now: Time,
    ) -> Reply {
        if let Some(context) = context {
            let (id, method) = (context::id(context), context::method(context));
            return errors::refusal(id, method, reject, context::came(context), now);
        }
        let (id, method) = match request.map(rpc::from_http) {
            Some(Ok(rpc)) => (rpc.id, rpc.method.name),
            Some(Err(unread)) => (unread.id, ""),
            None => (None, ""),
        };
        errors::refusal(id.as_ref(), method, reject, now, now)
    }

    fn open(&self, request: &RawRequest, _now: Time) -> Result<Box<dyn Session>, Reject> {
        let path = request.path.strip_suffix('/').unwrap_or(&request.path);
        if request.method == Method::Get && path == rpc::SOCKET {
            Ok(Box::<session::DeribitSession>::default())
        } else {
            Err(Reject::new(Code::UnknownRoute, ""))
        }
    }
}

impl Fanout for Deribit {
    fn streams_per_socket(&self) -> usize {
        fanout::CHANNELS_PER_SOCKET
    }

    fn line_hello(&self) -> Vec<String> {
        fanout::hello()
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

    fn joined(&self, id: &Value, streams: &[String]) -> String {
        fanout::joined(id, streams)
    }

    fn left(&self, id: &Value) -> String {
        fanout::left(id)
    }

    fn denied(&self, id: &Value, error: &str) -> String {
        fanout::denied(id, error)
    }

    fn turned_away(&self, id: &Value, reject: &Reject) -> String {
        fanout::turned_away(id, reject)
    }

    fn memory(&self, stream: &str) -> Option<Box<dyn Memory>> {
        fanout::memory(stream)
    }

    fn depth(&self, _stream: &str) -> Option<Box<dyn Depth>> {
        // A book's stream begins with the whole book here.
        None
    }

    fn depth_streams(&self, _request: &WireRequest) -> Vec<String> {
        Vec::new()
    }
}

impl Upstream for Deribit {
    fn connections(&self) -> Connections {
        budget::CONNECTIONS
    }

    fn allowances(&self) -> &'static [Allowance] {
        budget::ALLOWANCES
    }

    fn cost(&self, request: &WireRequest) -> Vec<Units> {
        budget::cost(request)
    }

    fn socket_cost(&self, text: &str) -> Option<Units> {
        budget::socket_cost(text)
    }

    fn is_shareable(&self, request: &WireRequest) -> bool {
        budget::is_shareable(request)
    }

    fn used(&self, _reply: &Reply) -> Vec<Units> {
        Vec::new()
    }

    fn published_limits(&self, _replies: &[Reply]) -> Vec<Units> {
        Vec::new()
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
        outcome::outcome(body, reply)
    }

    fn back_off(&self, reply: &Reply, costs: &[Units]) -> Option<BackOff> {
        outcome::back_off(reply, budget::are_orders(costs))
    }

    fn socket_back_off(&self, text: &str) -> Option<BackOff> {
        outcome::socket_back_off(text)
    }

    fn snapshot_parts(&self) -> u32 {
        u32::try_from(build::SNAPSHOT.len()).unwrap_or(u32::MAX)
    }

    fn snapshot(
        &self,
        replies: &[Reply],
        _instruments: &Instruments,
    ) -> Result<AccountSnapshot, Unreadable> {
        snapshot::snapshot(replies)
    }

    fn account_limits(&self, replies: &[Reply]) -> Vec<AccountLimit> {
        budget::account_limits(replies)
    }

    fn trades(
        &self,
        reply: &Reply,
        _instruments: &Instruments,
    ) -> Result<Vec<FillReport>, Unreadable> {
        snapshot::trades(reply)
    }

    fn rights_call(&self) -> CallBody {
        CallBody::Read { route: "private/list_api_keys".into(), params: Vec::new() }
    }

    fn rights(&self, key_id: &str, reply: &Reply) -> Result<Vec<String>, Unreadable> {
        snapshot::rights(key_id, reply)
    }

    fn may_open_session(&self, rights: &[String]) -> bool {
        snapshot::may_open_session(rights)
    }

    fn time_request(&self) -> WireRequest {
        WireRequest {
            method: "GET".into(),
            target: rpc::target("public/get_time", []),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    fn server_time(&self, reply: &Reply) -> Option<Time> {
        let answer: serde_json::Value = serde_json::from_slice(&reply.body).ok()?;
        answer.get("result")?.as_u64().map(Time::from_millis)
    }

    fn instrument_requests(&self) -> Vec<WireRequest> {
        instruments::requests()
    }

    fn instruments(&self, replies: &[Reply]) -> Result<Vec<Instrument>, Unreadable> {
        instruments::read(replies)
    }

    fn venue_terms(&self, replies: &[Reply], now: Time) -> Vec<VenueTerms> {
        terms::read(replies, now)
    }

    fn told_terms(&self, text: &str, now: Time) -> Vec<VenueTerms> {
        terms::told(text, now)
    }

    fn mark_feed(&self, instruments: &Instruments) -> PublicFeed {
        instruments::mark_feed(instruments)
    }

    fn marks(
        &self,
        text: &str,
        instruments: &Instruments,
        _now: Time,
    ) -> (Vec<Mark>, Option<String>) {
        instruments::marks(text, instruments)
    }

    fn option_quotes(&self, text: &str, instruments: &Instruments) -> Vec<OptionQuote> {
        quotes::read(text, instruments)
    }

    fn book_feed(&self) -> PublicFeed {
        books::feed()
    }

    fn book_subscription(&self, instruments: &[InstrumentName], on: bool) -> String {
        books::subscription(instruments, on)
    }

    fn book_snapshot(&self, _instrument: &InstrumentName) -> Option<WireRequest> {
        None
    }

    fn read_book_snapshot(&self, _reply: &Reply) -> Result<Update, Unreadable> {
        Err(Unreadable("snapshots come with subscriptions".into()))
    }

    fn volume_request(&self, instrument: &InstrumentName) -> WireRequest {
        books::volume_request(instrument)
    }

    fn read_volume(&self, reply: &Reply) -> Option<Usd> {
        books::volume(reply)
    }

    fn book_news(&self, text: &str) -> BookNews {
        books::news(text)
    }

    fn account_stream(&self) -> Box<dyn AccountStream> {
        Box::<stream::DeribitStream>::default()
    }
}

#[cfg(test)]
mod tests;

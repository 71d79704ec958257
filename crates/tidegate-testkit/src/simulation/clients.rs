//! Callers that speak their venue's own bytes: their requests are signed with virtual keys and go
//! through the gateway's door (credentials, replay guard, parser), and its answers come back in the
//! venue's words, with the caller's own ids and rows. A client that hears nothing asks again under the
//! same id.

use super::broken::Broken;
use super::keys::Key;
use super::setup::{self, SEATS};
use super::venue::account_place;
use super::wire::Purpose;
use super::world::{Asker, Due, Simulation};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use tidegate_core::action::Answer;
use tidegate_core::event::Event;
use tidegate_core::state::State;
use tidegate_identity::{Keyring, ReplayGuard};
use tidegate_server::edge::Limits;
use tidegate_server::front::{Callers, Who};
use tidegate_types::call::{Call, CallBody, OrderRef, WireRequest};
use tidegate_types::grant::{KeyScheme, VirtualKey};
use tidegate_types::ids::{AccountName, BadName, CallId, CallerName, ClientId, KeyId};
use tidegate_types::key::{KeyTerms, Origin};
use tidegate_types::order::{AmendOrder, Intent, NewOrder, OrderName};
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Method, RawRequest, Reply};
use tidegate_types::secret::Secret;
use tidegate_types::time::{Span, Time};
use tidegate_venues::front::{
    Asked, Context, Instruments, Local, LocalAnswer, Need, Owned, Owners, Viewer,
};
use tidegate_venues::upstream::KeySigner;

/// What each key may ask a second, and at once: the server's own.
const RATE: (u32, u32) = (50, 100);
/// How long a client waits for an answer before it asks again.
const PATIENCE: (u64, u64) = (2_000, 12_000);
/// How often it asks.
const TRIES: u32 = 3;
/// How long a client's signature is good for.
const WINDOW: Span = Span::from_secs(5);

/// A client that waits for an answer.
#[derive(Debug)]
pub(super) struct Question {
    /// Its seat.
    pub(super) seat: usize,
    /// The place of the order it places, in its own list.
    pub(super) place: Option<usize>,
    /// The order that it places, and how often it has asked for it.
    pub(super) order: Option<(Box<NewOrder>, u32)>,
    /// What the answer must carry.
    context: Context,
}

/// What a client wants of the gateway.
#[derive(Debug)]
enum Wish {
    /// One of the venue's calls.
    Call(CallBody),
    /// All of its orders cancelled, of one instrument where the venue asks for that.
    CancelAll(String),
}

/// Whether the caller of this seat speaks the venue's bytes.
pub(super) fn speaks(seat: usize) -> bool {
    seat % 2 == 1
}

/// The virtual key of a seat: its public part and its secret.
fn virtual_key(seat: usize) -> Result<(VirtualKey, String), BadName> {
    let (caller, account) = SEATS.get(seat).copied().unwrap_or(("ann", "main"));
    let key = VirtualKey {
        id: KeyId::new(&format!("{caller}-{account}"))?,
        caller: CallerName::new(caller)?,
        venue: setup::venue(setup::seat_venue(seat))?,
        account: AccountName::new(account)?,
        scheme: KeyScheme::Hmac,
        terms: KeyTerms::default(),
    };
    Ok((key, format!("secret-of-{caller}-at-{account}")))
}

/// The keys of all seats, as the clients hold them.
pub(super) fn client_keys() -> Result<Vec<Key>, String> {
    let made = (0..SEATS.len()).map(|seat| {
        let (key, secret) = virtual_key(seat).map_err(|_| "a bad name")?;
        Ok(Key::held(&key.account, key.id.as_str(), &secret))
    });
    made.collect()
}

/// The door of a gateway that starts: nobody has come through it yet.
pub(super) fn door(now: Time, last_record: Option<Time>) -> Result<Callers, String> {
    let mut keyring = Keyring::new();
    for seat in 0..SEATS.len() {
        let (key, secret) = virtual_key(seat).map_err(|_| "a bad name")?;
        let secret = Secret::new(secret.into_bytes());
        keyring.insert(key, Some(secret)).map_err(|error| error.to_string())?;
    }
    Ok(Callers::new(
        keyring,
        ReplayGuard::new(now, last_record),
        RATE,
        Limits::default(),
        BTreeMap::new(),
    ))
}

/// Whose orders of an account are whose.
struct Rows<'a> {
    state: &'a State,
    account: &'a AccountName,
}

impl Owners for Rows<'_> {
    fn owner(&self, client_id: Option<&str>, venue_id: Option<&str>) -> Option<Owned> {
        let order = self.state.owner(self.account, client_id, venue_id)?;
        let caller_id = order.request.caller_id.clone();
        order.caller.clone().map(|caller| Owned { caller, caller_id })
    }
}

impl Simulation {
    /// A client asks for what its caller wants.
    pub(super) fn client_wants(&mut self, seat: usize, intent: Intent, place: Option<usize>) {
        match intent {
            Intent::New { order } => self.client_places(seat, place, order, 1),
            Intent::Amend { amend } => {
                let Some(order) = reference(&amend.order, amend.instrument.clone(), false) else {
                    return;
                };
                let (Some(side), Some(qty)) = (amend.side, amend.qty) else { return };
                let AmendOrder { trigger_price, post_only, reduce_only, .. } = amend;
                let body = CallBody::Amend {
                    order,
                    side,
                    qty,
                    price: amend.price,
                    trigger_price,
                    post_only,
                    reduce_only,
                    deadline: self.now.plus(WINDOW),
                };
                self.client_asks(seat, Wish::Call(body), None, None);
            }
            Intent::Cancel { cancel } => {
                let conditional = self.trader_waits(seat, &cancel.order);
                if let Some(order) = reference(&cancel.order, cancel.instrument, conditional) {
                    self.client_asks(seat, Wish::Call(CallBody::Cancel { order }), None, None);
                }
            }
            Intent::CancelMany { .. } => {
                let terms = self.venue.terms(setup::seat_venue(seat));
                let symbol = self.rng.pick(&terms).map(|terms| terms.symbol.clone());
                self.client_asks(seat, Wish::CancelAll(symbol.unwrap_or_default()), None, None);
            }
            Intent::Set { .. } | Intent::Guard { .. } => {}
        }
    }

    fn client_places(&mut self, seat: usize, place: Option<usize>, order: NewOrder, tries: u32) {
        let Some(client_id) = order.caller_id.as_ref().map(|id| ClientId::new(id.as_str())) else {
            return;
        };
        let Ok(client_id) = client_id else { return };
        let deadline = self.now.plus(WINDOW);
        let body = CallBody::Place { order: order.clone(), client_id, deadline };
        self.client_asks(seat, Wish::Call(body), place, Some((Box::new(order), tries)));
    }

    /// A client reads something.
    pub(super) fn client_reads(&mut self, seat: usize) {
        let terms = self.venue.terms(setup::seat_venue(seat));
        let symbol = self.rng.pick(&terms).map(|terms| terms.symbol.clone()).unwrap_or_default();
        let (route, params): (&str, Vec<(&str, &str)>) =
            match (setup::seat_venue(seat), self.rng.below(4)) {
                (0, 0) => ("GET /fapi/v1/openOrders", Vec::new()),
                (0, 1) => ("GET /fapi/v1/allOrders", vec![("symbol", &symbol)]),
                (0, 2) => ("GET /fapi/v1/userTrades", vec![("symbol", &symbol)]),
                (0, _) => ("GET /fapi/v1/openAlgoOrders", Vec::new()),
                (_, 0) => ("private/get_open_orders", Vec::new()),
                (_, 1) => ("private/get_order_history_by_currency", vec![("currency", "BTC")]),
                (_, 2) => ("private/get_user_trades_by_currency", vec![("currency", "BTC")]),
                (_, _) => {
                    ("private/get_open_orders_by_instrument", vec![("instrument_name", &symbol)])
                }
            };
        let params = params.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let body = CallBody::Read { route: route.to_owned(), params: params.collect() };
        self.counts.add("reads asked for");
        self.client_asks(seat, Wish::Call(body), None, None);
    }

    /// A client's request on its way: worded, signed, and lost now and then.
    fn client_asks(
        &mut self,
        seat: usize,
        wish: Wish,
        place: Option<usize>,
        order: Option<(Box<NewOrder>, u32)>,
    ) {
        let Some(request) = self.client_signs(seat, wish) else { return };
        self.digest.add(request.target().as_bytes());
        let lost = !self.quiet && self.rng.chance(self.profile.lost);
        if lost || self.gate.is_none() {
            self.counts.add("callers' requests lost");
            return self.client_hears_nothing(seat, place, order);
        }
        let repeated = self.rng.chance(50).then(|| request.clone());
        self.enter(seat, &request, place, order);
        if let Some(request) = repeated {
            self.replay(seat, &request);
        }
    }

    fn client_signs(&self, seat: usize, wish: Wish) -> Option<RawRequest> {
        let venue = setup::seat_venue(seat);
        let key = self.client_keys.get(seat)?;
        let wire = match wish {
            Wish::Call(body) => {
                let call = Call { id: CallId(self.numbers), account: key.account.clone(), body };
                self.dialect(venue).build(&call, key, self.now).ok()?
            }
            Wish::CancelAll(symbol) => cancel_all(venue, key, &symbol, self.now)?,
        };
        raw(wire)
    }

    /// Through the door, as the server's pipeline has it: credentials first, and then the rest.
    fn enter(
        &mut self,
        seat: usize,
        request: &RawRequest,
        place: Option<usize>,
        order: Option<(Box<NewOrder>, u32)>,
    ) {
        let shown = self.clock.shows(self.now);
        let venue = setup::seat_venue(seat);
        let dialect = self.dialect(venue);
        let Some(gate) = &self.gate else { return };
        let who = match dialect.credentials(request) {
            Ok(Need::Credentials(shows)) => {
                match gate.door.authenticate(&dialect.name(), &shows, &here(), shown) {
                    Ok(Who::Proven(who)) => Ok(who),
                    Ok(Who::Nobody | Who::Named(_)) => {
                        Err(Reject::new(Code::MissingCredentials, ""))
                    }
                    Err(reject) => Err(reject),
                }
            }
            Ok(Need::Nothing) => Err(Reject::new(Code::MissingCredentials, "")),
            Err(reject) => Err(reject),
        };
        let none = Instruments::default();
        let known = gate.instruments.get(venue).unwrap_or(&none);
        let parsed = who.and_then(|who| Ok((who, dialect.parse(request, known, shown)?)));
        let (who, parsed) = match parsed {
            Ok(parsed) => parsed,
            Err(reject) => {
                self.counts.add("refused at the door");
                self.say(|| format!("seat {seat} is refused: {reject}"));
                let reply = dialect.refuse(Some(request), None, &reject, shown);
                let (caller, account, shown) = (None, None, None);
                let earlier = Event::RefusedEarlier { caller, account, shown, reject };
                self.give(earlier);
                return self.client_reads_answer(seat, place, &reply);
            }
        };
        let question = Question { seat, place, order, context: parsed.context };
        match parsed.asked {
            Asked::Trade(intent) => {
                let ticket = self.ticket(Asker::Client { question });
                self.give(Event::Submit { ticket, who, session: None, intent });
            }
            Asked::Read(read) => self.read_for(&who, read, question),
            Asked::Local(Local::Fixed(reply)) => {
                let held = self.has_nothing_open(&who, venue);
                self.hold(held);
                self.client_reads_answer(seat, None, &reply);
            }
            other @ (Asked::Batch(_) | Asked::Public(_) | Asked::Local(_)) => {
                self.fail(format!("a client's request is taken for {other:?}"));
            }
        }
    }

    /// A caller is told that there is nothing to cancel: none of its orders is of an instrument that the
    /// gateway does not know yet.
    fn has_nothing_open(&self, who: &Authenticated, venue: usize) -> Result<(), String> {
        let Some(gate) = &self.gate else { return Ok(()) };
        let Some(known) = gate.instruments.get(venue) else { return Ok(()) };
        let mut open = gate.core.state().orders().open_of(who.account());
        let unknown = open.find(|order| {
            let theirs = order.caller.as_ref() == Some(who.caller());
            theirs && known.get(&order.request.instrument.name).is_none()
        });
        match unknown {
            Some(order) => Err(format!("{} is open, and its caller is told of nothing", order.id)),
            None => Ok(()),
        }
    }

    /// A private read: checked against the grant, signed and sent; it is no question for the core.
    fn read_for(
        &mut self,
        who: &Authenticated,
        read: tidegate_venues::front::Read,
        question: Question,
    ) {
        let shown = self.clock.shows(self.now);
        let account = who.account().clone();
        let dialect = self.dialect(setup::seat_venue(question.seat));
        let Some(gate) = &self.gate else { return };
        let allowed = gate.core.authorize_read(who, shown).and_then(|_| {
            let Some(name) = &read.order else { return Ok(read) };
            let found = gate.core.state().find(who, name, None).map(|order| order.reference());
            let found = found.ok_or_else(|| Reject::new(Code::OrderNotFound, ""))?;
            Ok(dialect.with_order(read, &found))
        });
        let read = match allowed {
            Ok(read) => read,
            Err(reject) => {
                self.counts.add("reads refused");
                let reply = dialect.refuse(None, Some(&question.context), &reject, shown);
                return self.client_reads_answer(question.seat, None, &reply);
            }
        };
        let body = CallBody::Read { route: read.route, params: read.params };
        let purpose = Purpose::Read { question: Box::new(question) };
        if self.fetch(&account, body, purpose).is_err() {
            self.counts.add("reads not sent");
        }
    }

    /// The same bytes again, by whoever has seen them: what changes something is not taken twice.
    fn replay(&mut self, seat: usize, request: &RawRequest) {
        let shown = self.clock.shows(self.now);
        let dialect = self.dialect(setup::seat_venue(seat));
        let broken = self.broken(Broken::TakesReplays);
        let fresh = if broken { door(Time::default(), None).ok() } else { None };
        let Some(gate) = &self.gate else { return };
        let Ok(Need::Credentials(shows)) = dialect.credentials(request) else { return };
        let once = match &shows {
            tidegate_types::request::Presented::Signature(signature) => signature.once,
            _ => false,
        };
        let door = fresh.as_ref().unwrap_or(&gate.door);
        let taken = door.authenticate(&dialect.name(), &shows, &here(), shown).is_ok();
        self.counts.add("requests replayed");
        if once && taken {
            self.fail("a signed request is taken twice".to_owned());
        }
    }

    /// The core's answer to a client, in the venue's words.
    pub(super) fn client_is_answered(&mut self, question: Question, answer: Answer) {
        let shown = self.clock.shows(self.now);
        let dialect = self.dialect(setup::seat_venue(question.seat));
        let (mut unheard, context) = (None, &question.context);
        let reply = match answer {
            Answer::Venue { reply, order, placed } => {
                unheard = order.filter(|_| placed);
                self.seen_by(question.seat, context, reply)
            }
            Answer::Cancelled { orders, failed } => {
                let (done, failed) = (orders.len() as u64, failed.len() as u64);
                dialect.answer(context, &LocalAnswer::Cancelled { done, failed }, shown)
            }
            Answer::Done | Answer::Halted { .. } | Answer::Flattened { .. } => {
                dialect.answer(context, &LocalAnswer::Done, shown)
            }
            Answer::Refused { reject } => dialect.refuse(None, Some(context), &reject, shown),
            answer @ (Answer::Pending { .. } | Answer::Denied { .. }) => {
                let why = format!("a caller is answered like an administrator: {answer:?}");
                return self.fail(why);
            }
        };
        let lost = !self.quiet && self.rng.chance(50 + self.profile.deaf);
        if lost {
            self.counts.add("answers that found nobody");
            if let Some(order) = unheard {
                self.give(Event::Unheard { order });
            }
            return self.client_hears_nothing(question.seat, question.place, question.order);
        }
        self.client_reads_answer(question.seat, question.place, &reply);
    }

    /// The venue's answer to a read reaches its client.
    pub(super) fn read_is_answered(&mut self, question: &Question, reply: Reply) {
        self.counts.add("reads answered");
        let reply = self.seen_by(question.seat, &question.context, reply);
        self.client_reads_answer(question.seat, None, &reply);
    }

    /// The venue's answer as the caller of a seat may see it.
    fn seen_by(&self, seat: usize, context: &Context, reply: Reply) -> Reply {
        let (Some((caller, account)), Some(gate)) = (SEATS.get(seat), &self.gate) else {
            return reply;
        };
        let names = (CallerName::new(caller), AccountName::new(account));
        let (Ok(caller), Ok(account)) = names else { return reply };
        if self.broken(Broken::ShowsRowsOfOthers) {
            return reply;
        }
        let owners = Rows { state: gate.core.state(), account: &account };
        let viewer = Viewer { caller: &caller, account_wide: false, owners: &owners };
        self.dialect(setup::seat_venue(seat)).pass(context, reply, &viewer)
    }

    /// What a client reads is its own: its own ids and rows, and nobody's secrets.
    fn client_reads_answer(&mut self, seat: usize, place: Option<usize>, reply: &Reply) {
        let text = String::from_utf8_lossy(&reply.body);
        self.say(|| format!("seat {seat} reads {} {text:.200}", reply.status));
        self.digest.add(&reply.body);
        let held = self.is_own(seat, &text);
        self.hold(held);
        if reply.status == 200 {
            self.counts.add("answers of the venue");
            self.client_knows(seat, place);
        } else {
            self.counts.add("refusals");
        }
    }

    fn is_own(&self, seat: usize, text: &str) -> Result<(), String> {
        let told = |what: &str| Err(format!("seat {seat} reads {what}: {text:.400}"));
        for other in (0..SEATS.len()).filter(|other| *other != seat) {
            if text.contains(&format!("\"c{other}-")) {
                return told("an order id of another caller's");
            }
        }
        if text.contains("\"web_") {
            return told("an order past the gateway");
        }
        if text.contains("\"tge") {
            return told("an id of Tidegate's own");
        }
        let keys = self.keys.iter().chain(&self.client_keys);
        if keys.flat_map(Key::hidden).any(|secret| text.contains(secret)) {
            return told("a key");
        }
        Ok(())
    }

    /// No answer comes. Where an order's id is a key, the client asks again under the same; where it is
    /// a label, it looks what became of it.
    fn client_hears_nothing(
        &mut self,
        seat: usize,
        place: Option<usize>,
        order: Option<(Box<NewOrder>, u32)>,
    ) {
        let Some((order, tries)) = order else { return };
        if tries < TRIES {
            let wait = self.rng.millis(PATIENCE.0, PATIENCE.1);
            self.after(wait, Due::AskAgain { seat, place, order, tries });
        }
    }

    /// The gateway is gone, and with it every answer.
    pub(super) fn client_is_left(&mut self, question: Question) {
        self.client_hears_nothing(question.seat, None, question.order);
    }

    /// A client's patience is at its end.
    pub(super) fn client_asks_again(
        &mut self,
        seat: usize,
        place: Option<usize>,
        order: NewOrder,
        tries: u32,
    ) {
        if setup::seat_venue(seat) == 0 {
            self.counts.add("orders asked for again");
            if let Some(id) = &order.caller_id {
                self.retried.insert((seat, id.to_string()));
            }
            return self.client_places(seat, place, order, tries + 1);
        }
        let Some(label) = order.caller_id.as_ref() else { return };
        let params = vec![
            ("currency".to_owned(), currency(order.instrument.name.as_str()).to_owned()),
            ("label".to_owned(), label.to_string()),
        ];
        let route = "private/get_order_state_by_label".to_owned();
        self.client_asks(seat, Wish::Call(CallBody::Read { route, params }), None, None);
    }

    /// What was asked for again under its id is at the exchange once at most.
    pub(super) fn retries_made_one_order(&self) -> Result<(), String> {
        for (seat, id) in &self.retried {
            let Some((caller, account)) = SEATS.get(*seat) else { continue };
            let sent = self.reference.orders_of(caller, account, id);
            let taken = |sent: &&String| self.venue.accepted(account_place(account), sent);
            let there: Vec<_> = sent.iter().filter(taken).collect();
            if there.len() > 1 {
                return Err(format!("{id} of {caller} was asked for again and is {there:?}"));
            }
        }
        Ok(())
    }
}

/// The currency that the second venue groups an instrument under.
fn currency(name: &str) -> &str {
    match name.split_once('-') {
        Some((pair, _)) if pair.ends_with("_USDC") => "USDC",
        Some((coin, _)) => coin,
        None => "BTC",
    }
}

fn reference(
    name: &OrderName,
    instrument: Option<tidegate_types::ids::InstrumentId>,
    conditional: bool,
) -> Option<OrderRef> {
    let (client_id, venue_id) = match name {
        OrderName::Caller { id } => (Some(ClientId::new(id.as_str()).ok()?), None),
        OrderName::Venue { id } => (None, Some(id.clone())),
        OrderName::Own { .. } => return None,
    };
    Some(OrderRef { instrument: instrument?, client_id, venue_id, conditional })
}

/// The venue's own call to cancel everything, worded and signed by hand.
fn cancel_all(venue: usize, key: &Key, symbol: &str, now: Time) -> Option<WireRequest> {
    let hex = |text: &str| {
        let sig = key.hmac_sha256(text.as_bytes())?;
        Some(sig.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    let (ts, body) = (now.millis(), String::new());
    if venue == 0 {
        let query = format!("symbol={symbol}&recvWindow=5000&timestamp={ts}");
        let target = format!("/fapi/v1/allOpenOrders?{query}&signature={}", hex(&query)?);
        let headers = vec![("x-mbx-apikey".to_owned(), key.key_id().to_owned())];
        return Some(WireRequest { method: "DELETE".to_owned(), target, headers, body });
    }
    let (target, nonce) = ("/api/v2/private/cancel_all".to_owned(), key.nonce());
    let sig = hex(&format!("{ts}\n{nonce}\nGET\n{target}\n\n"))?;
    let id = key.key_id();
    let header = format!("deri-hmac-sha256 id={id},ts={ts},sig={sig},nonce={nonce}");
    let headers = vec![("authorization".to_owned(), header)];
    Some(WireRequest { method: "GET".to_owned(), target, headers, body })
}

/// A request as it comes off the wire.
fn raw(wire: WireRequest) -> Option<RawRequest> {
    let methods = [Method::Get, Method::Post, Method::Put, Method::Delete];
    let method = methods.into_iter().find(|method| method.as_str() == wire.method)?;
    let (path, query) = wire.target.split_once('?').unwrap_or((&wire.target, ""));
    Some(RawRequest {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: wire.headers.clone(),
        body: wire.body.clone().into_bytes(),
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        certificate: None,
    })
}

/// Where every client is.
fn here() -> Origin {
    Origin::from(IpAddr::from([127, 0, 0, 1]))
}

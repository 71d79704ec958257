//! A desk with a real core and journal, a signer that signs anything, and a venue that answers
//! what it is told to.

mod books;
mod clocks;
pub(crate) mod disk;
mod markets;

use super::*;
use futures_util::future::BoxFuture;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tidegate_core::CoreSettings;
use tidegate_core::orders::Stage;
use tidegate_journal::storage::{Disk, Storage};
use tidegate_journal::{CheckpointKey, Journal, Options};
use tidegate_types::call::{Call, CallBody, Warrant, WireRequest};
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::{AccountLimits, Grant, KeyScheme, Pattern, VirtualKey};
use tidegate_types::hours::Window;
use tidegate_types::ids::*;
use tidegate_types::instrument::*;
use tidegate_types::key::KeyTerms;
use tidegate_types::order::*;
use tidegate_types::proof::Signed;
use tidegate_types::record::{Approvals, Durability};
use tidegate_types::request::Reply;
use tidegate_types::time::Span;
use tidegate_vault::client::SignerNews;
use tidegate_vault::signer::protocol::SignAs;
use tidegate_venues::registry;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Error, Message};

pub(crate) const VENUE: &str = "binance";

pub(crate) fn name<T: std::str::FromStr<Err = BadName>>(text: &str) -> T {
    text.parse().unwrap()
}

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Signs everything at once.
struct AnySigner(mpsc::UnboundedSender<SignerNews>);

fn sign(call: &Call, key: String) -> Signed {
    let rights = registry::find(&name(VENUE)).unwrap().rights_call();
    let what = match &call.body {
        body if *body == rights => "rights".to_owned(),
        CallBody::Place { client_id, .. } => format!("place {client_id}"),
        CallBody::Cancel { .. } => "cancel".to_owned(),
        CallBody::Trades { instrument, .. } => format!("trades {}", instrument.name),
        CallBody::Snapshot { part } => format!("snapshot {part}"),
        other => format!("{:?}", other.class()),
    };
    let request = WireRequest {
        method: "POST".to_owned(),
        target: what,
        headers: vec![("key".to_owned(), key)],
        body: String::new(),
    };
    Signed::vouch(call.id, call.body.class(), request)
}

impl Signer for AnySigner {
    fn sign(&self, call: Call, _: Warrant, by: SignAs) {
        let _ = self.0.send(SignerNews::Signed(sign(&call, by.key)));
    }

    fn sign_unrecorded(
        &self,
        account: AccountName,
        body: CallBody,
        by: SignAs,
    ) -> BoxFuture<'_, Result<Signed, Reject>> {
        let call = Call { id: CallId(1 << 63), account, body };
        Box::pin(async move { Ok(sign(&call, by.key)) })
    }
}

/// What the venue does with the next orders.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) refuse_connections: AtomicBool,
    pub(crate) hang: AtomicBool,
    pub(crate) arrived: Mutex<Vec<String>>,
    /// The same with the id of the exchange key that signed it.
    pub(crate) signed_by: Mutex<Vec<(String, String)>>,
    /// The record that must be on disk before an order arrives.
    record: AtomicUsize,
    on_disk_at_arrival: Mutex<Vec<bool>>,
    placed: AtomicUsize,
    journal: std::sync::OnceLock<Arc<Journal>>,
}

/// What it says that every key may do.
const RIGHTS: &str = r#"{"ipRestrict":true,"enableReading":true,"enableFutures":true,
    "enableWithdrawals":false,"permitsUniversalTransfer":false,"enableInternalTransfer":false}"#;

pub(crate) struct PaperVenue(pub(crate) Arc<Told>);

impl Transport for PaperVenue {
    fn send<'a>(
        &'a self,
        request: WireRequest,
        departure: Departure<'a>,
    ) -> BoxFuture<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let told = &self.0;
            if told.refuse_connections.load(Ordering::Relaxed) {
                return Err(Failure::NotSent("refused".to_owned()));
            }
            if !(departure.may_leave)() {
                return Err(Failure::NotSent(CALLED_BACK.to_owned()));
            }
            (departure.left)();
            told.arrived.lock().unwrap().push(request.target.clone());
            // What is public is signed by none.
            if let Some((_, by)) = request.headers.iter().find(|(name, _)| name == "key") {
                told.signed_by.lock().unwrap().push((request.target.clone(), by.clone()));
            }
            let record = Seq(told.record.load(Ordering::Relaxed) as u64);
            let on_disk = told.journal.get().is_some_and(|journal| journal.synced() > record);
            told.on_disk_at_arrival.lock().unwrap().push(on_disk);
            if told.hang.load(Ordering::Relaxed) {
                return Err(Failure::Unknown("broken off".to_owned()));
            }
            let body = match request.target.split_once(' ') {
                Some(("place", client_id)) => {
                    let id = 1000 + told.placed.fetch_add(1, Ordering::Relaxed);
                    accepted(id, client_id)
                }
                // Orders of both kinds, positions; then the account, whose wallets are in a list of its own.
                Some(("snapshot", "3")) => r#"{"assets":[]}"#.to_owned(),
                Some(("snapshot", _)) => "[]".to_owned(),
                None if request.target == "rights" => RIGHTS.to_owned(),
                _ => r#"{"code":-2011,"msg":"Unknown order sent."}"#.to_owned(),
            };
            let status = if body.contains("-2011") { 400 } else { 200 };
            Ok(Reply { status, headers: Vec::new(), body: body.into_bytes() })
        })
    }

    fn socket<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<BoxedSocket, NotOpen>> {
        Box::pin(async { Ok(Box::pin(Torrent::default()) as BoxedSocket) })
    }
}

/// A socket that takes every subscription and says four megabytes a second.
struct Torrent {
    answers: Vec<String>,
    pace: tokio::time::Interval,
}

impl Default for Torrent {
    fn default() -> Torrent {
        Torrent { answers: Vec::new(), pace: tokio::time::interval(Duration::from_millis(1)) }
    }
}

impl futures_util::Stream for Torrent {
    type Item = Result<Message, Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        if let Some(answer) = self.answers.pop() {
            return std::task::Poll::Ready(Some(Ok(Message::text(answer))));
        }
        std::task::ready!(self.pace.poll_tick(context));
        let text = format!(r#"{{"stream":"btcusdt@trade","data":{{"x":"{}"}}}}"#, "y".repeat(4000));
        std::task::Poll::Ready(Some(Ok(Message::text(text))))
    }
}

impl futures_util::Sink<Message> for Torrent {
    type Error = Error;

    fn poll_ready(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn start_send(mut self: std::pin::Pin<&mut Self>, message: Message) -> Result<(), Error> {
        let asked: serde_json::Value = serde_json::from_str(message.to_text()?).unwrap();
        self.answers.push(serde_json::json!({"result": null, "id": asked["id"]}).to_string());
        Ok(())
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_close(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Error>> {
        std::task::Poll::Ready(Ok(()))
    }
}

fn accepted(id: usize, client_id: &str) -> String {
    format!(
        r#"{{"orderId":{id},"symbol":"BTCUSDT","status":"NEW","clientOrderId":"{client_id}",
        "price":"100.00","avgPrice":"0.00","origQty":"1.000","executedQty":"0.000",
        "cumQuote":"0","timeInForce":"GTC","type":"LIMIT","reduceOnly":false,
        "closePosition":false,"side":"BUY","positionSide":"BOTH","stopPrice":"0",
        "workingType":"CONTRACT_PRICE","priceProtect":false,"origType":"LIMIT",
        "updateTime":1700000000000}}"#
    )
}

pub(crate) struct World {
    pub(crate) desk: Arc<Desk>,
    pub(crate) told: Arc<Told>,
    pub(crate) links: Arc<Links>,
    pub(crate) folder: tempfile::TempDir,
    _journal: Arc<Journal>,
}

/// An open account with one caller, who may trade.
pub(crate) async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk::create(&folder.path().join("journal")).unwrap());
    let key = CheckpointKey::new("test", &[7; 32]).unwrap();
    world_on(folder, disk, Options::new(Durability::Disk, key)).await
}

/// The same, with its journal on any storage.
async fn world_on(folder: tempfile::TempDir, storage: Arc<dyn Storage>, options: Options) -> World {
    let told = Arc::new(Told::default());
    let (tell, journal_news) = mpsc::unbounded_channel();
    let notify = Box::new(move |event| drop(tell.send(event)));
    let opened = Journal::open_in(storage, options, &mut |_, _| {}, notify);
    let (journal, appender, _) = opened.unwrap();
    let journal = Arc::new(journal);
    let venue = registry::find(&name(VENUE)).unwrap();
    let link = Link::new(venue, Box::new(PaperVenue(Arc::clone(&told))));
    let links = Arc::new(Links::new([link]));
    let (signed, signer_news) = mpsc::unbounded_channel();
    let core = Core::new(CoreSettings { max_done_orders: 1000, ..CoreSettings::default() });
    let signer = Arc::new(AnySigner(signed));
    let runtime = Handle::current();
    let desk = Desk::new(core, appender, signer, Arc::clone(&links), runtime);
    let _ = told.journal.set(Arc::clone(&journal));
    let (keys, _) = tokio::sync::watch::channel(Vec::new());
    tokio::spawn(Arc::clone(&desk).hear_journal(journal_news));
    tokio::spawn(Arc::clone(&desk).watch_journal("the journal".to_owned()));
    tokio::spawn(Arc::clone(&desk).keep_time());
    tokio::spawn(Arc::clone(&desk).keep_committing());
    tokio::spawn(Arc::clone(&desk).hear_signer(signer_news, Arc::new(keys)));
    set_up(&desk).await;
    World { desk, told, links, folder, _journal: journal }
}

async fn set_up(desk: &Desk) {
    desk.event(Event::Started {
        epoch: "abcdefgh".to_owned(),
        version: "0".to_owned(),
        durability: Durability::Disk,
    });
    let account: AccountName = name("main");
    let changes = [
        Change::DeskSet { desk: name("desk"), approvals: Approvals::One },
        Change::AccountAdded { venue: name(VENUE), account: account.clone() },
        Change::VenueKeyImported { account: account.clone(), key: "k".into(), rights: vec![] },
        Change::CallerAdded { caller: name("ann") },
        Change::KeyAdded { key: virtual_key(), replaces: None },
        Change::GrantSet { grant: grant() },
        Change::LimitsSet { limits: limits() },
    ];
    for change in changes {
        let answer = desk.administer(name("owner"), change).await;
        assert!(matches!(answer, Answer::Done), "{answer:?}");
    }
    let instruments = Instruments([(name("BTCUSDT"), terms())].into());
    desk.publish(&name(VENUE), instruments);
    mark(desk, "100");
    desk.event(Event::StreamUp { account: account.clone() });
    for _ in 0..200 {
        if desk.look(|state| state.accounts()[&account].open && !state.marks().is_empty()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the account did not open");
}

pub(crate) fn virtual_key() -> VirtualKey {
    VirtualKey {
        id: name("key"),
        caller: name("ann"),
        venue: name(VENUE),
        account: name("main"),
        scheme: KeyScheme::Hmac,
        terms: KeyTerms::default(),
    }
}

fn mark(desk: &Desk, price: &str) {
    let price = Price(d(price));
    let mark = Mark { instrument: terms().id, mark: price, index: price, at: clock::now() };
    Sink::marks(desk, vec![mark]);
}

fn terms() -> Instrument {
    Instrument {
        id: InstrumentId { venue: name(VENUE), name: name("BTCUSDT") },
        kind: Kind::Perpetual,
        unit: Unit::Linear,
        base: name("BTC"),
        settlement: name("USDT"),
        index: name("BTCUSDT"),
        contract_size: Qty(Decimal::ONE),
        tick: Price(d("0.1")),
        tick_steps: Vec::new(),
        lot: Qty(d("0.001")),
        min_qty: Qty(d("0.001")),
        max_qty: None,
        open: true,
    }
}

fn grant() -> Grant {
    Grant {
        caller: name("ann"),
        venue: name(VENUE),
        account: name("main"),
        trade: true,
        instruments: vec![Pattern::new("*").unwrap()],
        sides: vec![Side::Buy, Side::Sell],
        order_types: vec![OrderType::Limit],
        reduce_only: false,
        max_order_qty: None,
        max_order_notional: Usd(d("1000000")),
        max_open_notional: Usd(d("1000000")),
        max_daily_notional: None,
        orders_per_second: 1_000_000,
        burst: 1_000_000,
        settings: false,
        account_wide: false,
        window: Window::ALWAYS,
        until: None,
    }
}

fn limits() -> AccountLimits {
    AccountLimits {
        account: name("main"),
        max_order_qty: vec![(Pattern::new("*").unwrap(), Qty(d("1000")))],
        max_order_notional: Usd(d("100000")),
        max_open_notional: Usd(d("10000000")),
        max_position_notional: Usd(d("10000000")),
        max_exposure: Usd(d("10000000")),
        collar_bps: 500,
        option_collar_bps: 500,
        max_mark_age: Span::from_secs(60),
        orders_per_second: 1_000_000,
        burst: 1_000_000,
        repeat_window: Span::ZERO,
        on_repeat: tidegate_types::grant::OnRepeat::Refuse,
        dead_man: Span::ZERO,
    }
}

pub(crate) fn ann() -> Authenticated {
    Authenticated::vouch(name("ann"), name("key"), name(VENUE), name("main"))
}

pub(crate) fn buy(qty: &str, price: &str) -> Intent {
    Intent::New {
        order: NewOrder {
            instrument: terms().id,
            side: Side::Buy,
            order_type: OrderType::Limit,
            qty: Qty(d(qty)),
            price: Some(Price(d(price))),
            trigger: None,
            time_in_force: TimeInForce::GoodTilCancelled,
            post_only: PostOnly::No,
            reduce_only: false,
            self_trade: None,
            caller_id: None,
            valid_until: None,
            full_answer: false,
        },
    }
}

fn code(answer: &Answer) -> Option<Code> {
    match answer {
        Answer::Refused { reject } => Some(reject.code),
        _ => None,
    }
}

#[tokio::test]
async fn an_order_goes_to_the_venue_and_its_answer_comes_back() {
    let world = world().await;
    world.told.on_disk_at_arrival.lock().unwrap().clear();
    let next = world.desk.inner().next_seq();
    world.told.record.store(next.0 as usize, Ordering::Relaxed);
    let answer = world.desk.submit(ann(), None, buy("1", "100")).await;
    let Answer::Venue { reply, order, .. } = answer else { panic!("{answer:?}") };
    assert_eq!(reply.status, 200);
    assert!(order.is_some());
    let placed: Vec<_> = {
        let arrived = world.told.arrived.lock().unwrap();
        arrived.iter().filter(|target| target.starts_with("place tg")).cloned().collect()
    };
    assert_eq!(placed.len(), 1);
    assert_eq!(*world.told.on_disk_at_arrival.lock().unwrap(), [true]);
    let measures = world.desk.measures();
    for stage in [&measures.decision, &measures.signer, &measures.flush, &measures.venue] {
        assert!(stage.quantiles().count > 0);
    }
}

#[tokio::test]
async fn a_caller_that_was_gone_when_its_answer_came_may_ask_again() {
    let world = world().await;
    let named = |id: &str| match buy("1", "100") {
        Intent::New { order } => {
            Intent::New { order: NewOrder { caller_id: Some(name(id)), ..order } }
        }
        other => other,
    };
    drop(world.desk.submit(ann(), None, named("unheard")));
    for _ in 0..200 {
        if world.desk.look(|state| state.orders().open().any(|o| o.stage == Stage::Live)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // This venue knows of no order when asked; what counts is that it was asked.
    let again = world.desk.submit(ann(), None, named("unheard")).await;
    assert_eq!(code(&again), Some(Code::OutcomeUnknown));
    assert_eq!(world.told.placed.load(Ordering::Relaxed), 1);
    let heard = world.desk.submit(ann(), None, named("heard")).await;
    assert!(matches!(heard, Answer::Venue { placed: true, .. }), "{heard:?}");
    let Intent::New { order } = named("heard") else { panic!() };
    let another = Intent::New { order: NewOrder { side: Side::Sell, ..order } };
    let again = world.desk.submit(ann(), None, another).await;
    assert_eq!(code(&again), Some(Code::DuplicateOrderId));
    assert_eq!(world.told.placed.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_refusal_reaches_no_venue() {
    let world = world().await;
    let answer = world.desk.submit(ann(), None, buy("1", "150")).await;
    assert_eq!(code(&answer), Some(Code::PriceCollar));
    let arrived = world.told.arrived.lock().unwrap();
    assert!(arrived.iter().all(|target| !target.starts_with("place")), "{arrived:?}");
}

#[tokio::test]
async fn an_order_that_came_longer_ago_than_its_caller_would_wait_is_not_sent() {
    let world = world().await;
    let came = |ms: u64| ann().came_at(clock::now().minus(Span::from_millis(ms)));
    let late = world.desk.submit(came(2_000), None, buy("1", "100")).await;
    assert_eq!(code(&late), Some(Code::WaitedTooLong), "{late:?}");
    assert_eq!(world.told.placed.load(Ordering::Relaxed), 0);
    assert_eq!(world.desk.look(|state| state.orders().open().count()), 0);
    let in_time = world.desk.submit(came(100), None, buy("1", "100")).await;
    assert!(matches!(in_time, Answer::Venue { placed: true, .. }), "{in_time:?}");
}

#[tokio::test]
async fn what_did_not_leave_is_told_apart_from_what_may_have_arrived() {
    let world = world().await;
    world.told.refuse_connections.store(true, Ordering::Relaxed);
    let answer = world.desk.submit(ann(), None, buy("1", "100")).await;
    assert_eq!(code(&answer), Some(Code::VenueUnreachable));
    assert_eq!(world.desk.look(|state| state.orders().open().count()), 0);

    world.told.refuse_connections.store(false, Ordering::Relaxed);
    world.told.hang.store(true, Ordering::Relaxed);
    let answer = world.desk.submit(ann(), None, buy("1", "100")).await;
    assert_eq!(code(&answer), Some(Code::OutcomeUnknown));
    assert_eq!(world.desk.look(|state| state.orders().open().count()), 1, "it may be live");
}

#[tokio::test]
async fn marks_reach_the_core_at_most_once_an_interval() {
    let world = world().await;
    let before = world.desk.look(|state| state.marks()[&terms().id].at);
    for price in ["101", "102", "103"] {
        mark(&world.desk, price);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let interval = Duration::from_micros(tidegate_types::limits::MARK_INTERVAL.micros());
    tokio::time::sleep(interval + Duration::from_millis(150)).await;
    let seen = world.desk.look(|state| state.marks()[&terms().id].clone());
    assert_eq!(seen.mark, Price(d("103")), "the newest counts");
    assert!(seen.at > before);
}

#[test]
fn a_halt_gets_in_while_the_event_loop_is_busy() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let (halted, on) = std::sync::mpsc::channel();
    let flag = Arc::clone(&stop);
    runtime.block_on(async move {
        let world = world().await;
        let desk = Arc::clone(&world.desk);
        let other = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            let began = Instant::now();
            // Not awaited: in force means refused from here on.
            let proof = desk.halt(name("owner"), Scope::All, "test".to_owned(), false, false);
            let took = began.elapsed();
            drop(proof);
            halted.send(took).unwrap();
            std::thread::sleep(Duration::from_millis(100));
            flag.store(true, Ordering::Relaxed);
        });
        // Never yields to the runtime: the loop is as busy as it can be.
        let (mut passed_after, mut answers) = (0, Vec::new());
        while !stop.load(Ordering::Relaxed) {
            let halted = world.desk.look(|state| state.halts().contains_key(&Scope::All));
            let before = world.desk.look(|state| state.orders().open().count());
            answers.push(Box::pin(world.desk.submit(ann(), None, buy("0.001", "100"))));
            let after = world.desk.look(|state| state.orders().open().count());
            passed_after += usize::from(halted && after > before);
        }
        other.join().unwrap();
        assert!(answers.len() > 100, "the loop was busy: {}", answers.len());
        assert_eq!(passed_after, 0, "no order passes once halted");
    });
    let took = on.recv().unwrap();
    assert!(took < Duration::from_millis(50), "{took:?}");
}

#[test]
fn a_gateway_that_starts_knows_the_instruments_of_its_journal() {
    let mut core = Core::new(CoreSettings::default());
    let body = tidegate_types::record::Body::Instruments {
        venue: name(VENUE),
        instruments: vec![terms()],
    };
    core.replay(Seq(0), &tidegate_types::record::Record { at: clock::now(), body });
    let books = books_of(core.state());
    let book = books.get(&name::<VenueName>(VENUE)).unwrap();
    assert_eq!(book.get(&terms().id.name), Some(&terms()));
}

use super::*;
use crate::desk::Signing;
use crate::upstream::scripted::link;
use futures_util::{SinkExt, StreamExt};
use std::collections::BTreeSet;
use std::sync::Mutex;
use tidegate_types::call::CallBody;
use tidegate_types::ids::{AccountName, VenueName};
use tidegate_types::instrument::{Mark, Price};
use tidegate_types::options::OptionQuote;
use tidegate_types::reject::{Code, Reject};
use tidegate_venues::front::Instruments;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

/// Wants these books, and takes events down.
struct Wants(Mutex<BTreeSet<InstrumentId>>, mpsc::UnboundedSender<Event>);

impl Sink for Wants {
    fn event(&self, event: Event) {
        let _ = self.1.send(event);
    }
    fn marks(&self, _marks: Vec<Mark>) {}
    fn option_quotes(&self, _quotes: Vec<OptionQuote>) {}
    fn frame(&self, _account: &AccountName, _frame: &str) {}
    fn instruments(&self, _venue: &VenueName) -> Arc<Instruments> {
        Arc::default()
    }
    fn books_wanted(&self, _venue: &VenueName) -> BTreeSet<InstrumentId> {
        self.0.lock().unwrap().clone()
    }
    fn index(&self, _: &InstrumentId) -> Option<Price> {
        None
    }
    fn sign<'a>(&'a self, _account: &'a AccountName, _body: CallBody) -> Signing<'a> {
        Box::pin(async { Err(Reject::new(Code::SignerRefused, "nothing is signed here")) })
    }
}

type Venue = WebSocketStream<DuplexStream>;
type Told = mpsc::UnboundedReceiver<Event>;

fn instrument() -> InstrumentId {
    let venue = VenueName::new("deribit").unwrap();
    InstrumentId { venue, name: InstrumentName::new("BTC-PERPETUAL").unwrap() }
}

fn message(data: &str) -> Message {
    let text = format!(
        r#"{{"method":"subscription","params":{{"channel":"book.BTC-PERPETUAL.100ms","data":{{"instrument_name":"BTC-PERPETUAL",{data},"bids":[],"asks":[]}}}}}}"#
    );
    Message::text(text)
}

fn snapshot(number: u64) -> Message {
    message(&format!(r#""type":"snapshot","change_id":{number}"#))
}

fn change(after: u64, number: u64) -> Message {
    message(&format!(r#""type":"change","prev_change_id":{after},"change_id":{number}"#))
}

/// A venue that is followed, over as many sockets as there are.
async fn followed(sockets: usize) -> (Arc<Wants>, Told, Vec<Venue>) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..sockets {
        let (near, far) = tokio::io::duplex(1 << 16);
        ours.push(near);
        theirs.push(WebSocketStream::from_raw_socket(far, Role::Server, None).await);
    }
    let (events, told) = mpsc::unbounded_channel();
    let sink = Arc::new(Wants(Mutex::new([instrument()].into()), events));
    tokio::spawn(follow_books(Arc::clone(&sink) as Arc<dyn Sink>, link("deribit", ours)));
    (sink, told, theirs)
}

/// The next method that the venue is asked for, heartbeats aside.
async fn asked(venue: &mut Venue) -> String {
    loop {
        let said = venue.next().await.unwrap().unwrap();
        let Message::Text(said) = said else { continue };
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let method = said["method"].as_str().unwrap();
        if method != "public/set_heartbeat" {
            assert_eq!(said["params"]["channels"][0], "book.BTC-PERPETUAL.100ms");
            return method.to_owned();
        }
    }
}

async fn whole(told: &mut Told) {
    match told.recv().await.unwrap() {
        Event::BookWhole { instrument: of } => assert_eq!(of, instrument()),
        other => panic!("{other:?}"),
    }
}

async fn lost(told: &mut Told) -> String {
    match told.recv().await.unwrap() {
        Event::BookLost { instrument: of, why } => {
            assert_eq!(of, instrument());
            why
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_missing_change_is_told_and_the_book_begun_anew() {
    let (_sink, mut told, mut sockets) = followed(1).await;
    let venue = &mut sockets[0];
    assert_eq!(asked(venue).await, "public/subscribe");
    venue.send(snapshot(10)).await.unwrap();
    whole(&mut told).await;
    venue.send(change(10, 11)).await.unwrap();
    venue.send(change(12, 13)).await.unwrap();
    assert_eq!(lost(&mut told).await, "changes are missing between 11 and 12");
    assert_eq!(asked(venue).await, "public/unsubscribe");
    assert_eq!(asked(venue).await, "public/subscribe");
    // The old subscription may have more to tell; lost once, lost is not told again.
    venue.send(change(13, 14)).await.unwrap();
    venue.send(snapshot(20)).await.unwrap();
    whole(&mut told).await;
}

#[tokio::test]
async fn a_socket_that_breaks_loses_what_was_whole() {
    let (_sink, mut told, mut sockets) = followed(2).await;
    let mut second = sockets.pop().unwrap();
    let mut first = sockets.pop().unwrap();
    assert_eq!(asked(&mut first).await, "public/subscribe");
    first.send(snapshot(10)).await.unwrap();
    whole(&mut told).await;
    first.close(None).await.unwrap();
    assert!(lost(&mut told).await.contains("closed"));
    assert_eq!(asked(&mut second).await, "public/subscribe");
    second.send(snapshot(11)).await.unwrap();
    whole(&mut told).await;
}

#[tokio::test]
async fn a_venue_that_cannot_be_followed_is_no_lost_book() {
    let (_sink, mut told, _) = followed(0).await;
    let some_tries = tokio::time::timeout(Duration::from_secs(2), told.recv());
    assert!(some_tries.await.is_err(), "there never was a book");
}

#[tokio::test]
async fn a_book_that_is_wanted_no_more_is_let_go_without_a_word() {
    let (sink, mut told, mut sockets) = followed(1).await;
    let venue = &mut sockets[0];
    assert_eq!(asked(venue).await, "public/subscribe");
    venue.send(snapshot(10)).await.unwrap();
    whole(&mut told).await;
    sink.0.lock().unwrap().clear();
    assert_eq!(asked(venue).await, "public/unsubscribe");
    // Nothing is wanted: the socket is given up.
    while let Some(Ok(_)) = venue.next().await {}
    assert!(told.try_recv().is_err());
}

#[test]
fn the_depth_of_an_option_that_is_paid_in_coin_is_of_its_underlying_at_the_index() {
    use tidegate_types::instrument::{Kind, Qty};
    let d = |text: &str| text.parse::<Decimal>().unwrap();
    let expiry = Time::from_millis(1_800_000_000_000);
    let terms = Instrument {
        id: instrument(),
        kind: Kind::Option { expiry, strike: Price(d("60000")), call: true },
        unit: Unit::CoinOption,
        base: "BTC".parse().unwrap(),
        settlement: "BTC".parse().unwrap(),
        index: "btc_usd".parse().unwrap(),
        contract_size: Qty(d("1")),
        tick: Price(d("0.0001")),
        tick_steps: Vec::new(),
        lot: Qty(d("0.1")),
        min_qty: Qty(d("0.1")),
        max_qty: None,
        open: true,
    };
    let level = |price: &str, qty: &str| Level { price: Price(d(price)), qty: Qty(d(qty)) };
    let (bids, asks) = (vec![level("0.05", "2.5"), level("0.04", "9")], vec![level("0.06", "3")]);
    let mut book = Book::default();
    book.apply(Update { after: None, number: 1, bids, asks }).unwrap();
    let shown = liquidity(&terms, &book, Some(Price(d("60000"))), expiry);
    assert_eq!(
        (shown.bid_depth, shown.ask_depth),
        (Some(Usd(d("150000"))), Some(Usd(d("180000"))))
    );
    assert_eq!(
        liquidity(&terms, &book, None, expiry).depth(),
        None,
        "nothing is known of its coin"
    );
}

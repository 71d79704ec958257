use super::*;
use crate::desk::{Signing, Sink};
use crate::upstream::scripted::link;
use futures_util::{SinkExt, StreamExt};
use std::collections::BTreeSet;
use std::sync::Arc;
use tidegate_core::event::Event;
use tidegate_types::call::CallBody;
use tidegate_types::ids::{AccountName, InstrumentId, VenueName};
use tidegate_types::instrument::{Mark, Price};
use tidegate_types::options::OptionQuote;
use tidegate_types::reject::{Code, Reject};
use tidegate_venues::front::Instruments;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

/// Takes events down, and has nothing signed.
struct Listener(mpsc::UnboundedSender<Event>);

impl Sink for Listener {
    fn event(&self, event: Event) {
        let _ = self.0.send(event);
    }
    fn marks(&self, _marks: Vec<Mark>) {}
    fn option_quotes(&self, _quotes: Vec<OptionQuote>) {}
    fn frame(&self, _account: &AccountName, _frame: &str) {}
    fn instruments(&self, _venue: &VenueName) -> Arc<Instruments> {
        Arc::default()
    }
    fn books_wanted(&self, _venue: &VenueName) -> BTreeSet<InstrumentId> {
        BTreeSet::new()
    }
    fn index(&self, _: &InstrumentId) -> Option<Price> {
        None
    }
    fn sign<'a>(&'a self, _account: &'a AccountName, _body: CallBody) -> Signing<'a> {
        Box::pin(async { Err(Reject::new(Code::SignerRefused, "the key may withdraw")) })
    }
}

#[tokio::test]
async fn a_stream_that_cannot_open_says_why_and_is_tried_again() {
    let (ours, _theirs) = tokio::io::duplex(4096);
    let (events, mut told) = mpsc::unbounded_channel();
    let account = AccountName::new("main").unwrap();
    let following =
        follow_account(Arc::new(Listener(events)), link("deribit", vec![ours]), account);
    tokio::spawn(following);
    let mut reasons = Vec::new();
    for _ in 0..3 {
        match told.recv().await.unwrap() {
            Event::StreamDown { why, .. } => reasons.push(why),
            other => panic!("{other:?}"),
        }
    }
    assert!(reasons[0].contains("TG702"), "{reasons:?}");
    assert_eq!(reasons[1..], ["nobody listens", "nobody listens"]);
}

#[test]
fn pauses_grow_to_their_limit_and_begin_anew_after_a_steady_time() {
    let mut pause = Pause::default();
    let waited = [0, 0, 0, 0, 0, 0, 0, 60].map(|up| pause.next(Duration::from_secs(up), 1000));
    assert_eq!((waited[0], waited[1]), (PAUSE, PAUSE * 2));
    assert_eq!((waited[6], waited[7]), (PAUSE_AT_MOST, PAUSE));
    assert_eq!(pause.next(Duration::ZERO, 0), PAUSE);
}

#[tokio::test]
async fn a_ping_is_answered_while_waiting_for_a_text() {
    let (ours, theirs) = tokio::io::duplex(4096);
    let mut socket: BoxedSocket =
        Box::pin(WebSocketStream::from_raw_socket(ours, Role::Client, None).await);
    let mut venue = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
    venue.send(Message::Ping("are you there".into())).await.unwrap();
    venue.send(Message::text("hello")).await.unwrap();
    assert_eq!(read_after(SILENCE, &mut socket).await.unwrap(), "hello");
    assert_eq!(venue.next().await.unwrap().unwrap(), Message::Pong("are you there".into()));
    venue.close(None).await.unwrap();
    assert!(read_after(SILENCE, &mut socket).await.unwrap_err().contains("closed"));
}

#[tokio::test]
async fn a_venue_that_went_away_without_a_word_is_noticed() {
    let (ours, theirs) = tokio::io::duplex(4096);
    let (link, silence) = (link("deribit", vec![ours]), Duration::from_millis(200));
    let mut socket = open(&link, None, "/").await.unwrap();
    // One that answers pings may be silent for as long as it likes.
    let mut venue = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
    let answering = async {
        while let Some(Ok(_)) = venue.next().await {
            venue.flush().await.unwrap();
        }
    };
    let waited = tokio::select! {
        () = answering => panic!("the socket closed"),
        waited = tokio::time::timeout(silence * 10, read_after(silence, &mut socket.stream)) => waited,
    };
    assert!(waited.is_err(), "{waited:?}");
    // One that is gone is given up.
    let why = read_after(silence, &mut socket.stream).await.unwrap_err();
    assert!(why.contains("answers no ping"), "{why}");
}

#[tokio::test]
async fn no_more_sockets_are_opened_than_the_venue_takes_from_an_address() {
    let (ours, theirs): (Vec<_>, Vec<_>) = (0..40).map(|_| tokio::io::duplex(4096)).unzip();
    let link = link("deribit", ours);
    let most = link.venue().connections();
    let mut open_now = Vec::new();
    let why = loop {
        match open(&link, None, "/").await {
            Ok(socket) => open_now.push(socket),
            Err(why) => break why,
        }
    };
    assert_eq!(
        open_now.len(),
        most.own_sockets + most.sockets,
        "those of callers where they are free"
    );
    assert!(why.contains("from one address are in use") && why.contains("egress"), "{why}");
    open_now.pop();
    assert!(open(&link, None, "/").await.is_ok(), "a closed one leaves its place");
    drop(theirs);
}

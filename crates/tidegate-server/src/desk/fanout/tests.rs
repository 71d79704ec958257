use super::*;
use crate::upstream::scripted::link;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

mod credits;
mod depths;

type VenueEnd = WebSocketStream<DuplexStream>;

/// Long enough on any machine.
const SOON: Duration = Duration::from_secs(20);

fn stranger() -> Follower {
    Follower::Peer([10, 0, 0, 1].into())
}

async fn venue(theirs: DuplexStream) -> VenueEnd {
    WebSocketStream::from_raw_socket(theirs, Role::Server, None).await
}

async fn asked(venue: &mut VenueEnd) -> Value {
    let heard = timeout(SOON, venue.next()).await.unwrap().unwrap().unwrap();
    serde_json::from_str(heard.to_text().unwrap()).unwrap()
}

async fn say(venue: &mut VenueEnd, text: impl Into<String>) {
    venue.send(Message::text(text.into())).await.unwrap();
}

async fn heard(member: &mut Membership) -> Option<String> {
    timeout(SOON, member.next()).await.unwrap().map(|text| text.to_string())
}

fn join(id: u64, streams: &[&str]) -> String {
    json!({"method": "SUBSCRIBE", "params": streams, "id": id}).to_string()
}

fn leave(id: u64, streams: &[&str]) -> String {
    json!({"method": "UNSUBSCRIBE", "params": streams, "id": id}).to_string()
}

fn done(id: u64) -> String {
    json!({"result": null, "id": id}).to_string()
}

fn trade(n: u64) -> String {
    json!({"stream": "btcusdt@trade", "data": {"t": n}}).to_string()
}

#[tokio::test]
async fn one_subscription_serves_everybody_until_the_last_has_left() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (link, mut venue) = (link("binance", vec![ours]), venue(theirs).await);
    let mut first = link.follow("/stream", stranger()).unwrap();
    assert!(first.say(join(7, &["btcusdt@trade"])));
    let ask = asked(&mut venue).await;
    assert_eq!((&ask["method"], &ask["params"]), (&json!("SUBSCRIBE"), &json!(["btcusdt@trade"])));
    say(&mut venue, done(ask["id"].as_u64().unwrap())).await;
    assert_eq!(heard(&mut first).await, Some(done(7)), "under its own id");

    // The others cost the venue nothing.
    let mut others: Vec<Membership> =
        (0..49).map(|_| link.follow("/stream", stranger()).unwrap()).collect();
    for other in &mut others {
        assert!(other.say(join(8, &["btcusdt@trade"])));
        assert_eq!(heard(other).await, Some(done(8)));
    }
    say(&mut venue, trade(1)).await;
    assert_eq!(heard(&mut first).await, Some(trade(1)));
    for other in &mut others {
        assert_eq!(heard(other).await, Some(trade(1)));
    }
    assert!(first.say(leave(9, &["btcusdt@trade"])));
    assert_eq!(heard(&mut first).await, Some(done(9)));
    say(&mut venue, trade(2)).await;
    assert_eq!(heard(&mut others[0]).await, Some(trade(2)));
    assert!(first.ready().is_none(), "who left is told no more");
    drop(others);
    let end = asked(&mut venue).await;
    assert_eq!(
        (&end["method"], &end["params"]),
        (&json!("UNSUBSCRIBE"), &json!(["btcusdt@trade"]))
    );
    // Then nothing is left to carry, and the socket is closed.
    let over = timeout(SOON, venue.next()).await.unwrap();
    assert!(matches!(over, None | Some(Ok(Message::Close(_)))), "{over:?}");
}

#[tokio::test]
async fn the_venue_s_error_is_told_to_who_asked_alone() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (link, mut venue) = (link("binance", vec![ours]), venue(theirs).await);
    let mut good = link.follow("/stream", stranger()).unwrap();
    let mut bad = link.follow("/stream", stranger()).unwrap();
    assert!(bad.say(join(1, &["nope@trade"])));
    let ask = asked(&mut venue).await;
    assert!(good.say(join(2, &["btcusdt@trade"])));
    let error = json!({"error": {"code": 2, "msg": "Invalid"}, "id": ask["id"]});
    say(&mut venue, error.to_string()).await;
    let told: Value = serde_json::from_str(&heard(&mut bad).await.unwrap()).unwrap();
    assert_eq!(told, json!({"error": {"code": 2, "msg": "Invalid"}, "id": 1}));
    let ask = asked(&mut venue).await;
    say(&mut venue, done(ask["id"].as_u64().unwrap())).await;
    assert_eq!(heard(&mut good).await, Some(done(2)));
}

#[tokio::test]
async fn subscriptions_are_said_one_after_another_and_those_of_one_member_hold_up_nobody() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (link, mut venue) = (link("deribit", vec![ours]), venue(theirs).await);
    let greedy = link.follow("/ws", stranger()).unwrap();
    let subscribe = |id: u64, channel: String| {
        let params = json!({"channels": [channel]});
        json!({"jsonrpc": "2.0", "id": id, "method": "public/subscribe", "params": params})
            .to_string()
    };
    for n in 0..9 {
        assert!(greedy.say(subscribe(n, format!("trades.A{n}.100ms"))));
    }
    let mut modest = link.follow("/ws", Follower::Peer([10, 9, 9, 9].into())).unwrap();
    assert!(modest.say(subscribe(9, "trades.B.100ms".to_owned())));
    let mut order = Vec::new();
    while order.len() < 10 {
        let ask = asked(&mut venue).await;
        let Some(channels) = ask["params"].get("channels") else { continue };
        let answer = json!({"jsonrpc": "2.0", "id": ask["id"], "result": channels});
        order.push(channels[0].as_str().unwrap().to_owned());
        say(&mut venue, answer.to_string()).await;
    }
    let place = order.iter().position(|channel| channel == "trades.B.100ms").unwrap();
    assert!(place < 5, "its turn comes long before the other is through: {order:?}");
    order.remove(place);
    assert!(order.is_sorted(), "none is lost, and all of one member are in order: {order:?}");
    assert!(heard(&mut modest).await.unwrap().contains("trades.B.100ms"));
}

#[tokio::test]
async fn a_newcomer_begins_with_the_book_and_a_gap_begins_it_anew_for_all() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (link, mut venue) = (link("deribit", vec![ours]), venue(theirs).await);
    let channel = "book.BTC-PERPETUAL.100ms";
    let subscribe = json!({
        "jsonrpc": "2.0", "id": 1, "method": "public/subscribe", "params": {"channels": [channel]},
    });
    let told = |kind: &str, after: Option<u64>, change: u64| {
        let data = json!({
            "type": kind, "timestamp": 1, "instrument_name": "BTC-PERPETUAL", "change_id": change,
            "prev_change_id": after, "bids": [["new", change, 10]], "asks": [],
        });
        let params = json!({"channel": channel, "data": data});
        json!({"jsonrpc": "2.0", "method": "subscription", "params": params}).to_string()
    };
    let mut first = link.follow("/ws", stranger()).unwrap();
    assert!(first.say(subscribe.to_string()));
    let ask = loop {
        let ask = asked(&mut venue).await;
        if ask["method"] == "public/subscribe" {
            break ask;
        }
    };
    let answer = json!({"jsonrpc": "2.0", "id": ask["id"], "result": [channel]}).to_string();
    say(&mut venue, answer).await;
    say(&mut venue, told("snapshot", None, 5)).await;
    say(&mut venue, told("change", Some(5), 6)).await;
    assert!(heard(&mut first).await.unwrap().contains("result"));
    assert!(heard(&mut first).await.unwrap().contains("snapshot"));
    assert!(heard(&mut first).await.unwrap().contains("change"));

    let mut second = link.follow("/ws", stranger()).unwrap();
    assert!(second.say(subscribe.to_string()));
    assert!(heard(&mut second).await.unwrap().contains("result"));
    let state: Value = serde_json::from_str(&heard(&mut second).await.unwrap()).unwrap();
    let data = &state["params"]["data"];
    assert_eq!((&data["type"], &data["change_id"]), (&json!("snapshot"), &json!(6)));
    assert_eq!(data["bids"], json!([["new", 6, 10], ["new", 5, 10]]));

    // One change is missing: nobody is told a book that the venue does not have.
    say(&mut venue, told("change", Some(7), 8)).await;
    assert_eq!(asked(&mut venue).await["method"], "public/unsubscribe");
    assert_eq!(asked(&mut venue).await["method"], "public/subscribe");
    say(&mut venue, told("snapshot", None, 9)).await;
    for member in [&mut first, &mut second] {
        let text = heard(member).await.unwrap();
        assert!(text.contains("snapshot") && text.contains("\"change_id\":9"), "{text}");
    }
}

#[tokio::test]
async fn a_socket_of_the_venue_s_that_closes_ends_those_who_were_told_over_it() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (again, theirs_again) = tokio::io::duplex(1 << 16);
    let (link, mut first_venue) = (link("binance", vec![ours, again]), venue(theirs).await);
    let mut told = link.follow("/stream", stranger()).unwrap();
    let mut idle = link.follow("/stream", stranger()).unwrap();
    assert!(told.say(join(1, &["btcusdt@trade"])));
    let _ = asked(&mut first_venue).await;
    drop(first_venue);
    assert_eq!(heard(&mut told).await, None);
    assert_eq!(told.why().code, Code::VenueUnreachable);
    // Whoever asked for nothing there stays, and another socket is opened.
    let mut venue = venue(theirs_again).await;
    assert!(idle.say(join(2, &["btcusdt@trade"])));
    let ask = asked(&mut venue).await;
    say(&mut venue, done(ask["id"].as_u64().unwrap())).await;
    assert_eq!(heard(&mut idle).await, Some(done(2)));
}

#[tokio::test]
async fn who_does_not_keep_up_is_cut_off_and_nobody_waits_for_it() {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let (link, mut venue) = (link("binance", vec![ours]), venue(theirs).await);
    let mut quick = link.follow("/stream", stranger()).unwrap();
    let mut slow = link.follow("/stream", stranger()).unwrap();
    assert!(quick.say(join(1, &["btcusdt@trade"])));
    let ask = asked(&mut venue).await;
    say(&mut venue, done(ask["id"].as_u64().unwrap())).await;
    assert_eq!(heard(&mut quick).await, Some(done(1)));
    assert!(slow.say(join(2, &["btcusdt@trade"])));
    assert_eq!(heard(&mut slow).await, Some(done(2)));
    let count = MAX_WS_BACKLOG as u64 + 10;
    for n in 0..count {
        say(&mut venue, trade(n)).await;
        assert_eq!(heard(&mut quick).await, Some(trade(n)));
    }
    for n in 0..MAX_WS_BACKLOG as u64 {
        assert_eq!(heard(&mut slow).await, Some(trade(n)), "what was told before is still there");
    }
    assert_eq!(heard(&mut slow).await, None);
    assert_eq!(slow.why().code, Code::TooManyInFlight);
}

#[tokio::test]
async fn nobody_listens_at_the_venue() {
    let link = link("binance", Vec::new());
    let mut member = link.follow("/stream", stranger()).unwrap();
    assert!(member.say(join(1, &["btcusdt@trade"])));
    assert_eq!(heard(&mut member).await, None);
    assert_eq!(member.why().code, Code::VenueUnreachable);
}

#[tokio::test]
async fn who_asks_when_no_socket_is_left_is_told_so() {
    let link = link("binance", Vec::new());
    let taken: Vec<_> = std::iter::from_fn(|| link.reserve_socket().ok()).collect();
    assert!(taken.len() > 10);
    let mut member = link.follow("/stream", stranger()).unwrap();
    assert!(member.say(join(1, &["btcusdt@trade"])));
    let told = heard(&mut member).await.unwrap();
    assert!(told.contains("TG403") && told.contains("\"id\":1"), "{told}");
}

#[tokio::test]
async fn what_the_venue_may_answer_too_late_it_is_told_to_end() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (link, mut venue) = (link("deribit", vec![ours]), venue(theirs).await);
    let channel = "book.BTC-PERPETUAL.100ms";
    let mut member = link.follow("/ws", stranger()).unwrap();
    let params = json!({"channels": [channel]});
    let subscribe =
        json!({"jsonrpc": "2.0", "id": 1, "method": "public/subscribe", "params": params});
    assert!(member.say(subscribe.to_string()));
    let mut said = Vec::new();
    while said.last().is_none_or(|method| method != "public/unsubscribe") {
        let ask = asked(&mut venue).await;
        if ask["params"].get("channels").is_some() {
            assert_eq!(ask["params"]["channels"], json!([channel]));
            said.push(ask["method"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(said, ["public/subscribe", "public/unsubscribe"]);
    assert_eq!(heard(&mut member).await, None, "whoever waited connects again");
}

#[tokio::test]
async fn who_wishes_for_more_than_fits_is_cut_off_and_others_are_served() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (link, mut venue) = (link("binance", vec![ours]), venue(theirs).await);
    let mut greedy = link.follow("/stream", stranger()).unwrap();
    assert!(greedy.say(join(1, &["btcusdt@trade"])));
    let ask = asked(&mut venue).await;
    // The venue does not answer, and what else it wants waits.
    let names: Vec<String> = (0..200).map(|n| format!("{n:0>100}@trade")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for n in 0..20 {
        let _ = greedy.say(join(n, &names));
    }
    assert_eq!(heard(&mut greedy).await, None);
    assert!(greedy.why().to_string().contains("too many subscriptions"), "{}", greedy.why());
    say(&mut venue, done(ask["id"].as_u64().unwrap())).await;
    let mut modest = link.follow("/stream", stranger()).unwrap();
    assert!(modest.say(join(2, &["btcusdt@trade"])));
    assert_eq!(heard(&mut modest).await, Some(done(2)));
}

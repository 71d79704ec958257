//! A caller at the door of a venue, with a signature of its own, against a desk with a real core.

mod evidence;
mod failures;
mod logins;
mod tokens;

use super::*;
use crate::admin::tests::{Office, office};
use crate::desk::tests::{VENUE, name};
use crate::edge::{Connections, Door, Listening, Mount, Names, Timeouts, listen};
use aws_lc_rs::hmac;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tidegate_types::request::Method;
use tidegate_venues::front::Weakness;
use tidegate_venues::registry;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

struct Desk {
    office: Office,
    gate: Arc<Gate>,
    key: String,
    secret: String,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn desk() -> Desk {
    desk_of(office().await).await
}

async fn desk_of(office: Office) -> Desk {
    desk_that_takes(office, Logins::default()).await
}

async fn desk_that_takes(office: Office, logins: Logins) -> Desk {
    let made = office.ask(json!({"op": "key-add", "caller": "ann", "account": "main"})).await;
    let made = made.unwrap();
    let gate = Gate::new(
        Arc::clone(&office.world.desk),
        office.callers(),
        Arc::clone(&office.world.links),
        Arc::clone(&office.admin),
        office.web(),
        logins,
        office.stop.clone(),
    );
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    Desk { key: text("id"), secret: text("secret"), office, gate }
}

impl Desk {
    fn sign(&self, payload: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        hex(hmac::sign(&key, payload.as_bytes()).as_ref())
    }

    /// A signed request, stamped a while ago.
    fn request(&self, method: Method, path: &str, params: &str, age_ms: i64) -> RawRequest {
        let stamp = clock::now().millis() as i64 - age_ms;
        let query = format!("{params}&timestamp={stamp}");
        let query = format!("{query}&signature={}", self.sign(&query));
        RawRequest {
            method,
            path: path.to_owned(),
            query,
            headers: vec![("x-mbx-apikey".to_owned(), self.key.clone())],
            body: Vec::new(),
            peer: [127, 0, 0, 1].into(),
            certificate: None,
        }
    }

    async fn answer(&self, request: RawRequest) -> (u16, Value) {
        let reply = self.gate.serve(registry::find(&name(VENUE)).unwrap(), request).await;
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }

    async fn listen(&self) -> Listening {
        self.listen_for(Connections::new(10, 10), Duration::from_secs(60)).await
    }

    async fn listen_for(&self, connections: Arc<Connections>, unused: Duration) -> Listening {
        let timeouts = Timeouts {
            handshake: Duration::from_secs(1),
            head: Duration::from_secs(1),
            body: Duration::from_secs(1),
            idle: Duration::from_secs(1),
            write: Duration::from_secs(1),
            slowest: 0,
            unused,
        };
        let door = Door {
            site: Arc::clone(&self.gate),
            mount: Mount::Prefixes(registry::all().to_vec()),
            names: Names::default(),
            tls: None,
            timeouts,
            rate: (50, 50),
            connections,
        };
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        listen(any, door, self.office.stop.clone()).await.unwrap()
    }
}

const ORDER: &str =
    "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=100&newClientOrderId=mine";

#[tokio::test]
async fn a_signed_order_goes_through_and_comes_back_under_its_own_id() {
    let desk = desk().await;
    let request = desk.request(Method::Post, "/fapi/v1/order", ORDER, 0);
    let (status, order) = desk.answer(request.clone()).await;
    assert_eq!((status, &order["clientOrderId"]), (200, &json!("mine")), "{order}");
    let arrived = desk.office.world.told.arrived.lock().unwrap().join(" ");
    assert!(arrived.contains("place tg") && !arrived.contains("mine"), "{arrived}");
    let (status, again) = desk.answer(request).await;
    assert_eq!(status, 400, "{again}");
    assert!(again["msg"].as_str().unwrap().contains("TG105"), "{again}");
}

#[tokio::test]
async fn a_copy_that_was_held_up_is_not_a_second_order() {
    let desk = desk().await;
    let placed = || {
        let told = desk.office.world.told.arrived.lock().unwrap();
        told.iter().filter(|call| call.starts_with("place ")).count()
    };
    // The client heard nothing of its first request and sent another, which did not get through: the
    // order is over and its id free when the first arrives.
    let held_up = desk.request(Method::Post, "/fapi/v1/order", ORDER, 0);
    let refuse = &desk.office.world.told.refuse_connections;
    refuse.store(true, Ordering::Relaxed);
    let (_, told) = desk.answer(desk.request(Method::Post, "/fapi/v1/order", ORDER, -400)).await;
    assert!(told["msg"].as_str().unwrap().contains("TG801"), "{told}");
    refuse.store(false, Ordering::Relaxed);
    let before = placed();
    let (status, refused) = desk.answer(held_up).await;
    assert_eq!((status, &refused["code"]), (400, &json!(-4116)), "{refused}");
    assert_eq!(placed(), before);
    // What is signed later is a wish of its own.
    let (status, order) =
        desk.answer(desk.request(Method::Post, "/fapi/v1/order", ORDER, -500)).await;
    assert_eq!(status, 200, "{order}");
    assert_eq!(placed(), before + 1);
}

#[tokio::test]
async fn every_gate_before_the_core_refuses_in_the_venue_s_words() {
    let desk = desk().await;
    let good = || desk.request(Method::Post, "/fapi/v1/order", ORDER, 0);
    let mut forged = good();
    forged.query = forged.query.replace("price=100", "price=101");
    let mut stranger = good();
    stranger.headers = vec![("x-mbx-apikey".to_owned(), "a".repeat(64))];
    let twice = format!("{ORDER}&price=101");
    let table = [
        (forged, "Signature for this request is not valid"),
        (stranger, "Invalid API-key"),
        (desk.request(Method::Post, "/fapi/v1/order", ORDER, 60_001), "outside of the recvWindow"),
        (desk.request(Method::Post, "/fapi/v1/order", &twice, 0), "TG204"),
        (desk.request(Method::Post, "/fapi/v1/nowhere", ORDER, 0), "TG201"),
        (desk.request(Method::Post, "/sapi/v1/capital/withdraw/apply", "coin=BTC", 0), "TG202"),
        (
            desk.request(Method::Get, "/fapi/v1/order", "symbol=BTCUSDT&orderId=77", 0),
            "Order does not exist",
        ),
    ];
    for (request, said) in table {
        let path = request.path.clone();
        let (status, refusal) = desk.answer(request).await;
        assert!(status >= 400, "{path}: {refusal}");
        assert!(refusal["code"].as_i64().is_some_and(|code| code < 0), "{path}: {refusal}");
        assert!(refusal["msg"].as_str().unwrap().contains(said), "{path}: {refusal}");
    }
    let refused = desk.office.world.desk.look(|state| state.refusals().len());
    assert!(refused >= 6, "each is on record: {refused}");
    let arrived = desk.office.world.told.arrived.lock().unwrap().clone();
    assert!(arrived.iter().all(|target| target.starts_with("snapshot")), "{arrived:?}");
}

#[tokio::test]
async fn no_answer_is_wrapped_in_a_call_that_a_script_of_elsewhere_could_hear() {
    let desk = desk().await;
    for (venue, path) in [(VENUE, "/fapi/v1/listenKey"), ("deribit", "/api/v2/public/test")] {
        for query in ["callback=steal", "jsonp=steal", "cb=steal"] {
            let mut request = desk.request(Method::Post, path, "", 0);
            request.query = query.to_owned();
            let reply = desk.gate.serve(registry::find(&name(venue)).unwrap(), request).await;
            let body: Value = serde_json::from_slice(&reply.body).unwrap();
            assert!(body.is_object(), "{body}");
            let mut kinds = reply.headers.iter().filter(|(name, _)| name == "content-type");
            assert!(kinds.all(|(_, kind)| kind == "application/json"), "{:?}", reply.headers);
        }
    }
}

#[tokio::test]
async fn a_revoked_key_is_out_of_force_at_once() {
    let desk = desk().await;
    desk.office.ask(json!({"op": "key-revoke", "id": desk.key})).await.unwrap();
    let (_, refusal) = desk.answer(desk.request(Method::Post, "/fapi/v1/order", ORDER, 0)).await;
    assert_eq!(refusal["code"], -2015, "{refusal}");
}

async fn open(address: SocketAddr, path: &str) -> tokio_tungstenite::WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/{VENUE}{path}");
    tokio_tungstenite::client_async(url, stream).await.unwrap().0
}

async fn hear(socket: &mut tokio_tungstenite::WebSocketStream<TcpStream>) -> Message {
    loop {
        let next = tokio::time::timeout(Duration::from_secs(5), socket.next());
        match next.await.expect("nothing came").expect("it ended").expect("it broke") {
            Message::Ping(_) | Message::Pong(_) => {}
            message => return message,
        }
    }
}

#[tokio::test]
async fn orders_are_taken_over_a_websocket_too() {
    let desk = desk().await;
    let listening = desk.listen().await;
    let mut socket = open(listening.address, "/ws-fapi/v1").await;
    let stamp = clock::now().millis();
    let params = json!({"apiKey": desk.key, "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT",
        "timeInForce": "GTC", "quantity": "1", "price": "100", "newClientOrderId": "mine",
        "timestamp": stamp});
    let mut pairs: Vec<(String, String)> = params
        .as_object()
        .unwrap()
        .iter()
        .map(|(k, v)| (k.clone(), v.as_str().map_or_else(|| v.to_string(), str::to_owned)))
        .collect();
    pairs.sort();
    let payload: Vec<String> = pairs.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let mut signed = params.clone();
    signed["signature"] = json!(desk.sign(&payload.join("&")));
    let question = json!({"id": "q1", "method": "order.place", "params": signed});
    socket.send(Message::text(question.to_string())).await.unwrap();
    let Message::Text(text) = hear(&mut socket).await else { panic!("not a text") };
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["id"], "q1", "{answer}");
    assert_eq!(answer["result"]["clientOrderId"], "mine", "{answer}");

    signed["signature"] = json!("00");
    let question = json!({"id": "q2", "method": "order.place", "params": signed});
    socket.send(Message::text(question.to_string())).await.unwrap();
    let Message::Text(text) = hear(&mut socket).await else { panic!("not a text") };
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["id"], "q2", "{answer}");
    assert_eq!(answer["error"]["code"], -1022, "{answer}");
}

#[tokio::test]
async fn a_socket_that_sends_too_much_or_bytes_is_closed() {
    let desk = desk().await;
    let listening = desk.listen().await;
    let mut bytes = open(listening.address, "/ws-fapi/v1").await;
    bytes.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    let Message::Close(Some(frame)) = hear(&mut bytes).await else { panic!("not closed") };
    assert_eq!(u16::from(frame.code), 1003);

    let mut fast = open(listening.address, "/ws-fapi/v1").await;
    for at in 0..60 {
        let ping = json!({"id": at, "method": "ping"});
        fast.feed(Message::text(ping.to_string())).await.unwrap();
    }
    fast.flush().await.unwrap();
    let mut closed = None;
    for _ in 0..61 {
        if let Message::Close(frame) = hear(&mut fast).await {
            closed = frame;
            break;
        }
    }
    let closed = closed.expect("closed with a reason");
    assert!(closed.reason.contains("TG404"), "{closed}");

    let mut long = open(listening.address, "/ws-fapi/v1").await;
    let text = "x".repeat(tidegate_types::limits::MAX_WS_MESSAGE_BYTES + 1);
    long.send(Message::text(text)).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), async {
        while let Some(Ok(_)) = long.next().await {}
    });
    assert!(ended.await.is_ok());
}

#[tokio::test]
async fn a_reader_that_does_not_keep_up_is_cut_off() {
    let desk = desk().await;
    let listening = desk.listen().await;
    let mut socket = open(listening.address, "/ws/btcusdt@trade").await;
    // The venue's socket never stops talking, and nothing is read here for a while.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let mut raw = Vec::new();
    let drained = tokio::time::timeout(Duration::from_secs(10), async {
        socket.get_mut().read_to_end(&mut raw).await
    });
    assert!(drained.await.is_ok(), "the connection ended");
    assert!(raw.len() < 64 * 1024 * 1024, "what was kept for it is bounded: {}", raw.len());
}

#[tokio::test]
async fn a_socket_counts_as_a_connection_for_as_long_as_it_is_open() {
    let desk = desk().await;
    let connections = Connections::new(10, 2);
    let listening = desk.listen_for(Arc::clone(&connections), Duration::from_secs(60)).await;
    let _kept = open(listening.address, "/ws-fapi/v1").await;
    let dropped = open(listening.address, "/ws/btcusdt@trade").await;
    assert_eq!(connections.count(), 2);
    let mut third = TcpStream::connect(listening.address).await.unwrap();
    let turned_away = tokio::time::timeout(Duration::from_secs(5), third.read_u8());
    assert!(turned_away.await.unwrap().is_err(), "a third from one address");
    drop(dropped);
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        if connections.count() == 1 {
            return;
        }
    }
    panic!("a closed socket kept its seat");
}

#[tokio::test]
async fn a_socket_that_nobody_uses_is_closed() {
    let desk = desk().await;
    let listening = desk.listen_for(Connections::new(10, 10), Duration::from_millis(300)).await;
    let asks = |text: &'static str| Message::text(text);
    let bad_login = r#"{"id": 1, "method": "session.logon", "params": {"apiKey": "a", "signature": "b", "timestamp": 1}}"#;
    let table = [
        ("nothing", "/ws-fapi/v1", None, false),
        ("a ping of the protocol's own", "/ws-fapi/v1", Some(Message::Ping("x".into())), false),
        ("a bad login", "/ws-fapi/v1", Some(asks(bad_login)), false),
        ("nonsense", "/ws-fapi/v1", Some(asks("{}")), false),
        ("no stream yet", "/ws", None, false),
        (
            "a public question",
            "/ws-fapi/v1",
            Some(asks(r#"{"id": 1, "method": "ticker.price"}"#)),
            true,
        ),
        ("a stream in the address", "/ws/btcusdt@trade", None, true),
        (
            "a subscription",
            "/ws",
            Some(asks(r#"{"id": 1, "method": "SUBSCRIBE", "params": ["btcusdt@trade"]}"#)),
            true,
        ),
    ];
    for (name, path, first, stays) in table {
        let mut socket = open(listening.address, path).await;
        if let Some(message) = first {
            socket.send(message).await.unwrap();
        }
        let closed = tokio::time::timeout(Duration::from_millis(900), async {
            loop {
                match socket.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => return frame,
                    Some(Ok(_)) => {}
                    ended => panic!("{name}: {ended:?}"),
                }
            }
        });
        match closed.await {
            Ok(frame) => {
                assert!(!stays && u16::from(frame.code) == 1008, "{name}: {frame}");
                assert!(frame.reason.starts_with("TG101"), "{name}: {frame}");
            }
            Err(_) => assert!(stays, "{name}: still open"),
        }
    }
}

#[tokio::test]
async fn sessions_end_when_the_gateway_stops() {
    let desk = desk().await;
    let listening = desk.listen().await;
    let mut socket = open(listening.address, "/ws-fapi/v1").await;
    desk.office.ask(json!({"op": "shutdown"})).await.unwrap();
    let Message::Close(Some(frame)) = hear(&mut socket).await else { panic!("not closed") };
    assert_eq!(u16::from(frame.code), 1001);
    assert!(!desk.office.world.told.hang.load(Ordering::Relaxed));
}

#[tokio::test]
async fn public_reads_are_refused_once_their_share_is_spent_and_orders_are_not() {
    let desk = desk().await;
    let venue = registry::find(&name(VENUE)).unwrap();
    let read = |limit: usize, peer: [u8; 4]| {
        let mut read = desk.request(Method::Get, "/fapi/v1/aggTrades", "", 0);
        (read.query, read.headers) = (format!("symbol=BTCUSDT&limit={limit}"), Vec::new());
        read.peer = peer.into();
        desk.gate.serve(venue, read)
    };
    let replies = futures_util::future::join_all((1..=100).map(|n| read(n, [127, 0, 0, 1]))).await;
    let is_refused = |reply: &&Reply| String::from_utf8_lossy(&reply.body).contains("TG");
    let passed = replies.iter().filter(|reply| !is_refused(reply)).count();
    assert!((20..100).contains(&passed), "{passed} of 20 each");
    // At once, or after waiting for as long as a read may.
    for reply in replies.iter().filter(is_refused) {
        let refusal: Value = serde_json::from_slice(&reply.body).unwrap();
        let told = (reply.status, refusal["code"].as_i64());
        assert!([(429, Some(-1003)), (503, Some(-1008))].contains(&told), "{refusal}");
    }
    let request = desk.request(Method::Post, "/fapi/v1/order", ORDER, 0);
    let (status, order) = desk.answer(request).await;
    assert_eq!(status, 200, "{order}");
    let reply = read(1, [10, 0, 0, 1]).await;
    assert!(!is_refused(&&reply), "{reply:?}");
}

#[tokio::test]
async fn where_a_caller_is_says_its_socket_and_no_header() {
    let mut desk = desk().await;
    let add = json!({"op": "key-add", "caller": "ann", "account": "main",
        "terms": {"from": ["10.0.0.0/8"]}});
    let made = desk.office.ask(add).await.unwrap();
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (desk.key, desk.secret) = (text("id"), text("secret"));
    let read = |age| desk.request(Method::Get, "/fapi/v1/openOrders", "symbol=BTCUSDT", age);
    for (name, value) in [
        ("x-forwarded-for", "10.0.0.1"),
        ("x-real-ip", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
        ("true-client-ip", "10.0.0.1"),
    ] {
        let mut request = read(-(name.len() as i64));
        request.headers.push((name.to_owned(), value.to_owned()));
        let (status, refusal) = desk.answer(request).await;
        assert_eq!(status, 401, "{name}: {refusal}");
    }
    let mut request = read(0);
    request.peer = [10, 0, 0, 1].into();
    // As far as the venue, which knows no orders.
    assert_eq!(desk.answer(request).await.1["code"], -2011);
}

#[tokio::test]
async fn a_page_of_another_site_asks_nothing_at_a_venue_s_door() {
    let desk = desk().await;
    for (site, refused) in
        [("cross-site", true), ("same-site", true), ("same-origin", false), ("none", false)]
    {
        // Stamped apart: what was signed is good once.
        let age = if site == "none" { 0 } else { site.len() as i64 };
        let mut request = desk.request(Method::Get, "/fapi/v1/openOrders", "symbol=BTCUSDT", -age);
        request.headers.push(("sec-fetch-site".to_owned(), site.to_owned()));
        let (_, told) = desk.answer(request).await;
        assert_eq!(told.to_string().contains("TG202"), refused, "{site}: {told}");
    }
}

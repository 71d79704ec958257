//! The stream over real sockets.

use super::*;
use crate::config::Logins;
use crate::edge::{Connections, Door, Listening, Mount, Names, Timeouts, listen};
use crate::front::Gate;
use futures_util::{SinkExt, StreamExt};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message as Frame};
use tokio_tungstenite::{WebSocketStream, client_async};

type Socket = WebSocketStream<TcpStream>;

impl super::Desk {
    /// The desk's door.
    async fn door(&self) -> Listening {
        let office = &self.office;
        let gate = Gate::new(
            Arc::clone(&office.world.desk),
            office.callers(),
            Arc::clone(&office.world.links),
            Arc::clone(&office.admin),
            office.web(),
            Logins::default(),
            office.stop.clone(),
        );
        let second = Duration::from_secs(1);
        let timeouts = Timeouts {
            handshake: second,
            head: second,
            body: second,
            idle: second,
            write: Duration::from_secs(10),
            slowest: 0,
            unused: second,
        };
        let door = Door {
            site: gate,
            mount: Mount::Prefixes(Vec::new()),
            names: Names::default(),
            tls: None,
            timeouts,
            rate: (50, 50),
            connections: Connections::new(10, 10),
        };
        listen(SocketAddr::from(([127, 0, 0, 1], 0)), door, office.stop.clone()).await.unwrap()
    }
}

/// Asks for a socket with the headers of a request.
async fn connect(door: &Listening, request: &RawRequest) -> Result<Socket, (u16, String)> {
    let stream = TcpStream::connect(door.address).await.unwrap();
    let query =
        if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let url = format!("ws://localhost:8443{}{query}", request.path);
    let mut upgrade = url.into_client_request().unwrap();
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "host") {
        let name: http::HeaderName = name.parse().unwrap();
        upgrade.headers_mut().append(name, value.parse().unwrap());
    }
    match client_async(upgrade, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => {
            let body = answer.body().clone().unwrap_or_default();
            Err((answer.status().as_u16(), String::from_utf8(body).unwrap()))
        }
        Err(error) => panic!("{error}"),
    }
}

async fn open(door: &Listening, key: &Key) -> Socket {
    let mut socket =
        connect(door, &request(key, Method::Get, "/v1/stream", Value::Null, None)).await.unwrap();
    let hello = hear(&mut socket).await;
    assert_eq!((&hello["type"], &hello["account"]), (&json!("hello"), &json!("main")), "{hello}");
    socket
}

async fn say(socket: &mut Socket, what: Value) {
    socket.send(Frame::text(what.to_string())).await.unwrap();
}

/// The next message.
async fn hear(socket: &mut Socket) -> Value {
    match next(socket).await {
        Frame::Text(text) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The next message of a kind.
async fn hear_of(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let heard = hear(socket).await;
        if heard["type"] == kind {
            return heard;
        }
    }
}

async fn next(socket: &mut Socket) -> Frame {
    loop {
        let heard = tokio::time::timeout(Duration::from_secs(10), socket.next()).await;
        match heard.expect("something is said").expect("it is open").unwrap() {
            Frame::Ping(_) => {}
            frame => return frame,
        }
    }
}

async fn closed(socket: &mut Socket) -> (u16, String) {
    loop {
        if let Frame::Close(frame) = next(socket).await {
            let frame = frame.unwrap();
            return (frame.code.into(), frame.reason.to_string());
        }
    }
}

#[tokio::test]
async fn what_happens_is_told_to_whom_it_concerns() {
    let desk = desk().await;
    let (ann, bob) = (desk.key("ann").await, desk.key("bob").await);
    desk.grant("bob", true).await;
    let door = desk.door().await;
    let (mut anns, mut bobs) = (open(&door, &ann).await, open(&door, &bob).await);
    let all = ["orders", "fills", "positions", "balances", "limits", "halts", "approvals"];
    for socket in [&mut anns, &mut bobs] {
        say(socket, json!({"op": "subscribe", "channels": all, "id": "1"})).await;
        let subscribed = hear(socket).await;
        assert_eq!(subscribed["channels"], json!(all), "{subscribed}");
        assert_eq!((&subscribed["id"], &subscribed["resumed"]), (&json!("1"), &json!(false)));
        let first = hear(socket).await;
        assert_eq!((&first["type"], &first["whole"]), (&json!("orders"), &json!(true)));
        for kind in ["positions", "balances", "limits", "halts"] {
            assert_eq!(hear(socket).await["type"], kind);
        }
        let approvals = hear(socket).await;
        assert_eq!(approvals["items"], json!([{"waiting": 0}]), "{approvals}");
    }
    let (_, placed) = desk.ask(&ann, Method::Post, "/v1/orders", order(Some("mine"))).await;
    let mut told = hear_of(&mut anns, "orders").await;
    while told["items"][0]["state"] != "open" {
        told = hear_of(&mut anns, "orders").await;
    }
    assert_eq!((&told["whole"], &told["items"]), (&json!(false), &json!([placed])), "{told}");
    desk.trade(&placed, 1);
    let filled = hear_of(&mut anns, "fills").await;
    assert_eq!(
        (&filled["items"][0]["id"], &filled["items"][0]["order"]),
        (&json!("t.1"), &placed["id"])
    );
    let positions = hear_of(&mut anns, "positions").await;
    assert_eq!(positions["items"][0]["quantity"], "0.25", "{positions}");
    let halt = json!({"op": "halt", "scope": "caller:bob", "reason": "enough"});
    desk.office.ask(halt).await.unwrap();
    // Of ann's order and trade bob hears what is the account's alone.
    loop {
        let heard = hear(&mut bobs).await;
        match heard["type"].as_str().unwrap() {
            "halts" => {
                assert_eq!(heard["items"][0]["scope"], "caller:bob");
                break;
            }
            "positions" | "limits" | "balances" => {}
            _ => panic!("{heard}"),
        }
    }
}

#[tokio::test]
async fn a_connection_goes_on_where_another_ended() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let door = desk.door().await;
    let mut first =
        connect(&door, &request(&ann, Method::Get, "/v1/stream", Value::Null, None)).await.unwrap();
    let epoch = hear(&mut first).await["epoch"].clone();
    let channels = json!(["orders", "fills"]);
    say(&mut first, json!({"op": "subscribe", "channels": channels})).await;
    let seq = hear_of(&mut first, "orders").await["seq"].clone();
    drop(first);
    let (_, placed) = desk.ask(&ann, Method::Post, "/v1/orders", order(None)).await;
    desk.trade(&placed, 1);
    desk.trade(&placed, 2);

    let mut second = open(&door, &ann).await;
    let resume = json!({"op": "subscribe", "channels": channels, "after": seq, "epoch": epoch});
    say(&mut second, resume.clone()).await;
    assert_eq!(hear(&mut second).await["resumed"], true);
    let orders = hear(&mut second).await;
    assert_eq!((&orders["type"], &orders["whole"]), (&json!("orders"), &json!(false)));
    assert_eq!(orders["items"][0]["id"], placed["id"], "{orders}");
    let fills = hear(&mut second).await;
    let ids: Vec<&Value> = fills["items"].as_array().unwrap().iter().map(|f| &f["id"]).collect();
    assert_eq!(ids, ["t.1", "t.2"], "{fills}");
    assert_eq!(fills["seq"], orders["seq"]);

    // What is of another start, or was never told, is not gone on from.
    for (field, value) in [("epoch", json!("other")), ("after", json!("999999"))] {
        let mut third = open(&door, &ann).await;
        let mut resume = resume.clone();
        resume[field] = value;
        say(&mut third, resume).await;
        assert_eq!(hear(&mut third).await["resumed"], false, "{field}");
        assert_eq!(hear(&mut third).await["whole"], true, "{field}");
    }
}

#[tokio::test]
async fn a_stream_ends_within_a_second_of_its_key_grant_or_token() {
    let desk = desk().await;
    let (ann, bob) = (desk.key("ann").await, desk.key("bob").await);
    desk.grant("bob", true).await;
    let app = super::tokens::app(&desk, &["main"]).await;
    let (first, second) = (app.token().await, app.token().await);
    let door = desk.door().await;
    let by_token =
        |token: &str| super::tokens::shown(&app, Method::Get, "/v1/stream", &Value::Null, token);
    let (mut ended, mut revoked) = (
        connect(&door, &by_token(&first)).await.unwrap(),
        connect(&door, &by_token(&second)).await.unwrap(),
    );
    let (mut anns, mut bobs) = (open(&door, &ann).await, open(&door, &bob).await);
    let within = async |socket: &mut Socket, code: &str| {
        let began = std::time::Instant::now();
        let (status, reason) = closed(socket).await;
        assert_eq!(status, 1008, "{reason}");
        assert!(reason.starts_with(code), "{reason}");
        assert!(began.elapsed() < Duration::from_secs(1), "{reason}");
    };
    let form = app.form(&format!("token={first}"));
    assert_eq!(app.post("/oauth/revoke", form, &[]).await.status, 200);
    within(&mut ended, "TG107").await;
    desk.office.ask(json!({"op": "key-revoke", "id": ann.0})).await.unwrap();
    within(&mut anns, "TG102").await;
    desk.office
        .ask(json!({"op": "grant-remove", "caller": "bob", "account": "main"}))
        .await
        .unwrap();
    within(&mut bobs, "TG301").await;
    desk.office.ask(json!({"op": "app-revoke", "app": "ann"})).await.unwrap();
    within(&mut revoked, "TG107").await;
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_over() {
    let desk = desk().await;
    let app = super::tokens::app(&desk, &["main"]).await;
    let door = desk.door().await;
    let (token, until) = app.short_token();
    let shown = super::tokens::shown(&app, Method::Get, "/v1/stream", &Value::Null, &token);
    let mut socket = connect(&door, &shown).await.unwrap();
    let (status, reason) = closed(&mut socket).await;
    let now = clock::now();
    assert!(status == 1008 && reason.starts_with("TG107"), "{status} {reason}");
    assert!(until <= now && now.since(until) < tidegate_types::time::Span::from_secs(1));
}

#[tokio::test]
async fn nobody_opens_a_stream_without_showing_who_they_are() {
    let desk = desk().await;
    let (ann, bob) = (desk.key("ann").await, desk.key("bob").await);
    let door = desk.door().await;
    let good = |key: &Key| request(key, Method::Get, "/v1/stream", Value::Null, None);
    let used = good(&ann);
    connect(&door, &used).await.unwrap();
    let elsewhere = RawRequest {
        path: "/v1/stream".into(),
        ..request(&ann, Method::Get, "/v1/orders", Value::Null, None)
    };
    let from = |origin: &str| {
        let mut request = good(&ann);
        request.headers.push(("origin".into(), origin.into()));
        request
    };
    for (request, status, code) in [
        (plain(Method::Get, "/v1/stream", ""), 401, "TG101"),
        (used, 401, "TG105"),
        (elsewhere, 401, "TG103"),
        (good(&Key(ann.0.clone(), "x".repeat(64))), 401, "TG103"),
        (good(&bob), 403, "TG301"),
        (from("https://evil.example"), 400, "TG203"),
        (from("null"), 400, "TG203"),
    ] {
        let (got, body) = connect(&door, &request).await.expect_err(code);
        assert_eq!(got, status, "{body}");
        assert!(body.contains(code), "{code}: {body}");
    }
    connect(&door, &from("https://localhost:8443")).await.unwrap();
    let (status, problem) = desk.ask(&ann, Method::Get, "/v1/stream", Value::Null).await;
    assert_eq!((status, &problem["retry"]), (400, &json!("never")), "{problem}");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_the_connection_stays() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let door = desk.door().await;
    let mut socket = open(&door, &ann).await;
    for (text, code) in [
        ("nothing", "TG203"),
        ("{\"op\": \"subscribe\"}", "TG206"),
        ("{\"op\": \"subscribe\", \"channels\": [\"secrets\"]}", "TG207"),
        ("{\"op\": \"ping\", \"more\": 1}", "TG205"),
    ] {
        socket.send(Frame::text(text)).await.unwrap();
        let refused = hear(&mut socket).await;
        assert_eq!(
            (&refused["type"], &refused["problem"]["code"]),
            (&json!("refused"), &json!(code)),
            "{text}"
        );
    }
    say(&mut socket, json!({"op": "ping", "id": "x"})).await;
    assert_eq!(hear(&mut socket).await, json!({"type": "pong", "id": "x"}));
}

#[tokio::test]
async fn a_slow_reader_is_cut_off_and_told_so() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let door = desk.door().await;
    let mut slow = open(&door, &ann).await;
    say(&mut slow, json!({"op": "subscribe", "channels": ["orders", "fills"]})).await;
    hear_of(&mut slow, "orders").await;
    let mut placed = Vec::new();
    for _ in 0..12 {
        placed.push(desk.ask(&ann, Method::Post, "/v1/orders", order(None)).await.1);
    }
    // More happens than is kept, and meanwhile nothing can be told.
    for n in 0..4_200 {
        desk.trade(&placed[n % placed.len()], n as u64);
    }
    let (code, reason) = closed(&mut slow).await;
    assert_eq!(code, 1008);
    assert!(reason.starts_with("TG403"), "{reason}");
}

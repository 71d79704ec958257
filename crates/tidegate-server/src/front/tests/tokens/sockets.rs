//! WebSocket sessions that a token opens: one proof for the whole connection, and an end with the token.

use super::*;
use tidegate_identity::oauth::acr::Acr;
use tidegate_identity::oauth::client::ClientId;
use tidegate_identity::oauth::event::{Confirmation, Event, GrantId, Granted};
use tidegate_identity::oauth::jose::jws::Typ;
use tidegate_types::time::Span;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, http};

type Socket = WebSocketStream<TcpStream>;

const API: &str = "/ws-fapi/v1";

fn get(path: &str) -> RawRequest {
    let mut request = order("");
    (request.method, request.path) = (Method::Get, path.to_owned());
    request
}

async fn open_with(at: SocketAddr, path: &str, shown: &RawRequest) -> Result<Socket, u16> {
    let url = format!("ws://{at}/{VENUE}{path}");
    let mut request = url.into_client_request().unwrap();
    for (name, value) in &shown.headers {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(at).await.unwrap();
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(reply)) => Err(reply.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

async fn told(socket: &mut Socket, method: &str, params: Value) -> Value {
    let frame = json!({"id": "1", "method": method, "params": params}).to_string();
    socket.send(Message::text(frame)).await.unwrap();
    serde_json::from_str(hear(socket).await.to_text().unwrap()).unwrap()
}

fn an_order(quantity: &str) -> Value {
    json!({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": quantity, "price": "100"})
}

/// A grant of somebody's to the app, and a token under it.
fn granted(desk: &super::super::Desk, id: u8, subject: &str) -> String {
    let now = clock::now();
    let jkt = key(2).public().thumbprint();
    let issue = |authority: &mut tidegate_identity::oauth::authority::Authority| {
        let allowed = authority.state().clients().values().next().unwrap().terms().allowed.clone();
        let grant = Granted {
            delegates: Vec::new(),
            id: GrantId([id; 16]),
            client: ClientId::new("ann").unwrap(),
            subject: subject.into(),
            details: allowed,
            bound_to: Confirmation::Key { jkt },
            acr: Acr::PhishingResistant,
            auth_time: now,
            amr: Vec::new(),
            until: now.plus(Span::from_secs(3600)),
            refresh: None,
        };
        let seconds = now.millis() / 1000;
        let claims = json!({
            "iss": ISSUER, "aud": ISSUER, "sub": subject, "client_id": "ann",
            "jti": GrantId([id + 100; 16]).to_string(), "iat": seconds, "exp": seconds + 600,
            "cnf": { "jkt": jkt.to_string() }, "grant_id": grant.id.to_string(),
            "authorization_details":
                tidegate_identity::oauth::details::show::to_value(&grant.details),
        });
        authority.apply(&Event::GrantMade { grant, at: now });
        authority.keys().current().sign(Typ::AccessToken, &claims).unwrap()
    };
    desk.office.oauth().look(issue).unwrap()
}

#[tokio::test]
async fn dp_25_one_proof_opens_a_socket_over_which_the_app_trades_unsigned() {
    let desk = desk().await;
    let app = app(&desk).await;
    let listening = desk.listen().await;
    let token = app.token().await;
    let shown = app.show(get(API), VENUE, &token);
    let mut socket = open_with(listening.address, API, &shown).await.unwrap();
    let status = told(&mut socket, "session.status", json!({})).await;
    assert_eq!(status["result"]["apiKey"], "ann", "{status}");
    // Neither a key nor a stamp nor a proof comes with what is asked.
    for _ in 0..3 {
        let placed = told(&mut socket, "order.place", an_order("0.1")).await;
        assert_eq!((&placed["status"], &placed["result"]["status"]), (&json!(200), &json!("NEW")));
    }
    let refused = told(&mut socket, "order.place", an_order("0.6")).await;
    assert!(refused["error"]["msg"].as_str().unwrap().contains("TG502"), "{refused}");
    let mut signed = an_order("0.1");
    signed["apiKey"] = desk.key.clone().into();
    signed["timestamp"] = clock::now().millis().into();
    let text = "x".repeat(64);
    signed["signature"] = text.into();
    let refused = told(&mut socket, "order.place", signed).await;
    assert_eq!(refused["error"]["code"], -1125, "{refused}");
    // The proof was for one socket, at this address, with the token's key.
    let other = app.show(get("/private/ws"), VENUE, &token);
    let mut bare = app.show(get(API), VENUE, &token);
    bare.headers.truncate(1);
    for wrong in [shown, other, bare] {
        assert_eq!(open_with(listening.address, API, &wrong).await.unwrap_err(), 401);
    }
    told(&mut socket, "session.logout", json!({})).await;
    let after = told(&mut socket, "order.place", an_order("0.1")).await;
    assert!(after["error"].is_object(), "{after}");
}

#[tokio::test]
async fn a_token_s_listen_key_opens_the_stream_with_that_token_alone() {
    let desk = desk().await;
    let app = app(&desk).await;
    let listening = desk.listen().await;
    let (token, other) = (app.token().await, app.token().await);
    let mut listen = order("");
    listen.path = "/fapi/v1/listenKey".into();
    let (_, made) = serve(&desk, app.show(listen, VENUE, &token)).await;
    let path = format!("/ws/{}", made["listenKey"].as_str().unwrap());
    let mut own =
        open_with(listening.address, &path, &app.show(get(&path), VENUE, &token)).await.unwrap();
    let (_, placed) = serve(&desk, app.show(order(ORDER), VENUE, &token)).await;
    assert_eq!(placed["status"], "NEW", "{placed}");
    let shown = app.show(get(&path), VENUE, &other);
    let mut foreign = open_with(listening.address, &path, &shown).await.unwrap();
    let mut bare = open(listening.address, &path).await;
    for socket in [&mut foreign, &mut bare] {
        assert!(matches!(hear(socket).await, Message::Close(_)));
    }
    let list = json!({"method": "LIST_SUBSCRIPTIONS", "id": 1}).to_string();
    own.send(Message::text(list)).await.unwrap();
    assert!(matches!(hear(&mut own).await, Message::Text(_)));
}

#[tokio::test]
async fn rv_5_a_socket_closes_when_what_opened_it_is_revoked_and_the_others_go_on() {
    let desk = desk().await;
    let app = app(&desk).await;
    let listening = desk.listen().await;
    let tokens = [
        app.token().await,
        granted(&desk, 1, "person:1"),
        granted(&desk, 2, "person:2"),
        app.token().await,
    ];
    let mut sockets = Vec::new();
    for token in &tokens {
        let shown = app.show(get(API), VENUE, token);
        sockets.push(open_with(listening.address, API, &shown).await.unwrap());
    }
    for (at, token) in tokens.iter().enumerate() {
        match at {
            0 => {
                let form = app.form(&format!("token={token}"));
                assert_eq!(app.post("/oauth/revoke", form, &[]).await.status, 200);
            }
            1 => {
                let id = GrantId([1; 16]).to_string();
                desk.office.ask(json!({"op": "app-revoke-grant", "grant": id})).await.unwrap();
            }
            2 => {
                for op in ["person-set", "person-remove"] {
                    let mut ask = json!({"op": op, "person": "zoe"});
                    if op == "person-set" {
                        ask["roles"] = json!(["auditor"]);
                    }
                    // No person of the desk is behind the other subject: what they granted ends.
                    desk.office.ask(ask).await.unwrap();
                }
            }
            _ => {
                let key = key(2).public().thumbprint().to_string();
                desk.office.ask(json!({"op": "app-revoke-key", "key": key})).await.unwrap();
            }
        }
        let Message::Close(Some(frame)) = hear(&mut sockets[at]).await else { panic!("{at}") };
        assert!(frame.reason.contains("TG107"), "{at}: {frame}");
        let (reply, _) = serve(&desk, app.show(order(ORDER), VENUE, token)).await;
        assert_eq!(reply.status, 401, "{at}");
        for other in &mut sockets[at + 1..] {
            let status = told(other, "session.status", json!({})).await;
            assert_eq!(status["status"], 200, "{at}: {status}");
        }
    }
}

#[tokio::test]
async fn rv_5_a_socket_closes_when_the_key_by_which_its_token_was_got_is_revoked() {
    let desk = desk().await;
    let app = app(&desk).await;
    let listening = desk.listen().await;
    let token = app.token().await;
    let shown = app.show(get(API), VENUE, &token);
    let mut socket = open_with(listening.address, API, &shown).await.unwrap();
    // Not the key that the token is bound to.
    let key = key(1).public().thumbprint().to_string();
    desk.office.ask(json!({"op": "app-revoke-key", "key": key})).await.unwrap();
    let revoked = std::time::Instant::now();
    let Message::Close(Some(frame)) = hear(&mut socket).await else { panic!("it is open") };
    assert!(frame.reason.contains("TG107"), "{frame}");
    assert!(revoked.elapsed() < Duration::from_secs(1));
    let (reply, _) = serve(&desk, app.show(order(ORDER), VENUE, &token)).await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn a_socket_closes_within_a_second_of_its_app_s_and_its_token_s_end() {
    let desk = desk().await;
    let app = app(&desk).await;
    let listening = desk.listen().await;
    let (short, until) = app.short_token();
    let long = app.token().await;
    let mut sockets = Vec::new();
    for token in [&short, &long] {
        let shown = app.show(get(API), VENUE, token);
        sockets.push(open_with(listening.address, API, &shown).await.unwrap());
    }
    let Message::Close(Some(frame)) = hear(&mut sockets[0]).await else { panic!("it is open") };
    let now = clock::now();
    assert!(frame.reason.contains("TG107"), "{frame}");
    assert!(until <= now && now.since(until) < Span::from_secs(1));
    let status = told(&mut sockets[1], "session.status", json!({})).await;
    assert_eq!(status["status"], 200, "the other goes on: {status}");
    desk.office.ask(json!({"op": "app-revoke", "app": "ann"})).await.unwrap();
    let revoked = std::time::Instant::now();
    let Message::Close(Some(frame)) = hear(&mut sockets[1]).await else { panic!("it is open") };
    assert!(frame.reason.contains("TG107"), "{frame}");
    assert!(revoked.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_session_ends_with_its_token_s_time_and_no_login_is_made_of_a_token() {
    let desk = desk().await;
    let app = app(&desk).await;
    let oauth = desk.office.oauth();
    let token = app.token().await;
    let path = format!("/{VENUE}{API}");
    let shown = app.show(get(API), VENUE, &token);
    let bearer = oauth.bearer(&desk.gate.callers, &shown, &path, clock::now()).unwrap();
    let before = Time::from_millis(bearer.until.millis() - 1);
    assert!(oauth.recall(&name(VENUE), &bearer, before).is_ok());
    assert!(oauth.recall(&name(VENUE), &bearer, bearer.until).is_err());
    let who = oauth.recall(&name(VENUE), &bearer, clock::now()).unwrap().who;
    let venue = registry::find(&name(VENUE)).unwrap();
    let login = tidegate_venues::front::Local::Login { lifetime: None };
    let parsed = tidegate_venues::front::Parsed {
        asked: tidegate_venues::front::Asked::Local(login),
        context: tidegate_venues::front::Context(Value::Null),
    };
    let origin = Origin::from(std::net::IpAddr::from([127, 0, 0, 1]));
    let reply = desk.gate.ask(venue, origin, Who::Proven(who), None, parsed).await;
    assert!(String::from_utf8_lossy(&reply.body).contains("TG202"), "{reply:?}");
}

#[tokio::test]
async fn who_granted_stays_visible_beside_what_the_app_does() {
    use tidegate_types::record::Body;
    let desk = desk().await;
    let app = app(&desk).await;
    let listening = desk.listen().await;
    let token = granted(&desk, 1, "person:1");
    let (_, placed) = serve(&desk, app.show(order(ORDER), VENUE, &token)).await;
    assert_eq!(placed["status"], "NEW", "{placed}");
    let shown = app.show(get(API), VENUE, &token);
    let mut socket = open_with(listening.address, API, &shown).await.unwrap();
    let placed = told(&mut socket, "order.place", an_order("0.1")).await;
    assert_eq!(placed["status"], 200, "{placed}");
    let signed = desk.request(Method::Post, "/fapi/v1/order", ORDER, 0);
    assert_eq!(desk.answer(signed).await.0, 200);
    let folder = desk.office.world.folder.path().join("journal");
    let mut reader = tidegate_journal::Reader::open(&folder, tidegate_types::ids::Seq(0)).unwrap();
    let (mut said, mut named) = (None, Vec::new());
    while let Some((_, record)) = reader.next_record().unwrap() {
        match record.body {
            Body::ByToken { call, caller, token, subject } => {
                let id = GrantId([101; 16]).to_string();
                assert_eq!((caller.as_str(), token.as_str()), ("ann", &*format!("token:{id}")));
                said = Some((call, subject));
            }
            Body::Cleared { call, .. } => {
                let of_this = said.take().filter(|(of, _)| *of == call);
                named.push(of_this.map(|(_, subject)| subject));
            }
            _ => {}
        }
    }
    let person = || Some("person:1".to_owned());
    assert_eq!(named, [person(), person(), None]);
}

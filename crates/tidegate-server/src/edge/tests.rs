//! Doors tried over raw sockets, without anything behind them but an echo.

use super::*;
use std::net::SocketAddr;
use std::sync::Arc;
use tidegate_types::key::Origin;
use tidegate_types::reject::Code;
use tidegate_venues::registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// Answers with what it was asked, in one line.
struct Echo;

impl Site for Echo {
    async fn reply(&self, venue: &'static dyn Venue, request: RawRequest) -> Reply {
        let RawRequest { method, path, query, body, .. } = request;
        let body = String::from_utf8_lossy(&body);
        let text = format!("{} {} {path} {query} {body}", venue.name(), method.as_str());
        Reply { status: 200, headers: Vec::new(), body: text.into_bytes() }
    }

    fn refuse(&self, _: &'static dyn Venue, _: Option<&RawRequest>, reject: &Reject) -> Reply {
        Reply { status: 400, headers: Vec::new(), body: reject.to_string().into_bytes() }
    }

    fn open(&self, _: &'static dyn Venue, _: &RawRequest) -> Result<Opening, Reply> {
        let reject = Reject::new(Code::UnknownRoute, "no sessions here");
        Err(Reply { status: 404, headers: Vec::new(), body: reject.to_string().into_bytes() })
    }

    async fn drive(
        &self,
        _: &'static dyn Venue,
        _: Opening,
        _: CallerSocket,
        _: Origin,
        _: Messages,
        _: Duration,
    ) {
    }

    async fn administer(&self, _: RawRequest) -> Reply {
        Reply { status: 200, headers: Vec::new(), body: b"admin".to_vec() }
    }

    async fn visit(&self, request: RawRequest) -> Reply {
        let text = format!("web {}", request.path);
        Reply { status: 200, headers: Vec::new(), body: text.into_bytes() }
    }

    fn upgrade(&self, _: &RawRequest) -> Option<Result<Serve, Reply>> {
        None
    }
}

const QUICK: Timeouts = Timeouts {
    handshake: Duration::from_millis(200),
    head: Duration::from_millis(200),
    body: Duration::from_millis(200),
    idle: Duration::from_millis(600),
    write: Duration::from_millis(200),
    slowest: 0,
    unused: Duration::from_millis(200),
};

struct Opened {
    address: SocketAddr,
    _listening: Listening,
    _stop: watch::Sender<bool>,
}

async fn open_door(rate: (u32, u32), connections: Arc<Connections>) -> Opened {
    let door = Door {
        site: Arc::new(Echo),
        mount: Mount::Prefixes(registry::all().to_vec()),
        names: Names::new(["h".to_owned(), "desk.example".to_owned()], None),
        tls: None,
        timeouts: QUICK,
        rate,
        connections,
    };
    let (stop, stopped) = watch::channel(false);
    let listening = listen(SocketAddr::from(([127, 0, 0, 1], 0)), door, stopped).await.unwrap();
    Opened { address: listening.address, _listening: listening, _stop: stop }
}

async fn plain_door() -> Opened {
    open_door((1000, 1000), Connections::new(100, 100)).await
}

/// Sends bytes and reads until the connection ends or nothing comes for a while.
async fn say(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    hear(&mut stream, Duration::from_millis(150)).await
}

async fn hear(stream: &mut TcpStream, quiet: Duration) -> String {
    let mut heard = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(Ok(n @ 1..)) = tokio::time::timeout(quiet, stream.read(&mut chunk)).await {
        heard.extend_from_slice(&chunk[..n]);
    }
    String::from_utf8_lossy(&heard).into_owned()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

/// The head of a WebSocket, but for its end.
const SOCKET: &str = "GET /binance/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[tokio::test]
async fn requests_are_taken_strictly() {
    let door = plain_door().await;
    let long = "a".repeat(20 * 1024);
    let table: &[(&str, String, &str, &str)] = &[
        ("plain", "GET /binance/x?a=1 HTTP/1.1\r\nHost: h\r\n\r\n".into(), "200", "binance GET /x a=1"),
        ("root", "GET /deribit HTTP/1.1\r\nHost: h\r\n\r\n".into(), "200", "deribit GET / "),
        ("body", "POST /binance/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc".into(), "200", "abc"),
        ("escape", "GET /binance/a%2Fb?c=%20 HTTP/1.1\r\nHost: h\r\n\r\n".into(), "200", "/a%2Fb c=%20"),
        ("no host", "GET /binance/x HTTP/1.1\r\n\r\n".into(), "400", "Host"),
        ("two hosts", "GET /binance/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into(), "400", "Host"),
        ("chunked", "POST /binance/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".into(), "400", "Transfer-Encoding"),
        ("bad chunk", "POST /binance/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".into(), "400", "Transfer-Encoding"),
        ("both", "POST /binance/x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".into(), "400", ""),
        ("identity", "POST /binance/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n".into(), "400", ""),
        ("two lengths", "POST /binance/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc".into(), "400", ""),
        ("one length twice", "POST /binance/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc".into(), "400", "connection: close"),
        ("a list of lengths", "POST /binance/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc".into(), "400", "connection: close"),
        ("bare line feeds", "GET /binance/x HTTP/1.1\nHost: h\n\n".into(), "400", "connection: close"),
        ("one bare line feed", "GET /binance/x HTTP/1.1\r\nHost: h\nX: y\r\n\r\n".into(), "400", "connection: close"),
        ("a bare last line feed", "GET /binance/x HTTP/1.1\r\nHost: h\r\n\n".into(), "400", "connection: close"),
        ("a bare carriage return", "GET /binance/x HTTP/1.1\r\nHost: h\rX: y\r\n\r\n".into(), "400", "connection: close"),
        ("a folded line", "GET /binance/x HTTP/1.1\r\nHost: h\r\nX: y\r\n z\r\n\r\n".into(), "400", "connection: close"),
        ("a name and a space", "POST /binance/x HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\nabc".into(), "400", "connection: close"),
        ("a body of lines", "POST /binance/x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\na\n\nb\n".into(), "200", "a\n\nb\n"),
        ("signed length", "POST /binance/x HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc".into(), "400", ""),
        ("absolute", "GET http://h/binance/x HTTP/1.1\r\nHost: h\r\n\r\n".into(), "400", "path"),
        ("authority", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n".into(), "405", "TG201"),
        ("method", "PATCH /binance/x HTTP/1.1\r\nHost: h\r\n\r\n".into(), "400", "methods are"),
        ("large", "POST /binance/x HTTP/1.1\r\nHost: h\r\nContent-Length: 32769\r\n\r\n".into(), "413", "TG209"),
        ("long head", format!("GET /binance/x HTTP/1.1\r\nHost: h\r\nX: {long}\r\n\r\n"), "431", ""),
        ("many heads", format!("GET /binance/x HTTP/1.1\r\nHost: h\r\n{}\r\n", "X: y\r\n".repeat(65)), "431", ""),
        ("garbage", "\x16\x03\x01\x02\x00".into(), "400", ""),
        ("elsewhere", "GET /nowhere/x HTTP/1.1\r\nHost: h\r\n\r\n".into(), "200", "web /nowhere/x"),
        ("prefix of a name", "GET /binancex/x HTTP/1.1\r\nHost: h\r\n\r\n".into(), "200", "web /binancex/x"),
        ("admin", "POST /admin/v1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}".into(), "200", "admin"),
        ("socket without a key", "GET /binance/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".into(), "400", "Sec-WebSocket-Key"),
        ("socket of another site's page", format!("{SOCKET}Origin: https://evil.example\r\n\r\n"), "400", "another site"),
        ("socket of no page", format!("{SOCKET}Origin: null\r\n\r\n"), "400", "another site"),
        ("socket of two pages", format!("{SOCKET}Origin: https://h\r\nOrigin: https://h\r\n\r\n"), "400", "another site"),
        ("socket of our own page", format!("{SOCKET}Origin: https://h\r\n\r\n"), "404", "no sessions here"),
        ("a question of a browser's", "OPTIONS /binance/x HTTP/1.1\r\nHost: h\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n".into(), "400", "methods are"),
        ("socket refused", "GET /binance/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".into(), "404", "no sessions here"),
    ];
    for (name, request, expected, text) in table {
        let answer = say(door.address, request.as_bytes()).await;
        assert_eq!(status(&answer), *expected, "{name}: {answer:?}");
        assert!(answer.contains(text), "{name}: {answer:?}");
        assert!(!answer.to_lowercase().contains("access-control-"), "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn the_length_that_an_answer_tells_is_that_of_its_body() {
    let door = plain_door().await;
    for path in ["/binance/x", "/binance/x?a=1", "/console/", "/binance/é", "/nowhere"] {
        let head = format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        let mut stream = TcpStream::connect(door.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let lengths: Vec<&str> =
            head.lines().filter_map(|line| line.strip_prefix("content-length: ")).collect();
        assert_eq!(lengths, [body.len().to_string()], "{path}: {answer}");
        assert!(!head.contains("transfer-encoding"), "{head}");
    }
}

#[tokio::test]
async fn ht_1_a_request_for_somebody_else_is_misdirected_wherever_it_leads() {
    let door = plain_door().await;
    for (host, path, told) in [
        ("h", "/binance/x", "200"),
        ("localhost:1", "/console/", "200"),
        ("evil.example", "/binance/x", "421"),
        ("evil.example", "/admin/v1", "421"),
        ("evil.example", "/v1/orders", "421"),
        ("evil.example:8443", "/console/", "421"),
    ] {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let answer = say(door.address, head.as_bytes()).await;
        assert_eq!(status(&answer), told, "{host}{path}: {answer}");
        assert_eq!(answer.contains("connection: close"), told == "421", "{answer}");
    }
    let socket = format!("{}\r\n", SOCKET.replace("Host: h", "Host: evil.example"));
    assert_eq!(status(&say(door.address, socket.as_bytes()).await), "421");
}

#[tokio::test]
async fn whoever_came_by_tls_comes_by_tls_for_a_year() {
    tls::install_provider();
    let dir = tempfile::tempdir().unwrap();
    let folder = crate::folder::DataFolder::new(dir.path());
    crate::setup::make_authority(&folder, &[]).unwrap();
    crate::setup::make_certificate(&folder, &[]).unwrap();
    let connections = Connections::new(100, 100);
    let certificate = tls::Certificate::read(&folder.chain(), &folder.tls_key()).unwrap();
    let certificate = Arc::new(certificate);
    let door = Door {
        site: Arc::new(Echo),
        mount: Mount::Prefixes(registry::all().to_vec()),
        names: Names::new(["desk.example".to_owned()], Some(Arc::clone(&certificate))),
        tls: Some(tls::acceptor(certificate, None).unwrap()),
        timeouts: QUICK,
        rate: (1000, 1000),
        connections: Arc::clone(&connections),
    };
    let (_stop, stopped) = watch::channel(false);
    let listening = listen(SocketAddr::from(([127, 0, 0, 1], 0)), door, stopped).await.unwrap();
    let plain = say(listening.address, b"GET / HTTP/1.1\r\nHost: desk.example\r\n\r\n").await;
    assert!(!plain.contains("HTTP"), "{plain}");
    assert_eq!(connections.failed_handshakes(), 1);
    let mut roots = rustls::RootCertStore::empty();
    let ca = rustls::pki_types::pem::PemObject::from_pem_file(folder.ca()).unwrap();
    roots.add(ca).unwrap();
    let config =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let lasting = "strict-transport-security: max-age=31536000; includeSubDomains";
    for (host, path, said) in [
        ("desk.example", "/binance/x", true),
        ("desk.example:8443", "/admin/v1", true),
        ("desk.example", "/console/", true),
        ("localhost:8443", "/console/", false),
    ] {
        let stream = TcpStream::connect(listening.address).await.unwrap();
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        let mut stream = connector.connect(name, stream).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        assert_eq!(status(&answer), "200", "{host}{path}");
        assert_eq!(answer.contains(lasting), said, "{host}{path}: {answer}");
    }
}

#[tokio::test]
async fn what_follows_a_refusal_on_its_connection_is_not_served() {
    let door = plain_door().await;
    let smuggled = "POST /binance/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
                    0\r\n\r\nGET /binance/secret HTTP/1.1\r\nHost: h\r\n\r\n";
    let answer = say(door.address, smuggled.as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer:?}");
    assert!(answer.contains("connection: close"), "{answer:?}");
}

#[tokio::test]
async fn what_cannot_be_read_at_no_venue_s_door_is_counted_for_the_log() {
    let connections = Connections::new(100, 100);
    let door = open_door((1000, 1000), Arc::clone(&connections)).await;
    for path in ["/admin/v1", "/console/", "/oauth/token"] {
        let answer = say(door.address, format!("POST {path} HTTP/1.1\r\n\r\n").as_bytes()).await;
        assert_eq!(status(&answer), "400", "{path}: {answer}");
    }
    assert_eq!(connections.refused_requests(), 3);
}

#[tokio::test]
async fn requests_ahead_of_a_bad_head_are_answered_and_none_behind_it() {
    let door = plain_door().await;
    let posted = "POST /binance/first HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n\n\n\n\n";
    let last = "GET /binance/last HTTP/1.1\r\nHost: h\r\n\r\n";
    for bad in [
        "GET /binance/bad HTTP/1.1\nHost: h\n\n",
        "POST /binance/bad HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    ] {
        let answer = say(door.address, format!("{posted}{posted}{bad}{last}").as_bytes()).await;
        assert_eq!(answer.matches("binance POST /first").count(), 2, "{answer:?}");
        assert_eq!(answer.matches("HTTP/1.1 400").count(), 1, "{answer:?}");
        assert!(!answer.contains("/bad") && !answer.contains("/last"), "{answer:?}");
    }
}

#[tokio::test]
async fn kept_alive_connections_serve_several_requests() {
    let door = plain_door().await;
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    for at in 0..3 {
        // Pauses longer than the time-out for a head, shorter than that for idling.
        tokio::time::sleep(Duration::from_millis(if at == 0 { 50 } else { 300 })).await;
        stream.write_all(b"GET /binance/x HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
        let answer = hear(&mut stream, Duration::from_millis(100)).await;
        assert_eq!(status(&answer), "200");
        for header in [
            "content-type: application/json",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
        ] {
            assert!(answer.contains(header), "{answer}");
        }
    }
}

/// How long a connection lives that sends this, a byte at a time.
async fn lives(address: SocketAddr, bytes: &[u8]) -> Duration {
    let began = std::time::Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut chunk = [0; 1024];
    for byte in bytes {
        let sent = stream.write_all(&[*byte]).await;
        let read = tokio::time::timeout(Duration::from_millis(20), stream.read(&mut chunk)).await;
        if sent.is_err() || matches!(read, Ok(Ok(0) | Err(_))) {
            return began.elapsed();
        }
    }
    loop {
        match tokio::time::timeout(Duration::from_secs(5), stream.read(&mut chunk)).await {
            Ok(Ok(1..)) => {}
            Ok(_) => return began.elapsed(),
            Err(_) => return Duration::MAX,
        }
    }
}

#[tokio::test]
async fn slow_callers_are_cut_off() {
    let door = plain_door().await;
    let head = "GET /binance/x HTTP/1.1\r\nHost: h\r\nX: ".to_owned() + &"y".repeat(200);
    let body = "POST /binance/x HTTP/1.1\r\nHost: h\r\nContent-Length: 200\r\n\r\n".to_owned();
    let table = [
        ("nothing", String::new(), 200),
        ("a slow head", head, 200),
        ("an idle connection", "GET /binance/x HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), 600),
    ];
    for (name, text, least) in table {
        // The last one is sent at once: its head is not what is slow.
        let lived = if least > 200 {
            let mut stream = TcpStream::connect(door.address).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            let began = std::time::Instant::now();
            hear(&mut stream, Duration::from_secs(5)).await;
            began.elapsed()
        } else {
            lives(door.address, text.as_bytes()).await
        };
        assert!(lived >= Duration::from_millis(least - 20), "{name}: {lived:?}");
        assert!(lived < Duration::from_millis(least + 1500), "{name}: {lived:?}");
    }
    let answer = say_and_wait(door.address, &body).await;
    assert!(answer.contains("too slowly"), "{answer:?}");
}

async fn say_and_wait(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    hear(&mut stream, Duration::from_millis(800)).await
}

#[tokio::test]
async fn too_many_requests_or_connections_are_turned_away() {
    let door = open_door((1, 2), Connections::new(10, 2)).await;
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        stream.write_all(b"GET /binance/x HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
        let answer = hear(&mut stream, Duration::from_millis(80)).await;
        seen.push((status(&answer).to_owned(), answer.contains("TG404")));
    }
    let yes = ("200".to_owned(), false);
    assert_eq!(seen, [yes.clone(), yes, ("400".to_owned(), true)]);

    let _held = [
        TcpStream::connect(door.address).await.unwrap(),
        TcpStream::connect(door.address).await.unwrap(),
    ];
    tokio::time::sleep(Duration::from_millis(20)).await;
    let refused = say(door.address, b"GET /binance/x HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(refused, "", "a third connection from one address");
}

use super::*;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn get() -> WireRequest {
    WireRequest {
        method: "GET".to_owned(),
        target: "/x?signature=s3cret".to_owned(),
        headers: vec![("x-key".to_owned(), "k".to_owned())],
        body: String::new(),
    }
}

fn pool(base: &str) -> Pool {
    Pool::new(base, "ws://127.0.0.1:1", &Roots::System).unwrap()
}

/// Sends once; whether `sent` was called, and what came of it.
async fn send(pool: &Pool) -> (bool, Result<Reply, Failure>) {
    let left = AtomicUsize::new(0);
    let note = Box::new(|| {
        left.fetch_add(1, Ordering::Relaxed);
    });
    let departure = Departure { left: note, ..Departure::certain() };
    let result = tokio::time::timeout(Duration::from_secs(10), pool.send(get(), departure)).await;
    let times = left.load(Ordering::Relaxed);
    assert!(times <= 1);
    (times == 1, result.unwrap())
}

/// A server that gives each connection to `serve` and counts them.
fn server(serve: impl Fn(usize, TcpStream) + Send + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/base/", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            serve(count.fetch_add(1, Ordering::Relaxed), stream);
        }
    });
    (base, connections)
}

/// Reads a request's head; `None` at the end.
fn head(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            return Some(head);
        }
        head.push_str(&line);
    }
}

const ANSWER: &[u8] = b"HTTP/1.1 418 I'm a teapot\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\n{}";

/// The answer of a venue that closes the connection after it.
const CLOSING: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

/// The length that a request tells and its body, as they came.
fn length_and_body(stream: &TcpStream) -> (usize, String) {
    let mut reader = BufReader::new(stream);
    let (mut length, mut line) = (0, String::new());
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", told)) => length = told.parse().unwrap(),
            Some(_) => {}
            None if line == "\r\n" => break,
            None => {}
        }
    }
    // What there is more than that would come now.
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut body = Vec::new();
    let _ = reader.read_to_end(&mut body);
    (length, String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn the_length_that_is_told_is_that_of_the_body() {
    let (tell, told) = std::sync::mpsc::channel();
    let (base, _) = server(move |_, mut stream| {
        tell.send(length_and_body(&stream)).unwrap();
        let _ = stream.write_all(CLOSING);
    });
    let pool = pool(&base);
    for body in ["", "a=b", "label=\u{e9}"] {
        let request = WireRequest { method: "POST".into(), body: body.into(), ..get() };
        let departure = Departure::certain();
        pool.send(request, departure).await.unwrap();
        assert_eq!(told.recv().unwrap(), (body.len(), body.to_owned()));
    }
}

#[tokio::test]
async fn asks_on_one_connection_again_and_again() {
    let (base, connections) = server(|_, mut stream| {
        std::thread::spawn(move || {
            while let Some(head) = head(&stream) {
                assert!(head.starts_with("GET /base/x?signature=s3cret HTTP/1.1\r\n"), "{head}");
                assert!(
                    head.contains("x-key: k\r\n") && head.contains("host: 127.0.0.1:"),
                    "{head}"
                );
                stream.write_all(ANSWER).unwrap();
            }
        });
    });
    let pool = pool(&base);
    for _ in 0..20 {
        let (left, reply) = send(&pool).await;
        let reply = reply.unwrap();
        assert!(left);
        assert_eq!((reply.status, reply.body.as_slice()), (418, b"{}".as_slice()));
        assert!(reply.headers.contains(&("retry-after".to_owned(), "3".to_owned())));
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn nothing_left_when_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (left, result) = send(&pool(&base)).await;
    assert!(!left);
    assert!(matches!(result, Err(Failure::NotSent(_))), "{result:?}");
}

#[tokio::test]
async fn the_outcome_is_unknown_once_a_byte_left_and_is_never_asked_again() {
    let answers: [&[u8]; 5] = [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}",
    ];
    for answer in answers {
        let (base, connections) = server(move |_, mut stream| {
            head(&stream);
            let _ = stream.write_all(answer);
        });
        let (left, result) = send(&pool(&base)).await;
        assert!(left);
        assert!(matches!(result, Err(Failure::Unknown(_))), "{result:?}");
        assert!(!format!("{result:?}").contains("s3cret"));
        assert_eq!(connections.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_kept() {
    let (base, _) = server(|_, mut stream| {
        head(&stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let (_, result) = send(&pool(&base)).await;
    assert!(matches!(result, Err(Failure::Unknown(_))), "{result:?}");
}

#[tokio::test]
async fn a_connection_that_the_venue_closed_meanwhile_is_not_used() {
    let (base, connections) = server(|_, mut stream| {
        head(&stream);
        stream.write_all(ANSWER).unwrap();
        // Closed without a word about it in the answer.
    });
    let pool = pool(&base);
    for _ in 0..3 {
        assert!(send(&pool).await.1.is_ok());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(connections.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_connection_that_was_given_up_is_not_used_again() {
    let (base, connections) = server(|n, mut stream| {
        std::thread::spawn(move || {
            head(&stream);
            if n == 0 {
                // Answers late, so that the answer would meet the next question.
                std::thread::sleep(Duration::from_millis(200));
            }
            let _ = stream.write_all(ANSWER);
            let _ = stream.read(&mut [0; 1]);
        });
    });
    let pool = pool(&base);
    let given_up =
        tokio::time::timeout(Duration::from_millis(100), pool.send(get(), Departure::certain()))
            .await;
    assert!(given_up.is_err());
    assert!(send(&pool).await.1.is_ok());
    assert_eq!(connections.load(Ordering::Relaxed), 2);
}

#[test]
fn plain_text_stays_on_loopback() {
    let plain = |url: &str| Pool::new(url, "ws://127.0.0.1:1", &Roots::System).is_ok();
    assert!(plain("http://127.0.0.1:80") && plain("http://[::1]:80") && plain("http://localhost"));
    for url in ["http://10.0.0.1", "http://example.com", "ftp://127.0.0.1", "127.0.0.1", ""] {
        assert!(!plain(url), "{url}");
    }
    assert!(Pool::new("http://127.0.0.1", "ws://example.com", &Roots::System).is_err());
    assert!(Pool::new("http://user:pw@127.0.0.1", "ws://127.0.0.1", &Roots::System).is_err());
}

/// A TLS server at `localhost` with a certificate of `ca` for this name until this year, for one connection.
fn tls_server(ca: &rcgen::CertifiedIssuer<'_, rcgen::KeyPair>, name: &str, until: i32) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let certificate = params.signed_by(&key, ca).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    let config = Arc::new(config);
    let (base, _) = server(move |_, mut stream| {
        let mut tls = rustls::ServerConnection::new(config.clone()).unwrap();
        let mut tls = rustls::Stream::new(&mut tls, &mut stream);
        let mut bytes = [0; 1024];
        if tls.read(&mut bytes).is_ok() {
            let _ = tls.write_all(ANSWER);
        }
    });
    base.replace("http://127.0.0.1", "https://localhost")
}

fn authority() -> rcgen::CertifiedIssuer<'static, rcgen::KeyPair> {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test]
async fn believes_its_own_authority_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, other) = (authority(), authority());
    for (issuer, name, until, good) in [
        (&ca, "localhost", 4000, true),
        (&other, "localhost", 4000, false),
        (&ca, "elsewhere.example", 4000, false),
        (&ca, "localhost", 2001, false),
    ] {
        let file = folder.path().join("roots");
        std::fs::write(&file, issuer.pem()).unwrap();
        let base = tls_server(&ca, name, until);
        let pool = Pool::new(&base, "wss://localhost:1", &Roots::File(file)).unwrap();
        let (left, result) = send(&pool).await;
        assert_eq!((left, result.is_ok()), (good, good), "{result:?}");
        if !good {
            assert!(matches!(result, Err(Failure::NotSent(_))));
        }
    }
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    assert!(Pool::new("https://localhost", "wss://localhost", &Roots::File(empty)).is_err());
}

#[tokio::test]
async fn each_path_goes_to_its_own_host() {
    let answer = |name: &'static str| {
        let (base, _) = server(move |_, mut stream| {
            while head(&stream).is_some() {
                let length = name.len();
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{name}")
                    .unwrap();
            }
        });
        base.trim_end_matches("/base/").to_owned()
    };
    let (rest, wallet) = (answer("futures"), answer("wallet"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let orders = format!("ws://{}", listener.local_addr().unwrap());
    let venue = config::Venue {
        rest,
        ws: "ws://127.0.0.1:1".to_owned(),
        hosts: [("/sapi".to_owned(), wallet), ("/ws-fapi".to_owned(), orders)].into(),
        ..config::Venue::default()
    };
    let pool = Pool::configured(&venue).unwrap();
    for (target, told) in [
        ("/fapi/v1/order", "futures"),
        ("/sapi/v1/account/apiRestrictions?x=1", "wallet"),
        ("/sapis", "futures"),
        // Connections that were kept go back to the host they are to.
        ("/fapi/v1/order", "futures"),
        ("/sapi/v1/x", "wallet"),
    ] {
        let request = WireRequest { target: target.to_owned(), ..get() };
        let reply = pool.send(request, Departure::certain()).await.unwrap();
        assert_eq!(reply.body, told.as_bytes(), "{target}");
    }
    let asked = std::thread::spawn(move || head(&listener.accept().unwrap().0).unwrap());
    assert!(pool.socket("/ws-fapi/v1").await.is_err());
    assert!(asked.join().unwrap().starts_with("GET /ws-fapi/v1 HTTP/1.1"));
    assert!(pool.socket("/ws/key").await.is_err());
}

#[tokio::test]
async fn what_is_answered_to_a_handshake_is_told() {
    let (base, _) = server(|_, mut stream| {
        head(&stream);
        stream.write_all(ANSWER).unwrap();
    });
    let sockets = base.replace("http:", "ws:");
    let pool = Pool::new(&base, &sockets, &Roots::System).unwrap();
    let NotOpen { why, answer } = pool.socket("/ws").await.err().unwrap();
    assert!(why.contains("418"), "{why}");
    let answer = answer.unwrap();
    assert_eq!(answer.status, 418);
    assert!(answer.headers.contains(&("retry-after".to_owned(), "3".to_owned())), "{answer:?}");
}

#[tokio::test]
async fn a_handshake_that_is_answered_with_a_ban_stops_all_that_would_leave_from_there() {
    use crate::desk::{Errand, Link};
    use tidegate_types::ids::{AccountName, VenueName};
    use tidegate_types::reject::Code;
    let (base, connections) = server(|_, mut stream| {
        if head(&stream).is_some() {
            let _ = stream.write_all(ANSWER);
        }
    });
    let ws = base.replace("http://", "ws://");
    let pool = Pool::new("http://127.0.0.1:1", &ws, &Roots::System).unwrap();
    let venue = tidegate_venues::registry::find(&VenueName::new("binance").unwrap()).unwrap();
    let link = Link::new(venue, Box::new(pool));
    assert!(link.socket(None, "/ws").await.err().unwrap().contains("418"));
    let main = AccountName::new("main").unwrap();
    for errand in [Errand::cancel(&main), Errand::Upkeep(None)] {
        let reject = link.fetch(errand, get()).await.unwrap_err();
        assert_eq!(reject.code, Code::VenueFrozen, "{reject}");
    }
    let again = link.socket(None, "/ws").await.err().unwrap();
    assert!(again.contains("TG804"), "{again}");
    assert_eq!(connections.load(Ordering::Relaxed), 1, "nothing is dialled until it is over");
}

#[tokio::test]
async fn what_was_called_back_leaves_no_byte_and_the_connection_serves_the_next() {
    let (base, connections) = server(|_, mut stream| {
        std::thread::spawn(move || {
            while head(&stream).is_some() {
                stream.write_all(ANSWER).unwrap();
            }
        });
    });
    let pool = pool(&base);
    let left = AtomicUsize::new(0);
    let note = Box::new(|| {
        left.fetch_add(1, Ordering::Relaxed);
    });
    let may_leave = Box::new(|| false);
    let departure = Departure { may_leave, left: note, ..Departure::certain() };
    let result = pool.send(get(), departure).await;
    assert_eq!(result.unwrap_err(), Failure::NotSent(CALLED_BACK.to_owned()));
    assert_eq!(left.load(Ordering::Relaxed), 0);
    assert_eq!(send(&pool).await.1.unwrap().status, 418);
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn where_a_venue_points_to_nobody_goes() {
    let (other, elsewhere) = server(|_, _| ());
    let (base, connections) = server(move |_, mut stream| {
        let Some(_) = head(&stream) else { return };
        let to = other.clone();
        write!(stream, "HTTP/1.1 307 Go\r\nLocation: {to}x\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let (left, result) = send(&pool(&base)).await;
    assert_eq!((left, result.unwrap().status), (true, 307));
    assert_eq!(connections.load(Ordering::Relaxed), 1);
    assert_eq!(elsewhere.load(Ordering::Relaxed), 0);
}

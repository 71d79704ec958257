use super::*;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server that answers each connection with these bytes; its origin, and how many came.
fn server(answer: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("http://{}", listener.local_addr().unwrap());
    let came = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&came);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::Relaxed);
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&answer);
        }
    });
    (at, came)
}

fn site(at: &str) -> Site {
    Site::new([at], &Roots::System).unwrap()
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn what_is_there_is_read_whole_though_the_connection_ends_with_it() {
    let (at, _) = server(answer("200 OK", b"{\"a\":1}"));
    let read = site(&at).get(&format!("{at}/x?y=1")).await.unwrap();
    assert_eq!((read.status, read.body.as_slice()), (200, b"{\"a\":1}".as_slice()));
    let sent = site(&at).post(&at, "a=1".to_owned()).await.unwrap();
    assert_eq!(sent.status, 200);
}

#[tokio::test]
async fn nothing_but_the_allowed_origins_is_connected_to() {
    let (at, _) = server(answer("200 OK", b""));
    let (other, came) = server(answer("200 OK", b""));
    for url in [
        format!("{other}/"),
        other.replace("http://", "https://"),
        other.replace("127.0.0.1", "localhost"),
        format!("{at}@{}/", other.trim_start_matches("http://")),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        assert!(site(&at).get(&url).await.is_err(), "{url}");
    }
    assert_eq!(came.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other() {
    let (other, came) = server(answer("200 OK", b""));
    let (at, _) = server(answer(&format!("302 Found\r\nlocation: {other}/"), b""));
    assert_eq!(site(&at).get(&at).await.unwrap().status, 302);
    assert_eq!(came.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_none() {
    let (at, _) = server(answer("200 OK", &vec![b'a'; MAX_BYTES + 1]));
    assert!(site(&at).get(&at).await.is_err());
    let (at, _) = server(answer("200 OK", &vec![b'a'; MAX_BYTES]));
    assert!(site(&at).get(&at).await.is_ok());
}

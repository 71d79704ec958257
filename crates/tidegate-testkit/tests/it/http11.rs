//! Requests that servers read differently, over raw sockets: each case of Http11Probe's list with the answer that
//! is ours. One that is refused is told so, and its connection ends: what stands behind it is never served.

use std::net::SocketAddr;
use std::time::Duration;
use tidegate_testkit::door;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CASES: &str = include_str!("http11/cases.txt");
/// How long the door waits for the rest of a request, and for the next one.
const PATIENCE: Duration = Duration::from_secs(3);

/// A case: what others may answer, what we do, and what is sent.
struct Case {
    name: &'static str,
    allowed: &'static str,
    ours: &'static str,
    bytes: Vec<u8>,
}

fn cases() -> Vec<Case> {
    let lines = CASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let case = |line: &'static str| {
        let mut parts = line.splitn(4, " | ");
        let mut part = || parts.next().unwrap_or_else(|| panic!("four parts: {line}"));
        Case { name: part(), allowed: part(), ours: part(), bytes: bytes(part()) }
    };
    lines.map(case).collect()
}

/// The bytes that a text of the list stands for.
fn bytes(text: &str) -> Vec<u8> {
    let Some((before, rest)) = text.split_once('{') else { return plain(text) };
    let (repeated, after) = rest.split_once('}').unwrap();
    let (repeated, times) = repeated.rsplit_once('*').unwrap();
    let repeated = repeated.replace('~', "\r\n").repeat(times.parse().unwrap());
    [plain(before), repeated.into_bytes(), bytes(after)].concat()
}

fn plain(text: &str) -> Vec<u8> {
    let mut found = Vec::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            found.push(u8::try_from(c).unwrap());
            continue;
        }
        found.push(match rest.next() {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('x') => {
                let digits: String = rest.by_ref().take(2).collect();
                u8::from_str_radix(&digits, 16).unwrap()
            }
            other => panic!("\\{other:?} stands for nothing"),
        });
    }
    found
}

/// The statuses that came until the connection ended, and whether the last one said that it would.
async fn answer(door: SocketAddr, bytes: &[u8]) -> String {
    let (mut from, mut to) = TcpStream::connect(door).await.unwrap().into_split();
    // Who refuses early does not wait for the rest.
    let send = async {
        let _ = to.write_all(bytes).await;
        std::future::pending::<()>().await;
    };
    let mut heard = Vec::new();
    let hear = async {
        let mut chunk = [0; 16 * 1024];
        while let Ok(n @ 1..) = from.read(&mut chunk).await {
            heard.extend_from_slice(&chunk[..n]);
        }
    };
    let both = async {
        tokio::select! { () = hear => {}, () = send => {} }
    };
    let ended = tokio::time::timeout(10 * PATIENCE, both).await;
    assert!(ended.is_ok(), "the connection ends");
    told(&String::from_utf8_lossy(&heard))
}

fn told(heard: &str) -> String {
    // An answer, which is of the request's version, may tell of another in its words; a status is a number.
    let is_status = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
    let answers = heard.split("HTTP/1.").skip(1).filter_map(|answer| answer.get(2..5));
    let mut words: Vec<&str> = answers.filter(is_status).collect();
    if words.is_empty() {
        words.push("nothing");
    }
    if heard.contains("connection: close") {
        words.push("closed");
    }
    words.join(" ")
}

/// Whether an answer is one that the list lets a server give, or we say why not.
fn is_allowed(case: &Case) -> bool {
    // What says that the body may come is no answer yet.
    let first = case.ours.split(' ').find(|word| *word != "100").unwrap();
    case.allowed.split(' ').any(|word| match word {
        "any" => true,
        "2xx" => first.starts_with('2'),
        word => word == first || word.starts_with('('),
    })
}

#[tokio::test]
async fn ht_2_every_case_of_the_list_has_its_answer() {
    let open = door::open(SocketAddr::from(([127, 0, 0, 1], 0)), PATIENCE).await.unwrap();
    let cases = cases();
    let asked: Vec<_> = cases
        .iter()
        .map(|case| {
            let (address, bytes) = (open.address, case.bytes.clone());
            tokio::spawn(async move { answer(address, &bytes).await })
        })
        .collect();
    let mut wrong = Vec::new();
    for (case, answer) in cases.iter().zip(asked) {
        let answer = answer.await.unwrap();
        if answer != case.ours {
            wrong.push(format!("{}\t{answer}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_answer_of_ours_is_allowed_or_has_its_reason() {
    let cases = cases();
    assert_eq!(cases.len(), 215, "every case of the list");
    for case in &cases {
        assert!(is_allowed(case), "{}: {} where {}", case.name, case.ours, case.allowed);
        // Nothing is ever served on a connection behind what was refused.
        let words: Vec<&str> = case.ours.split(' ').collect();
        let Some(at) = words.iter().position(|word| word.starts_with(['4', '5'])) else { continue };
        assert_eq!(words.get(at + 1..), Some(&["closed"][..]), "{}", case.name);
    }
}

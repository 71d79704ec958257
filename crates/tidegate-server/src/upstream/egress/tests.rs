//! A venue on loopback that tells each connection from where it came.

use super::*;
use crate::desk::Errand;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use tidegate_types::call::WireRequest;
use tidegate_types::ids::{AccountName, CallerName, VenueName};
use tidegate_types::reject::{Code, Reject};
use tidegate_venues::registry;

const FIRST: &str = "127.0.0.2";
const SECOND: &str = "127.0.0.3";

/// Answers who asked; what is asked at `/ban` bans.
fn serve(stream: &TcpStream) -> Option<()> {
    let peer = stream.peer_addr().ok()?.ip().to_string();
    let mut lines = BufReader::new(stream).lines();
    loop {
        let target = lines.next()?.ok()?;
        while !lines.next()?.ok()?.is_empty() {}
        let status =
            if target.contains("ban=") { "418 Banned\r\nRetry-After: 60" } else { "200 OK" };
        let length = peer.len();
        let mut out = stream;
        write!(out, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{peer}").ok()?;
    }
}

fn venue() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(&stream));
        }
    });
    base
}

fn way(binds_keys: bool) -> Link {
    let settings = config::Venue {
        rest: venue(),
        ws: "ws://127.0.0.1:1".to_owned(),
        egress: vec![address(FIRST), address(SECOND)],
        egress_binds_keys: binds_keys,
        egress_of: [("named".to_owned(), address(SECOND))].into(),
        ..config::Venue::default()
    };
    let binance = registry::find(&VenueName::new("binance").unwrap()).unwrap();
    link(binance, &settings).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn account(name: &str) -> AccountName {
    AccountName::new(name).unwrap()
}

async fn ask(link: &Link, errand: Errand<'_>, query: &str) -> Result<String, Reject> {
    let target = format!("/fapi/v1/depth?symbol=BTCUSDT&limit=5{query}");
    let (method, headers, body) = ("GET".into(), Vec::new(), String::new());
    let reply = link.fetch(errand, WireRequest { method, target, headers, body }).await?;
    Ok(String::from_utf8(reply.body).unwrap())
}

async fn ask_on(link: &Link, name: &str, query: &str) -> Result<String, Reject> {
    let (caller, account) = (CallerName::new("ann").unwrap(), account(name));
    ask(link, Errand::Read { caller: &caller, account: &account }, query).await
}

async fn public(link: &Link) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for _ in 0..6 {
        seen.insert(ask(link, Errand::Public { peer: address("192.0.2.9") }, "").await.unwrap());
    }
    seen
}

#[tokio::test]
async fn each_address_is_used_and_one_that_is_banned_leaves_the_other_going() {
    let link = way(false);
    assert_eq!(ask_on(&link, "named", "").await.unwrap(), SECOND);
    for _ in 0..3 {
        assert_eq!(ask_on(&link, "other", "").await.unwrap(), FIRST, "where fewer are");
        assert_eq!(ask_on(&link, "named", "").await.unwrap(), SECOND, "it stays there");
    }
    assert_eq!(public(&link).await, BTreeSet::from([FIRST.to_owned(), SECOND.to_owned()]));

    assert_eq!(ask_on(&link, "named", "&ban=1").await.unwrap(), SECOND);
    assert_eq!(ask_on(&link, "named", "").await.unwrap_err().code, Code::VenueFrozen);
    assert_eq!(ask_on(&link, "other", "").await.unwrap(), FIRST);
    assert_eq!(public(&link).await, BTreeSet::from([FIRST.to_owned()]));
    assert_eq!(link.gauge().frozen.len(), 1);
    let named = account("named");
    for errand in [Errand::cancel(&named), Errand::Kill(&named)] {
        assert_eq!(ask(&link, errand, "").await.unwrap(), FIRST, "cancels find another way");
    }
}

#[tokio::test]
async fn cancels_stay_where_their_keys_are_good() {
    let link = way(true);
    assert_eq!(ask_on(&link, "named", "&ban=1").await.unwrap(), SECOND);
    let named = account("named");
    let refused = ask(&link, Errand::cancel(&named), "").await;
    assert_eq!(refused.unwrap_err().code, Code::VenueFrozen);
}

#[test]
fn an_account_is_at_an_address_of_the_venue_s() {
    let venue =
        |egress: &str| format!("[venues.deribit]\nrest = 'https://x'\nws = 'wss://x'\n{egress}\n");
    let told = |egress| config::Config::parse(&venue(egress)).map_err(|error| error.0);
    assert!(told("egress = ['203.0.113.5']\negress_of = {main = '203.0.113.5'}").is_ok());
    for (egress, why) in [
        ("egress = ['203.0.113.5', '203.0.113.5']", "twice"),
        ("egress = ['0.0.0.0']", "nothing leaves from"),
        ("egress_of = {main = '203.0.113.5'}", "not one of egress"),
        ("egress = ['203.0.113.5']\negress_of = {'no name' = '203.0.113.5'}", "not an account"),
    ] {
        let told = told(egress).unwrap_err();
        assert!(told.contains(why), "{told}");
    }
}

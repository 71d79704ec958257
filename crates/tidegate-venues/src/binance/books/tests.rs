use super::*;
use crate::binance::Binance;
use crate::book::{Book, Gap};
use crate::upstream::Upstream;
use tidegate_types::limits::MAX_BOOKS;

fn name() -> InstrumentName {
    InstrumentName::new("BTCUSDT").unwrap()
}

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

fn depth(first: u64, last: u64, before: u64, bids: &str, asks: &str) -> String {
    format!(
        r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1700000000100,"T":1700000000090,"s":"BTCUSDT","ps":"BTCUSDT","U":{first},"u":{last},"pu":{before},"b":[{bids}],"a":[{asks}]}}}}"#
    )
}

const SNAPSHOT: &str = r#"{"lastUpdateId":1005,"E":1700000000000,"T":1700000000000,"bids":[["60000.10","1.500"],["60000.00","2"]],"asks":[["60000.20","0.001"]]}"#;

#[test]
fn the_snapshot_is_joined_and_followed() {
    let mut book = Book::default();
    let mut tell = |text: &str| {
        let (of, update) = change(text).unwrap();
        assert_eq!(of, name());
        book.apply(update)
    };
    // Before the snapshot, over its number, then one after the other.
    tell(&depth(990, 1000, 989, r#"["60000.10","9"]"#, "")).unwrap();
    tell(&depth(1001, 1010, 1000, "", r#"["60000.20","0.000"],["60000.30","4"]"#)).unwrap();
    assert!(book.lacks_snapshot());
    book.apply(snapshot(&reply(200, SNAPSHOT)).unwrap()).unwrap();
    let best = (book.best_bid().unwrap(), book.best_ask().unwrap());
    assert_eq!(
        (best.0.price.to_string(), best.0.qty.to_string()),
        ("60000.1".into(), "1.5".into())
    );
    assert_eq!((best.1.price.to_string(), best.1.qty.to_string()), ("60000.3".into(), "4".into()));
    let (_, missed) = change(&depth(1021, 1030, 1020, "", "")).unwrap();
    assert_eq!(book.apply(missed), Err(Gap::Missing { at: 1010, after: 1020 }));
}

#[test]
fn what_is_no_change_of_a_book_tells_nothing() {
    assert!(change(&depth(1, 2, 0, "", "")).is_some());
    for text in [
        "",
        "[]",
        r#"{"result":null,"id":1}"#,
        r#"{"e":"depthUpdate","s":"BTCUSDT","u":2,"b":[],"a":[]}"#,
        r#"{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"pu":0,"b":[["x","1"]],"a":[]}"#,
        r#"{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"pu":0,"b":[["1","-1"]],"a":[]}"#,
        r#"{"e":"markPriceUpdate","s":"BTCUSDT","U":1,"u":2,"pu":0,"b":[],"a":[]}"#,
    ] {
        assert_eq!(change(text), None, "{text}");
    }
    for bad in [reply(429, SNAPSHOT), reply(200, "[]"), reply(200, r#"{"bids":[],"asks":[]}"#)] {
        assert!(snapshot(&bad).is_err());
    }
}

#[test]
fn subscriptions_and_snapshots_are_worded_as_the_venue_wants() {
    let names = [name(), InstrumentName::new("ETHUSDT_261225").unwrap()];
    assert_eq!(
        subscription(&names, true),
        r#"{"method":"SUBSCRIBE","params":["btcusdt@depth@100ms","ethusdt_261225@depth@100ms"],"id":1}"#
    );
    assert!(subscription(&names, false).contains(r#""UNSUBSCRIBE""#));
    let venue = Binance::new().unwrap();
    let request = venue.book_snapshot(&name()).unwrap();
    assert_eq!(request.target, "/fapi/v1/depth?symbol=BTCUSDT&limit=100");
    // All books at once, one a second, take little of what there is in a minute.
    let [cost] = venue.cost(&request)[..] else { panic!("one allowance pays") };
    let room = venue.allowances()[cost.allowance].units;
    assert_eq!(cost.count, 5);
    assert!(60 * cost.count < room / 4 && MAX_BOOKS <= 60);
}

#[test]
fn a_day_s_volume_is_what_was_turned_over() {
    let name = InstrumentName::new("BTCUSDT").unwrap();
    assert_eq!(volume_request(&name).target, "/fapi/v1/ticker/24hr?symbol=BTCUSDT");
    let told = r#"{"symbol":"BTCUSDT","volume":"8913.30","quoteVolume":"517284.25"}"#;
    assert_eq!(volume(&reply(200, told)), Some(Usd("517284.25".parse().unwrap())));
    assert_eq!(volume(&reply(400, r#"{"code":-1121,"msg":"Invalid symbol."}"#)), None);
    assert_eq!(volume(&reply(200, r#"{"volume":"1"}"#)), None);
}

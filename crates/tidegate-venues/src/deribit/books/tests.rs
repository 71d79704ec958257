use super::*;
use crate::book::{Book, Gap};

fn name() -> InstrumentName {
    InstrumentName::new("BTC-PERPETUAL").unwrap()
}

fn message(data: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"book.BTC-PERPETUAL.100ms","data":{{"timestamp":1700000000000,"instrument_name":"BTC-PERPETUAL",{data}}}}}}}"#
    )
}

fn told(data: &str) -> Option<Update> {
    let BookNews { update, answer } = news(&message(data));
    assert_eq!(answer, None);
    update.map(|(of, update)| {
        assert_eq!(of, name());
        update
    })
}

const SNAPSHOT: &str = r#""type":"snapshot","change_id":700,"bids":[["new",60000.5,100.0],["new",60000.0,20.0]],"asks":[["new",60001.0,10.0]]"#;

#[test]
fn a_book_begins_with_the_snapshot_and_follows_its_changes() {
    let mut book = Book::default();
    book.apply(told(SNAPSHOT).unwrap()).unwrap();
    let next = r#""type":"change","prev_change_id":700,"change_id":731,"bids":[["delete",60000.5,0.0],["change",60000.0,30.0]],"asks":[["new",60000.5,1e1]]"#;
    book.apply(told(next).unwrap()).unwrap();
    let best = (book.best_bid().unwrap(), book.best_ask().unwrap());
    assert_eq!((best.0.price.to_string(), best.0.qty.to_string()), ("60000".into(), "30".into()));
    assert_eq!((best.1.price.to_string(), best.1.qty.to_string()), ("60000.5".into(), "10".into()));
    let missed = r#""type":"change","prev_change_id":740,"change_id":741,"bids":[],"asks":[]"#;
    let missed = book.apply(told(missed).unwrap());
    assert_eq!(missed, Err(Gap::Missing { at: 731, after: 740 }));
    book.apply(told(&SNAPSHOT.replace("700", "745")).unwrap()).unwrap();
    assert!(book.is_whole());
}

#[test]
fn what_is_no_book_tells_nothing() {
    for data in [
        r#""type":"change","change_id":1,"bids":[],"asks":[]"#,
        r#""type":"else","prev_change_id":0,"change_id":1,"bids":[],"asks":[]"#,
        r#""type":"snapshot","change_id":1,"bids":[["else",1,1]],"asks":[]"#,
        r#""type":"snapshot","change_id":1,"bids":[["new",1,-1]],"asks":[]"#,
        r#""type":"snapshot","change_id":1,"bids":[["new",1]],"asks":[]"#,
    ] {
        assert_eq!(told(data), None, "{data}");
    }
    for text in ["", "x", r#"{"id":2,"result":["book.BTC-PERPETUAL.100ms"]}"#] {
        assert_eq!(news(text), BookNews::default(), "{text}");
    }
    let beat = |kind: &str| format!(r#"{{"method":"heartbeat","params":{{"type":"{kind}"}}}}"#);
    assert_eq!(news(&beat("heartbeat")), BookNews::default());
    assert!(news(&beat("test_request")).answer.unwrap().contains("public/test"));
}

#[test]
fn subscriptions_name_the_channels() {
    let text = subscription(&[name()], true);
    assert!(text.contains("public/subscribe") && text.contains("book.BTC-PERPETUAL.100ms"));
    assert!(subscription(&[name()], false).contains("public/unsubscribe"));
    assert!(feed().hello[0].contains("set_heartbeat"));
}

#[test]
fn a_day_s_volume_is_told_in_dollars() {
    let asked = volume_request(&name()).target;
    assert!(asked.ends_with("public/ticker?instrument_name=BTC-PERPETUAL"), "{asked}");
    let reply = |body: &str| Reply { status: 200, headers: Vec::new(), body: body.into() };
    let told = r#"{"result":{"stats":{"volume":1.5,"volume_usd":95002.25}}}"#;
    assert_eq!(volume(&reply(told)), Some(Usd("95002.25".parse().unwrap())));
    let option = r#"{"result":{"mark_iv":60.1,"index_price":60000.5,"stats":{"volume":1.5,"volume_usd":null}}}"#;
    assert_eq!(
        volume(&reply(option)),
        Some(Usd("90000.75".parse().unwrap())),
        "coins at the index"
    );
    let unpriced = r#"{"result":{"mark_iv":60.1,"stats":{"volume":1.5}}}"#;
    for other in ["", "{}", unpriced, r#"{"error":{"code":10}}"#, r#"{"result":{"stats":{}}}"#] {
        assert_eq!(volume(&reply(other)), None, "{other}");
    }
}

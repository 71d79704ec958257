use super::*;
use crate::deribit::testkit::{instruments, reply};
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::InstrumentName;

fn named(name: &str) -> Option<Instrument> {
    instruments().get(&InstrumentName::new(name).unwrap()).cloned()
}

#[test]
fn terms_are_read_or_left_out() {
    let perpetual = named("BTC-PERPETUAL").unwrap();
    assert_eq!((&perpetual.kind, perpetual.unit), (&Kind::Perpetual, Unit::Inverse));
    assert_eq!(
        (perpetual.lot.to_string(), perpetual.contract_size.to_string()),
        ("10".into(), "10".into())
    );
    assert!(perpetual.open);
    let linear = named("ETH_USDC-PERPETUAL").unwrap();
    assert_eq!((linear.unit, linear.open), (Unit::Linear, false), "halted");
    let option = named("BTC-25DEC26-100000-C").unwrap();
    assert_eq!((option.unit, option.lot.to_string()), (Unit::CoinOption, "0.1".into()));
    assert!(
        matches!(&option.kind, Kind::Option { call: true, strike, .. } if strike.to_string() == "100000")
    );
    assert_eq!(option.tick_at(Price(Decimal::new(6, 3))).to_string(), "0.0005");
    assert_eq!(option.tick_at(Price(Decimal::new(4, 3))).to_string(), "0.0001");
    for name in ["XRP_USDC-25DEC26-0d625-P", "BTC_USDC", "BTC-FS-25DEC26_PERP"] {
        assert!(named(name).is_none(), "{name}");
    }
    assert!(read(&[reply(500, "")]).is_err());
}

#[test]
fn terms_without_sense_are_left_out() {
    let row = r#"{"kind":"future","instrument_name":"X-PERPETUAL","instrument_type":"reversed","settlement_period":"perpetual","price_index":"x_usd","base_currency":"X","settlement_currency":"X","tick_size":TICK,"contract_size":10,"min_trade_amount":10,"is_active":true}"#;
    let count = |tick: &str| {
        let body = format!(r#"{{"result":[{}]}}"#, row.replace("TICK", tick));
        read(&[reply(200, &body)]).unwrap().len()
    };
    assert_eq!(
        [count("0.5"), count("0"), count("-1"), count("\"1\""), count("null")],
        [1, 0, 0, 0, 0]
    );
}

#[test]
fn the_feed_names_every_instrument() {
    let feed = mark_feed(&instruments());
    assert_eq!(feed.target, "/ws/api/v2");
    assert_eq!(feed.hello.len(), 2);
    assert!(feed.hello[0].contains("set_heartbeat"));
    for name in ["ticker.BTC-PERPETUAL.100ms", "ticker.BTC-25DEC26-100000-C.100ms"] {
        assert!(feed.hello[1].contains(name), "{}", feed.hello[1]);
    }
}

#[test]
fn tickers_are_marks() {
    let ticker = |name: &str, mark: &str, index: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"ticker.{name}.100ms","data":{{"timestamp":1700000000123,"instrument_name":"{name}","mark_price":{mark},"index_price":{index},"best_bid_price":null}}}}}}"#
        )
    };
    let (told, answer) =
        marks(&ticker("BTC-PERPETUAL", "61234.123456789", "61200.5"), &instruments());
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].mark.to_string(), told[0].index.to_string()),
        ("61234.12345678".into(), "61200.5".into())
    );
    assert_eq!((told[0].at, answer), (Time::from_millis(1_700_000_000_123), None));
    for text in [
        ticker("NOT-KNOWN", "1", "1"),
        ticker("BTC-PERPETUAL", "null", "1"),
        ticker("BTC-PERPETUAL", "1", "0.0"),
        ticker("BTC-PERPETUAL", "-1", "1"),
        r#"{"id":2,"result":["ticker.BTC-PERPETUAL.100ms"]}"#.into(),
        r#"{"method":"heartbeat","params":{"type":"heartbeat"}}"#.into(),
        "x".into(),
    ] {
        assert_eq!(marks(&text, &instruments()), (Vec::new(), None), "{text}");
    }
    let (_, answer) =
        marks(r#"{"method":"heartbeat","params":{"type":"test_request"}}"#, &instruments());
    assert!(answer.unwrap().contains("public/test"));
}

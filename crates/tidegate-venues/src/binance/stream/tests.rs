use super::*;
use crate::binance::tests::{NOW, instruments, reply};
use serde_json::{Value, json};

fn stream() -> UserStream {
    UserStream::new(VenueName::new("binance").unwrap())
}

fn connected() -> UserStream {
    let mut stream = stream();
    assert_eq!(stream.start(NOW), [StreamStep::Call(OPEN)]);
    let steps = stream.on_reply(&reply(200, &json!({"listenKey": "abc123"})), NOW);
    assert_eq!(steps, [StreamStep::Connect("/private/ws?listenKey=abc123".to_owned())]);
    assert_eq!(stream.on_open(NOW), [StreamStep::Up]);
    stream
}

fn told(text: &Value) -> (Vec<StreamNews>, Vec<StreamStep>) {
    connected().on_text(&text.to_string(), &instruments(), NOW)
}

fn restarts(steps: &[StreamStep]) -> bool {
    matches!(steps, [StreamStep::Restart(_)])
}

#[test]
fn the_key_is_kept_alive() {
    let mut stream = connected();
    let due = NOW.plus(KEEP_EVERY);
    assert_eq!(stream.timer(), Some(due));
    assert!(stream.on_timer(NOW).is_empty());
    assert_eq!(stream.on_timer(due), [StreamStep::Call(KEEP)]);
    assert!(stream.on_reply(&reply(200, &json!({"listenKey": "abc123"})), due).is_empty());
    assert_eq!(stream.timer(), Some(due.plus(KEEP_EVERY)));
}

#[test]
fn a_key_that_cannot_be_kept_is_made_anew() {
    let mut stream = connected();
    let mut now = NOW.plus(KEEP_EVERY);
    let mut tries = 0;
    loop {
        match stream.on_timer(now).as_slice() {
            [StreamStep::Call(_)] => tries += 1,
            [StreamStep::Restart(_)] => break,
            other => panic!("{other:?}"),
        }
        assert!(stream.on_reply(&reply(503, &json!({})), now).is_empty());
        now = stream.timer().unwrap();
    }
    assert!(tries > 10 && now.since(NOW) < Span::from_secs(3600), "{tries}");
    let mut stream = connected();
    let gone = reply(400, &json!({"code": -1125, "msg": "This listenKey does not exist."}));
    assert!(restarts(&stream.on_reply(&gone, NOW)));
}

#[test]
fn no_key_no_stream() {
    for answer in [
        reply(401, &json!({"code": -2015, "msg": "Invalid API-key"})),
        reply(200, &json!({"listenKey": "a&b"})),
        reply(200, &json!({"listenKey": ""})),
        reply(200, &json!([])),
    ] {
        let mut stream = stream();
        stream.start(NOW);
        assert!(restarts(&stream.on_reply(&answer, NOW)), "{answer:?}");
    }
}

#[test]
fn a_trade_is_news_of_a_fill_and_of_its_order_and_a_frame() {
    let frame = json!({"e": "ORDER_TRADE_UPDATE", "E": 5, "T": 5, "o": {
        "s": "BTCUSDT", "c": "tg1-1", "S": "BUY", "o": "MARKET", "q": "0.002", "p": "0",
        "x": "TRADE", "X": "FILLED", "i": 8, "l": "0.002", "z": "0.002", "L": "7100.50",
        "N": "USDT", "n": "0.01", "T": 5, "t": 9, "m": false, "R": false,
    }});
    let (news, steps) = told(&frame);
    assert!(steps.is_empty());
    let [
        StreamNews::Event(AccountEvent::Fill { fill }),
        StreamNews::Event(AccountEvent::Order { report }),
        StreamNews::Frame(shown),
    ] = news.as_slice()
    else {
        panic!("{news:?}")
    };
    assert_eq!(fill.trade_id.as_str(), "9");
    assert_eq!(report.filled.to_string(), "0.002");
    assert_eq!(*shown, frame.to_string());
    // In an envelope it is the same.
    let (news, _) = told(&json!({"stream": "abc123", "data": frame}));
    assert_eq!(news.len(), 3);
}

#[test]
fn balances_and_positions_are_news_and_settings_are_frames_alone() {
    let account = json!({"e": "ACCOUNT_UPDATE", "E": 5, "a": {"m": "ORDER", "B": [
        {"a": "USDT", "wb": "122624.12345678", "cw": "100.12345678", "bc": "50.12345678"},
    ], "P": [
        {"s": "BTCUSDT", "pa": "20", "ep": "6563.6", "ps": "BOTH"},
        {"s": "BTCUSDT", "pa": "0", "ep": "0", "ps": "LONG"},
    ]}});
    let (news, _) = told(&account);
    let [
        StreamNews::Event(AccountEvent::Balance { balance }),
        StreamNews::Event(AccountEvent::Position { .. }),
        StreamNews::Frame(_),
    ] = news.as_slice()
    else {
        panic!("{news:?}")
    };
    // The wallet's, not what is left of it for cross margin.
    assert_eq!(
        (balance.asset.as_str(), balance.amount.to_string()),
        ("USDT", "122624.12345678".into())
    );
    for event in ["TRADE_LITE", "ACCOUNT_CONFIG_UPDATE", "MARGIN_CALL", "SOMETHING_NEW"] {
        let (news, steps) = told(&json!({"e": event}));
        assert!(matches!(news.as_slice(), [StreamNews::Frame(_)]) && steps.is_empty(), "{event}");
    }
}

#[test]
fn funding_is_told_with_the_balance_that_it_makes() {
    let update = |why: &str, change: &str| {
        json!({"e": "ACCOUNT_UPDATE", "E": 5, "a": {"m": why, "P": [], "B": [
            {"a": "USDT", "wb": "122624.12", "cw": "100.12", "bc": change},
        ]}})
    };
    let (news, _) = told(&update("FUNDING_FEE", "-50.12"));
    let [
        StreamNews::Event(AccountEvent::Balance { .. }),
        StreamNews::Event(AccountEvent::Funding { change }),
        StreamNews::Frame(_),
    ] = news.as_slice()
    else {
        panic!("{news:?}")
    };
    assert_eq!((change.asset.as_str(), change.amount.to_string()), ("USDT", "-50.12".into()));
    for other in [update("FUNDING_FEE", "0"), update("DEPOSIT", "0"), update("ORDER", "-1")] {
        let (news, _) = told(&other);
        assert_eq!(news.len(), 2, "{other}");
    }
}

#[test]
fn a_payment_is_told_so_that_it_never_looks_won() {
    use AccountEvent::{Balance, Payment};
    let update = |why: &str, change: &str| {
        json!({"e": "ACCOUNT_UPDATE", "E": 5, "a": {"m": why, "P": [], "B": [
            {"a": "USDT", "wb": "1850", "cw": "1850", "bc": change},
        ]}})
    };
    for (why, change) in [("DEPOSIT", "1000"), ("ADMIN_DEPOSIT", "0.5"), ("WITHDRAW_REJECT", "7")] {
        let (news, _) = told(&update(why, change));
        let [StreamNews::Event(Payment { change: paid }), StreamNews::Event(Balance { .. }), _] =
            news.as_slice()
        else {
            panic!("{news:?}")
        };
        assert_eq!((paid.asset.as_str(), paid.amount.to_string()), ("USDT", change.to_owned()));
    }
    for why in ["WITHDRAW", "ADMIN_WITHDRAW", "ASSET_TRANSFER"] {
        let (news, _) = told(&update(why, "-1000"));
        let [StreamNews::Event(Balance { .. }), StreamNews::Event(Payment { change }), _] =
            news.as_slice()
        else {
            panic!("{news:?}")
        };
        assert_eq!(change.amount.to_string(), "-1000");
    }
}

#[test]
fn what_may_have_been_an_order_makes_the_stream_begin_anew() {
    for frame in [
        json!({"e": "listenKeyExpired", "listenKey": "abc123"}),
        json!({"e": "ORDER_TRADE_UPDATE"}),
        json!({"e": "ORDER_TRADE_UPDATE", "o": {"s": "BTCUSDT"}}),
        json!({"e": "ACCOUNT_UPDATE", "a": {"B": [{"a": "USDT", "bc": "1"}], "P": []}}),
        json!({"e": "ACCOUNT_UPDATE", "a": {"P": [{"s": "BTCUSDT", "pa": "1", "ep": "1", "ps": "LONG"}]}}),
    ] {
        let (news, steps) = told(&frame);
        assert!(news.is_empty() && restarts(&steps), "{frame}");
    }
    let (_, steps) = connected().on_text("{", &instruments(), NOW);
    assert!(restarts(&steps));
}

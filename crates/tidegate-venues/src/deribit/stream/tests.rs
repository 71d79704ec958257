use super::*;
use crate::deribit::testkit::{NOW, order, trade};

fn at(seconds: u64) -> Time {
    NOW.plus(Span::from_secs(seconds))
}

fn heard(stream: &mut DeribitStream, text: &str, now: Time) -> (Vec<String>, Vec<StreamStep>) {
    let (news, steps) = stream.on_text(text, &Instruments::default(), now);
    let word = |news: StreamNews| match news {
        StreamNews::Frame(frame) => {
            let frame: Value = serde_json::from_str(&frame).unwrap();
            format!("frame {}", frame["params"]["channel"])
        }
        StreamNews::Event(AccountEvent::Order { report }) => {
            format!("order {} {:?}", report.venue_id, report.state)
        }
        StreamNews::Event(AccountEvent::Fill { fill }) => format!("fill {}", fill.trade_id),
        StreamNews::Event(AccountEvent::Position { position }) => {
            format!("position {}", position.qty)
        }
        StreamNews::Event(AccountEvent::Balance { balance }) => {
            format!("balance {} {}", balance.asset, balance.amount)
        }
        StreamNews::Event(AccountEvent::Funding { change }) => {
            format!("funding {} {}", change.asset, change.amount)
        }
        StreamNews::Event(AccountEvent::Payment { change }) => {
            format!("payment {} {}", change.asset, change.amount)
        }
    };
    (news.into_iter().map(word).collect(), steps)
}

const LOGIN: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"access_token":"x","expires_in":900}}"#;
const SUBSCRIBED: &str = r#"{"jsonrpc":"2.0","id":3,"result":["user.portfolio.any","user.changes.any.any.raw","user.orders.any.any.raw","user.trades.any.any.raw"]}"#;

fn up() -> DeribitStream {
    let mut stream = DeribitStream::default();
    assert_eq!(stream.start(NOW), [StreamStep::Connect("/ws/api/v2".into())]);
    assert_eq!(stream.on_open(NOW), [StreamStep::SendCall(CallBody::Session { step: 0 })]);
    let (_, steps) = heard(&mut stream, LOGIN, NOW);
    assert_eq!(steps, [
        StreamStep::SendText(r#"{"jsonrpc":"2.0","id":2,"method":"public/set_heartbeat","params":{"interval":10}}"#.into()),
        StreamStep::SendText(r#"{"jsonrpc":"2.0","id":3,"method":"private/subscribe","params":{"channels":["user.changes.any.any.raw","user.orders.any.any.raw","user.trades.any.any.raw","user.portfolio.any"]}}"#.into()),
    ]);
    assert_eq!(heard(&mut stream, r#"{"id":2,"result":"ok"}"#, NOW).0, Vec::<String>::new());
    assert_eq!(heard(&mut stream, SUBSCRIBED, NOW), (vec![], vec![StreamStep::Up]));
    stream
}

fn restarts(steps: &[StreamStep]) -> bool {
    matches!(steps, [StreamStep::Restart(_)])
}

#[test]
fn changes_are_told_to_the_core_and_the_sessions() {
    let mut stream = up();
    let changes = format!(
        r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"user.changes.any.any.raw","data":{{"instrument_name":"BTC-PERPETUAL","orders":[{},{}],"trades":[{}],"positions":[{{"instrument_name":"BTC-PERPETUAL","size":-10.0,"direction":"sell","average_price":1.0}}]}}}}}}"#,
        order("tg1-0", "8", "filled"),
        order("tg1-0", "SL-1", "triggered"),
        trade("tg1-0", "8")
    );
    let (news, steps) = heard(&mut stream, &changes, at(1));
    assert_eq!(
        news,
        ["fill t-8", "order 8 Filled", "position -10", r#"frame "user.changes.any.any.raw""#]
    );
    assert!(steps.is_empty());
    let orders = format!(
        r#"{{"method":"subscription","params":{{"channel":"user.orders.any.any.raw","data":{}}}}}"#,
        order("tg1-0", "8", "filled")
    );
    assert_eq!(
        heard(&mut stream, &orders, at(1)).0,
        [r#"frame "user.orders.any.any.raw""#],
        "once for the core"
    );
}

#[test]
fn a_portfolio_tells_the_balance() {
    let told = |balance: &str| {
        let data =
            format!(r#"{{"currency":"BTC","equity":302.6186,{balance}"session_upl":0.0005}}"#);
        let text = format!(
            r#"{{"method":"subscription","params":{{"channel":"user.portfolio.any","data":{data}}}}}"#
        );
        heard(&mut up(), &text, at(1))
    };
    let (news, steps) = told(r#""balance":302.60065765,"#);
    assert_eq!(news, ["balance BTC 302.60065765", r#"frame "user.portfolio.any""#]);
    assert!(steps.is_empty());
    // What futures realized in this session comes into the balance at its end; of options it is in there already.
    for (realized, expected) in [
        (r#""futures_session_rpl":-0.03258105,"session_rpl":-0.5,"#, "302.5680766"),
        (r#""futures_session_rpl":null,"session_rpl":-0.03258105,"#, "302.5680766"),
        (r#""session_rpl":0.03258105,"#, "302.60065765"),
        // With cross collateral the summary has no more than the sum, and the two must agree.
        (
            r#""cross_collateral_enabled":true,"futures_session_rpl":1.0,"session_rpl":1.0,"#,
            "302.60065765",
        ),
        (r#""cross_collateral_enabled":true,"session_rpl":-1.0,"#, "301.60065765"),
    ] {
        let (news, _) = told(&format!(r#""balance":302.60065765,{realized}"#));
        assert_eq!(news[0], format!("balance BTC {expected}"), "{realized}");
    }
    assert!(restarts(&told("").1), "what is not told has to be read anew");
}

#[test]
fn what_cannot_be_read_begins_anew() {
    for text in [
        "nonsense",
        r#"{"method":"subscription","params":{"channel":"user.changes.any.any.raw","data":{"orders":[{}]}}}"#,
        r#"{"method":"subscription","params":{"channel":"user.changes.any.any.raw","data":{"trades":[{}]}}}"#,
        r#"{"id":1,"error":{"code":13004,"message":"invalid_credentials"}}"#,
    ] {
        assert!(restarts(&heard(&mut up(), text, NOW).1), "{text}");
    }
}

#[test]
fn opening_is_watched() {
    let mut stream = DeribitStream::default();
    stream.start(NOW);
    assert!(restarts(&stream.on_timer(at(10))));
    stream.start(NOW);
    stream.on_open(NOW);
    assert!(stream.on_timer(at(9)).is_empty() && restarts(&stream.on_timer(at(10))));
    for answer in
        [r#"{"id":1,"error":{"code":13004}}"#, r#"{"id":1,"result":{"access_token":"x"}}"#]
    {
        stream.start(NOW);
        stream.on_open(NOW);
        assert!(restarts(&heard(&mut stream, answer, NOW).1), "{answer}");
    }
    stream.start(NOW);
    stream.on_open(NOW);
    heard(&mut stream, LOGIN, NOW);
    let partial = SUBSCRIBED.replace(r#""user.changes.any.any.raw","#, "");
    assert!(restarts(&heard(&mut stream, &partial, NOW).1), "without all channels it is not up");
}

#[test]
fn silence_is_a_break_and_a_test_is_answered() {
    let mut stream = up();
    let test = r#"{"method":"heartbeat","params":{"type":"test_request"}}"#;
    let (_, steps) = heard(&mut stream, test, at(30));
    assert!(matches!(&steps[..], [StreamStep::SendText(text)] if text.contains("public/test")));
    assert!(stream.on_timer(at(35)).is_empty());
    assert_eq!(stream.timer(), Some(at(65)));
    assert!(restarts(&stream.on_timer(at(65))));
}

#[test]
fn the_login_is_renewed_before_it_ends() {
    let mut stream = up();
    heard(&mut stream, r#"{"method":"heartbeat","params":{"type":"heartbeat"}}"#, at(719));
    assert_eq!(stream.timer(), Some(at(720)));
    assert_eq!(stream.on_timer(at(720)), [StreamStep::SendCall(CallBody::Session { step: 0 })]);
    assert_eq!(heard(&mut stream, LOGIN, at(720)), (vec![], vec![]), "it stays up");
    heard(&mut stream, r#"{"method":"heartbeat","params":{"type":"heartbeat"}}"#, at(1439));
    assert_eq!(stream.timer(), Some(at(1440)));
}

use super::*;
use crate::deribit::testkit::{NOW, as_ann, instruments, order, reply};
use serde_json::json;

/// A session and what it wants done, in short words.
struct Talk {
    session: DeribitSession,
    now: Time,
}

impl Talk {
    fn new() -> Talk {
        let mut session = DeribitSession::default();
        assert!(session.on_open(NOW).is_empty());
        Talk { session, now: NOW }
    }

    fn says(&mut self, text: &str) -> Vec<String> {
        let steps = self.session.on_text(text, &instruments(), self.now);
        steps.into_iter().map(word).collect()
    }

    fn calls(&mut self, id: u64, method: &str, params: &str) -> Vec<String> {
        self.says(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#
        ))
    }

    fn replied(&mut self, tag: u64, body: &str) -> Vec<String> {
        let steps = self.session.on_reply(Tag(tag), reply(200, body), self.now);
        steps.into_iter().map(word).collect()
    }

    fn known(&mut self, tag: u64) -> Vec<String> {
        let steps = self.session.on_identity(Tag(tag), Ok(()), self.now);
        steps.into_iter().map(word).collect()
    }

    fn public(&mut self, text: &str) -> Vec<String> {
        self.session.on_public(text, self.now).into_iter().map(word).collect()
    }

    fn later(&mut self, seconds: u64) -> Vec<String> {
        self.now = self.now.plus(Span::from_secs(seconds));
        self.session.on_timer(self.now).into_iter().map(word).collect()
    }
}

fn word(step: Step) -> String {
    let from = |from: &From| match from {
        From::Nobody => "nobody",
        From::Session => "session",
        From::Credentials { remember: true, .. } => "credentials kept",
        From::Credentials { remember: false, .. } => "credentials",
        From::StreamKey { .. } => "key",
    };
    match step {
        Step::Send(text) => format!("send {text}"),
        Step::Close { code, reason } => format!("close {code} {reason}"),
        Step::Ask { tag, from: who, parsed } => {
            let what = match parsed.asked {
                Asked::Trade(_) => "trade",
                Asked::Batch(_) => "batch",
                Asked::Read(_) => "read",
                Asked::Public(_) => "public",
                Asked::Local(Local::Login { .. }) => "login",
                Asked::Local(Local::Refresh { .. }) => "refresh",
                Asked::Local(Local::Logout) => "logout",
                Asked::Local(_) => "local",
            };
            format!("ask {} {what} as {}", tag.0, from(&who))
        }
        Step::Identify { tag, from: who } => format!("identify {} {}", tag.0, from(&who)),
        Step::Relay(text) => format!("relay {text}"),
    }
}

fn sent(steps: &[String]) -> Value {
    assert_eq!(steps.len(), 1, "{steps:?}");
    serde_json::from_str(steps[0].strip_prefix("send ").unwrap()).unwrap()
}

const HELLO: &str =
    r#"relay {"jsonrpc":"2.0","id":1,"method":"public/set_heartbeat","params":{"interval":30}}"#;

#[test]
fn private_calls_go_to_the_pipeline_under_the_sessions_name() {
    let mut talk = Talk::new();
    let login = r#"{"grant_type":"client_credentials","client_id":"A","client_secret":"B"}"#;
    assert_eq!(talk.calls(1, "public/auth", login), ["ask 1 login as credentials kept"]);
    let order = r#"{"instrument_name":"BTC-PERPETUAL","amount":10,"price":5}"#;
    assert_eq!(talk.calls(2, "private/buy", order), ["ask 2 trade as session"]);
    assert_eq!(talk.calls(3, "private/get_positions", "{}"), ["ask 3 read as session"]);
    let with_token = r#"{"access_token":"T"}"#;
    assert_eq!(talk.calls(4, "private/get_positions", with_token), ["ask 4 read as credentials"]);
    // Answers come in any order, each under its own id.
    assert_eq!(talk.replied(3, r#"{"id":3,"result":[]}"#), [r#"send {"id":3,"result":[]}"#]);
    assert_eq!(talk.replied(2, r#"{"id":2}"#), [r#"send {"id":2}"#]);
    assert!(talk.replied(2, "{}").is_empty(), "a question is answered once");
    let reject = Reject::new(Code::MissingCredentials, "");
    let steps: Vec<_> =
        talk.session.on_reject(Tag(4), &reject, NOW).into_iter().map(word).collect();
    assert_eq!((&sent(&steps)["id"], &sent(&steps)["error"]["code"]), (&json!(4), &json!(10000)));
}

#[test]
fn what_cannot_be_read_is_refused_with_the_id_there_is() {
    let mut talk = Talk::new();
    let table = [
        ("no json", 11050, Value::Null),
        (r#"{"id":"x","method":"private/nope"}"#, -32601, json!("x")),
        (r#"{"id":[1],"method":"private/withdraw","params":{}}"#, 13021, json!([1])),
        (r#"{"method":"private/buy","params":{"amount":1}}"#, -32602, Value::Null),
        (r#"{"id":1,"id":2,"method":"public/test"}"#, -32602, Value::Null),
        (r#"{"id":5,"method":"private/close_position","params":{}}"#, 11030, json!(5)),
        (r#"{"id":6,"method":"public/fork_token","params":{}}"#, 13021, json!(6)),
    ];
    for (text, code, id) in table {
        let told = sent(&talk.says(text));
        assert_eq!((&told["error"]["code"], &told["id"]), (&json!(code), &id), "{text}");
    }
    let told = sent(&talk.says(&" ".repeat(40_000)));
    assert_eq!(told["error"]["code"], -32600);
}

#[test]
fn public_calls_go_to_the_pipeline_and_open_no_socket_at_the_venue() {
    let mut talk = Talk::new();
    let ticker = r#"{"instrument_name":"X","junk":1}"#;
    assert_eq!(talk.calls(7, "public/ticker", ticker), ["ask 1 public as nobody"]);
    assert_eq!(talk.says(r#"{"method":"public/test"}"#), ["ask 2 public as nobody"]);
    assert_eq!(talk.replied(1, r#"{"id":7,"result":1.50}"#), [r#"send {"id":7,"result":1.50}"#]);
    let reject = Reject::new(Code::VenueBudget, "");
    let steps: Vec<_> =
        talk.session.on_reject(Tag(2), &reject, NOW).into_iter().map(word).collect();
    assert_eq!(sent(&steps)["error"]["code"], 10028);
    assert!(talk.public("garbage").is_empty());
}

#[test]
fn public_channels_are_relayed() {
    let mut talk = Talk::new();
    let steps = talk.calls(
        9,
        "public/subscribe",
        r#"{"channels":["quote.X","user.orders.any.any.raw","nope"]}"#,
    );
    let call = r#"relay {"jsonrpc":"2.0","id":2,"method":"public/subscribe","params":{"channels":["nope","quote.X"]}}"#;
    assert_eq!(steps, [HELLO, call]);
    let message = r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.X","data":{"p":1.0}}}"#;
    assert!(talk.public(message).is_empty(), "not before it is confirmed");
    let told = sent(&talk.public(r#"{"id":2,"result":["quote.X"]}"#));
    assert_eq!((&told["id"], &told["result"]), (&json!(9), &json!(["quote.X"])));
    assert_eq!(talk.public(message), [format!("send {message}")]);
    let told = talk.calls(10, "public/unsubscribe", r#"{"channels":["quote.X"]}"#);
    assert!(told[0].contains(r#""result":["quote.X"]"#) && told[1].contains("public/unsubscribe"));
    assert!(talk.public(message).is_empty());
}

#[test]
fn raw_channels_need_a_login_and_are_served_from_100ms() {
    let mut talk = Talk::new();
    let raw = r#"{"channels":["ticker.X.raw"]}"#;
    assert_eq!(talk.calls(1, "public/subscribe", raw), ["identify 1 session"]);
    let reject = Reject::new(Code::MissingCredentials, "");
    let steps: Vec<_> =
        talk.session.on_identity(Tag(1), Err(reject), NOW).into_iter().map(word).collect();
    assert_eq!(sent(&steps)["error"]["code"], 13778);
    talk.calls(2, "public/subscribe", raw);
    let relayed = talk.known(2);
    assert!(relayed.last().unwrap().contains(r#"["ticker.X.100ms"]"#), "{relayed:?}");
    assert_eq!(
        sent(&talk.public(r#"{"id":4,"result":["ticker.X.100ms"]}"#))["result"],
        json!(["ticker.X.raw"])
    );
    assert_eq!(
        talk.public(r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.X.100ms","data":{"m":1.50}}}"#),
        [r#"send {"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.X.raw","data":{"m":1.50}}}"#]
    );
}

#[test]
fn private_channels_are_filtered_and_begin_with_the_portfolio() {
    let mut talk = Talk::new();
    let both = r#"{"channels":["user.orders.any.any.raw","user.portfolio.BTC"]}"#;
    assert_eq!(talk.calls(1, "private/subscribe", both), ["identify 1 session"]);
    let reject = Reject::new(Code::MissingCredentials, "");
    let steps: Vec<_> =
        talk.session.on_identity(Tag(1), Err(reject), NOW).into_iter().map(word).collect();
    assert_eq!(sent(&steps)["error"]["code"], 13009);
    talk.calls(2, "private/subscribe", both);
    let steps = talk.known(2);
    assert_eq!(
        sent(&steps[..1])["result"],
        json!(["user.orders.any.any.raw", "user.portfolio.BTC"])
    );
    assert_eq!(steps[1], "ask 3 read as session");
    let state = talk.replied(
        3,
        r#"{"result":{"summaries":[{"currency":"BTC","equity":1.0},{"currency":"ETH"}]}}"#,
    );
    assert_eq!(
        sent(&state)["params"],
        json!({"channel":"user.portfolio.BTC","data":{"currency":"BTC","equity":1.0}})
    );
    let frame = |label: &str| {
        let text = format!(
            r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"user.orders.any.any.raw","data":{}}}}}"#,
            order(label, "1", "open")
        );
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let mut on =
        |label| as_ann(false, |viewer| talk.session.on_private(&frame(label), viewer, NOW));
    assert_eq!((on("tg1-0").len(), on("tg1-1").len()), (1, 0));
    // Once more: confirmed, without the state anew.
    talk.calls(4, "private/subscribe", both);
    assert_eq!(talk.known(4).len(), 1);
    talk.calls(5, "private/unsubscribe_all", "{}");
    assert_eq!(sent(&talk.known(5))["result"], "ok");
    assert!(
        as_ann(false, |viewer| talk.session.on_private(&frame("tg1-0"), viewer, NOW)).is_empty()
    );
}

#[test]
fn a_renewed_login_is_the_sessions() {
    let mut talk = Talk::new();
    let renew = r#"{"grant_type":"refresh_token","refresh_token":"R"}"#;
    assert_eq!(talk.calls(1, "public/auth", renew), ["ask 1 refresh as nobody"]);
    let answer = r#"{"id":1,"result":{"access_token":"A2"}}"#;
    assert_eq!(talk.replied(1, answer), ["identify 2 credentials kept"]);
    assert_eq!(talk.known(2), [format!("send {answer}")]);
    talk.calls(3, "public/auth", renew);
    assert_eq!(talk.replied(3, r#"{"id":3,"error":{"code":13009}}"#).len(), 1);
}

#[test]
fn heartbeats_ask_the_silent_and_drop_the_dead() {
    let mut talk = Talk::new();
    assert!(talk.session.timer().is_none());
    assert_eq!(
        sent(&talk.calls(1, "public/set_heartbeat", r#"{"interval":5}"#))["error"]["code"],
        -32602
    );
    assert_eq!(sent(&talk.calls(2, "public/set_heartbeat", r#"{"interval":10}"#))["result"], "ok");
    assert_eq!(talk.session.timer(), Some(NOW.plus(Span::from_secs(10))));
    assert!(talk.later(9).is_empty());
    talk.calls(3, "public/test", "{}");
    assert_eq!(talk.later(1), [format!("send {}", beat("heartbeat"))]);
    let asked = talk.later(10);
    assert_eq!(
        asked,
        [format!("send {}", beat("heartbeat")), format!("send {}", beat("test_request"))]
    );
    talk.calls(4, "public/test", "{}");
    talk.later(20);
    assert_eq!(talk.later(10), ["close 4000 heartbeat close"]);
    let mut talk = Talk::new();
    talk.calls(1, "public/set_heartbeat", r#"{"interval":10}"#);
    talk.calls(2, "public/disable_heartbeat", "{}");
    assert!(talk.later(60).is_empty() && talk.session.timer().is_none());
}

#[test]
fn cancel_on_disconnect_is_asked_of_the_core_and_a_logout_is_no_loss() {
    let mut talk = Talk::new();
    let enable = "private/enable_cancel_on_disconnect";
    assert_eq!(talk.calls(1, enable, "{}"), ["ask 1 trade as session"]);
    assert_eq!(
        talk.calls(2, enable, r#"{"scope":"account","access_token":"t"}"#),
        ["ask 2 trade as credentials"]
    );
    assert_eq!(talk.calls(3, "private/get_cancel_on_disconnect", "{}"), ["ask 3 local as session"]);
    let unknown = talk.calls(4, enable, r#"{"scope":"world"}"#);
    assert_eq!(sent(&unknown)["error"]["code"], -32602);
    assert!(!talk.session.left());
    assert_eq!(talk.calls(5, "private/logout", "{}"), ["ask 4 logout as session"]);
    assert_eq!(talk.replied(4, "{}"), ["close 1000 logout"]);
    assert!(talk.session.left());
    let mut talk = Talk::new();
    assert_eq!(
        talk.calls(6, "private/logout", r#"{"invalidate_token":false}"#),
        ["identify 1 session"]
    );
    assert_eq!(talk.known(1), ["close 1000 logout"]);
    assert!(talk.session.left());
}

#[test]
fn waiting_questions_are_bounded() {
    let mut talk = Talk::new();
    for id in 0..512 {
        assert_eq!(talk.calls(id, "private/get_positions", "{}").len(), 1);
    }
    assert_eq!(sent(&talk.calls(999, "private/get_positions", "{}"))["error"]["code"], 10066);
}

use super::*;
use crate::deribit::testkit::{as_ann, order, trade};

fn subscribed(names: &[&str]) -> (Subscriptions, Value) {
    let mut subscriptions = Subscriptions::default();
    let wanted = Wanted::new(names);
    let upstream = wanted.upstream();
    let (answer, _) = subscriptions.add(wanted, &upstream);
    (subscriptions, answer)
}

fn message(channel: &str, data: &str) -> Value {
    serde_json::from_str(&format!(
        r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{channel}","data":{data}}}}}"#
    ))
    .unwrap()
}

fn told(names: &[&str], channel: &str, data: &str) -> Vec<String> {
    let (subscriptions, _) = subscribed(names);
    as_ann(false, |viewer| subscriptions.told(&message(channel, data), viewer))
}

#[test]
fn names_that_are_no_channels_are_left_out() {
    let names = [
        "user.orders.any.any.raw",
        "user.lock",
        "user.orders.BTC-PERPETUAL.1s",
        "ticker.BTC-PERPETUAL.raw",
        "user.trades.metal.any.raw",
        "bad name",
        "user.portfolio.btc",
        "block_rfq.maker.BTC",
    ];
    let (_, answer) = subscribed(&names);
    assert_eq!(
        answer,
        serde_json::json!([
            "user.orders.any.any.raw",
            "ticker.BTC-PERPETUAL.raw",
            "user.portfolio.btc"
        ])
    );
}

#[test]
fn orders_come_in_the_form_of_the_channel() {
    let data = order("tg1-0", "1", "open");
    let mine = data.replace("tg1-0", "mine");
    let of = |name: &str| told(&[name], "user.orders.any.any.raw", &data);
    let whole = |name: &str, data: &str| {
        vec![format!(
            r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{name}","data":{data}}}}}"#
        )]
    };
    for name in [
        "user.orders.any.any.raw",
        "user.orders.future.BTC.raw",
        "user.orders.BTC-PERPETUAL.raw",
        "user.orders.future.any.raw",
        "user.orders.any.btc.raw",
    ] {
        assert_eq!(of(name), whole(name, &mine));
    }
    let list = "user.orders.BTC-PERPETUAL.100ms";
    assert_eq!(of(list), whole(list, &format!("[{mine}]")));
    for name in [
        "user.orders.option.BTC.raw",
        "user.orders.future.ETH.raw",
        "user.orders.ETH-PERPETUAL.raw",
        "user.trades.any.any.raw",
        "user.changes.any.any.raw",
        "user.portfolio.any",
    ] {
        assert_eq!(of(name), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn others_are_not_told_of() {
    let his = order("tg1-1", "2", "open");
    assert!(told(&["user.orders.any.any.raw"], "user.orders.any.any.raw", &his).is_empty());
    let trades = format!("[{},{}]", trade("tg1-1", "2"), trade("tg1-0", "1"));
    let seen = told(&["user.trades.any.any.raw"], "user.trades.any.any.raw", &trades);
    assert!(seen.len() == 1 && seen[0].contains("t-1") && !seen[0].contains("t-2"), "{seen:?}");
    let only_his = format!("[{}]", trade("tg1-1", "2"));
    assert!(told(&["user.trades.any.any.raw"], "user.trades.any.any.raw", &only_his).is_empty());
    let changes = |positions: &str| {
        format!(
            r#"{{"instrument_name":"BTC-PERPETUAL","orders":[{his}],"trades":[],"positions":{positions}}}"#
        )
    };
    let name = "user.changes.any.any.raw";
    assert!(told(&[name], name, &changes("[]")).is_empty());
    let seen = told(&[name], name, &changes(r#"[{"instrument_name":"BTC-PERPETUAL","size":1.0}]"#));
    assert!(seen.len() == 1 && !seen[0].contains("tg1-1"), "positions are the account's: {seen:?}");
}

#[test]
fn portfolios_are_told_by_currency() {
    let data = r#"{"currency":"BTC","equity":1.50}"#;
    let of = |name: &str| told(&[name], "user.portfolio.any", data).len();
    assert_eq!(
        [of("user.portfolio.any"), of("user.portfolio.BTC"), of("user.portfolio.ETH")],
        [1, 1, 0]
    );
    let wanted = Wanted::new(&["user.portfolio.ETH"]);
    let (_, new) = Subscriptions::default().add(wanted, &[]);
    let summaries = [
        serde_json::json!({"currency":"BTC","limits":{}}),
        serde_json::json!({"currency":"ETH","equity":2,"limits":{}}),
    ];
    let told = Subscriptions::portfolio(&new, &summaries);
    assert_eq!(
        told,
        [
            r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"user.portfolio.ETH","data":{"currency":"ETH","equity":2}}}"#
        ]
    );
}

#[test]
fn two_names_share_one_channel_of_the_venue() {
    let (mut subscriptions, _) = subscribed(&["book.BTC-PERPETUAL.100ms"]);
    let raw = Wanted::new(&["book.BTC-PERPETUAL.raw"]);
    assert!(raw.raw);
    assert_eq!(subscriptions.to_renew(&raw), ["book.BTC-PERPETUAL.100ms"]);
    let upstream = raw.upstream();
    subscriptions.add(raw, &upstream);
    assert_eq!(subscriptions.public_names("book.BTC-PERPETUAL.100ms").count(), 2);
    let (_, gone) = subscriptions.remove(&Wanted::new(&["book.BTC-PERPETUAL.raw"]));
    assert!(gone.is_empty());
    let (_, gone) = subscriptions.remove(&Wanted::new(&["book.BTC-PERPETUAL.100ms"]));
    assert_eq!(gone, ["book.BTC-PERPETUAL.100ms"]);
    assert_eq!(subscriptions.len(), 0);
}

#[test]
fn channels_are_bounded() {
    let names: Vec<String> = (0..=MAX_CHANNELS).map(|n| format!("quote.X-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(!Subscriptions::default().fits(&Wanted::new(&names)));
}

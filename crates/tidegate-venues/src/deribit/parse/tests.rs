use crate::deribit::testkit::{NOW, get, instruments, json, venue};
use crate::front::{Asked, Front, Local};
use tidegate_types::codec::to_json;
use tidegate_types::order::{Guard, GuardScope, Intent};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Span;

fn parsed(target: &str) -> Result<Asked, Reject> {
    Ok(venue().parse(&get(&format!("/api/v2/{target}")), &instruments(), NOW)?.asked)
}

fn intent(target: &str) -> Intent {
    match parsed(target).unwrap() {
        Asked::Trade(intent) => intent,
        other => panic!("{other:?}"),
    }
}

#[test]
fn orders_mean_what_they_say() {
    let told = |target: &str| to_json(&intent(target));
    let all = told(
        "private/buy?instrument_name=BTC-PERPETUAL&amount=10&type=stop_limit&price=25000.5&trigger_price=24000&trigger=last_price&post_only=true&reject_post_only=true&reduce_only=true&time_in_force=good_til_day&label=my-1&valid_until=1700000005000&clientOrderId=x",
    );
    for part in [
        r#""name":"BTC-PERPETUAL""#,
        r#""side":"Buy""#,
        r#""StopLimit""#,
        r#""25000.5""#,
        r#""24000""#,
        r#""Last""#,
        r#""Reject""#,
        r#""GoodTilDay""#,
        r#""my-1""#,
        r#""reduce_only":true"#,
    ] {
        assert!(all.contains(part), "{part} in {all}");
    }
    let plain = told("private/sell?instrument_name=BTC-PERPETUAL&contracts=3&amount=30&price=1");
    for part in
        [r#""Sell""#, r#""Limit""#, r#""qty":"30""#, r#""GoodTilCancelled""#, r#""post_only":"No""#]
    {
        assert!(plain.contains(part), "{part} in {plain}");
    }
    let counted = told("private/buy?instrument_name=ETH_USDC-PERPETUAL&contracts=7&type=market");
    assert!(
        counted.contains(r#""qty":"0.007""#) && counted.contains(r#""price":null"#),
        "{counted}"
    );
}

#[test]
fn what_cannot_be_carried_out_is_refused() {
    let buy = |rest: &str| format!("private/buy?instrument_name=BTC-PERPETUAL&amount=10&{rest}");
    let table = [
        (buy("price=1&advanced=implv"), Code::UnsupportedParameter),
        (buy("price=1&linked_order_type=one_triggers_other"), Code::UnsupportedParameter),
        (buy("price=1&otoco_config=x"), Code::UnsupportedParameter),
        (buy("price=1&trigger_offset=5"), Code::UnsupportedParameter),
        (buy("price=1&display_amount=5"), Code::UnsupportedParameter),
        (buy("price=1&mmp=true"), Code::UnsupportedParameter),
        (buy("type=trailing_stop"), Code::UnsupportedParameter),
        (buy("price=1&surprise=1"), Code::UnknownParameter),
        (buy("price=1&type=magic"), Code::BadParameter),
        (buy("price=-1"), Code::BadParameter),
        (buy("price=0"), Code::BadParameter),
        (buy("price=abc"), Code::BadParameter),
        (buy("price=1e400"), Code::BadParameter),
        (buy("price=1&contracts=2"), Code::BadQuantityStep),
        (buy("type=market&price=1"), Code::BadParameter),
        (buy("type=limit"), Code::MissingParameter),
        (buy("type=stop_market&trigger=last_price"), Code::MissingParameter),
        (buy("type=stop_market&trigger_price=5"), Code::MissingParameter),
        (buy("price=1&trigger_price=5"), Code::BadParameter),
        (buy("price=1&post_only=maybe"), Code::BadParameter),
        (buy(&format!("price=1&label={}", "x".repeat(65))), Code::BadParameter),
        (buy("price=1&valid_until=1699999999999"), Code::OutOfRange),
        (
            "private/buy?instrument_name=BTC-PERPETUAL&amount=5&price=1".into(),
            Code::BadQuantityStep,
        ),
        (
            "private/buy?instrument_name=BTC-PERPETUAL&amount=15&price=1".into(),
            Code::BadQuantityStep,
        ),
        ("private/buy?instrument_name=NONE&amount=10&price=1".into(), Code::UnknownInstrument),
        ("private/buy?instrument_name=BTC_USDC&amount=10&price=1".into(), Code::UnknownInstrument),
        ("private/buy?amount=10&price=1".into(), Code::MissingParameter),
        ("private/buy?instrument_name=BTC-PERPETUAL&price=1".into(), Code::MissingParameter),
        (
            "private/close_position?instrument_name=BTC-PERPETUAL&type=market".into(),
            Code::Uncomputable,
        ),
        ("private/mass_quote".into(), Code::Uncomputable),
        ("private/edit?order_id=1&contracts=1".into(), Code::UnknownParameter),
        ("private/edit?amount=10".into(), Code::MissingParameter),
        ("private/cancel".into(), Code::MissingParameter),
        ("private/cancel_all?detailed=true".into(), Code::UnsupportedParameter),
        (
            "private/cancel_all_by_instrument?instrument_name=BTC-PERPETUAL&type=stop".into(),
            Code::UnsupportedParameter,
        ),
        ("private/cancel_by_label?label=".into(), Code::BadParameter),
        ("private/subscribe?channels=x".into(), Code::NeedsWebSocket),
        ("public/set_heartbeat?interval=30".into(), Code::NeedsWebSocket),
        ("private/enable_cancel_on_disconnect".into(), Code::NeedsWebSocket),
        ("private/get_cancel_on_disconnect?scope=connection".into(), Code::NeedsWebSocket),
        ("private/enable_cancel_on_disconnect?scope=all".into(), Code::BadParameter),
        ("private/enable_cancel_on_disconnect?scope=account&x=1".into(), Code::UnknownParameter),
        ("private/logout".into(), Code::NeedsWebSocket),
        ("private/withdraw?amount=1".into(), Code::ForbiddenRoute),
        ("public/auth?grant_type=magic".into(), Code::BadParameter),
    ];
    for (target, expect) in table {
        assert_eq!(parsed(&target).map(|_| ()).unwrap_err().code, expect, "{target}");
    }
}

#[test]
fn cancel_on_disconnect_of_later_connections_needs_none() {
    for (target, on) in [("enable", true), ("disable", false)] {
        let guard = intent(&format!("private/{target}_cancel_on_disconnect?scope=account"));
        let scope = GuardScope::Account;
        assert_eq!(guard, Intent::Guard { guard: Guard::Disconnect { scope, on } });
    }
    let read = parsed("private/get_cancel_on_disconnect?scope=account").unwrap();
    let account = Local::CancelOnDisconnect { scope: GuardScope::Account };
    assert_eq!(format!("{read:?}"), format!("{:?}", Asked::Local(account)));
}

#[test]
fn edits_and_cancels_name_their_order() {
    let edit =
        to_json(&intent("private/edit?order_id=USDC-SLMB-1&amount=20&price=26000&post_only=false"));
    for part in [
        r#""Venue":{"id":"USDC-SLMB-1"}"#,
        r#""qty":"20""#,
        r#""price":"26000""#,
        r#""post_only":"No""#,
    ] {
        assert!(edit.contains(part), "{part} in {edit}");
    }
    let by_label = to_json(&intent(
        "private/edit_by_label?label=my-1&instrument_name=BTC-PERPETUAL&contracts=2&price=5",
    ));
    for part in [r#""Caller":{"id":"my-1"}"#, r#""qty":"20""#, "BTC-PERPETUAL"] {
        assert!(by_label.contains(part), "{part} in {by_label}");
    }
    assert!(to_json(&intent("private/cancel?order_id=7")).contains(r#""Venue":{"id":"7"}"#));
}

#[test]
fn mass_cancels_select_instruments() {
    let names = |target: &str| match parsed(target).unwrap() {
        Asked::Trade(Intent::CancelMany { filter }) => {
            let names = filter.instruments.iter().chain(&filter.instrument);
            let mut names: Vec<String> = names.map(|id| id.name.to_string()).collect();
            names.sort();
            (names.join(" "), filter.conditional, filter.caller_id.map(|id| id.to_string()))
        }
        other => panic!("{other:?}"),
    };
    let all = "BTC-25DEC26 BTC-25DEC26-100000-C BTC-PERPETUAL";
    assert_eq!(names("private/cancel_all"), (String::new(), None, None));
    assert_eq!(names("private/cancel_all_by_currency?currency=BTC"), (all.into(), None, None));
    assert_eq!(
        names("private/cancel_all_by_currency?currency=BTC&kind=future&type=trigger_all").0,
        "BTC-25DEC26 BTC-PERPETUAL"
    );
    assert_eq!(
        names("private/cancel_all_by_kind_or_type?currency[]=BTC&currency[]=USDC&type=limit"),
        (format!("{all} ETH_USDC-PERPETUAL"), Some(false), None)
    );
    assert_eq!(
        names("private/cancel_all_by_currency_pair?currency_pair=eth_usdc").0,
        "ETH_USDC-PERPETUAL"
    );
    assert_eq!(
        names("private/cancel_all_by_instrument?instrument_name=BTC-PERPETUAL").0,
        "BTC-PERPETUAL"
    );
    assert_eq!(names("private/cancel_by_label?label=a").2.as_deref(), Some("a"));
    // No instrument is meant: nothing is cancelled, rather than everything.
    match parsed("private/cancel_all_by_currency?currency=EURR").unwrap() {
        Asked::Local(Local::Fixed(reply)) => assert_eq!(json(&reply)["result"], 0),
        other => panic!("{other:?}"),
    }
}

#[test]
fn reads_are_rebuilt_from_known_parameters() {
    let read = |target: &str| match parsed(target).unwrap() {
        Asked::Read(read) => {
            let params: Vec<String> = read.params.iter().map(|(k, v)| format!("{k}={v}")).collect();
            (read.route, params.join("&"), read.order.map(|order| to_json(&order)))
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        read(
            "private/get_user_trades_by_instrument?include_old=true&instrument_name=A&subaccount_id=9&access_token=t"
        ),
        (
            "private/get_user_trades_by_instrument".into(),
            "instrument_name=A&include_old=true&count=1000".into(),
            None
        )
    );
    assert_eq!(
        read("private/get_order_state?order_id=7"),
        (
            "private/get_order_state".into(),
            "order_id=7".into(),
            Some(r#"{"Venue":{"id":"7"}}"#.into())
        )
    );
    assert_eq!(
        read("private/get_open_orders_by_label?currency=BTC&label=mine"),
        ("private/get_open_orders_by_currency".into(), "currency=BTC".into(), None)
    );
    assert_eq!(
        read("private/get_order_state_by_label?currency=BTC&label=mine").2,
        Some(r#"{"Caller":{"id":"mine"}}"#.into())
    );
}

#[test]
fn public_requests_are_rebuilt_without_credentials() {
    match parsed("public/ticker?instrument_name=BTC-PERPETUAL&access_token=secret&junk=1").unwrap()
    {
        Asked::Public(wire) => {
            assert_eq!(wire.target, "/api/v2/public/ticker?instrument_name=BTC-PERPETUAL");
            assert!(wire.headers.is_empty() && wire.body.is_empty());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn logins_say_how_long() {
    let login = "public/auth?grant_type=client_credentials&client_id=A&client_secret=B";
    match parsed(&format!("{login}&scope=session:x%20expires:60")).unwrap() {
        Asked::Local(Local::Login { lifetime }) => assert_eq!(lifetime, Some(Span::from_secs(60))),
        other => panic!("{other:?}"),
    }
    assert!(matches!(parsed(login).unwrap(), Asked::Local(Local::Login { lifetime: None })));
    assert!(matches!(
        parsed("public/auth?grant_type=refresh_token&refresh_token=r").unwrap(),
        Asked::Local(Local::Refresh { .. })
    ));
}

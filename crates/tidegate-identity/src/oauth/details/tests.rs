use super::*;
use crate::oauth::error::ErrorCode;
use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate_types::Decimal;
use tidegate_types::codec;
use tidegate_types::hours::Window;

fn item() -> Value {
    json!({
        "type": "tidegate_trading", "venue": "venue", "account": "main",
        "instruments": ["BTC-*"], "from": 100, "until": 200,
        "sides": ["buy", "sell"], "order_types": ["limit"],
        "max_order": { "quantity": "1.5", "notional": "50000" },
        "max_open_notional": "100000", "max_daily_notional": "250000.5",
        "hours": "08:00-17:00", "days": "mon-fri",
        "lift_halts": true,
    })
}

fn one(value: &Value) -> Result<Trading, ErrorCode> {
    let parsed = parse(&json!([value]).to_string()).map_err(|error| error.code)?;
    Ok(parsed.into_iter().next().unwrap())
}

const BAD: Result<Trading, ErrorCode> = Err(ErrorCode::InvalidAuthorizationDetails);

#[test]
fn a_whole_item_is_read_and_written_back() {
    let parsed = one(&item()).unwrap();
    let terms = parsed.trade.as_ref().unwrap();
    assert_eq!(terms.max_order_qty, Some(Qty(Decimal::new(15, 1))));
    assert_eq!(parsed.until, Some(Time::from_millis(200_000)));
    assert_eq!(show::to_value(std::slice::from_ref(&parsed)), json!([item()]));
    let bytes = codec::to_bytes(&parsed);
    assert_eq!(codec::from_bytes::<Trading>(&bytes), Ok(parsed));
}

#[test]
fn rr_2_an_unknown_type_or_field() {
    for change in [
        ("type", json!("payment_initiation")),
        ("type", json!(1)),
        ("max_order_size", json!("1")),
        ("Venue", json!("venue")),
        ("locations", json!([])),
        ("max_order", json!({ "notional": "1", "other": "1" })),
    ] {
        let mut item = item();
        item[change.0] = change.1.clone();
        assert_eq!(one(&item), BAD, "{change:?}");
    }
    assert!(parse("[]").is_err() && parse("{}").is_err() && parse("[1]").is_err());
    assert!(parse(r#"[{"type":"tidegate_trading","type":"tidegate_trading"}]"#).is_err());
}

#[test]
fn rr_2_a_wrong_type_or_value() {
    for (name, value) in [
        ("venue", json!(1)),
        ("venue", json!("a/b")),
        ("account", json!("")),
        ("instruments", json!("BTC-*")),
        ("instruments", json!([])),
        ("instruments", json!(["BTC **"])),
        ("instruments", json!(["BTC-**"])),
        ("instruments", json!([1])),
        ("from", json!("100")),
        ("from", json!(200)),
        ("until", json!(-1)),
        ("read_only", json!("true")),
        ("read_only", json!(true)),
        ("sides", json!(["BUY"])),
        ("sides", json!([])),
        ("order_types", json!(["limit", "iceberg"])),
        ("reduce_only", json!(1)),
        ("max_order", json!("50000")),
        ("max_order", json!({ "quantity": "1" })),
        ("max_open_notional", json!(100_000)),
        ("max_open_notional", json!("0")),
        ("max_open_notional", json!("-1")),
        ("max_open_notional", json!("1e5")),
        ("max_open_notional", json!("0.000000001")),
        ("max_open_notional", json!("99999999999999")),
        ("max_daily_notional", Value::Null),
        ("hours", json!("never")),
        ("hours", json!("08:00-17:10")),
        ("hours", json!(["08:00-17:00"])),
        ("days", json!("")),
        ("days", json!("Mon")),
        ("lift_halts", json!("yes")),
    ] {
        let mut item = item();
        item[name] = value.clone();
        assert_eq!(one(&item), BAD, "{name} {value}");
    }
}

#[test]
fn rr_2_a_missing_field() {
    for name in [
        "type",
        "venue",
        "account",
        "instruments",
        "sides",
        "order_types",
        "max_order",
        "max_open_notional",
    ] {
        let mut item = item();
        item.as_object_mut().unwrap().remove(name);
        assert_eq!(one(&item), BAD, "{name}");
    }
}

#[test]
fn an_account_comes_once_so_that_limits_do_not_add_up() {
    assert!(parse(&json!([item(), item()]).to_string()).is_err());
    let mut other = item();
    other["account"] = "second".into();
    assert_eq!(parse(&json!([item(), other]).to_string()).unwrap().len(), 2);
}

#[test]
fn what_reads_only_says_so_and_is_within_what_trades() {
    let reads = json!({
        "type": "tidegate_trading", "venue": "venue", "account": "main", "instruments": ["BTC-1"],
        "from": 100, "until": 200, "read_only": true,
    });
    let reads = one(&reads).unwrap();
    assert!(reads.is_within(&one(&item()).unwrap()));
    assert!(!one(&item()).unwrap().is_within(&reads));
}

#[test]
fn the_schema_names_the_fields_that_are_read() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let known: BTreeSet<String> = read::FIELDS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(keys(&schema["properties"]), known);
    let trading: BTreeSet<String> =
        read::FIELDS.iter().filter(|(_, of)| *of).map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(keys(&schema["then"]["properties"]), trading);
    let words = |name: &str| schema["properties"][name]["items"]["enum"].clone();
    assert_eq!(words("sides"), json!(read::SIDES.iter().map(|(w, _)| *w).collect::<Vec<_>>()));
    let types: Vec<&str> = read::ORDER_TYPES.iter().map(|(word, _)| *word).collect();
    assert_eq!(words("order_types"), json!(types));
    // What the schema says is needed is what cannot be left out.
    for (list, reads) in [(&schema["required"], true), (&schema["else"]["required"], false)] {
        for name in list.as_array().unwrap() {
            let mut item = item();
            item.as_object_mut().unwrap().remove(name.as_str().unwrap());
            assert_eq!(one(&item), BAD, "{name} {reads}");
        }
    }
}

#[test]
fn grants_say_the_same_or_nothing() {
    let caller = CallerName::new("bot").unwrap();
    let now = Time::from_millis(150_000);
    let whole = one(&item()).unwrap();
    assert_eq!(whole.to_grant(&caller, 5, Time::default()).err(), Some(NotYet));
    let mut item = item();
    item.as_object_mut().unwrap().remove("from");
    // A person's right, which no caller's grant has.
    item.as_object_mut().unwrap().remove("lift_halts");
    let details = one(&item).unwrap();
    let grant = details.to_grant(&caller, 5, now).unwrap();
    assert!(!grant.settings && !grant.account_wide && grant.trade);
    assert_eq!(Trading::of_grant(&grant), details);
}

fn pattern() -> impl Strategy<Value = Pattern> {
    proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("*")], 1..5).prop_map(
        |parts| Pattern::new(&parts.concat().replace("**", "*").replace("**", "*")).unwrap(),
    )
}

fn limit() -> impl Strategy<Value = Option<Decimal>> {
    proptest::option::of((1..4_i64).prop_map(|n| Decimal::new(n, 0)))
}

fn window() -> impl Strategy<Value = Window> {
    let hours = prop_oneof![
        Just("00:00-24:00"),
        Just("08:00-17:00"),
        Just("09:00-12:00,13:00-15:00"),
        Just("22:00-06:00"),
    ];
    let days = prop_oneof![Just("mon-sun"), Just("mon-fri"), Just("sat-mon")];
    (hours, days).prop_map(|(hours, days)| Window {
        hours: hours.parse().unwrap(),
        days: days.parse().unwrap(),
    })
}

fn terms() -> impl Strategy<Value = Terms> {
    let side = proptest::collection::vec(prop_oneof![Just(Side::Buy), Just(Side::Sell)], 1..3);
    let kind = prop_oneof![Just(OrderType::Limit), Just(OrderType::Market)];
    let kinds = proptest::collection::vec(kind, 1..3);
    let flags = (any::<bool>(), any::<bool>());
    (side, kinds, flags, limit(), 1..3_i64, 1..3_i64, limit(), window()).prop_map(
        |(sides, kinds, (reduce_only, lift_halts), qty, order, open, daily, window)| Terms {
            sides: sorted(&sides),
            order_types: sorted(&kinds),
            reduce_only,
            max_order_qty: qty.map(Qty),
            max_order_notional: Usd(Decimal::new(order, 0)),
            max_open_notional: Usd(Decimal::new(open, 0)),
            max_daily_notional: daily.map(Usd),
            window,
            lift_halts,
        },
    )
}

fn trading() -> impl Strategy<Value = Trading> {
    let patterns = proptest::collection::vec(pattern(), 1..4);
    let second = proptest::option::of((1..3_u64).prop_map(|n| Time::from_millis(n * 1000)));
    let later = proptest::option::of((3..5_u64).prop_map(|n| Time::from_millis(n * 1000)));
    (patterns, second, later, proptest::option::of(terms())).prop_map(
        |(instruments, from, until, trade)| Trading {
            venue: VenueName::new("venue").unwrap(),
            account: AccountName::new("main").unwrap(),
            instruments: least(instruments),
            from,
            until,
            trade,
        },
    )
}

/// The same without what no caller's grant says.
fn without_halts(item: Trading) -> Trading {
    let trade = item.trade.map(|terms| Terms { lift_halts: false, ..terms });
    Trading { trade, ..item }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn rr_6_narrowing_is_a_partial_order(a in trading(), b in trading(), c in trading()) {
        prop_assert!(a.is_within(&a));
        if a.is_within(&b) && b.is_within(&a) {
            prop_assert_eq!(&a, &b);
        }
        if a.is_within(&b) && b.is_within(&c) {
            prop_assert!(a.is_within(&c));
        }
    }

    #[test]
    fn rr_6_what_is_within_allows_no_instrument_more(
        a in trading(), b in trading(), name in "[abc]{1,6}",
    ) {
        let name = tidegate_types::ids::InstrumentName::new(&name).unwrap();
        let allows = |t: &Trading| t.instruments.iter().any(|p| p.matches(&name));
        prop_assert!(!a.is_within(&b) || !allows(&a) || allows(&b));
    }

    #[test]
    fn rr_6_narrowing_to_a_grant_gives_what_both_allow_and_no_more(
        asked in trading(), own in trading(),
    ) {
        let now = Time::from_millis(2500);
        let begun = |item: Trading| Trading { from: None, ..item };
        let (asked, own) = (begun(without_halts(asked)), begun(without_halts(own)));
        let grant = own.to_grant(&CallerName::new("bot").unwrap(), 5, now).unwrap();
        let narrowed = asked.narrowing(&grant, now).unwrap();
        let both = Trading::of_grant(&narrowed);
        prop_assert!(both.is_within(&asked) && both.is_within(&own));
        prop_assert_eq!(own.narrowing(&grant, now), Ok(grant.clone()));
        if asked.is_within(&own) {
            prop_assert_eq!(both, asked);
        } else if own.is_within(&asked) {
            prop_assert_eq!(both, own);
        }
    }

    #[test]
    fn what_is_written_is_read_again(a in trading()) {
        let text = show::to_value(std::slice::from_ref(&a)).to_string();
        prop_assert_eq!(parse(&text), Ok(vec![a]));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
        let _ = parse(&text);
    }
}

use super::*;
use crate::deribit::names::instrument_id;
use crate::deribit::testkit::{NOW, Pair, Secret, hmac_sha256};
use tidegate_types::ids::{AccountName, ClientId, VenueOrderId};
use tidegate_types::instrument::{Price, Qty};
use tidegate_types::order::{OrderType, SelfTrade, TimeInForce, Trigger, TriggerBy};
use tidegate_types::time::Span;

const AMANDA: Secret = Secret { id: "AMANDA", secret: "AMANDASECRECT", nonce: "abcd1234" };

fn built(body: CallBody, signer: &dyn KeySigner) -> Result<WireRequest, BuildError> {
    let call = Call { id: CallId(9), account: AccountName::new("main").unwrap(), body };
    build(&call, signer, NOW)
}

fn read(route: &str, params: &[(&str, &str)]) -> CallBody {
    let params = params.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    CallBody::Read { route: route.into(), params }
}

fn order() -> NewOrder {
    NewOrder {
        instrument: instrument_id("BTC-PERPETUAL").unwrap(),
        side: Side::Sell,
        order_type: OrderType::StopLimit,
        qty: Qty(Decimal::new(20, 0)),
        price: Some(Price(Decimal::new(250_005, 1))),
        trigger: Some(Trigger { price: Price(Decimal::new(26000, 0)), by: TriggerBy::Index }),
        time_in_force: TimeInForce::GoodTilDay,
        post_only: PostOnly::Reject,
        reduce_only: true,
        self_trade: None,
        caller_id: None,
        valid_until: None,
        full_answer: false,
    }
}

fn place(order: NewOrder) -> CallBody {
    let client_id = ClientId::new("tgabc-7").unwrap();
    CallBody::Place { order, client_id, deadline: NOW.plus(Span::from_secs(5)) }
}

fn order_ref(client: Option<&str>, venue: Option<&str>) -> OrderRef {
    OrderRef {
        instrument: instrument_id("ETH_USDC-PERPETUAL").unwrap(),
        client_id: client.map(|id| ClientId::new(id).unwrap()),
        venue_id: venue.map(|id| VenueOrderId::new(id).unwrap()),
        conditional: false,
    }
}

#[test]
fn a_read_has_the_published_signature() {
    let wire = built(read("private/get_account_summary", &[("currency", "BTC")]), &AMANDA).unwrap();
    assert_eq!(
        (wire.method.as_str(), wire.target.as_str()),
        ("GET", "/api/v2/private/get_account_summary?currency=BTC")
    );
    assert_eq!(wire.headers, [(
        "authorization".to_owned(),
        "deri-hmac-sha256 id=AMANDA,ts=1700000000000,sig=8e3a7b7a4f66fff3471a81e867192d77aedc40eb22a635398c8a1ab35df51db2,nonce=abcd1234".to_owned(),
    )]);
}

#[test]
fn an_order_is_posted_and_signed_with_its_body() {
    let wire = built(place(order()), &AMANDA).unwrap();
    assert_eq!((wire.method.as_str(), wire.target.as_str()), ("POST", "/api/v2/private/sell"));
    assert_eq!(
        wire.body,
        r#"{"jsonrpc":"2.0","id":9,"method":"private/sell","params":{"instrument_name":"BTC-PERPETUAL","amount":20,"type":"stop_limit","label":"tgabc-7","price":25000.5,"time_in_force":"good_til_day","post_only":true,"reject_post_only":true,"reduce_only":true,"trigger":"index_price","trigger_price":26000,"valid_until":1700000005000}}"#
    );
    let text = format!("1700000000000\nabcd1234\nPOST\n/api/v2/private/sell\n{}\n", wire.body);
    let sig = to_hex(&hmac_sha256("AMANDASECRECT", text.as_bytes()));
    assert!(wire.headers[0].1.contains(&format!("sig={sig},")), "{:?}", wire.headers);
}

#[test]
fn the_nearer_deadline_holds() {
    let until = |ms| {
        let order = NewOrder { valid_until: Some(Time::from_millis(ms)), ..order() };
        built(place(order), &AMANDA).unwrap().body
    };
    assert!(until(1_700_000_001_000).contains(r#""valid_until":1700000001000"#));
    assert!(until(1_800_000_000_000).contains(r#""valid_until":1700000005000"#));
}

#[test]
fn amends_and_cancels_name_the_order_by_either_id() {
    let amend = |order| CallBody::Amend {
        order,
        side: Side::Buy,
        qty: Qty(Decimal::new(5, 3)),
        price: Some(Price(Decimal::new(3000, 0))),
        trigger_price: None,
        post_only: Some(PostOnly::No),
        reduce_only: None,
        deadline: NOW,
    };
    let rest = r#""amount":0.005,"price":3000,"post_only":false,"valid_until":1700000000000}}"#;
    let wire = built(amend(order_ref(Some("tg1-0"), Some("ETH-1"))), &AMANDA).unwrap();
    assert!(
        wire.body
            .ends_with(&format!(r#""method":"private/edit","params":{{"order_id":"ETH-1",{rest}"#)),
        "{}",
        wire.body
    );
    let wire = built(amend(order_ref(Some("tg1-0"), None)), &AMANDA).unwrap();
    assert!(wire.body.contains(r#""method":"private/edit_by_label","params":{"label":"tg1-0","instrument_name":"ETH_USDC-PERPETUAL","#));
    let cancel = |order| CallBody::Cancel { order };
    let wire = built(cancel(order_ref(Some("tg1-0"), Some("ETH-1"))), &AMANDA).unwrap();
    assert!(wire.body.ends_with(r#""method":"private/cancel","params":{"order_id":"ETH-1"}}"#));
    let wire = built(cancel(order_ref(Some("tg1-0"), None)), &AMANDA).unwrap();
    assert!(
        wire.body.ends_with(r#""params":{"label":"tg1-0","currency":"USDC"}}"#),
        "{}",
        wire.body
    );
    assert!(built(cancel(order_ref(None, None)), &AMANDA).is_err());
    let wire =
        built(CallBody::QueryOrder { order: order_ref(Some("tg1-0"), Some("ETH-1")) }, &AMANDA)
            .unwrap();
    assert_eq!(wire.target, "/api/v2/private/get_order_state_by_label?currency=USDC&label=tg1-0");
}

#[test]
fn the_signer_takes_no_other_route() {
    for route in [
        "private/withdraw",
        "private/create_api_key",
        "private/buy",
        "private/cancel_all",
        "private/submit_transfer_to_user",
        "public/auth",
        "public/ticker",
        "",
        "../x",
    ] {
        let error = built(read(route, &[]), &AMANDA).unwrap_err();
        assert_eq!(error, BuildError::UnknownRoute(route.into()));
        let set = CallBody::Set { route: route.into(), params: Vec::new() };
        assert_eq!(built(set, &AMANDA).unwrap_err(), BuildError::UnknownRoute(route.into()));
    }
    assert!(built(read("private/get_positions", &[("subaccount_id", "9")]), &AMANDA).is_err());
    assert!(built(CallBody::Snapshot { part: 4 }, &AMANDA).is_err());
    assert!(built(CallBody::Session { step: 1 }, &AMANDA).is_err());
}

#[test]
fn what_the_venue_cannot_say_is_not_built() {
    let dated = NewOrder { time_in_force: TimeInForce::GoodTilDate { until: NOW }, ..order() };
    let guarded = NewOrder { self_trade: Some(SelfTrade::ExpireBoth), ..order() };
    for order in [dated, guarded] {
        assert!(matches!(built(place(order), &AMANDA), Err(BuildError::Unsupported(_))));
    }
}

#[test]
fn a_session_opens_with_either_kind_of_key() {
    let stamped = Secret { nonce: "1700000000000", ..AMANDA };
    let wire = built(CallBody::Session { step: 0 }, &stamped).unwrap();
    assert_eq!((wire.method.as_str(), wire.target.as_str()), ("WS", "/ws/api/v2"));
    assert_eq!(
        wire.body,
        r#"{"jsonrpc":"2.0","id":1,"method":"public/auth","params":{"grant_type":"client_signature","client_id":"AMANDA","timestamp":1700000000000,"nonce":"1700000000000","data":"","signature":"254088e3088b1ae4bd72fa8af87bdb3ac47c14850ff0cb634b51a932baf7aaef","scope":"connection trade:read account:read wallet:none"}}"#
    );
    let call = Call {
        id: CallId(1),
        account: AccountName::new("main").unwrap(),
        body: CallBody::Session { step: 0 },
    };
    let wire = build(&call, &Pair, Time::from_millis(1_576_074_319_000)).unwrap();
    let sig =
        "WYhcXAzT7crPS0dimO2cRg7_BxMJVfw5Q8QY1XuBSRjTTslJUbOhmUCJAlzJR2GzFgnPhVqoiB2cRNEpiG97DA";
    assert!(wire.body.contains(sig), "{}", wire.body);
    assert!(matches!(built(read("private/get_positions", &[]), &Pair), Err(BuildError::Key(_))));
}

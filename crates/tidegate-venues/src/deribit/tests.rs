use super::*;
use crate::deribit::testkit::{
    NOW, as_ann, get, instruments, json, order, reply, request, trade, venue,
};
use proptest::prelude::*;
use tidegate_types::ids::{ClientId, VenueOrderId};

#[test]
fn the_venue_is_registered_under_its_name() {
    let name = VenueName::new("deribit").unwrap();
    assert_eq!(crate::registry::find(&name).map(|venue| venue.name()), Some(name));
}

#[test]
fn virtual_keys_look_like_the_venues() {
    let key = venue().virtual_key(&[7; 64]);
    assert_eq!(key.id.as_str().len(), 24);
    assert_eq!(key.secret.expose().len(), 43);
    assert_ne!(venue().virtual_key(&[8; 64]).id, key.id);
}

#[test]
fn reads_by_label_name_the_order_as_the_venue_knows_it() {
    let order_ref = OrderRef {
        instrument: names::instrument_id("BTC-PERPETUAL").unwrap(),
        client_id: ClientId::new("tg1-0").ok(),
        venue_id: VenueOrderId::new("9").ok(),
        conditional: false,
    };
    let with = |target: &str| {
        let parsed = venue().parse(&get(target), &instruments(), NOW).unwrap();
        let crate::front::Asked::Read(read) = parsed.asked else { panic!("a read") };
        venue().with_order(read, &order_ref).params
    };
    let by_label = with("/api/v2/private/get_order_state_by_label?currency=BTC&label=mine");
    assert_eq!(by_label, [("currency".into(), "BTC".into()), ("label".into(), "tg1-0".into())]);
    let by_id = with("/api/v2/private/get_order_state?order_id=SLMB-9");
    assert_eq!(by_id, [("order_id".into(), "SLMB-9".into())]);
}

#[test]
fn sockets_open_at_one_path() {
    let open = |request: &RawRequest| venue().open(request, NOW).map(|_| ()).map_err(|r| r.code);
    assert_eq!(open(&get("/ws/api/v2")), Ok(()));
    assert_eq!(open(&get("/ws/api/v2/")), Ok(()));
    assert_eq!(open(&get("/ws/api/v1")), Err(Code::UnknownRoute));
    assert_eq!(open(&request(Method::Post, "/ws/api/v2", &[], "")), Err(Code::UnknownRoute));
}

#[test]
fn every_method_is_named_once_and_private_ones_need_credentials() {
    for (at, method) in methods::METHODS.iter().enumerate() {
        assert!(methods::METHODS.iter().skip(at + 1).all(|other| other.name != method.name));
        let scoped = method.name.starts_with("public/") || method.name.starts_with("private/");
        assert!(scoped, "{}", method.name);
        let answer = venue().credentials(&get(&format!("/api/v2/{}", method.name)));
        if method.is_private() {
            let code = answer.map(|_| ()).unwrap_err().code;
            assert!(
                matches!(code, Code::MissingCredentials | Code::ForbiddenRoute),
                "{}",
                method.name
            );
        }
    }
}

/// Frames that look like the venue's or a caller's, broken anywhere.
fn broken(text: String) -> impl Strategy<Value = String> {
    let length = text.len();
    (0..=length, 0..=length, ".{0,8}").prop_map(move |(from, to, new)| {
        let (from, to) = (from.min(to), from.max(to));
        let (head, tail) = (text.get(..from), text.get(to..));
        format!("{}{new}{}", head.unwrap_or_default(), tail.unwrap_or_default())
    })
}

fn any_text() -> impl Strategy<Value = String> {
    let changes = format!(
        r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"user.changes.any.any.raw","data":{{"orders":[{}],"trades":[{}],"positions":[]}}}}}}"#,
        order("tg1-0", "1", "open"),
        trade("tg1-0", "1")
    );
    let answer = format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"order":{},"trades":[{}]}},"usIn":1}}"#,
        order("tg1-0", "1", "open"),
        trade("tg1-0", "1")
    );
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"private/buy","params":{"instrument_name":"BTC-PERPETUAL","amount":10,"price":5.5,"label":"x","post_only":true}}"#;
    let subscribe = r#"{"id":1,"method":"public/subscribe","params":{"channels":["book.X.100ms","user.orders.any.any.raw"]}}"#;
    prop_oneof![
        ".{0,300}",
        broken(changes),
        broken(answer),
        broken(call.into()),
        broken(subscribe.into()),
    ]
}

proptest! {
    #[test]
    fn no_request_panics(text in any_text(), query in ".{0,100}", header in ".{0,100}") {
        let venue = venue();
        let signed = format!("deri-hmac-sha256 {header}");
        for request in [
            request(Method::Post, "/api/v2", &[("authorization", &header)], &text),
            request(Method::Get, &format!("/api/v2/private/buy?{query}"), &[("authorization", &signed)], ""),
            get(&text),
        ] {
            let _ = venue.credentials(&request);
            let _ = venue.parse(&request, &instruments(), NOW);
            let refusal = venue.refuse(Some(&request), None, &Reject::new(Code::Malformed, text.clone()), NOW);
            prop_assert!(json(&refusal)["error"]["code"].is_i64());
        }
    }

    #[test]
    fn no_session_panics(texts in proptest::collection::vec(any_text(), 1..4)) {
        let mut session = venue().open(&get("/ws/api/v2"), NOW).unwrap();
        for (text, tag) in texts.iter().zip(1..) {
            session.on_text(text, &instruments(), NOW);
            session.on_public(text, NOW);
            session.on_identity(crate::front::Tag(tag), Ok(()), NOW);
            session.on_reply(crate::front::Tag(tag), reply(200, text), NOW);
            if let Ok(frame) = serde_json::from_str(text) {
                as_ann(false, |viewer| session.on_private(&frame, viewer, NOW));
            }
        }
    }

    #[test]
    fn no_answer_panics(text in any_text(), status in 100_u16..600) {
        let venue = venue();
        let body = CallBody::Read { route: String::new(), params: Vec::new() };
        let _ = venue.outcome(&body, &reply(status, &text), &instruments());
        let _ = venue.back_off(&reply(status, &text), &[]);
        let parts = [reply(status, &text), reply(status, &text), reply(status, &text)];
        let _ = venue.snapshot(&parts, &instruments());
        let _ = venue.instruments(&parts);
        let _ = venue.rights("A", &reply(status, &text));
        let _ = venue.marks(&text, &instruments(), NOW);
        let context = Context(serde_json::json!({"method": "private/buy"}));
        as_ann(false, |viewer| venue.pass(&context, reply(status, &text), viewer));
    }

    #[test]
    fn no_stream_panics(texts in proptest::collection::vec(any_text(), 1..4)) {
        let mut stream = stream::DeribitStream::default();
        stream.start(NOW);
        stream.on_open(NOW);
        for text in texts {
            stream.on_text(&text, &instruments(), NOW);
        }
    }
}

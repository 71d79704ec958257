//! What a person said yes to ends before it became a grant.

use super::*;

/// What ends the consent of `person-1` to the app.
fn endings(desk: &Desk) -> [Event; 3] {
    let consents = desk.authority.consents(at(NOW));
    let [consent] = consents.as_slice() else { panic!("{consents:?}") };
    assert_eq!((consent.subject.as_str(), consent.client.as_str()), ("person-1", "app"));
    [
        Event::SubjectRevoked { subject: "person-1".into() },
        Event::GrantRevoked { grant: consent.grant, by: None },
        Event::ClientRevoked { client: ClientId::new("app").unwrap() },
    ]
}

/// A device that has its yes: its code.
fn device(desk: &mut Desk) -> String {
    let asked = asked();
    let answer = desk.device(&[("authorization_details", asked.as_str())], NOW).unwrap();
    let (code, typed) = (text(&answer, "device_code"), text(&answer, "user_code"));
    let chance = desk.chance();
    let yes = approval("500", NOW);
    assert_eq!(desk.authority.device_approve(&typed, yes, &chance, at(NOW)), Ok(()));
    code
}

#[test]
fn a_code_gives_nothing_once_its_person_may_not_grant_it() {
    for ending in 0..3 {
        let mut desk = Desk::new();
        let code = desk.code(NOW);
        let event = endings(&desk)[ending].clone();
        desk.authority.apply(&event);
        assert!(desk.authority.consents(at(NOW)).is_empty(), "{event:?}");
        let answer = desk.token("app", 1, &code_fields(&code), NOW);
        let expected = if ending == 2 { ErrorCode::InvalidClient } else { ErrorCode::InvalidGrant };
        assert_eq!(answer.err(), Some(expected), "{event:?}");
        assert_eq!(desk.authority.state().grants().count(), 0);
    }
    let mut desk = Desk::new();
    let code = desk.code(NOW);
    desk.authority.apply(&Event::SubjectRevoked { subject: "person-2".into() });
    assert!(desk.token("app", 1, &code_fields(&code), NOW).is_ok(), "another's end");
}

#[test]
fn a_device_hears_a_no_once_its_person_may_not_grant_it() {
    for ending in 0..2 {
        let mut desk = Desk::new();
        let code = device(&mut desk);
        let event = endings(&desk)[ending].clone();
        desk.authority.apply(&event);
        assert!(desk.authority.consents(at(NOW)).is_empty(), "{event:?}");
        let fields = [("grant_type", DEVICE_GRANT), ("device_code", code.as_str())];
        let answer = desk.token("app", 1, &fields, NOW + 10);
        assert_eq!(answer.err(), Some(ErrorCode::AccessDenied), "{event:?}");
        assert_eq!(desk.authority.state().grants().count(), 0);
    }
}

#[test]
fn another_client_s_used_code_ends_nothing() {
    let mut desk = Desk::new();
    let code = desk.code(NOW);
    let answer = desk.token("app", 1, &code_fields(&code), NOW).unwrap();
    let token = text(&answer, "access_token");
    let found = desk.token("bot", 2, &code_fields(&code), NOW + 1);
    assert_eq!(found.err(), Some(ErrorCode::InvalidGrant));
    assert!(desk.authority.verify(&token, at(NOW + 1)).is_some());
}

#[test]
fn a_refresh_token_is_not_active_once_its_key_is_revoked() {
    let mut desk = Desk::new();
    let refresh = text(&desk.tokens(NOW), "refresh_token");
    assert_eq!(desk.introspect("app", 1, &refresh, NOW).unwrap()["active"], true);
    let by = PersonName::new("ada").unwrap();
    desk.authority.apply(&Event::KeyRevoked { key: jkt(11), by });
    assert_eq!(desk.introspect("app", 1, &refresh, NOW), Ok(json!({ "active": false })));
    // It still ends what it was for.
    assert_eq!(desk.revoke("app", 1, &refresh, NOW), Ok(()));
    assert_eq!(desk.authority.state().grants().count(), 0);
}

fn revoke(desk: &mut Desk, byte: u8) {
    let by = PersonName::new("ada").unwrap();
    desk.authority.apply(&Event::KeyRevoked { key: jkt(byte), by });
}

fn is_good(desk: &Desk, token: &str) -> bool {
    desk.authority.verify(token, at(NOW)).is_some()
}

#[test]
fn a_token_ends_with_the_key_that_its_client_proved_itself_by() {
    let mut desk = Desk::new();
    let fields = [("grant_type", "client_credentials")];
    // Who stole the app's key alone has tokens bound to a key of its own.
    let stolen = desk.token_by("app", 1, &fields, Some(99), NOW).unwrap();
    let other = desk.token("bot", 2, &fields, NOW).unwrap();
    let (stolen, other) = (text(&stolen, "access_token"), text(&other, "access_token"));
    assert!(is_good(&desk, &stolen) && is_good(&desk, &other));
    revoke(&mut desk, 1);
    assert!(!is_good(&desk, &stolen) && is_good(&desk, &other));
    // A consent's tokens too, the first and those that renew it.
    let mut desk = Desk::new();
    let first = desk.tokens(NOW);
    let refresh = text(&first, "refresh_token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let renewed = text(&desk.token("app", 1, &fields, NOW).unwrap(), "access_token");
    let first = text(&first, "access_token");
    assert!(is_good(&desk, &first) && is_good(&desk, &renewed));
    revoke(&mut desk, 1);
    assert!(!is_good(&desk, &first) && !is_good(&desk, &renewed));
}

#[test]
fn an_exchanged_token_ends_with_each_key_that_it_rests_upon() {
    // What the app proved itself by, what its token is bound to, and the same of the bot.
    for byte in [1, 11, 2, 12] {
        let mut desk = Desk::new();
        let first = text(&desk.tokens(NOW), "access_token");
        let acts = text(&exchange(&mut desk, &first, &[], NOW).unwrap(), "access_token");
        revoke(&mut desk, 3);
        assert!(is_good(&desk, &first) && is_good(&desk, &acts), "another's key");
        revoke(&mut desk, byte);
        assert!(!is_good(&desk, &acts), "{byte}");
        assert_eq!(is_good(&desk, &first), byte == 2 || byte == 12, "{byte}");
    }
}

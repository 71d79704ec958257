//! Who acts in a person's name: whom the person was shown, and nobody who was named later.

use super::*;

/// The app's terms, naming this delegate.
fn named(desk: &mut Desk, app: &str, byte: u8, delegate: Option<&str>) {
    let mut terms = terms(app, byte);
    terms.delegate = delegate.map(|id| ClientId::new(id).unwrap());
    desk.authority.apply(&Event::ClientRegistered { terms });
}

fn may_act(desk: &Desk, answer: &Value) -> Option<String> {
    let bearer = desk.authority.verify(&text(answer, "access_token"), at(NOW)).unwrap();
    bearer.may_act.map(|client| client.to_string())
}

fn refreshed(desk: &mut Desk, first: &Value) -> Value {
    let refresh = text(first, "refresh_token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    desk.token("app", 1, &fields, NOW).unwrap()
}

#[test]
fn a_delegate_that_is_named_later_acts_by_later_consents_alone() {
    let mut desk = Desk::new();
    let first = desk.tokens(NOW);
    assert_eq!(may_act(&desk, &first).as_deref(), Some("bot"));
    named(&mut desk, "app", 1, Some("rs"));
    let later = refreshed(&mut desk, &first);
    assert_eq!(may_act(&desk, &later), None, "the person was shown another");
    named(&mut desk, "app", 1, None);
    let later = refreshed(&mut desk, &first);
    assert_eq!(may_act(&desk, &later), None, "nobody is named any more");
    named(&mut desk, "app", 1, Some("bot"));
    let later = refreshed(&mut desk, &first);
    assert_eq!(may_act(&desk, &later).as_deref(), Some("bot"));
}

#[test]
fn an_actor_hands_on_to_whom_the_person_was_shown_alone() {
    let mut desk = Desk::new();
    let first = text(&desk.tokens(NOW), "access_token");
    named(&mut desk, "bot", 2, Some("rs"));
    let acts = exchange(&mut desk, &first, &[], NOW).unwrap();
    assert_eq!(may_act(&desk, &acts), None);
    let all = desk.authority.state().delegates(&ClientId::new("app").unwrap());
    assert_eq!(all.iter().map(ClientId::as_str).collect::<Vec<_>>(), ["bot", "rs"]);
}

#[test]
fn a_yes_to_others_than_are_named_now_is_none() {
    let mut desk = Desk::new();
    let uri = text(&desk.push(&par_fields(&asked()), None, NOW).unwrap(), "request_uri");
    assert_eq!(ask(&mut desk, "app", &uri, NOW).unwrap().delegates.len(), 1);
    named(&mut desk, "app", 1, Some("rs"));
    let (app, chance) = (ClientId::new("app").unwrap(), desk.chance());
    let yes = approval("500", NOW);
    let said = desk.authority.approve(&app, &uri, yes, &chance, at(NOW));
    assert_eq!(said, Err(NotApproved::TooMuch));
}

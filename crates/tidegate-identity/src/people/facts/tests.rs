use super::*;
use crate::people::throttle::Target;
use crate::people::{Factor, OutsideIdentity, SessionError, link_key, recovery};
use tidegate_types::codec::{from_bytes, to_bytes, to_json};
use tidegate_types::person::Role;
use tidegate_types::time::Span;

const ANN: PersonHandle = PersonHandle([1; 16]);
const AGAIN: PersonHandle = PersonHandle([3; 16]);

fn at(seconds: u64) -> Time {
    Time::from_millis(1_000_000 + seconds * 1000)
}

fn name(text: &str) -> PersonName {
    PersonName::new(text).unwrap()
}

fn enrolled(person: PersonHandle, who: &str, link: u8, s: u64) -> Fact {
    let (link, until) = ([link; 32], at(s).plus(Span::from_secs(60)));
    Fact::Enrolled {
        person,
        name: name(who),
        link,
        until,
        origin: "a browser".to_owned(),
        at: at(s),
    }
}

fn begun(person: PersonHandle, key: u8, s: u64) -> Fact {
    let shown = Shown::new(Factor::Password, at(s));
    let origin = "a browser".to_owned();
    let begun = Begun { person, roles: vec![Role::Trader], shown, origin, at: at(s) };
    Fact::SessionBegun { key: SessionKey([key; 32]), begun }
}

/// A life: enrolled with a password, codes and a login in two steps after one wrong guess.
fn life() -> (State, Vec<Fact>) {
    let (codes, fresh) = RecoveryCodes::issue(&std::array::from_fn(|n| n as u8));
    let mut left = codes.clone();
    assert!(left.spend(fresh.iter().next().unwrap(), at(5)).is_some());
    let mut facts = vec![
        enrolled(ANN, "ann", 1, 0),
        Fact::PasswordSet { person: ANN, sealed: [3; 16], next_step: 7, at: at(1) },
        Fact::RecoverySet { person: ANN, codes },
    ];
    let mut state = State::default();
    facts.iter().for_each(|fact| state.apply(fact));
    let from = "192.0.2.1".parse().unwrap();
    let admit =
        |state: &State, s| state.throttle().admit(Target::Person(ANN), from, at(s)).unwrap();
    for (s, right) in [(2, false), (3, true)] {
        let attempt = admit(&state, s);
        let mut now = vec![Fact::Tried { attempt: attempt.clone() }];
        if right {
            now.extend([Fact::Passed { attempt }, begun(ANN, 1, s)]);
        }
        now.iter().for_each(|fact| state.apply(fact));
        facts.extend(now);
    }
    let shown = Shown::new(Factor::Totp, at(4));
    let rest = [
        Fact::CodeUsed { person: ANN, next_step: 9 },
        Fact::RecoveryUsed { person: ANN, codes: left },
        Fact::SessionRaised { was: SessionKey([1; 32]), key: SessionKey([2; 32]), shown },
        Fact::SessionSeen { key: SessionKey([2; 32]), at: at(400) },
    ];
    rest.iter().for_each(|fact| state.apply(fact));
    facts.extend(rest);
    (state, facts)
}

#[test]
fn facts_come_to_the_same_from_their_bytes() {
    let (state, facts) = life();
    let mut again = State::default();
    for fact in &facts {
        let bytes = to_bytes(fact);
        assert_eq!(from_bytes::<Fact>(&bytes).as_ref(), Ok(fact));
        again.apply(&from_bytes(&bytes).unwrap());
    }
    assert_eq!(again, state);
    assert_eq!(from_bytes::<State>(&to_bytes(&state)), Ok(state));
}

#[test]
fn what_was_shown_tried_and_used_is_known() {
    let (state, _) = life();
    let (handle, member) = state.named("ann").unwrap();
    let set = Password { set: at(1), sealed: [3; 16] };
    assert_eq!((handle, member.next_step, member.password), (ANN, 9, Some(set)));
    assert!(state.is_in_force([3; 16]) && !state.is_in_force([4; 16]));
    assert_eq!(member.recovery.left(), recovery::CODES - 1);
    assert_eq!(state.throttle().failures(ANN), 1);
    assert!(state.used_links().contains(&[1; 32]) && !state.used_links().contains(&link_key("x")));
    let look =
        |key: u8, s| state.sessions().look(SessionKey([key; 32]), at(s)).map(|s| s.last_seen());
    assert_eq!(look(1, 401), Err(SessionError::Unknown));
    assert_eq!(look(2, 401), Ok(at(400)));
    assert!(state.named("bob").is_none() && state.passkey(b"x").is_none());
}

#[test]
fn who_enrols_again_begins_anew() {
    let (mut state, _) = life();
    state.apply(&enrolled(AGAIN, "ann", 2, 500));
    let (handle, member) = state.named("ann").unwrap();
    assert_eq!((handle, member.password, member.recovery.left()), (AGAIN, None, 0));
    assert_eq!(state.members().len(), 1);
    assert!(state.sessions().list(ANN, at(501)).is_empty());
    assert_eq!(state.throttle().failures(ANN), 0);
    // A fact about somebody who is gone changes nothing.
    let before = state.clone();
    state.apply(&Fact::PasswordSet { person: ANN, sealed: [4; 16], next_step: 0, at: at(502) });
    assert_eq!(state, before);
    state.apply(&Fact::Gone { person: AGAIN });
    assert!(state.named("ann").is_none());
}

#[test]
fn sessions_end_by_id_by_number_and_together() {
    let (mut state, _) = life();
    for key in 3..6 {
        state.apply(&begun(ANN, key, 10));
    }
    let numbers = |state: &State| -> Vec<u64> {
        state.sessions().list(ANN, at(401)).iter().map(|session| session.number()).collect()
    };
    assert_eq!(numbers(&state), [0, 1, 2, 3]);
    state.apply(&Fact::SessionEnded { key: SessionKey([3; 32]) });
    state.apply(&Fact::SessionRevoked { person: AGAIN, number: 2 });
    state.apply(&Fact::SessionRevoked { person: ANN, number: 2 });
    assert_eq!(numbers(&state), [0, 3]);
    state.apply(&Fact::SessionsEnded { person: ANN, but: Some(SessionKey([5; 32])) });
    assert_eq!(numbers(&state), [3]);
    state.apply(&Fact::Cleared { person: ANN });
    assert_eq!(state.throttle().failures(ANN), 0);
}

#[test]
fn what_is_said_with_who_did_it_does_what_it_did_without() {
    let by = Actor::Person { name: name("ada") };
    let identity = OutsideIdentity { issuer: "https://id.example".into(), subject: "1".into() };
    let pairs = [
        (
            Fact::SessionRevoked { person: ANN, number: 1 },
            Fact::SessionRevokedBy { person: ANN, number: 1, by: by.clone() },
        ),
        (
            Fact::SessionsEnded { person: ANN, but: None },
            Fact::SessionsEndedBy { person: ANN, but: None, by: by.clone() },
        ),
        (
            Fact::PasskeyRemoved { person: ANN, credential: vec![1], at: at(30) },
            Fact::PasskeyRemovedBy { person: ANN, credential: vec![1], by: by.clone(), at: at(30) },
        ),
        (
            Fact::Unlinked { person: ANN, identity: identity.clone(), at: at(30) },
            Fact::UnlinkedBy {
                person: ANN,
                identity: identity.clone(),
                by: by.clone(),
                at: at(30),
            },
        ),
        (Fact::Gone { person: ANN }, Fact::GoneBy { person: ANN, by }),
    ];
    for (before, now) in pairs {
        let (mut one, _) = life();
        one.apply(&begun(ANN, 3, 10));
        one.apply(&Fact::Linked { person: ANN, identity: identity.clone(), at: at(11) });
        let (mut two, untouched) = (one.clone(), one.clone());
        one.apply(&before);
        two.apply(&now);
        assert!(one == two && one != untouched, "{now:?}");
        assert_eq!(before.ends_sessions(), now.ends_sessions());
        assert_eq!(from_bytes::<Fact>(&to_bytes(&now)), Ok(now.clone()));
        assert!(to_json(&now).contains("\"ada\""), "{}", to_json(&now));
    }
}

#[test]
fn a_journal_shows_no_recovery_code() {
    let (_, facts) = life();
    let shown: String = facts.iter().map(to_json).collect();
    assert!(shown.contains("[secret]") && shown.contains("\"ann\""), "{shown}");
}

#[test]
fn a_person_is_told_of_what_changed_until_it_was_read() {
    let (mut state, _) = life();
    let told = |state: &State| -> Vec<(Event, Time)> {
        let unread = state.named("ann").unwrap().1.notices.unread();
        unread.map(|notice| (notice.event, notice.at)).collect()
    };
    // The life's one wrong guess is told once a login is whole.
    assert_eq!(told(&state), [(Event::PasswordSet, at(1))]);
    state.apply(&Fact::Cleared { person: ANN });
    state.apply(&Fact::Cleared { person: ANN });
    let wrong = (Event::WrongGuesses { count: 1 }, at(2));
    assert_eq!(told(&state), [(Event::PasswordSet, at(1)), wrong]);
    state.apply(&Fact::NoticesRead { person: ANN, until: at(1) });
    assert_eq!(told(&state), [wrong]);
    let shown = Shown::new(Factor::RecoveryCode, at(402));
    let (was, key) = (SessionKey([2; 32]), SessionKey([3; 32]));
    state.apply(&Fact::SessionRaised { was, key, shown });
    state.apply(&Fact::NoticesRead { person: ANN, until: at(2) });
    assert_eq!(told(&state), [(Event::RecoveryCodeUsed, at(402))]);
    for s in 500..600 {
        state.apply(&Fact::PasswordSet { person: ANN, sealed: [5; 16], next_step: 0, at: at(s) });
    }
    let notices = &state.named("ann").unwrap().1.notices;
    assert_eq!(notices.all().len(), crate::people::notices::MAX_NOTICES);
    assert_eq!(notices.all().last().unwrap().at, at(599));
}

#[test]
fn a_person_is_told_of_ways_in_that_others_made() {
    let (mut state, _) = life();
    let told = |state: &State| -> Vec<Event> {
        let unread = state.named("ann").unwrap().1.notices.unread();
        unread.map(|notice| notice.event).collect()
    };
    state.apply(&Fact::NoticesRead { person: ANN, until: at(10) });
    let identity = OutsideIdentity { issuer: "https://id.example".into(), subject: "1".into() };
    state.apply(&Fact::Linked { person: ANN, identity: identity.clone(), at: at(500) });
    let by = Actor::Person { name: name("ada") };
    state.apply(&Fact::UnlinkedBy { person: ANN, identity: identity.clone(), by, at: at(501) });
    assert_eq!(told(&state), [Event::OutsideLinked, Event::OutsideUnlinked]);
    // Somebody else used a link of hers; she reads it once she has another.
    state.apply(&enrolled(AGAIN, "ann", 2, 502));
    state.apply(&Fact::Linked { person: AGAIN, identity, at: at(502) });
    let anew = [Event::OutsideLinked, Event::OutsideUnlinked, Event::EnrolledAnew];
    assert_eq!(told(&state), anew, "what one enrols by is no news");
    state.apply(&enrolled(ANN, "ann", 3, 600));
    assert_eq!(told(&state), [anew.as_slice(), &[Event::EnrolledAnew]].concat());
    let words: Vec<String> = told(&state).iter().map(ToString::to_string).collect();
    assert!(words[0].contains("linked") && words[2].contains("link was used"), "{words:?}");
    // A name that nobody had is told nothing.
    state.apply(&enrolled(PersonHandle([8; 16]), "bob", 4, 601));
    assert!(state.named("bob").unwrap().1.notices.all().is_empty());
}

#[test]
fn who_is_reset_is_told_what_happened_until_then() {
    let (mut state, _) = life();
    let told = |state: &State, name: &str| -> Vec<Event> {
        state.named(name).unwrap().1.notices.unread().map(|notice| notice.event).collect()
    };
    let reset = |person, s| Fact::ResetBy { person, by: Actor::Gateway, at: at(s) };
    state.apply(&Fact::NoticesRead { person: ANN, until: at(10) });
    state.apply(&begun(ANN, 9, 20));
    // Somebody else uses a link of hers, adds a way in and reads what she should.
    state.apply(&enrolled(AGAIN, "ann", 2, 500));
    state.apply(&Fact::PasswordSet { person: AGAIN, sealed: [5; 16], next_step: 0, at: at(501) });
    let anew = [Event::EnrolledAnew, Event::PasswordSet];
    assert_eq!(told(&state, "ann"), anew);
    state.apply(&reset(AGAIN, 502));
    assert!(state.named("ann").is_none() && !state.is_in_force([5; 16]), "nobody gets in");
    assert_eq!(state.awaited().collect::<Vec<_>>(), [(AGAIN, &name("ann"))]);
    assert_eq!(from_bytes::<State>(&to_bytes(&state)), Ok(state.clone()));
    let mut gone = state.clone();
    state.apply(&enrolled(ANN, "ann", 3, 600));
    let all = [anew.as_slice(), &[Event::Reset, Event::EnrolledAnew]].concat();
    assert_eq!(told(&state, "ann"), all);
    assert_eq!(state.awaited().count(), 0, "told once");
    // Another reset keeps those too; nobody else is told.
    state.apply(&reset(ANN, 601));
    state.apply(&enrolled(PersonHandle([8; 16]), "bob", 4, 602));
    assert!(told(&state, "bob").is_empty());
    state.apply(&enrolled(AGAIN, "ann", 5, 603));
    assert_eq!(told(&state, "ann"), [&all[..], &[Event::Reset, Event::EnrolledAnew]].concat());
    // Who leaves the desk takes it along: whoever is given the name later is somebody else.
    gone.apply(&Fact::GoneBy { person: AGAIN, by: Actor::Gateway });
    assert_eq!(gone.awaited().count(), 0);
    gone.apply(&enrolled(ANN, "ann", 3, 600));
    assert!(told(&gone, "ann").is_empty());
}

#[test]
fn a_copy_revives_no_session_link_or_recovery_code() {
    let (mut state, facts) = life();
    let ledger =
        |facts: &[Fact], state: &mut State| facts.iter().for_each(|fact| state.apply(fact));
    ledger(&facts, &mut state);
    state.apply(&begun(ANN, 9, 20));
    let (key, now) = (SessionKey([9; 32]), at(21));
    assert!(state.sessions().look(key, now).is_ok());
    state.restored(&[([4; 32], at(60))].into(), now);
    assert_eq!(state.sessions().look(key, now), Err(SessionError::Unknown));
    assert_eq!(state.sessions().list(ANN, now).len(), 0);
    let (_, member) = state.named("ann").unwrap();
    assert_eq!(member.recovery.left(), 0, "one that was used meanwhile would be good again");
    assert!(member.password.is_some(), "people get in as before");
    assert!(state.used_links().contains(&[4; 32]));
}

use super::*;
use crate::people::throttle::Target;
use crate::people::{Factor, SessionError, link_key, recovery};
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

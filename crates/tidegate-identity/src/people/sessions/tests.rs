use super::*;
use crate::people::Factor;
use tidegate_types::codec::{from_bytes, to_bytes, to_json};

const ANN: PersonHandle = PersonHandle([1; 16]);
const BOB: PersonHandle = PersonHandle([2; 16]);
const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

fn at(seconds: u64) -> Time {
    Time::from_millis(1_000_000 + seconds * 1000)
}

fn shown(factor: Factor, seconds: u64) -> Shown {
    Shown::new(factor, at(seconds))
}

fn key(id: &str) -> SessionKey {
    SessionKey::of(id)
}

/// Begins a session with the factor `shown`, by an id made of `n`.
fn begin_by(
    sessions: &mut Sessions,
    person: PersonHandle,
    role: Role,
    shown: Shown,
    n: u8,
) -> String {
    let (id, key) = SessionKey::fresh(&[n; 32]);
    let origin = "a browser".to_owned();
    sessions.begin(key, &Begun { person, roles: vec![role], shown, origin, at: shown.at() });
    id.expose().to_owned()
}

/// Begins a session by passkey.
fn begin(sessions: &mut Sessions, person: PersonHandle, role: Role, n: u8, s: u64) -> String {
    begin_by(sessions, person, role, shown(Factor::SyncedPasskey, s), n)
}

fn raise(sessions: &mut Sessions, was: &str, shown: Shown, n: u8) -> String {
    let (id, new) = SessionKey::fresh(&[n; 32]);
    sessions.raise(key(was), new, shown);
    id.expose().to_owned()
}

#[test]
fn a_session_is_its_person_s() {
    let mut sessions = Sessions::default();
    let id = begin(&mut sessions, ANN, Role::Trader, 1, 0);
    assert_eq!(id.len(), 43);
    let session = sessions.enter(key(&id), at(5)).unwrap();
    assert_eq!((session.person(), session.since(), session.last_seen()), (ANN, at(0), at(5)));
    assert_eq!((session.origin(), session.assurance().level()), ("a browser", Level::Two));
    for other in ["", "x", &id[..42]] {
        assert_eq!(sessions.enter(key(other), at(5)), Err(SessionError::Unknown));
    }
}

#[test]
fn idle_sessions_end_by_role() {
    for (role, minutes) in [(Role::Trader, 30), (Role::Admin, 15)] {
        let mut sessions = Sessions::default();
        let id = begin(&mut sessions, ANN, role, 1, 0);
        let used = minutes * MINUTE - 1;
        assert!(sessions.enter(key(&id), at(used)).is_ok());
        assert!(sessions.enter(key(&id), at(2 * used)).is_ok());
        let late = at(2 * used + minutes * MINUTE);
        assert!(sessions.list(ANN, late).is_empty());
        assert_eq!(sessions.enter(key(&id), late), Err(SessionError::Idle));
        // It does not come back when the clock does.
        assert_eq!(sessions.enter(key(&id), at(used)), Err(SessionError::Unknown));
    }
}

#[test]
fn a_busy_session_ends_after_twelve_hours() {
    let mut sessions = Sessions::default();
    let id = begin(&mut sessions, ANN, Role::Trader, 1, 0);
    for s in (0..12 * HOUR).step_by(600) {
        assert!(sessions.enter(key(&id), at(s)).is_ok());
    }
    assert_eq!(sessions.enter(key(&id), at(12 * HOUR)), Err(SessionError::Over));
}

#[test]
fn a_second_factor_makes_the_login_whole_under_a_new_id() {
    let mut sessions = Sessions::default();
    let password = shown(Factor::Password, 0);
    let first = begin_by(&mut sessions, ANN, Role::Trader, password, 1);
    assert_eq!(sessions.enter(key(&first), at(1)).unwrap().assurance().level(), Level::One);
    let code = shown(Factor::Totp, 20);
    let second = raise(&mut sessions, &first, code, 2);
    assert_eq!(sessions.enter(key(&first), at(20)), Err(SessionError::Unknown));
    let session = sessions.enter(key(&second), at(20)).unwrap();
    assert_eq!((session.assurance().level(), session.since()), (Level::Two, at(0)));
    assert_eq!(sessions.list(ANN, at(20)).len(), 1);
}

#[test]
fn a_login_that_is_not_finished_lapses() {
    let mut sessions = Sessions::default();
    let id = begin_by(&mut sessions, ANN, Role::Trader, shown(Factor::Password, 0), 1);
    assert!(sessions.enter(key(&id), at(599)).is_ok());
    assert_eq!(sessions.look(key(&id), at(600)), Err(SessionError::Over));
    assert_eq!(sessions.enter(key(&id), at(600)), Err(SessionError::Over));
    assert_eq!(sessions.look(key(&id), at(600)), Err(SessionError::Unknown));
}

#[test]
fn step_up_makes_the_session_fresh_but_not_longer() {
    let mut sessions = Sessions::default();
    let mut id = begin(&mut sessions, ANN, Role::Trader, 1, 0);
    for (n, s) in (1..26).map(|n| (n, u64::from(n) * 28 * MINUTE)) {
        let passkey = shown(Factor::AttestedPasskey, s);
        id = raise(&mut sessions, &id, passkey, n + 1);
        let session = sessions.enter(key(&id), at(s)).unwrap();
        assert!(session.assurance().phishing_resistant_within(Span::from_secs(60), at(s)));
    }
    assert_eq!(sessions.enter(key(&id), at(12 * HOUR)), Err(SessionError::Over));
}

#[test]
fn people_see_and_end_their_own() {
    let mut sessions = Sessions::default();
    let ids: Vec<String> =
        (1..4).map(|n| begin(&mut sessions, ANN, Role::Trader, n, u64::from(n))).collect();
    let bobs = begin(&mut sessions, BOB, Role::Trader, 9, 1);
    let numbers: Vec<u64> = sessions.list(ANN, at(9)).iter().map(|s| s.number()).collect();
    assert_eq!(numbers.len(), 3);
    assert!(!sessions.end_number(BOB, numbers[0]));
    assert!(sessions.end_number(ANN, numbers[0]) && !sessions.end_number(ANN, numbers[0]));
    assert_eq!(sessions.enter(key(&ids[0]), at(9)), Err(SessionError::Unknown));
    assert!(sessions.end(key(&ids[1])) && !sessions.end(key(&ids[1])));
    assert_eq!(sessions.end_all(ANN, Some(key(&ids[2]))), 0);
    assert_eq!(sessions.end_all(ANN, Some(key(&bobs))), 1);
    assert!(sessions.enter(key(&bobs), at(9)).is_ok());
}

#[test]
fn the_oldest_session_of_a_person_makes_room() {
    let mut sessions = Sessions::default();
    let bobs = begin(&mut sessions, BOB, Role::Trader, 200, 0);
    let ids: Vec<String> = (0..=MAX_SESSIONS as u8)
        .map(|n| begin(&mut sessions, ANN, Role::Trader, n, u64::from(n)))
        .collect();
    assert_eq!(sessions.list(ANN, at(60)).len(), MAX_SESSIONS);
    assert!(sessions.enter(key(&ids[0]), at(60)).is_err());
    assert!(
        sessions.enter(key(&ids[1]), at(60)).is_ok() && sessions.enter(key(&bobs), at(60)).is_ok()
    );
}

#[test]
fn logins_under_way_make_room_for_each_other_and_end_no_session() {
    let mut sessions = Sessions::default();
    let whole = begin(&mut sessions, ANN, Role::Approver, 1, 0);
    let by_password = |sessions: &mut Sessions, n: u8| {
        begin_by(sessions, ANN, Role::Approver, shown(Factor::Password, 1), n)
    };
    let under_way: Vec<String> = (2..40).map(|n| by_password(&mut sessions, n)).collect();
    assert!(sessions.enter(key(&whole), at(2)).is_ok());
    assert_eq!(sessions.unfinished(ANN, at(2)), MAX_UNFINISHED);
    assert_eq!(sessions.unfinished(ANN, at(2 + 600)), 0);
    let newest = under_way.last().unwrap();
    assert!(sessions.look(key(newest), at(2)).is_ok());
    assert!(sessions.look(key(&under_way[0]), at(2)).is_err());
    // One that becomes whole takes the place of the oldest that is.
    for n in 41..=40 + MAX_SESSIONS as u8 {
        begin(&mut sessions, ANN, Role::Approver, n, 3);
    }
    assert_eq!(sessions.enter(key(&whole), at(4)), Err(SessionError::Unknown));
    let newest = raise(&mut sessions, newest, shown(Factor::Totp, 5), 90);
    assert!(sessions.enter(key(&newest), at(6)).is_ok());
    assert_eq!(sessions.list(ANN, at(6)).len(), MAX_SESSIONS + MAX_UNFINISHED - 1);
}

#[test]
fn only_digests_are_kept_over_a_restart() {
    let mut sessions = Sessions::default();
    let id = begin(&mut sessions, ANN, Role::Trader, 7, 0);
    let kept = to_bytes(&sessions);
    assert!(!kept.windows(8).any(|w| w == &id.as_bytes()[..8] || w == [7; 8]));
    assert!(!to_json(&sessions).contains(&id) && !format!("{sessions:?}").contains(&id));
    let mut again: Sessions = from_bytes(&kept).unwrap();
    assert!(again.enter(key(&id), at(1)).is_ok());
}

#[test]
fn forms_are_bound_to_their_session() {
    let mut sessions = Sessions::default();
    let ann = begin(&mut sessions, ANN, Role::Trader, 1, 0);
    let bob = begin(&mut sessions, BOB, Role::Trader, 2, 0);
    let token = csrf_token(&ann);
    assert_eq!(token.expose().len(), 43);
    assert!(csrf_matches(&ann, token.expose()));
    for wrong in ["", &ann, &token.expose()[1..]] {
        assert!(!csrf_matches(&ann, wrong));
    }
    assert!(!csrf_matches(&bob, token.expose()));
}

#[test]
fn a_long_origin_is_cut_between_letters() {
    let mut sessions = Sessions::default();
    let passkey = shown(Factor::SyncedPasskey, 0);
    let origin = "ü€".repeat(100);
    let begun = Begun { person: ANN, roles: Vec::new(), shown: passkey, origin, at: at(0) };
    sessions.begin(key("x"), &begun);
    assert!(sessions.list(ANN, at(0))[0].origin().len() <= MAX_ORIGIN);
}

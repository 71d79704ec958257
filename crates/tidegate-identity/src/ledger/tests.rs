use super::*;
use crate::oauth::testing::{Desk, at, jkt};
use tidegate_types::codec::{Octets, to_bytes};
use tidegate_types::ids::PersonName;

/// Everything that a desk's authorization server put on record in a flow, as records.
fn records() -> Vec<Body> {
    let mut desk = Desk::new();
    desk.tokens(1000);
    let mut events = desk.authority.take_events();
    events.push(Event::KeyRevoked { key: jkt(9), by: PersonName::new("ada").unwrap() });
    let fact = |event| Body::Identity { fact: Octets(to_bytes(&Fact::OAuth { event })) };
    events.into_iter().map(fact).collect()
}

#[test]
fn a_saved_ledger_goes_on_as_a_replayed_one() {
    let records = records();
    let mut whole = Ledger::default();
    records.iter().for_each(|body| whole.replay(body));
    for cut in 0..=records.len() {
        let (before, after) = records.split_at(cut);
        let mut ledger = Ledger::default();
        before.iter().for_each(|body| ledger.replay(body));
        let mut saved: Ledger = from_bytes(&to_bytes(&ledger)).unwrap();
        after.iter().for_each(|body| saved.replay(body));
        assert_eq!(to_bytes(&saved), to_bytes(&whole), "cut at {cut}");
        assert_eq!(saved.oauth.grants().count(), whole.oauth.grants().count());
    }
    assert!(whole.oauth.is_key_revoked(&jkt(9)));
    let grant = whole.oauth.grants().next().unwrap();
    let digest = grant.refresh.unwrap();
    let saved: Ledger = from_bytes(&to_bytes(&whole)).unwrap();
    assert_eq!(saved.oauth.grant_of_refresh(&digest, at(1001)), Some(grant));
}

#[test]
fn a_fact_that_cannot_be_read_is_counted_over_a_save() {
    let mut ledger = Ledger::default();
    ledger.replay(&Body::Identity { fact: Octets(vec![0xff, 1]) });
    ledger.replay(&Body::Stopped);
    let saved: Ledger = from_bytes(&to_bytes(&ledger)).unwrap();
    assert_eq!(saved.unread(), 1);
}

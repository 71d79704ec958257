use super::*;
use crate::oauth::bearer::TokenBearer;
use crate::oauth::event::TokenId;
use crate::oauth::testing::{Desk, at, jkt, terms};
use tidegate_types::codec::{Octets, to_bytes};
use tidegate_types::ids::PersonName;
use tidegate_types::time::Span;

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
    ledger.replay(&Body::StoppedBy { by: None });
    let saved: Ledger = from_bytes(&to_bytes(&ledger)).unwrap();
    assert_eq!(saved.unread(), 1);
}

#[test]
fn what_a_copy_may_revive_is_void() {
    let mut ledger = Ledger::default();
    records().iter().for_each(|body| ledger.replay(body));
    let grant = ledger.oauth.grants().next().unwrap().clone();
    let terms = terms(grant.client.as_str(), 1);
    ledger.apply(&Fact::OAuth { event: Event::ClientRegistered { terms } });
    let digest = grant.refresh.unwrap();
    let token = |issued| TokenBearer {
        id: TokenId([1; 16]),
        subject: grant.client.as_str().to_owned(),
        client: grant.client.clone(),
        act: Vec::new(),
        may_act: None,
        details: Vec::new(),
        acr: None,
        amr: Vec::new(),
        auth_time: None,
        issued,
        until: at(9000),
        bound_to: grant.bound_to,
        proved_by: Vec::new(),
        grant: None,
    };
    let good = |ledger: &Ledger, issued| ledger.oauth.is_in_force(&token(issued), at(2000));
    assert!(good(&ledger, at(1000)) && ledger.oauth.grant_of_refresh(&digest, at(1001)).is_some());

    let noticed = at(1500).plus(Span::from_millis(700));
    let links = [([7; 32], at(5000)), ([8; 32], at(1400))].into();
    let restored = Fact::Restored { at: noticed, links };
    ledger.replay(&Body::Identity { fact: Octets(to_bytes(&restored)) });
    let saved: Ledger = from_bytes(&to_bytes(&ledger)).unwrap();
    for ledger in [ledger, saved] {
        assert_eq!(ledger.oauth.grants().count(), 0);
        assert_eq!(ledger.oauth.grant_of_refresh(&digest, at(1501)), None);
        assert!(!good(&ledger, at(1000)) && !good(&ledger, at(1499)), "issued before");
        assert!(good(&ledger, at(1500)), "their times are whole seconds");
        assert!(!ledger.oauth.clients().is_empty(), "apps stay");
        assert!(ledger.oauth.is_key_revoked(&jkt(9)), "what ended stays so");
        assert!(ledger.people.used_links().contains(&[7; 32]));
    }
}

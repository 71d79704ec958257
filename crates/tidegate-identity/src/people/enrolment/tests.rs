use super::*;
use tidegate_types::codec::{from_bytes, to_bytes, to_json};

const ANN: PersonHandle = PersonHandle([1; 16]);
const BOB: PersonHandle = PersonHandle([2; 16]);
const DAY: u64 = 24 * 3600;

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1000)
}

#[test]
fn a_link_lets_its_person_in_once() {
    let mut links = Invitations::default();
    let secret = links.issue(ANN, Link::Enrol, &[7; 32], at(0));
    links.issue(BOB, Link::Recover, &[8; 32], at(0));
    let expected = Invitation { person: ANN, link: Link::Enrol, until: at(DAY) };
    // Looking uses nothing up, and a restart loses nothing.
    assert_eq!(links.look(secret.expose(), at(1)), Ok(expected));
    let mut links: Invitations = from_bytes(&to_bytes(&links)).unwrap();
    assert_eq!(links.redeem(secret.expose(), at(DAY - 1)), Ok(expected));
    assert_eq!(links.redeem(secret.expose(), at(2)), Err(LinkError));
    assert_eq!(links.look(secret.expose(), at(2)), Err(LinkError));
}

#[test]
fn a_link_lapses() {
    let mut links = Invitations::default();
    let secret = links.issue(ANN, Link::Enrol, &[7; 32], at(0));
    assert_eq!(links.look(secret.expose(), at(DAY)), Err(LinkError));
    assert_eq!(links.redeem(secret.expose(), at(DAY)), Err(LinkError));
    // What lapsed is swept when the next is made.
    links.issue(ANN, Link::Enrol, &[7; 32], at(0));
    links.issue(BOB, Link::Enrol, &[8; 32], at(DAY));
    assert_eq!(links.by_digest.len(), 1);
}

#[test]
fn a_new_link_replaces_the_old_one() {
    let mut links = Invitations::default();
    let old = links.issue(ANN, Link::Enrol, &[7; 32], at(0));
    let new = links.issue(ANN, Link::Recover, &[8; 32], at(1));
    assert_eq!(links.redeem(old.expose(), at(2)), Err(LinkError));
    assert!(links.look(new.expose(), at(2)).is_ok());
    assert!(links.revoke(ANN) && !links.revoke(ANN));
    assert_eq!(links.redeem(new.expose(), at(2)), Err(LinkError));
}

#[test]
fn only_a_digest_is_kept() {
    let mut links = Invitations::default();
    let secret = links.issue(ANN, Link::Enrol, &[7; 32], at(0));
    assert_eq!(secret.expose().len(), 43);
    let kept = to_bytes(&links);
    assert!(!kept.windows(8).any(|w| w == &secret.expose().as_bytes()[..8] || w == [7; 8]));
    for shown in [format!("{links:?} {secret:?}"), to_json(&links)] {
        assert!(!shown.contains(&secret.expose()[..8]));
    }
    assert_eq!(links.redeem("", at(1)), Err(LinkError));
}

use super::*;
use tidegate_types::codec::{from_bytes, to_bytes};

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1000)
}

#[test]
fn only_a_digest_is_kept_of_a_link() {
    let (secret, key) = fresh_link(&[7; 32]);
    assert_eq!(secret.expose().len(), 43);
    assert_eq!(link_key(secret.expose()), key);
    assert_ne!(link_key(&secret.expose()[1..]), key);
}

#[test]
fn a_link_stays_used_until_it_lapses() {
    let mut used = UsedLinks::default();
    used.insert([1; 32], at(10), at(1));
    used.insert([2; 32], at(20), at(9));
    let mut used: UsedLinks = from_bytes(&to_bytes(&used)).unwrap();
    assert!(used.contains(&[1; 32]) && used.contains(&[2; 32]) && !used.contains(&[3; 32]));
    used.insert([3; 32], at(30), at(10));
    assert!(!used.contains(&[1; 32]) && used.contains(&[2; 32]));
}

use super::*;

const CALLS: Rate = (100, 1000);

#[test]
fn an_address_has_its_rate_and_ipv6_one_for_each_network() {
    let peers = Peers::new(CALLS);
    let at = |ms: u64| Time::from_millis(1_000_000 + ms);
    let takes = |peer: &str, ms| peers.take(peer.parse().unwrap(), "one", at(ms));
    for n in 0..CALLS.1 {
        assert!(takes("192.0.2.1", 0) && takes(&format!("2001:db8::{n:x}"), 0), "{n}");
    }
    assert!(!takes("192.0.2.1", 0) && !takes("::ffff:192.0.2.1", 0));
    let other = || peers.take("192.0.2.1".parse().unwrap(), "another", at(0));
    assert_eq!((0..=CALLS.1).filter(|_| other()).count(), CALLS.1 as usize, "apart, and bounded");
    assert!(!takes("2001:db8::ffff:1", 0) && takes("2001:db8:0:1::1", 0));
    assert!(takes("192.0.2.2", 0));
    let of_here = (0..=CALLS.1).filter(|_| takes("127.0.0.1", 0) && takes("::1", 0));
    assert_eq!(of_here.count(), CALLS.1 as usize + 1);
    let again = (0..=CALLS.0).filter(|_| takes("192.0.2.1", 1000));
    assert_eq!(again.count(), CALLS.0 as usize);
}

#[test]
fn looking_counts_nothing_and_counting_spares_nobody() {
    let peers = Peers::new((1, 2));
    let here = IpAddr::from([127, 0, 0, 1]);
    let now = Time::from_millis(1_000_000);
    assert!((0..5).all(|_| peers.may(here, 'a', now)));
    assert_eq!([(); 3].map(|()| peers.count(here, 'a', now)), [true, true, false]);
    assert!(!peers.may(here, 'a', now) && peers.may(here, 'b', now), "for each thing by itself");
    assert!(peers.may(here, 'a', Time::from_millis(1_001_000)), "with time");
}

#[test]
fn what_is_remembered_has_a_bound() {
    let peers = Peers::new(CALLS);
    for n in 0..u32::try_from(MAX_PEERS).unwrap() + 1 {
        assert!(peers.take(IpAddr::from(n.to_be_bytes()), (), Time::from_millis(1)));
    }
    assert_eq!(peers.known.lock().unwrap().len(), 1);
}

use super::*;

#[test]
fn both_limits_hold_and_places_come_back() {
    let (one, two): (IpAddr, IpAddr) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
    let connections = Connections::new(3, 2);
    let first = connections.enter(one).unwrap();
    let _second = connections.enter(one).unwrap();
    assert!(connections.enter(one).is_none(), "two from one address");
    let _third = connections.enter(two).unwrap();
    assert!(connections.enter(two).is_none(), "three in all");
    drop(first);
    assert_eq!(connections.count(), 2);
    assert!(connections.enter(one).is_some());
}

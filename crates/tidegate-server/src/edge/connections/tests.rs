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

#[test]
fn who_has_many_addresses_has_no_more_places() {
    let connections = Connections::new(10, 1);
    let [one, two, other, mapped]: [IpAddr; 4] =
        ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "::ffff:192.0.2.1"]
            .map(|text| text.parse().unwrap());
    let seat = connections.enter(one).unwrap();
    assert!(connections.enter(two).is_none(), "one network of 64 bits");
    let _elsewhere = connections.enter(other).unwrap();
    let _mapped = connections.enter(mapped).unwrap();
    assert!(connections.enter([192, 0, 2, 1].into()).is_none(), "the same, written as IPv4");
    drop(seat);
    assert!(connections.enter(two).is_some(), "the place came back");
}

#[test]
fn a_few_addresses_with_many_leave_places_to_others() {
    let connections = Connections::new(400, 100);
    let address = |last: u8| IpAddr::from([192, 0, 2, last]);
    let mut seats = Vec::new();
    for greedy in 1..=5 {
        while let Some(seat) = connections.enter(address(greedy)) {
            seats.push(seat);
        }
    }
    assert_eq!(connections.count(), 3 * 100 + 2 * FEW, "the last quarter goes in small parts");
    for newcomer in 101..=104 {
        seats.extend((0..FEW).map(|_| connections.enter(address(newcomer)).unwrap()));
    }
    seats.truncate(250);
    assert!(connections.enter(address(1)).is_none(), "it has its hundred");
    assert!(connections.enter(address(3)).is_some(), "there is room for more than a few again");
}

//! How much one client may have waiting and ask, and for how long.

use super::*;

#[test]
fn a_client_has_a_tenth_of_each_shelf() {
    let mut desk = Desk::new();
    desk.authority.pushed = Shelf::new(20);
    desk.authority.devices = Shelf::new(20);
    let asked = asked();
    let push = |desk: &mut Desk| desk.push(&par_fields(&asked), None, NOW).err();
    assert_eq!([push(&mut desk), push(&mut desk)], [None, None]);
    assert_eq!(push(&mut desk), Some(ErrorCode::TemporarilyUnavailable));
    let fields = [("authorization_details", asked.as_str())];
    assert!(desk.device(&fields, NOW).is_ok() && desk.device(&fields, NOW).is_ok());
    assert_eq!(desk.device(&fields, NOW).err(), Some(ErrorCode::TemporarilyUnavailable));
    // Others have their own.
    let other = ClientId::new("bot").unwrap();
    assert!(desk.authority.user_codes.put(
        &other,
        "ABCD",
        Thumbprint([1; 32]),
        at(NOW + 9),
        at(NOW)
    ));
    let mut shelf = Shelf::new(20);
    let app = ClientId::new("app").unwrap();
    let put = |shelf: &mut Shelf<()>, owner, n: u8| {
        shelf.put(owner, &n.to_string(), (), at(NOW + 9), at(NOW))
    };
    assert_eq!([1, 2, 3].map(|n| put(&mut shelf, &app, n)), [true, true, false]);
    assert!(put(&mut shelf, &other, 4));
}

#[test]
fn a_client_that_asks_too_much_is_told_so_and_others_are_served() {
    let mut desk = Desk::new();
    desk.authority.assertions = Once::new(10_000, at(0));
    let ask = |desk: &mut Desk, id: &str, byte: u8, now: u64| desk.introspect(id, byte, "x", now);
    for n in 0..CALLS.1 {
        assert!(ask(&mut desk, "app", 1, NOW).is_ok(), "{n}");
    }
    assert_eq!(ask(&mut desk, "app", 1, NOW).err(), Some(ErrorCode::TemporarilyUnavailable));
    assert!(ask(&mut desk, "bot", 2, NOW).is_ok());
    // Nobody takes of it who does not prove to be it.
    assert_eq!(ask(&mut desk, "bot", 9, NOW).err(), Some(ErrorCode::InvalidClient));
    let served = (0..CALLS.0 + 1).filter(|_| ask(&mut desk, "app", 1, NOW + 1).is_ok());
    assert_eq!(served.count(), CALLS.0 as usize);
}

#[test]
fn a_pushed_request_is_over_in_less_than_600_seconds() {
    let mut desk = Desk::new();
    let uri = text(&desk.push(&par_fields(&asked()), None, NOW).unwrap(), "request_uri");
    assert!(super::ask(&mut desk, "app", &uri, NOW + 89).is_ok(), "its person comes late");
    assert!(super::ask(&mut desk, "app", &uri, NOW + 598).is_ok());
    assert_eq!(
        super::ask(&mut desk, "app", &uri, NOW + 600).err(),
        Some(ErrorCode::InvalidRequestUri)
    );
}

use super::*;

fn egress() -> Egress {
    let addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|text| text.parse().unwrap());
    let named = BTreeMap::from([(account("named"), 1)]);
    Egress::new(addresses.into(), true, named)
}

fn account(name: &str) -> AccountName {
    AccountName::new(name).unwrap()
}

#[test]
fn each_account_takes_the_address_with_fewest_and_keeps_it() {
    let egress = egress();
    let names = ["a", "b", "c", "d", "e", "f"].map(account);
    let pinned = names.each_ref().map(|name| egress.of(name));
    assert_eq!(pinned, [0, 2, 0, 1, 2, 0], "one was named for the second");
    assert_eq!(names.each_ref().map(|name| egress.of(name)), pinned);
    assert_eq!(egress.of(&account("named")), 1);
}

#[test]
fn without_addresses_everything_leaves_as_the_machine_chooses() {
    let egress = Egress::default();
    assert_eq!((egress.count(), egress.address(0), egress.of(&account("a"))), (1, None, 0));
}

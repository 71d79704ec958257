use super::*;
use std::collections::BTreeSet;

#[test]
fn numbers_are_unique_and_in_their_gates_range() {
    let numbers: BTreeSet<u16> = Code::ALL.iter().map(|code| code.number()).collect();
    assert_eq!(numbers.len(), Code::ALL.len());
    assert!(numbers.iter().all(|n| (101..=899).contains(n)));
}

#[test]
fn reads_as_one_line() {
    let reject = Reject::new(Code::OrderNotional, "60000 USD above 50000 USD (grant of alice)");
    assert_eq!(
        reject.to_string(),
        "TG502 the order is larger than the notional limit: 60000 USD above 50000 USD (grant of alice)"
    );
    assert_eq!(Reject::new(Code::Halted, "").to_string(), "TG509 a halt is in force");
}

use super::*;

#[test]
fn the_largest_debtor_is_cut_off_first_and_nobody_else() {
    let unsent = Unsent::new(100);
    let debts: Vec<Debt> = (0..4).map(|_| unsent.enter()).collect();
    let cut = || debts.iter().map(Debt::is_cut_off).collect::<Vec<_>>();
    debts[0].owe(20);
    debts[1].owe(50);
    debts[2].owe(30);
    assert_eq!(cut(), [false; 4], "all that there may be");
    debts[3].owe(1);
    assert_eq!(cut(), [false, true, false, false], "whoever it was that said the last word");
    // What it still takes counts no more, and there is room again.
    debts[1].owe(500);
    debts[3].owe(49);
    assert_eq!(cut(), [false, true, false, false]);
    debts[2].pay(25);
    debts[0].owe(25);
    assert_eq!(cut(), [false, true, false, false], "who reads makes room");
    debts[0].owe(200);
    assert_eq!(cut(), [true, true, false, false]);
}

#[test]
fn who_leaves_owes_nothing() {
    let unsent = Unsent::new(100);
    for _ in 0..10 {
        let debt = unsent.enter();
        debt.owe(90);
        debt.pay(1_000);
        debt.owe(90);
        assert!(!debt.is_cut_off());
    }
    assert_eq!(unsent.total.load(Ordering::Relaxed), 0);
    assert!(unsent.debtors.lock().unwrap().is_empty());
}

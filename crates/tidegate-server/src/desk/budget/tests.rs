use super::*;

const WEIGHT: Allowance =
    Allowance { name: "weight", per: Per::Address, units: 2300, per_minute: 2300, reserved: 600 };
const CREDITS: Allowance = Allowance {
    name: "credits",
    per: Per::Account,
    units: 46_000,
    per_minute: 600_000,
    reserved: 12_000,
};

fn now() -> Time {
    Time::from_millis(1_700_000_000_000)
}

fn weight(count: u32) -> Units {
    Units { allowance: 0, count }
}

fn from(last: u8) -> Errand<'static> {
    Errand::Public { peer: [10, 0, 0, last].into() }
}

/// How many units an errand gets at once, in requests of ten.
fn drain(budget: &mut Budget, errand: &Errand<'_>, allowance: usize, now: Time) -> u32 {
    (0..100_000)
        .take_while(|_| budget.take(errand, Units { allowance, count: 10 }, now).is_ok())
        .count() as u32
        * 10
}

fn caller(name: &str) -> (CallerName, AccountName) {
    (CallerName::new(name).unwrap(), AccountName::new("main").unwrap())
}

#[test]
fn no_read_touches_what_is_reserved_and_cancels_are_never_refused() {
    let mut budget = Budget::new(&[WEIGHT]);
    let one = drain(&mut budget, &from(1), 0, now());
    assert_eq!(one, 850, "an address has two thirds of what public reads have");
    let others: u32 = (2..9).map(|peer| drain(&mut budget, &from(peer), 0, now())).sum();
    assert_eq!(one + others, 1270, "public reads together");
    let (ann, main) = caller("ann");
    let read = Errand::Read { caller: &ann, account: &main };
    assert_eq!(drain(&mut budget, &read, 0, now()), 430, "private reads have more");
    for _ in 0..1000 {
        assert_eq!(budget.take(&Errand::Cancel(&main), weight(1), now()), Ok(()));
        assert_eq!(budget.take(&Errand::Upkeep(None), weight(40), now()), Ok(()));
    }
}

#[test]
fn what_was_spent_comes_back_and_a_refusal_says_when() {
    let mut budget = Budget::new(&[WEIGHT]);
    drain(&mut budget, &from(1), 0, now());
    let wait = budget.take(&from(1), weight(20), now()).unwrap_err();
    assert!(wait > Span::from_millis(500) && wait < Span::from_secs(2), "{wait:?}");
    assert_eq!(budget.take(&from(1), weight(20), now().plus(wait)), Ok(()));
    let minute = now().plus(Span::from_secs(61));
    assert_eq!(drain(&mut budget, &from(1), 0, minute), 850);
    // However much the gateway itself used meanwhile, it is back after a minute.
    for _ in 0..1000 {
        budget.take(&Errand::Upkeep(None), weight(40), minute).unwrap();
    }
    assert!(budget.take(&from(2), weight(10), minute).is_err());
    assert_eq!(drain(&mut budget, &from(2), 0, minute.plus(Span::from_secs(61))), 850);
}

#[test]
fn the_venue_s_own_count_and_limit_are_believed() {
    let mut budget = Budget::new(&[WEIGHT]);
    budget.told(weight(1695), now());
    assert!(budget.take(&from(1), weight(10), now()).is_err(), "somebody else used it");
    let (ann, main) = caller("ann");
    let read = Errand::Read { caller: &ann, account: &main };
    assert!(budget.take(&read, weight(5), now()).is_ok());
    assert!(budget.take(&read, weight(5), now()).is_err());
    budget.told(weight(3), now());
    assert!(budget.take(&read, weight(5), now()).is_err(), "a low count gives nothing back");

    let mut wide = Budget::new(&[WEIGHT]);
    wide.publish(weight(23_000));
    assert_eq!(drain(&mut wide, &from(1), 0, now()), 8500);
    let mut narrow = Budget::new(&[WEIGHT]);
    narrow.publish(weight(230));
    assert_eq!(drain(&mut narrow, &from(1), 0, now()), 80);
}

#[test]
fn accounts_that_the_venue_counts_apart_are_counted_apart() {
    let mut budget = Budget::new(&[WEIGHT, CREDITS]);
    let (ann, main) = caller("ann");
    let other = AccountName::new("other").unwrap();
    let bob = CallerName::new("bob").unwrap();
    let of = |count| Units { allowance: 1, count };
    for _ in 0..1000 {
        budget.take(&Errand::Cancel(&main), of(500), now()).unwrap();
    }
    assert!(budget.take(&Errand::Read { caller: &ann, account: &main }, of(500), now()).is_err());
    assert!(budget.take(&Errand::Read { caller: &bob, account: &other }, of(500), now()).is_ok());
}

#[test]
fn one_host_is_one_payer_and_payers_are_bounded() {
    let mut budget = Budget::new(&[WEIGHT]);
    let v6 = |text: &str| Errand::Public { peer: text.parse().unwrap() };
    drain(&mut budget, &v6("2001:db8::1"), 0, now());
    assert!(budget.take(&v6("2001:db8::2"), weight(10), now()).is_err());
    assert!(budget.take(&v6("2001:db8:1::1"), weight(10), now()).is_ok());
    assert!(budget.take(&v6("::ffff:10.0.0.1"), weight(10), now()).is_ok());

    let mut budget = Budget::new(&[Allowance { units: u32::MAX, ..WEIGHT }]);
    for n in 0..2 * MAX_BUDGET_SHARES as u32 {
        let _ = budget.take(&Errand::Public { peer: n.to_be_bytes().into() }, weight(1), now());
    }
    assert_eq!(budget.shares.len(), MAX_BUDGET_SHARES);
    let later = now().plus(Span::from_secs(60));
    assert!(budget.take(&v6("2001:db8::1"), weight(1), later).is_ok(), "old ones are forgotten");
}

#[test]
fn what_is_given_back_is_there_again_for_whoever_paid() {
    let mut budget = Budget::new(&[WEIGHT, CREDITS]);
    let (ann, main) = caller("ann");
    let errands = [
        from(1),
        Errand::Read { caller: &ann, account: &main },
        Errand::Cancel(&main),
        Errand::Upkeep(None),
    ];
    for errand in &errands {
        for allowance in [0, 1] {
            let cost = Units { allowance, count: 500 };
            for _ in 0..1000 {
                assert_eq!(budget.take(errand, cost, now()), Ok(()), "{errand:?}");
                budget.give_back(errand, cost);
            }
        }
    }
    assert_eq!(drain(&mut budget, &from(1), 0, now()), 850);
}

//! Several addresses of the desk's.

use super::*;

fn from(from: usize, asked: Ask) -> Ask {
    Ask { from, ..asked }
}

#[test]
fn each_address_has_its_own_weight_and_an_account_one_count_from_all() {
    let mut shaper = Shaper::new(&[WEIGHT, CREDITS]);
    for address in 0..2 {
        let asked = from(address, ask(Rank::New, caller("ann"), 1920, start()));
        let Answer::Go(paid) = shaper.ask(asked.clone(), start()) else { panic!("{address}") };
        shaper.settle(paid, start());
        assert!(matches!(shaper.ask(asked, start()), Answer::Refused(_)), "{address}");
    }
    let credits = |address, count| {
        let costs = vec![Units { allowance: 1, count }];
        from(address, Ask { costs, ..ask(Rank::New, caller("ann"), 1, start()) })
    };
    assert!(matches!(shaper.ask(credits(0, 40_000), start()), Answer::Go(_)));
    assert!(matches!(shaper.ask(credits(1, 500), start()), Answer::Waits(_)));
}

#[test]
fn what_may_leave_from_anywhere_leaves_from_where_there_is_room() {
    let mut shaper = Shaper::new(&[WEIGHT]);
    let mut used = [0; 3];
    while used.iter().sum::<u32>() < 3 * 700 {
        let mut asked = ask(Rank::Public, Payer::at([10, 0, 0, 1].into()), 10, start());
        shaper.place(&mut asked, 3, start());
        let Answer::Go(paid) = shaper.ask(asked.clone(), start()) else { break };
        shaper.settle(paid, start());
        used[asked.from] += 10;
    }
    assert!(used.iter().all(|used| (600..=660).contains(used)), "a burst of each: {used:?}");
}

#[test]
fn a_banned_address_is_frozen_alone() {
    let mut shaper = Shaper::new(&[WEIGHT]);
    let ban = BackOff { stops: Stops::Everything, wait: Span::from_secs(120), until: None };
    assert!(shaper.freeze(ban, (1, None), start()));
    for (address, passes) in [(0, true), (1, false), (2, true)] {
        let asked = from(address, ask(Rank::Cancel, caller("ann"), 1, start()));
        assert_eq!(matches!(shaper.ask(asked, start()), Answer::Go(_)), passes, "{address}");
    }
    assert_eq!(shaper.frozen(start())[0].1, Whose::Address(1));
    for _ in 0..20 {
        let mut asked = ask(Rank::Public, Payer::Gateway, 10, start());
        shaper.place(&mut asked, 3, start());
        assert_ne!(asked.from, 1);
        let _ = shaper.ask(asked, start());
    }
}

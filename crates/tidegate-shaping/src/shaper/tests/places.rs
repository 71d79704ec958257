//! Who has a place to wait in.

use super::*;
use tidegate_types::limits::MAX_QUEUED_REQUESTS;

fn waits(shaper: &mut Shaper, rank: Rank, payer: Payer) -> Ticket {
    let asked = Ask { deadline: at(60_000), ..ask(rank, payer, 500, start()) };
    match shaper.ask(asked, start()) {
        Answer::Waits(ticket) => ticket,
        answer => panic!("{answer:?}"),
    }
}

/// Payers that take all places of a rank between them.
fn crowd(shaper: &mut Shaper, rank: Rank) -> Vec<Vec<Ticket>> {
    let crowd = MAX_QUEUED_REQUESTS / MAX_QUEUED_OF_ONE;
    let of_one = |n: usize| {
        let name = format!("crowd{n}");
        (0..MAX_QUEUED_OF_ONE).map(|_| waits(shaper, rank, caller(&name))).collect()
    };
    (0..crowd).map(of_one).collect()
}

#[test]
fn who_has_most_places_gives_way_to_who_has_fewer() {
    let mut shaper = Shaper::new(&[CREDITS]);
    drain_credits(&mut shaper);
    let mut crowd = crowd(&mut shaper, Rank::Read);
    let newcomer: Vec<Ticket> =
        (0..20).map(|_| waits(&mut shaper, Rank::Read, caller("newcomer"))).collect();
    assert_eq!(shaper.waiting(), MAX_QUEUED_REQUESTS, "as many as before");
    assert_eq!(shaper.due(start()), Some(start()), "who gave way is told at once");
    let told = shaper.turn(start());
    assert!(told.iter().all(|served| served.outcome == Err(Refusal::Crowded)), "{told:?}");
    let gone: Vec<Ticket> = told.iter().map(|served| served.ticket).collect();
    assert_eq!(gone.len(), 20);
    assert!(newcomer.iter().all(|ticket| !gone.contains(ticket)));
    for of_one in &mut crowd {
        let newest = of_one.split_off(MAX_QUEUED_OF_ONE - 3);
        assert!(of_one.iter().all(|ticket| !gone.contains(ticket)), "the newest alone, in turn");
        let lost = newest.iter().filter(|ticket| gone.contains(ticket)).count();
        assert!((2..=3).contains(&lost), "{lost}");
    }
    // All nine are served from now on, each in its turn.
    let mut served = Vec::new();
    let mut now = start();
    while served.len() < 18 {
        now = shaper.due(now).unwrap();
        for one in shaper.turn(now) {
            shaper.settle(one.outcome.unwrap(), now);
            served.push(one.ticket);
        }
    }
    assert_eq!(newcomer.iter().filter(|ticket| served.contains(ticket)).count(), 2);
}

#[test]
fn a_heavier_payer_has_more_places_and_a_full_one_takes_none_of_another_s() {
    let mut shaper = Shaper::new(&[CREDITS]);
    drain_credits(&mut shaper);
    let _ = crowd(&mut shaper, Rank::Read);
    let asked = ask(Rank::Read, caller("crowd0"), 500, start());
    assert_eq!(shaper.ask(asked, start()), Answer::Refused(Refusal::Crowded));
    // Each of the eight has 64; one of weight 3 may have 64 as well, which is the most of one.
    let heavy = |shaper: &mut Shaper| {
        let asked = Ask {
            weight: 3,
            deadline: at(60_000),
            ..ask(Rank::Read, caller("heavy"), 500, start())
        };
        matches!(shaper.ask(asked, start()), Answer::Waits(_))
    };
    assert_eq!((0..200).take_while(|_| heavy(&mut shaper)).count(), MAX_QUEUED_OF_ONE);
    assert_eq!(shaper.turn(start()).len(), MAX_QUEUED_OF_ONE);
}

#[test]
fn strangers_without_end_are_bounded_and_the_first_keep_their_place() {
    let mut shaper = Shaper::new(&[CREDITS]);
    drain_credits(&mut shaper);
    let stranger = |n: u32| Payer::at(n.to_be_bytes().into());
    for n in 0..MAX_QUEUED_REQUESTS as u32 {
        waits(&mut shaper, Rank::Public, stranger(n));
    }
    let one_more = ask(Rank::Public, stranger(u32::MAX), 500, start());
    assert_eq!(shaper.ask(one_more, start()), Answer::Refused(Refusal::Crowded));
    // Those of a more urgent rank have places of their own.
    waits(&mut shaper, Rank::Read, caller("ann"));
}

#[test]
fn where_there_is_room_and_nobody_waits_for_it_nobody_is_refused_for_others() {
    let mut shaper = Shaper::new(&[CREDITS, WEIGHT]);
    drain_credits(&mut shaper);
    let _ = crowd(&mut shaper, Rank::Read);
    let elsewhere = Ask {
        account: AccountName::new("other").ok(),
        ..ask(Rank::Read, caller("crowd0"), 500, start())
    };
    let answer = shaper.ask(elsewhere, start());
    assert!(matches!(answer, Answer::Go(_)), "another account: {answer:?}");
    let weight = Units { allowance: 1, count: 5 };
    let other = Ask { costs: vec![weight], ..ask(Rank::Read, caller("crowd0"), 5, start()) };
    let answer = shaper.ask(other, start());
    assert!(matches!(answer, Answer::Go(_)), "another allowance: {answer:?}");
}

#[test]
fn what_waits_for_one_allowance_leaves_the_others_to_who_is_behind() {
    let mut shaper = Shaper::new(&[WEIGHT, CREDITS]);
    let credits = Units { allowance: 1, count: 40_000 };
    let first = Ask { costs: vec![credits], ..ask(Rank::New, caller("ann"), 1, start()) };
    shaper.charge(&first, start());
    let order = Ask {
        costs: vec![Units { allowance: 0, count: 1 }, Units { allowance: 1, count: 500 }],
        ..ask(Rank::New, caller("ann"), 1, start())
    };
    let Answer::Waits(order) = shaper.ask(order, start()) else { panic!() };
    let read = shaper.ask(ask(Rank::Read, caller("bob"), 5, start()), start());
    assert!(matches!(read, Answer::Go(_)), "weight is there: {read:?}");
    let served = shaper.turn(at(60));
    assert_eq!(served.iter().map(|served| served.ticket).collect::<Vec<_>>(), [order]);
}

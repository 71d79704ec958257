use super::*;

fn tally(filled: i128, trades: &[(i128, i128)], average: Option<i128>) -> Tally {
    let (qty, worth) =
        trades.iter().fold((0, 0), |(q, w), (qty, price)| (q + qty, w + qty * price));
    Tally { filled, qty, worth, average }
}

fn since(now: Tally, before: Tally) -> Option<i64> {
    now.price_since(&before).map(|price| price.0.raw())
}

#[test]
fn what_was_filled_has_the_price_of_its_own_trades() {
    let none = tally(0, &[], None);
    let first = tally(10, &[(10, 90)], None);
    assert_eq!(since(first, none), Some(90));
    assert_eq!(since(tally(15, &[(10, 90), (5, 120)], None), first), Some(120));
    // An average that the venue told of an earlier fill is not this one's.
    assert_eq!(since(tally(15, &[(10, 90), (5, 120)], Some(90)), first), Some(120));
}

#[test]
fn without_trades_the_averages_before_and_after_tell_it() {
    let (none, first) = (tally(0, &[], None), tally(10, &[], Some(90)));
    assert_eq!(since(first, none), Some(90));
    assert_eq!(since(tally(15, &[], Some(100)), first), Some(120));
    // The trades of what a report had told come later: nothing was filled since.
    assert_eq!(since(tally(10, &[(10, 90)], Some(90)), first), None);
    assert_eq!(since(tally(15, &[(10, 90)], None), first), None, "nobody told");
    assert_eq!(since(tally(15, &[], Some(101)), tally(10, &[], None)), Some(101));
    assert_eq!(since(tally(11, &[], Some(50)), first), Some(50), "averages that cannot be");
}

use super::*;

fn tally(filled: i128, trades: &[(i128, i128)], average: Option<i128>) -> Tally {
    let sums = trades.iter().map(|(qty, price)| Sum::of(*qty, *price));
    Tally { filled, trades: sums.fold(Sum::default(), Sum::plus), average }
}

fn since(now: Tally, before: Tally) -> Option<i64> {
    now.average_since(&before, Side::Sell).map(|average| average.linear.0.raw())
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

#[test]
fn what_was_bought_at_several_prices_is_rounded_up_and_what_was_sold_down() {
    let none = tally(0, &[], None);
    let two = tally(3, &[(1, 100), (2, 101)], None);
    let average = |side| two.average_since(&none, side).unwrap().linear.0.raw();
    assert_eq!((average(Side::Buy), average(Side::Sell)), (101, 100));
}

#[test]
fn the_average_of_what_is_inverse_is_that_of_its_coins() {
    let price = |whole: i128| whole * ONE;
    let none = tally(0, &[], None);
    let average = |tally: Tally, side| {
        let told = tally.average_since(&none, side).unwrap();
        (told.of(Unit::Linear).to_string(), told.of(Unit::Inverse).to_string())
    };
    // 1/100 and 1/120 of a coin are as much as twice 1/109.0909…
    let told = tally(2000, &[(1000, price(100)), (1000, price(120))], None);
    assert_eq!(average(told, Side::Sell), ("110".to_owned(), "109.09090909".to_owned()));
    assert_eq!(average(told, Side::Buy).1, "109.0909091");
    // Where the venue tells averages alone, the later part is what leads from one to the other.
    let (first, both) =
        (tally(ONE, &[], Some(price(100))), tally(2 * ONE, &[], Some(10_909_090_909)));
    let second = both.average_since(&first, Side::Sell).unwrap().of(Unit::Inverse);
    assert!((119.999..=120.001).contains(&second.to_string().parse::<f64>().unwrap()), "{second}");
}

use super::*;

fn id(venue: &str, number: usize) -> InstrumentId {
    InstrumentId { venue: venue.parse().unwrap(), name: format!("I{number}").parse().unwrap() }
}

#[test]
fn a_market_is_followed_for_a_while_after_its_last_order() {
    let (markets, began) = (Markets::default(), Instant::now());
    let at = |secs| began + Duration::from_secs(secs);
    markets.ask_at(id("a", 1), at(0));
    markets.ask_at(id("b", 2), at(0));
    markets.ask_at(id("a", 1), at(3_000));
    assert_eq!(markets.asked_at(&id("a", 1).venue, at(6_599)), [id("a", 1)]);
    assert_eq!(markets.asked_at(&id("b", 1).venue, at(6_599)), []);
    assert_eq!(markets.asked_at(&id("a", 1).venue, at(6_600)), []);
}

#[test]
fn of_too_many_those_ordered_last_are_followed() {
    let (markets, began) = (Markets::default(), Instant::now());
    markets.ask_at(id("b", 0), began);
    for number in 0..=MAX_MARKETS_ASKED {
        markets.ask_at(id("a", number), began + Duration::from_secs(number as u64));
    }
    let asked = markets.asked_at(&id("a", 0).venue, began);
    assert_eq!((asked.len(), asked.contains(&id("a", 0))), (MAX_MARKETS_ASKED, false));
    assert_eq!(markets.asked_at(&id("b", 0).venue, began), [id("b", 0)], "the other venue's stays");
}

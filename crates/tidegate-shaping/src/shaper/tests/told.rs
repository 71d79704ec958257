//! What a venue tells of an account.

use super::*;
use tidegate_venues::upstream::{AccountLimit, UNTOLD};

const ORDERS: Allowance = Allowance {
    name: "orders",
    counting: Counting::Refill { per_minute: UNTOLD },
    units: UNTOLD,
    reserved: 0,
    ..CREDITS
};
const TOLD: AccountLimit = AccountLimit { allowance: 0, units: 20, per_minute: 300 };

#[test]
fn an_account_is_limited_once_the_venue_tells_and_no_other() {
    let (main, other) = (AccountName::new("main").unwrap(), AccountName::new("other").ok());
    for started in [Shaper::new(&[ORDERS]), Shaper::new(&[ORDERS]).after(start())] {
        let mut shaper = started;
        assert!((0..1_000).all(|_| go(&mut shaper, Rank::New, 1, at(1_000))));
        assert!(shaper.uses(at(1_000)).is_empty(), "there is no limit to tell of");
        shaper.publish_of(&main, TOLD, at(2_000));
        // Half of it may be used at the worst, and that is back after two seconds.
        let got = (0..100).take_while(|_| go(&mut shaper, Rank::New, 1, at(4_000))).count();
        assert_eq!(got, 16, "a fifth is kept");
        assert!((0..4).all(|_| go(&mut shaper, Rank::Cancel, 1, at(4_000))));
        assert!(!go(&mut shaper, Rank::Cancel, 1, at(4_000)));
        let again = (0..100).take_while(|_| go(&mut shaper, Rank::New, 1, at(6_000))).count();
        assert_eq!(again, 6, "five a second come back, and the reserve is filled first");
        let elsewhere =
            Ask { account: other.clone(), ..ask(Rank::New, caller("ann"), 1, at(6_000)) };
        assert!(matches!(shaper.ask(elsewhere, at(6_000)), Answer::Go(_)));
    }
}

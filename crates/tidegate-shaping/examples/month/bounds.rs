//! What has to hold of bots behind the shaper, by what it promises: no ban, hardly anything that is open unused, even
//! shares, and how long what is urgent waits at most, the way to the venue included (10 to 79 ms).

use crate::bots::{Kind, MINUTE_MS};
use crate::report::{Tally, is_busy, jain, used};
use crate::venue::Venue;
use std::ops::Range;
use tidegate_types::limits::{ORDER_PATIENCE, SEND_TIMEOUT};

/// The longest way to the venue, in ms.
const WAY_MS: u64 = 80;

/// What does not hold.
pub(crate) fn broken(tally: &Tally, venue: &dyn Venue, minutes: Range<u64>) -> Vec<String> {
    let mut broken = Vec::new();
    let mut holds = |kept: bool, bound: &str, found: String| {
        if !kept {
            broken.push(format!("{bound}: {found}"));
        }
    };
    let counts = venue.counts();
    holds(counts.bans == 0, "no ban", counts.bans.to_string());
    holds(counts.too_many == 0, "no request beyond the limit", counts.too_many.to_string());
    let orders = counts.too_many_orders;
    holds(orders == 0, "no order beyond the limit", orders.to_string());
    let open = used(&counts.served, minutes, is_busy) / (venue.limits().0 as f64 * venue.open());
    holds(open >= 95.0, "95 % of what is open is used", format!("{open:.1} %"));
    for (what, served) in [("reads", &tally.read), ("new orders", &tally.ordered)] {
        let even = jain(served);
        holds(even >= 0.99, "Jain's index of 0.99", format!("{even:.4} of {what}"));
    }
    let patience = ORDER_PATIENCE.millis() + WAY_MS;
    let send = SEND_TIMEOUT.millis() + WAY_MS;
    // A cancel that another bot's flood left nothing to waits for the venue's minute to end.
    for (kind, stormy, p99, worst) in [
        (Kind::Kill, true, WAY_MS, WAY_MS),
        (Kind::Cancel, false, 200, MINUTE_MS),
        (Kind::Cancel, true, send, MINUTE_MS),
        (Kind::Reduce, false, WAY_MS, patience),
        (Kind::Reduce, true, patience, patience),
        (Kind::New, false, patience, patience),
    ] {
        let found = tally.wait(kind, stormy);
        let when = if stormy { " in the storm" } else { "" };
        let bound = format!("{kind:?}{when}: p99 within {p99} ms, the worst within {worst} ms");
        holds(
            found.0 <= p99 && found.1 <= worst,
            &bound,
            format!("{} and {} ms", found.0, found.1),
        );
    }
    broken
}

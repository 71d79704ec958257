//! Expiry dates: Fridays and the last Fridays of quarters, at 08:00 UTC. Days that begin then.

use tidegate_types::time::{Span, Time};

const DAY: u64 = 86_400;
const EIGHT: u64 = 8 * 3_600;

/// Year, month and day of a time.
pub fn civil(time: Time) -> (i64, u32, u32) {
    // Howard Hinnant's days-to-civil.
    let days = i64::try_from(time.micros() / 1_000_000 / DAY).unwrap_or(0) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

/// The last 08:00 UTC, at `now` or before.
pub fn session(now: Time) -> Time {
    const SECOND: u64 = 1_000_000;
    let days = (now.micros() / SECOND).saturating_sub(EIGHT) / DAY;
    Time::from_micros((days * DAY + EIGHT) * SECOND)
}

/// The Fridays at 08:00 UTC after `now`, soonest first.
pub fn fridays(now: Time) -> impl Iterator<Item = Time> {
    let day = now.micros() / 1_000_000 / DAY;
    // The epoch was a Thursday.
    let first = day + (8 - (day + 7) % 7) % 7;
    let at = |day: u64| Time::from_micros((day * DAY + EIGHT) * 1_000_000);
    (0..).map(move |week| at(first + 7 * week)).filter(move |friday| *friday > now)
}

/// The last Friday of each month of an expiry cycle: those of every `months`-th month.
pub fn last_fridays(now: Time, months: u32) -> impl Iterator<Item = Time> {
    fridays(now).filter(move |friday| {
        let (_, month, _) = civil(*friday);
        let next = civil(friday.plus(Span::from_secs(7 * DAY))).1;
        month != next && month % months == 0
    })
}

/// The next four quarterly expiries.
pub fn quarters(now: Time) -> Vec<Time> {
    last_fridays(now, 3).take(4).collect()
}

#[cfg(test)]
mod tests {
    use super::{civil, fridays, quarters, session};
    use tidegate_types::time::Time;

    #[test]
    fn a_session_begins_at_eight() {
        let eight = Time::from_millis(1_795_248_000_000);
        let of = |millis: u64| session(Time::from_millis(millis));
        assert_eq!(of(1_795_248_000_000), eight);
        assert_eq!(of(1_795_248_000_000 + 86_399_999), eight);
        assert_eq!(of(1_795_248_000_000 - 1).millis(), eight.millis() - 86_400_000);
    }

    #[test]
    fn expiries_fall_on_fridays() {
        // 2026-11-21T18:00Z is a Saturday.
        let now = Time::from_millis(1_795_284_000_000);
        assert_eq!(civil(now), (2026, 11, 21));
        assert_eq!(fridays(now).next().map(civil), Some((2026, 11, 27)));
        let found: Vec<_> = quarters(now).into_iter().map(civil).collect();
        assert_eq!(found, [(2026, 12, 25), (2027, 3, 26), (2027, 6, 25), (2027, 9, 24)]);
    }
}

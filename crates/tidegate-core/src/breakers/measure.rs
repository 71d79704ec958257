//! One figure from the measurements of a breaker.

use super::window::{median, quantile};
use super::{Place, Stage};
use crate::options::HELD_AGE;
use crate::state::State;
use tidegate_types::breaker::{Breaker, BreakerKind, Facet};
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::Scope;
use tidegate_types::ids::InstrumentId;
use tidegate_types::time::{Span, Time};

/// One in the steps of a decimal.
const ONE: i128 = 100_000_000;
/// A microsecond as a decimal of milliseconds.
const MICRO: i128 = ONE / 1000;
/// The least that a mark's usual deviation counts as, as a part of the mark: ten basis points. A price that
/// stood still has none of its own.
const LEAST_DEVIATION: i128 = 1000;

/// What a breaker measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// The value.
    pub measured: Decimal,
    /// Of how many measurements.
    pub count: u64,
}

impl State {
    /// What a breaker measures at a place now; none where there is nothing to measure.
    pub fn breaker_measures(&self, place: &Place, now: Time) -> Option<Found> {
        let rule = self.breakers.rules.get(&place.breaker)?;
        let (losses, gains) = (&self.breakers.losses, &self.gains);
        match place.breaker.kind {
            BreakerKind::Loss => {
                Some(Found { measured: losses.loss(gains, place, now)?, count: 1 })
            }
            BreakerKind::Drawdown => {
                Some(Found { measured: losses.drawdown(gains, place)?, count: 1 })
            }
            BreakerKind::DataAge => self.oldest_mark(place, now),
            kind => {
                let window = self.breakers.windows.get(place)?;
                let values = window.values(now, rule.window);
                let count = values.len() as u64;
                Some(Found { measured: figure(kind, &place.scope, values, self)?, count })
            }
        }
    }

    /// What a breaker measured that is enough to trip it.
    pub(crate) fn breaker_reached(&self, place: &Place, now: Time) -> Option<(Breaker, Found)> {
        let rule = self.breakers.rules.get(&place.breaker)?;
        let trip = self.breakers.trips.get(place);
        if trip.is_some_and(|trip| trip.stage == Stage::Tripped) {
            return None;
        }
        let found = self.breaker_measures(place, now)?;
        let enough = !place.breaker.kind.has_window() || found.count >= rule.least;
        (enough && rule.trips_at(found.measured)).then(|| (rule.clone(), found))
    }

    /// Instruments in which there is a position or an open order.
    pub(super) fn in_use(&self) -> impl Iterator<Item = &InstrumentId> {
        let accounts = self.accounts.keys();
        accounts.flat_map(|account| self.positions.books(account)).map(|(instrument, _)| instrument)
    }

    /// How old the oldest mark is of what is held or ordered; of one that is older than the start, since that. What has
    /// expired has no more marks, and options far from the money are quoted seldom: theirs are as old as they are
    /// beyond what figures of what is held may be.
    fn oldest_mark(&self, place: &Place, now: Time) -> Option<Found> {
        let anew = self.breakers.anew.get(place).copied().unwrap_or_default();
        let since = self.breakers.started.max(anew);
        let age = |instrument: &InstrumentId| {
            let mark = self.marks.get(instrument).map(|mark| mark.at).unwrap_or_default();
            let age = now.since(mark.max(since));
            let given =
                if super::feed::is_option(self, instrument) { HELD_AGE } else { Span::ZERO };
            Span::from_micros(age.micros().saturating_sub(given.micros()))
        };
        let lives = |id: &InstrumentId| {
            self.instruments.get(id).is_none_or(|terms| !terms.has_expired(now))
        };
        let meant = self.in_use().filter(|instrument| {
            let facet = Facet {
                venue: Some(&instrument.venue),
                instrument: Some(instrument),
                ..Facet::default()
            };
            facet.is_in(&place.scope) && lives(instrument)
        });
        let ages: Vec<Span> = meant.map(age).collect();
        let oldest = ages.iter().max()?;
        Some(Found { measured: millis(oldest.micros()), count: ages.len() as u64 })
    }
}

fn figure(kind: BreakerKind, scope: &Scope, values: Vec<i64>, state: &State) -> Option<Decimal> {
    match kind {
        BreakerKind::Rejects | BreakerKind::Errors | BreakerKind::VenueErrors => {
            let bad: i128 = values.iter().copied().map(i128::from).sum();
            let all = i128::try_from(values.len()).ok().filter(|all| *all > 0)?;
            Some(cut(bad * 100 * ONE / all))
        }
        BreakerKind::StrayFills => Some(cut(i128::try_from(values.len()).ok()? * ONE)),
        BreakerKind::Repeats => {
            let last = values.last()?;
            let same = values.iter().filter(|value| *value == last).count();
            Some(cut(i128::try_from(same).ok()? * ONE))
        }
        BreakerKind::MarkJump => jump(scope, values, state),
        BreakerKind::Spread | BreakerKind::Depth => median(values).map(Decimal::from_raw),
        BreakerKind::Latency => Some(cut(i128::from(quantile(values, 90)?) * MICRO)),
        BreakerKind::ClockSkew => Some(cut(i128::from(*values.last()?) * MICRO)),
        BreakerKind::Loss | BreakerKind::Drawdown | BreakerKind::DataAge => None,
    }
}

/// How far the newest price is from the median of those before, in usual deviations: 1.4826 times their
/// median distance from it, which of ordinary noise is its standard deviation.
fn jump(scope: &Scope, mut values: Vec<i64>, state: &State) -> Option<Decimal> {
    let newest = i128::from(values.pop()?);
    let middle = median(values.clone())?;
    let distances = values.iter().map(|value| value.saturating_sub(middle).saturating_abs());
    let spread = i128::from(median(distances.collect())?) * 14_826 / 10_000;
    let tick = match scope {
        Scope::Instrument { id } => state.instruments.get(id).map(|terms| terms.tick),
        _ => None,
    };
    let tick = tick.map_or(0, |tick| i128::from(tick.0.raw()));
    let middle = i128::from(middle);
    let usual = spread.max(middle.abs() / LEAST_DEVIATION).max(tick);
    ((newest - middle).abs() * ONE).checked_div(usual).map(cut)
}

pub(super) fn millis(micros: u64) -> Decimal {
    cut(i128::from(micros) * MICRO)
}

/// A decimal of so many steps, the largest when it is beyond.
pub(super) fn cut(raw: i128) -> Decimal {
    Decimal::from_raw(i64::try_from(raw).unwrap_or(if raw < 0 { i64::MIN } else { i64::MAX }))
}

//! What goes wrong, how often: drawn once per seed, so that every seed is another kind of bad day.

use super::rng::Rng;
use std::collections::BTreeMap;
use tidegate_types::time::Span;

/// How often what goes wrong in one run. Numbers are per mille of the occasions.
#[derive(Clone, Debug, Default)]
pub(super) struct Profile {
    /// Requests that do not leave: no connection.
    pub(super) refused: u64,
    /// Requests that wait for a connection before they leave.
    pub(super) waits: u64,
    /// Requests that leave and are lost, with no answer until the time is over.
    pub(super) lost: u64,
    /// Requests that arrive, and whose answer is lost.
    pub(super) deaf: u64,
    /// Connections that break after a request left, whether it arrived or not.
    pub(super) broken: u64,
    /// Requests that arrive seconds late.
    pub(super) late: u64,
    /// Answers of the venue's machinery instead of its engine, before or after it did its work.
    pub(super) machinery: u64,
    /// Messages of private streams that are left out.
    pub(super) gap: u64,
    /// Messages that come twice.
    pub(super) twice: u64,
    /// Messages that change places with the one after.
    pub(super) swapped: u64,
    /// Messages at which the socket breaks.
    pub(super) socket: u64,
    /// Messages at which the socket goes silent and stays open.
    pub(super) half_open: u64,
    /// Flushes that take long.
    pub(super) slow_disk: u64,
    /// Flushes at which the disk begins to fail.
    pub(super) bad_disk: u64,
    /// How far apart crashes of the gateway are.
    pub(super) crash_every: Option<Span>,
    /// How far apart deaths of the signer are.
    pub(super) signer_every: Option<Span>,
    /// How far apart outages of the network are.
    pub(super) outage_every: Option<Span>,
    /// How far apart jumps of the gateway's clock are.
    pub(super) jump_every: Option<Span>,
    /// How far apart orders past the gateway are.
    pub(super) outsider_every: Option<Span>,
    /// How far apart halts are.
    pub(super) halt_every: Option<Span>,
    /// How far apart the state is saved.
    pub(super) save_every: Option<Span>,
    /// Something happens to the saved state while the gateway is down.
    pub(super) saves_badly: bool,
    /// How far apart the callers' requests are.
    pub(super) pace: Span,
    /// Callers place mostly conditional orders, near the mark, and many that only reduce.
    pub(super) stops: bool,
    /// The venue allows so few requests that it asks to wait now and then.
    pub(super) tight: bool,
}

impl Profile {
    /// A day on which nothing goes wrong and nobody pulls the switch.
    pub(super) fn calm() -> Profile {
        Profile { pace: Span::from_secs(4), ..Profile::default() }
    }

    /// The day of a seed.
    pub(super) fn of(rng: &mut Rng) -> Profile {
        let mut profile = Profile::calm();
        profile.pace = rng.millis(300, 8_000);
        profile.tight = rng.chance(200);
        profile.saves_badly = rng.chance(500);
        profile.stops = rng.chance(200);
        let rates = [
            &mut profile.refused,
            &mut profile.lost,
            &mut profile.deaf,
            &mut profile.broken,
            &mut profile.late,
            &mut profile.machinery,
            &mut profile.gap,
            &mut profile.twice,
            &mut profile.swapped,
            &mut profile.slow_disk,
            &mut profile.waits,
        ];
        for rate in rates {
            *rate = rng.pick(&[0, 0, 5, 20, 60]).copied().unwrap_or(0);
        }
        for rate in [&mut profile.socket, &mut profile.half_open, &mut profile.bad_disk] {
            *rate = rng.pick(&[0, 0, 1, 3]).copied().unwrap_or(0);
        }
        let spans = [
            &mut profile.crash_every,
            &mut profile.signer_every,
            &mut profile.outage_every,
            &mut profile.jump_every,
            &mut profile.outsider_every,
            &mut profile.halt_every,
            &mut profile.save_every,
        ];
        for span in spans {
            *span = rng
                .pick(&[None, Some(60), Some(240), Some(900)])
                .copied()
                .flatten()
                .map(Span::from_secs);
        }
        profile
    }
}

/// What becomes of one request on its way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Fate {
    /// It arrives, and so does its answer.
    Fine,
    /// It does not leave.
    Refused,
    /// It leaves and is lost.
    Lost,
    /// Its answer is lost.
    Deaf,
    /// The connection breaks before it arrives.
    BrokenBefore,
    /// The connection breaks, and it arrives.
    BrokenAfter,
    /// It arrives seconds late.
    Late,
    /// The venue's machinery answers before its engine saw it.
    MachineryBefore,
    /// The venue's machinery answers after its engine did it.
    MachineryAfter,
}

impl Profile {
    /// The fate of a request.
    pub(super) fn fate(&self, rng: &mut Rng, outage: bool) -> Fate {
        if outage {
            return rng
                .pick(&[Fate::Refused, Fate::Lost, Fate::BrokenBefore])
                .copied()
                .unwrap_or(Fate::Refused);
        }
        let halves = |first, second, rng: &mut Rng| if rng.chance(500) { first } else { second };
        let mut drawn = rng.below(1000);
        for (rate, fate) in [
            (self.refused, Fate::Refused),
            (self.lost, Fate::Lost),
            (self.deaf, Fate::Deaf),
            (self.broken, halves(Fate::BrokenBefore, Fate::BrokenAfter, rng)),
            (self.late, Fate::Late),
            (self.machinery, halves(Fate::MachineryBefore, Fate::MachineryAfter, rng)),
        ] {
            if drawn < rate {
                return fate;
            }
            drawn -= rate;
        }
        Fate::Fine
    }
}

/// How often what happened, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
    /// Counts one.
    pub fn add(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// Adds another run's counts.
    pub fn merge(&mut self, other: &Counts) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    /// Every count, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(what, count)| (*what, *count))
    }

    /// How often that happened.
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }
}

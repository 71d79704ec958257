//! The one source of chance: `SplitMix64`, whose whole state is one number.

use tidegate_types::time::Span;

/// A seeded generator.
#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

impl Rng {
    /// The generator of a seed.
    pub(super) fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// A generator of its own, so that one part's chance does not depend on another's.
    pub(super) fn fork(&mut self) -> Rng {
        Rng(self.number())
    }

    /// The next number.
    pub(super) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `bound - 1`; 0 for a bound of 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.number() % bound }
    }

    /// A number from `low` to `high`.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True so many times in a thousand.
    pub(super) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of several.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let at = usize::try_from(self.below(of.len() as u64)).unwrap_or(0);
        of.get(at)
    }

    /// A span from `low` to `high` milliseconds, to the microsecond.
    pub(super) fn millis(&mut self, low: u64, high: u64) -> Span {
        Span::from_micros(self.between(low * 1000, high * 1000))
    }

    /// A span of this length on average, mostly shorter and sometimes much longer.
    pub(super) fn around(&mut self, mean: Span) -> Span {
        let tenths = match self.below(10) {
            0 => self.between(20, 50),
            1..=3 => self.between(8, 20),
            _ => self.between(1, 8),
        };
        Span::from_micros(mean.micros() / 10 * tenths)
    }
}

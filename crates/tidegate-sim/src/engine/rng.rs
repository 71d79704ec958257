//! `SplitMix64`: a small generator whose whole state is one number.

use tidegate_types::codec_newtype;

/// A seeded generator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rng(u64);
codec_newtype!(Rng);

impl Rng {
    pub(crate) const fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `bound - 1`; 0 for a bound of 0.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// A number from `-bound` to `bound`.
    pub(crate) const fn around(&mut self, bound: i64) -> i64 {
        let span = bound.unsigned_abs().saturating_mul(2).saturating_add(1);
        self.below(span).cast_signed() - bound
    }
}

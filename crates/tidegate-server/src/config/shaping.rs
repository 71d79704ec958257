//! The callers' shares, checked.

use super::{ConfigError, Shaping};
use crate::desk::Shares;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use tidegate_types::ids::CallerName;
use tidegate_types::time::Span;

const WEIGHTS: RangeInclusive<u32> = 1..=1000;
const ORDER_WAITS: RangeInclusive<u64> = 10..=3000;
const READ_WAITS: RangeInclusive<u64> = 0..=3000;

impl Shaping {
    /// The shares as they hold.
    ///
    /// # Errors
    /// Which setting is wrong.
    pub fn shares(&self) -> Result<Shares, ConfigError> {
        let order_waits = "shaping.order_wait_ms";
        Ok(Shares {
            weights: named("shaping.weights", &self.weights, &WEIGHTS)?,
            order_patience: Span::from_millis(within(
                order_waits,
                self.order_wait_ms,
                &ORDER_WAITS,
            )?),
            order_patience_of: named("shaping.order_waits_ms", &self.order_waits_ms, &ORDER_WAITS)?
                .into_iter()
                .map(|(caller, ms)| (caller, Span::from_millis(ms)))
                .collect(),
            read_patience: Span::from_millis(within(
                "shaping.read_wait_ms",
                self.read_wait_ms,
                &READ_WAITS,
            )?),
        })
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.shares().map(drop)
    }
}

fn named<N: PartialOrd + std::fmt::Display + Copy>(
    setting: &str,
    values: &BTreeMap<String, N>,
    range: &RangeInclusive<N>,
) -> Result<BTreeMap<CallerName, N>, ConfigError> {
    let checked = values.iter().map(|(name, value)| {
        let caller = CallerName::new(name)
            .map_err(|_| ConfigError(format!("{setting}: {name:?} is not a caller's name")))?;
        Ok((caller, within(&format!("{setting}.{name}"), *value, range)?))
    });
    checked.collect()
}

fn within<N: PartialOrd + std::fmt::Display + Copy>(
    setting: &str,
    value: N,
    range: &RangeInclusive<N>,
) -> Result<N, ConfigError> {
    if range.contains(&value) {
        return Ok(value);
    }
    let (least, most) = (range.start(), range.end());
    Err(ConfigError(format!("{setting}: {value} is not from {least} to {most}")))
}

//! Measurements of the last while, and what they come to.

use std::collections::VecDeque;
use tidegate_types::breaker::MAX_SAMPLES;
use tidegate_types::codec::{Codec, CodecError};
use tidegate_types::time::{Span, Time};

/// Measurements, the newest last.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Window {
    samples: VecDeque<(Time, i64)>,
}

impl Codec for Window {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.samples.len() as u64).encode(out);
        self.samples.iter().for_each(|sample| sample.encode(out));
    }

    fn decode(input: &mut &[u8]) -> Result<Window, CodecError> {
        Ok(Window { samples: Vec::<(Time, i64)>::decode(input)?.into() })
    }

    fn show(&self, out: &mut String) {
        self.samples.iter().copied().collect::<Vec<_>>().show(out);
    }
}

impl Window {
    /// Takes a measurement in, and drops what is older than the window.
    pub(crate) fn add(&mut self, at: Time, value: i64, window: Span) {
        self.samples.push_back((at, value));
        while let Some((first, _)) = self.samples.front() {
            if self.samples.len() <= MAX_SAMPLES && at.since(*first) <= window {
                break;
            }
            self.samples.pop_front();
        }
    }

    /// As `add`, keeping one measurement of each sixtieth of the window besides the newest: of prices,
    /// which come all the time, that is enough to know what is usual.
    pub(crate) fn add_thinly(&mut self, at: Time, value: i64, window: Span) {
        let gap = Span::from_micros(window.micros() / 60);
        let mut newest = self.samples.iter().rev();
        if let (Some((last, _)), Some((before, _))) = (newest.next(), newest.next())
            && last.since(*before) < gap
        {
            self.samples.pop_back();
        }
        self.add(at, value, window);
    }

    /// Whether it holds nothing of the window before `now`.
    pub(crate) fn is_over(&self, now: Time, window: Span) -> bool {
        self.samples.back().is_none_or(|(at, _)| now.since(*at) > window)
    }

    /// What of it lies in the window before `now`, the newest last.
    pub(crate) fn values(&self, now: Time, window: Span) -> Vec<i64> {
        let young = self.samples.iter().filter(|(at, _)| now.since(*at) <= window);
        young.map(|(_, value)| *value).collect()
    }
}

/// The value that so many hundredths of the values do not exceed.
pub(crate) fn quantile(mut values: Vec<i64>, hundredths: usize) -> Option<i64> {
    values.sort_unstable();
    let rank = (values.len() * hundredths).div_ceil(100).max(1);
    values.get(rank - 1).copied()
}

/// The middle value; the lower of two.
pub(crate) fn median(values: Vec<i64>) -> Option<i64> {
    quantile(values, 50)
}

//! Hours of the day and days of the week in which something is allowed. All of it in UTC.

use crate::codec::{Codec, CodecError, show_text};
use crate::codec_struct;
use crate::time::{Span, Time};
use std::fmt;
use std::str::FromStr;

/// A day.
pub const DAY: Span = Span::from_secs(86_400);
const QUARTER: Span = Span::from_secs(900);
const QUARTERS: u32 = 96;
const WEEK: u32 = 7;
const NAMES: [&str; WEEK as usize] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Times of the day, to the quarter of an hour: `08:00-17:00`, `22:00-06:00`, several after commas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hours(u128);

/// Days of the week: `mon-fri`, `sat-mon`, several after commas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Days(u8);

/// The times that are both in its hours and on its days. The day is the one that it is at the time: of
/// hours past midnight, those after it belong to the next day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// When in the day.
    pub hours: Hours,
    /// On which days.
    pub days: Days,
}
codec_struct!(Window { hours, days });

/// Why a text is neither hours nor days.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadWindow;

impl Hours {
    /// The whole day.
    pub const ALL: Hours = Hours((1 << QUARTERS) - 1);
}

impl Days {
    /// The whole week.
    pub const ALL: Days = Days((1 << WEEK) - 1);
}

impl Window {
    /// At any time.
    pub const ALWAYS: Window = Window { hours: Hours::ALL, days: Days::ALL };

    /// Whether `time` is in it.
    pub fn has(&self, time: Time) -> bool {
        let quarter = time.micros() % DAY.micros() / QUARTER.micros();
        // 1970 began on a Thursday.
        let weekday = (day(time) + 3) % u64::from(WEEK);
        self.hours.0 >> quarter & 1 == 1 && self.days.0 >> weekday & 1 == 1
    }

    /// Whether every time that is in it is in `other` too.
    pub fn is_within(&self, other: &Window) -> bool {
        self.is_never() || self.and(other) == *self
    }

    /// The times that are in both.
    #[must_use]
    pub fn and(&self, other: &Window) -> Window {
        Window {
            hours: Hours(self.hours.0 & other.hours.0),
            days: Days(self.days.0 & other.days.0),
        }
    }

    /// Whether no time is in it.
    pub fn is_never(&self) -> bool {
        self.hours.0 == 0 || self.days.0 == 0
    }
}

/// The day of a time, counted from 1970-01-01.
pub fn day(time: Time) -> u64 {
    time.micros() / DAY.micros()
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |quarter: u32| format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
        let told = runs(self.0, QUARTERS).into_iter();
        list(f, told.map(|(from, to)| format!("{}-{}", clock(from), clock(to))))
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |at: u32| NAMES.get(at as usize).copied().unwrap_or_default();
        list(
            f,
            runs(u128::from(self.0), WEEK).into_iter().map(|(from, to)| match to - from {
                1 => name(from).to_owned(),
                _ => format!("{}-{}", name(from), name(to - 1)),
            }),
        )
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Window::ALWAYS => f.write_str("at any time"),
            Window { hours: Hours::ALL, days } => write!(f, "{days} UTC"),
            Window { hours, days: Days::ALL } => write!(f, "{hours} UTC"),
            Window { hours, days } => write!(f, "{hours} {days} UTC"),
        }
    }
}

impl fmt::Display for BadWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write hours as 08:00-17:00, to the quarter, and days as mon-fri")
    }
}

impl std::error::Error for BadWindow {}

impl FromStr for Hours {
    type Err = BadWindow;

    fn from_str(text: &str) -> Result<Hours, BadWindow> {
        let mut bits = 0;
        for part in text.split(',') {
            let (from, to) = part.split_once('-').ok_or(BadWindow)?;
            let (from, to) = (quarter(from)?, quarter(to)?);
            if from == to || from == QUARTERS {
                return Err(BadWindow);
            }
            bits |= run(from, to, QUARTERS);
        }
        Ok(Hours(bits))
    }
}

impl FromStr for Days {
    type Err = BadWindow;

    fn from_str(text: &str) -> Result<Days, BadWindow> {
        let place = |name: &str| {
            let at = NAMES.iter().position(|known| *known == name).ok_or(BadWindow)?;
            u32::try_from(at).map_err(|_| BadWindow)
        };
        let mut bits = 0;
        for part in text.split(',') {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            bits |= run(place(from)?, place(to)? + 1, WEEK);
        }
        u8::try_from(bits).map(Days).map_err(|_| BadWindow)
    }
}

impl Codec for Hours {
    fn encode(&self, out: &mut Vec<u8>) {
        ((self.0 & u128::from(u64::MAX)) as u64).encode(out);
        ((self.0 >> 64) as u64).encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Hours, CodecError> {
        let low = u128::from(u64::decode(input)?);
        let bits = low | u128::from(u64::decode(input)?) << 64;
        if bits > Hours::ALL.0 { Err(CodecError::Malformed) } else { Ok(Hours(bits)) }
    }

    fn show(&self, out: &mut String) {
        show_text(&self.to_string(), out);
    }
}

impl Codec for Days {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Days, CodecError> {
        let bits = u8::decode(input)?;
        if bits > Days::ALL.0 { Err(CodecError::Malformed) } else { Ok(Days(bits)) }
    }

    fn show(&self, out: &mut String) {
        show_text(&self.to_string(), out);
    }
}

/// The quarter that a time of the day, as `08:15`, begins; `24:00` is the end of the day.
fn quarter(text: &str) -> Result<u32, BadWindow> {
    let (hour, minute) = text.split_once(':').ok_or(BadWindow)?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| digits).ok_or(BadWindow)
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let at = hour * 4 + minute / 15;
    if minute % 15 == 0 && minute < 60 && at <= QUARTERS { Ok(at) } else { Err(BadWindow) }
}

/// The bits from `from` to before `to`, past the end and from the beginning again if `to` is not after
/// `from`.
fn run(from: u32, to: u32, size: u32) -> u128 {
    let below = |at: u32| (1_u128 << at) - 1;
    if from < to { below(to) & !below(from) } else { below(size) & !below(from) | below(to) }
}

/// Where runs of bits begin, and where they have ended.
fn runs(bits: u128, size: u32) -> Vec<(u32, u32)> {
    let is_set = |at: u32| at < size && bits >> at & 1 == 1;
    let begins = (0..size).filter(|at| is_set(*at) && (*at == 0 || !is_set(at - 1)));
    begins.map(|from| (from, (from..=size).find(|at| !is_set(*at)).unwrap_or(size))).collect()
}

fn list(f: &mut fmt::Formatter<'_>, parts: impl Iterator<Item = String>) -> fmt::Result {
    let parts: Vec<String> = parts.collect();
    f.write_str(if parts.is_empty() { "never" } else { "" })?;
    f.write_str(&parts.join(","))
}

#[cfg(test)]
mod tests;

//! How often anybody may guess.
//!
//! An attempt is counted before it is checked and taken back when it was right, so that attempts side by
//! side, and a crash in the midst of one, count as well. A person who does not exist is counted as
//! one who does. What cannot be guessed (passkeys, links, sessions) is not throttled here, so that
//! nobody is locked out by strangers who holds a passkey.

use super::PersonHandle;
use super::hidden::sha256;
use std::collections::BTreeMap;
use std::net::IpAddr;
use tidegate_types::time::{Span, Time};
use tidegate_types::{codec_enum, codec_struct};

/// Wrong attempts in a row after which a person's password and codes are blocked until an
/// administrator, or the person by passkey, lifts it (SP 800-63B: at most 100).
pub const MAX_FAILURES: u32 = 100;
/// Most names of nobody, and most address ranges, that are remembered. Those with the fewest
/// failures make room.
pub const MAX_STRANGERS: usize = 4096;

/// Wrong attempts on a person that cost no wait; a login takes two attempts itself.
const FREE_FAILURES: u32 = 5;
/// The longest wait between attempts on one person.
const LONGEST_WAIT: Span = Span::from_secs(15 * 60);
/// Wrong attempts from an address range that cost no wait: an office shares one address.
const FREE_FROM_RANGE: u32 = 50;
/// The longest wait between attempts from one range.
const LONGEST_RANGE_WAIT: Span = Span::from_secs(60);
/// Failures from a range, and on names of nobody, are forgotten after this long without another.
const FORGOTTEN_AFTER: Span = Span::from_secs(24 * 3600);

/// The failures that are remembered: a value that the store keeps.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Throttle {
    people: BTreeMap<[u8; 16], Failures>,
    strangers: BTreeMap<[u8; 16], Failures>,
    ranges: BTreeMap<[u8; 8], Failures>,
}
codec_struct!(Throttle { people, strangers, ranges });

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Failures {
    count: u32,
    last: Time,
}
codec_struct!(Failures { count, last });

/// Whom somebody tries to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target<'a> {
    /// A person there is.
    Person(PersonHandle),
    /// A name that is nobody's.
    Stranger(&'a str),
}

/// An attempt that may be made: to be counted as a failure before it is, until it is `passed`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "an attempt is counted before it is made"]
pub struct Attempt {
    target: Key,
    target_before: Option<Time>,
    range: [u8; 8],
    range_before: Option<Time>,
    at: Time,
}
codec_struct!(Attempt { target, target_before, range, range_before, at });

/// Why an attempt may not be made. The person reads the same words for both, and for a wrong
/// password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// Not before then.
    Wait {
        /// When the next attempt may be made.
        until: Time,
    },
    /// Not until it is lifted.
    Blocked,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Key {
    Person { id: [u8; 16] },
    Stranger { id: [u8; 16] },
}
codec_enum!(Key { 0 => Person { id }, 1 => Stranger { id } });

impl Throttle {
    /// Whether an attempt may be made now. It must be counted, and that stored, before it is.
    ///
    /// # Errors
    /// When it comes too soon after failures, or the person is blocked.
    pub fn admit(&self, target: Target<'_>, from: IpAddr, now: Time) -> Result<Attempt, Refused> {
        let (target, range) = (Key::of(target), range_of(from));
        let person = self.table(target).get(target.bytes()).copied();
        let place = self.ranges.get(&range).copied();
        if person.is_some_and(|failures| failures.count >= MAX_FAILURES) {
            return Err(Refused::Blocked);
        }
        let until = until(person, FREE_FAILURES, LONGEST_WAIT, now).max(until(
            place,
            FREE_FROM_RANGE,
            LONGEST_RANGE_WAIT,
            now,
        ));
        if now < until {
            return Err(Refused::Wait { until });
        }
        Ok(Attempt {
            target,
            target_before: person.map(|failures| failures.last),
            range,
            range_before: place.map(|failures| failures.last),
            at: now,
        })
    }

    /// Counts an attempt as a failure.
    pub fn count(&mut self, attempt: &Attempt) {
        let Attempt { target, range, at, .. } = attempt;
        sweep(&mut self.strangers, *at);
        sweep(&mut self.ranges, *at);
        count(self.table_mut(*target), *target.bytes(), *at);
        count(&mut self.ranges, *range, *at);
        make_room(&mut self.strangers, target.bytes());
        make_room(&mut self.ranges, range);
    }

    /// Takes an attempt back that was right. Failures before it stay until the login is whole, so that
    /// who knows the password alone cannot guess codes for ever.
    pub fn passed(&mut self, attempt: &Attempt) {
        let Attempt { target, target_before, range, range_before, at } = attempt;
        take_back(self.table_mut(*target), target.bytes(), *target_before, *at);
        take_back(&mut self.ranges, range, *range_before, *at);
    }

    /// Forgets a person's failures: when a login is whole, or a block is lifted.
    pub fn clear(&mut self, person: PersonHandle) {
        self.people.remove(&person.0);
    }

    /// Attempts on a person that were wrong since the last login.
    pub fn failures(&self, person: PersonHandle) -> u32 {
        self.people.get(&person.0).map_or(0, |failures| failures.count)
    }

    /// How many they were and when the last one was, if there were any.
    pub fn wrong(&self, person: PersonHandle) -> Option<(u32, Time)> {
        self.people.get(&person.0).map(|failures| (failures.count, failures.last))
    }

    fn table(&self, key: Key) -> &BTreeMap<[u8; 16], Failures> {
        match key {
            Key::Person { .. } => &self.people,
            Key::Stranger { .. } => &self.strangers,
        }
    }

    fn table_mut(&mut self, key: Key) -> &mut BTreeMap<[u8; 16], Failures> {
        match key {
            Key::Person { .. } => &mut self.people,
            Key::Stranger { .. } => &mut self.strangers,
        }
    }
}

impl Key {
    fn of(target: Target<'_>) -> Key {
        match target {
            Target::Person(person) => Key::Person { id: person.0 },
            Target::Stranger(name) => {
                let mut short = [0; 16];
                for (to, from) in short.iter_mut().zip(sha256(name.as_bytes())) {
                    *to = from;
                }
                Key::Stranger { id: short }
            }
        }
    }

    fn bytes(&self) -> &[u8; 16] {
        match self {
            Key::Person { id } | Key::Stranger { id } => id,
        }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Refused::Wait { .. } => "too many attempts; wait",
            Refused::Blocked => "too many attempts; an administrator can lift this",
        })
    }
}

impl std::error::Error for Refused {}

/// The network an address is of: 24 bits of an IPv4 address, 56 of an IPv6 one, which is what one
/// customer is given.
/// The range of addresses that counts as one place: /24 of IPv4, /56 of IPv6.
pub fn range_of(address: IpAddr) -> [u8; 8] {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            [4, a, b, c, 0, 0, 0, 0]
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, e, f, g, ..] = v6.octets();
            [6, a, b, c, d, e, f, g]
        }
    }
}

/// When the next attempt may be made: a second after the first failure that is not free, and twice
/// as long each time. A clock that was set back makes nobody wait longer than that.
fn until(failures: Option<Failures>, free: u32, longest: Span, now: Time) -> Time {
    let Some(Failures { count, last }) = failures else { return Time::default() };
    let Some(over) = count.checked_sub(free) else { return Time::default() };
    let seconds = 1_u64.checked_shl(over).unwrap_or(u64::MAX);
    last.min(now).plus(Span::from_secs(seconds).min(longest))
}

fn count<const N: usize>(table: &mut BTreeMap<[u8; N], Failures>, key: [u8; N], now: Time) {
    let failures = table.entry(key).or_insert(Failures { count: 0, last: now });
    *failures = Failures { count: failures.count.saturating_add(1), last: now };
}

fn take_back<const N: usize>(
    table: &mut BTreeMap<[u8; N], Failures>,
    key: &[u8; N],
    before: Option<Time>,
    at: Time,
) {
    let Some(failures) = table.get_mut(key) else { return };
    failures.count = failures.count.saturating_sub(1);
    if let (true, Some(before)) = (failures.last == at, before) {
        failures.last = before;
    }
    if failures.count == 0 {
        table.remove(key);
    }
}

fn sweep<const N: usize>(table: &mut BTreeMap<[u8; N], Failures>, now: Time) {
    if table.len() >= MAX_STRANGERS {
        table.retain(|_, failures| now.since(failures.last) < FORGOTTEN_AFTER);
    }
}

/// Drops the entry with the fewest failures, the oldest of these, but not `kept`.
fn make_room<const N: usize>(table: &mut BTreeMap<[u8; N], Failures>, kept: &[u8; N]) {
    if table.len() <= MAX_STRANGERS {
        return;
    }
    let others = table.iter().filter(|(key, _)| *key != kept);
    let least = others.min_by_key(|(_, failures)| (failures.count, failures.last));
    if let Some(key) = least.map(|(key, _)| *key) {
        table.remove(&key);
    }
}

#[cfg(test)]
mod tests;

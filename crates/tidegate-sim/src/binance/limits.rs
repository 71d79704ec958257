//! Request weight per address, orders per account, and bans of addresses that do not heed them.

use super::fail::Fail;
use crate::config::Limits;
use crate::engine::AccountIx;
use std::collections::BTreeMap;
use std::net::IpAddr;
use tidegate_types::time::{Span, Time};

/// Requests beyond the limit in one minute that are answered 429; the next one is an offence.
const PATIENCE: u32 = 10;
/// The venue bans for two minutes to three days, longer each time.
const FIRST_BAN: Span = Span::from_secs(120);
const LONGEST_BAN: Span = Span::from_secs(3 * 24 * 3600);

/// Counters of the present minute and ten seconds.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    minute: u64,
    weights: BTreeMap<IpAddr, u32>,
    /// Requests beyond the limit in the present minute.
    beyond: BTreeMap<IpAddr, u32>,
    bans: BTreeMap<IpAddr, Ban>,
    orders: BTreeMap<AccountIx, Orders>,
}

/// Until when an address is banned, and for how long that was.
#[derive(Debug, Clone, Copy)]
struct Ban {
    until: Time,
    length: Span,
}

/// An account's orders in the present spans.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Orders {
    span: u64,
    minute: u64,
    /// In these ten seconds.
    pub(crate) in_10s: u32,
    /// In this minute.
    pub(crate) in_minute: u32,
}

impl Counters {
    /// Counts a request and returns the weight used this minute.
    pub(crate) fn weigh(
        &mut self,
        peer: IpAddr,
        weight: u32,
        limits: &Limits,
        now: Time,
    ) -> Result<u32, Fail> {
        if let Some(until) = self.banned_until(peer, now) {
            return Err(Fail::banned(&peer.to_string(), until));
        }
        let minute = now.millis() / 60_000;
        if minute != self.minute {
            self.weights.clear();
            self.beyond.clear();
            self.minute = minute;
        }
        let used = self.weights.entry(peer).or_default();
        *used = used.saturating_add(weight);
        if *used > limits.weight_per_minute {
            let beyond = self.beyond.entry(peer).or_default();
            *beyond += 1;
            if *beyond > PATIENCE {
                return Err(self.ban(peer, now));
            }
            return Err(Fail::weight(&peer.to_string(), limits.weight_per_minute));
        }
        Ok(*used)
    }

    /// Until when an address is banned, if it is.
    pub(crate) fn banned_until(&self, peer: IpAddr, now: Time) -> Option<Time> {
        self.bans.get(&peer).map(|ban| ban.until).filter(|until| *until > now)
    }

    fn ban(&mut self, peer: IpAddr, now: Time) -> Fail {
        let before = self.bans.get(&peer).map_or(Span::ZERO, |ban| ban.length);
        let length = Span::from_micros(2 * before.micros()).clamp(FIRST_BAN, LONGEST_BAN);
        let until = now.plus(length);
        self.bans.insert(peer, Ban { until, length });
        Fail::banned(&peer.to_string(), until)
    }

    /// Weight used this minute.
    pub(crate) fn used(&self, peer: IpAddr) -> u32 {
        self.weights.get(&peer).copied().unwrap_or(0)
    }

    /// Counts new orders.
    pub(crate) fn count(
        &mut self,
        account: AccountIx,
        orders: u32,
        limits: &Limits,
        now: Time,
    ) -> Result<(), Fail> {
        let counted = self.orders.entry(account).or_default();
        let (span, minute) = (now.millis() / 10_000, now.millis() / 60_000);
        if counted.span != span {
            (counted.span, counted.in_10s) = (span, 0);
        }
        if counted.minute != minute {
            (counted.minute, counted.in_minute) = (minute, 0);
        }
        if counted.in_10s + orders > limits.orders_per_10s {
            return Err(Fail::orders(limits.orders_per_10s, "10 SECOND"));
        }
        if counted.in_minute + orders > limits.orders_per_minute {
            return Err(Fail::orders(limits.orders_per_minute, "1 MINUTE"));
        }
        counted.in_10s += orders;
        counted.in_minute += orders;
        Ok(())
    }

    /// An account's orders.
    pub(crate) fn orders(&self, account: AccountIx) -> Orders {
        self.orders.get(&account).copied().unwrap_or_default()
    }
}

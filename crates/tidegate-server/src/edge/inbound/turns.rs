//! Whose turn it is. What a caller asks waits behind what it asked before, in a queue with an end, and the
//! gateway as a whole has room for so much: when it is filled, public reads make way first, then reads, then
//! orders. Cancels have lanes and room of their own.

use super::{Limits, Peers};
use crate::edge::Bucket;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tidegate_types::ids::CallerName;
use tidegate_types::limits::SEND_TIMEOUT;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a request is to the gateway when room is short: the later, the longer it is let in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// A read that needs no key.
    Public,
    /// Any other read, and what the gateway answers itself.
    Read,
    /// An order, an amend, a setting; several of them in one request.
    Order {
        /// How many there are.
        legs: u32,
    },
    /// A cancel, of one or of many.
    Cancel,
}

/// Who is to have a turn.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Whose {
    /// A caller that proved who it is.
    Caller(CallerName),
    /// Whoever is at this address.
    Address(IpAddr),
}

/// The callers that are inside, and the room there is.
#[derive(Debug)]
pub struct Turns {
    limits: Limits,
    state: Mutex<State>,
    rates: Mutex<HashMap<CallerName, Bucket>>,
    addresses: Peers<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Requests inside that are no cancels.
    others: usize,
    /// Cancels inside.
    cancels: usize,
    lanes: HashMap<(Whose, bool), Lane>,
}

#[derive(Debug)]
struct Lane {
    turns: Arc<Semaphore>,
    /// Requests that have a turn or wait for one.
    inside: usize,
}

/// A place inside, given back when dropped.
#[derive(Debug)]
struct Place {
    turns: Arc<Turns>,
    lane: (Whose, bool),
}

/// A turn, until dropped.
#[derive(Debug)]
pub struct Turn {
    _permit: OwnedSemaphorePermit,
    _place: Place,
}

/// How long a request waits for its turn: later its signature would be stale when it arrives.
const PATIENCE: Duration = Duration::from_millis(SEND_TIMEOUT.millis());
/// When to come again to a gateway that is full, or to a queue of one's own that is.
const COME_AGAIN: Span = Span::from_secs(1);
/// Most callers whose rate is counted: more than a desk has.
const MAX_CALLERS: usize = 10_000;

impl Class {
    /// What a request costs of its caller's rate. Cancels cost nothing.
    pub const fn cost(self) -> u32 {
        match self {
            Class::Cancel => 0,
            Class::Order { legs } => legs,
            Class::Public | Class::Read => 2,
        }
    }

    /// How much of the room there may be filled for such a request to be let in, in percent.
    const fn share(self) -> usize {
        match self {
            Class::Public => 50,
            Class::Read => 75,
            Class::Order { .. } | Class::Cancel => 100,
        }
    }
}

impl Turns {
    /// Nobody is inside yet.
    pub fn new(limits: Limits) -> Arc<Turns> {
        Arc::new(Turns {
            limits,
            state: Mutex::default(),
            rates: Mutex::default(),
            addresses: Peers::new(limits.caller),
        })
    }

    /// Waits for a turn behind whatever the same caller asked before; cancels wait for cancels alone.
    ///
    /// # Errors
    /// When the caller asks more than its rate, the gateway is full for such requests, or the caller's own
    /// queue is, or does not move.
    pub async fn take(
        self: &Arc<Self>,
        whose: Whose,
        class: Class,
        now: Time,
    ) -> Result<Turn, Reject> {
        self.pay(&whose, class, now)?;
        let (place, turns) = self.enter(whose, class)?;
        match tokio::time::timeout(PATIENCE, turns.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn { _permit: permit, _place: place }),
            _ => Err(Reject::later(Code::OwnQueue, "waited for a turn", COME_AGAIN)),
        }
    }

    fn pay(&self, whose: &Whose, class: Class, now: Time) -> Result<(), Reject> {
        let ((per_second, burst), cost) = (self.limits.caller, class.cost());
        let paid = match whose {
            _ if cost == 0 => true,
            Whose::Address(peer) => (0..cost).all(|_| self.addresses.take(*peer, (), now)),
            Whose::Caller(caller) => {
                let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
                if rates.len() >= MAX_CALLERS && !rates.contains_key(caller) {
                    rates.clear();
                }
                let bucket =
                    rates.entry(caller.clone()).or_insert_with(|| Bucket::new(per_second, burst));
                // One request that costs more than a burst would never pass.
                bucket.take_many(cost.min(burst), now)
            }
        };
        let beyond = || format!("{per_second} a second for the caller, of which this costs {cost}");
        if paid { Ok(()) } else { Err(Reject::new(Code::RequestRate, beyond())) }
    }

    fn enter(
        self: &Arc<Self>,
        whose: Whose,
        class: Class,
    ) -> Result<(Place, Arc<Semaphore>), Reject> {
        let cancels = class == Class::Cancel;
        let state = &mut *self.state();
        let filled = if cancels { state.cancels } else { state.others };
        let most = self.limits.inside.saturating_mul(class.share()) / 100;
        if filled >= most {
            let full = format!("{filled} requests are inside, and {most} is the most for such");
            return Err(Reject::later(Code::GatewayFull, &full, COME_AGAIN));
        }
        let key = (whose, cancels);
        let lane = state.lanes.entry(key.clone()).or_insert_with(|| Lane {
            turns: Arc::new(Semaphore::new(self.limits.at_once.clamp(1, Semaphore::MAX_PERMITS))),
            inside: 0,
        });
        let (at_once, waiting) = (self.limits.at_once.max(1), self.limits.waiting);
        if lane.inside >= at_once.saturating_add(waiting) {
            let full = format!("{at_once} are served and {waiting} wait");
            return Err(Reject::later(Code::OwnQueue, &full, COME_AGAIN));
        }
        lane.inside += 1;
        let turns = Arc::clone(&lane.turns);
        *(if cancels { &mut state.cancels } else { &mut state.others }) += 1;
        Ok((Place { turns: Arc::clone(self), lane: key }, turns))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let state = &mut *self.turns.state();
        let filled = if self.lane.1 { &mut state.cancels } else { &mut state.others };
        *filled = filled.saturating_sub(1);
        let Some(lane) = state.lanes.get_mut(&self.lane) else { return };
        lane.inside = lane.inside.saturating_sub(1);
        if lane.inside == 0 {
            state.lanes.remove(&self.lane);
        }
    }
}

#[cfg(test)]
mod tests;

//! The exchange as the listeners share it: one thread, one owner, never held over an await.

use super::deribit;
use crate::binance;
use crate::config::{Limits, SimConfig};
use crate::engine::{AccountIx, Effect, Exchange, Input, Refusal, Reply, Venue};
use crate::serve::faults::Faults;
use crate::store::{Store, StoreError};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};
use tidegate_types::time::Time;
use tokio::sync::mpsc;

pub use crate::config::{KeyConfig, KeySecret};

/// The one shared exchange. Borrow it for a call, never over an await.
pub type Shared = Rc<RefCell<World>>;

/// What happened through one input.
#[derive(Debug)]
pub struct Batch {
    /// When.
    pub time: Time,
    /// In order.
    pub effects: Vec<Effect>,
}

/// Effects for one stream session; it ends when the session is too slow to follow.
pub type Feed = mpsc::Receiver<Rc<Batch>>;

/// Batches that may wait for a session.
const FEED_DEPTH: usize = 50_000;

/// Exchange, keys, log and listeners.
#[derive(Debug)]
pub struct World {
    /// The exchange; change it through [`World::apply`] alone.
    pub exchange: Exchange,
    /// Keys by venue and public id.
    pub keys: BTreeMap<(Venue, String), Key>,
    /// Limits of the venues that count.
    pub limits: Limits,
    /// What tests make go wrong.
    pub faults: Faults,
    /// What the Binance dialect keeps between requests.
    pub binance: binance::State,
    /// What the Deribit dialect keeps between requests.
    pub deribit: deribit::State,
    clock: Clock,
    store: Option<Store>,
    feeds: Vec<mpsc::Sender<Rc<Batch>>>,
    failed: Option<String>,
}

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
enum Clock {
    /// The machine.
    Wall,
    /// Whoever set it last.
    Set(Time),
}

/// A key and the account it opens.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key.
    pub config: KeyConfig,
    /// What it opens.
    pub account: AccountIx,
}

impl World {
    /// Opens the data folder and sets everything up.
    pub fn open(config: &SimConfig) -> Result<World, StoreError> {
        let folder = config.data_dir.join("exchange");
        let (store, exchange) = Store::open(&folder, &config.setup(), wall_clock())?;
        Ok(World::around(exchange, config, Clock::Wall, Some(store)))
    }

    /// A world without a folder that opens at `now` and whose time is what [`World::set_time`]
    /// says.
    pub fn in_memory(config: &SimConfig, now: Time) -> World {
        let exchange = Exchange::new(&config.setup(), now);
        World::around(exchange, config, Clock::Set(now), None)
    }

    fn around(exchange: Exchange, config: &SimConfig, clock: Clock, store: Option<Store>) -> World {
        let mut keys = BTreeMap::new();
        for account in &config.accounts {
            let Some(ix) = exchange.find_account(account.venue, &account.name) else { continue };
            for key in &account.keys {
                let place = (account.venue, key.id.clone());
                keys.insert(place, Key { config: key.clone(), account: ix });
            }
        }
        World {
            exchange,
            keys,
            limits: config.limits,
            faults: Faults::default(),
            binance: binance::State::default(),
            deribit: deribit::State::default(),
            clock,
            store,
            feeds: Vec::new(),
            failed: None,
        }
    }

    /// The exchange's clock: the machine's or the one set, but never behind the last input.
    pub fn now(&self) -> Time {
        let now = match self.clock {
            Clock::Wall => wall_clock(),
            Clock::Set(now) => now,
        };
        now.max(self.exchange.now())
    }

    /// Sets the time; of no effect in a world that follows the machine's.
    pub fn set_time(&mut self, now: Time) {
        if let Clock::Set(time) = &mut self.clock {
            *time = now;
        }
    }

    /// Writes an input down, does it, and tells the streams.
    pub fn apply(&mut self, input: &Input) -> Reply {
        let now = self.now();
        if let Some(store) = &mut self.store
            && let Err(error) = store.append(input, now)
        {
            self.failed = Some(error.to_string());
            return Reply::Refused(Refusal::Unavailable);
        }
        let mut effects = Vec::new();
        let reply = self.exchange.apply(input, now, &mut effects);
        if !effects.is_empty() && !self.feeds.is_empty() {
            let batch = Rc::new(Batch { time: now, effects });
            self.feeds.retain(|feed| feed.try_send(batch.clone()).is_ok());
        }
        reply
    }

    /// Lets time pass, and takes a snapshot when the log has grown long.
    pub fn tick(&mut self) -> Result<(), String> {
        self.apply(&Input::Tick);
        if let Some(store) = self.store.as_mut().filter(|store| store.wants_snapshot()) {
            store.rotate(&self.exchange).map_err(|error| error.to_string())?;
        }
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// Snapshots on a clean stop, so that the next start is quick.
    pub fn close(&mut self) -> Result<(), StoreError> {
        self.store.as_mut().map_or(Ok(()), |store| store.rotate(&self.exchange))
    }

    /// Effects from now on.
    pub fn subscribe(&mut self) -> Feed {
        let (sender, feed) = mpsc::channel(FEED_DEPTH);
        self.feeds.push(sender);
        feed
    }

    /// The key of that public id.
    pub fn key(&self, venue: Venue, id: &str) -> Option<&Key> {
        self.keys.get(&(venue, id.to_owned()))
    }
}

fn wall_clock() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

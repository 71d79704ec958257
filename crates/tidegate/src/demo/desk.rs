//! The demo's desk: which accounts, limits, callers and grants it has.

use crate::cli::output::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use tidegate_server::admin::protocol::{GrantSpec, LimitsSpec, RepeatSpec, Request};

/// The caller whose keys the demo prints.
pub const YOU: &str = "you";

/// An account of the desk, and the simulator's account behind it.
pub struct DeskAccount {
    /// What the desk calls it.
    pub account: &'static str,
    /// Where it is.
    pub venue: &'static str,
    /// The simulator's name for it.
    pub behind: &'static str,
    /// What it does with orders that would trade with each other: whoever tries things out may do so.
    pub self_trade: &'static str,
}

/// People and bots trade on accounts of their own.
pub const ACCOUNTS: &[DeskAccount] = &[
    DeskAccount { account: "binance-main", venue: "binance", behind: "desk", self_trade: "off" },
    DeskAccount {
        account: "binance-bots",
        venue: "binance",
        behind: "spare1",
        self_trade: "cancel-old",
    },
    DeskAccount { account: "deribit-main", venue: "deribit", behind: "desk", self_trade: "off" },
    DeskAccount {
        account: "deribit-bots",
        venue: "deribit",
        behind: "spare1",
        self_trade: "cancel-old",
    },
];

/// A caller with a key and a grant on one account.
pub struct Seat {
    /// Who.
    pub caller: &'static str,
    /// On which account.
    pub account: &'static str,
    /// Largest order in dollars.
    pub max_order: &'static str,
    /// Most in open orders in dollars.
    pub max_open: &'static str,
    /// Which instruments.
    pub instruments: &'static str,
    /// It may change account settings.
    pub settings: bool,
}

/// Who sits at the desk.
pub const SEATS: &[Seat] = &[
    Seat {
        caller: YOU,
        account: "binance-main",
        max_order: "250000",
        max_open: "1000000",
        instruments: "*",
        settings: true,
    },
    Seat {
        caller: YOU,
        account: "deribit-main",
        max_order: "250000",
        max_open: "1000000",
        instruments: "*",
        settings: true,
    },
    Seat {
        caller: "maker",
        account: "binance-bots",
        max_order: "5000",
        max_open: "20000",
        instruments: "BTCUSDT",
        settings: false,
    },
    Seat {
        caller: "trend",
        account: "binance-bots",
        max_order: "10000",
        max_open: "20000",
        instruments: "ETHUSDT",
        settings: false,
    },
    Seat {
        caller: "hedger",
        account: "deribit-bots",
        max_order: "100000",
        max_open: "400000",
        instruments: "BTC-*",
        settings: false,
    },
];

/// The virtual keys of the demo, kept so that they can be printed again.
#[derive(Default, Serialize, Deserialize)]
pub struct Keys {
    keys: BTreeMap<String, (String, String)>,
}

impl Keys {
    /// The keys kept in the folder; none when there is no file yet.
    pub fn load(data_dir: &Path) -> Keys {
        let text = std::fs::read_to_string(file(data_dir)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The key and secret of a caller on an account.
    pub fn of(&self, caller: &str, account: &str) -> Option<&(String, String)> {
        self.keys.get(&format!("{caller}@{account}"))
    }

    /// Forgets the keys that are not in `good`, until the demo is started again; whose they are.
    pub fn forget_revoked(&mut self, good: &BTreeSet<String>) -> Vec<String> {
        let revoked = self.keys.iter().filter(|(_, (id, _))| !good.contains(id));
        let revoked: Vec<String> = revoked.map(|(seat, _)| seat.clone()).collect();
        for seat in &revoked {
            self.keys.remove(seat);
        }
        revoked
    }

    /// Keeps a key that was just made.
    pub fn keep(&mut self, data_dir: &Path, seat: &Seat, made: &Value) -> Result<(), Failure> {
        let text =
            |name: &str| made.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.keys.insert(format!("{}@{}", seat.caller, seat.account), (text("id"), text("secret")));
        let write = || -> std::io::Result<()> {
            let next = file(data_dir).with_extension("new");
            let mut out = std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&next)?;
            out.write_all(&serde_json::to_vec(self)?)?;
            out.sync_all()?;
            std::fs::rename(next, file(data_dir))
        };
        write().map_err(|e| {
            Failure::new("keys", format!("cannot keep the demo's keys: {e}"), "free the disk")
        })
    }
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("demo-keys.json")
}

/// The account's limits.
pub fn limits(account: &DeskAccount) -> Request {
    Request::LimitsSet(LimitsSpec {
        account: account.account.to_owned(),
        max_order_qty: Vec::new(),
        max_order_notional: "500000".to_owned(),
        max_open_notional: "2000000".to_owned(),
        max_position_notional: "2000000".to_owned(),
        max_exposure: "8000000".to_owned(),
        collar_bps: 500,
        option_collar_bps: 10_000,
        max_mark_age_ms: 5_000,
        orders_per_second: 50,
        burst: 200,
        repeat_window_ms: 0,
        on_repeat: RepeatSpec::Refuse,
        dead_man_s: 0,
    })
}

/// The seat's grant.
pub fn grant(seat: &Seat) -> Request {
    Request::GrantSet(GrantSpec {
        caller: seat.caller.to_owned(),
        account: seat.account.to_owned(),
        trade: true,
        instruments: vec![seat.instruments.to_owned()],
        sides: Vec::new(),
        order_types: Vec::new(),
        reduce_only: false,
        max_order_qty: None,
        max_order_notional: seat.max_order.to_owned(),
        max_open_notional: seat.max_open.to_owned(),
        max_daily_notional: None,
        orders_per_second: 20,
        burst: 100,
        settings: seat.settings,
        account_wide: false,
        hours: None,
        days: None,
        until_ms: None,
    })
}

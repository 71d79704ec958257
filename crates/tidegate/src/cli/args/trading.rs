//! What callers may do with accounts: grants, limits, halts.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub enum Account {
    /// Add an account at a venue
    Add {
        /// What the desk calls it.
        account: String,
        /// Where it is.
        #[arg(long)]
        venue: String,
        /// What it does with orders that would trade with one of the same owner: off, refuse, cancel-old
        /// or decrement.
        #[arg(long, value_name = "MODE", default_value = "refuse")]
        self_trade: String,
    },
    /// Say whom an account belongs to: orders of accounts of one owner are kept from trading with each
    /// other
    Owner {
        /// Which account.
        account: String,
        /// Whose it is.
        #[arg(required_unless_present = "none")]
        owner: Option<String>,
        /// It belongs to no owner that has others.
        #[arg(long, conflicts_with = "owner")]
        none: bool,
    },
}

#[derive(Subcommand, Debug)]
pub enum VenueKey {
    /// Seal an exchange key in the vault and read its rights from the venue. The key is read from
    /// a file or standard input as JSON: {"key": …, "secret": …} or {"key": …, "private_key": PEM}
    Import {
        /// The account it trades.
        #[arg(long)]
        account: String,
        /// Where it is.
        #[arg(long)]
        venue: String,
        /// The file; standard input without one.
        #[arg(long)]
        file: Option<PathBuf>,
        /// Take it although it may withdraw. It then opens no sessions.
        #[arg(long)]
        allow_withdraw_key: bool,
        /// Read the vault's passphrase from the first line of this file.
        #[arg(long)]
        passphrase_file: Option<PathBuf>,
    },
    /// List the keys in the vault: an account may have several, of which the desk uses one
    List {
        /// Read the vault's passphrase from the first line of this file.
        #[arg(long)]
        passphrase_file: Option<PathBuf>,
    },
    /// Take a key out of the vault that is not in use
    Remove {
        /// The account it was for.
        #[arg(long)]
        account: String,
        /// Its id.
        #[arg(long)]
        key: String,
        /// Read the vault's passphrase from the first line of this file.
        #[arg(long)]
        passphrase_file: Option<PathBuf>,
    },
    /// Have the running gateway read the vault again and use the newest key of an account
    Reload {
        /// The account it trades.
        #[arg(long)]
        account: String,
    },
}

#[derive(Subcommand, Debug)]
pub enum Vault {
    /// Have another passphrase open the vault, or a key file, and nothing else; offline
    Passphrase {
        /// Read the passphrase that opens it now from the first line of this file.
        #[arg(long)]
        passphrase_file: Option<PathBuf>,
        /// Read the new one from the first line of this file.
        #[arg(long)]
        new_passphrase_file: Option<PathBuf>,
        /// Make a key file in the data folder instead, for a start that nobody attends.
        #[arg(long, conflicts_with = "new_passphrase_file")]
        key_file: bool,
    },
    /// Seal everything anew under a new key; offline
    Rekey {
        /// Read the vault's passphrase from the first line of this file.
        #[arg(long)]
        passphrase_file: Option<PathBuf>,
    },
}

#[derive(Subcommand, Debug)]
pub enum Grant {
    /// Give a caller a grant on an account, or replace the one there is
    Set(GrantSet),
    /// Take it back
    Remove {
        /// Whose.
        caller: String,
        /// On which account.
        #[arg(long)]
        account: String,
    },
}

#[derive(Args, Debug)]
pub struct GrantSet {
    /// Who.
    pub caller: String,
    /// On which account.
    #[arg(long)]
    pub account: String,
    /// Which instruments; `*` stands for anything.
    #[arg(long, value_delimiter = ',', default_value = "*")]
    pub instruments: Vec<String>,
    /// Which sides: buy, sell.
    #[arg(long, value_delimiter = ',', default_value = "buy,sell")]
    pub sides: Vec<String>,
    /// Which order types: limit, market, market-limit, stop-market, stop-limit, take-market,
    /// take-limit.
    #[arg(long, value_delimiter = ',', default_value = "limit,market")]
    pub order_types: Vec<String>,
    /// Only orders that reduce the account's position.
    #[arg(long)]
    pub reduce_only: bool,
    /// Only reading.
    #[arg(long)]
    pub read_only: bool,
    /// Largest order in the instrument's own unit.
    #[arg(long)]
    pub max_order_qty: Option<String>,
    /// Largest order in dollars.
    #[arg(long, required_unless_present = "read_only")]
    pub max_order: Option<String>,
    /// Most that the caller's open orders may be worth, in dollars.
    #[arg(long, required_unless_present = "read_only")]
    pub max_open: Option<String>,
    /// Most that the caller may trade in a day (UTC), its open orders included, in dollars.
    #[arg(long)]
    pub max_daily_notional: Option<String>,
    /// Orders and amends a second.
    #[arg(long, default_value_t = 10)]
    pub orders_per_second: u32,
    /// Orders and amends at once.
    #[arg(long, default_value_t = 20)]
    pub burst: u32,
    /// It may change account settings (leverage, margin mode).
    #[arg(long)]
    pub settings: bool,
    /// It sees and cancels every order of the account.
    #[arg(long)]
    pub account_wide: bool,
    /// When in the day (UTC) it may place and amend orders, as 08:00-17:00 or 22:00-06:00, to the quarter of an
    /// hour.
    #[arg(long)]
    pub hours: Option<String>,
    /// On which days (UTC) it may, as mon-fri.
    #[arg(long)]
    pub days: Option<String>,
    /// When it ends, as 2026-12-31T17:00:00Z.
    #[arg(long)]
    pub until: Option<String>,
}

#[derive(Subcommand, Debug)]
pub enum Limit {
    /// Set an account's limits, all of them at once
    Set(LimitSet),
    /// Set what an account does with orders that would trade with one of the same owner
    SelfTrade {
        /// Which account.
        account: String,
        /// off, refuse (the new one), cancel-old or decrement (both by the smaller quantity).
        mode: String,
    },
    /// Set the limits of an account's options, all of them at once; or take them away
    Options(LimitOptions),
}

/// Everything that limits options.
const OF_OPTIONS: [&str; 13] = [
    "max_margin_bps",
    "max_delta",
    "max_gamma",
    "max_vega",
    "max_theta",
    "max_net_short",
    "range_bps",
    "vol_up_bps",
    "vol_down_bps",
    "short_bps",
    "expiry_bps",
    "concentrated_above",
    "concentration_bps",
];

#[derive(Args, Debug)]
pub struct LimitOptions {
    /// Which account.
    pub account: String,
    /// Take them away: then the account's other limits alone hold.
    #[arg(long, conflicts_with_all = OF_OPTIONS)]
    pub remove: bool,
    /// The part of the equity that the worst scenario may take, in basis points.
    #[arg(long, default_value_t = 10_000)]
    pub max_margin_bps: u32,
    /// Most that the account may follow its coins by, in dollars.
    #[arg(long)]
    pub max_delta: Option<String>,
    /// Most that this may change when prices move by one percent, in dollars.
    #[arg(long)]
    pub max_gamma: Option<String>,
    /// Most that one point of volatility may cost or bring, in dollars.
    #[arg(long)]
    pub max_vega: Option<String>,
    /// Most that a day may cost or bring, in dollars.
    #[arg(long)]
    pub max_theta: Option<String>,
    /// Most coins of one expiry that may be sold more than bought.
    #[arg(long)]
    pub max_net_short: Option<String>,
    /// How far prices move in the scenarios, in basis points [default: 1600].
    #[arg(long)]
    pub range_bps: Option<u32>,
    /// How far volatility rises with 30 days to go, in basis points of itself [default: 4000].
    #[arg(long)]
    pub vol_up_bps: Option<u32>,
    /// How far it falls [default: 2200].
    #[arg(long)]
    pub vol_down_bps: Option<u32>,
    /// What is added for options sold, in basis points of their underlying [default: 100].
    #[arg(long)]
    pub short_bps: Option<u32>,
    /// What is added to that in their last day [default: 100].
    #[arg(long)]
    pub expiry_bps: Option<u32>,
    /// From what worth of the underlying on options sold are a concentration, in dollars [default: 10000000].
    #[arg(long)]
    pub concentrated_above: Option<String>,
    /// What is added for what is above, in basis points [default: 200].
    #[arg(long)]
    pub concentration_bps: Option<u32>,
}

#[derive(Args, Debug)]
pub struct LimitSet {
    /// Which account.
    pub account: String,
    /// Largest order in dollars.
    #[arg(long)]
    pub max_order: String,
    /// Most that all open orders may be worth, in dollars.
    #[arg(long)]
    pub max_open: String,
    /// Most that a position with its open orders may be worth, in dollars.
    #[arg(long)]
    pub max_position: String,
    /// Most that all positions with their open orders may be worth together, in dollars.
    #[arg(long)]
    pub max_exposure: String,
    /// Largest order by pattern in the instrument's own unit: `BTC-*=100000`.
    #[arg(long, value_delimiter = ',')]
    pub max_order_qty: Vec<String>,
    /// How far from the mark a price may be, in basis points.
    #[arg(long, default_value_t = 300)]
    pub collar_bps: u32,
    /// The same for options.
    #[arg(long, default_value_t = 5000)]
    pub option_collar_bps: u32,
    /// How old a mark may be, in milliseconds.
    #[arg(long, default_value_t = 5000)]
    pub max_mark_age_ms: u64,
    /// Orders and amends a second, all callers together.
    #[arg(long, default_value_t = 30)]
    pub orders_per_second: u32,
    /// Orders and amends at once.
    #[arg(long, default_value_t = 60)]
    pub burst: u32,
    /// For how long the same order (instrument, side, type, quantity, price) from one caller is a
    /// repeat, in milliseconds, at most 60000; 0: never.
    #[arg(long, default_value_t = 0)]
    pub repeat_window_ms: u64,
    /// What becomes of a repeat.
    #[arg(long, value_enum, default_value_t = OnRepeat::Refuse)]
    pub on_repeat: OnRepeat,
    /// After how long without Tidegate the venue cancels every order of the account itself, in
    /// seconds, 30 to 86400, where the venue has a timer for that (Binance); 0: never.
    #[arg(long, default_value_t = 0)]
    pub dead_man_s: u64,
}

/// What becomes of an order that is the same as one moments before.
#[derive(ValueEnum, Clone, Copy, Debug)]
pub enum OnRepeat {
    /// It is refused.
    Refuse,
    /// It passes, and the operator is told.
    Warn,
}

#[derive(Args, Debug)]
pub struct Alarms {
    /// Take what is listed off the list; the journal keeps it.
    #[arg(long)]
    pub seen: bool,
}

#[derive(Args, Debug)]
pub struct Halt {
    /// all, desk:NAME, venue:NAME, account:NAME, caller:NAME, instrument:VENUE/NAME, or one order:
    /// order:N by Tidegate's number, order:tg… by its id at the venue, order:ACCOUNT/ID by the
    /// venue's id or the caller's own.
    pub scope: String,
    /// Why.
    #[arg(long)]
    pub reason: String,
    /// How long to wait for the proof, in seconds.
    #[arg(long, default_value_t = 30)]
    pub timeout: u64,
    /// Orders that reduce a position still pass.
    #[arg(long)]
    pub allow_reduce: bool,
    /// Once nothing is open, close the positions of the accounts or the instrument, too: with
    /// reduce-only orders within the collar, again and again until the exchange shows none.
    #[arg(long, conflicts_with = "allow_reduce")]
    pub flatten: bool,
}

#[derive(Args, Debug)]
pub struct Resume {
    /// The scope, as it was halted.
    pub scope: String,
    /// Why.
    #[arg(long)]
    pub reason: String,
}

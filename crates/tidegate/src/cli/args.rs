//! The command line, as typed.

use crate::bots::Bot;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The one door between a trading desk and the crypto-derivatives exchanges.
#[derive(Parser, Debug)]
#[command(name = "tidegate", version, disable_help_subcommand = true, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Args, Debug, Clone)]
pub struct Common {
    /// The data folder (default: `tidegate` in the platform's data folder).
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Print one JSON object on standard output, errors too.
    #[arg(long, global = true)]
    pub json: bool,
    /// Reach a running gateway at this URL instead of through the local socket; the token comes
    /// from `TIDEGATE_TOKEN`.
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// End when the process that started this one ends.
    #[arg(long, global = true, hide = true)]
    pub die_with_parent: bool,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// The whole thing with nothing set up: simulator, gateway, a demo desk with trading bots
    Demo(Demo),
    /// The simulator alone, speaking every venue's dialect
    Sim(Sim),
    /// Make a data folder: configuration, certificate authority, journal, vault
    Init(Init),
    /// Run the gateway on a data folder
    Serve(Serve),
    /// What runs; open, closed or halted by scope; exposure; processes
    Status(Status),
    /// What happened at a venue that Tidegate did not cause, and what was counted otherwise there
    Alarms(Alarms),
    /// Accounts at venues
    #[command(subcommand)]
    Account(Account),
    /// Exchange keys
    #[command(subcommand, name = "venue-key")]
    VenueKey(VenueKey),
    /// Callers and their virtual keys
    #[command(subcommand)]
    Caller(Caller),
    /// What callers may do
    #[command(subcommand)]
    Grant(Grant),
    /// What accounts may bear
    #[command(subcommand)]
    Limit(Limit),
    /// Stop new orders, cancel what is open, and prove it
    Halt(Halt),
    /// Lift a halt
    Resume(Resume),
    /// The people of the desk: their roles, and the callers that are theirs
    #[command(subcommand)]
    Person(Person),
    /// Apps: callers that ask for tokens instead of holding virtual keys
    #[command(subcommand)]
    App(App),
    /// What waits for a second person, and what became of what waited
    Approvals {
        #[command(subcommand)]
        command: Option<ApprovalsCommand>,
    },
    /// Approve what somebody else asked, as it is shown
    Approve(Approve),
    /// Deny what somebody asked, or take back what you asked
    Deny {
        /// Which request.
        id: u64,
    },
    /// Verify the journal offline
    Verify(Verify),
    /// Print the journal's records; archive them, bring them back, mend them
    Journal(Journal),
    /// Check configuration, clock, disk, keys and permissions
    Doctor,
    /// Measure the gateway against the bare simulator and nginx, both sides in one run
    Bench(Bench),
    /// One of the demo's bots; started by the demo
    #[command(hide = true)]
    Bot {
        /// Which.
        bot: Bot,
    },
}

#[derive(Args, Debug, Clone)]
pub struct Demo {
    /// Where callers connect; port 0 takes any.
    #[arg(long, default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// What chance starts from.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Serve these venues only.
    #[arg(long, value_delimiter = ',')]
    pub venues: Vec<String>,
}

#[derive(Args, Debug, Clone)]
pub struct Sim {
    /// Where clients connect; port 0 takes any.
    #[arg(long, default_value = "127.0.0.1:8543")]
    pub listen: SocketAddr,
    /// What chance starts from.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Speak these venues' dialects only.
    #[arg(long, value_delimiter = ',')]
    pub venues: Vec<String>,
    /// Plain HTTP instead of TLS; on a loopback address only.
    #[arg(long)]
    pub plain_http: bool,
    /// Take any number of requests: for benchmarks.
    #[arg(long)]
    pub no_rate_limits: bool,
    /// Serve `/sim/…`, which tells what arrived and injects faults: for tests.
    #[arg(long)]
    pub control: bool,
}

#[derive(Args, Debug)]
pub struct Init {
    /// The desk's name.
    #[arg(long, default_value = "desk")]
    pub desk: String,
    /// Where callers connect. Callers on other machines need an address of this one.
    #[arg(long)]
    pub listen: Option<SocketAddr>,
    /// Names and addresses by which callers reach this machine, beside the one listened at and
    /// localhost. The certificate and its authority are made for these alone.
    #[arg(long, value_delimiter = ',')]
    pub names: Vec<String>,
    /// How many people it takes to loosen something.
    #[arg(long, value_enum, default_value = "one")]
    pub approvals: Approvals,
    /// Unlock the vault with a key file in the data folder instead of a passphrase: for
    /// unattended start.
    #[arg(long)]
    pub key_file: bool,
}

/// How many people it takes to loosen something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Approvals {
    /// One.
    One,
    /// Two.
    Two,
}

#[derive(Args, Debug)]
pub struct Serve {
    /// Where callers connect, instead of what the configuration says.
    #[arg(long)]
    pub listen: Option<SocketAddr>,
}

#[derive(Args, Debug)]
pub struct Status {
    /// Show it again every second.
    #[arg(long)]
    pub watch: bool,
}

#[derive(Subcommand, Debug)]
pub enum Account {
    /// Add an account at a venue
    Add {
        /// What the desk calls it.
        account: String,
        /// Where it is.
        #[arg(long)]
        venue: String,
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
    /// Have the running gateway read an account's key from the vault again and use it
    Reload {
        /// The account it trades.
        #[arg(long)]
        account: String,
    },
}

#[derive(Subcommand, Debug)]
pub enum Caller {
    /// Add a caller
    Add {
        /// Its name.
        caller: String,
    },
    /// Make a virtual key for a caller; the secret is shown once
    Key {
        /// Whose.
        caller: String,
        /// The account it trades.
        #[arg(long)]
        account: String,
        /// Bind to this Ed25519 or RSA public key (PEM file) instead of making a shared secret.
        #[arg(long)]
        public_key: Option<PathBuf>,
        /// Good from this network only, as 10.0.0.0/8 or one address; may be given several times.
        #[arg(long, value_name = "NETWORK")]
        from: Vec<String>,
        /// Good only over connections that show this TLS client certificate (PEM file).
        #[arg(long, value_name = "FILE")]
        certificate: Option<PathBuf>,
        /// When it ends, as 2026-12-31T17:00:00Z.
        #[arg(long)]
        until: Option<String>,
    },
    /// Make a key in the place of another one; both are good for a while
    Rotate {
        /// The key that is replaced.
        key: String,
        /// For how many hours it is good beside the new one.
        #[arg(long, default_value_t = 24)]
        overlap_h: u64,
        /// When the new key ends, as 2026-12-31T17:00:00Z; needed where the old one ends.
        #[arg(long)]
        until: Option<String>,
        /// The new public key (PEM file), where the old key has one.
        #[arg(long)]
        public_key: Option<PathBuf>,
    },
    /// List the virtual keys: whose, how they sign, from where, until when, last used
    Keys,
    /// Revoke a virtual key
    Revoke {
        /// Its id.
        key: String,
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
    /// When it ends, as 2026-12-31T17:00:00Z.
    #[arg(long)]
    pub until: Option<String>,
}

#[derive(Subcommand, Debug)]
pub enum Limit {
    /// Set an account's limits, all of them at once
    Set(LimitSet),
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

#[derive(Subcommand, Debug)]
pub enum Person {
    /// Add a person, or set all of its roles and callers anew
    Set {
        /// Who.
        person: String,
        /// What it is there for: trader, risk, approver, admin, auditor.
        #[arg(long, value_delimiter = ',', required = true)]
        roles: Vec<String>,
        /// The callers that are its own: it may stop them, and never loosen anything for them.
        #[arg(long, value_delimiter = ',')]
        owns: Vec<String>,
        /// Callers of others that it may look at.
        #[arg(long, value_delimiter = ',')]
        reads: Vec<String>,
    },
    /// Make a link, once and for a day, by which a person enrols a passkey or a password in the console;
    /// what it logged in by before is void once the link is used
    Invite {
        /// Who.
        person: String,
    },
    /// Where a person is logged in to the console
    Sessions {
        /// Who.
        person: String,
    },
    /// Log a person out of the console everywhere
    Logout {
        /// Who.
        person: String,
    },
    /// Remove a person
    Remove {
        /// Who.
        person: String,
    },
    /// Who there is
    List,
}

#[derive(Subcommand, Debug)]
pub enum App {
    /// Register an app, or set all of its terms anew. It is the caller of the same name
    Add(AppAdd),
    /// Revoke an app for good, and with it its tokens
    Revoke {
        /// Which.
        app: String,
    },
    /// The apps, with their terms
    List,
}

#[derive(Args, Debug)]
pub struct AppAdd {
    /// The caller that it is; its client id has the same letters.
    pub app: String,
    /// What people read when they are asked for their consent.
    #[arg(long)]
    pub title: String,
    /// File with its public keys, a JWK set: PS256, ES256 or EdDSA.
    #[arg(long)]
    pub jwks: PathBuf,
    /// How it may ask for tokens: authorization_code, client_credentials, refresh_token, device_code,
    /// token_exchange.
    #[arg(long, value_delimiter = ',', default_value = "client_credentials")]
    pub grants: Vec<String>,
    /// Where people may be sent back to, letter by letter; for authorization_code.
    #[arg(long = "redirect-uri")]
    pub redirect_uris: Vec<String>,
    /// File with the authorization_details that no token of it may go beyond. Without one: what the caller's
    /// grants allow now.
    #[arg(long)]
    pub details: Option<PathBuf>,
    /// The app that may act in the name of the people who trust this one.
    #[arg(long)]
    pub delegate: Option<String>,
    /// It may ask about everybody's tokens, as a resource server does.
    #[arg(long)]
    pub introspects: bool,
}

#[derive(Subcommand, Debug)]
pub enum ApprovalsCommand {
    /// How many people it takes to loosen something from now on. One person turns two on; it takes
    /// two to turn it off
    Set {
        /// How many.
        #[arg(value_enum)]
        approvals: Approvals,
    },
}

#[derive(Args, Debug)]
pub struct Approve {
    /// Which request.
    pub id: u64,
    /// Approve only if this is its digest, as `tidegate approvals` showed it; without it, what is
    /// read and shown now is approved.
    #[arg(long, value_name = "HEX")]
    pub digest: Option<String>,
}

#[derive(Args, Debug)]
pub struct Verify {
    /// Hold the journal against this checkpoint.
    #[arg(long)]
    pub checkpoint: Option<PathBuf>,
    /// Trust this verifier key (the text or a file) instead of the one in the folder.
    #[arg(long)]
    pub key: Option<String>,
    /// Read the segments that were archived from this folder and verify them too.
    #[arg(long)]
    pub archive: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Journal {
    #[command(subcommand)]
    pub command: Option<JournalCommand>,
    #[command(flatten)]
    pub print: JournalPrint,
}

/// What becomes of the journal's files.
#[derive(Subcommand, Debug)]
pub enum JournalCommand {
    /// Move old segments to another disk. They are copied and compared before they are removed here; it
    /// may run beside the gateway and be cut short at any time. What the next start needs stays
    Archive {
        /// The folder to move them to; one folder for one journal.
        #[arg(long)]
        to: PathBuf,
    },
    /// Bring back everything that was archived
    Restore {
        /// The folder that they were moved to, wherever it is now.
        #[arg(long)]
        from: PathBuf,
    },
    /// Mend damaged segments from the journal's own bundles and from copies; the gateway must not run
    Repair {
        /// A copy of the data folder, its journal, or an archive to take records from.
        #[arg(long)]
        from: Vec<PathBuf>,
        /// Where records that are newer than the checkpoint are nowhere to be found, end the journal before
        /// them. What the exchanges did since shows at the next start, as foreign orders and corrected
        /// positions.
        #[arg(long)]
        cut: bool,
    },
}

#[derive(Args, Debug)]
pub struct JournalPrint {
    /// From this record on.
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    /// At most so many.
    #[arg(long)]
    pub count: Option<u64>,
    /// Leave out marks and instruments.
    #[arg(long)]
    pub decisions: bool,
}

#[derive(Args, Debug, Clone)]
pub struct Bench {
    /// What to measure.
    #[arg(value_enum, default_value = "orders")]
    pub what: BenchWhat,
    /// Seconds for each measurement.
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Times that every side is measured, in turn.
    #[arg(long, default_value_t = 3)]
    pub rounds: u32,
    /// Orders a second, at which all sides are compared.
    #[arg(long, default_value_t = 1000)]
    pub rate: u32,
    /// Connections.
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
    /// Orders in the journal (for `recovery`).
    #[arg(long, default_value_t = 1_000_000)]
    pub orders: u64,
}

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchWhat {
    /// An order through the gateway, the bare simulator and nginx.
    Orders,
    /// Kills every process in turn under load and counts what was lost or sent twice.
    Crash,
    /// Halts everything while ten callers send as fast as they can and 1,000 orders are open.
    Kill,
    /// Starts on a long journal, with and without a saved state, until an order is answered.
    Recovery,
}

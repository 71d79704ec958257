//! What a simulator is started with.

use crate::engine::{Setup, Venue};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::net::SocketAddr;
use std::path::PathBuf;
use tidegate_types::decimal::Decimal;

/// A simulator.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// The folder for its state and its CA.
    pub data_dir: PathBuf,
    /// Where it listens; other ports are chosen on the same address.
    pub listen: SocketAddr,
    /// What its chance comes from.
    pub seed: u64,
    /// The venues it stands in for.
    pub venues: Vec<Venue>,
    /// TLS 1.3 with a CA of its own; without, plain HTTP, on loopback addresses only.
    pub tls: bool,
    /// Whether `/sim/…` answers: counts of arrivals, state digest, injected faults.
    pub control: bool,
    /// Request weight and orders a client has before it is told to wait.
    pub limits: Limits,
    /// The accounts of callers.
    pub accounts: Vec<AccountConfig>,
    /// A few instruments of each kind are listed, not whole chains. For worlds in memory.
    pub few: bool,
}

/// Limits of a venue that counts.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Request weight per minute and address.
    pub weight_per_minute: u32,
    /// Orders per ten seconds and account.
    pub orders_per_10s: u32,
    /// Orders per minute and account.
    pub orders_per_minute: u32,
}

impl Limits {
    /// The limits the venues publish.
    pub const VENUE: Limits =
        Limits { weight_per_minute: 2_400, orders_per_10s: 300, orders_per_minute: 1_200 };
    /// Limits that no test of speed meets.
    pub const WIDE: Limits = Limits {
        weight_per_minute: 100_000_000,
        orders_per_10s: 10_000_000,
        orders_per_minute: 60_000_000,
    };
}

/// An account of callers.
#[derive(Clone, Debug)]
pub struct AccountConfig {
    /// Where.
    pub venue: Venue,
    /// Its name.
    pub name: String,
    /// Its money by asset.
    pub money: Vec<(String, Decimal)>,
    /// The keys that open it.
    pub keys: Vec<KeyConfig>,
}

/// A key of an account.
#[derive(Clone)]
pub struct KeyConfig {
    /// The public part a caller names.
    pub id: String,
    /// What its signatures are verified with.
    pub secret: KeySecret,
    /// What its holder needs to sign: the HMAC secret or a private key as PEM.
    pub holder: String,
    /// Whether it may trade.
    pub trade: bool,
    /// Whether it may withdraw and transfer.
    pub withdraw: bool,
}

/// What signatures of a key are verified with.
#[derive(Clone)]
pub enum KeySecret {
    /// A shared secret.
    Hmac(String),
    /// A public key.
    Ed25519(Vec<u8>),
}

impl std::fmt::Debug for KeyConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "key {}", self.id)
    }
}

impl SimConfig {
    /// A simulator with a desk account and three spare ones per venue, whose keys follow from the
    /// seed.
    pub fn standard(
        data_dir: PathBuf,
        listen: SocketAddr,
        seed: u64,
        venues: &[Venue],
    ) -> SimConfig {
        let accounts = venues.iter().flat_map(|venue| accounts_of(*venue, seed)).collect();
        SimConfig {
            data_dir,
            listen,
            seed,
            venues: venues.to_vec(),
            tls: true,
            control: false,
            limits: Limits::WIDE,
            accounts,
            few: false,
        }
    }

    /// What the exchange itself is made of.
    pub fn setup(&self) -> Setup {
        let account = |a: &AccountConfig| (a.venue, a.name.clone(), a.money.clone());
        Setup {
            seed: self.seed,
            venues: self.venues.clone(),
            accounts: self.accounts.iter().map(account).collect(),
            few: self.few,
        }
    }
}

fn accounts_of(venue: Venue, seed: u64) -> Vec<AccountConfig> {
    let money = |names: &[(&str, i64)]| {
        names.iter().map(|(name, whole)| ((*name).to_owned(), Decimal::new(*whole, 0))).collect()
    };
    let account = |name: &str| AccountConfig {
        venue,
        name: name.to_owned(),
        money: match venue {
            Venue::Binance => money(&[("USDT", 1_000_000)]),
            Venue::Deribit => money(&[("BTC", 50), ("ETH", 1_000), ("USDC", 1_000_000)]),
        },
        keys: vec![
            hmac_key(venue, name, "hmac", seed),
            ed25519_key(venue, name, seed),
            KeyConfig { withdraw: true, ..hmac_key(venue, name, "withdraw", seed) },
            KeyConfig { trade: false, ..hmac_key(venue, name, "read", seed) },
        ],
    };
    ["desk", "spare1", "spare2", "spare3"].map(account).to_vec()
}

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Bytes that follow from the seed and a purpose.
fn derive(seed: u64, purpose: &str) -> [u8; 64] {
    let key = hmac::Key::new(hmac::HMAC_SHA512, &seed.to_le_bytes());
    let tag = hmac::sign(&key, purpose.as_bytes());
    tag.as_ref().first_chunk().copied().unwrap_or([0; 64])
}

fn text(bytes: &[u8]) -> String {
    let letter = |byte: &u8| LETTERS.get(usize::from(*byte) % LETTERS.len()).copied();
    bytes.iter().filter_map(letter).map(char::from).collect()
}

fn hmac_key(venue: Venue, account: &str, kind: &str, seed: u64) -> KeyConfig {
    let name = format!("{}/{account}/{kind}", venue.name());
    let (id, secret) =
        (derive(seed, &format!("{name}/id")), derive(seed, &format!("{name}/secret")));
    let (id, secret) = match venue {
        Venue::Binance => (text(&id), text(&secret)),
        Venue::Deribit => {
            (text(id.get(..8).unwrap_or_default()), text(secret.get(..43).unwrap_or_default()))
        }
    };
    let holder = secret.clone();
    KeyConfig { id, secret: KeySecret::Hmac(secret), holder, trade: true, withdraw: false }
}

fn ed25519_key(venue: Venue, account: &str, seed: u64) -> KeyConfig {
    let name = format!("{}/{account}/ed25519", venue.name());
    let private = derive(seed, &format!("{name}/private"));
    let private = private.first_chunk::<32>().copied().unwrap_or([0; 32]);
    let public = Ed25519KeyPair::from_seed_unchecked(&private)
        .map(|pair| pair.public_key().as_ref().to_vec())
        .unwrap_or_default();
    let id = derive(seed, &format!("{name}/id"));
    let id = match venue {
        Venue::Binance => text(&id),
        Venue::Deribit => text(id.get(..8).unwrap_or_default()),
    };
    let holder = pem_of(&private);
    KeyConfig { id, secret: KeySecret::Ed25519(public), holder, trade: true, withdraw: false }
}

/// PKCS#8 of an Ed25519 seed (RFC 8410).
fn pem_of(seed: &[u8; 32]) -> String {
    use base64::Engine as _;
    let mut der = vec![
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    der.extend_from_slice(seed);
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

//! `DATA/tidegate.toml`: every setting, its meaning and its default, defined once. Unknown keys
//! are refused, so that a misspelt limit cannot pass for a set one.

mod check;
mod egress;
mod passkeys;
mod settings;
mod shaping;

use crate::folder::DataFolder;
use serde::{Deserialize, Serialize};
use settings::settings;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use tidegate_identity::RsaBits;
use tidegate_types::ids::PersonName;
use tidegate_types::record;

pub use settings::Setting;

/// When a record counts as written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// After fdatasync: survives a crash of the machine.
    Disk,
    /// After the write: survives a crash of the process.
    Os,
}

/// How many people a loosening takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approvals {
    /// One person.
    One,
    /// Two people.
    Two,
}

/// Which circuit breakers a desk begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FirstBreakers {
    /// None.
    None,
    /// The standard set.
    Standard,
    /// The standard set without what a slow machine trips by itself.
    Untimed,
}

settings! {
    /// What the gateway runs on.
    Config ("") {
        /// The desk's name; halts of scope `desk:NAME` mean it.
        desk: String = "desk".to_owned(),
        /// The address that people and programs know the gateway by, `https://HOST` or
        /// `https://HOST:PORT`: the issuer of tokens and what proofs name. Empty: `https://`, the first of
        /// `listen.names` or else `localhost`, and the port; with `plain_http` there is none then, and no token is given.
        public_url: String = String::new(),
        /// Where callers connect.
        listen: Listen = Listen::default(),
        /// The venues, by name.
        venues: BTreeMap<String, Venue> = BTreeMap::new(),
        /// The journal.
        journal: Journal = Journal::default(),
        /// How many people it takes to loosen something, `"one"` or `"two"`, from the first start on; later
        /// `tidegate approvals set` changes it.
        approvals: Approvals = Approvals::One,
        /// Which circuit breakers are set at the first start: `"standard"`, `"untimed"` (the standard set
        /// without latency, age of data, missing answers, clock and books) or `"none"`; later `tidegate breaker`
        /// changes them.
        breakers: FirstBreakers = FirstBreakers::None,
        /// Which person each user id of the machine is, for administration through the local
        /// socket: `1000 = "alice"`. The owner of the data folder needs no entry.
        people: BTreeMap<String, String> = BTreeMap::new(),
        /// An outside provider that people may log in through.
        oidc: Oidc = Oidc::default(),
        /// Which weaker ways to show who asks are taken.
        logins: Logins = Logins::default(),
        /// Which keys of programs and apps are taken.
        keys: Keys = Keys::default(),
        /// Whose passkeys must be of models that the desk trusts.
        passkeys: Passkeys = Passkeys::default(),
        /// Which passwords people may not set.
        passwords: Passwords = Passwords::default(),
        /// How those who trade share the venues' rate limits.
        shaping: Shaping = Shaping::default(),
        /// How much callers may ask of the listeners.
        requests: Requests = Requests::default(),
        /// How long callers may take.
        timeouts: Timeouts = Timeouts::default(),
        /// Where events go besides the operator's log.
        log: Log = Log::default(),
    }
}

settings! {
    /// Where callers connect.
    Listen ("listen") {
        /// Address of the listener that serves every venue under `/NAME/`, and administration
        /// under `/admin/v1`. Port 0 takes any.
        address: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8443)),
        /// Plain HTTP instead of TLS 1.3. Allowed on loopback addresses only.
        plain_http: bool = false,
        /// Ask who connects for a TLS client certificate, so that virtual keys, apps and their
        /// tokens can be bound to one.
        /// Who has none connects all the same.
        client_certificates: bool = false,
        /// More names and addresses for the listeners' certificate, beside `localhost` and the
        /// loopback addresses; used when the certificate is made.
        names: Vec<String> = Vec::new(),
    }
}

settings! {
    /// A venue that is served.
    Venue ("venues.NAME") {
        /// Base URL of its HTTP interface: `https://`, or `http://` on a loopback address.
        rest: String = String::new(),
        /// Base URL of its WebSocket interface: `wss://`, or `ws://` on a loopback address.
        ws: String = String::new(),
        /// PEM file of the certificate authorities that vouch for it; without one those that the
        /// machine trusts.
        ca_file: Option<PathBuf> = None,
        /// Address of a listener of its own, where it is served at the root. Port 0 takes any;
        /// without an address there is none.
        listen: Option<SocketAddr> = None,
        /// Addresses of this machine that connections to the venue leave from: `["203.0.113.5", "203.0.113.6"]`. The
        /// venue counts each by itself; accounts are spread over them and stay where they are. Empty: one, that the
        /// machine chooses.
        egress: Vec<IpAddr> = Vec::new(),
        /// Whether keys at the venue are good at their account's address alone. If not, cancels leave from another
        /// one while the venue has stopped that.
        egress_binds_keys: bool = true,
        /// The address of some accounts, one of `egress`: `main = "203.0.113.5"`. Accounts whose keys are bound to an
        /// address need it; the others take the address that fewest have, in the order of their names at a start.
        egress_of: BTreeMap<String, IpAddr> = BTreeMap::new(),
        /// Base URLs of the hosts that serve some paths only, by path prefix; the longest prefix
        /// wins, and `rest` and `ws` serve every other path. Each URL is one as `rest` or `ws`
        /// takes: `"/sapi" = "https://…"`, `"/ws-fapi" = "wss://…"`.
        hosts: BTreeMap<String, String> = BTreeMap::new(),
    }
}

settings! {
    /// How those who trade share the venues' rate limits.
    Shaping ("shaping") {
        /// Callers' shares in proportion to each other's, from 1 to 1000, while they wait for room at a venue:
        /// `maker = 3`. Who is not named has 1.
        weights: BTreeMap<String, u32> = BTreeMap::new(),
        /// How long an order waits for room at a venue before it is refused, in ms, from 10 to 3000. It is never
        /// sent later.
        order_wait_ms: u64 = 1000,
        /// The same for some callers: `maker = 100`.
        order_waits_ms: BTreeMap<String, u64> = BTreeMap::new(),
        /// How long a read waits for room at a venue before it is refused, in ms, from 0 to 3000.
        read_wait_ms: u64 = 2000,
    }
}

settings! {
    /// The journal.
    Journal ("journal") {
        /// When a record counts as written: `"disk"` (fdatasync, survives a crash of the machine)
        /// or `"os"` (survives a crash of the process; flushed in the background).
        durability: Durability = Durability::Disk,
        /// Size of a segment in KiB, at least 256; two are kept on disk ahead of their records. A
        /// small one suits a small disk.
        segment_kib: u64 = 65_536,
    }
}

settings! {
    /// An outside OpenID provider that people may log in through; none without an issuer.
    Oidc ("oidc") {
        /// The provider's name as its metadata says it: `https://`, or `http://` on a loopback address.
        issuer: String = String::new(),
        /// What the console calls it; empty: its host.
        name: String = String::new(),
        /// The name that Tidegate is registered by there.
        client_id: String = String::new(),
        /// More origins, `https://HOST`, that the provider's endpoints may be at; else they are at the
        /// issuer's own.
        origins: Vec<String> = Vec::new(),
        /// PEM file of the certificate authorities that vouch for it; without one those that the
        /// machine trusts.
        ca_file: Option<PathBuf> = None,
        /// How long ago a person may have logged in there, in seconds, from 60 to 43200.
        max_age_s: u64 = 3600,
        /// A login must be of one of these kinds (`acr`), which are asked for; empty: of any.
        acr: Vec<String> = Vec::new(),
        /// All of these must have been shown (`amr`).
        amr: Vec<String> = Vec::new(),
        /// Kinds of login (`acr`) that the provider is trusted to have checked two factors for. Any other
        /// login counts as one factor, and takes a code of the person's authenticator app as well.
        two_factor_acr: Vec<String> = Vec::new(),
        /// Methods (`amr`) that say the same.
        two_factor_amr: Vec<String> = Vec::new(),
        /// Kinds of login (`acr`) that the provider is trusted to have checked by what resists phishing. It
        /// counts with two factors only, and never in place of a passkey of the person's own.
        phishing_resistant_acr: Vec<String> = Vec::new(),
        /// Methods (`amr`) that say the same.
        phishing_resistant_amr: Vec<String> = Vec::new(),
    }
}

settings! {
    /// Which weaker ways to show who asks are taken, because an exchange's own protocol has them.
    Logins ("logins") {
        /// Secrets and tokens in the address of a request, where proxies write them down, as in Deribit's
        /// `public/auth` by GET. Otherwise callers send them in the body of a POST, in the
        /// `Authorization` header or over a WebSocket.
        secrets_in_address: bool = false,
        /// Binance's listen keys as stock clients handle them: asked for by the id of an API key alone, and in
        /// the address of the socket. Otherwise callers sign the request or ask over a WebSocket that is logged on,
        /// and send the key in a `SUBSCRIBE` on `/private/ws`.
        bare_listen_keys: bool = true,
    }
}

settings! {
    /// Which keys of programs and apps are taken.
    Keys ("keys") {
        /// Fewest bits of an RSA key of an app, of a proof of its, of a client certificate, or of a virtual key,
        /// from 2048 to 4096. 3072 have 128 bits of security; 2048, which FAPI 2.0 allows, have 112. Keys on record
        /// that have fewer open nothing while it is so. Ed25519 and P-256 are not asked.
        rsa_bits: usize = 3072,
    }
}

settings! {
    /// Whose passkeys must be of models that the desk trusts; nobody's without roles.
    Passkeys ("passkeys") {
        /// Who has one of these roles (`"trader"`, `"risk"`, `"approver"`, `"admin"`, `"auditor"`) enrols and
        /// approves by a passkey that stays on a device, which proves to be of one of `models` when the passkey is made.
        /// At the local socket they still ask without one, unless `tidegate approvals by passkey` is set too.
        attested_roles: Vec<String> = Vec::new(),
        /// The trusted models, by AAGUID: `"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"`.
        models: Vec<String> = Vec::new(),
        /// PEM file of the certificates of their makers, by which they prove it.
        roots: Option<PathBuf> = None,
    }
}

settings! {
    /// Which passwords people may not set, besides the common ones.
    Passwords ("passwords") {
        /// File of the digests of breached passwords: SHA-1 in 40 hexadecimal digits on each line, `HASH` or
        /// `HASH:COUNT`, sorted, as such lists are offered for download (docs/people.md). It is opened and
        /// searched where it lies whenever a password is set; while it cannot be read none is.
        breached: Option<PathBuf> = None,
    }
}

settings! {
    /// How much callers may ask of the listeners.
    Requests ("requests") {
        /// Requests and messages a second on one connection, sustained.
        per_second: u32 = 5_000,
        /// Requests and messages at once on one connection.
        burst: u32 = 10_000,
        /// Connections at once, all listeners together.
        connections: usize = tidegate_types::limits::MAX_CONNECTIONS,
        /// Connections at once from one address.
        connections_per_peer: usize = tidegate_types::limits::MAX_CONNECTIONS_PER_PEER,
        /// Requests a second of one address, sustained, all its connections together. The machine itself is not
        /// counted: behind a proxy of the desk's own all come from there.
        address_per_second: u32 = 50_000,
        /// The same at once.
        address_burst: u32 = 100_000,
        /// Bad signatures and secrets a second that are looked at, of one key from one address, and of tokens that
        /// one address shows. Beyond that its requests are refused before they are checked.
        failures_per_second: u32 = 20,
        /// The same at once.
        failures_burst: u32 = 200,
        /// What one caller asks a second, sustained, over all its keys and connections: an order costs 1, a read 2, a
        /// cancel nothing.
        caller_per_second: u32 = 50_000,
        /// The same at once.
        caller_burst: u32 = 100_000,
        /// Requests of one caller that are served at once; cancels have as many besides.
        caller_at_once: usize = 1_024,
        /// Requests of one caller that wait for those, three seconds at most.
        caller_waiting: usize = 1_024,
        /// Requests of all callers at once. Public reads are let in while half of them is free, other reads while a
        /// quarter is, orders to the last; cancels have as many besides.
        inside: usize = 8_192,
        /// Most that waits to be written to all callers' WebSockets together, in MiB, at least 64. Beyond that whoever
        /// has let most pile up is cut off.
        unsent_mib: usize = tidegate_types::limits::MAX_UNSENT_BYTES / (1024 * 1024),
    }
}

settings! {
    /// How long callers may take, in milliseconds.
    Timeouts ("timeouts") {
        /// For a TLS handshake.
        handshake_ms: u64 = tidegate_types::limits::HANDSHAKE_TIMEOUT.millis(),
        /// For the head of a request, from its first byte.
        head_ms: u64 = tidegate_types::limits::HEAD_TIMEOUT.millis(),
        /// For the body of a request.
        body_ms: u64 = tidegate_types::limits::BODY_TIMEOUT.millis(),
        /// Between requests on a kept-alive connection.
        idle_ms: u64 = tidegate_types::limits::IDLE_TIMEOUT.millis(),
        /// For taking what is written to them: who takes less in this time than `slowest` asks is cut off.
        write_ms: u64 = 30_000,
        /// The fewest bytes a second, on average, that a caller sends while it owes the rest of a head or a body, and
        /// takes of what is written to it. At 0 one byte in `write_ms` is enough.
        slowest: u32 = tidegate_types::limits::SLOWEST_CALLER,
        /// For a WebSocket to be used: until somebody logs in on it, subscribes or asks.
        unused_ms: u64 = tidegate_types::limits::UNUSED_SOCKET_TIMEOUT.millis(),
    }
}

settings! {
    /// Where events go besides the operator's log.
    Log ("log") {
        /// A collector on another machine, `tls://HOST` or `tls://HOST:PORT` (syslog, RFC 5424, over TLS, RFC 5425;
        /// port 6514). It is told what the operator's log says, refusals, logins, what happens to credentials,
        /// and the journal's checkpoints.
        syslog: String = String::new(),
        /// PEM file of the certificate authorities that vouch for it; without one those that the
        /// machine trusts.
        syslog_ca: Option<PathBuf> = None,
    }
}

/// Why a configuration cannot be used. The text says what to mend.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError(pub String);

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

impl Listen {
    /// Whether who connects is asked for a certificate.
    pub fn asks_for_certificates(&self) -> bool {
        self.client_certificates && !self.plain_http
    }
}

impl Config {
    /// Reads and checks the configuration of a data folder.
    pub fn load(folder: &DataFolder) -> Result<Config, ConfigError> {
        let path = folder.config();
        let text = std::fs::read_to_string(&path).map_err(|e| {
            let path = path.display();
            ConfigError(format!("cannot read {path}: {e}; run `tidegate init` to make one"))
        })?;
        Config::parse(&text).map_err(|e| ConfigError(format!("{}: {e}", path.display())))
    }

    /// The configuration that `text` is.
    pub fn parse(text: &str) -> Result<Config, ConfigError> {
        let config: Config =
            toml::from_str(text).map_err(|e| ConfigError(e.to_string().trim().to_owned()))?;
        config.check()?;
        Ok(config)
    }

    /// The configuration as the text of a file.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(self).map_err(|e| ConfigError(e.to_string()))
    }

    /// Every setting, in the order of the file, for the reference.
    pub fn reference() -> Vec<Setting> {
        [
            Config::settings(),
            Listen::settings(),
            Venue::settings(),
            Shaping::settings(),
            Journal::settings(),
            Oidc::settings(),
            Logins::settings(),
            Keys::settings(),
            Passkeys::settings(),
            Passwords::settings(),
            Requests::settings(),
            Timeouts::settings(),
            Log::settings(),
        ]
        .concat()
    }

    /// The address that clients know the gateway by whose main listener has this port; none where TLS
    /// ends elsewhere and nobody said where.
    pub fn public_url(&self, port: u16) -> Option<String> {
        let host = self.listen.names.first().map_or("localhost", String::as_str);
        match (self.public_url.as_str(), self.listen.plain_http) {
            ("", true) => None,
            ("", false) if port == 443 => Some(format!("https://{host}")),
            ("", false) => Some(format!("https://{host}:{port}")),
            (said, _) => Some(said.to_owned()),
        }
    }

    /// Where people find the console whose main listener has this port.
    pub fn origin(&self, port: u16) -> String {
        self.public_url(port).unwrap_or_else(|| format!("http://localhost:{port}"))
    }

    /// The names and addresses that requests may be for, besides those of the certificate.
    pub fn own_names(&self) -> Vec<String> {
        let url: Option<http::Uri> = self.public_url.parse().ok();
        let public = url.as_ref().and_then(http::Uri::host).map(str::to_owned);
        let listeners = self.venues.values().filter_map(|venue| venue.listen);
        let addresses = listeners.chain([self.listen.address]).map(|at| at.ip());
        let addresses = addresses.filter(|ip| !ip.is_unspecified()).map(|ip| ip.to_string());
        self.listen.names.iter().cloned().chain(public).chain(addresses).collect()
    }

    /// The person that a user id of the machine is.
    pub fn person(&self, uid: u32) -> Option<PersonName> {
        self.people.get(&uid.to_string()).and_then(|name| PersonName::new(name).ok())
    }

    /// Whether some user id of the machine is this person.
    pub fn names(&self, person: &PersonName) -> bool {
        self.people.values().any(|name| name == person.as_str())
    }
}

impl Keys {
    /// Fewest bits of an RSA key that is taken.
    pub fn rsa(&self) -> RsaBits {
        RsaBits::new(self.rsa_bits).unwrap_or_default()
    }
}

impl Oidc {
    /// The provider's settings, if there is one.
    pub fn configured(&self) -> Option<&Oidc> {
        (!self.issuer.is_empty()).then_some(self)
    }

    /// What people read of it.
    pub fn shown_name(&self) -> &str {
        let host = self.issuer.split_once("://").map_or("", |(_, rest)| rest);
        match self.name.as_str() {
            "" => host.split('/').next().unwrap_or_default(),
            name => name,
        }
    }
}

impl Approvals {
    /// As the journal's records say it.
    pub const fn recorded(self) -> record::Approvals {
        match self {
            Approvals::One => record::Approvals::One,
            Approvals::Two => record::Approvals::Two,
        }
    }
}

impl Durability {
    /// As the journal's records say it.
    pub const fn recorded(self) -> record::Durability {
        match self {
            Durability::Disk => record::Durability::Disk,
            Durability::Os => record::Durability::Os,
        }
    }
}

/// The name that stands for the owner of the data folder where no person is mapped.
pub const OWNER: &str = "owner";

#[cfg(test)]
mod tests;

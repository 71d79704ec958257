//! Starting and stopping: what runs, in which order.

mod assemble;
mod descriptors;
mod emergency;
pub mod image;
mod keys;
mod lock;
mod lookout;
mod place;
mod saved;
mod stops;
mod upkeep;

pub use lock::{alone, runs_on};
pub use place::declare_restored;

use crate::admin::{self, word};
use crate::aside::aside;
use crate::config::{Config, Durability, FirstBreakers, OWNER};
use crate::desk::Desk;
use crate::edge::{Connections, Door, Listening, Mount, Names, Timeouts, listen, tls};
use crate::folder::DataFolder;
use crate::front::Gate;
use crate::oplog;
use crate::syslog;
use crate::web::oauth;
use assemble::Assembled;
pub use saved::{core_before, saved_until};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tidegate_core::event::Event;
use tidegate_identity::people::Actor;
use tidegate_types::breaker::{Standard, standard};
use tidegate_types::ids::{DeskName, PersonName};
use tidegate_types::record::Change;
use tidegate_vault::client::SignerConfig;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// How often a venue's instruments are read anew.
const INSTRUMENTS_EVERY: Duration = Duration::from_secs(600);
/// How long a start waits for a venue's instruments; after that they come when they come, and the
/// venue's accounts stay closed until then.
const INSTRUMENTS_FIRST: Duration = Duration::from_secs(10);
/// How long a stop waits for callers' requests to be answered.
const DRAIN: Duration = Duration::from_secs(2);
/// How long a stop waits for the journal.
const CLOSE: Duration = Duration::from_secs(2);

/// What a gateway runs on.
#[derive(Debug)]
pub struct GatewayConfig {
    /// The data folder, made by `tidegate init`.
    pub folder: DataFolder,
    /// Its configuration.
    pub config: Config,
    /// How to start the signer, and what unlocks the vault.
    pub signer: SignerConfig,
}

/// What is told once callers can connect.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Where every venue is served under its prefix.
    pub address: SocketAddr,
    /// Where venues are served at the root, for those that are.
    pub venues: BTreeMap<String, SocketAddr>,
    /// Where people find the console.
    pub console: String,
    /// Whether that is TLS; plain HTTP otherwise.
    pub tls: bool,
    /// The signer's process.
    pub signer_pid: Option<u32>,
}

/// Why a gateway did not start, or did not stop in good order. The text says what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GatewayError(pub String);

impl std::fmt::Display for GatewayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for GatewayError {}

impl GatewayError {
    fn of(what: &str) -> impl Fn(&dyn std::fmt::Display) -> GatewayError {
        move |error| GatewayError(format!("{what}: {error}"))
    }
}

/// Runs a gateway until SIGINT, SIGTERM or a shutdown by the administration. Belongs on a runtime
/// of one thread: the signer ends with the thread that this is called on.
pub async fn run(config: GatewayConfig, ready: impl FnOnce(&Ready)) -> Result<(), GatewayError> {
    tls::install_provider();
    let _lock = lock::take(&config.folder)?;
    oplog::start();
    let ended = match syslog::start(&config.config.log) {
        Ok(()) => run_locked(config, ready).await,
        Err(why) => Err(GatewayError(why)),
    };
    match &ended {
        Ok(()) => oplog::info("stopped", &[]),
        Err(why) => oplog::alarm("failed", &[("why", why)]),
    }
    oplog::finish();
    syslog::finish();
    ended
}

async fn run_locked(config: GatewayConfig, ready: impl FnOnce(&Ready)) -> Result<(), GatewayError> {
    say_start(&config);
    // Else a limit on the size of files would end the process instead of failing a write.
    let _too_large = signal(SignalKind::from_raw(nix::sys::signal::Signal::SIGXFSZ as i32))
        .map_err(|e| GatewayError(e.to_string()))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| GatewayError(e.to_string()))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|e| GatewayError(e.to_string()))?;
    let (stop, mut stopped) = watch::channel(false);
    let assembled = assemble::assemble(config, stop.clone()).await?;
    begin(&assembled).await?;
    emergency::begin(&assembled.desk, &assembled.folder, assembled.last_record);
    place::halt_copy(&assembled).await?;
    let forgotten = assembled.people.forget_strangers(&Actor::Gateway).await;
    forgotten.map_err(|e| GatewayError::of("the people")(&e))?;
    // Before anything that may take long: a halt must get in from the start.
    let admin = admin::start(Arc::clone(&assembled.admin))
        .map_err(|e| GatewayError::of("the administration's socket")(&e))?;
    let look_out = lookout::look_out(
        Arc::clone(&assembled.desk),
        Arc::clone(&assembled.connections),
        Arc::clone(&assembled.disk),
    );
    tokio::spawn(look_out);
    bring_venues_in(&assembled).await;
    // A second at most: a caller let in before would have its first requests refused as stale.
    let early = assembled.taken_from.since(crate::clock::now());
    tokio::time::sleep(Duration::from_micros(early.micros())).await;
    let listening = open_doors(&assembled, &stopped).await?;
    oplog::info("listening", &[("address", &listening.ready.address)]);
    ready(&listening.ready);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
    stop.send_replace(true);
    finish(assembled, listening).await?;
    // It ends by itself: `stop` is true.
    let _ = admin.join();
    Ok(())
}

fn say_start(config: &GatewayConfig) {
    let GatewayConfig { folder, config, .. } = config;
    let durability = match config.journal.durability {
        Durability::Disk => "disk",
        Durability::Os => "os",
    };
    let (path, version) = (folder.path().display(), env!("CARGO_PKG_VERSION"));
    oplog::info(
        "start",
        &[
            ("version", &version),
            ("data", &path),
            ("desk", &config.desk),
            ("durability", &durability),
        ],
    );
}

/// Tells the core that it runs.
async fn begin(assembled: &Assembled) -> Result<(), GatewayError> {
    let Assembled { desk, config, .. } = assembled;
    desk.event(Event::Started {
        epoch: epoch()?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        durability: config.journal.durability.recorded(),
    });
    set_desk(desk, config).await
}

/// Reads every venue's instruments and begins to follow it.
async fn bring_venues_in(assembled: &Assembled) {
    let Assembled { desk, links, .. } = assembled;
    let mut waiting = Vec::new();
    for link in links.iter() {
        let (first, came) = oneshot::channel();
        tokio::spawn(Arc::clone(desk).keep_instruments(Arc::clone(link), INSTRUMENTS_EVERY, first));
        waiting.push(came);
    }
    for came in waiting {
        // A venue that cannot be reached keeps nobody from the others.
        let _ = timeout(INSTRUMENTS_FIRST, came).await;
    }
    assembled.follow_venues();
}

/// Puts the desk's name and its approvals on record at the first start.
async fn set_desk(desk: &Desk, config: &Config) -> Result<(), GatewayError> {
    let approvals = config.approvals.recorded();
    if desk.look(|state| state.desk().is_some()) {
        let (needed, set_up) = desk.look(|state| (state.approvals_needed(), state.has_admin()));
        if needed != approvals {
            let hint = "what is recorded holds; `tidegate approvals set` changes it";
            oplog::warn("approvals-differ", &[("in_force", &word(needed)), ("hint", &hint)]);
        }
        oplog::info("approvals", &[("in_force", &word(needed)), ("has_admin", &set_up)]);
        return Ok(());
    }
    let bad = GatewayError::of("the desk's name");
    let name = DeskName::new(&config.desk).map_err(|e| bad(&e))?;
    let by = PersonName::new(OWNER).map_err(|e| bad(&e))?;
    match desk.administer(by.clone(), Change::DeskSet { desk: name, approvals }).await {
        tidegate_core::action::Answer::Refused { reject } => return Err(bad(&reject)),
        _ => set_breakers(desk, config, &by).await,
    }
    Ok(())
}

/// Sets the circuit breakers that the desk begins with.
async fn set_breakers(desk: &Desk, config: &Config, by: &PersonName) {
    let first = match config.breakers {
        FirstBreakers::None => Vec::new(),
        FirstBreakers::Standard => standard(Standard::Whole),
        FirstBreakers::Untimed => standard(Standard::WithoutTiming),
    };
    for breaker in first {
        // As any other change it is refused only while the journal cannot be written, which is told.
        let _ = desk.administer(by.clone(), Change::BreakerSet { breaker }).await;
    }
}

struct Listeners {
    ready: Ready,
    _doors: Vec<Listening>,
    connections: Arc<Connections>,
}

async fn open_doors(
    assembled: &Assembled,
    stop: &watch::Receiver<bool>,
) -> Result<Listeners, GatewayError> {
    let Assembled { config, certificate, connections, links, .. } = assembled;
    let tls = match certificate {
        None => None,
        Some(certificate) => {
            let ask = config.listen.client_certificates.then(|| config.keys.rsa());
            let acceptor = tls::acceptor(Arc::clone(certificate), ask);
            Some(acceptor.map_err(|e| GatewayError(e.to_string()))?)
        }
    };
    let door = |mount| door(assembled, &tls, mount);
    let open = async |address: SocketAddr, mount| {
        listen(address, door(mount), stop.clone())
            .await
            .map_err(|e| GatewayError::of(&format!("listening at {address}"))(&e))
    };
    let venues = links.iter().map(|link| link.venue()).collect();
    let main = open(config.listen.address, Mount::Prefixes(venues)).await?;
    let address = main.address;
    // Nobody was let in yet: this thread has not waited since, and does so below for records alone.
    let origin = config.origin(address.port());
    assembled.people.open(&origin).map_err(|e| GatewayError::of("the console")(&e))?;
    if let Some(url) = config.public_url(address.port()) {
        let opened = assembled.oauth.open_for(url, &assembled.people).await;
        opened.map_err(|e| GatewayError::of("the authorization server")(&e))?;
    }
    let (mut doors, mut at) = (vec![main], BTreeMap::new());
    for link in links.iter() {
        let name = link.venue().name().to_string();
        if let Some(address) = config.venues.get(&name).and_then(|venue| venue.listen) {
            let own = open(address, Mount::Root(link.venue())).await?;
            at.insert(name, own.address);
            doors.push(own);
        }
    }
    let listed = at.iter().map(|(name, address)| (name.clone(), address.to_string()));
    assembled.admin.set_listeners(listed.chain([(String::new(), address.to_string())]).collect());
    let signer_pid = assembled.signer.pid();
    let console = format!("{}/console/", assembled.people.origin());
    let ready = Ready { address, console, venues: at, tls: tls.is_some(), signer_pid };
    Ok(Listeners { ready, _doors: doors, connections: Arc::clone(connections) })
}

fn door(assembled: &Assembled, tls: &Option<TlsAcceptor>, mount: Mount) -> Door<Gate> {
    let Assembled { gate, config, certificate, connections, .. } = assembled;
    Door {
        site: Arc::clone(gate),
        mount,
        names: Names::new(config.own_names(), certificate.clone()),
        tls: tls.clone(),
        timeouts: Timeouts::from(&config.timeouts),
        rate: (config.requests.per_second, config.requests.burst),
        connections: Arc::clone(connections),
    }
}

/// Lets requests end, then says so in the journal and closes it. Orders stay as they are.
async fn finish(assembled: Assembled, listeners: Listeners) -> Result<(), GatewayError> {
    let drained = async {
        while listeners.connections.count() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let _ = timeout(DRAIN, drained).await;
    let by = assembled.admin.asked_to_stop();
    assembled.desk.event(Event::Stopping { by });
    assembled.desk.commit();
    // May already be gone.
    let _ = std::fs::remove_file(assembled.folder.admin_socket());
    let (oauth, folder, next) = (assembled.oauth, assembled.folder, assembled.desk.next_seq());
    let wrong = GatewayError::of("closing the journal");
    let journal = assembled.journal;
    match timeout(CLOSE, aside("close", move || journal.close())).await {
        Ok(Ok(closed)) => {
            closed.map_err(|e| wrong(&e))?;
            oauth::Seen::save(&oauth, &folder, next);
            Ok(())
        }
        Ok(Err(error)) => Err(wrong(&error)),
        Err(_) => Err(wrong(&"the disk did not answer; the next start writes the rest")),
    }
}

/// A word that was never used before: letters and digits for Tidegate's own order ids.
fn epoch() -> Result<String, GatewayError> {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(|e| GatewayError::of("random numbers")(&e))?;
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).copied().map(char::from);
    Ok(random.iter().filter_map(letter).collect())
}

//! The listeners: one with a path prefix per venue, and one per venue at the root.

pub mod deribit;
pub mod faults;
pub mod http;
mod tls;
pub mod world;

use crate::config::{KeyConfig, KeySecret, SimConfig};
use crate::engine::Venue;
use crate::store::StoreError;
use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;
use world::{Shared, World};

/// What a running simulator tells.
#[derive(Debug)]
pub struct SimReady {
    /// The listener with path prefixes.
    pub address: SocketAddr,
    /// Its URL, without a slash at the end.
    pub url: String,
    /// The CA that signed its certificate; none without TLS.
    pub ca: Option<PathBuf>,
    /// The venues.
    pub venues: Vec<VenueReady>,
}

/// How a venue is reached.
#[derive(Debug)]
pub struct VenueReady {
    /// Which.
    pub venue: Venue,
    /// Scheme and host of its root listener for REST.
    pub rest: String,
    /// The same for WebSockets.
    pub ws: String,
    /// The same beneath the shared listener: `…/binance`.
    pub prefixed: String,
    /// The desk account's HMAC key.
    pub key: String,
    /// Its secret.
    pub secret: String,
    /// Every key: account name and key.
    pub keys: Vec<(String, KeyConfig)>,
}

/// Why a simulator does not run (any more).
#[derive(Debug)]
pub enum SimError {
    /// Its folder cannot be used.
    Store(StoreError),
    /// A socket or file failed.
    Io(io::Error),
    /// Certificates could not be made.
    Tls(String),
    /// Plain HTTP was asked for on an address that is not loopback.
    PlainBeyondLoopback,
    /// The log could not be written.
    Log(String),
}

impl fmt::Display for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SimError::Store(error) => error.fmt(f),
            SimError::Io(error) => write!(f, "the simulator's listeners: {error}"),
            SimError::Tls(error) => write!(f, "the simulator's certificates: {error}"),
            SimError::PlainBeyondLoopback => {
                f.write_str("plain http is for loopback addresses only")
            }
            SimError::Log(error) => write!(f, "the simulator's log cannot be written: {error}"),
        }
    }
}

impl std::error::Error for SimError {}

impl From<io::Error> for SimError {
    fn from(error: io::Error) -> SimError {
        SimError::Io(error)
    }
}

impl SimError {
    /// Whether the folder belongs to another seed.
    pub const fn is_other_seed(&self) -> bool {
        matches!(self, SimError::Store(StoreError::OtherSeed { .. }))
    }
}

/// Milliseconds between ticks of the exchange.
const TICK: Duration = Duration::from_millis(100);

/// Runs a simulator until `stop` completes; calls `ready` once it listens.
///
/// Must run on a current-thread runtime: the exchange belongs to one thread.
pub async fn run(
    config: SimConfig,
    ready: impl FnOnce(SimReady),
    stop: impl Future<Output = ()>,
) -> Result<(), SimError> {
    let world = Rc::new(RefCell::new(World::open(&config).map_err(SimError::Store)?));
    let acceptor = if config.tls {
        Some(tls::acceptor(&config.data_dir, config.listen.ip()).map_err(SimError::Tls)?)
    } else if config.listen.ip().is_loopback() {
        None
    } else {
        return Err(SimError::PlainBeyondLoopback);
    };
    let shared = TcpListener::bind(config.listen).await?;
    let mut roots = Vec::new();
    for venue in &config.venues {
        roots.push((*venue, TcpListener::bind((config.listen.ip(), 0)).await?));
    }
    let told = tell(&config, &shared, &roots)?;
    let local = LocalSet::new();
    let done = local.run_until(async {
        let control = config.control;
        tokio::task::spawn_local(accept(shared, None, world.clone(), acceptor.clone(), control));
        for (venue, listener) in roots {
            let (world, acceptor) = (world.clone(), acceptor.clone());
            tokio::task::spawn_local(accept(listener, Some(venue), world, acceptor, control));
        }
        ready(told);
        tokio::select! {
            failed = ticks(&world) => Err(failed),
            () = stop => Ok(()),
        }
    });
    done.await?;
    world.borrow_mut().close().map_err(SimError::Store)
}

async fn ticks(world: &Shared) -> SimError {
    let mut clock = tokio::time::interval(TICK);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        clock.tick().await;
        if let Err(error) = world.borrow_mut().tick() {
            return SimError::Log(error);
        }
    }
}

fn tell(
    config: &SimConfig,
    shared: &TcpListener,
    roots: &[(Venue, TcpListener)],
) -> io::Result<SimReady> {
    let (web, socket) = if config.tls { ("https", "wss") } else { ("http", "ws") };
    let address = shared.local_addr()?;
    let url = format!("{web}://{address}");
    let mut venues = Vec::new();
    for (venue, listener) in roots {
        let of = config.accounts.iter().filter(|account| account.venue == *venue);
        let keys: Vec<(String, KeyConfig)> =
            of.flat_map(|a| a.keys.iter().map(|key| (a.name.clone(), key.clone()))).collect();
        let desk = keys.iter().find(|(_, key)| matches!(key.secret, KeySecret::Hmac(_)));
        let (key, secret) =
            desk.map(|(_, key)| (key.id.clone(), key.holder.clone())).unwrap_or_default();
        let root = listener.local_addr()?;
        venues.push(VenueReady {
            venue: *venue,
            rest: format!("{web}://{root}"),
            ws: format!("{socket}://{root}"),
            prefixed: format!("{url}/{}", venue.name()),
            key,
            secret,
            keys,
        });
    }
    let ca = config.tls.then(|| tls::ca_path(&config.data_dir));
    Ok(SimReady { address, url, ca, venues })
}

async fn accept(
    listener: TcpListener,
    venue: Option<Venue>,
    world: Shared,
    acceptor: Option<Arc<rustls::ServerConfig>>,
    control: bool,
) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of file descriptors, most likely: wait for some to come free.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let place = http::Place { venue, control, peer };
        let (world, acceptor) = (world.clone(), acceptor.clone());
        tokio::task::spawn_local(async move {
            match acceptor {
                None => http::serve(stream, place, world).await,
                Some(config) => {
                    let shaking = TlsAcceptor::from(config).accept(stream);
                    let shaken = tokio::time::timeout(Duration::from_secs(10), shaking).await;
                    if let Ok(Ok(stream)) = shaken {
                        http::serve(stream, place, world).await;
                    }
                }
            }
        });
    }
}

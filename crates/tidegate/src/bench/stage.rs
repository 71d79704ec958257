//! What the benchmark measures against: the simulator, nginx, and gateways, each a process of its
//! own in a folder that is thrown away.

use super::wire::{Connection, Target};
use crate::cli::args::Common;
use crate::cli::output::Failure;
use crate::cli::reach::ask;
use crate::http::trust;
use crate::process::{Recipe, Running, own};
use aws_lc_rs::hmac;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tidegate_server::admin::protocol::{
    GrantSpec, LimitsSpec, RepeatSpec, Request, Status, TermsSpec,
};
use tidegate_server::config::{self, Config, Durability};
use tidegate_server::folder::DataFolder;

const PATIENCE: Duration = Duration::from_secs(30);
/// The venue, account and caller of every side.
const VENUE: &str = "binance";
const ACCOUNT: &str = "bench";
const CALLER: &str = "bench";

/// A simulator.
pub struct Sim {
    /// The process.
    pub running: Running,
    /// What it told.
    pub told: Value,
}

/// A gateway on its own data folder.
pub struct Gateway {
    /// The process.
    pub running: Running,
    /// Its data folder.
    pub dir: PathBuf,
    /// Its address as its certificate and its tokens name it.
    pub url: String,
    /// Its certificate authority.
    pub ca: PathBuf,
    /// Where its caller sends orders.
    pub target: Arc<Target>,
}

/// An nginx that only passes on.
pub struct Nginx {
    child: Child,
    /// Where orders are sent.
    pub target: Arc<Target>,
}

/// Starts a simulator that takes any number of requests.
pub async fn sim(dir: &Path, listen: &str, plain: bool) -> Result<Sim, Failure> {
    sim_with(dir, listen, plain, &["--no-rate-limits"]).await
}

/// Starts a simulator that takes no more requests than the venue does.
pub async fn limited_sim(dir: &Path, plain: bool) -> Result<Sim, Failure> {
    sim_with(dir, "127.0.0.1:0", plain, &[]).await
}

async fn sim_with(dir: &Path, listen: &str, plain: bool, more: &[&str]) -> Result<Sim, Failure> {
    let mut args = words(&["sim", "--json", "--control", "--listen", listen]);
    args.extend(words(more));
    if plain {
        args.push("--plain-http".into());
    }
    args.extend(words(&["--venues", VENUE, "--data-dir"]));
    args.push(dir.into());
    let (running, told) = begin("sim", args, dir).await?;
    Ok(Sim { running, told })
}

/// Orders straight to the simulator.
pub fn direct(sim: &Sim, price: &str) -> Result<Arc<Target>, Failure> {
    let (key, secret) =
        (word(&sim.told, "/venues/binance/key")?, word(&sim.told, "/venues/binance/secret")?);
    let url = word(&sim.told, "/venues/binance/prefixed")?;
    target(&url, &word(&sim.told, "/ca")?, (&key, &secret), price)
}

/// Makes a data folder, imports the simulator's key and starts a gateway on it.
pub async fn gateway(
    dir: &Path,
    sim: &Sim,
    durability: Durability,
    price: &str,
) -> Result<Gateway, Failure> {
    own(&["init", "--desk", "bench", "--key-file", "--breakers", "none"], dir, None)
        .map_err(|e| failed(&e))?;
    let folder = DataFolder::new(dir);
    let mut config = Config::load(&folder).map_err(|e| failed(&e.to_string()))?;
    let url = word(&sim.told, "/venues/binance/prefixed")?;
    config.listen.address = ([127, 0, 0, 1], 0).into();
    config.listen.client_certificates = true;
    config.journal.durability = durability;
    config.requests.per_second = 1_000_000;
    config.requests.burst = 1_000_000;
    config.venues.insert(
        VENUE.to_owned(),
        config::Venue { ws: url.replacen("http", "ws", 1), rest: url, ..config::Venue::default() },
    );
    let text = config.to_toml().map_err(|e| failed(&e.to_string()))?;
    std::fs::write(folder.config(), text).map_err(|e| failed(&e.to_string()))?;
    let key = json!({
        "key": word(&sim.told, "/venues/binance/key")?,
        "secret": word(&sim.told, "/venues/binance/secret")?,
    });
    let import = ["venue-key", "import", "--account", ACCOUNT, "--venue", VENUE];
    own(&import, dir, Some(key.to_string())).map_err(|e| failed(&e))?;
    let (running, told) = serve(dir).await?;
    let (key, secret) = seat(dir).await?;
    let url = format!("{}/{VENUE}", word(&told, "/gateway")?);
    let ca = word(&told, "/ca")?;
    let target = target(&url, &ca, (&key, &secret), price)?;
    let url = format!("https://localhost:{}", target.address.port());
    Ok(Gateway { running, dir: dir.to_owned(), url, ca: ca.into(), target })
}

/// Starts a gateway on a data folder.
pub async fn serve(dir: &Path) -> Result<(Running, Value), Failure> {
    let mut args = words(&["serve", "--json", "--data-dir"]);
    args.push(dir.into());
    begin("gateway", args, dir).await
}

/// Starts nginx as a reverse proxy with the gateway's certificate, if it is installed.
pub fn nginx(dir: &Path, sim: &Sim, gateway: &Gateway, price: &str) -> Result<Nginx, Failure> {
    let upstream = word(&sim.told, "/gateway")?.replace("http://", "");
    let listen = free_port()?;
    let folder = DataFolder::new(&gateway.dir);
    let text = format!(
        "worker_processes 1;\npid {dir}/nginx.pid;\nerror_log {dir}/error.log;\n\
         events {{ worker_connections 1024; }}\nhttp {{\n  access_log off;\n\
         client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/f;\n\
         uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;\n\
         upstream sim {{ server {upstream}; keepalive 256; }}\n\
         server {{\n    listen {listen} ssl;\n    ssl_protocols TLSv1.3;\n\
         ssl_certificate {chain};\n    ssl_certificate_key {key};\n    keepalive_requests 100000000;\n\
         location / {{ proxy_pass http://sim; proxy_http_version 1.1; proxy_set_header Connection \"\"; }}\n\
         }}\n}}\n",
        dir = dir.display(),
        chain = folder.chain().display(),
        key = folder.tls_key().display(),
    );
    std::fs::create_dir_all(dir).map_err(|e| failed(&e.to_string()))?;
    std::fs::write(dir.join("nginx.conf"), text).map_err(|e| failed(&e.to_string()))?;
    let child = Command::new("nginx")
        .arg("-p")
        .arg(dir)
        .arg("-c")
        .arg(dir.join("nginx.conf"))
        .args(["-g", "daemon off;"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| {
            Failure::new(
                "nginx",
                format!("nginx did not start: {e}"),
                "apt-get install nginx-light",
            )
        })?;
    wait_for(listen)?;
    let keys =
        (word(&sim.told, "/venues/binance/key")?, word(&sim.told, "/venues/binance/secret")?);
    let url = format!("https://{listen}/{VENUE}");
    let target = target(&url, &folder.ca().display().to_string(), (&keys.0, &keys.1), price)?;
    Ok(Nginx { child, target })
}

impl Nginx {
    /// The master's process id; its workers are its children.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it.
    pub fn stop(mut self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(0));
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

/// The gateway's status.
pub fn status(dir: &Path) -> Result<Status, Failure> {
    let value = ask(&common(dir), &Request::Status {}, PATIENCE)?;
    serde_json::from_value(value).map_err(|e| failed(&e.to_string()))
}

/// Halts everything over the local socket and waits until that is proven.
pub fn halt(dir: &Path) -> Result<(), Failure> {
    let (scope, reason) = ("all".to_owned(), "bench".to_owned());
    let (allow_reduce, flatten) = (false, false);
    let halt = Request::Halt { scope, reason, timeout_s: 300, allow_reduce, flatten };
    ask(&common(dir), &halt, Duration::from_secs(330)).map(|_| ())
}

/// Lifts that.
pub fn resume(dir: &Path) -> Result<(), Failure> {
    let (scope, reason) = ("all".to_owned(), "bench".to_owned());
    ask(&common(dir), &Request::Resume { scope, reason }, PATIENCE).map(|_| ())
}

/// Waits until every account is open.
pub async fn wait_open(dir: &Path) -> Result<Status, Failure> {
    let began = Instant::now();
    loop {
        if let Ok(status) = status(dir) {
            let open = status.accounts.iter().all(|account| account.open);
            if open && !status.accounts.is_empty() {
                return Ok(status);
            }
            if began.elapsed() > PATIENCE {
                let why = status.accounts.first().map(|a| a.why.clone()).unwrap_or_default();
                return Err(failed(&format!("the account did not open within 30 s: {why}")));
            }
        } else if began.elapsed() > PATIENCE {
            return Err(failed("the gateway does not answer"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until an order is taken: the first mark prices come some time after the account is open.
pub fn wait_taken(target: &Target) -> Result<(), Failure> {
    let began = Instant::now();
    let bad = |e: std::io::Error| failed(&e.to_string());
    let mut connection = Connection::open(target, PATIENCE).map_err(bad)?;
    loop {
        connection.prepare(target);
        match connection.exchange().map_err(bad)? {
            answer if answer.ok => return Ok(()),
            answer if began.elapsed() > PATIENCE => {
                return Err(failed(&format!("no order was taken: {}", answer.body)));
            }
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// A price that the collar lets through and that cannot trade: one percent below the mark.
pub async fn safe_price(sim: &Sim) -> Result<String, Failure> {
    price(sim, 0.99).await
}

/// A price at this share of the mark.
pub async fn price(sim: &Sim, share: f64) -> Result<String, Failure> {
    let ca = sim.told.get("ca").and_then(Value::as_str).map(PathBuf::from);
    let url = word(&sim.told, "/venues/binance/prefixed")?;
    let mut client =
        crate::http::Client::new(&url, ca.as_deref()).map_err(|e| failed(&e.to_string()))?;
    let answer =
        client.send("GET", "/fapi/v1/premiumIndex?symbol=BTCUSDT", &[], String::new()).await;
    let (_, body) = answer.map_err(|e| failed(&e.to_string()))?;
    let mark: Value = serde_json::from_str(&body).map_err(|e| failed(&e.to_string()))?;
    let mark: f64 =
        word(&mark, "/markPrice")?.parse().map_err(|_| failed("the mark is no number"))?;
    Ok(format!("{:.1}", mark * share))
}

/// What the exchange says of the desk account's position, as it writes it.
pub async fn position(sim: &Sim) -> Result<String, Failure> {
    let bad = |e: std::io::Error| failed(&e.to_string());
    let (key, secret) =
        (word(&sim.told, "/venues/binance/key")?, word(&sim.told, "/venues/binance/secret")?);
    let url = word(&sim.told, "/venues/binance/prefixed")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
    let query = format!("symbol=BTCUSDT&timestamp={now}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), query.as_bytes());
    let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let target = format!("/fapi/v2/positionRisk?{query}&signature={tag}");
    let mut client = crate::http::Client::new(&url, None).map_err(bad)?;
    let headers = [("x-mbx-apikey", key)];
    let (_, body) = client.send("GET", &target, &headers, String::new()).await.map_err(bad)?;
    let rows: Value = serde_json::from_str(&body).map_err(|e| failed(&e.to_string()))?;
    word(&rows, "/0/positionAmt")
}

async fn seat(dir: &Path) -> Result<(String, String), Failure> {
    let common = common(dir);
    let ask = |request: &Request| ask(&common, request, PATIENCE);
    let (venue, account) = (VENUE.to_owned(), ACCOUNT.to_owned());
    // Its orders are to trade, with each other too.
    let self_trade = Some("off".to_owned());
    ask(&Request::AccountAdd { venue, account, self_trade })?;
    let huge = "10000000000".to_owned();
    ask(&Request::LimitsSet(LimitsSpec {
        account: ACCOUNT.to_owned(),
        max_order_qty: Vec::new(),
        max_order_notional: huge.clone(),
        max_open_notional: huge.clone(),
        max_position_notional: huge.clone(),
        max_exposure: huge,
        collar_bps: 2_000,
        option_collar_bps: 5_000,
        max_mark_age_ms: 10_000,
        orders_per_second: 1_000_000,
        burst: 1_000_000,
        repeat_window_ms: 0,
        on_repeat: RepeatSpec::Refuse,
        dead_man_s: 0,
    }))?;
    let keys = caller(dir, CALLER)?;
    wait_open(dir).await?;
    Ok(keys)
}

/// The targets of so many callers more, which share the gateway's account.
pub fn callers(gateway: &Gateway, count: usize) -> Result<Vec<Arc<Target>>, Failure> {
    let more = (0..count).map(|n| {
        let (key, secret) = caller(&gateway.dir, &format!("caller{n}"))?;
        Ok(Arc::new(gateway.target.with_key(&key, &secret)))
    });
    more.collect()
}

/// Adds a caller that may do anything; its key and secret.
fn caller(dir: &Path, name: &str) -> Result<(String, String), Failure> {
    granted(dir, name)?;
    let made = administer(dir, &key_for(name, None))?;
    Ok((word(&made, "/id")?, word(&made, "/secret")?))
}

/// Asks the gateway's administration.
pub fn administer(dir: &Path, request: &Request) -> Result<Value, Failure> {
    ask(&common(dir), request, PATIENCE)
}

/// What asks for a virtual key of a caller on the account; of its own public key, or of a secret.
pub fn key_for(caller: &str, public: Option<String>) -> Request {
    let (caller, account) = (caller.to_owned(), ACCOUNT.to_owned());
    Request::KeyAdd { caller, account, public, terms: TermsSpec::default() }
}

/// Adds a caller that may do anything on the account.
pub fn granted(dir: &Path, name: &str) -> Result<(), Failure> {
    let common = common(dir);
    let ask = |request: &Request| ask(&common, request, PATIENCE);
    let huge = "10000000000".to_owned();
    ask(&Request::CallerAdd { caller: name.to_owned() })?;
    ask(&Request::GrantSet(GrantSpec {
        caller: name.to_owned(),
        account: ACCOUNT.to_owned(),
        trade: true,
        instruments: vec!["*".to_owned()],
        sides: Vec::new(),
        order_types: Vec::new(),
        reduce_only: false,
        max_order_qty: None,
        max_order_notional: huge.clone(),
        max_open_notional: huge,
        max_daily_notional: None,
        orders_per_second: 1_000_000,
        burst: 1_000_000,
        settings: false,
        account_wide: false,
        hours: None,
        days: None,
        until_ms: None,
    }))
    .map(|_| ())
}

fn target(url: &str, ca: &str, key: (&str, &str), price: &str) -> Result<Arc<Target>, Failure> {
    let url: hyper::Uri = url.parse().map_err(|_| failed("a URL cannot be read"))?;
    let authority = url.authority().map(|a| a.as_str().to_owned()).unwrap_or_default();
    let address: SocketAddr = authority.parse().map_err(|_| failed("an address cannot be read"))?;
    let tls = trust(Some(Path::new(ca))).map_err(|e| failed(&e.to_string()))?;
    Ok(Arc::new(Target {
        address,
        tls: Arc::new(tls),
        prefix: url.path().trim_end_matches('/').to_owned(),
        key: key.0.to_owned(),
        signer: hmac::Key::new(hmac::HMAC_SHA256, key.1.as_bytes()),
        price: price.to_owned(),
        crossing: None,
        count: 0.into(),
        ready: Vec::new(),
    }))
}

async fn begin(
    name: &'static str,
    args: Vec<OsString>,
    dir: &Path,
) -> Result<(Running, Value), Failure> {
    let log = dir.with_extension("log");
    let recipe = Recipe { name, args, input: None, tells: true, log };
    let started = Running::start(recipe, PATIENCE).await;
    started.map_err(|e| failed(&format!("{name} did not start: {e}")))
}

fn wait_for(address: SocketAddr) -> Result<(), Failure> {
    for _ in 0..200 {
        if std::net::TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(failed(&format!("nothing listens at {address}")))
}

/// A loopback address that nothing listens on.
pub fn free_port() -> Result<SocketAddr, Failure> {
    let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    free.map_err(|e| failed(&e.to_string()))
}

fn common(dir: &Path) -> Common {
    Common { data_dir: Some(dir.to_owned()), json: true, url: None, die_with_parent: false }
}

/// A text in what a process told.
pub fn word(value: &Value, path: &str) -> Result<String, Failure> {
    let found = value.pointer(path).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| failed(&format!("{path} is missing")))
}

fn words(list: &[&str]) -> Vec<OsString> {
    list.iter().map(OsString::from).collect()
}

/// A failure of the benchmark's own.
pub fn failed(what: &str) -> Failure {
    Failure::new("bench", what, "see the logs in the folder that was named")
}

//! Commands that stay in the foreground: the simulator and the gateway.

use super::args::{Common, Serve, Sim};
use super::output::{Exit, Failure, print, say};
use super::reach::data_dir;
use serde_json::{Map, Value, json};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use tidegate_server::folder::DataFolder;
use tidegate_server::gateway::{GatewayConfig, Ready};
use tidegate_server::setup;
use tidegate_sim::config::{KeySecret, Limits, SimConfig};
use tidegate_sim::engine::Venue;
use tidegate_sim::{SimError, SimReady};
use tokio::signal::unix::{SignalKind, signal};

/// The seed when none is given.
pub const SEED: u64 = 1;

/// `tidegate sim`
pub fn sim(common: &Common, args: &Sim) -> Result<(), Failure> {
    let dir = match &common.data_dir {
        Some(dir) => dir.clone(),
        None => data_dir(common)?.with_file_name("tidegate-sim"),
    };
    let venues = venues(&args.venues)?;
    let mut config =
        SimConfig::standard(dir.clone(), args.listen, args.seed.unwrap_or(SEED), &venues);
    config.tls = !args.plain_http;
    config.control = args.control;
    config.limits = if args.no_rate_limits { Limits::WIDE } else { Limits::VENUE };
    let json = common.json;
    let ready = move |told: SimReady| {
        let text = sim_text(&told);
        print(json, &sim_object(&told, &dir), &text);
    };
    runtime()?.block_on(tidegate_sim::run(config, ready, stopped())).map_err(|error| {
        let failure = Failure::new("sim", error.to_string(), hint_of(&error));
        let exit = if error.is_other_seed() { Exit::Usage } else { Exit::Failed };
        Failure { exit, ..failure }
    })
}

/// `tidegate serve`. Where the vault opens by a passphrase, it is the first line of standard input,
/// which only the signer reads.
pub fn serve(common: &Common, args: &Serve) -> Result<(), Failure> {
    let (folder, mut config) = super::folder::open(common)?;
    if let Some(listen) = args.listen {
        config.listen.address = listen;
    }
    let passphrase = if folder.vault_key().exists() {
        None
    } else {
        say("the passphrase, on one line: ");
        Some(io::stdin().as_fd().try_clone_to_owned().map_err(internal)?)
    };
    let signer = setup::signer_config(&folder, passphrase)
        .map_err(|error| Failure::new("signer", error.0, ""))?;
    let json = common.json;
    let place = folder.clone();
    let ready = move |told: &Ready| {
        let object = serve_object(told, &place);
        let url = object.get("gateway").and_then(Value::as_str).unwrap_or_default().to_owned();
        let text = format!("tidegate serves {url}; the console is at {}", told.console);
        print(json, &object, &text);
    };
    let gateway = GatewayConfig { folder, config, signer };
    runtime()?
        .block_on(tidegate_server::gateway::run(gateway, ready))
        .map_err(|error| Failure::new("gateway", error.to_string(), "run `tidegate doctor`"))
}

/// The venues of these names; all without any.
pub fn venues(names: &[String]) -> Result<Vec<Venue>, Failure> {
    if names.is_empty() {
        return Ok(Venue::ALL.to_vec());
    }
    let find = |name: &String| {
        Venue::ALL.iter().copied().find(|venue| venue.name() == name.as_str()).ok_or_else(|| {
            let known: Vec<&str> = Venue::ALL.iter().map(|venue| venue.name()).collect();
            Failure::usage(
                format!("no venue is called {name}"),
                format!("there are {}", known.join(", ")),
            )
        })
    };
    names.iter().map(find).collect()
}

/// The ready line: the contract's keys, `null` for what does not exist.
pub fn ready_object(
    gateway: &str,
    ca: Option<&Path>,
    dir: &Path,
    pids: Value,
    venues: Value,
) -> Value {
    json!({
        "gateway": gateway, "ca": ca, "proxy": null, "console": null, "admin": null,
        "pids": pids, "data_dir": dir, "venues": venues,
    })
}

fn sim_object(told: &SimReady, dir: &Path) -> Value {
    let venues: Map<String, Value> = told
        .venues
        .iter()
        .map(|venue| {
            let keys: Vec<Value> = venue.keys.iter().map(|(account, key)| {
                let scheme = match key.secret {
                    KeySecret::Hmac(_) => "hmac",
                    KeySecret::Ed25519(_) => "ed25519",
                };
                json!({"account": account, "key": key.id, "secret": key.holder, "scheme": scheme,
                       "trade": key.trade, "withdraw": key.withdraw})
            }).collect();
            let object = json!({
                "rest": venue.rest, "ws": venue.ws, "key": venue.key, "secret": venue.secret,
                "passphrase": null, "prefixed": venue.prefixed, "keys": keys,
            });
            (venue.venue.name().to_owned(), object)
        })
        .collect();
    let pids = json!({"gateway": null, "signer": null, "sim": std::process::id()});
    ready_object(&told.url, told.ca.as_deref(), dir, pids, Value::Object(venues))
}

fn sim_text(told: &SimReady) -> String {
    let mut text = format!("the simulator listens at {}", told.url);
    if let Some(ca) = &told.ca {
        text.push_str(&format!("\ntrust {}", ca.display()));
    }
    for venue in &told.venues {
        text.push_str(&format!(
            "\n{}\n  rest   {}\n  ws     {}\n  key    {}\n  secret {}",
            venue.venue.name(),
            venue.rest,
            venue.ws,
            venue.key,
            venue.secret
        ));
    }
    text
}

fn serve_object(told: &Ready, folder: &DataFolder) -> Value {
    let (web, socket) = if told.tls { ("https", "wss") } else { ("http", "ws") };
    let venues: Map<String, Value> = told
        .venues
        .iter()
        .map(|(name, address)| {
            let object = json!({
                "rest": format!("{web}://{address}"), "ws": format!("{socket}://{address}"),
                "key": null, "secret": null, "passphrase": null,
                "prefixed": format!("{web}://{}/{name}", told.address),
            });
            (name.clone(), object)
        })
        .collect();
    let url = format!("{web}://{}", told.address);
    let pids = json!({"gateway": std::process::id(), "signer": told.signer_pid, "sim": null});
    let ca = told.tls.then(|| folder.ca());
    let mut object = ready_object(&url, ca.as_deref(), folder.path(), pids, Value::Object(venues));
    if let Some(console) = object.get_mut("console") {
        *console = told.console.clone().into();
    }
    object
}

/// One thread serves everything; what blocks has threads of its own.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(internal)
}

/// Waits for SIGINT or SIGTERM.
pub async fn stopped() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

fn internal(error: io::Error) -> Failure {
    Failure::new("system", error.to_string(), "free memory or file descriptors")
}

fn hint_of(error: &SimError) -> &'static str {
    if error.is_other_seed() {
        "give the folder's own seed, or another --data-dir"
    } else {
        "check the folder and the address"
    }
}

/// One of the demo's bots.
pub fn bot(bot: crate::bots::Bot) -> Result<(), Failure> {
    runtime()?
        .block_on(crate::bots::run(bot))
        .map_err(|error| Failure::new("bot", error.to_string(), "the demo starts it"))
}

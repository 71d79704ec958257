//! `tidegate sim`: the simulator alone; and the demo's bots, which trade there.

use super::args::{Common, Sim};
use super::output::{Exit, Failure, print};
use super::reach::data_dir;
use super::run::{ready_object, runtime};
use serde_json::{Map, Value, json};
use std::path::Path;
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

/// One of the demo's bots.
pub fn bot(bot: crate::bots::Bot) -> Result<(), Failure> {
    runtime()?
        .block_on(crate::bots::run(bot))
        .map_err(|error| Failure::new("bot", error.to_string(), "the demo starts it"))
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

fn hint_of(error: &SimError) -> &'static str {
    if error.is_other_seed() {
        "give the folder's own seed, or another --data-dir"
    } else {
        "check the folder and the address"
    }
}

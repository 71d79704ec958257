//! From the revocation of a key to the end of its last socket: private streams that nothing comes on,
//! with the gateway at rest and with other callers sending orders as fast as they can.

use super::load::{Load, run};
use super::machine::machine;
use super::stage::{self, Gateway, failed, word};
use super::wire::{Connection, Target};
use crate::cli::args::Bench;
use crate::cli::output::{Failure, say};
use serde_json::{Value, json};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tidegate_server::admin::protocol::Request;
use tidegate_server::config::Durability;

const SOCKETS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(15);

/// Times in ms, from the command on.
struct Round {
    /// Until the command is answered, with its record on the disk.
    answered: f64,
    /// Until each socket ended, sorted.
    ended: Vec<f64>,
}

/// Measures and gives the figures and a table.
pub async fn measure(dir: &Path, args: &Bench) -> Result<(Value, String), Failure> {
    say("starting a simulator and a gateway");
    let sim = stage::sim(&dir.join("sim"), "127.0.0.1:0", true).await?;
    let price = stage::safe_price(&sim).await?;
    let gateway = stage::gateway(&dir.join("gateway"), &sim, Durability::Disk, &price).await?;
    stage::wait_taken(&gateway.target)?;
    let (mut rest, mut load) = (Vec::new(), Vec::new());
    for number in 0..args.rounds {
        say(&format!("round {} of {}", number + 1, args.rounds));
        rest.push(round(&gateway, &format!("rest{number}"))?);
        load.push(under_load(&gateway, &format!("load{number}"), args.connections)?);
    }
    Ok(told(&[("at rest", rest), ("other callers at full load", load)]))
}

fn under_load(gateway: &Gateway, name: &str, connections: usize) -> Result<Round, Failure> {
    let done = Arc::new(AtomicBool::new(false));
    let (target, ended) = (Arc::clone(&gateway.target), Arc::clone(&done));
    let pushing = std::thread::spawn(move || -> io::Result<()> {
        while !ended.load(Ordering::Relaxed) {
            run(&target, Load { connections, rate: None, time: Duration::from_millis(500) })?;
        }
        Ok(())
    });
    let round = round(gateway, name);
    done.store(true, Ordering::Relaxed);
    let pushed = pushing.join().map_err(|_| failed("the load ended early"))?;
    pushed.map_err(|e| failed(&format!("the load: {e}")))?;
    round
}

/// Opens the sockets, revokes their key and waits until the last one has ended.
fn round(gateway: &Gateway, name: &str) -> Result<Round, Failure> {
    stage::granted(&gateway.dir, name)?;
    let made = stage::administer(&gateway.dir, &stage::key_for(name, None))?;
    let id = word(&made, "/id")?;
    let target = gateway.target.with_key(&id, &word(&made, "/secret")?);
    let bad = |e: io::Error| failed(&format!("a private stream: {e}"));
    let stream = stream_key(&target).map_err(bad)?;
    let open = || subscribe(&target, &stream);
    let sockets = (0..SOCKETS).map(|_| open()).collect::<io::Result<Vec<_>>>().map_err(bad)?;
    let began = Instant::now();
    let since = || began.elapsed().as_secs_f64() * 1e3;
    std::thread::scope(|scope| {
        let waiting: Vec<_> = sockets
            .into_iter()
            .map(|mut socket| scope.spawn(move || socket.drain().map(|()| since())))
            .collect();
        stage::administer(&gateway.dir, &Request::KeyRevoke { id })?;
        let answered = since();
        let ended = waiting.into_iter().map(|thread| {
            let end = thread.join().map_err(|_| failed("a thread ended"))?;
            end.map_err(|e| failed(&format!("a socket did not end: {e}")))
        });
        let mut ended = ended.collect::<Result<Vec<f64>, Failure>>()?;
        ended.sort_by(f64::total_cmp);
        Ok(Round { answered, ended })
    })
}

/// The key of the caller's private stream.
fn stream_key(target: &Target) -> io::Result<String> {
    let mut connection = Connection::open(target, PATIENCE)?;
    let said = connection.ask(&format!(
        "POST {}/fapi/v1/listenKey HTTP/1.1\r\nhost: localhost\r\nx-mbx-apikey: {}\r\n\
         content-length: 0\r\n\r\n",
        target.prefix, target.key
    ))?;
    let said: Value = serde_json::from_str(&said).map_err(io::Error::other)?;
    let key = said.get("listenKey").and_then(Value::as_str);
    key.map(str::to_owned).ok_or_else(|| io::Error::other(said.to_string()))
}

/// A socket on the private stream.
fn subscribe(target: &Target, stream: &str) -> io::Result<Connection> {
    let mut connection = Connection::open(target, PATIENCE)?;
    connection.upgrade(&format!("{}/ws/{stream}", target.prefix))?;
    Ok(connection)
}

fn told(kinds: &[(&'static str, Vec<Round>)]) -> (Value, String) {
    let mut text = format!(
        "{}\n{SOCKETS} private streams of one key, from the command that revokes it, ms\n",
        machine()
    );
    let mut figures = serde_json::Map::new();
    for (name, rounds) in kinds {
        let worst = |of: &dyn Fn(&Round) -> f64| rounds.iter().map(of).fold(0.0, f64::max);
        let answered = worst(&|round| round.answered);
        let half = worst(&|round| round.ended.get(round.ended.len() / 2).copied().unwrap_or(0.0));
        let last = worst(&|round| round.ended.last().copied().unwrap_or(0.0));
        text.push_str(&format!(
            "{name:<28} answered {answered:>7.1}   half ended {half:>7.1}   last ended {last:>7.1}\n"
        ));
        figures.insert(
            (*name).to_owned(),
            json!({ "answered_ms": answered, "half_ended_ms": half, "last_ended_ms": last }),
        );
    }
    text.push_str(&format!("the worst of {} rounds\n", kinds.first().map_or(0, |k| k.1.len())));
    (json!({ "sockets": SOCKETS, "worst": figures }), text)
}

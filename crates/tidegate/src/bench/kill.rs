//! The kill switch under load: ten callers send orders as fast as they can, a thousand are open, and
//! everything is halted over the local socket. Beside it, in the same minute, the same number of
//! cancels straight to a simulator, over as many connections: what the venue itself allows.

use super::stage::{self, Gateway, Sim, failed};
use super::wire::{Connection, Target};
use crate::cli::args::Bench;
use crate::cli::offline::JOURNAL;
use crate::cli::output::{Failure, say};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tidegate_journal::Reader;
use tidegate_server::clock;
use tidegate_server::config::Durability;
use tidegate_types::ids::{CallId, Seq};
use tidegate_types::record::{Body, Canceller};
use tidegate_types::report::Outcome;
use tidegate_types::time::Time;

const CALLERS: usize = 10;
const OPEN: usize = 1_000;
/// As many as the gateway keeps for cancels at this venue.
const CONNECTIONS: usize = 32;
const PATIENCE: Duration = Duration::from_secs(15);
/// Between the orders that are placed: a little less than the venue takes.
const PACE: Duration = Duration::from_millis(40);
/// What the venue's rate limit refuses is tried again after this, so many times.
const AGAIN: Duration = Duration::from_millis(250);
const TRIES: usize = 400;
/// How long the callers go on after the halt is proven.
const AFTER: Duration = Duration::from_secs(2);

/// One round, times in ms.
struct Round {
    /// The bare cancels, from the first to the last answer.
    bare: f64,
    /// From the command to the halt in force.
    in_force: f64,
    /// From the command to the venue's answer to the last cancel.
    cancelled: f64,
    /// From the command to its answer that nothing is open.
    proven: f64,
    cancels: usize,
    /// Cancels that were refused or not sent, and tried again.
    again: usize,
    /// Orders that left after the halt was in force.
    left_after: usize,
    /// Orders that reached the venue after the halt was proven.
    arrived_after: usize,
    /// What the callers asked for while it was going on.
    asked: u64,
}

/// Measures and gives the figures and a table.
pub async fn measure(dir: &Path, args: &Bench) -> Result<(Value, String), Failure> {
    say("starting two simulators with the venue's limits, and a gateway");
    let bare = stage::limited_sim(&dir.join("bare"), false).await?;
    let sim = stage::limited_sim(&dir.join("sim"), true).await?;
    let direct = stage::direct(&bare, &stage::price(&bare, 0.96).await?)?;
    let price = stage::price(&sim, 0.96).await?;
    let gateway = stage::gateway(&dir.join("gateway"), &sim, Durability::Disk, &price).await?;
    let callers = stage::callers(&gateway, CALLERS)?;
    let mut rounds = Vec::new();
    for number in 0..args.rounds {
        say(&format!("round {} of {}: placing {OPEN} orders", number + 1, args.rounds));
        let name = |n: usize| format!("r{number}-{n}");
        std::thread::scope(|scope| {
            let there = scope.spawn(|| place(&[Arc::clone(&direct)], &name));
            let here = place(&callers, &name);
            here.and(there.join().unwrap_or_else(|_| Err(io::Error::other("a thread ended"))))
        })
        .map_err(|e| failed(&format!("placing orders: {e}")))?;
        rounds.push(one_round(&gateway, &sim, &direct, &callers, &name).await?);
        stage::resume(&gateway.dir)?;
    }
    Ok(told(&rounds))
}

/// Places orders that rest, as fast as the venue takes them.
fn place(targets: &[Arc<Target>], name: &(impl Fn(usize) -> String + Sync)) -> io::Result<()> {
    let connections = targets.iter().map(|target| Connection::open(target, PATIENCE));
    let connections: Vec<_> = connections.collect::<io::Result<_>>()?;
    let own: Vec<_> = targets.iter().map(Arc::as_ref).zip(connections).collect();
    each(own, PACE, |connection, target, n| connection.prepare_resting(target, &name(n)))
}

/// Does something for each of the orders, over these connections, one every `pace`; what is refused
/// is tried again.
fn each(
    connections: Vec<(&Target, Connection)>,
    pace: Duration,
    prepare: impl Fn(&mut Connection, &Target, usize) + Sync,
) -> io::Result<()> {
    let (next, prepare) = (AtomicUsize::new(0), &prepare);
    let one = |target: &Target, connection: &mut Connection, n: usize| -> io::Result<()> {
        let mut said = String::new();
        for _ in 0..TRIES {
            prepare(connection, target, n);
            match connection.exchange()? {
                answer if answer.ok => return Ok(()),
                answer => said = answer.body,
            }
            std::thread::sleep(AGAIN);
        }
        Err(io::Error::other(said))
    };
    // Turns are not made up for after a wait: that would be a burst beyond the venue's limit.
    let turn = Mutex::new(Instant::now());
    let taken = || {
        let mut turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        *turn = (*turn + pace).max(Instant::now());
        *turn
    };
    let (next, one, taken) = (&next, &one, &taken);
    std::thread::scope(|scope| {
        let threads = connections.into_iter().map(|(target, mut connection)| {
            scope.spawn(move || -> io::Result<()> {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= OPEN {
                        return Ok(());
                    }
                    std::thread::sleep(taken().saturating_duration_since(Instant::now()));
                    one(target, &mut connection, n)?;
                }
            })
        });
        let threads: Vec<_> = threads.collect();
        let ended = |_| Err(io::Error::other("a thread ended"));
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(ended))
    })
}

async fn one_round(
    gateway: &Gateway,
    sim: &Sim,
    direct: &Arc<Target>,
    callers: &[Arc<Target>],
    name: &(impl Fn(usize) -> String + Sync),
) -> Result<Round, Failure> {
    let (done, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let flood: Vec<_> = callers
        .iter()
        .map(|target| {
            let (target, done, asked) = (Arc::clone(target), Arc::clone(&done), Arc::clone(&asked));
            std::thread::spawn(move || press(&target, &done, &asked))
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let bare = cancel_all(direct, name).map_err(|e| failed(&format!("bare cancels: {e}")))?;
    let before = asked.load(Ordering::Relaxed);
    let command = clock::now();
    let halted = stage::halt(&gateway.dir);
    let answered = clock::now();
    let arrived = arrivals(sim).await?;
    tokio::time::sleep(AFTER).await;
    let later = arrivals(sim).await?;
    let asked = asked.load(Ordering::Relaxed) - before;
    done.store(true, Ordering::Relaxed);
    for thread in flood {
        let _ = thread.join();
    }
    halted?;
    let story = story(&gateway.dir, command)?;
    let since = |at: Time| ms(at.since(command).micros());
    Ok(Round {
        bare,
        in_force: since(story.halted),
        cancelled: since(story.last_answer),
        proven: since(answered),
        cancels: story.cancelled.len(),
        again: story.again,
        left_after: story.left_after,
        arrived_after: later.saturating_sub(arrived),
        asked,
    })
}

/// Sends orders without pause, whatever the answer.
fn press(target: &Target, done: &AtomicBool, asked: &AtomicU64) {
    while !done.load(Ordering::Relaxed) {
        let Ok(mut connection) = Connection::open(target, PATIENCE) else {
            std::thread::sleep(AGAIN);
            continue;
        };
        while !done.load(Ordering::Relaxed) {
            connection.prepare(target);
            if connection.exchange().is_err() {
                break;
            }
            asked.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Cancels every order straight at the exchange; how long that takes, in ms.
fn cancel_all(target: &Target, name: &(impl Fn(usize) -> String + Sync)) -> io::Result<f64> {
    let connections = (0..CONNECTIONS).map(|_| Ok((target, Connection::open(target, PATIENCE)?)));
    let connections: Vec<_> = connections.collect::<io::Result<_>>()?;
    let began = Instant::now();
    let none = Duration::ZERO;
    each(connections, none, |connection, target, n| connection.prepare_cancel(target, &name(n)))?;
    Ok(ms(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)))
}

/// How many orders reached the exchange.
async fn arrivals(sim: &Sim) -> Result<usize, Failure> {
    super::crash::arrivals(sim).await.map(|arrived| arrived.len())
}

/// What the journal tells of the last halt.
struct Story {
    halted: Time,
    last_answer: Time,
    /// Cancels of the halt's that the venue answered as done.
    cancelled: BTreeSet<CallId>,
    again: usize,
    left_after: usize,
}

fn story(data: &Path, command: Time) -> Result<Story, Failure> {
    let mut reader =
        Reader::open(&data.join(JOURNAL), Seq(0)).map_err(|e| failed(&e.to_string()))?;
    let mut story = Story {
        halted: Time::default(),
        last_answer: Time::default(),
        cancelled: BTreeSet::new(),
        again: 0,
        left_after: 0,
    };
    let (mut cancels, mut orders) = (BTreeSet::new(), BTreeMap::new());
    while let Some((seq, record)) = reader.next_record().map_err(|e| failed(&e.to_string()))? {
        let halted = story.halted != Time::default();
        match record.body {
            Body::Halted { .. } if record.at >= command => story.halted = record.at,
            Body::Cleared { call, .. } => drop(orders.insert(call, seq)),
            Body::CancelCleared { call, by: Canceller::Halt { .. }, .. } => {
                cancels.insert(call);
            }
            Body::Sent { call } if halted => {
                story.left_after += usize::from(orders.contains_key(&call));
            }
            Body::NotSent { call, .. } if halted && cancels.contains(&call) => story.again += 1,
            Body::Replied { call, outcome } if halted && cancels.contains(&call) => match outcome {
                Outcome::Accepted { .. } | Outcome::Done => {
                    story.cancelled.insert(call);
                    story.last_answer = record.at;
                }
                Outcome::Rejected { .. } | Outcome::Unknown { .. } => story.again += 1,
            },
            _ => {}
        }
    }
    match story.cancelled.is_empty() {
        true => Err(failed("the journal tells of no cancel of the halt's")),
        false => Ok(story),
    }
}

#[allow(clippy::cast_precision_loss)]
fn ms(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

fn told(rounds: &[Round]) -> (Value, String) {
    let figures = rounds.iter().map(|round| {
        json!({
            "bare_ms": round.bare, "in_force_ms": round.in_force,
            "last_cancel_ms": round.cancelled, "proven_ms": round.proven,
            "cancels": round.cancels, "cancels_again": round.again,
            "orders_left_after": round.left_after, "orders_arrived_after_proof": round.arrived_after,
            "orders_asked_meanwhile": round.asked,
        })
    });
    let figures: Vec<Value> = figures.collect();
    let mut text = format!(
        "{CALLERS} callers send orders without pause, {OPEN} orders are open, and `halt all` comes over the local \
         socket.\nThe exchange takes 300 orders in 10 s, 1200 a minute, and weight of 2400 a minute; a cancel weighs 1.\n\
         Times in ms from the command; bare: {OPEN} cancels straight to an exchange over {CONNECTIONS} connections,\n\
         under the same load.\n\n{:>9} {:>10} {:>12} {:>9} {:>8} {:>7} {:>12} {:>14} {:>8}\n",
        "bare",
        "in force",
        "last cancel",
        "proven",
        "cancels",
        "again",
        "left after",
        "arrived after",
        "asked"
    );
    for round in rounds {
        let line = format!(
            "{:>9.1} {:>10.2} {:>12.1} {:>9.1} {:>8} {:>7} {:>12} {:>14} {:>8}\n",
            round.bare,
            round.in_force,
            round.cancelled,
            round.proven,
            round.cancels,
            round.again,
            round.left_after,
            round.arrived_after,
            round.asked,
        );
        text.push_str(&line);
    }
    (json!({ "rounds": figures }), text)
}

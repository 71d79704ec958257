//! Kills gateway, signer and simulator in turn, without warning and under load, and counts what was
//! lost or sent twice. The simulator counts what arrived; the journal says what was in flight.

use super::stage::{self, Sim, failed, word};
use super::wire::{Connection, Target};
use crate::cli::args::Bench;
use crate::cli::offline::JOURNAL;
use crate::cli::output::{Failure, say};
use crate::process::Running;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tidegate_journal::Reader;
use tidegate_server::config::Durability;
use tidegate_types::ids::{CallId, Seq};
use tidegate_types::record::Body;

const CONNECTIONS: usize = 16;
/// What is killed, in turn.
const VICTIMS: [&str; 3] = ["gateway", "signer", "sim"];

/// What the journal tells at the end.
#[derive(Default)]
struct Story {
    /// Every client id that was cleared.
    cleared: BTreeSet<String>,
    /// New orders cleared between a start and the account's opening.
    before_opening: u64,
    /// Openings that no reconciliation preceded.
    unreconciled: u64,
    /// Records in all.
    records: u64,
}

/// Runs the kills and checks the outcome.
pub async fn measure(dir: &Path, args: &Bench) -> Result<(Value, String), Failure> {
    let kills = args.rounds.max(3);
    let listen = stage::free_port()?.to_string();
    let mut sim = stage::sim(&dir.join("sim"), &listen, true).await?;
    let price = stage::safe_price(&sim).await?;
    let gateway = stage::gateway(&dir.join("gateway"), &sim, Durability::Disk, &price).await?;
    let data = gateway.dir.clone();
    let mut running = gateway.running;
    // The gateway comes back at the same address.
    fix_address(&data, &gateway.target)?;
    let done = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU64::new(0));
    let load: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            tokio::spawn(press(
                Arc::clone(&gateway.target),
                Arc::clone(&done),
                Arc::clone(&answered),
            ))
        })
        .collect();
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut in_flight, mut each) = (0_u64, BTreeMap::<&str, u64>::new());
    for turn in 0..kills {
        chance =
            chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let victim = VICTIMS[turn as usize % VICTIMS.len()];
        let before = answered.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(50 + (chance >> 33) % 400)).await;
        let from = tail(&data);
        match victim {
            "gateway" => {
                strike(running.pid())?;
                in_flight += u64::from(unanswered(&data, from) > 0);
                running.stop(Duration::from_secs(5)).await;
                running = again(&data).await?;
            }
            "signer" => {
                let signer = stage::status(&data)?
                    .pids
                    .signer
                    .ok_or_else(|| failed("there is no signer"))?;
                strike(signer)?;
                in_flight += u64::from(unanswered(&data, from) > 0);
                wait_signer(&data, signer).await?;
            }
            _ => {
                strike(sim.running.pid())?;
                in_flight += u64::from(unanswered(&data, from) > 0);
                sim.running.stop(Duration::from_secs(5)).await;
                sim = stage::sim(&dir.join("sim"), &listen, true).await?;
            }
        }
        stage::wait_open(&data).await?;
        until_answers(&answered, before).await?;
        *each.entry(victim).or_default() += 1;
        if (turn + 1) % 8 == 0 || turn + 1 == kills {
            say(&format!(
                "{} of {kills} kills, {} orders answered",
                turn + 1,
                answered.load(Ordering::Relaxed)
            ));
        }
    }
    done.store(true, Ordering::Relaxed);
    for task in load {
        let _ = task.await;
    }
    stage::wait_open(&data).await?;
    let arrived = arrivals(&sim).await?;
    running.stop(Duration::from_secs(5)).await;
    let verified = tidegate_journal::verify(&data.join(JOURNAL), None, None)
        .map_err(|e| failed(&e.to_string()))?;
    let story = story(&data)?;
    let lost = arrived.keys().filter(|id| !story.cleared.contains(*id)).count();
    let twice = arrived.values().filter(|count| **count > 1).count();
    let figures = json!({
        "kills": kills, "each": each, "with_orders_between_append_and_reply": in_flight,
        "orders_answered": answered.load(Ordering::Relaxed), "orders_arrived": arrived.len(),
        "cleared": story.cleared.len(), "records": story.records,
        "arrived_but_not_in_journal": lost, "arrived_twice": twice,
        "cleared_before_opening": story.before_opening, "opened_unreconciled": story.unreconciled,
        "journal_whole": verified.is_whole(),
    });
    let bad = lost > 0
        || twice > 0
        || story.before_opening > 0
        || story.unreconciled > 0
        || !verified.is_whole()
        || in_flight * 2 < u64::from(kills)
        || arrived.is_empty();
    if bad {
        return Err(failed(&format!("the crash test found: {figures}")));
    }
    let text = format!(
        "{kills} kills ({in_flight} with orders between append and reply), {} orders arrived at the exchange:\n\
         all of them in the journal, none twice; every account opened only after reconciliation; the journal is whole",
        arrived.len()
    );
    Ok((figures, text))
}

/// Sends orders without pause, whatever happens to the connection.
async fn press(target: Arc<Target>, done: Arc<AtomicBool>, answered: Arc<AtomicU64>) {
    while !done.load(Ordering::Relaxed) {
        let Ok(Ok(mut connection)) =
            tokio::time::timeout(Duration::from_secs(5), Connection::open(&target)).await
        else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        while !done.load(Ordering::Relaxed) {
            match tokio::time::timeout(Duration::from_secs(15), connection.exchange(&target)).await
            {
                Ok(Ok(answer)) => {
                    answered.fetch_add(u64::from(answer.ok), Ordering::Relaxed);
                    if !answer.ok {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
                Ok(Err(_)) | Err(_) => break,
            }
        }
    }
}

/// Kills a process the hard way.
fn strike(pid: u32) -> Result<(), Failure> {
    let pid = i32::try_from(pid).map_err(|_| failed("no such process"))?;
    kill(Pid::from_raw(pid), Signal::SIGKILL).map_err(|e| failed(&format!("kill {pid}: {e}")))
}

async fn again(data: &Path) -> Result<Running, Failure> {
    Ok(stage::serve(data).await?.0)
}

async fn wait_signer(data: &Path, old: u32) -> Result<(), Failure> {
    for _ in 0..1000 {
        if stage::status(data).is_ok_and(|status| status.pids.signer.is_some_and(|pid| pid != old))
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(failed("the signer was not started again"))
}

async fn until_answers(answered: &AtomicU64, before: u64) -> Result<(), Failure> {
    for _ in 0..3000 {
        if answered.load(Ordering::Relaxed) > before {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(failed("no order was answered within 30 s of a kill"))
}

/// Where the journal ends, by its records.
fn tail(data: &Path) -> Seq {
    let Ok(mut reader) = Reader::open(&data.join(JOURNAL), Seq(0)) else { return Seq(0) };
    while let Ok(Some(_)) = reader.next_entry() {}
    Seq(reader.next_seq().0.saturating_sub(4 * CONNECTIONS as u64))
}

/// How many calls of the journal's tail were cleared and not answered.
fn unanswered(data: &Path, from: Seq) -> usize {
    let Ok(mut reader) = Reader::open(&data.join(JOURNAL), from) else { return 0 };
    let mut open: BTreeSet<CallId> = BTreeSet::new();
    while let Ok(Some((_, record))) = reader.next_record() {
        match record.body {
            Body::Cleared { call, .. } => {
                open.insert(call);
            }
            Body::Replied { call, .. } | Body::NotSent { call, .. } => {
                open.remove(&call);
            }
            _ => {}
        }
    }
    open.len()
}

fn story(data: &Path) -> Result<Story, Failure> {
    let mut reader =
        Reader::open(&data.join(JOURNAL), Seq(0)).map_err(|e| failed(&e.to_string()))?;
    let (mut story, mut open, mut reconciled) = (Story::default(), false, false);
    while let Some((_, record)) = reader.next_record().map_err(|e| failed(&e.to_string()))? {
        story.records += 1;
        match record.body {
            Body::Started { .. } | Body::Closed { .. } => (open, reconciled) = (false, false),
            Body::Reconciled { .. } => reconciled = true,
            Body::Opened { .. } => {
                story.unreconciled += u64::from(!reconciled);
                open = true;
            }
            Body::Cleared { client_id, .. } => {
                story.before_opening += u64::from(!open);
                story.cleared.insert(client_id.to_string());
            }
            _ => {}
        }
    }
    Ok(story)
}

/// What reached the exchange, by client id.
async fn arrivals(sim: &Sim) -> Result<BTreeMap<String, u64>, Failure> {
    let url = word(&sim.told, "/gateway")?;
    let mut client = crate::http::Client::new(&url, None).map_err(|e| failed(&e.to_string()))?;
    let answer = client.send("GET", "/sim/arrivals?venue=binance", &[], String::new()).await;
    let (_, body) = answer.map_err(|e| failed(&e.to_string()))?;
    serde_json::from_str(&body).map_err(|e| failed(&format!("arrivals: {e}")))
}

fn fix_address(data: &Path, target: &Target) -> Result<(), Failure> {
    use tidegate_server::config::Config;
    use tidegate_server::folder::DataFolder;
    let folder = DataFolder::new(data);
    let mut config = Config::load(&folder).map_err(|e| failed(&e.to_string()))?;
    config.listen.address = target.address;
    let text = config.to_toml().map_err(|e| failed(&e.to_string()))?;
    std::fs::write(folder.config(), text).map_err(|e| failed(&e.to_string()))
}

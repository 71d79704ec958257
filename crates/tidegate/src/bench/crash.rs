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
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tidegate_journal::Reader;
use tidegate_server::config::Durability;
use tidegate_types::ids::{CallId, Seq};
use tidegate_types::record::Body;
use tidegate_types::report::AccountEvent;

const CONNECTIONS: usize = 16;
/// How long a connection of the load waits for anything.
const PATIENCE: Duration = Duration::from_secs(15);
/// What is killed, in turn.
const VICTIMS: [&str; 3] = ["gateway", "signer", "sim"];

/// What the journal tells at the end.
#[derive(Default)]
struct Story {
    /// Every client id that was cleared.
    cleared: BTreeSet<String>,
    /// Orders that add to a position and were cleared before the account opened.
    before_opening: u64,
    /// Openings that no reconciliation preceded.
    unreconciled: u64,
    /// Fills that the exchange told of.
    fills: u64,
    /// Records in all.
    records: u64,
}

/// The processes, and what is counted while they are killed.
struct Run {
    dir: PathBuf,
    data: PathBuf,
    listen: String,
    sim: Sim,
    gateway: Option<Running>,
    /// Where the journal ended when it was last looked at.
    end: Seq,
    arrived: BTreeMap<String, u64>,
    in_flight: u64,
    /// How long it took from each kill until an order was answered again.
    back: BTreeMap<&'static str, Vec<Duration>>,
}

/// Runs the kills and checks the outcome.
pub async fn measure(dir: &Path, args: &Bench) -> Result<(Value, String), Failure> {
    let kills = args.rounds.max(3);
    let listen = stage::free_port()?.to_string();
    let sim = stage::sim(&dir.join("sim"), &listen, true).await?;
    let price = stage::safe_price(&sim).await?;
    let gateway = stage::gateway(&dir.join("gateway"), &sim, Durability::Disk, &price).await?;
    let target = Arc::new(gateway.target.trading(stage::price(&sim, 1.01).await?));
    // The gateway comes back at the same address.
    fix_address(&gateway.dir, &target)?;
    let (dir, data) = (dir.to_owned(), gateway.dir);
    let mut run = Run {
        dir,
        data,
        listen,
        sim,
        gateway: Some(gateway.running),
        end: Seq(0),
        arrived: BTreeMap::new(),
        in_flight: 0,
        back: BTreeMap::new(),
    };
    let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let load: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (target, done, answered) =
                (Arc::clone(&target), Arc::clone(&done), Arc::clone(&answered));
            std::thread::spawn(move || press(&target, &done, &answered))
        })
        .collect();
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    for (turn, victim) in (0..kills).zip(VICTIMS.iter().cycle()) {
        chance =
            chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tokio::time::sleep(Duration::from_millis(50 + (chance >> 33) % 400)).await;
        run.kill(victim, &answered).await?;
        if (turn + 1) % 8 == 0 || turn + 1 == kills {
            run.note_arrivals().await?;
            let answered = answered.load(Ordering::Relaxed);
            say(&format!("{} of {kills} kills, {answered} orders answered", turn + 1));
        }
    }
    done.store(true, Ordering::Relaxed);
    for thread in load {
        let _ = thread.join();
    }
    run.judge(kills, answered.load(Ordering::Relaxed)).await
}

impl Run {
    /// Kills one process under load and waits until orders are answered again.
    async fn kill(&mut self, victim: &'static str, answered: &AtomicU64) -> Result<(), Failure> {
        let from = self.tail();
        let gone = |what: &str| failed(&format!("there is no {what}"));
        let pid = match victim {
            "gateway" => self.gateway.as_ref().ok_or_else(|| gone(victim))?.pid(),
            "signer" => stage::status(&self.data)?.pids.signer.ok_or_else(|| gone(victim))?,
            _ => self.sim.running.pid(),
        };
        strike(pid)?;
        let began = Instant::now();
        self.in_flight += u64::from(unanswered(&self.data, from) > 0);
        match victim {
            "gateway" => {
                if let Some(dead) = self.gateway.take() {
                    dead.stop(Duration::from_secs(5)).await;
                }
                self.gateway = Some(stage::serve(&self.data).await?.0);
            }
            "signer" => wait_signer(&self.data, pid).await?,
            _ => {
                let next = stage::sim(&self.dir.join("sim"), &self.listen, true).await?;
                let dead = std::mem::replace(&mut self.sim, next);
                dead.running.stop(Duration::from_secs(5)).await;
            }
        }
        stage::wait_open(&self.data).await?;
        until_answers(answered).await?;
        self.back.entry(victim).or_default().push(began.elapsed());
        Ok(())
    }

    /// A little before where the journal ends now, by its records.
    fn tail(&mut self) -> Seq {
        let journal = self.data.join(JOURNAL);
        if let Ok(mut reader) = Reader::open(&journal, Seq(self.end.0.saturating_sub(1))) {
            while let Ok(Some(_)) = reader.next_entry() {}
            self.end = self.end.max(reader.next_seq());
        }
        Seq(self.end.0.saturating_sub(4 * CONNECTIONS as u64))
    }

    /// Takes down what reached the exchange, which forgets the oldest of many orders.
    async fn note_arrivals(&mut self) -> Result<(), Failure> {
        for (id, count) in arrivals(&self.sim).await? {
            let noted = self.arrived.entry(id).or_default();
            *noted = count.max(*noted);
        }
        Ok(())
    }

    /// Holds the journal against what the exchange says.
    async fn judge(mut self, kills: u32, answered: u64) -> Result<(Value, String), Failure> {
        let (here, there) = self.positions().await?;
        self.note_arrivals().await?;
        if let Some(gateway) = self.gateway.take() {
            gateway.stop(Duration::from_secs(5)).await;
        }
        let verified = tidegate_journal::verify(&self.data.join(JOURNAL), None, None)
            .map_err(|e| failed(&e.to_string()))?;
        let story = story(&self.data)?;
        let lost = self.arrived.keys().filter(|id| !story.cleared.contains(*id)).count();
        let twice = self.arrived.values().filter(|count| **count > 1).count();
        let arrived = self.arrived.len();
        let back = self.back.iter().map(|(victim, times)| (*victim, spread(times)));
        let back: BTreeMap<_, _> = back.collect();
        let figures = json!({
            "kills": kills, "with_orders_between_append_and_reply": self.in_flight,
            "orders_answered": answered, "orders_arrived": arrived, "fills": story.fills,
            "cleared": story.cleared.len(), "records": story.records,
            "arrived_but_not_in_journal": lost, "arrived_twice": twice,
            "cleared_before_opening": story.before_opening,
            "opened_unreconciled": story.unreconciled, "journal_whole": verified.is_whole(),
            "position_by_journal": here, "position_by_exchange": there,
            "back_after_ms_median_and_most": back,
        });
        let bad = lost > 0
            || twice > 0
            || story.before_opening > 0
            || story.unreconciled > 0
            || !verified.is_whole()
            || self.in_flight * 2 < u64::from(kills)
            || (arrived as u64) < answered
            || story.fills == 0
            || here != there;
        if bad {
            return Err(failed(&format!("the crash test found: {figures}")));
        }
        let mut text = format!(
            "{kills} kills, {} of them with orders between append and reply as the journal shows; {answered} orders \
             answered\n{arrived} orders arrived at the exchange: all of them in the journal, none twice\n\
             every account opened only after reconciliation; the journal is whole; the position after {} fills \
             is the exchange's, {there}\n",
            self.in_flight, story.fills
        );
        for (victim, [median, most]) in &back {
            let _ = writeln!(
                text,
                "after the {victim} was killed an order was answered again within {median} ms (median), {most} ms (most)"
            );
        }
        Ok((figures, text))
    }

    /// The position as the gateway and as the exchange have it, once they agree or time is up.
    async fn positions(&self) -> Result<(String, String), Failure> {
        let mut found = (String::new(), String::new());
        for _ in 0..100 {
            let status = stage::wait_open(&self.data).await?;
            let here = status.accounts.first().and_then(|a| a.positions.get("BTCUSDT").cloned());
            let plain = |text: &str| match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text.to_owned(),
            };
            let there = stage::position(&self.sim).await?;
            found = (plain(&here.unwrap_or_else(|| "0".to_owned())), plain(&there));
            if found.0 == found.1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(found)
    }
}

/// The median and the longest, in ms.
fn spread(times: &[Duration]) -> [u128; 2] {
    let mut sorted: Vec<_> = times.iter().map(Duration::as_millis).collect();
    sorted.sort_unstable();
    let at = |i: usize| sorted.get(i).copied().unwrap_or(0);
    [at(sorted.len() / 2), at(sorted.len().saturating_sub(1))]
}

/// Sends orders without pause, whatever happens to the connection.
fn press(target: &Target, done: &AtomicBool, answered: &AtomicU64) {
    while !done.load(Ordering::Relaxed) {
        let Ok(mut connection) = Connection::open(target, PATIENCE) else {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        };
        while !done.load(Ordering::Relaxed) {
            connection.prepare(target);
            match connection.exchange() {
                Ok(answer) if answer.ok => {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                Ok(_) => std::thread::sleep(Duration::from_millis(5)),
                Err(_) => break,
            }
        }
    }
}

/// Kills a process the hard way.
fn strike(pid: u32) -> Result<(), Failure> {
    let pid = i32::try_from(pid).map_err(|_| failed("no such process"))?;
    kill(Pid::from_raw(pid), Signal::SIGKILL).map_err(|e| failed(&format!("kill {pid}: {e}")))
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

async fn until_answers(answered: &AtomicU64) -> Result<(), Failure> {
    let before = answered.load(Ordering::Relaxed);
    for _ in 0..15_000 {
        if answered.load(Ordering::Relaxed) > before {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Err(failed("no order was answered within 30 s of a kill"))
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
            Body::Streamed { event: AccountEvent::Fill { .. }, .. } => story.fills += 1,
            Body::Opened { .. } => {
                story.unreconciled += u64::from(!reconciled);
                open = true;
            }
            Body::Cleared { client_id, request, .. } => {
                // What reduces a position may pass while an account is closed.
                story.before_opening += u64::from(!open && !request.reduce_only);
                story.cleared.insert(client_id.to_string());
            }
            _ => {}
        }
    }
    Ok(story)
}

/// What reached the exchange, by client id.
pub(super) async fn arrivals(sim: &Sim) -> Result<BTreeMap<String, u64>, Failure> {
    let url = word(&sim.told, "/gateway")?;
    let mut client = crate::http::Client::new(&url, None).map_err(|e| failed(&e.to_string()))?;
    let answer = client.send("GET", "/sim/arrivals?venue=binance", &[], String::new()).await;
    let (_, body) = answer.map_err(|e| failed(&e.to_string()))?;
    serde_json::from_str(&body).map_err(|e| failed(&format!("arrivals: {e}")))
}

/// Has the gateway come back at the same address.
pub fn fix_address(data: &Path, target: &Target) -> Result<(), Failure> {
    use tidegate_server::config::Config;
    use tidegate_server::folder::DataFolder;
    let folder = DataFolder::new(data);
    let mut config = Config::load(&folder).map_err(|e| failed(&e.to_string()))?;
    config.listen.address = target.address;
    let text = config.to_toml().map_err(|e| failed(&e.to_string()))?;
    std::fs::write(folder.config(), text).map_err(|e| failed(&e.to_string()))
}

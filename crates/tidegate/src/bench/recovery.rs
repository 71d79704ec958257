//! How long it takes from a start until orders trade again, by how much of the journal is replayed. The
//! journal is made of the records of real orders, repeated under numbers of their own.

use super::crash::fix_address;
use super::stage::{self, Gateway, failed};
use super::wire::Connection;
use crate::cli::args::Bench;
use crate::cli::output::{Failure, say};
use crate::process::Running;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use tidegate_journal::{
    CheckpointKey, FlushEvent, Journal, JournalError, Options, Reader, Urgency,
};
use tidegate_server::config::Durability;
use tidegate_server::folder::DataFolder;
use tidegate_types::ids::{CallId, ClientId, OrderId, Seq, VenueOrderId};
use tidegate_types::record::{Body, Record};
use tidegate_types::report::{AccountEvent, OrderReport, Outcome};

/// Real orders whose records are repeated.
const SAMPLE: u64 = 32;
/// Records that are handed to the journal at once.
const BATCH: usize = 1024;
/// Records that may wait for the disk.
const WINDOW: u64 = 64 * BATCH as u64;
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a state may take to be saved after a start.
const SAVED_WITHIN: Duration = Duration::from_secs(300);

/// What a start took, in ms since the process was begun.
struct Start {
    records: u64,
    replayed: u64,
    replay: u64,
    listening: u128,
    open: u128,
    answered: u128,
}

/// The records of one order, and which numbers in them are its own.
struct Sample {
    records: Vec<Record>,
    client_id: ClientId,
}

/// Measures starts without a saved state and with one, with tails of several lengths.
pub async fn measure(dir: &Path, args: &Bench) -> Result<(Value, String), Failure> {
    let sim = stage::sim(&dir.join("sim"), "127.0.0.1:0", true).await?;
    let price = stage::safe_price(&sim).await?;
    let gateway = stage::gateway(&dir.join("gateway"), &sim, Durability::Disk, &price).await?;
    fix_address(&gateway.dir, &gateway.target)?;
    let mut connection = Connection::open(&gateway.target, PATIENCE).map_err(|e| bad(&e))?;
    for _ in 0..SAMPLE {
        connection.prepare(&gateway.target);
        connection.exchange().map_err(|e| bad(&e))?;
    }
    let Gateway { running, dir: data, target, .. } = gateway;
    let mut bench = Run { data: &data, target: &target, log: data.with_extension("log") };
    running.stop(PATIENCE).await;
    let (empty, process) = bench.start().await?;
    process.stop(PATIENCE).await;

    say(&format!("writing {} orders", args.orders));
    let writing = Instant::now();
    let written = grow(&data, args.orders)?;
    say(&format!("{written} records in {:.1?}; a start without a saved state", writing.elapsed()));
    let (whole, process) = bench.start().await?;
    bench.wait_saved().await?;
    process.stop(PATIENCE).await;
    let mut tails = Vec::new();
    for orders in [0, args.orders / 40, args.orders / 40, args.orders / 20] {
        if orders > 0 {
            grow(&data, orders)?;
        }
        let (start, process) = bench.start().await?;
        process.stop(PATIENCE).await;
        say(&format!("a start with {} records in the tail", start.replayed));
        tails.push(start);
    }
    drop(sim);
    finish(args.orders, (empty, whole), &tails)
}

struct Run<'a> {
    data: &'a Path,
    target: &'a super::wire::Target,
    log: std::path::PathBuf,
}

impl Run<'_> {
    /// Starts the gateway and has an order answered.
    async fn start(&mut self) -> Result<(Start, Running), Failure> {
        let began = Instant::now();
        let (running, _) = stage::serve(self.data).await?;
        let listening = began.elapsed().as_millis();
        stage::wait_open(self.data).await?;
        let open = began.elapsed().as_millis();
        let mut connection = Connection::open(self.target, PATIENCE).map_err(|e| bad(&e))?;
        loop {
            connection.prepare(self.target);
            let answer = connection.exchange().map_err(|e| bad(&e))?;
            if answer.ok {
                break;
            }
            // The first mark may not be there yet.
            if began.elapsed() > PATIENCE {
                return Err(failed(&format!("no order was taken: {}", answer.body)));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let answered = began.elapsed().as_millis();
        let told = std::fs::read_to_string(&self.log).map_err(|e| bad(&e))?;
        let line = told.lines().rfind(|line| line.contains(" journal-replayed "));
        let field = |name: &str| {
            let words = line.unwrap_or_default().split_whitespace();
            let mut values = words.filter_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            values.next().and_then(|value| value.parse::<u64>().ok())
        };
        let (Some(records), Some(from), Some(replay)) =
            (field("records"), field("from"), field("ms"))
        else {
            return Err(failed("the log does not tell of the replay"));
        };
        let replayed = records.saturating_sub(from);
        Ok((Start { records, replayed, replay, listening, open, answered }, running))
    }

    async fn wait_saved(&self) -> Result<(), Failure> {
        let (path, began) = (DataFolder::new(self.data).saved_state(), Instant::now());
        while !path.exists() {
            if began.elapsed() > SAVED_WITHIN {
                return Err(failed("the state was not saved; it takes 500,000 records"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }
}

/// Appends so many orders to the journal of a gateway that does not run.
fn grow(data: &Path, orders: u64) -> Result<u64, Failure> {
    let folder = DataFolder::new(data);
    let samples = samples(&folder.journal()).map_err(|e| bad(&e))?;
    let last = Reader::open_last(&folder.journal(), 1).map_err(|e| bad(&e))?.next_seq();
    let key = CheckpointKey::load(&folder.checkpoint_key()).map_err(|e| bad(&e))?;
    let options =
        Options { replay_from: last, ..Options::new(tidegate_types::record::Durability::Os, key) };
    let (tell, events) = channel();
    let notify = Box::new(move |event| drop(tell.send(event)));
    let opened = Journal::open(&folder.journal(), options, &mut |_, _| {}, notify);
    let (journal, mut appender, recovered) = opened.map_err(|e| bad(&e))?;
    let (first, mut durable) = (recovered.next, recovered.next);
    // Above every number that is there.
    let base = first.0;
    let mut batch = 0;
    for n in 0..orders {
        let Some(sample) = samples.get((n % samples.len().max(1) as u64) as usize) else {
            return Err(failed("no order is in the journal whole"));
        };
        for record in sample.under(base + n)? {
            let seq = appender.next_seq();
            appender.append(seq, &record, Urgency::Now).map_err(|e| bad(&e))?;
            batch += 1;
        }
        if batch >= BATCH || n + 1 == orders {
            appender.commit().map_err(|e| bad(&e))?;
            batch = 0;
            while appender.next_seq().0.saturating_sub(durable.0) > WINDOW {
                match events.recv().map_err(|e| bad(&e))? {
                    FlushEvent::Durable(proof) => durable = durable.max(proof.end()),
                    FlushEvent::Failed(error) | FlushEvent::Degraded(error) => {
                        return Err(bad(&error));
                    }
                    FlushEvent::Mended => {}
                }
            }
        }
    }
    let written = appender.next_seq().0 - first.0;
    journal.close().map_err(|e| bad(&e))?;
    Ok(written)
}

/// The first orders of the journal with every record of them.
fn samples(journal: &Path) -> Result<Vec<Sample>, JournalError> {
    let mut reader = Reader::open(journal, Seq(0))?;
    let mut samples: Vec<(CallId, Sample)> = Vec::new();
    while let Some((_, record)) = reader.next_record()? {
        let place = match &record.body {
            Body::Cleared { call, client_id, .. } => {
                if samples.len() as u64 == SAMPLE {
                    break;
                }
                let sample = Sample { records: Vec::new(), client_id: client_id.clone() };
                samples.push((*call, sample));
                samples.len().checked_sub(1)
            }
            Body::Sent { call } | Body::Replied { call, .. } => {
                samples.iter().position(|(of, _)| of == call)
            }
            Body::Streamed { event: AccountEvent::Order { report }, .. } => {
                let id = report.client_id.as_ref();
                samples.iter().position(|(_, sample)| Some(&sample.client_id) == id)
            }
            _ => None,
        };
        if let Some((_, sample)) = place.and_then(|place| samples.get_mut(place)) {
            sample.records.push(record);
        }
    }
    let answered = |sample: &Sample| {
        sample.records.iter().any(|record| matches!(record.body, Body::Replied { .. }))
    };
    Ok(samples.into_iter().map(|(_, sample)| sample).filter(answered).collect())
}

impl Sample {
    /// The same records, of order `n`.
    fn under(&self, n: u64) -> Result<Vec<Record>, Failure> {
        let epoch = self.client_id.as_str().split('-').next().unwrap_or_default();
        let own = ClientId::new(&format!("{epoch}-r{n}")).map_err(|e| bad(&e))?;
        let venues = VenueOrderId::new(&(5_000_000_000 + n).to_string()).map_err(|e| bad(&e))?;
        let number = (OrderId(n), CallId(n));
        let at = tidegate_server::clock::now();
        let own_report = |report: &mut OrderReport| {
            report.client_id = report.client_id.as_ref().map(|_| own.clone());
            report.venue_id = venues.clone();
        };
        let mut records = self.records.clone();
        for record in &mut records {
            record.at = at;
            match &mut record.body {
                Body::Cleared { order, call, client_id, request, deadline, .. } => {
                    (*order, *call) = number;
                    *client_id = own.clone();
                    *deadline = at;
                    request.caller_id = None;
                }
                Body::Sent { call } => *call = number.1,
                Body::Replied { call, outcome } => {
                    *call = number.1;
                    if let Outcome::Accepted { report, .. } = outcome {
                        own_report(report);
                    }
                }
                Body::Streamed { event: AccountEvent::Order { report }, .. } => own_report(report),
                _ => {}
            }
        }
        Ok(records)
    }
}

fn finish(
    orders: u64,
    (empty, whole): (Start, Start),
    tails: &[Start],
) -> Result<(Value, String), Failure> {
    let mut text = String::from(
        "ms from the start of the process until       replayed     replay  listening       open   answered\n",
    );
    let mut rows = Vec::new();
    let named = [("nothing to replay", &empty), ("no saved state", &whole)];
    for (name, start) in named.into_iter().chain(tails.iter().map(|tail| ("saved state", tail))) {
        let Start { records, replayed, replay, listening, open, answered } = start;
        let _ = writeln!(
            text,
            "{name:<20} {records:>12} records {replayed:>12} {replay:>10} {listening:>10} {open:>10} {answered:>10}",
        );
        rows.push(json!({
            "what": name, "records": records, "replayed": replayed, "replay_ms": replay,
            "listening_ms": listening, "open_ms": open, "answered_ms": answered,
        }));
    }
    let per_record = |start: &Start| 1000.0 * start.replay as f64 / start.replayed.max(1) as f64;
    let _ = writeln!(text, "without a saved state: {:.2} µs a record", per_record(&whole));
    Ok((json!({ "orders": orders, "starts": rows }), text))
}

fn bad(error: &dyn std::fmt::Display) -> Failure {
    failed(&error.to_string())
}

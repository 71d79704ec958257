//! Writes a journal and measures: `speed DIR RECORDS [os]`. Leaves the folder for other verifiers.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use tidegate_journal::checkpoint::new_origin;
use tidegate_journal::{CheckpointKey, FlushEvent, Journal, Options, Urgency, verify};
use tidegate_types::Time;
use tidegate_types::ids::{AccountName, CallId, CallerName, Seq};
use tidegate_types::record::{Body, Decision, Durability, Record};
use tidegate_types::reject::{Code, Reject};

/// Records that are handed over at once, as one turn of an event loop does under load.
const BATCH: u64 = 64;
/// Records that may wait for the disk at once.
const WINDOW: u64 = 8 * BATCH;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (Some(dir), Some(count)) = (args.first(), args.get(1)) else {
        return Err("usage: speed DIR RECORDS [os]".into());
    };
    let (dir, count) = (Path::new(dir), count.parse()?);
    let durability = if args.get(2).is_some_and(|mode| mode == "os") {
        Durability::Os
    } else {
        Durability::Disk
    };
    std::fs::create_dir_all(dir)?;
    let key_file = dir.with_extension("key");
    let key = || CheckpointKey::load_or_create(&key_file, || new_origin("speed"));

    let start = Instant::now();
    write(dir, count, Options::new(durability, key()?))?;
    say("written and closed", count, start.elapsed())?;

    let start = Instant::now();
    let mut replayed = 0;
    let replay = &mut |_, _| replayed += 1;
    let options = Options::new(durability, key()?);
    let (journal, _, _) = Journal::open(dir, options, replay, Box::new(|_| {}))?;
    say("replayed", replayed, start.elapsed())?;
    journal.close()?;

    let start = Instant::now();
    let report = verify(dir, None, None)?;
    say("verified", report.records, start.elapsed())?;
    if report.is_whole() { Ok(()) } else { Err(report.to_string().into()) }
}

fn write(dir: &Path, count: u64, options: Options) -> Result<(), Box<dyn Error>> {
    let (tell, events) = channel();
    let notify = Box::new(move |event| drop(tell.send(event)));
    let (journal, mut appender, _) = Journal::open(dir, options, &mut |_, _| {}, notify)?;
    let (mut next, mut durable) = (appender.next_seq(), appender.next_seq());
    let end = Seq(next.0 + count);
    let start = Instant::now();
    while durable < end {
        while next < end && next.0 < durable.0 + WINDOW {
            for _ in 0..BATCH.min(end.0 - next.0) {
                appender.append(next, &record(next)?, Urgency::Now)?;
                next = next.next();
            }
            appender.commit()?;
        }
        match events.recv()? {
            FlushEvent::Durable(proof) => durable = proof.end(),
            FlushEvent::Failed(error) | FlushEvent::Degraded(error) => return Err(error.into()),
            FlushEvent::Mended => {}
        }
    }
    say("durable", count, start.elapsed())?;
    say("of these with tiles by then", journal.checkpointed(), start.elapsed())?;
    journal.close()?;
    Ok(())
}

fn record(seq: Seq) -> Result<Record, Box<dyn Error>> {
    let at = Time::from_micros(1_790_000_000_000_000 + seq.0);
    let body = if seq.0.is_multiple_of(4) {
        Body::Refused {
            caller: Some(CallerName::new("market-maker").map_err(|_| "a bad name")?),
            account: Some(AccountName::new("main").map_err(|_| "a bad name")?),
            intent: None,
            reject: Reject::new(
                Code::Malformed,
                "an order of the size that orders have, more or less",
            ),
            decision: Decision::default(),
        }
    } else {
        Body::Sent { call: CallId(seq.0) }
    };
    Ok(Record { at, body })
}

fn say(what: &str, records: u64, time: Duration) -> std::io::Result<()> {
    let rate = records as f64 / time.as_secs_f64();
    writeln!(std::io::stdout(), "{what}: {records} records in {time:.2?}, {rate:.0} a second")
}

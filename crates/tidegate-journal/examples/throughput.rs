//! Group commit against the raw disk, an embedded database and SQLite, on one disk in one run:
//! `throughput DIR [SECONDS [ROUNDS]]`. Everybody makes the same records durable, a batch at a time, and
//! goes on with the next batch once the disk has it. SQLite is Python's (`python3`); without it, it
//! is left out and said so.

use redb::{Database, TableDefinition};
use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tidegate_journal::checkpoint::new_origin;
use tidegate_journal::segment::stride;
use tidegate_journal::{Appender, CheckpointKey, FlushEvent, Journal, Options, Urgency};
use tidegate_types::Time;
use tidegate_types::codec::to_bytes;
use tidegate_types::ids::{PersonName, Seq};
use tidegate_types::record::{Body, Durability, Record};

type Fault = Box<dyn Error>;

/// Records that are made durable together.
const BATCHES: [usize; 4] = [1, 16, 64, 256];
/// Batches that may wait for the disk, for the side that does not wait for each.
const AHEAD: u64 = 8;
/// Bytes of a record, about as an order's records have on average.
const RECORD: usize = 160;
/// What the raw disk writes into, zeroed and on disk before it begins, as a segment is.
const RAW_BYTES: u64 = 512 * 1024 * 1024;

const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");

/// Makes batches of records durable, one call a batch.
trait Side {
    fn name(&self) -> &'static str;
    fn commit(&mut self, batch: usize) -> Result<(), Fault>;
    /// Everything handed over is durable.
    fn settle(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

fn main() -> Result<(), Fault> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(dir) = args.first().map(Path::new) else {
        return Err("usage: throughput DIR [SECONDS [ROUNDS]]".into());
    };
    let seconds: u64 = args.get(1).map_or(Ok(3), |text| text.parse())?;
    let rounds: usize = args.get(2).map_or(Ok(3), |text| text.parse())?;
    std::fs::create_dir_all(dir)?;
    let mut sides: Vec<Box<dyn Side>> = vec![
        Box::new(Raw::new(dir)?),
        Box::new(Ours::new(dir, 1)?),
        Box::new(Ours::new(dir, AHEAD)?),
        Box::new(Redb::new(dir)?),
    ];
    match Sqlite::new(dir) {
        Ok(sqlite) => sides.push(Box::new(sqlite)),
        Err(error) => writeln!(std::io::stderr(), "SQLite is left out: {error}")?,
    }
    let mut out = std::io::stdout();
    writeln!(
        out,
        "records a second, median of {rounds} rounds of {seconds} s, {RECORD} bytes each"
    )?;
    write!(out, "{:<24}", "records a batch")?;
    for batch in BATCHES {
        write!(out, "{batch:>12}")?;
    }
    writeln!(out)?;
    let mut rates = vec![vec![Vec::new(); BATCHES.len()]; sides.len()];
    for _ in 0..rounds {
        for (place, batch) in BATCHES.into_iter().enumerate() {
            for (side, rates) in sides.iter_mut().zip(&mut rates) {
                let rate = measure(side.as_mut(), batch, Duration::from_secs(seconds))?;
                rates.get_mut(place).ok_or("a batch too many")?.push(rate);
            }
        }
    }
    for (side, rates) in sides.iter().zip(rates) {
        write!(out, "{:<24}", side.name())?;
        for mut rates in rates {
            rates.sort_by(f64::total_cmp);
            write!(out, "{:>12.0}", rates.get(rates.len() / 2).copied().unwrap_or_default())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn measure(side: &mut dyn Side, batch: usize, time: Duration) -> Result<f64, Fault> {
    for _ in 0..4 {
        side.commit(batch)?;
    }
    side.settle()?;
    let (began, mut done) = (Instant::now(), 0);
    while began.elapsed() < time {
        side.commit(batch)?;
        done += batch;
    }
    side.settle()?;
    Ok(done as f64 / began.elapsed().as_secs_f64())
}

fn record(n: u64) -> Result<Record, Fault> {
    let body = Body::Resumed {
        by: PersonName::new("ada").map_err(|_| "a bad name")?,
        scope: tidegate_types::grant::Scope::All,
        reason: "x".repeat(RECORD - 16),
    };
    Ok(Record { at: Time::from_micros(1_790_000_000_000_000 + n), body })
}

/// `pwrite` and `fdatasync` of as many bytes as the journal writes: no sooner is it on the disk.
struct Raw {
    file: File,
    offset: u64,
    buffer: Vec<u8>,
}

impl Raw {
    fn new(dir: &Path) -> Result<Raw, Fault> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(true);
        let file = file.open(dir.join("raw"))?;
        let zeroes = vec![0; 1024 * 1024];
        for place in 0..RAW_BYTES / zeroes.len() as u64 {
            file.write_all_at(&zeroes, place * zeroes.len() as u64)?;
        }
        file.sync_all()?;
        Ok(Raw { file, offset: 0, buffer: Vec::new() })
    }
}

impl Side for Raw {
    fn name(&self) -> &'static str {
        "raw disk"
    }

    fn commit(&mut self, batch: usize) -> Result<(), Fault> {
        self.buffer.resize(batch * stride(to_bytes(&record(0)?).len()), 1);
        if self.offset + self.buffer.len() as u64 > RAW_BYTES {
            self.offset = 0;
        }
        self.file.write_all_at(&self.buffer, self.offset)?;
        self.file.sync_data()?;
        self.offset += self.buffer.len() as u64;
        Ok(())
    }
}

/// The journal: checksums, tree, tiles and checkpoints included.
struct Ours {
    journal: Journal,
    appender: Appender,
    events: Receiver<FlushEvent>,
    durable: Seq,
    /// Batches that may wait for the disk.
    ahead: u64,
}

impl Ours {
    fn new(dir: &Path, ahead: u64) -> Result<Ours, Fault> {
        let dir = dir.join(format!("journal-{ahead}"));
        let key =
            CheckpointKey::load_or_create(&dir.with_extension("key"), || new_origin("throughput"))?;
        let (tell, events) = channel();
        let notify = Box::new(move |event| drop(tell.send(event)));
        let options = Options::new(Durability::Disk, key);
        let (journal, appender, recovered) = Journal::open(&dir, options, &mut |_, _| {}, notify)?;
        Ok(Ours { journal, appender, events, durable: recovered.next, ahead })
    }

    fn wait(&mut self, waiting: u64) -> Result<(), Fault> {
        while self.appender.next_seq().0 > self.durable.0 + waiting {
            match self.events.recv()? {
                FlushEvent::Durable(proof) => self.durable = proof.end(),
                FlushEvent::Failed(error) | FlushEvent::Degraded(error) => {
                    return Err(error.into());
                }
                FlushEvent::Mended => {}
            }
        }
        Ok(())
    }
}

impl Side for Ours {
    fn name(&self) -> &'static str {
        if self.ahead == 1 { "journal" } else { "journal, 8 batches ahead" }
    }

    fn commit(&mut self, batch: usize) -> Result<(), Fault> {
        for _ in 0..batch {
            let seq = self.appender.next_seq();
            self.appender.append(seq, &record(seq.0)?, Urgency::Now)?;
        }
        self.appender.commit()?;
        self.wait((self.ahead - 1) * batch as u64)
    }

    fn settle(&mut self) -> Result<(), Fault> {
        self.wait(0)?;
        // Its tiles are part of its work.
        while self.journal.checkpointed() < self.durable.0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

/// An embedded database in Rust, durable at each commit as it is by default.
struct Redb {
    database: Database,
    next: u64,
}

impl Redb {
    fn new(dir: &Path) -> Result<Redb, Fault> {
        let path = dir.join("redb");
        let _ = std::fs::remove_file(&path);
        Ok(Redb { database: Database::create(path)?, next: 0 })
    }
}

impl Side for Redb {
    fn name(&self) -> &'static str {
        "redb"
    }

    fn commit(&mut self, batch: usize) -> Result<(), Fault> {
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(TABLE)?;
            for _ in 0..batch {
                table.insert(self.next, to_bytes(&record(self.next)?).as_slice())?;
                self.next += 1;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

/// SQLite with a write-ahead log, durable at each commit.
struct Sqlite {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

/// Commits a batch for each number that it is told.
const SCRIPT: &str = r#"
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("pragma journal_mode=wal")
db.execute("pragma synchronous=full")
db.execute("create table if not exists log(seq integer primary key, record blob)")
record, seq = b"x" * int(sys.argv[2]), 0
print("ready", flush=True)
for line in sys.stdin:
    count = int(line)
    db.execute("begin")
    db.executemany("insert into log values(?, ?)", ((seq + n, record) for n in range(count)))
    db.execute("commit")
    seq += count
    print("done", flush=True)
"#;

impl Sqlite {
    fn new(dir: &Path) -> Result<Sqlite, Fault> {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(dir.join(format!("sqlite{suffix}")));
        }
        let mut child = Command::new("python3")
            .args(["-c", SCRIPT])
            .arg(dir.join("sqlite"))
            .arg(RECORD.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let answers = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut sqlite = Sqlite { child, answers };
        sqlite.hear("ready")?;
        Ok(sqlite)
    }

    fn hear(&mut self, word: &str) -> Result<(), Fault> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.trim() == word { Ok(()) } else { Err(format!("python3 said {line:?}").into()) }
    }
}

impl Side for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite, WAL, full"
    }

    fn commit(&mut self, batch: usize) -> Result<(), Fault> {
        let stdin = self.child.stdin.as_mut().ok_or("no input")?;
        writeln!(stdin, "{batch}")?;
        self.hear("done")
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The load: orders at a fixed rate over kept-alive connections, each timed from the moment it was
//! meant to leave, so that a stall counts against everything that had to wait for it.

use super::wire::{Connection, Target};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How hard to push.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Connections kept open.
    pub connections: usize,
    /// Orders a second over all of them; `None` sends the next as soon as an answer is in.
    pub rate: Option<u32>,
    /// For how long.
    pub time: Duration,
}

/// What came back.
#[derive(Debug, Default)]
pub struct Measured {
    /// Latencies in ns, sorted.
    pub latencies: Vec<u64>,
    /// How late the generator's timer was, in ns, sorted.
    pub lateness: Vec<u64>,
    /// Answers that were not the expected one, with one example.
    pub failures: u64,
    /// The first unexpected answer.
    pub example: Option<String>,
    /// How long it took from the first intended order to the last answer.
    pub elapsed: Duration,
}

impl Measured {
    /// The latency that this share of orders did not exceed, in µs.
    pub fn quantile_us(&self, share: f64) -> f64 {
        quantile_us(&self.latencies, share)
    }

    /// How late this share of orders at most left on account of the generator's own timer, in µs.
    pub fn lateness_us(&self, share: f64) -> f64 {
        quantile_us(&self.lateness, share)
    }

    /// Orders answered a second.
    #[allow(clippy::cast_precision_loss)]
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// Adds another round's figures.
    pub fn merge(&mut self, other: Measured) {
        self.latencies.extend(other.latencies);
        self.latencies.sort_unstable();
        self.lateness.extend(other.lateness);
        self.lateness.sort_unstable();
        self.failures += other.failures;
        self.elapsed += other.elapsed;
        self.example = self.example.take().or(other.example);
    }
}

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the load against a target, with a thread for each connection.
pub fn run(target: &Arc<Target>, load: Load) -> io::Result<Measured> {
    let connections: Vec<_> = (0..load.connections)
        .map(|_| Connection::open(target, PATIENCE))
        .collect::<io::Result<_>>()?;
    let next = AtomicU64::new(0);
    let start = Instant::now() + Duration::from_millis(20);
    let parts: Vec<io::Result<Measured>> = std::thread::scope(|scope| {
        let threads: Vec<_> = connections
            .into_iter()
            .map(|connection| scope.spawn(|| drive(connection, target, &next, load, start)))
            .collect();
        let ended = |_| Err(io::Error::other("a thread of the load ended"));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(ended)).collect()
    });
    let mut measured = Measured::default();
    for part in parts {
        measured.merge(part?);
    }
    measured.elapsed = start.elapsed();
    Ok(measured)
}

fn drive(
    mut connection: Connection,
    target: &Target,
    next: &AtomicU64,
    load: Load,
    start: Instant,
) -> io::Result<Measured> {
    let mut measured = Measured::default();
    let end = start + load.time;
    // The kernel rounds a sleep up by 50 µs unless told otherwise.
    let _ = nix::sys::prctl::set_timerslack(1);
    loop {
        if !connection.prepare(target) {
            return Ok(measured);
        }
        let turn = next.fetch_add(1, Ordering::Relaxed);
        let intended = match load.rate {
            Some(rate) => start + Duration::from_nanos(turn * 1_000_000_000 / u64::from(rate)),
            None => Instant::now().max(start),
        };
        if intended >= end {
            return Ok(measured);
        }
        let early = intended.saturating_duration_since(Instant::now());
        if !early.is_zero() {
            std::thread::sleep(early);
            // How late the kernel woke us; a late turn of a busy connection is the target's doing.
            measured.lateness.push(nanos(intended.elapsed()));
        }
        let answer = connection.exchange()?;
        measured.latencies.push(nanos(intended.elapsed()));
        if !answer.ok {
            measured.failures += 1;
            measured.example.get_or_insert(answer.body);
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The value that this share of the sorted ones does not exceed, in µs.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn quantile_us(sorted: &[u64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let at = (share * last as f64).round() as usize;
    sorted.get(at).map_or(f64::NAN, |ns| *ns as f64 / 1000.0)
}

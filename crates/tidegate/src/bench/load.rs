//! The load: orders at a fixed rate over kept-alive connections, each timed from the moment it was
//! meant to leave, so that a stall counts against everything that had to wait for it.

use super::wire::{Connection, Target};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

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
        let last = self.latencies.len().saturating_sub(1);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let at = (share * last as f64).round() as usize;
        #[allow(clippy::cast_precision_loss)]
        self.latencies.get(at).map_or(f64::NAN, |ns| *ns as f64 / 1000.0)
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
        self.failures += other.failures;
        self.elapsed += other.elapsed;
        self.example = self.example.take().or(other.example);
    }
}

/// Runs the load against a target.
pub async fn run(target: &Arc<Target>, load: Load) -> io::Result<Measured> {
    let mut connections = Vec::new();
    for _ in 0..load.connections {
        connections.push(Connection::open(target).await?);
    }
    let next = Arc::new(AtomicU64::new(0));
    let start = Instant::now() + Duration::from_millis(20);
    let mut tasks = Vec::new();
    for connection in connections {
        let (target, next) = (Arc::clone(target), Arc::clone(&next));
        tasks.push(tokio::spawn(drive(connection, target, next, load, start)));
    }
    let mut measured = Measured::default();
    for task in tasks {
        let part = task.await.map_err(io::Error::other)??;
        measured.latencies.extend(part.latencies);
        measured.failures += part.failures;
        measured.example = measured.example.take().or(part.example);
    }
    measured.elapsed = start.elapsed();
    measured.latencies.sort_unstable();
    Ok(measured)
}

async fn drive(
    mut connection: Connection,
    target: Arc<Target>,
    next: Arc<AtomicU64>,
    load: Load,
    start: Instant,
) -> io::Result<Measured> {
    let mut measured = Measured::default();
    let end = start + load.time;
    loop {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        let intended = match load.rate {
            Some(rate) => start + Duration::from_nanos(turn * 1_000_000_000 / u64::from(rate)),
            None => Instant::now().max(start),
        };
        if intended >= end {
            return Ok(measured);
        }
        // The runtime's timer is a millisecond coarse: sleep to just before, then yield until due.
        if intended > Instant::now() + Duration::from_millis(2) {
            tokio::time::sleep_until(intended - Duration::from_millis(1)).await;
        }
        while Instant::now() < intended {
            tokio::task::yield_now().await;
        }
        let answer = connection.exchange(&target).await?;
        let taken = intended.elapsed().as_nanos();
        measured.latencies.push(u64::try_from(taken).unwrap_or(u64::MAX));
        if !answer.ok {
            measured.failures += 1;
            measured.example.get_or_insert(answer.text);
        }
    }
}

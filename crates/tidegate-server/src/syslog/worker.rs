//! The queue and the thread that empties it.

use super::Event;
use super::message::Writer;
use super::wire::{Target, Wire};
use crate::oplog::{self, Level, Repeated};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

/// How patient the thread is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Most events that wait.
    pub(super) waiting: usize,
    /// For a connection, a handshake or a write to get on.
    pub(super) patience: Duration,
    /// Between the first attempts to connect; doubled from one to the next.
    pub(super) first_wait: Duration,
    /// Between attempts at most.
    pub(super) most_wait: Duration,
    /// How often it looks whether a silent collector is still there.
    pub(super) look: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            waiting: 8192,
            patience: Duration::from_secs(10),
            first_wait: Duration::from_secs(1),
            most_wait: Duration::from_secs(60),
            look: Duration::from_secs(1),
        }
    }
}

enum Item {
    Event(Event),
    End(SyncSender<()>),
}

/// The way to the thread. Never waits.
#[derive(Debug)]
pub(super) struct Sender {
    queue: SyncSender<Item>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Events that found no room since this was last told.
    lost: AtomicU64,
    connected: AtomicBool,
}

/// Begins to send to a collector.
pub(super) fn start(target: Target, pace: Pace) -> io::Result<Sender> {
    let (queue, items) = mpsc::sync_channel(pace.waiting);
    let shared = Arc::new(Shared::default());
    let worker = Worker {
        target,
        pace,
        items,
        shared: Arc::clone(&shared),
        writer: Writer::new(),
        unsent: None,
        down: Repeated::default(),
    };
    std::thread::Builder::new().name("syslog".to_owned()).spawn(move || worker.run())?;
    Ok(Sender { queue, shared })
}

impl Sender {
    /// Queues an event, or counts it where there is no room.
    pub(super) fn send(&self, event: Event) {
        if self.queue.try_send(Item::Event(event)).is_err() {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Ends the thread once all is sent, and waits for that so long; not at all for a collector that is down.
    pub(super) fn finish(&self, most: Duration) {
        let (done, sent) = mpsc::sync_channel(1);
        let told = self.queue.try_send(Item::End(done)).is_ok();
        if told && self.shared.connected.load(Ordering::Relaxed) {
            let _ = sent.recv_timeout(most);
        }
    }
}

struct Worker {
    target: Target,
    pace: Pace,
    items: Receiver<Item>,
    shared: Arc<Shared>,
    writer: Writer,
    /// What could not be written whole: the next connection begins with it.
    unsent: Option<Vec<u8>>,
    down: Repeated,
}

/// Why a connection was left.
enum Left {
    /// There is nothing more to send.
    Done,
    Broken(io::Error),
}

impl Worker {
    /// Connects and sends until told to end. While there is no connection events wait in the queue.
    fn run(mut self) {
        let mut wait = self.pace.first_wait;
        loop {
            let left = match self.target.connect(&self.pace) {
                Ok(wire) => {
                    wait = self.pace.first_wait;
                    self.shared.connected.store(true, Ordering::Relaxed);
                    if self.down.over() {
                        oplog::here(Level::Info, "syslog-up", &[]);
                    }
                    self.serve(wire)
                }
                Err(error) => Left::Broken(error),
            };
            self.shared.connected.store(false, Ordering::Relaxed);
            let Left::Broken(why) = left else { return };
            let why = why.to_string();
            if self.down.is_news(&why) {
                oplog::here(Level::Warn, "syslog-down", &[("why", &why)]);
            }
            std::thread::sleep(wait);
            wait = wait.saturating_mul(2).min(self.pace.most_wait);
        }
    }

    fn serve(&mut self, mut wire: Wire) -> Left {
        loop {
            if let Some(frame) = &self.unsent {
                if let Err(error) = wire.write(frame) {
                    return Left::Broken(error);
                }
                self.unsent = None;
            }
            let lost = self.shared.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                oplog::here(Level::Warn, "syslog-lost", &[("count", &lost)]);
                self.take(&Event {
                    at: crate::clock::now(),
                    level: Level::Warn,
                    what: "syslog-lost".to_owned(),
                    text: format!("syslog-lost count={lost}"),
                });
                continue;
            }
            match self.items.recv_timeout(self.pace.look) {
                Ok(Item::Event(event)) => self.take(&event),
                Ok(Item::End(done)) => {
                    wire.close();
                    let _ = done.send(());
                    return Left::Done;
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = wire.look() {
                        return Left::Broken(error);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    wire.close();
                    return Left::Done;
                }
            }
        }
    }

    fn take(&mut self, event: &Event) {
        self.unsent = Some(self.writer.frame(event));
    }
}

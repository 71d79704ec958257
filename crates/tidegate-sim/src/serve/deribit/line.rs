//! A connection without its socket, for whoever holds both ends of it.

use super::{QUEUE, connect, with};
use crate::serve::world::{Feed, World};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

/// A connection.
#[derive(Debug)]
pub struct Line {
    link: u64,
    queue: mpsc::Receiver<Message>,
}

impl Line {
    /// A connection that begins. Somebody must bring the [`News`].
    pub fn open(world: &mut World) -> Line {
        let (sender, queue) = mpsc::channel(QUEUE);
        let (link, _) = connect(world, "127.0.0.1", sender);
        Line { link, queue }
    }

    /// The client says something.
    pub fn say(&self, world: &mut World, text: &str) {
        let now = world.now();
        with(world, |inner, desk| inner.venue.text(desk, self.link, text.as_bytes(), now));
    }

    /// What the venue said since the last call, and whether it has closed the connection.
    pub fn read(&mut self) -> (Vec<String>, bool) {
        let mut texts = Vec::new();
        loop {
            match self.queue.try_recv() {
                Ok(Message::Text(text)) => texts.push(text.as_str().to_owned()),
                Ok(Message::Close(_)) | Err(mpsc::error::TryRecvError::Disconnected) => {
                    return (texts, true);
                }
                Ok(_) => {}
                Err(mpsc::error::TryRecvError::Empty) => return (texts, false),
            }
        }
    }

    /// The connection is lost.
    pub fn close(self, world: &mut World) {
        with(world, |inner, desk| {
            inner.links.remove(&self.link);
            inner.venue.disconnect(desk, self.link);
        });
    }
}

/// Brings the exchange's news to the dialect, where no task does.
#[derive(Debug)]
pub struct News(Feed);

impl News {
    /// From now on.
    pub fn new(world: &mut World) -> News {
        News(world.subscribe())
    }

    /// Brings what has happened since the last call.
    pub fn bring(&mut self, world: &mut World) {
        while let Ok(batch) = self.0.try_recv() {
            with(world, |inner, desk| {
                inner.venue.effects(desk.exchange(), &batch.effects, batch.time);
            });
        }
    }

    /// Lets time pass for the dialect: heartbeats and messages that are due.
    pub fn tick(world: &mut World) {
        let now = world.now();
        with(world, |inner, desk| inner.venue.tick(desk, now));
    }
}

//! The tasks that keep sockets to a venue: an account's private stream, the marks, and the books.
//!
//! They never end by themselves; what breaks is opened anew after a pause that grows.

mod account;
mod books;
mod clocks;
mod marks;

pub use account::follow_account;
pub use books::follow_books;
pub use clocks::{ask_time, compare_clock, follow_clock};
pub use marks::follow_marks;

use crate::desk::{BoxedSocket, Link, OwnSocket};
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tidegate_types::ids::AccountName;
use tidegate_types::time::Time;
use tokio_tungstenite::tungstenite::Message;

/// How long to wait before opening a socket anew: at first, and at most.
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_AT_MOST: Duration = Duration::from_secs(5);
/// A socket that was up for this long ends the growth of the pause.
const STEADY: Duration = Duration::from_secs(2);
/// How long opening a socket may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a venue may say nothing before it is asked whether it is there, and then how long it may
/// take to answer.
const SILENCE: Duration = Duration::from_secs(20);
/// How long writing one message may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause between attempts. Without a clock or chance of its own, so that a simulation follows
/// the same rule.
#[derive(Debug)]
pub struct Pause(Duration);

impl Default for Pause {
    fn default() -> Pause {
        Pause(PAUSE)
    }
}

impl Pause {
    /// How long to wait when the last socket lasted for `up`: between half of the pause and the
    /// whole, by so many thousandths, so that sockets that broke together do not come back together.
    pub fn next(&mut self, up: Duration, thousandths: u32) -> Duration {
        if up >= STEADY {
            self.0 = PAUSE;
        }
        let half = self.0 / 2;
        self.0 = (self.0 * 2).min(PAUSE_AT_MOST);
        half + half * thousandths.min(1000) / 1000
    }

    /// Waits; `up` is how long the last socket lasted.
    async fn wait(&mut self, up: Duration) {
        let mut random = [0; 4];
        let thousandths = match getrandom::fill(&mut random) {
            Ok(()) => u32::from_le_bytes(random) % 1000,
            Err(_) => 0,
        };
        tokio::time::sleep(self.next(up, thousandths)).await;
    }
}

/// Opens a socket: an account's private one, or a public one.
async fn open(
    link: &Link,
    account: Option<&AccountName>,
    target: &str,
) -> Result<OwnSocket, String> {
    tokio::time::timeout(OPEN_TIMEOUT, link.socket(account, target))
        .await
        .unwrap_or_else(|_| Err("the socket does not open in time".to_owned()))
}

/// Says something to the venue, which counts it as the account's, if it is on one.
async fn say(link: &Link, socket: &mut OwnSocket, text: String) -> Result<(), String> {
    link.charge(socket, &text);
    match tokio::time::timeout(WRITE_TIMEOUT, socket.stream.send(Message::text(text))).await {
        Ok(sent) => sent.map_err(|error| error.to_string()),
        Err(_) => Err("the venue takes no message".to_owned()),
    }
}

/// The next text on the socket, or why there is none. Where it says that we are to stop, we do.
async fn read(link: &Link, socket: &mut OwnSocket) -> Result<String, String> {
    let text = read_after(SILENCE, &mut socket.stream).await?;
    link.heed(socket, &text);
    Ok(text)
}

/// A connection may die without a word: a venue that was silent for so long is asked for a sign of
/// life.
async fn read_after(silence: Duration, socket: &mut BoxedSocket) -> Result<String, String> {
    let mut asked = false;
    loop {
        let Ok(message) = tokio::time::timeout(silence, socket.next()).await else {
            if asked {
                return Err("the venue says nothing and answers no ping".to_owned());
            }
            ping(socket).await?;
            asked = true;
            continue;
        };
        asked = false;
        match message {
            Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
            // Answering a ping takes a flush, which the library leaves to the next write.
            Some(Ok(Message::Ping(_))) => socket.flush().await.map_err(|e| e.to_string())?,
            Some(Ok(Message::Close(_))) | None => {
                return Err("the venue closed the socket".to_owned());
            }
            Some(Ok(Message::Binary(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Err(error)) => return Err(error.to_string()),
        }
    }
}

async fn ping(socket: &mut BoxedSocket) -> Result<(), String> {
    match tokio::time::timeout(WRITE_TIMEOUT, socket.send(Message::Ping(Vec::new().into()))).await {
        Ok(sent) => sent.map_err(|error| error.to_string()),
        Err(_) => Err("the venue takes no message".to_owned()),
    }
}

/// Waits until `at`; for ever without one.
async fn until(at: Option<Time>) {
    match at {
        Some(at) => {
            let left = at.since(crate::clock::now());
            tokio::time::sleep(Duration::from_micros(left.micros())).await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;

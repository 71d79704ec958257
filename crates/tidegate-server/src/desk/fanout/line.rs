//! A socket to the venue that carries streams of many members.

use super::super::links::Link;
use super::super::rooms::SocketPlace;
use crate::desk::BoxedSocket;
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;

/// Most texts that wait to be said on a line.
const MAX_UNSAID: usize = 256;
/// Between two texts on one line: venues count what they are told, ten a second at most.
const PACE: Duration = Duration::from_millis(125);

/// The number of a line, never used again.
pub(super) type LineNumber = u64;

/// What is heard on a line; `None` once it is over.
pub(super) type Heard = (LineNumber, Option<String>);

/// A line. Dropping it closes the socket.
pub(super) struct Line {
    out: mpsc::Sender<String>,
    /// When it began to open.
    pub(super) opened: Instant,
    /// From which of the desk's addresses it goes.
    pub(super) from: usize,
    /// How many streams it carries.
    pub(super) carries: usize,
    /// When the next text may be said.
    pub(super) free_at: Instant,
    /// Since when it carries none.
    pub(super) idle_since: Option<Instant>,
}

impl Line {
    /// Begins to open a socket; what is said meanwhile waits.
    pub(super) fn open(
        number: LineNumber,
        link: Arc<Link>,
        target: String,
        place: SocketPlace,
        heard: mpsc::Sender<Heard>,
        now: Instant,
    ) -> Line {
        let (out, to_say) = mpsc::channel(MAX_UNSAID);
        let from = place.from;
        tokio::spawn(async move {
            let _place = place;
            if let Ok(socket) = link.socket_from(from, &target).await {
                drop(link);
                carry(number, socket, to_say, &heard).await;
            }
            let _ = heard.send((number, None)).await;
        });
        Line { out, opened: now, from, carries: 0, free_at: now, idle_since: None }
    }

    /// Says a text; false when the line takes no more.
    pub(super) fn say(&mut self, text: String) -> bool {
        self.free_at = Instant::now().max(self.free_at) + PACE;
        self.out.try_send(text).is_ok()
    }
}

/// Carries texts both ways until either side ends.
async fn carry(
    number: LineNumber,
    mut socket: BoxedSocket,
    mut to_say: mpsc::Receiver<String>,
    heard: &mpsc::Sender<Heard>,
) {
    let mut free_at = Instant::now();
    loop {
        let next = async {
            sleep_until(free_at).await;
            to_say.recv().await
        };
        let done = tokio::select! {
            text = next => match text {
                Some(text) => {
                    free_at = Instant::now() + PACE;
                    socket.send(Message::text(text)).await
                }
                None => break,
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    if heard.send((number, Some(text.as_str().to_owned()))).await.is_err() {
                        break;
                    }
                    Ok(())
                }
                // Pings are answered by the library with the next flush.
                Some(Ok(Message::Ping(_))) => socket.flush().await,
                Some(Ok(Message::Binary(_) | Message::Pong(_) | Message::Frame(_))) => Ok(()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
        };
        if done.is_err() {
            return;
        }
    }
    let _ = socket.close().await;
}

//! The venue's public socket that belongs to one session.

use crate::desk::Link;
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use tidegate_types::limits::MAX_WS_BACKLOG;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

/// The two ends of a relayed socket. Dropping it closes the socket.
pub(super) struct Relay {
    out: mpsc::Sender<String>,
    heard: mpsc::Receiver<String>,
}

impl Relay {
    /// Begins to open the venue's socket at `target`; what is sent meanwhile waits.
    pub(super) fn open(link: Arc<Link>, target: String) -> Relay {
        let (out, to_send) = mpsc::channel(MAX_WS_BACKLOG);
        let (told, heard) = mpsc::channel(MAX_WS_BACKLOG);
        tokio::spawn(pump(link, target, to_send, told));
        Relay { out, heard }
    }

    /// Sends a text to the venue; false when it takes no more.
    pub(super) fn send(&self, text: String) -> bool {
        self.out.try_send(text).is_ok()
    }

    /// What the venue said, if it is there already.
    pub(super) fn ready(&mut self) -> Option<String> {
        self.heard.try_recv().ok()
    }
}

/// The next text of the venue's; `None` once the socket is closed. Pending without a relay.
pub(super) async fn next(relay: &mut Option<Relay>) -> Option<String> {
    match relay {
        Some(relay) => relay.heard.recv().await,
        None => std::future::pending().await,
    }
}

/// Carries texts both ways until either side ends. The caller's side is never waited for: one that
/// does not keep up is cut off by its session.
async fn pump(
    link: Arc<Link>,
    target: String,
    mut to_send: mpsc::Receiver<String>,
    told: mpsc::Sender<String>,
) {
    let Ok(mut socket) = link.transport().socket(&target).await else { return };
    loop {
        tokio::select! {
            text = to_send.recv() => {
                let Some(text) = text else { break };
                if socket.feed(Message::text(text)).await.is_err() {
                    return;
                }
                while let Ok(text) = to_send.try_recv() {
                    if socket.feed(Message::text(text)).await.is_err() {
                        return;
                    }
                }
                if socket.flush().await.is_err() {
                    return;
                }
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    if told.send(text.as_str().to_owned()).await.is_err() {
                        break;
                    }
                }
                // Pings are answered by the library with the next flush.
                Some(Ok(Message::Ping(_))) => {
                    if socket.flush().await.is_err() {
                        return;
                    }
                }
                Some(Ok(Message::Binary(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
        }
    }
    let _ = socket.close().await;
}

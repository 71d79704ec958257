//! The venue's public socket that belongs to one session.

use crate::desk::{BoxedSocket, Errand, Link, SocketPlace};
use futures_util::{SinkExt, StreamExt};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tidegate_types::ids::{AccountName, CallerName};
use tidegate_types::limits::MAX_WS_BACKLOG;
use tidegate_types::reject::Reject;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::{Error, Message};

/// Who pays for what is said on the socket.
pub(super) enum Payer {
    /// A caller that logged in.
    Caller(CallerName, AccountName),
    /// Somebody at this address.
    Peer(IpAddr),
}

/// The two ends of a relayed socket. Dropping it closes the socket.
pub(super) struct Relay {
    out: mpsc::Sender<String>,
    heard: mpsc::Receiver<String>,
}

impl Relay {
    /// Begins to open the venue's socket at `target`; what is sent meanwhile waits.
    ///
    /// # Errors
    /// When all sockets are in use that the venue allows.
    pub(super) fn open(link: Arc<Link>, target: String, payer: Payer) -> Result<Relay, Reject> {
        let place = link.reserve_socket(payer.errand())?;
        let (out, to_send) = mpsc::channel(MAX_WS_BACKLOG);
        let (told, heard) = mpsc::channel(MAX_WS_BACKLOG);
        let pump = Pump { link, payer, to_send, told, _place: place };
        tokio::spawn(pump.run(target));
        Ok(Relay { out, heard })
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

impl Payer {
    fn errand(&self) -> Errand<'_> {
        match self {
            Payer::Caller(caller, account) => Errand::Read { caller, account },
            Payer::Peer(peer) => Errand::Public { peer: *peer },
        }
    }
}

/// Carries texts both ways until either side ends. The caller's side is never waited for: one that
/// does not keep up is cut off by its session.
struct Pump {
    link: Arc<Link>,
    payer: Payer,
    to_send: mpsc::Receiver<String>,
    told: mpsc::Sender<String>,
    _place: SocketPlace,
}

impl Pump {
    async fn run(mut self, target: String) {
        let Ok(mut socket) = self.link.transport().socket(&target).await else { return };
        // A text that the venue's rate limit does not allow for yet, and when it may.
        let (mut held, mut due) = (None, Instant::now());
        loop {
            let done = tokio::select! {
                text = self.to_send.recv(), if held.is_none() => {
                    let Some(text) = text else { break };
                    (held, due) = (Some(text), Instant::now());
                    Ok(())
                }
                () = sleep_until(due), if held.is_some() => match self.pay(held.as_deref()) {
                    Ok(()) => match held.take() {
                        Some(text) => socket.send(Message::text(text)).await,
                        None => Ok(()),
                    },
                    Err(wait) => {
                        due = Instant::now() + wait;
                        Ok(())
                    }
                },
                message = socket.next() => match message {
                    Some(message) => match self.hear(&mut socket, message).await {
                        Some(done) => done,
                        None => break,
                    },
                    None => return,
                },
            };
            if done.is_err() {
                return;
            }
        }
        let _ = socket.close().await;
    }

    /// Hands on what the venue said; `None` when nobody hears it any more.
    async fn hear(
        &self,
        socket: &mut BoxedSocket,
        message: Result<Message, Error>,
    ) -> Option<Result<(), Error>> {
        match message {
            Ok(Message::Text(text)) => self.told.send(text.as_str().to_owned()).await.ok().map(Ok),
            // Pings are answered by the library with the next flush.
            Ok(Message::Ping(_)) => Some(socket.flush().await),
            Ok(Message::Binary(_) | Message::Pong(_) | Message::Frame(_)) => Some(Ok(())),
            Ok(Message::Close(_)) => Some(Err(Error::ConnectionClosed)),
            Err(error) => Some(Err(error)),
        }
    }

    fn pay(&self, text: Option<&str>) -> Result<(), Duration> {
        match text.and_then(|text| self.link.venue().socket_cost(text)) {
            Some(cost) => {
                let paid = self.link.pay(self.payer.errand(), cost);
                paid.map_err(|wait| Duration::from_micros(wait.micros()))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;

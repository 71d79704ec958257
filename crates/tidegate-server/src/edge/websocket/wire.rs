//! A caller's socket with a bounded backlog: written in batches, cut off when it reads too slowly.

use super::backlog::Backlog;
use super::{CallerSocket, Socket};
use futures_util::{Sink, Stream};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// What a caller's socket said.
#[derive(Debug)]
pub enum Heard {
    /// A text.
    Text(String),
    /// A ping or pong; pings are answered by the library.
    Other,
    /// Bytes, which no venue takes.
    Binary,
    /// It closed or broke.
    End,
}

/// A caller's socket.
pub struct Wire {
    socket: Socket,
    backlog: Backlog,
    unflushed: bool,
}

impl Wire {
    /// The socket, with nothing queued.
    pub fn new(socket: CallerSocket) -> Wire {
        let CallerSocket { socket, debt } = socket;
        Wire { socket, backlog: Backlog::new(debt), unflushed: false }
    }

    /// Queues a message; it goes out with the next `next`.
    pub fn send(&mut self, message: Message) {
        self.backlog.push(message, Instant::now());
    }

    /// Queues the close frame.
    pub fn close(&mut self, code: u16, reason: &str) {
        // A close frame holds 123 bytes of reason.
        let reason: String = reason.chars().filter(char::is_ascii).take(120).collect();
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        self.send(Message::Close(Some(frame)));
    }

    /// How many messages wait to be written.
    pub fn waiting(&self) -> usize {
        self.backlog.len()
    }

    /// Whether the caller has let too much pile up. What waits is dropped then, and the close frame says why.
    pub fn overflows(&mut self) -> bool {
        let overflows = self.backlog.is_too_much(Instant::now());
        if overflows {
            self.backlog.clear();
            self.close(1008, "TG403 what is sent is read too slowly");
        }
        overflows
    }

    /// Forgets what waits to be written.
    pub fn forget(&mut self) {
        self.backlog.clear();
    }

    /// Writes what is queued, flushed once, until something is heard. May be dropped at any time.
    pub async fn next(&mut self) -> Heard {
        poll_fn(|cx| {
            if self.poll_write(cx) == Poll::Ready(Err(Broken)) {
                return Poll::Ready(Heard::End);
            }
            Pin::new(&mut self.socket).poll_next(cx).map(|message| match message {
                Some(Ok(Message::Text(text))) => Heard::Text(text.as_str().to_owned()),
                Some(Ok(Message::Binary(_))) => Heard::Binary,
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Heard::Other,
                Some(Ok(Message::Close(_)) | Err(_)) | None => Heard::End,
            })
        })
        .await
    }

    /// Writes the rest out, and ends the socket.
    pub async fn finish(&mut self) {
        let _ = poll_fn(|cx| self.poll_write(cx)).await;
        let _ = poll_fn(|cx| Pin::new(&mut self.socket).poll_close(cx)).await;
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        while !self.backlog.is_empty() {
            match Pin::new(&mut self.socket).poll_ready(cx) {
                Poll::Ready(Ok(())) => {
                    let Some(message) = self.backlog.pop() else { break };
                    if Pin::new(&mut self.socket).start_send(message).is_err() {
                        return Poll::Ready(Err(Broken));
                    }
                    self.unflushed = true;
                }
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Broken)),
                Poll::Pending => break,
            }
        }
        if self.unflushed {
            match Pin::new(&mut self.socket).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Broken)),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.backlog.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

/// The socket cannot be written to any more.
#[derive(PartialEq, Eq)]
struct Broken;

//! Holds a connection to its time-outs: the head of a request, the pause between requests, and a
//! reader that takes nothing. One timer per connection and direction, touched only when the socket
//! has nothing to say, so that a busy connection pays nothing for it.

use super::Timeouts;
use super::lines::Lines;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Duration, Instant, Sleep, sleep_until};

/// What a connection is doing, told by whoever serves it.
#[derive(Clone, Debug)]
pub(super) struct Phase(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    phase: AtomicU8,
    /// Whether a head was refused; see `Lines`.
    spoilt: AtomicBool,
}

const HEAD: u8 = 0;
const IDLE: u8 = 1;
const BUSY: u8 = 2;
const UPGRADED: u8 = 3;

impl Phase {
    /// A connection that just opened owes a head.
    pub(super) fn new() -> Phase {
        Phase(Arc::new(Shared { phase: AtomicU8::new(HEAD), spoilt: AtomicBool::new(false) }))
    }

    /// A request is being served: reading is not timed here.
    pub(super) fn busy(&self) {
        self.set(BUSY);
    }

    /// The request is answered.
    pub(super) fn idle(&self) {
        self.set(IDLE);
    }

    /// The request is the last one: what follows is not HTTP. False when something that followed
    /// it already was read as HTTP, and spoilt.
    pub(super) fn upgrade(&self) -> bool {
        self.set(UPGRADED);
        !self.0.spoilt.load(Ordering::Relaxed)
    }

    fn set(&self, phase: u8) {
        self.0.phase.store(phase, Ordering::Relaxed);
    }

    fn get(&self) -> u8 {
        self.0.phase.load(Ordering::Relaxed)
    }
}

/// A socket held to its time-outs; past one, reading or writing fails with `TimedOut`. What is read
/// from it passes `Lines`.
pub(super) struct Guarded<S> {
    inner: S,
    phase: Phase,
    lines: Lines,
    timeouts: Timeouts,
    /// The phase that `read_due` was set for.
    timed: Option<u8>,
    read: Alarm,
    write: Alarm,
}

/// A deadline, and a timer that is moved as seldom as possible.
struct Alarm {
    due: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<S> Guarded<S> {
    pub(super) fn new(inner: S, phase: Phase, timeouts: Timeouts) -> Guarded<S> {
        let mut read = Alarm::new();
        read.set(timeouts.head);
        let lines = Lines::default();
        Guarded { inner, phase, lines, timeouts, timed: Some(HEAD), read, write: Alarm::new() }
    }

    /// Brings the deadline for reading in line with the phase.
    fn follow_phase(&mut self) {
        let phase = self.phase.get();
        if self.timed != Some(phase) {
            self.timed = Some(phase);
            match phase {
                HEAD => self.read.set(self.timeouts.head),
                IDLE => self.read.set(self.timeouts.idle),
                _ => self.read.due = None,
            }
        }
    }
}

impl Alarm {
    fn new() -> Alarm {
        Alarm { due: None, sleep: None }
    }

    fn set(&mut self, after: Duration) {
        self.due = Instant::now().checked_add(after);
    }

    fn has_passed(&self) -> bool {
        self.due.is_some_and(|due| Instant::now() >= due)
    }

    /// Ready once the deadline has passed; else the task is woken then.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(due) = self.due else { return Poll::Pending };
        loop {
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if sleep.deadline() > due || sleep.is_elapsed() {
                sleep.as_mut().reset(due);
            }
            ready!(sleep.as_mut().poll(cx));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.follow_phase();
        // Checked before reading too: a sender of one byte at a time always has one ready.
        if this.timed == Some(HEAD) && this.read.has_passed() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buf.filled().len();
        match Pin::new(&mut this.inner).poll_read(cx, buf) {
            Poll::Ready(result) => {
                if this.timed == Some(IDLE) && buf.filled().len() > before {
                    this.phase.set(HEAD);
                    this.follow_phase();
                }
                if this.timed != Some(UPGRADED) {
                    this.lines.watch(buf.filled_mut().get_mut(before..).unwrap_or_default());
                    this.phase.0.spoilt.store(this.lines.refused(), Ordering::Relaxed);
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                ready!(this.read.poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Guarded<S> {
    fn timed_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match write(Pin::new(&mut self.inner), cx) {
            Poll::Ready(result) => {
                self.write = Alarm::new();
                Poll::Ready(result)
            }
            Poll::Pending => {
                if self.write.due.is_none() {
                    self.write.set(self.timeouts.write);
                }
                ready!(self.write.poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.timed_write(cx, |inner, cx| inner.poll_write(cx, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.timed_write(cx, |inner, cx| inner.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.timed_write(cx, |inner, cx| inner.poll_shutdown(cx))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.timed_write(cx, |inner, cx| inner.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;

//! Holds a connection to its time-outs: the head of a request, the pause between requests, and the pace
//! at which heads and bodies arrive and answers are taken. One timer per connection and direction, touched only when the socket
//! has nothing to say, so that a busy connection pays nothing for it.

use super::Timeouts;
use super::inbound::Pace;
use super::lines::Lines;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use tidegate_types::limits::{LINGER, MAX_LINGER_BYTES, PACE_WINDOW};
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
    /// Whether what the caller still sends belongs to a request that was refused.
    refused: AtomicBool,
}

const HEAD: u8 = 0;
const IDLE: u8 = 1;
const BUSY: u8 = 2;
const UPGRADED: u8 = 3;
const BODY: u8 = 4;

impl Phase {
    /// A connection that just opened owes a head.
    pub(super) fn new() -> Phase {
        Phase(Arc::new(Shared {
            phase: AtomicU8::new(HEAD),
            spoilt: AtomicBool::new(false),
            refused: AtomicBool::new(false),
        }))
    }

    /// A request is being served: reading is not timed here.
    pub(super) fn busy(&self) {
        self.set(BUSY);
    }

    /// The body of the request is read.
    pub(super) fn body(&self) {
        self.set(BODY);
    }

    /// The request is refused, and what follows it is not read.
    pub(super) fn refuse(&self) {
        self.0.refused.store(true, Ordering::Relaxed);
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
    /// How fast a head or a body arrives.
    arrives: Pace,
    slow: Alarm,
    /// How fast what is written is taken, while the socket takes no more.
    taken: Pace,
    write: Alarm,
    linger: Linger,
}

/// The end of a connection whose caller may still be sending.
#[derive(Debug)]
enum Linger {
    /// It has not ended.
    No,
    /// Our side is closed; so many bytes of the caller's may still be thrown away.
    Left(usize),
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
        let window = Duration::from_millis(PACE_WINDOW.millis());
        Guarded {
            inner,
            phase,
            lines: Lines::default(),
            timeouts,
            timed: Some(HEAD),
            read,
            arrives: Pace::new(timeouts.slowest, window),
            slow: Alarm::new(),
            taken: Pace::new(timeouts.slowest, timeouts.write),
            write: Alarm::new(),
            linger: Linger::No,
        }
    }

    /// Counts how fast the rest of a head or a body comes, from here on.
    fn measure(&mut self) {
        if self.timeouts.slowest > 0 {
            self.arrives.owe(Instant::now());
        }
    }

    /// Brings the deadline for reading in line with the phase.
    fn follow_phase(&mut self) {
        let phase = self.phase.get();
        if self.timed != Some(phase) {
            self.timed = Some(phase);
            self.arrives.rest();
            if phase == BODY {
                self.measure();
            }
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
                // A head is owed from its first byte on.
                if this.timed == Some(HEAD) && buf.filled().len() > before {
                    this.measure();
                }
                this.arrives.moved(buf.filled().len() - before);
                if this.timed != Some(UPGRADED) {
                    this.lines.watch(buf.filled_mut().get_mut(before..).unwrap_or_default());
                    this.phase.0.spoilt.store(this.lines.refused(), Ordering::Relaxed);
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                this.slow.due = this.arrives.due();
                if this.read.poll(cx).is_pending() {
                    ready!(this.poll_pace(cx));
                }
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S> Guarded<S> {
    /// Ready once what is owed has come too slowly.
    fn poll_pace(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.slow.poll(cx));
            if self.arrives.is_too_slow(Instant::now()) {
                return Poll::Ready(());
            }
            self.slow.due = self.arrives.due();
        }
    }
}

impl<S: AsyncWrite + Unpin> Guarded<S> {
    /// Writes, and gives up on a caller that takes too little: a window that begins when the socket takes no
    /// more, and ends when all is written.
    fn timed_write(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match write(Pin::new(&mut self.inner), cx) {
            Poll::Ready(result) => {
                self.taken.moved(*result.as_ref().unwrap_or(&0));
                Poll::Ready(result)
            }
            Poll::Pending => self.wait_to_write(cx),
        }
    }

    fn wait_to_write<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        self.taken.owe(Instant::now());
        self.write.due = self.taken.due();
        loop {
            ready!(self.write.poll(cx));
            if self.taken.is_too_slow(Instant::now()) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.write.due = self.taken.due();
        }
    }

    /// Nothing is left to be written.
    fn written(&mut self) {
        self.taken.rest();
        self.write = Alarm::new();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guarded<S> {
    /// Throws away what a refused caller still sends, for a while: a socket that is closed with bytes unread
    /// takes back what was written to it, and nobody would read why it was refused.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Linger::Left(left) = &mut self.linger else { return Poll::Ready(Ok(())) };
        let mut room = [0; 4096];
        loop {
            if self.read.poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut thrown = ReadBuf::new(&mut room);
            match ready!(Pin::new(&mut self.inner).poll_read(cx, &mut thrown)) {
                Ok(()) if !thrown.filled().is_empty() && *left > 0 => {
                    *left = left.saturating_sub(thrown.filled().len());
                }
                // Whether it ended or broke: nothing more is to be read.
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.timed_write(cx, |inner, cx| inner.poll_write(cx, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.inner).poll_flush(cx) {
            Poll::Ready(result) => {
                self.written();
                Poll::Ready(result)
            }
            Poll::Pending => self.wait_to_write(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if matches!(self.linger, Linger::No) {
            match Pin::new(&mut self.inner).poll_shutdown(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(broken) => return Poll::Ready(broken),
                Poll::Pending => return self.wait_to_write(cx),
            }
            let refused = self.phase.get() == HEAD || self.phase.0.refused.load(Ordering::Relaxed);
            if !refused || self.phase.get() == UPGRADED {
                return Poll::Ready(Ok(()));
            }
            self.linger = Linger::Left(MAX_LINGER_BYTES);
            self.read.set(Duration::from_millis(LINGER.millis()));
        }
        self.poll_linger(cx)
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

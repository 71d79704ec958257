//! The operator's log: one line on standard error for everything an operator has to know of, as
//! `time level what key=value`. It holds no secret and no order flow: orders are in the journal.
//!
//! Whoever logs never waits: lines go through a short queue to a thread of their own, and are
//! counted instead when that does not keep up. Where a collector is configured, each line goes there too.

use crate::syslog;
use std::fmt::{Display, Write as _};
use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::{Duration, Instant};

/// Most lines that wait to be written.
const WAITING: usize = 1024;
/// Something that stays as it is is told again after this.
const AGAIN: Duration = Duration::from_secs(60);
/// How long the end of the program waits for the last lines.
const LAST_LINES: Duration = Duration::from_millis(200);

/// How much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// Good to know.
    Info,
    /// Something does not work and is tried again.
    Warn,
    /// Somebody has to look.
    Alarm,
}

enum Line {
    Text(String),
    End(SyncSender<()>),
}

static QUEUE: OnceLock<SyncSender<Line>> = OnceLock::new();
static LOST: AtomicU64 = AtomicU64::new(0);

/// Begins to write lines; before that they go nowhere.
pub fn start() {
    let (sender, lines) = mpsc::sync_channel(WAITING);
    if QUEUE.set(sender).is_ok() {
        // Without a thread there is no log, and nothing else suffers.
        let _ = std::thread::Builder::new().name("log".to_owned()).spawn(move || write(&lines));
    }
}

/// Waits for the lines so far.
pub fn finish() {
    let (done, written) = mpsc::sync_channel(1);
    if QUEUE.get().is_some_and(|queue| queue.try_send(Line::End(done)).is_ok()) {
        let _ = written.recv_timeout(LAST_LINES);
    }
}

/// Good to know.
pub fn info(what: &str, fields: &[(&str, &dyn Display)]) {
    log(Level::Info, what, fields);
}

/// Something does not work and is tried again.
pub fn warn(what: &str, fields: &[(&str, &dyn Display)]) {
    log(Level::Warn, what, fields);
}

/// Somebody has to look.
pub fn alarm(what: &str, fields: &[(&str, &dyn Display)]) {
    log(Level::Alarm, what, fields);
}

fn log(level: Level, what: &str, fields: &[(&str, &dyn Display)]) {
    if syslog::is_on() {
        syslog::tell(level, what, text(what, fields));
    }
    here(level, what, fields);
}

/// A line for this machine's log alone, about the way to the collector.
pub(crate) fn here(level: Level, what: &str, fields: &[(&str, &dyn Display)]) {
    let Some(queue) = QUEUE.get() else { return };
    if queue.try_send(Line::Text(line(level, what, fields))).is_err() {
        LOST.fetch_add(1, Ordering::Relaxed);
    }
}

fn line(level: Level, what: &str, fields: &[(&str, &dyn Display)]) -> String {
    let now = crate::clock::now();
    let at = i64::try_from(now.millis()).ok();
    let at = at.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
    let level = match level {
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Alarm => "ALARM",
    };
    format!("{at:.3} {level:<5} {}", text(what, fields))
}

/// What happened, in one line.
pub(crate) fn text(what: &str, fields: &[(&str, &dyn Display)]) -> String {
    let mut line = what.to_owned();
    for (key, value) in fields {
        let value = value.to_string();
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\');
        // Whatever a venue or a caller wrote stays within its line.
        let _ = match !value.is_empty() && value.chars().all(plain) {
            true => write!(line, " {key}={value}"),
            false => write!(line, " {key}={value:?}"),
        };
    }
    line
}

fn write(lines: &Receiver<Line>) {
    for line in lines {
        let mut out = std::io::stderr().lock();
        // Nobody reads it: nothing to be done about that.
        let _ = match line {
            Line::Text(text) => writeln!(out, "{text}"),
            Line::End(done) => {
                let _ = done.send(());
                Ok(())
            }
        };
        let lost = LOST.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let _ = writeln!(out, "{}", self::line(Level::Warn, "log-full", &[("lost", &lost)]));
        }
    }
}

/// Keeps something that happens again and again from filling the log.
#[derive(Debug, Default)]
pub struct Repeated {
    last: Option<(String, Instant)>,
}

impl Repeated {
    /// Whether this is news: other than last time, or a minute since it was told.
    pub fn is_news(&mut self, text: &str) -> bool {
        let told = |(last, at): &(String, Instant)| last == text && at.elapsed() < AGAIN;
        let news = !self.last.as_ref().is_some_and(told);
        if news {
            self.last = Some((text.to_owned(), Instant::now()));
        }
        news
    }

    /// It is over: the next time is news; whether it was told of.
    pub fn over(&mut self) -> bool {
        self.last.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line_and_can_be_taken_apart() {
        let text = line(Level::Alarm, "x", &[("a", &1), ("why", &"no \"way\"\nout"), ("b", &"")]);
        let (at, rest) = text.split_once(' ').unwrap();
        assert!(at.parse::<jiff::Timestamp>().is_ok(), "{text}");
        assert_eq!(rest, r#"ALARM x a=1 why="no \"way\"\nout" b="""#);
    }

    #[test]
    fn what_stays_as_it_is_is_told_once() {
        let mut repeated = Repeated::default();
        let told: Vec<bool> = ["a", "a", "b", "a"].map(|text| repeated.is_news(text)).into();
        assert_eq!(told, [true, false, true, true]);
        assert!(repeated.over() && !repeated.over());
        assert!(repeated.is_news("a"));
    }
}

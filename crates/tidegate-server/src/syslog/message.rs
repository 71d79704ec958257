//! One message of RFC 5424, framed by its length as RFC 5425 has it.

use super::Event;
use crate::oplog::Level;

/// Of the facilities, that of audits.
const FACILITY: u32 = 13;
/// Every collector should take 8192 bytes (RFC 5425, section 4.3.1): what is over is cut.
const MAX_TEXT: usize = 7800;
const MAX_HOST: usize = 255;
const MAX_ID: usize = 32;
/// Numbers of messages begin anew after this (RFC 5424, section 7.3.1).
const MAX_SEQUENCE: u32 = i32::MAX.unsigned_abs();

/// What all messages of a process have in common, and the number of the next.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    host: String,
    pid: u32,
    next: u32,
}

impl Writer {
    /// Of this process on this machine.
    pub(super) fn new() -> Writer {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Writer { host: printable(&host, MAX_HOST), pid: std::process::id(), next: 1 }
    }

    /// The event as it goes over the wire. The numbers of messages have no gaps, so that a collector sees what is
    /// missing.
    pub(super) fn frame(&mut self, event: &Event) -> Vec<u8> {
        let severity = match event.level {
            Level::Alarm => 1,
            Level::Warn => 4,
            Level::Info => 6,
        };
        let (priority, id) = (FACILITY * 8 + severity, printable(&event.what, MAX_ID));
        let at = i64::try_from(event.at.millis()).ok();
        let at = at.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
        let (host, pid, number, text) = (&self.host, self.pid, self.next, cut(&event.text));
        let message = format!(
            "<{priority}>1 {at:.3} {host} tidegate {pid} {id} [meta sequenceId=\"{number}\"] {text}"
        );
        self.next = if self.next >= MAX_SEQUENCE { 1 } else { self.next + 1 };
        let mut frame = format!("{} ", message.len()).into_bytes();
        frame.extend_from_slice(message.as_bytes());
        frame
    }
}

/// The printable ASCII of a text, at most so much; `-` when there is none.
fn printable(text: &str, most: usize) -> String {
    let kept: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}

/// One line of a text, of bounded length.
fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_TEXT);
    let text = text.get(..end).unwrap_or_default();
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

//! Watches the lines of every request's head as they arrive, for what hyper reads more kindly than
//! HTTP allows and does not tell: lines that end without a CR, and a Content-Length said twice.
//!
//! What is refused here is handed on with a NUL in place of the line's end. No HTTP grammar takes
//! one, so hyper answers 400 and closes, after the answers to the requests before it.

use std::mem::take;

/// Longest line that can say a length: with the spaces around it, and leading zeros.
const MAX_LENGTH_LINE: usize = 64;

/// Where in the caller's bytes the connection is.
#[derive(Debug, Default)]
pub(super) struct Lines {
    place: Place,
    /// The line so far, up to a bound.
    line: Vec<u8>,
    /// Whether its last byte was a CR.
    after_cr: bool,
    /// Whether a line came before this one; empty lines ahead of a request do not count.
    begun: bool,
    /// What the head says that the body has.
    length: Option<u64>,
}

#[derive(Debug, Default)]
enum Place {
    #[default]
    Head,
    /// So many bytes of a body are still to come.
    Body(u64),
    /// A head was refused; nothing after it matters.
    Refused,
}

/// A line that is not to be taken.
struct Bad;

impl Lines {
    /// Watches bytes that were read, and spoils the first line that is not to be taken.
    pub(super) fn watch(&mut self, mut bytes: &mut [u8]) {
        loop {
            let taken = match self.place {
                Place::Refused => return,
                Place::Body(0) => {
                    self.place = Place::Head;
                    0
                }
                Place::Body(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    self.place = Place::Body(left - here as u64);
                    here
                }
                Place::Head => self.head(bytes),
            };
            bytes = take(&mut bytes).get_mut(taken..).unwrap_or_default();
            if bytes.is_empty() {
                return;
            }
        }
    }

    /// Whether a head was refused.
    pub(super) fn refused(&self) -> bool {
        matches!(self.place, Place::Refused)
    }

    /// Takes the rest of a line, and says how long it is.
    fn head(&mut self, bytes: &mut [u8]) -> usize {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let rest = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        let room = MAX_LENGTH_LINE - self.line.len();
        self.line.extend(rest.iter().take(room));
        self.after_cr = rest.last().map_or(self.after_cr, |byte| *byte == b'\r');
        let Some(end) = end else { return bytes.len() };
        if self.end_line().is_err() {
            self.place = Place::Refused;
            if let Some(byte) = bytes.get_mut(end) {
                *byte = 0;
            }
        }
        end + 1
    }

    fn end_line(&mut self) -> Result<(), Bad> {
        let line = take(&mut self.line);
        if !take(&mut self.after_cr) {
            return Err(Bad);
        }
        if line == b"\r" {
            if take(&mut self.begun) {
                self.place = Place::Body(self.length.take().unwrap_or(0));
            }
            return Ok(());
        }
        self.begun = true;
        match length(&line)? {
            Some(_) if self.length.is_some() => Err(Bad),
            Some(length) => {
                self.length = Some(length);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// The length that a line says, if it is about that.
fn length(line: &[u8]) -> Result<Option<u64>, Bad> {
    let mut parts = line.splitn(2, |byte| *byte == b':');
    let name = parts.next().unwrap_or_default();
    if !name.trim_ascii().eq_ignore_ascii_case(b"content-length") {
        return Ok(None);
    }
    let value = parts.next().ok_or(Bad)?.trim_ascii();
    if line.len() == MAX_LENGTH_LINE || !value.iter().all(u8::is_ascii_digit) {
        return Err(Bad);
    }
    str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()).map(Some).ok_or(Bad)
}

#[cfg(test)]
mod tests;

//! The desk's own list of breached passwords: SHA-1 of each, in order, as such lists are offered for download.
//! It may be larger than the memory, so it is searched where it lies.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Longest line with its end: 40 digits, a colon and a count.
const MAX_LINE: usize = 64;
/// What is read at a time: a line from any place in the one before it.
const WINDOW: usize = 2 * MAX_LINE;
/// How many places are looked at before a list is trusted to be in order.
const PLACES: u64 = 1000;
/// A list of this many bytes has digests from one end of their range to the other.
const WHOLE_FROM: u64 = 1 << 20;

/// A file with one digest on each line, `HASH` or `HASH:COUNT`, in ascending order.
#[derive(Debug)]
pub struct Breached {
    file: File,
    size: u64,
}

/// A line of the file.
struct Line {
    start: u64,
    /// Where the next one starts.
    end: u64,
    digest: [u8; 20],
}

impl Breached {
    /// Opens a list, and looks at its ends and at places all over it.
    ///
    /// # Errors
    /// When it cannot be read, is empty, is not in order, breaks off, or has lines of another kind; the text
    /// says which.
    pub fn open(path: &Path) -> Result<Breached, String> {
        let named = |why: String| format!("{}: {why}", path.display());
        let file = File::open(path).map_err(|e| named(format!("cannot be read: {e}")))?;
        let about = file.metadata().map_err(|e| named(format!("cannot be read: {e}")))?;
        if !about.is_file() {
            return Err(named("is no file".to_owned()));
        }
        let list = Breached { file, size: about.len() };
        list.check().map_err(named)?;
        Ok(list)
    }

    /// Whether a digest is on the list.
    ///
    /// # Errors
    /// When the file cannot be read any more, or is not what it was.
    pub fn contains(&self, digest: &[u8; 20]) -> Result<bool, String> {
        self.line_from(0)?.ok_or("is empty")?;
        // The digest is on none of the lines that start before `low`, nor on one from `high` on.
        let (mut low, mut high) = (0, self.size);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.line_from(middle)?.filter(|line| line.start < high) {
                Some(line) if line.digest == *digest => return Ok(true),
                Some(line) if line.digest < *digest => low = line.end,
                Some(_) | None => high = middle,
            }
        }
        Ok(false)
    }

    fn check(&self) -> Result<(), String> {
        let first = self.line_from(0)?.ok_or("is empty")?;
        let mut last = first.digest;
        let mut follow = |at: u64| -> Result<Option<u64>, String> {
            let Some(line) = self.line_from(at)? else { return Ok(None) };
            if line.digest < last {
                return Err(format!(
                    "is not sorted by digest: the line at byte {} belongs before others",
                    line.start
                ));
            }
            last = line.digest;
            Ok(Some(line.end))
        };
        // A short one is read whole.
        let long = self.size > PLACES * WINDOW as u64;
        for place in (0..PLACES).filter(|_| long) {
            let at = u128::from(self.size) * u128::from(place) / u128::from(PLACES);
            follow(u64::try_from(at).unwrap_or(self.size))?;
        }
        // To the very end, where a copy that broke off shows.
        let mut at = Some(if long { self.size - WINDOW as u64 } else { 0 });
        while let Some(next) = at {
            at = follow(next)?;
        }
        let ([begins, ..], [ends, ..]) = (first.digest, last);
        if self.size >= WHOLE_FROM && (begins >= 0x10 || ends < 0xf0) {
            return Err(format!(
                "is a part: its digests go from {begins:02X}… to {ends:02X}…; copy it anew"
            ));
        }
        Ok(())
    }

    /// The first line that starts at `at` or after it.
    fn line_from(&self, at: u64) -> Result<Option<Line>, String> {
        let before = at.saturating_sub(1);
        let mut window = [0; WINDOW + 1];
        let read = self.read(&mut window, before)?;
        let text = window.get(..read).unwrap_or_default();
        let skipped = match at {
            0 => 0,
            _ => match text.iter().position(|byte| *byte == b'\n') {
                Some(end) => end + 1,
                None if read < window.len() => return Ok(None),
                None => return Err(unlike(before)),
            },
        };
        let start = before + skipped as u64;
        let rest = text.get(skipped..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let length = rest.iter().position(|byte| *byte == b'\n');
        let (line, length) = match length {
            Some(length) => (rest.get(..length).unwrap_or_default(), length + 1),
            None => (rest, rest.len()),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let digest = digest_of(line).ok_or_else(|| unlike(start))?;
        Ok(Some(Line { start, end: start + length as u64, digest }))
    }

    /// Fills `window` from `at` on as far as the file goes.
    fn read(&self, window: &mut [u8], at: u64) -> Result<usize, String> {
        let mut read = 0;
        while let Some(rest) = window.get_mut(read..).filter(|rest| !rest.is_empty()) {
            let more = self.file.read_at(rest, at + read as u64);
            match more.map_err(|e| format!("cannot be read: {e}"))? {
                0 => break,
                more => read += more,
            }
        }
        Ok(read)
    }
}

/// The digest of `HASH` or `HASH:COUNT`.
fn digest_of(line: &[u8]) -> Option<[u8; 20]> {
    if line.len() > MAX_LINE {
        return None;
    }
    let (hash, count) = line.split_at_checked(40)?;
    let counted = match count.split_first() {
        None => true,
        Some((b':', count)) => !count.is_empty() && count.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    };
    let mut digest = [0; 20];
    for (byte, pair) in digest.iter_mut().zip(hash.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        let value = char::from(*high).to_digit(16)? * 16 + char::from(*low).to_digit(16)?;
        *byte = u8::try_from(value).ok()?;
    }
    counted.then_some(digest)
}

fn unlike(at: u64) -> String {
    format!("the line at byte {at} is not HASH or HASH:COUNT, of SHA-1 in 40 hexadecimal digits")
}

#[cfg(test)]
mod tests;

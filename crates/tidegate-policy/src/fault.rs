//! What is wrong with a file, and where.

use std::fmt;
use std::ops::Range;

/// A place in a file, as editors count: from 1, columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// The place of a byte of `text`.
    pub(crate) fn of(text: &str, at: usize) -> Place {
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        Place { line, column }
    }
}

/// One thing that is wrong. It is the writer's to mend: reading the same file again finds it again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What was found, and what was expected.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Why a file could not be read: everything that is wrong with it, in the order of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable {
    /// The file, as it was named.
    pub file: String,
    /// What is wrong; at least one.
    pub faults: Vec<Fault>,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.faults.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            let Place { line, column } = fault.place;
            write!(f, "{}:{line}:{column}: {}; {}", self.file, fault.message, fault.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for Unreadable {}

/// Takes faults down while a file is read, so that one reading finds them all.
#[derive(Debug)]
pub(crate) struct Faults<'t> {
    text: &'t str,
    found: Vec<(usize, Fault)>,
}

impl<'t> Faults<'t> {
    pub(crate) fn new(text: &'t str) -> Faults<'t> {
        Faults { text, found: Vec::new() }
    }

    /// Takes one down; there is no value for what is wrong.
    pub(crate) fn add<T>(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Option<T> {
        let place = Place::of(self.text, span.start);
        let (message, hint) = (message.into(), hint.into());
        self.found.push((span.start, Fault { place, message, hint }));
        None
    }

    /// What was read, if nothing was wrong.
    pub(crate) fn end<T>(mut self, file: &str, read: Option<T>) -> Result<T, Unreadable> {
        self.found.sort_by_key(|(at, _)| *at);
        let mut faults: Vec<Fault> = self.found.into_iter().map(|(_, fault)| fault).collect();
        faults.dedup();
        match read {
            Some(read) if faults.is_empty() => Ok(read),
            _ => Err(Unreadable { file: file.to_owned(), faults }),
        }
    }
}

//! A table of a TOML file while it is read: keys are asked for by name, and what nobody asked for is a
//! fault, so that a misspelt limit is not taken for one that is set.

use crate::fault::Faults;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with where it stands.
pub(crate) type Value<'t> = Spanned<DeValue<'t>>;

/// A key that was asked for, with its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a, 't> {
    pub(crate) key: &'static str,
    pub(crate) value: &'a Value<'t>,
}

/// A table, and which of its keys were asked for.
#[derive(Debug)]
pub(crate) struct Table<'a, 't> {
    /// What people call such a table.
    what: &'static str,
    span: Range<usize>,
    entries: &'a DeTable<'t>,
    known: Vec<&'static str>,
}

impl<'a, 't> Table<'a, 't> {
    pub(crate) fn new(
        what: &'static str,
        span: Range<usize>,
        entries: &'a DeTable<'t>,
    ) -> Table<'a, 't> {
        Table { what, span, entries, known: Vec::new() }
    }

    /// The table that a value is.
    pub(crate) fn of(
        what: &'static str,
        value: &'a Value<'t>,
        faults: &mut Faults<'_>,
    ) -> Option<Table<'a, 't>> {
        match value.get_ref() {
            DeValue::Table(entries) => Some(Table::new(what, value.span(), entries)),
            other => faults.add(
                &value.span(),
                format!("{what} is a table, found {}", called(other)),
                "write it as `{ key = value }`",
            ),
        }
    }

    /// Where the table begins.
    pub(crate) fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// The value of a key, if it is there.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Entry<'a, 't>> {
        self.known.push(key);
        self.entries.get(key).map(|value| Entry { key, value })
    }

    /// The value of a key that must be there.
    pub(crate) fn need(
        &mut self,
        key: &'static str,
        hint: &str,
        faults: &mut Faults<'_>,
    ) -> Option<Entry<'a, 't>> {
        match self.take(key) {
            Some(entry) => Some(entry),
            None => {
                let message = format!("{} has no `{key}`", self.what);
                faults.add(&self.span, message, hint)
            }
        }
    }

    /// Ends the reading: what nobody asked for is a fault.
    pub(crate) fn end(self, faults: &mut Faults<'_>) {
        for (key, _) in self.entries.iter() {
            let name = key.get_ref().as_ref();
            if self.known.contains(&name) {
                continue;
            }
            let near = self.known.iter().min_by_key(|known| distance(known, name));
            let near = near.filter(|known| distance(known, name) <= 1 + known.len() / 4);
            let hint = match near {
                Some(near) => format!("is `{near}` meant?"),
                None => format!("there is: {}", self.known.join(", ")),
            };
            faults.add::<()>(&key.span(), format!("{} has no key `{name}`", self.what), hint);
        }
    }
}

impl<'a, 't> Entry<'a, 't> {
    /// Where the value stands.
    pub(crate) fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// Takes down that the value is not what it must be.
    pub(crate) fn wrong<T>(
        &self,
        expected: &str,
        hint: &str,
        faults: &mut Faults<'_>,
    ) -> Option<T> {
        let found = match self.value.get_ref() {
            DeValue::String(text) => format!("{text:?}"),
            other => called(other),
        };
        faults.add(&self.span(), format!("`{}` is {expected}, found {found}", self.key), hint)
    }

    pub(crate) fn text(
        &self,
        expected: &str,
        hint: &str,
        faults: &mut Faults<'_>,
    ) -> Option<&'a str> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(text.as_ref()),
            _ => self.wrong(expected, hint, faults),
        }
    }

    /// A name, or whatever else is read off one text.
    pub(crate) fn name<T: FromStr>(&self, expected: &str, faults: &mut Faults<'_>) -> Option<T> {
        let hint = "letters, digits, `-`, `_` and `.`, in quotes";
        let text = self.text(expected, hint, faults)?;
        match text.parse() {
            Ok(name) => Some(name),
            Err(_) => self.wrong(expected, hint, faults),
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, faults: &mut Faults<'_>) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.wrong("true or false", "write it without quotes", faults),
        }
    }

    /// A whole number.
    pub(crate) fn count(&self, faults: &mut Faults<'_>) -> Option<u32> {
        let DeValue::Integer(number) = self.value.get_ref() else {
            return self.wrong("a whole number", "write it as 3, without quotes", faults);
        };
        match u32::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Some(number),
            Err(_) => self.wrong("a number from 0 to 4294967295", "write a smaller one", faults),
        }
    }

    /// The values of a list.
    pub(crate) fn list(
        &self,
        expected: &str,
        hint: &str,
        faults: &mut Faults<'_>,
    ) -> Option<Vec<Entry<'a, 't>>> {
        let DeValue::Array(items) = self.value.get_ref() else {
            return self.wrong(expected, hint, faults);
        };
        Some(items.iter().map(|value| Entry { key: self.key, value }).collect())
    }

    /// One of some words.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)], faults: &mut Faults<'_>) -> Option<T> {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let (expected, hint) =
            (format!("one of {}", known.join(", ")), "write one of them, in quotes");
        let text = self.text(&expected, hint, faults)?;
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Some(*value),
            None => self.wrong(&expected, hint, faults),
        }
    }
}

/// The tables of `[[key]]`, each with where it stands.
pub(crate) fn tables<'a, 't>(
    what: &'static str,
    entry: Option<Entry<'a, 't>>,
    faults: &mut Faults<'_>,
) -> Vec<Table<'a, 't>> {
    let Some(entry) = entry else { return Vec::new() };
    let hint = format!("begin each with `[[{}]]`", entry.key);
    let items = entry.list("a list of tables", &hint, faults).unwrap_or_default();
    items.iter().filter_map(|item| Table::of(what, item.value, faults)).collect()
}

/// The whole of a file.
pub(crate) fn document<'t>(text: &'t str, faults: &mut Faults<'t>) -> Option<Spanned<DeTable<'t>>> {
    match DeTable::parse(text) {
        Ok(document) => Some(document),
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            faults.add(&span, one_line(error.message()), "write it as TOML, https://toml.io")
        }
    }
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(", ")
}

fn called(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text {text:?}"),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(flag) => format!("{flag}"),
        DeValue::Datetime(time) => format!("the time {}", time as &dyn Display),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// How many letters differ (Levenshtein), so that a misspelt key is recognised.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((j, y), pair) in b.chars().enumerate().zip(row.windows(2)) {
            let [diagonal, above] = pair else { continue };
            let left = next.get(j).copied().unwrap_or(usize::MAX - 1);
            next.push((diagonal + usize::from(x != y)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

//! JSON from venues, read where it stands: fields are slices of the message, so that little is
//! copied, and single values can be replaced while every other byte stays as it came.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// A value as it stands in a message, without the white space around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a>(&'a RawValue);

/// An object's fields as they stand in a message, one level deep.
#[derive(Default, Debug)]
pub(crate) struct Fields<'a>(Vec<(Cow<'a, str>, Raw<'a>)>);

/// How many fields most messages have at most.
const USUAL: usize = 40;

impl<'a> Raw<'a> {
    /// The one value that a message is.
    pub(crate) fn read(message: &'a [u8]) -> serde_json::Result<Raw<'a>> {
        serde_json::from_slice(message).map(Raw)
    }

    /// The bytes of the value.
    pub(crate) fn json(self) -> &'a str {
        self.0.get()
    }

    /// A text, decoded; `None` for anything else.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        let inner = self.json().strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            return serde_json::from_str(self.json()).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(inner))
    }

    /// The lexeme of a number; `None` for anything else.
    pub(crate) fn number(self) -> Option<&'a str> {
        Some(self.json()).filter(|json| json.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
    }

    /// A text or the lexeme of a number, for ids that venues write as either.
    pub(crate) fn word(self) -> Option<Cow<'a, str>> {
        self.number().map(Cow::Borrowed).or_else(|| self.text())
    }

    /// A truth value; `None` for anything else.
    pub(crate) fn truth(self) -> Option<bool> {
        self.json().parse().ok()
    }

    /// The fields of an object; `None` for anything else.
    pub(crate) fn fields(self) -> Option<Fields<'a>> {
        if self.json().starts_with('{') { serde_json::from_str(self.json()).ok() } else { None }
    }

    /// The items of a list; `None` for anything else.
    pub(crate) fn items(self) -> Option<Vec<Raw<'a>>> {
        if self.json().starts_with('[') { serde_json::from_str(self.json()).ok() } else { None }
    }

    /// Where it stands in `message`, if it is a part of it.
    fn place(self, message: &str) -> Option<Range<usize>> {
        let from = self.json().as_ptr().addr().checked_sub(message.as_ptr().addr())?;
        let place = from..from.checked_add(self.json().len())?;
        message.get(place.clone()).map(|_| place)
    }
}

impl<'a> Fields<'a> {
    /// The fields of the object that a message is; none when it is another value.
    ///
    /// # Errors
    /// When it is not JSON.
    pub(crate) fn read(message: &'a [u8]) -> serde_json::Result<Fields<'a>> {
        if message.trim_ascii_start().starts_with(b"{") {
            return serde_json::from_slice(message);
        }
        Raw::read(message).map(|_| Fields::default())
    }

    /// The field of that name; the last one when there are several.
    pub(crate) fn get(&self, name: &str) -> Option<Raw<'a>> {
        self.0.iter().rev().find(|(field, _)| field == name).map(|(_, value)| *value)
    }

    /// Every name and value, in the order they stand.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Raw<'a>)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    /// The text of that name.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name)?.text()
    }

    /// The whole number of that name, if it is one and fits.
    pub(crate) fn whole<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.number()?.parse().ok()
    }

    /// `message`, which these fields were read from, with every value of that name replaced by a
    /// text; all else stays as it came, byte for byte.
    pub(crate) fn with_text(&self, message: &str, name: &str, text: &str) -> String {
        let json = serde_json::Value::from(text).to_string();
        let mut changed = String::with_capacity(message.len() + json.len());
        let mut from = 0;
        for (_, value) in self.0.iter().filter(|(field, _)| field == name) {
            let Some(place) = value.place(message) else { continue };
            changed.push_str(message.get(from..place.start).unwrap_or_default());
            changed.push_str(&json);
            from = place.end;
        }
        changed.push_str(message.get(from..).unwrap_or_default());
        changed
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Raw<'a>, D::Error> {
        <&'a RawValue>::deserialize(input).map(Raw)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Fields<'a>, D::Error> {
        input.deserialize_map(ReadFields).map(Fields)
    }
}

struct ReadFields;

impl<'de> Visitor<'de> for ReadFields {
    type Value = Vec<(Cow<'de, str>, Raw<'de>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(USUAL);
        while let Some((Name(name), value)) = entries.next_entry()? {
            fields.push((name, value));
        }
        Ok(fields)
    }
}

/// A field's name: borrowed unless it is written with escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Name<'de>, D::Error> {
        input.deserialize_str(ReadName).map(Name)
    }
}

struct ReadName;

impl<'de> Visitor<'de> for ReadName {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests;

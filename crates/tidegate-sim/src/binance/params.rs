//! Parameters of a request, and the bytes its signature covers.

use super::fail::Fail;
use serde_json::Value;
use tidegate_types::decimal::{Decimal, DecimalError};

/// Named values, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// The parameters of a query and a form body; of a name in both, the query's value counts.
    pub(crate) fn of_form(query: &str, body: &str) -> Params {
        let parts = query.split('&').chain(body.split('&'));
        let pairs = parts.filter(|part| !part.is_empty()).map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        });
        Params { pairs: pairs.collect() }
    }

    /// The members of a JSON object; texts as they are, anything else as written.
    pub(crate) fn of_object(object: &serde_json::Map<String, Value>) -> Params {
        let pairs = object.iter().map(|(name, value)| (name.clone(), lexeme(value)));
        Params { pairs: pairs.collect() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.pairs.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn need(&self, name: &str) -> Result<&str, Fail> {
        self.get(name).ok_or_else(|| Fail::missing(name))
    }

    pub(crate) fn int(&self, name: &str) -> Result<Option<i64>, Fail> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| Fail::illegal(name)),
        }
    }

    pub(crate) fn time(&self, name: &str) -> Result<Option<u64>, Fail> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| Fail::illegal(name)),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Fail> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Fail::illegal(name)),
        }
    }

    pub(crate) fn decimal(&self, name: &str) -> Result<Option<Decimal>, Fail> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|error| match error {
                DecimalError::TooPrecise => Fail::PRECISION,
                _ => Fail::illegal(name),
            }),
        }
    }

    /// How many a list may have: `limit`, `usual` without it, `most` at most.
    pub(crate) fn limit(&self, usual: usize, most: usize) -> Result<usize, Fail> {
        match self.int("limit")? {
            None => Ok(usual),
            Some(limit) if limit <= 0 => Err(Fail::illegal("limit")),
            Some(limit) => Ok(usize::try_from(limit).unwrap_or(most).min(most)),
        }
    }
}

/// A JSON value as text: a string's content, anything else as it is written.
pub(crate) fn lexeme(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Percent-decoded, plus as space.
pub(crate) fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// A query or body without its `signature`.
pub(crate) fn unsigned(part: &str) -> String {
    let kept: Vec<&str> = part.split('&').filter(|p| !p.starts_with("signature=")).collect();
    kept.join("&")
}

//! CBOR as authenticators write it: maps with each key once, little depth.

use ciborium::value::Value;

/// Deepest nesting: an attestation object holds a map that holds a list.
const MAX_DEPTH: usize = 8;

/// A map.
pub(super) struct Map(Vec<(Value, Value)>);

impl Map {
    /// Reads a map off the front of `input`.
    pub(super) fn read(input: &mut &[u8]) -> Option<Map> {
        match ciborium::de::from_reader_with_recursion_limit(input, MAX_DEPTH) {
            Ok(Value::Map(entries)) => Map::of(entries),
            Ok(_) | Err(_) => None,
        }
    }

    /// The map of these entries, each key once.
    pub(super) fn of(entries: Vec<(Value, Value)>) -> Option<Map> {
        let mut keys = entries.iter().map(|(key, _)| key);
        while let Some(key) = keys.next() {
            if keys.clone().any(|other| other == key) {
                return None;
            }
        }
        Some(Map(entries))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is under a text.
    pub(super) fn text(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(k, _)| k.as_text() == Some(key)).map(|(_, value)| value)
    }

    /// What is under a number.
    pub(super) fn number(&self, key: i64) -> Option<&Value> {
        self.0.iter().find(|(k, _)| integer(k) == Some(key)).map(|(_, value)| value)
    }
}

/// The number that a value is.
pub(super) fn integer(value: &Value) -> Option<i64> {
    value.as_integer().and_then(|integer| i64::try_from(integer).ok())
}

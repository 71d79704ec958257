//! JSON from strangers: one object, no member twice, bounded in size and depth.
//!
//! `serde_json` alone keeps the last of two members of a name; who reads the first sees another
//! object. What is signed must mean one thing.

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;
use tidegate_types::limits::MAX_JSON_DEPTH;
use tidegate_types::time::Time;

/// An object.
pub type Object = Map<String, Value>;

/// Why a text is not an object that is taken here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadJson;

/// The object that `bytes` spell.
///
/// # Errors
/// When it is not one JSON object, has a member twice at any depth, or nests too deep.
pub fn object(bytes: &[u8]) -> Result<Object, BadJson> {
    match value(bytes)? {
        Value::Object(object) => Ok(object),
        _ => Err(BadJson),
    }
}

/// The value that `bytes` spell, under the same rules.
///
/// # Errors
/// When it is not one JSON value, has a member twice at any depth, or nests too deep.
pub fn value(bytes: &[u8]) -> Result<Value, BadJson> {
    let mut input = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: MAX_JSON_DEPTH }.deserialize(&mut input).map_err(|_| BadJson)?;
    input.end().map_err(|_| BadJson)?;
    Ok(value)
}

/// What a member of an object may be asked as.
pub trait Members {
    /// The text of `name`; none when it is absent or no text.
    fn text(&self, name: &str) -> Option<&str>;
    /// The point in time that `name` gives in whole seconds; none when it is absent.
    ///
    /// # Errors
    /// When it is there and not a number of seconds since 1970.
    fn time(&self, name: &str) -> Result<Option<Time>, BadJson>;
}

impl Members for Object {
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    fn time(&self, name: &str) -> Result<Option<Time>, BadJson> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let seconds = value.as_u64().filter(|s| *s <= LAST_SECOND).ok_or(BadJson)?;
        Ok(Some(Time::from_millis(seconds * 1000)))
    }
}

/// 9999-12-31T23:59:59Z: later is a mistake of units.
const LAST_SECOND: u64 = 253_402_300_799;

/// Whole seconds since 1970, as claims carry them.
pub fn seconds(time: Time) -> u64 {
    time.millis() / 1000
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

/// How `serde_json` hands over a number whose digits it keeps.
const NUMBER: &str = "$serde_json::private::Number";

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without a member twice")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut values = Vec::new();
        while let Some(value) = input.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Object::new();
        while let Some(name) = input.next_key::<String>()? {
            if name == NUMBER && object.is_empty() {
                let digits: String = input.next_value()?;
                let number: Number = digits.parse().map_err(de::Error::custom)?;
                return Ok(Value::Number(number));
            }
            let value = input.next_value_seed(inner)?;
            if object.insert(name, value).is_some() {
                return Err(de::Error::custom("a member twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

impl Strict {
    fn inner<E: de::Error>(self) -> Result<Strict, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Strict { depth })
    }
}

impl fmt::Display for BadJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a JSON object without a member twice")
    }
}

impl std::error::Error for BadJson {}

#[cfg(test)]
mod tests;

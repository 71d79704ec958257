//! JSON from callers, read strictly: bounded depth, no key twice, number lexemes kept.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;
use tidegate_types::limits::MAX_JSON_DEPTH;
use tidegate_types::reject::{Code, Reject};

/// The key under which `serde_json` hands over a number whose lexeme it keeps.
const NUMBER: &str = "$serde_json::private::Number";
/// Said by the visitor when a key repeats; tells that refusal from a syntax error.
const TWICE: &str = "key given twice: ";
/// Said by the visitor when the nesting is too deep.
const DEEP: &str = "nested too deep";

/// Reads one JSON value.
///
/// # Errors
/// `DuplicateParameter` when an object has a key twice, `TooLarge` when it is nested deeper than
/// `MAX_JSON_DEPTH`, `Malformed` when it is not JSON.
pub fn strict(text: &str) -> Result<Value, Reject> {
    let mut input = serde_json::Deserializer::from_str(text);
    let value = Level(0).deserialize(&mut input);
    value.and_then(|value| input.end().map(|()| value)).map_err(|error| {
        let error = error.to_string();
        let code = if error.starts_with(TWICE) {
            Code::DuplicateParameter
        } else if error.starts_with(DEEP) {
            Code::TooLarge
        } else {
            Code::Malformed
        };
        Reject::new(code, format!("json: {error}"))
    })
}

/// A value this deep inside others.
struct Level(usize);

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        if self.0 > MAX_JSON_DEPTH {
            return Err(D::Error::custom(DEEP));
        }
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Level(self.0 + 1))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key == NUMBER && object.is_empty() {
                let lexeme = entries.next_value::<String>()?;
                let number = lexeme.parse::<Number>().map_err(A::Error::custom)?;
                return Ok(Value::Number(number));
            }
            let value = entries.next_value_seed(Level(self.0 + 1))?;
            if object.contains_key(&key) {
                // The key itself is a caller's text and may be anything; its length is bounded.
                return Err(A::Error::custom(format!("{TWICE}{}", key.escape_default())));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests;

//! Schemas of the types, the same ones for OpenAPI and AsyncAPI.

use super::super::problem::Problem;
use super::super::routes::Make;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Schemas as the documents keep them: of what is sent in one direction and in the other.
pub(super) struct Schemas {
    taken: SchemaGenerator,
    given: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Schemas {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Schemas {
            taken: settings().for_deserialize().into_generator(),
            given: settings().for_serialize().into_generator(),
        }
    }

    pub(super) fn taken(&mut self, make: Make) -> Value {
        make(&mut self.taken).to_value()
    }

    pub(super) fn given(&mut self, make: Make) -> Value {
        make(&mut self.given).to_value()
    }

    /// The alternatives of what is taken, each by itself.
    pub(super) fn taken_either<T: JsonSchema>(&mut self) -> Vec<Value> {
        either(T::json_schema(&mut self.taken).to_value())
    }

    /// The alternatives of what is given, each by itself.
    pub(super) fn given_either<T: JsonSchema>(&mut self) -> Vec<Value> {
        either(T::json_schema(&mut self.given).to_value())
    }

    pub(super) fn problem(&mut self) -> Value {
        self.given.subschema_for::<Problem>().to_value()
    }

    pub(super) fn all(mut self) -> Map<String, Value> {
        let mut all = self.taken.take_definitions(true);
        all.extend(self.given.take_definitions(true));
        all.sort_keys();
        all.values_mut().for_each(bound);
        all
    }
}

fn either(mut schema: Value) -> Vec<Value> {
    let mut all = match schema.get_mut("oneOf").map(Value::take) {
        Some(Value::Array(all)) => all,
        _ => Vec::new(),
    };
    all.iter_mut().for_each(bound);
    all
}

/// Most characters of a text, and most rows of a list, that nothing else bounds.
const LONGEST: u64 = 65_536;
/// The largest number that every reader of JSON keeps exactly.
const LARGEST: u64 = 9_007_199_254_740_991;

/// Gives each text, list and number in a schema the bound that its kind has.
fn bound(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let has = |word: &str| {
                object.get("type").is_some_and(|kind| match kind {
                    Value::String(kind) => kind == word,
                    Value::Array(kinds) => kinds.iter().any(|kind| kind == word),
                    _ => false,
                })
            };
            let free = !object.contains_key("enum") && !object.contains_key("const");
            let mut bounds = Vec::new();
            if has("string") && free {
                bounds.push(("maxLength", json!(LONGEST)));
            }
            if has("array") {
                bounds.push(("maxItems", json!(LONGEST)));
            }
            if has("integer") {
                let (least, most) = match object.get("format").and_then(Value::as_str) {
                    Some("uint16") => (json!(0), json!(u16::MAX)),
                    Some("uint32") => (json!(0), json!(u32::MAX)),
                    Some("uint64") => (json!(0), json!(LARGEST)),
                    _ => (json!(-LARGEST.cast_signed()), json!(LARGEST)),
                };
                bounds.extend([("minimum", least), ("maximum", most)]);
            }
            for (name, value) in bounds {
                object.entry(name).or_insert(value);
            }
            object.values_mut().for_each(bound);
        }
        Value::Array(values) => values.iter_mut().for_each(bound),
        _ => {}
    }
}

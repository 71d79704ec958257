//! Named parameters, from a query string (all text) or from JSON (typed).

use super::fault::Fault;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use tidegate_types::decimal::{Decimal, DecimalError};
use tidegate_types::time::Time;

/// The parameters of one call.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Params {
    fields: Map<String, Value>,
    /// From a query string: numbers and booleans are text.
    textual: bool,
}

type Read<T> = Result<T, Fault>;

impl Params {
    /// From the `params` of a JSON request; absent and `null` are none.
    pub(crate) fn json(value: Option<Value>) -> Read<Params> {
        match value {
            None | Some(Value::Null) => Ok(Params::default()),
            Some(Value::Object(fields)) => Ok(Params { fields, textual: false }),
            Some(_) => Err(Fault::INVALID_PARAMS),
        }
    }

    /// From a query string. Lists are written `key[]=a&key[]=b`; any other repetition is refused.
    pub(crate) fn query(query: &str) -> Read<Params> {
        let mut fields: Map<String, Value> = Map::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decoded(key)?, Value::String(decoded(value)?));
            match key.strip_suffix("[]") {
                Some(list) => {
                    let slot = fields.entry(list).or_insert_with(|| Value::Array(Vec::new()));
                    let Value::Array(values) = slot else { return Err(Fault::param(list)) };
                    values.push(value);
                }
                None if fields.contains_key(&key) => return Err(Fault::param(&key)),
                None => drop(fields.insert(key, value)),
            }
        }
        Ok(Params { fields, textual: true })
    }

    /// A text, if given.
    pub(crate) fn text(&self, name: &str) -> Read<Option<&str>> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Fault::param(name)),
        }
    }

    /// A text that must be given.
    pub(crate) fn need_text(&self, name: &str) -> Read<&str> {
        self.text(name)?.ok_or_else(|| Fault::param(name))
    }

    /// One of some words, if given.
    pub(crate) fn choice<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Read<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, choice)| Some(*choice)).ok_or_else(|| Fault::param(name))
    }

    /// An exact number, if given; as text only in a query.
    pub(crate) fn decimal(&self, name: &str) -> Read<Option<Decimal>> {
        let text = match self.given(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_str(),
            Some(Value::String(text)) if self.textual => text,
            Some(_) => return Err(Fault::param(name)),
        };
        text.parse().map(Some).map_err(|error| match error {
            DecimalError::TooPrecise if name == "price" => Fault::PRICE_PRECISION,
            _ => Fault::param(name),
        })
    }

    /// A whole number, if given. `1700000000000.0` counts as whole.
    pub(crate) fn int(&self, name: &str) -> Read<Option<u64>> {
        let text = match self.given(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_str(),
            Some(Value::String(text)) => text,
            Some(_) => return Err(Fault::param(name)),
        };
        let whole = text.strip_suffix(".0").unwrap_or(text);
        whole.parse().map(Some).map_err(|_| Fault::param(name))
    }

    /// A whole number that must be given.
    pub(crate) fn need_int(&self, name: &str) -> Read<u64> {
        self.int(name)?.ok_or_else(|| Fault::param(name))
    }

    /// A time in milliseconds, if given.
    pub(crate) fn time(&self, name: &str) -> Read<Option<Time>> {
        Ok(self.int(name)?.map(Time::from_millis))
    }

    /// A time that must be given.
    pub(crate) fn need_time(&self, name: &str) -> Read<Time> {
        self.need_int(name).map(Time::from_millis)
    }

    /// A truth value; absent is false.
    pub(crate) fn flag(&self, name: &str) -> Read<bool> {
        match self.given(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if self.textual && text == "true" => Ok(true),
            Some(Value::String(text)) if self.textual && text == "false" => Ok(false),
            Some(_) => Err(Fault::param(name)),
        }
    }

    /// Texts that must be given: a list, or one text.
    pub(crate) fn list(&self, name: &str) -> Read<Vec<&str>> {
        match self.given(name) {
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(values)) => {
                let texts = values.iter().map(|value| value.as_str());
                texts.collect::<Option<_>>().ok_or_else(|| Fault::param(name))
            }
            _ => Err(Fault::param(name)),
        }
    }

    /// How many rows: the default, or what is asked for up to the most.
    pub(crate) fn count(&self, default: usize, most: usize) -> Read<usize> {
        match self.int("count")? {
            None => Ok(default),
            Some(0) => Err(Fault::param("count")),
            Some(count) => usize::try_from(count)
                .ok()
                .filter(|count| *count <= most)
                .ok_or_else(|| Fault::param("count")),
        }
    }

    /// Whether something is given under the name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.given(name).is_some()
    }

    fn given(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }
}

fn decoded(text: &str) -> Read<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| Fault::INVALID_PARAMS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Params {
        Params::query(text).unwrap()
    }

    fn object(text: &str) -> Params {
        Params::json(Some(serde_json::from_str(text).unwrap())).unwrap()
    }

    #[test]
    fn a_query_is_text() {
        let params = query("amount=10&price=1e-4&post_only=true&label=a%20b+c&n=17.0&x[]=1&x[]=2");
        assert_eq!(params.decimal("amount"), Ok(Some(Decimal::new(10, 0))));
        assert_eq!(params.decimal("price"), Ok(Some(Decimal::new(1, 4))));
        assert_eq!(params.flag("post_only"), Ok(true));
        assert_eq!(params.text("label"), Ok(Some("a b c")));
        assert_eq!(params.int("n"), Ok(Some(17)));
        assert_eq!(params.list("x"), Ok(vec!["1", "2"]));
        assert_eq!(params.text("absent"), Ok(None));
        assert_eq!(params.flag("absent"), Ok(false));
    }

    #[test]
    fn json_is_typed() {
        let params =
            object(r#"{"amount":10.0,"price":"1","post_only":"true","none":null,"t":"5"}"#);
        assert_eq!(params.decimal("amount"), Ok(Some(Decimal::new(10, 0))));
        assert_eq!(params.decimal("price"), Err(Fault::param("price")));
        assert_eq!(params.flag("post_only"), Err(Fault::param("post_only")));
        assert_eq!(params.decimal("none"), Ok(None));
        assert_eq!(params.int("t"), Ok(Some(5)), "time stamps come as text too");
        assert!(Params::json(Some(Value::Array(vec![]))).is_err());
    }

    #[test]
    fn repeated_and_malformed_parameters_are_refused() {
        assert!(Params::query("a=1&a=2").is_err());
        assert!(Params::query("a=1&a[]=2").is_err());
        assert!(Params::query("a=%ff").is_err());
        assert!(query("count=0").count(10, 1000).is_err());
        assert!(query("count=1001").count(10, 1000).is_err());
        assert_eq!(query("").count(10, 1000), Ok(10));
        assert_eq!(query("price=1e-9").decimal("price"), Err(Fault::PRICE_PRECISION));
        assert!(query("price=1e99").decimal("price").is_err());
        assert!(query("type=best").choice("type", &[("limit", 1)]).is_err());
    }
}

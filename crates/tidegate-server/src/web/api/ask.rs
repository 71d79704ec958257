//! A request at a route, read: parameters, path and content, nothing unknown and nothing twice.

use super::problem::Problem;
use super::routes::{Form, LONGEST_CURSOR, LONGEST_TEXT, Route};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use tidegate_types::limits::MAX_PARAMS;
use tidegate_types::reject::Code;
use tidegate_types::request::RawRequest;

/// What stands in the path and in the query.
#[derive(Debug)]
pub(super) struct Ask {
    caught: Vec<String>,
    query: BTreeMap<String, String>,
}

impl Ask {
    /// Reads path and query.
    pub(super) fn read(
        route: &Route,
        caught: &[&str],
        request: &RawRequest,
    ) -> Result<Ask, Problem> {
        let caught = caught.iter().map(|text| decoded(text)).collect::<Result<_, _>>()?;
        let mut query = BTreeMap::new();
        let pairs = request.query.split('&').filter(|pair| !pair.is_empty());
        for (at, pair) in pairs.enumerate() {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(&value.replace('+', " "))?);
            let shown = || name.escape_default().to_string();
            let param = route.params().find(|param| param.name == name);
            let param = param.filter(|_| at < MAX_PARAMS);
            let param = param.ok_or_else(|| Problem::new(Code::UnknownParameter, shown()))?;
            if !fits(param.form, &value) {
                return Err(Problem::new(Code::BadParameter, param.name));
            }
            if query.insert(name, value).is_some() {
                return Err(Problem::new(Code::DuplicateParameter, param.name));
            }
        }
        Ok(Ask { caught, query })
    }

    /// A part of the path that stands in the place of braces.
    pub(super) fn part(&self, at: usize) -> &str {
        self.caught.get(at).map_or("", String::as_str)
    }

    /// A parameter of the query.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

/// The first parameter of a name in a query that may be wrong otherwise.
pub(super) fn parameter(request: &RawRequest, name: &str) -> Option<String> {
    let mut pairs = request.query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    decoded(&value.replace('+', " ")).ok()
}

fn fits(form: Form, value: &str) -> bool {
    match form {
        Form::Words(words) => words.contains(&value),
        // What they mean is looked at where they are used.
        Form::Limit | Form::Cursor => !value.is_empty() && value.len() <= LONGEST_CURSOR,
        Form::Text(_) => !value.is_empty() && value.len() <= LONGEST_TEXT,
    }
}

fn decoded(text: &str) -> Result<String, Problem> {
    let text = percent_decode_str(text).decode_utf8();
    text.map(|text| text.into_owned()).map_err(|_| Problem::new(Code::Malformed, "not UTF-8"))
}

/// The content of a request as a value.
pub(super) fn content<T: DeserializeOwned>(request: &RawRequest) -> Result<T, Problem> {
    let kind = request.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let plain = Problem::plain("unsupported-media-type", "the content is JSON", 415);
        return Err(Problem { detail: "send Content-Type: application/json".to_owned(), ..plain });
    }
    read_json(&request.body)
}

/// A value from its text.
pub(super) fn read_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(text).map_err(|error| {
        let text = error.to_string();
        let code = match error.classify() {
            serde_json::error::Category::Data => match text.as_str() {
                text if text.starts_with("unknown field") => Code::UnknownParameter,
                text if text.starts_with("missing field") => Code::MissingParameter,
                text if text.starts_with("duplicate field") => Code::DuplicateParameter,
                _ => Code::BadParameter,
            },
            _ => Code::Malformed,
        };
        // What was sent may be in it: control characters are not repeated.
        Problem::new(code, text.chars().filter(|c| !c.is_control()).take(300).collect::<String>())
    })
}

//! Parameters of a request: query and form body together, each name once.

use super::errors::{illegal, missing, said};
use super::routes::{ENVELOPE, Route};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use std::borrow::Cow;
use std::str::FromStr;
use tidegate_types::decimal::{Decimal, DecimalError};
use tidegate_types::limits::{MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_PARAMS};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::RawRequest;

/// What stands for itself in a query.
const KEEP: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How many parameters most requests have at most.
const USUAL: usize = 16;

/// Names that a stock client writes in lower case.
const ALIASES: &[(&str, &str)] =
    &[("orderidlist", "orderIdList"), ("origclientorderidlist", "origClientOrderIdList")];

/// Named texts, each name once, in the order they came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Params<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Params<'a> {
    /// The parameters of an HTTP request.
    pub(crate) fn of(request: &'a RawRequest) -> Result<Params<'a>, Reject> {
        Params::read(&request.query, body_text(request)?)
    }

    /// The parameters in a query and a form body.
    pub(crate) fn read(query: &'a str, body: &'a str) -> Result<Params<'a>, Reject> {
        if query.len() > MAX_HEAD_BYTES {
            return Err(Reject::new(Code::TooLarge, "the query is too long"));
        }
        let mut params = Params(Vec::with_capacity(USUAL));
        for part in query.split('&').chain(body.split('&')).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            params.push(decode(name)?, decode(value)?)?;
        }
        Ok(params)
    }

    /// The parameters in a JSON object: texts, numbers and truth values only.
    pub(crate) fn of_object(object: &Value) -> Result<Params<'static>, Reject> {
        let Some(object) = object.as_object() else {
            return Err(said(
                Code::Malformed,
                -1130,
                "Data sent for parameter 'params' is not valid.",
            ));
        };
        let mut params = Params::default();
        for (name, value) in object {
            params.push(name.clone().into(), lexeme(name, value)?.into())?;
        }
        Ok(params)
    }

    fn push(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) -> Result<(), Reject> {
        let alias = ALIASES.iter().find(|(given, _)| *given == name);
        let name = alias.map_or(name, |(_, known)| Cow::Borrowed(*known));
        if self.0.len() >= MAX_PARAMS {
            return Err(Reject::new(Code::TooLarge, format!("more than {MAX_PARAMS} parameters")));
        }
        if self.get(&name).is_some() {
            let shown: String = name.escape_default().take(40).collect();
            return Err(Reject::new(Code::DuplicateParameter, shown));
        }
        self.0.push((name, value));
        Ok(())
    }

    /// The value of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| &**value)
    }

    /// The value of that name, or the venue's refusal.
    pub(crate) fn need(&self, name: &str) -> Result<&str, Reject> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| missing(name))
    }

    /// Every name and value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Checks that a route takes every parameter and has those it needs.
    pub(crate) fn check(&self, route: &Route) -> Result<(), Reject> {
        self.check_names(route.params)
    }

    /// Checks the names against a list in which `*` marks the mandatory ones.
    pub(crate) fn check_names(&self, known: &[&str]) -> Result<(), Reject> {
        for name in known.iter().filter_map(|name| name.strip_suffix('*')) {
            self.need(name)?;
        }
        let takes = |name: &str| {
            ENVELOPE.contains(&name) || known.iter().any(|k| k.trim_end_matches('*') == name)
        };
        let read = self.0.iter().filter(|(name, _)| takes(name)).count();
        if read < self.0.len() {
            let sent = self.0.len();
            let words = format!(
                "Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
            );
            return Err(said(Code::UnknownParameter, -1104, words));
        }
        match self.0.iter().find(|(_, value)| value.is_empty()) {
            Some((name, _)) => {
                let words = format!("Parameter '{name}' was empty.");
                Err(said(Code::BadParameter, -1105, words))
            }
            None => Ok(()),
        }
    }

    /// What is to be sent on: everything but the envelope.
    pub(crate) fn sent_on(&self) -> Vec<(String, String)> {
        let kept = self.iter().filter(|(name, _)| !ENVELOPE.contains(name));
        kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// A decimal number in the venue's form, if it is there: no sign, no exponent.
    pub(crate) fn decimal(&self, name: &str) -> Result<Option<Decimal>, Reject> {
        let Some(text) = self.get(name) else { return Ok(None) };
        if !is_number(text) {
            return Err(illegal(name, NUMBER));
        }
        match Decimal::from_str(text) {
            Ok(value) => Ok(Some(value)),
            Err(DecimalError::TooPrecise) => Err(said(
                Code::BadParameter,
                -1111,
                "Precision is over the maximum defined for this asset.",
            )),
            Err(DecimalError::NotANumber) => Err(illegal(name, NUMBER)),
            Err(DecimalError::Overflow | DecimalError::DivisionByZero) => {
                Err(Reject::new(Code::OutOfRange, name.to_owned()))
            }
        }
    }

    /// A whole number that is not negative, if it is there; `5000.0` counts as whole.
    pub(crate) fn whole(&self, name: &str) -> Result<Option<u64>, Reject> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let digits = text.split_once('.').map_or(text, |(whole, fraction)| {
            if fraction.bytes().all(|b| b == b'0') { whole } else { text }
        });
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let value = if plain { digits.parse().ok() } else { None };
        value.map(Some).ok_or_else(|| illegal(name, WHOLE))
    }

    /// A truth value, if it is there, in any case.
    pub(crate) fn truth(&self, name: &str) -> Result<Option<bool>, Reject> {
        match self.get(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(illegal(name, "true|false")),
        }
    }
}

const NUMBER: &str = "^([0-9]{1,20})(\\.[0-9]{1,20})?$";
/// Most digits in one part of a number.
const MAX_DIGITS: usize = 20;
const WHOLE: &str = "^[0-9]{1,20}$";

/// Whether a text is what `NUMBER` says.
fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    [whole, fraction].iter().all(|part| {
        (1..=MAX_DIGITS).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    })
}

/// The body as text.
pub(crate) fn body_text(request: &RawRequest) -> Result<&str, Reject> {
    if request.body.len() > MAX_BODY_BYTES {
        return Err(Reject::new(Code::TooLarge, "the body is too long"));
    }
    std::str::from_utf8(&request.body)
        .map_err(|_| Reject::new(Code::Malformed, "the body is not utf-8"))
}

/// A value as the venue reads it: percent-decoded, `+` a space.
pub(crate) fn decode(text: &str) -> Result<Cow<'_, str>, Reject> {
    let malformed = |_| Reject::new(Code::Malformed, "a parameter is not utf-8");
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8().map_err(malformed)?;
        return Ok(Cow::Owned(decoded.into_owned()));
    }
    percent_decode_str(text).decode_utf8().map_err(malformed)
}

/// A query of names and values.
pub(crate) fn query<'a>(params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::with_capacity(256);
    for (name, value) in params {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.extend(utf8_percent_encode(value, KEEP));
    }
    text
}

/// A value percent-encoded.
pub(crate) fn encode(value: &str) -> String {
    utf8_percent_encode(value, KEEP).to_string()
}

/// The text of a plain JSON value; a number's is the caller's own.
pub(crate) fn lexeme(name: &str, value: &Value) -> Result<String, Reject> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            let shown: String = name.escape_default().take(40).collect();
            Err(said(
                Code::BadParameter,
                -1130,
                format!("Data sent for parameter '{shown}' is not valid."),
            ))
        }
    }
}

#[cfg(test)]
mod tests;

//! Form parameters: known by name, each once, none empty.

use super::error::OAuthError;
use super::json::Object;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::collections::BTreeMap;
use tidegate_types::limits::{MAX_BODY_BYTES, MAX_PARAMS};
use zeroize::Zeroize;

/// The parameters of a request to an OAuth endpoint (OAuth 2.1 §3.1, §3.2): one that comes twice is
/// refused, one without a value counts as absent, one that nobody asks for is ignored.
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// The parameters that `form` (application/x-www-form-urlencoded, or a query) holds.
    ///
    /// # Errors
    /// `invalid_request` when one comes twice, or the form is malformed or too long.
    pub fn parse(form: &[u8]) -> Result<Params, OAuthError> {
        let malformed = || OAuthError::request("the form is malformed or too long");
        if form.len() > MAX_BODY_BYTES {
            return Err(malformed());
        }
        let text = std::str::from_utf8(form).map_err(|_| malformed())?;
        let mut params = Params(BTreeMap::new());
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or_else(malformed)?;
            let value = decode(value).ok_or_else(malformed)?;
            if params.0.insert(name, value).is_some() {
                return Err(OAuthError::request("a parameter comes twice"));
            }
            if params.0.len() > MAX_PARAMS {
                return Err(malformed());
            }
        }
        Ok(params)
    }

    /// The parameters that a request object's claims are (RFC 9101 §4): text as it is, anything else as JSON.
    ///
    /// # Errors
    /// `invalid_request` when there are too many.
    pub fn of_claims(claims: &Object) -> Result<Params, OAuthError> {
        if claims.len() > MAX_PARAMS {
            return Err(OAuthError::request("the request object has too many members"));
        }
        let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let given = claims.iter().filter(|(_, value)| !value.is_null());
        Ok(Params(given.map(|(name, it)| (name.clone(), value(it))).collect()))
    }

    /// The value of `name`, if it has one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of `name`.
    ///
    /// # Errors
    /// `invalid_request` with `missing` when it has none.
    pub fn need(&self, name: &str, missing: &'static str) -> Result<&str, OAuthError> {
        self.get(name).ok_or(OAuthError::request(missing))
    }
}

impl Drop for Params {
    fn drop(&mut self) {
        for value in self.0.values_mut() {
            value.zeroize();
        }
    }
}

fn decode(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.get(..2)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        rest = after.get(2..)?;
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(form: &str, name: &str) -> Option<String> {
        Params::parse(form.as_bytes()).unwrap().get(name).map(str::to_owned)
    }

    #[test]
    fn oa_04_oa_07_unknown_ignored_empty_absent() {
        assert_eq!(get("a=1&b=&c", "a").as_deref(), Some("1"));
        assert_eq!(get("a=1&b=&c", "b"), None);
        assert_eq!(get("a=1&b=&c", "c"), None);
        assert_eq!(get("", "a"), None);
        assert_eq!(get("a=x+y%2B%26%3D", "a").as_deref(), Some("x y+&="));
    }

    #[test]
    fn oa_07_dv_1_repeats_are_refused() {
        for form in ["a=1&a=1", "a=1&%61=2", "a=&a=1", "a&a"] {
            assert!(Params::parse(form.as_bytes()).is_err(), "{form}");
        }
    }

    #[test]
    fn what_is_malformed_or_too_long_is_refused() {
        for form in ["a=%", "a=%4", "a=%zz", "a=%ff", "%+1=a"] {
            assert!(Params::parse(form.as_bytes()).is_err(), "{form}");
        }
        assert!(Params::parse(b"a=\xff").is_err());
        assert!(Params::parse(&vec![b'a'; MAX_BODY_BYTES + 1]).is_err());
        let many: String = (0..=MAX_PARAMS).map(|n| format!("p{n}=1&")).collect();
        assert!(Params::parse(many.as_bytes()).is_err());
    }
}

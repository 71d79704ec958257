//! The signature base (RFC 9421 §2.5): one line for each component.

use std::fmt::Write as _;
use tidegate_types::request::RawRequest;

/// A request as its sender addressed it.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The method.
    pub method: &'a str,
    /// `https` or `http`.
    pub scheme: &'a str,
    /// What the `Host` header says.
    pub host: &'a str,
    /// The path.
    pub path: &'a str,
    /// What follows the `?`; empty without one.
    pub query: &'a str,
    /// The headers, names in lower case.
    pub headers: &'a [(String, String)],
}

impl<'a> Message<'a> {
    /// The message that a request is, at an address that begins so.
    pub fn of(request: &'a RawRequest, scheme: &'a str, host: &'a str) -> Message<'a> {
        Message {
            method: request.method.as_str(),
            scheme,
            host,
            path: &request.path,
            query: &request.query,
            headers: &request.headers,
        }
    }

    /// The value of a component.
    fn value(&self, name: &str) -> Option<String> {
        let target = || match self.query {
            "" => self.path.to_owned(),
            query => format!("{}?{query}", self.path),
        };
        match name {
            "@method" => Some(self.method.to_owned()),
            "@authority" => Some(self.authority()),
            "@scheme" => Some(self.scheme.to_owned()),
            "@target-uri" => Some(format!("{}://{}{}", self.scheme, self.authority(), target())),
            "@request-target" => Some(target()),
            "@path" => Some(self.path.to_owned()),
            "@query" => Some(format!("?{}", self.query)),
            name if name.starts_with('@') => None,
            name => self.field(name),
        }
    }

    /// Host in lower case, without the scheme's own port.
    fn authority(&self) -> String {
        let host = self.host.to_ascii_lowercase();
        let port = if self.scheme == "https" { ":443" } else { ":80" };
        host.strip_suffix(port).map_or(host.clone(), str::to_owned)
    }

    /// Every value of a header, in order.
    fn field(&self, name: &str) -> Option<String> {
        let named = self.headers.iter().filter(|(n, _)| n == name);
        let values: Vec<&str> = named.map(|(_, value)| value.trim()).collect();
        if values.is_empty() { None } else { Some(values.join(", ")) }
    }
}

/// A line for each component, with these parameters; or the component that is not there.
pub(super) fn lines(
    components: &[String],
    params: &str,
    message: &Message<'_>,
) -> Result<String, String> {
    let mut text = String::new();
    for name in components {
        let value = message.value(name).ok_or_else(|| name.clone())?;
        // To a string nothing fails.
        let _ = writeln!(text, "\"{name}\"{params}: {value}");
    }
    Ok(text)
}

/// The base, or the component that is not there.
pub(super) fn base(
    components: &[String],
    params: &str,
    message: &Message<'_>,
) -> Result<Vec<u8>, String> {
    let mut text = lines(components, "", message)?;
    let _ = write!(text, "\"@signature-params\": {params}");
    Ok(text.into_bytes())
}

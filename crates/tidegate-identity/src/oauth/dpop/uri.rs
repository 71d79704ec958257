//! Addresses compared as RFC 3986 §6.2.2 and §6.2.3 say: case, escapes, dots and default ports.

/// `uri` in the one form that all spellings of it share, without query and fragment. None when it is
/// no absolute http(s) or ws(s) address, or names a user.
pub fn normal(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" | "wss" => "443",
        "http" | "ws" => "80",
        _ => return None,
    };
    let rest = rest.split(['?', '#']).next()?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at_checked(at)?,
        None => (rest, "/"),
    };
    if authority.contains('@') || !uri.is_ascii() || uri.contains([' ', '\\', '\t']) {
        return None;
    }
    let (host, port) = host_and_port(authority)?;
    let host = host.to_ascii_lowercase();
    let port = if port.is_empty() || port == default_port {
        String::new()
    } else {
        port.parse::<u16>().ok().map(|port| format!(":{port}"))?
    };
    let path = without_dots(&unescaped(path)?);
    Some(format!("{scheme}://{host}{port}{path}"))
}

fn host_and_port(authority: &str) -> Option<(&str, &str)> {
    let end = if authority.starts_with('[') { authority.find(']')? + 1 } else { 0 };
    let (bracketed, rest) = authority.split_at_checked(end)?;
    let (name, port) = rest.split_once(':').unwrap_or((rest, ""));
    let host = if bracketed.is_empty() { name } else { bracketed };
    let whole = bracketed.is_empty() || name.is_empty();
    (whole && !host.is_empty() && port.bytes().all(|b| b.is_ascii_digit())).then_some((host, port))
}

/// Escapes of unreserved characters undone, the others in upper case.
fn unescaped(path: &str) -> Option<String> {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let digits = after.get(..2)?;
        let byte = u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&digits.to_ascii_uppercase());
        }
        rest = after.get(2..)?;
    }
    out.push_str(rest);
    Some(out)
}

fn without_dots(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." if last => out.push(""),
            "." => {}
            ".." => {
                out.pop();
                if last {
                    out.push("");
                }
            }
            other => out.push(other),
        }
    }
    format!("/{}", out.join("/"))
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn dp_09_spellings_of_one_address() {
        let one = normal("https://desk.example/oauth/token").unwrap();
        for same in [
            "HTTPS://desk.example/oauth/token",
            "https://DESK.example:443/oauth/token",
            "https://desk.example:/oauth/token",
            "https://desk.example/oauth/%74oken",
            "https://desk.example/a/../oauth/./token",
            "https://desk.example/oauth/token?a=b",
            "https://desk.example/oauth/token#part",
        ] {
            assert_eq!(normal(same).as_ref(), Some(&one), "{same}");
        }
        for other in [
            "http://desk.example/oauth/token",
            "https://desk.example:8443/oauth/token",
            "https://desk.example/oauth/token/",
            "https://desk.example/oauth/Token",
            "https://desk.example/oauth%2Ftoken",
            "https://desk.example.evil/oauth/token",
        ] {
            assert_ne!(normal(other).as_ref(), Some(&one), "{other}");
        }
    }

    #[test]
    fn dp_09_what_is_no_address() {
        for text in [
            "",
            "desk.example",
            "ftp://desk.example/",
            "https://",
            "https:///a",
            "https://u@desk.example/",
            "https://desk.example:99999/",
            "https://desk.example:+1/",
            "https://desk.example/%2",
            "https://desk.example/%+1",
            "https://desk.example/\u{e9}",
            "https://[::1/",
            "https://[::1]x/",
        ] {
            assert_eq!(normal(text), None, "{text}");
        }
        assert_eq!(normal("https://[::1]:443").as_deref(), Some("https://[::1]/"));
        assert_eq!(normal("wss://a/../../b/%7e%2f").as_deref(), Some("wss://a/b/~%2F"));
    }
}

//! A person at the console, by forms alone: a browser without scripts, and an authenticator app.

use crate::client::{secured, trusting};
use aws_lc_rs::hmac;
use rustls::ClientConfig;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::SystemTime;

const PASSWORD: &str = "nine quiet herons at the weir";

/// A browser with its cookies.
pub(crate) struct Browser {
    address: String,
    origin: String,
    config: Arc<ClientConfig>,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// One that has not been anywhere yet.
    pub(crate) fn new(ready: &Value) -> Browser {
        let console = ready["console"].as_str().unwrap();
        let origin = console.strip_suffix("/console/").unwrap().to_owned();
        let address = origin.strip_prefix("https://").unwrap().to_owned();
        Browser { address, origin, config: trusting(ready), cookies: BTreeMap::new() }
    }

    /// Has the person of a link enrol with a password and an app, and log in.
    pub(crate) fn enter(ready: &Value, person: &str, link: &str) -> Browser {
        let mut browser = Browser::new(ready);
        let (_, link) = link.split_once('#').unwrap();
        let page = browser.post("/console/enrol", &[("link", link)]);
        let secret = between(&page, "id=\"secret\">", "<").replace(' ', "");
        let fields =
            [("link", link), ("name", person), ("password", PASSWORD), ("code", &code(&secret))];
        let page = browser.post("/console/enrol/password", &fields);
        let recovery = between(&page, "<li><code>", "<").to_owned();
        let page = browser.get("/console/login");
        let csrf = between(&page, "name=\"csrf\" value=\"", "\"").to_owned();
        let fields = [("csrf", csrf.as_str()), ("name", person), ("password", PASSWORD)];
        browser.post("/console/login/password", &fields);
        // The app's code of this half minute was used.
        browser.submit("/console/login/code", "/console/login/code", &[("code", &recovery)]);
        browser
    }

    /// Types a device's code and says yes or no to what it reads.
    pub(crate) fn decide(&mut self, user_code: &str, yes: bool) {
        let page = self.submit("/console/device", "/console/device", &[("user_code", user_code)]);
        let csrf = between(&page, "name=\"csrf\" value=\"", "\"");
        let digest = between(&page, "id=\"digest\">", "<");
        let fields = [("csrf", csrf), ("user_code", user_code)];
        match yes {
            true => {
                self.post("/console/device/approve", &[&fields[..], &[("digest", digest)]].concat())
            }
            false => self.post("/console/device/deny", &fields),
        };
    }

    /// Opens a page and sends a form of it.
    fn submit(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> String {
        let page = self.get(page);
        let csrf = between(&page, "name=\"csrf\" value=\"", "\"");
        self.post(action, &[&[("csrf", csrf)], fields].concat())
    }

    fn get(&mut self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\n"), "")
    }

    fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let head = format!(
            "POST {path} HTTP/1.1\r\norigin: {}\r\ncontent-type: application/x-www-form-urlencoded\r\n",
            self.origin
        );
        self.send(&head, &pairs.join("&"))
    }

    /// The page that is answered; 200 and 303 are good.
    fn send(&mut self, head: &str, body: &str) -> String {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut stream = secured(&self.address, &self.config).unwrap();
        write!(
            stream,
            "{head}host: {}\r\ncookie: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            cookies.join("; "),
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (told, page) = answer.split_once("\r\n\r\n").unwrap();
        let status = told.split(' ').nth(1).unwrap();
        assert!(matches!(status, "200" | "303"), "{head}{answer}");
        for line in told.lines() {
            let Some((name, value)) = line.split_once(": ") else { continue };
            if name.eq_ignore_ascii_case("set-cookie") {
                let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        page.to_owned()
    }
}

/// What stands between two texts of a page.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let found = page.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    found.unwrap_or_else(|| panic!("{before}: {page}")).0
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escape = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// The code that an app shows now for a secret in base 32 (RFC 6238, RFC 4648).
fn code(secret: &str) -> String {
    let (mut bits, mut count, mut key) = (0_u32, 0, Vec::new());
    for letter in secret.bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == letter);
        bits = bits << 5 | u32::try_from(value.unwrap()).unwrap();
        count += 5;
        if count >= 8 {
            count -= 8;
            key.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &(now / 30).to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let word = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

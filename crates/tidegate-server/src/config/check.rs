//! What settings have to be, beyond what their types say.

use super::{Config, ConfigError, Oidc, Requests};
use crate::syslog;
use tidegate_identity::RsaBits;
use tidegate_identity::oauth::metadata;
use tidegate_identity::people::oidc::metadata::origin;
use tidegate_types::ids::{PersonName, VenueName};

/// Holds a few of the longest records.
const MIN_SEGMENT_KIB: u64 = 256;
/// Larger ones would take long to make.
const MAX_SEGMENT_KIB: u64 = 1024 * 1024;
const MAX_CLIENT_ID: usize = 255;
/// Longest name of a provider that people read on a button, in characters.
const MAX_PROVIDER_NAME: usize = 40;

impl Config {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |text: String| Err(ConfigError(text));
        if tidegate_types::ids::DeskName::new(&self.desk).is_err() {
            return bad(format!("desk: {:?} is not a name", self.desk));
        }
        if self.listen.plain_http && !self.listen.address.ip().is_loopback() {
            return bad("listen.plain_http: allowed on a loopback address only".to_owned());
        }
        if !self.public_url.is_empty() && !is_origin(&self.public_url) {
            return bad(format!("public_url: {:?} is not https://HOST", self.public_url));
        }
        if !(MIN_SEGMENT_KIB..=MAX_SEGMENT_KIB).contains(&self.journal.segment_kib) {
            return bad(format!(
                "journal.segment_kib: {} is not from {MIN_SEGMENT_KIB} to {MAX_SEGMENT_KIB}",
                self.journal.segment_kib
            ));
        }
        self.shaping.check()?;
        for (uid, person) in &self.people {
            let named = PersonName::new(person).is_ok_and(|name| !name.is_reserved());
            if uid.parse::<u32>().is_err() || !named {
                return bad(format!("people: {uid} = {person:?} is not a user id and a name"));
            }
        }
        if !self.log.syslog.is_empty() && !syslog::is_address(&self.log.syslog) {
            return bad(format!("log.syslog: {:?} is not tls://HOST:PORT", self.log.syslog));
        }
        if self.log.syslog.is_empty() && self.log.syslog_ca.is_some() {
            return bad("log.syslog: is empty, so that log.syslog_ca means nothing".to_owned());
        }
        if RsaBits::new(self.keys.rsa_bits).is_none() {
            return bad(format!("keys.rsa_bits: {} is not from 2048 to 4096", self.keys.rsa_bits));
        }
        self.requests.check()?;
        self.passkeys.check()?;
        self.oidc.check()?;
        for (name, venue) in &self.venues {
            let Ok(id) = VenueName::new(name) else {
                return bad(format!("venues.{name}: not a name"));
            };
            if tidegate_venues::registry::find(&id).is_none() {
                return bad(format!("venues.{name}: there is no such venue"));
            }
            if self.listen.plain_http && venue.listen.is_some_and(|at| !at.ip().is_loopback()) {
                return bad(format!("venues.{name}.listen: plain HTTP is for loopback only"));
            }
            venue.check_egress(name)?;
            check_url(&format!("venues.{name}.rest"), &venue.rest, ["https", "http"])?;
            check_url(&format!("venues.{name}.ws"), &venue.ws, ["wss", "ws"])?;
            for (prefix, url) in &venue.hosts {
                let key = format!("venues.{name}.hosts.{prefix:?}");
                if prefix.len() < 2 || !prefix.starts_with('/') || prefix.ends_with('/') {
                    return bad(format!("{key}: a prefix is written as \"/sapi\" or \"/a/b\""));
                }
                let web = url.starts_with("http");
                check_url(&key, url, if web { ["https", "http"] } else { ["wss", "ws"] })?;
            }
        }
        Ok(())
    }
}

impl Requests {
    /// A limit of nothing would shut the door for good.
    fn check(&self) -> Result<(), ConfigError> {
        let limits = [
            ("address_per_second", self.address_per_second),
            ("address_burst", self.address_burst),
            ("failures_per_second", self.failures_per_second),
            ("failures_burst", self.failures_burst),
            ("caller_per_second", self.caller_per_second),
            ("caller_burst", self.caller_burst),
        ];
        let nothing = limits.iter().find(|(_, most)| *most == 0).map(|(key, _)| *key);
        let nothing = nothing.or((self.caller_at_once == 0).then_some("caller_at_once"));
        // One socket alone may have as much.
        let least = tidegate_types::limits::MAX_WS_UNSENT_BYTES / (1024 * 1024);
        let nothing = nothing.or((self.unsent_mib < least).then_some("unsent_mib"));
        // Half of the room is what public reads have.
        match nothing.or((self.inside < 2).then_some("inside")) {
            Some(key) => Err(ConfigError(format!("requests.{key}: is too small to serve anybody"))),
            None => Ok(()),
        }
    }
}

impl Oidc {
    fn check(&self) -> Result<(), ConfigError> {
        let bad = |text: &str| Err(ConfigError(format!("oidc.{text}")));
        if self.configured().is_none() {
            return match *self == Oidc::default() {
                true => Ok(()),
                false => bad("issuer: is empty, so that the other settings mean nothing"),
            };
        }
        check_url("oidc.issuer", &self.issuer, ["https", "http"])?;
        if origin(&self.issuer).is_none() || self.issuer.contains('?') {
            return bad("issuer: has no query and no user");
        }
        for at in &self.origins {
            check_url("oidc.origins", at, ["https", "http"])?;
            if origin(at) != Some(at) {
                return bad("origins: an origin is https://HOST or https://HOST:PORT");
            }
        }
        if self.client_id.is_empty() || self.client_id.len() > MAX_CLIENT_ID {
            return bad("client_id: is needed, of 255 characters at most");
        }
        if self.name.chars().count() > MAX_PROVIDER_NAME || self.name.contains(char::is_control) {
            return bad("name: is 40 characters at most");
        }
        if !(60..=43_200).contains(&self.max_age_s) {
            return bad("max_age_s: is not from 60 to 43200");
        }
        Ok(())
    }
}

/// Whether `url` is https, a host and maybe a port, nothing else.
fn is_origin(url: &str) -> bool {
    let host = url.strip_prefix("https://").unwrap_or_default();
    metadata::check_issuer(url).is_ok()
        && !host.contains('/')
        && url.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some())
}

/// Holds a base URL to `schemes` (secure, plain), the plain one on loopback only.
pub(super) fn check_url(key: &str, url: &str, schemes: [&str; 2]) -> Result<(), ConfigError> {
    let [secure, plain] = schemes;
    let uri: http::Uri =
        url.parse().map_err(|_| ConfigError(format!("{key}: {url:?} is not a URL")))?;
    let host = uri.host().unwrap_or_default();
    let loopback = host == "localhost"
        || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    match uri.scheme_str() {
        Some(scheme) if scheme == secure => Ok(()),
        Some(scheme) if scheme == plain && loopback => Ok(()),
        _ => Err(ConfigError(format!(
            "{key}: {url:?} must begin with {secure}://, or with {plain}:// on a loopback address"
        ))),
    }
}

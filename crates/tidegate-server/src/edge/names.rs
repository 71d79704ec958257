//! What requests may be for: the names and addresses that are the gateway's own.

use super::tls::Certificate;
use std::net::IpAddr;
use std::sync::Arc;

/// The gateway's own names. `localhost` and the loopback addresses always are; a page of another site that had its
/// own name resolve to them is not.
#[derive(Clone, Debug, Default)]
pub struct Names {
    own: Vec<String>,
    certificate: Option<Arc<Certificate>>,
}

impl Names {
    /// These, and what the certificate is for.
    pub fn new(
        own: impl IntoIterator<Item = String>,
        certificate: Option<Arc<Certificate>>,
    ) -> Names {
        let own = own.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        Names { own, certificate }
    }

    /// Whether a request with this `Host` is for us. Which port it names says nothing: it may have been mapped.
    pub(super) fn have(&self, host: &str) -> bool {
        let Some(name) = name_of(host) else { return false };
        let loopback = |name: &str| {
            name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        };
        let known = |name: &str| self.own.iter().any(|own| own == name);
        let certified = |name: &str| self.certificate.as_ref().is_some_and(|it| it.is_for(name));
        loopback(&name) || known(&name) || certified(&name)
    }
}

/// The host of a `Host` header, in lower case, without port and brackets.
fn name_of(host: &str) -> Option<String> {
    let authority: http::uri::Authority = host.parse().ok().filter(|_| !host.contains('@'))?;
    let name = authority.host().trim_matches(['[', ']']);
    let name = name.strip_suffix('.').unwrap_or(name);
    (!name.is_empty()).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;

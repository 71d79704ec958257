//! A client's terms for the people who register and approve it.

use super::{Binding, CertificateName, GrantType, Method, Terms};
use crate::oauth::details::Trading;
use crate::oauth::details::show;
use crate::oauth::jose::{ClientKeys, Jwk};
use std::fmt::Display;

impl Terms {
    /// What each term is called and says; the same rows for every client, so that two can be compared.
    pub fn summary(&self) -> Vec<(String, String)> {
        let bound_to = match self.bound_to {
            Binding::Dpop => "a key of the app's",
            Binding::Certificate => "the app's certificate",
        };
        let grants = self.grants.iter().filter_map(|kind| {
            GrantType::NAMES.iter().find(|(_, known)| known == kind).map(|(name, _)| *name)
        });
        let none = || "nobody".to_owned();
        let rows: [(&str, String); 9] = [
            ("title", format!("{:?}", self.title)),
            ("proves itself by", self.method.shown()),
            ("its tokens are bound to", bound_to.to_owned()),
            ("asks for tokens by", list(grants)),
            ("sends people back to", list(&self.redirect_uris)),
            ("may at most", list(self.allowed.iter().map(shown))),
            ("may be acted for by", self.delegate.as_ref().map_or_else(none, ToString::to_string)),
            ("may ask about everybody's tokens", self.introspects.to_string()),
            ("must sign what it asks", self.signs_requests.to_string()),
        ];
        rows.map(|(what, says)| (what.to_owned(), says)).into()
    }
}

impl Method {
    fn shown(&self) -> String {
        match self {
            Method::PrivateKeyJwt { jwks } => match ClientKeys::parse(jwks) {
                Ok(keys) => {
                    format!("keys with the thumbprints {}", list(keys.iter().map(Jwk::thumbprint)))
                }
                Err(_) => "keys that are not taken here".to_owned(),
            },
            Method::SelfSignedTls { certificates } => {
                format!("certificates with the digests {}", list(certificates))
            }
            Method::Tls { name } => match name {
                CertificateName::SubjectDn { text } => format!("a certificate of {text:?}"),
                CertificateName::Dns { text } => format!("a certificate of the host {text:?}"),
                CertificateName::Uri { text } => format!("a certificate of the URI {text:?}"),
                CertificateName::Ip { text } => format!("a certificate of the address {text:?}"),
                CertificateName::Email { text } => format!("a certificate of the mail {text:?}"),
            },
        }
    }
}

/// One account, as `authorization_details` say it: nothing is left out.
fn shown(trading: &Trading) -> String {
    show::to_value(std::slice::from_ref(trading)).to_string()
}

fn list<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    if values.is_empty() { "none".to_owned() } else { values.join(", ") }
}

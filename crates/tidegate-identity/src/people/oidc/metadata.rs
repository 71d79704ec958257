//! What a provider says of itself (OpenID Connect Discovery 1.0), held to what the desk trusts.

use super::OidcError;
use crate::oauth::json::{self, Members, Object};
use serde_json::Value;

/// A provider's endpoints.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metadata {
    /// Its name: what its tokens bear.
    pub issuer: String,
    /// Where a browser goes to log in.
    pub authorization: String,
    /// Where a code becomes a token.
    pub token: String,
    /// Its public keys.
    pub keys: String,
    /// Where a request is pushed to, if it takes them (RFC 9126).
    pub pushed: Option<String>,
    /// Its answers name it (RFC 9207); one that does not is not its.
    pub names_itself: bool,
}

/// The address of a provider's metadata.
pub fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// Scheme, host and port of an address; none when it is not one that may be asked.
pub fn origin(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?']).next()?;
    let plain = url.bytes().all(|b| b.is_ascii_graphic()) && !url.contains(['#', '@', '\\']);
    let known = matches!(scheme, "https" | "http") && !host.is_empty();
    if plain && known { url.get(..scheme.len() + 3 + host.len()) } else { None }
}

impl Metadata {
    /// The metadata that `document` is of the provider `issuer`, whose endpoints are at its own origin or
    /// at one of `origins`: what else it names might be anybody's, within the desk's network too.
    ///
    /// # Errors
    /// When it is of another issuer, names an endpoint elsewhere, or cannot do what is asked here.
    pub fn read(issuer: &str, origins: &[String], document: &[u8]) -> Result<Metadata, OidcError> {
        let object = json::object(document)
            .map_err(|_| OidcError::Metadata("its metadata cannot be read"))?;
        if object.text("issuer") != Some(issuer) {
            return Err(OidcError::Metadata("its metadata is of another issuer"));
        }
        let own = origin(issuer);
        let endpoint = |name: &str| -> Result<Option<String>, OidcError> {
            let Some(value) = object.get(name) else { return Ok(None) };
            let there = value.as_str().and_then(|url| Some((url, origin(url)?)));
            match there {
                Some((url, at)) if own == Some(at) || origins.iter().any(|it| it == at) => {
                    Ok(Some(url.to_owned()))
                }
                _ => Err(OidcError::Metadata(
                    "its metadata names an endpoint at an origin that is not in oidc.origins",
                )),
            }
        };
        let lacking = OidcError::Metadata("its metadata lacks an endpoint that is needed");
        let metadata = Metadata {
            issuer: issuer.to_owned(),
            authorization: endpoint("authorization_endpoint")?.ok_or(lacking)?,
            token: endpoint("token_endpoint")?.ok_or(lacking)?,
            keys: endpoint("jwks_uri")?.ok_or(lacking)?,
            pushed: endpoint("pushed_authorization_request_endpoint")?,
            names_itself: object.get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true)),
        };
        let needs = [
            ("response_types_supported", "code", "it does not give codes"),
            ("code_challenge_methods_supported", "S256", "it does not take PKCE with S256"),
            (
                "token_endpoint_auth_methods_supported",
                "private_key_jwt",
                "it does not take private_key_jwt",
            ),
            (
                "token_endpoint_auth_signing_alg_values_supported",
                "ES256",
                "it does not take ES256 of its clients",
            ),
        ];
        match needs.into_iter().find(|(list, word, _)| !may(&object, list, word)) {
            Some((_, _, why)) => Err(OidcError::Metadata(why)),
            None => Ok(metadata),
        }
    }

    /// Whether an answer that names `issuer` is this provider's.
    ///
    /// # Errors
    /// When it is another's, or names none though this one always does.
    pub fn answered(&self, issuer: Option<&str>) -> Result<(), OidcError> {
        match issuer {
            Some(named) if named == self.issuer => Ok(()),
            None if !self.names_itself => Ok(()),
            _ => Err(OidcError::OtherIssuer),
        }
    }
}

/// Whether a list has a word; one that is not there says nothing.
fn may(object: &Object, list: &str, word: &str) -> bool {
    object.get(list).is_none_or(|value| {
        value.as_array().is_some_and(|all| all.iter().any(|one| one.as_str() == Some(word)))
    })
}

#[cfg(test)]
mod tests;

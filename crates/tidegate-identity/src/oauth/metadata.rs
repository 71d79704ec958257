//! The documents that clients find everything by: RFC 8414 and 9728.

use super::acr::Acr;
use super::authority::Config;
use super::client::GrantType;
use super::details::TYPE;
use super::jose::Alg;
use serde_json::{Value, json};

/// The paths of the endpoints, below the issuer.
pub mod path {
    /// Pushed authorization requests.
    pub const PAR: &str = "/oauth/par";
    /// Where browsers go.
    pub const AUTHORIZE: &str = "/oauth/authorize";
    /// Tokens.
    pub const TOKEN: &str = "/oauth/token";
    /// Device codes.
    pub const DEVICE: &str = "/oauth/device_authorization";
    /// Where people type a device's code.
    pub const VERIFY: &str = "/oauth/device";
    /// Revocation.
    pub const REVOKE: &str = "/oauth/revoke";
    /// Introspection.
    pub const INTROSPECT: &str = "/oauth/introspect";
    /// The public keys.
    pub const JWKS: &str = "/oauth/jwks";
}

/// Why an issuer cannot be one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadIssuer;

/// Checks that `issuer` is an https address without user, query, fragment or a slash at its end.
///
/// # Errors
/// When it is not.
pub fn check_issuer(issuer: &str) -> Result<(), BadIssuer> {
    let rest = issuer.strip_prefix("https://").ok_or(BadIssuer)?;
    let plain = rest.bytes().all(|b| b.is_ascii_graphic()) && !rest.contains(['?', '#', '@', '\\']);
    let whole = !rest.is_empty() && !rest.starts_with('/') && !rest.ends_with('/');
    if plain && whole { Ok(()) } else { Err(BadIssuer) }
}

/// Where a well-known document of `address` is: its name is put before the address's path (RFC 8414 §3,
/// RFC 9728 §3).
pub fn well_known(address: &str, name: &str) -> String {
    let after = address.find("://").map_or(0, |at| at + 3);
    let end = address.get(after..).and_then(|rest| rest.find('/')).map(|at| after + at);
    let (origin, path) = address.split_at(end.unwrap_or(address.len()));
    format!("{origin}/.well-known/{name}{}", path.trim_end_matches('/'))
}

/// The authorization server's metadata (RFC 8414, 9101, 9126, 9207, 9396, 9449, 8705).
pub fn authority(config: &Config) -> Value {
    let at = |path: &str| format!("{}{path}", config.issuer);
    let grants: Vec<&str> = GrantType::NAMES.iter().map(|(name, _)| *name).collect();
    let acrs: Vec<&str> = Acr::NAMES.iter().map(|(name, _)| *name).collect();
    let methods: &[&str] = match config.mutual_tls {
        true => &["private_key_jwt", "self_signed_tls_client_auth"],
        false => &["private_key_jwt"],
    };
    json!({
        "issuer": config.issuer,
        "authorization_endpoint": at(path::AUTHORIZE),
        "token_endpoint": at(path::TOKEN),
        "pushed_authorization_request_endpoint": at(path::PAR),
        "require_pushed_authorization_requests": true,
        "device_authorization_endpoint": at(path::DEVICE),
        "revocation_endpoint": at(path::REVOKE),
        "introspection_endpoint": at(path::INTROSPECT),
        "jwks_uri": at(path::JWKS),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": grants,
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": Alg::NAMES,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": Alg::NAMES,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": Alg::NAMES,
        "dpop_signing_alg_values_supported": Alg::NAMES,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": false,
        "require_signed_request_object": false,
        "request_object_signing_alg_values_supported": Alg::NAMES,
        "tls_client_certificate_bound_access_tokens": config.mutual_tls,
        "authorization_response_iss_parameter_supported": true,
        "authorization_details_types_supported": [TYPE],
        "acr_values_supported": acrs,
    })
}

/// The resource server's metadata (RFC 9728).
pub fn resource(config: &Config) -> Value {
    json!({
        "resource": config.resource,
        "authorization_servers": [config.issuer],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": Alg::NAMES,
        "dpop_bound_access_tokens_required": !config.mutual_tls,
        "tls_client_certificate_bound_access_tokens": config.mutual_tls,
        "authorization_details_types_supported": [TYPE],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rsa::RsaBits;
    use tidegate_types::time::Span;

    fn config() -> Config {
        Config {
            issuer: "https://desk.example".into(),
            resource: "https://desk.example/v1".into(),
            token_lifetime: Span::from_secs(600),
            grant_lifetime: Span::from_secs(86_400),
            mutual_tls: true,
            rsa: RsaBits::DEFAULT,
        }
    }

    #[test]
    fn md_1_the_name_goes_before_the_path() {
        let name = "oauth-authorization-server";
        for (issuer, address) in [
            ("https://a.example", "https://a.example/.well-known/oauth-authorization-server"),
            ("https://a.example/", "https://a.example/.well-known/oauth-authorization-server"),
            (
                "https://a.example/b/c",
                "https://a.example/.well-known/oauth-authorization-server/b/c",
            ),
        ] {
            assert_eq!(well_known(issuer, name), address);
        }
    }

    #[test]
    fn md_2_issuers() {
        assert!(check_issuer("https://desk.example:8443/desk").is_ok());
        for issuer in [
            "http://a.example",
            "https://",
            "https:///a",
            "https://a/",
            "https://a?b",
            "https://a#b",
        ] {
            assert_eq!(check_issuer(issuer), Err(BadIssuer), "{issuer}");
        }
    }

    #[test]
    fn md_2_md_3_documents_have_no_empty_list_and_no_none() {
        for document in [authority(&config()), resource(&config())] {
            for (name, value) in document.as_object().unwrap() {
                assert!(value.as_array().is_none_or(|list| !list.is_empty()), "{name}");
            }
            let text = document.to_string();
            assert!(
                !text.contains("\"none\"") && !text.contains("RS256") && !text.contains("secret")
            );
        }
    }

    #[test]
    fn without_certificates_none_are_promised() {
        let config = Config { mutual_tls: false, ..config() };
        for document in [authority(&config), resource(&config)] {
            assert_eq!(document["tls_client_certificate_bound_access_tokens"], false);
            assert!(!document.to_string().contains("tls_client_auth"));
            // Nobody trusts an issuer of certificates here: clients are known by the very one.
            assert!(!self::authority(&self::config()).to_string().contains("\"tls_client_auth"));
        }
        assert_eq!(resource(&config)["dpop_bound_access_tokens_required"], true);
    }

    #[test]
    fn par_6_fp_b07_dp_23_su_4_rr_1_what_is_published() {
        let document = authority(&config());
        assert_eq!(document["issuer"], config().issuer);
        assert_eq!(document["require_pushed_authorization_requests"], true);
        assert_eq!(document["authorization_response_iss_parameter_supported"], true);
        assert_eq!(document["dpop_signing_alg_values_supported"], json!(Alg::NAMES));
        assert_eq!(document["authorization_details_types_supported"], json!([TYPE]));
        assert_eq!(document["request_parameter_supported"], true);
        assert_eq!(document["require_signed_request_object"], false, "each app may be held to it");
        assert_eq!(document["request_object_signing_alg_values_supported"], json!(Alg::NAMES));
        assert_eq!(document["acr_values_supported"], json!(["pwd", "mfa", "phr", "phrh"]));
        assert_eq!(document["response_types_supported"], json!(["code"]));
    }
}

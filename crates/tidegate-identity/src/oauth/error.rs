//! What an OAuth endpoint answers when it refuses: the registered codes, each with its status.

use serde_json::{Value, json};
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident, $wire:literal, $status:literal;)*) => {
        /// Why a request is refused, in the words that the standards register.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum ErrorCode {
            $($(#[$doc])* $code,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$code,)*];

            /// The code as it is sent.
            pub const fn wire(self) -> &'static str {
                match self {
                    $(ErrorCode::$code => $wire,)*
                }
            }

            /// The status of the answer that carries it, where it is not a redirect.
            pub const fn status(self) -> u16 {
                match self {
                    $(ErrorCode::$code => $status,)*
                }
            }
        }
    };
}

codes! {
    /// RFC 6749 §4.1.2.1, RFC 8628 §3.5: the person said no.
    AccessDenied, "access_denied", 400;
    /// RFC 8628 §3.5: the person has not decided yet; ask again after the interval.
    AuthorizationPending, "authorization_pending", 400;
    /// RFC 8628 §3.5: the device code is over; begin anew.
    ExpiredToken, "expired_token", 400;
    /// RFC 9396 §5: the details are not what the documented type allows.
    InvalidAuthorizationDetails, "invalid_authorization_details", 400;
    /// RFC 6749 §5.2: the client did not prove who it is.
    InvalidClient, "invalid_client", 401;
    /// RFC 9449 §5: the proof is missing or not good.
    InvalidDpopProof, "invalid_dpop_proof", 400;
    /// RFC 6749 §5.2: the code or token is unknown, over, used, or another client's.
    InvalidGrant, "invalid_grant", 400;
    /// RFC 6749 §5.2: a parameter is missing, repeated or malformed.
    InvalidRequest, "invalid_request", 400;
    /// RFC 9101 §5: the request object is not signed by the client, not for us, or over.
    InvalidRequestObject, "invalid_request_object", 400;
    /// RFC 9101 §5: the pushed request is unknown, used or over.
    InvalidRequestUri, "invalid_request_uri", 400;
    /// RFC 6749 §5.2: a scope that the client may not have.
    InvalidScope, "invalid_scope", 400;
    /// RFC 8707 §2: not a resource that tokens are made for here.
    InvalidTarget, "invalid_target", 400;
    /// RFC 6749 §4.1.2.1: something broke here; try again.
    ServerError, "server_error", 500;
    /// RFC 8628 §3.5: asked too often; wait 5 s longer from now on.
    SlowDown, "slow_down", 400;
    /// RFC 6749 §4.1.2.1: too much at once; try again.
    TemporarilyUnavailable, "temporarily_unavailable", 503;
    /// RFC 6749 §5.2: the client may not use this grant.
    UnauthorizedClient, "unauthorized_client", 400;
    /// RFC 9470 / OIDC: the person's login does not reach what was asked.
    UnmetAuthenticationRequirements, "unmet_authentication_requirements", 400;
    /// RFC 6749 §5.2: a grant type that is not offered.
    UnsupportedGrantType, "unsupported_grant_type", 400;
    /// RFC 6749 §4.1.2.1: only `code` is offered.
    UnsupportedResponseType, "unsupported_response_type", 400;
    /// RFC 7009 §2.2.1: not a token that can be revoked.
    UnsupportedTokenType, "unsupported_token_type", 400;
    /// RFC 9449 §8: repeat the request with the nonce that comes with this answer.
    UseDpopNonce, "use_dpop_nonce", 400;
}

/// A refusal: a code, and what to do about it. The text is ours alone, never the client's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OAuthError {
    /// Which.
    pub code: ErrorCode,
    /// What was wrong and whose turn it is.
    pub description: &'static str,
}

impl OAuthError {
    /// The refusal `code` with a description of printable ASCII without quotes.
    pub const fn new(code: ErrorCode, description: &'static str) -> OAuthError {
        OAuthError { code, description }
    }

    /// A parameter that is missing, repeated or malformed.
    pub const fn request(description: &'static str) -> OAuthError {
        OAuthError::new(ErrorCode::InvalidRequest, description)
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        json!({ "error": self.code.wire(), "error_description": self.description })
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.wire(), self.description)
    }
}

impl std::error::Error for OAuthError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn oa_12_codes_are_distinct_and_in_the_registered_alphabet() {
        let wires: BTreeSet<&str> = ErrorCode::ALL.iter().map(|code| code.wire()).collect();
        assert_eq!(wires.len(), ErrorCode::ALL.len());
        let legal = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(wires.iter().all(|wire| wire.chars().all(legal)));
    }

    #[test]
    fn the_body_has_two_members() {
        let error = OAuthError::request("a parameter comes twice");
        let body = r#"{"error":"invalid_request","error_description":"a parameter comes twice"}"#;
        assert_eq!(error.body().to_string(), body);
    }
}

//! What a request without good credentials is answered: RFC 6750, 9449, 9470 and 9728.

use crate::oauth::acr::Acr;
use crate::oauth::jose::Alg;
use std::fmt::Write;
use tidegate_types::time::Span;

/// What is wrong with a request's credentials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Problem {
    /// There are none.
    None,
    /// They are malformed, or there are two.
    Request,
    /// The token is unknown, over, revoked, another's, or shown the wrong way.
    Token,
    /// The proof is not good, and why.
    Proof(&'static str),
    /// The proof needs the nonce that comes with the answer.
    Nonce,
    /// Too many proofs at once.
    Busy,
    /// The token does not allow this.
    Scope,
    /// The person must log in better, or anew.
    StepUp {
        /// How well they must be known.
        least: Option<Acr>,
        /// How long ago the login may be.
        max_age: Option<Span>,
    },
}

/// The answer to a request that is not let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// Why.
    pub problem: Problem,
}

impl Challenge {
    /// The challenge for `problem`.
    pub const fn of(problem: Problem) -> Challenge {
        Challenge { problem }
    }

    /// The status of the answer.
    pub const fn status(&self) -> u16 {
        match self.problem {
            Problem::Request => 400,
            Problem::Scope => 403,
            Problem::Busy => 503,
            Problem::None
            | Problem::Token
            | Problem::Proof(_)
            | Problem::Nonce
            | Problem::StepUp { .. } => 401,
        }
    }

    /// The error's registered code; none when there were no credentials, or no fault of theirs.
    pub const fn code(&self) -> Option<&'static str> {
        match self.problem {
            Problem::None | Problem::Busy => None,
            Problem::Request => Some("invalid_request"),
            Problem::Token => Some("invalid_token"),
            Problem::Proof(_) => Some("invalid_dpop_proof"),
            Problem::Nonce => Some("use_dpop_nonce"),
            Problem::Scope => Some("insufficient_scope"),
            Problem::StepUp { .. } => Some("insufficient_user_authentication"),
        }
    }

    /// The `WWW-Authenticate` headers of the answer, one for each way to show a token.
    /// `metadata` is the address of the resource's metadata (RFC 9728).
    pub fn headers(&self, metadata: &str) -> Vec<String> {
        let dpop = format!("{} algs=\"{}\",", self.header("DPoP"), Alg::NAMES.join(" "));
        let dpop_only = matches!(self.problem, Problem::Proof(_) | Problem::Nonce);
        let bearer = (!dpop_only).then(|| self.header("Bearer"));
        let schemes = std::iter::once(dpop).chain(bearer);
        schemes.map(|header| format!("{header} resource_metadata=\"{metadata}\"")).collect()
    }

    fn header(&self, scheme: &str) -> String {
        let mut header = scheme.to_owned();
        let mut put = |name: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = write!(header, " {name}=\"{value}\",");
        };
        if let Some(code) = self.code() {
            put("error", code);
        }
        match self.problem {
            Problem::Proof(why) => put("error_description", why),
            Problem::StepUp { least, max_age } => {
                if let Some(least) = least {
                    put("acr_values", least.name());
                }
                if let Some(age) = max_age {
                    put("max_age", &(age.millis() / 1000).to_string());
                }
            }
            _ => {}
        }
        header
    }
}

//! The endpoints: which method, which form of body, which headers an answer has.

use super::Asks;
use super::{Handle, all, certificate};
use crate::clock;
use serde_json::Value;
use tidegate_identity::oauth::authority::{Authority, Call, Chance, Config};
use tidegate_identity::oauth::client::Credentials;
use tidegate_identity::oauth::metadata::{self, path};
use tidegate_identity::oauth::{ErrorCode, OAuthError};
use tidegate_types::request::{Method, RawRequest, Reply};
use tidegate_types::time::Time;

/// Where people are asked for their consent; the query is the authorization request's.
pub const CONSENT_PAGE: &str = "/consent";
/// Where people type a device's code.
pub const DEVICE_PAGE: &str = "/device";
/// The authorization server's metadata (RFC 8414).
const AUTHORITY: &str = "/.well-known/oauth-authorization-server";
/// The resource's metadata (RFC 9728).
const RESOURCE: &str = "/.well-known/oauth-protected-resource";
const FORM: &str = "application/x-www-form-urlencoded";
/// How long what is published may be kept, in seconds: far less than a key is published ahead.
const PUBLIC: &str = "public, max-age=300";

type Endpoint = fn(&mut Authority, &Call<'_>, &Chance, Time) -> Result<Option<Value>, OAuthError>;

/// What a route does.
#[derive(Clone, Copy)]
enum Serve {
    /// Takes a form, by POST; answers with this status.
    Form(u16, Endpoint),
    /// Gives what is published, by GET.
    Published(fn(&Handle) -> Result<Reply, OAuthError>),
    /// Sends a browser on to a page, by GET.
    Page(&'static str),
}

impl Serve {
    const fn method(self) -> Method {
        match self {
            Serve::Form(..) => Method::Post,
            Serve::Published(_) | Serve::Page(_) => Method::Get,
        }
    }
}

/// Every route under `/oauth/` and `/.well-known/`.
const ROUTES: &[(&str, Serve)] = &[
    (AUTHORITY, Serve::Published(|handle| handle.document(metadata::authority))),
    (RESOURCE, Serve::Published(|handle| handle.document(metadata::resource))),
    (path::JWKS, Serve::Published(Handle::jwks)),
    (path::AUTHORIZE, Serve::Page(CONSENT_PAGE)),
    (path::VERIFY, Serve::Page(DEVICE_PAGE)),
    (
        path::PAR,
        Serve::Form(201, |server, call, chance, now| server.push(call, chance, now).map(Some)),
    ),
    (
        path::TOKEN,
        Serve::Form(200, |server, call, chance, now| server.token(call, chance, now).map(Some)),
    ),
    (
        path::REVOKE,
        Serve::Form(200, |server, call, _, now| server.revoke(call, now).map(|()| None)),
    ),
    (
        path::INTROSPECT,
        Serve::Form(200, |server, call, _, now| server.introspect(call, now).map(Some)),
    ),
    (
        path::DEVICE,
        Serve::Form(200, |server, call, chance, now| {
            let verify = format!("{}{}", server.config().issuer, path::VERIFY);
            server.device(call, &verify, chance, now).map(Some)
        }),
    ),
];

/// The routes, for tests that go over all of them.
#[cfg(test)]
pub(super) fn listed() -> impl Iterator<Item = (Method, &'static str)> {
    ROUTES.iter().map(|(path, serve)| (serve.method(), *path))
}

impl Handle {
    /// The answer to a request under `/oauth/` and `/.well-known/`.
    pub async fn answer(&self, request: RawRequest) -> Reply {
        let Some((at, serve)) = ROUTES.iter().find(|(path, _)| *path == request.path) else {
            return reply(404, "no-store", Some(&nothing().body()));
        };
        if request.method != serve.method() {
            return wrong_method(serve.method().as_str());
        }
        // What is published costs nothing.
        let counts = matches!(serve, Serve::Form(..));
        let asks = if *at == path::REVOKE { Asks::Revocation } else { Asks::Other };
        if counts && !self.peers.take(request.peer, asks, clock::now()) {
            let text = "too much is asked from this address; try again in seconds";
            return refusal(&OAuthError::new(ErrorCode::TemporarilyUnavailable, text), &request);
        }
        match serve {
            Serve::Form(status, endpoint) => self.form(at, *status, *endpoint, &request).await,
            Serve::Published(give) => give(self).unwrap_or_else(|error| refusal(&error, &request)),
            Serve::Page(page) => see_other(page, &request.query),
        }
    }

    async fn form(
        &self,
        path: &str,
        status: u16,
        endpoint: Endpoint,
        request: &RawRequest,
    ) -> Reply {
        let done = match check_form(request) {
            Err(error) => Err(error),
            Ok(()) => {
                let act = |authority: &mut Authority, chance: &Chance, now| {
                    let uri = format!("{}{path}", authority.config().issuer);
                    let proofs: Vec<&str> = all(request, "dpop").collect();
                    let shown = certificate(request);
                    let credentials = Credentials {
                        authorization: all(request, "authorization").next(),
                        certificate: shown.as_ref(),
                    };
                    let call =
                        Call { uri: &uri, form: &request.body, credentials, proofs: &proofs };
                    endpoint(authority, &call, chance, now)
                };
                self.recorded(act).await.and_then(|done| done)
            }
        };
        let mut reply = match done {
            Ok(answer) => reply(status, "no-store", answer.as_ref()),
            Err(error) => refusal(&error, request),
        };
        if let Some(nonce) = self.look(|authority| authority.nonce(clock::now())) {
            reply.headers.push(("dpop-nonce".into(), nonce));
        }
        reply
    }

    fn document(&self, make: fn(&Config) -> Value) -> Result<Reply, OAuthError> {
        let document = make(self.authority()?.config());
        Ok(reply(200, PUBLIC, Some(&document)))
    }

    fn jwks(&self) -> Result<Reply, OAuthError> {
        let keys = self.authority()?.keys().published(clock::now());
        Ok(reply(200, PUBLIC, Some(&keys)))
    }
}

/// Everything is in the body, which is a form: what stands in an address ends up in logs.
fn check_form(request: &RawRequest) -> Result<(), OAuthError> {
    if !request.query.is_empty() {
        return Err(OAuthError::request("parameters belong in the body, not in the address"));
    }
    let kind = request.header("content-type").and_then(|kind| kind.split(';').next());
    if kind.is_none_or(|kind| !kind.trim().eq_ignore_ascii_case(FORM)) {
        return Err(OAuthError::request("the body must be application/x-www-form-urlencoded"));
    }
    Ok(())
}

fn nothing() -> OAuthError {
    OAuthError::request("nothing is served at this path")
}

fn wrong_method(allowed: &str) -> Reply {
    let error = OAuthError::request("another method is needed; see Allow");
    let mut reply = reply(405, "no-store", Some(&error.body()));
    reply.headers.push(("allow".into(), allowed.to_owned()));
    reply
}

/// A page of ours, never 307: what was posted is not posted again elsewhere.
fn see_other(page: &str, query: &str) -> Reply {
    let mut reply = reply(303, "no-store", None);
    let separator = if query.is_empty() { "" } else { "?" };
    reply.headers.push(("location".into(), format!("{page}{separator}{query}")));
    reply
}

fn refusal(error: &OAuthError, request: &RawRequest) -> Reply {
    let mut reply = reply(error.code.status(), "no-store", Some(&error.body()));
    match error.code {
        ErrorCode::TemporarilyUnavailable => reply.headers.push(("retry-after".into(), "1".into())),
        ErrorCode::InvalidClient => {
            // RFC 6749 §5.2: who tried the scheme is told so in it.
            let scheme = all(request, "authorization").next().and_then(|it| it.split(' ').next());
            if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic")) {
                let tried = r#"Basic realm="tidegate", error="invalid_client""#;
                reply.headers.push(("www-authenticate".into(), tried.into()));
            }
        }
        _ => {}
    }
    reply
}

fn reply(status: u16, cache: &str, body: Option<&Value>) -> Reply {
    let mut headers = vec![
        ("cache-control".to_owned(), cache.to_owned()),
        ("x-content-type-options".to_owned(), "nosniff".to_owned()),
    ];
    if cache == "no-store" {
        headers.push(("pragma".to_owned(), "no-cache".to_owned()));
    }
    let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    Reply { status, headers, body }
}

//! Single requests to a service that is no venue, at addresses that were allowed before.
//!
//! A connection serves one request. No redirect is followed, an answer is bounded in size and time, and no
//! other host than the ones allowed is ever connected to, whatever the service names.

use super::origin::{Origin, Roots, UrlError};
use bytes::Bytes;
use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;
use tidegate_identity::people::oidc::metadata::origin;

/// The longest from connecting to the last byte of an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer.
const MAX_BYTES: usize = 256 * 1024;
/// Most headers of an answer.
const MAX_HEADERS: usize = 100;
const FORM: &str = "application/x-www-form-urlencoded";

/// Where requests may go.
pub struct Site(BTreeMap<String, Origin>);

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

impl Site {
    /// Requests to these origins alone, `https://`, or `http://` on loopback.
    ///
    /// # Errors
    /// When one is none, or the roots cannot be read.
    pub fn new<'a>(
        origins: impl IntoIterator<Item = &'a str>,
        roots: &Roots,
    ) -> Result<Site, UrlError> {
        let parsed = |at: &'a str| Ok((at.to_owned(), Origin::parse(at, "https", "http", roots)?));
        origins.into_iter().map(parsed).collect::<Result<_, _>>().map(Site)
    }

    /// Reads what is at `url`.
    ///
    /// # Errors
    /// When it is not allowed, cannot be reached in time, or is too long.
    pub async fn get(&self, url: &str) -> Result<Answered, String> {
        self.ask("GET", url, String::new()).await
    }

    /// Sends a form to `url`.
    ///
    /// # Errors
    /// As `get`.
    pub async fn post(&self, url: &str, form: String) -> Result<Answered, String> {
        self.ask("POST", url, form).await
    }

    async fn ask(&self, method: &str, url: &str, form: String) -> Result<Answered, String> {
        let at = origin(url).ok_or("not an address")?;
        let origin = self.0.get(at).ok_or_else(|| format!("{at} is not allowed"))?;
        let target = match url.get(at.len()..) {
            None | Some("") => "/",
            Some(target) => target,
        };
        let mut request = http::Request::builder()
            .method(method)
            .uri(target)
            .header(http::header::HOST, &origin.authority)
            .header(http::header::USER_AGENT, "tidegate")
            .header(http::header::ACCEPT, "application/json");
        if method == "POST" {
            request = request.header(http::header::CONTENT_TYPE, FORM);
        }
        // The error may repeat the request.
        let request = request
            .body(Full::new(Bytes::from(form)))
            .map_err(|_| "the request cannot be written as HTTP".to_owned())?;
        let late = |_| format!("{at} does not answer within {} s", PATIENCE.as_secs());
        tokio::time::timeout(PATIENCE, exchange(origin, request)).await.map_err(late)?
    }
}

async fn exchange(
    origin: &Origin,
    request: http::Request<Full<Bytes>>,
) -> Result<Answered, String> {
    let text = |error: hyper::Error| error.to_string();
    let wire = origin.connect().await?;
    let mut builder = http1::Builder::new();
    let opened = builder.max_headers(MAX_HEADERS).handshake(TokioIo::new(wire)).await;
    let (mut requests, connection) = opened.map_err(text)?;
    let answer = async {
        let (head, body) = requests.send_request(request).await.map_err(text)?.into_parts();
        let body = Limited::new(body, MAX_BYTES).collect().await.map_err(|e| e.to_string())?;
        Ok(Answered { status: head.status.as_u16(), body: body.to_bytes().to_vec() })
    };
    match select(pin!(answer), pin!(connection)).await {
        Either::Left((answered, _)) => answered,
        // What was read before it closed is there still.
        Either::Right((_, answer)) => answer.await,
    }
}

#[cfg(test)]
mod tests;

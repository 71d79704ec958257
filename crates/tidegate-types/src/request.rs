//! A caller's request as it came off the wire, bounded but not yet believed.

use crate::key::Origin;
use std::net::IpAddr;

/// The methods the venues use; anything else is refused at the socket.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
}

impl Method {
    /// The word on the request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        }
    }
}

/// One HTTP request. The mount prefix is stripped: `path` and `query` are what the caller signed.
#[derive(Clone, Debug)]
pub struct RawRequest {
    /// The method.
    pub method: Method,
    /// The path, percent-encoding untouched.
    pub path: String,
    /// What follows the `?`, untouched; empty without one.
    pub query: String,
    /// Header names in lower case, values as sent; names may repeat.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Who connected.
    pub peer: IpAddr,
    /// SHA-256 of the client certificate that the connection showed, in DER.
    pub certificate: Option<[u8; 32]>,
}

impl RawRequest {
    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        Origin { peer: self.peer, certificate: self.certificate }
    }

    /// The value of a header that is there exactly once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(n, _)| n == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// The path and the query as they stood on the request line, without the mount prefix.
    pub fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }
}

/// What a caller shows to say who it is, before anything of it is believed.
#[derive(Debug)]
pub enum Presented {
    /// A signature over the request.
    Signature(Signature),
    /// Key and secret in the clear (over TLS): a login.
    Password {
        /// The key.
        key: String,
        /// The secret.
        secret: crate::secret::Secret,
    },
    /// A token that an earlier login gave.
    Token {
        /// The token.
        token: crate::secret::Secret,
    },
    /// A bare key id, for the few calls that venues leave unsigned (listen keys).
    KeyOnly {
        /// The key.
        key: String,
    },
}

/// A signature and what it may be over.
#[derive(Debug)]
pub struct Signature {
    /// The key it is said to be made with.
    pub key: String,
    /// The texts it may be over: stock clients differ in what they encode before signing.
    pub payloads: Vec<Vec<u8>>,
    /// The signature in each form its text may mean (hex, base64, base64url).
    pub candidates: Vec<Vec<u8>>,
    /// When it says it was made, in ms.
    pub timestamp_ms: u64,
    /// How long it says it is good for, in ms.
    pub window_ms: u64,
    /// What makes this request one of a kind for the replay store.
    pub nonce: Vec<u8>,
    /// Whether a second arrival must be refused (it changes state).
    pub once: bool,
}

/// What a caller reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Extra headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body (JSON).
    pub body: Vec<u8>,
}

//! Deribit's dialect behind the listeners.

use super::http::{Answer, Request, Socket};
use super::world::{Shared, World};
use serde_json::{Value, json};

/// What the dialect keeps between requests.
#[derive(Debug, Default)]
pub struct State {}

/// Answers a request.
pub(super) fn rest(_world: &mut World, _request: &Request) -> Answer {
    Answer::json(404, &unknown_error())
}

/// Serves a WebSocket to its end.
pub(super) async fn socket(_world: Shared, _request: Request, _socket: Socket) {}

/// What Deribit says when its machinery fails.
pub(super) fn unknown_error() -> Value {
    json!({"jsonrpc": "2.0", "error": {"code": 11094, "message": "internal_server_error"}})
}

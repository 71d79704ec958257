//! The server side of the Binance USDⓈ-M dialect.

pub mod universe;

use crate::serve::http::{Answer, Request, Socket};
use crate::serve::world::{Shared, World};
use serde_json::{Value, json};

/// What the dialect keeps between requests.
#[derive(Debug, Default)]
pub struct State {}

/// Answers a request.
pub fn rest(_world: &mut World, _request: &Request) -> Answer {
    Answer::json(404, &unknown_error())
}

/// Serves a WebSocket to its end.
pub async fn socket(_world: Shared, _request: Request, _socket: Socket) {}

/// What Binance says when its machinery fails.
pub fn unknown_error() -> Value {
    json!({"code": -1000, "msg": "Unknown error, please check your request or try again later."})
}

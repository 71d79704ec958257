//! The AsyncAPI 3.0 document of the stream, in the same vocabulary.

use super::super::routes::{ACCOUNT, STREAM};
use super::super::stream::{Message, Request};
use super::schemas::Schemas;
use super::{SIGNATURE, TOKEN, form};
use serde_json::{Map, Value, json};

const ABOUT: &str = "A WebSocket below the same address and by the same credentials as the unified API. The request that opens it is \
    signed, or shows a token with its proof, once; the connection is bound to that key or token and ends within a second of its \
    revocation, of its end, or of the end of the grant behind it. It is for one account: the key's, or the one that `account` names.";
const CLOSING: &str = "Close codes: 1001, the gateway stops, connect again; 1003, text only; 1008, with Tidegate's code and the reason: \
    the key, token or grant is over, too many messages came, or what is sent was read too slowly.";

/// The AsyncAPI document.
pub fn asyncapi() -> Value {
    let mut schemas = Schemas::new();
    let taken = named("op", schemas.taken_either::<Request>());
    let given = named("type", schemas.given_either::<Message>());
    let message = |name: &str| json!({ "$ref": format!("#/channels/stream/messages/{name}") });
    let of = |messages: &[(String, Value)]| -> Vec<Value> {
        messages.iter().map(|(name, _)| message(name)).collect()
    };
    let (receives, sends) = (of(&taken), of(&given));
    let all: Vec<_> = taken.into_iter().chain(given).collect();
    let listed = all.iter().map(|(name, _)| {
        (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") }))
    });
    let listed: Map<String, Value> = listed.collect();
    let messages: Map<String, Value> = all.into_iter().collect();
    let channel = json!({ "$ref": "#/channels/stream" });
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tidegate: the stream of the unified API",
            "version": "1",
            "description": format!("{ABOUT}\n\n{CLOSING}"),
            "license": { "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
            "tags": [{ "name": "stream", "description": STREAM.about }],
        },
        "defaultContentType": "application/json",
        "servers": { "gateway": {
            "host": "localhost:8443",
            "protocol": "wss",
            "description": "The desk's own gateway.",
            "security": [
                { "$ref": "#/components/securitySchemes/signature" },
                { "$ref": "#/components/securitySchemes/token" },
            ],
        } },
        "channels": { "stream": {
            "address": STREAM.path,
            "description": STREAM.about,
            "servers": [{ "$ref": "#/servers/gateway" }],
            "messages": listed,
            "bindings": { "ws": {
                "method": "GET",
                "query": { "type": "object", "properties": { ACCOUNT.name: query() } },
                "bindingVersion": "0.1.0",
            } },
        } },
        "operations": {
            "hear": {
                "action": "receive", "channel": channel, "messages": receives,
                "summary": "What the client says.",
            },
            "tell": {
                "action": "send", "channel": channel, "messages": sends,
                "summary": "What the gateway says.",
            },
        },
        "components": {
            "messages": messages,
            "schemas": schemas.all(),
            "securitySchemes": {
                "signature": {
                    "type": "httpApiKey", "in": "header", "name": "Signature", "description": SIGNATURE,
                },
                "token": { "type": "http", "scheme": "DPoP", "description": TOKEN },
            },
        },
    })
}

/// Messages by the word that tells them apart, in the field `tag`.
fn named(tag: &str, schemas: Vec<Value>) -> Vec<(String, Value)> {
    let message = |schema: Value| {
        let name = schema.pointer(&format!("/properties/{tag}/const"))?.as_str()?.to_owned();
        let about = schema.get("description").cloned().unwrap_or_default();
        let payload = with_reference(schema);
        let message = json!({ "name": name, "title": name, "summary": about, "payload": payload });
        Some((name, message))
    };
    schemas.into_iter().filter_map(message).collect()
}

/// A schema without anything beside a reference, where AsyncAPI reads nothing.
fn with_reference(mut schema: Value) -> Value {
    let reference = schema.as_object_mut().and_then(|object| object.remove("$ref"));
    match reference {
        Some(reference) => json!({ "allOf": [{ "$ref": reference }, schema] }),
        None => schema,
    }
}

fn query() -> Value {
    let mut schema = form(&ACCOUNT);
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), ACCOUNT.about.into());
    }
    schema
}

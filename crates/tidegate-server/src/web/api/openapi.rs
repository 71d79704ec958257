//! The documents: OpenAPI 3.1, AsyncAPI 3.0 and a reference in Markdown, made from the table of routes and the types.

mod asyncapi;
mod reference;
mod schemas;

use super::idempotency::{self, HEADER, IN_FLIGHT, REUSED};
use super::page::{MOST, USUAL};
use super::routes::{Access, Form, Good, ID, LONGEST_CURSOR, LONGEST_TEXT, Param, ROUTES, Route};
use schemas::Schemas;
use serde_json::{Map, Value, json};
use tidegate_types::limits::MAX_BODY_BYTES;
use tidegate_types::request::Method;

pub use asyncapi::asyncapi;
pub use reference::reference;

const ABOUT: &str = "One vocabulary for every venue. A request goes through the same gates as on the venues' own \
    routes: who, what is granted, shape, limits, journal, signer, venue. Money is in decimal strings, times are \
    RFC 3339 in UTC, an instrument is `venue/name`. A field or parameter that is not named here is refused.";
const SIGNATURE: &str = "HTTP Message Signatures (RFC 9421) with a virtual key, `hmac-sha256` or `ed25519` as the key is: \
    `Signature-Input` and `Signature` over `@method`, `@target-uri` (or `@authority`, `@path` and `@query`), \
    `content-digest` (RFC 9530) where there is content and `idempotency-key` where it is sent, with `created`, \
    `nonce` (once only) and `keyid`. Good for a minute.";
const TOKEN: &str = "An access token of the authorization server's (`/.well-known/oauth-authorization-server`), bound to a \
    key (RFC 9449): `Authorization: DPoP` with it, and in `DPoP` a proof with `ath` and the `nonce` that the last answer \
    gave in `DPoP-Nonce`. What it allows is its `authorization_details`, and of that what the app's caller may do at the \
    time; one for several accounts needs the request to name one.";

/// The OpenAPI document.
pub fn openapi() -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            let method = route.method.as_str().to_ascii_lowercase();
            path.insert(method, operation(route, &mut schemas));
        }
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Tidegate",
            "version": "1",
            "summary": "The unified API.",
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{
            "url": "/",
            "description": "The desk's own gateway, in production or as a demo: the one that serves this document.",
            "x-internal": true,
        }],
        "security": [{ "signature": [] }, { "token": [] }],
        "tags": TAGS.iter().map(|(name, about)| json!({ "name": name, "description": about }))
            .collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas.all(),
            "securitySchemes": {
                "signature": {
                    "type": "apiKey", "in": "header", "name": "Signature", "description": SIGNATURE,
                },
                "token": { "type": "http", "scheme": "DPoP", "description": TOKEN },
            },
        },
    })
}

/// What the first word of a path is about.
const TAGS: &[(&str, &str)] = &[
    ("openapi.json", "The routes, for machines."),
    ("asyncapi.json", "The stream, for machines."),
    ("problems", "What refusals mean."),
    ("instruments", "What can be traded."),
    ("orders", "One's own orders."),
    ("positions", "What the account holds."),
    ("balances", "What the account's wallet holds."),
    ("limits", "What one may do."),
    ("fills", "One's own trades."),
    ("halts", "What stops one's orders."),
    ("approvals", "What waits for people that is about one."),
    ("journal", "What was written down of one."),
];

fn tag(route: &Route) -> &'static str {
    route.path.split('/').nth(2).unwrap_or_default()
}

fn operation(route: &Route, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "operationId": route.name,
        "tags": [tag(route)],
        "summary": route.about.split_inclusive(". ").next().unwrap_or_default().trim(),
        "description": route.about,
        "parameters": parameters(route),
        "responses": responses(route, schemas),
    });
    let Some(object) = operation.as_object_mut() else { return operation };
    if route.access == Access::Public {
        object.insert("security".to_owned(), json!([]));
    }
    if let Some(body) = route.body {
        let schema = schemas.taken(body);
        let content = json!({ "application/json": { "schema": schema } });
        object.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    operation
}

fn parameters(route: &Route) -> Vec<Value> {
    let braces = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = braces
        .map(|name| {
            let (pattern, longest) = brace(name);
            let schema = json!({ "type": "string", "pattern": pattern, "maxLength": longest });
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    all.extend(route.params().map(|param| {
        json!({
            "name": param.name, "in": "query", "required": false,
            "description": param.about, "schema": form(param),
        })
    }));
    if takes_key(route) {
        all.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same key with the same request is answered the same, for a day; for an order \
                it is the client order id where none is given, and holds for as long as the order is known.",
            "schema": { "type": "string", "pattern": ID, "maxLength": 36 },
        }));
    }
    all
}

/// Whether a route takes an idempotency key.
fn takes_key(route: &Route) -> bool {
    route.changes && route.method == Method::Post
}

/// The pattern of a part of a path, and how long it is at most.
fn brace(name: &str) -> (&'static str, usize) {
    let pattern = match name {
        "id" | "number" => "^(0|[1-9][0-9]{0,18})$",
        "scope" => {
            "^(all|(desk|venue|account|caller|order):[A-Za-z0-9_.-]{1,64}|instrument:[A-Za-z0-9_.-]{1,32}/[!-~]{1,64})$"
        }
        "venue" => "^[A-Za-z0-9_.-]{1,32}$",
        "kind" => "^[A-Za-z0-9-]{1,40}$",
        _ => "^[A-Za-z0-9_.-]{1,64}$",
    };
    (pattern, if name == "scope" { 109 } else { 64 })
}

fn form(param: &Param) -> Value {
    match param.form {
        Form::Limit => json!({
            "type": "integer", "format": "int32", "minimum": 1, "maximum": MOST, "default": USUAL,
        }),
        Form::Cursor => json!({
            "type": "string", "minLength": 1, "maxLength": LONGEST_CURSOR, "pattern": "^[A-Za-z0-9_-]+$",
        }),
        Form::Words(words) => json!({ "type": "string", "enum": words, "default": words.first() }),
        Form::Text(pattern) => {
            json!({ "type": "string", "pattern": pattern, "maxLength": LONGEST_TEXT })
        }
    }
}

fn responses(route: &Route, schemas: &mut Schemas) -> Value {
    let mut all = Map::new();
    for Good { status, about, schema } in route.good {
        let content = json!({ "application/json": { "schema": schemas.given(*schema) } });
        let headers = if *status == 201 {
            json!({ "Location": { "description": "Where the order is.",
                "schema": { "type": "string", "maxLength": 64, "pattern": "^/v1/orders/[0-9]+$" } } })
        } else {
            json!({})
        };
        let answer = json!({ "description": about, "headers": headers, "content": content });
        all.insert(status.to_string(), answer);
    }
    let schema = schemas.problem();
    for status in problems(route) {
        let (about, mut headers) = (about(status), json!({}));
        if status == 401 {
            let text = json!({ "type": "string", "maxLength": 1024, "pattern": "^[ -~]+$" });
            headers = json!({
                "WWW-Authenticate": { "description": "How to show who one is.", "schema": text },
                "DPoP-Nonce": { "description": "The nonce of the next proof.", "schema": text },
            });
        }
        if matches!(status, 429 | 503) {
            headers = json!({ "Retry-After": { "description": "Seconds to wait, where they are known.",
                "schema": { "type": "integer", "format": "int32", "minimum": 1, "maximum": 86400 } } });
        }
        let content = json!({ "application/problem+json": { "schema": schema } });
        let answer = json!({ "description": about, "headers": headers, "content": content });
        all.insert(status.to_string(), answer);
    }
    all.sort_keys();
    Value::Object(all)
}

/// The statuses of a route's problems.
fn problems(route: &Route) -> Vec<u16> {
    let mut all = vec![400, 429];
    if route.access != Access::Public {
        all.extend([401, 403, 503]);
    }
    if route.body.is_some() {
        all.extend([413, 415]);
    }
    all.extend(route.problems);
    all.sort_unstable();
    all.dedup();
    all
}

const fn about(status: u16) -> &'static str {
    match status {
        400 => "It cannot be read, or a parameter is wrong, unknown or twice.",
        401 => "Who asks is not shown, or not well.",
        403 => "The caller may not.",
        404 => "There is no such thing, or none that the caller may see.",
        409 => {
            "It does not fit how things stand: a halt, an order that ended, the same request in flight."
        }
        413 => "It is too long.",
        415 => "The content is no JSON.",
        422 => {
            "A limit forbids it, the venue refused it, or the idempotency key came with another request."
        }
        429 => "Too many requests.",
        502 => "The venue or the signer did not take it; nothing was sent.",
        503 => "Not now; nothing was done.",
        504 => "The venue did not answer.",
        _ => "A problem.",
    }
}

/// The kinds of problem that idempotency keys bring, with the largest body, for the reference.
fn fine_print() -> [String; 2] {
    [
        format!(
            "`{HEADER}` on a POST: the same request again is answered as before, with `Idempotency-Replayed: true`. Another request \
             under the key is `{REUSED}` (422), the same while it is worked on `{IN_FLIGHT}` (409). Kept for {} hours; what was \
             refused is not kept. An order's key is its `client_order_id` where none is given, so that it holds over a restart.",
            idempotency::hours()
        ),
        format!("A request has {MAX_BODY_BYTES} bytes of content at most."),
    ]
}

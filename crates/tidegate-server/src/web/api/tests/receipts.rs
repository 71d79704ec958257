//! Answers that are signed on request.

use super::*;
use crate::web::oauth::tests::ISSUER;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const ASKS: (&str, &str) =
    ("accept-signature", "r1=(\"@status\" \"content-digest\");created;keyid");

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let mut found = reply.headers.iter().filter(|(known, _)| known == name);
    let first = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} once");
    first
}

/// The published key of this name.
async fn published(desk: &super::Desk, kid: &str) -> Vec<u8> {
    let reply = desk.office.oauth().answer(plain(Method::Get, "/oauth/jwks", "")).await;
    let set: Value = serde_json::from_slice(&reply.body).unwrap();
    let key = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap();
    URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap()
}

/// Whether the signature of an answer is over this status, content and request.
async fn holds(desk: &super::Desk, reply: &Reply, request: &RawRequest) -> bool {
    let input = header(reply, "signature-input").unwrap().strip_prefix("r1=").unwrap();
    let (components, params) = input.strip_prefix('(').unwrap().split_once(')').unwrap();
    let digest = STANDARD.encode(digest::digest(&digest::SHA256, &reply.body));
    let mut base = String::new();
    for component in components.split(' ') {
        let value = match component {
            "\"@status\"" => reply.status.to_string(),
            "\"content-digest\"" => format!("sha-256=:{digest}:"),
            "\"@method\";req" => request.method.as_str().to_owned(),
            "\"@target-uri\";req" => format!("{ISSUER}{}", request.path),
            other => {
                let name = other.strip_suffix("\";req").unwrap().trim_matches('"');
                request.header(name).unwrap().to_owned()
            }
        };
        base.push_str(&format!("{component}: {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": ({components}){params}"));
    let kid = params.split("keyid=\"").nth(1).unwrap().split('"').next().unwrap();
    let signature = header(reply, "signature").unwrap();
    let signature = signature.strip_prefix("r1=:").unwrap().strip_suffix(':').unwrap();
    let key = UnparsedPublicKey::new(&ED25519, published(desk, kid).await);
    key.verify(base.as_bytes(), &STANDARD.decode(signature).unwrap()).is_ok()
}

#[tokio::test]
async fn an_answer_is_a_receipt_when_one_is_asked_for() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let app = super::tokens::app(&desk, &["main"]).await;
    let token = app.token().await;
    let small = super::tokens::small();
    let with_token = || {
        with_digest(super::tokens::shown(&app, Method::Post, "/v1/orders", &small, &token), &small)
    };
    let signed = |body| request(&ann, Method::Post, "/v1/orders", body, Some("once"));
    let mut huge = order(None);
    huge["quantity"] = json!("100000");
    for (mut asked, status, covered) in [
        (
            signed(order(None)),
            201,
            "\"idempotency-key\";req \"signature-input\";req \"signature\";req",
        ),
        (with_token(), 201, "\"content-digest\";req \"authorization\";req \"dpop\";req"),
        (request(&ann, Method::Post, "/v1/orders", huge, None), 422, "\"signature\";req"),
        (request(&ann, Method::Get, "/v1/orders/999", Value::Null, None), 404, "\"signature\";req"),
    ] {
        asked.headers.push((ASKS.0.into(), ASKS.1.into()));
        let mut reply = desk.api.answer(asked.clone()).await;
        assert_eq!(reply.status, status, "{reply:?}");
        let input = header(&reply, "signature-input").unwrap();
        assert!(input.contains(covered) && input.contains("tag=\"fapi-2-response\""), "{input}");
        assert!(holds(&desk, &reply, &asked).await, "{input}");
        reply.body.push(b' ');
        assert!(!holds(&desk, &reply, &asked).await, "another content");
        reply.body.pop();
        reply.status = 200;
        assert!(!holds(&desk, &reply, &asked).await, "another status");
        reply.status = status;
        asked.method = Method::Put;
        assert!(!holds(&desk, &reply, &asked).await, "another request");
    }
}

/// The request with the digest of this content.
fn with_digest(mut request: RawRequest, content: &Value) -> RawRequest {
    let digest = digest::digest(&digest::SHA256, content.to_string().as_bytes());
    let told = format!("sha-256=:{}:", STANDARD.encode(digest));
    request.headers.push(("content-digest".into(), told));
    request
}

#[tokio::test]
async fn a_receipt_states_nothing_that_was_not_checked() {
    let desk = desk().await;
    let app = super::tokens::app(&desk, &["main"]).await;
    let token = app.token().await;
    let small = super::tokens::small();
    let shown = || {
        let mut shown = super::tokens::shown(&app, Method::Post, "/v1/orders", &small, &token);
        shown.headers.push((ASKS.0.into(), ASKS.1.into()));
        shown
    };
    // Another order's digest is refused, and no receipt tells of it.
    let mut other = small.clone();
    other["side"] = json!("sell");
    let reply = desk.api.answer(with_digest(shown(), &other)).await;
    assert_eq!((reply.status, header(&reply, "signature")), (400, None), "{reply:?}");
    // Content without a digest could not be told.
    let reply = desk.api.answer(shown()).await;
    assert_eq!((reply.status, header(&reply, "signature")), (201, None), "{reply:?}");
    // What a token is shown beside, and what a sender calls us, is its own word.
    let mut beside = with_digest(shown(), &small);
    beside.headers.push(("signature-input".into(), "s=(\"@method\");keyid=\"another\"".into()));
    beside.headers.push(("signature".into(), "s=:AAAA:".into()));
    beside.headers.retain(|(name, _)| name != "host");
    beside.headers.push(("host".into(), "bank.example".into()));
    let reply = desk.api.answer(beside.clone()).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let input = header(&reply, "signature-input").unwrap();
    assert!(!input.contains("\"signature\";req") && !input.contains("\"signature-input\";req"));
    assert!(holds(&desk, &reply, &beside).await, "the address is ours: {input}");
}

#[tokio::test]
async fn nothing_is_signed_for_strangers_or_unasked() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let get = |target: &str| request(&ann, Method::Get, target, Value::Null, None);
    let asking = |mut request: RawRequest, how: &str| {
        request.headers.push((ASKS.0.into(), how.into()));
        request
    };
    let mut twice = plain(Method::Get, "/v1/orders", "");
    let token = || ("authorization".to_owned(), "DPoP a.b.c".to_owned());
    twice.headers.extend([token(), token()]);
    for request in [
        get("/v1/orders"),
        asking(plain(Method::Get, "/v1/orders", ""), ASKS.1),
        asking(plain(Method::Get, "/v1/openapi.json", ""), ASKS.1),
        asking(plain(Method::Get, "/v1/nowhere", ""), ASKS.1),
        asking(get("/v1/orders"), "A B=(\"@status\")"),
        asking(get("/v1/orders"), "r1"),
        asking(twice, ASKS.1),
    ] {
        let reply = desk.api.answer(request).await;
        assert_eq!(header(&reply, "signature"), None);
    }
}

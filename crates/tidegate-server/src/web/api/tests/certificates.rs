//! Apps whose tokens are bound to a TLS client certificate (RFC 8705).

use super::*;
use crate::admin::tests::asking;

const OURS: [u8; 32] = [7; 32];
const THEIRS: [u8; 32] = [8; 32];

/// A token of `ann`'s, an app with a certificate.
async fn token(office: &Office) -> String {
    let details = json!([{"type": "tidegate_trading", "venue": "binance", "account": "main",
        "instruments": ["BTC*"], "sides": ["buy"], "order_types": ["limit"],
        "max_order": {"notional": "500"}, "max_open_notional": "1000"}]);
    let digest = OURS.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let set = json!({"op": "app-set", "app": "ann", "title": "Ann's bot", "certificates": [digest],
        "grants": ["client_credentials"], "details": details});
    office.ask(set).await.unwrap();
    let mut request = plain(Method::Post, "/oauth/token", "");
    request.headers = vec![("content-type".into(), "application/x-www-form-urlencoded".into())];
    request.body = b"grant_type=client_credentials&client_id=ann".to_vec();
    request.certificate = Some(OURS);
    let reply = office.oauth().answer(request).await;
    let given: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((reply.status, &given["token_type"]), (200, &json!("Bearer")), "{given}");
    given["access_token"].as_str().unwrap().to_owned()
}

fn shown(
    method: Method,
    target: &str,
    body: &str,
    (scheme, token): (&str, &str),
    certificate: Option<[u8; 32]>,
) -> RawRequest {
    let mut request = plain(method, target, body);
    request.headers.push(("authorization".to_owned(), format!("{scheme} {token}")));
    request.certificate = certificate;
    request
}

#[tokio::test]
async fn mt_3_a_token_trades_over_connections_with_its_certificate_alone() {
    let office = asking().await;
    let api = Arc::new(api(&office));
    let token = token(&office).await;
    let small = super::tokens::small().to_string();
    let good = ("Bearer", token.as_str());
    let placed = api.answer(shown(Method::Post, "/v1/orders", &small, good, Some(OURS))).await;
    assert_eq!(placed.status, 201, "{}", String::from_utf8_lossy(&placed.body));
    // No proof is asked for, however often it is shown.
    for _ in 0..2 {
        let read = api.answer(shown(Method::Get, "/v1/orders", "", good, Some(OURS))).await;
        assert_eq!(read.status, 200, "{}", String::from_utf8_lossy(&read.body));
    }
    let stream =
        |how, certificate| api.upgrade(&shown(Method::Get, "/v1/stream", "", how, certificate));
    assert!(stream(good, Some(OURS)).unwrap().is_ok());
    for (scheme, certificate) in [("Bearer", None), ("Bearer", Some(THEIRS)), ("DPoP", Some(OURS))]
    {
        let how = (scheme, token.as_str());
        let by_route = api.answer(shown(Method::Get, "/v1/orders", "", how, certificate)).await;
        let Some(Err(by_stream)) = stream(how, certificate) else { panic!("{scheme}") };
        for reply in [by_route, by_stream] {
            assert_eq!(reply.status, 401, "{scheme}");
            let bearer = |(name, value): &(String, String)| {
                name == "www-authenticate"
                    && value.starts_with("Bearer")
                    && value.contains("invalid_token")
            };
            assert!(reply.headers.iter().any(bearer), "{:?}", reply.headers);
        }
    }
}

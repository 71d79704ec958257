//! Apps that are known by a TLS client certificate, and tokens that are bound to it (RFC 8705).

use super::*;
use crate::admin::tests::asking;
use crate::web::oauth::Handle;
use tidegate_identity::oauth::jose::Thumbprint;

const OURS: [u8; 32] = [7; 32];
const THEIRS: [u8; 32] = [8; 32];

/// A desk whose `ann` is an app with a certificate.
async fn certified() -> super::super::Desk {
    let desk = desk_of(asking().await).await;
    let details = json!([{"type": "tidegate_trading", "venue": VENUE, "account": "main",
        "instruments": ["BTC*"], "sides": ["buy"], "order_types": ["limit"],
        "max_order": {"notional": "50"}, "max_open_notional": "1000"}]);
    let set = json!({"op": "app-set", "app": "ann", "title": "Ann's bot", "certificates": [hex(&OURS)],
        "grants": ["client_credentials", "device_code", "authorization_code"],
        "redirect_uris": ["https://app.example/cb"], "details": details});
    desk.office.ask(set).await.unwrap();
    desk
}

async fn post(
    oauth: &Handle,
    path: &str,
    form: &str,
    certificate: Option<[u8; 32]>,
) -> (u16, Value) {
    let mut request = order("");
    request.path = path.to_owned();
    let kind = "application/x-www-form-urlencoded";
    request.headers = vec![("content-type".into(), kind.into())];
    request.body = form.as_bytes().to_vec();
    request.certificate = certificate;
    let reply = oauth.answer(request).await;
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

async fn token(desk: &super::super::Desk) -> String {
    let form = "grant_type=client_credentials&client_id=ann";
    let (status, given) = post(&desk.office.oauth(), "/oauth/token", form, Some(OURS)).await;
    assert_eq!((status, &given["token_type"]), (200, &json!("Bearer")), "{given}");
    given["access_token"].as_str().unwrap().to_owned()
}

fn bearing(mut request: RawRequest, token: &str, certificate: Option<[u8; 32]>) -> RawRequest {
    request.headers = vec![("authorization".into(), format!("Bearer {token}"))];
    request.certificate = certificate;
    request
}

#[tokio::test]
async fn mt_1_every_endpoint_knows_the_app_by_its_certificate_and_nobody_by_another() {
    let desk = certified().await;
    let oauth = desk.office.oauth();
    let token = token(&desk).await;
    let challenge = Thumbprint::of(b"x");
    let details = json!([{"type": "tidegate_trading", "venue": VENUE, "account": "main",
        "instruments": ["BTC*"], "read_only": true}])
    .to_string();
    let encode = percent_encoding::NON_ALPHANUMERIC;
    let details = percent_encoding::utf8_percent_encode(&details, encode);
    let asked = format!("authorization_details={details}");
    let pushed = format!(
        "client_id=ann&response_type=code&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=s\
         &code_challenge={challenge}&code_challenge_method=S256&{asked}"
    );
    let device = format!("client_id=ann&{asked}");
    let about = format!("client_id=ann&token={token}");
    let credentials = "client_id=ann&grant_type=client_credentials".to_owned();
    for (path, form, status) in [
        ("/oauth/token", &credentials, 200),
        ("/oauth/par", &pushed, 201),
        ("/oauth/device_authorization", &device, 200),
        ("/oauth/introspect", &about, 200),
        ("/oauth/revoke", &about, 200),
    ] {
        for certificate in [None, Some(THEIRS)] {
            let (refused, told) = post(&oauth, path, form, certificate).await;
            assert_eq!((refused, &told["error"]), (401, &json!("invalid_client")), "{path}");
        }
        let (done, told) = post(&oauth, path, form, Some(OURS)).await;
        assert_eq!(done, status, "{path}: {told}");
        if path == "/oauth/introspect" {
            let x5t = Thumbprint(OURS).to_string();
            assert_eq!(told["cnf"], json!({ "x5t#S256": x5t }), "{told}");
        }
    }
    // What was revoked last is in force no more.
    let (_, told) = post(&oauth, "/oauth/introspect", &about, Some(OURS)).await;
    assert_eq!(told["active"], false);
}

#[tokio::test]
async fn mt_3_a_token_trades_over_connections_with_its_certificate_alone() {
    let desk = certified().await;
    let token = token(&desk).await;
    let (reply, placed) = serve(&desk, bearing(order(ORDER), &token, Some(OURS))).await;
    assert_eq!((reply.status, &placed["status"]), (200, &json!("NEW")), "{placed}");
    let mut as_dpop = bearing(order(ORDER), &token, Some(OURS));
    as_dpop.headers[0].1 = format!("DPoP {token}");
    for wrong in
        [bearing(order(ORDER), &token, None), bearing(order(ORDER), &token, Some(THEIRS)), as_dpop]
    {
        let (reply, refusal) = serve(&desk, wrong).await;
        assert_eq!(reply.status, 401, "{refusal}");
        assert_eq!(refusal["code"], -1125, "{refusal}");
        let told = header(&reply, "www-authenticate");
        let bearer = |it: &&str| it.starts_with("Bearer") && it.contains("invalid_token");
        assert!(told.iter().any(bearer), "{told:?}");
    }
    // A certificate that is put out of force takes its tokens with it.
    desk.office.ask(json!({"op": "app-revoke-key", "key": hex(&OURS)})).await.unwrap();
    assert_eq!(serve(&desk, bearing(order(ORDER), &token, Some(OURS))).await.0.status, 401);
    let form = "grant_type=client_credentials&client_id=ann";
    let (status, _) = post(&desk.office.oauth(), "/oauth/token", form, Some(OURS)).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn a_socket_opens_with_the_certificate_that_the_token_is_bound_to() {
    let desk = certified().await;
    let token = token(&desk).await;
    let venue = registry::find(&name(VENUE)).unwrap();
    let open = |certificate| {
        let mut request = bearing(order(""), &token, certificate);
        (request.method, request.path) = (Method::Get, "/ws-fapi/v1".into());
        Site::open(&*desk.gate, venue, &request).map(|opening| opening.by.is_some())
    };
    assert!(open(Some(OURS)).unwrap());
    for certificate in [None, Some(THEIRS)] {
        assert_eq!(open(certificate).unwrap_err().status, 401);
    }
}

#[tokio::test]
async fn an_app_has_keys_or_certificates_and_those_only_where_they_are_asked_for() {
    let (desk, deaf) = (certified().await, desk().await);
    let jwks = json!({"keys": [key(1).public().to_json()]});
    let set = |jwks: Option<&Value>, certificates: &[&str]| {
        json!({"op": "app-set", "app": "ann", "title": "Ann's bot", "jwks": jwks,
            "certificates": certificates, "grants": ["client_credentials"]})
    };
    let digest = hex(&OURS);
    let many: Vec<&str> = std::iter::repeat_n(digest.as_str(), 9).collect();
    for (desk, request, said) in [
        (&desk, set(Some(&jwks), &[&digest]), "either"),
        (&desk, set(None, &[]), "either"),
        (&desk, set(None, &["abc"]), "SHA-256"),
        (&desk, set(None, &many), "eight"),
        (&deaf, set(None, &[&digest]), "no client certificate is asked for"),
    ] {
        let (code, why) = desk.office.ask(request).await.unwrap_err();
        assert_eq!(code, "bad_request");
        assert!(why.contains(said), "{said}: {why}");
    }
    let listed = desk.office.ask(json!({"op": "apps"})).await.unwrap();
    let terms = listed["apps"][0]["terms"].to_string();
    assert!(terms.contains(&Thumbprint(OURS).to_string()), "{terms}");
}

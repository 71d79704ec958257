//! Tokens at a venue's door, in place of a virtual key.

mod certificates;
mod sockets;

use super::*;
use crate::web::oauth::tests::{App, ISSUER, key};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tidegate_identity::oauth::Authority;
use tidegate_identity::oauth::dpop::ath;
use tidegate_identity::oauth::jose::jws::Typ;
use tidegate_types::key::Origin;

const ORDER: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&price=100";

async fn app(desk: &super::Desk) -> App {
    let details = json!([{"type": "tidegate_trading", "venue": VENUE, "account": "main",
        "instruments": ["BTC*"], "sides": ["buy"], "order_types": ["limit"],
        "max_order": {"notional": "50"}, "max_open_notional": "1000"}]);
    let keys = json!({"keys": [key(1).public().to_json()]});
    let set = json!({"op": "app-set", "app": "ann", "title": "Ann's bot", "jwks": keys,
        "grants": ["client_credentials"], "details": details});
    desk.office.ask(set).await.unwrap();
    App::of(desk.office.oauth())
}

fn order(params: &str) -> RawRequest {
    RawRequest {
        method: Method::Post,
        path: "/fapi/v1/order".into(),
        query: params.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        peer: [127, 0, 0, 1].into(),
        certificate: None,
    }
}

async fn serve(desk: &super::Desk, request: RawRequest) -> (Reply, Value) {
    let reply = desk.gate.serve(registry::find(&name(VENUE)).unwrap(), request).await;
    let body = serde_json::from_slice(&reply.body).unwrap();
    (reply, body)
}

fn header<'a>(reply: &'a Reply, name: &str) -> Vec<&'a str> {
    let found = reply.headers.iter().filter(|(header, _)| header == name);
    found.map(|(_, value)| value.as_str()).collect()
}

#[tokio::test]
async fn fp_r05_an_order_goes_through_with_a_token_and_no_further_than_that_allows() {
    let desk = desk().await;
    let app = app(&desk).await;
    let token = app.token().await;
    let (reply, placed) = serve(&desk, app.show(order(ORDER), VENUE, &token)).await;
    assert_eq!((reply.status, &placed["status"]), (200, &json!("NEW")), "{placed}");
    assert_eq!(header(&reply, "dpop-nonce").len(), 1);
    let refused = async |params: &str, said: &str| {
        let (reply, refusal) = serve(&desk, app.show(order(params), VENUE, &token)).await;
        assert!(reply.status >= 400, "{params}: {refusal}");
        assert!(refusal["msg"].as_str().unwrap().contains(said), "{params}: {refusal}");
    };
    // The caller's own grant would allow each of these; its token does not.
    refused(&ORDER.replace("quantity=0.1", "quantity=0.6"), "TG502").await;
    refused(&ORDER.replace("BUY", "SELL"), "TG303").await;
    // A grant that was narrowed since narrows its tokens.
    let narrow = json!({"op": "grant-set", "caller": "ann", "account": "main", "trade": true,
        "instruments": ["*"], "max_order_notional": "5", "max_open_notional": "1000",
        "orders_per_second": 10, "burst": 10});
    desk.office.ask(narrow).await.unwrap();
    refused(ORDER, "TG502").await;
}

#[tokio::test]
async fn dp_17_dp_19_what_is_shown_wrongly_is_a_challenge_in_the_venue_s_words() {
    let desk = desk().await;
    let app = app(&desk).await;
    let token = app.token().await;
    let good = || app.show(order(ORDER), VENUE, &token);
    let changed = |change: fn(&mut RawRequest)| {
        let mut request = good();
        change(&mut request);
        request
    };
    let mut stale = good();
    let uri = format!("{ISSUER}/{VENUE}/fapi/v1/order");
    stale.headers[1].1 = app.proof(&uri, "POST", Some("not-ours"), Some(&ath(&token)));
    for (request, error) in [
        (changed(|it| it.path = "/fapi/v1/batchOrders".into()), "error=\"invalid_dpop_proof\""),
        (changed(|it| it.headers.truncate(1)), "error=\"invalid_dpop_proof\""),
        (changed(|it| it.headers[0].1.insert(20, 'x')), "error=\"invalid_token\""),
        (stale, "error=\"use_dpop_nonce\""),
        (changed(|it| drop(it.headers.remove(0))), "algs="),
    ] {
        let (reply, refusal) = serve(&desk, request).await;
        assert_eq!(reply.status, 401, "{refusal}");
        assert!(refusal["code"].as_i64().unwrap() < 0, "{refusal}");
        let told = header(&reply, "www-authenticate");
        let dpop = |told: &&str| told.starts_with("DPoP") && told.contains(error);
        assert!(told.iter().any(dpop), "{error}: {told:?}");
        assert!(told.iter().all(|told| told.contains("resource_metadata=")));
        assert_eq!(header(&reply, "dpop-nonce").len(), 1, "{error}");
    }
    let once = good();
    assert_eq!(serve(&desk, once.clone()).await.0.status, 200);
    assert_eq!(serve(&desk, once).await.0.status, 401);
}

#[tokio::test]
async fn fp_r03_what_is_revoked_refuses_the_next_request() {
    let desk = desk().await;
    let app = app(&desk).await;
    let (token, other) = (app.token().await, app.token().await);
    let status =
        async |token: &str| serve(&desk, app.show(order(ORDER), VENUE, token)).await.0.status;
    assert_eq!(status(&token).await, 200);
    let form = app.form(&format!("token={token}"));
    assert_eq!(app.post("/oauth/revoke", form, &[]).await.status, 200);
    assert_eq!((status(&token).await, status(&other).await), (401, 200));
    desk.office.ask(json!({"op": "app-revoke", "app": "ann"})).await.unwrap();
    assert_eq!(status(&other).await, 401);
}

#[tokio::test]
async fn a_batch_goes_by_a_token_too_and_a_stream_key_by_one_opens_nothing() {
    let desk = desk().await;
    let app = app(&desk).await;
    let token = app.token().await;
    let leg = |qty: &str| {
        json!({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
            "quantity": qty, "price": "100"})
    };
    let legs = json!([leg("0.1"), leg("0.6")]).to_string();
    let encode = percent_encoding::NON_ALPHANUMERIC;
    let legs = percent_encoding::utf8_percent_encode(&legs, encode);
    let mut batch = order(&format!("batchOrders={legs}"));
    batch.path = "/fapi/v1/batchOrders".into();
    let (reply, told) = serve(&desk, app.show(batch, VENUE, &token)).await;
    assert_eq!(reply.status, 200, "{told}");
    assert_eq!(told[0]["status"], "NEW", "{told}");
    assert!(told[1]["msg"].as_str().unwrap().contains("TG502"), "{told}");
    let mut listen = order("");
    listen.path = "/fapi/v1/listenKey".into();
    let (_, made) = serve(&desk, app.show(listen, VENUE, &token)).await;
    let made = made["listenKey"].as_str().unwrap();
    let venue = registry::find(&name(VENUE)).unwrap();
    let here = Origin::from(std::net::IpAddr::from([127, 0, 0, 1]));
    assert!(desk.gate.stream_owner(venue, made, &here, clock::now()).is_err());
}

#[tokio::test]
async fn at_5_oa_27_a_token_of_another_issuer_or_for_another_service_opens_nothing() {
    let desk = desk().await;
    let app = app(&desk).await;
    let token = app.token().await;
    let payload = token.split('.').nth(1).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let minted = |change: fn(&mut Value), typ| {
        let mut claims = claims.clone();
        change(&mut claims);
        let sign = |authority: &mut Authority| authority.keys().current().sign(typ, &claims);
        app.handle.look(sign).unwrap().unwrap()
    };
    let status =
        async |token: &str| serve(&desk, app.show(order(ORDER), VENUE, token)).await.0.status;
    // Our own key signs each of them: it is what they say that is wrong.
    assert_eq!(status(&minted(|_| (), Typ::AccessToken)).await, 200);
    for (change, typ) in [
        (as_change(|it| it["aud"] = json!("https://other.example")), Typ::AccessToken),
        (|it| it["aud"] = json!([]), Typ::AccessToken),
        (|it| it["iss"] = json!("https://other.example"), Typ::AccessToken),
        (|it| it["exp"] = json!(1), Typ::AccessToken),
        (|it| it["cnf"] = json!({"jkt": "A".repeat(43)}), Typ::AccessToken),
        (|_| (), Typ::ClientAssertion),
    ] {
        assert_eq!(status(&minted(change, typ)).await, 401);
    }
}

fn as_change(change: fn(&mut Value)) -> fn(&mut Value) {
    change
}

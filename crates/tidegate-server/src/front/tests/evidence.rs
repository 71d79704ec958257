//! What a caller signed by a key of its own, at an exchange's own routes.

use super::*;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tidegate_types::ids::CallId;
use tidegate_types::record::Body;

/// A request signed by Ed25519, as Binance takes it.
fn signed_by(pair: &Ed25519KeyPair, key: &str, path: &str, params: &str) -> RawRequest {
    let query = format!("{params}&timestamp={}", clock::now().millis());
    let signature = STANDARD.encode(pair.sign(query.as_bytes()));
    let encode = percent_encoding::NON_ALPHANUMERIC;
    let signature = percent_encoding::utf8_percent_encode(&signature, encode);
    RawRequest {
        method: Method::Post,
        path: path.to_owned(),
        query: format!("{query}&signature={signature}"),
        headers: vec![("x-mbx-apikey".to_owned(), key.to_owned())],
        body: Vec::new(),
        peer: [127, 0, 0, 1].into(),
        certificate: None,
    }
}

#[tokio::test]
async fn ms_5_each_leg_of_a_batch_stands_behind_what_was_signed_for_all() {
    let desk = desk().await;
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = hex(pair.public_key().as_ref());
    let add = json!({"op": "key-add", "caller": "ann", "account": "main", "public": public});
    let made = desk.office.ask(add).await.unwrap();
    let id = made["id"].as_str().unwrap();
    let leg = |price: &str| {
        json!({"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
            "quantity": "0.1", "price": price})
    };
    let legs = json!([leg("100"), leg("99")]).to_string();
    let legs = percent_encoding::utf8_percent_encode(&legs, percent_encoding::NON_ALPHANUMERIC);
    let batch = format!("batchOrders={legs}");
    let (status, told) = desk.answer(signed_by(&pair, id, "/fapi/v1/batchOrders", &batch)).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!((&told[0]["status"], &told[1]["status"]), (&json!("NEW"), &json!("NEW")), "{told}");
    // By a secret that the gateway has as well, nobody is held to anything.
    let shared = desk.request(Method::Post, "/fapi/v1/order", ORDER, 0);
    assert_eq!(desk.answer(shared).await.0, 200);

    let folder = desk.office.world.folder.path().join("journal");
    let mut reader = tidegate_journal::Reader::open(&folder, tidegate_types::ids::Seq(0)).unwrap();
    let (mut evident, mut cleared): (Vec<(CallId, Vec<u8>)>, Vec<CallId>) = Default::default();
    while let Some((_, record)) = reader.next_record().unwrap() {
        match record.body {
            Body::BySignature { call, caller, key, signed, signature, content } => {
                assert_eq!((caller.as_str(), key.as_str()), ("ann", id));
                assert!(content.0.is_empty(), "what was signed is the whole request");
                let public = UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref());
                public.verify(&signed.0, &signature.0).unwrap();
                evident.push((call, signed.0));
            }
            Body::Cleared { call, .. } => cleared.push(call),
            _ => {}
        }
    }
    assert_eq!((evident.len(), cleared.len()), (2, 3));
    for (at, (call, signed)) in evident.iter().enumerate() {
        assert_eq!(*call, cleared[at]);
        assert!(String::from_utf8_lossy(signed).starts_with(&batch), "both legs are in it");
    }
}

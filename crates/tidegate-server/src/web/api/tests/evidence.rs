//! What a caller signed by a key of its own is kept, so that it can be held to it.

use super::*;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use tidegate_types::record::{Body, Change};

/// Whether `signature` is by the key over bytes that hold the digest of `content`.
fn holds(public: &[u8], signed: &[u8], signature: &[u8], content: &[u8]) -> bool {
    let digest = STANDARD.encode(digest::digest(&digest::SHA256, content));
    let text = String::from_utf8(signed.to_vec()).unwrap();
    text.contains(&format!("\n\"content-digest\": sha-256=:{digest}:\n"))
        && UnparsedPublicKey::new(&ED25519, public).verify(signed, signature).is_ok()
}

#[tokio::test]
async fn ms_5_an_order_signed_by_a_key_of_its_own_is_evident_from_the_journal_alone() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = pair.public_key().as_ref();
    let hex: String = public.iter().map(|byte| format!("{byte:02x}")).collect();
    let add = json!({"op": "key-add", "caller": "ann", "account": "main", "public": hex});
    let made = desk.office.ask(add).await.unwrap();
    let id = made["id"].as_str().unwrap();
    let sign = |base: &[u8]| pair.sign(base).as_ref().to_vec();
    let by = |method, target: &str, body| request_by(id, &sign, method, target, body, None);
    let asked = by(Method::Post, "/v1/orders", order(Some("held")));
    let (status, placed) = desk.answer(asked.clone()).await;
    assert_eq!(status, 201, "{placed}");
    // What is only read is held against nobody, and what is signed by a shared secret against no one of two.
    assert_eq!(desk.answer(by(Method::Get, "/v1/orders", Value::Null)).await.0, 200);
    assert_eq!(desk.ask(&ann, Method::Post, "/v1/orders", order(None)).await.0, 201);

    let folder = desk.office.world.folder.path().join("journal");
    let mut reader = tidegate_journal::Reader::open(&folder, tidegate_types::ids::Seq(0)).unwrap();
    let (mut keys, mut evident, mut cleared) = (Vec::new(), Vec::new(), Vec::new());
    while let Some((_, record)) = reader.next_record().unwrap() {
        match record.body {
            Body::Changed { change: Change::KeyAdded { key, .. }, .. } => keys.push(key),
            Body::BySignature { call, caller, key, signed, signature, content } => {
                assert_eq!((caller.as_str(), key.as_str()), ("ann", id));
                evident.push((call, signed.0, signature.0, content.0));
            }
            Body::Cleared { call, order, .. } => cleared.push((call, order)),
            _ => {}
        }
    }
    let [(call, signed, signature, content)] = evident.as_slice() else {
        panic!("one order is evident: {evident:?}")
    };
    let order: u64 = placed["id"].as_str().unwrap().parse().unwrap();
    assert!(cleared.contains(&(*call, OrderId(order))), "of that order");
    assert_eq!(content, &asked.body);
    assert!(
        signed
            .starts_with(b"\"@method\": POST\n\"@target-uri\": https://localhost:8443/v1/orders\n")
    );
    // With what the journal has of the key, and nothing else.
    let known = keys.iter().find(|key| key.id.as_str() == id).unwrap();
    let tidegate_types::grant::KeyScheme::Ed25519 { public } = known.scheme else {
        panic!("{known:?}")
    };
    assert!(holds(&public, signed, signature, content));
    let other = String::from_utf8(content.clone()).unwrap().replace("100", "101");
    assert!(!holds(&public, signed, signature, other.as_bytes()), "another price");
    let mut spoilt = signed.clone();
    spoilt[1] ^= 1;
    assert!(!holds(&public, &spoilt, signature, content), "another request");
}

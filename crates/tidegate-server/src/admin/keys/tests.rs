use crate::admin::tests::{Office, lowered, office};
use crate::clock;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use serde_json::{Value, json};
use std::net::IpAddr;
use tidegate_types::ids::{KeyId, VenueName};
use tidegate_types::key::Origin;
use tidegate_types::reject::Code;
use tidegate_types::request::Presented;
use tidegate_types::secret::Secret;

fn id(text: &Value) -> KeyId {
    KeyId::new(text.as_str().unwrap()).unwrap()
}

async fn key(office: &Office, terms: Value) -> Result<Value, (String, String)> {
    let add = json!({"op": "key-add", "caller": "ann", "account": "main", "terms": terms});
    office.ask(add).await
}

/// The key of this id, as it is listed.
async fn listed(office: &Office, id: &Value) -> Value {
    let told = office.ask(json!({"op": "keys"})).await.unwrap();
    told["keys"].as_array().unwrap().iter().find(|key| key["id"] == *id).unwrap().clone()
}

/// What a login with a key that was just made ends with.
fn log_in(office: &Office, made: &Value, peer: [u8; 4]) -> Option<Code> {
    let key = made["id"].as_str().unwrap().to_owned();
    let secret = Secret::new(made["secret"].as_str().unwrap().as_bytes().to_vec());
    let shown = Presented::Password { key, secret };
    let origin = Origin::from(IpAddr::from(peer));
    let venue = VenueName::new("binance").unwrap();
    office.callers().authenticate(&venue, &shown, &origin, clock::now()).err().map(|e| e.code)
}

#[tokio::test]
async fn a_key_is_bound_to_networks_and_a_time() {
    let office = office().await;
    let until = clock::now().millis() + 60_000;
    let made = key(&office, json!({"from": ["10.0.0.0/8"], "until_ms": until})).await.unwrap();
    let shown = listed(&office, &made["id"]).await;
    assert_eq!((&shown["from"], &shown["until_ms"]), (&json!(["10.0.0.0/8"]), &json!(until)));
    assert_eq!((&shown["ended"], &shown["last_used_ms"]), (&json!(false), &Value::Null));
    assert_eq!(log_in(&office, &made, [11, 0, 0, 1]), Some(Code::KeyNotFromHere));
    assert_eq!(listed(&office, &made["id"]).await["last_used_ms"], Value::Null);
    assert_eq!(log_in(&office, &made, [10, 0, 0, 1]), None);
    assert!(listed(&office, &made["id"]).await["last_used_ms"].as_u64().is_some());
    let desk = &office.world.desk;
    let records = || {
        let before = desk.next_seq();
        office.callers().note_use(desk, &id(&made["id"]), clock::now());
        desk.next_seq() > before
    };
    assert!(records() && !records(), "once in a while");
}

#[tokio::test]
async fn the_secret_of_a_key_that_is_over_its_rate_is_not_looked_at() {
    let office = office().await;
    let made = key(&office, json!({})).await.unwrap();
    let (venue, now) = (VenueName::new("binance").unwrap(), clock::now());
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    // All at one moment, so that nothing comes back.
    let shows = |secret: String| {
        let shown =
            Presented::Password { key: text("id"), secret: Secret::new(secret.into_bytes()) };
        let origin = Origin::from(IpAddr::from([10, 0, 0, 1]));
        office.callers().authenticate(&venue, &shown, &origin, now).err().map(|e| e.code)
    };
    let wrong = shows("wrong".to_owned());
    assert!(wrong.is_some_and(|code| code != Code::RequestRate), "{wrong:?}");
    let mut passed = 0;
    while shows(text("secret")).is_none() {
        passed += 1;
    }
    assert!(passed > 1, "{passed}");
    assert_eq!(shows(text("secret")), Some(Code::RequestRate));
    assert_eq!(shows("wrong".to_owned()), Some(Code::RequestRate));
}

#[tokio::test]
async fn terms_that_cannot_hold_are_refused_and_leave_no_key() {
    let office = office().await;
    let many: Vec<String> = (0..33).map(|n| format!("10.0.{n}.0/24")).collect();
    for (terms, why) in [
        (json!({"from": ["10.1.2.3/8"]}), "is no network"),
        (json!({"from": many}), "more than 32"),
        (json!({"until_ms": 1}), "that is over"),
        (json!({"certificate": "abc"}), "not a digest"),
        (json!({"certificate": "00".repeat(32)}), "no client certificate is asked for"),
    ] {
        let (code, message) = key(&office, terms).await.unwrap_err();
        assert!(code == "bad_request" && message.contains(why), "{message}");
    }
    let told = office.ask(json!({"op": "keys"})).await.unwrap();
    assert_eq!(told["keys"].as_array().unwrap().iter().filter(|k| k["id"] != "key").count(), 0);
}

#[tokio::test]
async fn a_key_is_rotated_and_both_are_good_for_a_while() {
    let office = office().await;
    let old = key(&office, json!({"from": ["10.0.0.0/8"]})).await.unwrap();
    let rotate = |overlap: u64| json!({"op": "key-rotate", "id": old["id"], "overlap_s": overlap});
    let too_long = office.ask(rotate(40 * 86_400)).await.unwrap_err();
    assert!(too_long.1.contains("above 30 days"), "{}", too_long.1);
    let new = office.ask(rotate(3600)).await.unwrap();
    for made in [&old, &new] {
        assert_eq!(log_in(&office, made, [10, 0, 0, 1]), None);
        assert_eq!(log_in(&office, made, [11, 0, 0, 1]), Some(Code::KeyNotFromHere));
    }
    let (before, after) = (listed(&office, &old["id"]).await, listed(&office, &new["id"]).await);
    let left = before["until_ms"].as_u64().unwrap() - clock::now().millis();
    assert!(left <= 3_600_000 && left > 3_000_000, "{left} ms");
    assert_eq!((&after["until_ms"], &after["from"]), (&Value::Null, &json!(["10.0.0.0/8"])));
    // At once: the old one is out of force before the answer.
    let newest = json!({"op": "key-rotate", "id": new["id"], "overlap_s": 0});
    office.ask(newest).await.unwrap();
    assert_eq!(log_in(&office, &new, [10, 0, 0, 1]), Some(Code::KeyExpired));
    assert_eq!(listed(&office, &new["id"]).await["ended"], true);
    // What has ended is not renewed, and what ends needs an end; another rotation cannot lengthen what is left.
    let ended = json!({"op": "key-rotate", "id": new["id"], "overlap_s": 0});
    assert!(office.ask(ended).await.unwrap_err().1.contains("has ended"));
    assert!(office.ask(rotate(7200)).await.unwrap_err().1.contains("is being replaced"));
    let until = clock::now().millis() + 9_000_000;
    let renewed =
        json!({"op": "key-rotate", "id": old["id"], "overlap_s": 7200, "until_ms": until});
    let again = office.ask(renewed).await.unwrap();
    assert_eq!(listed(&office, &again["id"]).await["until_ms"], until);
    assert_eq!(listed(&office, &old["id"]).await["until_ms"], before["until_ms"]);
    let (_, message) = office
        .ask(json!({"op": "key-rotate", "id": again["id"], "overlap_s": 1, "public": "00".repeat(32)}))
        .await
        .unwrap_err();
    assert!(message.contains("signs in another way"), "{message}");
    office.ask(json!({"op": "key-revoke", "id": again["id"]})).await.unwrap();
    let gone = json!({"op": "key-rotate", "id": again["id"], "overlap_s": 1});
    assert!(office.ask(gone).await.unwrap_err().1.contains("there is no key"));
}

#[tokio::test]
async fn public_keys_of_each_kind_are_taken_and_others_are_not() {
    let office = office().await;
    let add = |public: &str| json!({"op": "key-add", "caller": "ann", "account": "main", "public": public});
    let ed25519 =
        "302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    for public in [ed25519, &ed25519[24..]] {
        let made = office.ask(add(public)).await.unwrap();
        assert!(made.get("secret").is_none_or(Value::is_null));
        assert_eq!(listed(&office, &made["id"]).await["scheme"], "ed25519");
    }
    for public in ["", "zz", "abc", &"00".repeat(31), "3000"] {
        let (code, message) = office.ask(add(public)).await.unwrap_err();
        assert!(code == "bad_request" && message.starts_with("public: "), "{message}");
    }
}

#[tokio::test]
async fn an_rsa_key_is_as_long_as_the_desk_asks() {
    let rsa = |size| {
        let pair = KeyPair::generate(size).unwrap();
        let der = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
        der.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let add = |public: &str| json!({"op": "key-add", "caller": "ann", "account": "main", "public": public});
    let (short, long) = (rsa(KeySize::Rsa2048), rsa(KeySize::Rsa3072));
    let strict = office().await;
    let (code, message) = strict.ask(add(&short)).await.unwrap_err();
    assert!(code == "bad_request" && message.contains("keys.rsa_bits"), "{message}");
    let made = strict.ask(add(&long)).await.unwrap();
    assert_eq!(listed(&strict, &made["id"]).await["scheme"], "rsa");
    let lowered = lowered().await;
    for public in [&short, &long] {
        let made = lowered.ask(add(public)).await.unwrap();
        assert_eq!(listed(&lowered, &made["id"]).await["scheme"], "rsa");
    }
}

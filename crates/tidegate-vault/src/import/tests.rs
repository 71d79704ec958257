use super::*;

fn parsed(text: &str) -> Result<GivenKey, VaultError> {
    parse(&Secret::new(text.as_bytes().to_vec()))
}

// RFC 8410, section 10.3.
const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
    -----END PRIVATE KEY-----\n";

#[test]
fn reads_a_shared_secret() {
    let key = parsed("  key-1 \r\n s3cret \n\n").unwrap();
    assert_eq!(key.id, "key-1");
    assert!(matches!(key.material, Material::Hmac(secret) if secret.expose() == b"s3cret"));
}

#[test]
fn reads_an_ed25519_key() {
    let key = parsed(&format!("key-1\n{PEM}")).unwrap();
    let Material::Ed25519(seed) = key.material else { panic!() };
    assert_eq!(seed.expose()[..4], [0xd4, 0xee, 0x72, 0xdb]);
    assert_eq!(seed.expose().len(), 32);
}

#[test]
fn reads_json() {
    let key = parsed(r#" {"key": "key-1", "secret": "s3cret"} "#).unwrap();
    assert_eq!(key.id, "key-1");
    assert!(matches!(key.material, Material::Hmac(secret) if secret.expose() == b"s3cret"));
    let pem = PEM.replace('\n', "\\n");
    let key = parsed(&format!(r#"{{"private_key": "{pem}", "key": "key-1"}}"#)).unwrap();
    assert!(matches!(key.material, Material::Ed25519(seed) if seed.expose().len() == 32));
}

#[test]
fn refuses_what_is_no_key_and_repeats_nothing_of_it() {
    let rsa = PEM.replace("MC4CAQAwBQYDK2Vw", "MC4CAQAwBQYDK2Vx");
    let cut = PEM.replace("dVhC", "");
    for text in [
        String::new(),
        "only-one-line-s3cret".to_owned(),
        "\ns3cret".to_owned(),
        "key 1\ns3cret".to_owned(),
        "key-1\ns3cret s3cret".to_owned(),
        "key-1\ns3cret\nmore-s3cret".to_owned(),
        format!("key-1\n{rsa}"),
        format!("key-1\n{cut}"),
        format!("key-1\n{}", PEM.replace("PRIVATE", "PUBLIC")),
        format!("{}\ns3cret", "k".repeat(129)),
        r#"{"key": "key-1"}"#.to_owned(),
        r#"{"secret": "s3cret"}"#.to_owned(),
        r#"{"key": "key-1", "secret": "s3cret", "passphrase": "s3cret"}"#.to_owned(),
        r#"{"key": "key-1", "private_key": "s3cret"}"#.to_owned(),
        r#"{"key": "key-1", "secret": {"s3cret": 1}}"#.to_owned(),
        r#"{"key": "key-1", "secret": "s3cret""#.to_owned(),
    ] {
        let refused = parsed(&text).unwrap_err();
        assert!(matches!(refused, VaultError::NotAKey(_)), "{text:?}");
        assert!(!format!("{refused} {refused:?}").contains("s3cret"), "{text:?}");
    }
    assert!(parse(&Secret::new(vec![0xff, 0xfe])).is_err());
}

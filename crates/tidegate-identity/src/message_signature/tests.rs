//! The examples of RFC 9421, appendix B, and what a signed request must be.

use super::*;
use crate::authenticate::authenticate;
use crate::authenticate::tests::HERE;
use crate::{Keyring, ReplayGuard, TokenStore};
use aws_lc_rs::{hmac, signature};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tidegate_types::grant::{KeyScheme, VirtualKey};
use tidegate_types::ids::{KeyId, VenueName};
use tidegate_types::key::KeyTerms;
use tidegate_types::secret::Secret;
use tidegate_types::time::Time;

const SHARED_SECRET: &str =
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
const ED25519_PUBLIC: &str = "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";
/// B.1.2, `test-key-rsa-pss`: a SubjectPublicKeyInfo.
const RSA_PSS_PUBLIC: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5WUtzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI2wIDAQAB";
/// B.1.3, `test-key-ecc-p256`: the coordinates of its point.
const P256_PUBLIC: &str =
    "qIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==";
const B21: &str = "sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==:";
const B23: &str = "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:";
const B24: &str = "sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==:";
const NOW: u64 = 1_618_884_473;

fn bytes(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

fn headers(lines: &[(&str, &str)]) -> Vec<(String, String)> {
    lines.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

/// The `test-request` of the appendix, signed so.
fn example(input: &str, signature: &str) -> Vec<(String, String)> {
    headers(&[
        ("host", "example.com"),
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        (
            "content-digest",
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        ),
        ("content-length", "18"),
        ("signature-input", input),
        ("signature", signature),
    ])
}

fn message(headers: &[(String, String)]) -> Message<'_> {
    let (path, query) = ("/foo", "param=Value&Pet=dog");
    Message { method: "POST", scheme: "https", host: "example.com", path, query, headers }
}

/// The signature under `label`, checked by `key` over the base that is made here.
fn holds(input: &str, signature: &str, key: &dyn Fn(&[u8], &[u8]) -> bool) -> bool {
    let headers = example(input, signature);
    let signed = Signed::read(&headers).unwrap().unwrap();
    let base = |message: &Message<'_>| signed.base(message).unwrap();
    let other = Message { host: "other.example", query: "", ..message(&headers) };
    // The minimal example covers nothing of the message.
    assert!(signed.components.is_empty() || !key(&base(&other), &signed.signature));
    key(&base(&message(&headers)), &signed.signature)
}

fn rsa_pss(base: &[u8], signed: &[u8]) -> bool {
    let key = signature::UnparsedPublicKey::new(
        &signature::RSA_PSS_2048_8192_SHA512,
        bytes(RSA_PSS_PUBLIC),
    );
    key.verify(base, signed).is_ok()
}

#[test]
fn b_2_1_to_b_2_3_have_the_bases_of_the_rfc() {
    let minimal =
        "sig-b21=();created=1618884473;keyid=\"test-key-rsa-pss\";nonce=\"b3k2pp5k7z-50gnwp.yemd\"";
    let full = "sig-b23=(\"date\" \"@method\" \"@path\" \"@query\" \"@authority\" \"content-type\" \"content-digest\" \"content-length\");created=1618884473;keyid=\"test-key-rsa-pss\"";
    assert!(holds(minimal, B21, &rsa_pss));
    assert!(holds(full, B23, &rsa_pss));
    assert!(!holds(full, &B21.replace("sig-b21", "sig-b23"), &rsa_pss), "another's signature");
}

#[test]
fn ms_8_b_2_2_a_part_of_the_query_is_not_taken() {
    let part = "sig-b22=(\"@authority\" \"content-digest\" \"@query-param\";name=\"Pet\");created=1618884473;keyid=\"test-key-rsa-pss\";tag=\"header-example\"";
    let headers = example(part, &B21.replace("sig-b21", "sig-b22"));
    let refused = Signed::read(&headers).unwrap_err();
    assert_eq!(refused.code, Code::BadSignature);
    // Its other components have the lines of the RFC.
    let whole = part.replace(" \"@query-param\";name=\"Pet\"", "");
    let headers = example(&whole, &B21.replace("sig-b21", "sig-b22"));
    let signed = Signed::read(&headers).unwrap().unwrap();
    let base = String::from_utf8(signed.base(&message(&headers)).unwrap()).unwrap();
    let digest = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
    let (_, params) = whole.split_once('=').unwrap();
    let lines = format!("\"@authority\": example.com\n\"content-digest\": {digest}\n");
    assert_eq!(base, format!("{lines}\"@signature-params\": {params}"));
}

#[test]
fn ms_8_b_2_4_an_answer_s_signature_is_none_of_a_request() {
    let headers = example(
        "sig-b24=(\"@status\" \"content-type\" \"content-digest\" \"content-length\");created=1618884473;keyid=\"test-key-ecc-p256\"",
        B24,
    );
    let signed = Signed::read(&headers).unwrap().unwrap();
    assert_eq!(signed.base(&message(&headers)).unwrap_err().code, Code::BadSignature);
    // The answer itself: its status, and the lines that a request's fields have as well.
    let fields = [
        ("content-type", "application/json"),
        (
            "content-digest",
            "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:",
        ),
        ("content-length", "23"),
    ];
    let answer = super::tests::headers(&fields);
    let rest = base::lines(&signed.components[1..], "", &message(&answer)).unwrap();
    let base = format!("\"@status\": 200\n{rest}\"@signature-params\": {}", signed.params);
    let point = [&[4], bytes(P256_PUBLIC).as_slice()].concat();
    let key = signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point);
    key.verify(base.as_bytes(), &signed.signature).unwrap();
    assert!(key.verify(base.replace("200", "201").as_bytes(), &signed.signature).is_err());
}

#[test]
fn b_2_5_hmac_sha256() {
    let headers = example(
        "sig-b25=(\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\"",
        "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
    );
    let signed = Signed::read(&headers).unwrap().unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes(SHARED_SECRET));
    let base = signed.base(&message(&headers)).unwrap();
    hmac::verify(&key, &base, &signed.signature).unwrap();
    assert_eq!(signed.keyid(), Some("test-shared-secret"));
}

#[test]
fn b_2_6_ed25519() {
    let headers = example(
        "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\");created=1618884473;keyid=\"test-key-ed25519\"",
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
    );
    let signed = Signed::read(&headers).unwrap().unwrap();
    let base = signed.base(&message(&headers)).unwrap();
    let key = signature::UnparsedPublicKey::new(&signature::ED25519, bytes(ED25519_PUBLIC));
    key.verify(&base, &signed.signature).unwrap();
    let other = Message { method: "PUT", ..message(&headers) };
    assert!(key.verify(&signed.base(&other).unwrap(), &signed.signature).is_err());
}

#[test]
fn b_4_what_a_proxy_may_change_and_what_not() {
    let lines = |changes: &[(&str, &str)]| {
        let mut lines = vec![
            ("host", "example.org"),
            (
                "signature-input",
                "transform=(\"@method\" \"@path\" \"@authority\" \"accept\");created=1618884473;keyid=\"test-key-ed25519\"",
            ),
            (
                "signature",
                "transform=:ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==:",
            ),
        ];
        lines.extend(changes);
        headers(&lines)
    };
    let good = |headers: &[(String, String)], method, host| {
        let signed = Signed::read(headers).unwrap().unwrap();
        let (path, query) = ("/demo", "name1=Value1&Name2=value2");
        let message = Message { method, scheme: "https", host, path, query, headers };
        let key = signature::UnparsedPublicKey::new(&signature::ED25519, bytes(ED25519_PUBLIC));
        key.verify(&signed.base(&message).unwrap(), &signed.signature).is_ok()
    };
    let two = [("accept", "application/json"), ("accept", "*/*")];
    assert!(good(&lines(&two), "GET", "example.org"));
    assert!(good(&lines(&[("accept", "application/json, */*")]), "GET", "example.org"));
    assert!(good(
        &lines(&[("accept", "  application/json "), ("x", "1"), two[1]]),
        "GET",
        "EXAMPLE.org:443"
    ));
    assert!(!good(&lines(&two), "POST", "example.org"), "another method");
    assert!(!good(&lines(&two), "GET", "example.com"), "another host");
    assert!(!good(&lines(&[two[1], two[0]]), "GET", "example.org"), "another order of values");
}

/// A request signed with the shared secret of the appendix, covering these components.
fn signed_request(components: &str, params: &str, body: &str) -> RawRequest {
    let digest = STANDARD.encode(digest::digest(&digest::SHA256, body.as_bytes()));
    let input = format!("({components});{params}");
    let mut lines = vec![("host".to_owned(), "gate.example:8443".to_owned())];
    if !body.is_empty() {
        lines.push(("content-digest".to_owned(), format!("sha-256=:{digest}:")));
    }
    let mut request = RawRequest {
        method: Method::Post,
        path: "/v1/orders".to_owned(),
        query: String::new(),
        headers: lines,
        body: body.as_bytes().to_vec(),
        peer: [127, 0, 0, 1].into(),
        certificate: None,
    };
    let probe = example(&format!("s={input}"), "s=:AA==:");
    let signed = Signed::read(&probe).unwrap().unwrap();
    let base = signed.base(&Message::of(&request, "https", "gate.example:8443")).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes(SHARED_SECRET));
    let signature = STANDARD.encode(hmac::sign(&key, &base));
    request.headers.push(("signature-input".to_owned(), format!("s={input}")));
    request.headers.push(("signature".to_owned(), format!("s=:{signature}:")));
    request
}

const ENOUGH: &str = "\"@method\" \"@target-uri\" \"content-digest\"";

fn params(created: u64, nonce: &str) -> String {
    format!("created={created};keyid=\"test-shared-secret\";nonce=\"{nonce}\"")
}

struct Door(Keyring, ReplayGuard);

impl Door {
    fn new() -> Door {
        let mut ring = Keyring::new();
        let key = VirtualKey {
            id: KeyId::new("test-shared-secret").unwrap(),
            caller: "ann".parse().unwrap(),
            venue: VenueName::new("binance").unwrap(),
            account: "main".parse().unwrap(),
            scheme: KeyScheme::Hmac,
            terms: KeyTerms::default(),
        };
        ring.insert(key, Some(Secret::new(bytes(SHARED_SECRET)))).unwrap();
        Door(ring, ReplayGuard::new(Time::from_millis(0), None))
    }

    fn check(&mut self, request: &RawRequest) -> Result<(), Code> {
        let shown = presented(request).map_err(|r| r.code)?.expect("a signature");
        let venue = VenueName::new("binance").unwrap();
        let now = Time::from_millis(NOW * 1000 + 500);
        let tokens = TokenStore::new();
        authenticate(&self.0, &mut self.1, &tokens, &venue, &shown.presented, &HERE, now)
            .map(|_| ())
            .map_err(|r| r.code)
    }
}

#[test]
fn a_signed_request_is_good_once() {
    let mut door = Door::new();
    let request = signed_request(ENOUGH, &params(NOW, "n1"), "{}");
    assert_eq!(door.check(&request), Ok(()));
    assert_eq!(door.check(&request), Err(Code::Replayed));
    let parts = "\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\"";
    assert_eq!(door.check(&signed_request(parts, &params(NOW, "n2"), "{}")), Ok(()));
    let again = signed_request(ENOUGH, &params(NOW, "n2"), "{ }");
    assert_eq!(door.check(&again), Err(Code::Replayed), "a nonce is used once, whatever it signs");
}

#[test]
fn what_covers_too_little_or_is_changed_is_refused() {
    let good = || signed_request(ENOUGH, &params(NOW, "n"), "{\"a\":1}");
    let with = |components: &str| signed_request(components, &params(NOW, "n"), "{}");
    let mut body = good();
    body.body = b"{\"a\":2}".to_vec();
    let mut path = good();
    path.path = "/v1/orders/7".to_owned();
    let mut method = good();
    method.method = Method::Put;
    let mut key = good();
    key.headers.push(("idempotency-key".to_owned(), "k".to_owned()));
    let mut two = good();
    two.headers.push(("signature".to_owned(), "t=:AA==:".to_owned()));
    let table = [
        ("another body", body, Code::BadSignature),
        ("another path", path, Code::BadSignature),
        ("another method", method, Code::BadSignature),
        ("an idempotency key that is not covered", key, Code::BadSignature),
        ("two signatures", two, Code::BadSignature),
        ("no method", with("\"@target-uri\" \"content-digest\""), Code::BadSignature),
        (
            "no query",
            with("\"@method\" \"@authority\" \"@path\" \"content-digest\""),
            Code::BadSignature,
        ),
        ("no digest", with("\"@method\" \"@target-uri\""), Code::BadSignature),
        ("old", signed_request(ENOUGH, &params(NOW - 61, "n"), "{}"), Code::StaleTimestamp),
        ("ahead", signed_request(ENOUGH, &params(NOW + 2, "n"), "{}"), Code::StaleTimestamp),
        (
            "over",
            signed_request(ENOUGH, &format!("{};expires={NOW}", params(NOW - 9, "n")), "{}"),
            Code::StaleTimestamp,
        ),
        (
            "good for too long",
            signed_request(ENOUGH, &format!("{};expires={}", params(NOW, "n"), NOW + 61), "{}"),
            Code::StaleTimestamp,
        ),
        (
            "no nonce",
            signed_request(ENOUGH, &format!("created={NOW};keyid=\"test-shared-secret\""), "{}"),
            Code::BadSignature,
        ),
        (
            "no key",
            signed_request(ENOUGH, &format!("created={NOW};nonce=\"n\""), "{}"),
            Code::BadSignature,
        ),
        (
            "no time",
            signed_request(ENOUGH, "keyid=\"test-shared-secret\";nonce=\"n\"", "{}"),
            Code::BadSignature,
        ),
        (
            "a stranger",
            signed_request(ENOUGH, &format!("created={NOW};keyid=\"x\";nonce=\"n\""), "{}"),
            Code::UnknownKey,
        ),
    ];
    for (what, request, code) in table {
        assert_eq!(Door::new().check(&request), Err(code), "{what}");
    }
    assert_eq!(Door::new().check(&good()), Ok(()));
}

#[test]
fn what_is_no_structured_field_is_not_read() {
    for text in [
        "",
        "s",
        "s=",
        "s=(",
        "s=()x",
        "s=(\"a\"\"b\")",
        "S=()",
        "s=();a=1;a=2",
        "s=(), s=()",
        "s=(\"\u{e9}\")",
        "s=(\"a\\n\")",
        "s=:A:",
        "s=();created=1.5",
        "s=();a=?2",
        "s=()/",
        "s=(),",
    ] {
        assert_eq!(dictionary(text), None, "{text:?}");
    }
    let read = dictionary("  s=( \"a\" \"b\\\"\" ) ; x;  y=?0;z=tok;n=-3 ").is_none();
    assert!(read, "no blank before a parameter");
    let (_, member) = dictionary("s=( \"a\"  \"b\\\"\" );x; y=?0;z=tok;n=-3").unwrap().remove(0);
    let Member::List(list) = member else { panic!("not a list") };
    assert_eq!(list.to_string(), "(\"a\" \"b\\\"\");x;y=?0;z=tok;n=-3");
}

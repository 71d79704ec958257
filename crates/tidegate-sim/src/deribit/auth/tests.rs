use super::*;
use serde_json::{Value, json};

const NOW: Time = Time::from_millis(1_700_000_000_000);
const SEED_PUBLIC: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";

fn key(client_id: &str, proof: Proof) -> Key {
    Key {
        id: 1,
        name: "main".into(),
        client_id: client_id.into(),
        proof,
        account: AccountIx(3),
        max_scope: "account:read trade:read_write mainaccount".into(),
    }
}

fn auth() -> Auth {
    let public: [u8; 32] = from_hex(SEED_PUBLIC).unwrap().try_into().unwrap();
    let secret = |text: &str| Proof::Secret(text.into());
    Auth::new(
        vec![
            key("AMANDA", secret("AMANDASECRECT")),
            key("test_client_id", secret("test_client_secret")),
            key("ASYM", Proof::Ed25519(public)),
        ],
        1,
    )
}

fn params(value: Value) -> Params {
    Params::json(Some(value)).unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T, Fault>) -> i32 {
    result.unwrap_err().code
}

/// Signatures made by other programs: (method, target, body, id, time stamp, nonce, signature).
const SIGNED: &[(&str, &str, &str, &str, u64, &str, &str)] = &[
    (
        "GET",
        "/api/v2/private/buy?instrument_name=BTC-PERPETUAL&amount=10&type=limit&price=25000",
        "",
        "AMANDA",
        1_700_000_000_000,
        "1700000000000",
        "653cdbf41bba18a0ec7b9b415c8e4a01450dc40a769c97d877f0a05cade3d570",
    ),
    (
        "GET",
        "/api/v2/private/get_account_summary?currency=BTC",
        "",
        "AMANDA",
        1_700_000_000_000,
        "abcd1234",
        "8e3a7b7a4f66fff3471a81e867192d77aedc40eb22a635398c8a1ab35df51db2",
    ),
    (
        "POST",
        "/api/v2",
        r#"{"jsonrpc":"2.0","id":1,"method":"private/get_account_summaries","params":{}}"#,
        "test_client_id",
        1_609_459_200_000,
        "550e8400-e29b-41d4-a716-446655440000",
        "687c9c8397163a1b66412d6b886ba6004f4918cd36c33184b9b984bf43f98ed3",
    ),
    (
        "POST",
        "/api/v2/private/buy",
        r#"{"jsonrpc":"2.0","id":7,"method":"private/buy","params":{"instrument_name":"BTC-PERPETUAL","amount":10,"type":"limit","price":25000,"label":"x"}}"#,
        "AMANDA",
        1_700_000_000_000,
        "n-1",
        "80aa470416e8ef01787c655eeea184233f12822b0178e694d8ad2b59e3b64fb6",
    ),
];

#[test]
fn signed_requests_of_other_programs_are_good_once() {
    for (method, target, body, id, stamp, nonce, sig) in SIGNED {
        let now = Time::from_millis(*stamp);
        let request = (*method, *target, body.as_bytes());
        for header in [
            format!("deri-hmac-sha256 id={id},ts={stamp},sig={sig},nonce={nonce}"),
            format!("deri-hmac-sha256 nonce={nonce}, sig={sig}, ts={stamp}, id={id}"),
        ] {
            let mut auth = auth();
            let caller = auth.header(&header, request, now).unwrap();
            assert_eq!(caller.account, AccountIx(3));
            assert_eq!(code(auth.header(&header, request, now)), 13004, "replayed");
        }
        let header = format!("deri-hmac-sha256 id={id},ts={stamp},sig={sig},nonce={nonce}");
        for (request, now) in [
            (("PUT", *target, body.as_bytes()), now),
            ((*method, "/api/v2/private/sell", body.as_bytes()), now),
            ((*method, *target, &b"{}"[..]), now),
            (request, now.plus(Span::from_secs(61))),
            (request, now.minus(Span::from_secs(61))),
        ] {
            assert_eq!(code(auth().header(&header, request, now)), 13004);
        }
        assert!(auth().header(&header, request, now.plus(Span::from_secs(59))).is_ok());
    }
}

#[test]
fn a_signature_stays_refused_as_long_as_its_time_stamp_is_good() {
    let (method, target, body, id, stamp, nonce, sig) = SIGNED[0];
    let header = format!("deri-hmac-sha256 id={id},ts={stamp},sig={sig},nonce={nonce}");
    let mut auth = auth();
    let request = (method, target, body.as_bytes());
    auth.header(&header, request, NOW.minus(Span::from_secs(60))).unwrap();
    assert_eq!(code(auth.header(&header, request, NOW.plus(Span::from_secs(60)))), 13004);
}

#[test]
fn client_signatures_of_other_programs() {
    for (stamp, nonce, data, sig) in [
        (
            json!(1_576_074_319_000_u64),
            "1iqt2wls",
            "",
            "56590594f97921b09b18f166befe0d1319b198bbcdad7ca73382de2f88fe9aa1",
        ),
        (
            json!("1576074319000"),
            "1iqt2wls",
            "login from gateway",
            "2fe6e7ec906e6cca618324256278b5f40dc4f7c63c6f8410c2f8dd3c3fcebfcd",
        ),
        (
            json!(1_700_000_000_000_u64),
            "1700000000000",
            "",
            "254088e3088b1ae4bd72fa8af87bdb3ac47c14850ff0cb634b51a932baf7aaef",
        ),
    ] {
        let call = |signature: &str| {
            params(json!({
                "grant_type": "client_signature", "client_id": "AMANDA", "timestamp": stamp,
                "nonce": nonce, "data": data, "signature": signature,
            }))
        };
        let text = stamp.to_string();
        let now = Time::from_millis(text.trim_matches('"').parse().unwrap());
        let (caller, issued) = auth().auth(&call(sig), Some(1), now).unwrap();
        assert_eq!(caller.key, 0);
        assert_eq!(issued.bond, Bond::Connection(1));
        let wrong = sig.replacen(char::is_numeric, "x", 1);
        assert_eq!(code(auth().auth(&call(&wrong), None, now)), 13004);
        assert_eq!(code(auth().auth(&call(sig), None, now.plus(Span::from_secs(90)))), 13004);
    }
}

#[test]
fn an_ed25519_signature_in_each_text_form() {
    let hex = "59885c5c0cd3edcacf4b476298ed9c460eff07130955fc3943c418d57b814918d34ec94951b3a1994089025cc94761b31609cf855aa8881d9c44d129886f7b0c";
    let base64 =
        "WYhcXAzT7crPS0dimO2cRg7/BxMJVfw5Q8QY1XuBSRjTTslJUbOhmUCJAlzJR2GzFgnPhVqoiB2cRNEpiG97DA==";
    let url =
        "WYhcXAzT7crPS0dimO2cRg7_BxMJVfw5Q8QY1XuBSRjTTslJUbOhmUCJAlzJR2GzFgnPhVqoiB2cRNEpiG97DA";
    let now = Time::from_millis(1_576_074_319_000);
    let call = |signature: &str, data: &str| {
        params(json!({
            "grant_type": "client_signature", "client_id": "ASYM", "nonce": "1iqt2wls",
            "timestamp": 1_576_074_319_000_u64, "data": data, "signature": signature,
        }))
    };
    for form in [hex, base64, url] {
        assert_eq!(auth().auth(&call(form, ""), None, now).unwrap().0.key, 2);
        assert_eq!(code(auth().auth(&call(form, "other"), None, now)), 13004);
    }
    let secret = params(json!({
        "grant_type": "client_credentials", "client_id": "ASYM", "client_secret": "",
    }));
    assert_eq!(code(auth().auth(&secret, None, now)), 13004, "such a key has no secret");
}

#[test]
fn basic_and_bearer() {
    let mut auth = auth();
    let request = ("GET", "/api/v2/private/get_positions", &b""[..]);
    let basic = "Basic QU1BTkRBOkFNQU5EQVNFQ1JFQ1Q=";
    assert_eq!(auth.header(basic, request, NOW).unwrap().key, 0);
    for bad in ["Basic QU1BTkRBOm5v", "Basic !", "Basic", "Digest x"] {
        assert_eq!(code(auth.header(bad, request, NOW)), 13004);
    }
    assert_eq!(code(auth.header("Bearer nonsense", request, NOW)), 13009);
    let login = params(json!({
        "grant_type": "client_credentials", "client_id": "AMANDA",
        "client_secret": "AMANDASECRECT", "scope": "trade:read wallet:read_write expires:30",
    }));
    let (_, issued) = auth.auth(&login, None, NOW).unwrap();
    assert_eq!(issued.grant.rights.to_string(), "account:read trade:read mainaccount");
    let bearer = format!("bearer {}", issued.access);
    assert_eq!(auth.header(&bearer, request, NOW).unwrap().rights, issued.grant.rights);
    let late = NOW.plus(Span::from_secs(30));
    assert_eq!(code(auth.header(&bearer, request, late)), 13009, "it has expired");
}

#[test]
fn a_refresh_ends_the_old_pair() {
    let mut auth = auth();
    let login = params(json!({
        "grant_type": "client_credentials", "client_id": "AMANDA",
        "client_secret": "AMANDASECRECT", "scope": "session:one",
    }));
    let (_, first) = auth.auth(&login, Some(7), NOW).unwrap();
    let refresh = params(json!({"grant_type": "refresh_token", "refresh_token": first.refresh}));
    let (_, second) = auth.auth(&refresh, Some(8), NOW).unwrap();
    assert_eq!(second.bond, Bond::Session("one".into()));
    assert_eq!(code(auth.bearer(&first.access, NOW)), 13009);
    assert!(auth.bearer(&second.access, NOW).is_ok());
    assert_eq!(code(auth.auth(&refresh, None, NOW)), 13009, "a refresh token works once");
    auth.tokens().end_connection(7);
    auth.tokens().end_connection(8);
    assert!(auth.bearer(&second.access, NOW).is_ok(), "a session outlives its connections");
    auth.tokens().end(&second.access);
    assert_eq!(code(auth.bearer(&second.access, NOW)), 13009);
}

#[test]
fn a_connection_takes_its_tokens_with_it_and_sessions_are_bounded() {
    let mut auth = auth();
    let login = |scope: &str| {
        params(json!({
            "grant_type": "client_credentials", "client_id": "AMANDA",
            "client_secret": "AMANDASECRECT", "scope": scope,
        }))
    };
    let (_, bound) = auth.auth(&login(""), Some(7), NOW).unwrap();
    auth.tokens().end_connection(7);
    assert_eq!(code(auth.bearer(&bound.access, NOW)), 13009);
    let names: Vec<String> = (0..17).map(|n| format!("session:s{n} expires:{}", 900 + n)).collect();
    let issued: Vec<_> =
        names.iter().map(|scope| auth.auth(&login(scope), None, NOW).unwrap().1).collect();
    assert_eq!(code(auth.bearer(&issued[0].access, NOW)), 13009, "the shortest-lived had to go");
    assert!(issued[1..].iter().all(|issued| auth.bearer(&issued.access, NOW).is_ok()));
    for bad in ["grant_type", "everything"] {
        assert_eq!(code(auth.auth(&params(json!({"grant_type": bad})), None, NOW)), -32602);
    }
}

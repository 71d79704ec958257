use super::*;
use crate::deribit::rpc::{from_frame, from_http};
use crate::deribit::testkit::{get, hmac_sha256, request, venue};
use crate::front::{Front, Need};
use tidegate_types::request::Method as Verb;

const SECRET: &str = "AMANDASECRECT";

fn presented(request: &RawRequest) -> Result<Option<Presented>, Reject> {
    needed(request, &from_http(request).unwrap())
}

fn signed_by(presented: Option<Presented>, secret: &str) -> bool {
    let Some(Presented::Signature(signature)) = presented else { panic!("a signature is wanted") };
    let made: Vec<_> = signature.payloads.iter().map(|p| hmac_sha256(secret, p)).collect();
    signature.candidates.iter().any(|candidate| made.contains(candidate))
}

#[test]
fn signatures_over_http_are_the_published_ones() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"private/get_account_summaries","params":{}}"#;
    let order = r#"{"jsonrpc":"2.0","id":7,"method":"private/buy","params":{"instrument_name":"BTC-PERPETUAL","amount":10,"type":"limit","price":25000,"label":"x"}}"#;
    let table = [
        (
            Verb::Get,
            "/api/v2/private/get_account_summary?currency=BTC",
            "",
            "id=AMANDA,ts=1700000000000,nonce=abcd1234,sig=8e3a7b7a4f66fff3471a81e867192d77aedc40eb22a635398c8a1ab35df51db2",
            SECRET,
        ),
        (
            Verb::Post,
            "/api/v2",
            body,
            "id=test_client_id, ts=1609459200000, sig=687c9c8397163a1b66412d6b886ba6004f4918cd36c33184b9b984bf43f98ed3, nonce=550e8400-e29b-41d4-a716-446655440000",
            "test_client_secret",
        ),
        (
            Verb::Post,
            "/api/v2/private/buy",
            order,
            "sig=80aa470416e8ef01787c655eeea184233f12822b0178e694d8ad2b59e3b64fb6,nonce=n-1,ts=1700000000000,id=AMANDA",
            SECRET,
        ),
    ];
    for (verb, target, body, fields, secret) in table {
        let header = format!("deri-hmac-sha256 {fields}");
        let request = request(verb, target, &[("authorization", &header)], body);
        assert!(signed_by(presented(&request).unwrap(), secret), "{target}");
        assert!(!signed_by(presented(&request).unwrap(), "another"), "{target}");
    }
}

/// Requests that ccxt made with its clock at 1700000000000 and this key.
#[test]
fn every_captured_ccxt_request_verifies_or_is_refused_by_name() {
    let (mut verified, mut refused) = (0, Vec::new());
    for line in include_str!("../tests/ccxt_requests.txt").lines() {
        let (target, sig) = line.split_once(' ').unwrap();
        let header =
            format!("deri-hmac-sha256 id=AMANDA,ts=1700000000000,sig={sig},nonce=1700000000000");
        let request = request(Verb::Get, target, &[("authorization", &header)], "");
        match venue().credentials(&request) {
            Ok(Need::Credentials(presented)) => {
                assert!(signed_by(Some(presented), SECRET), "{target}");
                verified += 1;
            }
            Ok(Need::Nothing) => panic!("{target} is private"),
            Err(reject) => {
                refused.push((request.path.rsplit('/').next().unwrap().to_owned(), reject.code))
            }
        }
    }
    let refused: Vec<(&str, Code)> =
        refused.iter().map(|(name, code)| (name.as_str(), *code)).collect();
    assert_eq!(verified, 22);
    assert_eq!(
        refused,
        [
            ("get_deposits", Code::UnknownRoute),
            ("get_withdrawals", Code::UnknownRoute),
            ("get_current_deposit_address", Code::UnknownRoute),
            ("withdraw", Code::ForbiddenRoute),
            ("submit_transfer_to_subaccount", Code::ForbiddenRoute),
            ("get_transfers", Code::UnknownRoute),
            ("get_subaccounts", Code::UnknownRoute),
        ]
    );
}

#[test]
fn logins_are_the_published_ones() {
    let table = [
        (
            r#""timestamp":"1576074319000","nonce":"1iqt2wls","data":"""#,
            "56590594f97921b09b18f166befe0d1319b198bbcdad7ca73382de2f88fe9aa1",
        ),
        (
            r#""timestamp":1576074319000,"nonce":"1iqt2wls","data":"login from gateway""#,
            "2fe6e7ec906e6cca618324256278b5f40dc4f7c63c6f8410c2f8dd3c3fcebfcd",
        ),
        (
            r#""timestamp":1700000000000,"nonce":"1700000000000""#,
            "254088e3088b1ae4bd72fa8af87bdb3ac47c14850ff0cb634b51a932baf7aaef",
        ),
    ];
    for (fields, sig) in table {
        let frame = format!(
            r#"{{"id":1,"method":"public/auth","params":{{"grant_type":"client_signature","client_id":"AMANDA","signature":"{sig}",{fields}}}}}"#
        );
        let rpc = from_frame(&frame).unwrap();
        let Login::With(presented) = login(&rpc.params).unwrap() else { panic!("{fields}") };
        assert!(signed_by(Some(presented), SECRET), "{fields}");
    }
}

#[test]
fn every_place_for_credentials() {
    let bearer =
        |presented| matches!(presented, Some(Presented::Token { token }) if token.expose() == b"T");
    let basic = [("authorization", "Basic QU1BTkRBOkFNQU5EQVNFQ1JFQ1Q=")];
    let read = "/api/v2/private/get_positions";
    assert!(bearer(
        presented(&request(Verb::Get, read, &[("authorization", "bearer T")], "")).unwrap()
    ));
    assert!(bearer(presented(&get("/api/v2/private/get_positions?access_token=T")).unwrap()));
    match presented(&request(Verb::Get, read, &basic, "")).unwrap() {
        Some(Presented::Password { key, secret }) => {
            assert_eq!((key.as_str(), secret.expose()), ("AMANDA", SECRET.as_bytes()));
        }
        other => panic!("{other:?}"),
    }
    let auth = "/api/v2/public/auth?grant_type=client_credentials&client_id=A&client_secret=B";
    assert!(matches!(presented(&get(auth)).unwrap(), Some(Presented::Password { .. })));
    let renew = "/api/v2/public/auth?grant_type=refresh_token&refresh_token=R";
    assert!(presented(&get(renew)).unwrap().is_none());
    assert!(presented(&get("/api/v2/public/ticker?instrument_name=X")).unwrap().is_none());
}

#[test]
fn wrong_credentials_are_told_apart() {
    let read = "/api/v2/private/get_positions";
    let with = |headers: &[(&str, &str)]| request(Verb::Get, read, headers, "");
    let table = [
        (with(&[]), Code::MissingCredentials),
        (with(&[("authorization", "Magic x")]), Code::BadSignature),
        (with(&[("authorization", "Basic !!")]), Code::BadSignature),
        (with(&[("authorization", "deri-hmac-sha256 id=A,ts=1,nonce=n")]), Code::BadSignature),
        (
            with(&[("authorization", "deri-hmac-sha256 id=A,id=B,ts=1,nonce=n,sig=aa")]),
            Code::BadSignature,
        ),
        (with(&[("authorization", "bearer A"), ("authorization", "bearer B")]), Code::Malformed),
        (
            request(
                Verb::Get,
                "/api/v2/private/get_positions?access_token=A",
                &[("authorization", "bearer B")],
                "",
            ),
            Code::Malformed,
        ),
        (get("/api/v2/private/withdraw?amount=1"), Code::ForbiddenRoute),
        (get("/api/v2/private/create_api_key"), Code::ForbiddenRoute),
        (get("/api/v2/private/list_api_keys"), Code::ForbiddenRoute),
        (get("/api/v2/public/exchange_token?refresh_token=x"), Code::ForbiddenRoute),
    ];
    for (request, expect) in table {
        assert_eq!(presented(&request).unwrap_err().code, expect, "{request:?}");
    }
}

#[test]
fn another_spelling_of_a_signature_is_the_same_request() {
    let nonce = |sig: &str| match signature("A", "1", Vec::new(), sig, true).unwrap() {
        Presented::Signature(signature) => signature.nonce,
        other => panic!("{other:?}"),
    };
    assert_eq!(nonce("ab01"), nonce("AB01"));
    assert_ne!(nonce("ab01"), nonce("ab02"));
}

#[test]
fn where_the_nonce_of_a_login_ends_makes_no_other_request_of_it() {
    let read = |nonce: &str, data: &str| {
        let params = serde_json::json!({"grant_type": "client_signature", "client_id": "A",
            "timestamp": 1, "nonce": nonce, "data": data, "signature": "ab01"});
        let frame = serde_json::json!({"id": 1, "method": "public/auth", "params": params});
        let rpc = from_frame(&frame.to_string()).unwrap();
        match login(&rpc.params).unwrap() {
            Login::With(Presented::Signature(signature)) => (signature.payloads, signature.nonce),
            _ => panic!("{nonce} {data}"),
        }
    };
    assert_eq!(read("a\nb", "c"), read("a", "b\nc"));
}

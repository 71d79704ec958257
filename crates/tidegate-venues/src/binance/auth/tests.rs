use super::*;
use crate::binance::tests::{KEY, SECRET, hmac_hex, request, signature, verifies};
use crate::binance::{errors, routes};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use serde_json::json;
use tidegate_types::request::Method;

/// The secret of the venue's other published examples.
const SPOT_SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";

#[test]
fn published_signatures_verify_wherever_the_parameters_stand() {
    let cases = [
        // In the body, in the query, and in both (joined without a separator).
        (
            "",
            "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000&timestamp=1591702613943&signature=3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9",
            SECRET,
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000&timestamp=1591702613943&signature=3C661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9",
            "",
            SECRET,
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC",
            "quantity=1&price=9000&recvWindow=5000&timestamp=1591702613943&signature=30baaf0fab549bbeda7f5ef201898b34122da25fd23c646cac2c529aebe670a4",
            SECRET,
        ),
        (
            "",
            "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
            SPOT_SECRET,
        ),
        (
            "",
            "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559&signature=e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
            SPOT_SECRET,
        ),
    ];
    for (query, body, secret) in cases {
        let target = if query.is_empty() { String::new() } else { format!("?{query}") };
        let shown = signature(&request(Method::Post, &format!("/fapi/v1/order{target}"), body));
        assert!(verifies(&shown, secret), "{query} {body}");
        assert_eq!(shown.key, KEY);
    }
}

#[test]
fn one_changed_character_does_not_verify() {
    let body = "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=2&price=9000&timeInForce=GTC&recvWindow=5000&timestamp=1591702613943&signature=3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9";
    assert!(!verifies(&signature(&request(Method::Post, "/fapi/v1/order", body)), SECRET));
}

#[test]
fn a_client_that_signs_before_it_encodes_verifies() {
    let wire = "newClientOrderId=a%3Ab%2Fc.d&price=9000&quantity=1&recvWindow=10000&side=BUY&symbol=BTCUSDT&timeInForce=GTC&timestamp=1795274232467&type=LIMIT&signature=6c6b457eb256a073b1be067b9918d5017be58be10cd6504f61d3195cac9241d3";
    let shown = signature(&request(Method::Post, "/fapi/v1/order", wire));
    assert_eq!(shown.payloads.len(), 2);
    assert!(verifies(&shown, SECRET));
    // A delete with a form body, as that client sends it.
    let shown = signature(&request(
        Method::Delete,
        "/fapi/v1/order",
        "orderId=1&recvWindow=10000&symbol=BTCUSDT&timestamp=1795274714127&signature=c07bce9fc435b05b61ff0f3417dd84284b2a0ab2d1ae26f86ecf84f9603a38d6",
    ));
    assert!(verifies(&shown, SECRET));
}

#[test]
fn a_batch_of_raw_json_verifies() {
    let body = r#"timestamp=1591702613943&batchOrders=[{"symbol":"BTCUSDT","side":"BUY","newClientOrderId":"x1","newOrderRespType":"RESULT","type":"LIMIT","quantity":"1","price":"9000","timeInForce":"GTC"}]&recvWindow=10000&signature=e43fca037eed3a4afdab776a97e1c4aaddcbc472e4783121d554a8781acdd774"#;
    assert!(verifies(&signature(&request(Method::Post, "/fapi/v1/batchOrders", body)), SECRET));
}

#[test]
fn captured_requests_of_stock_clients_verify() {
    let cases = [
        (
            Method::Get,
            "/fapi/v3/account?timestamp=1795274710789&recvWindow=10000&signature=05e1a5cef39f93b28ac33ad70b6a5a64bf5e2d90e1ab7b095463050bbfe9fd38",
            "",
        ),
        (
            Method::Get,
            "/sapi/v1/margin/allPairs?timestamp=1795274710772&recvWindow=10000&signature=7cd9fc2dd197685f06d8512037e2fde177df0983d18d287ddb3e6aae1a1c6e00",
            "",
        ),
        (
            Method::Post,
            "/fapi/v1/algoOrder",
            "timestamp=1795274710825&symbol=BTCUSDT&side=SELL&clientAlgoId=x-cvBPrNm970e98b216381cc56fcea1a&newOrderRespType=RESULT&type=STOP_MARKET&quantity=0.01&triggerPrice=8000&algoType=CONDITIONAL&recvWindow=10000&signature=fef9f55c4d059c477467d8037b139fab5520a5707579887e84539e8704d6ac0e",
        ),
        (
            Method::Delete,
            "/fapi/v1/batchOrders?timestamp=1795274710860&symbol=BTCUSDT&recvWindow=10000&orderidlist=%5B1%2C2%5D&signature=ef97ddc0d783338d21950b7cee7bf7df5e6dc9e534073061e4fe527acfc01fc5",
            "",
        ),
        (
            Method::Post,
            "/fapi/v1/batchOrders",
            "batchOrders=%5B%7B%22symbol%22%3A+%22BTCUSDT%22%2C+%22side%22%3A+%22BUY%22%2C+%22type%22%3A+%22LIMIT%22%2C+%22timeInForce%22%3A+%22GTC%22%2C+%22quantity%22%3A+%221%22%2C+%22price%22%3A+%229000%22%2C+%22newClientOrderId%22%3A+%22x-Cb7ytekJd83da5439e00e3377f34a%22%7D%5D&recvWindow=10000&timestamp=1795274714119&signature=938d4714dd8f948ef09bad54fdafefa4f48cd736ad20ea89e2681c2af877bd5f",
        ),
        (
            Method::Post,
            "/fapi/v1/order?symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1.0&price=9000.5&newClientOrderId=a%3Ab%2Fc&timestamp=1795274716039&signature=574806cdda1bfe86bd3c28e3d766ac6c599ffa0ff02c3ebd77502150dff70b5d",
            "",
        ),
    ];
    for (method, target, body) in cases {
        assert!(verifies(&signature(&request(method, target, body)), SECRET), "{target} {body}");
    }
}

#[test]
fn an_ed25519_signature_verifies() {
    let query = "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=0.2&timestamp=1668481559918&recvWindow=5000&signature=XtZirsmmi0noRzUfkqktvkVfxpkq%2FWtbLg2UOL3QGYdUBZVlqOBEMuEVw8zioY93N54NcKj9UuAXQEa9zgTDBg%3D%3D";
    let shown = signature(&request(Method::Post, &format!("/fapi/v1/order?{query}"), ""));
    let public = STANDARD.decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=").unwrap();
    let key = UnparsedPublicKey::new(&ED25519, public);
    key.verify(&shown.payloads[0], &shown.candidates[0]).unwrap();
    assert_eq!(shown.nonce, shown.candidates[0]);
}

#[test]
fn two_spellings_of_one_signature_are_one_nonce() {
    let target = |signature: &str| {
        format!("/fapi/v1/order?symbol=BTCUSDT&orderId=1&timestamp=5&signature={signature}")
    };
    let hex = hmac_hex(SECRET, b"symbol=BTCUSDT&orderId=1&timestamp=5");
    let one = signature(&request(Method::Delete, &target(&hex), ""));
    let two = signature(&request(Method::Delete, &target(&hex.to_uppercase()), ""));
    assert!(verifies(&one, SECRET) && verifies(&two, SECRET));
    assert_eq!(one.nonce, two.nonce);
}

#[test]
fn a_value_with_a_separator_is_not_offered_decoded() {
    let target = "/fapi/v1/order?symbol=BTCUSDT%26orderId%3D1&timestamp=5&signature=00";
    let request = request(Method::Delete, &format!("{target}{}", "00".repeat(31)), "");
    assert_eq!(signature(&request).payloads.len(), 1);
}

#[test]
fn what_is_missing_is_said_as_the_venue_says_it() {
    let route = routes::named("GET /fapi/v3/account").unwrap();
    let said = |target: &str, key: bool| {
        let mut request = request(Method::Get, target, "");
        if !key {
            request.headers.clear();
        }
        let reject = need(route, &request).unwrap_err();
        let (status, number, words) = errors::worded(&reject, errors::About::default());
        (status, number, words)
    };
    let mandatory = |name: &str| {
        format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    };
    let path = "/fapi/v3/account";
    assert_eq!(said(path, false), (401, -2014, "API-key format invalid.".to_owned()));
    assert_eq!(said(path, true), (400, -1102, mandatory("timestamp")));
    assert_eq!(said(&format!("{path}?timestamp=x"), true), (400, -1102, mandatory("timestamp")));
    assert_eq!(said(&format!("{path}?timestamp=1"), true), (400, -1102, mandatory("signature")));
    assert_eq!(said(&format!("{path}?timestamp=1&recvWindow=60001&signature=00"), true).1, -1131);
    assert_eq!(said(&format!("{path}?timestamp=1&signature=zz!"), true).1, -1022);
    assert_eq!(said(&format!("{path}?timestamp=1&timestamp=2&signature=00"), true).1, -1101);
}

#[test]
fn frames_are_signed_sorted_and_unencoded_or_encoded() {
    let check = |params: serde_json::Value, signature: &str, secret: &str| {
        let mut params = params;
        params["signature"] = json!(signature);
        let shown = of_frame(&Params::of_object(&params).unwrap(), true).unwrap();
        assert!(verifies(&shown, secret), "{params}");
    };
    check(
        json!({"apiKey": KEY, "newOrderRespType": "ACK", "price": "52000.00", "quantity": "0.01000000",
               "recvWindow": 100, "side": "SELL", "symbol": "BTCUSDT", "timeInForce": "GTC",
               "timestamp": 1_645_423_376_532_u64, "type": "LIMIT"}),
        "1264079ac76f7f4321dbd0fd3e7e489192d22a0756680e8e32de1e80c1cc2565",
        SECRET,
    );
    check(
        json!({"type": "LIMIT", "newClientOrderId": "x1", "newOrderRespType": "RESULT", "price": "9000",
               "quantity": "1", "recvWindow": 10000, "returnRateLimits": false, "side": "BUY",
               "symbol": "BTCUSDT", "timeInForce": "GTC", "timestamp": 1_591_702_613_943_u64, "apiKey": KEY}),
        "aa2f19e0d3828912144f0c2675b62d9b37a2246ab1d83bcb2fc7b534d038444e",
        SECRET,
    );
    check(
        json!({"apiKey": "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
               "price": "0.10000000", "quantity": "1.00000000", "recvWindow": 5000, "side": "BUY",
               "symbol": "１２３４５６", "timeInForce": "GTC", "timestamp": 1_645_423_376_532_u64, "type": "LIMIT"}),
        "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd",
        SPOT_SECRET,
    );
    let encoded = b"apiKey=K&newClientOrderId=a%3Ab%2Fc&timestamp=5";
    check(
        json!({"apiKey": "K", "newClientOrderId": "a:b/c", "timestamp": 5}),
        &hmac_hex(SECRET, encoded),
        SECRET,
    );
    // A login, with the key of RFC 8032's first vector.
    let logon = json!({
        "apiKey": "EDKEY", "recvWindow": 5000, "timestamp": 1_649_729_878_532_u64,
        "signature": "O5RSwzNQYugJHAGVW/+E3TKkjJ4VhemU2O21NHtB/GwzvXGr1HHW+rJ20hCQEHRIgPCvHwSG4dn3Yx8kaqjICw==",
    });
    let shown = of_frame(&Params::of_object(&logon).unwrap(), true).unwrap();
    let public = STANDARD.decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=").unwrap();
    let key = UnparsedPublicKey::new(&ED25519, public);
    key.verify(&shown.payloads[0], &shown.candidates[0]).unwrap();
}

//! What moves money out, or makes and changes keys, is refused at every venue: by the front for
//! every caller, and by what words calls for the signer, whoever asks.

use std::net::{IpAddr, Ipv4Addr};
use tidegate_types::call::{Call, CallBody};
use tidegate_types::ids::{AccountName, CallId};
use tidegate_types::reject::Code;
use tidegate_types::request::{Method, RawRequest};
use tidegate_types::time::Time;
use tidegate_venues::front::{Instruments, Step};
use tidegate_venues::upstream::{BuildError, KeySigner};
use tidegate_venues::{Venue, registry};

const NOW: Time = Time::from_millis(1_700_000_000_000);

/// Routes of the venues' own documentation, and what they look like with an eye to slip through.
const BINANCE: &[&str] = &[
    "POST /sapi/v1/capital/withdraw/apply",
    "POST /sapi/v1/localentity/withdraw/apply",
    "GET /sapi/v1/capital/withdraw/history",
    "GET /sapi/v1/capital/withdraw/address/list",
    "POST /sapi/v1/asset/transfer",
    "POST /sapi/v1/futures/transfer",
    "POST /sapi/v1/sub-account/universalTransfer",
    "POST /sapi/v1/sub-account/futures/internalTransfer",
    "POST /sapi/v1/margin/transfer",
    "POST /sapi/v1/account/apiRestrictions/ipRestriction",
    "POST /sapi/v1/sub-account/subAccountApi/ipRestriction",
    "DELETE /sapi/v1/sub-account/subAccountApi/ipRestriction/ipList",
    "POST /sapi/v1/broker/subAccountApi",
    "POST /wapi/v3/withdraw.html",
    "POST /fapi/v1/transfer",
    "POST /fapi/v1/apiKey",
    "POST /fapi/v1/order/../../sapi/v1/asset/transfer",
    "POST //sapi/v1/asset/transfer",
    "POST /SAPI/V1/ASSET/TRANSFER",
    "POST /fapi/v1/%6frder",
];
const DERIBIT: &[&str] = &[
    "withdraw",
    "cancel_withdrawal",
    "get_withdrawals",
    "submit_transfer_to_subaccount",
    "submit_transfer_to_user",
    "submit_transfer_between_subaccounts",
    "cancel_transfer_by_id",
    "create_deposit_address",
    "add_to_address_book",
    "remove_from_address_book",
    "update_in_address_book",
    "create_api_key",
    "edit_api_key",
    "change_scope_in_api_key",
    "change_api_key_name",
    "reset_api_key",
    "remove_api_key",
    "enable_api_key",
    "disable_api_key",
    "list_api_keys",
    "create_subaccount",
    "remove_subaccount",
    "toggle_subaccount_login",
    "change_margin_model",
    "reset_mmp",
    "execute_block_trade",
    "move_positions",
    "Withdraw",
    "withdraw/",
    "%77ithdraw",
    "./withdraw",
    "buy/../withdraw",
];

fn venue(name: &str) -> &'static dyn Venue {
    let found = registry::all().iter().find(|venue| venue.name().as_str() == name);
    *found.unwrap_or_else(|| panic!("{name} is registered"))
}

fn request(method: &str, target: &str, body: &str) -> RawRequest {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    RawRequest {
        method: match method {
            "GET" => Method::Get,
            "PUT" => Method::Put,
            "DELETE" => Method::Delete,
            _ => Method::Post,
        },
        path: path.to_owned(),
        query: query.to_owned(),
        headers: vec![
            ("authorization".into(), "bearer abc".into()),
            ("x-mbx-apikey".into(), "abc".into()),
        ],
        body: body.as_bytes().to_vec(),
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        certificate: None,
    }
}

/// The front knows no such route, or knows it as forbidden; nobody's credentials are looked at.
fn refused(venue: &dyn Venue, request: &RawRequest) {
    let told = venue.credentials(request).err();
    let code = told.as_ref().map(|reject| reject.code);
    let shut = matches!(code, Some(Code::ForbiddenRoute | Code::UnknownRoute));
    assert!(shut, "{} {}: {told:?}", request.method.as_str(), request.target());
    let parsed = venue.parse(request, &Instruments::default(), NOW);
    assert!(parsed.is_err(), "{}: {parsed:?}", request.target());
    let said = venue.refuse(Some(request), None, &told.unwrap(), NOW);
    assert!(String::from_utf8_lossy(&said.body).contains("TG"), "{said:?}");
    assert!((400..500).contains(&said.status) && said.status != 429, "{said:?}");
}

/// Signs anything.
struct Willing;

impl KeySigner for Willing {
    fn key_id(&self) -> &str {
        "key"
    }
    fn hmac_sha256(&self, _: &[u8]) -> Option<[u8; 32]> {
        Some([1; 32])
    }
    fn ed25519(&self, _: &[u8]) -> Option<[u8; 64]> {
        Some([1; 64])
    }
    fn nonce(&self) -> String {
        "nonce".into()
    }
}

/// No call of that route is worded, so that nothing is there to sign.
fn never_built(venue: &dyn Venue, route: &str) {
    let (route, params) = (route.to_owned(), Vec::new());
    for body in [
        CallBody::Set { route: route.clone(), params: params.clone() },
        CallBody::Read { route: route.clone(), params: params.clone() },
    ] {
        if body == venue.rights_call() {
            continue;
        }
        let call = Call { id: CallId(1), account: AccountName::new("main").unwrap(), body };
        let built = venue.build(&call, &Willing, NOW);
        assert!(matches!(built, Err(BuildError::UnknownRoute(_))), "{route}: {built:?}");
    }
}

#[test]
fn binance_moves_no_money_out_and_makes_no_keys() {
    let venue = venue("binance");
    for route in BINANCE {
        let (method, path) = route.split_once(' ').unwrap();
        refused(venue, &request(method, &format!("{path}?timestamp=1&signature=1"), ""));
        never_built(venue, route);
    }
    // Nor over the socket that takes orders.
    let opening = request("GET", "/ws-fapi/v1", "");
    for method in ["account.withdraw", "asset.transfer", "apiKey.create", "order.place2"] {
        let mut session = venue.open(&opening, NOW).unwrap();
        let text = format!(r#"{{"id":"1","method":"{method}","params":{{"apiKey":"a"}}}}"#);
        only_refuses(&session.on_text(&text, &Instruments::default(), NOW), &text);
    }
}

#[test]
fn deribit_moves_no_money_out_and_makes_no_keys() {
    let venue = venue("deribit");
    for name in DERIBIT {
        let method = format!("private/{name}");
        refused(venue, &request("GET", &format!("/api/v2/{method}?currency=BTC&amount=1"), ""));
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{}}}}"#);
        refused(venue, &request("POST", "/api/v2", &body));
        refused(venue, &request("POST", &format!("/api/v2/{method}"), &body));
        // Two names for the route, one of them harmless.
        let two = venue.credentials(&request("POST", "/api/v2/private/buy", &body));
        assert!(two.is_err(), "{body}: {two:?}");
        never_built(venue, &method);
        let mut session = venue.open(&request("GET", "/ws/api/v2", ""), NOW).unwrap();
        only_refuses(&session.on_text(&body, &Instruments::default(), NOW), &body);
    }
}

fn only_refuses(steps: &[Step], what: &str) {
    assert!(!steps.is_empty(), "{what} is answered");
    for step in steps {
        let Step::Send(said) = step else { panic!("{what}: {step:?}") };
        assert!(said.contains("error") && said.contains("TG"), "{what}: {said}");
    }
}

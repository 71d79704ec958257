//! A good request for each route, but for who sends it.

use super::askers::MINE;
use super::{Needs, Place, Row};
use crate::people::tests::ORIGIN;
use serde_json::{Value, json};
use tidegate_types::request::{Method, RawRequest};

const FORM: &str = "application/x-www-form-urlencoded";

/// What proxies say of whom they let in.
pub(super) const PROXIED: &[(&str, &str)] = &[
    ("forwarded", "for=127.0.0.1;proto=https;host=localhost"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-real-ip", "127.0.0.1"),
    ("x-forwarded-user", "ada"),
    ("x-remote-user", "ada"),
    ("remote-user", "ada"),
    ("x-auth-request-user", "ada"),
    ("x-ssl-client-verify", "SUCCESS"),
    ("x-ssl-client-cert", "MIIB"),
    ("x-client-cert", "MIIB"),
    ("client-cert", ":MIIB:"),
];

/// The request, without credentials; about this order, if it is about one.
pub(super) fn request(row: &Row, order: &str) -> RawRequest {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut request = RawRequest {
        method: row.method,
        path: row.path.replace("{id}", order),
        query: String::new(),
        headers: vec![header("host", "localhost:8443")],
        body: Vec::new(),
        peer: [127, 0, 0, 1].into(),
        certificate: None,
    };
    match row.needs {
        Needs::Client => request.headers.push(header("content-type", FORM)),
        Needs::Operator => request.body = br#"{"op":"caller-add","caller":"zoe"}"#.to_vec(),
        Needs::Link | Needs::LoginPage | Needs::Session if row.method == Method::Post => {
            request.headers.push(header("origin", ORIGIN));
            request.headers.push(header("content-type", "application/json"));
            request.body = b"{}".to_vec();
        }
        _ => match row.place {
            Place::Venue(_) => request.query = of_venue(row),
            Place::Web if row.method == Method::Post => {
                request.headers.push(header("content-type", "application/json"));
                request.body = of_api(&row.path, order).to_string().into_bytes();
            }
            Place::Web | Place::Admin => {}
        },
    }
    request
}

/// Adds a field to what a page sends; to the query where nothing is sent.
pub(super) fn put(request: &mut RawRequest, name: &str, value: &str) {
    if request.method == Method::Get {
        request.query = format!("{name}={value}");
        return;
    }
    let mut body: Value = serde_json::from_slice(&request.body).unwrap();
    body[name] = value.into();
    request.body = body.to_string().into_bytes();
}

/// The body of a route of the unified API, where this order was placed before.
fn of_api(path: &str, order: &str) -> Value {
    match path {
        "/v1/orders" => json!({"instrument": "binance/BTCUSDT", "side": "buy", "type": "limit",
            "quantity": "1", "price": "100", "client_order_id": if order.is_empty() { MINE } else { "another" }}),
        "/v1/orders/{id}/amend" => json!({"price": "99"}),
        "/v1/orders/cancel" => json!({}),
        "/v1/halts" | "/v1/halts/caller:ann/resume" => json!({"reason": "enough"}),
        path => panic!("{path} needs an example of its body"),
    }
}

/// The form of an endpoint of the authorization server, but for its client.
pub(super) fn fields(path: &str, token: &str) -> String {
    let details = json!([{"type": "tidegate_trading", "venue": "binance", "account": "main",
        "instruments": ["BTCUSDT"], "read_only": true}]);
    let details = encoded(&details.to_string());
    match path {
        "/oauth/par" => format!(
            "response_type=code&redirect_uri={}&code_challenge={}&code_challenge_method=S256\
             &authorization_details={details}",
            encoded("https://app.example/cb"),
            "c".repeat(43),
        ),
        "/oauth/token" => "grant_type=client_credentials".to_owned(),
        "/oauth/revoke" | "/oauth/introspect" => format!("token={token}"),
        "/oauth/device_authorization" => format!("authorization_details={details}"),
        path => panic!("{path} needs an example of its form"),
    }
}

/// The parameters of a venue's route. What only reads goes without: it is refused before they are read, or
/// it is asked of the venue, or it says what is missing.
fn of_venue(row: &Row) -> String {
    let named = format!("symbol=BTCUSDT&origClientOrderId={MINE}");
    let leg = "\"symbol\":\"BTCUSDT\",\"side\":\"BUY\"";
    let batch = |leg: String| format!("batchOrders={}", encoded(&format!("[{{{leg}}}]")));
    let deribit = "instrument_name=BTC-PERPETUAL";
    match (row.method, row.path.rsplit('/').next().unwrap_or_default()) {
        _ if !row.changes => String::new(),
        (Method::Post, "order") => {
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=100".to_owned()
        }
        (Method::Put, "order") => format!("{named}&side=BUY&quantity=1&price=99"),
        (Method::Delete, "order") => named,
        (Method::Post, "batchOrders") => batch(format!(
            "{leg},\"type\":\"LIMIT\",\"timeInForce\":\"GTC\",\"quantity\":\"1\",\"price\":\"100\""
        )),
        (Method::Put, "batchOrders") => batch(format!(
            "{leg},\"quantity\":\"1\",\"price\":\"99\",\"origClientOrderId\":\"{MINE}\""
        )),
        (Method::Delete, "batchOrders") => {
            format!("symbol=BTCUSDT&origClientOrderIdList={}", encoded(&format!("[\"{MINE}\"]")))
        }
        (Method::Delete, "allOpenOrders" | "algoOpenOrders") => "symbol=BTCUSDT".to_owned(),
        (Method::Post, "algoOrder") => "algoType=CONDITIONAL&symbol=BTCUSDT&side=BUY&type=STOP\
            &timeInForce=GTC&quantity=1&price=100&triggerPrice=101"
            .to_owned(),
        (Method::Delete, "algoOrder") => format!("clientAlgoId={MINE}"),
        (Method::Post, "countdownCancelAll") => "symbol=BTCUSDT&countdownTime=60000".to_owned(),
        (Method::Post, "leverage") => "symbol=BTCUSDT&leverage=2".to_owned(),
        (Method::Post, "marginType") => "symbol=BTCUSDT&marginType=ISOLATED".to_owned(),
        (Method::Post, "dual") => "dualSidePosition=true".to_owned(),
        (Method::Post, "multiAssetsMargin") => "multiAssetsMargin=true".to_owned(),
        (_, "buy" | "sell") => format!("{deribit}&amount=1&type=limit&price=100"),
        (_, "edit") => "order_id=BTC-1&amount=1&price=99".to_owned(),
        (_, "edit_by_label") => format!("{deribit}&label={MINE}&amount=1&price=99"),
        (_, "cancel") => "order_id=BTC-1".to_owned(),
        (_, "cancel_by_label") => format!("label={MINE}"),
        (_, "cancel_all" | "cancel_all_by_kind_or_type") => String::new(),
        (_, "cancel_all_by_currency") => "currency=BTC".to_owned(),
        (_, "cancel_all_by_currency_pair") => "currency_pair=btc_usd".to_owned(),
        (_, "cancel_all_by_instrument") => deribit.to_owned(),
        (_, "enable_cancel_on_disconnect" | "disable_cancel_on_disconnect") => {
            "scope=account".to_owned()
        }
        (_, "auth") => "grant_type=client_credentials".to_owned(),
        _ if row.needs == Needs::Refused => String::new(),
        (method, path) => panic!("{} {path} needs an example", method.as_str()),
    }
}

fn encoded(text: &str) -> String {
    let all = percent_encoding::NON_ALPHANUMERIC;
    percent_encoding::utf8_percent_encode(text, all).to_string()
}

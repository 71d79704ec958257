//! Callers with virtual keys at the unified API, against a desk with a real core. What goes over the table
//! of routes takes every route that comes to be.

use super::*;
use crate::admin::tests::{Office, office};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use tidegate_identity::message_signature::{Message, Signed};
use tidegate_types::report::{AccountEvent, FillReport};
use tidegate_types::request::Method;

mod approvals;
mod certificates;
mod documents;
mod evidence;
mod receipts;
mod routes;
mod stream;
mod tokens;

pub(in crate::web) use routes::rows;

struct Desk {
    office: Office,
    api: Api,
}

/// A virtual key, with its secret.
#[derive(Clone)]
struct Key(String, String);

async fn desk() -> Desk {
    let office = office().await;
    let api = api(&office);
    Desk { office, api }
}

fn api(office: &Office) -> Api {
    office.api(office.world.folder.path().join("journal"))
}

impl Desk {
    /// A key of a caller's, who is made if need be.
    async fn key(&self, caller: &str) -> Key {
        let _ = self.office.ask(json!({"op": "caller-add", "caller": caller})).await;
        let add = json!({"op": "key-add", "caller": caller, "account": "main"});
        let made = self.office.ask(add).await.unwrap();
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        Key(text("id"), text("secret"))
    }

    async fn grant(&self, caller: &str, trade: bool) {
        let grant = json!({"op": "grant-set", "caller": caller, "account": "main", "trade": trade,
            "instruments": ["*"], "max_order_notional": "5000", "max_open_notional": "9000",
            "orders_per_second": 50, "burst": 50});
        self.office.ask(grant).await.unwrap();
    }

    async fn ask(&self, key: &Key, method: Method, target: &str, body: Value) -> (u16, Value) {
        self.answer(request(key, method, target, body, None)).await
    }

    async fn answer(&self, request: RawRequest) -> (u16, Value) {
        let reply = self.api.answer(request).await;
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }

    /// The venue tells of a trade of an order.
    fn trade(&self, placed: &Value, n: u64) {
        let desk = &self.office.world.desk;
        let id = OrderId(placed["id"].as_str().unwrap().parse().unwrap());
        let fill = FillReport {
            instrument: orders::instrument_id("binance/BTCUSDT").unwrap(),
            trade_id: format!("t.{n}").parse().unwrap(),
            client_id: desk.look(|state| state.orders().get(id)?.client_id.clone()),
            venue_id: placed["venue_order_id"].as_str().unwrap().parse().unwrap(),
            side: tidegate_types::order::Side::Buy,
            qty: tidegate_types::instrument::Qty("0.25".parse().unwrap()),
            price: tidegate_types::instrument::Price("99.5".parse().unwrap()),
            fee: "-0.01".parse().unwrap(),
            fee_currency: Some("USDT".parse().unwrap()),
            maker: true,
            at: Time::from_millis(1_700_000_000_000 + n),
        };
        let account = "main".parse().unwrap();
        desk.event(Event::Streamed { account, event: AccountEvent::Fill { fill } });
    }

    fn arrived(&self, what: &str) -> usize {
        let told = self.office.world.told.arrived.lock().unwrap();
        told.iter().filter(|call| call.starts_with(what)).count()
    }
}

fn plain(method: Method, target: &str, body: &str) -> RawRequest {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    RawRequest {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: vec![
            ("host".to_owned(), "localhost:8443".to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
        ],
        body: body.as_bytes().to_vec(),
        peer: [127, 0, 0, 1].into(),
        certificate: None,
    }
}

/// A request signed with a key, under an idempotency key if one is given.
fn request(key: &Key, method: Method, target: &str, body: Value, once: Option<&str>) -> RawRequest {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, key.1.as_bytes());
    let sign = |base: &[u8]| hmac::sign(&secret, base).as_ref().to_vec();
    request_by(&key.0, &sign, method, target, body, once)
}

/// The same, for a key of any kind.
fn request_by(
    key: &str,
    sign: &dyn Fn(&[u8]) -> Vec<u8>,
    method: Method,
    target: &str,
    body: Value,
    once: Option<&str>,
) -> RawRequest {
    static NONCE: AtomicU64 = AtomicU64::new(0);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut request = plain(method, target, &body);
    let mut covered = "\"@method\" \"@target-uri\"".to_owned();
    let mut add = |name: &str, value: String| {
        request.headers.push((name.to_owned(), value));
        covered.push_str(&format!(" \"{name}\""));
    };
    if !body.is_empty() {
        let digest = STANDARD.encode(digest::digest(&digest::SHA256, body.as_bytes()));
        add("content-digest", format!("sha-256=:{digest}:"));
    }
    if let Some(once) = once {
        add("idempotency-key", once.to_owned());
    }
    let nonce = NONCE.fetch_add(1, Ordering::Relaxed);
    // In whole seconds, and not before the gateway's start.
    let created = clock::now().millis().div_ceil(1000);
    let input = format!("s=({covered});created={created};keyid=\"{key}\";nonce=\"{nonce}\"");
    let probe = [("signature-input", input.as_str()), ("signature", "s=:AA==:")];
    let probe = probe.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let signed = Signed::read(&probe).unwrap().unwrap();
    let base = signed.base(&Message::of(&request, "https", "localhost:8443")).unwrap();
    let signature = STANDARD.encode(sign(&base));
    request.headers.push(("signature-input".to_owned(), input));
    request.headers.push(("signature".to_owned(), format!("s=:{signature}:")));
    request
}

fn order(id: Option<&str>) -> Value {
    let mut order = json!({"instrument": "binance/BTCUSDT", "side": "buy", "type": "limit",
        "quantity": "1", "price": "100"});
    if let Some(id) = id {
        order["client_order_id"] = id.into();
    }
    order
}

#[tokio::test]
async fn an_order_is_placed_found_and_kept_from_others() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let (status, placed) = desk.ask(&ann, Method::Post, "/v1/orders", order(Some("mine"))).await;
    assert_eq!(status, 201, "{placed}");
    assert_eq!(placed["state"], "open");
    assert_eq!(placed["client_order_id"], "mine");
    assert_eq!(placed["quantity"], "1");
    assert_eq!(placed["price"], "100");
    let path = format!("/v1/orders/{}", placed["id"].as_str().unwrap());
    let (status, found) = desk.ask(&ann, Method::Get, &path, Value::Null).await;
    assert_eq!((status, &found), (200, &placed));
    for query in ["", "?state=all", "?client_order_id=mine", "?instrument=binance/BTCUSDT&limit=1"]
    {
        let target = format!("/v1/orders{query}");
        let (status, list) = desk.ask(&ann, Method::Get, &target, Value::Null).await;
        assert_eq!((status, &list["items"]), (200, &json!([placed])), "{query}: {list}");
    }
    let (_, done) = desk.ask(&ann, Method::Get, "/v1/orders?state=done", Value::Null).await;
    assert_eq!(done, json!({"items": []}));

    let bob = desk.key("bob").await;
    desk.grant("bob", true).await;
    let (_, list) = desk.ask(&bob, Method::Get, "/v1/orders?state=all", Value::Null).await;
    assert_eq!(list["items"], json!([]));
    let missing = desk.ask(&bob, Method::Get, "/v1/orders/999", Value::Null).await;
    assert_eq!(missing.0, 404);
    assert_eq!(desk.ask(&bob, Method::Get, &path, Value::Null).await, missing);
    let amend = json!({"price": "101"});
    for (method, path, body) in [
        (Method::Delete, path.clone(), Value::Null),
        (Method::Post, format!("{path}/amend"), amend),
    ] {
        let (status, problem) = desk.ask(&bob, method, &path, body).await;
        assert_eq!((status, &problem["code"]), (404, &json!("TG307")), "{problem}");
    }
}

#[tokio::test]
async fn that_a_key_is_used_is_on_record_once_in_a_while() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let mut next = desk.office.world.desk.next_seq();
    for records in [1, 0, 0] {
        desk.ask(&ann, Method::Get, "/v1/orders", Value::Null).await;
        let now = desk.office.world.desk.next_seq();
        assert_eq!(now.0 - next.0, records);
        next = now;
    }
}

#[tokio::test]
async fn what_nobody_knows_is_no_failure() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    desk.office.world.told.hang.store(true, Ordering::Relaxed);
    let (status, unknown) = desk.ask(&ann, Method::Post, "/v1/orders", order(None)).await;
    assert_eq!((status, &unknown["state"]), (202, &json!("unknown")), "{unknown}");
    assert!(unknown["client_order_id"].as_str().unwrap().starts_with("v1-"));
}

#[tokio::test]
async fn the_venue_s_refusal_comes_in_its_words_with_the_order() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let (_, placed) = desk.ask(&ann, Method::Post, "/v1/orders", order(None)).await;
    let path = format!("/v1/orders/{}", placed["id"].as_str().unwrap());
    let (status, problem) = desk.ask(&ann, Method::Delete, &path, Value::Null).await;
    assert_eq!(status, 422, "{problem}");
    assert_eq!(problem["type"], "/v1/problems/venue-refused");
    assert_eq!(problem["venue"]["code"], -2011);
    assert_eq!(problem["order"]["id"], placed["id"]);
}

#[tokio::test]
async fn a_gate_s_refusal_is_a_problem_with_its_code() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let with = |name: &str, value: Value| {
        let mut order = order(None);
        order[name] = value;
        order
    };
    let table = [
        (with("quantity", json!("100000")), 422, "TG501"),
        (with("price", json!("100.0001")), 422, "TG512"),
        (with("quantity", json!(1)), 400, "TG207"),
        (with("quantity", json!("-1")), 400, "TG207"),
        (with("price", Value::Null), 400, "TG206"),
        (with("type", json!("market")), 400, "TG207"),
        (with("type", json!("stop_limit")), 400, "TG206"),
        (with("time_in_force", json!("gtd")), 400, "TG206"),
        (with("colour", json!("red")), 400, "TG205"),
        (with("instrument", json!("binance/NOSUCH")), 404, "TG210"),
        (with("instrument", json!("elsewhere/BTCUSDT")), 404, "TG210"),
        (with("client_order_id", json!("no blanks")), 400, "TG207"),
    ];
    for (body, status, code) in table {
        let (got, problem) = desk.ask(&ann, Method::Post, "/v1/orders", body.clone()).await;
        assert_eq!((got, &problem["code"]), (status, &json!(code)), "{body}: {problem}");
        assert_eq!(problem["type"], format!("/v1/problems/{code}"));
        assert_eq!(problem["status"], status);
    }
    let mut text = request(&ann, Method::Post, "/v1/orders", order(None), None);
    text.headers.retain(|(name, _)| name != "content-type");
    assert_eq!(desk.answer(text).await.0, 415);
    let (status, _) = desk.ask(&ann, Method::Get, "/v1/orders?colour=red", Value::Null).await;
    assert_eq!(status, 400);
    let twice = desk.ask(&ann, Method::Get, "/v1/orders?limit=1&limit=2", Value::Null).await;
    assert_eq!((twice.0, &twice.1["code"]), (400, &json!("TG204")));
    let put = desk.api.answer(request(&ann, Method::Put, "/v1/orders", order(None), None)).await;
    assert_eq!(put.status, 405);
    assert!(put.headers.contains(&("allow".to_owned(), "POST, GET".to_owned())), "{put:?}");
    assert_eq!(desk.arrived("place"), 0);
}

#[tokio::test]
async fn an_idempotency_key_places_one_order_also_over_a_restart() {
    let mut desk = desk().await;
    let ann = desk.key("ann").await;
    let keyed = |body: Value| request(&ann, Method::Post, "/v1/orders", body, Some("k-1"));
    let (status, placed) = desk.answer(keyed(order(None))).await;
    assert_eq!((status, &placed["client_order_id"]), (201, &json!("k-1")), "{placed}");
    assert_eq!(desk.answer(keyed(order(None))).await, (201, placed.clone()));
    let mut other = order(None);
    other["price"] = json!("101");
    let (status, problem) = desk.answer(keyed(other.clone())).await;
    assert_eq!((status, &problem["type"]), (422, &json!("/v1/problems/idempotency-key-reused")));
    // What the gateway remembers is gone; what the journal says is not.
    desk.api = api(&desk.office);
    let reply = desk.api.answer(keyed(order(None))).await;
    assert_eq!(reply.status, 200);
    assert!(reply.headers.iter().any(|(name, _)| name == "idempotency-replayed"));
    assert_eq!(serde_json::from_slice::<Value>(&reply.body).unwrap(), placed);
    assert_eq!(desk.answer(keyed(other)).await.0, 422);
    assert_eq!(desk.arrived("place"), 1);
    // Nothing was done of what was refused, so that it may come again.
    let mut large = order(None);
    large["quantity"] = json!("100000");
    let again = |body: &Value| request(&ann, Method::Post, "/v1/orders", body.clone(), Some("k-2"));
    assert_eq!(desk.answer(again(&large)).await.0, 422);
    assert_eq!(desk.answer(again(&order(Some("small")))).await.0, 201);
}

#[tokio::test]
async fn under_another_key_an_id_that_is_free_again_is_another_order() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let keyed =
        |key: &str| request(&ann, Method::Post, "/v1/orders", order(Some("mine")), Some(key));
    let (status, first) = desk.answer(keyed("k-1")).await;
    assert_eq!(status, 201, "{first}");
    (1..=4).for_each(|n| desk.trade(&first, n));
    let (status, second) = desk.answer(keyed("k-2")).await;
    assert_eq!(status, 201, "{second}");
    assert_ne!(first["id"], second["id"]);
    assert_eq!(desk.answer(keyed("k-1")).await, (201, first));
    assert_eq!(desk.arrived("place"), 2);
}

#[tokio::test]
async fn an_order_that_never_left_may_come_again_under_its_key() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let told = &desk.office.world.told;
    let keyed = || request(&ann, Method::Post, "/v1/orders", order(None), Some("k-1"));
    told.refuse_connections.store(true, Ordering::Relaxed);
    let (status, problem) = desk.answer(keyed()).await;
    assert!(status >= 400, "{status} {problem}");
    told.refuse_connections.store(false, Ordering::Relaxed);
    let (status, placed) = desk.answer(keyed()).await;
    assert_eq!((status, desk.arrived("place")), (201, 1), "{placed}");
}

#[tokio::test]
async fn what_was_begun_goes_on_when_its_connection_ends() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let web = desk.office.web();
    let (status, _) = desk.ask(&ann, Method::Post, "/v1/orders", order(None)).await;
    assert_eq!(status, 201);
    let again = || request(&ann, Method::Post, "/v1/orders/cancel", json!({}), Some("stop"));
    let mut first = Box::pin(web.answer(again()));
    let began = std::future::poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_pending())).await;
    assert!(began);
    // Whoever asked is gone. The same question is not worked on twice.
    drop(first);
    let replayed = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            let reply = web.answer(again()).await;
            if reply.status != 409 {
                return reply.headers.iter().any(|(name, _)| name == "idempotency-replayed");
            }
        }
    };
    assert!(tokio::time::timeout(std::time::Duration::from_secs(10), replayed).await.unwrap());
    assert_eq!(desk.arrived("cancel"), 1);
}

#[tokio::test]
async fn pages_are_whole_whatever_comes_meanwhile() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    for n in 0..5 {
        let (status, _) =
            desk.ask(&ann, Method::Post, "/v1/orders", order(Some(&format!("o{n}")))).await;
        assert_eq!(status, 201);
    }
    let mut seen = Vec::new();
    let mut target = "/v1/orders?limit=2".to_owned();
    loop {
        let (_, page) = desk.ask(&ann, Method::Get, &target, Value::Null).await;
        for order in page["items"].as_array().unwrap() {
            seen.push(order["client_order_id"].as_str().unwrap().to_owned());
        }
        desk.ask(&ann, Method::Post, "/v1/orders", order(None)).await;
        match page["next"].as_str() {
            Some(next) => target = format!("/v1/orders?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["o4", "o3", "o2", "o1", "o0"]);
    for (target, what) in [
        ("/v1/orders?limit=0", "too few"),
        ("/v1/orders?limit=501", "too many"),
        ("/v1/orders?cursor=b3JkZXJz", "not a cursor"),
        (&format!("/v1/positions?cursor={}", cursor_of_orders()), "another list's"),
    ] {
        assert_eq!(desk.ask(&ann, Method::Get, target, Value::Null).await.0, 400, "{what}");
    }
}

fn cursor_of_orders() -> String {
    page::cursor(lists::ORDERS, "7")
}

#[tokio::test]
async fn what_there_is_can_be_read() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let get = async |target: &str| {
        let (status, value) = desk.ask(&ann, Method::Get, target, Value::Null).await;
        assert_eq!(status, 200, "{target}: {value}");
        value
    };
    let instruments = get("/v1/instruments").await;
    let first = &instruments["items"][0];
    assert_eq!(first["id"], "binance/BTCUSDT");
    assert_eq!(&get("/v1/instruments/binance/BTCUSDT").await, first);
    let limits = get("/v1/limits").await;
    assert_eq!((&limits["caller"], &limits["open"]), (&json!("ann"), &json!(true)));
    assert_eq!(get("/v1/positions").await, json!({"items": []}));
    get("/v1/balances").await;
    let kind = get("/v1/problems/TG502").await;
    assert_eq!((&kind["status"], &kind["fault"]), (&json!(422), &json!("desk")));
    let (status, _) =
        desk.ask(&ann, Method::Get, "/v1/instruments/deribit/BTCUSDT", Value::Null).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_tripped_breaker_is_told_beside_the_halts() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let set = json!({"op": "breaker-set", "breaker": "repeats@account:main", "limit": "2"});
    desk.office.ask(set).await.unwrap();
    let (_, none) = desk.ask(&ann, Method::Get, "/v1/halts", Value::Null).await;
    assert_eq!(none, json!({"items": [], "breakers": []}));
    for _ in 0..3 {
        desk.ask(&ann, Method::Post, "/v1/orders", order(None)).await;
    }
    let (_, halts) = desk.ask(&ann, Method::Get, "/v1/halts", Value::Null).await;
    let tripped = &halts["breakers"][0];
    let of = |field: &str| tripped[field].as_str().unwrap_or_default();
    assert_eq!((of("scope"), of("kind"), of("unit")), ("account:main", "repeats", "times"));
    assert_eq!((of("state"), of("limit"), of("stops")), ("tripped", "2", "increases"));
    assert_eq!(halts["items"], json!([]), "it is no halt");
}

#[tokio::test]
async fn a_caller_halts_itself_and_cannot_go_on() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let ask = json!({"reason": "lost my mind"});
    let keyed = || request(&ann, Method::Post, "/v1/halts", ask.clone(), Some("stop"));
    let (status, halt) = desk.answer(keyed()).await;
    assert!(matches!(status, 201 | 202), "{halt}");
    assert_eq!((&halt["scope"], &halt["reason"]), (&json!("caller:ann"), &ask["reason"]));
    assert_eq!(desk.answer(keyed()).await, (status, halt.clone()));
    let (status, problem) = desk.ask(&ann, Method::Post, "/v1/orders", order(None)).await;
    assert_eq!((status, &problem["code"]), (409, &json!("TG509")), "{problem}");
    let (_, halts) = desk.ask(&ann, Method::Get, "/v1/halts", Value::Null).await;
    assert_eq!(halts["items"][0]["scope"], "caller:ann");
    let bob = desk.key("bob").await;
    desk.grant("bob", true).await;
    let (_, none) = desk.ask(&bob, Method::Get, "/v1/halts", Value::Null).await;
    assert_eq!(none, json!({"items": [], "breakers": []}), "another's halt is not there");
    let (status, _) = desk.ask(&bob, Method::Post, "/v1/orders", order(None)).await;
    assert_eq!(status, 201);
    let (status, _) = desk.ask(&ann, Method::Post, "/v1/halts", json!({"reason": "a\nb"})).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn fills_are_their_order_s_owner_s() {
    let desk = desk().await;
    let ann = desk.key("ann").await;
    let (_, placed) = desk.ask(&ann, Method::Post, "/v1/orders", order(Some("mine"))).await;
    for n in 1..=3 {
        desk.trade(&placed, n);
        desk.trade(&placed, n);
    }
    let (_, first) = desk.ask(&ann, Method::Get, "/v1/fills?limit=2", Value::Null).await;
    let next = first["next"].as_str().unwrap();
    let target = format!("/v1/fills?limit=2&cursor={next}");
    let (_, second) = desk.ask(&ann, Method::Get, &target, Value::Null).await;
    let ids: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|fill| fill["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["t.3", "t.2", "t.1"], "once each, the newest first");
    let newest = &first["items"][0];
    assert_eq!((&newest["fee"], &newest["order"]), (&json!("-0.01"), &placed["id"]));
    assert_eq!(
        (&newest["client_order_id"], &newest["at"]),
        (&json!("mine"), &json!("2023-11-14T22:13:20.003000Z"))
    );
    let (_, positions) = desk.ask(&ann, Method::Get, "/v1/positions", Value::Null).await;
    assert_eq!(positions["items"][0]["quantity"], "0.75");
    let bob = desk.key("bob").await;
    desk.grant("bob", true).await;
    let (_, none) = desk.ask(&bob, Method::Get, "/v1/fills", Value::Null).await;
    assert_eq!(none, json!({"items": []}));
}

#[tokio::test]
async fn the_journal_tells_of_the_key_s_account_and_sums_to_those_who_see_all_of_it() {
    let desk = desk().await;
    let bob = desk.key("bob").await;
    desk.grant("bob", true).await;
    let (_, placed) = desk.ask(&bob, Method::Post, "/v1/orders", order(Some("his"))).await;
    let cancel = format!("/v1/orders/{}", placed["id"].as_str().unwrap());
    desk.ask(&bob, Method::Delete, &cancel, Value::Null).await;
    let told = async |key: &Key| {
        let (status, page) = desk.ask(key, Method::Get, "/v1/journal", Value::Null).await;
        assert_eq!(status, 200, "{page}");
        page["items"].to_string()
    };
    let texts = told(&bob).await;
    assert!(texts.contains("his") && texts.contains("CancelCleared"), "{texts}");
    assert!(!texts.contains("account_open\\\":\\\""), "{texts}");
    let mut wide = json!({"op": "grant-set", "caller": "bob", "account": "main", "trade": true,
        "instruments": ["*"], "max_order_notional": "5000", "max_open_notional": "9000",
        "orders_per_second": 50, "burst": 50, "account_wide": true});
    desk.office.ask(wide.clone()).await.unwrap();
    let texts = told(&bob).await;
    assert!(texts.contains("account_open\\\":\\\""), "{texts}");
    // The same caller, by a key of another account.
    let add = json!({"op": "account-add", "venue": "binance", "account": "two"});
    desk.office.ask(add).await.unwrap();
    wide["account"] = json!("two");
    desk.office.ask(wide).await.unwrap();
    let add = json!({"op": "key-add", "caller": "bob", "account": "two"});
    let made = desk.office.ask(add).await.unwrap();
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    let elsewhere = Key(text("id"), text("secret"));
    assert_eq!(told(&elsewhere).await, "[]");
}

#[tokio::test]
async fn the_journal_tells_a_caller_of_itself() {
    let desk = desk().await;
    let (ann, bob) = (desk.key("ann").await, desk.key("bob").await);
    desk.grant("bob", true).await;
    desk.ask(&ann, Method::Post, "/v1/orders", order(Some("hers"))).await;
    desk.ask(&bob, Method::Post, "/v1/orders", order(Some("his"))).await;
    let (status, page) = desk.ask(&bob, Method::Get, "/v1/journal", Value::Null).await;
    assert_eq!(status, 200, "{page}");
    let texts = page["items"].to_string();
    assert!(texts.contains("his") && !texts.contains("hers"), "{texts}");
    let target = format!("/v1/journal?cursor={}", page["next"].as_str().unwrap());
    let (_, rest) = desk.ask(&bob, Method::Get, &target, Value::Null).await;
    assert_eq!(rest["items"], json!([]));
    desk.ask(&bob, Method::Post, "/v1/orders", order(Some("again"))).await;
    let (_, rest) = desk.ask(&bob, Method::Get, &target, Value::Null).await;
    assert!(rest["items"].to_string().contains("again"), "{rest}");
    // Pages of one row tell the same, and what was written since.
    let all = desk.ask(&bob, Method::Get, "/v1/journal", Value::Null).await.1;
    let all: Vec<_> = all["items"].as_array().unwrap().iter().map(|e| e["seq"].clone()).collect();
    let (mut seen, mut target) = (Vec::new(), "/v1/journal?limit=1".to_owned());
    for _ in 0..100 {
        let (_, page) = desk.ask(&bob, Method::Get, &target, Value::Null).await;
        let Some(entry) = page["items"].as_array().unwrap().first() else { break };
        seen.push(entry["seq"].clone());
        target = format!("/v1/journal?limit=1&cursor={}", page["next"].as_str().unwrap());
    }
    assert!(seen.starts_with(&all) && all.len() > 2, "{seen:?} {all:?}");
}

//! The dialect as callers meet it: signed requests in, JSON out.

use super::streams::{Lane, Stream};
use crate::config::{KeySecret, SimConfig};
use crate::engine::{Input, Venue};
use crate::serve::http::{Answer, Request};
use crate::serve::world::World;
use aws_lc_rs::hmac;
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;
use std::collections::BTreeMap;

struct Desk {
    world: World,
    key: String,
    secret: String,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        Desk::with(|_| {})
    }

    fn with(change: fn(&mut SimConfig)) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let mut config =
            SimConfig::standard(folder.path().to_owned(), listen, 5, &[Venue::Binance]);
        change(&mut config);
        let key = config.accounts[0].keys[0].clone();
        let KeySecret::Hmac(secret) = key.secret else { panic!() };
        Desk { world: World::open(&config).unwrap(), key: key.id, secret, _folder: folder }
    }

    fn send(&mut self, method: &str, path: &str, query: &str, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("x-mbx-apikey", self.key.parse().unwrap());
        let request = Request {
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: Bytes::copy_from_slice(body.as_bytes()),
            peer: "127.0.0.1:5".parse().unwrap(),
        };
        super::rest(&mut self.world, &request)
    }

    fn sign(&self, text: &str) -> String {
        let stamped = format!("{text}&timestamp={}", self.world.now().millis());
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        let tag = hmac::sign(&key, stamped.as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{stamped}&signature={hex}")
    }

    fn call(&mut self, method: &str, path: &str, params: &str) -> Value {
        let signed = self.sign(params);
        let answer = match method {
            "GET" | "DELETE" => self.send(method, path, &signed, ""),
            _ => self.send(method, path, "", &signed),
        };
        serde_json::from_slice(&answer.body).unwrap()
    }

    fn code(&mut self, method: &str, path: &str, params: &str) -> i64 {
        self.call(method, path, params)["code"].as_i64().unwrap_or(0)
    }
}

const ORDER: &str = "/fapi/v1/order";

#[test]
fn an_order_lives_through_query_amendment_and_cancel() {
    let mut desk = Desk::new();
    let placed = desk.call(
        "POST",
        ORDER,
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.010&price=90000&newClientOrderId=a:b/c.d",
    );
    assert_eq!(placed["status"], "NEW", "{placed}");
    assert_eq!(placed["clientOrderId"], "a:b/c.d");
    assert_eq!(placed["price"], "90000.00");
    assert_eq!(placed["origQty"], "0.010");
    let id = placed["orderId"].as_i64().unwrap();
    let amended = desk.call(
        "PUT",
        ORDER,
        &format!("symbol=BTCUSDT&side=BUY&orderId={id}&quantity=0.02&price=89999.9"),
    );
    assert_eq!((&amended["origQty"], &amended["price"]), (&"0.020".into(), &"89999.90".into()));
    let open = desk.call("GET", "/fapi/v1/openOrders", "symbol=BTCUSDT");
    assert_eq!(open.as_array().unwrap().len(), 1);
    assert!(open[0].get("time").is_some());
    let query = "symbol=BTCUSDT&origClientOrderId=a%3Ab%2Fc.d";
    assert_eq!(desk.call("DELETE", ORDER, query)["status"], "CANCELED");
    assert_eq!(desk.code("DELETE", ORDER, query), -2011);
    assert_eq!(desk.call("GET", ORDER, query)["status"], "CANCELED");
    assert_eq!(desk.code("GET", ORDER, "symbol=BTCUSDT&orderId=5"), -2013);
}

#[test]
fn refusals_have_the_venues_codes() {
    let mut desk = Desk::new();
    let base = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC";
    for (params, code) in [
        (format!("{base}&quantity=0.01"), -1102),
        (format!("{base}&quantity=0.0101&price=90000"), -1111),
        (format!("{base}&quantity=0.01&price=90000.555"), -1111),
        (format!("{base}&quantity=0.01&price=90000.55"), -4014),
        (format!("{base}&quantity=0&price=90000"), -4003),
        (format!("{base}&quantity=0.001&price=90000"), -4164),
        (format!("{base}&quantity=0.01&price=200000"), -4016),
        (format!("{base}&quantity=900&price=90000"), -2019),
        (format!("{base}&quantity=100&price=90000&reduceOnly=true"), -2022),
        (format!("{base}&quantity=0.01&price=90000&positionSide=LONG"), -4061),
        (format!("{base}&quantity=0.01&price=90000&newClientOrderId=a b"), -4015),
        ("symbol=NOPE&side=BUY&type=MARKET&quantity=1".to_owned(), -1121),
        ("symbol=BTCUSDT&side=HOLD&type=MARKET&quantity=1".to_owned(), -1117),
        ("symbol=BTCUSDT&side=BUY&type=STOP_MARKET&quantity=1&stopPrice=1".to_owned(), -4120),
        ("symbol=BTCUSDT&side=BUY&type=WHAT&quantity=1".to_owned(), -1116),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=95000&timeInForce=X".to_owned(),
            -1115,
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=0.1&price=95000&timeInForce=GTX"
                .to_owned(),
            -5022,
        ),
    ] {
        assert_eq!(desk.code("POST", ORDER, &params), code, "{params}");
    }
    let params = "algoType=CONDITIONAL&symbol=BTCUSDT&side=SELL&type=STOP_MARKET&quantity=0.01&triggerPrice=99000";
    assert_eq!(desk.code("POST", "/fapi/v1/algoOrder", params), -2021);
    assert_eq!(desk.send("GET", "/fapi/v1/nothing", "", "").status, 404);
    assert_eq!(desk.code("GET", "/fapi/v1/depth", "symbol=BTCUSDT&limit=7"), -4021);
}

#[test]
fn who_signs_and_when_is_checked() {
    let mut desk = Desk::new();
    let signed = desk.sign("recvWindow=5000");
    let tampered = signed.replace("5000", "5001");
    let fail = |answer: &Answer| {
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        (answer.status, body["code"].as_i64().unwrap())
    };
    let path = "/fapi/v3/account";
    assert_eq!(desk.send("GET", path, &signed, "").status, 200);
    assert_eq!(fail(&desk.send("GET", path, &tampered, "")), (400, -1022));
    let old = "timestamp=1700000000000&signature=00";
    assert_eq!(fail(&desk.send("GET", path, old, "")), (400, -1021));
    let right = std::mem::replace(&mut desk.key, "A".repeat(64));
    assert_eq!(fail(&desk.send("GET", path, &signed, "")), (401, -2015));
    desk.key = "not a key".to_owned();
    assert_eq!(fail(&desk.send("GET", path, &signed, "")), (401, -2014));
    desk.key = right;
    // The desk's key must not move money out.
    let withdraw = "coin=USDT&address=x&amount=1";
    assert_eq!(desk.code("POST", "/sapi/v1/capital/withdraw/apply", withdraw), -2015);
    let rights = desk.call("GET", "/sapi/v1/account/apiRestrictions", "");
    assert_eq!(
        (&rights["enableWithdrawals"], &rights["enableFutures"]),
        (&false.into(), &true.into())
    );
}

#[test]
fn limits_are_counted_and_told() {
    let mut desk = Desk::with(|config| {
        config.limits.weight_per_minute = 10;
        config.limits.orders_per_10s = 2;
    });
    let params = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01";
    let signed = desk.sign(params);
    let answer = desk.send("POST", ORDER, "", &signed);
    let told = |answer: &Answer, name: &str| {
        answer.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
    };
    assert_eq!(told(&answer, "x-mbx-order-count-10s"), Some("1".to_owned()));
    desk.call("POST", ORDER, params);
    assert_eq!(desk.code("POST", ORDER, params), -1015);
    let answer = desk.send("GET", "/fapi/v1/depth", "symbol=BTCUSDT&limit=500", "");
    assert_eq!(told(&answer, "x-mbx-used-weight-1m"), Some("10".to_owned()));
    let answer = desk.send("GET", "/fapi/v1/ping", "", "");
    assert_eq!(answer.status, 429);
    assert!(told(&answer, "retry-after").is_some());
    // Who goes on is banned: nothing is heard any more.
    let answers: Vec<u16> =
        (0..12).map(|_| desk.send("GET", "/fapi/v1/ping", "", "").status).collect();
    assert_eq!((answers[8], answers[9], answers[11]), (429, 418, 418), "{answers:?}");
    let answer = desk.send("GET", "/fapi/v1/ping", "", "");
    let left: u64 = told(&answer, "retry-after").unwrap().parse().unwrap();
    assert!((118..=120).contains(&left), "{left}");
    assert!(String::from_utf8_lossy(&answer.body).contains("banned until "));
}

#[test]
fn a_batch_answers_leg_by_leg() {
    let mut desk = Desk::new();
    let legs = r#"batchOrders=[{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","quantity":"0.01","price":"90000","newClientOrderId":"one"},{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","quantity":0.0000001,"price":"90000"}]"#;
    let placed = desk.call("POST", "/fapi/v1/batchOrders", legs);
    assert_eq!((&placed[0]["clientOrderId"], &placed[1]["code"]), (&"one".into(), &(-1111).into()));
    let id = &placed[0]["orderId"];
    let cancel = format!("symbol=BTCUSDT&orderidlist=%5B{id}%2C1%5D");
    let ended = desk.call("DELETE", "/fapi/v1/batchOrders", &cancel);
    assert_eq!((&ended[0]["status"], &ended[1]["code"]), (&"CANCELED".into(), &(-2011).into()));
}

/// The venue's rule for keeping a book: snapshot, then every change whose `pu` is the last `u`.
#[test]
fn a_book_kept_by_the_depth_rule_equals_the_snapshot() {
    let mut desk = Desk::new();
    let mut feed = desk.world.subscribe();
    let now = desk.world.now();
    let mut stream =
        Stream::open("btcusdt@depth@100ms", Lane::Public, &desk.world.exchange, now).unwrap();
    let mut kept: BTreeMap<(bool, String), String> = BTreeMap::new();
    let mut last: Option<u64> = None;
    let load = |snapshot: &Value, kept: &mut BTreeMap<(bool, String), String>| {
        kept.clear();
        for (bid, side) in [(true, "bids"), (false, "asks")] {
            for level in snapshot[side].as_array().unwrap() {
                let text = |place: usize| level[place].as_str().unwrap().to_owned();
                kept.insert((bid, text(0)), text(1));
            }
        }
        snapshot["lastUpdateId"].as_u64().unwrap()
    };
    let mut events = 0;
    for round in 0..120 {
        std::thread::sleep(std::time::Duration::from_millis(6));
        desk.world.apply(&Input::Tick);
        let side = if round % 2 == 0 { "BUY" } else { "SELL" };
        let params = format!("symbol=BTCUSDT&side={side}&type=MARKET&quantity=0.{:03}", 20 + round);
        desk.call("POST", ORDER, &params);
        while let Ok(batch) = feed.try_recv() {
            for effect in &batch.effects {
                assert!(stream.take(effect, &desk.world.exchange, batch.time).is_empty());
            }
        }
        for event in stream.due(&desk.world.exchange, desk.world.now()) {
            let id = |name: &str| event[name].as_u64().unwrap();
            let Some(before) = last else { continue };
            if id("u") < before {
                continue;
            }
            events += 1;
            assert!(id("pu") == before || id("U") <= before && before <= id("u"), "{event}");
            for (bid, side) in [(true, "b"), (false, "a")] {
                for level in event[side].as_array().unwrap() {
                    let text = |place: usize| level[place].as_str().unwrap().to_owned();
                    if text(1).parse::<f64>().unwrap() == 0.0 {
                        kept.remove(&(bid, text(0)));
                    } else {
                        kept.insert((bid, text(0)), text(1));
                    }
                }
            }
            last = Some(id("u"));
            let snapshot = desk.call("GET", "/fapi/v1/depth", "symbol=BTCUSDT&limit=1000");
            let mut fresh = BTreeMap::new();
            assert_eq!(Some(load(&snapshot, &mut fresh)), last);
            assert_eq!(fresh, kept, "after {events} events");
        }
        if round == 3 {
            let snapshot = desk.call("GET", "/fapi/v1/depth", "symbol=BTCUSDT&limit=1000");
            last = Some(load(&snapshot, &mut kept));
        }
    }
    assert!(events > 3, "{events}");
}

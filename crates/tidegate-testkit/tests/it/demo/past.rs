//! Somebody with the exchange's own key trades past Tidegate.

use super::stage::Demo;
use super::{START, secrets_of};
use crate::program::{eventually, run_json};
use aws_lc_rs::hmac;
use serde_json::Value;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

/// The simulator of a demo, reached as the exchange is: with a key of the account's own.
struct Exchange {
    address: String,
    key: String,
    secret: String,
}

impl Exchange {
    fn behind(demo: &Demo) -> Exchange {
        let address = fs::read_to_string(demo.dir.join("sim-port")).unwrap().trim().to_owned();
        let told = secrets_of("7");
        let keys = told.pointer("/venues/binance/keys").and_then(Value::as_array).unwrap();
        let own = |key: &&Value| key["account"] == "desk" && key["scheme"] == "hmac";
        let key = keys.iter().find(own).unwrap();
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        Exchange { address, key: text("key"), secret: text("secret") }
    }

    fn ask(&self, method: &str, query: &str) -> Value {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        let text = format!("{query}&timestamp={now}&recvWindow=5000");
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        let tag = hmac::sign(&key, text.as_bytes());
        let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        write!(
            stream,
            "{method} /binance/fapi/v1/order?{text}&signature={tag} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-mbx-apikey: {}\r\ncontent-length: 0\r\n\r\n",
            self.key
        )
        .unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        let body = said.split_once("\r\n\r\n").unwrap().1;
        let from = body.find('{').unwrap();
        let to = body.rfind('}').unwrap();
        let answer: Value = serde_json::from_str(&body[from..=to]).unwrap();
        assert!(answer["code"].as_i64().is_none_or(|code| code >= 0), "{answer}");
        answer
    }
}

fn alarm(demo: &Demo, kind: &str) -> Value {
    eventually(kind, START, || {
        let alarms = demo.status()["alarms"].as_array()?.clone();
        alarms.into_iter().find(|a| a["kind"] == kind && a["account"] == "binance-main")
    })
}

fn position(demo: &Demo) -> f64 {
    let accounts = demo.status()["accounts"].clone();
    let main = accounts.as_array().unwrap().iter().find(|a| a["account"] == "binance-main");
    let held = main.unwrap()["positions"].get("BTCUSDT").cloned();
    held.map_or(0.0, |qty| qty.as_str().unwrap().parse().unwrap())
}

/// Every way of trading past Tidegate is an alarm: an order, its trade, a cancel of an order of ours.
pub(super) fn trades_past_tidegate(demo: &Demo) {
    let exchange = Exchange::behind(demo);
    let price = demo.price(97.0);
    let resting =
        format!("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.020&price={price}");
    let foreign = exchange.ask("POST", &resting)["orderId"].to_string();
    let told = alarm(demo, "foreign-order");
    assert_eq!(told["venue_id"], foreign.as_str(), "{told}");
    assert_eq!((&told["side"], &told["qty"]), (&"buy".into(), &"0.02".into()), "{told}");
    assert_eq!(told["instrument"], "binance/BTCUSDT");
    let open = demo.status()["foreign"].clone();
    assert!(open.as_array().unwrap().iter().any(|o| o["venue_id"] == foreign.as_str()), "{open}");

    let mine = demo.place("cancelled-elsewhere").to_string();
    exchange.ask("DELETE", &format!("symbol=BTCUSDT&orderId={mine}"));
    let told = alarm(demo, "foreign-cancel");
    assert_eq!((&told["venue_id"], &told["caller"]), (&mine.as_str().into(), &"you".into()));
    exchange.ask("DELETE", &format!("symbol=BTCUSDT&orderId={foreign}"));

    let before = position(demo);
    exchange.ask("POST", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.015");
    let told = alarm(demo, "foreign-fill");
    assert_eq!((&told["side"], &told["asset"]), (&"buy".into(), &Value::Null), "{told}");
    let is = |wanted: f64| {
        let near = || ((position(demo) - wanted).abs() < 1e-9).then_some(());
        eventually("the position counts it", START, near);
    };
    is(before + 0.015);
    exchange.ask("POST", "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.015");
    is(before);

    breaker_trips(demo, &exchange);

    for kind in ["foreign-order", "foreign-cancel", "foreign-fill"] {
        eventually(kind, START, || {
            let log = fs::read_to_string(demo.dir.join("logs/gateway.log")).ok()?;
            log.lines().any(|l| l.contains("ALARM") && l.contains(kind)).then_some(())
        });
    }
    let listed = run_json(&demo.dir, &["alarms", "--seen"]);
    assert!(listed.json["alarms"].as_array().unwrap().len() >= 3, "{}", listed.json);
    let left = run_json(&demo.dir, &["alarms"]).json;
    assert_eq!(left["alarms"], serde_json::json!([]), "{left}");
    assert!(left["raised"].as_u64().unwrap() >= 3, "{left}");
}

/// Three trades that no order explains stop the account, until a person lets it go on.
fn breaker_trips(demo: &Demo, exchange: &Exchange) {
    let before = position(demo);
    for side in ["BUY", "SELL", "BUY", "SELL"] {
        exchange.ask("POST", &format!("symbol=BTCUSDT&side={side}&type=MARKET&quantity=0.015"));
    }
    let (breaker, scope) = ("stray-fills@each-account", "account:binance-main");
    eventually("the breaker trips", START, || {
        let rows = demo.status()["breakers"].as_array()?.clone();
        let row = rows.iter().find(|row| row["breaker"] == breaker)?.clone();
        let places = row["places"].as_array()?.clone();
        let here = places.iter().find(|place| place["scope"] == scope)?.clone();
        (here["stage"] == "tripped").then_some(())
    });
    let (status, said) = demo.try_place("stopped");
    assert!(status >= 400 && said["msg"].as_str().unwrap().contains("TG560"), "{said}");
    eventually("all is counted", START, || ((position(demo) - before).abs() < 1e-9).then_some(()));
    for turn in ["half-open", "close"] {
        let turned = run_json(&demo.dir, &["breaker", turn, breaker, scope, "--reason", "known"]);
        assert_eq!(turned.code, 0, "{turned:?}");
    }
    demo.place("let-go-on");
}

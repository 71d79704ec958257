//! The dialect over an exchange of its own, without sockets.

mod account;
mod errors;
mod orders;
mod shapes;
mod streams;

use super::{Deribit, Desk, Key, Out, Proof, Request};
use crate::engine::input::{Input, Reply};
use crate::engine::{AccountIx, Effect, Exchange, Setup, Venue};
use serde_json::{Value, json};
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::time::{Span, Time};

/// Saturday 2026-11-21, 17:00 UTC.
const START: Time = Time::from_millis(1_795_280_400_000);

/// An exchange that remembers what happened.
struct Host {
    exchange: Exchange,
    now: Time,
    effects: Vec<Effect>,
}

impl Desk for Host {
    fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    fn apply(&mut self, input: Input) -> Reply {
        self.exchange.apply(&input, self.now, &mut self.effects)
    }
}

/// A venue with two accounts (`alice`, `bob`), whose keys are `<name>/secret`, and two keys of
/// alice with fewer rights (`reader`) and more (`banker`).
struct Town {
    host: Host,
    venue: Deribit,
    next_link: u64,
}

fn key(id: u64, name: &str, account: AccountIx, max_scope: &str) -> Key {
    Key {
        id,
        name: name.into(),
        client_id: name.into(),
        proof: Proof::Secret("secret".into()),
        account,
        max_scope: max_scope.into(),
    }
}

impl Town {
    fn new() -> Town {
        Town::with_credits(0)
    }

    fn with_credits(scale: u64) -> Town {
        let money = || {
            [("BTC", 5), ("ETH", 100), ("USDC", 100_000)]
                .map(|(asset, whole)| (asset.to_owned(), Decimal::new(whole, 0)))
                .to_vec()
        };
        let accounts = ["alice", "bob"].map(|name| (Venue::Deribit, name.to_owned(), money()));
        let setup = Setup {
            seed: 7,
            venues: vec![Venue::Deribit],
            accounts: accounts.to_vec(),
            few: false,
        };
        let exchange = Exchange::new(&setup, START);
        let find = |name| exchange.find_account(Venue::Deribit, name).unwrap();
        let (alice, bob) = (find("alice"), find("bob"));
        let trader = "account:read trade:read_write mainaccount";
        let keys = vec![
            key(1, "alice", alice, "account:read_write trade:read_write mainaccount"),
            key(2, "bob", bob, trader),
            key(3, "reader", alice, "account:read trade:read"),
            key(4, "banker", alice, "account:read_write trade:read_write wallet:read_write"),
        ];
        let host = Host { exchange, now: START, effects: Vec::new() };
        Town { host, venue: Deribit::new(keys, 7, scale), next_link: 1 }
    }

    /// A call over HTTP by someone (`""` is nobody), whole.
    fn http(&mut self, who: &str, method: &str, params: Value) -> Value {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{who}:secret"));
        let header = format!("Basic {pair}");
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let body = body.to_string();
        let request = Request {
            method: "POST",
            target: "/api/v2",
            authorization: Some(header.as_str()).filter(|_| !who.is_empty()),
            body: body.as_bytes(),
            peer: "127.0.0.1",
        };
        let now = self.host.now;
        let (status, text) = self.venue.http(&mut self.host, &request, now);
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(status, if answer.get("error").is_none() { 200 } else { 400 });
        self.settle();
        answer
    }

    /// The result of a call that must succeed.
    fn ok(&mut self, who: &str, method: &str, params: Value) -> Value {
        let answer = self.http(who, method, params.clone());
        answer.get("result").unwrap_or_else(|| panic!("{method} {params}: {answer}")).clone()
    }

    /// The error code of a call that must fail.
    fn code(&mut self, who: &str, method: &str, params: Value) -> i64 {
        let answer = self.http(who, method, params.clone());
        answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("{method} {params}: {answer}"))
    }

    fn settle(&mut self) {
        let effects = std::mem::take(&mut self.host.effects);
        self.venue.effects(&self.host.exchange, &effects, self.host.now);
    }

    /// Lets time pass, with a tick of the exchange in each tenth of a second.
    fn pass(&mut self, tenths: u32) {
        for _ in 0..tenths {
            self.host.now = self.host.now.plus(Span::from_millis(100));
            self.host.apply(Input::Tick);
            self.settle();
            let now = self.host.now;
            self.venue.tick(&mut self.host, now);
            self.settle();
        }
    }

    fn link(&mut self) -> u64 {
        let link = self.next_link;
        self.next_link += 1;
        self.venue.connect(link, "127.0.0.1", self.host.now);
        link
    }

    /// A connection that is signed in.
    fn signed_in(&mut self, who: &str) -> u64 {
        let link = self.link();
        let login = json!({"grant_type": "client_credentials", "client_id": who, "client_secret": "secret"});
        let answer = self.ask(link, "public/auth", login);
        assert_eq!(answer["result"]["token_type"], "bearer", "{answer}");
        link
    }

    /// Sends a frame and gives back what came on that connection.
    fn frame(&mut self, link: u64, text: &str) -> Vec<Value> {
        let now = self.host.now;
        self.venue.text(&mut self.host, link, text.as_bytes(), now);
        self.settle();
        self.heard(link)
    }

    /// A call on a connection: its answer.
    fn ask(&mut self, link: u64, method: &str, params: Value) -> Value {
        let call = json!({"jsonrpc": "2.0", "id": 99, "method": method, "params": params});
        let messages = self.frame(link, &call.to_string());
        let answer = messages.into_iter().find(|message| message.get("id").is_some());
        answer.unwrap_or(Value::Null)
    }

    /// What came on a connection since last asked.
    fn heard(&mut self, link: u64) -> Vec<Value> {
        let mine = |out: Out| match out {
            Out::Text(to, text) if to == link => Some(serde_json::from_str(&text).unwrap()),
            Out::Close(to, code, _) if to == link => Some(json!({ "closed": code })),
            _ => None,
        };
        self.venue.drain().filter_map(mine).collect()
    }

    /// The data of what came by a subscription.
    fn news(&mut self, link: u64) -> Vec<Value> {
        let data = |message: Value| message["params"].get("data").cloned();
        self.heard(link).into_iter().filter_map(data).collect()
    }

    /// The best prices of an instrument.
    fn best(&mut self, instrument: &str) -> (Decimal, Decimal) {
        let ticker = self.ok("", "public/ticker", json!({ "instrument_name": instrument }));
        (decimal(&ticker["best_bid_price"]), decimal(&ticker["best_ask_price"]))
    }

    /// Someone's order, placed.
    fn place(&mut self, who: &str, side: &str, params: Value) -> Value {
        self.ok(who, &format!("private/{side}"), params)
    }
}

fn decimal(value: &Value) -> Decimal {
    value.as_number().unwrap_or_else(|| panic!("no number: {value}")).as_str().parse().unwrap()
}

/// A decimal as a JSON number.
fn number(value: Decimal) -> Value {
    serde_json::from_str(&value.to_string()).unwrap()
}

fn less(value: Decimal, by: i64, places: u32) -> Decimal {
    value.sub(Decimal::new(by, places)).unwrap()
}

/// An option of bitcoin that trades, near the money.
fn an_option(town: &mut Town, call: bool) -> String {
    let wanted = json!({"currency": "BTC", "kind": "option"});
    let all = town.ok("", "public/get_instruments", wanted);
    let word = if call { "call" } else { "put" };
    let strike = |option: &Value| decimal(&option["strike"]).raw();
    let index = town.host.exchange.index("BTC").raw();
    let options = all.as_array().unwrap().iter().filter(|option| option["option_type"] == word);
    let last = options.clone().map(|option| option["expiration_timestamp"].as_u64()).max().unwrap();
    let nearest = options
        .filter(|option| option["expiration_timestamp"].as_u64() == last)
        .min_by_key(|option| (strike(option) - index).abs())
        .unwrap();
    nearest["instrument_name"].as_str().unwrap().to_owned()
}

#[test]
fn a_town_is_deterministic() {
    let run = || {
        let mut town = Town::new();
        town.pass(20);
        town.place(
            "alice",
            "buy",
            json!({
                "instrument_name": "BTC-PERPETUAL", "amount": 100, "type": "market",
            }),
        )
    };
    assert_eq!(run(), run());
}

#[test]
fn shared_effects_reach_every_listener() {
    let mut town = Town::new();
    let links = [town.link(), town.link()];
    for link in links {
        town.ask(link, "public/subscribe", json!({"channels": ["quote.BTC-PERPETUAL"]}));
    }
    town.pass(20);
    let messages: Vec<Out> = town.venue.drain().collect();
    let of = |link: u64| -> Vec<Arc<str>> {
        let mine = messages.iter().filter_map(|out| match out {
            Out::Text(to, text) if *to == link => Some(text.clone()),
            _ => None,
        });
        mine.collect()
    };
    assert!(!of(links[0]).is_empty());
    assert_eq!(of(links[0]), of(links[1]));
}

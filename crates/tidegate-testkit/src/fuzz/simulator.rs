//! The simulator's own parsers: it reads what gateways and bare clients send it.

use super::world::{self, NOW};
use tidegate_sim::deribit::{Deribit, Desk, Key, Proof, Request};
use tidegate_sim::engine::input::{Input, Reply};
use tidegate_sim::engine::{Exchange, Setup, Venue};
use tidegate_types::Decimal;
use tidegate_types::time::Span;

struct Host(Exchange);

impl Desk for Host {
    fn exchange(&self) -> &Exchange {
        &self.0
    }

    fn apply(&mut self, input: Input) -> Reply {
        self.0.apply(&input, NOW, &mut Vec::new())
    }
}

/// A request over HTTP, and the same bytes line by line on a socket that is logged in.
pub(super) fn deribit(data: &[u8]) {
    let Some(venue) = Venue::find("deribit") else { return };
    let money = vec![("BTC".to_owned(), Decimal::ONE)];
    let setup = Setup {
        seed: 1,
        venues: vec![venue],
        accounts: vec![(venue, "main".to_owned(), money)],
        few: false,
    };
    let mut host = Host(Exchange::new(&setup, NOW));
    let Some(account) = host.0.find_account(venue, "main") else { return };
    let key = Key {
        id: 1,
        name: "main".to_owned(),
        client_id: "key".to_owned(),
        proof: Proof::Secret("secret".to_owned()),
        account,
        max_scope: "account:read_write trade:read_write".to_owned(),
    };
    let mut deribit = Deribit::new(vec![key], 1, 0);
    if let Some(request) = world::request(data) {
        let target = request.target();
        let authorization = request.header("authorization");
        let body = &request.body;
        let method = request.method.as_str();
        let request = Request { method, target: &target, authorization, body, peer: "127.0.0.1" };
        let (_, said) = deribit.http(&mut host, &request, NOW);
        assert!(serde_json::from_str::<serde_json::Value>(&said).is_ok(), "{said}");
    }
    deribit.connect(1, "127.0.0.1", NOW);
    let mut now = NOW;
    for line in data.split(|byte| *byte == b'\n').take(32) {
        now = now.plus(Span::from_millis(100));
        deribit.text(&mut host, 1, line, now);
        deribit.tick(&mut host, now);
        deribit.drain().for_each(drop);
    }
    deribit.disconnect(&mut host, 1);
}

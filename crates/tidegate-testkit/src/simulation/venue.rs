//! The venue: the simulator, spoken to in its own dialect, without sockets.

use std::path::PathBuf;
use tidegate_sim::SimConfig;
use tidegate_sim::binance::{self, Reader};
use tidegate_sim::config::Limits;
use tidegate_sim::engine::{AccountIx, Input, NewOrder, Order, Venue as At};
use tidegate_sim::serve::http::Request;
use tidegate_sim::serve::world::World;
use tidegate_types::call::WireRequest;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::request::Reply;
use tidegate_types::time::Time;

use super::keys::Key;
use super::rng::Rng;

/// The names of the accounts: Tidegate's and the venue's.
pub(super) const ACCOUNTS: [(&str, &str); 2] = [("main", "desk"), ("side", "spare1")];

/// The venue and who listens to it.
#[derive(Debug)]
pub(super) struct Venue {
    /// The simulator.
    pub(super) world: World,
    sockets: Vec<(u64, Reader)>,
    accounts: Vec<AccountIx>,
}

impl Venue {
    /// A venue that opens at `now`, and the keys of its accounts.
    pub(super) fn open(seed: u64, now: Time) -> Result<(Venue, Vec<Key>), String> {
        let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let config = SimConfig::standard(PathBuf::new(), listen, seed, &[At::Binance]);
        let world = World::in_memory(&config, now);
        let (mut accounts, mut keys) = (Vec::new(), Vec::new());
        for (ours, theirs) in ACCOUNTS {
            let ix = world.exchange.find_account(At::Binance, theirs);
            accounts.push(ix.ok_or("the simulator lacks an account")?);
            let account = config.accounts.iter().find(|account| account.name == theirs);
            let key = account.and_then(|account| account.keys.first());
            keys.push(Key::new(ours, key.ok_or("the simulator's account lacks a key")?)?);
        }
        Ok((Venue { world, sockets: Vec::new(), accounts }, keys))
    }

    /// Allows little more than an account that is watched needs by itself.
    pub(super) fn tighten(&mut self) {
        self.world.limits =
            Limits { weight_per_minute: 1_200, orders_per_10s: 12, orders_per_minute: 40 };
    }

    /// Answers a request.
    pub(super) fn rest(&mut self, request: &WireRequest) -> Result<Reply, String> {
        let WireRequest { method, target, headers, body } = request;
        let request = Request::new(method, target, headers, body);
        let request = request.ok_or("the gateway made a request that is none")?;
        let answer = binance::rest(&mut self.world, &request);
        let headers = answer.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
        Ok(Reply { status: answer.status, headers: headers.collect(), body: answer.body })
    }

    /// Lets time pass.
    pub(super) fn tick(&mut self) -> Result<(), String> {
        self.world.tick()
    }

    /// Opens a socket; the venue may close it at once.
    pub(super) fn connect(&mut self, number: u64, target: &str) -> Result<(), String> {
        let request = Request::new("GET", target, &[], "");
        let request = request.ok_or("the gateway opens a socket at no address")?;
        let reader = Reader::open(&request, &mut self.world);
        self.sockets.push((number, reader.ok_or("the venue closed the socket")?));
        Ok(())
    }

    /// Closes a socket.
    pub(super) fn hang_up(&mut self, number: u64) {
        self.sockets.retain(|(socket, _)| *socket != number);
    }

    /// What the venue has said on its sockets since the last call.
    pub(super) fn said(&mut self) -> Vec<(u64, Vec<String>)> {
        let world = &mut self.world;
        let said = self.sockets.iter_mut().map(|(number, reader)| (*number, reader.read(world)));
        said.filter(|(_, texts)| !texts.is_empty()).collect()
    }

    /// The live orders of an account, conditional ones too.
    pub(super) fn open_orders(&self, account: usize) -> impl Iterator<Item = &Order> {
        let ix = self.accounts.get(account).copied();
        ix.into_iter().flat_map(|ix| self.world.exchange.open_orders(ix))
    }

    /// The positions of an account, by symbol.
    pub(super) fn positions(&self, account: usize) -> Vec<(String, Decimal)> {
        let Some(ix) = self.accounts.get(account).copied() else { return Vec::new() };
        let exchange = &self.world.exchange;
        let held = exchange.markets(At::Binance).map(|(instrument, market)| {
            let net = exchange.account(ix).map_or(Decimal::ZERO, |owner| owner.net(instrument));
            (market.listing.symbol.to_string(), net)
        });
        held.filter(|(_, net)| !net.is_zero()).collect()
    }

    /// The name and the mark of an order's instrument.
    pub(super) fn market(&self, order: &Order) -> (&str, Decimal) {
        let market = self.world.exchange.market(order.ask.instrument);
        market.map_or(("", Decimal::ZERO), |market| (&*market.listing.symbol, market.mark))
    }

    /// Every mark, by symbol.
    pub(super) fn marks(&self) -> impl Iterator<Item = (&str, Decimal)> {
        let markets = self.world.exchange.markets(At::Binance);
        markets.map(|(_, market)| (&*market.listing.symbol, market.mark))
    }

    /// The most often that one client id arrived.
    pub(super) fn most_arrivals(&self) -> Option<(String, u32)> {
        let exchange = &self.world.exchange;
        let counted = self.accounts.iter().flat_map(|ix| exchange.all_arrivals(*ix));
        let ours = counted.filter(|(id, _)| id.starts_with("tg"));
        ours.max_by_key(|(_, count)| *count).map(|(id, count)| (id.to_owned(), count))
    }

    /// How often an order with this client id arrived at any account.
    pub(super) fn arrivals(&self, id: &str) -> u32 {
        self.accounts.iter().map(|ix| self.world.exchange.arrivals(*ix, id)).sum()
    }

    /// Somebody with another key trades on an account, past the gateway.
    pub(super) fn outsider(&mut self, rng: &mut Rng) {
        let Some(account) = rng.pick(&self.accounts).copied() else { return };
        let open: Vec<_> = self.world.exchange.open_orders(account).map(|order| order.id).collect();
        let symbol = rng.pick(&["BTCUSDT", "ETHUSDT"]).copied().unwrap_or("BTCUSDT");
        let Some(instrument) = self.world.exchange.instrument(At::Binance, symbol) else { return };
        let mark = self.world.exchange.market(instrument).map_or(Decimal::ONE, |m| m.mark);
        let side = if rng.chance(500) { Side::Buy } else { Side::Sell };
        let quantity = Decimal::new(i64::try_from(rng.between(50, 300)).unwrap_or(50), 3);
        let input = match rng.below(4) {
            0 if !open.is_empty() => {
                let id = rng.pick(&open).copied().unwrap_or_default();
                Input::Cancel { account, target: tidegate_sim::engine::OrderRef::Id { id } }
            }
            1 => Input::Place {
                account,
                order: Box::new(NewOrder::market(instrument, side, quantity)),
            },
            _ => {
                let percent = i64::try_from(rng.between(1, 30)).unwrap_or(1);
                let off = mark.raw() / 1000 * percent / 100_000_000 * 100_000_000;
                let price = if side == Side::Buy { mark.raw() - off } else { mark.raw() + off };
                let price = Decimal::from_raw(price / 100_000_000 * 100_000_000);
                let mut order = NewOrder::limit(instrument, side, quantity, price);
                order.client_id = format!("web_{:x}", rng.number()).into();
                Input::Place { account, order: Box::new(order) }
            }
        };
        self.world.apply(&input);
    }
}

//! The venues: the simulator, spoken to in its own dialects, without sockets.

use std::path::PathBuf;
use tidegate_sim::SimConfig;
use tidegate_sim::binance::{self, Reader};
use tidegate_sim::config::Limits;
use tidegate_sim::engine::order::{EndReason, Status};
use tidegate_sim::engine::{AccountIx, Input, Listing, NewOrder, Order, Unit, Venue as At};
use tidegate_sim::serve::deribit::{self, Line, News};
use tidegate_sim::serve::http::Request;
use tidegate_sim::serve::world::World;
use tidegate_types::call::WireRequest;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::request::Reply;
use tidegate_types::time::Time;

use super::keys::Key;
use super::rng::Rng;

/// The venues, by place.
pub(super) const VENUES: [At; 2] = [At::Binance, At::Deribit];

/// The names of the accounts, Tidegate's and the venue's, and the place of the venue.
pub(super) const ACCOUNTS: [(&str, &str, usize); 4] =
    [("main", "desk", 0), ("side", "spare1", 0), ("gold", "desk", 1), ("blue", "spare1", 1)];

/// The place of an account by Tidegate's name of it.
pub(super) fn account_place(name: &str) -> usize {
    ACCOUNTS.iter().position(|(ours, ..)| *ours == name).unwrap_or(0)
}

/// The place of an account's venue.
pub(super) fn venue_of(account: usize) -> usize {
    ACCOUNTS.get(account).map_or(0, |(.., venue)| *venue)
}

/// The venues and who listens to them.
#[derive(Debug)]
pub(super) struct Venue {
    /// The simulator.
    pub(super) world: World,
    sockets: Vec<(u64, End)>,
    news: News,
    accounts: Vec<AccountIx>,
}

/// The venue's end of a socket.
#[derive(Debug)]
enum End {
    Streams(Box<Reader>),
    Line(Line),
}

/// What one may know of an instrument before trading it.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// Its name.
    pub(super) symbol: String,
    /// Its mark.
    pub(super) mark: Decimal,
    /// What one unit of quantity is worth at the mark, in dollars.
    pub(super) unit: Decimal,
    /// Whether it is an option.
    pub(super) option: bool,
    /// The smallest quantity and its step.
    pub(super) step: Decimal,
    listing: Listing,
}

impl Terms {
    /// The next price downwards that is on the grid.
    pub(super) fn on_grid(&self, raw: i64) -> Decimal {
        // A whole dollar is on every grid of the first venue.
        let tick = match self.listing.venue {
            At::Binance => UNIT,
            At::Deribit => self.listing.tick_at(Decimal::from_raw(raw)).raw(),
        };
        Decimal::from_raw((raw / tick * tick).max(tick))
    }

    /// The next quantity downwards that is on the grid.
    pub(super) fn sized(&self, raw: i64) -> Decimal {
        let step = self.step.raw();
        Decimal::from_raw((raw / step * step).max(step))
    }
}

const UNIT: i64 = 100_000_000;

impl Venue {
    /// A venue that opens at `now`, and the keys of its accounts.
    pub(super) fn open(seed: u64, now: Time) -> Result<(Venue, Vec<Key>), String> {
        let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let standard = SimConfig::standard(PathBuf::new(), listen, seed, &VENUES);
        let config = SimConfig { few: true, ..standard };
        let mut world = World::in_memory(&config, now);
        let (mut accounts, mut keys) = (Vec::new(), Vec::new());
        for (ours, theirs, venue) in ACCOUNTS {
            let venue = VENUES.get(venue).copied().unwrap_or(At::Binance);
            let ix = world.exchange.find_account(venue, theirs);
            accounts.push(ix.ok_or("the simulator lacks an account")?);
            let mut of = config.accounts.iter().filter(|account| account.venue == venue);
            let account = of.find(|account| account.name == theirs);
            let key = account.and_then(|account| account.keys.first());
            keys.push(Key::new(ours, key.ok_or("the simulator's account lacks a key")?)?);
        }
        let news = News::new(&mut world);
        Ok((Venue { world, sockets: Vec::new(), news, accounts }, keys))
    }

    /// Allows little more than an account that is watched needs by itself.
    pub(super) fn tighten(&mut self) {
        self.world.limits =
            Limits { weight_per_minute: 1_200, orders_per_10s: 12, orders_per_minute: 40 };
    }

    /// Answers a request.
    pub(super) fn rest(&mut self, venue: usize, request: &WireRequest) -> Result<Reply, String> {
        let WireRequest { method, target, headers, body } = request;
        let request = Request::new(method, target, headers, body);
        let request = request.ok_or("the gateway made a request that is none")?;
        let answer = match VENUES.get(venue) {
            Some(At::Deribit) => deribit::rest(&mut self.world, &request),
            _ => binance::rest(&mut self.world, &request),
        };
        let headers = answer.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
        Ok(Reply { status: answer.status, headers: headers.collect(), body: answer.body })
    }

    /// Lets time pass.
    pub(super) fn tick(&mut self) -> Result<(), String> {
        self.world.tick()?;
        self.news.bring(&mut self.world);
        News::tick(&mut self.world);
        Ok(())
    }

    /// Opens a socket; the venue may close it at once.
    pub(super) fn connect(
        &mut self,
        venue: usize,
        number: u64,
        target: &str,
    ) -> Result<(), String> {
        if VENUES.get(venue) == Some(&At::Deribit) {
            self.sockets.push((number, End::Line(Line::open(&mut self.world))));
            return Ok(());
        }
        let request = Request::new("GET", target, &[], "");
        let request = request.ok_or("the gateway opens a socket at no address")?;
        let reader = Reader::open(&request, &mut self.world);
        let reader = reader.ok_or("the venue closed the socket")?;
        self.sockets.push((number, End::Streams(Box::new(reader))));
        Ok(())
    }

    /// Closes a socket.
    pub(super) fn hang_up(&mut self, number: u64) {
        let place = self.sockets.iter().position(|(socket, _)| *socket == number);
        if let Some((_, End::Line(line))) = place.map(|place| self.sockets.remove(place)) {
            line.close(&mut self.world);
        }
    }

    /// The gateway says something on a socket.
    pub(super) fn hear(&mut self, number: u64, text: &str) {
        let end = self.sockets.iter().find(|(socket, _)| *socket == number);
        if let Some((_, End::Line(line))) = end {
            line.say(&mut self.world, text);
        }
    }

    /// What the venue has said on its sockets since the last call, and which of them it closed.
    pub(super) fn said(&mut self) -> (Vec<(u64, Vec<String>)>, Vec<u64>) {
        let world = &mut self.world;
        self.news.bring(world);
        let (mut said, mut closed) = (Vec::new(), Vec::new());
        for (number, end) in &mut self.sockets {
            let texts = match end {
                End::Streams(reader) => reader.read(world),
                End::Line(line) => {
                    let (texts, ended) = line.read();
                    closed.extend(ended.then_some(*number));
                    texts
                }
            };
            if !texts.is_empty() {
                said.push((*number, texts));
            }
        }
        (said, closed)
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
        let venue = VENUES.get(venue_of(account)).copied().unwrap_or(At::Binance);
        let held = exchange.markets(venue).map(|(instrument, market)| {
            let net = exchange.account(ix).map_or(Decimal::ZERO, |owner| owner.net(instrument));
            (market.listing.symbol.to_string(), net)
        });
        held.filter(|(_, net)| !net.is_zero()).collect()
    }

    /// What the wallets of an account hold, by asset.
    pub(super) fn balances(&self, account: usize) -> Vec<(String, Decimal)> {
        let owner = self.accounts.get(account).and_then(|ix| self.world.exchange.account(*ix));
        let wallets = owner.into_iter().flat_map(|owner| &owner.wallets);
        let held = wallets.filter(|(_, held)| !held.is_zero());
        held.map(|(asset, held)| (asset.to_string(), *held)).collect()
    }

    /// The name of an order's instrument and what its quantity means.
    pub(super) fn market(&self, order: &Order) -> (&str, Unit) {
        let market = self.world.exchange.market(order.ask.instrument);
        market.map_or(("", Unit::Linear), |market| (&*market.listing.symbol, market.listing.unit))
    }

    /// What a unit of every instrument is worth at its mark, by symbol.
    pub(super) fn units(&self) -> impl Iterator<Item = (&str, Decimal)> {
        let markets = VENUES.into_iter().flat_map(|venue| self.world.exchange.markets(venue));
        markets.map(|(_, market)| {
            let unit = match market.listing.unit {
                Unit::Linear => market.mark,
                Unit::Inverse => Decimal::ONE,
                Unit::CoinOption => market.index,
            };
            (&*market.listing.symbol, unit)
        })
    }

    /// What a venue lists for its callers; dated futures of the first venue aside.
    pub(super) fn terms(&self, venue: usize) -> Vec<Terms> {
        let at = VENUES.get(venue).copied().unwrap_or(At::Binance);
        let markets = self.world.exchange.markets(at);
        let listed = markets.filter(|(_, market)| !market.listing.symbol.contains("USDT_"));
        let terms = listed.map(|(_, market)| Terms {
            symbol: market.listing.symbol.to_string(),
            mark: market.mark,
            unit: match market.listing.unit {
                Unit::Linear => market.mark,
                Unit::Inverse => Decimal::ONE,
                Unit::CoinOption => market.index,
            },
            option: market.listing.is_option(),
            step: market.listing.step,
            listing: market.listing.clone(),
        });
        terms.collect()
    }

    /// The most often that one client id arrived.
    pub(super) fn most_arrivals(&self) -> Option<(String, u32)> {
        let exchange = &self.world.exchange;
        let counted = self.accounts.iter().flat_map(|ix| exchange.all_arrivals(*ix));
        let ours = counted.filter(|(id, _)| id.starts_with("tg"));
        ours.max_by_key(|(_, count)| *count).map(|(id, count)| (id.to_owned(), count))
    }

    /// Whether an order with this client id was taken, live or ended. One that was refused as it
    /// triggered did nothing, and may come again.
    pub(super) fn accepted(&self, account: usize, id: &str) -> bool {
        let target = tidegate_sim::engine::OrderRef::Client { id: id.into() };
        let ix = self.accounts.get(account).copied();
        let found = ix.and_then(|ix| self.world.exchange.find_order(ix, &target));
        let refused = Status::Ended { reason: EndReason::TriggerRefused };
        found.is_some_and(|order| order.status != refused)
    }

    /// How often an order with this client id arrived at any account.
    pub(super) fn arrivals(&self, id: &str) -> u32 {
        self.accounts.iter().map(|ix| self.world.exchange.arrivals(*ix, id)).sum()
    }

    /// Somebody with another key trades on an account, past the gateway.
    pub(super) fn outsider(&mut self, rng: &mut Rng) {
        let place = usize::try_from(rng.below(ACCOUNTS.len() as u64)).unwrap_or(0);
        let Some(account) = self.accounts.get(place).copied() else { return };
        let open: Vec<_> = self.world.exchange.open_orders(account).map(|order| order.id).collect();
        let venue = venue_of(place);
        let Some(terms) = rng.pick(&self.terms(venue)).cloned() else { return };
        let at = VENUES.get(venue).copied().unwrap_or(At::Binance);
        let Some(instrument) = self.world.exchange.instrument(at, &terms.symbol) else { return };
        let mark = terms.mark;
        let side = if rng.chance(500) { Side::Buy } else { Side::Sell };
        let dollars = i128::from(rng.between(3_000, 20_000)) * i128::from(UNIT * UNIT);
        let quantity = dollars / i128::from(terms.unit.raw().max(1));
        let quantity = terms.sized(i64::try_from(quantity).unwrap_or(UNIT));
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
                let off = mark.raw() / 1000 * percent;
                let price = if side == Side::Buy { mark.raw() - off } else { mark.raw() + off };
                let price = terms.on_grid(price);
                let mut order = NewOrder::limit(instrument, side, quantity, price);
                order.client_id = format!("web_{:x}", rng.number()).into();
                Input::Place { account, order: Box::new(order) }
            }
        };
        self.world.apply(&input);
    }
}

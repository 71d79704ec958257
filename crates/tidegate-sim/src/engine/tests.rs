//! Tests of the engine.

use super::exchange::{Exchange, Setup};
use super::input::{Amendment, Input, OrderRef, Refusal, Reply};
use super::market::InstrumentIx;
use super::order::{
    NewOrder, OrderType, PosSide, PostOnly, SelfTrade, Status, Tif, Trigger, TriggerBy, TriggerKind,
};
use super::universe::Venue;
use super::{AccountIx, Effect, calc};
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::{Span, Time};

const START: Time = Time::from_millis(1_795_284_000_000);

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn setup(seed: u64) -> Setup {
    let money = vec![("USDT".to_owned(), dec("100000"))];
    let coins = vec![("BTC".to_owned(), dec("10")), ("ETH".to_owned(), dec("100"))];
    Setup {
        seed,
        venues: Venue::ALL.to_vec(),
        accounts: vec![
            (Venue::Binance, "desk".to_owned(), money.clone()),
            (Venue::Binance, "other".to_owned(), money),
            (Venue::Deribit, "desk".to_owned(), coins),
        ],
        few: false,
    }
}

struct World {
    exchange: Exchange,
    now: Time,
}

impl World {
    fn new() -> World {
        World { exchange: Exchange::new(&setup(7), START), now: START }
    }

    fn apply(&mut self, input: &Input) -> Reply {
        self.exchange.apply(input, self.now, &mut Vec::new())
    }

    fn tick(&mut self, count: u32) {
        for _ in 0..count {
            self.now = self.now.plus(Span::from_millis(100));
            self.apply(&Input::Tick);
        }
    }

    fn desk(&self, venue: Venue) -> AccountIx {
        self.exchange.find_account(venue, "desk").unwrap()
    }

    fn btc(&self) -> InstrumentIx {
        self.exchange.instrument(Venue::Binance, "BTCUSDT").unwrap()
    }

    fn place(&mut self, order: NewOrder) -> Reply {
        let account = self.desk(Venue::Binance);
        self.apply(&Input::Place { account, order: Box::new(order) })
    }

    fn best(&self, side: Side) -> Decimal {
        self.exchange.market(self.btc()).unwrap().book.best(side).unwrap()
    }
}

mod book;
mod life;
mod money;

#[test]
fn books_are_two_sided_and_never_crossed() {
    let mut world = World::new();
    for _ in 0..300 {
        world.tick(1);
        for instrument in world.exchange.instruments() {
            let market = world.exchange.market(instrument).unwrap();
            let (bid, ask) = (market.book.best(Side::Buy), market.book.best(Side::Sell));
            assert!(bid.unwrap() < ask.unwrap(), "{}", market.listing.symbol);
        }
    }
    let market = world.exchange.market(world.btc()).unwrap();
    assert!(market.trade_count > 20);
    assert!(calc::sub(market.mark, market.index).abs() < calc::mul(market.index, dec("0.01")));
}

#[test]
fn a_crossing_order_takes_the_best_price_and_moves_the_position() {
    let mut world = World::new();
    let ask = world.best(Side::Sell);
    let order = NewOrder::limit(world.btc(), Side::Buy, dec("0.002"), calc::add(ask, dec("10")));
    let Reply::Order(order, fills) = world.place(order) else { panic!() };
    assert_eq!(order.status, Status::Filled);
    assert_eq!(fills[0].price, ask);
    let owner = world.exchange.account(world.desk(Venue::Binance)).unwrap();
    assert_eq!(owner.net(world.btc()), dec("0.002"));
    assert!(owner.wallet("USDT") < dec("100000"));
}

#[test]
fn an_order_beyond_the_margin_is_refused() {
    let mut world = World::new();
    let bid = world.best(Side::Buy);
    let order = NewOrder::limit(world.btc(), Side::Buy, dec("25"), bid);
    assert_eq!(world.place(order), Reply::Refused(Refusal::Margin));
}

#[test]
fn post_only_is_refused_or_slides() {
    let mut world = World::new();
    let ask = world.best(Side::Sell);
    let mut order = NewOrder::limit(world.btc(), Side::Buy, dec("0.01"), ask);
    order.post_only = PostOnly::Reject;
    assert_eq!(world.place(order.clone()), Reply::Refused(Refusal::WouldTake));
    order.post_only = PostOnly::Slide;
    let Reply::Order(order, fills) = world.place(order) else { panic!() };
    assert_eq!((order.status, fills.len()), (Status::Open, 0));
    assert!(order.ask.price.unwrap() < ask);
}

#[test]
fn the_same_inputs_give_the_same_history() {
    let run = |seed| {
        let mut exchange = Exchange::new(&setup(seed), START);
        let mut now = START;
        for step in 0..50_u32 {
            now = now.plus(Span::from_millis(100));
            exchange.apply(&Input::Tick, now, &mut Vec::new());
            let btc = exchange.instrument(Venue::Binance, "BTCUSDT").unwrap();
            let order = Box::new(NewOrder::market(btc, Side::Buy, dec("0.003")));
            let account = exchange.find_account(Venue::Binance, "desk").unwrap();
            if step % 7 == 0 {
                exchange.apply(&Input::Place { account, order }, now, &mut Vec::new());
            }
        }
        exchange
    };
    let (one, two, other) = (run(7), run(7), run(8));
    assert_eq!(one.digest(), two.digest());
    assert_ne!(one.digest(), other.digest());
    let restored = Exchange::decode(&one.encode()).unwrap();
    assert_eq!(restored.digest(), one.digest());
}

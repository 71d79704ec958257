//! Margin, fees, funding, liquidation, delivery.

use super::*;
use crate::engine::Account;

fn near(a: Decimal, b: Decimal, slack: &str) -> bool {
    calc::sub(a, b).abs() <= dec(slack)
}

#[test]
fn a_trade_moves_fees_and_margin() {
    let mut world = World::new();
    let desk = world.desk(Venue::Binance);
    let Reply::Order(order, fills) =
        world.place(NewOrder::market(world.btc(), Side::Buy, dec("0.1")))
    else {
        panic!()
    };
    let fee = fills.iter().fold(Decimal::ZERO, |sum, fill| calc::add(sum, fill.fee));
    assert!(near(fee, calc::mul(order.paid, dec("0.0005")), "0.00000010"));
    let sum = world.exchange.summary(desk, "USDT");
    assert_eq!(sum.wallet, calc::sub(dec("100000"), fee));
    let mark = world.exchange.market(world.btc()).unwrap().mark;
    let worth = calc::mul(mark, dec("0.1"));
    assert!(near(sum.positions, calc::div(worth, dec("20")), "0.0000001"));
    assert!(near(sum.maintenance, calc::mul(worth, dec("0.004")), "0.0000001"));
    assert_eq!(sum.available(), calc::sub(calc::add(sum.wallet, sum.profit), sum.positions));
}

#[test]
fn resting_orders_reserve_margin_and_give_it_back() {
    let mut world = World::new();
    let desk = world.desk(Venue::Binance);
    let price = calc::sub(world.best(Side::Buy), dec("100"));
    let Reply::Order(order, _) =
        world.place(NewOrder::limit(world.btc(), Side::Buy, dec("1"), price))
    else {
        panic!()
    };
    let reserved = world.exchange.summary(desk, "USDT").orders;
    assert_eq!(reserved, calc::div(price, dec("20")));
    // An offer against it needs nothing more: only the larger side counts.
    let ask = calc::add(world.best(Side::Sell), dec("100"));
    world.place(NewOrder::limit(world.btc(), Side::Sell, dec("0.5"), ask));
    assert_eq!(world.exchange.summary(desk, "USDT").orders, reserved);
    world.apply(&Input::Cancel { account: desk, target: OrderRef::Id { id: order.id } });
    assert!(world.exchange.summary(desk, "USDT").orders < reserved);
}

#[test]
fn profit_is_what_the_price_moved() {
    let mut world = World::new();
    let desk = world.desk(Venue::Deribit);
    let perpetual = world.exchange.instrument(Venue::Deribit, "BTC-PERPETUAL").unwrap();
    let mut trade = |side| {
        let order = Box::new(NewOrder::market(perpetual, side, dec("1000")));
        match world.apply(&Input::Place { account: desk, order }) {
            Reply::Order(order, fills) => {
                let fee = fills.iter().fold(Decimal::ZERO, |sum, fill| calc::add(sum, fill.fee));
                (order.paid, fee)
            }
            other => panic!("{other:?}"),
        }
    };
    let (bought, one) = trade(Side::Buy);
    let (sold, two) = trade(Side::Sell);
    // Inverse: a dollar amount is worth less coin at a higher price.
    let wanted = calc::sub(calc::add(dec("10"), calc::sub(bought, sold)), calc::add(one, two));
    let wallet = world.exchange.account(desk).unwrap().wallet("BTC");
    assert!(near(wallet, wanted, "0.00000002"), "{wallet} {wanted}");
}

#[test]
fn funding_moves_money_from_one_side_to_the_other() {
    let mut world = World::new();
    let btc = world.btc();
    world.place(NewOrder::market(btc, Side::Buy, dec("0.5")));
    let before = world.exchange.money(Venue::Binance, "USDT");
    let wallet = world.exchange.account(world.desk(Venue::Binance)).unwrap().wallet("USDT");
    let market = world.exchange.market(btc).unwrap();
    let (rate, mark) = (market.funding_rate(), market.mark);
    world.exchange.fund(btc, market.next_funding);
    let desk = world.exchange.account(world.desk(Venue::Binance)).unwrap();
    let paid = calc::sub(wallet, desk.wallet("USDT"));
    assert!(!paid.is_zero());
    assert!(near(paid, calc::mul(calc::mul(mark, dec("0.5")), rate), "0.00000002"));
    assert_eq!(desk.position(btc, PosSide::Both).funding, paid.neg());
    let after = world.exchange.money(Venue::Binance, "USDT");
    assert!(near(before, after, "0.00000010"), "{before} {after}");
}

#[test]
fn an_account_below_its_maintenance_margin_is_closed() {
    let mut world = World::new();
    let (desk, btc) = (world.desk(Venue::Binance), world.btc());
    world.place(NewOrder::market(btc, Side::Buy, dec("5")));
    let bid = calc::sub(world.best(Side::Buy), dec("500"));
    world.place(NewOrder::limit(btc, Side::Buy, dec("0.1"), bid));
    // A wallet this small cannot bear the position any more.
    if let Some(owner) = world.exchange.account_mut(desk) {
        owner.wallets.insert(Arc::from("USDT"), dec("900"));
    }
    let mut effects = Vec::new();
    world.now = world.now.plus(Span::from_millis(100));
    world.exchange.apply(&Input::Tick, world.now, &mut effects);
    world.tick(20);
    let owner = world.exchange.account(desk).unwrap();
    assert!(owner.net(btc).is_zero());
    assert!(owner.open.is_empty());
    assert!(!owner.wallet("USDT").is_negative());
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Liquidated { .. })));
}

#[test]
fn delivery_settles_at_the_index_and_lists_the_next_quarter() {
    let mut world = World::new();
    let desk = world.desk(Venue::Binance);
    let symbol = "BTCUSDT_261225";
    let future = world.exchange.instrument(Venue::Binance, symbol).unwrap();
    world.place(NewOrder::market(future, Side::Buy, dec("0.1")));
    let cost = world.exchange.account(desk).unwrap().position(future, PosSide::Both).cost;
    let wallet = world.exchange.account(desk).unwrap().wallet("USDT");
    let expiry = world.exchange.market(future).unwrap().listing.expiry().unwrap();
    world.now = expiry;
    world.apply(&Input::Tick);
    let at = world.exchange.market(future).unwrap().delivered_at.unwrap();
    let owner = world.exchange.account(desk).unwrap();
    assert!(owner.net(future).is_zero());
    let entries: Vec<_> =
        owner.ledger.iter().filter(|e| &*e.kind == "DELIVERED_SETTELMENT").collect();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].amount, calc::sub(calc::mul(at, dec("0.1")), cost));
    assert!(near(owner.wallet("USDT"), calc::add(wallet, entries[0].amount), "0.00000001"));
    assert_eq!(
        world.place(NewOrder::market(future, Side::Buy, dec("0.1"))),
        Reply::Refused(Refusal::NotTrading)
    );
    world.tick(600);
    assert!(world.exchange.instrument(Venue::Binance, "BTCUSDT_270625").is_some());
}

#[test]
fn isolated_margin_is_set_aside_and_given_back() {
    let mut world = World::new();
    let (account, instrument) = (world.desk(Venue::Binance), world.btc());
    world.apply(&Input::SetIsolated { account, instrument, isolated: true });
    world.place(NewOrder::market(instrument, Side::Buy, dec("0.2")));
    let sum = world.exchange.summary(account, "USDT");
    let owner = world.exchange.account(account).unwrap();
    let cost = owner.position(instrument, PosSide::Both).cost;
    assert!(near(sum.isolated, calc::div(cost, dec("20")), "0.0000001"));
    assert!(sum.positions.is_zero());
    assert_eq!(
        world.apply(&Input::SetIsolated { account, instrument, isolated: false }),
        Reply::Refused(Refusal::HasPosition)
    );
    world.place(NewOrder::market(instrument, Side::Sell, dec("0.2")));
    assert!(world.exchange.summary(account, "USDT").isolated.is_zero());
}

#[test]
fn a_session_ends_at_eight_and_begins_with_nothing() {
    let mut account = Account::new(Venue::Deribit, "main", false);
    let (btc, eight) = (Arc::from("BTC"), Time::from_millis(1_795_248_000_000));
    let before = Time::from_millis(eight.millis() - 1);
    account.realize(&btc, Decimal::from_raw(5), before);
    account.realize(&btc, Decimal::from_raw(-2), before);
    assert_eq!(account.session("BTC", before), Decimal::from_raw(3));
    assert_eq!(account.session("BTC", eight), Decimal::ZERO);
    account.realize(&btc, Decimal::from_raw(7), eight);
    assert_eq!(account.session("BTC", eight), Decimal::from_raw(7));
}

//! Equity: not known before an account's first balances, which are what the day began with.

use super::*;
use tidegate_types::grant::{Grant, KeyScheme, VirtualKey};
use tidegate_types::ids::{AccountName, TradeId};
use tidegate_types::instrument::Mark;
use tidegate_types::key::KeyTerms;
use tidegate_types::report::{AccountSnapshot, FillReport};

fn rules(each: Each) -> Vec<Rule> {
    let of = |id, limit| Rule { each, ..hard(id, limit) };
    vec![
        of("loss", Limit::DailyLoss { max: usd("100") }),
        of("peak", Limit::Drawdown { max: usd("150") }),
    ]
}

fn used(world: &World, rule: &str) -> Option<Decimal> {
    let usage = world.core.state().policy_usage(world.now);
    usage.into_iter().find(|used| used.measure.rule == name_rule(rule)).map(|u| u.measure.measured)
}

fn money(asset: &str, amount: &str) -> BalanceReport {
    BalanceReport { asset: name(asset), amount: d(amount) }
}

/// Opens another account that holds so much.
fn open_other(world: &mut World, amount: &str) {
    let account: AccountName = name("other");
    world.change(Change::AccountAdded { venue: name(VENUE), account: account.clone() });
    let key = VirtualKey {
        id: name("ann-other"),
        caller: name("ann"),
        venue: name(VENUE),
        account: account.clone(),
        scheme: KeyScheme::Hmac,
        terms: KeyTerms::default(),
    };
    world.change(Change::KeyAdded { key, replaces: None });
    world.change(Change::GrantSet { grant: Grant { account: account.clone(), ..grant("ann") } });
    world.event(Event::StreamUp { account: account.clone() });
    let told = AccountEvent::Balance { balance: money("BTC", amount) };
    world.event(Event::Streamed { account: account.clone(), event: told });
    while let Some(question) = world.to_read.pop() {
        let balances = vec![money("USDT", amount), money("BTC", amount)];
        let result = Ok(AccountSnapshot { balances, ..AccountSnapshot::default() });
        world.event(Event::Snapshot { account: account.clone(), question, result });
    }
    assert!(world.core.state().accounts()[&account].open);
}

#[test]
fn the_first_day_begins_with_the_first_balances() {
    for each in [Each::All, Each::Account] {
        let mut w = World::closed();
        w.change(Change::PolicySet { policy: policy(1, rules(each)) });
        assert_eq!((used(&w, "loss"), used(&w, "peak")), (None, None), "not known");
        w.venue.balances = vec![money("USDT", "1000")];
        w.up();
        assert!(w.is_open());
        assert_eq!((used(&w, "loss"), used(&w, "peak")), (Some(d("0")), Some(d("0"))));
        told(&mut w, "USDT", "900");
        let at_limit = w_place(&mut w);
        assert_eq!(w.code(at_limit), None);
        told(&mut w, "USDT", "899.99");
        assert_eq!(used(&w, "loss"), Some(d("100.01")));
        let over = w.place("ann", buy("1", "99"));
        assert_eq!(w.code(over), Some(Code::PolicyLimit));
        w.check_replay();
    }
}

#[test]
fn an_order_may_be_made_smaller_after_the_loss() {
    let mut w = World::closed();
    w.change(Change::PolicySet { policy: policy(1, rules(Each::All)) });
    w.venue.balances = vec![money("USDT", "1000")];
    w.up();
    let id = w.live("ann", buy("3", "99"));
    told(&mut w, "USDT", "800");
    for (qty, price, code) in [
        ("4", "99", Some(Code::PolicyLimit)),
        ("2", "99.5", Some(Code::PolicyLimit)),
        ("2", "99", None),
    ] {
        let ticket = w.amend("ann", id, Some(qty), Some(price));
        assert_eq!(w.code(ticket), code, "{qty} at {price}");
        w.settle();
    }
}

#[test]
fn an_account_that_comes_later_hides_no_loss_of_the_others() {
    let mut w = World::closed();
    w.change(Change::PolicySet { policy: policy(1, rules(Each::All)) });
    w.venue.balances = vec![money("USDT", "1000")];
    w.up();
    told(&mut w, "USDT", "950");
    open_other(&mut w, "5000");
    assert_eq!((used(&w, "loss"), used(&w, "peak")), (Some(d("50")), Some(d("50"))));
    told(&mut w, "USDT", "899.99");
    let over = w.place("ann", buy("1", "99"));
    assert_eq!(w.code(over), Some(Code::PolicyLimit));
    w.check_replay();
}

#[test]
fn a_coin_that_gets_a_price_or_another_one_wins_nothing() {
    let mut w = World::closed();
    let name = PolicyName::new("desk").unwrap();
    let with = |version: u32, pegs: &[(&str, &str)]| {
        let mut rules = rules(Each::All);
        rules.push(hard("all", Limit::Allow));
        let peg =
            |(coin, price): &(&str, &str)| Peg { currency: name_of(coin), price: Price(d(price)) };
        let pegs = pegs.iter().map(peg).collect();
        let policy = Policy::new(name.clone(), version, Span::from_secs(5), pegs, rules).unwrap();
        Change::PolicySet { policy: Box::new(policy) }
    };
    w.change(with(1, &[("USDT", "1")]));
    w.venue.balances = vec![money("USDT", "1000")];
    w.up();
    told(&mut w, "USDT", "950");
    told(&mut w, "XYZ", "70");
    assert_eq!(used(&w, "loss"), None, "a coin without a price");
    w.change(with(2, &[("USDT", "1"), ("XYZ", "1")]));
    assert_eq!(used(&w, "loss"), Some(d("50")));
    w.change(with(3, &[("USDT", "1.1"), ("XYZ", "2")]));
    assert_eq!(used(&w, "loss"), Some(d("50")), "valued otherwise, not won");
    w.check_replay();
}

#[test]
fn what_a_venue_took_off_for_funding_is_lost() {
    let mut w = World::closed();
    w.change(Change::PolicySet { policy: policy(1, rules(Each::All)) });
    w.venue.balances = vec![money("USDT", "1000")];
    w.up();
    // However it is told: by the stream, or by what the venue shows after a gap.
    told(&mut w, "USDT", "960");
    w.pass(1_000);
    w.event(Event::StreamDown { account: name(MAIN), why: "gap".to_owned() });
    w.venue.balances = vec![money("USDT", "890")];
    w.up();
    assert_eq!(used(&w, "loss"), Some(d("110")));
    let over = w.place("ann", buy("1", "99"));
    assert_eq!(w.code(over), Some(Code::PolicyLimit));
}

fn filled(world: &mut World, id: OrderId, (trade, qty, price): (&str, &str, &str)) {
    let order = world.core.state().orders().get(id).unwrap().clone();
    let fill = FillReport {
        instrument: order.request.instrument,
        trade_id: TradeId::new(trade).unwrap(),
        client_id: order.client_id,
        venue_id: order.venue_id.unwrap(),
        side: order.request.side,
        qty: Qty(d(qty)),
        price: Price(d(price)),
        fee: Decimal::ZERO,
        fee_currency: None,
        maker: true,
        at: world.now,
    };
    world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Fill { fill } });
}

fn entry(world: &World) -> Option<Price> {
    world.core.state().entries.of(&name(MAIN), &instrument(PERP))
}

#[test]
fn a_fill_is_entered_at_its_own_price() {
    let mut w = World::new();
    let id = w.live("ann", buy("4", "104"));
    filled(&mut w, id, ("a", "1", "90"));
    assert_eq!(entry(&w), Some(Price(d("90"))), "not at the limit of 104");
    filled(&mut w, id, ("b", "3", "94"));
    assert_eq!(entry(&w), Some(Price(d("93"))));
    let out = w.live("ann", sell("4", "101"));
    filled(&mut w, out, ("c", "1", "109"));
    assert_eq!(entry(&w), Some(Price(d("93"))));
    w.check_replay();
}

#[test]
fn what_is_taken_over_was_entered_as_the_venue_tells() {
    let mut w = World::closed();
    w.change(Change::PolicySet { policy: policy(1, rules(Each::All)) });
    let account: AccountName = name(MAIN);
    w.event(Event::StreamUp { account: account.clone() });
    let position = tidegate_types::report::PositionReport {
        instrument: instrument(PERP),
        qty: tidegate_types::instrument::SignedQty(d("2")),
        entry: Some(Price(d("80"))),
    };
    while !w.is_open() {
        w.pass(500);
        while let Some(question) = w.to_read.pop() {
            let positions = vec![position.clone()];
            let balances = vec![money("USDT", "1000")];
            let orders = Vec::new();
            let result = Ok(AccountSnapshot { orders, positions, balances, ..Default::default() });
            w.event(Event::Snapshot { account: account.clone(), question, result });
        }
        while let Some((question, instrument, _)) = w.trades_to_read.pop() {
            let result = Ok(Vec::new());
            w.event(Event::Trades { account: account.clone(), instrument, question, result });
        }
    }
    assert_eq!(entry(&w), Some(Price(d("80"))));
    assert_eq!(used(&w, "loss"), Some(d("0")), "won before it was taken over");
    let at = w.now;
    let mark = Price(d("75"));
    w.event(Event::Marks {
        marks: vec![Mark { instrument: instrument(PERP), mark, index: mark, at }],
    });
    w.now = w.now.plus(Span::from_secs(1));
    let at = w.now;
    w.event(Event::Marks {
        marks: vec![Mark { instrument: instrument(PERP), mark, index: mark, at }],
    });
    assert_eq!(used(&w, "loss"), Some(d("50")));
}

fn paid(world: &mut World, amount: &str) {
    let event = AccountEvent::Payment { change: money("USDT", amount) };
    world.event(Event::Streamed { account: name(MAIN), event });
}

#[test]
fn a_limit_on_losses_is_not_widened_by_a_payment() {
    for each in [Each::All, Each::Account] {
        let mut w = World::closed();
        w.change(Change::PolicySet { policy: policy(1, rules(each)) });
        w.venue.balances = vec![money("USDT", "1000")];
        w.up();
        told(&mut w, "USDT", "899");
        let of = |w: &World| (used(w, "loss"), used(w, "peak"));
        let lost = (Some(d("101")), Some(d("101")));
        assert_eq!(of(&w), lost);
        // Paid in: told of before the balance that it makes.
        paid(&mut w, "1000");
        told(&mut w, "USDT", "1899");
        assert_eq!(of(&w), lost, "paid in, not won");
        let over = w.place("ann", buy("1", "99"));
        assert_eq!(w.code(over), Some(Code::PolicyLimit));
        // Paid out: told of after it.
        told(&mut w, "USDT", "1399");
        paid(&mut w, "-500");
        assert_eq!(of(&w), lost, "paid out, not lost");
        w.check_replay();
    }
}

#[test]
fn a_rule_over_the_desk_does_not_count_an_account_that_nobody_hears_from() {
    let mut w = World::closed();
    w.change(Change::PolicySet { policy: policy(1, rules(Each::All)) });
    w.venue.balances = vec![money("USDT", "1000")];
    w.up();
    open_other(&mut w, "5000");
    let heard = w_place(&mut w);
    assert_eq!(w.code(heard), None);
    let account: AccountName = name("other");
    w.event(Event::StreamDown { account: account.clone(), why: "test".to_owned() });
    let unheard = w.place("ann", buy("1", "99"));
    assert_eq!(w.code(unheard), Some(Code::PolicyUnmeasured));
    let told = refused(&w, unheard);
    assert!(
        told.contains("another account is closed") && !told.contains("other is closed"),
        "{told}"
    );
    // Rules over each account by itself go on.
    w.change(Change::PolicySet { policy: policy(2, rules(Each::Account)) });
    let own = w_place(&mut w);
    assert_eq!(w.code(own), None);
    w.check_replay();
}

//! Which way what is held goes.

use super::*;
use tidegate_types::instrument::{Kind, Mark, Unit};
use tidegate_types::time::Time;

#[test]
fn a_bought_put_is_no_long_position() {
    let mut w = world(vec![hard("net", Limit::NetPosition { max: usd("1000") })]);
    let expiry = Time::from_millis(1_800_000_000_000);
    let put = Kind::Option { expiry, strike: Price(d("100")), call: false };
    let instruments = vec![terms("BTC-PUT", put, Unit::CoinOption, "0.0005", "0.1")];
    w.event(Event::Instruments { venue: name(VENUE), instruments });
    let (mark, index, at) = (Price(d("0.05")), Price(d("100")), w.now);
    let mark = Mark { instrument: instrument("BTC-PUT"), mark, index, at };
    w.event(Event::Marks { marks: vec![mark] });
    let puts = |order: NewOrder| NewOrder { instrument: instrument("BTC-PUT"), ..order };
    w.live("ann", sell("6", "100"));
    let text = "net v1: 1,010 > 1,000 USD net position of desk (over by 10)";
    edge(&mut w, puts(buy("4", "0.05")), puts(buy("0.1", "0.05")), Code::PolicyLimit, text);
    let sold = w.place("ann", puts(sell("10", "0.05")));
    w.settle();
    assert_eq!(w.code(sold), None, "long ten by puts that are sold, the other side");
    let bought = w.place("ann", buy("0.1", "100"));
    assert_eq!(w.code(bought), Some(Code::PolicyLimit), "and no more of that");
}

use super::*;
use crate::codec::{from_bytes, to_bytes};

fn id(text: &str) -> BreakerId {
    text.parse().unwrap()
}

fn breaker(text: &str, limit: &str) -> Breaker {
    Breaker {
        id: id(text),
        limit: limit.parse().unwrap(),
        window: Span::from_secs(60),
        least: 2,
        stops: Stops::Increases,
        cancel: false,
        trial: 5,
    }
}

#[test]
fn a_name_is_read_as_it_is_written() {
    let sorts = ["all", "desk:d", "venue:v", "account:a", "caller:c", "instrument:v/BTC-PERP"];
    let each = Sort::EACH.map(|(_, word)| word);
    for kind in BreakerKind::ALL {
        for over in sorts.iter().chain(&each) {
            let text = format!("{}@{over}", kind.word());
            assert_eq!(id(&text).to_string(), text);
            assert_eq!(from_bytes::<BreakerId>(&to_bytes(&id(&text))).unwrap(), id(&text));
        }
    }
    for bad in ["loss", "loss@", "gain@all", "loss@each-desk", "loss@each", "@all", "Loss@all"] {
        assert!(bad.parse::<BreakerId>().is_err(), "{bad}");
    }
}

#[test]
fn it_trips_at_its_limit_and_not_before() {
    let high = breaker("loss@all", "100");
    let at = |breaker: &Breaker, text: &str| breaker.trips_at(text.parse().unwrap());
    assert!(at(&high, "100") && !at(&high, "99.99999999"));
    let low = breaker("depth@each-instrument", "100");
    assert!(at(&low, "100") && at(&low, "0") && !at(&low, "100.00000001"));
}

#[test]
fn what_is_tighter_is_so_in_every_figure() {
    let old = breaker("repeats@all", "10");
    assert!(old.is_tighter(&old));
    let others = [
        (Breaker { limit: Decimal::new(9, 0), ..old.clone() }, true),
        (Breaker { limit: Decimal::new(11, 0), ..old.clone() }, false),
        (Breaker { window: Span::from_secs(61), ..old.clone() }, true),
        (Breaker { window: Span::from_secs(59), ..old.clone() }, false),
        (Breaker { least: 1, ..old.clone() }, true),
        (Breaker { least: 3, ..old.clone() }, false),
        (Breaker { stops: Stops::All, ..old.clone() }, true),
        (Breaker { cancel: true, ..old.clone() }, true),
        (Breaker { trial: 4, ..old.clone() }, true),
        (Breaker { trial: 6, ..old.clone() }, false),
        (Breaker { id: id("repeats@each-caller"), ..old.clone() }, false),
    ];
    for (new, tighter) in others {
        assert_eq!(new.is_tighter(&old), tighter, "{new:?}");
    }
    let ratio = breaker("rejects@all", "10");
    assert!(!Breaker { window: Span::from_secs(61), ..ratio.clone() }.is_tighter(&ratio));
    let depth = breaker("depth@each-instrument", "10");
    assert!(Breaker { limit: Decimal::new(11, 0), ..depth.clone() }.is_tighter(&depth));
    assert!(!Breaker { limit: Decimal::new(9, 0), ..depth.clone() }.is_tighter(&depth));
}

#[test]
fn what_makes_no_sense_is_said() {
    assert_eq!(breaker("rejects@all", "10").check(), Ok(()));
    let bad = [
        breaker("clock-skew@all", "10"),
        breaker("loss@order:3", "10"),
        breaker("rejects@all", "0"),
        Breaker { window: Span::ZERO, ..breaker("rejects@all", "10") },
        Breaker { least: 0, ..breaker("rejects@all", "10") },
        Breaker { trial: MAX_TRIAL + 1, ..breaker("rejects@all", "10") },
        breaker("repeats@all", "513"),
    ];
    for breaker in bad {
        assert!(breaker.check().is_err(), "{breaker:?}");
    }
    assert_eq!(Breaker { window: Span::ZERO, ..breaker("loss@all", "10") }.check(), Ok(()));
}

#[test]
fn the_standard_set_makes_sense_and_leaves_timing_out_where_asked() {
    let whole = standard(Standard::Whole);
    assert!(whole.iter().all(|breaker| breaker.check() == Ok(())));
    let calm = standard(Standard::WithoutTiming);
    let timed = ["latency", "data-age", "clock-skew", "venue-errors", "spread", "depth"];
    assert!(calm.iter().all(|breaker| !timed.contains(&breaker.id.kind.word())));
    assert_eq!(calm.len() + timed.len(), whole.len());
}

#[test]
fn each_of_a_sort_is_measured_where_it_is() {
    let (venue, caller) = ("v".parse().unwrap(), "c".parse().unwrap());
    let facet = Facet { venue: Some(&venue), caller: Some(&caller), ..Facet::default() };
    let place = |text: &str| text.parse::<Over>().unwrap().place(&facet).map(|s| s.to_string());
    assert_eq!(place("each-venue").as_deref(), Some("venue:v"));
    assert_eq!(place("each-account"), None);
    assert_eq!(place("caller:c").as_deref(), Some("caller:c"));
    assert_eq!(place("caller:d"), None);
    assert_eq!(place("all").as_deref(), Some("all"));
}

//! What a decision costs, with a large table of orders.

use super::world::*;
use std::time::Instant;
use tidegate_types::ids::Ticket;
use tidegate_types::order::Intent;

/// Prints percentiles; in a release build they must hold, in a debug build only roughly.
#[test]
fn a_decision_is_quick() {
    let mut world = World::new();
    // Memory the allocator has touched once, as in a gateway that has run for a while; the last
    // piece stays, so that it keeps what is below.
    let mut touched: Vec<_> = (0..40_000).map(|_| vec![1_u8; 1024]).collect();
    let last = touched.pop();
    drop(std::hint::black_box(touched));
    let mut spent = Vec::new();
    let mut out = Vec::new();
    for n in 0..2000_u64 {
        let (ticket, who) = (Ticket(n + 1_000_000), who("ann"));
        let intent = Intent::New { order: buy("0.001", "100") };
        let now = world.now.plus(tidegate_types::time::Span::from_millis(n));
        let start = Instant::now();
        let event = crate::event::Event::Submit { ticket, who, session: None, intent };
        world.core.handle(event, now, &mut out);
        spent.push(start.elapsed());
        let cleared = out.iter().any(|action| matches!(action, crate::action::Action::Sign { .. }));
        assert!(cleared, "{out:?}");
        out.clear();
    }
    drop(last);
    spent.sort();
    let (p50, p99) = (spent[spent.len() / 2], spent[spent.len() * 99 / 100]);
    println!("decision: p50 {p50:?}, p99 {p99:?}");
    let most = if cfg!(debug_assertions) { 2000 } else { 20 };
    assert!(p99.as_micros() < most, "p99 {p99:?}");
}

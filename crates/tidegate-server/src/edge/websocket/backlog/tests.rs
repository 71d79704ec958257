use super::*;
use crate::edge::unsent::Unsent;

const MIB: usize = 1024 * 1024;

fn backlog() -> Backlog {
    Backlog::new(Unsent::new(usize::MAX).enter())
}

fn text(bytes: usize) -> Message {
    Message::text("x".repeat(bytes))
}

#[test]
fn many_bytes_are_too_much_once_they_wait_too_long() {
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let mut backlog = backlog();
    backlog.push(text(3 * MIB), start);
    assert!(!backlog.is_too_much(at(60_000)), "as long as it likes");
    backlog.push(text(3 * MIB), start);
    assert!(!backlog.is_too_much(at(1_999)) && backlog.is_too_much(at(2_000)));
    // Who reads on begins anew.
    backlog.pop();
    backlog.push(text(3 * MIB), at(1_500));
    assert!(!backlog.is_too_much(at(3_499)) && backlog.is_too_much(at(3_500)));
    backlog.clear();
    assert!(!backlog.is_too_much(at(60_000)) && backlog.is_empty());
}

#[test]
fn messages_and_memory_have_a_bound_at_once() {
    let now = Instant::now();
    let mut backlog = backlog();
    for _ in 0..MAX_WS_BACKLOG {
        backlog.push(text(1), now);
    }
    assert!(!backlog.is_too_much(now));
    backlog.push(text(1), now);
    assert!(backlog.is_too_much(now) && backlog.len() == MAX_WS_BACKLOG + 1);
    backlog.clear();
    for _ in 0..5 {
        backlog.push(text(13 * MIB), now);
    }
    assert!(backlog.is_too_much(now));
}

#[test]
fn where_all_have_too_much_who_has_most_is_cut_off() {
    let (now, unsent) = (Instant::now(), Unsent::new(10 * MIB));
    let [mut slow, mut quick] = [(); 2].map(|()| Backlog::new(unsent.enter()));
    for _ in 0..3 {
        slow.push(text(2 * MIB), now);
    }
    for _ in 0..20 {
        quick.push(text(3 * MIB), now);
        assert!(!slow.is_too_much(now) && !quick.is_too_much(now));
        quick.pop();
    }
    quick.push(text(5 * MIB), now);
    assert!(slow.is_too_much(now), "6 MiB and 5 are more than 10");
    assert!(!quick.is_too_much(now));
}

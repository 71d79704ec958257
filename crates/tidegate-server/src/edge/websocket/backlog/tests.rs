use super::*;

const MIB: usize = 1024 * 1024;

fn text(bytes: usize) -> Message {
    Message::text("x".repeat(bytes))
}

#[test]
fn many_bytes_are_too_much_once_they_wait_too_long() {
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let mut backlog = Backlog::default();
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
    let mut backlog = Backlog::default();
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

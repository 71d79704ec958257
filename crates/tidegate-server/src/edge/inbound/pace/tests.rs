use super::*;

const WINDOW: Duration = Duration::from_secs(10);

/// At which second a pace of 100 bytes a second over ten seconds gives up on so many bytes each second.
fn given_up(bytes_each_second: &[usize]) -> Option<usize> {
    let start = Instant::now();
    let mut pace = Pace::new(100, WINDOW);
    pace.owe(start);
    bytes_each_second.iter().enumerate().find_map(|(second, bytes)| {
        pace.moved(*bytes);
        let now = start + Duration::from_secs(second as u64 + 1);
        pace.is_too_slow(now).then_some(second + 1)
    })
}

#[test]
fn who_keeps_the_floor_on_average_goes_on() {
    assert_eq!(given_up(&[100; 60]), None);
    assert_eq!(given_up(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 1000].repeat(4)), None, "in pieces");
    assert_eq!(given_up(&[99; 60]), Some(10));
    let slower = [vec![1000; 10], vec![1; 30]].concat();
    assert_eq!(given_up(&slower), Some(20), "what came before is no credit");
}

#[test]
fn nothing_is_measured_while_nothing_is_owed() {
    let start = Instant::now();
    let mut pace = Pace::new(100, WINDOW);
    let late = start + 3 * WINDOW;
    assert!(pace.due().is_none() && !pace.is_too_slow(late));
    pace.owe(start);
    pace.rest();
    pace.owe(late);
    pace.owe(late + WINDOW);
    assert_eq!(pace.due(), Some(late + WINDOW), "from the first time that it was owed");
    assert!(!pace.is_too_slow(late + WINDOW / 2));
    assert!(pace.is_too_slow(late + WINDOW));
}

#[test]
fn without_a_floor_one_byte_in_a_window_is_enough() {
    let start = Instant::now();
    let mut pace = Pace::new(0, WINDOW);
    pace.owe(start);
    pace.moved(1);
    assert!(!pace.is_too_slow(start + WINDOW));
    assert!(pace.is_too_slow(start + 2 * WINDOW));
}

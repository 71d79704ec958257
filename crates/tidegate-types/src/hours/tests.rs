use super::*;
use crate::codec::{from_bytes, to_bytes, to_json};

fn window(hours: &str, days: &str) -> Window {
    Window { hours: hours.parse().unwrap(), days: days.parse().unwrap() }
}

/// Minutes after Monday 2026-11-23, 00:00 UTC.
fn at(minutes: u64) -> Time {
    Time::from_millis((1_795_392_000 + minutes * 60) * 1000)
}

#[test]
fn hours_and_days_are_read_and_written() {
    for (text, written) in [
        ("08:00-17:00", "08:00-17:00"),
        ("22:15-06:00", "00:00-06:00,22:15-24:00"),
        ("00:00-24:00", "00:00-24:00"),
        ("13:00-17:00,08:00-12:00,11:45-12:00", "08:00-12:00,13:00-17:00"),
    ] {
        let hours: Hours = text.parse().unwrap();
        assert_eq!(hours.to_string(), written);
        assert_eq!(written.parse(), Ok(hours));
        assert_eq!(from_bytes(&to_bytes(&hours)), Ok(hours));
        assert_eq!(to_json(&hours), format!("\"{written}\""));
    }
    for (text, written) in [("mon-fri", "mon-fri"), ("sat-mon", "mon,sat-sun"), ("wed", "wed")] {
        let days: Days = text.parse().unwrap();
        assert_eq!(days.to_string(), written);
        assert_eq!(written.parse(), Ok(days));
        assert_eq!(from_bytes(&to_bytes(&days)), Ok(days));
    }
    let bad =
        ["", "8:00-17:00", "08:00", "08:00-08:00", "08:05-09:00", "08:00-24:15", "24:00-01:00"];
    for text in bad.into_iter().chain(["08:60-10:00", "+8:00-09:00", "08:00-09:00,"]) {
        assert_eq!(text.parse::<Hours>(), Err(BadWindow), "{text}");
    }
    for text in ["", "Mon", "mon-", "monday", "mon fri", "mon,"] {
        assert_eq!(text.parse::<Days>(), Err(BadWindow), "{text}");
    }
    assert!(from_bytes::<Days>(&[128, 1]).is_err() && from_bytes::<Days>(&[127]).is_ok());
}

#[test]
fn a_time_is_in_it_by_the_clock_of_utc() {
    let work = window("08:00-17:00", "mon-fri");
    assert!(!work.has(at(8 * 60 - 1)) && work.has(at(8 * 60)));
    assert!(work.has(at(17 * 60 - 1)) && !work.has(at(17 * 60)));
    assert!(!work.has(at(5 * 1440 + 600)), "Saturday");
    let night = window("22:00-06:00", "sun");
    assert!(night.has(at(6 * 1440 + 22 * 60)) && night.has(at(6 * 1440)));
    assert!(!night.has(at(7 * 1440)), "after midnight it is Monday");
    assert!(Window::ALWAYS.has(at(0)) && Window::ALWAYS.has(Time::default()));
}

#[test]
fn within_is_each_time_of_one_in_the_other() {
    let samples = [
        Window::ALWAYS,
        window("08:00-17:00", "mon-fri"),
        window("08:00-12:00", "mon-fri"),
        window("22:00-06:00", "sat-mon"),
        window("08:00-12:00", "mon").and(&window("13:00-14:00", "mon")),
    ];
    let times = || (0..7 * 96).map(|quarter| at(quarter * 15));
    for one in samples {
        for other in samples {
            let within = times().all(|time| !one.has(time) || other.has(time));
            assert_eq!(one.is_within(&other), within, "{one} in {other}");
            let both = one.and(&other);
            assert!(times().all(|time| both.has(time) == (one.has(time) && other.has(time))));
        }
        assert_eq!(one.is_never(), !times().any(|time| one.has(time)));
    }
}

#[test]
fn people_read_it() {
    assert_eq!(Window::ALWAYS.to_string(), "at any time");
    assert_eq!(window("08:00-17:00", "mon-fri").to_string(), "08:00-17:00 mon-fri UTC");
    assert_eq!(window("08:00-17:00", "mon-sun").to_string(), "08:00-17:00 UTC");
    let never = window("08:00-09:00", "mon").and(&window("10:00-11:00", "mon"));
    assert_eq!(never.to_string(), "never mon UTC");
}

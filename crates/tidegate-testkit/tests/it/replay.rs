//! A desk's journal decided again: by another policy, at twice its peak, and after its last batch was torn.

use crate::demo::{Demo, frames};
use crate::program::{Ended, eventually, run, run_json, signal};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PATIENCE: Duration = Duration::from_secs(20);
/// One caller is limited twice: each order, and how many in a minute.
const POLICY: &str = r#"
name = "desk"
version = 1
mark_age = "5 s"
[[rule]]
id = "all"
allow = true
[[rule]]
id = "most"
over = { caller = "you" }
order_notional = "1_000_000 USD"
[[rule]]
id = "few"
over = { caller = "you" }
message_rate = "5/min"
[pegs]
USDT = "1 USD"
USDC = "1 USD"
"#;

fn replay(demo: &Demo, args: &[&str]) -> Ended {
    run_json(&demo.dir, &[&["replay"], args].concat())
}

fn policy(dir: &Path, most: &str) -> String {
    let path = dir.join("policy.toml");
    fs::write(&path, POLICY.replace("1_000_000 USD", most)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_journal_is_decided_by_another_policy_at_twice_its_peak_and_with_a_torn_end() {
    let home = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(&home.path().join("demo"), &["--venues", "binance"]);
    let file = policy(home.path(), "1_000_000 USD");
    let applied = run_json(&demo.dir, &["policy", "apply", &file, "--reason", "limits"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    wait_for_room_in_the_minute();
    for id in ["a", "b", "c"] {
        demo.place(id);
    }
    let record = |id: &str| {
        let story = run_json(&demo.dir, &["why", id, "--caller", "you"]);
        (story.code == 0).then(|| story.json["record"].to_string())
    };
    eventually("the orders are on record", PATIENCE, || record("c"));
    let first = record("a").unwrap();
    end(&mut demo);

    let same = replay(&demo, &[]);
    assert_eq!((same.code, &same.json["same"]), (0, &Value::from(true)), "{same:?}");
    tighter(&demo, &policy(home.path(), "10 USD"));
    at_twice_its_peak(&demo, &first);
    with_a_torn_end(&demo, same.json["records"].as_u64().unwrap());
}

/// The peak is a minute of the clock: what belongs together must not lie in two.
fn wait_for_room_in_the_minute() {
    let second = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() % 60;
    while second() > 45 {
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn end(demo: &mut Demo) {
    signal(u64::from(demo.process.pid()), Signal::SIGTERM);
    let (code, _) = demo.process.wait(PATIENCE);
    assert_eq!(code, Some(0));
}

/// Each of the three orders is worth more than the other policy lets pass.
fn tighter(demo: &Demo, file: &str) {
    let ended = replay(demo, &["--policy", file]);
    assert_eq!((ended.code, &ended.json["policy"]), (0, &Value::from("desk v1")), "{ended:?}");
    let rows = ended.json["would_be_refused"].as_array().unwrap();
    let row = rows.iter().find(|row| row["caller"] == "you").unwrap();
    assert_eq!((&row["rule"], &row["orders"]), (&"most".into(), &3.into()), "{row}");
    let its = |row: &&Value| row["caller"] == "you";
    let each: Vec<&Value> =
        ended.json["differences"].as_array().unwrap().iter().filter(its).collect();
    assert_eq!(each.len(), 3, "{ended:?}");
    for difference in each {
        let refusal = difference["now"]["refusal"].as_str().unwrap();
        assert!(difference["was"]["passed"] == true && refusal.contains("most"), "{difference}");
    }
}

/// Three in a minute are fewer than five; six are not. What the demo's bots did before is no part of it.
fn at_twice_its_peak(demo: &Demo, first: &str) {
    let ended = replay(demo, &["--stress", "2", "--from", first]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let limits = ended.json["limits"].as_array().unwrap();
    let is_few = |row: &&Value| row["rule"].as_str().is_some_and(|rule| rule.starts_with("few "));
    let few = limits.iter().find(is_few).unwrap_or_else(|| panic!("{ended:?}"));
    assert_eq!(few["version"], "desk v1", "{few}");
    let refused = |when: &str| few[when]["refused"].as_u64().unwrap();
    assert_eq!((refused("at_peak"), refused("at_times")), (0, 1), "{few}");
    let percent = |when: &str| few[when]["highest_percent"].as_str().unwrap().to_owned();
    assert_eq!((percent("at_peak"), percent("at_times")), ("60".into(), "120".into()), "{few}");
    assert_eq!(ended.json["at_times"]["refused"]["TG525"], 1, "{ended:?}");
    let folder = demo.dir.to_str().unwrap();
    let text = run(&["replay", "--stress", "2", "--from", first, "--data-dir", folder]);
    assert!(text.stdout.contains("120 %, 1"), "{text:?}");
}

/// The second half of the last record was never written, as by a crash amid a write.
fn with_a_torn_end(demo: &Demo, whole: u64) {
    let segment = demo.dir.join("journal/segment/0000000000");
    let mut bytes = fs::read(&segment).unwrap();
    let (begin, end) = *frames(&bytes).last().unwrap();
    bytes[usize::midpoint(begin, end)..end].fill(0);
    fs::write(segment, bytes).unwrap();
    let ended = replay(demo, &[]);
    assert_eq!((ended.code, &ended.json["same"]), (0, &Value::from(true)), "{ended:?}");
    assert!(ended.json["records"].as_u64().unwrap() < whole, "{ended:?}");
    assert!(ended.json["torn_bytes"].as_u64().unwrap() > 0, "{ended:?}");
    let text = run(&["replay", "--data-dir", demo.dir.to_str().unwrap()]);
    assert!(text.stdout.contains("a crash cut it short"), "{text:?}");
}

//! `tidegate policy` and `tidegate override`: files alone, and before a gateway that trades.

use crate::demo::Demo;
use crate::program::{Ended, eventually, run, run_json};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(30);
/// Everything is allowed; what one caller orders is limited twice, softly and hard.
const POLICY: &str = r#"
name = "desk"
version = 1
mark_age = "5 s"
[[rule]]
id = "all"
allow = true
[[rule]]
id = "ask-first"
over = { caller = "you" }
order_notional = "20 USD"
soft = true
[[rule]]
id = "most"
over = { caller = "you" }
order_notional = "1_000_000 USD"
[pegs]
USDT = "1 USD"
USDC = "1 USD"
"#;
/// The soft rule, which `POLICY` has and a tighter hard one can stand for.
const SOFT: &str = r#"[[rule]]
id = "ask-first"
over = { caller = "you" }
order_notional = "20 USD"
soft = true
"#;

/// The next version, with another hard limit.
fn second(most: &str) -> String {
    POLICY.replace("1_000_000 USD", most).replace("version = 1", "version = 2")
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn write(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn files_are_read_tested_and_compared_with_no_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let policy = examples().join("policy.toml").display().to_string();
    let cases = examples().join("policy-cases.toml").display().to_string();
    let check = run_json(dir.path(), &["policy", "check", &policy]);
    assert_eq!((check.code, check.json["warnings"].as_array().unwrap().len()), (0, 0), "{check:?}");
    assert_eq!(check.json["takes_two"], Value::Null, "nobody was asked: {check:?}");
    let canonical = check.json["canonical"].as_str().unwrap();
    let again = write(dir.path(), "again.toml", canonical);
    let same = run_json(dir.path(), &["policy", "check", &again]);
    assert_eq!(same.json["digest"], check.json["digest"], "{same:?}");
    let folder = dir.path().to_str().unwrap();
    let shown = run(&["policy", "check", &policy, "--canonical", "--data-dir", folder]);
    assert_eq!(shown.stdout, canonical, "what sha256sum is asked about");

    let test = run_json(dir.path(), &["policy", "test", &policy, &cases]);
    assert_eq!((test.code, &test.json["wrong"]), (0, &Value::from(0)), "{test:?}");
    let text = fs::read_to_string(&policy).unwrap();
    let wider = text.replace("\"250_000 USD\"", "\"300_000 USD\"").replace("100 bp", "900 bp");
    let wider = write(dir.path(), "wider.toml", &wider);
    let test = run_json(dir.path(), &["policy", "test", &wider, &cases]);
    assert_eq!((test.code, test.error(), &test.json["wrong"]), (1, "unexpected", &Value::from(1)));
    let diff = run_json(dir.path(), &["policy", "diff", &policy, &wider]);
    let rows = diff.json["differences"].as_array().unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row["what"].as_str(), row["how"].as_str())).collect();
    let looser = [(Some("fat-finger"), Some("looser")), (Some("collar"), Some("looser"))];
    assert_eq!((diff.code, &rows[..]), (0, &looser[..]), "{diff:?}");
    assert_eq!(diff.json["loosens"], true);
    let back = run_json(dir.path(), &["policy", "diff", &wider, &policy]);
    assert_eq!(back.json["loosens"], false, "{back:?}");
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let bad = write(dir.path(), "bad.toml", &POLICY.replace("20 USD", "20 EUR"));
    let check = run_json(dir.path(), &["policy", "check", &bad]);
    assert_eq!((check.code, check.error()), (1, "bad-policy"), "{check:?}");
    let fault = &check.json["faults"][0];
    assert_eq!(
        (&fault["line"], &fault["column"]),
        (&Value::from(11), &Value::from(18)),
        "{check:?}"
    );
    let said = check.json["error"]["message"].as_str().unwrap();
    assert!(said.starts_with(&format!("{bad}:11:18: `order_notional` is an amount")), "{said}");
    let none = run_json(dir.path(), &["policy", "check", "/nowhere.toml"]);
    assert_eq!((none.code, none.error()), (1, "unreadable"), "{none:?}");
    let good = write(dir.path(), "good.toml", POLICY);
    for args in [
        &["policy", "apply", &good, "--reason", "x"][..],
        &["policy", "show"],
        &["policy", "diff", "in-force", &good],
        &["override", "list"],
    ] {
        let ended = run_json(dir.path(), args);
        assert_eq!((ended.code, ended.error()), (1, "not-running"), "{args:?}: {ended:?}");
    }
    assert_eq!(run_json(dir.path(), &["policy", "apply", &good]).code, 64, "a reason is asked for");
    assert_eq!(run_json(dir.path(), &["policy", "shadow"]).code, 64);
}

#[test]
fn a_policy_in_force_refuses_by_name_and_number_and_an_override_passes_once() {
    let home = tempfile::tempdir().unwrap();
    let demo = Demo::start(&home.path().join("demo"), &[]);
    let ask = |args: &[&str]| run_json(&demo.dir, args);
    let file = |name: &str, text: &str| write(home.path(), name, text);
    let done = |ended: Ended| {
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json
    };
    assert_eq!(done(ask(&["policy", "show"]))["in_force"], Value::Null);
    let first = file("first.toml", POLICY);
    let digest = done(ask(&["policy", "check", &first]))["digest"].clone();
    done(ask(&["policy", "apply", &first, "--reason", "first limits"]));
    let shown = done(ask(&["policy", "show"]));
    assert_eq!(shown["in_force"]["digest"], digest, "{shown}");

    let refused = |id: &str, words: &[&str]| {
        let said = eventually("the policy refuses it", WAIT, || {
            let (status, said) = demo.try_place(id);
            let text = said["msg"].as_str().unwrap_or_default().to_owned();
            // A mark may be late on a busy machine, which is told before.
            (!text.contains("TG504") && !text.contains("TG505")).then_some((
                status,
                said["code"].clone(),
                text,
            ))
        });
        assert_eq!((said.0, &said.1), (400, &Value::from(-2027)), "{said:?}");
        assert!(words.iter().all(|word| said.2.contains(word)), "{said:?}");
    };
    refused("soft", &["TG523", "ask-first", "v1", "20 USD", "over by"]);
    let give =
        ["override", "give", "you", "--account", "binance-main", "--instrument", "binance/BTCUSDT"];
    let more =
        ["--side", "buy", "--max-quantity", "0.01", "--rules", "ask-first", "--reason", "hedge"];
    let given = done(ask(&[&give[..], &more].concat()));
    let listed = done(ask(&["override", "list"]));
    assert_eq!(listed["overrides"][0]["id"], given["override"], "{listed}");
    demo.place("once");
    assert_eq!(
        done(ask(&["override", "list"]))["overrides"],
        Value::Array(Vec::new()),
        "it is used up"
    );
    refused("twice", &["TG523", "ask-first"]);

    let tighter = file("none.toml", &POLICY.replace("20 USD", "1 USD"));
    assert_eq!(ask(&["policy", "shadow", &tighter]).code, 64, "why?");
    done(ask(&["policy", "shadow", &tighter, "--reason", "to see"]));
    assert_eq!(done(ask(&["policy", "shadow", "report"]))["name"], "desk");
    done(ask(&["policy", "shadow", "--off", "--reason", "seen"]));

    let looser = file("looser.toml", &second("2_000_000 USD"));
    let diff = done(ask(&["policy", "diff", "in-force", &looser]));
    // Who is alone at the desk needs nobody else; that others wait is shown with people in the core's tests.
    assert_eq!((&diff["loosens"], &diff["takes_two"]), (&true.into(), &false.into()), "{diff}");
    let tighter = second("10 USD");
    assert!(tighter.contains(SOFT));
    let tighter = file("tighter.toml", &tighter.replace(SOFT, ""));
    done(ask(&["policy", "apply", &tighter, "--reason", "less"]));
    refused("hard", &["TG522", "most", "v2", "10 USD"]);
}

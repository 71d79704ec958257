//! The command line's contract where nothing runs: exit codes, and one JSON object, errors too.

use crate::program::{run, run_json};
use serde_json::Value;
use std::fs;
use std::os::unix::net::UnixListener;

fn is_error(json: &Value) {
    let error = json.get("error").unwrap_or_else(|| panic!("an error object: {json}"));
    for field in ["code", "message", "hint"] {
        assert!(error.get(field).is_some_and(Value::is_string), "{field}: {json}");
    }
    let code = error["code"].as_str().unwrap();
    assert!(!code.is_empty() && !code.contains(' '), "a code is one word: {json}");
    assert!(!error["message"].as_str().unwrap().is_empty(), "{json}");
}

#[test]
fn bad_usage_ends_with_64() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["--no-such-flag"][..],
        &["no-such-command"],
        &["halt"],
        &["halt", "all"],
        &["demo", "--venues", "nowhere"],
        &["demo", "--seed", "minus"],
        &["sim", "--listen", "nowhere"],
        &["init", "--approvals", "three"],
    ] {
        let ended = run_json(dir.path(), args);
        assert_eq!(ended.code, 64, "{args:?}: {ended:?}");
        is_error(&ended.json);
    }
    let plain = run(&["no-such-command"]);
    assert_eq!((plain.code, plain.stdout.as_str()), (64, ""), "talk goes to stderr");
    assert!(!plain.stderr.is_empty());
    assert_eq!(run(&["--help"]).code, 0);
    assert_eq!(run(&["--version"]).code, 0);
}

#[test]
fn without_a_gateway_commands_say_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let init = run_json(dir.path(), &["init", "--key-file"]);
    assert_eq!(init.code, 0, "{init:?}");
    for args in [
        &["status"][..],
        &["resume", "all", "--reason", "x"],
        &["caller", "add", "ann"],
        &["grant", "remove", "ann", "--account", "main"],
        &["caller", "revoke", "abc"],
    ] {
        let ended = run_json(dir.path(), args);
        assert_eq!(ended.code, 1, "{args:?}: {ended:?}");
        is_error(&ended.json);
        assert!(!ended.json["error"]["hint"].as_str().unwrap().is_empty(), "{ended:?}");
    }
    let again = run_json(dir.path(), &["init", "--key-file"]);
    assert_eq!(again.code, 1, "a folder is made once: {again:?}");
    is_error(&again.json);
}

#[test]
fn a_halt_without_a_gateway_writes_the_file_and_proves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(run_json(dir.path(), &["init", "--key-file"]).code, 0);
    let halt = run_json(dir.path(), &["halt", "all", "--reason", "drill"]);
    assert_eq!(halt.code, 1, "{halt:?}");
    is_error(&halt.json);
    let said = halt.json["error"]["message"].as_str().unwrap().to_lowercase();
    assert!(said.contains("not proven"), "{said}");
    let file = fs::read_to_string(dir.path().join("HALT")).unwrap();
    assert!(file.contains("all") && file.contains("drill"), "{file}");
}

#[test]
fn a_halt_that_a_gateway_does_not_answer_writes_the_file_too() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(run_json(dir.path(), &["init", "--key-file"]).code, 0);
    let socket = UnixListener::bind(dir.path().join("admin.sock")).unwrap();
    // It takes the connection and closes it, as a gateway does that has no descriptor left.
    let gateway = std::thread::spawn(move || drop(socket.accept().unwrap()));
    let halt = run_json(dir.path(), &["halt", "caller:ann", "--reason", "drill"]);
    gateway.join().unwrap();
    assert_eq!((halt.code, halt.error()), (1, "no-answer"), "{halt:?}");
    let said = halt.json["error"]["hint"].as_str().unwrap();
    assert!(said.contains("HALT") && said.contains("status"), "{said}");
    let file = fs::read_to_string(dir.path().join("HALT")).unwrap();
    assert!(file.contains("caller:ann") && file.contains("drill"), "{file}");
}

#[test]
fn a_misspelt_scope_halts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(run_json(dir.path(), &["init", "--key-file"]).code, 0);
    for scope in
        ["BADSCOPE", "ALL", "caller:", "caller", "account:a b", "person:ann", "instrument:BTCUSDT"]
    {
        let halt = run_json(dir.path(), &["halt", scope, "--reason", "drill"]);
        assert_eq!(halt.code, 64, "{scope}: {halt:?}");
        is_error(&halt.json);
        let said = halt.json["error"]["hint"].as_str().unwrap();
        assert!(said.contains("caller:NAME"), "{scope}: {said}");
        assert!(!dir.path().join("HALT").exists(), "{scope}");
    }
    for scope in ["caller:ann", "instrument:binance/BTCUSDT", "venue:deribit"] {
        let halt = run_json(dir.path(), &["halt", scope, "--reason", "drill"]);
        assert_eq!(halt.code, 1, "{scope}: {halt:?}");
        assert!(fs::read_to_string(dir.path().join("HALT")).unwrap().contains(scope));
    }
}

#[test]
fn verify_tells_a_missing_journal_from_a_damaged_one() {
    let dir = tempfile::tempdir().unwrap();
    let none = run_json(dir.path(), &["verify"]);
    assert_eq!(none.code, 1, "{none:?}");
    is_error(&none.json);
}

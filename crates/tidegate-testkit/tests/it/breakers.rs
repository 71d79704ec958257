//! Circuit breakers over the command line: what a new desk begins with, setting, removing, and that a restart
//! keeps them.

use crate::program::{Foreground, eventually, run_json};
use serde_json::Value;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn serve(dir: &Path) -> Foreground {
    let gateway = Foreground::start(&["serve", "--data-dir", dir.to_str().unwrap()]);
    eventually("the gateway is up", PATIENCE, || UnixStream::connect(dir.join("admin.sock")).ok());
    gateway
}

fn init(dir: &Path, more: &[&str]) {
    let ended = run_json(dir, &[&["init", "--key-file"][..], more].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    let config = dir.join("tidegate.toml");
    let mut settings: toml::Table = fs::read_to_string(&config).unwrap().parse().unwrap();
    let listen = toml::toml! { address = "127.0.0.1:0" };
    settings.insert("listen".to_owned(), listen.into());
    settings.remove("venues");
    fs::write(&config, settings.to_string()).unwrap();
}

fn listed(dir: &Path) -> Vec<Value> {
    let list = run_json(dir, &["breaker", "list"]);
    assert_eq!(list.code, 0, "{list:?}");
    list.json["breakers"].as_array().unwrap().clone()
}

fn limit(dir: &Path, breaker: &str) -> Option<String> {
    let rows = listed(dir);
    let row = rows.iter().find(|row| row["breaker"] == breaker)?;
    Some(row["limit"].as_str().unwrap().to_owned())
}

fn done(dir: &Path, args: &[&str]) {
    let ended = run_json(dir, args);
    assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
}

#[test]
fn a_new_desk_has_the_standard_set_and_a_restart_keeps_what_is_set() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    init(dir, &[]);
    let mut gateway = serve(dir);
    assert_eq!(limit(dir, "repeats@each-caller").as_deref(), Some("50"));
    assert_eq!(limit(dir, "latency@each-venue").as_deref(), Some("3000"));
    done(dir, &["breaker", "set", "loss@all", "--limit", "25000.5", "--cancel", "--stops", "all"]);
    done(dir, &["breaker", "set", "repeats@each-caller", "--limit", "20", "--window-s", "10"]);
    done(dir, &["breaker", "set", "--standard"]);
    assert_eq!(limit(dir, "repeats@each-caller").as_deref(), Some("20"), "it stays as it is");
    done(dir, &["breaker", "remove", "depth@each-instrument"]);
    let rows = listed(dir);
    let loss = rows.iter().find(|row| row["breaker"] == "loss@all").unwrap();
    assert_eq!((&loss["cancel"], &loss["stops"]), (&true.into(), &"all".into()));
    assert_eq!(loss["places"][0]["stage"], "closed");

    for args in [
        &["breaker", "half-open", "loss@all", "--reason", "test"][..],
        &["breaker", "close", "loss@all", "--reason", "test"],
        &["breaker", "set", "clock-skew@all", "--limit", "1"],
        &["breaker", "set", "loss@nowhere", "--limit", "1"],
        &["breaker", "set", "loss@all", "--limit", "much"],
        &["breaker", "reset", "loss@each-account"],
    ] {
        let refused = run_json(dir, args);
        assert_ne!(refused.code, 0, "{args:?}: {refused:?}");
        assert!(refused.json["error"]["message"].is_string(), "{refused:?}");
    }

    crate::program::signal(u64::from(gateway.pid()), nix::sys::signal::Signal::SIGTERM);
    let (code, _) = gateway.wait(PATIENCE);
    assert_eq!(code, Some(0));
    let _gateway = serve(dir);
    assert_eq!(limit(dir, "loss@all").as_deref(), Some("25000.5"));
    assert_eq!(limit(dir, "depth@each-instrument"), None);
}

#[test]
fn a_desk_may_begin_without() {
    let dir = tempfile::tempdir().unwrap();
    init(dir.path(), &["--breakers", "none"]);
    let _gateway = serve(dir.path());
    assert_eq!(listed(dir.path()), Vec::<Value>::new());
    done(dir.path(), &["breaker", "set", "--standard"]);
    assert!(limit(dir.path(), "rejects@each-caller").is_some());
}

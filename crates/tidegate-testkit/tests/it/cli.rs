//! The command line's contract where nothing runs: exit codes, and one JSON object, errors too.

use crate::program::{eventually, program, run, run_json};
use nix::pty::openpty;
use nix::sys::termios::{LocalFlags, tcgetattr};
use serde_json::Value;
use std::fs;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(10);

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
fn init_prints_the_link_of_the_first_administrator_and_keeps_it_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let taken = run_json(dir.path(), &["init", "--key-file", "--admin", "uid-7"]);
    assert_eq!((taken.code, taken.error()), (64, "usage"), "{taken:?}");
    let init = run_json(dir.path(), &["init", "--key-file", "--admin", "ada"]);
    assert_eq!((init.code, &init.json["admin"]["person"]), (0, &Value::from("ada")), "{init:?}");
    let link = init.json["admin"]["link"].as_str().unwrap();
    let secret = link.strip_prefix("https://localhost:8443/console/enrol#").unwrap();
    assert!(secret.len() >= 43, "{link}");
    let made: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(made.len() > 5);
    for entry in made.iter().filter(|entry| entry.path().is_file()) {
        let bytes = fs::read(entry.path()).unwrap();
        let there = bytes.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        assert!(!there, "{:?}", entry.path());
    }
}

#[test]
fn a_folder_is_made_for_the_names_and_the_address_that_callers_use() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["--listen", "10.1.2.3:8443", "--names", "desk.example.com,10.9.9.9"];
    let init = run_json(dir.path(), &[&["init", "--key-file"][..], &names].concat());
    assert_eq!(init.code, 0, "{init:?}");
    let config = fs::read_to_string(dir.path().join("tidegate.toml")).unwrap();
    assert!(config.contains("address = \"10.1.2.3:8443\""), "{config}");
    let names = "names = [\"desk.example.com\", \"10.9.9.9\", \"10.1.2.3\"]";
    assert!(config.contains(names), "the certificate is made for what is listed: {config}");
    let other = tempfile::tempdir().unwrap();
    let init = run_json(other.path(), &["init", "--key-file", "--names", "not a name"]);
    assert_eq!(init.code, 1, "{init:?}");
    is_error(&init.json);
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
fn a_folder_named_from_where_one_is_is_told_from_the_root() {
    let dir = tempfile::tempdir().unwrap();
    let mut init = Command::new(program());
    init.current_dir(dir.path()).args(["init", "--key-file", "--json", "--data-dir", "here"]);
    let told: Value = serde_json::from_slice(&init.output().unwrap().stdout).unwrap();
    let here = dir.path().join("here");
    assert_eq!(told["data_dir"], here.to_str().unwrap());
    assert_eq!(told["ca"], here.join("ca.pem").to_str().unwrap());
}

const IMPORT: &[&str] = &["venue-key", "import", "--account", "main", "--venue", "binance"];

#[test]
fn a_piped_key_says_where_the_passphrase_may_come_from() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(run_json(dir.path(), &["init", "--key-file"]).code, 0);
    // As where the vault opens by a passphrase.
    fs::remove_file(dir.path().join("vault.key")).unwrap();
    let import = run_json(dir.path(), IMPORT);
    assert_eq!(import.code, 64, "{import:?}");
    is_error(&import.json);
    let said = import.json["error"]["hint"].as_str().unwrap();
    assert!(said.contains("--passphrase-file"), "{said}");
}

#[test]
fn what_opens_the_vault_and_its_key_are_replaced_while_nothing_runs() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(run_json(dir.path(), &["init", "--key-file"]).code, 0);
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    fs::write(&first, "correct horse battery\n").unwrap();
    fs::write(&second, "staple correct horse\n").unwrap();
    let (first, second) = (first.to_str().unwrap(), second.to_str().unwrap());
    let opens =
        |by: &str| run_json(dir.path(), &["venue-key", "list", "--passphrase-file", by]).code == 0;
    let key_file = dir.path().join("vault.key");

    let to_first = ["vault", "passphrase", "--new-passphrase-file", first];
    let held = fs::File::create(dir.path().join("gateway.lock")).unwrap();
    held.try_lock().unwrap();
    let refused = run_json(dir.path(), &to_first);
    assert_eq!((refused.code, refused.error()), (1, "running"), "{refused:?}");
    is_error(&refused.json);
    drop(held);
    assert!(key_file.exists() && !opens(first));

    let done = run_json(dir.path(), &to_first);
    assert_eq!((done.code, &done.json["done"]), (0, &Value::from(true)), "{done:?}");
    assert!(!key_file.exists() && opens(first) && !opens(second));
    let sealed = |name: &str| fs::read(dir.path().join(name)).unwrap();
    let before = (sealed("vault"), sealed("callers"));
    let wrong = run_json(dir.path(), &["vault", "rekey", "--passphrase-file", second]);
    assert_eq!((wrong.code, wrong.error()), (1, "vault"), "{wrong:?}");
    assert_eq!((sealed("vault"), sealed("callers")), before);
    let done = run_json(dir.path(), &["vault", "rekey", "--passphrase-file", first]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(sealed("vault") != before.0 && sealed("callers") != before.1 && opens(first));
    assert!(!dir.path().join("callers.next").exists());

    let change = ["vault", "passphrase", "--passphrase-file", first];
    let to_second = [&change[..], &["--new-passphrase-file", second]].concat();
    assert_eq!(run_json(dir.path(), &to_second).code, 0);
    assert!(opens(second) && !opens(first));
    let to_file = ["vault", "passphrase", "--passphrase-file", second, "--key-file"];
    assert_eq!(run_json(dir.path(), &to_file).code, 0);
    assert!(key_file.exists() && !opens(second));
    assert_eq!(run_json(dir.path(), &["venue-key", "list"]).code, 0);
}

#[test]
fn a_key_typed_on_a_terminal_is_not_shown_nor_dumped() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(run_json(dir.path(), &["init", "--key-file"]).code, 0);
    let terminal = openpty(None, None).unwrap();
    let echoes = || tcgetattr(&terminal.slave).unwrap().local_flags.contains(LocalFlags::ECHO);
    assert!(echoes());
    let mut import = Command::new(program())
        .args(IMPORT)
        .args(["--data-dir", dir.path().to_str().unwrap()])
        .stdin(terminal.slave.try_clone().unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("it reads without echo", WAIT, || (!echoes()).then_some(()));
    let limits = fs::read_to_string(format!("/proc/{}/limits", import.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    // A line and the end of the input.
    nix::unistd::write(&terminal.master, b"no key\n\x04").unwrap();
    assert_eq!(import.wait().unwrap().code(), Some(1));
    assert!(echoes(), "as it was before");
}

#[test]
fn verify_tells_a_missing_journal_from_a_damaged_one() {
    let dir = tempfile::tempdir().unwrap();
    let none = run_json(dir.path(), &["verify"]);
    assert_eq!(none.code, 1, "{none:?}");
    is_error(&none.json);
}

//! `tidegate approve` before a gateway of the test's own: what is approved is what was shown.

use crate::program::{program, run, run_json};
use nix::pty::openpty;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

const FORGED: &str = "desk d: tom asks to lift\u{1b}[2K\u{1b}[1A\u{9b}2J the halt \u{202e}fo";

/// A gateway that knows one request, and what it was asked.
fn gateway(dir: &Path) -> Arc<Mutex<Vec<Value>>> {
    let digest = "ab".repeat(32);
    let request = json!({
        "id": 7, "by": "tom", "statement": FORGED, "digest": digest, "asked_ms": 0,
        "until_ms": 0, "stage": "waiting", "misses": 0, "yours": false,
    });
    let listener = UnixListener::bind(dir.join("admin.sock")).unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            let Ok(asked) = serde_json::from_str::<Value>(&line) else { continue };
            let answer = match asked["op"].as_str() {
                Some("approvals") => json!({"ok": {"approvals": "two", "requests": [request]}}),
                _ => json!({"ok": {}}),
            };
            seen.lock().unwrap().push(asked);
            writeln!(stream, "{answer}").unwrap();
        }
    });
    asked
}

fn approved(asked: &Mutex<Vec<Value>>) -> usize {
    asked.lock().unwrap().iter().filter(|asked| asked["op"] == "approve").count()
}

#[test]
fn a_script_says_what_it_approves() {
    let dir = tempfile::tempdir().unwrap();
    let asked = gateway(dir.path());
    let blind = run_json(dir.path(), &["approve", "7"]);
    assert_eq!((blind.code, blind.error()), (64, "usage"), "{blind:?}");
    let plain = run(&["approve", "7", "--data-dir", dir.path().to_str().unwrap()]);
    assert_eq!(plain.code, 64, "{plain:?}");
    assert_eq!(approved(&asked), 0);
    let digest = "ab".repeat(32);
    let told = run_json(dir.path(), &["approve", "7", "--digest", &digest]);
    assert_eq!((told.code, approved(&asked)), (0, 1), "{told:?}");
    assert_eq!(told.json["statement"], FORGED, "as it is, once the JSON is read");
    assert!(!told.stdout.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{told:?}");
    let shown = run_json(dir.path(), &["approvals", "show", "7"]);
    assert_eq!((shown.code, &shown.json["digest"]), (0, &Value::from(digest)), "{shown:?}");
    let none = run_json(dir.path(), &["approvals", "show", "8"]);
    assert_eq!((none.code, none.error()), (1, "no_such_approval"), "{none:?}");
    let list = run(&["approvals", "--data-dir", dir.path().to_str().unwrap()]);
    assert!(list.stdout.contains("\\u001b[2K") && list.stdout.contains("\\u202efo"), "{list:?}");
    assert!(!list.stdout.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{list:?}");
}

#[test]
fn a_person_at_a_terminal_reads_it_first_and_says_yes() {
    for (said, code, carried_out) in [("yes\n", 0, 1), ("y\n", 1, 0), ("\n", 1, 0), ("\u{4}", 1, 0)]
    {
        let dir = tempfile::tempdir().unwrap();
        let asked = gateway(dir.path());
        let terminal = openpty(None, None).unwrap();
        let mut approve = Command::new(program())
            .args(["approve", "7", "--data-dir", dir.path().to_str().unwrap()])
            .stdin(terminal.slave.try_clone().unwrap())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut talk = approve.stderr.take().unwrap();
        let mut shown = Vec::new();
        // It is shown before anything is typed.
        while !String::from_utf8_lossy(&shown).contains("Type yes") {
            let mut some = [0; 256];
            let count = talk.read(&mut some).unwrap();
            assert!(count > 0, "{}", String::from_utf8_lossy(&shown));
            shown.extend_from_slice(&some[..count]);
        }
        assert_eq!(approved(&asked), 0);
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains("tom asks to lift\\u001b[2K"), "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{shown:?}");
        nix::unistd::write(&terminal.master, said.as_bytes()).unwrap();
        assert_eq!(approve.wait().unwrap().code(), Some(code), "{said:?}");
        assert_eq!(approved(&asked), carried_out, "{said:?}");
    }
}

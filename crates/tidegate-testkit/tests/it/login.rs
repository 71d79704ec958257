//! A machine that logs in at a gateway by device code: a person says yes on the console's pages, the unified API
//! answers, and what was given is taken back.

use crate::browser::Browser;
use crate::demo::{Demo, files, scan};
use crate::program::{Ended, eventually, program, run_json};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const APP: &str = "cli-tom";
const ACCOUNT: &str = "binance/binance-main";
const WAIT: Duration = Duration::from_secs(20);

/// Another machine: it knows nothing of the gateway's folder.
struct Machine {
    home: PathBuf,
    url: String,
    ca: String,
}

/// A login that waits for its person.
struct Waiting {
    user_code: String,
    ended: std::thread::JoinHandle<Ended>,
}

impl Machine {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(args).args(["--json", "--data-dir", "/nonexistent"]);
        command.env("XDG_CONFIG_HOME", &self.home).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Ended {
        Ended::of(self.command(args).output().unwrap())
    }

    fn begin(&self, more: &[&str]) -> Waiting {
        let mut login = self.command(&[&["login"], more].concat());
        let mut child = login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let talk = Arc::new(Mutex::new(String::new()));
        let (heard, said) = (Arc::clone(&talk), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(said).lines().map_while(Result::ok) {
                heard.lock().unwrap().push_str(&line);
            }
        });
        let user_code = eventually("the code to type", WAIT, || {
            let told: Value = serde_json::from_str(&talk.lock().unwrap()).ok()?;
            assert!(told["verification_uri"].as_str()?.starts_with(&self.url), "{told}");
            told["user_code"].as_str().map(str::to_owned)
        });
        let ended = std::thread::spawn(move || Ended::of(child.wait_with_output().unwrap()));
        Waiting { user_code, ended }
    }

    fn place(&self) -> PathBuf {
        let name = self.url.strip_prefix("https://").unwrap().replace(':', "_");
        self.home.join("tidegate").join(name)
    }

    /// What is kept of the login.
    fn kept(&self) -> Value {
        serde_json::from_slice(&fs::read(self.place().join("login.json")).unwrap()).unwrap()
    }
}

impl Waiting {
    fn decided(self, browser: &mut Browser, yes: bool) -> Ended {
        browser.decide(&self.user_code, yes);
        self.ended.join().unwrap()
    }
}

fn done(dir: &Path, args: &[&str]) -> Value {
    let ended = run_json(dir, args);
    assert_eq!(ended.code, 0, "{args:?} {ended:?}");
    ended.json
}

#[test]
fn a_machine_logs_in_by_a_code_asks_and_logs_out() {
    let home = tempfile::tempdir().unwrap();
    let demo = Demo::start(&home.path().join("demo"), &[]);
    let console = demo.ready["console"].as_str().unwrap();
    let url = console.strip_suffix("/console/").unwrap().to_owned();
    let ca = demo.ready["ca"].as_str().unwrap().to_owned();
    let machine = Machine { home: home.path().join("config"), url, ca };
    assert!(demo.looks_weak(), "one decides where several could: status says so");
    addresses(&machine);
    register(&machine, &demo.dir);
    let tom = demo.ready["people"].as_array().unwrap().iter().find(|it| it["person"] == "tom");
    let mut tom = Browser::enter(&demo.ready, "tom", tom.unwrap()["link"].as_str().unwrap());
    let refused = machine.begin(&[]).decided(&mut tom, false);
    assert_eq!((refused.code, refused.error()), (1, "access_denied"), "{refused:?}");
    let ended = machine.begin(&[]).decided(&mut tom, true);
    assert_eq!((ended.code, &ended.json["logged_in"]), (0, &json!(true)), "{ended:?}");
    requests(&machine);
    kept_to_itself(&machine, &demo.dir);
    // A token that is due is renewed.
    let before = machine.kept();
    let mut due = before.clone();
    due["granted"]["until_ms"] = json!(0);
    fs::write(machine.place().join("login.json"), due.to_string()).unwrap();
    assert_eq!(machine.run(&["api", "balances"]).code, 0);
    let after = machine.kept();
    assert_ne!(before["granted"]["access"], after["granted"]["access"]);
    assert_eq!(before["granted"]["refresh"], after["granted"]["refresh"]);
    // What the desk takes back is good no more, whatever the machine thinks.
    let grants = done(&demo.dir, &["app", "grants"]);
    assert_eq!(grants["grants"][0]["person"], "tom", "{grants}");
    done(&demo.dir, &["app", "revoke-grant", grants["grants"][0]["grant"].as_str().unwrap()]);
    let told = machine.run(&["api", "balances"]);
    assert_eq!((told.code, told.error()), (1, "not-logged-in"), "{told:?}");
    // Logging out takes back what was granted, at the gateway.
    let ended = machine.begin(&[&machine.url]).decided(&mut tom, true);
    assert_eq!(ended.code, 0, "{ended:?}");
    let status = machine.run(&["login", "--status"]);
    assert_eq!(status.json["logins"][0]["logged_in"], json!(true), "{status:?}");
    assert_eq!(machine.run(&["logout"]).code, 0);
    assert_eq!(done(&demo.dir, &["app", "grants"])["grants"], json!([]));
    let status = machine.run(&["login", "--status"]);
    assert_eq!(status.json["logins"][0]["logged_in"], json!(false), "{status:?}");
    assert_eq!(machine.run(&["api", "balances"]).error(), "not-logged-in");
}

/// The address is the gateway's own, over TLS that is trusted.
fn addresses(machine: &Machine) {
    let nowhere = machine.run(&["login"]);
    assert_eq!((nowhere.code, nowhere.error()), (1, "not-logged-in"), "{nowhere:?}");
    let ask = ["--account", ACCOUNT];
    let stranger = machine.run(&[&["login", &machine.url][..], &ask].concat());
    assert_eq!((stranger.code, stranger.error()), (1, "unreachable"), "{stranger:?}");
    assert!(stranger.json["error"]["hint"].as_str().unwrap().contains("--ca"), "{stranger:?}");
    let other = machine.url.replace("localhost", "127.0.0.1");
    let other = machine.run(&[&["login", &other, "--ca", &machine.ca][..], &ask].concat());
    assert_eq!((other.code, other.error()), (64, "usage"), "{other:?}");
    assert!(other.json["error"]["hint"].as_str().unwrap().contains(&machine.url), "{other:?}");
    let blank = machine.run(&["login", &machine.url]);
    assert_eq!((blank.code, blank.error()), (64, "usage"), "it says what to ask for: {blank:?}");
}

/// An unknown machine tells what an administrator runs, and that is enough.
fn register(machine: &Machine, desk: &Path) {
    let ask = ["login", &machine.url, "--ca", &machine.ca, "--app", APP, "--account", ACCOUNT];
    let told = machine.run(&ask);
    assert_eq!((told.code, told.error()), (1, "not-registered"), "{told:?}");
    let register = &told.json["register"];
    let file = register["jwks_file"].as_str().unwrap();
    assert!(!fs::read_to_string(file).unwrap().contains("\"d\""), "public keys alone");
    let commands = register["commands"].as_array().unwrap();
    assert_eq!(commands.len(), 3, "{told:?}");
    for command in commands {
        let mut words = Vec::new();
        // A title is one word in quotes.
        for (at, part) in command.as_str().unwrap().split('"').enumerate() {
            match at % 2 {
                0 => words.extend(part.split_whitespace()),
                _ => words.push(part),
            }
        }
        let named = |word: &str| file.ends_with(&format!("/{word}"));
        let words: Vec<&str> = words.into_iter().map(|w| if named(w) { file } else { w }).collect();
        done(desk, &words[1..]);
    }
    done(desk, &["person", "set", "tom", "--roles", "trader", "--owns", &format!("you,{APP}")]);
}

fn requests(machine: &Machine) {
    let balances = machine.run(&["api", "GET", "/v1/balances"]);
    assert_eq!(balances.code, 0, "{balances:?}");
    assert!(balances.json["items"].is_array(), "{balances:?}");
    let order = json!({"instrument": "binance/BTCUSDT", "side": "buy", "type": "market", "quantity": "0.01"});
    let told = machine.run(&["api", "orders", "--data", &order.to_string()]);
    assert_eq!((told.code, told.error()), (1, "insufficient_scope"), "it only reads: {told:?}");
    assert_eq!(told.json["problem"]["status"], json!(403), "{told:?}");
    let told = machine.run(&["api", "/v1/orders/999999"]);
    assert_eq!((told.code, &told.json["status"]), (1, &json!(404)), "{told:?}");
    assert_eq!(told.error(), told.json["problem"]["code"], "{told:?}");
    let told = machine.run(&["api", "/binance/fapi/v1/order"]);
    assert_eq!((told.code, told.error()), (64, "usage"), "{told:?}");
}

/// Nobody else reads what opens something, and the gateway keeps none of it.
fn kept_to_itself(machine: &Machine, desk: &Path) {
    for name in ["keys", "login.json"] {
        let mode = fs::metadata(machine.place().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(fs::metadata(machine.place()).unwrap().permissions().mode() & 0o777, 0o700);
    let kept = machine.kept();
    let tokens =
        ["access", "refresh"].map(|name| kept["granted"][name].as_str().unwrap().to_owned());
    let found = scan(&files(desk), &tokens);
    assert!(found.is_empty(), "tokens lie in {found:?}");
}

//! The demo from its first start to its end: one life of real processes, told in steps, because
//! starting it is what costs. A step that fails does not keep the others from being seen.

mod past;
mod stage;

use crate::client::Access;
use crate::program::{Foreground, eventually, is_alive, run_json, signal};
use nix::sys::signal::Signal;
use serde_json::Value;
pub(crate) use stage::{Demo, files, frames, scan};
use stage::{Flood, Steps, children};
use std::fs;
use std::process::Command;
use std::time::Duration;

const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(5);

#[test]
fn a_demo_from_its_first_start_to_its_end() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("demo");
    let mut steps = Steps::default();
    let mut demo = Demo::start(&dir, &["--seed", "7"]);
    steps.step("the ready line", || ready_line(&demo));
    steps.step("a second demo", || second_demo(&demo));
    steps.step("other protocols", || other_protocols(&demo));
    steps.step("an order", || orders_pass(&demo));
    steps.step("trades past it", || past::trades_past_tidegate(&demo));
    steps.step("secrets", || secrets(&demo));
    steps.step("verify", || verify_finds_damage(&demo, home.path()));
    steps.step("the doctor", || doctor_looks_at_clock_and_keys(&demo));
    steps.step("halt under flood", || halt_under_flood(&demo));
    steps.step("positions are closed", || positions_are_closed(&demo));
    steps.step("the gateway stands still", || gateway_stands_still(&demo));
    steps.step("the signer dies", || signer_dies(&demo));
    steps.step("the gateway dies", || gateway_dies(&demo));
    steps.step("the simulator dies", || sim_dies(&demo));
    steps.step("it ends", || ends_in_time(&mut demo, Signal::SIGTERM));
    steps.step("another seed", || other_seed(&demo));
    let mut again = Demo::start(&dir, &[]);
    steps.step("it goes on", || goes_on(&demo, &again));
    steps.step("a halt holds", || halt_holds_until_resume(&mut again));
    steps.step("the demo is killed", || killed_whole(&again));
    steps.step("a copied folder", || copied_folder(&dir, &home.path().join("copy")));
    steps.step("the halt file", || halt_file(&dir));
    steps.end();
}

#[test]
fn its_people_have_one_duty_each_and_what_loosens_takes_two() {
    let home = tempfile::tempdir().unwrap();
    let demo = Demo::taking("two", &home.path().join("demo"), &[]);
    assert_eq!(demo.ready["approvals"], "two");
    assert!(!demo.looks_weak());
    let people = demo.ready["people"].as_array().unwrap();
    let roles = people.iter().map(|person| person["roles"].as_array().unwrap());
    let roles: Vec<Vec<&str>> =
        roles.map(|roles| roles.iter().map(|role| role.as_str().unwrap()).collect()).collect();
    assert!(roles.iter().all(|roles| roles.len() == 1), "{roles:?}");
    for role in ["trader", "risk", "approver", "admin", "auditor"] {
        assert!(roles.iter().any(|roles| roles == &[role]), "{role}: {roles:?}");
    }
    assert!(people.iter().all(|person| person["link"].is_string()), "every link is open");
    demo.place("seated");
    let add = run_json(&demo.dir, &["account", "add", "third", "--venue", "binance"]);
    assert_eq!(add.code, 3, "{add:?}");
    let id = add.json["pending"].to_string();
    let alone = run_json(&demo.dir, &["approve", &id, "--digest", &"0".repeat(64)]);
    assert_eq!((alone.code, alone.error()), (1, "forbidden"), "{alone:?}");
    assert_eq!(run_json(&demo.dir, &["halt", "caller:trend", "--reason", "drill"]).code, 0);
    let lifted = run_json(&demo.dir, &["resume", "caller:trend", "--reason", "over"]);
    assert_eq!((lifted.code, lifted.error()), (1, "forbidden"), "{lifted:?}");
}

fn ready_line(demo: &Demo) {
    let ready = &demo.ready;
    let text = |path: &str| {
        let found = ready.pointer(path).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("{path}: {ready}")).to_owned()
    };
    for key in ["gateway", "ca", "proxy", "console", "admin", "pids", "data_dir", "venues"] {
        assert!(ready.get(key).is_some(), "{key} is never absent: {ready}");
    }
    assert!(text("/gateway").starts_with("https://"));
    assert!(text("/ca").ends_with(".pem") && text("/data_dir") == demo.dir.to_str().unwrap());
    for pid in ["gateway", "signer", "sim"] {
        assert!(is_alive(demo.pid(pid)), "{pid} is a process");
    }
    for pid in ["gateway", "signer"] {
        let limits = fs::read_to_string(format!("/proc/{}/limits", demo.pid(pid))).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{pid} leaves no core dump: {core}");
    }
    for venue in ["binance", "deribit"] {
        let of = |key: &str| text(&format!("/venues/{venue}/{key}"));
        assert!(of("rest").starts_with("https://") && of("ws").starts_with("wss://"));
        assert!(!of("rest").ends_with('/') && !of("key").is_empty() && !of("secret").is_empty());
        assert!(ready["venues"][venue].get("passphrase").is_some());
    }
    let status = demo.status();
    for account in status["accounts"].as_array().unwrap() {
        assert_eq!(account["open"], true, "reconciled and open: {account}");
    }
    assert!(demo.process.more_lines().is_empty(), "exactly one line");
    // Simulator, gateway, signer and three bots are processes of their own.
    let count = children(u64::from(demo.process.pid())).len();
    assert!(count >= 5, "{count} children");
}

fn other_protocols(demo: &Demo) {
    let address = &demo.binance.address;
    let openssl = |version: &str| {
        let ca = demo.ready["ca"].as_str().unwrap();
        let run = Command::new("openssl")
            .args(["s_client", "-brief", "-connect", address, "-CAfile", ca, version])
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&run.stderr).into_owned()
    };
    let good = openssl("-tls1_3");
    assert!(good.contains("TLSv1.3"), "{good}");
    let old = openssl("-tls1_2");
    assert!(!old.contains("TLSv1.2") || old.contains("alert"), "{old}");
    assert!(old.contains("alert"), "TLS 1.2 is refused: {old}");
    // Plain HTTP gets no answer in HTTP.
    use std::io::{Read, Write};
    let mut plain = std::net::TcpStream::connect(address).unwrap();
    plain.set_read_timeout(Some(STOP)).unwrap();
    plain.write_all(b"GET /fapi/v1/ping HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said);
    assert!(!said.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&said));
}

fn orders_pass(demo: &Demo) {
    let id = demo.place("first");
    let (status, open) = demo.binance.ask("GET", "/fapi/v1/openOrders", "symbol=BTCUSDT");
    assert_eq!(status, 200, "{open}");
    let found = open.as_array().unwrap().iter().find(|order| order["orderId"] == id);
    assert_eq!(found.unwrap()["clientOrderId"], "first", "the caller's id is restored: {open}");
    let cancel = "symbol=BTCUSDT&origClientOrderId=first";
    let (status, said) = demo.binance.ask("DELETE", "/fapi/v1/order", cancel);
    assert_eq!((status, &said["status"]), (200, &Value::from("CANCELED")), "{said}");
    let (_, said) = demo.binance.ask("POST", "/sapi/v1/capital/withdraw/apply", "coin=BTC");
    assert!(said["code"].as_i64().is_some_and(|code| code < 0), "{said}");
}

/// What a simulator of that seed prints. The same seed makes the same keys, so the exchange's are
/// known without looking.
fn secrets_of(seed: &str) -> Value {
    let other = tempfile::tempdir().unwrap();
    let folder = other.path().to_str().unwrap();
    let list = ["sim", "--json", "--plain-http", "--listen", "127.0.0.1:0", "--seed", seed];
    let mut sim = Foreground::start(&[&list[..], &["--data-dir", folder]].concat());
    serde_json::from_str(&sim.line(START)).unwrap()
}

fn secrets(demo: &Demo) {
    let told = secrets_of("7");
    let mut real = Vec::new();
    for venue in told["venues"].as_object().unwrap().values() {
        real.extend(venue["keys"].as_array().unwrap().iter().map(|key| key["secret"].clone()));
    }
    // A key in PEM is several lines; what stands between them is the secret.
    let lines = real.iter().flat_map(|secret| secret.as_str().unwrap().lines());
    let real: Vec<String> =
        lines.filter(|l| !l.is_empty() && !l.starts_with("-----")).map(str::to_owned).collect();
    assert!(real.len() >= 2 && real.iter().all(|secret| secret.len() >= 16));
    let found = scan(&files(&demo.dir), &real);
    assert!(found.is_empty(), "exchange secrets lie in {found:?}");
    let virtual_secrets = [demo.binance.secret().to_owned()];
    let found = scan(&files(&demo.dir), &virtual_secrets);
    assert_eq!(found, [demo.dir.join("demo-keys.json")], "virtual secrets are in one file");
    let mut everything = real;
    everything.extend(virtual_secrets);
    let mut shown = Vec::new();
    for pid in children(u64::from(demo.process.pid())) {
        shown.push(format!("/proc/{pid}/cmdline").into());
        shown.push(format!("/proc/{pid}/environ").into());
    }
    let found = scan(&shown, &everything);
    assert!(found.is_empty(), "secrets are shown by ps: {found:?}");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(demo.dir.join("demo-keys.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

fn verify_finds_damage(demo: &Demo, home: &std::path::Path) {
    // Beside the running gateway, and then on a copy.
    let whole = run_json(&demo.dir, &["verify"]);
    assert_eq!((whole.code, &whole.json["whole"]), (0, &Value::Bool(true)), "{whole:?}");
    assert!(whole.json["records"].as_u64().unwrap() > 10);
    stage::damage(&demo.dir, home);
}

fn halt_under_flood(demo: &Demo) {
    // They would stop the flood before the halt does.
    for kind in ["repeats", "rejects", "errors"] {
        let removed = run_json(&demo.dir, &["breaker", "remove", &format!("{kind}@each-caller")]);
        assert_eq!(removed.code, 0, "{removed:?}");
    }
    demo.place("resting");
    let flood = Flood::start(&demo.binance, 6);
    eventually("the flood runs", START, || (flood.count() > 500).then_some(()));
    let halt = run_json(&demo.dir, &["halt", "all", "--reason", "drill", "--timeout", "30"]);
    assert_eq!(halt.code, 0, "{halt:?}");
    let accepted = flood.accepted();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(flood.accepted(), accepted, "no order passes once the halt is proven");
    let count = flood.end();
    assert!(count > 1000, "{count} requests are no flood");
    let (_, open) = demo.binance.ask("GET", "/fapi/v1/openOrders", "");
    assert_eq!(open, Value::Array(Vec::new()), "nothing is open");
    let (status, said) = demo.try_place("halted");
    assert!(status >= 400 && said["msg"].as_str().unwrap().contains("TG509"), "{said}");
    // A cancel passes: what is refused is refused by the venue's rule, not by the halt.
    let cancel = "symbol=BTCUSDT&origClientOrderId=resting";
    let (_, said) = demo.binance.ask("DELETE", "/fapi/v1/order", cancel);
    assert_eq!(said["code"], -2011, "{said}");
    assert_eq!(run_json(&demo.dir, &["resume", "all", "--reason", "over"]).code, 0);
    demo.open_again();
    demo.place("after");
}

/// The bots hold positions at both exchanges; they are closed by orders of Tidegate's own.
fn positions_are_closed(demo: &Demo) {
    let positions = || {
        let status = demo.status();
        let accounts = status["accounts"].as_array().unwrap().iter();
        let held = accounts.filter_map(|one| one["positions"].as_object());
        held.map(serde_json::Map::len).sum::<usize>()
    };
    eventually("somebody holds something", START, || (positions() > 0).then_some(()));
    let halt = ["halt", "all", "--flatten", "--reason", "out", "--timeout", "90"];
    let ended = run_json(&demo.dir, &halt);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json["flat"], true, "{ended:?}");
    let closed = ended.json["closed"].as_array().unwrap();
    assert!(!closed.is_empty(), "{ended:?}");
    assert_eq!(positions(), 0);
    let foreign = demo.status()["foreign"].clone();
    assert_eq!(foreign, Value::Array(Vec::new()), "they were our own orders");
    let (_, told) = demo.binance.ask("GET", "/fapi/v2/positionRisk", "");
    let open = told
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["positionAmt"].as_str().unwrap().parse::<f64>().unwrap() != 0.0);
    assert_eq!(open.count(), 0, "the exchange shows no position: {told}");
    assert_eq!(run_json(&demo.dir, &["resume", "all", "--reason", "over"]).code, 0);
    demo.open_again();
}

fn signer_dies(demo: &Demo) {
    let old = demo.status()["pids"]["signer"].as_u64().unwrap();
    signal(old, Signal::SIGKILL);
    let new = eventually("another signer", START, || {
        demo.try_status()?["pids"]["signer"].as_u64().filter(|pid| *pid != old)
    });
    assert!(is_alive(new) && !is_alive(old));
    demo.open_again();
    demo.place("signed-anew");
}

/// The venue's own timer cancels what nobody watches over, and nothing before.
fn gateway_stands_still(demo: &Demo) {
    let limits = |dead_man: &str| {
        let set =
            ["limit", "set", "binance-main", "--max-order", "500000", "--max-open", "1999999"];
        let more = ["--max-position", "2000000", "--max-exposure", "8000000"];
        let rate = ["--collar-bps", "500", "--orders-per-second", "50", "--burst", "200"];
        let all = [&set[..], &more, &rate, &["--dead-man-s", dead_man]].concat();
        assert_eq!(run_json(&demo.dir, &all).code, 0);
    };
    let status = || {
        let (code, said) = demo.binance.ask(
            "GET",
            "/fapi/v1/order",
            "symbol=BTCUSDT&origClientOrderId=watched-over",
        );
        (code == 200).then(|| said["status"].as_str().unwrap_or_default().to_owned())
    };
    limits("10");
    demo.place("watched-over");
    std::thread::sleep(Duration::from_secs(12));
    assert_eq!(status().as_deref(), Some("NEW"), "it is fed");
    let gateway = demo.status()["pids"]["gateway"].as_u64().unwrap();
    signal(gateway, Signal::SIGSTOP);
    std::thread::sleep(Duration::from_secs(12));
    signal(gateway, Signal::SIGCONT);
    eventually("the venue cancelled it", START, || (status()? == "CANCELED").then_some(()));
    let gone = demo.status()["pids"]["gateway"].as_u64();
    assert_eq!(gone, Some(gateway), "the same gateway");
    limits("0");
    demo.open_again();
}

fn gateway_dies(demo: &Demo) {
    let scope = "instrument:binance/ETHUSDT";
    assert_eq!(run_json(&demo.dir, &["halt", scope, "--reason", "drill"]).code, 0);
    demo.buy_some();
    demo.place("over-the-crash");
    let before = demo.quiet_state();
    let old = demo.status()["pids"]["gateway"].as_u64().unwrap();
    signal(old, Signal::SIGKILL);
    eventually("another gateway", START, || {
        demo.try_status()?["pids"]["gateway"].as_u64().filter(|pid| *pid != old)
    });
    demo.open_again();
    assert_eq!(demo.quiet_state(), before, "the same positions, orders and halts");
    // The addresses that were printed hold.
    // Bringing the accounts up to date spends from the same budget as a caller's reads.
    let said = eventually("the open orders", START, || {
        let (status, said) = demo.binance.ask("GET", "/fapi/v1/openOrders", "symbol=BTCUSDT");
        assert!(matches!(status, 200 | 429), "{status}: {said}");
        (status == 200).then_some(said)
    });
    let ids: Vec<&str> =
        said.as_array().unwrap().iter().filter_map(|o| o["clientOrderId"].as_str()).collect();
    assert!(ids.contains(&"over-the-crash"), "{ids:?}");
    assert_eq!(run_json(&demo.dir, &["resume", scope, "--reason", "over"]).code, 0);
    assert_eq!(run_json(&demo.dir, &["verify"]).code, 0);
}

fn sim_dies(demo: &Demo) {
    let before = demo.quiet_state();
    let own = u64::from(demo.process.pid());
    let is_sim = |pid: &u64| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == b"sim")
    };
    let old = children(own).into_iter().find(is_sim).unwrap();
    signal(old, Signal::SIGKILL);
    eventually("another simulator", START, || {
        children(own).into_iter().filter(is_sim).find(|pid| *pid != old)
    });
    demo.open_again();
    assert_eq!(demo.quiet_state(), before, "the exchange remembers");
    demo.place("after-the-exchange");
}

fn ends_in_time(demo: &mut Demo, how: Signal) {
    let processes = children(u64::from(demo.process.pid()));
    signal(u64::from(demo.process.pid()), how);
    let (code, took) = demo.process.wait(STOP * 3);
    assert_eq!(code, Some(0));
    assert!(took < STOP, "it took {took:?}");
    eventually("its processes end", STOP, || {
        processes.iter().all(|pid| !is_alive(*pid)).then_some(())
    });
    assert!(demo.process.more_lines().is_empty(), "exactly one line in all its life");
    assert_eq!(run_json(&demo.dir, &["verify"]).code, 0);
}

fn second_demo(demo: &Demo) {
    let ended = run_json(&demo.dir, &["demo", "--listen", "127.0.0.1:0"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let message = ended.json["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("a gateway runs on"), "{ended:?}");
}

fn other_seed(demo: &Demo) {
    let ended = run_json(&demo.dir, &["demo", "--listen", "127.0.0.1:0", "--seed", "8"]);
    assert_eq!(ended.code, 64, "{ended:?}");
    assert!(!ended.error().is_empty(), "{ended:?}");
}

fn goes_on(demo: &Demo, again: &Demo) {
    assert_eq!(demo.ready["venues"]["binance"]["key"], again.ready["venues"]["binance"]["key"]);
    assert_eq!(demo.binance.secret(), again.binance.secret());
    let (_, open) = again.binance.ask("GET", "/fapi/v1/openOrders", "symbol=BTCUSDT");
    let open: Vec<&str> =
        open.as_array().unwrap().iter().filter_map(|o| o["clientOrderId"].as_str()).collect();
    assert!(open.contains(&"after-the-exchange"), "a clean stop leaves orders: {open:?}");
    let (_, all) = again.binance.ask("GET", "/fapi/v3/positionRisk", "symbol=BTCUSDT");
    let bought = all.as_array().unwrap().iter().any(|p| p["positionAmt"] != "0");
    assert!(bought, "{all}");
    let status = again.status();
    let mut accounts = status["accounts"].as_array().unwrap().iter();
    let main = accounts.find(|account| account["account"] == "binance-main").unwrap();
    assert_eq!(main["max_open_notional"], "1999999", "limits that somebody set stay");
}

fn halt_holds_until_resume(demo: &mut Demo) {
    let maker = revoke_key_of(demo, "maker");
    assert_eq!(run_json(&demo.dir, &["halt", "all", "--reason", "night"]).code, 0);
    ends_in_time(demo, Signal::SIGINT);
    *demo = Demo::start(&demo.dir.clone(), &["--seed", "7"]);
    let halts = demo.status()["halts"].clone();
    assert_eq!((&halts[0]["scope"], &halts[0]["reason"]), (&"all".into(), &"night".into()));
    let (_, said) = demo.try_place("still-halted");
    assert!(said["msg"].as_str().unwrap().contains("TG509"), "{said}");
    assert_eq!(run_json(&demo.dir, &["resume", "all", "--reason", "morning"]).code, 0);
    demo.place("resumed");
    let callers = demo.status()["callers"].clone();
    let still = callers.as_array().unwrap().iter().flat_map(|c| c["keys"].as_array().unwrap());
    assert!(!still.map(|key| key.as_str().unwrap()).any(|key| key == maker), "{callers}");
    assert!(demo.process.talk().contains("maker@binance-bots trades no more"));
}

fn revoke_key_of(demo: &Demo, caller: &str) -> String {
    let callers = demo.status()["callers"].clone();
    let its = callers.as_array().unwrap().iter().find(|known| known["caller"] == caller).unwrap();
    let key = its["keys"][0].as_str().unwrap().to_owned();
    assert_eq!(run_json(&demo.dir, &["caller", "revoke", &key]).code, 0);
    key
}

fn killed_whole(demo: &Demo) {
    let pid = u64::from(demo.process.pid());
    let mut processes = children(pid);
    processes.extend(["gateway", "signer", "sim"].map(|name| demo.pid(name)));
    signal(pid, Signal::SIGKILL);
    eventually("its processes die with it", STOP, || {
        processes.iter().all(|pid| !is_alive(*pid)).then_some(())
    });
}

fn doctor_looks_at_clock_and_keys(demo: &Demo) {
    // What this machine lacks may be wrong with it; that is another matter.
    let told = run_json(&demo.dir, &["doctor"]).json;
    let findings = told["findings"].as_array().unwrap_or_else(|| panic!("{told}"));
    let seen = |what: &str| -> Vec<&str> {
        let of = findings.iter().filter(|finding| finding["what"] == what);
        of.map(|finding| finding["seen"].as_str().unwrap()).collect()
    };
    for venue in ["binance", "deribit"] {
        let told = |what| seen(what).iter().any(|s| s.starts_with(&format!("{venue}'s is ")));
        assert!(told("clock") && told("venue clock"), "{:?}", seen("clock"));
    }
    let keys = seen("venue key");
    assert!(keys.iter().any(|s| s.contains(" of binance-main may ")), "{keys:?}");
    assert_eq!(seen("keys"), ["RSA keys have 3072 bits or more"]);
}

fn copied_folder(dir: &std::path::Path, copy: &std::path::Path) {
    let ended = Command::new("cp").arg("-a").args([dir, copy]).status().unwrap();
    assert!(ended.success());
    let open_links = |demo: &Demo| {
        let people = run_json(&demo.dir, &["person", "list"]).json["people"].clone();
        let people = people.as_array().unwrap().clone();
        people.iter().filter(|person| !person["link_until_ms"].is_null()).count()
    };
    let mut before = Demo::start(dir, &[]);
    let had = open_links(&before);
    ends_in_time(&mut before, Signal::SIGTERM);
    assert!(had > 0, "the demo's people have links");
    let mut demo = Demo::start(copy, &[]);
    assert_eq!(open_links(&demo), 0, "one that was used since would be good again");
    let halt = demo.status()["halts"][0].clone();
    assert_eq!(halt["scope"], "all", "it starts halted: {halt}");
    assert!(halt["reason"].as_str().unwrap().contains("copied"), "{halt}");
    let (_, said) = demo.try_place("from-the-copy");
    assert!(said["msg"].as_str().unwrap().contains("TG509"), "{said}");
    assert_eq!(run_json(copy, &["resume", "all", "--reason", "compared"]).code, 0);
    demo.place("resumed-on-the-copy");
    ends_in_time(&mut demo, Signal::SIGTERM);
    let mut again = Demo::start(copy, &[]);
    assert_eq!(again.status()["halts"], serde_json::json!([]), "halted once");
    assert_eq!(run_json(copy, &["restored"]).error(), "unfinished", "not while it runs");
    ends_in_time(&mut again, Signal::SIGTERM);
    assert_eq!(run_json(copy, &["restored"]).code, 0);
    let mut declared = Demo::start(copy, &[]);
    assert_eq!(
        declared.status()["halts"][0]["scope"],
        "all",
        "what no start can notice is declared"
    );
    ends_in_time(&mut declared, Signal::SIGTERM);
}

fn halt_file(dir: &std::path::Path) {
    // A folder whose gateway is down is blocked by a file.
    let halt = run_json(dir, &["halt", "all", "--reason", "nobody home"]);
    assert_eq!(halt.code, 1, "{halt:?}");
    let demo = Demo::start(dir, &[]);
    assert_eq!(demo.status()["halts"][0]["scope"], "all", "it starts halted");
    let (_, said) = demo.try_place("from-the-file");
    assert!(said["msg"].as_str().unwrap().contains("TG509"), "{said}");
    let access = Access::of(&demo.ready, "binance");
    assert_eq!(access.ask("GET", "/fapi/v1/openOrders", "").1, Value::Array(Vec::new()));
}

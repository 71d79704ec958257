//! A running demo, and what the steps do to it.

use super::START;
use crate::client::Access;
use crate::program::{Foreground, eventually, run, run_json};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

/// What failed so far.
#[derive(Default)]
pub(crate) struct Steps(Vec<String>);

impl Steps {
    /// Takes a step; the panic of one that fails is printed and kept.
    pub(crate) fn step(&mut self, name: &str, step: impl FnOnce()) {
        let begun = Instant::now();
        if let Err(why) = catch_unwind(AssertUnwindSafe(step)) {
            let text = why.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| why.downcast_ref::<&str>().copied()).unwrap_or("?");
            self.0.push(format!("{name}: {text}"));
        }
        println!("{name}: {:?}", begun.elapsed());
    }

    /// Fails if a step did.
    pub(crate) fn end(self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

/// A running demo.
pub(crate) struct Demo {
    pub(crate) dir: PathBuf,
    pub(crate) process: Foreground,
    pub(crate) ready: Value,
    pub(crate) binance: Access,
}

impl Demo {
    /// Starts one that a script sets up alone, and waits for its line.
    pub(crate) fn start(dir: &Path, more: &[&str]) -> Demo {
        Demo::taking("one", dir, more)
    }

    /// The same where it takes so many people to loosen something.
    pub(crate) fn taking(approvals: &str, dir: &Path, more: &[&str]) -> Demo {
        let folder = dir.to_str().unwrap();
        let list = ["demo", "--json", "--listen", "127.0.0.1:0", "--data-dir", folder];
        let list = [&list[..], &["--approvals", approvals]].concat();
        let mut process = Foreground::start(&[&list[..], more].concat());
        let line = process.line(START);
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert!(ready.get("venues").is_some(), "{ready}");
        let binance = Access::of(&ready, "binance");
        Demo { dir: dir.to_owned(), process, ready, binance }
    }

    pub(crate) fn pid(&self, name: &str) -> u64 {
        self.ready["pids"][name].as_u64().unwrap()
    }

    pub(crate) fn try_status(&self) -> Option<Value> {
        let ended = run_json(&self.dir, &["status"]);
        (ended.code == 0).then_some(ended.json)
    }

    /// Whether `status` and `doctor` say that one person loosens alone.
    pub(crate) fn looks_weak(&self) -> bool {
        let said = ["status", "doctor"].map(|command| {
            let dir = self.dir.to_str().unwrap();
            run(&[command, "--data-dir", dir]).stdout.contains("tidegate approvals set two")
        });
        assert_eq!(said[0], said[1], "both say the same");
        said[0]
    }

    pub(crate) fn status(&self) -> Value {
        self.try_status().unwrap()
    }

    /// Waits until every account takes orders again.
    pub(crate) fn open_again(&self) {
        eventually("every account is open", START, || {
            let status = self.try_status()?;
            let open = status["accounts"].as_array()?.iter().all(|one| one["open"] == true);
            // The administration listens first; callers are let in a moment later.
            let listens = !status["listeners"].as_object()?.is_empty();
            (open && listens && status["pids"]["signer"].is_u64()).then_some(())
        });
    }

    /// What must survive a crash, on the accounts that no bot trades.
    pub(crate) fn quiet_state(&self) -> (Vec<Value>, Value) {
        let status = self.status();
        let accounts = status["accounts"].as_array().unwrap().iter();
        let quiet = accounts.filter(|a| a["account"].as_str().unwrap().ends_with("-main"));
        let quiet = quiet.map(|a| {
            serde_json::json!([a["account"], a["positions"], a["open_orders"], a["foreign_orders"]])
        });
        (quiet.collect(), status["halts"].clone())
    }

    pub(crate) fn price(&self, percent: f64) -> String {
        // A public read may be refused for a moment after the exchange came back.
        let mark: f64 = eventually("a mark price", START, || {
            let (_, mark) = self.binance.ask("GET", "/fapi/v1/premiumIndex", "symbol=BTCUSDT");
            mark["markPrice"].as_str()?.parse().ok()
        });
        format!("{:.1}", (mark * percent / 100.0).floor())
    }

    /// Sends an order that rests two per cent below the mark.
    pub(crate) fn try_place(&self, id: &str) -> (u16, Value) {
        let price = self.price(98.0);
        let query = format!(
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.010&price={price}&newClientOrderId={id}"
        );
        self.binance.ask("POST", "/fapi/v1/order", &query)
    }

    /// Places such an order; the venue's id.
    pub(crate) fn place(&self, id: &str) -> Value {
        // On a busy machine a mark may be late, which is refused and may be tried again.
        let said = eventually(id, START, || {
            let (status, said) = self.try_place(id);
            let late =
                said["msg"].as_str().is_some_and(|m| m.contains("TG504") || m.contains("TG505"));
            assert!(status == 200 || late, "{id}: {said}");
            (status == 200).then_some(said)
        });
        assert_eq!(said["clientOrderId"], id);
        said["orderId"].clone()
    }

    /// Buys at the market, so that there is a position.
    pub(crate) fn buy_some(&self) {
        let query = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.010";
        let (status, said) = self.binance.ask("POST", "/fapi/v1/order", query);
        assert_eq!(status, 200, "{said}");
        eventually("there is a position", START, || {
            let accounts = self.status()["accounts"].clone();
            let main = accounts.as_array()?.iter().find(|a| a["account"] == "binance-main")?;
            main["positions"].get("BTCUSDT").map(|_| ())
        });
    }
}

/// Orders as fast as connections bear them.
pub(crate) struct Flood {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    accepted: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Flood {
    pub(crate) fn start(access: &Access, connections: usize) -> Flood {
        let (stop, sent, accepted) = <(Arc<AtomicBool>, Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let thread = |_| {
            let (access, stop) = (access.clone(), Arc::clone(&stop));
            let (sent, accepted) = (Arc::clone(&sent), Arc::clone(&accepted));
            std::thread::spawn(move || {
                let mut line = access.connect().unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let query = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001";
                    let Ok((status, _)) = line.ask("POST", "/fapi/v1/order", query) else { return };
                    sent.fetch_add(1, Ordering::Relaxed);
                    accepted.fetch_add(u64::from(status == 200), Ordering::Relaxed);
                }
            })
        };
        let threads = (0..connections).map(thread).collect();
        Flood { stop, sent, accepted, threads }
    }

    pub(crate) fn count(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Stops it; how many requests were answered.
    pub(crate) fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let whole = self.threads.into_iter().all(|thread| thread.join().is_ok());
        assert!(whole, "every connection held");
        self.sent.load(Ordering::Relaxed)
    }
}

/// Every process below this one.
pub(crate) fn children(pid: u64) -> Vec<u64> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|n| n.parse::<u64>().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((_, rest)) = stat.rsplit_once(") ") else { continue };
        let Some(parent) = rest.split(' ').nth(1).and_then(|word| word.parse::<u64>().ok()) else {
            continue;
        };
        parents.push((child, parent));
    }
    let mut found = vec![pid];
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(child, _)| *child));
        at += 1;
    }
    found.split_off(1)
}

/// Every file of a folder.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// The files that hold one of these texts; `grep` reads large ones fastest.
pub(crate) fn scan(files: &[PathBuf], texts: &[String]) -> Vec<PathBuf> {
    let mut grep = Command::new("grep")
        .args(["--files-with-matches", "--text", "--no-messages", "--fixed-strings", "--file=-"])
        .args(files)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    grep.stdin.take().unwrap().write_all(texts.join("\n").as_bytes()).unwrap();
    let output = grep.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(PathBuf::from).collect()
}

fn copied(from: &Path, copy: &Path) -> std::io::Result<()> {
    for file in files(&from.join("journal")) {
        let to = copy.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(to.parent().unwrap())?;
        fs::copy(&file, &to)?;
    }
    Ok(())
}

/// Copies the journal, damages each copy in one way, and has every way found.
pub(crate) fn damage(from: &Path, home: &Path) {
    // A checkpoint that covers what is to be damaged.
    let covered = eventually("a checkpoint", START, || {
        let report = run_json(from, &["verify"]).json;
        report["checkpoint"]["size"].as_u64().filter(|size| *size > 10)
    });
    assert!(covered > 10);
    type Change = fn(&mut Vec<u8>);
    let ways: [(&str, Change); 3] = [
        ("flip", |bytes| bytes[64 + 24] ^= 1),
        ("cut", |bytes| {
            let frames = frames(bytes);
            bytes[frames[3].0..].fill(0);
        }),
        ("reorder", |bytes| {
            let frames = frames(bytes);
            let (one, two) = (frames[2], frames[3]);
            let swapped = [&bytes[two.0..two.1], &bytes[one.0..one.1]].concat();
            bytes[one.0..two.1].copy_from_slice(&swapped);
        }),
    ];
    let copy = home.join("copy");
    // The gateway writes on while files are copied one by one, so a copy may be torn: take another.
    eventually("a copy that is whole", START, || {
        let _ = fs::remove_dir_all(&copy);
        copied(from, &copy).ok()?;
        (run_json(&copy, &["verify"]).code == 0).then_some(())
    });
    let segment = copy.join("journal/segment/0000000000");
    let whole = fs::read(&segment).unwrap();
    for (name, change) in ways {
        let mut bytes = whole.clone();
        change(&mut bytes);
        fs::write(&segment, bytes).unwrap();
        let found = run_json(&copy, &["verify"]);
        assert_eq!((found.code, found.error()), (1, "damaged"), "{name}: {found:?}");
    }
    fs::remove_dir_all(&copy).unwrap();
}

/// Where the frames of a segment begin and end: 24 bytes of head with the record's length first,
/// the whole rounded up to 8.
pub(crate) fn frames(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 64;
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_le_bytes(length.try_into().unwrap()) as usize;
        if length == 0 {
            break;
        }
        let end = at + (24 + length).next_multiple_of(8);
        found.push((at, end));
        at = end;
    }
    assert!(found.len() > 4);
    found
}

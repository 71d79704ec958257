//! Real processes on real disks that are full or limited; old segments on another disk.

use crate::program::{Ended, Foreground, eventually, program, run_json};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tidegate_journal::{CheckpointKey, Journal, Options, Urgency};
use tidegate_server::folder::DataFolder;
use tidegate_types::Time;
use tidegate_types::ids::CallId;
use tidegate_types::limits::STATE_SAVED_EVERY;
use tidegate_types::record::{Body, Durability, Record};

const PATIENCE: Duration = Duration::from_secs(120);

/// A gateway without venues, started by a shell that prepares its disk first.
struct Shell(Child);

impl Shell {
    fn start(command: &mut Command) -> Shell {
        Shell(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    /// What is at a path where this process sees it.
    fn sees(&self, path: &Path) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}", self.0.id(), path.display()))
    }

    fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn init(dir: &Path) {
    let ended = run_json(dir, &["init", "--key-file"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let config = dir.join("tidegate.toml");
    let text = fs::read_to_string(&config).unwrap();
    let mut settings: toml::Table = text.parse().unwrap();
    settings.insert("journal".to_owned(), toml::toml! { segment_kib = 256 }.into());
    let listen = toml::toml! { address = "127.0.0.1:0" };
    settings.insert("listen".to_owned(), listen.into());
    settings.remove("venues");
    fs::write(&config, settings.to_string()).unwrap();
}

fn ask(dir: &Path, request: &Value) -> Value {
    let stream = UnixStream::connect(dir.join("admin.sock")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    (&stream).write_all(format!("{request}\n").as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::new(&stream).read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap()
}

fn wait_up(shell: &mut Shell, dir: &Path) {
    eventually("the gateway is up", PATIENCE, || {
        assert!(shell.is_alive(), "it ended");
        UnixStream::connect(dir.join("admin.sock")).ok()
    });
}

/// A halt and its lifting: records as long as their reason.
fn talk(dir: &Path, length: usize) -> Value {
    let reason = "x".repeat(length);
    let halt = json!({"op": "halt", "scope": "desk:desk", "reason": reason, "timeout_s": 1});
    let _ = ask(dir, &halt);
    ask(dir, &json!({"op": "resume", "scope": "desk:desk", "reason": reason}))
}

fn failed(dir: &Path) -> Option<String> {
    let status = run_json(dir, &["status"]);
    assert_eq!(status.code, 0, "the status is told whatever the disk does: {status:?}");
    status.json["journal_failed"].as_str().map(str::to_owned)
}

/// Halts everything where the journal cannot be written, and sees that it is in force.
fn assert_halts(dir: &Path) -> Ended {
    let halt = run_json(dir, &["halt", "all", "--reason", "disk", "--timeout", "5"]);
    let status = run_json(dir, &["status"]);
    let halts = status.json["halts"].as_array().unwrap();
    assert!(halts.iter().any(|halt| halt["scope"] == "all"), "{halt:?} {status:?}");
    halt
}

/// A shell in a mount namespace of its own, where the system lets us have one.
fn namespace(script: &str) -> Option<Command> {
    for flags in ["-m", "-rm"] {
        let may = Command::new("unshare").args([flags, "true"]).stderr(Stdio::null()).status();
        if may.is_ok_and(|status| status.success()) {
            let mut command = Command::new("unshare");
            command.args([flags, "--propagation", "private", "sh", "-c", script]);
            return Some(command);
        }
    }
    None
}

#[test]
fn a_full_disk_stops_orders_and_neither_the_gateway_nor_halts() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    fs::create_dir(&data).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=6m tmpfs {data} && cp -a {data}.made/. {data}/ && \
         exec {program} --die-with-parent serve --data-dir {data}",
        data = data.display(),
        program = program().display(),
    );
    let made = dir.path().join("data.made");
    init(&made);
    let Some(mut command) = namespace(&script) else {
        eprintln!("no mount namespace here: a limit on the size of files is what is tested");
        return a_limit_on_files(&dir.path().join("limited"));
    };
    let mut shell = Shell::start(&mut command);
    let seen = shell.sees(&data);
    wait_up(&mut shell, &seen);
    // A copy starts halted.
    ask(&seen, &json!({"op": "resume", "scope": "all", "reason": "it is a copy"}));
    assert_eq!(failed(&seen), None);
    let filler = seen.join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    // There is room for the records of some time still.
    assert!(talk(&seen, 100).get("error").is_none() && failed(&seen).is_none());
    let why = eventually("the segments are full", PATIENCE, || {
        (0..50).for_each(|_| drop(talk(&seen, 200)));
        failed(&seen)
    });
    assert!(why.contains("no space left on") && why.contains("of 6 MiB free"), "{why}");
    assert!(why.contains(&data.display().to_string()), "{why}");
    assert!(why.contains("make room there; then restart"), "{why}");
    let told = Command::new(program()).args(["status", "--data-dir"]).arg(&seen).output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let line = told.lines().find(|line| line.contains("JOURNAL CLOSED")).unwrap();
    assert!(line.contains(&why), "one line tells it all: {told}");
    let refused = run_json(&seen, &["caller", "add", "bob"]);
    assert!(refused.code == 1 && refused.stdout.contains("journal"), "{refused:?}");
    assert_halts(&seen);
    assert!(shell.is_alive());
    fs::remove_file(&filler).unwrap();
    let verified = run_json(&seen, &["verify"]);
    assert_eq!(verified.code, 0, "what is written is whole: {verified:?}");
}

#[test]
fn a_limit_on_the_size_of_files_ends_no_gateway() {
    a_limit_on_files(&tempfile::tempdir().unwrap().path().join("data"));
}

fn a_limit_on_files(dir: &Path) {
    init(dir);
    // In blocks of 512 bytes: less than a segment.
    let script = format!(
        "ulimit -f 100; exec {} --json serve --data-dir {}",
        program().display(),
        dir.display()
    );
    let ended = Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(ended.status.code(), Some(1), "no signal ends it: {ended:?}");
    assert!(told.contains("limits the size of files") && told.contains("LimitFSIZE"), "{told}");

    let mut serve = Command::new(program());
    serve.args(["--die-with-parent", "serve", "--data-dir"]).arg(dir);
    let mut shell = Shell::start(&mut serve);
    wait_up(&mut shell, dir);
    assert!(talk(dir, 100).get("error").is_none());
    let pid = shell.0.id().to_string();
    let limited = Command::new("prlimit").args(["--pid", &pid, "--fsize=64"]).status();
    assert!(limited.is_ok_and(|status| status.success()), "prlimit is part of util-linux");
    let why = eventually("a write fails", PATIENCE, || {
        let _ = talk(dir, 100);
        failed(dir)
    });
    assert!(why.contains("limits the size of files"), "{why}");
    assert_halts(dir);
    assert!(shell.is_alive());
}

/// Records that change nothing, in several segments, as many as it takes for a state to be saved.
fn fill(dir: &Path) {
    let folder = DataFolder::new(dir);
    let key = CheckpointKey::load_or_create(&folder.checkpoint_key(), || {
        tidegate_journal::checkpoint::new_origin("desk")
    });
    let options = Options { segment_bytes: 4 << 20, ..Options::new(Durability::Os, key.unwrap()) };
    let opened = Journal::open(&folder.journal(), options, &mut |_, _| {}, Box::new(|_| ()));
    let (journal, mut appender, _) = opened.unwrap();
    for n in 0..STATE_SAVED_EVERY + 1000 {
        let at = Time::from_micros(1_700_000_000_000_000 + n);
        let record = Record { at, body: Body::Sent { call: CallId(n) } };
        appender.append(appender.next_seq(), &record, Urgency::Now).unwrap();
        if n % 1000 == 0 {
            appender.commit().unwrap();
        }
    }
    appender.commit().unwrap();
    journal.close().unwrap();
}

fn serve(dir: &Path) -> Foreground {
    let mut gateway = Foreground::start(&["serve", "--json", "--data-dir", dir.to_str().unwrap()]);
    let told: Value = serde_json::from_str(&gateway.line(PATIENCE)).unwrap();
    assert!(told["gateway"].is_string(), "{told}");
    gateway
}

fn stop(mut gateway: Foreground) {
    crate::program::signal(u64::from(gateway.pid()), nix::sys::signal::Signal::SIGTERM);
    assert_eq!(gateway.wait(PATIENCE).0, Some(0));
}

#[test]
fn archived_segments_are_needed_by_another_program_only_and_then_asked_for() {
    let root = tempfile::tempdir().unwrap();
    let (dir, to) = (root.path().join("data"), root.path().join("archive"));
    init(&dir);
    fill(&dir);
    let archive = ["journal", "archive", "--to", to.to_str().unwrap()];
    let early = run_json(&dir, &archive);
    assert_eq!((early.code, early.error()), (1, "no-saved-state"), "{early:?}");
    let gateway = serve(&dir);
    let state = dir.join("state");
    eventually("the state is saved", PATIENCE, || state.exists().then_some(()));
    let moved = run_json(&dir, &archive);
    assert_eq!(moved.code, 0, "beside the gateway: {moved:?}");
    assert!(moved.json["segments"].as_u64().unwrap() >= 4, "{moved:?}");
    assert!(!dir.join("journal/segment/0000000000").exists());
    stop(gateway);
    let alone = run_json(&dir, &["verify"]);
    assert_eq!(alone.code, 0, "{alone:?}");
    assert!(alone.json["archived"]["records"].as_u64().unwrap() > 0, "{alone:?}");
    let both = run_json(&dir, &["verify", "--archive", to.to_str().unwrap()]);
    assert_eq!((both.code, &both.json["archived"]), (0, &Value::Null), "{both:?}");

    // The archive's disk is not there.
    let away = root.path().join("away");
    fs::rename(&to, &away).unwrap();
    stop(serve(&dir));
    // Another version of the program made the state.
    let mut bytes = fs::read(&state).unwrap();
    bytes[20] ^= 1;
    fs::write(&state, bytes).unwrap();
    let refused = run_json(&dir, &["serve"]);
    let said = refused.json["error"]["message"].as_str().unwrap();
    assert!(said.contains("are needed and were archived in"), "{said}");
    assert!(said.contains(to.to_str().unwrap()) && said.contains("journal restore"), "{said}");
    let back = run_json(&dir, &["journal", "restore", "--from", away.to_str().unwrap()]);
    assert_eq!(back.code, 0, "{back:?}");
    stop(serve(&dir));
    let whole = run_json(&dir, &["verify"]);
    assert_eq!((whole.code, &whole.json["archived"]), (0, &Value::Null), "{whole:?}");
}

#[test]
fn a_damaged_journal_stops_the_start_and_repair_brings_it_back() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("data");
    init(&dir);
    stop(serve(&dir));
    let segment = dir.join("journal/segment/0000000000");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[100] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let refused = run_json(&dir, &["serve"]);
    let said = refused.json["error"]["message"].as_str().unwrap();
    assert!(said.contains("damaged") && said.contains("tidegate journal repair"), "{said}");
    let mended = run_json(&dir, &["journal", "repair"]);
    assert_eq!((mended.code, &mended.json["whole"]), (0, &json!(true)), "{mended:?}");
    let gateway = serve(&dir);
    let busy = run_json(&dir, &["journal", "repair"]);
    assert_eq!((busy.code, busy.error()), (1, "unfinished"), "{busy:?}");
    stop(gateway);
}

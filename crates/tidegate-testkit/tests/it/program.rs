//! The real binary: built once, run to its end or left running.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

/// The binary, built by the first who asks for it.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        // This test is `target/PROFILE/deps/it-…`.
        let here = std::env::current_exe().unwrap();
        let folder = here.parent().and_then(Path::parent).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "tidegate"]).current_dir(root);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success(), "the binary builds");
        folder.join("tidegate")
    });
    &PROGRAM
}

/// How a command ended, and the one object it printed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) json: Value,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// How a command ended that printed this.
    pub(crate) fn of(output: Output) -> Ended {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        let json = serde_json::from_str(&stdout).unwrap_or_default();
        Ended { code: output.status.code().unwrap_or(-1), json, stdout, stderr }
    }

    /// The code of the error it told.
    pub(crate) fn error(&self) -> &str {
        self.json.pointer("/error/code").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Runs a command to its end.
pub(crate) fn run(args: &[&str]) -> Ended {
    Ended::of(Command::new(program()).args(args).stdin(Stdio::null()).output().unwrap())
}

/// Runs a command on a data folder and reads the one JSON object it prints.
pub(crate) fn run_json(dir: &Path, args: &[&str]) -> Ended {
    let mut all = args.to_vec();
    all.extend(["--json", "--data-dir", dir.to_str().unwrap()]);
    let ended = run(&all);
    assert_eq!(ended.stdout.trim().lines().count(), 1, "one line on stdout: {args:?} {ended:?}");
    assert!(ended.json.is_object(), "one object on stdout: {args:?} {ended:?}");
    ended
}

/// A process in the foreground. It dies with the tests, whatever becomes of them.
pub(crate) struct Foreground {
    child: Child,
    lines: Receiver<String>,
    talk: Arc<Mutex<String>>,
}

type Started = (Command, Sender<Child>);

/// Starts a command from a thread that lives as long as the tests: the system ends a child that
/// asked to die with its parent when the thread that started it ends.
fn spawn(command: Command) -> Child {
    static STARTER: LazyLock<Mutex<Sender<Started>>> = LazyLock::new(|| {
        let (ask, asked) = channel::<Started>();
        std::thread::spawn(move || {
            for (mut command, answer) in asked {
                answer.send(command.spawn().unwrap()).unwrap();
            }
        });
        Mutex::new(ask)
    });
    let (answer, answered) = channel();
    STARTER.lock().unwrap().send((command, answer)).unwrap();
    answered.recv().unwrap()
}

fn read_lines(from: impl Read + Send + 'static, take: impl FnMut(String) + Send + 'static) {
    std::thread::spawn(move || {
        BufReader::new(from).lines().map_while(Result::ok).for_each(take);
    });
}

impl Foreground {
    pub(crate) fn start(args: &[&str]) -> Foreground {
        let mut command = Command::new(program());
        command.arg("--die-with-parent").args(args).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn(command);
        let (tell, lines) = channel();
        read_lines(child.stdout.take().unwrap(), move |line| {
            let _ = tell.send(line);
        });
        let talk = Arc::new(Mutex::new(String::new()));
        let said = Arc::clone(&talk);
        read_lines(child.stderr.take().unwrap(), move |line| {
            said.lock().unwrap().push_str(&(line + "\n"));
        });
        Foreground { child, lines, talk }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line it prints.
    pub(crate) fn line(&mut self, patience: Duration) -> String {
        self.lines.recv_timeout(patience).unwrap_or_else(|error| {
            let _ = self.child.kill();
            panic!("nothing was printed within {patience:?} ({error}): {}", self.talk())
        })
    }

    /// What it said to whoever watches it, so far.
    pub(crate) fn talk(&self) -> String {
        self.talk.lock().unwrap().clone()
    }

    /// What it printed since.
    pub(crate) fn more_lines(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    /// Waits for its end; its exit code, and how long it took.
    pub(crate) fn wait(&mut self, patience: Duration) -> (Option<i32>, Duration) {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), begun.elapsed());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it did not end within {patience:?}");
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process by number.
pub(crate) fn signal(pid: u64, signal: nix::sys::signal::Signal) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    nix::sys::signal::kill(pid, signal).unwrap();
}

/// Whether a process runs; one that ended and was not waited for does not.
pub(crate) fn is_alive(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

/// Waits until something is so.
pub(crate) fn eventually<T>(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < patience, "not within {patience:?}: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

//! `cargo xtask ci`: every check there is, in order, each with its name and time; it stops at the
//! first that fails. What is missing on the machine is named with the command that installs it.

use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// A check: its name and the commands it runs.
struct Step {
    name: &'static str,
    what: &'static str,
    commands: &'static [&'static [&'static str]],
    /// Its programs wait most of the time: it runs beside its neighbours that do so, too.
    beside: bool,
}

/// The binary of a desk that trades: no simulator, no demo, no benchmarks. `xtask` is beside it for the features of
/// libraries: with those of the whole workspace nothing below the binary is looked at twice.
const PRODUCTION: &[&str] = &[
    "cargo",
    "clippy",
    "-p",
    "tidegate",
    "-p",
    "xtask",
    "--no-default-features",
    "--quiet",
    "--",
    "-D",
    "warnings",
];

const STEPS: &[Step] = &[
    Step {
        name: "format",
        what: "rustfmt",
        commands: &[&["cargo", "fmt", "--all", "--check"]],
        beside: false,
    },
    Step {
        name: "lint",
        what: "clippy, warnings are errors",
        commands: &[
            &["cargo", "clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"],
            PRODUCTION,
        ],
        beside: false,
    },
    Step {
        name: "tidy",
        what: "house rules and generated documents",
        commands: &[&["cargo", "xtask", "tidy"], &["cargo", "xtask", "docs", "--check"]],
        beside: false,
    },
    Step {
        name: "supply",
        what: "licences, known weaknesses and the bill of materials",
        commands: &[&["cargo", "xtask", "supply"]],
        beside: false,
    },
    Step {
        name: "test",
        what: "unit and integration tests, fuzz corpora",
        commands: &[&["cargo", "test", "--workspace", "--no-fail-fast"]],
        beside: false,
    },
    Step {
        name: "build",
        what: "the binary as it is used",
        commands: &[&["cargo", "build", "--release", "--locked"]],
        beside: false,
    },
    Step {
        name: "shaping",
        what: "fifty bots on one address and account until the worst of the day is over: bans, use, shares, waits",
        commands: &[
            &[
                "cargo",
                "build",
                "--release",
                "--locked",
                "--quiet",
                "-p",
                "tidegate-shaping",
                "--example",
                "month",
            ],
            &["target/release/examples/month", "0.45", "binance"],
            &["target/release/examples/month", "0.45", "deribit", "0.375"],
        ],
        beside: false,
    },
    Step {
        name: "crash",
        what: "kills under load, the short form",
        commands: &[&["target/release/tidegate", "bench", "crash", "--rounds", "24"]],
        beside: false,
    },
    Step {
        name: "clients",
        what: "real clients, unmodified, bare and through the gateway",
        commands: &[
            &["clients/run"],
            &["clients/options/run"],
            &["clients/journal-go/run.sh", "--if-there"],
            &["clients/autobahn/run", "--if-there"],
            &["clients/flood/run", "--short"],
        ],
        beside: false,
    },
    Step {
        name: "browser",
        what: "the console and every flow of OAuth in Chromium, with a virtual authenticator",
        commands: &[&["clients/browser/run"]],
        beside: false,
    },
    Step {
        name: "api",
        what: "the unified API: stock clients, the documents under others' rules, schemathesis",
        commands: &[&["clients/api/run"]],
        beside: true,
    },
    Step {
        name: "chaos",
        what: "stock bots while processes are killed, the network is cut and the disk fills, the short form",
        commands: &[
            &["python3", "-B", "-m", "unittest", "discover", "-s", "clients/chaos"],
            &["python3", "clients/chaos/run.py", "--minutes", "1"],
        ],
        beside: true,
    },
];

/// What has to be on the machine, and the Debian package that brings it.
const NEEDS: &[(&str, &str)] = &[
    ("cc", "build-essential"),
    ("python3", "python3-venv"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("chromium", "chromium"),
    ("certutil", "libnss3-tools"),
    ("oathtool", "oathtool"),
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("slowhttptest", "slowhttptest"),
];

/// Runs every step, or the ones named.
pub(crate) fn run(root: &Path, named: &[String]) -> ExitCode {
    if named.iter().any(|name| STEPS.iter().all(|step| step.name != *name)) {
        let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        eprintln!("ci: the steps are {}", names.join(", "));
        return ExitCode::from(64);
    }
    if named.is_empty() && !ready() {
        return ExitCode::FAILURE;
    }
    let start = Instant::now();
    let wanted: Vec<&Step> =
        STEPS.iter().filter(|s| named.is_empty() || named.iter().any(|n| n == s.name)).collect();
    for together in wanted.chunk_by(|one, next| one.beside && next.beside) {
        let ok = match together {
            [step] => pass(root, step, succeeds),
            steps => pass_beside(root, steps),
        };
        if !ok {
            return ExitCode::FAILURE;
        }
    }
    println!("ci: all passed in {} s", start.elapsed().as_secs());
    ExitCode::SUCCESS
}

/// Whether all commands of a step succeed.
fn pass(root: &Path, step: &Step, succeeds: impl Fn(&Path, &[&str]) -> bool) -> bool {
    println!("── {}: {}", step.name, step.what);
    let begun = Instant::now();
    for command in step.commands {
        if !succeeds(root, command) {
            println!("ci: {} failed: {}", step.name, command.join(" "));
            return false;
        }
    }
    println!("── {}: ok in {} s", step.name, begun.elapsed().as_secs());
    true
}

/// The same of several steps at once; what a command says is printed when it has ended.
fn pass_beside(root: &Path, steps: &[&Step]) -> bool {
    std::thread::scope(|scope| {
        let running: Vec<_> =
            steps.iter().map(|step| scope.spawn(|| pass(root, step, succeeds_aside))).collect();
        // All of them end before one that failed ends the run.
        let passed: Vec<bool> =
            running.into_iter().map(|step| step.join().unwrap_or(false)).collect();
        passed.into_iter().all(|passed| passed)
    })
}

/// Finds what is missing; installs it when it can, and says how when it cannot.
fn ready() -> bool {
    let missing: Vec<&str> = NEEDS
        .iter()
        .filter(|(program, _)| !quietly("sh", &["-c", &format!("command -v {program}")]))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return true;
    }
    let install = format!("apt-get install -y {}", missing.join(" "));
    println!("ci: missing {}: {install}", missing.join(", "));
    let root = quietly("sh", &["-c", "test $(id -u) = 0"]);
    if root && quietly("apt-get", &["update"]) {
        return quietly("sh", &["-c", &install]);
    }
    eprintln!("ci: run as root: apt-get update && {install}");
    false
}

fn quietly(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
}

fn succeeds(root: &Path, command: &[&str]) -> bool {
    let command = command_at(root, command);
    command.is_some_and(|mut command| command.status().is_ok_and(|status| status.success()))
}

fn succeeds_aside(root: &Path, words: &[&str]) -> bool {
    let Some(mut command) = command_at(root, words) else { return false };
    let told = move || -> std::io::Result<(bool, String)> {
        let (mut read, write) = std::io::pipe()?;
        let mut child = command.stdout(write.try_clone()?).stderr(write).spawn()?;
        // The command holds ends of the pipe that would keep it open.
        drop(command);
        let mut said = Vec::new();
        read.read_to_end(&mut said)?;
        Ok((child.wait()?.success(), String::from_utf8_lossy(&said).into_owned()))
    };
    match told() {
        Ok((success, said)) => {
            println!("{}:\n{said}", words.join(" "));
            success
        }
        Err(error) => {
            println!("{}: {error}", words.join(" "));
            false
        }
    }
}

fn command_at(root: &Path, command: &[&str]) -> Option<Command> {
    let (program, args) = command.split_first()?;
    let program =
        if program.contains('/') { root.join(program).into_os_string() } else { (*program).into() };
    let mut command = Command::new(program);
    command.args(args).current_dir(root);
    Some(command)
}

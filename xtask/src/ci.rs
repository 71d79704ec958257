//! `cargo xtask ci`: every check there is, in order, each with its name and time; it stops at the
//! first that fails. What is missing on the machine is named with the command that installs it.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// A check: its name and the commands it runs.
struct Step {
    name: &'static str,
    what: &'static str,
    commands: &'static [&'static [&'static str]],
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
    Step { name: "format", what: "rustfmt", commands: &[&["cargo", "fmt", "--all", "--check"]] },
    Step {
        name: "lint",
        what: "clippy, warnings are errors",
        commands: &[
            &["cargo", "clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"],
            PRODUCTION,
        ],
    },
    Step {
        name: "tidy",
        what: "house rules and generated documents",
        commands: &[&["cargo", "xtask", "tidy"], &["cargo", "xtask", "docs", "--check"]],
    },
    Step {
        name: "supply",
        what: "licences, known weaknesses and the bill of materials",
        commands: &[&["cargo", "xtask", "supply"]],
    },
    Step {
        name: "test",
        what: "unit and integration tests, fuzz corpora",
        commands: &[&["cargo", "test", "--workspace", "--no-fail-fast"]],
    },
    Step {
        name: "build",
        what: "the binary as it is used",
        commands: &[&["cargo", "build", "--release", "--locked"]],
    },
    Step {
        name: "crash",
        what: "kills under load, the short form",
        commands: &[&["target/release/tidegate", "bench", "crash", "--rounds", "24"]],
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
    },
    Step {
        name: "api",
        what: "the unified API: stock clients, the documents under others' rules, schemathesis",
        commands: &[&["clients/api/run"]],
    },
    Step {
        name: "browser",
        what: "the console and every flow of OAuth in Chromium, with a virtual authenticator",
        commands: &[&["clients/browser/run"]],
    },
    Step {
        name: "chaos",
        what: "stock bots while processes are killed, the network is cut and the disk fills, the short form",
        commands: &[
            &["python3", "-B", "-m", "unittest", "discover", "-s", "clients/chaos"],
            &["python3", "clients/chaos/run.py", "--minutes", "1"],
        ],
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
    for step in STEPS.iter().filter(|s| named.is_empty() || named.iter().any(|n| n == s.name)) {
        println!("── {}: {}", step.name, step.what);
        let begun = Instant::now();
        for command in step.commands {
            if !succeeds(root, command) {
                println!("ci: {} failed: {}", step.name, command.join(" "));
                return ExitCode::FAILURE;
            }
        }
        println!("── {}: ok in {} s", step.name, begun.elapsed().as_secs());
    }
    println!("ci: all passed in {} s", start.elapsed().as_secs());
    ExitCode::SUCCESS
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
    let Some((program, args)) = command.split_first() else { return false };
    let program =
        if program.contains('/') { root.join(program).into_os_string() } else { (*program).into() };
    Command::new(program).args(args).current_dir(root).status().is_ok_and(|s| s.success())
}

//! Processes of the demo and the benchmarks: started from this same binary, told to die with their parent, restarted
//! when they die, stopped together.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// How to start a process.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// What to call it.
    pub name: &'static str,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// What it is told on standard input, if anything.
    pub input: Option<String>,
    /// Whether it prints one JSON line once it is ready.
    pub tells: bool,
    /// Where its talk goes.
    pub log: PathBuf,
}

/// A running process.
pub struct Running {
    recipe: Recipe,
    child: Child,
    pid: u32,
}

impl Running {
    /// Starts it and waits until it is ready, if it tells; gives what it told.
    pub async fn start(recipe: Recipe, patience: Duration) -> io::Result<(Running, Value)> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--die-with-parent").args(&recipe.args).kill_on_drop(true);
        command.stdin(if recipe.input.is_some() { Stdio::piped() } else { Stdio::null() });
        let log = log_file(&recipe)?;
        command.stderr(log.try_clone()?);
        command.stdout(if recipe.tells { Stdio::piped() } else { Stdio::from(log) });
        let mut child = command.spawn()?;
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), &recipe.input) {
            stdin.write_all(input.as_bytes()).await?;
        }
        let pid = child.id().ok_or_else(|| io::Error::other("it ended at once"))?;
        let told = match child.stdout.take() {
            None => Value::Null,
            Some(stdout) => {
                let mut line = String::new();
                let mut reader = BufReader::new(stdout);
                let read = reader.read_line(&mut line);
                tokio::time::timeout(patience, read).await.map_err(io::Error::other)??;
                if line.is_empty() {
                    return Err(ended(&recipe, &mut child).await);
                }
                serde_json::from_str(&line)?
            }
        };
        if let Some(message) = told.pointer("/error/message").and_then(Value::as_str) {
            return Err(io::Error::other(format!("{}: {message}", recipe.name)));
        }
        Ok((Running { recipe, child, pid }, told))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What it was started with.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Asks it to end, and kills it when it takes too long.
    pub async fn stop(mut self, patience: Duration) {
        if let Ok(pid) = i32::try_from(self.pid) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        if tokio::time::timeout(patience, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

/// Runs one of our own commands on a data folder to its end; what it printed, or why it failed.
pub fn own(args: &[&str], dir: &Path, input: Option<String>) -> Result<Value, String> {
    let run = || -> io::Result<std::process::Output> {
        let mut child = std::process::Command::new(std::env::current_exe()?)
            .args(args)
            .arg("--json")
            .arg("--data-dir")
            .arg(dir)
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), &input) {
            stdin.write_all(input.as_bytes())?;
        }
        child.wait_with_output()
    };
    let output = run().map_err(|e| e.to_string())?;
    if output.status.success() {
        return Ok(serde_json::from_slice(&output.stdout).unwrap_or(Value::Null));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    Err(format!("`tidegate {}` failed: {}", args.join(" "), text.trim()))
}

async fn ended(recipe: &Recipe, child: &mut Child) -> io::Error {
    let status = child.wait().await.map_or_else(|e| e.to_string(), |status| status.to_string());
    let text = std::fs::read_to_string(&recipe.log).unwrap_or_default();
    let last = text.lines().last().unwrap_or_default();
    io::Error::other(format!("{} ended ({status}): {last}", recipe.name))
}

fn log_file(recipe: &Recipe) -> io::Result<File> {
    if let Some(folder) = recipe.log.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(&recipe.log)
}

//! An order through the gateway against the bare simulator and nginx: every side in turn, several
//! rounds, in one run.

use super::load::{Load, Measured, run};
use super::stage::{self, failed};
use super::wire::Target;
use crate::cli::args::Bench;
use crate::cli::output::{Failure, say};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tidegate_server::config::Durability;

/// A side and what was measured of it.
struct Side {
    name: &'static str,
    target: Arc<Target>,
    pids: Vec<u32>,
    steady: Measured,
    full: Measured,
    cpu_us: f64,
    memory_mib: f64,
}

/// Measures and gives the figures and a table.
pub async fn measure(dir: &Path, args: &Bench) -> Result<(Value, String), Failure> {
    say("starting the simulators, nginx and two gateways");
    let listen = stage::free_port()?.to_string();
    let sim = stage::sim(&dir.join("sim"), &listen, true).await?;
    let bare = stage::sim(&dir.join("bare"), "127.0.0.1:0", false).await?;
    let price = stage::safe_price(&sim).await?;
    let disk = stage::gateway(&dir.join("disk"), &sim, Durability::Disk, &price).await?;
    let os = stage::gateway(&dir.join("os"), &sim, Durability::Os, &price).await?;
    let nginx = stage::nginx(&dir.join("nginx"), &sim, &disk, &price)?;
    let signers = [stage::status(&disk.dir)?.pids.signer, stage::status(&os.dir)?.pids.signer];
    let pids = |own: u32, signer: Option<u32>| std::iter::once(own).chain(signer).collect();
    let mut sides = vec![
        side("direct", stage::direct(&bare, &stage::safe_price(&bare).await?)?, Vec::new()),
        side("nginx", Arc::clone(&nginx.target), children(nginx.pid())),
        side("tidegate os", Arc::clone(&os.target), pids(os.running.pid(), signers[1])),
        side("tidegate disk", Arc::clone(&disk.target), pids(disk.running.pid(), signers[0])),
    ];
    for round in 0..args.rounds {
        for side in &mut sides {
            say(&format!("round {} of {}: {}", round + 1, args.rounds, side.name));
            side.measure(args).await?;
        }
    }
    let stages =
        [("os", stage::status(&os.dir)?.latency), ("disk", stage::status(&disk.dir)?.latency)];
    nginx.stop();
    let mut text = table(&sides, args);
    let mut figures = json!({"rate": args.rate, "connections": args.connections, "sides": {}});
    for side in &sides {
        figures["sides"][side.name] = side.figures();
    }
    for (name, latency) in &stages {
        let _ = writeln!(text, "\nstages of tidegate {name}, in µs");
        for (stage, q) in latency {
            let us = |ns: u64| ns as f64 / 1000.0;
            let _ = writeln!(
                text,
                "  {stage:<9} p50 {:>8.1}  p99 {:>8.1}  p99.9 {:>8.1}",
                us(q.p50_ns),
                us(q.p99_ns),
                us(q.p999_ns)
            );
        }
        figures["stages"][name] =
            serde_json::to_value(latency).map_err(|e| failed(&e.to_string()))?;
    }
    Ok((figures, text))
}

fn side(name: &'static str, target: Arc<Target>, pids: Vec<u32>) -> Side {
    let (steady, full) = (Measured::default(), Measured::default());
    Side { name, target, pids, steady, full, cpu_us: 0.0, memory_mib: 0.0 }
}

impl Side {
    async fn measure(&mut self, args: &Bench) -> Result<(), Failure> {
        let time = Duration::from_secs(args.seconds);
        let steady = Load { connections: args.connections, rate: Some(args.rate), time };
        let before = self.cpu();
        let measured =
            run(&self.target, steady).await.map_err(|e| failed(&format!("{}: {e}", self.name)))?;
        if measured.failures > 0 {
            let example = measured.example.unwrap_or_default();
            return Err(failed(&format!(
                "{} refused {} orders: {example}",
                self.name, measured.failures
            )));
        }
        let orders = measured.latencies.len().max(1);
        self.cpu_us = (self.cpu() - before) * 1e6 / orders as f64;
        self.steady.merge(measured);
        let full = Load { rate: None, time: time / 2, ..steady };
        let measured =
            run(&self.target, full).await.map_err(|e| failed(&format!("{}: {e}", self.name)))?;
        self.full.merge(measured);
        self.memory_mib = self.pids.iter().map(|pid| resident_mib(*pid)).sum();
        Ok(())
    }

    /// Processor time so far, in seconds.
    fn cpu(&self) -> f64 {
        self.pids.iter().map(|pid| cpu_seconds(*pid)).sum()
    }

    fn figures(&self) -> Value {
        json!({
            "p50_us": self.steady.quantile_us(0.5), "p99_us": self.steady.quantile_us(0.99),
            "p999_us": self.steady.quantile_us(0.999), "orders": self.steady.latencies.len(),
            "failures": self.steady.failures + self.full.failures,
            "full_orders_per_second": self.full.rate(), "cpu_us_per_order": self.cpu_us,
            "memory_mib": self.memory_mib,
        })
    }
}

fn table(sides: &[Side], args: &Bench) -> String {
    let mut text = format!(
        "{} orders a second over {} TLS 1.3 connections, timed from the intended send; then as fast as it goes\n\
         {:<14} {:>8} {:>8} {:>8}  {:>8} {:>8} {:>8}  {:>9} {:>8} {:>7}\n",
        args.rate,
        args.connections,
        "",
        "p50 µs",
        "p99",
        "p99.9",
        "+p50",
        "+p99",
        "+p99.9",
        "orders/s",
        "CPU µs",
        "MiB"
    );
    let base =
        sides.first().map(|side| [0.5, 0.99, 0.999].map(|share| side.steady.quantile_us(share)));
    let [b50, b99, b999] = base.unwrap_or_default();
    for side in sides {
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|share| side.steady.quantile_us(share));
        let _ = writeln!(
            text,
            "{:<14} {p50:>8.0} {p99:>8.0} {p999:>8.0}  {:>8.0} {:>8.0} {:>8.0}  {:>9.0} {:>8.1} {:>7.1}",
            side.name,
            p50 - b50,
            p99 - b99,
            p999 - b999,
            side.full.rate(),
            side.cpu_us,
            side.memory_mib
        );
    }
    text
}

/// A process and its children.
fn children(pid: u32) -> Vec<u32> {
    let list =
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    std::iter::once(pid).chain(list.split_whitespace().filter_map(|pid| pid.parse().ok())).collect()
}

/// User and system time of a process, in seconds, by the kernel's 100 ticks a second.
fn cpu_seconds(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

fn resident_mib(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 =
        line.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse().ok()).unwrap_or(0.0);
    kib / 1024.0
}

//! An order through the gateway against the bare simulator and nginx: every side in turn, several
//! rounds, in one run.

use super::load::{Load, Measured, run};
use super::machine::{children, cpu_seconds, machine, resident_mib};
use super::stage::{self, failed};
use super::wire::Target;
use crate::cli::args::Bench;
use crate::cli::output::{Failure, say};
use serde_json::{Value, json};
use std::collections::BTreeMap;
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
    /// Processor seconds that the steady and the full load took.
    cpu: [f64; 2],
    memory_mib: f64,
}

/// Measures and gives the figures and a table.
pub async fn measure(dir: &Path, args: &Bench) -> Result<(Value, String), Failure> {
    say("starting the simulators, nginx and two gateways");
    // One simulator for each side: an account's private stream tells whoever listens of every order.
    let any = "127.0.0.1:0";
    let bare = stage::sim(&dir.join("bare"), any, false).await?;
    let proxied = stage::sim(&dir.join("proxied"), any, true).await?;
    let (sim_disk, sim_os) = (
        stage::sim(&dir.join("sim-disk"), any, true).await?,
        stage::sim(&dir.join("sim-os"), any, true).await?,
    );
    let price = stage::safe_price(&bare).await?;
    let disk = stage::gateway(&dir.join("disk"), &sim_disk, Durability::Disk, &price).await?;
    let os = stage::gateway(&dir.join("os"), &sim_os, Durability::Os, &price).await?;
    let mut nginx = stage::nginx(&dir.join("nginx"), &proxied, &disk, &price)?;
    // The master listens before its worker runs.
    let mut nginx_pids = children(nginx.pid());
    while nginx_pids.len() < 2 && !nginx.has_ended() {
        tokio::time::sleep(Duration::from_millis(10)).await;
        nginx_pids = children(nginx.pid());
    }
    let signers = [stage::status(&disk.dir)?.pids.signer, stage::status(&os.dir)?.pids.signer];
    let pids = |own: u32, signer: Option<u32>| std::iter::once(own).chain(signer).collect();
    let mut sides = vec![
        side("direct", stage::direct(&bare, &price)?, Vec::new()),
        side("nginx", Arc::clone(&nginx.target), nginx_pids),
        side("tidegate os", Arc::clone(&os.target), pids(os.running.pid(), signers[1])),
        side("tidegate disk", Arc::clone(&disk.target), pids(disk.running.pid(), signers[0])),
    ];
    for round in 0..args.rounds {
        for side in &mut sides {
            say(&format!("round {} of {}: {}", round + 1, args.rounds, side.name));
            side.measure(args)?;
        }
    }
    let stages =
        [("os", stage::status(&os.dir)?.latency), ("disk", stage::status(&disk.dir)?.latency)];
    nginx.stop();
    let mut text = table(&sides, args);
    let figures = json!({
        "rate": args.rate, "connections": args.connections,
        "sides": sides.iter().map(|s| (s.name, s.figures())).collect::<BTreeMap<_, _>>(),
        "stages": stages.iter().cloned().collect::<BTreeMap<_, _>>(),
    });
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
    }
    Ok((figures, text))
}

fn side(name: &'static str, target: Arc<Target>, pids: Vec<u32>) -> Side {
    let (steady, full) = (Measured::default(), Measured::default());
    Side { name, target, pids, steady, full, cpu: [0.0; 2], memory_mib: 0.0 }
}

impl Side {
    fn measure(&mut self, args: &Bench) -> Result<(), Failure> {
        let time = Duration::from_secs(args.seconds);
        let steady = Load { connections: args.connections, rate: Some(args.rate), time };
        let (measured, cpu) = self.load(steady)?;
        self.steady.merge(measured);
        self.cpu[0] += cpu;
        let (measured, cpu) = self.load(Load { rate: None, time: time / 2, ..steady })?;
        self.full.merge(measured);
        self.cpu[1] += cpu;
        self.memory_mib = self.pids.iter().map(|pid| resident_mib(*pid)).sum();
        Ok(())
    }

    /// One load, and the processor seconds that it took.
    fn load(&self, load: Load) -> Result<(Measured, f64), Failure> {
        let before = self.cpu();
        let measured =
            run(&self.target, load).map_err(|e| failed(&format!("{}: {e}", self.name)))?;
        if let Some(example) = &measured.example {
            let count = measured.failures;
            return Err(failed(&format!("{} refused {count} orders: {example}", self.name)));
        }
        Ok((measured, self.cpu() - before))
    }

    /// Processor time so far, in seconds.
    fn cpu(&self) -> f64 {
        self.pids.iter().map(|pid| cpu_seconds(*pid)).sum()
    }

    /// Processor time for each order, in µs: at the steady rate, and as fast as it goes.
    #[allow(clippy::cast_precision_loss)]
    fn cpu_us(&self) -> [f64; 2] {
        let orders = [&self.steady, &self.full].map(|m| m.latencies.len().max(1) as f64);
        [self.cpu[0] * 1e6 / orders[0], self.cpu[1] * 1e6 / orders[1]]
    }

    fn figures(&self) -> Value {
        let [cpu_us, full_cpu_us] = self.cpu_us();
        json!({
            "p50_us": self.steady.quantile_us(0.5), "p99_us": self.steady.quantile_us(0.99),
            "p999_us": self.steady.quantile_us(0.999), "orders": self.steady.latencies.len(),
            "timer_late_p50_us": self.steady.lateness_us(0.5),
            "timer_late_p99_us": self.steady.lateness_us(0.99),
            "full_orders_per_second": self.full.rate(), "full_p50_us": self.full.quantile_us(0.5),
            "cpu_us_per_order": cpu_us, "full_cpu_us_per_order": full_cpu_us,
            "memory_mib": self.memory_mib,
        })
    }
}

fn table(sides: &[Side], args: &Bench) -> String {
    let mut text = format!(
        "{machine}\n{rate} orders a second over {connections} TLS 1.3 connections, {rounds} rounds of {seconds} s for \
         each side in turn, each order\ntimed from when it was meant to leave; then as fast as the \
         connections go. Load, side and simulator share the processors.\n\n\
         {:<14} {:>8} {:>8} {:>8}  {:>8} {:>8} {:>8} {:>7}  {:>9} {:>7} {:>7} {:>6}\n",
        "",
        "p50 µs",
        "p99",
        "p99.9",
        "+p50",
        "+p99",
        "+p99.9",
        "CPU µs",
        "orders/s",
        "× nginx",
        "CPU µs",
        "MiB",
        machine = machine(),
        rate = args.rate,
        connections = args.connections,
        rounds = args.rounds,
        seconds = args.seconds,
    );
    let shares = [0.5, 0.99, 0.999];
    let base = sides.first().map(|side| shares.map(|share| side.steady.quantile_us(share)));
    let [b50, b99, b999] = base.unwrap_or_default();
    let nginx = sides.iter().find(|side| side.name == "nginx").map_or(1.0, |s| s.full.rate());
    for side in sides {
        let [p50, p99, p999] = shares.map(|share| side.steady.quantile_us(share));
        let [cpu, full_cpu] = side.cpu_us();
        let _ = writeln!(
            text,
            "{:<14} {p50:>8.0} {p99:>8.0} {p999:>8.0}  {:>8.0} {:>8.0} {:>8.0} {cpu:>7.1}  {:>9.0} {:>7.2} {full_cpu:>7.1} {:>6.1}",
            side.name,
            p50 - b50,
            p99 - b99,
            p999 - b999,
            side.full.rate(),
            side.full.rate() / nginx,
            side.memory_mib
        );
    }
    let late = |share| sides.iter().map(|s| s.steady.lateness_us(share)).fold(0.0, f64::max);
    let _ = writeln!(
        text,
        "\nthe generator's own timer was late by p50 {:.0} µs, p99 {:.0} µs at most, which is in the figures of \
         every side",
        late(0.5),
        late(0.99)
    );
    text
}

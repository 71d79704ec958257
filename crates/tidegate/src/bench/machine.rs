//! What the figures are of: the machine, and what processes took of it.

/// What this runs on.
pub fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = |line: &str| line.strip_prefix("model name").map(str::to_owned);
    let model = cpu.lines().find_map(named).unwrap_or_default();
    let model = model.trim_start_matches(['\t', ' ', ':']).to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let busy = read("/proc/loadavg");
    format!(
        "tidegate {}, {model}, {cores} processors, Linux {}, load average before {}",
        env!("CARGO_PKG_VERSION"),
        kernel.trim(),
        busy.split(' ').next().unwrap_or_default()
    )
}

/// A process and its children.
pub fn children(pid: u32) -> Vec<u32> {
    let list =
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    std::iter::once(pid).chain(list.split_whitespace().filter_map(|pid| pid.parse().ok())).collect()
}

/// Time that the threads of a process spent on a processor, in seconds. Threads that ended in between
/// are missed; the sides here keep theirs.
#[allow(clippy::cast_precision_loss)]
pub fn cpu_seconds(pid: u32) -> f64 {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return 0.0 };
    let nanos = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    threads.flatten().filter_map(nanos).sum::<u64>() as f64 / 1e9
}

/// Memory of a process, in MiB.
pub fn resident_mib(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 =
        line.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse().ok()).unwrap_or(0.0);
    kib / 1024.0
}

//! The report of a stress test: the busiest minute as it was, beside the same at so many times its rate.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use tidegate_core::rehearsal::{LimitName, Peak, Strain, Used};
use tidegate_types::reject::Code;

/// The busiest minute, played as it was and at several times its rate.
pub(super) struct Stress {
    pub(super) peak: Peak,
    pub(super) times: u32,
    /// As it was. The gates decide it again, without callers' own ids.
    pub(super) once: Strain,
    /// At so many times its rate.
    pub(super) strained: Strain,
}

impl Stress {
    pub(super) fn json(&self) -> Value {
        let Stress { peak, times, once, strained } = self;
        let limits = self.limits().into_iter().map(|(name, once, strained)| {
            json!({
                "rule": name.rule,
                "of": name.of,
                "version": name.version,
                "at_peak": used(once),
                "at_times": used(strained),
            })
        });
        json!({
            "peak": {
                "start_ms": peak.start.millis(),
                "record": peak.first.0,
                "messages": peak.messages,
            },
            "times": times,
            "at_peak": counts(once),
            "at_times": counts(strained),
            "limits": limits.collect::<Vec<_>>(),
            "decision_ns": {
                "p50": strained.quantile(500),
                "p99": strained.quantile(990),
                "p999": strained.quantile(999),
                "max": strained.quantile(1000),
            },
        })
    }

    pub(super) fn text(&self) -> String {
        let Stress { peak, times, once, strained } = self;
        let mut out =
            format!("busiest minute: {} messages from record {} on\n", peak.messages, peak.first);
        let at_times = format!("at {times} times");
        let _ = write!(out, "{:<52}{:>12}{at_times:>12}", "", "as it was");
        let mut row = |what: &str, once: String, strained: String| {
            let _ = write!(out, "\n{what:<52}{once:>12}{strained:>12}");
        };
        for (what, count) in ROWS {
            row(what, count(once).to_string(), count(strained).to_string());
        }
        for code in self.codes() {
            let count = |strain: &Strain| strain.refused.get(&code).copied().unwrap_or_default();
            let what = format!("  TG{} {}", code.number(), code.meaning());
            row(&what, count(once).to_string(), count(strained).to_string());
        }
        row("highest use of each limit, and refused by it", String::new(), String::new());
        for (name, once, strained) in self.limits() {
            let what = format!("  {} of {}, {}", name.rule, name.of, name.version);
            row(&what, told(once), told(strained));
        }
        let micros = |per_mille| {
            let ns = strained.quantile(per_mille);
            format!("{}.{} µs", ns / 1000, ns % 1000 / 100)
        };
        let _ = write!(
            out,
            "\na decision at {times} times the rate, with its record: p50 {}, p99 {}, p99.9 {}, longest {}",
            micros(500),
            micros(990),
            micros(999),
            micros(1000)
        );
        out
    }

    /// Why something was refused in either.
    fn codes(&self) -> BTreeSet<Code> {
        self.once.refused.keys().chain(self.strained.refused.keys()).copied().collect()
    }

    /// What something was held against in either, those that refused most at the higher rate first, then by use.
    fn limits(&self) -> Vec<(&LimitName, Used, Used)> {
        let of = |limits: &BTreeMap<LimitName, Used>, name| {
            limits.get(name).copied().unwrap_or_default()
        };
        let (once, strained) = (&self.once.limits, &self.strained.limits);
        let names: BTreeSet<&LimitName> = once.keys().chain(strained.keys()).collect();
        let mut rows: Vec<_> =
            names.into_iter().map(|name| (name, of(once, name), of(strained, name))).collect();
        rows.sort_by_key(|(_, _, used)| std::cmp::Reverse((used.refused, used.most)));
        rows
    }
}

/// What is counted, beside its name.
type Row = (&'static str, fn(&Strain) -> u64);

const ROWS: [Row; 5] = [
    ("messages", |strain| strain.messages),
    ("in the busiest second", |strain| strain.busiest_second),
    ("left out: their order had ended", |strain| strain.left_out),
    ("passed", |strain| strain.passed),
    ("refused", refused),
];

fn refused(strain: &Strain) -> u64 {
    strain.refused.values().sum()
}

fn counts(strain: &Strain) -> Value {
    let by_code = strain.refused.iter();
    let by_code = by_code.map(|(code, count)| (format!("TG{}", code.number()), json!(count)));
    json!({
        "messages": strain.messages,
        "busiest_second": strain.busiest_second,
        "left_out": strain.left_out,
        "passed": strain.passed,
        "refused": by_code.collect::<serde_json::Map<_, _>>(),
    })
}

fn used(used: Used) -> Value {
    json!({"highest_percent": used.most.map(|most| most.to_string()), "refused": used.refused})
}

/// `84 %`, or `210 %, 12`: its highest use, and how many it refused.
fn told(used: Used) -> String {
    let most = used.most.map_or_else(|| "–".to_owned(), |most| format!("{most} %"));
    match used.refused {
        0 => most,
        refused => format!("{most}, {refused}"),
    }
}

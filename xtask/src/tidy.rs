//! House rules that a compiler does not hold: who may import whom, what stays out of the core, who
//! may vouch for a proof, where venues may be named.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Which crates of ours each crate may depend on. A new edge is the rarest of changes.
const EDGES: &[(&str, &[&str])] = &[
    ("tidegate-types", &[]),
    ("tidegate-options", &["tidegate-types"]),
    ("tidegate-core", &["tidegate-types", "tidegate-options"]),
    ("tidegate-journal", &["tidegate-types"]),
    ("tidegate-identity", &["tidegate-types"]),
    ("tidegate-venues", &["tidegate-types"]),
    ("tidegate-policy", &["tidegate-types"]),
    ("tidegate-shaping", &["tidegate-types", "tidegate-venues"]),
    ("tidegate-vault", &["tidegate-types", "tidegate-venues", "tidegate-identity"]),
    ("tidegate-sim", &["tidegate-types", "tidegate-venues"]),
    (
        "tidegate-server",
        &[
            "tidegate-types",
            "tidegate-core",
            "tidegate-journal",
            "tidegate-identity",
            "tidegate-policy",
            "tidegate-venues",
            "tidegate-shaping",
            "tidegate-vault",
        ],
    ),
    ("tidegate", &["*"]),
    ("tidegate-testkit", &["*"]),
    ("xtask", &["*"]),
];

/// What a build for production is without: only a feature may bring it.
const LEFT_OUT: &[(&str, &str)] = &[("tidegate", "tidegate-sim")];

/// What may not come near a crate, and why.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "tidegate-types",
        &["serde", "serde_json", "tokio", "rand", "getrandom"],
        "types are not serializable by accident and know no runtime",
    ),
    (
        "tidegate-core",
        &["serde", "serde_json", "tokio", "rand", "getrandom", "aws-lc-rs"],
        "decisions are replayed bit for bit, so nothing but values may reach them",
    ),
    (
        "tidegate-options",
        &["serde", "serde_json", "tokio", "rand", "getrandom"],
        "valuing is a function of numbers alone",
    ),
    ("tidegate-venues", &["tokio", "hyper"], "dialects are bytes in, values out"),
    ("tidegate-shaping", &["tokio", "serde", "rand"], "who may go is a matter of values and times"),
    ("tidegate-identity", &["tokio", "hyper"], "checks are over bytes, a store and a time"),
    ("tidegate-identity", OTHER_CHANCE, SYSTEM_S_CHANCE),
    ("tidegate-journal", OTHER_CHANCE, SYSTEM_S_CHANCE),
    ("tidegate-vault", OTHER_CHANCE, SYSTEM_S_CHANCE),
    ("tidegate-server", OTHER_CHANCE, SYSTEM_S_CHANCE),
    ("tidegate", OTHER_CHANCE, SYSTEM_S_CHANCE),
];

/// Sources of random numbers beside the system's own (`getrandom`, and aws-lc's, which it seeds).
const OTHER_CHANCE: &[&str] =
    &["rand", "rand_core", "rand_chacha", "rand_pcg", "fastrand", "oorandom", "nanorand", "uuid"];
const SYSTEM_S_CHANCE: &str = "what nobody may guess comes from the system's generator alone";

/// The one file that may call each proof's constructor.
const VOUCHERS: &[(&str, &str)] = &[
    ("Authenticated::vouch", "crates/tidegate-identity/src/authenticate.rs"),
    ("Authenticated::of_record", "crates/tidegate-core/src/rehearsal/request.rs"),
    ("Durable::vouch", "crates/tidegate-journal/src/writer.rs"),
    ("Signed::vouch", "crates/tidegate-vault/src/client.rs"),
];

/// Where clocks, randomness and files may not be touched.
const PURE: &[(&str, &[&str])] = &[
    ("crates/tidegate-types/src", &["Instant::now", "SystemTime::now", "std::fs", "std::net::Tcp"]),
    (
        "crates/tidegate-core/src",
        &["Instant::now", "SystemTime::now", "std::fs", "std::net", "std::env", "HashMap"],
    ),
    ("crates/tidegate-options/src", &["Instant::now", "SystemTime::now", "std::fs", "HashMap"]),
    ("crates/tidegate-venues/src", &["Instant::now", "SystemTime::now", "std::fs", "std::env"]),
    ("crates/tidegate-shaping/src", &["Instant::now", "SystemTime::now", "std::fs", "std::env"]),
    ("crates/tidegate-identity/src", &["Instant::now", "SystemTime::now", "std::fs", "std::env"]),
];

/// Crates in which no venue is named: dialects live in their folders, the registry knows them.
const VENUE_BLIND: &[&str] = &[
    "crates/tidegate-types/src",
    "crates/tidegate-core/src",
    "crates/tidegate-journal/src",
    "crates/tidegate-identity/src",
    "crates/tidegate-vault/src",
    "crates/tidegate-shaping/src",
    "crates/tidegate-server/src/edge",
    "crates/tidegate-server/src/front",
    "crates/tidegate-server/src/desk",
    "crates/tidegate-server/src/upstream",
    "crates/tidegate-server/src/admin",
];

/// Files longer than this are named, as information.
const LONG_FILE: usize = 600;

/// Holds every rule; prints each breach with what to do.
pub(crate) fn run(root: &Path) -> ExitCode {
    let files = rust_files(root);
    let mut breaches = edges(root);
    breaches.extend(vouchers(&files));
    breaches.extend(purity(&files));
    breaches.extend(venue_names(&files));
    for (path, text) in &files {
        let lines = text.lines().count();
        if lines > LONG_FILE {
            println!("long: {path} has {lines} lines; is it one room, or several?");
        }
    }
    for breach in &breaches {
        println!("tidy: {breach}");
    }
    println!("tidy: {} files, {} breaches", files.len(), breaches.len());
    if breaches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn edges(root: &Path) -> Vec<String> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".into()])
        .exec();
    let metadata = match metadata {
        Ok(metadata) => metadata,
        Err(error) => return vec![format!("cargo metadata failed: {error}")],
    };
    let table: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let ours: BTreeSet<String> = metadata.packages.iter().map(|p| p.name.to_string()).collect();
    let mut breaches = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        let Some(allowed) = table.get(name) else {
            breaches.push(format!("crate {name} is not in the edges table (xtask/src/tidy.rs)"));
            continue;
        };
        let always = package.dependencies.iter().filter(|d| !d.optional);
        for dependency in always.filter(|d| d.kind == cargo_metadata::DependencyKind::Normal) {
            if LEFT_OUT.contains(&(name, dependency.name.as_str())) {
                breaches.push(format!("{name} may import {} by a feature alone", dependency.name));
            }
        }
        let normal = package
            .dependencies
            .iter()
            .filter(|d| d.kind == cargo_metadata::DependencyKind::Normal)
            .map(|d| d.name.as_str());
        for dependency in normal {
            let open = allowed.contains(&"*") || allowed.contains(&dependency);
            if ours.contains(dependency) && !open {
                breaches.push(format!("{name} may not import {dependency}"));
            }
            for (_, list, why) in FORBIDDEN.iter().filter(|(of, ..)| *of == name) {
                if list.contains(&dependency) {
                    breaches.push(format!("{name} may not depend on {dependency}: {why}"));
                }
            }
        }
    }
    breaches
}

fn vouchers(files: &[(String, String)]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (call, home) in VOUCHERS {
        let callers: Vec<&str> = files
            .iter()
            .filter(|(path, text)| !is_test(path) && text.contains(call))
            .map(|(path, _)| path.as_str())
            .collect();
        if callers != [*home] {
            breaches.push(format!("{call} must be called in {home} alone, not in {callers:?}"));
        }
    }
    breaches
}

fn purity(files: &[(String, String)]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (folder, words) in PURE {
        for (path, text) in files.iter().filter(|(p, _)| p.starts_with(folder) && !is_test(p)) {
            for word in words.iter().filter(|word| text.contains(**word)) {
                breaches.push(format!("{path} uses {word}; time, chance and files are arguments"));
            }
        }
    }
    breaches
}

fn venue_names(files: &[(String, String)]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (path, text) in files {
        if is_test(path) || !VENUE_BLIND.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            let lower = line.to_lowercase();
            if ["binance", "deribit"].iter().any(|venue| lower.contains(venue)) {
                breaches.push(format!("{path} names a venue: `{}`", line.trim()));
            }
        }
    }
    breaches
}

fn is_test(path: &str) -> bool {
    path.ends_with("tests.rs") || path.contains("/tests/") || path.contains("tidegate-testkit")
}

/// The Rust sources of the crates, by path.
pub(crate) fn rust_files(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.join("crates")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let Ok(text) = fs::read_to_string(&path) else { continue };
                let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                found.push((name, text));
            }
        }
    }
    found.sort();
    found
}

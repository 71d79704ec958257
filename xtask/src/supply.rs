//! `cargo xtask supply`: what the shipped program is made of. Holds every crate's licence against the list,
//! `Cargo.lock` against the RustSec advisory database, and writes a bill of materials (CycloneDX).

mod advisories;
mod bill;
#[cfg(test)]
mod tests;

use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Where the bill of materials is written.
const BILL: &str = "target/tidegate.cdx.json";
/// Where the advisory database is looked for, and cloned to.
const DATABASE: &str = "target/advisory-db";
const DATABASE_URL: &str = "https://github.com/RustSec/advisory-db";
/// The program that is shipped, and what it is built for.
const PROGRAM: &str = "tidegate";
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Licences that ask no more of a binary than a notice.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Checks and writes; with a path, against the advisory database there.
pub(crate) fn run(root: &Path, database: Option<&str>) -> ExitCode {
    let metadata = match read(root) {
        Ok(metadata) => metadata,
        Err(error) => {
            eprintln!("supply: {error}");
            return ExitCode::FAILURE;
        }
    };
    let shipped = shipped(&metadata);
    let mut breaches = licences(&shipped);
    match database.map_or_else(|| fetched(root), |path| Ok(path.to_owned())) {
        Ok(path) => match advisories::read(Path::new(&path)) {
            Ok(known) => {
                let found = advisories::about(&known, &shipped);
                println!(
                    "supply: {} advisories held against {} crates",
                    known.len(),
                    shipped.len()
                );
                found.notes.iter().for_each(|note| println!("supply: note: {note}"));
                breaches.extend(found.breaches);
            }
            Err(error) => breaches.push(format!("the advisory database at {path}: {error}")),
        },
        Err(error) => println!(
            "supply: NOT CHECKED against RustSec: {error}; git clone {DATABASE_URL} {DATABASE}, or name a copy"
        ),
    }
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
    breaches.extend(strangers(&lock));
    let bill = bill::of(&metadata, &shipped, &lock);
    match fs::write(root.join(BILL), format!("{bill:#}\n")) {
        Ok(()) => println!("supply: wrote {BILL}, {} crates", shipped.len()),
        Err(error) => breaches.push(format!("cannot write {BILL}: {error}")),
    }
    breaches.iter().for_each(|breach| println!("supply: {breach}"));
    if breaches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The workspace as `Cargo.lock` has it: a lock file that does not fit is an error.
fn read(root: &Path) -> Result<Metadata, String> {
    MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .other_options(vec!["--locked".into(), "--filter-platform".into(), TARGET.into()])
        .exec()
        .map_err(|error| error.to_string())
}

/// The crates that go into the program, or build it; not those of tests.
fn shipped(metadata: &Metadata) -> Vec<&Package> {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let nodes: Vec<_> = nodes.collect();
    let first = metadata.packages.iter().find(|package| package.name.as_str() == PROGRAM);
    let mut next: Vec<&PackageId> = first.iter().map(|package| &package.id).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = next.pop() {
        if !seen.insert(id) {
            continue;
        }
        let deps = nodes.iter().filter(|node| node.id == *id).flat_map(|node| &node.deps);
        let used = deps.filter(|dep| {
            dep.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development)
        });
        next.extend(used.map(|dep| &dep.pkg));
    }
    metadata.packages.iter().filter(|package| seen.contains(&package.id)).collect()
}

/// What the lock file takes from anywhere but crates.io.
fn strangers(lock: &str) -> Vec<String> {
    let sources = lock.lines().filter_map(|line| line.strip_prefix("source = "));
    let strange = sources.filter(|source| {
        !source.starts_with("\"registry+https://github.com/rust-lang/crates.io-index")
    });
    strange.map(|source| format!("Cargo.lock takes a crate from {source}")).collect()
}

fn licences(shipped: &[&Package]) -> Vec<String> {
    let said = |package: &&&Package| {
        let licence = package.license.as_deref().unwrap_or_default();
        !is_allowed(licence)
    };
    let named = |package: &&Package| {
        let licence = package.license.as_deref().unwrap_or("none");
        format!("{} {}: the licence {licence} is not on the list", package.name, package.version)
    };
    shipped.iter().filter(said).map(named).collect()
}

/// Whether a licence, one of several that may be chosen or all of several, is on the list.
fn is_allowed(expression: &str) -> bool {
    let plain = expression.replace('/', " OR ").replace(['(', ')'], " ");
    let one = |licence: &str| {
        let licence = licence.trim();
        let (licence, exception) = licence.split_once(" WITH ").unwrap_or((licence, ""));
        LICENCES.contains(&licence.trim()) && matches!(exception.trim(), "" | "LLVM-exception")
    };
    // `AND` binds tighter; brackets are taken for nothing, which asks more rather than less of `A AND (B OR C)`
    // only where B is not on the list.
    plain.split(" OR ").any(|all| all.split(" AND ").all(one))
}

/// The database below `target`, fetched or brought up to date if that can be done.
fn fetched(root: &Path) -> Result<String, String> {
    let path = root.join(DATABASE);
    let shown = path.display().to_string();
    let git = |args: &[&str]| Command::new("git").args(args).output();
    let done = match path.exists() {
        true => git(&["-C", &shown, "pull", "--quiet", "--ff-only"]),
        false => git(&["clone", "--quiet", "--depth", "1", DATABASE_URL, &shown]),
    };
    match done {
        Ok(output) if output.status.success() => Ok(shown),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr)
            .lines()
            .next_back()
            .unwrap_or_default()
            .to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

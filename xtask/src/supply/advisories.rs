//! The RustSec advisory database, as files: `crates/NAME/ID.md`, each beginning with a block of TOML.

use cargo_metadata::Package;
use cargo_metadata::semver::VersionReq;
use std::fs;
use std::path::Path;
use toml::{Table, Value};

/// An advisory.
pub(super) struct Advisory {
    id: String,
    package: String,
    /// What it is when it is no weakness: `unmaintained`, `notice`, `unsound`.
    kind: Option<String>,
    /// Versions that are not touched by it.
    good: Vec<VersionReq>,
}

/// What the database says of some crates.
#[derive(Default)]
pub(super) struct Found {
    pub(super) breaches: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// Every advisory that was not withdrawn.
///
/// # Errors
/// When there is none, or one cannot be read: what cannot be read cannot be held against anything.
pub(super) fn read(database: &Path) -> Result<Vec<Advisory>, String> {
    let list = |path: &Path| {
        let entries = fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok::<_, String>(entries.flatten().map(|entry| entry.path()).collect::<Vec<_>>())
    };
    let mut known = Vec::new();
    for package in list(&database.join("crates"))?.iter().filter(|path| path.is_dir()) {
        for file in
            list(package)?.iter().filter(|file| file.extension().is_some_and(|it| it == "md"))
        {
            let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
            let one = parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
            known.extend(one);
        }
    }
    if known.is_empty() { Err("there is no advisory".into()) } else { Ok(known) }
}

/// The advisory of a file; none if it was withdrawn.
pub(super) fn parse(text: &str) -> Result<Option<Advisory>, String> {
    let block = text.split_once("```toml").and_then(|(_, rest)| rest.split_once("```"));
    let (block, _) = block.ok_or("it has no block of TOML")?;
    let table: Table = block.parse().map_err(|error| format!("{error}"))?;
    let advisory = table.get("advisory").and_then(Value::as_table).ok_or("no [advisory]")?;
    if advisory.contains_key("withdrawn") {
        return Ok(None);
    }
    let word = |name: &str| advisory.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut good = Vec::new();
    let versions = table.get("versions").and_then(Value::as_table);
    for list in ["patched", "unaffected"] {
        let texts = versions.and_then(|versions| versions.get(list)).and_then(Value::as_array);
        for text in texts.into_iter().flatten().filter_map(Value::as_str) {
            good.push(text.parse().map_err(|error| format!("{text}: {error}"))?);
        }
    }
    Ok(Some(Advisory {
        id: word("id").ok_or("no id")?,
        package: word("package").ok_or("no package")?,
        kind: word("informational"),
        good,
    }))
}

/// What is said of these crates, in the versions that are used.
pub(super) fn about(known: &[Advisory], packages: &[&Package]) -> Found {
    let mut found = Found::default();
    for package in packages.iter().filter(|package| package.source.is_some()) {
        for advisory in known.iter().filter(|advisory| advisory.package == package.name.as_str()) {
            if advisory.good.iter().any(|good| good.matches(&package.version)) {
                continue;
            }
            let said = format!("{} {}: {}", package.name, package.version, advisory.id);
            match advisory.kind.as_deref() {
                // Nobody keeps it: to be replaced, and no weakness that is known.
                Some(kind @ ("unmaintained" | "notice")) => {
                    found.notes.push(format!("{said} ({kind})"))
                }
                _ => found.breaches.push(said),
            }
        }
    }
    found
}

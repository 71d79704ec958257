//! The tables of `docs/security`: read from their data, held against the lists of requirements and against the tree, and
//! rendered. A claim that names a file or a test that is not there fails the check, and so do a reason that builds on the
//! absence of what has come and cryptography that the inventory does not list.

mod absent;
mod inventory;
mod lists;
mod modules;
#[cfg(test)]
mod tests;

use lists::{Chapter, Entry};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const COLUMNS: [&str; 7] = ["id", "level", "what", "status", "where", "shown by", "why"];
const STATUS: [&str; 4] = ["met", "partly", "not yet", "does not apply"];

/// Where a claim may point without naming a test: pages to read, programs of other people's making, fuzzers, and the
/// steps of `cargo xtask ci`.
const WITHOUT_A_TEST: [&str; 5] = ["docs/", "clients/", "fuzz/", "xtask/src/", "SECURITY.md"];

/// A page made from data.
struct Table {
    data: &'static str,
    page: &'static str,
    head: &'static str,
    chapters: fn() -> Vec<Chapter>,
}

const TABLES: [Table; 3] = [
    Table {
        data: "docs/security/asvs.tsv",
        page: "docs/security/asvs.md",
        head: "# OWASP ASVS 5.0.0\n\nWhat of the [Application Security Verification Standard](https://github.com/OWASP/ASVS), \
               version 5.0.0, is met, where, and what shows it. The numbers and levels are the standard's; its texts are there \
               (by the OWASP Foundation, CC BY-SA 4.0), and the words here are ours.\n",
        chapters: lists::asvs,
    },
    Table {
        data: "docs/security/checks.tsv",
        page: "docs/security/checks.md",
        head: "# The numbered checks\n\nWhat OAuth 2.1, FAPI 2.0, WebAuthn, NIST SP 800-63B, TLS and the other standards that \
               Tidegate follows ask for, as 305 checks with numbers of our own. The tests of `crates/tidegate-identity` bear them in \
               their names. Levels: `must` and `should` are a standard's, `3` is level 3 of ASVS, `ours` is asked by this project, or by a \
               list that has no levels.\n",
        chapters: lists::checks,
    },
    Table {
        data: "docs/security/fapi2.tsv",
        page: "docs/security/fapi2.md",
        head: "# FAPI 2.0, module by module\n\nThe modules of the OpenID Foundation's conformance suite that test an authorization server against \
               FAPI 2.0, Final, and what here tries the same. **The suite itself was not run, and nothing here is certified**: the names of its \
               modules and the requirements that they cite are the list, the words and the tests are ours. Cases of \
               `clients/oauth/compare` stand with their answers, and a certified server's, in [oauth.md](oauth.md). Levels: `SP` is in the plan for the Security \
               Profile, `MS` in that for Message Signing alone, which is not claimed.\n",
        chapters: lists::fapi2,
    },
];

/// A line of the data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Row {
    id: String,
    level: String,
    what: String,
    status: String,
    places: Vec<String>,
    shown_by: Vec<String>,
    why: String,
}

/// The pages, each with its path.
///
/// # Errors
///
/// What is wrong with the data, one line each.
pub(crate) fn pages(root: &Path) -> Result<Vec<(&'static str, String)>, Vec<String>> {
    let mut pages = Vec::new();
    let mut breaches = Vec::new();
    for table in &TABLES {
        let chapters = (table.chapters)();
        let text = fs::read_to_string(root.join(table.data)).unwrap_or_default();
        let (rows, mut wrong) = read(&text);
        wrong.extend(hold(&rows, &chapters, root));
        breaches.extend(wrong.into_iter().map(|breach| format!("{}: {breach}", table.data)));
        pages.push((table.page, render(table, &rows, &chapters)));
    }
    breaches.extend(inventory::hold(root, &crate::tidy::rust_files(root)));
    if breaches.is_empty() { Ok(pages) } else { Err(breaches) }
}

fn read(text: &str) -> (Vec<Row>, Vec<String>) {
    let mut lines = text.lines();
    if lines.next() != Some(&*COLUMNS.join("\t")) {
        return (Vec::new(), vec![format!("the first line is not {}", COLUMNS.join(", "))]);
    }
    let mut rows = Vec::new();
    let mut wrong = Vec::new();
    for line in lines {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        let [id, level, what, status, places, shown_by, why] = cells[..] else {
            wrong.push(format!(
                "`{line}` has {} columns instead of {}",
                cells.len(),
                COLUMNS.len()
            ));
            continue;
        };
        let words = |cell: &str| cell.split_whitespace().map(str::to_owned).collect();
        rows.push(Row {
            id: id.into(),
            level: level.into(),
            what: what.into(),
            status: status.into(),
            places: words(places),
            shown_by: words(shown_by),
            why: why.into(),
        });
    }
    (rows, wrong)
}

/// What is wrong with the rows: against the list, in themselves, against the tree.
fn hold(rows: &[Row], chapters: &[Chapter], root: &Path) -> Vec<String> {
    let listed: BTreeMap<&str, &Entry> =
        chapters.iter().flat_map(|c| &c.entries).map(|entry| (entry.id.as_str(), entry)).collect();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    let mut breaches = Vec::new();
    for row in rows {
        *times.entry(&row.id).or_default() += 1;
        let mut say = |breach: String| breaches.push(format!("{}: {breach}", row.id));
        match listed.get(row.id.as_str()) {
            None => say("there is no such requirement".into()),
            Some(entry) if entry.level != row.level => say(format!("its level is {}", entry.level)),
            Some(_) => {}
        }
        claim(row).into_iter().for_each(&mut say);
        row.places.iter().filter_map(|path| no_place(path, root)).for_each(&mut say);
        absent::stale(&row.why, root).into_iter().for_each(&mut say);
        row.shown_by.iter().filter_map(|proof| no_proof(proof, root)).for_each(&mut say);
    }
    for id in listed.keys() {
        match times.get(id).copied().unwrap_or_default() {
            0 => breaches.push(format!("{id}: its row is missing")),
            1 => {}
            n => breaches.push(format!("{id}: has {n} rows")),
        }
    }
    breaches
}

/// What a status owes its reader.
fn claim(row: &Row) -> Vec<String> {
    let mut owed = Vec::new();
    if row.what.is_empty() {
        owed.push("does not say what it asks for".to_owned());
    }
    match row.status.as_str() {
        "met" => {
            if row.places.is_empty() {
                owed.push("is met, but does not say where".into());
            }
            if row.shown_by.is_empty() {
                owed.push("is met, but nothing shows it".into());
            }
        }
        "does not apply" if row.why.is_empty() => {
            owed.push("does not apply, without a reason".into())
        }
        "partly" | "not yet" if row.why.is_empty() => {
            owed.push(format!("is {}, but does not say what is missing", row.status));
        }
        status if !STATUS.contains(&status) => owed.push(format!("`{status}` is no status")),
        _ => {}
    }
    owed
}

fn no_place(path: &str, root: &Path) -> Option<String> {
    (!inside(path) || !root.join(path).exists()).then(|| format!("{path} does not exist"))
}

/// A proof is `path::test`, `page.md`, `page.md#heading`, or a path that needs no test's name.
fn no_proof(proof: &str, root: &Path) -> Option<String> {
    let read = |path: &str| fs::read_to_string(root.join(path)).ok().filter(|_| inside(path));
    if let Some((path, test)) = proof.split_once("::") {
        return match read(path) {
            None => Some(format!("{path} does not exist")),
            Some(text) if !tests_in(&text).contains(&test) => {
                Some(format!("{path} has no test {test}"))
            }
            Some(_) => None,
        };
    }
    if let Some((path, heading)) = proof.split_once('#') {
        return match read(path) {
            None => Some(format!("{path} does not exist")),
            Some(text) if !text.lines().any(|line| anchor(line).as_deref() == Some(heading)) => {
                Some(format!("{path} has no heading {heading}"))
            }
            Some(_) => None,
        };
    }
    if !WITHOUT_A_TEST.iter().any(|folder| proof.starts_with(folder)) {
        return Some(format!("{proof} names no test"));
    }
    no_place(proof, root)
}

/// Whether a path stays in the tree.
fn inside(path: &str) -> bool {
    !path.starts_with('/') && !path.split('/').any(|part| part == "..")
}

/// The names of the tests of a file in Rust or Python. Programs without the test harness list theirs in `TESTS`, and
/// those in JavaScript as rows that begin with a name.
fn tests_in(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut marked = false;
    let mut listed = false;
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("const TESTS: &[(&str, fn())]") {
            listed = true;
        } else if listed {
            listed = line != "];";
            names.extend(line.strip_prefix("(\"").map(name_of));
        } else if let Some((name, _)) = line.strip_prefix("['").and_then(|row| row.split_once("',"))
        {
            names.push(name);
        } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            marked = true;
        } else if let Some(rest) = line.strip_prefix("def test_") {
            names.extend(line.get(4..4 + "test_".len() + name_of(rest).len()));
        } else if let Some((before, rest)) = line.split_once("fn ") {
            let plain = matches!(before.trim_end(), "" | "async" | "pub" | "pub async");
            if marked && plain {
                names.push(name_of(rest));
                marked = false;
            }
        }
    }
    names
}

fn name_of(rest: &str) -> &str {
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// The anchor that a heading of a page has where pages are shown.
fn anchor(line: &str) -> Option<String> {
    let title = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
    let kept = title.trim().to_lowercase();
    Some(
        kept.chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect(),
    )
}

fn render(table: &Table, rows: &[Row], chapters: &[Chapter]) -> String {
    let by_id: BTreeMap<&str, &Row> = rows.iter().map(|row| (row.id.as_str(), row)).collect();
    let mut text = format!(
        "{}\nHow to read and extend this page: [README.md](README.md).\n\nGenerated by `cargo xtask docs` from `{}`.\n\n",
        table.head, table.data
    );
    counts(&mut text, "level", &by_level(rows));
    for chapter in chapters {
        let of_it: Vec<&Row> =
            chapter.entries.iter().filter_map(|e| by_id.get(e.id.as_str()).copied()).collect();
        let _ = write!(
            text,
            "\n## {}\n\n{}\n\n| id | level | what | status | where, and what shows it | why, or what is missing |\n\
             |---|---|---|---|---|---|\n",
            chapter.title,
            summary(&of_it)
        );
        for row in of_it {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} |",
                row.id,
                row.level,
                cell(&row.what),
                row.status,
                evidence(row),
                cell(&row.why)
            );
        }
    }
    text
}

fn by_level(rows: &[Row]) -> Vec<(String, Vec<&Row>)> {
    let mut groups: Vec<(String, Vec<&Row>)> =
        ["1", "2", "3", "must", "should", "ours", "SP", "MS"]
            .iter()
            .map(|level| {
                let of_it: Vec<&Row> = rows.iter().filter(|row| row.level == **level).collect();
                ((*level).to_owned(), of_it)
            })
            .filter(|(_, rows)| !rows.is_empty())
            .collect();
    groups.push(("all".into(), rows.iter().collect()));
    groups
}

fn counts(text: &mut String, by: &str, groups: &[(String, Vec<&Row>)]) {
    let _ = writeln!(text, "| {by} | {} | all |\n|---|---|---|---|---|---|", STATUS.join(" | "));
    for (name, rows) in groups {
        let each = STATUS.map(|status| count(rows, status).to_string());
        let _ = writeln!(text, "| {name} | {} | {} |", each.join(" | "), rows.len());
    }
}

fn summary(rows: &[&Row]) -> String {
    let parts: Vec<String> = STATUS
        .iter()
        .map(|status| (count(rows, status), status))
        .filter(|(n, _)| *n > 0)
        .map(|(n, status)| format!("{n} {status}"))
        .collect();
    format!("{} of {}.", parts.join(", "), rows.len())
}

fn count(rows: &[&Row], status: &str) -> usize {
    rows.iter().filter(|row| row.status == status).count()
}

fn evidence(row: &Row) -> String {
    let places = row.places.iter().map(|path| link(short(path), path));
    let proofs = row.shown_by.iter().map(|proof| match proof.split_once("::") {
        Some((path, test)) => link(test, path),
        None => link(short(proof), proof),
    });
    let (places, proofs): (Vec<String>, Vec<String>) = (places.collect(), proofs.collect());
    [places.join(", "), proofs.join(", ")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ")
}

fn link(label: &str, target: &str) -> String {
    format!("[`{label}`](../../{target})")
}

/// A path without what every path here begins with.
fn short(path: &str) -> &str {
    path.strip_prefix("crates/tidegate-").or_else(|| path.strip_prefix("crates/")).unwrap_or(path)
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

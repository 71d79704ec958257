//! Looks for cryptography: what names one of its libraries is in the inventory, or breaks the check.

use std::fs;
use std::path::Path;

const PAGE: &str = "docs/security/inventory.md";
const LIBRARIES: [&str; 6] = ["aws_lc_rs", "argon2", "sha2", "rcgen", "rustls::crypto", "webpki"];
/// Crates that ship no protection, and the benchmark.
const LEFT_OUT: [&str; 3] =
    ["crates/tidegate-sim/", "crates/tidegate-testkit/", "crates/tidegate/src/bench/"];

/// What is wrong with the inventory, one line each. `files` are the sources of the shipped crates, by path.
pub(super) fn hold(root: &Path, files: &[(String, String)]) -> Vec<String> {
    let page = fs::read_to_string(root.join(PAGE)).unwrap_or_default();
    let listed = listed(&page);
    let found: Vec<&str> =
        files.iter().filter(|(path, text)| counts(path, text)).map(|(path, _)| &**path).collect();
    let mut breaches = Vec::new();
    for path in &found {
        if !listed.iter().any(|place| covers(place, path)) {
            breaches
                .push(format!("{PAGE}: {path} names a cryptographic library and is not listed"));
        }
    }
    for place in listed {
        if !found.iter().any(|path| covers(place, path)) {
            breaches.push(format!("{PAGE}: nothing cryptographic is in {place} any more"));
        }
    }
    breaches
}

/// The paths in the first column of the table.
fn listed(page: &str) -> Vec<&str> {
    let rows = page.lines().filter(|line| line.starts_with("| `crates/"));
    let cells = rows.filter_map(|line| line.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`')).filter(|part| part.starts_with("crates/")).collect()
}

fn covers(place: &str, path: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        || path == format!("{place}.rs")
}

fn counts(path: &str, text: &str) -> bool {
    let shipped = path.contains("/src/") && !LEFT_OUT.iter().any(|folder| path.starts_with(folder));
    let test = path.ends_with("tests.rs")
        || path.contains("/tests/")
        || path.contains("testing")
        || path.contains("testkit");
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let names = |line: &str| LIBRARIES.iter().any(|name| line.contains(&format!("{name}::")));
    shipped && !test && code.take_while(|line| *line != "#[cfg(test)]").any(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(files: &[(&str, &str)]) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let all = crate::tidy::rust_files(&root);
        let new = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        let kept = all.into_iter().filter(|(path, _)| files.iter().all(|(new, _)| path != new));
        hold(&root, &kept.chain(new).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_new_or_gone_is_named() {
        assert_eq!(said(&[]), Vec::<String>::new());
        let new = ("crates/tidegate-core/src/new.rs", "use sha2::Sha256;");
        let path = "crates/tidegate-core/src/new.rs";
        assert_eq!(
            said(&[new]),
            [format!("{PAGE}: {path} names a cryptographic library and is not listed")]
        );
        let gone = ("crates/tidegate-vault/src/sealed.rs", "// aws_lc_rs::aead");
        let place = "crates/tidegate-vault/src/sealed.rs";
        assert_eq!(
            said(&[gone]),
            [format!("{PAGE}: nothing cryptographic is in {place} any more")]
        );
    }

    #[test]
    fn tests_and_the_simulator_are_left_out() {
        for path in ["crates/tidegate-sim/src/x.rs", "crates/tidegate-core/src/x/tests.rs"] {
            assert!(!counts(path, "sha2::Sha256"), "{path}");
        }
        assert!(!counts("crates/a/src/x.rs", "fn a() {}\n#[cfg(test)]\nuse sha2::Sha256;"));
        assert!(covers("crates/a/src/b", "crates/a/src/b/c.rs"));
        assert!(covers("crates/a/src/b", "crates/a/src/b.rs"));
        assert!(!covers("crates/a/src/b", "crates/a/src/bc.rs"));
    }
}

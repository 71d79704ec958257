use super::*;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

const ADVISORY: &str = "```toml
[advisory]
id = \"RUSTSEC-2000-0001\"
package = \"serde\"
date = \"2000-01-01\"
[versions]
patched = [\"PATCHED\"]
unaffected = [\"< 0.1\"]
```
# A title
";

fn said(patched: &str, informational: &str) -> advisories::Found {
    let text = ADVISORY.replace("PATCHED", patched);
    let text = text.replace("[versions]", &format!("{informational}\n[versions]"));
    let known: Vec<_> = advisories::parse(&text).unwrap().into_iter().collect();
    let metadata = read(&root()).unwrap();
    advisories::about(&known, &shipped(&metadata))
}

#[test]
fn a_crate_with_a_weakness_is_named_until_it_is_mended() {
    let found = said(">= 99.0.0", "");
    assert_eq!(found.breaches.len(), 1);
    assert!(
        found.breaches[0].starts_with("serde 1.")
            && found.breaches[0].ends_with("RUSTSEC-2000-0001")
    );
    assert!(said(">= 1.0.0", "").breaches.is_empty());
    assert!(said(">= 99.0.0", "withdrawn = \"2000-02-01\"").breaches.is_empty());
    let old = said(">= 99.0.0", "informational = \"unmaintained\"");
    assert_eq!((old.breaches.len(), old.notes.len()), (0, 1));
    assert_eq!(said(">= 99.0.0", "informational = \"unsound\"").breaches.len(), 1);
    assert!(advisories::parse("no block").is_err());
}

#[test]
fn the_bill_has_every_crate_that_is_shipped_and_none_of_the_tests() {
    let metadata = read(&root()).unwrap();
    let shipped = shipped(&metadata);
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let bill = bill::of(&metadata, &shipped, &lock);
    let names: Vec<&str> = bill["components"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect();
    assert!(
        ["rustls", "hyper", "aws-lc-sys", "tidegate-core"].iter().all(|name| names.contains(name))
    );
    assert!(["proptest", "redb", "trybuild", "xtask"].iter().all(|name| !names.contains(name)));
    let rustls =
        bill["components"].as_array().unwrap().iter().find(|it| it["name"] == "rustls").unwrap();
    assert_eq!(rustls["hashes"][0]["content"].as_str().map(str::len), Some(64));
    assert_eq!(bill["dependencies"].as_array().unwrap().len(), names.len() + 1);
    assert_eq!(licences(&shipped), [""; 0]);
}

#[test]
fn a_licence_that_asks_for_more_is_not_on_the_list() {
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR ISC",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(is_allowed(good), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND MPL-2.0", "LGPL-2.1-or-later"] {
        assert!(!is_allowed(bad), "{bad}");
    }
}

#[test]
fn crates_come_from_one_place() {
    assert_eq!(strangers(&fs::read_to_string(root().join("Cargo.lock")).unwrap()), [""; 0]);
    assert_eq!(strangers("name = \"x\"\nsource = \"git+https://example.com/x\"\n").len(), 1);
}

#[test]
fn a_number_that_wraps_stops_the_program_that_is_shipped() {
    let manifest: toml::Table =
        fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let release = &manifest["profile"]["release"];
    assert_eq!(release["overflow-checks"].as_bool(), Some(true));
    assert_eq!(release["panic"].as_str(), Some("abort"));
    let lints = &manifest["workspace"]["lints"];
    for lint in ["print_stdout", "print_stderr", "dbg_macro", "unwrap_used"] {
        assert_eq!(lints["clippy"][lint].as_str(), Some("deny"), "{lint}");
    }
    assert_eq!(lints["rust"]["unsafe_code"].as_str(), Some("forbid"));
}

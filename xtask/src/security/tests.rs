use super::lists::{Chapter, Entry};
use super::*;
use std::path::PathBuf;

const HERE: &str = "xtask/src/security/tests.rs::a_table_without_faults_is_taken";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn chapters() -> Vec<Chapter> {
    let entry = |id: &str, level| Entry { id: id.into(), level };
    vec![Chapter { title: "A One".into(), entries: vec![entry("A-1", "1"), entry("A-2", "must")] }]
}

fn met(id: &str, level: &str) -> Row {
    Row {
        id: id.into(),
        level: level.into(),
        what: "a door is shut".into(),
        status: "met".into(),
        places: vec!["xtask/src/security.rs".into(), "docs".into()],
        shown_by: vec![HERE.into(), "docs/people.md#two-people".into(), "clients/run".into()],
        why: String::new(),
    }
}

/// What is said of two rows of which the first was spoilt.
fn said(spoil: impl Fn(&mut Row)) -> Vec<String> {
    let mut rows = vec![met("A-1", "1"), met("A-2", "must")];
    spoil(&mut rows[0]);
    hold(&rows, &chapters(), &root())
}

#[test]
fn a_table_without_faults_is_taken() {
    assert_eq!(said(|_| ()), Vec::<String>::new());
}

#[test]
fn a_reason_is_stale_once_what_it_misses_is_there() {
    let why = |why: &str| said(|row| row.why = why.into());
    assert_eq!(
        why("nothing asks (absent: xtask/src/security.rs::frobnicate, absent: docs/none.md)"),
        [""; 0]
    );
    for (reason, found) in [
        (
            "absent: xtask/src/security.rs",
            "A-1: xtask/src/security.rs is there: the reason is stale",
        ),
        (
            "absent: xtask/src::frobnicate)",
            "A-1: xtask/src/security/tests.rs has `frobnicate`: the reason is stale",
        ),
        ("absent: docs/none.md::x", "A-1: docs/none.md does not exist"),
        ("absent: ../x", "A-1: `absent: ../x` names nothing"),
    ] {
        assert_eq!(why(reason), [found]);
    }
}

#[test]
fn the_tables_of_the_repository_hold() {
    let pages = pages(&root()).unwrap_or_else(|breaches| panic!("{}", breaches.join("\n")));
    assert_eq!(pages.len(), 3);
}

#[test]
fn the_lists_have_the_sizes_of_their_standards() {
    let (asvs, checks) = (lists::asvs(), lists::checks());
    let levels = |level| asvs.iter().flat_map(|c| &c.entries).filter(|e| e.level == level).count();
    assert_eq!((asvs.len(), levels("1"), levels("2"), levels("3")), (17, 70, 183, 92));
    assert_eq!(checks.iter().map(|c| c.entries.len()).sum::<usize>(), 305);
    assert_eq!(lists::fapi2().iter().map(|c| c.entries.len()).sum::<usize>(), 78);
    let ids: Vec<&str> =
        asvs.iter().chain(&checks).flat_map(|c| &c.entries).map(|e| e.id.as_str()).collect();
    for id in ["V1.2.10", "V17.3.2", "OA-34", "FP-A14", "FP-N09", "PAR-8", "OTP-10", "CC-10"] {
        assert!(ids.contains(&id), "{id}");
    }
}

#[test]
fn a_row_that_is_missing_doubled_or_unknown_is_named() {
    let one = hold(&[met("A-1", "1")], &chapters(), &root());
    assert_eq!(one, ["A-2: its row is missing"]);
    let twice = [met("A-1", "1"), met("A-2", "must"), met("A-1", "1")];
    assert_eq!(hold(&twice, &chapters(), &root()), ["A-1: has 2 rows"]);
    let said = said(|row| row.id = "A-9".into());
    assert_eq!(said, ["A-9: there is no such requirement", "A-1: its row is missing"]);
    assert_eq!(self::said(|row| row.level = "2".into()), ["A-1: its level is 1"]);
}

#[test]
fn a_place_that_does_not_exist_is_named() {
    let said = |path: &str| said(|row| row.places = vec![path.into()]);
    assert_eq!(said("crates/gone.rs"), ["A-1: crates/gone.rs does not exist"]);
    assert_eq!(said("../etc"), ["A-1: ../etc does not exist"]);
    assert_eq!(said("/etc/passwd"), ["A-1: /etc/passwd does not exist"]);
}

#[test]
fn a_proof_that_does_not_exist_is_named() {
    let said = |proof: &str| said(|row| row.shown_by = vec![proof.into()]);
    assert_eq!(
        said("xtask/src/security/tests.rs::gone"),
        ["A-1: xtask/src/security/tests.rs has no test gone"]
    );
    // A function that is there, and is no test.
    assert_eq!(
        said("xtask/src/security/tests.rs::said"),
        ["A-1: xtask/src/security/tests.rs has no test said"]
    );
    assert_eq!(said("xtask/src/gone.rs::a"), ["A-1: xtask/src/gone.rs does not exist"]);
    assert_eq!(said("docs/people.md#gone"), ["A-1: docs/people.md has no heading gone"]);
    assert_eq!(said("clients/gone"), ["A-1: clients/gone does not exist"]);
    assert_eq!(
        said("crates/tidegate-core/src/roles.rs"),
        ["A-1: crates/tidegate-core/src/roles.rs names no test"]
    );
}

#[test]
fn what_is_met_says_where_and_what_shows_it() {
    assert_eq!(said(|row| row.places.clear()), ["A-1: is met, but does not say where"]);
    assert_eq!(said(|row| row.shown_by.clear()), ["A-1: is met, but nothing shows it"]);
}

#[test]
fn what_is_not_met_says_why() {
    assert_eq!(
        said(|row| row.status = "does not apply".into()),
        ["A-1: does not apply, without a reason"]
    );
    for status in ["partly", "not yet"] {
        let said = said(|row| row.status = status.into());
        assert_eq!(said, [format!("A-1: is {status}, but does not say what is missing")]);
    }
    assert_eq!(said(|row| row.status = "done".into()), ["A-1: `done` is no status"]);
    assert_eq!(said(|row| row.what.clear()), ["A-1: does not say what it asks for"]);
}

#[test]
fn the_data_has_its_columns() {
    let head = COLUMNS.join("\t");
    let (rows, wrong) = read(&format!("{head}\nA-1\t1\ta\tmet\tdocs\tdocs/people.md\t\n"));
    assert_eq!((rows.len(), wrong.len()), (1, 0));
    let (rows, wrong) = read(&format!("{head}\nA-1\t1\n"));
    assert_eq!((rows.len(), wrong), (0, vec!["`A-1\t1` has 2 columns instead of 7".to_owned()]));
    let (_, wrong) = read("id\tlevel\n");
    assert_eq!(wrong.len(), 1);
}

#[test]
fn tests_are_told_from_functions() {
    let rust = "fn a() {}\n#[test]\nfn b() {}\nfn c() {}\n    #[tokio::test(start_paused = true)]\n\
                // Why.\n    async fn d() {}\n";
    assert_eq!(tests_in(rust), ["b", "d"]);
    let listed = "const TESTS: &[(&str, fn())] = &[\n    (\"g\", g),\n    (\"h\", || i(1)),\n];\nfn i() {}\n";
    assert_eq!(tests_in(listed), ["g", "h"]);
    assert_eq!(tests_in("class A:\n    def test_e(self):\n    def f(self):\n"), ["test_e"]);
    let cases = "const own = (a) => [a, 'b'];\nexport default [\n    ['a.good-one', 'a good one', own()],\n];\n";
    assert_eq!(tests_in(cases), ["a.good-one"]);
}

#[test]
fn a_page_counts_what_it_shows() {
    let table = &TABLES[0];
    let mut open = met("A-2", "must");
    open.status = "partly".into();
    open.why = "half | of it".into();
    let page = render(table, &[met("A-1", "1"), open], &chapters());
    assert!(page.contains("| 1 | 1 | 0 | 0 | 0 | 1 |"), "{page}");
    assert!(page.contains("| all | 1 | 1 | 0 | 0 | 2 |"), "{page}");
    assert!(page.contains("1 met, 1 partly of 2."), "{page}");
    assert!(page.contains("half \\| of it"), "{page}");
    assert!(
        page.contains("[`a_table_without_faults_is_taken`](../../xtask/src/security/tests.rs)"),
        "{page}"
    );
}

use super::*;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::fmt::Write as _;

fn sha1(text: &str) -> [u8; 20] {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref().try_into().unwrap()
}

/// A list of the digests of the numbers below `count`, its lines ended by `end`.
fn list(count: usize, end: &str) -> String {
    let mut digests: Vec<[u8; 20]> = (0..count).map(|n| sha1(&n.to_string())).collect();
    digests.sort_unstable();
    let mut text = String::new();
    for (at, digest) in digests.iter().enumerate() {
        digest.iter().for_each(|byte| write!(text, "{byte:02X}").unwrap());
        // Counts of every length, and none.
        match at % 12 {
            0 => {}
            digits => write!(text, ":{}", "7".repeat(digits)).unwrap(),
        }
        text.push_str(end);
    }
    text
}

fn opened(text: &str) -> Result<Breached, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("breached");
    std::fs::write(&path, text).unwrap();
    Breached::open(&path)
}

#[test]
fn every_digest_is_found_and_no_other() {
    for end in ["\n", "\r\n"] {
        for count in [1, 2, 3, 700, 3000] {
            let whole = list(count, end);
            let unended = whole.strip_suffix(end).unwrap();
            for text in [whole.as_str(), unended, &whole.to_lowercase()] {
                let list = opened(text).unwrap();
                for n in 0..count {
                    assert_eq!(list.contains(&sha1(&n.to_string())), Ok(true), "{n} of {count}");
                }
                for n in count..count + 500 {
                    assert_eq!(list.contains(&sha1(&n.to_string())), Ok(false), "{n} of {count}");
                }
                assert_eq!(list.contains(&[0; 20]), Ok(false));
                assert_eq!(list.contains(&[0xff; 20]), Ok(false));
            }
        }
    }
}

#[test]
fn what_is_no_such_list_is_said_at_the_start() {
    let good = list(3000, "\n");
    let lines: Vec<&str> = good.lines().collect();
    let swapped = |a: usize, b: usize| {
        let mut lines = lines.clone();
        lines.swap(a, b);
        lines.join("\n")
    };
    let few = list(5, "\n");
    let table = [
        (String::new(), "is empty"),
        ("\n".to_owned(), "byte 0 is not"),
        (swapped(0, 2999), "not sorted"),
        (swapped(2998, 2999), "not sorted"),
        (lines.iter().rev().copied().collect::<Vec<_>>().join("\n"), "not sorted"),
        // Cut off in the last line, and digests of another kind.
        (good.trim_end()[..good.len() - 45].to_owned() + "\nABCDEF", "is not"),
        (few.lines().map(|line| format!("{}\n", &line[..32])).collect(), "byte 0 is not"),
        (few.replace(':', " "), "is not"),
        (few.clone() + "\n", "is not"),
        ("password\n".to_owned(), "byte 0 is not"),
        ("x".repeat(5000), "byte 0 is not"),
    ];
    for (text, said) in table {
        let told = opened(&text).map(|_| ()).unwrap_err();
        assert!(told.contains(said), "{said}: {told}");
    }
    let missing = Breached::open(Path::new("/nowhere/breached")).unwrap_err();
    assert!(missing.starts_with("/nowhere/breached: cannot be read"), "{missing}");
    assert!(Breached::open(Path::new("/")).unwrap_err().contains("no file"));
}

#[test]
fn a_large_list_that_breaks_off_between_two_lines_is_a_part() {
    let whole = list(30_000, "\r\n");
    assert!(whole.len() as u64 > WHOLE_FROM + (WHOLE_FROM >> 2));
    assert!(opened(&whole).is_ok());
    let lines: Vec<&str> = whole.split_inclusive("\r\n").collect();
    for part in [&lines[..27_000], &lines[3000..]] {
        let told = opened(&part.concat()).map(|_| ()).unwrap_err();
        assert!(told.contains("is a part"), "{told}");
    }
}

//! What a reason builds on not being there. `absent: PATH` in a row's last column says that there is no such
//! path, `absent: PATH::WORD` that the file, or every file below the folder, is without that word: once it
//! comes, the reason is stale and the check fails.

use std::fs;
use std::path::Path;

const MARK: &str = "absent: ";

/// What is there although the reason builds on its absence.
pub(super) fn stale(why: &str, root: &Path) -> Vec<String> {
    why.split(MARK).skip(1).filter_map(|rest| breach(named(rest), root)).collect()
}

/// The claim, up to a space, a comma, a semicolon or a closing bracket.
fn named(rest: &str) -> &str {
    rest.split([' ', ',', ';', ')']).next().unwrap_or_default()
}

fn breach(claim: &str, root: &Path) -> Option<String> {
    let (path, word) = match claim.split_once("::") {
        Some((path, word)) => (path, Some(word)),
        None => (claim, None),
    };
    if path.is_empty() || word == Some("") || !super::inside(path) {
        return Some(format!("`{MARK}{claim}` names nothing"));
    }
    let whole = root.join(path);
    match word {
        None => whole.exists().then(|| format!("{path} is there: the reason is stale")),
        Some(_) if !whole.exists() => Some(format!("{path} does not exist")),
        Some(word) => holding(&whole, word).map(|found| {
            let found = found.strip_prefix(root).unwrap_or(&found).display().to_string();
            format!("{found} has `{word}`: the reason is stale")
        }),
    }
}

/// The first file at or below a path that has a word.
fn holding(path: &Path, word: &str) -> Option<std::path::PathBuf> {
    if path.is_dir() {
        let mut entries: Vec<_> = fs::read_dir(path).ok()?.flatten().map(|e| e.path()).collect();
        entries.sort();
        return entries.iter().find_map(|entry| holding(entry, word));
    }
    fs::read_to_string(path).is_ok_and(|text| text.contains(word)).then(|| path.to_owned())
}

use super::*;
use tidegate_types::grant::Scope;
use tidegate_types::ids::PersonName;

fn halted(reason: &str) -> Emergency {
    let (by, reason) = (PersonName::new("root").unwrap(), reason.to_owned());
    Emergency::Halted { by, scope: Scope::All, reason, allow_reduce: false }
}

fn read(path: &std::path::Path) -> Vec<String> {
    let acts = entries(&std::fs::read(path).unwrap()).into_iter();
    let reason = |(at, act): (Time, Emergency)| match act {
        Emergency::Halted { reason, .. } => format!("{} {reason}", at.millis()),
        other => panic!("{other:?}"),
    };
    acts.map(reason).collect()
}

#[test]
fn entries_are_read_back_up_to_the_first_that_is_torn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("emergency");
    let file = prepare(&path).unwrap();
    assert_eq!(file.metadata().unwrap().len(), SIZE as u64, "its room is taken beforehand");
    assert!(read(&path).is_empty());
    let one = entry(Time::from_millis(1), halted("one"));
    let two = entry(Time::from_millis(2), halted("two"));
    put(&file, &one, 0).unwrap();
    put(&file, &two, one.len()).unwrap();
    assert_eq!(read(&path), ["1 one", "2 two"]);
    file.write_all_at(b"x", (one.len() + two.len() - 1) as u64).unwrap();
    assert_eq!(read(&path), ["1 one"]);
    // The next life begins anew, and nothing of the one before shows behind it.
    put(&file, &entry(Time::from_millis(3), halted("a")), 0).unwrap();
    assert_eq!(read(&path), ["3 a"]);
    assert_eq!(prepare(&path).unwrap().metadata().unwrap().len(), SIZE as u64);
    assert_eq!(read(&path), ["3 a"], "what is there stays until it is on record");
    assert!(put(&file, &one, SIZE - 3).is_err(), "a full file is said to be full");
}

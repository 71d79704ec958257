use super::*;
use std::path::Path;
use std::process::Command;

fn made(at: &Path) -> DataFolder {
    let folder = DataFolder::new(at);
    std::fs::create_dir_all(folder.journal()).unwrap();
    std::fs::write(folder.journal().join("segment"), "records").unwrap();
    assert!(!is_copy(&folder, true).unwrap(), "a new folder is where it was made");
    folder
}

fn run(program: &str, args: &[&Path]) {
    let ended = Command::new(program).arg("-a").args(args).status().unwrap();
    assert!(ended.success(), "{program} {args:?}");
}

#[test]
fn a_folder_that_stays_or_is_renamed_is_no_copy() {
    let home = tempfile::tempdir().unwrap();
    let folder = made(&home.path().join("a"));
    assert!(!is_copy(&folder, false).unwrap());
    touch(&folder).unwrap();
    assert!(!is_copy(&folder, false).unwrap());
    std::fs::write(folder.journal().join("segment"), "more records").unwrap();
    std::fs::rename(folder.path(), home.path().join("b")).unwrap();
    assert!(!is_copy(&DataFolder::new(home.path().join("b")), false).unwrap());
}

#[test]
fn copies_and_restores_are_noticed_until_settled() {
    let home = tempfile::tempdir().unwrap();
    let folder = made(&home.path().join("a"));
    let backup = home.path().join("backup");
    run("cp", &[folder.path(), &backup]);
    let copy = DataFolder::new(&backup);
    assert!(is_copy(&copy, false).unwrap(), "another place");

    // Back to where it came from, over nothing.
    std::fs::remove_dir_all(folder.path()).unwrap();
    run("cp", &[&backup, folder.path()]);
    assert!(is_copy(&folder, false).unwrap(), "the same place, made anew");
    settle(&folder).unwrap();
    assert!(!is_copy(&folder, false).unwrap());

    // The journal alone.
    std::fs::remove_dir_all(folder.journal()).unwrap();
    run("cp", &[&copy.journal(), &folder.journal()]);
    assert!(is_copy(&folder, false).unwrap(), "another journal");
    settle(&folder).unwrap();

    // Over what is there, replacing what changed since, as rsync does.
    let kept = home.path().join("kept");
    run("cp", &[&folder.place(), &kept]);
    touch(&folder).unwrap();
    let changed = |path: &Path| std::fs::metadata(path).unwrap().modified().unwrap();
    assert_ne!(changed(&kept), changed(&folder.place()), "it looks changed");
    std::fs::rename(&kept, folder.place()).unwrap();
    assert!(is_copy(&folder, false).unwrap(), "another file");

    std::fs::remove_file(folder.place()).unwrap();
    assert!(is_copy(&folder, false).unwrap(), "a backup that left it out");
}

#[test]
fn a_restore_that_cannot_be_noticed_is_declared() {
    let home = tempfile::tempdir().unwrap();
    let folder = made(&home.path().join("a"));
    let running = lock::take(&folder).unwrap();
    assert!(declare_restored(&folder).unwrap_err().0.contains("runs on"));
    assert!(!is_copy(&folder, false).unwrap(), "not while a gateway runs on it");
    drop(running);
    for _ in 0..2 {
        declare_restored(&folder).unwrap();
        assert!(is_copy(&folder, false).unwrap());
    }
    settle(&folder).unwrap();
    assert!(!is_copy(&folder, false).unwrap());
}

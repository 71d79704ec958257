use super::*;

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn wrapped(unlock: &Unlock) -> (Master, Wrap) {
    let master = Master::generate().unwrap();
    let wrap = master.wrap(unlock).unwrap();
    (master, wrap)
}

#[test]
fn the_right_passphrase_alone_unwraps() {
    let (master, wrap) = wrapped(&Unlock::Passphrase(secret("correct horse")));
    let wraps = [wrap];
    let again = Master::unwrap(&wraps, &Unlock::Passphrase(secret("correct horse"))).unwrap();
    assert_eq!(master.0.expose(), again.0.expose());
    for wrong in ["correct horse ", "correct hors", ""] {
        let refused = Master::unwrap(&wraps, &Unlock::Passphrase(secret(wrong)));
        assert!(matches!(refused, Err(VaultError::WrongKey)), "{wrong:?}");
    }
    let file = Unlock::KeyFile(Secret::new(vec![1; 32]));
    assert!(matches!(Master::unwrap(&wraps, &file), Err(VaultError::WrongKey)));
}

#[test]
fn each_purpose_has_a_key_of_its_own() {
    let master = Master::generate().unwrap();
    let (a, b) = (master.derive("a").unwrap(), master.derive("b").unwrap());
    assert_ne!(a.expose(), b.expose());
    assert_ne!(a.expose(), master.0.expose());
    assert_eq!(a.expose(), master.derive("a").unwrap().expose());
}

#[test]
fn argon2id_is_the_reference_implementation_s() {
    // From `src/test.c` of the reference implementation: 256 KiB, 2 passes, 1 lane.
    let key = stretch(&secret("password"), b"somesalt", 256, 2).unwrap();
    let hex: String = key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe");
}

#[test]
fn a_forged_header_cannot_exhaust_the_machine() {
    let refused = |memory, passes| stretch(&secret("password"), &[0; 16], memory, passes).is_err();
    assert!(refused(MAX_MEMORY_KIB + 1, 1));
    assert!(refused(64, MAX_PASSES + 1));
    assert!(refused(0, 1));
}

#[test]
fn key_files_hold_64_hexadecimal_digits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.key");
    let made = new_key_file(&path).unwrap();
    let read = Unlock::key_file(&crate::read_private(&path).unwrap()).unwrap();
    match (made, read) {
        (Unlock::KeyFile(made), Unlock::KeyFile(read)) => assert_eq!(made.expose(), read.expose()),
        other => panic!("{other:?}"),
    }
    assert!(matches!(new_key_file(&path), Err(VaultError::Exists { .. })));
    for wrong in ["", "00", &"g".repeat(64), &"0".repeat(63), &"0".repeat(65), &"é".repeat(32)] {
        assert!(Unlock::key_file(&secret(wrong)).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_passphrase_is_its_line_and_not_too_short() {
    for (line, expect) in [("abc\n", "abc"), ("abc\r\n", "abc"), (" abc ", " abc "), ("", "")] {
        match Unlock::passphrase(&secret(line)) {
            Unlock::Passphrase(text) => assert_eq!(text.expose(), expect.as_bytes()),
            Unlock::KeyFile(_) => panic!(),
        }
    }
    let master = Master::generate().unwrap();
    assert!(master.wrap(&Unlock::Passphrase(secret("seven77"))).is_err());
}

#[test]
fn debug_shows_no_key() {
    let shown = format!(
        "{:?} {:?} {:?}",
        Unlock::Passphrase(secret("hunter2")),
        Master(secret("hunter2")),
        CallersKey(secret("hunter2"))
    );
    assert!(!shown.contains("hunter2") && !shown.contains("104"), "{shown}");
}

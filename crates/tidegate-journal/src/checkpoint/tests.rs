use super::*;
use proptest::prelude::*;

fn key() -> CheckpointKey {
    CheckpointKey::new("tidegate.local/desk/0123", &[7; 32]).expect("a key")
}

#[test]
fn a_signed_checkpoint_opens() {
    let root = sha256(b"root");
    let note = key().sign(12, &root);
    let checkpoint = key().verifier().open(&note).expect("it is signed");
    let origin = "tidegate.local/desk/0123".to_owned();
    assert_eq!(checkpoint, Checkpoint { origin, size: 12, root });
}

#[test]
fn every_bit_of_a_checkpoint_counts() {
    let note = key().sign(12, &sha256(b"root"));
    for bit in 0..note.len() * 8 {
        let mut flipped = note.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(key().verifier().open(&flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn every_bit_of_a_verifier_key_counts() {
    let line = key().verifier().to_string();
    assert_eq!(VerifierKey::parse(&line).expect("a key"), *key().verifier());
    for bit in 0..line.len() * 8 {
        let mut flipped = line.clone().into_bytes();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let parsed = std::str::from_utf8(&flipped).ok().map(VerifierKey::parse);
        assert!(parsed.is_none_or(|parsed| parsed.is_err()), "bit {bit}");
    }
}

#[test]
fn another_keys_checkpoint_is_refused() {
    let other = CheckpointKey::new("tidegate.local/desk/0123", &[8; 32]).expect("a key");
    let note = other.sign(12, &sha256(b"root"));
    assert!(key().verifier().open(&note).is_err());
}

#[test]
fn a_witness_may_sign_too() {
    let mut note = String::from_utf8(key().sign(12, &sha256(b"root"))).expect("text");
    let witness = BASE64.encode([3; 76]);
    note.push_str(&format!("\u{2014} witness.example {witness}\n"));
    assert!(key().verifier().open(note.as_bytes()).is_ok());
}

#[test]
fn key_files_come_back_and_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("journal-key");
    let origin = || new_origin("desk");
    let made = CheckpointKey::load_or_create(&path, origin).expect("a new key");
    let mode = fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let read = CheckpointKey::load_or_create(&path, origin).expect("the same key");
    assert_eq!(made.verifier(), read.verifier());
    assert!(CheckpointKey::create(&path, "x").is_err(), "a key is never overwritten");
    assert!(!format!("{made:?}").contains("PRIVATE"));
    fs::write(&path, "PRIVATE+KEY+nonsense").expect("written");
    assert!(CheckpointKey::load(&path).is_err());
}

#[test]
fn names_have_no_spaces_or_plus() {
    for name in ["", "a b", "a+b", "a\nb"] {
        assert!(CheckpointKey::new(name, &[1; 32]).is_err(), "{name:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_fault(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_note(&bytes);
        let _ = key().verifier().open(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = parse_checkpoint(&text);
        let _ = VerifierKey::parse(&text);
    }
}

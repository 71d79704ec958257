use super::*;

fn key(byte: u8) -> Secret {
    Secret::new(vec![byte; 32])
}

fn file() -> SealedFile {
    let mut file = SealedFile::new("test", b"header".to_vec());
    file.put(&key(1), "a", b"alpha").unwrap();
    file.put(&key(1), "b", b"beta").unwrap();
    file
}

#[test]
fn what_was_sealed_comes_back() {
    let bytes = file().to_bytes(&key(1)).unwrap();
    let read = SealedFile::parse(&bytes, "test", &key(1)).unwrap();
    assert_eq!(read.header, b"header");
    assert_eq!(read.names().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(read.get(&key(1), "a").unwrap().unwrap().expose(), b"alpha");
    assert!(read.get(&key(1), "c").unwrap().is_none());
}

#[test]
fn the_bytes_show_nothing_and_differ_each_time() {
    let (first, second) = (file().to_bytes(&key(1)).unwrap(), file().to_bytes(&key(1)).unwrap());
    assert_ne!(first, second);
    assert!(!first.windows(5).any(|window| window == b"alpha"));
}

#[test]
fn every_flipped_bit_and_every_cut_is_seen() {
    let bytes = file().to_bytes(&key(1)).unwrap();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert!(SealedFile::parse(&changed, "test", &key(1)).is_err(), "byte {at} bit {bit}");
        }
        assert!(SealedFile::parse(&bytes[..at], "test", &key(1)).is_err(), "cut at {at}");
    }
    let longer = [&bytes[..], b"x"].concat();
    assert!(SealedFile::parse(&longer, "test", &key(1)).is_err());
}

#[test]
fn entries_cannot_be_exchanged() {
    let mut file = file();
    let a = file.entries.get("a").unwrap().clone();
    file.entries.insert("b".to_owned(), a);
    assert!(matches!(file.get(&key(1), "b"), Err(VaultError::Tampered)));
    // Not even under a new seal of the whole, and not into a file for something else.
    let bytes = file.to_bytes(&key(1)).unwrap();
    let read = SealedFile::parse(&bytes, "test", &key(1)).unwrap();
    assert!(matches!(read.get(&key(1), "b"), Err(VaultError::Tampered)));
    let mut elsewhere = SealedFile::new("other", Vec::new());
    elsewhere.entries.insert("a".to_owned(), file.entries.get("a").unwrap().clone());
    assert!(matches!(elsewhere.get(&key(1), "a"), Err(VaultError::Tampered)));
}

#[test]
fn another_key_or_purpose_opens_nothing() {
    let bytes = file().to_bytes(&key(1)).unwrap();
    assert!(matches!(SealedFile::parse(&bytes, "test", &key(2)), Err(VaultError::Tampered)));
    assert!(matches!(SealedFile::parse(&bytes, "other", &key(1)), Err(VaultError::Format(_))));
    assert!(matches!(SealedFile::parse(b"", "test", &key(1)), Err(VaultError::Format(_))));
}

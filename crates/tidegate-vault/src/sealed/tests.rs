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
    let bytes = file().seal(&key(1)).unwrap();
    let read = SealedFile::parse(&bytes, "test", &key(1)).unwrap();
    assert_eq!(read.header, b"header");
    assert_eq!(read.names().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(read.get(&key(1), "a").unwrap().unwrap().expose(), b"alpha");
    assert!(read.get(&key(1), "c").unwrap().is_none());
}

#[test]
fn the_bytes_show_nothing_and_differ_each_time() {
    let (first, second) = (file().seal(&key(1)).unwrap(), file().seal(&key(1)).unwrap());
    assert_ne!(first, second);
    assert!(!first.windows(5).any(|window| window == b"alpha"));
}

#[test]
fn every_flipped_bit_and_every_cut_is_seen() {
    let bytes = file().seal(&key(1)).unwrap();
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
    let bytes = file.seal(&key(1)).unwrap();
    let read = SealedFile::parse(&bytes, "test", &key(1)).unwrap();
    assert!(matches!(read.get(&key(1), "b"), Err(VaultError::Tampered)));
    let mut elsewhere = SealedFile::new("other", Vec::new());
    elsewhere.entries.insert("a".to_owned(), file.entries.get("a").unwrap().clone());
    assert!(matches!(elsewhere.get(&key(1), "a"), Err(VaultError::Tampered)));
}

#[test]
fn another_key_or_purpose_opens_nothing() {
    let bytes = file().seal(&key(1)).unwrap();
    assert!(matches!(SealedFile::parse(&bytes, "test", &key(2)), Err(VaultError::Tampered)));
    assert!(matches!(SealedFile::parse(&bytes, "other", &key(1)), Err(VaultError::Format(_))));
    assert!(matches!(SealedFile::parse(b"", "test", &key(1)), Err(VaultError::Format(_))));
}

/// A file without entries that says it is under one key, and is sealed by another.
fn made(committed: &Secret, sealed_by: &Secret) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    "test".to_owned().encode(&mut out);
    encode_bytes(b"header", &mut out);
    commitment(committed, "test").unwrap().encode(&mut out);
    1_u64.encode(&mut out);
    BTreeMap::<String, Sealed>::new().encode(&mut out);
    seal(sealed_by, &out, &[]).unwrap().encode(&mut out);
    out
}

#[test]
fn a_file_is_under_the_key_that_it_says_and_under_no_other_that_opens_it() {
    let parse = |bytes: &[u8], byte| SealedFile::parse(bytes, "test", &key(byte)).map(drop);
    assert!(parse(&made(&key(1), &key(1)), 1).is_ok());
    // As where a text was made that opens under two keys.
    let two = made(&key(1), &key(2));
    let parts = split(&two, "test").unwrap();
    assert!(open(&key(2), parts.covered, &parts.whole).is_some(), "it opens by this one");
    assert!(matches!(parse(&two, 2), Err(VaultError::Tampered)));
    assert!(matches!(parse(&two, 1), Err(VaultError::Tampered)));
    // Each key and each purpose has a digest of its own.
    let of = |byte, purpose| commitment(&key(byte), purpose).unwrap();
    assert_eq!(of(1, "test"), of(1, "test"));
    assert_ne!(of(1, "test"), of(2, "test"));
    assert_ne!(of(1, "test"), of(1, "other"));
    assert_ne!(of(1, "test").as_slice(), key(1).expose());
}

#[test]
fn seals_are_counted_and_a_key_makes_so_many_and_no_more() {
    let mut file = file();
    assert_eq!(file.seals, 2);
    let bytes = file.seal(&key(1)).unwrap();
    let mut read = SealedFile::parse(&bytes, "test", &key(1)).unwrap();
    assert_eq!((file.seals, read.seals), (3, 3), "that of the whole too");
    read.put(&key(1), "a", b"again").unwrap();
    assert_eq!(read.seals, 4, "in the place of another as well");
    read.seals = MAX_SEALS - 1;
    read.put(&key(1), "a", b"last").unwrap();
    assert!(matches!(read.put(&key(1), "a", b"more"), Err(VaultError::WornOut)));
    assert!(matches!(read.seal(&key(1)), Err(VaultError::WornOut)));
    assert_eq!(read.get(&key(1), "a").unwrap().unwrap().expose(), b"last", "it is read still");
}

#[test]
fn a_file_of_the_first_format_is_read_and_written_in_the_one_of_now() {
    let now = file();
    let mut first = FIRST.to_vec();
    now.purpose.encode(&mut first);
    encode_bytes(&now.header, &mut first);
    now.entries.encode(&mut first);
    seal(&key(1), &first, &[]).unwrap().encode(&mut first);
    assert!(SealedFile::parse(&first, "test", &key(2)).is_err());
    let mut read = SealedFile::parse(&first, "test", &key(1)).unwrap();
    assert_eq!(read.get(&key(1), "a").unwrap().unwrap().expose(), b"alpha");
    assert_eq!((read.header.as_slice(), read.seals), (b"header".as_slice(), UNCOUNTED));
    let bytes = read.seal(&key(1)).unwrap();
    assert!(bytes.starts_with(MAGIC));
    let read = SealedFile::parse(&bytes, "test", &key(1)).unwrap();
    assert_eq!(read.get(&key(1), "b").unwrap().unwrap().expose(), b"beta");
}

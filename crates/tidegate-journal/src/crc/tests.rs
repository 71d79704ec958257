use super::crc32c;

#[test]
fn known_values() {
    // RFC 3720 appendix B.4, and the usual check value.
    assert_eq!(crc32c(&[b"123456789"]), 0xe306_9283);
    assert_eq!(crc32c(&[&[0; 32]]), 0x8a91_36aa);
    assert_eq!(crc32c(&[&[0xff; 32]]), 0x62a8_ab43);
    let rising: Vec<u8> = (0..32).collect();
    assert_eq!(crc32c(&[&rising]), 0x46dd_794e);
}

#[test]
fn parts_are_one_text() {
    assert_eq!(crc32c(&[b"12345", b"", b"6789"]), crc32c(&[b"123456789"]));
}

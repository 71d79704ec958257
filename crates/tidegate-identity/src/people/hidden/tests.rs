use super::*;
use tidegate_types::codec::{from_bytes, to_bytes, to_json};

#[test]
fn what_is_hidden_is_kept_and_not_shown() {
    let hidden = Hidden::new([0xab; 20]);
    assert_eq!(to_bytes(&hidden), [0xab; 20]);
    assert!(from_bytes::<Hidden<20>>(&to_bytes(&hidden)).unwrap() == hidden);
    assert!(Hidden::new([0; 20]) != hidden);
    let text = OneTimeText::of_random(&[0xff; 32]);
    assert_eq!(text.expose().len(), 43);
    for shown in [format!("{hidden:?}"), to_json(&hidden), format!("{text:?}")] {
        assert!(shown.contains("[secret]") && !shown.contains("ab") && !shown.contains("__"));
    }
}

#[test]
fn sha256_of_the_standard_s_example() {
    // FIPS 180-4, example of "abc".
    assert_eq!(&sha256(b"abc")[..4], &[0xba, 0x78, 0x16, 0xbf]);
}

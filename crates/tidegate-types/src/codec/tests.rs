use super::*;
use proptest::prelude::*;

#[derive(Debug, PartialEq)]
enum Shape {
    Dot,
    Circle { radius: u64, name: Option<String> },
}
codec_enum!(Shape { 0 => Dot, 1 => Circle { radius, name } });

#[derive(Debug, PartialEq)]
struct Pair {
    left: i64,
    right: Vec<Decimal>,
}
codec_struct!(Pair { left, right });

#[test]
fn shows_json() {
    assert_eq!(to_json(&Shape::Dot), "\"Dot\"");
    let circle = Shape::Circle { radius: 3, name: Some("a\"b\n".into()) };
    assert_eq!(to_json(&circle), r#"{"Circle":{"radius":3,"name":"a\"b\u000a"}}"#);
    let pair = Pair { left: -2, right: vec![Decimal::new(15, 1)] };
    assert_eq!(to_json(&pair), r#"{"left":-2,"right":["1.5"]}"#);
}

#[test]
fn every_shape_comes_back() {
    for shape in [Shape::Dot, Shape::Circle { radius: u64::MAX, name: None }] {
        assert_eq!(from_bytes::<Shape>(&to_bytes(&shape)), Ok(shape));
    }
}

#[test]
fn refuses_other_forms() {
    assert_eq!(from_bytes::<u64>(&[0x80]), Err(CodecError::Truncated));
    assert_eq!(from_bytes::<u64>(&[0x80, 0x00]), Err(CodecError::Malformed));
    assert_eq!(from_bytes::<u64>(&[1, 2]), Err(CodecError::TrailingBytes));
    assert_eq!(from_bytes::<Shape>(&[7]), Err(CodecError::Malformed));
    assert_eq!(from_bytes::<Vec<u64>>(&[0xff, 0xff, 3]), Err(CodecError::Truncated));
    assert_eq!(from_bytes::<String>(&[2, 0xc3, 0x28]), Err(CodecError::Malformed));
}

proptest! {
    #[test]
    fn integers_come_back(unsigned in any::<u64>(), signed in any::<i64>()) {
        prop_assert_eq!(from_bytes::<u64>(&to_bytes(&unsigned)), Ok(unsigned));
        prop_assert_eq!(from_bytes::<i64>(&to_bytes(&signed)), Ok(signed));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(pair) = from_bytes::<Pair>(&bytes) {
            prop_assert_eq!(to_bytes(&pair), bytes);
        }
    }
}

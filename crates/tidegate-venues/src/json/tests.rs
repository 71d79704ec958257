use super::strict;
use tidegate_types::limits::MAX_JSON_DEPTH;
use tidegate_types::reject::Code;

#[test]
fn keeps_order_and_lexemes() {
    let text = r#"{"z":1.0,"a":[1,1.50,"x",null,true,-3e-5],"n":{"k":9007199254740993}}"#;
    let value = strict(text).unwrap();
    assert_eq!(value.to_string(), text);
}

#[test]
fn refuses_what_two_readers_could_read_differently() {
    let code = |text: &str| strict(text).unwrap_err().code;
    assert_eq!(code(r#"{"a":1,"a":2}"#), Code::DuplicateParameter);
    assert_eq!(code(r#"[{"b":{"a":1,"a":1}}]"#), Code::DuplicateParameter);
    assert_eq!(code(r#"{"a":1} x"#), Code::Malformed);
    assert_eq!(code(""), Code::Malformed);
    assert_eq!(code("{\"a\":01}"), Code::Malformed);
    assert_eq!(code("[NaN]"), Code::Malformed);
}

#[test]
fn bounds_the_depth() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(strict(&nested(MAX_JSON_DEPTH)).is_ok());
    assert_eq!(strict(&nested(MAX_JSON_DEPTH + 1)).unwrap_err().code, Code::TooLarge);
    assert_eq!(strict(&nested(30_000)).unwrap_err().code, Code::TooLarge);
}

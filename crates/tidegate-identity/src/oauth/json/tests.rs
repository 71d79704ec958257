use super::*;

#[test]
fn reads_what_serde_json_reads() {
    let text =
        br#"{"a":1,"b":-2.50,"c":[true,null,"x\u0041"],"d":{"e":{}},"f":18446744073709551616}"#;
    assert_eq!(
        object(text).unwrap(),
        *serde_json::from_slice::<Value>(text).unwrap().as_object().unwrap()
    );
}

#[test]
fn refuses_a_member_twice_at_any_depth() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":{"b":1,"b":2}}"#,
        r#"{"a":[{"b":1,"c":2,"b":2}]}"#,
        r#"{"a":1,"\u0061":1}"#,
    ] {
        assert_eq!(object(text.as_bytes()), Err(BadJson), "{text}");
    }
}

#[test]
fn refuses_what_is_not_one_object() {
    for text in
        ["", "1", "[]", "null", "{}{}", "{} x", "{", r#"{"a":NaN}"#, r#"{"a":1,}"#, "\u{feff}{}"]
    {
        assert_eq!(object(text.as_bytes()), Err(BadJson), "{text}");
    }
    assert_eq!(object(b"{\"a\":\"\xff\"}"), Err(BadJson));
}

#[test]
fn refuses_what_nests_too_deep() {
    let nested = |n: usize| format!("{}1{}", r#"{"a":"#.repeat(n), "}".repeat(n));
    assert!(object(nested(8).as_bytes()).is_ok());
    assert!(object(nested(200).as_bytes()).is_err());
    assert!(
        object(format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100)).as_bytes()).is_err()
    );
}

#[test]
fn a_time_is_whole_seconds() {
    let claims = object(br#"{"a":1,"b":"1","c":-1,"d":1.5,"e":253402300800,"f":null}"#).unwrap();
    assert_eq!(claims.time("a"), Ok(Some(Time::from_millis(1000))));
    assert_eq!(claims.time("absent"), Ok(None));
    for name in ["b", "c", "d", "e", "f"] {
        assert_eq!(claims.time(name), Err(BadJson), "{name}");
    }
}

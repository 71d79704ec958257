use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn fields(message: &str) -> Fields<'_> {
    Fields::read(message.as_bytes()).unwrap()
}

#[test]
fn values_are_read_as_they_stand() {
    let message = "\n{ \"a\" : \"x\\u0041\\\"\" ,\t\"n\":-1.50e+3,\"t\":true,\"z\":null,\"o\":{\"i\":[1, 2]} }\r\n";
    let read = fields(message);
    assert_eq!(read.text("a").unwrap(), "xA\"");
    assert_eq!(read.get("n").unwrap().number(), Some("-1.50e+3"));
    assert_eq!(read.get("t").unwrap().truth(), Some(true));
    assert_eq!(read.get("z").unwrap().truth(), None);
    let items = read.get("o").unwrap().fields().unwrap().get("i").unwrap().items().unwrap();
    assert_eq!(items.iter().map(|item| item.json()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!((read.text("n"), read.text("none"), read.whole::<u64>("a")), (None, None, None));
    assert!(read.get("a").unwrap().fields().is_none() && read.get("a").unwrap().items().is_none());
    let whole = fields(r#"{"a":12,"b":-3,"c":1.0,"d":18446744073709551616}"#);
    assert_eq!((whole.whole::<u64>("a"), whole.whole::<i64>("b")), (Some(12), Some(-3)));
    assert_eq!((whole.whole::<u64>("b"), whole.whole::<u64>("c")), (None, None));
    assert_eq!(whole.whole::<u64>("d"), None);
}

#[test]
fn what_is_no_object_has_no_fields_and_what_is_no_json_is_an_error() {
    for other in ["[]", "1", " \"{\" ", "null"] {
        assert!(fields(other).0.is_empty(), "{other}");
    }
    for bad in ["", "{", "{\"a\":1,}", "{\"a\":01}", "{} {}", "[1", "{\"a\":tru}", "{a:1}"] {
        assert!(Fields::read(bad.as_bytes()).is_err(), "{bad}");
    }
    assert!(Fields::read(b"{\"a\":\"\xff\"}").is_err());
}

#[test]
fn a_value_is_replaced_and_nothing_else_changes() {
    let message = "{ \"id\" :\"tg1-1\",\"n\":1.000, \"o\":{\"id\":\"tg1-1\"}}";
    let changed = fields(message).with_text(message, "id", "a\"b");
    assert_eq!(changed, "{ \"id\" :\"a\\\"b\",\"n\":1.000, \"o\":{\"id\":\"tg1-1\"}}");
    assert_eq!(fields(message).with_text(message, "none", "x"), message);
    // A name given twice is replaced twice, however it is written; the last one counts.
    let twice = r#"{"id":"1","\u0069d":"2"}"#;
    assert_eq!(fields(twice).text("id").unwrap(), "2");
    assert_eq!(fields(twice).with_text(twice, "id", "x"), r#"{"id":"x","\u0069d":"x"}"#);
    // Fields of another message have no place in this one.
    let other = r#"{"id":"x"}"#.to_owned();
    assert_eq!(fields(&other).with_text("{}", "id", "y"), "{}");
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((".{0,4}", inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_tree_and_the_fields_agree(value in value(), pretty: bool) {
        let value = json!({"o": value, "id": "before"});
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.unwrap();
        let read = fields(&text);
        for (name, field) in value.as_object().unwrap() {
            let raw = read.get(name).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Value>(raw.json()).unwrap(), field);
            prop_assert_eq!(raw.text(), field.as_str().map(Cow::Borrowed));
            prop_assert_eq!(raw.fields().is_some(), field.is_object());
            prop_assert_eq!(raw.items().is_some(), field.is_array());
        }
        let mut changed = value.clone();
        changed["id"] = Value::from("after");
        prop_assert_eq!(serde_json::from_str::<Value>(&read.with_text(&text, "id", "after")).unwrap(), changed);
    }
}

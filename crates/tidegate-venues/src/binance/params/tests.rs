use super::*;
use serde_json::json;
use tidegate_types::limits::MAX_PARAMS;

#[test]
fn query_and_body_are_read_together_and_decoded() {
    let params = Params::read("a=1&b=x%2Fy", "c=%5B1%2C+2%5D&orderidlist=%5B%5D&d").unwrap();
    let got: Vec<_> = params.iter().collect();
    assert_eq!(got, [("a", "1"), ("b", "x/y"), ("c", "[1, 2]"), ("orderIdList", "[]"), ("d", "")]);
}

#[test]
fn a_name_given_twice_is_refused_wherever_it_stands() {
    for (query, body) in
        [("a=1&a=1", ""), ("a=1", "a=2"), ("", "a=1&%61=2"), ("orderIdList=1&orderidlist=2", "")]
    {
        let reject = Params::read(query, body).unwrap_err();
        assert_eq!(reject.code, Code::DuplicateParameter, "{query} {body}");
    }
}

#[test]
fn what_is_too_long_or_not_text_is_refused() {
    let many: Vec<String> = (0..=MAX_PARAMS).map(|n| format!("a{n}=1")).collect();
    assert_eq!(Params::read(&many.join("&"), "").unwrap_err().code, Code::TooLarge);
    let long = format!("a={}", "x".repeat(MAX_HEAD_BYTES));
    assert_eq!(Params::read(&long, "").unwrap_err().code, Code::TooLarge);
    assert_eq!(Params::read("a=%FF", "").unwrap_err().code, Code::Malformed);
}

#[test]
fn numbers_are_read_in_the_venue_s_own_form() {
    let params = Params::of_object(&json!({
        "int": 1, "float": 1.0, "text": "1", "cents": "0.00010000", "tiny": "0.00000001", "fine": "0.000000001", "huge": "99999999999999",
    }))
    .unwrap();
    let one = Some(Decimal::ONE);
    for name in ["int", "float", "text"] {
        assert_eq!(params.decimal(name), Ok(one), "{name}");
    }
    assert_eq!(params.decimal("cents"), Ok(Some(Decimal::new(1, 4))));
    assert_eq!(params.decimal("tiny"), Ok(Some(Decimal::from_raw(1))));
    assert_eq!(params.decimal("none"), Ok(None));
    assert_eq!(params.decimal("huge").unwrap_err().code, Code::OutOfRange);
    assert!(params.decimal("fine").unwrap_err().detail.starts_with("-1111 "));
    for name in ["int", "float", "text"] {
        assert_eq!(params.whole(name), Ok(Some(1)), "{name}");
    }
    let long = "1".repeat(21);
    for text in [
        "x", "1E-2", "1e-05", "1e5", ".01", "1.", ".", "", "+1", "-1", " 1", "1,5", "1.0.0", "0x1",
        "NaN", "\u{661}", &long,
    ] {
        let params = Params::of_object(&json!({"n": text})).unwrap();
        let detail = params.decimal("n").unwrap_err().detail;
        assert!(detail.starts_with("-1100 ") && detail.contains(NUMBER), "{text}: {detail}");
    }
    // As Python prints 0.00001.
    let float = serde_json::from_str(r#"{"n": 1e-05}"#).unwrap();
    let detail = Params::of_object(&float).unwrap().decimal("n").unwrap_err().detail;
    assert!(detail.starts_with("-1100 "), "{detail}");
    for (text, expect) in [("1.5", None), ("-1", None), ("", None), ("1.", Some(1)), (".0", None)] {
        let params = Params::of_object(&json!({"n": text})).unwrap();
        assert_eq!(params.whole("n").ok().flatten(), expect, "{text}");
    }
}

#[test]
fn truths_are_read_in_any_case() {
    let params =
        Params::of_object(&json!({"a": true, "b": "FALSE", "c": "true", "d": "1"})).unwrap();
    assert_eq!(params.truth("a"), Ok(Some(true)));
    assert_eq!(params.truth("b"), Ok(Some(false)));
    assert_eq!(params.truth("c"), Ok(Some(true)));
    assert!(params.truth("d").is_err());
}

#[test]
fn nested_values_are_refused() {
    for value in [json!({"a": [1]}), json!({"a": {"b": 1}}), json!({"a": null}), json!([1])] {
        assert!(Params::of_object(&value).is_err(), "{value}");
    }
}

#[test]
fn unknown_missing_and_empty_parameters_are_told_in_the_venue_s_words() {
    let known: &[&str] = &["symbol*", "limit"];
    let check = |query: &str| Params::read(query, "").unwrap().check_names(known);
    assert_eq!(check("symbol=B&limit=1&timestamp=1&signature=x&recvWindow=1"), Ok(()));
    let detail = |query: &str| check(query).unwrap_err().detail;
    assert!(detail("limit=1").starts_with("-1102 Mandatory parameter 'symbol' was not sent"));
    assert!(detail("symbol=").starts_with("-1102 "));
    assert_eq!(detail("symbol=B&limit="), "-1105 Parameter 'limit' was empty.");
    assert_eq!(
        detail("symbol=B&foo=1"),
        "-1104 Not all sent parameters were read; read '1' parameter(s) but was sent '2'."
    );
}

#[test]
fn what_is_encoded_is_read_back() {
    for text in ["", "a:b/c.d", "[1, 2]", "a&b=c", "é 1+1", "100%"] {
        assert_eq!(decode(&encode(text)).unwrap(), text);
        assert_eq!(query([("k", text)]), format!("k={}", encode(text)));
    }
}

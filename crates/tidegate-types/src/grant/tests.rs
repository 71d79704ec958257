use super::*;

#[test]
fn patterns_match_whole_names() {
    let cases = [
        ("BTC-PERPETUAL", "BTC-PERPETUAL", true),
        ("BTC-PERPETUAL", "BTC-PERPETUAL-X", false),
        ("BTC-*", "BTC-PERPETUAL", true),
        ("BTC-*", "ETH-PERPETUAL", false),
        ("*USDT", "BTCUSDT", true),
        ("*USDT", "BTCUSDT_261225", false),
        ("*", "anything", true),
        ("B*-*C", "BTC-27DEC24-100000-C", true),
        ("B*-*C", "BTC-27DEC24-100000-P", false),
        ("A*A", "A", false),
        ("**", "x", true),
    ];
    for (pattern, name, expect) in cases {
        let (p, n) = (Pattern::new(pattern).unwrap(), InstrumentName::new(name).unwrap());
        assert_eq!(p.matches(&n), expect, "{pattern} on {name}");
    }
}

#[test]
fn scopes_read_as_they_print() {
    for text in [
        "all",
        "desk:d",
        "venue:x",
        "account:a",
        "caller:bot-1",
        "instrument:deribit/BTC-PERPETUAL",
        "order:17",
    ] {
        assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
    }
    let orders = ["order:", "order:x", "order:01", "order:+1", "order:18446744073709551616"];
    for text in
        ["", "ALL", "desk:", "desk:a b", "instrument:BTC", "caller:a:b"].iter().chain(&orders)
    {
        assert!(text.parse::<Scope>().is_err(), "{text}");
    }
}

#[test]
fn a_pattern_covers_what_means_no_more() {
    let pattern = |text: &str| Pattern::new(text).unwrap();
    for (wide, narrow) in [
        ("*", "BTC-*"),
        ("*", "*"),
        ("BTC-*", "BTC-PERPETUAL"),
        ("BTC-*", "BTC-*"),
        ("BTC-*", "BTC-*-C"),
        ("*USDT", "BTC*USDT"),
        ("*-*", "BTC-*-C"),
        ("a*b", "ab"),
    ] {
        assert!(pattern(wide).covers(&pattern(narrow)), "{wide} {narrow}");
    }
    for (wide, narrow) in [
        ("BTC-*", "*"),
        ("BTC-*", "BTC*"),
        ("BTC-*", "ETH-*"),
        ("a*b", "a*"),
        ("ab", "a*b"),
        ("*a*", "*b*"),
    ] {
        assert!(!pattern(wide).covers(&pattern(narrow)), "{wide} {narrow}");
    }
}

//! What a diff tells, beside what the core takes for a loosening.

use super::*;

const BASE: &str = "[[rule]]\nid = \"all\"\nallow = true\n";

/// What a diff tells; it has something looser in it exactly where the core takes the change for a loosening.
fn told(before: &str, after: &str) -> Vec<(String, &'static str, Turn)> {
    held(&format!("{BASE}{before}"), &format!("{BASE}{after}"))
}

fn held(before: &str, after: &str) -> Vec<(String, &'static str, Turn)> {
    let (old, new) = (of(before), of(after));
    let told = diff(Some(&old), &new);
    let looser = told.iter().any(|one| one.turn == Turn::Looser);
    assert_eq!(looser, new.loosens(&old), "{before} -> {after}");
    told.iter().map(|d| (d.what.clone(), d.word(), d.turn)).collect()
}

/// Which way the one rule goes.
fn turn(before: &str, after: &str) -> Turn {
    let rule = |text: &str| format!("[[rule]]\nid = \"r\"\n{text}");
    let told = told(&rule(before), &rule(after));
    assert_eq!(told.len(), 1, "{told:?}");
    told[0].2
}

#[test]
fn rules_that_come_and_go_are_told_apart() {
    let limit = "[[rule]]\nid = \"r\"\nopen_orders = 5\n";
    let allow = "[[rule]]\nid = \"r\"\nover = { class = \"option\" }\nallow = true\n";
    let of = |word, turn| vec![("r".to_owned(), word, turn)];
    assert_eq!(told("", limit), of("added", Turn::Tighter));
    assert_eq!(told(limit, ""), of("removed", Turn::Looser));
    let narrow = BASE.replace("allow", "over = { account = \"main\" }\nallow");
    let from =
        |before: &str, after: &str| held(&format!("{narrow}{before}"), &format!("{narrow}{after}"));
    assert_eq!(from("", allow), of("added", Turn::Looser));
    assert_eq!(from(allow, ""), of("removed", Turn::Tighter));
    assert_eq!(told("", allow), of("added", Turn::Same), "all was allowed before");
    let wider = "[[rule]]\nid = \"wide\"\nopen_orders = 4\n";
    assert_eq!(
        told(&format!("{limit}{wider}"), wider),
        of("removed", Turn::Same),
        "wide is as tight"
    );
    assert_eq!(told(limit, limit), []);
}

#[test]
fn each_way_a_rule_may_change_is_tighter_or_looser() {
    for (loose, tight) in [
        ("open_orders = 6", "open_orders = 5"),
        ("open_notional = \"6 USD\"", "open_notional = \"5 USD\""),
        ("distance = \"1 bp\"", "distance = \"2 bp\""),
        ("collar = \"2 bp\"", "collar = \"1 bp\""),
        ("only = [\"BTC-*\"]", "only = [\"BTC-PERPETUAL\"]"),
        ("message_rate = \"10/s\"", "message_rate = \"9/s\""),
        ("open_orders = 5\nsoft = true", "open_orders = 5"),
        ("open_orders = 5\nover = { base = \"BTC\" }", "open_orders = 5"),
        (
            "thin_market = { depth = \"5 USD\", max_age = \"9 s\" }",
            "thin_market = { depth = \"6 USD\", max_age = \"8 s\" }",
        ),
    ] {
        assert_eq!(turn(loose, tight), Turn::Tighter, "{loose} -> {tight}");
        assert_eq!(turn(tight, loose), Turn::Looser, "{tight} -> {loose}");
    }
    let option = BASE.replace("allow", "over = { class = \"option\" }\nallow");
    assert_eq!(held(&option, BASE)[0].2, Turn::Looser);
    assert_eq!(held(BASE, &option)[0].2, Turn::Tighter);
}

#[test]
fn what_cannot_be_compared_counts_as_looser() {
    for (before, after) in [
        ("open_orders = 5", "open_notional = \"5 USD\""),
        ("message_rate = \"10/s\"", "message_rate = \"20/min\""),
        ("open_orders = 5\neach = \"account\"", "open_orders = 5"),
        ("only = [\"A\"]", "only = [\"B\"]"),
        (
            "open_orders = 5\nover = { base = \"BTC\" }",
            "open_orders = 5\nover = { base = \"ETH\" }",
        ),
        ("net_position = \"5 USD\"\nover = { base = \"BTC\" }", "net_position = \"5 USD\""),
        (
            "open_orders = 6\nover = { base = \"BTC\" }\neach = \"account\"",
            "open_orders = 5\nover = { base = \"BTC\" }\neach = \"caller\"",
        ),
        (
            "order_to_trade = { by = \"count\", max = \"5 times\" }",
            "order_to_trade = { by = \"volume\", max = \"4 times\" }",
        ),
    ] {
        assert_eq!(turn(before, after), Turn::Looser, "{before} -> {after}");
    }
}

#[test]
fn what_is_about_the_whole_is_told_first() {
    let old = of(BASE);
    let text =
        format!("name = \"p\"\nversion = 2\nmark_age = \"6 s\"\n[pegs]\nUSDT = \"1 USD\"\n{BASE}");
    let told: Vec<_> =
        diff(Some(&old), &policy(&text)).iter().map(|d| (d.what.clone(), d.turn)).collect();
    assert_eq!(told, [("mark_age".to_owned(), Turn::Looser), ("pegs".to_owned(), Turn::Looser)]);
    let back: Vec<_> =
        diff(Some(&policy(&text)), &old).iter().map(|d| (d.what.clone(), d.turn)).collect();
    // A coin without a peg may count by its index, for more or for less.
    assert_eq!(back, [("mark_age".to_owned(), Turn::Tighter), ("pegs".to_owned(), Turn::Looser)]);
    const HEAD: &str = "name = \"p\"\nversion = 2\nmark_age = \"5 s\"\n";
    let pegs = |text: &str| policy(&format!("{HEAD}[pegs]\n{text}\n{BASE}"));
    let (one, other) = ("USDT = \"1 USD\"", "USDC = \"1 USD\"");
    let (before, after) = (pegs(&format!("{one}\n{other}")), pegs(&format!("{other}\n{one}")));
    assert!(diff(Some(&before), &after).is_empty() && !after.loosens(&before), "in another order");
}

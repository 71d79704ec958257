//! Files that are wrong, and what is said of each.

use super::*;
use tidegate_types::limits::MAX_POLICY_RULES;

const TOP: &str = "name = \"p\"\nversion = 1\nmark_age = \"5 s\"\n";

/// What is said of a file, a line for each fault.
fn said(text: &str) -> Vec<String> {
    let faults = read("p.toml", text).expect_err("it is wrong");
    faults.to_string().lines().map(str::to_owned).collect()
}

/// The one thing that is said of a rule; the rule begins on line 4.
fn of_rule(text: &str) -> String {
    let mut said = said(&format!("{TOP}[[rule]]\n{text}"));
    assert_eq!(said.len(), 1, "{said:?}");
    said.remove(0)
}

#[test]
fn an_error_tells_file_line_column_what_was_expected_and_what_to_do() {
    let told = of_rule("id = \"a\"\norder_notional = \"1m USD\"");
    assert_eq!(
        told,
        "p.toml:6:18: `order_notional` is an amount of dollars, found \"1m USD\"; write it as \"1_000_000 USD\""
    );
    let told = of_rule("id = \"a\"\norder_notion = \"1 USD\"\nallow = true");
    assert_eq!(told, "p.toml:6:1: a rule has no key `order_notion`; is `order_notional` meant?");
}

#[test]
fn whatever_is_wrong_is_said_at_its_place() {
    let at = |text: &str, place: &str, word: &str| {
        let told = of_rule(text);
        assert!(told.starts_with(&format!("p.toml:{place}: ")), "{place}: {told}");
        assert!(told.contains(word), "{word}: {told}");
    };
    at("id = \"a b\"\nallow = true", "5:6", "the rule's id");
    at("allow = true", "4:1", "has no `id`");
    at("id = \"a\"", "4:1", "limits nothing");
    at("id = \"a\"\nallow = true\nopen_orders = 5", "7:15", "second limit");
    at("id = \"a\"\nallow = false", "6:9", "leave the rule out");
    at("id = \"a\"\nallow = \"yes\"", "6:9", "true or false");
    at("id = \"a\"\nallow = true\nsoft = true", "4:1", "cannot be soft");
    at("id = \"a\"\nopen_orders = \"5\"", "6:15", "whole number");
    at("id = \"a\"\nopen_orders = -5", "6:15", "from 0 to");
    at("id = \"a\"\norder_notional = 5", "6:18", "found the number 5");
    at("id = \"a\"\norder_notional = \"5 EUR\"", "6:18", "dollars");
    at("id = \"a\"\norder_notional = \"-5 USD\"", "6:18", "dollars");
    at("id = \"a\"\norder_notional = \"5_ USD\"", "6:18", "dollars");
    at("id = \"a\"\norder_quantity = \"5\"", "6:18", "units");
    at("id = \"a\"\ncollar = \"50\"", "6:10", "bp");
    at("id = \"a\"\ncollar = \"0.005 %\"", "6:10", "down to 1 bp");
    at("id = \"a\"\nmessage_rate = \"10\"", "6:16", "10/s");
    at("id = \"a\"\nmessage_rate = \"10/week\"", "6:16", "10/s");
    at("id = \"a\"\nmessage_rate = \"10/0 s\"", "4:1", "out of range");
    at("id = \"a\"\nleverage = \"3\"", "6:12", "3 times");
    at("id = \"a\"\nonly = \"BTC-*\"", "6:8", "a list");
    at("id = \"a\"\nonly = [\"BTC *\"]", "6:9", "a name of instruments");
    at("id = \"a\"\nconcentration = { above = \"1 USD\" }", "6:17", "has no `share`");
    at("id = \"a\"\nconcentration = { share = \"200 %\" }", "4:1", "out of range");
    at(
        "id = \"a\"\norder_to_trade = { by = \"weight\", max = \"5 times\" }",
        "6:25",
        "count, volume",
    );
    at("id = \"a\"\nthin_market = { depth = \"5 USD\" }", "6:15", "max_age");
    at("id = \"a\"\nover = { clas = \"option\" }\nallow = true", "6:10", "`class` meant");
    at(
        "id = \"a\"\nover = { class = \"swap\" }\nallow = true",
        "6:18",
        "perpetual, future, option",
    );
    at("id = \"a\"\nover = \"all\"\nallow = true", "6:8", "is a table");
    at("id = \"a\"\neach = \"desk\"\nopen_orders = 1", "6:8", "all, account, caller, instrument");
    at("id = \"a\"\nover = { caller = \"x\" }\noption_vega = \"1 USD\"", "4:1", "an account's");
    at("id = \"a\"\nallow = true\n[[rule]]\nid = \"a\"\nallow = true", "7:1", "two rules");
    at("id = \"a\"\nallow = true\nid = \"b\"", "7:1", "duplicate");
}

#[test]
fn the_top_of_the_file_is_held_too() {
    let rule = "[[rule]]\nid = \"a\"\nallow = true\n";
    let nothing = said("");
    assert_eq!(nothing.len(), 3, "name, version and mark_age: {nothing:?}");
    assert_eq!(said(TOP)[0], "p.toml:1:1: a policy has between 1 and 200 rules; correct it");
    let zero = said(&format!("{}{rule}", TOP.replace("version = 1", "version = 0")));
    assert!(zero[0].contains("versions begin with 1"), "{zero:?}");
    let pegs = said(&format!("{TOP}[pegs]\nUSDC = \"1 EUR\"\n{rule}"));
    assert_eq!(
        pegs,
        ["p.toml:5:8: `pegs` is a price in dollars, found \"1 EUR\"; write it as \"1 USD\""]
    );
    let typo = said(&format!("{TOP}maxage = 4\n{rule}"));
    assert!(typo[0].starts_with("p.toml:4:1: the policy has no key `maxage`"), "{typo:?}");
    let broken = said("name = \"p\nversion = 1");
    assert!(broken[0].starts_with("p.toml:1:"), "{broken:?}");
    let wide = said(&format!("{TOP}[[rule]]\nid = \"ä\"\nallow = true # ä"));
    assert!(wide[0].starts_with("p.toml:5:6: "), "columns are characters: {wide:?}");
}

#[test]
fn all_that_is_wrong_is_said_at_once_in_the_order_of_the_file() {
    let told = said(
        "name = \"p\"\nversion = \"1\"\nmark_age = \"soon\"\n[[rule]]\nid = 5\nallow = true\n[[rule]]\nid = \"b\"",
    );
    let places: Vec<&str> = told.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(places, ["p.toml:2:11", "p.toml:3:12", "p.toml:5:6", "p.toml:7:1"], "{told:?}");
}

#[test]
fn cases_are_held_as_strictly() {
    let said = |text: &str| {
        let faults = cases::read("c.toml", text).expect_err("it is wrong");
        faults.to_string()
    };
    assert_eq!(said(""), "c.toml:1:1: there is no case; begin each with `[[case]]`");
    let order = "{ account = \"m\", caller = \"c\", instrument = \"v/X\", side = \"buy\", quantity = \"1\" }";
    let unknown = said(&format!("[[case]]\nname = \"n\"\nexpect = \"pass\"\norder = {order}"));
    assert!(
        unknown.contains("one of the file's markets") && unknown.starts_with("c.toml:4:"),
        "{unknown}"
    );
    let market = "[[market]]\nid = \"v/X\"\nclass = \"perpetual\"\nunit = \"linear\"\nbase = \"X\"\n\
                  settlement = \"USDT\"\nmark = \"5\"\n";
    let none = said(&format!("{market}[[case]]\nname = \"n\"\norder = {order}"));
    assert!(none.contains("has no `expect`; name the rule"), "{none}");
    let odd = said(&format!(
        "{market}[[case]]\nname = \"n\"\nexpect = \"pass\"\norder = {order}\nopen = {order}"
    ));
    assert!(odd.contains("`open` is a list"), "{odd}");
}

#[test]
fn a_policy_has_two_hundred_rules_at_most() {
    let rules = |many: usize| {
        let rule = |n| format!("[[rule]]\nid = \"r{n}\"\nopen_orders = {n}\n");
        format!(
            "{TOP}[[rule]]\nid = \"all\"\nallow = true\n{}",
            (1..many).map(rule).collect::<String>()
        )
    };
    let most = read("p.toml", &rules(MAX_POLICY_RULES)).unwrap();
    assert_eq!(most.rules().len(), MAX_POLICY_RULES);
    for many in [MAX_POLICY_RULES + 1, 10 * MAX_POLICY_RULES] {
        let told = said(&rules(many)).join("\n");
        assert!(told.contains("between 1 and 200 rules"), "{told}");
    }
}

//! The language, good and bad.

mod bad;
mod differences;

use super::*;
use tidegate_types::policy::{Limit, Policy, Strength};

const EXAMPLE: &str = include_str!("../../../examples/policy.toml");
const CASES: &str = include_str!("../../../examples/policy-cases.toml");

/// A rule of every limit, every way to say what it is over, and comments between.
const EVERY: &str = r#"
name = "every"   # a comment
version = 12
mark_age = "2.5 s"

[pegs]
USDT = "0.999 USD"
USDC = "1 USD"

[[rule]]
id = "a"
allow = true
[[rule]]
id = "b"
over = { account = "main", venue = "deribit" }
only = ["BTC-*", "ETH-PERPETUAL"]
[[rule]]
id = "c"
over = { instrument = "*USDT" }
order_quantity = "1_000.5 units"
[[rule]]
id = "d"
over = { caller = "mm-1" }
order_notional = "50000 USD"
soft = true
[[rule]]
id = "e"
collar = "1.5 %"
[[rule]]
id = "f"
distance = "2 bp"
[[rule]]
id = "g"
over = { base = "BTC" }
each = "account"
gross_position = "1_000_000 USD"
[[rule]]
id = "h"
net_position = "500_000 USD"
[[rule]]
id = "i"
each = "caller"
open_orders = 0x10
[[rule]]
id = "j"
open_notional = "1 USD"
[[rule]]
id = "k"
leverage = "3.5 times"
[[rule]]
id = "l"
concentration = { share = "50 %", above = "100_000 USD" }
[[rule]]
id = "m"
daily_traded = "1 USD"
[[rule]]
id = "n"
daily_loss = "1 USD"
[[rule]]
id = "o"
drawdown = "1 USD"
[[rule]]
id = "p"
message_rate = "100 / 10 s"
[[rule]]
id = "q"
order_to_trade = { by = "volume", max = "50 times", after = 1000 }
[[rule]]
id = "r"
over = { class = "option" }
each = "instrument"
repeated_executions = "5/min"
[[rule]]
id = "s"
thin_market = { depth = "100_000 USD", volume = "5_000_000 USD", max_age = "90 s" }
[[rule]]
id = "t"
option_delta = "250_000 USD"
[[rule]]
id = "u"
option_gamma = "10_000 USD"
[[rule]]
id = "v"
over = { account = "main" }
option_vega = "20_000 USD"
[[rule]]
id = "w"
option_theta = "5_000 USD"
[[rule]]
id = "x"
net_short_options = "50 coins"
[[rule]]
id = "y"
each = "account"
scenario_margin = "50 %"
"#;

fn policy(text: &str) -> Policy {
    read("test.toml", text).unwrap_or_else(|faults| panic!("{faults}"))
}

/// A policy of these rules.
fn of(rules: &str) -> Policy {
    policy(&format!("name = \"p\"\nversion = 1\nmark_age = \"5 s\"\n{rules}"))
}

#[test]
fn every_limit_is_read_and_comes_back_from_its_one_form() {
    let read = policy(EVERY);
    let written = canonical(&read);
    assert_eq!(policy(&written), read, "{written}");
    assert_eq!(canonical(&policy(&written)), written);
    assert_eq!(read.rules().len(), 25, "a rule of each kind");
    let kinds: std::collections::BTreeSet<_> =
        read.rules().iter().map(|rule| rule.limit.kind()).collect();
    assert_eq!(kinds.len(), tidegate_types::policy::LimitKind::ALL.len());
    for line in [
        "mark_age = \"2500 ms\"",
        "over = { account = \"main\", venue = \"deribit\" }",
        "order_quantity = \"1_000.5 units\"",
        "order_notional = \"50_000 USD\"",
        "collar = \"150 bp\"",
        "open_orders = 16",
        "concentration = { share = \"50 %\", above = \"100_000 USD\" }",
        "message_rate = \"100/10 s\"",
        "repeated_executions = \"5/min\"",
        "net_short_options = \"50 coins\"",
        "scenario_margin = \"50 %\"",
        "thin_market = { depth = \"100_000 USD\", volume = \"5_000_000 USD\", max_age = \"90 s\" }",
    ] {
        assert!(written.lines().any(|found| found == line), "{line} in {written}");
    }
    let soft = read.rules().iter().filter(|rule| rule.strength == Strength::Soft);
    assert_eq!(soft.map(|rule| rule.id.as_str()).collect::<Vec<_>>(), ["d"]);
}

#[test]
fn the_digest_is_of_what_a_file_says_and_not_of_how() {
    let plain = of(
        "[[rule]]\nid = \"a\"\nopen_notional = \"1000 USD\"\n[[rule]]\nid = \"b\"\nallow = true",
    );
    let other = of(
        "# the same\n[[rule]]\nopen_notional = '1_000.00 USD'\nid = 'a'\nsoft = false\n\n[[rule]]\n\
                    id='b'\neach = 'all'\nover = {}\nallow = true",
    );
    assert_eq!(digest(&plain), digest(&other));
    assert_eq!(digest(&plain).len(), 64);
    let one_more = of(
        "[[rule]]\nid = \"a\"\nopen_notional = \"1001 USD\"\n[[rule]]\nid = \"b\"\nallow = true",
    );
    assert_ne!(digest(&plain), digest(&one_more));
}

#[test]
fn the_examples_are_read_and_nothing_is_odd_about_them() {
    let example = policy(EXAMPLE);
    assert_eq!(warnings(&example), Vec::<String>::new());
    let cases = cases::read("cases.toml", CASES).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(cases.markets.len() >= 3 && cases.cases.len() >= 6);
    let first = &cases.cases[0];
    assert_eq!((first.expect.as_ref(), first.order.price), (None, cases.markets[0].mark));
    let named = cases.cases.iter().filter_map(|case| case.expect.as_ref());
    let unknown: Vec<_> = named.filter(|rule| example.rule(rule).is_none()).collect();
    assert_eq!(unknown.len(), 1, "what no rule allows, no rule refuses: {unknown:?}");
}

#[test]
fn a_file_that_allows_nothing_or_says_a_thing_twice_is_warned_of() {
    let none = of("[[rule]]\nid = \"a\"\nopen_notional = \"1 USD\"");
    assert!(warnings(&none)[0].starts_with("no rule allows anything"), "{:?}", warnings(&none));
    let wide = "[[rule]]\nid = \"all\"\nallow = true\n[[rule]]\nid = \"desk\"\nopen_notional = \"10 USD\"\n";
    let told = |more: &str| warnings(&of(&format!("{wide}[[rule]]\nid = \"x\"\n{more}")));
    let never = told("over = { account = \"main\" }\nopen_notional = \"20 USD\"");
    assert_eq!(never, ["rule x never binds: desk is over as much and at least as tight"]);
    assert_eq!(
        told("open_notional = \"10 USD\"").len(),
        1,
        "the first of two that are the same stays"
    );
    assert_eq!(told("over = { account = \"main\" }\nopen_notional = \"5 USD\""), [""; 0]);
    assert_eq!(
        told("over = { account = \"main\" }\nopen_notional = \"20 USD\"\nsoft = true").len(),
        1
    );
    assert_eq!(told("over = { class = \"option\" }\nallow = true").len(), 1);
    // A gain elsewhere makes up for a net position, so that the narrow one may bind first.
    let net = "[[rule]]\nid = \"n\"\nnet_position = \"10 USD\"\n";
    let net = of(&format!(
        "{wide}{net}[[rule]]\nid = \"x\"\nover = {{ base = \"BTC\" }}\nnet_position = \"20 USD\""
    ));
    assert_eq!(warnings(&net), [""; 0]);
    let apart = of(
        "[[rule]]\nid = \"a\"\nover = { class = \"option\" }\nallow = true\n[[rule]]\nid = \"b\"\n\
                    over = { class = \"future\" }\nopen_orders = 3",
    );
    assert_eq!(warnings(&apart), ["rule b is over orders that no rule allows"]);
}

#[test]
fn amounts_come_back_as_they_were() {
    let limit = |text: &str| of(&format!("[[rule]]\nid = \"a\"\n{text}")).rules()[0].limit.clone();
    for text in ["distance = \"0 bp\"", "collar = \"12345 bp\"", "message_rate = \"7/36 s\""] {
        assert_eq!(limit_text(&limit(text)), text);
    }
    let Limit::MessageRate { max, window } = limit("message_rate = \"600/min\"") else { panic!() };
    assert_eq!((max, window.millis()), (600, 60_000));
    let Limit::Collar { bps } = limit("collar = \"0.05 %\"") else { panic!() };
    assert_eq!(bps, 5);
}

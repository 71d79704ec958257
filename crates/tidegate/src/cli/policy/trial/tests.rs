use super::*;

const POLICY: &str = include_str!("../../../../../../examples/policy.toml");
const CASES: &str = include_str!("../../../../../../examples/policy-cases.toml");

fn policy(text: &str) -> Policy {
    tidegate_policy::read("p", text).unwrap_or_else(|faults| panic!("{faults}"))
}

fn cases_of(text: &str) -> Cases {
    cases::read("c", text).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn the_core_decides_the_examples_as_they_say() {
    let (policy, cases) = (policy(POLICY), cases_of(CASES));
    let outcomes = outcomes(&policy, &cases).unwrap();
    let wrong: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.is_right())
        .map(|outcome| outcome.line(Path::new("c")))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let refused = outcomes.iter().filter(|outcome| outcome.came != PASS);
    assert!(refused.clone().count() >= 4);
    assert!(refused.clone().all(|outcome| outcome.said.starts_with("TG")));
}

#[test]
fn another_limit_makes_a_case_come_out_otherwise() {
    let wider =
        POLICY.replace("gross_position = \"5_000_000 USD\"", "gross_position = \"9_000_000 USD\"");
    let (policy, cases) = (policy(&wider), cases_of(CASES));
    let outcomes = outcomes(&policy, &cases).unwrap();
    let wrong: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.is_right()).collect();
    assert_eq!(wrong.len(), 1);
    assert_eq!((wrong[0].expected(), wrong[0].came.as_str()), ("desk-gross", PASS));
    assert!(
        wrong[0]
            .line(Path::new("c"))
            .starts_with("WRONG the desk's positions together: pass, expected")
    );
}

#[test]
fn a_desk_that_cannot_be_is_told() {
    let case = "[[case]]\nname = \"n\"\nexpect = \"pass\"\n\
        order = { account = \"main\", caller = \"c\", instrument = \"deribit/BTC-PERPETUAL\", side = \"buy\", quantity = \"10\" }\n";
    let told = |more: &str| {
        let markets = CASES.split("[[case]]").next().unwrap();
        let cases = cases_of(&format!("{markets}{case}{more}"));
        outcomes(&policy(POLICY), &cases).err().unwrap_or_default()
    };
    let two = told(
        "positions = [{ account = \"main\", instrument = \"binance/ETHUSDT\", quantity = \"1\" }]",
    );
    assert_eq!(two, "case \"n\": account main is at one venue, and is used at two");
    let unheld = told("balances = [{ account = \"other\", coin = \"BTC\", amount = \"1\" }]");
    assert_eq!(unheld, "case \"n\": account other holds coins and trades nothing");
    let open = told(
        "open = [{ account = \"main\", caller = \"c\", instrument = \"deribit/BTC-PERPETUAL\", \
                     side = \"buy\", quantity = \"900_000\" }]",
    );
    assert!(open.contains("an order that is to be open before is refused"), "{open}");
}

#[test]
fn what_was_traded_and_where_marks_went_decide_what_was_lost() {
    let rules = "name = \"d\"\nversion = 1\nmark_age = \"5 s\"\n[[rule]]\nid = \"all\"\nallow = true\n\
        [[rule]]\nid = \"day\"\neach = \"caller\"\ndaily_loss = \"5_000 USD\"\n\
        [[rule]]\nid = \"own\"\neach = \"caller\"\ngross_position = \"100_000 USD\"\n";
    let came = |caller: &str, qty: &str, then: &str| {
        let markets = CASES.split("[[case]]").next().unwrap();
        let order = |caller: &str, qty: &str| {
            format!(
                "{{ account = \"main\", caller = \"{caller}\", instrument = \"deribit/BTC-PERPETUAL\", \
                 side = \"buy\", quantity = \"{qty}\" }}"
            )
        };
        let case = format!(
            "[[case]]\nname = \"n\"\nexpect = \"pass\"\ntraded = [{}]\norder = {}\n\
             then = [{{ instrument = \"deribit/BTC-PERPETUAL\", mark = \"{then}\" }}]\n",
            order("c", "60_000"),
            order(caller, qty),
        );
        let cases = cases_of(&format!("{markets}{case}"));
        outcomes(&policy(rules), &cases).unwrap().remove(0).came
    };
    // Sixty thousand dollars of coin: a tenth less of it is six thousand lost and more, as those are paid in coin.
    assert_eq!(came("c", "10_000", "57_000"), PASS);
    assert_eq!(came("c", "10_000", "54_000"), "day");
    assert_eq!(came("other", "10_000", "54_000"), PASS, "another's loss");
    assert_eq!(came("c", "50_000", "60_000"), "own");
    assert_eq!(came("other", "50_000", "60_000"), PASS, "another's position");
}

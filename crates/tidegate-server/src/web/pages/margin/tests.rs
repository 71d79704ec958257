use super::*;

fn theirs(above: Option<&str>) -> MarginStatus {
    MarginStatus {
        source: "deribit".to_owned(),
        told_ms: clock::now().millis(),
        equity: Some("900".to_owned()),
        initial: Some("30".to_owned()),
        maintenance: Some("18".to_owned()),
        above_ours: above.map(str::to_owned),
        rows: Vec::new(),
    }
}

fn ours() -> OptionsStatus {
    let figure = || "1".to_owned();
    OptionsStatus {
        margin: "16".to_owned(),
        max_margin: Some("450".to_owned()),
        equity: None,
        delta: figure(),
        gamma: figure(),
        vega: figure(),
        theta: figure(),
    }
}

#[test]
fn both_stand_side_by_side() {
    let margins = Margins { ours: Some(ours()), theirs: Some(theirs(Some("2"))) };
    let page = margins.shown().into_string();
    for part in ["16 USD of at most 450", "18 USD, told ", "30 USD of 900 USD", "2 USD more than"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn what_is_not_known_is_not_there() {
    let alone = Margins { ours: None, theirs: Some(theirs(None)) }.shown().into_string();
    assert!(alone.contains("18 USD") && !alone.contains("more than"), "{alone}");
    assert_eq!(Margins { ours: None, theirs: None }.shown().into_string(), "");
}

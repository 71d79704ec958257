use super::*;
use crate::desk::tests::name;
use tidegate_core::{Core, CoreSettings};
use tidegate_types::ids::Seq;
use tidegate_types::record::{Body, Change, Record};
use tidegate_types::time::Time;

#[test]
fn it_is_told_by_whom_when_and_how_much() {
    let d = |text: &str| text.parse::<Decimal>().unwrap();
    let greeks = MarginGreeks { delta: d("1.5"), gamma: d("0"), vega: d("-3"), theta: d("2") };
    let margin = VenueMargin {
        asset: name("USDC"),
        model: Some("segregated_pm".to_owned()),
        equity: d("900"),
        initial: d("30"),
        maintenance: d("18"),
        available: Some(d("870")),
        projected_initial: None,
        projected_maintenance: Some(d("17")),
        greeks: Some(greeks),
    };
    let account: AccountName = name("main");
    let change = Change::AccountAdded { venue: name("deribit"), account: account.clone() };
    let bodies = [
        Body::Changed { by: name("root"), change },
        Body::MarginTold { account: account.clone(), margins: vec![margin] },
    ];
    let mut core = Core::new(CoreSettings::default());
    for (seq, body) in bodies.into_iter().enumerate() {
        core.replay(Seq(seq as u64), &Record { at: Time::from_millis(5), body });
    }
    let status = told(core.state(), &account).unwrap();
    assert_eq!((status.source.as_str(), status.told_ms), ("deribit", 5));
    assert_eq!(status.maintenance.as_deref(), Some("18"));
    let json = serde_json::to_value(&status).unwrap();
    assert_eq!(json["rows"][0]["model"], "segregated_pm");
    assert_eq!(json["rows"][0]["vega"], "-3");
    assert_eq!(json["rows"][0]["projected_maintenance"], "17");
    assert!(json.get("above_ours").is_none() && json["rows"][0].get("projected_initial").is_none());
    assert!(told(core.state(), &name("other")).is_none());
}

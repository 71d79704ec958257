use super::*;
use tidegate_types::decimal::Decimal;

#[test]
fn a_volume_is_asked_for_now_and_then_and_sooner_when_it_was_not_told() {
    let (volumes, name) = (Volumes::default(), InstrumentName::new("BTCUSDT").unwrap());
    let began = Instant::now();
    let at = |secs| began + Duration::from_secs(secs);
    assert!(volumes.is_due(&name, at(0)));
    volumes.told(name.clone(), None, at(0));
    assert_eq!(volumes.of(&name), None);
    assert!(!volumes.is_due(&name, at(4)) && volumes.is_due(&name, at(5)));
    let volume = Usd(Decimal::new(7, 0));
    volumes.told(name.clone(), Some(volume), at(5));
    assert!(!volumes.is_due(&name, at(64)) && volumes.is_due(&name, at(65)));
    volumes.told(name.clone(), None, at(65));
    assert_eq!(volumes.of(&name), Some(volume), "the last one told counts for a while");
    assert!(volumes.is_due(&name, at(70)));
}

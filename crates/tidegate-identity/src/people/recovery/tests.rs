use super::*;
use std::collections::BTreeSet;
use tidegate_types::codec::{from_bytes, to_bytes, to_json};

const NOW: Time = Time::from_millis(1000);

fn issue() -> (RecoveryCodes, Vec<String>) {
    let random = std::array::from_fn(|i| (i * 7 + i / 15) as u8);
    let (codes, fresh) = RecoveryCodes::issue(&random);
    (codes, fresh.iter().map(str::to_owned).collect())
}

#[test]
fn ten_codes_of_120_bits() {
    let (codes, texts) = issue();
    assert_eq!((codes.left(), texts.iter().collect::<BTreeSet<_>>().len()), (CODES, CODES));
    for text in texts {
        assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [4; 6]);
    }
}

#[test]
fn each_is_good_once_over_restarts() {
    let (mut codes, texts) = issue();
    for (i, text) in texts.iter().enumerate() {
        let shown = codes.spend(text, NOW).unwrap();
        assert_eq!((shown.factor(), shown.at()), (Factor::RecoveryCode, NOW));
        codes = from_bytes(&to_bytes(&codes)).unwrap();
        assert!(codes.spend(text, NOW).is_none());
        assert_eq!(codes.left(), CODES - 1 - i);
    }
}

#[test]
fn typed_without_care_it_is_the_same_code() {
    let (mut codes, texts) = issue();
    assert!(codes.spend(&texts[3].to_lowercase().replace('-', " "), NOW).is_some());
    assert!(codes.spend(&texts[4].replace('-', ""), NOW).is_some());
    assert!(codes.spend(&texts[5].replace('O', "0").replace('I', "1"), NOW).is_some());
}

#[test]
fn others_are_refused() {
    let (mut codes, texts) = issue();
    let mut changed = texts[0].clone();
    changed.replace_range(0..1, if changed.starts_with('A') { "C" } else { "A" });
    for wrong in ["", "-", &changed, &texts[0][..24]] {
        assert!(codes.spend(wrong, NOW).is_none(), "{wrong:?}");
    }
    assert_eq!(codes.left(), CODES);
    assert!(RecoveryCodes::default().spend(&texts[0], NOW).is_none());
}

#[test]
fn nothing_shows_them() {
    let random = [0xa5; RANDOM_BYTES];
    let (codes, fresh) = RecoveryCodes::issue(&random);
    let first = fresh.iter().next().unwrap();
    let digest = format!("{:02x}", sha256(first.replace('-', "").as_bytes())[0]);
    for shown in [format!("{codes:?}"), to_json(&codes), format!("{fresh:?}")] {
        assert!(!shown.contains(&first[..4]) && !shown.contains(&digest), "{shown}");
    }
    assert!(!to_bytes(&codes).windows(4).any(|w| w == &first.as_bytes()[..4]));
}

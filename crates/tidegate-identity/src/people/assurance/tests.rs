use super::*;
use tidegate_types::codec::{from_bytes, to_bytes};

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1000)
}

fn login(factors: &[(Factor, u64)]) -> Assurance {
    let mut shown = factors.iter().map(|(factor, when)| Shown::new(*factor, at(*when)));
    let mut assurance = Assurance::new(shown.next().unwrap());
    shown.for_each(|shown| assurance.add(shown));
    assurance
}

#[test]
fn levels_follow_from_what_was_shown() {
    use Factor::{
        AttestedPasskey, DevicePasskey, Outside, OutsideResistant, OutsideTwo, Password,
        RecoveryCode, SyncedPasskey, Totp,
    };
    let table: &[(&[Factor], Level)] = &[
        (&[Password], Level::One),
        (&[Totp], Level::One),
        (&[Totp, RecoveryCode], Level::One),
        (&[Password, Totp], Level::Two),
        (&[Password, RecoveryCode], Level::Two),
        (&[SyncedPasskey], Level::Two),
        (&[DevicePasskey], Level::Two),
        (&[DevicePasskey, Password, Totp], Level::Two),
        (&[AttestedPasskey], Level::Three),
        (&[Password, AttestedPasskey], Level::Three),
        (&[Outside], Level::One),
        (&[Outside, Password], Level::One),
        (&[Outside, Totp], Level::Two),
        (&[OutsideTwo], Level::Two),
        (&[OutsideResistant], Level::Two),
    ];
    for (factors, level) in table {
        let shown: Vec<_> = factors.iter().map(|factor| (*factor, 1)).collect();
        assert_eq!(login(&shown).level(), *level, "{factors:?}");
    }
}

#[test]
fn what_is_old_counts_no_more() {
    let mut assurance = login(&[(Factor::Password, 100), (Factor::Totp, 110)]);
    let ten = Span::from_secs(10);
    assert_eq!(assurance.level_within(ten, at(110)), Level::Two);
    assert_eq!(assurance.level_within(ten, at(111)), Level::One);
    assert_eq!(assurance.level_within(ten, at(121)), Level::None);
    assert_eq!(assurance.level(), Level::Two);
    assert!(!assurance.phishing_resistant_within(ten, at(110)));
    assurance.add(Shown::new(Factor::SyncedPasskey, at(200)));
    assert!(assurance.phishing_resistant_within(ten, at(210)));
    assert!(!assurance.phishing_resistant_within(ten, at(211)));
    assert_eq!(assurance.last_shown(), at(200));
}

#[test]
fn a_clock_set_back_keeps_nothing_fresh() {
    let assurance = login(&[(Factor::DevicePasskey, 100)]);
    assert!(!assurance.phishing_resistant_within(Span::from_secs(10), at(99)));
    assert_eq!(assurance.level_within(Span::from_secs(10), at(99)), Level::None);
}

#[test]
fn a_factor_shown_again_is_fresh_again_and_never_older() {
    let mut assurance = login(&[(Factor::Password, 100)]);
    assurance.add(Shown::new(Factor::Password, at(300)));
    assurance.add(Shown::new(Factor::Password, at(200)));
    assert_eq!(assurance.shown().len(), 1);
    assert_eq!(assurance.last_shown(), at(300));
}

#[test]
fn tokens_name_levels_and_methods_as_registered() {
    let two = login(&[(Factor::Password, 1), (Factor::Totp, 2)]);
    assert_eq!(two.methods(), ["mfa", "otp", "pwd"]);
    assert_eq!(login(&[(Factor::Password, 1)]).methods(), ["pwd"]);
    assert_eq!(login(&[(Factor::AttestedPasskey, 1)]).methods(), ["hwk", "mfa", "user"]);
}

#[test]
fn a_login_is_kept_over_a_restart() {
    let assurance = login(&[(Factor::Password, 100), (Factor::Totp, 110)]);
    assert_eq!(from_bytes::<Assurance>(&to_bytes(&assurance)).unwrap(), assurance);
}

#[test]
fn a_model_counts_as_trusted_since_the_list_of_today_was_told() {
    let both = login(&[(Factor::AttestedPasskey, 10), (Factor::Totp, 20)]);
    for since in [at(9), at(10)] {
        assert_eq!(both.trusted_since(Some(since)), both);
    }
    let before = login(&[(Factor::DevicePasskey, 10), (Factor::Totp, 20)]);
    assert_eq!(both.trusted_since(Some(at(11))), before);
    assert_eq!(both.trusted_since(None), before, "nobody trusts any");
    // The latest of the two that are one now.
    let twice = login(&[(Factor::DevicePasskey, 12), (Factor::AttestedPasskey, 10)]);
    assert_eq!(twice.trusted_since(None), login(&[(Factor::DevicePasskey, 12)]));
    assert_eq!(Shown::new(Factor::Totp, at(1)).untrusted(), Shown::new(Factor::Totp, at(1)));
}

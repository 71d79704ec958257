use super::*;

#[test]
fn words_come_back() {
    for mode in SelfTradeMode::ALL {
        assert_eq!(mode.word().parse(), Ok(mode));
    }
    assert_eq!("Refuse".parse::<SelfTradeMode>(), Err(NoSuchMode));
}

#[test]
fn off_is_the_loosest_and_refuse_the_strictest() {
    use SelfTradeMode::{CancelOld, Decrement, Off, Refuse};
    for mode in SelfTradeMode::ALL {
        assert!(mode.is_as_strict_as(Off) && mode.is_as_strict_as(mode));
        assert!(Refuse.is_as_strict_as(mode));
        assert_eq!(Off.is_as_strict_as(mode), mode == Off);
    }
    assert!(!CancelOld.is_as_strict_as(Decrement) && !Decrement.is_as_strict_as(CancelOld));
}

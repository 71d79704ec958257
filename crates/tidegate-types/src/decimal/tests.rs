use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(text: &str, expect: Result<&str, DecimalError>) {
    assert_eq!(text.parse::<Decimal>().map(|d| d.to_string()), expect.map(str::to_owned), "{text}");
}

#[test]
fn reads_what_clients_print() {
    check("12.50", Ok("12.5"));
    check("0.00010000", Ok("0.0001"));
    check("-3", Ok("-3"));
    check("1e-05", Ok("0.00001"));
    check("1.423e-4", Ok("0.0001423"));
    check("1E3", Ok("1000"));
    check("9000.0", Ok("9000"));
    check(".5", Ok("0.5"));
    check("0.000000010000000", Ok("0.00000001"));
}

#[test]
fn refuses_what_is_no_number() {
    for text in ["", "-", ".", "1.2.3", "0x10", "NaN", "inf", "1e", "1e9999", " 1", "+1", "1_0"] {
        check(text, Err(DecimalError::NotANumber));
    }
    check("0.000000001", Err(DecimalError::TooPrecise));
    check("92233720369", Err(DecimalError::Overflow));
    check("1e99", Err(DecimalError::Overflow));
}

#[test]
fn names_its_rounding() {
    let (one, three) = (Decimal::ONE, Decimal::new(3, 0));
    assert_eq!(one.div(three, Rounding::Floor).unwrap().to_string(), "0.33333333");
    assert_eq!(one.div(three, Rounding::Ceil).unwrap().to_string(), "0.33333334");
    assert_eq!(one.neg().div(three, Rounding::Floor).unwrap().to_string(), "-0.33333334");
    assert_eq!(one.neg().div(three, Rounding::Ceil).unwrap().to_string(), "-0.33333333");
    assert_eq!(one.neg().div(three, Rounding::Nearest).unwrap().to_string(), "-0.33333333");
    assert_eq!(one.div(Decimal::ZERO, Rounding::Floor), Err(DecimalError::DivisionByZero));
    assert_eq!(Decimal::MAX.mul(three, Rounding::Floor), Err(DecimalError::Overflow));
    assert_eq!(Decimal::new(1234, 2).to_fixed(1), "12.3");
    assert_eq!(Decimal::new(1234, 2).to_fixed(0), "12");
    assert_eq!(
        Decimal::new(127, 1).round_to(Decimal::new(5, 1), Rounding::Floor).unwrap().to_string(),
        "12.5"
    );
}

proptest! {
    #[test]
    fn text_and_number_agree(raw in any::<i64>()) {
        let number = Decimal::from_raw(raw);
        prop_assert_eq!(number.to_string().parse::<Decimal>(), Ok(number));
    }

    #[test]
    fn floor_and_ceil_enclose(a in any::<i32>(), b in any::<i32>()) {
        prop_assume!(b != 0);
        let (a, b) = (Decimal::from_raw(a.into()), Decimal::from_raw(b.into()));
        let (floor, ceil) = (a.div(b, Rounding::Floor).unwrap(), a.div(b, Rounding::Ceil).unwrap());
        let near = a.div(b, Rounding::Nearest).unwrap();
        prop_assert!(floor <= near && near <= ceil && ceil.raw() - floor.raw() <= 1);
    }
}

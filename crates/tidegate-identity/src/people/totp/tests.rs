use super::*;
use tidegate_types::codec::{from_bytes, to_bytes, to_json};

/// The secret of both RFCs' test vectors.
const SECRET: [u8; 20] = *b"12345678901234567890";

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1000)
}

fn code_at(seconds: u64) -> String {
    hotp(&Hidden::new(SECRET), seconds / 30, DIGITS).to_string()
}

#[test]
fn rfc_4226_appendix_d() {
    let codes = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ];
    for (counter, code) in codes.iter().enumerate() {
        assert_eq!(*hotp(&Hidden::new(SECRET), counter as u64, 6), *code);
    }
}

#[test]
fn rfc_6238_appendix_b() {
    let codes = [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ];
    for (seconds, code) in codes {
        assert_eq!(*hotp(&Hidden::new(SECRET), seconds / 30, 8), *code);
        let mut totp = Totp::new(SECRET);
        let shown = totp.check(&code[2..], at(seconds)).unwrap();
        assert_eq!((shown.factor(), shown.at()), (Factor::Totp, at(seconds)));
    }
}

#[test]
fn a_code_is_good_in_its_step_and_the_next() {
    let code = code_at(3000);
    for (seconds, good) in [(2999, false), (3000, true), (3029, true), (3059, true), (3060, false)]
    {
        let shown = Totp::new(SECRET).check(&code, at(seconds));
        assert_eq!(shown.is_ok(), good, "{seconds}");
    }
}

#[test]
fn a_code_is_good_once_and_none_before_it() {
    let mut totp = Totp::new(SECRET);
    totp.check(&code_at(3030), at(3030)).unwrap();
    assert_eq!(totp.check(&code_at(3030), at(3031)), Err(TotpError::Used));
    assert_eq!(totp.check(&code_at(3000), at(3031)), Err(TotpError::Used));
    // A restart forgets nothing.
    let mut totp: Totp = from_bytes(&to_bytes(&totp)).unwrap();
    assert_eq!(totp.check(&code_at(3030), at(3059)), Err(TotpError::Used));
    assert!(totp.check(&code_at(3060), at(3060)).is_ok());
}

#[test]
fn other_texts_are_refused_and_use_nothing_up() {
    let mut totp = Totp::new(SECRET);
    let good = code_at(3000);
    for wrong in ["", "12345", "1234567", "abcdef", "０００００0", &good[1..], &code_at(6000)]
    {
        assert_eq!(totp.check(wrong, at(3000)), Err(TotpError::Wrong), "{wrong:?}");
    }
    assert!(totp.check(&format!(" {} {}\n", &good[..3], &good[3..]), at(3000)).is_ok());
}

#[test]
fn the_first_moments_of_the_epoch_have_one_step() {
    assert!(Totp::new(SECRET).check("755224", at(0)).is_ok());
}

#[test]
fn apps_are_told_by_uri() {
    let totp = Totp::new(SECRET);
    assert_eq!(
        totp.uri("Tide gate", "ann@desk").expose(),
        "otpauth://totp/Tide%20gate:ann%40desk?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
         &issuer=Tide%20gate&algorithm=SHA1&digits=6&period=30"
    );
    for shown in [format!("{totp:?} {:?}", totp.secret_text()), to_json(&totp)] {
        assert!(!shown.contains("GEZD") && !shown.contains("3132"), "{shown}");
    }
}

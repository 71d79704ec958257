use super::*;

#[test]
fn the_list_is_there() {
    assert!(COMMON.len() > 1500 && COMMON.iter().filter(|word| word.len() >= 15).count() >= 40);
    assert!(COMMON.iter().all(|word| word.len() >= SHORTEST_WORD && !word.is_empty()));
}

#[test]
fn what_is_tried_first_is_common() {
    for common in [
        "1q2w3e4r5t6y7u8i9o0p",
        "ManchesterUnited",
        "passwordpassword",
        "Password12345678!",
        "password!!!dragon",
        "123456789qwertyuiop",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabcab",
        "zyxwvutsrqponmlkji",
        "qwertyuiopasdfghjkl",
        "98765432109876543210",
        "tidegate-2026-11-22",
        "TidegatePassword1",
        "ann.fischer.ann.fischer",
        "Fischer!Letmein!2026",
        "                    ",
    ] {
        assert!(is_common(common, &["Ann Fischer", "ann@example.com"]), "{common}");
    }
}

#[test]
fn what_people_think_of_is_not() {
    for good in [
        "correct horse battery staple",
        "three dragons ate my soup",
        "Monkeys love football and dragons",
        "vq3-Kx9w-mm2L-0pTz",
        "ein Männlein steht im Walde",
        "ファイナルファンタジーが好きな人たち",
        "tidegate is where my orders go",
    ] {
        assert!(!is_common(good, &["Ann Fischer"]), "{good}");
    }
}

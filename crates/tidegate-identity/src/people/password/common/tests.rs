use super::*;

#[test]
fn the_list_is_there() {
    assert!(COMMON.len() > 5000 && COMMON.iter().filter(|word| word.len() >= 15).count() >= 40);
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

/// What of the list people and programs make longer, the ways that lists of leaked passwords of 15 characters
/// and more are full of.
#[test]
fn the_commonest_that_are_long_enough_are_refused() {
    let words: Vec<&str> = COMMON.iter().copied().filter(|word| word.len() <= 14).collect();
    let mut tried = HashSet::new();
    for (at, word) in words.iter().enumerate() {
        let other = words[(at * 7 + 1) % words.len()];
        let capital = word[..1].to_uppercase() + &word[1..];
        for long in [
            format!("{word}{word}1234567890"),
            format!("{word}{other}123456789"),
            format!("{capital}{other}2024!!!!!!!"),
            format!("{word}1234567890123"),
        ] {
            if long.chars().count() >= 15 {
                assert!(is_common(&long, &[]), "{long}");
                tried.insert(long);
            }
        }
    }
    assert!(tried.len() >= 3000, "{}", tried.len());
}

use super::*;
use tidegate_types::codec::{from_bytes, to_bytes, to_json};

const NOW: Time = Time::from_millis(1000);
const GOOD: &str = "three dragons ate my soup";

fn pepper() -> Pepper {
    Pepper::new([9; 32])
}

fn slot() -> Slot {
    Slots::new(1).take().unwrap()
}

fn choose(password: &str) -> Result<StoredPassword, PasswordError> {
    StoredPassword::choose(&slot(), &pepper(), Cost::TODAY, password, &["ann"], [5; 16])
}

fn check(stored: Option<&StoredPassword>, password: &str) -> Result<Right, PasswordError> {
    StoredPassword::check(stored, &slot(), &pepper(), Cost::TODAY, password, NOW)
}

#[test]
fn argon2id_with_a_secret_is_the_reference_implementation_s() {
    // RFC 9106, section 5.3.
    let params = argon2::ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(argon2::AssociatedData::new(&[4; 12]).unwrap())
        .build()
        .unwrap();
    let mut out = [0; 32];
    Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params)
        .unwrap()
        .hash_password_into(&[1; 32], &[2; 16], &mut out)
        .unwrap();
    assert_eq!(
        out,
        [
            0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b,
            0x53, 0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9,
            0x6b, 0x01, 0xe6, 0x59
        ]
    );
}

#[test]
fn the_right_password_is_right_over_a_restart() {
    let stored = choose(GOOD).unwrap();
    let stored: StoredPassword = from_bytes(&to_bytes(&stored)).unwrap();
    let right = check(Some(&stored), GOOD).unwrap();
    assert_eq!((right.shown.factor(), right.shown.at()), (Factor::Password, NOW));
    assert!(!right.outdated);
    for wrong in ["", "three dragons ate my soup ", "Three dragons ate my soup"] {
        assert_eq!(check(Some(&stored), wrong), Err(PasswordError::Wrong));
    }
}

#[test]
fn who_has_no_password_gets_the_answer_of_a_wrong_one() {
    assert_eq!(check(None, GOOD), Err(PasswordError::Wrong));
    assert_eq!(check(None, ""), Err(PasswordError::Wrong));
}

#[test]
fn another_pepper_or_salt_makes_another_hash() {
    let stored = choose(GOOD).unwrap();
    let other = Pepper::new([8; 32]);
    let shown = StoredPassword::check(Some(&stored), &slot(), &other, Cost::TODAY, GOOD, NOW);
    assert_eq!(shown, Err(PasswordError::Wrong));
    let salted =
        StoredPassword::choose(&slot(), &pepper(), Cost::TODAY, GOOD, &[], [6; 16]).unwrap();
    assert_ne!(salted.hash, stored.hash);
}

#[test]
fn a_password_is_the_same_from_every_keyboard() {
    // A ligature, a full-width letter and a combining accent.
    let stored = choose("\u{fb01}nd me at the caf\u{e9}").unwrap();
    assert!(check(Some(&stored), "\u{ff46}ind me at the cafe\u{301}").is_ok());
}

#[test]
fn length_is_in_characters_and_nothing_is_cut_off() {
    let of = |n: usize| (0..n).map(|i| char::from(b'a' + (i * i % 23) as u8)).collect::<String>();
    assert_eq!(choose(&of(14)).unwrap_err(), PasswordError::Unfit(Unfit::Short));
    assert_eq!(choose(&of(129)).unwrap_err(), PasswordError::Unfit(Unfit::Long));
    assert_eq!(is_fit(&"ü1ß".repeat(1000), &[]), Err(Unfit::Long));
    assert_eq!(is_fit(&of(15), &[]), Ok(()));
    // A character that becomes 18 counts as 18.
    assert_eq!(is_fit(&"\u{fdfa}x".repeat(8), &[]), Err(Unfit::Long));
    let stored = choose(&of(128)).unwrap();
    assert!(check(Some(&stored), &of(128)).is_ok());
    assert_eq!(check(Some(&stored), &of(127)), Err(PasswordError::Wrong));
    assert_eq!(check(Some(&stored), &of(5000)), Err(PasswordError::Wrong));
}

#[test]
fn no_composition_is_asked_for_but_common_ones_are_refused() {
    assert_eq!(is_fit("onlylowercaselettershere", &[]), Ok(()));
    assert_eq!(is_fit("passwordpassword", &[]), Err(Unfit::Common));
    assert_eq!(is_fit("ann.fischer.1990", &["Ann Fischer"]), Err(Unfit::Common));
    assert_eq!(choose("passwordpassword").unwrap_err(), PasswordError::Unfit(Unfit::Common));
}

#[test]
fn breach_digests_are_of_what_was_typed_and_of_its_common_form() {
    // FIPS 180's "abc", as lists of breached passwords write it.
    let abc = [
        0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50, 0xc2,
        0x6c, 0x9c, 0xd0, 0xd8, 0x9d,
    ];
    assert_eq!(breach_digests("abc"), [abc, abc]);
    // Full-width letters.
    let [typed, normal] = breach_digests("\u{ff41}\u{ff42}\u{ff43}");
    assert!(typed != abc && normal == abc);
}

#[test]
fn what_cost_less_is_told_when_the_cost_rises() {
    let stored = choose(GOOD).unwrap();
    let dearer = Cost::new(64 * 1024, 4).unwrap();
    let right =
        StoredPassword::check(Some(&stored), &slot(), &pepper(), dearer, GOOD, NOW).unwrap();
    assert!(right.outdated);
    for (memory_kib, passes) in [(64 * 1024 - 1, 3), (64 * 1024, 2), (1 << 30, 3), (64 * 1024, 99)]
    {
        assert_eq!(Cost::new(memory_kib, passes), None);
    }
}

#[test]
fn a_forged_cost_does_not_exhaust_the_machine() {
    let dear = Cost { memory_kib: u32::MAX, passes: 1 };
    assert_eq!(dear.bounded().memory_kib, 256 * 1024);
    assert_eq!(Cost { memory_kib: 8, passes: u32::MAX }.bounded().passes, 16);
    let nothing =
        StoredPassword { cost: Cost { memory_kib: 0, passes: 0 }, ..choose(GOOD).unwrap() };
    assert_eq!(check(Some(&nothing), GOOD), Err(PasswordError::System));
}

#[test]
fn no_more_hashes_at_a_time_than_slots() {
    let slots = Slots::new(2);
    let (one, two) = (slots.take().unwrap(), slots.take().unwrap());
    assert!(slots.take().is_none());
    drop(one);
    let three = slots.take().unwrap();
    assert!(slots.take().is_none());
    drop((two, three));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let slots = Arc::clone(&slots);
            std::thread::spawn(move || {
                let taken = (0..1000).filter_map(|_| slots.take());
                taken.map(|slot| slot.0.free.load(Ordering::Acquire)).max()
            })
        })
        .collect();
    for thread in threads {
        assert!(thread.join().unwrap().is_none_or(|free| free <= 1));
    }
    assert_eq!(slots.free.load(Ordering::Acquire), 2);
}

#[test]
fn nothing_shows_it() {
    let stored = choose(GOOD).unwrap();
    let hash = format!("{:02x}{:02x}", stored.hash.expose()[0], stored.hash.expose()[1]);
    for shown in [format!("{stored:?} {:?}", pepper()), to_json(&stored)] {
        assert!(shown.contains("[secret]") && !shown.contains(&hash) && !shown.contains(GOOD));
    }
}

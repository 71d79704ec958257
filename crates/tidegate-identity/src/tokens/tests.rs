use crate::authenticate::refresh;
use crate::authenticate::tests::HERE;
use crate::authenticate::tests::{ALICE, Desk, at, password, token};
use tidegate_types::reject::Code;
use tidegate_types::secret::Secret;
use tidegate_types::time::Span;

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

/// Stands in for 64 random bytes.
fn random(n: u8) -> [u8; 64] {
    std::array::from_fn(|i| if i < 32 { n } else { !n })
}

fn login(desk: &mut Desk, n: u8, lifetime: Option<Span>) -> crate::Issued {
    let who = desk.check(&password(ALICE, "s3cret"), at(1000)).unwrap();
    desk.tokens.issue(&who, lifetime, &random(n), at(1000))
}

#[test]
fn a_token_stands_for_its_login_until_it_expires() {
    let mut desk = Desk::new();
    let issued = login(&mut desk, 1, Some(Span::from_secs(900)));
    assert_eq!(issued.lifetime, Span::from_secs(900));
    assert_eq!(issued.access.len(), 43);
    let who = desk.check(&token(&issued.access), at(1899)).unwrap();
    assert_eq!(who.key().as_str(), ALICE);
    let late = desk.check(&token(&issued.access), at(1900)).unwrap_err();
    assert_eq!(late.code, Code::BadToken);
    // The two tokens are not each other's.
    assert_eq!(desk.check(&token(&issued.refresh), at(1001)).unwrap_err().code, Code::BadToken);
}

#[test]
fn no_token_lives_longer_than_the_limit() {
    let mut desk = Desk::new();
    let issued = login(&mut desk, 1, Some(Span::from_secs(31_536_000)));
    assert_eq!(issued.lifetime, tidegate_types::limits::MAX_TOKEN_LIFETIME);
}

#[test]
fn a_renewal_replaces_both_tokens() {
    let mut desk = Desk::new();
    let first = login(&mut desk, 1, None);
    let venue = desk.venue.clone();
    let (who, second) = refresh(
        &desk.keyring,
        &mut desk.tokens,
        &venue,
        &secret(&first.refresh),
        &random(2),
        &HERE,
        at(1100),
    )
    .unwrap();
    assert_eq!(who.key().as_str(), ALICE);
    assert_eq!(desk.check(&token(&first.access), at(1101)).unwrap_err().code, Code::BadToken);
    assert!(desk.check(&token(&second.access), at(1101)).is_ok());
}

#[test]
fn a_refresh_token_used_twice_ends_the_login() {
    let mut desk = Desk::new();
    let first = login(&mut desk, 1, None);
    let venue = desk.venue.clone();
    let renew = |desk: &mut Desk, text: &str, n: u8| {
        refresh(&desk.keyring, &mut desk.tokens, &venue, &secret(text), &random(n), &HERE, at(1100))
    };
    let (_, second) = renew(&mut desk, &first.refresh, 2).unwrap();
    assert_eq!(renew(&mut desk, &first.refresh, 3).unwrap_err().code, Code::BadToken);
    assert_eq!(desk.check(&token(&second.access), at(1101)).unwrap_err().code, Code::BadToken);
    assert_eq!(renew(&mut desk, &second.refresh, 4).unwrap_err().code, Code::BadToken);
    assert!(desk.tokens.is_empty());
}

#[test]
fn logins_end_by_logout_and_revocation() {
    let mut desk = Desk::new();
    let issued = login(&mut desk, 1, None);
    assert!(desk.tokens.logout(issued.access.as_bytes()));
    assert!(!desk.tokens.logout(issued.access.as_bytes()));
    assert_eq!(desk.check(&token(&issued.access), at(1001)).unwrap_err().code, Code::BadToken);
    let issued = login(&mut desk, 2, None);
    let id = tidegate_types::ids::KeyId::new(ALICE).unwrap();
    desk.tokens.revoke(&id);
    assert_eq!(desk.check(&token(&issued.access), at(1001)).unwrap_err().code, Code::BadToken);
}

#[test]
fn the_oldest_login_of_a_key_makes_room() {
    let mut desk = Desk::new();
    let most = tidegate_types::limits::MAX_LOGINS_PER_KEY;
    let mut tokens = Vec::new();
    for n in 0..=most {
        let who = desk.check(&password(ALICE, "s3cret"), at(1000)).unwrap();
        let mut random = [0; 64];
        random[0] = (n % 256) as u8;
        random[1] = (n / 256) as u8;
        random[32] = random[0];
        random[33] = random[1];
        tokens.push(desk.tokens.issue(&who, None, &random, at(1000)));
    }
    assert_eq!(desk.tokens.len(), most);
    assert!(desk.check(&token(&tokens[0].access), at(1001)).is_err());
    assert!(desk.check(&token(&tokens[1].access), at(1001)).is_ok());
    assert!(desk.check(&token(&tokens[most].access), at(1001)).is_ok());
}

#[test]
fn only_digests_are_kept() {
    let mut desk = Desk::new();
    let issued = login(&mut desk, 7, None);
    let shown = format!("{:?} {issued:?}", desk.tokens);
    assert!(!shown.contains(&issued.access) && !shown.contains(&issued.refresh));
}

use super::*;
use tidegate_identity::oauth::client::ClientId;
use tidegate_identity::oauth::event::Confirmation;
use tidegate_identity::oauth::jose::Thumbprint;

fn bearer(n: u8, until: u64) -> TokenBearer {
    TokenBearer {
        id: TokenId([n; 16]),
        subject: "ann".into(),
        client: ClientId::new("ann").unwrap(),
        act: Vec::new(),
        may_act: None,
        details: Vec::new(),
        acr: None,
        auth_time: None,
        amr: Vec::new(),
        issued: Time::default(),
        until: Time::from_millis(until),
        bound_to: Confirmation::Key { jkt: Thumbprint([1; 32]) },
        proved_by: Vec::new(),
        grant: None,
    }
}

#[test]
fn a_memory_that_is_full_forgets_what_ends_first_and_knows_the_rest() {
    let mut used = Used::default();
    let mut first = |n, until| used.is_first(&bearer(n, until), 2);
    assert_eq!(
        [first(1, 10), first(2, 20), first(1, 10), first(2, 20)],
        [true, true, false, false]
    );
    assert!(first(3, 30));
    assert_eq!([first(2, 20), first(3, 30)], [false, false], "the later ones are known");
    assert!(first(1, 10));
}

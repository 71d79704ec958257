//! Who may do what, and what keeps duties apart.

use super::loosen::invited;
use super::world::*;
use crate::roles::{self, Action, Reach, Refusal};
use tidegate_types::approval::Act;
use tidegate_types::grant::{AccountLimits, Grant, KeyScheme, Pattern, Scope, VirtualKey};
use tidegate_types::ids::{CallerName, PersonName};
use tidegate_types::instrument::Usd;
use tidegate_types::key::{KeyTerms, Replaced};
use tidegate_types::limits::MAX_KEYS_OF_CALLER;
use tidegate_types::person::{Person, Role};
use tidegate_types::record::{Approvals, Change};
use tidegate_types::time::{Span, Time};

pub(super) fn person(who: &str, roles: &[Role], owns: &[&str]) -> Change {
    let owns = owns.iter().map(|caller| name::<CallerName>(caller)).collect();
    Change::PersonSet { person: Person::new(name(who), roles.to_vec(), owns, Vec::new()) }
}

/// A desk with one person of each role; `tom` trades with `ann`, `rita` of risk owns `bob`.
pub(super) fn desk() -> World {
    let mut world = World::new();
    world.change(person("tom", &[Role::Trader], &["ann"]));
    world.change(person("rita", &[Role::Risk], &["bob"]));
    world.change(person("ray", &[Role::Risk], &[]));
    world.change(person("pia", &[Role::Approver], &[]));
    world.change(person("udo", &[Role::Auditor], &[]));
    world.change(person("ada", &[Role::Admin], &[]));
    world
}

fn may(world: &World, by: &str, change: Change) -> Result<(), Refusal> {
    roles::may_act(world.core.state(), &name(by), &Act::Change { change })
}

fn wider(caller: &str) -> Change {
    Change::GrantSet { grant: Grant { max_order_notional: Usd(d("2000000")), ..grant(caller) } }
}

fn key(id: &str, caller: &str) -> Change {
    let key = VirtualKey {
        id: name(id),
        caller: name(caller),
        venue: name(VENUE),
        account: name(MAIN),
        scheme: KeyScheme::Hmac,
        terms: KeyTerms::default(),
    };
    Change::KeyAdded { key, replaces: None }
}

#[test]
fn the_table_is_the_one_in_the_documents() {
    let documented = include_str!("../../../../docs/roles.md");
    assert!(
        documented.contains(&roles::table()),
        "look at what changed, then run `cargo xtask docs`:\n{}",
        roles::table()
    );
}

#[test]
fn an_auditor_changes_nothing_and_nobody_alone_may_do_everything() {
    let column = |at: usize| Action::ALL.iter().filter(move |a| a.row()[at] != Reach::No);
    assert_eq!(
        column(4).collect::<Vec<_>>(),
        [
            &Action::Status,
            &Action::Keys,
            &Action::People,
            &Action::Approvals,
            &Action::Apps,
            &Action::AppGrants,
            &Action::Sessions,
            &Action::SessionsEnd
        ]
    );
    assert_eq!(Action::SessionsEnd.row()[4], Reach::Own);
    for at in 0..roles::COLUMNS.len() {
        let all = column(at).count();
        assert!(all < Action::ALL.len() - 4, "{} may do {all} things", roles::COLUMNS[at]);
    }
    // Whoever approves asks for nothing that takes an approval.
    for action in [Action::Resume, Action::GrantLoosen, Action::LimitsLoosen, Action::KeyAdd] {
        assert_eq!(action.row()[2], Reach::No, "{action:?}");
        assert_ne!(action.row()[1..4], [Reach::All; 3]);
    }
}

#[test]
fn nobody_loosens_for_a_caller_of_its_own() {
    let mut world = desk();
    world.change_by("ada", key("k1", "ann"));
    assert_eq!(may(&world, "rita", wider("ann")), Ok(()));
    assert!(matches!(may(&world, "rita", wider("bob")), Err(Refusal::Forbidden(_))));
    // The account's limits bound bob, who trades there.
    let raised = AccountLimits { collar_bps: 501, ..limits() };
    let raised = Change::LimitsSet { limits: raised };
    assert!(matches!(may(&world, "rita", raised.clone()), Err(Refusal::Forbidden(_))));
    assert_eq!(may(&world, "ray", raised), Ok(()));
    let lowered = Change::LimitsSet { limits: AccountLimits { collar_bps: 499, ..limits() } };
    assert_eq!(may(&world, "rita", lowered), Ok(()));
    let resume = |by: &str, scope: &str| {
        let act = Act::Resume { scope: scope.parse().unwrap(), reason: String::new() };
        roles::may_act(world.core.state(), &name(by), &act)
    };
    assert_eq!(resume("rita", "caller:ann"), Ok(()));
    for own in ["caller:bob", "account:main"] {
        assert!(resume("rita", own).is_err(), "{own}");
        assert_eq!(resume("ray", own), Ok(()), "{own}");
    }
    // Nobody gives itself a role, or a key to a caller of its own.
    let self_made = person("ada", &[Role::Admin, Role::Risk], &[]);
    assert!(matches!(may(&world, "ada", self_made), Err(Refusal::Forbidden(_))));
    world.change_by("ada", person("cy", &[Role::Admin], &["ann"]));
    assert!(matches!(may(&world, "cy", key("k2", "ann")), Err(Refusal::Forbidden(_))));
    assert_eq!(may(&world, "cy", key("k2", "bob")), Ok(()));
}

#[test]
fn the_owner_of_a_caller_replaces_its_key_by_one_that_allows_no_more() {
    let mut world = desk();
    let end = Time::from_millis(2_000_000_000_000);
    let later = Time::from_millis(2_000_000_000_001);
    let terms = KeyTerms { until: Some(end), ..KeyTerms::default() };
    let make = |id: &str, replaces: Option<&str>, terms: &KeyTerms| {
        let Change::KeyAdded { key, .. } = key(id, "ann") else { panic!("a key is added") };
        let replaces = replaces.map(|id| Replaced { key: name(id), overlap: Span::ZERO });
        Change::KeyAdded { key: VirtualKey { terms: terms.clone(), ..key }, replaces }
    };
    world.change_by("ada", make("k1", None, &terms));
    let like = make("k2", Some("k1"), &terms);
    assert_eq!(may(&world, "tom", like.clone()), Ok(()));
    for (who, good) in [("ada", true), ("rita", false), ("pia", false), ("udo", false)] {
        assert_eq!(may(&world, who, like.clone()).is_ok(), good, "{who}");
    }
    // It is a new secret all the same, which somebody else approves where it takes two.
    assert!(roles::loosens(world.core.state(), &like));
    let from = vec!["10.0.0.0/8".parse().unwrap()];
    for (what, more) in [
        ("no key to replace", make("k2", None, &terms)),
        ("another's", make("k2", Some("bob"), &terms)),
        ("for longer", make("k2", Some("k1"), &KeyTerms { until: Some(later), ..terms.clone() })),
        ("for ever", make("k2", Some("k1"), &KeyTerms { until: None, ..terms.clone() })),
        ("from elsewhere", make("k2", Some("k1"), &KeyTerms { from, ..terms.clone() })),
    ] {
        assert!(matches!(may(&world, "tom", more), Err(Refusal::Forbidden(_))), "{what}");
    }
    // An administrator makes none for a caller of its own, however alike.
    world.change_by("ada", person("cy", &[Role::Admin], &["ann"]));
    assert!(may(&world, "cy", like.clone()).is_err());
    world.change_by("tom", Change::KeyRevoked { id: name("k1") });
    assert!(may(&world, "tom", like).is_err(), "one that is revoked is not revived");
}

#[test]
fn a_trader_tightens_its_own_and_the_rest_is_not_there() {
    let mut world = desk();
    for (id, caller) in [("k1", "ann"), ("k2", "bob")] {
        world.change_by("ada", key(id, caller));
    }
    let narrow = |caller: &str| Change::GrantSet { grant: Grant { burst: 1, ..grant(caller) } };
    assert_eq!(may(&world, "tom", narrow("ann")), Ok(()));
    assert_eq!(may(&world, "tom", Change::KeyRevoked { id: name("k1") }), Ok(()));
    assert!(matches!(may(&world, "tom", wider("ann")), Err(Refusal::Forbidden(_))));
    // The same answer as for what is not there, but for the name.
    let told = |change| match may(&world, "tom", change) {
        Err(Refusal::Unseen(text)) => text,
        other => panic!("{other:?}"),
    };
    let revoke = |id: &str| Change::KeyRevoked { id: name(id) };
    assert_eq!(told(revoke("k2")), told(revoke("k9")).replace("k9", "k2"));
    assert_eq!(told(narrow("bob")), told(narrow("zed")).replace("zed", "bob"));
    assert_eq!(told(wider("bob")), told(narrow("bob")));
    let remove = |caller: &str| Change::GrantRemoved { caller: name(caller), account: name(MAIN) };
    assert_eq!(told(remove("bob")), told(remove("zed")).replace("zed", "bob"));
    // What is shared with it is there, and not its to change.
    let shared = Person::new(name("tom"), vec![Role::Trader], vec![name("ann")], vec![name("bob")]);
    world.change_by("ada", Change::PersonSet { person: shared });
    assert!(matches!(may(&world, "tom", narrow("bob")), Err(Refusal::Forbidden(_))));
    let tom: PersonName = name("tom");
    assert!(roles::sees(world.core.state(), &tom, &name("bob")));
    assert!(!roles::sees_all(world.core.state(), &tom));
}

#[test]
fn who_may_halt_what() {
    let mut world = desk();
    let id = world.live("ann", buy("1", "100"));
    let may = |by: &str, scope: Scope, flatten: bool| {
        roles::may_halt(world.core.state(), &name(by), &scope, flatten).is_ok()
    };
    let ann = Scope::Caller { name: name("ann") };
    let bob = Scope::Caller { name: name("bob") };
    for (by, all, own) in [
        ("tom", false, true),
        ("rita", true, true),
        ("pia", false, false),
        ("ada", true, true),
        ("udo", false, false),
        ("stranger", true, true),
    ] {
        assert_eq!(may(by, Scope::All, false), all, "{by}");
        assert_eq!(may(by, bob.clone(), false), all, "{by}");
        assert_eq!(may(by, ann.clone(), false), own, "{by}");
        assert_eq!(may(by, Scope::Order { id }, false), own, "{by}");
    }
    assert!(!may("tom", ann, true) && !may("stranger", Scope::All, true));
    assert!(may("ray", Scope::All, true));
}

#[test]
fn before_there_is_an_admin_the_desk_is_set_up_by_anybody_who_gets_here() {
    let mut world = World::new();
    world.change(person("tom", &[Role::Trader], &["ann"]));
    world.change(person("udo", &[Role::Auditor], &[]));
    assert_eq!(may(&world, "root", wider("bob")), Ok(()));
    // Whoever enrolled before the administrator has what the table gives.
    for by in ["tom", "udo"] {
        assert!(may(&world, by, wider("ann")).is_err(), "{by}");
        for own in [true, false] {
            let consents = roles::may(world.core.state(), &name(by), Action::Consent, own);
            assert_eq!(consents.is_ok(), own && by == "tom", "{by}");
        }
    }
    assert!(!roles::sees(world.core.state(), &name("tom"), &name("bob")));
    assert!(roles::sees_all(world.core.state(), &name("udo")));
    world.change(person("ada", &[Role::Admin], &[]));
    assert!(may(&world, "tom", wider("bob")).is_err());
    assert!(may(&world, "root", wider("bob")).is_err());
}

#[test]
fn a_link_is_for_somebody_else_and_the_newest_counts() {
    let mut world = World::new();
    // The first admin is invited before there is one.
    world.change(invited("ada", 1));
    world.change(person("ada", &[Role::Admin], &[]));
    assert!(world.refused_by("root", invited("ada", 2)).contains("may not"));
    assert!(world.refused_by("ada", invited("ada", 2)).contains("for itself"));
    assert!(world.refused_by("ada", invited("tom", 2)).contains("no person tom"));
    world.change_by("ada", person("tom", &[Role::Trader], &[]));
    world.change_by("ada", invited("tom", 2));
    world.change_by("ada", invited("tom", 3));
    let links = |world: &World| -> Vec<(String, u8)> {
        let all = world.core.state().invitations().iter();
        all.map(|(who, invitation)| (who.to_string(), invitation.link[0])).collect()
    };
    assert_eq!(links(&world), [("ada".to_owned(), 1), ("tom".to_owned(), 3)]);
    world.change_by("ada", Change::PersonRemoved { person: name("tom") });
    assert_eq!(links(&world), [("ada".to_owned(), 1)]);
    world.check_replay();
}

#[test]
fn somebody_is_always_left_who_can_administer() {
    let mut world = World::new();
    let two = Change::ApprovalsSet { approvals: Approvals::Two };
    world.change(two.clone());
    // The first admin ends the set-up: with nobody to approve it would be the last change.
    let admin = person("ada", &[Role::Admin, Role::Approver], &[]);
    assert!(world.refused_by("root", admin.clone()).contains("approver"));
    world.change(person("pia", &[Role::Approver], &[]));
    world.change(admin);
    assert!(
        world.refused_by("ada", Change::PersonRemoved { person: name("pia") }).contains("approver")
    );
    assert!(
        world.refused_by("ada", person("pia", &[Role::Approver], &["nobody"])).contains("caller")
    );

    let mut world = World::new();
    world.change(person("ada", &[Role::Admin], &[]));
    assert!(world.refused_by("ada", two).contains("approver"));
    let gone = Change::PersonRemoved { person: name("ada") };
    assert!(world.refused_by("ada", gone.clone()).contains("last admin"));
    assert!(world.refused_by("ada", person("bea", &[], &[])).contains("role"));
    world.change_by("ada", person("bea", &[Role::Admin], &[]));
    world.change_by("bea", gone);
    world.check_replay();
}

#[test]
fn no_wider_scope_lifts_the_halt_of_one_s_own() {
    let world = desk();
    // Rita of risk owns `bob`, who trades at the venue; ray of risk owns nobody.
    for scope in ["all", "venue:paper", "account:main", "instrument:paper/BTC-PERP", "caller:bob"] {
        let scope: Scope = scope.parse().unwrap();
        let resume = Act::Resume { scope: scope.clone(), reason: "x".into() };
        let may = |by: &str| roles::may_act(world.core.state(), &name(by), &resume);
        assert!(matches!(may("rita"), Err(Refusal::Forbidden(_))), "{scope}");
        assert!(may("ray").is_ok(), "{scope}");
    }
}

#[test]
fn who_takes_its_own_caller_s_grant_back_or_narrows_it_is_not_freed_by_it() {
    let mut world = desk();
    world.live("bob", buy("1", "100"));
    let raised = Change::LimitsSet { limits: AccountLimits { collar_bps: 501, ..limits() } };
    let scopes = ["all", "venue:paper", "account:main", "instrument:paper/BTC-PERP"];
    let acts = |world: &World, by: &str| -> Vec<bool> {
        let resumes =
            scopes.map(|scope| Act::Resume { scope: scope.parse().unwrap(), reason: "x".into() });
        let acts = resumes.into_iter().chain([Act::Change { change: raised.clone() }]);
        acts.map(|act| roles::may_act(world.core.state(), &name(by), &act).is_ok()).collect()
    };
    // Rita of risk owns `bob`: she may narrow its grant, take it back, and its key.
    let on = |patterns: &[&str]| {
        let instruments = patterns.iter().map(|text| Pattern::new(text).unwrap()).collect();
        Change::GrantSet { grant: Grant { instruments, ..grant("bob") } }
    };
    world.change_by("ray", on(&["BTC*", "ETH*"]));
    world.change_by("rita", on(&["ETH*"]));
    assert_eq!(acts(&world, "rita"), [false; 5]);
    let removed = Change::GrantRemoved { caller: name("bob"), account: name(MAIN) };
    assert_eq!(may(&world, "rita", removed.clone()), Ok(()));
    world.change_by("rita", removed);
    assert_eq!(acts(&world, "rita"), [false; 5]);
    world.change_by("rita", Change::KeyRevoked { id: name("bob") });
    assert_eq!(acts(&world, "rita"), [false; 5]);
    assert_eq!(acts(&world, "ray"), [true; 5]);
    // Once the caller is taken from her, which somebody else does, she is free.
    world.change_by("ada", person("rita", &[Role::Risk], &[]));
    assert_eq!(acts(&world, "rita"), [true; 5]);
}

#[test]
fn nobody_is_called_as_records_call_others() {
    let mut world = World::new();
    for who in ["owner", "gateway", "halt-file", "uid-1001", "caller.ann"] {
        assert!(world.refused_by("root", invited(who, 1)).contains("call others"), "{who}");
        let named = person(who, &[Role::Trader], &[]);
        assert!(world.refused_by("root", named).contains("call others"), "{who}");
    }
}

#[test]
fn a_link_that_one_gave_out_is_void_where_it_takes_two() {
    let mut world = World::new();
    world.change(person("tom", &[Role::Trader], &[]));
    world.change(person("pia", &[Role::Approver], &[]));
    world.change(person("ada", &[Role::Admin], &[]));
    world.change_by("ada", invited("tom", 1));
    assert_eq!(world.core.state().invitations().len(), 1);
    world.change_by("ada", Change::ApprovalsSet { approvals: Approvals::Two });
    assert!(world.core.state().invitations().is_empty());
}

#[test]
fn a_caller_has_so_many_keys_and_no_more() {
    let mut world = desk();
    for n in 1..MAX_KEYS_OF_CALLER {
        world.change_by("ada", key(&format!("k{n}"), "ann"));
    }
    assert!(world.refused_by("ada", key("one-more", "ann")).contains("add another caller"));
    world.change_by("ada", key("another", "bob"));
}

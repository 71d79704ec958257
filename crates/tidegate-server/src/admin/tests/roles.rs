//! Every operation and every role, held against the table; four eyes from end to end.

use super::super::rights::actions;
use super::super::socket::administrator;
use super::*;
use crate::clock;
use std::time::Instant;
use tidegate_core::roles::{Action, COLUMNS, Reach};
use tidegate_identity::oauth::acr::Acr;
use tidegate_identity::oauth::event::{Confirmation, Event as OAuthEvent, GrantId, Granted};
use tidegate_identity::oauth::jose::Thumbprint;
use tidegate_types::key::KeyTerms;
use tidegate_types::time::Span;

mod duties;
mod limits;

/// A policy that is put in force.
const POLICY: &str = "name = \"p\"\nversion = 1\nmark_age = \"5 s\"\n[[rule]]\nid = \"all\"\nallow = true\n\
    [[rule]]\nid = \"ask\"\nopen_orders = 5\nsoft = true\n";
/// Who has which role; the last is nobody of the desk.
const PEOPLE: [&str; 6] = ["tom", "ray", "pia", "ada", "udo", "nobody"];

/// An operation as one action of the table, and whether it is about the trader's own caller.
struct Sample {
    request: Value,
    action: Action,
    own: bool,
}

fn sample(action: Action, own: bool, request: Value) -> Sample {
    Sample { request, action, own }
}

fn limits_of(collar_bps: u32) -> Value {
    json!({"op": "limits-set", "account": "main", "max_order_notional": "100000",
        "max_open_notional": "100000", "max_position_notional": "100000", "max_exposure": "100000",
        "collar_bps": collar_bps, "option_collar_bps": 100, "max_mark_age_ms": 1000,
        "orders_per_second": 100, "burst": 100})
}

fn grant_of(caller: &str, most: &str) -> Value {
    json!({"op": "grant-set", "caller": caller, "account": "main", "trade": true,
        "instruments": ["*"], "max_order_notional": most, "max_open_notional": most,
        "orders_per_second": 1, "burst": 1})
}

fn breaker(id: &str, limit: &str) -> Value {
    json!({"op": "breaker-set", "breaker": id, "limit": limit})
}

fn person(who: &str, roles: &[&str], owns: &[&str]) -> Value {
    json!({"op": "person-set", "person": who, "roles": roles, "owns": owns})
}

pub(crate) fn app(caller: &str) -> Value {
    let key = crate::web::oauth::tests::key(1).public().to_json();
    json!({"op": "app-set", "app": caller, "title": "A bot", "jwks": {"keys": [key]},
        "grants": ["client_credentials", "device_code"]})
}

/// The same for an app that may look at one account.
fn reading(mut app: Value) -> Value {
    app["details"] = json!([{"type": "tidegate_trading", "venue": "binance", "account": "main",
        "instruments": ["*"], "read_only": true}]);
    app
}

fn samples(pending: u64) -> Vec<Sample> {
    let mut all = people_and_keys(pending);
    all.extend(limits::samples());
    all
}

fn people_and_keys(pending: u64) -> Vec<Sample> {
    use Action::*;
    let wrong = "00".repeat(32);
    let halt = |scope: &str, flatten: bool| json!({"op": "halt", "scope": scope, "reason": "x", "timeout_s": 0, "flatten": flatten});
    let shared = |op: &str, caller: &str| json!({"op": format!("caller-{op}"), "caller": caller, "person": "zoe"});
    vec![
        sample(Status, false, json!({"op": "status"})),
        sample(People, false, json!({"op": "people"})),
        sample(Halt, false, halt("caller:bob", false)),
        sample(Halt, true, halt("caller:ann", false)),
        sample(Flatten, false, halt("all", true)),
        sample(Resume, false, json!({"op": "resume", "scope": "caller:bob", "reason": "x"})),
        sample(AccountAdd, false, json!({"op": "account-add", "venue": "binance", "account": "x"})),
        sample(VenueKey, false, json!({"op": "venue-key-reload", "account": "main"})),
        sample(CallerAdd, false, json!({"op": "caller-add", "caller": "new"})),
        sample(CallerShare, true, shared("share", "ann")),
        sample(CallerUnshare, false, shared("unshare", "bob")),
        sample(CallerUnshare, true, shared("unshare", "ann")),
        sample(KeyAdd, false, json!({"op": "key-add", "caller": "bob", "account": "main"})),
        sample(KeyRotate, false, json!({"op": "key-rotate", "id": "bob-key", "overlap_s": 60})),
        sample(KeyRotate, true, json!({"op": "key-rotate", "id": "ann-key", "overlap_s": 60})),
        sample(Keys, false, json!({"op": "keys"})),
        sample(KeyRevoke, false, json!({"op": "key-revoke", "id": "bob-key"})),
        sample(KeyRevoke, true, json!({"op": "key-revoke", "id": "ann-key"})),
        sample(GrantLoosen, false, grant_of("bob", "900000000")),
        sample(GrantLoosen, true, grant_of("ann", "900000000")),
        sample(GrantTighten, false, grant_of("bob", "1")),
        sample(GrantTighten, true, grant_of("ann", "1")),
        sample(
            GrantTighten,
            false,
            json!({"op": "grant-remove", "caller": "bob", "account": "main"}),
        ),
        sample(AlarmsSeen, false, json!({"op": "alarms-seen", "until_ms": 1})),
        sample(AppSet, false, reading(app("bob"))),
        sample(Apps, false, json!({"op": "apps"})),
        sample(AppRevoke, false, json!({"op": "app-revoke", "app": "bob"})),
        sample(AppGrants, false, json!({"op": "app-grants"})),
        sample(
            AppGrantRevoke,
            false,
            json!({"op": "app-revoke-grant", "grant": GrantId([1; 16]).to_string()}),
        ),
        sample(
            AppGrantRevoke,
            true,
            json!({"op": "app-revoke-grant", "grant": GrantId([2; 16]).to_string()}),
        ),
        sample(AppKeyRevoke, false, json!({"op": "app-revoke-key", "key": "07".repeat(32)})),
        sample(PersonLoosen, false, person("zoe", &["risk", "trader"], &[])),
        sample(PersonTighten, false, person("zoe", &["trader"], &[])),
        sample(PersonTighten, false, json!({"op": "person-remove", "person": "zoe"})),
        sample(PersonInvite, false, json!({"op": "person-invite", "person": "tom"})),
        sample(PersonInvite, false, json!({"op": "person-reset", "person": "tom"})),
        sample(Sessions, false, json!({"op": "sessions", "person": "zoe"})),
        sample(Sessions, true, json!({"op": "sessions", "person": "tom"})),
        sample(SessionsEnd, false, json!({"op": "sessions-end", "person": "zoe"})),
        sample(SessionsEnd, true, json!({"op": "sessions-end", "person": "tom"})),
        sample(Sessions, false, json!({"op": "linked", "person": "zoe"})),
        sample(Sessions, true, json!({"op": "linked", "person": "tom"})),
        sample(PersonTighten, false, json!({"op": "unlink", "person": "zoe"})),
        sample(
            PasskeyRemove,
            false,
            json!({"op": "passkey-remove", "person": "zoe", "passkey": "00000000"}),
        ),
        sample(Status, false, json!({"op": "me"})),
        sample(ApprovalsTwo, false, json!({"op": "approvals-set", "approvals": "two"})),
        sample(ApprovalsOne, false, json!({"op": "approvals-set", "approvals": "one"})),
        sample(FactorOn, false, json!({"op": "approve-by-set", "approve_by": "passkey"})),
        sample(FactorOff, false, json!({"op": "approve-by-set", "approve_by": "any"})),
        sample(Approve, false, json!({"op": "approve", "id": pending, "digest": wrong})),
        sample(Deny, false, json!({"op": "deny", "id": pending})),
        sample(Shutdown, false, json!({"op": "shutdown"})),
    ]
}

/// A place for every operation: a new one does not compile here until it has a sample above.
const fn place(request: &Request) -> usize {
    match request {
        Request::Status {} => 0,
        Request::Halt { .. } => 1,
        Request::Resume { .. } => 2,
        Request::AccountAdd { .. } => 3,
        Request::VenueKeyReload { .. } => 4,
        Request::CallerAdd { .. } => 5,
        Request::KeyAdd { .. } => 6,
        Request::KeyRevoke { .. } => 7,
        Request::GrantSet(_) => 8,
        Request::GrantRemove { .. } => 9,
        Request::LimitsSet(_) => 10,
        Request::AlarmsSeen { .. } => 11,
        Request::PersonSet(_) => 12,
        Request::PersonRemove { .. } => 13,
        Request::People {} => 14,
        Request::Approvals {} => 15,
        Request::ApprovalsSet { .. } => 16,
        Request::Approve { .. } => 17,
        Request::Deny { .. } => 18,
        Request::Shutdown {} => 19,
        Request::AppSet(_) => 20,
        Request::AppRevoke { .. } => 21,
        Request::Apps {} => 22,
        Request::KeyRotate { .. } => 23,
        Request::Keys {} => 24,
        Request::PersonInvite { .. } => 25,
        Request::Sessions { .. } => 26,
        Request::SessionsEnd { .. } => 27,
        Request::AppGrants {} => 28,
        Request::AppRevokeGrant { .. } => 29,
        Request::AppRevokeKey { .. } => 30,
        Request::Linked { .. } => 31,
        Request::Unlink { .. } => 32,
        Request::PasskeyRemove { .. } => 33,
        Request::Me {} => 34,
        Request::ApproveBySet { .. } => 35,
        Request::PersonReset { .. } => 36,
        Request::CallerShare { .. } => 37,
        Request::CallerUnshare { .. } => 38,
        Request::SelfTradeSet { .. } => 39,
        Request::AccountOwner { .. } => 40,
        Request::Policy {} => 41,
        Request::PolicyCheck { .. } => 42,
        Request::PolicySet { .. } => 43,
        Request::PolicyRemove { .. } => 44,
        Request::ShadowSet { .. } => 45,
        Request::ShadowRemove { .. } => 46,
        Request::OverrideGive(_) => 47,
        Request::OverrideTakeBack { .. } => 48,
        Request::ThrottleRelease(_) => 49,
        Request::BreakerSet(_) => 50,
        Request::BreakerRemove { .. } => 51,
        Request::BreakerHalfOpen { .. } => 52,
        Request::BreakerClose { .. } => 53,
        Request::BreakerReset { .. } => 54,
        Request::OptionLimitsSet(_) => 55,
        Request::OptionLimitsRemove { .. } => 56,
    }
}
const PLACES: usize = 57;

/// What a person granted to an app.
pub(super) fn granted(app: &str, id: u8, subject: &str) -> Granted {
    let terms = crate::web::oauth::tests::terms(app);
    Granted {
        delegates: Vec::new(),
        id: GrantId([id; 16]),
        client: terms.id,
        subject: subject.into(),
        details: terms.allowed,
        bound_to: Confirmation::Key { jkt: Thumbprint([id; 32]) },
        acr: Acr::PhishingResistant,
        auth_time: clock::now(),
        amr: Vec::new(),
        until: clock::now().plus(Span::from_secs(3600)),
        refresh: None,
    }
}

pub(super) fn grant(office: &Office, granted: Granted) {
    let made = OAuthEvent::GrantMade { grant: granted, at: clock::now() };
    office.oauth().look(|authority| authority.apply(&made));
}

pub(crate) fn someone(who: &str) -> Administrator {
    Administrator {
        person: name(who),
        full: false,
        factor: Some(Factor::LocalSocket),
        showing: Showing::Door,
    }
}

/// A desk with one person of each role, in mode two; the trader owns `ann`.
pub(crate) async fn manned() -> Office {
    let office = office().await;
    for request in [
        json!({"op": "caller-add", "caller": "bob"}),
        grant_of("bob", "5000"),
        grant_of("ann", "500000"),
        limits_of(500),
        person("tom", &["trader"], &["ann"]),
        person("ray", &["risk"], &[]),
        person("pia", &["approver"], &[]),
        person("udo", &["auditor"], &[]),
        person("ada", &["admin"], &[]),
    ] {
        office.ask(request.clone()).await.unwrap_or_else(|e| panic!("{request}: {e:?}"));
    }
    for (caller, id) in [("bob", "bob-key"), ("ann", "ann-key")] {
        let key = tidegate_types::grant::VirtualKey {
            id: name(id),
            caller: name(caller),
            venue: name("binance"),
            account: name("main"),
            scheme: tidegate_types::grant::KeyScheme::Hmac,
            terms: KeyTerms::default(),
        };
        let change = tidegate_types::record::Change::KeyAdded { key, replaces: None };
        let answer = office.world.desk.administer(name("ada"), change).await;
        assert!(matches!(answer, Answer::Done), "{answer:?}");
    }
    let two = json!({"op": "approvals-set", "approvals": "two"});
    office.ask_as(&someone("ada"), two).await.unwrap();
    grant(&office, granted("bob", 1, "person:1"));
    grant(&office, granted("ann", 2, "person:2"));
    office
}

pub(crate) async fn asked(office: &Office, by: &str, request: Value) -> u64 {
    let told = office.ask_as(&someone(by), request).await.unwrap();
    told["pending"].as_u64().unwrap_or_else(|| panic!("{told} does not wait"))
}

async fn digest(office: &Office, id: u64) -> Value {
    let told = office.ask_as(&someone("udo"), json!({"op": "approvals"})).await.unwrap();
    let requests = told["requests"].as_array().unwrap();
    requests.iter().find(|request| request["id"] == id).unwrap()["digest"].clone()
}

pub(crate) async fn approve(office: &Office, by: &str, id: u64) -> Result<Value, (String, String)> {
    let approve = json!({"op": "approve", "id": id, "digest": digest(office, id).await});
    office.ask_as(&someone(by), approve).await
}

#[tokio::test]
async fn every_operation_is_held_against_the_table_for_every_role() {
    let mut seen = [false; PLACES];
    let mut unused: Vec<Action> = Action::ALL.to_vec();
    for (column, who) in PEOPLE.iter().enumerate() {
        let office = manned().await;
        office
            .ask_as(
                &someone("ada"),
                json!({"op": "halt", "scope": "caller:bob", "reason": "x", "timeout_s": 0}),
            )
            .await
            .ok();
        let pending = asked(&office, "ray", limits_of(8000)).await;
        let mut samples = samples(pending);
        samples.push(sample(Action::Approvals, false, json!({"op": "approvals"})));
        for Sample { request, action, own } in samples {
            let parsed: Request = serde_json::from_value(request.clone()).unwrap();
            assert!(actions(&parsed).contains(&action), "{request} is not {action:?}");
            seen[place(&parsed)] = true;
            unused.retain(|other| *other != action);
            // What waits was asked by the person of risk.
            let own = match action {
                Action::Approve | Action::Deny => *who == "ray",
                _ => own && *who == "tom",
            };
            let allowed = match action.row()[column] {
                Reach::No => false,
                Reach::Own => own,
                Reach::Others => !own,
                Reach::All => true,
            };
            // Lists are cut to what is one's own.
            let allowed = allowed
                || matches!(
                    action,
                    Action::Keys | Action::Approvals | Action::Apps | Action::AppGrants
                ) && *who == "tom"
                || action == Action::Status;
            let refused = || office.world.desk.look(|state| state.refusals().values().sum::<u64>());
            let (before, turned_down) = (office.world.desk.next_seq(), refused());
            let answer = office.ask_as(&someone(who), request.clone()).await;
            let said = format!("{request} by {who} ({}): {answer:?}", COLUMNS[column]);
            match &answer {
                Err((code, _)) if code == "forbidden" => assert!(!allowed, "{said}"),
                Err((_, message)) if !allowed => {
                    assert!(message.contains("there is no"), "{said}");
                }
                _ => assert!(allowed, "{said}"),
            }
            if !allowed {
                // Nothing but that it was turned down is on record.
                let written = office.world.desk.next_seq().0 - before.0;
                assert!(written <= refused() - turned_down, "{said}");
            }
        }
    }
    assert_eq!(seen, [true; PLACES], "an operation has no sample");
    // The desk is named by the first start alone, consent is given on its page.
    assert_eq!(unused, [Action::DeskSet, Action::Consent]);
}

#[tokio::test]
async fn every_operation_that_changes_something_leaves_a_record() {
    let office = manned().await;
    office.ask_as(&someone("ada"), json!({"op": "caller-add", "caller": "cat"})).await.unwrap();
    let id = asked(&office, "ray", limits_of(8000)).await;
    for Sample { request, action, own } in samples(id) {
        // Whoever was reset meanwhile is in again.
        crate::people::tests::seated(&office.people(), "tom");
        let row = action.row();
        let column = (0..PEOPLE.len()).find(|column| {
            matches!(row[*column], Reach::All | Reach::Others) || own && row[*column] == Reach::Own
        });
        let who = PEOPLE[column.unwrap()];
        let before = office.world.desk.next_seq();
        let answer = office.ask_as(&someone(who), request.clone()).await;
        let grew = office.world.desk.next_seq() > before;
        let quiet = matches!(
            action,
            // Reading; and a stop, which is recorded when the gateway ends.
            Action::Status
                | Action::Keys
                | Action::People
                | Action::Apps
                | Action::AppGrants
                | Action::Shutdown
                | Action::VenueKey
                | Action::Sessions
        );
        // What fails is no change; `people::tests::on_record` has somebody with a passkey to be removed.
        let failed = matches!(&answer, Err((code, _))
            if code.starts_with("TG") || code == "halt_not_proven" || code == "no_passkey"
                || code == "unknown_person");
        // Nobody has an outside login here.
        let nothing = request["op"] == "unlink";
        assert!(grew || quiet || failed || nothing, "{request} by {who}: {answer:?}");
        assert!(!(quiet && grew), "{request} left a record");
    }
}

#[tokio::test]
async fn two_people_at_the_local_socket() {
    let mut office = office().await;
    let admin = Arc::get_mut(&mut office.admin).unwrap();
    admin.parts.owner_uid = 1000;
    let people = [("1000", "ada"), ("1001", "pia"), ("1002", "ray")];
    admin.parts.config.people = people.map(|(uid, who)| (uid.to_owned(), who.to_owned())).into();
    let at = |uid: u32| administrator(&office.admin, uid).unwrap();
    for request in [
        limits_of(500),
        person("pia", &["approver"], &[]),
        person("ray", &["risk"], &[]),
        person("ada", &["admin"], &[]),
        json!({"op": "approvals-set", "approvals": "two"}),
    ] {
        office.ask_as(&at(1000), request).await.unwrap();
    }
    // The owner of the folder is an administrator like any other from here on.
    let (code, _) = office.ask_as(&at(1000), limits_of(600)).await.unwrap_err();
    assert_eq!(code, "forbidden");
    let told = office.ask_as(&at(1002), limits_of(600)).await.unwrap();
    assert_eq!(told, json!({"pending": 0}));
    let listed = office.ask_as(&at(1001), json!({"op": "approvals"})).await.unwrap();
    let request = &listed["requests"][0];
    assert_eq!((&request["by"], &request["stage"]), (&json!("ray"), &json!("waiting")));
    let statement = request["statement"].as_str().unwrap();
    assert!(statement.contains("collar, bp: 500 -> 600"), "{statement}");
    let approve = json!({"op": "approve", "id": 0, "digest": request["digest"]});
    let (code, _) = office.ask_as(&at(1002), approve.clone()).await.unwrap_err();
    assert_eq!(code, "forbidden");
    office.ask_as(&at(1001), approve.clone()).await.unwrap();
    let collar = office.world.desk.look(|s| s.limits()[&name("main")].collar_bps);
    assert_eq!(collar, 600);
    let (code, _) = office.ask_as(&at(1001), approve).await.unwrap_err();
    assert_eq!(code, "approval_ended");
    let listed = office.ask_as(&at(1001), json!({"op": "approvals"})).await.unwrap();
    let request = &listed["requests"][0];
    assert_eq!((&request["ended_by"], &request["factor"]), (&json!("pia"), &json!("local-socket")));
    let status = office.ask_as(&at(1001), json!({"op": "status"})).await.unwrap();
    assert_eq!((&status["approvals"], &status["has_admin"]), (&json!("two"), &json!(true)));
    // One who is not mapped.
    assert_eq!(at(1003).person.as_str(), "uid-1003");
    let (code, _) = office.ask_as(&at(1003), json!({"op": "approvals"})).await.unwrap_err();
    assert_eq!(code, "forbidden");
}

#[tokio::test]
async fn a_key_is_in_force_once_it_is_approved_and_forgotten_otherwise() {
    let office = manned().await;
    let add = json!({"op": "key-add", "caller": "ann", "account": "main"});
    let made = office.ask_as(&someone("ada"), add.clone()).await.unwrap();
    let (id, pending) = (made["id"].as_str().unwrap(), made["pending"].as_u64().unwrap());
    assert!(made["secret"].is_string());
    assert!(!office.admin.parts.callers.is_in_force(&name(id), clock::now()));
    approve(&office, "pia", pending).await.unwrap();
    assert!(office.admin.parts.callers.is_in_force(&name(id), clock::now()));

    let made = office.ask_as(&someone("ada"), add).await.unwrap();
    let (id, pending) = (made["id"].as_str().unwrap(), made["pending"].as_u64().unwrap());
    let kept = |id: &str| {
        let id = name(id);
        office.admin.with_secrets(move |secrets| secrets.get(&id).map(|found| found.is_some()))
    };
    assert!(kept(id).await.unwrap());
    office.ask_as(&someone("pia"), json!({"op": "deny", "id": pending})).await.unwrap();
    office.admin.sweep_sealed().await.unwrap();
    assert!(!kept(id).await.unwrap());
    assert!(!office.admin.parts.callers.is_in_force(&name(id), clock::now()));
}

#[tokio::test]
async fn the_token_approves_nothing() {
    let office = manned().await;
    let owner = Administrator { factor: None, ..someone("pia") };
    let id = asked(&office, "ray", limits_of(8000)).await;
    let approve = json!({"op": "approve", "id": id, "digest": digest(&office, id).await});
    let (code, _) = office.ask_as(&owner, approve).await.unwrap_err();
    assert_eq!(code, "forbidden");
    let told = office.ask_as(&someone("udo"), json!({"op": "approvals"})).await.unwrap();
    assert_eq!(told["requests"][0]["stage"], "waiting");
}

#[tokio::test]
async fn what_is_forbidden_is_on_record() {
    let office = manned().await;
    let seen = || office.world.desk.look(|s| s.refusals().get(&Code::NotAllowed).copied());
    assert_eq!(seen(), None);
    let (code, _) = office.ask_as(&someone("udo"), limits_of(9000)).await.unwrap_err();
    assert_eq!(code, "forbidden");
    assert_eq!(seen(), Some(1));
    // The rest of that second is counted, and written as one record.
    let (before, begun) = (office.world.desk.next_seq(), Instant::now());
    for _ in 0..50 {
        office.ask_as(&someone("udo"), limits_of(9000)).await.unwrap_err();
    }
    let written = office.world.desk.next_seq().0 - before.0;
    assert!(written <= begun.elapsed().as_secs() + 1, "{written} records");
    let told = office.ask_as(&someone("ada"), json!({"op": "status"})).await.unwrap();
    let why = told["recent_refusals"].to_string();
    assert!(why.contains("administration: udo: udo may not"), "{why}");
}

#[tokio::test]
async fn passkeys_are_asked_for_once_everybody_has_one() {
    let office = manned().await;
    let on = json!({"op": "approve-by-set", "approve_by": "passkey"});
    let (code, message) = office.ask_as(&someone("ada"), on).await.unwrap_err();
    assert_eq!(code, "no_passkey");
    assert!(message.contains("ada, pia, ray"), "{message}");
    let odd = json!({"op": "approve-by-set", "approve_by": "sms"});
    assert_eq!(office.ask_as(&someone("ada"), odd).await.unwrap_err().0, "bad_request");
}

/// Where the desk asks for passkeys, one factor is not enough for anything that loosens, with one person as with two.
#[tokio::test]
async fn with_passkeys_asked_for_the_socket_loosens_nothing() {
    let office = manned().await;
    let one = json!({"op": "approvals-set", "approvals": "one"});
    let id = asked(&office, "ada", one).await;
    approve(&office, "pia", id).await.unwrap();
    let halt = json!({"op": "halt", "scope": "caller:bob", "reason": "x", "timeout_s": 0});
    let _ = office.ask_as(&someone("ray"), halt).await;
    let options = json!({"op": "option-limits-set", "account": "main", "max_margin_bps": 9500});
    office.ask_as(&someone("ray"), options).await.unwrap();
    // All had one, or it would not have been turned on.
    let on = tidegate_types::record::Change::ApproveBySet {
        approve_by: tidegate_types::record::ApproveBy::Passkey,
    };
    let answer = office.world.desk.administer(name("ada"), on).await;
    assert!(matches!(answer, Answer::Done), "{answer:?}");
    let mut waited = Vec::new();
    for Sample { request, action, .. } in samples(0) {
        let loosens = matches!(
            action,
            Action::Resume
                | Action::AccountAdd
                | Action::KeyAdd
                | Action::GrantLoosen
                | Action::LimitsLoosen
                | Action::AppSet
                | Action::PersonLoosen
                | Action::PersonInvite
                | Action::FactorOff
        );
        if !loosens || request["op"] == "key-rotate" {
            continue;
        }
        let row = action.row();
        let column = (0..PEOPLE.len()).find(|at| matches!(row[*at], Reach::All | Reach::Others));
        let who = PEOPLE[column.unwrap()];
        let id = asked(&office, who, request.clone()).await;
        let approved = approve(&office, who, id).await.unwrap_err();
        assert_eq!(approved.0, "needs_passkey", "{request}: {approved:?}");
        waited.push(action);
    }
    assert!(waited.len() >= 9, "{waited:?}");
}

#[tokio::test]
async fn a_trader_sees_its_own_in_the_status_and_nothing_else() {
    let office = manned().await;
    office.world.desk.submit(ann(), None, buy("1", "100")).await;
    for scope in ["caller:bob", "caller:ann"] {
        let halt = json!({"op": "halt", "scope": scope, "reason": "x", "timeout_s": 0});
        let _ = office.ask_as(&someone("ray"), halt).await;
    }
    let all = office.ask_as(&someone("ray"), json!({"op": "status"})).await.unwrap();
    assert_eq!(all["callers"].as_array().unwrap().len(), 2);
    assert_eq!(all["halts"].as_array().unwrap().len(), 2);
    let own = office.ask_as(&someone("tom"), json!({"op": "status"})).await.unwrap();
    assert_eq!(own["callers"].as_array().unwrap().len(), 1);
    assert_eq!(own["callers"][0]["caller"], "ann");
    assert_eq!(own["halts"].as_array().unwrap().len(), 1);
    assert!(!own.to_string().contains("bob"), "{own}");
    // Nor is another's order there by any name.
    let order =
        office.world.desk.look(|state| state.orders().iter().next().unwrap().client_id.clone());
    let tom_too = json!({"op": "person-set", "person": "tom", "roles": ["trader"], "owns": []});
    office.ask_as(&someone("ada"), tom_too).await.unwrap();
    let halt = |scope: String| json!({"op": "halt", "scope": scope, "reason": "x", "timeout_s": 0});
    let name = format!("order:{}", order.unwrap());
    let (code, there) = office.ask_as(&someone("tom"), halt(name.clone())).await.unwrap_err();
    let (_, absent) =
        office.ask_as(&someone("tom"), halt("order:tgno-1".to_owned())).await.unwrap_err();
    assert_eq!(code, "bad_request");
    assert_eq!(there.replace(name.trim_start_matches("order:"), "tgno-1"), absent);
}

#[tokio::test]
async fn who_is_nobody_of_the_desk_sees_halts_and_no_more() {
    let office = manned().await;
    let halt = |scope: &str| json!({"op": "halt", "scope": scope, "reason": "x", "timeout_s": 0});
    for scope in ["venue:binance", "caller:ann"] {
        let _ = office.ask_as(&someone("ray"), halt(scope)).await;
    }
    // A user of the machine, and somebody who was removed.
    let gone = json!({"op": "person-remove", "person": "udo"});
    office.ask_as(&someone("ada"), gone).await.unwrap();
    for who in ["uid-1001", "udo"] {
        let status = office.ask_as(&someone(who), json!({"op": "status"})).await.unwrap();
        for hidden in ["accounts", "callers", "alarms", "recent_refusals"] {
            assert_eq!(status[hidden], json!([]), "{who}: {hidden}");
        }
        assert_eq!(status["counts"]["orders"], 0, "{who}");
        let halts = status["halts"].as_array().unwrap();
        assert_eq!(halts.len(), 1, "{who}: {halts:?}");
        assert_eq!(halts[0]["scope"], "venue:binance");
        let keys = office.ask_as(&someone(who), json!({"op": "keys"})).await;
        assert!(matches!(keys, Err((code, _)) if code == "forbidden"), "{who}");
    }
}

#[tokio::test]
async fn before_there_is_an_admin_the_owner_alone_sees_the_desk() {
    let office = office().await;
    let stranger = someone("uid-1001");
    let seen = |status: Value| status["callers"].as_array().unwrap().len();
    let status = json!({"op": "status"});
    assert_eq!(seen(office.ask_as(&stranger, status.clone()).await.unwrap()), 0);
    assert!(seen(office.ask(status).await.unwrap()) > 0);
    assert!(office.ask_as(&stranger, json!({"op": "keys"})).await.is_err());
}

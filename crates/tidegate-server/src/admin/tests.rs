use super::protocol::{Request, Response};
use super::*;
use crate::clock;
use crate::config::Config;
use crate::desk::tests::{World, ann, buy, name, world};
use crate::disk::DiskWatch;
use crate::edge::Connections;
use crate::folder::DataFolder;
use crate::front::Callers;
use crate::people::People;
use crate::web::api::Api;
use crate::web::{Pages, Web};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tidegate_core::action::Answer;
use tidegate_core::event::Event;
use tidegate_identity::{Keyring, ReplayGuard, people};
use tidegate_journal::{FlushEvent, JournalError};
use tidegate_types::approval::{Factor, Showing};
use tidegate_types::grant::Scope;
use tidegate_types::ids::OrderId;
use tidegate_types::reject::Code;
use tidegate_types::report::{AccountEvent, OrderReport, VenueState};
use tidegate_types::request::{Method, RawRequest};
use tidegate_vault::store::VenueKeyInfo;
use tidegate_vault::{CallerSecrets, Unlock, VenueKeys, new_key_file};
use tokio::sync::watch;

mod apps;
pub(crate) mod roles;
mod venue_keys;

/// The keys of the vault, and whether they can be read again without a person.
#[derive(Default)]
struct Vault {
    held: Mutex<Vec<VenueKeyInfo>>,
    attended: AtomicBool,
}

impl Reload for Arc<Vault> {
    fn held(&self) -> Vec<VenueKeyInfo> {
        self.held.lock().unwrap().clone()
    }

    fn take_up(&self) {}

    fn reload(&self) -> BoxFuture<'_, Result<Vec<VenueKeyInfo>, String>> {
        let attended = self.attended.load(Ordering::Relaxed);
        let read = if attended { Err("by passphrase".to_owned()) } else { Ok(self.held()) };
        Box::pin(async { read })
    }
}

pub(crate) struct Office {
    pub(crate) world: World,
    pub(crate) admin: Arc<Administration>,
    folder: DataFolder,
    vault: Arc<Vault>,
    pub(crate) stop: watch::Receiver<bool>,
}

pub(crate) async fn office() -> Office {
    // Two whom the machine knows.
    let people = [("4000001", "ada"), ("4000002", "pia")];
    let people = people.map(|(uid, who)| (uid.to_owned(), who.to_owned())).into();
    office_of(Config { people, ..Config::default() }).await
}

/// One whose listener asks for certificates.
pub(crate) async fn asking() -> Office {
    let mut config = Config::default();
    config.listen.client_certificates = true;
    office_of(config).await
}

/// One that takes RSA keys of 2048 bits.
pub(crate) async fn lowered() -> Office {
    let mut config = Config::default();
    config.keys.rsa_bits = 2048;
    office_of(config).await
}

async fn office_of(config: Config) -> Office {
    let world = world().await;
    let folder = DataFolder::new(world.folder.path());
    let unlock: Unlock = new_key_file(&folder.vault_key()).unwrap();
    let vault = VenueKeys::create(&folder.vault(), &unlock).unwrap();
    let secrets = CallerSecrets::create(&folder.callers(), vault.callers_key().unwrap()).unwrap();
    let secrets = Arc::new(Mutex::new(secrets));
    let people = people::State::default();
    let people = People::new(Arc::clone(&world.desk), people, Arc::clone(&secrets)).unwrap();
    people.open("https://localhost:8443").unwrap();
    std::fs::write(folder.admin_token(), "open sesame\n").unwrap();
    std::fs::set_permissions(folder.admin_token(), std::fs::Permissions::from_mode(0o600)).unwrap();
    let replays = ReplayGuard::new(crate::clock::now(), None);
    let keyring = Keyring::taking(config.keys.rsa());
    let (sender, stop) = watch::channel(false);
    let held = Arc::new(Vault::default());
    let parts = Parts {
        desk: Arc::clone(&world.desk),
        oauth: crate::web::oauth::tests::opened(&world.desk),
        callers: Arc::new(Callers::new(
            keyring,
            replays,
            (100, 100),
            crate::edge::Limits::default(),
            BTreeMap::new(),
        )),
        links: Arc::clone(&world.links),
        people,
        connections: Connections::new(1, 1),
        config,
        folder: folder.clone(),
        disk: DiskWatch::start(&folder, |_| ()).unwrap(),
        owner_uid: std::fs::metadata(folder.path()).unwrap().uid(),
        signer_pid: Box::new(|| Some(7)),
        reload: Box::new(Arc::clone(&held)),
        stop: sender,
    };
    Office { admin: Administration::new(parts, secrets), world, folder, vault: held, stop }
}

fn owner() -> Administrator {
    Administrator {
        person: name("owner"),
        full: true,
        factor: Some(Factor::LocalSocket),
        showing: Showing::Door,
    }
}

impl Office {
    pub(crate) fn callers(&self) -> Arc<Callers> {
        Arc::clone(&self.admin.parts.callers)
    }

    pub(crate) fn oauth(&self) -> Arc<crate::web::oauth::Handle> {
        Arc::clone(&self.admin.parts.oauth)
    }

    pub(crate) fn people(&self) -> Arc<People> {
        Arc::clone(&self.admin.parts.people)
    }

    pub(crate) fn someone(&self, who: &str) -> Administrator {
        Administrator {
            person: name(who),
            full: false,
            factor: Some(Factor::LocalSocket),
            showing: Showing::Door,
        }
    }

    pub(crate) fn web(&self) -> Web {
        let people = Arc::clone(&self.admin.parts.people);
        let (desk, admin) = (Arc::clone(&self.world.desk), Arc::clone(&self.admin));
        let api = self.api(Default::default());
        let pages = Pages::new(desk, people, admin, self.oauth());
        Web::new(api, self.oauth(), pages)
    }

    /// The unified API over the records in a folder.
    pub(crate) fn api(&self, records: std::path::PathBuf) -> Api {
        let (desk, admin) = (Arc::clone(&self.world.desk), Arc::clone(&self.admin));
        Api::new(desk, self.callers(), self.oauth(), self.people(), admin, records)
    }

    /// Gives the administration another token.
    pub(crate) fn set_token(&self, text: &str) {
        std::fs::write(self.folder.admin_token(), text).unwrap();
    }

    pub(crate) async fn ask(&self, request: Value) -> Result<Value, (String, String)> {
        self.ask_as(&owner(), request).await
    }

    pub(crate) async fn ask_as(
        &self,
        by: &Administrator,
        request: Value,
    ) -> Result<Value, (String, String)> {
        let request: Request = serde_json::from_value(request).unwrap();
        match self.admin.carry_out(by, request).await {
            Response::Ok(value) => Ok(value),
            Response::Error(failure) => Err((failure.code, failure.message)),
        }
    }
}

#[tokio::test]
async fn status_tells_what_there_is() {
    let office = office().await;
    office.world.desk.submit(ann(), None, buy("1", "100")).await;
    let status = office.ask(json!({"op": "status"})).await.unwrap();
    assert_eq!(status["pids"]["signer"], 7);
    assert_eq!(status["durability"], "disk");
    let account = &status["accounts"][0];
    assert_eq!(account["account"], "main");
    assert_eq!(account["open"], true);
    assert_eq!(account["open_orders"], 1);
    assert_eq!(account["open_notional"], "100");
    assert_eq!(status["latency"]["decision"]["count"].as_u64().map(|n| n > 0), Some(true));
}

#[tokio::test]
async fn a_caller_is_set_up_and_its_key_is_shown_once() {
    let office = office().await;
    office.ask(json!({"op": "caller-add", "caller": "bob"})).await.unwrap();
    let again = office.ask(json!({"op": "caller-add", "caller": "bob"})).await;
    assert!(again.is_err(), "{again:?}");
    let key = json!({"op": "key-add", "caller": "bob", "account": "main"});
    let made = office.ask(key).await.unwrap();
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert!(secret.len() >= 32);
    assert!(office.admin.parts.callers.is_in_force(&name(id), clock::now()));
    let grant = json!({"op": "grant-set", "caller": "bob", "account": "main", "trade": true,
        "instruments": ["BTC*"], "sides": ["buy"], "max_order_notional": "5000.5",
        "max_open_notional": "9000", "orders_per_second": 5, "burst": 10});
    office.ask(grant).await.unwrap();
    let granted = office.world.desk.look(|state| {
        state.grant(&name("bob"), &name("main")).map(|g| g.max_order_notional.to_string())
    });
    assert_eq!(granted.as_deref(), Some("5000.5"));
    office.ask(json!({"op": "key-revoke", "id": id})).await.unwrap();
    assert!(!office.admin.parts.callers.is_in_force(&name(id), clock::now()));
    let removed = json!({"op": "grant-remove", "caller": "bob", "account": "main"});
    office.ask(removed).await.unwrap();
}

#[tokio::test]
async fn an_account_added_now_refuses_orders_that_would_meet() {
    let office = office().await;
    let told = |account: &str| {
        office.world.desk.look(|state| {
            let all = state.self_trades();
            let owner = all.owner(&name(account)).map(ToString::to_string);
            (all.mode(&name(account)).to_string(), owner)
        })
    };
    assert_eq!(told("main"), ("off".to_owned(), None));
    let add = |account: &str| json!({"op": "account-add", "venue": "binance", "account": account});
    office.ask(add("second")).await.unwrap();
    assert_eq!(told("second").0, "refuse");
    let mut third = add("third");
    third["self_trade"] = json!("off");
    office.ask(third).await.unwrap();
    assert_eq!(told("third").0, "off");
    // What is there already keeps its mode, though it is added in vain.
    assert!(office.ask(add("third")).await.is_err());
    assert_eq!(told("third").0, "off");
    let set = json!({"op": "self-trade-set", "account": "third", "mode": "cancel-old"});
    office.ask(set).await.unwrap();
    let owned = json!({"op": "account-owner", "account": "third", "owner": "fund"});
    office.ask(owned).await.unwrap();
    assert_eq!(told("third"), ("cancel-old".to_owned(), Some("fund".to_owned())));
    let status = office.ask(json!({"op": "status"})).await.unwrap();
    let accounts = status["accounts"].as_array().unwrap();
    let third = accounts.iter().find(|account| account["account"] == "third").unwrap();
    assert_eq!((&third["self_trade"], &third["owner"]), (&json!("cancel-old"), &json!("fund")));
    office.ask(json!({"op": "account-owner", "account": "third"})).await.unwrap();
    assert_eq!(told("third").1, None);
}

#[tokio::test]
async fn mistakes_are_named() {
    let office = office().await;
    let limits = |field: &str, value: Value| {
        let mut limits = json!({"op": "limits-set", "account": "main",
            "max_order_notional": "1", "max_open_notional": "1", "max_position_notional": "1", "max_exposure": "1",
            "collar_bps": 1, "option_collar_bps": 1, "max_mark_age_ms": 1,
            "orders_per_second": 1, "burst": 1});
        limits[field] = value;
        limits
    };
    let table = [
        (json!({"op": "halt", "scope": "everything", "reason": "x"}), "scope"),
        (json!({"op": "caller-add", "caller": "a b"}), "caller"),
        (json!({"op": "account-add", "venue": "nowhere", "account": "x"}), "not configured"),
        (json!({"op": "key-add", "caller": "ann", "account": "none"}), "no account"),
        (json!({"op": "key-add", "caller": "ann", "account": "main", "public": "12"}), "public"),
        (
            json!({"op": "key-add", "caller": "ann", "account": "main", "public": "+f".repeat(32)}),
            "public",
        ),
        (json!({"op": "venue-key-reload", "account": "main"}), "no key"),
        (limits("max_order_notional", json!("-1")), "negative"),
        (limits("max_order_notional", json!("much")), "max_order_notional"),
        (limits("account", json!("none")), "no account"),
        (json!({"op": "self-trade-set", "account": "none", "mode": "off"}), "no account"),
        (json!({"op": "self-trade-set", "account": "main", "mode": "maybe"}), "cancel-old"),
        (json!({"op": "account-owner", "account": "main", "owner": "a b"}), "owner"),
    ];
    for (request, said) in table {
        let answer = office.ask(request.clone()).await;
        let Err((_, message)) = answer else { panic!("{request} passed") };
        assert!(message.contains(said), "{request}: {message}");
    }
    office.ask(limits("burst", json!(2))).await.unwrap();
}

#[tokio::test]
async fn others_may_look_and_halt_and_nothing_else() {
    let office = office().await;
    let other = Administrator {
        person: name("uid-1"),
        full: false,
        factor: Some(Factor::LocalSocket),
        showing: Showing::Door,
    };
    for request in [
        json!({"op": "resume", "scope": "all", "reason": "x"}),
        json!({"op": "caller-add", "caller": "eve"}),
        json!({"op": "key-add", "caller": "ann", "account": "main"}),
        json!({"op": "shutdown"}),
    ] {
        let (code, _) = office.ask_as(&other, request).await.unwrap_err();
        assert_eq!(code, "forbidden");
    }
    assert!(!*office.stop.borrow());
    office.ask_as(&other, json!({"op": "status"})).await.unwrap();
    let halt = json!({"op": "halt", "scope": "caller:ann", "reason": "test"});
    let halted = office.ask_as(&other, halt).await.unwrap();
    assert_eq!(halted["proven"], true);
    let answer = office.world.desk.submit(ann(), None, buy("1", "100")).await;
    assert!(matches!(&answer, Answer::Refused { reject } if reject.code == Code::Halted));
    office.ask(json!({"op": "resume", "scope": "caller:ann", "reason": "done"})).await.unwrap();
    let answer = office.world.desk.submit(ann(), None, buy("1", "100")).await;
    assert!(matches!(answer, Answer::Venue { .. }), "{answer:?}");
}

#[tokio::test]
async fn a_halt_that_is_not_proven_in_time_says_what_is_left() {
    let office = office().await;
    office.world.desk.submit(ann(), None, buy("1", "100")).await;
    // The venue says that it knows no such order while nothing shows it gone.
    office.world.told.hang.store(true, std::sync::atomic::Ordering::Relaxed);
    let halt = json!({"op": "halt", "scope": "all", "reason": "test", "timeout_s": 1});
    let request: Request = serde_json::from_value(halt).unwrap();
    let Response::Error(failure) = office.admin.carry_out(&owner(), request).await else {
        panic!("it cannot be proven");
    };
    assert_eq!(failure.code, "halt_not_proven");
    assert_eq!(failure.remains.left.len(), 1);
    assert_eq!(failure.remains.left[0].caller.as_deref(), Some("ann"));
}

#[tokio::test]
async fn what_keeps_a_halt_from_being_proven_is_said_and_shown() {
    let office = office().await;
    office.world.desk.submit(ann(), None, buy("1", "100")).await;
    office.world.told.refuse_connections.store(true, std::sync::atomic::Ordering::Relaxed);
    let halt = json!({"op": "halt", "scope": "all", "reason": "test", "timeout_s": 1});
    let request: Request = serde_json::from_value(halt).unwrap();
    let Response::Error(failure) = office.admin.carry_out(&owner(), request).await else {
        panic!("it cannot be proven");
    };
    let why = failure.remains.left[0].why.clone().unwrap();
    assert!(why.contains("not sent") && why.contains("TG801"), "{why}");
    let status = office.ask(json!({"op": "status"})).await.unwrap();
    let shown = &status["halts"][0];
    assert_eq!((&shown["proven"], &shown["left_count"]), (&json!(false), &json!(1)));
    assert!(shown["left"][0]["why"].as_str().unwrap().contains("TG801"), "{shown}");

    // Nothing is left but the venue's word for it, which does not come.
    let resume = json!({"op": "resume", "scope": "all", "reason": "again"});
    office.ask(resume).await.unwrap();
    let halt = json!({"op": "halt", "scope": "instrument:binance/BTCUSDT", "reason": "test"});
    let id = office.world.desk.look(|state| state.orders().open().next().unwrap().id);
    office.world.desk.event(gone(&office.world, id));
    let mut request = halt.as_object().unwrap().clone();
    request.insert("timeout_s".to_owned(), json!(1));
    let request: Request = serde_json::from_value(Value::Object(request)).unwrap();
    let Response::Error(failure) = office.admin.carry_out(&owner(), request).await else {
        panic!("it cannot be proven");
    };
    assert!(failure.remains.left.is_empty());
    let why = &failure.remains.not_shown[0].why;
    assert!(why.contains("does not show") && why.contains("TG801"), "{why}");

    office.world.told.refuse_connections.store(false, std::sync::atomic::Ordering::Relaxed);
    for _ in 0..400 {
        let status = office.ask(json!({"op": "status"})).await.unwrap();
        if status["halts"][0]["proven"] == true {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it is proven once the venue answers");
}

/// The stream tells that an order was cancelled.
fn gone(world: &World, id: OrderId) -> Event {
    let order = world.desk.look(|state| state.orders().get(id).unwrap().clone());
    let report = OrderReport {
        instrument: order.request.instrument.clone(),
        client_id: order.client_id.clone(),
        venue_id: order.venue_id.clone().unwrap(),
        triggered_as: None,
        side: order.request.side,
        order_type: order.request.order_type,
        state: VenueState::Cancelled,
        qty: order.request.qty,
        filled: order.filled,
        price: order.request.price,
        average: None,
        trigger_price: None,
        post_only: None,
        reduce_only: None,
        at: crate::clock::now(),
    };
    Event::Streamed { account: name("main"), event: AccountEvent::Order { report } }
}

#[tokio::test]
async fn positions_are_closed_for_the_owner_alone() {
    let office = office().await;
    let flatten =
        |scope: &str| json!({"op": "halt", "scope": scope, "reason": "out", "flatten": true});
    let other = Administrator {
        person: name("uid-1"),
        full: false,
        factor: Some(Factor::LocalSocket),
        showing: Showing::Door,
    };
    let (code, _) = office.ask_as(&other, flatten("all")).await.unwrap_err();
    assert_eq!(code, "forbidden");
    let (code, message) = office.ask(flatten("caller:ann")).await.unwrap_err();
    assert_eq!(code, "TG207");
    assert!(message.contains("no positions of its own"), "{message}");
    assert!(office.world.desk.look(|state| state.halts().is_empty()), "nothing is halted by that");

    let told = office.ask(flatten("all")).await.unwrap();
    assert_eq!(
        told,
        json!({"scope": "all", "cancelled": 0, "proven": true, "flat": true, "closed": []})
    );
    let status = office.ask(json!({"op": "status"})).await.unwrap();
    assert_eq!(status["halts"][0]["flatten"], "flat");
}

#[tokio::test]
async fn an_order_is_halted_by_any_of_its_names() {
    let office = office().await;
    office.world.desk.submit(ann(), None, buy("1", "100")).await;
    let status = office.ask(json!({"op": "status"})).await.unwrap();
    assert_eq!(status["accounts"][0]["open_orders"], 1);
    let names = office.world.desk.look(|state| {
        let order = state.orders().open().next().unwrap();
        let (client, venue) = (order.client_id.clone().unwrap(), order.venue_id.clone().unwrap());
        [order.id.to_string(), client.to_string(), format!("main/{venue}")]
    });
    let number = format!("order:{}", names[0]);
    for name in names {
        let halt = json!({"op": "halt", "scope": format!("order:{name}"), "reason": "odd", "timeout_s": 0});
        let (code, _) = office.ask(halt).await.unwrap_err();
        assert_eq!(code, "halt_not_proven", "{name}");
        let status = office.ask(json!({"op": "status"})).await.unwrap();
        assert_eq!(status["halts"][0]["scope"], number, "{name}");
        let resume = json!({"op": "resume", "scope": format!("order:{name}"), "reason": "fine"});
        office.ask(resume).await.unwrap();
    }
    let halt = json!({"op": "halt", "scope": "order:main/nothing", "reason": "odd"});
    let (code, message) = office.ask(halt).await.unwrap_err();
    assert_eq!((code.as_str(), message.contains("no order")), ("bad_request", true));
}

#[tokio::test]
async fn the_halt_file_halts_everything() {
    let office = office().await;
    // A halt that lets orders pass which reduce is not enough of one.
    let mild = json!({"op": "halt", "scope": "all", "reason": "calm", "allow_reduce": true});
    office.ask(mild).await.unwrap();
    std::fs::write(office.folder.halt_file(), "fire drill\n").unwrap();
    halt_file::check(&office.admin);
    // Who halted first and why stays.
    let halt = office.world.desk.look(|state| state.halts()[&Scope::All].clone());
    let too: Vec<_> = halt.too.values().map(|(why, _)| why.as_str()).collect();
    assert_eq!((halt.reason.as_str(), too), ("calm", vec!["fire drill"]));
    assert!(office.world.desk.look(|state| !state.halts()[&Scope::All].allow_reduce));
    let resume = json!({"op": "resume", "scope": "all", "reason": "over"});
    let (code, message) = office.ask(resume.clone()).await.unwrap_err();
    assert_eq!(code, "halt_file");
    assert!(message.contains("HALT"), "{message}");
    std::fs::remove_file(office.folder.halt_file()).unwrap();
    halt_file::check(&office.admin);
    let answer = office.world.desk.submit(ann(), None, buy("1", "100")).await;
    assert!(
        matches!(&answer, Answer::Refused { reject } if reject.code == Code::Halted),
        "the file is gone and the halt is not: {answer:?}"
    );
    office.ask(resume).await.unwrap();
    assert!(office.world.desk.look(|state| state.halts().is_empty()));
}

#[tokio::test]
async fn a_halt_without_a_journal_is_kept_by_the_halt_file() {
    let office = office().await;
    let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let failed = JournalError::io("write", "segment")(source);
    office.world.desk.flushed(FlushEvent::Failed(failed));
    let halt = json!({"op": "halt", "scope": "caller:ann", "reason": "disk", "timeout_s": 0});
    let _ = office.ask(halt.clone()).await;
    let kept = std::fs::read_to_string(office.folder.halt_file()).unwrap();
    assert!(kept.contains("caller:ann"), "{kept}");

    std::fs::remove_file(office.folder.halt_file()).unwrap();
    std::fs::create_dir(office.folder.halt_file()).unwrap();
    let (code, message) = office.ask(halt).await.unwrap_err();
    assert_eq!(code, "halt_not_kept");
    assert!(message.contains("a restart would forget it"), "{message}");
}

#[tokio::test]
async fn https_asks_for_the_token() {
    let office = office().await;
    let request = |method, token: Option<&str>, body: &str| RawRequest {
        method,
        path: "/admin/v1".to_owned(),
        query: String::new(),
        headers: token.map(|t| ("authorization".to_owned(), t.to_owned())).into_iter().collect(),
        body: body.as_bytes().to_vec(),
        peer: [127, 0, 0, 1].into(),
        certificate: None,
    };
    let status = r#"{"op":"status"}"#;
    let table = [
        (Method::Get, Some("Bearer open sesame"), status, 405),
        (Method::Post, None, status, 401),
        (Method::Post, Some("open sesame"), status, 401),
        (Method::Post, Some("Bearer open sesam"), status, 401),
        (Method::Post, Some("Bearer "), status, 401),
        (Method::Post, Some("Bearer open sesame"), "{", 400),
        (Method::Post, Some("Bearer open sesame"), r#"{"op":"status","x":1}"#, 400),
        (
            Method::Post,
            Some("Bearer open sesame"),
            r#"{"op":"resume","scope":"all","reason":""}"#,
            409,
        ),
        (Method::Post, Some("Bearer open sesame"), status, 200),
    ];
    for (method, token, body, expected) in table {
        let reply = office.admin.over_http(request(method, token, body)).await;
        assert_eq!(reply.status, expected, "{token:?} {body}");
    }
    assert!(office.world.desk.look(|state| state.refusals().contains_key(&Code::BadToken)));
    // Whoever guesses is not told so for a while; who has the token is heard, from there too.
    let token = Some("Bearer open sesame");
    let mut guesses = 0;
    while office.admin.over_http(request(Method::Post, Some("Bearer x"), status)).await.status
        == 401
    {
        guesses += 1;
        assert!(guesses < 10, "with those above");
    }
    assert!(guesses > 5);
    let wrong = request(Method::Post, Some("Bearer x"), status);
    assert_eq!(office.admin.over_http(wrong).await.status, 429);
    assert_eq!(office.admin.over_http(request(Method::Post, token, status)).await.status, 200);
    let elsewhere =
        || RawRequest { peer: [192, 0, 2, 1].into(), ..request(Method::Post, token, status) };
    assert_eq!(office.admin.over_http(elsewhere()).await.status, 200);
    // A token that others can read is none, a second later.
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(office.folder.admin_token(), open).unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(office.admin.over_http(elsewhere()).await.status, 401);
}

#[tokio::test]
async fn the_socket_is_private_and_answers_line_by_line() {
    let office = office().await;
    let thread = start(Arc::clone(&office.admin)).unwrap();
    let path = office.folder.admin_socket();
    let mode = std::fs::metadata(&path).unwrap().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let answers = tokio::task::spawn_blocking(move || {
        use std::io::{BufRead, BufReader, Write};
        let mut stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(b"{\"op\":\"status\"}\nnonsense\n{\"op\":\"shutdown\"}\n").unwrap();
        let lines = BufReader::new(stream).lines().take(3);
        lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect::<Vec<Value>>()
    });
    let answers = answers.await.unwrap();
    assert_eq!(answers[0]["ok"]["desk"], "desk");
    assert_eq!(answers[1]["error"]["code"], "bad_request");
    assert!(answers[2].get("ok").is_some());
    let ended = tokio::task::spawn_blocking(move || thread.join());
    tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap().unwrap().unwrap();
}

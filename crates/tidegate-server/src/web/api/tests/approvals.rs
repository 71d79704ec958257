//! Lifting halts in a person's name, and the requests for approval that come of it.

use super::tokens::shown;
use super::*;
use crate::people::subject;
use crate::people::tests::{Device, answer};
use crate::web::oauth::tests::{App, key};
use tidegate_identity::oauth::acr::Acr;
use tidegate_identity::oauth::authority::Approval;
use tidegate_identity::oauth::details;
use tidegate_types::approval::Factor;
use tidegate_types::time::Span;

/// A desk whose `ann` is an app, owned by `tom`; `rita` is of risk, `pia` approves.
struct Scene {
    desk: super::Desk,
    app: App,
    rita: String,
    tom: String,
    /// A key of `ann`'s.
    key: Key,
}

/// The answer to a request: its status, its headers and what it says.
struct Told(u16, Vec<(String, String)>, Value);

fn trading(lifts: bool) -> Value {
    let mut item = json!({"type": "tidegate_trading", "venue": "binance", "account": "main",
        "instruments": ["*"], "sides": ["buy"], "order_types": ["limit"],
        "max_order": {"notional": "500"}, "max_open_notional": "1000"});
    if lifts {
        item["lift_halts"] = json!(true);
    }
    json!([item])
}

async fn person(office: &Office, name: &str, roles: &[&str], owns: &[&str]) -> String {
    let people = office.people();
    let invited = json!({"op": "person-invite", "person": name});
    let set = json!({"op": "person-set", "person": name, "roles": roles, "owns": owns});
    let made = office.ask(invited).await.unwrap();
    office.ask(set).await.unwrap();
    let link = made["link"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
    let (mut device, first) = Device::make(&people.ask_first_passkey(&link).unwrap());
    people.enrol_passkey(&link, &answer(first), "here").await.unwrap();
    let asked = device.sign(&people.ask_passkey(name).unwrap());
    let id = people.log_in_by_passkey(name, &answer(asked), "here").await.unwrap();
    subject(people.enter(id.expose()).await.unwrap().handle)
}

async fn scene() -> Scene {
    let desk = desk().await;
    let office = &desk.office;
    for caller in ["ann", "bob"] {
        let _ = office.ask(json!({"op": "caller-add", "caller": caller})).await;
        desk.grant(caller, true).await;
    }
    let jwks = json!({"keys": [key(1).public().to_json()]});
    let app = json!({"op": "app-set", "app": "ann", "title": "A desk's eye", "jwks": jwks,
        "grants": ["client_credentials", "device_code"], "details": trading(true)});
    office.ask(app).await.unwrap();
    let key_of_ann = desk.key("ann").await;
    let tom = person(office, "tom", &["trader"], &["ann"]).await;
    let rita = person(office, "rita", &["risk"], &[]).await;
    for set in [
        json!({"op": "person-set", "person": "pia", "roles": ["approver"]}),
        // Once there is an administrator, nobody else is one.
        json!({"op": "person-set", "person": "ada", "roles": ["admin"]}),
    ] {
        office.ask(set).await.unwrap();
    }
    let app = App::of(office.oauth());
    Scene { app, rita, tom, key: key_of_ann, desk }
}

impl Scene {
    /// A token that a person granted who logged in so, so long ago.
    async fn token(&self, subject: &str, acr: Acr, age: Span, lifts: bool) -> String {
        let all = percent_encoding::NON_ALPHANUMERIC;
        let text = trading(lifts).to_string();
        let asked = percent_encoding::utf8_percent_encode(&text, all).to_string();
        let form = self.app.form(&format!("authorization_details={asked}"));
        let begun = self.app.post("/oauth/device_authorization", form, &[]).await;
        let begun: Value = serde_json::from_slice(&begun.body).unwrap();
        let granted = details::parse(&text).unwrap();
        let approval = Approval {
            subject: subject.to_owned(),
            acr,
            auth_time: clock::now().minus(age),
            amr: Vec::new(),
            delegates: Vec::new(),
            may_grant: granted.clone(),
            granted,
        };
        let code = begun["user_code"].as_str().unwrap();
        let people = self.desk.office.people();
        let app = tidegate_identity::oauth::client::ClientId::new("ann").unwrap();
        self.app.handle.device_approve(&people, &app, code, approval).await.unwrap();
        let kind = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
        let handle = begun["device_code"].as_str().unwrap();
        self.app.token_by(&format!("grant_type={kind}&device_code={handle}")).await
    }

    async fn fresh(&self) -> String {
        self.token(&self.rita, Acr::PhishingResistant, Span::ZERO, true).await
    }

    async fn ask(&self, token: &str, method: Method, target: &str, body: Value) -> Told {
        let reply = self.desk.api.answer(shown(&self.app, method, target, &body, token)).await;
        let told = serde_json::from_slice(&reply.body).unwrap();
        Told(reply.status, reply.headers, told)
    }

    /// Asks to lift the halt of the account.
    async fn lift(&self, token: &str) -> Told {
        let body = json!({"reason": "reconciled"});
        self.ask(token, Method::Post, "/v1/halts/account:main/resume", body).await
    }

    async fn halt(&self, scope: &str) {
        let halt = json!({"op": "halt", "scope": scope, "reason": "odd fills", "timeout_s": 0});
        let _ = self.desk.office.ask_as(&self.desk.office.someone("rita"), halt).await;
        assert!(self.is_halted(scope));
    }

    fn is_halted(&self, scope: &str) -> bool {
        self.desk
            .office
            .world
            .desk
            .look(|state| state.halts().contains_key(&scope.parse().unwrap()))
    }

    async fn as_(&self, who: &str, request: Value) -> Value {
        self.desk.office.ask_as(&self.desk.office.someone(who), request).await.unwrap()
    }
}

#[tokio::test]
async fn lifting_a_halt_takes_a_fresh_login_of_the_person_who_granted_the_token() {
    let scene = scene().await;
    scene.halt("account:main").await;
    let old = Span::from_secs(301);
    for (acr, age) in [
        (Acr::PhishingResistant, old),
        (Acr::Hardware, old),
        (Acr::TwoFactor, Span::ZERO),
        (Acr::Password, Span::ZERO),
    ] {
        let token = scene.token(&scene.rita, acr, age, true).await;
        let before = scene.desk.office.world.desk.next_seq();
        let Told(status, headers, told) = scene.lift(&token).await;
        assert_eq!(status, 401, "{told}");
        assert_eq!(told["type"], "/v1/problems/insufficient-user-authentication");
        assert_eq!((&told["status"], &told["retry"]), (&json!(401), &json!("log_in_anew")));
        assert_eq!(told["login"], json!({"acr_values": "phr", "max_age": 300}));
        let find = |name: &str| {
            let all = headers.iter().filter(|(header, _)| header == name);
            all.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        assert_eq!(find("content-type"), ["application/problem+json"]);
        let challenge = find("www-authenticate").into_iter().find(|it| it.starts_with("DPoP "));
        let challenge = challenge.unwrap();
        for part in [
            "error=\"insufficient_user_authentication\"",
            "acr_values=\"phr\"",
            "max_age=\"300\"",
            "resource_metadata=",
        ] {
            assert!(challenge.contains(part), "{challenge}");
        }
        assert!(scene.is_halted("account:main"));
        assert!(scene.desk.office.world.desk.next_seq() > before, "it is on record");
    }
    for acr in [Acr::PhishingResistant, Acr::Hardware] {
        let token = scene.token(&scene.rita, acr, Span::from_secs(60), true).await;
        let Told(status, _, told) = scene.lift(&token).await;
        assert_eq!((status, &told), (200, &json!({"scope": "account:main"})));
        assert!(!scene.is_halted("account:main"));
        scene.halt("account:main").await;
    }
}

#[tokio::test]
async fn nobody_lifts_by_a_token_what_they_may_not_lift_or_did_not_grant() {
    let scene = scene().await;
    for scope in ["account:main", "caller:bob", "caller:ann"] {
        scene.halt(scope).await;
    }
    let fresh = (Acr::PhishingResistant, Span::ZERO);
    let token = scene.fresh().await;
    let toms = scene.token(&scene.tom, fresh.0, fresh.1, true).await;
    let narrow = scene.token(&scene.rita, fresh.0, fresh.1, false).await;
    let own = scene.app.token().await;
    let before = scene.desk.office.world.desk.next_seq();
    for (token, status, code) in
        [(&toms, 403, "TG110"), (&narrow, 403, "TG301"), (&own, 403, "TG110")]
    {
        let Told(got, headers, told) = scene.lift(token).await;
        assert_eq!((got, &told["code"]), (status, &json!(code)), "{told}");
        let scope = headers.iter().any(|(_, value)| value.contains("insufficient_scope"));
        assert_eq!(scope, code == "TG301", "{headers:?}");
    }
    let wish = json!({"reason": "x"});
    let target = "/v1/halts/account:main/resume";
    let (status, told) = scene.desk.ask(&scene.key, Method::Post, target, wish.clone()).await;
    assert_eq!((status, &told["code"]), (403, &json!("TG110")), "{told}");
    assert!(told["detail"].as_str().unwrap().contains("https://localhost:8443/console/"));
    // Refusals of a kind within a second are one record.
    assert!(scene.desk.office.world.desk.next_seq().0 >= before.0 + 2);
    // What does not stand in the caller's way is not there for it, halted or not.
    for scope in ["caller:bob", "venue:binance", "nonsense"] {
        let target = format!("/v1/halts/{scope}/resume");
        let Told(status, _, told) = scene.ask(&token, Method::Post, &target, wish.clone()).await;
        assert_eq!((status, &told["title"]), (404, &json!("there is no such thing")), "{scope}");
    }
    for scope in ["account:main", "caller:bob", "caller:ann"] {
        assert!(scene.is_halted(scope), "{scope}");
    }
    // A person who is gone stands behind nothing.
    scene.as_("ada", json!({"op": "person-remove", "person": "rita"})).await;
    assert_eq!(scene.lift(&token).await.0, 401);
}

#[tokio::test]
async fn what_takes_two_waits_and_is_listed_shown_and_taken_back() {
    let scene = scene().await;
    scene.as_("ada", json!({"op": "approvals-set", "approvals": "two"})).await;
    for scope in ["account:main", "caller:ann"] {
        scene.halt(scope).await;
    }
    let token = scene.fresh().await;
    let Told(status, _, asked) = scene.lift(&token).await;
    assert_eq!((status, &asked["by"], &asked["mine"]), (202, &json!("rita"), &json!(true)));
    assert_eq!(
        (&asked["state"], &asked["waits_for"]),
        (&json!("waiting"), &json!("second_person"))
    );
    let said = asked["statement"].as_str().unwrap();
    for part in ["rita asks to lift the halt of account:main", "reconciled", "through app ann"] {
        assert!(said.contains(part), "{said}");
    }
    let id = asked["id"].as_str().unwrap();
    assert_eq!(asked["page"], format!("https://localhost:8443/console/approvals/{id}"));
    let other = json!({"reason": "x"});
    let target = "/v1/halts/caller:ann/resume";
    let Told(_, _, second) = scene.ask(&token, Method::Post, target, other).await;
    // In pages, the newest first.
    let get = async |target: &str| scene.ask(&token, Method::Get, target, Value::Null).await;
    let Told(_, _, page) = get("/v1/approvals?limit=1").await;
    assert_eq!(page["items"], json!([second]));
    let next = format!("/v1/approvals?limit=1&cursor={}", page["next"].as_str().unwrap());
    let Told(_, _, page) = get(&next).await;
    assert_eq!(page, json!({"items": [asked]}));
    let at = format!("/v1/approvals/{id}");
    let Told(status, _, told) = get(&at).await;
    assert_eq!((status, &told), (200, &asked));
    // It is not there for who may not see it, and nobody but who asked takes it back.
    let toms = scene.token(&scene.tom, Acr::PhishingResistant, Span::ZERO, true).await;
    let own = scene.app.token().await;
    for stranger in [&toms, &own] {
        let Told(_, _, list) = scene.ask(stranger, Method::Get, "/v1/approvals", Value::Null).await;
        assert_eq!(list, json!({"items": []}));
        assert_eq!(scene.ask(stranger, Method::Get, &at, Value::Null).await.0, 404);
    }
    assert_eq!(scene.ask(&toms, Method::Delete, &at, Value::Null).await.0, 404);
    assert_eq!(scene.ask(&own, Method::Delete, &at, Value::Null).await.0, 403);
    assert_eq!(scene.desk.ask(&scene.key, Method::Get, &at, Value::Null).await.0, 404);
    assert_eq!(scene.desk.ask(&scene.key, Method::Delete, &at, Value::Null).await.0, 403);
    let digest = asked["digest"].as_str().unwrap();
    scene
        .as_("pia", json!({"op": "approve", "id": id.parse::<u64>().unwrap(), "digest": digest}))
        .await;
    assert!(!scene.is_halted("account:main") && scene.is_halted("caller:ann"));
    let Told(_, _, told) = get(&at).await;
    assert_eq!((&told["state"], &told["ended_by"]), (&json!("carried_out"), &json!("pia")));
    let Told(status, _, told) = scene.ask(&token, Method::Delete, &at, Value::Null).await;
    assert_eq!((status, &told["type"]), (409, &json!("/v1/problems/approval-ended")));
    let at = format!("/v1/approvals/{}", second["id"].as_str().unwrap());
    let Told(status, _, told) = scene.ask(&token, Method::Delete, &at, Value::Null).await;
    assert_eq!(
        (status, &told["state"], &told["ended_by"]),
        (200, &json!("denied"), &json!("rita"))
    );
    let Told(_, _, list) = get("/v1/approvals").await;
    assert_eq!(list, json!({"items": []}));
    let Told(_, _, list) = get("/v1/approvals?state=ended").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_request_is_there_for_the_callers_that_it_is_about() {
    let scene = scene().await;
    scene.as_("ada", json!({"op": "approvals-set", "approvals": "two"})).await;
    let grant = |caller: &str| {
        json!({"op": "grant-set", "caller": caller, "account": "main", "trade": true,
            "instruments": ["*"], "max_order_notional": "900000", "max_open_notional": "900000",
            "orders_per_second": 50, "burst": 50})
    };
    let (of_ann, of_bob) =
        (scene.as_("rita", grant("ann")).await, scene.as_("rita", grant("bob")).await);
    assert!(of_ann["pending"].is_u64() && of_bob["pending"].is_u64(), "{of_ann} {of_bob}");
    let token = scene.fresh().await;
    // She sees both in the console; the app is told of what is about itself.
    let Told(_, _, list) = scene.ask(&token, Method::Get, "/v1/approvals", Value::Null).await;
    let ids: Vec<&Value> = list["items"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, [&json!(of_ann["pending"].to_string())]);
    let at = format!("/v1/approvals/{}", of_bob["pending"]);
    assert_eq!(scene.ask(&token, Method::Get, &at, Value::Null).await.0, 404);
    assert_eq!(scene.ask(&token, Method::Delete, &at, Value::Null).await.0, 404);
    // A bot's key sees what its owner may: a trader sees its own requests, an auditor all.
    let of_key =
        async || scene.desk.ask(&scene.key, Method::Get, "/v1/approvals", Value::Null).await;
    assert_eq!(of_key().await, (200, json!({"items": []})));
    let owns = |owns: &[&str]| json!({"op": "person-set", "person": "udo", "roles": ["auditor"], "owns": owns});
    let asked = scene.as_("ada", owns(&["ann"])).await;
    let listed = scene.as_("pia", json!({"op": "approvals"})).await;
    let requests = listed["requests"].as_array().unwrap();
    let digest = &requests.iter().find(|it| it["id"] == asked["pending"]).unwrap()["digest"];
    scene.as_("pia", json!({"op": "approve", "id": asked["pending"], "digest": digest})).await;
    let (_, list) = of_key().await;
    assert_eq!(list["items"][0]["id"], of_ann["pending"].to_string(), "{list}");
    assert_eq!(
        (list["items"].as_array().unwrap().len(), &list["items"][0]["mine"]),
        (1, &json!(false))
    );
}

#[tokio::test]
async fn who_cannot_be_sent_to_log_in_confirms_it_later_by_passkey() {
    let scene = scene().await;
    scene.halt("account:main").await;
    let stale = scene.token(&scene.rita, Acr::TwoFactor, Span::from_secs(3000), true).await;
    let target = "/v1/halts/account:main/resume";
    let wish = json!({"reason": "reconciled", "confirm_later": true});
    let Told(status, _, asked) = scene.ask(&stale, Method::Post, target, wish.clone()).await;
    assert_eq!((status, &asked["waits_for"]), (202, &json!("who_asked")), "{asked}");
    assert!(scene.is_halted("account:main"), "nothing is done before");
    // The same again is the request that waits already.
    let Told(_, _, again) = scene.ask(&stale, Method::Post, target, wish).await;
    assert_eq!(again, asked);
    let id: u64 = asked["id"].as_str().unwrap().parse().unwrap();
    let approve = json!({"op": "approve", "id": id, "digest": asked["digest"]});
    let office = &scene.desk.office;
    let by_socket = office.ask_as(&office.someone("rita"), approve.clone()).await;
    assert!(by_socket.is_err() && scene.is_halted("account:main"));
    let factor = Some(Factor::Passkey { credential: [7; 32] });
    let by = crate::admin::Administrator { factor, ..office.someone("rita") };
    office.ask_as(&by, approve).await.unwrap();
    assert!(!scene.is_halted("account:main"));
}

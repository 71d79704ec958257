use super::*;
use crate::admin::tests::{Office, office};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use std::net::IpAddr;
use tidegate_core::event::Event;
use tidegate_identity::people::password::breach_digests;
use tidegate_identity::people::{Begun, Factor};
use tidegate_types::codec::{from_bytes as decode, to_bytes};
use zeroize::Zeroizing;

pub(crate) mod attested;
mod on_record;

pub(crate) const ORIGIN: &str = "https://localhost:8443";
const PASSWORD: &str = "vier blaue Esel singen leise";
const OTHER: &str = "drei rote Hunde tanzen laut";

/// A device with one passkey: what a browser and an authenticator make together.
pub(crate) struct Device {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    person: String,
    count: u32,
}

impl Device {
    /// Makes a passkey as the options ask; the answer that a page sends.
    pub(crate) fn make(options: &Value) -> (Device, Value) {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let person = options["user"]["id"].as_str().unwrap().to_owned();
        let mut id = [0; 20];
        getrandom::fill(&mut id).unwrap();
        let device = Device { key, id: id.to_vec(), person, count: 0 };
        let point = device.key.public_key().as_ref();
        let mut data = device.data(0x45);
        data.extend([0; 16]);
        data.extend([0, id.len() as u8]);
        data.extend(id);
        data.extend([0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 32]);
        data.extend(&point[33..]);
        let mut object = b"\xa3cfmtdnonegattStmt\xa0hauthData\x58".to_vec();
        object.push(data.len() as u8);
        object.extend(data);
        let answer = json!({
            "credential": text(&id),
            "client_data": text(&client_data("webauthn.create", options)),
            "attestation": text(&object),
        });
        (device, answer)
    }

    /// Signs what the options ask.
    pub(crate) fn sign(&mut self, options: &Value) -> Value {
        self.count += 1;
        let (client_data, data) = (client_data("webauthn.get", options), self.data(0x05));
        let hash = credential_digest(&client_data);
        let signature =
            self.key.sign(&SystemRandom::new(), &[data.as_slice(), &hash].concat()).unwrap();
        json!({
            "credential": text(&self.id), "person": self.person, "client_data": text(&client_data),
            "authenticator_data": text(&data), "signature": text(signature.as_ref()),
        })
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let party = credential_digest(b"localhost");
        [party.as_slice(), &[flags], &self.count.to_be_bytes()].concat()
    }
}

fn client_data(kind: &str, options: &Value) -> Vec<u8> {
    let data = json!({"type": kind, "challenge": options["challenge"], "origin": ORIGIN});
    data.to_string().into_bytes()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn answer(value: Value) -> PasskeyAnswer {
    serde_json::from_value(value).unwrap()
}

fn home() -> IpAddr {
    "192.0.2.7".parse().unwrap()
}

fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// The code that an app shows for a secret now (RFC 6238).
fn code(secret: &str) -> String {
    let bits = secret.bytes().map(|c| if c.is_ascii_digit() { c - b'2' + 26 } else { c - b'A' });
    let (mut key, mut held, mut have) = (Vec::new(), 0_u32, 0);
    for five in bits {
        (held, have) = ((held << 5 | u32::from(five)) & 0xfff, have + 5);
        if have >= 8 {
            have -= 8;
            key.push((held >> have) as u8);
        }
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let step = clock::now().millis() / 30_000;
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let four: [u8; 4] = tag.as_ref()[at..at + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

/// A desk of `pia`, an approver, and `ada`, who administers; the secrets of their links.
pub(crate) async fn manned() -> (Office, Vec<String>) {
    let office = office().await;
    let mut links = Vec::new();
    for (person, roles) in [("pia", "approver"), ("ada", "admin")] {
        let made = office.ask(json!({"op": "person-invite", "person": person})).await.unwrap();
        links.push(made["link"].as_str().unwrap().rsplit('#').next().unwrap().to_owned());
        let set = json!({"op": "person-set", "person": person, "roles": [roles]});
        office.ask(set).await.unwrap();
    }
    (office, links)
}

pub(super) async fn enrolled(people: &People, link: &str) -> Device {
    let (device, made) = Device::make(&people.ask_first_passkey(link).unwrap());
    people.enrol_passkey(link, &answer(made), "here").await.unwrap();
    device
}

pub(super) async fn inside(people: &People, device: &mut Device) -> String {
    let shown = device.sign(&people.ask_passkey("browser").unwrap());
    let id = people.log_in_by_passkey("browser", &answer(shown), "here").await.unwrap();
    id.expose().to_owned()
}

/// Somebody who enrolled by a link and is in: its device, the session's id, and who that is.
pub(super) async fn entered(people: &People, link: &str) -> (Device, String, Visitor) {
    let mut device = enrolled(people, link).await;
    let id = inside(people, &mut device).await;
    let visitor = people.enter(&id).await.unwrap();
    (device, id, visitor)
}

/// Lets a session's login have been that long ago.
pub(crate) fn age(people: &People, id: &str, by: Span) {
    let (key, now) = (SessionKey::of(id), clock::now());
    let session = people.state().sessions().look(key, now).unwrap().clone();
    let [shown] = session.assurance().shown() else { panic!("one factor") };
    let then = now.minus(by);
    let shown = decode(&[to_bytes(&shown.factor()), to_bytes(&then)].concat()).unwrap();
    let (person, roles) = (session.person(), session.roles().to_vec());
    let begun = Begun { person, roles, shown, origin: session.origin().to_owned(), at: now };
    for fact in [Fact::SessionEnded { key }, Fact::SessionBegun { key, begun }] {
        people.state().apply(&fact);
    }
}

/// Has somebody of the desk enrolled and in a session, in memory alone.
pub(crate) fn seated(people: &People, who: &str) {
    let (person, at) = (PersonHandle([9; 16]), clock::now());
    let name = PersonName::new(who).unwrap();
    let (link, origin) = ([9; 32], "here".to_owned());
    let enrolled = Fact::Enrolled { person, name, link, until: at, origin: origin.clone(), at };
    let shown = decode(&[to_bytes(&Factor::Password), to_bytes(&at)].concat()).unwrap();
    let begun = Begun { person, roles: Vec::new(), shown, origin, at };
    for fact in [enrolled, Fact::SessionBegun { key: SessionKey([9; 32]), begun }] {
        people.state().apply(&fact);
    }
}

/// The state as the journal alone would tell it.
pub(super) fn replayed(people: &People) -> State {
    decode(&to_bytes(&*people.state())).unwrap()
}

#[tokio::test]
async fn a_link_makes_one_passkey_which_logs_in() {
    let (office, links) = manned().await;
    let people = office.people();
    let mut device = enrolled(&people, &links[0]).await;
    assert_eq!(people.invited(&links[0]), Err(Error::Link));
    let (_, made) = Device::make(&json!({"user": {"id": "AA"}, "challenge": "AA"}));
    assert!(people.enrol_passkey(&links[0], &answer(made), "here").await.is_err());
    let id = inside(&people, &mut device).await;
    let visitor = people.enter(&id).await.unwrap();
    assert_eq!((visitor.person.as_str(), visitor.level), ("pia", Level::Two));
    assert_eq!(people.sessions(&visitor.person).len(), 1);
    people.log_out(&id).await.unwrap();
    assert_eq!(people.enter(&id).await, None);
    // What was shown once is worth nothing again.
    let shown = device.sign(&people.ask_passkey("browser").unwrap());
    people.log_in_by_passkey("browser", &answer(shown.clone()), "here").await.unwrap();
    let again = people.log_in_by_passkey("browser", &answer(shown), "here").await;
    assert_eq!(again.map(|_| ()), Err(Error::Wrong));
}

#[tokio::test]
async fn a_new_link_voids_what_was_before_it() {
    let (office, links) = manned().await;
    let people = office.people();
    let mut device = enrolled(&people, &links[0]).await;
    let id = inside(&people, &mut device).await;
    let by = office.someone("ada");
    let made = office.ask_as(&by, json!({"op": "person-invite", "person": "pia"})).await.unwrap();
    let link = made["link"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
    // Until it is used nothing changes.
    assert!(people.enter(&id).await.is_some());
    enrolled(&people, &link).await;
    assert_eq!(people.enter(&id).await, None);
    let shown = device.sign(&people.ask_passkey("browser").unwrap());
    let old = people.log_in_by_passkey("browser", &answer(shown), "here").await;
    assert_eq!(old.map(|_| ()), Err(Error::Wrong));
}

#[tokio::test]
async fn the_first_link_makes_the_first_administrator() {
    let office = office().await;
    let secrets = Arc::clone(&office.people().secrets);
    let invite = |state: State| {
        let (first, link) = FirstAdmin::invite(PersonName::new("ada").unwrap()).unwrap();
        lock(&secrets).put_first_admin(&Secret::new(to_bytes(&first))).unwrap();
        let desk = Arc::clone(&office.world.desk);
        let people = People::new(desk, state, Arc::clone(&secrets)).unwrap();
        people.open(ORIGIN).unwrap();
        (people, link)
    };
    let (people, link) = invite(State::default());
    let has_admin = || office.world.desk.look(|state| state.has_admin());
    // Looking at it, and a passkey that is none, make nobody anything.
    let asked = people.ask_first_passkey(link.expose()).unwrap();
    let (_, wrong) = Device::make(&json!({"user": asked["user"], "challenge": "AA"}));
    assert!(people.enrol_passkey(link.expose(), &answer(wrong), "here").await.is_err());
    assert!(!has_admin());
    let mut ada = enrolled(&people, link.expose()).await;
    assert!(has_admin());
    let id = inside(&people, &mut ada).await;
    let visitor = people.enter(&id).await.unwrap();
    assert_eq!((visitor.person.as_str(), visitor.roles), ("ada", vec![Role::Admin]));
    assert_eq!(people.invited(link.expose()), Err(Error::Link));
    // Where there is an administrator who gets in no such link is good.
    let (people, link) = invite(replayed(&people));
    assert_eq!(people.invited(link.expose()), Err(Error::Link));
}

#[tokio::test]
async fn the_first_link_is_good_until_its_person_is_enrolled() {
    let office = office().await;
    let people = office.people();
    let (first, link) = FirstAdmin::invite(PersonName::new("ada").unwrap()).unwrap();
    lock(&people.secrets).put_first_admin(&Secret::new(to_bytes(&first))).unwrap();
    // The role went on record, and the journal failed before the passkey did.
    let set = json!({"op": "person-set", "person": "ada", "roles": ["admin"]});
    office.ask(set).await.unwrap();
    let (desk, secrets) = (Arc::clone(&office.world.desk), Arc::clone(&people.secrets));
    let people = People::new(desk, State::default(), secrets).unwrap();
    people.open(ORIGIN).unwrap();
    let mut device = enrolled(&people, link.expose()).await;
    inside(&people, &mut device).await;
    assert_eq!(people.invited(link.expose()), Err(Error::Link));
    // Another administrator may be there and enrolled: then it is that one's to invite.
    let office = office_with_enrolled_admin().await;
    let people = office.people();
    let (first, link) = FirstAdmin::invite(PersonName::new("eve").unwrap()).unwrap();
    lock(&people.secrets).put_first_admin(&Secret::new(to_bytes(&first))).unwrap();
    let set = json!({"op": "person-set", "person": "eve", "roles": ["admin"]});
    office.ask_as(&office.someone("ada"), set).await.unwrap();
    let (desk, secrets) = (Arc::clone(&office.world.desk), Arc::clone(&people.secrets));
    let people = People::new(desk, replayed(&people), secrets).unwrap();
    assert_eq!(people.invited(link.expose()), Err(Error::Link));
}

async fn office_with_enrolled_admin() -> Office {
    let (office, links) = manned().await;
    enrolled(&office.people(), &links[1]).await;
    office
}

#[tokio::test]
async fn a_person_who_goes_or_changes_roles_is_out() {
    let (office, links) = manned().await;
    let people = office.people();
    let mut device = enrolled(&people, &links[0]).await;
    let by = office.someone("ada");
    let id = inside(&people, &mut device).await;
    let set = json!({"op": "person-set", "person": "pia", "roles": ["approver", "auditor"]});
    office.ask_as(&by, set).await.unwrap();
    assert_eq!(people.enter(&id).await, None);
    let id = inside(&people, &mut device).await;
    let ended = json!({"op": "sessions-end", "person": "pia"});
    assert_eq!(office.ask_as(&by, ended).await.unwrap()["ended"], 1);
    assert_eq!(people.enter(&id).await, None);
    let id = inside(&people, &mut device).await;
    office.ask_as(&by, json!({"op": "person-remove", "person": "pia"})).await.unwrap();
    assert_eq!(people.look(&id), None);
    // Somebody who is given the name later does not get in by it.
    let set = json!({"op": "person-set", "person": "pia", "roles": ["approver"]});
    office.ask_as(&by, set).await.unwrap();
    assert_eq!(people.look(&id), None);
    let shown = device.sign(&people.ask_passkey("browser").unwrap());
    assert!(people.log_in_by_passkey("browser", &answer(shown), "here").await.is_err());
}

#[tokio::test]
async fn passwords_nobody_has_and_wrong_ones_are_told_alike_and_counted() {
    let (office, links) = manned().await;
    let people = office.people();
    enrolled(&people, &links[0]).await;
    for name in ["pia", "nobody", ""] {
        let wrong = people.log_in_by_password(name, secret(PASSWORD), home(), "here").await;
        assert_eq!(wrong.map(|_| ()), Err(Error::Wrong), "{name}");
    }
    let pia = people.state().named("pia").unwrap().0;
    assert_eq!(people.state().throttle().failures(pia), 1);
    // Side by side no more are let through than one after the other, over a restart too.
    let tries = (0..12).map(|_| people.guess("pia", home()));
    let admitted = futures_util::future::join_all(tries).await;
    assert_eq!(admitted.iter().filter(|guess| guess.is_ok()).count(), 4);
    let state = replayed(&people);
    let secrets = Arc::clone(&people.secrets);
    let again = People::new(Arc::clone(&office.world.desk), state, secrets).unwrap();
    assert!(matches!(again.guess("pia", home()).await, Err(Error::Wrong)));
    assert_eq!(again.state().throttle().failures(pia), 5);
}

#[tokio::test]
async fn a_request_is_signed_by_its_own_digest_alone() {
    let (office, links) = manned().await;
    let people = office.people();
    let (mut pia, mut ada) =
        (enrolled(&people, &links[0]).await, enrolled(&people, &links[1]).await);
    let id = inside(&people, &mut pia).await;
    let visitor = people.enter(&id).await.unwrap();
    let (one, two) = ([1; 32], [2; 32]);
    let options = people.ask_signature(&visitor, &id, one).unwrap();
    assert_eq!(options["challenge"], text(&one));
    let other = answer(pia.sign(&options));
    let told = people.take_signature(&visitor, &id, (7, two), &other).await;
    assert_eq!(told, Err(Error::OtherStatement));
    // It was taken: it is good for nothing any more, not even for its own.
    let told = people.take_signature(&visitor, &id, (7, one), &other).await;
    assert!(matches!(told, Err(Error::Passkey(PasskeyError::NoChallenge))));
    let options = people.ask_signature(&visitor, &id, one).unwrap();
    let another = answer(ada.sign(&options));
    assert_eq!(people.take_signature(&visitor, &id, (7, one), &another).await, Err(Error::Wrong));
    // A login's signature approves nothing.
    let options = people.ask_passkey(&id).unwrap();
    let login = answer(pia.sign(&options));
    let told = people.take_signature(&visitor, &id, (7, one), &login).await;
    assert!(matches!(told, Err(Error::Passkey(PasskeyError::NoChallenge))));
    let options = people.ask_signature(&visitor, &id, one).unwrap();
    let good = answer(pia.sign(&options));
    let before = office.world.desk.next_seq();
    assert!(people.take_signature(&visitor, &id, (7, one), &good).await.is_ok());
    // The passkey's counter, and the signature for an auditor.
    assert_eq!(office.world.desk.next_seq().0, before.0 + 2);
}

#[tokio::test]
async fn a_passkey_that_may_be_copied_is_told_of() {
    let (office, links) = manned().await;
    let people = office.people();
    let (mut device, id, visitor) = entered(&people, &links[0]).await;
    inside(&people, &mut device).await;
    let doubts = || {
        let all = people.notices(&visitor.person).into_iter();
        all.filter(|it| it.event.to_string().contains("may have been copied")).count()
    };
    assert_eq!(doubts(), 0);
    // A signature of nobody's is nothing to tell of.
    let shown = device.sign(&people.ask_passkey("browser").unwrap());
    let mut other = Device::make(&json!({"user": {"id": "AA"}, "challenge": "AA"})).0;
    let mut forged = other.sign(&people.ask_passkey("browser").unwrap());
    (forged["credential"], forged["person"]) =
        (shown["credential"].clone(), shown["person"].clone());
    let told = people.log_in_by_passkey("browser", &answer(forged), "here").await;
    assert_eq!((told.map(|_| ()), doubts()), (Err(Error::Wrong), 0));
    // A copy has not counted on.
    for _ in 0..3 {
        device.count = 0;
        let copy = device.sign(&people.ask_passkey("browser").unwrap());
        let told = people.log_in_by_passkey("browser", &answer(copy), "there").await;
        assert_eq!(told.map(|_| ()), Err(Error::Wrong));
        device.count = 0;
        let options = people.ask_signature(&visitor, &id, [1; 32]).unwrap();
        let copy = answer(device.sign(&options));
        let told = people.take_signature(&visitor, &id, (7, [1; 32]), &copy).await;
        assert_eq!(told, Err(Error::Passkey(PasskeyError::Cloned)));
    }
    assert_eq!(doubts(), 1, "once a minute");
}

#[tokio::test]
async fn the_last_way_to_log_in_stays() {
    let (office, links) = manned().await;
    let people = office.people();
    let (mut device, id, visitor) = entered(&people, &links[0]).await;
    let only = credential_digest(&device.id);
    let told = people.remove_passkey(&visitor, &only).await;
    assert!(matches!(told, Err(Error::Count(_))), "{told:?}");
    let other = inside(&people, &mut device).await;
    let (_, made) = Device::make(&people.ask_new_passkey(&visitor, &id).unwrap());
    people.add_passkey(&visitor, &id, &answer(made)).await.unwrap();
    assert_eq!(people.enter(&other).await, None);
    assert!(people.enter(&id).await.is_some());
    let passkey = people.state().passkey(&device.id).unwrap().clone();
    people.remove_passkey(&visitor, &only).await.unwrap();
    // A use that was under way does not bring it back.
    let mut state = replayed(&people);
    state.apply(&Fact::PasskeyUsed { passkey });
    assert_eq!(state, replayed(&people));
    assert_eq!(people.credentials(&visitor).unwrap().passkeys.len(), 1);
    let stale = Visitor { fresh: false, ..visitor };
    assert_eq!(people.remove_passkey(&stale, &only).await, Err(Error::Stale));
    assert_eq!(people.ask_new_passkey(&stale, &id).map(|_| ()), Err(Error::Stale));
    for number in [None, Some(stale.number)] {
        assert_eq!(people.end_own(&stale, number).await, Err(Error::Stale));
    }
    assert!(people.enter(&id).await.is_some());
    // A password and a code, which a false page can learn, bring no passkey and take none away.
    let learnt = Visitor { fresh: true, by_passkey: false, ..stale };
    let needs = || Err(Error::NeedsPasskey);
    assert_eq!(people.ask_new_passkey(&learnt, &id).map(|_| ()), needs());
    assert_eq!(people.add_passkey(&learnt, &id, &answer(device.sign(&Value::Null))).await, needs());
    assert_eq!(people.remove_passkey(&learnt, &only).await, needs());
    let set = AppAnswer { password: secret(PASSWORD), code: secret("000000") };
    assert_eq!(
        people.set_password(&learnt, &id, (secret(PASSWORD), home()), set).await.map(|_| ()),
        needs()
    );
}

#[tokio::test]
async fn what_the_journal_refuses_never_was() {
    let (office, links) = manned().await;
    let people = office.people();
    let (mut pia, id, visitor) = entered(&people, &links[0]).await;
    let other = inside(&people, &mut pia).await;
    let (_, first) = Device::make(&people.ask_first_passkey(&links[1]).unwrap());
    let (_, second) = Device::make(&people.ask_new_passkey(&visitor, &id).unwrap());
    let before = people.state().clone();
    office.world.desk.event(Event::JournalFailed { why: "its disk does not answer".to_owned() });
    let told = people.enrol_passkey(&links[1], &answer(first), "here").await;
    assert!(matches!(told, Err(Error::Unavailable(_))), "{told:?}");
    assert!(people.add_passkey(&visitor, &id, &answer(second)).await.is_err());
    let shown = pia.sign(&people.ask_passkey("browser").unwrap());
    assert!(people.log_in_by_passkey("browser", &answer(shown), "here").await.is_err());
    // Adding the passkey was to end the other session: out is out.
    assert_eq!((people.look(&id).is_some(), people.look(&other)), (true, None));
    assert!(people.log_out(&id).await.is_err());
    assert_eq!(people.look(&id), None);
    office.world.desk.event(Event::JournalRestored);
    assert_eq!(people.state().members(), before.members());
    assert!(people.invited(&links[1]).is_ok());
    enrolled(&people, &links[1]).await;
}

#[tokio::test]
async fn a_password_is_in_force_once_it_is_on_record() {
    let (office, links) = manned().await;
    let people = office.people();
    let pia = PersonName::new("pia").unwrap();
    let answered = |app: &App, password: &str| AppAnswer {
        password: secret(password),
        code: secret(&code(app.secret.expose())),
    };
    let app = people.offer_app(&links[0], &pia).unwrap();
    people.enrol_password(&links[0], answered(&app, PASSWORD), "here").await.unwrap();
    let first =
        |password: &'static str| people.log_in_by_password("pia", secret(password), home(), "here");
    let id = first(PASSWORD).await.unwrap().expose().to_owned();
    let visitor = Visitor { fresh: true, ..people.look(&id).unwrap() };
    let sealed = || people.state().members()[&visitor.handle].password.unwrap().sealed;
    let old = sealed();
    let app = people.offer_app(&id, &pia).unwrap();
    office.world.desk.event(Event::JournalFailed { why: "its disk does not answer".to_owned() });
    let current = |text: &str| (secret(text), home());
    let told = people.set_password(&visitor, &id, current(PASSWORD), answered(&app, OTHER)).await;
    assert!(matches!(told, Err(Error::Unavailable(_))), "{told:?}");
    office.world.desk.event(Event::JournalRestored);
    assert_eq!(sealed(), old);
    assert!(first(PASSWORD).await.is_ok());
    assert_eq!(first(OTHER).await.map(|_| ()), Err(Error::Wrong));
    let app = people.offer_app(&id, &pia).unwrap();
    // Who has the session and not the password sets none.
    for wrong in ["", OTHER] {
        let set = people.set_password(&visitor, &id, current(wrong), answered(&app, OTHER));
        assert_eq!(set.await.map(|_| ()), Err(Error::Wrong));
    }
    people.set_password(&visitor, &id, current(PASSWORD), answered(&app, OTHER)).await.unwrap();
    assert!(first(OTHER).await.is_ok());
    assert_eq!(first(PASSWORD).await.map(|_| ()), Err(Error::Wrong));
    assert!(lock(&people.secrets).get(&entry(old)).unwrap().is_none());
}

#[tokio::test]
async fn a_breached_password_is_not_set() {
    let (office, links) = manned().await;
    let people = office.people();
    let mut lines = [PASSWORD, "somebody else's password"].map(|text| {
        let [typed, _] = breach_digests(text);
        typed.iter().map(|byte| format!("{byte:02X}")).collect::<String>() + ":3\r\n"
    });
    lines.sort_unstable();
    let path = office.world.folder.path().join("breached");
    std::fs::write(&path, lines.concat()).unwrap();
    people.refuse_breached(&path);
    let pia = PersonName::new("pia").unwrap();
    let app = people.offer_app(&links[0], &pia).unwrap();
    let answered = |password: &str| AppAnswer {
        password: secret(password),
        code: secret(&code(app.secret.expose())),
    };
    let told = people.enrol_password(&links[0], answered(PASSWORD), "here").await;
    assert_eq!(told.map(|_| ()), Err(Error::Unfit(Unfit::Breached)));
    // A list that cannot be asked lets none through.
    for broken in [Some("nonsense\n"), Some(""), None] {
        std::fs::remove_file(&path).unwrap();
        broken.into_iter().for_each(|text| std::fs::write(&path, text).unwrap());
        let told = people.enrol_password(&links[0], answered(OTHER), "here").await;
        assert!(matches!(told, Err(Error::Unavailable(_))), "{broken:?}");
    }
    std::fs::write(&path, lines.concat()).unwrap();
    // The link and the app are good still.
    people.enrol_password(&links[0], answered(OTHER), "here").await.unwrap();
}

#[tokio::test]
async fn a_password_alone_ends_nobody_s_session_and_is_slowed_down() {
    let (office, links) = manned().await;
    let people = office.people();
    let (mut device, id, visitor) = entered(&people, &links[0]).await;
    let app = people.offer_app(&id, &visitor.person).unwrap();
    let set = AppAnswer { password: secret(PASSWORD), code: secret(&code(app.secret.expose())) };
    people.set_password(&visitor, &id, (secret(""), home()), set).await.unwrap();
    let mut slowed = 0;
    for _ in 0..20 {
        let begun = people.log_in_by_password("pia", secret(PASSWORD), home(), "there").await;
        slowed += usize::from(begun.is_err());
    }
    assert!(slowed >= 5, "{slowed}");
    assert!(people.enter(&id).await.is_some());
    // By passkey she gets in as ever.
    inside(&people, &mut device).await;
    assert!(people.log_in_by_password("pia", secret(PASSWORD), home(), "here").await.is_ok());
}

#[tokio::test]
async fn one_person_s_offered_apps_make_room_for_each_other() {
    let (office, links) = manned().await;
    let people = office.people();
    let [pia, ada] = ["pia", "ada"].map(|who| PersonName::new(who).unwrap());
    let first = people.offer_app(&links[0], &pia).unwrap().secret;
    for session in 0..2000 {
        people.offer_app(&format!("session {session}"), &ada).unwrap();
    }
    assert_eq!(people.offer_app(&links[0], &pia).unwrap().secret, first);
    // All together are bounded as well.
    for n in 0..1000 {
        let _ = people.offer_app(&format!("link {n}"), &PersonName::new(&format!("p{n}")).unwrap());
    }
    let told = people.offer_app("one more", &PersonName::new("zoe").unwrap());
    assert!(matches!(told, Err(Error::Busy)));
}

#[tokio::test]
async fn what_a_journal_keeps_opens_nothing() {
    let (office, links) = manned().await;
    let people = office.people();
    let app = people.offer_app(&links[0], &PersonName::new("pia").unwrap()).unwrap();
    let owner =
        credentials::Owner { handle: PersonHandle([9; 16]), name: PersonName::new("pia").unwrap() };
    let short = AppAnswer { password: secret("short"), code: secret("000000") };
    let told = people.prepare(&links[0], &owner, short).await;
    assert!(matches!(told, Err(Error::Unfit(_))));
    let guess = AppAnswer { password: secret(PASSWORD), code: secret("nope") };
    assert!(matches!(people.prepare(&links[0], &owner, guess).await, Err(Error::Code)));
    // The same app is offered until it is confirmed.
    let again = people.offer_app(&links[0], &owner.name).unwrap();
    assert_eq!(app.secret, again.secret);
    let device = enrolled(&people, &links[0]).await;
    let kept = to_bytes(&replayed(&people));
    assert!(!kept.windows(8).any(|w| w == &links[0].as_bytes()[..8]));
    assert!(replayed(&people).passkey(&device.id).is_some());
}

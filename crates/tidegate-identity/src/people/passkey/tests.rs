use super::*;
use crate::people::Level;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use std::collections::BTreeMap;
use tidegate_types::codec::{from_bytes, to_bytes};
use tidegate_types::time::Span;

mod device;
use device::{Device, Flaw};

pub(super) const ANN: PersonHandle = PersonHandle([1; 16]);
const BOB: PersonHandle = PersonHandle([2; 16]);
const NOW: Time = Time::from_millis(1_770_000_000_000);

fn party() -> RelyingParty {
    RelyingParty::new("example.org", &["https://example.org"]).unwrap()
}

fn challenge(purpose: Purpose) -> Challenge {
    Challenge::new(purpose, [7; 32], NOW)
}

/// One of the standard's examples, by name.
struct Example {
    fields: Vec<Vec<u8>>,
}

impl Example {
    fn all() -> BTreeMap<&'static str, Example> {
        let lines = include_str!("tests/vectors.txt").lines().filter(|l| !l.starts_with('#'));
        let examples = lines.filter_map(|line| {
            let (name, rest) = line.split_once(' ')?;
            Some((name, Example { fields: rest.split(' ').map(from_hex).collect() }))
        });
        examples.collect()
    }

    fn registration(&self) -> Result<Passkey, PasskeyError> {
        self.registration_with(None)
    }

    fn registration_with(&self, attesters: Option<&Attesters>) -> Result<Passkey, PasskeyError> {
        let Ok(value) = self.fields[0].as_slice().try_into() else {
            return Err(PasskeyError::OtherChallenge);
        };
        let answer = Registration { client_data: &self.fields[2], attestation: &self.fields[3] };
        let challenge = Challenge::new(Purpose::Enrol, value, NOW);
        register(&party(), challenge, ANN, answer, |_| false, attesters, NOW)
    }

    fn authentication(&self, passkey: &mut Passkey) -> Result<Asserted, PasskeyError> {
        let value = self.fields[4].as_slice().try_into().unwrap();
        let id = passkey.id.clone();
        let answer = Assertion {
            credential: &id,
            person: Some(&ANN.0),
            client_data: &self.fields[6],
            authenticator_data: &self.fields[5],
            signature: &self.fields[7],
        };
        authenticate(&party(), Challenge::new(Purpose::LogIn, value, NOW), passkey, answer, NOW)
    }

    /// The key, and whether the second ceremony's signature is its, whatever our rules say of either.
    fn signature(&self) -> Option<bool> {
        let object = attestation::Object::read(&self.fields[3])?;
        let data = AuthenticatorData::read(&object.authenticator_data)?;
        let key = PublicKey::from_cose(&data.credential?.key)?;
        let signed = [self.fields[5].as_slice(), &sha256(&self.fields[6])].concat();
        Some(key.verifies(&signed, &self.fields[7]))
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

/// An example's name, why its registration and its authentication are refused, and whether its signature is good.
type Expected = (&'static str, Option<PasskeyError>, Option<PasskeyError>, Option<bool>);

#[test]
fn the_standard_s_examples_end_as_our_rules_say() {
    use PasskeyError::{NotVerified, Origin, OtherChallenge};
    // The signature is judged where its algorithm is one of ours.
    let expected: &[Expected] = &[
        ("none-es256", Some(NotVerified), None, Some(true)),
        ("packed-self-es256", None, Some(NotVerified), Some(true)),
        ("none-es256-crossOrigin", Some(Origin), None, Some(true)),
        ("none-es256-topOrigin", Some(Origin), None, Some(true)),
        ("none-es256-long-credential-id", Some(NotVerified), None, Some(true)),
        ("packed-es256", None, None, Some(true)),
        ("packed-es384", Some(NotVerified), None, None),
        ("packed-es512", Some(OtherChallenge), None, None),
        ("packed-rs256", None, Some(NotVerified), Some(true)),
        ("packed-eddsa", Some(NotVerified), None, Some(true)),
        ("packed-ed448", Some(NotVerified), None, None),
        ("tpm-es256", None, None, Some(true)),
        ("android-key-es256", None, Some(NotVerified), Some(true)),
        ("apple-es256", Some(NotVerified), None, Some(true)),
        ("fido-u2f-es256", Some(NotVerified), None, Some(true)),
    ];
    let examples = Example::all();
    assert_eq!(expected.len() + 1, examples.len());
    for (name, registered, authenticated, signature) in expected {
        let example = &examples[name];
        let registration = example.registration();
        assert_eq!(registration.as_ref().err(), registered.as_ref(), "{name}");
        if let Ok(mut passkey) = registration {
            let authentication = example.authentication(&mut passkey);
            assert_eq!(authentication.err(), *authenticated, "{name}");
        }
        assert_eq!(example.signature(), *signature, "{name}");
    }
}

#[test]
fn a_model_is_proven_to_those_who_trust_its_maker() {
    let examples = Example::all();
    let (root, packed) = (&examples["root"].fields[0], &examples["packed-es256"]);
    let model: [u8; 16] = packed.fields[1].as_slice().try_into().unwrap();
    let trusted = Attesters::new(&[root], [model]).unwrap();
    let passkey = packed.registration_with(Some(&trusted)).unwrap();
    assert!(passkey.attested && passkey.model() == &model);
    assert!(!packed.registration().unwrap().attested);
    // Another model, another maker, no proof, a proof of another format.
    let other_model = Attesters::new(&[root], [[9; 16]]).unwrap();
    assert_eq!(packed.registration_with(Some(&other_model)), Err(PasskeyError::Untrusted));
    let nobody = Attesters::new(&[], [model]).unwrap();
    assert_eq!(packed.registration_with(Some(&nobody)), Err(PasskeyError::Untrusted));
    for name in ["packed-self-es256", "tpm-es256"] {
        let shown = examples[name].registration_with(Some(&trusted));
        assert_eq!(shown, Err(PasskeyError::Untrusted), "{name}");
    }
    assert!(Attesters::new(&[b"no certificate"], [model]).is_err());
    // One that may leave its device is trusted no more for its proof.
    assert!(!trusted.trust(&passkey) && passkey.factor() == Factor::SyncedPasskey);
    let stays = Passkey { backup_eligible: false, ..passkey };
    assert!(trusted.trust(&stays) && !other_model.trust(&stays));
    assert!(!trusted.trust(&Passkey { attested: false, ..stays }));
}

#[test]
fn any_changed_byte_of_an_example_is_refused() {
    let examples = Example::all();
    let packed = &examples["packed-es256"];
    let passkey = packed.registration().unwrap();
    for field in [5, 6, 7] {
        for at in 0..packed.fields[field].len() {
            let mut fields = packed.fields.clone();
            fields[field][at] ^= 1;
            let shown = Example { fields }.authentication(&mut passkey.clone());
            assert!(shown.is_err(), "field {field}, byte {at}");
        }
    }
    for field in [2, 3] {
        for cut in 0..packed.fields[field].len() {
            let mut fields = packed.fields.clone();
            fields[field].truncate(cut);
            assert!(Example { fields }.registration().is_err(), "field {field} to {cut}");
        }
    }
}

#[test]
fn a_passkey_is_made_and_used_over_a_restart() {
    let mut device = Device::new();
    let passkey = device.enrol(&Flaw::None).unwrap();
    let mut passkey: Passkey = from_bytes(&to_bytes(&passkey)).unwrap();
    assert_eq!((passkey.person(), passkey.factor()), (ANN, Factor::DevicePasskey));
    for purpose in [Purpose::LogIn, Purpose::StepUp, Purpose::Approve] {
        let asserted = device.show(&mut passkey, purpose, &Flaw::None).unwrap();
        assert_eq!((asserted.person(), asserted.purpose()), (ANN, purpose));
        let login = crate::people::Assurance::new(asserted.shown());
        assert_eq!(login.level(), Level::Two);
    }
}

#[test]
fn each_flaw_of_a_registration_is_found() {
    use PasskeyError::{
        Backup, CredentialId, Key, Malformed, NotPresent, NotVerified, Origin, OtherCeremony,
        OtherChallenge, OtherParty,
    };
    let table: Vec<(Flaw, PasskeyError)> = vec![
        (Flaw::Type("webauthn.get"), OtherCeremony),
        (Flaw::Challenge([8; 32]), OtherChallenge),
        (Flaw::Origin("https://example.org.evil.test"), Origin),
        (Flaw::Origin("http://example.org"), Origin),
        (Flaw::Origin("https://login.example.org"), Origin),
        (Flaw::CrossOrigin, Origin),
        (Flaw::Twice, Malformed),
        (Flaw::Party("evil.test"), OtherParty),
        (Flaw::Flags { clear: 0x01, set: 0 }, NotPresent),
        (Flaw::Flags { clear: 0x04, set: 0 }, NotVerified),
        (Flaw::Flags { clear: 0, set: 0x10 }, Backup),
        (Flaw::Flags { clear: 0x40, set: 0 }, Malformed),
        (Flaw::Flags { clear: 0, set: 0x80 }, Malformed),
        (Flaw::Trailing, Malformed),
        (Flaw::IdLength(0), CredentialId),
        (Flaw::IdLength(1024), CredentialId),
        (Flaw::Algorithm(-35), Key),
        (Flaw::NotOnCurve, Key),
    ];
    for (flaw, error) in table {
        assert_eq!(Device::new().enrol(&flaw), Err(error), "{flaw:?}");
    }
    assert!(Device::new().enrol(&Flaw::IdLength(1023)).is_ok());
}

#[test]
fn each_flaw_of_a_login_is_found() {
    use PasskeyError::{
        Backup, Malformed, NotPresent, NotVerified, Origin, OtherCeremony, OtherChallenge,
        OtherParty, OtherPerson, Signature,
    };
    let table: Vec<(Flaw, PasskeyError)> = vec![
        (Flaw::Type("webauthn.create"), OtherCeremony),
        (Flaw::Challenge([8; 32]), OtherChallenge),
        (Flaw::Origin("https://evil.test"), Origin),
        (Flaw::CrossOrigin, Origin),
        (Flaw::Party("evil.test"), OtherParty),
        (Flaw::Flags { clear: 0x01, set: 0 }, NotPresent),
        (Flaw::Flags { clear: 0x04, set: 0 }, NotVerified),
        (Flaw::Flags { clear: 0, set: 0x08 }, Backup),
        (Flaw::Trailing, Malformed),
        (Flaw::Person(Some(vec![2; 16])), OtherPerson),
        (Flaw::Person(None), OtherPerson),
        (Flaw::Credential(vec![9; 32]), OtherPerson),
        (Flaw::Signature, Signature),
    ];
    for (flaw, error) in table {
        let mut device = Device::new();
        let mut passkey = device.enrol(&Flaw::None).unwrap();
        let before = passkey.clone();
        let shown = device.show(&mut passkey, Purpose::LogIn, &flaw);
        assert_eq!(shown, Err(error), "{flaw:?}");
        assert_eq!(passkey, before, "{flaw:?}");
    }
}

#[test]
fn in_a_session_the_device_need_not_say_who_it_is() {
    let mut device = Device::new();
    let mut passkey = device.enrol(&Flaw::None).unwrap();
    assert!(device.show(&mut passkey, Purpose::StepUp, &Flaw::Person(None)).is_ok());
}

#[test]
fn a_counter_that_does_not_grow_tells_of_a_copy() {
    let mut device = Device::new();
    let mut passkey = device.enrol(&Flaw::None).unwrap();
    for (count, good) in [(1, true), (5, true), (5, false), (4, false), (0, false), (6, true)] {
        device.sign_count = count;
        let shown = device.show(&mut passkey, Purpose::LogIn, &Flaw::None);
        let expected = if good { Ok(()) } else { Err(PasskeyError::Cloned) };
        assert_eq!(shown.map(|_| ()), expected, "{count}");
    }
}

#[test]
fn a_synced_passkey_says_so() {
    let mut device = Device::new();
    let synced = Flaw::Flags { clear: 0, set: 0x08 };
    let mut passkey = device.enrol(&synced).unwrap();
    assert_eq!((passkey.factor(), passkey.backed_up()), (Factor::SyncedPasskey, false));
    let backed_up = Flaw::Flags { clear: 0, set: 0x18 };
    assert!(device.show(&mut passkey, Purpose::LogIn, &backed_up).is_ok());
    assert!(passkey.backed_up());
    // It cannot become a passkey of one device.
    let shown = device.show(&mut passkey, Purpose::LogIn, &Flaw::None);
    assert_eq!(shown, Err(PasskeyError::Backup));
}

#[test]
fn a_credential_is_registered_once() {
    let device = Device::new();
    let (client_data, attestation) = device.registration(&Flaw::None);
    let answer = Registration { client_data: &client_data, attestation: &attestation };
    let is_known = |id: &[u8]| id == device.id;
    let shown = register(&party(), challenge(Purpose::Enrol), ANN, answer, is_known, None, NOW);
    assert_eq!(shown, Err(PasskeyError::Registered));
}

#[test]
fn an_approval_is_of_the_statement_that_was_shown_and_no_other() {
    let mut device = Device::new();
    let mut passkey = device.enrol(&Flaw::None).unwrap();
    let shown = b"request 7 of bob: raise main's largest order from 10 to 20 BTC".as_slice();
    let other = b"request 7 of bob: raise main's largest order from 10 to 2000 BTC".as_slice();
    let mut browser = |asked: &[u8], signed: &[u8]| {
        let challenge = Challenge::new(Purpose::Approve, statement_digest(asked), NOW);
        let flaw = Flaw::Challenge(statement_digest(signed));
        device.show_to(&mut passkey, challenge, &flaw)
    };
    let approval = browser(shown, shown).unwrap();
    assert!(approval.approves(&statement_digest(shown)));
    assert!(!approval.approves(&statement_digest(other)));
    // The page showed one action, the server asked for another.
    assert_eq!(browser(other, shown), Err(PasskeyError::OtherChallenge));
    assert_eq!(browser(shown, other), Err(PasskeyError::OtherChallenge));
}

#[test]
fn a_login_approves_nothing() {
    let mut device = Device::new();
    let mut passkey = device.enrol(&Flaw::None).unwrap();
    for purpose in [Purpose::LogIn, Purpose::StepUp] {
        let asserted = device.show(&mut passkey, purpose, &Flaw::None).unwrap();
        assert!(!asserted.approves(&[7; 32]), "{purpose:?}");
    }
    let shown = device.show(&mut passkey, Purpose::Enrol, &Flaw::None);
    assert_eq!(shown, Err(PasskeyError::NoChallenge));
}

#[test]
fn a_challenge_is_taken_once_by_its_browser_for_its_purpose() {
    let mut open = Challenges::default();
    let late = NOW.plus(challenge::CEREMONY_LIFETIME);
    let begin = |open: &mut Challenges| open.begin((ANN, "ann"), challenge(Purpose::LogIn), NOW);
    begin(&mut open);
    assert_eq!(open.take("bob", Purpose::LogIn, NOW), Err(PasskeyError::NoChallenge));
    assert_eq!(open.take("ann", Purpose::LogIn, NOW), Ok(challenge(Purpose::LogIn)));
    assert_eq!(open.take("ann", Purpose::LogIn, NOW), Err(PasskeyError::NoChallenge));
    begin(&mut open);
    assert_eq!(open.take("ann", Purpose::Approve, NOW), Err(PasskeyError::NoChallenge));
    assert_eq!(open.take("ann", Purpose::LogIn, NOW), Err(PasskeyError::NoChallenge));
    begin(&mut open);
    assert_eq!(open.take("ann", Purpose::LogIn, late), Err(PasskeyError::NoChallenge));
    // One that was taken in time and answered late is over as well.
    let mut device = Device::new();
    let mut passkey = device.enrol(&Flaw::None).unwrap();
    let old = Challenge::new(Purpose::LogIn, [7; 32], Time::default());
    let shown = device.show_to(&mut passkey, old, &Flaw::None);
    assert_eq!(shown, Err(PasskeyError::NoChallenge));
}

#[test]
fn ceremonies_make_room_by_age_alone() {
    let mut open = Challenges::default();
    let second = |s| NOW.plus(Span::from_secs(s));
    open.begin((ANN, "ann"), Challenge::new(Purpose::Approve, [7; 32], NOW), NOW);
    // Begun anew, it lasts from then on.
    open.begin((ANN, "ann"), Challenge::new(Purpose::Approve, [8; 32], second(200)), second(200));
    open.begin((BOB, "bob"), Challenge::new(Purpose::Approve, [9; 32], second(400)), second(400));
    let taken = open.take("ann", Purpose::Approve, second(400));
    assert_eq!(taken, Ok(Challenge::new(Purpose::Approve, [8; 32], second(200))));
    assert!(open.take("bob", Purpose::Approve, second(400)).is_ok());
}

#[test]
fn however_many_one_begins_another_s_ceremony_is_there() {
    let approve = || challenge(Purpose::Approve);
    let mut open = Challenges::default();
    open.begin((ANN, "ann"), approve(), NOW);
    // In one browser again and again, and in one after the other.
    for n in 0..12_000 {
        open.begin((BOB, "bob"), approve(), NOW);
        open.begin((BOB, &n.to_string()), approve(), NOW);
    }
    assert!(open.take("ann", Purpose::Approve, NOW).is_ok());
    assert!(open.take("11999", Purpose::Approve, NOW).is_ok());
    assert_eq!(open.take("0", Purpose::Approve, NOW), Err(PasskeyError::NoChallenge));
    // However many people there are, it is bounded.
    for n in 0..12_000_u32 {
        let mut handle = [0; 16];
        handle[..4].copy_from_slice(&n.to_be_bytes());
        open.begin((PersonHandle(handle), &n.to_string()), approve(), NOW);
    }
    assert!(open.take("11999", Purpose::Approve, NOW).is_ok());
    assert_eq!(open.take("1999", Purpose::Approve, NOW), Err(PasskeyError::NoChallenge));
}

#[test]
fn logins_are_kept_nowhere_and_good_once_in_their_browser() {
    let (mut device, mut logins) = (Device::new(), LogIns::new(&[1; 32]));
    let mut passkey = device.enrol(&Flaw::None).unwrap();
    let asked = logins.begin("ann", [1; 8], NOW);
    assert_ne!(asked, logins.begin("ann", [2; 8], NOW));
    let data = json!({"type": "webauthn.get", "challenge": URL_SAFE_NO_PAD.encode(asked.value()),
        "origin": "https://example.org"})
    .to_string();
    let late = NOW.plus(challenge::CEREMONY_LIFETIME);
    let find = |logins: &LogIns, browser, at| logins.find(browser, data.as_bytes(), at);
    let none = || Err(PasskeyError::NoChallenge);
    // However many strangers begin one, it is there.
    for n in 0..20_000 {
        let _ = logins.begin(&n.to_string(), [1; 8], NOW);
    }
    assert_eq!(find(&logins, "ann", NOW), Ok(logins.begin("ann", [1; 8], NOW)));
    assert_eq!(find(&logins, "bob", NOW), none());
    assert_eq!(find(&logins, "ann", late), none());
    assert_eq!(find(&LogIns::new(&[2; 32]), "ann", NOW), none());
    assert_eq!(logins.find("ann", b"{}", NOW), none());
    let asserted = device.show(&mut passkey, Purpose::LogIn, &Flaw::None).unwrap();
    assert_eq!(logins.spend(&asserted, NOW), Ok(()));
    assert_eq!(logins.spend(&asserted, NOW), Err(PasskeyError::NoChallenge));
}

#[test]
fn a_party_s_pages_are_at_its_domain() {
    let good = |id, origins: &[&str]| RelyingParty::new(id, origins).is_ok();
    assert!(good("example.org", &["https://example.org", "https://a.example.org:8443"]));
    assert!(good("localhost", &["http://localhost:7777"]));
    for (id, origin) in [
        ("example.org", "http://example.org"),
        ("example.org", "https://badexample.org"),
        ("example.org", "https://example.org.evil.test"),
        ("example.org", "https://example.org/"),
        ("example.org", "example.org"),
        ("", "https://example.org"),
    ] {
        assert!(!good(id, &[origin]), "{origin}");
    }
    assert!(!good("example.org", &[]));
}

#[test]
fn pages_ask_for_what_is_checked_and_name_nobody_at_a_login() {
    let passkey = Device::new().enrol(&Flaw::None).unwrap();
    let asked = challenge(Purpose::Enrol);
    let had = std::slice::from_ref(&passkey);
    let create = creation_options(&party(), &asked, ANN, "ann", had, true);
    assert_eq!(create["rp"]["id"], "example.org");
    assert_eq!(create["challenge"], "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
    assert_eq!(create["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(create["attestation"], "direct");
    assert_eq!(create["excludeCredentials"].as_array().unwrap().len(), 1);
    let numbers: Vec<i64> = create["pubKeyCredParams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|offered| offered["alg"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, [-8, -7, -257]);
    let login = request_options(&party(), &challenge(Purpose::LogIn), &[]);
    assert_eq!(login["allowCredentials"].as_array().unwrap().len(), 0);
    assert_eq!(login["userVerification"], "required");
}

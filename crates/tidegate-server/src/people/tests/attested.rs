//! Passkeys of models that the desk trusts. The standard's own example proves its model and may leave its device; what
//! else there is comes from makers of our own.

use super::*;
use crate::config::Config;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer,
    PKCS_ECDSA_P256_SHA256,
};
use std::path::Path;
use tidegate_identity::oauth::acr::Acr;
use tidegate_identity::people::{Challenge, Purpose};

/// The model of the devices that a maker makes.
pub(crate) const MODEL: [u8; 16] = *b"a model of ours!";
/// There, verified, with a credential.
pub(crate) const STAYS: u8 = 0x45;
/// The same, and may leave its device.
const LEAVES: u8 = 0x4d;

/// Who makes devices, and vouches for them.
pub(crate) struct Maker {
    issuer: Issuer<'static, rcgen::KeyPair>,
    pem: String,
}

impl Maker {
    pub(crate) fn new() -> Maker {
        let key = rcgen::KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Maker");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Maker { issuer: Issuer::new(params, key), pem }
    }

    /// Asks those of a role for devices of this maker.
    pub(crate) fn asked_of(&self, role: &str, folder: &Path) -> Attested {
        asked(role, folder, &self.pem, MODEL).unwrap().unwrap()
    }

    /// A key that devices of a model share, and its certificate.
    fn batch(&self) -> (EcdsaKeyPair, Vec<u8>) {
        let key = rcgen::KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, text) in [
            (DnType::CountryName, "DE"),
            (DnType::OrganizationName, "Maker"),
            (DnType::OrganizationalUnitName, "Authenticator Attestation"),
            (DnType::CommonName, "Batch 1"),
        ] {
            params.distinguished_name.push(kind, text);
        }
        params.is_ca = IsCa::ExplicitNoCa;
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().to_vec();
        let private = key.serialize_der();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &private).unwrap();
        (pair, certificate)
    }

    /// Makes a passkey as the options ask, on a device that proves to be of `model`.
    pub(crate) fn make(&self, options: &Value, model: [u8; 16], flags: u8) -> (Device, Value) {
        let (device, mut answer) = Device::make(options);
        let object = URL_SAFE_NO_PAD.decode(answer["attestation"].as_str().unwrap()).unwrap();
        // What Device made, with other flags and another model: format "packed" instead of "none".
        let begins = b"\xa3cfmtdnonegattStmt\xa0hauthData\x58?".len();
        let mut data = object[begins..].to_vec();
        data[32] = flags;
        data[37..53].copy_from_slice(&model);
        let client_data = URL_SAFE_NO_PAD.decode(answer["client_data"].as_str().unwrap()).unwrap();
        let (batch, certificate) = self.batch();
        let message = [data.as_slice(), &credential_digest(&client_data)].concat();
        let signed = batch.sign(&SystemRandom::new(), &message).unwrap();
        let signature: &[u8] = signed.as_ref();
        let mut object = b"\xa3cfmtfpackedgattStmt\xa3calg\x26csig\x58".to_vec();
        object.push(signature.len() as u8);
        object.extend(signature);
        object.extend(b"cx5c\x81\x59");
        object.extend((certificate.len() as u16).to_be_bytes());
        object.extend(certificate);
        object.extend(b"hauthData\x58");
        object.push(data.len() as u8);
        object.extend(data);
        answer["attestation"] = text(&object).into();
        (device, answer)
    }
}

/// What a desk asks for that trusts a model and the makers in a PEM text.
fn asked(
    role: &str,
    folder: &Path,
    pem: &str,
    model: [u8; 16],
) -> Result<Option<Attested>, String> {
    let path = folder.join("makers.pem");
    std::fs::write(&path, pem).unwrap();
    let hex: String = model.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    let text = format!(
        "[passkeys]\nattested_roles = [\"{role}\"]\nroots = {path:?}\nmodels = [\"{}\"]\n",
        parts.join("-")
    );
    Attested::configured(&Config::parse(&text).unwrap().passkeys)
}

fn untrusted() -> Result<(), Error> {
    Err(Error::Passkey(PasskeyError::Untrusted))
}

fn app_answer(app: &App) -> AppAnswer {
    AppAnswer { password: secret(PASSWORD), code: secret(&code(app.secret.expose())) }
}

#[tokio::test]
async fn who_is_asked_for_a_model_enrols_by_one_and_by_nothing_else() {
    let (office, links) = manned().await;
    let people = office.people();
    let (ours, theirs) = (Maker::new(), Maker::new());
    people.ask_for_models(ours.asked_of("approver", office.world.folder.path()));
    let link = &links[0];
    let ask = || people.ask_first_passkey(link).unwrap();
    assert_eq!(ask()["attestation"], "direct");
    let (_, none) = Device::make(&ask());
    assert_eq!(people.enrol_passkey(link, &answer(none), "here").await, untrusted());
    for (maker, model, flags) in
        [(&theirs, MODEL, STAYS), (&ours, [9; 16], STAYS), (&ours, MODEL, LEAVES)]
    {
        let (_, made) = maker.make(&ask(), model, flags);
        assert_eq!(people.enrol_passkey(link, &answer(made), "here").await, untrusted());
    }
    let app = people.offer_app(link, &PersonName::new("pia").unwrap()).unwrap();
    let told = people.enrol_password(link, app_answer(&app), "here").await;
    assert_eq!(told.map(|_| ()), Err(Error::NeedsAttested));
    let (mut device, made) = ours.make(&ask(), MODEL, STAYS);
    people.enrol_passkey(link, &answer(made), "here").await.unwrap();
    let id = inside(&people, &mut device).await;
    let visitor = people.enter(&id).await.unwrap();
    assert_eq!(visitor.level, Level::Three);
    assert!(!people.lacks_attested(&visitor) && people.has_shown_enough(&visitor));
    let digest = [1; 32];
    let shown = answer(device.sign(&people.ask_signature(&visitor, &id, digest).unwrap()));
    assert!(people.take_signature(&visitor, &id, (7, digest), &shown).await.is_ok());
    // Nobody asks the administrator.
    assert_eq!(people.ask_first_passkey(&links[1]).unwrap()["attestation"], "none");
    enrolled(&people, &links[1]).await;
}

#[tokio::test]
async fn who_has_another_passkey_is_told_and_signs_nothing_until_there_is_one() {
    let (office, links) = manned().await;
    let people = office.people();
    let (mut old, id, visitor) = entered(&people, &links[0]).await;
    let digest = [1; 32];
    let before = people.ask_signature(&visitor, &id, digest).unwrap();
    let maker = Maker::new();
    people.ask_for_models(maker.asked_of("approver", office.world.folder.path()));
    assert!(people.lacks_attested(&visitor) && !people.has_shown_enough(&visitor));
    assert!(!people.can_sign(&visitor.person) && people.has_passkey(&visitor.person));
    let shown = answer(old.sign(&before));
    let told = people.take_signature(&visitor, &id, (7, digest), &shown).await;
    assert_eq!(told, Err(Error::NeedsAttested), "asked before it was so");
    let told = people.ask_signature(&visitor, &id, digest);
    assert_eq!(told.map(|_| ()), Err(Error::NeedsAttested));
    let app = people.offer_app(&id, &visitor.person).unwrap();
    let set = people.set_password(&visitor, &id, (secret(""), home()), app_answer(&app)).await;
    assert_eq!(set.map(|_| ()), Err(Error::NeedsAttested));
    let ask = || people.ask_new_passkey(&visitor, &id).unwrap();
    assert_eq!(ask()["attestation"], "direct");
    let (_, made) = Device::make(&ask());
    assert_eq!(people.add_passkey(&visitor, &id, &answer(made)).await, untrusted());
    let (mut new, made) = maker.make(&ask(), MODEL, STAYS);
    people.add_passkey(&visitor, &id, &answer(made)).await.unwrap();
    assert!(!people.lacks_attested(&visitor) && people.can_sign(&visitor.person));
    for (device, taken) in [(&mut old, false), (&mut new, true)] {
        let shown = answer(device.sign(&people.ask_signature(&visitor, &id, digest).unwrap()));
        let told = people.take_signature(&visitor, &id, (7, digest), &shown).await;
        assert_eq!(told.is_ok(), taken, "{told:?}");
    }
}

#[tokio::test]
async fn a_model_that_is_taken_off_the_list_is_worth_no_more_than_others() {
    let (office, links) = manned().await;
    let people = office.people();
    let (maker, folder) = (Maker::new(), office.world.folder.path());
    people.ask_for_models(maker.asked_of("approver", folder));
    let options = people.ask_first_passkey(&links[0]).unwrap();
    let (mut device, made) = maker.make(&options, MODEL, STAYS);
    people.enrol_passkey(&links[0], &answer(made), "here").await.unwrap();
    let id = inside(&people, &mut device).await;
    assert_eq!(Known::by(&people.enter(&id).await.unwrap().assurance).acr, Acr::Hardware);
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    // The same desk after a start: with the model, with another one in its place, and with none.
    let restarted = |list: Option<Attested>| {
        let (desk, secrets) = (Arc::clone(&people.desk), Arc::clone(&people.secrets));
        let again = People::new(desk, people.state().clone(), secrets).unwrap();
        again.open(ORIGIN).unwrap();
        list.into_iter().for_each(|list| again.ask_for_models(list));
        again
    };
    let same = maker.asked_of("approver", folder);
    let other = asked("approver", folder, &maker.pem, [9; 16]).unwrap();
    for (list, counts) in [(other, false), (None, false), (Some(same), true)] {
        let asks = list.is_some();
        let again = restarted(list);
        // Which model was shown before the start is not known any more.
        let visitor = again.enter(&id).await.unwrap();
        assert_eq!((visitor.level, again.has_shown_enough(&visitor)), (Level::Two, !asks));
        assert_eq!(Known::by(&visitor.assurance).acr, Acr::PhishingResistant);
        let fresh = inside(&again, &mut device).await;
        let visitor = again.enter(&fresh).await.unwrap();
        let acr = if counts { Acr::Hardware } else { Acr::PhishingResistant };
        assert_eq!(visitor.level == Level::Three, counts);
        assert_eq!(again.has_shown_enough(&visitor), counts || !asks);
        assert_eq!(Known::by(&visitor.assurance).acr, acr);
        let options = again.ask_consent(&visitor, &fresh, "this app").unwrap();
        let shown = answer(device.sign(&options));
        let known = again.take_consent(&visitor, &fresh, "this app", &shown).await.unwrap();
        assert_eq!(known.acr, acr);
    }
}

#[tokio::test]
async fn the_standard_s_example_proves_its_model_but_may_leave_its_device() {
    let vectors =
        include_str!("../../../../tidegate-identity/src/people/passkey/tests/vectors.txt");
    let fields = |name: &str| -> Vec<Vec<u8>> {
        let mut words = vectors.lines().map(|line| line.split(' '));
        let words = words.find_map(|mut words| (words.next() == Some(name)).then_some(words));
        let pairs = |hex: &str| -> Vec<u8> {
            let digits = (0..hex.len()).step_by(2);
            digits.map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
        };
        words.unwrap().map(pairs).collect()
    };
    let (root, example) = (fields("root"), fields("packed-es256"));
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(&root[0])
    );
    let model: [u8; 16] = example[1].as_slice().try_into().unwrap();
    let (office, links) = manned().await;
    let secrets = Arc::clone(&office.people().secrets);
    let folder = office.world.folder.path();
    for (role, told) in [("approver", untrusted()), ("auditor", Ok(()))] {
        let desk = Arc::clone(&office.world.desk);
        let people = People::new(desk, State::default(), Arc::clone(&secrets)).unwrap();
        people.open("https://example.org").unwrap();
        people.ask_for_models(asked(role, folder, &pem, model).unwrap().unwrap());
        let (now, value) = (clock::now(), example[0].as_slice().try_into().unwrap());
        let challenge = Challenge::new(Purpose::Enrol, value, now);
        let handle = people.invited(&links[0]).unwrap().handle();
        lock(&people.challenges).begin((handle, &links[0]), challenge, now);
        let made = json!({
            "credential": "", "client_data": text(&example[2]), "attestation": text(&example[3]),
        });
        assert_eq!(people.enrol_passkey(&links[0], &answer(made), "here").await, told, "{role}");
    }
}

#[test]
fn makers_that_cannot_be_read_are_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    for (pem, said) in [
        ("", "holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "makers.pem"),
    ] {
        let told = asked("admin", folder.path(), pem, MODEL).map(|_| ()).unwrap_err();
        assert!(told.starts_with("roots: ") && told.contains(said), "{told}");
    }
    assert!(Attested::configured(&Config::default().passkeys).unwrap().is_none());
}

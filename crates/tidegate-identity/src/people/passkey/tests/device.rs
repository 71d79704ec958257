//! A security key in software, with a choice of flaws. The standard's examples are the oracle of
//! formats; this makes the cases that they do not have.

use super::*;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::value::Value;

pub(super) struct Device {
    key: EcdsaKeyPair,
    pub(super) id: Vec<u8>,
    pub(super) sign_count: u32,
}

/// What is wrong with an answer.
#[derive(Clone, Debug)]
pub(super) enum Flaw {
    None,
    Type(&'static str),
    Challenge([u8; 32]),
    Origin(&'static str),
    CrossOrigin,
    /// A field that comes twice.
    Twice,
    Party(&'static str),
    Flags {
        clear: u8,
        set: u8,
    },
    Trailing,
    IdLength(usize),
    Algorithm(i64),
    NotOnCurve,
    Person(Option<Vec<u8>>),
    Credential(Vec<u8>),
    Signature,
}

impl Device {
    pub(super) fn new() -> Device {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Device { key, id: vec![3; 32], sign_count: 0 }
    }

    pub(super) fn enrol(&mut self, flaw: &Flaw) -> Result<Passkey, PasskeyError> {
        let (client_data, attestation) = self.registration(flaw);
        let answer = Registration { client_data: &client_data, attestation: &attestation };
        register(&party(), challenge(Purpose::Enrol), ANN, answer, |_| false, None, NOW)
    }

    pub(super) fn registration(&self, flaw: &Flaw) -> (Vec<u8>, Vec<u8>) {
        let object = Value::Map(vec![
            ("fmt".into(), "none".into()),
            ("attStmt".into(), Value::Map(Vec::new())),
            ("authData".into(), self.data(0x45, flaw).into()),
        ]);
        (client_data("webauthn.create", flaw), encode(&object))
    }

    pub(super) fn show(
        &mut self,
        passkey: &mut Passkey,
        purpose: Purpose,
        flaw: &Flaw,
    ) -> Result<Asserted, PasskeyError> {
        self.show_to(passkey, challenge(purpose), flaw)
    }

    pub(super) fn show_to(
        &mut self,
        passkey: &mut Passkey,
        challenge: Challenge,
        flaw: &Flaw,
    ) -> Result<Asserted, PasskeyError> {
        let client_data = client_data("webauthn.get", flaw);
        let data = self.data(0x05, flaw);
        let signed = [data.as_slice(), &sha256(&client_data)].concat();
        let mut signature = self.key.sign(&SystemRandom::new(), &signed).unwrap().as_ref().to_vec();
        if matches!(flaw, Flaw::Signature) {
            let over_another = [signed.as_slice(), b"."].concat();
            let other = self.key.sign(&SystemRandom::new(), &over_another).unwrap();
            signature = other.as_ref().to_vec();
        }
        let person = match flaw {
            Flaw::Person(other) => other.clone(),
            _ => Some(ANN.0.to_vec()),
        };
        let credential = match flaw {
            Flaw::Credential(other) => other.clone(),
            _ => self.id.clone(),
        };
        let answer = Assertion {
            credential: &credential,
            person: person.as_deref(),
            client_data: &client_data,
            authenticator_data: &data,
            signature: &signature,
        };
        authenticate(&party(), challenge, passkey, answer, NOW)
    }

    /// Authenticator data with these flags; with a credential if they say so.
    fn data(&self, flags: u8, flaw: &Flaw) -> Vec<u8> {
        let party = match flaw {
            Flaw::Party(other) => other,
            _ => "example.org",
        };
        let with_credential = flags & 0x40 != 0;
        let flags = match flaw {
            Flaw::Flags { clear, set } => flags & !clear | set,
            _ => flags,
        };
        let mut data = sha256(party.as_bytes()).to_vec();
        data.push(flags);
        data.extend(self.sign_count.to_be_bytes());
        if with_credential {
            let id = match flaw {
                Flaw::IdLength(length) => vec![3; *length],
                _ => self.id.clone(),
            };
            data.extend([0xaa; 16]);
            data.extend((id.len() as u16).to_be_bytes());
            data.extend(id);
            data.extend(self.cose(flaw));
        }
        if matches!(flaw, Flaw::Trailing) {
            data.push(0);
        }
        data
    }

    fn cose(&self, flaw: &Flaw) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let (x, mut y) = (point[1..33].to_vec(), point[33..].to_vec());
        if matches!(flaw, Flaw::NotOnCurve) {
            y[31] ^= 1;
        }
        let algorithm = match flaw {
            Flaw::Algorithm(other) => *other,
            _ => -7,
        };
        encode(&Value::Map(vec![
            (1.into(), 2.into()),
            (3.into(), algorithm.into()),
            ((-1).into(), 1.into()),
            ((-2).into(), x.into()),
            ((-3).into(), y.into()),
        ]))
    }
}

fn client_data(ceremony: &str, flaw: &Flaw) -> Vec<u8> {
    let ceremony = match flaw {
        Flaw::Type(other) => other,
        _ => ceremony,
    };
    let challenge = match flaw {
        Flaw::Challenge(other) => *other,
        _ => [7; 32],
    };
    let origin = match flaw {
        Flaw::Origin(other) => other,
        _ => "https://example.org",
    };
    let more = match flaw {
        Flaw::Twice => r#","origin":"https://example.org""#,
        _ => "",
    };
    format!(
        r#"{{"type":"{ceremony}","challenge":"{}","origin":"{origin}","crossOrigin":{}{more}}}"#,
        URL_SAFE_NO_PAD.encode(challenge),
        matches!(flaw, Flaw::CrossOrigin),
    )
    .into_bytes()
}

fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).unwrap();
    out
}

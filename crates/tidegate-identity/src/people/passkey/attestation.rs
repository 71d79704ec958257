//! What a device proves of its model (section 8): format "packed", which security keys use.
//!
//! Other formats say more of the device's maker than a desk asks; where no proof is asked, they are
//! read past, and the passkey counts as one without proof.

use super::cbor::{Map, integer};
use super::{Factor, Passkey, PasskeyError, PublicKey};
use ciborium::value::Value;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use std::collections::BTreeSet;
use std::time::Duration;
use tidegate_types::time::Time;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, aws_lc_rs as algorithms};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Version;

/// Which models a desk trusts, and the certificates of their makers.
#[derive(Clone, Debug)]
pub struct Attesters {
    anchors: Vec<CertificateDer<'static>>,
    models: BTreeSet<[u8; 16]>,
}

/// An attestation object, taken apart.
pub(super) struct Object {
    format: String,
    statement: Map,
    pub(super) authenticator_data: Vec<u8>,
}

/// What an attestation is over.
pub(super) struct Signed<'a> {
    pub(super) data: &'a [u8],
    pub(super) client_data_hash: &'a [u8; 32],
    pub(super) key: &'a PublicKey,
    pub(super) model: &'a [u8; 16],
}

/// `id-fido-gen-ce-aaguid`, 1.3.6.1.4.1.45724.1.1.4, as DER writes it without tag and length.
const MODEL_EXTENSION: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xe5, 0x1c, 0x01, 0x01, 0x04];
/// What signs certificates of authenticators.
const CHAIN_ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P384_SHA384,
    algorithms::ED25519,
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
];

impl Attesters {
    /// Trusts the models (AAGUIDs) whose certificates lead to one of the `anchors` (DER).
    ///
    /// # Errors
    /// When one of these is no certificate.
    pub fn new(
        anchors: &[&[u8]],
        models: impl IntoIterator<Item = [u8; 16]>,
    ) -> Result<Attesters, PasskeyError> {
        let anchors: Vec<CertificateDer<'static>> =
            anchors.iter().map(|der| CertificateDer::from(der.to_vec())).collect();
        for anchor in &anchors {
            anchor_from_trusted_cert(anchor).map_err(|_| PasskeyError::Malformed)?;
        }
        Ok(Attesters { anchors, models: models.into_iter().collect() })
    }

    /// Whether a passkey stays on its device, which proved to be of one of the models.
    pub fn trust(&self, passkey: &Passkey) -> bool {
        passkey.factor() == Factor::AttestedPasskey && self.models.contains(passkey.model())
    }
}

impl Object {
    /// Reads the whole of `bytes`.
    pub(super) fn read(mut bytes: &[u8]) -> Option<Object> {
        let map = Map::read(&mut bytes)?;
        bytes.is_empty().then_some(())?;
        Some(Object {
            format: map.text("fmt")?.as_text()?.to_owned(),
            statement: Map::of(map.text("attStmt")?.as_map()?.clone())?,
            authenticator_data: map.text("authData")?.as_bytes()?.clone(),
        })
    }

    /// Whether the device proved its model. With `attesters` it must have, and theirs.
    pub(super) fn check(
        &self,
        signed: &Signed<'_>,
        attesters: Option<&Attesters>,
        now: Time,
    ) -> Result<bool, PasskeyError> {
        let attested = match self.format.as_str() {
            "none" if self.statement.is_empty() => false,
            "none" => return Err(PasskeyError::Malformed),
            "packed" => self.check_packed(signed, attesters, now)?,
            _ => false,
        };
        if attesters.is_some() && !attested {
            return Err(PasskeyError::Untrusted);
        }
        Ok(attested)
    }

    /// Section 8.2.
    fn check_packed(
        &self,
        signed: &Signed<'_>,
        attesters: Option<&Attesters>,
        now: Time,
    ) -> Result<bool, PasskeyError> {
        let malformed = PasskeyError::Malformed;
        let algorithm = self.statement.text("alg").and_then(integer).ok_or(malformed)?;
        let signature = self.statement.text("sig").and_then(Value::as_bytes).ok_or(malformed)?;
        let message = [signed.data, signed.client_data_hash].concat();
        let Some(chain) = self.statement.text("x5c") else {
            // The new key signed for itself, which proves nothing of the model.
            let good =
                algorithm == signed.key.algorithm() && signed.key.verifies(&message, signature);
            return if good { Ok(false) } else { Err(PasskeyError::Signature) };
        };
        let chain: Vec<CertificateDer<'_>> = chain
            .as_array()
            .and_then(|list| list.iter().map(|der| der.as_bytes()).collect::<Option<Vec<_>>>())
            .ok_or(malformed)?
            .into_iter()
            .map(|der| CertificateDer::from(der.as_slice()))
            .collect();
        let (leaf, between) = chain.split_first().ok_or(malformed)?;
        check_shape(leaf, signed.model)?;
        let leaf = EndEntityCert::try_from(leaf).map_err(|_| malformed)?;
        let verifier: &dyn SignatureVerificationAlgorithm = match algorithm {
            -7 => algorithms::ECDSA_P256_SHA256,
            -8 => algorithms::ED25519,
            -257 => algorithms::RSA_PKCS1_2048_8192_SHA256,
            _ => return Err(PasskeyError::Signature),
        };
        leaf.verify_signature(verifier, &message, signature)
            .map_err(|_| PasskeyError::Signature)?;
        Ok(attesters.is_some_and(|trusted| trusted.vouch_for(&leaf, between, signed.model, now)))
    }
}

impl Attesters {
    fn vouch_for(
        &self,
        leaf: &EndEntityCert<'_>,
        between: &[CertificateDer<'_>],
        model: &[u8; 16],
        now: Time,
    ) -> bool {
        let anchors: Vec<_> =
            self.anchors.iter().filter_map(|der| anchor_from_trusted_cert(der).ok()).collect();
        let time = UnixTime::since_unix_epoch(Duration::from_micros(now.micros()));
        // These certificates name no usage; one that does must not be for servers alone.
        let usage = KeyUsage::client_auth();
        self.models.contains(model)
            && leaf
                .verify_for_usage(CHAIN_ALGORITHMS, &anchors, between, time, usage, None, None)
                .is_ok()
    }
}

/// Section 8.2.1: what a packed attestation's certificate must say.
fn check_shape(leaf: &CertificateDer<'_>, model: &[u8; 16]) -> Result<(), PasskeyError> {
    let untrusted = PasskeyError::Untrusted;
    let (rest, certificate) =
        X509Certificate::from_der(leaf).map_err(|_| PasskeyError::Malformed)?;
    let units: Vec<_> =
        certificate.subject().iter_organizational_unit().map(|unit| unit.as_str()).collect();
    let for_devices = matches!(units.as_slice(), [Ok("Authenticator Attestation")]);
    let shaped = rest.is_empty()
        && certificate.version() == X509Version::V3
        && certificate.subject().iter_country().count() == 1
        && certificate.subject().iter_organization().count() == 1
        && certificate.subject().iter_common_name().count() == 1
        && !certificate.is_ca();
    if !for_devices || !shaped {
        return Err(untrusted);
    }
    let named = certificate.extensions().iter().find(|e| e.oid.as_bytes() == MODEL_EXTENSION);
    match named {
        // An octet string of 16 bytes.
        Some(named) if !named.critical => {
            let same = named.value.strip_prefix(&[0x04, 0x10]) == Some(model.as_slice());
            if same { Ok(()) } else { Err(untrusted) }
        }
        Some(_) => Err(untrusted),
        None => Ok(()),
    }
}

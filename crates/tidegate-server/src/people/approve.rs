//! A passkey's signature over the digest of a request for approval.

use super::credentials::credential_digest;
use super::{Error, PasskeyAnswer, People, Visitor, lock};
use crate::clock;
use serde_json::Value;
use tidegate_identity::people::passkey::{authenticate, request_options};
use tidegate_identity::people::{Challenge, Fact, Purpose, Signature};
use tidegate_types::approval::Factor;

impl People {
    /// What a browser is asked to sign `digest` by: the digest is the challenge.
    ///
    /// # Errors
    /// When the person has no passkey.
    pub fn ask_signature(
        &self,
        visitor: &Visitor,
        id: &str,
        digest: [u8; 32],
    ) -> Result<Value, Error> {
        let (party, now) = (self.party()?, clock::now());
        let passkeys = self.credentials(visitor).map(|member| member.passkeys).unwrap_or_default();
        if passkeys.is_empty() {
            return Err(Error::Count("approving takes a passkey; add one under Security"));
        }
        let challenge = Challenge::new(Purpose::Approve, digest, now);
        let options = request_options(party, &challenge, &passkeys);
        lock(&self.challenges).begin(id, challenge, now);
        Ok(options)
    }

    /// Takes a signature over `digest`, the one that the page showed of request `request`, and puts it
    /// on record.
    ///
    /// # Errors
    /// When it is not the person's, or is over anything else.
    pub async fn take_signature(
        &self,
        visitor: &Visitor,
        id: &str,
        (request, digest): (u64, [u8; 32]),
        answer: &PasskeyAnswer,
    ) -> Result<Factor, Error> {
        let party = self.party()?;
        let challenge = lock(&self.challenges).take(id, Purpose::Approve, clock::now());
        let challenge = challenge.map_err(Error::Passkey)?;
        self.record(|state, now| {
            let known = state.passkey(&answer.credential.0);
            let theirs = known.filter(|key| key.person() == visitor.handle);
            let mut passkey = theirs.ok_or(Error::Wrong)?.clone();
            let asserted = authenticate(party, challenge, &mut passkey, answer.assertion(), now)
                .map_err(Error::Passkey)?;
            if !asserted.approves(&digest) {
                return Err(Error::OtherStatement);
            }
            let credential = credential_digest(passkey.id());
            let signature = Signature {
                credential: answer.credential.0.clone(),
                client_data: answer.client_data.0.clone(),
                authenticator_data: answer.authenticator_data.0.clone(),
                signature: answer.signature.0.clone(),
            };
            let person = visitor.handle;
            let facts =
                vec![Fact::PasskeyUsed { passkey }, Fact::Signed { person, request, signature }];
            Ok((Factor::Passkey { credential }, facts))
        })
        .await
    }
}

//! Proofs that cross crates. Each can be made by one constructor, `vouch`, which one file alone
//! may call (`cargo xtask tidy` holds that); inside a crate, privacy guards the rest.

use crate::call::{CallClass, WireRequest};
use crate::grant::Grant;
use crate::ids::{AccountName, CallId, CallerName, KeyId, Seq, VenueName};
use crate::limits::MAX_EVIDENCE_BYTES;
use crate::time::Time;
use std::sync::Arc;

/// Somebody proved to be this caller. Made in `tidegate-identity/src/authenticate.rs`.
#[derive(PartialEq, Eq, Debug)]
pub struct Authenticated {
    caller: CallerName,
    key: KeyId,
    venue: VenueName,
    account: AccountName,
    signed_at: Option<Time>,
    came: Option<Time>,
    overtaken: bool,
    token: Option<Arc<Grant>>,
    subject: Option<Arc<str>>,
    evidence: Option<Arc<Evidence>>,
}

/// A token that an app shows, and in whose name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenShown {
    /// The word `token:` and the token's id.
    pub token: KeyId,
    /// A person's opaque id, or the app's own.
    pub subject: Arc<str>,
}

/// What a caller signed by a key that nobody else has: whoever has the public key can check it later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// The bytes that the signature is over.
    pub signed: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// The content whose digest is among those bytes, where they hold one; empty where it is too long to keep.
    pub content: Vec<u8>,
}

impl Authenticated {
    /// Vouches that a credential of `caller`'s was checked just now.
    pub fn vouch(
        caller: CallerName,
        key: KeyId,
        venue: VenueName,
        account: AccountName,
    ) -> Authenticated {
        Authenticated {
            caller,
            key,
            venue,
            account,
            signed_at: None,
            came: None,
            overtaken: false,
            token: None,
            subject: None,
            evidence: None,
        }
    }

    /// Whom a record names, for deciding again what is on record. It opens nothing: the core that takes it
    /// can never be one that trades. Made in `tidegate-core/src/rehearsal.rs`.
    pub fn of_record(
        caller: CallerName,
        key: KeyId,
        venue: VenueName,
        account: AccountName,
    ) -> Authenticated {
        Self::vouch(caller, key, venue, account)
    }

    /// The same, for a request that says it was signed then.
    #[must_use]
    pub fn signed(self, at: Time) -> Authenticated {
        Authenticated { signed_at: Some(at), ..self }
    }

    /// The same, for a request that came in then, by the gateway's clock.
    #[must_use]
    pub fn came_at(self, at: Time) -> Authenticated {
        Authenticated { came: Some(at), ..self }
    }

    /// The same, for a request that one of the caller's overtook which was signed later and is for an
    /// order under the same id: no wish for another order.
    #[must_use]
    pub fn overtaken(self, overtaken: bool) -> Authenticated {
        Authenticated { overtaken, ..self }
    }

    /// The same, for an app that shows a token instead of a key: it may do what the token allows, in so far as
    /// its grant does too. `subject` is in whose name the token is.
    #[must_use]
    pub fn by_token(self, allows: Arc<Grant>, subject: Arc<str>) -> Authenticated {
        Authenticated { token: Some(allows), subject: Some(subject), ..self }
    }

    /// The same, for a request by whose signature the caller can be held to it, if that is not too long to be
    /// kept.
    #[must_use]
    pub fn evident(self, evidence: Arc<Evidence>) -> Authenticated {
        let length = evidence.signed.len() + evidence.signature.len() + evidence.content.len();
        let evidence = (length <= MAX_EVIDENCE_BYTES).then_some(evidence);
        Authenticated { evidence, ..self }
    }

    /// The same, for a request whose signature covers a digest of this content.
    #[must_use]
    pub fn over(self, content: &[u8]) -> Authenticated {
        let evidence = self.evidence.as_deref().map(|evidence| {
            let Evidence { signed, signature, .. } = evidence.clone();
            let fits = signed.len() + signature.len() + content.len() <= MAX_EVIDENCE_BYTES;
            let content = if fits { content.to_vec() } else { Vec::new() };
            Arc::new(Evidence { signed, signature, content })
        });
        Authenticated { evidence, ..self }
    }

    /// What the caller signed, where it can be held to that.
    pub fn evidence(&self) -> Option<&Arc<Evidence>> {
        self.evidence.as_ref()
    }

    /// Who.
    pub fn caller(&self) -> &CallerName {
        &self.caller
    }

    /// What the token allows that it showed; `None` where it showed a key.
    pub fn token(&self) -> Option<&Arc<Grant>> {
        self.token.as_ref()
    }

    /// In whose name the token is that it showed: a person's opaque id, or the app's own.
    pub fn subject(&self) -> Option<&Arc<str>> {
        self.subject.as_ref()
    }

    /// The token that it showed, and in whose name that is; `None` where it showed a key.
    pub fn shown(&self) -> Option<TokenShown> {
        let subject = Arc::clone(self.subject.as_ref()?);
        Some(TokenShown { token: self.key.clone(), subject })
    }

    /// With which key; for a token the word `token:` and its id.
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// At which venue the key trades.
    pub fn venue(&self) -> &VenueName {
        &self.venue
    }

    /// On which account.
    pub fn account(&self) -> &AccountName {
        &self.account
    }

    /// When the request says it was signed, by the caller's clock; `None` where it is not signed by
    /// itself.
    pub fn signed_at(&self) -> Option<Time> {
        self.signed_at
    }

    /// When the request came in, where that is known: it may have waited since.
    pub fn came(&self) -> Option<Time> {
        self.came
    }

    /// Whether a request under the same id, signed later, came before this one.
    pub fn is_overtaken(&self) -> bool {
        self.overtaken
    }
}

/// Every record below `end` is on disk, as durably as the operator chose. Made in
/// `tidegate-journal/src/writer.rs`.
#[derive(PartialEq, Eq, Debug)]
pub struct Durable {
    end: Seq,
}

impl Durable {
    /// Vouches that the flush that covers every record below `end` is done.
    pub fn vouch(end: Seq) -> Durable {
        Durable { end }
    }

    /// The first record that is not covered.
    pub fn end(&self) -> Seq {
        self.end
    }
}

/// The signer signed this call. Made in `tidegate-vault/src/client.rs`.
#[derive(PartialEq, Eq, Debug)]
pub struct Signed {
    call: CallId,
    class: CallClass,
    request: WireRequest,
}

impl Signed {
    /// Vouches that the signer process answered `call`, of this class, with `request`.
    pub fn vouch(call: CallId, class: CallClass, request: WireRequest) -> Signed {
        Signed { call, class, request }
    }

    /// What the call can do.
    pub fn class(&self) -> CallClass {
        self.class
    }

    /// Which call.
    pub fn call(&self) -> CallId {
        self.call
    }

    /// The request, giving up the proof.
    pub fn into_request(self) -> WireRequest {
        self.request
    }
}

//! A person decides: what was pushed becomes a code, or a no.

use super::device::Device;
use super::pushed::{Pushed, gone};
use super::{Authority, CODE_LIFETIME, Chance, parts};
use crate::oauth::acr::Acr;
use crate::oauth::client::ClientId;
use crate::oauth::details::{Trading, all_within};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::event::{Event, GrantId};
use crate::oauth::jose::Thumbprint;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tidegate_types::time::{Span, Time};

/// A person's yes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approval {
    /// Who, as an opaque id.
    pub subject: String,
    /// How well they are known.
    pub acr: Acr,
    /// When they logged in.
    pub auth_time: Time,
    /// By what, in the names of RFC 8176.
    pub amr: Vec<String>,
    /// What they grant: no more than was asked.
    pub granted: Vec<Trading>,
    /// What they may grant at all.
    pub may_grant: Vec<Trading>,
    /// Who may act in their name by it, as they were shown.
    pub delegates: Vec<ClientId>,
}

/// A consent in force: a grant, or a yes that was not exchanged for one yet.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Consented {
    /// Who consented, as an opaque id.
    pub subject: String,
    /// To which client.
    pub client: ClientId,
    /// The grant, or what it would be.
    pub grant: GrantId,
}

impl Consented {
    fn ends_with(&self, event: &Event) -> bool {
        match event {
            Event::GrantRevoked { grant, .. } => self.grant == *grant,
            Event::SubjectRevoked { subject } => self.subject == *subject,
            Event::ClientRevoked { client } => self.client == *client,
            _ => false,
        }
    }
}

/// Why a yes is not taken; the request stays, and the person may try again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotApproved {
    /// The request is unknown, used or over.
    Gone(OAuthError),
    /// They must log in anew first.
    LoginAgain,
    /// They grant more than was asked, or than they may, or nothing, or to others than they were shown.
    TooMuch,
}

/// A code that waits to be exchanged. It stays a while after its use, so that a second one is noticed.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) client: ClientId,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) jkt: Option<Thumbprint>,
    pub(super) until: Time,
    pub(super) grant: GrantId,
    pub(super) approval: Approval,
    pub(super) used: bool,
}

impl Code {
    fn consented(&self) -> Consented {
        let (subject, client) = (self.approval.subject.clone(), self.client.clone());
        Consented { subject, client, grant: self.grant }
    }
}

/// How long a second use of a code is noticed.
const NOTICED: Span = Span::from_secs(900);

impl Authority {
    /// The person says yes: where to send them, with a code. What the client asked of the login and the
    /// login does not reach is an error that the client is told.
    ///
    /// # Errors
    /// When the yes cannot be taken as it is.
    pub fn approve(
        &mut self,
        client: &ClientId,
        request_uri: &str,
        approval: Approval,
        chance: &Chance,
        now: Time,
    ) -> Result<String, NotApproved> {
        let pushed = self.pending(client, request_uri, now).map_err(NotApproved::Gone)?;
        if pushed.max_age.is_some_and(|age| now.since(approval.auth_time) > age) {
            return Err(NotApproved::LoginAgain);
        }
        self.check_approval(&approval, &pushed.details, client)?;
        self.pushed.take(request_uri);
        if pushed.acr.is_some_and(|least| approval.acr < least) {
            return Ok(self.redirect_error(&pushed, ErrorCode::UnmetAuthenticationRequirements));
        }
        let (_, grant, code) = parts(chance);
        let kept = Code {
            client: pushed.client.clone(),
            redirect_uri: pushed.redirect_uri.clone(),
            challenge: pushed.challenge.clone(),
            jkt: pushed.jkt,
            until: now.plus(CODE_LIFETIME),
            grant: GrantId(grant),
            approval,
            used: false,
        };
        if !self.codes.put(client, &code, kept, now.plus(NOTICED), now) {
            return Ok(self.redirect_error(&pushed, ErrorCode::TemporarilyUnavailable));
        }
        Ok(self.redirect(&pushed, &[("code", &code)]))
    }

    /// The person says no: where to send them.
    ///
    /// # Errors
    /// When the request is unknown, used or over.
    pub fn deny(
        &mut self,
        client: &ClientId,
        request_uri: &str,
        now: Time,
    ) -> Result<String, OAuthError> {
        let pushed = self.pending(client, request_uri, now)?;
        self.pushed.take(request_uri);
        Ok(self.redirect_error(&pushed, ErrorCode::AccessDenied))
    }

    /// Whether a person's yes stays within what was asked, what they may grant and what the client may
    /// have now.
    pub(super) fn check_approval(
        &self,
        approval: &Approval,
        asked: &[Trading],
        client: &ClientId,
    ) -> Result<(), NotApproved> {
        let registered = self.state.clients().get(client);
        let registered = registered.ok_or(NotApproved::Gone(gone()))?;
        // A person may not be called like a client: a token's subject says which of them it is.
        let clash =
            ClientId::new(&approval.subject).is_ok_and(|id| self.state.clients().contains_key(&id));
        let bounds = [asked, &approval.may_grant, &registered.terms().allowed];
        let within = bounds.iter().all(|bound| all_within(&approval.granted, bound));
        let shown = approval.delegates == self.state.delegates(client);
        if approval.granted.is_empty() || !within || clash || !shown {
            return Err(NotApproved::TooMuch);
        }
        Ok(())
    }

    /// What people consented to and is in force: grants, codes that were not used yet, devices that have their yes.
    pub fn consents(&self, now: Time) -> Vec<Consented> {
        let grants = self.state.grants().filter(|grant| now < grant.until);
        let grants = grants.map(|grant| Consented {
            subject: grant.subject.clone(),
            client: grant.client.clone(),
            grant: grant.id,
        });
        let codes = self.codes.kept(now).filter(|code| !code.used).map(Code::consented);
        grants.chain(codes).chain(self.devices.kept(now).filter_map(Device::consented)).collect()
    }

    /// A yes that was not exchanged yet ends by what ends the grant that it would become.
    pub(super) fn end_consents(&mut self, event: &Event) {
        if !matches!(
            event,
            Event::GrantRevoked { .. } | Event::SubjectRevoked { .. } | Event::ClientRevoked { .. }
        ) {
            return;
        }
        self.codes.retain(|code| code.used || !code.consented().ends_with(event));
        self.devices.retain(|device| {
            if device.consented().is_some_and(|consented| consented.ends_with(event)) {
                device.take_back();
            }
            true
        });
    }

    fn pending(&mut self, client: &ClientId, uri: &str, now: Time) -> Result<Pushed, OAuthError> {
        let pushed = self.pushed.get(uri, now).filter(|pushed| pushed.client == *client);
        pushed.cloned().ok_or_else(gone)
    }

    fn redirect_error(&self, pushed: &Pushed, code: ErrorCode) -> String {
        self.redirect(pushed, &[("error", code.wire())])
    }

    /// The client's address with an answer: always with `iss` (RFC 9207), and `state` as it came.
    fn redirect(&self, pushed: &Pushed, answer: &[(&str, &str)]) -> String {
        let mut uri = pushed.redirect_uri.clone();
        let mut separator = if uri.contains('?') { '&' } else { '?' };
        let state = pushed.state.as_deref().map(|state| ("state", state));
        let issuer = [("iss", self.config.issuer.as_str())];
        for (name, value) in answer.iter().copied().chain(issuer).chain(state) {
            uri.push(separator);
            uri.push_str(name);
            uri.push('=');
            uri.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
            separator = '&';
        }
        uri
    }
}

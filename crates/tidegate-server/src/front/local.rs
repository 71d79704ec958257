//! What the gateway answers without the core: logins, stream keys, public data.

use super::{Gate, Who};
use crate::clock;
use std::net::IpAddr;
use tidegate_identity::Named;
use tidegate_types::call::WireRequest;
use tidegate_types::ids::{CallerName, SessionId};
use tidegate_types::key::Origin;
use tidegate_types::order::GuardScope;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;
use tidegate_venues::Venue;
use tidegate_venues::front::{Context, Local, LocalAnswer, Owned, Owners, StreamKey, Viewer};

impl Gate {
    /// Public data, passed on as the venue gives it.
    pub(super) async fn public(
        &self,
        venue: &dyn Venue,
        peer: IpAddr,
        request: WireRequest,
        context: &Context,
    ) -> Result<Reply, Reject> {
        let reply = self.link(venue)?.fetch_public(peer, request).await?;
        let nobody =
            CallerName::new("nobody").map_err(|e| Reject::new(Code::OutOfRange, e.to_string()))?;
        let viewer = Viewer { caller: &nobody, account_wide: false, owners: &NoOwners };
        Ok(venue.pass(context, reply, &viewer))
    }

    /// The gateway's own answers.
    pub(super) async fn local(
        &self,
        venue: &dyn Venue,
        (who, session): (Who, Option<SessionId>),
        local: Local,
        origin: &Origin,
        context: &Context,
    ) -> Result<Reply, Reject> {
        let now = clock::now();
        let name = venue.name();
        let by_token = matches!(&who, Who::Proven(who) if who.token().is_some());
        if by_token && matches!(local, Local::Login { .. } | Local::Refresh { .. }) {
            // It would outlive the token, or open nothing.
            return Err(Reject::new(
                Code::ForbiddenRoute,
                "a token is shown each time, or opens a socket",
            ));
        }
        let answer = match (local, who) {
            (Local::Fixed(reply), _) => return Ok(reply),
            (Local::Login { lifetime }, Who::Proven(who)) => {
                let login = self.callers.log_in(&who, lifetime, now)?;
                self.note_login(&who, None);
                login
            }
            (Local::Refresh { token }, _) => {
                let (who, login) = self.callers.refresh(&name, &token, origin, now)?;
                self.note_login(&who, None);
                login
            }
            (Local::Logout, Who::Proven(who)) => {
                self.callers.log_out(who.key());
                LocalAnswer::Done
            }
            (Local::StreamKey(what), who) => {
                let named = who.named().ok_or_else(missing)?;
                self.desk.may_read(named.caller(), named.account(), now)?;
                self.stream_key(what, &named)?
            }
            (Local::CancelOnDisconnect { scope }, Who::Proven(who)) => {
                let enabled = self.desk.look(|state| match scope {
                    GuardScope::Session => session.is_some_and(|s| state.guards().session(s)),
                    GuardScope::Account => state.guards().ever(who.caller(), who.account()),
                });
                LocalAnswer::CancelOnDisconnect { scope, enabled }
            }
            (
                Local::Login { .. } | Local::Logout | Local::CancelOnDisconnect { .. },
                Who::Nobody | Who::Named(_),
            ) => return Err(missing()),
        };
        Ok(venue.answer(context, &answer, now))
    }

    fn stream_key(&self, what: StreamKey, who: &Named) -> Result<LocalAnswer, Reject> {
        let now = clock::now();
        let unknown = || Reject::new(Code::BadToken, "there is no such stream key");
        match what {
            StreamKey::Start => self.callers.start_stream_key(who, now).map(LocalAnswer::StreamKey),
            StreamKey::Keep => self
                .callers
                .keep_stream_key(who, now)
                .map(LocalAnswer::StreamKey)
                .ok_or_else(unknown),
            StreamKey::Stop if self.callers.stop_stream_key(who, now) => Ok(LocalAnswer::Done),
            StreamKey::Stop => Err(unknown()),
        }
    }
}

/// Public answers hold nobody's orders.
struct NoOwners;

impl Owners for NoOwners {
    fn owner(&self, _: Option<&str>, _: Option<&str>) -> Option<Owned> {
        None
    }
}

fn missing() -> Reject {
    Reject::new(Code::MissingCredentials, "log in or sign the request")
}

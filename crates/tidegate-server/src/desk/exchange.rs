//! Talking to venues: sending what may leave, and reading an account's state.

use super::carry_out::Ongoing;
use super::links::SendError;
use super::{Departure, Desk, Errand, Link};
use crate::clock;
use crate::oplog;
use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tidegate_core::event::Event;
use tidegate_core::send::Sendable;
use tidegate_types::call::{CallBody, CallClass};
use tidegate_types::ids::{AccountName, CallId, InstrumentId};
use tidegate_types::reject::Reject;
use tidegate_types::report::{AccountSnapshot, FillReport, Outcome};
use tidegate_types::request::Reply;
use tidegate_types::time::Time;

/// Whether an order says itself that it can only reduce a position.
pub(super) fn reduces(body: &CallBody) -> bool {
    match body {
        CallBody::Place { order, .. } => order.reduce_only,
        CallBody::Amend { reduce_only, .. } => *reduce_only == Some(true),
        _ => false,
    }
}

impl Desk {
    /// Sends a request and tells the core what came of it.
    pub(super) fn send(&self, request: Sendable, ongoing: Ongoing) {
        let Some(desk) = self.this.upgrade() else { return };
        self.runtime.spawn(async move { desk.exchange(request, ongoing).await });
    }

    async fn exchange(self: Arc<Desk>, request: Sendable, ongoing: Ongoing) {
        let call = request.call();
        match self.deliver(request, &ongoing).await {
            Ok(reply) => self.replied(call, &ongoing, reply),
            Err(SendError::NotSent(reject)) => self.event(Event::NotSent { call, reject }),
            Err(SendError::Unknown(why)) => {
                let outcome = Outcome::Unknown { why };
                self.event(Event::Replied { call, outcome, reply: None });
            }
        }
    }

    async fn deliver(&self, request: Sendable, ongoing: &Ongoing) -> Result<Reply, SendError> {
        let link = self.links.get(&ongoing.venue).map_err(SendError::NotSent)?;
        let errand = match ongoing.body.class() {
            // It is no cancel, only the wish for one: not worth a ban.
            _ if matches!(ongoing.body, CallBody::DeadMan { .. }) => {
                Errand::Upkeep(Some(&ongoing.account))
            }
            CallClass::Cancel if *ongoing.kill.borrow() => Errand::Kill(&ongoing.account),
            CallClass::Cancel | CallClass::Read => {
                let caller = ongoing.caller.as_ref();
                Errand::Cancel { caller, account: &ongoing.account }
            }
            CallClass::New | CallClass::Amend | CallClass::Setting => Errand::Order {
                caller: ongoing.caller.as_ref(),
                account: &ongoing.account,
                reduces: reduces(&ongoing.body),
            },
            CallClass::Session => Errand::Upkeep(Some(&ongoing.account)),
        };
        let call = request.call();
        let began = Instant::now();
        let departure = Departure {
            may_leave: Box::new(|| self.may_leave(call)),
            left: Box::new(|| self.event(Event::Sent { call })),
            kill: (ongoing.body.class() == CallClass::Cancel).then(|| ongoing.kill.clone()),
            since: ongoing.since,
        };
        let reply = link.send(errand, request.into_request(), departure).await;
        self.measures.venue.record(began.elapsed());
        reply
    }

    fn replied(&self, call: CallId, ongoing: &Ongoing, reply: Reply) {
        let outcome = match self.links.get(&ongoing.venue) {
            Ok(link) => link.venue().outcome(&ongoing.body, &reply, &self.book(&ongoing.venue)),
            Err(reject) => Outcome::Unknown { why: reject.to_string() },
        };
        self.event(Event::Replied { call, outcome, reply: Some(reply) });
    }

    /// Reads an account's open orders and positions and hands them to the core.
    pub(super) fn reconcile(&self, account: AccountName, question: u64) {
        let Some(desk) = self.this.upgrade() else { return };
        self.runtime.spawn(async move {
            let result = desk.snapshot(&account).await;
            desk.event(Event::Snapshot { account, question, result });
        });
    }

    /// Reads an account's trades of an instrument and hands them to the core.
    pub(super) fn read_trades(
        &self,
        account: AccountName,
        question: u64,
        instrument: InstrumentId,
        since: Time,
    ) {
        let Some(desk) = self.this.upgrade() else { return };
        self.runtime.spawn(async move {
            let body = CallBody::Trades { instrument: instrument.clone(), since };
            let result = desk.trades(&account, body).await;
            if let Err(why) = &result {
                let fields = [("account", &account as &dyn Display), ("why", why)];
                oplog::warn("trades-unread", &fields);
            }
            desk.event(Event::Trades { account, question, instrument, result });
        });
    }

    async fn trades(
        &self,
        account: &AccountName,
        body: CallBody,
    ) -> Result<Vec<FillReport>, String> {
        let venue = self.look(|state| state.accounts().get(account).map(|a| a.venue.clone()));
        let venue = venue.ok_or_else(|| "the account is not known".to_owned())?;
        let say = |reject: Reject| reject.to_string();
        let link: &Link = self.links.get(&venue).map_err(say)?;
        let request = self.sign_read(account, body).await.map_err(say)?;
        // It waits for nobody's cancel, and must not take what cancels need.
        let errand = Errand::Upkeep(Some(account));
        let reply = link.fetch(errand, request.into_request()).await.map_err(say)?;
        link.venue().trades(&reply, &self.book(&venue)).map_err(|e| e.0)
    }

    async fn snapshot(&self, account: &AccountName) -> Result<AccountSnapshot, String> {
        let venue = self.look(|state| state.accounts().get(account).map(|a| a.venue.clone()));
        let venue = venue.ok_or_else(|| "the account is not known".to_owned())?;
        let say = |reject: Reject| reject.to_string();
        let link: &Link = self.links.get(&venue).map_err(say)?;
        let mut replies = Vec::new();
        for part in 0..link.venue().snapshot_parts() {
            let request =
                self.sign_read(account, CallBody::Snapshot { part }).await.map_err(say)?;
            let errand = Errand::cancel(account);
            replies.push(link.fetch(errand, request.into_request()).await.map_err(say)?);
        }
        link.note_snapshot(account, &replies);
        link.venue().snapshot(&replies, &self.book(&venue)).map_err(|e| e.0)
    }

    /// Reads the terms of a venue's instruments.
    pub async fn read_instruments(&self, link: &Link) -> Result<(), String> {
        let mut replies = Vec::new();
        for request in link.venue().instrument_requests() {
            let reply = link.fetch(Errand::Upkeep(None), request).await;
            replies.push(reply.map_err(|reject| reject.to_string())?);
        }
        link.note_instruments(&replies);
        let instruments = link.venue().instruments(&replies).map_err(|e| e.0)?;
        let by_name = instruments.into_iter().map(|i| (i.id.name.clone(), i)).collect();
        self.publish(&link.venue().name(), tidegate_venues::front::Instruments(by_name));
        let terms = link.venue().venue_terms(&replies, clock::now());
        self.event(Event::VenueTerms { terms });
        Ok(())
    }

    /// Reads instruments now and every `every`, sooner after a failure. `first` is told of the
    /// first success.
    pub async fn keep_instruments(
        self: Arc<Desk>,
        link: Arc<Link>,
        every: Duration,
        first: tokio::sync::oneshot::Sender<()>,
    ) {
        let (mut first, mut broken) = (Some(first), oplog::Repeated::default());
        let venue = link.venue().name();
        loop {
            let wait = match self.read_instruments(&link).await {
                Ok(()) => {
                    if broken.over() {
                        oplog::info("instruments-read", &[("venue", &venue)]);
                    }
                    if let Some(first) = first.take() {
                        let _ = first.send(());
                    }
                    every
                }
                Err(why) => {
                    if broken.is_news(&why) {
                        oplog::warn("instruments-unread", &[("venue", &venue), ("why", &why)]);
                    }
                    Duration::from_secs(1).min(every)
                }
            };
            tokio::time::sleep(wait).await;
        }
    }
}

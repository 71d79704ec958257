//! The core with everything around it played: journal, signer, network and a venue, each moved by
//! hand or all at once.

mod around;
mod asks;
mod replay;
mod values;

pub(super) use values::*;

use super::venue::Venue;
use crate::action::{Action, Answer};
use crate::event::Event;
use crate::{Core, CoreSettings};
use std::collections::BTreeMap;
use tidegate_types::call::{Call, Warrant};
use tidegate_types::emergency::Emergency;
use tidegate_types::grant::{AccountLimits, Grant, KeyScheme, VirtualKey};
use tidegate_types::ids::*;
use tidegate_types::instrument::*;
use tidegate_types::key::KeyTerms;
use tidegate_types::record::{Approvals, Change, Durability, Record};
use tidegate_types::time::{Span, Time};

#[derive(Debug)]
pub(super) struct World {
    pub(super) core: Core,
    pub(super) now: Time,
    pub(super) venue: Venue,
    pub(super) journal: Vec<Record>,
    pub(super) flushed: u64,
    pub(super) to_sign: Vec<(Call, Warrant)>,
    pub(super) signed: BTreeMap<CallId, (Call, Warrant)>,
    pub(super) to_send: Vec<Call>,
    pub(super) hastened: Vec<CallId>,
    pub(super) answers: BTreeMap<Ticket, Answer>,
    pub(super) asked: Vec<Ticket>,
    /// The numbers of the questions after accounts.
    pub(super) to_read: Vec<u64>,
    /// Those of them that are not about [`MAIN`].
    about: BTreeMap<u64, AccountName>,
    /// There is an account at another venue, too.
    pub(super) is_away: bool,
    pub(super) markets_asked: Vec<InstrumentId>,
    pub(super) trades_to_read: Vec<(u64, InstrumentId, Time)>,
    pub(super) starts: u32,
    /// What went without a record.
    pub(super) kept: Vec<(Time, Emergency)>,
}

impl World {
    /// Two callers, `ann` and `bob`, on one open account; marks are 100, and 0.05 for the option
    /// on an index of 100.
    pub(super) fn new() -> World {
        let mut world = World::closed();
        world.up();
        assert!(world.is_open());
        world
    }

    pub(super) fn closed() -> World {
        let mut world = World {
            core: Core::new(CoreSettings::default()),
            now: Time::from_millis(1_700_000_000_000),
            venue: Venue::default(),
            journal: Vec::new(),
            flushed: 0,
            to_sign: Vec::new(),
            signed: BTreeMap::new(),
            to_send: Vec::new(),
            hastened: Vec::new(),
            answers: BTreeMap::new(),
            asked: Vec::new(),
            to_read: Vec::new(),
            about: BTreeMap::new(),
            is_away: false,
            trades_to_read: Vec::new(),
            markets_asked: Vec::new(),
            starts: 0,
            kept: Vec::new(),
        };
        world.start();
        let (venue, account): (VenueName, AccountName) = (name(VENUE), name(MAIN));
        let key = Change::VenueKeyImported {
            account: account.clone(),
            key: "k".to_owned(),
            rights: Vec::new(),
        };
        let desk = Change::DeskSet { desk: name("desk"), approvals: Approvals::One };
        world.change(desk);
        world.change(Change::AccountAdded { venue: venue.clone(), account });
        world.change(key);
        for caller in ["ann", "bob"] {
            world.change(Change::CallerAdded { caller: name(caller) });
            let key = VirtualKey {
                id: name(caller),
                caller: name(caller),
                venue: venue.clone(),
                account: name(MAIN),
                scheme: KeyScheme::Hmac,
                terms: KeyTerms::default(),
            };
            world.change(Change::KeyAdded { key, replaces: None });
            world.change(Change::GrantSet { grant: grant(caller) });
        }
        world.change(Change::LimitsSet { limits: limits() });
        let expiry = Time::from_millis(1_800_000_000_000);
        let option = Kind::Option { expiry, strike: Price(d("100")), call: true };
        let instruments = vec![
            terms(PERP, Kind::Perpetual, Unit::Linear, "0.1", "0.001"),
            terms(INVERSE, Kind::Perpetual, Unit::Inverse, "0.5", "10"),
            terms(OPTION, option, Unit::CoinOption, "0.0005", "0.1"),
        ];
        world.event(Event::Instruments { venue, instruments });
        world.mark();
        world
    }

    pub(super) fn start(&mut self) {
        self.starts += 1;
        let epoch = format!("epoch{:03}", self.starts);
        let version = "test".to_owned();
        self.event(Event::Started { epoch, version, durability: Durability::Disk });
    }

    pub(super) fn up(&mut self) {
        self.stream_up();
        self.settle();
    }

    /// The streams of all accounts are there.
    pub(super) fn stream_up(&mut self) {
        self.event(Event::StreamUp { account: name(MAIN) });
        if self.is_away {
            self.event(Event::StreamUp { account: name(AWAY) });
        }
    }

    /// Both callers trade on an account at another venue, too.
    pub(super) fn go_away(&mut self) {
        self.is_away = true;
        let (venue, account): (VenueName, AccountName) = (name(AWAY), name(AWAY));
        self.change(Change::AccountAdded { venue: venue.clone(), account: account.clone() });
        for caller in ["ann", "bob"] {
            let key = VirtualKey {
                id: name(&format!("{caller}-{AWAY}")),
                caller: name(caller),
                venue: venue.clone(),
                account: account.clone(),
                scheme: KeyScheme::Hmac,
                terms: KeyTerms::default(),
            };
            self.change(Change::KeyAdded { key, replaces: None });
            let (venue, account) = (venue.clone(), account.clone());
            self.change(Change::GrantSet { grant: Grant { venue, account, ..grant(caller) } });
        }
        self.change(Change::LimitsSet { limits: AccountLimits { account, ..limits() } });
        let perpetual = terms(PERP, Kind::Perpetual, Unit::Linear, "0.1", "0.001");
        let instruments = vec![Instrument { id: away_perp(), ..perpetual }];
        self.event(Event::Instruments { venue, instruments });
        self.mark();
        self.up();
        assert!(self.core.state().accounts().values().all(|account| account.open));
    }

    pub(super) fn is_open(&self) -> bool {
        self.core.state().accounts()[&name::<AccountName>(MAIN)].open
    }

    pub(super) fn mark(&mut self) {
        let at = self.now;
        let index = Price(d("100"));
        let of = |text: &str, mark: &str| Mark {
            instrument: instrument(text),
            mark: Price(d(mark)),
            index,
            at,
        };
        let mut marks = vec![of(PERP, "100"), of(INVERSE, "100"), of(OPTION, "0.05")];
        if self.is_away {
            marks.push(Mark { instrument: away_perp(), ..of(PERP, "100") });
        }
        self.event(Event::Marks { marks });
    }

    pub(super) fn ticket(&mut self) -> Ticket {
        let ticket = Ticket(self.asked.len() as u64);
        self.asked.push(ticket);
        ticket
    }

    pub(super) fn event(&mut self, event: Event) {
        self.venue.now = self.now;
        let mut out = Vec::new();
        self.core.handle(event, self.now, &mut out);
        self.carry_out(out);
    }

    /// Lets time pass, with every timer on its way and fresh marks each second.
    pub(super) fn pass(&mut self, ms: u64) {
        let end = self.now.plus(Span::from_millis(ms));
        while let Some(due) = self.core.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.timers();
        }
        self.now = end;
        self.venue.now = end;
        self.mark();
    }

    pub(super) fn timers(&mut self) {
        let mut out = Vec::new();
        self.core.handle_timeout(self.now, &mut out);
        self.carry_out(out);
    }
}

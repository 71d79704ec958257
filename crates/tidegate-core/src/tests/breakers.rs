//! Circuit breakers trip at their limit and not before, stop what they are for and nothing else, and open
//! again by people alone.

mod kinds;
mod parts;
mod people;
mod stops;

use super::world::*;
use crate::action::Answer;
use crate::breakers::{Place, Stage};
use crate::event::Event;
use tidegate_types::breaker::{Breaker, Stops};
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::{AccountLimits, Grant, KeyScheme, VirtualKey};
use tidegate_types::ids::{AccountName, Ticket};
use tidegate_types::instrument::{Mark, Price};
use tidegate_types::key::KeyTerms;
use tidegate_types::order::{Intent, NewOrder, Side};
use tidegate_types::proof::Authenticated;
use tidegate_types::record::{Body, Canceller, Change};
use tidegate_types::reject::Code;
use tidegate_types::report::AccountSnapshot;
use tidegate_types::time::Span;

const OTHER: &str = "other";

/// A breaker over a minute that one measurement trips, and that lets what reduces pass.
fn breaker(id: &str, limit: &str) -> Breaker {
    Breaker {
        id: id.parse().unwrap(),
        limit: d(limit),
        window: Span::from_secs(60),
        least: 1,
        stops: Stops::Increases,
        cancel: false,
        trial: 2,
    }
}

fn place(id: &str, scope: &str) -> Place {
    Place { breaker: id.parse().unwrap(), scope: scope.parse().unwrap() }
}

impl World {
    fn with(breakers: impl IntoIterator<Item = Breaker>) -> World {
        let mut world = World::new();
        for breaker in breakers {
            world.change(Change::BreakerSet { breaker });
        }
        world
    }

    fn breaker_stage(&self, id: &str, scope: &str) -> Option<Stage> {
        self.core.state().breakers().trips().get(&place(id, scope)).map(|trip| trip.stage)
    }

    fn tripped(&self) -> Vec<String> {
        let trips = self.core.state().breakers().trips().iter();
        let tripped = trips.filter(|(_, trip)| trip.stage == Stage::Tripped);
        tripped.map(|(place, _)| format!("{} {}", place.breaker, place.scope)).collect()
    }

    /// The measured values and limits of the trips on record.
    fn trips(&self) -> Vec<(Decimal, Decimal)> {
        let trips = self.journal.iter().filter_map(|record| match &record.body {
            Body::BreakerTripped { measured, limit, .. } => Some((*measured, *limit)),
            _ => None,
        });
        trips.collect()
    }

    fn half_open(&mut self, id: &str, scope: &str) {
        let Place { breaker, scope } = place(id, scope);
        let reason = "mended".to_owned();
        self.change(Change::BreakerHalfOpened { breaker, scope, reason });
    }

    fn close(&mut self, id: &str, scope: &str) {
        let Place { breaker, scope } = place(id, scope);
        let reason = "mended".to_owned();
        self.change(Change::BreakerClosed { breaker, scope, reason });
    }

    fn priced(&mut self, mark: &str) {
        self.now = self.now.plus(Span::from_millis(1000));
        let mark = Mark {
            instrument: instrument(PERP),
            mark: Price(d(mark)),
            index: Price(d(mark)),
            at: self.now,
        };
        self.event(Event::Marks { marks: vec![mark] });
    }

    fn refused_to(&mut self, caller: &str, order: NewOrder) -> Option<Code> {
        let ticket = self.place(caller, order);
        self.settle();
        self.code(ticket)
    }

    /// A second account, on which `ann` trades too.
    fn open_other(&mut self) {
        let account: AccountName = name(OTHER);
        self.change(Change::AccountAdded { venue: name(VENUE), account: account.clone() });
        let key = VirtualKey {
            id: name("ann-other"),
            caller: name("ann"),
            venue: name(VENUE),
            account: account.clone(),
            scheme: KeyScheme::Hmac,
            terms: KeyTerms::default(),
        };
        self.change(Change::KeyAdded { key, replaces: None });
        self.change(Change::GrantSet { grant: Grant { account: account.clone(), ..grant("ann") } });
        self.change(Change::LimitsSet { limits: AccountLimits { account, ..limits() } });
        self.event(Event::StreamUp { account: name(OTHER) });
        while let Some(question) = self.to_read.pop() {
            let result = Ok(AccountSnapshot::default());
            self.event(Event::Snapshot { account: name(OTHER), question, result });
        }
        assert!(self.core.state().accounts()[&name::<AccountName>(OTHER)].open);
    }

    fn on_other(&mut self, order: NewOrder) -> Option<Code> {
        let ticket: Ticket = self.ticket();
        let who = Authenticated::vouch(name("ann"), name("ann-other"), name(VENUE), name(OTHER));
        self.event(Event::Submit { ticket, who, session: None, intent: Intent::New { order } });
        self.code(ticket)
    }

    /// What is held is bought, and the venue fills it.
    fn bought(&mut self, caller: &str, qty: &str) {
        self.traded(caller, qty, buy(qty, "100"));
    }

    fn sold(&mut self, caller: &str, qty: &str) {
        self.traded(caller, qty, sell(qty, "100"));
    }

    fn traded(&mut self, caller: &str, qty: &str, order: NewOrder) {
        self.live(caller, order);
        let id = *self.venue.open().last().unwrap().0;
        self.venue.fill(id, d(qty).raw());
        self.settle();
    }
}

#[test]
fn a_desk_without_breakers_has_none() {
    let mut world = World::new();
    world.bought("ann", "10");
    world.priced("50");
    world.settle();
    assert_eq!(world.tripped(), Vec::<String>::new());
    let breakers = world.core.state().breakers();
    assert!(breakers.rules().is_empty() && breakers.trips().is_empty());
    assert!(breakers.places(&"loss@each-account".parse().unwrap()).is_empty());
}

#[test]
fn one_account_trips_and_the_other_trades_on() {
    let mut world = World::with([breaker("loss@each-account", "100")]);
    world.open_other();
    world.bought("bob", "10");
    world.priced("90");
    assert_eq!(world.tripped(), ["loss@each-account account:main"]);
    assert_eq!(world.refused_to("ann", buy("1", "90")), Some(Code::BreakerTripped));
    assert_eq!(world.on_other(buy("1", "90")), None);
    // What reduces passes, and cancels do.
    let order = world.live("ann", limit(Side::Sell, "1", "91"));
    let cancel = world.cancel("ann", own(order));
    world.settle();
    assert!(matches!(world.answers[&cancel], Answer::Venue { .. }));
    world.check();
    world.check_replay();
}

#[test]
fn all_stopped_is_all_but_cancels() {
    let all = Breaker { stops: Stops::All, ..breaker("loss@all", "100") };
    let mut world = World::with([all]);
    world.bought("ann", "10");
    let order = world.live("ann", limit(Side::Sell, "1", "101"));
    world.priced("90");
    assert_eq!(world.refused_to("ann", limit(Side::Sell, "1", "91")), Some(Code::BreakerTripped));
    let cancel = world.cancel("ann", own(order));
    world.settle();
    assert!(matches!(world.answers[&cancel], Answer::Venue { .. }));
}

#[test]
fn a_trip_takes_open_orders_along_where_asked_but_not_those_that_reduce() {
    let takes = Breaker { cancel: true, ..breaker("loss@caller:ann", "100") };
    let mut world = World::with([takes]);
    world.bought("ann", "10");
    let rests = world.live("ann", buy("1", "96"));
    let reduces = world.live("ann", NewOrder { reduce_only: true, ..sell("1", "104") });
    let others = world.live("bob", buy("1", "97"));
    world.priced("90");
    world.settle_for(2);
    let open = |world: &World, id| world.core.state().orders().get(id).unwrap().is_open();
    assert_eq!([rests, reduces, others].map(|id| open(&world, id)), [false, true, true]);
    let by = world.journal.iter().find_map(|record| match &record.body {
        Body::CancelCleared { by, .. } => Some(by.clone()),
        _ => None,
    });
    let Place { breaker, scope } = place("loss@caller:ann", "caller:ann");
    assert_eq!(by, Some(Canceller::Breaker { breaker, scope }));
    world.check_replay();
}

#[test]
fn what_is_cleared_and_has_not_left_stays() {
    let mut world = World::with([breaker("loss@each-account", "100")]);
    world.bought("ann", "10");
    let late = world.place("ann", buy("1", "100"));
    world.priced("90");
    assert_eq!(world.code(late), Some(Code::BreakerTripped));
    world.settle();
    assert_eq!(world.venue.open().count(), 0);
}

#[test]
fn half_open_lets_few_pass_and_any_trip_stops_it_again() {
    let (id, scope) = ("loss@each-account", "account:main");
    let mut world = World::with([breaker(id, "100")]);
    world.bought("ann", "10");
    world.priced("90");
    world.half_open(id, scope);
    assert_eq!(world.breaker_stage(id, scope), Some(Stage::HalfOpen));
    let tried = ["1", "1", "1"].map(|qty| world.refused_to("ann", buy(qty, "90")));
    assert_eq!(tried, [None, None, Some(Code::BreakerTrial)], "two a minute");
    assert_eq!(
        world.refused_to("bob", limit(Side::Sell, "1", "91")),
        None,
        "what reduces is no trial"
    );
    world.pass(61_000);
    world.priced("90");
    assert_eq!(world.refused_to("ann", buy("1", "90")), None, "a minute later");
    // It measures anew from where it was half-opened: ten lost then are the day's no more.
    world.priced("80.1");
    assert_eq!(world.breaker_stage(id, scope), Some(Stage::HalfOpen));
    world.priced("79");
    assert_eq!(world.breaker_stage(id, scope), Some(Stage::Tripped), "tripped again");
    let trip = world.core.state().breakers().trips()[&place(id, scope)].clone();
    assert_eq!(trip.times, 2);
    world.check_replay();
    world.half_open(id, scope);
    world.close(id, scope);
    assert_eq!(world.breaker_stage(id, scope), None);
    assert_eq!(["1", "1", "1"].map(|qty| world.refused_to("ann", buy(qty, "79"))), [None; 3]);
    world.check_replay();
}

#[test]
fn a_restart_keeps_it_and_lifts_nothing() {
    let (id, scope) = ("loss@each-account", "account:main");
    let mut world = World::with([breaker(id, "100")]);
    world.bought("ann", "10");
    world.priced("90");
    world.flush();
    world.kill(false);
    world.up();
    world.settle_for(3);
    assert_eq!(world.breaker_stage(id, scope), Some(Stage::Tripped));
    assert_eq!(world.refused_to("ann", buy("1", "100")), Some(Code::BreakerTripped));
    world.check_replay();
}

#[test]
fn what_it_stopped_is_counted_on_record() {
    let (id, scope) = ("loss@each-account", "account:main");
    let mut world = World::with([breaker(id, "100")]);
    world.bought("ann", "10");
    world.priced("90");
    for _ in 0..3 {
        assert_eq!(world.refused_to("ann", buy("1", "90")), Some(Code::BreakerTripped));
    }
    let stopped = |world: &World| world.core.state().breakers().trips()[&place(id, scope)].stopped;
    assert_eq!(stopped(&world), 0, "once a second");
    world.pass(1500);
    assert_eq!(stopped(&world), 3);
    world.check_replay();
}

#[test]
fn a_window_forgets() {
    let mut world = World::with([Breaker { least: 3, ..breaker("rejects@each-caller", "100") }]);
    for _ in 0..2 {
        world.venue.refuse = true;
        world.refused_to("ann", buy("1", "100"));
    }
    world.now = world.now.plus(Span::from_secs(61));
    world.mark();
    world.venue.refuse = true;
    world.refused_to("ann", buy("1", "100"));
    assert_eq!(world.tripped(), Vec::<String>::new(), "two of three are over a minute old");
    world.check_replay();
}

//! What a venue paid into the wallet at a settlement does not count twice.

use super::options;
use super::world::*;
use crate::event::Event;
use tidegate_types::Decimal;
use tidegate_types::instrument::{Mark, Price, Usd};
use tidegate_types::record::{Body, Change};
use tidegate_types::report::{AccountEvent, BalanceReport, Settlement};
use tidegate_types::time::Span;

/// An account with limits for its options and half a coin of 100 dollars, which bought one at 100.
fn holding() -> World {
    let mut world = World::closed();
    world.venue.balances = vec![coins("0.5")];
    world.up();
    world.settle_for(2);
    let limits = options::open();
    world.change(Change::OptionLimitsSet { limits });
    world.live("ann", buy("1", "100"));
    fill(&mut world);
    world
}

/// The newest order trades in full.
fn fill(world: &mut World) {
    let newest = *world.venue.open().map(|(id, _)| id).max().unwrap();
    world.venue.fill(newest, Decimal::ONE.raw());
    world.settle();
}

fn coins(amount: &str) -> BalanceReport {
    BalanceReport { asset: name("BTC"), amount: d(amount) }
}

impl World {
    fn moves_to(&mut self, mark: &str) {
        self.now = self.now.plus(Span::from_secs(1));
        let known = self.core.state().marks()[&instrument(PERP)].clone();
        let mark = Mark { mark: Price(d(mark)), at: self.now, ..known };
        self.event(Event::Marks { marks: vec![mark] });
    }

    /// The venue settles at a price and pays: what the wallet holds now.
    fn is_paid(&mut self, price: &str, wallet: &str) {
        self.venue.balances = vec![coins(wallet)];
        let event = AccountEvent::Balance { balance: coins(wallet) };
        self.event(Event::Streamed { account: name(MAIN), event });
        let price = Price(d(price));
        self.venue.settlements = vec![Settlement { instrument: instrument(PERP), price }];
    }

    /// The account is looked at; how many records of settlements that made.
    fn looks_at_settlements(&mut self) -> usize {
        let before = self.settlements_told();
        let mut out = Vec::new();
        self.core.ask_anew(&name(MAIN), self.now, &mut out);
        self.carry_out(out);
        self.settle();
        self.settlements_told() - before
    }

    fn settlements_told(&self) -> usize {
        let told = |body: &Body| matches!(body, Body::SettledAt { .. });
        self.journal.iter().filter(|record| told(&record.body)).count()
    }

    fn equity(&self) -> Option<Usd> {
        self.core.state().options_of(&name(MAIN)).unwrap().equity
    }

    fn entered_at(&self) -> Option<Price> {
        self.core.state().entries.of(&name(MAIN), &instrument(PERP))
    }
}

#[test]
fn a_loss_that_was_paid_counts_once() {
    let mut world = holding();
    world.moves_to("80");
    assert_eq!(world.equity(), Some(Usd(d("30"))));
    world.is_paid("80", "0.3");
    assert_eq!(world.equity(), Some(Usd(d("10"))), "until the venue was looked at");
    assert_eq!(world.looks_at_settlements(), 1);
    assert_eq!((world.entered_at(), world.equity()), (Some(Price(d("80"))), Some(Usd(d("30")))));
    world.moves_to("75");
    assert_eq!(world.equity(), Some(Usd(d("25"))));
    world.check_replay();
}

#[test]
fn a_settlement_counts_once_and_what_is_traded_since_is_averaged_in() {
    let mut world = holding();
    world.moves_to("98");
    world.is_paid("98", "0.48");
    assert_eq!(world.looks_at_settlements(), 1);
    world.live("ann", buy("1", "99"));
    fill(&mut world);
    let averaged = world.entered_at();
    assert!(averaged > Some(Price(d("98"))), "{averaged:?}");
    assert_eq!(world.looks_at_settlements(), 0, "it is known");
    assert_eq!(world.entered_at(), averaged);
    world.is_paid("97", "0.45");
    assert_eq!(world.looks_at_settlements(), 1, "the next day's");
    assert_eq!(world.entered_at(), Some(Price(d("97"))));
    world.check_replay();
}

#[test]
fn what_is_not_held_is_not_settled() {
    let mut world = World::new();
    world.is_paid("98", "0");
    assert_eq!(world.looks_at_settlements(), 0);
    assert_eq!(world.entered_at(), None);
}

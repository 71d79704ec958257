//! What is asked by a token is on record beside the one in whose name it was.

use super::world::*;
use crate::action::Answer;
use crate::event::Event;
use std::sync::Arc;
use tidegate_types::app::App;
use tidegate_types::codec::Octets;
use tidegate_types::ids::{OrderId, Ticket};
use tidegate_types::order::{CancelFilter, CancelOrder, Intent};
use tidegate_types::proof::{Authenticated, TokenShown};
use tidegate_types::record::{Body, Canceller, Change};
use tidegate_types::reject::{Code, Reject};

const TOM: &str = "person:tom";
const UMA: &str = "person:uma";

/// A desk whose `ann` is an app as well.
fn world() -> World {
    let mut world = World::new();
    let app = App { caller: name("ann"), terms: Octets(vec![1]), summary: Vec::new() };
    world.change(Change::AppSet { app });
    world
}

fn by_token(subject: &str) -> Authenticated {
    let app = Authenticated::vouch(name("ann"), name("token:t1"), name(VENUE), name(MAIN));
    app.by_token(Arc::new(grant("ann")), Arc::from(subject))
}

impl World {
    fn ask_for(&mut self, subject: &str, intent: Intent) -> Ticket {
        let ticket = self.ticket();
        self.event(Event::Submit { ticket, who: by_token(subject), session: None, intent });
        ticket
    }

    fn bodies_since(&self, start: usize) -> Vec<&Body> {
        self.journal[start..].iter().map(|record| &record.body).collect()
    }
}

fn cancel(order: OrderId) -> Intent {
    Intent::Cancel { cancel: CancelOrder { order: own(order), instrument: None } }
}

#[test]
fn a_cancel_names_the_token_and_in_whose_name_it_was() {
    let mut world = world();
    let [one, two, three] = ["100", "99", "98"].map(|price| world.live("ann", buy("1", price)));
    let start = world.journal.len();
    world.ask_for(TOM, cancel(one));
    world.settle();
    world.cancel("ann", own(two));
    world.settle();
    let rest = world.ask_for(UMA, Intent::CancelMany { filter: CancelFilter::default() });
    world.settle();
    assert!(
        matches!(&world.answers[&rest], Answer::Cancelled { orders, .. } if *orders == [three])
    );
    let said: Vec<_> = world
        .bodies_since(start)
        .into_iter()
        .filter_map(|body| match body {
            Body::CancelCleared { order, by, .. } => Some((*order, by.clone())),
            _ => None,
        })
        .collect();
    let token = |subject: &str| Canceller::Token {
        caller: name("ann"),
        token: name("token:t1"),
        subject: subject.to_owned(),
    };
    let key = Canceller::Caller { caller: name("ann") };
    assert_eq!(said, [(one, token(TOM)), (two, key), (three, token(UMA))]);
}

/// What the journal says of refusals: whose they are, as far as that is known, and how many.
fn refusals(world: &World, start: usize) -> Vec<(Option<String>, u64)> {
    let (mut told, mut subject) = (Vec::new(), None);
    for body in world.bodies_since(start) {
        match body {
            Body::RefusedByToken { caller, token, subject: of } => {
                assert_eq!((caller.as_str(), token.as_str()), ("ann", "token:t1"));
                subject = Some(of.clone());
            }
            Body::Refused { caller, .. } => {
                assert_eq!(caller.as_ref().unwrap().as_str(), "ann");
                told.push((subject.take(), 1));
            }
            Body::RefusedMore { count, .. } => told.push((subject.take(), *count)),
            other => assert!(subject.is_none(), "{other:?} is no refusal"),
        }
    }
    told
}

#[test]
fn a_refusal_names_in_whose_name_it_was_asked_and_each_is_counted_for_itself() {
    let mut world = world();
    let start = world.journal.len();
    // Beyond the collar.
    let far = || Intent::New { order: buy("1", "200") };
    for subject in [TOM, UMA, TOM, TOM] {
        let ticket = world.ask_for(subject, far());
        assert_eq!(world.code(ticket), Some(Code::PriceCollar));
    }
    let ticket = world.place("ann", buy("1", "200"));
    assert_eq!(world.code(ticket), Some(Code::PriceCollar));
    let (tom, uma) = (Some(TOM.to_owned()), Some(UMA.to_owned()));
    assert_eq!(refusals(&world, start), [(tom.clone(), 1), (uma, 1), (None, 1)]);
    let counted = world.journal.len();
    world.pass(1500);
    assert_eq!(refusals(&world, counted), [(tom, 2)]);
}

#[test]
fn what_was_refused_before_the_core_names_it_too() {
    let mut world = world();
    let start = world.journal.len();
    let shown = Some(TokenShown { token: name("token:t1"), subject: Arc::from(TOM) });
    let reject = Reject::new(Code::BadParameter, "no price");
    let (caller, account) = (Some(name("ann")), Some(name(MAIN)));
    world.event(Event::RefusedEarlier { caller, account, shown, reject });
    assert_eq!(refusals(&world, start), [(Some(TOM.to_owned()), 1)]);
}

//! The operator: pulls the switch, and lifts it again.

use super::rng::Rng;
use super::venue::{ACCOUNTS, VENUES};
use super::world::{Asker, Due, Simulation};
use tidegate_core::Core;
use tidegate_core::action::Answer;
use tidegate_core::event::Event;
use tidegate_core::state::Flatten;
use tidegate_types::approval::Showing;
use tidegate_types::grant::Scope;
use tidegate_types::ids::PersonName;

/// What may be halted, besides a single order.
const SCOPES: [&str; 11] = [
    "all",
    "venue:binance",
    "venue:deribit",
    "account:main",
    "account:side",
    "account:gold",
    "caller:ann",
    "caller:cat",
    "caller:fay",
    "instrument:binance/BTCUSDT",
    "instrument:deribit/BTC-PERPETUAL",
];

/// The operator and what it has pulled.
#[derive(Debug)]
pub(super) struct Operator {
    rng: Rng,
    pulled: Vec<Scope>,
}

impl Operator {
    pub(super) fn new(rng: Rng) -> Operator {
        Operator { rng, pulled: Vec::new() }
    }
}

/// When it is quiet, every halt that closes positions has done so, unless a later one forbids it.
pub(super) fn positions_are_closed(core: &Core) -> Result<(), String> {
    let halts = core.state().halts().iter();
    for (scope, _) in halts.filter(|(_, halt)| halt.flatten == Some(Flatten::Closing)) {
        let left = core.outstanding(scope).positions;
        let held = left.iter().find(|held| !held.why.contains("was halted after"));
        if left.is_empty() || held.is_some() {
            return Err(format!("{scope} is not flat on a quiet day: {held:?}"));
        }
    }
    Ok(())
}

impl Simulation {
    /// Lifts what was pulled last time, or pulls something.
    pub(super) fn operate(&mut self) {
        let every = self.profile.halt_every.unwrap_or_default();
        let wait = self.operator.rng.around(every);
        self.after(wait, Due::Operator);
        if self.gate.is_none() || self.quiet {
            return;
        }
        let Ok(by) = PersonName::new("root") else { return };
        let lift = self.operator.pulled.len() > 1 || self.operator.rng.chance(500);
        if let Some(scope) = self.operator.pulled.first().cloned().filter(|_| lift) {
            self.operator.pulled.retain(|pulled| *pulled != scope);
            self.counts.add("resumes");
            let ticket = self.ticket(Asker::Operator);
            self.give(Event::Resume {
                ticket,
                by,
                showing: Showing::Door,
                scope,
                reason: "over".to_owned(),
            });
            return;
        }
        let Some(scope) = self.pick_scope() else { return };
        let one = matches!(scope, Scope::Order { .. });
        let allow_reduce = self.operator.rng.chance(300) && !one;
        let whose = one || matches!(scope, Scope::Caller { .. });
        let flatten = self.operator.rng.chance(300) && !allow_reduce && !whose;
        if flatten {
            self.counts.add("halts that close positions");
        }
        self.operator.pulled.push(scope.clone());
        self.counts.add("halts");
        let ticket = Some(self.ticket(Asker::Operator));
        let reason = "test".to_owned();
        self.give(Event::Halt { ticket, by, scope, reason, allow_reduce, flatten });
    }

    /// The venue was said to show no position of a scope: it has none. With others on the account it
    /// may have one again.
    pub(super) fn said_flat(&mut self, scope: &Scope) {
        self.counts.add("halts flat");
        if self.profile.outsider_every.is_some() {
            return;
        }
        for (account, (name, _, at)) in ACCOUNTS.iter().enumerate() {
            for (symbol, qty) in self.venue.positions(account) {
                let meant = match scope {
                    Scope::Account { name: of } => of.as_str() == *name,
                    Scope::Instrument { id } => id.name.as_str() == symbol,
                    Scope::Venue { name } => {
                        VENUES.get(*at).is_some_and(|venue| venue.name() == name.as_str())
                    }
                    _ => true,
                };
                if meant {
                    return self.fail(format!(
                        "{scope} is said to be flat, and {name} has {qty} of {symbol}"
                    ));
                }
            }
        }
    }

    /// What is to be halted: one of our open orders now and then.
    fn pick_scope(&mut self) -> Option<Scope> {
        if self.operator.rng.chance(200) {
            let orders = self.gate.as_ref()?.core.state().orders();
            let own = orders.open().filter(|order| !order.is_foreign());
            let own: Vec<_> = own.map(|order| order.id).collect();
            if let Some(id) = self.operator.rng.pick(&own).copied() {
                self.counts.add("halts of an order");
                return Some(Scope::Order { id });
            }
        }
        let name = self.operator.rng.pick(&SCOPES).copied().unwrap_or("all");
        let scope = name.parse().ok();
        if scope.is_none() {
            self.fail(format!("{name} is no scope"));
        }
        scope
    }

    /// The switch at the end of every run.
    pub(super) fn halt_everything(&mut self) {
        let Ok(by) = PersonName::new("root") else { return };
        let ticket = Some(self.ticket(Asker::LastHalt));
        let (scope, reason) = (Scope::All, "the end".to_owned());
        self.give(Event::Halt { ticket, by, scope, reason, allow_reduce: false, flatten: false });
    }

    /// Somebody gets its answer, once.
    pub(super) fn answered(&mut self, ticket: tidegate_types::ids::Ticket, answer: Answer) {
        let Some(asked) = self.asked.remove(&ticket) else {
            return self.fail(format!("{ticket} was not asked, or is answered twice"));
        };
        self.say(|| format!("{ticket} answered {answer:?}"));
        match asked.by {
            Asker::Trader { trader, order } => self.trader_hears(trader, order, &answer),
            Asker::Client { question } => self.client_is_answered(question, answer),
            Asker::Guarded { trader, session } => self.guarded(trader, session, &answer),
            Asker::Countdown { trader, until } => {
                if matches!(answer, Answer::Done) {
                    self.lapses.insert(trader, until);
                }
            }
            Asker::Saved { bytes } => {
                if matches!(answer, Answer::Done) {
                    self.state_is_saved(bytes);
                }
            }
            Asker::Operator => {}
            Asker::LastHalt => match answer {
                Answer::Halted { .. } => self.counts.add("halts proven at the end"),
                other => self.fail(format!("the last halt: {other:?}")),
            },
        }
    }
}

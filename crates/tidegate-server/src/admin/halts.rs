//! Halts as the administration asks for them: what they are of, how they are kept while the journal is
//! dead, and what is told when they cannot be proven in time.

use super::protocol::{Closed, Failure, NotShown, Remains, StillHeld};
use super::service::{Administration, done};
use super::{Administrator, halt_file, status};
use serde_json::{Value, json};
use std::time::Duration;
use tidegate_core::Outstanding;
use tidegate_core::action::Answer;
use tidegate_core::orders::Order;
use tidegate_core::roles;
use tidegate_core::state::State;
use tidegate_types::grant::Scope;
use tidegate_types::ids::{OrderId, PersonName};
use tidegate_types::report::PositionReport;

/// How to name what is to be halted.
const SCOPES: &str = "name one as all, desk:NAME, venue:NAME, account:NAME, caller:NAME, \
    instrument:VENUE/NAME, or order:N by Tidegate's number, order:tg… or order:ACCOUNT/ID";

/// A halt that is asked for.
pub(super) struct Pull {
    pub(super) scope: String,
    pub(super) reason: String,
    pub(super) wait: Duration,
    pub(super) allow_reduce: bool,
    pub(super) flatten: bool,
}

impl Administration {
    /// Halts, and waits for the proof.
    pub(super) async fn halt(&self, by: &Administrator, pull: Pull) -> Result<Value, Failure> {
        let Pull { scope, reason, wait, allow_reduce, flatten } = pull;
        let scope = self.scope_of(by, &scope)?;
        self.may_halt(by, &scope, flatten)?;
        let person = by.person.clone();
        // In force once this returns; what is waited for is the proof.
        let proof = self.parts.desk.halt(person, scope.clone(), reason, allow_reduce, flatten);
        // At once, in case the machine goes down before the proof; what counts is how it is then.
        let _ = self.keep_without_journal(&scope).await;
        let answer = tokio::time::timeout(wait, proof).await;
        self.keep_without_journal(&scope).await?;
        match answer {
            Ok(Answer::Halted { scope, cancelled }) => {
                Ok(json!({ "scope": scope.to_string(), "cancelled": cancelled, "proven": true }))
            }
            Ok(Answer::Flattened { scope, cancelled, closed: sums }) => Ok(json!({
                "scope": scope.to_string(), "cancelled": cancelled, "proven": true, "flat": true,
                "closed": closed(&sums),
            })),
            Ok(answer) => done(answer),
            Err(_) => Err(self.not_in_time(&scope)),
        }
    }

    /// What is left, and that the gateway goes on trying.
    fn not_in_time(&self, scope: &Scope) -> Failure {
        let (proven, remains) = self.parts.desk.outstanding(scope, |state, outstanding| {
            let proven = state.halts().get(scope).is_some_and(|halt| halt.proven);
            (proven, remains(state, outstanding))
        });
        let hint = "the gateway goes on trying; look with `tidegate status`";
        let failure = match proven {
            true => {
                let message =
                    format!("{scope} is halted and nothing of it is open, but not flat yet");
                Failure::new("not_flat", message, hint)
            }
            false => Failure::new(
                "halt_not_proven",
                format!("{scope} is halted, but the venue has not shown yet that nothing is open"),
                hint,
            ),
        };
        Failure { remains: Box::new(remains), ..failure }
    }

    /// A halt is a record; where the journal takes none any more, the halt file keeps it over the
    /// restart that the journal needs.
    async fn keep_without_journal(&self, scope: &Scope) -> Result<(), Failure> {
        let in_force = |state: &State| state.halts().contains_key(scope);
        let desk = &self.parts.desk;
        if desk.journal_failed().is_none() || !desk.look(in_force) {
            return Ok(());
        }
        let path = self.folder().halt_file();
        let lost = |why: &dyn std::fmt::Display, hint: &str| {
            let message = format!("{scope} is halted, but a restart would forget it: {why}");
            let remains = Box::new(desk.outstanding(scope, remains));
            Failure { remains, ..Failure::new("halt_not_kept", message, hint) }
        };
        if desk.journal_is_silent() {
            let hint = "it goes on record as soon as the disk answers; do not restart before";
            return Err(lost(&"the journal's disk does not answer", hint));
        }
        let text = format!("{scope} was halted while the journal could not be written\n");
        halt_file::write_in_time(&path, &text).await.map_err(|error| {
            let path = path.display();
            let why = format!("the journal is closed and {path} cannot be written: {error}");
            lost(&why, "free the disk and halt again before any restart")
        })
    }

    /// While the halt file is there, everything is halted, whatever is resumed.
    pub(super) fn check_halt_file(&self, scope: &Scope) -> Result<(), Failure> {
        let path = self.folder().halt_file();
        if *scope != Scope::All || !path.exists() {
            return Ok(());
        }
        let path = path.display();
        Err(Failure::new(
            "halt_file",
            format!("the halt file is there, and everything is halted while it is: {path}"),
            format!("remove it with `rm {path}` and resume again"),
        ))
    }

    /// The scope that a text means; orders have several names.
    pub(super) fn scope_of(&self, by: &Administrator, text: &str) -> Result<Scope, Failure> {
        let bad = |message, hint| Err(Failure::new("bad_request", message, hint));
        if let Ok(scope) = text.parse() {
            return Ok(scope);
        }
        let Some(name) = text.strip_prefix("order:") else {
            return bad(format!("{text:?} is not a scope"), SCOPES.to_owned());
        };
        let named = |state: &State| {
            let seen = |order: &&&Order| match &order.caller {
                Some(caller) => roles::sees(state, &by.person, caller),
                None => roles::sees_all(state, &by.person),
            };
            state.orders_named(name).iter().filter(seen).map(|o| o.id).collect()
        };
        let found: Vec<OrderId> = self.parts.desk.look(named);
        match found.as_slice() {
            [id] => Ok(Scope::Order { id: *id }),
            [] => bad(format!("there is no order {name:?}"), SCOPES.to_owned()),
            several => {
                let several = several.iter().rev().take(10).map(|id| format!("order:{id}"));
                let several = several.collect::<Vec<_>>().join(", ");
                let message = format!("several orders are called {name:?}: {several}");
                bad(message, "name one of them by its number".to_owned())
            }
        }
    }

    /// Halts everything because the halt file is there.
    pub(super) fn halt_by_file(&self, reason: String) {
        let Ok(by) = PersonName::new("halt-file") else { return };
        // Nobody waits for the proof.
        drop(self.parts.desk.halt(by, Scope::All, reason, false, false));
    }
}

/// What a halt still waits for, as it is told.
pub(super) fn remains(state: &State, outstanding: Outstanding) -> Remains {
    let Outstanding { orders, accounts, positions, closed: sums } = outstanding;
    let open = |(id, why): (OrderId, String)| {
        let order = status::open_order(state.orders().get(id)?);
        Some(super::protocol::OpenOrder { why: Some(why), ..order })
    };
    Remains {
        left: orders.into_iter().filter_map(open).collect(),
        not_shown: accounts
            .into_iter()
            .map(|(account, why)| NotShown { account: account.to_string(), why })
            .collect(),
        positions: positions
            .into_iter()
            .map(|held| StillHeld {
                account: held.account.to_string(),
                instrument: held.instrument.to_string(),
                qty: held.qty.0.to_string(),
                why: held.why,
            })
            .collect(),
        closed: closed(&sums),
    }
}

fn closed(sums: &[PositionReport]) -> Vec<Closed> {
    let told = sums
        .iter()
        .map(|sum| Closed { instrument: sum.instrument.to_string(), qty: sum.qty.0.to_string() });
    told.collect()
}

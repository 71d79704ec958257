//! What goes without a record while the journal cannot be written. The journal takes it up itself when
//! it can be written again; over a restart it is kept elsewhere and told at the start.

use crate::Core;
use crate::action::Action;
use crate::state::{Flatten, Purpose, State};
use tidegate_types::emergency::Emergency;
use tidegate_types::record::Body;
use tidegate_types::time::Time;

/// What of a record that cannot be written must not be forgotten.
pub(crate) fn of(state: &State, body: &Body) -> Option<Emergency> {
    match body {
        Body::Halted { by, scope, reason, allow_reduce } => Some(Emergency::Halted {
            by: by.clone(),
            scope: scope.clone(),
            reason: reason.clone(),
            allow_reduce: *allow_reduce,
        }),
        Body::Flattening { by, scope } => {
            Some(Emergency::Flattening { by: by.clone(), scope: scope.clone() })
        }
        Body::CancelCleared { order, by, .. } => {
            let order = state.orders.get(*order)?;
            let (account, order) = (order.account.clone(), order.reference());
            Some(Emergency::Cancelled { account, order, by: by.clone() })
        }
        _ => None,
    }
}

impl Core {
    /// The journal failed: what it may not have written yet is kept as well.
    pub(crate) fn keep_what_holds(&mut self, now: Time, out: &mut Vec<Action>) {
        let halts = self.state.halts.iter().flat_map(|(scope, halt)| {
            let first = std::iter::once((&halt.by, &halt.reason));
            let too = halt.too.iter().map(|(by, (reason, _))| (by, reason));
            let halted = first.chain(too).map(|(by, reason)| Emergency::Halted {
                by: by.clone(),
                scope: scope.clone(),
                reason: reason.clone(),
                allow_reduce: halt.allow_reduce,
            });
            let closing = halt.flatten == Some(Flatten::Closing);
            let flattening = closing
                .then(|| Emergency::Flattening { by: halt.by.clone(), scope: scope.clone() });
            halted.chain(flattening).collect::<Vec<_>>()
        });
        let unsent = self.flights.values().filter(|flight| !flight.is_released());
        let cancels = unsent.filter_map(|flight| {
            let Purpose::Cancel { order } = flight.purpose else { return None };
            let by = self.cancels.canceller(order)?.clone();
            let order = self.state.orders.get(order)?;
            Some(Emergency::Cancelled {
                account: order.account.clone(),
                order: order.reference(),
                by,
            })
        });
        out.extend(halts.chain(cancels).map(|act| Action::Keep { at: now, act }));
    }

    /// Puts on record what went without one before the start. Halts among it hold from then on.
    pub(crate) fn kept(&mut self, acts: Vec<(Time, Emergency)>, now: Time, out: &mut Vec<Action>) {
        for (at, act) in acts {
            self.append(Body::Unrecorded { at, act }, now, out);
        }
        self.prove_again(now);
    }
}

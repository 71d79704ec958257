//! The policy beside the one in force: what it would refuse is put on record, and has no other effect. The
//! first of a caller and rule in each second is a record of its own, the rest of that second are counted.

use crate::Core;
use crate::action::Action;
use crate::timers::Timer;
use std::collections::BTreeMap;
use tidegate_types::ids::{AccountName, CallerName, OrderId, RuleId};
use tidegate_types::policy::PolicyVersion;
use tidegate_types::record::Body;
use tidegate_types::time::{Span, Time};

const WINDOW: Span = Span::from_secs(1);

/// What the policy beside would have said of an order that passed.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) policy: PolicyVersion,
    /// Which rule; none: no rule allows it.
    pub(crate) rule: Option<RuleId>,
    pub(crate) detail: String,
}

/// The kinds that were seen within the last second: since when, and how many came after the first.
#[derive(Debug, Default)]
pub(crate) struct Shadows {
    kinds: BTreeMap<(CallerName, Option<RuleId>), (Time, u64)>,
}

impl Core {
    /// Puts what the policy beside found on record, or counts it.
    pub(crate) fn shadowed(
        &mut self,
        found: Finding,
        (order, caller, account): (OrderId, &CallerName, &AccountName),
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let Finding { policy, rule, detail } = found;
        if let Some((_, more)) = self.shadows.kinds.get_mut(&(caller.clone(), rule.clone())) {
            *more += 1;
            return;
        }
        let until = now.plus(WINDOW);
        self.shadows.kinds.insert((caller.clone(), rule.clone()), (until, 0));
        self.timers.set_if_sooner(Timer::Shadows, until);
        let (caller, account) = (caller.clone(), account.clone());
        let body = Body::ShadowRefused { order, caller, account, policy, rule, detail };
        self.append(body, now, out);
    }

    /// Closes the windows that are over, or all of them, and writes their counts.
    pub(crate) fn close_shadows(&mut self, now: Time, all: bool, out: &mut Vec<Action>) {
        let over = self.shadows.kinds.iter().filter(|(_, (until, _))| all || *until <= now);
        let over: Vec<_> = over.map(|(kind, (_, more))| (kind.clone(), *more)).collect();
        for (kind, count) in over {
            self.shadows.kinds.remove(&kind);
            if count > 0 {
                let (caller, rule) = kind;
                self.append(Body::ShadowRefusedMore { caller, rule, count }, now, out);
            }
        }
        if let Some(next) = self.shadows.kinds.values().map(|(until, _)| *until).min() {
            self.timers.set(Timer::Shadows, next);
        }
    }
}

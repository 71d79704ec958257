//! The policy in force, the one that runs beside it, and who may pass by a soft rule for once. All of it is
//! folded from records; what rules count is kept running by the hooks at the end, which the state calls
//! wherever orders, positions, balances and marks change.

mod entries;
mod flow;
mod judge;
mod live;
mod options;
mod part;
mod ruling;
mod shadow;
mod usage;
mod values;
mod worths;

use crate::attributed::Attributed;
use crate::balances::Balances;
use crate::gains::{self, Gains, Owner};
use crate::orders::{Order, Orders, Shift};
use crate::positions::Positions;
use crate::state::State;
use live::Message;
use part::{Part, Who};
use ruling::Ruling;
use std::collections::BTreeMap;
use tidegate_types::codec_struct;
use tidegate_types::ids::{AccountName, CallerName, ExceptionId, InstrumentId, PolicyName, RuleId};
use tidegate_types::instrument::{Instrument, Mark};
use tidegate_types::order::{NewOrder, Side};
use tidegate_types::policy::{Exception, LimitKind, Liquidity, Policy};
use tidegate_types::proof::Authenticated;
use tidegate_types::record::{Body, Canceller, Change, Decision};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::report::BalanceReport;
use tidegate_types::time::Time;

pub(crate) use entries::Entries;
pub(crate) use judge::{Breach, Case, Judgement};
pub(crate) use options::Tested;
pub(crate) use shadow::{Finding, Shadows};
pub use usage::{Holding, Usage};
pub(crate) use values::{Coins, coins};

/// What is in force.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policies {
    in_force: Option<Box<Ruling>>,
    shadow: Option<Box<Ruling>>,
    /// What the policy beside would have refused, by rule; under no rule what none of them allows.
    shadowed: BTreeMap<Option<RuleId>, u64>,
    exceptions: BTreeMap<ExceptionId, Exception>,
    /// Why the policy came into force, or none is any more, as whoever did it said.
    reason: Option<String>,
    /// The highest version of each name that was ever in force.
    versions: BTreeMap<PolicyName, u32>,
}
codec_struct!(Policies { in_force, shadow, shadowed, exceptions, reason, versions });

/// What rules look at.
#[derive(Clone, Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) accounts: &'a BTreeMap<AccountName, crate::state::Account>,
    pub(crate) instruments: &'a BTreeMap<InstrumentId, Instrument>,
    pub(crate) marks: &'a BTreeMap<InstrumentId, Mark>,
    pub(crate) liquidity: &'a BTreeMap<InstrumentId, Liquidity>,
    pub(crate) positions: &'a Positions,
    pub(crate) balances: &'a Balances,
    pub(crate) orders: &'a Orders,
    pub(crate) entries: &'a Entries,
    pub(crate) attributed: &'a Attributed,
    pub(crate) coins: &'a Coins,
    pub(crate) gains: &'a Gains,
    /// The time that ages are counted to.
    pub(crate) at: Time,
}

impl Policies {
    /// The policy in force.
    pub fn in_force(&self) -> Option<&Policy> {
        self.in_force.as_ref().map(|ruling| &ruling.policy)
    }

    /// The highest version of a policy of that name that is in force or ever was.
    pub(crate) fn known(&self, name: &PolicyName) -> Option<u32> {
        self.versions.get(name).copied()
    }

    /// Why it came into force, or none is any more, if that was said.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The policy that runs beside it.
    pub fn shadow(&self) -> Option<&Policy> {
        self.shadow.as_ref().map(|ruling| &ruling.policy)
    }

    /// What the policy beside would have refused since it runs, by rule; under no rule what none allows.
    pub fn shadowed(&self) -> &BTreeMap<Option<RuleId>, u64> {
        &self.shadowed
    }

    /// The exceptions that nobody used yet, expired ones too.
    pub fn exceptions(&self) -> &BTreeMap<ExceptionId, Exception> {
        &self.exceptions
    }

    pub(crate) fn ruling(&self) -> Option<&Ruling> {
        self.in_force.as_deref()
    }

    pub(crate) fn beside(&self) -> Option<&Ruling> {
        self.shadow.as_deref()
    }

    /// Whether a rule over the caller's orders of an instrument, in force or beside, reads what its market shows.
    pub(crate) fn reads_market(&self, who: &Authenticated, terms: &Instrument) -> bool {
        let who = Who { account: who.account(), caller: Some(who.caller()), terms };
        let mut rulings = self.in_force.iter().chain(&self.shadow);
        rulings.any(|ruling| {
            ruling
                .policy
                .rules()
                .iter()
                .any(|rule| rule.limit.kind() == LimitKind::ThinMarket && who.is_in(&rule.reach))
        })
    }

    /// Takes back the exceptions that were given past a rule which is not the same any more.
    fn keep_exceptions(&mut self, next: &Policy) {
        let before = self.in_force.as_ref().map(|ruling| &ruling.policy);
        let same = |id: &RuleId| next.rule(id) == before.and_then(|before| before.rule(id));
        self.exceptions.retain(|_, exception| exception.rules.iter().all(same));
    }

    fn both(&mut self) -> impl Iterator<Item = &mut Box<Ruling>> {
        self.in_force.iter_mut().chain(&mut self.shadow)
    }

    /// Whether a rule in force, or beside, measures what was lost by callers, or on instruments.
    pub(crate) fn are_over_gains(&self) -> bool {
        let rulings = self.in_force.iter().chain(&self.shadow);
        let mut rules = rulings.flat_map(|ruling| &ruling.rules);
        rules.any(|live| live.watches_gains() || live.watches_instruments())
    }

    fn is_idle(&self) -> bool {
        self.in_force.is_none() && self.shadow.is_none()
    }
}

impl Ground<'_> {
    /// Whether what an account holds is known: it was open once, after all its balances came.
    pub(crate) fn knows(&self, account: &AccountName) -> bool {
        self.accounts.get(account).is_some_and(|account| account.taken_over.is_some())
    }

    /// Whether an account has money, a position or an open order, as last heard.
    pub(crate) fn has_something(&self, account: &AccountName) -> bool {
        self.balances.of(account).next().is_some() || self.positions.books(account).next().is_some()
    }
}

/// Folds in a change of policies.
pub(crate) fn apply(state: &mut State, change: &Change, now: Time) {
    let (policies, ground) = state.policies_and_ground(now);
    match change {
        Change::PolicySet { policy } | Change::PolicyPut { policy, .. } => {
            let ruling = Ruling::new(policy, policies.in_force.as_deref(), &ground);
            let known = policies.versions.entry(policy.name().clone()).or_default();
            *known = policy.version().max(*known);
            policies.keep_exceptions(policy);
            policies.in_force = Some(Box::new(ruling));
        }
        Change::PolicyRemoved | Change::PolicyTaken { .. } => {
            policies.exceptions.clear();
            policies.in_force = None;
        }
        Change::ShadowSet { policy } | Change::ShadowPut { policy, .. } => {
            // What the rules in force remember holds for the same rules beside.
            let ruling = Ruling::new(policy, policies.in_force.as_deref(), &ground);
            policies.shadow = Some(Box::new(ruling));
            policies.shadowed.clear();
        }
        Change::ShadowRemoved | Change::ShadowTaken { .. } => policies.shadow = None,
        Change::OverrideSet { exception } => {
            policies.exceptions.retain(|_, known| known.expires > now);
            policies.exceptions.insert(exception.id.clone(), exception.clone());
        }
        Change::OverrideRemoved { id } => drop(policies.exceptions.remove(id)),
        Change::ThrottleReleased { rule, caller, instrument, side }
        | Change::ThrottleFreed { rule, caller, instrument, side, .. } => {
            for ruling in policies.both() {
                ruling.release(rule, (caller, instrument, *side));
            }
        }
        _ => {}
    }
    match change {
        Change::PolicyPut { reason, .. } | Change::PolicyTaken { reason } => {
            state.policies.reason = Some(reason.clone());
        }
        Change::PolicySet { .. } | Change::PolicyRemoved => state.policies.reason = None,
        _ => {}
    }
    state.follow_where_due();
    gains::count_where_due(state);
}

/// Folds in what a record tells of policies besides changes.
pub(crate) fn told(state: &mut State, body: &Body) {
    match body {
        Body::ShadowRefused { rule, .. } => {
            *state.policies.shadowed.entry(rule.clone()).or_default() += 1;
        }
        Body::ShadowRefusedMore { rule, count, .. } => {
            *state.policies.shadowed.entry(rule.clone()).or_default() += count;
        }
        Body::OverrideUsed { id, .. } => drop(state.policies.exceptions.remove(id)),
        _ => {}
    }
}

/// Whether a change of policies can be made as things are.
pub(crate) fn makes_sense(state: &State, change: &Change) -> Result<(), Reject> {
    let bad = |what: String| Err(Reject::new(Code::BadParameter, what));
    match change {
        Change::PolicySet { policy } | Change::PolicyPut { policy, .. } => {
            match state.policies.known(policy.name()) {
                Some(known) if known >= policy.version() => {
                    let (name, next) = (policy.name(), known.saturating_add(1));
                    let what = format!("{name} v{known} is or was in force");
                    bad(format!("{what}; give the new one version {next}"))
                }
                _ => Ok(()),
            }
        }
        Change::PolicyRemoved | Change::PolicyTaken { .. } if state.policies.in_force.is_none() => {
            bad("there is no policy in force".to_owned())
        }
        Change::ShadowRemoved | Change::ShadowTaken { .. } if state.policies.shadow.is_none() => {
            bad("there is no policy beside".to_owned())
        }
        Change::OverrideSet { exception } => exception_makes_sense(state, exception),
        Change::OverrideRemoved { id } if !state.policies.exceptions.contains_key(id) => {
            bad(format!("there is no override {id} that nobody used"))
        }
        Change::ThrottleReleased { rule, caller, instrument, side }
        | Change::ThrottleFreed { rule, caller, instrument, side, .. } => {
            let mut policies = state.policies.clone();
            let known = policies.both().any(|r| r.release(rule, (caller, instrument, *side)));
            if known { Ok(()) } else { bad(format!("rule {rule} stopped no such strategy")) }
        }
        _ => Ok(()),
    }
}

fn exception_makes_sense(state: &State, exception: &Exception) -> Result<(), Reject> {
    let bad = |what: String| Err(Reject::new(Code::BadParameter, what));
    let Some(policy) = state.policies.in_force() else {
        return bad("there is no policy in force".to_owned());
    };
    if state.policies.exceptions.contains_key(&exception.id) {
        return bad(format!("there is an override {} already", exception.id));
    }
    if exception.expires <= state.at || !exception.max_qty.0.is_positive() {
        return bad("it is of no use: expired, or for no quantity".to_owned());
    }
    if exception.why.trim().is_empty() || exception.rules.is_empty() {
        return bad("an override names the rules it passes, and why".to_owned());
    }
    for id in &exception.rules {
        match policy.rule(id).map(|rule| rule.strength) {
            Some(tidegate_types::policy::Strength::Soft) => {}
            Some(tidegate_types::policy::Strength::Hard) => {
                return bad(format!("rule {id} is hard: nobody passes it; change the policy"));
            }
            None => return bad(format!("{} has no rule {id}", policy.stamp())),
        }
    }
    Ok(())
}

impl State {
    /// The policies and exceptions in force.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    pub(crate) fn ground(&self, at: Time) -> Ground<'_> {
        Ground {
            accounts: &self.accounts,
            instruments: &self.instruments,
            marks: &self.marks,
            liquidity: &self.liquidity,
            positions: &self.positions,
            balances: &self.balances,
            orders: &self.orders,
            entries: &self.entries,
            attributed: &self.attributed,
            coins: &self.coins,
            gains: &self.gains,
            at,
        }
    }

    /// The policies, to be changed, beside what they look at.
    fn policies_and_ground(&mut self, at: Time) -> (&mut Policies, Ground<'_>) {
        let ground = Ground {
            accounts: &self.accounts,
            instruments: &self.instruments,
            marks: &self.marks,
            liquidity: &self.liquidity,
            positions: &self.positions,
            balances: &self.balances,
            orders: &self.orders,
            entries: &self.entries,
            attributed: &self.attributed,
            coins: &self.coins,
            gains: &self.gains,
            at,
        };
        (&mut self.policies, ground)
    }

    /// Terms changed, or the state was read back: everything is counted anew.
    pub(crate) fn recount_policies(&mut self) {
        self.coins = coins(&self.instruments);
        let at = self.at;
        let (policies, ground) = self.policies_and_ground(at);
        policies.both().for_each(|ruling| ruling.recount(&ground));
    }

    /// The policies with everything counted anew that can be.
    #[cfg(test)]
    pub(crate) fn counted_policies(&self) -> Policies {
        let mut fresh = self.policies.clone();
        fresh.both().for_each(|ruling| ruling.recount(&self.ground(self.at)));
        fresh
    }

    /// One order's part in the sums changed, and with it what the account may come to hold.
    pub(crate) fn count_for_policies(&mut self, shift: &Shift) {
        if self.policies.is_idle() {
            return;
        }
        let at = self.at;
        let (policies, ground) = self.policies_and_ground(at);
        let Some(order) = ground.orders.get(shift.id) else { return };
        let in_force = policies.in_force.as_mut();
        let stopped = in_force.and_then(|ruling| ruling.shifted(&ground, order, shift));
        if let Some(beside) = &mut policies.shadow {
            beside.shifted(&ground, order, shift);
        }
        for ruling in policies.both() {
            ruling.revalue(&ground, &order.account, &order.request.instrument);
            ruling.revalue_parts(&ground, &order.account, &order.request.instrument);
        }
        if let Some((rule, Part::Strategy { caller, instrument, side })) = stopped {
            self.stop_strategy(rule, (&caller, &instrument, side));
        }
    }

    /// What a stopped strategy has open is to go, but for what reduces positions: it would execute on and on.
    fn stop_strategy(
        &mut self,
        rule: RuleId,
        (caller, instrument, side): (&CallerName, &InstrumentId, Side),
    ) {
        let goes = |order: &&Order| {
            let NewOrder { instrument: of, side: its, .. } = &order.request;
            order.caller.as_ref() == Some(caller)
                && (of, *its) == (instrument, side)
                && !order.reducing
        };
        let meant: Vec<_> = self.orders.open().filter(goes).map(|order| order.id).collect();
        for id in meant {
            self.change(id, |order| {
                order.doom.get_or_insert_with(|| Canceller::Throttle { rule: rule.clone() });
            });
        }
        self.throttled.insert(rule);
    }

    /// What an account holds of an instrument was corrected.
    pub(crate) fn revalue_for_policies(&mut self, account: &AccountName, id: &InstrumentId) {
        let at = self.at;
        let (policies, ground) = self.policies_and_ground(at);
        for ruling in policies.both() {
            ruling.revalue(&ground, account, id);
            ruling.revalue_parts(&ground, account, id);
        }
    }

    /// A mark came into force.
    pub(crate) fn mark_for_policies(&mut self, id: &InstrumentId) {
        let at = self.at;
        let (policies, ground) = self.policies_and_ground(at);
        policies.both().for_each(|ruling| ruling.marked(&ground, id));
    }

    /// What a caller gained is about to change, or did.
    pub(crate) fn stand_for_policies(&mut self, owner: &Owner) {
        let Owner::Caller { name, account } = owner else { return };
        let at = self.at;
        let (policies, ground) = self.policies_and_ground(at);
        policies.both().for_each(|ruling| ruling.stand_caller(&ground, account, name));
    }

    /// Somebody gained on an instrument, or lost.
    pub(crate) fn gain_for_policies(&mut self, owner: &Owner, id: &InstrumentId, moved: i64) {
        let at = self.at;
        let (policies, ground) = self.policies_and_ground(at);
        policies.both().for_each(|ruling| ruling.gained_on(&ground, owner, (id, moved)));
    }

    /// An account's balances changed.
    pub(crate) fn wallet_for_policies(&mut self, account: &AccountName) {
        let at = self.at;
        let (policies, ground) = self.policies_and_ground(at);
        policies.both().for_each(|ruling| ruling.wallet(&ground, account));
    }

    /// Money was paid into an account, or out of it.
    pub(crate) fn payment_for_policies(&mut self, account: &AccountName, change: &BalanceReport) {
        let at = self.at;
        let (policies, ground) = self.policies_and_ground(at);
        policies.both().for_each(|ruling| ruling.paid(&ground, account, change));
    }

    /// An order, an amend or a cancel went out, with the numbers it was decided by. It counts for whose the order
    /// is, unless somebody else caused it on an account.
    pub(crate) fn message_for_policies(
        &mut self,
        order: tidegate_types::ids::OrderId,
        caused: Option<(&CallerName, &AccountName)>,
        weight: u64,
        decision: Option<&Decision>,
    ) {
        let at = self.at;
        let (policies, ground) = self.policies_and_ground(at);
        let Some(order) = ground.orders.get(order) else { return };
        let ordered = decision.and_then(|decision| decision.notional).unwrap_or_default();
        let ordered = u64::try_from(ordered.0.raw()).unwrap_or(0);
        let whose = match caused {
            Some((caller, account)) => (Some(caller), account),
            None => (order.caller.as_ref(), &order.account),
        };
        for ruling in policies.both() {
            ruling.message(&ground, order, whose, Message { weight, ordered });
        }
    }
}

#[cfg(test)]
mod tests;

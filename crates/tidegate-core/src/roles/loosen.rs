//! What loosens: whatever lets somebody do more than before. What cannot be compared does.

use crate::state::State;
use tidegate_types::grant::{AccountLimits, Grant, OnRepeat};
use tidegate_types::options::{OptionLimits, Stress};
use tidegate_types::person::{Person, Role};
use tidegate_types::record::{Approvals, ApproveBy, Change};
use tidegate_types::time::Span;

/// Whether a change loosens: raises a limit, widens a grant, adds a key, an account or a role.
pub fn loosens(state: &State, change: &Change) -> bool {
    match change {
        Change::DeskSet { approvals, .. } | Change::ApprovalsSet { approvals } => {
            *approvals == Approvals::One && state.approvals_needed() == Approvals::Two
        }
        Change::ApproveBySet { approve_by } => {
            *approve_by == ApproveBy::Any && state.approve_by() == ApproveBy::Passkey
        }
        // Who holds a link is that person from then on; of an app's terms the core knows the bytes alone.
        Change::AccountAdded { .. }
        | Change::KeyAdded { .. }
        | Change::PersonInvited { .. }
        | Change::CallerShared { .. }
        | Change::AppSet { .. } => true,
        Change::VenueKeyImported { account, key, rights } => {
            let known = state.accounts.get(account);
            !known.is_some_and(|known| {
                known.key.as_ref() == Some(key) && within(rights, &known.rights)
            })
        }
        // A name alone allows nothing.
        Change::CallerAdded { .. } => false,
        Change::GrantSet { grant } => {
            let before = state.grant(&grant.caller, &grant.account);
            !before.is_some_and(|before| is_narrower(grant, before))
        }
        Change::LimitsSet { limits } => {
            let before = state.limits.get(&limits.account);
            !before.is_some_and(|before| is_lower(limits, before))
        }
        // What was apart and is put together is kept from more.
        Change::OwnerSet { account, owner } => {
            let before = state.self_trades.owner(account);
            before.is_some() && before != owner.as_ref()
        }
        Change::SelfTradeSet { account, mode } => {
            !mode.is_as_strict_as(state.self_trades.mode(account))
        }
        Change::BreakerSet { breaker } => {
            let before = state.breakers.rules().get(&breaker.id);
            before.is_some_and(|before| !breaker.is_tighter(before))
        }
        Change::BreakerRemoved { .. }
        | Change::BreakerHalfOpened { .. }
        | Change::BreakerClosed { .. }
        | Change::BreakerReset { .. } => true,
        Change::OptionLimitsSet { limits } => {
            // Where none were set, whatever is set limits.
            let before = state.option_limits.get(&limits.account);
            before.is_some_and(|before| !is_less_of_options(limits, before))
        }
        Change::PersonSet { person } => {
            let before = state.people.get(&person.name);
            !before.is_some_and(|before| is_less(person, before))
        }
        // A first policy takes away; what takes its place may give.
        Change::PolicySet { policy } | Change::PolicyPut { policy, .. } => {
            state.policies.in_force().is_some_and(|old| policy.loosens(old))
        }
        Change::PolicyRemoved
        | Change::PolicyTaken { .. }
        | Change::OverrideSet { .. }
        | Change::OptionLimitsRemoved { .. }
        | Change::ThrottleReleased { .. }
        | Change::ThrottleFreed { .. } => true,
        // The policy beside allows and refuses nothing.
        Change::ShadowSet { .. }
        | Change::ShadowRemoved
        | Change::ShadowPut { .. }
        | Change::ShadowTaken { .. }
        | Change::OverrideRemoved { .. }
        | Change::KeyRevoked { .. }
        | Change::GrantRemoved { .. }
        | Change::AppRevoked { .. }
        | Change::AlarmsSeen { .. }
        | Change::CallerUnshared { .. }
        | Change::PersonRemoved { .. } => false,
    }
}

fn within<T: PartialEq>(new: &[T], old: &[T]) -> bool {
    new.iter().all(|one| old.contains(one))
}

/// None is without a limit.
fn at_most<T: PartialOrd>(new: &Option<T>, old: &Option<T>) -> bool {
    match (new, old) {
        (_, None) => true,
        (Some(new), Some(old)) => new <= old,
        (None, Some(_)) => false,
    }
}

pub(crate) fn is_narrower(new: &Grant, old: &Grant) -> bool {
    // Patterns are compared as they are written: who approves reads no set theory.
    within(&new.instruments, &old.instruments) && figures_within(new, old)
}

/// Whether what a token allows is within its app's grant.
pub(crate) fn is_token_within(token: &Grant, grant: &Grant) -> bool {
    let covered = |pattern| grant.instruments.iter().any(|by| by.covers(pattern));
    token.caller == grant.caller
        && token.account == grant.account
        && token.instruments.iter().all(covered)
        && figures_within(token, grant)
}

fn figures_within(new: &Grant, old: &Grant) -> bool {
    new.venue == old.venue
        && (old.trade || !new.trade)
        && within(&new.sides, &old.sides)
        && within(&new.order_types, &old.order_types)
        && (new.reduce_only || !old.reduce_only)
        && at_most(&new.max_order_qty, &old.max_order_qty)
        && new.max_order_notional <= old.max_order_notional
        && new.max_open_notional <= old.max_open_notional
        && at_most(&new.max_daily_notional, &old.max_daily_notional)
        && new.orders_per_second <= old.orders_per_second
        && new.burst <= old.burst
        && (old.settings || !new.settings)
        && (old.account_wide || !new.account_wide)
        && new.window.is_within(&old.window)
        && at_most(&new.until, &old.until)
}

pub(crate) fn is_lower(new: &AccountLimits, old: &AccountLimits) -> bool {
    // The first pattern that matches holds, so only the same patterns can be compared.
    let patterns = new.max_order_qty.len() == old.max_order_qty.len()
        && new
            .max_order_qty
            .iter()
            .zip(&old.max_order_qty)
            .all(|((pattern, most), (same, before))| pattern == same && most <= before);
    let stricter = new.on_repeat == OnRepeat::Refuse || old.on_repeat == OnRepeat::Warn;
    let sooner = new.dead_man != Span::ZERO && new.dead_man <= old.dead_man;
    patterns
        && new.max_order_notional <= old.max_order_notional
        && new.max_open_notional <= old.max_open_notional
        && new.max_position_notional <= old.max_position_notional
        && new.max_exposure <= old.max_exposure
        && new.collar_bps <= old.collar_bps
        && new.option_collar_bps <= old.option_collar_bps
        && new.max_mark_age <= old.max_mark_age
        && new.orders_per_second <= old.orders_per_second
        && new.burst <= old.burst
        && new.repeat_window >= old.repeat_window
        && stricter
        && (old.dead_man == Span::ZERO || sooner)
}

pub(crate) fn is_less_of_options(new: &OptionLimits, old: &OptionLimits) -> bool {
    let (stress, before) = (&new.stress, &old.stress);
    at_most(&new.max_delta, &old.max_delta)
        && at_most(&new.max_gamma, &old.max_gamma)
        && at_most(&new.max_vega, &old.max_vega)
        && at_most(&new.max_theta, &old.max_theta)
        && at_most(&new.max_net_short, &old.max_net_short)
        && new.max_margin_bps <= old.max_margin_bps
        && shocks(stress) == shocks(before)
        && stress.short_bps >= before.short_bps
        && stress.expiry_bps >= before.expiry_bps
        && stress.concentrated_above <= before.concentrated_above
        && stress.concentration_bps >= before.concentration_bps
}

/// What the grid is made of. As many points over a wider range lie farther apart, and the worst of a portfolio
/// may fall between them: no other grid is known to be stricter.
fn shocks(stress: &Stress) -> [u32; 3] {
    [stress.range_bps, stress.vol_up_bps, stress.vol_down_bps]
}

/// A caller that is taken from a person takes with it what kept that person from loosening for it, or from
/// approving that.
pub(crate) fn is_less(new: &Person, old: &Person) -> bool {
    let decides = [Role::Risk, Role::Admin, Role::Approver].iter().any(|role| new.is(*role));
    within(&new.roles, &old.roles)
        && within(&new.reads, &old.reads)
        && within(&new.owns, &old.owns)
        && (!decides || new.owns == old.owns)
}

//! What rules measure of all that is held, with what is open at its worst: positions, and what was lost on them.

use super::{BASIS_POINTS, Case, Found, ONE, number, ratio};
use crate::policy::Ground;
use crate::policy::flow::Flow;
use crate::policy::live::Live;
use crate::policy::part::{Part, Who};
use crate::policy::ruling::{Blind, Ruling};
use crate::policy::values::unit_value;
use crate::policy::worths::{Worth, is_put, signed};
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::ids::AccountName;
use tidegate_types::instrument::Price;
use tidegate_types::order::Side;
use tidegate_types::policy::{Each, Limit, Unit};

impl Ruling {
    /// Limits on what is held, every open order at its worst.
    pub(super) fn position(
        &self,
        ground: &Ground<'_>,
        case: &Case<'_>,
        live: &Live,
        quote: Price,
    ) -> Found {
        let id = &case.terms.id;
        let mut more = match live.is_of_callers() {
            true => ground.attributed.book(case.account, case.caller, id),
            false => ground.positions.book(case.account, id),
        };
        let side = if case.order.side == Side::Buy { &mut more.buys } else { &mut more.sells };
        *side += i128::from(case.added.qty);
        let Some(at_mark) = unit_value(&self.policy, case.terms, case.mark) else {
            return Found::Unknown(Blind::open(format!("a unit of {id} has no worth")));
        };
        let asked = case.unit_value.0.mul(quote.0, Rounding::Ceil).map_or(at_mark, Price);
        let before = match live.is_of_callers() {
            true => self.worths.callers.of(&(case.account.clone(), case.caller.clone()), id),
            false => self.worths.accounts.of(case.account, id),
        };
        let unit = at_mark.max(asked);
        let after = Worth::of(more, case.terms, unit);
        let stock = Part::of(&live.rule, case.who()).and_then(|part| live.stocks.get(&part));
        let stock = stock.copied().unwrap_or_default();
        let gross = stock.sum - before.gross + after.gross;
        let grows = case.added.qty > 0;
        if !grows
            || (after.gross <= before.gross
                && !matches!(live.rule.limit, Limit::NetPosition { .. }))
        {
            return Found::Nothing;
        }
        let fresh = match live.is_of_callers() {
            true => self.fresh_part(ground, live, case),
            false => self.fresh(ground, live, case.account),
        };
        if let Err(blind) = fresh {
            return Found::Unknown(blind);
        }
        match &live.rule.limit {
            Limit::GrossPosition { max } => number(gross, max.0.raw().into(), Unit::Usd),
            Limit::NetPosition { max } => {
                // As with gross positions, what is held on the other side makes no room.
                let side = case.order.side;
                let here = signed(more.worst(side, 0), unit);
                let net = match (side == Side::Buy) != is_put(case.terms) {
                    true => stock.sum - before.up + here,
                    false => before.down - stock.down + here,
                };
                number(net.max(0), max.0.raw().into(), Unit::Usd)
            }
            Limit::Leverage { max } => {
                let part = live.equity_part(case.account).unwrap_or(Part::All);
                match self.equity_now(ground, live, &part) {
                    Err(blind) => Found::Unknown(blind),
                    Ok(equity) if equity <= 0 => {
                        Found::No(format!("the equity is {} USD", Decimal::from_raw(equity)))
                    }
                    Ok(equity) => {
                        let times = ratio(gross, equity.into());
                        number(times, max.raw().into(), Unit::Times)
                    }
                }
            }
            Limit::Concentration { bps, above } => {
                let Some(part) = Part::of(&live.rule, case.who()) else { return Found::Nothing };
                let base = live.bases.get(&(part, case.terms.base.clone())).copied().unwrap_or(0);
                let base = base - before.gross + after.gross;
                if base <= i128::from(above.0.raw()) {
                    return Found::Nothing;
                }
                let share = ratio(base.saturating_mul(BASIS_POINTS), gross);
                number(share, i128::from(*bps) * ONE, Unit::BasisPoints)
            }
            _ => Found::Nothing,
        }
    }

    /// Whether everything that a rule counts is valued by a young mark.
    fn fresh(&self, ground: &Ground<'_>, live: &Live, account: &AccountName) -> Result<(), Blind> {
        let of_account = live.rule.each == Each::Account;
        let stale = self.stale(ground, |holder, id| {
            let meant = ground.instruments.get(id).is_none_or(|terms| {
                Who { account: holder, caller: None, terms }.is_in(&live.rule.reach)
            });
            meant && (!of_account || holder == account)
        });
        let Some((id, at)) = stale else { return Ok(()) };
        // Of several that hold it, whoever asks may be told.
        let mut holders = self.worths.accounts.holders(id).into_iter();
        let holder = match self.worths.accounts.holds(account, id) {
            true => Some(account.clone()),
            false => holders.next(),
        };
        self.young((holder.as_ref().unwrap_or(account), id), at, ground.at)
    }

    /// The same of what the order's caller holds, which it may be told.
    fn fresh_part(&self, ground: &Ground<'_>, live: &Live, case: &Case<'_>) -> Result<(), Blind> {
        let most = self.policy.max_mark_age();
        let stale = self.worths.callers.stale(ground.at, most, |(account, caller), id| {
            caller == case.caller
                && ground.instruments.get(id).is_none_or(|terms| {
                    let who = Who { account, caller: Some(caller), terms };
                    !terms.has_expired(ground.at) && who.is_in(&live.rule.reach)
                })
        });
        match stale {
            Some((id, at)) => self.young((case.account, id), at, ground.at),
            None => Ok(()),
        }
    }

    pub(super) fn lost(
        &self,
        ground: &Ground<'_>,
        case: &Case<'_>,
        live: &Live,
        pick: impl Fn((i64, i64)) -> (i64, Decimal),
    ) -> Found {
        let (part, now) = match live.gains_part(case.account, case.caller) {
            _ if live.watches_instruments() => {
                let Some(part) = Part::of(&live.rule, case.who()) else { return Found::Nothing };
                let known = match live.is_of_callers() {
                    true => heard(ground, live, case).and(self.fresh_part(ground, live, case)),
                    false => self
                        .heard_of(ground, live, &part)
                        .and_then(|()| self.fresh(ground, live, case.account)),
                };
                let gained = live.gained_there(&part);
                (part, known.map(|()| gained))
            }
            Some(part) if live.is_of_callers() => {
                let known = heard(ground, live, case).and(self.fresh_part(ground, live, case));
                let gained = live.gained(ground, &part);
                (part, known.map(|()| gained))
            }
            _ => {
                let part = live.equity_part(case.account).unwrap_or(Part::All);
                let equity = self.equity_now(ground, live, &part);
                (part, equity)
            }
        };
        match now {
            Err(blind) => Found::Unknown(blind),
            Ok(now) => {
                let lost = Flow::lost(live.flows.get(&part), now, live.lasting(), ground.at);
                let (lost, max) = pick(lost);
                number(i128::from(lost).max(0), max.raw().into(), Unit::Usd)
            }
        }
    }
}

/// Whether all accounts are heard of where the order's caller holds something that a rule counts.
fn heard(ground: &Ground<'_>, live: &Live, case: &Case<'_>) -> Result<(), Blind> {
    let holds = |account: &AccountName| {
        live.gains_part(account, case.caller).is_some()
            && ground.attributed.has(account, case.caller)
    };
    let mut closed = ground.accounts.iter().filter(|(_, account)| !account.open);
    match closed.find(|(name, _)| holds(name)) {
        Some((name, account)) => Err(Blind::open(format!(
            "{name} is closed, so that what {} has there is not known: {}",
            case.caller, account.why
        ))),
        None => Ok(()),
    }
}

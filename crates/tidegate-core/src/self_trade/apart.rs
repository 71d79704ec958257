//! What is done about an order that would trade with others of the same owner.

use super::waits::Before;
use crate::Core;
use crate::action::Action;
use crate::orders::{Order, Stage};
use crate::over::distance;
use crate::pipeline::Asked;
use crate::refusals::Refusal;
use crate::risk::Cleared;
use std::collections::BTreeSet;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::OrderId;
use tidegate_types::instrument::{Price, Qty};
use tidegate_types::limits::{MAX_SELF_TRADE_CANCELS, MAX_SELF_TRADE_WAITS};
use tidegate_types::order::{NewOrder, Side};
use tidegate_types::proof::Authenticated;
use tidegate_types::record::{Canceller, RULES};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::self_trade::SelfTradeMode;
use tidegate_types::time::Time;

impl Core {
    /// Whether an order meets others of its owner's, and fits into the position on the side that reduces it:
    /// it goes as one that does, then, since those are not refused here.
    pub(crate) fn is_better_reducing(
        &self,
        who: &Authenticated,
        cleared: &Cleared,
        now: Time,
    ) -> bool {
        cleared.could_reduce()
            && self.state.self_trades.mode(who.account()) != SelfTradeMode::Off
            && !self.state.met_by(who.account(), cleared.order(), now).is_empty()
    }

    /// Lets a cleared order pass that meets none of its owner's. Otherwise it is refused, or noted to wait
    /// until those that it meets are cancelled: then `Waits::noted` says so beside the refusal.
    pub(crate) fn keep_apart(
        &mut self,
        asked: Asked<'_>,
        cleared: Cleared,
        out: &mut Vec<Action>,
    ) -> Result<Cleared, Refusal> {
        let account = asked.who.account();
        let mode = self.state.self_trades.mode(account);
        if mode == SelfTradeMode::Off {
            return Ok(cleared);
        }
        let order = cleared.order();
        let met = self.state.met_by(account, order, asked.now);
        let Some(first) = met.first() else { return Ok(cleared) };
        if let Some(reject) = refused_at_once(&cleared, (first, mode), asked) {
            return Err(reject.into());
        }
        // Nobody is trapped in a position by cancels that the venue does not confirm.
        if cleared.is_reducing() && self.waits.is_late(asked.ticket) {
            return Ok(cleared);
        }
        let meets = meets(order, (first, mode), asked);
        // An order that reduces the position is never refused for orders that can be cancelled.
        let mode = match mode {
            _ if cleared.is_reducing() => SelfTradeMode::CancelOld,
            mode => mode,
        };
        let before = match mode {
            SelfTradeMode::Off | SelfTradeMode::Refuse => None,
            SelfTradeMode::CancelOld => Some(Before::cancelled(&met)),
            SelfTradeMode::Decrement if cleared.replaces().is_some() => None,
            SelfTradeMode::Decrement => match Before::cut(&met, order.qty) {
                Some(before) => Some(before),
                None => {
                    let (old, by) = (first.id, order.qty);
                    self.shrink(old, by, asked, out);
                    return Err(Reject::new(Code::SelfTradeCut, meets).into());
                }
            },
        };
        let Some(before) = before else {
            return Err(Reject::new(Code::SelfTrade, meets).into());
        };
        match self.may_wait(&before, &meets) {
            Ok(()) => {}
            // Nobody is trapped in a position by orders that cannot be cancelled for it.
            Err(_) if cleared.is_reducing() => return Ok(cleared),
            Err(reject) => return Err(reject.into()),
        }
        // An amend that is refused traps nobody: its order stands, and may be cancelled.
        let reduces = cleared.is_reducing() && cleared.replaces().is_none();
        self.waits.note(asked.ticket, Before { reduces, ..before });
        Err(Reject::new(Code::SelfTradeWait, meets).into())
    }

    /// What refuses a cleared order where its account has orders refused that meet others of their owner's. What the
    /// other modes do depends on cancels, of which no record tells in time.
    pub(crate) fn refused_apart(&self, asked: Asked<'_>, cleared: &Cleared) -> Result<(), Refusal> {
        let account = asked.who.account();
        let mode = self.state.self_trades.mode(account);
        if mode != SelfTradeMode::Refuse {
            return Ok(());
        }
        let met = self.state.met_by(account, cleared.order(), asked.now);
        let refused = met.first().and_then(|first| refused_at_once(cleared, (first, mode), asked));
        refused.map_or(Ok(()), |reject| Err(reject.into()))
    }

    fn may_wait(&self, before: &Before, meets: &str) -> Result<(), Reject> {
        if before.orders.len() > MAX_SELF_TRADE_CANCELS {
            let detail = format!(
                "{meets}, and {} in all; at most {MAX_SELF_TRADE_CANCELS} are cancelled for one",
                before.orders.len()
            );
            return Err(Reject::new(Code::SelfTrade, detail));
        }
        let not_ours =
            |id: &OrderId| self.state.orders.get(*id).is_none_or(|order| order.caller.is_none());
        if before.orders.iter().any(not_ours) {
            let detail = format!("{meets}, which was not placed by a caller: cancel it by a halt");
            return Err(Reject::new(Code::SelfTrade, detail));
        }
        if self.waits.len() >= MAX_SELF_TRADE_WAITS {
            let detail = format!("{MAX_SELF_TRADE_WAITS} orders wait for cancels; try again later");
            return Err(Reject::new(Code::TooManyInFlight, detail));
        }
        for id in &before.orders {
            self.room_to_cancel(*id).map_err(|refusal| refusal.reject)?;
        }
        Ok(())
    }

    /// Makes an open order smaller by what a newer one would have traded with it. One that cannot be made
    /// smaller now stays as it is, since the newer one is not sent.
    fn shrink(&mut self, old: OrderId, by: Qty, asked: Asked<'_>, out: &mut Vec<Action>) {
        let Some(order) = self.state.orders.get(old) else { return };
        let amendable = order.stage == Stage::Live
            && order.amend.is_none()
            && order.caller.is_some()
            && order.request.price.is_some()
            && !order.request.order_type.is_conditional()
            && self.cancels.canceller(old).is_none();
        let left = order.remaining().0.raw().saturating_sub(by.0.raw());
        let least = self.state.instruments.get(&order.request.instrument);
        let least = least.map_or(0, |terms| terms.min_qty.0.raw());
        if !amendable {
            return;
        }
        if left < least || left == 0 {
            let by = newer(asked.who);
            return self.cancel_quietly(old, by, asked.now, out);
        }
        let total = order.filled.0.raw().saturating_add(left);
        let total = Qty(Decimal::from_raw(total));
        if let Some(journalled) = self.journal_shrink((old, total), asked.who, asked.now, out) {
            self.sign(journalled, None, asked.now, out);
        }
    }
}

impl Before {
    /// All of these are cancelled.
    fn cancelled(met: &[&Order]) -> Before {
        let orders = met.iter().map(|order| order.id).collect();
        Before { orders, cut: false, reduces: false }
    }

    /// Those are cancelled that are smaller than what is left of a new order when it comes to them; none
    /// where the first one is larger.
    fn cut(met: &[&Order], qty: Qty) -> Option<Before> {
        let mut left = qty.0.raw();
        let mut orders = BTreeSet::new();
        for order in met {
            let old = order.remaining().0.raw();
            if left < old || left == 0 {
                break;
            }
            left -= old;
            orders.insert(order.id);
        }
        (!orders.is_empty()).then_some(Before { orders, cut: true, reduces: false })
    }
}

/// Who has an open order cancelled by a newer one.
pub(super) fn newer(who: &Authenticated) -> Canceller {
    Canceller::Newer { caller: who.caller().clone(), account: who.account().clone() }
}

/// An order that only reduces the position is never refused for orders that can be cancelled.
fn refused_at_once(
    cleared: &Cleared,
    (first, mode): (&Order, SelfTradeMode),
    asked: Asked<'_>,
) -> Option<Reject> {
    let refused = mode == SelfTradeMode::Refuse && !cleared.is_reducing();
    let why = || meets(cleared.order(), (first, mode), asked);
    refused.then(|| Reject::new(Code::SelfTrade, why()))
}

/// What is said of it: the caller's own order by its number, of another caller's nothing but that it is there.
fn meets(order: &NewOrder, (first, mode): (&Order, SelfTradeMode), asked: Asked<'_>) -> String {
    let own = first.caller.as_ref() == Some(asked.who.caller());
    let whose = match own && first.account == *asked.who.account() {
        true => {
            let by = order.price.zip(first.request.price);
            let by = by.map(|(one, other)| format!(" (over by {})", distance(one.0, other.0)));
            let (id, its) = (first.id, at(first.request.price));
            format!("order {id} of its own caller, {its}{}", by.unwrap_or_default())
        }
        false => "an order of another caller or account of the same owner".to_owned(),
    };
    let word = match order.side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    };
    let rule = format!("self-trade {} of account {}", mode.word(), asked.who.account());
    let what = format!("the {word} of {} {} meets {whose}", order.qty, at(order.price));
    format!("{rule}, rules v{RULES}: {what}")
}

fn at(price: Option<Price>) -> String {
    match price {
        Some(price) => format!("at {price}"),
        None => "at the market".to_owned(),
    }
}

//! The same order twice within a short time: most often a bot that lost track, sometimes a finger.

use crate::authorize::Authorized;
use crate::orders::{Ending, Order, Stage};
use crate::over;
use crate::state::State;
use std::collections::{BTreeMap, VecDeque};
use tidegate_types::codec::{Codec, CodecError};
use tidegate_types::codec_struct;
use tidegate_types::grant::OnRepeat;
use tidegate_types::ids::{AccountName, CallerName, InstrumentId, OrderId};
use tidegate_types::instrument::{Price, Qty};
use tidegate_types::limits::MAX_REPEAT_WINDOW;
use tidegate_types::order::{NewOrder, OrderType, Side};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// What makes two orders of a caller the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Likeness {
    caller: CallerName,
    account: AccountName,
    instrument: InstrumentId,
    side: Side,
    order_type: OrderType,
    qty: Qty,
    price: Option<Price>,
    trigger: Option<Price>,
}
codec_struct!(Likeness { caller, account, instrument, side, order_type, qty, price, trigger });

impl Likeness {
    pub(crate) fn of(caller: &CallerName, account: &AccountName, order: &NewOrder) -> Likeness {
        Likeness {
            caller: caller.clone(),
            account: account.clone(),
            instrument: order.instrument.clone(),
            side: order.side,
            order_type: order.order_type,
            qty: order.qty,
            price: order.price,
            trigger: order.trigger.as_ref().map(|trigger| trigger.price),
        }
    }
}

/// The newest order of each likeness, on accounts that want to know; follows from the records.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    newest: BTreeMap<Likeness, OrderId>,
    placed: VecDeque<Placed>,
}

#[derive(Clone, Debug)]
struct Placed {
    at: Time,
    order: OrderId,
    like: Likeness,
}
codec_struct!(Placed { at, order, like });

impl Codec for Recent {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.placed.len() as u64).encode(out);
        self.placed.iter().for_each(|placed| placed.encode(out));
    }

    fn decode(input: &mut &[u8]) -> Result<Recent, CodecError> {
        let mut recent = Recent::default();
        for placed in Vec::<Placed>::decode(input)? {
            recent.add(placed);
        }
        Ok(recent)
    }

    fn show(&self, out: &mut String) {
        self.placed.iter().cloned().collect::<Vec<_>>().show(out);
    }
}

impl Recent {
    /// Takes note of an order that was cleared.
    pub(crate) fn note(
        &mut self,
        caller: &CallerName,
        account: &AccountName,
        order: &NewOrder,
        id: OrderId,
        now: Time,
    ) {
        let old = |placed: &Placed| now.since(placed.at) > MAX_REPEAT_WINDOW;
        while self.placed.front().is_some_and(old) {
            let Some(Placed { order, like, .. }) = self.placed.pop_front() else { break };
            if self.newest.get(&like) == Some(&order) {
                self.newest.remove(&like);
            }
        }
        let like = Likeness::of(caller, account, order);
        self.add(Placed { at: now, order: id, like });
    }

    fn add(&mut self, placed: Placed) {
        self.newest.insert(placed.like.clone(), placed.order);
        self.placed.push_back(placed);
    }
}

/// Refuses an order that is the same as one before within the account's window, or says what to
/// warn of, as the limit has it. An order before that did nothing does not count, and one that
/// reduces the position passes.
pub(crate) fn check(
    state: &State,
    authorized: &mut Authorized<'_>,
    order: &NewOrder,
    now: Time,
) -> Result<Option<Reject>, Reject> {
    let (who, limits) = (authorized.who(), authorized.limits());
    if limits.repeat_window.micros() == 0 {
        return Ok(None);
    }
    let like = Likeness::of(who.caller(), who.account(), order);
    let before = state.recent.newest.get(&like).and_then(|id| state.orders.get(*id));
    let Some(before) = before.filter(|before| counts(before)) else { return Ok(None) };
    let age = now.since(before.placed);
    if age > limits.repeat_window {
        return Ok(None);
    }
    let (action, of) = (limits.on_repeat, over::account(who.account()));
    let told = over::least_ms("repeat window", &of, age, limits.repeat_window);
    let detail = format!("{told} since order {}", before.id);
    let reject = Reject::new(Code::RepeatedOrder, detail);
    match action {
        OnRepeat::Refuse => authorized.spare(reject).map(|()| None),
        OnRepeat::Warn => Ok(Some(reject)),
    }
}

fn counts(order: &Order) -> bool {
    match order.stage {
        Stage::Pending | Stage::Sent | Stage::Unknown | Stage::Live => true,
        Stage::Done { how: Ending::Filled | Ending::Cancelled | Ending::Gone } => true,
        Stage::Done { how: Ending::Rejected | Ending::NotSent | Ending::NeverArrived } => false,
    }
}

//! The third gate: what may be lost. Every number that decides is part of the record.

mod closing;
mod collar;
mod exposure;
mod limits;
mod options;
mod policy;
mod sanity;
mod worst;

pub(crate) use policy::Aside;

use crate::authorize::{Ask, Authorized};
use crate::breakers;
use crate::halt;
use crate::over;
use crate::refusals::Refusal;
use crate::shape::Shaped;
use crate::state::State;
use tidegate_types::decimal::DecimalError;
use tidegate_types::grant::AccountLimits;
use tidegate_types::ids::{AccountName, InstrumentId, OrderId};
use tidegate_types::instrument::{Mark, Price};
use tidegate_types::options::OptionFigures;
use tidegate_types::order::NewOrder;
use tidegate_types::record::{Decision, RULES};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// Proof that an order passed every gate, with the numbers. Made here alone.
#[derive(Debug)]
pub(crate) struct Cleared {
    order: NewOrder,
    replaces: Option<OrderId>,
    decision: Decision,
    options: Option<OptionFigures>,
    aside: Aside,
    could_reduce: bool,
}

impl Cleared {
    /// The order to send.
    pub(crate) fn order(&self) -> &NewOrder {
        &self.order
    }

    /// The order that it takes the place of.
    pub(crate) fn replaces(&self) -> Option<OrderId> {
        self.replaces
    }

    /// Whether it goes as one that reduces the position.
    pub(crate) fn is_reducing(&self) -> bool {
        self.decision.reducing
    }

    /// Whether it passed as an ordinary order, and could go as one that reduces the position.
    pub(crate) fn could_reduce(&self) -> bool {
        self.could_reduce && !self.decision.reducing
    }

    /// The numbers by which it passed the limits of its account's options, where there are any.
    pub(crate) fn options(&self) -> Option<OptionFigures> {
        self.options
    }

    /// What goes on record beside it.
    pub(crate) fn take_aside(&mut self) -> Aside {
        std::mem::take(&mut self.aside)
    }

    /// The order to send, the one it replaces, and the numbers; the proof is used up.
    pub(crate) fn into_parts(self) -> (NewOrder, Option<OrderId>, Decision) {
        (self.order, self.replaces, self.decision)
    }
}

/// Proof that a change of settings passed every gate. Made here alone.
#[derive(Debug)]
pub(crate) struct ClearedSetting(());

/// Clears an order, or says which limit stands in the way.
pub(crate) fn clear(state: &State, shaped: Shaped<'_>, now: Time) -> Result<Cleared, Refusal> {
    let mut authorized = shaped.into_authorized();
    let mut decision = Decision { rules: RULES, ..Decision::default() };
    let mut whole = None;
    match check(state, &mut authorized, &mut decision, &mut whole, now) {
        Ok(cleared) => Ok(cleared),
        Err(reject) => Err(Refusal { reject, decision: Box::new(decision), whole }),
    }
}

/// Clears a change of settings: it waits for halts, breakers and closed accounts.
pub(crate) fn clear_setting(
    state: &State,
    shaped: Shaped<'_>,
    now: Time,
) -> Result<ClearedSetting, Refusal> {
    let who = shaped.into_authorized().who();
    halt::check(state, who, None, None).map_err(|block| block.reject)?;
    breakers::check(state, who, None, now).map_err(|(_, block)| block.reject)?;
    open(state, who.account())?;
    Ok(ClearedSetting(()))
}

/// Clears an order of Tidegate's own that closes a position, wholly or in part. It passes every halt
/// and a closed account, and no grant bounds it; the numbers must make sense, the mark must be fresh,
/// and its price and quantity are what the account's limits allow. `closeness` halves the way from the
/// mark to the collar's edge so often.
pub(crate) fn clear_closing(
    state: &State,
    account: &AccountName,
    instrument: &InstrumentId,
    closeness: u32,
    now: Time,
) -> Result<Cleared, Reject> {
    let (order, decision) = closing::order(state, account, instrument, closeness, now)?;
    let aside = Aside::default();
    Ok(Cleared { order, replaces: None, decision, options: None, aside, could_reduce: true })
}

/// How far an order's limit price might be from the mark that a decision was made from: the collar's edge.
pub(crate) fn collar_edge(
    state: &State,
    limits: &AccountLimits,
    order: &NewOrder,
    decision: &Decision,
) -> Option<Price> {
    let terms = state.instruments.get(&order.instrument)?;
    let (instrument, mark, index) = (terms.id.clone(), decision.mark?, decision.index?);
    let mark = Mark { instrument, mark, index, at: Time::default() };
    let band = collar::band(terms, &mark, limits).ok()?;
    band.edge(collar::reference(order, mark.mark), order.side).ok()
}

fn check(
    state: &State,
    authorized: &mut Authorized<'_>,
    decision: &mut Decision,
    whole: &mut Option<String>,
    now: Time,
) -> Result<Cleared, Reject> {
    let (who, limits) = (authorized.who(), authorized.limits());
    let instrument = ask(authorized)?.instrument;
    decision.position = Some(state.positions.book(who.account(), &instrument.id).position());

    sanity::check(&ask(authorized)?.order, instrument, now)?;
    let changes = ask(authorized)?.replaces.map(|order| order.id);
    if let Err(block) = halt::check(state, who, Some(&instrument.id), changes) {
        if !block.allow_reduce {
            return Err(block.reject);
        }
        authorized.spare(block.reject)?;
    }
    if let Err((_, block)) = breakers::check(state, who, Some(&instrument.id), now) {
        if !block.allow_reduce {
            return Err(block.reject);
        }
        authorized.spare(block.reject)?;
    }
    if let Err(closed) = open(state, who.account()) {
        authorized.spare(closed)?;
    }

    let mark = state.marks.get(&instrument.id);
    let mark = mark.ok_or_else(|| Reject::new(Code::NoMark, instrument.id.to_string()))?;
    note_mark(decision, mark, now);
    if let Err(stale) = fresh(mark, limits, now).and_then(|()| state.check_book(&instrument.id)) {
        authorized.spare(stale)?;
    }

    let band = collar::band(instrument, mark, limits).map_err(uncomputable)?;
    collar::check(&ask(authorized)?.order, mark, band, limits)?;
    state.check_venue_band(&ask(authorized)?.order, mark, now)?;
    let worst = worst::of(&ask(authorized)?.order, instrument, mark, band)?;
    decision.worst_price = Some(worst.price);
    decision.unit_value = Some(worst.unit_value);

    limits::quantity(ask(authorized)?, authorized.grant(), limits)?;
    let notional = limits::notional(ask(authorized)?, worst.unit_value)?;
    decision.notional = Some(notional);
    // What the caller may do at all holds for orders that reduce, too: the position may be another's.
    let grant = authorized.grant();
    limits::order_notional(notional, &over::grant(grant), grant.max_order_notional)?;
    let whose = over::account(&limits.account);
    if let Err(over) = limits::order_notional(notional, &whose, limits.max_order_notional) {
        authorized.spare(over)?;
    }
    if let Err(over) = exposure::check(state, authorized, mark, worst.unit_value, decision, now) {
        authorized.spare(over)?;
    }
    let figures = match options::check(state, authorized, worst.price, now) {
        Ok(figures) => figures,
        Err(over) => authorized.spare(over).map(|()| None)?,
    };
    let found = (mark, worst, notional);
    let aside = policy::check(state, authorized, found, decision, whole, now)?;
    let cleared = cleared(ask(authorized)?, decision.clone());
    Ok(Cleared { options: figures, aside, ..cleared })
}

/// An order past a limit goes as one that reduces the position, and says so to the venue.
fn cleared(ask: &Ask<'_>, mut decision: Decision) -> Cleared {
    let mut order = NewOrder::clone(&ask.order);
    decision.reducing = ask.is_reducing();
    order.reduce_only |= decision.reducing;
    let replaces = ask.replaces.map(|order| order.id);
    let (aside, could_reduce) = (Aside::default(), ask.could_reduce());
    Cleared { order, replaces, decision, options: None, aside, could_reduce }
}

fn ask<'b, 'a>(authorized: &'b Authorized<'a>) -> Result<&'b Ask<'a>, Reject> {
    authorized.ask().ok_or_else(|| Reject::new(Code::Uncomputable, "no order"))
}

fn open(state: &State, account: &AccountName) -> Result<(), Reject> {
    match state.accounts.get(account) {
        Some(known) if known.open => Ok(()),
        Some(known) => Err(Reject::new(Code::AccountClosed, format!("{account}: {}", known.why))),
        None => Err(Reject::new(Code::AccountClosed, format!("{account}: not known"))),
    }
}

fn note_mark(decision: &mut Decision, mark: &Mark, now: Time) {
    decision.mark = Some(mark.mark);
    decision.index = Some(mark.index);
    decision.mark_age = Some(now.since(mark.at));
}

fn fresh(mark: &Mark, limits: &AccountLimits, now: Time) -> Result<(), Reject> {
    let (age, most) = (now.since(mark.at), limits.max_mark_age);
    if age <= most {
        return Ok(());
    }
    let told = over::most_ms("mark age", &over::account(&limits.account), age, most);
    let detail = format!("{told} for {}", mark.instrument);
    Err(Reject::new(Code::StaleMark, detail))
}

fn uncomputable(error: DecimalError) -> Reject {
    Reject::new(Code::Uncomputable, error.to_string())
}

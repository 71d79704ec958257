//! The first gate: whether the caller may ask for this at all.

use crate::options::Asked;
use crate::orders::Order;
use crate::over;
use crate::policy::Tested;
use crate::refusals::Refusal;
use crate::roles::loosen::is_token_within;
use crate::state::State;
use std::borrow::Cow;
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::{AccountLimits, Grant};
use tidegate_types::ids::InstrumentId;
use tidegate_types::instrument::{Instrument, Kind};
use tidegate_types::order::{AmendOrder, CancelOrder, NewOrder, OrderName, Side};
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// What an authenticated caller may read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadRights {
    /// It sees every order of the account, not only its own.
    pub account_wide: bool,
}

/// An order as it is asked for: a new one, or what an amend makes of one.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) order: Cow<'a, NewOrder>,
    pub(crate) replaces: Option<&'a Order>,
    pub(crate) instrument: &'a Instrument,
    /// It fits into the position on the reducing side.
    reducible: bool,
    /// It is to be taken as reducing: reduce-only, and past every limit.
    reduce: bool,
}

impl Ask<'_> {
    /// What may still trade, in 10⁻⁸.
    pub(crate) fn remaining(&self) -> i64 {
        let filled = self.replaces.map_or(0, |order| order.filled.0.raw());
        self.order.qty.0.raw().saturating_sub(filled).max(0)
    }

    pub(crate) fn is_reducing(&self) -> bool {
        self.reduce
    }

    /// Whether it could go as one that reduces the position.
    pub(crate) fn could_reduce(&self) -> bool {
        self.reducible
    }
}

/// Proof that the caller's grant covers a request. Made here alone.
#[derive(Debug)]
pub(crate) struct Authorized<'a> {
    who: &'a Authenticated,
    grant: &'a Grant,
    limits: &'a AccountLimits,
    ask: Option<Ask<'a>>,
}

impl<'a> Authorized<'a> {
    pub(crate) fn who(&self) -> &'a Authenticated {
        self.who
    }

    pub(crate) fn grant(&self) -> &'a Grant {
        self.grant
    }

    pub(crate) fn limits(&self) -> &'a AccountLimits {
        self.limits
    }

    /// The order; none for a change of settings.
    pub(crate) fn ask(&self) -> Option<&Ask<'a>> {
        self.ask.as_ref()
    }

    /// What stands in the way, unless the order can go as one that reduces the position: then it
    /// does, reduce-only.
    pub(crate) fn spare(&mut self, obstacle: Reject) -> Result<(), Reject> {
        match &mut self.ask {
            Some(ask) if ask.reducible => {
                ask.reduce = true;
                Ok(())
            }
            _ => Err(obstacle),
        }
    }
}

/// A session outlives the moment it was opened: its key may have been revoked since, or its app.
pub(crate) fn key(state: &State, who: &Authenticated, now: Time) -> Result<(), Reject> {
    if who.token().is_some() {
        let app = state.apps.get(who.caller()).filter(|app| !app.revoked);
        return app.map(|_| ()).ok_or_else(|| Reject::new(Code::BadToken, "the app is revoked"));
    }
    let key = state.keys.get(who.key()).filter(|key| {
        !key.revoked && key.key.caller == *who.caller() && key.key.account == *who.account()
    });
    let key = key.ok_or_else(|| Reject::new(Code::UnknownKey, who.key().as_str()))?;
    key.key.terms.in_time(now)
}

/// May this caller cancel at all? With a key always, whatever its grant; a token that only reads cancels
/// nothing.
pub(crate) fn cancels(state: &State, who: &Authenticated, now: Time) -> Result<(), Reject> {
    key(state, who, now)?;
    match who.token() {
        Some(token) if !token.trade => Err(Reject::new(Code::NoGrant, "the token only reads")),
        _ => Ok(()),
    }
}

/// The caller's grant on its account, in force now.
fn grant<'a>(state: &'a State, who: &'a Authenticated, now: Time) -> Result<&'a Grant, Reject> {
    key(state, who, now)?;
    let grant = state.grant(who.caller(), who.account());
    let grant = grant.filter(|grant| grant.venue == *who.venue()).ok_or_else(|| {
        let detail = format!("{} has none on {}", who.caller(), who.account());
        Reject::new(Code::NoGrant, detail)
    })?;
    let grant = match who.token() {
        None => grant,
        Some(token) if is_token_within(token, grant) => token,
        Some(_) => {
            let detail = "the token allows more than the app's grant, which was narrowed";
            return Err(Reject::new(Code::NoGrant, detail));
        }
    };
    match grant.until {
        Some(until) if now >= until => {
            let told = over::time("until", &over::grant(grant), now, until);
            Err(Reject::new(Code::GrantExpired, told))
        }
        _ => Ok(grant),
    }
}

/// Whether the grant is for this time of the week. As after its end, no order passes outside it, not even one that
/// reduces; cancels do. Its caller reads all the same.
fn in_hours(grant: &Grant, now: Time) -> Result<(), Reject> {
    if grant.window.has(now) {
        return Ok(());
    }
    let detail = over::outside("window", &over::grant(grant), "now", grant.window);
    Err(Reject::new(Code::OutsideHours, detail))
}

/// May this caller read its account, and how much of it?
pub(crate) fn read(state: &State, who: &Authenticated, now: Time) -> Result<ReadRights, Reject> {
    grant(state, who, now).map(|grant| ReadRights { account_wide: grant.account_wide })
}

/// May this caller place this order?
pub(crate) fn order<'a>(
    state: &'a State,
    who: &'a Authenticated,
    order: &'a NewOrder,
    unique_ids: bool,
    now: Time,
) -> Result<Authorized<'a>, Refusal> {
    if let (true, Some(id)) = (unique_ids, &order.caller_id)
        && state.orders.by_caller(who.caller(), who.account(), id).any(Order::is_open)
    {
        return Err(Reject::new(Code::DuplicateOrderId, id.as_str()).into());
    }
    if unique_ids && who.is_overtaken() {
        let what = "a request under this id that was signed later came first";
        return Err(Reject::new(Code::DuplicateOrderId, what).into());
    }
    Ok(asked(state, who, Cow::Borrowed(order), None, now)?)
}

/// May this caller make this of its order?
pub(crate) fn amend<'a>(
    state: &'a State,
    who: &'a Authenticated,
    amend: &AmendOrder,
    now: Time,
) -> Result<Authorized<'a>, Refusal> {
    let order = own(state, who, &amend.order, amend.instrument.as_ref())?;
    if amend.side.is_some_and(|side| side != order.request.side) {
        return Err(Reject::new(Code::BadParameter, "an amend cannot change the side").into());
    }
    if order.amend.is_some() || !matches!(order.stage, crate::orders::Stage::Live) {
        let detail = "the venue has not answered the last request for this order; try again then";
        return Err(Reject::new(Code::TooManyInFlight, detail).into());
    }
    if amend.trigger_price.is_some() && order.request.trigger.is_none() {
        return Err(Reject::new(Code::BadParameter, "the order has no trigger to change").into());
    }
    let becomes = amend.applied_to(&order.request);
    if order.caller.as_ref() != Some(who.caller()) && !becomes.only_lessens(&order.request) {
        // It is in none of the asker's sums, and the grant of whose it is, if anybody's, is not the asker's to use.
        let what = "somebody else placed it: it may be made smaller or cancelled, and no more";
        return Err(Reject::new(Code::NoGrant, what).into());
    }
    Ok(asked(state, who, Cow::Owned(becomes), Some(order), now)?)
}

/// May this caller cancel this order? Its own it always may.
pub(crate) fn cancel<'a>(
    state: &'a State,
    who: &Authenticated,
    cancel: &CancelOrder,
    now: Time,
) -> Result<&'a Order, Refusal> {
    cancels(state, who, now)?;
    Ok(own(state, who, &cancel.order, cancel.instrument.as_ref())?)
}

/// May this caller change the account's settings?
pub(crate) fn setting<'a>(
    state: &'a State,
    who: &'a Authenticated,
    now: Time,
) -> Result<Authorized<'a>, Refusal> {
    let grant = grant(state, who, now)?;
    in_hours(grant, now)?;
    if !grant.settings {
        return Err(Reject::new(Code::SettingsNotGranted, who.caller().as_str()).into());
    }
    Ok(Authorized { who, grant, limits: limits(state, who)?, ask: None })
}

/// May this caller have its orders cancelled later? Whoever may trade may.
pub(crate) fn guard(
    state: &State,
    who: &Authenticated,
    instrument: Option<&InstrumentId>,
    now: Time,
) -> Result<(), Refusal> {
    if !grant(state, who, now)?.trade {
        return Err(Reject::new(Code::NoGrant, "it may read only").into());
    }
    match instrument {
        Some(id) if id.venue != *who.venue() || !state.instruments.contains_key(id) => {
            Err(Reject::new(Code::UnknownInstrument, id.to_string()).into())
        }
        _ => Ok(()),
    }
}

fn own<'a>(
    state: &'a State,
    who: &Authenticated,
    name: &OrderName,
    instrument: Option<&InstrumentId>,
) -> Result<&'a Order, Reject> {
    let refuse = |code| {
        let detail = match name {
            OrderName::Venue { id } => id.to_string(),
            OrderName::Caller { id } => id.to_string(),
            OrderName::Own { id } => id.to_string(),
        };
        Reject::new(code, detail)
    };
    let found = state.find(who, name, instrument).ok_or_else(|| refuse(Code::OrderNotFound))?;
    if found.is_open() { Ok(found) } else { Err(refuse(Code::OrderEnded)) }
}

fn limits<'a>(state: &'a State, who: &Authenticated) -> Result<&'a AccountLimits, Reject> {
    let limits = state.limits.get(who.account());
    limits.ok_or_else(|| Reject::new(Code::NoLimit, who.account().as_str()))
}

fn asked<'a>(
    state: &'a State,
    who: &'a Authenticated,
    order: Cow<'a, NewOrder>,
    replaces: Option<&'a Order>,
    now: Time,
) -> Result<Authorized<'a>, Reject> {
    let grant = grant(state, who, now)?;
    in_hours(grant, now)?;
    let instrument = tradable(state, who, &order, now)?;
    let deny = |code, what: String| Err(Reject::new(code, what));
    if !grant.trade {
        return deny(Code::NoGrant, "it may read only".to_owned());
    }
    let of = over::grant(grant);
    if !grant.instruments.iter().any(|pattern| pattern.matches(&order.instrument.name)) {
        let allowed = over::list(&grant.instruments);
        let told = over::outside("instruments", &of, &order.instrument, allowed);
        return deny(Code::InstrumentNotGranted, told);
    }
    if !grant.sides.contains(&order.side) {
        let (side, allowed) = (format!("{:?}", order.side), over::words(&grant.sides));
        return deny(Code::SideNotGranted, over::outside("sides", &of, side, allowed));
    }
    if !grant.order_types.contains(&order.order_type) {
        let (kind, allowed) = (format!("{:?}", order.order_type), over::words(&grant.order_types));
        return deny(Code::OrderTypeNotGranted, over::outside("order types", &of, kind, allowed));
    }
    let room = room(state, who, &order, replaces);
    let mut ask = Ask { order, replaces, instrument, reducible: false, reduce: false };
    ask.reducible = i128::from(ask.remaining()) <= room;
    ask.reduce = ask.reducible && (ask.order.reduce_only || grant.reduce_only);
    if grant.reduce_only && !ask.reducible {
        let (code, most) = match Decimal::from_raw(i64::try_from(room).unwrap_or(i64::MAX)) {
            most if most.is_positive() => (Code::NotReducing, most),
            _ => (Code::ReduceOnlyGrant, Decimal::ZERO),
        };
        return deny(code, over::most("reduce only", &of, ask.order.qty.0, most, ""));
    }
    Ok(Authorized { who, grant, limits: limits(state, who)?, ask: Some(ask) })
}

fn tradable<'a>(
    state: &'a State,
    who: &Authenticated,
    order: &NewOrder,
    now: Time,
) -> Result<&'a Instrument, Reject> {
    let unknown =
        |why: &str| Reject::new(Code::UnknownInstrument, format!("{}{why}", order.instrument));
    let instrument = state.instruments.get(&order.instrument).ok_or_else(|| unknown(""))?;
    let expiry = match instrument.kind {
        Kind::Perpetual => None,
        Kind::Future { expiry } | Kind::Option { expiry, .. } => Some(expiry),
    };
    match instrument {
        i if i.id.venue != *who.venue() => Err(unknown(": the key is for another venue")),
        // What the venue calls it says more than that it takes no orders.
        i if let Err(halted) = state.check_venue_open(&i.id) => Err(halted),
        i if !i.open => Err(unknown(": it takes no orders")),
        _ if expiry.is_some_and(|expiry| now >= expiry) => Err(unknown(": it has expired")),
        i => Ok(i),
    }
}

/// By how much an order of this side may still reduce the account's position, an order that it
/// replaces left out.
fn room(state: &State, who: &Authenticated, order: &NewOrder, replaces: Option<&Order>) -> i128 {
    let side: Side = order.side;
    let own = replaces.map(Order::share).filter(|share| share.reducing);
    let book = state.positions.book(who.account(), &order.instrument);
    let room = book.room(side) + own.map_or(0, |share| i128::from(share.qty));
    if room > 0 && takes_cover(state, who, order, replaces) { 0 } else { room }
}

/// Whether what the order takes off covers something else: a bought option whose sale makes the scenario margin rise,
/// or anything by whose sale a limit of the account's options is passed. Where it cannot be counted, whether
/// there are other positions on the same index that it may be the cover of. It is not taken as reducing then. To
/// buy back an option that was sold always is.
fn takes_cover(
    state: &State,
    who: &Authenticated,
    order: &NewOrder,
    replaces: Option<&Order>,
) -> bool {
    let terms = |id| state.instruments.get(id);
    let is_option = |terms: &Instrument| matches!(terms.kind, Kind::Option { .. });
    let Some(of) = terms(&order.instrument) else { return false };
    let limits = state.option_limits.get(who.account());
    let ruling = state.policies().ruling();
    let ruling = ruling
        .filter(|of| of.limits_options_of(who.account()) && state.trades_options(who.account()));
    match is_option(of) {
        true if order.side == Side::Buy => return false,
        false if limits.is_none() && ruling.is_none() => return false,
        _ => {}
    }
    let filled = replaces.map_or(0, |old| old.filled.0.raw());
    let held = replaces.map(Order::share).unwrap_or_default();
    let whole = order.qty.0.raw().saturating_sub(filled).max(0);
    let more = Asked::of(order.side, whole, order.price, held);
    if state.is_weighed_whole(who.account(), state.at)
        && let Ok(Some(weighing)) = state.weigh(who.account(), of, more)
    {
        let rises = weighing.after.margin > weighing.before.margin;
        let tested = || Tested::weighed(state, who.account(), of, weighing, state.at);
        return (rises && is_option(of))
            || limits.is_some_and(|limits| state.passes_option_limits(limits, of, &weighing))
            || ruling.is_some_and(|ruling| ruling.passes_option_rules(&tested()));
    }
    state.positions.books(who.account()).any(|(id, book)| {
        let covered =
            |other: &Instrument| other.index == of.index && (is_option(of) || is_option(other));
        *id != order.instrument && book.position != 0 && terms(id).is_none_or(covered)
    })
}

//! What records tell breakers.

use super::{Breakers, Place, TRIAL, Window, facet_of, measure::cut};
use crate::repeat::Likeness;
use crate::state::{Purpose, State};
use crate::told::find_filled;
use tidegate_types::breaker::{BreakerKind, Facet, Stops};
use tidegate_types::codec::to_bytes;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{AccountName, CallId, CallerName, InstrumentId, OrderId};
use tidegate_types::instrument::{Kind, Mark, Qty};
use tidegate_types::order::{Intent, NewOrder};
use tidegate_types::policy::Liquidity;
use tidegate_types::record::{Body, Decision, Record};
use tidegate_types::reject::{Code, Fault};
use tidegate_types::report::{AccountEvent, FillReport, Outcome};
use tidegate_types::time::{Span, Time};

/// Takes measurements from a record, before it changes anything else.
pub(crate) fn feed(state: &mut State, record: &Record) {
    let now = record.at;
    if let Body::Started { .. } = &record.body {
        state.breakers.started = now;
        state.breakers.sent.clear();
    }
    if state.breakers.rules.is_empty() {
        return;
    }
    match &record.body {
        Body::Cleared { caller, account, request, decision, .. } => {
            cleared(state, (caller, account, request), decision, now);
        }
        Body::AmendCleared { order, caller, decision, .. } => {
            let known = state.orders.get(*order);
            let known = known.map(|o| (o.account.clone(), o.request.instrument.clone()));
            if let Some((account, instrument)) = known {
                let facet = Facet {
                    venue: Some(&instrument.venue),
                    account: Some(&account),
                    caller: Some(caller),
                    instrument: Some(&instrument),
                };
                passes(state, &facet, decision, now);
            }
        }
        Body::Refused {
            caller: Some(caller),
            intent: Some(Intent::New { .. } | Intent::Amend { .. }),
            reject,
            ..
        } => {
            refused(state, caller, reject.code, 1, now);
        }
        // What it asked is not told here.
        Body::RefusedMore { caller: Some(caller), code, count } if is_of_orders(*code) => {
            refused(state, caller, *code, *count, now);
        }
        Body::Sent { call } if state.breakers.has(BreakerKind::Latency) => {
            state.breakers.sent.insert(*call, now);
        }
        Body::NotSent { call, reject } => {
            state.breakers.sent.remove(call);
            if reject.code.fault() == Fault::Venue && reject.code != Code::VenueBudget {
                of_order(state, *call, &[(BreakerKind::VenueErrors, 1)], now);
            }
        }
        Body::Replied { call, outcome } => {
            replied(state, *call, outcome, now);
            if let Outcome::Accepted { fills, .. } = outcome {
                traded_at_once(state, *call, fills, now);
            }
        }
        Body::Streamed { account, event: AccountEvent::Fill { fill } } => {
            filled(state, account, fill, now);
        }
        Body::Marks { marks } => marks.iter().for_each(|mark| marked(state, mark, now)),
        Body::Liquidity { facts } => facts.iter().for_each(|fact| shown(state, fact, now)),
        Body::ClockMeasured { venue, ahead, give } => {
            let certain = ahead.unsigned_abs().saturating_sub(give.micros());
            let certain = i64::try_from(certain).unwrap_or(i64::MAX);
            let facet = Facet { venue: Some(venue), ..Facet::default() };
            state.sample(BreakerKind::ClockSkew, &facet, certain, now);
        }
        // What expired is measured no more; terms are read each hour.
        Body::Instruments { .. } => state.breakers.forget_old(now),
        _ => {}
    }
}

impl super::Breakers {
    fn forget_old(&mut self, now: Time) {
        let rules = &self.rules;
        let window = |place: &Place| rules.get(&place.breaker).map_or(Span::ZERO, |r| r.window);
        self.windows.retain(|place, kept| !kept.is_over(now, window(place)));
    }
}

impl State {
    /// Takes a measurement in wherever it counts.
    fn sample(&mut self, kind: BreakerKind, facet: &Facet<'_>, value: i64, now: Time) {
        let rules = self.breakers.of_kind(kind);
        let places = rules.filter_map(|rule| {
            let (breaker, scope) = (rule.id.clone(), rule.id.over.place(facet)?);
            Some((Place { breaker, scope }, rule.window))
        });
        for (place, span) in places.collect::<Vec<_>>() {
            let window: &mut Window = self.breakers.windows.entry(place.clone()).or_default();
            match kind {
                BreakerKind::MarkJump => window.add_thinly(now, value, span),
                _ => window.add(now, value, span),
            }
            self.touched.insert(place);
        }
    }
}

/// An order passed every gate.
fn cleared(
    state: &mut State,
    (caller, account, request): (&CallerName, &AccountName, &NewOrder),
    decision: &Decision,
    now: Time,
) {
    let facet = Facet {
        venue: Some(&request.instrument.venue),
        account: Some(account),
        caller: Some(caller),
        instrument: Some(&request.instrument),
    };
    passes(state, &facet, decision, now);
    if state.breakers.has(BreakerKind::Repeats) {
        let like = fingerprint(&to_bytes(&Likeness::of(caller, account, request)));
        state.sample(BreakerKind::Repeats, &facet, like, now);
    }
}

/// An order or amend passed: it is no error of its caller's, and half-open breakers count it, unless they would let all
/// of its kind pass.
fn passes(state: &mut State, facet: &Facet<'_>, decision: &Decision, now: Time) {
    state.sample(BreakerKind::Errors, facet, 0, now);
    let Breakers { rules, trips, .. } = &mut state.breakers;
    let stops_all =
        |place: &Place| rules.get(&place.breaker).is_some_and(|rule| rule.stops == Stops::All);
    let trips = trips
        .iter_mut()
        .filter(|(place, _)| facet.is_in(&place.scope) && (!decision.reducing || stops_all(place)));
    for (_, trip) in trips {
        if trip.stage == super::Stage::HalfOpen {
            trip.passed.retain(|at| now.since(*at) < TRIAL);
            trip.passed.push(now);
        }
    }
}

/// Whether nothing but orders and amends is refused so: by the limits of risk.
fn is_of_orders(code: Code) -> bool {
    (500..600).contains(&code.number())
}

/// Refused for what it asked; that the desk has stopped it, or Tidegate cannot serve, is not its error.
fn refused(state: &mut State, caller: &CallerName, code: Code, count: u64, now: Time) {
    let own = matches!(code.fault(), Fault::Caller | Fault::Desk);
    let stopped = [Code::Halted, Code::AccountClosed, Code::BreakerTripped, Code::BreakerTrial];
    if !own || stopped.contains(&code) {
        return;
    }
    let facet = Facet { caller: Some(caller), ..Facet::default() };
    let most = tidegate_types::breaker::MAX_SAMPLES as u64;
    for _ in 0..count.min(most) {
        state.sample(BreakerKind::Errors, &facet, 1, now);
    }
}

fn replied(state: &mut State, call: CallId, outcome: &Outcome, now: Time) {
    let left = state.breakers.sent.remove(&call);
    let places =
        matches!(state.calls.get(&call), Some(Purpose::Place { .. } | Purpose::Amend { .. }));
    let refused = i64::from(matches!(outcome, Outcome::Rejected { .. }));
    let silent = i64::from(matches!(outcome, Outcome::Unknown { .. }));
    let mut told = vec![(BreakerKind::VenueErrors, silent)];
    if places && silent == 0 {
        told.push((BreakerKind::Rejects, refused));
    }
    if let Some(left) = left {
        let took = i64::try_from(now.since(left).micros()).unwrap_or(i64::MAX);
        told.push((BreakerKind::Latency, took));
    }
    of_order(state, call, &told, now);
}

/// Measurements of a request about an order.
fn of_order(state: &mut State, call: CallId, told: &[(BreakerKind, i64)], now: Time) {
    let order: Option<OrderId> = state.calls.get(&call).and_then(|purpose| purpose.order());
    let Some(order) = order.and_then(|id| state.orders.get(id)) else { return };
    let (account, caller) = (order.account.clone(), order.caller.clone());
    let instrument = order.request.instrument.clone();
    let facet = Facet {
        venue: Some(&instrument.venue),
        account: Some(&account),
        caller: caller.as_ref(),
        instrument: Some(&instrument),
    };
    for (kind, value) in told {
        state.sample(*kind, &facet, *value, now);
    }
}

/// Trades that the answer to an order tells: those that together come to more than was ordered are stray.
fn traded_at_once(state: &mut State, call: CallId, fills: &[FillReport], now: Time) {
    let order = state.calls.get(&call).and_then(|purpose| purpose.order());
    let Some(order) = order.and_then(|id| state.orders.get(id)) else { return };
    let news = fills.iter().filter(|fill| !order.trades.contains_key(&fill.trade_id));
    let (mut sum, mut stray) = (0_i64, 0);
    for fill in news {
        sum = sum.saturating_add(fill.qty.0.raw());
        stray += usize::from(order.is_exceeded_by(Qty(Decimal::from_raw(sum))));
    }
    for _ in 0..stray {
        of_order(state, call, &[(BreakerKind::StrayFills, 1)], now);
    }
}

/// A trade that no order of Tidegate's explains: of an order that it did not place, of none that is known, or of
/// more than was ordered.
fn filled(state: &mut State, account: &AccountName, fill: &FillReport, now: Time) {
    let order = find_filled(state, account, fill).and_then(|id| state.orders.get(id));
    let stray = match order {
        Some(order) => {
            let news = !order.trades.contains_key(&fill.trade_id);
            news && (order.is_foreign() || order.is_exceeded_by(fill.qty))
        }
        None => !state.alarms.knows(account, fill),
    };
    if stray {
        let caller = order.and_then(|order| facet_of(order).caller.cloned());
        let facet = Facet {
            venue: Some(&fill.instrument.venue),
            account: Some(account),
            caller: caller.as_ref(),
            instrument: Some(&fill.instrument),
        };
        state.sample(BreakerKind::StrayFills, &facet, 1, now);
    }
}

/// A premium moves in leaps, and its prices lie far apart: that is nothing unusual.
pub(super) fn is_option(state: &State, instrument: &InstrumentId) -> bool {
    let terms = state.instruments.get(instrument);
    terms.is_some_and(|terms| matches!(terms.kind, Kind::Option { .. }))
}

fn marked(state: &mut State, mark: &Mark, now: Time) {
    if is_option(state, &mark.instrument) {
        return;
    }
    let facet = of_instrument(&mark.instrument);
    state.sample(BreakerKind::MarkJump, &facet, mark.mark.0.raw(), now);
}

fn shown(state: &mut State, fact: &Liquidity, now: Time) {
    if is_option(state, &fact.instrument) {
        return;
    }
    let facet = of_instrument(&fact.instrument);
    if let (Some(bid), Some(ask)) = (fact.bid, fact.ask) {
        let (bid, ask) = (i128::from(bid.0.raw()), i128::from(ask.0.raw()));
        // Twice the distance over the sum is the distance over the middle.
        let bps = ((ask - bid).max(0) * 2 * 10_000 * 100_000_000).checked_div(bid + ask);
        let bps = bps.map_or(i64::MAX, |bps| cut(bps).raw());
        state.sample(BreakerKind::Spread, &facet, bps, now);
    } else {
        // A side without any price is as wide as can be.
        state.sample(BreakerKind::Spread, &facet, i64::MAX, now);
    }
    if let Some(depth) = fact.depth() {
        state.sample(BreakerKind::Depth, &facet, depth.0.raw(), now);
    }
}

fn of_instrument(instrument: &InstrumentId) -> Facet<'_> {
    Facet { venue: Some(&instrument.venue), instrument: Some(instrument), ..Facet::default() }
}

/// FNV-1a: tells orders apart that are not the same.
fn fingerprint(bytes: &[u8]) -> i64 {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix).cast_signed()
}

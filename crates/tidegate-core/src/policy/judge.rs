//! What a policy says of an order, with the numbers.

use super::Ground;
use super::flow::Flow;
use super::live::{Live, dollars};
use super::options::Tested;
use super::part::{Part, Who};
use super::ruling::{Blind, Ruling};
use super::values::{quote, unit_value};
use super::worths::{Worth, is_put, signed};
use crate::orders::Share;
use std::cmp::Reverse;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::grant::Pattern;
use tidegate_types::ids::{AccountName, CallerName, RuleId};
use tidegate_types::instrument::{Instrument, Mark, Price, Usd};
use tidegate_types::order::{NewOrder, OrderType, Side};
use tidegate_types::policy::{Each, Form, Limit, LimitKind, Measure, Rule, Strength, Unit};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};

const BASIS_POINTS: i128 = 10_000;
const ONE: i128 = Decimal::ONE.raw() as i128;
/// In about how many seconds what a market shows is known once it was asked for.
const ASKED_FOR: u64 = 10;
/// How many of the nearest limits a decision tells.
const NEAREST: usize = 3;

/// An order as it is asked for, with what the gates before found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) account: &'a AccountName,
    /// Whose order it is.
    pub(crate) caller: &'a CallerName,
    pub(crate) terms: &'a Instrument,
    pub(crate) mark: &'a Mark,
    pub(crate) order: &'a NewOrder,
    /// The price that the order trades around: the mark, or its trigger.
    pub(crate) reference: Price,
    /// What one unit is worth at worst, and the whole, in what prices are in.
    pub(crate) unit_value: Price,
    pub(crate) notional: Usd,
    /// What it adds to what is reserved.
    pub(crate) added: Share,
    /// It is an order that was not there before.
    pub(crate) is_new: bool,
    /// It can only bring the position nearer to zero.
    pub(crate) reducing: bool,
    /// What it makes of the account's options, where a rule is over those.
    pub(crate) options: Option<&'a Tested<'a>>,
}

/// A number beside its limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    measured: i128,
    limit: i128,
    unit: Unit,
    least: bool,
}

/// Why an order does not pass a rule.
#[derive(Clone, Debug)]
pub(crate) struct Breach {
    pub(crate) rule: Option<RuleId>,
    pub(crate) strength: Strength,
    pub(crate) reject: Reject,
    /// What is on record beside it, where that names what its caller is not to be told.
    pub(crate) whole: Option<String>,
    pub(crate) measure: Option<Measure>,
    /// Orders that reduce a position pass it.
    pub(crate) spares: bool,
}

/// What a policy says of an order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judgement {
    pub(crate) breaches: Vec<Breach>,
    /// Of what passed, what was nearest to its limit.
    pub(crate) nearest: Vec<Measure>,
}

/// What a rule measured of an order.
pub(super) enum Found {
    /// Nothing to measure here.
    Nothing,
    Number(Reading),
    /// It is refused, whatever the number.
    No(String),
    /// What is to be measured is not known.
    Unknown(Blind),
}

impl Found {
    /// Whether it is past its rule, or not known.
    pub(super) fn is_past(&self) -> bool {
        match self {
            Found::Nothing => false,
            Found::Number(reading) => reading.is_over(),
            Found::No(_) | Found::Unknown(_) => true,
        }
    }
}

impl Ruling {
    /// What the policy says of an order. Costs the same however many orders there are.
    pub(crate) fn judge(&self, ground: &Ground<'_>, case: &Case<'_>) -> Judgement {
        let who = Who { account: case.account, caller: Some(case.caller), terms: case.terms };
        let mut said = Judgement::default();
        let mut allowed = false;
        let mut near: Vec<(Reverse<i128>, &Live, Reading)> = Vec::with_capacity(NEAREST + 1);
        let Some(quote) = quote(&self.policy, case.terms) else {
            said.breaches.push(self.unpriced(case));
            return said;
        };
        for live in self.rules.iter().filter(|live| who.is_in(&live.rule.reach)) {
            if live.rule.limit.kind() == LimitKind::Allow {
                allowed = true;
                continue;
            }
            // What reduces a position is held to its size and price alone.
            if case.reducing && spares(live.rule.limit.kind()) {
                continue;
            }
            match self.find(ground, case, live, quote) {
                Found::Nothing => {}
                Found::Number(reading) if reading.is_over() => {
                    said.breaches.push(self.over(case, live, reading));
                }
                Found::Number(reading) => {
                    near.push((Reverse(reading.used()), live, reading));
                    near.sort_by_key(|(used, ..)| *used);
                    near.truncate(NEAREST);
                }
                Found::No(why) => {
                    // There is no number that could be too much: what reduces passes.
                    let breach = self.breach(live, Code::PolicyLimit, why, None);
                    said.breaches.push(Breach { spares: true, ..breach });
                }
                Found::Unknown(blind) => {
                    let (told, whole) = blind.told_to(case.account);
                    let breach = self.breach(live, Code::PolicyUnmeasured, told, None);
                    said.breaches.push(Breach { whole, ..breach });
                }
            }
        }
        if !allowed && !case.reducing {
            said.breaches.push(self.not_allowed(case));
        }
        said.nearest =
            near.into_iter().map(|(_, live, reading)| self.measure(case, live, reading)).collect();
        said
    }

    fn find(&self, ground: &Ground<'_>, case: &Case<'_>, live: &Live, quote: Price) -> Found {
        let adds = dollars(case.added.value, quote);
        let now = ground.at;
        match &live.rule.limit {
            Limit::Allow => Found::Nothing,
            Limit::Only { names } => only(names, case),
            Limit::OrderQuantity { max } => {
                number(case.order.qty.0.raw().into(), max.0.raw().into(), Unit::Quantity)
            }
            Limit::OrderNotional { max } => {
                let worth = dollars(case.notional.0.raw().into(), quote);
                number(worth, max.0.raw().into(), Unit::Usd)
            }
            Limit::Collar { bps } => collar(case, *bps),
            Limit::Distance { bps } => distance(case, *bps),
            Limit::OpenOrders { max } if case.is_new => {
                let open = sum(live, case).saturating_add(1);
                number(open * ONE, i128::from(*max) * ONE, Unit::Count)
            }
            Limit::OpenNotional { max } if adds > 0 => {
                number(sum(live, case) + adds, max.0.raw().into(), Unit::Usd)
            }
            Limit::DailyTraded { max } if adds > 0 => {
                let (_, traded) = Flow::today(flow(live, case), now);
                let day = sum(live, case) + adds + i128::from(traded);
                number(day, max.0.raw().into(), Unit::Usd)
            }
            Limit::GrossPosition { .. }
            | Limit::NetPosition { .. }
            | Limit::Leverage { .. }
            | Limit::Concentration { .. } => self.position(ground, case, live, quote),
            Limit::DailyLoss { max } => self.lost(ground, case, live, |(day, _)| (day, max.0)),
            Limit::Drawdown { max } => self.lost(ground, case, live, |(_, peak)| (peak, max.0)),
            Limit::MessageRate { max, window } => {
                let count = slots(flow(live, case), now, *window).0.saturating_add(1);
                number(i128::from(count) * ONE, i128::from(*max) * ONE, Unit::Count)
            }
            Limit::OrderToTrade { form, max, after } => {
                let weight = if case.is_new { 1 } else { 2 };
                let (ordered, traded) = Flow::today(flow(live, case), now);
                let notional = dollars(case.notional.0.raw().into(), quote);
                let more = if *form == Form::Count { weight } else { notional };
                order_to_trade((ordered, traded), more, *form, *max, *after)
            }
            Limit::RepeatedExecutions { max, window } => {
                let who =
                    Who { account: case.account, caller: Some(case.caller), terms: case.terms };
                let part = Part::strategy(&live.rule, who, case.order.side);
                let flow = part.and_then(|part| live.flows.get(&part));
                let (count, tripped) = slots(flow, now, *window);
                let held = if tripped { u64::from(*max) } else { 0 };
                let count = count.max(held).saturating_add(1);
                number(i128::from(count) * ONE, i128::from(*max) * ONE, Unit::Count)
            }
            Limit::ThinMarket { depth, volume, max_age } => {
                thin(ground, case, (*depth, *volume), *max_age)
            }
            Limit::OptionDelta { .. }
            | Limit::OptionGamma { .. }
            | Limit::OptionVega { .. }
            | Limit::OptionTheta { .. }
            | Limit::NetShortOptions { .. }
            | Limit::ScenarioMargin { .. } => {
                case.options.map_or(Found::Nothing, |tested| tested.find(live))
            }
            Limit::OpenOrders { .. } | Limit::OpenNotional { .. } | Limit::DailyTraded { .. } => {
                Found::Nothing
            }
        }
    }

    /// Limits on what is held, every open order at its worst.
    fn position(&self, ground: &Ground<'_>, case: &Case<'_>, live: &Live, quote: Price) -> Found {
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

    fn lost(
        &self,
        ground: &Ground<'_>,
        case: &Case<'_>,
        live: &Live,
        pick: impl Fn((i64, i64)) -> (i64, Decimal),
    ) -> Found {
        let part = live.equity_part(case.account).unwrap_or(Part::All);
        match self.equity_now(ground, live, &part) {
            Err(blind) => Found::Unknown(blind),
            Ok(equity) => {
                let lost = Flow::lost(live.flows.get(&part), equity, ground.at);
                let (lost, max) = pick(lost);
                number(i128::from(lost).max(0), max.raw().into(), Unit::Usd)
            }
        }
    }

    fn over(&self, case: &Case<'_>, live: &Live, reading: Reading) -> Breach {
        let measure = self.measure(case, live, reading);
        let code = match (live.rule.limit.kind(), live.rule.strength) {
            (_, Strength::Soft) => Code::SoftLimit,
            (LimitKind::MessageRate, _) => Code::PolicyRate,
            (LimitKind::RepeatedExecutions, _) => Code::RepeatedExecutions,
            _ => Code::PolicyLimit,
        };
        self.breach(live, code, measure.to_string(), Some(measure))
    }

    fn breach(&self, live: &Live, code: Code, why: String, measure: Option<Measure>) -> Breach {
        let Rule { id, strength, limit, .. } = &live.rule;
        let ask = match (strength, &measure) {
            (Strength::Soft, Some(_)) => "; risk may let it pass for once, with a reason",
            _ => "",
        };
        let detail = format!("{id} v{}: {why}{ask}", self.policy.version());
        let soft = *strength == Strength::Soft;
        let code = if soft { Code::SoftLimit } else { code };
        Breach {
            rule: Some(id.clone()),
            strength: *strength,
            reject: Reject::new(code, detail),
            whole: None,
            measure,
            spares: spares(limit.kind()),
        }
    }

    fn not_allowed(&self, case: &Case<'_>) -> Breach {
        let Case { caller, account, terms, .. } = case;
        let detail = format!(
            "{}: {caller} on {account} in {}; an allow rule is needed",
            self.policy.stamp(),
            terms.id
        );
        Breach {
            rule: None,
            strength: Strength::Hard,
            reject: Reject::new(Code::NotInPolicy, detail),
            whole: None,
            measure: None,
            spares: true,
        }
    }

    fn unpriced(&self, case: &Case<'_>) -> Breach {
        let detail = format!(
            "{}: {} is settled in {}, which has no price; peg it in the policy",
            self.policy.stamp(),
            case.terms.id,
            case.terms.settlement
        );
        Breach {
            rule: None,
            strength: Strength::Hard,
            reject: Reject::new(Code::PolicyUnmeasured, detail),
            whole: None,
            measure: None,
            spares: true,
        }
    }

    fn measure(&self, case: &Case<'_>, live: &Live, reading: Reading) -> Measure {
        let part = match live.rule.limit.kind() {
            LimitKind::RepeatedExecutions => {
                Part::strategy(&live.rule, case.who(), case.order.side)
            }
            kind if kind.is_of_one_order() => Some(Part::Instrument { id: case.terms.id.clone() }),
            _ => Part::of(&live.rule, case.who()),
        };
        Measure {
            rule: live.rule.id.clone(),
            kind: live.rule.limit.kind(),
            of: part.map_or_else(|| live.of.clone(), |part| part.words(&live.of)),
            unit: reading.unit,
            measured: decimal(reading.measured),
            limit: decimal(reading.limit),
            least: reading.least,
        }
    }
}

impl Case<'_> {
    fn who(&self) -> Who<'_> {
        Who { account: self.account, caller: Some(self.caller), terms: self.terms }
    }
}

impl Reading {
    pub(super) fn is_over(self) -> bool {
        if self.least { self.measured < self.limit } else { self.measured > self.limit }
    }

    /// How much of the limit is used, in basis points.
    fn used(self) -> i128 {
        let (part, whole) =
            if self.least { (self.limit, self.measured) } else { (self.measured, self.limit) };
        part.saturating_mul(BASIS_POINTS) / whole.max(1)
    }
}

/// Whether orders that reduce a position pass such a limit: all but those on an order's size and price.
pub(crate) const fn spares(kind: LimitKind) -> bool {
    !matches!(kind, LimitKind::OrderQuantity | LimitKind::Collar)
}

pub(super) fn number(measured: i128, limit: i128, unit: Unit) -> Found {
    Found::Number(Reading { measured, limit, unit, least: false })
}

fn decimal(raw: i128) -> Decimal {
    let most = if raw < 0 { i64::MIN } else { i64::MAX };
    Decimal::from_raw(i64::try_from(raw).unwrap_or(most))
}

fn sum(live: &Live, case: &Case<'_>) -> i128 {
    let part = Part::of(&live.rule, case.who());
    part.and_then(|part| live.stocks.get(&part)).map_or(0, |stock| stock.sum)
}

fn flow<'a>(live: &'a Live, case: &Case<'_>) -> Option<&'a Flow> {
    live.flows.get(&Part::of(&live.rule, case.who())?)
}

fn slots(flow: Option<&Flow>, now: Time, window: Span) -> (u64, bool) {
    match flow {
        Some(Flow::Window { slots, tripped }) => (slots.count(now, window), *tripped),
        _ => (0, false),
    }
}

/// `part / whole` in 10⁻⁸, rounded up; both are in 10⁻⁸.
pub(super) fn ratio(part: i128, whole: i128) -> i128 {
    let whole = whole.max(1);
    (part.saturating_mul(ONE).saturating_add(whole - 1)) / whole
}

fn only(names: &[Pattern], case: &Case<'_>) -> Found {
    if names.iter().any(|name| name.matches(&case.terms.id.name)) {
        return Found::Nothing;
    }
    Found::No(format!("{} is not among its instruments", case.terms.id))
}

/// An order without a limit price trades at any: no number says how far that is, but an order with a price may take
/// its place. One that reduces a position passes.
fn unbounded(case: &Case<'_>, bps: u32) -> Found {
    if case.reducing {
        return Found::Nothing;
    }
    let instead = match case.order.order_type {
        OrderType::StopMarket => "a stop-limit order",
        OrderType::TakeMarket => "a take-profit limit order",
        _ => "a limit order, immediate or cancel,",
    };
    let far = if case.order.side == Side::Buy { "at most" } else { "at least" };
    let what = "without a limit price it trades at any price";
    Found::No(match edge(case, bps) {
        Some(edge) => format!("{what}; send {instead} with a price of {far} {edge}"),
        None => format!("{what}; send {instead}"),
    })
}

/// The last price within a collar, on a step of the instrument's.
fn edge(case: &Case<'_>, bps: u32) -> Option<Price> {
    let (around, whole) = (case.reference.0, Decimal::from_int(10_000).ok()?);
    let way = around.mul_div(Decimal::from_int(bps.into()).ok()?, whole, Rounding::Floor).ok()?;
    let (edge, rounding) = match case.order.side {
        Side::Buy => (around.add(way).ok()?, Rounding::Floor),
        Side::Sell => (around.sub(way).ok()?, Rounding::Ceil),
    };
    let tick = case.terms.tick_at(Price(edge)).0;
    edge.round_to(tick, rounding).ok().filter(|price| price.is_positive()).map(Price)
}

/// How far a limit price is from what it trades around, on the side that costs.
fn collar(case: &Case<'_>, bps: u32) -> Found {
    let Some(price) = case.order.price else { return unbounded(case, bps) };
    let (price, around) = (i128::from(price.0.raw()), i128::from(case.reference.0.raw()));
    let beyond = if case.order.side == Side::Buy { price - around } else { around - price };
    let far = ratio(beyond.max(0).saturating_mul(BASIS_POINTS), around);
    number(far, i128::from(bps) * ONE, Unit::BasisPoints)
}

/// How far a resting price keeps from the mark, rounded down; a trigger that is reached already keeps none.
fn distance(case: &Case<'_>, bps: u32) -> Found {
    let at_once = matches!(case.order.order_type, OrderType::Market | OrderType::MarketLimit);
    let trigger = case.order.trigger.as_ref().map(|trigger| trigger.price);
    let Some(price) = trigger.or(case.order.price).filter(|_| !at_once) else {
        return Found::No("it takes at once, and so keeps no distance from the mark".to_owned());
    };
    let (price, mark) = (i128::from(price.0.raw()), i128::from(case.mark.mark.0.raw()));
    // A stop waits on the far side of the mark, where the market runs away; everything else on the near one.
    let stop = matches!(case.order.order_type, OrderType::StopMarket | OrderType::StopLimit);
    let away = match (case.order.side, stop) {
        (Side::Buy, false) | (Side::Sell, true) => mark - price,
        (Side::Sell, false) | (Side::Buy, true) => price - mark,
    };
    let far = away.saturating_mul(BASIS_POINTS).saturating_mul(ONE) / mark.max(1);
    let limit = i128::from(bps) * ONE;
    Found::Number(Reading { measured: far, limit, unit: Unit::BasisPoints, least: true })
}

/// Orders over trades, less one. A day without a trade counts as one with one trade, or a dollar.
fn order_to_trade(
    (ordered, traded): (u64, u64),
    more: i128,
    form: Form,
    max: Decimal,
    after: u32,
) -> Found {
    let with = i128::from(ordered).saturating_add(more);
    let (one, counted) = match form {
        Form::Count => (1, with),
        Form::Volume => (ONE, with / ONE),
    };
    if counted <= i128::from(after) {
        return Found::Nothing;
    }
    let times = ratio(with, i128::from(traded).max(one)).saturating_sub(ONE);
    number(times.max(0), max.raw().into(), Unit::Times)
}

/// What the market shows of itself, against the least that it must.
fn thin(ground: &Ground<'_>, case: &Case<'_>, (depth, volume): (Usd, Usd), max_age: Span) -> Found {
    let id = &case.terms.id;
    let unknown = |why: String| {
        Found::Unknown(Blind::open(format!("{why}: it was asked for; try again in {ASKED_FOR} s")))
    };
    let Some(fact) = ground.liquidity.get(id) else {
        return unknown(format!("no depth or volume of {id} is known yet"));
    };
    let age = ground.at.since(fact.at);
    if age > max_age {
        let (age, most) = (age.millis(), max_age.millis());
        return unknown(format!("depth and volume of {id} are {age} ms old, at most {most} ms"));
    }
    let least = |measured: Option<Usd>, limit: Usd| {
        let measured = measured.or(limit.0.is_zero().then_some(limit))?.0.raw().into();
        Some(Reading { measured, limit: limit.0.raw().into(), unit: Unit::Usd, least: true })
    };
    match (least(fact.depth(), depth), least(fact.volume, volume)) {
        (None, _) => unknown(format!("no depth of {id} is known yet")),
        (_, None) => unknown(format!("no volume of {id} is known yet")),
        (Some(depth), Some(volume)) => {
            Found::Number(if volume.is_over() || depth.limit == 0 { volume } else { depth })
        }
    }
}

//! What a policy says of an order, with the numbers.

use super::Ground;
use super::flow::Flow;
use super::live::{Live, dollars};
use super::options::Tested;
use super::part::{Part, Who};
use super::ruling::{Blind, Ruling};
use super::values::quote;
use crate::orders::Share;
use std::cmp::Reverse;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{AccountName, CallerName, RuleId};
use tidegate_types::instrument::{Instrument, Mark, Price, Usd};
use tidegate_types::order::NewOrder;
use tidegate_types::policy::{Form, Limit, LimitKind, Measure, Rule, Strength, Unit};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};

mod order;
mod stands;

use order::{collar, distance, only, order_to_trade, thin};

const BASIS_POINTS: i128 = 10_000;
const ONE: i128 = Decimal::ONE.raw() as i128;
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
    /// It only takes quantity away from an order that was there.
    pub(crate) lessens: bool,
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
    /// What is to be measured is not known: that is nothing that somebody could have agreed to.
    pub(crate) unknown: bool,
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
        let quote = quote(&self.policy, case.terms);
        if quote.is_none() {
            said.breaches.push(self.unpriced(case));
        }
        for live in self.rules.iter().filter(|live| who.is_in(&live.rule.reach)) {
            if live.rule.limit.kind() == LimitKind::Allow {
                allowed = true;
                continue;
            }
            // What reduces a position is held to its size and price alone, and these need no dollars.
            if spares(live.rule.limit.kind()) && (case.reducing || quote.is_none()) {
                continue;
            }
            match self.find(ground, case, live, quote.unwrap_or_default()) {
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
            Limit::DailyLoss { .. }
            | Limit::Drawdown { .. }
            | Limit::ThinMarket { .. }
            | Limit::Distance { .. }
                if case.lessens =>
            {
                Found::Nothing
            }
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
        let unknown = code == Code::PolicyUnmeasured;
        let ask = match (strength, unknown) {
            (Strength::Soft, false) => "; risk may let it pass for once, with a reason",
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
            unknown,
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
            unknown: true,
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
            unknown: true,
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

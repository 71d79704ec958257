//! How much of each limit is used, and what is held at which price: for people, never for a decision.

use super::flow::Flow;
use super::live::Live;
use super::part::Part;
use super::ruling::Ruling;
use super::values::coin_price;
use super::{Ground, Policies};
use crate::state::State;
use std::collections::BTreeSet;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::ids::{AccountName, InstrumentId};
use tidegate_types::instrument::{Price, Usd};
use tidegate_types::policy::{Form, Limit, Measure, Unit};
use tidegate_types::time::{Span, Time};

const ONE: i128 = Decimal::ONE.raw() as i128;

/// How much of a limit is used now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Usage {
    /// The rule, what it counts now and its limit.
    pub measure: Measure,
    /// It stays refused until a person lets it go on: who, in what, on which side is in `measure.of`.
    pub tripped: bool,
}

/// What an account holds, and what that is worth by which price.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holding {
    /// Of which account.
    pub account: AccountName,
    /// The instrument or coin.
    pub what: String,
    /// How much, signed: a position, or what is in the wallet.
    pub amount: Decimal,
    /// Dollars for one unit; not known: no order that adds risk passes what measures it.
    pub price: Option<Price>,
    /// Whose mark or index that is; none: the policy says it.
    pub source: Option<InstrumentId>,
    /// How old that mark is.
    pub age: Option<Span>,
    /// What it is worth, rounded away from zero.
    pub worth: Option<Usd>,
}

impl Policies {
    /// How much of each limit of the policy in force is used now, with nothing more to come.
    pub(crate) fn usage(&self, state: &State, ground: &Ground<'_>) -> Vec<Usage> {
        let ruling = self.ruling();
        ruling.into_iter().flat_map(|ruling| ruling.usage(state, ground)).collect()
    }
}

impl Ruling {
    fn usage(&self, state: &State, ground: &Ground<'_>) -> Vec<Usage> {
        let mut all = Vec::new();
        for live in &self.rules {
            for part in live.parts(ground) {
                let used = match live.rule.limit.kind().is_of_options() {
                    true => live.options_used(state, part.account(), ground.at),
                    false => self.used(ground, live, &part),
                };
                let Some((measured, limit, unit)) = used else { continue };
                let raw = |of: i128| Decimal::from_raw(i64::try_from(of).unwrap_or(i64::MAX));
                let tripped =
                    matches!(live.flows.get(&part), Some(Flow::Window { tripped: true, .. }));
                let measure = Measure {
                    rule: live.rule.id.clone(),
                    kind: live.rule.limit.kind(),
                    of: part.words(&live.of),
                    unit,
                    measured: raw(measured),
                    limit: raw(limit),
                    least: false,
                };
                all.push(Usage { measure, tripped });
            }
        }
        all
    }

    fn used(&self, ground: &Ground<'_>, live: &Live, part: &Part) -> Option<(i128, i128, Unit)> {
        let stock = live.stocks.get(part).copied().unwrap_or_default();
        let flow = live.flows.get(part);
        let now = ground.at;
        let usd = |raw: i128, max: &Usd| Some((raw, i128::from(max.0.raw()), Unit::Usd));
        let count =
            |of: u64, max: u32| Some((i128::from(of) * ONE, i128::from(max) * ONE, Unit::Count));
        match &live.rule.limit {
            Limit::GrossPosition { max } | Limit::OpenNotional { max } => usd(stock.sum, max),
            Limit::NetPosition { max } => usd(stock.sum.max(-stock.down).max(0), max),
            Limit::OpenOrders { max } => {
                Some((stock.sum * ONE, i128::from(*max) * ONE, Unit::Count))
            }
            Limit::DailyTraded { max } => {
                usd(stock.sum + i128::from(Flow::today(flow, now).1), max)
            }
            Limit::DailyLoss { max } | Limit::Drawdown { max } => {
                let now_is = match part {
                    _ if live.watches_instruments() => live.gained_there(part),
                    _ if live.watches_gains() => live.gained(ground, part),
                    _ => self.equity(ground, live, part).ok()?,
                };
                let (day, peak) = Flow::lost(flow, now_is, live.lasting(), now);
                let daily = matches!(live.rule.limit, Limit::DailyLoss { .. });
                usd(i128::from(if daily { day } else { peak }).max(0), max)
            }
            Limit::Leverage { max } => {
                let equity = i128::from(self.equity(ground, live, part).ok().filter(|e| *e > 0)?);
                let times = stock.sum.saturating_mul(ONE) / equity;
                Some((times, i128::from(max.raw()), Unit::Times))
            }
            Limit::Concentration { bps, .. } => {
                let of = live.bases.iter().filter(|((of, _), _)| of == part).map(|(_, sum)| *sum);
                let share = of.max()?.saturating_mul(10_000 * ONE) / stock.sum.max(1);
                Some((share, i128::from(*bps) * ONE, Unit::BasisPoints))
            }
            Limit::MessageRate { max, window } | Limit::RepeatedExecutions { max, window } => {
                match flow {
                    Some(Flow::Window { slots, .. }) => count(slots.count(now, *window), *max),
                    _ => count(0, *max),
                }
            }
            Limit::OrderToTrade { form, max, .. } => {
                let (ordered, traded) = Flow::today(flow, now);
                let one = if *form == Form::Count { 1 } else { ONE };
                let times = i128::from(ordered) * ONE / i128::from(traded).max(one) - ONE;
                Some((times.max(0), i128::from(max.raw()), Unit::Times))
            }
            Limit::OptionDelta { .. }
            | Limit::OptionGamma { .. }
            | Limit::OptionVega { .. }
            | Limit::OptionTheta { .. }
            | Limit::NetShortOptions { .. }
            | Limit::ScenarioMargin { .. }
            | Limit::Allow
            | Limit::Only { .. }
            | Limit::OrderQuantity { .. }
            | Limit::OrderNotional { .. }
            | Limit::Collar { .. }
            | Limit::Distance { .. }
            | Limit::ThinMarket { .. } => None,
        }
    }
}

impl Live {
    /// The parts of which something is counted.
    fn parts(&self, ground: &Ground<'_>) -> BTreeSet<Part> {
        let mut parts: BTreeSet<Part> =
            self.stocks.keys().chain(self.flows.keys()).cloned().collect();
        let of_accounts = !self.is_of_callers() && !self.rule.is_of_instruments();
        if self.rule.limit.kind().is_of_whole_accounts() && of_accounts {
            parts.extend(ground.accounts.keys().filter_map(|account| self.equity_part(account)));
        }
        let strategies = matches!(self.rule.limit, Limit::RepeatedExecutions { .. });
        if self.rule.each == tidegate_types::policy::Each::All && !strategies {
            parts.insert(Part::All);
        }
        parts
    }
}

impl State {
    /// How much of each limit of the policy in force is used now.
    pub fn policy_usage(&self, now: Time) -> Vec<Usage> {
        self.policies.usage(self, &self.ground(now))
    }

    /// What every account holds, valued in one currency as the policy in force does; nothing without one.
    pub fn holdings(&self, now: Time) -> Vec<Holding> {
        let Some(ruling) = self.policies.ruling() else { return Vec::new() };
        let ground = self.ground(now);
        let mut all = Vec::new();
        for account in self.accounts.keys() {
            for (coin, amount) in self.balances.of(account) {
                let price = coin_price(&ruling.policy, &ground, coin);
                let source = price.as_ref().and_then(|price| price.by.clone());
                let mark = source.as_ref().and_then(|id| self.marks.get(id));
                let price = price.map(|price| price.price);
                all.push(Holding {
                    account: account.clone(),
                    what: coin.to_string(),
                    amount,
                    price,
                    age: mark.map(|mark| now.since(mark.at)),
                    source,
                    worth: worth(amount, price),
                });
            }
            for (id, book) in self.positions.books(account).filter(|(_, book)| book.position != 0) {
                let terms = self.instruments.get(id);
                let mark = self.marks.get(id);
                let price = terms.zip(mark);
                let price = price.and_then(|(terms, mark)| {
                    super::values::unit_value(&ruling.policy, terms, mark)
                });
                let amount = Decimal::from_raw(book.position);
                all.push(Holding {
                    account: account.clone(),
                    what: id.to_string(),
                    amount,
                    price,
                    age: mark.map(|mark| now.since(mark.at)),
                    source: mark.map(|_| id.clone()),
                    worth: worth(amount, price),
                });
            }
        }
        all
    }
}

fn worth(amount: Decimal, price: Option<Price>) -> Option<Usd> {
    let rounding = if amount.is_negative() { Rounding::Floor } else { Rounding::Ceil };
    amount.mul(price?.0, rounding).ok().map(Usd)
}

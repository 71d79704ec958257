//! A rule with what it counts. Stocks (what is open, what is held) follow from orders and positions and are
//! counted anew when a policy comes into force; flows are remembered.

use super::flow::{Flow, Slots};
use super::part::{Part, Who};
use super::worths::Worth;
use crate::orders::{Order, Shift};
use std::collections::BTreeMap;
use std::sync::Arc;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::ids::Currency;
use tidegate_types::instrument::Price;
use tidegate_types::order::TimeInForce;
use tidegate_types::policy::{Form, Limit, Rule};
use tidegate_types::time::{Span, Time};

/// Most strategies that a throttle remembers; those that did nothing of late go first.
const MAX_STRATEGIES: usize = 4096;

/// What stands of one part: dollars of 10⁻⁸, or orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Stock {
    /// The sum; of a net position if every open buy traded.
    pub(crate) sum: i128,
    /// Of a net position if every open sell traded.
    pub(crate) down: i128,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Live {
    pub(crate) rule: Rule,
    /// What the rule is over, in words.
    pub(crate) of: Arc<str>,
    pub(crate) stocks: BTreeMap<Part, Stock>,
    /// The gross position on each underlying.
    pub(crate) bases: BTreeMap<(Part, Currency), i128>,
    pub(crate) flows: BTreeMap<Part, Flow>,
}

/// A message to a venue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    /// How much it counts by RTS 9: an order or cancel one, a change two.
    pub(crate) weight: u64,
    /// What it orders, in dollars of 10⁻⁸.
    pub(crate) ordered: u64,
}

impl Live {
    pub(crate) fn new(rule: Rule) -> Live {
        Live {
            of: Arc::from(rule.reach.to_string()),
            rule,
            stocks: BTreeMap::new(),
            bases: BTreeMap::new(),
            flows: BTreeMap::new(),
        }
    }

    /// Whether what the rule remembers is what `other` would.
    pub(crate) fn remembers_for(&self, other: &Rule) -> bool {
        let same_window = match (&self.rule.limit, &other.limit) {
            (Limit::MessageRate { window: mine, .. }, Limit::MessageRate { window: its, .. })
            | (
                Limit::RepeatedExecutions { window: mine, .. },
                Limit::RepeatedExecutions { window: its, .. },
            ) => mine == its,
            (Limit::OrderToTrade { form, .. }, Limit::OrderToTrade { form: other, .. }) => {
                form == other
            }
            _ => true,
        };
        self.rule.id == other.id
            && self.rule.limit.kind() == other.limit.kind()
            && self.rule.reach == other.reach
            && self.rule.each == other.each
            && same_window
    }

    /// Counts a message.
    pub(crate) fn message(&mut self, who: Who<'_>, message: Message, now: Time) {
        match self.rule.limit {
            Limit::MessageRate { window, .. } => {
                if let Some(part) = Part::of(&self.rule, who) {
                    self.tick(part, 1, window, now);
                }
            }
            Limit::OrderToTrade { form, .. } => {
                let ordered = if form == Form::Count { message.weight } else { message.ordered };
                self.today(who, (ordered, 0), now);
            }
            _ => {}
        }
    }

    /// Takes in how one order's part in the sums changed. `quote` is what one of its price's unit counts.
    pub(crate) fn shifted(
        &mut self,
        (who, quote): (Who<'_>, Price),
        (order, shift): (&Order, &Shift),
        now: Time,
    ) -> Option<Part> {
        match self.rule.limit {
            Limit::OpenOrders { .. } => {
                let open = |qty: i64| i128::from(qty > 0);
                self.stock(who, open(shift.after.qty) - open(shift.before.qty));
            }
            Limit::OpenNotional { .. } => {
                self.stock(
                    who,
                    dollars(shift.after.value, quote) - dollars(shift.before.value, quote),
                );
            }
            Limit::DailyTraded { .. } => {
                self.stock(
                    who,
                    dollars(shift.after.value, quote) - dollars(shift.before.value, quote),
                );
                if shift.filled > 0 {
                    self.today(who, (0, unsigned(dollars(shift.traded, quote))), now);
                }
            }
            Limit::OrderToTrade { form, .. } => {
                let ended = shift.after.qty == 0 && shift.before.qty > 0;
                let unfilled = u64::from(ended && is_unfilled_at_once(order));
                let more = match form {
                    Form::Count => (unfilled, shift.executions),
                    Form::Volume => (0, unsigned(dollars(shift.traded, quote))),
                };
                if more != (0, 0) {
                    self.today(who, more, now);
                }
            }
            Limit::RepeatedExecutions { max, window } if shift.executions > 0 => {
                if let Some(part) = Part::strategy(&self.rule, who, shift.side) {
                    self.tick(part.clone(), shift.executions, window, now);
                    return self.trip(&part, max, window, now).then_some(part);
                }
            }
            _ => {}
        }
        None
    }

    /// Takes in that what an account holds of an instrument is worth something else.
    pub(crate) fn revalued(&mut self, who: Who<'_>, before: Worth, after: Worth) {
        match self.rule.limit {
            Limit::GrossPosition { .. } | Limit::Leverage { .. } => {
                self.stock(who, after.gross - before.gross);
            }
            Limit::Concentration { .. } => {
                let more = after.gross - before.gross;
                self.stock(who, more);
                if let Some(part) = Part::of(&self.rule, who) {
                    let base = (part, who.terms.base.clone());
                    let sum = self.bases.get(&base).copied().unwrap_or(0) + more;
                    self.bases.insert(base, sum);
                    self.bases.retain(|_, sum| *sum != 0);
                }
            }
            Limit::NetPosition { .. } => {
                self.stocks_by(who, after.up - before.up, after.down - before.down);
            }
            _ => {}
        }
    }

    fn stock(&mut self, who: Who<'_>, more: i128) {
        self.stocks_by(who, more, 0);
    }

    fn stocks_by(&mut self, who: Who<'_>, more: i128, down: i128) {
        if more == 0 && down == 0 {
            return;
        }
        let Some(part) = Part::of(&self.rule, who) else { return };
        let stock = self.stocks.entry(part.clone()).or_default();
        stock.sum += more;
        stock.down += down;
        if *stock == Stock::default() {
            self.stocks.remove(&part);
        }
    }

    fn today(&mut self, who: Who<'_>, more: (u64, u64), now: Time) {
        if let Some(part) = Part::of(&self.rule, who) {
            let fresh = Flow::Day { day: 0, ordered: 0, traded: 0 };
            self.flows.entry(part).or_insert(fresh).add_today(more, now);
        }
    }

    fn tick(&mut self, part: Part, times: u64, window: Span, now: Time) {
        if self.flows.len() >= MAX_STRATEGIES && !self.flows.contains_key(&part) {
            self.flows.retain(|_, flow| match flow {
                Flow::Window { slots, tripped } => *tripped || slots.count(now, window) > 0,
                _ => true,
            });
        }
        let fresh = Flow::Window { slots: Slots::default(), tripped: false };
        if let Flow::Window { slots, .. } = self.flows.entry(part).or_insert(fresh) {
            slots.add(times, now, window);
        }
    }

    /// Stops a strategy that reached the rule; whether it went on until now.
    fn trip(&mut self, part: &Part, max: u32, window: Span, now: Time) -> bool {
        match self.flows.get_mut(part) {
            Some(Flow::Window { slots, tripped }) if !*tripped => {
                *tripped = slots.count(now, window) >= u64::from(max);
                *tripped
            }
            _ => false,
        }
    }
}

/// Whether an order that had to trade at once ended otherwise than by trading whole: its end counts as a
/// cancel does.
fn is_unfilled_at_once(order: &Order) -> bool {
    let at_once = matches!(
        order.request.time_in_force,
        TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill
    );
    at_once && order.stage.is_cancelled()
}

/// Dollars of 10⁻⁸ from an amount of 10⁻⁸ of what a price is in.
pub(crate) fn dollars(amount: i128, quote: Price) -> i128 {
    if quote.0 == Decimal::ONE {
        return amount;
    }
    let raw = i64::try_from(amount).unwrap_or(i64::MAX);
    let usd = Decimal::from_raw(raw).mul(quote.0, Rounding::Ceil);
    i128::from(usd.unwrap_or(Decimal::MAX).raw())
}

fn unsigned(amount: i128) -> u64 {
    u64::try_from(amount.max(0)).unwrap_or(u64::MAX)
}

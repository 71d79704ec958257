//! Whether one policy allows more than another. What cannot be shown to allow less counts as more.

use super::{Limit, LimitKind, Policy, Rule, Strength};

impl Policy {
    /// Whether an order may pass this policy that would not have passed `old`. Careful, not clever: each
    /// limit of the old policy must come back in one rule of its kind that is as wide and as tight.
    pub fn loosens(&self, old: &Policy) -> bool {
        let limits = |policy: &Policy| -> Vec<Rule> {
            let rules = policy.rules().iter().filter(|rule| rule.limit.kind() != LimitKind::Allow);
            rules.cloned().collect()
        };
        let new = limits(self);
        let kept = limits(old).iter().all(|old| new.iter().any(|rule| rule.holds_for(old)));
        !(kept
            && self.allows_within(old)
            && self.has_pegs_of(old)
            && self.max_mark_age() <= old.max_mark_age())
    }

    /// Whether each allow rule lies in one of the old policy's.
    fn allows_within(&self, old: &Policy) -> bool {
        let allows = |policy: &Policy| -> Vec<Rule> {
            let rules = policy.rules().iter().filter(|rule| rule.limit.kind() == LimitKind::Allow);
            rules.cloned().collect()
        };
        let before = allows(old);
        let within = |rule: &Rule| before.iter().any(|old| old.reach.contains(&rule.reach));
        allows(self).iter().all(within)
    }
}

impl Rule {
    /// Whether whatever `old` refuses is refused by this rule too.
    pub fn holds_for(&self, old: &Rule) -> bool {
        let kind = self.limit.kind();
        // What is counted over time is counted anew over another reach.
        let wide = if kind.grows_with_reach() && !kind.has_a_past() {
            self.reach.contains(&old.reach)
        } else {
            self.reach == old.reach
        };
        // What callers hold against each other no account has.
        let same_caller = !kind.is_of_parts() || self.reach.caller == old.reach.caller;
        // What was counted so far goes with the rule's name.
        let counted_on = !kind.has_a_past() || self.id == old.id;
        let hard = self.strength == Strength::Hard || old.strength == Strength::Soft;
        wide && same_caller
            && counted_on
            && hard
            && (self.each == old.each || kind.is_of_one_order())
            && self.limit.is_as_tight(&old.limit)
    }
}

impl LimitKind {
    /// Whether it is about one order, whatever came before.
    pub const fn is_of_one_order(self) -> bool {
        use LimitKind::{Allow, Collar, Distance, Only, OrderNotional, OrderQuantity, ThinMarket};
        matches!(
            self,
            Allow | Only | OrderQuantity | OrderNotional | Collar | Distance | ThinMarket
        )
    }

    /// Whether it remembers what happened, so that it begins anew with a rule of another name.
    pub const fn has_a_past(self) -> bool {
        use LimitKind::{
            DailyLoss, DailyTraded, Drawdown, MessageRate, OrderToTrade, RepeatedExecutions,
        };
        matches!(
            self,
            DailyTraded | DailyLoss | Drawdown | MessageRate | OrderToTrade | RepeatedExecutions
        )
    }

    /// Whether what it measures never falls when it is over more.
    const fn grows_with_reach(self) -> bool {
        use LimitKind::{
            DailyTraded, GrossPosition, MessageRate, OpenNotional, OpenOrders, RepeatedExecutions,
        };
        self.is_of_one_order()
            || self.is_of_options()
            || matches!(
                self,
                GrossPosition
                    | OpenOrders
                    | OpenNotional
                    | DailyTraded
                    | MessageRate
                    | RepeatedExecutions
            )
    }
}

impl Limit {
    /// Whether this is the same kind of limit and at most what `old` is.
    pub fn is_as_tight(&self, old: &Limit) -> bool {
        use Limit as L;
        match (self, old) {
            (L::Allow, L::Allow) => true,
            (L::Only { names }, L::Only { names: before }) => {
                names.iter().all(|name| before.iter().any(|by| by.covers(name)))
            }
            (L::OrderQuantity { max }, L::OrderQuantity { max: before }) => max <= before,
            (L::OrderNotional { max }, L::OrderNotional { max: before })
            | (L::GrossPosition { max }, L::GrossPosition { max: before })
            | (L::NetPosition { max }, L::NetPosition { max: before })
            | (L::OpenNotional { max }, L::OpenNotional { max: before })
            | (L::DailyTraded { max }, L::DailyTraded { max: before })
            | (L::DailyLoss { max }, L::DailyLoss { max: before })
            | (L::Drawdown { max }, L::Drawdown { max: before })
            | (L::OptionDelta { max }, L::OptionDelta { max: before })
            | (L::OptionGamma { max }, L::OptionGamma { max: before })
            | (L::OptionVega { max }, L::OptionVega { max: before })
            | (L::OptionTheta { max }, L::OptionTheta { max: before }) => max <= before,
            (L::NetShortOptions { max }, L::NetShortOptions { max: before }) => max <= before,
            (L::Collar { bps }, L::Collar { bps: before })
            | (L::ScenarioMargin { bps }, L::ScenarioMargin { bps: before }) => bps <= before,
            (L::Distance { bps }, L::Distance { bps: before }) => bps >= before,
            (L::OpenOrders { max }, L::OpenOrders { max: before }) => max <= before,
            (L::Leverage { max }, L::Leverage { max: before }) => max <= before,
            (L::Concentration { bps, above }, L::Concentration { bps: before, above: from }) => {
                bps <= before && above <= from
            }
            (L::MessageRate { max, window }, L::MessageRate { max: before, window: over })
            | (
                L::RepeatedExecutions { max, window },
                L::RepeatedExecutions { max: before, window: over },
            ) => max <= before && window == over,
            (
                L::OrderToTrade { form, max, after },
                L::OrderToTrade { form: by, max: before, after: from },
            ) => form == by && max <= before && after <= from,
            (
                L::ThinMarket { depth, volume, max_age },
                L::ThinMarket { depth: least, volume: traded, max_age: oldest },
            ) => depth >= least && volume >= traded && max_age <= oldest,
            _ => false,
        }
    }
}

//! What a policy's limits of options measure: sensitivities, what is sold of an expiry, and the margin of the worst
//! scenario, each over accounts with all that they hold and have ordered.

use super::Policies;
use super::judge::{Found, number, ratio};
use super::live::Live;
use super::ruling::{Blind, Ruling};
use crate::options::{Asked, Equity, Weighing};
use crate::state::State;
use tidegate_options::portfolio::Weighed;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::AccountName;
use tidegate_types::instrument::{Instrument, Kind};
use tidegate_types::policy::{Each, Limit, Unit};
use tidegate_types::reject::Reject;
use tidegate_types::time::Time;

const BASIS_POINTS: i128 = 10_000;

/// What an order would make of all that its account holds, counted once for every rule.
#[derive(Clone, Debug)]
pub(crate) struct Tested<'a> {
    state: &'a State,
    account: &'a AccountName,
    terms: &'a Instrument,
    weighing: Result<Weighing, Blind>,
    /// What other accounts have counts for nothing where it is not known: it is asked whether the order reduces, and
    /// nobody's position is trapped by another's.
    leaves_unknown_out: bool,
    now: Time,
}

impl<'a> Tested<'a> {
    /// An order; none where no rule is over its account's options, or the account has
    /// none and orders none.
    pub(crate) fn of(
        state: &'a State,
        account: &'a AccountName,
        terms: &'a Instrument,
        order: Asked,
        now: Time,
    ) -> Option<Tested<'a>> {
        let orders_one = matches!(terms.kind, Kind::Option { .. });
        if !state.policies().limit_options_of(account)
            || !(orders_one || state.trades_options(account))
        {
            return None;
        }
        let weighing = match figures_of(state, account, now) {
            Err(blind) => Err(blind),
            Ok(()) => match state.weigh(account, terms, order) {
                Ok(weighing) => Ok(weighing?),
                Err(Reject { detail, .. }) => Err(Blind::open(detail)),
            },
        };
        Some(Tested { state, account, terms, weighing, leaves_unknown_out: false, now })
    }

    /// The same of a portfolio that was weighed already, to tell whether the order reduces.
    pub(crate) fn weighed(
        state: &'a State,
        account: &'a AccountName,
        terms: &'a Instrument,
        weighing: Weighing,
        now: Time,
    ) -> Tested<'a> {
        Tested { state, account, terms, weighing: Ok(weighing), leaves_unknown_out: true, now }
    }

    /// What a rule measures of it; nothing where the order makes nothing worse.
    pub(super) fn find(&self, live: &Live) -> Found {
        let weighing = match &self.weighing {
            Ok(weighing) => weighing,
            Err(blind) => return Found::Unknown(blind.clone()),
        };
        let Some((before, after)) = self.of_account(&live.rule.limit, weighing) else {
            return Found::Nothing;
        };
        if after <= before {
            return Found::Nothing;
        }
        if let Limit::ScenarioMargin { bps } = live.rule.limit {
            return self.margin(weighing, after, bps);
        }
        match self.of_others(live) {
            Ok(others) => of_limit(&live.rule.limit, others.saturating_add(after)),
            Err(_) if self.leaves_unknown_out => of_limit(&live.rule.limit, after),
            Err(blind) => Found::Unknown(blind),
        }
    }

    fn margin(&self, weighing: &Weighing, margin: i128, bps: u32) -> Found {
        let worth = weighing.before.worth;
        let unknown = |Reject { detail, .. }| Found::Unknown(Blind::open(detail));
        let Equity { usd: equity, left_out } =
            match self.state.collateral(self.account, worth, self.terms) {
                Ok(equity) => equity,
                Err(reject) => return unknown(reject),
            };
        let found = if equity.0.is_positive() {
            let share = ratio(margin.saturating_mul(BASIS_POINTS), equity.0.raw().into());
            let most = i128::from(bps).saturating_mul(Decimal::ONE.raw().into());
            number(share, most, Unit::BasisPoints)
        } else {
            Found::No(format!("the equity is {equity} USD"))
        };
        match left_out {
            Some(reject) if found.is_past() => unknown(reject),
            _ => found,
        }
    }

    /// Before and with the order.
    fn of_account(&self, limit: &Limit, weighing: &Weighing) -> Option<(i128, i128)> {
        match limit {
            Limit::NetShortOptions { .. } => weighing.short,
            limit => Some((figure(limit, &weighing.before)?, figure(limit, &weighing.after)?)),
        }
    }

    /// What the other accounts add that a rule counts together with this one.
    fn of_others(&self, live: &Live) -> Result<i128, Blind> {
        let alone = live.rule.each == Each::Account || live.rule.reach.account.is_some();
        if alone {
            return Ok(0);
        }
        let others = self.state.accounts.keys().filter(|other| *other != self.account);
        others.map(|other| measured(self.state, other, live, Some(self.terms), self.now)).sum()
    }
}

impl Policies {
    /// Whether a rule in force, or beside, is over the options of an account.
    pub(crate) fn limit_options_of(&self, account: &AccountName) -> bool {
        let mut rulings = self.in_force.iter().chain(&self.shadow);
        rulings.any(|ruling| ruling.limits_options_of(account))
    }
}

impl Ruling {
    pub(crate) fn limits_options_of(&self, account: &AccountName) -> bool {
        self.rules.iter().any(|live| live.is_over_options_of(account))
    }

    /// Whether an order makes something worse that is past a rule over its account's options then, or cannot be
    /// measured.
    pub(crate) fn passes_option_rules(&self, tested: &Tested<'_>) -> bool {
        let rules = self.rules.iter().filter(|live| live.is_over_options_of(tested.account));
        rules.map(|live| tested.find(live)).any(|found| found.is_past())
    }
}

impl Live {
    fn is_over_options_of(&self, account: &AccountName) -> bool {
        let named = self.rule.reach.account.as_ref().is_none_or(|name| name == account);
        named && self.rule.limit.kind().is_of_options()
    }

    /// What such a rule counts now of one account, or of all together; none where that is not known.
    pub(super) fn options_used(
        &self,
        state: &State,
        account: Option<&AccountName>,
        now: Time,
    ) -> Option<(i128, i128, Unit)> {
        let all = state.accounts.keys();
        let all = all.filter(|of| self.is_over_options_of(of) && state.trades_options(of));
        let counted = all.filter(|of| account.is_none_or(|account| account == *of));
        if account.is_some_and(|account| !state.trades_options(account)) {
            return None;
        }
        if let Limit::ScenarioMargin { bps } = self.rule.limit {
            let standing = counted.map(|of| state.options_of(of)).next()??;
            let equity = standing.equity.filter(|equity| equity.0.is_positive())?;
            let margin = i128::from(standing.weighed.margin.0.raw());
            let share = ratio(margin.saturating_mul(BASIS_POINTS), equity.0.raw().into());
            let most = i128::from(bps).saturating_mul(Decimal::ONE.raw().into());
            return Some((share, most, Unit::BasisPoints));
        }
        let sum: Result<i128, Blind> = counted.map(|of| measured(state, of, self, None, now)).sum();
        let (max, unit) = most(&self.rule.limit)?;
        Some((sum.ok()?, max, unit))
    }
}

/// What a rule counts of an account as it stands; of what is sold of an expiry, of the expiry of these terms, or of
/// the one of which most is.
fn measured(
    state: &State,
    account: &AccountName,
    live: &Live,
    terms: Option<&Instrument>,
    now: Time,
) -> Result<i128, Blind> {
    let standing = state.options_of(account).filter(|_| state.trades_options(account));
    let Some(standing) = standing else { return Ok(0) };
    figures_of(state, account, now)?;
    Ok(match (&live.rule.limit, terms) {
        (Limit::NetShortOptions { .. }, None) => state.most_net_short(account),
        (Limit::NetShortOptions { .. }, Some(terms)) => match terms.kind {
            Kind::Option { expiry, .. } => state.net_short(account, &terms.base, expiry),
            Kind::Perpetual | Kind::Future { .. } => 0,
        },
        (limit, _) => figure(limit, &standing.weighed).unwrap_or(0),
    })
}

/// Whether everything that an account holds is valued by figures that are young enough.
fn figures_of(state: &State, account: &AccountName, now: Time) -> Result<(), Blind> {
    match state.unweighed(account, now) {
        None => Ok(()),
        Some(blind) => Err(Blind {
            whole: format!("{blind}, which {account} holds, has no fresh figures"),
            veiled: "something that another account holds has no fresh figures".to_owned(),
            of: Some(account.clone()),
        }),
    }
}

fn figure(limit: &Limit, weighed: &Weighed) -> Option<i128> {
    let usd = match limit {
        Limit::OptionDelta { .. } => weighed.delta,
        Limit::OptionGamma { .. } => weighed.gamma,
        Limit::OptionVega { .. } => weighed.vega,
        Limit::OptionTheta { .. } => weighed.theta,
        Limit::ScenarioMargin { .. } => weighed.margin,
        _ => return None,
    };
    Some(usd.0.raw().into())
}

fn most(limit: &Limit) -> Option<(i128, Unit)> {
    match limit {
        Limit::OptionDelta { max }
        | Limit::OptionGamma { max }
        | Limit::OptionVega { max }
        | Limit::OptionTheta { max } => Some((max.0.raw().into(), Unit::Usd)),
        Limit::NetShortOptions { max } => Some((max.0.raw().into(), Unit::Quantity)),
        _ => None,
    }
}

fn of_limit(limit: &Limit, measured: i128) -> Found {
    most(limit).map_or(Found::Nothing, |(max, unit)| number(measured, max, unit))
}

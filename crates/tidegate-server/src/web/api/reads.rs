//! What there is to be read: instruments, positions, balances, limits.

use super::page::{Page, Wanted};
use super::problem::Problem;
use super::vocabulary::{Amount, SideWord, TypeWord, When};
use schemars::JsonSchema;
use serde::Serialize;
use tidegate_core::state::State as CoreState;
use tidegate_identity::Named;
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::{AccountLimits as CoreLimits, Grant as CoreGrant, OnRepeat};
use tidegate_types::ids::{AccountName, CallerName};
use tidegate_types::instrument::{Instrument as Terms, Kind, Mark as CoreMark, Qty, Unit};
use tidegate_types::policy::{Policy as CorePolicy, Rule, Strength};
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::Code;
use tidegate_types::time::Time;

/// What an instrument is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum KindWord {
    /// A perpetual future.
    Perpetual,
    /// A future with an expiry.
    Future,
    /// A European call.
    Call,
    /// A European put.
    Put,
}

/// What a quantity counts and what a price is in.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum UnitWord {
    /// Quantity in coin, price in dollars.
    Linear,
    /// Quantity in dollars, price in dollars, settled in coin.
    Inverse,
    /// Quantity in coin, price (premium) in coin.
    CoinOption,
}

/// Mark and index at a time.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct MarkView {
    /// The mark price.
    pub mark: Amount,
    /// The index in dollars.
    pub index: Amount,
    /// When the venue made it.
    pub at: When,
}

impl From<&CoreMark> for MarkView {
    fn from(mark: &CoreMark) -> MarkView {
        MarkView { mark: Amount(mark.mark.0), index: Amount(mark.index.0), at: When(mark.at) }
    }
}

/// A price step that holds from a price on.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Step {
    /// Above this price.
    pub above: Amount,
    /// Prices come in steps of this.
    pub tick: Amount,
}

/// The terms of an instrument.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Instrument {
    /// Its name, as `venue/name`.
    pub id: String,
    /// What it is.
    pub kind: KindWord,
    /// What its quantities and prices count.
    pub unit: UnitWord,
    /// The base coin.
    pub base: String,
    /// What gains, losses and margin are paid in.
    pub settlement: String,
    /// The index its mark follows.
    pub index: String,
    /// Quantity of one contract.
    pub contract_size: Amount,
    /// Price step.
    pub tick: Amount,
    /// Coarser steps at higher prices.
    pub tick_steps: Vec<Step>,
    /// Quantity step.
    pub lot: Amount,
    /// Smallest quantity.
    pub min_quantity: Amount,
    /// Largest quantity, if the venue says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_quantity: Option<Amount>,
    /// When it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<When>,
    /// The strike in dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strike: Option<Amount>,
    /// Whether it takes orders.
    pub open: bool,
    /// The last mark, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_mark: Option<MarkView>,
}

impl Instrument {
    /// The terms with the last mark.
    pub(super) fn of(terms: &Terms, mark: Option<&CoreMark>) -> Instrument {
        let (kind, expiry, strike) = match terms.kind {
            Kind::Perpetual => (KindWord::Perpetual, None, None),
            Kind::Future { expiry } => (KindWord::Future, Some(expiry), None),
            Kind::Option { expiry, strike, call: true } => {
                (KindWord::Call, Some(expiry), Some(strike))
            }
            Kind::Option { expiry, strike, call: false } => {
                (KindWord::Put, Some(expiry), Some(strike))
            }
        };
        let steps = terms.tick_steps.iter();
        Instrument {
            id: terms.id.to_string(),
            kind,
            unit: match terms.unit {
                Unit::Linear => UnitWord::Linear,
                Unit::Inverse => UnitWord::Inverse,
                Unit::CoinOption => UnitWord::CoinOption,
            },
            base: terms.base.to_string(),
            settlement: terms.settlement.to_string(),
            index: terms.index.to_string(),
            contract_size: Amount(terms.contract_size.0),
            tick: Amount(terms.tick.0),
            tick_steps: steps
                .map(|step| Step { above: Amount(step.above.0), tick: Amount(step.tick.0) })
                .collect(),
            lot: Amount(terms.lot.0),
            min_quantity: Amount(terms.min_qty.0),
            max_quantity: terms.max_qty.map(|qty| Amount(qty.0)),
            expires_at: expiry.map(When),
            strike: strike.map(|strike| Amount(strike.0)),
            open: terms.open,
            last_mark: mark.map(MarkView::from),
        }
    }
}

/// The account's position in one instrument: all callers' together.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Position {
    /// Which account.
    pub account: String,
    /// In what.
    pub instrument: String,
    /// How much; below zero when short.
    pub quantity: Amount,
    /// What it is worth in dollars at its mark, without sign, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notional: Option<Amount>,
    /// That mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_mark: Option<MarkView>,
}

/// What the account's wallet holds of an asset. Profit that is not realized yet is not in it.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Balance {
    /// Which account.
    pub account: String,
    /// Of what.
    pub asset: String,
    /// How much; below zero when it is owed.
    pub amount: Amount,
}

/// What the caller may do.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Grant {
    /// It may trade; otherwise it may only read.
    pub trade: bool,
    /// Patterns of the instruments it may trade.
    pub instruments: Vec<String>,
    /// Which sides.
    pub sides: Vec<SideWord>,
    /// Which order types.
    pub types: Vec<TypeWord>,
    /// Only orders that reduce the account's position.
    pub reduce_only: bool,
    /// Largest order in the instrument's own unit, if limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_order_quantity: Option<Amount>,
    /// Largest order in dollars.
    pub max_order_notional: Amount,
    /// Most that the caller's open orders may be worth together.
    pub max_open_notional: Amount,
    /// Most that the caller may trade in a day (UTC), its open orders included, if limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_daily_notional: Option<Amount>,
    /// Orders and amends a second, sustained.
    pub orders_per_second: u32,
    /// Orders and amends at once.
    pub burst: u32,
    /// It sees and cancels every order of the account.
    pub account_wide: bool,
    /// When in the day (UTC) it may place and amend orders; it reads and cancels at any time.
    #[schemars(length(max = 600), regex(pattern = r"^[0-9:,-]*$"))]
    pub hours: String,
    /// On which days (UTC).
    #[schemars(length(max = 32), regex(pattern = r"^[a-z,-]*$"))]
    pub days: String,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<When>,
}

impl From<&CoreGrant> for Grant {
    fn from(grant: &CoreGrant) -> Grant {
        Grant {
            trade: grant.trade,
            instruments: grant.instruments.iter().map(ToString::to_string).collect(),
            sides: grant.sides.iter().map(|side| (*side).into()).collect(),
            types: grant.order_types.iter().map(|kind| (*kind).into()).collect(),
            reduce_only: grant.reduce_only,
            max_order_quantity: grant.max_order_qty.map(|qty| Amount(qty.0)),
            max_order_notional: Amount(grant.max_order_notional.0),
            max_open_notional: Amount(grant.max_open_notional.0),
            max_daily_notional: grant.max_daily_notional.map(|most| Amount(most.0)),
            orders_per_second: grant.orders_per_second,
            burst: grant.burst,
            account_wide: grant.account_wide,
            hours: grant.window.hours.to_string(),
            days: grant.window.days.to_string(),
            until: grant.until.map(When),
        }
    }
}

/// What the account may bear over all its callers.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct AccountLimits {
    /// Largest order in dollars.
    pub max_order_notional: Amount,
    /// Most that all open orders may be worth together.
    pub max_open_notional: Amount,
    /// Most that the position in one instrument may be worth, its open orders included.
    pub max_position_notional: Amount,
    /// Most that all positions with their open orders may come to be worth together.
    pub max_exposure: Amount,
    /// How far from the mark a price may be, in basis points.
    pub collar_bps: u32,
    /// The same for options.
    pub option_collar_bps: u32,
    /// How old a mark may be, in milliseconds.
    pub max_mark_age_ms: u64,
    /// Orders and amends a second, sustained, all callers together.
    pub orders_per_second: u32,
    /// Orders and amends at once.
    pub burst: u32,
    /// For how long the same order again is a repeat, in milliseconds; 0: never.
    pub repeat_window_ms: u64,
    /// A repeat is refused; otherwise it passes and the operator is told.
    pub refuses_repeats: bool,
}

impl From<&CoreLimits> for AccountLimits {
    fn from(limits: &CoreLimits) -> AccountLimits {
        AccountLimits {
            max_order_notional: Amount(limits.max_order_notional.0),
            max_open_notional: Amount(limits.max_open_notional.0),
            max_position_notional: Amount(limits.max_position_notional.0),
            max_exposure: Amount(limits.max_exposure.0),
            collar_bps: limits.collar_bps,
            option_collar_bps: limits.option_collar_bps,
            max_mark_age_ms: limits.max_mark_age.millis(),
            orders_per_second: limits.orders_per_second,
            burst: limits.burst,
            repeat_window_ms: limits.repeat_window.millis(),
            refuses_repeats: limits.on_repeat == OnRepeat::Refuse,
        }
    }
}

/// What holds for the caller on its account, and what of it is used.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Limits {
    /// Who.
    pub caller: String,
    /// Where.
    pub account: String,
    /// The account takes new orders; otherwise cancels and orders that reduce a position only.
    pub open: bool,
    /// What the caller may do.
    pub grant: Grant,
    /// What the account may bear; absent while none are set: no order passes then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<AccountLimits>,
    /// What the caller's open orders are worth.
    pub caller_open_notional: Amount,
    /// What the caller traded today (UTC), each trade at the worst price its order was cleared at.
    pub caller_traded_today: Amount,
    /// What the account's open orders are worth.
    pub account_open_notional: Amount,
    /// What the account's positions and open orders may come to be worth together.
    pub exposure: Amount,
    /// The desk's policy, while one is in force: it holds besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// The policy in force, as far as it is over a caller.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Policy {
    /// Its name.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_.-]{1,32}$"), length(max = 32))]
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Its rules that are over orders of the caller on the account.
    pub rules: Vec<PolicyRule>,
}

/// A rule of the policy in force.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct PolicyRule {
    /// What refusals call it.
    pub id: String,
    /// The rule on one line.
    pub text: String,
    /// A person may let a single order pass it.
    pub soft: bool,
}

/// The positions of an account.
pub(super) fn positions(state: &CoreState, who: &Named, page: &Wanted) -> Page<Position> {
    let held = state.positions().books(who.account()).filter(|(_, b)| b.position != 0);
    page.of(
        POSITIONS,
        held.map(|(id, book)| {
            let mark = state.marks().get(id);
            let size = Qty(Decimal::from_raw(book.position.saturating_abs()));
            let worth = state
                .instruments()
                .get(id)
                .zip(mark)
                .and_then(|(terms, mark)| terms.notional(size, mark.mark, mark.index).ok());
            let position = Position {
                account: who.account().to_string(),
                instrument: id.to_string(),
                quantity: Amount(book.position().0),
                notional: worth.map(|usd| Amount(usd.0)),
                last_mark: mark.map(MarkView::from),
            };
            (id.to_string(), position)
        }),
    )
}

/// The balances of an account.
pub(super) fn balances(state: &CoreState, who: &Named, page: &Wanted) -> Page<Balance> {
    page.of(
        BALANCES,
        state.balances().of(who.account()).map(|(asset, amount)| {
            let balance = Balance {
                account: who.account().to_string(),
                asset: asset.to_string(),
                amount: Amount(amount),
            };
            (asset.to_string(), balance)
        }),
    )
}

/// What holds for a caller.
pub(super) fn limits(state: &CoreState, who: &Authenticated, now: Time) -> Result<Limits, Problem> {
    let (caller, account) = (who.caller(), who.account());
    let grant = who.token().map(AsRef::as_ref).or_else(|| state.grant(caller, account));
    let grant =
        grant.ok_or_else(|| Problem::new(Code::NoGrant, format!("{caller} on {account}")))?;
    Ok(Limits {
        caller: caller.to_string(),
        account: account.to_string(),
        open: state.accounts().get(account).is_some_and(|account| account.open),
        grant: grant.into(),
        limits: state.limits().get(account).map(AccountLimits::from),
        caller_open_notional: Amount(state.positions().caller_open(caller, account).0),
        caller_traded_today: Amount(state.traded_today(caller, account, now).0),
        account_open_notional: Amount(state.positions().account_open(account).0),
        exposure: Amount(state.exposure(account).0),
        policy: state.policies().in_force().map(|policy| policy_for(policy, caller, account)),
    })
}

fn policy_for(policy: &CorePolicy, caller: &CallerName, account: &AccountName) -> Policy {
    let mine = |rule: &&Rule| {
        rule.reach.caller.as_ref().is_none_or(|name| name == caller)
            && rule.reach.account.as_ref().is_none_or(|name| name == account)
    };
    let told = |rule: &Rule| PolicyRule {
        id: rule.id.to_string(),
        text: tidegate_policy::rule_text(rule),
        soft: rule.strength == Strength::Soft,
    };
    Policy {
        name: policy.name().to_string(),
        version: policy.version(),
        rules: policy.rules().iter().filter(mine).map(told).collect(),
    }
}

/// The lists that have cursors.
pub(super) const INSTRUMENTS: &str = "instruments";
pub(super) const POSITIONS: &str = "positions";
pub(super) const BALANCES: &str = "balances";

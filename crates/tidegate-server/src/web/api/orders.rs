//! Orders in the words of the unified API.

use super::problem::Problem;
use super::vocabulary::{
    Amount, ForceWord, Positive, PostOnlyWord, SelfTradeWord, SideWord, TriggerWord, TypeWord, When,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_core::orders::{Ending, Order as Known, PendingAmend, Stage};
use tidegate_types::ids::{CallerOrderId, InstrumentId, InstrumentName, VenueName};
use tidegate_types::instrument::{Price, Qty};
use tidegate_types::order::{
    AmendOrder, NewOrder, OrderName, OrderType, PostOnly, TimeInForce, Trigger as CoreTrigger,
};
use tidegate_types::reject::Code;

/// When a conditional order becomes live.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Trigger {
    /// At which price.
    pub price: Amount,
    /// Of which kind.
    pub by: TriggerWord,
}

/// Where an order stands.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// On its way to the venue; no answer yet.
    Pending,
    /// The venue did not answer: it may or may not be live. Tidegate asks until it knows; do not place
    /// it again.
    Unknown,
    /// Live at the venue.
    Open,
    /// All of it traded.
    Filled,
    /// Cancelled or expired, maybe after trading in part.
    Cancelled,
    /// The venue refused it.
    Rejected,
    /// It never left Tidegate.
    NotSent,
    /// It left, and the venue never had it.
    NeverArrived,
}

impl From<Stage> for State {
    fn from(stage: Stage) -> State {
        match stage {
            Stage::Pending | Stage::Sent => State::Pending,
            Stage::Unknown => State::Unknown,
            Stage::Live => State::Open,
            Stage::Done { how } => match how {
                Ending::Filled => State::Filled,
                Ending::Cancelled | Ending::Gone => State::Cancelled,
                Ending::Rejected => State::Rejected,
                Ending::NotSent => State::NotSent,
                Ending::NeverArrived => State::NeverArrived,
            },
        }
    }
}

/// A change that the venue has not answered.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Amending {
    /// The new total quantity.
    pub quantity: Amount,
    /// The new limit price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
    /// The venue did not answer: it may or may not be in force. Tidegate asks until it knows.
    pub unknown: bool,
}

impl From<&PendingAmend> for Amending {
    fn from(amend: &PendingAmend) -> Amending {
        Amending {
            quantity: Amount(amend.qty.0),
            price: amend.price.map(|price| Amount(price.0)),
            unknown: amend.unknown,
        }
    }
}

/// An order.
#[derive(Clone, PartialEq, Serialize, JsonSchema, Debug)]
pub(super) struct Order {
    /// Tidegate's number for it.
    pub id: String,
    /// The caller's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_order_id: Option<String>,
    /// The venue's id, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub venue_order_id: Option<String>,
    /// Whose it is; absent for an order that was not placed through Tidegate, or is Tidegate's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// On which account.
    pub account: String,
    /// Of what, as `venue/name`.
    pub instrument: String,
    /// Buy or sell.
    pub side: SideWord,
    /// How it meets the market.
    #[serde(rename = "type")]
    pub order_type: TypeWord,
    /// Where it stands.
    pub state: State,
    /// How much in all, in the instrument's unit.
    pub quantity: Amount,
    /// How much of it traded.
    pub filled: Amount,
    /// At which price on average, once told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_price: Option<Amount>,
    /// The limit price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
    /// When it becomes live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// How long it stays.
    pub time_in_force: ForceWord,
    /// Until when it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub good_until: Option<When>,
    /// Maker only.
    pub post_only: PostOnlyWord,
    /// It may only bring the position nearer to zero.
    pub reduce_only: bool,
    /// Asked-for self-trade prevention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_trade: Option<SelfTradeWord>,
    /// A change that the venue has not answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amending: Option<Amending>,
    /// When it was cleared, or first seen.
    pub placed_at: When,
    /// When it last changed.
    pub changed_at: When,
}

impl From<&Known> for Order {
    fn from(order: &Known) -> Order {
        let request = &order.request;
        let (time_in_force, good_until) = force_word(request.time_in_force);
        Order {
            id: order.id.to_string(),
            client_order_id: request.caller_id.as_ref().map(ToString::to_string),
            venue_order_id: order.venue_id.as_ref().map(ToString::to_string),
            caller: order.caller.as_ref().map(ToString::to_string),
            account: order.account.to_string(),
            instrument: request.instrument.to_string(),
            side: request.side.into(),
            order_type: request.order_type.into(),
            state: order.stage.into(),
            quantity: Amount(request.qty.0),
            filled: Amount(order.filled.0),
            average_price: order.average.map(|price| Amount(price.0)),
            price: request.price.map(|price| Amount(price.0)),
            trigger: request
                .trigger
                .as_ref()
                .map(|trigger| Trigger { price: Amount(trigger.price.0), by: trigger.by.into() }),
            time_in_force,
            good_until,
            post_only: request.post_only.into(),
            reduce_only: request.reduce_only,
            self_trade: request.self_trade.map(Into::into),
            amending: order.amend.as_ref().map(Amending::from),
            placed_at: When(order.placed),
            changed_at: When(order.changed),
        }
    }
}

fn force_word(force: TimeInForce) -> (ForceWord, Option<When>) {
    match force {
        TimeInForce::GoodTilCancelled => (ForceWord::Gtc, None),
        TimeInForce::GoodTilDay => (ForceWord::Day, None),
        TimeInForce::GoodTilDate { until } => (ForceWord::Gtd, Some(When(until))),
        TimeInForce::ImmediateOrCancel => (ForceWord::Ioc, None),
        TimeInForce::FillOrKill => (ForceWord::Fok, None),
    }
}

/// When a conditional order is to become live.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTrigger {
    /// At which price.
    pub price: Positive,
    /// Of which kind.
    pub by: TriggerWord,
}

/// An order to be placed.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceOrder {
    /// On which account: needed with a token for several, and else the one there is.
    #[schemars(length(max = 32), regex(pattern = r"^[A-Za-z0-9_.-]{1,32}$"))]
    pub account: Option<String>,
    /// Of what, as `venue/name`.
    #[schemars(length(min = 3, max = 97))]
    pub instrument: String,
    /// Buy or sell.
    pub side: SideWord,
    /// How it meets the market.
    #[serde(rename = "type")]
    pub order_type: TypeWord,
    /// How much, in the instrument's unit.
    pub quantity: Positive,
    /// The limit price: for the types that have one, and for no other.
    pub price: Option<Positive>,
    /// When it becomes live: for conditional types, and for no other.
    pub trigger: Option<NewTrigger>,
    /// How long it stays.
    #[serde(default)]
    pub time_in_force: ForceWord,
    /// Until when it stays: with `gtd`, and else not.
    pub good_until: Option<When>,
    /// Maker only.
    #[serde(default = "taking")]
    #[schemars(default = "taking")]
    pub post_only: PostOnlyWord,
    /// It may only bring the position nearer to zero.
    #[serde(default)]
    pub reduce_only: bool,
    /// What the venue does when it would meet an order of the same account.
    pub self_trade: Option<SelfTradeWord>,
    /// The caller's own id. Without one the idempotency key is it, or one is made.
    #[schemars(length(max = 36), regex(pattern = r"^[A-Za-z0-9._:/-]{1,36}$"))]
    pub client_order_id: Option<String>,
    /// The venue must refuse it after this time.
    pub valid_until: Option<When>,
}

fn taking() -> PostOnlyWord {
    PostOnlyWord::No
}

impl PlaceOrder {
    /// The order for the core, under `id` unless it names its own.
    pub(super) fn into_order(self, id: &CallerOrderId) -> Result<NewOrder, Problem> {
        let order_type = OrderType::from(self.order_type);
        let has_price = order_type.has_price();
        pair("price", has_price, self.price.is_some())?;
        pair("trigger", order_type.is_conditional(), self.trigger.is_some())?;
        pair("good_until", self.time_in_force == ForceWord::Gtd, self.good_until.is_some())?;
        if !has_price && self.post_only != PostOnlyWord::No {
            return Err(bad("post_only is for orders with a price"));
        }
        let caller_id = match &self.client_order_id {
            Some(id) => caller_order_id(id)?,
            None => id.clone(),
        };
        Ok(NewOrder {
            instrument: instrument_id(&self.instrument)?,
            side: self.side.into(),
            order_type,
            qty: Qty(self.quantity.0),
            price: self.price.map(|price| Price(price.0)),
            trigger: self.trigger.map(|trigger| CoreTrigger {
                price: Price(trigger.price.0),
                by: trigger.by.into(),
            }),
            time_in_force: force(self.time_in_force, self.good_until),
            post_only: self.post_only.into(),
            reduce_only: self.reduce_only,
            self_trade: self.self_trade.map(Into::into),
            caller_id: Some(caller_id),
            valid_until: self.valid_until.map(|when| when.0),
            full_answer: true,
        })
    }
}

fn force(word: ForceWord, until: Option<When>) -> TimeInForce {
    match (word, until) {
        (ForceWord::Gtd, Some(When(until))) => TimeInForce::GoodTilDate { until },
        (ForceWord::Gtc | ForceWord::Gtd, _) => TimeInForce::GoodTilCancelled,
        (ForceWord::Day, _) => TimeInForce::GoodTilDay,
        (ForceWord::Ioc, _) => TimeInForce::ImmediateOrCancel,
        (ForceWord::Fok, _) => TimeInForce::FillOrKill,
    }
}

/// A change of a live order; what is absent stays.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Amend {
    /// The new total quantity, filled part included.
    pub quantity: Option<Positive>,
    /// The new limit price.
    pub price: Option<Positive>,
    /// The new trigger price.
    pub trigger_price: Option<Positive>,
    /// Maker only from now on.
    pub post_only: Option<PostOnlyWord>,
    /// Reduce-only from now on.
    pub reduce_only: Option<bool>,
    /// The venue must refuse it after this time.
    pub valid_until: Option<When>,
}

impl Amend {
    /// The change for the core.
    pub(super) fn of(self, order: OrderName) -> AmendOrder {
        AmendOrder {
            order,
            instrument: None,
            side: None,
            qty: self.quantity.map(|amount| Qty(amount.0)),
            price: self.price.map(|amount| Price(amount.0)),
            trigger_price: self.trigger_price.map(|amount| Price(amount.0)),
            post_only: self.post_only.map(PostOnly::from),
            reduce_only: self.reduce_only,
            valid_until: self.valid_until.map(|when| when.0),
        }
    }
}

/// Which of one's own live orders are to be cancelled; every condition given must hold.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelOrders {
    /// Of this instrument only, as `venue/name`.
    #[schemars(length(min = 3, max = 97))]
    pub instrument: Option<String>,
    /// Under this id only.
    #[schemars(length(max = 36), regex(pattern = r"^[A-Za-z0-9._:/-]{1,36}$"))]
    pub client_order_id: Option<String>,
}

/// What became of cancels.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(super) struct Cancelled {
    /// Numbers of the orders that are cancelled.
    pub cancelled: Vec<String>,
    /// Numbers of those that could not be, or are not known to be: look at them again.
    pub failed: Vec<String>,
}

/// Whether the venue's word on an order's placement is still due.
pub(super) fn is_undecided(order: &Order) -> bool {
    matches!(order.state, State::Pending | State::Unknown)
        || order.amending.as_ref().is_some_and(|amend| amend.unknown)
}

/// The instrument that `venue/name` means.
pub(super) fn instrument_id(text: &str) -> Result<InstrumentId, Problem> {
    let unknown = || Problem::new(Code::UnknownInstrument, text.escape_default().to_string());
    let (venue, name) = text.split_once('/').ok_or_else(unknown)?;
    Ok(InstrumentId {
        venue: VenueName::new(venue).map_err(|_| unknown())?,
        name: InstrumentName::new(name).map_err(|_| unknown())?,
    })
}

/// A caller's own id, in letters that every venue takes.
pub(super) fn caller_order_id(text: &str) -> Result<CallerOrderId, Problem> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:/-".contains(&b);
    let good = text.len() <= 36 && text.bytes().all(allowed);
    let id = CallerOrderId::new(text).ok().filter(|_| good);
    id.ok_or_else(|| bad("an id is 1 to 36 letters, digits and . _ : / -"))
}

/// What is there exactly when something else says so.
fn pair(name: &str, wanted: bool, given: bool) -> Result<(), Problem> {
    match (wanted, given) {
        (true, false) => Err(Problem::new(Code::MissingParameter, name)),
        (false, true) => Err(bad(&format!("{name} does not go with this order"))),
        _ => Ok(()),
    }
}

fn bad(why: &str) -> Problem {
    Problem::new(Code::BadParameter, why)
}

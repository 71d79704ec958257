//! What is said over the stream, in either direction.

use super::super::halts::Halt;
use super::super::lists::Fill;
use super::super::orders::Order;
use super::super::problem::Problem;
use super::super::reads::{Balance, Limits, Position};
use super::super::vocabulary::When;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What can be followed.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, Debug,
)]
#[serde(rename_all = "snake_case")]
pub(in crate::web::api) enum Channel {
    /// One's own orders; with an account-wide grant, the account's. First those that are open, then each
    /// as it stands whenever it changes.
    Orders,
    /// The trades of these orders, each once, from the subscription on.
    Fills,
    /// All positions of the account, whenever one of them changes.
    Positions,
    /// All balances of the account, whenever one of them changes.
    Balances,
    /// What one may do, and what of it is used. A mark that moves is no news.
    Limits,
    /// All halts that stand in one's way, whenever that changes.
    Halts,
    /// How many of the requests that `/v1/approvals` lists wait.
    Approvals,
}

/// What the client says.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema, Debug)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::web::api) enum Request {
    /// Follows channels, from now on or from where another connection ended.
    Subscribe {
        /// Which.
        #[schemars(length(min = 1, max = 7))]
        channels: Vec<Channel>,
        /// The last `seq` of `orders` or `fills` that was read before; with `epoch`.
        #[serde(default)]
        #[schemars(length(max = 19), regex(pattern = r"^(0|[1-9][0-9]{0,18})$"))]
        after: Option<String>,
        /// The `epoch` of the connection that it was read on.
        #[serde(default)]
        #[schemars(length(max = 64))]
        epoch: Option<String>,
        /// Given back in the answer.
        #[serde(default)]
        #[schemars(length(max = 64))]
        id: Option<String>,
    },
    /// Follows channels no more.
    Unsubscribe {
        /// Which.
        #[schemars(length(min = 1, max = 7))]
        channels: Vec<Channel>,
        /// Given back in the answer.
        #[serde(default)]
        #[schemars(length(max = 64))]
        id: Option<String>,
    },
    /// Asks for a `pong`.
    Ping {
        /// Given back in the answer.
        #[serde(default)]
        #[schemars(length(max = 64))]
        id: Option<String>,
    },
}

/// What the gateway says.
#[derive(Clone, PartialEq, Serialize, JsonSchema, Debug)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::web::api) enum Message {
    /// The first message.
    Hello {
        /// What numbers are counted in: another after each start of the gateway.
        epoch: String,
        /// Who follows.
        caller: String,
        /// Which account is followed.
        account: String,
        /// A message comes within so many milliseconds, a `heartbeat` if there is nothing else.
        heartbeat_ms: u64,
    },
    /// The channels that are followed from now on.
    Subscribed {
        /// All of them.
        channels: Vec<Channel>,
        /// Orders and fills go on where the other connection ended: nothing was missed. Otherwise open orders
        /// follow anew, and trades that were missed are at `/v1/fills`.
        resumed: bool,
        /// From the request.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// Orders.
    Orders(News<Order>),
    /// Trades.
    Fills(News<Fill>),
    /// Positions.
    Positions(News<Position>),
    /// Balances.
    Balances(News<Balance>),
    /// Limits.
    Limits(News<Limits>),
    /// Halts.
    Halts(News<Halt>),
    /// Requests for approval.
    Approvals(News<Waiting>),
    /// Nothing happened for a while, or not to what is followed.
    Heartbeat {
        /// Everything up to here was told.
        seq: String,
        /// When.
        at: When,
    },
    /// The answer to a `ping`.
    Pong {
        /// From the request.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// A request that cannot be carried out; the connection stays.
    Refused {
        /// Why.
        problem: Problem,
    },
}

/// News of one channel.
#[derive(Clone, PartialEq, Serialize, JsonSchema, Debug)]
#[schemars(rename = "{T}News")]
pub(in crate::web::api) struct News<T> {
    /// On which account.
    pub(super) account: String,
    /// Everything of the channel up to here was told; never falls on a connection.
    pub(super) seq: String,
    /// The rows, with those that `more` says follow, are all there are: what was told before is void.
    /// Otherwise they are what changed.
    pub(super) whole: bool,
    /// More rows of the same whole follow in the next message of the channel.
    pub(super) more: bool,
    /// The rows, each as it stands now.
    #[schemars(length(max = 500))]
    pub(super) items: Vec<T>,
}

/// Requests that wait for a second person.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, Debug)]
pub(in crate::web::api) struct Waiting {
    /// How many.
    pub(super) waiting: u32,
}

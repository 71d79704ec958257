//! The methods there are: what each does, what it may change, and which parameters it takes. A
//! method that is not here is answered as the venue answers one it does not have.

use super::rpc::ROOT;
use crate::front::{Listed, Shows};
use tidegate_types::order::Side;
use tidegate_types::request::Method as Verb;

/// What a method is to the gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Public data, asked of the venue without a key.
    Public,
    /// Logs in or renews a login.
    Auth,
    /// A new order.
    New(Side),
    /// A change of an order named by the venue's id.
    Edit,
    /// A change of an order named by the caller's label.
    EditByLabel,
    /// The cancel of one order.
    Cancel,
    /// The cancel of the caller's orders that the parameters select.
    CancelMany,
    /// A read of the account.
    Read,
    /// A read of the one order that `order_id` names.
    ReadOrder,
    /// A read of the orders that carry the caller's `label`.
    ReadLabel,
    /// A read by the gateway for itself; no caller has it.
    Own,
    /// Whether orders are cancelled when the connection ends.
    CancelOnDisconnect(Option<bool>),
    /// Something of the WebSocket connection.
    Socket(Socket),
    /// Moves money or administers keys or users: never served.
    Forbidden,
    /// An order whose worst price or quantity cannot be computed from the request.
    Uncomputable,
}

/// Methods of the WebSocket connection itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Socket {
    /// Begin heartbeats.
    SetHeartbeat,
    /// End heartbeats.
    DisableHeartbeat,
    /// Subscribe; `true` needs a login.
    Subscribe(bool),
    /// Unsubscribe; `true` needs a login.
    Unsubscribe(bool),
    /// Unsubscribe from everything.
    UnsubscribeAll(bool),
    /// End the login and the connection.
    Logout,
}

impl Socket {
    /// Whether it begins or ends subscriptions.
    pub(crate) const fn subscribes(self) -> bool {
        match self {
            Socket::Subscribe(_) | Socket::Unsubscribe(_) | Socket::UnsubscribeAll(_) => true,
            Socket::SetHeartbeat | Socket::DisableHeartbeat | Socket::Logout => false,
        }
    }
}

/// A method.
#[derive(Debug)]
pub(crate) struct Method {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is to the gateway.
    pub(crate) kind: Kind,
    /// The parameters it takes. On the methods that change something, any other is refused; on
    /// those that read, any other is left out.
    pub(crate) params: &'static [&'static str],
}

impl Method {
    /// Whether it needs to know who asks.
    pub(crate) fn is_private(&self) -> bool {
        self.name.starts_with("private/")
    }

    /// Whether a second arrival of the same signed request must be refused.
    pub(crate) const fn changes_state(&self) -> bool {
        match self.kind {
            Kind::Public | Kind::Read | Kind::ReadOrder | Kind::ReadLabel | Kind::Own => false,
            Kind::CancelOnDisconnect(set) => set.is_some(),
            Kind::Auth
            | Kind::New(_)
            | Kind::Edit
            | Kind::EditByLabel
            | Kind::Cancel
            | Kind::CancelMany
            | Kind::Socket(_)
            | Kind::Forbidden
            | Kind::Uncomputable => true,
        }
    }
}

impl Method {
    /// It as the list of all routes tells it.
    pub(crate) fn listed(&self) -> Listed {
        let shows = match self.kind {
            Kind::Public => Shows::Nothing,
            Kind::Socket(_) | Kind::Own | Kind::Forbidden | Kind::Uncomputable => Shows::Refused,
            Kind::Auth
            | Kind::New(_)
            | Kind::Edit
            | Kind::EditByLabel
            | Kind::Cancel
            | Kind::CancelMany
            | Kind::Read
            | Kind::ReadOrder
            | Kind::ReadLabel
            | Kind::CancelOnDisconnect(_) => Shows::Credentials,
        };
        let path = format!("{ROOT}/{}", self.name);
        Listed { method: Verb::Get, path, shows, changes: self.changes_state() }
    }
}

/// The method of that name.
pub(crate) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

/// Parameters that clients send on trading methods and the venue ignores: ccxt passes its unified
/// client order id through under this name.
pub(crate) const IGNORED: &[&str] = &["clientOrderId"];

const fn m(name: &'static str, kind: Kind, params: &'static [&'static str]) -> Method {
    Method { name, kind, params }
}

const ORDER: &[&str] = &[
    "instrument_name",
    "amount",
    "contracts",
    "type",
    "label",
    "price",
    "time_in_force",
    "post_only",
    "reject_post_only",
    "reduce_only",
    "trigger_price",
    "trigger",
    "valid_until",
    "mmp",
];

/// Every method served or refused by name.
pub(crate) const METHODS: &[Method] = &[
    m(
        "public/auth",
        Kind::Auth,
        &[
            "grant_type",
            "client_id",
            "client_secret",
            "refresh_token",
            "timestamp",
            "signature",
            "nonce",
            "data",
            "state",
            "scope",
        ],
    ),
    m("public/exchange_token", Kind::Forbidden, &[]),
    m("public/fork_token", Kind::Forbidden, &[]),
    m("public/get_announcements", Kind::Public, &["start_timestamp", "count"]),
    m("public/get_time", Kind::Public, &[]),
    m("public/status", Kind::Public, &[]),
    m("public/test", Kind::Public, &["expected_result"]),
    m("public/hello", Kind::Public, &["client_name", "client_version"]),
    m("public/get_combo_details", Kind::Public, &["combo_id"]),
    m("public/get_combo_ids", Kind::Public, &["currency", "state"]),
    m("public/get_combos", Kind::Public, &["currency"]),
    m("public/get_apr_history", Kind::Public, &["currency", "limit", "before"]),
    m("public/get_book_summary_by_currency", Kind::Public, &["currency", "kind"]),
    m("public/get_book_summary_by_instrument", Kind::Public, &["instrument_name"]),
    m("public/get_contract_size", Kind::Public, &["instrument_name"]),
    m("public/get_currencies", Kind::Public, &[]),
    m("public/get_delivery_prices", Kind::Public, &["index_name", "offset", "count"]),
    m("public/get_expirations", Kind::Public, &["currency", "kind", "currency_pair"]),
    m("public/get_funding_chart_data", Kind::Public, &["instrument_name", "length"]),
    m(
        "public/get_funding_rate_history",
        Kind::Public,
        &["instrument_name", "start_timestamp", "end_timestamp"],
    ),
    m(
        "public/get_funding_rate_value",
        Kind::Public,
        &["instrument_name", "start_timestamp", "end_timestamp"],
    ),
    m("public/get_historical_volatility", Kind::Public, &["currency"]),
    m("public/get_index_chart_data", Kind::Public, &["index_name", "range"]),
    m("public/get_index_price", Kind::Public, &["index_name"]),
    m("public/get_index_price_names", Kind::Public, &["extended"]),
    m("public/get_instrument", Kind::Public, &["instrument_name"]),
    m("public/get_instruments", Kind::Public, &["currency", "kind", "expired"]),
    m(
        "public/get_last_settlements_by_currency",
        Kind::Public,
        &["currency", "type", "count", "continuation", "search_start_timestamp"],
    ),
    m(
        "public/get_last_settlements_by_instrument",
        Kind::Public,
        &["instrument_name", "type", "count", "continuation", "search_start_timestamp"],
    ),
    m(
        "public/get_last_trades_by_currency",
        Kind::Public,
        &[
            "currency",
            "kind",
            "start_id",
            "end_id",
            "start_timestamp",
            "end_timestamp",
            "count",
            "sorting",
            "include_old",
        ],
    ),
    m(
        "public/get_last_trades_by_currency_and_time",
        Kind::Public,
        &[
            "currency",
            "kind",
            "start_timestamp",
            "end_timestamp",
            "count",
            "sorting",
            "include_old",
        ],
    ),
    m(
        "public/get_last_trades_by_instrument",
        Kind::Public,
        &[
            "instrument_name",
            "start_seq",
            "end_seq",
            "start_timestamp",
            "end_timestamp",
            "count",
            "sorting",
            "include_old",
        ],
    ),
    m(
        "public/get_last_trades_by_instrument_and_time",
        Kind::Public,
        &["instrument_name", "start_timestamp", "end_timestamp", "count", "sorting", "include_old"],
    ),
    m(
        "public/get_mark_price_history",
        Kind::Public,
        &["instrument_name", "start_timestamp", "end_timestamp"],
    ),
    m("public/get_order_book", Kind::Public, &["instrument_name", "depth"]),
    m("public/get_order_book_by_instrument_id", Kind::Public, &["instrument_id", "depth"]),
    m("public/get_supported_index_names", Kind::Public, &["type"]),
    m("public/get_trade_volumes", Kind::Public, &["extended"]),
    m(
        "public/get_tradingview_chart_data",
        Kind::Public,
        &["instrument_name", "start_timestamp", "end_timestamp", "resolution"],
    ),
    m(
        "public/get_volatility_index_data",
        Kind::Public,
        &["currency", "start_timestamp", "end_timestamp", "resolution"],
    ),
    m("public/ticker", Kind::Public, &["instrument_name"]),
    m("public/set_heartbeat", Kind::Socket(Socket::SetHeartbeat), &["interval"]),
    m("public/disable_heartbeat", Kind::Socket(Socket::DisableHeartbeat), &[]),
    m("public/subscribe", Kind::Socket(Socket::Subscribe(false)), &["channels"]),
    m("private/subscribe", Kind::Socket(Socket::Subscribe(true)), &["channels"]),
    m("public/unsubscribe", Kind::Socket(Socket::Unsubscribe(false)), &["channels"]),
    m("private/unsubscribe", Kind::Socket(Socket::Unsubscribe(true)), &["channels"]),
    m("public/unsubscribe_all", Kind::Socket(Socket::UnsubscribeAll(false)), &[]),
    m("private/unsubscribe_all", Kind::Socket(Socket::UnsubscribeAll(true)), &[]),
    m("private/logout", Kind::Socket(Socket::Logout), &["invalidate_token"]),
    m("private/enable_cancel_on_disconnect", Kind::CancelOnDisconnect(Some(true)), &["scope"]),
    m("private/disable_cancel_on_disconnect", Kind::CancelOnDisconnect(Some(false)), &["scope"]),
    m("private/get_cancel_on_disconnect", Kind::CancelOnDisconnect(None), &["scope"]),
    m("private/buy", Kind::New(Side::Buy), ORDER),
    m("private/sell", Kind::New(Side::Sell), ORDER),
    m(
        "private/edit",
        Kind::Edit,
        &[
            "order_id",
            "amount",
            "price",
            "post_only",
            "reject_post_only",
            "reduce_only",
            "trigger_price",
            "valid_until",
        ],
    ),
    m(
        "private/edit_by_label",
        Kind::EditByLabel,
        &[
            "label",
            "instrument_name",
            "amount",
            "contracts",
            "price",
            "post_only",
            "reject_post_only",
            "reduce_only",
            "trigger_price",
            "valid_until",
        ],
    ),
    m("private/cancel", Kind::Cancel, &["order_id"]),
    m("private/cancel_all", Kind::CancelMany, &["detailed", "freeze_quotes"]),
    m(
        "private/cancel_all_by_currency",
        Kind::CancelMany,
        &["currency", "kind", "type", "detailed", "freeze_quotes"],
    ),
    m(
        "private/cancel_all_by_currency_pair",
        Kind::CancelMany,
        &["currency_pair", "kind", "type", "detailed", "freeze_quotes"],
    ),
    m(
        "private/cancel_all_by_kind_or_type",
        Kind::CancelMany,
        &["currency", "kind", "type", "detailed", "freeze_quotes"],
    ),
    m(
        "private/cancel_all_by_instrument",
        Kind::CancelMany,
        &["instrument_name", "type", "detailed", "include_combos", "freeze_quotes"],
    ),
    m("private/cancel_by_label", Kind::CancelMany, &["label", "currency"]),
    m("private/close_position", Kind::Uncomputable, &[]),
    m("private/mass_quote", Kind::Uncomputable, &[]),
    m("private/get_open_orders", Kind::Read, &["kind", "type"]),
    m("private/get_open_orders_by_currency", Kind::Read, &["currency", "kind", "type"]),
    m("private/get_open_orders_by_instrument", Kind::Read, &["instrument_name", "type"]),
    m("private/get_open_orders_by_label", Kind::ReadLabel, &["currency", "label"]),
    m("private/get_order_state", Kind::ReadOrder, &["order_id"]),
    m("private/get_order_state_by_label", Kind::ReadLabel, &["currency", "label"]),
    m(
        "private/get_order_history_by_currency",
        Kind::Read,
        &[
            "currency",
            "kind",
            "count",
            "offset",
            "include_old",
            "include_unfilled",
            "with_continuation",
            "continuation",
            "historical",
        ],
    ),
    m(
        "private/get_order_history_by_instrument",
        Kind::Read,
        &[
            "instrument_name",
            "count",
            "offset",
            "include_old",
            "include_unfilled",
            "with_continuation",
            "continuation",
            "historical",
        ],
    ),
    m(
        "private/get_trigger_order_history",
        Kind::Read,
        &["currency", "instrument_name", "count", "continuation"],
    ),
    m(
        "private/get_user_trades_by_currency",
        Kind::Read,
        &[
            "currency",
            "kind",
            "start_id",
            "end_id",
            "count",
            "start_timestamp",
            "end_timestamp",
            "sorting",
            "historical",
            "include_old",
        ],
    ),
    m(
        "private/get_user_trades_by_currency_and_time",
        Kind::Read,
        &[
            "currency",
            "kind",
            "start_timestamp",
            "end_timestamp",
            "count",
            "sorting",
            "historical",
            "include_old",
        ],
    ),
    m(
        "private/get_user_trades_by_instrument",
        Kind::Read,
        &[
            "instrument_name",
            "start_seq",
            "end_seq",
            "count",
            "start_timestamp",
            "end_timestamp",
            "sorting",
            "historical",
            "include_old",
        ],
    ),
    m(
        "private/get_user_trades_by_instrument_and_time",
        Kind::Read,
        &[
            "instrument_name",
            "start_timestamp",
            "end_timestamp",
            "count",
            "sorting",
            "historical",
            "include_old",
        ],
    ),
    m(
        "private/get_user_trades_by_order",
        Kind::ReadOrder,
        &["order_id", "sorting", "historical", "include_old"],
    ),
    m(
        "private/get_settlement_history_by_currency",
        Kind::Read,
        &["currency", "type", "count", "continuation", "search_start_timestamp"],
    ),
    m(
        "private/get_settlement_history_by_instrument",
        Kind::Read,
        &["instrument_name", "type", "count", "continuation", "search_start_timestamp"],
    ),
    m("private/get_margins", Kind::Read, &["instrument_name", "amount", "price"]),
    m("private/get_position", Kind::Read, &["instrument_name"]),
    m("private/get_positions", Kind::Read, &["currency", "kind"]),
    m("private/get_account_summary", Kind::Read, &["currency", "extended"]),
    m("private/get_account_summaries", Kind::Read, &["extended"]),
    m(
        "private/get_transaction_log",
        Kind::Read,
        &["currency", "start_timestamp", "end_timestamp", "query", "count", "continuation"],
    ),
    m("private/list_api_keys", Kind::Own, &[]),
    m("private/withdraw", Kind::Forbidden, &[]),
    m("private/cancel_withdrawal", Kind::Forbidden, &[]),
    m("private/cancel_transfer_by_id", Kind::Forbidden, &[]),
    m("private/submit_transfer_between_subaccounts", Kind::Forbidden, &[]),
    m("private/submit_transfer_to_subaccount", Kind::Forbidden, &[]),
    m("private/submit_transfer_to_user", Kind::Forbidden, &[]),
    m("private/add_to_address_book", Kind::Forbidden, &[]),
    m("private/remove_from_address_book", Kind::Forbidden, &[]),
    m("private/update_in_address_book", Kind::Forbidden, &[]),
    m("private/create_deposit_address", Kind::Forbidden, &[]),
    m("private/save_address_beneficiary", Kind::Forbidden, &[]),
    m("private/delete_address_beneficiary", Kind::Forbidden, &[]),
    m("private/set_clearance_originator", Kind::Forbidden, &[]),
    m("private/create_api_key", Kind::Forbidden, &[]),
    m("private/edit_api_key", Kind::Forbidden, &[]),
    m("private/enable_api_key", Kind::Forbidden, &[]),
    m("private/disable_api_key", Kind::Forbidden, &[]),
    m("private/remove_api_key", Kind::Forbidden, &[]),
    m("private/reset_api_key", Kind::Forbidden, &[]),
    m("private/change_api_key_name", Kind::Forbidden, &[]),
    m("private/change_scope_in_api_key", Kind::Forbidden, &[]),
    m("private/change_margin_model", Kind::Forbidden, &[]),
    m("private/change_subaccount_name", Kind::Forbidden, &[]),
    m("private/create_subaccount", Kind::Forbidden, &[]),
    m("private/remove_subaccount", Kind::Forbidden, &[]),
    m("private/set_email_for_subaccount", Kind::Forbidden, &[]),
    m("private/toggle_subaccount_login", Kind::Forbidden, &[]),
    m("private/toggle_notifications_from_subaccount", Kind::Forbidden, &[]),
    m("private/set_disabled_trading_products", Kind::Forbidden, &[]),
    m("private/set_self_trading_config", Kind::Forbidden, &[]),
    m("private/enable_affiliate_program", Kind::Forbidden, &[]),
    m("private/move_positions", Kind::Forbidden, &[]),
    m("private/execute_block_trade", Kind::Forbidden, &[]),
];

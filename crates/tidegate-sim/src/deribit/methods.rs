//! The methods there are: name, right, cost and what carries it out.

use super::auth::{Auth, Caller};
use super::fault::Fault;
use super::feeds::Hub;
use super::params::Params;
use super::rpc::Answer;
use super::scope::{Area, Level};
use super::session::Session;
use super::{Desk, lookup};
use super::{account, auth_methods, history, market_data, orders, public, session_methods};
use crate::engine::input::{Input, Reply};
use crate::engine::{AccountIx, Exchange, InstrumentIx, Market};
use tidegate_types::time::Time;

/// What a call may need from the dialect to be carried out.
pub(crate) struct Context<'a> {
    /// The exchange.
    pub(crate) desk: &'a mut dyn Desk,
    /// Keys and tokens.
    pub(crate) auth: &'a mut Auth,
    /// Who calls; known for every private method.
    pub(crate) caller: Option<Caller>,
    /// Subscriptions.
    pub(crate) hub: &'a mut Hub,
    /// The connection it came by; none over HTTP.
    pub(crate) session: Option<&'a mut Session>,
    /// The parameters.
    pub(crate) params: &'a Params,
    /// How many times the venue's credits callers have.
    pub(crate) credit_scale: u64,
    /// When it came.
    pub(crate) now: Time,
}

impl Context<'_> {
    /// The caller's account.
    pub(crate) fn account(&self) -> Result<AccountIx, Fault> {
        self.caller.map(|caller| caller.account).ok_or(Fault::AUTHORIZATION_REQUIRED)
    }

    /// The exchange to read.
    pub(crate) fn exchange(&self) -> &Exchange {
        self.desk.exchange()
    }

    /// The instrument that `instrument_name` names.
    pub(crate) fn instrument(&self) -> Result<(InstrumentIx, &Market), Fault> {
        lookup(self.exchange(), self.params.need_text("instrument_name")?)
    }

    /// Puts something to the exchange.
    pub(crate) fn apply(&mut self, input: Input) -> Reply {
        self.desk.apply(input)
    }
}

/// Which bucket of credits a call is paid from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pool {
    /// Everything that has none of its own.
    Plain,
    /// Orders and cancels.
    Matching,
    /// `get_instruments`.
    Instruments,
    /// Subscribing.
    Subscribe,
    /// The transaction log.
    TransactionLog,
}

/// A method.
pub(crate) struct Method {
    /// Its name.
    pub(crate) name: &'static str,
    /// The right a caller needs; none for public methods.
    pub(crate) right: Option<(Area, Level)>,
    /// Whether it only makes sense on a WebSocket connection.
    pub(crate) socket: bool,
    /// What it is paid from.
    pub(crate) pool: Pool,
    /// Carries it out.
    pub(crate) run: fn(&mut Context<'_>) -> Answer,
}

/// The method of that name.
pub(crate) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

type Run = fn(&mut Context<'_>) -> Answer;

const fn open(name: &'static str, run: Run) -> Method {
    Method { name, right: None, socket: false, pool: Pool::Plain, run }
}

const fn socket(name: &'static str, right: Option<(Area, Level)>, run: Run) -> Method {
    Method { name, right, socket: true, pool: Pool::Plain, run }
}

const fn read(name: &'static str, area: Area, run: Run) -> Method {
    Method { name, right: Some((area, Level::Read)), socket: false, pool: Pool::Plain, run }
}

const fn write(name: &'static str, area: Area, run: Run) -> Method {
    Method { name, right: Some((area, Level::ReadWrite)), socket: false, pool: Pool::Plain, run }
}

const fn matching(name: &'static str, run: Run) -> Method {
    paid(Pool::Matching, write(name, Area::Trade, run))
}

const fn paid(pool: Pool, method: Method) -> Method {
    Method { pool, ..method }
}

use Area::{Account, Trade, Wallet};

/// Any right at all: what is asked is checked channel by channel.
const SIGNED_IN: Option<(Area, Level)> = Some((Trade, Level::None));

#[rustfmt::skip]
const METHODS: &[Method] = &[
    matching("private/buy", orders::buy),
    matching("private/sell", orders::sell),
    matching("private/edit", orders::edit),
    matching("private/edit_by_label", orders::edit_by_label),
    matching("private/cancel", orders::cancel),
    matching("private/cancel_all", orders::cancel_all),
    matching("private/cancel_all_by_currency", orders::cancel_all_by_currency),
    matching("private/cancel_all_by_instrument", orders::cancel_all_by_instrument),
    matching("private/cancel_all_by_kind_or_type", orders::cancel_all_by_kind_or_type),
    matching("private/cancel_by_label", orders::cancel_by_label),
    matching("private/close_position", orders::close_position),
    read("private/get_open_orders", Trade, history::open_orders),
    read("private/get_open_orders_by_currency", Trade, history::open_orders_by_currency),
    read("private/get_open_orders_by_instrument", Trade, history::open_orders_by_instrument),
    read("private/get_open_orders_by_label", Trade, history::open_orders_by_label),
    read("private/get_order_state", Trade, history::order_state),
    read("private/get_order_state_by_label", Trade, history::order_state_by_label),
    read("private/get_order_history_by_currency", Trade, history::orders_by_currency),
    read("private/get_order_history_by_instrument", Trade, history::orders_by_instrument),
    read("private/get_user_trades_by_currency", Trade, history::trades_by_currency),
    read("private/get_user_trades_by_currency_and_time", Trade, history::trades_by_currency_and_time),
    read("private/get_user_trades_by_instrument", Trade, history::trades_by_instrument),
    read("private/get_user_trades_by_instrument_and_time", Trade, history::trades_by_instrument_and_time),
    read("private/get_user_trades_by_order", Trade, history::trades_by_order),
    read("private/get_positions", Trade, account::positions),
    read("private/get_position", Trade, account::position),
    read("private/get_margins", Trade, account::margins),
    read("private/get_account_summary", Account, account::summary),
    read("private/get_account_summaries", Account, account::summaries),
    paid(Pool::TransactionLog, read("private/get_transaction_log", Account, account::transaction_log)),
    read("private/list_api_keys", Account, account::list_api_keys),
    write("private/set_self_trading_config", Account, account::set_self_trading_config),
    read("private/get_cancel_on_disconnect", Account, session_methods::get_cancel_on_disconnect),
    write("private/enable_cancel_on_disconnect", Account, session_methods::enable_cancel_on_disconnect),
    write("private/disable_cancel_on_disconnect", Account, session_methods::disable_cancel_on_disconnect),
    paid(Pool::Subscribe, socket("private/subscribe", SIGNED_IN, session_methods::subscribe)),
    paid(Pool::Subscribe, socket("private/unsubscribe", SIGNED_IN, session_methods::unsubscribe)),
    socket("private/unsubscribe_all", SIGNED_IN, session_methods::unsubscribe_all),
    socket("private/logout", SIGNED_IN, session_methods::logout),
    write("private/withdraw", Wallet, account::forbidden),
    write("private/cancel_withdrawal", Wallet, account::forbidden),
    write("private/cancel_transfer_by_id", Wallet, account::forbidden),
    write("private/submit_transfer_to_user", Wallet, account::forbidden),
    write("private/submit_transfer_to_subaccount", Wallet, account::forbidden),
    write("private/submit_transfer_between_subaccounts", Wallet, account::forbidden),
    write("private/create_deposit_address", Wallet, account::forbidden),
    write("private/add_to_address_book", Wallet, account::forbidden),
    write("private/remove_from_address_book", Wallet, account::forbidden),
    write("private/create_api_key", Account, account::needs_second_factor),
    write("private/edit_api_key", Account, account::needs_second_factor),
    write("private/remove_api_key", Account, account::needs_second_factor),
    write("private/reset_api_key", Account, account::needs_second_factor),
    write("private/enable_api_key", Account, account::needs_second_factor),
    write("private/disable_api_key", Account, account::needs_second_factor),
    write("private/change_scope_in_api_key", Account, account::needs_second_factor),
    write("private/change_api_key_name", Account, account::needs_second_factor),
    open("public/auth", auth_methods::auth),
    open("public/fork_token", auth_methods::fork_token),
    open("public/exchange_token", auth_methods::exchange_token),
    paid(Pool::Subscribe, socket("public/subscribe", None, session_methods::subscribe)),
    paid(Pool::Subscribe, socket("public/unsubscribe", None, session_methods::unsubscribe)),
    socket("public/unsubscribe_all", None, session_methods::unsubscribe_all),
    socket("public/set_heartbeat", None, session_methods::set_heartbeat),
    socket("public/disable_heartbeat", None, session_methods::disable_heartbeat),
    socket("public/hello", None, public::hello),
    open("public/test", public::test),
    open("public/get_time", public::time),
    open("public/status", public::status),
    open("public/get_currencies", public::currencies),
    open("public/get_index_price", public::index_price),
    open("public/get_index_price_names", public::index_price_names),
    open("public/get_expirations", public::expirations),
    open("public/get_combos", public::combos),
    open("public/get_contract_size", public::contract_size),
    open("public/get_delivery_prices", public::delivery_prices),
    open("public/get_instrument", public::instrument),
    paid(Pool::Instruments, open("public/get_instruments", public::instruments)),
    open("public/ticker", market_data::ticker),
    open("public/get_order_book", market_data::order_book),
    open("public/get_book_summary_by_currency", market_data::book_summary_by_currency),
    open("public/get_book_summary_by_instrument", market_data::book_summary_by_instrument),
    open("public/get_last_trades_by_instrument", market_data::trades_by_instrument),
    open("public/get_last_trades_by_instrument_and_time", market_data::trades_by_instrument),
    open("public/get_last_trades_by_currency", market_data::trades_by_currency),
    open("public/get_last_trades_by_currency_and_time", market_data::trades_by_currency),
    open("public/get_tradingview_chart_data", market_data::chart),
    open("public/get_funding_rate_value", market_data::funding_rate_value),
    open("public/get_funding_rate_history", market_data::funding_rate_history),
    open("public/get_mark_price_history", market_data::mark_price_history),
    open("public/get_volatility_index_data", market_data::volatility_index),
    open("public/get_historical_volatility", market_data::historical_volatility),
];

//! A desk that exists on paper: made of the records that a real one would have written, and decided by the gateway's
//! own core. Policies are tried on one, and decisions are timed on one.

use tidegate_core::rehearsal::Rehearsal;
use tidegate_core::{Core, CoreSettings};
use tidegate_types::Decimal;
use tidegate_types::grant::{AccountLimits, Grant, OnRepeat, Pattern};
use tidegate_types::hours::Window;
use tidegate_types::ids::{
    AccountName, BadName, CallId, CallerName, ClientId, DeskName, InstrumentId, KeyId, OrderId,
    PersonName, Seq, TradeId, VenueName, VenueOrderId,
};
use tidegate_types::instrument::{Price, Qty, Usd};
use tidegate_types::key::{KeyScheme, KeyTerms, VirtualKey};
use tidegate_types::order::{NewOrder, OrderType, PostOnly, Side, TimeInForce};
use tidegate_types::record::{Approvals, Body, Change, Decision, Record};
use tidegate_types::report::{AccountEvent, BalanceReport, FillReport, PositionReport, Shown};
use tidegate_types::time::{Span, Time};

/// Collar of an account, wide enough to leave it to what is looked at.
const WIDE_BPS: u32 = 1_000_000;
/// Orders a second, likewise.
const FAST: u32 = 100_000;

/// The desk.
pub struct Paper {
    /// Its core.
    pub gates: Rehearsal,
    /// What the time is there.
    pub now: Time,
    next: Seq,
    orders: u64,
}

impl Paper {
    /// A desk with nothing.
    pub fn new(now: Time) -> Result<Paper, BadName> {
        let gates = Rehearsal::new(Core::new(CoreSettings::default()));
        let mut paper = Paper { gates, now, next: Seq(0), orders: 0 };
        let desk = DeskName::new("desk")?;
        paper.change(Change::DeskSet { desk, approvals: Approvals::One })?;
        Ok(paper)
    }

    /// An account, with limits as wide as can be.
    pub fn account(
        &mut self,
        account: &AccountName,
        venue: &VenueName,
        mark_age: Span,
    ) -> Result<(), BadName> {
        let (account, venue) = (account.clone(), venue.clone());
        self.change(Change::AccountAdded { venue, account: account.clone() })?;
        self.change(Change::LimitsSet { limits: wide(account, mark_age) })
    }

    /// A key and a grant of everything.
    pub fn seat(
        &mut self,
        account: &AccountName,
        caller: &CallerName,
        venue: &VenueName,
    ) -> Result<(), BadName> {
        let key = VirtualKey {
            id: KeyId::new(&format!("{caller}-{account}"))?,
            caller: caller.clone(),
            venue: venue.clone(),
            account: account.clone(),
            scheme: KeyScheme::Hmac,
            terms: KeyTerms::default(),
        };
        self.change(Change::KeyAdded { key, replaces: None })?;
        let most = Usd(Decimal::MAX);
        self.change(Change::GrantSet {
            grant: Grant {
                caller: caller.clone(),
                venue: venue.clone(),
                account: account.clone(),
                trade: true,
                instruments: vec![Pattern::new("*")?],
                sides: vec![Side::Buy, Side::Sell],
                order_types: vec![OrderType::Limit],
                reduce_only: false,
                max_order_qty: None,
                max_order_notional: most,
                max_open_notional: most,
                max_daily_notional: None,
                orders_per_second: FAST,
                burst: FAST,
                settings: false,
                account_wide: false,
                window: Window::ALWAYS,
                until: None,
            },
        })
    }

    /// Has an account hold so much, and opens it.
    pub fn open(
        &mut self,
        account: &AccountName,
        balances: Vec<BalanceReport>,
        positions: Vec<PositionReport>,
    ) {
        self.fold(Body::BalancesTaken { account: account.clone(), balances, untold: false });
        let (account, corrected) = (account.clone(), positions);
        let snapshot = Shown { orders: Vec::new(), positions: corrected.clone() };
        self.fold(Body::Reconciled { account: account.clone(), snapshot, corrected });
        self.fold(Body::Opened { account });
    }

    /// Has an order stay open that the gates let pass.
    pub fn take(
        &mut self,
        (caller, account): (&CallerName, &AccountName),
        request: NewOrder,
        decision: Decision,
        lives: Span,
    ) -> Result<(), BadName> {
        let client_id = ClientId::new(&format!("paper-{}", self.orders))?;
        self.fold(Body::Cleared {
            order: OrderId(self.orders),
            call: CallId(self.orders),
            caller: caller.clone(),
            account: account.clone(),
            client_id,
            deadline: self.now.plus(lives),
            request,
            decision,
        });
        self.orders += 1;
        Ok(())
    }

    /// Has an order trade whole at a price that the gates let pass.
    pub fn trade(
        &mut self,
        (caller, account): (&CallerName, &AccountName),
        request: NewOrder,
        decision: Decision,
        price: Price,
    ) -> Result<(), BadName> {
        let name = format!("paper-{}", self.orders);
        let fill = FillReport {
            instrument: request.instrument.clone(),
            trade_id: TradeId::new(&name)?,
            client_id: Some(ClientId::new(&name)?),
            venue_id: VenueOrderId::new(&name)?,
            side: request.side,
            qty: request.qty,
            price,
            fee: Decimal::ZERO,
            fee_currency: None,
            maker: false,
            at: self.now,
        };
        self.take((caller, account), request, decision, Span::from_secs(1))?;
        self.fold(Body::Streamed { account: account.clone(), event: AccountEvent::Fill { fill } });
        Ok(())
    }

    /// Something that the administration set.
    pub fn change(&mut self, change: Change) -> Result<(), BadName> {
        let by = PersonName::new("nobody")?;
        self.fold(Body::Changed { by, change });
        Ok(())
    }

    /// The next record.
    pub fn fold(&mut self, body: Body) {
        self.gates.fold(self.next, &Record { at: self.now, body });
        self.next = self.next.next();
    }
}

/// A limit order that stays until it is cancelled.
pub fn limit_order(instrument: InstrumentId, side: Side, qty: Qty, price: Price) -> NewOrder {
    NewOrder {
        instrument,
        side,
        order_type: OrderType::Limit,
        qty,
        price: Some(price),
        trigger: None,
        time_in_force: TimeInForce::GoodTilCancelled,
        post_only: PostOnly::No,
        reduce_only: false,
        self_trade: None,
        caller_id: None,
        valid_until: None,
        full_answer: false,
    }
}

fn wide(account: AccountName, max_mark_age: Span) -> AccountLimits {
    let most = Usd(Decimal::MAX);
    AccountLimits {
        account,
        max_order_qty: Vec::new(),
        max_order_notional: most,
        max_open_notional: most,
        max_position_notional: most,
        max_exposure: most,
        collar_bps: WIDE_BPS,
        option_collar_bps: WIDE_BPS,
        max_mark_age,
        orders_per_second: FAST,
        burst: FAST,
        repeat_window: Span::ZERO,
        on_repeat: OnRepeat::Warn,
        dead_man: Span::ZERO,
    }
}

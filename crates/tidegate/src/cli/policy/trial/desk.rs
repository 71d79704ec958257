//! A desk that exists on paper: as much of one as a case needs, made of the records that a real one would
//! have written.

use std::collections::{BTreeMap, BTreeSet};
use tidegate_core::rehearsal::{Rehearsal, Request, Verdict};
use tidegate_core::{Core, CoreSettings};
use tidegate_policy::cases::{Asked, Case, Market};
use tidegate_types::Decimal;
use tidegate_types::grant::{AccountLimits, Grant, OnRepeat, Pattern};
use tidegate_types::hours::Window;
use tidegate_types::ids::{
    AccountName, BadName, CallId, CallerName, ClientId, DeskName, IndexName, KeyId, OrderId,
    PersonName, Seq, VenueName,
};
use tidegate_types::instrument::{Instrument, Kind, Mark, Qty, Usd};
use tidegate_types::key::{KeyScheme, KeyTerms, VirtualKey};
use tidegate_types::order::{Intent, NewOrder, OrderType, PostOnly, Side, TimeInForce};
use tidegate_types::policy::{Class, Liquidity, Policy};
use tidegate_types::record::{Approvals, Body, Change, Record};
use tidegate_types::report::{BalanceReport, PositionReport, Shown};
use tidegate_types::time::{Span, Time};

/// When the cases play: the middle of a day.
const NOON: Time = Time::from_millis(1_767_268_800_000);
/// Between two orders of a case: what is counted by the second or minute begins anew.
const BETWEEN: Span = Span::from_secs(120);
/// Collar of the account, wide enough to leave it to the policy.
const WIDE_BPS: u32 = 1_000_000;
/// Orders a second, likewise.
const FAST: u32 = 100_000;

/// The desk of a case, before its order.
pub(super) struct Desk<'c> {
    gates: Rehearsal,
    markets: &'c [Market],
    now: Time,
    next: Seq,
    orders: u64,
}

impl<'c> Desk<'c> {
    /// The desk that a case comes upon, without its open orders.
    pub(super) fn new(
        policy: &Policy,
        markets: &'c [Market],
        case: &Case,
    ) -> Result<Desk<'c>, String> {
        let gates = Rehearsal::new(Core::new(CoreSettings::default()));
        let (now, next) = (NOON.minus(BETWEEN), Seq(0));
        let mut desk = Desk { gates, markets, now, next, orders: 0 };
        desk.set_up(policy, case).map_err(|BadName| "a name in it cannot be one".to_owned())?;
        desk.open_accounts(case)?;
        desk.now = NOON;
        desk.mark();
        Ok(desk)
    }

    /// What the gates make of an order.
    pub(super) fn decide(&self, asked: &Asked) -> Result<Verdict, String> {
        let request = Request {
            caller: asked.caller.clone(),
            account: asked.account.clone(),
            key: None,
            token: None,
            intent: Intent::New { order: order(asked) },
        };
        let verdict = self.gates.decide(&request, self.now);
        verdict.ok_or_else(|| format!("account {} holds nothing and trades nothing", asked.account))
    }

    /// Has an order that passed stay open, and goes on to the next.
    pub(super) fn take(&mut self, asked: &Asked, verdict: Verdict) -> Result<(), String> {
        let (request, decision) = match verdict {
            Verdict::Cleared { order, decision } => (*order, *decision),
            Verdict::Refused { reject, .. } => {
                return Err(format!("an order that is to be open before is refused: {reject}"));
            }
        };
        let client_id = ClientId::new(&format!("case-{}", self.orders));
        self.fold(Body::Cleared {
            order: OrderId(self.orders),
            call: CallId(self.orders),
            caller: asked.caller.clone(),
            account: asked.account.clone(),
            client_id: client_id.map_err(|BadName| "too many orders".to_owned())?,
            deadline: self.now.plus(BETWEEN),
            request,
            decision,
        });
        self.orders += 1;
        self.now = self.now.plus(BETWEEN);
        self.mark();
        Ok(())
    }

    fn set_up(&mut self, policy: &Policy, case: &Case) -> Result<(), BadName> {
        let desk = DeskName::new("desk")?;
        self.change(Change::DeskSet { desk, approvals: Approvals::One })?;
        let mut instruments: BTreeMap<VenueName, Vec<Instrument>> = BTreeMap::new();
        for market in self.markets {
            let of = instruments.entry(market.id.venue.clone()).or_default();
            of.push(terms(market, NOON)?);
        }
        for (venue, instruments) in instruments {
            self.fold(Body::Instruments { venue, instruments });
        }
        self.mark();
        let asked = || case.open.iter().chain([&case.order]);
        let callers: BTreeSet<&CallerName> = asked().map(|asked| &asked.caller).collect();
        for caller in callers {
            self.change(Change::CallerAdded { caller: caller.clone() })?;
        }
        let mut seats = BTreeMap::new();
        for Asked { account, caller, instrument, .. } in asked() {
            seats.insert((account, caller), &instrument.venue);
        }
        let held = case.positions.iter().map(|(account, of, _)| (account, &of.venue));
        let traded = asked().map(|asked| (&asked.account, &asked.instrument.venue));
        let accounts: BTreeMap<&AccountName, &VenueName> = held.chain(traded).collect();
        for (account, venue) in accounts {
            let (account, venue) = (account.clone(), venue.clone());
            self.change(Change::AccountAdded { venue, account: account.clone() })?;
            self.change(Change::LimitsSet { limits: wide(account) })?;
        }
        for ((account, caller), venue) in seats {
            self.seat(account, caller, venue)?;
        }
        let policy = Box::new(policy.clone());
        self.change(Change::PolicySet { policy })
    }

    /// A key and a grant of everything.
    fn seat(
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

    /// Takes over what the accounts hold, and opens them.
    fn open_accounts(&mut self, case: &Case) -> Result<(), String> {
        let known = self.gates.core().state().accounts();
        let known: Vec<(AccountName, VenueName)> =
            known.iter().map(|(name, account)| (name.clone(), account.venue.clone())).collect();
        for (account, venue) in known {
            let elsewhere =
                case.positions.iter().find(|(of, id, _)| *of == account && id.venue != venue);
            let ordered = case.open.iter().chain([&case.order]);
            let mut ordered = ordered.filter(|asked| asked.account == account);
            if elsewhere.is_some() || ordered.any(|asked| asked.instrument.venue != venue) {
                return Err(format!("account {account} is at one venue, and is used at two"));
            }
            let of = case.balances.iter().filter(|(of, _, _)| *of == account);
            let balances: Vec<BalanceReport> = of
                .map(|(_, asset, amount)| BalanceReport { asset: asset.clone(), amount: *amount })
                .collect();
            self.fold(Body::BalancesTaken { account: account.clone(), balances, untold: false });
            let of = case.positions.iter().filter(|(of, _, _)| *of == account);
            let corrected: Vec<PositionReport> = of
                .map(|(_, id, qty)| PositionReport {
                    instrument: id.clone(),
                    qty: *qty,
                    entry: None,
                })
                .collect();
            let snapshot = Shown { orders: Vec::new(), positions: corrected.clone() };
            self.fold(Body::Reconciled { account: account.clone(), snapshot, corrected });
            self.fold(Body::Opened { account });
        }
        let unheld = case
            .balances
            .iter()
            .find(|(account, _, _)| !self.gates.core().state().accounts().contains_key(account));
        match unheld {
            Some((account, _, _)) => {
                Err(format!("account {account} holds coins and trades nothing"))
            }
            None => Ok(()),
        }
    }

    /// Marks, and what the markets show, as of now.
    fn mark(&mut self) {
        let (now, markets) = (self.now, self.markets);
        let mark = |market: &Market| Mark {
            instrument: market.id.clone(),
            mark: market.mark,
            index: market.index,
            at: now,
        };
        self.fold(Body::Marks { marks: markets.iter().map(mark).collect() });
        let shown = |market: &Market| {
            let (depth, volume) = market.liquidity?;
            Some(Liquidity {
                instrument: market.id.clone(),
                bid: Some(market.mark),
                ask: Some(market.mark),
                bid_depth: Some(depth),
                ask_depth: Some(depth),
                volume: Some(volume),
                at: now,
            })
        };
        self.fold(Body::Liquidity { facts: markets.iter().filter_map(shown).collect() });
    }

    fn change(&mut self, change: Change) -> Result<(), BadName> {
        let by = PersonName::new("nobody")?;
        self.fold(Body::Changed { by, change });
        Ok(())
    }

    fn fold(&mut self, body: Body) {
        self.gates.fold(self.next, &Record { at: self.now, body });
        self.next = self.next.next();
    }
}

fn terms(market: &Market, now: Time) -> Result<Instrument, BadName> {
    let step = Decimal::from_raw(1);
    let expiry = now.plus(market.expires_in);
    Ok(Instrument {
        id: market.id.clone(),
        kind: match market.class {
            Class::Perpetual => Kind::Perpetual,
            Class::Future => Kind::Future { expiry },
            Class::Option => Kind::Option { expiry, strike: market.strike, call: market.call },
        },
        unit: market.unit,
        base: market.base.clone(),
        settlement: market.settlement.clone(),
        index: IndexName::new(market.base.as_str())?,
        contract_size: Qty(Decimal::ONE),
        tick: tidegate_types::instrument::Price(step),
        tick_steps: Vec::new(),
        lot: Qty(step),
        min_qty: Qty(step),
        max_qty: None,
        open: true,
    })
}

/// Limits that leave it to the policy.
fn wide(account: AccountName) -> AccountLimits {
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
        max_mark_age: BETWEEN,
        orders_per_second: FAST,
        burst: FAST,
        repeat_window: Span::ZERO,
        on_repeat: OnRepeat::Warn,
        dead_man: Span::ZERO,
    }
}

fn order(asked: &Asked) -> NewOrder {
    NewOrder {
        instrument: asked.instrument.clone(),
        side: asked.side,
        order_type: OrderType::Limit,
        qty: asked.qty,
        price: Some(asked.price),
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

//! A desk on paper with as much as a case needs.

use crate::paper::{Paper, limit_order};
use std::collections::{BTreeMap, BTreeSet};
use tidegate_core::rehearsal::{Request, Verdict};
use tidegate_policy::cases::{self, Asked, Case, Market, Moved};
use tidegate_types::Decimal;
use tidegate_types::ids::{AccountName, BadName, CallerName, IndexName, VenueName};
use tidegate_types::instrument::{Instrument, Kind, Mark, Price, Qty};
use tidegate_types::order::{Intent, NewOrder};
use tidegate_types::policy::{Class, Liquidity, Policy};
use tidegate_types::record::{Body, Change, Decision};
use tidegate_types::report::{BalanceReport, PositionReport};
use tidegate_types::time::{Span, Time};

/// When the cases play: the middle of a day.
const NOON: Time = Time::from_millis(1_767_268_800_000);
/// Between two orders of a case: what is counted by the second or minute begins anew.
const BETWEEN: Span = Span::from_secs(120);

/// The desk of a case, before its order.
pub(super) struct Desk {
    paper: Paper,
    markets: Vec<Market>,
}

impl Desk {
    /// The desk that a case comes upon, without what was ordered there.
    pub(super) fn new(policy: &Policy, markets: &[Market], case: &Case) -> Result<Desk, String> {
        let mut desk = Desk::set_up(policy, markets, case)
            .map_err(|BadName| "a name in it cannot be one".to_owned())?;
        desk.open_accounts(case)?;
        desk.paper.now = NOON;
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
        let verdict = self.paper.gates.decide(&request, self.paper.now);
        verdict.ok_or_else(|| format!("account {} holds nothing and trades nothing", asked.account))
    }

    /// Has an order that passed stay open, and goes on to the next.
    pub(super) fn take(&mut self, asked: &Asked, verdict: Verdict) -> Result<(), String> {
        let (request, decision) = passed(verdict, "be open")?;
        let whose = (&asked.caller, &asked.account);
        let taken = self.paper.take(whose, request, decision, BETWEEN);
        taken.map_err(|BadName| "too many orders".to_owned())?;
        self.goes_on();
        Ok(())
    }

    /// Has an order that passed trade whole, and goes on to the next.
    pub(super) fn trade(&mut self, asked: &Asked, verdict: Verdict) -> Result<(), String> {
        let (request, decision) = passed(verdict, "trade")?;
        let whose = (&asked.caller, &asked.account);
        let traded = self.paper.trade(whose, request, decision, asked.price);
        traded.map_err(|BadName| "too many orders".to_owned())?;
        self.goes_on();
        Ok(())
    }

    /// Marks go there.
    pub(super) fn go_on_to(&mut self, then: &[Moved]) {
        if !then.is_empty() {
            self.markets = cases::after(&self.markets, then);
            self.goes_on();
        }
    }

    fn goes_on(&mut self) {
        self.paper.now = self.paper.now.plus(BETWEEN);
        self.mark();
    }

    fn set_up(policy: &Policy, markets: &[Market], case: &Case) -> Result<Desk, BadName> {
        let paper = Paper::new(NOON.minus(BETWEEN))?;
        let mut desk = Desk { paper, markets: markets.to_vec() };
        let mut instruments: BTreeMap<VenueName, Vec<Instrument>> = BTreeMap::new();
        for market in markets {
            let of = instruments.entry(market.id.venue.clone()).or_default();
            of.push(terms(market, NOON)?);
        }
        for (venue, instruments) in instruments {
            desk.paper.fold(Body::Instruments { venue, instruments });
        }
        desk.mark();
        let paper = &mut desk.paper;
        let asked = || ordered(case);
        let callers: BTreeSet<&CallerName> = asked().map(|asked| &asked.caller).collect();
        for caller in callers {
            paper.change(Change::CallerAdded { caller: caller.clone() })?;
        }
        let mut seats = BTreeMap::new();
        for Asked { account, caller, instrument, .. } in asked() {
            seats.insert((account, caller), &instrument.venue);
        }
        let held = case.positions.iter().map(|(account, of, _)| (account, &of.venue));
        let traded = asked().map(|asked| (&asked.account, &asked.instrument.venue));
        let accounts: BTreeMap<&AccountName, &VenueName> = held.chain(traded).collect();
        for (account, venue) in accounts {
            paper.account(account, venue, BETWEEN)?;
        }
        for ((account, caller), venue) in seats {
            paper.seat(account, caller, venue)?;
        }
        let policy = Box::new(policy.clone());
        paper.change(Change::PolicySet { policy })?;
        Ok(desk)
    }

    /// Takes over what the accounts hold, and opens them.
    fn open_accounts(&mut self, case: &Case) -> Result<(), String> {
        let known = self.paper.gates.core().state().accounts();
        let known: Vec<(AccountName, VenueName)> =
            known.iter().map(|(name, account)| (name.clone(), account.venue.clone())).collect();
        for (account, venue) in known {
            let elsewhere =
                case.positions.iter().find(|(of, id, _)| *of == account && id.venue != venue);
            let mut ordered = ordered(case).filter(|asked| asked.account == account);
            if elsewhere.is_some() || ordered.any(|asked| asked.instrument.venue != venue) {
                return Err(format!("account {account} is at one venue, and is used at two"));
            }
            let of = case.balances.iter().filter(|(of, _, _)| *of == account);
            let balances: Vec<BalanceReport> = of
                .map(|(_, asset, amount)| BalanceReport { asset: asset.clone(), amount: *amount })
                .collect();
            let of = case.positions.iter().filter(|(of, _, _)| *of == account);
            let positions: Vec<PositionReport> = of
                .map(|(_, id, qty)| PositionReport {
                    instrument: id.clone(),
                    qty: *qty,
                    entry: None,
                })
                .collect();
            self.paper.open(&account, balances, positions);
        }
        let unheld = case.balances.iter().find(|(account, _, _)| {
            !self.paper.gates.core().state().accounts().contains_key(account)
        });
        match unheld {
            Some((account, _, _)) => {
                Err(format!("account {account} holds coins and trades nothing"))
            }
            None => Ok(()),
        }
    }

    /// Marks, and what the markets show, as of now.
    fn mark(&mut self) {
        let (now, markets) = (self.paper.now, &self.markets);
        let mark = |market: &Market| Mark {
            instrument: market.id.clone(),
            mark: market.mark,
            index: market.index,
            at: now,
        };
        self.paper.fold(Body::Marks { marks: markets.iter().map(mark).collect() });
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
        self.paper.fold(Body::Liquidity { facts: markets.iter().filter_map(shown).collect() });
    }
}

/// An order that is to be there before.
fn passed(verdict: Verdict, to: &str) -> Result<(NewOrder, Decision), String> {
    match verdict {
        Verdict::Cleared { order, decision } => Ok((*order, *decision)),
        Verdict::Refused { reject, .. } => {
            Err(format!("an order that is to {to} before is refused: {reject}"))
        }
    }
}

/// All that is ordered in a case.
fn ordered(case: &Case) -> impl Iterator<Item = &Asked> {
    case.traded.iter().chain(&case.open).chain([&case.order])
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
        tick: Price(step),
        tick_steps: Vec::new(),
        lot: Qty(step),
        min_qty: Qty(step),
        max_qty: None,
        open: true,
    })
}

fn order(asked: &Asked) -> NewOrder {
    limit_order(asked.instrument.clone(), asked.side, asked.qty, asked.price)
}

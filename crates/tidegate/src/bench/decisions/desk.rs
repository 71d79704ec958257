//! The desks whose decisions are measured: one account, one caller, a perpetual and 500 options of one coin.

use super::bad;
use crate::cli::args::Decided;
use crate::cli::output::Failure;
use crate::paper::{Paper, limit_order};
use std::time::{Duration, Instant};
use tidegate_core::action::Action;
use tidegate_core::event::Event;
use tidegate_core::rehearsal::{Request, Verdict};
use tidegate_types::Decimal;
use tidegate_types::ids::{
    AccountName, BadName, CallerName, Currency, IndexName, InstrumentId, InstrumentName, VenueName,
};
use tidegate_types::instrument::{Instrument, Kind, Mark, Price, Qty, SignedQty, Unit, Usd};
use tidegate_types::options::{OptionLimits, OptionQuote, Stress};
use tidegate_types::order::{Intent, NewOrder, Side};
use tidegate_types::record::{Body, Change};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::report::{BalanceReport, PositionReport};
use tidegate_types::time::{Span, Time};

/// Orders that are open all the time.
pub(super) const OPEN: u32 = 200;
/// Options that are held, or could be.
const OPTIONS: u32 = 500;
/// When it plays.
const NOON: Time = Time::from_millis(1_767_268_800_000);
/// How old a mark may be: none grows old here.
const MARK_AGE: Span = Span::from_secs(3600);
/// What a coin is worth.
const DOLLARS: i64 = 60_000;
const MOST: Usd = Usd(Decimal::new(10_000_000_000, 0));

/// Twenty limits, none of which refuses: five kinds over the desk, each account, each caller and each instrument.
const KINDS: [&str; 5] = [
    "open_orders = 1_000_000",
    "open_notional = \"10_000_000_000 USD\"",
    "daily_traded = \"10_000_000_000 USD\"",
    "order_notional = \"10_000_000_000 USD\"",
    "message_rate = \"1_000_000_000/min\"",
];
const EACH: [&str; 4] =
    ["", "each = \"account\"\n", "each = \"caller\"\n", "each = \"instrument\"\n"];

/// What a row is called.
pub(super) fn text(kind: Decided) -> &'static str {
    match kind {
        Decided::Plain => "an order, limits of account and grant",
        Decided::Limits => "an order, 20 limits of a policy besides",
        Decided::Options => "an option order, 500 options held",
    }
}

/// What decisions took.
#[derive(Default)]
pub(super) struct Spent {
    /// The gates alone.
    pub gates: Vec<Duration>,
    /// From the order to its records.
    pub whole: Vec<Duration>,
}

/// A desk, and the orders that come in turn.
pub(super) struct Desk {
    paper: Paper,
    caller: CallerName,
    account: AccountName,
    orders: Vec<NewOrder>,
}

impl Desk {
    /// A desk for this kind of decision, with its open orders.
    pub(super) fn new(kind: Decided) -> Result<Desk, Failure> {
        let mut desk = Desk::set_up(kind).map_err(|BadName| bad("a name that cannot be one"))?;
        if kind == Decided::Limits {
            let policy = tidegate_policy::read("limits", &twenty_limits())
                .map_err(|unreadable| bad(&unreadable.to_string()))?;
            desk.change(Change::PolicySet { policy: Box::new(policy) })?;
        }
        for n in 0..OPEN {
            desk.have_open(n)?;
        }
        Ok(desk)
    }

    /// What so many decisions took, one by one: the gates alone, and with the records and all that follows from them.
    pub(super) fn decide(&mut self, decisions: u32) -> Result<Spent, Failure> {
        let mut spent = Spent::default();
        let mut out = Vec::new();
        for n in 0..decisions {
            let request = self.request(n)?;
            let now = self.paper.now;
            let start = Instant::now();
            let verdict = self.paper.gates.decide(&request, now);
            spent.gates.push(start.elapsed());
            drop(std::hint::black_box(verdict));
            let start = Instant::now();
            self.paper.gates.submit(&request, now, &mut out);
            spent.whole.push(start.elapsed());
            let call = out.iter().find_map(|action| match action {
                Action::Sign { call, .. } => Some(call.id),
                _ => None,
            });
            let call = call.ok_or_else(|| bad(&format!("an order was refused: {out:?}")))?;
            let reject = Reject::new(Code::VenueUnreachable, "called back");
            self.paper.gates.tell(Event::NotSent { call, reject }, now, &mut out);
            self.paper.now = now.plus(Span::from_micros(1));
            out.clear();
        }
        Ok(spent)
    }

    fn set_up(kind: Decided) -> Result<Desk, BadName> {
        let venue = VenueName::new("paper")?;
        let (account, caller) = (AccountName::new("main")?, CallerName::new("ann")?);
        let mut paper = Paper::new(NOON)?;
        let mut all = vec![perpetual(&venue)?];
        if kind == Decided::Options {
            all = (0..OPTIONS).map(|n| option(&venue, n)).collect::<Result<_, BadName>>()?;
        }
        let marks = all.iter().map(mark).collect();
        paper.fold(Body::Instruments { venue: venue.clone(), instruments: all.clone() });
        paper.fold(Body::Marks { marks });
        paper.change(Change::CallerAdded { caller: caller.clone() })?;
        paper.account(&account, &venue, MARK_AGE)?;
        paper.seat(&account, &caller, &venue)?;
        let amount = Decimal::new(10_000, 0);
        let coins = vec![BalanceReport { asset: Currency::new("BTC")?, amount }];
        let mut held = Vec::new();
        if kind == Decided::Options {
            let quotes = all.iter().enumerate().map(|(n, of)| quote(n, of)).collect();
            paper.fold(Body::OptionQuotes { quotes });
            held = all.iter().enumerate().map(|(n, of)| position(n, of)).collect();
            paper.change(Change::OptionLimitsSet { limits: wide(account.clone()) })?;
        }
        paper.open(&account, coins, held);
        let orders = all.iter().enumerate().map(|(n, of)| order(n, of)).collect();
        Ok(Desk { paper, caller, account, orders })
    }

    fn have_open(&mut self, n: u32) -> Result<(), Failure> {
        let request = self.request(n)?;
        match self.paper.gates.decide(&request, self.paper.now) {
            Some(Verdict::Cleared { order, decision }) => {
                let whose = (&self.caller, &self.account);
                let taken = self.paper.take(whose, *order, *decision, MARK_AGE);
                taken.map_err(|BadName| bad("a name that cannot be one"))
            }
            other => Err(bad(&format!("an order did not pass: {other:?}"))),
        }
    }

    fn request(&self, n: u32) -> Result<Request, Failure> {
        let count = self.orders.len().max(1);
        let order = usize::try_from(n).ok().and_then(|n| self.orders.get(n % count));
        let order = order.ok_or_else(|| bad("there is nothing to order"))?.clone();
        Ok(Request {
            caller: self.caller.clone(),
            account: self.account.clone(),
            key: None,
            token: None,
            intent: Intent::New { order },
        })
    }

    fn change(&mut self, change: Change) -> Result<(), Failure> {
        self.paper.change(change).map_err(|BadName| bad("a name that cannot be one"))
    }
}

fn twenty_limits() -> String {
    let mut text =
        "name = \"speed\"\nversion = 1\nmark_age = \"1 h\"\n[pegs]\nUSDC = \"1 USD\"\n".to_owned();
    text.push_str("[[rule]]\nid = \"all\"\nallow = true\n");
    for (n, (each, kind)) in EACH.iter().flat_map(|each| KINDS.map(|k| (each, k))).enumerate() {
        text.push_str(&format!("[[rule]]\nid = \"rule-{n}\"\n{each}{kind}\n"));
    }
    text
}

fn perpetual(venue: &VenueName) -> Result<Instrument, BadName> {
    let name = InstrumentName::new("BTC-PERP")?;
    instrument(venue, name, Kind::Perpetual, Unit::Linear, "USDC")
}

/// One of ten expiries and fifty strikes, calls and puts in turn.
fn option(venue: &VenueName, n: u32) -> Result<Instrument, BadName> {
    let strike = Price(Decimal::new(30_000 + i64::from(n % 50) * 1_500, 0));
    let expiry = NOON.plus(Span::from_secs((1 + u64::from(n / 50) * 9) * 86_400));
    let kind = Kind::Option { expiry, strike, call: n.is_multiple_of(2) };
    instrument(venue, InstrumentName::new(&format!("BTC-{n}"))?, kind, Unit::CoinOption, "BTC")
}

fn instrument(
    venue: &VenueName,
    name: InstrumentName,
    kind: Kind,
    unit: Unit,
    settlement: &str,
) -> Result<Instrument, BadName> {
    let lot = Qty(Decimal::new(1, 1));
    Ok(Instrument {
        id: InstrumentId { venue: venue.clone(), name },
        kind,
        unit,
        base: Currency::new("BTC")?,
        settlement: Currency::new(settlement)?,
        index: IndexName::new("btc_usd")?,
        contract_size: Qty(Decimal::ONE),
        tick: Price(Decimal::new(5, 4)),
        tick_steps: Vec::new(),
        lot,
        min_qty: lot,
        max_qty: None,
        open: true,
    })
}

fn mark(of: &Instrument) -> Mark {
    let index = Price(Decimal::new(DOLLARS, 0));
    let mark = match of.kind {
        Kind::Option { .. } => Price(Decimal::new(5, 2)),
        Kind::Perpetual | Kind::Future { .. } => index,
    };
    Mark { instrument: of.id.clone(), mark, index, at: NOON }
}

fn quote(n: usize, of: &Instrument) -> OptionQuote {
    let points = i64::try_from(n % 50).unwrap_or(0);
    OptionQuote {
        instrument: of.id.clone(),
        forward: Price(Decimal::new(DOLLARS + 100, 0)),
        volatility: Decimal::new(50 + points, 2),
        greeks: None,
        at: NOON,
    }
}

/// From ten sold to ten bought.
fn position(n: usize, of: &Instrument) -> PositionReport {
    let lots = i64::try_from(n % 21).unwrap_or(0) - 10;
    PositionReport { instrument: of.id.clone(), qty: SignedQty(Decimal::new(lots, 0)), entry: None }
}

fn order(n: usize, of: &Instrument) -> NewOrder {
    let side = if n.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    limit_order(of.id.clone(), side, of.lot, mark(of).mark)
}

/// Limits of options that all have to be weighed, and refuse nothing.
fn wide(account: AccountName) -> OptionLimits {
    OptionLimits {
        account,
        max_delta: Some(MOST),
        max_gamma: Some(MOST),
        max_vega: Some(MOST),
        max_theta: Some(MOST),
        max_net_short: Some(Qty(Decimal::new(1_000_000, 0))),
        max_margin_bps: 10_000,
        stress: Stress::STANDARD,
    }
}

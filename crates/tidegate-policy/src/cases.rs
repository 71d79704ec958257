//! Orders to hold against a policy, with the state of the desk that each comes upon, and what is expected.
//! Who evaluates them is not here: it is the core.

use crate::fault::{Faults, Unreadable};
use crate::measure::{number, read_in};
use crate::read::{CLASSES, span};
use crate::table::{Entry, Table, document, tables};
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::ids::{
    AccountName, CallerName, Currency, InstrumentId, InstrumentName, RuleId, VenueName,
};
use tidegate_types::instrument::{Price, Qty, SignedQty, Unit, Usd};
use tidegate_types::order::Side;
use tidegate_types::policy::Class;
use tidegate_types::time::Span;

/// The words for sides.
const SIDES: [(&str, Side); 2] = [("buy", Side::Buy), ("sell", Side::Sell)];
/// The words for what a quantity counts.
const UNITS: [(&str, Unit); 3] =
    [("linear", Unit::Linear), ("inverse", Unit::Inverse), ("coin-option", Unit::CoinOption)];
/// The word for an order that no rule refuses.
const PASS: &str = "pass";

/// A file of cases.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cases {
    /// The markets that the cases are on.
    pub markets: Vec<Market>,
    /// The cases, at least one.
    pub cases: Vec<Case>,
}

/// An instrument, with the marks that are in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Market {
    /// Which one.
    pub id: InstrumentId,
    /// What kind.
    pub class: Class,
    /// What its quantities and prices count.
    pub unit: Unit,
    /// The base coin.
    pub base: Currency,
    /// What margin is paid in.
    pub settlement: Currency,
    /// When it expires, from now on; for a future or an option.
    pub expires_in: Span,
    /// The strike of an option.
    pub strike: Price,
    /// The option is a call.
    pub call: bool,
    /// The mark price.
    pub mark: Price,
    /// The index in dollars.
    pub index: Price,
    /// Depth and volume of the last 24 hours, where they are known.
    pub liquidity: Option<(Usd, Usd)>,
}

/// An order, and what it comes upon.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// What people call it.
    pub name: String,
    /// Which line of the file it begins on.
    pub line: usize,
    /// Positions held before.
    pub positions: Vec<(AccountName, InstrumentId, SignedQty)>,
    /// Balances held before.
    pub balances: Vec<(AccountName, Currency, Decimal)>,
    /// Orders that traded before, whole, at their price.
    pub traded: Vec<Asked>,
    /// Orders that are open before.
    pub open: Vec<Asked>,
    /// Where marks went from there, before the order came.
    pub then: Vec<Moved>,
    /// The order.
    pub order: Asked,
    /// Which rule is expected to refuse it; none where it is expected to pass.
    pub expect: Option<RuleId>,
}

/// Where a mark went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// Of which instrument.
    pub id: InstrumentId,
    /// There.
    pub mark: Price,
    /// Where its index went. None: as far as the mark; an option's stayed.
    pub index: Option<Price>,
}

/// A limit order of a caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// On which account.
    pub account: AccountName,
    /// Whose.
    pub caller: CallerName,
    /// Of what.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// How much, in the instrument's unit.
    pub qty: Qty,
    /// At which price; the mark where none is given.
    pub price: Price,
}

/// The cases that `text` has; `file` is what errors call it.
///
/// # Errors
/// Everything that is wrong with it, as for a policy.
pub fn read(file: &str, text: &str) -> Result<Cases, Unreadable> {
    let mut faults = Faults::new(text);
    let cases = document(text, &mut faults).and_then(|whole| {
        let start = whole.span().start;
        let mut table = Table::new("the file", start..start, whole.get_ref());
        let markets = tables("a market", table.take("market"), &mut faults);
        let found = tables("a case", table.take("case"), &mut faults);
        table.end(&mut faults);
        let markets: Vec<_> = markets.into_iter().filter_map(|t| market(t, &mut faults)).collect();
        if found.is_empty() {
            return faults.add(&(start..start), "there is no case", "begin each with `[[case]]`");
        }
        let places: Vec<usize> = found.iter().map(|table| table.span().start).collect();
        let cases = found.into_iter().zip(places).filter_map(|(table, at)| {
            let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
            case(table, &markets, line, &mut faults)
        });
        let cases = cases.collect();
        Some(Cases { markets, cases })
    });
    faults.end(file, cases)
}

fn market(mut table: Table<'_, '_>, faults: &mut Faults<'_>) -> Option<Market> {
    let id = table.need("id", "write `id = \"VENUE/NAME\"`", faults);
    let id = id.and_then(|entry| instrument(&entry, faults));
    let class = table.need("class", "perpetual, future or option", faults);
    let class = class.and_then(|entry| entry.word(&CLASSES, faults));
    let unit = table.need("unit", "linear, inverse or coin-option", faults);
    let unit = unit.and_then(|entry| entry.word(&UNITS, faults));
    let base = table.need("base", "write `base = \"BTC\"`", faults);
    let base = base.and_then(|entry| entry.name("a coin's name", faults));
    let settlement = table.need("settlement", "write `settlement = \"USDC\"`", faults);
    let settlement = settlement.and_then(|entry| entry.name("a coin's name", faults));
    let mark = table.need("mark", "write `mark = \"60_000\"`", faults);
    let mark = mark.and_then(|entry| price(&entry, faults));
    let index = table.take("index").map_or(Some(None), |e| price(&e, faults).map(Some));
    let expires =
        table.take("expires_in").map_or(Some(Span::from_secs(30 * 86_400)), |e| span(&e, faults));
    let strike = table.take("strike").map_or(Some(None), |e| price(&e, faults).map(Some));
    let call = table.take("call").map_or(Some(true), |entry| entry.flag(faults));
    let depth = table.take("depth").map_or(Some(None), |e| usd(&e, faults).map(Some));
    let volume = table.take("volume").map_or(Some(None), |e| usd(&e, faults).map(Some));
    table.end(faults);
    let (mark, index, depth, volume) = (mark?, index?, depth?, volume?);
    Some(Market {
        id: id?,
        class: class?,
        unit: unit?,
        base: base?,
        settlement: settlement?,
        expires_in: expires?,
        strike: strike?.unwrap_or(mark),
        call: call?,
        mark,
        index: index.unwrap_or(mark),
        liquidity: depth.zip(volume),
    })
}

fn case(
    mut table: Table<'_, '_>,
    markets: &[Market],
    line: usize,
    faults: &mut Faults<'_>,
) -> Option<Case> {
    let name = table.need("name", "say what it shows: `name = \"an order too large\"`", faults);
    let name = name
        .and_then(|entry| entry.text("a text", "write it in quotes", faults).map(str::to_owned));
    let then = rows(table.take("then"), faults, |entry, faults| moved(entry, markets, faults));
    let order = table.need("order", "write `order = { account = …, caller = …, … }`", faults);
    let later = after(markets, then.as_deref().unwrap_or_default());
    let order = order.and_then(|entry| asked(&entry, "`order`", &later, faults));
    let traded = rows(table.take("traded"), faults, |entry, faults| {
        asked(entry, "an order that traded", markets, faults)
    });
    let open = rows(table.take("open"), faults, |entry, faults| {
        asked(entry, "an open order", markets, faults)
    });
    let positions =
        rows(table.take("positions"), faults, |entry, faults| position(entry, markets, faults));
    let balances = rows(table.take("balances"), faults, balance);
    let expect = table.need("expect", "name the rule that refuses it, or \"pass\"", faults);
    let expect = expect.and_then(|entry| expected(&entry, faults));
    table.end(faults);
    Some(Case {
        name: name?,
        line,
        positions: positions?,
        balances: balances?,
        traded: traded?,
        open: open?,
        then: then?,
        order: order?,
        expect: expect?,
    })
}

/// The markets once marks have gone there.
pub fn after(markets: &[Market], then: &[Moved]) -> Vec<Market> {
    let later = markets.iter().map(|market| {
        let moved = then.iter().rfind(|moved| moved.id == market.id);
        moved.map_or_else(|| market.clone(), |moved| market.at(moved))
    });
    later.collect()
}

impl Market {
    fn at(&self, &Moved { mark, index, .. }: &Moved) -> Market {
        let index = index.unwrap_or_else(|| match self.class {
            Class::Option => self.index,
            Class::Perpetual | Class::Future => {
                let along = self.index.0.mul_div(mark.0, self.mark.0, Rounding::Floor);
                along.map_or(mark, Price)
            }
        });
        Market { mark, index, ..self.clone() }
    }
}

/// The inline tables of a list; no list is an empty one.
fn rows<T>(
    entry: Option<Entry<'_, '_>>,
    faults: &mut Faults<'_>,
    mut read: impl FnMut(&Entry<'_, '_>, &mut Faults<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(entry) = entry else { return Some(Vec::new()) };
    let items = entry.list("a list", "write it as [{ … }, { … }]", faults)?;
    let rows: Vec<Option<T>> = items.iter().map(|item| read(item, faults)).collect();
    rows.into_iter().collect()
}

fn expected(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Option<RuleId>> {
    let rule: RuleId = entry.name("a rule's id, or \"pass\"", faults)?;
    Some((rule.as_str() != PASS).then_some(rule))
}

fn asked(
    entry: &Entry<'_, '_>,
    what: &'static str,
    markets: &[Market],
    faults: &mut Faults<'_>,
) -> Option<Asked> {
    let mut table = Table::of(what, entry.value, faults)?;
    let account = account(&mut table, faults);
    let caller = table.need("caller", "write `caller = \"mm-1\"`", faults);
    let caller = caller.and_then(|entry| entry.name("a caller's name", faults));
    let market = listed(&mut table, markets, faults);
    let side = table.need("side", "buy or sell", faults);
    let side = side.and_then(|entry| entry.word(&SIDES, faults));
    let qty = table.need("quantity", "write `quantity = \"10\"`", faults);
    let qty = qty.and_then(|entry| plain(&entry, faults));
    let price = table.take("price").map_or(Some(None), |e| price(&e, faults).map(Some));
    table.end(faults);
    let (market, price) = (market?, price?);
    Some(Asked {
        account: account?,
        caller: caller?,
        instrument: market.id.clone(),
        side: side?,
        qty: Qty(qty?),
        price: price.unwrap_or(market.mark),
    })
}

fn moved(entry: &Entry<'_, '_>, markets: &[Market], faults: &mut Faults<'_>) -> Option<Moved> {
    let mut table = Table::of("a mark", entry.value, faults)?;
    let market = listed(&mut table, markets, faults);
    let mark = table.need("mark", "write `mark = \"54_000\"`", faults);
    let mark = mark.and_then(|entry| price(&entry, faults));
    let index = table.take("index").map_or(Some(None), |e| price(&e, faults).map(Some));
    table.end(faults);
    Some(Moved { id: market?.id.clone(), mark: mark?, index: index? })
}

type Position = (AccountName, InstrumentId, SignedQty);

fn position(
    entry: &Entry<'_, '_>,
    markets: &[Market],
    faults: &mut Faults<'_>,
) -> Option<Position> {
    let mut table = Table::of("a position", entry.value, faults)?;
    let account = account(&mut table, faults);
    let market = listed(&mut table, markets, faults);
    let qty =
        table.need("quantity", "write `quantity = \"-10\"`, below zero where it is short", faults);
    let qty = qty.and_then(|entry| signed(&entry, faults));
    table.end(faults);
    Some((account?, market?.id.clone(), SignedQty(qty?)))
}

fn balance(
    entry: &Entry<'_, '_>,
    faults: &mut Faults<'_>,
) -> Option<(AccountName, Currency, Decimal)> {
    let mut table = Table::of("a balance", entry.value, faults)?;
    let account = account(&mut table, faults);
    let coin = table.need("coin", "write `coin = \"BTC\"`", faults);
    let coin = coin.and_then(|entry| entry.name("a coin's name", faults));
    let amount = table.need("amount", "write `amount = \"2.5\"`", faults);
    let amount = amount.and_then(|entry| signed(&entry, faults));
    table.end(faults);
    Some((account?, coin?, amount?))
}

fn account(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Option<AccountName> {
    let account = table.need("account", "write `account = \"main\"`", faults);
    account.and_then(|entry| entry.name("an account's name", faults))
}

/// The market that a key names.
fn listed<'m>(
    table: &mut Table<'_, '_>,
    markets: &'m [Market],
    faults: &mut Faults<'_>,
) -> Option<&'m Market> {
    let entry = table.need("instrument", "write `instrument = \"VENUE/NAME\"`", faults)?;
    let id = instrument(&entry, faults)?;
    match markets.iter().find(|market| market.id == id) {
        Some(market) => Some(market),
        None => entry.wrong("one of the file's markets", "add it as a `[[market]]`", faults),
    }
}

fn instrument(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<InstrumentId> {
    let (expected, hint) = ("an instrument", "write it as \"VENUE/NAME\"");
    let text = entry.text(expected, hint, faults)?;
    let id = text.split_once('/').and_then(|(venue, name)| {
        let (venue, name) = (VenueName::new(venue).ok()?, InstrumentName::new(name).ok()?);
        Some(InstrumentId { venue, name })
    });
    id.or_else(|| entry.wrong(expected, hint, faults))
}

fn plain(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Decimal> {
    let (expected, hint) =
        ("a number in the instrument's unit", "write it as \"1_000.5\", in quotes");
    let text = entry.text(expected, hint, faults)?;
    number(text).or_else(|| entry.wrong(expected, hint, faults))
}

fn signed(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Decimal> {
    let (expected, hint) = ("a number", "write it as \"1_000.5\" or \"-2\", in quotes");
    let text = entry.text(expected, hint, faults)?;
    let read = match text.strip_prefix('-') {
        Some(rest) => number(rest).map(Decimal::neg),
        None => number(text),
    };
    read.or_else(|| entry.wrong(expected, hint, faults))
}

fn price(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Price> {
    plain(entry, faults).map(Price)
}

fn usd(entry: &Entry<'_, '_>, faults: &mut Faults<'_>) -> Option<Usd> {
    let (expected, hint) = ("an amount of dollars", "write it as \"1_000_000 USD\"");
    let text = entry.text(expected, hint, faults)?;
    read_in(text, "USD").map(Usd).or_else(|| entry.wrong(expected, hint, faults))
}

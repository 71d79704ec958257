//! What accounts that trade options hold, valued in every scenario, and what it is valued by.
//!
//! A portfolio is followed for every account that has limits for its options, or ever held or ordered one
//! since the state was made. It follows from positions, orders, marks, quotes and limits alone; each change values one
//! instrument anew.

use crate::Core;
use crate::action::Action;
use crate::orders::Share;
use crate::positions;
use crate::state::State;
use std::collections::{BTreeMap, BTreeSet};
use tidegate_options::portfolio::{Book, Change, More, Portfolio, Weighed};
use tidegate_options::stress::Grid;
use tidegate_options::unit::{PerUnit, QUOTE_AGE};
use tidegate_types::decimal::{Decimal, DecimalError, Rounding};
use tidegate_types::ids::{AccountName, Currency, InstrumentId};
use tidegate_types::instrument::{Instrument, Kind, Mark, Price, Unit, Usd};
use tidegate_types::options::{OptionLimits, OptionQuote, Stress};
use tidegate_types::order::Side;
use tidegate_types::record::{Body, Decision};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};

mod equity;
pub(crate) mod limits;

pub(crate) use equity::Equity;

/// Figures of what is held may be this old: an option far from the money is quoted seldom.
pub(crate) const HELD_AGE: Span = Span::from_secs(60);
/// Quotes in one record, so that it stays below the longest a record may be.
const QUOTES: usize = 400;
/// No grid goes farther: a price cannot fall by more than all of it.
const MOST_BPS: u32 = 9_000;

/// The portfolios that are followed, and what a coin is worth.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Portfolios {
    accounts: BTreeMap<AccountName, Followed>,
    indexes: BTreeMap<Currency, Index>,
}

#[derive(Clone, PartialEq, Debug)]
struct Followed {
    grid: Grid,
    stress: Stress,
    portfolio: Portfolio,
    /// Futures and perpetuals in which there is a position.
    futures: BTreeSet<InstrumentId>,
    /// What is held or ordered, by what it is settled in.
    settled: BTreeMap<Currency, BTreeSet<InstrumentId>>,
}

/// What a coin is worth, by the newest mark of any instrument on it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Index {
    at: Time,
    of: InstrumentId,
    price: Price,
}

/// How an account's options stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// What everything of their coins comes to, open orders at their worst.
    pub weighed: Weighed,
    /// What the account has, in dollars: its balances and its options, less what its futures and perpetuals
    /// lost that is not in the balances yet; none where a balance cannot be valued.
    pub equity: Option<Usd>,
}

/// An order as the portfolio takes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) side: Side,
    /// How much it adds to what is open already, in 10⁻⁸.
    pub(crate) added: i64,
    /// All of it that may trade.
    pub(crate) whole: i64,
    /// The worst price that it may trade at.
    pub(crate) worst: Option<Price>,
    /// What counts as lost by that price already: by the order that it changes.
    pub(crate) slipped: i128,
}

impl Asked {
    /// An order of which `whole` may trade, in the place of one that reserves so much.
    pub(crate) fn of(side: Side, whole: i64, worst: Option<Price>, held: Share) -> Asked {
        let added = whole.saturating_sub(held.qty).max(0);
        Asked { side, added, whole, worst, slipped: held.slip }
    }
}

/// A portfolio before and after an order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weighing {
    pub(crate) before: Weighed,
    pub(crate) after: Weighed,
    /// Of an option: what is sold more than bought of its expiry, before and after, in 10⁻⁸ coins.
    pub(crate) short: Option<(i128, i128)>,
}

impl Core {
    /// Takes quotes that are newer than what is known, of venues where an account's options are limited.
    pub(crate) fn option_quotes(
        &mut self,
        quotes: Vec<OptionQuote>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let state = &self.state;
        let venue = |account| state.accounts.get(account).map(|account| &account.venue);
        let limited = state.portfolios.accounts.keys().filter(|of| state.limits_options(of));
        let venues: BTreeSet<_> = limited.filter_map(venue).collect();
        // A quote is never newer than its arrival, as a mark is not.
        let arrived = |quote: OptionQuote| OptionQuote { at: quote.at.min(now), ..quote };
        let newer = |quote: &OptionQuote| {
            let known = state.option_quotes.get(&quote.instrument);
            let sound = quote.forward.0.is_positive() && quote.volatility.is_positive();
            sound
                && venues.contains(&quote.instrument.venue)
                && known.is_none_or(|known| quote.at > known.at)
        };
        let mut quotes: Vec<_> = quotes.into_iter().map(arrived).filter(newer).collect();
        while !quotes.is_empty() {
            let rest = quotes.split_off(quotes.len().min(QUOTES));
            self.append(Body::OptionQuotes { quotes }, now, out);
            quotes = rest;
        }
    }
}

/// Whether limits can be held.
pub(crate) fn make_sense(limits: &OptionLimits) -> Result<(), Reject> {
    let most = [limits.max_delta, limits.max_gamma, limits.max_vega, limits.max_theta];
    let dollars = most.into_iter().flatten().chain([limits.stress.concentrated_above]);
    let coins = limits.max_net_short.map(|most| most.0);
    if dollars.map(|usd| usd.0).chain(coins).any(Decimal::is_negative) {
        return Err(Reject::new(Code::OutOfRange, "a limit below zero"));
    }
    if limits.stress.range_bps > MOST_BPS || limits.stress.vol_down_bps > MOST_BPS {
        let detail = format!("a price or a volatility that falls by more than {MOST_BPS} bp");
        return Err(Reject::new(Code::OutOfRange, detail));
    }
    Ok(())
}

impl State {
    /// The limits of the accounts' options.
    pub fn option_limits(&self) -> &BTreeMap<AccountName, OptionLimits> {
        &self.option_limits
    }

    /// How an account's options stand; none where it has neither options nor limits for them.
    pub fn options_of(&self, account: &AccountName) -> Option<Standing> {
        let followed = self.portfolios.accounts.get(account)?;
        if !self.option_limits.contains_key(account) && !self.trades_options(account) {
            return None;
        }
        let weighed = followed.portfolio.weigh(&followed.stress, None);
        let weighed = slipped(weighed, self.positions.slips(account));
        Some(Standing { weighed, equity: self.equity(account, weighed.worth).ok() })
    }

    /// An instrument whose figures are too old to weigh an account by, or that has none.
    pub(crate) fn unweighed(&self, account: &AccountName, now: Time) -> Option<&InstrumentId> {
        let since = now.minus(HELD_AGE);
        self.portfolios.accounts.get(account)?.portfolio.unvalued(since, now)
    }

    /// Whether everything that an account holds is in the scenarios, by figures however old.
    pub(crate) fn is_weighed_whole(&self, account: &AccountName, now: Time) -> bool {
        // What has no terms is not in it.
        let all = self.positions.books(account).count();
        self.portfolios.accounts.get(account).is_some_and(|followed| {
            let portfolio = &followed.portfolio;
            portfolio.len() == all && portfolio.unvalued(Time::from_micros(0), now).is_none()
        })
    }

    /// What a unit loses by trading at its worst price instead of the mark that a decision was made by, in dollars.
    pub(crate) fn slip_by(&self, id: &InstrumentId, side: Side, decision: &Decision) -> Price {
        let known = || {
            let (terms, instrument) = (self.instruments.get(id)?, id.clone());
            let (mark, index, at) = (decision.mark?, decision.index?, Time::default());
            let mark = Mark { instrument, mark, index, at };
            slip(terms, &mark, (side, Decimal::ONE.raw(), decision.worst_price)).ok()
        };
        Price(Decimal::from_raw(known().unwrap_or(0)))
    }

    /// What an order would make of an account's portfolio. None where the account's is not followed.
    pub(crate) fn weigh(
        &self,
        account: &AccountName,
        terms: &Instrument,
        order: Asked,
    ) -> Result<Option<Weighing>, Reject> {
        let Some(followed) = self.portfolios.accounts.get(account) else { return Ok(None) };
        let Followed { grid, stress, portfolio, .. } = followed;
        let missing = |what: &str| Reject::new(Code::Unvalued, format!("{}: {what}", terms.id));
        let mark = self.marks.get(&terms.id).ok_or_else(|| missing("no mark"))?;
        let valued;
        let unit = match portfolio.unit(&terms.base, &terms.id) {
            Some(unit) => unit,
            None => {
                let quote = self.option_quotes.get(&terms.id);
                let why = |why| missing(&format!("{why:?}"));
                valued = PerUnit::of(terms, mark, quote, grid).map_err(why)?;
                &valued
            }
        };
        let Asked { side, added: qty, whole, worst, slipped: known } = order;
        let slip = slip(terms, mark, (side, whole, worst));
        let slip = i128::from(slip.map_err(|error| missing(&error.to_string()))?) - known;
        let slip = i64::try_from(slip.max(0)).unwrap_or(i64::MAX);
        let more = More { side, qty, slip };
        let (coin, instrument) = (&terms.base, &terms.id);
        let change = Change { coin, instrument, unit, more };
        let short = unit.series().map(|(expiry, _)| {
            let of = |change| portfolio.net_short(coin, expiry, change);
            (of(None), of(Some(&change)))
        });
        let slips = self.positions.slips(account);
        let before = slipped(portfolio.weigh(stress, None), slips);
        let after = slipped(portfolio.weigh(stress, Some(&change)), slips);
        Ok(Some(Weighing { before, after, short }))
    }

    /// Whether an order makes something worse that is past a limit of the account's options then.
    pub(crate) fn passes_option_limits(
        &self,
        limits: &OptionLimits,
        terms: &Instrument,
        weighing: &Weighing,
    ) -> bool {
        let equity = || self.collateral(&limits.account, weighing.before.worth, terms);
        let rises = weighing.after.margin > weighing.before.margin;
        let margin = || equity().and_then(|equity| limits::margin(limits, weighing, &equity));
        limits::figures(limits, terms, weighing).is_err() || (rises && margin().is_err())
    }

    /// Sets the limits of an account's options, and values all it holds by them.
    pub(crate) fn limit_options(&mut self, limits: OptionLimits) {
        let account = limits.account.clone();
        self.option_limits.insert(account.clone(), limits);
        self.follow(&account);
    }

    /// Takes the limits of an account's options away.
    pub(crate) fn unlimit_options(&mut self, account: &AccountName) {
        self.option_limits.remove(account);
        if self.is_followed(account) {
            self.follow(account);
        } else {
            self.portfolios.accounts.remove(account);
        }
    }

    /// Whether anything limits an account's options: limits of its own, or a policy.
    fn limits_options(&self, account: &AccountName) -> bool {
        self.option_limits.contains_key(account) || self.policies.limit_options_of(account)
    }

    /// Whether an account's portfolio is kept.
    #[cfg(test)]
    pub(crate) fn follows(&self, account: &AccountName) -> bool {
        self.portfolios.accounts.contains_key(account)
    }

    /// Follows every account that is to be, and no other.
    pub(crate) fn follow_where_due(&mut self) {
        let of = |account: &&AccountName| {
            self.is_followed(account) != self.portfolios.accounts.contains_key(*account)
        };
        let changed: Vec<AccountName> = self.accounts.keys().filter(of).cloned().collect();
        for account in changed {
            if self.portfolios.accounts.remove(&account).is_none() {
                self.follow(&account);
            }
        }
    }

    /// Coins of an expiry that an account has sold more than bought, in 10⁻⁸.
    pub(crate) fn net_short(&self, account: &AccountName, coin: &Currency, expiry: Time) -> i128 {
        let followed = self.portfolios.accounts.get(account);
        followed.map_or(0, |followed| followed.portfolio.net_short(coin, expiry, None))
    }

    /// The same of the coin and expiry of which most are.
    pub(crate) fn most_net_short(&self, account: &AccountName) -> i128 {
        let followed = self.portfolios.accounts.get(account);
        followed.map_or(0, |followed| followed.portfolio.most_net_short())
    }

    /// Whether an account has limits of options, or any option held or ordered.
    fn is_followed(&self, account: &AccountName) -> bool {
        self.limits_options(account) || self.trades_options(account)
    }

    /// Whether an account holds an option, or has ordered one.
    pub(crate) fn trades_options(&self, account: &AccountName) -> bool {
        let is_option = |id| self.instruments.get(id).is_some_and(is_option);
        self.positions.books(account).any(|(id, _)| is_option(id))
    }

    /// Takes what an option is valued by.
    pub(crate) fn option_quote(&mut self, quote: &OptionQuote) {
        self.option_quotes.insert(quote.instrument.clone(), quote.clone());
        self.revalue_portfolios(&quote.instrument);
    }

    /// Takes what a coin is worth by a mark.
    pub(crate) fn index_moved(&mut self, mark: &Mark) {
        let Some(terms) = self.instruments.get(&mark.instrument) else { return };
        note_index(&mut self.portfolios.indexes, terms, mark);
    }

    /// Takes in that what an account holds or has ordered of an instrument has changed.
    pub(crate) fn hold(&mut self, account: &AccountName, instrument: &InstrumentId) {
        let Some(terms) = self.instruments.get(instrument) else { return };
        let book = summed(self.positions.book(account, instrument));
        if is_option(terms) && book == Book::default() && !self.is_followed(account) {
            self.portfolios.accounts.remove(account);
            return;
        }
        let Some(followed) = self.portfolios.accounts.get_mut(account) else {
            if is_option(terms) {
                self.follow(account);
            }
            return;
        };
        followed.note(terms, &book);
        if !followed.portfolio.set_book(&terms.base, instrument, book) {
            let marks = self.marks.get(instrument);
            let quote = self.option_quotes.get(instrument);
            followed.set(terms, book, marks, quote);
        }
    }

    /// Values an instrument anew for whoever holds it.
    pub(crate) fn revalue_portfolios(&mut self, instrument: &InstrumentId) {
        let Some(terms) = self.instruments.get(instrument) else { return };
        if is_option(terms) {
            self.follow_holders(instrument);
        }
        if self.portfolios.accounts.is_empty() {
            return;
        }
        let Some(terms) = self.instruments.get(instrument) else { return };
        let (mark, quote) = (self.marks.get(instrument), self.option_quotes.get(instrument));
        for (account, book) in self.positions.holders(instrument) {
            let Some(followed) = self.portfolios.accounts.get_mut(account) else { continue };
            if !followed.is_valued(terms, mark, quote) {
                followed.set(terms, summed(book), mark, quote);
            }
        }
    }

    /// Every portfolio, valued anew.
    pub(crate) fn counted_portfolios(&self) -> Portfolios {
        let mut fresh = Portfolios::default();
        for mark in self.marks.values() {
            if let Some(terms) = self.instruments.get(&mark.instrument) {
                note_index(&mut fresh.indexes, terms, mark);
            }
        }
        for account in self.accounts.keys().filter(|account| self.is_followed(account)) {
            fresh.accounts.insert(account.clone(), self.followed(account));
        }
        fresh
    }

    /// Follows who held an option before its terms were known.
    fn follow_holders(&mut self, instrument: &InstrumentId) {
        let known = &self.portfolios.accounts;
        let holders = self.positions.holders(instrument).map(|(account, _)| account);
        let new: Vec<_> = holders.filter(|of| !known.contains_key(*of)).cloned().collect();
        for account in new {
            self.follow(&account);
        }
    }

    fn follow(&mut self, account: &AccountName) {
        let followed = self.followed(account);
        self.portfolios.accounts.insert(account.clone(), followed);
    }

    fn followed(&self, account: &AccountName) -> Followed {
        let limits = self.option_limits.get(account);
        let stress = limits.map_or(Stress::STANDARD, |limits| limits.stress);
        let grid = Grid::new(&stress);
        let (portfolio, futures, settled) = Default::default();
        let mut followed = Followed { grid, stress, portfolio, futures, settled };
        for (id, book) in self.positions.books(account) {
            if let Some(terms) = self.instruments.get(id) {
                let quote = self.option_quotes.get(id);
                followed.set(terms, summed(*book), self.marks.get(id), quote);
            }
        }
        followed
    }
}

impl Followed {
    fn set(
        &mut self,
        terms: &Instrument,
        book: Book,
        mark: Option<&Mark>,
        quote: Option<&OptionQuote>,
    ) {
        self.note(terms, &book);
        let unit = mark.and_then(|mark| PerUnit::of(terms, mark, quote, &self.grid).ok());
        self.portfolio.set(&terms.base, &terms.id, book, unit);
    }

    fn note(&mut self, terms: &Instrument, book: &Book) {
        self.note_settlement(terms, *book == Book::default());
        if is_option(terms) {
            return;
        }
        if book.position == 0 {
            self.futures.remove(&terms.id);
        } else if !self.futures.contains(&terms.id) {
            self.futures.insert(terms.id.clone());
        }
    }

    fn note_settlement(&mut self, terms: &Instrument, gone: bool) {
        match self.settled.get_mut(&terms.settlement) {
            Some(of) if gone => {
                of.remove(&terms.id);
                if of.is_empty() {
                    self.settled.remove(&terms.settlement);
                }
            }
            Some(of) if !of.contains(&terms.id) => drop(of.insert(terms.id.clone())),
            None if !gone => {
                let of = BTreeSet::from([terms.id.clone()]);
                self.settled.insert(terms.settlement.clone(), of);
            }
            _ => {}
        }
    }

    /// Whether an option is valued already by a quote that still counts: its mark changes nothing then.
    fn is_valued(
        &self,
        terms: &Instrument,
        mark: Option<&Mark>,
        quote: Option<&OptionQuote>,
    ) -> bool {
        let (Some(mark), Some(quote)) = (mark, quote) else { return false };
        let unit = self.portfolio.unit(&terms.base, &terms.id);
        let counts = quote.at.plus(QUOTE_AGE) >= mark.at;
        counts && unit.is_some_and(|unit| unit.is_by(quote))
    }
}

fn is_option(terms: &Instrument) -> bool {
    matches!(terms.kind, Kind::Option { .. })
}

/// So many basis points of an amount, rounded up.
fn share(amount: Decimal, bps: u32) -> Result<Decimal, DecimalError> {
    amount.mul_div(Decimal::from_int(bps.into())?, Decimal::from_int(10_000)?, Rounding::Ceil)
}

/// What is held of an instrument and ordered, as the scenarios take it.
fn summed(book: positions::Book) -> Book {
    let fit = |qty: i128| i64::try_from(qty.max(0)).unwrap_or(i64::MAX);
    Book {
        position: book.position,
        buys: fit(book.buys.saturating_add(book.reducing_buys)),
        sells: fit(book.sells.saturating_add(book.reducing_sells)),
    }
}

fn note_index(indexes: &mut BTreeMap<Currency, Index>, terms: &Instrument, mark: &Mark) {
    let index = Index { at: mark.at, of: mark.instrument.clone(), price: mark.index };
    let known = indexes.get(&terms.base);
    let older = known.is_none_or(|known| (known.at, &known.of) <= (index.at, &index.of));
    if older && mark.index.0.is_positive() {
        indexes.insert(terms.base.clone(), index);
    }
}

/// With what open orders lose where they trade at their worst prices, in 10⁻⁸ dollars.
fn slipped(weighed: Weighed, slips: i128) -> Weighed {
    let slips = Decimal::from_raw(i64::try_from(slips).unwrap_or(i64::MAX));
    let margin = Usd(weighed.margin.0.add(slips).unwrap_or(Decimal::MAX));
    Weighed { margin, ..weighed }
}

/// What is lost at once when an order trades at its worst price instead of the mark, in 10⁻⁸ dollars.
fn slip(
    terms: &Instrument,
    mark: &Mark,
    (side, qty, price): (Side, i64, Option<Price>),
) -> Result<i64, DecimalError> {
    let Some(price) = price else { return Ok(0) };
    let worse = match side {
        Side::Buy => price.0.sub(mark.mark.0)?,
        Side::Sell => mark.mark.0.sub(price.0)?,
    };
    if !worse.is_positive() {
        return Ok(0);
    }
    let qty = Decimal::from_raw(qty);
    let lost = match terms.unit {
        Unit::Linear => qty.mul(worse, Rounding::Ceil)?,
        Unit::CoinOption => qty.mul(worse, Rounding::Ceil)?.mul(mark.index.0, Rounding::Ceil)?,
        Unit::Inverse => qty.mul_div(worse, price.0.min(mark.mark.0), Rounding::Ceil)?,
    };
    Ok(lost.raw())
}

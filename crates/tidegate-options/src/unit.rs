//! What one unit of an instrument gains or loses in every scenario, and what it adds to each sensitivity,
//! as integers of 10⁻⁸ dollars.
//!
//! What is settled in dollars gains dollars. What is settled in coin gains coin, which counts as what it is
//! worth now, as the account's coin does: an inverse contract over one dollar gains `m / (1 + m)` dollars when the
//! price moves by `m`, an inverse option `P' / (1 + m) - P`.

use crate::black::{European, YEAR_DAYS};
use crate::implied::{self, NoVolatility};
use crate::stress::{Grid, ROWS, Row};
use tidegate_types::decimal::Decimal;
use tidegate_types::instrument::{Instrument, Kind, Mark, Unit};
use tidegate_types::options::{OptionQuote, VenueGreeks};
use tidegate_types::time::{Span, Time};

/// Figures that are summed at their worst: the scenarios, then each sensitivity with either sign.
pub const LANES: usize = ROWS + 8;
/// A quote that is so much older than the mark counts no more: the mark's own volatility does.
pub const QUOTE_AGE: Span = Span::from_secs(10);

/// The last day of an option, in which what is added for options sold grows.
const LAST_DAY_DAYS: f64 = 1.0;
/// Of an option that is worth less than exercising it: nearly none.
const LEAST_VOLATILITY: f64 = 0.01;
/// No unit is worth more than a thousand million dollars.
const MOST: f64 = 1e17;
const SCALE: f64 = 1e8;

/// One of an instrument's units, valued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PerUnit {
    pub(crate) lanes: [i64; LANES],
    /// What it is worth itself, in 10⁻⁸ dollars: nothing for a future, which is paid for day by day.
    pub(crate) worth: i64,
    /// What its underlying is worth, in 10⁻⁸ dollars.
    pub(crate) underlying: i64,
    /// Of an option, when it expires and whether it is a call.
    pub(crate) series: Option<(Time, bool)>,
    pub(crate) last_day: bool,
    /// How old the figures are by which it is valued.
    pub(crate) at: Time,
    quoted: bool,
}

/// An instrument cannot be valued: the reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unvalued {
    /// It has expired, by the time of its own figures.
    Expired,
    /// Its mark implies no volatility, and there is no newer one of the venue's.
    NoVolatility,
    /// A number is out of all bounds.
    Senseless,
}

/// By what an option is valued.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Basis {
    /// The option.
    pub option: European,
    /// The venue's own sensitivities, while they are as new as the mark.
    pub greeks: Option<VenueGreeks>,
    /// Whether a quote of the venue's is what it is valued by, and not the mark.
    pub quoted: bool,
    /// How old the figures are.
    pub at: Time,
}

impl PerUnit {
    /// Values a unit by its mark and, of an option, by the venue's forward and volatility; where there are none,
    /// or older ones, by the volatility that the mark implies on the index.
    ///
    /// # Errors
    /// When it cannot be valued.
    pub fn of(
        terms: &Instrument,
        mark: &Mark,
        quote: Option<&OptionQuote>,
        grid: &Grid,
    ) -> Result<PerUnit, Unvalued> {
        match (basis(terms, mark, quote), &terms.kind) {
            (Ok(Some(basis)), _) => option(terms, &basis, grid),
            (Ok(None), _) => future(terms, mark, grid),
            (Err(Unvalued::Expired), Kind::Option { expiry, call, .. }) => {
                Ok(PerUnit::over(*expiry, *call))
            }
            (Err(why), _) => Err(why),
        }
    }

    /// An option that has expired: nothing moves it until the venue settles it.
    fn over(expiry: Time, call: bool) -> PerUnit {
        PerUnit {
            lanes: [0; LANES],
            worth: 0,
            underlying: 0,
            series: Some((expiry, call)),
            last_day: false,
            at: expiry,
            quoted: false,
        }
    }

    /// Whether this quote is what it is valued by.
    pub fn is_by(&self, quote: &OptionQuote) -> bool {
        self.quoted && self.at == quote.at
    }

    /// How old the figures are by which it is valued.
    pub fn at(&self) -> Time {
        self.at
    }

    /// Of an option, when it expires and whether it is a call.
    pub fn series(&self) -> Option<(Time, bool)> {
        self.series
    }

    /// What one unit is worth on the underlying's market, in 10⁻⁸ dollars.
    pub fn underlying(&self) -> i64 {
        self.underlying
    }
}

/// By what an option is valued now; nothing for a future.
///
/// # Errors
/// When there is nothing to value it by.
pub fn basis(
    terms: &Instrument,
    mark: &Mark,
    quote: Option<&OptionQuote>,
) -> Result<Option<Basis>, Unvalued> {
    let Kind::Option { expiry, strike, call } = terms.kind else { return Ok(None) };
    let newer = |quote: &&OptionQuote| quote.at.plus(QUOTE_AGE) >= mark.at;
    let quote = quote.filter(newer);
    let at = quote.map_or(mark.at, |quote| quote.at);
    let forward = number(quote.map_or(mark.index, |quote| quote.forward).0);
    let days = span_days(at, expiry).filter(|days| *days > 0.0).ok_or(Unvalued::Expired)?;
    let years = days / YEAR_DAYS;
    let mut option = European { call, forward, strike: number(strike.0), years, volatility: 0.0 };
    option.volatility = match quote.map(|quote| number(quote.volatility)) {
        Some(told) if told > 0.0 => told,
        _ => match implied::volatility(&option, dollars(terms, mark, forward)) {
            Ok(found) => found,
            Err(NoVolatility::BelowIntrinsic) => LEAST_VOLATILITY,
            Err(NoVolatility::AboveMost) => return Err(Unvalued::NoVolatility),
            Err(NoVolatility::Senseless) if mark.mark.0.is_zero() => LEAST_VOLATILITY,
            Err(NoVolatility::Senseless) => return Err(Unvalued::Senseless),
        },
    };
    let greeks = quote.and_then(|quote| quote.greeks);
    Ok(Some(Basis { option, greeks, quoted: quote.is_some(), at }))
}

/// What the mark of one coin's option is worth in dollars.
fn dollars(terms: &Instrument, mark: &Mark, forward: f64) -> f64 {
    match terms.unit {
        Unit::CoinOption => number(mark.mark.0) * forward,
        Unit::Linear | Unit::Inverse => number(mark.mark.0),
    }
}

fn option(terms: &Instrument, basis: &Basis, grid: &Grid) -> Result<PerUnit, Unvalued> {
    let European { call, forward, strike, years, volatility } = basis.option;
    let in_coin = terms.unit == Unit::CoinOption;
    let days = years * YEAR_DAYS;
    let shocks = grid.shocks(days);
    let spread = volatility * libm::sqrt(years);
    let moneyness = libm::log(forward / strike);
    let now = crate::black::price(call, forward, strike, moneyness, spread);
    let moved = |row: &Row| {
        let spread = spread * shocks.of(row.vol);
        let at = forward * (1.0 + row.price);
        let then = crate::black::price(call, at, strike, moneyness + row.log, spread);
        if in_coin { then / (1.0 + row.price) - now } else { then - now }
    };
    let own = basis.option.greeks();
    let told = |of: fn(&VenueGreeks) -> Decimal| basis.greeks.as_ref().map(|told| number(of(told)));
    let delta = told(|greeks| greeks.delta).unwrap_or(own.delta);
    let premium = if in_coin { now } else { 0.0 };
    let greeks = [
        delta * forward - premium,
        // Venues tell gamma with too few digits to be used.
        own.gamma * forward * forward / 100.0,
        told(|greeks| greeks.vega).unwrap_or(own.vega),
        told(|greeks| greeks.theta).unwrap_or(own.theta),
    ];
    let series = match terms.kind {
        Kind::Option { expiry, call, .. } => Some((expiry, call)),
        Kind::Perpetual | Kind::Future { .. } => None,
    };
    Ok(PerUnit {
        lanes: lanes(grid, moved, greeks)?,
        worth: floor(now)?,
        underlying: floor(forward)?,
        series,
        last_day: days <= LAST_DAY_DAYS,
        at: basis.at,
        quoted: basis.quoted,
    })
}

fn future(terms: &Instrument, mark: &Mark, grid: &Grid) -> Result<PerUnit, Unvalued> {
    let (delta, in_coin) = match terms.unit {
        Unit::Linear => (number(mark.mark.0), false),
        Unit::Inverse | Unit::CoinOption => (1.0, true),
    };
    let moved = |row: &Row| {
        let gain = delta * row.price;
        if in_coin { gain / (1.0 + row.price) } else { gain }
    };
    Ok(PerUnit {
        lanes: lanes(grid, moved, [delta, 0.0, 0.0, 0.0])?,
        worth: 0,
        underlying: floor(delta)?,
        series: None,
        last_day: false,
        at: mark.at,
        quoted: false,
    })
}

fn lanes(
    grid: &Grid,
    moved: impl Fn(&Row) -> f64,
    greeks: [f64; 4],
) -> Result<[i64; LANES], Unvalued> {
    let gains = grid.rows().iter().map(|row| moved(row) * row.weight);
    let either = greeks.iter().flat_map(|greek| [*greek, -greek]);
    let mut lanes = [0; LANES];
    for (lane, gain) in lanes.iter_mut().zip(gains.chain(either)) {
        *lane = floor(gain)?;
    }
    Ok(lanes)
}

/// Dollars as an integer of 10⁻⁸, rounded down.
fn floor(dollars: f64) -> Result<i64, Unvalued> {
    let raw = libm::floor(dollars * SCALE);
    if !raw.is_finite() || libm::fabs(raw) > MOST {
        return Err(Unvalued::Senseless);
    }
    #[allow(clippy::cast_possible_truncation)]
    Ok(raw as i64)
}

#[allow(clippy::cast_precision_loss)]
pub(crate) fn number(decimal: Decimal) -> f64 {
    decimal.raw() as f64 / SCALE
}

/// The days from one time to another; none when it is past.
#[allow(clippy::cast_precision_loss)]
fn span_days(from: Time, to: Time) -> Option<f64> {
    (to > from).then(|| to.since(from).micros() as f64 / 86_400e6)
}

#[cfg(test)]
mod tests;

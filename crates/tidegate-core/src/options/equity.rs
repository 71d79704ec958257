//! What an account has to pay losses with.

use super::{HELD_AGE, share};
use crate::profit;
use crate::state::State;
use std::collections::BTreeMap;
use tidegate_types::decimal::{Decimal, DecimalError, Rounding};
use tidegate_types::ids::{AccountName, Currency};
use tidegate_types::instrument::{Instrument, Usd};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Span;

/// What counts as a dollar.
const DOLLARS: [&str; 7] = ["USD", "USDC", "USDT", "FDUSD", "PYUSD", "RLUSD", "USDE"];

/// What an account has.
#[derive(Clone, Debug)]
pub(crate) struct Equity {
    /// In dollars, rounded down.
    pub(crate) usd: Usd,
    /// A balance that counts for nothing, since its index is too old: where this equity is not enough, that is why.
    pub(crate) left_out: Option<Reject>,
}

impl State {
    /// What a unit of a currency is worth in dollars; none where nothing trades on it here.
    pub(crate) fn dollars_for(&self, currency: &Currency) -> Option<Decimal> {
        if DOLLARS.contains(&currency.as_str()) {
            return Some(Decimal::ONE);
        }
        self.portfolios.indexes.get(currency).map(|index| index.price.0)
    }

    /// How old that is, where it is an index.
    fn index_age(&self, currency: &Currency) -> Option<Span> {
        if DOLLARS.contains(&currency.as_str()) {
            return None;
        }
        self.portfolios.indexes.get(currency).map(|index| self.at.since(index.at))
    }

    /// What an account that is followed has, in dollars, rounded down: balances, options, less what is lost
    /// elsewhere. Otherwise the currency that cannot be valued.
    pub(super) fn equity(&self, account: &AccountName, options: Usd) -> Result<Usd, Reject> {
        let equity = self.equity_where(account, options, |_| None)?;
        equity.left_out.map_or(Ok(equity.usd), Err)
    }

    /// The same with which the worst scenario is paid. What is settled in a coin loses coins; what is settled in
    /// anything else loses that, and the coins that stand for it fall as well, by the range of the scenarios.
    pub(crate) fn collateral(
        &self,
        account: &AccountName,
        options: Usd,
        ordered: &Instrument,
    ) -> Result<Equity, Reject> {
        let followed = self.portfolios.accounts.get(account);
        self.equity_where(account, options, |coin| {
            let held = followed.into_iter().flat_map(|followed| followed.settled.keys());
            let elsewhere = held.chain([&ordered.settlement]).any(|settled| settled != coin);
            followed.filter(|_| elsewhere).map(|followed| followed.stress.range_bps)
        })
    }

    /// What an account has, where coins have fallen by so many basis points, and coins that are owed have risen.
    fn equity_where(
        &self,
        account: &AccountName,
        options: Usd,
        fallen: impl Fn(&Currency) -> Option<u32>,
    ) -> Result<Equity, Reject> {
        let (mut sum, mut left_out) = (options.0, None);
        for (currency, amount) in self.balances.of(account) {
            let what =
                |detail: String| Reject::new(Code::Unvalued, format!("{currency}: {detail}"));
            let rate = match self.rate(currency) {
                Ok(rate) => rate,
                Err(why) if amount.is_negative() => {
                    return Err(what(format!("owed {amount}, and {why}")));
                }
                Err(why) => {
                    left_out = self.dollars_for(currency).map(|_| what(why)).or(left_out);
                    continue;
                }
            };
            let worth = amount.mul(rate, Rounding::Floor);
            let worth = match fallen(currency).filter(|_| !DOLLARS.contains(&currency.as_str())) {
                Some(bps) => worth.and_then(|worth| worth.sub(share(worth.abs(), bps)?)),
                None => worth,
            };
            let sum_of = worth.and_then(|worth| sum.add(worth));
            sum = sum_of.map_err(|error| what(error.to_string()))?;
        }
        let all = sum.add(self.lost_and_not_settled(account));
        let of_range = |error: DecimalError| Reject::new(Code::Unvalued, error.to_string());
        Ok(Equity { usd: Usd(all.map_err(of_range)?), left_out })
    }

    /// What a unit of a currency is worth in dollars, or why that is not known.
    fn rate(&self, currency: &Currency) -> Result<Decimal, String> {
        let rate = self.dollars_for(currency).ok_or("nothing trades on it here")?;
        match self.index_age(currency).filter(|age| *age > HELD_AGE) {
            Some(age) => {
                let (age, most) = (age.millis(), HELD_AGE.millis());
                Err(format!("its index is {age} ms old, at most {most} ms"))
            }
            None => Ok(rate),
        }
    }

    /// What is lost on futures and perpetuals and not in the balances yet, in dollars, never above zero: a gain
    /// is set against losses in the same coin, and what is left of it does not count before it is settled.
    fn lost_and_not_settled(&self, account: &AccountName) -> Decimal {
        let mut won_in: BTreeMap<&Currency, i128> = BTreeMap::new();
        let followed = self.portfolios.accounts.get(account);
        for id in followed.into_iter().flat_map(|followed| &followed.futures) {
            let held = self.instruments.get(id).zip(self.entries.of(account, id));
            // Without terms or a mark nothing may be added, whatever the equity.
            let Some(((terms, entry), mark)) = held.zip(self.marks.get(id)) else { continue };
            let position = self.positions.book(account, id).position;
            let won = profit::won(terms, mark, position, entry);
            let sum = won_in.entry(&terms.settlement).or_default();
            *sum = sum.saturating_add(won);
        }
        let lost = won_in.values().fold(0_i128, |sum, won| sum.saturating_add((*won).min(0)));
        Decimal::from_raw(i64::try_from(lost).unwrap_or(i64::MIN))
    }
}

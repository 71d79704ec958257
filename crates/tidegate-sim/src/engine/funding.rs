//! Funding of perpetuals.

use super::account::{AccountIx, value};
use super::calc;
use super::effect::{Cause, Effect};
use super::exchange::Exchange;
use super::market::{Funding, InstrumentIx, Market, Phase};
use super::order::PosSide;
use tidegate_types::decimal::Decimal;
use tidegate_types::time::{Span, Time};

/// The time a funding rate is quoted for.
pub(crate) const PERIOD: Span = Span::from_secs(8 * 3_600);
/// Past fundings kept per instrument.
const KEPT: usize = 1_000;

/// The first multiple of `every` after `now`.
pub(crate) fn next_after(now: Time, every: Span) -> Time {
    if every == Span::ZERO {
        return Time::from_micros(0);
    }
    Time::from_micros((now.micros() / every.micros() + 1) * every.micros())
}

impl Exchange {
    pub(crate) fn fund_due(&mut self, now: Time) {
        for place in 0..self.markets.len() {
            let Ok(place) = u32::try_from(place) else { return };
            let instrument = InstrumentIx(place);
            let due = self.market(instrument).is_some_and(|m| {
                m.phase == Phase::Trading
                    && m.listing.funding_every != Span::ZERO
                    && m.next_funding <= now
            });
            if due {
                self.fund(instrument, now);
            }
        }
    }

    /// Longs pay shorts the rate of the period's share that has passed.
    pub(crate) fn fund(&mut self, instrument: InstrumentIx, now: Time) {
        let Some(market) = self.market_mut(instrument) else { return };
        let every = market.listing.funding_every;
        let share = share_of_period(every);
        let rate = calc::mul(market.funding_rate(), share);
        let (mark, index, time) = (market.mark, market.index, market.next_funding);
        if market.fundings.len() == KEPT {
            market.fundings.pop_front();
        }
        market.fundings.push_back(Funding { time, rate, mark, index });
        market.next_funding = next_after(now, every);
        let (terms, asset) = (market.listing.clone(), market.listing.settle.clone());
        for place in 0..self.accounts.len() {
            let Ok(place) = u32::try_from(place) else { return };
            let account = AccountIx(place);
            let mut paid = Vec::new();
            for side in [PosSide::Both, PosSide::Long, PosSide::Short] {
                let Some(owner) = self.account_mut(account) else { continue };
                let Some(position) = owner.positions.get_mut(&(instrument, side)) else { continue };
                if position.size.is_zero() {
                    continue;
                }
                let worth = value(&terms, position.size, mark).abs();
                let fee = calc::mul(worth, rate);
                let fee = if position.size.is_positive() { fee.neg() } else { fee };
                position.funding = calc::add(position.funding, fee);
                self.book_entry(account, "FUNDING_FEE", &asset, fee, (Some(instrument), None), now);
                paid.push((instrument, side));
            }
            if !paid.is_empty() && self.account(account).is_some_and(|a| !a.background) {
                self.effects.push(Effect::Account {
                    account,
                    cause: Cause::Funding,
                    assets: vec![(asset.clone(), Decimal::ZERO)],
                    positions: paid,
                });
            }
        }
    }
}

fn share_of_period(every: Span) -> Decimal {
    let whole = calc::int(i64::try_from(PERIOD.micros() / 1_000_000).unwrap_or(1));
    calc::div(calc::int(i64::try_from(every.micros() / 1_000_000).unwrap_or(0)), whole)
}

impl Market {
    /// When funding is next exchanged; the epoch for what has none.
    pub(crate) fn first_funding(every: Span, now: Time) -> Time {
        next_after(now, every)
    }
}

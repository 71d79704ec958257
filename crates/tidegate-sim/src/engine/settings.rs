//! Settings of an account, money in and out, listen keys.

use super::account::AccountIx;
use super::calc;
use super::effect::{Cause, Effect, Setting};
use super::exchange::Exchange;
use super::input::{ListenOp, Refusal, Reply};
use super::margin::bracket_of;
use super::market::InstrumentIx;
use super::order::PosSide;
use super::universe::Venue;
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::time::{Span, Time};

/// How long a listen key lives without being prolonged.
const LISTEN_LIFE: Span = Span::from_secs(3_600);

impl Exchange {
    pub(crate) fn set_leverage(
        &mut self,
        account: AccountIx,
        instrument: InstrumentIx,
        leverage: u32,
    ) -> Result<Reply, Refusal> {
        let market = self.listing(instrument)?;
        let owner = self.account(account).ok_or(Refusal::UnknownInstrument)?;
        let size = owner.net(instrument);
        let worth = super::account::value(&market.listing, size, market.mark).abs();
        let allowed = match market.listing.venue {
            Venue::Binance => bracket_of(worth).1.leverage.min(market.listing.max_leverage),
            Venue::Deribit => market.listing.max_leverage,
        };
        if leverage == 0 || leverage > allowed {
            return Err(Refusal::Leverage);
        }
        if let Some(owner) = self.account_mut(account) {
            owner.leverage.insert(instrument, leverage);
        }
        let setting = Setting::Leverage(instrument, leverage);
        self.effects.push(Effect::Setting { account, setting });
        Ok(Reply::Done)
    }

    pub(crate) fn set_isolated(
        &mut self,
        account: AccountIx,
        instrument: InstrumentIx,
        isolated: bool,
    ) -> Result<Reply, Refusal> {
        self.listing(instrument)?;
        let owner = self.account(account).ok_or(Refusal::UnknownInstrument)?;
        if owner.is_isolated(instrument) == isolated {
            return Err(Refusal::NoChange);
        }
        if self.open_orders(account).any(|order| order.ask.instrument == instrument) {
            return Err(Refusal::HasOrders);
        }
        if owner.positions.iter().any(|(key, p)| key.0 == instrument && !p.size.is_zero()) {
            return Err(Refusal::HasPosition);
        }
        if let Some(owner) = self.account_mut(account) {
            owner.isolated.insert(instrument, isolated);
        }
        Ok(Reply::Done)
    }

    pub(crate) fn set_hedge(&mut self, account: AccountIx, hedge: bool) -> Result<Reply, Refusal> {
        let owner = self.account_mut(account).ok_or(Refusal::UnknownInstrument)?;
        if owner.hedge == hedge {
            return Err(Refusal::NoChange);
        }
        if !owner.open.is_empty() {
            return Err(Refusal::HasOrders);
        }
        if owner.positions.values().any(|position| !position.size.is_zero()) {
            return Err(Refusal::HasPosition);
        }
        owner.hedge = hedge;
        owner.positions.clear();
        Ok(Reply::Done)
    }

    pub(crate) fn set_flag(
        &mut self,
        account: AccountIx,
        name: &Arc<str>,
        value: &Arc<str>,
    ) -> Result<Reply, Refusal> {
        let owner = self.account_mut(account).ok_or(Refusal::UnknownInstrument)?;
        owner.flags.insert(name.clone(), value.clone());
        let setting = Setting::Flag(name.clone(), value.clone());
        self.effects.push(Effect::Setting { account, setting });
        Ok(Reply::Done)
    }

    pub(crate) fn move_margin(
        &mut self,
        account: AccountIx,
        instrument: InstrumentIx,
        amount: Decimal,
    ) -> Result<Reply, Refusal> {
        let market = self.listing(instrument)?;
        let asset = market.listing.settle.clone();
        let owner = self.account(account).ok_or(Refusal::UnknownInstrument)?;
        let held = [PosSide::Both, PosSide::Long, PosSide::Short]
            .into_iter()
            .find(|side| !owner.position(instrument, *side).size.is_zero());
        let Some(side) = held.filter(|_| owner.is_isolated(instrument)) else {
            return Err(Refusal::HasPosition);
        };
        let position = owner.position(instrument, side);
        let least = self.instrument_margin(account, instrument).0;
        let after = calc::add(position.isolated_margin, amount);
        if amount.is_negative() && after < least
            || amount > self.summary(account, &asset).available()
        {
            return Err(Refusal::Margin);
        }
        let owner = self.account_mut(account).ok_or(Refusal::UnknownInstrument)?;
        if let Some(position) = owner.positions.get_mut(&(instrument, side)) {
            position.isolated_margin = after;
        }
        self.effects.push(Effect::Account {
            account,
            cause: Cause::Margin,
            assets: vec![(asset, Decimal::ZERO)],
            positions: vec![(instrument, side)],
        });
        Ok(Reply::Done)
    }

    pub(crate) fn transfer(
        &mut self,
        account: AccountIx,
        asset: &Arc<str>,
        amount: Decimal,
        kind: &Arc<str>,
        now: Time,
    ) -> Result<Reply, Refusal> {
        if amount.is_negative() && amount.neg() > self.summary(account, asset).available() {
            return Err(Refusal::Balance);
        }
        self.book_entry(account, kind, asset, amount, (None, None), now);
        self.effects.push(Effect::Account {
            account,
            cause: Cause::Transfer,
            assets: vec![(asset.clone(), amount)],
            positions: Vec::new(),
        });
        Ok(Reply::Done)
    }

    pub(crate) fn set_countdown(
        &mut self,
        account: AccountIx,
        instrument: InstrumentIx,
        at: Option<Time>,
    ) -> Result<Reply, Refusal> {
        self.listing(instrument)?;
        let owner = self.account_mut(account).ok_or(Refusal::UnknownInstrument)?;
        match at {
            Some(at) => owner.countdowns.insert(instrument, at),
            None => owner.countdowns.remove(&instrument),
        };
        Ok(Reply::Done)
    }

    /// A listen key is a random text; starting again prolongs the one there is.
    pub(crate) fn listen(
        &mut self,
        account: AccountIx,
        op: ListenOp,
        now: Time,
    ) -> Result<Reply, Refusal> {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let until = now.plus(LISTEN_LIFE);
        let present = self.account(account).and_then(|owner| owner.listen_key.clone());
        let next = match (op, present) {
            (ListenOp::Start | ListenOp::Keep, Some((key, _))) => Some((key, until)),
            (ListenOp::Start, None) => {
                let letter = |_| {
                    let place = self.rng.below(LETTERS.len() as u64) as usize;
                    LETTERS.get(place).copied().map_or('x', char::from)
                };
                let key: String = (0..64).map(letter).collect();
                Some((Arc::from(key.as_str()), until))
            }
            (ListenOp::Keep, None) => return Err(Refusal::NoListenKey),
            (ListenOp::Stop, _) => None,
        };
        if let Some(owner) = self.account_mut(account) {
            owner.listen_key = next;
        }
        Ok(Reply::Done)
    }
}

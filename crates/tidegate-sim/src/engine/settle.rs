//! Ends: expiry and delivery, liquidation, timers.

use super::account::{AccountIx, value};
use super::calc;
use super::effect::{Cause, Effect};
use super::exchange::Exchange;
use super::market::{InstrumentIx, Phase};
use super::matching::Origin;
use super::order::{EndReason, NewOrder, OrderId, PosSide, SelfTrade, Tif};
use super::universe::Kind;
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::Time;

impl Exchange {
    /// Delivers what has expired.
    pub(crate) fn settle_due(&mut self, now: Time) {
        for place in 0..self.markets.len() {
            let Ok(place) = u32::try_from(place) else { return };
            let instrument = InstrumentIx(place);
            let due = self.market(instrument).is_some_and(|m| {
                m.phase == Phase::Trading && m.listing.expiry().is_some_and(|expiry| expiry <= now)
            });
            if due {
                self.deliver(instrument, now);
            }
        }
    }

    fn deliver(&mut self, instrument: InstrumentIx, now: Time) {
        let Some(market) = self.market(instrument) else { return };
        let (terms, index) = (market.listing.clone(), market.index);
        let price = match terms.kind {
            Kind::Perpetual | Kind::Future { .. } => index,
            Kind::Option { strike, call, .. } => {
                let gain = if call { calc::sub(index, strike) } else { calc::sub(strike, index) };
                calc::div(gain.max(Decimal::ZERO), index)
            }
        };
        self.end_all_on(instrument, EndReason::Settlement, now);
        for place in 0..self.accounts.len() {
            let Ok(place) = u32::try_from(place) else { return };
            self.deliver_to(AccountIx(place), instrument, price, now);
        }
        if let Some(market) = self.market_mut(instrument) {
            market.phase = Phase::Delivered;
            market.delivered_at = Some(price);
            market.open_interest = Decimal::ZERO;
            market.trades.clear();
            market.minutes.clear();
            market.hours.clear();
        }
        self.effects.push(Effect::Delivered(instrument));
    }

    fn deliver_to(&mut self, account: AccountIx, of: InstrumentIx, price: Decimal, now: Time) {
        let Some(terms) = self.market(of).map(|m| m.listing.clone()) else { return };
        for side in [PosSide::Both, PosSide::Long, PosSide::Short] {
            let Some(owner) = self.account_mut(account) else { return };
            let Some(position) = owner.positions.get_mut(&(of, side)) else { continue };
            if position.size.is_zero() {
                continue;
            }
            let worth = value(&terms, position.size, price);
            let profit = calc::sub(worth, position.cost);
            position.realized = calc::add(position.realized, profit);
            position.size = Decimal::ZERO;
            position.cost = Decimal::ZERO;
            position.isolated_margin = Decimal::ZERO;
            position.updated = now;
            let background = owner.background;
            let amount = if terms.is_option() { worth } else { profit };
            let kind =
                if terms.is_option() { "OPTIONS_SETTLE_PROFIT" } else { "DELIVERED_SETTELMENT" };
            self.book_entry(account, kind, &terms.settle, amount, (Some(of), None), now);
            if !background {
                self.effects.push(Effect::Account {
                    account,
                    cause: Cause::Settlement,
                    assets: vec![(terms.settle.clone(), Decimal::ZERO)],
                    positions: vec![(of, side)],
                });
            }
        }
    }

    fn end_all_on(&mut self, instrument: InstrumentIx, reason: EndReason, now: Time) {
        let on = self.orders.values().filter(|o| o.ask.instrument == instrument && o.is_live());
        let ids: Vec<OrderId> = on.map(|order| order.id).collect();
        for id in ids {
            self.end(id, reason, now);
        }
    }

    /// Good-till dates, dead-man timers and listen keys that have run out.
    pub(crate) fn run_timers(&mut self, now: Time) {
        for place in 0..self.accounts.len() {
            let Ok(place) = u32::try_from(place) else { return };
            let account = AccountIx(place);
            let Some(owner) = self.account(account) else { continue };
            if owner.background {
                continue;
            }
            let gone: Vec<OrderId> = owner
                .open
                .iter()
                .filter(|id| {
                    let tif = self.orders.get(id).map(|order| order.ask.tif);
                    matches!(tif, Some(Tif::Gtd { until }) if until <= now)
                })
                .copied()
                .collect();
            let fired: Vec<InstrumentIx> =
                owner.countdowns.iter().filter(|(_, at)| **at <= now).map(|(ix, _)| *ix).collect();
            let key = owner.listen_key.clone().filter(|(_, until)| *until <= now);
            for id in gone {
                self.end(id, EndReason::Expired, now);
            }
            for instrument in fired {
                self.fire_countdown(account, instrument, now);
            }
            if let Some((key, _)) = key {
                if let Some(owner) = self.account_mut(account) {
                    owner.listen_key = None;
                }
                self.effects.push(Effect::ListenExpired { account, key: key.to_string() });
            }
        }
    }

    fn fire_countdown(&mut self, account: AccountIx, instrument: InstrumentIx, now: Time) {
        let on = self.open_orders(account).filter(|o| o.ask.instrument == instrument);
        let ids: Vec<OrderId> = on.map(|order| order.id).collect();
        self.cancel_many(account, &ids, EndReason::Countdown, now);
        if let Some(owner) = self.account_mut(account) {
            owner.countdowns.remove(&instrument);
        }
    }

    /// Closes the positions of accounts that no longer hold their maintenance margin.
    pub(crate) fn liquidate_due(&mut self, now: Time) {
        for place in 0..self.accounts.len() {
            let Ok(place) = u32::try_from(place) else { return };
            let account = AccountIx(place);
            let Some(owner) = self.account(account) else { continue };
            if owner.background || owner.positions.values().all(|p| p.size.is_zero()) {
                continue;
            }
            let assets: Vec<Arc<str>> = owner.wallets.keys().cloned().collect();
            for asset in assets {
                let sum = self.summary(account, &asset);
                let free = calc::sub(sum.equity(), calc::add(sum.isolated, sum.isolated_profit));
                if sum.maintenance.is_positive() && free < sum.maintenance {
                    self.liquidate(account, &asset, false, now);
                }
                if sum.isolated.is_positive() {
                    self.liquidate(account, &asset, true, now);
                }
                self.cover_loss(account, &asset, now);
            }
        }
    }

    /// Closes the cross positions in an asset, or the isolated ones that are under water.
    fn liquidate(&mut self, account: AccountIx, asset: &str, isolated: bool, now: Time) {
        let Some(owner) = self.account(account) else { return };
        let mut closing = Vec::new();
        for ((instrument, side), position) in &owner.positions {
            let Some(market) = self.market(*instrument) else { continue };
            if position.size.is_zero()
                || &*market.listing.settle != asset
                || owner.is_isolated(*instrument) != isolated
            {
                continue;
            }
            let profit = position.profit(&market.listing, market.mark);
            let held = calc::add(position.isolated_margin, profit);
            if !isolated || held < market.maintenance(position.size) {
                closing.push((*instrument, *side, position.size));
            }
        }
        for (instrument, pos_side, size) in closing {
            let on = self.open_orders(account).filter(|o| o.ask.instrument == instrument);
            let ids: Vec<OrderId> = on.map(|order| order.id).collect();
            self.cancel_many(account, &ids, EndReason::Liquidation, now);
            self.close_by_force(account, instrument, pos_side, size, now);
        }
    }

    fn close_by_force(
        &mut self,
        account: AccountIx,
        instrument: InstrumentIx,
        pos_side: PosSide,
        size: Decimal,
        now: Time,
    ) {
        let side = if size.is_positive() { Side::Sell } else { Side::Buy };
        let mut order = NewOrder::market(instrument, side, size.abs());
        order.pos_side = pos_side;
        order.reduce_only = true;
        order.self_trade = SelfTrade::ExpireMaker;
        order.client_id = Arc::from(format!("autoclose-{}", now.micros()).as_str());
        let origin = Origin { parent: None, liquidation: true };
        let Ok((id, fills)) = self.submit(account, order, origin, now) else { return };
        let (Some(last), Some(order)) = (fills.last(), self.orders.get(&id)) else { return };
        let order = Arc::new(order.clone());
        self.effects.push(Effect::Liquidated { order, price: last.price });
    }

    /// The insurance fund pays what a liquidated account cannot.
    fn cover_loss(&mut self, account: AccountIx, asset: &Arc<str>, now: Time) {
        let Some(owner) = self.account(account) else { return };
        let wallet = owner.wallet(asset);
        let flat = owner.positions.iter().all(|((ix, _), p)| {
            p.size.is_zero() || self.market(*ix).is_none_or(|m| m.listing.settle != *asset)
        });
        if flat && wallet.is_negative() {
            self.book_entry(account, "INSURANCE_CLEAR", asset, wallet.neg(), (None, None), now);
            self.effects.push(Effect::Account {
                account,
                cause: Cause::Insurance,
                assets: vec![(asset.clone(), wallet.neg())],
                positions: Vec::new(),
            });
        }
    }
}

//! Placing, cancelling and amending orders; price-time matching.

use super::account::{AccountIx, value};
use super::calc;
use super::effect::{Cause, Effect, OrderEvent, PublicTrade};
use super::exchange::{CLOSED_KEPT, Exchange, HISTORY_KEPT};
use super::input::{OrderRef, Refusal, Reply};
use super::market::InstrumentIx;
use super::order::{
    EndReason, Fill, NewOrder, Order, OrderId, OrderType, PosSide, PostOnly, SelfTrade, Status, Tif,
};
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::Time;

/// Where an order comes from.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    /// The conditional order it was made of.
    pub(crate) parent: Option<OrderId>,
    /// Whether it liquidates.
    pub(crate) liquidation: bool,
}

impl Origin {
    pub(crate) const CALLER: Origin = Origin { parent: None, liquidation: false };
}

impl Exchange {
    pub(crate) fn place(
        &mut self,
        account: AccountIx,
        order: NewOrder,
        now: Time,
    ) -> Result<Reply, Refusal> {
        self.check_order(account, &order, now)?;
        if order.trigger.is_some() {
            let id = self.wait_for_trigger(account, order, now);
            return self.placed(id, Vec::new());
        }
        let (id, fills) = self.submit(account, order, Origin::CALLER, now)?;
        self.placed(id, fills)
    }

    pub(super) fn placed(&self, id: OrderId, fills: Vec<Fill>) -> Result<Reply, Refusal> {
        let order = self.orders.get(&id).ok_or(Refusal::UnknownOrder)?;
        Ok(Reply::Order(Box::new(order.clone()), fills))
    }

    /// Takes a checked order on and matches it.
    pub(crate) fn submit(
        &mut self,
        account: AccountIx,
        mut order: NewOrder,
        origin: Origin,
        now: Time,
    ) -> Result<(OrderId, Vec<Fill>), Refusal> {
        self.clamp_reducing(account, &mut order)?;
        self.settle_price(&mut order)?;
        self.check_self_trade(account, &order)?;
        if order.tif == Tif::Fok && self.matchable(account, &order) < order.quantity {
            return Err(Refusal::CannotFill);
        }
        self.check_margin(account, &order)?;
        let id = self.next_order;
        self.next_order += 1;
        self.enter(id, account, order, origin, now);
        self.emit(id, OrderEvent::New);
        let fills = self.match_order(id, now);
        self.rest_or_end(id, now);
        Ok((id, fills))
    }

    fn enter(&mut self, id: OrderId, account: AccountIx, ask: NewOrder, origin: Origin, now: Time) {
        let priority = self.next_priority;
        self.next_priority += 1;
        let client_id = ask.client_id.clone();
        let order = Order {
            id,
            account,
            ask,
            status: Status::Open,
            filled: Decimal::ZERO,
            paid: Decimal::ZERO,
            priority,
            created: now,
            updated: now,
            triggered: None,
            parent: origin.parent,
            child: None,
            amended: 0,
            liquidation: origin.liquidation,
        };
        self.orders.insert(id, order);
        if let Some(owner) = self.account_mut(account) {
            owner.open.insert(id);
            if !client_id.is_empty() {
                owner.clients.insert(client_id, id);
            }
        }
    }

    /// A conditional order is taken on without touching the book.
    fn wait_for_trigger(&mut self, account: AccountIx, order: NewOrder, now: Time) -> OrderId {
        let id = self.next_order;
        self.next_order += 1;
        let instrument = order.instrument;
        self.enter(id, account, order, Origin::CALLER, now);
        if let Some(order) = self.orders.get_mut(&id) {
            order.status = Status::Untriggered;
        }
        if let Some(owner) = self.account_mut(account) {
            owner.waiting += 1;
        }
        if let Some(market) = self.market_mut(instrument) {
            market.waiting.insert(id);
        }
        self.emit(id, OrderEvent::New);
        id
    }

    /// A reduce-only order is at most what is there to reduce.
    fn clamp_reducing(&self, account: AccountIx, order: &mut NewOrder) -> Result<(), Refusal> {
        let owner = self.account(account).ok_or(Refusal::UnknownInstrument)?;
        let closes_hedge = matches!(
            (order.pos_side, order.side),
            (PosSide::Long, Side::Sell) | (PosSide::Short, Side::Buy)
        );
        if !order.reduce_only && !order.close_position && !closes_hedge {
            return Ok(());
        }
        let size = owner.position(order.instrument, order.pos_side).size;
        let reducible = match order.side {
            Side::Buy => size.neg(),
            Side::Sell => size,
        };
        if !reducible.is_positive() || closes_hedge && order.quantity > reducible {
            return Err(Refusal::ReduceOnly);
        }
        if order.close_position {
            order.quantity = reducible;
        }
        order.quantity = order.quantity.min(reducible);
        Ok(())
    }

    /// Fixes the price of market-limit orders and of post-only orders that slide.
    pub(super) fn settle_price(&self, order: &mut NewOrder) -> Result<(), Refusal> {
        let market = self.listing(order.instrument)?;
        let opposite = market.book.best(order.side.opposite());
        if order.kind != OrderType::Limit && opposite.is_none() {
            return Err(Refusal::NoLiquidity);
        }
        if order.kind == OrderType::MarketLimit {
            order.price = opposite;
        }
        let (Some(price), Some(best)) = (order.price, opposite) else { return Ok(()) };
        let takes = reaches(order.side, price, best);
        match order.post_only {
            PostOnly::Reject if takes => Err(Refusal::WouldTake),
            PostOnly::Slide if takes => {
                let tick = market.listing.tick_at(best);
                let slid = match order.side {
                    Side::Buy => calc::sub(best, tick),
                    Side::Sell => calc::add(best, tick),
                };
                if !slid.is_positive() {
                    return Err(Refusal::WouldTake);
                }
                order.price = Some(slid);
                Ok(())
            }
            PostOnly::Reject | PostOnly::Slide | PostOnly::No => Ok(()),
        }
    }

    fn check_self_trade(&self, account: AccountIx, order: &NewOrder) -> Result<(), Refusal> {
        if order.self_trade != SelfTrade::RejectTaker {
            return Ok(());
        }
        let market = self.listing(order.instrument)?;
        let mut left = order.quantity;
        for (price, id) in market.book.queue(order.side.opposite()) {
            if !left.is_positive() || order.price.is_some_and(|p| !reaches(order.side, p, price)) {
                break;
            }
            let Some(resting) = self.orders.get(&id) else { continue };
            if resting.account == account {
                return Err(Refusal::SelfTrade);
            }
            left = calc::sub(left, resting.left());
        }
        Ok(())
    }

    /// How much of an order would fill at once.
    fn matchable(&self, account: AccountIx, order: &NewOrder) -> Decimal {
        let Some(market) = self.market(order.instrument) else { return Decimal::ZERO };
        let mut sum = Decimal::ZERO;
        for (price, id) in market.book.queue(order.side.opposite()) {
            if sum >= order.quantity || order.price.is_some_and(|p| !reaches(order.side, p, price))
            {
                break;
            }
            let Some(resting) = self.orders.get(&id) else { continue };
            if resting.account == account && order.self_trade != SelfTrade::Allow {
                if order.self_trade == SelfTrade::ExpireMaker {
                    continue;
                }
                break;
            }
            sum = calc::add(sum, resting.left());
        }
        sum
    }

    /// Trades an order against the book as far as it goes.
    pub(crate) fn match_order(&mut self, id: OrderId, now: Time) -> Vec<Fill> {
        let mut fills = Vec::new();
        while let Some(taker) = self.orders.get(&id) {
            let (side, instrument, limit) = (taker.ask.side, taker.ask.instrument, taker.ask.price);
            let (left, account, mode) = (taker.left(), taker.account, taker.ask.self_trade);
            if taker.status != Status::Open || !left.is_positive() {
                break;
            }
            let front = self.market(instrument).and_then(|m| m.book.front(side.opposite()));
            let Some((price, maker_id)) = front else { break };
            if limit.is_some_and(|limit| !reaches(side, limit, price)) {
                break;
            }
            let Some(maker) = self.orders.get(&maker_id) else { break };
            if maker.account == account && mode != SelfTrade::Allow {
                self.prevent_self_trade(id, maker_id, mode, now);
                continue;
            }
            let quantity = self.fillable(maker_id, left.min(maker.left()));
            if quantity.is_zero() {
                self.end(maker_id, EndReason::ReduceOnly, now);
                continue;
            }
            if let Some(fill) = self.trade(id, maker_id, price, quantity, now) {
                fills.push(fill);
            }
        }
        fills
    }

    fn prevent_self_trade(&mut self, taker: OrderId, maker: OrderId, mode: SelfTrade, now: Time) {
        if matches!(mode, SelfTrade::ExpireMaker | SelfTrade::ExpireBoth) {
            self.end(maker, EndReason::SelfTrade, now);
        }
        if mode != SelfTrade::ExpireMaker {
            self.end(taker, EndReason::SelfTrade, now);
        }
    }

    /// A resting reduce-only order fills no more than the position that is left.
    fn fillable(&self, maker: OrderId, wanted: Decimal) -> Decimal {
        let Some(order) = self.orders.get(&maker) else { return Decimal::ZERO };
        if !order.ask.reduce_only {
            return wanted;
        }
        let owner = self.account(order.account);
        let size = owner
            .map_or(Decimal::ZERO, |a| a.position(order.ask.instrument, order.ask.pos_side).size);
        let reducible = if order.ask.side == Side::Buy { size.neg() } else { size };
        wanted.min(reducible.max(Decimal::ZERO))
    }

    fn trade(
        &mut self,
        taker: OrderId,
        maker: OrderId,
        price: Decimal,
        quantity: Decimal,
        now: Time,
    ) -> Option<Fill> {
        let order = self.orders.get(&taker)?;
        let (instrument, side) = (order.ask.instrument, order.ask.side);
        let liquidation = order.liquidation;
        let id = self.next_trade;
        self.next_trade += 1;
        let market = self.market_mut(instrument)?;
        market.trade_count += 1;
        market.direction = match price.cmp(&market.last) {
            std::cmp::Ordering::Greater => 0,
            std::cmp::Ordering::Less => 2,
            std::cmp::Ordering::Equal => market.direction | 1,
        };
        let trade = PublicTrade {
            id,
            seq: market.trade_count,
            instrument,
            price,
            quantity,
            taker: side,
            mark: market.mark,
            index: market.index,
            direction: market.direction,
            liquidation,
            time: now,
        };
        market.record_trade(trade.clone());
        self.off_book(maker, quantity);
        let before = self.open_position_total(taker, maker);
        self.fill(maker, &trade, true);
        let fill = self.fill(taker, &trade, false);
        let after = self.open_position_total(taker, maker);
        if let Some(market) = self.market_mut(instrument) {
            let change = calc::sub(after, before);
            market.open_interest = calc::add(market.open_interest, change).max(Decimal::ZERO);
        }
        self.effects.push(Effect::Trade(trade));
        fill
    }

    /// Long size of the (one or two) accounts of a trade.
    fn open_position_total(&self, one: OrderId, other: OrderId) -> Decimal {
        let owner = |id| self.orders.get(&id).map(|o: &Order| (o.account, o.ask.instrument));
        let long = |(account, instrument)| {
            let account = self.account(account);
            account.map_or(Decimal::ZERO, |a| {
                [PosSide::Both, PosSide::Long].into_iter().fold(Decimal::ZERO, |sum, side| {
                    calc::add(sum, a.position(instrument, side).size.max(Decimal::ZERO))
                })
            })
        };
        match (owner(one), owner(other)) {
            (Some(a), Some(b)) if a.0 == b.0 => long(a),
            (Some(a), Some(b)) => calc::add(long(a), long(b)),
            _ => Decimal::ZERO,
        }
    }

    /// Takes a fill of a resting order off its book.
    fn off_book(&mut self, id: OrderId, quantity: Decimal) {
        let Some(order) = self.orders.get(&id) else { return };
        let (side, instrument, priority) = (order.ask.side, order.ask.instrument, order.priority);
        let Some(price) = order.ask.price else { return };
        let left = order.left();
        self.tally(id, quantity, false);
        let Some(market) = self.market_mut(instrument) else { return };
        if quantity == left {
            market.book.remove(side, price, priority, left);
        } else {
            market.book.reduce(side, price, quantity);
        }
        let update = market.book.update;
        self.effects.push(Effect::Level { instrument, side, price, update });
    }

    /// Books one side of a trade: order, position, money, history.
    fn fill(&mut self, id: OrderId, trade: &PublicTrade, maker: bool) -> Option<Fill> {
        let market = self.markets.get(trade.instrument.0 as usize)?;
        let terms = &market.listing;
        let order = self.orders.get_mut(&id)?;
        let worth = value(terms, trade.quantity, trade.price).abs();
        order.filled = calc::add(order.filled, trade.quantity);
        order.paid = calc::add(order.paid, worth);
        order.updated = trade.time;
        if !order.left().is_positive() {
            order.status = Status::Filled;
        }
        let owner = self.accounts.get_mut(order.account.0 as usize)?;
        let (fee, realized) = owner.take_fill(market, order, trade, maker);
        let fill = Fill {
            trade: trade.id,
            seq: trade.seq,
            order: id,
            account: order.account,
            instrument: trade.instrument,
            side: order.ask.side,
            pos_side: order.ask.pos_side,
            price: trade.price,
            quantity: trade.quantity,
            fee,
            fee_asset: terms.settle.clone(),
            realized,
            maker,
            mark: trade.mark,
            index: trade.index,
            time: trade.time,
            client_id: order.ask.client_id.clone(),
            kind: order.ask.kind,
            tag: order.ask.tag.clone(),
        };
        let filled = order.status == Status::Filled;
        if owner.background {
            if filled {
                self.retire(id);
            }
            return None;
        }
        if owner.fills.len() == HISTORY_KEPT {
            owner.fills.pop_front();
        }
        owner.fills.push_back(fill.clone());
        let (account, asset) = (fill.account, fill.fee_asset.clone());
        let about = (Some(trade.instrument), Some(trade.id));
        let option = terms.is_option();
        let premium = value(terms, signed(fill.side, fill.quantity), fill.price).neg();
        let profit = if option { premium } else { realized };
        let kind = if option { "OPTIONS_PREMIUM_FEE" } else { "REALIZED_PNL" };
        self.book_entry(account, kind, &asset, profit, about, trade.time);
        self.book_entry(account, "COMMISSION", &asset, fee.neg(), about, trade.time);
        self.emit(id, OrderEvent::Traded(Box::new(fill.clone())));
        self.effects.push(Effect::Account {
            account,
            cause: Cause::Order,
            assets: vec![(asset, Decimal::ZERO)],
            positions: vec![(trade.instrument, fill.pos_side)],
        });
        if filled {
            self.retire(id);
        }
        Some(fill)
    }

    /// Puts what is left of a matched order on the book, or ends it.
    pub(super) fn rest_or_end(&mut self, id: OrderId, now: Time) {
        let Some(order) = self.orders.get(&id) else { return };
        if order.status != Status::Open {
            return;
        }
        let rests = match (order.ask.kind, order.ask.tif) {
            (OrderType::Market, _) | (_, Tif::Ioc | Tif::Fok) => false,
            (OrderType::Limit | OrderType::MarketLimit, Tif::Gtc | Tif::Gtd { .. }) => true,
        };
        if rests { self.rest(id) } else { self.end(id, EndReason::Immediate, now) }
    }

    pub(crate) fn rest(&mut self, id: OrderId) {
        let Some(order) = self.orders.get(&id) else { return };
        let (side, instrument, priority) = (order.ask.side, order.ask.instrument, order.priority);
        let (Some(price), left) = (order.ask.price, order.left()) else { return };
        self.tally(id, left, true);
        let Some(market) = self.market_mut(instrument) else { return };
        market.book.insert(side, price, priority, id, left);
        let update = market.book.update;
        self.effects.push(Effect::Level { instrument, side, price, update });
    }

    /// Keeps an account's totals of what rests.
    pub(crate) fn tally(&mut self, id: OrderId, quantity: Decimal, on: bool) {
        let Some(order) = self.orders.get(&id) else { return };
        let (account, instrument, side) = (order.account, order.ask.instrument, order.ask.side);
        let Some(price) = order.ask.price else { return };
        let Some(market) = self.markets.get(instrument.0 as usize) else { return };
        let worth = value(&market.listing, quantity, price).abs();
        let gone = on || order.left() == quantity;
        let Some(owner) = self.accounts.get_mut(account.0 as usize) else { return };
        let resting = owner.resting.entry(instrument).or_default();
        let change = if on { calc::add } else { calc::sub };
        let (amount, total) = match side {
            Side::Buy => (&mut resting.bids, &mut resting.bid_value),
            Side::Sell => (&mut resting.asks, &mut resting.ask_value),
        };
        *amount = change(*amount, quantity);
        // Values are rounded order by order, so the last order takes the remainder with it.
        *total = if amount.is_zero() { Decimal::ZERO } else { change(*total, worth) };
        if on {
            resting.count += 1;
        } else if gone {
            resting.count = resting.count.saturating_sub(1);
        }
    }

    /// Ends a live order.
    pub(crate) fn end(&mut self, id: OrderId, reason: EndReason, now: Time) {
        let Some(order) = self.orders.get(&id) else { return };
        if !order.is_live() {
            return;
        }
        let (side, instrument, priority) = (order.ask.side, order.ask.instrument, order.priority);
        let (left, account) = (order.left(), order.account);
        if order.status == Status::Untriggered {
            self.stop_waiting(id, account, instrument);
        } else if let Some(price) = order.ask.price
            && self.is_resting(id)
        {
            self.tally(id, left, false);
            if let Some(market) = self.market_mut(instrument) {
                market.book.remove(side, price, priority, left);
                let update = market.book.update;
                self.effects.push(Effect::Level { instrument, side, price, update });
            }
        }
        if let Some(order) = self.orders.get_mut(&id) {
            order.status = Status::Ended { reason };
            order.updated = now;
        }
        self.emit(id, OrderEvent::Ended);
        self.retire(id);
    }

    fn is_resting(&self, id: OrderId) -> bool {
        let Some(order) = self.orders.get(&id) else { return false };
        let (Some(price), Some(market)) = (order.ask.price, self.market(order.ask.instrument))
        else {
            return false;
        };
        market.book.holds(order.ask.side, price, order.priority)
    }

    pub(crate) fn stop_waiting(&mut self, id: OrderId, account: AccountIx, of: InstrumentIx) {
        if let Some(owner) = self.account_mut(account) {
            owner.waiting = owner.waiting.saturating_sub(1);
        }
        if let Some(market) = self.market_mut(of) {
            market.waiting.remove(&id);
        }
    }

    /// Moves an order from the live ones to the remembered ones.
    pub(crate) fn retire(&mut self, id: OrderId) {
        let Some(order) = self.orders.get(&id) else { return };
        let Some(owner) = self.accounts.get_mut(order.account.0 as usize) else { return };
        owner.open.remove(&id);
        let forgotten = if owner.background {
            Some(id)
        } else {
            owner.closed.push_back(id);
            if owner.closed.len() > CLOSED_KEPT { owner.closed.pop_front() } else { None }
        };
        let Some(old) = forgotten.and_then(|old| self.orders.remove(&old)) else { return };
        if owner.clients.get(&old.ask.client_id) == Some(&old.id) {
            owner.clients.remove(&old.ask.client_id);
        }
    }

    pub(crate) fn cancel(
        &mut self,
        account: AccountIx,
        target: &OrderRef,
        now: Time,
    ) -> Result<Reply, Refusal> {
        let order = self.find_order(account, target).ok_or(Refusal::UnknownOrder)?;
        if !order.is_live() {
            return Err(Refusal::NotOpen);
        }
        let id = order.id;
        self.end(id, EndReason::User, now);
        self.placed(id, Vec::new())
    }

    pub(crate) fn cancel_many(
        &mut self,
        account: AccountIx,
        orders: &[OrderId],
        reason: EndReason,
        now: Time,
    ) -> Reply {
        let mut ended = Vec::new();
        for id in orders {
            if self.orders.get(id).is_some_and(|o| o.account == account && o.is_live()) {
                self.end(*id, reason, now);
                ended.extend(self.orders.get(id).cloned());
            }
        }
        Reply::Cancelled(ended)
    }
}

/// Whether an order of `side` limited to `limit` takes what rests at `price`.
pub(crate) fn reaches(side: Side, limit: Decimal, price: Decimal) -> bool {
    match side {
        Side::Buy => limit >= price,
        Side::Sell => limit <= price,
    }
}

/// A quantity with the sign of its side.
pub(crate) fn signed(side: Side, quantity: Decimal) -> Decimal {
    match side {
        Side::Buy => quantity,
        Side::Sell => quantity.neg(),
    }
}

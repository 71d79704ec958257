//! The rules an order must meet before it comes near the book.

use super::account::{Account, AccountIx};
use super::calc;
use super::exchange::Exchange;
use super::input::Refusal;
use super::market::{Market, Phase};
use super::order::{NewOrder, OrderType, PosSide, Tif, Trigger, TriggerKind};
use super::universe::{Unit, Venue};
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::Time;

/// Open orders per account and instrument.
const ORDERS_MAX: u32 = 10_000;
/// Conditional orders per account.
const TRIGGERS_MAX: u32 = 200;

impl Exchange {
    /// Everything that can be said about an order before it is matched, money apart.
    pub(crate) fn check_order(
        &self,
        account: AccountIx,
        order: &NewOrder,
        now: Time,
    ) -> Result<(), Refusal> {
        let market = self.listing(order.instrument)?;
        let owner = self.account(account).ok_or(Refusal::UnknownInstrument)?;
        if market.phase != Phase::Trading || market.listing.venue != owner.venue {
            return Err(Refusal::NotTrading);
        }
        check_side(owner, order)?;
        if !order.close_position {
            check_quantity(market, order.kind, order.quantity)?;
        }
        if order.kind == OrderType::Limit {
            check_price(market, order.side, order.price)?;
        }
        if let Tif::Gtd { until } = order.tif
            && until <= now
        {
            return Err(Refusal::BadGoodTill);
        }
        if let Some(trigger) = &order.trigger {
            if owner.waiting >= TRIGGERS_MAX {
                return Err(Refusal::TooManyTriggers);
            }
            check_trigger(market, order, trigger)?;
        } else if !order.reduce_only {
            check_notional(market, order)?;
        }
        if owner.resting.get(&order.instrument).is_some_and(|r| r.count >= ORDERS_MAX) {
            return Err(Refusal::TooManyOrders);
        }
        if order.unique
            && let Some(taken) = owner.clients.get(&order.client_id)
            && owner.open.contains(taken)
        {
            return Err(Refusal::DuplicateClientId);
        }
        Ok(())
    }
}

fn check_side(owner: &Account, order: &NewOrder) -> Result<(), Refusal> {
    if owner.hedge != (order.pos_side != PosSide::Both) {
        return Err(Refusal::PositionSide);
    }
    Ok(())
}

/// Whether a quantity is one the instrument trades in.
pub(crate) fn check_quantity(
    market: &Market,
    kind: OrderType,
    quantity: Decimal,
) -> Result<(), Refusal> {
    let terms = &market.listing;
    let largest = match kind {
        OrderType::Limit => terms.max_quantity,
        OrderType::Market | OrderType::MarketLimit => terms.max_market_quantity,
    };
    if !quantity.is_positive() {
        return Err(Refusal::BadQuantity);
    }
    if quantity < terms.min_quantity {
        return Err(Refusal::TooSmall);
    }
    if quantity > largest {
        return Err(Refusal::TooLarge);
    }
    if !quantity.is_multiple_of(terms.step) {
        return Err(Refusal::OffStep);
    }
    Ok(())
}

/// Whether a limit price is on a tick and within the band around the mark.
pub(crate) fn check_price(
    market: &Market,
    side: Side,
    price: Option<Decimal>,
) -> Result<(), Refusal> {
    let price = price.ok_or(Refusal::BadPrice)?;
    if !price.is_positive() {
        return Err(Refusal::BadPrice);
    }
    if !price.is_multiple_of(market.listing.tick_at(price)) {
        return Err(Refusal::OffTick);
    }
    let (low, high) = market.price_limits();
    match (market.listing.venue, side) {
        (Venue::Binance, Side::Buy) | (Venue::Deribit, _) if price > high => {
            Err(Refusal::PriceTooHigh(high))
        }
        (Venue::Binance, Side::Sell) | (Venue::Deribit, _) if price < low => {
            Err(Refusal::PriceTooLow(low))
        }
        _ => Ok(()),
    }
}

fn check_notional(market: &Market, order: &NewOrder) -> Result<(), Refusal> {
    let least = market.listing.min_notional;
    let price = order.price.unwrap_or(market.mark);
    let worth = match market.listing.unit {
        Unit::Linear | Unit::CoinOption => order
            .quantity
            .mul(price, tidegate_types::decimal::Rounding::Floor)
            .map_err(|_| Refusal::TooLarge)?,
        Unit::Inverse => order.quantity,
    };
    if worth < least { Err(Refusal::MinNotional(least)) } else { Ok(()) }
}

fn check_trigger(market: &Market, order: &NewOrder, trigger: &Trigger) -> Result<(), Refusal> {
    if let TriggerKind::Trailing { offset, .. } = trigger.kind {
        return if offset.is_positive() { Ok(()) } else { Err(Refusal::BadTrigger) };
    }
    if !trigger.price.is_positive()
        || !trigger.price.is_multiple_of(market.listing.tick_at(trigger.price))
    {
        return Err(Refusal::BadTrigger);
    }
    if super::conditional::fires(trigger, order.side, market.watched(trigger.by)) {
        return Err(Refusal::WouldTrigger);
    }
    Ok(())
}

impl Market {
    /// The lowest and highest limit price taken now.
    pub fn price_limits(&self) -> (Decimal, Decimal) {
        use tidegate_types::decimal::Rounding::{Ceil, Floor};
        let terms = &self.listing;
        if terms.band.is_zero() {
            return (terms.tick, Decimal::MAX);
        }
        let spread = match terms.unit {
            // An option's band is a share of the underlying, not of a price near zero.
            Unit::CoinOption => terms.band,
            Unit::Linear | Unit::Inverse => calc::mul(self.mark, terms.band),
        };
        let high = calc::add(self.mark, spread);
        let low = calc::sub(self.mark, spread).max(terms.tick);
        let low = calc::round(low, terms.tick_at(low), Ceil);
        (low, calc::round(high, terms.tick_at(high), Floor))
    }
}

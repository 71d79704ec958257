//! Whether the numbers make sense for the instrument. No order is spared this.

use tidegate_types::instrument::{Instrument, Price, Qty};
use tidegate_types::order::NewOrder;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::Time;

/// Units, tick, lot, smallest and largest quantity.
pub(super) fn check(order: &NewOrder, terms: &Instrument, now: Time) -> Result<(), Reject> {
    if order.order_type.has_price() != order.price.is_some()
        || order.order_type.is_conditional() != order.trigger.is_some()
    {
        let detail = format!("{:?} without its price, or with one too many", order.order_type);
        return Err(Reject::new(Code::Uncomputable, detail));
    }
    if order.valid_until.is_some_and(|until| until <= now) {
        return Err(Reject::new(Code::OutOfRange, "the order's own deadline has passed"));
    }
    let trigger = order.trigger.as_ref().map(|trigger| trigger.price);
    for price in order.price.into_iter().chain(trigger) {
        on_tick(price, terms)?;
    }
    quantity(order.qty, terms)
}

fn on_tick(price: Price, terms: &Instrument) -> Result<(), Reject> {
    if !price.0.is_positive() {
        return Err(Reject::new(Code::OutOfRange, format!("price {price} is not above zero")));
    }
    let tick = terms.tick_at(price);
    if price.0.is_multiple_of(tick.0) {
        return Ok(());
    }
    Err(Reject::new(Code::BadPriceStep, format!("price {price}, tick {tick}")))
}

fn quantity(qty: Qty, terms: &Instrument) -> Result<(), Reject> {
    if !qty.0.is_positive() {
        return Err(Reject::new(Code::OutOfRange, format!("quantity {qty} is not above zero")));
    }
    if !qty.0.is_multiple_of(terms.lot.0) || qty < terms.min_qty {
        let detail = format!("quantity {qty}, lot {}, minimum {}", terms.lot, terms.min_qty);
        return Err(Reject::new(Code::BadQuantityStep, detail));
    }
    if let Some(most) = terms.max_qty.filter(|most| qty > *most) {
        let detail = format!("quantity {qty}, the venue takes {most} at most");
        return Err(Reject::new(Code::OutOfRange, detail));
    }
    Ok(())
}

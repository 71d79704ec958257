//! Whether the numbers make sense for the instrument. No order is spared this.

use crate::over;
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
    if let Some(until) = order.valid_until.filter(|until| *until <= now) {
        let detail = over::time("own deadline", "the order", now, until);
        return Err(Reject::new(Code::OutOfRange, detail));
    }
    let trigger = order.trigger.as_ref().map(|trigger| trigger.price);
    for price in order.price.into_iter().chain(trigger) {
        on_tick(price, terms)?;
    }
    quantity(order.qty, terms)
}

fn on_tick(price: Price, terms: &Instrument) -> Result<(), Reject> {
    let of = || terms.id.to_string();
    if !price.0.is_positive() {
        return Err(Reject::new(Code::OutOfRange, over::nothing("price", &of(), price.0)));
    }
    let tick = terms.tick_at(price);
    if price.0.is_multiple_of(tick.0) {
        return Ok(());
    }
    Err(Reject::new(Code::BadPriceStep, over::step("price step", &of(), price.0, tick.0)))
}

fn quantity(qty: Qty, terms: &Instrument) -> Result<(), Reject> {
    let of = || terms.id.to_string();
    if !qty.0.is_positive() {
        return Err(Reject::new(Code::OutOfRange, over::nothing("quantity", &of(), qty.0)));
    }
    if qty < terms.min_qty {
        let detail = over::least("minimum quantity", &of(), qty.0, terms.min_qty.0, "");
        return Err(Reject::new(Code::BadQuantityStep, detail));
    }
    if !qty.0.is_multiple_of(terms.lot.0) {
        let detail = over::step("quantity step", &of(), qty.0, terms.lot.0);
        return Err(Reject::new(Code::BadQuantityStep, detail));
    }
    if let Some(most) = terms.max_qty.filter(|most| qty > *most) {
        let detail = over::most("the venue's largest quantity", &of(), qty.0, most.0, "");
        return Err(Reject::new(Code::OutOfRange, detail));
    }
    Ok(())
}

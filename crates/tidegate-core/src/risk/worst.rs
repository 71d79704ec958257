//! The worst price an order may trade at, and what one unit of it may come to be worth.

use super::collar::{Band, reference};
use tidegate_types::decimal::Decimal;
use tidegate_types::instrument::{Instrument, Mark, Price, Unit};
use tidegate_types::order::{NewOrder, Side};
use tidegate_types::reject::Reject;

/// An order at its worst.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worst {
    /// The worst price it may trade at.
    pub(super) price: Price,
    /// What one unit is worth then, in dollars.
    pub(super) unit_value: Price,
}

/// An order with a limit trades at it at worst; one without, at the edge of the collar around the
/// mark or its trigger. A buy is worth what it may cost. A sell may trade higher than it asks, so it
/// is worth the mark or its reference at least.
pub(super) fn of(
    order: &NewOrder,
    terms: &Instrument,
    mark: &Mark,
    band: Band,
) -> Result<Worst, Reject> {
    let around = reference(order, mark.mark);
    let price = match order.price {
        Some(limit) => limit,
        None => band.edge(around, order.side).map_err(super::uncomputable)?,
    };
    let unit_value = match terms.unit {
        Unit::Inverse => Price(Decimal::ONE),
        Unit::CoinOption => mark.index,
        Unit::Linear => match order.side {
            Side::Buy => price,
            Side::Sell => price.max(around).max(mark.mark),
        },
    };
    if !unit_value.0.is_positive() {
        let detail = format!("{}: mark {}, index {}", terms.id, mark.mark, mark.index);
        return Err(Reject::new(tidegate_types::reject::Code::Uncomputable, detail));
    }
    Ok(Worst { price, unit_value })
}

//! How far from the mark a price may be, on the side that costs.
//!
//! The band is `collar_bps` of the mark. An option may be worth a tick or two, where any share of
//! the mark is less than a tick: its band is the larger of `option_collar_bps` of the mark, half a
//! percent of the index (0.005 for a premium in coin), and five ticks.
//!
//! An order without a limit price is counted at the band's edge, and the venue is not told so: it trades at what the
//! book has, farther too. Only the collar of a policy refuses it (`policy/judge.rs`).

use crate::over;
use tidegate_types::decimal::{Decimal, DecimalError, Rounding};
use tidegate_types::grant::AccountLimits;
use tidegate_types::instrument::{Instrument, Kind, Mark, Price, Unit};
use tidegate_types::order::{NewOrder, OrderType, Side};
use tidegate_types::reject::{Code, Reject};

const BASIS_POINTS: Decimal = Decimal::new(10_000, 0);
const OPTION_FLOOR: Decimal = Decimal::new(5, 3);
const OPTION_FLOOR_TICKS: Decimal = Decimal::new(5, 0);

/// How far a price may be from its reference: a share of it, and at least so much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Band {
    bps: Decimal,
    floor: Decimal,
}

impl Band {
    /// The highest price that may be paid, or the lowest that may be taken, around `reference`.
    pub(super) fn edge(self, reference: Price, side: Side) -> Result<Price, DecimalError> {
        let share = reference.0.mul_div(self.bps, BASIS_POINTS, Rounding::Floor)?;
        let width = share.max(self.floor);
        match side {
            Side::Buy => reference.0.add(width).map(Price),
            Side::Sell => Ok(Price(reference.0.sub(width)?.max(Decimal::ZERO))),
        }
    }
}

/// The band of an instrument.
pub(super) fn band(
    terms: &Instrument,
    mark: &Mark,
    limits: &AccountLimits,
) -> Result<Band, DecimalError> {
    match terms.kind {
        Kind::Perpetual | Kind::Future { .. } => {
            let bps = Decimal::from_int(i64::from(limits.collar_bps))?;
            Ok(Band { bps, floor: Decimal::ZERO })
        }
        Kind::Option { .. } => {
            let share = match terms.unit {
                Unit::CoinOption => OPTION_FLOOR,
                Unit::Linear | Unit::Inverse => mark.index.0.mul(OPTION_FLOOR, Rounding::Floor)?,
            };
            let ticks = terms.tick.0.mul(OPTION_FLOOR_TICKS, Rounding::Floor)?;
            let bps = Decimal::from_int(i64::from(limits.option_collar_bps))?;
            Ok(Band { bps, floor: share.max(ticks) })
        }
    }
}

/// Refuses a limit price beyond the band.
pub(super) fn check(
    order: &NewOrder,
    mark: &Mark,
    band: Band,
    limits: &AccountLimits,
) -> Result<(), Reject> {
    let Some(price) = order.price else { return Ok(()) };
    let reference = reference(order, mark.mark);
    let edge = band.edge(reference, order.side).map_err(super::uncomputable)?;
    let of = over::account(&limits.account);
    let told = match order.side {
        Side::Buy if price > edge => over::most("collar", &of, price.0, edge.0, ""),
        Side::Sell if price < edge => over::least("collar", &of, price.0, edge.0, ""),
        Side::Buy | Side::Sell => return Ok(()),
    };
    let detail = format!("{told}, reference {reference}, mark {}", mark.mark);
    Err(Reject::new(Code::PriceCollar, detail))
}

/// The price around which the order will trade: for an order that waits its trigger, but the mark
/// when that is past the trigger already, for then it fires at once.
pub(super) fn reference(order: &NewOrder, mark: Price) -> Price {
    let Some(trigger) = order.trigger.as_ref().map(|trigger| trigger.price) else { return mark };
    let take = match order.order_type {
        OrderType::TakeMarket | OrderType::TakeLimit => true,
        OrderType::StopMarket
        | OrderType::StopLimit
        | OrderType::Limit
        | OrderType::Market
        | OrderType::MarketLimit => false,
    };
    match (take, order.side) {
        (true, Side::Buy) | (false, Side::Sell) => trigger.min(mark),
        (true, Side::Sell) | (false, Side::Buy) => trigger.max(mark),
    }
}

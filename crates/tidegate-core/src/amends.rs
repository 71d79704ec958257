//! Changes of orders that were not answered, and what the venue tells of them.

use crate::orders::{Order, PendingAmend, Terms};
use crate::told::NOT_FOUND_MARGIN;
use tidegate_types::instrument::Price;
use tidegate_types::order::Side;
use tidegate_types::report::OrderReport;
use tidegate_types::time::Time;

/// What a report tells of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// It is in force.
    Made,
    /// It was not in force then.
    NotMade,
    /// Neither: the report lacks what was to change, or shows it in a third way.
    Nothing,
}

impl Told {
    /// The venue makes a change as a whole or not at all, so that one part tells of all of it.
    pub(crate) fn of(before: &Terms, asked: &Terms, report: &OrderReport) -> Told {
        let told_qty = Some(report.qty).filter(|qty| qty.0.is_positive());
        let told_price = report.price.filter(|price| price.0.is_positive());
        let parts = [
            part(before.qty, asked.qty, told_qty),
            part(before.price, asked.price, told_price.map(Some)),
            part(before.trigger_price, asked.trigger_price, report.trigger_price.map(Some)),
            part(before.post_only, asked.post_only, report.post_only),
            part(before.reduce_only, asked.reduce_only, report.reduce_only),
        ];
        let any = |told| parts.contains(&Some(told));
        match (any(Told::Made), any(Told::NotMade)) {
            (true, false) => Told::Made,
            (false, true) => Told::NotMade,
            (true, true) => Told::Nothing,
            // Nothing was to change.
            (false, false) if !any(Told::Nothing) => Told::Made,
            (false, false) => Told::Nothing,
        }
    }
}

/// What is told of one part of a change; `None` if it was not to change.
fn part<T: PartialEq>(before: T, asked: T, told: Option<T>) -> Option<Told> {
    if before == asked {
        return None;
    }
    Some(match told {
        Some(told) if told == asked => Told::Made,
        Some(told) if told == before => Told::NotMade,
        Some(_) | None => Told::Nothing,
    })
}

/// Of two prices the one that trades more readily.
pub(crate) fn nearer(side: Side, one: Option<Price>, other: Option<Price>) -> Option<Price> {
    let (one, other) = (one?, other?);
    Some(match side {
        Side::Buy => one.max(other),
        Side::Sell => one.min(other),
    })
}

impl PendingAmend {
    fn terms(&self) -> Terms {
        Terms {
            qty: self.qty,
            price: self.price,
            trigger_price: self.trigger_price,
            post_only: self.post_only,
            reduce_only: self.reduce_only,
        }
    }
}

impl Order {
    /// Takes in what the venue, asked at `asked`, tells of a change that it did not answer. That it is
    /// not in force counts only when asked after the venue must have refused it.
    pub(crate) fn hear_of_amend(&mut self, report: &OrderReport, asked: Time) {
        let Some(amend) = self.amend.as_ref().filter(|amend| amend.unknown) else { return };
        let over = asked > amend.deadline.plus(NOT_FOUND_MARGIN);
        match Told::of(&Terms::of(&self.request), &amend.terms(), report) {
            Told::Made => self.amended(),
            Told::NotMade if over => self.amend = None,
            Told::Nothing if over => self.amended_or_not(),
            Told::NotMade | Told::Nothing => {}
        }
    }

    /// It will never be told whether a change was made: from now on the worse of both is reserved.
    fn amended_or_not(&mut self) {
        let Some(amend) = self.amend.take() else { return };
        self.request.qty = self.request.qty.max(amend.qty);
        self.request.price = nearer(self.request.side, self.request.price, amend.price);
        self.request.reduce_only &= amend.reduce_only;
        self.unit_value = self.unit_value.max(amend.unit_value);
        self.slip = self.slip.max(amend.slip);
        self.reducing &= amend.reducing;
    }
}

//! Alarms: what happened at a venue that Tidegate did not cause, and what was counted otherwise there.
//! They follow from the records, so that no restart forgets one; only somebody who has seen them
//! takes them off the list (`Change::AlarmsSeen`).

use crate::orders::{Order, Stage};
use std::collections::BTreeMap;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{
    AccountName, CallerName, Currency, InstrumentId, OrderId, TradeId, VenueOrderId,
};
use tidegate_types::limits::{MAX_ALARMS, MAX_STRAY_TRADES};
use tidegate_types::order::{Side, TimeInForce};
use tidegate_types::report::{BalanceReport, FillReport, OrderReport, VenueState};
use tidegate_types::time::Time;
use tidegate_types::{codec_enum, codec_struct};

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AlarmKind {
    /// An order was placed past Tidegate.
    ForeignOrder,
    /// An order that was placed past Tidegate traded.
    ForeignFill,
    /// An order of Tidegate's was cancelled, and Tidegate did not ask for that.
    ForeignCancel,
    /// An order of Tidegate's was changed, and Tidegate did not ask for that.
    ForeignAmend,
    /// A position differed from what the trades came to, and is the venue's now.
    Position,
    /// A balance differed from what the stream had told, and is the venue's now.
    Balance,
}
codec_enum!(AlarmKind {
    0 => ForeignOrder, 1 => ForeignFill, 2 => ForeignCancel, 3 => ForeignAmend, 4 => Position,
    5 => Balance,
});

impl AlarmKind {
    /// A word for it.
    pub const fn word(self) -> &'static str {
        match self {
            AlarmKind::ForeignOrder => "foreign-order",
            AlarmKind::ForeignFill => "foreign-fill",
            AlarmKind::ForeignCancel => "foreign-cancel",
            AlarmKind::ForeignAmend => "foreign-amend",
            AlarmKind::Position => "position-differed",
            AlarmKind::Balance => "balance-differed",
        }
    }
}

/// What an alarm is about; the same again is counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// On which account.
    pub account: AccountName,
    /// Of which instrument.
    pub instrument: Option<InstrumentId>,
    /// Of which asset.
    pub asset: Option<Currency>,
    /// Whose order it was.
    pub caller: Option<CallerName>,
}
codec_struct!(About { account, instrument, asset, caller });

/// Something that somebody has to look at, and the newest of its kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alarm {
    /// What.
    pub kind: AlarmKind,
    /// About what.
    pub about: About,
    /// Which order, if it is in the table.
    pub order: Option<OrderId>,
    /// The venue's id of it.
    pub venue_id: Option<VenueOrderId>,
    /// Its side.
    pub side: Option<Side>,
    /// How much: of an order or a trade its quantity, else what the venue shows.
    pub qty: Decimal,
    /// What had been counted, of a position or a balance.
    pub counted: Option<Decimal>,
    /// When it happened first.
    pub first: Time,
    /// When it happened last.
    pub last: Time,
    /// How often.
    pub count: u64,
}
codec_struct!(Alarm { kind, about, order, venue_id, side, qty, counted, first, last, count });

/// The alarms that nobody has seen yet, and what is needed to raise each once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Alarms {
    kept: Vec<Alarm>,
    raised: u64,
    strays: BTreeMap<AccountName, Vec<Stray>>,
}
codec_struct!(Alarms { kept, raised, strays });

/// A trade of an order that is not in the table.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Stray {
    instrument: InstrumentId,
    trade: TradeId,
}
codec_struct!(Stray { instrument, trade });

impl Alarms {
    /// Those that nobody has seen yet, the newest last; the oldest go when there are too many.
    pub fn unseen(&self) -> &[Alarm] {
        &self.kept
    }

    /// How many there were since the journal began, seen ones and those no longer listed too.
    pub fn raised(&self) -> u64 {
        self.raised
    }

    /// Whether a trade of an order that is not in the table was counted already.
    pub(crate) fn knows(&self, account: &AccountName, fill: &FillReport) -> bool {
        let known = |s: &Stray| s.trade == fill.trade_id && s.instrument == fill.instrument;
        self.strays.get(account).is_some_and(|strays| strays.iter().any(known))
    }

    /// Takes note of such a trade; of the newest ones only.
    pub(crate) fn note(&mut self, account: &AccountName, fill: &FillReport) {
        let strays = self.strays.entry(account.clone()).or_default();
        if strays.len() >= MAX_STRAY_TRADES {
            strays.drain(..MAX_STRAY_TRADES / 2);
        }
        let (instrument, trade) = (fill.instrument.clone(), fill.trade_id.clone());
        strays.push(Stray { instrument, trade });
    }

    /// Somebody has seen those that were raised last at `until` or before.
    pub(crate) fn seen(&mut self, until: Time) {
        self.kept.retain(|alarm| alarm.last > until);
    }

    pub(crate) fn raise(&mut self, alarm: Alarm) {
        self.raised += 1;
        let same = |kept: &Alarm| kept.kind == alarm.kind && kept.about == alarm.about;
        let before = self.kept.iter().position(same).map(|at| self.kept.remove(at));
        let (first, count) = before.map_or((alarm.first, 0), |kept| (kept.first, kept.count));
        if self.kept.len() >= MAX_ALARMS {
            self.kept.remove(0);
        }
        self.kept.push(Alarm { first, count: count + 1, ..alarm });
    }
}

impl Alarm {
    /// An alarm about an order.
    pub(crate) fn of_order(kind: AlarmKind, order: &Order, now: Time) -> Alarm {
        Alarm {
            order: Some(order.id),
            venue_id: order.reference().venue_id,
            side: Some(order.request.side),
            ..Alarm::of(kind, &order.account, now)
                .with(Some(&order.request.instrument), order.caller.clone())
                .amount(order.remaining().0)
        }
    }

    /// An alarm about a trade of an order that Tidegate did not place.
    pub(crate) fn of_fill(account: &AccountName, fill: &FillReport, now: Time) -> Alarm {
        Alarm {
            venue_id: Some(fill.venue_id.clone()),
            side: Some(fill.side),
            ..Alarm::of(AlarmKind::ForeignFill, account, now)
                .with(Some(&fill.instrument), None)
                .amount(fill.qty.0)
        }
    }

    /// An alarm about a position that was `counted` so and is `shown` otherwise.
    pub(crate) fn of_position(
        account: &AccountName,
        instrument: &InstrumentId,
        counted: Decimal,
        shown: Decimal,
        now: Time,
    ) -> Alarm {
        let alarm = Alarm::of(AlarmKind::Position, account, now).with(Some(instrument), None);
        Alarm { counted: Some(counted), ..alarm.amount(shown) }
    }

    /// An alarm about a balance that was `told` so and is `shown` otherwise.
    pub(crate) fn of_balance(
        account: &AccountName,
        shown: &BalanceReport,
        told: Decimal,
        now: Time,
    ) -> Alarm {
        let mut alarm = Alarm::of(AlarmKind::Balance, account, now).amount(shown.amount);
        alarm.about.asset = Some(shown.asset.clone());
        Alarm { counted: Some(told), ..alarm }
    }

    fn of(kind: AlarmKind, account: &AccountName, now: Time) -> Alarm {
        let about = About { account: account.clone(), instrument: None, asset: None, caller: None };
        Alarm {
            kind,
            about,
            order: None,
            venue_id: None,
            side: None,
            qty: Decimal::ZERO,
            counted: None,
            first: now,
            last: now,
            count: 0,
        }
    }

    fn with(mut self, instrument: Option<&InstrumentId>, caller: Option<CallerName>) -> Alarm {
        self.about.instrument = instrument.cloned();
        self.about.caller = caller;
        self
    }

    fn amount(self, qty: Decimal) -> Alarm {
        Alarm { qty, ..self }
    }
}

/// What a report tells of an order of Tidegate's that Tidegate did not ask for. `before` is the
/// order as it stood.
pub(crate) fn not_ours(before: &Order, report: &OrderReport) -> Option<AlarmKind> {
    if report.state == VenueState::Cancelled {
        return cancelled(before).then_some(AlarmKind::ForeignCancel);
    }
    let settled = before.stage == Stage::Live && before.amend.is_none() && !before.is_foreign();
    let news = before.told > Time::default() && report.at > before.told;
    if !settled || !news || !report.state.is_live() {
        return None;
    }
    let resized = report.qty.0.is_positive() && report.qty != before.request.qty;
    let priced = report.price.filter(|price| price.0.is_positive());
    let moved = priced.zip(before.request.price).is_some_and(|(now, then)| now != then);
    let trigger = before.request.trigger.as_ref().map(|trigger| trigger.price);
    let retriggered = report.trigger_price.zip(trigger).is_some_and(|(now, then)| now != then);
    let freed = report.reduce_only.is_some_and(|now| now != before.request.reduce_only);
    (resized || moved || retriggered || freed).then_some(AlarmKind::ForeignAmend)
}

/// Whether the cancel of an order that rests is none of Tidegate's.
pub(crate) fn cancelled(before: &Order) -> bool {
    let rests = match before.request.time_in_force {
        // The venue ends these by itself, and not every venue tells that apart.
        TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill | TimeInForce::GoodTilDay => false,
        TimeInForce::GoodTilCancelled | TimeInForce::GoodTilDate { .. } => {
            let order_type = before.request.order_type;
            order_type.has_price() || order_type.is_conditional()
        }
    };
    let live = matches!(before.stage, Stage::Live | Stage::Unknown);
    let asked = before.cancels > 0 || before.doom.is_some() || before.amend.is_some();
    live && rests && !asked && !before.is_foreign()
}

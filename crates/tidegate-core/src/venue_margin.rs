//! What venues say of accounts' margin, so that it can be shown beside the scenario margin counted here. It
//! comes with each snapshot; nothing is decided by it.

use crate::Core;
use crate::action::Action;
use crate::reconcile::ROWS;
use crate::state::State;
use std::collections::BTreeMap;
use tidegate_types::decimal::{Decimal, DecimalError, Rounding};
use tidegate_types::ids::AccountName;
use tidegate_types::instrument::Usd;
use tidegate_types::record::Body;
use tidegate_types::time::{Span, Time};
use tidegate_types::venue_margin::VenueMargin;
use tidegate_types::{codec_newtype, codec_struct};

/// What a venue tells is on record at least this often, so that its age is known.
const EVERY: Span = Span::from_secs(60);
/// A figure that moved by less than one in so many is the same.
const PART: u64 = 100;
/// The venue's maintenance margin is above ours once it is more by one in so many of ours …
const ABOVE: Decimal = Decimal::new(10, 0);
/// … and by so many dollars.
const LEAST: Decimal = Decimal::ONE;

/// What is known of all accounts' margin.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct VenueMargins(BTreeMap<AccountName, Told>);
codec_newtype!(VenueMargins);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Told {
    margins: Vec<VenueMargin>,
    at: Time,
}
codec_struct!(Told { margins, at });

/// What an account's venue says of its margin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VenueStanding<'a> {
    /// By currency, as the venue tells it.
    pub margins: &'a [VenueMargin],
    /// When it told.
    pub at: Time,
    /// The same in dollars; none where a currency cannot be valued.
    pub total: Option<MarginTotal>,
    /// By how much the venue's maintenance margin is above our scenario margin, once that is more than a tenth of
    /// ours and more than a dollar; none as well where we count none.
    pub above: Option<Usd>,
}

/// A venue's margin in dollars, rounded against the account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MarginTotal {
    /// What the margin is taken from.
    pub equity: Usd,
    /// What positions and open orders take.
    pub initial: Usd,
    /// Below this the account is liquidated.
    pub maintenance: Usd,
}

impl Core {
    /// Takes what a snapshot shows, if it is news.
    pub(crate) fn margins_shown(
        &mut self,
        account: &AccountName,
        shown: &[VenueMargin],
        now: Time,
        out: &mut Vec<Action>,
    ) {
        // No venue has nearly as many currencies.
        let shown = shown.get(..ROWS).unwrap_or(shown);
        let news = match self.state.venue_margins.0.get(account) {
            None => !shown.is_empty(),
            Some(known) => now >= known.at.plus(EVERY) || have_moved(&known.margins, shown),
        };
        if news {
            let (account, margins) = (account.clone(), shown.to_vec());
            self.append(Body::MarginTold { account, margins }, now, out);
        }
    }
}

impl State {
    /// What an account's venue says of its margin, as last told.
    pub fn venue_margin_of(&self, account: &AccountName) -> Option<VenueStanding<'_>> {
        let Told { margins, at } = self.venue_margins.0.get(account)?;
        let total = self.margin_total(margins);
        let ours = self.options_of(account).map(|standing| standing.weighed.margin);
        let above = total.zip(ours).and_then(|(total, ours)| above(total.maintenance, ours));
        Some(VenueStanding { margins, at: *at, total, above })
    }

    fn margin_total(&self, margins: &[VenueMargin]) -> Option<MarginTotal> {
        let mut total = MarginTotal::default();
        for margin in margins {
            let rate = self.dollars_for(&margin.asset)?;
            let add = |sum: Usd, figure: Decimal, rounding| -> Result<Usd, DecimalError> {
                Ok(Usd(sum.0.add(figure.mul(rate, rounding)?)?))
            };
            total = MarginTotal {
                equity: add(total.equity, margin.equity, Rounding::Floor).ok()?,
                initial: add(total.initial, margin.initial, Rounding::Ceil).ok()?,
                maintenance: add(total.maintenance, margin.maintenance, Rounding::Ceil).ok()?,
            };
        }
        Some(total)
    }
}

/// Takes what a venue tells of an account in the place of what it told before.
pub(crate) fn fold(state: &mut State, account: &AccountName, margins: &[VenueMargin], now: Time) {
    let known = &mut state.venue_margins.0;
    if margins.is_empty() {
        known.remove(account);
    } else {
        known.insert(account.clone(), Told { margins: margins.to_vec(), at: now });
    }
}

fn above(theirs: Usd, ours: Usd) -> Option<Usd> {
    let more = theirs.0.sub(ours.0).ok()?;
    let bound = ours.0.div(ABOVE, Rounding::Ceil).ok()?.max(LEAST);
    (more > bound).then_some(Usd(more))
}

fn have_moved(then: &[VenueMargin], now: &[VenueMargin]) -> bool {
    then.len() != now.len() || then.iter().zip(now).any(|(then, now)| has_moved(then, now))
}

fn has_moved(then: &VenueMargin, now: &VenueMargin) -> bool {
    let far = |then: Decimal, now: Decimal| {
        then.raw().abs_diff(now.raw()) > then.raw().unsigned_abs() / PART
    };
    (&then.asset, &then.model) != (&now.asset, &now.model)
        || far(then.equity, now.equity)
        || far(then.initial, now.initial)
        || far(then.maintenance, now.maintenance)
}

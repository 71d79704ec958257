//! Balances: what an account's wallet holds of each asset, by the word of its private stream, and compared
//! with what the venue shows. Tidegate does not compute them: fees, funding, settlements and transfers
//! are the venue's own affairs.
//!
//! After a gap the venue's figures are taken over as they are, since what happened meanwhile explains
//! them. While the stream is there it tells every change; what it did not tell, though two looks show
//! it alike, is an alarm.

use crate::Core;
use crate::action::Action;
use crate::alarms::Alarm;
use crate::reconcile::ROWS;
use crate::state::State;
use std::collections::BTreeMap;
use tidegate_types::codec_struct;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{AccountName, Currency};
use tidegate_types::record::Body;
use tidegate_types::report::BalanceReport;
use tidegate_types::time::{Span, Time};

/// The stream may tell of a balance this much later than the venue shows it; Deribit gathers such news.
const STREAM_DELAY: Span = Span::from_secs(5);

/// What is known of all accounts' balances.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Balances {
    accounts: BTreeMap<AccountName, BTreeMap<Currency, Balance>>,
}
codec_struct!(Balances { accounts });

/// One balance.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Balance {
    amount: Decimal,
    /// When it became so.
    since: Time,
}
codec_struct!(Balance { amount, since });

impl Balances {
    /// What an account holds of an asset, as last told.
    pub fn amount(&self, account: &AccountName, asset: &Currency) -> Decimal {
        self.known(account, asset).amount
    }

    /// What an account holds, zeros aside.
    pub fn of(&self, account: &AccountName) -> impl Iterator<Item = (&Currency, Decimal)> {
        let held = self.accounts.get(account).into_iter().flatten();
        held.map(|(asset, balance)| (asset, balance.amount)).filter(|(_, held)| !held.is_zero())
    }

    pub(crate) fn set(&mut self, account: &AccountName, told: &BalanceReport, now: Time) {
        let known = self.accounts.entry(account.clone()).or_default();
        known.insert(told.asset.clone(), Balance { amount: told.amount, since: now });
    }

    fn known(&self, account: &AccountName, asset: &Currency) -> Balance {
        let known = self.accounts.get(account).and_then(|assets| assets.get(asset));
        known.cloned().unwrap_or_default()
    }
}

/// Balances that differed in a snapshot.
pub(crate) type Uneven = BTreeMap<Currency, Difference>;

/// How a balance differed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Difference {
    shown: Decimal,
    told: Decimal,
    since: Time,
}

/// The circumstances of a comparison.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// When the venue was asked.
    pub(crate) asked: Time,
    pub(crate) now: Time,
    /// The account has not been open since its stream was away.
    pub(crate) after_gap: bool,
    /// There is an order that the venue has not been heard about.
    pub(crate) unsure: bool,
}

impl Core {
    /// Takes over what differs: at once after a gap, else when two looks show it alike.
    pub(crate) fn compare_balances(
        &mut self,
        account: &AccountName,
        shown: &[BalanceReport],
        look: Look,
        out: &mut Vec<Action>,
    ) {
        let differ = self.differing(account, shown, look);
        let Some(watch) = self.watches.get_mut(account) else { return };
        let before = std::mem::take(&mut watch.uneven);
        let mut taken = Vec::new();
        for (asset, found) in differ {
            let same = |d: &&Difference| d.shown == found.shown && d.told == found.told;
            let earlier = before.get(&asset).filter(same);
            let lasts = earlier.is_some_and(|d| look.asked >= d.since.plus(STREAM_DELAY));
            if look.after_gap || (lasts && !look.unsure) {
                taken.push(BalanceReport { asset, amount: found.shown });
            } else {
                let since = earlier.map_or(look.now, |d| d.since);
                watch.uneven.insert(asset, Difference { since, ..found });
            }
        }
        for balances in taken.chunks(ROWS) {
            let (account, balances) = (account.clone(), balances.to_vec());
            let untold = !look.after_gap;
            self.append(Body::BalancesTaken { account, balances, untold }, look.now, out);
        }
    }

    /// What is shown otherwise than it was known when the venue was asked.
    fn differing(&self, account: &AccountName, shown: &[BalanceReport], look: Look) -> Uneven {
        let held = self.state.balances.of(account).map(|(asset, _)| (asset, Decimal::ZERO));
        let mut all: BTreeMap<&Currency, Decimal> = held.collect();
        all.extend(shown.iter().map(|row| (&row.asset, row.amount)));
        let mut differ = Uneven::new();
        for (asset, shown) in all {
            let known = self.state.balances.known(account, asset);
            // What the stream told meanwhile may be newer than the answer.
            if known.amount != shown && known.since < look.asked {
                let found = Difference { shown, told: known.amount, since: look.now };
                differ.insert(asset.clone(), found);
            }
        }
        differ
    }
}

pub(crate) fn balances_taken(
    state: &mut State,
    account: &AccountName,
    balances: &[BalanceReport],
    untold: bool,
    now: Time,
) {
    for balance in balances {
        if untold {
            let told = state.balances.amount(account, &balance.asset);
            state.alarms.raise(Alarm::of_balance(account, balance, told, now));
        }
        state.balances.set(account, balance, now);
    }
    state.wallet_for_policies(account);
}
